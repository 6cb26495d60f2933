//! Patterns of suites: written for Go, searched anywhere in the text.

use regex::Regex;

/// Compiles a pattern as suites write it; the error is a sentence about the pattern.
pub(super) fn compile(go: &str) -> Result<Regex, String> {
    gopher_config::pattern::compile(&gopher_config::pattern::unanchored(go)?)
}

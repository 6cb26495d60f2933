//! Robot repository to typed, validated configuration.
//!
//! The loader (a confined worker) and the author tools call [`read`], run the plugins that
//! [`Draft::wants_defaults`] names, and [`Draft::finish`]. This crate knows no sockets, no processes and no secrets;
//! its only I/O is a [`FileSource`].
#![forbid(unsafe_code)]

mod declared;
mod diagnostic;
mod draft;
mod environment;
mod extension;
mod guard;
mod installed;
mod keys;
mod later;
mod layers;
mod legacy;
mod mail;
mod markers;
mod merge;
mod merged;
pub mod pattern;
mod protocols;
mod providers;
pub mod regexes;
mod robot;
mod schedule;
mod schema;
mod sections;
mod services;
pub mod simple;
mod source;
mod suggest;
mod template;
mod units;
mod variables;
mod yaml;

pub use diagnostic::Diagnostic;
pub use draft::{Draft, Table, plain_environment, read};
pub use environment::Launch;
pub use schema::{ConfigFile, schema};
pub use source::{Disk, FileKind, FileSource, LARGEST_FILE};

/// Decodes one YAML text the way configuration files are decoded, for fuzzing: JSON text, or what is wrong.
pub fn yaml_to_json(name: &str, bytes: Vec<u8>) -> Result<String, Vec<Diagnostic>> {
    from_yaml::<serde_json::Value>(name, bytes).map(|value| value.to_string())
}

/// Decodes one YAML text of another kind (a suite, say) the way configuration files are decoded, but for keys that
/// it does not know: they are ignored.
pub fn from_yaml<T: for<'de> serde::Deserialize<'de>>(name: &str, bytes: Vec<u8>) -> Result<T, Vec<Diagnostic>> {
    let (node, _) = layers::parse(name, bytes)?;
    yaml::decode::decode_known(&node)
}

#[cfg(test)]
mod tests;

//! Entries of `Commands`, `MessageMatchers`, `ReplyMatchers`, `Arguments` and `Triggers`.

use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct InputMatcher {
    pub(crate) command: String,
    pub(crate) regex: String,
    pub(crate) simple_matcher: String,
    pub(crate) usage: String,
    pub(crate) summary: String,
    pub(crate) details: String,
    pub(crate) examples: Vec<String>,
    pub(crate) keywords: Vec<String>,
    pub(crate) label: String,
    pub(crate) channel_only: bool,
    pub(crate) contexts: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct Trigger {
    pub(crate) user: String,
    pub(crate) channel: String,
    pub(crate) regex: String,
}

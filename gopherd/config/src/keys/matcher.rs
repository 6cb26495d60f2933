//! Entries of `Commands`, `MessageMatchers`, `ReplyMatchers`, `Arguments` and `Triggers` (spec: configuration §3.1).

use schemars::JsonSchema;
use serde::Deserialize;

/// What a message is compared with, and what it means.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct InputMatcher {
    /// What the extension is started with. Several matchers may have the same.
    pub(crate) command: String,
    /// A regular expression. Its groups are the arguments.
    pub(crate) regex: String,
    /// In place of `Regex`, for `Commands`: words, `[optional parts]`, `(one|other)` and `<arguments>`.
    pub(crate) simple_matcher: String,
    /// How it is typed, for help.
    pub(crate) usage: String,
    /// What it does, in one line, for help.
    pub(crate) summary: String,
    /// More about it, for help.
    pub(crate) details: String,
    /// Examples that work as they are, for help.
    pub(crate) examples: Vec<String>,
    /// Words that help finds it by.
    pub(crate) keywords: Vec<String>,
    /// The name of an answer or argument.
    pub(crate) label: String,
    /// It matches in channels outside threads only.
    pub(crate) channel_only: bool,
    /// For each group the kind of thing that it names, so that people can say `it` the next time.
    pub(crate) contexts: Vec<String>,
}

/// A message that starts a job.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct Trigger {
    /// Who says it.
    pub(crate) user: String,
    /// Where it is said.
    pub(crate) channel: String,
    /// A regular expression that the message matches somewhere.
    pub(crate) regex: String,
}

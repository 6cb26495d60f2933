//! Keys of `conf/plugins/NAME.yaml`, `conf/jobs/NAME.yaml` and of a plugin's own default configuration.

use serde::Deserialize;

use super::matcher::{InputMatcher, Trigger};
use crate::units::GoDuration;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub(crate) struct ExtensionFile {
    pub(crate) commands: Vec<InputMatcher>,
    pub(crate) message_matchers: Vec<InputMatcher>,
    pub(crate) reply_matchers: Vec<InputMatcher>,
    pub(crate) arguments: Vec<InputMatcher>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) channel: String,
    pub(crate) channels: Vec<String>,
    pub(crate) all_channels: Option<bool>,
    pub(crate) require_admin: bool,
    pub(crate) admin_commands: Vec<String>,
    pub(crate) users: Vec<String>,
    pub(crate) allowed_private_commands: Vec<String>,
    pub(crate) required_private_commands: Vec<String>,
    pub(crate) require_all_commands_private: bool,
    pub(crate) restrict_private_channels: bool,
    pub(crate) authorized_commands: Vec<String>,
    pub(crate) authorize_all_commands: bool,
    pub(crate) authorizer: String,
    pub(crate) auth_require: String,
    pub(crate) elevated_commands: Vec<String>,
    pub(crate) elevate_immediate_commands: Vec<String>,
    pub(crate) elevator: String,
    pub(crate) ambient_match_command: bool,
    pub(crate) match_unlisted: bool,
    pub(crate) catch_all: bool,
    pub(crate) catch_all_modes: Vec<String>,
    pub(crate) time_outs: Thresholds,
    pub(crate) config: Option<serde_json::Value>,
    pub(crate) disabled: bool,
    /// Accepted; history is of a later version.
    keep_logs: u32,
    /// Accepted; jobs are of a later version.
    quiet: bool,
    #[serde(rename = "UUIDTrigger")]
    /// Accepted; queues are of a later version.
    uuid_trigger: String,
    /// Accepted; they belong in robot.yaml, a notice says so.
    name_space: String,
    /// Accepted; they belong in robot.yaml, a notice says so.
    parameter_sets: Vec<String>,
}

/// Thresholds of one task, or of one kind of task.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct Thresholds {
    pub(crate) warn: Option<GoDuration>,
    pub(crate) kill: Option<GoDuration>,
}

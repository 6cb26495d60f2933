//! Keys of `conf/plugins/NAME.yaml`, `conf/jobs/NAME.yaml` and of a plugin's own default configuration (spec:
//! configuration §3).

use schemars::JsonSchema;
use serde::Deserialize;

use super::matcher::{InputMatcher, Trigger};
use crate::units::GoDuration;

/// Keys that only plugins have.
pub(crate) const PLUGINS_ONLY: [&str; 16] = [
    "Commands",
    "MessageMatchers",
    "Channels",
    "AdminCommands",
    "AllowedPrivateCommands",
    "RequiredPrivateCommands",
    "RequireAllCommandsPrivate",
    "RestrictPrivateChannels",
    "AuthorizedCommands",
    "AuthorizeAllCommands",
    "ElevatedCommands",
    "ElevateImmediateCommands",
    "AmbientMatchCommand",
    "MatchUnlisted",
    "CatchAll",
    "CatchAllModes",
];
/// Keys that only jobs have.
pub(crate) const JOBS_ONLY: [&str; 5] = ["Arguments", "Triggers", "UUIDTrigger", "KeepLogs", "Quiet"];

/// A plugin or a job.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub(crate) struct ExtensionFile {
    /// What the plugin answers to when the robot is addressed.
    pub(crate) commands: Vec<InputMatcher>,
    /// What the plugin reacts to in any message.
    pub(crate) message_matchers: Vec<InputMatcher>,
    /// Answers that it expects to its own questions.
    pub(crate) reply_matchers: Vec<InputMatcher>,
    /// Arguments that the job asks for, in order.
    pub(crate) arguments: Vec<InputMatcher>,
    /// Messages that start the job.
    pub(crate) triggers: Vec<Trigger>,
    /// Where the job runs and may be started; `DefaultJobChannel` if not set.
    pub(crate) channel: String,
    /// Where the plugin answers; `DefaultChannels` if not set.
    pub(crate) channels: Vec<String>,
    /// It answers everywhere.
    pub(crate) all_channels: Option<bool>,
    /// For administrators only.
    pub(crate) require_admin: bool,
    /// Commands for administrators only.
    pub(crate) admin_commands: Vec<String>,
    /// Who may use it: names or patterns such as `ops-*`; everybody if empty.
    pub(crate) users: Vec<String>,
    /// Commands that may be given in a direct or hidden message; `*` means all.
    pub(crate) allowed_private_commands: Vec<String>,
    /// Commands that must be given in a direct or hidden message.
    pub(crate) required_private_commands: Vec<String>,
    /// Every command must be given in a direct or hidden message.
    pub(crate) require_all_commands_private: bool,
    /// Hidden messages count in `Channels` only, direct ones not at all.
    pub(crate) restrict_private_channels: bool,
    /// Commands that need the authorizer's word.
    pub(crate) authorized_commands: Vec<String>,
    /// Every command needs the authorizer's word.
    pub(crate) authorize_all_commands: bool,
    /// The plugin that is asked whether a user may; `DefaultAuthorizer` if not set. A job that names one needs its word.
    pub(crate) authorizer: String,
    /// The group or role that the authorizer is asked about.
    pub(crate) auth_require: String,
    /// Commands that need elevation: proof that it is really the user.
    pub(crate) elevated_commands: Vec<String>,
    /// Commands that need elevation each time.
    pub(crate) elevate_immediate_commands: Vec<String>,
    /// The plugin that asks for proof; `DefaultElevator` if not set. A job that names one needs elevation.
    pub(crate) elevator: String,
    /// `MessageMatchers` see commands too.
    pub(crate) ambient_match_command: bool,
    /// `MessageMatchers` see messages of users who are not in `UserRoster`.
    pub(crate) match_unlisted: bool,
    /// The plugin gets commands that nothing else understands.
    pub(crate) catch_all: bool,
    /// Which of them, by how the robot was addressed: `alias`, `name`, `direct`, `hidden`; all if empty.
    pub(crate) catch_all_modes: Vec<String>,
    /// When its runs are reported, and when they are ended.
    pub(crate) time_outs: Thresholds,
    /// Anything; the extension gets it with `GetTaskConfig`.
    pub(crate) config: Option<serde_json::Value>,
    /// Switch it off.
    pub(crate) disabled: bool,
    /// How many logs of its runs are kept, at most 64.
    pub(crate) keep_logs: u32,
    /// The job says nothing about its start and end.
    pub(crate) quiet: bool,
    /// A message of a queue with this UUID starts the job.
    #[serde(rename = "UUIDTrigger")]
    pub(crate) uuid_trigger: String,
    /// Without effect here: it belongs in robot.yaml.
    name_space: String,
    /// Without effect here: it belongs in robot.yaml.
    parameter_sets: Vec<String>,
}

/// Thresholds of one task, or of one kind of task.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct Thresholds {
    /// After this time administrators are told; 0 means never.
    pub(crate) warn: Option<GoDuration>,
    /// After this time the run is ended; 0 means never.
    pub(crate) kill: Option<GoDuration>,
}

//! Keys of `conf/robot.yaml`, and of `conf/protocols/NAME.yaml`, which is of the same kind.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{extension::Thresholds, task::TaskSettings};

/// Keys that a robot may have and that nothing reads yet. None of them restricts anything by itself: an extension
/// that needs an authorizer or elevator is disabled.
pub(crate) const LATER: [&str; 14] = [
    "BrainCache",
    "DefaultAuthorizer",
    "DefaultElevator",
    "EncryptionKey",
    "HistoryProvider",
    "HttpDebug",
    "IdentityProviders",
    "LogDest",
    "MailConfig",
    "QueueProviders",
    "ReadyChannel",
    "ReadyMessage",
    "ScheduledJobs",
    "TimeZone",
];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct RobotFile {
    pub(crate) primary_protocol: String,
    pub(crate) default_protocol: String,
    pub(crate) secondary_protocols: Vec<String>,
    pub(crate) bot_info: Person,
    pub(crate) alias: String,
    pub(crate) admin_contact: String,
    pub(crate) admin_users: Vec<String>,
    pub(crate) user_roster: Vec<Person>,
    pub(crate) channel_roster: Vec<RosterChannel>,
    pub(crate) ignore_unlisted_users: bool,
    pub(crate) ignore_users: Vec<String>,
    pub(crate) hear_self: Option<bool>,
    pub(crate) join_channels: Vec<String>,
    pub(crate) default_channels: Vec<String>,
    pub(crate) default_job_channel: String,
    pub(crate) default_message_format: String,
    pub(crate) brain: String,
    pub(crate) log_level: String,
    pub(crate) time_outs: RobotTimeOuts,
    pub(crate) work_space: String,
    pub(crate) secure_parameters: bool,
    pub(crate) read_paths: Vec<String>,
    pub(crate) local_port: u16,
    pub(crate) name_spaces: BTreeMap<String, TaskSettings>,
    pub(crate) parameter_sets: BTreeMap<String, TaskSettings>,
    pub(crate) external_plugins: BTreeMap<String, TaskSettings>,
    pub(crate) external_jobs: BTreeMap<String, TaskSettings>,
    pub(crate) external_tasks: BTreeMap<String, TaskSettings>,
    pub(crate) go_plugins: BTreeMap<String, TaskSettings>,
    pub(crate) go_jobs: BTreeMap<String, TaskSettings>,
    pub(crate) go_tasks: BTreeMap<String, TaskSettings>,
    pub(crate) protocol_config: Option<serde_json::Value>,
}

/// The robot itself, or an entry of the roster.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct Person {
    pub(crate) user_name: String,
    #[serde(rename = "UserID")]
    /// Accepted; ids belong in the protocol's file.
    user_id: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) full_name: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) bot_user: bool,
}

/// Two spellings: the documented one, and the one that the reference happens to take.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RosterChannel {
    #[serde(rename = "ChannelName", alias = "channelname")]
    pub(crate) name: String,
    #[serde(rename = "ChannelID", alias = "channelid")]
    pub(crate) id: String,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct RobotTimeOuts {
    pub(crate) plugin: Thresholds,
    pub(crate) job: Thresholds,
}

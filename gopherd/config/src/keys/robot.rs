//! Keys of `conf/robot.yaml`, and of `conf/protocols/NAME.yaml`, which is of the same kind (spec: configuration §2).
//!
//! The comments are what editors show: `schema.rs` makes descriptions of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    extension::Thresholds,
    services::{BrainCache, IdentityProvider, MailConfig, ScheduledJob},
    task::TaskSettings,
};

/// A robot.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub(crate) struct RobotFile {
    /// The chat service of this robot; its settings are in conf/protocols/NAME.yaml.
    pub(crate) primary_protocol: String,
    /// Where output goes that answers nobody, such as that of scheduled jobs. The primary protocol if not set.
    pub(crate) default_protocol: String,
    /// Further chat services.
    pub(crate) secondary_protocols: Vec<String>,
    /// Who the robot is. `UserName` is what people call it.
    pub(crate) bot_info: Person,
    /// One character that stands for the robot's name, such as `;`.
    pub(crate) alias: String,
    /// Whom people ask about this robot; free text.
    pub(crate) admin_contact: String,
    /// Users who may give admin commands; they must be in `UserRoster` too.
    pub(crate) admin_users: Vec<String>,
    /// The people (and other robots) that this robot knows.
    pub(crate) user_roster: Vec<Person>,
    /// Names of channels of the primary protocol that go by ids.
    pub(crate) channel_roster: Vec<RosterChannel>,
    /// Hear only users who are in `UserRoster` and whom the chat service vouches for.
    pub(crate) ignore_unlisted_users: bool,
    /// Users whom the robot never hears.
    pub(crate) ignore_users: Vec<String>,
    /// Whether the robot's own messages can match (default true).
    pub(crate) hear_self: Option<bool>,
    /// Channels to join at start, besides `DefaultChannels` and `DefaultJobChannel`.
    pub(crate) join_channels: Vec<String>,
    /// Channels of plugins that name none.
    pub(crate) default_channels: Vec<String>,
    /// Channel of jobs that name none.
    pub(crate) default_job_channel: String,
    /// Said once when the robot has started.
    pub(crate) ready_message: String,
    /// Where `ReadyMessage` is said; `DefaultJobChannel` if not set.
    pub(crate) ready_channel: String,
    /// Format of what extensions say: `Raw`, `Fixed`, `Variable` or `BasicMarkdown` (default).
    pub(crate) default_message_format: String,
    /// Authorizer of plugins that need one and name none.
    pub(crate) default_authorizer: String,
    /// Elevator of plugins that need one and name none.
    pub(crate) default_elevator: String,
    /// Where memories are kept; settings in conf/brains/NAME.yaml. `mem` (default) forgets at the end.
    pub(crate) brain: String,
    /// The local copy of a remote brain.
    pub(crate) brain_cache: BrainCache,
    /// Unlocks a data key that lies in the brain, as old robots had it; 32 characters or more.
    pub(crate) encryption_key: String,
    /// Where the logs of pipelines are kept; settings in conf/history/NAME.yaml. `mem` is the default.
    pub(crate) history_provider: String,
    /// Services that start jobs; settings in conf/queues/NAME.yaml.
    pub(crate) queue_providers: Vec<String>,
    /// Persistent directory of privileged runs, relative to the robot's directory.
    pub(crate) work_space: String,
    /// Parameters are had by `GetParameter` only and are not in the environment of runs.
    pub(crate) secure_parameters: bool,
    /// Further absolute directories that every run may read.
    pub(crate) read_paths: Vec<String>,
    /// Names of the private environment whose values are no secrets and may stand in configuration as they are.
    pub(crate) plain_environment: Vec<String>,
    /// Extensions that do not answer `_configure` are asked with `configure`, as version 2 did.
    pub(crate) legacy_configure: bool,
    /// Memories stay in the format of Gopherbot, which protects them less.
    pub(crate) legacy_brain: bool,
    /// Log calls of the robot API in full.
    pub(crate) http_debug: bool,
    /// Port of the local API; every run has one of its own, so that there is nothing to set.
    pub(crate) local_port: u16,
    /// `trace`, `debug`, `info`, `audit`, `warn` or `error` (default).
    pub(crate) log_level: String,
    /// `stdout` (default), `stderr`, or a file that the log is added to.
    pub(crate) log_dest: String,
    /// Time zone of schedules and of times that are shown, such as `Europe/Berlin`; that of the machine if not set.
    pub(crate) time_zone: String,
    /// When a run is reported to administrators, and when it is ended.
    pub(crate) time_outs: RobotTimeOuts,
    /// How the robot sends mail. The sender is `Email` of `BotInfo`.
    pub(crate) mail_config: MailConfig,
    /// Services where users can link an account, by name.
    pub(crate) identity_providers: BTreeMap<String, IdentityProvider>,
    /// Memories and parameters that extensions share, by name.
    pub(crate) name_spaces: BTreeMap<String, TaskSettings>,
    /// Lists of parameters that extensions share, by name.
    pub(crate) parameter_sets: BTreeMap<String, TaskSettings>,
    /// Plugins, by name.
    pub(crate) external_plugins: BTreeMap<String, TaskSettings>,
    /// Jobs, by name.
    pub(crate) external_jobs: BTreeMap<String, TaskSettings>,
    /// Tasks (steps of pipelines), by name.
    pub(crate) external_tasks: BTreeMap<String, TaskSettings>,
    /// Settings of stock plugins, by name.
    pub(crate) go_plugins: BTreeMap<String, TaskSettings>,
    /// Settings of stock jobs, by name.
    pub(crate) go_jobs: BTreeMap<String, TaskSettings>,
    /// Settings of stock tasks, by name.
    pub(crate) go_tasks: BTreeMap<String, TaskSettings>,
    /// Jobs that start by the clock.
    pub(crate) scheduled_jobs: Vec<ScheduledJob>,
    /// Settings of the chat service; only in conf/protocols/NAME.yaml.
    pub(crate) protocol_config: Option<serde_json::Value>,
}

/// The robot itself, or an entry of the roster.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct Person {
    /// Lower case; the name by which configuration and extensions know this user.
    pub(crate) user_name: String,
    /// Without effect here: ids belong in the protocol's file.
    #[serde(rename = "UserID")]
    user_id: String,
    /// Mail address.
    pub(crate) email: String,
    /// Phone number.
    pub(crate) phone: String,
    /// First and last name.
    pub(crate) full_name: String,
    /// First name.
    pub(crate) first_name: String,
    /// Last name.
    pub(crate) last_name: String,
    /// This user is another robot: it is heard only when it addresses this one.
    pub(crate) bot_user: bool,
}

/// A channel that goes by an id.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = crate::schema::lower_case_too)]
pub(crate) struct RosterChannel {
    /// The name by which configuration and extensions know this channel.
    // Two spellings: the documented one, and the one that the reference happens to take.
    #[serde(rename = "ChannelName", alias = "channelname")]
    pub(crate) name: String,
    /// The id of the chat service.
    #[serde(rename = "ChannelID", alias = "channelid")]
    pub(crate) id: String,
}

/// Thresholds of every plugin and every job.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub(crate) struct RobotTimeOuts {
    /// Pipelines of plugins.
    pub(crate) plugin: Thresholds,
    /// Pipelines of jobs.
    pub(crate) job: Thresholds,
}

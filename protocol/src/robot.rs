//! The typed, validated configuration of a robot: what the loader hands to the engine.
//!
//! Parameters are not in it: their values go from the loader to secretd only.

use std::time::Duration;

use crate::{
    ids::{ChannelName, Generation, ProtocolName, TaskName, UserName},
    message::wire,
    robot_api::{LogLevel, MessageFormat},
};

wire! {
    /// One loaded and validated configuration (a *generation*).
    pub struct Robot {
        pub generation: Generation,
        pub identity: Identity,
        /// One of the characters that may stand for the robot's name.
        pub alias: Option<char>,
        pub admin_contact: String,
        pub admin_users: Vec<UserName>,
        pub roster: Vec<RosterEntry>,
        pub ignore_unlisted_users: bool,
        /// Compared without regard to case.
        pub ignore_users: Vec<String>,
        pub hear_self: bool,
        pub join_channels: Vec<ChannelName>,
        pub default_channels: Vec<ChannelName>,
        pub default_job_channel: Option<ChannelName>,
        pub default_format: MessageFormat,
        pub log_level: LogLevel,
        pub primary_protocol: ProtocolName,
        /// The primary one first.
        pub protocols: Vec<ProtocolSettings>,
        /// The name of the configured brain provider, as extensions see it.
        pub brain: String,
        pub brain_format: BrainFormat,
        /// The host that takes the robot's mail, as its author wrote it, if the robot can send any.
        pub mail: Option<String>,
        /// The deployment environment, as extensions see it.
        pub environment: String,
        /// Directory of privileged runs, relative to the robot home.
        pub work_space: Option<String>,
        pub secure_parameters: bool,
        /// Additional directories that runs may read.
        pub read_paths: Vec<String>,
        pub plugin_time_outs: TimeOuts,
        pub job_time_outs: TimeOuts,
        pub extensions: Vec<Extension>,
        pub disabled: Vec<Disabled>,
        /// Warnings for the log and `gopherctl status`, each a whole sentence with its place.
        pub notices: Vec<String>,
    }

    /// How memories that outlive the robot are kept.
    #[derive(Copy)]
    pub enum BrainFormat {
        /// Sealed, in the robot's own store.
        Own,
        /// In the files of Gopherbot, as it encrypts them.
        Gopherbot,
    }

    pub struct Identity {
        pub user_name: String,
        pub full_name: String,
        pub email: String,
        pub phone: String,
        pub first_name: String,
        pub last_name: String,
    }

    pub struct RosterEntry {
        pub user_name: UserName,
        pub email: String,
        pub phone: String,
        pub full_name: String,
        pub first_name: String,
        pub last_name: String,
        /// Another robot: no ambient matching, no catch-all.
        pub bot_user: bool,
    }

    pub struct ProtocolSettings {
        pub name: ProtocolName,
        /// The `ProtocolConfig` tree as JSON text; the connector reads it.
        pub config: String,
        /// Pairs of channel name and channel id.
        pub channels: Vec<(String, String)>,
    }

    /// Zero switches a threshold off.
    pub struct TimeOuts {
        pub warn: Duration,
        pub kill: Duration,
    }

    pub enum Kind { Plugin, Job, Task }

    /// Which runtime a file is for; decided by its suffix.
    pub enum Runtime {
        /// Any executable: bash, Python, Ruby, a compiled program.
        External,
        Lua,
        JavaScript,
        Gsh,
        Go,
    }

    #[expect(clippy::struct_excessive_bools, reason = "independent keys of an extension's configuration")]
    pub struct Extension {
        pub name: TaskName,
        pub kind: Kind,
        pub runtime: Runtime,
        /// The file, absolute.
        pub path: String,
        pub description: String,
        /// Memory scope; the extension's own name if not configured.
        pub name_space: Option<String>,
        pub privileged: bool,
        pub homed: bool,
        pub network: bool,
        pub limits: Limits,
        pub time_outs: TimeOuts,
        pub commands: Vec<Matcher>,
        pub message_matchers: Vec<Matcher>,
        pub reply_matchers: Vec<Matcher>,
        pub channels: Vec<ChannelName>,
        pub all_channels: bool,
        pub require_admin: bool,
        pub admin_commands: Vec<String>,
        /// Shell-style patterns; empty means everyone.
        pub users: Vec<String>,
        pub private: PrivatePolicy,
        pub guard: Guard,
        pub ambient_match_command: bool,
        pub match_unlisted: bool,
        pub catch_all: bool,
        pub catch_all_modes: Vec<CommandMode>,
        /// The merged `Config` tree as JSON text.
        pub config: Option<String>,
    }

    pub struct PrivatePolicy {
        /// Commands that may run in a direct or hidden message; `*` means all.
        pub allowed: Vec<String>,
        pub required: Vec<String>,
        pub require_all: bool,
        pub restrict_channels: bool,
    }

    /// How a command was addressed.
    pub enum CommandMode { Alias, Name, Direct, Hidden }

    pub struct Matcher {
        /// Command, or label of a reply matcher.
        pub command: String,
        pub expression: Expression,
        pub usage: String,
        pub summary: String,
        pub details: String,
        pub keywords: Vec<String>,
        pub examples: Vec<String>,
        pub channel_only: bool,
        /// Per capture group: `name[:generic…]`, or nothing.
        pub contexts: Vec<String>,
    }

    /// What a matcher compares texts with; checked when the configuration was loaded.
    pub enum Expression {
        /// A pattern for the `regex` crate, anchored where the spec anchors it.
        Regex(String),
        /// A `SimpleMatcher` as written.
        Simple(String),
    }

    /// Which commands need an authorizer's or an elevator's word, and whose (spec: configuration §3).
    #[derive(Default)]
    pub struct Guard {
        pub authorizer: Option<TaskName>,
        /// Group or role that the authorizer is asked about.
        pub auth_require: String,
        pub authorized: Vec<String>,
        pub authorize_all: bool,
        pub elevator: Option<TaskName>,
        pub elevated: Vec<String>,
        /// Elevation without a time of grace.
        pub elevate_immediate: Vec<String>,
    }

    /// What one run may use. Zero means the default of the worker.
    #[derive(Default, Copy)]
    pub struct Limits {
        pub memory_bytes: u64,
        pub processes: u32,
        pub cpu_seconds: u32,
        pub output_bytes: u64,
    }

    /// An extension that will not run, and why.
    pub struct Disabled {
        pub name: TaskName,
        pub kind: Kind,
        pub reason: String,
        pub cause: Cause,
    }

    /// What kind of reason an extension has not to run.
    #[derive(Copy)]
    pub enum Cause {
        /// Its author switched it off.
        Off,
        /// Its file is not there, or what would run it.
        Missing,
        /// What is said about it is wrong.
        Wrong,
        /// It belongs to every robot and waits to be switched on.
        Stock,
    }
}

impl Cause {
    /// The word that people see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
            Self::Stock => "stock",
        }
    }
}

impl Runtime {
    /// The worker runs it itself: its files need neither an execute bit nor an interpreter line.
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::Lua | Self::JavaScript | Self::Gsh)
    }
}

impl Matcher {
    /// The pattern, of a matcher that has one.
    pub fn regex(&self) -> Option<&str> {
        match &self.expression {
            Expression::Regex(pattern) => Some(pattern),
            Expression::Simple(_) => None,
        }
    }
}

impl Robot {
    /// The extension of that name, if it is enabled.
    pub fn extension(&self, name: &TaskName) -> Option<&Extension> {
        self.extensions.iter().find(|e| e.name == *name)
    }
}

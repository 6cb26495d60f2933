//! Small robots and messages for the tests of this crate.

use std::time::Duration;

use gopher_protocol::{
    connector::Inbound,
    ids::{Generation, UserName},
    robot::{
        BrainFormat, CommandMode, Expression, Extension, Guard, Identity, Kind, Limits, Matcher, PrivatePolicy,
        ProtocolSettings, Robot, RosterEntry, Runtime, TimeOuts,
    },
    robot_api::{LogLevel, MessageFormat},
};

use crate::context::Context;

pub(crate) fn robot() -> Robot {
    let off = || TimeOuts { warn: Duration::ZERO, kill: Duration::ZERO };
    Robot {
        generation: Generation(1),
        identity: Identity {
            user_name: "floyd".into(),
            full_name: "Floyd Gopherbot".into(),
            email: "floyd@example.com".into(),
            phone: String::new(),
            first_name: "Floyd".into(),
            last_name: "Gopherbot".into(),
        },
        alias: Some(';'),
        admin_contact: "root <root@example.com>".into(),
        admin_users: vec!["alice".into()],
        roster: ["alice", "bob", "carol"].iter().map(|name| roster_entry(name)).collect(),
        ignore_unlisted_users: false,
        ignore_users: Vec::new(),
        hear_self: true,
        join_channels: Vec::new(),
        default_channels: vec!["general".into()],
        default_job_channel: None,
        default_format: MessageFormat::BasicMarkdown,
        log_level: LogLevel::Debug,
        primary_protocol: "test".into(),
        protocols: vec![ProtocolSettings { name: "test".into(), config: "{}".into(), channels: Vec::new() }],
        brain: "mem".into(),
        brain_format: BrainFormat::Own,
        mail: None,
        environment: "production".into(),
        work_space: Some("workspace".into()),
        secure_parameters: false,
        read_paths: Vec::new(),
        plugin_time_outs: off(),
        job_time_outs: off(),
        extensions: Vec::new(),
        disabled: Vec::new(),
        notices: Vec::new(),
    }
}

fn roster_entry(name: &str) -> RosterEntry {
    RosterEntry {
        user_name: name.into(),
        email: format!("{name}@example.com"),
        phone: String::new(),
        full_name: format!("{name} user"),
        first_name: name.to_owned(),
        last_name: "user".into(),
        bot_user: false,
    }
}

pub(crate) fn robot_with(extensions: Vec<Extension>) -> Robot {
    Robot { extensions, ..robot() }
}

pub(crate) fn extension(name: &str) -> Extension {
    Extension {
        name: name.into(),
        kind: Kind::Plugin,
        runtime: Runtime::External,
        path: format!("/robot/plugins/{name}.sh"),
        description: String::new(),
        name_space: None,
        privileged: false,
        homed: false,
        network: true,
        limits: Limits { memory_bytes: 0, processes: 0, cpu_seconds: 0, output_bytes: 0 },
        time_outs: TimeOuts { warn: Duration::ZERO, kill: Duration::ZERO },
        commands: Vec::new(),
        message_matchers: Vec::new(),
        reply_matchers: Vec::new(),
        channels: Vec::new(),
        all_channels: true,
        require_admin: false,
        admin_commands: Vec::new(),
        users: Vec::new(),
        private: PrivatePolicy {
            allowed: Vec::new(),
            required: Vec::new(),
            require_all: false,
            restrict_channels: false,
        },
        guard: Guard::default(),
        ambient_match_command: false,
        match_unlisted: false,
        catch_all: false,
        catch_all_modes: Vec::new(),
        config: None,
    }
}

pub(crate) fn overheard(command: &str, pattern: &str) -> Matcher {
    Matcher {
        command: command.to_owned(),
        expression: Expression::Regex(pattern.to_owned()),
        usage: String::new(),
        summary: String::new(),
        details: String::new(),
        keywords: Vec::new(),
        examples: Vec::new(),
        channel_only: false,
        contexts: Vec::new(),
    }
}

pub(crate) fn command(command: &str, pattern: &str) -> Matcher {
    overheard(command, &format!(r"^(?s:\s*{pattern}\s*)$"))
}

pub(crate) fn simple(command: &str, spec: &str) -> Matcher {
    Matcher { expression: Expression::Simple(spec.to_owned()), ..overheard(command, "") }
}

/// A message of a user that the connector vouches for.
pub(crate) fn inbound(user: &str, channel: &str, text: &str) -> Inbound {
    Inbound {
        event: format!("{user}-{channel}-{text}").as_str().into(),
        user_id: format!("u-{user}").as_str().into(),
        user_name: Some(user.into()),
        validated_user: true,
        channel_name: (!channel.is_empty()).then(|| channel.into()),
        channel_id: format!("#{channel}").as_str().into(),
        thread: "0xDEADBEEF".into(),
        message_id: "".into(),
        threaded: false,
        direct: channel.is_empty(),
        self_message: false,
        bot_message: false,
        hidden: false,
        text: text.to_owned(),
    }
}

/// An accepted command, addressed by alias.
pub(crate) fn context(user: &str, channel: &str) -> Context {
    Context {
        protocol: "test".into(),
        user: UserName::new(user),
        user_id: format!("u-{user}").as_str().into(),
        listed: true,
        channel: channel.to_owned(),
        channel_id: format!("#{channel}").as_str().into(),
        thread: "0xDEADBEEF".into(),
        mode: Some(CommandMode::Alias),
        ..Context::default()
    }
}

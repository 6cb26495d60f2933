//! The compiled-in plugins: what they are called and what they listen to.
//!
//! They are matched and guarded like any other plugin; only what they do is engine code.

use gopher_protocol::robot::{Expression, Matcher};

/// A plugin that takes no worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    Ping,
    Help,
    Admin,
    Fallback,
}

impl BuiltIn {
    pub(crate) const ALL: [Self; 4] = [Self::Ping, Self::Help, Self::Admin, Self::Fallback];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Help => "builtin-help",
            Self::Admin => "builtin-admin",
            Self::Fallback => "builtin-fallback",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|b| b.name() == name)
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Ping => "see whether the robot is alive",
            Self::Help => "find out what the robot can do",
            Self::Admin => "run the robot",
            Self::Fallback => "advice when nothing else understood",
        }
    }

    pub(crate) fn require_admin(self) -> bool {
        self == Self::Admin
    }

    pub(crate) fn catch_all(self) -> bool {
        self == Self::Fallback
    }

    pub(crate) fn matchers(self) -> Vec<Matcher> {
        match self {
            Self::Ping => {
                vec![matcher("ping", "(?i:ping)", "(alias) ping", "see whether the robot is alive", &["alive"])]
            }
            Self::Help => vec![
                matcher(
                    "help-all",
                    "(?i:help[- ]all)",
                    "(alias) help-all",
                    "summarize all commands available in this channel, including global commands",
                    &["help", "commands"],
                ),
                matcher(
                    "help",
                    r"(?i:help(?:(?-u:\s)+(.+?))?)",
                    "(alias) help <keyword>",
                    "find help for commands matching <keyword>",
                    &["help"],
                ),
                matcher(
                    "commands",
                    "(?i:commands?)",
                    "(alias) commands",
                    "browse commands available in this channel",
                    &["commands", "help"],
                ),
                matcher(
                    "info",
                    "(?i:info|information|about|tell me about yourself)",
                    "(alias) info | tell me about yourself",
                    "provide useful information for admins",
                    &["info", "information", "robot"],
                ),
            ],
            Self::Admin => vec![
                matcher("ps", "(?i:ps)", "(alias) ps", "list running pipelines", &["ps", "pipelines", "running"]),
                matcher(
                    "kill",
                    r"(?i:kill(?:[- ](?:job|pipeline|process))?) ([0-9]{1,18})",
                    "(alias) kill <wid>",
                    "stop a running pipeline",
                    &["kill", "pipeline", "stop"],
                ),
                matcher("quit", "(?i:quit|exit)", "(alias) quit", "shut the robot down", &["quit", "exit", "stop"]),
            ],
            Self::Fallback => Vec::new(),
        }
    }
}

fn matcher(command: &str, pattern: &str, usage: &str, summary: &str, keywords: &[&str]) -> Matcher {
    Matcher {
        command: command.to_owned(),
        expression: Expression::Regex(format!(r"^(?s:(?-u:\s)*(?:{pattern})(?-u:\s)*)$")),
        usage: usage.to_owned(),
        summary: summary.to_owned(),
        details: String::new(),
        keywords: keywords.iter().map(|k| (*k).to_owned()).collect(),
        examples: Vec::new(),
        channel_only: false,
        contexts: Vec::new(),
    }
}

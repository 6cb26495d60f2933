//! The compiled-in plugins: what they are called and what they listen to.
//!
//! They are matched and guarded like any other plugin; only what they do is engine code.

use gopher_protocol::robot::{Expression, Matcher};

/// A plugin that takes no worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    Ping,
    Help,
    Welcome,
    Admin,
    Fallback,
}

impl BuiltIn {
    pub(crate) const ALL: [Self; 5] = [Self::Ping, Self::Help, Self::Welcome, Self::Admin, Self::Fallback];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Help => "builtin-help",
            Self::Welcome => "help",
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
            Self::Welcome => "an introduction to the robot and its help",
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

    /// Somebody the robot does not know may need its introduction most.
    pub(crate) fn match_unlisted(self) -> bool {
        self == Self::Welcome
    }

    pub(crate) fn matchers(self) -> Vec<Matcher> {
        match self {
            Self::Ping => {
                vec![matcher("ping", "(?i:ping)", "(alias) ping", "see whether the robot is alive", &["ping"], &[])]
            }
            Self::Help => help_matchers(),
            Self::Welcome => vec![matcher(
                "help",
                "(?i:help with (?:help|robot))",
                "(alias) help with robot",
                "give general help on the help system and on talking to the robot",
                &["help"],
                &["(alias) help with robot"],
            )],
            Self::Admin => admin_matchers(),
            Self::Fallback => Vec::new(),
        }
    }

    /// Commands that must not be seen by others.
    pub(crate) fn required_private(self) -> &'static [&'static str] {
        match self {
            Self::Admin => &["encryptsecret", "listplugins"],
            Self::Ping | Self::Help | Self::Welcome | Self::Fallback => &[],
        }
    }

    /// Commands whose arguments are written down nowhere.
    pub(crate) fn keeps_secret(self, command: &str) -> bool {
        self == Self::Admin && command == "encryptsecret"
    }

    /// What a plugin overhears without being addressed.
    pub(crate) fn messages(self) -> Vec<Matcher> {
        match self {
            Self::Welcome => vec![overheard("help", "^(?i:help(?: with (?:help|robot))?)$")],
            Self::Ping | Self::Help | Self::Admin | Self::Fallback => Vec::new(),
        }
    }
}

/// Words behind `help` that do not begin with the word "with": plugins may have a `help with …` of their own.
const QUERY: &str = r"(?:[^\sw]|w[^\si]|wi[^\st]|wit[^\sh]|with\S).*?|(?:w|wi|wit)(?:\s.*?)?|with";

fn help_matchers() -> Vec<Matcher> {
    vec![
        matcher(
            "help-all",
            "(?i:help[- ]all)",
            "(alias) help-all",
            "summarize all commands available in this channel, including global commands",
            &["help", "all"],
            &["(alias) help-all"],
        ),
        matcher(
            "help",
            &format!(r"(?i:help(?:(?-u:\s)+({QUERY}))?)"),
            "(alias) help <keyword>",
            "find help for commands matching <keyword>",
            &["help"],
            &["(alias) help ping", "(alias) help"],
        ),
        matcher(
            "commands",
            "(?i:commands?)",
            "(alias) commands",
            "browse commands available in this channel",
            &["help", "commands", "list", "browse"],
            &["(alias) commands"],
        ),
        matcher(
            "info",
            "(?i:info|information|about|tell me about yourself)",
            "(alias) info | tell me about yourself",
            "provide useful information for admins",
            &["info", "information", "robot", "admin", "administrators"],
            &["(alias) info", "(alias) tell me about yourself"],
        ),
    ]
}

fn admin_matchers() -> Vec<Matcher> {
    vec![
        matcher(
            "ps",
            "(?i:ps)",
            "(alias) ps",
            "list running pipelines, with information on each",
            &["process", "processes", "ps", "pipeline", "pipelines"],
            &[],
        ),
        matcher(
            "kill",
            r"(?i:kill(?:[- ](?:job|pipeline|process))?) ([0-9]{1,18})",
            "(alias) kill-pipeline <wid>",
            "stop a running pipeline",
            &["kill", "process", "job"],
            &[],
        ),
        matcher(
            "reload",
            "(?i:reload)",
            "(alias) reload",
            "read the configuration again and use it from then on",
            &["reload"],
            &[],
        ),
        matcher(
            "encryptsecret",
            r"(?i:encrypt[- ]secret)(?-u:\s)+(.+)",
            "(alias) encrypt-secret <secret>",
            "encrypt a secret value for `Secrets` of a variables file",
            &["encrypt", "secret", "encryption"],
            &[],
        ),
        matcher(
            "listplugins",
            "(?i:list(?:[- ](disabled))?[- ]plugins?)",
            "(alias) list (disabled) plugins",
            "list all plugins, or the disabled ones and why they are",
            &["list", "plugin", "plugins", "disabled"],
            &["(alias) list plugins", "(alias) list disabled plugins"],
        ),
        matcher("quit", "(?i:quit|exit)", "(alias) quit", "shut the robot down", &["quit"], &[]),
    ]
}

/// A matcher of a directed command.
fn matcher(command: &str, pattern: &str, usage: &str, summary: &str, keywords: &[&str], examples: &[&str]) -> Matcher {
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
    Matcher {
        usage: usage.to_owned(),
        summary: summary.to_owned(),
        keywords: owned(keywords),
        examples: owned(examples),
        ..overheard(command, &format!(r"^(?s:(?-u:\s)*(?:{pattern})(?-u:\s)*)$"))
    }
}

/// A matcher that compares with the whole message.
fn overheard(command: &str, pattern: &str) -> Matcher {
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

#[cfg(test)]
mod tests {
    use crate::{
        generation::Generation,
        matching::{self, Found},
        testing,
    };

    #[test]
    fn each_way_of_asking_for_help_is_understood_by_one_plugin() {
        let (generation, _) = Generation::new(testing::robot());
        let context = testing::context("bob", "general");
        for (text, expected) in [
            ("help", "builtin-help/help []"),
            ("help kettle", "builtin-help/help [kettle]"),
            ("Help   water the fern", "builtin-help/help [water the fern]"),
            ("help p/c", "builtin-help/help [p/c]"),
            ("help w", "builtin-help/help [w]"),
            ("help wit and humour", "builtin-help/help [wit and humour]"),
            ("help without tools", "builtin-help/help [without tools]"),
            ("help with", "builtin-help/help [with]"),
            ("help with robot", "help/help []"),
            ("help with help.", "help/help []"),
            ("help with kettles", "nothing"),
            ("help all", "builtin-help/help-all []"),
            ("help-all", "builtin-help/help-all []"),
            ("help alligators", "builtin-help/help [alligators]"),
            ("command", "builtin-help/commands []"),
            ("tell me about yourself", "builtin-help/info []"),
            ("helpless", "nothing"),
        ] {
            let found = match matching::command(&generation, &context, text) {
                Found::One(hit) => {
                    let plugin = &generation.plugins[hit.plugin];
                    let command = &plugin.commands[hit.matcher].matcher.command;
                    let args: Vec<&str> = hit.args.iter().map(String::as_str).filter(|a| !a.is_empty()).collect();
                    format!("{}/{command} [{}]", plugin.name, args.join("|"))
                }
                Found::Nothing => "nothing".to_owned(),
                Found::Mistaken(text) => text,
                Found::Several(..) => "several".to_owned(),
            };
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn the_introduction_is_for_everybody_who_says_help_and_nothing_else() {
        let (generation, _) = Generation::new(testing::robot());
        let stranger = crate::context::Context { listed: false, mode: None, ..testing::context("zoe", "general") };
        for (text, expected) in
            [("help", true), ("HELP", true), ("help with robot", true), ("help me", false), ("please help", false)]
        {
            let found = matching::ambient(&generation, &stranger, text);
            assert_eq!(matches!(found, Found::One(_)), expected, "{text:?}");
        }
    }
}

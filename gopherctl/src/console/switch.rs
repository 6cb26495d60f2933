//! What a typed line asks for (connectors §2.4). Pure.

use gopher_protocol::connector::ConsoleToConnector;

/// Longest line that is sent, in bytes.
pub(super) const LONGEST_LINE: usize = 16 << 10;

pub(super) const HELP: &str = "(|c? lists channels, |c<name> changes, |c is a direct message\n \
    |u? lists users, |u<name> changes; |t? explains threads\n \
    /<text> is hidden from others; Ctrl-D leaves)";
const THREAD_HELP: &str =
    "(|t starts a thread or leaves it, |t<id> types in thread <id>, |j joins the last thread seen in this channel)";
const NOTE_TO_SELF: &str = "(INFO: '/' note to self message not sent to other users)";
const NO_THREAD: &str = "(sorry, I don't see a thread to join)";
const INVALID: &str = "Invalid terminal connector command";

/// What a line depends on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Surroundings<'a> {
    /// The console types in a thread.
    pub(super) in_thread: bool,
    /// The last thread seen in this channel.
    pub(super) last_thread: Option<&'a str>,
}

#[derive(Debug)]
pub(super) enum Step {
    /// A message for the robot; nothing has to come back.
    Say(ConsoleToConnector),
    /// A request that the connector answers with one notice.
    Ask(ConsoleToConnector),
    /// A sentence of the console itself.
    Print(String),
}

fn say(text: &str, hidden: bool) -> Step {
    Step::Say(ConsoleToConnector::Say { text: text.to_owned(), hidden })
}

fn print(text: &str) -> Vec<Step> {
    vec![Step::Print(text.to_owned())]
}

pub(super) fn parse(line: &str, around: Surroundings<'_>) -> Vec<Step> {
    if line.len() > LONGEST_LINE {
        return print(&format!("The line has {} bytes, more than {LONGEST_LINE}: it was not sent.", line.len()));
    }
    if line.trim().is_empty() {
        return print(HELP);
    }
    if let Some(command) = line.strip_prefix('|') {
        return switch(command, around);
    }
    if let Some(text) = line.strip_prefix('/') {
        let note = text.is_empty() || text.starts_with(char::is_whitespace);
        return if note { print(NOTE_TO_SELF) } else { vec![say(text, true)] };
    }
    let mut steps = vec![say(line, false)];
    if line.trim() == "help" {
        steps.insert(0, Step::Print(HELP.to_owned()));
    }
    steps
}

fn switch(command: &str, around: Surroundings<'_>) -> Vec<Step> {
    let mut chars = command.chars();
    let letter = chars.next().map(|c| c.to_ascii_lowercase());
    let name = chars.as_str().trim();
    let request = match (letter, name) {
        (Some('c'), "?") => ConsoleToConnector::ListChannels,
        (Some('c'), "") => ConsoleToConnector::SwitchChannel { channel: None },
        (Some('c'), name) => ConsoleToConnector::SwitchChannel { channel: Some(name.to_owned()) },
        (Some('u'), "?") => ConsoleToConnector::ListUsers,
        (Some('u'), name) => ConsoleToConnector::SwitchUser { user: name.to_owned() },
        (Some('t'), "?") => return print(THREAD_HELP),
        (Some('t'), "") => ConsoleToConnector::SwitchThread { thread: (!around.in_thread).then(String::new) },
        (Some('t'), id) => ConsoleToConnector::SwitchThread { thread: Some(id.to_owned()) },
        (Some('j'), "") => match around.last_thread {
            Some(id) => ConsoleToConnector::SwitchThread { thread: Some(id.to_owned()) },
            None => return print(NO_THREAD),
        },
        _ => return print(INVALID),
    };
    vec![Step::Ask(request)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str, around: Surroundings<'_>) -> Vec<String> {
        parse(line, around)
            .into_iter()
            .map(|step| match step {
                Step::Say(ConsoleToConnector::Say { text, hidden: false }) => format!("say {text}"),
                Step::Say(ConsoleToConnector::Say { text, hidden: true }) => format!("hidden {text}"),
                Step::Ask(ConsoleToConnector::ListChannels) => "channels".to_owned(),
                Step::Ask(ConsoleToConnector::ListUsers) => "users".to_owned(),
                Step::Ask(ConsoleToConnector::SwitchChannel { channel }) => {
                    format!("channel {}", channel.unwrap_or("DM".into()))
                }
                Step::Ask(ConsoleToConnector::SwitchUser { user }) => format!("user {user:?}"),
                Step::Ask(ConsoleToConnector::SwitchThread { thread }) => {
                    format!("thread {}", thread.unwrap_or("leave".into()))
                }
                Step::Print(text) => text,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn every_switch_is_understood() {
        for (line, expected) in [
            ("|c?", "channels"),
            ("|c", "channel DM"),
            ("|cgeneral", "channel general"),
            ("|C general ", "channel general"),
            ("|u?", "users"),
            ("|ubob", "user \"bob\""),
            ("|u", "user \"\""),
            ("|t", "thread "),
            ("|t0042", "thread 0042"),
            ("|t?", THREAD_HELP),
            ("|j", NO_THREAD),
            ("|x", INVALID),
            ("|", INVALID),
            ("|jx", INVALID),
            ("|||", INVALID),
        ] {
            assert_eq!(parsed(line, Surroundings::default()), [expected], "{line}");
        }
    }

    #[test]
    fn threads_are_left_by_the_same_switch_and_joined_by_another() {
        assert_eq!(parsed("|t", Surroundings { in_thread: true, last_thread: None }), ["thread leave"]);
        assert_eq!(parsed("|j", Surroundings { in_thread: false, last_thread: Some("00a1") }), ["thread 00a1"]);
    }

    #[test]
    fn a_slash_hides_and_a_lonely_one_is_a_note() {
        let around = Surroundings::default();
        assert_eq!(parsed("/floyd ping", around), ["hidden floyd ping"]);
        assert_eq!(parsed("/ping", around), ["hidden ping"]);
        assert_eq!(parsed("/ buy milk", around), [NOTE_TO_SELF]);
        assert_eq!(parsed("/", around), [NOTE_TO_SELF]);
        assert_eq!(parsed("1/2 |c", around), ["say 1/2 |c"]);
    }

    #[test]
    fn an_empty_line_helps_and_help_helps_twice() {
        let around = Surroundings::default();
        assert_eq!(parsed("  ", around), [HELP]);
        assert_eq!(parsed("help", around), [HELP, "say help"]);
        assert_eq!(parsed("help me", around), ["say help me"]);
    }

    #[test]
    fn a_line_over_the_limit_is_refused_with_a_sentence() {
        let around = Surroundings::default();
        assert_eq!(
            parsed(&"x".repeat(1 << 20), around),
            ["The line has 1048576 bytes, more than 16384: it was not sent."]
        );
        assert_eq!(parsed(&"x".repeat(LONGEST_LINE), around).len(), 1);
    }
}

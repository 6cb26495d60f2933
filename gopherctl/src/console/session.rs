//! Where the console is, and how what it receives reads. Pure.

use std::{borrow::Cow, collections::HashMap};

use gopher_protocol::connector::{ConnectorToConsole, ConsoleContext, Shown, Vocabulary};

use super::switch::{self, Step, Surroundings};
use crate::text;

#[derive(Debug)]
pub(super) struct Session {
    robot: String,
    alias: Option<char>,
    context: ConsoleContext,
    pub(super) vocabulary: Vocabulary,
    /// The last thread seen, by channel.
    threads: HashMap<String, String>,
}

/// What a message of the connector comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// To be printed as lines of their own.
    Text(String),
    /// The answer to a request; to be printed, too.
    Answer(String),
    /// Nothing to see.
    Nothing,
    /// The console is closed, with this sentence.
    Closed(String),
}

impl Session {
    pub(super) fn new(robot: String, alias: Option<char>, context: ConsoleContext, vocabulary: Vocabulary) -> Self {
        Self { robot, alias, context, vocabulary, threads: HashMap::new() }
    }

    /// What is shown when the console opens.
    pub(super) fn greeting(&self) -> String {
        let robot = text::one_line(&self.robot);
        let alias = self.alias.map(|alias| format!("'{alias}' or ")).unwrap_or_default();
        let address = self.alias.map_or_else(|| format!("{robot}, "), String::from);
        let known = |command: &&str| self.vocabulary.commands.iter().any(|c| c.split(' ').next() == Some(*command));
        let first: Vec<String> =
            ["ping", "hello", "help"].iter().filter(|c| known(c)).map(|c| format!("{address}{c}")).collect();
        let first = if first.is_empty() { String::new() } else { format!(" Try: {}", first.join("   ")) };
        format!(
            "Connected to {robot}. Commands begin with {alias}'{robot},'.{first}\n\
             An empty line explains this console, Ctrl-D leaves it."
        )
    }

    /// `c:<channel>(<thread>)/u:<user> -> `
    pub(super) fn prompt(&self) -> String {
        let channel = self.context.channel.as_deref().unwrap_or("(direct)");
        let thread = self.context.thread.as_ref().map(|id| format!("({id})")).unwrap_or_default();
        text::one_line(&format!("c:{channel}{thread}/u:{} -> ", self.context.user))
    }

    /// What a typed line asks for.
    pub(super) fn line(&self, line: &str) -> Vec<Step> {
        let last_thread =
            self.context.channel.as_ref().and_then(|channel| self.threads.get(channel)).map(String::as_str);
        switch::parse(line, Surroundings { in_thread: self.context.thread.is_some(), last_thread })
    }

    /// Takes a message in; lines are wrapped to `width`.
    pub(super) fn receive(&mut self, message: ConnectorToConsole, width: Option<usize>) -> Heard {
        match message {
            ConnectorToConsole::Show { message } => {
                if let (Some(channel), Some(thread)) = (&message.channel, &message.thread) {
                    self.threads.insert(channel.clone(), thread.clone());
                }
                Heard::Text(form(&message, width))
            }
            ConnectorToConsole::Notice { text } => Heard::Answer(text::wrap(&text::clean(&text), width).into_owned()),
            ConnectorToConsole::Context { context } => {
                if let (Some(channel), Some(thread)) = (&context.channel, &context.thread) {
                    self.threads.insert(channel.clone(), thread.clone());
                }
                self.context = context;
                Heard::Nothing
            }
            ConnectorToConsole::Welcome { context, vocabulary, .. } => {
                (self.context, self.vocabulary) = (context, vocabulary);
                Heard::Nothing
            }
            ConnectorToConsole::Bye { reason } => Heard::Closed(text::one_line(&reason)),
        }
    }
}

/// `<channel>(<thread>): <text>` or `(dm:<user>): <text>`.
fn form(message: &Shown, width: Option<usize>) -> String {
    let place = match (&message.channel, &message.thread, &message.user) {
        (Some(channel), Some(thread), _) => format!("{channel}({thread})"),
        (Some(channel), None, _) => channel.clone(),
        (None, _, user) => format!("(dm:{})", user.as_deref().unwrap_or("you")),
    };
    let addressee = match (&message.channel, &message.user) {
        (Some(_), Some(user)) => format!("@{user} "),
        _ => String::new(),
    };
    let said = format!("{addressee}{}", message.text.trim_end_matches('\n'));
    let said = if message.hidden { format!("({said})") } else { said };
    let line = format!("{place}: {said}");
    let line = text::clean(&line);
    let wrapped = if message.fixed { Cow::Borrowed(&*line) } else { text::wrap(&line, width) };
    wrapped.into_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn context(channel: Option<&str>, thread: Option<&str>) -> ConsoleContext {
        ConsoleContext { user: "alice".into(), channel: channel.map(Into::into), thread: thread.map(Into::into) }
    }

    pub(crate) fn session() -> Session {
        let vocabulary = Vocabulary {
            commands: vec!["ping".into(), "help".into(), "help commands".into()],
            users: vec!["alice".into(), "bob".into()],
            channels: vec!["general".into(), "random".into()],
        };
        Session::new("floyd".into(), Some(';'), context(Some("general"), None), vocabulary)
    }

    pub(crate) fn shown(channel: Option<&str>, user: Option<&str>, text: &str) -> Shown {
        Shown {
            channel: channel.map(Into::into),
            thread: None,
            user: user.map(Into::into),
            text: text.into(),
            fixed: false,
            hidden: false,
        }
    }

    #[test]
    fn the_greeting_says_how_to_begin() {
        assert_eq!(
            session().greeting(),
            "Connected to floyd. Commands begin with ';' or 'floyd,'. Try: ;ping   ;help\n\
             An empty line explains this console, Ctrl-D leaves it."
        );
    }

    #[test]
    fn the_prompt_says_where_one_is() {
        let mut session = session();
        assert_eq!(session.prompt(), "c:general/u:alice -> ");
        session.receive(ConnectorToConsole::Context { context: context(Some("random"), Some("0042")) }, None);
        assert_eq!(session.prompt(), "c:random(0042)/u:alice -> ");
        session.receive(ConnectorToConsole::Context { context: context(None, None) }, None);
        assert_eq!(session.prompt(), "c:(direct)/u:alice -> ");
    }

    #[test]
    fn messages_read_as_in_the_reference() {
        assert_eq!(form(&shown(Some("general"), None, "PONG"), None), "general: PONG");
        assert_eq!(form(&shown(Some("general"), Some("alice"), "PONG"), None), "general: @alice PONG");
        assert_eq!(form(&shown(None, Some("alice"), "psst"), None), "(dm:alice): psst");
        let threaded = Shown { thread: Some("0007".into()), ..shown(Some("general"), None, "x") };
        assert_eq!(form(&threaded, None), "general(0007): x");
        let hidden = Shown { hidden: true, ..shown(Some("general"), Some("bob"), "x\n") };
        assert_eq!(form(&hidden, None), "general: (@bob x)");
    }

    #[test]
    fn only_fixed_text_is_left_as_wide_as_it_is() {
        let long = "word ".repeat(10);
        assert!(form(&shown(Some("general"), None, &long), Some(30)).contains('\n'));
        assert!(!form(&Shown { fixed: true, ..shown(Some("general"), None, &long) }, Some(30)).contains('\n'));
        assert_eq!(form(&shown(Some("g"), None, "\u{1b}[2Jx"), None), "g: ^[[2Jx");
    }

    #[test]
    fn the_last_thread_seen_in_a_channel_can_be_joined() {
        let mut session = session();
        let threaded = Shown { thread: Some("0007".into()), ..shown(Some("general"), None, "x") };
        session.receive(ConnectorToConsole::Show { message: threaded }, None);
        assert!(matches!(
            &session.line("|j")[..],
            [Step::Ask(gopher_protocol::connector::ConsoleToConnector::SwitchThread { thread: Some(id) })] if id == "0007"
        ));
        session.receive(ConnectorToConsole::Context { context: context(Some("random"), None) }, None);
        assert!(matches!(&session.line("|j")[..], [Step::Print(_)]));
    }

    #[test]
    fn the_end_is_told_from_everything_else() {
        let mut session = session();
        let heard = session.receive(ConnectorToConsole::Bye { reason: "The robot has stopped.".into() }, None);
        assert_eq!(heard, Heard::Closed("The robot has stopped.".into()));
        let heard = session.receive(ConnectorToConsole::Notice { text: "Invalid user".into() }, None);
        assert_eq!(heard, Heard::Answer("Invalid user".into()));
    }
}

//! Where the console is, and how what it receives reads. Pure.

use std::collections::HashMap;

use gopher_markdown::{Scheme, ansi, plain, wrap};
use gopher_protocol::{
    connector::{ConnectorToConsole, ConsoleContext, Shown, Vocabulary},
    robot_api::MessageFormat,
};

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

/// What messages are shown on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paper {
    /// Columns, where they are known.
    pub(super) width: Option<usize>,
    pub(super) colours: bool,
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

    /// Takes a message in; what is to be seen is laid out for `paper`.
    pub(super) fn receive(&mut self, message: ConnectorToConsole, paper: Paper) -> Heard {
        match message {
            ConnectorToConsole::Show { message } => {
                if let (Some(channel), Some(thread)) = (&message.channel, &message.thread) {
                    self.threads.insert(channel.clone(), thread.clone());
                }
                Heard::Text(form(&message, paper))
            }
            ConnectorToConsole::Notice { text } => Heard::Answer(wrap(&text::clean(&text), paper.width).into_owned()),
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
fn form(message: &Shown, paper: Paper) -> String {
    let place = match (&message.channel, &message.thread, &message.user) {
        (Some(channel), Some(thread), _) => format!("{channel}({thread})"),
        (Some(channel), None, _) => channel.clone(),
        (None, _, user) => format!("(dm:{})", user.as_deref().unwrap_or("you")),
    };
    let addressee = match (&message.channel, &message.user) {
        (Some(_), Some(user)) => format!("@{user} "),
        _ => String::new(),
    };
    // Cleaned first: the only control sequences are then our own.
    let (place, addressee, text) = (text::clean(&place), text::clean(&addressee), text::clean(&message.text));
    let text = match message.format {
        MessageFormat::BasicMarkdown if paper.colours => ansi(&text, Scheme::default()),
        MessageFormat::BasicMarkdown => plain(&text),
        MessageFormat::Raw | MessageFormat::Fixed | MessageFormat::Variable => text,
    };
    let said = format!("{addressee}{}", text.trim_end_matches('\n'));
    let line = if message.hidden { format!("{place}: ({said})") } else { format!("{place}: {said}") };
    match message.format {
        MessageFormat::Fixed => line,
        MessageFormat::Raw | MessageFormat::Variable | MessageFormat::BasicMarkdown => {
            wrap(&line, paper.width).into_owned()
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const PLAIN: Paper = Paper { width: None, colours: false };

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
            format: MessageFormat::BasicMarkdown,
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
        session.receive(ConnectorToConsole::Context { context: context(Some("random"), Some("0042")) }, PLAIN);
        assert_eq!(session.prompt(), "c:random(0042)/u:alice -> ");
        session.receive(ConnectorToConsole::Context { context: context(None, None) }, PLAIN);
        assert_eq!(session.prompt(), "c:(direct)/u:alice -> ");
    }

    #[test]
    fn messages_read_as_in_the_reference() {
        assert_eq!(form(&shown(Some("general"), None, "PONG"), PLAIN), "general: PONG");
        assert_eq!(form(&shown(Some("general"), Some("alice"), "PONG"), PLAIN), "general: @alice PONG");
        assert_eq!(form(&shown(None, Some("alice"), "psst"), PLAIN), "(dm:alice): psst");
        let threaded = Shown { thread: Some("0007".into()), ..shown(Some("general"), None, "x") };
        assert_eq!(form(&threaded, PLAIN), "general(0007): x");
        let hidden = Shown { hidden: true, ..shown(Some("general"), Some("bob"), "x\n") };
        assert_eq!(form(&hidden, PLAIN), "general: (@bob x)");
    }

    #[test]
    fn only_fixed_text_is_left_as_wide_as_it_is() {
        let long = "word ".repeat(10);
        for (format, wrapped) in [
            (MessageFormat::Raw, true),
            (MessageFormat::Fixed, false),
            (MessageFormat::Variable, true),
            (MessageFormat::BasicMarkdown, true),
        ] {
            let message = Shown { format, ..shown(Some("general"), None, &long) };
            assert_eq!(form(&message, Paper { width: Some(30), ..PLAIN }).contains('\n'), wrapped, "{format:?}");
        }
    }

    #[test]
    fn markup_is_shown_in_styles_where_there_are_colours() {
        let text = "**now** *see* `ls` [doc](https://e.com) \\*x\\* :tada:\n```sh\nls\n```\n";
        for (format, colours, expected) in [
            (MessageFormat::BasicMarkdown, false, "now see ls doc (https://e.com) *x* :tada:\n\nls"),
            (
                MessageFormat::BasicMarkdown,
                true,
                "^[1mnow^[22m ^[3msee^[23m ^[36mls^[39m doc (https://e.com) *x* 🎉\n\n^[32mls^[39m",
            ),
            (MessageFormat::Raw, true, text.trim_end()),
            (MessageFormat::Fixed, true, text.trim_end()),
            (MessageFormat::Variable, true, text.trim_end()),
        ] {
            let message = Shown { format, ..shown(Some("g"), None, text) };
            let said = form(&message, Paper { width: None, colours }).replace('\u{1b}', "^");
            assert_eq!(said, format!("g: {expected}"), "{format:?}");
        }
    }

    #[test]
    fn only_our_own_sequences_reach_the_terminal() {
        for colours in [false, true] {
            let message = shown(Some("g"), Some("a\u{1b}[1m"), "\u{1b}[2J**x**");
            let said = form(&message, Paper { width: None, colours });
            let bare = said.replace("\u{1b}[1m", "").replace("\u{1b}[22m", "");
            assert_eq!(bare, "g: @a^[[1m ^[[2Jx");
        }
    }

    #[test]
    fn the_last_thread_seen_in_a_channel_can_be_joined() {
        let mut session = session();
        let threaded = Shown { thread: Some("0007".into()), ..shown(Some("general"), None, "x") };
        session.receive(ConnectorToConsole::Show { message: threaded }, PLAIN);
        assert!(matches!(
            &session.line("|j")[..],
            [Step::Ask(gopher_protocol::connector::ConsoleToConnector::SwitchThread { thread: Some(id) })] if id == "0007"
        ));
        session.receive(ConnectorToConsole::Context { context: context(Some("random"), None) }, PLAIN);
        assert!(matches!(&session.line("|j")[..], [Step::Print(_)]));
    }

    #[test]
    fn the_end_is_told_from_everything_else() {
        let mut session = session();
        let heard = session.receive(ConnectorToConsole::Bye { reason: "The robot has stopped.".into() }, PLAIN);
        assert_eq!(heard, Heard::Closed("The robot has stopped.".into()));
        let heard = session.receive(ConnectorToConsole::Notice { text: "Invalid user".into() }, PLAIN);
        assert_eq!(heard, Heard::Answer("Invalid user".into()));
    }
}

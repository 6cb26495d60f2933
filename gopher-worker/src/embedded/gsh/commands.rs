//! Robot commands: their words become a call of the one Robot, its answer becomes text and an exit status (spec: Robot
//! API §3.5). Knows nothing of the shell that calls it.

use std::{collections::HashMap, sync::OnceLock};

use gopher_protocol::robot_api::{LogLevel, MessageFormat};
use serde_json::{Value, json};

use crate::embedded::robot::{Answer, Robot};

/// The status of a command whose words do not fit.
pub(super) const USAGE: u8 = 2;

/// How the words of a command are read.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// After so many places all further words are the text; a flag before them is its format.
    Message(usize),
    /// The same without a flag.
    Text(usize),
    /// Exactly so many words.
    Words(usize),
    /// So many words, and perhaps a boolean.
    Flag(usize),
    /// At least so many words, each an argument.
    Rest(usize),
    /// All words as one list.
    List,
    Number,
    Link,
    /// Key, token and JSON.
    Update,
    /// Another command, which speaks elsewhere or in another form.
    Elsewhere,
}

/// One command with the words that its usage names.
pub(super) struct Command {
    pub(super) name: &'static str,
    form: Form,
    words: &'static str,
    /// What is answered is printed too, not told by the status alone.
    prints: bool,
}

const fn command(name: &'static str, form: Form, words: &'static str) -> Command {
    Command { name, form, words, prints: false }
}

const COMMANDS: &[Command] = {
    use Form::{Elsewhere, Flag, Link, List, Message, Number, Rest, Text, Update, Words};
    const fn printed(name: &'static str) -> Command {
        Command { name, form: Words(0), words: "", prints: true }
    }
    &[
        command("Say", Message(0), "text…"),
        command("Reply", Message(0), "text…"),
        command("SayThread", Message(0), "text…"),
        command("ReplyThread", Message(0), "text…"),
        command("SendChannelMessage", Message(1), "channel text…"),
        command("SendChannelThreadMessage", Message(2), "channel thread text…"),
        command("SendUserMessage", Message(1), "user text…"),
        command("SendUserChannelMessage", Message(2), "user channel text…"),
        command("SendUserChannelThreadMessage", Message(3), "user channel thread text…"),
        command("SendProtocolUserChannelMessage", Message(3), "protocol user channel text…"),
        command("PromptForReply", Message(1), "matcher text…"),
        command("PromptThreadForReply", Message(1), "matcher text…"),
        command("PromptUserForReply", Message(2), "matcher user text…"),
        command("PromptUserChannelForReply", Message(3), "matcher user channel text…"),
        command("PromptUserChannelThreadForReply", Message(4), "matcher user channel thread text…"),
        printed("CheckAdmin"),
        printed("Subscribe"),
        printed("Unsubscribe"),
        command("Elevate", Flag(0), "[immediate]"),
        command("Exclusive", Flag(1), "tag [queue]"),
        command("SetParameter", Words(2), "name value"),
        command("SetWorkingDirectory", Words(1), "path"),
        command("GetParameter", Words(1), "name"),
        command("Recall", Flag(1), "key [shared]"),
        command("Remember", Flag(2), "key value [shared]"),
        command("RememberThread", Flag(2), "key value [shared]"),
        command("RememberContext", Words(2), "context value"),
        command("RememberContextThread", Words(2), "context value"),
        command("DeleteMemory", Flag(1), "key [shared]"),
        command("Pause", Number, "seconds"),
        command("GetBotAttribute", Words(1), "attribute"),
        command("GetSenderAttribute", Words(1), "attribute"),
        command("GetUserAttribute", Words(2), "user attribute"),
        command("GetTaskConfig", Words(0), ""),
        command("GetHelpMetadata", Text(0), "[query…]"),
        command("EncryptSecret", Text(0), "text…"),
        command("Email", Flag(2), "subject body [html]"),
        command("EmailUser", Flag(3), "user subject body [html]"),
        command("EmailAddress", Flag(3), "address subject body [html]"),
        command("AddTask", Rest(1), "name [argument…]"),
        command("FinalTask", Rest(1), "name [argument…]"),
        command("FailTask", Rest(1), "name [argument…]"),
        command("AddJob", Rest(1), "name [argument…]"),
        command("SpawnJob", Rest(1), "name [argument…]"),
        command("AddCommand", Text(1), "plugin command…"),
        command("FinalCommand", Text(1), "plugin command…"),
        command("FailCommand", Text(1), "plugin command…"),
        command("GetIdentityCredential", Words(2), "provider user"),
        command("LinkOAuth2Identity", Link, "provider user access-token [refresh-token [expires-in [token-type]]]"),
        command("UnlinkIdentity", Words(2), "provider user"),
        command("Log", Text(1), "level text…"),
        command("CheckoutDatum", Flag(1), "key [write]"),
        command("UpdateDatum", Update, "key token json"),
        command("CheckinDatum", Words(2), "key token"),
        command("DeleteDatum", Words(1), "key"),
        command("Direct", Elsewhere, "command…"),
        command("Threaded", Elsewhere, "command…"),
        command("Fixed", Elsewhere, "command…"),
        command("RandomInt", Number, "n"),
        command("RandomString", List, "[word…]"),
    ]
};

/// What a command printed, and its exit status.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) output: String,
    pub(super) problem: String,
    pub(super) status: u8,
    /// What the shell has in variables from now on.
    pub(super) variables: Vec<(&'static str, String)>,
}

/// The names of all commands, each in the spellings that are looked up at once.
pub(super) fn spellings() -> impl Iterator<Item = (String, &'static Command)> {
    COMMANDS.iter().flat_map(|command| {
        let apart = |sign| words_of(command.name).join(sign);
        let mut names = vec![command.name.to_owned(), apart(""), apart("-"), apart("_")];
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(move |name| (name, command))
    })
}

/// The command of a name in any spelling: case, `-` and `_` do not count.
pub(super) fn find(name: &str) -> Option<&'static Command> {
    by_name().get(&plain(name)).copied()
}

/// Has ready what finds them.
pub(super) fn warm_up() {
    by_name();
}

fn by_name() -> &'static HashMap<String, &'static Command> {
    static BY_NAME: OnceLock<HashMap<String, &'static Command>> = OnceLock::new();
    BY_NAME.get_or_init(|| COMMANDS.iter().map(|command| (plain(command.name), command)).collect())
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).collect::<String>().to_ascii_lowercase()
}

/// `SendUserMessage` is three words; `OAuth2` is one.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut capitals = false;
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if !c.is_ascii_uppercase() || capitals => word.push(c.to_ascii_lowercase()),
            _ => words.push(c.to_ascii_lowercase().to_string()),
        }
        capitals = c.is_ascii_uppercase();
    }
    words
}

impl Command {
    /// Calls the robot. `format` is what messages have whose flag names none.
    pub(super) fn call(&self, robot: Option<&Robot>, words: &[String], format: Option<MessageFormat>) -> Outcome {
        if let Form::Elsewhere = self.form {
            return self.elsewhere(robot, words, format);
        }
        let Some((arguments, flag)) = self.arguments(words) else {
            let flags = if matches!(self.form, Form::Message(_)) { " [-f|-r|-v|-m|-b]" } else { "" };
            let usage = format!("usage: {}{flags} {}", self.name, self.words);
            return Outcome { problem: usage.trim_end().to_owned(), status: USAGE, ..Outcome::default() };
        };
        let Some(robot) = robot else {
            let problem = format!("{}: there is no robot to call while _configure runs", self.name);
            return Outcome { problem, status: 1, ..Outcome::default() };
        };
        let formatted = flag.or(format).map(|format| robot.with_format(format));
        match formatted.as_ref().unwrap_or(robot).invoke(self.name, &arguments) {
            Ok(answer) => self.outcome(answer),
            Err(misuse) => Outcome { problem: misuse.to_string(), status: USAGE, ..Outcome::default() },
        }
    }

    /// Calls the command that follows with another robot.
    fn elsewhere(&self, robot: Option<&Robot>, words: &[String], format: Option<MessageFormat>) -> Outcome {
        let Some((command, words)) = words.split_first().and_then(|(name, words)| Some((find(name)?, words))) else {
            let problem = format!("usage: {} {}", self.name, self.words);
            return Outcome { problem, status: USAGE, ..Outcome::default() };
        };
        let robot = robot.map(|robot| match self.name {
            "Direct" => robot.direct(),
            "Threaded" => robot.threaded(),
            _ => robot.clone(),
        });
        let format = if self.name == "Fixed" { Some(MessageFormat::Fixed) } else { format };
        command.call(robot.as_ref(), words, format)
    }

    /// The arguments of the method; none if the words do not fit.
    fn arguments(&self, words: &[String]) -> Option<(Vec<Value>, Option<MessageFormat>)> {
        let texts = |words: &[String]| words.iter().map(|word| json!(word)).collect::<Vec<Value>>();
        let none = |arguments| Some((arguments, None));
        match self.form {
            Form::Message(places) => {
                let flag = words.first().and_then(|word| flag(word));
                let words = if flag.is_some() { &words[1..] } else { words };
                let (fixed, text) = words.split_at_checked(places).filter(|(_, text)| !text.is_empty())?;
                let mut arguments = texts(fixed);
                arguments.push(json!(text.join(" ")));
                Some((arguments, flag))
            }
            Form::Text(places) => {
                let (fixed, text) = words.split_at_checked(places)?;
                if text.is_empty() && self.name != "GetHelpMetadata" {
                    return None;
                }
                let mut arguments = texts(fixed);
                if let ("Log", Some(level)) = (self.name, words.first()) {
                    arguments = vec![json!(level_of(level))];
                }
                arguments.push(json!(text.join(" ")));
                none(arguments)
            }
            Form::Words(count) => (words.len() == count).then(|| none(texts(words)))?,
            Form::Flag(count) => {
                let (fixed, flags) = words.split_at_checked(count)?;
                let mut arguments = texts(fixed);
                match flags {
                    [] => {}
                    [word] => arguments.push(json!(boolean(word)?)),
                    _ => return None,
                }
                none(arguments)
            }
            Form::Rest(count) => (words.len() >= count).then(|| none(texts(words)))?,
            Form::List => none(vec![json!(words)]),
            Form::Number => match words {
                [word] => none(vec![json!(word.parse::<f64>().ok().filter(|n| n.is_finite())?)]),
                _ => None,
            },
            Form::Link => {
                let names = ["Provider", "User", "AccessToken", "RefreshToken", "ExpiresIn", "TokenType"];
                if !(3..=names.len()).contains(&words.len()) {
                    return None;
                }
                let mut link = serde_json::Map::new();
                for (name, word) in names.into_iter().zip(words).filter(|(_, word)| !word.is_empty()) {
                    let value = if name == "ExpiresIn" { json!(word.parse::<u64>().ok()?) } else { json!(word) };
                    link.insert(name.to_owned(), value);
                }
                none(vec![Value::Object(link)])
            }
            Form::Elsewhere => None,
            Form::Update => match words {
                [key, token, datum] => {
                    none(vec![json!(key), json!(token), serde_json::from_str(datum).unwrap_or_else(|_| json!(datum))])
                }
                _ => None,
            },
        }
    }

    fn outcome(&self, answer: Answer) -> Outcome {
        let printed = |output: String, status: u8| Outcome { output, status, ..Outcome::default() };
        let document = |found: Option<Value>| found.map(|value| value.to_string()).unwrap_or_default();
        match answer {
            Answer::Nothing => Outcome::default(),
            // A line that is not wanted was logged as well as it could be.
            Answer::RetVal(_) if self.name == "Log" => Outcome::default(),
            Answer::RetVal(ret) => printed(String::new(), ret),
            Answer::Boolean(flag) => {
                printed(if self.prints { format!("{flag}\n") } else { String::new() }, u8::from(!flag))
            }
            Answer::Text(text) => printed(text, 0),
            Answer::Number(number) => printed(number.to_string(), 0),
            Answer::Attribute(text, ret) | Answer::Reply(text, ret) => printed(text, ret),
            Answer::Config(found, ret) | Answer::Credential(found, ret) => printed(document(found), ret),
            Answer::Datum { token, datum, ret } => Outcome {
                status: ret,
                variables: vec![
                    ("GB_TOKEN", token),
                    ("GB_EXISTS", datum.is_some().to_string()),
                    ("GB_DATUM", document(datum)),
                ],
                ..Outcome::default()
            },
        }
    }
}

fn flag(word: &str) -> Option<MessageFormat> {
    match word {
        "-f" => Some(MessageFormat::Fixed),
        "-r" => Some(MessageFormat::Raw),
        "-v" => Some(MessageFormat::Variable),
        "-m" | "-b" => Some(MessageFormat::BasicMarkdown),
        _ => None,
    }
}

/// A log level by its number or name.
fn level_of(word: &str) -> Value {
    match word.parse::<u8>() {
        Ok(number) => json!(number),
        Err(_) if word.eq_ignore_ascii_case("warning") => json!(LogLevel::Warn.name()),
        Err(_) => json!(word),
    }
}

fn boolean(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" | "shared" | "rw" | "html" => Some(true),
        "0" | "f" | "false" | "n" | "no" | "off" | "ro" | "" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_every_spelling() {
        for name in
            ["SendUserMessage", "senduserMessage", "send-user-message", "SEND_USER_MESSAGE", "send-User_Message"]
        {
            assert_eq!(find(name).map(|c| c.name), Some("SendUserMessage"), "{name}");
        }
        assert!(find("SendMail").is_none() && find("").is_none());
        let spelled: Vec<String> =
            spellings().filter(|(_, c)| c.name == "LinkOAuth2Identity").map(|(name, _)| name).collect();
        assert_eq!(
            spelled,
            ["LinkOAuth2Identity", "link-oauth2-identity", "link_oauth2_identity", "linkoauth2identity"]
        );
    }

    #[test]
    fn every_method_of_the_robot_is_a_command() {
        let missing: Vec<&str> = crate::embedded::robot::methods().filter(|method| find(method).is_none()).collect();
        assert_eq!(missing, [""; 0]);
    }

    #[test]
    fn words_that_do_not_fit_are_a_usage_error() {
        for (line, usage) in [
            ("Say", "Say [-f|-r|-v|-m|-b] text…"),
            ("Say -f", "Say [-f|-r|-v|-m|-b] text…"),
            ("SendUserMessage bob", "SendUserMessage [-f|-r|-v|-m|-b] user text…"),
            ("PromptForReply YesNo", "PromptForReply [-f|-r|-v|-m|-b] matcher text…"),
            ("CheckAdmin now", "CheckAdmin"),
            ("Elevate perhaps", "Elevate [immediate]"),
            ("Remember k", "Remember key value [shared]"),
            ("Remember k v yes more", "Remember key value [shared]"),
            ("AddTask", "AddTask name [argument…]"),
            ("AddCommand plugin", "AddCommand plugin command…"),
            ("Pause long", "Pause seconds"),
            ("Pause nan", "Pause seconds"),
            ("Log info", "Log level text…"),
            ("Email subject body plain", "Email subject body [html]"),
            (
                "LinkOAuth2Identity p u",
                "LinkOAuth2Identity provider user access-token [refresh-token [expires-in [token-type]]]",
            ),
            (
                "LinkOAuth2Identity p u a r soon",
                "LinkOAuth2Identity provider user access-token [refresh-token [expires-in [token-type]]]",
            ),
        ] {
            let mut words = line.split(' ').map(str::to_owned);
            let command = find(&words.next().expect("a name")).expect(line);
            let words: Vec<String> = words.collect();
            let expected = Outcome { problem: format!("usage: {usage}"), status: USAGE, ..Outcome::default() };
            assert_eq!(command.call(None, &words, None), expected, "{line}");
        }
    }
}

//! The Robot of an embedded extension: the whole API, defined once for every embedded language.
//!
//! A language turns its arguments into JSON and the answer into its own values; which arguments a method takes, what is
//! composed from which call, and what is answered when a call fails, is said here (spec: Robot API §1).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use gopher_protocol::robot_api::{MessageFormat, RetVal};
use gopher_sys::descriptors;
use serde_json::{Value, json};

use super::{
    arguments::{Arguments, Misuse, Want},
    attention,
    client::Client,
};
use crate::api::NOT_TEXT;

/// How often a prompt is asked when somebody else's waits for the same user.
const TRIES: u32 = 3;

/// What the run is about, as its environment says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the names that extensions know")]
pub(crate) struct Message {
    pub(crate) user: String,
    /// Without the brackets of the environment's form, like every id here.
    pub(crate) user_id: String,
    pub(crate) channel: String,
    pub(crate) channel_id: String,
    pub(crate) thread_id: String,
    pub(crate) message_id: String,
    pub(crate) protocol: String,
    pub(crate) brain: String,
    pub(crate) threaded: bool,
}

impl Message {
    pub(crate) fn from_environment(environment: &[(&str, &str)]) -> Self {
        let found = |name: &str| environment.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| *value);
        let value = |name: &str| found(name).to_owned();
        let id = |name: &str| {
            let text = found(name);
            text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text).to_owned()
        };
        Self {
            user: value("GOPHER_USER"),
            user_id: id("GOPHER_USER_ID"),
            channel: value("GOPHER_CHANNEL"),
            channel_id: id("GOPHER_CHANNEL_ID"),
            thread_id: value("GOPHER_THREAD_ID"),
            message_id: value("GOPHER_MESSAGE_ID"),
            protocol: value("GOPHER_PROTOCOL"),
            brain: value("GOPHER_BRAIN"),
            threaded: found("GOPHER_THREADED_MESSAGE") == "true",
        }
    }
}

/// What a method gives back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Nothing,
    Number(u64),
    RetVal(u8),
    Boolean(bool),
    Text(String),
    /// A value that comes with a return value: attributes, ciphertext.
    Attribute(String, u8),
    Reply(String, u8),
    /// `None` if there is none, or it could not be had.
    Config(Option<Value>, u8),
    Credential(Option<Value>, u8),
    Datum {
        token: String,
        datum: Option<Value>,
        ret: u8,
    },
}

/// Stands for the robot in the extension; modified copies speak elsewhere or in another form.
#[derive(Clone)]
pub(crate) struct Robot {
    client: Arc<Client>,
    pub(crate) message: Message,
    pub(crate) format: Option<MessageFormat>,
}

/// Every method, with what it takes. A message's format may always follow.
const METHODS: &[(&str, &[Want])] = {
    use Want::{Flag, Name, Names, Number, Rest, Seconds, Text, Value};
    &[
        ("Say", &[Text("text")]),
        ("Reply", &[Text("text")]),
        ("SayThread", &[Text("text")]),
        ("ReplyThread", &[Text("text")]),
        ("SendChannelMessage", &[Name("channel"), Text("text")]),
        ("SendChannelThreadMessage", &[Name("channel"), Text("thread"), Text("text")]),
        ("SendUserMessage", &[Name("user"), Text("text")]),
        ("SendUserChannelMessage", &[Name("user"), Name("channel"), Text("text")]),
        ("SendUserChannelThreadMessage", &[Name("user"), Name("channel"), Text("thread"), Text("text")]),
        ("SendProtocolUserChannelMessage", &[Text("protocol"), Text("user"), Text("channel"), Text("text")]),
        ("PromptForReply", &[Name("matcher"), Text("prompt")]),
        ("PromptThreadForReply", &[Name("matcher"), Text("prompt")]),
        ("PromptUserForReply", &[Name("matcher"), Name("user"), Text("prompt")]),
        ("PromptUserChannelForReply", &[Name("matcher"), Name("user"), Text("channel"), Text("prompt")]),
        (
            "PromptUserChannelThreadForReply",
            &[Name("matcher"), Name("user"), Text("channel"), Text("thread"), Text("prompt")],
        ),
        ("CheckAdmin", &[]),
        ("Subscribe", &[]),
        ("Unsubscribe", &[]),
        ("Elevate", &[Flag("immediate")]),
        ("EncryptSecret", &[Name("plaintext")]),
        ("Email", &[Text("subject"), Text("body"), Flag("html")]),
        ("EmailUser", &[Name("user"), Text("subject"), Text("body"), Flag("html")]),
        ("EmailAddress", &[Name("address"), Text("subject"), Text("body"), Flag("html")]),
        ("GetBotAttribute", &[Name("attribute")]),
        ("GetSenderAttribute", &[Name("attribute")]),
        ("GetUserAttribute", &[Name("user"), Name("attribute")]),
        ("GetTaskConfig", &[]),
        ("GetParameter", &[Name("parameter")]),
        ("SetParameter", &[Name("name"), Text("value")]),
        ("GetHelpMetadata", &[Text("query")]),
        ("GetIdentityCredential", &[Name("provider"), Name("user")]),
        ("LinkOAuth2Identity", &[Value("link")]),
        ("UnlinkIdentity", &[Name("provider"), Name("user")]),
        ("Exclusive", &[Text("tag"), Flag("queue")]),
        ("AddTask", &[Name("name"), Rest]),
        ("FinalTask", &[Name("name"), Rest]),
        ("FailTask", &[Name("name"), Rest]),
        ("AddJob", &[Name("name"), Rest]),
        ("SpawnJob", &[Name("name"), Rest]),
        ("AddCommand", &[Name("plugin"), Text("command")]),
        ("FinalCommand", &[Name("plugin"), Text("command")]),
        ("FailCommand", &[Name("plugin"), Text("command")]),
        ("SetWorkingDirectory", &[Text("path")]),
        ("CheckoutDatum", &[Name("key"), Flag("write")]),
        ("UpdateDatum", &[Name("key"), Text("token"), Value("datum")]),
        ("CheckinDatum", &[Name("key"), Text("token")]),
        ("DeleteDatum", &[Name("key")]),
        ("Remember", &[Name("key"), Name("value"), Flag("shared")]),
        ("RememberThread", &[Name("key"), Name("value"), Flag("shared")]),
        ("RememberContext", &[Name("context"), Name("value")]),
        ("RememberContextThread", &[Name("context"), Name("value")]),
        ("Recall", &[Name("key"), Flag("shared")]),
        ("DeleteMemory", &[Name("key"), Flag("shared")]),
        ("Log", &[Want::Level, Text("text")]),
        ("Pause", &[Seconds("seconds")]),
        ("RandomInt", &[Number("n")]),
        ("RandomString", &[Names("list")]),
    ]
};

/// Every method with what its parameters are called, for the test of what editors are told.
#[cfg(test)]
pub(crate) fn signatures() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    METHODS.iter().map(|(name, wants)| {
        let word = |want: &Want| match want {
            Want::Name(w) | Want::Text(w) | Want::Flag(w) | Want::Seconds(w) | Want::Number(w) => *w,
            Want::Value(w) | Want::Names(w) => *w,
            Want::Level => "level",
            Want::Rest => "...",
        };
        (*name, wants.iter().map(word).collect())
    })
}

/// The names of all methods.
pub(crate) fn methods() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(name, _)| *name)
}

impl Robot {
    pub(crate) fn new(client: Arc<Client>, message: Message) -> Self {
        Self { client, message, format: None }
    }

    /// Speaks to the user alone.
    pub(crate) fn direct(&self) -> Self {
        let message =
            Message { channel: String::new(), channel_id: String::new(), threaded: false, ..self.message.clone() };
        Self { message, ..self.clone() }
    }

    /// Speaks in the thread of the message, where there is one.
    pub(crate) fn threaded(&self) -> Self {
        let message = Message { threaded: !self.message.channel.is_empty(), ..self.message.clone() };
        Self { message, ..self.clone() }
    }

    pub(crate) fn with_format(&self, format: MessageFormat) -> Self {
        Self { format: Some(format), ..self.clone() }
    }

    /// Calls a method by its name.
    ///
    /// # Errors
    /// Arguments that do not fit, with the sentence for their author.
    pub(crate) fn invoke(&self, method: &str, arguments: &[Value]) -> Result<Answer, Misuse> {
        let wants = METHODS.iter().find(|(name, _)| *name == method).map(|(_, wants)| *wants);
        let wants = wants.ok_or_else(|| Misuse::unknown(method))?;
        let a = Arguments::check(method, wants, arguments)?;
        let here = self.message.channel.as_str();
        let thread = if self.message.threaded { self.message.thread_id.as_str() } else { "" };
        let own_thread = self.message.thread_id.as_str();
        let user = self.message.user.as_str();
        Ok(match method {
            "Say" => self.say(&a, here, thread),
            "SayThread" => self.say(&a, here, own_thread),
            "Reply" => self.reply(&a, here, thread),
            "ReplyThread" => self.reply(&a, here, own_thread),
            "SendChannelMessage" => self.to_channel(&a, a.text(0), "", a.text(1)),
            "SendChannelThreadMessage" => self.to_channel(&a, a.text(0), a.text(1), a.text(2)),
            "SendUserMessage" => self.to_user(&a, a.text(0), a.text(1)),
            "SendUserChannelMessage" => self.to_user_in(&a, a.text(0), a.text(1), "", a.text(2)),
            "SendUserChannelThreadMessage" => self.to_user_in(&a, a.text(0), a.text(1), a.text(2), a.text(3)),
            "SendProtocolUserChannelMessage" => self.send(
                &a,
                method,
                &json!({ "Protocol": a.text(0), "User": a.text(1), "Channel": a.text(2), "Message": a.text(3) }),
            ),
            "PromptForReply" => self.prompt(&a, user, here, thread, a.text(1)),
            "PromptThreadForReply" => self.prompt(&a, user, here, own_thread, a.text(1)),
            "PromptUserForReply" => self.prompt(&a, a.text(1), "", "", a.text(2)),
            "PromptUserChannelForReply" => self.prompt(&a, a.text(1), a.text(2), "", a.text(3)),
            "PromptUserChannelThreadForReply" => self.prompt(&a, a.text(1), a.text(2), a.text(3), a.text(4)),
            "CheckAdmin" | "Subscribe" | "Unsubscribe" => self.boolean(method, &json!({})),
            "Elevate" => self.boolean(method, &json!({ "Immediate": a.flag(0) })),
            "SetParameter" => self.boolean(method, &json!({ "Name": a.text(0), "Value": a.text(1) })),
            "SetWorkingDirectory" => self.boolean(method, &json!({ "Path": a.text(0) })),
            "Exclusive" => self.boolean(method, &json!({ "Tag": a.text(0), "QueueTask": a.flag(1) })),
            "EncryptSecret" => self.attribute(method, "StrVal", &json!({ "Plaintext": a.text(0) })),
            "Email" => self.ret_val(method, &json!({ "Subject": a.text(0), "Body": a.text(1), "HTML": a.flag(2) })),
            "EmailUser" | "EmailAddress" => {
                let whose = if method == "EmailUser" { "User" } else { "Address" };
                let arguments = json!({ whose: a.text(0), "Subject": a.text(1), "Body": a.text(2), "HTML": a.flag(3) });
                self.ret_val(method, &arguments)
            }
            "GetBotAttribute" | "GetSenderAttribute" => {
                self.attribute(method, "Attribute", &json!({ "Attribute": a.text(0) }))
            }
            "GetUserAttribute" => {
                self.attribute(method, "Attribute", &json!({ "User": a.text(0), "Attribute": a.text(1) }))
            }
            "GetTaskConfig" => self.task_config(),
            "GetParameter" => self.text(method, &json!({ "Parameter": a.text(0) })),
            "GetHelpMetadata" => self.text(method, &json!({ "Query": a.text(0) })),
            "Recall" => self.text(method, &json!({ "Key": a.text(0), "Shared": a.flag(1) })),
            "GetIdentityCredential" => self.credential(method, &json!({ "Provider": a.text(0), "User": a.text(1) })),
            "LinkOAuth2Identity" => self.ret_val(method, a.value(0)),
            "UnlinkIdentity" => self.ret_val(method, &json!({ "Provider": a.text(0), "User": a.text(1) })),
            "AddTask" | "FinalTask" | "FailTask" | "AddJob" | "SpawnJob" => {
                self.ret_val(method, &json!({ "Name": a.text(0), "CmdArgs": a.rest() }))
            }
            "AddCommand" | "FinalCommand" | "FailCommand" => {
                self.ret_val(method, &json!({ "Plugin": a.text(0), "Command": a.text(1) }))
            }
            "CheckoutDatum" => self.checkout(&json!({ "Key": a.text(0), "RW": a.flag(1) })),
            "UpdateDatum" => {
                self.ret_val(method, &json!({ "Key": a.text(0), "Token": a.text(1), "Datum": a.value(2) }))
            }
            "DeleteDatum" => self.ret_val(method, &json!({ "Key": a.text(0) })),
            "CheckinDatum" => self.done(method, &json!({ "Key": a.text(0), "Token": a.text(1) })),
            "Remember" | "RememberThread" => self.remember(method, a.text(0), a.text(1), a.flag(2)),
            "RememberContext" => self.remember("Remember", &format!("context:{}", a.text(0)), a.text(1), false),
            "RememberContextThread" => {
                self.remember("RememberThread", &format!("context:{}", a.text(0)), a.text(1), false)
            }
            "DeleteMemory" => self.done(method, &json!({ "Key": a.text(0), "Shared": a.flag(1) })),
            "Log" => self.done(method, &json!({ "Level": a.text(0), "Message": a.text(1) })),
            "Pause" => {
                attention::call();
                thread::sleep(Duration::from_secs_f64(a.number(0)));
                Answer::Nothing
            }
            "RandomInt" => Answer::Number(random(whole(a.number(0)))),
            // The table above has no other.
            _ => {
                let list = a.names(0);
                let index = usize::try_from(random(list.len() as u64)).unwrap_or(0);
                Answer::Text(list.get(index).map(|name| (*name).to_owned()).unwrap_or_default())
            }
        })
    }

    fn say(&self, a: &Arguments<'_>, channel: &str, thread: &str) -> Answer {
        if channel.is_empty() {
            self.to_user(a, &self.message.user, a.text(0))
        } else {
            self.to_channel(a, channel, thread, a.text(0))
        }
    }

    fn reply(&self, a: &Arguments<'_>, channel: &str, thread: &str) -> Answer {
        if channel.is_empty() {
            self.to_user(a, &self.message.user, a.text(0))
        } else {
            self.to_user_in(a, &self.message.user, channel, thread, a.text(0))
        }
    }

    fn to_channel(&self, a: &Arguments<'_>, channel: &str, thread: &str, text: &str) -> Answer {
        self.send(a, "SendChannelThreadMessage", &json!({ "Channel": channel, "Thread": thread, "Message": text }))
    }

    fn to_user(&self, a: &Arguments<'_>, user: &str, text: &str) -> Answer {
        self.send(a, "SendUserMessage", &json!({ "User": user, "Message": text }))
    }

    fn to_user_in(&self, a: &Arguments<'_>, user: &str, channel: &str, thread: &str, text: &str) -> Answer {
        let arguments = json!({ "User": user, "Channel": channel, "Thread": thread, "Message": text });
        self.send(a, "SendUserChannelThreadMessage", &arguments)
    }

    fn send(&self, a: &Arguments<'_>, function: &str, arguments: &Value) -> Answer {
        let answer = self.ask(function, a.format.or(self.format), arguments);
        Answer::RetVal(ret(answer.as_ref(), RetVal::Failed))
    }

    /// Asks again while other prompts to the same user take their turn.
    fn prompt(&self, a: &Arguments<'_>, user: &str, channel: &str, thread: &str, prompt: &str) -> Answer {
        let arguments = json!({
            "RegexID": a.text(0), "User": user, "Channel": channel, "Thread": thread, "Prompt": prompt
        });
        for _ in 0..TRIES {
            let answer = self.ask("PromptUserChannelThreadForReply", a.format.or(self.format), &arguments);
            let ret = ret(answer.as_ref(), RetVal::Failed);
            if ret != RetVal::RetryPrompt.number() {
                return Answer::Reply(string(answer.as_ref(), "Reply"), ret);
            }
        }
        Answer::Reply(String::new(), RetVal::Interrupted.number())
    }

    fn boolean(&self, function: &str, arguments: &Value) -> Answer {
        let answer = self.ask(function, None, arguments);
        Answer::Boolean(answer.as_ref().and_then(|a| a.get("Boolean")?.as_bool()).unwrap_or(false))
    }

    fn text(&self, function: &str, arguments: &Value) -> Answer {
        Answer::Text(string(self.ask(function, None, arguments).as_ref(), "StrVal"))
    }

    fn ret_val(&self, function: &str, arguments: &Value) -> Answer {
        Answer::RetVal(ret(self.ask(function, None, arguments).as_ref(), RetVal::Failed))
    }

    fn done(&self, function: &str, arguments: &Value) -> Answer {
        self.ask(function, None, arguments);
        Answer::Nothing
    }

    fn attribute(&self, function: &str, key: &str, arguments: &Value) -> Answer {
        let answer = self.ask(function, None, arguments);
        Answer::Attribute(string(answer.as_ref(), key), ret(answer.as_ref(), RetVal::AttributeNotFound))
    }

    fn credential(&self, function: &str, arguments: &Value) -> Answer {
        let answer = self.ask(function, None, arguments);
        let found = answer.as_ref().and_then(|a| a.get("Credential")).filter(|c| !c.is_null()).cloned();
        Answer::Credential(found, ret(answer.as_ref(), RetVal::Failed))
    }

    fn task_config(&self) -> Answer {
        match self.ask("GetTaskConfig", None, &json!({})) {
            Some(Value::Object(entries)) if entries.is_empty() => Answer::Config(None, RetVal::NoConfigFound.number()),
            Some(config) => Answer::Config(Some(config), RetVal::Ok.number()),
            None => Answer::Config(None, RetVal::Failed.number()),
        }
    }

    fn checkout(&self, arguments: &Value) -> Answer {
        let answer = self.ask("CheckoutDatum", None, arguments);
        let exists = answer.as_ref().and_then(|a| a.get("Exists")?.as_bool()).unwrap_or(false);
        let datum = answer.as_ref().filter(|_| exists).and_then(|a| a.get("Datum")).cloned();
        let ret = ret(answer.as_ref(), RetVal::BrainFailed);
        Answer::Datum { token: string(answer.as_ref(), "LockToken"), datum, ret }
    }

    /// What is remembered in a thread stays with it.
    fn remember(&self, function: &str, key: &str, value: &str, shared: bool) -> Answer {
        let function = if self.message.threaded { "RememberThread" } else { function };
        self.done(function, &json!({ "Key": key, "Value": value, "Shared": shared }))
    }

    /// `None` if the call failed; the author finds the reason in the run's log.
    fn ask(&self, function: &str, format: Option<MessageFormat>, arguments: &Value) -> Option<Value> {
        match self.client.call(function, format, arguments) {
            Ok(answer) => Some(answer),
            Err(error) => {
                attention::call();
                eprintln!("{function}: {error}");
                None
            }
        }
    }
}

/// Tells the author, once, that people see less of a text than was given.
pub(crate) fn note_text_that_is_none() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        attention::call();
        eprintln!("{NOT_TEXT}");
    }
}

fn ret(answer: Option<&Value>, failed: RetVal) -> u8 {
    let number = answer.and_then(|a| a.get("RetVal")?.as_u64()).and_then(|n| u8::try_from(n).ok());
    number.unwrap_or_else(|| failed.number())
}

fn string(answer: Option<&Value>, key: &str) -> String {
    answer.and_then(|a| a.get(key)?.as_str()).unwrap_or_default().to_owned()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whatever is no count counts as none")]
fn whole(number: f64) -> u64 {
    number as u64
}

/// Evenly from 0 to below `n`; 0 of nothing.
fn random(n: u64) -> u64 {
    let Some(limit) = u64::MAX.checked_div(n).map(|times| times * n) else { return 0 };
    loop {
        // Without random bytes there is nothing to choose by.
        let Ok(bytes) = descriptors::random::<8>() else { return 0 };
        let drawn = u64::from_ne_bytes(bytes);
        if drawn < limit {
            return drawn % n;
        }
    }
}

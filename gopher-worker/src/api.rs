//! Robot API functions as extensions spell them ↔ calls and answers of the engine (spec: Robot API §2.5).
//!
//! HTTP bodies, JSON lines and shell lines all become the same [`Request`]; nothing here does I/O.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gopher_protocol::robot_api::{Addressee, LogLevel, MessageFormat, RetVal, RobotAnswer, RobotCall, StepList};
use serde_json::{Map, Value, json};

/// Said of a text for people that is none.
pub(crate) const NOT_TEXT: &str =
    "a text that was given to the robot is not UTF-8: what cannot be read in it has become \u{fffd}";

/// What a client asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    /// The engine must answer.
    Ask(RobotCall, Shape),
    /// `GetParameter`: the worker knows.
    Parameter(String),
}

/// The form of a function's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    RetVal,
    Boolean,
    /// A string alone.
    StrVal,
    /// A string and a return value.
    StrValRet,
    Attribute,
    Reply,
    Credential,
    Datum,
    Config,
}

/// Why a request is not one; the HTTP endpoint says 400 to all of these.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum BadRequest {
    #[error("the request is not JSON with FuncName and FuncArgs: {0}")]
    NotJson(String),
    #[error("there is no Robot API function {0:?}")]
    UnknownFunction(String),
    #[error("{function}: the argument {argument} is missing or not {wanted}")]
    Argument { function: String, argument: &'static str, wanted: &'static str },
    #[error("a text in it is not UTF-8")]
    NotText,
    #[error("the line is not FuncName, Format and Key=value fields separated by tabs")]
    NotShell,
}

/// Reads the JSON form: keys in any case, unknown keys ignored.
pub(crate) fn from_json(body: &[u8]) -> Result<Request, BadRequest> {
    let value: Value = serde_json::from_slice(body).map_err(|e| BadRequest::NotJson(e.to_string()))?;
    let Value::Object(top) = value else { return Err(BadRequest::NotJson("not an object".into())) };
    let Some(Value::String(function)) = get(&top, "FuncName") else {
        return Err(BadRequest::NotJson("no FuncName".into()));
    };
    let format = get(&top, "Format").and_then(Value::as_str).unwrap_or_default();
    let args = match get(&top, "FuncArgs") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(args)) => args.clone(),
        Some(_) => return Err(BadRequest::NotJson("FuncArgs is not an object".into())),
    };
    Arguments { function, format, args }.request()
}

/// What `GetParameter` finds: the first of that name, else nothing.
pub(crate) fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> &'a str {
    parameters.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
}

/// Reads what the JSON form consists of.
pub(crate) fn from_parts(function: &str, format: &str, arguments: &Value) -> Result<Request, BadRequest> {
    let args = arguments.as_object().cloned().unwrap_or_default();
    Arguments { function, format, args }.request()
}

/// Reads the shell form: `FuncName TAB Format TAB Key=value …`, values escaped; a repeated key is a list.
pub(crate) fn from_shell(line: &str) -> Result<Request, BadRequest> {
    let mut fields = line.split('\t');
    let (Some(function), format) = (fields.next().filter(|f| !f.is_empty()), fields.next().unwrap_or_default()) else {
        return Err(BadRequest::NotShell);
    };
    let mut args = Map::new();
    for field in fields {
        let (key, value) = field.split_once('=').ok_or(BadRequest::NotShell)?;
        let value = unescape(value);
        if key == "CmdArgs" {
            if let Value::Array(list) = args.entry(key).or_insert_with(|| json!([])) {
                list.push(value.into());
            }
        } else if key == "Datum" {
            let datum = serde_json::from_str(&value).map_err(|e| BadRequest::NotJson(e.to_string()))?;
            args.insert(key.into(), datum);
        } else {
            args.insert(key.into(), value.into());
        }
    }
    Arguments { function, format, args }.request()
}

fn get<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key).or_else(|| map.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v))
}

struct Arguments<'a> {
    function: &'a str,
    format: &'a str,
    args: Map<String, Value>,
}

impl Arguments<'_> {
    fn request(self) -> Result<Request, BadRequest> {
        let format = self.format();
        let call = match self.function {
            "CheckAdmin" => return Ok(Request::Ask(RobotCall::CheckAdmin, Shape::Boolean)),
            "GetParameter" => return Ok(Request::Parameter(self.text("Parameter")?)),
            "GetTaskConfig" => return Ok(Request::Ask(RobotCall::TaskConfig, Shape::Config)),
            "GetBotAttribute" => RobotCall::BotAttribute { attribute: self.text("Attribute")? },
            "GetSenderAttribute" => RobotCall::SenderAttribute { attribute: self.text("Attribute")? },
            "GetUserAttribute" => {
                RobotCall::UserAttribute { user: self.text("User")?, attribute: self.text("Attribute")? }
            }
            "SendChannelThreadMessage" => RobotCall::SendChannelThread {
                channel: self.text("Channel")?,
                thread: self.optional("Thread")?,
                text: self.encoded("Message")?,
                format,
            },
            "SendUserChannelThreadMessage" => RobotCall::SendUserChannelThread {
                user: self.text("User")?,
                channel: self.text("Channel")?,
                thread: self.optional("Thread")?,
                text: self.encoded("Message")?,
                format,
            },
            "SendProtocolUserChannelMessage" => RobotCall::SendProtocolUserChannel {
                protocol: self.optional("Protocol")?,
                user: self.optional("User")?,
                channel: self.optional("Channel")?,
                text: self.encoded("Message")?,
                format,
            },
            "SendUserMessage" => {
                RobotCall::SendUser { user: self.text("User")?, text: self.encoded("Message")?, format }
            }
            "PromptUserChannelThreadForReply" => RobotCall::Prompt {
                matcher: self.text("RegexID")?,
                user: self.text("User")?,
                channel: self.optional("Channel")?,
                thread: self.optional("Thread")?,
                prompt: self.encoded("Prompt")?,
                format,
            },
            "Log" => RobotCall::Log { level: LogLevel::parse(&self.text("Level")?), text: self.encoded("Message")? },
            "Remember" | "RememberThread" => RobotCall::Remember {
                key: self.encoded("Key")?,
                value: self.encoded("Value")?,
                shared: self.flag("Shared")?,
                thread: self.function == "RememberThread",
            },
            "Recall" => RobotCall::Recall { key: self.encoded("Key")?, shared: self.flag("Shared")? },
            "DeleteMemory" => RobotCall::DeleteMemory { key: self.encoded("Key")?, shared: self.flag("Shared")? },
            "CheckoutDatum" => RobotCall::CheckoutDatum { key: self.text("Key")?, write: self.flag("RW")? },
            "CheckinDatum" => RobotCall::CheckinDatum { key: self.text("Key")?, token: self.optional("Token")? },
            "UpdateDatum" => RobotCall::UpdateDatum {
                key: self.text("Key")?,
                token: self.optional("Token")?,
                datum: get(&self.args, "Datum").unwrap_or(&Value::Null).to_string(),
            },
            "DeleteDatum" => RobotCall::DeleteDatum { key: self.text("Key")? },
            "Subscribe" => RobotCall::Subscribe,
            "Unsubscribe" => RobotCall::Unsubscribe,
            "SetParameter" => RobotCall::SetParameter { name: self.encoded("Name")?, value: self.encoded("Value")? },
            "AddTask" => self.task(StepList::Next)?,
            "FinalTask" => self.task(StepList::Final)?,
            "FailTask" => self.task(StepList::Fail)?,
            "AddCommand" => self.command(StepList::Next)?,
            "FinalCommand" => self.command(StepList::Final)?,
            "FailCommand" => self.command(StepList::Fail)?,
            "GetHelpMetadata" => RobotCall::HelpMetadata { query: self.optional("Query")? },
            "Email" => self.email(Addressee::Sender)?,
            "EmailUser" => self.email(Addressee::User(self.text("User")?))?,
            "EmailAddress" => self.email(Addressee::Address(self.text("Address")?))?,
            "SetWorkingDirectory"
            | "Exclusive"
            | "Elevate"
            | "AddJob"
            | "SpawnJob"
            | "EncryptSecret"
            | "GetIdentityCredential"
            | "LinkOAuth2Identity"
            | "UnlinkIdentity" => RobotCall::Unsupported { function: self.function.to_owned() },
            other => return Err(BadRequest::UnknownFunction(other.chars().take(80).collect())),
        };
        let shape = self.shape();
        Ok(Request::Ask(call, shape))
    }

    fn shape(&self) -> Shape {
        match self.function {
            "GetBotAttribute" | "GetSenderAttribute" | "GetUserAttribute" => Shape::Attribute,
            "PromptUserChannelThreadForReply" => Shape::Reply,
            "Recall" | "GetHelpMetadata" => Shape::StrVal,
            "EncryptSecret" => Shape::StrValRet,
            "GetIdentityCredential" => Shape::Credential,
            "CheckoutDatum" => Shape::Datum,
            "Subscribe" | "Unsubscribe" | "SetParameter" | "SetWorkingDirectory" | "Exclusive" | "Elevate" => {
                Shape::Boolean
            }
            _ => Shape::RetVal,
        }
    }

    fn task(&self, to: StepList) -> Result<RobotCall, BadRequest> {
        Ok(RobotCall::AddTask { to, name: self.text("Name")?, args: self.texts("CmdArgs")? })
    }

    fn command(&self, to: StepList) -> Result<RobotCall, BadRequest> {
        Ok(RobotCall::AddCommand { to, plugin: self.text("Plugin")?, text: self.text("Command")? })
    }

    fn email(&self, to: Addressee) -> Result<RobotCall, BadRequest> {
        let (subject, body) = (self.encoded("Subject")?, self.encoded("Body")?);
        Ok(RobotCall::Email { to, subject, body, html: self.flag("HTML")? })
    }

    /// An empty format is the robot's default; an unknown one is `BasicMarkdown`.
    fn format(&self) -> Option<MessageFormat> {
        (!self.format.is_empty()).then(|| MessageFormat::parse(self.format).unwrap_or(MessageFormat::BasicMarkdown))
    }

    fn missing(&self, argument: &'static str, wanted: &'static str) -> BadRequest {
        BadRequest::Argument { function: self.function.to_owned(), argument, wanted }
    }

    fn text(&self, argument: &'static str) -> Result<String, BadRequest> {
        match get(&self.args, argument) {
            Some(Value::String(text)) => Ok(text.clone()),
            // What a library sends for a variable of the environment that is not set.
            Some(Value::Null) => Ok(String::new()),
            _ => Err(self.missing(argument, "a string")),
        }
    }

    fn optional(&self, argument: &'static str) -> Result<String, BadRequest> {
        match get(&self.args, argument) {
            None => Ok(String::new()),
            Some(_) => self.text(argument),
        }
    }

    /// A list of strings; none if it is missing.
    fn texts(&self, argument: &'static str) -> Result<Vec<String>, BadRequest> {
        let wanted = || self.missing(argument, "a list of strings");
        match get(&self.args, argument) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(list)) => {
                list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wanted)).collect()
            }
            Some(_) => Err(wanted()),
        }
    }

    /// JSON booleans, and the strings that the reference's bash library sends for them.
    fn flag(&self, argument: &'static str) -> Result<bool, BadRequest> {
        match get(&self.args, argument) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.is_empty() || text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(self.missing(argument, "a boolean")),
        }
    }

    /// A string that is base64 if the request says so; what does not decode is taken as it is.
    fn encoded(&self, argument: &'static str) -> Result<String, BadRequest> {
        let text = self.text(argument)?;
        if !self.flag("Base64")? {
            return Ok(text);
        }
        let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        Ok(STANDARD.decode(compact).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or(text))
    }
}

/// The JSON document of an answer, or the sentence of a refusal.
pub(crate) fn to_json(shape: Shape, answer: &RobotAnswer) -> Result<Value, String> {
    Ok(match (shape, answer) {
        (_, RobotAnswer::Refused(reason)) => return Err(reason.clone()),
        (Shape::RetVal, RobotAnswer::RetVal(ret)) => json!({ "RetVal": ret.number() }),
        (Shape::Boolean, RobotAnswer::Boolean(value)) => json!({ "Boolean": value }),
        (Shape::Boolean, RobotAnswer::RetVal(ret)) => json!({ "Boolean": *ret == RetVal::Ok }),
        (Shape::StrVal, RobotAnswer::Text(text)) => json!({ "StrVal": text }),
        (Shape::StrVal | Shape::StrValRet, RobotAnswer::RetVal(ret)) => json!({ "StrVal": "", "RetVal": ret.number() }),
        (Shape::Attribute, RobotAnswer::Attribute { value, ret }) => {
            json!({ "Attribute": value, "RetVal": ret.number() })
        }
        (Shape::Reply, RobotAnswer::Reply { text, ret }) => json!({ "Reply": text, "RetVal": ret.number() }),
        (Shape::Reply, RobotAnswer::RetVal(ret)) => json!({ "Reply": "", "RetVal": ret.number() }),
        (Shape::Credential, RobotAnswer::RetVal(ret)) => json!({ "Credential": null, "RetVal": ret.number() }),
        (Shape::Config, RobotAnswer::Config(text)) => parsed(text)?,
        (Shape::Datum, RobotAnswer::Datum { token, datum, ret }) => json!({
            "LockToken": token,
            "Exists": datum.is_some(),
            "Datum": datum.as_deref().map_or(Ok(Value::Null), parsed)?,
            "RetVal": ret.number(),
        }),
        (Shape::Datum, RobotAnswer::RetVal(ret)) => {
            json!({ "LockToken": "", "Exists": false, "Datum": null, "RetVal": ret.number() })
        }
        (shape, _) => return Err(format!("the robot answered in another form than {shape:?}")),
    })
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|e| format!("the robot answered with invalid JSON: {e}"))
}

/// The shell line of an answer, without its newline.
pub(crate) fn to_shell(shape: Shape, answer: &RobotAnswer) -> String {
    match to_json(shape, answer) {
        Err(reason) => format!("!\t{}", escape(&reason)),
        Ok(value) => {
            let code = value.get("RetVal").and_then(Value::as_u64).unwrap_or(0);
            let text = |key: &str| match value.get(key) {
                Some(Value::String(text)) => escape(text),
                Some(other) => escape(&other.to_string()),
                None => String::new(),
            };
            match shape {
                Shape::RetVal => format!("{code}\t"),
                Shape::Boolean => format!("0\t{}", text("Boolean")),
                Shape::StrVal | Shape::StrValRet => format!("{code}\t{}", text("StrVal")),
                Shape::Attribute => format!("{code}\t{}", text("Attribute")),
                Shape::Reply => format!("{code}\t{}", text("Reply")),
                Shape::Credential => format!("{code}\t{}", text("Credential")),
                Shape::Datum => {
                    // As JSON even where it is a text: that is what can be given back.
                    let datum = value.get("Datum").map(|datum| escape(&datum.to_string())).unwrap_or_default();
                    format!("{code}\t{}\t{}\t{datum}", text("LockToken"), text("Exists"))
                }
                Shape::Config => format!("0\t{}", escape(&value.to_string())),
            }
        }
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            // A zero byte cannot live in a shell variable.
            '\0' => {}
            other => out.push(other),
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_call_in_three_spellings_is_one_request() {
        let plain = br#"{"FuncName":"SendUserMessage","Format":"fixed","FuncArgs":{"User":"bob","Message":"a\tb"}}"#;
        let coded = br#"{"funcname":"SendUserMessage","FORMAT":"Fixed","funcArgs":{"user":"bob","Message":"YQli\n","Base64":true,"X":1}}"#;
        let want = Request::Ask(
            RobotCall::SendUser { user: "bob".into(), text: "a\tb".into(), format: Some(MessageFormat::Fixed) },
            Shape::RetVal,
        );
        assert_eq!(from_json(plain).as_ref(), Ok(&want));
        assert_eq!(from_json(coded).as_ref(), Ok(&want));
        assert_eq!(from_shell("SendUserMessage\tFixed\tUser=bob\tMessage=a\\tb").as_ref(), Ok(&want));
    }

    #[test]
    fn mail_goes_to_whom_its_function_says() {
        let ask = |to, html| {
            let call = RobotCall::Email { to, subject: "s".into(), body: "b\n".into(), html };
            Ok(Request::Ask(call, Shape::RetVal))
        };
        assert_eq!(from_shell("Email\t\tSubject=s\tBody=b\\n\tHTML=true"), ask(Addressee::Sender, true));
        assert_eq!(
            from_shell("EmailUser\t\tUser=bob\tSubject=s\tBody=b\\n"),
            ask(Addressee::User("bob".into()), false)
        );
        let body =
            br#"{"FuncName":"EmailAddress","FuncArgs":{"Address":"a@b","subject":"s","Body":"b\n","html":false}}"#;
        assert_eq!(from_json(body), ask(Addressee::Address("a@b".into()), false));
        assert!(from_shell("EmailAddress\t\tSubject=s\tBody=b").is_err());
    }

    #[test]
    fn text_that_is_not_base64_is_taken_as_it_is() {
        let body = br#"{"FuncName":"Recall","FuncArgs":{"Key":"not base64!","Base64":true}}"#;
        let want = Request::Ask(RobotCall::Recall { key: "not base64!".into(), shared: false }, Shape::StrVal);
        assert_eq!(from_json(body), Ok(want));
    }

    #[test]
    fn what_help_knows_may_be_asked_without_a_query() {
        for (body, query) in [
            (r#"{"FuncName":"GetHelpMetadata","FuncArgs":{"Query":"tea"}}"#, "tea"),
            (r#"{"FuncName":"GetHelpMetadata"}"#, ""),
        ] {
            let want = Request::Ask(RobotCall::HelpMetadata { query: query.into() }, Shape::StrVal);
            assert_eq!(from_json(body.as_bytes()), Ok(want), "{body}");
        }
    }

    #[test]
    fn booleans_may_be_strings() {
        for (text, want) in [("true", true), ("\"true\"", true), ("\"False\"", false), ("null", false)] {
            let body = format!(r#"{{"FuncName":"Recall","FuncArgs":{{"Key":"k","Shared":{text}}}}}"#);
            let want = Request::Ask(RobotCall::Recall { key: "k".into(), shared: want }, Shape::StrVal);
            assert_eq!(from_json(body.as_bytes()), Ok(want), "{text}");
        }
        assert!(from_json(br#"{"FuncName":"Recall","FuncArgs":{"Key":"k","Shared":7}}"#).is_err());
    }

    #[test]
    fn a_text_that_is_null_is_empty() {
        let body = br#"{"FuncName":"SendUserMessage","Format":null,"FuncArgs":{"User":null,"Message":"x"}}"#;
        let call = RobotCall::SendUser { user: String::new(), text: "x".into(), format: None };
        assert_eq!(from_json(body), Ok(Request::Ask(call, Shape::RetVal)));
        let body = br#"{"FuncName":"Recall","FuncArgs":{"Key":null,"Base64":true}}"#;
        let call = RobotCall::Recall { key: String::new(), shared: false };
        assert_eq!(from_json(body), Ok(Request::Ask(call, Shape::StrVal)));
    }

    #[test]
    fn bad_requests_say_what_is_wrong() {
        for (body, word) in [
            ("", "not JSON"),
            ("{\"FuncName\":", "not JSON"),
            ("[1]", "not an object"),
            ("{}", "no FuncName"),
            (r#"{"FuncName":"RaisePriv"}"#, "RaisePriv"),
            (r#"{"FuncName":"Recall","FuncArgs":[]}"#, "FuncArgs"),
            (r#"{"FuncName":"Recall","FuncArgs":{}}"#, "Key"),
            (r#"{"FuncName":"SendUserMessage","FuncArgs":{"User":1,"Message":"x"}}"#, "User"),
        ] {
            let error = from_json(body.as_bytes()).expect_err(body).to_string();
            assert!(error.contains(word), "{body}: {error}");
        }
        assert_eq!(from_shell(""), Err(BadRequest::NotShell));
        assert_eq!(from_shell("Recall\t\tKey"), Err(BadRequest::NotShell));
    }

    #[test]
    fn answers_take_the_form_of_their_function() {
        let reply = RobotAnswer::Reply { text: "yes\n".into(), ret: RetVal::Ok };
        assert_eq!(to_json(Shape::Reply, &reply), Ok(json!({ "Reply": "yes\n", "RetVal": 0 })));
        assert_eq!(to_shell(Shape::Reply, &reply), "0\tyes\\n");
        let datum = RobotAnswer::Datum { token: "t".into(), datum: Some("[1,\"a\"]".into()), ret: RetVal::Ok };
        assert_eq!(to_shell(Shape::Datum, &datum), "0\tt\ttrue\t[1,\"a\"]");
        let word = RobotAnswer::Datum { token: "t".into(), datum: Some(r#""5\n""#.into()), ret: RetVal::Ok };
        assert_eq!(to_shell(Shape::Datum, &word), r#"0	t	true	"5\\n""#);
        assert_eq!(to_shell(Shape::RetVal, &RobotAnswer::Refused("no".into())), "!\tno");
        assert_eq!(to_shell(Shape::Boolean, &RobotAnswer::Boolean(true)), "0\ttrue");
        assert_eq!(to_json(Shape::Config, &RobotAnswer::Config("{}".into())), Ok(json!({})));
    }

    #[test]
    fn escaping_is_undone_by_unescaping() {
        for text in ["", "\\", "\\n", "a\tb\r\nc\\\\", "=é\u{1F600}"] {
            assert_eq!(unescape(&escape(text)), text);
        }
    }
}

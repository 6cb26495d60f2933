//! The worker's end of an extension's API descriptor, played from a list.
//!
//! It records what a client library asks, in whichever of the two forms, and gives the answers of the script: so
//! one table can say for three languages what a method sends and what it returns.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixStream},
    thread::JoinHandle,
};

use serde_json::{Value, json};

/// What the robot answers to one call.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    Ret(u8),
    Bool(bool),
    /// Text beside a return value.
    Text(u8, &'static str),
    Datum {
        token: &'static str,
        datum: Option<&'static str>,
        ret: u8,
    },
    /// A whole document.
    Document(&'static str),
    Error(&'static str),
}

/// The caller id the fake HTTP endpoint expects.
pub const CALLER_ID: &str = "Tk9UX0FfUkVBTF9JRF9BVF9B";

/// One call in a form both wire forms come down to: `Function|Format|Key=value|…`, keys sorted.
fn normal(function: &str, format: &str, mut args: Vec<(String, String)>) -> String {
    args.sort_by(|a, b| a.0.cmp(&b.0));
    let mut text = format!("{function}|{format}");
    for (key, value) in args {
        let _ = write!(text, "|{key}={value}");
    }
    text
}

fn from_json(text: &str) -> (String, String) {
    let call: Value = serde_json::from_str(text).expect("the request is JSON");
    let mut args = Vec::new();
    for (key, value) in call["FuncArgs"].as_object().expect("FuncArgs is an object") {
        match value {
            Value::String(text) => args.push((key.clone(), text.clone())),
            Value::Array(items) if key == "CmdArgs" => {
                args.extend(items.iter().map(|item| (key.clone(), item.as_str().expect("text").to_owned())));
            }
            other => args.push((key.clone(), other.to_string())),
        }
    }
    let function = call["FuncName"].as_str().expect("FuncName").to_owned();
    (function.clone(), normal(&function, call["Format"].as_str().expect("Format"), args))
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' {
            match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('\\') => '\\',
                other => panic!("bad escape {other:?} in {text:?}"),
            }
        } else {
            c
        });
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn from_line(line: &str) -> (String, String) {
    let mut fields = line.split('\t');
    let function = fields.next().expect("a function").to_owned();
    let format = unescape(fields.next().expect("a format"));
    let mut args = Vec::new();
    for field in fields {
        let field = unescape(field);
        let (key, value) = field.split_once('=').expect("key=value");
        // These two are documents: spaces in them are the sender's taste.
        let document = || serde_json::from_str::<Value>(value).expect("a datum or link is JSON");
        match key {
            "Datum" => args.push((key.to_owned(), document().to_string())),
            "Link" => {
                let request = document();
                let fields = request.as_object().expect("a link is an object").iter();
                args.extend(fields.map(|(k, v)| (k.clone(), v.as_str().expect("text").to_owned())));
            }
            _ => args.push((key.to_owned(), value.to_owned())),
        }
    }
    (function.clone(), normal(&function, &format, args))
}

fn text_key(function: &str) -> &'static str {
    match function {
        "PromptUserChannelThreadForReply" => "Reply",
        name if name.ends_with("Attribute") => "Attribute",
        "GetIdentityCredential" => "Credential",
        _ => "StrVal",
    }
}

fn to_json(function: &str, answer: Answer) -> String {
    match answer {
        Answer::Ret(ret) => json!({ "RetVal": ret }),
        Answer::Bool(yes) => json!({ "Boolean": yes }),
        Answer::Text(ret, text) => {
            let value = if function == "GetIdentityCredential" {
                serde_json::from_str(text).expect("a credential is JSON")
            } else {
                Value::from(text)
            };
            json!({ text_key(function): value, "RetVal": ret })
        }
        Answer::Datum { token, datum, ret } => json!({
            "LockToken": token,
            "Exists": datum.is_some(),
            "Datum": datum.map_or(Value::Null, |d| serde_json::from_str(d).expect("a datum is JSON")),
            "RetVal": ret,
        }),
        Answer::Document(text) => return text.to_owned(),
        Answer::Error(text) => json!({ "Error": text }),
    }
    .to_string()
}

fn to_line(answer: Answer) -> String {
    match answer {
        Answer::Ret(ret) => format!("{ret}\t"),
        Answer::Bool(yes) => format!("0\t{yes}"),
        Answer::Text(ret, text) => format!("{ret}\t{}", escape(text)),
        Answer::Datum { token, datum, ret } => {
            format!("{ret}\t{token}\t{}\t{}", datum.is_some(), escape(datum.unwrap_or_default()))
        }
        Answer::Document(text) => format!("0\t{}", escape(text)),
        Answer::Error(text) => format!("!\t{}", escape(text)),
    }
}

/// Plays `answers` on a descriptor, then leaves; the calls it got are what its thread returns.
pub fn on_descriptor(answers: Vec<Answer>) -> (OwnedFd, JoinHandle<Vec<String>>) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let player = std::thread::spawn(move || {
        let mut answers = answers.into_iter();
        let mut calls = Vec::new();
        let mut writer = ours.try_clone().expect("clone");
        for line in BufReader::new(ours).lines() {
            let line = line.expect("a line of UTF-8");
            let (function, call) = if line.starts_with('{') { from_json(&line) } else { from_line(&line) };
            calls.push(call);
            let answer = answers.next().unwrap_or(Answer::Error("the table has no more answers"));
            let text = if line.starts_with('{') { to_json(&function, answer) } else { to_line(answer) };
            writer.write_all(format!("{text}\n").as_bytes()).expect("answer");
        }
        calls
    });
    (theirs.into(), player)
}

/// The same at an HTTP endpoint; ends after the last answer.
pub fn on_http(answers: Vec<Answer>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let player = std::thread::spawn(move || {
        answers.into_iter().map(|answer| serve(&listener.accept().expect("a connection").0, answer)).collect()
    });
    (url, player)
}

fn serve(stream: &TcpStream, answer: Answer) -> String {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("a request line");
    assert!(line.starts_with("POST /json HTTP/1."), "{line}");
    let (mut length, mut caller) = (0, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().expect("a length"),
            "x-caller-id" => value.trim().clone_into(&mut caller),
            _ => {}
        }
    }
    assert_eq!(caller, CALLER_ID);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    let (function, call) = from_json(std::str::from_utf8(&body).expect("UTF-8"));
    let (status, text) = match answer {
        Answer::Error(_) => ("400 Bad Request", String::new()),
        _ => ("200 OK", to_json(&function, answer)),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
    (&*stream).write_all(format!("{head}{text}").as_bytes()).expect("answer");
    call
}

//! A robot that a test plays for a script.

use std::{
    cell::Cell,
    io::{BufRead as _, BufReader, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    rc::Rc,
    sync::Arc,
    thread,
    time::Duration,
};

use super::{
    Interpreter, Script, attention,
    client::Client,
    robot::{Message, Robot},
};

const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/share/lib");

fn message() -> Message {
    Message {
        user: "alice".into(),
        user_id: "u1".into(),
        channel: "general".into(),
        thread_id: "t1".into(),
        protocol: "test".into(),
        ..Message::default()
    }
}

fn script(
    interpreter: Interpreter,
    path: &str,
    source: &str,
    args: &[&str],
    robot: Option<Robot>,
) -> Result<i32, String> {
    let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
    interpreter(&Script {
        path,
        source: source.as_bytes(),
        args: &args,
        libraries: &[LIBRARY.to_owned()],
        message: message(),
        robot,
        memory: 64 << 20,
        leave: Rc::new(|status| panic!("left with {status}")),
    })
}

/// Runs a script as if it stood at `path`; every call is answered by `answer`. What came of it, and the calls.
pub(super) fn run_at(
    interpreter: Interpreter,
    path: &str,
    source: &str,
    args: &[&str],
    answer: fn(&str) -> &str,
) -> (Result<i32, String>, Vec<String>) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let robot = Robot::new(Arc::new(Client::lines(theirs)), message());
    let ends = ours.try_clone().expect("cloned");
    let played = thread::spawn(move || {
        let mut calls = Vec::new();
        for line in BufReader::new(ours.try_clone().expect("cloned")).lines() {
            let call: serde_json::Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            let function = call["FuncName"].as_str().expect("a name").to_owned();
            writeln!(&ours, "{}", answer(&function)).expect("answered");
            calls.push(format!("{function} {} {}", call["Format"].as_str().expect("a format"), call["FuncArgs"]));
        }
        calls
    });
    let result = script(interpreter, path, source, args, Some(robot));
    // An interpreter may keep its end of the link for good.
    ends.shutdown(Shutdown::Both).expect("ended");
    (result, played.join().expect("played"))
}

/// Whether somebody is called while a script runs as if it stood at `path`, to which its robot says yes, and which may
/// take so long.
pub(super) fn calls_somebody(interpreter: Interpreter, path: &str, source: &str, awhile: Duration) -> bool {
    let called = Rc::new(Cell::new(false));
    let flag = Rc::clone(&called);
    attention::on_call_after(awhile, move || flag.set(true));
    let (result, _) = run_at(interpreter, path, source, &["cmd"], ok);
    result.unwrap_or_else(|problem| panic!("{source}: {problem}"));
    called.get()
}

/// Asks a script for its default configuration.
pub(super) fn configure_at(interpreter: Interpreter, path: &str, source: &str) -> Result<i32, String> {
    script(interpreter, path, source, &["_configure"], None)
}

/// The answer of a robot that does everything it is told.
pub(super) fn ok(_: &str) -> &'static str {
    r#"{"RetVal":0}"#
}

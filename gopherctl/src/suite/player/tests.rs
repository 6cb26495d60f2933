//! Transcripts: the player against a fake robot that speaks JSON lines on a socket pair.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    thread::JoinHandle,
};

use serde_json::{Value, json};

use super::*;
use crate::suite::format;

/// What the robot does when it hears a text: the messages it says, and the events it tells of.
type Script =
    &'static [(&'static str, &'static [(&'static str, &'static str, bool, &'static str)], &'static [&'static str])];

/// Plays the robot until the suite leaves; returns what was sent, as `user/channel/hidden/threaded: text`.
fn robot(script: Script) -> (UnixStream, JoinHandle<Vec<String>>) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let heard = std::thread::spawn(move || {
        let mut writer = ours.try_clone().expect("cloned");
        let mut say = |line: Value| writeln!(writer, "{line}").is_ok();
        let (mut heard, mut events) = (Vec::new(), Vec::<&str>::new());
        say(json!({ "op": "ready" }));
        for line in BufReader::new(ours).lines().map_while(Result::ok) {
            let request: Value = serde_json::from_str(&line).expect("JSON");
            match request["op"].as_str().expect("an op") {
                "idle" => drop(say(json!({ "op": "idle" }))),
                "events" => drop(say(json!({ "op": "events", "events": std::mem::take(&mut events) }))),
                "send" => {
                    let field = |name: &str| request[name].as_str().expect("text");
                    heard.push(format!(
                        "{}/{}/{}/{}: {}",
                        field("user_id"),
                        field("channel"),
                        request["hidden"],
                        request["threaded"],
                        field("text")
                    ));
                    if field("user_id") == "nobody" {
                        say(json!({ "op": "error", "text": "nobody is not configured" }));
                    }
                    let found = script.iter().find(|(text, ..)| *text == field("text"));
                    events.extend(found.map_or(&[][..], |(.., events)| events));
                    // A message may come before the acknowledgement: the driver must not mind.
                    for (user, channel, threaded, text) in found.map_or(&[][..], |(_, messages, _)| messages) {
                        say(
                            json!({ "op": "msg", "seq": 1, "user": user, "channel": channel, "text": text, "threaded": threaded }),
                        );
                    }
                    say(json!({ "op": "sent" }));
                }
                other => panic!("unknown op {other}"),
            }
        }
        heard
    });
    (theirs, heard)
}

fn play_against(script: Script, yaml: &str) -> (Outcome, Vec<String>) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("suite.yaml");
    std::fs::write(&file, format!("name: S\nconfig_dir: r\n{yaml}")).expect("written");
    let suite = format::load(&file).expect("a good suite");
    let (stream, heard) = robot(script);
    let mut driver = Driver::new(stream, None);
    driver.wait_ready(Instant::now() + Duration::from_secs(5)).expect("ready");
    let outcome = play(&suite, &mut driver, Duration::from_millis(300));
    drop(driver);
    (outcome, heard.join().expect("the fake robot"))
}

fn errors(outcome: &Outcome) -> Vec<String> {
    outcome.failures.iter().map(|f| format!("{}: {}", f.case, f.error)).collect()
}

const ROBOT: Script = &[
    (";ping", &[("alice", "general", false, "PONG")], &["CommandTaskRan", "ExternalTaskRan"]),
    ("bender: ping", &[("alice", "general", false, "(PONG)")], &["CommandTaskRan", "GoPluginRan"]),
    (";two", &[("", "general", false, "one"), ("", "general", true, "two")], &[]),
    (";ps", &[("", "general", false, "WID  PIPELINE\n7f  plug/SLOW\n80 plug/other")], &[]),
    (";log 7f", &[("", "general", false, "log of 7f")], &["CommandTaskRan"]),
];

#[test]
fn cases_that_are_as_expected_pass() {
    let (outcome, heard) = play_against(
        ROBOT,
        "cases:\n\
         - input: {user: alice, channel: general, text: ;ping}\n  replies: [{user: alice, channel: general, text_pattern: ^PONG$}]\n  \
         events: [CommandTaskRan, GoPluginRan]\n  pause: 1ms\n\
         - input: {user: alice, channel: general, text: '/bender: ping'}\n  replies: [{user: alice, channel: general, text_pattern: (PONG)}]\n  \
         events: [CommandTaskRan, GoPluginRan]\n\
         - input: {user: u0099, text: ;two, threaded: true}\n  replies_only: true\n  \
         replies: [{channel: general, text_pattern: one}, {channel: general, text_pattern: two, threaded: true}]\n\
         - input: {user: bob, channel: random, text: nothing}\n",
    );
    assert_eq!((outcome.passed, outcome.failed, errors(&outcome)), (4, 0, vec![]));
    assert_eq!(
        heard,
        [
            "u0001/general/false/false: ;ping",
            "u0001/general/true/false: bender: ping",
            "u0099//false/true: ;two",
            "u0002/random/false/false: nothing",
        ]
    );
}

#[test]
fn a_mismatch_is_recorded_and_the_rest_still_compared() {
    let (outcome, _) = play_against(
        ROBOT,
        "cases:\n\
         - input: {user: alice, channel: general, text: ;two}\n  \
         replies: [{channel: general, text_pattern: ONE}, {channel: general, text_pattern: two, threaded: true}]\n  \
         events: [CommandTaskRan]\n\
         - input: {user: nobody, channel: general, text: ;ping}\n  replies: [{channel: general, text_pattern: PONG}]\n  \
         replies_only: true\n",
    );
    assert_eq!((outcome.passed, outcome.failed, outcome.not_run), (0, 2, 0));
    assert_eq!(
        errors(&outcome),
        [
            "case-001: another reply was expected",
            "case-001: other events were expected",
            "case-002: sending: nobody is not configured",
            "case-002: another reply was expected",
        ]
    );
    assert_eq!(outcome.failures[0].sent.as_deref(), Some("alice in #general: ;two"));
    assert_eq!(outcome.failures[0].expected.as_deref(), Some("#general: /ONE/"));
    assert_eq!(outcome.failures[0].seen.as_deref(), Some("#general: one"));
    assert_eq!(outcome.failures[3].seen.as_deref(), Some("to alice in #general: PONG"));
}

#[test]
fn a_time_out_ends_the_suite_and_the_rest_counts_as_failed() {
    let (outcome, heard) = play_against(
        ROBOT,
        "cases:\n- input: {user: alice, channel: general, text: silence}\n  replies: [{channel: general, text_pattern: x}]\n\
         - input: {user: alice, channel: general, text: ;ping}\n- input: {user: alice, channel: general, text: ;ping}\n",
    );
    assert_eq!((outcome.passed, outcome.failed, outcome.not_run), (0, 3, 2));
    assert_eq!(errors(&outcome), ["case-001: waiting for a reply: timed out"]);
    assert!(outcome.failures[0].timed_out && outcome.failures[0].expected.as_deref() == Some("#general: /x/"));
    assert_eq!(heard.len(), 1);
}

#[test]
fn a_flow_captures_and_uses_what_it_has_seen() {
    let (outcome, heard) = play_against(
        ROBOT,
        "flow:\n\
         - send: {user: alice, channel: general, text: ;ps}\n  receive: {channel: general, text_pattern: WID, \
         contains: [slow, other], contains_upper: [plug/slow], contains_none: [slow], \
         capture_pipeline_wid: {name: wid, pipeline: plug, command: slow}, capture_regex: {last: '(\\d+) plug/other'}}\n\
         - name: log\n  drain_events: true\n  sleep: 1ms\n  wait_for_idle: true\n  \
         send: {user: alice, channel: general, text: ';log ${wid}'}\n  \
         receive: {channel: general, text_pattern: '^log of ${wid}$', exact_text: 'log of ${wid}'}\n  expect_events: [CommandTaskRan]\n\
         - send: {user: alice, text: '/${last}', hidden: true}\n\
         - case: {input: {user: alice, channel: general, text: ;ping}, replies: [{channel: random, text_pattern: PONG}], replies_only: true}\n\
         - wait_for_idle: true\n",
    );
    assert_eq!(
        errors(&outcome),
        ["step-001: the text of the reply is not as expected", "step-004: another reply was expected"],
        "a text without what it should contain fails its step only, a mismatch ends the flow"
    );
    assert_eq!(outcome.failures[0].expected.as_deref(), Some("text with \"slow\""));
    assert_eq!((outcome.passed, outcome.failed, outcome.not_run), (2, 3, 1));
    assert_eq!(heard[1..3], ["u0001/general/false/false: ;log 7f", "u0001//true/false: /80"]);
}

#[test]
fn a_robot_that_goes_away_ends_the_suite() {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    drop(theirs);
    let mut driver = Driver::new(ours, None);
    assert!(matches!(driver.wait_ready(Instant::now() + Duration::from_secs(5)), Err(DriverError::Closed)));
}

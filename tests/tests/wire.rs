//! Calls over HTTP as client libraries of others spell them, against a whole robot: any method and content type, keys in
//! any case, members that mean nothing here, base64 in lines, booleans as text, null for what is unset.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, os::unix::fs::PermissionsExt as _, process::Stdio};

use gopher_tests::programs::{command, interpreter, robot_binary, workspace};

/// Each line is a request and what its answer has to be.
const CALLS: &str = r#"
ask("a form", {"FuncName": "GetBotAttribute", "FuncArgs": {"Attribute": "name"}}, kind="application/x-www-form-urlencoded")
ask("another method", {"FuncName": "GetBotAttribute", "FuncArgs": {"Attribute": "name"}}, method="PUT")
ask("keys in any case", {"funcname": "GetBotAttribute", "FUNCARGS": {"attribute": "name"}})
ask("more members", {"FuncName": "CheckAdmin", "User": "bob", "CallerID": "x", "Protocol": None, "FuncArgs": {"X": 1}})
ask("base64 in lines", {"FuncName": "Remember", "FuncArgs": {"Key": "a2V5\n", "Value": "dmFs\ndWU=\n", "Base64": True}})
ask("not base64", {"FuncName": "Recall", "FuncArgs": {"Key": "key", "Shared": "false"}})
ask("null", {"FuncName": "SendUserMessage", "Format": None, "FuncArgs": {"User": None, "Message": "lost"}})
ask("no list", {"FuncName": "AddTask", "FuncArgs": {"Name": "nowhere", "CmdArgs": None}})
ask("an unknown format", {"FuncName": "SendUserMessage", "Format": "loud", "FuncArgs": {"User": "bob", "Message": "hi"}})
ask("an unknown function", {"FuncName": "RaisePriv", "FuncArgs": {}})
ask("a wrong type", {"FuncName": "Recall", "FuncArgs": {"Key": 7}})
ask("no caller id", {"FuncName": "CheckAdmin", "FuncArgs": {}}, caller=None)
ask("another caller id", {"FuncName": "CheckAdmin", "FuncArgs": {}}, caller="AAAAAAAAAAAAAAAAAAAAAAAA")
"#;

const ANSWERS: &[(&str, &str)] = &[
    ("a form", r#"200 {"Attribute": "bender", "RetVal": 0}"#),
    ("another method", r#"200 {"Attribute": "bender", "RetVal": 0}"#),
    ("keys in any case", r#"200 {"Attribute": "bender", "RetVal": 0}"#),
    ("more members", r#"200 {"Boolean": false}"#),
    ("base64 in lines", r#"200 {"RetVal": 0}"#),
    ("not base64", r#"200 {"StrVal": "value"}"#),
    ("null", r#"200 {"RetVal": 1}"#),
    ("no list", r#"200 {"RetVal": 23}"#),
    ("an unknown format", r#"200 {"RetVal": 0}"#),
    ("an unknown function", "400 "),
    ("a wrong type", "400 "),
    ("no caller id", "400 "),
    ("another caller id", "400 "),
];

const HEAD: &str = r#"#!/usr/bin/python3
import json, os, sys, urllib.error, urllib.request
if sys.argv[1] != "go":
    print("Commands: [ { Command: other, Regex: other } ]" if sys.argv[1] == "_configure" else "")
    sys.exit(0)
ID = sys.stdin.readline().strip()
URL = os.environ["GOPHER_HTTP_POST"] + "/json"
def ask(what, call, method="POST", kind="application/json", caller=ID):
    request = urllib.request.Request(URL, json.dumps(call).encode(), method=method)
    request.add_header("Content-Type", kind)
    if caller: request.add_header("X-Caller-ID", caller)
    try:
        with urllib.request.urlopen(request) as answer:
            said = "%d %s" % (answer.status, json.dumps(json.loads(answer.read()), sort_keys=True))
    except urllib.error.HTTPError as error:
        said = "%d %s" % (error.code, error.read().decode())
    print("%s: %s" % (what, said), flush=True)
"#;

#[test]
fn every_spelling_of_other_libraries_is_understood() {
    if interpreter("python3").is_none() {
        eprintln!("skipped: python3 is not installed");
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let plugin = dir.path().join("wire.py");
    fs::write(&plugin, format!("{HEAD}{CALLS}")).expect("written");
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).expect("mode");
    let mut program = command(robot_binary("gopherctl").expect("gopherctl is built"));
    program.args(["run", "--install-dir"]).arg(workspace().join("packaging/share")).arg(&plugin).arg("go");
    let output = program.stdin(Stdio::null()).output().expect("gopherctl runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let answers: Vec<&str> = log.lines().filter_map(|line| line.strip_prefix("OUT ")).collect();
    let expected: Vec<String> = ANSWERS.iter().map(|(what, answer)| format!("{what}: {answer}")).collect();
    assert_eq!(answers, expected, "{log}");
}

//! What a process and its children find once its environment was replaced. That is for good, so a child process tries.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use gopher_sys::process::set_environment;

/// Tells the child that it is one.
const CHILD: &str = "GOPHER_TEST_ENVIRONMENT";

/// Not a test of its own: what the child of the next one does.
#[test]
#[expect(clippy::disallowed_methods, reason = "the environment is what this is about")]
fn as_a_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let names = [("A", "1"), ("WITH", "a=b c"), ("EMPTY", ""), ("", "nameless"), ("A=B", "2"), ("ZERO", "\0")];
    set_environment(names);
    println!("own {:?} {:?} {:?}", std::env::var("A"), std::env::var("EMPTY"), std::env::var(CHILD));
    let output = Command::new("/usr/bin/env").env("MORE", "4").output().expect("starts");
    let mut lines: Vec<_> = std::str::from_utf8(&output.stdout).expect("text").lines().collect();
    lines.sort_unstable();
    println!("of a child {lines:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test's own child")]
fn an_environment_is_what_was_given_and_nothing_else() {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    let output = child.args(["--exact", "as_a_child", "--nocapture"]).env(CHILD, "").output().expect("starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(r#"own Ok("1") Ok("") Err(NotPresent)"#), "{text}");
    assert!(text.contains(r#"of a child ["A=1", "EMPTY=", "MORE=4", "WITH=a=b c"]"#), "{text}");
}

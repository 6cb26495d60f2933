//! Our own suites, each against a whole robot, as its author would run them: `gopherctl test SUITE`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use gopher_tests::programs::{command, interpreter, robot_binary, variable, workspace};

fn gopherctl() -> PathBuf {
    for program in ["gopherd", "gopher-engine", "gopher-secretd", "gopher-connector", "gopher-worker"] {
        assert!(robot_binary(program).is_some(), "{program} is not built: run `cargo build` first");
    }
    robot_binary("gopherctl").expect("gopherctl is not built: run `cargo build` first")
}

/// Our install tree, or another one named by `GOPHER_TEST_SHARE`.
fn share() -> PathBuf {
    variable("GOPHER_TEST_SHARE").unwrap_or_else(|| workspace().join("packaging/share"))
}

/// Runs `gopherctl test` with our robots.
fn run(share: &Path, args: &[&str]) -> Output {
    let mut command = command(gopherctl());
    command.arg("test").arg("--root").arg(workspace().join("tests")).arg("--install-dir").arg(share);
    command.args(args).stdin(Stdio::null()).output().expect("gopherctl runs")
}

fn suite(name: &str, interpreters: &[&str]) {
    if let Some(missing) = interpreters.iter().find(|name| interpreter(name).is_none()) {
        eprintln!("skipped: {missing} is not installed");
        return;
    }
    passes(&workspace().join("tests/suites").join(name).with_extension("yaml"));
}

/// A suite of `suites/six` in one of the languages that it is for.
fn suite_in(language: &str, name: &str) {
    if let Some(missing) = ["bash", "python3", "ruby"].iter().find(|name| interpreter(name).is_none()) {
        eprintln!("skipped: {missing} is not installed");
        return;
    }
    let common = workspace().join("tests/suites/six").join(name).with_extension("yaml");
    let text = std::fs::read_to_string(common).expect("the common suite");
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join(format!("{name}-{language}.yaml"));
    std::fs::write(&file, text.replace("LANGUAGE", language)).expect("written");
    passes(&file);
}

fn passes(file: &Path) {
    passes_with(&share(), file);
}

fn passes_with(share: &Path, file: &Path) {
    // A machine that is busy delays what bash reads byte by byte; who passes waits for nothing.
    let output = run(share, &["--keep", "--case-timeout", "60", file.to_str().expect("UTF-8")]);
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let kept = text.lines().find_map(|line| line.trim().strip_prefix("kept in ")).map(PathBuf::from);
    let log = kept.map(|dir| {
        let log = std::fs::read_to_string(dir.join("robot.log"));
        std::fs::remove_dir_all(dir).expect("what was kept goes");
        log.expect("the robot's log")
    });
    assert!(output.status.success(), "{text}{errors}");
    let log = log.expect("what was kept is named");
    assert!(!log.contains("could not be tried"), "a spawner has no rehearsal: {log}");
    let last = text.lines().last().unwrap_or_default();
    let passed = last.strip_suffix(" passed, 0 failed").and_then(|n| n.parse::<u32>().ok());
    assert!(passed.is_some_and(|n| n > 0), "{text}{errors}");
}

#[test]
fn an_install_tree_may_be_where_every_run_has_a_directory_of_its_own() {
    let dir = tempfile::Builder::new().tempdir_in("/tmp").expect("a directory");
    let copied = command("cp").arg("-r").arg(share()).arg(dir.path().join("share")).status();
    assert!(copied.expect("cp runs").success());
    passes_with(&dir.path().join("share"), &workspace().join("tests/suites/lists.yaml"));
}

#[test]
fn the_whole_robot_api_in_bash() {
    suite("api-bash", &["bash", "python3", "ruby"]);
}

#[test]
fn the_whole_robot_api_in_python() {
    suite("api-python", &["bash", "python3", "ruby"]);
}

#[test]
fn the_whole_robot_api_in_ruby() {
    suite("api-ruby", &["bash", "python3", "ruby"]);
}

#[test]
fn the_whole_robot_api_in_lua() {
    suite("api-lua", &["bash", "python3", "ruby"]);
}

#[test]
fn commands_of_several_steps() {
    suite("pipelines", &["bash"]);
}

#[test]
fn the_whole_robot_api_in_javascript() {
    suite("api-js", &["bash", "python3", "ruby"]);
}

#[test]
fn the_whole_robot_api_in_gsh() {
    suite("api-gsh", &["bash", "python3", "ruby"]);
}

#[test]
fn addressing_and_policy() {
    suite("addressing", &["bash"]);
}

#[test]
fn commands_with_simple_matchers() {
    suite("simple-matchers", &["bash"]);
}

#[test]
fn threads_are_heard_by_who_subscribed() {
    suite("threads", &["bash", "python3", "ruby"]);
}

#[test]
fn a_robot_of_templates_and_variables() {
    suite("workshop", &["bash", "python3"]);
}

#[test]
fn what_runs_is_seen_and_ended() {
    suite("running", &["bash"]);
}

#[test]
fn broken_extensions() {
    suite("bad-extensions", &["bash"]);
}

#[test]
fn what_is_wrong_in_bash() {
    suite_in("sh", "rough");
}

#[test]
fn what_is_wrong_in_python() {
    suite_in("py", "rough");
}

#[test]
fn what_is_wrong_in_ruby() {
    suite_in("rb", "rough");
}

#[test]
fn what_is_wrong_in_lua() {
    suite_in("lua", "rough");
}

#[test]
fn what_is_wrong_in_javascript() {
    suite_in("js", "rough");
}

#[test]
fn what_is_wrong_in_gsh() {
    suite_in("gsh", "rough");
}

#[test]
fn what_is_wrong_in_gsh_without_a_process_of_its_own() {
    suite("rough-gsh", &[]);
}

#[test]
fn the_extensions_of_the_default_robot() {
    suite("stock-extensions", &["bash", "python3"]);
}

#[test]
fn lists_that_people_share() {
    suite("lists", &[]);
}

#[test]
fn links_found_again_by_what_they_are_about() {
    suite("links", &[]);
}

#[test]
fn memes_of_a_service() {
    suite("memes", &[]);
}

#[test]
fn who_is_in_which_group() {
    suite("groups", &["bash"]);
}

#[test]
fn plugins_that_decide_about_others() {
    suite("authorizers", &["bash"]);
}

#[test]
fn steps_that_every_robot_has() {
    suite("stock-tasks", &["bash"]);
}

#[test]
fn a_failure_is_shown_with_what_was_sent_expected_and_seen() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("wrong.yaml");
    std::fs::write(
        &file,
        "name: Wrong\nconfig_dir: robots/demo\ncases:\n\
         - input: { user: alice, channel: general, text: ;ping }\n  replies: [ { channel: general, text_pattern: PANG } ]\n  \
         replies_only: true\n\
         - input: { user: alice, channel: general, text: ;ping }\n  \
         replies: [ { user: alice, channel: general, text_pattern: PONG } ]\n  replies_only: true\n",
    )
    .expect("written");
    let output = run(&share(), &[file.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "FAIL Wrong (1 failure)\n  case-001: another reply was expected\n    sent     alice in #general: ;ping\n    \
         expected #general: /PANG/\n    seen     to alice in #general: PONG\n1 passed, 1 failed\n"
    );
    let output = run(&share(), &["--json", file.to_str().expect("UTF-8")]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((report["passed"].as_u64(), report["failed"].as_u64()), (Some(1), Some(1)));
    assert_eq!(report["suites"][0]["failures"][0]["seen"], "to alice in #general: PONG");
}

#[test]
fn a_suite_that_cannot_be_read_is_refused_with_its_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("broken.yaml");
    std::fs::write(&file, "name: Broken\nconfig_dir: robots/demo\ncases:\n- pause: soon\n").expect("written");
    let output = run(&share(), &[file.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(65));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("broken.yaml:4:10: `soon` is no duration"), "{said}");
    assert_eq!(run(&share(), &["nowhere.yaml"]).status.code(), Some(66));
}

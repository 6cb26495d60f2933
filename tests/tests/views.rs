//! What runs do see: the robot wherever it lies, its work space, and the directories that its configuration names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, os::unix::fs::PermissionsExt as _};

use gopher_tests::robot::{Home, Robot, Start};

const SH: &[(&str, &str)] = &[("sh", "sh (.+)")];
const CASES: &str = r#"sh) Say -r "$(bash -c "$2" 2>&1) end" ;;"#;

#[test]
fn a_script_in_a_directory_of_read_paths_runs_and_one_elsewhere_is_refused_by_name_and_key() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    let script = elsewhere.path().join("tool.sh");
    fs::write(&script, "#!/bin/bash\n[ \"$1\" = _configure ] && echo 'Commands: [ { Command: t, Regex: use tool } ]'\nsource \"$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh\"\n[ \"$1\" = t ] && Say 'tool used'\nexit 0\n").expect("script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("mode");
    let path = script.to_str().expect("UTF-8");

    let mut home = Home::new();
    home.declare("tool", path, "");
    let robot = Robot::start(home, &Start::default());
    let status = robot.gopherctl(&["--json", "status"]);
    let text = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(text.contains("tool.sh") && text.contains("ReadPaths"), "{text}");
    drop(robot);

    let mut home = Home::new();
    home.declare("tool", path, "");
    home.more(&format!("ReadPaths: [ {} ]\n", elsewhere.path().display()));
    let mut robot = Robot::start(home, &Start::default());
    robot.ask(";use tool", "tool used");
}

#[test]
fn the_work_space_of_privileged_runs_lasts_and_others_do_not_see_it() {
    let mut home = Home::new();
    home.bash("trusted", ", Privileged: true", &[("sh", "trusted (.+)")], CASES);
    home.bash("plain", "", SH, CASES);
    home.more("WorkSpace: workspace\n");
    let mut robot = Robot::start(home, &Start::default());
    let first = robot.ask(";trusted pwd; echo kept >note; cat $GOPHER_WORKSPACE/note", " end");
    assert!(first.contains("kept"), "{first}");
    let second = robot.ask(";trusted cat note", " end");
    assert!(second.contains("kept"), "{second}");
    let other = robot.ask(";sh cat $GOPHER_HOME/workspace/note /priv/workspace/note; echo $GOPHER_WORKSPACE.", " end");
    assert!(!other.contains("kept") && other.contains("\n. end"), "{other}");
}

#[test]
fn parameters_reach_their_own_task_and_no_other() {
    let mut home = Home::new();
    let parameters = ", Parameters: [ { Name: SITE, Value: berlin }, { Name: GOPHER_BRAIN, Value: mine } ]";
    home.bash(
        "with",
        parameters,
        &[("sh", "with (.+)")],
        r#"sh) Say -r "$(GetParameter SITE) $SITE $GOPHER_BRAIN end" ;;"#,
    );
    home.bash("without", "", &[("sh", "without (.+)")], r#"sh) Say -r "[$(GetParameter SITE)] [$SITE] end" ;;"#);
    let mut robot = Robot::start(home, &Start::default());
    assert_eq!(robot.ask(";with it", " end"), "berlin berlin mine end");
    assert_eq!(robot.ask(";without it", " end"), "[] [] end");
}

#[test]
fn a_homed_run_starts_in_the_robots_home_and_cannot_change_it() {
    let mut home = Home::new();
    home.bash("homed", ", Homed: true", &[("sh", "homed (.+)")], CASES);
    let mut robot = Robot::start(home, &Start::default());
    let seen = robot.ask(";homed pwd; ls; echo x >new-file", " end");
    assert!(seen.contains("plugins") && seen.contains("denied") || seen.contains("Read-only"), "{seen}");
    assert!(!robot.home.path().join("new-file").exists());
}

//! What an author is told of a configuration that no robot runs yet: `gopherctl validate`, `dump`, `match`, `schema`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "author/words.rs"]
mod words;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use gopher_tests::{
    programs::{command, robot_binary, workspace},
    robot::{Home, Robot, Start},
    tree,
};
use serde_json::Value;
use words::{ROBOT, WRONG};

fn share() -> PathBuf {
    workspace().join("packaging/share")
}

/// `gopherctl` for a robot's directory, with our install tree and nothing of a robot in the environment.
fn ctl(dir: &Path, args: &[&str]) -> Output {
    let mut program = command(robot_binary("gopherctl").expect("gopherctl is built"));
    program.arg("-C").arg(dir).args(args).arg("--install-dir").arg(share());
    program.stdin(Stdio::null()).output().expect("gopherctl runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn both(output: &Output) -> String {
    out(output) + &String::from_utf8_lossy(&output.stderr)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", both(output)))
}

/// A directory of these files beside a protocol; scripts can be executed.
fn robot(files: &[(&str, &str)]) -> Home {
    let home = Home::new();
    for (name, text) in files {
        let path = home.file(name, text);
        if path.extension().is_some_and(|e| e == "sh") {
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("mode");
        }
    }
    home
}

/// The first lines of every `robot.yaml` here.
const BASE: &str = "PrimaryProtocol: test\nBotInfo: { UserName: bender }\nAdminUsers: [ alice ]\nUserRoster: [ { UserName: alice } ]\n";

/// A robot of these files, its `robot.yaml` below the base.
fn with_base(files: &[(&str, &str)]) -> Home {
    let mut files = files.to_vec();
    let own = files.iter().position(|(name, _)| *name == ROBOT).map(|at| files.remove(at).1).unwrap_or_default();
    let text = format!("{BASE}{own}");
    files.push((ROBOT, &text));
    robot(&files)
}

#[test]
fn every_error_has_its_words() {
    let mut different = String::new();
    for (what, files, expected) in WRONG {
        let home = with_base(files);
        let output = ctl(home.path(), &["validate"]);
        let share = share().display().to_string();
        let said = both(&output).replace(&share, "$SHARE").replace(&home.path().display().to_string(), "$HOME");
        let (findings, verdict) = said.trim_end().rsplit_once('\n').unwrap_or_default();
        let verdicts = [
            ("not valid: the configuration does not load; 1 error", 78),
            ("not valid: 8 plugins; 1 disabled extension", 78),
            ("valid: 8 plugins; 1 missing extension", 0),
            ("valid: 8 plugins; 1 warning, 1 unopened secret", 0),
        ];
        let ended = (verdict, output.status.code().unwrap_or(-1));
        if findings.trim_end() != *expected || !verdicts.contains(&ended) {
            let _ = writeln!(different, "--- {what}\n{said}");
        }
    }
    assert!(different.is_empty(), "{different}");
}

/// The workshop without what is wrong in it on purpose.
fn workshop() -> Home {
    let home = Home::copy_of("workshop");
    let file = home.path().join("custom/conf/robot.yaml");
    for machine in ["laser", "kiln"] {
        let path = format!("  {machine}:\n    Path: plugins/machine.sh\n");
        tree::edit(&file, &path, "");
    }
    home
}

#[test]
fn a_robot_is_looked_at_without_its_key() {
    let home = Home::copy_of("workshop");
    let output = ctl(home.path(), &["validate"]);
    assert_eq!(output.status.code(), Some(78));
    let later = "is read by a later version and has no effect yet";
    let machines = "disabled: plugin laser: custom/conf/plugins/laser.yaml:1:13: there is no plugin `guild`, which is to be the authorizer\n\
         disabled: plugin kiln: custom/conf/plugins/kiln.yaml:1:13: there is no plugin `warden`, which is to be the authorizer\n";
    let warnings = format!(
        "warning: custom/conf/robot.yaml:91:1: `ScheduledJobs` {later}\n\
         warning: custom/conf/jobs/inventory.yaml:4:1: `Arguments` {later}\n\
         warning: custom/conf/jobs/inventory.yaml:3:1: `KeepLogs` {later}\n"
    );
    let secrets = "unopened: the secret GATE_CODE cannot be opened without the robot's key\n\
         unopened: the secret PHRASE cannot be opened without the robot's key\n";
    let verdict = "not valid: 13 plugins; 2 disabled extensions, 3 warnings, 2 unopened secrets\n";
    assert_eq!(both(&output), format!("{machines}{warnings}{secrets}{verdict}"));
    let report = json(&ctl(home.path(), &["--json", "validate"]));
    assert_eq!(report["valid"], false);
    assert_eq!(report["disabled"][0]["name"], "laser");
    assert_eq!(report["unopened_secrets"], serde_json::json!(["GATE_CODE", "PHRASE"]));
    assert_eq!(report["warnings"].as_array().map(Vec::len), Some(3));
}

#[test]
fn the_exit_code_says_how_strictly_it_was_looked_at() {
    let home = workshop();
    let run = |args: &[&str]| ctl(home.path(), args);
    let plain = run(&["validate"]);
    assert_eq!(plain.status.code(), Some(0), "{}", both(&plain));
    assert!(both(&plain).ends_with("\nvalid: 13 plugins; 3 warnings, 2 unopened secrets\n"), "{}", both(&plain));
    assert_eq!(run(&["validate", "--strict"]).status.code(), Some(78));
    let custom = ctl(&home.path().join("custom"), &["validate"]);
    assert_eq!(both(&custom), both(&plain), "the configuration's own directory will do");
    let redacted = run(&["validate", "--redact"]);
    assert_eq!(redacted.status.code(), Some(0));
    assert!(!both(&redacted).contains("GATE_CODE") && !both(&redacted).contains("unopened"), "{}", both(&redacted));
    assert_eq!(json(&run(&["--json", "validate", "--redact"]))["unopened_secrets"], serde_json::json!([]));
    assert_eq!(run(&["validate", "--redact", "--strict"]).status.code(), Some(64));

    let staging = with_environment(home.path(), &["validate"], &[("GOPHER_ENVIRONMENT", "staging")]);
    assert!(staging.status.success() && both(&staging).contains("valid: 12 plugins; "), "{}", both(&staging));
    assert!(!both(&staging).contains("unopened"), "{}", both(&staging));
    let elsewhere = with_environment(home.path(), &["validate"], &[("GOPHER_ENVIRONMENT", "attic")]);
    assert_eq!(elsewhere.status.code(), Some(78));
    let missing = "custom/conf/robot.yaml:14:49: `.Include`: there is no file custom/conf/environments/attic.yaml";
    assert!(both(&elsewhere).contains(missing), "{}", both(&elsewhere));
}

fn with_environment(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut program = command(robot_binary("gopherctl").expect("gopherctl is built"));
    program.arg("-C").arg(dir).args(args).arg("--install-dir").arg(share());
    program.envs(env.iter().copied()).stdin(Stdio::null()).output().expect("gopherctl runs")
}

#[test]
fn everything_that_is_wrong_is_told_in_one_pass() {
    let home = with_base(&[
        (ROBOT, "AdminUser: [ alice ]\nTimeOut: 3\nAlias: ab\nBrain: shelf\n"),
        ("conf/protocols/test.yaml", "ProtocolConfig: { Users: [ { Name: alice\n"),
    ]);
    let output = ctl(home.path(), &["validate"]);
    let said = both(&output);
    for place in
        ["conf/robot.yaml:5:1:", "conf/robot.yaml:6:1:", "conf/protocols/test.yaml:", "conf/brains/shelf.yaml:"]
    {
        assert!(said.contains(&format!("error: {place}")), "{place}: {said}");
    }
    assert!(said.ends_with("not valid: the configuration does not load; 4 errors\n"), "{said}");
    assert_eq!(output.status.code(), Some(78));
    let report = json(&ctl(home.path(), &["--json", "validate"]));
    assert_eq!((report["errors"].as_array().map(Vec::len), &report["valid"]), (Some(4), &Value::Bool(false)));
    for args in [&["dump"][..], &["match", ";ping"]] {
        let output = ctl(home.path(), args);
        let said = both(&output);
        assert!(output.status.code() == Some(78) && said.starts_with("gopherctl: conf/robot.yaml:5:1: "), "{said}");
    }
}

#[test]
fn where_there_is_no_robot_that_is_said() {
    let empty = tempfile::tempdir().expect("a directory");
    let output = ctl(empty.path(), &["validate"]);
    let home = fs::canonicalize(empty.path()).expect("there").display().to_string();
    assert_eq!(
        both(&output),
        format!(
            "warning: there is no conf/robot.yaml in {home}, so this is the default robot in demo mode\nvalid: 10 plugins; 1 warning\n"
        )
    );
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(ctl(empty.path(), &["validate", "--strict"]).status.code(), Some(78));
    assert!(fs::read_dir(empty.path()).expect("a directory").next().is_none(), "and nothing is made there");

    let none = empty.path().join("none");
    let file = empty.path().join("file");
    fs::write(&file, "").expect("written");
    for (path, why) in [(&none, "No such file or directory"), (&file, "not a directory")] {
        for args in [&["validate"][..], &["dump"], &["match", ";ping"]] {
            let output = ctl(path, args);
            let said = both(&output);
            assert_eq!(output.status.code(), Some(64), "{args:?}: {said}");
            assert!(said.starts_with(&format!("gopherctl: {}: ", path.display())) && said.contains(why), "{said}");
        }
    }
    fs::create_dir_all(empty.path().join("conf/robot.yaml")).expect("a directory");
    let output = ctl(empty.path(), &["validate"]);
    let said = both(&output);
    assert!(said.starts_with("gopherctl: /") && said.contains("conf/robot.yaml is not a regular file"), "{said}");
    assert_eq!(output.status.code(), Some(78));
}

#[test]
fn a_dump_shows_where_everything_comes_from_and_no_secret() {
    let home = workshop();
    home.file(".env", "GATE_TOKEN=TOKEN-IN-CLEAR\nGOPHER_DEPLOY_KEY=DEPLOY-IN-CLEAR\nWORKSHOP_CHANNEL=hearth\n");
    let key = [("GOPHER_ENCRYPTION_KEY", "KEY-IN-CLEAR-KEY-IN-CLEAR-KEY-IN-CLEAR")];
    let mut all = String::new();
    let mut dump = |args: &[&str]| {
        let output = with_environment(home.path(), &[&["dump"], args].concat(), &key);
        assert_eq!(output.status.code(), Some(0), "{}", both(&output));
        all.push_str(&both(&output));
        out(&output)
    };
    let robot = dump(&[]);
    for (value, place) in [
        ("Brain: file", "custom/conf/robot.yaml:22:1"),
        ("IgnoreUnlistedUsers: true", "custom/conf/environments/production.yaml:4:1"),
        ("LogLevel: info", "conf/robot.yaml:25:1"),
        ("    Value: 012", "custom/conf/robot.yaml:49:7"),
        ("Value: {{ secret \"GATE_CODE\" }}", "custom/conf/robot.yaml:62:7"),
        (
            "Value: \"https://gate.example.com/open?token={{ env \"GATE_TOKEN\" }}&code={{ secret \"GATE_CODE\" }}\"",
            "custom/conf/robot.yaml:64:7",
        ),
        ("Value: {{ env \"GOPHER_DEPLOY_KEY\" }}", "custom/conf/robot.yaml:68:7"),
    ] {
        let found = robot.lines().any(|line| line.contains(value) && line.ends_with(place));
        assert!(found, "{value} # {place}: {robot}");
    }
    assert!(
        dump(&["plugins/forge"]).contains("  - hearth                        # custom/conf/plugins/forge.yaml:1:13\n")
    );
    let bench = dump(&["plugins/bench.yaml"]);
    assert!(bench.contains("# `_configure` output of bench:") && bench.contains("Command: sign"), "{bench}");
    let list = dump(&["--list"]);
    for name in list.lines() {
        dump(&[name]);
        let value: Value = serde_json::from_str(&dump(&["--json", name])).expect("JSON");
        assert!(value["file"] == name && value["value"].is_object(), "{value}");
    }
    assert_eq!(list.lines().next(), Some("robot.yaml"));
    for hidden in ["IN-CLEAR", "GSECRET", "AAECAwQF"] {
        assert!(!all.contains(hidden), "{hidden}: {all}");
    }
    let unknown = ctl(home.path(), &["dump", "plugins/none"]);
    assert_eq!(unknown.status.code(), Some(77));
    assert!(both(&unknown).starts_with("gopherctl: no file plugins/none.yaml is loaded; there are: robot.yaml, "));
}

#[test]
fn a_match_says_what_runs_or_why_nothing_does() {
    let home = workshop();
    for (user, channel, text, code, expected) in [
        (
            "bob",
            "general",
            ";lend saw for 2h",
            0,
            "tools/lend runs.\n\n   COMMAND     ARGUMENTS   VERDICT\n*  tools/lend  \"saw\" \"2h\"  it fits\n",
        ),
        ("bob", "general", "wrench, give back it", 0, "tools/return runs.\n"),
        ("bob", "general", ";lend saw for ages", 1, "The answer is: Invalid value: \"ages\" for: \"time\""),
        (
            "bob",
            "general",
            ";lock the drawer",
            1,
            "tools/lock is refused: Sorry, 'tools/lock' is only available to bot administrators",
        ),
        ("alice", "general", ";lock the drawer", 0, "tools/lock runs."),
        ("bob", "general", ";take bench 3", 0, "bench/take runs."),
        ("carol", "general", ";take bench 3", 1, "it is not for carol (Users)"),
        ("bob", "general", "so much dust", 0, "bench/dust runs."),
        ("bob", "general", "good morning", 0, "greeter/greet runs."),
        ("alice", "general", ";heat the forge", 1, "The answer is: forge/heat not available in #general, try #forge"),
        ("alice", "forge", ";heat the forge", 0, "forge/heat runs."),
        ("bob", "forge", ";heat the forge", 1, "it is not for bob (RequireAdmin)"),
        ("alice", "general", ";open the gate", 1, "gate/open is refused: "),
        ("alice", "", "open the gate", 0, "alice in (direct message), to the robot: open the gate\ngate/open runs."),
        ("bob", "general", ";what else", 1, "Nothing fits; the catch-all of 'greeter' gets it."),
        ("eve", "general", ";ping", 1, "Nothing runs: eve is not in UserRoster, and IgnoreUnlistedUsers is set."),
    ] {
        let output = ctl(home.path(), &["match", text, "--user", user, "--channel", channel]);
        let said = both(&output);
        assert!(output.status.code() == Some(code) && said.contains(expected), "{user} {channel} {text}: {said}");
        let report = json(&ctl(home.path(), &["--json", "match", text, "-u", user, "-c", channel]));
        let runs = report["candidates"].as_array().expect("a list").iter().any(|c| c["runs"] == true);
        assert_eq!(runs, code == 0, "{report}");
    }
    let output = ctl(home.path(), &["match", ";ping"]);
    assert!(out(&output).starts_with("alice in #general, to the robot: ping\nping/ping runs.\n"), "{}", both(&output));
}

#[test]
fn every_kind_of_file_has_a_schema() {
    let dir = tempfile::tempdir().expect("a directory");
    let schema = |kind: &str| {
        let mut program = command(robot_binary("gopherctl").expect("gopherctl is built"));
        program.current_dir(dir.path()).args(["schema", kind]).output().expect("gopherctl runs")
    };
    for (kind, key) in [
        ("robot", "AdminUsers"),
        ("protocol", "ProtocolConfig"),
        ("plugin", "Commands"),
        ("job", "KeepLogs"),
        ("brain", "BrainConfig"),
        ("history", "HistoryConfig"),
        ("queue", "QueueConfig"),
    ] {
        let schema = json(&schema(kind));
        assert!(schema["properties"][key].is_object(), "{kind}: {schema}");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
    assert_eq!(schema("robots").status.code(), Some(64));
}

#[test]
fn looking_changes_nothing_and_no_running_robot_notices() {
    let home = workshop();
    let env = home.file(".env", "GATE_TOKEN=x\n");
    // As a first start of the robot would be at, and as a fresh checkout leaves it.
    home.file("custom/.binary-encrypted-key.new", "");
    fs::set_permissions(&env, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("mode");
    let looks: [&[&str]; 5] =
        [&["validate"], &["validate", "--strict"], &["dump"], &["dump", "--list"], &["match", ";ping"]];
    let before = tree::snapshot(home.path());
    for args in looks {
        with_environment(home.path(), args, &[("GOPHER_ENCRYPTION_KEY", "0123456789abcdef0123456789abcdef")]);
        assert!(tree::snapshot(home.path()) == before, "{args:?}");
    }
    drop(home);

    let mut home = Home::new();
    home.bash("echo", "", &[("echo", "echo (.+)")], "echo) Say \"heard $2\" ;;");
    let mut robot = Robot::start(home, &Start::default());
    let status = |robot: &Robot| {
        let status = json(&robot.gopherctl(&["--json", "status"]));
        let roles = ["secretd", "engine", "connector test"].map(|role| robot.home.role_status(role));
        // Only a robot in plain mode has one.
        let cookie = fs::read(robot.home.run_dir().join("cookie")).ok();
        (status["generation"].clone(), roles, cookie)
    };
    robot.ask(";echo one", "heard one");
    let before = status(&robot);
    for args in looks {
        ctl(robot.home.path(), args);
    }
    assert_eq!(status(&robot), before);
    robot.ask(";echo two", "heard two");
}

//! Default configurations are kept: a plugin of which nothing has changed is not asked again, in this life of the robot
//! or in the next one. What `_configure` prints on standard error stands in the robot's log, and so counts its runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use gopher_tests::{
    robot::{Home, Robot, Start},
    tree,
};

/// A workshop whose `tools` say when they are asked, and whose `forge` takes its command from a file.
fn home() -> Home {
    let home = Home::copy_of("workshop");
    tree::edit(
        &home.path().join("custom/plugins/tools.sh"),
        "_configure)\n",
        "_configure)\n    echo 'who asks tools' >&2\n",
    );
    let forge = home.path().join("custom/plugins/forge.sh");
    tree::edit(&forge, "(?i:heat the forge)", "$(cat \"$GOPHER_CONFIGDIR/lib/words\")");
    tree::edit(&forge, "cat <<'CONFIG'", "echo 'who asks forge' >&2\n    cat <<CONFIG");
    home.file("custom/lib/words", "heat it");
    home
}

fn start(home: Home) -> Robot {
    Robot::start(home, &Start::gopherd(&[]).with("GOPHER_ENVIRONMENT", "staging"))
}

/// How often the plugin was asked since the robot's start.
fn asked(robot: &Robot, plugin: &str) -> usize {
    let logs = robot.gopherctl(&["logs", "-n", "2000"]);
    let words = format!(": ERR who asks {plugin}");
    let lines = String::from_utf8_lossy(&logs.stdout).into_owned();
    lines.lines().filter(|line| line.ends_with(&words)).count()
}

fn reload(robot: &Robot) -> String {
    let output = robot.gopherctl(&["reload"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn a_plugin_of_which_nothing_has_changed_is_not_asked_again() {
    let mut robot = start(home());
    robot.ask(";lend saw", "lent: saw");
    assert_eq!((asked(&robot, "tools"), asked(&robot, "forge")), (1, 1));
    for _ in 0..3 {
        reload(&robot);
    }
    assert_eq!((asked(&robot, "tools"), asked(&robot, "forge")), (1, 1));

    let script = robot.home.path().join("custom/plugins/tools.sh");
    let text = fs::read_to_string(&script).expect("the script");
    fs::write(&script, &text).expect("written");
    let said = reload(&robot);
    assert!(!said.contains("plugin tools"), "it says the same: {said}");
    assert_eq!(asked(&robot, "tools"), 2, "the same text, written later");
    reload(&robot);
    assert_eq!(asked(&robot, "tools"), 2);

    let mut robot = start(robot.stop());
    assert_eq!((asked(&robot, "tools"), asked(&robot, "forge")), (0, 0), "not even after a restart");
    robot.ask(";lend saw", "lent: saw");

    fs::write(robot.home.path().join("custom/lib/words"), "melt it").expect("written");
    let said = reload(&robot);
    assert!(said.contains("~ plugin forge: Commands\n"), "{said}");
    assert_eq!(asked(&robot, "forge"), 1, "what it reads may have changed what it says");
    robot.say_in("forge", "alice", ";melt it");
    assert_eq!(robot.hear().text, "the forge is hot");
}

#[test]
fn a_plugin_that_failed_is_asked_each_time() {
    let home = home();
    let script = home.path().join("custom/plugins/tools.sh");
    tree::edit(&script, "_configure)\n", "_configure)\n    echo 'who asks tools' >&2; exit 3\n");
    let mut robot = start(home);
    for n in 2..4 {
        let said = reload(&robot);
        assert!(said.contains("disabled: plugin tools: ") && said.contains("exit code 3"), "{said}");
        assert_eq!(asked(&robot, "tools"), n);
    }
    tree::edit(&script, "echo 'who asks tools' >&2; exit 3\n", "");
    assert!(reload(&robot).contains("+ plugin tools\n"));
    robot.ask(";lend saw", "lent: saw");
    reload(&robot);
    assert_eq!(asked(&robot, "tools"), 4);
}

//! Loading a configuration anew in a running robot: what is in force afterwards, what is told, and what is left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use gopher_tests::{
    robot::{Home, Robot, Start, descendants, eventually, name, signal},
    tree,
};
use nix::sys::signal::Signal;

/// Nothing takes longer; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

const ECHO: &[(&str, &str)] = &[("echo", "echo (.+)"), ("hold", "hold")];

/// `hold` stays until somebody answers, and then says what it was configured with.
const CASES: &str = r#"
echo) Say "heard $2 at $(GetParameter SITE)" ;;
hold) PromptForReply SimpleString "Shall I go on?" >/dev/null
      Say "held at $(GetParameter SITE) with $(GetTaskConfig)" ;;
"#;

/// A robot whose plugin `echo` says what it is configured with.
fn home() -> Home {
    let mut home = Home::new();
    home.bash("echo", ", Parameters: [ { Name: SITE, Value: berlin } ]", ECHO, CASES);
    home.bash("old", "", &[("old", "old one")], "old) Say \"the old one\" ;;");
    home.file("conf/plugins/echo.yaml", "Config: { Colour: red }\n");
    home
}

fn start() -> Robot {
    Robot::start(home(), &Start::default())
}

fn robot_yaml(robot: &Robot) -> PathBuf {
    robot.home.path().join("conf/robot.yaml")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `gopherctl reload` that must end with this code; what it said.
fn reload(robot: &Robot, code: i32) -> String {
    let output = robot.gopherctl(&["reload"]);
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    said(&output)
}

/// A plugin `fresh` in place of `old`.
fn replace_old(robot: &Robot) {
    let script = robot.home.path().join("plugins/fresh.sh");
    fs::copy(robot.home.path().join("plugins/old.sh"), &script).expect("copied");
    tree::edit(&script, "Regex: 'old one'", "Regex: 'fresh one'");
    tree::edit(&script, "the old one", "the fresh one");
    tree::edit(&robot_yaml(robot), "  old: { Path: plugins/old.sh }", "  fresh: { Path: plugins/fresh.sh }");
}

/// Processes that serve runs and loads.
fn workers(robot: &Robot) -> Vec<u32> {
    descendants(robot.starter()).into_iter().filter(|pid| name(*pid).contains("gopher-worker")).collect()
}

/// Workers of a robot that does nothing: its extensions are with network and without (`knock` of the install tree), and
/// for each of the two there is a spawner, the first process of its namespace, and one that waits for a run.
const IDLE: usize = 6;

/// Waits until nothing is left of what has ended, not even an entry in the table of processes.
fn settle(robot: &Robot) {
    let count = || (workers(robot).len(), dead(robot));
    let (live, dead) = count();
    let what = format!("the end of all but {IDLE} workers, of which there were {live} alive and {dead} not reaped,");
    eventually(&what, || count() == (IDLE, 0));
}

/// How many processes have ended without anybody having asked how.
fn dead(robot: &Robot) -> usize {
    let stat = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let is_dead = |stat: &str| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" Z"));
    descendants(robot.starter()).iter().map(stat).filter(|stat| is_dead(stat)).count()
}

fn generation(robot: &Robot) -> u64 {
    let status = robot.gopherctl(&["--json", "status"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).expect("JSON");
    status["generation"].as_u64().expect("a number")
}

#[test]
fn what_has_changed_is_shown_and_in_force() {
    let mut robot = start();
    assert_eq!(reload(&robot, 0), "valid: 10 plugins\n", "nothing has changed");
    replace_old(&robot);
    tree::edit(&robot_yaml(&robot), "Value: berlin", "Value: rome");
    tree::edit(&robot_yaml(&robot), "AdminUsers: [ alice ]", "AdminUsers: [ alice, bob ]\nAdminContact: the desk");
    fs::write(robot.home.path().join("conf/plugins/echo.yaml"), "Config: { Colour: red }\nRequireAdmin: true\n")
        .expect("written");
    assert_eq!(
        reload(&robot, 0),
        "~ AdminContact: \"\" -> \"the desk\"\n\
         ~ AdminUsers: [alice] -> [alice, bob]\n\
         ~ plugin echo: RequireAdmin\n\
         + plugin fresh\n\
         - plugin old\n\
         valid: 10 plugins\n"
    );
    robot.say("carol", ";fresh one");
    robot.hear_about("the fresh one");
    robot.say("carol", ";old one");
    let answer = robot.hear().text;
    assert!(!answer.contains("the old one"), "{answer}");
    robot.say("bob", ";echo one");
    assert_eq!(robot.hear_about("heard").text, "heard one at rome");
    robot.say("carol", ";echo two");
    let answer = robot.hear().text;
    assert!(!answer.contains("heard two"), "{answer}");
    let json = robot.gopherctl(&["--json", "reload"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!((&report["valid"], &report["changes"]), (&true.into(), &serde_json::json!([])));
}

#[test]
fn an_administrator_reloads_in_chat_and_nobody_else() {
    let mut robot = start();
    let before = generation(&robot);
    replace_old(&robot);
    robot.say("bob", ";reload");
    let refusal = robot.hear().text;
    assert!(!refusal.contains("reloaded"), "{refusal}");
    assert_eq!(generation(&robot), before);
    robot.ask(";reload", "Configuration reloaded successfully");
    assert_eq!(generation(&robot), before + 1);
    robot.ask(";fresh one", "the fresh one");
    let log = said(&robot.gopherctl(&["logs", "-n", "2000"]));
    assert!(log.contains("changed: + plugin fresh") && log.contains("changed: - plugin old"), "{log}");
}

/// What makes a configuration unloadable, and where that is.
type Breakage = (&'static str, fn(&Path), &'static str);

const BREAKAGES: &[Breakage] = &[
    ("no YAML", |dir| append(dir, "conf/robot.yaml", "Alias: [ \n"), "conf/robot.yaml:13:1: this is not valid YAML"),
    (
        "no template",
        |dir| append(dir, "conf/robot.yaml", "# {{ variable \"LOST\" }}\n"),
        "conf/robot.yaml:12:6: template variable \"LOST\" is not defined",
    ),
    (
        "an unknown key",
        |dir| append(dir, "conf/robot.yaml", "AdminUser: [ bob ]\n"),
        "conf/robot.yaml:12:1: unknown key `AdminUser`",
    ),
    (
        "no robot.yaml",
        |dir| fs::remove_file(dir.join("conf/robot.yaml")).expect("removed"),
        "conf/robot.yaml: there is no such file",
    ),
    (
        "no protocol",
        |dir| append(dir, "conf/protocols/test.yaml", "ProtocolConfig: {}\n"),
        "conf/protocols/test.yaml:5:1: the key `ProtocolConfig` stands here a second time",
    ),
    (
        "a privileged file",
        |dir| append(dir, "conf/plugins/echo.yaml", "Privileged: true\n"),
        "conf/plugins/echo.yaml:2:1: task 'echo' illegally specifies 'Privileged' outside of robot.yaml",
    ),
    (
        "no variables",
        |dir| append(dir, "conf/variables/common.yaml", "Variable: {}\n"),
        "conf/variables/common.yaml:1:1: loading custom variables: unknown key `Variable`",
    ),
];

fn append(dir: &Path, file: &str, text: &str) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().expect("has a parent")).expect("directory");
    let before = fs::read_to_string(&path).unwrap_or_default();
    fs::write(path, before + text).expect("written");
}

#[test]
fn a_refused_configuration_changes_nothing_and_leaves_nothing_behind() {
    let mut robot = start();
    reload(&robot, 0);
    let before = generation(&robot);
    for (what, spoil, place) in BREAKAGES {
        let whole = tempfile::tempdir().expect("a directory");
        tree::copy(&robot.home.path().join("conf"), whole.path());
        // What would be different if it were loaded.
        tree::edit(&robot_yaml(&robot), "Value: berlin", "Value: nowhere");
        tree::edit(&robot_yaml(&robot), "  old:", "  other:");
        spoil(robot.home.path());
        let refused = reload(&robot, 78);
        assert!(refused.starts_with(&format!("error: {place}")), "{what}: {refused}");
        assert!(refused.ends_with("not valid: the configuration does not load; 1 error\n"), "{what}: {refused}");
        robot.ask(";reload", "Error encountered during reload:");
        let reasons = robot.hear().text;
        assert!(reasons.to_lowercase().contains(&place.to_lowercase()), "{what}: {reasons}");
        assert_eq!(robot.ask(";echo one", "heard"), "heard one at berlin", "{what}");
        robot.ask(";old one", "the old one");
        assert_eq!(generation(&robot), before, "{what}");
        fs::remove_dir_all(robot.home.path().join("conf")).expect("removed");
        tree::copy(whole.path(), &robot.home.path().join("conf"));
        settle(&robot);
    }
    reload(&robot, 0);
    settle(&robot);
    robot.ask(";old one", "the old one");
}

#[test]
fn a_run_in_flight_ends_with_what_it_began_with() {
    let mut robot = start();
    robot.ask(";hold", "Shall I go on?");
    tree::edit(&robot_yaml(&robot), "Value: berlin", "Value: rome");
    fs::write(robot.home.path().join("conf/plugins/echo.yaml"), "Config: { Colour: blue }\n").expect("written");
    for _ in 0..3 {
        reload(&robot, 0);
    }
    robot.say("bob", ";echo meanwhile");
    assert_eq!(robot.hear_about("heard").text, "heard meanwhile at rome");
    // Its plugin goes, and the run does not.
    tree::edit(&robot_yaml(&robot), "  echo:", "  echo-gone:");
    reload(&robot, 0);
    let ended = robot.ask("yes", "held");
    assert!(ended.contains("held at berlin with") && ended.contains("red") && !ended.contains("blue"), "{ended}");
    tree::edit(&robot_yaml(&robot), "  echo-gone:", "  echo:");
    reload(&robot, 0);
    robot.ask(";hold", "Shall I go on?");
    let ended = robot.ask("yes", "held");
    assert!(ended.contains("held at rome with") && ended.contains("blue"), "{ended}");
    settle(&robot);
}

#[test]
fn reloads_one_upon_the_other_leave_no_process_behind() {
    let mut home = home();
    for n in 0..40 {
        home.bash(&format!("more{n}"), "", &[], "");
    }
    let mut robot = Robot::start(home, &Start::default());
    for _ in 0..30 {
        // Each plugin of its predecessor still has its `_init`.
        robot.gopherctl(&["reload"]);
    }
    settle(&robot);
    robot.ask(";echo again", "heard again");
}

#[test]
fn reloads_at_once_wait_for_each_other() {
    let mut robot = start();
    robot.ask(";echo one", "heard");
    replace_old(&robot);
    let clients: Vec<Child> = (0..4)
        .map(|_| {
            let mut client = robot.home.gopherctl(&["reload"]);
            client.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("gopherctl")
        })
        .collect();
    robot.say("alice", ";reload");
    let outputs: Vec<Output> = clients.into_iter().map(|c| c.wait_with_output().expect("its output")).collect();
    robot.hear_about("Configuration reloaded successfully");
    for output in &outputs {
        assert_eq!(output.status.code(), Some(0), "{}", said(output));
        assert!(said(output).ends_with("valid: 10 plugins\n"), "{}", said(output));
    }
    let log = said(&robot.gopherctl(&["logs", "-n", "2000"]));
    assert_eq!(log.matches("changed: + plugin fresh").count(), 1, "the first of them changed it: {log}");
    robot.ask(";fresh one", "the fresh one");
    settle(&robot);
}

/// `gopherctl reload --watch` with its output as it comes, of both kinds.
struct Watch {
    process: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(robot: &Robot) -> Self {
        let mut program = robot.home.gopherctl(&["reload", "--watch"]);
        let mut process = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("gopherctl");
        let (tell, lines) = channel();
        follow(process.stdout.take().expect("a pipe"), tell.clone());
        follow(process.stderr.take().expect("a pipe"), tell);
        Self { process, lines }
    }

    /// All lines until one begins like this.
    fn until(&self, wanted: &str) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("no {wanted}: {e}: {seen:?}"));
            seen.push(line);
            if seen.last().is_some_and(|line| line.starts_with(wanted)) {
                return seen;
            }
        }
    }
}

fn follow(output: impl Read + Send + 'static, tell: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_watch_reloads_whatever_way_a_file_is_saved() {
    let mut robot = start();
    let mut watch = Watch::start(&robot);
    watch.until("valid: 10 plugins");
    // As most editors do it: a file beside, renamed.
    let (file, beside) = (robot_yaml(&robot), robot.home.path().join("conf/.robot.yaml.new"));
    let text = fs::read_to_string(&file).expect("robot.yaml");
    fs::write(&beside, format!("AdminContact: the desk\n{text}")).expect("written");
    fs::rename(&beside, &file).expect("renamed");
    watch.until("~ AdminContact: \"\" -> \"the desk\"");
    watch.until("valid: ");
    // In place.
    fs::write(&file, format!("AdminContact: the door\n{text}")).expect("written");
    watch.until("~ AdminContact: \"the desk\" -> \"the door\"");
    watch.until("valid: ");
    // A script is a part of the robot.
    tree::edit(&robot.home.path().join("plugins/old.sh"), "Regex: 'old one'", "Regex: 'old two'");
    watch.until("~ plugin old: Commands");
    robot.ask(";old two", "the old one");
    // A mistake is told, and the next save is looked at all the same.
    fs::write(&file, format!("AdminContact: the door\nAdminUser: []\n{text}")).expect("written");
    watch.until("error: conf/robot.yaml:2:1: unknown key `AdminUser`");
    watch.until("not valid: ");
    robot.ask(";echo one", "heard one");
    fs::write(&file, format!("AdminContact: the roof\n{text}")).expect("written");
    watch.until("~ AdminContact: \"the door\" -> \"the roof\"");
    watch.until("valid: ");
    // Whoever starts tests in the background of a shell has SIGINT ignored, and so would the watch.
    signal(watch.process.id(), Signal::SIGTERM);
    eventually("the end of the watch", || watch.process.try_wait().expect("its state").is_some());
    robot.ping();
}

#[test]
fn a_watch_ends_with_its_robot() {
    let robot = start();
    let mut watch = Watch::start(&robot);
    watch.until("valid: ");
    let home = robot.stop();
    append(home.path(), "conf/robot.yaml", "# saved\n");
    eventually("the end of the watch", || watch.process.try_wait().expect("its state").is_some());
    assert_eq!(watch.process.wait().expect("its status").code(), Some(69));
}

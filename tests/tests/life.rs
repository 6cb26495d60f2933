//! How a robot lives and ends: who is restarted when what dies, what survives nobody, what refuses to start.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Output, Stdio},
    time::{Duration, Instant},
};

use gopher_tests::{
    programs::{command, robot_binary},
    robot::{Home, Robot, Start, eventually, gopherd, how_many_run, is_root, name, signal, somebody_runs},
};
use nix::sys::signal::Signal;

const KEY: (&str, &str) = ("GOPHER_ENCRYPTION_KEY", "0123456789abcdef0123456789abcdef");

const COMMANDS: &[(&str, &str)] = &[("echo", "echo (\\S+)"), ("sh", "sh (.+)"), ("hold", "hold (\\S+)")];

/// `hold` leaves a daemon behind and stays.
const CASES: &str = r#"
echo) Say -r "heard $2" ;;
sh) Say -r "$(bash -c "$2" 2>&1) end" ;;
hold) setsid sh -c 'sleep 1000; :' "$2" >/dev/null 2>&1 </dev/null &
      Say -r "holding $2"; exec sh -c 'sleep 1000; :' "$2" ;;
"#;

fn home() -> Home {
    let mut home = Home::new();
    home.bash("probe", "", COMMANDS, CASES);
    home
}

fn start() -> Robot {
    Robot::start(home(), &Start::gopherd(&[]))
}

/// A word that no other test has in a command line.
fn marker(test: &str) -> String {
    format!("gopher-life-{test}-{}", std::process::id())
}

/// Has a run that stays, and a daemon of it, with this marker.
fn hold(robot: &mut Robot, marker: &str) {
    robot.say("bob", &format!(";hold {marker}"));
    robot.hear_about("holding");
    eventually("the run and its daemon", || how_many_run(&format!("sleep 1000; : {marker}")) == 2);
}

fn pid_of(robot: &Robot, role: &str) -> Option<u32> {
    robot.home.role_status(role)?["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok())
}

fn restarts(robot: &Robot, role: &str) -> u64 {
    robot.home.role_status(role).and_then(|r| r["restarts"].as_u64()).unwrap_or_default()
}

/// Kills a role and waits until another process has its place.
fn kill_and_wait(robot: &Robot, role: &str, with: Signal) -> u32 {
    let before = pid_of(robot, role).unwrap_or_else(|| panic!("there is no {role}"));
    signal(before, with);
    eventually(&format!("the restart of {role}"), || pid_of(robot, role).is_some_and(|pid| pid != before));
    before
}

fn none_lives(pids: &[u32]) -> bool {
    pids.iter().all(|pid| name(*pid).is_empty())
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Tries to start a robot that must not start: its exit code and what it said.
fn refused(home: &Home, options: &[&str], env: &[(&str, &str)]) -> (Option<i32>, String) {
    home.write();
    let env: Vec<_> = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let output = gopherd(home, options, &env).output().expect("gopherd runs");
    (output.status.code(), text(&output))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[test]
fn asked_to_end_everything_ends_within_seconds() {
    for with in [Signal::SIGTERM, Signal::SIGINT] {
        let marker = marker(with.as_str());
        let mut robot = start();
        hold(&mut robot, &marker);
        let (processes, run_dir) = (robot.processes(), robot.home.run_dir());
        assert!(processes.len() > 4 && run_dir.join("status.json").is_file(), "{processes:?}");
        let asked = Instant::now();
        signal(robot.starter(), with);
        assert_eq!(robot.wait().code(), Some(0), "{}", robot.errors());
        assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
        assert!(!run_dir.exists(), "the run directory is gone");
        eventually("the end of every process", || none_lives(&processes) && !somebody_runs(&marker));
    }
}

#[test]
fn nothing_survives_a_supervisor_that_was_killed() {
    let marker = marker("killed");
    let mut robot = start();
    hold(&mut robot, &marker);
    let processes = robot.processes();
    signal(robot.starter(), Signal::SIGKILL);
    robot.wait();
    eventually("the end of every process", || none_lives(&processes) && !somebody_runs(&marker));
    let mut again = Robot::start(robot.stop(), &Start::gopherd(&[]));
    assert_eq!(again.ask(";echo again", "heard"), "heard again");
}

#[test]
fn a_second_instance_is_refused_by_name_and_the_first_goes_on() {
    let mut robot = start();
    let (code, said) = refused(&robot.home, &["--protocol", "test"], &[KEY]);
    assert_eq!(code, Some(75), "{said}");
    let home = fs::canonicalize(robot.home.path()).unwrap();
    assert!(said.contains(&home.display().to_string()) && said.contains(&robot.starter().to_string()), "{said}");
    assert_eq!(robot.ask(";echo on", "heard"), "heard on");
    assert!(robot.gopherctl(&["status"]).status.success());
}

#[test]
fn an_engine_that_dies_is_restarted_without_the_runs_of_the_old_one() {
    let marker = marker("engine");
    let mut robot = start();
    hold(&mut robot, &marker);
    let connector = pid_of(&robot, "connector test");
    let dead = kill_and_wait(&robot, "engine", Signal::SIGKILL);
    eventually("the end of the old runs", || !somebody_runs(&marker));
    eventually("a new connector", || pid_of(&robot, "connector test").is_some_and(|pid| Some(pid) != connector));
    robot.reconnect();
    assert_eq!(robot.ask(";echo again", "heard"), "heard again");
    assert!(name(dead).is_empty());
    assert_eq!(restarts(&robot, "engine"), 1);
    let last = robot.home.role_status("engine").unwrap()["last_exit"].clone();
    assert_eq!(last, "signal 9");
}

#[test]
fn a_connector_that_dies_is_restarted_alone() {
    let mut robot = start();
    let engine = pid_of(&robot, "engine");
    kill_and_wait(&robot, "connector test", Signal::SIGKILL);
    robot.reconnect();
    assert_eq!(robot.ask(";echo again", "heard"), "heard again");
    assert_eq!(pid_of(&robot, "engine"), engine);
    assert_eq!((restarts(&robot, "connector test"), restarts(&robot, "engine")), (1, 0));
}

/// A robot that does not outlive a failing test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says one line at a console; what is shown.
fn console(home: &Home, line: &str) -> String {
    let mut console = home.gopherctl(&["console"]);
    let mut console = console.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that did not get in has closed its end.
    let _ = console.stdin.take().unwrap().write_all(format!("{line}\n").as_bytes());
    text(&console.wait_with_output().unwrap())
}

#[test]
fn a_terminal_connector_that_dies_takes_consoles_again() {
    let home = home();
    home.write();
    let process = gopherd(&home, &["--protocol", "terminal"], &[]).stderr(Stdio::null()).spawn().unwrap();
    let mut process = Guard(process);
    let terminal =
        || home.role_status("connector terminal").and_then(|r| r["pid"].as_u64()).and_then(|p| u32::try_from(p).ok());
    eventually("a console", || terminal().is_some() && console(&home, ";ping").contains("PONG"));
    let before = terminal().unwrap();
    signal(before, Signal::SIGKILL);
    eventually("the restart", || terminal().is_some_and(|pid| pid != before));
    eventually("a console", || console(&home, ";ping").contains("PONG"));
    signal(process.0.id(), Signal::SIGTERM);
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_secretd_that_dies_ends_live_runs_and_comes_back_where_its_key_can_be_had_again() {
    for (test, start) in
        [("no-key", Start::gopherd(&[])), ("settings", Start::gopherd(&[]).with("GOPHER_LOGLEVEL", "debug"))]
    {
        let marker = marker(test);
        let mut robot = Robot::start(home(), &start);
        hold(&mut robot, &marker);
        kill_and_wait(&robot, "secretd", Signal::SIGKILL);
        eventually("the end of live runs", || !somebody_runs(&marker));
        assert!(robot.ping() < Duration::from_secs(5));
        let mut tries = 0;
        eventually("a run", || {
            tries += 1;
            robot.say("alice", &format!(";echo {tries}"));
            loop {
                let heard = robot.hear().text;
                if heard == format!("heard {tries}") {
                    return true;
                }
                if heard.contains("ipeline failed") || heard.contains("not") {
                    return false;
                }
            }
        });
        assert_eq!((restarts(&robot, "secretd"), restarts(&robot, "engine")), (1, 0));
    }
}

#[test]
fn a_secretd_that_dies_with_a_key_of_the_environment_ends_the_robot() {
    let marker = marker("launch-key");
    let mut robot = Robot::start(home(), &Start::gopherd(&[]).with(KEY.0, KEY.1));
    hold(&mut robot, &marker);
    let processes = robot.processes();
    signal(robot.role("gopher-secretd"), Signal::SIGKILL);
    assert_eq!(robot.wait().code(), Some(78));
    let said = robot.errors();
    assert!(said.contains("its key came from the environment") && said.contains("start the robot again"), "{said}");
    eventually("the end of every process", || none_lives(&processes) && !somebody_runs(&marker));
}

#[test]
fn no_run_is_forgotten_however_soon_it_ends() {
    let mut home = home();
    home.declare("nothing", "plugins/nothing", "");
    home.file("conf/plugins/nothing.yaml", "Commands: [ { Command: nothing, Regex: 'nothing' } ]\n");
    let source = home.file("nothing.c", "int main(void) { return 0; }\n");
    home.compile("nothing", &source);
    let mut robot = Robot::start(home, &Start::gopherd(&[]));
    for _ in 0..20 {
        for user in ["alice", "bob", "carol"].into_iter().cycle().take(12) {
            robot.say(user, ";nothing");
        }
        robot.ask(";echo over", "heard");
    }
    // A new engine is started when every run of the old one has been seen to end.
    kill_and_wait(&robot, "engine", Signal::SIGKILL);
}

#[test]
fn a_spawner_that_dies_is_replaced_for_the_next_run() {
    let mut robot = start();
    assert_eq!(robot.ask(";echo one", "heard"), "heard one");
    let spawner = robot.role("spawner");
    signal(spawner, Signal::SIGKILL);
    eventually("its end", || name(spawner).is_empty());
    assert_eq!(robot.ask(";echo two", "heard"), "heard two");
}

#[test]
fn a_connector_that_hangs_does_not_keep_anybody_else_waiting() {
    let mut robot = start();
    let connector = robot.role("gopher-connector");
    signal(connector, Signal::SIGSTOP);
    for _ in 0..20 {
        robot.say("alice", ";ping");
    }
    let asked = Instant::now();
    let status = robot.gopherctl(&["status"]);
    assert!(status.status.success() && asked.elapsed() < Duration::from_secs(5), "{}", text(&status));
    signal(connector, Signal::SIGCONT);
    robot.hear_about("PONG");
}

#[test]
fn each_run_has_a_cgroup_where_one_is_delegated() {
    let marker = marker("cgroup");
    let mut robot = start();
    let status = text(&robot.gopherctl(&["status"]));
    let missing = status.lines().find(|line| line.contains("No cgroup is delegated"));
    if let Some(reason) = missing {
        assert!(reason.contains("limits of runs are kept process by process"), "{reason}");
        println!("skipped: {}", reason.split_whitespace().skip(1).collect::<Vec<_>>().join(" "));
        return;
    }
    hold(&mut robot, &marker);
    let own = |pid: u32| {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        groups
            .lines()
            .find_map(|l| l.strip_prefix("0::/"))
            .map(|group| Path::new("/sys/fs/cgroup").join(group))
            .unwrap()
    };
    let run = robot.processes().into_iter().find(|pid| name(*pid).contains(&marker)).expect("the run");
    assert!(own(run).file_name().unwrap().to_str().unwrap().starts_with("run-"), "{}", own(run).display());
    assert_eq!(fs::read_to_string(own(run).join("pids.max")).unwrap().trim(), "256");
    assert!(own(robot.starter()).ends_with("robot"));
}

#[test]
fn a_role_started_by_hand_says_who_starts_it() {
    for role in ["gopher-engine", "gopher-connector", "gopher-worker", "gopher-secretd"] {
        let program = robot_binary(role).expect("built");
        // Whatever the test itself has on that descriptor.
        let output = command("/bin/sh").args(["-c", "exec \"$0\" 3>&-"]).arg(program).output().expect("runs");
        assert!(!output.status.success(), "{role}");
        assert!(text(&output).contains("started by gopherd"), "{role}: {}", text(&output));
    }
}

#[test]
fn the_key_file_is_made_once_and_opens_with_its_key_only() {
    let home = home();
    let file = home.path().join("binary-encrypted-key");
    let with_key = || Start::gopherd(&[]).with(KEY.0, KEY.1);
    let home = Robot::start(home, &with_key()).stop();
    let made = fs::read(&file).expect("it was made");
    assert_eq!(mode(&file), 0o600);
    let mut robot = Robot::start(home, &with_key());
    assert_eq!(robot.ask(";echo same", "heard"), "heard same");
    let home = robot.stop();
    assert_eq!(fs::read(&file).unwrap(), made, "a second start does not touch it");

    let wrong = (KEY.0, "ffffffffffffffffffffffffffffffff");
    let (code, said) = refused(&home, &["--protocol", "test"], &[wrong]);
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("binary-encrypted-key does not open with this GOPHER_ENCRYPTION_KEY"), "{said}");
    assert!(!said.contains(wrong.1), "{said}");
    assert!(!home.run_dir().exists());

    fs::write(&file, &made[..made.len() / 2]).unwrap();
    let (code, said) = refused(&home, &["--protocol", "test"], &[KEY]);
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("binary-encrypted-key") && said.contains("truncated"), "{said}");
    assert_eq!(fs::read(&file).unwrap(), made[..made.len() / 2], "nor does a start that fails");
}

#[test]
fn a_private_environment_that_others_could_read_is_closed_to_them() {
    let home = home();
    let file = home.file(".env", "GOPHER_LOGLEVEL=debug\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let robot = Robot::start(home, &Start::gopherd(&[]));
    assert_eq!(mode(&file), 0o400);
    assert!(robot.errors().contains(".env"), "{}", robot.errors());
}

#[test]
fn without_isolation_files_are_still_fenced_and_nothing_is_left_behind() {
    let home = home();
    home.file(".env", "GOPHER_SOMETHING=SECRET-IN-A-FILE\n");
    if is_root() {
        let (code, said) = refused(&home, &["--no-isolation", "--protocol", "test"], &[]);
        assert_eq!(code, Some(64), "{said}");
        assert!(said.contains("--no-isolation") && said.contains("ordinary user"), "{said}");
        println!("skipped: runs without isolation are for ordinary users; root is refused");
        return;
    }
    let marker = marker("unconfined");
    let mut robot = Robot::start(home, &Start::gopherd(&["--no-isolation"]).with(KEY.0, KEY.1));
    let status = text(&robot.gopherctl(&["status"]));
    assert!(status.contains("unconfined") && status.contains("--no-isolation"), "{status}");
    let seen = robot.ask(";sh cd $GOPHER_HOME; cat conf/robot.yaml plugins/*.sh", " end");
    assert!(seen.contains("bender") && seen.contains("hold"), "{seen}");
    let cookie = robot.home.run_dir().join("cookie");
    assert!(cookie.is_file());
    let forbidden = format!(".env binary-encrypted-key state/engine/* {}", cookie.display());
    let tried =
        robot.ask(&format!(";sh cd $GOPHER_HOME; for f in {forbidden}; do cat $f && echo readable; done"), " end");
    assert!(!tried.contains("SECRET-IN-A-FILE") && !tried.contains("readable"), "{tried}");
    assert!(tried.contains("Permission denied"), "{tried}");
    // A daemon of a run that ends, then of one that is killed, then of one that the robot's end finds.
    let daemon = |n: u32| {
        format!(";sh setsid sh -c 'sleep 1000; :' {marker}-{n} >/dev/null 2>&1 </dev/null & sleep 0.1; echo left")
    };
    robot.ask(&daemon(1), "left");
    eventually("the end of a daemon", || !somebody_runs(&marker));
    hold(&mut robot, &marker);
    let killed = text(&robot.gopherctl(&["ps"]));
    let pipeline = killed.lines().find(|l| l.contains("hold")).and_then(|l| l.split_whitespace().next()).unwrap();
    assert!(robot.gopherctl(&["kill", pipeline]).status.success(), "{killed}");
    eventually("the end of a killed run", || !somebody_runs(&marker));
    hold(&mut robot, &marker);
    robot.stop();
    eventually("the end of what the robot's end found", || !somebody_runs(&marker));
}

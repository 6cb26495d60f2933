//! What a run cannot do, tried from inside one. Each attempt that must fail stands beside one that must succeed,
//! so that no test passes because nothing works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::TcpListener;

use gopher_tests::{
    programs::workspace,
    robot::{Home, Robot, Start, somebody_runs},
};

const COMMANDS: &[(&str, &str)] =
    &[("walls", "walls (\\w+) ?(\\d*)"), ("sh", "sh (.+)"), ("marker", "marker (\\S+)"), ("hold", "hold (\\S+)")];

const CASES: &str = r#"
walls) Say -r "$("$GOPHER_HOME/plugins/walls" $2 $3 2>&1) end" ;;
sh) Say -r "$(bash -c "$2" 2>&1) end" ;;
marker) setsid sh -c 'sleep 1000' "$2" >/dev/null 2>&1 </dev/null & sleep 0.1; Say -r "left $2" ;;
hold) echo secret-of-another-run >/tmp/held; Say -r "holding $2"; sleep 20 ;;
"#;

/// A robot with the same probe in two profiles: without and with network.
fn home() -> Home {
    let mut home = Home::new();
    home.compile("walls", &workspace().join("tests/programs/walls.c"));
    home.bash("probe", ", Network: false", COMMANDS, CASES);
    home.bash("open", ", Network: true", &[("walls", "open (\\w+) ?(\\d*)")], CASES);
    home
}

fn caged() -> Robot {
    Robot::start(home(), &Start { caged: true, ..Start::default() })
}

fn probe(robot: &mut Robot, command: &str) -> String {
    robot.ask(&format!(";{command}"), " end")
}

/// Every line of the form `name: result` says one of `wanted`.
fn all_refused(report: &str, wanted: &[&str]) {
    let lines: Vec<_> = report.lines().filter_map(|line| line.split_once(": ")).collect();
    assert!(lines.len() > 2, "{report}");
    for (name, result) in lines {
        assert!(wanted.iter().any(|w| result.starts_with(w)), "{name}: {result}\n{report}");
    }
}

#[test]
fn a_run_cannot_use_forbidden_system_calls() {
    let report = probe(&mut caged(), "walls calls");
    all_refused(&report, &["EPERM", "ENOSYS"]);
    for call in ["bpf", "io_uring_setup", "keyctl", "perf_event_open", "userfaultfd", "mount"] {
        assert!(report.contains(&format!("{call}: EPERM")), "{call}: {report}");
    }
    for call in ["unknown", "clone3"] {
        assert!(report.contains(&format!("{call}: ENOSYS")), "{call}: {report}");
    }
}

#[test]
fn a_run_cannot_gain_a_uid_a_capability_or_a_namespace() {
    let mut robot = caged();
    let report = probe(&mut robot, "walls gains");
    assert!(report.contains("no new privileges: set"), "{report}");
    all_refused(report.split("no new").next().unwrap(), &["EPERM"]);
    let status = probe(&mut robot, "sh grep -E ^Cap(Eff|Prm|Amb) /proc/self/status");
    for line in status.lines().filter(|l| l.starts_with("Cap")) {
        assert!(line.ends_with("0000000000000000") || line.ends_with("0000000000000000 end"), "{status}");
    }
}

#[test]
fn a_run_cannot_read_the_key_file_the_private_environment_or_the_state() {
    let home = home();
    for name in [".env", "private/environment", "ssh/robot_key", ".ssh/id_rsa"] {
        home.file(name, "# SECRET-IN-A-FILE\n");
    }
    home.file("ssh/robot_key.pub", "ssh-ed25519 PUBLIC-HALF\n");
    let key = "0123456789abcdef0123456789abcdef".to_owned();
    let start = Start { caged: true, env: vec![("GOPHER_ENCRYPTION_KEY".into(), key)], ..Start::default() };
    let mut robot = Robot::start(home, &start);
    assert!(robot.home.path().join("binary-encrypted-key").is_file(), "the robot has made its key file");
    let seen = probe(&mut robot, "sh cd $GOPHER_HOME; ls -A . ssh; cat ssh/robot_key.pub");
    assert!(seen.contains("plugins") && seen.contains("PUBLIC-HALF"), "{seen}");
    for name in ["binary-encrypted-key", ".env", "private", "state", ".ssh", "driver.sock"] {
        assert!(!seen.lines().any(|l| l == name), "{name} is shown: {seen}");
    }
    let forbidden =
        "cat .env private/environment ssh/robot_key .ssh/id_rsa binary-encrypted-key state/engine/* state/secretd/*";
    let tried = probe(
        &mut robot,
        &format!("sh cd $GOPHER_HOME; {forbidden}; grep -r SECRET-IN-A-FILE $GOPHER_HOME /priv /proc/1/root/tmp"),
    );
    assert!(!tried.contains("# SECRET-IN-A-FILE"), "{tried}");
    let sockets = probe(
        &mut robot,
        "sh find / -name engine.sock -o -name cookie -o -name driver.sock 2>/dev/null; ls -d /run /scratch/* 2>&1",
    );
    assert!(!sockets.contains("engine.sock") && !sockets.contains("cookie"), "{sockets}");
}

#[test]
fn a_run_cannot_see_signal_or_trace_another_process() {
    let mut robot = caged();
    let processes = probe(&mut robot, "sh ls /proc | grep -c ^[0-9]");
    let count: u32 = processes.split_whitespace().next().unwrap().parse().expect("a number");
    assert!((2..9).contains(&count), "it sees {count} processes");
    let first = probe(&mut robot, "sh ls /proc/1/fd /proc/1/cwd/; cat /proc/1/environ /proc/1/maps; echo tried");
    assert!(first.contains("tried") && first.matches("denied").count() >= 4, "{first}");
    // Numbers of the cage's namespace are small: the first ones are supervisor and roles.
    for pid in [2, 3, 4, 5] {
        let report = probe(&mut robot, &format!("walls others {}", pid + 60000));
        all_refused(&report, &["EPERM", "No such process", "EACCES"]);
    }
}

#[test]
fn a_run_that_kills_everything_it_can_ends_itself_alone() {
    let mut robot = caged();
    robot.say("bob", ";hold here");
    robot.hear_about("holding here");
    robot.say("alice", ";sh kill -9 -1");
    robot.hear_about("Pipeline failed");
    assert!(robot.ping().as_secs() < 1);
    // A Fixed message is in upper case here.
    let ps = robot.ask(";ps", "HOLD");
    assert!(ps.contains("BOB"), "{ps}");
}

#[test]
fn a_run_cannot_see_the_tmp_of_another() {
    let mut robot = caged();
    robot.say("bob", ";hold here");
    robot.hear_about("holding here");
    let own = probe(&mut robot, "sh echo mine >/tmp/own; cat /tmp/own; cat /tmp/held; ls -A /tmp /priv/tmp /dev/shm");
    assert!(own.contains("mine") && !own.contains("secret-of-another-run"), "{own}");
    let after = probe(&mut robot, "sh cat /tmp/own; pwd; echo x >left; ls");
    assert!(after.contains("No such file") && after.contains("left"), "{after}");
    let again = probe(&mut robot, "sh ls");
    assert!(!again.contains("left"), "the scratch workspace is fresh: {again}");
}

#[test]
fn a_run_cannot_write_outside_its_work_directory() {
    let mut robot = caged();
    let places = "/ /usr /usr/bin /etc /bin /proc /dev /scratch /view /empty $GOPHER_HOME $GOPHER_HOME/plugins $GOPHER_INSTALLDIR /priv/workspace";
    let report = probe(
        &mut robot,
        &format!(
            "sh for d in {places}; do echo x >$d/probe-file && echo \"$d: ALLOWED\"; done; echo x >probe-file && echo inside-allowed; echo x >/tmp/probe-file && echo tmp-allowed"
        ),
    );
    assert!(report.contains("inside-allowed") && report.contains("tmp-allowed"), "{report}");
    let allowed: Vec<_> = report.lines().filter(|l| l.ends_with(": ALLOWED")).collect();
    assert!(allowed.is_empty(), "{allowed:?}");
    assert!(!robot.home.path().join("probe-file").exists());
}

#[test]
fn a_run_without_network_reaches_nothing_and_one_with_network_does() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    let mut robot = caged();
    let open = probe(&mut robot, &format!("open network {port}"));
    assert!(open.contains("connect: ALLOWED") && open.contains("udp: ALLOWED"), "{open}");
    assert!(!open.contains("raw: ALLOWED") && !open.contains("packet: ALLOWED"), "{open}");
    let closed = probe(&mut robot, &format!("walls network {port}"));
    all_refused(&closed, &["EPERM", "EACCES"]);
}

/// Has a script that is built in start a program.
const STARTS: &str = r"
if arg[1] ~= 'walls' then return 0 end
local bot = require('gopherbot_v1').Robot:new()
local said = io.popen(os.getenv('GOPHER_HOME') .. '/plugins/walls network ' .. arg[2] .. ' 2>&1'):read('*a')
bot:Say(said .. ' end')
";

#[test]
fn a_program_of_a_built_in_script_reaches_what_the_script_may() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    let mut home = home();
    home.file("plugins/starts.lua", STARTS);
    for (name, network) in [("shut", false), ("wide", true)] {
        home.declare(name, "plugins/starts.lua", &format!(", Network: {network}"));
        let commands = format!("Commands: [ {{ Command: walls, Regex: '{name} (\\d+)' }} ]\n");
        home.file(&format!("conf/plugins/{name}.yaml"), &commands);
    }
    let mut robot = Robot::start(home, &Start { caged: true, ..Start::default() });
    let wide = probe(&mut robot, &format!("wide {port}"));
    assert!(wide.contains("connect: ALLOWED"), "{wide}");
    let shut = probe(&mut robot, &format!("shut {port}"));
    all_refused(&shut, &["EPERM", "EACCES"]);
}

#[test]
fn a_run_leaves_no_process_behind() {
    let mut robot = caged();
    let marker = format!("gopher-left-behind-{}", std::process::id());
    robot.ask(&format!(";marker {marker}"), "left");
    gopher_tests::robot::eventually("the end of what the run left", || !somebody_runs(&marker));
}

//! Extensions that are broken or mean harm: each ends with one sentence to whom it concerns, leaves nothing behind,
//! and meanwhile the robot answers everybody else within a second. All of them run in a cage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            fs::PermissionsExt as _,
            net::{SocketAddr, UnixListener},
        },
    },
    time::{Duration, Instant},
};

use gopher_tests::{
    programs::{interpreter, workspace},
    robot::{Home, Robot, SIGN_OF_LIFE, Start, eventually, is_root, somebody_runs},
};

/// The longest that an extension is waited for on a busy machine; its cage lasts longer.
const PATIENCE: Duration = Duration::from_secs(100);

const COMMANDS: &[(&str, &str)] = &[
    ("quick", "quick"),
    ("nothing", "nothing"),
    ("exit", "exit (\\d+)"),
    ("die", "die of (\\w+)"),
    ("spin", "spin (\\S+)"),
    ("deaf", "deaf (\\S+)"),
    ("daemon", "daemon (\\S+)"),
    ("late", "speak late (\\S+)"),
    ("flood", "flood (\\w+)"),
    ("walls", "walls (\\w+)"),
    ("crowd", "crowd"),
    ("line", "long line"),
    ("ask", "ask without listening"),
    ("hangup", "hang up (\\S+)"),
    ("http", "http (.+)"),
    ("hold", "hold"),
];

const CASES: &str = r#"
quick) Say "quick as ever" ;;
nothing) ;;
exit) exit "$2" ;;
die) kill -s "$2" $$ ; sleep 60 ;;
spin) Say "spinning $2"; while :; do :; done ;;
deaf) trap '' TERM INT HUP; Say "deaf $2"; while :; do sleep 0.2; done ;;
daemon)
    (setsid bash -c '(setsid bash -c "trap \"\" TERM HUP; sleep 1000; :" twice-'"$2"' &) ; sleep 1000; :' "once-$2" &) \
        </dev/null >/dev/null 2>&1
    PromptForReply SimpleString "left $2, go on?"
    ;;
late) (setsid bash -c 'source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"; Say "late words"; : >spoken
        while :; do Say "late words"; sleep 0.01; done' "$2" >/dev/null 2>&1 &)
    until [[ -e spoken ]]; do sleep 0.05; done ;;
flood)
    case $2 in
        zeros) head -c 1073741824 /dev/zero ;;
        lines) yes 'all work and no play' | head -c 1073741824 ;;
        errors) yes 'something is wrong' | head -c 1073741824 >&2 ;;
    esac
    sleep 60 ;;
walls) "$GOPHER_HOME/plugins/walls" "$2" >said 2>&1; Say -r "$(<said) end" ;;
crowd)
    for n in {1..20}; do
        (
            for turn in {1..10}; do
                Remember "key-$n" "value-$n-$turn"
                [[ $(Recall "key-$n") == "value-$n-$turn" ]] || echo "$n mixed up"
            done
        ) &
    done >>mixed
    for turn in {1..10}; do
        Remember key "value-$turn"
        Recall key >recalled
        [[ $(<recalled) == "value-$turn" ]] || echo "mixed up" >>mixed
    done
    wait
    Say "crowd: $(wc -l <mixed) mixed" ;;
line)
    head -c 40000000 /dev/zero | tr '\0' a >&"$GOPHER_API_FD"
    printf '\n' >&"$GOPHER_API_FD"
    IFS= read -r -u "$GOPHER_API_FD" answer
    printf 'CheckAdmin\t' >&"$GOPHER_API_FD"; head -c 1000000 /dev/zero | tr '\0' b >&"$GOPHER_API_FD"
    printf '\n' >&"$GOPHER_API_FD"
    IFS= read -r -u "$GOPHER_API_FD" second
    Say "line: ${answer#*$'\t'}; ${second#*$'\t'}" ;;
ask) Say "asking"; yes $'Log\t\tLevel=info\tMessage=is anybody listening' >&"$GOPHER_API_FD" ;;
hangup) exec {GOPHER_API_FD}>&- {GOPHER_API_LOCK_FD}>&- {_gb_own}>&-; GOPHER_API_FD='' ; sleep 0.5
    [[ $(awk '{ print $14 + $15 }' /proc/1/stat) -lt 20 ]] && exit 0; exit 1 ;;
http) Say -r "$(CALLER=$CALLER_ID python3 "$GOPHER_HOME/plugins/calls.py" $2 2>&1) end" ;;
hold) Say -r "my port ${GOPHER_HTTP_POST##*:} id $CALLER_ID"; PromptForReply SimpleString 'hold on?' ;;
"#;

/// A robot with the same plugin in two profiles: `;…` without network, `;net …` with it.
fn home() -> Home {
    let mut home = Home::new();
    home.bash("rogue", ", Network: false", COMMANDS, CASES);
    let net: Vec<_> = ["http", "hold"].map(|name| COMMANDS.iter().find(|(n, _)| *n == name).unwrap()).to_vec();
    let net: Vec<_> = net.iter().map(|(name, regex)| (*name, format!("net {regex}"))).collect();
    let net: Vec<_> = net.iter().map(|(name, regex)| (*name, regex.as_str())).collect();
    home.bash("open", ", Network: true", &net, CASES);
    let calls = fs::read_to_string(workspace().join("tests/programs/calls.py")).expect("calls.py");
    home.file("plugins/calls.py", &calls);
    home
}

fn start(home: Home) -> Robot {
    Robot::start(home, &Start { caged: true, ..Start::default() })
}

fn caged() -> Robot {
    start(home())
}

fn with_walls() -> Robot {
    let home = home();
    home.compile("walls", &workspace().join("tests/programs/walls.c"));
    start(home)
}

/// Until the robot says `wanted`, it is asked again and again for a sign of life, and gives it in time.
fn meanwhile(robot: &mut Robot, wanted: &str) -> String {
    meanwhile_all(robot, wanted, 1).remove(0)
}

/// The same until it has said so `times` times; alternatives are separated by `|`.
fn meanwhile_all(robot: &mut Robot, wanted: &str, times: usize) -> Vec<String> {
    let begun = Instant::now();
    let (mut found, mut others) = (Vec::new(), Vec::new());
    while found.len() < times {
        assert!(begun.elapsed() < PATIENCE, "not said: {wanted:?}; but {others:?}; {}", robot.errors());
        let asked = Instant::now();
        robot.say("carol", ";ping");
        loop {
            let heard = robot.hear().text;
            if heard.contains("PONG") {
                break;
            }
            if wanted.split('|').any(|wanted| heard.contains(wanted)) { &mut found } else { &mut others }.push(heard);
        }
        let delay = asked.elapsed();
        assert!(delay < SIGN_OF_LIFE, "no sign of life for {delay:?} before {wanted:?}");
    }
    found
}

/// A word that stands in the command line of one test's processes only.
fn marker(name: &str) -> String {
    format!("gopher-{name}-{}", std::process::id())
}

/// The number of the only pipeline whose row contains `word`.
fn wid(robot: &mut Robot, word: &str) -> String {
    robot.say("alice", ";ps");
    let table = robot.hear_about("WID").text;
    let row = table.lines().skip(2).find(|row| row.to_lowercase().contains(word)).unwrap_or_else(|| panic!("{table}"));
    let number = row.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty());
    number.unwrap_or_else(|| panic!("{table}")).to_owned()
}

fn nothing_runs(robot: &mut Robot) {
    let begun = Instant::now();
    loop {
        robot.say("alice", ";ps");
        let said = loop {
            let text = robot.hear().text.to_lowercase();
            if text.contains("wid") || text.contains("no pipelines running") {
                break text;
            }
        };
        if said.contains("no pipelines running") {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{said}");
    }
}

#[test]
fn however_a_run_ends_its_user_is_told_how_in_one_sentence() {
    let mut robot = caged();
    let failed = "Pipeline failed in external task 'rogue'";
    for (command, how) in [
        ("exit 1", "exit code 1 "),
        ("exit 3", "exit code 3 "),
        ("exit 7", "exit code 7 "),
        ("exit 200", "exit code 200 "),
        ("die of KILL", "signal 9 (SIGKILL)"),
        ("die of SEGV", "signal 11 (SIGSEGV)"),
        ("die of STKFLT", "signal 16 (SIGSTKFLT)"),
        ("die of RTMIN", "signal 34"),
    ] {
        robot.say("bob", &format!(";{command}"));
        let told = robot.hear();
        assert_eq!(told.user, "bob", "{told:?}");
        assert!(told.text.contains(failed) && told.text.contains(how), "{command}: {told:?}");
    }
    // Silence is success, and so is nothing at all.
    robot.say("bob", ";nothing");
    robot.say("bob", ";exit 0");
    nothing_runs(&mut robot);
    robot.say("bob", ";quick");
    assert_eq!(robot.hear().text, "quick as ever");
}

#[test]
fn what_cannot_start_is_disabled_with_its_reason_and_nothing_else_suffers() {
    let mut home = home();
    let script = |name: &str, text: &str, mode: u32| {
        let path = home.file(&format!("plugins/{name}"), text);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
    };
    let good = "\ncase $1 in _configure) ;; esac\n";
    script("not-executable", &format!("#!/bin/bash{good}"), 0o644);
    script("no-interpreter", &format!("#!/no/such{good}"), 0o755);
    script("no-python", &format!("#!/usr/bin/env python9{good}"), 0o755);
    script("no-line", &format!("# a script?{good}"), 0o755);
    script("elf", "\x7fELF is not a program", 0o755);
    script("loud", "#!/bin/bash\nyes\n", 0o755);
    script("long", "#!/bin/bash\nhead -c 600000 /dev/zero | tr '\\0' '#'\n", 0o755);
    script("sick", "#!/bin/bash\necho 'I feel unwell' >&2; exit 3\n", 0o755);
    script("latin", "#!/bin/bash\nprintf 'Help: [ \\xe4 ]\\n'\n", 0o755);
    script("empty", "", 0o755);
    let wanted = [
        ("nowhere", "plugins/nowhere", "nowhere"),
        ("folder", "plugins", "plugins"),
        ("outside", "../../../../etc/shadow", "shadow"),
        ("not-executable", "plugins/not-executable", "chmod +x"),
        ("no-interpreter", "plugins/no-interpreter", "interpreter `/no/such`"),
        ("no-python", "plugins/no-python", "interpreter `python9`"),
        ("no-line", "plugins/no-line", "`#!`"),
        ("elf", "plugins/elf", "not a program"),
        ("loud", "plugins/loud", "_configure wrote more than 1 MiB of output"),
        ("long", "plugins/long", "_configure printed more than 256 KiB"),
        ("sick", "plugins/sick", "exit code 3 (ConfigurationError): I feel unwell"),
        ("latin", "plugins/latin", "UTF-8"),
        ("empty", "plugins/empty", "`#!`"),
    ];
    for (name, path, _) in wanted {
        home.declare(name, path, "");
    }
    let mut robot = start(home);
    assert_eq!(robot.ask(";quick", "quick"), "quick as ever");
    let output = robot.gopherctl(&["status", "--json"]);
    let status: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    // What the stock configuration leaves off is no trouble.
    let disabled: Vec<_> =
        status["disabled"].as_array().expect("a list").iter().filter(|row| row["cause"] != "off").collect();
    for (name, _, reason) in wanted {
        let row = disabled.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {status:#}"));
        let given = row["reason"].as_str().expect("a reason");
        assert!(given.contains(reason) && given.lines().count() <= 4, "{name}: {given}");
    }
    assert_eq!(disabled.len(), wanted.len(), "{status:#}");
}

#[test]
fn a_file_that_vanishes_is_told_to_who_wanted_it() {
    let mut home = home();
    home.bash("fleeting", "", &[("go", "go")], "go) Say gone ;;");
    let mut robot = start(home);
    fs::remove_file(robot.home.path().join("plugins/fleeting.sh")).expect("removed");
    let told = robot.ask(";go", "fleeting");
    assert!(told.contains("Sorry, I couldn't start 'fleeting'") && told.contains("plugins/fleeting.sh"), "{told}");
    assert_eq!(robot.ask(";quick", "quick"), "quick as ever");
}

#[test]
fn who_runs_for_ever_is_ended_by_its_time_outs() {
    let home = home();
    home.file("conf/plugins/rogue.yaml", "TimeOuts: { Warn: 100ms, Kill: 500ms }\n");
    let mut robot = start(home);
    let marker = marker("forever");
    robot.say("bob", &format!(";spin {marker}"));
    let told = meanwhile(&mut robot, "was stopped");
    assert!(told.contains("'rogue/spin' was stopped because it ran longer than its TimeOuts allow"), "{told}");
    eventually("the end of what ran for ever", || !somebody_runs(&marker));
}

#[test]
fn a_script_that_catches_everything_is_ended_all_the_same() {
    let lua = "if arg[1] == '_configure' then return \"Commands: [{ Command: loop, Regex: 'loop' }]\" end\n\
        if arg[1] == 'loop' then GBOT:Say('looping') while true do pcall(function() while true do end end) end end\n";
    let js = "const [, , command] = process.argv;\n\
        if (command === 'loop') { GBOT.Say('looping'); for (;;) try { for (;;); } catch {} finally { continue } }\n\
        command === '_configure' ? \"Commands: [{ Command: loop, Regex: 'loop' }]\" : 0;\n";
    for (file, script) in [("plugins/loop.lua", lua), ("plugins/loop.js", js)] {
        let mut home = home();
        home.file(file, script);
        home.declare("looping", file, "");
        home.file("conf/plugins/looping.yaml", "TimeOuts: { Warn: 100ms, Kill: 500ms }\n");
        let mut robot = start(home);
        robot.say("bob", ";loop");
        robot.hear_about("looping");
        let told = meanwhile(&mut robot, "was stopped");
        assert!(told.contains("'looping/loop' was stopped because it ran longer than its TimeOuts allow"), "{told}");
        nothing_runs(&mut robot);
    }
}

#[test]
fn who_ignores_term_is_dead_within_six_seconds() {
    let mut robot = caged();
    let marker = marker("deaf");
    robot.say("bob", &format!(";deaf {marker}"));
    robot.hear_about("deaf");
    assert!(somebody_runs(&marker), "it runs where we can see it");
    let wid = wid(&mut robot, "deaf");
    let asked = Instant::now();
    robot.ask(&format!(";kill {wid}"), "Killed");
    let told = meanwhile(&mut robot, "was stopped");
    assert!(told.contains("'rogue/deaf' was stopped by alice"), "{told}");
    eventually("the end of the deaf one", || !somebody_runs(&marker));
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
}

#[test]
fn who_listens_to_term_is_ended_at_once() {
    let mut robot = caged();
    let marker = marker("spin");
    robot.say("bob", &format!(";spin {marker}"));
    robot.hear_about("spinning");
    let wid = wid(&mut robot, "spin");
    let asked = Instant::now();
    robot.ask(&format!(";kill {wid}"), "Killed");
    robot.hear_about("'rogue/spin' was stopped by alice");
    assert!(asked.elapsed() < Duration::from_secs(4), "without the grace of the deaf: {:?}", asked.elapsed());
    eventually("the end of the loop", || !somebody_runs(&marker));
}

#[test]
fn daemons_end_with_their_run_however_often_they_forked() {
    let mut robot = caged();
    let marker = marker("daemon");
    robot.say("bob", &format!(";daemon {marker}"));
    robot.hear_about("left");
    eventually("the daemons", || ["once", "twice"].iter().all(|n| somebody_runs(&format!("{n}-{marker}"))));
    robot.say("bob", "yes");
    nothing_runs(&mut robot);
    eventually("the end of the daemons", || !somebody_runs(&marker));
}

#[test]
fn nothing_is_said_after_the_end() {
    let mut robot = caged();
    let marker = marker("late");
    robot.say("bob", &format!(";speak late {marker}"));
    robot.hear_about("late words");
    nothing_runs(&mut robot);
    for _ in 0..20 {
        robot.say("carol", ";ping");
        let heard = robot.hear().text;
        assert!(heard.contains("PONG"), "{heard}");
    }
    eventually("the end of the speaker", || !somebody_runs(&marker));
}

#[test]
fn a_gibibyte_of_output_is_cut_with_the_limit_named() {
    let mut robot = caged();
    robot.say("bob", ";flood zeros");
    let told = meanwhile(&mut robot, "Pipeline failed");
    assert!(told.contains("it wrote more than 64 MiB of output (Limits: Output"), "{told}");
    let log = fs::metadata(robot.home.path().join("state/engine/robot.log"));
    assert!(log.is_ok_and(|log| log.len() < 4 << 20), "the log stays small");
}

#[test]
fn a_limit_of_output_that_a_task_sets_holds_for_both_streams() {
    let mut home = Home::new();
    home.bash("rogue", ", Limits: { Output: 3MiB }", COMMANDS, CASES);
    let mut robot = start(home);
    for kind in ["lines", "errors"] {
        robot.say("bob", &format!(";flood {kind}"));
        let told = meanwhile(&mut robot, "Pipeline failed");
        assert!(told.contains("it wrote more than 3 MiB of output (Limits: Output"), "{kind}: {told}");
    }
}

#[test]
fn memory_beyond_the_limit_is_not_had_by_one_process() {
    let mut robot = with_walls();
    robot.say("bob", ";walls memory");
    // The kernel refuses what the sum of the run's processes may have passed a moment before.
    let told = meanwhile(&mut robot, " end|Pipeline failed");
    assert!(told.contains("malloc: refused") || told.contains("of memory and its limit is 1024 MiB"), "{told}");
}

#[test]
fn memory_beyond_the_limit_ends_a_family_of_processes() {
    let mut robot = with_walls();
    robot.say("bob", ";walls family");
    let told = meanwhile(&mut robot, "Pipeline failed");
    assert!(told.contains("of memory and its limit is 1024 MiB (Limits: Memory"), "{told}");
}

#[test]
fn eight_thousand_forks_stop_at_the_limit_of_processes() {
    let mut robot = with_walls();
    robot.say("bob", ";walls forks");
    let told = meanwhile(&mut robot, " end");
    let made: u32 = told.split_whitespace().find_map(|word| word.parse().ok()).expect("a number");
    assert!((100..256).contains(&made), "{told}");
    // One run's crowd is not another's.
    assert_eq!(robot.ask(";quick", "quick"), "quick as ever");
}

#[test]
fn ten_endless_loops_at_once_leave_room_for_others() {
    let mut robot = caged();
    let marker = marker("ten");
    for _ in 0..10 {
        robot.say("bob", &format!(";spin {marker}"));
    }
    meanwhile_all(&mut robot, "spinning", 10);
    let asked = Instant::now();
    robot.say("alice", ";quick");
    meanwhile(&mut robot, "quick as ever");
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    for _ in 0..10 {
        let wid = wid(&mut robot, "spin");
        robot.ask(&format!(";kill {wid}"), "Killed");
        robot.hear_about("was stopped by alice");
    }
    eventually("the end of the loops", || !somebody_runs(&marker));
}

#[test]
fn a_crowd_in_one_run_never_gets_anothers_answer() {
    let mut robot = caged();
    robot.say("bob", ";crowd");
    assert_eq!(meanwhile(&mut robot, "crowd:"), "crowd: 0 mixed");
}

#[test]
fn a_call_of_forty_megabytes_is_refused_and_the_next_is_heard() {
    let mut robot = caged();
    robot.say("bob", ";long line");
    let told = meanwhile(&mut robot, "line:");
    assert!(told.contains("the call is longer than 16 MiB; false"), "{told}");
}

#[test]
fn who_asks_without_listening_disturbs_nobody() {
    let mut robot = caged();
    robot.say("bob", ";ask without listening");
    robot.hear_about("asking");
    for _ in 0..20 {
        let wait = robot.ping();
        assert!(wait < SIGN_OF_LIFE, "{wait:?}");
    }
    let wid = wid(&mut robot, "ask");
    robot.ask(&format!(";kill {wid}"), "Killed");
    meanwhile(&mut robot, "was stopped by alice");
}

#[test]
fn who_closes_its_descriptor_costs_nothing() {
    let mut robot = caged();
    robot.say("bob", ";hang up now");
    nothing_runs(&mut robot);
    assert_eq!(robot.ask(";quick", "quick"), "quick as ever");
    assert!(!robot.errors().contains("rogue/hangup failed"), "{}", robot.errors());
}

#[test]
fn calls_that_are_none_are_refused_over_http() {
    if interpreter("python3").is_none() {
        eprintln!("skipped: python3 is not installed");
        return;
    }
    let mut robot = caged();
    robot.say("bob", ";http hostile");
    let report = meanwhile(&mut robot, " end");
    for (name, status) in [
        ("good", "200"),
        ("cut JSON", "400"),
        ("cut body", "400"),
        ("cut head", "400"),
        ("no JSON", "400"),
        ("a list", "400"),
        ("deep", "400"),
        ("unknown function", "400"),
        ("unknown function of a megabyte", "400"),
        ("wrong arguments", "400"),
        ("no arguments", "400"),
        ("no caller", "400"),
        ("empty caller", "400"),
        ("guessed caller", "400"),
        ("other path", "404"),
        ("huge", "413"),
        ("huge head", "431"),
        ("chunked", "411"),
        ("longer than it looks", "400"),
        ("good again", "200"),
    ] {
        assert!(
            report.lines().any(|line| line.trim_end_matches(" end") == format!("{name}: {status}")),
            "{name}: {report}"
        );
    }
}

#[test]
fn twenty_threads_over_http_get_their_own_answers() {
    if interpreter("python3").is_none() {
        eprintln!("skipped: python3 is not installed");
        return;
    }
    let mut robot = caged();
    robot.say("bob", ";http many");
    let report = meanwhile(&mut robot, " end");
    assert!(report.starts_with("threads: each its own"), "{report}");
}

#[test]
fn a_caller_id_is_worth_nothing_to_another_run() {
    if interpreter("python3").is_none() {
        eprintln!("skipped: python3 is not installed");
        return;
    }
    let mut robot = caged();
    for (prefix, refused) in [("", "forbidden"), ("net ", "closed")] {
        robot.say("bob", &format!(";{prefix}hold"));
        let told = robot.hear_about("my port").text;
        let words: Vec<_> = told.split_whitespace().collect();
        let (port, id) = (words[2], words[4]);
        let report = robot.ask(&format!(";{prefix}http stranger {port} {id}"), " end");
        for name in ["their port, their id", "their port, own id"] {
            let line = report.lines().find(|line| line.starts_with(name)).expect("a line");
            assert!(line.contains(refused), "{prefix}{line}: {report}");
        }
        assert!(report.contains("own port, their id: 400") && report.contains("own port, own id: 200"), "{report}");
        robot.say("bob", "enough");
        nothing_runs(&mut robot);
    }
}

#[test]
fn no_run_reaches_the_admin_socket_or_a_neighbours() {
    if interpreter("python3").is_none() {
        eprintln!("skipped: python3 is not installed");
        return;
    }
    let name = marker("abstract");
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name")).expect("bound");
    let mut robot = caged();
    for prefix in ["", "net "] {
        let report = robot.ask(&format!(";{prefix}http sockets {name}"), " end");
        assert!(report.contains("abstract: ") && !report.contains("CONNECTED"), "{report}");
        if prefix == "net " {
            assert!(report.contains("driver.sock: "), "the list was worth reading: {report}");
        }
    }
    drop(listener);
    // The robot itself has none without a path, which every process of a network namespace could see.
    let table = fs::read_to_string("/proc/net/unix").expect("a table");
    assert!(!table.lines().any(|row| row.contains("@gopher") && !row.contains(&name)), "{table}");
    assert!(is_root() || robot.ping() < SIGN_OF_LIFE);
}

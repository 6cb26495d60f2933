//! What a robot remembers: it survives what ends the robot, is on disk only sealed, and nobody gets half of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "memory/legacy.rs"]
mod legacy;

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
    process::Output,
    time::{Duration, Instant},
};

use gopher_tests::{
    robot::{Home, Robot, Start, eventually, is_root, signal},
    scan::Scanner,
};
use nix::sys::signal::Signal;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

const KEY: (&str, &str) = ("GOPHER_ENCRYPTION_KEY", "0123456789abcdef0123456789abcdef");

/// One command for each thing that is done to a memory. Answers end with the number of the API's return value.
const MIND: &str = r#"
local command, key, value = arg[1], arg[2], arg[3]
if command == "_configure" then
  return [[
Commands:
- { Command: put, Regex: 'put (\S+) (.+)' }
- { Command: get, Regex: 'get (\S+)' }
- { Command: drop, Regex: 'drop (\S+)' }
- { Command: grow, Regex: 'grow (\S+) (\d+)' }
- { Command: size, Regex: 'size (\S+)' }
- { Command: count, Regex: 'count (\S+) (\d+)' }
- { Command: hold, Regex: 'hold (\S+)' }
- { Command: note, Regex: 'note (\S+) (.+)' }
- { Command: noted, Regex: 'noted (\S+)' }
- { Command: listen, Regex: 'listen' }
]]
elseif command == "_init" then
  return
end
local bot = require("gopherbot_v1").Robot:new()
if command == "_subscribed" then
  bot:Say("overheard " .. key)
elseif command == "get" then
  local memory = bot:CheckoutDatum(key, false)
  bot:Say("got " .. tostring(memory.exists and memory.datum.text) .. " (" .. memory.retVal .. ")")
elseif command == "size" then
  local memory = bot:CheckoutDatum(key, false)
  bot:Say("has " .. (memory.exists and #memory.datum.text or 0) .. " (" .. memory.retVal .. ")")
elseif command == "put" or command == "grow" then
  local memory = bot:CheckoutDatum(key, true)
  memory.datum = { text = command == "put" and value or string.rep("x", tonumber(value)) }
  bot:Say("put " .. key .. " (" .. memory.retVal .. bot:UpdateDatum(memory) .. ")")
elseif command == "drop" then
  bot:Say("dropped " .. key .. " (" .. bot:DeleteDatum(key) .. ")")
elseif command == "count" then
  for n = 1, tonumber(value) do
    local memory = bot:CheckoutDatum(key, true)
    local last = memory.exists and tonumber(memory.datum.text) or 0
    memory.datum = { text = tostring(last + 1) }
    bot:Say("counted " .. (last + 1) .. " (" .. bot:UpdateDatum(memory) .. ")")
  end
elseif command == "hold" then
  bot:CheckoutDatum(key, true)
  bot:Say("holding " .. key)
  bot:Pause(1000)
elseif command == "note" then
  bot:Remember(key, value)
  bot:Say("noted " .. key)
elseif command == "noted" then
  bot:Say("recalled '" .. bot:Recall(key) .. "'")
elseif command == "listen" then
  bot:Say("listens " .. tostring(bot:Subscribe()))
end
"#;

fn home(brain: &str) -> Home {
    let mut home = Home::new();
    home.file("plugins/mind.lua", MIND);
    home.declare("mind", "plugins/mind.lua", "");
    home.more(&format!("Brain: {brain}\n"));
    home
}

fn start_in(home: Home) -> Robot {
    Robot::start(home, &Start::gopherd(&[]).with(KEY.0, KEY.1))
}

fn start() -> Robot {
    start_in(home("file"))
}

/// The directory that the engine keeps its files in.
fn state(home: &Home) -> PathBuf {
    home.path().join("state/engine")
}

fn database(home: &Home) -> PathBuf {
    state(home).join("brain.db")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `gopherctl brain` that must succeed: what it said.
fn brain(robot: &Robot, args: &[&str]) -> String {
    let output = robot.gopherctl(&[&["brain"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Kills everything at once, as a power cut would, and leaves the directory.
fn kill(mut robot: Robot) -> Home {
    signal(robot.starter(), Signal::SIGKILL);
    robot.wait();
    robot.stop()
}

#[test]
fn memories_survive_a_restart_and_a_kill() {
    let mut robot = start();
    assert_eq!(robot.ask(";put colour red", "put "), "put colour (00)");
    assert_eq!(robot.ask(";put lunch soup", "put "), "put lunch (00)");
    let mut robot = start_in(robot.stop());
    assert_eq!(robot.ask(";get colour", "got "), "got red (0)");
    assert_eq!(robot.ask(";put colour blue", "put "), "put colour (00)");
    assert_eq!(robot.ask(";drop lunch", "dropped "), "dropped lunch (0)");
    let mut robot = start_in(kill(robot));
    assert_eq!(robot.ask(";get colour", "got "), "got blue (0)");
    assert_eq!(robot.ask(";get lunch", "got "), "got false (0)");
    // The engine alone, too.
    let connector = || robot.home.role_status("connector test").map(|role| role["pid"].clone());
    let before = connector();
    signal(robot.role("engine"), Signal::SIGKILL);
    eventually("another connector", || connector().is_some_and(|pid| !pid.is_null() && Some(pid) != before));
    robot.reconnect();
    assert_eq!(robot.ask(";get colour", "got "), "got blue (0)");
}

#[test]
fn each_acknowledged_update_is_there_after_a_kill_at_any_moment() {
    let mut home = home("file");
    let mut counted = 0;
    for round in 0..20 {
        let mut robot = start_in(home);
        let kept = robot.ask(";get n", "got ");
        let kept = kept.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
        // What was under way when it was killed may be there, too; never less than was acknowledged.
        assert!(kept == counted || kept == counted + 1, "round {round}: {kept} instead of {counted}");
        counted = kept;
        robot.say("alice", ";count n 1000");
        let end = Instant::now() + Duration::from_millis(5 + 7 * round);
        while Instant::now() < end {
            let heard = robot.hear_about("counted ").text;
            counted += 1;
            assert_eq!(heard, format!("counted {counted} (0)"));
        }
        signal(robot.starter(), Signal::SIGKILL);
        // What it said before it died was acknowledged.
        counted += robot.rest().iter().filter(|text| text.starts_with("counted ")).count();
        home = robot.stop();
    }
    assert!(counted > 100, "{counted} updates are not worth the name");
}

/// A robot whose key can be had again when secretd is started again.
fn start_with_key_at_home(home: Home) -> Robot {
    Robot::start(home, &Start::gopherd(&[]))
}

fn home_with_key() -> Home {
    let home = home("file");
    home.file(".env", &format!("{}={}\n", KEY.0, KEY.1));
    home
}

/// Kills secretd and waits for the next one.
fn kill_secretd(robot: &Robot) {
    let pid = || robot.home.role_status("secretd").map(|role| role["pid"].clone()).filter(|pid| !pid.is_null());
    let before = pid();
    signal(robot.role("gopher-secretd"), Signal::SIGKILL);
    eventually("another secretd", || pid().is_some_and(|pid| Some(pid) != before));
}

#[test]
fn each_acknowledged_update_is_there_after_secretd_was_killed_in_the_middle() {
    let mut home = home_with_key();
    let mut counted = 0;
    for round in 0..3 {
        let mut robot = start_with_key_at_home(home);
        robot.say("alice", ";count n 1000");
        for _ in 0..10 + 20 * round {
            counted += 1;
            assert_eq!(robot.hear_about("counted ").text, format!("counted {counted} (0)"));
        }
        kill_secretd(&robot);
        let mut tries = 0;
        // The run of alice has ended with secretd; what it has still said was acknowledged or has failed.
        eventually("memories again", || {
            tries += 1;
            robot.say("bob", &format!(";put mark-{round}-{tries} 1"));
            loop {
                let heard = robot.hear().text;
                if heard == format!("counted {} (0)", counted + 1) {
                    counted += 1;
                } else if heard.starts_with("counted ") {
                    assert_eq!(heard, format!("counted {} (9)", counted + 1));
                } else {
                    return heard == format!("put mark-{round}-{tries} (00)");
                }
            }
        });
        let kept = robot.ask(";get n", "got ");
        // The last one may be there although nobody was left to be told.
        assert!([counted, counted + 1].map(|n| format!("got {n} (0)")).contains(&kept), "{kept}, not {counted}");
        counted += i32::from(kept != format!("got {counted} (0)"));
        home = kill(robot);
    }
    let mut robot = start_with_key_at_home(home);
    assert_eq!(robot.ask(";get n", "got "), format!("got {counted} (0)"));
}

#[test]
fn an_update_that_secretd_never_sealed_has_failed_and_what_was_there_stays() {
    let mut robot = start_with_key_at_home(home_with_key());
    brain(&robot, &["set", "mind:colour", r#"{"text":"red"}"#]);
    signal(robot.role("gopher-secretd"), Signal::SIGSTOP);
    let mut waiting = robot.home.gopherctl(&["brain", "set", "mind:colour", r#"{"text":"blue"}"#]);
    let waiting = waiting.stderr(std::process::Stdio::piped()).spawn().unwrap();
    // Long enough for it to have asked; that it is refused is true in any case.
    std::thread::sleep(Duration::from_millis(300));
    kill_secretd(&robot);
    let output = waiting.wait_with_output().unwrap();
    assert!(!output.status.success() && text(&output).contains("gopher-secretd is not there"), "{}", text(&output));
    eventually("memories again", || robot.gopherctl(&["brain", "set", "mind:other", "1"]).status.success());
    eventually("a run", || {
        robot.say("alice", ";get colour");
        robot.hear().text == "got red (0)"
    });
}

#[test]
fn values_are_on_disk_only_sealed() {
    let secret = "walnut-dishwasher-41";
    let mut robot = start();
    robot.ask(&format!(";put colour {secret}"), "put colour");
    robot.ask(&format!(";note short {secret}"), "noted");
    robot.ask(";get colour", secret);
    let scanner = Scanner::new(vec![("the value".into(), secret.as_bytes().to_vec())]);
    // Short-term memories are written within a second.
    eventually("the record of a short-term memory", || {
        let wal = fs::read(state(&robot.home).join("brain.db-wal")).unwrap_or_default();
        Scanner::new(vec![("it".into(), b"short-term:".to_vec())]).find(&wal).contains("it")
    });
    assert_eq!(scanner.files(&robot.home.path().join("state")), [].into(), "while it runs");
    assert!(!robot.errors().contains(secret));
    let home = robot.stop();
    assert_eq!(scanner.files(&home.path().join("state")), [].into(), "after its end");
    let keys = Scanner::new(vec![("the key".into(), b"mind:colour".to_vec())]);
    assert!(!keys.files(&home.path().join("state")).is_empty(), "the scanner finds what is there");
    assert_eq!(fs::metadata(database(&home)).unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn a_value_that_was_put_under_another_key_or_sealed_with_another_key_does_not_open() {
    let mut robot = start();
    robot.ask(";put poor 1", "put poor");
    robot.ask(";put rich 1000000", "put rich");
    let home = robot.stop();
    let edit = |home: &Home, sql: &str| {
        let owner = fs::metadata(database(home)).unwrap();
        let directory = fs::File::open(state(home)).unwrap();
        gopher_sys::database::open(&directory, "brain.db").unwrap().execute_batch(sql).unwrap();
        std::os::unix::fs::chown(database(home), Some(owner.uid()), Some(owner.gid())).unwrap();
    };
    edit(
        &home,
        "UPDATE record SET (version, sealed) = (SELECT version, sealed FROM record WHERE key = 'mind:rich')
         WHERE key = 'mind:poor'",
    );
    let mut robot = start_in(home);
    assert_eq!(robot.ask(";get poor", "got "), "got false (9)");
    assert_eq!(robot.ask(";get rich", "got "), "got 1000000 (0)");
    assert_eq!(robot.ask(";put rich 7", "put rich"), "put rich (00)");
    assert!(brain(&robot, &["list"]).contains("mind:poor"), "it is left where it is");
    let log = text(&robot.gopherctl(&["logs"]));
    assert!(log.contains("mind:poor") && log.contains("does not open"), "{log}");
    let home = robot.stop();

    // The same database beneath another robot's key.
    fs::remove_file(home.path().join("binary-encrypted-key")).unwrap();
    let mut other = start_in(home);
    assert_eq!(other.ask(";get rich", "got "), "got false (9)");
    assert!(
        other.ask(";put rich 8", "put rich").starts_with("put rich (90)"),
        "what does not open is not written over"
    );
    assert_eq!(other.ask(";put own 1", "put own"), "put own (00)");
}

#[test]
fn a_robot_with_a_key_for_the_moment_remembers_nothing_at_its_next_start() {
    for brain in ["mem", "file"] {
        let start = || Start::default();
        let mut robot = Robot::start(home(brain), &start());
        assert_eq!(robot.ask(";put colour red", "put "), "put colour (00)");
        assert_eq!(robot.ask(";get colour", "got "), "got red (0)");
        let home = robot.stop();
        let mut robot = Robot::start(home, &start());
        assert_eq!(robot.ask(";get colour", "got "), "got false (0)");
    }
}

#[test]
fn a_brain_of_memory_leaves_no_file() {
    let mut robot = start_in(home("mem"));
    assert_eq!(robot.ask(";put colour red", "put "), "put colour (00)");
    let home = robot.stop();
    assert!(!database(&home).exists());
}

#[test]
fn long_memories_are_kept_whole() {
    let mut robot = start();
    assert_eq!(robot.ask(";grow large 10485760", "put large"), "put large (00)");
    assert_eq!(robot.ask(";size large", "has "), "has 10485760 (0)");
    let mut robot = start_in(kill(robot));
    assert_eq!(robot.ask(";size large", "has "), "has 10485760 (0)");
    let value = brain(&robot, &["get", "mind:large"]);
    assert!(value.len() > 10_485_760 && value.trim_end().ends_with("x\"}"), "{}", value.len());
}

#[test]
fn keys_that_are_no_words_are_refused() {
    let mut robot = start();
    assert_eq!(robot.ask(";put ../robot x", "put "), "put ../robot (1010)");
    assert_eq!(robot.ask(";get a/b", "got "), "got false (10)");
    let output = robot.gopherctl(&["brain", "set", "..:x", "1"]);
    assert!(!output.status.success() && text(&output).contains("is no key of a memory"), "{}", text(&output));
}

#[test]
fn the_lock_of_a_run_that_died_is_free() {
    let mut robot = start();
    robot.ask(";put k 1", "put k");
    robot.say("bob", ";hold k");
    robot.hear_about("holding k");
    let ps = text(&robot.gopherctl(&["ps", "--json"]));
    let rows: serde_json::Value = serde_json::from_str(&ps).unwrap();
    let wid = rows[0]["wid"].to_string();
    let asked = Instant::now();
    assert!(robot.gopherctl(&["kill", &wid]).status.success());
    assert_eq!(robot.ask(";put k 2", "put k"), "put k (00)");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[test]
fn short_term_memories_and_subscriptions_survive_a_restart() {
    let mut robot = start();
    robot.ask(";note lunch soup", "noted");
    robot.say_threaded("alice", ";listen");
    assert_eq!(robot.hear_about("listens").text, "listens true");
    let mut robot = start_in(robot.stop());
    assert_eq!(robot.ask(";noted lunch", "recalled"), "recalled 'soup'");
    robot.say_threaded("bob", "nothing that anybody knows");
    assert_eq!(robot.hear_about("overheard").text, "overheard nothing that anybody knows");
    robot.ask(";note lunch salad", "noted");
    std::thread::sleep(Duration::from_millis(1500));
    let mut robot = start_in(kill(robot));
    assert_eq!(robot.ask(";noted lunch", "recalled"), "recalled 'salad'");
    robot.say_threaded("bob", "once more");
    assert_eq!(robot.hear_about("overheard").text, "overheard once more");
}

#[test]
fn a_damaged_or_newer_store_is_left_as_it_is_and_told_of() {
    for (what, wanted) in [("damaged", "is damaged"), ("newer", "newer version")] {
        let mut robot = start();
        robot.ask(";put colour red", "put colour");
        let home = robot.stop();
        let path = database(&home);
        let good = fs::read(&path).unwrap();
        if what == "damaged" {
            let mut bad = good.clone();
            bad[4096..8192].fill(0xa5);
            fs::write(&path, bad).unwrap();
        } else {
            let directory = fs::File::open(state(&home)).unwrap();
            let database = gopher_sys::database::open(&directory, "brain.db").unwrap();
            database.execute_batch("INSERT INTO schema VALUES (99)").unwrap();
        }
        let before = fs::read(&path).unwrap();
        let mut robot = start_in(home);
        assert_eq!(robot.ask(";get colour", "got "), "got false (9)");
        assert_eq!(robot.ask(";put colour blue", "put colour"), "put colour (90)");
        let status = text(&robot.gopherctl(&["status"]));
        assert!(status.contains(wanted), "{status}");
        let home = robot.stop();
        assert_eq!(fs::read(&path).unwrap(), before, "{what}: nothing is touched");
        if what == "damaged" {
            fs::write(&path, good).unwrap();
            assert_eq!(start_in(home).ask(";get colour", "got "), "got red (0)");
        }
    }
}

#[test]
fn administrators_see_set_and_delete_memories_and_each_time_is_audited() {
    let mut robot = start();
    robot.ask(";put colour red", "put colour");
    assert_eq!(brain(&robot, &["get", "mind:colour"]).trim(), r#"{"text":"red"}"#);
    assert_eq!(brain(&robot, &["set", "mind:colour", r#"{"text": "blue"}"#]), "Stored mind:colour.\n");
    assert_eq!(robot.ask(";get colour", "got "), "got blue (0)");
    let file = robot.home.file("value.json", "{\n  \"text\": \"green\"\n}\n");
    brain(&robot, &["set", "mind:colour", "--file", file.to_str().unwrap()]);
    assert_eq!(robot.ask(";get colour", "got "), "got green (0)");
    brain(&robot, &["set", "other:key", "[1]"]);
    let list: serde_json::Value = serde_json::from_str(&brain(&robot, &["list", "--json"])).unwrap();
    let keys: Vec<&str> = list.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["mind:colour", "other:key"]);
    brain(&robot, &["delete", "other:key"]);
    for args in [["get", "other:key"], ["delete", "other:key"]] {
        let output = robot.gopherctl(&["brain", args[0], args[1]]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(text(&output).contains("there is no memory other:key"));
    }
    let output = robot.gopherctl(&["brain", "set", "mind:colour", "{"]);
    assert!(output.status.code() == Some(77) && text(&output).contains("not one JSON value"), "{}", text(&output));
    let audit = fs::read_to_string(state(&robot.home).join("audit.log")).unwrap();
    for line in
        ["lists the memories", "reads memory mind:colour", "stores memory mind:colour", "deletes memory other:key"]
    {
        assert!(audit.contains(line), "{line}: {audit}");
    }
    assert!(!audit.contains("green"), "{audit}");
}

#[test]
fn an_administrator_waits_for_a_run_that_holds_the_memory() {
    let mut robot = start();
    robot.ask(";put k 1", "put k");
    robot.say("bob", ";hold k");
    robot.hear_about("holding k");
    let asked = Instant::now();
    brain(&robot, &["set", "mind:k", r#"{"text":"2"}"#]);
    assert!(asked.elapsed() > Duration::from_millis(300), "{:?}", asked.elapsed());
    assert_eq!(robot.ask(";get k", "got "), "got 2 (0)");
}

#[test]
fn memories_go_out_to_a_private_file_and_come_in_again() {
    let mut robot = start();
    robot.ask(";put colour red", "put colour");
    let big = robot.home.file("big.json", &format!("[{}1]", "0,".repeat(400_000)));
    brain(&robot, &["set", "list:big", "--file", big.to_str().unwrap()]);
    let file = robot.home.path().join("out.jsonl");
    let name = file.to_str().unwrap().to_owned();
    assert_eq!(brain(&robot, &["export", &name]), "Exported 2 memories.\n");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(robot.gopherctl(&["brain", "export", &name]).status.code(), Some(74), "nothing is written over");
    assert_eq!(brain(&robot, &["export", "-"]), fs::read_to_string(&file).unwrap());
    let _first = robot.stop();
    let mut other = Robot::start(home("file"), &Start::gopherd(&[]).with(KEY.0, "another key of thirty-two letters"));
    assert_eq!(brain(&other, &["import", &name]), "Imported 2 memories.\n");
    assert_eq!(other.ask(";get colour", "got "), "got red (0)");
    assert_eq!(brain(&other, &["export", "-"]), fs::read_to_string(&file).unwrap());
    fs::write(&file, "{\"key\":\"a:b\",\"value\":1}\n{\"key\"\n").unwrap();
    let output = other.gopherctl(&["brain", "import", &name]);
    assert!(output.status.code() == Some(65) && text(&output).contains("out.jsonl:2"), "{}", text(&output));
}

/// The robot's data key.
fn data_key(home: &Home) -> LessSafeKey {
    use base64::Engine as _;
    let key = |bytes: &[u8]| LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).unwrap());
    let file = fs::read_to_string(home.path().join("binary-encrypted-key")).unwrap();
    let mut wrapped = base64::engine::general_purpose::STANDARD.decode(file.trim()).unwrap();
    let nonce = Nonce::try_assume_unique_for_key(&wrapped[..12]).unwrap();
    let data_key =
        key(&KEY.1.as_bytes()[..32]).open_in_place(nonce, Aad::empty(), &mut wrapped[12..]).unwrap().to_vec();
    key(&data_key)
}

/// What Gopherbot would write: under the data key itself, without associated data.
fn seal_as_gopherbot(home: &Home, plain: &[u8]) -> Vec<u8> {
    let mut sealed = plain.to_vec();
    let nonce = [7; 12];
    let key = data_key(home);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).unwrap();
    [&nonce[..], &sealed].concat()
}

/// What Gopherbot would read.
fn open_as_gopherbot(home: &Home, mut blob: Vec<u8>) -> Vec<u8> {
    let nonce = Nonce::try_assume_unique_for_key(&blob[..12]).unwrap();
    data_key(home).open_in_place(nonce, Aad::empty(), &mut blob[12..]).unwrap().to_vec()
}

#[test]
fn the_brain_of_gopherbot_moves_over_but_no_secret_of_the_configuration_does() {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let mut robot = start();
    robot.ask(";put ours 1", "put ours");
    let home = robot.stop();
    let secret = seal_as_gopherbot(&home, b"\"hunter2\"");
    home.file("conf/variables/common.yaml", &format!("Secrets:\n  DOOR: {}\n", base64.encode(&secret)));
    let mut home = home;
    home.more("ExternalTasks:\n  lock: { Path: plugins/mind.lua, Parameters: [ { Name: DOOR, Value: '{{ secret \"DOOR\" }}' } ] }\n");
    let cache = |name: &str, key: &str, bytes: &[u8], deleted: bool| {
        let meta = format!("{{\"format\":\"gopherbot-brain-v3\",\"key\":\"{key}\",\"deleted\":{deleted}}}");
        home.file(&format!("state/brain-cache/meta/{name}.json"), &meta);
        home.file(&format!("state/brain-cache/data/{name}.blob"), "");
        fs::write(home.path().join(format!("state/brain-cache/data/{name}.blob")), bytes).unwrap();
    };
    home.file("state/brain-cache/control.json", "{}");
    cache("YQ", "mind:old", &seal_as_gopherbot(&home, br#"{"text":"from before"}"#), false);
    cache("Yg", "mind:gone", b"", true);
    cache("Yw", "mind:ours", &seal_as_gopherbot(&home, br#"{"text":"theirs"}"#), false);
    cache("ZA", "bot:histories-lookup", &seal_as_gopherbot(&home, b"{}"), false);
    let mut robot = start_in(home);
    let status = text(&robot.gopherctl(&["status"]));
    assert!(status.contains("still in state/brain-cache: gopherctl brain migrate"), "{status}");
    assert_eq!(
        brain(&robot, &["migrate"]),
        "Moved 1 memory.\nThe robot has these already, --force replaces them: mind:ours\n\
         Left behind, as they are the engine's own: bot:histories-lookup\n"
    );
    assert_eq!(robot.ask(";get old", "got "), "got from before (0)");
    assert_eq!(robot.ask(";get ours", "got "), "got 1 (0)");
    assert!(brain(&robot, &["migrate", "--force"]).starts_with("Moved 2 memories.\n"));
    assert_eq!(robot.ask(";get ours", "got "), "got theirs (0)");

    let status = text(&robot.gopherctl(&["status"]));
    assert!(!status.contains("still in state/brain-cache"), "{status}");
    let mut robot = start_in(robot.stop());
    let status = text(&robot.gopherctl(&["status"]));
    assert!(!status.contains("still in state/brain-cache"), "{status}");

    // Version 2: a file for each memory, as text or plain.
    let text_form =
        format!("#GOPHERBOT-BASE64-DATA\n{}\n", base64.encode(seal_as_gopherbot(&robot.home, br#"{"text":"two"}"#)));
    robot.home.file("old/mind:two", &text_form);
    robot.home.file("old/mind:plain", r#"{"text":"bare"}"#);
    fs::write(robot.home.path().join("old/mind:secret"), &secret).unwrap();
    fs::write(robot.home.path().join("old/mind:noise"), [9; 60]).unwrap();
    let old = robot.home.path().join("old");
    let output = robot.gopherctl(&["brain", "migrate", old.to_str().unwrap()]);
    let said = text(&output);
    assert!(output.status.code() == Some(65) && said.contains("Moved 2 memories."), "{said}");
    assert!(said.contains("mind:secret") && said.contains("a secret of the configuration"), "{said}");
    assert!(said.contains("mind:noise") && said.contains("does not open with this robot's key"), "{said}");
    assert_eq!(robot.ask(";get two", "got "), "got two (0)");
    assert_eq!(robot.ask(";get plain", "got "), "got bare (0)");
}

#[test]
fn memories_go_back_to_gopherbot_and_come_again() {
    let mut robot = start();
    robot.ask(";put colour red", "put colour");
    assert_eq!(robot.ask(";grow large 1000000", "put large"), "put large (00)");
    let back = robot.home.path().join("back");
    let name = back.to_str().unwrap().to_owned();
    assert_eq!(brain(&robot, &["export", "--gopherbot", &name]), "Exported 2 memories for Gopherbot.\n");
    assert_eq!(robot.gopherctl(&["brain", "export", "--gopherbot", &name]).status.code(), Some(74));
    // `mind:colour`, as Gopherbot names and encrypts it.
    let blob = fs::read(back.join("data/bWluZDpjb2xvdXI.blob")).unwrap();
    assert_eq!(open_as_gopherbot(&robot.home, blob), br#"{"text":"red"}"#);
    let clear = Scanner::new(vec![("the value".into(), b"xxxxxxxxxx".to_vec())]);
    assert_eq!(clear.files(&back), [].into());
    brain(&robot, &["delete", "mind:colour"]);
    brain(&robot, &["delete", "mind:large"]);
    assert_eq!(brain(&robot, &["migrate", &name]), "Moved 2 memories.\n");
    assert_eq!(robot.ask(";get colour", "got "), "got red (0)");
    assert_eq!(robot.ask(";size large", "has "), "has 1000000 (0)");
}

/// A small disk of its own for a robot's state.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn beneath(home: &Home) -> Self {
        let path = home.path().join("state");
        fs::create_dir_all(&path).unwrap();
        let flags = nix::mount::MsFlags::MS_NOSUID;
        nix::mount::mount(Some("small"), &path, Some("tmpfs"), flags, Some("size=6m,mode=711")).expect("a small disk");
        Self(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = nix::mount::umount2(&self.0, nix::mount::MntFlags::MNT_DETACH);
    }
}

#[test]
fn a_full_disk_costs_what_does_not_fit_and_nothing_else() {
    if !is_root() {
        println!("skipped: only root can mount a small disk");
        return;
    }
    let home = home("file");
    let disk = SmallDisk::beneath(&home);
    let mut robot = start_in(home);
    assert_eq!(robot.ask(";put colour red", "put "), "put colour (00)");
    let filler = disk.0.join("filler");
    let mut full = fs::File::create(&filler).unwrap();
    while std::io::Write::write_all(&mut full, &[0; 4096]).is_ok() {}
    assert_eq!(robot.ask(";grow large 1000000", "put large"), "put large (09)");
    assert_eq!(robot.ask(";get colour", "got "), "got red (0)");
    let status = text(&robot.gopherctl(&["status"]));
    assert!(status.contains("brain.db") && status.contains("no space left"), "{status}");
    fs::remove_file(&filler).unwrap();
    drop(full);
    assert_eq!(robot.ask(";grow large 1000000", "put large"), "put large (00)");
    let status = text(&robot.gopherctl(&["status"]));
    assert!(!status.contains("brain.db"), "{status}");
    let mut robot = start_in(kill(robot));
    assert_eq!(robot.ask(";size large", "has "), "has 1000000 (0)");
    assert_eq!(robot.ask(";get colour", "got "), "got red (0)");
    drop(robot);
    drop(disk);
}

//! A script is by itself until it needs somebody: whatever it does then is seen to as if somebody had been there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{thread, time::Duration};

use gopher_tests::robot::{Home, Robot, Start, eventually};

const LUA: &str = r#"
local command, what = arg[1], arg[2]
if command == "_configure" then
  return "Commands: [{ Command: print, Regex: 'lua print (\\w+)' }, { Command: stick, Regex: 'lua stick' }]"
end
if command == "stick" then
  string.find(("a"):rep(60), ("a*"):rep(30) .. "b")
end
local lines = {}
for n = 1, 3000 do lines[n] = n .. " of those that fill what is between a script and its robot, by " .. tostring(what) end
local text = "lua: " .. table.concat(lines, "\n") .. "\n"
local ways = {
  print = function() print(text) end,
  write = function() io.write(text) end,
  out = function() io.stdout:write(text) end,
  err = function() io.stderr:write(text) end,
  open = function() local out = io.open("/dev/stdout", "w"); out:write(text); out:close() end,
  program = function() os.execute("echo 'lua: " .. lines[1] .. "'; seq 30000") end,
  error = function() error(text) end,
  signal = function() GBOT:Say("ended by " .. os.execute("kill -TERM $$; exit 3")) end,
}
if command == "print" then
  ways[what]()
  GBOT:Say("printed by " .. what)
end
"#;

const JAVASCRIPT: &str = r#"
const [, , command, what] = process.argv;
if (command === "stick") /(a*)*b/.test("a".repeat(60));
const lines = Array.from({ length: 3000 }, (_, n) => `${n + 1} of those that fill what is between a script and its robot, by ${what}`);
const text = `js: ${lines.join("\n")}\n`;
const ways = {
  print: () => console.log(text),
  err: () => console.error(text),
  error: () => { throw new Error(text); },
};
if (command === "print") {
  ways[what]();
  GBOT.Say(`printed by ${what}`);
}
command === "_configure"
  ? "Commands: [{ Command: print, Regex: 'js print (\\w+)' }, { Command: stick, Regex: 'js stick' }]"
  : 0;
"#;

fn start() -> Robot {
    let mut home = Home::new();
    for (name, file, script) in
        [("speaks-lua", "plugins/speaks.lua", LUA), ("speaks-js", "plugins/speaks.js", JAVASCRIPT)]
    {
        home.file(file, script);
        home.declare(name, file, "");
    }
    Robot::start(home, &Start::default())
}

fn told(robot: &Robot, command: &[&str], words: &str) -> bool {
    String::from_utf8_lossy(&robot.gopherctl(command).stdout).contains(words)
}

#[test]
fn it_prints_as_much_as_it_wants() {
    let mut robot = start();
    let of_lua = ["print", "write", "out", "err", "open", "program", "error"];
    let of_js = ["print", "err", "error"];
    let ways = of_lua.map(|way| ("lua", way)).into_iter().chain(of_js.map(|way| ("js", way)));
    for (language, way) in ways {
        robot.say("bob", &format!(";{language} print {way}"));
        if way != "error" {
            robot.hear_about(&format!("printed by {way}"));
        }
        let first = format!("{language}: 1 of those that fill what is between a script and its robot, by {way}");
        eventually(&first, || told(&robot, &["logs", "-n", "2000"], &first));
        eventually("its end", || told(&robot, &["ps"], "No pipelines running"));
    }
}

#[test]
fn one_that_may_have_no_second_thread_is_told_so_when_it_needs_one() {
    let mut home = Home::new();
    home.file("plugins/speaks.lua", LUA);
    home.declare("speaks-lua", "plugins/speaks.lua", ", Limits: { Processes: 1 }");
    let mut robot = Robot::start(home, &Start::default());
    robot.say("bob", ";lua print print");
    let sentence = "it needs a second thread, which could not be started";
    eventually(sentence, || told(&robot, &["logs"], sentence));
    robot.say("bob", ";ping");
    robot.hear_about("PONG");
}

#[test]
fn what_it_starts_meets_every_signal() {
    let mut robot = start();
    assert_eq!(robot.ask(";lua print signal", "ended by"), "ended by 15");
}

#[test]
fn one_that_is_stuck_is_ended_by_whoever_wants_that() {
    let mut robot = start();
    for language in ["lua", "js"] {
        robot.say("bob", &format!(";{language} stick"));
        eventually("its run", || told(&robot, &["ps"], "speaks"));
        // It has come to the pattern by now; if not, it ends even sooner.
        thread::sleep(Duration::from_millis(100));
        robot.say("alice", ";ps");
        let table = robot.hear_about("WID").text.to_lowercase();
        let row = table.lines().find(|row| row.contains("speaks")).unwrap_or_else(|| panic!("{table}"));
        let number = row.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty()).expect("a number");
        robot.ask(&format!(";kill {number}"), "Killed");
        let told = robot.hear_about("was stopped").text;
        assert_eq!(told, format!("'speaks-{language}/stick' was stopped by alice (wid {number})"));
        assert!(robot.ping() < Duration::from_secs(20));
    }
}

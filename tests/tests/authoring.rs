//! The tools that an author writes extensions with: `gopherctl new`, `syntax` and `run`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use gopher_tests::{
    programs::{command, interpreter, robot_binary, workspace},
    robot::Home,
};
use serde_json::Value;

fn share() -> PathBuf {
    workspace().join("packaging/share")
}

/// `gopherctl` in a robot's directory.
fn ctl(dir: &Path, args: &[&str]) -> Output {
    let mut program = command(robot_binary("gopherctl").expect("gopherctl is built"));
    program.args(args).current_dir(dir).stdin(Stdio::null()).output().expect("gopherctl runs")
}

fn with_share(dir: &Path, args: &[&str]) -> Output {
    let share = share();
    let mut args = args.to_vec();
    args.extend(["--install-dir", share.to_str().expect("UTF-8")]);
    ctl(dir, &args)
}

fn both(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A robot as its author begins it.
fn robot() -> Home {
    let home = Home::new();
    home.file(
        "conf/robot.yaml",
        "# Mine.\nPrimaryProtocol: test\nBotInfo: { UserName: bender }\nAdminUsers: [ alice ]\n\
         UserRoster: [ { UserName: alice } ]\n\nExternalPlugins: # the best ones\n\n# The end.\n",
    );
    home
}

const KINDS: [&str; 3] = ["plugin", "job", "task"];
const LANGUAGES: [(&str, &str); 6] =
    [("bash", "bash"), ("python", "python3"), ("ruby", "ruby"), ("lua", ""), ("javascript", ""), ("gsh", "")];

#[test]
fn a_new_extension_of_every_kind_and_language_is_valid_and_passes_its_suite() {
    let home = robot();
    let mut suites = Vec::new();
    for (language, program) in LANGUAGES {
        if !program.is_empty() && interpreter(program).is_none() {
            eprintln!("skipped: {program} is not installed");
            continue;
        }
        for kind in KINDS {
            let name = format!("{language}-{kind}");
            let output = ctl(home.path(), &["new", kind, &name, "--lang", language]);
            assert!(output.status.success(), "{name}: {}", both(&output));
            suites.push(format!("suites/{name}.yaml"));
        }
    }
    let text = fs::read_to_string(home.path().join("conf/robot.yaml")).expect("robot.yaml");
    for comment in ["# Mine.\n", "ExternalPlugins: # the best ones\n", "\n# The end.\n"] {
        assert!(text.contains(comment), "{text}");
    }

    let validated = with_share(home.path(), &["--json", "validate"]);
    let report: Value =
        serde_json::from_slice(&validated.stdout).unwrap_or_else(|e| panic!("{e}: {}", both(&validated)));
    assert_eq!(report["valid"], true, "{report}");
    assert_eq!(report["disabled"], serde_json::json!([]), "{report}");
    let mut args = vec!["test"];
    args.extend(suites.iter().map(String::as_str));
    let played = with_share(home.path(), &args);
    assert!(played.status.success(), "{}", both(&played));
    assert!(both(&played).contains(&format!("{} passed, 0 failed", 2 * suites.len())), "{}", both(&played));
}

#[test]
fn a_robot_in_custom_gets_its_extensions_there() {
    let home = Home::copy_of("workshop");
    let made = ctl(home.path(), &["-C", ".", "new", "plugin", "lamp", "--lang", "lua"]);
    assert!(made.status.success(), "{}", both(&made));
    assert!(home.path().join("custom/plugins/lamp.lua").is_file());
    let next = both(&made);
    let test = next.lines().find(|line| line.contains("gopherctl test")).expect("what to do next");
    let words: Vec<&str> = test.split_whitespace().skip(1).collect();
    let played = with_share(home.path(), &words);
    assert!(played.status.success(), "{words:?}: {}", both(&played));
    let again = ctl(home.path(), &["new", "plugin", "lamp", "--lang", "lua"]);
    assert_eq!(again.status.code(), Some(73), "{}", both(&again));
}

#[test]
fn scripts_are_read_in_every_language_and_not_run() {
    let dir = tempfile::tempdir().expect("a directory");
    let touched = dir.path().join("touched");
    let touch = touched.to_str().expect("UTF-8");
    // A script that would leave a file behind; one that is wrong; and where.
    let scripts = [
        ("bash", "sh", format!("touch {touch}\n"), "if true; then\n  echo\nfi fi\n", 3, "plugin.sh"),
        ("python3", "py", format!("open('{touch}', 'w')\n"), "a = 1\nif a\n  a = 2\n", 2, "plugin.py"),
        ("ruby", "rb", format!("File.write('{touch}', '')\n"), "a = 1\np 1 1\n", 2, "plugin.rb"),
        ("", "lua", format!("io.open('{touch}', 'w')\n"), "local a\na = = 1\n", 2, "plugin.lua"),
        ("", "js", "throw new Error()\n".to_owned(), "let a;\n\na +;\n", 3, "plugin.js"),
        ("", "gsh", format!("touch {touch}\n"), "if true; then\n  echo\nfi fi\n", 3, "plugin.gsh"),
    ];
    for (program, suffix, good, bad, line, template) in scripts {
        if !program.is_empty() && interpreter(program).is_none() {
            eprintln!("skipped: {program} is not installed");
            continue;
        }
        let (right, wrong) = (format!("right.{suffix}"), format!("wrong.{suffix}"));
        fs::write(dir.path().join(&right), good).expect("written");
        fs::write(dir.path().join(&wrong), bad).expect("written");
        let templates = workspace().join("gopherctl/src/author/templates");
        if templates.is_dir() {
            let template = templates.join(template);
            let output = ctl(dir.path(), &["syntax", &right, template.to_str().expect("UTF-8")]);
            assert_eq!((output.status.code(), both(&output)), (Some(0), "valid: 2 files\n".to_owned()));
        }
        let output = ctl(dir.path(), &["syntax", &right, &wrong]);
        assert_eq!(output.status.code(), Some(1));
        let said = both(&output);
        assert!(said.starts_with(&format!("{wrong}:{line}:")), "{said}");
        assert!(said.ends_with("\nnot valid: 1 of 2 files\n"), "{said}");
        let output = ctl(dir.path(), &["syntax", "--json", &right, &wrong]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", both(&output)));
        let wrong = &report["files"][1];
        assert_eq!(
            (&report["status"], &report["files"][0]["ok"], &wrong["ok"]),
            (&"error".into(), &true.into(), &false.into())
        );
        let found = &wrong["diagnostics"][0];
        assert_eq!(
            (&found["severity"], &found["stage"], &found["line"]),
            (&"error".into(), &"parse".into(), &line.into())
        );
    }
    assert!(!touched.exists(), "a script was run");
    let none = ctl(dir.path(), &["syntax", "absent.lua"]);
    assert_eq!(none.status.code(), Some(1), "{}", both(&none));
    assert_eq!(ctl(dir.path(), &["syntax"]).status.code(), Some(64));
}

const ASKER: &str = r#"
local gopherbot = require "gopherbot_v1"
if arg[1] == "_configure" then
  return "Commands:\n- { Command: other, Regex: other }\nConfig: { Word: own, Kept: kept }\n"
end
if arg[1] == "_init" then return end
local bot = gopherbot.Robot:new()
if arg[1] == "ask" then
  local colour, first = bot:PromptForReply("SimpleString", "Which colour?")
  local name, second = bot:PromptUserForReply("SimpleString", "bob", "Whose?")
  local third = select(2, bot:PromptForReply("YesNo", "Sure?"))
  bot:Say(table.concat({ colour, first, name, second, third }, " "))
elseif arg[1] == "tell" then
  local config = bot:GetTaskConfig()
  bot:Reply(config.Word .. " " .. config.Kept .. " " .. bot:GetParameter("SECRET") .. " " .. tostring(bot:CheckAdmin()))
  bot:Log("Warn", "careful")
  print("[" .. table.concat(arg, "|", 2) .. "]")
end
return tonumber(arg[2]) or 0
"#;

/// `gopherctl run` with answers on its standard input.
fn run(dir: &Path, args: &[&str], answers: &str) -> (Option<i32>, String, String) {
    use std::io::Write as _;
    let share = share();
    let mut program = command(robot_binary("gopherctl").expect("gopherctl is built"));
    program.args(["run", "--install-dir", share.to_str().expect("UTF-8")]).args(args).current_dir(dir);
    let mut child =
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("gopherctl runs");
    child.stdin.take().expect("piped").write_all(answers.as_bytes()).expect("answers");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn an_extension_is_run_alone_with_one_command() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("asker.lua"), ASKER).expect("written");
    fs::write(dir.path().join("mine.yaml"), "Config: { Word: mine }").expect("written");

    let args =
        ["--config", "mine.yaml", "-p", "SECRET={{ x }}", "--admin", "asker.lua", "tell", "7", "two  words", "--x"];
    let (code, said, log) = run(dir.path(), &args, "");
    assert!(said.starts_with("to alice in #general: mine kept {{ x }} true\n"), "{said}{log}");
    assert!(log.contains("warn: careful\n") && log.contains("OUT [7|two  words|--x]\n"), "{log}");
    assert_eq!(code, Some(7), "its own status: {log}");

    let (code, said, log) = run(dir.path(), &["-u", "zoe", "-c", "ops", "asker.lua", "--", "tell"], "");
    assert_eq!((code, said.as_str()), (Some(0), "to zoe in #ops: own kept  false\n"), "{log}");

    let (code, said, log) = run(dir.path(), &["asker.lua", "ask"], "red\nio\n");
    let expected = "to alice in #general: Which colour?\ndirect message to bob: Whose?\nto alice in #general: Sure?\n\
                    #general: red 0 io 0 18\n";
    assert_eq!((code, said.as_str()), (Some(0), expected), "{log}");
    assert!(log.contains("no further answer"), "{log}");
}

#[test]
fn what_cannot_be_run_says_why() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("asker.lua"), ASKER).expect("written");
    fs::write(dir.path().join("shut.lua"), ASKER.replace("Commands:", "RequireAllCommandsPrivate: true\\nCommands:"))
        .expect("written");
    fs::write(dir.path().join("wrong.sh"), "#!/bin/bash\necho 'Commands: none'\n").expect("written");
    for (args, code, words) in [
        (&["absent.lua", "ask"][..], 66, "absent.lua: it cannot be read"),
        (&["asker.lua"], 64, "which command"),
        (&["asker.lua", "_init"], 64, "commands and _configure can be run"),
        (&["asker.lua", "tell", "200"], 1, "it ended with"),
        (&["--kind", "job", "--config", "asker.lua", "asker.lua"], 64, "only a plugin"),
        (&["shut.lua", "tell"], 77, "the robot did not run it"),
        (&["wrong.sh", "tell"], 78, "wrong.sh is not executable"),
    ] {
        let (ended, said, log) = run(dir.path(), args, "");
        assert!(log.contains(words), "{args:?}: {said}{log}");
        assert_eq!(ended, Some(code), "{args:?}: {said}{log}");
    }
}

#[test]
fn the_default_configuration_of_an_extension_is_printed() {
    let home = robot();
    for language in ["bash", "lua", "javascript"] {
        if language == "bash" && interpreter("bash").is_none() {
            eprintln!("skipped: bash is not installed");
            continue;
        }
        let made = ctl(home.path(), &["new", "plugin", language, "--lang", language]);
        assert!(made.status.success(), "{}", both(&made));
        let suffix = match language {
            "bash" => "sh",
            "lua" => "lua",
            _ => "js",
        };
        let (code, said, log) = run(home.path(), &[&format!("plugins/{language}.{suffix}"), "_configure"], "");
        assert_eq!(code, Some(0), "{log}");
        assert!(said.starts_with("Commands:\n  - Command: greet\n"), "{said}{log}");
    }
    home.file("plugins/wrong.lua", "return 'Commands: none'");
    let (code, _, log) = run(home.path(), &["plugins/wrong.lua", "_configure"], "");
    assert_eq!(code, Some(78), "{log}");
    assert!(log.contains("expected a list"), "{log}");
}

#[test]
fn tasks_and_jobs_are_run_with_their_arguments_and_their_robots_libraries() {
    let home = robot();
    home.file("lib/words.lua", "return { greeting = 'Hello' }");
    let script = "local words = require 'words'\nrequire('gopherbot_v1').Robot:new():Say(words.greeting .. ' ' .. \
                  table.concat(arg, '+'))\n";
    for kind in ["tasks", "jobs"] {
        home.file(&format!("{kind}/step.lua"), script);
        let (code, said, log) = run(home.path(), &[&format!("{kind}/step.lua"), "a b", "", "c"], "");
        assert_eq!((code, said.as_str()), (Some(0), "#general: Hello a b++c\n"), "{log}");
    }
}

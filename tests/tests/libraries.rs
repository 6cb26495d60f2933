//! The client libraries for bash, Python and Ruby: one table says what a method sends and what it gives back, and
//! every row holds in three languages, over the descriptor and over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "libraries/table.rs"]
mod table;

use std::{
    io::Write as _,
    os::fd::OwnedFd,
    path::Path,
    process::{Command, Stdio},
    thread::JoinHandle,
};

use gopher_tests::{
    fake_worker::{Answer, CALLER_ID, on_descriptor, on_http},
    programs::{command, interpreter, spawn_with, workspace},
};
use table::{CASES, Case, Context};

#[derive(Clone, Copy, Debug)]
enum Language {
    Bash,
    Python,
    Ruby,
}

const LANGUAGES: [Language; 3] = [Language::Bash, Language::Python, Language::Ruby];

impl Language {
    fn program(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Python => "python3",
            Self::Ruby => "ruby",
        }
    }

    /// The start of a script: the library, and `show` to print a result the same way in each language.
    fn prelude(self) -> &'static str {
        match self {
            Self::Bash => {
                "source \"$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh\"\nshow() { local IFS=' '; printf '%s\\n' \"$*\"; }\n"
            }
            Self::Python => {
                "from gopherbot_v2 import Robot\nbot = Robot()\ndef show(*a):\n    \
                 print(*[str(x).lower() if isinstance(x, bool) else '' if x is None else str(x) for x in a], flush=True)\n"
            }
            Self::Ruby => {
                "require 'gopherbot_v1'\n$stdout.sync = true\nbot = Robot.new\ndef show(*a) = puts(a.map(&:to_s).join(' '))\n"
            }
        }
    }

    fn snippet(self, case: &Case) -> &'static str {
        match self {
            Self::Bash => case.bash,
            Self::Python => case.python,
            Self::Ruby => case.ruby,
        }
    }
}

/// A command for a script as the robot starts it.
fn script(language: Language, context: Context, text: &str, dir: &Path) -> Option<Command> {
    let Some(program) = interpreter(language.program()) else {
        eprintln!("skipped: {} is not installed", language.program());
        return None;
    };
    let file = dir.join("script");
    std::fs::write(&file, text).expect("write the script");
    let share = workspace().join("packaging/share");
    let mut command = command(program);
    command.arg(&file).env_clear();
    command.env("GOPHER_INSTALLDIR", &share).env("PYTHONPATH", share.join("lib")).env("RUBYLIB", share.join("lib"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("LANG", "C.UTF-8").env("PATH", "/usr/bin:/bin");
    command.env("GOPHER_CALLER_ID", "stdin").env("GOPHER_USER", "alice").env("GOPHER_PROTOCOL", "test");
    command.env("GOPHER_CHANNEL", if context == Context::Direct { "" } else { "general" });
    command.env("GOPHER_THREAD_ID", if context == Context::Direct { "" } else { "0xDEADBEEF" });
    if context == Context::Thread {
        command.env("GOPHER_THREADED_MESSAGE", "true");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(command)
}

/// What a finished script said.
struct Finished {
    out: String,
    err: String,
    code: Option<i32>,
}

fn finish(mut command: Command, inherited: Vec<OwnedFd>, input: &str) -> Finished {
    let mut child = spawn_with(&mut command, &inherited);
    drop(inherited);
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("the caller id");
    let output = child.wait_with_output().expect("the script ends");
    Finished {
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code(),
    }
}

/// The two descriptors of a run: the channel, and the pipe with the byte that is the right to speak.
fn channel(command: &mut Command, answers: Vec<Answer>) -> (Vec<OwnedFd>, JoinHandle<Vec<String>>) {
    use std::os::fd::AsRawFd as _;
    let (socket, player) = on_descriptor(answers);
    let (lock, write) = nix::unistd::pipe().expect("a pipe");
    nix::unistd::write(&write, b"k").expect("the byte");
    // One descriptor for both ways, as a run gets it.
    let both = std::fs::File::options()
        .read(true)
        .write(true)
        .open(format!("/proc/self/fd/{}", lock.as_raw_fd()))
        .expect("open the pipe for both ways");
    command.env("GOPHER_API_FD", socket.as_raw_fd().to_string());
    command.env("GOPHER_API_LOCK_FD", both.as_raw_fd().to_string());
    (vec![socket, both.into()], player)
}

/// The descriptor for one process alone, and the byte that gives it away.
fn own_channel(command: &mut Command, inherited: &mut Vec<OwnedFd>, answers: Vec<Answer>) -> JoinHandle<Vec<String>> {
    use std::os::fd::AsRawFd as _;
    let (socket, player) = on_descriptor(answers);
    let (claim, write) = nix::unistd::pipe().expect("a pipe");
    nix::unistd::write(&write, b"+").expect("the byte");
    command.env("GOPHER_API_OWN_FD", socket.as_raw_fd().to_string());
    command.env("GOPHER_API_CLAIM_FD", claim.as_raw_fd().to_string());
    inherited.extend([socket, claim]);
    player
}

fn play_table(context: Context, over_http: bool) {
    for language in LANGUAGES {
        let cases: Vec<&Case> = CASES.iter().filter(|case| case.context == context).collect();
        let mut text = language.prelude().to_owned();
        for case in &cases {
            text.push_str(language.snippet(case));
            text.push_str(
                "\nshow ---\n"
                    .replace("show ---", if matches!(language, Language::Bash) { "show ---" } else { "show('---')" })
                    .as_str(),
            );
        }
        let dir = tempfile::tempdir().expect("a directory");
        let Some(mut command) = script(language, context, &text, dir.path()) else {
            continue;
        };
        let answers = cases.iter().flat_map(|case| case.calls.iter().map(|(_, answer)| *answer)).collect();
        let (inherited, player) = if over_http {
            let (url, player) = on_http(answers);
            command.env("GOPHER_HTTP_POST", url);
            (Vec::new(), player)
        } else {
            channel(&mut command, answers)
        };
        let done = finish(command, inherited, &format!("{CALLER_ID}\n"));
        let mut calls = player.join().expect("the fake worker").into_iter();
        let mut printed = done.out.split("---\n");
        for case in cases {
            for (want, _) in case.calls {
                let seen = calls.next().unwrap_or_default();
                assert_eq!(&seen, want, "{language:?} `{}`\nstderr: {}", language.snippet(case), done.err);
            }
            let seen = printed.next().unwrap_or_default();
            assert_eq!(seen, case.prints, "{language:?} `{}` prints\nstderr: {}", language.snippet(case), done.err);
        }
        assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{language:?}");
    }
}

#[test]
fn a_method_called_in_a_channel_sends_and_returns_what_the_table_says() {
    play_table(Context::Channel, false);
}

#[test]
fn a_method_called_in_a_thread_sends_and_returns_what_the_table_says() {
    play_table(Context::Thread, false);
}

#[test]
fn a_method_called_in_a_direct_message_sends_and_returns_what_the_table_says() {
    play_table(Context::Direct, false);
}

#[test]
fn the_same_holds_over_http() {
    play_table(Context::Channel, true);
    play_table(Context::Thread, true);
    play_table(Context::Direct, true);
}

/// A script for one call in each language.
fn one(language: Language, bash: &str, python: &str, ruby: &str) -> String {
    let call = match language {
        Language::Bash => bash,
        Language::Python => python,
        Language::Ruby => ruby,
    };
    format!("{}{call}\n", language.prelude())
}

#[test]
fn a_configure_run_without_robot_loads_the_library_and_touches_no_input() {
    for language in LANGUAGES {
        let dir = tempfile::tempdir().expect("a directory");
        let text = one(language, "cat", "import sys; print(sys.stdin.read(), end='')", "print $stdin.read");
        let Some(mut command) = script(language, Context::Channel, &text, dir.path()) else {
            continue;
        };
        for name in ["GOPHER_CALLER_ID", "GOPHER_USER", "GOPHER_CHANNEL", "GOPHER_THREAD_ID", "GOPHER_PROTOCOL"] {
            command.env_remove(name);
        }
        let done = finish(command, Vec::new(), "untouched\n");
        assert_eq!((done.out.as_str(), done.err.as_str(), done.code), ("untouched\n", "", Some(0)), "{language:?}");
    }
}

#[test]
fn the_caller_id_is_taken_from_the_input_and_nothing_else_is() {
    for language in LANGUAGES {
        let dir = tempfile::tempdir().expect("a directory");
        let text = one(
            language,
            "show $GOPHER_CALLER_ID; cat",
            "import os, sys\nshow(os.environ['GOPHER_CALLER_ID'])\nprint(sys.stdin.read(), end='')",
            "show ENV['GOPHER_CALLER_ID']\nprint $stdin.read",
        );
        let Some(command) = script(language, Context::Channel, &text, dir.path()) else {
            continue;
        };
        let done = finish(command, Vec::new(), &format!("{CALLER_ID}\nrest\n"));
        assert_eq!((done.out.as_str(), done.code), ("read\nrest\n", Some(0)), "{language:?}: {}", done.err);
    }
}

#[test]
fn an_error_of_the_robot_is_one_sentence_on_the_error_output() {
    for language in LANGUAGES {
        let dir = tempfile::tempdir().expect("a directory");
        let text = one(
            language,
            "Subscribe; show $?",
            "try:\n    bot.Subscribe()\nexcept Exception as e:\n    sys = __import__('sys'); sys.stderr.write('%s\\n' % e); show('false'); show(1)",
            "begin; bot.Subscribe; rescue RobotError => e; warn e.message; show false; show 1; end",
        );
        let Some(mut command) = script(language, Context::Channel, &text, dir.path()) else {
            continue;
        };
        let (inherited, player) = channel(&mut command, vec![Answer::Error("Subscribe is not offered")]);
        let done = finish(command, inherited, "id\n");
        assert_eq!(player.join().expect("the fake worker"), ["Subscribe|"], "{language:?}");
        assert!(done.err.trim_end().ends_with("Subscribe: Subscribe is not offered"), "{language:?}: {}", done.err);
        assert_eq!(done.err.lines().count(), 1, "{language:?}: {}", done.err);
        assert_eq!(done.out, "false\n1\n", "{language:?}");
    }
}

#[test]
fn a_script_without_robot_is_told_so() {
    for language in LANGUAGES {
        let dir = tempfile::tempdir().expect("a directory");
        let text = one(language, "Say hi; exit $?", "bot.Say('hi')", "bot.Say('hi')");
        let Some(mut command) = script(language, Context::Channel, &text, dir.path()) else {
            continue;
        };
        command.env_remove("GOPHER_CALLER_ID");
        let done = finish(command, Vec::new(), "");
        assert!(done.err.contains("there is no robot to call"), "{language:?}: {}", done.err);
        assert_eq!(done.code, Some(if matches!(language, Language::Bash) { 63 } else { 1 }), "{language:?}");
    }
}

#[test]
fn processes_of_one_run_never_mix_answers() {
    // Each process asks for parameters under its own name and checks that it gets them back under that name.
    const ROUNDS: usize = 40;
    for language in LANGUAGES {
        let dir = tempfile::tempdir().expect("a directory");
        let text = one(
            language,
            "worker() { local i v; for i in {1..40}; do v=$(GetParameter same); [[ $v == right ]] || echo bad; done; }\n\
             worker & worker & worker; wait",
            "import os\ndef worker():\n    for i in range(40):\n        if bot.GetParameter('same') != 'right': print('bad')\n\
             pids = []\nfor i in range(2):\n    pid = os.fork()\n    if pid == 0:\n        worker(); os._exit(0)\n    pids.append(pid)\n\
             worker()\nfor pid in pids: os.waitpid(pid, 0)",
            "worker = -> { 40.times { puts 'bad' if bot.GetParameter('same') != 'right' } }\n\
             2.times { fork { worker.call } }\nworker.call\nProcess.waitall",
        );
        let Some(mut command) = script(language, Context::Channel, &text, dir.path()) else {
            continue;
        };
        let (inherited, player) = channel(&mut command, vec![Answer::Text(0, "right"); 3 * ROUNDS]);
        let done = finish(command, inherited, "id\n");
        assert_eq!((done.out.as_str(), done.err.as_str()), ("", ""), "{language:?}");
        assert_eq!(player.join().expect("the fake worker").len(), 3 * ROUNDS, "{language:?}");
    }
}

#[test]
fn one_process_has_a_descriptor_of_its_own_and_all_others_share_one() {
    // Whoever asks first keeps it: when that has ended, nobody takes its place.
    for (first, own) in [(":", &["self", "tab\tand \\"][..]), ("bash child.sh first", &["first"])] {
        let dir = tempfile::tempdir().expect("a directory");
        let prelude = Language::Bash.prelude();
        std::fs::write(dir.path().join("child.sh"), format!("{prelude}Log info \"$1\"\n")).expect("write");
        let text = format!(
            "{first}\n{prelude}Log info self\n( Log info subshell )\nLog info background & wait\nbash child.sh child\n\
             Log info $'tab\\tand \\\\'\nexec bash child.sh instead\n"
        );
        let Some(mut command) = script(Language::Bash, Context::Channel, &text, dir.path()) else {
            return;
        };
        let (mut inherited, shared) = channel(&mut command, vec![Answer::Ret(0); 6]);
        let owned = own_channel(&mut command, &mut inherited, vec![Answer::Ret(0); 6]);
        command.current_dir(dir.path());
        let done = finish(command, inherited, "id\n");
        assert_eq!((done.out.as_str(), done.err.as_str(), done.code), ("", "", Some(0)));
        let said = |calls: JoinHandle<Vec<String>>| {
            let calls = calls.join().expect("the fake worker");
            calls.iter().map(|call| call.replace("Log||Level=info|Message=", "")).collect::<Vec<_>>()
        };
        let (said_owned, said_shared) = (said(owned), said(shared));
        assert_eq!(said_owned, own);
        let others = ["self", "subshell", "background", "child", "tab\tand \\", "instead"];
        assert_eq!(said_shared, others.iter().copied().filter(|word| !own.contains(word)).collect::<Vec<_>>());
    }
}

#[test]
fn whoever_comes_too_late_for_a_descriptor_of_its_own_takes_nothing_from_who_has_it() {
    const MOST: usize = 100_000;
    let dir = tempfile::tempdir().expect("a directory");
    let prelude = Language::Bash.prelude();
    let speaker = format!(
        "{prelude}>began\nfor ((i = 0; i < {MOST}; i++)); do if [[ -e enough ]]; then break; fi; GetParameter same >got; \
         [[ $(<got) == right ]] || echo bad; done\n"
    );
    std::fs::write(dir.path().join("speaker.sh"), speaker).expect("write");
    std::fs::write(dir.path().join("late.sh"), prelude).expect("write");
    // Who starts them has not loaded the library: whatever it starts may ask.
    let text =
        "bash speaker.sh & until [[ -e began ]]; do :; done\nfor i in {1..200}; do bash late.sh; done\n>enough\nwait\n";
    let Some(mut command) = script(Language::Bash, Context::Channel, text, dir.path()) else {
        return;
    };
    let (mut inherited, shared) = channel(&mut command, Vec::new());
    let owned = own_channel(&mut command, &mut inherited, vec![Answer::Text(0, "right"); MOST]);
    command.current_dir(dir.path()).env("GOPHER_CALLER_ID", "read");
    let done = finish(command, inherited, "");
    assert_eq!((done.out.as_str(), done.err.as_str(), done.code), ("", "", Some(0)));
    assert!(!owned.join().expect("the fake worker").is_empty());
    assert!(shared.join().expect("the fake worker").is_empty());
}

#[test]
fn a_script_started_by_the_script_has_the_robot_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let child = dir.path().join("child.sh");
    std::fs::write(&child, format!("{}cat; Say \"from the child\"\n", Language::Bash.prelude())).expect("write");
    let text = format!("{}echo input | bash {}\nSay done\n", Language::Bash.prelude(), child.display());
    let Some(mut command) = script(Language::Bash, Context::Channel, &text, dir.path()) else {
        return;
    };
    let (inherited, player) = channel(&mut command, vec![Answer::Ret(0), Answer::Ret(0)]);
    let done = finish(command, inherited, "id\n");
    assert_eq!((done.out.as_str(), done.err.as_str()), ("input\n", ""));
    assert_eq!(
        player.join().expect("the fake worker"),
        [
            "SendChannelThreadMessage||Channel=general|Message=from the child|Thread=",
            "SendChannelThreadMessage||Channel=general|Message=done|Thread="
        ]
    );
}

#[test]
fn a_call_broken_off_by_an_exception_does_not_shift_the_answers_of_the_next() {
    for language in [Language::Python, Language::Ruby] {
        let dir = tempfile::tempdir().expect("a directory");
        let text = one(
            language,
            "",
            "import os, signal\nclass Late(Exception): pass\ndef late(*a): raise Late()\nsignal.signal(signal.SIGALRM, late)\n\
             take = os.read\ndef slow(fd, n):\n    if n > 1: raise Late()\n    return take(fd, n)\n\
             os.read = slow\ntry: bot.GetParameter('first')\nexcept Late: pass\nos.read = take\nshow(bot.GetParameter('second'))",
            "class IO\n  alias_method :whole, :sysread\n  def sysread(n) = n > 1 ? raise(Interrupt) : whole(n)\nend\n\
             begin; bot.GetParameter('first'); rescue Interrupt; end\n\
             class IO; alias_method :sysread, :whole; end\nshow bot.GetParameter('second')",
        );
        let Some(mut command) = script(language, Context::Channel, &text, dir.path()) else {
            continue;
        };
        let (inherited, player) = channel(&mut command, vec![Answer::Text(0, "one"), Answer::Text(0, "two")]);
        let done = finish(command, inherited, "id\n");
        assert_eq!((done.out.as_str(), done.err.as_str()), ("two\n", ""), "{language:?}");
        assert_eq!(player.join().expect("the fake worker").len(), 2, "{language:?}");
    }
}

#[test]
fn a_bash_script_with_errexit_and_nounset_can_use_every_function() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = "set -eu\nsource \"$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh\"\nIFS=,\nSay -f 'a  b' c\nRemember k v\nRecall k\n\
                AddTask t\nPause 0.01\nRandomInt 0\nRandomString only\nLog info x\necho end\n";
    let Some(mut command) = script(Language::Bash, Context::Channel, text, dir.path()) else {
        return;
    };
    let answers = vec![Answer::Ret(0), Answer::Ret(0), Answer::Text(0, "v"), Answer::Ret(0), Answer::Ret(0)];
    let (inherited, player) = channel(&mut command, answers);
    let done = finish(command, inherited, "id\n");
    assert_eq!((done.out.as_str(), done.err.as_str(), done.code), ("v0\nonly\nend\n", "", Some(0)));
    assert_eq!(
        player.join().expect("the fake worker")[0],
        "SendChannelThreadMessage|Fixed|Channel=general|Message=a  b c|Thread="
    );
}

#[test]
fn the_older_python_module_is_the_same_library() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = "import gopherbot_v1, gopherbot_v2\nbot = gopherbot_v1.Robot()\nprint(bot.Remember('k', 'v'), bot.RandomInt(0))\n\
                print(all(getattr(gopherbot_v1, n) is getattr(gopherbot_v2, n) for n in gopherbot_v1.__all__))\n\
                print(sorted(n for n, c in vars(gopherbot_v2).items() if isinstance(c, type) and n[0] != '_') == gopherbot_v1.__all__)\n";
    let Some(mut command) = script(Language::Python, Context::Channel, text, dir.path()) else {
        return;
    };
    let (inherited, player) = channel(&mut command, vec![Answer::Ret(0)]);
    let done = finish(command, inherited, "id\n");
    assert_eq!((done.out.as_str(), done.err.as_str()), ("0 0\nTrue\nTrue\n", ""));
    assert_eq!(player.join().expect("the fake worker"), ["Remember||Key=k|Shared=false|Value=v"]);
}

#[test]
fn a_script_in_julia_has_the_robot() {
    let Some(program) = interpreter("julia") else {
        eprintln!("skipped: julia is not installed");
        return;
    };
    let dir = tempfile::tempdir().expect("a directory");
    let share = workspace().join("packaging/share");
    let file = dir.path().join("script.jl");
    let text = "using GopherbotV1\nbot = GopherbotV1.initialize_robot()\n\
                println(GopherbotV1.say(bot, \"a \\\"b\\\" \u{e4}\", \"Fixed\"))\n\
                println(GopherbotV1.recall(bot, \"k\"), GopherbotV1.check_admin(GopherbotV1.direct(bot)))\n\
                println(GopherbotV1.add_task(bot, \"t\", [\"x\", \"y\"]))\nprintln(ENV[\"GOPHER_CALLER_ID\"], readline())\n";
    std::fs::write(&file, text).expect("write the script");
    let mut command = command(program);
    command.arg(&file).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", dir.path());
    command.env("JULIA_LOAD_PATH", format!("{}:", share.join("lib").display()));
    command.env("GOPHER_CALLER_ID", "stdin").env("GOPHER_USER", "alice").env("GOPHER_CHANNEL", "general");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let answers = vec![Answer::Ret(0), Answer::Text(0, "tea \u{1f375}"), Answer::Bool(true), Answer::Ret(23)];
    let (url, player) = on_http(answers);
    command.env("GOPHER_HTTP_POST", url);
    let done = finish(command, Vec::new(), &format!("{CALLER_ID}\nrest\n"));
    assert_eq!((done.out.as_str(), done.code), ("0\ntea \u{1f375}true\n23\nreadrest\n", Some(0)), "{}", done.err);
    assert_eq!(
        player.join().expect("the fake worker"),
        [
            "SendChannelThreadMessage|Fixed|Channel=general|Message=a \"b\" \u{e4}|Thread=",
            "Recall||Key=k|Shared=false",
            "CheckAdmin|",
            "AddTask||CmdArgs=x|CmdArgs=y|Name=t",
        ]
    );
}

#[test]
fn a_bash_script_can_make_its_calls_itself() {
    for over_http in [false, true] {
        let dir = tempfile::tempdir().expect("a directory");
        let text = format!(
            "{}ARGS='{{\n  \"Attribute\": \"name\"\n}}'\nANSWER=$(gbPostJSON GetBotAttribute \"$ARGS\" Fixed)\n\
             gbExtract \"$ANSWER\" Attribute; gbBotRet \"$ANSWER\"; show $?; gbExtract \"$ANSWER\" RetVal\n\
             show \"$(base64_encode a  b)\" \"$(getFormat -f)\" \"$(getFormat x)\"\nANSWER=$(gbPostJSON Subscribe {{}})\n\
             gbExtract \"$ANSWER\" Boolean\n",
            Language::Bash.prelude()
        );
        let Some(mut command) = script(Language::Bash, Context::Channel, &text, dir.path()) else {
            return;
        };
        let answers =
            vec![Answer::Document(r#"{"Attribute":"a \"b\" c","RetVal":3}"#), Answer::Document(r#"{"Boolean":true}"#)];
        let (inherited, player) = if over_http {
            let (url, player) = on_http(answers);
            command.env("GOPHER_HTTP_POST", url);
            (Vec::new(), player)
        } else {
            channel(&mut command, answers)
        };
        let done = finish(command, inherited, &format!("{CALLER_ID}\n"));
        assert_eq!((done.out.as_str(), done.err.as_str()), ("a \"b\" c\n3\n3\nYSBi Fixed \ntrue\n", ""));
        assert_eq!(player.join().expect("the fake worker"), ["GetBotAttribute|Fixed|Attribute=name", "Subscribe|"]);
    }
}

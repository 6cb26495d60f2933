//! One exchange in six languages: what people see is the same, whatever an extension is written in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use gopher_tests::{
    programs::interpreter,
    robot::{Heard, Home, Robot, Start, eventually, somebody_runs},
};

/// As the robots `api` and `rough` call them.
const LANGUAGES: [&str; 6] = ["sh", "py", "rb", "lua", "js", "gsh"];

/// The longest that people have for an answer.
const PROMPT: Duration = Duration::from_secs(45);

fn installed() -> bool {
    let missing = ["bash", "python3", "ruby"].into_iter().find(|name| interpreter(name).is_none());
    if let Some(missing) = missing {
        eprintln!("skipped: {missing} is not installed");
    }
    missing.is_none()
}

fn start(robot: &str) -> Robot {
    Robot::start(Home::copy_of(robot), &Start { caged: true, ..Start::default() })
}

/// What is said to the plugin of a language, and how many messages come of it.
const EXCHANGE: &[(&str, &str, usize)] = &[
    ("alice", ";LANGUAGE say everything", 13),
    ("alice", ";LANGUAGE formats", 5),
    ("alice", ";LANGUAGE direct", 3),
    ("alice", ";LANGUAGE ask simple", 1),
    ("alice", "Red, and green!", 1),
    ("alice", ";LANGUAGE ask colour", 1),
    ("alice", "mauve", 1),
    ("alice", ";LANGUAGE ask yes", 1),
    ("alice", "=", 1),
    ("alice", ";LANGUAGE ask yes", 1),
    ("alice", "-", 1),
    ("alice", ";LANGUAGE ask unknown", 1),
    ("alice", ";LANGUAGE remember food is \"saffron\" \\noodles — ünï", 1),
    ("alice", ";LANGUAGE recall food", 1),
    ("bob", ";LANGUAGE recall food", 1),
    ("alice", ";LANGUAGE forget food", 1),
    ("alice", ";LANGUAGE recall food", 1),
    ("alice", ";LANGUAGE kept", 1),
    ("alice", ";LANGUAGE keep heron-7", 1),
    ("alice", ";LANGUAGE kept", 1),
    ("alice", ";LANGUAGE drop", 1),
    ("alice", ";LANGUAGE about", 1),
    ("alice", ";LANGUAGE admin", 1),
    ("bob", ";LANGUAGE admin", 1),
    ("alice", ";LANGUAGE args one=a  b two=$x \"y\" 'z'", 1),
    ("alice", ";LANGUAGE args", 1),
];

#[test]
fn the_same_extension_in_six_languages_has_one_transcript() {
    if !installed() {
        return;
    }
    let mut robot = start("api");
    let mut transcript = |language: &str| {
        let mut heard = Vec::new();
        for (user, text, messages) in EXCHANGE {
            robot.say(user, &text.replace("LANGUAGE", language));
            for _ in 0..*messages {
                let Heard { user: to, channel, text: answer } = robot.hear();
                heard.push(format!("{user}: {text}\n  to <{to}> in <{channel}>: {answer}"));
            }
        }
        heard
    };
    let first = transcript(LANGUAGES[0]);
    for language in &LANGUAGES[1..] {
        for (ours, theirs) in transcript(language).iter().zip(&first) {
            assert_eq!(ours, theirs, "{language}, and {}", LANGUAGES[0]);
        }
    }
}

#[test]
fn who_answers_too_late_is_heard_as_anybody_and_the_question_has_timed_out() {
    if !installed() {
        return;
    }
    let mut robot = start("rough");
    // One question a place and person: all six wait at once.
    let places = ["alice", "bob", "carol"].into_iter().flat_map(|user| [(user, "general"), (user, "random")]);
    let begun = Instant::now();
    for ((user, channel), language) in places.clone().zip(LANGUAGES) {
        robot.say_in(channel, user, &format!(";{language} do ask"));
        let asked = robot.hear();
        assert_eq!((asked.user.as_str(), asked.channel.as_str(), asked.text.as_str()), (user, channel, "Tell me."));
    }
    // A robot that says nothing for half a minute would be taken for dead.
    std::thread::sleep(Duration::from_secs(35));
    for _ in LANGUAGES {
        assert_eq!(robot.hear().text, "asked: 17 <>");
    }
    assert!(begun.elapsed() >= PROMPT, "{:?}", begun.elapsed());
    for (user, channel) in places {
        robot.say_in(channel, user, ";ping");
        let answered = robot.hear();
        assert!(answered.user == user && answered.channel == channel && answered.text.contains("PONG"), "{answered:?}");
    }
}

/// The number of the only pipeline that runs `plugin`.
fn wid(robot: &mut Robot, plugin: &str) -> String {
    robot.say("alice", ";ps");
    let table = robot.hear_about("WID").text.to_lowercase();
    let row = table.lines().find(|row| row.contains(plugin)).unwrap_or_else(|| panic!("{plugin}: {table}"));
    let number = row.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty());
    number.unwrap_or_else(|| panic!("{table}")).to_owned()
}

#[test]
fn a_loop_and_a_question_end_when_somebody_kills_them() {
    if !installed() {
        return;
    }
    let mut robot = start("rough");
    for language in LANGUAGES {
        for (word, sign) in [("loop", "looping"), ("ask", "Tell me."), ("wait", "waiting")] {
            robot.say_in("random", "bob", &format!(";{language} do {word}"));
            robot.hear_about(sign);
            let number = wid(&mut robot, &format!("rough-{language}"));
            let asked = Instant::now();
            robot.ask(&format!(";kill {number}"), "Killed");
            let told = robot.hear_about("was stopped");
            assert_eq!(told.text, format!("'rough-{language}/do' was stopped by alice (wid {number})"));
            assert!(asked.elapsed() < Duration::from_secs(20), "{language} {word}: {:?}", asked.elapsed());
            // What was asked waits for no answer any more.
            robot.say_in("random", "bob", ";ping");
            assert!(robot.hear().text.contains("PONG"), "{language} {word}");
        }
    }
}

#[test]
fn a_hundred_programs_that_are_left_behind_end_with_their_run() {
    if !installed() {
        return;
    }
    let mut robot = start("rough");
    for language in LANGUAGES {
        robot.say("bob", &format!(";{language} do crowd"));
        assert_eq!(robot.hear().text, "left", "{language}");
        eventually("the end of all that was left", || !somebody_runs("sleep 98765"));
        assert!(robot.ping() < Duration::from_secs(20));
    }
}

#[test]
fn bytes_that_are_no_text_are_told_once_in_the_log_of_their_run() {
    if !installed() {
        return;
    }
    let mut robot = start("rough");
    let sentence = "ERR a text that was given to the robot is not UTF-8: what cannot be read in it has become \u{fffd}";
    // The words of gsh are text before they are given to anybody.
    for language in LANGUAGES.into_iter().filter(|language| *language != "gsh") {
        robot.ask(&format!(";{language} do bytes"), "kept nothing");
        eventually("the sentence", || logged(&robot, language, sentence) > 0);
        assert_eq!(logged(&robot, language, sentence), 1, "{language}");
    }
}

/// How often `words` stand in the log of runs of a language's plugin.
fn logged(robot: &Robot, language: &str, words: &str) -> usize {
    let log = String::from_utf8(robot.gopherctl(&["logs"]).stdout).expect("text");
    log.lines().filter(|line| line.contains(&format!("rough-{language}/")) && line.contains(words)).count()
}

#[test]
fn what_is_printed_right_before_an_exit_is_not_lost() {
    if !installed() {
        return;
    }
    let mut robot = start("rough");
    for language in LANGUAGES {
        robot.ask(&format!(";{language} do exit"), "exit code 5");
        eventually("the last words", || logged(&robot, language, "OUT on the way out") == 1);
    }
}

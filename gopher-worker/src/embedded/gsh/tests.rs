//! Scripts against a robot that the test plays.

use super::*;
use crate::embedded::testing::{configure_at, ok, run_at};

const PATH: &str = "/robot/plugins/x.gsh";

fn run_with(source: &str, args: &[&str], answer: fn(&str) -> &str) -> (Result<i32, String>, Vec<String>) {
    run_at(run, PATH, source, args, answer)
}

/// What a script said to the channel, and its status.
fn said(source: &str) -> (Result<i32, String>, Vec<String>) {
    let (status, calls) = run_with(source, &["cmd", "b c"], ok);
    let text = |call: &String| {
        let (_, arguments) = call.split_once('{').expect("arguments");
        let arguments: serde_json::Value = serde_json::from_str(&format!("{{{arguments}")).expect("JSON");
        arguments["Message"].as_str().map(str::to_owned)
    };
    (status, calls.iter().filter_map(text).collect())
}

#[track_caller]
fn says(source: &str, expected: &[&str]) {
    let (status, texts) = said(source);
    assert_eq!((status, texts.iter().map(String::as_str).collect::<Vec<_>>()), (Ok(0), expected.to_vec()), "{source}");
}

#[test]
fn messages_go_where_the_library_says_and_its_status_is_the_runs() {
    let (status, calls) = run_with(
        r#"
        source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
        Say a && say -m b
        reply c d
        say-thread "d"
        Send_User_Message -f bob "g"
        MessageFormat fixed
        Say h
        (MessageFormat raw; Say i)
        Say -v j
        exit $PLUGRET_Success
        "#,
        &["cmd"],
        ok,
    );
    assert_eq!(status, Ok(7));
    assert_eq!(
        calls,
        [
            r#"SendChannelThreadMessage  {"Channel":"general","Message":"a","Thread":""}"#,
            r#"SendChannelThreadMessage BasicMarkdown {"Channel":"general","Message":"b","Thread":""}"#,
            r#"SendUserChannelThreadMessage  {"Channel":"general","Message":"c d","Thread":"","User":"alice"}"#,
            r#"SendChannelThreadMessage  {"Channel":"general","Message":"d","Thread":"t1"}"#,
            r#"SendUserMessage Fixed {"Message":"g","User":"bob"}"#,
            r#"SendChannelThreadMessage Fixed {"Channel":"general","Message":"h","Thread":""}"#,
            r#"SendChannelThreadMessage Raw {"Channel":"general","Message":"i","Thread":""}"#,
            r#"SendChannelThreadMessage Variable {"Channel":"general","Message":"j","Thread":""}"#,
        ]
    );
}

#[test]
fn parts_of_pipelines_run_side_by_side() {
    says(
        r#"
        lines() { for ((i = 0; i < $1; i++)); do echo "a line that is long enough to fill a pipe before the loop ends: $i"; done; }
        Say "$(lines 1500 | wc -l | tr -d ' ')"
        while :; do echo y; done | head -n 2 | while read -r x; do Say "$x"; done
        Say "$(while :; do echo z; done | { read -r x; echo "$x"; })"
        big=$(lines 1500); Say ${#big}
        false | true; Say "${PIPESTATUS[*]}"
        { exit 3; } | cat; Say "${PIPESTATUS[*]} still here"
        "#,
        &["1500", "y", "y", "z", "102389", "1 0", "3 0 still here"],
    );
}

#[test]
fn probe() {
    let Ok(source) = std::fs::read_to_string("/tmp/probe.gsh") else { return };
    for part in source.split("#####\n") {
        let at = std::time::Instant::now();
        let (status, texts) = said(part);
        eprintln!("-----\n{part}=> {status:?} {texts:?} {:?}", at.elapsed());
    }
}

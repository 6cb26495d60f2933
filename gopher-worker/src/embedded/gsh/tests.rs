//! Scripts against a robot that the test plays.

use super::*;
use crate::embedded::testing::{configure_at, ok, run_at};

const PATH: &str = "/robot/plugins/x.gsh";

fn run(script: &Script<'_>) -> Result<i32, String> {
    (read(script.path, script.source).run)(script)
}

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
fn answers_are_printed_and_results_are_statuses() {
    let answer = |function: &str| match function {
        "GetBotAttribute" => r#"{"Attribute":"floyd","RetVal":0}"#,
        "PromptUserChannelThreadForReply" => r#"{"Reply":"","RetVal":14}"#,
        "GetTaskConfig" => r#"{"List":["a"]}"#,
        "CheckoutDatum" => r#"{"LockToken":"abc","Exists":true,"Datum":[1],"RetVal":0}"#,
        "CheckAdmin" | "Exclusive" => r#"{"Boolean":true}"#,
        "Elevate" => r#"{"Boolean":false}"#,
        "Recall" => r#"{"StrVal":"tea"}"#,
        "AddTask" => r#"{"RetVal":23}"#,
        "Log" => r#"{"RetVal":63}"#,
        _ => r#"{"RetVal":0}"#,
    };
    let (status, calls) = run_with(
        r#"
        set -e
        [ "$(GetBotAttribute name)" = floyd ]
        reply=$(PromptForReply YesNo "Sure?") || [ $? = $GBRET_Interrupted ]
        [ -z "$reply" ]
        [ "$(GetTaskConfig)" = '{"List":["a"]}' ]
        CheckoutDatum k rw
        [ "$GB_TOKEN $GB_EXISTS $GB_DATUM" = "abc true [1]" ]
        UpdateDatum k "$GB_TOKEN" '{"a":2}'
        [ "$(CheckAdmin)" = true ]
        Exclusive tag yes
        if Elevate; then exit 9; fi
        [ "$(Recall k shared)" = tea ]
        Remember k v
        Log warning "not shown"
        Direct Say hi
        [ "$(RandomInt 1) $(RandomString x)" = "0 x" ]
        [ $GBRET_IdentityConfigError = 35 ]
        LinkOAuth2Identity p u access '' 60
        set +e
        Say; [ $? = 2 ] || exit 8
        MessageFormat loud 2> /dev/null; [ $? = 2 ] || exit 8
        AddTask t a b
        exit $?
        "#,
        &["cmd"],
        answer,
    );
    assert_eq!(status, Ok(23), "{calls:?}");
    assert!(calls.contains(&r#"UpdateDatum  {"Datum":{"a":2},"Key":"k","Token":"abc"}"#.to_owned()), "{calls:?}");
    assert!(calls.contains(&r#"SendUserMessage  {"Message":"hi","User":"alice"}"#.to_owned()), "{calls:?}");
    assert!(calls.contains(&r#"AddTask  {"CmdArgs":["a","b"],"Name":"t"}"#.to_owned()), "{calls:?}");
    let link = r#"LinkOAuth2Identity  {"AccessToken":"access","ExpiresIn":60,"Provider":"p","User":"u"}"#;
    assert!(calls.contains(&link.to_owned()), "{calls:?}");
}

#[test]
fn a_script_knows_its_words_and_its_place() {
    says(
        r#"Say "$LINENO $0 $# $1 $2"
        f() { Say "$LINENO ${BASH_SOURCE[0]} ${FUNCNAME[0]}"; }
        f
        Say "$(
        echo $LINENO)"
        x=$(
        echo $LINENO); Say $x
        eval 'Say $LINENO
        Say $LINENO'
        read -r x; Say "$? <$x>"
        "#,
        &["1 /robot/plugins/x.gsh 2 cmd b c", "2 /robot/plugins/x.gsh f", "5", "7", "8", "9", "1 <>"],
    );
}

#[test]
fn what_the_shell_was_mended_in() {
    let year = chrono::Local::now().format("%Y").to_string();
    says(
        r#"
        source /dev/stdin <<< 'Say sourced'
        printf -v x '%(%Y)T %s' -1 z; Say "$x"
        f() { f; }; f; Say "recursion $?"
        log() { Say "own $*"; }; log a; log b | cat
        coproc cat; echo hi >&${COPROC[1]}; read -r x <&${COPROC[0]}; Say "$x"
        "#,
        &["sourced", &format!("{year} z"), "recursion 1", "own a", "own b", "hi"],
    );
}

/// Each stands in the manual's known limits: a shell that no longer has it is told of here.
#[test]
fn what_the_shell_cannot() {
    says(
        r#"
        cat & Say "pid <$!>"
        declare -i n; n=3+4; Say "$n"
        for i in {01..02}; do Say "$i"; done
        wait -n 2> /dev/null; Say "wait -n $?"
        declare -n r=v; v=1; Say "$r"
        kill -0 $$ 2> /dev/null; Say "kill -0 $?"
        "#,
        &["pid <>", "0", "1", "2", "wait -n 99", "v", "kill -0 2"],
    );
}

#[test]
fn traps_and_strictness_hold() {
    for (source, status, expected) in [
        ("trap 'Say bye' EXIT; Say hi; exit 4", 4, &["hi", "bye"][..]),
        ("set -e; trap 'Say \"bye $?\"' EXIT; false; Say no", 1, &["bye 1"]),
        ("set -u; Say \"$nope\"; Say no", 1, &[]),
        ("sleep 1000 & Say started", 0, &["started"]),
        ("nosuch; exit $?", 127, &[]),
    ] {
        let (ended, texts) = said(source);
        assert_eq!((ended, texts.iter().map(String::as_str).collect::<Vec<_>>()), (Ok(status), expected.to_vec()));
    }
    for (source, expected) in [
        ("trap 'exit 9' EXIT; exit 5", 9),
        ("trap 'false' EXIT; exit 5", 5),
        ("f() { exit 9; }; trap f EXIT; exit 5", 9),
        ("trap 'trap \"exit 1\" EXIT; exit 9' EXIT", 9),
    ] {
        assert_eq!(said(source).0, Ok(expected), "{source}");
    }
}

#[test]
fn utilities_work_in_pipelines_and_start_commands() {
    says(
        r#"
        Say "$(yes hi | head -n 2 | tr '\n' ',')"
        Say "$(printf 'b\na\nb\n' | sort | uniq -c | wc -l | tr -d ' ')"
        Say "$(printf '1 2 3' | xargs -n 1 echo got | tail -n 1)"
        Say "$(which say) $(basename /a/b.txt .txt)"
        export SEEN=yes; env | grep -q '^SEEN=yes$' && Say exported
        "#,
        &["hi,hi,", "2", "got 3", "say (gsh builtin) b", "exported"],
    );
}

#[test]
fn a_script_has_no_more_beside_it_than_it_needs() {
    for (needs, sources) in [
        (
            Needs::Nothing,
            &[
                "",
                "case $1 in one) say hi ;; *) exit 3 ;; esac",
                "source \"$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh\"\n. /lib/gopherbot_v1.gsh; Reply \"$2\" || return",
                "f() { local n=$1; echo $((n + 1)) > file; }; f 3; [[ $n ]] && cat < file; unset -v n",
                "for n in 1 2; do cat <<END\n$n\nEND\ndone; mkdir -p a; Direct Say a",
                "(cd /tmp; pwd)",
                "if true; then",
            ][..],
        ),
        (
            Needs::Threads,
            &[
                "name=$(GetBotAttribute name)",
                "Say \"$(echo \"$(pwd)\")\" $((1 + 2))",
                "say hi | cat",
                "read -r x <<< a",
                "cat <(echo a)",
                "cat < <(echo a)",
                "while :; do mapfile a; done",
            ],
        ),
        (
            Needs::Process,
            &[
                "curl x",
                "$tool",
                "exec cat",
                "f() { git pull; }",
                "say hi &",
                "echo `pwd`",
                "x=$((1 + $(wc -l < a)))",
                "cat <<END\n$(date)\nEND",
                "case a in $(pwd)) ;; esac",
                "[[ $(pwd) ]]",
                "x=$(curl y)",
                "x=$( (pwd) ); y=$((pwd) | cat)",
                "true | git x",
                "cat <(git x)",
                "cat < <(git x)",
                "coproc cat",
                "trap 'Say bye' EXIT",
                "kill $$",
                "ulimit -n 3",
                "eval \"$1\"",
                "source ./other.sh",
                "source \"$x\"",
                "find . -exec rm {} +",
                "say a | xargs git",
                "builtin exec cat",
                "command git",
            ],
        ),
    ] {
        for source in sources {
            assert_eq!(Parsed::new(PATH, source.as_bytes()).needs, needs, "{source}");
        }
    }
}

#[test]
fn a_script_that_starts_nothing_does_not_by_what_it_is_sent() {
    let directory = tempfile::tempdir().expect("a directory");
    let mark = directory.path().join("mark");
    let command = format!("echo 0 | cat > {}", mark.display());
    let [in_dollars, in_ticks] = [format!("$({command})"), format!("`{command}`")];
    for source in [
        "Say \"<$(($2))>\"",
        "declare -a a; Say \"<${a[$2]}>\"",
        "Say \"<${!2}>\"",
        "printf -v \"$2\" x; Say \"<$2>\"",
        "[[ $2 -eq 0 ]]; Say \"<$2>\"",
        "let \"x=$2\"; Say \"<$2>\"",
        "declare \"$2=1\"; Say \"<$2>\"",
        "a=([$2]=1); Say \"<$2>\"",
        "unset \"$2\"; Say \"<$2>\"",
        "[ -v \"$2\" ]; Say \"<$2>\"",
        "Say \"<${2@P}>\"",
    ] {
        assert_eq!(Parsed::new(PATH, source.as_bytes()).needs, Needs::Nothing, "{source}");
        for word in [&in_dollars, &in_ticks, &format!("a[{in_dollars}]"), &format!("a[{in_ticks}]")] {
            let (status, _) = run_with(source, &["cmd", word], ok);
            assert!(status.is_ok() && !mark.exists(), "{source} {word}: {status:?}");
        }
    }
}

/// A function is known by its name, wherever it is defined.
#[test]
fn a_function_that_is_not_there_yet_is_no_program_either() {
    for source in ["expr 1 + 1; Say $?; expr() { :; }", "f() { expr() { :; }; }; expr 1; Say $?"] {
        assert_eq!(Parsed::new(PATH, source.as_bytes()).needs, Needs::Nothing, "{source}");
        let (status, texts) = said(source);
        assert!(status.is_ok() && texts.iter().all(|text| text != "0"), "{source}: {status:?} {texts:?}");
    }
}

#[test]
fn a_script_is_read_as_its_shell_would() {
    let new = alone(shell(to_come(), PATH, &[])).expect("run").expect("a shell");
    assert!(new.parser_options() == ParserOptions::default());
}

#[test]
fn mistakes_of_an_author_are_told_with_their_line() {
    for (source, expected) in [
        ("\nif true; then\n  echo (\nfi\n", "/robot/plugins/x.gsh:"),
        ("if true; then", "/robot/plugins/x.gsh:1: the script ends where more must follow"),
        ("echo a\necho 'b\n", "/robot/plugins/x.gsh:"),
    ] {
        let problem = said(source).0.expect_err(source);
        assert!(problem.starts_with("gsh error in script 'x.gsh': ") && problem.contains(expected), "{problem}");
    }
}

#[test]
fn without_a_robot_only_its_commands_fail() {
    assert_eq!(configure_at(run, PATH, "[ \"$1\" = _configure ] && echo 'Help: []'"), Ok(0));
    assert_eq!(configure_at(run, PATH, "Say x; exit $?"), Ok(1));
}

//! The verified pairs of the specification, every error of a spec, and specs that mean harm.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Index, Outcome, Spec};

mod plain;

#[track_caller]
fn spec(text: &str) -> Spec {
    Spec::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn exact(args: &[&str]) -> Outcome {
    Outcome::Exact(args.iter().map(|a| (*a).to_owned()).collect())
}

fn wrong(sentence: &str) -> Outcome {
    Outcome::Syntax(sentence.to_owned())
}

const IDENT: &str = "an identifier starting with a letter, followed by letters, numbers, '_' or '-'.";
const CONSOLE: &str = "get console [-options:-spot|-branch:<token>] [<env:token>]";
const RUN: &str = "run [-o:-n=<number>|-t=<max:duration>]";
const ADD: &str = "add <user:token> to {the} [<group:rest>] group";
const LEVEL: &str = "set level (lvl:debug|info)";
const VERBOSE: &str = "[:verbose] show <n:number>";
const FOUR: &str = "a <x:token> <y:token> <z:token> [<w:token>] [<v:token>]";

/// Number of the row, spec, and what it says to texts.
type Row = (u8, &'static str, Vec<(&'static str, Outcome)>);

#[expect(clippy::too_many_lines, reason = "it is one table")]
fn rows() -> Vec<Row> {
    let e = exact;
    let ident =
        |value: &str, name: &str| wrong(&format!("Invalid value: \"{value}\" for: \"{name}\"; expected: {IDENT}"));
    let no = || Outcome::None;
    vec![
        (1, "restart service", vec![("Restart-Service", e(&[]))]),
        (2, "restart service", vec![("restart---service", e(&[]))]),
        (3, "restart service", vec![("restart -service", no())]),
        (4, "restart service", vec![("restart service.", e(&[]))]),
        (5, "restart service", vec![("restart service!", no())]),
        (6, "restart service", vec![("\trestart\nservice", e(&[]))]),
        (7, "restart the service now", vec![("restart-the service-now", no())]),
        (8, "restart the service now", vec![("restart-the-service-now", e(&[]))]),
        (9, "log-level", vec![("log level", e(&[])), ("log--level", e(&[]))]),
        (10, "log-level", vec![("loglevel", no()), ("-log-level", no())]),
        (11, "show <name:ident>", vec![("SHOW Api", e(&["Api"]))]),
        (12, "show <name:ident>", vec![("show slack-prod", e(&["slack-prod"]))]),
        (13, "show <name:ident>", vec![("show-api", no())]),
        (14, "show <name:ident>", vec![("show api now", no())]),
        (15, "show <name:ident>", vec![("show 9x", ident("9x", "name"))]),
        (16, LEVEL, vec![("set-level-debug", e(&["debug"])), ("set level-debug", e(&["debug"]))]),
        (17, LEVEL, vec![("set level DEBUG", e(&["DEBUG"]))]),
        (
            18,
            LEVEL,
            vec![("set-level-loud", wrong("Invalid value: \"loud\" for: \"lvl\"; valid values: debug, info."))],
        ),
        (19, LEVEL, vec![("set level loud now", no()), ("set level", no())]),
        (20, "tag (:a b|c)", vec![("tag a-b", e(&["a b"]))]),
        (21, "tag (:a b|c)", vec![("tag d", wrong("Invalid value: \"d\"; valid values: a b, c."))]),
        (22, "tag (:foo:bar|x)", vec![("tag foo:bar", e(&["foo:bar"]))]),
        (23, "mode [state:on|off]", vec![("mode", e(&[""])), ("mode-on", e(&["on"]))]),
        (
            24,
            "mode [state:on|off]",
            vec![("mode maybe", wrong("Invalid value: \"maybe\" for: \"state\"; valid values: on, off."))],
        ),
        (25, VERBOSE, vec![("show 4", e(&["", "4"]))]),
        (26, VERBOSE, vec![("loud show 4", wrong("Invalid value: \"loud\"; valid values: verbose."))]),
        (27, VERBOSE, vec![("show four", wrong("Invalid value: \"four\" for: \"n\"; expected: an integer."))]),
        (28, "{please|kindly} restart", vec![("kindly restart", e(&[])), ("please-restart", e(&[])), ("please", no())]),
        (29, "{please} restart <svc:ident>", vec![("kindly restart api", no())]),
        (
            30,
            "/add|create new/ user <u:ident>",
            vec![("create-new-user bob", e(&["bob"])), ("create-new user bob", no())],
        ),
        (
            31,
            "copy <src:token> [to <dst:token>]",
            vec![("copy a to b", e(&["a", "b"])), ("copy a", e(&["a", ""])), ("copy a to", no()), ("copy a b", no())],
        ),
        (32, "say <m:rest>", vec![("say hello   big world", e(&["hello big world"]))]),
        (33, "say <m:rest>", vec![("say a-b c--d", e(&["a-b c--d"]))]),
        (34, "say <m:rest>", vec![("say x.", e(&["x."]))]),
        (35, "note <m:rest> to <who:ident>", vec![("note go to town to bob", e(&["go to town", "bob"]))]),
        (36, "note <m:rest> to <who:ident>", vec![("note x to 9b", ident("9b", "who"))]),
        (37, "a <x:token> <r:rest>", vec![("a 1 hello big world", e(&["1", "hello big world"]))]),
        (
            38,
            "a <x:token> <y:token> <z:token> <r:rest>",
            vec![("a 1 2 3 hello big world", e(&["1", "2", "3", "hello big world"]))],
        ),
        (39, FOUR, vec![("a 1 2 3 4", e(&["1", "2", "3", "4", ""]))]),
        (40, CONSOLE, vec![("get console", e(&[""]))]),
        (41, CONSOLE, vec![("get console -branch:x/y -spot qa", e(&["-branch:x/y", "-spot", "qa"]))]),
        (42, CONSOLE, vec![("get console -SPOT qa", e(&["-SPOT", "qa"]))]),
        (43, CONSOLE, vec![("get-console-spot", no()), ("get console qa -spot", no())]),
        (
            44,
            CONSOLE,
            vec![(
                "get console -nope qa",
                wrong("Invalid option: \"-nope\" for: \"options\"; valid options: -spot, -branch:<token>."),
            )],
        ),
        (
            45,
            CONSOLE,
            vec![(
                "get console -branch: qa",
                wrong("Invalid value: \"\" for: \"branch\"; expected: a non-whitespace token."),
            )],
        ),
        (46, RUN, vec![("run -n=5 -t=1h30m", e(&["-n=5", "-t=1h30m"])), ("run", e(&[]))]),
        (47, RUN, vec![("run -n=x", wrong("Invalid value: \"x\" for: \"n\"; expected: an integer."))]),
        (
            48,
            RUN,
            vec![(
                "run -t=soon",
                wrong("Invalid value: \"soon\" for: \"max\"; expected: a Go-style duration like 5m30s."),
            )],
        ),
        (49, "ps [<mode:token>]", vec![("ps -v", e(&["-v"])), ("ps-v", no()), ("ps", e(&[""]))]),
        (
            50,
            "page [number <page:number>]",
            vec![
                ("page number two", wrong("Invalid value: \"two\" for: \"page\"; expected: an integer.")),
                ("page 2", no()),
            ],
        ),
        (51, "show [<a:ident>|<b:number>]", vec![("show 12", e(&["12"])), ("show", e(&[""])), ("show ???", no())]),
        (52, ADD, vec![("add alice to big team group", e(&["alice", "big team"]))]),
        (53, ADD, vec![("add alice to the group", e(&["alice", ""]))]),
        (54, "{what are} the rules?", vec![("what-are-the-rules?", e(&[])), ("the rules", no())]),
        (55, "x <a:decimal>", vec![("x 1.", e(&["1"]))]),
        (
            56,
            "x <a:ip>",
            vec![
                ("x ::1", e(&["::1"])),
                ("x fe80::", wrong("Invalid value: \"fe80::\" for: \"a\"; expected: an IP address.")),
            ],
        ),
        (57, "x <a:cidr>", vec![("x 999.1.1.1/99", e(&["999.1.1.1/99"]))]),
        (58, "do [-o:-a] [-p:-b] x", vec![("do -b x", wrong("Invalid option: \"-b\" for: \"o\"; valid options: -a."))]),
        (59, "a {b {c} d}", vec![("a", e(&[]))]),
        (60, "héllo <n:ident>", vec![("HÉLLO bob", e(&["bob"]))]),
        (61, "x [<a:ident>] y", vec![("x y", e(&[""])), ("x-y", no()), ("x b y", e(&["b"]))]),
        (
            62,
            "x [k:a|b] y",
            vec![
                ("x-a-y", e(&["a"])),
                ("x a-y", no()),
                ("x c y", wrong("Invalid value: \"c\" for: \"k\"; valid values: a, b.")),
            ],
        ),
        (63, "set x {to} (l:a|b)", vec![("set-x to-a", e(&["a"])), ("set x-to a", e(&["a"]))]),
        (64, "x {q} y", vec![("x-q-y", e(&[])), ("x-q y", no())]),
    ]
}

#[test]
fn every_verified_pair_holds() {
    let rows = rows();
    assert!(rows.iter().map(|row| row.0).eq(1..=64));
    for (number, text, pairs) in rows {
        let spec = spec(text);
        for (input, expected) in pairs {
            assert_eq!(spec.command(input), expected, "row {number}: {text} / {input:?}");
            let canonical = Spec::parse(&spec.to_string()).expect("parses again");
            assert_eq!(canonical.command(input), expected, "row {number} as {spec}");
        }
    }
}

/// What the index leaves out has nothing to say.
#[test]
fn the_index_finds_every_spec_that_says_something() {
    let all = rows();
    let mut index = Index::default();
    for (number, (_, text, _)) in all.iter().enumerate() {
        index.add(number, &spec(text));
    }
    for (input, _) in all.iter().flat_map(|row| &row.2) {
        let mut found = Vec::new();
        index.look_up(input, &mut found);
        for (number, (_, text, _)) in all.iter().enumerate() {
            assert!(found.contains(&number) || spec(text).command(input) == Outcome::None, "{text} / {input}");
        }
    }
}

#[test]
fn the_index_examines_as_few_specs_among_a_thousand_as_among_ten() {
    for shape in ["command{n} <x:token>", "show thing{n} <x:token>", "{please} show [k:a|b] thing{n} <x:rest>"] {
        let examined = |count: usize| {
            let mut index = Index::default();
            for number in 0..count {
                index.add(number, &spec(&shape.replace("{n}", &number.to_string())));
            }
            let texts = ["command7 x", "show thing7 x", "please show thing7", "nothing of the sort", "show"];
            texts.map(|text| {
                let mut found = Vec::new();
                index.look_up(text, &mut found);
                found.len()
            })
        };
        if shape.starts_with("{please}") {
            // The words that tell these apart come third; they are looked at only for texts of their kind.
            assert_eq!(examined(1000)[3], 0, "{shape}");
        } else {
            assert_eq!(examined(1000), examined(10), "{shape}");
        }
    }
    let mut index = Index::default();
    index.add(3, &spec("[:verbose] show <n:number>"));
    for (text, expected) in [("loud show 4", 1), ("show four", 1), ("verbose.", 0), ("show", 0), ("loud noise", 0)] {
        let mut found = Vec::new();
        index.look_up(text, &mut found);
        assert_eq!(found.len(), expected, "{text}");
    }
}

#[test]
fn every_error_of_a_spec_is_a_sentence() {
    for (text, expected) in [
        ("", "SimpleMatcher cannot be empty"),
        (" \t\r\n", "SimpleMatcher cannot be empty"),
        ("{}", "SimpleMatcher cannot be empty"),
        ("a | b", "unexpected character '|' in SimpleMatcher"),
        ("a {b", "unterminated SimpleMatcher group, missing \"}\""),
        ("a {b|", "unterminated SimpleMatcher group, missing \"}\""),
        ("a /b", "unterminated SimpleMatcher group, missing \"/\""),
        ("a (l:b", "unterminated SimpleMatcher group, missing \")\""),
        ("a [l:b", "unterminated SimpleMatcher group, missing \"]\""),
        ("a [<b:token> {c]", "unterminated SimpleMatcher group, missing \"}\""),
        ("a <b", "unterminated capture in SimpleMatcher"),
        ("a)", "expected literal token in SimpleMatcher"),
        ("a ]", "expected literal token in SimpleMatcher"),
        ("}", "expected literal token in SimpleMatcher"),
        ("a >", "expected literal token in SimpleMatcher"),
        ("a {b] c}", "expected literal token in SimpleMatcher"),
        ("a (l:b/c)", "expected literal token in SimpleMatcher"),
        ("a <thing>", "unknown SimpleMatcher capture type \"thing\""),
        ("a <x:thing>", "unknown SimpleMatcher capture type \"thing\""),
        ("a <x:9>", "invalid SimpleMatcher capture type \"9\""),
        ("a <9:token>", "invalid SimpleMatcher capture name \"9\""),
        ("a <>", "invalid capture \"\" in SimpleMatcher"),
        ("a <:token>", "invalid capture \":token\" in SimpleMatcher"),
        ("a <x:token:y>", "invalid capture \"x:token:y\" in SimpleMatcher"),
        ("a (b|c)", "capturing SimpleMatcher choice must include a label prefix"),
        ("a [b]", "capturing SimpleMatcher choice must include a label prefix"),
        ("a ()", "capturing SimpleMatcher choice cannot be empty"),
        ("a [ ]", "capturing SimpleMatcher choice cannot be empty"),
        ("a (l:)", "capturing SimpleMatcher choice must include at least one value"),
        ("a [l: | ]", "capturing SimpleMatcher choice must include at least one value"),
        ("a (l:<x:token>)", "capturing SimpleMatcher choice cannot contain typed captures"),
        ("a (9l:b)", "invalid SimpleMatcher choice label \"9l\""),
        ("a {<x:token>}", "non-capturing SimpleMatcher group cannot contain typed captures"),
        ("a {b {(l:c)}}", "non-capturing SimpleMatcher group cannot contain typed captures"),
        ("a /<x:token>|b/", "non-capturing SimpleMatcher synonym group cannot contain typed captures"),
        ("a [-b]", "SimpleMatcher options block must use [-label:...] syntax"),
        ("a [-o: ]", "SimpleMatcher options block must include at least one option"),
        ("a [-:-b]", "invalid SimpleMatcher options label \"\""),
        ("a [-o p:-b]", "invalid SimpleMatcher options label \"o p\""),
        ("a [-o:b]", "SimpleMatcher option \"b\" must start with '-'"),
        ("a [-o:-b c]", "SimpleMatcher option \"-b c\" cannot contain whitespace"),
        ("a [-o:-b|]", "SimpleMatcher option cannot be empty"),
        ("a [-o:-b<token>c]", "SimpleMatcher option \"-b<token>c\" must contain a single typed capture at the end"),
        (
            "a [-o:-b<token><token>]",
            "SimpleMatcher option \"-b<token><token>\" must contain a single typed capture at the end",
        ),
        ("a [-o:-b<thing>]", "unknown SimpleMatcher capture type \"thing\""),
        (
            "cmd -v",
            "literal \"-v\" in SimpleMatcher begins with '-' and would never match; use an options block: [-options:-v]",
        ),
        (
            "cmd (l:a|-v)",
            "literal \"-v\" in SimpleMatcher begins with '-' and would never match; use an options block: [-options:-v]",
        ),
    ] {
        assert_eq!(Spec::parse(text).err().as_deref(), Some(expected), "{text}");
    }
    let long = Spec::parse(&"a ".repeat(3000)).expect_err("too long");
    assert_eq!(long, "SimpleMatcher is longer than 4096 bytes");
    let deep = Spec::parse(&format!("a {}b{}", "{".repeat(17), "}".repeat(17))).expect_err("too deep");
    assert_eq!(deep, "groups of a SimpleMatcher cannot be nested deeper than 16");
}

#[test]
fn help_learns_options_fixed_words_and_a_usage_line() {
    let console = spec(CONSOLE);
    assert_eq!(console.options(), [["-spot", "-branch:<token>"]]);
    assert_eq!(console.literals(), [["get", "console"]]);
    assert_eq!(console.usage(), "get console [-spot] [-branch:<token>] [<env>]");
    let many = spec("/Add|create new/ {the} user [k:a|b] [to <g:rest>]");
    assert_eq!(many.literals().len(), 2 * 2 * 3 * 2, "{:?}", many.literals());
    assert_eq!(many.literals()[0], ["add", "user"]);
    assert_eq!(many.usage(), "Add user [a|b] [to <g>]");
    assert_eq!(spec("a [-x:-b] c [-y:-b] [-z:-c]").options(), [["-b"], ["-c"]]);
    assert_eq!(spec(LEVEL).usage(), "set level (debug|info)");
    assert!(spec(&"{a|b|c} ".repeat(400)).literals().len() <= 64);
}

#[test]
fn only_the_final_dot_of_a_command_is_dropped_and_only_if_needed() {
    assert_eq!(
        spec("show <n:number>").command("show 9x."),
        wrong("Invalid value: \"9x\" for: \"n\"; expected: an integer.")
    );
    assert_eq!(spec("show <n:number>").command("show 4 . "), exact(&["4"]));
    assert_eq!(
        spec("show <n:number>").matches("show 4."),
        wrong("Invalid value: \"4.\" for: \"n\"; expected: an integer.")
    );
    assert_eq!(spec("ping").command("ping.."), Outcome::None);
    assert_eq!(spec("ping").command("."), Outcome::None);
}

/// Each of these takes exponential time if every way is followed to its end.
#[test]
fn hostile_specs_end_soon() {
    let specs = [
        "[<a:rest>] ".repeat(300),
        "[<a:rest>|<b:rest>|<c:token>] ".repeat(100),
        "{a {a {a {a|a}|a}|a}|a} ".repeat(100) + "b",
        "[k:a|a a|a a a] ".repeat(200),
        "[<a:number>|<b:ident>|<c:rest>] ".repeat(100) + "b",
        "[-o:-a|-a<rest>] ".repeat(200) + "<x:number>",
        format!("<a:rest> {}", "x <b:rest> ".repeat(350)),
        "{a} ".repeat(1000) + "b",
        (0..90).map(|n| format!("{{w{n}}}")).collect::<Vec<_>>().join(" ") + &"{a} ".repeat(800) + "b",
        format!("(k:{})", (0..1000).map(|n| n.to_string()).collect::<Vec<_>>().join("|")),
    ];
    let texts = ["a ".repeat(5000), "x a ".repeat(3000), "a-".repeat(5000), "-a ".repeat(3000), "a".repeat(20_000)];
    let start = Instant::now();
    for spec in specs.iter().map(|text| spec(text)) {
        let (mut index, mut found) = (Index::default(), Vec::new());
        index.add(0, &spec);
        for text in &texts {
            index.look_up(text, &mut found);
            let _ = spec.command(text);
            let short: String = text.chars().take(200).collect();
            let _ = spec.command(&short);
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(
        spec("say <m:rest>").command(&format!("say {}", "a ".repeat(50_000))),
        exact(&["a ".repeat(50_000).trim()])
    );
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b",
        "c",
        " ",
        "-",
        "<x:ident>",
        "<n:number>",
        "<rest>",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "/",
        "|",
        "<",
        ">",
        ":",
        "[k:a|b]",
        "(:c|a b)",
        "[<y:token>]",
        "[-o:-a|-b:<number>]",
        "{a}",
        "/a|b/",
        "[a <z:rest>|b]",
        "é",
        ".",
        "\n",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

const TERMS: &[&str] = &[
    "a",
    "a-b",
    "<x:ident>",
    "<n:number>",
    "<x:rest>",
    "<y:rest>",
    "(k:a|b|a b)",
    "[k:a|b]",
    "[:1|b-1]",
    "{a|b a}",
    "/a|b|a b/",
    "[<x:ident>|<n:number> <x:ident>]",
    "[a <x:rest>|<n:number>]",
    "[b {a} (k:1|2)|<x:token>]",
    "[-o:-a|-b<number>|-b<ident>]",
    "[-p:-b|-c=<token>]",
];

const WORDS: &[&str] = &["a ", "b ", "a-", "b-", "1 ", "1-", "a b ", "-a ", "-b1 ", "-b? ", "? ", "-c= "];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_parses_renders_and_parses_again(text in pieces(), input in "[abcé1. -]{0,24}") {
        if let Ok(first) = Spec::parse(&text) {
            let again = Spec::parse(&first.to_string()).map_err(|e| TestCaseError::fail(format!("{first}: {e}")))?;
            prop_assert_eq!(&again.sequence, &first.sequence);
            prop_assert_eq!(again.command(&input), first.command(&input));
            let mut index = Index::default();
            index.add(0, &first);
            let mut found = Vec::new();
            index.look_up(&input, &mut found);
            prop_assert!(!found.is_empty() || first.command(&input) == Outcome::None, "{} / {:?}", first, input);
            let _ = (first.usage(), first.options(), first.literals());
        }
    }

    #[test]
    fn the_matcher_says_what_following_every_state_says(
        terms in prop::collection::vec(prop::sample::select(TERMS), 1..6),
        words in prop::collection::vec(prop::sample::select(WORDS), 1..8),
    ) {
        let spec = Spec::parse(&terms.join(" ")).map_err(TestCaseError::fail)?;
        let text = words.concat();
        prop_assert_eq!(spec.matches(&text), plain::matches(&spec.sequence, &text), "{} / {:?}", spec, text);
    }

    #[test]
    fn no_spec_and_no_text_hurts(text in "\\PC{0,60}", input in "\\PC{0,60}") {
        if let Ok(spec) = Spec::parse(&text) {
            let _ = spec.command(&input);
        }
    }
}

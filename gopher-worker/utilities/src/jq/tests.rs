use crate::testing::Case;

/// `(options and filter, input, stdout, status)`.
fn check(rows: &[(&[&str], &str, &str, u8)]) {
    for (words, input, stdout, status) in rows {
        let words: Vec<&str> = std::iter::once("jq").chain(words.iter().copied()).collect();
        let done = Case::of(&words).input(input).file("f.json", "{\"a\":1}\n[2]").run();
        assert_eq!((done.stdout.as_str(), done.status), (*stdout, *status), "{words:?}: {}", done.stderr);
    }
}

#[test]
fn values_are_printed_as_the_options_say() {
    check(&[
        (&["."], "{\"b\":1,\"a\":[1,{}]}", "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": 1\n}\n", 0),
        (&["-c", "."], "{\"b\":1, \"a\":[]}", "{\"a\":[],\"b\":1}\n", 0),
        (&["-r", ".[]"], "[\"a\",1]", "a\n1\n", 0),
        (&["-j", ".[]"], "[\"a\",1]", "a1", 0),
        (&["--raw-output0", ".[]"], "[\"a\",\"b\"]", "a\0b\0", 0),
        (&["--tab", "."], "[1]", "[\n\t1\n]\n", 0),
        (&["--indent", "1", "."], "[1]", "[\n 1\n]\n", 0),
        (&["--indent=0", "."], "[1]", "[1]\n", 0),
        (&["-C", "-M", "-c", "."], "[1]", "[1]\n", 0),
        (&["-R", "."], "a\nb", "\"a\"\n\"b\"\n", 0),
        (&["-Rs", "."], "a\nb", "\"a\\nb\"\n", 0),
        (&["-sc", "."], "1 2", "[1,2]\n", 0),
        (&["-nc", "[inputs]"], "1 2", "[1,2]\n", 0),
        (&["-c", "[., input]"], "1 2", "[1,2]\n", 0),
        (&["-c", "--stream", "."], "{\"a\":[1]}", "[[\"a\",0],1]\n[[\"a\",0]]\n[[\"a\"]]\n", 0),
        (&["-c", ".", "f.json"], "", "{\"a\":1}\n[2]\n", 0),
        (&["-r", "input_filename", "f.json"], "", "f.json\nf.json\n", 0),
        (
            &["-c", "--yaml-input", "."],
            "a: 1\nb: [x, yes, 'no']\n---\n~\n",
            "{\"a\":1,\"b\":[\"x\",\"yes\",\"no\"]}\nnull\n",
            0,
        ),
        (&["--yaml-output", "."], "{\"a\":[1,{\"b\":\"x: y\"}],\"c\":{}}", "a:\n  - 1\n  - b: \"x: y\"\nc: {}\n", 0),
    ]);
}

#[test]
fn variables_come_from_the_command_line() {
    check(&[
        (&["-n", "--arg", "x", "1", "$x"], "", "\"1\"\n", 0),
        (&["-nc", "--argjson", "x", "{\"a\":2}", "$x.a, $ARGS.named"], "", "2\n{\"x\":{\"a\":2}}\n", 0),
        (&["-nc", "$ARGS.positional", "--args", "a", "b"], "", "[\"a\",\"b\"]\n", 0),
        (&["-nc", "$ARGS.positional", "--jsonargs", "1", "[2]"], "", "[1,[2]]\n", 0),
        (&["-nc", "--slurpfile", "x", "f.json", "$x"], "", "[{\"a\":1},[2]]\n", 0),
        (&["-n", "--rawfile", "x", "f.json", "$x"], "", "\"{\\\"a\\\":1}\\n[2]\"\n", 0),
    ]);
    let done = Case::of(&["jq", "-nr", "$ENV.A, env.A, (env | has(\"PATH\"))"]).variable("A", "1").run();
    assert_eq!(done.stdout, "1\n1\nfalse\n");
}

#[test]
fn exit_codes_are_those_of_the_manual() {
    check(&[
        (&["-e", "."], "1", "1\n", 0),
        (&["-e", "."], "null", "null\n", 1),
        (&["-e", "."], "false", "false\n", 1),
        (&["-e", "empty"], "1", "", 4),
        (&["-Q", "."], "", "", 2),
        (&[], "", "", 2),
        (&["--indent", "10", "."], "", "", 2),
        (&["-n", "--argjson", "x", "{", "."], "", "", 2),
        (&["-n", "nosuch"], "", "", 3),
        (&["-n", "$nosuch"], "", "", 3),
        (&["-n", "("], "", "", 3),
        (&["."], "{", "", 5),
        (&["error(\"x\")"], "1", "", 5),
        (&[".", "none"], "", "", 5),
        (&["-n", "halt"], "", "", 0),
        (&["-n", "1, halt_error(7)"], "", "1\n", 7),
        (&["-n", "\"x\" | halt_error"], "", "", 5),
    ]);
    assert_eq!(Case::of(&["jq", "-n", "\"bye\\n\" | halt_error"]).run().stderr, "bye\n");
    assert_eq!(Case::of(&["jq", "-n", "1 | debug | stderr"]).run().stderr, "[\"DEBUG:\",1]\n1");
    assert_eq!(Case::of(&["jq", "error(\"x\")"]).input("1").run().stderr, "jq: error: x\n");
}

#[test]
fn filters_and_modules_come_from_files() {
    let case = Case::line("jq -f p.jq f").file("p.jq", "# a comment\n.a\n").file("f", "{\"a\":3}");
    assert_eq!(case.run().stdout, "3\n");
    let case = case.file("lib/m.jq", "def twice: . * 2;").file("i.jq", "import \"m\" as m; .a | m::twice");
    assert_eq!(case.then("jq -L lib -f i.jq f").stdout, "6\n");
    let case = case.file("i.jq", "include \"m\"; .a | twice");
    assert_eq!(case.then("jq -Llib f -f i.jq").stdout, "6\n");
    let done = case.then("jq -f i.jq f");
    assert_eq!((done.stderr.as_str(), done.status), ("jq: module m: file not found\n", 3));
}

const LANGUAGE: &[(&str, &str, &str)] = &[
    ("[limit(0; 1, 2)], [limit(1; 1, 2)]", "null", "[]\n[1]\n"),
    ("getpath([\"a\", \"b\"])", "null", "null\n"),
    ("[paths]", "{\"a\":[1]}", "[[\"a\"],[\"a\",0]]\n"),
    ("ltrimstr(\"a\"), rtrimstr(\"b\")", "\"ab\"", "\"b\"\n\"a\"\n"),
    ("[splits(\", *\")]", "\"a, b,c\"", "[\"a\",\"b\",\"c\"]\n"),
    ("try error(null) catch .", "1", "null\n"),
    ("try error({a: 1}) catch .a", "1", "1\n"),
    ("reduce .[] as [$a, $b] (0; . + $a * $b)", "[[1,2],[3,4]]", "14\n"),
    ("[foreach .[] as $x (0; . + $x; [$x, .])]", "[1,2]", "[[1,1],[2,3]]\n"),
    (". as {a: $x, b: [$y]} | [$x, $y]", "{\"a\":1,\"b\":[2]}", "[1,2]\n"),
    ("label $f | 1, break $f, 2", "null", "1\n"),
    ("[.[]?]", "1", "[]\n"),
    ("[..]", "[[1]]", "[[[1]],[1],1]\n"),
    ("walk(if type == \"number\" then . + 1 else . end)", "[1,{\"a\":2}]", "[2,{\"a\":3}]\n"),
    ("group_by(.a) | map(length)", "[{\"a\":1},{\"a\":2},{\"a\":1}]", "[2,1]\n"),
    ("to_entries", "{\"b\":1,\"a\":2}", "[{\"key\":\"a\",\"value\":2},{\"key\":\"b\",\"value\":1}]\n"),
    ("with_entries(.value += 1)", "{\"a\":1}", "{\"a\":2}\n"),
    ("from_entries", "[{\"name\":\"a\",\"value\":1},{\"k\":\"b\",\"v\":2}]", "{\"a\":1,\"b\":2}\n"),
    ("[tostream]", "[1,[2]]", "[[[0],1],[[1,0],2],[[1,0]],[[1]]]\n"),
    ("fromstream(tostream)", "{\"a\":[1,{\"b\":2}]}", "{\"a\":[1,{\"b\":2}]}\n"),
    ("[1 | truncate_stream([[0],1],[[1,0],2],[[1,0]],[[1]])]", "1", "[[[0],2],[[0]]]\n"),
    ("[test(\"A\"; \"i\"), test(\"A\")]", "\"a\"", "[true,false]\n"),
    ("capture(\"(?<n>[0-9]+)\")", "\"a12\"", "{\"n\":\"12\"}\n"),
    ("gsub(\"(?<x>[ab])\"; \"<\\(.x)>\")", "\"abc\"", "\"<a><b>c\"\n"),
    ("sub(\"b\"; \"x\")", "\"abb\"", "\"axb\"\n"),
    ("[match(\"b\"; \"g\").offset]", "\"abb\"", "[1,2]\n"),
    ("@csv, @tsv", "[1,\"a\\\"b\",null,true]", "\"1,\\\"a\\\"\\\"b\\\",,true\"\n\"1\\ta\\\"b\\t\\ttrue\"\n"),
    ("@base64, (@base64 | @base64d)", "\"hello\"", "\"aGVsbG8=\"\n\"hello\"\n"),
    ("@base64d", "\"YWI\"", "\"ab\"\n"),
    ("@base32, (@base32 | @base32d)", "\"hello!\"", "\"NBSWY3DPEE======\"\n\"hello!\"\n"),
    ("@uri, @html, @sh", "\"a b<'\"", "\"a%20b%3C%27\"\n\"a b&lt;&#39;\"\n\"'a b<'\\\\'''\"\n"),
    ("@json, @text", "[1]", "\"[1]\"\n\"[1]\"\n"),
    ("@base64 \"x\\(.)\"", "\"a\"", "\"xYQ==\"\n"),
    ("todate, (todate | fromdate)", "0", "\"1970-01-01T00:00:00Z\"\n0\n"),
    ("strftime(\"%Y-%m-%d\")", "86400", "\"1970-01-02\"\n"),
    ("strptime(\"%Y-%m-%dT%H:%M:%SZ\") | mktime", "\"1970-01-02T00:00:00Z\"", "86400\n"),
    ("ascii_downcase, ascii_upcase", "\"aB\"", "\"ab\"\n\"AB\"\n"),
    ("[65, 66] | implode, (.[0] | ascii)", "null", "\"AB\"\n\"A\"\n"),
    ("4 / 2, 1.0, 1e2, 0.1", "null", "2\n1\n100\n0.1\n"),
    ("12345678901234567890 + 1", "null", "12345678901234567891\n"),
    ("[nan, infinite] | tojson", "null", "\"[null,1.7976931348623157e+308]\"\n"),
    ("\"\\(4 / 2) \\(1.50) \\([1, {a: 2}])\", (6 / 2 | tostring)", "null", "\"2 1.5 [1,{\\\"a\\\":2}]\"\n\"3\"\n"),
    ("setpath([\"a\", 1, \"b\"]; 2)", "null", "{\"a\":[null,{\"b\":2}]}\n"),
    ("1e1000, 1e-7, 123456789012, 1e17", "null", "1.7976931348623157e+308\n1e-7\n123456789012\n100000000000000000\n"),
    ("significand, input_line_number", "8", "1\n0\n"),
    ("first(range(5)), [range(0; 6; 2)], [until(. > 3; . + 1)]", "1", "0\n[0,2,4]\n[4]\n"),
    ("[recurse(if . < 2 then . + 1 else empty end)]", "0", "[0,1,2]\n"),
    (".a // \"d\", (.b? // 1)", "{\"a\":null}", "\"d\"\n1\n"),
    ("del(.a), delpaths([[\"b\"]])", "{\"a\":1,\"b\":2}", "{\"b\":2}\n{\"a\":1}\n"),
    (".a += 1 | .b |= 2 | .c //= 3", "{\"a\":1}", "{\"a\":2,\"b\":2,\"c\":3}\n"),
    ("del(.[0, 2]), del(.[1:]), del(.[] | select(. > 1))", "[1,2,3]", "[2]\n[1]\n[1]\n"),
    (".a.b[1] = 1, (.x += 1), (.[\"l\"][1:] = [2])", "null", "{\"a\":{\"b\":[null,1]}}\n{\"x\":1}\n{\"l\":[2]}\n"),
    (".[3] = 1, (.[1:] |= map(. * 2)), (.[0] |= empty), .[1.7]", "[1,2]", "[1,2,null,1]\n[1,4]\n[2]\n2\n"),
    ("try .[0] catch 1, has(\"a\"), contains({a: 1}), length", "{\"a\":1}", "1\ntrue\ntrue\n1\n"),
    ("indices(\"a\"), index(\"é\"), contains(\"b\"), length", "\"aéba\"", "[0,3]\n1\ntrue\n4\n"),
    ("indices([1, 2]), indices(1), bsearch(2), has(9)", "[1,2]", "[0]\n[0]\n1\nfalse\n"),
    (
        "try (1 / 0) catch 1, try (1 % 0) catch 2, (nan | isnan), ([infinite, 1] | map(isinfinite))",
        "null",
        "1\n2\ntrue\n[true,false]\n",
    ),
    (
        "[match(\"(a)(b)?\").captures[].string], capture(\"(?<x>c)(?<y>d)?\")",
        "\"ac\"",
        "[\"a\",null]\n{\"x\":\"c\",\"y\":null}\n",
    ),
    ("match(\"é\")", "\"aé\"", "{\"captures\":[],\"length\":1,\"offset\":1,\"string\":\"é\"}\n"),
    (
        "gsub(\"\"; \"-\"), [scan(\"[ab]\")], [scan(\"(a)(b)\")], split(\"b\"; \"g\"), gsub(\"^a\"; \"x\", \"y\")",
        "\"ab\"",
        "\"-a-b-\"\n[\"a\",\"b\"]\n[[\"a\",\"b\"]]\n[\"a\",\"\"]\n\"xb\"\n\"yb\"\n",
    ),
    ("test([\"A\", \"i\"]), (try test(\"(\") catch .)", "\"a\"", "true\n\"( is no regular expression\"\n"),
    ("path(..)", "[1]", "[]\n[0]\n"),
    ("join(\",\"), add, any, all", "[\"a\",\"b\"]", "\"a,b\"\n\"ab\"\ntrue\ntrue\n"),
    ("IN(1, 2), INDEX(.)", "[1]", "false\n{\"1\":1}\n"),
    ("min, max, unique, sort, reverse", "[2,1,2]", "1\n2\n[1,2]\n[1,2,2]\n[2,1,2]\n"),
    (".[1:], .[-1], .[:1]", "[1,2]", "[2]\n2\n[1]\n"),
    ("def f(x): x * 2; f(.)", "2", "4\n"),
    ("if . then 1 elif false then 2 end", "null", "null\n"),
    ("try fromjson catch 1, [fromjson?], [tonumber?]", "\"abc\"", "1\n[]\n[]\n"),
    ("tojson | fromjson", "{\"a\":[1]}", "{\"a\":[1]}\n"),
    ("limit(3; repeat(1))", "0", "1\n1\n1\n"),
    ("splits(\"b\")", "\"abc\"", "\"a\"\n\"c\"\n"),
    ("pick(.a)", "{\"a\":1,\"b\":2}", "{\"a\":1}\n"),
    ("ltrimstr(1), trimstr(\"a\"), toarray", "\"aba\"", "\"aba\"\n\"b\"\n[\"aba\"]\n"),
];

#[test]
fn the_language_is_that_of_the_reference() {
    let wrong: Vec<String> = LANGUAGE
        .iter()
        .filter_map(|(filter, input, output)| {
            let done = Case::of(&["jq", "-c", filter]).input(input).run();
            (done.stdout != *output).then(|| format!("{filter}: {:?} {}", done.stdout, done.stderr))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_long_text_is_replaced_and_searched() {
    let text = format!("\"{}\"", "ab".repeat(20_000));
    let filter = "(gsub(\"a\"; \"x\") | length), ([match(\"b\"; \"g\")] | last.offset), ([scan(\"a\")] | length)";
    let done = Case::of(&["jq", filter]).input(&text).run();
    assert_eq!(done.stdout, "40000\n39999\n20000\n", "{}", done.stderr);
}

#[test]
fn deep_input_is_refused() {
    let done = Case::line("jq .").input("[".repeat(100_000)).run();
    assert_eq!(done.status, 5);
    assert!(done.stderr.contains("nested more than 512 deep"), "{}", done.stderr);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_upsets_the_readers(text in "[\\[\\]{}:,\"a0.eE+ \\-&*#|>\n!~-]{0,60}") {
        Case::line("jq .").input(&text).run();
        Case::line("jq --yaml-input --yaml-output .").input(&text).run();
    }
}

#[test]
fn it_agrees_with_the_system() {
    for (filter, input) in [
        (".[] | {a, b: (.b + 1)}", "[{\"a\":1,\"b\":2}]"),
        ("[.[] | tostring]", "[1,\"1\",[1],null]"),
        ("map(select(.a > 1)) | length", "[{\"a\":1},{\"a\":2}]"),
        ("@sh, (.[1:] | @csv)", "[1,\"a b\"]"),
        ("[match(\"a\"; \"g\") | .offset]", "\"aba\""),
        ("[splits(\", *\")]", "\"a, b,c\""),
        ("sort, group_by(.), unique", "[{},[],\"a\",1,true,null,1]"),
        ("error(\"x\")", "1"),
    ] {
        let case = Case::of(&["jq", "-S", "-c", filter]).input(input);
        let Some(theirs) = case.on_the_system() else {
            println!("skipped: the system has no jq");
            return;
        };
        let ours = case.run();
        assert_eq!((ours.stdout, ours.status), (theirs.stdout, theirs.status), "{filter}");
    }
}

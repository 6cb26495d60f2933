//! What the tree holds, what it refuses, and that no input hurts.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use serde::Deserialize;

use super::{compose, decode};
use crate::yaml_to_json;

fn json(text: &str) -> Result<String, String> {
    yaml_to_json("f", text.as_bytes().to_vec())
        .map_err(|errors| errors.iter().map(crate::Diagnostic::sentence).collect::<Vec<_>>().join("; "))
}

#[test]
fn documents_mean_what_they_mean_to_the_reference() {
    for (text, expected) in [
        ("", "{}"),
        ("# nothing\n", "{}"),
        ("---\n---\nA: 1\n", "{}"),
        ("---\nA: 1\n---\nB: 2\n", r#"{"A":1}"#),
        ("\u{feff}A: 1\n", r#"{"A":1}"#),
        ("A: 1\r\nB: 2\r\n", r#"{"A":1,"B":2}"#),
        ("A: yes\nB: on\nC: true\n", r#"{"A":"yes","B":"on","C":true}"#),
        ("A: 017\nB: 0o17\nC: 1_000\nD: 0x1f\n", r#"{"A":15,"B":15,"C":1000,"D":31}"#),
        ("A: '5'\nB: \"5\"\nC: !!str 5\nD: !!int '5'\n", r#"{"A":"5","B":"5","C":"5","D":5}"#),
        ("A: !foo bar\nB: !!binary aGk=\n", r#"{"A":"bar","B":"hi"}"#),
        ("A: 2001-01-01\n", r#"{"A":"2001-01-01T00:00:00Z"}"#),
        ("1: a\ntrue: b\n", r#"{"1":"a","true":"b"}"#),
        ("A: &x {k: 1}\nB: *x\n", r#"{"A":{"k":1},"B":{"k":1}}"#),
        ("A: &x {k: 1, l: 1}\nB:\n  l: 2\n  <<: *x\n", r#"{"A":{"k":1,"l":1},"B":{"k":1,"l":2}}"#),
        (
            "A: &x {k: 1}\nB: &y {k: 2, m: 3}\nC: {<<: [*x, *y]}\n",
            r#"{"A":{"k":1},"B":{"k":2,"m":3},"C":{"k":1,"m":3}}"#,
        ),
        ("A: {\"<<\": 1}\n", r#"{"A":{"<<":1}}"#),
        ("A: |\n  two\n  lines\nB: >-\n  one\n  line\n", "{\"A\":\"two\\nlines\\n\",\"B\":\"one line\"}"),
        ("A: [a, {b: c}]\n", r#"{"A":["a",{"b":"c"}]}"#),
        ("A: 18446744073709551615\n", r#"{"A":18446744073709551615}"#),
    ] {
        assert_eq!(json(text).as_deref(), Ok(expected), "{text:?}");
    }
}

#[test]
fn every_refusal_names_its_place() {
    for (text, expected) in [
        ("A: 1\nB: 2\nA: 3\n", "f:3:1: the key `A` stands here a second time; it is already on line 1"),
        ("A:\n  1: x\n  '1': y\n", "f:3:3: the key `1` stands here a second time; it is already on line 2"),
        ("A: .inf\n", "f:1:4: expected a finite number, found the number `.inf`"),
        ("A: &a [*a]\n", "f:1:8: this alias stands inside the value that it names"),
        ("A: {<<: 1}\n", "f:1:9: `<<` takes a mapping or a list of mappings"),
        ("A: {<<: [1]}\n", "f:1:10: `<<` takes a mapping or a list of mappings"),
        ("? [a]\n: b\n", "f:1:3: a key must be a word or a number, not a list or a mapping"),
        ("- a\n- b\n", "f:1:1: expected keys and values, found a list"),
        ("just text\n", "f:1:1: expected keys and values, found text"),
        ("A: !!int x\n", "f:1:10: this is tagged `!!int` but is none"),
        ("A: !!binary '*'\n", "f:1:13: this is tagged `!!binary` but is not base64 of text"),
        ("A: b\0c\n", "f:1:5: the control character U+0000 is not allowed in YAML"),
        ("A: 1\nB: \u{7f}\n", "f:2:4: the control character U+007F is not allowed in YAML"),
    ] {
        assert_eq!(json(text).expect_err(text), expected, "{text:?}");
    }
    for text in ["A: [1\n", "A: 'x\n", "A:\n\tB: 1\n", "A: *nobody\n", "A: b: c\n", "}", "A: @x\n", "%YAML 9\nA"] {
        let error = json(text).expect_err(text);
        assert!(error.starts_with("f:") && error.contains("this is not valid YAML"), "{text:?}: {error}");
    }
    let error = yaml_to_json("f", b"A: 1\nB: \xff\n".to_vec()).expect_err("not UTF-8");
    assert_eq!(error[0].sentence(), "f:2:4: this is not UTF-8 text (save the file as UTF-8)");
}

#[test]
fn what_follows_the_first_document_is_announced() {
    let document = compose("f", b"A: 1\n---\nB: 2\n".to_vec()).expect("valid");
    assert_eq!(
        document.notices[0].sentence(),
        "f:3:1: what follows a second `---` is not read; keep one document in a file"
    );
    assert!(compose("f", b"---\nA: 1\n---\n".to_vec()).expect("valid").notices.is_empty());
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
struct Sample {
    flag: bool,
    text: String,
    names: Vec<String>,
    count: Option<u32>,
    inner: Option<Inner>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
struct Inner {
    #[serde(alias = "deep")]
    deep: i8,
}

fn sample(text: &str) -> Result<Sample, Vec<String>> {
    let root = compose("f", text.as_bytes().to_vec()).expect("composes").root;
    decode(&root).map_err(|errors| errors.iter().map(crate::Diagnostic::sentence).collect())
}

#[test]
fn typed_keys_take_what_people_write() {
    let s = sample("Flag: yes\nText: 0x1f\nNames: [1, true, on, 2001-01-01]\nCount: 0o17\nInner: {Deep: -5}\n")
        .expect("valid");
    assert!(s.flag);
    assert_eq!(s.text, "0x1f");
    assert_eq!(s.names, ["1", "true", "on", "2001-01-01"]);
    assert_eq!((s.count, s.inner.map(|i| i.deep)), (Some(15), Some(-5)));
    let s = sample("Flag:\nText: ~\nNames:\nCount: null\nInner:\n").expect("nothing is as good as absent");
    assert!(!s.flag && s.text.is_empty() && s.names.is_empty() && s.count.is_none() && s.inner.is_none());
}

#[test]
fn all_errors_are_told_at_once_and_each_with_its_place() {
    let errors = sample("Falg: 1\nFlag: maybe\nText: [a]\nNames: one\nCount: -1\nInner:\n  deap: 1\n  Deep: 300\n")
        .expect_err("wrong");
    assert_eq!(
        errors,
        [
            "f:1:1: unknown key `Falg` (did you mean `Flag`?)",
            "f:2:7: expected true or false, found text",
            "f:3:7: expected text, found a list",
            "f:4:8: expected a list, found text (a list of one is written `[ one ]`)",
            "f:5:8: invalid value: integer `-1`, expected u32",
            "f:7:3: unknown key `deap` (did you mean `Deep`?)",
            "f:8:9: invalid value: integer `300`, expected i8",
        ]
    );
    assert_eq!(sample("Zebra:\n").expect_err("unknown though empty"), ["f:1:1: unknown key `Zebra`"]);
    assert_eq!(
        sample("Count: 1.5\n").expect_err("fraction"),
        ["f:1:8: expected a whole number, found the number `1.5`"]
    );
    assert_eq!(
        sample("Inner: 5\n").expect_err("not a mapping"),
        ["f:1:8: expected a mapping of keys, found the number `5`"]
    );
    let many = (0..100).map(|n| format!("Key{n}: 1\n")).collect::<Vec<_>>().concat();
    assert_eq!(sample(&many).expect_err("many").len(), 20);
}

/// Everything hostile ends soon, with a value or a sentence.
#[test]
fn bombs_do_not_go_off() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..20 {
        let refs = vec![format!("*a{}", n - 1); 10].join(", ");
        let _ = writeln!(laughs, "a{n}: &a{n} [{refs}]");
    }
    let mut merges = "a0: &a0 {k: 1}\n".to_owned();
    for n in 1..200 {
        let _ = writeln!(merges, "a{n}: &a{n} {{<<: [*a{0}, *a{0}], k{n}: 1}}", n - 1);
    }
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for n in 1..300 {
        let _ = writeln!(chain, "a{n}: &a{n} [*a{}]", n - 1);
    }
    let big = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(5_000));
    let deep_flow = "A: ".to_owned() + &"[".repeat(200_000);
    let deep_map = "{a: ".repeat(100_000);
    let deep_block = "- ".repeat(400_000);
    let keys = (0..100_000).map(|n| format!("k{n}: 1\n")).collect::<Vec<_>>().concat();
    for (what, text, expected) in [
        ("billion laughs", laughs, Some("the file holds more than 200000 values")),
        ("merge keys", merges, Some("values")),
        ("deep aliases", chain, Some("nested deeper than 100 levels")),
        ("big text", big, Some("longer than 8 MiB")),
        ("deep lists", deep_flow, Some("nested deeper than 100 levels")),
        ("deep mappings", deep_map, Some("nested deeper than 100 levels")),
        ("deep blocks", deep_block, Some("nested deeper than 100 levels")),
        ("too many values", keys.repeat(2), Some("")),
        ("too large", "A: ".to_owned() + &"x".repeat(1 << 20), Some("the file is larger than 1 MiB")),
        ("question marks", "? ".repeat(300_000), None),
        ("anchors", "&a ".repeat(300_000), None),
        ("tags", "!a ".repeat(300_000), None),
        ("percent", "%".repeat(900_000), None),
        ("quotes", "'".repeat(900_000), None),
        ("commas", "A: [".to_owned() + &",".repeat(900_000), None),
        ("colons", ": ".repeat(400_000), None),
        ("bare colons", "a:".repeat(400_000), None),
        ("flow colons", "A: {".to_owned() + &"a:".repeat(400_000), None),
        ("plain lines", "A:\n".to_owned() + &" a\n".repeat(300_000), None),
        ("blank lines", "\n".repeat(1_000_000), None),
        ("comments", "#\n".repeat(500_000), None),
        ("documents", "---\n".repeat(250_000), None),
        ("indents", (0..1400).map(|n| " ".repeat(n) + "a:\n").collect(), None),
        ("block scalar", "A: |\n".to_owned() + &" x\n".repeat(300_000), None),
        ("folded", "A: >\n".to_owned() + &"\n".repeat(900_000), None),
        ("spaces", " ".repeat(1_000_000), None),
        ("long keys", "k".repeat(1_000_000), None),
        ("escapes", "A: \"".to_owned() + &"\\x41".repeat(200_000), None),
        ("commented flow", "A: [".to_owned() + &"#\n".repeat(400_000), None),
    ] {
        let start = Instant::now();
        let result = json(&text);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(20), "{what} took {took:?}");
        println!("{what}: {took:?} {:?}", result.as_ref().map(String::len).map_err(|e| &e[..e.len().min(120)]));
        if let Some(expected) = expected {
            let error = result.expect_err(what);
            assert!(error.contains(expected), "{what}: {error}");
        }
    }
}

fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "A",
        "B: ",
        "- ",
        "  ",
        "\n",
        "\n  ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ": ",
        "&a ",
        "*a",
        "<<: ",
        "'",
        "\"",
        "|\n",
        ">-\n",
        "# c\n",
        "!!int ",
        "!!str ",
        "? ",
        "---\n",
        "...\n",
        "0x1f",
        "~",
        "yes",
        "\t",
        "é",
        "%TAG ! x\n",
        "1_0",
        "\\",
        "@",
        "\r\n",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_hurt(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = yaml_to_json("f", bytes);
    }

    #[test]
    fn no_text_that_looks_like_yaml_hurts(text in yaml_like()) {
        if let Err(errors) = yaml_to_json("f", text.into_bytes()) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                prop_assert!(error.line >= 1 && error.column >= 1, "{error:?}");
            }
        }
    }

    #[test]
    fn what_is_read_once_is_read_again(text in yaml_like()) {
        if let Ok(json) = yaml_to_json("f", text.into_bytes()) {
            let again = yaml_to_json("f", json.clone().into_bytes());
            prop_assert_eq!(again.map_err(|e| e[0].sentence()), Ok(json));
        }
    }
}

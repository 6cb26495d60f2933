//! Constructs with what Go makes of them, places, limits, and what a secret goes through.

use std::{cell::Cell, fmt::Write as _, sync::Arc};

use proptest::prelude::*;

use super::{Host, MOST_TEXT, Rendered, Text, Unit, Value, functions::readable, render};
use crate::{Diagnostic, yaml::Source};

mod go;

/// A host of two values, one secret `s`, and a few files.
#[derive(Default)]
struct Fake {
    opened: Cell<usize>,
}

impl Host for Fake {
    fn functions(&self) -> &'static [(&'static str, usize, usize)] {
        &[("env", 1, 1), ("secret", 1, 1)]
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let argument = readable(name, &arguments[0])?;
        Ok(match (name, argument.as_str()) {
            ("secret", name) => Value::Text(Text::secret(3, name)),
            (_, "X") => Value::text("x"),
            (_, "TRUE") => Value::text("true"),
            _ => Value::text(""),
        })
    }

    fn open(&self, file: &str) -> Result<Unit, String> {
        self.opened.set(self.opened.get() + 1);
        let text = match file {
            "a.yaml" => "---\nA: {{ env \"X\" }}\n--- x\nB: [\n".to_owned(),
            "self" => "{{ .Include \"self\" }}".to_owned(),
            "nest" => format!("{{{{ {} \"x\" {} }}}}", "printf \"%s\" (".repeat(30), ")".repeat(30)),
            "bad" => "ok\n---\n  {{ nope }}\n".to_owned(),
            "long" => "x".repeat(1 << 19),
            _ => return Err(format!("there is no file `{file}`")),
        };
        Ok(Unit::included(Arc::new(Source::new(file, text))))
    }

    fn marker(&self, index: usize) -> String {
        format!("<SECRET-{index}>")
    }
}

fn expand(text: &str) -> Result<Rendered, Diagnostic> {
    render(&Unit::new(Arc::new(Source::new("t", text))), &Fake::default())
}

fn text(template: &str) -> String {
    expand(template).unwrap_or_else(|e| panic!("{template}: {e}")).text
}

fn error(template: &str) -> String {
    match expand(template) {
        Ok(rendered) => panic!("{template} expands to {}", rendered.text),
        Err(error) => error.sentence(),
    }
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    for (template, expected) in [
        ("a\n  {{ nope 1 }}", "t:2:6: there is no function `nope`"),
        ("{{ defualt 1 }}", "t:1:4: there is no function `defualt`; did you mean `default`?"),
        ("{{ $env := 1 }}{{ $enw }}", "t:1:19: the variable `$enw` is not declared here; did you mean `$env`?"),
        ("{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", "t:1:39: the variable `$x` is not declared here"),
        ("{{ $x = 1 }}", "t:1:4: the variable `$x` is not declared yet; declare it with `:=`"),
        ("x{{ if true }}", "t:1:2: this `if` has no `{{ end }}`"),
        ("{{ end }}", "t:1:1: `{{end}}` without a block that it belongs to"),
        ("{{ else }}", "t:1:1: `{{else}}` without a block that it belongs to"),
        ("{{ if 1 }}{{ else }}{{ else }}{{ end }}", "t:1:21: this `if` has an `else` already"),
        ("a {{ 1", "t:1:3: this action has no end; close it with `}}`"),
        ("{{/* x }}", "t:1:1: this comment has no end; comments are closed with `*/}}`"),
        ("{{/* x */ 1 }}", "t:1:1: a comment ends right before `}}` or ` -}}`"),
        ("{{ }}", "t:1:4: `the action` lacks a value"),
        ("{{ 1 | 2 }}", "t:1:8: what follows `|` must be a function"),
        ("{{ \"a }}", "t:1:4: this string has no end on its line"),
        ("{{ 'ab' }}", "t:1:4: between `'` stands one character"),
        ("{{ \"\\q\" }}", "t:1:4: this string holds an unknown escape"),
        ("{{ 1x }}", "t:1:4: `1x` is not a number that fits"),
        ("{{ 99999999999999999999 }}", "t:1:4: `99999999999999999999` is not a number that fits"),
        ("{{ 1i }}", "t:1:4: `1i` is not a number that fits"),
        ("{{ (1 }}", "t:1:4: this parenthesis is not closed"),
        ("{{ 1) }}", "t:1:5: unexpected text in `{{ … }}`"),
        ("{{ print \"a\"\"b\" }}", "t:1:13: a space is missing before this"),
        ("{{ # }}", "t:1:4: the character '#' has no meaning in an action"),
        ("{{ nil }}", "t:1:4: `nil` can only be an argument"),
        ("{{ break }}", "t:1:1: `break` stands outside of a `range`"),
        ("{{ template \"x\" }}", "t:1:1: the template \"x\" is not defined"),
        ("{{define \"a\"}}{{end}}{{define \"a\"}}{{end}}", "t:1:22: the template \"a\" is defined twice"),
        ("{{ . }}", "t:1:4: `.` holds no data that could be printed"),
        ("{{ .Name }}", "t:1:4: the file itself (`.`) has no `.Name`; a file has `.Include`"),
        ("{{ \"x\" 1 }}", "t:1:4: this is not a function and takes no arguments"),
        ("{{ env }}", "t:1:4: `env` takes 1 argument(s), and is given 0"),
        ("{{ eq 1 }}", "t:1:4: `eq` takes at least 2 argument(s), and is given 1"),
        ("{{ eq 1 \"a\" }}", "t:1:4: `eq` cannot compare the number 1 with text"),
        ("{{ lt true false }}", "t:1:4: `lt` cannot compare the boolean true with the boolean false"),
        (
            "{{ \"a\" | default 5 }}",
            "t:1:10: both arguments of `default` must be text, and this is the number 5; put it in quotes",
        ),
        ("{{ len 3 }}", "t:1:4: `len` needs text, and this is the number 3"),
        ("{{ index \"abc\" 3 }}", "t:1:4: `index`: the position 3 is out of range, the text has 2 bytes"),
        ("{{ slice \"é\" 1 }}", "t:1:4: `slice` would cut a character in two"),
        ("{{ call 1 }}", "t:1:4: `call` needs a function, and this is int"),
        ("{{ range \"abc\" }}{{ end }}", "t:1:10: `range` counts up to a number; this is string"),
        ("{{ .Include \"gone\" }}", "t:1:4: there is no file `gone`"),
        ("x\n{{ .Include \"bad\" }}", "bad:3:6: there is no function `nope`"),
        ("{{ .Include 1 }}", "t:1:4: `.Include` takes the name of one file"),
        ("{{ $x := 1 }}{{ $x.Include \"a\" }}", "t:1:17: int has no `.Include`; a file has `.Include`"),
    ] {
        let told = error(template);
        assert!(told.starts_with(expected), "{template}\n{told}\n{expected}");
    }
}

#[test]
fn text_of_a_file_is_known_by_its_place_there_and_of_an_action_by_the_action() {
    let rendered = expand("é: {{ env \"X\" }}\n\n{{- \"\\n\" }}K: v {{ .Include \"a.yaml\" }}Z: 1\n").expect("expands");
    assert_eq!(rendered.text, "é: x\nK: v A: x\nB: [\nZ: 1\n");
    let place = |needle: &str| {
        let place = rendered.origin(rendered.text.find(needle).expect("there"));
        (place.source.name.clone(), place.line, place.column)
    };
    let at = |file: &str, line, column| (file.to_owned(), line, column);
    assert_eq!(place("é"), at("t", 1, 1));
    assert_eq!(place("x\n"), at("t", 1, 4));
    assert_eq!(place("K"), at("t", 3, 12));
    assert_eq!(place("v"), at("t", 3, 15));
    assert_eq!(place("A"), at("a.yaml", 2, 1));
    assert_eq!(place("x\nB"), at("a.yaml", 2, 4));
    assert_eq!(place("B"), at("a.yaml", 4, 1));
    assert_eq!(place("["), at("a.yaml", 4, 4));
    assert_eq!(place("Z"), at("t", 3, 40));
    for (line, column, expected) in
        [(1, 3, at("t", 1, 4)), (2, 5, at("a.yaml", 2, 1)), (4, 0, at("t", 3, 40)), (9, 9, at("t", 8, 10))]
    {
        let found = rendered.place(line, column);
        assert_eq!((found.source.name.clone(), found.line, found.column), expected, "{line}:{column}");
    }
}

#[test]
fn what_is_included_may_pass_through_functions_and_sees_no_variable() {
    assert_eq!(text("{{ $x := .Include \"a.yaml\" }}{{ printf \"%s.\" $x }}"), "A: x\nB: [\n.");
    assert_eq!(text("{{ printf \"%s.yaml\" \"a\" | .Include }}"), text("{{ .Include \"a.yaml\" }}"));
    assert_eq!(text("{{ with 1 }}{{ $.Include \"a.yaml\" }}{{ end }}"), text("{{ .Include \"a.yaml\" }}"));
    assert_eq!(text("{{ if false }}{{ .Include \"gone\" }}{{ end }}"), "");
    assert_eq!(text("{{ len (.Include \"a.yaml\") }}"), "10");
}

#[test]
fn a_secret_goes_through_what_does_not_look_at_it() {
    for (template, expected) in [
        ("{{ secret \"s\" }}", "<SECRET-3>"),
        ("{{ secret \"s\" | printf \"%q\" }}", "\"<SECRET-3>\""),
        ("{{ secret \"s\" | printf \"%s %v\" \"a\" }}", "a <SECRET-3>"),
        ("{{ secret \"s\" | default \"d\" }}", "<SECRET-3>"),
        ("{{ default (secret \"s\") \"\" }}", "<SECRET-3>"),
        ("{{ print \"a\" (secret \"s\") 1 }}", "a<SECRET-3>1"),
        ("{{ $s := printf \"a\\\"%s\" (secret \"s\") }}{{ printf \"%q\" $s }}", "\"a\\\"<SECRET-3>\""),
        ("{{ if secret \"s\" }}yes{{ end }}", "yes"),
        ("{{ with secret \"s\" }}{{ . }}{{ end }}", "<SECRET-3>"),
        ("{{ or \"\" (secret \"s\") }}", "<SECRET-3>"),
        ("{{ not (secret \"s\") }}", "false"),
        ("{{ printf \"%T\" (secret \"s\") }}", "string"),
    ] {
        assert_eq!(text(template), expected, "{template}");
    }
}

#[test]
fn what_would_look_at_a_secret_is_an_error() {
    for (call, function) in [
        ("eq (secret \"s\") \"a\"", "eq"),
        ("eq \"a\" (secret \"s\")", "eq"),
        ("eq (secret \"s\") 1", "eq"),
        ("ne (secret \"s\") \"a\"", "ne"),
        ("lt (secret \"s\") \"a\"", "lt"),
        ("len (secret \"s\")", "len"),
        ("slice (secret \"s\") 1", "slice"),
        ("index (secret \"s\") 1", "index"),
        ("html (secret \"s\")", "html"),
        ("js (print \"a\" (secret \"s\"))", "js"),
        ("urlquery (secret \"s\")", "urlquery"),
        ("printf \"%d\" (secret \"s\")", "printf with %d"),
        ("printf \"%x\" (secret \"s\")", "printf with %x"),
        ("printf \"%5s\" (secret \"s\")", "printf with %s"),
        ("printf \"%.1s\" (secret \"s\")", "printf with %s"),
        ("printf (secret \"s\")", "printf"),
        ("env (secret \"s\")", "env"),
        (".Include (secret \"s\")", ".Include"),
    ] {
        let told = error(&format!("\n  {{{{ {call} }}}}"));
        let expected = format!(
            "t:2:6: `{function}` would have to look at the value of `s`, which is secret and not known here; \
             use it whole, or keep it under `Variables` of a variables file if it need not be secret"
        );
        assert_eq!(told, expected, "{call}");
    }
    assert_eq!(text("{{ printf \"%d\" 1 (secret \"s\") }}"), "1%!(EXTRA string=<SECRET-3>)");
}

#[test]
fn what_is_nested_as_deep_as_may_be_needs_no_more_stack_than_a_thread_has() {
    let nest = |inner: &str, count: usize| format!("{}{inner}{}", "print (".repeat(count), ")".repeat(count));
    let deep =
        format!("{}{{{{ {} }}}}{}", "{{ if 1 }}".repeat(20), nest("$.Include \"nest\"", 28), "{{ end }}".repeat(20));
    assert_eq!(text(&deep), "x");
    let deeper =
        format!("{}{{{{ {} }}}}{}", "{{ if 1 }}".repeat(21), nest("$.Include \"nest\"", 29), "{{ end }}".repeat(21));
    assert!(error(&deeper).contains("nested deeper than 80 levels"), "{}", error(&deeper));
}

#[test]
fn no_template_takes_long_or_much() {
    let start = std::time::Instant::now();
    for (template, expected) in [
        ("{{ range 1000000000 }}{{ end }}", "takes too long"),
        ("{{ range 1000000 }}{{ .}}{{ end }}", "takes too long"),
        ("{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}", "nested deeper than"),
        ("{{ .Include \"self\" }}", "include each other"),
        ("{{ $x := \"0123456789\" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}", "longer than 1 MiB"),
        ("{{ range 1000 }}{{ $.Include \"long\" }}{{ end }}", "longer than 1 MiB"),
        ("{{ range 100000 }}{{ $x := $.Include \"long\" }}{{ end }}", "takes too long"),
        ("{{ $x := .Include \"long\" }}{{ range 1000000 }}{{ if eq $x $x }}{{ end }}{{ end }}", "takes too long"),
        ("{{ $x := .Include \"long\" }}{{ print $x $x $x $x }}", "longer than 1 MiB"),
        ("{{ range 1000 }}{{ range 1000 }}{{ printf \"%99999d\" 1 }}{{ end }}{{ end }}", "longer than 1 MiB"),
    ] {
        let told = error(template);

        assert!(told.contains(expected), "{template}\n{told}");
    }
    for (open, close) in [("(", ")"), ("{{ if 1 }}", "{{ end }}"), ("{{ with 1 }}", ""), ("(1 | print ", "")] {
        let deep = format!("{{{{ {} 1 {} }}}}", open.repeat(50_000), close.repeat(50_000));
        let deep = if open.starts_with('{') { open.repeat(50_000) } else { deep };
        assert!(error(&deep).contains("nested deeper than"), "{open}");
    }
    let mut wide = String::from("{{ if false }}");
    for n in 0..20_000 {
        let _ = write!(wide, "{{{{ else if eq {n} -1 }}}}");
    }
    assert_eq!(text(&format!("{wide}{{{{ else }}}}x{{{{ end }}}}")), "x");
    let long = "a".repeat(MOST_TEXT);
    assert_eq!(text(&long).len(), MOST_TEXT);
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "\n",
        "if ",
        "else ",
        "end",
        "range ",
        "with ",
        "define ",
        "block ",
        "template ",
        "break",
        "continue",
        "nil ",
        "true ",
        "1 ",
        "-1 ",
        "3 ",
        "1.5 ",
        "\"a\" ",
        "\"%5.2[1]*d%q%v\" ",
        "`r` ",
        "'c' ",
        "$ ",
        "$x ",
        ":= ",
        "= ",
        "| ",
        "(",
        ")",
        ". ",
        ".Include ",
        ", ",
        "printf ",
        "print ",
        "eq ",
        "and ",
        "or ",
        "not ",
        "len ",
        "index ",
        "slice ",
        "html ",
        "js ",
        "urlquery ",
        "default ",
        "env ",
        "secret ",
        "/*",
        "*/",
        "é",
        "---\n",
        "\"a.yaml\" ",
        "\"self\" ",
        "{{ end }}",
        "{{ if 1 }}",
        "{{ range 3 }}",
        "{{ $x := secret \"s\" }}",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_template_hurts(template in pieces(), any in "\\PC{0,40}") {
        for template in [template, format!("{{{{ {any} }}}}"), format!("{{{{ printf {any:?} 1 \"a\" }}}}")] {
            match expand(&template) {
                Ok(rendered) => {
                    for (at, _) in rendered.text.char_indices() {
                        prop_assert!(rendered.origin(at).line > 0);
                    }
                }
                Err(error) => prop_assert!(error.line > 0),
            }
        }
    }

    #[test]
    fn text_without_actions_stays_as_it_is(plain in "[^{]{0,60}") {
        prop_assert_eq!(text(&plain), plain.clone());
        let rendered = expand(&format!("{{{{ \"x\" }}}}{plain}")).expect("expands");
        prop_assert_eq!(&rendered.text[1..], plain);
    }

    #[test]
    fn a_quoted_string_reads_back(plain in "[^`\r]{0,30}") {
        let quoted = text(&format!("{{{{ printf \"%q\" `{plain}` }}}}"));
        prop_assert_eq!(text(&format!("{{{{ {quoted} }}}}")), plain);
    }
}

use proptest::prelude::*;

use super::{Event::*, *};

/// The text that was parsed: nothing of it is lost.
fn source(events: &[Event<'_>]) -> String {
    events
        .iter()
        .map(|event| match *event {
            Text(text) => text.to_owned(),
            Escaped(text) => format!("\\{text}"),
            BoldOn | BoldOff => "**".to_owned(),
            ItalicOn | ItalicOff => "*".to_owned(),
            Code(code) => format!("`{code}`"),
            Fence { language, code, closed } => format!("```{language}{code}{}", if closed { "```" } else { "" }),
            LinkOn(_) => "[".to_owned(),
            LinkOff(url) => format!("]({url})"),
            Mention(name) => format!("@{name}"),
            Emoji(name) => format!(":{name}:"),
        })
        .collect()
}

/// Events with texts that touch put together.
fn parsed(text: &str) -> Vec<Event<'_>> {
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut at = 0;
    for event in parse(text) {
        let length = source(&[event]).len();
        match (events.last_mut(), event) {
            (Some(Text(before)), Text(_)) => *before = &text[at - before.len()..at + length],
            _ => events.push(event),
        }
        at += length;
    }
    events
}

/// Each text is literal as a whole.
fn literal(texts: &[&str]) {
    for text in texts {
        assert_eq!(parsed(text), [Text(text)], "{text:?}");
    }
}

fn table(rows: &[(&str, &[Event<'_>])]) {
    for (text, expected) in rows {
        assert_eq!(parsed(text), *expected, "{text:?}");
        assert_eq!(source(&parse(text)), *text);
    }
}

#[test]
fn fences_toggle_at_every_occurrence_and_hold_text_verbatim() {
    let fence = |language, code, closed| Fence { language, code, closed };
    table(&[
        ("", &[]),
        ("a\n```yaml\nx: *1*\n```\nb", &[Text("a\n"), fence("yaml", "\nx: *1*\n", true), Text("\nb")]),
        ("```\n`a` @b :tada:```", &[fence("", "\n`a` @b :tada:", true)]),
        ("```ls -l```", &[fence("", "ls -l", true)]),
        ("```ls -l\nrm x```", &[fence("", "ls -l\nrm x", true)]),
        ("```sh \nls", &[fence("sh ", "\nls", false)]),
        ("``````", &[fence("", "", true)]),
        ("a```b```c```d", &[Text("a"), fence("", "b", true), Text("c"), fence("", "d", false)]),
        ("````a", &[fence("", "`a", false)]),
        ("**a ```b``` c**", &[Text("**a "), fence("", "b", true), Text(" c**")]),
    ]);
}

#[test]
fn inline_code_is_verbatim_and_unclosed_ticks_are_text() {
    table(&[
        ("`**a** \\* @b :tada:`", &[Code("**a** \\* @b :tada:")]),
        ("a `b` c `d`", &[Text("a "), Code("b"), Text(" c "), Code("d")]),
        ("\\`a\\`", &[Escaped("`"), Text("a"), Escaped("`")]),
        ("*a* `b", &[ItalicOn, Text("a"), ItalicOff, Text(" `b")]),
        ("**a `b` c**", &[Text("**a "), Code("b"), Text(" c**")]),
    ]);
    literal(&["`", "a `b", "empty `` ticks"]);
}

#[test]
fn a_backslash_takes_the_meaning_of_eight_characters_away() {
    for escaped in ["*", "`", "[", "]", "(", ")", "@", "\\"] {
        assert_eq!(parsed(&format!("\\{escaped}")), [Escaped(escaped)]);
    }
    table(&[
        ("\\**a*", &[Escaped("*"), ItalicOn, Text("a"), ItalicOff]),
        ("\\@bob", &[Escaped("@"), Text("bob")]),
        ("\\[a](http://b)", &[Escaped("["), Text("a](http://b)")]),
        ("\\\\*a*", &[Escaped("\\"), ItalicOn, Text("a"), ItalicOff]),
    ]);
    literal(&["\\", "\\n \\: \\> \\- \\é"]);
}

#[test]
fn links_have_a_web_address_without_blanks() {
    let (http, https) = ("http://a.b/c*d*_e", "https://x");
    table(&[
        ("[l](http://a.b/c*d*_e)", &[LinkOn(http), Text("l"), LinkOff(http)]),
        ("**[l](https://x)**", &[BoldOn, LinkOn(https), Text("l"), LinkOff(https), BoldOff]),
        ("[a **b**](https://x)", &[LinkOn(https), Text("a "), BoldOn, Text("b"), BoldOff, LinkOff(https)]),
        ("[a\\]b](https://x)", &[LinkOn(https), Text("a"), Escaped("]"), Text("b"), LinkOff(https)]),
        ("[a [l](https://x)", &[Text("[a "), LinkOn(https), Text("l"), LinkOff(https)]),
        ("[@bob](https://x)", &[LinkOn(https), Mention("bob"), LinkOff(https)]),
    ]);
    literal(&[
        "[x]",
        "[x](y)",
        "[x](ftp://y)",
        "[](http://x)",
        "[x](http://a b)",
        "[x](http://a\tb)",
        "[x](http://a",
        "[x] (http://a)",
        "[",
        "[x](HTTP://a)",
    ]);
    literal(&[&format!("[x](http://{})", "a".repeat(LONGEST_URL))]);
}

#[test]
fn mentions_end_before_punctuation_and_are_no_addresses() {
    table(&[
        ("@bob", &[Mention("bob")]),
        ("@bob.", &[Mention("bob"), Text(".")]),
        ("@a_b-c.d-.-", &[Mention("a_b-c.d"), Text("-.-")]),
        ("(@bob)@", &[Text("("), Mention("bob"), Text(")@")]),
        ("*@bob*", &[ItalicOn, Mention("bob"), ItalicOff]),
        ("é@bob: hi", &[Text("é"), Mention("bob"), Text(": hi")]),
        ("@@bob", &[Text("@"), Mention("bob")]),
    ]);
    literal(&["a@b.c", "a.@b", "a+@b", "a-@b", "@", "@ bob", "@.-", "@é"]);
}

#[test]
fn emoji_are_not_glued_to_other_names() {
    table(&[
        (":tada:", &[Emoji("tada")]),
        (":+1: :-1: :a_b:", &[Emoji("+1"), Text(" "), Emoji("-1"), Text(" "), Emoji("a_b")]),
        (":a::b:", &[Emoji("a"), Emoji("b")]),
        ("::a::", &[Text(":"), Emoji("a"), Text(":")]),
        ("é:a:é", &[Text("é"), Emoji("a"), Text("é")]),
        ("**:a:**", &[BoldOn, Emoji("a"), BoldOff]),
    ]);
    literal(&["a:b:", ":b:c", "12:30:45", "::", ": a:", ":a b:", ":é:", "-:a:", ":a:+", "http://h:80:"]);
}

#[test]
fn bold_reaches_from_the_first_pair_to_the_next() {
    table(&[
        ("**a**", &[BoldOn, Text("a"), BoldOff]),
        ("**a** b **c**", &[BoldOn, Text("a"), BoldOff, Text(" b "), BoldOn, Text("c"), BoldOff]),
        ("**a\nb**", &[BoldOn, Text("a\nb"), BoldOff]),
        ("**** **a**", &[Text("**** "), BoldOn, Text("a"), BoldOff]),
        ("**a*[*](https://x)", &[Text("**a"), ItalicOn, LinkOn("https://x"), ItalicOff, LinkOff("https://x")]),
        ("**a**b**", &[BoldOn, Text("a"), BoldOff, Text("b**")]),
    ]);
    literal(&["**", "***", "****", "**open", "open**"]);
}

#[test]
fn italic_is_between_asterisks_that_stand_alone() {
    table(&[
        ("*a*", &[ItalicOn, Text("a"), ItalicOff]),
        ("*a* *b", &[ItalicOn, Text("a"), ItalicOff, Text(" *b")]),
        ("***a***", &[BoldOn, ItalicOn, Text("a"), BoldOff, ItalicOff]),
        ("**a *b* c**", &[BoldOn, Text("a "), ItalicOn, Text("b"), ItalicOff, Text(" c"), BoldOff]),
        ("**a *b** c*", &[BoldOn, Text("a "), ItalicOn, Text("b"), BoldOff, Text(" c"), ItalicOff]),
        ("*a**b*", &[ItalicOn, Text("a**b"), ItalicOff]),
        ("*a\\*b*", &[ItalicOn, Text("a"), Escaped("*"), Text("b"), ItalicOff]),
    ]);
    literal(&["*", "a * b", "*a**"]);
}

#[test]
fn what_is_not_supported_is_text() {
    literal(&[
        "# heading",
        "> quote\n- item\n  - nested\n1. first",
        "| a | b |\n|---|---|",
        "~~gone~~ <b>html</b> _under_ __lines__",
    ]);
    table(&[("![i](https://x)", &[Text("!"), LinkOn("https://x"), Text("i"), LinkOff("https://x")])]);
}

#[test]
fn hostile_text_takes_linear_time() {
    let started = std::time::Instant::now();
    for piece in
        ["[", "[a](http://", "*", "**", "`", "\\", "``` ", "*a", "**a", "[a](", "@", "@.", ":", ":a", "[\\", "``"]
    {
        let text = piece.repeat((256 << 10) / piece.len());
        assert!(!parse(&text).is_empty());
    }
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

proptest! {
    #[test]
    fn every_character_comes_through(text in "([a*`\\\\\\[\\]()@:é \n.-]|http://|```|\\*\\*|:tada:|@bob|\\]\\(https://x\\)){0,40}") {
        prop_assert_eq!(source(&parse(&text)), text);
    }

    #[test]
    fn styles_and_links_are_switched_on_and_off_in_turn(text in "([a*`\\[\\]() ]|\\*\\*|\\]\\(http://x\\)|```|\\\\){0,40}") {
        let (mut bold, mut italic, mut link) = (false, false, None);
        for event in parse(&text) {
            match event {
                BoldOn | BoldOff => {
                    prop_assert_eq!(bold, event == BoldOff);
                    bold = !bold;
                }
                ItalicOn | ItalicOff => {
                    prop_assert_eq!(italic, event == ItalicOff);
                    italic = !italic;
                }
                LinkOn(url) => prop_assert_eq!(link.replace(url), None),
                LinkOff(url) => prop_assert_eq!(link.take(), Some(url)),
                _ => {}
            }
        }
        prop_assert!(!bold && !italic && link.is_none());
    }
}

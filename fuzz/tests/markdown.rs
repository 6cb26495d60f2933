//! `BasicMarkdown`: the parser, its renderers, word wrap and splitting.
#![forbid(unsafe_code)]

use std::time::Duration;

use bolero::check;
use gopher_markdown::{Event, Limits, Scheme, ansi, parse, plain, split, wrap};

/// Time of one target under plain `cargo test`; a fuzzer takes its own.
const SHORT: Duration = Duration::from_millis(300);

/// Bytes as pieces of markup: what is random as bytes is rarely more than one delimiter.
fn markdown_like(bytes: &[u8]) -> String {
    const PIECES: [&str; 32] = [
        "a",
        "word ",
        " ",
        "\n",
        "*",
        "**",
        "***",
        "`",
        "```",
        "```yaml\n",
        "\\",
        "[",
        "]",
        "](http://x)",
        "[label](https://e.com/a*b)",
        "(",
        ")",
        "@",
        "@bob.",
        ":",
        ":tada:",
        ":+1:",
        "> ",
        "- ",
        "well-known",
        "é",
        "e\u{301}",
        "漢",
        "👨‍👩‍👧",
        "\u{1b}[1m",
        "\r\n",
        "\0",
    ];
    bytes.iter().map(|b| PIECES[usize::from(b % 32)]).collect()
}

/// Both what the bytes say and what they choose.
fn texts(bytes: &[u8]) -> [String; 2] {
    [String::from_utf8_lossy(bytes).into_owned(), markdown_like(bytes)]
}

/// The text that events stand for.
fn source(event: Event<'_>) -> String {
    match event {
        Event::Text(text) => text.to_owned(),
        Event::Escaped(text) => format!("\\{text}"),
        Event::BoldOn | Event::BoldOff => "**".to_owned(),
        Event::ItalicOn | Event::ItalicOff => "*".to_owned(),
        Event::Code(code) => format!("`{code}`"),
        Event::Fence { language, code, closed } => format!("```{language}{code}{}", if closed { "```" } else { "" }),
        Event::LinkOn(_) => "[".to_owned(),
        Event::LinkOff(url) => format!("]({url})"),
        Event::Mention(name) => format!("@{name}"),
        Event::Emoji(name) => format!(":{name}:"),
    }
}

/// Nothing is lost or invented by the parser, and no renderer makes more of a text than its styles.
#[test]
fn parsing() {
    check!().with_test_time(SHORT).for_each(|bytes: &[u8]| {
        for text in texts(bytes) {
            assert_eq!(parse(&text).into_iter().map(source).collect::<String>(), text);
            assert!(plain(&text).len() <= text.len() + parse(&text).len());
            let styles = |text: &str| text.matches('\u{1b}').count();
            assert!(styles(&ansi(&text, Scheme::default())) <= styles(&text) + 2 * parse(&text).len());
        }
    });
}

/// Only blanks are exchanged for line ends.
#[test]
fn wrapping() {
    check!().with_test_time(SHORT).for_each(|bytes: &[u8]| {
        for text in texts(bytes) {
            let wrapped = wrap(&text, Some(20));
            assert_eq!(wrapped.replace([' ', '\n'], ""), text.replace([' ', '\n'], ""));
        }
    });
}

/// Every part fits, says something, and closes its fences.
#[test]
fn splitting() {
    check!().with_test_time(SHORT).for_each(|bytes: &[u8]| {
        for text in texts(bytes) {
            for fences in [false, true] {
                let parts = split(&text, Limits { bytes: 64, parts: 8, fences });
                assert!(parts.len() <= 9);
                for part in parts {
                    assert!(part.len() <= 64 && !part.trim().is_empty(), "{part:?}");
                    assert!(!fences || part.matches("```").count() % 2 == 0, "{part:?}");
                }
            }
        }
    });
}

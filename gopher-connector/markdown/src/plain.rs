//! Plain text, as logs, suites and terminals without colours show it (spec: configuration §7.3, terminal).

use std::borrow::Cow;

use crate::parse::{Event, parse};

/// The text without its markup: links become `label (url)`; mentions, emoji, quotes and lists stay.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['*', '`', '[', '\\']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for event in parse(text) {
        match event {
            Event::Text(text) | Event::Escaped(text) | Event::Code(text) | Event::Fence { code: text, .. } => {
                out.push_str(text);
            }
            Event::BoldOn | Event::BoldOff | Event::ItalicOn | Event::ItalicOff | Event::LinkOn(_) => {}
            Event::LinkOff(url) => out.extend([" (", url, ")"]),
            Event::Mention(name) => out.extend(["@", name]),
            Event::Emoji(name) => out.extend([":", name, ":"]),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_vanishes_and_text_stays() {
        for (markdown, expected) in [
            ("nothing to do", "nothing to do"),
            (
                "**Deploy:** *now* see [doc](https://example.com) \\*x\\* `ls`",
                "Deploy: now see doc (https://example.com) *x* ls",
            ),
            ("Before\n```yaml\nx: 1\n```\nAfter", "Before\n\nx: 1\n\nAfter"),
            ("```\n**not bold** `nor code`\n```", "\n**not bold** `nor code`\n"),
            ("```ls -l``` lists", "ls -l lists"),
            ("```ls -l\nrm x```", "ls -l\nrm x"),
            ("``` unclosed *fence*", " unclosed *fence*"),
            ("***both***", "both"),
            ("**bold with *italic* inside**", "bold with italic inside"),
            ("`**verbatim** \\` here`", "**verbatim** \\` here"),
            ("an unclosed `tick and *italic*", "an unclosed `tick and italic"),
            ("empty `` ticks", "empty `` ticks"),
            ("\\`not code\\`", "`not code`"),
            ("> quote\n- item\n- *item*", "> quote\n- item\n- item"),
            ("@bob: :tada: # not a heading", "@bob: :tada: # not a heading"),
            ("\\@bob \\[x\\]\\(y\\) \\\\ \\n", "@bob [x](y) \\ \\n"),
            ("größer **fett** 🚀 *schräg*", "größer fett 🚀 schräg"),
        ] {
            assert_eq!(plain(markdown), expected, "{markdown:?}");
        }
    }

    #[test]
    fn unfinished_markup_is_text() {
        for text in [
            "**open",
            "*open",
            "****",
            "a * b",
            "[x]",
            "[x](y)",
            "[x](ftp://y)",
            "[](http://x)",
            "[x](http://a b)",
            "[x](http://a",
            "\\",
            "**",
            "[",
        ] {
            assert_eq!(plain(text), text, "{text:?}");
        }
    }

    #[test]
    fn links_show_label_and_address() {
        assert_eq!(plain("[a **b**](http://x/*y*)."), "a b (http://x/*y*).");
        assert_eq!(plain("[one [two](https://x)"), "[one two (https://x)");
        assert_eq!(plain("**[x](https://y)**"), "x (https://y)");
        assert_eq!(plain("[a\\]b](https://y)"), "a]b (https://y)");
    }

    #[test]
    fn hostile_text_takes_linear_time() {
        let started = std::time::Instant::now();
        for piece in ["[", "[a](http://", "*", "**", "`", "\\", "``` ", "*a", "**a", "[a]("] {
            let text = piece.repeat((256 << 10) / piece.len());
            assert!(!plain(&text).is_empty());
        }
        assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    }
}

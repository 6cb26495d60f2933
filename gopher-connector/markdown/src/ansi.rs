//! For terminals with colours (spec: configuration §7.3, ssh).
//!
//! The text comes without control characters, so that the sequences in the result are the ones made here.

use std::borrow::Cow;

use crate::{
    emoji,
    parse::{Event, parse},
};

/// Colours of code, as parameters of the terminal's `ESC [ … m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheme {
    pub inline: &'static str,
    pub block: &'static str,
}

impl Default for Scheme {
    /// Cyan and green, which are readable on light and on dark.
    fn default() -> Self {
        Self { inline: "36", block: "32" }
    }
}

/// The text with its markup as a terminal shows it; every style that is switched on is switched off.
pub fn ansi(text: &str, scheme: Scheme) -> Cow<'_, str> {
    if !text.contains(['*', '`', '[', '\\', ':']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for event in parse(text) {
        match event {
            Event::Text(text) | Event::Escaped(text) => out.push_str(text),
            Event::BoldOn => out.push_str("\u{1b}[1m"),
            Event::BoldOff => out.push_str("\u{1b}[22m"),
            Event::ItalicOn => out.push_str("\u{1b}[3m"),
            Event::ItalicOff => out.push_str("\u{1b}[23m"),
            Event::Code(code) => coloured(code, scheme.inline, &mut out),
            Event::Fence { code, .. } => block(code, scheme.block, &mut out),
            Event::LinkOn(_) => {}
            Event::LinkOff(url) => out.extend([" (", url, ")"]),
            Event::Mention(name) => out.extend(["@", name]),
            Event::Emoji(name) => match emoji::unicode(name) {
                Some(emoji) => out.push_str(emoji),
                None => out.extend([":", name, ":"]),
            },
        }
    }
    Cow::Owned(out)
}

/// Colours the lines of a block, but not the line ends around them.
fn block(code: &str, colour: &str, out: &mut String) {
    let body = code.trim_start_matches('\n');
    let (before, body) = (&code[..code.len() - body.len()], body.trim_end_matches('\n'));
    out.push_str(before);
    coloured(body, colour, out);
    out.push_str(&code[before.len() + body.len()..]);
}

fn coloured(text: &str, colour: &str, out: &mut String) {
    if !text.is_empty() {
        out.extend(["\u{1b}[", colour, "m", text, "\u{1b}[39m"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Escapes as `^`.
    fn shown(text: &str) -> String {
        ansi(text, Scheme::default()).replace('\u{1b}', "^")
    }

    #[test]
    fn markup_becomes_styles() {
        for (markdown, expected) in [
            ("nothing to do", "nothing to do"),
            ("**b** *i*", "^[1mb^[22m ^[3mi^[23m"),
            ("***both***", "^[1m^[3mboth^[22m^[23m"),
            ("**a *b** c*", "^[1ma ^[3mb^[22m c^[23m"),
            ("run `ls -l` now", "run ^[36mls -l^[39m now"),
            ("Before\n```yaml\nx: 1\ny: 2\n```\nAfter", "Before\n\n^[32mx: 1\ny: 2^[39m\n\nAfter"),
            ("```ls```", "^[32mls^[39m"),
            ("``````", ""),
            ("```\n\n```", "\n\n"),
            ("[the **docs**](https://example.com/a*b*)", "the ^[1mdocs^[22m (https://example.com/a*b*)"),
            ("@bob :tada: :no-such: :white-check-mark:", "@bob 🎉 :no-such: ✅"),
            ("`:tada:` \\*x\\* \\@bob", "^[36m:tada:^[39m *x* @bob"),
            ("> quote\n- item", "> quote\n- item"),
            ("**open *open `open", "**open *open `open"),
        ] {
            assert_eq!(shown(markdown), expected, "{markdown:?}");
        }
    }
}

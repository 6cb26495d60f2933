//! Text of others, made harmless for this terminal.

use std::borrow::Cow;

/// Tabs are as wide as in the reference's terminal.
const TAB: &str = "    ";

/// Steers the direction of what follows, and so can make a text look like another one.
fn steers(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Makes control characters visible, so that no text can steer the terminal. Lines and tabs stay.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| (c.is_control() && c != '\n') || steers(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push('\n'),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\t' => out.push_str(TAB),
            '\0'..='\u{1f}' => out.extend(['^', char::from(c as u8 + b'@')]),
            '\u{7f}' => out.push_str("^?"),
            c if c.is_control() || steers(c) => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// As [`clean`], in one line.
pub(crate) fn one_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_steer_the_terminal() {
        assert_eq!(clean("plain\nüñí 🚀"), "plain\nüñí 🚀");
        assert_eq!(clean("\u{1b}]0;owned\u{7}\u{7f}\u{9b}2J"), "^[]0;owned^G^?\u{fffd}2J");
        assert_eq!(clean("a\tb\r\nc\rd"), "a    b\nc^Md");
        assert_eq!(clean("rm \u{202e}txt"), "rm \u{fffd}txt");
        assert_eq!(one_line("a\nb"), "a b");
    }
}

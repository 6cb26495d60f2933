//! Text of others on this terminal: harmless, and wrapped to its width.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Tabs are as wide as in the reference's terminal.
const TAB: &str = "    ";

/// Below this a terminal's width is not believed.
const NARROWEST: usize = 20;

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

/// Breaks long lines at the last blank or after the last hyphen that fits, else at the first later one, else not.
pub(crate) fn wrap(text: &str, width: Option<usize>) -> Cow<'_, str> {
    let Some(width) = width.filter(|width| *width >= NARROWEST) else { return Cow::Borrowed(text) };
    if text.lines().all(|line| line.width() <= width) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<String> = text.split('\n').map(|line| wrap_line(line, width)).collect();
    Cow::Owned(lines.join("\n"))
}

fn wrap_line(line: &str, width: usize) -> String {
    let mut out = String::with_capacity(line.len() + line.len() / width);
    let mut rest = line;
    while rest.width() > width {
        let Some((end, next)) = break_at(rest, width) else { break };
        out.push_str(&rest[..end]);
        out.push('\n');
        rest = &rest[next..];
    }
    out.push_str(rest);
    out
}

/// Where a line ends and where the next one begins.
fn break_at(line: &str, width: usize) -> Option<(usize, usize)> {
    let mut best = None;
    let mut column = 0;
    for (at, c) in line.char_indices() {
        let place = match c {
            ' ' => Some((at, at + 1, column)),
            '-' => Some((at + 1, at + 1, column + 1)),
            _ => None,
        };
        if let Some((end, next, end_column)) = place.filter(|(end, ..)| !line[..*end].trim_end().is_empty()) {
            if end_column > width {
                return best.or(Some((end, next)));
            }
            best = Some((end, next));
        }
        column += c.width().unwrap_or(0);
        if column > width && best.is_some() {
            return best;
        }
    }
    best.filter(|(_, next)| *next < line.len())
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

    #[test]
    fn lines_break_at_blanks_and_after_hyphens() {
        let at_20 = |text| wrap(text, Some(20)).into_owned();
        assert_eq!(at_20("exactly twenty chars"), "exactly twenty chars");
        assert_eq!(at_20("exactly twenty chars more"), "exactly twenty chars\nmore");
        assert_eq!(at_20("one two three four five six seven"), "one two three four\nfive six seven");
        assert_eq!(at_20("a well-known double-barrelled name"), "a well-known double-\nbarrelled name");
        assert_eq!(
            at_20("aVeryLongWordThatDoesNotFitAnywhere but this does"),
            "aVeryLongWordThatDoesNotFitAnywhere\nbut this does"
        );
        assert_eq!(at_20("aVeryLongWordThatDoesNotFitAnywhere"), "aVeryLongWordThatDoesNotFitAnywhere");
        assert_eq!(at_20("first line\nsecond line which is longer"), "first line\nsecond line which is\nlonger");
    }

    #[test]
    fn width_counts_columns_not_bytes() {
        let wide = "漢字漢字 漢字漢字 漢字漢字";
        assert_eq!(wrap(wide, Some(20)), "漢字漢字 漢字漢字\n漢字漢字");
        assert_eq!(wrap("üüüüüüüüü üüüüüüüüüü", Some(20)), "üüüüüüüüü üüüüüüüüüü");
    }

    #[test]
    fn an_unknown_or_absurd_width_wraps_nothing() {
        let text = "x ".repeat(50);
        assert_eq!(wrap(&text, None), text);
        assert_eq!(wrap(&text, Some(3)), text);
    }
}

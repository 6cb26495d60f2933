//! `BasicMarkdown`, the portable subset that extensions write (configuration §7.2), rendered as plain text.
//!
//! Pure, linear in the length of the text, and total: whatever is not markup stays as it is.

use std::borrow::Cow;

/// A backslash takes the meaning of these away.
const ESCAPABLE: &[char] = &['*', '`', '[', ']', '(', ')', '@', '\\'];
/// A longer address is text, so that searching for its end stays cheap.
const LONGEST_URL: usize = 2048;

/// The text without its markup: links become `label (url)`; mentions, emoji, quotes and lists stay.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['*', '`', '[', '\\']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 1 {
            out.push_str(fenced(part));
        } else {
            outside_fences(part, &mut out);
        }
    }
    Cow::Owned(out)
}

/// A fenced block without the language word of its first line.
fn fenced(block: &str) -> &str {
    match block.find('\n') {
        Some(end) if !block[..end].trim_end().contains(char::is_whitespace) => &block[end..],
        _ => block,
    }
}

/// Text with inline code, which is copied verbatim.
fn outside_fences(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(open) = backtick(rest) {
        let Some(length) = backtick(&rest[open + 1..]) else {
            break;
        };
        let (before, code) = (&rest[..open], &rest[open + 1..open + 1 + length]);
        if code.is_empty() {
            inline(&rest[..open + 2], out);
        } else {
            inline(before, out);
            out.push_str(code);
        }
        rest = &rest[open + length + 2..];
    }
    inline(rest, out);
}

/// The place of the first backtick that is not escaped.
fn backtick(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '`' => return Some(at),
            '\\' => drop(chars.next_if(|(_, next)| ESCAPABLE.contains(next))),
            _ => {}
        }
    }
    None
}

/// A character that is text, or an asterisk that may be a delimiter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Char(char),
    Star,
}

fn inline(text: &str, out: &mut String) {
    let mut cells = Vec::with_capacity(text.len());
    scan(text, &mut cells);
    let cells = without_italic(&without_bold(&cells));
    out.extend(cells.iter().map(|cell| match cell {
        Cell::Char(char) => *char,
        Cell::Star => '*',
    }));
}

/// Resolves escapes and links.
fn scan(text: &str, cells: &mut Vec<Cell>) {
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let tail = &rest[char.len_utf8()..];
        rest = match char {
            '\\' => match tail.chars().next().filter(|next| ESCAPABLE.contains(next)) {
                Some(escaped) => {
                    cells.push(Cell::Char(escaped));
                    &tail[escaped.len_utf8()..]
                }
                None => literal('\\', tail, cells),
            },
            '*' => {
                cells.push(Cell::Star);
                tail
            }
            '[' => match link(tail) {
                Some((label, url, after)) => {
                    scan(label, cells);
                    cells.extend(" (".chars().chain(url.chars()).chain([')']).map(Cell::Char));
                    after
                }
                None => literal('[', tail, cells),
            },
            other => literal(other, tail, cells),
        };
    }
}

fn literal<'a>(char: char, tail: &'a str, cells: &mut Vec<Cell>) -> &'a str {
    cells.push(Cell::Char(char));
    tail
}

/// `label](http://…)` after an opening bracket: label, address and what follows.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let mut chars = text.char_indices().peekable();
    let close = loop {
        match chars.next()? {
            (at, ']') => break at,
            (_, '[') => return None,
            (_, '\\') => drop(chars.next_if(|(_, next)| ESCAPABLE.contains(next))),
            _ => {}
        }
    };
    let address = text[close + 1..].strip_prefix('(')?;
    if close == 0 || !(address.starts_with("http://") || address.starts_with("https://")) {
        return None;
    }
    let end =
        address.char_indices().take_while(|(at, _)| *at < LONGEST_URL).find(|(_, c)| *c == ')' || c.is_whitespace());
    match end? {
        (end, ')') => Some((&text[..close], &address[..end], &address[end + 1..])),
        _ => None,
    }
}

/// Takes away `**` … `**`, from the first to the next; empty or unclosed ones stay.
fn without_bold(cells: &[Cell]) -> Vec<Cell> {
    let next_pair = |from: usize| (from..cells.len().saturating_sub(1)).find(|&i| cells[i..i + 2] == [Cell::Star; 2]);
    let mut out = Vec::with_capacity(cells.len());
    let mut at = 0;
    while let Some(open) = next_pair(at) {
        let Some(close) = next_pair(open + 2) else { break };
        out.extend_from_slice(&cells[at..open]);
        if close == open + 2 {
            out.extend_from_slice(&cells[open..close + 2]);
        } else {
            out.extend_from_slice(&cells[open + 2..close]);
        }
        at = close + 2;
    }
    out.extend_from_slice(&cells[at..]);
    out
}

/// Takes away pairs of asterisks that stand alone.
fn without_italic(cells: &[Cell]) -> Vec<Cell> {
    let star = |at: Option<usize>| at.and_then(|i| cells.get(i)) == Some(&Cell::Star);
    let lone: Vec<usize> =
        (0..cells.len()).filter(|&i| star(Some(i)) && !star(i.checked_sub(1)) && !star(Some(i + 1))).collect();
    let mut delimiters = lone[..lone.len() / 2 * 2].iter().peekable();
    cells.iter().enumerate().filter(|(i, _)| delimiters.next_if(|d| *d == i).is_none()).map(|(_, cell)| *cell).collect()
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

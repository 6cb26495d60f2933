//! Word wrap by the columns that a terminal shows (spec: configuration §7.3).

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Below this a terminal's width is not believed.
const NARROWEST: usize = 20;

/// Breaks long lines at the last blank or after the last hyphen that fits, else at the first later one, else not.
///
/// The blank goes, the hyphen stays. Styles have no width, and what people see as one character is never cut.
pub fn wrap(text: &str, width: Option<usize>) -> Cow<'_, str> {
    // No text has fewer bytes than columns.
    match width.filter(|width| *width >= NARROWEST && text.len() > *width) {
        Some(width) => wrap_lines(text, width),
        None => Cow::Borrowed(text),
    }
}

fn wrap_lines(text: &str, width: usize) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut start = 0;
    for line in text.split('\n') {
        for (end, next) in breaks(line, width) {
            out.push_str(&text[copied..start + end]);
            out.push('\n');
            copied = start + next;
        }
        start += line.len() + 1;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Where a line may end: its last byte, the first of the next line, and the column of that one.
#[derive(Clone, Copy)]
struct Place {
    end: usize,
    next: usize,
    column: usize,
}

/// The ends of the lines that a line becomes, and the beginnings of the ones after them.
fn breaks(line: &str, width: usize) -> Vec<(usize, usize)> {
    let mut breaks = Vec::new();
    if line.len() <= width {
        return breaks;
    }
    let mut best: Option<Place> = None;
    let mut column = 0;
    // Something other than blanks is in this line already.
    let mut said = false;
    for (at, shown) in Shown(line, 0) {
        let columns = shown.width();
        // A blank may stand just outside, because it goes.
        let fits = column + if shown == " " { 0 } else { columns } <= width;
        if let Some(place) = best.filter(|_| !fits) {
            breaks.push((place.end, place.next));
            column -= place.column;
            said = at > place.next;
            best = None;
        }
        match shown {
            " " if said => best = Some(Place { end: at, next: at + 1, column: column + 1 }),
            " " => {}
            "-" => best = Some(Place { end: at + 1, next: at + 1, column: column + 1 }),
            _ => {}
        }
        said |= shown != " ";
        column += columns;
    }
    breaks
}

/// What of a line is seen, one grapheme cluster after the other, each with its place.
struct Shown<'a>(&'a str, usize);

impl<'a> Iterator for Shown<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let Self(line, at) = self;
        while let Some(length) = sequence(&line[*at..]) {
            *at += length;
        }
        let shown = line[*at..].graphemes(true).next()?;
        let place = *at;
        *at += shown.len();
        Some((place, shown))
    }
}

/// The length of the control sequence `ESC [ … letter` at the beginning.
fn sequence(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let length = parameters.bytes().position(|byte| !matches!(byte, b' '..=b'?'))?;
    matches!(parameters.as_bytes().get(length)?, b'@'..=b'~').then_some("\u{1b}[".len() + length + 1)
}

#[cfg(test)]
mod tests;

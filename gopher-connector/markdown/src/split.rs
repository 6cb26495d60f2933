//! Long texts as several messages (spec: configuration §7.3, slack).
//!
//! A cut is at the last line end that fits, else between two characters as people see them. A line end at a cut is
//! not sent: the end of the message stands for it.

use unicode_segmentation::GraphemeCursor;

use crate::parse::{FENCE, fence};

/// The last message where the rest is not sent.
pub const TRUNCATED: &str = "(message too long, truncated)";
/// A smaller limit leaves no room for text between fences.
const SMALLEST: usize = 64;
/// A longer language is not repeated.
const LONGEST_LANGUAGE: usize = 24;
/// What closing a fence takes: a line end and the fence.
const CLOSING: usize = 1 + FENCE.len();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a message; at least 64 are taken.
    pub bytes: usize,
    /// Most messages of text, before the one that says that this was not all; at least 1.
    pub parts: usize,
    /// Fences are markup at this service: each message closes its own.
    pub fences: bool,
}

/// The messages that a text becomes; none of them is blank.
pub fn split(text: &str, limits: Limits) -> Vec<String> {
    let limit = limits.bytes.max(SMALLEST);
    let mut parts = Vec::new();
    let mut rest = text;
    // The language of the fence that the next part is in.
    let mut inside: Option<&str> = None;
    while !rest.trim().is_empty() {
        if parts.len() == limits.parts.max(1) {
            parts.push(TRUNCATED.to_owned());
            break;
        }
        if inside.is_none() && !parts.is_empty() {
            rest = rest.trim_start_matches('\n');
        }
        let (part, after) = if limits.fences { fenced(rest, inside, limit) } else { bare(rest, limit) };
        (rest, inside) = (after.rest, after.inside);
        if !part.trim().is_empty() {
            parts.push(part);
        }
    }
    parts
}

/// What is left when a part is cut off.
struct After<'a> {
    rest: &'a str,
    inside: Option<&'a str>,
}

fn bare(text: &str, limit: usize) -> (String, After<'_>) {
    let (end, next) = if text.len() <= limit { (text.len(), text.len()) } else { cut(text, limit) };
    (text[..end].to_owned(), After { rest: &text[next..], inside: None })
}

/// A part that closes the fences it opens, and opens the one it continues.
fn fenced<'a>(text: &'a str, inside: Option<&'a str>, limit: usize) -> (String, After<'a>) {
    let opening = inside.map(|language| format!("{FENCE}{language}\n")).unwrap_or_default();
    let room = limit - opening.len();
    let mut end = text.len();
    let mut next = end;
    if end > room {
        (end, next) = cut(text, room);
    }
    let mut open = last_open(text, end, inside);
    if open.is_some() && (next < text.len() || end + CLOSING > room) {
        (end, next) = cut(text, room - CLOSING);
        open = last_open(text, end, inside);
        if let Some(Open::At(at)) = open
            && at > 0
            && text[at..end].lines().skip(1).all(|line| line.trim().is_empty())
        {
            // Only the head of a block would fit: it is better begun in the next part.
            (end, next, open) = (text[..at].trim_end_matches('\n').len(), at, None);
        }
    }
    let mut part = opening + &text[..end];
    let mut after = After { rest: &text[next..], inside: None };
    if let Some(open) = open {
        if !part.ends_with('\n') {
            part.push('\n');
        }
        part.push_str(FENCE);
        match after.rest.trim_start().strip_prefix(FENCE) {
            // The block ends where the part does.
            Some(rest) => after.rest = rest,
            None => after.inside = Some(open.language(text, inside)),
        }
    }
    (part, after)
}

/// A fence that is open at the end of a part.
#[derive(Clone, Copy)]
enum Open {
    /// Since before the part.
    Before,
    /// Since this place of it.
    At(usize),
}

impl Open {
    /// The language to open it with again.
    fn language<'a>(self, text: &'a str, before: Option<&'a str>) -> &'a str {
        let language = match self {
            Self::Before => before.unwrap_or_default(),
            Self::At(at) => {
                let block = &text[at + FENCE.len()..];
                fence(block.split_once(FENCE).map_or(block, |(block, _)| block)).0.trim_end()
            }
        };
        if language.len() > LONGEST_LANGUAGE { "" } else { language }
    }
}

/// The fence that is open at `end`.
fn last_open(text: &str, end: usize, inside: Option<&str>) -> Option<Open> {
    let mut open = inside.map(|_| Open::Before);
    for (at, _) in text[..end].match_indices(FENCE) {
        open = if open.is_some() { None } else { Some(Open::At(at)) };
    }
    open
}

/// Where a part of at most `most` bytes ends, and where the next one begins. No fence is cut.
fn cut(text: &str, most: usize) -> (usize, usize) {
    let limit = text.floor_char_boundary(most);
    // A line end just outside serves as well, because it is not sent; the one of an opening fence leaves nothing to show.
    let window = &text[..text.floor_char_boundary(limit + 1)];
    let least = if text.starts_with(FENCE) { window.find('\n').unwrap_or_default() } else { 0 };
    if let Some(end) = window.rfind('\n').filter(|end| *end > least) {
        return (end, end + 1);
    }
    let mut end = boundary(text, limit);
    // Fences are told from left to right, as everywhere.
    if let Some((at, _)) = text[..text.floor_char_boundary(end + FENCE.len())].match_indices(FENCE).last()
        && at < end
        && end < at + FENCE.len()
        && at > 0
    {
        end = at;
    }
    (end, end)
}

/// The last boundary of a grapheme cluster up to `limit`; of a character where a cluster is longer than that.
fn boundary(text: &str, limit: usize) -> usize {
    let mut cursor = GraphemeCursor::new(limit, text.len(), true);
    if cursor.is_boundary(text, 0) == Ok(true) {
        return limit;
    }
    match cursor.prev_boundary(text, 0) {
        Ok(Some(before)) if before > 0 => before,
        _ => limit,
    }
}

#[cfg(test)]
mod tests;

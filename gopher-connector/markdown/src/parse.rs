//! From text to events, which every renderer turns into what its service shows (spec: configuration §7.2).
//!
//! Whatever is not markup is text. Quotes and list markers are text, too: services show them as they are. Bold,
//! italic and links are switches, not branches of a tree, because the rules let them overlap.

/// A backslash takes the meaning of these away.
const ESCAPABLE: &[u8] = b"*`[]()@\\";
/// A longer address is text, so that searching for its end stays cheap.
const LONGEST_URL: usize = 2048;
pub(crate) const FENCE: &str = "```";

/// A piece of a message, in the order of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// Literal.
    Text(&'a str),
    /// One character whose backslash took its meaning away.
    Escaped(&'a str),
    BoldOn,
    BoldOff,
    ItalicOn,
    ItalicOff,
    /// Inline code, verbatim.
    Code(&'a str),
    /// A fenced block, verbatim. What follows the opening line begins with its line end.
    Fence {
        language: &'a str,
        code: &'a str,
        closed: bool,
    },
    /// The label of a link to this address follows.
    LinkOn(&'a str),
    /// The label is over.
    LinkOff(&'a str),
    /// `@name`, which may or may not be somebody.
    Mention(&'a str),
    /// `:name:`, which may or may not be one.
    Emoji(&'a str),
}

pub fn parse(text: &str) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(FENCE) {
        prose(&rest[..open], &mut events);
        let block = &rest[open + FENCE.len()..];
        let end = block.find(FENCE);
        let (language, code) = fence(&block[..end.unwrap_or(block.len())]);
        events.push(Event::Fence { language, code, closed: end.is_some() });
        rest = end.map_or("", |end| &block[end + FENCE.len()..]);
    }
    prose(rest, &mut events);
    events
}

/// Splits the language off a block. It is one word with a line of its own; everything else there is code.
pub(crate) fn fence(block: &str) -> (&str, &str) {
    match block.find('\n') {
        Some(end) if !block[..end].trim_end().contains(char::is_whitespace) => block.split_at(end),
        _ => ("", block),
    }
}

/// Text without fences: inline code, and what lies between.
fn prose<'a>(text: &'a str, events: &mut Vec<Event<'a>>) {
    let mut rest = text;
    while let Some(open) = backtick(rest) {
        let Some(length) = backtick(&rest[open + 1..]) else { break };
        let end = open + 1 + length;
        if length == 0 {
            inline(&rest[..=end], events);
        } else {
            inline(&rest[..open], events);
            events.push(Event::Code(&rest[open + 1..end]));
        }
        rest = &rest[end + 1..];
    }
    inline(rest, events);
}

/// The place of the first backtick that is not escaped.
fn backtick(text: &str) -> Option<usize> {
    unescaped(text, |byte| byte == b'`')
}

/// The place of the first unescaped byte that is wanted; only ASCII may be.
fn unescaped(text: &str, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            byte if wanted(*byte) => return Some(at),
            b'\\' if bytes.get(at + 1).is_some_and(|next| ESCAPABLE.contains(next)) => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Text between code: emphasis does not reach over its ends.
fn inline<'a>(text: &'a str, events: &mut Vec<Event<'a>>) {
    let mut scan = Scan::default();
    scan.text(text);
    let Scan { mut tokens, stars, .. } = scan;
    let single = bold(&mut tokens, &stars);
    italic(&mut tokens, &single);
    events.extend(tokens.into_iter().flatten());
}

/// An asterisk that may be a delimiter.
#[derive(Clone, Copy)]
struct Star {
    /// Its token.
    token: usize,
    /// Its place among the others, so that neighbours are known: apart by what lies between.
    column: usize,
}

impl Star {
    fn touches(self, next: Self) -> bool {
        self.column + 1 == next.column
    }
}

#[derive(Default)]
struct Scan<'a> {
    /// `None` where a delimiter of two characters leaves a gap.
    tokens: Vec<Option<Event<'a>>>,
    stars: Vec<Star>,
    column: usize,
}

impl<'a> Scan<'a> {
    fn push(&mut self, event: Event<'a>, shown: usize) {
        self.tokens.push(Some(event));
        self.column += shown;
    }

    fn text(&mut self, text: &'a str) {
        // Where text begins that is no token yet.
        let mut start = 0;
        let mut at = 0;
        while let Some(found) = text[at..].find(['\\', '*', '[', '@', ':']) {
            at += found;
            let Some((special, length)) = special(text, at) else {
                at += 1;
                continue;
            };
            self.literal(&text[start..at]);
            match special {
                Special::Star => {
                    self.stars.push(Star { token: self.tokens.len(), column: self.column });
                    self.push(Event::Text(&text[at..=at]), 1);
                }
                Special::Event(event) => self.push(event, length),
                Special::Link { label, url } => {
                    self.push(Event::LinkOn(url), 1);
                    // A label has no bracket, so that this goes no deeper.
                    self.text(label);
                    self.push(Event::LinkOff(url), url.len());
                }
            }
            at += length;
            start = at;
        }
        self.literal(&text[start..]);
    }

    fn literal(&mut self, text: &'a str) {
        if !text.is_empty() {
            self.push(Event::Text(text), text.len());
        }
    }
}

enum Special<'a> {
    Star,
    Event(Event<'a>),
    Link { label: &'a str, url: &'a str },
}

/// What begins at `at` besides text, and its length.
fn special(text: &str, at: usize) -> Option<(Special<'_>, usize)> {
    let (before, tail) = (text[..at].bytes().next_back(), &text[at + 1..]);
    match text.as_bytes().get(at)? {
        b'*' => Some((Special::Star, 1)),
        b'\\' => {
            let next = tail.bytes().next().filter(|next| ESCAPABLE.contains(next))?;
            let length = char::from(next).len_utf8();
            Some((Special::Event(Event::Escaped(&tail[..length])), 1 + length))
        }
        b'[' => {
            let (label, url, length) = link(tail)?;
            Some((Special::Link { label, url }, 1 + length))
        }
        b'@' => {
            let name = mention(before, tail)?;
            Some((Special::Event(Event::Mention(name)), 1 + name.len()))
        }
        _ => {
            let name = emoji(before, tail)?;
            Some((Special::Event(Event::Emoji(name)), 2 + name.len()))
        }
    }
}

/// `label](http://…)` after an opening bracket: label, address, and the length of it all.
fn link(text: &str) -> Option<(&str, &str, usize)> {
    let close = unescaped(text, |byte| matches!(byte, b'[' | b']'))?;
    let address = text[close..].strip_prefix("](")?;
    if close == 0 || !(address.starts_with("http://") || address.starts_with("https://")) {
        return None;
    }
    let mut chars = address.char_indices().take_while(|(at, _)| *at < LONGEST_URL);
    let (end, ')') = chars.find(|(_, c)| *c == ')' || c.is_whitespace())? else { return None };
    Some((&text[..close], &address[..end], close + 2 + end + 1))
}

/// The leading bytes of `text` that are wanted; only ASCII may be.
fn leading(text: &str, wanted: impl Fn(u8) -> bool) -> &str {
    &text[..text.bytes().position(|byte| !wanted(byte)).unwrap_or(text.len())]
}

fn mention(before: Option<u8>, text: &str) -> Option<&str> {
    let local = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'+-./=?^_{|}~".contains(&byte);
    if before.is_some_and(local) {
        return None;
    }
    let name = leading(text, |byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    Some(name.trim_end_matches(['.', '-'])).filter(|name| !name.is_empty())
}

fn emoji(before: Option<u8>, text: &str) -> Option<&str> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte);
    if before.is_some_and(part) {
        return None;
    }
    let name = leading(text, part);
    let after = text[name.len()..].strip_prefix(':')?;
    (!name.is_empty() && !after.bytes().next().is_some_and(part)).then_some(name)
}

/// `**` … `**`, from the first to the next; empty or unclosed ones stay. Returns the asterisks that are left.
fn bold(tokens: &mut [Option<Event<'_>>], stars: &[Star]) -> Vec<Star> {
    let pair = |from: usize| (from..stars.len().saturating_sub(1)).find(|&i| stars[i].touches(stars[i + 1]));
    let mut left = Vec::new();
    // Columns that delimiters took along.
    let mut gone = 0;
    let mut keep = |stars: &[Star], gone: usize| {
        left.extend(stars.iter().map(|star| Star { column: star.column - gone, ..*star }));
    };
    let mut at = 0;
    while let Some(open) = pair(at) {
        let Some(close) = pair(open + 2) else { break };
        if stars[open + 1].touches(stars[close]) {
            keep(&stars[at..close + 2], gone);
        } else {
            keep(&stars[at..open], gone);
            keep(&stars[open + 2..close], gone + 2);
            gone += 4;
            for (delimiter, event) in [(open, Event::BoldOn), (close, Event::BoldOff)] {
                tokens[stars[delimiter].token] = Some(event);
                tokens[stars[delimiter + 1].token] = None;
            }
        }
        at = close + 2;
    }
    keep(&stars[at..], gone);
    left
}

/// Pairs of asterisks that stand alone.
fn italic(tokens: &mut [Option<Event<'_>>], stars: &[Star]) {
    let touched = |i: usize| {
        i.checked_sub(1).is_some_and(|before| stars[before].touches(stars[i]))
            || stars.get(i + 1).is_some_and(|next| stars[i].touches(*next))
    };
    let alone: Vec<usize> = (0..stars.len()).filter(|&i| !touched(i)).collect();
    for pair in alone.chunks_exact(2) {
        tokens[stars[pair[0]].token] = Some(Event::ItalicOn);
        tokens[stars[pair[1]].token] = Some(Event::ItalicOff);
    }
}

#[cfg(test)]
mod tests;

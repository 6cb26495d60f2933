//! Template text to tokens: literal text, and the words inside `{{ … }}` as Go's lexer cuts them.

use std::ops::Range;

use super::{number, quote};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Literal text, trimmed.
    Text(Range<usize>),
    Open,
    Close,
    Word(String),
    Bool(bool),
    Int(i64),
    Float(f64),
    Quoted(String),
    /// `.Name`
    Field(String),
    /// `$` or `$name`, with the dollar.
    Variable(String),
    Dot,
    Declare,
    Assign,
    Pipe,
    Comma,
    Left,
    Right,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: usize,
    /// White space stands before it.
    pub(super) spaced: bool,
}

/// What is wrong, and where.
pub(super) type Wrong = (usize, String);

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Wrong> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), open: 0 };
    lexer.run()?;
    Ok(lexer.tokens)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
    /// Where the current action began.
    open: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, at: usize, spaced: bool) {
        self.tokens.push(Token { kind, at, spaced });
    }

    fn run(&mut self) -> Result<(), Wrong> {
        let mut trim = false;
        loop {
            if trim {
                self.skip_space();
            }
            let (start, rest) = (self.at, self.rest());
            let Some(found) = rest.find(OPEN) else {
                self.literal(start..self.text.len());
                return Ok(());
            };
            let open = start + found;
            self.open = open;
            self.at = open + OPEN.len();
            let trims = self.rest().strip_prefix('-').is_some_and(|r| r.starts_with(SPACE));
            let kept = if trims { rest[..found].trim_end_matches(SPACE).len() } else { found };
            self.literal(start..start + kept);
            if trims {
                self.at += 2;
            }
            trim = if self.rest().starts_with("/*") { self.comment()? } else { self.action()? };
        }
    }

    fn literal(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            let at = range.start;
            self.push(Kind::Text(range), at, false);
        }
    }

    /// `true` if there was any.
    fn skip_space(&mut self) -> bool {
        let trimmed = self.rest().trim_start_matches(SPACE).len();
        let skipped = self.rest().len() - trimmed;
        self.at += skipped;
        skipped > 0
    }

    /// The end of an action, and whether it trims.
    fn close(&mut self, spaced: bool) -> Option<bool> {
        let trims = spaced && self.rest().strip_prefix('-').is_some_and(|r| r.starts_with(CLOSE));
        if !trims && !self.rest().starts_with(CLOSE) {
            return None;
        }
        self.at += CLOSE.len() + usize::from(trims);
        Some(trims)
    }

    fn comment(&mut self) -> Result<bool, Wrong> {
        let Some(end) = self.rest().find("*/") else {
            return Err((self.open, "this comment has no end; comments are closed with `*/}}`".to_owned()));
        };
        self.at += end + 2;
        let spaced = self.rest().starts_with(SPACE) && self.rest()[1..].starts_with('-');
        self.at += usize::from(spaced);
        self.close(spaced).ok_or_else(|| (self.open, "a comment ends right before `}}` or ` -}}`".to_owned()))
    }

    fn action(&mut self) -> Result<bool, Wrong> {
        self.push(Kind::Open, self.open, false);
        loop {
            let spaced = self.skip_space();
            let at = self.at;
            if let Some(trims) = self.close(spaced) {
                self.push(Kind::Close, at, spaced);
                return Ok(trims);
            }
            let Some(first) = self.rest().chars().next() else {
                return Err((self.open, "this action has no end; close it with `}}`".to_owned()));
            };
            let kind = self.token(first)?;
            self.push(kind, at, spaced);
        }
    }

    fn token(&mut self, first: char) -> Result<Kind, Wrong> {
        let (at, rest) = (self.at, self.rest());
        let simple = |kind, length| Ok((kind, length));
        let (kind, length) = match first {
            '(' => simple(Kind::Left, 1),
            ')' => simple(Kind::Right, 1),
            '|' => simple(Kind::Pipe, 1),
            ',' => simple(Kind::Comma, 1),
            '=' => simple(Kind::Assign, 1),
            ':' if rest.starts_with(":=") => simple(Kind::Declare, 2),
            ':' => Err((at, "expected `:=`".to_owned())),
            '"' | '\'' | '`' => quote::literal(rest).map_err(|wrong| (at, wrong)),
            '$' => {
                let length = 1 + word(&rest[1..]);
                simple(Kind::Variable(rest[..length].to_owned()), length)
            }
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => match word(&rest[1..]) {
                0 => simple(Kind::Dot, 1),
                length => simple(Kind::Field(rest[1..=length].to_owned()), length + 1),
            },
            '.' | '+' | '-' | '0'..='9' => number::literal(rest).map_err(|wrong| (at, wrong)),
            c if c == '_' || c.is_alphanumeric() => {
                let length = word(rest);
                let kind = match &rest[..length] {
                    "true" => Kind::Bool(true),
                    "false" => Kind::Bool(false),
                    other => Kind::Word(other.to_owned()),
                };
                simple(kind, length)
            }
            c => Err((at, format!("the character {c:?} has no meaning in an action"))),
        }?;
        self.at += length;
        Ok(kind)
    }
}

/// How many bytes of a name begin `text`.
pub(super) fn word(text: &str) -> usize {
    text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len())
}

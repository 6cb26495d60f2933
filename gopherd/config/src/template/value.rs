//! Values of a template: what Go knows as `bool`, `int`, `float64` and `string`, where text may hold secrets.

use std::{borrow::Cow, rc::Rc};

use super::{MOST_TEXT, Origin, printf};

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text),
    /// What `.` is at first: the file itself, which can include others.
    Dot,
}

/// Text in pieces, of which some nobody here can read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text(Rc<Vec<Piece>>);

#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Plain { text: Rc<str>, origin: Option<Origin> },
    Secret { index: usize, name: Rc<str>, origin: Option<Origin> },
}

impl Text {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Builder { buffer: text.into(), ..Builder::default() }.finish()
    }

    pub(crate) fn secret(index: usize, name: &str) -> Self {
        Self(Rc::new(vec![Piece::Secret { index, name: name.into(), origin: None }]))
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The name of a secret in it.
    pub(crate) fn holds_secret(&self) -> Option<&str> {
        self.0.iter().find_map(|p| if let Piece::Secret { name, .. } = p { Some(&**name) } else { None })
    }

    /// The text itself, if all of it can be read; else the name of a secret in it.
    pub(crate) fn read(&self) -> Result<Cow<'_, str>, &str> {
        let mut whole = Cow::Borrowed("");
        for piece in self.0.iter() {
            match piece {
                Piece::Plain { text, .. } if whole.is_empty() => whole = Cow::Borrowed(text),
                Piece::Plain { text, .. } => whole.to_mut().push_str(text),
                Piece::Secret { name, .. } => return Err(name),
            }
        }
        Ok(whole)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What it costs to go through it.
    pub(crate) fn cost(&self) -> usize {
        self.0.iter().map(|p| if let Piece::Plain { text, .. } = p { 1 + text.len() / 64 } else { 1 }).sum()
    }
}

/// Text while it is put together.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    pieces: Vec<Piece>,
    /// Text without an origin that ends it so far.
    pub(super) buffer: String,
    length: usize,
}

impl Builder {
    pub(crate) fn push_str(&mut self, text: &str) {
        self.buffer.push_str(text);
    }

    pub(crate) fn push(&mut self, piece: Piece) {
        if let Piece::Plain { text, .. } = &piece
            && text.is_empty()
        {
            return;
        }
        self.flush();
        self.length += if let Piece::Plain { text, .. } = &piece { text.len() } else { 64 };
        self.pieces.push(piece);
    }

    pub(crate) fn push_text(&mut self, text: &Text) {
        for piece in text.pieces() {
            self.push(piece.clone());
        }
    }

    /// As [`Builder::push_text`], where what has no origin came from `origin`.
    pub(crate) fn push_from(&mut self, text: &Text, origin: &Origin) {
        for piece in text.pieces() {
            let mut piece = piece.clone();
            match &mut piece {
                Piece::Plain { origin: from, .. } | Piece::Secret { origin: from, .. } => {
                    from.get_or_insert_with(|| origin.clone());
                }
            }
            self.push(piece);
        }
    }

    /// Whether it is longer than any text may be.
    pub(crate) fn too_long(&self) -> bool {
        self.length + self.buffer.len() > MOST_TEXT
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            self.length += self.buffer.len();
            let text = std::mem::take(&mut self.buffer);
            self.pieces.push(Piece::Plain { text: text.into(), origin: None });
        }
    }

    pub(crate) fn finish(mut self) -> Text {
        self.flush();
        Text(Rc::new(self.pieces))
    }
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::plain(text))
    }

    /// What `if` and `with` take for true. A secret is never empty.
    pub(crate) fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(b) => *b,
            Self::Int(n) => *n != 0,
            Self::Float(f) => *f != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Dot => true,
        }
    }

    /// The name of its type in Go.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Dot => "the file itself (`.`)",
        }
    }

    /// As `print` and an action write it.
    pub(crate) fn shown(&self) -> Text {
        match self {
            Self::Text(text) => text.clone(),
            Self::Nil => Text::plain("<nil>"),
            Self::Bool(b) => Text::plain(b.to_string()),
            Self::Int(n) => Text::plain(n.to_string()),
            Self::Float(f) => Text::plain(printf::shortest(*f)),
            Self::Dot => Text::default(),
        }
    }

    pub(crate) fn cost(&self) -> usize {
        if let Self::Text(text) = self { text.cost() } else { 1 }
    }
}

//! The tree: values and the places where they stand.

use std::{fmt, sync::Arc};

use crate::{Diagnostic, yaml::scalar::Typed};

/// One file, kept so that errors can show its lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// As people see it, relative to the robot home where possible.
    pub(crate) name: String,
    pub(crate) text: String,
    /// Where each line begins: errors may be many and files long.
    lines: Vec<usize>,
}

impl Source {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(n, _)| n + 1)).collect();
        Self { name: name.into(), text, lines }
    }

    /// Line and column of an offset in bytes. Far into a long line the column counts bytes.
    fn position(&self, at: usize) -> (u32, u32) {
        const COUNTED: usize = 4096;
        let line = self.lines.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|n| self.lines.get(n)).copied().unwrap_or(0);
        let before = self.text.as_bytes().get(start..at.min(self.text.len())).unwrap_or_default();
        let (counted, rest) = before.split_at(before.len().min(COUNTED));
        // Every character has one byte that does not continue another.
        let column = counted.iter().filter(|b| **b & 0xc0 != 0x80).count() + rest.len() + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }

    pub(crate) fn says(&self, line: u32, column: u32, message: impl Into<String>) -> Diagnostic {
        let start = usize::try_from(line.saturating_sub(1)).ok().and_then(|n| self.lines.get(n)).copied();
        let rest = start.and_then(|n| self.text.get(n..)).unwrap_or_default();
        let text = rest.split(['\n', '\r']).next().unwrap_or_default();
        Diagnostic::at(self.name.clone(), text, line, column, message)
    }
}

/// Where something stands; line and column count from 1.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) source: Arc<Source>,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    /// Of an offset in bytes.
    pub(crate) fn of(source: &Arc<Source>, at: usize) -> Self {
        let (line, column) = source.position(at);
        Self { source: Arc::clone(source), line, column }
    }

    /// Of what stands in no file.
    pub(crate) fn nowhere() -> Self {
        let source = Source::new("", "");
        Self { source: Arc::new(source), line: 0, column: 0 }
    }

    /// As people name it in an error at `other`.
    pub(crate) fn seen_from(&self, other: &Self) -> String {
        if self.source.name == other.source.name {
            format!("line {}", self.line)
        } else {
            format!("line {} of {}", self.line, self.source.name)
        }
    }

    pub(crate) fn says(&self, message: impl Into<String>) -> Diagnostic {
        self.source.says(self.line, self.column, message)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.name, self.line, self.column)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: Place,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Scalar {
        /// As written, for keys that want text whatever it looks like.
        text: String,
        typed: Typed,
    },
    List(Vec<Node>),
    /// In file order, each key once.
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Place,
    /// The key was written with the prefix `Append`.
    pub(crate) append: bool,
    pub(crate) value: Node,
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Scalar { typed: Typed::Null, .. })
    }

    /// The entries of a mapping; none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| e.key == key)
    }

    /// The value at a path of keys.
    pub(crate) fn find(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.entry(key).map(|e| &e.value))
    }

    /// What it is, for errors.
    pub(crate) fn kind(&self) -> String {
        match &self.value {
            Value::Scalar { typed: Typed::Null, .. } => "nothing".to_owned(),
            Value::Scalar { typed: Typed::Bool(_), text } => format!("`{text}`"),
            Value::Scalar { typed: Typed::Int(_) | Typed::Float(_), text } => format!("the number `{text}`"),
            Value::Scalar { .. } => "text".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }
}

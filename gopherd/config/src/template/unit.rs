//! One template file and the way back from expanded text to it.

use std::{cell::Cell, sync::Arc};

use super::{Host, Text, value::Piece};
use crate::{
    Diagnostic,
    yaml::{Place, Source},
};

/// The text of one template. An included file lacks the lines that begin with `---`.
#[derive(Debug)]
pub(crate) struct Unit {
    source: Arc<Source>,
    /// Without the dropped lines, if there are any.
    kept: Option<String>,
    /// Where lines were dropped: offset in the kept text, and in the file.
    jumps: Vec<(usize, usize)>,
}

impl Unit {
    pub(crate) fn new(source: Arc<Source>) -> Self {
        Self { source, kept: None, jumps: Vec::new() }
    }

    /// As [`Unit::new`], without the lines that begin another document.
    pub(crate) fn included(source: Arc<Source>) -> Self {
        let (mut kept, mut jumps, mut at) = (String::new(), Vec::new(), 0);
        for line in source.text.split_inclusive('\n') {
            at += line.len();
            if line.starts_with("---") {
                jumps.push((kept.len(), at));
            } else {
                kept.push_str(line);
            }
        }
        let kept = (!jumps.is_empty()).then_some(kept);
        Self { source, kept, jumps }
    }

    pub(crate) fn text(&self) -> &str {
        self.kept.as_deref().unwrap_or(&self.source.text)
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The place in the file of an offset in the text.
    pub(crate) fn offset(&self, at: usize) -> usize {
        let after = self.jumps.partition_point(|(kept, _)| *kept <= at);
        match after.checked_sub(1).and_then(|n| self.jumps.get(n)) {
            Some((kept, file)) => at - kept + file,
            None => at,
        }
    }

    /// The pieces of `range` of the text that stand together in the file.
    pub(crate) fn runs(&self, range: std::ops::Range<usize>) -> Vec<std::ops::Range<usize>> {
        let cuts = self.jumps.iter().map(|(kept, _)| *kept).filter(|k| *k > range.start && *k < range.end);
        let mut runs = Vec::new();
        let mut start = range.start;
        for cut in cuts.chain([range.end]) {
            if cut > start {
                runs.push(start..cut);
            }
            start = cut;
        }
        runs
    }

    pub(crate) fn says(&self, at: usize, message: impl Into<String>) -> Diagnostic {
        Place::of(&self.source, self.offset(at)).says(message)
    }

    pub(crate) fn origin(&self, at: usize, exact: bool) -> Origin {
        Origin { source: Arc::clone(&self.source), offset: self.offset(at), exact }
    }
}

/// Where text came from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    source: Arc<Source>,
    /// In bytes.
    offset: usize,
    /// The text stands there as it is; else it is what an action made, and all of it came from that action.
    exact: bool,
}

/// Text as the YAML parser reads it.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    lines: Vec<usize>,
    /// Beginnings of segments, with their origins, in order.
    segments: Vec<(usize, Origin)>,
    /// Where the last question was about: the parser asks for neighbours.
    cursor: Cell<(usize, usize, usize)>,
}

impl Rendered {
    /// A file that is no template.
    pub(crate) fn plain(source: &Arc<Source>) -> Self {
        let origin = Origin { source: Arc::clone(source), offset: 0, exact: true };
        Self::new(source.text.clone(), vec![(0, origin)])
    }

    pub(super) fn of(text: &Text, source: &Arc<Source>, host: &dyn Host) -> Self {
        let mut whole = String::new();
        let mut segments = Vec::new();
        let mut last = Origin { source: Arc::clone(source), offset: 0, exact: false };
        for piece in text.pieces() {
            let origin = match piece {
                Piece::Plain { origin, .. } | Piece::Secret { origin, .. } => origin,
            };
            last = origin.clone().unwrap_or(last);
            segments.push((whole.len(), last.clone()));
            match piece {
                Piece::Plain { text, .. } => whole.push_str(text),
                Piece::Secret { index, .. } => whole.push_str(&host.marker(*index)),
            }
        }
        if segments.is_empty() {
            segments.push((0, last));
        }
        Self::new(whole, segments)
    }

    fn new(text: String, segments: Vec<(usize, Origin)>) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(n, _)| n + 1)).collect();
        Self { text, lines, segments, cursor: Cell::new((0, 0, 0)) }
    }

    /// The place of an offset in bytes.
    pub(crate) fn origin(&self, at: usize) -> Place {
        let after = self.segments.partition_point(|(start, _)| *start <= at);
        match after.checked_sub(1).and_then(|n| self.segments.get(n)) {
            Some((start, origin)) => {
                let within = if origin.exact { at.saturating_sub(*start) } else { 0 };
                Place::of(&origin.source, origin.offset + within)
            }
            None => Place::nowhere(),
        }
    }

    /// The place of a line and a column, which count from 1 and 0.
    pub(crate) fn place(&self, line: usize, column: usize) -> Place {
        let beyond = line.saturating_sub(self.lines.len());
        if beyond > 0 {
            // The parser takes the end of a file for the beginning of another line.
            let mut end = self.origin(self.text.len());
            end.line = end.line.saturating_add(u32::try_from(beyond).unwrap_or(u32::MAX));
            end.column = u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1);
            return end;
        }
        let index = line.saturating_sub(1);
        let (mut at, mut seen) = (self.lines.get(index).copied().unwrap_or(0), 0);
        let (cursor_line, cursor_column, cursor_at) = self.cursor.get();
        if cursor_line == index && cursor_column <= column && cursor_at >= at {
            (at, seen) = (cursor_at, cursor_column);
        }
        let rest = self.text.get(at..).unwrap_or_default();
        let walked = rest.char_indices().nth(column - seen).map_or(rest.len(), |(n, _)| n);
        self.cursor.set((index, column, at + walked));
        self.origin(at + walked)
    }
}

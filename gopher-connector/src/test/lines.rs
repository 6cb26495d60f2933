//! Cuts a stream of bytes into lines of bounded length.

/// A longer line is thrown away up to its end.
pub(super) const LONGEST_LINE: usize = 1 << 20;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Text(&'a [u8]),
    TooLong,
}

#[derive(Default)]
pub(super) struct LineReader {
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to here there is no line end.
    searched: usize,
    discarding: bool,
}

impl LineReader {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next line; `None` until more bytes come.
    pub(super) fn next(&mut self) -> Option<Line<'_>> {
        let Some(length) = self.buffer[self.searched..].iter().position(|b| *b == b'\n') else {
            self.searched = self.buffer.len();
            if !self.discarding && self.buffer.len() - self.start > LONGEST_LINE {
                self.discarding = true;
                self.clear();
                return Some(Line::TooLong);
            }
            if self.discarding {
                self.clear();
            }
            return None;
        };
        let (from, to) = (self.start, self.searched + length);
        self.start = to + 1;
        self.searched = self.start;
        if std::mem::take(&mut self.discarding) {
            return self.next();
        }
        if to - from > LONGEST_LINE {
            return Some(Line::TooLong);
        }
        let line = &self.buffer[from..to];
        Some(Line::Text(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    fn clear(&mut self) {
        self.buffer.clear();
        self.start = 0;
        self.searched = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_the_bytes_arrive() {
        let mut reader = LineReader::default();
        reader.push(b"one\r\ntw");
        assert_eq!(reader.next(), Some(Line::Text(b"one")));
        assert_eq!(reader.next(), None);
        reader.push(b"o\n\nthree");
        assert_eq!(reader.next(), Some(Line::Text(b"two")));
        assert_eq!(reader.next(), Some(Line::Text(b"")));
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn a_line_over_the_limit_is_refused_once_and_the_next_one_read() {
        let mut reader = LineReader::default();
        let mut refused = 0;
        for _ in 0..48 {
            reader.push(&vec![b'x'; 65_536]);
            while let Some(line) = reader.next() {
                assert_eq!(line, Line::TooLong);
                refused += 1;
            }
        }
        assert_eq!(refused, 1);
        assert!(reader.buffer.len() <= 65_536, "a refused line is not kept");
        reader.push(b"tail\nnext\n");
        assert_eq!(reader.next(), Some(Line::Text(b"next")));
        let mut at_once = vec![b'y'; LONGEST_LINE + 1];
        at_once.extend_from_slice(b"\nlast\n");
        reader.push(&at_once);
        assert_eq!(reader.next(), Some(Line::TooLong));
        assert_eq!(reader.next(), Some(Line::Text(b"last")));
    }
}

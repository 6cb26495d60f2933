//! Cutting a stream of bytes into lines.

/// Collects bytes until a newline.
#[derive(Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// Where the bytes begin that were not taken yet.
    start: usize,
    /// Before this no newline is left to be found.
    searched: usize,
}

impl Lines {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        // Moved when it pays: many short lines cost no more than one long one.
        if self.start > 0 && self.start * 2 >= self.buffer.len() {
            self.drop_taken();
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line, without its newline.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let Some(end) = self.buffer[self.searched..].iter().position(|b| *b == b'\n').map(|i| i + self.searched) else {
            self.searched = self.buffer.len();
            return None;
        };
        let line = self.buffer[self.start..end].to_vec();
        self.start = end + 1;
        self.searched = self.start;
        Some(line)
    }

    /// Bytes of a line that has not ended.
    pub(crate) fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Everything up to the last newline, or all if there is none and `all` or more than `most` bytes wait.
    pub(crate) fn take_output(&mut self, most: usize, all: bool) -> Vec<u8> {
        self.drop_taken();
        let end = match self.buffer.iter().rposition(|b| *b == b'\n') {
            _ if all => self.buffer.len(),
            Some(last) => last + 1,
            None if self.buffer.len() >= most => self.buffer.len(),
            None => 0,
        };
        self.searched = 0;
        let rest = self.buffer.split_off(end);
        std::mem::replace(&mut self.buffer, rest)
    }

    fn drop_taken(&mut self) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_and_in_order() {
        let mut lines = Lines::default();
        lines.push(b"one\ntw");
        assert_eq!(lines.next(), Some(b"one".to_vec()));
        assert_eq!(lines.next(), None);
        lines.push(b"o\n\n");
        assert_eq!(lines.next(), Some(b"two".to_vec()));
        assert_eq!(lines.next(), Some(Vec::new()));
        assert_eq!((lines.next(), lines.pending()), (None, 0));
    }

    #[test]
    fn many_lines_at_once_are_taken_in_little_time() {
        let mut lines = Lines::default();
        let start = std::time::Instant::now();
        for _ in 0..64 {
            lines.push(&b"x\n".repeat(1 << 17));
        }
        let mut count = 0;
        while lines.next().is_some() {
            count += 1;
        }
        assert_eq!((count, lines.pending()), (64 << 17, 0));
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn output_is_cut_at_line_ends_where_it_can_be() {
        let mut lines = Lines::default();
        lines.push(b"a\nb");
        assert_eq!(lines.take_output(8, false), b"a\n");
        assert_eq!(lines.take_output(8, false), b"");
        lines.push(b"cdefghi");
        assert_eq!(lines.take_output(8, false), b"bcdefghi");
        lines.push(b"z");
        assert_eq!(lines.take_output(8, true), b"z");
    }
}

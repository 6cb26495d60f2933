//! Cutting a stream of bytes into lines.

/// Collects bytes until a newline.
#[derive(Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    searched: usize,
}

impl Lines {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line, without its newline.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let Some(end) = self.buffer[self.searched..].iter().position(|b| *b == b'\n').map(|i| i + self.searched) else {
            self.searched = self.buffer.len();
            return None;
        };
        let rest = self.buffer.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.buffer, rest);
        line.pop();
        self.searched = 0;
        Some(line)
    }

    /// Bytes of a line that has not ended.
    pub(crate) fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// Everything up to the last newline, or all if there is none and `all` or more than `most` bytes wait.
    pub(crate) fn take_output(&mut self, most: usize, all: bool) -> Vec<u8> {
        let end = match self.buffer.iter().rposition(|b| *b == b'\n') {
            _ if all => self.buffer.len(),
            Some(last) => last + 1,
            None if self.buffer.len() >= most => self.buffer.len(),
            None => 0,
        };
        let rest = self.buffer.split_off(end);
        std::mem::replace(&mut self.buffer, rest)
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

//! Lines on their way to the suite driver: bounded, and kept while no driver is there.

use std::collections::VecDeque;

/// Most lines that wait.
const MOST: usize = 10_000;
/// Most bytes that wait.
const MOST_BYTES: usize = 64 << 20;

struct Entry {
    bytes: Vec<u8>,
    /// A message of the robot, for whichever driver comes; an answer is for the driver that asked.
    message: bool,
}

#[derive(Default)]
pub(super) struct Outbox {
    entries: VecDeque<Entry>,
    /// Bytes of the first entry that were written.
    written: usize,
    bytes: usize,
}

impl Outbox {
    /// Adds a line; the number of older ones that had to go for it.
    pub(super) fn push(&mut self, bytes: Vec<u8>, message: bool) -> usize {
        self.bytes += bytes.len();
        self.entries.push_back(Entry { bytes, message });
        let mut dropped = 0;
        while self.entries.len() > 1 && (self.entries.len() > MOST || self.bytes > MOST_BYTES) {
            // A line that is half written has to be finished.
            let oldest = usize::from(self.written > 0);
            let Some(entry) = self.entries.remove(oldest) else {
                break;
            };
            self.bytes -= entry.bytes.len();
            dropped += 1;
        }
        dropped
    }

    /// Puts a line before all others.
    pub(super) fn push_first(&mut self, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        self.entries.push_front(Entry { bytes, message: false });
    }

    /// What is to be written next.
    pub(super) fn front(&self) -> Option<&[u8]> {
        self.entries.front().map(|entry| &entry.bytes[self.written..])
    }

    pub(super) fn wrote(&mut self, count: usize) {
        self.written += count;
        if let Some(entry) = self.entries.pop_front_if(|entry| self.written >= entry.bytes.len()) {
            self.bytes -= entry.bytes.len();
            self.written = 0;
        }
    }

    /// The driver left: its answers go, the robot's messages stay and start anew.
    pub(super) fn driver_left(&mut self) {
        self.entries.retain(|entry| entry.message);
        self.written = 0;
        self.bytes = self.entries.iter().map(|entry| entry.bytes.len()).sum();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_when_it_is_full() {
        let mut outbox = Outbox::default();
        for n in 0..MOST {
            assert_eq!(outbox.push(n.to_string().into_bytes(), true), 0);
        }
        assert_eq!(outbox.push(b"more".to_vec(), true), 1);
        assert_eq!(outbox.front(), Some(b"1".as_slice()));
        assert_eq!(outbox.push(vec![0; MOST_BYTES], true), MOST);
        assert_eq!(outbox.entries.len(), 1);
    }

    #[test]
    fn a_half_written_line_is_finished_first() {
        let mut outbox = Outbox::default();
        outbox.push(b"first".to_vec(), true);
        outbox.wrote(2);
        for _ in 0..MOST {
            outbox.push(b"x".to_vec(), true);
        }
        assert_eq!(outbox.front(), Some(b"rst".as_slice()));
        outbox.wrote(3);
        assert_eq!(outbox.front(), Some(b"x".as_slice()));
    }

    #[test]
    fn messages_outlive_their_driver_and_answers_do_not() {
        let mut outbox = Outbox::default();
        outbox.push(b"message".to_vec(), true);
        outbox.push(b"answer".to_vec(), false);
        outbox.wrote(3);
        outbox.driver_left();
        assert_eq!(outbox.front(), Some(b"message".as_slice()));
        outbox.wrote(7);
        assert!(outbox.is_empty());
        assert_eq!(outbox.bytes, 0);
    }
}

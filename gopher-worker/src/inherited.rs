//! A descriptor that programs inherit to speak with their robot: one line out, one line in.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::Shutdown,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
};

use gopher_sys::{Poller, descriptors};
use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockType, socketpair},
};

use crate::{http, lines::Lines};

/// Bytes read at once; each page of a stack is paid for.
const CHUNK: usize = 8 << 10;
/// Most bytes of one line.
const MAX_LINE: usize = http::MAX_BODY;
/// Most bytes that are read in one turn.
const TURN: usize = 1 << 20;
/// A run that leaves more answers than this unread is no longer listened to.
const MAX_UNREAD: usize = 64 << 20;

/// Our end of it.
pub(crate) struct Inherited {
    stream: UnixStream,
    /// What the poller calls it.
    pub(crate) token: u64,
    lines: Lines,
    out: Vec<u8>,
    /// The end of a line that was too long is still to come.
    skipping: bool,
    /// Nobody holds the other end any more, or it is no longer listened to.
    over: bool,
    /// The poller looks for room for `out`.
    writing: bool,
}

impl Inherited {
    /// One that is watched, and the end that is inherited.
    pub(crate) fn open(poller: &Poller, token: u64) -> Result<(Self, OwnedFd), Errno> {
        let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
        descriptors::make_nonblocking(&ours)?;
        let stream = UnixStream::from(ours);
        poller.add(&stream, token, false)?;
        let inherited = Self {
            stream,
            token,
            lines: Lines::default(),
            out: Vec::new(),
            skipping: false,
            over: false,
            writing: false,
        };
        Ok((inherited, theirs))
    }

    /// The lines that have come, without their ends.
    pub(crate) fn read(&mut self) -> Vec<Vec<u8>> {
        let mut chunk = [0; CHUNK];
        let mut room = TURN;
        while room > 0 {
            match self.stream.read(&mut chunk) {
                Ok(0) => {
                    self.over = true;
                    break;
                }
                Ok(count) => {
                    self.lines.push(&chunk[..count]);
                    room = room.saturating_sub(count);
                    // With room for more, there was no more.
                    if count < chunk.len() {
                        break;
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let mut whole = Vec::new();
        while let Some(line) = self.lines.next() {
            if !std::mem::take(&mut self.skipping) {
                whole.push(line);
            }
        }
        if self.lines.pending() > MAX_LINE {
            self.lines = Lines::default();
            if !std::mem::replace(&mut self.skipping, true) {
                self.answer("!\tthe call is longer than 16 MiB");
            }
        }
        whole
    }

    /// Adds a line to what is to be written.
    pub(crate) fn answer(&mut self, line: &str) {
        if !self.over {
            self.out.extend_from_slice(line.as_bytes());
            self.out.push(b'\n');
        }
    }

    /// Writes what the other end has room for.
    pub(crate) fn flush(&mut self) {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(count) => drop(self.out.drain(..count)),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    }

    /// Stops listening to who has gone or does not read its answers.
    pub(crate) fn end_if_over(&mut self, poller: &Poller) {
        if self.over || self.out.len() > MAX_UNREAD {
            self.over = true;
            self.out = Vec::new();
            // It has no one else: its later calls meet the end of the stream.
            let _ = self.stream.shutdown(Shutdown::Both);
            let _ = poller.remove(&self.stream);
        }
    }

    /// Has the poller look for room as long as something is to be written.
    pub(crate) fn watch(&mut self, poller: &Poller) -> Result<(), Errno> {
        let writing = !self.out.is_empty();
        if self.over || writing == self.writing {
            return Ok(());
        }
        self.writing = writing;
        poller.modify(self.stream.as_fd(), self.token, writing)
    }

    /// Listens, or leaves what comes where it is.
    pub(crate) fn listen(&self, poller: &Poller, listen: bool) -> Result<(), Errno> {
        if self.over {
            return Ok(());
        }
        let stream = self.stream.as_fd();
        if listen { poller.add(stream, self.token, self.writing) } else { poller.remove(stream) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (Poller, Inherited, UnixStream) {
        let poller = Poller::new().expect("a poller");
        let (inherited, theirs) = Inherited::open(&poller, 3).expect("a pair");
        (poller, inherited, theirs.into())
    }

    #[test]
    fn lines_come_whole_and_answers_go_as_there_is_room() {
        let (poller, mut inherited, mut theirs) = open();
        theirs.write_all(b"one\ntwo\nthr").expect("written");
        assert_eq!(inherited.read(), [b"one", b"two"]);
        theirs.write_all(b"ee\n").expect("written");
        assert_eq!(inherited.read(), [b"three"]);

        let long = "x".repeat(4 << 20);
        inherited.answer(&long);
        inherited.flush();
        inherited.watch(&poller).expect("watched");
        assert!(inherited.writing, "more than there is room for");
        theirs.set_nonblocking(true).expect("made so");
        let (mut heard, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
        while heard.last() != Some(&b'\n') {
            inherited.flush();
            if let Ok(count) = theirs.read(&mut chunk) {
                heard.extend_from_slice(&chunk[..count]);
            }
        }
        assert_eq!(heard.len(), long.len() + 1);
        inherited.watch(&poller).expect("watched");
        assert!(!inherited.writing);
    }

    #[test]
    fn who_has_gone_or_never_reads_is_not_listened_to() {
        let (poller, mut inherited, theirs) = open();
        drop(theirs);
        assert!(inherited.read().is_empty());
        inherited.end_if_over(&poller);
        inherited.answer("nobody is there");
        assert!(inherited.over && inherited.out.is_empty());

        let (poller, mut inherited, mut theirs) = open();
        inherited.answer(&"x".repeat(MAX_UNREAD));
        inherited.flush();
        inherited.answer(&"x".repeat(1 << 20));
        inherited.end_if_over(&poller);
        assert!(inherited.over && inherited.out.is_empty());
        assert!(theirs.write_all(b"is anybody there?\n").is_err());
    }
}

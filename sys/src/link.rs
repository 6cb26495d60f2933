//! One end of a link: typed messages and descriptors over a non-blocking stream socket.
//!
//! The hello travels as the first frame in each direction and is handled here: nobody sees a message
//! of a peer whose build differs.

use std::{
    collections::VecDeque,
    io::{IoSlice, IoSliceMut},
    marker::PhantomData,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd},
    time::Duration,
};

use gopher_protocol::{FrameReader, Hello, Message, WireError, frame};
use nix::{
    cmsg_space,
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll, ppoll},
    sys::{
        socket::{
            AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, sendmsg,
            socketpair,
        },
        time::TimeSpec,
    },
};
use zeroize::Zeroize as _;

/// Most descriptors a frame may carry.
const MAX_FDS: usize = 4;
/// Bytes read at once, once a peer has much to say.
const CHUNK: usize = 64 << 10;
/// Bytes read at once at first: most links carry a few short messages in all.
const FIRST_CHUNK: usize = 2 << 10;

/// Why a link is at its end.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The peer closed its end between two frames.
    #[error("the other end closed the link")]
    Closed,
    #[error("the other end closed the link in the middle of a message")]
    Torn,
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("{message} came with {got} descriptors instead of {want}")]
    Descriptors { message: &'static str, got: usize, want: usize },
    #[error("{call}: {errno}")]
    System { call: &'static str, errno: Errno },
}

fn system(call: &'static str) -> impl FnOnce(Errno) -> LinkError {
    move |errno| LinkError::System { call, errno }
}

/// A pair of connected, non-blocking, close-on-exec stream sockets.
pub fn pair() -> Result<(OwnedFd, OwnedFd), LinkError> {
    socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK)
        .map_err(system("socketpair"))
}

struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    descriptors: Vec<OwnedFd>,
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// The end that sends `S` and receives `R`.
pub struct Link<S, R> {
    socket: OwnedFd,
    reader: FrameReader,
    greeted: bool,
    incoming: VecDeque<OwnedFd>,
    outgoing: VecDeque<Outgoing>,
    chunk: Vec<u8>,
    messages: PhantomData<fn(S) -> R>,
}

impl<S: Message, R: Message> Link<S, R> {
    /// Takes a connected stream socket, makes it non-blocking and queues our hello.
    pub fn new(socket: OwnedFd) -> Result<Self, LinkError> {
        let flags = OFlag::from_bits_retain(fcntl(&socket, FcntlArg::F_GETFL).map_err(system("fcntl"))?);
        if !flags.contains(OFlag::O_NONBLOCK) {
            fcntl(&socket, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).map_err(system("fcntl"))?;
        }
        let mut hello = Vec::new();
        Hello::ours().append(&mut hello)?;
        Ok(Self {
            socket,
            reader: FrameReader::default(),
            greeted: false,
            incoming: VecDeque::new(),
            outgoing: VecDeque::from([Outgoing { bytes: hello, sent: 0, descriptors: Vec::new() }]),
            chunk: Vec::new(),
            messages: PhantomData,
        })
    }

    /// Queues a message and sends what the socket takes now.
    ///
    /// # Errors
    /// [`LinkError::Wire`] leaves the link usable: nothing of the message was queued.
    pub fn send(&mut self, message: &S) -> Result<(), LinkError> {
        self.send_with(message, Vec::new())
    }

    /// As [`Link::send`], with the descriptors of the message.
    pub fn send_with(&mut self, message: &S, descriptors: Vec<OwnedFd>) -> Result<(), LinkError> {
        self.queue(message, descriptors)?;
        self.flush().map(|_| ())
    }

    /// Queues a message that may wait for the next one, or for [`Link::flush`].
    pub fn put(&mut self, message: &S) -> Result<(), LinkError> {
        self.queue(message, Vec::new())
    }

    fn queue(&mut self, message: &S, descriptors: Vec<OwnedFd>) -> Result<(), LinkError> {
        if descriptors.len() != message.descriptors() {
            return Err(LinkError::Descriptors {
                message: S::NAME,
                got: descriptors.len(),
                want: message.descriptors(),
            });
        }
        // Small messages share a write; descriptors travel with its first byte, before their message or with it.
        if let Some(last) = self.outgoing.back_mut()
            && (descriptors.is_empty() || (last.sent == 0 && last.descriptors.is_empty()))
            && last.bytes.len() < CHUNK
        {
            frame::append(&mut last.bytes, message.kind(), S::CEILING, |out| message.encode(out))?;
            last.descriptors.extend(descriptors);
            return Ok(());
        }
        let mut bytes = Vec::new();
        frame::append(&mut bytes, message.kind(), S::CEILING, |out| message.encode(out))?;
        self.outgoing.push_back(Outgoing { bytes, sent: 0, descriptors });
        Ok(())
    }

    /// Sends queued bytes; `true` once nothing is left.
    pub fn flush(&mut self) -> Result<bool, LinkError> {
        while let Some(next) = self.outgoing.front_mut() {
            let raw: Vec<RawFd> = next.descriptors.iter().map(OwnedFd::as_raw_fd).collect();
            let rights = [ControlMessage::ScmRights(&raw)];
            let control = if raw.is_empty() { &rights[..0] } else { &rights[..] };
            let bytes = [IoSlice::new(&next.bytes[next.sent..])];
            match sendmsg::<()>(self.socket.as_raw_fd(), &bytes, control, MsgFlags::MSG_NOSIGNAL, None) {
                Ok(sent) => {
                    next.sent += sent;
                    next.descriptors.clear();
                    if next.sent == next.bytes.len() {
                        self.outgoing.pop_front();
                    }
                }
                Err(Errno::EAGAIN) => return Ok(false),
                Err(Errno::EINTR) => {}
                Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(LinkError::Closed),
                Err(errno) => return Err(LinkError::System { call: "sendmsg", errno }),
            }
        }
        Ok(true)
    }

    /// A peer that closed its end may have spoken before: what it said is still to be read.
    fn flush_if_open(&mut self) -> Result<(), LinkError> {
        match self.flush() {
            Ok(_) | Err(LinkError::Closed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether bytes wait for the socket to become writable.
    pub fn wants_write(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Bytes queued and not yet taken by the socket.
    pub fn backlog(&self) -> usize {
        self.outgoing.iter().map(|o| o.bytes.len() - o.sent).sum()
    }

    /// The next message with its descriptors; `None` if none is there yet.
    ///
    /// Call it until it says `None` after each readiness event.
    pub fn receive(&mut self) -> Result<Option<(R, Vec<OwnedFd>)>, LinkError> {
        loop {
            if !self.greeted {
                self.greeted = self.reader.next(R::CEILING, Hello::check)?.is_some();
            }
            if self.greeted
                && let Some(message) = self.reader.next(R::CEILING, R::decode)?
            {
                let want = message.descriptors();
                if self.incoming.len() < want {
                    return Err(LinkError::Descriptors { message: R::NAME, got: self.incoming.len(), want });
                }
                return Ok(Some((message, self.incoming.drain(..want).collect())));
            }
            if !self.read()? {
                return Ok(None);
            }
        }
    }

    /// Reads once; `false` if nothing was there.
    fn read(&mut self) -> Result<bool, LinkError> {
        if self.chunk.is_empty() {
            self.chunk.resize(FIRST_CHUNK, 0);
        }
        let mut control = cmsg_space!([RawFd; MAX_FDS]);
        let (count, arrived) = loop {
            let mut bytes = [IoSliceMut::new(&mut self.chunk)];
            match recvmsg::<()>(self.socket.as_raw_fd(), &mut bytes, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC) {
                Ok(message) => {
                    let mut arrived = Vec::new();
                    for part in message.cmsgs().map_err(system("recvmsg"))? {
                        if let ControlMessageOwned::ScmRights(raw) = part {
                            arrived.extend(raw);
                        }
                    }
                    break (message.bytes, arrived);
                }
                Err(Errno::EAGAIN) => return Ok(false),
                Err(Errno::EINTR) => {}
                Err(Errno::ECONNRESET) => return Err(LinkError::Closed),
                Err(errno) => return Err(LinkError::System { call: "recvmsg", errno }),
            }
        };
        // SAFETY: the kernel has just installed these descriptors for us; nobody else knows their numbers.
        self.incoming.extend(arrived.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
        if count == 0 {
            return Err(if self.reader.pending() == 0 { LinkError::Closed } else { LinkError::Torn });
        }
        self.reader.push(&self.chunk[..count]);
        self.chunk[..count].zeroize();
        if count == self.chunk.len() && count < CHUNK {
            self.chunk.resize(CHUNK, 0);
        }
        if self.incoming.len() > MAX_FDS * 64 {
            return Err(LinkError::Descriptors { message: R::NAME, got: self.incoming.len(), want: 0 });
        }
        Ok(true)
    }

    /// Waits for the next message; for processes that have nothing else to do.
    pub fn wait(&mut self) -> Result<(R, Vec<OwnedFd>), LinkError> {
        loop {
            self.flush_if_open()?;
            if let Some(message) = self.receive()? {
                return Ok(message);
            }
            let events = if self.wants_write() { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN };
            match poll(&mut [PollFd::new(self.socket.as_fd(), events)], PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(LinkError::System { call: "poll", errno }),
            }
        }
    }

    /// As [`Link::wait`], for at most `time`; `None` if nothing came.
    pub fn wait_for(&mut self, time: Duration) -> Result<Option<(R, Vec<OwnedFd>)>, LinkError> {
        self.flush_if_open()?;
        if let Some(message) = self.receive()? {
            return Ok(Some(message));
        }
        match ppoll(
            &mut [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)],
            Some(TimeSpec::from_duration(time)),
            None,
        ) {
            Ok(_) | Err(Errno::EINTR) => self.receive(),
            Err(errno) => Err(LinkError::System { call: "poll", errno }),
        }
    }

    /// Sends everything queued, waiting for the peer to read; for the last words of a process.
    pub fn drain(&mut self) -> Result<(), LinkError> {
        while !self.flush()? {
            match poll(&mut [PollFd::new(self.socket.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(LinkError::System { call: "poll", errno }),
            }
        }
        Ok(())
    }

    /// Gives the socket back, to hand the connection to another process.
    ///
    /// # Errors
    /// [`LinkError::Torn`] if bytes of the peer were already taken in.
    pub fn into_socket(mut self) -> Result<OwnedFd, LinkError> {
        self.drain()?;
        if self.reader.pending() > 0 { Err(LinkError::Torn) } else { Ok(self.socket) }
    }
}

impl<S, R> AsFd for Link<S, R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use gopher_protocol::supervisor::{SpawnerToSupervisor, SupervisorToSpawner};

    use super::*;

    type Up = Link<SpawnerToSupervisor, SupervisorToSpawner>;
    type Down = Link<SupervisorToSpawner, SpawnerToSupervisor>;

    fn links() -> (Up, Down) {
        let (a, b) = pair().expect("pair");
        (Link::new(a).expect("up"), Link::new(b).expect("down"))
    }

    #[test]
    fn messages_and_their_descriptors_arrive_in_order() {
        let (mut up, mut down) = links();
        let cargo = || Vec::from(<[OwnedFd; 2]>::from(pair().expect("cargo")));
        up.send(&SpawnerToSupervisor::MapIds).expect("sent");
        up.send_with(&SpawnerToSupervisor::Made { pid: 1, slot: 7 }, cargo()).expect("sent");
        up.send_with(&SpawnerToSupervisor::Made { pid: 2, slot: 8 }, cargo()).expect("sent");
        assert!(matches!(down.wait().expect("first").0, SpawnerToSupervisor::MapIds));
        for want in [7, 8] {
            let (SpawnerToSupervisor::Made { slot, .. }, descriptors) = down.wait().expect("made") else {
                panic!("another message")
            };
            assert_eq!((slot, descriptors.len()), (want, 2));
        }
        assert!(down.receive().expect("nothing yet").is_none());
    }

    #[test]
    fn the_first_message_of_a_link_may_bring_descriptors() {
        let (mut up, mut down) = links();
        up.put(&SpawnerToSupervisor::MapIds).expect("queued with the hello");
        for pid in [1, 2] {
            let cargo = Vec::from(<[OwnedFd; 2]>::from(pair().expect("cargo")));
            up.queue(&SpawnerToSupervisor::Made { pid, slot: pid }, cargo).expect("queued");
        }
        assert_eq!(up.outgoing.len(), 2, "each with descriptors in a write of its own, the first with the hello");
        up.flush().expect("sent");
        assert!(matches!(down.wait().expect("first"), (SpawnerToSupervisor::MapIds, none) if none.is_empty()));
        for want in [1, 2] {
            let (message, descriptors) = down.wait().expect("made");
            assert!(matches!(message, SpawnerToSupervisor::Made { pid, .. } if pid == want), "{message:?}");
            assert_eq!(descriptors.len(), 2);
        }
    }

    #[test]
    fn what_a_peer_said_before_it_left_is_heard() {
        let (up, mut down) = links();
        down.send(&SupervisorToSpawner::Release { slot: 3 }).expect("sent");
        drop(down);
        let mut up = up;
        assert!(matches!(up.wait().expect("last word").0, SupervisorToSpawner::Release { slot: 3 }));
        assert!(matches!(up.wait(), Err(LinkError::Closed)));
    }

    #[test]
    fn a_message_without_its_descriptors_is_refused_on_both_sides() {
        let (mut up, mut down) = links();
        let refused = up.send(&SpawnerToSupervisor::Made { pid: 1, slot: 1 });
        assert!(matches!(refused, Err(LinkError::Descriptors { got: 0, want: 2, .. })));
        let mut raw = Vec::new();
        let made = SpawnerToSupervisor::Made { pid: 1, slot: 1 };
        frame::append(&mut raw, made.kind(), 100, |out| made.encode(out)).expect("frame");
        up.flush().expect("hello");
        nix::unistd::write(&up, &raw).expect("written past the link");
        assert!(matches!(down.wait(), Err(LinkError::Descriptors { got: 0, want: 2, .. })));
    }

    #[test]
    fn a_peer_of_another_build_is_refused() {
        let (a, b) = pair().expect("pair");
        let mut hello = Vec::new();
        Hello { protocol: 1, build: "0.0.0+0".into() }.append(&mut hello).expect("frame");
        nix::unistd::write(&a, &hello).expect("written");
        let mut down: Down = Link::new(b).expect("down");
        assert!(matches!(down.wait(), Err(LinkError::Wire(WireError::Stale { .. }))));
    }

    #[test]
    fn a_message_larger_than_the_socket_takes_is_sent_in_parts() {
        let (mut up, mut down) = links();
        let reason = "x".repeat(900_000);
        up.send(&SpawnerToSupervisor::Refused { reason: reason.clone() }).expect("queued");
        assert!(up.wants_write());
        loop {
            up.flush().expect("flushed");
            if let Some((SpawnerToSupervisor::Refused { reason: heard }, _)) = down.receive().expect("received") {
                assert_eq!(heard, reason);
                break;
            }
        }
        assert_eq!(up.backlog(), 0);
    }
}

//! Readiness of many descriptors, level-triggered, by number.
#![forbid(unsafe_code)]

use std::{
    os::fd::AsFd,
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
};

/// What a descriptor is ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The number the descriptor was added with.
    pub token: u64,
    /// Bytes, a connection or the end of the stream.
    pub read: bool,
    pub write: bool,
}

/// Waits for descriptors.
pub struct Poller {
    epoll: Arc<Epoll>,
    events: Vec<EpollEvent>,
    /// For how long something is expected.
    expecting: Option<Duration>,
    awake: Awake,
}

/// What a poller watches, for another thread to change.
#[derive(Clone)]
pub struct Registry(Arc<Epoll>);

impl Registry {
    /// Watches `fd` for reading.
    pub fn add(&self, fd: impl AsFd, token: u64) -> Result<(), Errno> {
        self.0.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, token))
    }

    /// Changes what is watched; the end of a stream is always told.
    pub fn modify(&self, fd: impl AsFd, token: u64, read: bool, write: bool) -> Result<(), Errno> {
        let mut flags = EpollFlags::empty();
        flags.set(EpollFlags::EPOLLIN, read);
        flags.set(EpollFlags::EPOLLOUT, write);
        self.0.modify(fd, &mut EpollEvent::new(flags, token))
    }
}

/// Whether to wait awake: a peer that has just answered at once is likely to do so again, and to be woken takes longer
/// than its answer. Who waits in vain sleeps from then on, until answers are quick again. Whoever else is to run on this
/// processor runs meanwhile: it may be the peer.
pub struct Awake {
    worthwhile: bool,
}

/// Longest wait without sleep for whoever answers at once; about what it takes to wake on an idle processor.
pub const AT_ONCE: Duration = Duration::from_micros(50);
/// The same for a program that has its answer, until it has its next call ready or is done.
pub const NEXT_CALL: Duration = Duration::from_micros(100);

impl Awake {
    /// Whether a wait that has `begun` then goes on without sleep, for at most as long as is usual.
    pub fn goes_on(&self, begun: Instant, usual: Duration) -> bool {
        let goes_on = self.worthwhile && begun.elapsed() < usual;
        if goes_on {
            std::thread::yield_now();
        }
        goes_on
    }

    /// A wait that has `begun` then is over.
    pub fn learn(&mut self, begun: Instant, usual: Duration) {
        self.worthwhile = begun.elapsed() < 2 * usual;
    }
}

impl Default for Awake {
    fn default() -> Self {
        Self { worthwhile: true }
    }
}

impl Awake {
    /// To begin with, whoever waits sleeps: so much goes on that no answer is quick.
    pub fn asleep() -> Self {
        Self { worthwhile: false }
    }
}

fn interest(write: bool) -> EpollFlags {
    if write { EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT } else { EpollFlags::EPOLLIN }
}

impl Poller {
    pub fn new() -> Result<Self, Errno> {
        let epoll = Arc::new(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?);
        Ok(Self { epoll, events: vec![EpollEvent::empty(); 64], expecting: None, awake: Awake::default() })
    }

    /// Lets another thread change what is watched.
    pub fn registry(&self) -> Registry {
        Registry(Arc::clone(&self.epoll))
    }

    /// Watches `fd` for reading, and for writing if `write`.
    pub fn add(&self, fd: impl AsFd, token: u64, write: bool) -> Result<(), Errno> {
        self.epoll.add(fd, EpollEvent::new(interest(write), token))
    }

    /// Changes what is watched.
    pub fn modify(&self, fd: impl AsFd, token: u64, write: bool) -> Result<(), Errno> {
        self.epoll.modify(fd, &mut EpollEvent::new(interest(write), token))
    }

    /// Forgets a descriptor; do this before it is closed.
    pub fn remove(&self, fd: impl AsFd) -> Result<(), Errno> {
        self.epoll.delete(fd)
    }

    /// Says that something will be ready within this time: the next wait is awake for so long.
    pub fn expect(&mut self, within: Duration) {
        self.expecting = self.expecting.max(Some(within));
    }

    /// Waits until something is ready or `timeout` has passed (`None`: for ever).
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Vec<Ready>, Errno> {
        match self.expecting.take() {
            Some(usual) => self.wait_awake(usual, timeout),
            None => self.sleep(timeout),
        }
    }

    fn wait_awake(&mut self, usual: Duration, timeout: Option<Duration>) -> Result<Vec<Ready>, Errno> {
        let begun = Instant::now();
        let mut ready = self.sleep(Some(Duration::ZERO))?;
        while ready.is_empty() && self.awake.goes_on(begun, usual) && timeout.is_none_or(|t| begun.elapsed() < t) {
            ready = self.sleep(Some(Duration::ZERO))?;
        }
        if ready.is_empty() {
            ready = self.sleep(timeout)?;
        }
        self.awake.learn(begun, usual);
        Ok(ready)
    }

    fn sleep(&mut self, timeout: Option<Duration>) -> Result<Vec<Ready>, Errno> {
        // Rounded up: a timer must not spin through its last millisecond.
        let timeout = timeout.map_or(EpollTimeout::NONE, |t| {
            let ms = t.as_micros().div_ceil(1000);
            i32::try_from(ms).ok().and_then(|ms| EpollTimeout::try_from(ms).ok()).unwrap_or(EpollTimeout::MAX)
        });
        let count = match self.epoll.wait(&mut self.events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(errno) => return Err(errno),
        };
        let ended = EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR;
        Ok(self.events[..count]
            .iter()
            .map(|e| Ready {
                token: e.data(),
                read: e.events().intersects(EpollFlags::EPOLLIN | ended),
                write: e.events().intersects(EpollFlags::EPOLLOUT | ended),
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_wait_in_vain_sleeps_the_next_time_and_quick_answers_make_it_awake_again() {
        let begun = Instant::now();
        assert!(!Awake::asleep().goes_on(begun, AT_ONCE));
        let mut awake = Awake::default();
        assert!(awake.goes_on(begun, AT_ONCE));
        let long_ago = begun.checked_sub(Duration::from_millis(1)).expect("a clock that began earlier");
        assert!(!awake.goes_on(long_ago, AT_ONCE), "nobody waits awake for long");
        awake.learn(long_ago, AT_ONCE);
        assert!(!awake.goes_on(Instant::now(), AT_ONCE));
        awake.learn(Instant::now(), AT_ONCE);
        assert!(awake.goes_on(Instant::now(), AT_ONCE));
    }

    #[test]
    fn waiting_awake_finds_what_is_ready_and_ends_in_time() {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let mut poller = Poller::new().expect("a poller");
        poller.add(&ours, 7, false).expect("watched");
        for _ in 0..2 {
            poller.expect(AT_ONCE);
            assert!(poller.wait(Some(Duration::from_millis(2))).expect("waited").is_empty());
        }
        std::io::Write::write_all(&mut theirs, b"x").expect("written");
        poller.expect(AT_ONCE);
        let ready = poller.wait(None).expect("waited");
        assert_eq!(ready, [Ready { token: 7, read: true, write: false }]);
    }

    #[test]
    fn another_thread_changes_what_is_watched() {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let mut poller = Poller::new().expect("a poller");
        poller.add(&ours, 7, false).expect("watched");
        let registry = poller.registry();
        std::io::Write::write_all(&mut theirs, b"x").expect("written");
        registry.modify(&ours, 7, false, false).expect("changed");
        assert!(poller.wait(Some(Duration::ZERO)).expect("waited").is_empty(), "not for reading");
        registry.modify(&ours, 7, false, true).expect("changed");
        assert!(poller.wait(None).expect("waited")[0].write);
        registry.modify(&ours, 7, true, false).expect("changed");
        assert!(poller.wait(None).expect("waited")[0].read);
    }
}

//! Readiness of many descriptors, level-triggered, by number.
#![forbid(unsafe_code)]

use std::{os::fd::AsFd, time::Duration};

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
    epoll: Epoll,
    events: Vec<EpollEvent>,
}

fn interest(write: bool) -> EpollFlags {
    if write { EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT } else { EpollFlags::EPOLLIN }
}

impl Poller {
    pub fn new() -> Result<Self, Errno> {
        Ok(Self { epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?, events: vec![EpollEvent::empty(); 64] })
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

    /// Waits until something is ready or `timeout` has passed (`None`: for ever).
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Vec<Ready>, Errno> {
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

//! A link in the event loop: sends without waiting, remembers its failure for the end of the turn.

use std::os::fd::OwnedFd;

use gopher_protocol::Message;
use gopher_sys::{Link, LinkError, Poller};

/// One end of a link, watched by the poller under its token.
pub(crate) struct Wire<S, R> {
    link: Link<S, R>,
    token: u64,
    writing: bool,
    failure: Option<LinkError>,
}

impl<S: Message, R: Message> Wire<S, R> {
    pub(crate) fn new(poller: &Poller, socket: OwnedFd, token: u64) -> Result<Self, LinkError> {
        let link = Link::new(socket)?;
        poller.add(&link, token, false).map_err(|errno| LinkError::System { call: "epoll_ctl", errno })?;
        Ok(Self { link, token, writing: false, failure: None })
    }

    /// Queues a message and sends what goes at once; `false` if the message itself cannot be sent.
    pub(crate) fn send(&mut self, message: &S) -> bool {
        self.send_with(message, Vec::new())
    }

    pub(crate) fn send_with(&mut self, message: &S, descriptors: Vec<OwnedFd>) -> bool {
        match self.link.send_with(message, descriptors) {
            Ok(()) => true,
            Err(LinkError::Wire(_) | LinkError::Descriptors { .. }) => false,
            Err(error) => {
                self.failure.get_or_insert(error);
                true
            }
        }
    }

    /// Queues a message that goes at the end of the turn; `false` if it cannot be sent.
    pub(crate) fn put(&mut self, message: &S) -> bool {
        self.link.put(message).is_ok()
    }

    pub(crate) fn receive(&mut self) -> Result<Option<(R, Vec<OwnedFd>)>, LinkError> {
        self.link.receive()
    }

    pub(crate) fn backlog(&self) -> usize {
        self.link.backlog()
    }

    pub(crate) fn token(&self) -> u64 {
        self.token
    }

    /// Sends what waits and asks the poller for what is still missing. An error is the end of the link.
    pub(crate) fn settle(&mut self, poller: &Poller) -> Result<(), LinkError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.link.wants_write() {
            self.link.flush()?;
        }
        let wants = self.link.wants_write();
        if wants != self.writing {
            poller
                .modify(&self.link, self.token, wants)
                .map_err(|errno| LinkError::System { call: "epoll_ctl", errno })?;
            self.writing = wants;
        }
        Ok(())
    }

    /// As [`Wire::settle`]; a peer that leaves more than this unread is as good as gone.
    pub(crate) fn settle_within(&mut self, backlog: usize, poller: &Poller) -> Result<(), LinkError> {
        self.settle(poller)?;
        if self.link.backlog() > backlog { Err(LinkError::Closed) } else { Ok(()) }
    }

    /// Leaves the event loop.
    pub(crate) fn close(self, poller: &Poller) -> Link<S, R> {
        // A descriptor that the poller no longer knows is as good as removed.
        let _ = poller.remove(&self.link);
        self.link
    }
}

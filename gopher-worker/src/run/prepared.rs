//! What every run needs, whatever it is: made while its process waits for an order.

use std::{
    net::{Ipv4Addr, TcpListener},
    os::fd::{AsFd as _, OwnedFd},
};

use gopher_protocol::worker::Stream;
use gopher_sys::{Poller, descriptors, sockets::Sockets};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    sys::{
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
    unistd::pipe2,
};

use super::{LISTENER, Place, SIGNALS, STDERR, STDOUT, output::Output};
use crate::{endpoint::Endpoint, error::WorkerError};

pub(crate) struct Prepared {
    pub(super) poller: Poller,
    pub(super) signals: SignalFd,
    pub(super) endpoint: Endpoint,
    pub(super) outputs: [Output; 2],
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    /// Of the API's other end, over HTTP.
    pub(super) port: u16,
}

/// Where a run's Robot API will listen for HTTP.
pub(crate) fn listener() -> Result<TcpListener, WorkerError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.set_nonblocking(true).map(|()| l));
    bound.map_err(WorkerError::file("bind", "127.0.0.1".as_ref()))
}

impl Prepared {
    pub(crate) fn new(listener: TcpListener, sockets: Option<Sockets>, place: &Place) -> Result<Self, WorkerError> {
        let system = WorkerError::system;
        let port = listener.local_addr().map_err(WorkerError::file("bind", "127.0.0.1".as_ref()))?.port();
        let poller = Poller::new().map_err(system("epoll_create"))?;
        let signals = ended_children().map_err(system("signalfd"))?;
        poller.add(signals.as_fd(), SIGNALS, false).map_err(system("epoll_ctl"))?;
        let ask_proc = place.own_pids && !place.own_uid;
        let endpoint = Endpoint::new(listener, &poller, LISTENER, ask_proc, sockets)?;
        let (out_read, stdout) = pipe2(OFlag::O_CLOEXEC).map_err(system("pipe"))?;
        let (err_read, stderr) = pipe2(OFlag::O_CLOEXEC).map_err(system("pipe"))?;
        for (pipe, token) in [(&out_read, STDOUT), (&err_read, STDERR)] {
            descriptors::make_nonblocking(pipe).map_err(system("fcntl"))?;
            poller.add(pipe, token, false).map_err(system("epoll_ctl"))?;
        }
        let outputs = [Output::new(Stream::Stdout, STDOUT, out_read), Output::new(Stream::Stderr, STDERR, err_read)];
        Ok(Self { poller, signals, endpoint, outputs, stdout, stderr, port })
    }
}

/// Becomes readable when a child has ended.
fn ended_children() -> Result<SignalFd, Errno> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set.thread_block()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

//! What every run needs, whatever it is: made while its process waits for an order.

use std::{
    net::{Ipv4Addr, TcpListener},
    os::fd::OwnedFd,
};

use gopher_protocol::worker::Stream;
use gopher_sys::sockets::Sockets;
use nix::{fcntl::OFlag, unistd::pipe2};

use super::{Place, STDERR, STDOUT, output::Output};
use crate::{endpoint::Endpoint, error::WorkerError};

pub(crate) struct Prepared {
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
        let ask_proc = place.own_pids && !place.own_uid;
        let endpoint = Endpoint::new(listener, ask_proc, sockets);
        let (out_read, stdout) = pipe2(OFlag::O_CLOEXEC).map_err(system("pipe"))?;
        let (err_read, stderr) = pipe2(OFlag::O_CLOEXEC).map_err(system("pipe"))?;
        let outputs = [Output::new(Stream::Stdout, STDOUT, out_read), Output::new(Stream::Stderr, STDERR, err_read)];
        Ok(Self { endpoint, outputs, stdout, stderr, port })
    }
}

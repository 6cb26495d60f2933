//! What every run needs, whatever it is: made while its process waits for an order.

use std::os::fd::OwnedFd;

use gopher_protocol::worker::Stream;
use gopher_sys::sockets::Sockets;
use nix::{fcntl::OFlag, unistd::pipe2};

use super::{Place, STDERR, STDOUT, output::Output};
use crate::{confinement::Fence, endpoint::Endpoint, error::WorkerError};

pub(crate) struct Prepared<'a> {
    pub(crate) fence: Fence<'a>,
    pub(super) endpoint: Endpoint,
    pub(super) outputs: [Output; 2],
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

impl<'a> Prepared<'a> {
    pub(crate) fn new(fence: Fence<'a>, sockets: Option<Sockets>, place: &Place) -> Result<Self, WorkerError> {
        let system = WorkerError::system;
        let ask_proc = place.own_pids && !place.own_uid;
        let endpoint = Endpoint::new(ask_proc, sockets);
        let (out_read, stdout) = pipe2(OFlag::O_CLOEXEC).map_err(system("pipe"))?;
        let (err_read, stderr) = pipe2(OFlag::O_CLOEXEC).map_err(system("pipe"))?;
        let outputs = [Output::new(Stream::Stdout, STDOUT, out_read), Output::new(Stream::Stderr, STDERR, err_read)];
        Ok(Self { fence, endpoint, outputs, stdout, stderr })
    }
}

//! The event loop every service runs in: one poller, the supervisor, the engine, and the service's own sockets.
//!
//! It knows no service; a service is a [`Service`].

use std::{
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use gopher_protocol::{
    WireError,
    connector::{ConnectorToEngine, EngineToConnector},
    supervisor::{ConnectorToSupervisor, SupervisorToConnector},
};
use gopher_sys::{
    LinkError, Poller,
    poll::{AT_ONCE, Ready},
};

use crate::{
    error::ConnectorError,
    start::{EngineLink, SecretdLink, Started, SupervisorLink, greet},
};

const SUPERVISOR: u64 = 0;
const ENGINE: u64 = 1;
/// Tokens of a service start here.
pub(crate) const FIRST_TOKEN: u64 = 16;
/// With this much waiting for the engine, nothing more is read from clients.
const CONGESTED: usize = 4 << 20;

/// A chat service with its sockets.
pub(crate) trait Service {
    /// A message of the engine, except `Stop`.
    fn engine(
        &mut self,
        message: EngineToConnector,
        descriptors: Vec<OwnedFd>,
        io: &mut Io,
    ) -> Result<(), ConnectorError>;
    /// One of the service's own descriptors is ready. It may be gone already.
    fn ready(&mut self, ready: Ready, io: &mut Io) -> Result<(), ConnectorError>;
    /// The end of a turn; `true` if there is more to do without waiting.
    fn settle(&mut self, io: &mut Io) -> Result<bool, ConnectorError>;
    /// The listening socket of a suite driver.
    fn listen(&mut self, socket: OwnedFd, io: &mut Io) -> Result<(), ConnectorError>;
    /// Last words: `reason` is a whole sentence.
    fn stop(&mut self, reason: &str);
}

/// What a service may use of its host.
pub(crate) struct Io {
    pub(crate) poller: Poller,
    engine: EngineLink,
    engine_writing: bool,
}

impl Io {
    pub(crate) fn new(engine: EngineLink) -> Result<Self, ConnectorError> {
        Ok(Self {
            poller: Poller::new().map_err(ConnectorError::system("epoll_create"))?,
            engine,
            engine_writing: false,
        })
    }

    /// Sends to the engine, at once if it takes it.
    ///
    /// `false`: the message is too long for the link, and nothing was sent.
    pub(crate) fn tell(&mut self, message: &ConnectorToEngine) -> Result<bool, ConnectorError> {
        match self.engine.send(message) {
            Ok(()) => Ok(true),
            Err(LinkError::Wire(WireError::TooLong { .. })) => Ok(false),
            Err(error) => Err(ConnectorError::Engine(error)),
        }
    }

    /// Sends on what the engine had not taken yet.
    pub(crate) fn flush(&mut self) -> Result<(), ConnectorError> {
        self.engine.flush().map(drop).map_err(ConnectorError::Engine)
    }

    /// The engine is behind: clients have to wait.
    pub(crate) fn congested(&self) -> bool {
        self.engine.backlog() > CONGESTED
    }

    pub(crate) fn watch(&self, fd: impl AsFd, token: u64) -> Result<(), ConnectorError> {
        self.poller.add(fd, token, false).map_err(ConnectorError::system("epoll_ctl"))
    }

    pub(crate) fn watch_writing(&self, fd: impl AsFd, token: u64, write: bool) -> Result<(), ConnectorError> {
        self.poller.modify(fd, token, write).map_err(ConnectorError::system("epoll_ctl"))
    }

    pub(crate) fn forget(&self, fd: impl AsFd) -> Result<(), ConnectorError> {
        self.poller.remove(fd).map_err(ConnectorError::system("epoll_ctl"))
    }

    fn settle(&mut self) -> Result<(), ConnectorError> {
        let wants = self.engine.wants_write();
        if wants != self.engine_writing {
            self.poller.modify(&self.engine, ENGINE, wants).map_err(ConnectorError::system("epoll_ctl"))?;
            self.engine_writing = wants;
        }
        Ok(())
    }
}

enum Turn {
    Goes,
    Stops,
}

struct Supervisor {
    link: SupervisorLink,
    writing: bool,
    secretd: Option<SecretdLink>,
}

impl Supervisor {
    fn turn(&mut self, service: &mut impl Service, io: &mut Io) -> Result<Turn, ConnectorError> {
        self.link.flush().map_err(ConnectorError::Supervisor)?;
        while let Some((message, mut descriptors)) = self.link.receive().map_err(ConnectorError::Supervisor)? {
            match (message, descriptors.pop()) {
                (SupervisorToConnector::Ping { nonce }, _) => {
                    self.link.send(&ConnectorToSupervisor::Pong { nonce }).map_err(ConnectorError::Supervisor)?;
                }
                (SupervisorToConnector::Stop, _) => return Ok(Turn::Stops),
                (SupervisorToConnector::Secretd, Some(fd)) => self.secretd = Some(greet(fd)?),
                (SupervisorToConnector::TestSocket, Some(fd)) => service.listen(fd, io)?,
                (SupervisorToConnector::Engine, _) => return Err(ConnectorError::Order { message: "Engine" }),
                (SupervisorToConnector::Begin { .. }, _) => return Err(ConnectorError::Order { message: "Begin" }),
                (SupervisorToConnector::Secretd | SupervisorToConnector::TestSocket, None) => {
                    return Err(ConnectorError::Order { message: "a link without its descriptor" });
                }
            }
        }
        if self.link.wants_write() != self.writing {
            self.writing = !self.writing;
            io.watch_writing(&self.link, SUPERVISOR, self.writing)?;
        }
        Ok(Turn::Goes)
    }
}

/// Runs a service until the supervisor or the engine stops it.
pub(crate) fn serve(started: Started, mut service: impl Service) -> Result<(), ConnectorError> {
    let mut io = Io::new(started.engine)?;
    let mut supervisor = Supervisor { link: started.supervisor, writing: false, secretd: started.secretd };
    let outcome = turns(&mut supervisor, &mut service, &mut io, started.test_socket);
    match &outcome {
        Ok(()) => service.stop("The robot has stopped."),
        Err(ConnectorError::Engine(_)) => service.stop("The robot's engine has ended."),
        Err(_) => service.stop("The connector has failed; it comes back in a moment."),
    }
    match outcome {
        // Children end with their supervisor: that is no failure of theirs.
        Err(ConnectorError::Supervisor(LinkError::Closed)) => Ok(()),
        outcome => outcome,
    }
}

fn turns(
    supervisor: &mut Supervisor,
    service: &mut impl Service,
    io: &mut Io,
    test_socket: Option<OwnedFd>,
) -> Result<(), ConnectorError> {
    io.watch(&supervisor.link, SUPERVISOR)?;
    io.poller.add(&io.engine, ENGINE, false).map_err(ConnectorError::system("epoll_ctl"))?;
    io.flush()?;
    if let Some(socket) = test_socket {
        service.listen(socket, io)?;
    }
    // Messages that came with the first ones are in the link already and wake nobody.
    if matches!(supervisor.turn(service, io)?, Turn::Stops) {
        return Ok(());
    }
    let mut more = false;
    loop {
        io.settle()?;
        let timeout = more.then_some(Duration::ZERO);
        for ready in io.poller.wait(timeout).map_err(ConnectorError::system("epoll_wait"))? {
            let turn = match ready.token {
                SUPERVISOR => supervisor.turn(service, io)?,
                ENGINE => engine_turn(service, io)?,
                _ => service.ready(ready, io).map(|()| Turn::Goes)?,
            };
            if matches!(turn, Turn::Stops) {
                return Ok(());
            }
        }
        more = service.settle(io)?;
    }
}

fn engine_turn(service: &mut impl Service, io: &mut Io) -> Result<Turn, ConnectorError> {
    while let Some((message, descriptors)) = io.engine.receive().map_err(ConnectorError::Engine)? {
        if matches!(message, EngineToConnector::Stop) {
            return Ok(Turn::Stops);
        }
        service.engine(message, descriptors, io)?;
        // Who has said something often has more to say at once.
        io.poller.expect(AT_ONCE);
    }
    io.flush()?;
    Ok(Turn::Goes)
}

#[cfg(test)]
mod tests;

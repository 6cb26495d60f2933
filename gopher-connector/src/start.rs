//! The first messages of the supervisor: which service this process is, and its links.

use std::os::fd::OwnedFd;

use gopher_protocol::{
    connector::{ConnectorToEngine, EngineToConnector, MAIL},
    secretd::{ConnectorToSecretd, SecretdToConnector},
    supervisor::{ConnectorToSupervisor, SupervisorToConnector},
};
use gopher_sys::{Link, LinkError};

use crate::error::ConnectorError;

pub(crate) type SupervisorLink = Link<ConnectorToSupervisor, SupervisorToConnector>;
pub(crate) type EngineLink = Link<ConnectorToEngine, EngineToConnector>;
pub(crate) type SecretdLink = Link<ConnectorToSecretd, SecretdToConnector>;

/// Everything a service needs to begin.
pub(crate) struct Started {
    pub(crate) name: String,
    pub(crate) supervisor: SupervisorLink,
    pub(crate) engine: EngineLink,
    /// Held open, and never asked by services that have no token; there from the start for those that have one.
    pub(crate) secretd: Option<SecretdLink>,
    pub(crate) test_socket: Option<OwnedFd>,
}

/// Waits until name and engine link are known; `None` if the robot stops before that.
pub(crate) fn gather(socket: OwnedFd) -> Result<Option<Started>, ConnectorError> {
    let mut supervisor = SupervisorLink::new(socket).map_err(ConnectorError::Supervisor)?;
    let (mut name, mut engine, mut secretd, mut test_socket) = (None, None, None, None);
    loop {
        match (name.take(), engine.take()) {
            (Some(name), Some(engine)) if secretd.is_some() || name != MAIL => {
                return Ok(Some(Started { name, supervisor, engine, secretd, test_socket }));
            }
            (n, e) => (name, engine) = (n, e),
        }
        let (message, mut descriptors) = match supervisor.wait() {
            Ok(next) => next,
            Err(LinkError::Closed) => return Ok(None),
            Err(error) => return Err(ConnectorError::Supervisor(error)),
        };
        let descriptor = descriptors.pop();
        match (message, descriptor) {
            (SupervisorToConnector::Begin { name: given }, _) if name.is_none() => {
                name = Some(given);
                supervisor.send(&ConnectorToSupervisor::Ready).map_err(ConnectorError::Supervisor)?;
            }
            (SupervisorToConnector::Engine, Some(fd)) if engine.is_none() => {
                engine = Some(EngineLink::new(fd).map_err(ConnectorError::Engine)?);
            }
            (SupervisorToConnector::Secretd, Some(fd)) => secretd = Some(greet(fd)?),
            (SupervisorToConnector::TestSocket, Some(fd)) => test_socket = Some(fd),
            (SupervisorToConnector::Ping { nonce }, _) => {
                supervisor.send(&ConnectorToSupervisor::Pong { nonce }).map_err(ConnectorError::Supervisor)?;
            }
            (SupervisorToConnector::Stop, _) => return Ok(None),
            (SupervisorToConnector::Begin { .. }, _) => return Err(ConnectorError::Order { message: "Begin" }),
            (SupervisorToConnector::Engine, _) => return Err(ConnectorError::Order { message: "Engine" }),
            (SupervisorToConnector::Secretd | SupervisorToConnector::TestSocket, None) => {
                return Err(ConnectorError::Order { message: "a link without its descriptor" });
            }
        }
    }
}

/// Opens the link to secretd. Its end is no event for a service without a token: secretd's own end stops the robot's runs.
pub(crate) fn greet(fd: OwnedFd) -> Result<SecretdLink, ConnectorError> {
    let mut link = SecretdLink::new(fd).map_err(ConnectorError::Secretd)?;
    match link.flush() {
        Ok(_) | Err(LinkError::Closed) => Ok(link),
        Err(error) => Err(ConnectorError::Secretd(error)),
    }
}

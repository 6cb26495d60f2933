//! What can end a connector.

use gopher_sys::{LinkError, confine::ConfineError, filter::FilterError, role::RoleError};
use nix::errno::Errno;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectorError {
    #[error(transparent)]
    Role(#[from] RoleError),
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error(transparent)]
    Confine(#[from] ConfineError),
    #[error("the link to the supervisor: {0}")]
    Supervisor(LinkError),
    #[error("the link to the engine: {0}")]
    Engine(LinkError),
    #[error("the link to secretd: {0}")]
    Secretd(LinkError),
    #[error("the supervisor sent {message} out of turn")]
    Order { message: &'static str },
    #[error(
        "there is no connector named '{0}' in this build: known are 'terminal' and 'test'; see PrimaryProtocol and SecondaryProtocols in robot.yaml"
    )]
    Unknown(String),
    #[error("{call}: {errno}")]
    System { call: &'static str, errno: Errno },
    #[error("secretd gave it nothing: {0}")]
    Refused(String),
    #[error("what speaks with the mail server cannot be started: {0}")]
    Thread(std::io::Error),
    #[error("the suite driver's socket: {0}")]
    Listener(std::io::Error),
}

impl ConnectorError {
    pub(crate) fn system(call: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::System { call, errno }
    }

    /// The end of a peer, which it or the supervisor tells better.
    pub(crate) fn is_aftermath(&self) -> bool {
        matches!(self, Self::Engine(LinkError::Closed | LinkError::Torn))
    }

    /// A number of sysexits.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Role(_) => 64,
            Self::Unknown(_) => 78,
            Self::Engine(_) | Self::Refused(_) => 75,
            Self::System { .. } | Self::Listener(_) | Self::Filter(_) | Self::Confine(_) | Self::Thread(_) => 71,
            Self::Supervisor(_) | Self::Secretd(_) | Self::Order { .. } => 70,
        }
    }
}

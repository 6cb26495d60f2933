//! What can go wrong for the person at the keyboard, and the exit status it has (sysexits).

use std::{
    io,
    path::{Path, PathBuf},
};

use gopher_sys::LinkError;
use nix::errno::Errno;

use crate::launch::LaunchError;

const NOT_FOUND: u8 = 1;
pub(crate) const USAGE: u8 = 64;
const DATA: u8 = 65;
const UNAVAILABLE: u8 = 69;
const CANNOT_CREATE: u8 = 73;
const IO: u8 = 74;
const PROTOCOL: u8 = 76;
const NO_PERMISSION: u8 = 77;
pub(crate) const CONFIGURATION: u8 = 78;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CtlError {
    #[error("{path}: {error}\nhint: name the robot's directory with -C")]
    Directory { path: PathBuf, error: io::Error },
    #[error(
        "no robot is running in {home}\nhint: start one there with gopherd, or name the directory of another with -C"
    )]
    NotRunning { home: PathBuf },
    #[error(
        "the robot in {home} is up, but its engine is not{detail}\nhint: gopherctl status shows its processes, gopherctl logs why once it is back"
    )]
    EngineDown { home: PathBuf, detail: String },
    #[error("{path} belongs to uid {owner}: it is not this robot's, and nothing was sent to it")]
    Foreign { path: PathBuf, owner: u32 },
    #[error(
        "there is no robot in {path}: neither conf/robot.yaml nor custom/conf/robot.yaml is there\nhint: name the robot's directory with -C"
    )]
    NoRobot { path: PathBuf },
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    /// What a new extension may not be called, or may not replace.
    #[error("{0}")]
    Taken(String),
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The last words of a robot that was to load a configuration.
    #[error("{0}")]
    NotLoaded(String),
    #[error("the robot's directory cannot be watched: {0}")]
    Watch(notify::Error),
    #[error("you may not speak to this robot: {path}: {error}")]
    Denied { path: PathBuf, error: io::Error },
    #[error("{path}: {error}")]
    Socket { path: PathBuf, error: io::Error },
    #[error("{path} is not the socket of a robot of this build: {error}")]
    NotOurs { path: PathBuf, error: LinkError },
    #[error("the robot did not answer within {seconds} seconds\nhint: gopherctl logs may tell more")]
    Silent { seconds: u64 },
    #[error("the robot has closed the connection")]
    Gone,
    /// The robot said why it closed the connection.
    #[error("{0}")]
    Closed(String),
    #[error("{0}")]
    Refused(String),
    #[error("the robot answered with {got} where {want} was expected")]
    Unexpected { got: &'static str, want: &'static str },
    #[error("there is no memory {key}")]
    NoMemory { key: String },
    #[error("{what}: {reason}")]
    BadMemory { what: String, reason: String },
    #[error("{count} of the memories could not be moved")]
    NotMoved { count: usize },
    #[error("the connection to the robot: {0}")]
    Link(LinkError),
    #[error("the terminal: {0}")]
    Terminal(String),
    #[error("standard output: {0}")]
    Output(io::Error),
    #[error("standard input: {0}")]
    Input(io::Error),
    #[error("{call}: {errno}")]
    System { call: &'static str, errno: Errno },
}

impl From<LinkError> for CtlError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Closed | LinkError::Torn => Self::Gone,
            error => Self::Link(error),
        }
    }
}

impl CtlError {
    /// An error at a file of the person's own.
    pub(crate) fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::File { path: path.to_owned(), error }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Directory { .. } | Self::NoRobot { .. } => USAGE,
            Self::Taken(_) => CANNOT_CREATE,
            Self::Launch(error) => error.exit_code(),
            Self::NotLoaded(_) => CONFIGURATION,
            Self::NotRunning { .. } | Self::EngineDown { .. } | Self::Silent { .. } | Self::Gone | Self::Closed(_) => {
                UNAVAILABLE
            }
            Self::Foreign { .. } | Self::Denied { .. } | Self::Refused(_) => NO_PERMISSION,
            Self::NotOurs { .. } | Self::Unexpected { .. } | Self::Link(_) => PROTOCOL,
            Self::NoMemory { .. } => NOT_FOUND,
            Self::BadMemory { .. } | Self::NotMoved { .. } => DATA,
            Self::File { .. } | Self::Socket { .. } | Self::Terminal(_) | Self::Output(_) | Self::Input(_) => IO,
            Self::System { .. } | Self::Watch(_) => 71,
        }
    }

    /// The reader of our output has left, as `head` does: that is the reader's right.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

#[cfg(test)]
mod tests {
    use gopher_protocol::WireError;

    use super::*;

    #[test]
    fn every_failure_has_its_number() {
        let code = |error: CtlError| error.exit_code();
        assert_eq!(code(CtlError::NotRunning { home: "/r".into() }), 69);
        assert_eq!(code(CtlError::Refused("No.".into())), 77);
        assert_eq!(code(CtlError::NoMemory { key: "p:k".into() }), 1);
        assert_eq!(code(CtlError::NotMoved { count: 1 }), 65);
        assert_eq!(code(CtlError::from(LinkError::Closed)), 69);
        assert_eq!(code(CtlError::from(LinkError::Wire(WireError::NotHello))), 76);
        assert_eq!(code(CtlError::Output(io::ErrorKind::WriteZero.into())), 74);
    }
}

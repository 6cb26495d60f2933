//! Why a robot does not start or cannot go on.

use std::{io, path::Path};

use gopher_sys::{LinkError, process::StartError};
use nix::errno::Errno;

/// Display is the sentence for whoever started the robot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SupervisorError {
    #[error("{0}")]
    Usage(String),
    #[error("{step} {path}: {source}")]
    File { step: &'static str, path: String, source: io::Error },
    #[error("{step}: {errno}")]
    System { step: &'static str, errno: Errno },
    #[error("{role} does not start: {source}")]
    Start { role: String, source: StartError },
    #[error("the ends of runs cannot be seen: {0}")]
    Orphans(gopher_sys::confine::ConfineError),
    #[error("link: {0}")]
    Link(#[from] LinkError),
    #[error("the robot at {home} is already run by gopherd with process id {pid}: stop that one first")]
    Running { home: String, pid: String },
    #[error("no block of uids is free between {first} and {last}: too many robots run here as root")]
    NoUids { first: u32, last: u32 },
    #[error("{0}")]
    Refused(String),
}

impl SupervisorError {
    /// sysexits(3).
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            Self::File { .. } | Self::System { .. } | Self::Start { .. } | Self::Orphans(_) => 71,
            Self::Link(_) => 70,
            Self::Running { .. } | Self::NoUids { .. } => 75,
            Self::Refused(_) => 78,
        }
    }

    pub(crate) fn file<'a>(step: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::File { step, path: path.display().to_string(), source }
    }

    pub(crate) fn system(step: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::System { step, errno }
    }
}

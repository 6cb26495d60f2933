//! Why suites cannot be run; Display is the user's sentence.

use std::{io, path::PathBuf};

use nix::errno::Errno;

use super::driver::DriverError;
use crate::{
    error::{CONFIGURATION, CtlError},
    launch::LaunchError,
};

/// What keeps `gopherctl test` from running, as against a suite that fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SuiteError {
    #[error("{}: it cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    /// One diagnostic a line, each with its place.
    #[error("{0}")]
    Malformed(String),
    #[error("{}: there is no conf/robot.yaml in it, so it is no robot (config_dir is taken under --root)", path.display())]
    NoRobot { path: PathBuf },
    #[error(transparent)]
    Launch(#[from] LaunchError),
    #[error("{}: {step}: {error}", path.display())]
    Files { path: PathBuf, step: &'static str, error: io::Error },
    #[error("{step}: {errno}")]
    System { step: &'static str, errno: Errno },
    #[error("{}: somebody listens on this socket already", path.display())]
    SocketTaken { path: PathBuf },
    #[error("{}: this is not a socket, and it is not replaced", path.display())]
    NotASocket { path: PathBuf },
    #[error("the robot ended before it was ready{status}; its last words:\n{log}")]
    Died { status: String, log: String },
    #[error("the robot was not ready after {seconds} seconds; its last words:\n{log}")]
    NotReady { seconds: u64, log: String },
    #[error("interrupted")]
    Interrupted,
    /// A single run that cannot be asked for.
    #[error("{0}")]
    Usage(String),
    /// Not a command line, but what stands in a file.
    #[error("{0}")]
    Configuration(String),
    #[error(transparent)]
    Ctl(#[from] CtlError),
    #[error("the robot could not be heard: {0}")]
    Driver(DriverError),
}

impl From<DriverError> for SuiteError {
    fn from(error: DriverError) -> Self {
        if matches!(error, DriverError::Interrupted) { Self::Interrupted } else { Self::Driver(error) }
    }
}

impl SuiteError {
    /// The exit code, as of sysexits.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } | Self::NoRobot { .. } => 66,
            Self::Malformed(_) => 65,
            Self::Launch(error) => error.exit_code(),
            Self::SocketTaken { .. } | Self::NotASocket { .. } | Self::Usage(_) => 64,
            Self::Died { .. } | Self::NotReady { .. } | Self::Driver(_) => 70,
            Self::Configuration(_) => CONFIGURATION,
            Self::Ctl(error) => error.exit_code(),
            Self::Files { .. } | Self::System { .. } => 71,
            Self::Interrupted => 130,
        }
    }

    pub(super) fn system(step: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::System { step, errno }
    }
}

//! Everything that can go wrong in this process, as the sentence a person reads.

use gopher_sys::{LinkError, filter::FilterError, role::RoleError};
use nix::errno::Errno;

use crate::{env_file::EnvProblem, key_file::KeyProblem};

/// Why gopher-secretd does not start, or ends.
#[derive(Debug, thiserror::Error)]
pub enum SecretdError {
    #[error(transparent)]
    Role(#[from] RoleError),
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error("link to the supervisor: {0}")]
    Supervisor(#[from] LinkError),
    #[error("the supervisor sent {message} {when}")]
    OutOfTurn { message: &'static str, when: &'static str },
    #[error("{call}: {errno}")]
    System { call: &'static str, errno: Errno },

    #[error(
        "unable to initialize encryption for startup mode '{mode}', no GOPHER_ENCRYPTION_KEY set in environment (or .env)"
    )]
    NoEncryptionKey { mode: &'static str },
    #[error("unable to start in bootstrap mode with no GOPHER_DEPLOY_KEY in the environment (or .env)")]
    NoDeployKey,
    #[error(
        "GOPHER_ENCRYPTION_KEY has {bytes} bytes, but at least 32 are needed; set it to the value the robot was created with."
    )]
    ShortEncryptionKey { bytes: usize },
    #[error("GOPHER_ENVIRONMENT must be a single path segment such as 'production' or 'staging', without '/'.")]
    BadEnvironmentName,
    #[error("{name} is not valid UTF-8; correct it in the environment (or .env).")]
    NotUtf8 { name: String },
    #[error(
        "The launch environment handed over by gopherd is malformed; restart the robot with programs of one build."
    )]
    MalformedLaunch,
    #[error(
        "The environment of the robot is {bytes} bytes long, but at most {most} are accepted; shorten .env or unset GOPHER_* variables."
    )]
    EnvironmentTooLong { bytes: usize, most: usize },

    #[error("{name} is not a regular file; replace it by one.")]
    NotRegular { name: String },
    #[error("{name} is {bytes} bytes long, but at most {most} are accepted; is it the right file?")]
    TooLong { name: String, bytes: u64, most: usize },
    #[error("{name} changed while it was read; start the robot again.")]
    Changed { name: String },
    #[error("{name} cannot be read ({errno}); check its owner and mode.")]
    Unreadable { name: String, errno: Errno },
    #[error(
        "{name} can be read by others (mode {mode:04o}) and its mode cannot be changed ({errno}); run: chmod 0400 {name}"
    )]
    Exposed { name: String, mode: u32, errno: Errno },
    #[error("{name}, line {}: {problem}.", problem.line())]
    EnvFile { name: String, problem: EnvProblem },

    #[error("{name} {problem}")]
    KeyFile { name: String, problem: KeyProblem },
    #[error(
        "There is no key file and none can be written ({reason}); make the configuration directory writable, or put binary-encrypted-key back."
    )]
    NoNewKeyFile { reason: String },
    #[error("No memory for keys could be had ({errno}); raise the memory limits of the robot.")]
    NoMemory { errno: Errno },
    #[error("The system gave no random bytes.")]
    NoRandom,
    #[error(
        "The audit file cannot be written ({reason}); without it nothing may be released, so the robot does not start."
    )]
    NoAudit { reason: String },
}

impl SecretdError {
    /// The exit status (sysexits): 78 for what an administrator must correct, 70 for the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Role(_) | Self::Filter(_) | Self::Supervisor(_) | Self::OutOfTurn { .. } | Self::System { .. } => 70,
            _ => 78,
        }
    }
}

//! What can go wrong before an extension runs.

use gopher_sys::{
    LinkError, confine::ConfineError, filter::FilterError, mounts::MountError, process::StartError, role::RoleError,
};
use nix::errno::Errno;

/// One variant per failing operation; Display is the sentence for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkerError {
    #[error(transparent)]
    Role(#[from] RoleError),
    #[error("link: {0}")]
    Link(#[from] LinkError),
    #[error("the view of runs cannot be built: {0}")]
    View(#[from] MountError),
    #[error("a run cannot be confined: {0}")]
    Confine(#[from] ConfineError),
    #[error("a run cannot be confined: {0}")]
    Filter(#[from] FilterError),
    #[error("a run cannot be confined: {0}")]
    Start(#[from] StartError),
    #[error("{step} {path}: {source}")]
    File { step: &'static str, path: String, source: std::io::Error },
    #[error("{step}: {errno}")]
    System { step: &'static str, errno: Errno },
    #[error("runs cannot be confined here: {0}")]
    Probe(String),
    #[error("where it was to say something: {0}")]
    Rehearsal(String),
    #[error("{0}")]
    Protocol(&'static str),
}

impl WorkerError {
    /// For a failed system call.
    pub(crate) fn system(step: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::System { step, errno }
    }

    /// For a failed file operation.
    pub(crate) fn file<'a>(step: &'static str, path: &'a std::path::Path) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::File { step, path: path.display().to_string(), source }
    }

    /// The exit code of a process whose work came to this, told where it is no news to nobody.
    pub(crate) fn told(result: Result<(), Self>) -> u8 {
        match result {
            // Whoever is at the other end has ended, or has no use for this process.
            Ok(()) | Err(Self::Link(LinkError::Closed)) => 0,
            Err(error) => {
                eprintln!("gopher-worker: {error}");
                70
            }
        }
    }
}

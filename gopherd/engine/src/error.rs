//! Why the engine ends.

use gopher_sys::{LinkError, confine::ConfineError, filter::FilterError, role::RoleError};
use nix::errno::Errno;

/// Each a sentence for the person who started the robot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error(transparent)]
    Role(#[from] RoleError),
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error(transparent)]
    Confine(#[from] ConfineError),
    #[error("the engine's link to gopherd: {0}")]
    Supervisor(LinkError),
    #[error("{step}: {errno}")]
    System { step: &'static str, errno: Errno },
}

impl EngineError {
    pub(crate) fn system(step: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::System { step, errno }
    }
}

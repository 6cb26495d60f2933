//! Every channel that exists between two processes of a robot, one line a pair. Nobody else makes one.

use std::os::fd::OwnedFd;

use gopher_sys::link::pair;

use crate::error::SupervisorError;

/// Both ends of a new link.
type Pair = Result<(OwnedFd, OwnedFd), SupervisorError>;

#[rustfmt::skip]
mod pairs {
    use super::{Pair, pair};

    pub(crate) fn engine_and_secretd() -> Pair { Ok(pair()?) }
    pub(crate) fn engine_and_connector() -> Pair { Ok(pair()?) }
    pub(crate) fn secretd_and_connector() -> Pair { Ok(pair()?) }
    pub(crate) fn engine_and_worker() -> Pair { Ok(pair()?) }
    pub(crate) fn secretd_and_worker() -> Pair { Ok(pair()?) }
    pub(crate) fn engine_and_loader() -> Pair { Ok(pair()?) }
    pub(crate) fn secretd_and_loader() -> Pair { Ok(pair()?) }
}

pub(crate) use pairs::*;

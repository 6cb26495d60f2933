//! Memories that stay where Gopherbot has them (`LegacyBrain`): whether they do, and whether they may be used yet.
//!
//! The supervisor hands the directory over at the start, before it is known what the configuration says, because the
//! engine's walls allow it nothing later. Its files belong to the engine only once it has asked for them.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use gopher_protocol::secretd::RecordName;

use crate::{engine::Engine, store::BRAIN};

use super::{Memory, Place};

pub(super) const WEAK: &str = "Memories are in Gopherbot's own files (LegacyBrain), which protects them less: a value there is \
    bound neither to its key nor to its version, so whoever can write in state/brain-cache can exchange memories unseen.";
const NO_DIRECTORY: &str = "LegacyBrain is true, and there is no directory state/brain-cache: make it, or put Gopherbot's \
    there, and start the robot again";

#[derive(Debug, Default)]
enum Leave {
    #[default]
    Unasked,
    Asked,
    Given,
    Refused(String),
}

/// What is to be done next to have memories.
#[derive(Debug)]
pub(super) enum Next {
    /// With the directory, if memories are in Gopherbot's files.
    Open(Option<OwnedFd>),
    Ask,
    Wait,
    Refuse(String),
}

#[derive(Debug, Default)]
pub(crate) struct Legacy {
    wanted: bool,
    directory: Option<OwnedFd>,
    leave: Leave,
}

impl Legacy {
    pub(crate) fn found(&mut self, directory: OwnedFd) {
        self.directory = Some(directory);
    }

    /// For the engine's walls.
    pub(crate) fn directory(&self) -> Option<BorrowedFd<'_>> {
        self.directory.as_ref().map(|directory| directory.as_fd())
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// What is not wanted is let go.
    pub(super) fn choose(&mut self, wanted: bool) {
        self.wanted = wanted;
        if !wanted {
            self.directory = None;
        }
    }

    pub(super) fn next(&mut self) -> Next {
        if !self.wanted {
            return Next::Open(None);
        }
        match (&self.leave, self.directory.take()) {
            (Leave::Refused(reason), _) => Next::Refuse(reason.clone()),
            (_, None) => Next::Refuse(NO_DIRECTORY.to_owned()),
            (Leave::Given, directory) => Next::Open(directory),
            (Leave::Unasked, directory) => {
                self.directory = directory;
                self.leave = Leave::Asked;
                Next::Ask
            }
            (Leave::Asked, directory) => {
                self.directory = directory;
                Next::Wait
            }
        }
    }
}

impl Memory {
    /// Whether a record is to be encrypted as Gopherbot does it.
    pub(super) fn is_foreign(&self, record: &RecordName) -> bool {
        self.legacy.wanted && self.place == Place::Stored && record.store == BRAIN
    }
}

impl Engine {
    /// The supervisor has prepared the directory, or could not.
    pub(crate) fn may_use_old_memories(&mut self, trouble: Option<String>) {
        self.memory.legacy.leave = trouble.map_or(Leave::Given, Leave::Refused);
        self.open_memory();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_used_once_it_is_wanted_and_may_be() {
        let directory = || std::fs::File::open("/").expect("opens").into();
        let mut legacy = Legacy::default();
        legacy.found(directory());
        legacy.choose(false);
        assert!(legacy.directory().is_none() && matches!(legacy.next(), Next::Open(None)));

        let mut legacy = Legacy::default();
        legacy.found(directory());
        legacy.choose(true);
        assert!(matches!(legacy.next(), Next::Ask) && matches!(legacy.next(), Next::Wait));
        legacy.leave = Leave::Given;
        assert!(matches!(legacy.next(), Next::Open(Some(_))));
    }

    #[test]
    fn what_is_in_the_way_is_said() {
        let mut legacy = Legacy { wanted: true, ..Legacy::default() };
        assert!(matches!(legacy.next(), Next::Refuse(why) if why.contains("no directory state/brain-cache")));
        legacy.leave = Leave::Refused("it is a link".to_owned());
        assert!(matches!(legacy.next(), Next::Refuse(why) if why == "it is a link"));
    }
}

//! What is under way, at secretd or at the store: what it is about, and how much of it there may be.

use gopher_protocol::secretd::RecordName;

use super::{MOVED, Memory, papers::Paper};
use crate::{
    brain::Asker,
    store::{BRAIN, Name},
};

/// Bytes of values that may be on their way at once: whoever wants more is refused, whatever runs ask for together.
const UNDER_WAY: u64 = 128 << 20;

/// What is under way, at secretd or at the store.
pub(super) enum Work {
    Put {
        asker: Asker,
        key: String,
        datum: String,
        version: u64,
    },
    Remove {
        asker: Asker,
        key: String,
    },
    Fetch {
        key: String,
        version: u64,
        bytes: u64,
    },
    Save {
        paper: Paper,
        version: u64,
    },
    Restore {
        paper: Paper,
        version: u64,
    },
    /// What an administrator moves over, on its way to being opened.
    Foreign {
        client: u64,
        key: String,
    },
    /// What an administrator gets as Gopherbot would keep it.
    Copy {
        client: u64,
    },
    /// That memories were moved over.
    Moved,
}

impl Work {
    /// Bytes of its value, where that may be long.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Put { datum, .. } => datum.len() as u64,
            Self::Fetch { bytes, .. } => *bytes,
            Self::Remove { .. }
            | Self::Save { .. }
            | Self::Restore { .. }
            | Self::Foreign { .. }
            | Self::Copy { .. }
            | Self::Moved => 0,
        }
    }

    /// What it is about, as record and for its version.
    pub(super) fn name(&self) -> Name {
        match self {
            Self::Put { key, .. } | Self::Remove { key, .. } | Self::Fetch { key, .. } | Self::Foreign { key, .. } => {
                Name { store: BRAIN, key: key.clone() }
            }
            Self::Save { paper, .. } | Self::Restore { paper, .. } => paper.name(),
            Self::Copy { .. } | Self::Moved => MOVED,
        }
    }

    pub(super) fn version(&self) -> u64 {
        match self {
            Self::Put { version, .. }
            | Self::Fetch { version, .. }
            | Self::Save { version, .. }
            | Self::Restore { version, .. } => *version,
            Self::Remove { .. } | Self::Foreign { .. } | Self::Copy { .. } | Self::Moved => 0,
        }
    }

    pub(super) fn record(&self) -> RecordName {
        let name = self.name();
        RecordName { store: name.store.to_owned(), key: name.key, version: self.version() }
    }
}

impl Memory {
    /// Counts the bytes of this work, unless there are too many already.
    pub(super) fn has_room(&mut self, work: &Work) -> bool {
        let room = self.under_way == 0 || self.under_way + work.bytes() <= UNDER_WAY;
        // What is refused is counted, too, for it ends like any other work.
        self.under_way += work.bytes();
        room
    }
}

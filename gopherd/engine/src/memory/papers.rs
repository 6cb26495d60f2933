//! What the engine remembers beside the brain and writes down as a whole: thread subscriptions and short-term memories.
//!
//! Pure, but for the last lines. Each paper is one sealed record. One that is being saved is not saved a second time
//! meanwhile; one that did not open is left as it is in the store, for another key may open it.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use gopher_protocol::SecretBytes;

use super::{Place, work::Work};
use crate::{engine::Engine, ephemeral::SHELVES, log::now_ms, store::Name};

/// How long changes of short-term memories gather.
const GATHER: Duration = Duration::from_secs(1);
/// How long until what could not be saved is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// The store of papers; their records are sealed for it.
const STORE: &str = "state";
const SUBSCRIPTIONS: &str = "subscriptions";
const SHORT_TERM: &str = "short-term:";

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Paper {
    Subscriptions,
    /// A shelf of short-term memories.
    ShortTerm(u8),
}

impl Paper {
    pub(crate) fn name(self) -> Name {
        let key = match self {
            Self::Subscriptions => SUBSCRIPTIONS.to_owned(),
            Self::ShortTerm(number) => format!("{SHORT_TERM}{number}"),
        };
        Name { store: STORE, key }
    }

    /// The paper that a record is.
    pub(crate) fn of(store: &str, key: &str) -> Option<Self> {
        let shelf = || key.strip_prefix(SHORT_TERM)?.parse().ok().filter(|shelf| *shelf < SHELVES);
        match (store, key) {
            (STORE, SUBSCRIPTIONS) => Some(Self::Subscriptions),
            (STORE, _) => shelf().map(Self::ShortTerm),
            _ => None,
        }
    }
}

/// Which papers are to be saved, and when.
#[derive(Default)]
pub(crate) struct Papers {
    changed: HashMap<Paper, Instant>,
    saving: BTreeSet<Paper>,
    restoring: BTreeSet<Paper>,
    lost: BTreeSet<Paper>,
}

impl Papers {
    pub(crate) fn restoring(&mut self, paper: Paper) {
        self.restoring.insert(paper);
    }

    pub(crate) fn restored(&mut self, paper: Paper) {
        self.restoring.remove(&paper);
    }

    /// It did not open, and is not written over.
    pub(crate) fn lost(&mut self, paper: Paper) {
        self.restoring.remove(&paper);
        self.lost.insert(paper);
    }

    pub(crate) fn all_restored(&self) -> bool {
        self.restoring.is_empty()
    }

    fn change(&mut self, paper: Paper, due: Instant) {
        if !self.lost.contains(&paper) {
            self.changed.entry(paper).or_insert(due);
        }
    }

    pub(crate) fn saved(&mut self, paper: Paper) {
        self.saving.remove(&paper);
    }

    pub(crate) fn not_saved(&mut self, paper: Paper, now: Instant) {
        self.saving.remove(&paper);
        self.change(paper, now + AGAIN);
    }

    /// What is to be saved now; it counts as being saved.
    pub(crate) fn due(&mut self, now: Instant, all: bool) -> BTreeSet<Paper> {
        let is_due = |paper: &Paper, at: &Instant| (all || *at <= now) && !self.saving.contains(paper);
        let due: BTreeSet<Paper> = self.changed.extract_if(|paper, at| is_due(paper, at)).map(|(p, _)| p).collect();
        self.saving.extend(&due);
        due
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.changed.iter().filter(|(paper, _)| !self.saving.contains(paper)).map(|(_, at)| *at).min()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.changed.is_empty() && self.saving.is_empty()
    }
}

impl Engine {
    /// Asks around what has changed.
    pub(crate) fn note_changed(&mut self, now: Instant) {
        if self.subscriptions.has_changed() {
            self.memory.papers.change(Paper::Subscriptions, now);
        }
        if self.ephemeral.has_changed() {
            for shelf in self.ephemeral.changed() {
                self.memory.papers.change(Paper::ShortTerm(shelf), now + GATHER);
            }
        }
    }

    pub(crate) fn copy_of(&mut self, paper: Paper, now: Instant) -> String {
        match paper {
            Paper::Subscriptions => self.subscriptions.save(now, now_ms()),
            Paper::ShortTerm(number) => self.ephemeral.on_shelf(number, now, now_ms()),
        }
    }

    /// `false` if it is nothing that was saved.
    pub(crate) fn restore(&mut self, paper: Paper, text: &str) -> bool {
        match paper {
            Paper::Subscriptions => self.subscriptions.restore(text, Instant::now(), now_ms()),
            Paper::ShortTerm(_) => self.ephemeral.restore(text, Instant::now(), now_ms()),
        }
    }

    /// Saves what has changed beside the brain: subscriptions at once, short-term memories every second or `now_all`.
    pub(crate) fn save_papers(&mut self, now: Instant, now_all: bool) {
        if self.memory.place != Place::Stored {
            return;
        }
        self.note_changed(now);
        for paper in self.memory.papers.due(now, now_all) {
            let text = self.copy_of(paper, now);
            let version = self.memory.next_version();
            self.seal(Work::Save { paper, version }, SecretBytes::new(text.into_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_paper_is_found_again_by_its_name() {
        for paper in [Paper::Subscriptions, Paper::ShortTerm(0), Paper::ShortTerm(SHELVES - 1)] {
            let name = paper.name();
            assert_eq!(Paper::of(name.store, &name.key), Some(paper));
        }
        for (store, key) in
            [("brain", "subscriptions"), ("state", "short-term:"), ("state", "short-term:99"), ("state", "x")]
        {
            assert_eq!(Paper::of(store, key), None);
        }
    }

    #[test]
    fn changes_gather_and_nothing_is_saved_twice_at_once() {
        let (mut papers, now) = (Papers::default(), Instant::now());
        let shelf = Paper::ShortTerm(3);
        papers.change(shelf, now + GATHER);
        papers.change(shelf, now + 2 * GATHER);
        assert_eq!((papers.deadline(), papers.due(now, false).len()), (Some(now + GATHER), 0));
        assert_eq!(papers.due(now + GATHER, false), BTreeSet::from([shelf]));
        papers.change(shelf, now + GATHER);
        assert_eq!((papers.deadline(), papers.due(now + 9 * GATHER, true).len()), (None, 0));
        papers.saved(shelf);
        assert_eq!(papers.due(now, true).len(), 1, "at the end nothing waits");
        papers.not_saved(shelf, now);
        assert_eq!((papers.is_idle(), papers.deadline()), (false, Some(now + AGAIN)));
    }

    #[test]
    fn what_did_not_open_is_not_written_over() {
        let (mut papers, now) = (Papers::default(), Instant::now());
        papers.restoring(Paper::Subscriptions);
        assert!(!papers.all_restored());
        papers.lost(Paper::Subscriptions);
        papers.change(Paper::Subscriptions, now);
        assert!(papers.all_restored() && papers.is_idle());
    }
}

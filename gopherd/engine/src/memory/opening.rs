//! Which brain the robot has, and when memories are open: called at the start, by the configuration, secretd and the store.

use gopher_protocol::{robot::BrainFormat, supervisor::EngineToSupervisor};

use crate::{
    engine::{Engine, Who},
    log::now_ms,
    store::{BRAIN, Contents, Store},
    values::Values,
};

use super::{FILE, MOVED, Place, legacy::Next, papers::Paper, work::Work};

impl Engine {
    /// Starts the thread that will have the store, while threads can still be started.
    pub(crate) fn start_store(&mut self) {
        let Some(directory) = self.log.directory() else { return };
        let started = Store::start(directory).and_then(|store| {
            let token = self.token(Who::Store);
            self.poller.add(store.bell(), token, false)?;
            self.memory.token = token;
            Ok(store)
        });
        match started {
            Ok(store) => self.memory.store = Some(store),
            Err(error) => self.log.error(&format!("memories cannot be kept: {error}")),
        }
    }

    /// The last words of the store: whatever it was told is written.
    pub(crate) fn end_store(&mut self) {
        if let Some(store) = self.memory.store.take() {
            // A descriptor that the poller no longer knows is as good as removed.
            let _ = self.poller.remove(store.bell());
            self.forget_token(self.memory.token);
        }
    }

    /// The configuration says which brain the robot has; what it says later counts at the next start.
    pub(crate) fn choose_brain(&mut self, brain: &str, format: BrainFormat) {
        match &self.memory.brain {
            None => {
                self.memory.brain = Some(brain.to_owned());
                self.memory.legacy.choose(format == BrainFormat::Gopherbot && brain == FILE);
                self.open_memory();
            }
            Some(first) if first != brain => {
                self.log
                    .warn(&format!("Brain is `{brain}` now; memories go on in `{first}` until the robot is restarted"));
            }
            Some(_) => {}
        }
    }

    pub(crate) fn know_keys(&mut self, own: bool) {
        self.memory.own_key = Some(own);
        self.open_memory();
    }

    /// Whether what needs memories may begin.
    pub(crate) fn has_memory(&self) -> bool {
        let pins_open = !self.memory.fetching.keys().any(|key| self.memory.values.is_pinned(key));
        pins_open && self.memory.papers.all_restored() && !matches!(self.memory.place, Place::Unknown | Place::Opening)
    }

    pub(super) fn open_memory(&mut self) {
        let memory = &mut self.memory;
        if memory.place != Place::Unknown || memory.brain.is_none() {
            return;
        }
        let kept = memory.is_to_last() && !self.start.as_ref().is_some_and(|start| start.inspect);
        match (kept, memory.own_key, &memory.store) {
            (false, ..) | (true, Some(false), _) => {
                memory.place = Place::Here;
                if kept && let Some(notice) = self.memory.notice() {
                    self.log.warn(&notice);
                }
                self.memory_opened();
            }
            (true, None, _) => {}
            (true, Some(true), Some(store)) => match memory.legacy.next() {
                Next::Open(old) => {
                    store.open(old);
                    memory.place = Place::Opening;
                }
                Next::Ask => {
                    self.supervisor.send(&EngineToSupervisor::UseOldMemories);
                }
                Next::Wait => {}
                Next::Refuse(reason) => self.memory_broken(reason),
            },
            (true, Some(true), None) => self.memory_broken("the store could not be started".to_owned()),
        }
    }

    pub(super) fn memory_broken(&mut self, reason: String) {
        self.log.error(&format!("memories cannot be used: {reason}"));
        self.memory.place = Place::Broken(reason);
        self.memory_opened();
    }

    pub(super) fn store_opened(&mut self, opened: Result<Contents, String>) {
        let contents = match opened {
            Ok(contents) => contents,
            Err(reason) => return self.memory_broken(reason),
        };
        // Later than any before, also of what was deleted meanwhile: a version comes once only.
        let newest = contents.records.iter().map(|(_, known)| known.version).max().unwrap_or_default();
        self.memory.last_version = newest.max(now_ms() << 10);
        let (brain, others): (Vec<_>, Vec<_>) = contents.records.into_iter().partition(|(name, _)| name.store == BRAIN);
        self.memory.values = Values::stored(brain.into_iter().map(|(name, known)| (name.key, known)));
        let moved = others.iter().any(|(name, _)| name.store == MOVED.store && name.key == MOVED.key);
        self.memory.old = self.start.as_ref().and_then(|start| start.old_memories.clone());
        self.memory.old = self.memory.old.take().filter(|_| !moved && !self.memory.legacy.is_wanted());
        for (name, known) in others {
            if let Some(paper) = Paper::of(&name.store, &name.key) {
                self.memory.papers.restoring(paper);
                let call = self.call_number();
                self.memory.read(call, paper.name(), Work::Restore { paper, version: known.version });
            }
        }
        self.memory.place = Place::Stored;
        if let Some(notice) = self.memory.notice() {
            self.log.warn(&notice);
        }
        self.memory_opened();
    }

    /// Whatever has waited for it goes on.
    pub(super) fn memory_opened(&mut self) {
        if let Some(generation) = self.current.clone() {
            self.remember_groups(&generation);
        }
        let early = std::mem::take(&mut self.memory.early);
        self.take_steps(early);
        self.memory_may_serve();
    }

    pub(super) fn memory_may_serve(&mut self) {
        if self.has_memory()
            && let Some(generation) = self.current.clone()
            && !self.inspects()
        {
            self.follow_protocols(&generation);
        }
    }
}

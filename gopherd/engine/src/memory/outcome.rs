//! How work ends: what the store has done, what could not be done, and who is told.

use std::time::Instant;

use gopher_protocol::robot_api::RetVal;

use crate::{
    engine::Engine,
    store::{Done, Store},
};

use super::{MOVED, Place, work::Work};

impl Engine {
    /// What the store has done.
    pub(crate) fn hear_store(&mut self) {
        let done = self.memory.store.as_ref().map(Store::done).unwrap_or_default();
        for done in done {
            match done {
                Done::Opened(opened) => self.store_opened(opened),
                Done::Written { call, result } => {
                    let Some(work) = self.memory.at_store.remove(&call) else { continue };
                    match result {
                        Ok(()) => self.stored(work),
                        Err(reason) => self.work_failed(work, &reason),
                    }
                }
                Done::Read { call, result } => {
                    let Some(work) = self.memory.at_store.remove(&call) else { continue };
                    match (result, work) {
                        (Ok(Some((version, sealed))), Work::Fetch { key, bytes, .. }) => {
                            self.open(Work::Fetch { key, version, bytes }, sealed);
                        }
                        (Ok(Some((version, sealed))), Work::Restore { paper, .. }) => {
                            self.open(Work::Restore { paper, version }, sealed);
                        }
                        (Ok(None), Work::Fetch { key, version, bytes }) => {
                            self.memory.under_way -= bytes;
                            self.fetched(key, "", version);
                        }
                        (Ok(_), work) => self.work_failed(work, "it is not there any more"),
                        (Err(reason), work) => self.work_failed(work, &reason),
                    }
                }
            }
        }
    }

    pub(super) fn stored(&mut self, work: Work) {
        self.memory.under_way -= work.bytes();
        if self.memory.trouble.take().is_some() {
            self.log.info("memories are kept again");
        }
        let steps = match work {
            Work::Put { asker, key, datum, version } => {
                self.memory.values.wrote(&key, datum, version);
                self.written(asker, &key, false, RetVal::Ok)
            }
            Work::Remove { asker, key } => {
                self.memory.values.remove(&key);
                self.written(asker, &key, true, RetVal::Ok)
            }
            Work::Save { paper, .. } => {
                self.memory.papers.saved(paper);
                Vec::new()
            }
            Work::Moved => {
                self.memory.old = None;
                Vec::new()
            }
            Work::Fetch { .. } | Work::Restore { .. } | Work::Foreign { .. } | Work::Copy { .. } => Vec::new(),
        };
        self.take_steps(steps);
    }

    pub(super) fn fetched(&mut self, key: String, text: &str, version: u64) {
        if !self.memory.values.learn(&key, text.to_owned(), version) && self.memory.values.known(&key).is_some() {
            // It was written anew while the old value was on its way.
            return self.fetch(key);
        }
        let found = self.memory.values.known(&key).map(|_| (text.to_owned(), version));
        for (asker, token) in self.memory.fetching.remove(&key).unwrap_or_default() {
            self.give(asker, token, found.clone(), RetVal::Ok);
        }
        self.pin_ended(&key);
    }

    /// Whatever waited for the values that must be at hand goes on.
    pub(super) fn pin_ended(&mut self, key: &str) {
        if self.memory.values.is_pinned(key) {
            self.memory_may_serve();
        }
    }

    /// Memories of Gopherbot have been moved over: nobody is told any more that they are to be.
    pub(super) fn note_moved(&mut self) {
        if self.memory.place == Place::Stored && self.memory.old.is_some() {
            let (call, version) = (self.call_number(), self.memory.next_version());
            self.memory.write(call, MOVED, version, Some(Vec::new()), Work::Moved);
        }
    }

    pub(super) fn work_failed(&mut self, work: Work, reason: &str) {
        self.memory.under_way -= work.bytes();
        let name = work.name().key;
        self.in_trouble(format!("'{name}': {reason}"));
        match work {
            Work::Put { asker, key, .. } => {
                let steps = self.written(asker, &key, false, RetVal::BrainFailed);
                self.take_steps(steps);
            }
            Work::Remove { asker, key } => {
                let steps = self.written(asker, &key, true, RetVal::BrainFailed);
                self.take_steps(steps);
            }
            Work::Fetch { key, .. } => {
                for (asker, token) in self.memory.fetching.remove(&key).unwrap_or_default() {
                    self.give(asker, String::new(), None, RetVal::BrainFailed);
                    let steps = self.brain.checkin(&key, &token, Instant::now());
                    self.take_steps(steps);
                }
                self.pin_ended(&key);
            }
            Work::Save { paper, .. } => self.memory.papers.not_saved(paper, Instant::now()),
            Work::Restore { paper, .. } => {
                self.memory.papers.lost(paper);
                self.memory_may_serve();
            }
            // It is said again, and that is all.
            Work::Moved => {}
            Work::Copy { client } => self.refuse(client, reason),
            Work::Foreign { client, key } => self.refuse(client, &format!("'{key}' is not moved: {reason}")),
        }
    }

    /// Told once, until something has gone well again.
    pub(super) fn in_trouble(&mut self, trouble: String) {
        if self.memory.trouble.as_ref() != Some(&trouble) {
            self.log.error(&format!("a memory cannot be kept or read: {trouble}"));
            self.memory.trouble = Some(trouble);
        }
    }
}

//! Slots of pipelines: each has a scratch workspace, and where there are several uids, a uid of its own.

use std::collections::{HashMap, VecDeque};

use gopher_protocol::ids::PipelineId;

/// A pipeline's slot, its live runs, and whether another may come.
struct Lease {
    slot: u32,
    live: u32,
    closed: bool,
}

/// Freed slots go to the end of the queue: the longest unused is leased next.
pub(crate) struct Leases {
    free: VecDeque<u32>,
    leased: HashMap<PipelineId, Lease>,
}

impl Leases {
    pub(crate) fn new(slots: impl Iterator<Item = u32>) -> Self {
        Self { free: slots.collect(), leased: HashMap::new() }
    }

    /// Takes a free slot out, to have a process ready in it.
    pub(crate) fn take(&mut self) -> Option<u32> {
        self.free.pop_front()
    }

    /// Puts a slot back that no pipeline had.
    pub(crate) fn give_back(&mut self, slot: u32) {
        self.free.push_back(slot);
    }

    /// The slot for a run of this pipeline: its own, else one that `ready` offers, else a free one.
    pub(crate) fn enter(&mut self, pipeline: PipelineId, ready: impl FnOnce() -> Option<u32>) -> Option<u32> {
        if let Some(lease) = self.leased.get_mut(&pipeline) {
            lease.live += 1;
            return Some(lease.slot);
        }
        let slot = ready().or_else(|| self.take())?;
        self.leased.insert(pipeline, Lease { slot, live: 1, closed: false });
        Some(slot)
    }

    /// A run has ended; the slot, if the pipeline is over and must be released.
    pub(crate) fn leave(&mut self, pipeline: PipelineId) -> Option<u32> {
        let lease = self.leased.get_mut(&pipeline)?;
        lease.live = lease.live.saturating_sub(1);
        (lease.closed && lease.live == 0).then_some(lease.slot)
    }

    /// No further run will come; the slot, if none lives and the pipeline must be released.
    pub(crate) fn close(&mut self, pipeline: PipelineId) -> Option<u32> {
        let lease = self.leased.get_mut(&pipeline)?;
        lease.closed = true;
        (lease.live == 0).then_some(lease.slot)
    }

    /// Nothing of the slot's pipeline is left.
    pub(crate) fn release(&mut self, slot: u32) {
        let pipeline = self.leased.iter().find(|(_, lease)| lease.slot == slot).map(|(pipeline, _)| *pipeline);
        if pipeline.is_some_and(|p| self.leased.remove(&p).is_some()) {
            self.free.push_back(slot);
        }
    }

    /// The pipelines of a vanished engine: slots to be released now; others are when their last run ends.
    pub(crate) fn close_all(&mut self) -> Vec<u32> {
        let all: Vec<PipelineId> = self.leased.keys().copied().collect();
        all.into_iter().filter_map(|p| self.close(p)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: fn() -> Option<u32> = || None;

    #[test]
    fn a_pipeline_keeps_its_slot_and_shares_it_with_nobody() {
        let (a, b, c) = (PipelineId(1), PipelineId(2), PipelineId(3));
        let mut leases = Leases::new(1..=2);
        assert_eq!((leases.enter(a, NONE), leases.enter(b, NONE)), (Some(1), Some(2)));
        assert_eq!(leases.enter(a, NONE), Some(1));
        assert_eq!(leases.enter(c, NONE), None, "all are leased");
        assert_eq!(leases.close(a), None, "two runs live");
        assert_eq!(leases.leave(a), None);
        assert_eq!(leases.leave(a), Some(1), "the last one was closed");
        assert_eq!(leases.enter(c, NONE), None, "not before nothing is left of it");
        leases.release(1);
        assert_eq!(leases.enter(c, NONE), Some(1));
    }

    #[test]
    fn a_pipeline_without_runs_is_over_when_it_closes() {
        let mut leases = Leases::new(1..=1);
        leases.enter(PipelineId(9), NONE);
        assert_eq!(leases.leave(PipelineId(9)), None, "another step may come");
        assert_eq!(leases.close(PipelineId(9)), Some(1));
        assert_eq!(leases.close(PipelineId(10)), None, "unknown");
    }

    #[test]
    fn a_ready_slot_is_used_first_and_only_for_a_new_pipeline() {
        let mut leases = Leases::new(1..=3);
        let ready = leases.take();
        assert_eq!(leases.enter(PipelineId(1), || ready), Some(1));
        assert_eq!(leases.enter(PipelineId(1), || Some(3)), Some(1), "its own comes first");
        assert_eq!(leases.enter(PipelineId(2), NONE), Some(2));
        leases.give_back(1);
    }
}

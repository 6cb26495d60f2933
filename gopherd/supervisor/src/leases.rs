//! Uids of unprivileged pipelines: one each while the pipeline lives.

use std::collections::{HashMap, VecDeque};

use gopher_protocol::ids::PipelineId;

/// A lease: the uid, the pipeline's live runs, and whether another may come.
struct Lease {
    uid: u32,
    live: u32,
    closed: bool,
}

/// Uids inside a spawner's namespace, counted from 1.
enum Uids {
    /// One for each pipeline; freed ones go to the end of the queue: the longest unused is leased next.
    Own(VecDeque<u32>),
    /// The same for all: privileged pipelines.
    Shared,
}

/// Which pipelines live, and under which uids.
pub(crate) struct Leases {
    uids: Uids,
    leased: HashMap<PipelineId, Lease>,
}

impl Leases {
    /// A uid of its own for each of at most `count` pipelines.
    pub(crate) fn own(count: u32) -> Self {
        Self { uids: Uids::Own((1..=count).collect()), leased: HashMap::new() }
    }

    /// One uid for all pipelines.
    pub(crate) fn shared() -> Self {
        Self { uids: Uids::Shared, leased: HashMap::new() }
    }

    /// The uid for a run of this pipeline; `None` if all are leased.
    pub(crate) fn enter(&mut self, pipeline: PipelineId) -> Option<u32> {
        if let Some(lease) = self.leased.get_mut(&pipeline) {
            lease.live += 1;
            return Some(lease.uid);
        }
        let uid = match &mut self.uids {
            Uids::Own(free) => free.pop_front()?,
            Uids::Shared => 1,
        };
        self.leased.insert(pipeline, Lease { uid, live: 1, closed: false });
        Some(uid)
    }

    /// A run has ended; `true` if the pipeline is over and must be released.
    pub(crate) fn leave(&mut self, pipeline: PipelineId) -> bool {
        self.leased.get_mut(&pipeline).is_some_and(|lease| {
            lease.live = lease.live.saturating_sub(1);
            lease.closed && lease.live == 0
        })
    }

    /// No further run will come; `true` if none lives and the pipeline must be released.
    pub(crate) fn close(&mut self, pipeline: PipelineId) -> bool {
        self.leased.get_mut(&pipeline).is_some_and(|lease| {
            lease.closed = true;
            lease.live == 0
        })
    }

    /// Nothing of the pipeline is left.
    pub(crate) fn release(&mut self, pipeline: PipelineId) {
        if let (Some(lease), Uids::Own(free)) = (self.leased.remove(&pipeline), &mut self.uids) {
            free.push_back(lease.uid);
        }
    }

    /// Pipelines of a vanished engine.
    pub(crate) fn close_all(&mut self) -> Vec<PipelineId> {
        let all: Vec<PipelineId> = self.leased.keys().copied().collect();
        all.into_iter().filter(|p| self.close(*p)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_keeps_its_uid_and_shares_it_with_nobody() {
        let (a, b, c) = (PipelineId(1), PipelineId(2), PipelineId(3));
        let mut leases = Leases::own(2);
        assert_eq!((leases.enter(a), leases.enter(b)), (Some(1), Some(2)));
        assert_eq!(leases.enter(a), Some(1));
        assert_eq!(leases.enter(c), None, "all are leased");
        assert!(!leases.close(a), "two runs live");
        assert!(!leases.leave(a));
        assert!(leases.leave(a), "the last one was closed");
        assert_eq!(leases.enter(c), None, "not before nothing is left of it");
        leases.release(a);
        assert_eq!(leases.enter(c), Some(1));
    }

    #[test]
    fn privileged_pipelines_share_a_uid_and_are_released_all_the_same() {
        let mut leases = Leases::shared();
        assert_eq!((leases.enter(PipelineId(1)), leases.enter(PipelineId(2))), (Some(1), Some(1)));
        assert!(!leases.leave(PipelineId(1)));
        assert!(leases.close(PipelineId(1)));
    }

    #[test]
    fn a_pipeline_without_runs_is_over_when_it_closes() {
        let mut leases = Leases::own(1);
        leases.enter(PipelineId(9));
        assert!(!leases.leave(PipelineId(9)), "another step may come");
        assert!(leases.close(PipelineId(9)));
        assert!(!leases.close(PipelineId(10)), "unknown");
    }
}

//! Runs between their request and their end, and the processes that are or will be runs.

use std::collections::HashMap;

use std::os::fd::OwnedFd;

use gopher_protocol::{
    ids::{Generation, PipelineId, RunId},
    robot::Limits,
    supervisor::SpawnOrder,
};
use gopher_sys::process::Child;

use crate::spawners::Profile;

/// One live run, or a configuration load.
pub(crate) struct Run {
    pub(crate) pipeline: PipelineId,
    pub(crate) profile: Profile,
    pub(crate) slot: u32,
    pub(crate) limits: Limits,
    /// Which load this is, if it is one.
    pub(crate) load: Option<Generation>,
    /// What its process will be told, with the links it gets; until that is there.
    pub(crate) order: Option<(SpawnOrder, Vec<OwnedFd>)>,
    /// Its first process, once it has its order.
    pub(crate) pid: Option<u32>,
    /// KILL was asked for before the process was there.
    pub(crate) kill: bool,
}

/// A process that a spawner made: it waits for its order, or it is a run.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) profile: Profile,
    pub(crate) slot: u32,
    pub(crate) state: State,
}

/// What a spawner's process is.
#[derive(Debug)]
pub(crate) enum State {
    /// It waits at its end of this link; no pipeline has its slot.
    Waiting(OwnedFd),
    /// It was made for a run that is not to have it, and ends.
    Dropped,
    Run(RunId),
}

/// All live runs.
#[derive(Default)]
pub(crate) struct Runs(pub(crate) HashMap<RunId, Run>);

impl Runs {
    /// The run of this profile whose process in this slot is the next to be made: they are made in their order.
    pub(crate) fn unmade_in(&self, profile: Profile, slot: u32) -> Option<RunId> {
        let unmade = |run: &Run| run.profile == profile && run.slot == slot && run.pid.is_none();
        self.0.iter().filter(|(_, run)| unmade(run)).map(|(id, _)| *id).min_by_key(|id| id.0)
    }

    /// Runs that a vanished spawner has not made yet.
    pub(crate) fn unmade_of(&self, profile: Profile) -> Vec<RunId> {
        self.0.iter().filter(|(_, run)| run.profile == profile && run.pid.is_none()).map(|(id, _)| *id).collect()
    }

    /// Whether any run uses this profile.
    pub(crate) fn use_profile(&self, profile: Profile) -> bool {
        self.0.values().any(|run| run.profile == profile)
    }
}

/// Loads have no number of the engine's: they count down from the top.
pub(crate) fn load_ids(generation: Generation) -> (RunId, PipelineId) {
    (RunId(u64::MAX - generation.0), PipelineId(u64::MAX - generation.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_goes_to_the_first_that_waits_for_one_in_its_slot() {
        let profile = Profile { generation: Generation(1), privileged: false, network: true };
        let run = |slot, pid| Run {
            pipeline: PipelineId(1),
            profile,
            slot,
            limits: Limits::default(),
            load: None,
            order: None,
            pid,
            kill: false,
        };
        let runs = [(1, run(7, Some(99))), (2, run(8, None)), (4, run(7, None)), (3, run(7, None))];
        let runs = Runs(runs.into_iter().map(|(id, run)| (RunId(id), run)).collect());
        assert_eq!(runs.unmade_in(profile, 7), Some(RunId(3)));
        assert_eq!(runs.unmade_in(Profile { network: false, ..profile }, 7), None);
        assert_eq!(runs.unmade_in(profile, 9), None);
    }

    #[test]
    fn loads_and_runs_never_share_a_number() {
        let (run, pipeline) = load_ids(Generation(1));
        assert!(run.0 > u64::MAX / 2 && pipeline.0 > u64::MAX / 2);
        assert_ne!(load_ids(Generation(2)).0, run);
    }
}

//! Spawners: one per profile and generation in use.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use gopher_protocol::{
    ids::Generation,
    robot::Limits,
    supervisor::{GenerationSettings, RunMode, SpawnerPlan, SpawnerToSupervisor, SupervisorToSpawner, When},
};
use gopher_sys::process;

use crate::{
    accounts::Accounts,
    error::SupervisorError,
    files::Files,
    role::{Programs, Role},
};

/// What all runs of a spawner have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Profile {
    pub(crate) generation: Generation,
    pub(crate) privileged: bool,
    pub(crate) network: bool,
}

/// Processes that wait for their order, for each spawner.
const BLANKS: usize = 2;

/// A live spawner.
pub(crate) struct Spawner {
    pub(crate) profile: Profile,
    pub(crate) role: Role<SupervisorToSpawner, SpawnerToSupervisor>,
    /// Slots in which a process waits for its order, the longest waiting first: it is the best prepared.
    pub(crate) blanks: VecDeque<u32>,
    /// Slots in which one is being made.
    pub(crate) preparing: Vec<u32>,
    /// Slots whose pipeline is over and of which nothing is to be left.
    pub(crate) releasing: Vec<u32>,
    /// What waits until its walls stand; `None` once they do.
    waiting: Option<Vec<SupervisorToSpawner>>,
}

impl Spawner {
    pub(crate) fn start(programs: &Programs, profile: Profile, plan: SpawnerPlan) -> Result<Self, SupervisorError> {
        // As root it takes the view with root's eyes, then becomes what its user namespace allows.
        let name = format!(
            "gopher-worker: spawner{}{}",
            if profile.privileged { ", privileged" } else { "" },
            if profile.network { "" } else { ", no network" }
        );
        // Its libraries find each other's functions now, once, and not in each of the processes it makes.
        let mut role = Role::start(programs, &programs.worker, &name, None, vec![c"LD_BIND_NOW=1".to_owned()])?;
        role.tell(&SupervisorToSpawner::Begin { plan }, Vec::new());
        Ok(Self {
            profile,
            role,
            blanks: VecDeque::new(),
            preparing: Vec::new(),
            releasing: Vec::new(),
            waiting: Some(Vec::new()),
        })
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.waiting.is_none()
    }

    /// Passes a message on, at once or when the walls stand. A spawner that is gone takes its orders with it; its
    /// end answers them.
    pub(crate) fn tell(&mut self, message: SupervisorToSpawner) {
        match &mut self.waiting {
            Some(waiting) => waiting.push(message),
            None => self.role.tell(&message, Vec::new()),
        }
    }

    /// Has another process made for later, if there are too few.
    pub(crate) fn prepare(&mut self, when: &When, take: impl FnOnce() -> Option<(u32, u32)>) -> bool {
        if !self.is_ready() || self.blanks.len() + self.preparing.len() >= BLANKS {
            return false;
        }
        let Some((slot, uid)) = take() else { return false };
        self.preparing.push(slot);
        self.tell(SupervisorToSpawner::Make { slot, uid, limits: Limits::default(), when: when.clone() });
        true
    }

    /// Has what a pipeline left in its slot removed.
    pub(crate) fn release(&mut self, slot: u32) {
        self.releasing.push(slot);
        self.tell(SupervisorToSpawner::Release { slot });
    }

    /// A process was made in `slot`; `true` if it is one for later.
    pub(crate) fn made(&mut self, slot: u32) -> bool {
        let later = self.was_preparing(slot);
        if later {
            self.blanks.push_back(slot);
        }
        later
    }

    /// A process that was to be made in `slot` is made, or cannot be; `true` if it is one for later.
    pub(crate) fn was_preparing(&mut self, slot: u32) -> bool {
        let index = self.preparing.iter().position(|s| *s == slot);
        index.map(|index| self.preparing.swap_remove(index)).is_some()
    }

    /// The walls stand.
    pub(crate) fn ready(&mut self) {
        for message in self.waiting.take().unwrap_or_default() {
            self.role.tell(&message, Vec::new());
        }
    }

    /// Gives the spawner its ids.
    pub(crate) fn map_ids(&mut self, accounts: &Accounts) -> Result<(), SupervisorError> {
        let map = accounts.map(self.profile.privileged);
        process::map_child(&self.role.child, &map)
            .map_err(|source| SupervisorError::Start { role: "spawner".into(), source })?;
        Ok(self.role.link.send(&SupervisorToSpawner::Mapped)?)
    }
}

/// What runs of a profile may see.
pub(crate) fn plan(
    profile: Profile,
    mode: &RunMode,
    files: &Files,
    settings: &GenerationSettings,
    read_paths: &[PathBuf],
    run_uid: u32,
) -> SpawnerPlan {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    SpawnerPlan {
        generation: profile.generation,
        privileged: profile.privileged,
        network: profile.network,
        isolation: mode.clone(),
        home: text(&files.home),
        config_dir: text(&files.config_dir),
        install_dir: text(&files.install_dir),
        scratch_dir: text(&files.scratch),
        work_space: settings.work_space.clone(),
        read_paths: read_paths.iter().map(|p| text(p)).chain(settings.read_paths.iter().cloned()).collect(),
        run_uid,
    }
}

//! Runs and configuration loads: uids, links, spawners, ends.

use super::*;

/// How long a spawner that is asked to stop may take; it does one thing at a time, each in milliseconds.
const SPAWNER_PATIENCE: Duration = Duration::from_secs(1);
/// How long a run has to start before processes are made for the next ones.
const MOMENT: Duration = Duration::from_millis(2);

impl Supervisor {
    /// Starts one run: its two links first, so that both peers may speak before it listens.
    pub(super) fn spawn(&mut self, request: &SpawnRequest) -> Result<(), SupervisorError> {
        let run = request.run;
        let profile = Profile {
            generation: request.generation,
            privileged: request.privileged && !request.configure,
            network: request.network && !request.configure,
        };
        let Some(slot) = self.enter(profile, request.pipeline) else {
            let reason = format!("{POOL} pipelines are running already; try again when some have ended");
            self.tell_engine(&SupervisorToEngine::SpawnFailed { run, reason }, Vec::new());
            return Ok(());
        };
        self.runs.0.insert(
            run,
            Run {
                pipeline: request.pipeline,
                profile,
                slot,
                limits: request.limits,
                load: None,
                order: None,
                pid: None,
                kill: false,
            },
        );
        let (secretd_end, worker_secretd) = links::secretd_and_worker()?;
        let (engine_end, worker_engine) = links::engine_and_worker()?;
        if self.secretd.is_none() {
            self.run_failed(run, "gopher-secretd is being restarted; try again in a moment".to_owned());
            return Ok(());
        }
        // Its process first, which takes longest to wake; what it says meanwhile waits in its links.
        let order = SpawnOrder { task: request.task.clone(), kind: SpawnKind::Run };
        self.order(run, order, vec![worker_engine, worker_secretd])?;
        let opened = SupervisorToSecretd::RunOpened {
            run,
            task: request.task.clone(),
            starter: request.starter.clone(),
            generation: request.generation,
            configure: request.configure,
        };
        self.put_closed();
        if let Some(secretd) = &mut self.secretd {
            secretd.tell(&opened, vec![secretd_end]);
        }
        self.tell_engine(&SupervisorToEngine::Spawned { run }, vec![engine_end]);
        Ok(())
    }

    /// Tells secretd which runs are over.
    pub(super) fn tell_closed(&mut self) {
        self.put_closed();
        self.flush();
    }

    /// The same, with what it is told next.
    fn put_closed(&mut self) {
        self.tell_closed = None;
        for run in self.closed.drain(..) {
            if let Some(secretd) = &mut self.secretd {
                secretd.put(&SupervisorToSecretd::RunClosed { run });
            }
        }
    }

    fn enter(&mut self, profile: Profile, pipeline: PipelineId) -> Option<u32> {
        let spawner = self.spawners.get_mut(&profile);
        let leases = if profile.privileged { &mut self.job_leases } else { &mut self.leases };
        leases.enter(pipeline, || spawner?.blanks.pop_front())
    }

    /// Has processes ready for the next runs of every profile.
    pub(super) fn replenish(&mut self) {
        self.replenish = None;
        let wanted = |p: &&Profile| self.settings.contains_key(&p.generation) && !self.is_stale(**p);
        let profiles: Vec<Profile> = self.spawners.keys().filter(wanted).copied().collect();
        for profile in profiles {
            self.have_ready(profile, &When::Idle);
        }
    }

    /// A run is about to end: nobody waits for it any more, so this is the time to prepare for the next one.
    pub(super) fn concluded(&mut self, run: RunId) {
        let Some(profile) = self.runs.0.get(&run).map(|live| live.profile) else { return };
        if !self.is_stale(profile) {
            self.have_ready(profile, &When::Spare);
        }
    }

    /// Whether no run of this profile will start any more.
    fn is_stale(&self, profile: Profile) -> bool {
        let generation = profile.generation;
        self.settings.keys().max().is_some_and(|active| generation < *active) || self.dropped.contains(&generation)
    }

    /// Has processes ready for the next runs of a profile.
    fn have_ready(&mut self, profile: Profile, when: &When) {
        let Some(spawner) = self.spawners.get_mut(&profile) else { return };
        let leases = if profile.privileged { &mut self.job_leases } else { &mut self.leases };
        let accounts = &self.accounts;
        while spawner.prepare(when, || leases.take().map(|slot| (slot, accounts.run_uid(profile.privileged, slot)))) {}
    }

    pub(super) fn load(&mut self, generation: Generation, read_paths: Vec<String>) -> Result<(), SupervisorError> {
        self.loads.insert(generation, read_paths);
        let (run, pipeline) = load_ids(generation);
        let profile = Profile { generation, privileged: false, network: false };
        let Some(slot) = self.enter(profile, pipeline) else {
            let reason = format!("{POOL} pipelines are running already");
            self.tell_engine(&SupervisorToEngine::LoaderGone { generation, reason }, Vec::new());
            return Ok(());
        };
        self.leases.close(pipeline);
        let limits = Limits { cpu_seconds: 20, ..Default::default() };
        self.runs.0.insert(
            run,
            Run { pipeline, profile, slot, limits, load: Some(generation), order: None, pid: None, kill: false },
        );
        let (secretd_end, loader_secretd) = links::secretd_and_loader()?;
        let (engine_end, loader_engine) = links::engine_and_loader()?;
        let Some(secretd) = &mut self.secretd else {
            self.run_failed(run, "gopher-secretd is being restarted".to_owned());
            return Ok(());
        };
        secretd.tell(&SupervisorToSecretd::LoaderOpened { generation }, vec![secretd_end]);
        self.tell_engine(&SupervisorToEngine::Loader { generation }, vec![engine_end]);
        let order = SpawnOrder { task: TaskName::default(), kind: SpawnKind::Load };
        self.order(run, order, vec![loader_engine, loader_secretd])
    }

    /// Gives an order to the process that waits in the run's slot, or has one made for it.
    fn order(&mut self, run: RunId, order: SpawnOrder, links: Vec<OwnedFd>) -> Result<(), SupervisorError> {
        let Some(live) = self.runs.0.get_mut(&run) else { return Ok(()) };
        live.order = Some((order, links));
        let (profile, slot, limits) = (live.profile, live.slot, live.limits);
        if !self.spawners.contains_key(&profile) {
            self.start_spawner(profile)?;
        }
        let waits = |process: &Process| {
            process.profile == profile && process.slot == slot && matches!(process.state, State::Waiting(_))
        };
        if let Some(pid) = self.processes.iter().find(|(_, process)| waits(process)).map(|(pid, _)| *pid) {
            if limits == Limits::default() {
                self.give_order(pid, run);
                return Ok(());
            }
            // It was made for the usual limits, and can have no others.
            self.drop_process(pid);
        }
        let uid = self.accounts.run_uid(profile.privileged, slot);
        if let Some(spawner) = self.spawners.get_mut(&profile) {
            spawner.tell(SupervisorToSpawner::Make { slot, uid, limits, when: When::Wanted });
        }
        Ok(())
    }

    /// Lets a process that waits end: its link does.
    fn drop_process(&mut self, pid: u32) {
        if let Some(process) = self.processes.get_mut(&pid) {
            process.state = State::Dropped;
        }
    }

    /// Makes a process that waits a run.
    fn give_order(&mut self, pid: u32, run: RunId) {
        let (Some(process), Some(live)) = (self.processes.get_mut(&pid), self.runs.0.get_mut(&run)) else { return };
        let (State::Waiting(waiting), Some((order, links))) =
            (std::mem::replace(&mut process.state, State::Run(run)), live.order.take())
        else {
            return;
        };
        live.pid = Some(pid);
        let (limits, kill) = (live.limits, live.kill);
        let link = Link::<SupervisorToProcess, SpawnerToSupervisor>::new(waiting);
        let sent = link.and_then(|mut link| {
            link.send_with(&SupervisorToProcess::Spawn { order }, links)?;
            // A few bytes into an empty socket.
            if link.wants_write() { Err(LinkError::Torn) } else { Ok(()) }
        });
        self.group(|groups| groups.limit(pid, &limits));
        // That of one which has ended already is told by its end.
        if kill || sent.is_err() {
            self.kill_run(run);
        }
        // Another one is made when this run is over, or in a moment: what it needs to start comes first.
        self.replenish.get_or_insert_with(|| Instant::now() + MOMENT);
    }

    fn start_spawner(&mut self, profile: Profile) -> Result<(), SupervisorError> {
        let settings = self.settings.get(&profile.generation).cloned();
        let settings = settings.unwrap_or_else(|| GenerationSettings {
            work_space: None,
            read_paths: self.loads.get(&profile.generation).cloned().unwrap_or_default(),
            profiles: Vec::new(),
        });
        let mut read_paths = self.options.read_paths.clone();
        read_paths.extend(self.options.root.clone());
        if !self.accounts.separate() {
            let home = self.environment.home.as_deref().map(std::path::Path::new);
            read_paths.extend(search_path::trees(&self.environment.path, home));
        }
        let plan = spawners::plan(
            profile,
            &self.mode,
            &self.files,
            &settings,
            &read_paths,
            self.accounts.run_uid(profile.privileged, 1),
        );
        let spawner = Spawner::start(&self.programs, profile, plan)?;
        let link = spawner.role.link.as_fd().try_clone_to_owned();
        let link = link.map_err(SupervisorError::file("duplicate", "link".as_ref()))?;
        self.watch(link, Source::Spawner(profile))?;
        self.watch(&spawner.role.child.pidfd, Source::SpawnerEnd(profile))?;
        self.spawners.insert(profile, spawner);
        self.status_changed = true;
        Ok(())
    }

    pub(super) fn spawner_ready(&mut self, profile: Profile) -> Result<(), SupervisorError> {
        while let Some(spawner) = self.spawners.get_mut(&profile) {
            match spawner.role.link.receive() {
                Ok(Some((message, descriptors))) => self.spawner_message(profile, message, descriptors)?,
                Ok(None) => break,
                Err(error) => {
                    if !matches!(error, LinkError::Closed) {
                        eprintln!("gopherd: spawner: {error}");
                    }
                    spawner.role.kill();
                    self.forget(&Source::Spawner(profile));
                    break;
                }
            }
        }
        Ok(())
    }

    fn spawner_message(
        &mut self,
        profile: Profile,
        message: SpawnerToSupervisor,
        mut descriptors: Vec<OwnedFd>,
    ) -> Result<(), SupervisorError> {
        match message {
            SpawnerToSupervisor::MapIds => {
                if let Some(spawner) = self.spawners.get_mut(&profile) {
                    spawner.map_ids(&self.accounts)?;
                }
            }
            SpawnerToSupervisor::Ready { report } => self.note_report(profile, report),
            SpawnerToSupervisor::Made { pid, slot } => {
                let (Some(waiting), Some(pidfd)) = (descriptors.pop(), descriptors.pop()) else { return Ok(()) };
                self.watch(&pidfd, Source::ProcessEnd(pid))?;
                self.group(|groups| groups.enter(pid));
                let child = process::Child { pid, pidfd };
                self.processes.insert(pid, Process { child, profile, slot, state: State::Waiting(waiting) });
                if self.spawners.get_mut(&profile).is_some_and(|spawner| spawner.made(slot)) {
                    return Ok(());
                }
                match self.runs.unmade_in(profile, slot) {
                    Some(run) => self.give_order(pid, run),
                    None => self.drop_process(pid),
                }
            }
            SpawnerToSupervisor::NotMade { slot, reason } => {
                if self.spawners.get_mut(&profile).is_some_and(|spawner| spawner.was_preparing(slot)) {
                    // Not fatal: the next run has one made, and says why it cannot be.
                    eprintln!("gopherd: no process could be made ready: {reason}");
                    self.leases_of(profile.privileged).give_back(slot);
                } else if let Some(run) = self.runs.unmade_in(profile, slot) {
                    self.run_failed(run, reason);
                }
            }
            SpawnerToSupervisor::Released { slot } => {
                if let Some(spawner) = self.spawners.get_mut(&profile) {
                    spawner.releasing.retain(|s| *s != slot);
                }
                self.leases_of(profile.privileged).release(slot);
            }
            SpawnerToSupervisor::Refused { reason } => {
                if self.start_mode.is_some() && self.settings.is_empty() {
                    let remedy = match self.mode {
                        RunMode::Plain => {
                            "; where the kernel or a container forbids user namespaces, --no-isolation runs without them"
                        }
                        RunMode::Packaged | RunMode::Unconfined => "",
                    };
                    return Err(SupervisorError::Refused(format!("{reason}{remedy}")));
                }
                eprintln!("gopherd: {reason}");
            }
        }
        Ok(())
    }

    fn note_report(&mut self, profile: Profile, report: SandboxReport) {
        let mut missing = report.missing;
        if report.landlock_abi == 0 {
            missing.push(
                "Landlock is not available in this kernel: files of a run are fenced by its view alone".to_owned(),
            );
        } else if report.landlock_abi < 4 && !profile.network {
            missing.push(
                "This kernel's Landlock does not fence TCP: runs without network reach each other's API ports"
                    .to_owned(),
            );
        }
        for sentence in missing {
            self.lacks(sentence);
        }
        if let Some(spawner) = self.spawners.get_mut(&profile) {
            spawner.ready();
        }
        if self.settings.contains_key(&profile.generation) {
            self.have_ready(profile, &When::Idle);
        }
    }

    pub(super) fn generation_active(
        &mut self,
        generation: Generation,
        settings: GenerationSettings,
    ) -> Result<(), SupervisorError> {
        if let Some(path) = settings.work_space.as_deref().map(std::path::Path::new)
            && !path.is_dir()
        {
            match std::fs::create_dir_all(path).map_err(SupervisorError::file("create", path)) {
                Ok(()) => files::give(path, self.accounts.job())?,
                Err(error) => self.lacks(format!("The WorkSpace is not there: {error}")),
            }
        }
        let profiles = settings.profiles.clone();
        // The spawner of its loader goes on if runs are to see the same.
        let seen = self.loads.remove(&generation).unwrap_or_default();
        let changed = settings.work_space.is_some() || settings.read_paths != seen;
        self.settings.insert(generation, settings);
        self.settings.retain(|g, _| g.0 + 1 >= generation.0);
        self.dropped.retain(|g| *g > generation);
        let stale: Vec<Profile> =
            self.spawners.keys().filter(|p| p.generation != generation || changed).copied().collect();
        for profile in stale {
            self.retire(profile);
        }
        for (privileged, network) in profiles {
            let profile = Profile { generation, privileged, network };
            if self.spawners.contains_key(&profile) {
                self.have_ready(profile, &When::Idle);
            } else {
                self.start_spawner(profile)?;
            }
        }
        Ok(())
    }

    /// A configuration that will not be in force: what was started for it ends, with its last run.
    pub(super) fn generation_dropped(&mut self, generation: Generation) {
        self.loads.remove(&generation);
        self.dropped.insert(generation);
        let stale: Vec<Profile> = self.spawners.keys().filter(|p| p.generation == generation).copied().collect();
        for profile in stale {
            self.retire(profile);
        }
    }

    /// Ends a spawner that no run will need again; runs it made live on.
    ///
    /// It is asked and heard to its end: what it has made is our child, and what it has cleaned is free.
    fn retire(&mut self, profile: Profile) {
        if self.runs.use_profile(profile) {
            return;
        }
        let Some(spawner) = self.spawners.get_mut(&profile) else { return };
        spawner.role.tell(&SupervisorToSpawner::Stop, Vec::new());
        let patience = Instant::now() + SPAWNER_PATIENCE;
        while let Some(spawner) = self.spawners.get_mut(&profile) {
            let left = patience.saturating_duration_since(Instant::now());
            match spawner.role.link.wait_for(left) {
                Ok(Some((message, descriptors))) => {
                    if let Err(error) = self.spawner_message(profile, message, descriptors) {
                        eprintln!("gopherd: {error}");
                    }
                }
                Ok(None) if !left.is_zero() => {}
                Ok(None) | Err(_) => break,
            }
        }
        self.bury(profile);
    }

    /// Ends what is left of a spawner, and gives back what it had.
    fn bury(&mut self, profile: Profile) -> Option<(Spawner, String)> {
        self.forget(&Source::Spawner(profile));
        self.forget(&Source::SpawnerEnd(profile));
        let spawner = self.spawners.remove(&profile)?;
        spawner.role.kill();
        let exit = describe(process::wait(&spawner.role.child.pidfd));
        self.status_changed = true;
        // Nobody will give them an order; their ends give their slots back.
        let waits = |process: &&Process| process.profile == profile && matches!(process.state, State::Waiting(_));
        for process in self.processes.values().filter(waits) {
            let _ = process::signal(&process.child.pidfd, Signal::SIGKILL);
        }
        for slot in &spawner.preparing {
            self.leases_of(profile.privileged).give_back(*slot);
        }
        for slot in &spawner.releasing {
            self.release(profile.privileged, *slot);
        }
        Some((spawner, exit))
    }

    pub(super) fn spawner_ended(&mut self, profile: Profile) -> Result<(), SupervisorError> {
        // What it said last is about processes that live on.
        self.spawner_ready(profile)?;
        let Some((spawner, exit)) = self.bury(profile) else { return Ok(()) };
        if !spawner.is_ready() && self.settings.is_empty() {
            return Err(SupervisorError::Refused(format!("runs cannot be started here: the spawner ended ({exit})")));
        }
        for run in self.runs.unmade_of(profile) {
            self.run_failed(run, format!("the process that starts runs ended ({exit}); try again"));
        }
        Ok(())
    }

    pub(super) fn kill_run(&mut self, run: RunId) {
        let Some(live) = self.runs.0.get_mut(&run) else { return };
        match live.pid.and_then(|pid| self.processes.get(&pid)) {
            // Of its pid namespace it is the first process: the kernel ends the others with it.
            Some(process) => drop(process::signal(&process.child.pidfd, Signal::SIGKILL)),
            None => live.kill = true,
        }
    }

    fn run_failed(&mut self, run: RunId, reason: String) {
        let Some(live) = self.runs.0.remove(&run) else { return };
        let message = match live.load {
            Some(generation) => SupervisorToEngine::LoaderGone { generation, reason },
            None => SupervisorToEngine::SpawnFailed { run, reason },
        };
        self.tell_engine(&message, Vec::new());
        self.run_over(run, &live);
    }

    pub(super) fn process_ended(&mut self, pid: u32) {
        self.forget(&Source::ProcessEnd(pid));
        let Some(process) = self.processes.remove(&pid) else { return };
        let exit = process::wait(&process.child.pidfd);
        if let Some(groups) = &mut self.groups {
            groups.end(pid);
        }
        let run = match process.state {
            State::Run(run) => run,
            State::Waiting(_) => {
                if let Some(spawner) = self.spawners.get_mut(&process.profile) {
                    spawner.blanks.retain(|slot| *slot != process.slot);
                }
                self.leases_of(process.profile.privileged).give_back(process.slot);
                return;
            }
            State::Dropped => return,
        };
        let Some(live) = self.runs.0.remove(&run) else { return };
        let message = match (live.load, exit) {
            (Some(generation), exit) => SupervisorToEngine::LoaderGone { generation, reason: describe(exit) },
            (None, Ok(Exit::Code(code))) => SupervisorToEngine::Exited { run, exit: RunExit::Code(code) },
            (None, Ok(Exit::Signal(signal))) => SupervisorToEngine::Exited { run, exit: RunExit::Signal(signal) },
            (None, Err(_)) => SupervisorToEngine::Exited { run, exit: RunExit::Code(70) },
        };
        self.tell_engine(&message, Vec::new());
        self.end_orphans();
        self.run_over(run, &live);
    }

    /// Does something with the groups of runs, where there are any.
    fn group(&mut self, what: impl FnOnce(&Groups) -> std::io::Result<()>) {
        let Some(Err(error)) = self.groups.as_ref().map(what) else { return };
        // A run may be over before it is in its group.
        if error.raw_os_error() != Some(Errno::ESRCH as i32) {
            self.lacks(format!("Not every run has a cgroup: {error}; its limits are kept process by process"));
        }
    }

    fn run_over(&mut self, run: RunId, live: &Run) {
        if live.load.is_none() {
            self.closed.push(run);
            self.tell_closed.get_or_insert_with(|| Instant::now() + MOMENT);
        }
        let stale = self.is_stale(live.profile);
        if !stale && live.load.is_none() {
            self.have_ready(live.profile, &When::Idle);
        }
        let privileged = live.profile.privileged;
        if let Some(slot) = self.leases_of(privileged).leave(live.pipeline) {
            self.release(privileged, slot);
        }
        if stale {
            self.retire(live.profile);
        }
    }

    pub(super) fn leases_of(&mut self, privileged: bool) -> &mut Leases {
        if privileged { &mut self.job_leases } else { &mut self.leases }
    }

    /// No further run of this pipeline will come.
    pub(super) fn close_pipeline(&mut self, pipeline: PipelineId) {
        for privileged in [false, true] {
            if let Some(slot) = self.leases_of(privileged).close(pipeline) {
                self.release(privileged, slot);
            }
        }
    }

    /// Has what a pipeline left removed; its uid is free when that is confirmed.
    pub(super) fn release(&mut self, privileged: bool, slot: u32) {
        let profile = self.spawners.keys().find(|p| p.privileged == privileged).copied();
        match profile.and_then(|p| self.spawners.get_mut(&p)) {
            Some(spawner) => spawner.release(slot),
            // Its directory waits for the next start of the robot.
            None => self.leases_of(privileged).release(slot),
        }
    }
}

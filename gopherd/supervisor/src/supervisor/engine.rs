//! Starting the engine and serving its requests.

use super::*;
use crate::old_memories;

impl Supervisor {
    pub(super) fn start_engine(&mut self) -> Result<(), SupervisorError> {
        let Some(start_mode) = self.start_mode.clone() else { return Ok(()) };
        let account = self.accounts.engine();
        let mut role = Role::start(&self.programs, &self.programs.engine, "gopher-engine", account, Vec::new())?;
        role.tell(&SupervisorToEngine::Begin { start: Box::new(self.engine_start(start_mode)) }, Vec::new());
        let directory = self.files.role_directory("engine", account)?;
        let directory =
            nix::fcntl::open(&directory, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
                .map_err(SupervisorError::system("open state/engine"))?;
        // Before the other one, for with that the engine's walls go up.
        if let Some(memories) = old_memories::directory(&self.files.home) {
            role.tell(&SupervisorToEngine::OldMemories, vec![memories]);
        }
        role.tell(&SupervisorToEngine::StateDirectory, vec![directory]);
        let admin = self.admin.as_fd().try_clone_to_owned();
        let admin = admin.map_err(SupervisorError::file("duplicate", "admin socket".as_ref()))?;
        role.tell(&SupervisorToEngine::AdminSocket, vec![admin]);
        self.watch(
            role.link.as_fd().try_clone_to_owned().map_err(SupervisorError::file("duplicate", "link".as_ref()))?,
            Source::Engine,
        )?;
        self.watch(&role.child.pidfd, Source::EngineEnd)?;
        self.engine_backoff.started(Instant::now());
        self.engine = Some(role);
        self.status_changed = true;
        self.join_engine_and_secretd()
    }

    fn engine_start(&self, mode: StartMode) -> EngineStart {
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let owner = geteuid().as_raw();
        let owner_name = nix::unistd::User::from_uid(geteuid()).ok().flatten().map(|user| user.name);
        EngineStart {
            sources: Sources {
                home: text(&self.files.home),
                config_dir: text(&self.files.config_dir),
                install_dir: text(&self.files.install_dir),
                demo_extensions: mode == StartMode::Demo,
                mode,
                protocol: self.options.protocol.clone(),
                extra_root: self.options.root.as_deref().map(text),
            },
            isolation: Isolation { mode: self.mode.clone(), missing: self.missing.clone() },
            version: gopher_protocol::hello::BUILD.to_owned(),
            owner_uid: owner,
            owner_name: owner_name.unwrap_or_else(|| owner.to_string()),
            cookie: self.cookie.clone(),
            max_runs: POOL,
            pass_through: self.environment.pass_through.clone(),
            hidden_commands_off: self.options.capabilities_off.clone(),
            inspect: self.options.inspect.is_some(),
            old_memories: old_memories::place(&self.files.home),
        }
    }

    pub(super) fn engine_ready(&mut self) -> Result<(), SupervisorError> {
        while let Some(role) = &mut self.engine {
            match role.link.receive() {
                Ok(Some((message, _))) => self.engine_message(message)?,
                Ok(None) => break,
                Err(LinkError::Closed) => {
                    self.forget(&Source::Engine);
                    break;
                }
                Err(error) => {
                    eprintln!("gopherd: engine: {error}");
                    role.kill();
                    self.forget(&Source::Engine);
                    break;
                }
            }
        }
        Ok(())
    }

    fn engine_message(&mut self, message: EngineToSupervisor) -> Result<(), SupervisorError> {
        match message {
            EngineToSupervisor::Ready | EngineToSupervisor::Up => self.status_changed = true,
            EngineToSupervisor::Pong { .. } => {
                if let Some(role) = &mut self.engine {
                    role.last_pong = Instant::now();
                }
            }
            EngineToSupervisor::Spawn { request } => self.spawn(&request)?,
            EngineToSupervisor::Kill { run } => self.kill_run(run),
            EngineToSupervisor::Concluded { run } => self.concluded(run),
            EngineToSupervisor::PipelineClosed { pipeline } => self.close_pipeline(pipeline),
            EngineToSupervisor::Load { generation, read_paths } => self.load(generation, read_paths)?,
            EngineToSupervisor::GenerationActive { generation, settings } => {
                self.generation_active(generation, settings)?;
            }
            EngineToSupervisor::GenerationDropped { generation } => self.generation_dropped(generation),
            EngineToSupervisor::StartConnector { name } => self.start_connector(&name)?,
            EngineToSupervisor::StopConnector { name } => self.stop_connector(&name),
            EngineToSupervisor::UseOldMemories => {
                let trouble = old_memories::give(&self.files.home, self.accounts.engine()).err();
                self.tell_engine(&SupervisorToEngine::UseOldMemories { trouble }, Vec::new());
            }
            EngineToSupervisor::Quit { failed } => match failed {
                Some(reason) => return Err(SupervisorError::Refused(reason)),
                None => self.end(ExitCode::SUCCESS),
            },
        }
        Ok(())
    }

    pub(super) fn tell_engine(&mut self, message: &SupervisorToEngine, descriptors: Vec<OwnedFd>) {
        if let Some(engine) = &mut self.engine {
            // An engine that is gone is replaced when its end is seen.
            engine.tell(message, descriptors);
        }
    }

    /// A new engine knows nothing of what the old one had started.
    pub(super) fn engine_ended(&mut self) {
        let Some(role) = self.engine.take() else { return };
        self.forget(&Source::Engine);
        self.forget(&Source::EngineEnd);
        let exit = describe(process::wait(&role.child.pidfd));
        self.status_changed = true;
        if self.ending.is_some() {
            self.exit.get_or_insert(ExitCode::SUCCESS);
            return;
        }
        eprintln!("gopherd: gopher-engine ended ({exit}); it is started again");
        self.engine_backoff.ended(Instant::now(), exit);
        let runs: Vec<RunId> = self.runs.0.keys().copied().collect();
        for run in runs {
            self.kill_run(run);
        }
        // A run that is still being made ends with its spawner, so that nothing of the old engine keeps the new one waiting.
        for spawner in self.spawners.values().filter(|s| s.is_ready() && !self.runs.unmade_of(s.profile).is_empty()) {
            spawner.role.kill();
        }
        for privileged in [false, true] {
            for slot in self.leases_of(privileged).close_all() {
                self.release(privileged, slot);
            }
        }
        for name in self.connectors.keys().cloned().collect::<Vec<_>>() {
            self.stop_connector(&name);
        }
    }
}

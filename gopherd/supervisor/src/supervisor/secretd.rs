//! Starting secretd with what it reads by descriptor, and what follows from its end.

use super::*;

impl Supervisor {
    pub(super) fn start_secretd(&mut self) -> Result<(), SupervisorError> {
        let account = self.accounts.secretd();
        let mut role = Role::start(&self.programs, &self.programs.secretd, "gopher-secretd", account, Vec::new())?;
        if let Some(fd) = self.options.launch_fd.take() {
            let memory = descriptors::inherited(fd).map_err(SupervisorError::system("--launch-fd"))?;
            if self.launch_keys {
                role.tell(&SupervisorToSecretd::LaunchEnvironment, vec![memory]);
            } else {
                self.launch_settings = Some(memory);
            }
        }
        if let Some(memory) = &self.launch_settings {
            let memory = memory.try_clone().map_err(SupervisorError::file("duplicate", "launch values".as_ref()))?;
            role.tell(&SupervisorToSecretd::LaunchEnvironment, vec![memory]);
        }
        role.tell(&SupervisorToSecretd::HostEnvironment, vec![handoff::host_values()?]);
        if let Some((name, file)) = self.files.private_environment()? {
            role.tell(&SupervisorToSecretd::PrivateEnvironment { name }, vec![file]);
        }
        for (name, file) in self.files.key_files()? {
            role.tell(&SupervisorToSecretd::KeyFile { name }, vec![file]);
        }
        if let Some(file) = self.files.new_key_file() {
            role.tell(&SupervisorToSecretd::NewKeyFile, vec![file]);
        }
        let directory = self.files.role_directory("secretd", account)?;
        let audit = Files::append_only(&directory, "audit.log", account)?;
        role.tell(&SupervisorToSecretd::AuditFile, vec![audit]);
        let layout = Layout {
            robot_in_home: self.files.robot_in_home,
            robot_in_custom: self.files.robot_in_custom,
            demo: self.options.demo,
            inspect: self.options.inspect.is_some(),
        };
        role.tell(&SupervisorToSecretd::Begin { layout }, Vec::new());
        self.watch(
            role.link.as_fd().try_clone_to_owned().map_err(SupervisorError::file("duplicate", "link".as_ref()))?,
            Source::Secretd,
        )?;
        self.watch(&role.child.pidfd, Source::SecretdEnd)?;
        self.secretd_backoff.started(Instant::now());
        self.secretd = Some(role);
        self.status_changed = true;
        Ok(())
    }

    pub(super) fn secretd_ready(&mut self) -> Result<(), SupervisorError> {
        while let Some(role) = &mut self.secretd {
            match role.link.receive() {
                Ok(Some((message, _))) => self.secretd_message(message)?,
                Ok(None) => break,
                // Its process ends too, and that is what is acted on.
                Err(LinkError::Closed) => {
                    self.forget(&Source::Secretd);
                    break;
                }
                Err(error) => {
                    eprintln!("gopherd: secretd: {error}");
                    role.kill();
                    self.forget(&Source::Secretd);
                    break;
                }
            }
        }
        Ok(())
    }

    fn secretd_message(&mut self, message: SecretdToSupervisor) -> Result<(), SupervisorError> {
        match message {
            SecretdToSupervisor::Ready { mode, locked_memory } => {
                self.files.drop_new_key_file();
                if locked_memory == gopher_protocol::supervisor::LockedMemory::Plain {
                    self.lacks(
                        "Keys may be swapped to disk: neither memfd_secret nor mlock is allowed here".to_owned(),
                    );
                }
                if mode == StartMode::Demo && !self.options.demo && self.start_mode.is_none() {
                    eprintln!(
                        "gopherd: there is no conf/robot.yaml in {}, so this is the default robot in demo mode",
                        self.files.home.display()
                    );
                }
                self.start_mode = Some(mode);
                if self.engine.is_none() {
                    self.start_engine()?;
                } else {
                    self.join_engine_and_secretd()?;
                }
            }
            SecretdToSupervisor::Pong { .. } => {
                if let Some(role) = &mut self.secretd {
                    role.last_pong = Instant::now();
                }
            }
            SecretdToSupervisor::KeyFileWritten => self.files.keep_new_key_file()?,
            SecretdToSupervisor::Refused { reason } => {
                self.files.drop_new_key_file();
                return Err(SupervisorError::Refused(reason));
            }
        }
        Ok(())
    }

    /// A new link between the two, for a new one of either.
    pub(super) fn join_engine_and_secretd(&mut self) -> Result<(), SupervisorError> {
        let (Some(engine), Some(secretd)) = (&mut self.engine, &mut self.secretd) else { return Ok(()) };
        let (engine_end, secretd_end) = links::engine_and_secretd()?;
        secretd.tell(&SupervisorToSecretd::Engine, vec![secretd_end]);
        engine.tell(&SupervisorToEngine::Secretd, vec![engine_end]);
        Ok(())
    }

    /// Without secretd no run keeps what it was given.
    pub(super) fn secretd_ended(&mut self) -> Result<(), SupervisorError> {
        let Some(role) = self.secretd.take() else { return Ok(()) };
        self.forget(&Source::Secretd);
        self.forget(&Source::SecretdEnd);
        let exit = describe(process::wait(&role.child.pidfd));
        self.status_changed = true;
        if self.ending.is_some() {
            return Ok(());
        }
        let killed: Vec<RunId> = self.runs.0.keys().copied().collect();
        for run in killed {
            self.kill_run(run);
        }
        if self.launch_keys {
            return Err(SupervisorError::Refused(format!(
                "gopher-secretd ended ({exit}), and its key came from the environment, which is gone: start the robot again"
            )));
        }
        if self.start_mode.is_none() {
            return Err(SupervisorError::Refused(format!("gopher-secretd ended ({exit}) before it was ready")));
        }
        eprintln!("gopherd: gopher-secretd ended ({exit}); it is started again");
        self.secretd_backoff.ended(Instant::now(), exit);
        Ok(())
    }
}

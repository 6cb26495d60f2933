//! The life of a robot: start its processes in order, serve their requests, end them all.

use std::{
    collections::{HashMap, HashSet},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixListener,
    },
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use gopher_protocol::{
    ids::{Generation, PipelineId, RunId, TaskName},
    loader::{Sources, StartMode},
    robot::Limits,
    supervisor::{
        ConnectorToSupervisor, EngineStart, EngineToSupervisor, GenerationSettings, Isolation, Layout, RunExit,
        RunMode, SandboxReport, SecretdToSupervisor, SpawnKind, SpawnOrder, SpawnRequest, SpawnerToSupervisor,
        SupervisorToConnector, SupervisorToEngine, SupervisorToProcess, SupervisorToSecretd, SupervisorToSpawner, When,
    },
};
use gopher_sys::{
    Link, LinkError, Poller, confine, descriptors,
    poll::Ready,
    process::{self, Exit},
};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    sys::{
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
        stat::Mode,
    },
    unistd::geteuid,
};

use crate::{
    accounts::{Accounts, POOL},
    cgroup::{self, Groups},
    error::SupervisorError,
    files::{self, Files},
    handoff::{self, Environment},
    leases::Leases,
    links,
    options::{Options, USAGE},
    orphans,
    role::{Backoff, Programs, Role},
    runs::{Process, Run, Runs, State, load_ids},
    search_path,
    spawners::{self, Profile, Spawner},
    status::{self, RoleStatus},
};

/// Between two questions to a role whether it lives.
const PING: Duration = Duration::from_secs(10);
/// A role that is silent for longer is replaced.
const SILENCE: Duration = Duration::from_mins(1);
/// How long a robot may take to end.
const FAREWELL: Duration = Duration::from_secs(8);

/// Whose descriptor is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Signals,
    Secretd,
    SecretdEnd,
    Engine,
    EngineEnd,
    Connector(String),
    ConnectorEnd(String),
    Spawner(Profile),
    SpawnerEnd(Profile),
    ProcessEnd(u32),
}

struct Connector {
    index: u32,
    role: Option<Role<SupervisorToConnector, ConnectorToSupervisor>>,
    backoff: Backoff,
}

struct Supervisor {
    options: Options,
    environment: Environment,
    accounts: Accounts,
    files: Files,
    programs: Programs,
    poller: Poller,
    signals: SignalFd,
    sources: HashMap<u64, Source>,
    next_token: u64,
    admin: UnixListener,
    cookie: Option<String>,
    test_socket: Option<OwnedFd>,
    mode: RunMode,
    missing: Vec<String>,
    /// Of runs, where the robot may make them.
    groups: Option<Groups>,
    start_mode: Option<StartMode>,
    /// `GOPHER_*` values of the launch environment, where no key is among them, for a secretd that is restarted.
    launch_settings: Option<OwnedFd>,
    /// Keys came from the launch environment: they cannot be had a second time.
    launch_keys: bool,
    secretd: Option<Role<SupervisorToSecretd, SecretdToSupervisor>>,
    secretd_backoff: Backoff,
    engine: Option<Role<SupervisorToEngine, EngineToSupervisor>>,
    engine_backoff: Backoff,
    connectors: HashMap<String, Connector>,
    spawners: HashMap<Profile, Spawner>,
    settings: HashMap<Generation, GenerationSettings>,
    /// Directories that the loaders of generations not yet in force see.
    loads: HashMap<Generation, Vec<String>>,
    /// Generations that will not be in force.
    dropped: HashSet<Generation>,
    runs: Runs,
    /// By their number here.
    processes: HashMap<u32, Process>,
    leases: Leases,
    job_leases: Leases,
    /// When processes are made in place of those that were given an order.
    replenish: Option<Instant>,
    /// Runs that are over, of which secretd is told with the next one that begins, or then at the latest.
    closed: Vec<RunId>,
    tell_closed: Option<Instant>,
    next_ping: Instant,
    nonce: u64,
    ending: Option<Instant>,
    exit: Option<ExitCode>,
    status_changed: bool,
}

/// Runs a robot until it ends.
pub(crate) fn run() -> Result<ExitCode, SupervisorError> {
    let options = Options::parse(std::env::args_os().skip(1))?;
    if options.help {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    if options.version {
        println!("gopherd {}", gopher_protocol::hello::BUILD);
        return Ok(ExitCode::SUCCESS);
    }
    if options.launch_fd.is_none() {
        handoff::take_launch_values()?;
    }
    confine::be_prompt();
    let mut supervisor = Supervisor::prepare(options)?;
    let code = supervisor.start_secretd().and_then(|()| supervisor.serve());
    supervisor.files.leave();
    code
}

impl Supervisor {
    fn prepare(mut options: Options) -> Result<Self, SupervisorError> {
        let system = SupervisorError::system;
        // What runs are shown has no `..` and no links in it.
        for dir in options.root.iter_mut().chain(&mut options.read_paths) {
            *dir = std::fs::canonicalize(&*dir).map_err(SupervisorError::file("open", dir))?;
        }
        let environment = Environment::read();
        let home = options.home.clone().unwrap_or_else(|| PathBuf::from("."));
        let runtime_dir = environment.runtime_dir.as_ref().map(PathBuf::from);
        let files =
            Files::open(&home, options.install_dir.as_deref(), runtime_dir.as_deref(), options.inspect.as_deref())?;
        let accounts = Accounts::choose(&files.home)?;
        if options.no_isolation {
            if accounts.separate() {
                return Err(SupervisorError::Usage(
                    "--no-isolation would let runs be root: start the robot as an ordinary user, or without it".into(),
                ));
            }
            // What a run leaves behind comes to us when its first process is gone.
            confine::adopt_orphans().map_err(SupervisorError::Orphans)?;
        }
        files::give(&files.scratch, accounts.spawner())?;
        let test_socket = options.test_fd.map(descriptors::inherited).transpose().map_err(system("--test-fd"))?;
        let mode = match (options.no_isolation, accounts.separate()) {
            (true, _) => RunMode::Unconfined,
            (false, true) => RunMode::Packaged,
            (false, false) => RunMode::Plain,
        };
        let mut missing = match mode {
            RunMode::Unconfined => {
                vec!["Runs are not separated from each other or from this account (--no-isolation); TMPDIR is their workspace, /tmp is closed to them".to_owned()]
            }
            RunMode::Packaged | RunMode::Plain => Vec::new(),
        };
        let groups = own_group();
        if let Err(reason) = &groups {
            missing.push(format!(
                "No cgroup is delegated to this robot: {reason}; limits of runs are kept process by process, and their memory is summed five times a second"
            ));
        }
        let poller = Poller::new().map_err(system("epoll_create"))?;
        let mut set = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            set.add(signal);
        }
        set.thread_block().map_err(system("sigprocmask"))?;
        let signals =
            SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).map_err(system("signalfd"))?;
        poller.add(signals.as_fd(), 0, false).map_err(system("epoll_ctl"))?;
        let cookie = if accounts.separate() { None } else { Some(files.cookie()?) };
        Ok(Self {
            programs: Programs::open()?,
            admin: files.admin_socket()?,
            cookie,
            launch_settings: None,
            launch_keys: options.launch_fd.is_some() && !options.launch_settings,
            options,
            environment,
            accounts,
            files,
            poller,
            signals,
            sources: HashMap::from([(0, Source::Signals)]),
            next_token: 1,
            test_socket,
            mode,
            missing,
            groups: groups.ok(),
            start_mode: None,
            secretd: None,
            secretd_backoff: Backoff::default(),
            engine: None,
            engine_backoff: Backoff::default(),
            connectors: HashMap::new(),
            spawners: HashMap::new(),
            settings: HashMap::new(),
            loads: HashMap::new(),
            dropped: HashSet::new(),
            runs: Runs::default(),
            processes: HashMap::new(),
            leases: Leases::new(1..=POOL),
            job_leases: Leases::new(POOL + 1..=2 * POOL),
            replenish: None,
            closed: Vec::new(),
            tell_closed: None,
            next_ping: Instant::now() + PING,
            nonce: 0,
            ending: None,
            exit: None,
            status_changed: true,
        })
    }

    /// Notes what is missing here, for the status file and for the engine's status.
    fn lacks(&mut self, sentence: String) {
        if !self.missing.contains(&sentence) {
            self.tell_engine(&SupervisorToEngine::Missing { sentence: sentence.clone() }, Vec::new());
            self.missing.push(sentence);
            self.status_changed = true;
        }
    }

    fn watch(&mut self, fd: impl std::os::fd::AsFd, source: Source) -> Result<(), SupervisorError> {
        let token = self.next_token;
        self.next_token += 1;
        self.poller.add(fd, token, false).map_err(SupervisorError::system("epoll_ctl"))?;
        self.sources.insert(token, source);
        Ok(())
    }

    fn forget(&mut self, source: &Source) {
        self.sources.retain(|_, s| s != source);
    }

    fn serve(&mut self) -> Result<ExitCode, SupervisorError> {
        let served = self.serve_until_over();
        self.end_everything();
        served
    }

    fn serve_until_over(&mut self) -> Result<ExitCode, SupervisorError> {
        while self.exit.is_none() {
            self.flush();
            if std::mem::take(&mut self.status_changed) {
                self.write_status();
            }
            let ready = self.poller.wait(Some(self.wait_for())).map_err(SupervisorError::system("epoll_wait"))?;
            for Ready { token, .. } in ready {
                // An earlier event of this turn may have ended it.
                if let Some(source) = self.sources.get(&token).cloned() {
                    self.ready(&source)?;
                }
            }
            self.tick()?;
        }
        Ok(self.exit.unwrap_or(ExitCode::SUCCESS))
    }

    fn wait_for(&self) -> Duration {
        let now = Instant::now();
        // The numbers of the old engine's runs come again: a new one waits for their ends, which wake us.
        let engine = self.engine_backoff.due.filter(|_| self.runs.0.is_empty());
        let dues = [self.secretd_backoff.due, engine, self.ending.map(|at| at + FAREWELL)];
        let dues = dues.into_iter().flatten().chain(self.connectors.values().filter_map(|c| c.backoff.due));
        // A link that did not take everything is tried again soon; this is rare and never a loop.
        let blocked = self.links_blocked().then_some(now + Duration::from_millis(5));
        let next = dues
            .chain([self.next_ping])
            .chain(self.replenish)
            .chain(self.tell_closed)
            .chain(blocked)
            .min()
            .unwrap_or(now);
        next.saturating_duration_since(now)
    }

    fn links_blocked(&self) -> bool {
        self.engine.as_ref().is_some_and(|r| r.link.wants_write())
            || self.secretd.as_ref().is_some_and(|r| r.link.wants_write())
            || self.spawners.values().any(|s| s.role.link.wants_write())
            || self.connectors.values().any(|c| c.role.as_ref().is_some_and(|r| r.link.wants_write()))
    }

    /// Sends what links hold; a peer that is gone is noticed by its process ending.
    fn flush(&mut self) {
        if let Some(role) = &mut self.engine {
            let _ = role.link.flush();
        }
        if let Some(role) = &mut self.secretd {
            let _ = role.link.flush();
        }
        for spawner in self.spawners.values_mut() {
            let _ = spawner.role.link.flush();
        }
        for role in self.connectors.values_mut().filter_map(|c| c.role.as_mut()) {
            let _ = role.link.flush();
        }
    }

    fn ready(&mut self, source: &Source) -> Result<(), SupervisorError> {
        match source {
            Source::Signals => {
                self.signal();
                Ok(())
            }
            Source::Engine => self.engine_ready(),
            Source::Secretd => self.secretd_ready(),
            Source::Spawner(profile) => self.spawner_ready(*profile),
            Source::Connector(name) => {
                self.connector_ready(name);
                Ok(())
            }
            Source::ProcessEnd(pid) => {
                self.process_ended(*pid);
                Ok(())
            }
            Source::EngineEnd => {
                self.engine_ended();
                Ok(())
            }
            Source::SecretdEnd => self.secretd_ended(),
            Source::SpawnerEnd(profile) => self.spawner_ended(*profile),
            Source::ConnectorEnd(name) => {
                self.connector_ended(name);
                Ok(())
            }
        }
    }

    fn signal(&mut self) {
        while let Ok(Some(_)) = self.signals.read_signal() {
            self.end(ExitCode::SUCCESS);
        }
    }

    /// Asks the engine to end; what is left after a while is ended anyway.
    fn end(&mut self, code: ExitCode) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(Instant::now());
        let told = self.engine.as_mut().is_some_and(|engine| engine.link.send(&SupervisorToEngine::Stop).is_ok());
        if !told {
            self.exit = Some(code);
        }
    }

    fn tick(&mut self) -> Result<(), SupervisorError> {
        let now = Instant::now();
        if self.ending.is_some_and(|at| now >= at + FAREWELL) {
            self.exit.get_or_insert(ExitCode::SUCCESS);
        }
        if self.ending.is_some() {
            return Ok(());
        }
        if self.secretd.is_none() && self.secretd_backoff.is_due(now) {
            self.start_secretd()?;
        }
        if self.engine.is_none()
            && self.start_mode.is_some()
            && self.secretd.is_some()
            && self.engine_backoff.is_due(now)
            && self.runs.0.is_empty()
        {
            self.start_engine()?;
        }
        let due: Vec<String> = self
            .connectors
            .iter()
            .filter(|(_, c)| c.role.is_none() && c.backoff.is_due(now))
            .map(|(name, _)| name.clone())
            .collect();
        for name in due {
            self.start_connector(&name)?;
        }
        if self.replenish.is_some_and(|at| now >= at) {
            self.replenish();
        }
        if self.tell_closed.is_some_and(|at| now >= at) {
            self.tell_closed();
        }
        if now >= self.next_ping {
            self.next_ping = now + PING;
            self.ping(now);
        }
        Ok(())
    }

    /// Asks every role whether it lives, and replaces the silent ones.
    fn ping(&mut self, now: Instant) {
        self.nonce += 1;
        let nonce = self.nonce;
        let silent = |last: Instant| now.duration_since(last) > SILENCE;
        if let Some(role) = &mut self.engine {
            role.tell(&SupervisorToEngine::Ping { nonce }, Vec::new());
            if silent(role.last_pong) {
                role.kill();
            }
        }
        if let Some(role) = &mut self.secretd {
            role.tell(&SupervisorToSecretd::Ping { nonce }, Vec::new());
            if silent(role.last_pong) {
                role.kill();
            }
        }
        for role in self.connectors.values_mut().filter_map(|c| c.role.as_mut()) {
            role.tell(&SupervisorToConnector::Ping { nonce }, Vec::new());
            if silent(role.last_pong) {
                role.kill();
            }
        }
    }

    fn write_status(&self) {
        let one = |name: &str, pid: Option<u32>, backoff: &Backoff| RoleStatus {
            name: name.to_owned(),
            pid,
            restarts: backoff.restarts,
            last_exit: backoff.last_exit.clone(),
        };
        let mut roles = vec![
            one("secretd", self.secretd.as_ref().map(|r| r.child.pid), &self.secretd_backoff),
            one("engine", self.engine.as_ref().map(|r| r.child.pid), &self.engine_backoff),
        ];
        for (name, connector) in &self.connectors {
            let pid = connector.role.as_ref().map(|r| r.child.pid);
            roles.push(one(&format!("connector {name}"), pid, &connector.backoff));
        }
        for spawner in self.spawners.values() {
            roles.push(one("spawner", Some(spawner.role.child.pid), &Backoff::default()));
        }
        status::write(&self.files.run, &self.files.home, &roles, self.runs.0.len(), &self.missing);
    }

    /// Ends every process: nothing outlives its supervisor.
    fn end_everything(&mut self) {
        for spawner in self.spawners.values_mut() {
            spawner.role.kill();
            let _ = process::wait(&spawner.role.child.pidfd);
            // What it has made and we have not heard of yet is ours to end, too.
            while let Ok(Some((message, descriptors))) = spawner.role.link.receive() {
                if let (SpawnerToSupervisor::Made { .. }, Some(pidfd)) = (message, descriptors.into_iter().next()) {
                    let _ = process::signal(&pidfd, Signal::SIGKILL);
                    let _ = process::wait(&pidfd);
                }
            }
        }
        let connectors = self.connectors.values().filter_map(|c| c.role.as_ref()).map(|r| &r.child);
        let roles = self.engine.as_ref().map(|r| &r.child).into_iter().chain(self.secretd.as_ref().map(|r| &r.child));
        let runs = self.processes.values().map(|p| &p.child);
        for child in runs.chain(connectors).chain(roles) {
            let _ = process::signal(&child.pidfd, Signal::SIGKILL);
            let _ = process::wait(&child.pidfd);
        }
        self.end_orphans();
    }

    /// Without pid namespaces, what a run has left behind is a child of this process now.
    fn end_orphans(&self) {
        if matches!(self.mode, RunMode::Unconfined) {
            orphans::end();
        }
    }
}

/// The group this process is in, if it may be divided.
fn own_group() -> Result<Groups, cgroup::Unusable> {
    let membership = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    Groups::take(cgroup::ROOT.as_ref(), &membership, std::process::id())
}

/// How a process ended, for people.
fn describe(exit: Result<Exit, Errno>) -> String {
    match exit {
        Ok(Exit::Code(code)) => format!("exit code {code}"),
        Ok(Exit::Signal(signal)) => format!("signal {signal}"),
        Err(errno) => format!("unknown: {errno}"),
    }
}

mod connectors;
mod engine;
mod secretd;
mod spawning;

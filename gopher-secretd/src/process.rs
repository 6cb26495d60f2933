//! The process: one poller, the supervisor's link, and the peers it opens.
//!
//! | Phase | the supervisor may send |
//! |---|---|
//! | starting | `LaunchEnvironment`, `PrivateEnvironment`, `KeyFile`, `NewKeyFile`, `AuditFile` (nothing twice), `Begin` |
//! | serving | `RunOpened`, `RunClosed`, `LoaderOpened`, `ConnectorOpened`, `Engine` |
//! | both | `Ping`, `Stop` |
//!
//! Anything else ends the process: a supervisor that is out of step cannot be served safely.

use std::{
    collections::{HashMap, HashSet},
    os::fd::OwnedFd,
};

use gopher_protocol::{
    ids::{Generation, RunId},
    supervisor::{Layout, SecretdToSupervisor, SupervisorToSecretd},
};
use gopher_sys::{Link, LinkError, Poller, role};
use nix::errno::Errno;

use crate::{
    attachments::{OpenRun, Tables},
    audit::Event,
    error::SecretdError,
    peers::{Peer, PeerEnd, Vault, record_or_say},
    start_mode,
    startup::{KeyOrigin, Startup},
};

const SUPERVISOR: u64 = 0;

/// Serves until the supervisor says `Stop` or goes away.
pub fn serve(supervisor: OwnedFd) -> Result<(), SecretdError> {
    match Process::new(supervisor)?.run() {
        Err(SecretdError::Supervisor(LinkError::Closed)) => Ok(()),
        ended => ended,
    }
}

enum Phase {
    Starting(Box<Startup>),
    Serving(Box<Serving>),
}

struct Process {
    poller: Poller,
    supervisor: Link<SecretdToSupervisor, SupervisorToSecretd>,
    phase: Phase,
}

/// Everything that exists once keys are in place.
struct Serving {
    vault: Vault,
    peers: HashMap<u64, Peer>,
    /// Peers that have yet to read what is sent to them.
    blocked: HashSet<u64>,
    last_token: u64,
    /// Open runs with the generation each belongs to, whether or not its link still stands.
    runs: HashMap<RunId, (Generation, u64)>,
}

#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

fn system(call: &'static str) -> impl FnOnce(Errno) -> SecretdError {
    move |errno| SecretdError::System { call, errno }
}

impl Process {
    fn new(supervisor: OwnedFd) -> Result<Self, SecretdError> {
        let poller = Poller::new().map_err(system("epoll_create"))?;
        let supervisor = Link::new(supervisor)?;
        poller.add(&supervisor, SUPERVISOR, false).map_err(system("epoll_ctl"))?;
        Ok(Self { poller, supervisor, phase: Phase::Starting(Box::default()) })
    }

    fn run(mut self) -> Result<(), SecretdError> {
        self.supervisor.flush()?;
        loop {
            for ready in self.poller.wait(None).map_err(system("epoll_wait"))? {
                if ready.token != SUPERVISOR {
                    if let Phase::Serving(serving) = &mut self.phase {
                        serving.attend(&self.poller, ready.token);
                    }
                    continue;
                }
                match self.attend_supervisor() {
                    Ok(Next::Go) => {}
                    Ok(Next::Stop) => return Ok(()),
                    Err(error) => return Err(self.refuse(error)),
                }
            }
        }
    }

    /// Tells the supervisor what it must tell the administrator; a link that is broken is left alone.
    fn refuse(&mut self, error: SecretdError) -> SecretdError {
        if !matches!(error, SecretdError::Supervisor(_)) {
            let _ = self.supervisor.send(&SecretdToSupervisor::Refused { reason: error.to_string() });
            let _ = self.supervisor.drain();
        }
        error
    }

    fn attend_supervisor(&mut self) -> Result<Next, SecretdError> {
        while let Some((message, fds)) = self.supervisor.receive()? {
            if self.obey(message, fds.into_iter().next())? == Next::Stop {
                return Ok(Next::Stop);
            }
        }
        // Answers are few and short: a supervisor that does not read them has stopped working.
        self.supervisor.drain()?;
        Ok(Next::Go)
    }

    fn obey(&mut self, message: SupervisorToSecretd, fd: Option<OwnedFd>) -> Result<Next, SecretdError> {
        match message {
            SupervisorToSecretd::Ping { nonce } => self.supervisor.send(&SecretdToSupervisor::Pong { nonce })?,
            SupervisorToSecretd::Stop => return Ok(Next::Stop),
            message => match &mut self.phase {
                Phase::Serving(serving) => serving.obey(&self.poller, message, fd)?,
                Phase::Starting(startup) => {
                    if let Some(layout) = collect(startup, message, fd)? {
                        let serving = begin(std::mem::take(&mut **startup), &layout, &mut self.supervisor)?;
                        self.phase = Phase::Serving(Box::new(serving));
                    }
                }
            },
        }
        Ok(Next::Go)
    }
}

/// One message before `Begin`; its layout once that arrives.
fn collect(
    startup: &mut Startup,
    message: SupervisorToSecretd,
    fd: Option<OwnedFd>,
) -> Result<Option<Layout>, SecretdError> {
    let name = name(&message);
    let taken = match (message, fd) {
        (SupervisorToSecretd::Begin { layout }, _) => return Ok(Some(layout)),
        (SupervisorToSecretd::LaunchEnvironment, Some(fd)) => startup.launch_environment(fd),
        (SupervisorToSecretd::HostEnvironment, Some(fd)) => startup.host_environment(fd),
        (SupervisorToSecretd::PrivateEnvironment { name }, Some(fd)) => startup.private_environment(name, fd),
        (SupervisorToSecretd::KeyFile { name }, Some(fd)) => startup.key_file(name, fd),
        (SupervisorToSecretd::NewKeyFile, Some(fd)) => startup.new_key_file(fd),
        (SupervisorToSecretd::AuditFile, Some(fd)) => startup.audit_file(fd),
        _ => {
            return Err(SecretdError::OutOfTurn { message: name, when: "before Begin" });
        }
    };
    if taken { Ok(None) } else { Err(SecretdError::OutOfTurn { message: name, when: "once more than it may" }) }
}

fn begin(
    startup: Startup,
    layout: &Layout,
    supervisor: &mut Link<SecretdToSupervisor, SupervisorToSecretd>,
) -> Result<Serving, SecretdError> {
    let mut started = startup.begin(layout)?;
    // Everything is opened: from here on this process reads and writes what it holds, and nothing else.
    role::confine("secretd")?;
    let key = match started.origin {
        KeyOrigin::Opened => "opened",
        KeyOrigin::Made => "made",
        KeyOrigin::Temporary => "temporary",
    };
    let event = Event::Started { mode: start_mode::name(&started.mode), key };
    started.audit.record(&event).map_err(|error| SecretdError::NoAudit { reason: error.to_string() })?;
    if started.origin == KeyOrigin::Made {
        supervisor.send(&SecretdToSupervisor::KeyFileWritten)?;
    }
    let locked_memory = started.locked_memory();
    supervisor.send(&SecretdToSupervisor::Ready { mode: started.mode, locked_memory })?;
    Ok(Serving {
        vault: Vault {
            environment: started.environment,
            data_key: started.data_key,
            own_key: started.origin != KeyOrigin::Temporary,
            tables: Tables::default(),
            audit: started.audit,
        },
        peers: HashMap::new(),
        blocked: HashSet::new(),
        last_token: SUPERVISOR,
        runs: HashMap::new(),
    })
}

impl Serving {
    fn obey(&mut self, poller: &Poller, message: SupervisorToSecretd, fd: Option<OwnedFd>) -> Result<(), SecretdError> {
        let name = name(&message);
        let out_of_turn = |when| SecretdError::OutOfTurn { message: name, when };
        let peer = match (message, fd) {
            (SupervisorToSecretd::RunOpened { run, task, starter, generation, configure }, Some(fd)) => {
                if self.runs.contains_key(&run) {
                    return Err(out_of_turn("for a run that is open"));
                }
                self.runs.insert(run, (generation, self.last_token + 1));
                Peer::worker(fd, OpenRun { run, task, starter, generation, configure })
            }
            (SupervisorToSecretd::RunClosed { run }, _) => {
                // Unknown ones were opened with an earlier instance of this process.
                if let Some((_, token)) = self.runs.remove(&run)
                    && self.peers.get(&token).is_some_and(|peer| peer.run() == Some(run))
                {
                    self.forget(poller, token);
                }
                self.prune();
                return Ok(());
            }
            (SupervisorToSecretd::LoaderOpened { generation }, Some(fd)) => Peer::loader(fd, generation, &self.vault),
            (SupervisorToSecretd::ConnectorOpened { name }, Some(fd)) => Peer::connector(fd, name),
            (SupervisorToSecretd::Engine, Some(fd)) => {
                // There is one engine; the link of an earlier one is dead.
                let earlier = self.peers.iter().find(|(_, peer)| peer.is_engine()).map(|(token, _)| *token);
                if let Some(token) = earlier {
                    self.forget(poller, token);
                }
                Peer::engine(fd, &self.vault)
            }
            _ => return Err(out_of_turn("after Begin")),
        };
        self.last_token += 1;
        match peer {
            Ok(peer) => {
                poller.add(&peer, self.last_token, false).map_err(system("epoll_ctl"))?;
                self.peers.insert(self.last_token, peer);
            }
            // It was gone before its link was set up.
            Err(LinkError::Closed) => {}
            Err(error) => eprintln!("gopher-secretd: {name}: {error}"),
        }
        Ok(())
    }

    /// Serves one peer, and ends it if it breaks the rules.
    fn attend(&mut self, poller: &Poller, token: u64) {
        let Some(peer) = self.peers.get_mut(&token) else { return };
        let waiting = peer.answer(&mut self.vault).and_then(|()| peer.flush());
        let ended = match waiting {
            Ok(waiting) => {
                let changed = if waiting { self.blocked.insert(token) } else { self.blocked.remove(&token) };
                let watched = if changed { poller.modify(&*peer, token, waiting) } else { Ok(()) };
                watched.err().map(|errno| LinkError::System { call: "epoll_ctl", errno }.into())
            }
            Err(end) => Some(end),
        };
        if let Some(end) = ended {
            self.end(poller, token, &end);
        }
        self.prune();
    }

    fn end(&mut self, poller: &Poller, token: u64, end: &PeerEnd) {
        if let Some(peer) = self.peers.get(&token)
            && !end.is_ordinary()
        {
            let event = Event::PeerEnded { peer: &peer.to_string(), reason: &end.to_string() };
            record_or_say(&mut self.vault.audit, &event);
        }
        self.forget(poller, token);
    }

    fn forget(&mut self, poller: &Poller, token: u64) {
        self.blocked.remove(&token);
        if let Some(peer) = self.peers.remove(&token) {
            // Closing the descriptor would do as well; its failure leaves nothing behind.
            let _ = poller.remove(&peer);
        }
    }

    fn prune(&mut self) {
        if self.vault.tables.may_prune() {
            let in_use: HashSet<Generation> = self.runs.values().map(|(generation, _)| *generation).collect();
            self.vault.tables.prune(&in_use);
        }
    }
}

fn name(message: &SupervisorToSecretd) -> &'static str {
    match message {
        SupervisorToSecretd::LaunchEnvironment => "LaunchEnvironment",
        SupervisorToSecretd::PrivateEnvironment { .. } => "PrivateEnvironment",
        SupervisorToSecretd::KeyFile { .. } => "KeyFile",
        SupervisorToSecretd::NewKeyFile => "NewKeyFile",
        SupervisorToSecretd::Begin { .. } => "Begin",
        SupervisorToSecretd::RunOpened { .. } => "RunOpened",
        SupervisorToSecretd::RunClosed { .. } => "RunClosed",
        SupervisorToSecretd::HostEnvironment => "HostEnvironment",
        SupervisorToSecretd::LoaderOpened { .. } => "LoaderOpened",
        SupervisorToSecretd::ConnectorOpened { .. } => "ConnectorOpened",
        SupervisorToSecretd::Engine => "Engine",
        SupervisorToSecretd::Ping { .. } => "Ping",
        SupervisorToSecretd::Stop => "Stop",
        SupervisorToSecretd::AuditFile => "AuditFile",
    }
}

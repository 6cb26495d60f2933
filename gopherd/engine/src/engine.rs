//! The event loop: one poller, one table of peers, one thread.
//!
//! Policy lives in the other modules; here descriptors become ready, deadlines pass, and links fail.

use std::{
    collections::{HashMap, HashSet},
    os::fd::AsFd as _,
    os::{fd::OwnedFd, unix::net::UnixListener},
    rc::Rc,
    time::{Duration, Instant},
};

use gopher_protocol::{
    admin::LoadReport,
    ids::{CallId, DeliveryId, Generation as Number, PipelineId, RunId},
    secretd::{EngineToSecretd, SecretdToEngine},
    supervisor::{EngineStart, EngineToSupervisor, SupervisorToEngine},
};
use gopher_sys::{LinkError, Poller, confine, poll::Ready, role};

use crate::{
    admin::Client,
    audit::Audit,
    authorize::Waiting,
    brain::Brain,
    calls::LookUp,
    connectors::Connector,
    context::Context,
    defaults::Defaults,
    ephemeral::Ephemeral,
    error::EngineError,
    generation::Generation,
    journal::Journal,
    loading::{Inspected, Loader},
    log::{Log, now_ms},
    mailing::Mailing,
    memory::Memory,
    outbox::Outbox,
    pipeline::Pipeline,
    prompts::Prompts,
    queue::{Admission, Bounds},
    reload::{self, Requester},
    runs::Run,
    subscriptions::Subscriptions,
    wire::Wire,
};

/// Messages of one peer that are dealt with in one turn, so that none keeps the others waiting.
pub(crate) const BURST: usize = 64;
/// Bytes that may wait for a run or a connector to read them.
const BACKLOG: usize = 64 << 20;

/// Who is behind a token of the poller.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    Supervisor,
    Secretd,
    Store,
    Loader,
    Connector(Rc<str>),
    Mail,
    Worker(RunId),
    Listener,
    Client(u64),
}

/// Where the robot is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Until the first configuration is in force and the primary connector is up.
    Starting,
    /// Until these `_init` runs are over, or until this moment.
    Initializing {
        runs: HashSet<RunId>,
        until: Instant,
    },
    Open,
    /// Until all runs are over, or until this moment.
    Stopping {
        until: Instant,
    },
    /// Until every connector has said goodbye, or until this moment.
    Leaving {
        until: Instant,
    },
}

/// The whole state of the engine.
pub(crate) struct Engine {
    pub(crate) poller: Poller,
    /// Until then people are taken to be talking.
    pub(crate) talk_until: Instant,
    next_token: u64,
    who: HashMap<u64, Who>,
    pub(crate) supervisor: Wire<EngineToSupervisor, SupervisorToEngine>,
    /// Kept open for sealed records; secretd must not see its engine go away.
    pub(crate) secretd: Option<Wire<EngineToSecretd, SecretdToEngine>>,
    pub(crate) loader: Option<Loader>,
    /// The number of the newest generation that was asked for.
    pub(crate) newest: Number,
    pub(crate) defaults: Defaults,
    pub(crate) subscriptions: Subscriptions,
    /// Who asked for a reload while one was on its way.
    pub(crate) reloads: Vec<Requester>,
    pub(crate) inspected: Inspected,
    /// What came of the last load.
    pub(crate) last_load: LoadReport,
    pub(crate) connectors: HashMap<Rc<str>, Connector>,
    pub(crate) mail: Mailing,
    pub(crate) listener: Option<UnixListener>,
    pub(crate) clients: HashMap<u64, Client>,
    pub(crate) start: Option<EngineStart>,
    pub(crate) started: Instant,
    pub(crate) current: Option<Rc<Generation>>,
    pub(crate) phase: Phase,
    pub(crate) runs: HashMap<RunId, Run>,
    /// Those of them that no longer wait in line: the others have neither links nor anything that is due.
    pub(crate) admitted: HashSet<RunId>,
    /// Pipelines that are, or may become, more than one run.
    pub(crate) pipelines: HashMap<PipelineId, Pipeline>,
    /// Commands whose authorizer runs, by its run.
    pub(crate) waiting: HashMap<RunId, Waiting>,
    pub(crate) next_run: RunId,
    pub(crate) next_pipeline: PipelineId,
    pub(crate) admission: Admission<RunId>,
    pub(crate) prompts: Prompts,
    pub(crate) ephemeral: Ephemeral,
    pub(crate) brain: Brain,
    pub(crate) memory: Memory,
    pub(crate) journal: Journal,
    pub(crate) outbox: Outbox,
    pub(crate) log: Log,
    pub(crate) audit: Audit,
    /// Attributes asked of connectors.
    pub(crate) lookups: HashMap<CallId, LookUp>,
    /// Users who wait for what secretd encrypts.
    pub(crate) encrypting: HashMap<CallId, Context>,
    pub(crate) next_call: CallId,
    /// Admin clients that wait for the terminal connector to become a console.
    pub(crate) waiting_consoles: Vec<u64>,
    /// Connectors that wait for the end of the `_init` batch.
    pub(crate) idle_asks: Vec<(Rc<str>, CallId)>,
    /// Peers that have said more than their share of one turn.
    pub(crate) again: Vec<u64>,
    /// The supervisor is gone, or has been told goodbye.
    pub(crate) over: bool,
}

impl Engine {
    /// `socket` is the link to the supervisor.
    pub(crate) fn new(socket: OwnedFd) -> Result<Self, EngineError> {
        let poller = Poller::new().map_err(EngineError::system("epoll_create"))?;
        let supervisor = Wire::new(&poller, socket, 0).map_err(EngineError::Supervisor)?;
        // Numbers of messages must not come again after a restart: connectors know the old ones.
        let first_delivery = DeliveryId(now_ms() << 20);
        Ok(Self {
            poller,
            talk_until: Instant::now(),
            next_token: 1,
            who: HashMap::from([(0, Who::Supervisor)]),
            supervisor,
            secretd: None,
            loader: None,
            newest: Number(0),
            defaults: Defaults::default(),
            subscriptions: Subscriptions::default(),
            reloads: Vec::new(),
            inspected: Inspected::default(),
            last_load: reload::refused(Number(0), Vec::new()),
            connectors: HashMap::new(),
            mail: Mailing::new(first_delivery),
            listener: None,
            clients: HashMap::new(),
            start: None,
            started: Instant::now(),
            current: None,
            phase: Phase::Starting,
            runs: HashMap::new(),
            admitted: HashSet::new(),
            pipelines: HashMap::new(),
            waiting: HashMap::new(),
            next_run: RunId(1),
            next_pipeline: PipelineId(1),
            admission: Admission::new(Bounds::new(cores(), 256)),
            prompts: Prompts::default(),
            ephemeral: Ephemeral::default(),
            brain: Brain::default(),
            memory: Memory::default(),
            journal: Journal::default(),
            outbox: Outbox::new(first_delivery),
            log: Log::default(),
            audit: Audit::default(),
            lookups: HashMap::new(),
            encrypting: HashMap::new(),
            next_call: CallId(1),
            waiting_consoles: Vec::new(),
            idle_asks: Vec::new(),
            again: Vec::new(),
            over: false,
        })
    }

    /// Runs until the supervisor wants it no longer.
    pub(crate) fn run(&mut self) -> Result<(), EngineError> {
        while !self.over && self.log.directory().is_none() {
            self.turn(None)?;
        }
        // So far only the supervisor has spoken. Whatever else is needed comes over links as descriptors.
        if let Some(directory) = self.log.directory() {
            confine::only_beneath([directory.as_fd()].into_iter().chain(self.memory.legacy.directory()))?;
            // Its thread is under the same walls: no thread can be started once they are complete.
            self.start_store();
            role::confine_all_threads("engine")?;
        }
        while !self.over {
            self.turn(None)?;
        }
        self.end_store();
        Ok(())
    }

    /// One turn of the loop: waits for something, at most `longest`, and deals with all of it.
    pub(crate) fn turn(&mut self, longest: Option<Duration>) -> Result<(), EngineError> {
        let now = Instant::now();
        let due = self.deadline().map(|at| at.saturating_duration_since(now));
        let at_once = (!self.again.is_empty()).then_some(Duration::ZERO);
        let timeout = [due, longest, at_once].into_iter().flatten().min();
        let again = std::mem::take(&mut self.again);
        for ready in self.poller.wait(timeout).map_err(EngineError::system("epoll_wait"))? {
            self.ready(&ready);
        }
        for token in again {
            self.ready(&Ready { token, read: true, write: false });
        }
        self.expire(Instant::now());
        self.admit_runs();
        self.settle();
        Ok(())
    }

    /// A number for a new peer.
    pub(crate) fn token(&mut self, who: Who) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        self.who.insert(token, who);
        token
    }

    /// A number for a new admin client, which is known by it.
    pub(crate) fn client_token(&mut self) -> u64 {
        let token = self.next_token;
        self.token(Who::Client(token))
    }

    pub(crate) fn forget_token(&mut self, token: u64) {
        self.who.remove(&token);
    }

    fn ready(&mut self, ready: &Ready) {
        // A peer that ended earlier in this turn is no longer in the table.
        let Some(who) = self.who.get(&ready.token).cloned() else { return };
        if !ready.read {
            return;
        }
        match who {
            Who::Supervisor => self.hear_supervisor(),
            Who::Secretd => self.hear_secretd(),
            Who::Store => self.hear_store(),
            Who::Loader => self.hear_loader(),
            Who::Connector(name) => self.hear_connector(&name),
            Who::Mail => self.hear_mail(),
            Who::Worker(run) => self.hear_worker(run),
            Who::Listener => self.accept_clients(),
            Who::Client(client) => self.hear_client(client),
        }
    }

    /// The next moment at which something must be done without being asked.
    fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Initializing { until, .. } | Phase::Stopping { until } | Phase::Leaving { until } => Some(*until),
            Phase::Starting | Phase::Open => None,
        };
        let runs = self.admitted.iter().filter_map(|id| self.runs.get(id)?.deadline()).min();
        let lookups = self.lookups.values().map(|look_up| look_up.until).min();
        let clients = self.clients.values().filter_map(Client::deadline).min();
        let threads = self.subscriptions.deadline();
        let locks = self.brain.deadline();
        let papers = self.memory.papers.deadline();
        let mail = self.mail.deadline();
        let prompts = self.prompts.deadline();
        let outbox = self.outbox.deadline();
        let talk = (self.admission.waiting() > 0).then_some(self.talk_until).filter(|until| *until > Instant::now());
        [phase, talk, runs, lookups, clients, threads, mail, prompts, outbox, locks, papers].into_iter().flatten().min()
    }

    fn expire(&mut self, now: Instant) {
        for (sender, ret) in self.outbox.expire(now) {
            self.sent(sender, ret);
        }
        for answered in self.prompts.expire(now) {
            self.answer_prompt(answered);
        }
        let steps = self.brain.tick(now);
        self.take_steps(steps);
        for ended in self.subscriptions.expire(now) {
            self.subscription_ended(ended);
        }
        self.expire_lookups(now);
        self.expire_mail(now);
        self.expire_runs(now);
        self.expire_clients(now);
        self.save_papers(now, false);
        self.expire_phase(now);
    }

    /// Sends what waits on every link, and ends those that failed.
    fn settle(&mut self) {
        self.follow_log();
        if self.supervisor.settle(&self.poller).is_err() {
            self.over = true;
        }
        if let Some(Err(error)) = self.secretd.as_mut().map(|wire| wire.settle(&self.poller)) {
            self.end_secretd(&error);
        }
        if let Some(Err(error)) = self.loader.as_mut().and_then(|l| l.wire.as_mut()).map(|w| w.settle(&self.poller)) {
            self.hear_loader();
            self.end_loader(&error);
        }
        if let Some(Err(error)) = self.mail.wire.as_mut().map(|wire| wire.settle_within(BACKLOG, &self.poller)) {
            self.hear_mail();
            self.end_mail(&error.to_string());
        }
        let mut broken: Vec<(Who, LinkError)> = Vec::new();
        for (name, connector) in &mut self.connectors {
            if let Some(Err(error)) = connector.wire.as_mut().map(|wire| wire.settle_within(BACKLOG, &self.poller)) {
                broken.push((Who::Connector(Rc::clone(name)), error));
            }
        }
        for id in &self.admitted {
            let wire = self.runs.get_mut(id).and_then(|run| run.wire.as_mut());
            if let Some(Err(error)) = wire.map(|wire| wire.settle_within(BACKLOG, &self.poller)) {
                broken.push((Who::Worker(*id), error));
            }
        }
        for (id, client) in &mut self.clients {
            if let Err(error) = client.settle(&self.poller) {
                broken.push((Who::Client(*id), error));
            }
        }
        // A peer that can no longer be written to may have said something last.
        for (who, error) in broken {
            match who {
                Who::Connector(name) => {
                    self.hear_connector(&name);
                    self.end_connector(&name, &error.to_string());
                }
                Who::Worker(run) => {
                    self.hear_out(run);
                    self.end_worker(run, &error);
                }
                Who::Client(client) => self.end_client(client),
                Who::Supervisor | Who::Secretd | Who::Store | Who::Loader | Who::Mail | Who::Listener => {}
            }
        }
    }
}

/// Processors this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

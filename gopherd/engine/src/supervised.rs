//! What the supervisor tells the engine, and the engine's own end.

use std::{
    os::fd::OwnedFd,
    rc::Rc,
    time::{Duration, Instant},
};

use gopher_protocol::{
    connector::{EngineToConnector, MAIL},
    ids::RunId,
    supervisor::{EngineStart, EngineToSupervisor, SupervisorToEngine},
};
use gopher_sys::LinkError;

use crate::{
    engine::{Engine, Phase, cores},
    queue::{Admission, Bounds},
    runs::Ending,
};

/// How long runs have to end when the robot stops.
const GOODBYE: Duration = Duration::from_secs(5);
/// How long connectors have to deliver last words.
const FAREWELL: Duration = Duration::from_secs(1);

impl Engine {
    pub(crate) fn hear_supervisor(&mut self) {
        while !self.over {
            match self.supervisor.receive() {
                Ok(Some((message, descriptors))) => self.supervisor_says(message, descriptors),
                Ok(None) => return,
                Err(error) => {
                    if !matches!(error, LinkError::Closed) {
                        self.log.error(&format!("the link to gopherd: {error}"));
                    }
                    self.over = true;
                }
            }
        }
    }

    fn supervisor_says(&mut self, message: SupervisorToEngine, mut descriptors: Vec<OwnedFd>) {
        // Links that carry one descriptor are checked by the link itself.
        let descriptor = descriptors.pop();
        match (message, descriptor) {
            (SupervisorToEngine::Begin { start }, None) => self.begin(*start),
            (SupervisorToEngine::Secretd, Some(socket)) => self.link_secretd(socket),
            (SupervisorToEngine::Connector { name }, Some(socket)) => self.link_connector(&name, socket),
            (SupervisorToEngine::ConnectorGone { name, reason }, None) if name == MAIL => self.end_mail(&reason),
            (SupervisorToEngine::ConnectorGone { name, reason }, None) => self.end_connector(&name, &reason),
            (SupervisorToEngine::AdminSocket, Some(socket)) => self.listen(socket),
            (SupervisorToEngine::Spawned { run }, Some(socket)) => self.spawned(run, socket),
            (SupervisorToEngine::SpawnFailed { run, reason }, None) => self.spawn_failed(run, reason),
            (SupervisorToEngine::Exited { run, exit }, None) => self.exited(run, &exit),
            (SupervisorToEngine::Loader { generation }, Some(socket)) => self.link_loader(generation, socket),
            (SupervisorToEngine::LoaderGone { generation, reason }, None) => self.loader_gone(generation, &reason),
            (SupervisorToEngine::Ping { nonce }, None) => {
                self.supervisor.send(&EngineToSupervisor::Pong { nonce });
            }
            (SupervisorToEngine::Stop, None) => self.stop(),
            (SupervisorToEngine::StateDirectory, Some(directory)) => {
                let directory = Rc::new(directory);
                self.log.open(Rc::clone(&directory));
                self.defaults.open(Rc::clone(&directory));
                self.audit.open(directory);
            }
            (SupervisorToEngine::OldMemories, Some(directory)) => self.memory.legacy.found(directory),
            (SupervisorToEngine::UseOldMemories { trouble }, None) => self.may_use_old_memories(trouble),
            (SupervisorToEngine::Missing { sentence }, None) => {
                self.log.warn(&sentence);
                if let Some(start) = &mut self.start {
                    start.isolation.missing.push(sentence);
                }
            }
            (message, _) => self.log.error(&format!("gopherd sent a {message:?} that makes no sense here")),
        }
    }

    fn begin(&mut self, start: EngineStart) {
        if self.start.is_some() {
            self.log.error("gopherd began twice");
            return;
        }
        let max_runs = usize::try_from(start.max_runs).unwrap_or(usize::MAX);
        self.admission = Admission::new(Bounds::new(cores(), max_runs));
        self.log.info(&format!("engine {} for {}", start.version, start.sources.home));
        for missing in &start.isolation.missing {
            self.log.warn(missing);
        }
        self.start = Some(start);
        self.supervisor.send(&EngineToSupervisor::Ready);
        self.request_load(Vec::new());
    }

    /// No new commands; what runs is asked to end.
    fn stop(&mut self) {
        if self.stopping() {
            return;
        }
        self.log.info("stopping");
        self.phase = Phase::Stopping { until: Instant::now() + GOODBYE };
        let ids: Vec<RunId> = self.runs.keys().copied().collect();
        for id in ids {
            self.end_run(id, Ending { reason: "because the robot is shutting down".to_owned(), force_at: None });
        }
    }

    /// The configuration is only looked at.
    pub(crate) fn inspects(&self) -> bool {
        self.start.as_ref().is_some_and(|start| start.inspect)
    }

    pub(crate) fn stopping(&self) -> bool {
        matches!(self.phase, Phase::Stopping { .. } | Phase::Leaving { .. })
    }

    /// Nothing runs any more: connectors deliver what they have, say goodbye, and end.
    fn leave(&mut self, now: Instant) {
        self.phase = Phase::Leaving { until: now + FAREWELL };
        self.save_papers(now, true);
        for wire in self.connectors.values_mut().filter_map(|c| c.wire.as_mut()).chain(&mut self.mail.wire) {
            wire.send(&EngineToConnector::Stop);
        }
    }

    fn nobody_is_left(&self) -> bool {
        self.connectors.values().all(|c| c.wire.is_none()) && self.mail.wire.is_none()
    }

    pub(crate) fn expire_phase(&mut self, now: Instant) {
        if matches!(&self.phase, Phase::Stopping { until } if self.runs.is_empty() || *until <= now) {
            self.leave(now);
        }
        match &self.phase {
            Phase::Leaving { until } if *until <= now || (self.nobody_is_left() && self.memory.is_idle()) => {
                self.over = true;
            }
            Phase::Initializing { until, .. } if *until <= now => {
                self.log.warn("some plugins are still busy with their _init; commands are taken now");
                self.open_gate();
            }
            Phase::Starting
            | Phase::Initializing { .. }
            | Phase::Open
            | Phase::Stopping { .. }
            | Phase::Leaving { .. } => {}
        }
    }

    /// The robot cannot go on: its last words are for the person who started it.
    pub(crate) fn give_up(&mut self, reason: String) {
        self.log.error(&reason);
        self.supervisor.send(&EngineToSupervisor::Quit { failed: Some(reason) });
    }
}

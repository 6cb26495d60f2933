//! The admin socket: gopherctl asks, the engine answers; a console is handed on to its connector.
//!
//! Clients are not trusted: who they are says the kernel, what they send may be anything, and whoever does not read
//! is dropped.

use std::{
    os::{fd::OwnedFd, unix::net::UnixListener},
    time::{Duration, Instant},
};

use gopher_protocol::{
    admin::{AdminAnswer, AdminRequest, LoadReport, LogLine, ProtocolStatus, Readiness, Status},
    connector::{ConsoleIdentity, EngineToConnector, MAIL, Vocabulary},
    ids::{PipelineId, UserName},
    supervisor::EngineToSupervisor,
};
use gopher_sys::{LinkError, Poller};
use nix::{
    sys::socket::{getsockopt, sockopt::PeerCredentials},
    unistd::geteuid,
};

use crate::{
    commands::killed_text,
    connectors::{Connector, known_channels},
    context::{Context, TERMINAL, TEST},
    engine::{BURST, Engine, Phase, Who},
    execute::Killed,
    generation::Generation,
    help::Helper,
    memory_admin::Parts,
    reload::{Requester, disabled_rows},
    runs::State,
    trial,
    wire::Wire,
};

const CLIENTS: usize = 32;
/// Bytes a client may leave unread.
const BACKLOG: usize = 4 << 20;
/// How long a client has to say who it is.
const INTRODUCTION: Duration = Duration::from_secs(5);
/// Bytes of log lines in one answer, well below the ceiling of the link.
const ANSWER: usize = 900 << 10;
/// Lines that go to a follower in one message.
const LINES: usize = 128;

/// One client.
pub(crate) struct Client {
    wire: Wire<AdminAnswer, AdminRequest>,
    uid: u32,
    /// Until it has shown that it may be here.
    introduce_by: Option<Instant>,
    follows: bool,
    /// Of a memory that is being sent.
    parts: Parts,
}

impl Client {
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.introduce_by
    }

    pub(crate) fn settle(&mut self, poller: &Poller) -> Result<(), LinkError> {
        self.wire.settle_within(BACKLOG, poller)
    }
}

impl Engine {
    pub(crate) fn listen(&mut self, socket: OwnedFd) {
        let listener = UnixListener::from(socket);
        let token = self.token(Who::Listener);
        let ready = listener.set_nonblocking(true).and_then(|()| Ok(self.poller.add(&listener, token, false)?));
        match ready {
            Ok(()) => self.listener = Some(listener),
            Err(error) => self.log.error(&format!("the admin socket cannot be used: {error}")),
        }
    }

    pub(crate) fn accept_clients(&mut self) {
        while let Some(Ok((stream, _))) = self.listener.as_ref().map(UnixListener::accept) {
            let Ok(credentials) = getsockopt(&stream, PeerCredentials) else { continue };
            let id = self.client_token();
            let Ok(mut wire) = Wire::new(&self.poller, stream.into(), id) else {
                self.forget_token(id);
                continue;
            };
            if self.clients.len() >= CLIENTS {
                let reason = format!("{CLIENTS} clients are connected already, close one of them");
                wire.send(&AdminAnswer::Refused { reason });
                wire.close(&self.poller);
                self.forget_token(id);
                continue;
            }
            let introduce_by = Some(Instant::now() + INTRODUCTION);
            self.clients.insert(
                id,
                Client { wire, uid: credentials.uid(), introduce_by, follows: false, parts: Parts::default() },
            );
        }
    }

    pub(crate) fn end_client(&mut self, id: u64) {
        self.waiting_consoles.retain(|waiting| *waiting != id);
        self.brain.client_ended(id);
        if let Some(client) = self.clients.remove(&id) {
            self.forget_token(id);
            client.wire.close(&self.poller);
        }
    }

    pub(crate) fn expire_clients(&mut self, now: Instant) {
        let late: Vec<u64> = self
            .clients
            .iter()
            .filter(|(_, c)| c.introduce_by.is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            self.end_client(id);
        }
    }

    pub(crate) fn hear_client(&mut self, id: u64) {
        for _ in 0..BURST {
            let Some(client) = self.clients.get_mut(&id) else { return };
            if client.wire.backlog() > BACKLOG {
                self.end_client(id);
                return;
            }
            match client.wire.receive() {
                Ok(Some((request, _))) => self.client_says(id, request),
                Ok(None) => return,
                Err(LinkError::Closed) => self.end_client(id),
                Err(error) => {
                    self.log.warn(&format!("a client of the admin socket was dropped: {error}"));
                    self.end_client(id);
                }
            }
        }
        self.again.push(id);
    }

    fn client_says(&mut self, id: u64, request: AdminRequest) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let uid = client.uid;
        let introduced = client.introduce_by.is_none();
        match request {
            AdminRequest::Authenticate { cookie } => {
                if self.may_connect(uid, &cookie) {
                    self.welcome(id);
                } else {
                    self.log.warn(&format!("uid {uid} was refused at the admin socket"));
                    self.refuse(id, "you are neither root nor the owner of this robot");
                    self.end_client(id);
                }
            }
            _ if !introduced => self.end_client(id),
            AdminRequest::Status => {
                let status = self.status();
                self.answer_client(id, &AdminAnswer::Status { status });
            }
            AdminRequest::Ps => {
                let rows = self.ps_rows();
                self.answer_client(id, &AdminAnswer::Ps { rows });
            }
            AdminRequest::Kill { pipeline } => self.kill_for(id, uid, pipeline),
            AdminRequest::Logs { lines, follow } => {
                // What is new goes to the followers first: none gets a line twice.
                self.follow_log();
                let lines = fitting(self.log.recent(lines));
                self.answer_client(id, &AdminAnswer::Log { lines });
                if let Some(client) = self.clients.get_mut(&id) {
                    client.follows = follow;
                }
            }
            AdminRequest::Console => self.open_console(id, uid),
            AdminRequest::Reload => {
                if self.audited(id, &format!("uid {uid} reloads the configuration")) {
                    self.reload(Requester::Client(id));
                }
            }
            // While a load is on its way, the report is on what comes of it.
            AdminRequest::Report => match &mut self.loader {
                Some(loader) => loader.requesters.push(Requester::Client(id)),
                None => self.report_to(id, self.last_load.clone()),
            },
            AdminRequest::Merged { name } => self.show_merged(id, &name),
            AdminRequest::Match { user, channel, text } => match &self.current {
                Some(generation) => {
                    let report = trial::report(generation, user.as_deref(), channel.as_deref(), &text);
                    self.answer_client(id, &AdminAnswer::Matched { report });
                }
                None => self.refuse(id, "the configuration does not load: gopherctl validate says why"),
            },
            request @ (AdminRequest::BrainList { .. }
            | AdminRequest::BrainGet { .. }
            | AdminRequest::BrainSet { .. }
            | AdminRequest::BrainDelete { .. }
            | AdminRequest::BrainMigrate { .. }
            | AdminRequest::BrainCopy { .. }) => self.memory_request(id, uid, request),
            AdminRequest::Quit => {
                if self.audited(id, &format!("uid {uid} ends the robot")) {
                    self.answer_client(id, &AdminAnswer::Done { text: "The robot is stopping.".to_owned() });
                    self.supervisor.send(&EngineToSupervisor::Quit { failed: None });
                }
            }
        }
    }

    fn show_merged(&mut self, id: u64, name: &str) {
        let files = &self.inspected.merged;
        let answer = match files.iter().find(|file| file.name == name) {
            Some(file) => AdminAnswer::Merged { file: file.clone() },
            None if name.is_empty() => {
                AdminAnswer::MergedNames { names: files.iter().map(|f| f.name.clone()).collect() }
            }
            None => {
                let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
                let reason = format!("no file {name} is loaded; there are: {}", names.join(", "));
                AdminAnswer::Refused { reason }
            }
        };
        self.answer_client(id, &answer);
    }

    /// Tells a client that may have gone meanwhile what came of a load.
    pub(crate) fn report_to(&mut self, id: u64, report: LoadReport) {
        self.answer_client(id, &AdminAnswer::Loaded { report });
    }

    pub(crate) fn parts_of(&mut self, id: u64) -> Option<&mut Parts> {
        self.clients.get_mut(&id).map(|client| &mut client.parts)
    }

    pub(crate) fn answer_client(&mut self, id: u64, answer: &AdminAnswer) {
        if let Some(client) = self.clients.get_mut(&id)
            && !client.wire.send(answer)
        {
            client.wire.send(&AdminAnswer::Refused { reason: "the answer is too long".to_owned() });
        }
    }

    pub(crate) fn refuse(&mut self, id: u64, reason: &str) {
        self.answer_client(id, &AdminAnswer::Refused { reason: reason.to_owned() });
    }

    fn welcome(&mut self, id: u64) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.introduce_by = None;
        }
        self.answer_client(id, &AdminAnswer::Welcome);
    }

    fn may_connect(&self, uid: u32, cookie: &str) -> bool {
        let Some(start) = &self.start else { return false };
        let known = uid == 0 || uid == geteuid().as_raw() || uid == start.owner_uid;
        known && start.cookie.as_ref().is_none_or(|expected| same(expected.as_bytes(), cookie.as_bytes()))
    }

    /// The line stands before the effect; without it the client is told why nothing happens.
    pub(crate) fn audited(&mut self, id: u64, text: &str) -> bool {
        let written = self.audit.record(&mut self.log, text);
        if !written {
            self.refuse(id, "the audit log cannot be written, so nothing was done");
        }
        written
    }

    fn kill_for(&mut self, id: u64, uid: u32, pipeline: PipelineId) {
        if !self.audited(id, &format!("uid {uid} kills pipeline {pipeline}")) {
            return;
        }
        let killed = self.kill(pipeline, "an administrator");
        let text = killed_text(&killed, pipeline);
        match killed {
            Killed::Asked | Killed::Withdrawn => self.answer_client(id, &AdminAnswer::Done { text }),
            Killed::NotRunning | Killed::NotFound => self.refuse(id, &text),
        }
    }

    fn status(&self) -> Status {
        let start = self.start.as_ref();
        let robot = self.current.as_ref().map(|g| &g.robot);
        let primary = robot.map_or("", |r| r.primary_protocol.as_str());
        let mut protocols: Vec<ProtocolStatus> = self
            .connectors
            .iter()
            .map(|(name, connector)| ProtocolStatus {
                name: name.to_string(),
                primary: **name == *primary,
                state: state(connector.is_up(), connector.trouble.as_ref()),
                trouble: connector.trouble.clone(),
            })
            .collect();
        if self.mail.wanted {
            protocols.push(ProtocolStatus {
                name: MAIL.to_owned(),
                primary: false,
                state: state(self.mail.up, self.mail.trouble.as_ref()),
                trouble: self.mail.trouble.clone(),
            });
        }
        protocols.sort_by(|a, b| b.primary.cmp(&a.primary).then_with(|| a.name.cmp(&b.name)));
        let queued = self.runs.values().filter(|r| r.state == State::Queued).count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let disabled = robot.map(|r| disabled_rows(&r.disabled));
        let mut notices = robot.map(|r| r.notices.clone()).unwrap_or_default();
        if self.secretd.is_none() {
            notices.push("The link to gopher-secretd is down.".to_owned());
        }
        notices.extend(self.memory.notice());
        Status {
            robot: robot.map(|r| r.identity.user_name.clone()).unwrap_or_default(),
            version: start.map(|s| s.version.clone()).unwrap_or_default(),
            home: start.map(|s| s.sources.home.clone()).unwrap_or_default(),
            uptime_seconds: self.started.elapsed().as_secs(),
            generation: robot.map_or(0, |r| r.generation.0),
            isolation: start.map_or(
                gopher_protocol::supervisor::Isolation {
                    mode: gopher_protocol::supervisor::RunMode::Unconfined,
                    missing: Vec::new(),
                },
                |s| s.isolation.clone(),
            ),
            protocols,
            plugins: count(self.current.as_ref().map_or(0, |g| g.plugins.len())),
            live_runs: count(self.runs.len() - queued),
            queued_runs: count(queued.max(self.admission.waiting())),
            disabled: disabled.unwrap_or_default(),
            notices,
            readiness: match self.phase {
                Phase::Starting | Phase::Initializing { .. } => Readiness::Starting,
                Phase::Open => Readiness::Ready,
                Phase::Stopping { .. } | Phase::Leaving { .. } => Readiness::Stopping,
            },
        }
    }

    /// Gives the lines of this turn to the file and to whoever follows.
    pub(crate) fn follow_log(&mut self) {
        let lines = self.log.flush();
        if lines.is_empty() {
            return;
        }
        for client in self.clients.values_mut().filter(|c| c.follows) {
            for part in lines.chunks(LINES) {
                client.wire.send(&AdminAnswer::Log { lines: part.to_vec() });
            }
        }
    }

    fn open_console(&mut self, id: u64, uid: u32) {
        let Some(generation) = self.current.clone() else {
            self.refuse(id, "the robot is still loading its configuration, try again in a moment");
            return;
        };
        let Some(user) = self.console_user(&generation, uid) else {
            let reason = "no user of this robot is yours: put a name of UserRoster into AdminUsers of conf/robot.yaml";
            self.refuse(id, reason);
            return;
        };
        if !self.audited(id, &format!("uid {uid} opens a console as {user}")) {
            return;
        }
        self.waiting_consoles.push(id);
        if self.connectors.get(TERMINAL).is_some_and(Connector::is_up) {
            self.attach_waiting_consoles();
        } else if !self.connectors.contains_key(TERMINAL) {
            self.start_connector(TERMINAL);
        }
    }

    /// Whom the caller speaks as.
    fn console_user(&self, generation: &Generation, uid: u32) -> Option<UserName> {
        let start = self.start.as_ref()?;
        let robot = &generation.robot;
        let listed = |user: &UserName| generation.roster_entry(user).is_some();
        if let Some(admin) = robot.admin_users.iter().find(|user| listed(user)) {
            return Some(admin.clone());
        }
        let own = if uid == start.owner_uid { start.owner_name.to_lowercase() } else { "root".to_owned() };
        Some(UserName(own)).filter(listed)
    }

    pub(crate) fn attach_waiting_consoles(&mut self) {
        let Some(generation) = self.current.clone() else { return };
        let only_consoles = generation.robot.protocols.iter().all(|p| matches!(p.name.as_str(), TERMINAL | TEST));
        for id in std::mem::take(&mut self.waiting_consoles) {
            let Some(uid) = self.clients.get(&id).map(|c| c.uid) else { continue };
            let Some(user) = self.console_user(&generation, uid) else { continue };
            let console =
                ConsoleIdentity { vocabulary: self.vocabulary(&generation, &user), user, any_user: only_consoles };
            self.attach(id, console);
        }
    }

    fn attach(&mut self, id: u64, console: ConsoleIdentity) {
        let Some(mut client) = self.clients.remove(&id) else { return };
        self.forget_token(id);
        client.wire.send(&AdminAnswer::ConsoleFollows);
        let link = client.wire.close(&self.poller);
        // Giving the socket away waits for what is still unsent; a client that does not read is not worth it.
        if link.wants_write() {
            return;
        }
        let Ok(socket) = link.into_socket() else { return };
        if let Some(wire) = self.connectors.get_mut(TERMINAL).and_then(|c| c.wire.as_mut()) {
            wire.send_with(&EngineToConnector::Attach { console }, vec![socket]);
        }
    }

    pub(crate) fn refuse_waiting_consoles(&mut self, connector: &str, reason: &str) {
        if connector == TERMINAL {
            for id in std::mem::take(&mut self.waiting_consoles) {
                self.refuse(id, &format!("the console cannot be opened: {reason}"));
            }
        }
    }

    fn vocabulary(&self, generation: &Generation, user: &UserName) -> Vocabulary {
        let context = Context {
            protocol: TERMINAL.to_owned(),
            user: user.clone(),
            listed: true,
            direct: true,
            ..Context::default()
        };
        let transport = self.hidden_transport(TERMINAL);
        Vocabulary {
            commands: Helper { generation, context: &context, transport }.vocabulary(),
            users: generation.robot.roster.iter().map(|e| e.user_name.as_str().to_owned()).collect(),
            channels: known_channels(generation).iter().map(|c| c.as_str().to_owned()).collect(),
        }
    }
}

/// The newest of these lines that go into one message.
fn fitting(mut lines: Vec<LogLine>) -> Vec<LogLine> {
    let mut room = ANSWER;
    let size = |line: &LogLine| line.text.len() + line.source.len() + line.level.len() + 32;
    let fit = lines.iter().rev().take_while(|line| {
        let fits = size(line) <= room;
        room = room.saturating_sub(size(line));
        fits
    });
    let kept = fit.count();
    lines.drain(..lines.len() - kept);
    lines
}

/// Compares without telling by its time how much was right.
fn same(expected: &[u8], given: &[u8]) -> bool {
    let differences = expected.iter().zip(given).fold(0, |all, (a, b)| all | (a ^ b));
    expected.len() == given.len() && std::hint::black_box(differences) == 0
}

/// The word for how a connector is.
fn state(up: bool, trouble: Option<&String>) -> String {
    match (up, trouble) {
        (true, None) => "running",
        (false, None) => "starting",
        (_, Some(_)) => "failed",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_holds_the_newest_lines_that_fit() {
        let line = |n: u64| LogLine { time_ms: n, level: "Info".into(), source: "s".into(), text: "x".repeat(2000) };
        let kept = fitting((0..1000).map(line).collect());
        assert!((400..500).contains(&kept.len()));
        assert_eq!(kept.last().map(|l| l.time_ms), Some(999));
        assert_eq!(fitting(Vec::new()), []);
    }

    #[test]
    fn cookies_are_compared_whole() {
        assert!(same(b"abc", b"abc") && same(b"", b""));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"abc", b"") && !same(b"", b"a"));
    }
}

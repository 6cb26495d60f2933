//! The whole process, driven over its links: what may be asked, when, how often, and what comes of anything else.
#![forbid(unsafe_code)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

mod common;

use std::{
    fs::File,
    io::{Read as _, Seek as _, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    thread::{self, JoinHandle},
};

use common::{DEMO, PRODUCTION, Supervisor, Worker, begin, entry, file, load, open, redeem, run_opened};
use gopher_protocol::{
    Hello, SecretBytes, frame,
    ids::{CallId, Generation, RunId},
    loader::{Attachment, ConnectorEntry, LoaderToSecretd, Part, SecretRef, SecretdToLoader, StartMode},
    secretd::{
        ConnectorToSecretd, EngineToSecretd, RecordName, SecretdToConnector, SecretdToEngine, SecretdToWorker,
        WorkerToSecretd,
    },
    supervisor::{SecretdToSupervisor, SupervisorToSecretd},
};
use gopher_secretd::{SecretdError, serve};
use gopher_sys::{Link, LinkError, link::pair};
use nix::{
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::memfd::{MFdFlags, memfd_create},
};

/// A secretd in a thread of its own.
struct Robot {
    supervisor: Supervisor,
    process: JoinHandle<Result<(), SecretdError>>,
}

impl Robot {
    fn new() -> Self {
        let (ours, theirs) = pair().expect("socket pair");
        let process = thread::spawn(move || serve(theirs));
        Self { supervisor: Link::new(ours).expect("link"), process }
    }

    /// A demo robot with audit file and two tasks in generation 1.
    fn loaded() -> (Self, File) {
        let mut robot = Self::new();
        let audit = tempfile::tempfile().expect("file");
        robot.give(&SupervisorToSecretd::AuditFile, audit.try_clone().expect("cloned").into());
        begin(&mut robot.supervisor, DEMO);
        let tasks = vec![
            entry("weather", false, &[("TOKEN", "swordfish"), ("BOT_SSH_PHRASE", "never")]),
            entry("deploy", true, &[]),
        ];
        load(&mut robot.supervisor, 1, tasks);
        (robot, audit)
    }

    fn give(&mut self, message: &SupervisorToSecretd, fd: OwnedFd) {
        self.supervisor.send_with(message, vec![fd]).expect("sent");
    }

    fn say(&mut self, message: &SupervisorToSecretd) {
        self.supervisor.send(message).expect("sent");
    }

    fn worker(&mut self, run: u64, task: &str) -> Worker {
        open(&mut self.supervisor, &run_opened(run, task, task))
    }

    /// Still serving: every message before this one has been dealt with.
    fn assert_alive(&mut self) {
        self.say(&SupervisorToSecretd::Ping { nonce: 5 });
        match self.supervisor.wait().expect("alive").0 {
            SecretdToSupervisor::Pong { nonce: 5 } => {}
            other => panic!("{other:?}"),
        }
    }

    fn stop(mut self) {
        self.say(&SupervisorToSecretd::Stop);
        self.process.join().expect("no panic").expect("ends well");
    }

    /// The sentence with which the process ended itself.
    fn refusal(mut self) -> String {
        let reason = loop {
            match self.supervisor.wait().expect("a refusal").0 {
                SecretdToSupervisor::Refused { reason } => break reason,
                SecretdToSupervisor::Ready { .. } | SecretdToSupervisor::Pong { .. } => {}
                other @ SecretdToSupervisor::KeyFileWritten => panic!("{other:?}"),
            }
        };
        let error = self.process.join().expect("no panic").expect_err("ended");
        assert_eq!(error.to_string(), reason);
        reason
    }
}

fn text(audit: &mut File) -> String {
    let mut text = String::new();
    audit.rewind().expect("rewound");
    audit.read_to_string(&mut text).expect("read");
    text
}

fn assert_ended<S: gopher_protocol::Message, R: gopher_protocol::Message>(link: &mut Link<S, R>) {
    match link.wait() {
        Err(LinkError::Closed) => {}
        Err(other) => panic!("{other}"),
        Ok((message, _)) => panic!("answered message {}", message.kind()),
    }
}

#[test]
fn a_robot_of_production_starts_loads_and_serves_a_run() {
    let mut robot = Robot::new();
    let launch = b"GOPHER_CUSTOM_REPOSITORY=git@example.com:r.git\0GOPHER_BOTNAME=floyd\0";
    robot.give(&SupervisorToSecretd::LaunchEnvironment, file(launch));
    let private = b"GOPHER_ENCRYPTION_KEY=0123456789abcdef0123456789abcdef\nGOPHER_DEPLOY_KEY=k\nGOPHER_PORT=1\n";
    robot.give(&SupervisorToSecretd::PrivateEnvironment { name: ".env".into() }, file(private));
    robot.give(&SupervisorToSecretd::AuditFile, file(b""));
    let new_key = tempfile::tempfile().expect("file");
    robot.give(&SupervisorToSecretd::NewKeyFile, new_key.try_clone().expect("cloned").into());
    robot.say(&SupervisorToSecretd::Begin { layout: PRODUCTION });
    assert!(matches!(robot.supervisor.wait(), Ok((SecretdToSupervisor::KeyFileWritten, _))));
    assert_eq!(new_key.metadata().expect("there").len(), 80);
    let ready = robot.supervisor.wait().expect("ready").0;
    assert!(matches!(ready, SecretdToSupervisor::Ready { mode: StartMode::Production, .. }), "{ready:?}");

    let settings = load(&mut robot.supervisor, 1, vec![entry("weather", false, &[("TOKEN", "swordfish")])]);
    let names: Vec<&str> = settings.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["GOPHER_BOTNAME", "GOPHER_CUSTOM_REPOSITORY", "GOPHER_PORT"], "no key among them");

    let mut worker = robot.worker(7, "weather");
    match redeem(&mut worker, "weather") {
        SecretdToWorker::Redeemed { program, values, .. } => {
            assert_eq!(program, "/robot/plugins/weather");
            assert_eq!((values.len(), values[0].value.expose()), (1, &b"swordfish"[..]));
        }
        other @ SecretdToWorker::Refused { .. } => panic!("{other:?}"),
    }
    robot.say(&SupervisorToSecretd::RunClosed { run: RunId(7) });
    assert_ended(&mut worker);
    robot.stop();
}

#[test]
fn a_run_redeems_once_and_every_decision_is_audited_by_name_only() {
    let (mut robot, mut audit) = Robot::loaded();
    let mut worker = robot.worker(1, "weather");
    assert!(matches!(redeem(&mut worker, "weather"), SecretdToWorker::Redeemed { values, .. } if values.len() == 1));
    worker.send(&WorkerToSecretd::Redeem { task: "weather".into() }).expect("sent");
    assert_ended(&mut worker);

    let mut other = robot.worker(2, "weather");
    match redeem(&mut other, "deploy") {
        SecretdToWorker::Refused { reason } => {
            assert_eq!(reason, "Run 2 was started for task 'weather' but asked for task 'deploy'.");
        }
        answer @ SecretdToWorker::Redeemed { .. } => panic!("{answer:?}"),
    }
    other.send(&WorkerToSecretd::Redeem { task: "weather".into() }).expect("sent");
    assert_ended(&mut other);
    robot.assert_alive();

    let lines: Vec<serde_json::Value> =
        text(&mut audit).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().expect("text")).collect();
    assert_eq!(events, ["started", "table", "released", "peer ended", "refused", "peer ended"]);
    assert_eq!(lines[2]["released"], serde_json::json!(["TOKEN"]));
    assert_eq!(lines[2]["withheld"], serde_json::json!(["BOT_SSH_PHRASE"]));
    assert_eq!(lines[2]["run"], 1);
    assert!(!text(&mut audit).contains("swordfish"));
    robot.stop();
}

#[test]
fn nothing_is_released_without_its_audit_line() {
    let mut robot = Robot::new();
    let audit = memfd_create(c"audit", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).expect("file");
    robot.give(&SupervisorToSecretd::AuditFile, audit.try_clone().expect("cloned"));
    begin(&mut robot.supervisor, DEMO);
    load(&mut robot.supervisor, 1, vec![entry("weather", false, &[("TOKEN", "swordfish")])]);
    let mut worker = robot.worker(1, "weather");
    fcntl(&audit, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE)).expect("sealed");
    match redeem(&mut worker, "weather") {
        SecretdToWorker::Refused { reason } => {
            assert!(reason.starts_with("The audit line of run 1 (weather) could not be written"), "{reason}");
        }
        answer @ SecretdToWorker::Redeemed { .. } => panic!("{answer:?}"),
    }
    let mut connector: Link<ConnectorToSecretd, SecretdToConnector> =
        open(&mut robot.supervisor, &SupervisorToSecretd::ConnectorOpened { name: "terminal".into() });
    connector.send(&ConnectorToSecretd::Redeem).expect("sent");
    assert!(matches!(connector.wait(), Ok((SecretdToConnector::Refused { .. }, _))));
    robot.stop();

    // The robot does not even start with a file that takes no line.
    let mut robot = Robot::new();
    robot.give(&SupervisorToSecretd::AuditFile, audit);
    robot.say(&SupervisorToSecretd::Begin { layout: DEMO });
    assert!(robot.refusal().starts_with("The audit file cannot be written"));
}

#[test]
fn a_configure_run_gets_no_value() {
    let (mut robot, _audit) = Robot::loaded();
    let opened = SupervisorToSecretd::RunOpened {
        run: RunId(3),
        task: "weather".into(),
        starter: "weather".into(),
        generation: Generation(1),
        configure: true,
    };
    let mut worker: Worker = open(&mut robot.supervisor, &opened);
    assert!(matches!(redeem(&mut worker, "weather"), SecretdToWorker::Redeemed { values, .. } if values.is_empty()));
    robot.stop();
}

#[test]
fn a_worker_that_sends_garbage_ends_alone() {
    let (mut robot, mut audit) = Robot::loaded();
    let garbage: [(&str, Vec<u8>); 4] = [
        ("unknown type", vec![0, 0, 0, 0, 99, 0]),
        ("over the ceiling", vec![255, 255, 255, 255, 1, 0]),
        ("truncated payload", vec![1, 0, 0, 0, 1, 0, 77]),
        ("trailing bytes", vec![3, 0, 0, 0, 1, 0, 1, b'x', b'y']),
    ];
    for (n, (what, bytes)) in garbage.iter().enumerate() {
        let (ours, theirs) = pair().expect("socket pair");
        robot.give(&run_opened(100 + n as u64, "weather", "weather"), theirs);
        let mut raw = Vec::new();
        Hello::ours().append(&mut raw).expect("fits");
        raw.extend_from_slice(bytes);
        let mut socket = std::os::unix::net::UnixStream::from(ours);
        socket.write_all(&raw).expect("sent");
        socket.set_nonblocking(false).expect("blocking");
        let mut answer = Vec::new();
        // Unread bytes of ours may turn the end of the stream into a reset; either way nothing was answered.
        let _ = socket.read_to_end(&mut answer);
        assert!(answer.len() <= 64, "{what}: no more than a hello, got {} bytes", answer.len());
        robot.assert_alive();
    }
    let mut stale = Vec::new();
    Hello { protocol: 1, build: "0.0.0+other".into() }.append(&mut stale).expect("fits");
    let (ours, theirs) = pair().expect("socket pair");
    robot.give(&run_opened(200, "weather", "weather"), theirs);
    nix::unistd::write(ours.as_fd(), &stale).expect("sent");
    let mut worker = robot.worker(201, "weather");
    assert!(matches!(redeem(&mut worker, "weather"), SecretdToWorker::Redeemed { .. }), "others do not notice");
    assert!(text(&mut audit).contains("0.0.0+other"), "the stale program is named");
    robot.stop();
}

#[test]
fn a_loader_gives_one_table_of_its_own_generation() {
    let (mut robot, _audit) = Robot::loaded();
    let table = |generation| LoaderToSecretd::Table {
        generation: Generation(generation),
        tasks: Vec::new(),
        connectors: Vec::new(),
        references: Vec::new(),
    };
    for messages in [vec![table(9)], vec![table(2), table(2)]] {
        let mut loader: Link<LoaderToSecretd, SecretdToLoader> =
            open(&mut robot.supervisor, &SupervisorToSecretd::LoaderOpened { generation: Generation(2) });
        for message in &messages {
            loader.send(message).expect("sent");
        }
        let mut taken = 0;
        loop {
            match loader.wait() {
                Ok((SecretdToLoader::TableTaken { .. }, _)) => taken += 1,
                Ok((SecretdToLoader::Settings { .. } | SecretdToLoader::Plain { .. }, _)) => {}
                Err(LinkError::Closed) => break,
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(taken, messages.len() - 1);
    }
    robot.assert_alive();
    robot.stop();
}

#[test]
fn the_engine_seals_and_opens_records_and_a_new_engine_replaces_it() {
    let (mut robot, _audit) = Robot::loaded();
    let record = |version| RecordName { store: "brain".into(), key: "k".into(), version };
    let mut engine: Link<EngineToSecretd, SecretdToEngine> = open(&mut robot.supervisor, &SupervisorToSecretd::Engine);
    assert!(matches!(engine.wait(), Ok((SecretdToEngine::Keys { .. }, _))));
    let plaintext = SecretBytes::new(b"milk".to_vec());
    engine.send(&EngineToSecretd::Seal { call: CallId(1), record: record(1), plaintext }).expect("sent");
    let Ok((SecretdToEngine::Sealed { call: CallId(1), sealed }, _)) = engine.wait() else { panic!("not sealed") };

    let mut next: Link<EngineToSecretd, SecretdToEngine> = open(&mut robot.supervisor, &SupervisorToSecretd::Engine);
    assert!(matches!(next.wait(), Ok((SecretdToEngine::Keys { .. }, _))));
    assert_ended(&mut engine);
    next.send(&EngineToSecretd::Open { call: CallId(2), record: record(1), sealed: sealed.clone() }).expect("sent");
    match next.wait().expect("answer").0 {
        SecretdToEngine::Opened { call: CallId(2), plaintext } => assert_eq!(plaintext.expose(), b"milk"),
        other => panic!("{other:?}"),
    }
    next.send(&EngineToSecretd::Open { call: CallId(3), record: record(2), sealed }).expect("sent");
    let answer = next.wait().expect("answer").0;
    assert!(matches!(&answer, SecretdToEngine::Failed { call: CallId(3), reason } if reason.contains("does not open")));
    let longest = SecretBytes::new(vec![0; frame::CEILING_RECORD - 20]);
    next.send(&EngineToSecretd::Seal { call: CallId(4), record: record(1), plaintext: longest }).expect("sent");
    let answer = next.wait().expect("answer").0;
    assert!(matches!(&answer, SecretdToEngine::Failed { reason, .. } if reason.contains("too long")));
    robot.stop();
}

#[test]
fn a_connector_redeems_once() {
    let (mut robot, _audit) = Robot::loaded();
    let mut connector: Link<ConnectorToSecretd, SecretdToConnector> =
        open(&mut robot.supervisor, &SupervisorToSecretd::ConnectorOpened { name: "terminal".into() });
    connector.send(&ConnectorToSecretd::Redeem).expect("sent");
    let answer = connector.wait().expect("answer").0;
    assert!(matches!(answer, SecretdToConnector::Redeemed { values } if values.is_empty()));
    connector.send(&ConnectorToSecretd::Redeem).expect("sent");
    assert_ended(&mut connector);
    robot.stop();
}

#[test]
fn a_connector_that_refers_to_a_key_of_the_robot_gets_nothing() {
    let (mut robot, _audit) = Robot::loaded();
    let generation = Generation(2);
    let mut loader: Link<LoaderToSecretd, SecretdToLoader> =
        open(&mut robot.supervisor, &SupervisorToSecretd::LoaderOpened { generation });
    let key = Part::Secret(SecretRef::Environment("GOPHER_DEPLOY_KEY".into()));
    let values = vec![Attachment { name: "/Token".into(), value: vec![key] }];
    let connectors = vec![ConnectorEntry { name: "slack".into(), values }];
    let table = LoaderToSecretd::Table { generation, tasks: Vec::new(), connectors, references: Vec::new() };
    loader.send(&table).expect("sent");
    while !matches!(loader.wait().expect("answer").0, SecretdToLoader::TableTaken { .. }) {}
    let mut connector: Link<ConnectorToSecretd, SecretdToConnector> =
        open(&mut robot.supervisor, &SupervisorToSecretd::ConnectorOpened { name: "slack".into() });
    connector.send(&ConnectorToSecretd::Redeem).expect("sent");
    let SecretdToConnector::Refused { reason } = connector.wait().expect("answer").0 else { panic!("a refusal") };
    assert_eq!(reason, "/Token of connector 'slack' refers to GOPHER_DEPLOY_KEY, which is never released.");
    robot.stop();
}

#[test]
fn a_supervisor_out_of_step_ends_the_process() {
    let mut early = Robot::new();
    let (_ours, theirs) = pair().expect("socket pair");
    early.give(&run_opened(1, "weather", "weather"), theirs);
    assert_eq!(early.refusal(), "the supervisor sent RunOpened before Begin");

    let mut twice = Robot::new();
    twice.give(&SupervisorToSecretd::LaunchEnvironment, file(b""));
    twice.give(&SupervisorToSecretd::LaunchEnvironment, file(b""));
    assert_eq!(twice.refusal(), "the supervisor sent LaunchEnvironment once more than it may");

    let (mut late, _audit) = Robot::loaded();
    late.give(&SupervisorToSecretd::KeyFile { name: "binary-encrypted-key".into() }, file(b""));
    assert_eq!(late.refusal(), "the supervisor sent KeyFile after Begin");

    let (mut again, _audit) = Robot::loaded();
    again.say(&SupervisorToSecretd::Begin { layout: DEMO });
    assert_eq!(again.refusal(), "the supervisor sent Begin after Begin");

    let (mut doubled, _audit) = Robot::loaded();
    let _first = doubled.worker(1, "weather");
    let _second = doubled.worker(1, "weather");
    assert_eq!(doubled.refusal(), "the supervisor sent RunOpened for a run that is open");
}

#[test]
fn a_closed_supervisor_link_ends_the_process() {
    let robot = Robot::new();
    drop(robot.supervisor);
    robot.process.join().expect("no panic").expect("ends well");
    let (robot, _audit) = Robot::loaded();
    drop(robot.supervisor);
    robot.process.join().expect("no panic").expect("ends well");
}

#[test]
fn runs_of_an_earlier_instance_may_be_closed() {
    let (mut robot, _audit) = Robot::loaded();
    robot.say(&SupervisorToSecretd::RunClosed { run: RunId(99) });
    robot.assert_alive();
    robot.stop();
}

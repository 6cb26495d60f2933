//! The whole event loop, in this process: the test plays supervisor, loader, connector, workers and admin clients.

use std::{
    fs,
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use gopher_protocol::{
    Message,
    admin::{AdminAnswer, AdminRequest, LoadReport},
    connector::{Capabilities, ConnectorToEngine, Destination, EngineToConnector, Inbound, Outbound},
    ids::{CallId, EventId, Generation as Number, PipelineId, RunId},
    loader::{EngineToLoader, LoaderToEngine, Sources, StartMode, WantedDefault},
    robot::{Extension, ProtocolSettings, Robot},
    robot_api::{MessageFormat, RetVal, RobotAnswer, RobotCall, TaskRetVal},
    secretd::{EngineToSecretd, SecretdToEngine},
    supervisor::{EngineStart, EngineToSupervisor, Isolation, RunExit, RunMode, SpawnRequest, SupervisorToEngine},
    worker::{EngineToWorker, Outcome, RunRequest, Stream, WorkerToEngine},
};
use gopher_sys::{Link, LinkError, link};

use crate::{engine::Engine, testing};

const PATIENCE: Duration = Duration::from_secs(10);

type Supervisor = Link<SupervisorToEngine, EngineToSupervisor>;
type Connector = Link<ConnectorToEngine, EngineToConnector>;
type Worker = Link<WorkerToEngine, EngineToWorker>;
type Admin = Link<AdminRequest, AdminAnswer>;

/// The engine with everybody around it played by the test.
struct Stage {
    engine: Engine,
    supervisor: Supervisor,
    connector: Option<Connector>,
    directory: PathBuf,
    events: Vec<String>,
    said: u32,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn start() -> EngineStart {
    EngineStart {
        sources: Sources {
            home: "/robot".into(),
            config_dir: "/robot".into(),
            install_dir: "/opt/gopher".into(),
            mode: StartMode::TestDev,
            protocol: None,
            demo_extensions: false,
            extra_root: None,
        },
        isolation: Isolation { mode: RunMode::Plain, missing: Vec::new() },
        version: "0.1.0".into(),
        owner_uid: nix::unistd::geteuid().as_raw(),
        owner_name: "alice".into(),
        cookie: Some("c00kie".into()),
        max_runs: 256,
        pass_through: vec![("PATH".into(), "/usr/bin:/bin".into())],
        hidden_commands_off: Vec::new(),
        inspect: false,
    }
}

fn loaded(robot: Robot) -> LoaderToEngine {
    LoaderToEngine::Loaded { robot: Box::new(robot), unopened: Vec::new(), merged: Vec::new() }
}

fn pair<S: Message, R: Message>() -> (Link<S, R>, OwnedFd) {
    let (ours, theirs) = link::pair().expect("a pair");
    (Link::new(ours).expect("a link"), theirs)
}

impl Stage {
    /// The engine has begun and asked for its configuration.
    fn begin() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("gopher-engine-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a state directory");
        let (supervisor, socket) = pair();
        let engine = Engine::new(socket).expect("an engine");
        let mut stage = Self { engine, supervisor, connector: None, directory, events: Vec::new(), said: 0 };
        stage.tell(&SupervisorToEngine::Begin { start: Box::new(start()) });
        let opened: OwnedFd = fs::File::open(&stage.directory).expect("opens").into();
        stage.supervisor.send_with(&SupervisorToEngine::StateDirectory, vec![opened]).expect("sends");
        assert!(matches!(stage.asked(), EngineToSupervisor::Ready));
        assert!(matches!(stage.asked(), EngineToSupervisor::Load { generation: Number(1), .. }));
        stage
    }

    fn tell(&mut self, message: &SupervisorToEngine) {
        self.supervisor.send(message).expect("sends");
    }

    /// Turns the engine until something has come for the test.
    fn until<T>(&mut self, what: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain for {what}");
            self.engine.turn(Some(Duration::from_millis(5))).expect("turns");
        }
    }

    fn asked(&mut self) -> EngineToSupervisor {
        self.until("the engine to ask the supervisor", |s| s.supervisor.receive().expect("alive").map(|(m, _)| m))
    }

    /// Lets the engine do whatever it has to do now.
    fn settle(&mut self) {
        for _ in 0..5 {
            self.engine.turn(Some(Duration::ZERO)).expect("turns");
        }
    }

    fn loader(&mut self) -> Link<LoaderToEngine, EngineToLoader> {
        self.loader_of(Number(1))
    }

    fn loader_of(&mut self, wanted: Number) -> Link<LoaderToEngine, EngineToLoader> {
        let (mut loader, socket) = pair::<LoaderToEngine, EngineToLoader>();
        self.supervisor.send_with(&SupervisorToEngine::Loader { generation: wanted }, vec![socket]).expect("sends");
        let (asked, _) = self.until("the load request", |_| loader.receive().expect("alive"));
        assert!(matches!(asked, EngineToLoader::Load { generation, .. } if generation == wanted));
        loader
    }

    /// What the supervisor is asked for a reload, and the loader it starts.
    fn reloads(&mut self, wanted: Number) -> Link<LoaderToEngine, EngineToLoader> {
        let EngineToSupervisor::Load { generation, .. } = self.asked() else { panic!("a load") };
        assert_eq!(generation, wanted);
        self.loader_of(wanted)
    }

    fn report(&mut self, admin: &mut Admin) -> LoadReport {
        let AdminAnswer::Loaded { report } = self.told(admin) else { panic!("a report") };
        report
    }

    /// Loads a robot, up to the moment its connector is up.
    fn load(robot: Robot) -> Self {
        let mut stage = Self::begin();
        let mut loader = stage.loader();
        loader.send(&loaded(robot)).expect("sends");
        let EngineToSupervisor::GenerationActive { settings, .. } = stage.asked() else { panic!("active") };
        assert_eq!(settings.work_space.as_deref(), Some("/robot/workspace"));
        let EngineToSupervisor::StartConnector { name } = stage.asked() else { panic!("a connector") };
        assert_eq!(name, "test");
        stage.connect();
        stage
    }

    fn connect(&mut self) {
        let (mut connector, socket) = pair::<ConnectorToEngine, EngineToConnector>();
        self.supervisor.send_with(&SupervisorToEngine::Connector { name: "test".into() }, vec![socket]).expect("sends");
        let (configured, _) = self.until("the connector's settings", |_| connector.receive().expect("alive"));
        let EngineToConnector::Configure { settings } = configured else { panic!("settings first") };
        assert_eq!(settings.robot_name, "floyd");
        let capabilities = Capabilities {
            hidden_commands: true,
            threads: true,
            robot_id: Some("deadbeef".into()),
            mention: None,
            hidden_prefix: Some("/floyd ".into()),
        };
        connector.send(&ConnectorToEngine::Up { capabilities }).expect("sends");
        self.connector = Some(connector);
    }

    /// A robot without extensions that need `_init`, ready for commands.
    fn open(robot: Robot) -> Self {
        let count = robot.extensions.len();
        let mut stage = Self::load(robot);
        for _ in 0..count {
            let (mut worker, request) = stage.worker();
            assert_eq!(request.args, ["_init"]);
            stage.finish(&mut worker, &request, 0);
        }
        stage.until("the open gate", |s| match s.supervisor.receive().expect("alive") {
            Some((EngineToSupervisor::Up, _)) => Some(()),
            _ => None,
        });
        assert!(matches!(stage.heard(), EngineToConnector::Join { .. }));
        assert!(matches!(stage.heard(), EngineToConnector::GateOpen));
        stage
    }

    /// The next message to the connector that is neither an event nor an acknowledgement.
    fn heard(&mut self) -> EngineToConnector {
        self.until("a message to the connector", |s| {
            let message = s.connector.as_mut()?.receive().expect("alive")?.0;
            match message {
                EngineToConnector::Event { name } => s.events.push(name),
                EngineToConnector::Accepted { .. } => {}
                other => return Some(other),
            }
            None
        })
    }

    fn say(&mut self, message: Inbound) {
        self.said += 1;
        let message = Inbound { event: EventId(format!("e{}", self.said)), ..message };
        self.say_again(message);
    }

    fn say_again(&mut self, message: Inbound) {
        let connector = self.connector.as_mut().expect("is connected");
        connector.send(&ConnectorToEngine::Inbound { message }).expect("sends");
    }

    /// The robot's next words, which arrive.
    fn answer(&mut self) -> Outbound {
        let EngineToConnector::Deliver { delivery, message } = self.heard() else { panic!("words") };
        let connector = self.connector.as_mut().expect("is connected");
        connector.send(&ConnectorToEngine::Delivered { delivery, ret: RetVal::Ok }).expect("sends");
        message
    }

    fn spawn_request(&mut self) -> SpawnRequest {
        self.until("a run", |s| match s.supervisor.receive().expect("alive")?.0 {
            EngineToSupervisor::Spawn { request } => Some(request),
            EngineToSupervisor::PipelineClosed { .. } => None,
            other => panic!("not a run: {other:?}"),
        })
    }

    /// A worker for the next run, which has been told what to do.
    fn worker(&mut self) -> (Worker, RunRequest) {
        let request = self.spawn_request();
        let (mut worker, socket) = pair::<WorkerToEngine, EngineToWorker>();
        self.supervisor.send_with(&SupervisorToEngine::Spawned { run: request.run }, vec![socket]).expect("sends");
        let (message, _) = self.until("the run request", |_| worker.receive().expect("alive"));
        let EngineToWorker::Run { request } = message else { panic!("a request first") };
        (worker, request)
    }

    fn finish(&mut self, worker: &mut Worker, request: &RunRequest, status: i32) {
        let outcome = Outcome::Exited { status: TaskRetVal(status), signal: None };
        worker.send(&WorkerToEngine::Done { outcome }).expect("sends");
        self.settle();
        self.tell(&SupervisorToEngine::Exited { run: request.run, exit: RunExit::Code(0) });
        self.settle();
    }

    fn reply_to(&mut self, worker: &mut Worker, call: u64) -> RobotAnswer {
        let (message, _) = self.until("an answer", |_| worker.receive().expect("alive"));
        let EngineToWorker::Answer { call: CallId(number), answer } = message else { panic!("an answer: {message:?}") };
        assert_eq!(number, call);
        answer
    }

    fn admin(&mut self) -> Admin {
        let path = self.directory.join("admin");
        if !path.exists() {
            let listener = UnixListener::bind(&path).expect("binds");
            self.supervisor.send_with(&SupervisorToEngine::AdminSocket, vec![listener.into()]).expect("sends");
            self.settle();
        }
        Link::new(UnixStream::connect(&path).expect("connects").into()).expect("a link")
    }

    fn admitted(&mut self) -> Admin {
        let mut admin = self.admin();
        admin.send(&AdminRequest::Authenticate { cookie: "c00kie".into() }).expect("sends");
        assert!(matches!(self.told(&mut admin), AdminAnswer::Welcome));
        admin
    }

    fn told(&mut self, admin: &mut Admin) -> AdminAnswer {
        self.until("an admin answer", |_| admin.receive().expect("alive")).0
    }

    fn hung_up_on(&mut self, admin: &mut Admin) {
        self.until("the end of the link", |_| match admin.receive() {
            Err(LinkError::Closed | LinkError::Torn) => Some(()),
            Ok(_) => None,
            Err(other) => panic!("{other}"),
        });
    }
}

fn deploy() -> Extension {
    let mut extension = testing::extension("deploy");
    extension.commands = vec![testing::command("go", "deploy (.*)")];
    extension
}

fn say_call(text: &str) -> RobotCall {
    RobotCall::SendChannelThread { channel: "general".into(), thread: String::new(), text: text.into(), format: None }
}

#[test]
fn start_gate_ping() {
    let mut stage = Stage::load(testing::robot_with(vec![deploy()]));
    assert!(matches!(stage.heard(), EngineToConnector::Join { .. }));
    let (mut worker, request) = stage.worker();
    stage.say(testing::inbound("alice", "general", ";ping"));
    assert_eq!(stage.answer().text, "(the robot is still starting up, please wait and try your command again later)");
    stage
        .connector
        .as_mut()
        .expect("is connected")
        .send(&ConnectorToEngine::AskIdle { call: CallId(4) })
        .expect("sends");
    stage.finish(&mut worker, &request, 0);
    assert!(matches!(stage.heard(), EngineToConnector::GateOpen));
    assert!(matches!(stage.heard(), EngineToConnector::Idle { call: CallId(4) }));

    stage.say(testing::inbound("alice", "general", ";ping"));
    let answer = stage.answer();
    assert_eq!((answer.text.as_str(), answer.format, answer.hidden), ("PONG", MessageFormat::Fixed, false));
    assert_eq!(answer.destination, Destination::UserInChannel { user: "alice".into(), channel: "general".into() });
    assert_eq!(stage.events, ["CommandTaskRan", "GoPluginRan"]);

    stage.say(testing::inbound("alice", "", "ping"));
    assert_eq!(stage.answer().destination, Destination::User { user: "alice".into() });
    assert_eq!(stage.events[2..], ["BotDirectMessage", "CommandTaskRan", "GoPluginRan"]);
}

#[test]
fn the_same_event_is_acknowledged_again_but_acted_on_once() {
    let mut stage = Stage::open(testing::robot());
    let message = Inbound { event: "twice".into(), ..testing::inbound("alice", "general", ";ping") };
    stage.say_again(message.clone());
    assert_eq!(stage.answer().text, "PONG");
    stage.say_again(message);
    stage.say(testing::inbound("alice", "general", "floyd"));
    assert_eq!(stage.answer().text, "Yes?", "no second PONG before it");
}

#[test]
fn a_remark_is_turned_into_a_command_by_calling_the_robot() {
    let mut stage = Stage::open(testing::robot());
    stage.say(testing::inbound("alice", "general", "ping"));
    stage.say(testing::inbound("alice", "general", "floyd"));
    assert_eq!(stage.answer().text, "PONG");
    stage.say(testing::inbound("bob", "general", "floyd: echo hello"));
    let advice = stage.answer();
    assert!(advice.text.starts_with("I couldn't match `floyd, echo hello` in channel `#general`."), "{}", advice.text);
    assert!(advice.thread.is_some());
    let hidden = Inbound { hidden: true, ..testing::inbound("alice", "general", "ping") };
    stage.say(Inbound { text: ";ping".into(), ..hidden.clone() });
    let refusal = stage.answer();
    assert_eq!(refusal.text, "Use `/floyd <command>` to address a private command.");
    assert!(refusal.hidden);
    for text in ["ping", "nothing anybody knows"] {
        stage.say(Inbound { text: text.into(), ..hidden.clone() });
        let advice = stage.answer();
        assert_eq!(advice.text, "Use `/floyd <command>` to address a private command.", "{text}");
        assert!(advice.hidden);
    }
    stage.say(Inbound { text: "floyd ping".into(), ..hidden });
    assert!(stage.answer().hidden);
}

/// A plugin with `SimpleMatcher`s that answers in one channel.
fn levels() -> Extension {
    let mut extension = testing::extension("levels");
    extension.commands = vec![testing::simple("set", "set level (lvl:debug|info)"), testing::simple("what", "?")];
    extension.commands[0].contexts = vec!["level:it".into(), "more".into()];
    extension.channels = vec!["ops".into()];
    extension.private.allowed = vec!["*".into()];
    extension
}

#[test]
fn a_wrong_value_is_answered_in_the_thread_and_a_wrong_place_with_the_right_one() {
    let mut stage = Stage::open(testing::robot_with(vec![levels()]));
    stage.say(testing::inbound("bob", "ops", ";set level loud."));
    let answer = stage.answer();
    assert_eq!(answer.text, "Invalid value: \"loud\" for: \"lvl\"; valid values: debug, info.");
    assert_eq!(answer.destination, Destination::Channel { channel: "ops".into() });
    assert!(answer.thread.is_some());
    stage.say(testing::inbound("bob", "", "set level loud"));
    let plain = stage.answer();
    assert_eq!((plain.thread, plain.destination), (None, Destination::User { user: "bob".into() }));

    stage.say(testing::inbound("bob", "general", ";set level debug"));
    let hint = stage.answer();
    assert_eq!(hint.text, "levels/set not available in #general, try #ops");
    assert!(hint.thread.is_some());
    stage.say(testing::inbound("bob", "general", ";set level loud"));
    let advice = stage.answer().text;
    assert!(!advice.contains("Invalid value"), "what is wrong elsewhere is not told here: {advice}");
    stage.say(testing::inbound("bob", "general", ";zebra crossing"));
    assert!(stage.answer().text.starts_with("I couldn't match"));

    stage.say(testing::inbound("bob", "ops", ";set-level DEBUG."));
    let (mut worker, request) = stage.worker();
    assert_eq!(request.args, ["set", "DEBUG"]);
    stage.finish(&mut worker, &request, 0);
    let log = fs::read_to_string(stage.directory.join("robot.log")).expect("a log");
    assert!(log.contains("'levels/set' has 2 contexts and only 1 captures"), "{log}");
}

#[test]
fn a_question_mark_is_a_command_if_a_plugin_says_so_and_a_remark_is_second() {
    let mut stage = Stage::open(testing::robot_with(vec![levels()]));
    stage.say(testing::inbound("bob", "ops", "set level info"));
    stage.say(testing::inbound("bob", "ops", "floyd?"));
    let (mut worker, request) = stage.worker();
    assert_eq!(request.args, ["what"]);
    stage.finish(&mut worker, &request, 0);
    stage.say(testing::inbound("bob", "ops", "floyd"));
    assert_eq!(stage.answer().text, "Yes?", "a command forgets the remark");
    stage.say(testing::inbound("carol", "ops", "set level loud"));
    stage.say(testing::inbound("carol", "ops", ";"));
    assert!(stage.answer().text.starts_with("Invalid value: \"loud\""), "a remark gets the answer of a command");
    stage.say(testing::inbound("carol", "ops", "nothing anybody knows"));
    stage.say(testing::inbound("carol", "ops", "floyd"));
    let advice = stage.answer().text;
    assert!(advice.starts_with("I couldn't match `floyd, nothing anybody knows` in channel"), "{advice}");
}

#[test]
fn nothing_is_remembered_when_two_plugins_match() {
    let twin = Extension { name: "twin".into(), ..levels() };
    let mut stage = Stage::open(testing::robot_with(vec![levels(), twin]));
    stage.say(testing::inbound("bob", "ops", ";set level debug"));
    assert!(stage.answer().text.starts_with("Yikes!"));
    let remembered = |s: &mut Stage| {
        s.engine.ephemeral.recall(&testing::context("bob", "ops"), "context:level", false, Instant::now())
    };
    assert_eq!(remembered(&mut stage), "");
}

#[test]
fn two_catch_alls_that_want_it_equally_are_an_error() {
    let mut other = testing::extension("other");
    other.catch_all = true;
    let mut stage = Stage::open(testing::robot_with(vec![other]));
    stage.say(testing::inbound("bob", "general", ";what"));
    stage.say(testing::inbound("bob", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG", "and nobody answered before");
    let log = fs::read_to_string(stage.directory.join("robot.log")).expect("a log");
    assert!(log.contains("no catch-all ran for bob in #general: 'builtin-fallback', 'other' all want it"), "{log}");
}

#[test]
fn help_that_nobody_was_asked_for_is_given_in_the_thread() {
    let mut stage = Stage::open(testing::robot());
    stage.say(testing::inbound("zoe", "general", "help"));
    let welcome = stage.answer();
    assert!(welcome.text.starts_with("**Help**\nHi, I'm Floyd"), "{}", welcome.text);
    assert_eq!((welcome.format, welcome.thread.is_some()), (MessageFormat::BasicMarkdown, true));
    assert_eq!(welcome.destination, Destination::Channel { channel: "general".into() });
    assert_eq!(stage.events, ["AmbientTaskRan", "GoPluginRan"]);
    stage.say(testing::inbound("bob", "general", ";help with robot"));
    assert_eq!(stage.answer().text, welcome.text);
    stage.say(Inbound { threaded: true, ..testing::inbound("bob", "general", ";help") });
    let overview = stage.answer();
    assert!(overview.text.starts_with("**Quick help**"), "{}", overview.text);
    assert_eq!(overview.destination, Destination::UserInChannel { user: "bob".into(), channel: "general".into() });
    stage.say(testing::inbound("bob", "general", ";info"));
    let info = stage.answer();
    assert!(info.text.starts_with("Hello, I'm Floyd Gopherbot"), "{}", info.text);
    assert_eq!((info.format, info.thread.is_some()), (MessageFormat::Variable, true));
}

#[test]
fn what_administrators_may_do_is_neither_done_for_nor_shown_to_others() {
    let mut stage = Stage::open(testing::robot());
    stage.say(testing::inbound("bob", "general", ";reload"));
    assert!(stage.answer().text.starts_with("I couldn't match `;reload`"));
    for (errors, answer) in [
        (Vec::new(), "Configuration reloaded successfully"),
        (vec!["conf/robot.yaml:1:1: no".to_owned()], "Error encountered during reload:"),
    ] {
        stage.say(testing::inbound("alice", "general", ";reload"));
        let number = Number(stage.engine.newest.0 + 1);
        let mut loader = stage.reloads(number);
        let robot = Box::new(Robot { generation: number, ..testing::robot() });
        let refused = !errors.is_empty();
        let said = if refused { LoaderToEngine::Refused { errors } } else { loaded(*robot) };
        loader.send(&said).expect("sends");
        if !refused {
            assert!(matches!(stage.heard(), EngineToConnector::Configure { .. }));
        }
        assert_eq!(stage.answer().text, answer);
        if refused {
            assert_eq!(stage.answer().text, "conf/robot.yaml:1:1: no");
        }
        stage.asked();
    }
}

#[test]
fn a_secret_is_encrypted_where_only_its_owner_sees_it() {
    let mut stage = Stage::open(testing::robot());
    let (mut secretd, socket) = pair::<SecretdToEngine, EngineToSecretd>();
    stage.supervisor.send_with(&SupervisorToEngine::Secretd, vec![socket]).expect("sends");
    stage.settle();
    stage.say(testing::inbound("alice", "general", ";encrypt-secret hunter2"));
    assert_eq!(stage.answer().text, "This command is only available in a private context.");
    stage.say(testing::inbound("alice", "", "encrypt-secret hunter2"));
    let (asked, _) = stage.until("the request", |_| secretd.receive().expect("alive"));
    let EngineToSecretd::Encrypt { call, plaintext } = asked else { panic!("{asked:?}") };
    assert_eq!(plaintext.expose(), b"hunter2");
    secretd.send(&SecretdToEngine::Encrypted { call, text: "c2VjcmV0".into() }).expect("sends");
    let answer = stage.answer();
    assert_eq!((answer.text.as_str(), answer.format), ("c2VjcmV0", MessageFormat::Raw));
    let log = fs::read_to_string(stage.directory.join("audit.log")).expect("a log");
    assert!(log.contains("builtin-admin/encryptsecret") && !log.contains("hunter2"), "{log}");
}

#[test]
fn an_external_command_speaks_and_ends() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, request) = stage.worker();
    assert_eq!(request.args, ["go", "web"]);
    assert!(request.env.contains(&("GOPHER_USER".to_owned(), "bob".to_owned())));
    worker.send(&WorkerToEngine::Started).expect("sends");
    worker.send(&WorkerToEngine::Call { call: CallId(1), request: say_call("on it") }).expect("sends");
    let words = stage.answer();
    assert_eq!((words.text.as_str(), words.answers.as_deref()), ("on it", Some("bob")));
    assert!(matches!(stage.reply_to(&mut worker, 1), RobotAnswer::RetVal(RetVal::Ok)));
    assert_eq!(stage.events, ["CommandTaskRan", "ExternalTaskRan"]);

    worker.send(&WorkerToEngine::Call { call: CallId(2), request: say_call("") }).expect("sends");
    assert!(matches!(stage.reply_to(&mut worker, 2), RobotAnswer::RetVal(RetVal::Failed)));
    worker.send(&WorkerToEngine::Call { call: CallId(3), request: RobotCall::CheckAdmin }).expect("sends");
    assert!(matches!(stage.reply_to(&mut worker, 3), RobotAnswer::Boolean(false)));
    let unsupported = RobotCall::Unsupported { function: "AddTask".into() };
    worker.send(&WorkerToEngine::Call { call: CallId(4), request: unsupported }).expect("sends");
    assert!(matches!(stage.reply_to(&mut worker, 4), RobotAnswer::Refused(why) if why == "AddTask is not offered yet"));

    worker.send(&WorkerToEngine::Output { stream: Stream::Stderr, bytes: b"oops\n".to_vec().into() }).expect("sends");
    stage.finish(&mut worker, &request, 3);
    let failed = stage.answer();
    assert!(
        failed.text.starts_with("Pipeline failed in external task 'deploy', exit code 3 (ConfigurationError);"),
        "{}",
        failed.text
    );
    let log = fs::read_to_string(stage.directory.join("robot.log")).expect("a log");
    assert!(log.contains(&format!("deploy/{} ERR oops", request.run.0)), "{log}");
    let audit = fs::read_to_string(stage.directory.join("audit.log")).expect("an audit log");
    assert!(audit.contains("deploy/go for bob in #general"), "{audit}");
    assert!(stage.engine.runs.is_empty());
}

#[test]
fn a_thread_is_heard_by_the_plugin_that_subscribed_to_it() {
    let mut other = testing::extension("other");
    other.commands = vec![testing::command("listen", "listen too")];
    let mut stage = Stage::open(testing::robot_with(vec![deploy(), other]));
    let in_thread = |text: &str| Inbound { threaded: true, ..testing::inbound("bob", "general", text) };
    let asks = |stage: &mut Stage, text: &str, request: RobotCall| {
        stage.say(in_thread(text));
        let (mut worker, run) = stage.worker();
        worker.send(&WorkerToEngine::Started).expect("sends");
        worker.send(&WorkerToEngine::Call { call: CallId(1), request }).expect("sends");
        let answer = stage.reply_to(&mut worker, 1);
        stage.finish(&mut worker, &run, 0);
        matches!(answer, RobotAnswer::Boolean(true))
    };
    assert!(asks(&mut stage, ";deploy web", RobotCall::Subscribe));
    assert!(!asks(&mut stage, ";listen too", RobotCall::Subscribe), "one listener for each thread");

    stage.say(in_thread("and then?"));
    let (mut worker, heard) = stage.worker();
    assert_eq!(heard.args, ["_subscribed", "and then?"]);
    assert!(heard.env.contains(&("GOPHER_PIPELINE_TYPE".to_owned(), "plugThreadSubscription".to_owned())));
    stage.finish(&mut worker, &heard, 0);
    // Commands are still commands, and other threads are none of its business.
    stage.say(in_thread(";ping"));
    assert_eq!(stage.answer().text, "PONG");
    stage.say(Inbound { thread: "another".into(), ..in_thread("who listens?") });
    stage.say(in_thread(";ping"));
    assert_eq!(stage.answer().text, "PONG");

    assert!(asks(&mut stage, ";deploy web", RobotCall::Unsubscribe));
    stage.say(in_thread("is anybody there?"));
    stage.say(in_thread(";ping"));
    assert_eq!(stage.answer().text, "PONG");
    assert!(stage.engine.runs.is_empty());
}

#[test]
fn calls_after_the_end_are_refused() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, _) = stage.worker();
    let outcome = Outcome::Exited { status: TaskRetVal(0), signal: None };
    worker.send(&WorkerToEngine::Done { outcome }).expect("sends");
    worker.send(&WorkerToEngine::Call { call: CallId(9), request: say_call("still here") }).expect("sends");
    assert!(matches!(stage.reply_to(&mut worker, 9), RobotAnswer::Refused(_)));
}

#[test]
fn a_prompt_is_answered_by_the_next_message_even_if_it_is_a_command() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, request) = stage.worker();
    let ask = |matcher: &str| RobotCall::Prompt {
        matcher: matcher.into(),
        user: "bob".into(),
        channel: "general".into(),
        thread: String::new(),
        prompt: "sure?".into(),
        format: None,
    };
    worker.send(&WorkerToEngine::Call { call: CallId(1), request: ask("Nonsense") }).expect("sends");
    assert!(matches!(stage.reply_to(&mut worker, 1), RobotAnswer::Reply { ret: RetVal::MatcherNotFound, .. }));
    worker.send(&WorkerToEngine::Call { call: CallId(2), request: ask("SimpleString") }).expect("sends");
    let EngineToConnector::Deliver { message, .. } = stage.heard() else { panic!("the question") };
    assert_eq!(message.destination, Destination::UserInChannel { user: "bob".into(), channel: "general".into() });
    stage.say(testing::inbound("alice", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG", "others are not stopped");
    // The answer may be there before the connector has confirmed the question.
    stage.say(testing::inbound("bob", "general", "Yes, do it"));
    assert!(matches!(
        stage.reply_to(&mut worker, 2),
        RobotAnswer::Reply { text, ret: RetVal::Ok } if text == "Yes, do it"
    ));
    worker.send(&WorkerToEngine::Call { call: CallId(3), request: ask("YesNo") }).expect("sends");
    stage.answer();
    let mut admin = stage.admitted();
    admin.send(&AdminRequest::Ps).expect("sends");
    let AdminAnswer::Ps { rows } = stage.told(&mut admin) else { panic!("rows") };
    assert_eq!((rows[0].task.as_str(), rows[0].state.as_str()), ("deploy", "waiting for a reply"));
    stage.say(testing::inbound("alice", "general", &format!(";kill {}", rows[0].pipeline)));
    assert!(matches!(stage.reply_to(&mut worker, 3), RobotAnswer::Reply { ret: RetVal::Interrupted, .. }));
    let cancelled = stage.until("the cancellation", |_| worker.receive().expect("alive")).0;
    assert!(matches!(cancelled, EngineToWorker::Cancel { .. }));
    assert_eq!(stage.answer().text, format!("Killed pipeline {}", rows[0].pipeline));
    let outcome = Outcome::Exited { status: TaskRetVal(-1), signal: Some(15) };
    worker.send(&WorkerToEngine::Done { outcome }).expect("sends");
    let told = stage.answer().text;
    assert!(told.starts_with("'deploy/go' was stopped by alice"), "{told}");
    stage.tell(&SupervisorToEngine::Exited { run: request.run, exit: RunExit::Signal(15) });
    stage.settle();
    stage.say(testing::inbound("alice", "general", &format!(";kill {}", rows[0].pipeline)));
    assert_eq!(stage.answer().text, format!("Pipeline {} not found", rows[0].pipeline));
}

#[test]
fn a_worker_that_vanishes_or_never_starts_gets_one_sentence() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (worker, request) = stage.worker();
    drop(worker);
    stage.until("the kill", |s| match s.supervisor.receive().expect("alive")?.0 {
        EngineToSupervisor::Kill { run } if run == request.run => Some(()),
        _ => None,
    });
    stage.tell(&SupervisorToEngine::Exited { run: request.run, exit: RunExit::Signal(9) });
    let told = stage.answer().text;
    assert!(told.contains("its worker ended before the task was done (signal 9 (SIGKILL))"), "{told}");

    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let request = stage.spawn_request();
    stage.tell(&SupervisorToEngine::SpawnFailed { run: request.run, reason: "no uid is free, try later".into() });
    let told = stage.answer().text;
    assert!(told.starts_with("Sorry, I couldn't start 'deploy': no uid is free, try later"), "{told}");
    stage.settle();
    assert!(stage.engine.runs.is_empty());
}

#[test]
fn a_malformed_frame_of_a_worker_ends_its_run_only() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let request = stage.spawn_request();
    let (ours, theirs) = link::pair().expect("a pair");
    stage.supervisor.send_with(&SupervisorToEngine::Spawned { run: request.run }, vec![theirs]).expect("sends");
    nix::unistd::write(&ours, &[0xff; 64]).expect("writes");
    stage.until("the kill", |s| match s.supervisor.receive().expect("alive")?.0 {
        EngineToSupervisor::Kill { run } if run == request.run => Some(()),
        _ => None,
    });
    stage.say(testing::inbound("alice", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG");
}

#[test]
fn one_users_flood_does_not_delay_anothers_command() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    for n in 0..20 {
        stage.say(testing::inbound("bob", "general", &format!(";deploy {n}")));
    }
    stage.settle();
    stage.say(testing::inbound("carol", "general", ";deploy hers"));
    let mut requests: Vec<RunId> = Vec::new();
    let carols = RunId(stage.engine.next_run.0 + 20);
    stage.until("carol's run", |s| {
        while let Some((message, _)) = s.supervisor.receive().expect("alive") {
            if let EngineToSupervisor::Spawn { request } = message {
                requests.push(request.run);
            }
        }
        requests.contains(&RunId(s.engine.next_run.0 - 1)).then_some(())
    });
    assert!(requests.len() <= crate::engine::cores() + 2, "before {carols}: {requests:?}");
}

#[test]
fn a_refused_configuration_ends_the_start_with_all_reasons() {
    let mut stage = Stage::begin();
    let mut loader = stage.loader();
    let errors = vec!["conf/robot.yaml:3: first".to_owned(), "conf/robot.yaml:9: second".to_owned()];
    loader.send(&LoaderToEngine::Refused { errors }).expect("sends");
    let EngineToSupervisor::Quit { failed } = stage.asked() else { panic!("the end") };
    assert_eq!(failed.as_deref(), Some("conf/robot.yaml:3: first\nconf/robot.yaml:9: second"));
}

#[test]
fn a_loader_that_vanishes_is_explained_by_the_supervisor() {
    let mut stage = Stage::begin();
    drop(stage.loader());
    stage.settle();
    stage.tell(&SupervisorToEngine::LoaderGone { generation: Number(1), reason: "ended by signal 24".into() });
    let EngineToSupervisor::Quit { failed } = stage.asked() else { panic!("the end") };
    assert_eq!(failed.as_deref(), Some("the configuration could not be loaded: ended by signal 24"));
}

#[test]
fn the_last_words_of_a_loader_are_heard_although_it_no_longer_listens() {
    let mut stage = Stage::begin();
    let mut loader = stage.loader();
    loader.send(&LoaderToEngine::WantDefaults { tasks: wanted(&["one"]) }).expect("sends");
    let (mut worker, request) = stage.worker();
    let outcome = Outcome::Exited { status: TaskRetVal(0), signal: None };
    worker.send(&WorkerToEngine::Done { outcome }).expect("sends");
    // Both are ready in the same turn: the default cannot be sent, the refusal is already there.
    loader.send(&LoaderToEngine::Refused { errors: vec!["conf/robot.yaml:1: no".into()] }).expect("sends");
    drop(loader);
    let EngineToSupervisor::Quit { failed } = stage.asked() else { panic!("the end") };
    assert_eq!(failed.as_deref(), Some("conf/robot.yaml:1: no"));
    stage.tell(&SupervisorToEngine::Exited { run: request.run, exit: RunExit::Code(0) });
}

fn wanted(tasks: &[&str]) -> Vec<WantedDefault> {
    tasks.iter().map(|task| WantedDefault { task: (*task).into(), fingerprint: Some(1) }).collect()
}

#[test]
fn a_plugin_of_which_nothing_changed_is_not_asked_again() {
    let mut stage = Stage::begin();
    let mut loader = stage.loader();
    loader.send(&LoaderToEngine::WantDefaults { tasks: wanted(&["one"]) }).expect("sends");
    let (mut worker, request) = stage.worker();
    let printed = WorkerToEngine::Output { stream: Stream::Stdout, bytes: b"Users: []\n".to_vec().into() };
    worker.send(&printed).expect("sends");
    stage.finish(&mut worker, &request, 0);
    stage.until("the default", |_| loader.receive().expect("alive"));
    loader.send(&LoaderToEngine::WantDefaults { tasks: wanted(&["one"]) }).expect("sends");
    // No run is started: the supervisor would have been asked.
    let (known, _) = stage.until("the same default", |_| loader.receive().expect("alive"));
    assert!(matches!(known, EngineToLoader::DefaultConfig { result: Ok(yaml), .. } if yaml == "Users: []\n"));
}

#[test]
fn default_configurations_are_asked_of_the_plugins() {
    let mut stage = Stage::begin();
    let mut loader = stage.loader();
    loader.send(&LoaderToEngine::WantDefaults { tasks: wanted(&["one", "two"]) }).expect("sends");
    for status in [0, 7] {
        let (mut worker, request) = stage.worker();
        assert!(request.configure && request.args == ["_configure"]);
        assert!(!request.env.iter().any(|(name, _)| name == "GOPHER_USER"));
        worker
            .send(&WorkerToEngine::Output { stream: Stream::Stdout, bytes: b"AllChannels: true\n".to_vec().into() })
            .expect("sends");
        worker
            .send(&WorkerToEngine::Output { stream: Stream::Stderr, bytes: b"no such thing\n".to_vec().into() })
            .expect("sends");
        stage.finish(&mut worker, &request, status);
    }
    let mut result = || match stage.until("a default", |_| loader.receive().expect("alive")).0 {
        EngineToLoader::DefaultConfig { task, result } => (task.0, result),
        EngineToLoader::Load { .. } => panic!("a default"),
    };
    assert_eq!(result(), ("one".to_owned(), Ok("AllChannels: true\n".to_owned())));
    assert_eq!(result(), ("two".to_owned(), Err("_configure: exit code 7 (Success): no such thing".to_owned())));
}

#[test]
fn a_reload_shows_what_changed_and_serves_whoever_asked_meanwhile() {
    let mut stage = Stage::open(testing::robot());
    let (mut one, mut two) = (stage.admitted(), stage.admitted());
    one.send(&AdminRequest::Reload).expect("sends");
    let mut loader = stage.reloads(Number(2));
    two.send(&AdminRequest::Reload).expect("sends");
    stage.settle();
    let mut robot = Robot { generation: Number(2), ..testing::robot() };
    robot.admin_contact = "ops".into();
    loader.send(&loaded(robot.clone())).expect("sends");
    assert!(matches!(stage.asked(), EngineToSupervisor::GenerationActive { generation: Number(2), .. }));
    assert_eq!(stage.report(&mut one).changes, ["~ AdminContact: \"root <root@example.com>\" -> \"ops\""]);
    // Whoever asked during that load gets one of its own.
    let mut loader = stage.reloads(Number(3));
    robot.generation = Number(3);
    loader.send(&loaded(robot)).expect("sends");
    assert!(matches!(stage.asked(), EngineToSupervisor::GenerationActive { generation: Number(3), .. }));
    let report = stage.report(&mut two);
    assert_eq!((report.generation, report.changes.len(), report.errors.len()), (3, 0, 0));
}

#[test]
fn a_failed_reload_changes_nothing_and_the_next_one_starts_afresh() {
    let mut stage = Stage::open(testing::robot());
    let before = stage.engine.current.clone().expect("in force");
    let mut admin = stage.admitted();
    for (number, how) in [(2, "refused"), (3, "vanished")] {
        admin.send(&AdminRequest::Reload).expect("sends");
        let mut loader = stage.reloads(Number(number));
        if how == "refused" {
            loader.send(&LoaderToEngine::Refused { errors: vec!["conf/robot.yaml:1: no".into()] }).expect("sends");
        } else {
            drop(loader);
            stage.settle();
            stage.tell(&SupervisorToEngine::LoaderGone { generation: Number(number), reason: "killed".into() });
        }
        let EngineToSupervisor::GenerationDropped { generation } = stage.asked() else { panic!("dropped") };
        assert_eq!(generation, Number(number));
        let errors = stage.report(&mut admin).errors;
        assert!(errors[0] == "conf/robot.yaml:1: no" || errors[0].ends_with("killed"), "{errors:?}");
        assert!(std::rc::Rc::ptr_eq(&before, stage.engine.current.as_ref().expect("in force")));
    }
    admin.send(&AdminRequest::Report).expect("sends");
    assert_eq!(stage.report(&mut admin).generation, 3);
    stage.say(testing::inbound("alice", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG");
}

#[test]
fn protocols_come_and_go_with_a_reload_but_not_the_primary_one() {
    let mut stage = Stage::open(testing::robot());
    let mut admin = stage.admitted();
    let named = |name: &str| ProtocolSettings { name: name.into(), config: "{}".into(), channels: Vec::new() };
    let mut other = Robot { generation: Number(2), ..testing::robot() };
    other.primary_protocol = "slack".into();
    other.protocols = vec![named("slack"), named("ssh")];
    admin.send(&AdminRequest::Reload).expect("sends");
    stage.reloads(Number(2)).send(&loaded(other)).expect("sends");
    assert!(matches!(stage.asked(), EngineToSupervisor::GenerationActive { .. }));
    for wanted in ["slack", "ssh"] {
        assert!(matches!(stage.asked(), EngineToSupervisor::StartConnector { name } if name == wanted));
    }
    assert_eq!(stage.report(&mut admin).notices.len(), 1);
    admin.send(&AdminRequest::Reload).expect("sends");
    let back = Robot { generation: Number(3), ..testing::robot() };
    stage.reloads(Number(3)).send(&loaded(back)).expect("sends");
    assert!(matches!(stage.asked(), EngineToSupervisor::GenerationActive { .. }));
    let mut stopped: Vec<String> = (0..2)
        .map(|_| match stage.asked() {
            EngineToSupervisor::StopConnector { name } => name,
            other => panic!("{other:?}"),
        })
        .collect();
    stopped.sort();
    assert_eq!(stopped, ["slack", "ssh"]);
}

#[test]
fn hostile_admin_clients_are_dropped_and_nobody_notices() {
    let mut stage = Stage::open(testing::robot());
    let mut silent = stage.admin();
    silent.send(&AdminRequest::Status).expect("sends");
    stage.hung_up_on(&mut silent);
    let mut liar = stage.admin();
    liar.send(&AdminRequest::Authenticate { cookie: "guess".into() }).expect("sends");
    assert!(matches!(stage.told(&mut liar), AdminAnswer::Refused { .. }));
    stage.hung_up_on(&mut liar);
    stage.admin();
    let raw = UnixStream::connect(stage.directory.join("admin")).expect("connects");
    nix::unistd::write(&raw, &[0xee; 4096]).expect("writes");
    stage.settle();

    // Asks and asks and reads nothing.
    let mut deaf = stage.admitted();
    for _ in 0..400 {
        stage.engine.log.info(&"x".repeat(2000));
    }
    for _ in 0..20 {
        deaf.send(&AdminRequest::Logs { lines: 400, follow: true }).expect("sends");
    }
    stage.until("the deaf client's end", |s| s.engine.clients.values().all(|c| c.deadline().is_some()).then_some(()));
    stage.say(testing::inbound("alice", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG");
    let mut good = stage.admitted();
    good.send(&AdminRequest::Logs { lines: 5, follow: false }).expect("sends");
    assert!(matches!(stage.told(&mut good), AdminAnswer::Log { lines } if lines.len() == 5));
    good.send(&AdminRequest::Kill { pipeline: PipelineId(99) }).expect("sends");
    assert!(matches!(stage.told(&mut good), AdminAnswer::Refused { reason } if reason == "Pipeline 99 not found"));
}

#[test]
fn a_console_is_handed_to_its_connector_as_the_first_admin() {
    let mut stage = Stage::open(testing::robot());
    let mut admin = stage.admitted();
    admin.send(&AdminRequest::Console).expect("sends");
    let EngineToSupervisor::StartConnector { name } = stage.asked() else { panic!("the terminal") };
    let (mut terminal, socket) = pair::<ConnectorToEngine, EngineToConnector>();
    stage.supervisor.send_with(&SupervisorToEngine::Connector { name }, vec![socket]).expect("sends");
    let capabilities =
        Capabilities { hidden_commands: true, threads: true, robot_id: None, mention: None, hidden_prefix: None };
    terminal.send(&ConnectorToEngine::Up { capabilities }).expect("sends");
    let (console, descriptors) = stage.until("the console", |_| match terminal.receive().expect("alive")? {
        (EngineToConnector::Attach { console }, descriptors) => Some((console, descriptors)),
        _ => None,
    });
    assert_eq!((console.user.as_str(), console.any_user, descriptors.len()), ("alice", true, 1));
    assert!(console.vocabulary.commands.contains(&"ping".to_owned()));
    assert!(matches!(stage.told(&mut admin), AdminAnswer::ConsoleFollows));
}

#[test]
fn the_end_cancels_what_runs_and_refuses_what_comes() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, request) = stage.worker();
    stage.tell(&SupervisorToEngine::Ping { nonce: 7 });
    assert!(matches!(
        stage.until("the pong", |s| match s.supervisor.receive().expect("alive")?.0 {
            EngineToSupervisor::PipelineClosed { .. } => None,
            other => Some(other),
        }),
        EngineToSupervisor::Pong { nonce: 7 }
    ));
    stage.tell(&SupervisorToEngine::Stop);
    let cancelled = stage.until("the cancellation", |_| worker.receive().expect("alive")).0;
    assert!(matches!(cancelled, EngineToWorker::Cancel { .. }));
    stage.say(testing::inbound("alice", "general", ";deploy db"));
    assert_eq!(stage.answer().text, "Sorry, I'm shutting down and can't start any new tasks");
    assert!(!stage.engine.over);
    stage.finish(&mut worker, &request, -1);
    assert!(stage.answer().text.contains("because the robot is shutting down"));
    assert!(matches!(stage.heard(), EngineToConnector::Stop), "last words come first");
    assert!(!stage.engine.over, "the connector may still deliver them");
    stage.connector = None;
    stage.until("the end", |s| s.engine.over.then_some(()));
}

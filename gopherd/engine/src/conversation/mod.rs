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
    robot::{Extension, Kind, ProtocolSettings, Robot},
    robot_api::{MessageFormat, RetVal, RobotAnswer, RobotCall, TaskRetVal},
    secretd::{EngineToSecretd, SecretdToEngine},
    supervisor::{EngineStart, EngineToSupervisor, Isolation, RunExit, RunMode, SpawnRequest, SupervisorToEngine},
    worker::{EngineToWorker, Outcome, RunRequest, Stream, WorkerToEngine},
};
use gopher_sys::{Link, LinkError, link};

use crate::{engine::Engine, testing};

mod authorizers;
mod clients;
mod loading;
mod mail;
mod running;
mod steps;
mod talk;

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
        old_memories: None,
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

    /// What the supervisor hears next, but for the last words of runs.
    fn asked(&mut self) -> EngineToSupervisor {
        self.until("the engine to ask the supervisor", |s| match s.supervisor.receive().expect("alive")?.0 {
            EngineToSupervisor::Concluded { .. } => None,
            other => Some(other),
        })
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
        let count = robot.extensions.iter().filter(|e| matches!(e.kind, Kind::Plugin)).count();
        let mut stage = Self::load(robot);
        stage.initialize(count);
        stage
    }

    /// So many plugins run their `_init`, and the gate opens.
    fn initialize(&mut self, count: usize) {
        for _ in 0..count {
            let (mut worker, request) = self.worker();
            assert_eq!(request.args, ["_init"]);
            self.finish(&mut worker, &request, 0);
        }
        self.until("the open gate", |s| match s.supervisor.receive().expect("alive") {
            Some((EngineToSupervisor::Up, _)) => Some(()),
            _ => None,
        });
        assert!(matches!(self.heard(), EngineToConnector::Join { .. }));
        assert!(matches!(self.heard(), EngineToConnector::GateOpen));
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
            EngineToSupervisor::PipelineClosed { .. } | EngineToSupervisor::Concluded { .. } => None,
            other => panic!("not a run: {other:?}"),
        })
    }

    /// A worker for the next run, which has been told what to do.
    fn worker(&mut self) -> (Worker, RunRequest) {
        let request = self.spawn_request();
        self.spawned(&request)
    }

    fn spawned(&mut self, request: &SpawnRequest) -> (Worker, RunRequest) {
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

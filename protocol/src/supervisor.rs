//! Links of the supervisor with every role. The supervisor reads nothing but these.

use crate::{
    frame::CEILING,
    ids::{Generation, PipelineId, RunId, TaskName},
    loader::{Sources, StartMode},
    message::{messages, wire},
    robot::Limits,
};

messages! {
    /// Supervisor to engine.
    pub enum SupervisorToEngine, ceiling CEILING;
    /// First message: where the robot is and how it is run.
    1 Begin { start: Box<EngineStart> };
    /// The link to secretd, new after each restart of it.
    2 Secretd fds 1;
    /// The link to a connector, new after each restart of it.
    3 Connector { name: String } fds 1;
    4 ConnectorGone { name: String, reason: String };
    /// The listening admin socket.
    5 AdminSocket fds 1;
    /// The link to a run that is being started.
    6 Spawned { run: RunId } fds 1;
    7 SpawnFailed { run: RunId, reason: String };
    8 Exited { run: RunId, exit: RunExit };
    /// The link to a configuration loader.
    9 Loader { generation: Generation } fds 1;
    10 LoaderGone { generation: Generation, reason: String };
    11 Ping { nonce: u64 };
    12 Stop;
    /// A new directory for logs and state; the engine writes nowhere else.
    13 StateDirectory fds 1;
    /// Something is missing here that was not known at `Begin`: a whole sentence.
    14 Missing { sentence: String };
    /// The directory with the memories of Gopherbot; the engine leaves it alone until it is told that it may use it.
    15 OldMemories fds 1;
    /// Those memories are the engine's to use, unless something is in the way: the end of a sentence.
    16 UseOldMemories { trouble: Option<String> };
}

messages! {
    /// Engine to supervisor.
    pub enum EngineToSupervisor, ceiling CEILING;
    1 Ready;
    2 Pong { nonce: u64 };
    3 Spawn { request: SpawnRequest };
    /// KILL, at once, every process of the run.
    4 Kill { run: RunId };
    /// No further run of this pipeline will come: its uid and scratch workspace are free.
    5 PipelineClosed { pipeline: PipelineId };
    /// Start a loader for this generation, which sees these directories too.
    6 Load { generation: Generation, read_paths: Vec<String> };
    /// The generation is in force: spawners of older ones end with their last run.
    7 GenerationActive { generation: Generation, settings: GenerationSettings };
    8 StartConnector { name: String };
    9 StopConnector { name: String };
    /// End the robot; `failed` carries the sentence for the person who started it.
    10 Quit { failed: Option<String> };
    /// The robot answers commands.
    11 Up;
    /// The generation was refused, or gave way to another before it was in force: what was started for it may end.
    12 GenerationDropped { generation: Generation };
    /// The robot keeps its memories where Gopherbot has them.
    13 UseOldMemories;
    /// The run has said its last word: all that is left is the end of its process.
    14 Concluded { run: RunId };
}

messages! {
    /// Supervisor to secretd.
    pub enum SupervisorToSecretd, ceiling CEILING;
    /// The `GOPHER_*` values of the launch environment: sealed memory with `NAME=value` strings, each ended by a zero byte.
    1 LaunchEnvironment fds 1;
    /// The private environment file.
    2 PrivateEnvironment { name: String } fds 1;
    /// An existing key file, by its name (`binary-encrypted-key` or with `.environment`).
    3 KeyFile { name: String } fds 1;
    /// An empty file for a new key file, should one have to be made.
    4 NewKeyFile fds 1;
    /// All of the above were given.
    5 Begin { layout: Layout };
    6 RunOpened { run: RunId, task: TaskName, starter: TaskName, generation: Generation, configure: bool } fds 1;
    7 RunClosed { run: RunId };
    8 LoaderOpened { generation: Generation } fds 1;
    9 ConnectorOpened { name: String } fds 1;
    /// The link to the engine, new after each restart of it.
    10 Engine fds 1;
    11 Ping { nonce: u64 };
    12 Stop;
    /// Where decisions are recorded, one line each; without it they go to standard error.
    13 AuditFile fds 1;
    /// The rest of the launch environment, in the same form: configuration may use it.
    14 HostEnvironment fds 1;
}

messages! {
    /// Secretd to supervisor.
    pub enum SecretdToSupervisor, ceiling CEILING;
    /// Keys are in place; the start mode follows from the private environment.
    1 Ready { mode: StartMode, locked_memory: LockedMemory };
    2 Pong { nonce: u64 };
    /// The new key file is written and synced: give it its name.
    3 KeyFileWritten;
    /// The robot cannot start: a whole sentence.
    4 Refused { reason: String };
}

messages! {
    /// Supervisor to a connector.
    pub enum SupervisorToConnector, ceiling CEILING;
    1 Begin { name: String };
    2 Engine fds 1;
    3 Secretd fds 1;
    /// The listening socket of a suite driver. Test connector only.
    4 TestSocket fds 1;
    5 Ping { nonce: u64 };
    6 Stop;
}

messages! {
    /// A connector to the supervisor.
    pub enum ConnectorToSupervisor, ceiling CEILING;
    1 Ready;
    2 Pong { nonce: u64 };
}

messages! {
    /// Supervisor to spawner.
    pub enum SupervisorToSpawner, ceiling CEILING;
    /// First message: what runs of this profile and generation may see.
    1 Begin { plan: SpawnerPlan };
    /// Nothing of this slot's pipeline is to be left.
    2 Release { slot: u32 };
    3 Stop;
    /// The ids of its user namespace are mapped.
    4 Mapped;
    /// Make a confined process in this slot, which will get its order from the supervisor.
    5 Make { slot: u32, uid: u32, limits: Limits, when: When };
}

wire! {
    /// When a process is made.
    pub enum When {
        /// At once: a run waits for it.
        Wanted,
        /// At once, because nobody waits for anything.
        Spare,
        /// When nothing else is to be done.
        Idle,
    }
}

messages! {
    /// Supervisor to a process that a spawner has made, which says nothing.
    pub enum SupervisorToProcess, ceiling CEILING;
    /// What it is to be, with its ends of the engine link and the secretd link.
    1 Spawn { order: SpawnOrder } fds 2;
}

messages! {
    /// Spawner to supervisor.
    pub enum SpawnerToSupervisor, ceiling CEILING;
    1 Ready { report: SandboxReport };
    /// This spawner cannot work: a whole sentence.
    2 Refused { reason: String };
    /// Nothing of the slot's last pipeline is left.
    3 Released { slot: u32 };
    /// It has entered its user namespace and needs its ids.
    4 MapIds;
    /// A confined process waits for its order; its parent is the supervisor. With its descriptor, and the link on which
    /// it waits.
    5 Made { pid: u32, slot: u32 } fds 2;
    6 NotMade { slot: u32, reason: String };
}

wire! {
    pub struct EngineStart {
        pub sources: Sources,
        pub isolation: Isolation,
        pub version: String,
        /// The uid that started the robot: the owner in plain mode.
        pub owner_uid: u32,
        pub owner_name: String,
        /// What a client of the admin socket must show in plain mode.
        pub cookie: Option<String>,
        /// The most runs the supervisor allows at once.
        pub max_runs: u32,
        /// Environment passed through to runs: `HOME HOSTNAME LANG PATH USER`.
        pub pass_through: Vec<(String, String)>,
        /// Connectors whose hidden commands are switched off, for suites.
        pub hidden_commands_off: Vec<String>,
        /// The configuration is only looked at: no connector is started and no command is taken.
        pub inspect: bool,
        /// Where Gopherbot has kept memories of this robot, if it did: they are to be moved over.
        pub old_memories: Option<String>,
    }

    /// How runs are separated, for `status` and for configuration that requires it.
    pub struct Isolation {
        pub mode: RunMode,
        /// What is missing here, each a whole sentence.
        pub missing: Vec<String>,
    }

    pub enum RunMode {
        /// Roles and runs under accounts of their own.
        Packaged,
        /// One account; runs in user namespaces.
        Plain,
        /// One account and no separation, by `--no-isolation`.
        Unconfined,
    }

    pub struct SpawnRequest {
        pub run: RunId,
        pub pipeline: PipelineId,
        pub task: TaskName,
        /// The task that started the pipeline.
        pub starter: TaskName,
        pub generation: Generation,
        pub privileged: bool,
        pub network: bool,
        /// A `_configure` run: no values, no network.
        pub configure: bool,
        pub limits: Limits,
    }

    pub enum RunExit {
        Code(i32),
        Signal(i32),
    }

    /// What the supervisor needs of a configuration to build views.
    pub struct GenerationSettings {
        /// The persistent work space, absolute.
        pub work_space: Option<String>,
        /// Further directories runs may read, absolute.
        pub read_paths: Vec<String>,
        /// Which kinds of runs its extensions need: privileged or not, with network or not.
        pub profiles: Vec<(bool, bool)>,
    }

    #[expect(clippy::struct_excessive_bools, reason = "independent facts")]
    /// What secretd must know of the directory layout to find the start mode.
    pub struct Layout {
        /// `conf/robot.yaml` stands in the robot directory itself.
        pub robot_in_home: bool,
        /// `custom/conf/robot.yaml` exists.
        pub robot_in_custom: bool,
        pub demo: bool,
        /// The configuration is only looked at, as the robot would have it in production.
        pub inspect: bool,
    }

    pub enum LockedMemory {
        /// Pages that not even the kernel maps.
        Secret,
        /// Pages that are never swapped.
        Locked,
        /// Neither could be had.
        Plain,
    }

    pub struct SpawnerPlan {
        pub generation: Generation,
        pub privileged: bool,
        pub network: bool,
        pub isolation: RunMode,
        /// The robot home.
        pub home: String,
        /// `custom`, or the home itself.
        pub config_dir: String,
        pub install_dir: String,
        /// Directory of scratch workspaces on the host.
        pub scratch_dir: String,
        pub work_space: Option<String>,
        /// Further paths to show read-only.
        pub read_paths: Vec<String>,
        /// A uid that runs may have: in plain mode the owner's, the only one.
        pub run_uid: u32,
    }

    pub struct SpawnOrder {
        /// What to redeem; empty for a load.
        pub task: TaskName,
        pub kind: SpawnKind,
    }

    pub enum SpawnKind {
        /// A run: its links are with the engine and secretd as a worker.
        Run,
        /// A configuration load.
        Load,
    }

    /// Which walls stand around the runs of a spawner.
    pub struct SandboxReport {
        pub landlock_abi: u32,
        pub user_namespace: bool,
        pub seccomp: bool,
        /// What is missing here, each a whole sentence.
        pub missing: Vec<String>,
    }
}

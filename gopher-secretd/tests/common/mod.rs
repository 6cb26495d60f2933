//! The supervisor's and every peer's side of gopher-secretd, for tests.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::{io::Write as _, os::fd::OwnedFd};

use gopher_protocol::{
    Message,
    ids::{Generation, RunId, TaskName},
    loader::{Attachment, LoaderToSecretd, SecretdToLoader, StartMode, TaskEntry},
    robot::Runtime,
    secretd::{SecretdToWorker, WorkerToSecretd},
    supervisor::{Layout, SecretdToSupervisor, SupervisorToSecretd},
};
use gopher_sys::{Link, link::pair};

pub type Supervisor = Link<SupervisorToSecretd, SecretdToSupervisor>;

pub const DEMO: Layout = Layout { robot_in_home: false, robot_in_custom: false, demo: true, inspect: false };
pub const PRODUCTION: Layout = Layout { robot_in_home: false, robot_in_custom: true, demo: false, inspect: false };

pub fn file(content: &[u8]) -> OwnedFd {
    let mut file = tempfile::tempfile().expect("file");
    file.write_all(content).expect("written");
    file.into()
}

/// A new link whose other end goes to secretd with `message`.
pub fn open<S: Message, R: Message>(supervisor: &mut Supervisor, message: &SupervisorToSecretd) -> Link<S, R> {
    let (ours, theirs) = pair().expect("socket pair");
    supervisor.send_with(message, vec![theirs]).expect("sent");
    Link::new(ours).expect("link")
}

pub fn begin(supervisor: &mut Supervisor, layout: Layout) -> StartMode {
    supervisor.send(&SupervisorToSecretd::Begin { layout }).expect("sent");
    loop {
        match supervisor.wait().expect("answer").0 {
            SecretdToSupervisor::Ready { mode, .. } => return mode,
            SecretdToSupervisor::KeyFileWritten => {}
            other => panic!("{other:?}"),
        }
    }
}

pub fn run_opened(run: u64, task: &str, starter: &str) -> SupervisorToSecretd {
    SupervisorToSecretd::RunOpened {
        run: RunId(run),
        task: task.into(),
        starter: starter.into(),
        generation: Generation(1),
        configure: false,
    }
}

pub fn entry(name: &str, privileged: bool, parameters: &[(&str, &str)]) -> TaskEntry {
    TaskEntry {
        name: name.into(),
        program: format!("/robot/plugins/{name}"),
        runtime: Runtime::External,
        privileged,
        config: Vec::new(),
        parameters: parameters.iter().map(|(n, v)| Attachment::plain(*n, *v)).collect(),
    }
}

/// Plays a loader to its end and returns the settings it was told.
pub fn load(supervisor: &mut Supervisor, generation: u64, tasks: Vec<TaskEntry>) -> Vec<(String, String)> {
    let generation = Generation(generation);
    let mut loader: Link<LoaderToSecretd, SecretdToLoader> =
        open(supervisor, &SupervisorToSecretd::LoaderOpened { generation });
    let Ok((SecretdToLoader::Settings { values, .. }, _)) = loader.wait() else { panic!("no settings") };
    loader
        .send(&LoaderToSecretd::Table { generation, tasks, connectors: Vec::new(), references: Vec::new() })
        .expect("sent");
    match loader.wait().expect("answer").0 {
        SecretdToLoader::TableTaken { generation: taken, .. } => assert_eq!(taken, generation),
        other @ (SecretdToLoader::Settings { .. } | SecretdToLoader::Plain { .. }) => panic!("{other:?}"),
    }
    values
}

pub type Worker = Link<WorkerToSecretd, SecretdToWorker>;

pub fn redeem(worker: &mut Worker, task: &str) -> SecretdToWorker {
    worker.send(&WorkerToSecretd::Redeem { task: TaskName::from(task) }).expect("sent");
    worker.wait().expect("answer").0
}

//! One configuration load: files of the robot become the typed configuration for the engine, and the table of
//! tasks for secretd. Confined as a run without network; what it reads is what runs may read.

use std::os::fd::OwnedFd;

use gopher_config::{Disk, Draft, Launch, Table};
use gopher_protocol::{
    ids::TaskName,
    loader::{EngineToLoader, LoaderToEngine, LoaderToSecretd, SecretdToLoader},
};
use gopher_sys::{Link, LinkError, descriptors};

use crate::error::WorkerError;

/// Loads; this process is confined already.
pub(crate) fn run(engine: OwnedFd, secretd: OwnedFd) -> Result<(), WorkerError> {
    let mut engine: Link<LoaderToEngine, EngineToLoader> = Link::new(engine)?;
    let mut secretd: Link<LoaderToSecretd, SecretdToLoader> = Link::new(secretd)?;
    let (EngineToLoader::Load { generation, sources }, _) = engine.wait()? else {
        return Err(WorkerError::Protocol("the first message to a loader is not Load"));
    };
    let (SecretdToLoader::Settings { values, private, encryption }, _) = secretd.wait()? else {
        return Err(WorkerError::Protocol("secretd did not begin with the settings"));
    };
    let nonce = descriptors::random().map_err(WorkerError::system("getrandom"))?;
    let launch = Launch { values, private, encryption, nonce };
    let result = match gopher_config::read(generation, &sources, &launch, &Disk) {
        Ok(mut draft) => {
            let Table { tasks, connectors, references } = draft.table();
            secretd.send(&LoaderToSecretd::Table { generation, tasks, connectors, references })?;
            let (SecretdToLoader::TableTaken { unopened, .. }, _) = secretd.wait()? else {
                return Err(WorkerError::Protocol("secretd did not take the table"));
            };
            draft.unopened(unopened);
            let defaults = ask_defaults(&mut engine, &draft)?;
            draft.finish(defaults)
        }
        Err(errors) => Err(errors),
    };
    engine.send(&match result {
        Ok(robot) => LoaderToEngine::Loaded { robot: Box::new(robot) },
        Err(errors) => LoaderToEngine::Refused { errors: errors.iter().map(ToString::to_string).collect() },
    })?;
    match engine.drain() {
        Ok(()) | Err(LinkError::Closed) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

type Defaults = Vec<(TaskName, Result<String, String>)>;

/// Has the engine ask every extension for its default configuration, each in a run of its own.
fn ask_defaults(engine: &mut Link<LoaderToEngine, EngineToLoader>, draft: &Draft) -> Result<Defaults, WorkerError> {
    let tasks = draft.wants_defaults();
    let mut defaults = Defaults::new();
    if tasks.is_empty() {
        return Ok(defaults);
    }
    engine.send(&LoaderToEngine::WantDefaults { tasks: tasks.clone() })?;
    while defaults.len() < tasks.len() {
        let (EngineToLoader::DefaultConfig { task, result }, _) = engine.wait()? else {
            return Err(WorkerError::Protocol("a loader loads once"));
        };
        defaults.push((task, result));
    }
    Ok(defaults)
}

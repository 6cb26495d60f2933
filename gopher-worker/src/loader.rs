//! One configuration load: files of the robot become the typed configuration for the engine, and the table of
//! tasks for secretd. Confined as a run without network; what it reads is what runs may read.

use std::os::fd::OwnedFd;

use gopher_config::{Disk, Draft};
use gopher_protocol::{
    ids::TaskName,
    loader::{EngineToLoader, LoaderToEngine, LoaderToSecretd, SecretdToLoader, WantedDefault},
};
use gopher_sys::{Link, LinkError};

use crate::{error::WorkerError, fingerprint::Trees};

/// Loads; this process is confined already.
pub(crate) fn run(engine: OwnedFd, secretd: OwnedFd) -> Result<(), WorkerError> {
    let mut engine: Link<LoaderToEngine, EngineToLoader> = Link::new(engine)?;
    let mut secretd: Link<LoaderToSecretd, SecretdToLoader> = Link::new(secretd)?;
    let (EngineToLoader::Load { generation, sources, search_path }, _) = engine.wait()? else {
        return Err(WorkerError::Protocol("the first message to a loader is not Load"));
    };
    let (SecretdToLoader::Settings { values, .. }, _) = secretd.wait()? else {
        return Err(WorkerError::Protocol("secretd did not begin with the settings"));
    };
    let result = match gopher_config::read(generation, &sources, &values, &Disk) {
        Ok(draft) => {
            secretd.send(&LoaderToSecretd::Table {
                generation,
                tasks: draft.table(),
                connectors: Vec::new(),
                references: Vec::new(),
            })?;
            let (SecretdToLoader::TableTaken { .. }, _) = secretd.wait()? else {
                return Err(WorkerError::Protocol("secretd did not take the table"));
            };
            let defaults = ask_defaults(&mut engine, wanted(&draft, &Trees::read(&sources, &search_path)))?;
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

/// Who must be asked, and whether they would say what they said before.
fn wanted(draft: &Draft, trees: &Trees<'_>) -> Vec<WantedDefault> {
    let asked = draft.wants_defaults().into_iter();
    asked
        .map(|task| WantedDefault { fingerprint: draft.program(&task).and_then(|program| trees.of(program)), task })
        .collect()
}

/// Has the engine ask every extension for its default configuration, each in a run of its own.
fn ask_defaults(
    engine: &mut Link<LoaderToEngine, EngineToLoader>,
    tasks: Vec<WantedDefault>,
) -> Result<Defaults, WorkerError> {
    let mut defaults = Defaults::new();
    let count = tasks.len();
    if count == 0 {
        return Ok(defaults);
    }
    engine.send(&LoaderToEngine::WantDefaults { tasks })?;
    while defaults.len() < count {
        let (EngineToLoader::DefaultConfig { task, result }, _) = engine.wait()? else {
            return Err(WorkerError::Protocol("a loader loads once"));
        };
        defaults.push((task, result));
    }
    Ok(defaults)
}

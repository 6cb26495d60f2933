//! One configuration load: files of the robot become the typed configuration for the engine, and the table of
//! tasks for secretd. Confined as a run without network; what it reads is what runs may read.

use std::os::fd::OwnedFd;

use gopher_config::{Disk, Draft, Launch, Table};
use gopher_protocol::{
    ids::TaskName,
    loader::{EngineToLoader, LoaderToEngine, LoaderToSecretd, SecretRef, SecretdToLoader, Sources, WantedDefault},
};
use gopher_sys::{Link, LinkError, descriptors};

use crate::{error::WorkerError, fingerprint::Trees};

/// Loads; this process is confined already.
pub(crate) fn run(engine: OwnedFd, secretd: OwnedFd) -> Result<(), WorkerError> {
    let mut engine: Link<LoaderToEngine, EngineToLoader> = Link::new(engine)?;
    let mut secretd: Link<LoaderToSecretd, SecretdToLoader> = Link::new(secretd)?;
    let (EngineToLoader::Load { generation, sources, search_path, inspect }, _) = engine.wait()? else {
        return Err(WorkerError::Protocol("the first message to a loader is not Load"));
    };
    let (SecretdToLoader::Settings { values, private, encryption }, _) = secretd.wait()? else {
        return Err(WorkerError::Protocol("secretd did not begin with the settings"));
    };
    let nonce = descriptors::random().map_err(WorkerError::system("getrandom"))?;
    // Who only looks need not have the key: what cannot be opened is told.
    let mut launch = Launch { values, private, encryption: encryption || inspect, inspect, nonce };
    tell_plain(&mut secretd, &mut launch, &sources)?;
    let result = match gopher_config::read(generation, &sources, &launch, &Disk) {
        Ok(mut draft) => {
            let Table { tasks, connectors, references } = draft.table();
            secretd.send(&LoaderToSecretd::Table { generation, tasks, connectors, references })?;
            let (SecretdToLoader::TableTaken { unopened, .. }, _) = secretd.wait()? else {
                return Err(WorkerError::Protocol("secretd did not take the table"));
            };
            let closed = draft.unopened(&unopened);
            if closed.is_empty() || inspect {
                let defaults = ask_defaults(&mut engine, wanted(&draft, &Trees::read(&sources, &search_path)))?;
                let unopened = unopened.into_iter().map(|(reference, why)| (name(reference), why)).collect();
                draft.finish_merged(defaults).map(|(robot, merged)| (robot, unopened, merged))
            } else {
                Err(closed)
            }
        }
        Err(errors) => Err(errors),
    };
    engine.send(&match result {
        Ok((robot, unopened, merged)) => LoaderToEngine::Loaded { robot: Box::new(robot), unopened, merged },
        Err(errors) => LoaderToEngine::Refused { errors: errors.iter().map(ToString::to_string).collect() },
    })?;
    match engine.drain() {
        Ok(()) | Err(LinkError::Closed) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Values that the robot declares plain become plain.
fn tell_plain(
    secretd: &mut Link<LoaderToSecretd, SecretdToLoader>,
    launch: &mut Launch,
    sources: &Sources,
) -> Result<(), WorkerError> {
    let names = gopher_config::plain_environment(sources, launch, &Disk);
    if names.is_empty() {
        return Ok(());
    }
    secretd.send(&LoaderToSecretd::Plain { names })?;
    let (SecretdToLoader::Plain { values }, _) = secretd.wait()? else {
        return Err(WorkerError::Protocol("secretd did not tell the plain values"));
    };
    launch.private.retain(|name| !values.iter().any(|(plain, _)| plain == name));
    launch.values.extend(values);
    Ok(())
}

fn name(reference: SecretRef) -> String {
    match reference {
        SecretRef::Environment(name) | SecretRef::Variable { name, .. } => name,
    }
}

type Defaults = Vec<(TaskName, Result<String, String>)>;

/// Who must be asked, and whether they would say what they said before.
fn wanted(draft: &Draft, trees: &Trees<'_>) -> Vec<WantedDefault> {
    let legacy = draft.legacy_configure();
    let fingerprint = |task: &TaskName| draft.program(task).and_then(|program| trees.of(program));
    let asked = draft.wants_defaults().into_iter();
    asked.map(|task| WantedDefault { fingerprint: fingerprint(&task), task, legacy }).collect()
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

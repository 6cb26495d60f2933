//! From the request for a configuration to the open gate.
//!
//! The loader is a confined worker; `_configure` runs are others. A configuration that is refused leaves the one in
//! force; if there is none, the robot ends with the reasons.

use std::{
    collections::{HashMap, HashSet},
    mem,
    os::fd::OwnedFd,
    rc::Rc,
    time::{Duration, Instant},
};

use gopher_protocol::{
    ids::{Generation as Number, RunId, TaskName},
    loader::{EngineToLoader, LoaderToEngine, MergedFile, WantedDefault},
    robot::{Kind, Robot},
    supervisor::{EngineToSupervisor, GenerationSettings},
    worker::Outcome,
};
use gopher_sys::LinkError;

use crate::{
    context::{Context, TERMINAL},
    defaults,
    engine::{Engine, Phase, Who},
    environment::{self, Base},
    generation::Generation,
    reload::{self, Requester},
    runs::{Purpose, Run, describe},
    wire::Wire,
};

/// What a robot speaks first cannot change while it runs.
fn keep_primary(before: &Robot, robot: &mut Robot) {
    let (active, configured) = (&before.primary_protocol, &robot.primary_protocol);
    if active == configured {
        return;
    }
    robot.notices.push(format!(
        "PrimaryProtocol change on reload ignored (configured: '{}', active: '{}'): restart the robot for it",
        configured.as_str(),
        active.as_str()
    ));
    if !robot.protocols.iter().any(|p| p.name == *active) {
        let kept = before.protocols.iter().find(|p| p.name == *active).cloned();
        robot.protocols.splice(0..0, kept);
    }
    robot.primary_protocol = active.clone();
}

/// How long `_init` runs may keep the gate closed.
const INIT: Duration = Duration::from_secs(30);
/// How long a `_configure` run may take.
pub(crate) const CONFIGURE: Duration = Duration::from_secs(20);

/// What is told of a configuration to who only looks at it.
#[derive(Default)]
pub(crate) struct Inspected {
    /// Secrets that do not open, and why.
    pub(crate) unopened: Vec<(String, String)>,
    pub(crate) merged: Vec<MergedFile>,
}

/// A plugin that is asked for its default configuration.
struct Asked {
    task: TaskName,
    /// The number under which the answer is kept.
    key: Option<u64>,
    /// If it does not know `_configure`, it is asked as v2 did.
    legacy: bool,
}

/// A configuration on its way.
pub(crate) struct Loader {
    number: Number,
    /// Directories beyond the robot's own that it sees.
    read_paths: Vec<String>,
    pub(crate) wire: Option<Wire<EngineToLoader, LoaderToEngine>>,
    /// `_configure` runs that the loader waits for.
    asked: HashMap<RunId, Asked>,
    /// Who wants to know what comes of it.
    pub(crate) requesters: Vec<Requester>,
}

impl Engine {
    /// Loads the files as they are now; a load that is on its way gives way, and who waits for it waits for this one.
    pub(crate) fn request_load(&mut self, read_paths: Vec<String>) {
        let requesters = self.close_loader(true);
        let number = self.newest.next();
        self.newest = number;
        self.supervisor.send(&EngineToSupervisor::Load { generation: number, read_paths: read_paths.clone() });
        self.loader = Some(Loader { number, read_paths, wire: None, asked: HashMap::new(), requesters });
    }

    /// A valid configuration. If it names directories that its loader did not see, extensions in them were missing:
    /// it is loaded once more, with them.
    fn loaded(&mut self, robot: Robot) {
        let shown = self.loader.as_ref().map(|l| l.read_paths.clone()).unwrap_or_default();
        if robot.read_paths.iter().all(|path| shown.contains(path)) {
            let requesters = self.close_loader(false);
            self.activate(robot, requesters);
        } else {
            self.request_load(robot.read_paths);
        }
    }

    pub(crate) fn link_loader(&mut self, number: Number, socket: OwnedFd) {
        let Some(start) = &self.start else { return };
        let (sources, inspect) = (start.sources.clone(), start.inspect);
        let search_path = start.pass_through.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
        let search_path = search_path.unwrap_or_default();
        if self.loader.as_ref().is_none_or(|l| l.number != number || l.wire.is_some()) {
            self.log.error(&format!("gopherd sent a loader for generation {number} that nobody asked for"));
            return;
        }
        let token = self.token(Who::Loader);
        match Wire::new(&self.poller, socket, token) {
            Ok(mut wire) => {
                wire.send(&EngineToLoader::Load { generation: number, sources, search_path, inspect });
                if let Some(loader) = &mut self.loader {
                    loader.wire = Some(wire);
                }
            }
            Err(error) => self.load_failed(vec![format!("the link to the configuration loader: {error}")]),
        }
    }

    pub(crate) fn hear_loader(&mut self) {
        while let Some(wire) = self.loader.as_mut().and_then(|l| l.wire.as_mut()) {
            match wire.receive() {
                Ok(Some((LoaderToEngine::WantDefaults { tasks }, _))) => self.ask_defaults(tasks),
                Ok(Some((LoaderToEngine::Loaded { robot, unopened, merged }, _))) => {
                    self.inspected = Inspected { unopened, merged };
                    self.loaded(*robot);
                }
                Ok(Some((LoaderToEngine::Refused { errors }, _))) => self.load_failed(errors),
                Ok(None) => return,
                Err(error) => self.end_loader(&error),
            }
        }
    }

    /// Gives back who waits for what it loads, which is `dropped` if it will not be in force.
    fn close_loader(&mut self, dropped: bool) -> Vec<Requester> {
        let Some(loader) = self.loader.take() else { return Vec::new() };
        if let Some(wire) = loader.wire {
            self.forget_token(wire.token());
            wire.close(&self.poller);
        }
        if dropped {
            self.supervisor.send(&EngineToSupervisor::GenerationDropped { generation: loader.number });
        }
        loader.requesters
    }

    pub(crate) fn end_loader(&mut self, error: &LinkError) {
        if self.loader.as_ref().is_none_or(|l| l.wire.is_none()) {
            return;
        }
        if matches!(error, LinkError::Closed) {
            // Why it ended, the supervisor will say.
            if let Some(wire) = self.loader.as_mut().and_then(|l| l.wire.take()) {
                self.forget_token(wire.token());
                wire.close(&self.poller);
            }
            return;
        }
        self.load_failed(vec![format!("the configuration loader ended before the configuration was loaded: {error}")]);
    }

    pub(crate) fn loader_gone(&mut self, number: Number, reason: &str) {
        // What it said last may still be in the link.
        if self.loader.as_ref().is_some_and(|l| l.number == number) {
            self.hear_loader();
        }
        if self.loader.as_ref().is_some_and(|l| l.number == number) {
            self.load_failed(vec![format!("the configuration could not be loaded: {reason}")]);
        }
    }

    /// The configuration in force stays; a robot that has none ends.
    fn load_failed(&mut self, errors: Vec<String>) {
        let ends = self.current.is_none() && !self.inspects();
        let requesters = self.close_loader(!ends);
        for error in &errors {
            self.log.error(error);
        }
        if ends {
            self.give_up(errors.join("\n"));
        }
        self.load_ended(requesters, reload::refused(self.newest, errors));
    }

    /// Asks plugins for their default configuration, all at once as far as admission allows. One of which nothing has
    /// changed since it was asked last would say the same.
    fn ask_defaults(&mut self, tasks: Vec<WantedDefault>) {
        let Some(start) = &self.start else { return };
        let base = Base { sources: &start.sources, pass_through: &start.pass_through };
        let environment = environment::of_configure(&base);
        let mut seen = HashSet::new();
        for WantedDefault { task, fingerprint, legacy } in tasks {
            if !seen.insert(task.clone()) {
                continue;
            }
            let key = fingerprint.map(|fingerprint| defaults::key(fingerprint, legacy, &environment));
            if let Some(yaml) = key.and_then(|key| self.defaults.get(&task, key)) {
                self.give_default(task, Ok(yaml));
                continue;
            }
            self.ask_default("_configure", Asked { task, key, legacy });
        }
    }

    fn ask_default(&mut self, word: &str, asked: Asked) {
        let context = Rc::new(Context::automatic(""));
        let run = self.new_run(Purpose::Configure, asked.task.clone(), context, vec![word.to_owned()]);
        if let Some(loader) = &mut self.loader {
            loader.asked.insert(run.id, asked);
        }
        self.queue_run(run);
    }

    /// The generation that `_configure` runs belong to.
    pub(crate) fn loading(&self) -> Number {
        self.newest
    }

    /// A `_configure` run is over.
    pub(crate) fn configured(&mut self, run: &mut Run, outcome: &Result<Outcome, String>) {
        let output = mem::take(&mut run.output);
        let hint = output.first_error().map(|line| format!(": {line}")).unwrap_or_default();
        let result = match (outcome, &run.ending) {
            (_, Some(ending)) => Err(format!("_configure was stopped {}{hint}", ending.reason)),
            (Ok(Outcome::Exited { status, signal: None }), None) if status.0 == 0 => output.into_configuration(),
            (Ok(outcome @ Outcome::Exited { .. }), None) => Err(format!("_configure: {}{hint}", describe(outcome))),
            (Ok(outcome), None) => Err(describe(outcome)),
            (Err(reason), None) => Err(format!("_configure: {reason}{hint}")),
        };
        let Some(loader) = &mut self.loader else { return };
        let Some(Asked { task, key, legacy }) = loader.asked.remove(&run.id) else { return };
        let silent = result.as_ref().map_or(true, |yaml| yaml.trim().is_empty());
        if legacy && silent && run.ending.is_none() {
            return self.ask_default("configure", Asked { task, key, legacy: false });
        }
        if let (Some(key), Ok(yaml)) = (key, &result) {
            self.defaults.put(&task, key, yaml);
        }
        self.give_default(task, result);
    }

    fn give_default(&mut self, task: TaskName, result: Result<String, String>) {
        let Some(wire) = self.loader.as_mut().and_then(|l| l.wire.as_mut()) else { return };
        if !wire.send(&EngineToLoader::DefaultConfig { task: task.clone(), result }) {
            let result = Err("what _configure printed is too long".to_owned());
            wire.send(&EngineToLoader::DefaultConfig { task, result });
        }
    }

    /// A valid configuration comes into force.
    fn activate(&mut self, mut robot: Robot, requesters: Vec<Requester>) {
        let Some(start) = &self.start else { return };
        let home = start.sources.home.clone();
        let before = self.current.take();
        if let Some(before) = &before {
            keep_primary(&before.robot, &mut robot);
        }
        self.log.set_level(robot.log_level);
        let (generation, trouble) = Generation::new(robot);
        let generation = Rc::new(generation);
        let robot = &generation.robot;
        for notice in robot.notices.iter().chain(&trouble) {
            self.log.warn(notice);
        }
        for disabled in &robot.disabled {
            self.log.warn(&format!("'{}' is disabled: {}", disabled.name, disabled.reason));
        }
        let settings = GenerationSettings {
            work_space: robot.work_space.as_ref().map(|w| environment::absolute(&home, w)),
            read_paths: robot.read_paths.clone(),
            // What only a task of pipelines would use is made when one runs.
            profiles: robot
                .extensions
                .iter()
                .filter(|e| !e.path.is_empty() && !matches!(e.kind, Kind::Task))
                .map(|e| (e.privileged, e.network))
                .collect(),
        };
        self.supervisor.send(&EngineToSupervisor::GenerationActive { generation: robot.generation, settings });
        self.log.info(&format!("generation {} is in force: {} plugins", robot.generation, generation.plugins.len()));
        let report = self.report_on(before.as_deref(), &generation);
        for change in &report.changes {
            self.log.info(&format!("changed: {change}"));
        }
        self.current = Some(Rc::clone(&generation));
        self.defaults.save(|task| generation.robot.extensions.iter().any(|e| e.name.as_str() == task));
        self.choose_brain(&generation.robot.brain, generation.robot.brain_format);
        self.remember_groups(&generation);
        if !self.inspects() {
            // The first time, plugins wait for what they and people have been told before.
            if self.has_memory() {
                self.follow_protocols(&generation);
            }
            self.follow_mail(&generation);
            if before.is_some() && self.phase == Phase::Open {
                self.initialize_plugins();
            }
        }
        self.load_ended(requesters, report);
    }

    /// Connectors of the configuration in force run, others do not.
    pub(crate) fn follow_protocols(&mut self, generation: &Generation) {
        let names: Vec<&str> = generation.robot.protocols.iter().map(|p| p.name.as_str()).collect();
        // A console may be opened whatever the configuration says.
        let gone = |name: &&Rc<str>| !names.contains(&&***name) && &***name != TERMINAL;
        let gone: Vec<Rc<str>> = self.connectors.keys().filter(gone).cloned().collect();
        for name in gone {
            self.stop_connector(&name);
        }
        for name in names {
            self.start_connector(name);
        }
    }

    /// The primary connector is up: plugins may initialize themselves, then commands are taken.
    pub(crate) fn primary_up(&mut self) {
        if self.phase == Phase::Starting {
            let runs = self.initialize_plugins();
            self.phase = Phase::Initializing { runs, until: Instant::now() + INIT };
            self.check_initialized();
        }
    }

    fn initialize_plugins(&mut self) -> HashSet<RunId> {
        let Some(generation) = self.current.clone() else { return HashSet::new() };
        let context = Rc::new(Context::automatic(generation.robot.primary_protocol.as_str()));
        let mut ids = HashSet::new();
        for (index, extension) in generation.robot.extensions.iter().enumerate() {
            let built_in = crate::builtin::BuiltIn::named(extension.name.as_str()).is_some();
            if !matches!(extension.kind, Kind::Plugin) || built_in {
                continue;
            }
            let args = vec!["_init".to_owned()];
            let mut run = self.new_run(Purpose::Init, extension.name.clone(), Rc::clone(&context), args);
            run.generation = Some((Rc::clone(&generation), index));
            ids.insert(run.id);
            self.queue_run(run);
        }
        ids
    }

    /// An `_init` run is over.
    pub(crate) fn initialized(&mut self, run: RunId) {
        if let Phase::Initializing { runs, .. } = &mut self.phase {
            runs.remove(&run);
            self.check_initialized();
        }
    }

    fn check_initialized(&mut self) {
        if matches!(&self.phase, Phase::Initializing { runs, .. } if runs.is_empty()) {
            self.open_gate();
        }
    }
}

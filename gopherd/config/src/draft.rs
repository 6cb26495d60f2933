//! A configuration that waits for the default configurations of its plugins.

use std::collections::{HashMap, HashSet};

use gopher_protocol::{
    ids::{Generation, TaskName},
    loader::{Attachment, ConnectorEntry, MergedFile, SecretRef, Sources, TaskEntry},
    robot::{Cause, Disabled, Kind, Robot, Runtime},
};

use crate::{
    Diagnostic, FileSource, Launch,
    declared::{Declared, declarations, is_true, sentences},
    extension::{self, Surroundings},
    guard::{self, Defaults},
    keys::extension::ExtensionFile,
    later::Later,
    layers::{Layers, Notices, Owner, over, parse},
    legacy,
    merged::Merged,
    robot::{RobotKeys, build},
    services::{self, Scheduled},
    yaml::{Node, decode, without_unknown},
};

/// Reads every file of a robot. `launch` is what is known about its environment.
///
/// # Errors
/// Everything that keeps the robot from starting with this configuration, as far as it can be told in one pass.
pub fn read(
    generation: Generation,
    sources: &Sources,
    launch: &Launch,
    files: &dyn FileSource,
) -> Result<Draft, Vec<Diagnostic>> {
    let environment = environment_of(launch);
    let mut layers = Layers::new(sources, files, launch, environment)?;
    let keys = RobotKeys::load(&mut layers, sources)?;
    layers.merged.note("robot.yaml", &keys.node, &layers.environment.markers);
    let mut later = Later::new(sources, &layers);
    later.robot(&keys, &mut layers.notices);
    let robot = build(generation, sources, environment, &mut layers, &keys);
    later.stock(&keys, &mut layers.notices);
    let scheduled = services::examine(&keys, &mut layers.notices);
    let declarations = declarations(&mut layers, &keys);
    let ((mut robot, connectors), declarations) = crate::layers::both(robot, declarations)?;
    robot.disabled = declarations.disabled;
    let Layers { environment, notices, merged, .. } = layers;
    let around = Surroundings {
        defaults: Defaults::of(&keys),
        later,
        notices,
        uuids: HashMap::new(),
        markers: environment.markers,
    };
    let (declared, legacy_configure) = (declarations.declared, keys.keys.legacy_configure);
    Ok(Draft { robot, connectors, declared, legacy_configure, scheduled, around, merged })
}

/// Names of the private environment that the robot declares plain in `PlainEnvironment`: their values must be known
/// before anything else is read. What is wrong in the file, [`read`] tells.
pub fn plain_environment(sources: &Sources, launch: &Launch, files: &dyn FileSource) -> Vec<String> {
    // The values to be declared plain may stand in the same file where no secret may: here they are as if not set.
    let without = Launch { private: Vec::new(), ..launch.clone() };
    let Ok(mut layers) = Layers::new(sources, files, &without, environment_of(launch)) else { return Vec::new() };
    let own = layers.layer(Owner::Robot, "robot.yaml").ok().flatten();
    let names = own.as_ref().and_then(|node| node.find(&["PlainEnvironment"]));
    let names: Vec<String> = names.and_then(|node| decode(node).ok()).unwrap_or_default();
    names.into_iter().filter(|name| launch.private.contains(name)).collect()
}

fn environment_of(launch: &Launch) -> &str {
    let environment = launch.values.iter().find(|(name, _)| name == "GOPHER_ENVIRONMENT");
    environment.map_or("production", |(_, value)| value)
}

/// What [`read`] makes: valid but for the plugins' own defaults.
pub struct Draft {
    robot: Robot,
    /// Secrets of each protocol, until secretd is told.
    connectors: Vec<ConnectorEntry>,
    declared: Vec<Declared>,
    legacy_configure: bool,
    scheduled: Vec<Scheduled>,
    around: Surroundings,
    merged: Merged,
}

/// What secretd must know of a configuration.
#[derive(Debug)]
pub struct Table {
    /// Program and parameters of every task.
    pub tasks: Vec<TaskEntry>,
    /// What the connector of each protocol has.
    pub connectors: Vec<ConnectorEntry>,
    /// Every secret that stands anywhere in the configuration.
    pub references: Vec<SecretRef>,
}

impl Draft {
    /// Plugins that must be asked for their default configuration, by running their program with `_configure`.
    pub fn wants_defaults(&self) -> Vec<TaskName> {
        self.declared.iter().filter(|d| wants_default(d)).map(|d| d.name.clone()).collect()
    }

    /// Whether plugins may still answer to v2's `configure` alone.
    pub fn legacy_configure(&self) -> bool {
        self.legacy_configure
    }

    /// The file of an extension, absolute.
    pub fn program(&self, task: &TaskName) -> Option<&str> {
        self.declared.iter().find(|d| d.name == *task).map(|d| d.path.as_str())
    }

    /// What secretd must know. The values of connectors are given once.
    pub fn table(&mut self) -> Table {
        let entry = |declared: &Declared| TaskEntry {
            name: declared.name.clone(),
            program: declared.path.clone(),
            runtime: declared.runtime.clone(),
            privileged: declared.privileged,
            parameters: declared.parameters.iter().map(|(n, v)| self.around.markers.attachment(n, v)).collect(),
            config: self.config_secrets(declared),
        };
        Table {
            tasks: self.declared.iter().filter(|d| !d.stock).map(entry).collect(),
            connectors: std::mem::take(&mut self.connectors),
            references: self.around.markers.references(),
        }
    }

    /// Only files can hold secrets: what a plugin prints as its default is no template.
    fn config_secrets(&self, declared: &Declared) -> Vec<Attachment> {
        let config = declared.file.as_ref().and_then(|file| file.find(&["Config"]));
        config.map(|node| self.around.markers.texts(node)).unwrap_or_default()
    }

    /// Where secrets stand that secretd cannot open, and why it cannot.
    pub fn unopened(&self, secrets: &[(SecretRef, String)]) -> Vec<Diagnostic> {
        secrets.iter().map(|(reference, reason)| self.around.markers.unopened(reference, reason)).collect()
    }

    /// The configuration. `defaults` are the answers to [`Draft::wants_defaults`]: YAML text, or why there is none;
    /// a plugin without an answer is disabled.
    ///
    /// # Errors
    /// An answer for a plugin that was not asked.
    pub fn finish(self, defaults: Vec<(TaskName, Result<String, String>)>) -> Result<Robot, Vec<Diagnostic>> {
        self.finish_merged(defaults).map(|(robot, _)| robot)
    }

    /// As [`Draft::finish`], with what the files were merged to if [`Launch::inspect`] asked for it.
    ///
    /// # Errors
    /// An answer for a plugin that was not asked.
    pub fn finish_merged(
        self,
        defaults: Vec<(TaskName, Result<String, String>)>,
    ) -> Result<(Robot, Vec<MergedFile>), Vec<Diagnostic>> {
        let asked: HashSet<TaskName> = self.wants_defaults().into_iter().collect();
        let mut errors = Vec::new();
        let mut answers = HashMap::new();
        for (name, answer) in defaults {
            if asked.contains(&name) {
                answers.insert(name, answer);
            } else {
                let message = format!("a default configuration came for `{name}`, which was not asked for one");
                errors.push(Diagnostic::of_file("", message));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let Self { mut robot, declared, legacy_configure, scheduled, mut around, mut merged, .. } = self;
        let mut needed = Vec::new();
        for declared in declared {
            let answer = match answers.remove(&declared.name) {
                Some(answer) => Answer::Given(answer),
                None if wants_default(&declared) => Answer::Missing,
                None if declared.stock => Answer::Given(Ok(STOCK_DEFAULT.to_owned())),
                None => Answer::NotAsked,
            };
            let mut cause = Cause::Wrong;
            let built = default_layer(&declared, answer, &mut around.notices).and_then(|base| {
                let base = if legacy_configure { base.map(legacy::modernised) } else { base };
                let node = over(base, declared.file.clone());
                if let Some(off) = node.as_ref().and_then(|n| n.find(&["Disabled"])).filter(|d| is_true(d)) {
                    cause = if around.later.is_installed(&off.at) { Cause::Stock } else { Cause::Off };
                }
                if let Some(node) = &node {
                    let directory = if declared.kind == Kind::Job { "jobs" } else { "plugins" };
                    merged.note(&format!("{directory}/{}.yaml", declared.name), node, &around.markers);
                }
                extension::build(&declared, node.as_ref(), &robot, &mut around)
            });
            match built {
                Ok((extension, plugins)) => {
                    needed.extend(plugins.into_iter().map(|plugin| (robot.extensions.len(), plugin)));
                    robot.extensions.push(extension);
                }
                Err(reason) => {
                    robot.disabled.push(Disabled { name: declared.name, kind: declared.kind, reason, cause });
                }
            }
        }
        guard::settle(&mut robot, &needed);
        idle(&scheduled, &robot, &mut around.notices);
        robot.notices = around.notices.sentences();
        Ok((robot, merged.files()))
    }
}

fn wants_default(declared: &Declared) -> bool {
    let off = declared.file.as_ref().and_then(|f| f.find(&["Disabled"])).is_some_and(is_true);
    let can_say = declared.runtime == Runtime::External || declared.runtime.is_embedded();
    declared.kind == Kind::Plugin && can_say && !declared.stock && !off
}

/// Jobs of the reference's installation that this version does not have (spec: Robot API §5).
const LATER_JOBS: [&str; 7] =
    ["go-bootstrap", "pause-notifies", "go-update", "go-switchbranch", "updatecfg", "install-libs", "logrotate"];

/// Tells of schedules whose job cannot run.
fn idle(scheduled: &[Scheduled], robot: &Robot, notices: &mut Notices) {
    let enabled: HashMap<&str, &Kind> = robot.extensions.iter().map(|e| (e.name.as_str(), &e.kind)).collect();
    let disabled: HashSet<&str> = robot.disabled.iter().map(|d| d.name.as_str()).collect();
    for Scheduled { job, at } in scheduled {
        let problem = match enabled.get(job.as_str()) {
            Some(Kind::Job) => continue,
            Some(Kind::Plugin) => format!("`{job}` is a plugin and cannot be scheduled"),
            Some(Kind::Task) => format!("`{job}` is a task and cannot be scheduled"),
            None if disabled.contains(job.as_str()) => format!("the scheduled job `{job}` is disabled"),
            None if LATER_JOBS.contains(&job.as_str()) => format!("the stock job `{job}` comes with a later version"),
            None => format!("there is no job `{job}` to be scheduled"),
        };
        notices.push(at.says(problem));
    }
}

/// The default of a stock plugin: everywhere, for everybody. What its file says comes on top.
const STOCK_DEFAULT: &str = "{AllChannels: true, AllowedPrivateCommands: ['*']}";

/// What came of asking for a default configuration.
enum Answer {
    NotAsked,
    Missing,
    Given(Result<String, String>),
}

/// A plugin's own default as the lowest layer.
fn default_layer(declared: &Declared, answer: Answer, notices: &mut Notices) -> Result<Option<Node>, String> {
    let name = &declared.name;
    match answer {
        Answer::NotAsked => Ok(None),
        Answer::Missing => Err(format!("plugin '{name}' was not asked for its default configuration")),
        // As in the reference, such a plugin works without one.
        Answer::Given(Err(why)) if declared.runtime.is_embedded() => {
            let message = format!("plugin '{name}' has no default configuration: {}", why.trim());
            notices.push(Diagnostic::of_file("", message));
            Ok(None)
        }
        Answer::Given(Err(why)) => {
            // Whatever the plugin printed may be part of it.
            let why = format!("Getting default configuration for plugin, disabling: {}", why.trim());
            Err(Diagnostic::of_file("", why).sentence())
        }
        Answer::Given(Ok(text)) => {
            let shown = format!("`_configure` output of {name}");
            let (layer, more) = parse(&shown, text.into_bytes()).map_err(|errors| sentences(&errors))?;
            notices.extend(more);
            // What a plugin prints is not checked as strictly as a file (spec: configuration §1.4).
            let (layer, unknown) = without_unknown::<ExtensionFile>(layer);
            notices.extend(unknown);
            Ok(Some(layer))
        }
    }
}

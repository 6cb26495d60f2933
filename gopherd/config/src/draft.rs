//! A configuration that waits for the default configurations of its plugins.

use std::collections::{HashMap, HashSet};

use gopher_protocol::{
    ids::{Generation, TaskName},
    loader::{ConnectorEntry, SecretRef, Sources, TaskEntry},
    robot::{Disabled, Kind, Robot, Runtime},
};

use crate::{
    Diagnostic, FileSource, Launch,
    declared::{Declared, declarations, is_true, sentences},
    extension,
    layers::{Layers, Notices, over, parse},
    markers::Markers,
    robot::{RobotKeys, build},
    yaml::Node,
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
    let environment = launch.values.iter().find(|(name, _)| name == "GOPHER_ENVIRONMENT");
    let environment = environment.map_or("production", |(_, value)| value);
    let mut layers = Layers::new(sources, files, launch, environment)?;
    let keys = RobotKeys::load(&mut layers, sources)?;
    let robot = build(generation, sources, environment, &mut layers, &keys);
    let declarations = declarations(&mut layers, &keys);
    let ((mut robot, connectors), declarations) = crate::layers::both(robot, declarations)?;
    robot.disabled = declarations.disabled;
    let Layers { environment, notices, .. } = layers;
    Ok(Draft { robot, connectors, declared: declarations.declared, markers: environment.markers, notices })
}

/// What [`read`] makes: valid but for the plugins' own defaults.
pub struct Draft {
    robot: Robot,
    /// Secrets of each protocol, until secretd is told.
    connectors: Vec<ConnectorEntry>,
    declared: Vec<Declared>,
    markers: Markers,
    notices: Notices,
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
    /// Plugins that must be asked for their default configuration, by running them with `_configure`.
    pub fn wants_defaults(&self) -> Vec<TaskName> {
        self.declared.iter().filter(|d| wants_default(d)).map(|d| d.name.clone()).collect()
    }

    /// What secretd must know. The values of connectors are given once.
    pub fn table(&mut self) -> Table {
        let entry = |declared: &Declared| TaskEntry {
            name: declared.name.clone(),
            program: declared.path.clone(),
            runtime: declared.runtime.clone(),
            privileged: declared.privileged,
            parameters: declared.parameters.iter().map(|(n, v)| self.markers.attachment(n, v)).collect(),
        };
        Table {
            tasks: self.declared.iter().filter(|d| !d.stock).map(entry).collect(),
            connectors: std::mem::take(&mut self.connectors),
            references: self.markers.references(),
        }
    }

    /// Tells about secrets that secretd could not open: names and reasons. What needs one of them will not start.
    pub fn unopened(&mut self, secrets: Vec<(String, String)>) {
        for (name, reason) in secrets {
            let message = format!("the secret \"{name}\" cannot be opened: {reason}; what needs it will not start");
            self.notices.push(Diagnostic::of_file("", message));
        }
    }

    /// The configuration. `defaults` are the answers to [`Draft::wants_defaults`]: YAML text, or why there is none;
    /// a plugin without an answer is disabled.
    ///
    /// # Errors
    /// An answer for a plugin that was not asked.
    pub fn finish(self, defaults: Vec<(TaskName, Result<String, String>)>) -> Result<Robot, Vec<Diagnostic>> {
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
        let Self { mut robot, declared, mut notices, markers, .. } = self;
        for declared in declared {
            let answer = match answers.remove(&declared.name) {
                Some(answer) => Answer::Given(answer),
                None if wants_default(&declared) => Answer::Missing,
                None if declared.stock => Answer::Given(Ok(STOCK_DEFAULT.to_owned())),
                None => Answer::NotAsked,
            };
            let built = default_layer(&declared, answer, &mut notices).and_then(|base| {
                let node = over(base, declared.file.clone());
                extension::build(&declared, node.as_ref(), &robot, &markers, &mut notices)
            });
            match built {
                Ok(extension) => robot.extensions.push(extension),
                Err(reason) => {
                    robot.disabled.push(Disabled { name: declared.name, kind: declared.kind, reason });
                }
            }
        }
        robot.notices = notices.sentences();
        Ok(robot)
    }
}

fn wants_default(declared: &Declared) -> bool {
    let off = declared.file.as_ref().and_then(|f| f.find(&["Disabled"])).is_some_and(is_true);
    declared.kind == Kind::Plugin && declared.runtime == Runtime::External && !declared.stock && !off
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
        Answer::Given(Err(why)) => {
            // Whatever the plugin printed may be part of it.
            let why = format!("Getting default configuration for plugin, disabling: {}", why.trim());
            Err(Diagnostic::of_file("", why).sentence())
        }
        Answer::Given(Ok(text)) => {
            let shown = format!("`_configure` output of {name}");
            let (layer, more) = parse(&shown, text.into_bytes()).map_err(|errors| sentences(&errors))?;
            notices.extend(more);
            Ok(Some(layer))
        }
    }
}

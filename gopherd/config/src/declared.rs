//! Extensions as `robot.yaml` declares them: names, files, parameters; what does not fit disables that one alone.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use gopher_protocol::{
    ids::TaskName,
    robot::{Cause, Disabled, Kind, Limits, Runtime},
};

use crate::{
    Diagnostic,
    keys::task::{Parameter, TaskSettings},
    layers::{Layers, Script},
    robot::RobotKeys,
    source::FileKind,
    yaml::{Entry, Node, Place},
};

/// An extension whose declaration is sound; its own file comes on top.
pub(crate) struct Declared {
    pub(crate) name: TaskName,
    pub(crate) kind: Kind,
    pub(crate) runtime: Runtime,
    pub(crate) path: String,
    pub(crate) settings: TaskSettings,
    pub(crate) privileged: bool,
    /// In order of precedence, each name once.
    pub(crate) parameters: Vec<(String, String)>,
    /// Installed ← custom file, merged and undecoded.
    pub(crate) file: Option<Node>,
    /// Compiled into the engine: there is no program, and the file only says who may use it where.
    pub(crate) stock: bool,
}

impl Declared {
    pub(crate) fn limits(&self) -> Limits {
        let given = &self.settings.limits;
        Limits {
            memory_bytes: given.memory.unwrap_or_default().0,
            processes: given.processes.unwrap_or_default(),
            cpu_seconds: given.cpu.unwrap_or_default().0,
            output_bytes: given.output.unwrap_or_default().0,
        }
    }
}

/// Plugins that are compiled into the engine.
pub(crate) const STOCK: [&str; 5] = ["ping", "help", "builtin-help", "builtin-admin", "builtin-fallback"];

/// What a declaration came to.
pub(crate) struct Declarations {
    pub(crate) declared: Vec<Declared>,
    pub(crate) disabled: Vec<Disabled>,
}

/// The three maps of extensions, with a word for people.
const MAPS: [(&str, Kind, &str); 3] = [
    ("ExternalPlugins", Kind::Plugin, "plugin"),
    ("ExternalJobs", Kind::Job, "job"),
    ("ExternalTasks", Kind::Task, "task"),
];

/// Reads the declarations of every extension and the files that belong to them.
///
/// # Errors
/// What may refuse the whole configuration: parameters that no process can be given, entries of the robot-wide maps that
/// do not fit together, and `Privileged` in the file of an extension.
pub(crate) fn declarations(layers: &mut Layers<'_>, robot: &RobotKeys) -> Result<Declarations, Vec<Diagnostic>> {
    let keys = &robot.keys;
    let mut errors = Vec::new();
    for (map, settings) in [
        ("NameSpaces", &keys.name_spaces),
        ("ParameterSets", &keys.parameter_sets),
        ("ExternalPlugins", &keys.external_plugins),
        ("ExternalJobs", &keys.external_jobs),
        ("ExternalTasks", &keys.external_tasks),
        ("GoPlugins", &keys.go_plugins),
        ("GoJobs", &keys.go_jobs),
        ("GoTasks", &keys.go_tasks),
    ] {
        for entry in robot.entries(map) {
            let parameters = settings.get(&entry.key).map(|s| s.parameters.as_slice()).unwrap_or_default();
            let at = &entry.value.find(&["Parameters"]).unwrap_or(&entry.value).at;
            errors.extend(parameters.iter().filter_map(parameter_problem).map(|problem| at.says(problem)));
        }
    }
    errors.extend(shared(robot));
    let names = Names::collect(robot);
    let mut found = Declarations { declared: Vec::new(), disabled: compiled(robot) };
    for (map, kind, word) in MAPS {
        let settings = match &kind {
            Kind::Plugin => &keys.external_plugins,
            Kind::Job => &keys.external_jobs,
            Kind::Task => &keys.external_tasks,
        };
        for entry in robot.entries(map) {
            let Some(settings) = settings.get(&entry.key).filter(|s| !s.disabled) else {
                continue;
            };
            let one = One { layers: &mut *layers, robot, kind: kind.clone(), word, entry };
            match one.declare(settings, &names) {
                Ok(declared) => found.declared.push(declared),
                Err(Problem::Disabled(cause, reason)) => {
                    let name = TaskName::new(&entry.key);
                    found.disabled.push(Disabled { name, kind: kind.clone(), reason, cause });
                }
                Err(Problem::Fatal(error)) => errors.push(error),
            }
        }
    }
    for name in STOCK {
        match stock(layers, name) {
            Ok(declared) => found.declared.extend(declared),
            Err(Problem::Disabled(cause, reason)) => {
                found.disabled.push(Disabled { name: name.into(), kind: Kind::Plugin, reason, cause });
            }
            Err(Problem::Fatal(error)) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

/// What does not fit in `NameSpaces` and `ParameterSets`, which are the whole robot's.
fn shared(robot: &RobotKeys) -> Vec<Diagnostic> {
    let keys = &robot.keys;
    let spaces: HashMap<&str, &Place> = robot.entries("NameSpaces").iter().map(|e| (e.key.as_str(), &e.at)).collect();
    let mut errors = Vec::new();
    for (map, settings, word) in
        [("NameSpaces", &keys.name_spaces, "name space"), ("ParameterSets", &keys.parameter_sets, "parameter set")]
    {
        for entry in robot.entries(map) {
            let name = entry.key.as_str();
            if STOCK.contains(&name) {
                let message = format!("the name `{name}` is that of a stock plugin; give this {word} another name");
                errors.push(entry.at.says(message));
            }
            if let Some(twin) = spaces.get(name).filter(|twin| **twin != &entry.at) {
                let message = format!("the name `{name}` is also used at {twin}; give one of them another name");
                errors.push(entry.at.says(message));
            }
            if let Some((key, problem)) = settings.get(name).and_then(|settings| dangling(robot, settings)) {
                errors.push(entry.value.find(&[key]).unwrap_or(&entry.value).at.says(problem));
            }
        }
    }
    errors
}

/// The first reference of an entry to a name space or parameter set that is not there: its key, and what is wrong.
fn dangling(robot: &RobotKeys, settings: &TaskSettings) -> Option<(&'static str, String)> {
    let keys = &robot.keys;
    let undefined = |key, name: &str| Some((key, format!("`{name}` is not defined; `{key}` refers to it")));
    if !settings.name_space.is_empty() && !keys.name_spaces.contains_key(&settings.name_space) {
        return undefined("NameSpace", &settings.name_space);
    }
    let set = settings.parameter_sets.iter().find(|set| !keys.parameter_sets.contains_key(*set))?;
    undefined("ParameterSets", set)
}

/// A stock plugin, if a file says something about it.
fn stock(layers: &mut Layers<'_>, name: &str) -> Result<Option<Declared>, Problem> {
    let file = file(layers, "plugins", name)?;
    Ok(file.map(|file| Declared {
        name: name.into(),
        kind: Kind::Plugin,
        runtime: Runtime::External,
        path: String::new(),
        settings: TaskSettings::default(),
        privileged: false,
        parameters: Vec::new(),
        file: Some(file),
        stock: true,
    }))
}

/// An extension's own file. An error in it disables the extension, with one exception.
fn file(layers: &mut Layers<'_>, directory: &str, name: &str) -> Result<Option<Node>, Problem> {
    let merged = layers.merged(&format!("{directory}/{name}.yaml"));
    let file = merged.map_err(|errors| Problem::Disabled(Cause::Wrong, sentences(&errors)))?;
    if let Some(entry) = file.as_ref().and_then(|f| f.entry("Privileged")) {
        let message = format!("task '{name}' illegally specifies 'Privileged' outside of robot.yaml");
        return Err(Problem::Fatal(entry.at.says(message)));
    }
    Ok(file)
}

/// Stock extensions that the robot switches off, or whose settings do not fit.
fn compiled(robot: &RobotKeys) -> Vec<Disabled> {
    let keys = &robot.keys;
    let mut off = Vec::new();
    for (map, all, kind) in [
        ("GoPlugins", &keys.go_plugins, Kind::Plugin),
        ("GoJobs", &keys.go_jobs, Kind::Job),
        ("GoTasks", &keys.go_tasks, Kind::Task),
    ] {
        for entry in robot.entries(map) {
            let Some(settings) = all.get(&entry.key) else { continue };
            let cause = if settings.disabled { Cause::Off } else { Cause::Wrong };
            let reason = if settings.disabled {
                Some("disabled in robot.yaml".to_owned())
            } else {
                let place = |key| &entry.value.find(&[key]).unwrap_or(&entry.value).at;
                dangling(robot, settings).map(|(key, problem)| place(key).says(problem).sentence())
            };
            off.extend(reason.map(|reason| Disabled {
                name: TaskName::new(&entry.key),
                kind: kind.clone(),
                reason,
                cause,
            }));
        }
    }
    off
}

fn parameter_problem(parameter: &Parameter) -> Option<String> {
    let Parameter { name, value } = parameter;
    if name.is_empty() || name.contains(['=', '\0']) {
        return Some(format!("`{name}` cannot be the name of a parameter"));
    }
    value.contains('\0').then(|| format!("the value of the parameter `{name}` holds a NUL character"))
}

/// Every name of the configuration and where it stands.
struct Names(HashMap<String, Vec<Place>>);

impl Names {
    fn collect(robot: &RobotKeys) -> Self {
        let mut all = HashMap::<String, Vec<Place>>::new();
        for map in ["ExternalPlugins", "ExternalJobs", "ExternalTasks", "NameSpaces", "ParameterSets"] {
            for entry in robot.entries(map) {
                let off = entry.value.find(&["Disabled"]).is_some_and(is_true);
                if !off {
                    all.entry(entry.key.clone()).or_default().push(entry.at.clone());
                }
            }
        }
        Self(all)
    }

    fn other(&self, name: &str, at: &Place) -> Option<&Place> {
        self.0.get(name)?.iter().find(|place| *place != at)
    }
}

/// Whether a value says yes, before anything is decoded.
pub(crate) fn is_true(node: &Node) -> bool {
    crate::yaml::decode::<bool>(node).unwrap_or(false)
}

enum Problem {
    Disabled(Cause, String),
    Fatal(Diagnostic),
}

fn disable<T>(at: &Place, reason: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Disabled(Cause::Wrong, at.says(reason).sentence()))
}

fn missing<T>(at: &Place, reason: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Disabled(Cause::Missing, at.says(reason).sentence()))
}

/// One declaration while it is examined.
struct One<'a, 's> {
    layers: &'a mut Layers<'s>,
    robot: &'a RobotKeys,
    kind: Kind,
    word: &'static str,
    entry: &'a Entry,
}

impl One<'_, '_> {
    /// Where a key of this declaration stands.
    fn place(&self, key: &str) -> &Place {
        self.entry.value.find(&[key]).map_or(&self.entry.at, |n| &n.at)
    }

    fn declare(self, settings: &TaskSettings, names: &Names) -> Result<Declared, Problem> {
        self.check_name(names)?;
        let (runtime, path) = self.script(settings)?;
        let parameters = self.parameters(settings)?;
        let file = match self.kind {
            Kind::Plugin => file(self.layers, "plugins", &self.entry.key)?,
            Kind::Job => file(self.layers, "jobs", &self.entry.key)?,
            Kind::Task => None,
        };
        Ok(Declared {
            name: TaskName::new(&self.entry.key),
            kind: self.kind.clone(),
            runtime,
            path,
            settings: settings.clone(),
            privileged: settings.privileged.unwrap_or(self.kind == Kind::Job),
            parameters,
            file,
            stock: false,
        })
    }

    fn check_name(&self, names: &Names) -> Result<(), Problem> {
        let (name, word, at) = (self.entry.key.as_str(), self.word, &self.entry.at);
        let letter = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !letter || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            let reason = format!(
                "`{name}` cannot be the name of a {word}: a letter comes first, then letters, digits, `-` and `_`"
            );
            return disable(&self.entry.at, reason);
        }
        if name == "bot" {
            return disable(&self.entry.at, format!("`bot` cannot be the name of a {word}: it is reserved"));
        }
        if STOCK.contains(&name) {
            return disable(at, format!("the name `{name}` is that of a stock plugin; give this {word} another name"));
        }
        match names.other(name, at) {
            Some(other) => disable(
                &self.entry.at,
                format!("the name `{name}` is also used at {other}; give one of them another name"),
            ),
            None => Ok(()),
        }
    }

    fn script(&self, settings: &TaskSettings) -> Result<(Runtime, String), Problem> {
        let (name, word, given) = (&self.entry.key, self.word, &settings.path);
        let at = self.place("Path");
        if given.is_empty() || given.contains('\0') {
            return disable(&self.entry.at, format!("the {word} `{name}` has no `Path`; say which file it is"));
        }
        let (path, kind) = match self.layers.script(given) {
            Ok(found) => found,
            Err(Script::Missing(candidates)) => {
                let looked: Vec<String> = candidates.iter().map(|p| self.layers.shown(p)).collect();
                let remedy = if Path::new(given).is_absolute() {
                    "create it, correct `Path`, or name its directory in `ReadPaths` if runs cannot see it"
                } else {
                    "create it or correct `Path`"
                };
                let reason = format!("there is no file `{given}` (looked for {}); {remedy}", looked.join(", "));
                return missing(at, reason);
            }
            Err(Script::Unreadable(path, error)) => {
                let shown = self.layers.shown(&path);
                return disable(at, format!("the file {shown} cannot be examined: {error}"));
            }
        };
        let shown = self.layers.shown(&path);
        let FileKind::File { owner_executable } = kind else {
            return disable(at, format!("{shown} is not a regular file; correct `Path`"));
        };
        let runtime = match path.extension().and_then(|e| e.to_str()) {
            Some("lua") => Runtime::Lua,
            Some("js") => Runtime::JavaScript,
            Some("gsh") => Runtime::Gsh,
            Some("go") => return missing(at, format!("this version does not run Go yet, which {shown} needs")),
            _ => Runtime::External,
        };
        if !owner_executable && !runtime.is_embedded() {
            return disable(at, format!("{shown} is not executable; run `chmod +x {shown}`"));
        }
        match path.to_str() {
            Some(path) => Ok((runtime, path.to_owned())),
            None => disable(at, format!("the path {shown} is not UTF-8 text")),
        }
    }

    /// Name space, parameter sets in order, own; the first of a name wins.
    fn parameters(&self, settings: &TaskSettings) -> Result<Vec<(String, String)>, Problem> {
        let keys = &self.robot.keys;
        if let Some((key, problem)) = dangling(self.robot, settings) {
            return disable(self.place(key), problem);
        }
        let shared = keys.name_spaces.get(&settings.name_space).into_iter();
        let sets = settings.parameter_sets.iter().filter_map(|set| keys.parameter_sets.get(set));
        let mut seen = HashSet::new();
        Ok(shared
            .chain(sets)
            .chain([settings])
            .flat_map(|source| &source.parameters)
            .filter(|p| seen.insert(p.name.as_str()))
            .map(|p| (p.name.clone(), p.value.clone()))
            .collect())
    }
}

/// Several errors as one reason.
pub(crate) fn sentences(errors: &[Diagnostic]) -> String {
    let all: Vec<String> = errors.iter().map(Diagnostic::sentence).collect();
    all.join("; ")
}

//! The layers of one configuration file: installed, then the robot's own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use gopher_protocol::loader::Sources;

use crate::{
    Diagnostic, FileSource, Launch,
    environment::{Beside, Environment},
    installed,
    markers::Holder,
    merge::{merge, normalize},
    merged::Merged,
    source::FileKind,
    template::{Rendered, Unit, render},
    variables::Variables,
    yaml::{self, Node, Source, Value},
};

/// Where configuration of one robot is read.
pub(crate) struct Layers<'s> {
    sources: &'s Sources,
    files: &'s dyn FileSource,
    /// What templates may ask for.
    pub(crate) environment: Environment,
    /// Collected while reading.
    pub(crate) notices: Notices,
    pub(crate) merged: Merged,
}

/// Most notices of one configuration; what is wrong a thousand times is told a hundred times.
const MOST_NOTICES: usize = 100;

/// Warnings that do not keep anything from running.
#[derive(Default)]
pub(crate) struct Notices {
    list: Vec<Diagnostic>,
    more: usize,
}

impl Notices {
    pub(crate) fn push(&mut self, notice: Diagnostic) {
        if self.list.len() < MOST_NOTICES { self.list.push(notice) } else { self.more += 1 }
    }

    pub(crate) fn extend(&mut self, notices: Vec<Diagnostic>) {
        for notice in notices {
            self.push(notice);
        }
    }

    pub(crate) fn sentences(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("{} more notices are not shown", self.more));
        self.list.iter().map(Diagnostic::sentence).chain(more).collect()
    }
}

/// Who wrote a layer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Install,
    Robot,
}

impl<'s> Layers<'s> {
    /// Reads the variables files; every other file may ask for what is in them.
    pub(crate) fn new(
        sources: &'s Sources,
        files: &'s dyn FileSource,
        launch: &Launch,
        name: &str,
    ) -> Result<Self, Vec<Diagnostic>> {
        let environment = |variables| Environment::new(launch, sources.mode.clone(), variables);
        let mut layers = Self {
            sources,
            files,
            environment: environment(Variables::default()),
            notices: Notices::default(),
            merged: Merged::new(launch.inspect),
        };
        let variables = Variables::load(&layers, name)?;
        layers.environment = environment(variables);
        Ok(layers)
    }

    fn root(&self, owner: Owner) -> &'s Path {
        Path::new(match owner {
            Owner::Install => &self.sources.install_dir,
            Owner::Robot => &self.sources.config_dir,
        })
    }

    fn path(&self, owner: Owner, name: &str) -> PathBuf {
        self.root(owner).join("conf").join(name)
    }

    /// A path as people see it: relative to the robot home where it lies in it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let home = Path::new(&self.sources.home);
        let inside = path.strip_prefix(home).ok().filter(|p| !p.as_os_str().is_empty());
        inside.unwrap_or(path).display().to_string()
    }

    /// The robot's file of that name, as people see it.
    pub(crate) fn own(&self, name: &str) -> String {
        self.shown(&self.path(Owner::Robot, name))
    }

    /// One layer, or nothing if the file does not exist.
    pub(crate) fn layer(&mut self, owner: Owner, name: &str) -> Result<Option<Node>, Vec<Diagnostic>> {
        let layer = self.read(owner, name);
        layer.map_err(|errors| errors.into_iter().map(|e| self.environment.markers.cleared(e)).collect())
    }

    fn read(&mut self, owner: Owner, name: &str) -> Result<Option<Node>, Vec<Diagnostic>> {
        let path = self.path(owner, name);
        let shown = self.shown(&path);
        match self.files.read(&path) {
            Ok(None) => Ok(None),
            Ok(Some(bytes)) => {
                let rendered = self.expand(owner, &path, &shown, bytes).map_err(|e| vec![e])?;
                let (layer, notices) = normalized(yaml::compose_rendered(&rendered).map_err(|e| vec![e])?)?;
                self.notices.extend(notices);
                let extension = name.starts_with("plugins/") || name.starts_with("jobs/");
                let holder = if extension { Holder::Extension } else { Holder::Robot };
                let misplaced = self.environment.markers.check(holder, &layer);
                if misplaced.is_empty() { Ok(Some(layer)) } else { Err(misplaced) }
            }
            Err(error) => Err(vec![unreadable(shown, &error)]),
        }
    }

    /// A file with what its templates come to.
    fn expand(&self, owner: Owner, path: &Path, shown: &str, bytes: Vec<u8>) -> Result<Rendered, Diagnostic> {
        let text = yaml::compose::text_of(shown, bytes)?;
        let root = self.root(owner);
        let host = Beside {
            environment: &self.environment,
            files: self.files,
            root,
            directory: path.parent().unwrap_or(root),
            shown: &|path| self.shown(path),
        };
        render(&Unit::new(Arc::new(Source::new(shown, text))), &host)
    }

    /// A variables file of the robot, as it is, or nothing if there is none.
    pub(crate) fn variables(&self, name: &str) -> Result<Option<Node>, Diagnostic> {
        let path = self.path(Owner::Robot, &format!("variables/{name}.yaml"));
        let shown = self.shown(&path);
        match self.files.read(&path) {
            Ok(Some(bytes)) => yaml::compose(&shown, bytes).map(|document| Some(document.root)),
            Ok(None) => Ok(None),
            Err(error) => Err(unreadable(shown, &error)),
        }
    }

    /// All layers of that name merged, or nothing if none exists. Errors of every layer are reported.
    pub(crate) fn merged(&mut self, name: &str) -> Result<Option<Node>, Vec<Diagnostic>> {
        let installed = self.layer(Owner::Install, name);
        let own = self.layer(Owner::Robot, name);
        both(installed, own).map(|(installed, own)| over(installed, own))
    }

    /// Looks a script up: absolute as it is, else in the robot, the extra root, the install tree, where it may have another
    /// name.
    pub(crate) fn script(&self, path: &str) -> Result<(PathBuf, FileKind), Script> {
        let roots: Vec<&String> = if path.starts_with('/') {
            Vec::new()
        } else {
            let sources = self.sources;
            [Some(&sources.config_dir), sources.extra_root.as_ref(), Some(&sources.install_dir)]
                .into_iter()
                .flatten()
                .collect()
        };
        let mut candidates: Vec<PathBuf> = roots.iter().map(|r| tidy(&Path::new(r).join(path))).collect();
        if candidates.is_empty() {
            candidates.push(tidy(Path::new(path)));
        }
        let renamed = installed::instead_of(path.trim_start_matches("./"));
        let renamed = renamed.map(|name| Path::new(&self.sources.install_dir).join(name));
        for candidate in candidates.iter().chain(&renamed) {
            match self.files.kind(candidate) {
                Ok(FileKind::Missing) => {}
                Ok(kind) => return Ok((candidate.clone(), kind)),
                Err(error) => return Err(Script::Unreadable(candidate.clone(), error.to_string())),
            }
        }
        Err(Script::Missing(candidates))
    }
}

/// Why a script was not found.
pub(crate) enum Script {
    Missing(Vec<PathBuf>),
    Unreadable(PathBuf, String),
}

/// Without `.` and doubled slashes.
fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Both values, or the errors of both.
pub(crate) fn both<A, B>(
    a: Result<A, Vec<Diagnostic>>,
    b: Result<B, Vec<Diagnostic>>,
) -> Result<(A, B), Vec<Diagnostic>> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(mut a), Err(b)) => {
            a.extend(b);
            Err(a)
        }
        (Err(e), Ok(_)) | (Ok(_), Err(e)) => Err(e),
    }
}

/// A layer over another, where either may be missing.
pub(crate) fn over(base: Option<Node>, layer: Option<Node>) -> Option<Node> {
    match (base, layer) {
        (Some(base), Some(layer)) => Some(merge(base, layer)),
        (base, layer) => base.or(layer),
    }
}

/// A normalized layer: a mapping, empty if the file holds nothing.
pub(crate) fn parse(shown: &str, bytes: Vec<u8>) -> Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>> {
    normalized(yaml::compose(shown, bytes).map_err(|e| vec![e])?)
}

fn normalized(document: yaml::compose::Document) -> Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut root = document.root;
    match root.value {
        Value::Map(_) => {}
        _ if root.is_null() => root.value = Value::Map(Vec::new()),
        _ => {
            return Err(vec![root.at.says(format!("expected keys and values, found {}", root.kind()))]);
        }
    }
    Ok((normalize(root)?, document.notices))
}

fn unreadable(shown: String, error: &std::io::Error) -> Diagnostic {
    Diagnostic::of_file(shown, format!("the file cannot be read: {error}"))
}

//! The layers of one configuration file: installed, then the robot's own.

use std::path::{Path, PathBuf};

use gopher_protocol::loader::Sources;

use crate::{
    Diagnostic, FileSource,
    merge::{merge, normalize},
    source::{FileKind, LARGEST_FILE},
    yaml::{Node, Source, Value, compose, compose::position},
};

/// Where configuration of one robot is read.
pub(crate) struct Layers<'s> {
    sources: &'s Sources,
    files: &'s dyn FileSource,
    /// Collected while reading.
    pub(crate) notices: Notices,
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
    pub(crate) fn new(sources: &'s Sources, files: &'s dyn FileSource) -> Self {
        Self { sources, files, notices: Notices::default() }
    }

    fn path(&self, owner: Owner, name: &str) -> PathBuf {
        let root = match owner {
            Owner::Install => &self.sources.install_dir,
            Owner::Robot => &self.sources.config_dir,
        };
        Path::new(root).join("conf").join(name)
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
        let path = self.path(owner, name);
        let shown = self.shown(&path);
        match self.files.read(&path) {
            Ok(None) => Ok(None),
            Ok(Some(bytes)) => {
                templates(&shown, &bytes).map_err(|e| vec![e])?;
                let (layer, notices) = parse(&shown, bytes)?;
                self.notices.extend(notices);
                Ok(Some(layer))
            }
            Err(error) => Err(vec![Diagnostic::of_file(shown, format!("the file cannot be read: {error}"))]),
        }
    }

    /// All layers of that name merged, or nothing if none exists. Errors of every layer are reported.
    pub(crate) fn merged(&mut self, name: &str) -> Result<Option<Node>, Vec<Diagnostic>> {
        let installed = self.layer(Owner::Install, name);
        let own = self.layer(Owner::Robot, name);
        both(installed, own).map(|(installed, own)| over(installed, own))
    }

    /// Looks a script up: absolute as it is, else in the robot, the extra root, the install tree.
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
        for candidate in &candidates {
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
    let document = compose(shown, bytes).map_err(|e| vec![e])?;
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

/// Refuses what would have to be expanded first.
fn templates(shown: &str, bytes: &[u8]) -> Result<(), Diagnostic> {
    let checked = &bytes[..bytes.len().min(usize::try_from(LARGEST_FILE).unwrap_or(usize::MAX))];
    let Some(index) = checked.windows(2).position(|pair| pair == b"{{") else {
        return Ok(());
    };
    let (line, column) = position(&String::from_utf8_lossy(&bytes[..index]));
    let source = Source::new(shown, String::from_utf8_lossy(bytes));
    Err(source
        .says(line, column, "templates (`{{ … }}`) are not supported yet by this version")
        .hint("write the value itself here"))
}

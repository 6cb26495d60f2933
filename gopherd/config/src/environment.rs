//! What templates of one load may ask for: the environment, variables files, the start mode, other files.
//!
//! Made by [`crate::read`] from what secretd told the loader. It knows which names are secret and never a value of
//! those: a template gets a text that only secretd can fill in (spec: configuration §1.3, §1.6).

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use gopher_protocol::loader::StartMode;

use crate::{
    FileSource,
    markers::{Handed, Markers},
    template::{Host, Text, Unit, Value, readable},
    variables::Variables,
    yaml::{self, Source},
};

/// What the loader was told about the environment of the robot.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// Plain values: `GOPHER_*` settings and the launch environment.
    pub values: Vec<(String, String)>,
    /// Names that are set, whose values are secret.
    pub private: Vec<String>,
    /// Secrets of variables files can be opened.
    pub encryption: bool,
    /// Somebody looks at what the files are merged to.
    pub inspect: bool,
    /// Random, and another one for each load: nobody can write down what stands for a secret.
    pub nonce: [u8; 16],
}

/// Set for templates once secrets can be opened.
const INITIALIZED: (&str, &str) = ("GOPHER_ENCRYPTION_INITIALIZED", "initialized");

pub(crate) struct Environment {
    values: HashMap<String, String>,
    private: HashSet<String>,
    encryption: bool,
    inspect: bool,
    mode: StartMode,
    variables: Variables,
    /// What `SetEnv` set, for all that is loaded later.
    overlay: RefCell<HashMap<String, Text>>,
    /// Secrets that were asked for before.
    known: RefCell<HashMap<String, usize>>,
    pub(crate) markers: Markers,
}

impl Environment {
    pub(crate) fn new(launch: &Launch, mode: StartMode, variables: Variables) -> Self {
        let mut values: HashMap<String, String> = launch.values.iter().cloned().collect();
        if launch.encryption {
            values.entry(INITIALIZED.0.to_owned()).or_insert_with(|| INITIALIZED.1.to_owned());
        }
        Self {
            values,
            private: launch.private.iter().cloned().collect(),
            encryption: launch.encryption,
            inspect: launch.inspect,
            mode,
            variables,
            overlay: RefCell::default(),
            known: RefCell::default(),
            markers: Markers::new(&launch.nonce),
        }
    }

    fn env(&self, name: &str) -> Text {
        if let Some(set) = self.overlay.borrow().get(name) {
            return set.clone();
        }
        match self.values.get(name) {
            Some(value) => Text::plain(value),
            None if self.private.contains(name) => {
                let index = self.markers.hand_out(Handed::environment(name));
                Text::secret(index, name)
            }
            None => Text::default(),
        }
    }

    fn secret(&self, name: &str) -> Result<Text, String> {
        if !self.encryption {
            return Err(format!("template secret \"{name}\" requested but encryption is not initialized"));
        }
        let known = self.known.borrow().get(name).copied();
        let index = if let Some(index) = known {
            index
        } else {
            let ciphertext = match self.variables.secret(name) {
                // Who only looks is told that it does not open, like any other.
                Err(_) if self.inspect && self.variables.has_secret(name) => Vec::new(),
                ciphertext => ciphertext?,
            };
            self.markers.hand_out(Handed::variable(name, ciphertext))
        };
        self.known.borrow_mut().insert(name.to_owned(), index);
        Ok(Text::secret(index, name))
    }

    fn set(&self, name: String, value: &Value) {
        let value = if let Value::Text(text) = value { text.clone() } else { value.shown() };
        self.overlay.borrow_mut().insert(name, value);
    }

    fn start_mode(&self) -> &'static str {
        match self.mode {
            StartMode::TestDev => "test-dev",
            StartMode::Demo => "demo",
            StartMode::Bootstrap => "bootstrap",
            StartMode::Production => "production",
        }
    }
}

/// What one file may ask for: its environment, and files beside it.
pub(crate) struct Beside<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) files: &'a dyn FileSource,
    /// The install tree or the robot.
    pub(crate) root: &'a Path,
    /// Where the file lies.
    pub(crate) directory: &'a Path,
    /// A path as people see it.
    pub(crate) shown: &'a dyn Fn(&Path) -> String,
}

impl Host for Beside<'_> {
    fn functions(&self) -> &'static [(&'static str, usize, usize)] {
        &[
            ("env", 1, 1),
            ("secret", 1, 1),
            ("variable", 1, 1),
            ("GetStartupMode", 0, 0),
            ("IsTestBuild", 0, 0),
            ("SetEnv", 2, 2),
            ("decrypt", 1, 1),
        ]
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let environment = self.environment;
        match (name, arguments) {
            ("env", [key]) => Ok(Value::Text(environment.env(&readable(name, key)?))),
            ("secret", [key]) => environment.secret(&readable(name, key)?).map(Value::Text),
            ("variable", [key]) => environment.variables.variable(&readable(name, key)?).map(Value::text),
            ("GetStartupMode", []) => Ok(Value::text(environment.start_mode())),
            ("IsTestBuild", []) => Ok(Value::Bool(false)),
            ("SetEnv", [key, value]) => {
                environment.set(readable(name, key)?, value);
                Ok(Value::text(""))
            }
            ("decrypt", _) => Err("`decrypt` is gone: put the encrypted text under `Secrets` of \
                 conf/variables/common.yaml or of conf/variables/ENVIRONMENT.yaml, and write {{ secret \"NAME\" }} here"
                .to_owned()),
            _ => Err(format!("`{name}` cannot be called this way")),
        }
    }

    fn open(&self, file: &str) -> Result<Unit, String> {
        let path = within(self.root, self.directory, file)
            .ok_or_else(|| format!("`.Include` of `{file}` leaves {}", (self.shown)(self.root)))?;
        let shown = (self.shown)(&path);
        match self.files.read(&path) {
            Ok(Some(bytes)) => {
                let text =
                    yaml::compose::text_of(&shown, bytes).map_err(|e| format!("`.Include`: {}", e.sentence()))?;
                Ok(Unit::included(Arc::new(Source::new(shown, text))))
            }
            Ok(None) => Err(format!("`.Include`: there is no file {shown}")),
            Err(error) => Err(format!("`.Include`: the file {shown} cannot be read: {error}")),
        }
    }

    fn marker(&self, index: usize) -> String {
        self.environment.markers.text(index)
    }
}

/// `file` seen from `directory`, unless it lies outside of `root`.
fn within(root: &Path, directory: &Path, file: &str) -> Option<PathBuf> {
    if file.contains('\0') {
        return None;
    }
    let mut path = directory.to_owned();
    for component in Path::new(file).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => {
                path.pop();
                if !path.starts_with(root) {
                    return None;
                }
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_its_root() {
        for (file, expected) in [
            ("a.yaml", Some("/r/conf/a.yaml")),
            ("environments/x.yaml", Some("/r/conf/environments/x.yaml")),
            ("../lib/./a", Some("/r/lib/a")),
            ("/etc/passwd", Some("/r/conf/etc/passwd")),
            ("../../r/conf/a", None),
            ("../../etc/passwd", None),
            ("x/../../../a", None),
            ("a\0", None),
        ] {
            let found = within(Path::new("/r"), Path::new("/r/conf"), file);
            assert_eq!(found.as_deref(), expected.map(Path::new), "{file}");
        }
    }
}

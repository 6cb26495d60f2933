//! Default configurations that `_configure` printed earlier, kept beside the log (DESIGN: configuration generation).
//!
//! The loader says by a number whether anything they depend on has changed. A file that cannot be read or written
//! costs time and nothing else.

use std::{
    collections::HashMap,
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{Read as _, Write as _},
    os::fd::OwnedFd,
    rc::Rc,
};

use gopher_protocol::ids::TaskName;
use nix::{
    fcntl::{OFlag, openat, renameat},
    sys::stat::Mode,
};

const NAME: &str = "defaults.json";
const NEW: &str = "defaults.json.new";
/// Largest file that is read.
const LARGEST: u64 = 16 << 20;

/// What is kept of one extension.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Kept {
    key: u64,
    yaml: String,
}

/// Of every extension the last default configuration.
#[derive(Default)]
pub(crate) struct Defaults {
    directory: Option<Rc<OwnedFd>>,
    kept: HashMap<String, Kept>,
    changed: bool,
}

impl Defaults {
    pub(crate) fn open(&mut self, directory: Rc<OwnedFd>) {
        self.kept = read(&directory).unwrap_or_default();
        self.directory = Some(directory);
    }

    /// What was kept under that number.
    pub(crate) fn get(&self, task: &TaskName, key: u64) -> Option<String> {
        self.kept.get(task.as_str()).filter(|kept| kept.key == key).map(|kept| kept.yaml.clone())
    }

    pub(crate) fn put(&mut self, task: &TaskName, key: u64, yaml: &str) {
        let kept = Kept { key, yaml: yaml.to_owned() };
        self.changed |= self.kept.insert(task.as_str().to_owned(), kept.clone()).as_ref() != Some(&kept);
    }

    /// Keeps what is new, and only of extensions that there still are.
    pub(crate) fn save(&mut self, is_there: impl Fn(&str) -> bool) {
        let before = self.kept.len();
        self.kept.retain(|task, _| is_there(task));
        if !std::mem::take(&mut self.changed) && self.kept.len() == before {
            return;
        }
        if let Some(directory) = &self.directory {
            // Without the file the next start asks the extensions again.
            let _ = write(directory, &self.kept);
        }
    }
}

/// The number of the loader, how the plugin is asked, and the environment that a `_configure` run gets.
pub(crate) fn key(fingerprint: u64, legacy: bool, environment: &[(String, String)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (fingerprint, legacy, environment).hash(&mut hasher);
    hasher.finish()
}

fn read(directory: &OwnedFd) -> Option<HashMap<String, Kept>> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    let file = File::from(openat(directory, NAME, flags, Mode::empty()).ok()?);
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn write(directory: &OwnedFd, kept: &HashMap<String, Kept>) -> std::io::Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    let mut file = File::from(openat(directory, NEW, flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
    file.write_all(&serde_json::to_vec(kept)?)?;
    Ok(renameat(directory, NEW, directory, NAME)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(dir: &tempfile::TempDir) -> Defaults {
        let mut defaults = Defaults::default();
        defaults.open(Rc::new(File::open(dir.path()).expect("opens").into()));
        defaults
    }

    #[test]
    fn what_was_printed_is_known_after_a_restart_as_long_as_nothing_changes() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut defaults = opened(&dir);
        let (echo, gone) = (TaskName::new("echo"), TaskName::new("gone"));
        defaults.put(&echo, 1, "Commands: []\n");
        defaults.put(&gone, 1, "Commands: []\n");
        defaults.save(|task| task == "echo");
        let again = opened(&dir);
        assert_eq!(again.get(&echo, 1).as_deref(), Some("Commands: []\n"));
        assert_eq!((again.get(&echo, 2), again.get(&gone, 1)), (None, None));
        assert_ne!(key(1, false, &[]), key(1, false, &[("PATH".into(), "/bin".into())]));
        assert_ne!(key(1, false, &[]), key(1, true, &[]));
    }

    #[test]
    fn a_file_that_is_none_is_forgotten_and_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        for text in [&b""[..], b"{", b"[1]", b"{\"echo\":{\"key\":\"x\"}}", b"\xff\xfe"] {
            std::fs::write(dir.path().join(NAME), text).expect("written");
            let mut defaults = opened(&dir);
            assert!(defaults.kept.is_empty());
            defaults.put(&"echo".into(), 7, "A: 1");
            defaults.save(|_| true);
            assert!(opened(&dir).get(&"echo".into(), 7).is_some());
        }
    }
}

//! What a default configuration depends on, as a number: if it is the same, `_configure` would say the same.
//!
//! Called by the loader, which sees what runs see. From names, sizes and times of files; contents are not read, but for
//! the first line of a script, which names its interpreter.

use std::{
    fs::{self, File, Metadata},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Read as _,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
};

use gopher_protocol::loader::Sources;

/// Most files of one tree; a larger one is looked at anew each time.
const MOST_FILES: usize = 20_000;
const DEEPEST: usize = 32;
/// Longest interpreter line that the kernel reads.
const LINE: u64 = 256;
/// Directories at the top of a robot that no default configuration should depend on: they change while it runs.
const CHANGING: [&str; 5] = ["state", "private", "workspace", "history", "brain"];
/// Directories anywhere that tools keep for themselves.
const OF_TOOLS: [&str; 2] = [".git", "__pycache__"];

/// The trees of a robot and of its installation.
pub(crate) struct Trees<'s> {
    sources: &'s Sources,
    search_path: &'s str,
    both: Option<u64>,
}

impl<'s> Trees<'s> {
    pub(crate) fn read(sources: &'s Sources, search_path: &'s str) -> Self {
        let mut hasher = DefaultHasher::new();
        gopher_protocol::hello::BUILD.hash(&mut hasher);
        let mut left = MOST_FILES;
        let read = [&sources.config_dir, &sources.install_dir]
            .into_iter()
            .all(|dir| tree(Path::new(dir), 0, &mut left, &mut hasher).is_some());
        Self { sources, search_path, both: read.then(|| hasher.finish()) }
    }

    /// The number of one extension; `None` if it cannot be told what its configuration depends on.
    pub(crate) fn of(&self, program: &str) -> Option<u64> {
        let path = Path::new(program);
        if !path.starts_with(&self.sources.config_dir) && !path.starts_with(&self.sources.install_dir) {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        self.both?.hash(&mut hasher);
        program.hash(&mut hasher);
        file(&fs::metadata(path).ok()?, &mut hasher);
        for word in interpreter(path)?.split_ascii_whitespace() {
            word.hash(&mut hasher);
            if let Some(found) = self.find(word) {
                file(&found, &mut hasher);
            }
        }
        self.search_path.hash(&mut hasher);
        Some(hasher.finish())
    }

    /// A program as `env` would find it.
    fn find(&self, word: &str) -> Option<Metadata> {
        if word.starts_with('/') {
            return fs::metadata(word).ok();
        }
        self.search_path.split(':').find_map(|dir| fs::metadata(Path::new(dir).join(word)).ok())
    }
}

/// Whatever a change of a file changes.
fn file(metadata: &Metadata, hasher: &mut DefaultHasher) {
    let facts = [metadata.ino(), metadata.size(), u64::from(metadata.mode())];
    let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
    (facts, times).hash(hasher);
}

/// All files of a directory in the order of their names; `None` if there are too many.
fn tree(dir: &Path, depth: usize, left: &mut usize, hasher: &mut DefaultHasher) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    // A tree that is not there is one that may come.
    let Ok(listing) = fs::read_dir(dir) else { return Some(()) };
    let mut entries: Vec<_> = listing.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let named = |names: &[&str]| name.to_str().is_some_and(|name| names.contains(&name));
        if named(&OF_TOOLS) || (depth == 0 && named(&CHANGING)) {
            continue;
        }
        *left = left.checked_sub(1)?;
        name.as_bytes().hash(hasher);
        let metadata = entry.metadata().ok()?;
        if metadata.is_dir() {
            tree(&entry.path(), depth + 1, left, hasher)?;
        } else {
            file(&metadata, hasher);
        }
    }
    depth.hash(hasher);
    Some(())
}

/// The words after `#!`; none of a program that needs no interpreter.
fn interpreter(path: &Path) -> Option<String> {
    let mut line = Vec::new();
    File::open(path).ok()?.take(LINE).read_to_end(&mut line).ok()?;
    let Some(rest) = line.strip_prefix(b"#!") else { return Some(String::new()) };
    let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use gopher_protocol::loader::StartMode;
    use tempfile::TempDir;

    use super::*;

    struct Robot(TempDir);

    impl Robot {
        fn new() -> Self {
            let robot = Self(tempfile::tempdir().expect("a directory"));
            for (path, text) in [
                ("robot/plugins/a.sh", "#!/usr/bin/env tool -x\necho"),
                ("robot/lib/shared.sh", "x=1"),
                ("install/conf/robot.yaml", "A: 1"),
                ("bin/tool", "one"),
            ] {
                robot.write(path, text);
            }
            robot
        }

        fn path(&self, path: &str) -> String {
            self.0.path().join(path).display().to_string()
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().expect("one")).expect("made");
            fs::write(path, text).expect("written");
        }

        fn number(&self, program: &str) -> Option<u64> {
            let sources = Sources {
                home: self.path("robot"),
                config_dir: self.path("robot"),
                install_dir: self.path("install"),
                mode: StartMode::TestDev,
                protocol: None,
                demo_extensions: false,
                extra_root: None,
            };
            Trees::read(&sources, &self.path("bin")).of(&self.path(program))
        }
    }

    #[test]
    fn whatever_a_default_configuration_may_depend_on_changes_the_number() {
        let robot = Robot::new();
        let mut seen = vec![robot.number("robot/plugins/a.sh").expect("one")];
        assert_eq!(robot.number("robot/plugins/a.sh"), Some(seen[0]), "nothing has changed");
        for (path, text) in [
            ("robot/plugins/a.sh", "#!/usr/bin/env tool -x\necho more"),
            ("robot/lib/shared.sh", "x=22"),
            ("robot/lib/new.sh", ""),
            ("install/conf/robot.yaml", "A: 22"),
            ("bin/tool", "another"),
        ] {
            robot.write(path, text);
            let number = robot.number("robot/plugins/a.sh").expect("one");
            assert!(!seen.contains(&number), "{path}");
            seen.push(number);
        }
        robot.write("robot/state/robot.log", "busy");
        robot.write("robot/workspace/build", "busy");
        assert_eq!(robot.number("robot/plugins/a.sh"), seen.last().copied(), "the robot's own business");
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        let robot = Robot::new();
        assert_eq!(robot.number("bin/tool"), None, "a script that is not the robot's");
        assert_eq!(robot.number("robot/plugins/none.sh"), None);
        robot.write(&format!("robot/{}x", "d/".repeat(DEEPEST + 1)), "");
        assert_eq!(robot.number("robot/plugins/a.sh"), None, "too deep");
    }
}

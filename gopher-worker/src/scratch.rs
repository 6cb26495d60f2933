//! Scratch workspaces: one directory per slot, of which nothing is left after a pipeline.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown},
    path::{Path, PathBuf},
};

use gopher_sys::descriptors;
use nix::fcntl::OFlag;

use crate::{error::WorkerError, view::SCRATCH};

/// Where a slot's scratch workspace is, as spawners see it.
pub(crate) fn directory(slot: u32) -> PathBuf {
    Path::new(SCRATCH).join(slot.to_string())
}

/// The workspaces that a spawner makes.
pub(crate) struct Workspaces {
    root: PathBuf,
    /// What each was like when nothing had been done to it.
    made: HashMap<u32, Look>,
}

/// What is seen of a directory without looking into it.
#[derive(PartialEq, Eq)]
struct Look {
    inode: (u64, u64),
    mode: u32,
    owner: (u32, u32),
    /// Of the last access, modification and change, in seconds and nanoseconds.
    times: [(i64, i64); 3],
}

impl Look {
    fn at(directory: &File) -> io::Result<Self> {
        let now = directory.metadata()?;
        Ok(Self {
            inode: (now.dev(), now.ino()),
            mode: now.mode(),
            owner: (now.uid(), now.gid()),
            times: [(now.atime(), now.atime_nsec()), (now.mtime(), now.mtime_nsec()), (now.ctime(), now.ctime_nsec())],
        })
    }
}

impl Workspaces {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, made: HashMap::new() }
    }

    /// Makes a workspace if it is not there; `uid` owns it.
    pub(crate) fn make(&mut self, slot: u32, uid: Option<u32>) -> Result<PathBuf, WorkerError> {
        let path = self.root.join(slot.to_string());
        if self.made.contains_key(&slot) && path.is_dir() {
            return Ok(path);
        }
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => {
                if let Some(uid) = uid {
                    chown(&path, Some(uid), Some(uid)).map_err(WorkerError::file("give away", &path))?;
                }
                let look = open(&path).and_then(|directory| Look::at(&directory));
                self.made.insert(slot, look.map_err(WorkerError::file("open", &path))?);
                Ok(path)
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(path),
            Err(e) => Err(WorkerError::file("create", &path)(e)),
        }
    }

    /// Removes a workspace with whatever a pipeline left in it, unless nothing was ever done to it: then it is as good
    /// as new, and serves the next one.
    pub(crate) fn release(&mut self, slot: u32) -> Result<(), WorkerError> {
        let path = self.root.join(slot.to_string());
        if let Some(look) = self.made.remove(&slot)
            && let Ok(Some(look)) = untouched(&path, &look)
        {
            self.made.insert(slot, look);
            return Ok(());
        }
        // Empty is the rule; `remove_dir_all` follows no link and opens every directory below its parent.
        match fs::remove_dir(&path).or_else(|_| fs::remove_dir_all(&path)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(WorkerError::file("remove", &path)(e)),
            _ => Ok(()),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags((OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW).bits()).open(path)
}

/// How a directory looks now, if it is as it was. Its times tell what was done to it, but for what follows its making
/// within a tick of the file system's clock: so nothing may be in it and no attribute on it either.
fn untouched(path: &Path, before: &Look) -> io::Result<Option<Look>> {
    let directory = open(path)?;
    let untouched = Look::at(&directory)? == *before
        && !descriptors::has_attributes(&directory)?
        && descriptors::is_empty(&directory)?;
    // To have looked into it may be a change of its own.
    if untouched { Look::at(&directory).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_private_and_leaves_nothing() {
        let root = tempfile::tempdir().expect("directory");
        let mut workspaces = Workspaces::new(root.path().to_owned());
        let path = workspaces.make(7, None).expect("made");
        assert_eq!(path.metadata().expect("there").mode() & 0o777, 0o700);
        assert_eq!(workspaces.make(7, None).expect("again"), path);
        fs::create_dir_all(path.join("a/b")).expect("content");
        std::os::unix::fs::symlink("/etc", path.join("a/link")).expect("link");
        workspaces.release(7).expect("removed");
        assert!(!path.exists() && Path::new("/etc").exists());
        workspaces.release(7).expect("nothing to do is not an error");
    }

    #[test]
    fn only_an_untouched_workspace_serves_again() {
        let root = tempfile::tempdir().expect("directory");
        let mut workspaces = Workspaces::new(root.path().to_owned());
        let path = workspaces.make(7, None).expect("made");
        for _ in 0..3 {
            workspaces.release(7).expect("kept");
            assert!(path.exists());
        }
        let touches: [fn(&Path); 5] = [
            |path| fs::write(path.join("left"), "").expect("written"),
            |path| {
                fs::write(path.join("left"), "").expect("written");
                std::thread::sleep(std::time::Duration::from_millis(20));
                fs::remove_file(path.join("left")).expect("removed");
            },
            |path| fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("opened"),
            |path| {
                let long_ago = fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
                open(path).and_then(|directory| directory.set_times(long_ago)).expect("dated");
            },
            |path| {
                fs::remove_dir(path).expect("removed");
                fs::create_dir(path).expect("another one");
            },
        ];
        for touch in touches {
            let path = workspaces.make(7, None).expect("made");
            touch(&path);
            workspaces.release(7).expect("removed");
            assert!(!path.exists());
        }
    }
}

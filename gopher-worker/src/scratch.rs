//! Scratch workspaces: one directory per slot, emptied with each pipeline.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, chown},
    path::{Path, PathBuf},
};

use crate::{error::WorkerError, view::SCRATCH};

/// Where a slot's scratch workspace is, as spawners see it.
pub(crate) fn directory(slot: u32) -> PathBuf {
    Path::new(SCRATCH).join(slot.to_string())
}

/// Makes the workspace if it is not there; `uid` owns it.
pub(crate) fn make(root: &Path, slot: u32, uid: Option<u32>) -> Result<PathBuf, WorkerError> {
    let path = root.join(slot.to_string());
    match fs::DirBuilder::new().mode(0o700).create(&path) {
        Ok(()) => {
            if let Some(uid) = uid {
                chown(&path, Some(uid), Some(uid)).map_err(WorkerError::file("give away", &path))?;
            }
            Ok(path)
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(path),
        Err(e) => Err(WorkerError::file("create", &path)(e)),
    }
}

/// Removes the workspace with whatever a run left in it.
pub(crate) fn remove(root: &Path, slot: u32) -> Result<(), WorkerError> {
    let path = root.join(slot.to_string());
    // Empty is the rule; `remove_dir_all` follows no link and opens every directory below its parent.
    match fs::remove_dir(&path).or_else(|_| fs::remove_dir_all(&path)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(WorkerError::file("remove", &path)(e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_private_and_leaves_nothing() {
        let root = tempfile::tempdir().expect("directory");
        let path = make(root.path(), 7, None).expect("made");
        assert_eq!(make(root.path(), 7, None).expect("again"), path);
        fs::create_dir_all(path.join("a/b")).expect("content");
        std::os::unix::fs::symlink("/etc", path.join("a/link")).expect("link");
        remove(root.path(), 7).expect("removed");
        assert!(!path.exists() && Path::new("/etc").exists());
        remove(root.path(), 7).expect("nothing to do is not an error");
    }
}

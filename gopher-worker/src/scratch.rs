//! Scratch workspaces: one directory per unprivileged pipeline, gone with the pipeline.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, chown},
    path::{Path, PathBuf},
};

use gopher_protocol::ids::PipelineId;

use crate::{error::WorkerError, view::SCRATCH};

/// Where a pipeline's scratch workspace is, as spawners see it.
pub(crate) fn directory(pipeline: PipelineId) -> PathBuf {
    Path::new(SCRATCH).join(pipeline.to_string())
}

/// Makes the workspace if this is the pipeline's first run; `uid` owns it.
pub(crate) fn make(root: &Path, pipeline: PipelineId, uid: Option<u32>) -> Result<PathBuf, WorkerError> {
    let path = root.join(pipeline.to_string());
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
pub(crate) fn remove(root: &Path, pipeline: PipelineId) -> Result<(), WorkerError> {
    let path = root.join(pipeline.to_string());
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
        let path = make(root.path(), PipelineId(7), None).expect("made");
        assert_eq!(make(root.path(), PipelineId(7), None).expect("again"), path);
        fs::create_dir_all(path.join("a/b")).expect("content");
        std::os::unix::fs::symlink("/etc", path.join("a/link")).expect("link");
        remove(root.path(), PipelineId(7)).expect("removed");
        assert!(!path.exists() && Path::new("/etc").exists());
        remove(root.path(), PipelineId(7)).expect("nothing to do is not an error");
    }
}

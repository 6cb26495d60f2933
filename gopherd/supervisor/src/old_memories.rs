//! Memories of Gopherbot in the robot's home: whether there are any, and handing them to the engine (spec: security §7.4).
//!
//! The engine gets a directory as descriptor. It becomes the engine's own only if the configuration says `LegacyBrain`: until
//! then its files are somebody else's and stay so.

use std::{
    fs::{self, DirBuilder},
    os::{
        fd::OwnedFd,
        unix::fs::{DirBuilderExt as _, MetadataExt as _, lchown},
    },
    path::Path,
};

use gopher_sys::process::Account;
use nix::{
    fcntl::{OFlag, open},
    sys::stat::Mode,
};

const CACHE: &str = "state/brain-cache";
/// Of version 2, which can only be moved over.
const PLAIN: &str = "state/brain";
/// Directories of the cache.
const PARTS: [&str; 3] = ["data", "meta", "outbox"];

/// Where the file brain of Gopherbot is, if there is something in it.
pub(crate) fn place(home: &Path) -> Option<String> {
    let filled = |place: &&str| fs::read_dir(home.join(place)).is_ok_and(|mut dir| dir.next().is_some());
    [CACHE, PLAIN].into_iter().find(filled).map(str::to_owned)
}

/// The directory of the cache, if it is one and no link.
pub(crate) fn directory(home: &Path) -> Option<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    open(&home.join(CACHE), flags, Mode::empty()).ok()
}

/// Makes the cache the engine's; an error is the end of a sentence.
pub(crate) fn give(home: &Path, account: Option<Account>) -> Result<(), String> {
    let root = home.join(CACHE);
    for part in PARTS {
        let path = root.join(part);
        if fs::symlink_metadata(&path).is_err() {
            let made = DirBuilder::new().mode(0o750).create(&path);
            made.map_err(|error| format!("{CACHE}/{part} cannot be made: {error}"))?;
        }
    }
    let Some(account) = account else { return Ok(()) };
    give_one(&root, account)?;
    give_files(&root, account)?;
    for part in PARTS {
        give_files(&root.join(part), account)?;
    }
    Ok(())
}

/// The directory's files, and those directories that a cache has. Links and what has another name elsewhere stay whose they are.
fn give_files(path: &Path, account: Account) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let known = entry.file_name().to_str().is_some_and(|name| PARTS.contains(&name));
        let ours = |found: fs::Metadata| (found.is_file() && found.nlink() == 1) || (found.is_dir() && known);
        if entry.metadata().is_ok_and(ours) {
            give_one(&entry.path(), account)?;
        }
    }
    Ok(())
}

fn give_one(path: &Path, account: Account) -> Result<(), String> {
    lchown(path, Some(account.uid), Some(account.gid))
        .map_err(|error| format!("{} cannot be given to the engine: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_found_where_gopherbot_has_them_and_a_link_is_none() {
        let home = tempfile::tempdir().expect("a directory");
        assert!(place(home.path()).is_none() && directory(home.path()).is_none());
        fs::create_dir_all(home.path().join(CACHE)).expect("made");
        assert!(place(home.path()).is_none() && directory(home.path()).is_some(), "an empty one");
        give(home.path(), None).expect("given");
        assert_eq!(place(home.path()).as_deref(), Some(CACHE));
        assert!(PARTS.iter().all(|part| home.path().join(CACHE).join(part).is_dir()));
        let other = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(other.path().join("state")).expect("made");
        std::os::unix::fs::symlink(home.path().join(CACHE), other.path().join(CACHE)).expect("linked");
        assert!(directory(other.path()).is_none());
    }
}

//! Which uids a robot's processes run under.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use gopher_sys::{
    paths,
    process::{Account, IdMap},
};
use nix::{
    fcntl::{Flock, FlockArg},
    unistd::{getegid, geteuid},
};

use crate::error::SupervisorError;

/// First uid of the range that systemd keeps for dynamic users.
const FIRST: u32 = 61184;
/// Last uid of that range.
const LAST: u32 = 65519;
/// Uids of one robot.
const BLOCK: u32 = 256;
/// Of these, for roles.
const ROLES: u32 = 16;
/// Runs under uids of their own.
pub(crate) const POOL: u32 = BLOCK - ROLES;

/// Uids of a robot run by root: a block that no other robot of this host has.
pub(crate) struct Block {
    first: u32,
    _lock: Flock<File>,
}

/// Who is who.
pub(crate) enum Accounts {
    /// Roles and runs under uids of their own.
    Separate(Block),
    /// Everything under the uid that started the robot.
    One { uid: u32, gid: u32 },
}

impl Accounts {
    /// A block of uids for root, the caller's own uid for everybody else.
    pub(crate) fn choose(home: &Path) -> Result<Self, SupervisorError> {
        if geteuid().is_root() {
            return Block::lock(Path::new("/run/gopherbot/uids"), home).map(Self::Separate);
        }
        Ok(Self::One { uid: geteuid().as_raw(), gid: getegid().as_raw() })
    }

    fn account(&self, offset: u32) -> Option<Account> {
        match self {
            Self::Separate(block) => Some(Account { uid: block.first + offset, gid: block.first + offset }),
            Self::One { .. } => None,
        }
    }

    pub(crate) fn secretd(&self) -> Option<Account> {
        self.account(0)
    }

    pub(crate) fn engine(&self) -> Option<Account> {
        self.account(1)
    }

    /// One uid for each connector, by its place in the order of starting.
    pub(crate) fn connector(&self, index: u32) -> Option<Account> {
        self.account(4 + index % (ROLES - 4))
    }

    /// What is uid 0 in the namespaces of spawners.
    pub(crate) fn spawner(&self) -> Option<Account> {
        self.account(2)
    }

    /// Privileged runs.
    pub(crate) fn job(&self) -> Option<Account> {
        self.account(3)
    }

    /// The ids of a spawner's namespace: 0 is the spawner; runs are called inside what they are called outside.
    pub(crate) fn map(&self, privileged: bool) -> IdMap {
        match self {
            Self::Separate(block) => {
                let (first, count) = if privileged { (block.first + 3, 1) } else { (block.first + ROLES, POOL) };
                let runs = (first, first, count);
                let rows = vec![(0, block.first + 2, 1), runs];
                IdMap { uids: rows.clone(), gids: rows, privileged: true }
            }
            Self::One { uid, gid } => IdMap { uids: vec![(0, *uid, 1)], gids: vec![(0, *gid, 1)], privileged: false },
        }
    }

    /// The uid of a run by its slot, counted from 1; privileged runs share one.
    pub(crate) fn run_uid(&self, privileged: bool, slot: u32) -> u32 {
        match self {
            Self::Separate(block) if privileged => block.first + 3,
            Self::Separate(block) => block.first + ROLES - 1 + slot,
            Self::One { uid, .. } => *uid,
        }
    }

    pub(crate) fn separate(&self) -> bool {
        matches!(self, Self::Separate(_))
    }
}

impl Block {
    /// Locks a free block, the same one for the same home where that can be had.
    fn lock(dir: &Path, home: &Path) -> Result<Self, SupervisorError> {
        fs::create_dir_all(dir).map_err(SupervisorError::file("create", dir))?;
        let blocks = (LAST + 1 - FIRST) / BLOCK;
        let preferred = u32::try_from(paths::fingerprint(home) % u64::from(blocks)).unwrap_or(0);
        for index in (0..blocks).map(|n| (preferred + n) % blocks) {
            let first = FIRST + index * BLOCK;
            let path = dir.join(first.to_string());
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(&path)
                .map_err(SupervisorError::file("open", &path))?;
            if let Ok(lock) = Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                return Ok(Self { first, _lock: lock });
            }
        }
        Err(SupervisorError::NoUids { first: FIRST, last: LAST })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_robots_never_share_a_uid() {
        let dir = tempfile::tempdir().expect("directory");
        let home = Path::new("/srv/robot");
        let one = Block::lock(dir.path(), home).expect("first");
        let two = Block::lock(dir.path(), home).expect("second");
        assert!(one.first.abs_diff(two.first) >= BLOCK);
        let first = one.first;
        drop(one);
        assert_eq!(Block::lock(dir.path(), home).expect("again").first, first, "a robot keeps its uids");
        let pool = two.first + ROLES;
        let accounts = Accounts::Separate(two);
        let rows = accounts.map(false).uids;
        assert!(rows.iter().all(|(_, outside, _)| *outside != 0), "host root is never mapped");
        assert_eq!(rows[1], (pool, pool, POOL));
        assert_eq!((accounts.run_uid(false, 1), accounts.run_uid(false, POOL)), (pool, pool + POOL - 1));
    }
}

//! Where a robot's sockets and status file are.
#![forbid(unsafe_code)]

use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// The admin socket in the run directory.
pub const ADMIN_SOCKET: &str = "engine.sock";
/// The cookie of a plain-mode robot in the run directory.
pub const COOKIE: &str = "cookie";
/// What the supervisor knows of its roles, as JSON, in the run directory.
pub const STATUS: &str = "status.json";

/// The run directory of the robot at `home` (canonical) run by `uid`: of root below `/run`, of a user below
/// `runtime_dir` (`XDG_RUNTIME_DIR`) if there is one, else below `/tmp`.
pub fn run_dir(home: &Path, uid: u32, runtime_dir: Option<&Path>) -> PathBuf {
    run_root(uid, runtime_dir).join(format!("{:016x}", fingerprint(home)))
}

/// The directory of all run directories of a user.
pub fn run_root(uid: u32, runtime_dir: Option<&Path>) -> PathBuf {
    match runtime_dir {
        _ if uid == 0 => PathBuf::from("/run/gopherbot"),
        Some(dir) if dir.is_absolute() => dir.join("gopherbot"),
        _ => PathBuf::from(format!("/tmp/gopherbot-{uid}")),
    }
}

/// FNV-1a of a path: short enough for a socket path, and the same at every start.
pub fn fingerprint(path: &Path) -> u64 {
    path.as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_home_has_a_directory_of_its_own() {
        let user = |home: &str| run_dir(Path::new(home), 1000, Some(Path::new("/run/user/1000")));
        assert_ne!(user("/a"), user("/b"));
        assert!(user("/a").starts_with("/run/user/1000/gopherbot"));
        assert!(run_dir(Path::new("/a"), 0, None).starts_with("/run/gopherbot"));
        assert!(run_dir(Path::new("/a"), 7, None).starts_with("/tmp/gopherbot-7"));
    }
}

//! `gopherctl test --serve`: the robot in place, for a driver of anybody's making.

use std::{
    convert::Infallible,
    fs,
    os::unix::{fs::FileTypeExt as _, net::UnixStream},
    path::Path,
};

use super::error::SuiteError;
use crate::launch::{Launch, Programs, environment, listen};

/// Becomes the robot, which then is this process: signals and the exit code are its own.
pub(super) fn serve(socket: &Path, home: &Path, programs: &Programs) -> Result<Infallible, SuiteError> {
    make_way(socket)?;
    let env = environment(&[("GOPHER_PROTOCOL", "test".to_owned())]);
    let launch = Launch::for_suite(programs, home, listen(socket)?, &[], env)?;
    launch.exec().map_err(SuiteError::system("execve"))
}

/// Removes a socket that nobody listens on any more.
fn make_way(socket: &Path) -> Result<(), SuiteError> {
    let Ok(found) = fs::symlink_metadata(socket) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(SuiteError::NotASocket { path: socket.to_path_buf() });
    }
    if UnixStream::connect(socket).is_ok() {
        return Err(SuiteError::SocketTaken { path: socket.to_path_buf() });
    }
    fs::remove_file(socket).map_err(|error| SuiteError::Files {
        path: socket.to_path_buf(),
        step: "the old socket cannot be removed",
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::LaunchError;
    use std::os::unix::{fs::PermissionsExt as _, net::UnixListener};

    #[test]
    fn a_socket_is_private_and_replaced_only_when_dead() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("s");
        make_way(&path).expect("nothing there");
        let live: UnixListener = listen(&path).expect("listens");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(matches!(make_way(&path), Err(SuiteError::SocketTaken { .. })));
        drop(live);
        make_way(&path).expect("a dead socket goes");
        fs::write(&path, "text").expect("written");
        assert!(matches!(make_way(&path), Err(SuiteError::NotASocket { .. })));
        let long = dir.path().join("x".repeat(120));
        assert!(matches!(listen(&long), Err(LaunchError::SocketPath { .. })));
    }
}

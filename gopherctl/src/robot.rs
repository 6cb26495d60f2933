//! Finding a robot's sockets from its directory.

use std::{
    fs, io,
    os::unix::{fs::MetadataExt as _, net::UnixStream},
    path::{Path, PathBuf},
    time::Duration,
};

use gopher_sys::paths;
use nix::unistd::geteuid;

use crate::{
    admin::{Admin, PATIENCE},
    environment::Environment,
    error::CtlError,
    report::Report,
};

/// How long an engine that is down is waited for.
const RETURN: Duration = Duration::from_secs(3);

/// A robot by its directory, running or not.
#[derive(Debug)]
pub(crate) struct Robot {
    home: PathBuf,
    run_dir: PathBuf,
    /// A run directory below `/tmp`, where anybody could have made it, must belong to this user.
    must_own: Option<u32>,
}

impl Robot {
    pub(crate) fn find(
        directory: Option<PathBuf>,
        run_dir: Option<PathBuf>,
        environment: &Environment,
    ) -> Result<Self, CtlError> {
        let named = directory.unwrap_or_else(|| PathBuf::from("."));
        let failed = |error| CtlError::Directory { path: named.clone(), error };
        let home = named.canonicalize().map_err(failed)?;
        let owner = fs::metadata(&home).map_err(failed)?.uid();
        if let Some(run_dir) = run_dir {
            return Ok(Self { home, run_dir, must_own: None });
        }
        let me = geteuid().as_raw();
        let ours = Self::at(&home, me, environment.runtime_dir.as_deref());
        if me == 0 && owner != 0 && !ours.run_dir.exists() {
            // Root looks where the owner's robot would be.
            let runtime_dir = PathBuf::from(format!("/run/user/{owner}"));
            let theirs = Self::at(&home, owner, Some(&runtime_dir).filter(|dir| dir.exists()).map(PathBuf::as_path));
            if theirs.run_dir.exists() {
                return Ok(theirs);
            }
        }
        Ok(ours)
    }

    fn at(home: &Path, uid: u32, runtime_dir: Option<&Path>) -> Self {
        let run_dir = paths::run_dir(home, uid, runtime_dir);
        let must_own = run_dir.starts_with("/tmp").then_some(uid);
        Self { home: home.to_owned(), run_dir, must_own }
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Opens the admin socket and is admitted.
    pub(crate) fn connect(&self) -> Result<Admin, CtlError> {
        let path = self.run_dir.join(paths::ADMIN_SOCKET);
        self.check_owner()?;
        let socket = match UnixStream::connect(&path) {
            Ok(socket) => socket,
            Err(error) => {
                return Err(match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => self.not_there(),
                    io::ErrorKind::PermissionDenied => CtlError::Denied { path, error },
                    _ => CtlError::Socket { path, error },
                });
            }
        };
        let cookie = match fs::read_to_string(self.run_dir.join(paths::COOKIE)) {
            Ok(cookie) => cookie.trim().to_owned(),
            Err(_) => String::new(),
        };
        // The supervisor keeps the socket open for an engine that is coming back: it is worth a moment.
        let down = self.report().is_some_and(|report| report.engine_is_down());
        let patience = if down { RETURN } else { PATIENCE };
        match Admin::admit(socket.into(), &path, cookie, patience) {
            Err(CtlError::Silent { .. }) if down => Err(self.not_there()),
            admitted => admitted,
        }
    }

    fn check_owner(&self) -> Result<(), CtlError> {
        let Some(uid) = self.must_own else { return Ok(()) };
        for path in [self.run_dir.parent().unwrap_or(&self.run_dir), &self.run_dir] {
            match fs::symlink_metadata(path) {
                Ok(found) if found.uid() != uid || !found.is_dir() => {
                    return Err(CtlError::Foreign { path: path.to_owned(), owner: found.uid() });
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn not_there(&self) -> CtlError {
        match self.report() {
            Some(report) if report.supervisor_lives() => {
                CtlError::EngineDown { home: self.home.clone(), detail: report.engine() }
            }
            _ => CtlError::NotRunning { home: self.home.clone() },
        }
    }

    /// What the supervisor last wrote about its processes.
    pub(crate) fn report(&self) -> Option<Report> {
        Report::parse(&fs::read(self.run_dir.join(paths::STATUS)).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn robot(run_dir: &Path) -> Robot {
        Robot { home: "/home/robot".into(), run_dir: run_dir.to_owned(), must_own: None }
    }

    #[test]
    fn a_directory_without_a_robot_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let found = Robot::find(Some(dir.path().to_owned()), None, &Environment::default()).unwrap();
        let error = found.connect().err().unwrap();
        assert!(
            matches!(&error, CtlError::NotRunning { home } if *home == dir.path().canonicalize().unwrap()),
            "{error}"
        );
        assert!(Robot::find(Some("/nonexistent".into()), None, &Environment::default()).is_err());
    }

    #[test]
    fn an_engine_that_is_down_is_told_from_a_robot_that_is_down() {
        let dir = tempfile::tempdir().unwrap();
        let report = |pid: u32| {
            format!(r#"{{"pid":{pid},"roles":[{{"name":"engine","pid":null,"restarts":3,"last_exit":"signal 9"}}]}}"#)
        };
        // A socket file that nobody listens on.
        drop(UnixListener::bind(dir.path().join(paths::ADMIN_SOCKET)).unwrap());
        fs::write(dir.path().join(paths::STATUS), report(std::process::id())).unwrap();
        let error = robot(dir.path()).connect().err().unwrap().to_string();
        assert!(error.contains("its engine is not (restarted 3 times, last exit: signal 9)"), "{error}");
        fs::write(dir.path().join(paths::STATUS), report(u32::MAX >> 1)).unwrap();
        assert!(matches!(robot(dir.path()).connect(), Err(CtlError::NotRunning { .. })));
    }

    #[test]
    fn a_socket_kept_for_an_engine_that_is_down_does_not_hold_anybody_up() {
        let dir = tempfile::tempdir().unwrap();
        let _kept = UnixListener::bind(dir.path().join(paths::ADMIN_SOCKET)).unwrap();
        let report = format!(r#"{{"pid":{},"roles":[{{"name":"engine","pid":null}}]}}"#, std::process::id());
        fs::write(dir.path().join(paths::STATUS), report).unwrap();
        assert!(matches!(robot(dir.path()).connect(), Err(CtlError::EngineDown { .. })));
    }

    #[test]
    fn a_run_directory_that_somebody_else_made_is_not_trusted() {
        let dir = tempfile::tempdir().unwrap();
        let foreign = Robot { must_own: Some(geteuid().as_raw() + 1), ..robot(dir.path()) };
        assert!(matches!(foreign.connect(), Err(CtlError::Foreign { .. })));
    }
}

//! A suite's stage: a private copy of the robot, the robot on it, and the connection to it.

use std::{
    fs, io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    driver::{Driver, DriverError},
    error::SuiteError,
    fixture::Fixture,
    format::{BeforeStart, Suite},
};
use crate::launch::{Launch, Programs, Robot, listen, suite_environment, tail};

/// What of a robot's directory a suite needs: never its keys or its private environment.
const COPIED: [&str; 6] = ["conf", "plugins", "brain", "jobs", "tasks", "lib"];
/// The robot's directory on a stage.
const HOME: &str = "robot";
/// Directories deeper than this are links in a circle.
const DEEPEST: usize = 32;
const READY_WITHIN: Duration = Duration::from_secs(30);

/// What is played on a stage.
pub(super) struct Scene<'a> {
    /// Directory of the robot that is copied.
    pub(super) config: PathBuf,
    pub(super) before_start: &'a [BeforeStart],
    pub(super) without_hidden_commands: &'a [String],
    /// More for its environment.
    pub(super) env: Vec<(&'static str, String)>,
}

impl<'a> Scene<'a> {
    pub(super) fn of(suite: &'a Suite, root: &Path) -> Self {
        Self {
            config: root.join(&suite.config_dir),
            before_start: &suite.before_start,
            without_hidden_commands: &suite.without_hidden_commands,
            env: Vec::new(),
        }
    }
}

pub(super) struct Stage {
    pub(super) dir: PathBuf,
    robot: Option<Robot>,
    pub(super) driver: Driver,
    _fixture: Option<Fixture>,
    keep: bool,
}

impl Stage {
    /// Starts the robot of a scene and waits until it takes commands.
    pub(super) fn set(
        scene: &Scene<'_>,
        programs: &Programs,
        interrupt: OwnedFd,
        keep: bool,
    ) -> Result<Self, SuiteError> {
        if !scene.config.join("conf/robot.yaml").is_file() {
            return Err(SuiteError::NoRobot { path: scene.config.clone() });
        }
        let template = std::env::temp_dir().join("gopher-test-XXXXXX");
        let dir = nix::unistd::mkdtemp(&template).map_err(SuiteError::system("mkdtemp"))?;
        let set = Self::start(scene, &dir, programs, interrupt);
        match set {
            Ok((started, driver, fixture)) => Ok(Self { dir, robot: Some(started), driver, _fixture: fixture, keep }),
            Err(error) => {
                discard(&dir, keep);
                Err(error)
            }
        }
    }

    /// The robot's directory.
    pub(super) fn home(&self) -> PathBuf {
        self.dir.join(HOME)
    }

    fn start(
        scene: &Scene<'_>,
        dir: &Path,
        programs: &Programs,
        interrupt: OwnedFd,
    ) -> Result<(Robot, Driver, Option<Fixture>), SuiteError> {
        let home = dir.join(HOME);
        fs::create_dir_all(home.join("workspace")).map_err(|error| files(&home, "cannot be made", error))?;
        copy_robot(&scene.config, &home)?;
        let fixture = scene.before_start.contains(&BeforeStart::TestHttpServer).then(Fixture::bind).transpose();
        let fixture = fixture.map_err(|error| files(dir, "the HTTP server cannot listen", error))?;
        let mut env = scene.env.clone();
        if let Some(fixture) = &fixture {
            env.push(("GBOT_TEST_HTTP_BASEURL", fixture.base_url()));
        }
        if scene.before_start.contains(&BeforeStart::DevelopmentEnvironment) {
            env.push(("GOPHER_ENVIRONMENT", "development".to_owned()));
        }
        let socket = dir.join("driver");
        let launch = Launch::for_suite(
            programs,
            &home,
            listen(&socket)?,
            scene.without_hidden_commands,
            suite_environment(&env)?,
        )?;
        let log = dir.join("robot.log");
        let robot = launch.start(&log)?;
        let fixture = fixture.map(Fixture::serve);
        let driver = UnixStream::connect(&socket).map(|stream| Driver::new(stream, Some(interrupt)));
        let ready = match driver {
            Ok(mut driver) => driver.wait_ready(Instant::now() + READY_WITHIN).map(|()| driver).map_err(Some),
            // Nobody listens any more.
            Err(_) => Err(None),
        };
        match ready {
            Ok(driver) => Ok((robot, driver, fixture)),
            Err(cause) => {
                let error = not_ready(&robot, cause.as_ref(), &log);
                robot.stop();
                Err(error)
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(robot) = self.robot.take() {
            robot.stop();
        }
        discard(&self.dir, self.keep);
    }
}

fn not_ready(robot: &Robot, cause: Option<&DriverError>, log: &Path) -> SuiteError {
    match cause {
        Some(DriverError::Interrupted) => SuiteError::Interrupted,
        Some(DriverError::TimedOut) => SuiteError::NotReady { seconds: READY_WITHIN.as_secs(), log: tail(log) },
        _ => {
            let status = robot.ended(Duration::from_secs(2)).unwrap_or_else(|| " its connection".to_owned());
            SuiteError::Died { status, log: tail(log) }
        }
    }
}

/// Removes the run directory, unless it is wanted.
fn discard(dir: &Path, keep: bool) {
    if !keep {
        // A leftover in the temporary directory is no reason to fail a suite.
        let _ = fs::remove_dir_all(dir);
    }
}

pub(super) fn files(path: &Path, step: &'static str, error: io::Error) -> SuiteError {
    SuiteError::Files { path: path.to_path_buf(), step, error }
}

/// Copies what of a robot's directory a robot under test is made of.
pub(super) fn copy_robot(from: &Path, to: &Path) -> Result<(), SuiteError> {
    for name in COPIED {
        let part = from.join(name);
        if part.is_dir() {
            copy(&part, &to.join(name), 0)?;
        }
    }
    Ok(())
}

/// Copies a directory, with what its links lead to.
fn copy(from: &Path, to: &Path, depth: usize) -> Result<(), SuiteError> {
    if depth > DEEPEST {
        return Err(files(from, "cannot be copied", io::Error::other("its directories go in a circle")));
    }
    fs::create_dir_all(to).map_err(|error| files(to, "cannot be made", error))?;
    for entry in fs::read_dir(from).map_err(|error| files(from, "cannot be read", error))? {
        let entry = entry.map_err(|error| files(from, "cannot be read", error))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => copy(&path, &target, depth + 1)?,
            Ok(found) if found.is_file() => {
                fs::copy(&path, &target).map_err(|error| files(&path, "cannot be copied", error))?;
            }
            // A link to nowhere, a socket: nothing a robot is made of.
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_follows_links_keeps_modes_and_ends_in_a_circle() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let dir = tempfile::tempdir().expect("a directory");
        let from = dir.path().join("from");
        fs::create_dir_all(from.join("sub")).expect("made");
        fs::write(from.join("sub/x.sh"), "x").expect("written");
        fs::set_permissions(from.join("sub/x.sh"), fs::Permissions::from_mode(0o755)).expect("set");
        symlink("sub/x.sh", from.join("link")).expect("linked");
        symlink("gone", from.join("dangling")).expect("linked");
        let to = dir.path().join("to");
        copy(&from, &to, 0).expect("copied");
        let mode = fs::symlink_metadata(to.join("link")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert!(!to.join("dangling").exists());
        symlink("..", from.join("sub/circle")).expect("linked");
        let error = copy(&from, &dir.path().join("again"), 0).expect_err("a circle").to_string();
        assert!(error.contains("circle"), "{error}");
    }
}

//! A robot that only loads its configuration, for as long as it is asked about it.

use std::{
    fs, io,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use gopher_protocol::admin::{AdminAnswer, AdminRequest, LoadReport};
use gopher_sys::paths;
use nix::unistd::mkdtemp;

use crate::{
    admin::Admin,
    error::CtlError,
    launch::{Launch, LaunchError, Programs, Robot, tail},
};

/// How long processes may take to be there.
const START: Duration = Duration::from_secs(20);
/// How long a whole load may take: extensions are asked for their defaults.
const LOAD: Duration = Duration::from_mins(2);

/// The robot and the connection to it.
pub(crate) struct Inspection {
    robot: Option<Robot>,
    admin: Admin,
    report: LoadReport,
    home: PathBuf,
    /// Goes when the robot is gone.
    _directory: Directory,
}

/// A temporary directory that is gone with this.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Result<Self, LaunchError> {
        let template = std::env::temp_dir().join("gopherctl-XXXXXX");
        mkdtemp(&template).map(Self).map_err(LaunchError::system("mkdtemp"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A temporary directory that stays harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Inspection {
    /// Loads the configuration of `home`, valid or not.
    pub(crate) fn open(programs: &Programs, home: &Path) -> Result<Self, CtlError> {
        let home = directory(home).map_err(|error| CtlError::Directory { path: home.to_owned(), error })?;
        // State and sockets of the robot.
        let directory = Directory::new()?;
        let log = directory.0.join("log");
        let robot = Launch::for_inspection(programs, &home, &directory.0)?.start(&log)?;
        match ask(&robot, &directory.0) {
            Ok((admin, report)) => Ok(Self { robot: Some(robot), admin, report, home, _directory: directory }),
            Err(error) => {
                let over = robot.ended(Duration::from_secs(1)).is_some();
                robot.stop();
                let words = tail(&log);
                // One program speaks.
                let words = words.strip_prefix("gopherd: ").unwrap_or(&words);
                Err(if over && !words.is_empty() { CtlError::NotLoaded(words.to_owned()) } else { error })
            }
        }
    }

    pub(crate) fn ask(&mut self, request: &AdminRequest) -> Result<AdminAnswer, CtlError> {
        self.admin.ask(request)
    }

    /// What came of the load; a directory without a robot loads, and is hardly what was meant.
    pub(crate) fn report(&self) -> LoadReport {
        let mut report = self.report.clone();
        if !["conf/robot.yaml", "custom/conf/robot.yaml"].iter().any(|file| self.home.join(file).is_file()) {
            let home = self.home.display();
            let notice = format!("there is no conf/robot.yaml in {home}, so this is the default robot in demo mode");
            report.notices.push(notice);
        }
        report
    }

    /// What keeps it from loading.
    pub(crate) fn errors(&self) -> &[String] {
        &self.report.errors
    }
}

impl Drop for Inspection {
    fn drop(&mut self) {
        if let Some(robot) = self.robot.take() {
            robot.stop();
        }
    }
}

/// A robot's directory without dots and links; a robot in `custom/` may be named by that, too.
fn directory(path: &Path) -> io::Result<PathBuf> {
    let path = path.canonicalize()?;
    if !path.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let is_custom = path.ends_with("custom") && path.join("conf/robot.yaml").is_file();
    Ok(if is_custom { path.parent().map(Path::to_owned).unwrap_or(path) } else { path })
}

fn ask(robot: &Robot, directory: &Path) -> Result<(Admin, LoadReport), CtlError> {
    let run = directory.join("run");
    let path = run.join(paths::ADMIN_SOCKET);
    let deadline = Instant::now() + START;
    let socket = loop {
        match UnixStream::connect(&path) {
            Ok(socket) => break socket,
            Err(error) if Instant::now() > deadline => return Err(CtlError::Socket { path, error }),
            // It is on its way, or it has ended, which is noticed at once.
            Err(_) if robot.ended(Duration::from_millis(2)).is_none() => {}
            Err(_) => return Err(CtlError::Gone),
        }
    };
    let cookie = fs::read_to_string(run.join(paths::COOKIE)).unwrap_or_default();
    let mut admin = Admin::admit(socket.into(), &path, cookie.trim().to_owned(), START)?;
    match admin.ask_within(&AdminRequest::Report, LOAD)? {
        AdminAnswer::Loaded { report } => Ok((admin, report)),
        other => Err(Admin::unexpected(&other, "Loaded")),
    }
}

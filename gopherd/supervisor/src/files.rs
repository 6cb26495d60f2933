//! The directories of one robot on this host, and the files that roles get by descriptor.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{ErrorKind, Read as _, Write as _},
    os::{
        fd::OwnedFd,
        unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, chown},
        unix::net::UnixListener,
    },
    path::{Path, PathBuf},
};

use gopher_sys::{descriptors, paths, process::Account};
use nix::{
    fcntl::{Flock, FlockArg},
    unistd::geteuid,
};

use crate::error::SupervisorError;

/// Name of a robot's key file; other environments append `.name`.
const KEY_FILE: &str = "binary-encrypted-key";
/// A key file being written.
const NEW_KEY_FILE: &str = ".binary-encrypted-key.new";

/// Where everything of this robot is.
pub(crate) struct Files {
    pub(crate) home: PathBuf,
    pub(crate) config_dir: PathBuf,
    pub(crate) install_dir: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) run: PathBuf,
    pub(crate) scratch: PathBuf,
    /// `conf/robot.yaml` stands in the home itself.
    pub(crate) robot_in_home: bool,
    pub(crate) robot_in_custom: bool,
    /// Nothing in the home may change: it belongs to a robot that may be running.
    only_looks: bool,
    _lock: Flock<File>,
}

impl Files {
    /// Finds and makes the directories, and makes sure that no other supervisor has them. What only looks at the robot
    /// has its own in `inspect`.
    pub(crate) fn open(
        home: &Path,
        install_dir: Option<&Path>,
        runtime_dir: Option<&Path>,
        inspect: Option<&Path>,
    ) -> Result<Self, SupervisorError> {
        let home = fs::canonicalize(home).map_err(SupervisorError::file("open the robot's home", home))?;
        if !home.is_dir() {
            return Err(SupervisorError::Usage(format!("{} is not a directory", home.display())));
        }
        let robot_in_home = holds_robot(&home)? && !home.ends_with("custom");
        let custom = home.join("custom");
        let robot_in_custom = holds_robot(&custom)?;
        let config_dir = if robot_in_home { home.clone() } else { custom };
        let install_dir = match install_dir {
            Some(dir) => fs::canonicalize(dir).map_err(SupervisorError::file("open the install directory", dir))?,
            None => installed()?,
        };
        let state = inspect.unwrap_or(&home).join("state");
        private_directory(&state, 0o711)?;
        let lock = lock(&state, &home)?;
        let scratch = state.join("scratch");
        // Whatever a robot that was killed has left.
        match fs::remove_dir_all(&scratch) {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                return Err(SupervisorError::file("remove", &scratch)(e));
            }
            _ => private_directory(&scratch, 0o711)?,
        }
        let uid = geteuid().as_raw();
        let run = if let Some(dir) = inspect {
            dir.join("run")
        } else {
            let root = paths::run_root(uid, runtime_dir);
            private_directory(&root, if uid == 0 { 0o755 } else { 0o700 })?;
            paths::run_dir(&home, uid, runtime_dir)
        };
        private_directory(&run, if uid == 0 { 0o755 } else { 0o700 })?;
        let only_looks = inspect.is_some();
        Ok(Self {
            home,
            config_dir,
            install_dir,
            state,
            run,
            scratch,
            robot_in_home,
            robot_in_custom,
            only_looks,
            _lock: lock,
        })
    }

    /// A directory of the state for one role, which alone may use it.
    pub(crate) fn role_directory(&self, name: &str, account: Option<Account>) -> Result<PathBuf, SupervisorError> {
        let path = self.state.join(name);
        private_directory(&path, 0o700)?;
        give(&path, account)?;
        // Its files may be of a start with other uids.
        for entry in fs::read_dir(&path).map_err(SupervisorError::file("read", &path))?.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                give(&entry.path(), account)?;
            }
        }
        Ok(path)
    }

    /// The private environment file, `.env` before `private/environment`, with its name.
    pub(crate) fn private_environment(&self) -> Result<Option<(String, OwnedFd)>, SupervisorError> {
        for (name, mode) in [(".env", 0o400), ("private/environment", 0o600)] {
            let path = self.home.join(name);
            if let Some(file) = open_file(&path)? {
                if !self.only_looks {
                    keep_private(&path, &file, mode)?;
                }
                return Ok(Some((name.to_owned(), file.into())));
            }
        }
        Ok(None)
    }

    /// All key files, with their names.
    pub(crate) fn key_files(&self) -> Result<Vec<(String, OwnedFd)>, SupervisorError> {
        let Ok(listing) = fs::read_dir(&self.config_dir) else { return Ok(Vec::new()) };
        let mut files = Vec::new();
        for entry in listing.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == KEY_FILE || name.strip_prefix(KEY_FILE).is_some_and(|rest| rest.starts_with('.')) {
                files.extend(open_file(&entry.path())?.map(|file| (name, file.into())));
            }
        }
        Ok(files)
    }

    /// An empty file that may become the key file; `None` where the robot's directory does not exist.
    pub(crate) fn new_key_file(&self) -> Option<OwnedFd> {
        if self.only_looks || !self.config_dir.is_dir() {
            return None;
        }
        let path = self.config_dir.join(NEW_KEY_FILE);
        let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path);
        // A robot directory that cannot be written is no trouble while no key has to be made.
        file.ok().map(OwnedFd::from)
    }

    /// Gives the written key file its name.
    pub(crate) fn keep_new_key_file(&self) -> Result<(), SupervisorError> {
        let path = self.config_dir.join(KEY_FILE);
        fs::rename(self.config_dir.join(NEW_KEY_FILE), &path).map_err(SupervisorError::file("create", &path))
    }

    /// Removes what was not needed.
    pub(crate) fn drop_new_key_file(&self) {
        if !self.only_looks {
            // It may never have been there.
            let _ = fs::remove_file(self.config_dir.join(NEW_KEY_FILE));
        }
    }

    /// An append-only file of the state for one role.
    pub(crate) fn append_only(dir: &Path, name: &str, account: Option<Account>) -> Result<OwnedFd, SupervisorError> {
        let path = dir.join(name);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(SupervisorError::file("open", &path))?;
        give(&path, account)?;
        Ok(file.into())
    }

    /// The listening admin socket; everybody may connect, the engine decides who may speak.
    pub(crate) fn admin_socket(&self) -> Result<UnixListener, SupervisorError> {
        let path = self.run.join(paths::ADMIN_SOCKET);
        // A robot that was killed leaves its socket; the lock says that it is dead.
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path).map_err(SupervisorError::file("bind", &path))?;
        let mode = if geteuid().is_root() { 0o666 } else { 0o600 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(SupervisorError::file("chmod", &path))?;
        Ok(listener)
    }

    /// A fresh cookie, readable by the robot's owner only.
    pub(crate) fn cookie(&self) -> Result<String, SupervisorError> {
        let bytes: [u8; 24] = descriptors::random().map_err(SupervisorError::system("getrandom"))?;
        let cookie = bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().concat();
        let path = self.run.join(paths::COOKIE);
        let _ = fs::remove_file(&path);
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path);
        file.and_then(|mut f| f.write_all(cookie.as_bytes())).map_err(SupervisorError::file("write", &path))?;
        Ok(cookie)
    }

    /// Removes the run directory of a robot that ends.
    pub(crate) fn leave(&self) {
        // Nothing depends on it any more.
        let _ = fs::remove_dir_all(&self.run);
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

/// Whether this directory has a `conf/robot.yaml`. Something else in its place is a mistake, not a missing robot.
fn holds_robot(dir: &Path) -> Result<bool, SupervisorError> {
    let path = dir.join("conf/robot.yaml");
    match fs::metadata(&path) {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(SupervisorError::Refused(format!("{} is not a regular file: replace it by one", path.display()))),
        Err(_) if fs::symlink_metadata(&path).is_ok() => {
            Err(SupervisorError::Refused(format!("{} is a link that leads to no file: correct it", path.display())))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(SupervisorError::file("look for", &path)(error)),
    }
}

/// `conf`, `lib` and `plugins` beside this program: installed, or in the source tree.
fn installed() -> Result<PathBuf, SupervisorError> {
    let exe =
        fs::canonicalize("/proc/self/exe").map_err(SupervisorError::file("resolve", Path::new("/proc/self/exe")))?;
    let dir = exe.parent().unwrap_or(Path::new("/"));
    ["../share/gopherbot", "../../packaging/share", "../../../packaging/share"]
        .iter()
        .find_map(|relative| fs::canonicalize(dir.join(relative)).ok().filter(|d| d.join("conf/robot.yaml").is_file()))
        .ok_or_else(|| {
            SupervisorError::Usage(format!(
                "no installed conf/robot.yaml beside {}: say where with --install-dir",
                exe.display()
            ))
        })
}

fn private_directory(path: &Path, mode: u32) -> Result<(), SupervisorError> {
    if !path.is_dir() {
        DirBuilder::new().recursive(true).mode(mode).create(path).map_err(SupervisorError::file("create", path))?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(SupervisorError::file("chmod", path))
}

/// Makes a path belong to a role.
pub(crate) fn give(path: &Path, account: Option<Account>) -> Result<(), SupervisorError> {
    match account {
        Some(account) => {
            chown(path, Some(account.uid), Some(account.gid)).map_err(SupervisorError::file("chown", path))
        }
        None => Ok(()),
    }
}

/// Opens a file if it is there; a link or something special is not opened.
fn open_file(path: &Path) -> Result<Option<File>, SupervisorError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            let message = format!("{} is not a regular file: replace it by one", path.display());
            return Err(SupervisorError::Refused(message));
        }
        Err(_) => return Ok(None),
    }
    File::open(path).map(Some).map_err(SupervisorError::file("open", path))
}

/// Takes from others what they may do with a file of secrets (spec: configuration §1.3).
fn keep_private(path: &Path, file: &File, mode: u32) -> Result<(), SupervisorError> {
    let metadata = file.metadata().map_err(SupervisorError::file("read the mode of", path))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        eprintln!("gopherd: {} could be read by others; its mode is now {mode:04o}", path.display());
        file.set_permissions(fs::Permissions::from_mode(mode)).map_err(SupervisorError::file("chmod", path))?;
    }
    Ok(())
}

fn lock(state: &Path, home: &Path) -> Result<Flock<File>, SupervisorError> {
    let path = state.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path);
    let file = file.map_err(SupervisorError::file("open", &path))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            let write = lock.set_len(0).and_then(|()| lock.write_all(std::process::id().to_string().as_bytes()));
            write.map_err(SupervisorError::file("write", &path))?;
            Ok(lock)
        }
        Err((mut file, _)) => {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            Err(SupervisorError::Running { home: home.display().to_string(), pid })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn robot() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("directory");
        let install = dir.path().join("install");
        fs::create_dir_all(install.join("conf")).expect("install tree");
        (dir, install)
    }

    #[test]
    fn a_second_instance_is_refused_by_name() {
        let (dir, install) = robot();
        let home = dir.path().join("home");
        fs::create_dir_all(home.join("conf")).expect("home");
        fs::write(home.join("conf/robot.yaml"), "").expect("robot");
        let first = Files::open(&home, Some(&install), Some(dir.path()), None).expect("first");
        assert!(first.robot_in_home && first.config_dir == first.home);
        let second = Files::open(&home, Some(&install), Some(dir.path()), None).err().expect("refused").to_string();
        assert!(second.contains(&std::process::id().to_string()) && second.contains("home"), "{second}");
    }

    #[test]
    fn something_else_than_a_file_in_the_place_of_robot_yaml_is_no_missing_robot() {
        let dir = tempfile::tempdir().expect("directory");
        assert!(!holds_robot(dir.path()).expect("nothing"));
        fs::create_dir_all(dir.path().join("conf/robot.yaml")).expect("a directory");
        let refused = holds_robot(dir.path()).expect_err("refused").to_string();
        assert!(refused.contains("conf/robot.yaml is not a regular file"), "{refused}");
        fs::remove_dir(dir.path().join("conf/robot.yaml")).expect("removed");
        std::os::unix::fs::symlink("/nowhere", dir.path().join("conf/robot.yaml")).expect("link");
        let refused = holds_robot(dir.path()).expect_err("refused").to_string();
        assert!(refused.contains("leads to no file"), "{refused}");
    }

    #[test]
    fn key_files_and_private_environment_are_found_by_name_and_links_are_refused() {
        let (dir, install) = robot();
        let home = dir.path().join("r");
        fs::create_dir_all(home.join("custom/conf")).expect("home");
        fs::create_dir_all(home.join("private")).expect("private");
        for name in [
            "custom/binary-encrypted-key",
            "custom/binary-encrypted-key.dev",
            "custom/binary-other",
            "private/environment",
        ] {
            fs::write(home.join(name), "x").expect("file");
        }
        let files = Files::open(&home, Some(&install), Some(dir.path()), None).expect("opened");
        let mut names: Vec<_> = files.key_files().expect("keys").into_iter().map(|(n, _)| n).collect();
        names.sort();
        assert_eq!(names, ["binary-encrypted-key", "binary-encrypted-key.dev"]);
        assert_eq!(files.private_environment().expect("file").map(|(n, _)| n), Some("private/environment".into()));
        std::os::unix::fs::symlink("/etc/passwd", home.join(".env")).expect("link");
        assert!(files.private_environment().is_err());
    }
}

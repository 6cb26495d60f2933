//! Finding and starting the programs under test.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{Mutex, PoisonError},
};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// Starts nothing yet; the one place where tests make a command.
#[expect(clippy::disallowed_methods, reason = "a test starts the program it tests as its user would")]
pub fn command(program: impl AsRef<Path>) -> Command {
    Command::new(program.as_ref())
}

/// A variable of the test run's own environment.
#[expect(clippy::disallowed_methods, reason = "tests are steered by the environment of `cargo test`")]
pub fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// The installed interpreter of that name; the system's own before what a version manager puts on the path.
pub fn interpreter(name: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    let first = ["/usr/bin", "/bin"].into_iter().map(PathBuf::from);
    first.chain(std::env::split_paths(&path)).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// The robot's programs: `GOPHER_TEST_BIN`, else where cargo put them beside the running test.
pub fn robot_binary(name: &str) -> Option<PathBuf> {
    let dir = variable("GOPHER_TEST_BIN").or_else(|| {
        let test = std::env::current_exe().ok()?;
        Some(test.parent()?.parent()?.to_path_buf())
    })?;
    Some(dir.join(name)).filter(|file| file.is_file())
}

/// The root of the workspace, or of a copy of what tests need of it (`GOPHER_TEST_WORKSPACE`).
pub fn workspace() -> PathBuf {
    if let Some(copy) = variable("GOPHER_TEST_WORKSPACE") {
        return copy;
    }
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace").to_path_buf()
}

static SPAWNING: Mutex<()> = Mutex::new(());

/// Starts `command` with these descriptors inherited.
pub fn spawn_with(command: &mut Command, inherited: &[OwnedFd]) -> Child {
    // Between the first call and the last any child of this process would inherit them, so tests spawn one at a time.
    let _alone = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
    let close_on_exec = |flags| {
        for fd in inherited {
            fcntl(fd.as_fd(), FcntlArg::F_SETFD(flags)).expect("set close-on-exec");
        }
    };
    close_on_exec(FdFlag::empty());
    let child = command.spawn().expect("start the program");
    close_on_exec(FdFlag::FD_CLOEXEC);
    child
}

//! A robot as a program of ours, for suites and for looking at configurations: how it is called, what it inherits,
//! and that it never outlives us.

use std::{
    convert::Infallible,
    ffi::{CString, OsString},
    fs::{self, File},
    io,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::{
            ffi::{OsStrExt as _, OsStringExt as _},
            net::UnixListener,
        },
    },
    path::{Path, PathBuf},
    time::Duration,
};

use gopher_sys::{
    descriptors::{keep_on_exec, random},
    process::{self, Child, Namespaces},
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        prctl,
        signal::{SigSet, Signal},
    },
    unistd::{dup2_stderr, dup2_stdin, dup2_stdout, execve},
};

/// What keeps a robot from being started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error("{}: the robot's program is not there (say where with --bin-dir)", path.display())]
    NoProgram { path: PathBuf },
    #[error("{}: {step}: {error}", path.display())]
    Files { path: PathBuf, step: &'static str, error: io::Error },
    #[error("{step}: {errno}")]
    System { step: &'static str, errno: Errno },
    #[error("{}: the path of the socket is too long; {LONGEST_SOCKET} bytes are possible", path.display())]
    SocketPath { path: PathBuf },
}

/// Bytes a socket's path may have in the kernel's structure, without the final zero.
const LONGEST_SOCKET: usize = 107;

impl LaunchError {
    /// The exit code, as of sysexits.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoProgram { .. } | Self::SocketPath { .. } => 64,
            Self::Files { .. } | Self::System { .. } => 71,
        }
    }

    pub(crate) fn system(step: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::System { step, errno }
    }
}

/// How much of the robot's log an error shows.
const LAST_WORDS: usize = 2000;
/// Never taken from the caller: a suite must not reach a real robot's repository.
const WITHHELD: [&str; 2] = ["GOPHER_CUSTOM_REPOSITORY", "GOPHER_DEPLOY_KEY"];

/// What every start of a robot under test has in common.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) gopherd: PathBuf,
    pub(crate) root: Option<PathBuf>,
    pub(crate) install_dir: Option<PathBuf>,
}

impl Programs {
    /// `gopherd` beside this program, unless another directory is named.
    pub(crate) fn find(
        bin_dir: Option<&Path>,
        root: Option<&Path>,
        install_dir: Option<&Path>,
    ) -> Result<Self, LaunchError> {
        let dir = match bin_dir {
            Some(dir) => dir.to_path_buf(),
            None => std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_path_buf())).unwrap_or_default(),
        };
        let gopherd = absolute(&dir.join("gopherd"));
        if !gopherd.is_file() {
            return Err(LaunchError::NoProgram { path: gopherd });
        }
        Ok(Self { gopherd, root: root.map(absolute), install_dir: install_dir.map(absolute) })
    }

    /// The worker beside it, which reads scripts in the languages that are built in.
    pub(crate) fn worker(&self) -> PathBuf {
        self.gopherd.with_file_name("gopher-worker")
    }
}

pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// The environment this program was called with.
#[expect(clippy::disallowed_methods, reason = "the robot under test gets its caller's environment, by definition")]
fn inherited() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// The environment of a robot under test: the caller's, with the values the suite needs instead of his.
pub(crate) fn environment(set: &[(&str, String)]) -> Vec<(OsString, OsString)> {
    let mut env = inherited();
    env.retain(|(name, _)| !WITHHELD.iter().any(|withheld| name == withheld));
    for (name, value) in set {
        env.retain(|(known, _)| known != name);
        env.push((OsString::from(name), OsString::from(value)));
    }
    env
}

/// As [`environment`] for a suite, whose robot has a key of its own that nobody needs afterwards.
pub(crate) fn suite_environment(set: &[(&str, String)]) -> Result<Vec<(OsString, OsString)>, LaunchError> {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bytes = random::<32>().map_err(LaunchError::system("getrandom"))?;
    let key = bytes.iter().map(|b| char::from(LETTERS[usize::from(b % 32)])).collect();
    let mut set = set.to_vec();
    set.push(("GOPHER_PROTOCOL", "test".to_owned()));
    set.push(("GOPHER_ENCRYPTION_KEY", key));
    let mut env = environment(&set);
    if !env.iter().any(|(name, _)| name == "GOPHER_LOGLEVEL") {
        env.push(("GOPHER_LOGLEVEL".into(), "warn".into()));
    }
    Ok(env)
}

/// One call of `gopherd`.
pub(crate) struct Launch {
    program: CString,
    args: Vec<CString>,
    env: Vec<CString>,
    /// What the robot inherits.
    listener: Option<UnixListener>,
}

impl Launch {
    /// A robot under test, which speaks through `listener`.
    pub(crate) fn for_suite(
        programs: &Programs,
        home: &Path,
        listener: UnixListener,
        without_hidden_commands: &[String],
        env: Vec<(OsString, OsString)>,
    ) -> Result<Self, LaunchError> {
        let mut args: Vec<OsString> = ["--protocol", "test", "--test-fd"].map(OsString::from).to_vec();
        args.push(listener.as_raw_fd().to_string().into());
        for connector in without_hidden_commands {
            args.extend(["--capability-off".into(), connector.into()]);
        }
        Ok(Self { listener: Some(listener), ..Self::new(programs, home, args, env)? })
    }

    /// A robot whose configuration is only loaded, with sockets and state in `dir`.
    pub(crate) fn for_inspection(programs: &Programs, home: &Path, dir: &Path) -> Result<Self, LaunchError> {
        Self::new(programs, home, vec!["--inspect".into(), dir.into()], inherited())
    }

    fn new(
        programs: &Programs,
        home: &Path,
        more: Vec<OsString>,
        env: Vec<(OsString, OsString)>,
    ) -> Result<Self, LaunchError> {
        let mut args: Vec<OsString> = vec![programs.gopherd.clone().into(), "-C".into(), absolute(home).into()];
        args.extend(more);
        for (flag, dir) in [("--root", &programs.root), ("--install-dir", &programs.install_dir)] {
            if let Some(dir) = dir {
                args.extend([flag.into(), dir.clone().into()]);
            }
        }
        let env = env.into_iter().map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            name
        });
        let text =
            |text: OsString| CString::new(text.into_vec()).map_err(|_| LaunchError::system("execve")(Errno::EINVAL));
        Ok(Self {
            program: text(programs.gopherd.clone().into())?,
            args: args.into_iter().map(text).collect::<Result<_, _>>()?,
            env: env.map(text).collect::<Result<_, _>>()?,
            listener: None,
        })
    }

    /// Becomes the robot.
    pub(crate) fn exec(&self) -> Result<Infallible, Errno> {
        if let Some(listener) = &self.listener {
            keep_on_exec(listener)?;
        }
        execve(&self.program, &self.args, &self.env)
    }

    /// Starts the robot; its output goes to `log`. Call it while this process has one thread.
    pub(crate) fn start(self, log: &Path) -> Result<Robot, LaunchError> {
        let files = |step| move |error| LaunchError::Files { path: log.to_path_buf(), step, error };
        let output = File::options().create(true).append(true).open(log).map_err(files("cannot be opened"))?;
        let input = File::open("/dev/null").map_err(files("cannot be opened"))?;
        let child = process::fork_with(Namespaces::default(), false, || {
            let _ = self.become_robot(&input, &output);
            127
        })
        .map_err(LaunchError::system("clone"))?;
        Ok(Robot { child })
    }

    fn become_robot(&self, input: &File, output: &File) -> Result<Infallible, Errno> {
        prctl::set_pdeathsig(Signal::SIGTERM)?;
        SigSet::empty().thread_set_mask()?;
        dup2_stdin(input)?;
        dup2_stdout(output)?;
        dup2_stderr(output)?;
        self.exec()
    }
}

/// A robot that runs.
pub(crate) struct Robot {
    child: Child,
}

impl Robot {
    /// How it ended, if it has.
    pub(crate) fn ended(&self, within: Duration) -> Option<String> {
        let timeout = PollTimeout::try_from(within).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(std::os::fd::AsFd::as_fd(&self.child.pidfd), PollFlags::POLLIN)], timeout) {
            Ok(1) => Some(match process::wait(&self.child.pidfd) {
                Ok(process::Exit::Code(code)) => format!(" with exit code {code}"),
                Ok(process::Exit::Signal(signal)) => format!(" by signal {signal}"),
                Err(_) => String::new(),
            }),
            _ => None,
        }
    }

    /// Ends it: it is asked, and made to if it does not.
    pub(crate) fn stop(self) {
        let _ = process::signal(&self.child.pidfd, Signal::SIGTERM);
        if self.ended(Duration::from_secs(10)).is_none() {
            let _ = process::signal(&self.child.pidfd, Signal::SIGKILL);
            let _ = self.ended(Duration::from_secs(10));
        }
    }
}

/// A listening socket that only its owner may connect to.
pub(crate) fn listen(path: &Path) -> Result<UnixListener, LaunchError> {
    use nix::sys::stat::{Mode, umask};
    if path.as_os_str().as_bytes().len() > LONGEST_SOCKET {
        return Err(LaunchError::SocketPath { path: path.to_path_buf() });
    }
    let before = umask(Mode::from_bits_truncate(0o177));
    let bound = UnixListener::bind(path);
    umask(before);
    bound.map_err(|error| LaunchError::Files { path: path.to_path_buf(), step: "the socket cannot be made", error })
}

/// Signals that end the command, as a descriptor to wait for.
pub(crate) fn interruptions() -> Result<OwnedFd, LaunchError> {
    use nix::sys::signalfd::{SfdFlags, SignalFd};
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.add(Signal::SIGHUP);
    signals.thread_block().map_err(LaunchError::system("sigprocmask"))?;
    let fd = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
    fd.map(Into::into).map_err(LaunchError::system("signalfd"))
}

pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let text = text.trim_end();
    if text.is_empty() {
        return "(it said nothing)".to_owned();
    }
    let start = text.len().saturating_sub(LAST_WORDS);
    let start = (start..text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(start);
    text[start..].to_owned()
}

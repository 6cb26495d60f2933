//! One role process: its link, its descriptor, and how often it had to be restarted.

use std::{
    ffi::CString,
    os::fd::{AsFd as _, OwnedFd},
    time::{Duration, Instant},
};

use gopher_protocol::Message;
use gopher_sys::{
    Link, LinkError, descriptors,
    pages::read_program,
    process::{self, Account, Child, Program},
};
use nix::sys::signal::Signal;

use crate::error::SupervisorError;

/// Program files of the roles, opened once so that an upgrade never mixes builds.
pub(crate) struct Programs {
    pub(crate) secretd: OwnedFd,
    pub(crate) engine: OwnedFd,
    pub(crate) connector: OwnedFd,
    pub(crate) worker: OwnedFd,
    null: OwnedFd,
    errors: OwnedFd,
}

impl Programs {
    /// Opens the programs beside this one.
    pub(crate) fn open() -> Result<Self, SupervisorError> {
        let exe = std::fs::canonicalize("/proc/self/exe")
            .map_err(SupervisorError::file("resolve", "/proc/self/exe".as_ref()))?;
        let dir = exe.parent().unwrap_or(std::path::Path::new("/"));
        let open = |name: &str| {
            let path = dir.join(name);
            descriptors::open_program(&path).map_err(|errno| SupervisorError::File {
                step: "open",
                path: path.display().to_string(),
                source: errno.into(),
            })
        };
        // Every run pays for the pages of its program. What cannot be read now is read as it is needed.
        let _ = read_program(&dir.join("gopher-worker"));
        let null = std::fs::File::options().read(true).write(true).open("/dev/null");
        Ok(Self {
            secretd: open("gopher-secretd")?,
            engine: open("gopher-engine")?,
            connector: open("gopher-connector")?,
            worker: open("gopher-worker")?,
            null: null.map_err(SupervisorError::file("open", "/dev/null".as_ref()))?.into(),
            errors: std::io::stderr()
                .as_fd()
                .try_clone_to_owned()
                .map_err(SupervisorError::file("duplicate", "stderr".as_ref()))?,
        })
    }
}

/// A live role.
pub(crate) struct Role<S, R> {
    pub(crate) child: Child,
    pub(crate) link: Link<S, R>,
    pub(crate) last_pong: Instant,
}

impl<S: Message, R: Message> Role<S, R> {
    /// Starts a role: standard input is empty, both outputs go where ours go, descriptor 3 is its link.
    /// Its environment is `env`.
    pub(crate) fn start(
        programs: &Programs,
        binary: &OwnedFd,
        name: &str,
        account: Option<Account>,
        env: Vec<CString>,
    ) -> Result<Self, SupervisorError> {
        let (ours, theirs) = gopher_sys::link::pair()?;
        let program = Program {
            binary: binary.as_fd(),
            args: vec![process::c_string(name).map_err(SupervisorError::system("name"))?],
            env,
            descriptors: vec![programs.null.as_fd(), programs.errors.as_fd(), programs.errors.as_fd(), theirs.as_fd()],
            account,
        };
        let child =
            process::start(&program).map_err(|source| SupervisorError::Start { role: name.to_owned(), source })?;
        Ok(Self { child, link: Link::new(ours)?, last_pong: Instant::now() })
    }

    /// Sends, or not: a role that is gone is noticed by its process ending, and one that cannot be spoken to is ended.
    pub(crate) fn tell(&mut self, message: &S, descriptors: Vec<OwnedFd>) {
        let sent = self.link.send_with(message, descriptors);
        self.end_if_lost(sent);
    }

    /// As [`Role::tell`], with the next message or when links are flushed.
    pub(crate) fn put(&mut self, message: &S) {
        let queued = self.link.put(message);
        self.end_if_lost(queued);
    }

    fn end_if_lost(&self, sent: Result<(), LinkError>) {
        match sent {
            Ok(()) | Err(LinkError::Closed) => {}
            Err(error) => {
                eprintln!("gopherd: {error}");
                self.kill();
            }
        }
    }

    pub(crate) fn kill(&self) {
        // A process that is gone already is what is wanted.
        let _ = process::signal(&self.child.pidfd, Signal::SIGKILL);
    }
}

/// How long to wait before the next restart: 1, 2, 4 … 60 seconds.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    pub(crate) restarts: u32,
    pub(crate) due: Option<Instant>,
    pub(crate) last_exit: Option<String>,
    failures: u32,
    started: Option<Instant>,
}

impl Backoff {
    const LONGEST: Duration = Duration::from_mins(1);

    pub(crate) fn started(&mut self, now: Instant) {
        self.started = Some(now);
        self.due = None;
    }

    /// Notes an end and plans the restart.
    pub(crate) fn ended(&mut self, now: Instant, exit: String) {
        // A role that ran for a while starts afresh.
        if self.started.is_some_and(|at| now.duration_since(at) > Self::LONGEST) {
            self.failures = 0;
        }
        let wait = Duration::from_secs(1 << self.failures.min(6)).min(Self::LONGEST);
        self.failures += 1;
        self.restarts += 1;
        self.last_exit = Some(exit);
        self.due = Some(now + wait);
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| now >= due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_wait_longer_each_time_until_a_role_has_lasted() {
        let start = Instant::now();
        let mut backoff = Backoff::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            backoff.started(start);
            backoff.ended(start, "code 1".into());
            waits.push(backoff.due.expect("planned").duration_since(start).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        backoff.started(start);
        backoff.ended(start + Duration::from_secs(61), "code 1".into());
        assert_eq!(backoff.due, Some(start + Duration::from_secs(62)));
        assert_eq!(backoff.restarts, 9);
    }
}

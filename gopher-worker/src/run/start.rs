//! How a run's program starts, or its script is made ready.

use std::os::fd::OwnedFd;

use gopher_sys::confine::{self, ConfineError};
use nix::{
    errno::Errno,
    sys::{
        signal::{SigSet, SigmaskHow, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
    unistd::Pid,
};

use crate::{
    embedded::{self, Task},
    program::Start,
};

/// What the run is about; it is over when that has ended.
pub(super) enum Main {
    /// A program, leader of its process group.
    Process(Pid),
    /// A script on the first thread of this process. Once another one serves it, its status will be in the pipe.
    Script { ended: Option<OwnedFd> },
}

/// Starts what the run is about, or makes everything ready for a script to run on this thread. A script with a process of
/// its own asks the robot on `api`, if it has one.
pub(super) fn begin(
    task: Option<Task>,
    start: Start<'_>,
    api: Option<OwnedFd>,
    memory: u64,
    cpu_limit: u32,
) -> Result<(Main, Option<SignalFd>, Option<Task>), String> {
    let system = |step: &'static str| move |errno: Errno| format!("it could not be started: {step}: {errno}");
    match task {
        Some(task) if !task.needs_process() => {
            embedded::enter(&start).map_err(|reason| format!("it could not be started: {reason}"))?;
            if cpu_limit > 0 {
                confine::look_at_cpu_time().map_err(|error| format!("it could not be started: {error}"))?;
            }
            Ok((Main::Script { ended: None }, None, Some(task)))
        }
        task => {
            // A program must meet every signal that is meant for it: it inherits what is blocked here.
            let blocked = SigSet::empty().thread_swap_mask(SigmaskHow::SIG_SETMASK).map_err(system("sigprocmask"))?;
            let service = |error: ConfineError| error.to_string();
            confine::limit_memory(memory).map_err(service)?;
            let started = match task {
                Some(task) => task.fork(&start, api),
                None => start.start(),
            };
            confine::limit_memory(u64::MAX).map_err(service)?;
            let pid = i32::try_from(started?).map(Pid::from_raw).map_err(|e| e.to_string())?;
            blocked.thread_set_mask().map_err(system("sigprocmask"))?;
            // If it has ended by now, whoever serves it sees that first.
            let signals = ended_children().map_err(system("signalfd"))?;
            Ok((Main::Process(pid), Some(signals), None))
        }
    }
}

/// Becomes readable when a child has ended.
fn ended_children() -> Result<SignalFd, Errno> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set.thread_block()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

//! How a run's program starts, or its script is made ready to run beside what serves it.

use std::os::fd::OwnedFd;

use gopher_sys::{
    Poller,
    confine::{self, ConfineError},
};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    sys::signal::{SigSet, SigmaskHow},
    unistd::{Pid, pipe2},
};

use super::{Attendant, ENDED};
use crate::{
    embedded::{self, Task},
    program::Start,
};

/// What the run is about; it is over when that has ended.
pub(super) enum Main {
    /// A program, leader of its process group.
    Process(Pid),
    /// A script on the first thread of this process, whose status will be in the pipe.
    Thread(OwnedFd),
}

/// A script that has not begun.
pub(super) struct Beside {
    pub(super) task: Task,
    /// Where its status is told.
    pub(super) ended: OwnedFd,
    pub(super) attendant: Attendant,
}

/// Starts what the run is about, or makes everything ready for it to run beside what serves it. A script with a process of
/// its own asks the robot on `api`, if it has one.
pub(super) fn begin(
    task: Option<Task>,
    start: Start<'_>,
    attendant: Option<Attendant>,
    api: Option<OwnedFd>,
    poller: &Poller,
    memory: u64,
) -> Result<(Main, Option<Beside>), String> {
    let system = |step: &'static str| move |errno: Errno| format!("it could not be started: {step}: {errno}");
    match task {
        Some(task) if !task.needs_process() => {
            embedded::enter(&start).map_err(|reason| format!("it could not be started: {reason}"))?;
            confine::look_at_cpu_time().map_err(|error| format!("it could not be started: {error}"))?;
            let (heard, ended) = pipe2(OFlag::O_CLOEXEC).map_err(system("pipe"))?;
            poller.add(&heard, ENDED, false).map_err(system("epoll_ctl"))?;
            let attendant = attendant.map_or_else(Attendant::new, Ok);
            let attendant = attendant.map_err(|error| format!("it could not be started: a thread: {error}"))?;
            Ok((Main::Thread(heard), Some(Beside { task, ended, attendant })))
        }
        task => {
            match attendant {
                Some(attendant) if task.is_some() => attendant.dismiss(),
                Some(attendant) => attendant.leave(),
                None => {}
            }
            // A program must meet every signal that is meant for it: it inherits what is blocked here.
            let blocked = SigSet::empty().thread_swap_mask(SigmaskHow::SIG_SETMASK).map_err(system("sigprocmask"))?;
            let service = |error: ConfineError| error.to_string();
            confine::limit_memory(memory).map_err(service)?;
            let started = match task {
                Some(task) => task.fork(&start, api),
                None => start.start(),
            };
            confine::limit_memory(u64::MAX).map_err(service)?;
            blocked.thread_set_mask().map_err(system("sigprocmask"))?;
            Ok((Main::Process(i32::try_from(started?).map(Pid::from_raw).map_err(|e| e.to_string())?), None))
        }
    }
}

//! Whether a run keeps its limits of memory and CPU time.

use std::time::Duration;

use gopher_protocol::robot_api::TaskRetVal;
use gopher_sys::confine;
use nix::sys::signal::Signal;

use super::{Running, start::Main};
use crate::memory::{self, First};

impl Running {
    /// Ends a run that is over a limit which nobody else looks at.
    pub(super) fn check_limits(&mut self) {
        if self.stopped.is_none() {
            self.stopped = self.over_memory().or_else(|| self.over_cpu());
            if self.stopped.is_some() {
                self.kill();
            }
        }
    }

    fn over_memory(&self) -> Option<String> {
        let first = match self.main {
            Main::Process(_) => First::NotCounted,
            Main::Script { .. } => First::Counted,
        };
        let used = if self.own_pids { memory::resident(first) } else { 0 };
        (used > self.memory_limit).then(|| {
            format!(
                "it used {} MiB of memory and its limit is {} MiB (Limits: Memory of the extension)",
                used >> 20,
                self.memory_limit >> 20
            )
        })
    }

    /// A program is told by the kernel; nobody tells a thread of this process but this one.
    fn over_cpu(&self) -> Option<String> {
        let limit = Duration::from_secs(self.cpu_limit.into());
        let looked_at = matches!(self.main, Main::Script { .. }) && !limit.is_zero();
        (looked_at && confine::cpu_time().is_ok_and(|used| used >= limit)).then(|| self.no_cpu_time_left())
    }

    /// Why a program ended, if its limit of CPU time ended it.
    pub(super) fn ended_by_limit(&self, status: TaskRetVal, signal: Option<i32>) -> Option<String> {
        (self.cpu_limit > 0 && is_of_cpu_time(status, signal)).then(|| self.no_cpu_time_left())
    }

    fn no_cpu_time_left(&self) -> String {
        format!("it used {} s of CPU time, and has no more (Limits: CPU of the extension)", self.cpu_limit)
    }
}

/// Whether a program ended because its CPU time, or that of the last program it waited for, was used up.
fn is_of_cpu_time(status: TaskRetVal, signal: Option<i32>) -> bool {
    let told = Signal::SIGXCPU as i32;
    signal == Some(told) || (signal.is_none() && status.0 == 128 + told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_cpu_time_is_told_from_other_ends() {
        for (status, signal, expected) in
            [(-1, Some(24), true), (152, None, true), (0, None, false), (-1, Some(9), false), (24, None, false)]
        {
            assert_eq!(is_of_cpu_time(TaskRetVal(status), signal), expected, "{status} {signal:?}");
        }
    }
}

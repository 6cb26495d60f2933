//! What runs leave behind where they have no pid namespace: such processes become children of this one.

use std::{
    fs,
    time::{Duration, Instant},
};

use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::{Pid, getpgid, getpgrp},
};

/// Nothing that is killed lives longer; what the kernel cannot end keeps nobody waiting.
const LONGEST: Duration = Duration::from_secs(2);

/// Ends every orphan, and those that its end makes orphans, until none is left.
pub(crate) fn end() {
    let begun = Instant::now();
    while begun.elapsed() < LONGEST {
        let orphans = orphans();
        if orphans.is_empty() {
            return;
        }
        for pid in &orphans {
            // It is our child: its number is its own until we have reaped it.
            let _ = kill(*pid, Signal::SIGKILL);
        }
        for pid in orphans {
            let _ = waitpid(pid, Some(WaitPidFlag::empty()));
        }
    }
}

/// Children that were not started as ours: roles and first processes of runs are in this process's group, programs
/// of runs never are.
fn orphans() -> Vec<Pid> {
    let text = fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id())).unwrap_or_default();
    let children = text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw);
    children.filter(|pid| getpgid(Some(*pid)).is_ok_and(|group| group != getpgrp())).collect()
}

//! The walls around one run, in the order in which they must be raised (see ARCHITECTURE.md, drop sequence).

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, Scope,
};
use nix::{
    errno::Errno,
    sys::{
        prctl,
        resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit},
        signal::Signal,
        time::TimeValLike as _,
    },
    unistd::{Gid, Uid, setgroups, setresgid, setresuid},
};

use crate::raw;

/// A wall that could not be raised.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    #[error("{step}: {errno}")]
    System { step: &'static str, errno: Errno },
    #[error("landlock: {0}")]
    Landlock(#[from] RulesetError),
    #[error("landlock: {0}")]
    Path(#[from] landlock::PathFdError),
}

fn at(step: &'static str) -> impl FnOnce(Errno) -> ConfineError {
    move |errno| ConfineError::System { step, errno }
}

/// The newest Landlock interface whose rights we know.
const ABI_KNOWN: ABI = ABI::V6;

/// Landlock rules prepared once and applied by every run; on an old kernel, what it does not know is left out.
pub struct Rules(Option<OwnedFd>);

impl Rules {
    /// `read` trees may be read and executed, `write` trees everything.
    pub fn of_files<'a>(
        read: impl IntoIterator<Item = &'a str>,
        write: impl IntoIterator<Item = &'a str>,
        write_files: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ConfineError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(ABI_KNOWN))?
            .scope(Scope::from_all(ABI_KNOWN))?
            .create()?;
        for path in read {
            rules = rules.add_rule(PathBeneath::new(PathFd::new(path)?, AccessFs::from_read(ABI_KNOWN)))?;
        }
        for path in write {
            let all = AccessFs::from_all(ABI_KNOWN);
            rules = rules.add_rule(PathBeneath::new(PathFd::new(path)?, all))?;
        }
        for path in write_files {
            let rights = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
            rules = rules.add_rule(PathBeneath::new(PathFd::new(path)?, rights))?;
        }
        Ok(Self(rules.into()))
    }

    /// TCP is neither bound nor connected.
    pub fn no_tcp() -> Result<Self, ConfineError> {
        Ok(Self(tcp_rules()?.into()))
    }

    /// Applies the rules to this process, for good.
    pub fn apply(&self) -> Result<(), ConfineError> {
        prctl::set_no_new_privs().map_err(at("PR_SET_NO_NEW_PRIVS"))?;
        self.0.as_ref().map_or(Ok(()), |rules| raw::landlock(rules.as_fd())).map_err(at("landlock_restrict_self"))
    }

    /// What they are kept in, if this kernel has such rules.
    #[must_use]
    pub fn descriptor(&self) -> Option<&OwnedFd> {
        self.0.as_ref()
    }
}

fn tcp_rules() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessNet::from_all(ABI_KNOWN))?
        .create()
}

/// From now on this process opens and makes files beneath `directories` only, signals nobody outside, and uses no TCP.
/// What it has open already stays open.
pub fn only_beneath<'a>(directories: impl IntoIterator<Item = BorrowedFd<'a>>) -> Result<(), ConfineError> {
    // A directory is opened to write down (fsync) that a file was made in it; a database cuts its log short.
    let rights = AccessFs::ReadFile
        | AccessFs::WriteFile
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
        | AccessFs::Truncate
        | AccessFs::ReadDir;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI_KNOWN))?
        .handle_access(AccessNet::from_all(ABI_KNOWN))?
        .scope(Scope::from_all(ABI_KNOWN))?
        .create()?;
    for directory in directories {
        rules = rules.add_rule(PathBeneath::new(directory, rights))?;
    }
    rules.restrict_self()?;
    Ok(())
}

/// From now on this process reads files beneath these directories only, as far as they are there, writes none, signals
/// nobody outside, and connects over TCP to these ports only. What it has open already stays open.
pub fn only_client<'a>(read: impl IntoIterator<Item = &'a str>, ports: &[u16]) -> Result<(), ConfineError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI_KNOWN))?
        .handle_access(AccessNet::from_all(ABI_KNOWN))?
        .scope(Scope::from_all(ABI_KNOWN))?
        .create()?;
    for path in read {
        if let Ok(directory) = PathFd::new(path) {
            rules = rules.add_rule(PathBeneath::new(directory, AccessFs::ReadFile | AccessFs::ReadDir))?;
        }
    }
    for port in ports {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    rules.restrict_self()?;
    Ok(())
}

/// From now on this process may connect over TCP to `port` only, and bind nothing.
pub fn allow_only_port(port: u16) -> Result<(), ConfineError> {
    tcp_rules()?.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?.restrict_self()?;
    Ok(())
}

/// The Landlock interface of this kernel; 0 if there is none.
pub fn landlock_abi() -> u32 {
    raw::landlock_abi().unwrap_or(0)
}

/// Memory of a run's first process, beyond the limit of what runs, for serving it: calls of many megabytes are held
/// several times.
pub const SERVICE: u64 = 128 << 20;

/// CPU seconds that a process has to end by itself once its limit is reached.
const CPU_GRACE: u64 = 5;

/// What one run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Data and anonymous memory of one process, in bytes.
    pub memory: u64,
    /// Processes and threads at once.
    pub processes: u64,
    /// CPU time of one process, in seconds; 0 for no limit.
    pub cpu: u64,
    /// One file, in bytes.
    pub file: u64,
}

/// Sets the limits of this process and its descendants.
pub fn limit(limits: &Limits) -> Result<(), ConfineError> {
    let set = |resource, value: u64| setrlimit(resource, value, value).map_err(at("setrlimit"));
    set(Resource::RLIMIT_CORE, 0)?;
    set(Resource::RLIMIT_DATA, limits.memory.saturating_add(SERVICE))?;
    set(Resource::RLIMIT_NPROC, limits.processes)?;
    set(Resource::RLIMIT_FSIZE, limits.file)?;
    set(Resource::RLIMIT_NOFILE, 1024)?;
    set(Resource::RLIMIT_MEMLOCK, 64 << 10)?;
    set(Resource::RLIMIT_MSGQUEUE, 0)?;
    set(Resource::RLIMIT_SIGPENDING, 1024)?;
    if limits.cpu > 0 {
        // Told by a signal at the first, ended at the second: how it ended says why.
        setrlimit(Resource::RLIMIT_CPU, limits.cpu, limits.cpu.saturating_add(CPU_GRACE)).map_err(at("setrlimit"))?;
    }
    Ok(())
}

/// No signal tells this process, and what it starts from now on, that its CPU time is used up: somebody looks.
pub fn look_at_cpu_time() -> Result<(), ConfineError> {
    let (_, most) = getrlimit(Resource::RLIMIT_CPU).map_err(at("getrlimit"))?;
    setrlimit(Resource::RLIMIT_CPU, most, most).map_err(at("setrlimit"))
}

/// The CPU time that this process has used; its children are not counted.
pub fn cpu_time() -> Result<Duration, ConfineError> {
    let used = getrusage(UsageWho::RUSAGE_SELF).map_err(at("getrusage"))?;
    let micros = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    Ok(Duration::from_micros(micros.unsigned_abs()))
}

/// Limits the data and anonymous memory of this process, and of what it starts from now on.
pub fn limit_memory(bytes: u64) -> Result<(), ConfineError> {
    let (_, most) = getrlimit(Resource::RLIMIT_DATA).map_err(at("getrlimit"))?;
    setrlimit(Resource::RLIMIT_DATA, bytes.min(most), most).map_err(at("setrlimit"))
}

/// Lets the stack of this process's first thread, and of what it starts from now on, grow to so many bytes, as far as
/// it may.
pub fn deepen_stack(bytes: u64) -> Result<(), ConfineError> {
    let (now, most) = getrlimit(Resource::RLIMIT_STACK).map_err(at("getrlimit"))?;
    setrlimit(Resource::RLIMIT_STACK, bytes.clamp(now.min(most), most), most).map_err(at("setrlimit"))
}

/// Becomes `uid` with no groups but its own and no capability, for good, and dies with its parent.
pub fn become_user(uid: u32) -> Result<(), ConfineError> {
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
    setgroups(&[]).map_err(at("setgroups"))?;
    setresgid(group, group, group).map_err(at("setresgid"))?;
    setresuid(user, user, user).map_err(at("setresuid"))?;
    give_up_capabilities()
}

/// Keeps its uid (the only one its namespace has), gives up every capability, dies with its parent, and is opaque to
/// what it starts under the same uid.
pub fn give_up_capabilities() -> Result<(), ConfineError> {
    raw::drop_capabilities().map_err(at("capset"))?;
    prctl::set_dumpable(false).map_err(at("PR_SET_DUMPABLE"))?;
    // Last: a change of uid clears it.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(at("PR_SET_PDEATHSIG"))
}

/// Empties the bounding set but for what a spawner needs to confine its runs.
pub fn bound_spawner() -> Result<(), ConfineError> {
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, SETPCAP 8, SYS_ADMIN 21, SYS_RESOURCE 24
    const KEPT: [u32; 9] = [0, 1, 3, 5, 6, 7, 8, 21, 24];
    for capability in (0..64).filter(|c| !KEPT.contains(c)) {
        match raw::drop_bounding(capability) {
            Ok(()) => {}
            Err(Errno::EINVAL) => break,
            Err(errno) => return Err(at("PR_CAPBSET_DROP")(errno)),
        }
    }
    Ok(())
}

/// Closes every descriptor from `first` on that is not in `keep`.
pub fn close_others(keep: &[&dyn AsFd], first: u32) -> Result<(), ConfineError> {
    use std::os::fd::AsRawFd as _;
    let mut kept: Vec<u32> =
        keep.iter().map(|fd| fd.as_fd().as_raw_fd().unsigned_abs()).filter(|n| *n >= first).collect();
    kept.sort_unstable();
    let mut next = first;
    for number in kept {
        if number > next {
            raw::close_range(next, number - 1, false).map_err(at("close_range"))?;
        }
        next = number + 1;
    }
    raw::close_range(next, u32::MAX, false).map_err(at("close_range"))
}

/// Lets this process and its descendants yield to whoever talks with people: a low priority, and the longest slices.
pub fn yield_to_others() -> Result<(), ConfineError> {
    raw::slice(100_000_000, 15).map_err(at("sched_setattr"))
}

/// Lets this process yield to whoever talks with people, but not to what it has started.
pub fn yield_a_little() -> Result<(), ConfineError> {
    raw::slice(3_000_000, 10).map_err(at("sched_setattr"))
}

/// Orphans of this process's descendants become its children, where no pid namespace does it.
pub fn adopt_orphans() -> Result<(), ConfineError> {
    prctl::set_child_subreaper(true).map_err(at("PR_SET_CHILD_SUBREAPER"))
}

/// Serve this process soon after it wakes; kernels that cannot are no worse off.
pub fn be_prompt() {
    let _ = raw::slice(100_000, 0);
}

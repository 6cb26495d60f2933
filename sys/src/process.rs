//! Starting processes: roles by `execveat` with an explicit descriptor table, runs by `clone`.
//!
//! Both are for single-threaded processes only, as every daemon that calls them is: between `clone` and
//! `exec` the child may then use what it inherited.

use std::{
    convert::Infallible,
    ffi::CString,
    fs::File,
    io::{Read as _, Write as _},
    os::fd::{AsFd, BorrowedFd, FromRawFd as _, OwnedFd, RawFd},
};

use nix::{
    errno::Errno,
    fcntl::{AtFlags, FcntlArg, OFlag, fcntl},
    sys::{
        signal::Signal,
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
    unistd::{Gid, Uid, dup2_raw, execveat, pipe2, setgroups, setresgid, setresuid},
};

use crate::raw;

/// A child process that this process will reap.
#[derive(Debug)]
pub struct Child {
    /// Its number here; valid until it is reaped.
    pub pid: u32,
    pub pidfd: OwnedFd,
}

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {errno}")]
pub struct StartError {
    pub step: &'static str,
    pub errno: Errno,
}

fn at(step: &'static str) -> impl FnOnce(Errno) -> StartError {
    move |errno| StartError { step, errno }
}

/// Namespaces a new process gets of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Namespaces {
    pub user: bool,
    pub mount: bool,
    pub pid: bool,
}

impl Namespaces {
    fn flags(self) -> libc::c_int {
        let one = |wanted, flag| if wanted { flag } else { 0 };
        one(self.user, libc::CLONE_NEWUSER) | one(self.mount, libc::CLONE_NEWNS) | one(self.pid, libc::CLONE_NEWPID)
    }
}

/// Clones this process. The child runs `child` and exits with what it returns.
///
/// With `sibling` the child's parent is our parent, who reaps it. Memory is copied on write, descriptors are
/// inherited: the child closes what is not its own.
///
/// # Errors
/// The kernel's refusal; `ENOSPC` means that user namespaces are forbidden here.
pub fn fork_with(namespaces: Namespaces, sibling: bool, child: impl FnOnce() -> u8) -> Result<Child, Errno> {
    let mut pidfd: RawFd = -1;
    let flags = namespaces.flags() | libc::CLONE_PIDFD | if sibling { libc::CLONE_PARENT } else { libc::SIGCHLD };
    // SAFETY: without CLONE_VM this is fork(2) with namespaces: the child has its own copy of everything. The
    // callers are single-threaded, so no lock can be held by a thread that does not exist in the child.
    let pid = Errno::result(unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) })?;
    if pid == 0 {
        // Without running destructors or exit handlers of the parent's state.
        end_now(child())
    }
    // SAFETY: CLONE_PIDFD has stored a fresh descriptor.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Child { pid: u32::try_from(pid).map_err(|_| Errno::EINVAL)?, pidfd })
}

/// The account a role runs under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
}

/// Which ids exist in a new user namespace: rows of inside, outside, count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdMap {
    pub uids: Vec<(u32, u32, u32)>,
    pub gids: Vec<(u32, u32, u32)>,
    /// The rows need a privileged writer; a plain user maps itself alone and may not use `setgroups`.
    pub privileged: bool,
}

/// A program and everything it gets.
pub struct Program<'a> {
    /// Opened once at start (`O_PATH`), so that an upgrade never mixes builds.
    pub binary: BorrowedFd<'a>,
    pub args: Vec<CString>,
    pub env: Vec<CString>,
    /// Descriptor `i` of the child, for `i` from 0 on; nothing else is open there.
    pub descriptors: Vec<BorrowedFd<'a>>,
    pub account: Option<Account>,
}

/// Starts a program and waits until it is executing.
///
/// # Errors
/// Names the step that failed in the child or here.
pub fn start(program: &Program) -> Result<Child, StartError> {
    let (failed_read, failed_write) = pipe2(OFlag::O_CLOEXEC).map_err(at("pipe2"))?;
    let child = fork_with(Namespaces::default(), false, || {
        // Out of the way of the new program's descriptors.
        let Ok(failed) = fcntl(&failed_write, FcntlArg::F_DUPFD_CLOEXEC(floor(program))) else {
            return 127;
        };
        // SAFETY: just duplicated, and owned by nobody else in this child.
        let failed = unsafe { OwnedFd::from_raw_fd(failed) };
        let Err(error) = become_program(program);
        let step = STEPS.iter().position(|s| *s == error.step).and_then(|i| u8::try_from(i).ok()).unwrap_or(0);
        let report = [step, u8::try_from(error.errno as i32).unwrap_or(0)];
        let _ = nix::unistd::write(&failed, &report);
        127
    })
    .map_err(at("clone"))?;
    drop(failed_write);
    let mut report = Vec::new();
    File::from(failed_read)
        .read_to_end(&mut report)
        .map_err(|e| StartError { step: "read", errno: Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)) })?;
    match report[..] {
        [] => Ok(child),
        [step, errno, ..] => {
            let _ = wait(&child.pidfd);
            Err(StartError {
                step: STEPS.get(usize::from(step)).copied().unwrap_or("start"),
                errno: Errno::from_raw(i32::from(errno)),
            })
        }
        [_] => Err(StartError { step: "start", errno: Errno::EIO }),
    }
}

/// Steps of the child by number, for its report.
const STEPS: [&str; 8] = ["start", "fcntl", "setgroups", "setresgid", "setresuid", "dup2", "close_range", "execveat"];

fn floor(program: &Program) -> RawFd {
    RawFd::try_from(program.descriptors.len() + 16).unwrap_or(RawFd::MAX)
}

fn become_program(program: &Program) -> Result<Infallible, StartError> {
    // Sources are moved above every target first, so that no target overwrites a source.
    let high = |fd: BorrowedFd| fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(floor(program))).map_err(at("fcntl"));
    let sources = program.descriptors.iter().map(|fd| high(*fd)).collect::<Result<Vec<_>, _>>()?;
    let binary = high(program.binary)?;
    if let Some(account) = program.account {
        let (uid, gid) = (Uid::from_raw(account.uid), Gid::from_raw(account.gid));
        setgroups(&[]).map_err(at("setgroups"))?;
        setresgid(gid, gid, gid).map_err(at("setresgid"))?;
        setresuid(uid, uid, uid).map_err(at("setresuid"))?;
    }
    let mut next: RawFd = 0;
    for source in sources {
        // SAFETY: the child owns its whole descriptor table; `dup2_raw` makes `next` a copy of `source`.
        let placed = unsafe { dup2_raw(BorrowedFd::borrow_raw(source), next) }.map_err(at("dup2"))?;
        // The target belongs to the new program: it must not be closed here.
        std::mem::forget(placed);
        next += 1;
    }
    raw::close_range(u32::try_from(next).unwrap_or(0), u32::MAX, true).map_err(at("close_range"))?;
    // SAFETY: `binary` was duplicated above and is open until the exec.
    let binary = unsafe { BorrowedFd::borrow_raw(binary) };
    execveat(binary, c"", &program.args, &program.env, AtFlags::AT_EMPTY_PATH).map_err(at("execveat"))
}

fn write_maps(process: &str, map: &IdMap) -> Result<(), StartError> {
    let put = |name: &'static str, text: &str| {
        File::options()
            .write(true)
            .open(format!("/proc/{process}/{name}"))
            .and_then(|mut f| f.write_all(text.as_bytes()))
            .map_err(|e| StartError { step: name, errno: Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)) })
    };
    if !map.privileged {
        put("setgroups", "deny")?;
    }
    let text = |rows: &[(u32, u32, u32)]| {
        let lines = rows.iter().map(|(inside, outside, count)| format!("{inside} {outside} {count}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    put("gid_map", &text(&map.gids))?;
    put("uid_map", &text(&map.uids))
}

/// Gives a child that has entered a user namespace its ids.
pub fn map_child(child: &Child, map: &IdMap) -> Result<(), StartError> {
    write_maps(&child.pid.to_string(), map)
}

/// Enters a user namespace of its own, in which nothing is mapped yet.
pub fn enter_user_namespace() -> Result<(), StartError> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER).map_err(at("unshare"))
}

/// Becomes uid 0 of the user namespace it has entered, still traceable by its own children.
pub fn become_namespace_root(may_drop_groups: bool) -> Result<(), StartError> {
    let (uid, gid) = (Uid::from_raw(0), Gid::from_raw(0));
    if may_drop_groups {
        setgroups(&[]).map_err(at("setgroups"))?;
    }
    setresgid(gid, gid, gid).map_err(at("setresgid"))?;
    setresuid(uid, uid, uid).map_err(at("setresuid"))?;
    nix::sys::prctl::set_dumpable(true).map_err(at("PR_SET_DUMPABLE"))?;
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(at("PR_SET_PDEATHSIG"))
}

/// Maps the caller's single id in the user namespace it has just entered: `inside` here is `outside` before.
pub fn map_self(inside: u32, outside: u32) -> Result<(), StartError> {
    write_maps("self", &IdMap { uids: vec![(inside, outside, 1)], gids: vec![(inside, outside, 1)], privileged: false })
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

/// Waits for a child and reaps it; call it when its descriptor is readable.
pub fn wait(pidfd: &OwnedFd) -> Result<Exit, Errno> {
    match waitid(Id::PIDFd(pidfd.as_fd()), WaitPidFlag::WEXITED)? {
        WaitStatus::Exited(_, code) => Ok(Exit::Code(code)),
        WaitStatus::Signaled(_, signal, _) => Ok(Exit::Signal(signal as i32)),
        _ => Err(Errno::ECHILD),
    }
}

/// Reaps any child that has ended, without waiting; `None` if none has. Every signal has its number, real-time ones too.
pub fn reap() -> Result<Option<(u32, Exit)>, Errno> {
    let Some((pid, status)) = raw::wait_any()? else { return Ok(None) };
    let exit = if libc::WIFSIGNALED(status) {
        Exit::Signal(libc::WTERMSIG(status))
    } else {
        Exit::Code(libc::WEXITSTATUS(status))
    };
    Ok(Some((u32::try_from(pid).map_err(|_| Errno::EINVAL)?, exit)))
}

/// Sends a signal to exactly this process, dead or alive.
pub fn signal(pidfd: &OwnedFd, signal: Signal) -> Result<(), Errno> {
    raw::pidfd_send_signal(pidfd, signal as i32)
}

/// Replaces this program by `binary`, which is how launch values leave the environment.
pub fn exec(binary: BorrowedFd, args: &[CString], env: &[CString]) -> Result<Infallible, Errno> {
    execveat(binary, c"", args, env, AtFlags::AT_EMPTY_PATH)
}

/// A name as a C string; a zero byte inside is refused.
pub fn c_string(text: impl Into<Vec<u8>>) -> Result<CString, Errno> {
    CString::new(text).map_err(|_| Errno::EINVAL)
}

/// Gives this single-threaded process exactly this environment, which has each name once. What is empty or has `=` is no
/// name, and left out, as is what holds a zero byte.
pub fn set_environment<'a>(environment: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let named = environment.into_iter().filter(|(name, _)| !name.is_empty() && !name.contains('='));
    raw::replace_environment(named.filter_map(|(name, value)| {
        // With room for the zero at its end.
        let mut variable = Vec::with_capacity(name.len() + value.len() + 2);
        variable.extend_from_slice(name.as_bytes());
        variable.push(b'=');
        variable.extend_from_slice(value.as_bytes());
        CString::new(variable).ok()
    }));
}

/// Ends this process whatever its other threads do; nothing is flushed and no exit handler runs.
pub fn end_now(code: u8) -> ! {
    // SAFETY: ends the process, and touches nothing of it.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Lets a write to a pipe that nobody reads end this process, as programs expect of the shell they are started from.
pub fn end_at_broken_pipes() -> Result<(), Errno> {
    raw::default_action(libc::SIGPIPE)
}

/// A write to a pipe that nobody reads is an error for whoever wrote, and no end of the process.
pub fn survive_broken_pipes() -> Result<(), Errno> {
    raw::ignore(libc::SIGPIPE)
}

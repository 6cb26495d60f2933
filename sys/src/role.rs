//! What every role process does first: take its supervisor link and shut the doors behind it.

use std::os::fd::{FromRawFd as _, OwnedFd};

use nix::{
    errno::Errno,
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        signal::Signal,
        socket::{UnixAddr, getsockname},
    },
};

/// The descriptor on which every role finds its link to the supervisor.
pub const SUPERVISOR_FD: i32 = 3;

/// Why a process cannot become a role.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    #[error("this program is started by gopherd, not by hand (descriptor {SUPERVISOR_FD} is not its link: {0})")]
    NotStarted(Errno),
    #[error("{step}: {errno}")]
    System { step: &'static str, errno: Errno },
}

/// Becomes a role: no core files, no tracing, dies with the supervisor, gains no privilege.
/// Returns the link to the supervisor. Call it first in `main`, once.
pub fn begin() -> Result<OwnedFd, RoleError> {
    prctl::set_dumpable(false).map_err(|errno| RoleError::System { step: "PR_SET_DUMPABLE", errno })?;
    crate::confine::be_prompt();
    begin_traceable()
}

/// As [`begin`], for a process that holds nothing and whose children must find their own `/proc` entries: a spawner.
pub fn begin_traceable() -> Result<OwnedFd, RoleError> {
    let step = |step| move |errno| RoleError::System { step, errno };
    getsockname::<UnixAddr>(SUPERVISOR_FD).map_err(RoleError::NotStarted)?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(step("PR_SET_PDEATHSIG"))?;
    prctl::set_no_new_privs().map_err(step("PR_SET_NO_NEW_PRIVS"))?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(step("RLIMIT_CORE"))?;
    // SAFETY: `getsockname` has just shown that the descriptor is an open socket; the supervisor put it there
    // for this program, and `begin` is called once, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(SUPERVISOR_FD) })
}

/// Applies the role's filter of system calls; call it when everything is opened.
pub fn confine(role: &str) -> Result<(), crate::filter::FilterError> {
    crate::filter::Filters::of_roles()?.apply(role)
}

/// As [`confine`], for a role that has threads already: it can start no more.
pub fn confine_all_threads(role: &str) -> Result<(), crate::filter::FilterError> {
    crate::filter::Filters::of_roles()?.apply_to_all_threads(role)
}

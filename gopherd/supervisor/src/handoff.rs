//! Taking `GOPHER_*` values out of the environment before anything else happens.
//!
//! They go into sealed memory, and this program executes itself again without them: neither its own
//! environment nor any child's ever shows one. Whoever reads the memory is secretd; this program does not.

use std::{
    convert::Infallible,
    ffi::{CString, OsString},
    os::{
        fd::{AsFd, AsRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
};

use gopher_sys::{descriptors, process};

use crate::error::SupervisorError;

const PREFIX: &[u8] = b"GOPHER_";
/// Of these values this program keeps no copy, not even sealed.
const KEYS: [&str; 3] = ["GOPHER_ENCRYPTION_KEY", "GOPHER_DEPLOY_KEY", "GOPHER_HOST_KEYS"];

/// Executes this program again without its `GOPHER_*` values, if it has any.
pub(crate) fn take_launch_values() -> Result<(), SupervisorError> {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is taken, once")]
    let (taken, kept): (Vec<_>, Vec<_>) =
        std::env::vars_os().partition(|(name, _)| name.as_bytes().starts_with(PREFIX));
    if taken.is_empty() {
        return Ok(());
    }
    let mut values: Vec<u8> =
        taken.iter().flat_map(|(name, value)| entry(name, value).into_iter().chain([0])).collect();
    let memory = descriptors::sealed_memory("launch", &values).map_err(SupervisorError::system("memfd_create"));
    gopher_sys::wipe(&mut values);
    let keys = taken.iter().any(|(name, _)| KEYS.iter().any(|key| name == key));
    execute_again(&memory?, keys, &kept).map(|never| match never {})
}

fn entry(name: &OsString, value: &OsString) -> Vec<u8> {
    [name.as_bytes(), b"=", value.as_bytes()].concat()
}

fn execute_again(memory: &OwnedFd, keys: bool, kept: &[(OsString, OsString)]) -> Result<Infallible, SupervisorError> {
    let system = SupervisorError::system;
    descriptors::keep_on_exec(memory).map_err(system("fcntl"))?;
    let itself = descriptors::open_program("/proc/self/exe").map_err(system("open /proc/self/exe"))?;
    let c_string =
        |bytes: &[u8]| CString::new(bytes).map_err(|_| SupervisorError::Usage("an argument holds a zero byte".into()));
    let mut args = std::env::args_os().map(|a| c_string(a.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    args.push(c_string(b"--launch-fd")?);
    args.push(c_string(memory.as_raw_fd().to_string().as_bytes())?);
    if !keys {
        args.push(c_string(b"--launch-settings")?);
    }
    let env = kept.iter().map(|(name, value)| c_string(&entry(name, value))).collect::<Result<Vec<_>, _>>()?;
    process::exec(itself.as_fd(), &args, &env).map_err(system("execveat"))
}

/// What else is in this program's environment, for configuration that asks for it: sealed memory with `NAME=value`
/// strings, each ended by a zero byte.
pub(crate) fn host_values() -> Result<OwnedFd, SupervisorError> {
    #[expect(clippy::disallowed_methods, reason = "handed over unread")]
    let values: Vec<u8> =
        std::env::vars_os().flat_map(|(name, value)| entry(&name, &value).into_iter().chain([0])).collect();
    descriptors::sealed_memory("host", &values).map_err(SupervisorError::system("memfd_create"))
}

/// Values that are passed on to runs (spec: Robot API §2.3), and where the user's run directory is.
pub(crate) struct Environment {
    pub(crate) pass_through: Vec<(String, String)>,
    pub(crate) path: String,
    pub(crate) home: Option<String>,
    pub(crate) runtime_dir: Option<String>,
}

impl Environment {
    /// Reads what is left of the environment.
    pub(crate) fn read() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one reader of the remaining environment")]
        let value = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let path = value("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let mut pass_through: Vec<(String, String)> = ["HOME", "HOSTNAME", "LANG", "USER"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), value(name)?)))
            .collect();
        pass_through.push(("PATH".into(), path.clone()));
        Self { pass_through, path, home: value("HOME"), runtime_dir: value("XDG_RUNTIME_DIR") }
    }
}

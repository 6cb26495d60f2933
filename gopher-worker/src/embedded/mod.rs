//! Extensions whose language is built in: they run in a fork of the run's own process, which keeps nothing of it but the
//! program's input and output and the descriptor of the Robot API.

mod arguments;
mod client;
mod gsh;
mod http;
mod javascript;
mod lua;
mod robot;
#[cfg(test)]
mod testing;

use std::{
    fs,
    io::Write as _,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    sync::Arc,
};

use gopher_protocol::{robot::Runtime, robot_api::TaskRetVal};
use gopher_sys::{
    confine,
    process::{self, Namespaces},
};
use nix::{
    errno::Errno,
    unistd::{Pid, dup2_stderr, dup2_stdin, dup2_stdout, setpgid},
};

use self::{
    client::Client,
    robot::{Message, Robot},
};
use crate::program::{self, Start};

/// What a language gets to run.
pub(crate) struct Script<'a> {
    path: &'a str,
    source: &'a [u8],
    args: &'a [String],
    /// Directories of libraries, the robot's last.
    libraries: &'a [String],
    message: Message,
    /// None while it is asked for its default configuration.
    robot: Option<Robot>,
    memory: u64,
}

impl Script<'_> {
    /// Its file, as its author calls it.
    fn name(&self) -> &str {
        Path::new(self.path).file_name().and_then(|name| name.to_str()).unwrap_or(self.path)
    }
}

/// Prints the default configuration that a script came to.
fn print_configuration(yaml: &[u8]) -> Result<i32, String> {
    let written = std::io::stdout().write_all(yaml);
    written.map(|()| TaskRetVal::NORMAL.0).map_err(|error| format!("the default configuration is lost: {error}"))
}

/// Runs a script to its end: its exit status, or what was wrong with it, for the run's log. Asked for its default
/// configuration, it prints that.
type Interpreter = fn(&Script<'_>) -> Result<i32, String>;

/// The interpreter of a language that is built in.
pub(crate) fn interpreter(runtime: &Runtime) -> Option<Interpreter> {
    match runtime {
        Runtime::Lua => Some(lua::run),
        Runtime::JavaScript => Some(javascript::run),
        Runtime::Gsh => Some(gsh::run),
        Runtime::Go | Runtime::External => None,
    }
}

/// Starts a script in a process group of its own; its number, or a whole sentence on why not.
pub(crate) fn start(
    interpreter: Interpreter,
    start: &Start<'_>,
    api: Option<OwnedFd>,
    memory: u64,
) -> Result<u32, String> {
    let source = fs::read(start.path).map_err(|error| program::explain(start.path, start.directory, &error))?;
    let child = process::fork_with(Namespaces::default(), false, || {
        let code = match enter(start, api.as_ref()) {
            Ok(()) => run(interpreter, start, api, &source, memory),
            Err(error) => {
                eprintln!("{}: it could not be started: {error}", start.path);
                TaskRetVal::MECHANISM_FAIL.0
            }
        };
        // As the kernel does with every exit status.
        code.to_le_bytes()[0]
    });
    child.map(|child| child.pid).map_err(|errno| format!("`{}` could not be started: clone: {errno}", start.path))
}

/// Leaves everything of the worker behind.
fn enter(start: &Start<'_>, api: Option<&OwnedFd>) -> Result<(), String> {
    let step = |what: &'static str| move |errno: Errno| format!("{what}: {errno}");
    setpgid(Pid::from_raw(0), Pid::from_raw(0)).map_err(step("setpgid"))?;
    dup2_stdin(&start.stdin).map_err(step("dup2"))?;
    dup2_stdout(&start.stdout).map_err(step("dup2"))?;
    dup2_stderr(&start.stderr).map_err(step("dup2"))?;
    match api {
        Some(api) => confine::close_others(&[api], 3),
        None => confine::close_others(&[], 3),
    }
    .map_err(|error| error.to_string())?;
    process::end_at_broken_pipes().map_err(step("signal"))?;
    process::set_environment(start.env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    std::env::set_current_dir(start.directory).map_err(|e| format!("{}: {e}", start.directory.display()))
}

fn run(interpreter: Interpreter, start: &Start<'_>, api: Option<OwnedFd>, source: &[u8], memory: u64) -> i32 {
    let message = Message::from_environment(start.env);
    let robot = api.map(|api| Robot::new(Arc::new(Client::new(UnixStream::from(api))), message.clone()));
    let libraries = libraries(start.env);
    let script = Script { path: start.path, source, args: start.args, libraries: &libraries, message, robot, memory };
    let status = interpreter(&script).unwrap_or_else(|problem| {
        eprintln!("{problem}");
        TaskRetVal::MECHANISM_FAIL.0
    });
    // The end of this process flushes nothing.
    let _ = std::io::stdout().flush();
    status
}

/// Where libraries are looked for: the install tree, then the robot.
fn libraries(env: &[(String, String)]) -> Vec<String> {
    let value = |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let trees = ["GOPHER_INSTALLDIR", "GOPHER_CONFIGDIR"].into_iter().filter_map(value);
    trees.map(|tree| Path::new(tree).join("lib").to_string_lossy().into_owned()).collect()
}

//! Extensions whose language is built in.
//!
//! A script has the first thread of the run's process for itself; what serves it has another. A shell's script runs in
//! a fork of that process, which keeps nothing of it but its input and output and the descriptor of the Robot API.

mod arguments;
mod client;
#[cfg(test)]
mod editor_types;
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
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    rc::Rc,
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

pub(crate) use self::client::{Client, NoAnswer, Within};
use self::robot::{Message, Robot};
use crate::{
    program::{self, Start},
    syntax::Fault,
};

/// Ends a run with a status; the script that calls it does not go on.
pub(crate) type Leave = Rc<dyn Fn(i32)>;

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
    /// Ends the run with a status, where the language lets a script do that in its middle.
    leave: Leave,
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

/// A language that is built in.
#[derive(Clone, Copy)]
pub(crate) struct Language {
    interpreter: Interpreter,
    /// Its scripts may replace their process and leave others behind, and have their parameters in the environment.
    pub(crate) is_shell: bool,
}

pub(crate) fn language(runtime: &Runtime) -> Option<Language> {
    match runtime {
        Runtime::Lua => Some(Language { interpreter: lua::run, is_shell: false }),
        Runtime::JavaScript => Some(Language { interpreter: javascript::run, is_shell: false }),
        Runtime::Gsh => Some(Language { interpreter: gsh::run, is_shell: true }),
        Runtime::Go | Runtime::External => None,
    }
}

/// Has an interpreter of each language ready: runs are forked from this process, and start with it.
///
/// # Errors
/// What could not be started, in one sentence.
pub(crate) fn warm_up() -> Result<(), String> {
    gsh::warm_up();
    lua::warm_up()?;
    javascript::warm_up()
}

/// Reads a script without running it.
type Parser = fn(&[u8]) -> Vec<Fault>;

/// The parser of a language that is built in, by the name people use.
pub(crate) fn parser(language: &str) -> Option<Parser> {
    match language {
        "lua" => Some(lua::syntax::parse),
        "javascript" => Some(javascript::syntax::parse),
        "gsh" => Some(gsh::syntax::parse),
        _ => None,
    }
}

/// A script and everything it gets.
pub(crate) struct Task {
    pub(crate) language: Language,
    pub(crate) path: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    source: Vec<u8>,
    /// Its end of the Robot API's descriptor, open as long as it runs; on a thread it asks without.
    api: Option<UnixStream>,
    memory: u64,
}

impl Task {
    /// Reads the script; a whole sentence on why it cannot run.
    pub(crate) fn read(
        language: Language,
        start: &Start<'_>,
        api: Option<OwnedFd>,
        memory: u64,
    ) -> Result<Self, String> {
        let source = fs::read(start.path).map_err(|error| program::explain(start.path, start.directory, &error))?;
        let (path, args, env) = (start.path.to_owned(), start.args.to_vec(), start.env.to_vec());
        Ok(Self { language, path, args, env, source, api: api.map(UnixStream::from), memory })
    }

    /// Starts the script in a process of its own, with a process group of its own; its number.
    pub(crate) fn fork(mut self, start: &Start<'_>) -> Result<u32, String> {
        let path = start.path;
        let child = process::fork_with(Namespaces::default(), false, || {
            let entered = enter(start).and_then(|()| self.leave_worker());
            let code = match entered {
                Ok(()) => {
                    let client = self.api.take().map(Client::lines);
                    self.run(client, Rc::new(|code| std::process::exit(code)))
                }
                Err(error) => {
                    eprintln!("{path}: it could not be started: {error}");
                    TaskRetVal::MECHANISM_FAIL.0
                }
            };
            // As the kernel does with every exit status.
            code.to_le_bytes()[0]
        });
        child.map(|child| child.pid).map_err(|errno| format!("`{path}` could not be started: clone: {errno}"))
    }

    /// Leaves everything of the worker behind.
    fn leave_worker(&self) -> Result<(), String> {
        setpgid(Pid::from_raw(0), Pid::from_raw(0)).map_err(|errno| format!("setpgid: {errno}"))?;
        let kept = self.api.iter().map(|api| api as &dyn AsFd).collect::<Vec<_>>();
        confine::close_others(&kept, 3).map_err(|error| error.to_string())
    }

    /// Runs the script on this thread; its status.
    pub(crate) fn run(self, client: Option<Client>, leave: Leave) -> i32 {
        let message = Message::from_environment(&self.env);
        let robot = client.map(|client| Robot::new(Arc::new(client), message.clone()));
        let script = Script {
            path: &self.path,
            source: &self.source,
            args: &self.args,
            libraries: &libraries(&self.env),
            message,
            robot,
            memory: self.memory,
            leave,
        };
        let status = (self.language.interpreter)(&script).unwrap_or_else(|problem| {
            eprintln!("{problem}");
            TaskRetVal::MECHANISM_FAIL.0
        });
        // The end of this process flushes nothing.
        let _ = std::io::stdout().flush();
        status
    }
}

/// Makes input, output, environment and directory those of the script.
pub(crate) fn enter(start: &Start<'_>) -> Result<(), String> {
    let step = |what: &'static str| move |errno: Errno| format!("{what}: {errno}");
    dup2_stdin(&start.stdin).map_err(step("dup2"))?;
    dup2_stdout(&start.stdout).map_err(step("dup2"))?;
    dup2_stderr(&start.stderr).map_err(step("dup2"))?;
    process::end_at_broken_pipes().map_err(step("signal"))?;
    process::set_environment(start.env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    std::env::set_current_dir(start.directory).map_err(|e| format!("{}: {e}", start.directory.display()))
}

/// Where libraries are looked for: the install tree, then the robot.
fn libraries(env: &[(String, String)]) -> Vec<String> {
    let value = |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let trees = ["GOPHER_INSTALLDIR", "GOPHER_CONFIGDIR"].into_iter().filter_map(value);
    trees.map(|tree| Path::new(tree).join("lib").to_string_lossy().into_owned()).collect()
}

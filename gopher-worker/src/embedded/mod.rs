//! Extensions whose language is built in.
//!
//! A script has the first thread of the run's process for itself; what serves it, once it needs that, has another. A
//! shell's script that starts others runs in a fork of that process, which keeps nothing of it but its input and output
//! and the descriptor of the Robot API.

mod arguments;
pub(crate) mod attention;
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
    attention::call();
    let written = std::io::stdout().write_all(yaml);
    written.map(|()| TaskRetVal::NORMAL.0).map_err(|error| format!("the default configuration is lost: {error}"))
}

/// Runs a script to its end: its exit status, or what was wrong with it, for the run's log. Asked for its default
/// configuration, it prints that.
type Interpreter = fn(&Script<'_>) -> Result<i32, String>;

/// The same, once.
type Run = Box<dyn FnOnce(&Script<'_>) -> Result<i32, String>>;

/// A script that is read.
struct Ready {
    run: Run,
    /// It may replace its process and leave others behind.
    own_process: bool,
    /// It says when it needs somebody beside it ([`attention`]).
    calls: bool,
}

impl Ready {
    /// To be read when it runs.
    fn as_it_is(interpreter: Interpreter) -> Self {
        Self { run: Box::new(interpreter), own_process: false, calls: true }
    }
}

/// A language that is built in.
#[derive(Clone, Copy)]
pub(crate) struct Language {
    /// Reads the script of a path.
    read: fn(&str, &[u8]) -> Ready,
    /// Its scripts have their parameters in the environment.
    pub(crate) is_shell: bool,
}

pub(crate) fn language(runtime: &Runtime) -> Option<Language> {
    match runtime {
        Runtime::Lua => Some(Language { read: |_, _| Ready::as_it_is(lua::run), is_shell: false }),
        Runtime::JavaScript => Some(Language { read: |_, _| Ready::as_it_is(javascript::run), is_shell: false }),
        Runtime::Gsh => Some(Language { read: gsh::read, is_shell: true }),
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
    script: Ready,
    path: String,
    args: Vec<String>,
    message: Message,
    libraries: Vec<String>,
    source: Vec<u8>,
    memory: u64,
}

impl Task {
    /// Reads the script; a whole sentence on why it cannot run.
    pub(crate) fn read(language: Language, start: &Start<'_>, memory: u64) -> Result<Self, String> {
        let source = fs::read(start.path).map_err(|error| program::explain(start.path, start.directory, &error))?;
        let script = (language.read)(start.path, &source);
        Ok(Self {
            script,
            path: start.path.to_owned(),
            args: start.args.to_vec(),
            message: Message::from_environment(start.env),
            libraries: libraries(start.env),
            source,
            memory,
        })
    }

    /// It cannot run on a thread of the run's first process.
    pub(crate) fn needs_process(&self) -> bool {
        self.script.own_process
    }

    /// Somebody has to be beside it from its beginning.
    pub(crate) fn needs_somebody(&self) -> bool {
        !self.script.calls
    }

    /// Starts the script in a process of its own, with a process group of its own; its number. It asks the robot on
    /// `api`, if it has one.
    pub(crate) fn fork(self, start: &Start<'_>, api: Option<OwnedFd>) -> Result<u32, String> {
        let path = start.path;
        let child = process::fork_with(Namespaces::default(), false, || {
            let entered = enter(start).and_then(|()| leave_worker(api.as_ref()));
            let code = match entered {
                Ok(()) => {
                    let client = api.map(UnixStream::from).map(Client::lines);
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

    /// Runs the script on this thread; its status.
    pub(crate) fn run(self, client: Option<Client>, leave: Leave) -> i32 {
        let robot = client.map(|client| Robot::new(Arc::new(client), self.message.clone()));
        let script = Script {
            path: &self.path,
            source: &self.source,
            args: &self.args,
            libraries: &self.libraries,
            message: self.message,
            robot,
            memory: self.memory,
            leave,
        };
        let status = (self.script.run)(&script).unwrap_or_else(|problem| {
            attention::call();
            eprintln!("{problem}");
            TaskRetVal::MECHANISM_FAIL.0
        });
        // The end of this process flushes nothing. Who has printed has called somebody.
        if attention::patience().is_none() {
            let _ = std::io::stdout().flush();
        }
        status
    }
}

/// Leaves everything of the worker behind but `api`.
fn leave_worker(api: Option<&OwnedFd>) -> Result<(), String> {
    setpgid(Pid::from_raw(0), Pid::from_raw(0)).map_err(|errno| format!("setpgid: {errno}"))?;
    let kept = api.map(|api| api as &dyn AsFd).into_iter().collect::<Vec<_>>();
    confine::close_others(&kept, 3).map_err(|error| error.to_string())
}

/// Makes input, output, environment and directory those of the script.
pub(crate) fn enter(start: &Start<'_>) -> Result<(), String> {
    let step = |what: &'static str| move |errno: Errno| format!("{what}: {errno}");
    dup2_stdin(&start.stdin).map_err(step("dup2"))?;
    dup2_stdout(&start.stdout).map_err(step("dup2"))?;
    dup2_stderr(&start.stderr).map_err(step("dup2"))?;
    process::end_at_broken_pipes().map_err(step("signal"))?;
    process::set_environment(start.env.iter().copied());
    std::env::set_current_dir(start.directory).map_err(|e| format!("{}: {e}", start.directory.display()))
}

/// Where libraries are looked for: the install tree, then the robot.
fn libraries(env: &[(&str, &str)]) -> Vec<String> {
    let value = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
    let trees = ["GOPHER_INSTALLDIR", "GOPHER_CONFIGDIR"].into_iter().filter_map(value);
    trees.map(|tree| Path::new(tree).join("lib").to_string_lossy().into_owned()).collect()
}

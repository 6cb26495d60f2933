//! The built-in utilities as commands of the shell. They block, and know nothing of it: what they read and write, the
//! working directory and the exported variables are handed to them, and they start other commands through it.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    thread,
};

use brush_core::{
    CommandArg, Error, ExecutionContext, ExecutionParameters, ExecutionResult, Shell,
    commands::{ShellForCommand, SimpleCommand},
    openfiles::OpenFiles,
};
use gopher_utilities::{Call, Io, Utility, utility};
use tokio::runtime::Handle;

use super::{
    builtins::{Done, blocking, unread, words},
    problem::{Extensions, place},
};

/// The status of a program that nobody reads any more.
const UNREAD: u8 = 141;

/// The names of the utilities, unless the shell has such a command in itself.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    gopher_utilities::names().filter(|name| *name != "pwd")
}

/// Runs the utility of the command's name.
pub(super) fn run(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Done<'_> {
    Box::pin(async move {
        let Some(utility) = utility(&context.command_name) else { return Ok(ExecutionResult::new(127)) };
        let words = words(&args);
        let status = blocking(|| match context.command_name.as_str() {
            "which" => which(&context, &words),
            _ => Ok(start(utility, context.shell, &context.params, &words)),
        })?;
        if status == UNREAD { Ok(unread(context.shell)) } else { Ok(ExecutionResult::new(status)) }
    })
}

fn start(utility: Utility, shell: &mut Shell<Extensions>, params: &ExecutionParameters, words: &[String]) -> u8 {
    let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    let exported = shell.env().iter_exported().filter(|(_, variable)| variable.value().is_set());
    let text = |(name, variable): (&String, &brush_core::ShellVariable)| {
        (name.clone(), variable.value().to_cow_str(shell).into_owned())
    };
    let environment: Vec<(String, String)> = exported.map(text).collect();
    let directory = shell.working_dir().to_owned();
    let mut stdin: Box<dyn Read> = match params.try_stdin(shell) {
        Some(file) => Box::new(file),
        None => Box::new(io::empty()),
    };
    let mut stdout = params.stdout(shell);
    let mut stderr = params.stderr(shell);
    let mut run = |call: Call<'_>| started(shell, params, call);
    utility(
        &arguments,
        &mut Io {
            stdin: &mut *stdin,
            stdout: &mut stdout,
            stderr: &mut stderr,
            directory: &directory,
            environment: &environment,
            run: &mut run,
        },
    )
}

/// Starts a command for a utility, and waits for it.
fn started(shell: &mut Shell<Extensions>, params: &ExecutionParameters, call: Call<'_>) -> u8 {
    let Call { words, stdin, stdout, stderr } = call;
    let mut status = 126;
    let fed = || -> io::Result<()> {
        let (their_stdin, mut feed) = io::pipe()?;
        let (mut output, their_stdout) = io::pipe()?;
        let (mut problems, their_stderr) = io::pipe()?;
        let mut params = params.clone();
        params.set_fd(OpenFiles::STDIN_FD, their_stdin.into());
        params.set_fd(OpenFiles::STDOUT_FD, their_stdout.into());
        params.set_fd(OpenFiles::STDERR_FD, their_stderr.into());
        let words: Vec<CommandArg> =
            words.iter().map(|word| CommandArg::String(word.to_string_lossy().into_owned())).collect();
        let name = words.first().map(ToString::to_string).unwrap_or_default();
        thread::scope(|scope| {
            // A command need not read what it is fed.
            scope.spawn(move || feed.write_all(&stdin));
            let output = scope.spawn(move || {
                let mut text = Vec::new();
                output.read_to_end(&mut text).map(|_| text)
            });
            let problems = scope.spawn(move || {
                let mut text = Vec::new();
                problems.read_to_end(&mut text).map(|_| text)
            });
            let shell = ShellForCommand::ParentShell(shell);
            status = Handle::current().block_on(async {
                match SimpleCommand::new(shell, params, name, words).execute().await {
                    Ok(spawned) => match spawned.wait().await {
                        Ok(ended) => u8::from(ExecutionResult::from(ended).exit_code),
                        Err(_) => 126,
                    },
                    Err(_) => 127,
                }
            });
            if let Ok(text) = output.join() {
                stdout.write_all(&text?)?;
            }
            if let Ok(text) = problems.join() {
                stderr.write_all(&text?)?;
            }
            Ok(())
        })
    };
    match fed() {
        Ok(()) => status,
        Err(_) => 126,
    }
}

/// Where commands are found: in the shell, or as programs.
fn which(context: &ExecutionContext<'_, Extensions>, words: &[String]) -> Result<u8, Error> {
    let mut stdout = context.stdout();
    let mut status = u8::from(words.is_empty());
    if words.is_empty() {
        writeln!(context.stderr(), "{}: usage: which name…", place(context.shell))?;
    }
    for name in words {
        if context.shell.builtins().contains_key(name) {
            writeln!(stdout, "{name} (gsh builtin)")?;
        } else if let Some(path) = context.shell.find_first_executable_in_path(name) {
            writeln!(stdout, "{}", path.display())?;
        } else {
            status = 1;
        }
    }
    Ok(status)
}

//! The commands that the shell has beside the usual ones, and those of the usual ones that are mended from outside.

use std::{
    collections::HashMap,
    io::{ErrorKind, Write as _},
    path::Path,
    sync::OnceLock,
};

use brush_builtins::BuiltinSet;
use brush_core::{
    CommandArg, Error, ExecutionContext, ExecutionControlFlow, ExecutionExitCode, ExecutionResult, Shell,
    ShellVariable, SourceInfo,
    builtins::{BoxFuture, ContentOptions, ContentType, Registration},
    commands::{ShellForCommand, SimpleCommand},
};
use gopher_protocol::robot_api::MessageFormat;
use serde_json::Value;

use super::{
    commands::{self, USAGE},
    context::Context,
    problem::{Extensions, place},
    rewrite::{CALL, RUN, Rewriter},
    time, utilities,
};
use crate::embedded::arguments;

pub(super) type Builtins = HashMap<String, Registration<Extensions>>;
pub(super) type Done<'a> = BoxFuture<'a, Result<ExecutionResult, Error>>;
type Run = for<'a> fn(ExecutionContext<'a, Extensions>, Vec<CommandArg>) -> Done<'a>;

/// Where a script leaves the format of its messages.
const FORMAT: &str = "GBOT_MESSAGE_FORMAT";

/// How deep files may source each other.
const DEEPEST: usize = 64;

/// All commands of a new shell.
pub(super) fn all() -> &'static Builtins {
    static ALL: OnceLock<Builtins> = OnceLock::new();
    ALL.get_or_init(named)
}

fn named() -> Builtins {
    let mut all = usual().clone();
    all.extend(utilities::names().map(|name| (name.to_owned(), registered(utilities::run))));
    for (name, run) in [
        (RUN, run_kept as Run),
        (CALL, call),
        ("eval", eval),
        ("source", source),
        (".", source),
        ("echo", writing),
        ("printf", printf),
        ("read", waiting),
        ("mapfile", waiting),
        ("readarray", waiting),
        ("MessageFormat", message_format),
        ("message-format", message_format),
        ("message_format", message_format),
        ("messageformat", message_format),
    ] {
        all.insert(name.to_owned(), registered(run));
    }
    all.extend(commands::spellings().map(|(name, _)| (name, registered(robot))));
    all
}

fn registered(execute_func: Run) -> Registration<Extensions> {
    Registration {
        execute_func,
        content_func: help,
        disabled: false,
        special_builtin: false,
        declaration_builtin: false,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shell's own type")]
fn help(name: &str, _: ContentType, _: &ContentOptions) -> Result<String, Error> {
    Ok(format!("{name}: see the manual\n"))
}

/// The shell's own commands, as they come.
fn usual() -> &'static Builtins {
    static USUAL: OnceLock<Builtins> = OnceLock::new();
    USUAL.get_or_init(|| brush_builtins::default_builtins(BuiltinSet::BashMode))
}

pub(super) fn words(args: &[CommandArg]) -> Vec<String> {
    args.iter().skip(1).map(ToString::to_string).collect()
}

/// Lets others work on this thread's tasks meanwhile.
pub(super) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

/// Nobody reads any more: a part of a pipeline ends, as the signal would end it.
pub(super) fn unread(shell: &Shell<Extensions>) -> ExecutionResult {
    let mut result = ExecutionResult::from(ExecutionExitCode::BrokenPipe);
    if shell.is_subshell() {
        result.next_control_flow = ExecutionControlFlow::ExitShell;
    }
    result
}

/// A command of the Robot.
fn robot(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Done<'_> {
    Box::pin(async move {
        let Some(command) = commands::find(&context.command_name) else {
            return Ok(ExecutionExitCode::NotFound.into());
        };
        let format = context.shell.env_str(FORMAT).and_then(|name| MessageFormat::parse(&name));
        let outcome = blocking(|| {
            let run = Context::current();
            command.call(run.as_ref().and_then(|run| run.robot()), &words(&args), format)
        });
        if !outcome.problem.is_empty() {
            // Whoever has closed the log's end wants no log.
            let _ = writeln!(context.stderr(), "{}: {}", place(context.shell), outcome.problem);
        }
        for (name, value) in outcome.variables {
            context.shell.env_mut().set_global(name, ShellVariable::new(value))?;
        }
        if !outcome.output.is_empty() {
            let mut stdout = context.stdout();
            match blocking(|| stdout.write_all(outcome.output.as_bytes()).and_then(|()| stdout.flush())) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(unread(context.shell)),
                written => written?,
            }
        }
        Ok(ExecutionResult::new(outcome.status))
    })
}

/// Chooses the format of the messages that follow.
fn message_format(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Done<'_> {
    Box::pin(async move {
        let given = words(&args);
        let chosen = match &given[..] {
            [name] => match name.parse::<u8>() {
                Ok(number) => arguments::format(&Value::from(number)),
                Err(_) => MessageFormat::parse(name),
            },
            _ => None,
        };
        let Some(format) = chosen else {
            let usage = "usage: MessageFormat raw|fixed|variable|basicmarkdown";
            let _ = writeln!(context.stderr(), "{}: {usage}", place(context.shell));
            return Ok(ExecutionResult::new(USAGE));
        };
        let mut variable = ShellVariable::new(format.name());
        variable.export();
        context.shell.env_mut().set_global(FORMAT, variable)?;
        Ok(ExecutionResult::success())
    })
}

/// Runs a piece of a script that was kept under a number.
fn run_kept(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Done<'_> {
    Box::pin(async move {
        let number = words(&args).first().and_then(|word| word.parse().ok());
        let program = Context::current().and_then(|run| run.kept(number?));
        let Some(program) = program else { return Ok(ExecutionExitCode::NotFound.into()) };
        let result = context.shell.run_program((*program).clone(), &context.params).await?;
        Ok(result.exit_code.into())
    })
}

/// Runs a command that may be a function as a stage of a pipeline.
fn call(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Done<'_> {
    Box::pin(async move {
        let args: Vec<CommandArg> = args.into_iter().skip(1).collect();
        let Some(name) = args.first().map(ToString::to_string) else { return Ok(ExecutionResult::success()) };
        let shell = ShellForCommand::ParentShell(context.shell);
        let spawned = SimpleCommand::new(shell, context.params, name, args).execute().await?;
        Ok(ExecutionResult::from(spawned.wait().await?).exit_code.into())
    })
}

/// Runs text as if it stood here.
fn eval(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Done<'_> {
    Box::pin(async move {
        let line = context.shell.call_stack().current_frame().and_then(brush_core::callstack::Frame::current_line);
        let text = format!("{}{}", "\n".repeat(line.map_or(0, |line| line.saturating_sub(1))), words(&args).join(" "));
        match context.shell.parse_string(text.as_str()) {
            Ok(mut program) => {
                rewrite(context.shell, |rewriter| rewriter.program(&mut program));
                context.shell.run_program(program, &context.params).await
            }
            // It tells what is wrong.
            Err(_) => context.shell.run_string(text, &SourceInfo::default(), &context.params).await,
        }
    })
}

/// Changes what a shell is about to run.
pub(super) fn rewrite<T>(shell: &Shell<Extensions>, change: impl FnOnce(&mut Rewriter<'_>) -> T) -> Option<T> {
    let known = |name: &str| shell.builtins().contains_key(name);
    let options = shell.parser_options();
    let context = Context::current()?;
    Some(change(&mut Rewriter::new(&context, &options, &known)))
}

/// Runs a file here. The client library of bash is what this shell has already.
fn source(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Done<'_> {
    Box::pin(async move {
        let given = words(&args);
        let Some((path, rest)) = given.split_first() else {
            let _ = writeln!(context.stderr(), "{}: usage: source file [argument…]", place(context.shell));
            return Ok(ExecutionResult::new(USAGE));
        };
        let path = Path::new(path);
        if path.file_name().is_some_and(|name| name == "gopherbot_v1.sh" || name == "gopherbot_v1.gsh") {
            return Ok(ExecutionResult::success());
        }
        if context.shell.call_stack().script_source_depth() >= DEEPEST {
            let _ = writeln!(context.stderr(), "{}: files source each other too deep", place(context.shell));
            return Ok(ExecutionResult::general_error());
        }
        let path = if path == Path::new("/dev/stdin") { Path::new("/dev/fd/0") } else { path };
        let ExecutionContext { shell, params, .. } = context;
        let had: Vec<String> = shell.funcs().iter().map(|(name, _)| name.clone()).collect();
        let result = shell.source_script(path, rest.iter(), &params).await;
        let new: Vec<_> = shell
            .funcs()
            .iter()
            .filter(|(name, _)| !had.contains(name))
            .map(|(name, function)| (name.clone(), function.definition().clone(), function.source().clone()))
            .collect();
        for (name, mut definition, info) in new {
            if rewrite(shell, |rewriter| rewriter.function(&mut definition)) == Some(true) {
                shell.define_func(name, definition, &info);
            }
        }
        result
    })
}

/// One of the usual commands that writes.
fn writing(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Done<'_> {
    Box::pin(async move {
        let at_end = unread(context.shell);
        match as_usual(context, args).await {
            Err(error) if error.as_io_error().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe) => Ok(at_end),
            result => result,
        }
    })
}

/// `printf` with times.
fn printf(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Done<'_> {
    let args = match time::expand(&args.iter().map(ToString::to_string).collect::<Vec<_>>()) {
        Some(words) => words.into_iter().map(CommandArg::from).collect(),
        None => args,
    };
    writing(context, args)
}

/// One of the usual commands that waits for input.
fn waiting(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Done<'_> {
    Box::pin(async move {
        let handle = tokio::runtime::Handle::current();
        blocking(|| handle.block_on(as_usual(context, args)))
    })
}

async fn as_usual(context: ExecutionContext<'_, Extensions>, args: Vec<CommandArg>) -> Result<ExecutionResult, Error> {
    match usual().get(&context.command_name) {
        Some(registration) => (registration.execute_func)(context, args).await,
        None => Ok(ExecutionExitCode::NotFound.into()),
    }
}

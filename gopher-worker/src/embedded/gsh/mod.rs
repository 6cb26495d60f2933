//! The shell, in bash's language, with the Robot's methods as commands (spec: Robot API §3.5).

mod builtins;
mod commands;
mod context;
mod problem;
mod rewrite;
pub(super) mod syntax;
mod time;
mod utilities;

use std::{
    sync::Arc,
    thread::{self, ScopedJoinHandle},
};

use brush_core::{
    Error, ExecutionControlFlow, ProfileLoadBehavior, RcLoadBehavior, Shell, ShellState, ShellValue, ShellVariable,
    callstack::FrameType, traps::TrapSignal,
};
use gopher_protocol::robot_api::RetVal;
use gopher_sys::process;
use tokio::runtime::{Builder, Runtime};

use self::{context::Context, problem::Extensions};
use super::Script;

/// Threads that run the parts of a script that go on side by side; what waits gets more.
const WORKERS: usize = 2;
/// What functions that call each other may use of a thread's memory.
const STACK: usize = 16 << 20;
/// How deep functions may call each other, so that `STACK` is enough.
const DEEPEST: usize = 200;

/// Has ready what every shell needs.
pub(super) fn warm_up() {
    builtins::warm_up();
}

/// Runs a script: its exit status is the run's, and what it prints is its default configuration when it is asked for that.
pub(super) fn run(script: &Script<'_>) -> Result<i32, String> {
    let name = script.name();
    let lacking = |what: &dyn std::fmt::Display| format!("the shell could not be started for '{name}': {what}");
    process::survive_broken_pipes().map_err(|errno| lacking(&errno))?;
    let context = Context::new(script.path, script.robot.clone());
    let runtime = runtime(&context).map_err(|error| lacking(&error))?;
    let (path, args) = (script.path, script.args);
    let running = || {
        context.enter();
        runtime.block_on(async {
            let mut shell = shell(path, args).await.map_err(|error| lacking(&error))?;
            execute(&mut shell, script.source, path, name).await
        })
    };
    let status = thread::scope(|scope| {
        let started = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, running);
        let ended = started.map(ScopedJoinHandle::join).map_err(|error| lacking(&error))?;
        ended.unwrap_or_else(|_| Err(lacking(&"it ended by a mistake of its own")))
    });
    // Whatever still runs ends with the process.
    runtime.shutdown_background();
    status
}

fn runtime(context: &Arc<Context>) -> std::io::Result<Runtime> {
    let context = Arc::clone(context);
    Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_stack_size(STACK)
        .on_thread_start(move || context.enter())
        .enable_all()
        .build()
}

async fn shell(path: &str, args: &[String]) -> Result<Shell<Extensions>, Error> {
    let constants = RetVal::ALL.iter().map(|ret| (format!("GBRET_{}", ret.name()), ret.number()));
    let statuses =
        [("Normal", 0), ("Fail", 1), ("MechanismFail", 2), ("ConfigurationError", 3), ("NotFound", 6), ("Success", 7)];
    let constants = constants.chain(statuses.map(|(name, number)| (format!("PLUGRET_{name}"), number)));
    let mut builder = Shell::builder_with_extensions::<Extensions>().builtins(builtins::all());
    for (name, number) in constants {
        builder = builder.var(name, ShellVariable::new(number.to_string()));
    }
    let sources = ShellValue::Dynamic { getter: sources, setter: |_| () };
    builder
        .var("BASH_SOURCE", ShellVariable::new(sources))
        .profile(ProfileLoadBehavior::Skip)
        .rc(RcLoadBehavior::Skip)
        .shell_name(path.to_owned())
        .shell_args(args.to_vec())
        .max_function_call_depth(DEEPEST)
        .build()
        .await
}

/// The files of the functions and sourced files that run, then the script's own.
fn sources(shell: &dyn ShellState) -> ShellValue {
    let own = || shell.current_shell_name().map(std::borrow::Cow::into_owned).unwrap_or_default();
    let frames = shell.call_stack().iter().filter_map(|frame| match &frame.frame_type {
        FrameType::Script(script) => Some(script.source_info.source.clone()),
        FrameType::Function(call) => Some(call.function.source().source.clone()),
        _ => None,
    });
    let named = frames.map(|source| if source == problem::COMMAND_STRING { own() } else { source });
    named.chain([own()]).collect::<Vec<String>>().into()
}

async fn execute(shell: &mut Shell<Extensions>, source: &[u8], path: &str, name: &str) -> Result<i32, String> {
    let mut program = shell
        .parse_string(String::from_utf8_lossy(source))
        .map_err(|error| format!("gsh error in script '{name}': {path}{}", problem::of_syntax(&error, source)))?;
    builtins::rewrite(shell, |rewriter| rewriter.program(&mut program));
    let params = shell.default_exec_params();
    shell.start_command_string_mode();
    let result = shell.run_program(program, &params).await;
    let result = result.map_err(|error| format!("gsh error in script '{name}': {error}"))?;
    let status = u8::from(result.exit_code);
    shell.set_last_exit_status(status);
    let last = on_exit(shell).await.unwrap_or_else(|error| {
        eprintln!("{path}: the exit trap failed: {error}");
        None
    });
    Ok(i32::from(last.unwrap_or(status)))
}

/// Runs the trap of the script's end; the status, if the trap itself asks for one.
async fn on_exit(shell: &mut Shell<Extensions>) -> Result<Option<u8>, Error> {
    let Some(trap) = shell.traps().get_handler(TrapSignal::Exit).cloned() else { return Ok(None) };
    // It is not run by an end that it asks for.
    shell.traps_mut().remove_handlers(TrapSignal::Exit);
    let params = shell.default_exec_params();
    let result = shell.run_string(trap.command, &trap.source_info, &params).await?;
    let asked = matches!(result.next_control_flow, ExecutionControlFlow::ExitShell);
    Ok(asked.then(|| u8::from(result.exit_code)))
}

#[cfg(test)]
mod tests;

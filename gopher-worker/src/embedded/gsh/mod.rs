//! The shell, in bash's language, with the Robot's methods as commands (spec: Robot API §3.5).

mod builtins;
mod commands;
mod context;
mod needs;
mod problem;
mod rewrite;
pub(super) mod syntax;
mod time;
mod utilities;

use std::{
    cell::RefCell,
    pin::pin,
    sync::Arc,
    task::{self, Poll, Waker},
    thread::{self, ScopedJoinHandle},
};

use brush_core::{
    Error, ExecutionControlFlow, ProfileLoadBehavior, RcLoadBehavior, Shell, ShellBuilder, ShellState, ShellValue,
    ShellVariable,
    callstack::FrameType,
    parser::{ParseError, ast::Program},
    traps::TrapSignal,
};
use brush_parser::{Parser, ParserOptions};
use gopher_protocol::robot_api::RetVal;
use gopher_sys::{confine, process};
use tokio::runtime::{Builder, Runtime};

use self::{context::Context, needs::Needs, problem::Extensions, rewrite::Rewriter};
use super::{Ready, Script};

/// Threads that run the parts of a script that go on side by side; what waits gets more.
const WORKERS: usize = 2;
/// What functions that call each other may use of a thread's memory.
const STACK: usize = 16 << 20;
/// How deep functions may call each other, so that `STACK` is enough.
const DEEPEST: usize = 200;

thread_local! {
    /// A shell that is to come: a spawner has it ready, and its runs inherit it.
    static READY: RefCell<Option<ShellBuilder<Extensions>>> = const { RefCell::new(None) };
}

/// Has ready what every shell needs.
pub(super) fn warm_up() {
    commands::warm_up();
    // What is made for the first script, the patterns that most have among it, is there for all others.
    let Parsed { program, .. } = Parsed::new("", b"case a in _configure) ;; _init) ;; *) ;; esac");
    if let Ok(program) = program {
        let _ = at_once(async { execute(&mut shell(to_come(), "", &[]).await.ok()?, program, "", "").await.ok() });
    }
    READY.set(Some(to_come()));
}

/// A script that is read, and as yet without a robot.
struct Parsed {
    context: Arc<Context>,
    program: Result<Program, ParseError>,
    needs: Needs,
}

/// Reads a script. One that starts nothing needs no process of its own.
pub(super) fn read(path: &str, source: &[u8]) -> Ready {
    let parsed = Parsed::new(path, source);
    Ready { own_process: parsed.needs == Needs::Process, calls: false, run: Box::new(|script| parsed.run(script)) }
}

impl Parsed {
    fn new(path: &str, source: &[u8]) -> Self {
        let context = Context::new(path);
        let text = String::from_utf8_lossy(source);
        let options = ParserOptions::default();
        let mut program = Parser::new(text.as_bytes(), &options).parse_program();
        let known = |name: &str| builtins::all().contains_key(name);
        let mut rewriter = Rewriter::new(&context, &options, &known);
        let needs = program.as_mut().map_or(Needs::Nothing, |program| {
            rewriter.program(program);
            rewriter.needs(&text)
        });
        Self { context, program, needs }
    }

    /// Runs the script: its exit status is the run's, and what it prints is its default configuration when it is asked
    /// for that.
    fn run(self, script: &Script<'_>) -> Result<i32, String> {
        let Self { context, program, needs } = self;
        let (path, name) = (script.path, script.name());
        let program = program.map_err(|error| {
            format!("gsh error in script '{name}': {path}{}", problem::of_syntax(&error, script.source))
        })?;
        let lacking = |what: &dyn std::fmt::Display| format!("the shell could not be started for '{name}': {what}");
        process::survive_broken_pipes().map_err(|errno| lacking(&errno))?;
        if let Some(robot) = &script.robot {
            context.give(robot.clone());
        }
        let ready = READY.take().unwrap_or_else(to_come);
        let running = async {
            let mut shell = shell(ready, path, script.args).await.map_err(|error| lacking(&error))?;
            execute(&mut shell, program, path, name).await
        };
        if needs == Needs::Nothing {
            confine::deepen_stack(STACK as u64).map_err(|error| lacking(&error))?;
            context.enter();
            return alone(running).map_err(|error| lacking(&error))?;
        }
        let runtime = runtime(&context).map_err(|error| lacking(&error))?;
        let status = thread::scope(|scope| {
            let running = || {
                context.enter();
                runtime.block_on(running)
            };
            let started = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, running);
            let ended = started.map(ScopedJoinHandle::join).map_err(|error| lacking(&error))?;
            ended.unwrap_or_else(|_| Err(lacking(&"it ended by a mistake of its own")))
        });
        // Whatever still runs ends with the process.
        runtime.shutdown_background();
        status
    }
}

/// Runs what waits for nothing but this thread. What is started beside it all the same, because somebody's words are
/// evaluated, is an error: there is nothing to run it.
fn alone<T>(running: impl Future<Output = T>) -> std::io::Result<T> {
    let ended = Builder::new_current_thread().enable_io().build()?;
    let handle = ended.handle().clone();
    drop(ended);
    let _entered = handle.enter();
    Ok(at_once(running))
}

/// Runs what waits for nobody.
fn at_once<T>(running: impl Future<Output = T>) -> T {
    let mut running = pin!(running);
    loop {
        if let Poll::Ready(ended) = running.as_mut().poll(&mut task::Context::from_waker(Waker::noop())) {
            return ended;
        }
        thread::yield_now();
    }
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

/// A shell with everything that is the same for all scripts.
fn to_come() -> ShellBuilder<Extensions> {
    let constants = RetVal::ALL.iter().map(|ret| (format!("GBRET_{}", ret.name()), ret.number()));
    let statuses =
        [("Normal", 0), ("Fail", 1), ("MechanismFail", 2), ("ConfigurationError", 3), ("NotFound", 6), ("Success", 7)];
    let constants = constants.chain(statuses.map(|(name, number)| (format!("PLUGRET_{name}"), number)));
    let mut builder = Shell::builder_with_extensions::<Extensions>().builtins(builtins::all().clone());
    for (name, number) in constants {
        builder = builder.var(name, ShellVariable::new(number.to_string()));
    }
    builder.var("BASH_SOURCE", ShellVariable::new(ShellValue::Dynamic { getter: sources, setter: |_| () }))
}

async fn shell(to_come: ShellBuilder<Extensions>, path: &str, args: &[String]) -> Result<Shell<Extensions>, Error> {
    to_come
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

async fn execute(shell: &mut Shell<Extensions>, program: Program, path: &str, name: &str) -> Result<i32, String> {
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

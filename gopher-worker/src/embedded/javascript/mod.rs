//! JavaScript, with the modules of `CommonJS` (spec: Robot API §3.3).

mod api;
mod convert;
mod fetch;
mod modules;
mod problem;
pub(super) mod syntax;

use std::{
    cell::{Cell, RefCell},
    mem::ManuallyDrop,
    rc::Rc,
};

use gopher_protocol::robot_api::TaskRetVal;
use rquickjs::{Context, Ctx, Object, Persistent, Runtime, Value, context::EvalOptions};

use self::{
    api::Known,
    modules::Modules,
    problem::{Problem, Unhandled},
};
use super::{Script, attention, print_configuration};

/// Most bytes of the process's stack, which is usually eight times as large.
const STACK: usize = 1 << 20;

/// What `process.exit` was given, once it was called: nothing runs from then on.
type Exit = Rc<Cell<Option<i32>>>;

/// The completion value of a program.
enum Completion {
    Nothing,
    Number(f64),
    Flag(bool),
    Text(String),
    Other(&'static str),
}

/// Memory that is never given back: the process ends with its script.
struct Interpreter {
    runtime: ManuallyDrop<Runtime>,
    context: ManuallyDrop<Context>,
    modules: ManuallyDrop<Modules>,
    bot: ManuallyDrop<Persistent<Object<'static>>>,
    known: Known,
    exit: Exit,
    unhandled: Unhandled,
}

impl Interpreter {
    /// With everything that is the same for all scripts.
    fn fresh() -> rquickjs::Result<Self> {
        let runtime = ManuallyDrop::new(Runtime::new()?);
        runtime.set_max_stack_size(STACK);
        let exit = Exit::default();
        let asked = Rc::clone(&exit);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            attention::call_if_due();
            asked.get().is_some()
        })));
        let unhandled = Unhandled::watch(&runtime);
        let context = ManuallyDrop::new(Context::full(&runtime)?);
        let known = Known::default();
        let (modules, bot) = context.with(|ctx| {
            let bot = api::methods(&ctx, &known)?;
            Ok::<_, rquickjs::Error>((Modules::prepare(&ctx, &exit)?, Persistent::save(&ctx, bot)))
        })?;
        // Its next collection is due when a script has used half as much again.
        runtime.run_gc();
        let (modules, bot) = (ManuallyDrop::new(modules), ManuallyDrop::new(bot));
        Ok(Self { runtime, context, modules, bot, known, exit, unhandled })
    }
}

thread_local! {
    /// An interpreter that nothing has run in: a spawner has it ready, and its runs inherit it.
    static READY: RefCell<Option<Interpreter>> = const { RefCell::new(None) };
}

/// Has an interpreter ready for the runs that this process is going to be forked into.
///
/// # Errors
/// JavaScript could not be started.
pub(super) fn warm_up() -> Result<(), String> {
    let ready = Interpreter::fresh().map_err(|error| format!("JavaScript could not be started: {error}"))?;
    READY.set(Some(ready));
    Ok(())
}

/// Runs a script: its last value is its status, and its default configuration when it is asked for that.
pub(super) fn run(script: &Script<'_>) -> Result<i32, String> {
    let name = script.name();
    let ready = READY.take().map_or_else(Interpreter::fresh, Ok);
    let Interpreter { runtime, context, modules, bot, known, exit, unhandled } =
        ready.map_err(|error| format!("JavaScript could not be started for '{name}': {error}"))?;
    runtime.set_memory_limit(usize::try_from(script.memory).unwrap_or(usize::MAX));

    let (modules, methods) = (ManuallyDrop::into_inner(modules), ManuallyDrop::into_inner(bot));
    let completion = context.with(|ctx| {
        ctx.globals().set("GBOT", bot_of(&ctx, script, methods, &known)?)?;
        modules.begin(&ctx, script)?;
        evaluate(&ctx, script, &exit)
    });
    if let Some(status) = exit.get() {
        return Ok(status);
    }
    // Telling what is wrong takes memory too.
    runtime.set_memory_limit(0);
    let completion = match completion {
        Ok(completion) => unhandled.first().map_or(Ok(completion), Err),
        Err(error) => Err(context.with(|ctx| Problem::of(&ctx, script.path, error))),
    };
    let completion = completion.map_err(|problem| problem.told(name))?;
    if script.robot.is_some() { status(&completion, name) } else { configuration(completion, name) }
}

/// Without a robot only the fields of its object are there.
fn bot_of<'js>(
    ctx: &Ctx<'js>,
    script: &Script<'_>,
    methods: Persistent<Object<'static>>,
    known: &Known,
) -> rquickjs::Result<Object<'js>> {
    let methods = methods.restore(ctx)?;
    let bot = match &script.robot {
        Some(robot) => {
            known.becomes(robot.clone());
            methods
        }
        None => Object::new(ctx.clone())?,
    };
    api::fill(&bot, &script.message)?;
    Ok(bot)
}

/// Runs the program and everything that it put off.
fn evaluate(ctx: &Ctx<'_>, script: &Script<'_>, exit: &Exit) -> rquickjs::Result<Completion> {
    let mut options = EvalOptions::default();
    options.filename = Some(script.path.to_owned());
    let value: Value<'_> = ctx.eval_with_options(script.source, options)?;
    let value = match value.as_promise() {
        Some(promise) => promise.finish()?,
        None => value,
    };
    while exit.get().is_none() && ctx.execute_pending_job() {}
    Ok(if value.is_undefined() || value.is_null() {
        Completion::Nothing
    } else if let Some(flag) = value.as_bool() {
        Completion::Flag(flag)
    } else if let Some(number) = value.as_number() {
        Completion::Number(number)
    } else if let Some(text) = value.as_string() {
        Completion::Text(convert::text(text)?)
    } else {
        Completion::Other(value.type_name())
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a status is a small number, or none that anybody knows")]
fn status(completion: &Completion, name: &str) -> Result<i32, String> {
    let kind = match completion {
        Completion::Nothing | Completion::Flag(true) => return Ok(TaskRetVal::NORMAL.0),
        Completion::Flag(false) => return Ok(TaskRetVal::FAIL.0),
        Completion::Number(number) => return Ok(*number as i32),
        Completion::Text(_) => "string",
        Completion::Other(kind) => kind,
    };
    Err(format!(
        "JavaScript runtime error in '{name}': its last value is no status but a value of type {kind}: \
         end with one of `task`, true, false or undefined"
    ))
}

fn configuration(completion: Completion, name: &str) -> Result<i32, String> {
    let kind = match completion {
        Completion::Text(yaml) => return print_configuration(yaml.as_bytes()),
        Completion::Nothing => "undefined",
        Completion::Number(_) => "a number",
        Completion::Flag(_) => "a boolean",
        Completion::Other(kind) => kind,
    };
    Err(format!("JavaScript '{name}' ended with no default configuration but {kind} for _configure: end with a string"))
}

#[cfg(test)]
mod tests;

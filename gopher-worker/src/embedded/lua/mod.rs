//! Lua 5.1 (spec: Robot API §3.2).

mod api;
mod convert;
mod modules;
pub(super) mod syntax;

use std::{cell::RefCell, mem::ManuallyDrop, rc::Rc};

use gopher_protocol::robot_api::TaskRetVal;
use mlua::{Lua, LuaOptions, MultiValue, StdLib, Value};

use super::{Script, attention, print_configuration, robot::Message};

thread_local! {
    /// An interpreter that nothing has run in: a spawner has it ready, and its runs inherit it.
    static READY: RefCell<Option<Lua>> = const { RefCell::new(None) };
}

/// Has an interpreter ready for the runs that this process is going to be forked into.
///
/// # Errors
/// Lua could not be started.
pub(super) fn warm_up() -> Result<(), String> {
    let lua = fresh().map_err(|error| format!("Lua could not be started: {error}"))?;
    READY.set(Some(lua));
    Ok(())
}

/// Runs a script: what it returns is its status, and its default configuration when it is asked for that.
pub(super) fn run(script: &Script<'_>) -> Result<i32, String> {
    let wrong = |error: mlua::Error| format!("Lua error in script '{}': {error}", script.name());
    // The process ends with the script: what is left in memory needs no tidying up.
    let lua = ManuallyDrop::new(prepare(script).map_err(wrong)?);
    let chunk = lua.load(script.source).set_name(format!("@{}", script.path));
    // `eval` would try first whether the file is an expression.
    let returned = chunk.call::<MultiValue>(());
    flush(&lua);
    let first = returned.map_err(wrong)?.into_iter().next().unwrap_or(Value::Nil);
    if script.robot.is_some() {
        return Ok(status(&first));
    }
    match first {
        Value::String(yaml) => print_configuration(&yaml.as_bytes()),
        other => {
            let kind = if other.is_number() || other.is_integer() { "number" } else { other.type_name() };
            Err(format!(
                "Lua script '{}' returned no default configuration but a {kind} for _configure: return a string",
                script.name()
            ))
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a status is a small number, or none that anybody knows")]
fn status(returned: &Value) -> i32 {
    match returned {
        Value::Integer(number) => *number as i32,
        Value::Number(number) => *number as i32,
        _ => TaskRetVal::NORMAL.0,
    }
}

/// An interpreter with everything that is the same for all scripts.
fn fresh() -> mlua::Result<Lua> {
    let lua = Lua::new_with(StdLib::ALL_SAFE, LuaOptions::default())?;
    modules::install(&lua)?;
    // The first robot makes the table of its methods.
    lua.create_userdata(api::Bot::new(Message::default(), None))?;
    // Its next collection is due when a script has used as much again.
    lua.gc_collect()?;
    Ok(lua)
}

fn prepare(script: &Script<'_>) -> mlua::Result<Lua> {
    let lua = READY.take().map_or_else(fresh, Ok)?;
    let globals = lua.globals();
    let arg = lua.create_table()?;
    arg.set(-1, "gopher-worker")?;
    arg.set(0, script.path)?;
    for (index, text) in (1..).zip(script.args) {
        arg.set(index, text.as_str())?;
    }
    globals.set("arg", arg)?;
    globals.set("GBOT", api::Bot::new(script.message.clone(), script.robot.clone()))?;
    modules::search(&lua, script.libraries)?;
    modules::leaving(&lua, Rc::clone(&script.leave))?;
    // Last: with a limit each step has to be ready for the want of memory.
    lua.set_memory_limit(usize::try_from(script.memory).unwrap_or(usize::MAX))?;
    Ok(lua)
}

/// What the script printed is in the C library's buffer.
fn flush(lua: &Lua) {
    // It has printed nothing without calling somebody.
    if attention::patience().is_some() {
        return;
    }
    // A script that has replaced `io` has no output to lose.
    let _ = lua.load("io.stdout:flush()").exec();
}

#[cfg(test)]
mod tests;

//! `require`: libraries of the install tree and the robot, and the modules `http` and `json`.

use std::{cell::Cell, fs};

use mlua::{HookTriggers, Lua, MultiValue, Table, Value, VmState};
use serde_json::Value as Json;

use super::{
    convert::{to_json, to_lua},
    flush,
};
use crate::embedded::{
    Leave, attention,
    http::{self, Request, Response},
};

/// The library that most scripts begin with, as this version ships it.
const LIBRARY: (&str, &str) = ("gopherbot_v1", include_str!("../../../../packaging/share/lib/gopherbot_v1.lua"));

/// Where `require` looks for the libraries of a script.
pub(super) fn search(lua: &Lua, libraries: &[String]) -> mlua::Result<()> {
    let package: Table = lua.globals().get("package")?;
    let usual: String = package.get("path")?;
    let own = libraries.iter().flat_map(|dir| [format!("{dir}/?.lua"), format!("{dir}/?/init.lua")]);
    let path: Vec<String> = [usual].into_iter().chain(own).collect();
    package.set("path", path.join(";"))
}

pub(super) fn install(lua: &Lua) -> mlua::Result<()> {
    let package: Table = lua.globals().get("package")?;
    library_that_has_run(lua, &package)?;
    let preload: Table = package.get("preload")?;
    preload.set("json", lua.create_function(|lua, _: MultiValue| json(lua))?)?;
    preload.set("http", lua.create_function(|lua, _: MultiValue| http_module(lua))?)?;
    // Lines reach the run's log when they are printed, not when a buffer is full.
    lua.load("io.stdout:setvbuf('line')").exec()?;
    let os: Table = lua.globals().get("os")?;
    for name in ["setenv", "setlocale"] {
        os.set(
            name,
            lua.create_function(move |_, _: MultiValue| {
                attention::call();
                eprintln!("os.{name} does nothing here");
                Ok(())
            })?,
        )?;
    }
    if lua.globals().get::<Value>("debug")?.is_nil() {
        let debug = lua.create_table()?;
        debug.set(
            "traceback",
            lua.create_function(|lua, message: Option<String>| lua.traceback(message.as_deref(), 1))?,
        )?;
        lua.globals().set("debug", debug)?;
    }
    // Last: what has run until here needed nobody.
    attended(lua)
}

/// Instructions after which it is looked how long a script has been going on: some tens of microseconds.
const LOOK: u32 = 10_000;

/// Has somebody called before a script prints, reads or starts something, and when it takes long.
fn attended(lua: &Lua) -> mlua::Result<()> {
    let call = lua.create_function(|_, ()| {
        attention::call();
        Ok(())
    })?;
    lua.load(include_str!("attended.lua")).set_name("=attended").call::<()>(call)?;
    lua.set_global_hook(HookTriggers::new().every_nth_instruction(LOOK), |lua, _| {
        if attention::call_if_due() {
            lua.remove_global_hook();
        }
        Ok(VmState::Continue)
    })
}

/// Runs the library now: where `require` finds a file with this text, it need not run again.
fn library_that_has_run(lua: &Lua, package: &Table) -> mlua::Result<()> {
    let (name, text) = LIBRARY;
    let library: Table = lua.load(text).set_name(format!("@{name}.lua")).call(name)?;
    let loader = Cell::new(Some(lua.create_function(move |_, _: MultiValue| Ok(library.clone()))?));
    let searcher = lua.create_function(move |lua, wanted: String| {
        if wanted != name {
            return Ok(None);
        }
        let package: Table = lua.globals().get("package")?;
        if package.get::<Table>("preload")?.contains_key(name)? {
            return Ok(None);
        }
        let path: String = package.get("path")?;
        let found = path.split(';').find_map(|template| fs::read(template.replace('?', name)).ok());
        // Who forgets it and requires it again wants another one.
        Ok(if found.as_deref() == Some(text.as_bytes()) { loader.take() } else { None })
    })?;
    // Before all others, of which each that finds nothing has a text to make about it.
    package.get::<Table>("loaders")?.raw_insert(1, searcher)
}

/// `os.exit`: the run ends with that status; without one, or with `true`, all is well.
pub(super) fn leaving(lua: &Lua, leave: Leave) -> mlua::Result<()> {
    let os: Table = lua.globals().get("os")?;
    os.set(
        "exit",
        lua.create_function(move |lua, status: Value| {
            flush(lua);
            leave(match status {
                Value::Boolean(false) => 1,
                other => super::status(&other),
            });
            Ok(())
        })?,
    )
}

fn json(lua: &Lua) -> mlua::Result<Table> {
    let module = lua.create_table()?;
    module.set(
        "encode",
        lua.create_function(|lua, value: Value| match to_json(&value) {
            Ok(json) => Ok((Value::String(lua.create_string(json.to_string())?), Value::Nil)),
            Err(problem) => failed(lua, &problem.to_string()),
        })?,
    )?;
    module.set(
        "decode",
        lua.create_function(|lua, text: mlua::LuaString| match serde_json::from_slice::<Json>(&text.as_bytes()) {
            Ok(json) => Ok((to_lua(lua, &json)?, Value::Nil)),
            Err(error) => failed(lua, &error.to_string()),
        })?,
    )?;
    Ok(module)
}

/// Lua's way to say that something failed.
fn failed(lua: &Lua, message: &str) -> mlua::Result<(Value, Value)> {
    Ok((Value::Nil, Value::String(lua.create_string(message)?)))
}

fn http_module(lua: &Lua) -> mlua::Result<Table> {
    let module = lua.create_table()?;
    for method in ["get", "delete", "head", "patch", "post", "put"] {
        module.set(
            method,
            lua.create_function(move |lua, (url, options): (String, Option<Table>)| {
                sent(lua, method, url, options.as_ref())
            })?,
        )?;
    }
    module.set(
        "request",
        lua.create_function(|lua, (method, url, options): (String, String, Option<Table>)| {
            sent(lua, &method, url, options.as_ref())
        })?,
    )?;
    module.set("request_batch", lua.create_function(|lua, requests: Table| batch(lua, &requests))?)?;
    Ok(module)
}

fn sent(lua: &Lua, method: &str, url: String, options: Option<&Table>) -> mlua::Result<(Value, Value)> {
    match http::send(&request(method, url, options)?) {
        Ok(response) => Ok((Value::Table(shown(lua, &response)?), Value::Nil)),
        Err(problem) => failed(lua, &problem),
    }
}

/// All responses by their place, and the problems by theirs if there are any.
fn batch(lua: &Lua, requests: &Table) -> mlua::Result<(Table, Option<Table>)> {
    let (responses, problems) = (lua.create_table()?, lua.create_table()?);
    let mut whole = true;
    for (index, entry) in (1..).zip(requests.sequence_values::<Table>()) {
        let entry = entry?;
        let (response, problem) =
            sent(lua, &entry.get::<String>(1)?, entry.get(2)?, entry.get::<Option<Table>>(3)?.as_ref())?;
        whole &= problem.is_nil();
        responses.set(index, response)?;
        problems.set(index, problem)?;
    }
    Ok((responses, (!whole).then_some(problems)))
}

fn request(method: &str, url: String, options: Option<&Table>) -> mlua::Result<Request> {
    let mut request = Request { method: method.to_owned(), url, ..Request::default() };
    let Some(options) = options else { return Ok(request) };
    let pairs = |name: &str| -> mlua::Result<Vec<(String, String)>> {
        let Some(table) = options.get::<Option<Table>>(name)? else { return Ok(Vec::new()) };
        table.pairs::<String, String>().collect()
    };
    request.query = options.get("query")?;
    request.headers = pairs("headers")?;
    request.cookies = pairs("cookies")?;
    request.body = options.get::<Option<mlua::LuaString>>("body")?.map(|text| text.as_bytes().to_vec());
    if let Some(form) = options.get::<Option<String>>("form")?.filter(|_| request.body.is_none()) {
        request.body = Some(form.into_bytes());
        request.content_type = Some("application/x-www-form-urlencoded");
    }
    request.timeout = match options.get("timeout")? {
        Value::Nil => None,
        Value::String(text) => http::duration(&text.to_string_lossy()),
        other => to_json(&other).ok().and_then(|number| number.as_f64()).and_then(http::seconds),
    };
    if let Some(auth) = options.get::<Option<Table>>("auth")? {
        request.auth = Some((auth.get("user")?, auth.get("pass")?));
    }
    Ok(request)
}

fn shown(lua: &Lua, response: &Response) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let (headers, cookies) = (lua.create_table()?, lua.create_table()?);
    for (name, value) in &response.headers {
        let name = canonical(name);
        // Of several the first.
        if headers.raw_get::<Value>(name.as_str())?.is_nil() {
            headers.raw_set(name, value.as_str())?;
        }
    }
    for (name, value) in response.cookies() {
        cookies.raw_set(name, value)?;
    }
    table.set("headers", headers)?;
    table.set("cookies", cookies)?;
    table.set("status_code", response.status)?;
    table.set("url", response.url.as_str())?;
    table.set("body", lua.create_string(&response.body)?)?;
    table.set("body_size", response.body.len())?;
    Ok(table)
}

/// `content-type` as `Content-Type`.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    });
    words.collect::<Vec<_>>().join("-")
}

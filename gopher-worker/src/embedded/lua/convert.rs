//! Values of Lua and JSON, one as the other (spec: Robot API §3.2, value conversion).

use std::{collections::HashSet, ffi::c_void};

use mlua::{Lua, Table, Value};
use serde_json::{Map, Number, Value as Json};

/// How deep tables may lie in each other.
const DEEPEST: usize = 128;

/// A value that JSON has no word for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoJson(&'static str);

pub(super) fn to_json(value: &Value) -> Result<Json, NoJson> {
    convert(value, &mut HashSet::new(), 0)
}

fn convert(value: &Value, seen: &mut HashSet<*const c_void>, depth: usize) -> Result<Json, NoJson> {
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::Integer(number) => Json::from(*number),
        Value::Number(number) => number_of(*number)?,
        Value::String(text) => Json::String(text.to_str().map_err(|_| NoJson("a text is not UTF-8"))?.to_owned()),
        Value::Table(table) => {
            if depth >= DEEPEST {
                return Err(NoJson("tables lie too deep in each other"));
            }
            if !seen.insert(table.to_pointer()) {
                return Err(NoJson("a table stands in itself, or in two places"));
            }
            table_of(table, seen, depth + 1)?
        }
        _ => return Err(NoJson("functions and other objects cannot be written as JSON")),
    })
}

/// Whole numbers are integers.
#[expect(clippy::cast_possible_truncation, reason = "in range and whole, as was just asked")]
fn number_of(number: f64) -> Result<Json, NoJson> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Ok(Json::from(number as i64));
    }
    Number::from_f64(number).map(Json::Number).ok_or(NoJson("a number is infinite or none"))
}

fn table_of(table: &Table, seen: &mut HashSet<*const c_void>, depth: usize) -> Result<Json, NoJson> {
    let mut whole = Vec::new();
    let mut named = Map::new();
    for pair in table.clone().pairs::<Value, Value>() {
        let (key, value) = pair.map_err(|_| NoJson("a table cannot be read"))?;
        let value = convert(&value, seen, depth)?;
        match key {
            Value::Integer(index) => whole.push((index, value)),
            Value::Number(index) => match number_of(index)?.as_i64() {
                Some(index) => whole.push((index, value)),
                None => drop(named.insert(index.to_string(), value)),
            },
            Value::String(name) => {
                let name = name.to_str().map_err(|_| NoJson("a text is not UTF-8"))?.to_owned();
                named.insert(name, value);
            }
            Value::Boolean(flag) => drop(named.insert(flag.to_string(), value)),
            _ => return Err(NoJson("a table has a key that is neither text nor number")),
        }
    }
    if !named.is_empty() {
        named.extend(whole.into_iter().map(|(index, value)| (index.to_string(), value)));
        return Ok(Json::Object(named));
    }
    whole.sort_unstable_by_key(|(index, _)| *index);
    let first = whole.first().map_or(1, |(index, _)| *index);
    let contiguous = (0..).zip(&whole).all(|(n, (index, _))| *index == first + n);
    if !(0..=1).contains(&first) || !contiguous {
        return Err(NoJson("a list has gaps"));
    }
    Ok(Json::Array(whole.into_iter().map(|(_, value)| value).collect()))
}

pub(super) fn to_lua(lua: &Lua, value: &Json) -> mlua::Result<Value> {
    Ok(match value {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::String(lua.create_string(text)?),
        Json::Array(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            for (index, item) in (1..).zip(items) {
                table.raw_set(index, to_lua(lua, item)?)?;
            }
            Value::Table(table)
        }
        Json::Object(entries) => {
            let table = lua.create_table_with_capacity(0, entries.len())?;
            for (name, entry) in entries {
                table.raw_set(name.as_str(), to_lua(lua, entry)?)?;
            }
            Value::Table(table)
        }
    })
}

//! Values of JavaScript and JSON, one as the other.

use rquickjs::{Ctx, Error, Function, Object, Type, Value, function::This};
use serde_json::{Map, Number, Value as Json};

/// How deep objects may lie in each other; one that stands in itself lies deeper.
const DEEPEST: usize = 128;

/// Why a value does not become JSON.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoJson {
    #[error("{0}")]
    Unfit(&'static str),
    /// The script's own code failed on the way.
    #[error(transparent)]
    Thrown(#[from] Error),
}

/// What `JSON.stringify` would write, but nothing is left out or made `null` that has no JSON.
pub(super) fn to_json(value: &Value<'_>) -> Result<Json, NoJson> {
    convert(value, text, 0)
}

/// The same, and no text becomes another one.
pub(super) fn to_exact_json(value: &Value<'_>) -> Result<Json, NoJson> {
    convert(value, exact, 0)
}

fn exact(string: &rquickjs::String<'_>) -> rquickjs::Result<String> {
    string.to_string()
}

/// What becomes of a string.
type Text = fn(&rquickjs::String<'_>) -> rquickjs::Result<String>;

fn convert(value: &Value<'_>, text: Text, depth: usize) -> Result<Json, NoJson> {
    Ok(match value.type_of() {
        Type::Undefined | Type::Null | Type::Uninitialized => Json::Null,
        Type::Bool => Json::Bool(value.as_bool().unwrap_or_default()),
        Type::Int | Type::Float => number(value.as_number().unwrap_or(f64::NAN))?,
        Type::String => Json::String(value.as_string().map(text).transpose()?.unwrap_or_default()),
        Type::Function | Type::Constructor | Type::Symbol => {
            return Err(NoJson::Unfit("functions and symbols cannot be written as JSON"));
        }
        Type::BigInt => return Err(NoJson::Unfit("a BigInt cannot be written as JSON")),
        _ if depth >= DEEPEST => {
            return Err(NoJson::Unfit("an object stands in itself, or objects lie too deep in each other"));
        }
        _ => match (value.as_array(), value.as_object()) {
            (Some(items), _) => {
                let items = items.iter::<Value<'_>>().map(|item| convert(&item?, text, depth + 1));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            (None, Some(object)) => object_of(object, text, depth + 1)?,
            (None, None) => return Err(NoJson::Unfit("this kind of value cannot be written as JSON")),
        },
    })
}

fn object_of(object: &Object<'_>, text: Text, depth: usize) -> Result<Json, NoJson> {
    let own: Value<'_> = object.get("toJSON")?;
    if let Some(own) = own.as_function() {
        return convert(&own.call((This(object.clone()),))?, text, depth);
    }
    let mut entries = Map::new();
    for entry in object.props::<rquickjs::String<'_>, Value<'_>>() {
        let (name, value) = entry?;
        if !value.is_undefined() {
            entries.insert(text(&name)?, convert(&value, text, depth)?);
        }
    }
    Ok(Json::Object(entries))
}

/// Whole numbers are integers.
#[expect(clippy::cast_possible_truncation, reason = "in range and whole, as was just asked")]
fn number(number: f64) -> Result<Json, NoJson> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Ok(Json::from(number as i64));
    }
    Number::from_f64(number).map(Json::Number).ok_or(NoJson::Unfit("a number is infinite or none"))
}

/// A string as UTF-8; halves of characters become the sign for what cannot be read.
pub(super) fn text(string: &rquickjs::String<'_>) -> rquickjs::Result<String> {
    match string.to_string() {
        Err(Error::Utf8(_)) => {
            let prototype: Object<'_> = string.ctx().globals().get::<_, Object<'_>>("String")?.get("prototype")?;
            let mend: Function<'_> = prototype.get("toWellFormed")?;
            mend.call::<_, rquickjs::String<'_>>((This(string.clone()),))?.to_string()
        }
        read => read,
    }
}

pub(super) fn to_js<'js>(ctx: &Ctx<'js>, json: &Json) -> rquickjs::Result<Value<'js>> {
    ctx.json_parse(json.to_string())
}

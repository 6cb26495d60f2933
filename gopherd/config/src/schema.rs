//! JSON Schema (draft 2020-12) of each kind of configuration file, for editors, from the types that decode the files.
//!
//! It takes what the decoder takes but for one thing: booleans are `true` and `false` only. What is checked after
//! decoding (names, patterns, references) it does not know.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::keys::{
    extension::{ExtensionFile, JOBS_ONLY, PLUGINS_ONLY},
    provider::{BrainFile, HistoryFile, QueueFile},
    robot::RobotFile,
};

/// A kind of configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigFile {
    /// `conf/robot.yaml`
    Robot,
    /// `conf/protocols/NAME.yaml`
    Protocol,
    /// `conf/plugins/NAME.yaml`, and what a plugin prints for `_configure`
    Plugin,
    /// `conf/jobs/NAME.yaml`
    Job,
    /// `conf/brains/NAME.yaml`
    Brain,
    /// `conf/history/NAME.yaml`
    History,
    /// `conf/queues/NAME.yaml`
    Queue,
}

/// The schema of a kind of file.
pub fn schema(file: ConfigFile) -> Value {
    let (mut schema, foreign): (Value, &[&str]) = match file {
        ConfigFile::Robot => (of::<RobotFile>(), &["ProtocolConfig"]),
        ConfigFile::Protocol => (of::<RobotFile>(), &[]),
        ConfigFile::Plugin => (of::<ExtensionFile>(), &JOBS_ONLY),
        ConfigFile::Job => (of::<ExtensionFile>(), &PLUGINS_ONLY),
        ConfigFile::Brain => (of::<BrainFile>(), &[]),
        ConfigFile::History => (of::<HistoryFile>(), &[]),
        ConfigFile::Queue => (of::<QueueFile>(), &[]),
    };
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|key, _| !foreign.contains(&key.as_str()));
    }
    relax(&mut schema, Some("#"));
    schema
}

fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Makes a schema as tolerant as the decoder: a key with nothing after it is absent, any scalar is good enough for
/// text, and outside lists a key of a list or mapping may have `Append` in front. `path` is where the schema stands, or
/// nothing inside lists.
fn relax(schema: &mut Value, path: Option<&str>) {
    let Some(schema) = schema.as_object_mut() else { return };
    // Sizes of Rust's integers and empty values; descriptions say what the defaults are.
    schema.remove("format");
    schema.remove("default");
    if let Some(kind) = schema.get_mut("type") {
        let mut kinds = match kind.take() {
            Value::Array(kinds) => kinds,
            kind => vec![kind],
        };
        if kinds == [json!("string")] {
            kinds.extend([json!("number"), json!("boolean")]);
        }
        if !kinds.contains(&json!("null")) {
            kinds.push(json!("null"));
        }
        *kind = Value::Array(kinds);
    }
    if let Some(items) = schema.get_mut("items") {
        relax(items, None);
    }
    let below = |step: &str| path.map(|path| format!("{path}/{step}"));
    if let Some(values) = schema.get_mut("additionalProperties") {
        relax(values, below("additionalProperties").as_deref());
    }
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let mut twins = Map::new();
    for (key, property) in properties.iter_mut() {
        let place = below(&format!("properties/{key}"));
        relax(property, place.as_deref());
        let description = match place {
            Some(_) if is(property, "array") => format!("Adds to `{key}` in place of replacing it."),
            Some(_) if is(property, "object") => format!("The same as `{key}`: mappings are merged anyway."),
            _ => continue,
        };
        twins.insert(format!("Append{key}"), json!({ "description": description, "$ref": place }));
    }
    properties.extend(twins);
}

fn is(property: &Value, kind: &str) -> bool {
    property.get("type").and_then(Value::as_array).is_some_and(|kinds| kinds.contains(&json!(kind)))
}

/// Lets the names of keys be written in lower case too.
pub(crate) fn lower_case_too(schema: &mut Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let twins: Map<String, Value> = properties.iter().map(|(key, value)| (key.to_lowercase(), value.clone())).collect();
    properties.extend(twins);
}

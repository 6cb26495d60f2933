//! The schemas that editors get, against the files that we ship.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{ConfigFile, schema};

const ALL: [ConfigFile; 7] = [
    ConfigFile::Robot,
    ConfigFile::Protocol,
    ConfigFile::Plugin,
    ConfigFile::Job,
    ConfigFile::Brain,
    ConfigFile::History,
    ConfigFile::Queue,
];

/// What of `value` the schema refuses: property names and JSON types only.
fn refused(root: &Value, value: &Value) -> Vec<String> {
    refused_by(root, root, value, "")
}

fn refused_by(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(target) => root.pointer(target.strip_prefix('#').expect("of this schema")).expect("is there"),
        None => schema,
    };
    let kinds = match value {
        Value::Null => &["null"][..],
        Value::Bool(_) => &["boolean"],
        Value::Number(n) if n.is_f64() => &["number"],
        Value::Number(_) => &["number", "integer"],
        Value::String(_) => &["string"],
        Value::Array(_) => &["array"],
        Value::Object(_) => &["object"],
    };
    let allowed = schema.get("type").and_then(Value::as_array);
    if allowed.is_some_and(|allowed| !allowed.iter().any(|a| kinds.contains(&a.as_str().unwrap_or_default()))) {
        return vec![format!("{path}: {kinds:?}")];
    }
    match value {
        Value::Array(items) => {
            let inner = schema.get("items").unwrap_or(&Value::Bool(true));
            items
                .iter()
                .enumerate()
                .flat_map(|(n, item)| refused_by(root, inner, item, &format!("{path}[{n}]")))
                .collect()
        }
        Value::Object(entries) => entries
            .iter()
            .flat_map(|(key, value)| {
                let path = format!("{path}.{key}");
                let named = schema.get("properties").and_then(|p| p.get(key));
                match named.or_else(|| schema.get("additionalProperties")) {
                    Some(Value::Bool(false)) => vec![path],
                    Some(inner) => refused_by(root, inner, value, &path),
                    None => Vec::new(),
                }
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn json(yaml: &str) -> Value {
    let as_written = crate::yaml::compose("f", yaml.as_bytes().to_vec()).expect("YAML").root;
    crate::yaml::decode(&as_written).expect("JSON")
}

fn yaml_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            yaml_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn every_file_that_we_ship_fits_its_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    yaml_files(&root.join("packaging/share/conf"), &mut files);
    yaml_files(&root.join("tests/robots"), &mut files);
    assert!(files.len() >= 15, "{files:?}");
    for path in files {
        let directory = path.parent().and_then(Path::file_name).and_then(|d| d.to_str());
        let file = match directory {
            // What is included becomes part of robot.yaml.
            Some("conf" | "environments") => ConfigFile::Robot,
            // Two keys, and no schema.
            Some("variables") => continue,
            Some("protocols") => ConfigFile::Protocol,
            Some("plugins") => ConfigFile::Plugin,
            Some("jobs") => ConfigFile::Job,
            Some("brains") => ConfigFile::Brain,
            Some("history") => ConfigFile::History,
            Some("queues") => ConfigFile::Queue,
            other => panic!("{other:?}"),
        };
        let text = std::fs::read_to_string(&path).expect("reads");
        if text.contains("{{") {
            continue;
        }
        assert_eq!(refused(&schema(file), &json(&text)), Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn schemas_take_what_the_decoder_takes() {
    use ConfigFile::{Job, Plugin, Protocol, Robot};
    for (file, yaml, expected) in [
        (Robot, "AdminUser: [a]", &[".AdminUser"][..]),
        (Robot, "AppendAdminUsers: [a, 5]\nAppendExternalPlugins: {p: {AppendParameters: [{Name: A}]}}", &[]),
        (Robot, "AppendAlias: x", &[".AppendAlias"]),
        (Robot, "AppendTimeOuts: {AppendPlugin: {Warn: true}}", &[".AppendTimeOuts.AppendPlugin.Warn: [\"boolean\"]"]),
        (Robot, "ExternalPlugins: {p: {Paht: x}}", &[".ExternalPlugins.p.Paht"]),
        (
            Robot,
            "UserRoster: [{AppendUserName: x, Username: x}]",
            &[".UserRoster[0].AppendUserName", ".UserRoster[0].Username"],
        ),
        (Robot, "ChannelRoster: [{channelname: a, ChannelID: b}]", &[]),
        (Robot, "TimeOuts: {Plugin: {Warn: 5, Kill: 1h}}\nAlias: 5\nBrain:\nUserRoster:", &[]),
        (
            Robot,
            "TimeOuts: {Plugin: {Warn: [1]}}\nHearSelf: 5",
            &[".HearSelf: [\"number\", \"integer\"]", ".TimeOuts.Plugin.Warn: [\"array\"]"],
        ),
        (Robot, "ProtocolConfig: {}", &[".ProtocolConfig"]),
        (Protocol, "ProtocolConfig: {any: [thing]}\nAppendUserRoster: []", &[]),
        (Plugin, "Config: [any, {thing: 1}]\nCommands: [{Command: a, Regex: b, Keywords: [c]}]", &[]),
        (Plugin, "Quiet: true\nPath: x", &[".Path", ".Quiet"]),
        (Job, "Quiet: true\nCommands: []", &[".Commands"]),
        (ConfigFile::Brain, "BrainConfig: {any: thing}\nHistoryConfig: {}", &[".HistoryConfig"]),
        (ConfigFile::History, "HistoryConfig: {}", &[]),
        (ConfigFile::Queue, "QueueConfig: {}", &[]),
    ] {
        assert_eq!(refused(&schema(file), &json(yaml)), expected, "{yaml}");
    }
}

#[test]
fn every_key_has_a_description() {
    fn undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
        for (key, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = format!("{path}.{key}");
            if property.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
                found.push(path.clone());
            }
            for inner in [Some(property), property.get("items"), property.get("additionalProperties")] {
                undescribed(inner.unwrap_or(&Value::Null), &path, found);
            }
        }
    }
    for file in ALL {
        let mut found = Vec::new();
        let schema = schema(file);
        undescribed(&schema, "", &mut found);
        assert_eq!(found, Vec::<String>::new(), "{file:?}");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["additionalProperties"], false);
    }
}

//! What the files of Gopherbot's brain say, and how they are named (spec: security §7.4). Pure.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::brain::valid_key;

const FORMAT: &str = "gopherbot-brain-v3";

/// The key that a file is named after, if it is one.
pub(super) fn key(stem: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(stem).ok()?;
    String::from_utf8(bytes).ok().filter(|key| valid_key(key))
}

/// Letters, digits, `-` and `_` only, whatever the key is.
fn stem(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

pub(super) fn blob(key: &str) -> String {
    stem(key) + ".blob"
}

pub(super) fn meta_name(key: &str) -> String {
    stem(key) + ".json"
}

/// What is needed of a file in `meta`.
#[derive(Debug, Deserialize)]
pub(super) struct Meta {
    format: String,
    key: String,
    #[serde(default)]
    pub(super) version: u64,
    #[serde(default)]
    pub(super) deleted: bool,
}

impl Meta {
    /// An error is the end of a sentence that begins with the file's name.
    pub(super) fn parse(bytes: &[u8], key: &str) -> Result<Self, String> {
        let meta: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("of state/brain-cache is not what Gopherbot writes ({error})"))?;
        if meta.format != FORMAT {
            return Err(format!("of state/brain-cache has the format '{}', not {FORMAT}", meta.format.escape_debug()));
        }
        if meta.key != key {
            return Err("of state/brain-cache is of another memory than its name says".to_owned());
        }
        Ok(meta)
    }
}

/// The text of a file in `meta`; without a value it says that the memory was deleted.
pub(super) fn meta(key: &str, version: u64, value: Option<&[u8]>, now: &str) -> String {
    json!({
        "format": FORMAT,
        "key": key,
        "version": version,
        "checksum": checksum(value.unwrap_or_default()),
        "deleted": value.is_none(),
        "updated_at": now,
    })
    .to_string()
}

fn checksum(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `control.json`, with whatever else it says.
pub(super) struct Control(Map<String, Value>);

impl Control {
    pub(super) fn new() -> Self {
        let whole = [("format", json!(FORMAT)), ("complete", json!(true)), ("next_version", json!(1))];
        Self(whole.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let control: Map<String, Value> = serde_json::from_slice(bytes)
            .map_err(|error| format!("control.json of state/brain-cache is not what Gopherbot writes ({error})"))?;
        let format = control.get("format").and_then(Value::as_str).unwrap_or_default();
        if format != FORMAT {
            let format = format.escape_debug();
            return Err(format!("control.json of state/brain-cache has the format '{format}', not {FORMAT}"));
        }
        if control.get("complete") != Some(&Value::Bool(true)) {
            let why = "the brain in state/brain-cache is not complete (control.json says so): Gopherbot's pull-brain completes it";
            return Err(why.to_owned());
        }
        Ok(Self(control))
    }

    pub(super) fn next_version(&self) -> u64 {
        self.0.get("next_version").and_then(Value::as_u64).unwrap_or_default().max(1)
    }

    pub(super) fn ahead(&self, next_version: u64, now: &str) -> Self {
        let mut control = self.0.clone();
        control.insert("next_version".to_owned(), json!(next_version));
        control.insert("updated_at".to_owned(), json!(now));
        Self(control)
    }

    pub(super) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_file_is_a_key_or_nothing() {
        assert_eq!(key("bWluZDpjb2xvdXI"), Some("mind:colour".to_owned()));
        assert_eq!(blob("mind:colour"), "bWluZDpjb2xvdXI.blob");
        // `../x`, `a/b`, bytes that are no text, no base64, nothing.
        for stem in ["Li4veA", "YS9i", "_w", "a b", ""] {
            assert_eq!(key(stem), None, "{stem}");
        }
        assert!(!blob("../../x").contains(['/', '.'][0]) && !meta_name("..").starts_with('.'));
    }

    #[test]
    fn meta_is_what_gopherbot_writes() {
        let text = meta("p:k", 3, Some(b"abc"), "2026-01-01T00:00:00.000Z");
        assert!(text.contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "{text}");
        let parsed = Meta::parse(text.as_bytes(), "p:k").expect("parses");
        assert_eq!((parsed.version, parsed.deleted), (3, false));
        assert!(Meta::parse(meta("p:k", 4, None, "").as_bytes(), "p:k").expect("parses").deleted);
        for (text, why) in [
            ("[]", "is not what Gopherbot writes"),
            (r#"{"format":"x","key":"p:k"}"#, "has the format 'x'"),
            (r#"{"format":"gopherbot-brain-v3","key":"p:z"}"#, "another memory"),
        ] {
            let refused = Meta::parse(text.as_bytes(), "p:k").expect_err(text);
            assert!(refused.contains(why), "{refused}");
        }
    }
}

//! `gopherctl brain migrate`: memories of Gopherbot's file brain (spec: security §7.2, §7.4).
//!
//! Two shapes are known: the local cache of version 3, with `control.json`, `data/` and `meta/`; and one file for each
//! memory, as version 2 had it. Files are only read. What is encrypted goes to the robot as it is, for only
//! gopher-secretd can open it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use gopher_protocol::admin::AdminRequest;
use serde_json::{Value, json};

use crate::{
    admin::Admin,
    brain::{list, memories, read_file, send, set},
    error::CtlError,
    view::{View, json_text},
};

/// First line of what version 2 wrote as text.
const TEXT_FORM: &[u8] = b"#GOPHERBOT-BASE64-DATA\n";
/// Keys that are the engine's own: locks, histories, what is remembered for minutes.
const OF_ENGINE: &str = "bot:";

/// A memory that was found.
struct Found {
    key: String,
    path: PathBuf,
}

/// What became of the memories.
#[derive(Default)]
struct Report {
    moved: Vec<String>,
    /// There already; of the engine.
    kept: Vec<String>,
    left: Vec<String>,
    failed: Vec<(String, String)>,
}

pub(crate) fn run(
    admin: &mut Admin,
    home: &Path,
    directory: Option<PathBuf>,
    force: bool,
    view: View,
) -> Result<String, CtlError> {
    let directory = directory.unwrap_or_else(|| usual(home));
    let found = if directory.join("control.json").exists() { cached(&directory)? } else { plain(&directory)? };
    let there = list(admin)?;
    let mut report = Report::default();
    for Found { key, path } in found {
        if key.starts_with(OF_ENGINE) {
            report.left.push(key);
        } else if !force && there.iter().any(|row| row.key == key) {
            report.kept.push(key);
        } else {
            match read_file(&path).and_then(|bytes| take_over(admin, &key, bytes)) {
                Ok(()) => report.moved.push(key),
                Err(CtlError::Refused(reason)) => report.failed.push((key, reason)),
                Err(error @ CtlError::File { .. }) => report.failed.push((key, error.to_string())),
                Err(error) => return Err(error),
            }
        }
    }
    let shown = show(&report, view);
    if report.failed.is_empty() {
        return Ok(shown);
    }
    crate::cli::print(&shown)?;
    Err(CtlError::NotMoved { count: report.failed.len() })
}

fn usual(home: &Path) -> PathBuf {
    let cache = home.join("state/brain-cache");
    if cache.exists() { cache } else { home.join("state/brain") }
}

/// Memories of a cache, by what its `meta` says; deleted ones have a record, too.
fn cached(directory: &Path) -> Result<Vec<Found>, CtlError> {
    let mut found = Vec::new();
    for name in names(&directory.join("meta"))? {
        let Some(stem) = name.strip_suffix(".json") else { continue };
        let path = directory.join("meta").join(&name);
        let meta: Value = serde_json::from_slice(&read_file(&path)?)
            .map_err(|error| CtlError::BadMemory { what: path.display().to_string(), reason: error.to_string() })?;
        let Some(key) = meta["key"].as_str() else {
            return Err(CtlError::BadMemory { what: path.display().to_string(), reason: "it names no key".to_owned() });
        };
        if meta["deleted"] != true {
            found.push(Found { key: key.to_owned(), path: directory.join("data").join(format!("{stem}.blob")) });
        }
    }
    Ok(found)
}

/// One file for each memory, named as its key.
fn plain(directory: &Path) -> Result<Vec<Found>, CtlError> {
    let names = names(directory)?;
    let is_key = |name: &String| name.contains(':') && !name.starts_with('.');
    Ok(names.into_iter().filter(is_key).map(|key| Found { path: directory.join(&key), key }).collect())
}

/// Names of the files of a directory, in order.
fn names(directory: &Path) -> Result<Vec<String>, CtlError> {
    let listing = std::fs::read_dir(directory).map_err(CtlError::file(directory))?;
    let files = listing.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}

fn take_over(admin: &mut Admin, key: &str, bytes: Vec<u8>) -> Result<(), CtlError> {
    let bytes = from_text_form(bytes).ok_or_else(|| CtlError::Refused(format!("'{key}' is no base64")))?;
    // Version 2 could do without encryption; what is encrypted is no JSON.
    if serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok() {
        return set(admin, key, &bytes).map(drop);
    }
    let request = |part: &[u8], last| AdminRequest::BrainMigrate { key: key.to_owned(), part: part.to_vec(), last };
    send(admin, &bytes, request).map(drop)
}

/// The bytes themselves, if they are written as text; `None` if that is damaged.
fn from_text_form(bytes: Vec<u8>) -> Option<Vec<u8>> {
    match bytes.strip_prefix(TEXT_FORM) {
        None => Some(bytes),
        Some(text) => {
            let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            base64::engine::general_purpose::STANDARD.decode(text).ok()
        }
    }
}

fn show(report: &Report, view: View) -> String {
    if view.json {
        let failed: Vec<_> =
            report.failed.iter().map(|(key, reason)| json!({ "key": key, "reason": reason })).collect();
        return json_text(
            &json!({ "moved": report.moved, "kept": report.kept, "left": report.left, "failed": failed }),
        );
    }
    let mut lines = vec![format!("Moved {}.", memories(report.moved.len()))];
    if !report.kept.is_empty() {
        lines.push(format!("The robot has these already, --force replaces them: {}", report.kept.join(", ")));
    }
    if !report.left.is_empty() {
        lines.push(format!("Left behind, as they are the engine's own: {}", report.left.join(", ")));
    }
    lines.extend(report.failed.iter().map(|(key, reason)| format!("{key}: {reason}")));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_read_by_its_meta_and_deleted_memories_are_not_there() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("meta")).unwrap();
        let meta = |name: &str, text: &str| std::fs::write(dir.path().join("meta").join(name), text).unwrap();
        meta("YTpi.json", r#"{"key":"a:b","deleted":false}"#);
        meta("YTpj.json", r#"{"key":"a:c","deleted":true}"#);
        meta("x.tmp", "");
        let found = cached(dir.path()).unwrap();
        assert_eq!(found.iter().map(|f| f.key.as_str()).collect::<Vec<_>>(), ["a:b"]);
        assert!(found[0].path.ends_with("data/YTpi.blob"));
        meta("bad.json", "{}");
        assert!(cached(dir.path()).is_err());
    }

    #[test]
    fn files_of_version_two_are_their_keys() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["lists:lunch", "README", ".lists:x"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = plain(dir.path()).unwrap();
        assert_eq!(found.iter().map(|f| f.key.as_str()).collect::<Vec<_>>(), ["lists:lunch"]);
    }

    #[test]
    fn both_forms_of_bytes_are_read() {
        assert_eq!(from_text_form(b"\x01\x02".to_vec()), Some(vec![1, 2]));
        assert_eq!(from_text_form(b"#GOPHERBOT-BASE64-DATA\nAQ\nI=\n".to_vec()), Some(vec![1, 2]));
        assert_eq!(from_text_form(b"#GOPHERBOT-BASE64-DATA\n*".to_vec()), None);
    }

    #[test]
    fn the_report_names_what_was_not_moved() {
        let report = Report {
            moved: vec!["a:b".into()],
            kept: vec!["a:c".into()],
            left: vec!["bot:x".into()],
            failed: vec![("a:d".into(), "It does not open.".into())],
        };
        let text = show(&report, View::PLAIN);
        assert!(text.starts_with("Moved 1 memory.\n") && text.ends_with("a:d: It does not open.\n"), "{text}");
        let json: Value = serde_json::from_str(&show(&report, View { json: true, colours: false })).unwrap();
        assert_eq!(json["failed"][0]["key"], "a:d");
    }
}

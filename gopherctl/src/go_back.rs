//! `gopherctl brain export --gopherbot`: memories as Gopherbot v3 keeps them, for going back (spec: security §7.4).
//!
//! Values are encrypted by gopher-secretd; here are only files: `control.json`, and for each memory one in `data/` and one
//! in `meta/`. `control.json` comes last, so that a directory which is cut short is not taken for a whole one.

use std::{
    fmt::Write as _,
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use gopher_protocol::admin::{AdminAnswer, AdminRequest};
use serde_json::{Value, json};

use crate::{
    admin::Admin,
    brain::{list, memories},
    error::CtlError,
    time,
    view::View,
};

const FORMAT: &str = "gopherbot-brain-v3";

pub(crate) fn run(admin: &mut Admin, directory: &Path, view: View) -> Result<String, CtlError> {
    let failed = CtlError::file(directory);
    let make = |path: &Path| DirBuilder::new().mode(0o750).create(path).map_err(CtlError::file(path));
    // What is there already is not written over.
    make(directory)?;
    for part in ["data", "meta", "outbox"] {
        make(&directory.join(part))?;
    }
    let now = moment(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    let mut version = 0;
    for row in list(admin)? {
        // One that was deleted meanwhile is not there.
        let Some(blob) = copy(admin, &row.key)? else { continue };
        version += 1;
        let name = URL_SAFE_NO_PAD.encode(&row.key);
        write(&directory.join("data"), &format!("{name}.blob"), &blob)?;
        let meta = meta(&row.key, version, &blob, &now);
        write(&directory.join("meta"), &format!("{name}.json"), meta.to_string().as_bytes())?;
    }
    let control = json!({ "format": FORMAT, "complete": true, "next_version": version + 1, "updated_at": now });
    write(directory, "control.json", control.to_string().as_bytes())?;
    File::open(directory).and_then(|opened| opened.sync_all()).map_err(failed)?;
    Ok(view.done(&format!("Exported {} for Gopherbot.", memories(version))))
}

/// As the other side writes times.
fn moment(since_1970: Duration) -> String {
    let milliseconds = u64::try_from(since_1970.as_millis()).unwrap_or_default();
    time::stamp(milliseconds).replace(' ', "T") + "Z"
}

fn meta(key: &str, version: usize, blob: &[u8], now: &str) -> Value {
    let digest = ring::digest::digest(&ring::digest::SHA256, blob);
    let checksum = digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    json!({ "format": FORMAT, "key": key, "version": version, "checksum": checksum, "deleted": false, "updated_at": now })
}

/// A memory as Gopherbot would encrypt it.
fn copy(admin: &mut Admin, key: &str) -> Result<Option<Vec<u8>>, CtlError> {
    let mut text = String::new();
    loop {
        match admin.ask(&AdminRequest::BrainCopy { key: key.to_owned(), from: text.len() as u64 })? {
            AdminAnswer::BrainCopied { part, whole } => {
                text += &part;
                if text.len() as u64 >= whole || part.is_empty() {
                    break;
                }
            }
            AdminAnswer::BrainAbsent => return Ok(None),
            other => return Err(Admin::unexpected(&other, "BrainCopied")),
        }
    }
    let bad = |error: base64::DecodeError| CtlError::BadMemory { what: key.to_owned(), reason: error.to_string() };
    STANDARD.decode(text).map(Some).map_err(bad)
}

/// Whole or not at all, and on disk before anything that speaks of it.
fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), CtlError> {
    let (new, path) = (directory.join(format!("{name}.tmp")), directory.join(name));
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    written().map_err(CtlError::file(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_of_a_memory_has_the_checksum_of_what_is_encrypted() {
        let record = meta("p:k", 3, b"abc", "2026-01-01T00:00:00Z");
        assert_eq!(record["checksum"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((&record["key"], &record["version"], &record["deleted"]), (&json!("p:k"), &json!(3), &json!(false)));
    }
}

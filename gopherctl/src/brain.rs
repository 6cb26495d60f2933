//! `gopherctl brain`: long-term memories of the running robot.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use gopher_protocol::{
    SecretBytes,
    admin::{AdminAnswer, AdminRequest, BrainRow},
};
use serde_json::{json, value::RawValue};

use crate::{
    admin::Admin,
    error::CtlError,
    go_back, migrate,
    robot::Robot,
    view::{View, json_text},
};

/// Bytes of a value in one message.
const PART: usize = 512 << 10;
const HEADER: [&str; 2] = ["KEY", "BYTES"];

#[derive(Debug, Subcommand)]
pub(crate) enum BrainCommand {
    /// Keys of all memories, and how long their values are
    List,
    /// The value of a memory, as JSON
    Get { key: String },
    /// Store a value; if a run holds the memory, once it has given it back
    Set {
        key: String,
        /// The value, in JSON; `-` reads it from standard input
        #[arg(required_unless_present = "file", conflicts_with = "file", allow_hyphen_values = true)]
        value: Option<String>,
        /// Read the value from a file
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Forget a memory
    Delete { key: String },
    /// Write all memories in clear to a new file that only you can read, or to standard output with `-`
    Export {
        file: PathBuf,
        /// Make a directory instead, encrypted as Gopherbot's file brain is, for going back to it
        #[arg(long)]
        gopherbot: bool,
    },
    /// Store the memories of an exported file, or of standard input with `-`
    Import { file: PathBuf },
    /// Move the memories of Gopherbot's file brain over
    Migrate {
        /// Where they are [default: state/brain-cache, else state/brain, of the robot]
        #[arg(value_name = "DIRECTORY")]
        from: Option<PathBuf>,
        /// Replace memories that the robot has already
        #[arg(long)]
        force: bool,
    },
}

pub(crate) fn run(robot: &Robot, command: BrainCommand, view: View) -> Result<String, CtlError> {
    let mut admin = robot.connect()?;
    match command {
        BrainCommand::List => Ok(show(&list(&mut admin)?, view)),
        BrainCommand::Get { key } => {
            let value = get(&mut admin, &key)?.ok_or(CtlError::NoMemory { key })?;
            Ok(String::from_utf8_lossy(value.expose()).into_owned() + "\n")
        }
        BrainCommand::Set { key, value, file } => {
            let value = match (value.as_deref(), &file) {
                (Some("-"), _) => read_all(&mut std::io::stdin().lock()).map_err(CtlError::Input)?,
                (Some(text), _) => SecretBytes::new(text.as_bytes().to_vec()),
                (None, Some(path)) => {
                    File::open(path).and_then(|mut file| read_all(&mut file)).map_err(CtlError::file(path))?
                }
                (None, None) => SecretBytes::default(),
            };
            Ok(view.done(&set(&mut admin, &key, value.expose())?))
        }
        BrainCommand::Delete { key } => match admin.ask(&AdminRequest::BrainDelete { key: key.clone() })? {
            AdminAnswer::Done { text } => Ok(view.done(&text)),
            AdminAnswer::BrainAbsent => Err(CtlError::NoMemory { key }),
            other => Err(Admin::unexpected(&other, "Done")),
        },
        BrainCommand::Export { file, gopherbot: true } => go_back::run(&mut admin, &file, view),
        BrainCommand::Export { file, gopherbot: false } => export(&mut admin, &file, view),
        BrainCommand::Import { file } => import(&mut admin, &file, view),
        BrainCommand::Migrate { from, force } => migrate::run(&mut admin, robot.home(), from, force, view),
    }
}

fn show(rows: &[BrainRow], view: View) -> String {
    if view.json {
        let rows: Vec<_> = rows.iter().map(|row| json!({ "key": row.key, "bytes": row.bytes })).collect();
        return json_text(&rows);
    }
    if rows.is_empty() {
        return "No memories\n".to_owned();
    }
    view.table(&HEADER, rows.iter().map(|row| vec![row.key.clone(), row.bytes.to_string()]))
}

pub(crate) fn list(admin: &mut Admin) -> Result<Vec<BrainRow>, CtlError> {
    let mut all: Vec<BrainRow> = Vec::new();
    loop {
        let after = all.last().map(|row| row.key.clone()).unwrap_or_default();
        match admin.ask(&AdminRequest::BrainList { after })? {
            AdminAnswer::BrainKeys { rows, more } => {
                let empty = rows.is_empty();
                all.extend(rows);
                if !more || empty {
                    return Ok(all);
                }
            }
            other => return Err(Admin::unexpected(&other, "BrainKeys")),
        }
    }
}

/// A whole value; one that is written meanwhile is read again.
fn get(admin: &mut Admin, key: &str) -> Result<Option<SecretBytes>, CtlError> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut reading = None;
    loop {
        let from = bytes.len() as u64;
        match admin.ask(&AdminRequest::BrainGet { key: key.to_owned(), from })? {
            AdminAnswer::BrainValue { version, .. } if reading.is_some_and(|first| first != version) => {
                bytes.clear();
                reading = None;
            }
            AdminAnswer::BrainValue { part, whole, version } => {
                reading = Some(version);
                bytes.extend_from_slice(part.expose());
                if bytes.len() as u64 >= whole || part.is_empty() {
                    return Ok(Some(SecretBytes::new(bytes)));
                }
            }
            AdminAnswer::BrainAbsent => return Ok(None),
            other => return Err(Admin::unexpected(&other, "BrainValue")),
        }
    }
}

/// Sends a value in parts; what the robot says to the last one.
pub(crate) fn send(
    admin: &mut Admin,
    value: &[u8],
    request: impl Fn(&[u8], bool) -> AdminRequest,
) -> Result<String, CtlError> {
    let mut parts = value.chunks(PART).peekable();
    loop {
        let part = parts.next().unwrap_or_default();
        let last = parts.peek().is_none();
        match admin.ask(&request(part, last))? {
            AdminAnswer::BrainTaken if !last => {}
            AdminAnswer::Done { text } if last => return Ok(text),
            other => return Err(Admin::unexpected(&other, "Done")),
        }
    }
}

pub(crate) fn set(admin: &mut Admin, key: &str, value: &[u8]) -> Result<String, CtlError> {
    send(admin, value, |part, last| AdminRequest::BrainSet {
        key: key.to_owned(),
        part: SecretBytes::new(part.to_vec()),
        last,
    })
}

fn read_all(from: &mut impl std::io::Read) -> std::io::Result<SecretBytes> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes)?;
    Ok(SecretBytes::new(bytes))
}

/// One line of an exported file.
#[derive(serde::Serialize, serde::Deserialize)]
struct Line<'a> {
    key: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

fn line(key: &str, value: &[u8]) -> Option<String> {
    // Between the values of JSON a line break is a blank; within one there is none.
    let text = std::str::from_utf8(value).ok()?.replace(['\n', '\r'], " ");
    let value: &RawValue = serde_json::from_str(&text).ok()?;
    serde_json::to_string(&Line { key: key.to_owned(), value }).ok()
}

fn export(admin: &mut Admin, path: &Path, view: View) -> Result<String, CtlError> {
    let to_output = path == Path::new("-");
    let mut out: Box<dyn Write> = if to_output {
        Box::new(std::io::stdout().lock())
    } else {
        let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        Box::new(new.map_err(CtlError::file(path))?)
    };
    let mut count = 0;
    for BrainRow { key, .. } in list(admin)? {
        // One that was deleted meanwhile is not there.
        let Some(value) = get(admin, &key)? else { continue };
        let line = line(&key, value.expose())
            .ok_or_else(|| CtlError::BadMemory { what: key.clone(), reason: "it is not JSON".to_owned() })?;
        let written = writeln!(out, "{line}");
        written.map_err(|error| if to_output { CtlError::Output(error) } else { CtlError::file(path)(error) })?;
        count += 1;
    }
    out.flush().map_err(CtlError::file(path))?;
    Ok(if to_output { String::new() } else { view.done(&format!("Exported {}.", memories(count))) })
}

fn import(admin: &mut Admin, path: &Path, view: View) -> Result<String, CtlError> {
    let from: Box<dyn std::io::Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(CtlError::file(path))?)
    };
    let mut count = 0;
    for (number, text) in BufReader::new(from).lines().enumerate() {
        let text = text.map_err(CtlError::file(path))?;
        if text.trim().is_empty() {
            continue;
        }
        let bad = |error: serde_json::Error| CtlError::BadMemory {
            what: format!("{}:{}", path.display(), number + 1),
            reason: error.to_string(),
        };
        let Line { key, value } = serde_json::from_str(&text).map_err(bad)?;
        set(admin, &key, value.get().as_bytes())?;
        count += 1;
    }
    Ok(view.done(&format!("Imported {}.", memories(count))))
}

pub(crate) fn memories(count: usize) -> String {
    if count == 1 { "1 memory".to_owned() } else { format!("{count} memories") }
}

/// A file of a directory, whole.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, CtlError> {
    fs::read(path).map_err(CtlError::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_a_value_as_it_was_written() {
        let text = line("p:k", b"{\n  \"b\": 1.50,\r\n  \"a\": \"x\\ny\" }").unwrap();
        assert_eq!(text, r#"{"key":"p:k","value":{   "b": 1.50,    "a": "x\ny" }}"#);
        let read: Line<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!((read.key.as_str(), read.value.get()), ("p:k", r#"{   "b": 1.50,    "a": "x\ny" }"#));
        assert_eq!(line("p:k", b"no json"), None);
    }

    #[test]
    fn memories_are_listed_in_a_table_or_as_records() {
        let rows = [BrainRow { key: "lists:lunch".into(), bytes: 12 }];
        assert_eq!(show(&rows, View::PLAIN), "KEY          BYTES\nlists:lunch  12\n");
        assert_eq!(show(&[], View::PLAIN), "No memories\n");
        let json: serde_json::Value = serde_json::from_str(&show(&rows, View { json: true, colours: false })).unwrap();
        assert_eq!(json, json!([{ "key": "lists:lunch", "bytes": 12 }]));
    }
}

//! The Robot API from inside: JSON lines over the run's own descriptor.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    sync::{Mutex, PoisonError},
};

use gopher_protocol::robot_api::MessageFormat;
use serde_json::{Value, json};

/// Asks and waits, one call at a time.
pub(crate) struct Client(Mutex<BufReader<UnixStream>>);

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("{0}")]
    Refused(String),
    #[error("the robot no longer listens: {0}")]
    Lost(#[from] io::Error),
}

impl Client {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self(Mutex::new(BufReader::new(stream)))
    }

    /// The answer in the form of the wire protocol (spec: Robot API §2.5).
    pub(crate) fn call(
        &self,
        function: &str,
        format: Option<MessageFormat>,
        arguments: &Value,
    ) -> Result<Value, NoAnswer> {
        let format = format.map_or("", MessageFormat::name);
        let mut line = json!({ "FuncName": function, "Format": format, "FuncArgs": arguments }).to_string();
        line.push('\n');
        let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reader.get_mut().write_all(line.as_bytes())?;
        let mut answer = Vec::new();
        reader.read_until(b'\n', &mut answer)?;
        if answer.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        // What is refused before it is understood as JSON is answered in the shell's form.
        if let Some(reason) = answer.strip_prefix(b"!\t") {
            return Err(NoAnswer::Refused(String::from_utf8_lossy(reason).trim_end().to_owned()));
        }
        let answer: Value = serde_json::from_slice(&answer).map_err(io::Error::from)?;
        match answer.get("Error").and_then(Value::as_str) {
            Some(reason) if !matches!(function, "GetTaskConfig") => Err(NoAnswer::Refused(reason.to_owned())),
            _ => Ok(answer),
        }
    }
}

//! The Robot API from inside: by JSON lines over the run's own descriptor, or, from a thread beside the one that serves
//! the run, without leaving the process.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    sync::{Arc, Mutex, PoisonError},
};

use gopher_protocol::robot_api::{MessageFormat, RobotAnswer, RobotCall};
use serde_json::{Value, json};

use crate::api::{self, Request};

/// Asks and waits, one call at a time.
pub(crate) enum Client {
    Lines(Mutex<BufReader<UnixStream>>),
    Within(Mutex<Within>),
}

/// Asks the engine; a whole sentence on why there is no answer.
pub(crate) type Ask = Box<dyn FnMut(RobotCall) -> Result<RobotAnswer, NoAnswer> + Send>;

/// What answers inside the process.
pub(crate) struct Within {
    pub(crate) ask: Ask,
    /// Of the run, as [`api::parameter`] looks at them.
    pub(crate) parameters: Arc<Vec<(String, String)>>,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("{0}")]
    Refused(String),
    #[error("the robot no longer listens: {0}")]
    Lost(#[from] io::Error),
}

impl Client {
    pub(crate) fn lines(stream: UnixStream) -> Self {
        Self::Lines(Mutex::new(BufReader::new(stream)))
    }

    pub(crate) fn within(within: Within) -> Self {
        Self::Within(Mutex::new(within))
    }

    /// The answer in the form of the wire protocol (spec: Robot API §2.5).
    pub(crate) fn call(
        &self,
        function: &str,
        format: Option<MessageFormat>,
        arguments: &Value,
    ) -> Result<Value, NoAnswer> {
        let format = format.map_or("", MessageFormat::name);
        match self {
            Self::Lines(reader) => {
                let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
                over_lines(&mut reader, function, format, arguments)
            }
            Self::Within(within) => {
                let mut within = within.lock().unwrap_or_else(PoisonError::into_inner);
                within.call(function, format, arguments)
            }
        }
    }
}

fn over_lines(
    reader: &mut BufReader<UnixStream>,
    function: &str,
    format: &str,
    arguments: &Value,
) -> Result<Value, NoAnswer> {
    let mut line = json!({ "FuncName": function, "Format": format, "FuncArgs": arguments }).to_string();
    line.push('\n');
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

impl Within {
    fn call(&mut self, function: &str, format: &str, arguments: &Value) -> Result<Value, NoAnswer> {
        let request = api::from_parts(function, format, arguments);
        match request.map_err(|bad| NoAnswer::Refused(bad.to_string()))? {
            Request::Parameter(name) => Ok(json!({ "StrVal": api::parameter(&self.parameters, &name) })),
            Request::Ask(call, shape) => api::to_json(shape, &(self.ask)(call)?).map_err(NoAnswer::Refused),
        }
    }
}

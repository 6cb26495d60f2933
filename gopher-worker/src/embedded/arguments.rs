//! Arguments of Robot methods, as values of any language that became JSON.

use gopher_protocol::robot_api::{LogLevel, MessageFormat};
use serde_json::Value;

/// What a method takes at one place; the word is for its author.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Want {
    /// Text that is not empty.
    Name(&'static str),
    Text(&'static str),
    /// False if it is not given.
    Flag(&'static str),
    /// Zero or more, with a fraction.
    Seconds(&'static str),
    Number(&'static str),
    Value(&'static str),
    /// A list of texts.
    Names(&'static str),
    /// A log level, by name or number.
    Level,
    /// All further arguments that are texts.
    Rest,
}

/// Arguments that do not fit; the sentence is raised in the extension.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{method}: {problem}")]
pub(crate) struct Misuse {
    method: String,
    problem: String,
}

impl Misuse {
    pub(crate) fn unknown(method: &str) -> Self {
        Self { method: method.to_owned(), problem: "the robot has no such method".to_owned() }
    }
}

/// Arguments that fit.
pub(crate) struct Arguments<'a> {
    given: &'a [Value],
    from: usize,
    level: Option<&'static str>,
    pub(crate) format: Option<MessageFormat>,
}

impl<'a> Arguments<'a> {
    pub(crate) fn check(method: &str, wants: &[Want], given: &'a [Value]) -> Result<Self, Misuse> {
        let mut given_level = None;
        for (index, want) in wants.iter().enumerate() {
            let value = given.get(index).unwrap_or(&Value::Null);
            let (fits, name, wanted) = match want {
                Want::Name(name) => (value.as_str().is_some_and(|t| !t.is_empty()), *name, "a text that is not empty"),
                Want::Text(name) => (value.is_string(), *name, "a text"),
                Want::Flag(name) => (value.is_boolean() || value.is_null(), *name, "true or false"),
                Want::Seconds(name) => {
                    let fits = value.as_f64().is_some_and(|n| (0.0..=1e9).contains(&n));
                    (fits, *name, "a number of seconds")
                }
                Want::Number(name) => (value.is_number(), *name, "a number"),
                Want::Value(name) => (given.len() > index, *name, "given"),
                Want::Names(name) => {
                    let texts = |list: &Vec<Value>| list.iter().all(Value::is_string);
                    (value.as_array().is_some_and(texts), *name, "a list of texts")
                }
                Want::Level => {
                    given_level = level(value);
                    (given_level.is_some(), "level", "a log level")
                }
                Want::Rest => (true, "", ""),
            };
            if !fits {
                let problem = format!("the argument `{name}` (number {}) must be {wanted}", index + 1);
                return Err(Misuse { method: method.to_owned(), problem });
            }
        }
        let format = given.get(wants.len()).and_then(format);
        Ok(Self { given, from: wants.len().saturating_sub(1), level: given_level, format })
    }

    /// The text at a place that was checked to be one.
    pub(crate) fn text(&self, index: usize) -> &str {
        match self.level {
            Some(level) if index == 0 => level,
            _ => self.given.get(index).and_then(Value::as_str).unwrap_or_default(),
        }
    }

    pub(crate) fn flag(&self, index: usize) -> bool {
        self.given.get(index).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn number(&self, index: usize) -> f64 {
        self.given.get(index).and_then(Value::as_f64).unwrap_or(0.0)
    }

    pub(crate) fn value(&self, index: usize) -> &'a Value {
        self.given.get(index).unwrap_or(&Value::Null)
    }

    pub(crate) fn names(&self, index: usize) -> Vec<&'a str> {
        self.value(index).as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Texts from the last wanted place on; what is none is left out, as in the reference.
    pub(crate) fn rest(&self) -> Vec<&'a str> {
        self.given.iter().skip(self.from).filter_map(Value::as_str).collect()
    }
}

/// A format by number or name; others are none (spec: Robot API §1.1).
pub(crate) fn format(value: &Value) -> Option<MessageFormat> {
    match value {
        Value::Number(number) => {
            let number = number.as_u64().or_else(|| number.as_f64().filter(|n| n.fract() == 0.0).map(whole))?;
            let all = [MessageFormat::Raw, MessageFormat::Fixed, MessageFormat::Variable, MessageFormat::BasicMarkdown];
            all.into_iter().find(|format| u64::from(format.number()) == number)
        }
        Value::String(name) => MessageFormat::parse(name),
        _ => None,
    }
}

fn level(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(name) => Some(LogLevel::parse(name).name()),
        Value::Number(number) => {
            let number = number.as_u64().or_else(|| number.as_f64().map(whole))?;
            let all = [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Audit, LogLevel::Warn];
            // Fatal ends nothing but the reference.
            let level = all.into_iter().find(|level| u64::from(level.number()) == number).unwrap_or(LogLevel::Error);
            Some(level.name())
        }
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers, or none that is known")]
fn whole(number: f64) -> u64 {
    number as u64
}

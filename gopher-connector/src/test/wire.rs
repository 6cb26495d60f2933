//! The JSON lines of the suite driver (connectors §5.6 A).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A line of the driver. One flat record, so that a message is read in one pass.
#[derive(Debug, Deserialize)]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    pub(super) op: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) user_id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) channel: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) text: Cow<'a, str>,
    #[serde(default)]
    pub(super) threaded: bool,
    #[serde(default)]
    pub(super) hidden: bool,
}

/// A line for the driver.
#[derive(Debug, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(super) enum Answer<'a> {
    Ready,
    Sent,
    Idle,
    Events { events: Vec<String> },
    Msg { seq: u64, user: &'a str, channel: &'a str, text: &'a str, threaded: bool },
    Error { text: Cow<'a, str> },
}

impl Answer<'_> {
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(128);
        // Strings, numbers and lists of strings always have a JSON form.
        if serde_json::to_writer(&mut line, self).is_err() {
            line.clear();
        }
        line.push(b'\n');
        line
    }
}

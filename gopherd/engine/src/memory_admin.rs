//! What administrators do with long-term memories over the admin socket. Every request is audited before its effect.

use std::time::Instant;

use gopher_protocol::{
    SecretBytes,
    admin::{AdminAnswer, AdminRequest, BrainRow},
    robot_api::RetVal,
};

use crate::{
    brain::{Asker, Brain, is_json, valid_key},
    engine::Engine,
};

/// Bytes of a value in one answer.
const PART: usize = 512 << 10;
/// Keys in one answer.
const ROWS: usize = 2000;
/// Longest memory, in bytes: what a run may have remembered.
pub(crate) const LONGEST: usize = 16 << 20;

/// Long things that go to and from a client in parts.
#[derive(Default)]
pub(crate) struct Parts {
    /// Of a memory that is being sent.
    key: String,
    bytes: Vec<u8>,
    /// A memory as Gopherbot would keep it, in base64.
    copy: String,
    /// The memory that is being shown; an empty key stands for the list of all.
    shown: Option<String>,
}

impl Parts {
    /// Adds a part; `None` if it is too much. The first part of another key begins anew.
    fn add(&mut self, key: &str, part: &[u8]) -> Option<()> {
        if self.key != key {
            key.clone_into(&mut self.key);
            self.bytes.clear();
        }
        if self.bytes.len() + part.len() > LONGEST {
            self.take();
            return None;
        }
        self.bytes.extend_from_slice(part);
        Some(())
    }

    fn take(&mut self) -> Vec<u8> {
        self.key.clear();
        std::mem::take(&mut self.bytes)
    }
}

impl Engine {
    /// Requests whose name begins with `Brain`.
    pub(crate) fn memory_request(&mut self, id: u64, uid: u32, request: AdminRequest) {
        if let Some(reason) = self.memory.closed() {
            return self.refuse(id, &reason);
        }
        let key = match &request {
            AdminRequest::BrainGet { key, .. }
            | AdminRequest::BrainSet { key, .. }
            | AdminRequest::BrainDelete { key }
            | AdminRequest::BrainMigrate { key, .. }
            | AdminRequest::BrainCopy { key, .. } => Some(key.clone()),
            _ => None,
        };
        if let Some(key) = key.as_ref().filter(|key| !valid_key(key)) {
            let reason =
                format!("'{}' is no key of a memory: it has letters, digits, '_', '-' and ':'", key.escape_debug());
            return self.refuse(id, &reason);
        }
        match request {
            AdminRequest::BrainList { after } => {
                let first = self.shows_anew(id, "", after.is_empty());
                if !first || self.audited(id, &format!("uid {uid} lists the memories")) {
                    self.list_memories(id, &after);
                }
            }
            AdminRequest::BrainGet { key, from } => {
                let first = self.shows_anew(id, &key, from == 0);
                if !first || self.audited(id, &format!("uid {uid} reads memory {key}")) {
                    self.take_steps(Brain::read(&key, Asker::Client { client: id, from }));
                }
            }
            AdminRequest::BrainSet { key, part, last } => {
                if let Some(bytes) = self.collected(id, &key, part.expose(), last)
                    && self.audited(id, &format!("uid {uid} stores memory {key}"))
                {
                    self.set_memory(id, &key, String::from_utf8(bytes).ok());
                }
            }
            AdminRequest::BrainDelete { key } => {
                if self.memory.values.known(&key).is_none() {
                    self.answer_client(id, &AdminAnswer::BrainAbsent);
                } else if self.audited(id, &format!("uid {uid} deletes memory {key}")) {
                    let steps = self.brain.put(&key, None, Asker::Client { client: id, from: 0 }, Instant::now());
                    self.take_steps(steps);
                }
            }
            AdminRequest::BrainMigrate { key, part, last } => {
                if let Some(bytes) = self.collected(id, &key, &part, last)
                    && self.audited(id, &format!("uid {uid} moves memory {key} over"))
                {
                    self.open_foreign(id, key, bytes);
                }
            }
            AdminRequest::BrainCopy { key, from } => {
                if from > 0 {
                    self.show_copy(id, from);
                } else if self.audited(id, &format!("uid {uid} copies memory {key} for Gopherbot")) {
                    self.take_steps(Brain::read(&key, Asker::Copier { client: id }));
                }
            }
            _ => {}
        }
    }

    /// A memory is encrypted for Gopherbot: the client gets it in parts.
    pub(crate) fn keep_copy(&mut self, id: u64, text: String) {
        if let Some(parts) = self.parts_of(id) {
            parts.copy = text;
            self.show_copy(id, 0);
        }
    }

    fn show_copy(&mut self, id: u64, from: u64) {
        let Some(parts) = self.parts_of(id) else { return };
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(parts.copy.len());
        let to = parts.copy.len().min(from + PART);
        // It is base64: any place is between two letters.
        let part = parts.copy.get(from..to).unwrap_or_default().to_owned();
        let whole = parts.copy.len() as u64;
        self.answer_client(id, &AdminAnswer::BrainCopied { part, whole });
    }

    /// Whether this is no continuation of what the client is being shown; the audit log has that already.
    fn shows_anew(&mut self, id: u64, what: &str, from_the_start: bool) -> bool {
        let Some(parts) = self.parts_of(id) else { return true };
        let shown = parts.shown.replace(what.to_owned());
        from_the_start || shown.as_deref() != Some(what)
    }

    /// A whole value, once its last part is there.
    fn collected(&mut self, id: u64, key: &str, part: &[u8], last: bool) -> Option<Vec<u8>> {
        let parts = self.parts_of(id)?;
        if parts.add(key, part).is_none() {
            self.refuse(id, &format!("the value of '{key}' is too long: {LONGEST} bytes are the most"));
            return None;
        }
        if last {
            return Some(parts.take());
        }
        self.answer_client(id, &AdminAnswer::BrainTaken);
        None
    }

    fn list_memories(&mut self, id: u64, after: &str) {
        let mut rows: Vec<BrainRow> = Vec::new();
        let mut more = false;
        for (key, known) in self.memory.values.after(after) {
            if rows.len() == ROWS {
                more = true;
                break;
            }
            rows.push(BrainRow { key: key.to_owned(), bytes: known.bytes });
        }
        self.answer_client(id, &AdminAnswer::BrainKeys { rows, more });
    }

    /// Waits for whoever holds the memory, as a run would.
    fn set_memory(&mut self, id: u64, key: &str, text: Option<String>) {
        match text.filter(|text| is_json(text)) {
            Some(text) => {
                let asker = Asker::Client { client: id, from: 0 };
                let steps = self.brain.put(key, Some(text), asker, Instant::now());
                self.take_steps(steps);
            }
            None => self.refuse(id, &format!("the value of '{key}' is not one JSON value, so it is not stored")),
        }
    }

    /// A memory of Gopherbot, opened.
    pub(crate) fn move_over(&mut self, id: u64, key: &str, text: &str) {
        self.set_memory(id, key, Some(text.to_owned()));
    }

    /// A part of a value for an administrator.
    pub(crate) fn show_memory(&mut self, id: u64, from: u64, found: Option<(String, u64)>, ret: RetVal) {
        let answer = match found {
            Some((datum, version)) => {
                let bytes = datum.as_bytes();
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                let part = SecretBytes::new(bytes[from..bytes.len().min(from + PART)].to_vec());
                AdminAnswer::BrainValue { part, whole: bytes.len() as u64, version }
            }
            None if ret == RetVal::Ok => AdminAnswer::BrainAbsent,
            None => AdminAnswer::Refused { reason: self.memory_refusal() },
        };
        self.answer_client(id, &answer);
    }

    pub(crate) fn tell_client_of_memory(&mut self, id: u64, key: &str, removed: bool, ret: RetVal) {
        let answer = if ret == RetVal::Ok {
            AdminAnswer::Done { text: format!("{} {key}.", if removed { "Deleted" } else { "Stored" }) }
        } else {
            AdminAnswer::Refused { reason: self.memory_refusal() }
        };
        self.answer_client(id, &answer);
    }

    fn memory_refusal(&self) -> String {
        self.memory.notice().unwrap_or_else(|| "the memory cannot be had: gopherctl logs says why".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_key_are_put_together_and_bounded() {
        let mut parts = Parts::default();
        assert!(parts.add("a", b"stale").is_some());
        assert!(parts.add("b", b"12").is_some() && parts.add("b", b"3").is_some());
        assert_eq!(parts.take(), b"123");
        assert!(parts.add("c", &vec![0; LONGEST]).is_some() && parts.add("c", b"x").is_none());
        assert_eq!(parts.take(), b"");
    }
}

//! What is asked of secretd, and what it answers. It alone can seal and open values.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gopher_protocol::{SecretBytes, ids::CallId, secretd::EngineToSecretd};

use crate::engine::Engine;

use super::work::Work;

const NO_SECRETD: &str = "gopher-secretd is not there, so nothing can be sealed or opened";

impl Engine {
    pub(super) fn call_number(&mut self) -> CallId {
        let call = self.next_call;
        self.next_call = call.next();
        call
    }

    pub(super) fn seal(&mut self, work: Work, plaintext: SecretBytes) {
        let call = self.call_number();
        let record = work.record();
        let request = if self.memory.is_foreign(&record) {
            EngineToSecretd::Encrypt { call, plaintext }
        } else {
            EngineToSecretd::Seal { call, record, plaintext }
        };
        self.ask_secretd(call, work, &request);
    }

    pub(super) fn open(&mut self, work: Work, sealed: Vec<u8>) {
        let call = self.call_number();
        let record = work.record();
        let request = if self.memory.is_foreign(&record) {
            EngineToSecretd::OpenForeign { call, sealed }
        } else {
            EngineToSecretd::Open { call, record, sealed }
        };
        self.ask_secretd(call, work, &request);
    }

    /// Has opened what Gopherbot has sealed.
    pub(crate) fn open_foreign(&mut self, client: u64, key: String, sealed: Vec<u8>) {
        let call = self.call_number();
        self.ask_secretd(call, Work::Foreign { client, key }, &EngineToSecretd::OpenForeign { call, sealed });
    }

    /// Has a value encrypted as Gopherbot would keep it.
    pub(super) fn copy_memory(&mut self, client: u64, datum: &str) {
        let call = self.call_number();
        let plaintext = SecretBytes::new(datum.as_bytes().to_vec());
        self.ask_secretd(call, Work::Copy { client }, &EngineToSecretd::Encrypt { call, plaintext });
    }

    /// secretd has encrypted it.
    pub(crate) fn copied(&mut self, call: CallId, text: String) -> Result<(), String> {
        match self.memory.at_secretd.remove(&call) {
            Some(Work::Copy { client }) => {
                self.keep_copy(client, text);
                Ok(())
            }
            Some(work) => {
                match STANDARD.decode(&text) {
                    Ok(encrypted) if self.memory.is_foreign(&work.record()) => self.write_sealed(call, work, encrypted),
                    _ => self.work_failed(work, "it was encrypted and not sealed"),
                }
                Ok(())
            }
            None => Err(text),
        }
    }

    pub(super) fn ask_secretd(&mut self, call: CallId, work: Work, request: &EngineToSecretd) {
        match self.secretd.as_mut().map(|wire| wire.send(request)) {
            Some(true) => {
                self.memory.at_secretd.insert(call, work);
            }
            Some(false) => self.work_failed(work, "it is too long"),
            None => self.work_failed(work, NO_SECRETD),
        }
    }

    /// The link to secretd is gone: nothing that was asked of it will be answered.
    pub(crate) fn memory_without_secretd(&mut self) {
        for (_, work) in std::mem::take(&mut self.memory.at_secretd) {
            self.work_failed(work, NO_SECRETD);
        }
    }

    /// secretd has sealed a value.
    pub(crate) fn sealed(&mut self, call: CallId, sealed: Vec<u8>) -> bool {
        let Some(work) = self.memory.at_secretd.remove(&call) else { return false };
        self.write_sealed(call, work, sealed);
        true
    }

    fn write_sealed(&mut self, call: CallId, work: Work, sealed: Vec<u8>) {
        let (name, version) = (work.name(), work.version());
        self.memory.write(call, name, version, Some(sealed), work);
    }

    /// secretd has opened a value.
    pub(crate) fn opened(&mut self, call: CallId, plaintext: &SecretBytes) -> bool {
        let Some(work) = self.memory.at_secretd.remove(&call) else { return false };
        let Ok(text) = std::str::from_utf8(plaintext.expose()) else {
            self.work_failed(work, "it is no text");
            return true;
        };
        match work {
            Work::Fetch { key, version, bytes } => {
                self.memory.under_way -= bytes;
                self.fetched(key, text, version);
            }
            Work::Restore { paper, .. } => {
                if self.restore(paper, text) {
                    self.memory.papers.restored(paper);
                    self.memory_may_serve();
                } else {
                    self.work_failed(Work::Restore { paper, version: 0 }, "it is nothing that was saved");
                }
            }
            Work::Foreign { client, key } => {
                self.note_moved();
                self.move_over(client, &key, text);
            }
            Work::Put { .. } | Work::Remove { .. } | Work::Save { .. } | Work::Copy { .. } | Work::Moved => {}
        }
        true
    }

    /// secretd could not do what was asked.
    pub(crate) fn not_done(&mut self, call: CallId, reason: &str) -> bool {
        let Some(work) = self.memory.at_secretd.remove(&call) else { return false };
        self.work_failed(work, reason.trim_end_matches('.'));
        true
    }
}

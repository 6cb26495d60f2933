//! Carrying out what the locks say: a value is found, fetched, written or given to whoever asked.

use std::{collections::VecDeque, time::Instant};

use gopher_protocol::{
    SecretBytes,
    robot_api::{RetVal, RobotAnswer},
};

use crate::{
    brain::{Asker, Step},
    engine::Engine,
    store::{BRAIN, Name},
    values::Found,
};

use super::{Place, work::Work};

const TOO_MUCH: &str = "too many long memories are asked for at once";

impl Engine {
    /// Does what the locks say, and what follows from it.
    pub(crate) fn take_steps(&mut self, steps: Vec<Step>) {
        let mut steps = VecDeque::from(steps);
        while let Some(step) = steps.pop_front() {
            match (&self.memory.place, step) {
                (_, Step::Tell { asker, ret }) => self.tell_asker(asker, "", false, ret),
                (Place::Unknown | Place::Opening, step) => self.memory.early.push(step),
                (Place::Broken(_), Step::Give { asker, key, token }) => {
                    steps.extend(self.brain.checkin(&key, &token, Instant::now()));
                    self.give(asker, String::new(), None, RetVal::BrainFailed);
                }
                (Place::Broken(_), Step::Write { asker, key, datum }) => {
                    steps.extend(self.written(asker, &key, datum.is_none(), RetVal::BrainFailed));
                }
                (Place::Here, Step::Write { asker, key, datum }) => {
                    let removed = datum.is_none();
                    let kept = if let Some(datum) = datum {
                        self.memory.values.keep(&key, datum)
                    } else {
                        self.memory.values.remove(&key);
                        true
                    };
                    let ret = if kept { RetVal::Ok } else { RetVal::BrainFailed };
                    steps.extend(self.written(asker, &key, removed, ret));
                }
                (Place::Here | Place::Stored, Step::Give { asker, key, token }) => self.find_memory(asker, key, token),
                (Place::Stored, Step::Write { asker, key, datum: Some(datum) }) => {
                    let version = self.memory.next_version();
                    let plaintext = SecretBytes::new(datum.as_bytes().to_vec());
                    let put = Work::Put { asker, key, datum, version };
                    if self.memory.has_room(&put) {
                        self.seal(put, plaintext);
                    } else {
                        self.work_failed(put, TOO_MUCH);
                    }
                }
                (Place::Stored, Step::Write { asker, key, datum: None }) => {
                    if self.memory.values.known(&key).is_none() {
                        steps.extend(self.written(asker, &key, true, RetVal::Ok));
                        continue;
                    }
                    let call = self.call_number();
                    let name = Name { store: BRAIN, key: key.clone() };
                    let version = self.memory.next_version();
                    self.memory.write(call, name, version, None, Work::Remove { asker, key });
                }
            }
        }
    }

    pub(super) fn find_memory(&mut self, asker: Asker, key: String, token: String) {
        match self.memory.values.find(&key) {
            Found::Absent => self.give(asker, token, None, RetVal::Ok),
            Found::Value(datum) => {
                let version = self.memory.values.known(&key).map_or(0, |known| known.version);
                self.give(asker, token, Some((datum, version)), RetVal::Ok);
            }
            Found::Sealed => {
                if let Some(waiting) = self.memory.fetching.get_mut(&key) {
                    waiting.push((asker, token));
                } else {
                    self.memory.fetching.insert(key.clone(), vec![(asker, token)]);
                    self.fetch(key);
                }
            }
        }
    }

    /// Has these values open from now on: what the engine itself decides by must be at hand.
    pub(crate) fn keep_open(&mut self, keys: Vec<String>) {
        self.memory.values.pin(keys);
        if self.memory.place != Place::Stored {
            return;
        }
        for key in self.memory.values.sealed_pins() {
            if !self.memory.fetching.contains_key(&key) {
                self.memory.fetching.insert(key.clone(), Vec::new());
                self.fetch(key);
            }
        }
    }

    pub(super) fn fetch(&mut self, key: String) {
        let bytes = self.memory.values.known(&key).map_or(0, |known| known.bytes);
        let work = Work::Fetch { key, version: 0, bytes };
        if !self.memory.has_room(&work) {
            return self.work_failed(work, TOO_MUCH);
        }
        let call = self.call_number();
        self.memory.read(call, work.name(), work);
    }

    /// A value has been written or not: whoever asked is told, and the lock goes on.
    pub(super) fn written(&mut self, asker: Asker, key: &str, removed: bool, ret: RetVal) -> Vec<Step> {
        self.tell_asker(asker, key, removed, ret);
        self.brain.written(key, Instant::now())
    }

    pub(super) fn tell_asker(&mut self, asker: Asker, key: &str, removed: bool, ret: RetVal) {
        match asker {
            Asker::Run(caller) => self.answer(caller, RobotAnswer::RetVal(ret)),
            Asker::Client { client, .. } | Asker::Copier { client } => {
                self.tell_client_of_memory(client, key, removed, ret);
            }
        }
    }

    pub(super) fn give(&mut self, asker: Asker, token: String, found: Option<(String, u64)>, ret: RetVal) {
        match asker {
            Asker::Run(caller) => {
                let datum = found.map(|(datum, _)| datum);
                self.answer(caller, RobotAnswer::Datum { token, datum, ret });
            }
            Asker::Client { client, from } => self.show_memory(client, from, found, ret),
            Asker::Copier { client } => match found {
                Some((datum, _)) => self.copy_memory(client, &datum),
                None => self.show_memory(client, 0, None, ret),
            },
        }
    }
}

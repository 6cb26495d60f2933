//! Where memories are: how the engine, secretd and the store work together (spec: security §7, DESIGN: state).
//!
//! A value that is written goes to secretd to be sealed, then to the store's thread to be committed; only then its lock
//! is free and whoever wrote it is told. A value that is read comes from the store, is opened by secretd, and is kept
//! open from then on as long as there is room. In neither case does the engine's loop wait. A robot whose brain is `mem`,
//! or whose key is made for the moment, has all this in this process only.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use gopher_protocol::{
    SecretBytes,
    ids::CallId,
    robot_api::{RetVal, RobotAnswer},
    secretd::{EngineToSecretd, RecordName},
};

use crate::{
    brain::{Asker, Step},
    engine::{Engine, Who},
    log::now_ms,
    papers::{Paper, Papers},
    store::{Contents, Done, Name, Record, Store},
    values::{Found, Values},
};

/// The store of long-term memories; a record is sealed for its store.
const BRAIN: &str = "brain";
/// A record without a value: memories of Gopherbot were moved over.
const MOVED: Name = Name { store: "state", key: String::new() };
/// The brain that outlives the robot.
const FILE: &str = "file";
/// Bytes of values that may be on their way at once: whoever wants more is refused, whatever runs ask for together.
const UNDER_WAY: u64 = 128 << 20;
const TOO_MUCH: &str = "too many long memories are asked for at once";
const NO_SECRETD: &str = "gopher-secretd is not there, so nothing can be sealed or opened";

/// Where memories are.
#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nobody has said yet what brain the robot has, or what key.
    #[default]
    Unknown,
    Opening,
    /// In this process.
    Here,
    Stored,
    /// In a store that cannot be used, for this reason.
    Broken(String),
}

/// What is under way, at secretd or at the store.
enum Work {
    Put {
        asker: Asker,
        key: String,
        datum: String,
        version: u64,
    },
    Remove {
        asker: Asker,
        key: String,
    },
    Fetch {
        key: String,
        version: u64,
        bytes: u64,
    },
    Save {
        paper: Paper,
        version: u64,
    },
    Restore {
        paper: Paper,
        version: u64,
    },
    /// What an administrator moves over, on its way to being opened.
    Foreign {
        client: u64,
        key: String,
    },
    /// What an administrator gets as Gopherbot would keep it.
    Copy {
        client: u64,
    },
    /// That memories were moved over.
    Moved,
}

/// All of it.
#[derive(Default)]
pub(crate) struct Memory {
    place: Place,
    /// The brain that the configuration names.
    brain: Option<String>,
    own_key: Option<bool>,
    store: Option<Store>,
    token: u64,
    pub(crate) values: Values,
    last_version: u64,
    /// What was asked before it was known where memories are.
    early: Vec<Step>,
    at_secretd: HashMap<CallId, Work>,
    at_store: HashMap<CallId, Work>,
    /// Who waits for which value, with the token it goes with.
    fetching: HashMap<String, Vec<(Asker, String)>>,
    pub(crate) papers: Papers,
    /// Where memories of Gopherbot still are.
    old: Option<String>,
    under_way: u64,
    /// What went wrong last and has not gone well since.
    trouble: Option<String>,
}

impl Memory {
    /// What an administrator should know.
    pub(crate) fn notice(&self) -> Option<String> {
        match (&self.place, &self.trouble) {
            (Place::Broken(reason), _) => Some(format!("Memories cannot be used: {reason}.")),
            (_, Some(trouble)) => Some(format!("Memories: {trouble}.")),
            (Place::Stored, None) => self.old.as_ref().map(|place| {
                format!(
                    "What Gopherbot has remembered is still in {place}: gopherctl brain migrate moves it over, and without \
                     the directory this is not said."
                )
            }),
            (Place::Here, None) if self.is_to_last() => Some(
                "Memories are kept while the robot runs: it has no GOPHER_ENCRYPTION_KEY to seal them with.".into(),
            ),
            _ => None,
        }
    }

    /// Why an administrator cannot see memories now.
    pub(crate) fn closed(&self) -> Option<String> {
        match &self.place {
            Place::Broken(reason) => Some(format!("memories cannot be used: {reason}")),
            Place::Unknown | Place::Opening => Some("memories are not open yet: try again in a moment".to_owned()),
            Place::Here | Place::Stored => None,
        }
    }

    /// Nothing that must not be lost is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        let saves = |works: &HashMap<CallId, Work>| works.values().any(|w| !matches!(w, Work::Fetch { .. }));
        self.papers.is_idle() && !saves(&self.at_secretd) && !saves(&self.at_store)
    }

    fn is_to_last(&self) -> bool {
        self.brain.as_deref() == Some(FILE)
    }

    /// Counts the bytes of this work, unless there are too many already.
    fn has_room(&mut self, work: &Work) -> bool {
        let room = self.under_way == 0 || self.under_way + work.bytes() <= UNDER_WAY;
        // What is refused is counted, too, for it ends like any other work.
        self.under_way += work.bytes();
        room
    }

    fn next_version(&mut self) -> u64 {
        self.last_version += 1;
        self.last_version
    }

    fn read(&mut self, call: CallId, name: Name, work: Work) {
        if let Some(store) = &self.store {
            store.read(call, name);
            self.at_store.insert(call, work);
        }
    }

    fn write(&mut self, call: CallId, name: Name, version: u64, sealed: Option<Vec<u8>>, work: Work) {
        if let Some(store) = &self.store {
            store.write(call, Record { name, version, sealed });
            self.at_store.insert(call, work);
        }
    }
}

impl Work {
    /// Bytes of its value, where that may be long.
    fn bytes(&self) -> u64 {
        match self {
            Self::Put { datum, .. } => datum.len() as u64,
            Self::Fetch { bytes, .. } => *bytes,
            Self::Remove { .. }
            | Self::Save { .. }
            | Self::Restore { .. }
            | Self::Foreign { .. }
            | Self::Copy { .. }
            | Self::Moved => 0,
        }
    }

    /// What it is about, as record and for its version.
    fn name(&self) -> Name {
        match self {
            Self::Put { key, .. } | Self::Remove { key, .. } | Self::Fetch { key, .. } | Self::Foreign { key, .. } => {
                Name { store: BRAIN, key: key.clone() }
            }
            Self::Save { paper, .. } | Self::Restore { paper, .. } => paper.name(),
            Self::Copy { .. } | Self::Moved => MOVED,
        }
    }

    fn version(&self) -> u64 {
        match self {
            Self::Put { version, .. }
            | Self::Fetch { version, .. }
            | Self::Save { version, .. }
            | Self::Restore { version, .. } => *version,
            Self::Remove { .. } | Self::Foreign { .. } | Self::Copy { .. } | Self::Moved => 0,
        }
    }

    fn record(&self) -> RecordName {
        let name = self.name();
        RecordName { store: name.store.to_owned(), key: name.key, version: self.version() }
    }
}

impl Engine {
    /// Starts the thread that will have the store, while threads can still be started.
    pub(crate) fn start_store(&mut self) {
        let Some(directory) = self.log.directory() else { return };
        let started = Store::start(directory).and_then(|store| {
            let token = self.token(Who::Store);
            self.poller.add(store.bell(), token, false)?;
            self.memory.token = token;
            Ok(store)
        });
        match started {
            Ok(store) => self.memory.store = Some(store),
            Err(error) => self.log.error(&format!("memories cannot be kept: {error}")),
        }
    }

    /// The last words of the store: whatever it was told is written.
    pub(crate) fn end_store(&mut self) {
        if let Some(store) = self.memory.store.take() {
            // A descriptor that the poller no longer knows is as good as removed.
            let _ = self.poller.remove(store.bell());
            self.forget_token(self.memory.token);
        }
    }

    /// The configuration says which brain the robot has; what it says later counts at the next start.
    pub(crate) fn choose_brain(&mut self, brain: &str) {
        match &self.memory.brain {
            None => {
                self.memory.brain = Some(brain.to_owned());
                self.open_memory();
            }
            Some(first) if first != brain => {
                self.log
                    .warn(&format!("Brain is `{brain}` now; memories go on in `{first}` until the robot is restarted"));
            }
            Some(_) => {}
        }
    }

    pub(crate) fn know_keys(&mut self, own: bool) {
        self.memory.own_key = Some(own);
        self.open_memory();
    }

    /// Whether what needs memories may begin.
    pub(crate) fn has_memory(&self) -> bool {
        let pins_open = !self.memory.fetching.keys().any(|key| self.memory.values.is_pinned(key));
        pins_open && self.memory.papers.all_restored() && !matches!(self.memory.place, Place::Unknown | Place::Opening)
    }

    fn open_memory(&mut self) {
        let memory = &mut self.memory;
        if memory.place != Place::Unknown || memory.brain.is_none() {
            return;
        }
        let kept = memory.is_to_last() && !self.start.as_ref().is_some_and(|start| start.inspect);
        match (kept, memory.own_key, &memory.store) {
            (false, ..) | (true, Some(false), _) => {
                memory.place = Place::Here;
                if kept && let Some(notice) = self.memory.notice() {
                    self.log.warn(&notice);
                }
                self.memory_opened();
            }
            (true, None, _) => {}
            (true, Some(true), Some(store)) => {
                store.open();
                memory.place = Place::Opening;
            }
            (true, Some(true), None) => self.memory_broken("the store could not be started".to_owned()),
        }
    }

    fn memory_broken(&mut self, reason: String) {
        self.log.error(&format!("memories cannot be used: {reason}"));
        self.memory.place = Place::Broken(reason);
        self.memory_opened();
    }

    fn store_opened(&mut self, opened: Result<Contents, String>) {
        let contents = match opened {
            Ok(contents) => contents,
            Err(reason) => return self.memory_broken(reason),
        };
        // Later than any before, also of what was deleted meanwhile: a version comes once only.
        let newest = contents.records.iter().map(|(_, known)| known.version).max().unwrap_or_default();
        self.memory.last_version = newest.max(now_ms() << 10);
        let (brain, others): (Vec<_>, Vec<_>) = contents.records.into_iter().partition(|(name, _)| name.store == BRAIN);
        self.memory.values = Values::stored(brain.into_iter().map(|(name, known)| (name.key, known)));
        let moved = others.iter().any(|(name, _)| name.store == MOVED.store && name.key == MOVED.key);
        self.memory.old = self.start.as_ref().and_then(|start| start.old_memories.clone()).filter(|_| !moved);
        for (name, known) in others {
            if let Some(paper) = Paper::of(&name.store, &name.key) {
                self.memory.papers.restoring(paper);
                let call = self.call_number();
                self.memory.read(call, paper.name(), Work::Restore { paper, version: known.version });
            }
        }
        self.memory.place = Place::Stored;
        if let Some(notice) = self.memory.notice() {
            self.log.warn(&notice);
        }
        self.memory_opened();
    }

    /// Whatever has waited for it goes on.
    fn memory_opened(&mut self) {
        if let Some(generation) = self.current.clone() {
            self.remember_groups(&generation);
        }
        let early = std::mem::take(&mut self.memory.early);
        self.take_steps(early);
        self.memory_may_serve();
    }

    fn memory_may_serve(&mut self) {
        if self.has_memory()
            && let Some(generation) = self.current.clone()
            && !self.inspects()
        {
            self.follow_protocols(&generation);
        }
    }

    fn call_number(&mut self) -> CallId {
        let call = self.next_call;
        self.next_call = call.next();
        call
    }

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

    fn find_memory(&mut self, asker: Asker, key: String, token: String) {
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

    fn fetch(&mut self, key: String) {
        let bytes = self.memory.values.known(&key).map_or(0, |known| known.bytes);
        let work = Work::Fetch { key, version: 0, bytes };
        if !self.memory.has_room(&work) {
            return self.work_failed(work, TOO_MUCH);
        }
        let call = self.call_number();
        self.memory.read(call, work.name(), work);
    }

    /// A value has been written or not: whoever asked is told, and the lock goes on.
    fn written(&mut self, asker: Asker, key: &str, removed: bool, ret: RetVal) -> Vec<Step> {
        self.tell_asker(asker, key, removed, ret);
        self.brain.written(key, Instant::now())
    }

    fn tell_asker(&mut self, asker: Asker, key: &str, removed: bool, ret: RetVal) {
        match asker {
            Asker::Run(caller) => self.answer(caller, RobotAnswer::RetVal(ret)),
            Asker::Client { client, .. } | Asker::Copier { client } => {
                self.tell_client_of_memory(client, key, removed, ret);
            }
        }
    }

    fn give(&mut self, asker: Asker, token: String, found: Option<(String, u64)>, ret: RetVal) {
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

    fn seal(&mut self, work: Work, plaintext: SecretBytes) {
        let call = self.call_number();
        let record = work.record();
        self.ask_secretd(call, work, &EngineToSecretd::Seal { call, record, plaintext });
    }

    fn open(&mut self, work: Work, sealed: Vec<u8>) {
        let call = self.call_number();
        let record = work.record();
        self.ask_secretd(call, work, &EngineToSecretd::Open { call, record, sealed });
    }

    /// Has opened what Gopherbot has sealed.
    pub(crate) fn open_foreign(&mut self, client: u64, key: String, sealed: Vec<u8>) {
        let call = self.call_number();
        self.ask_secretd(call, Work::Foreign { client, key }, &EngineToSecretd::OpenForeign { call, sealed });
    }

    /// Has a value encrypted as Gopherbot would keep it.
    fn copy_memory(&mut self, client: u64, datum: &str) {
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
                self.work_failed(work, "it was encrypted and not sealed");
                Ok(())
            }
            None => Err(text),
        }
    }

    fn ask_secretd(&mut self, call: CallId, work: Work, request: &EngineToSecretd) {
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

    fn work_failed(&mut self, work: Work, reason: &str) {
        self.memory.under_way -= work.bytes();
        let name = work.name().key;
        self.in_trouble(format!("'{name}': {reason}"));
        match work {
            Work::Put { asker, key, .. } => {
                let steps = self.written(asker, &key, false, RetVal::BrainFailed);
                self.take_steps(steps);
            }
            Work::Remove { asker, key } => {
                let steps = self.written(asker, &key, true, RetVal::BrainFailed);
                self.take_steps(steps);
            }
            Work::Fetch { key, .. } => {
                for (asker, token) in self.memory.fetching.remove(&key).unwrap_or_default() {
                    self.give(asker, String::new(), None, RetVal::BrainFailed);
                    let steps = self.brain.checkin(&key, &token, Instant::now());
                    self.take_steps(steps);
                }
                self.pin_ended(&key);
            }
            Work::Save { paper, .. } => self.memory.papers.not_saved(paper, Instant::now()),
            Work::Restore { paper, .. } => {
                self.memory.papers.lost(paper);
                self.memory_may_serve();
            }
            // It is said again, and that is all.
            Work::Moved => {}
            Work::Copy { client } => self.refuse(client, reason),
            Work::Foreign { client, key } => self.refuse(client, &format!("'{key}' is not moved: {reason}")),
        }
    }

    /// Told once, until something has gone well again.
    fn in_trouble(&mut self, trouble: String) {
        if self.memory.trouble.as_ref() != Some(&trouble) {
            self.log.error(&format!("a memory cannot be kept or read: {trouble}"));
            self.memory.trouble = Some(trouble);
        }
    }

    /// secretd has sealed a value.
    pub(crate) fn sealed(&mut self, call: CallId, sealed: Vec<u8>) -> bool {
        let Some(work) = self.memory.at_secretd.remove(&call) else { return false };
        let (name, version) = (work.name(), work.version());
        self.memory.write(call, name, version, Some(sealed), work);
        true
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

    /// Memories of Gopherbot have been moved over: nobody is told any more that they are to be.
    fn note_moved(&mut self) {
        if self.memory.place == Place::Stored && self.memory.old.is_some() {
            let (call, version) = (self.call_number(), self.memory.next_version());
            self.memory.write(call, MOVED, version, Some(Vec::new()), Work::Moved);
        }
    }

    fn fetched(&mut self, key: String, text: &str, version: u64) {
        if !self.memory.values.learn(&key, text.to_owned(), version) && self.memory.values.known(&key).is_some() {
            // It was written anew while the old value was on its way.
            return self.fetch(key);
        }
        let found = self.memory.values.known(&key).map(|_| (text.to_owned(), version));
        for (asker, token) in self.memory.fetching.remove(&key).unwrap_or_default() {
            self.give(asker, token, found.clone(), RetVal::Ok);
        }
        self.pin_ended(&key);
    }

    /// Whatever waited for the values that must be at hand goes on.
    fn pin_ended(&mut self, key: &str) {
        if self.memory.values.is_pinned(key) {
            self.memory_may_serve();
        }
    }

    /// What the store has done.
    pub(crate) fn hear_store(&mut self) {
        let done = self.memory.store.as_ref().map(Store::done).unwrap_or_default();
        for done in done {
            match done {
                Done::Opened(opened) => self.store_opened(opened),
                Done::Written { call, result } => {
                    let Some(work) = self.memory.at_store.remove(&call) else { continue };
                    match result {
                        Ok(()) => self.stored(work),
                        Err(reason) => self.work_failed(work, &reason),
                    }
                }
                Done::Read { call, result } => {
                    let Some(work) = self.memory.at_store.remove(&call) else { continue };
                    match (result, work) {
                        (Ok(Some((version, sealed))), Work::Fetch { key, bytes, .. }) => {
                            self.open(Work::Fetch { key, version, bytes }, sealed);
                        }
                        (Ok(Some((version, sealed))), Work::Restore { paper, .. }) => {
                            self.open(Work::Restore { paper, version }, sealed);
                        }
                        (Ok(None), Work::Fetch { key, version, bytes }) => {
                            self.memory.under_way -= bytes;
                            self.fetched(key, "", version);
                        }
                        (Ok(_), work) => self.work_failed(work, "it is not there any more"),
                        (Err(reason), work) => self.work_failed(work, &reason),
                    }
                }
            }
        }
    }

    fn stored(&mut self, work: Work) {
        self.memory.under_way -= work.bytes();
        if self.memory.trouble.take().is_some() {
            self.log.info("memories are kept again");
        }
        let steps = match work {
            Work::Put { asker, key, datum, version } => {
                self.memory.values.wrote(&key, datum, version);
                self.written(asker, &key, false, RetVal::Ok)
            }
            Work::Remove { asker, key } => {
                self.memory.values.remove(&key);
                self.written(asker, &key, true, RetVal::Ok)
            }
            Work::Save { paper, .. } => {
                self.memory.papers.saved(paper);
                Vec::new()
            }
            Work::Moved => {
                self.memory.old = None;
                Vec::new()
            }
            Work::Fetch { .. } | Work::Restore { .. } | Work::Foreign { .. } | Work::Copy { .. } => Vec::new(),
        };
        self.take_steps(steps);
    }

    /// Saves what has changed beside the brain: subscriptions at once, short-term memories every second or `now_all`.
    pub(crate) fn save_papers(&mut self, now: Instant, now_all: bool) {
        if self.memory.place != Place::Stored {
            return;
        }
        self.note_changed(now);
        for paper in self.memory.papers.due(now, now_all) {
            let text = self.copy_of(paper, now);
            let version = self.memory.next_version();
            self.seal(Work::Save { paper, version }, SecretBytes::new(text.into_bytes()));
        }
    }
}

//! Locks of long-term memories (spec: Robot API §1.7, security §7.3).
//!
//! Pure: it knows who may write what, and nothing of values. What is to be done comes out as [`Step`]s, whose order is
//! kept; when a value has been written, or could not be, whoever did it says [`Brain::written`].

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
    time::{Duration, Instant},
};

use gopher_protocol::{ids::RunId, robot_api::RetVal};

use crate::prompts::Caller;

/// How often locks age.
const TICK: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    New,
    Seen,
    /// Still good for a late update, but the next who asks gets it.
    Available,
}

/// Who wants something of a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Run(Caller),
    /// An administrator, who reads from this byte on.
    Client {
        client: u64,
        from: u64,
    },
    /// An administrator who wants it as Gopherbot would keep it.
    Copier {
        client: u64,
    },
}

impl Asker {
    fn is_of(self, run: RunId) -> bool {
        matches!(self, Self::Run(caller) if caller.run == run)
    }

    fn is_client(self, id: u64) -> bool {
        matches!(self, Self::Client { client, .. } | Self::Copier { client } if client == id)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Checkout,
    /// To replace the value under a lock of its own; `None` removes it.
    Put(Option<String>),
}

struct Lock {
    token: String,
    holder: Asker,
    age: Age,
    /// The value is being written: nobody else gets the lock until that is over.
    writing: bool,
    waiting: VecDeque<(Asker, Wish)>,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value as it is now goes to whoever asked, with this token.
    Give {
        asker: Asker,
        key: String,
        token: String,
    },
    /// The value is to be written, or removed; whoever asked is told once it is.
    Write {
        asker: Asker,
        key: String,
        datum: Option<String>,
    },
    Tell {
        asker: Asker,
        ret: RetVal,
    },
}

/// All locks.
#[derive(Default)]
pub(crate) struct Brain {
    locks: HashMap<String, Lock>,
    next_tick: Option<Instant>,
    tokens: RandomState,
    issued: u64,
}

/// Whether a key, or a part of one, is made of nothing but what keys are made of.
pub(crate) fn valid_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-'))
}

/// The whole key of an extension's datum; `None` if it is not a valid one.
pub(crate) fn whole_key(name_space: &str, key: &str) -> Option<String> {
    (valid_key(key) && valid_key(name_space)).then(|| format!("{name_space}:{key}"))
}

impl Brain {
    /// A snapshot without a lock.
    pub(crate) fn read(key: &str, asker: Asker) -> Vec<Step> {
        vec![Step::Give { asker, key: key.to_owned(), token: String::new() }]
    }

    /// Takes the lock; the value comes when its holder has given it back.
    pub(crate) fn checkout(&mut self, key: &str, asker: Asker, now: Instant) -> Vec<Step> {
        self.wish(key, asker, Wish::Checkout, now)
    }

    /// Replaces a datum, or removes it, under a lock of its own.
    pub(crate) fn put(&mut self, key: &str, datum: Option<String>, asker: Asker, now: Instant) -> Vec<Step> {
        self.wish(key, asker, Wish::Put(datum), now)
    }

    fn wish(&mut self, key: &str, asker: Asker, wish: Wish, now: Instant) -> Vec<Step> {
        if let Some(lock) = self.locks.get_mut(key).filter(|l| l.writing || l.age != Age::Available) {
            lock.waiting.push_back((asker, wish));
            return Vec::new();
        }
        vec![self.fulfil(key, asker, wish, VecDeque::new(), now)]
    }

    fn fulfil(&mut self, key: &str, asker: Asker, wish: Wish, waiting: VecDeque<(Asker, Wish)>, now: Instant) -> Step {
        let key = key.to_owned();
        let puts = matches!(wish, Wish::Put(_));
        let token = if puts { String::new() } else { self.token() };
        let lock = Lock { token: token.clone(), holder: asker, age: Age::New, writing: puts, waiting };
        self.locks.insert(key.clone(), lock);
        match wish {
            Wish::Put(datum) => Step::Write { asker, key, datum },
            Wish::Checkout => {
                self.next_tick.get_or_insert(now + TICK);
                Step::Give { asker, key, token }
            }
        }
    }

    /// Sixteen hex digits that a run cannot guess.
    fn token(&mut self) -> String {
        self.issued += 1;
        format!("{:016x}", self.tokens.hash_one(self.issued))
    }

    /// Writes JSON text, which gives the lock back. Without a token nothing is stored, as extensions expect.
    pub(crate) fn update(&mut self, key: &str, token: &str, datum: String, asker: Asker) -> Vec<Step> {
        let tell = |ret| vec![Step::Tell { asker, ret }];
        if token.is_empty() {
            return tell(RetVal::Ok);
        }
        let lock = match self.locks.get_mut(key) {
            None => return tell(RetVal::DatumNotFound),
            Some(lock) if lock.token != token || lock.writing => return tell(RetVal::DatumLockExpired),
            Some(lock) => lock,
        };
        if !is_json(&datum) {
            return tell(RetVal::DataFormatError);
        }
        lock.writing = true;
        vec![Step::Write { asker, key: key.to_owned(), datum: Some(datum) }]
    }

    /// What [`Step::Write`] asked for is done, or failed: the lock is free in either case.
    pub(crate) fn written(&mut self, key: &str, now: Instant) -> Vec<Step> {
        if self.locks.get(key).is_some_and(|lock| lock.writing) { self.release(key, now) } else { Vec::new() }
    }

    /// Gives the lock back without storing; a wrong token is ignored.
    pub(crate) fn checkin(&mut self, key: &str, token: &str, now: Instant) -> Vec<Step> {
        let own = self.locks.get(key).is_some_and(|lock| lock.token == token && !lock.writing);
        if own { self.release(key, now) } else { Vec::new() }
    }

    /// Frees a lock and serves whoever waits for it first.
    fn release(&mut self, key: &str, now: Instant) -> Vec<Step> {
        let mut waiting = self.locks.remove(key).map(|lock| lock.waiting).unwrap_or_default();
        match waiting.pop_front() {
            Some((asker, wish)) => vec![self.fulfil(key, asker, wish, waiting, now)],
            None => Vec::new(),
        }
    }

    /// A run is over: its locks are free and it waits for nothing. What it has written last is written.
    pub(crate) fn run_ended(&mut self, run: RunId, now: Instant) -> Vec<Step> {
        if self.locks.is_empty() {
            return Vec::new();
        }
        self.forget_waiting(|asker| asker.is_of(run));
        let held = self.locks.iter().filter(|(_, lock)| lock.holder.is_of(run) && !lock.writing);
        let held: Vec<String> = held.map(|(key, _)| key.clone()).collect();
        held.iter().flat_map(|key| self.release(key, now)).collect()
    }

    /// An administrator has left and waits for nothing.
    pub(crate) fn client_ended(&mut self, client: u64) {
        self.forget_waiting(|asker| asker.is_client(client));
    }

    fn forget_waiting(&mut self, gone: impl Fn(Asker) -> bool) {
        for lock in self.locks.values_mut() {
            lock.waiting.retain(|(asker, _)| !gone(*asker));
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next_tick
    }

    /// Ages locks; one that was seen before passes to whoever waits.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<Step> {
        if self.next_tick.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut ripe = Vec::new();
        for (key, lock) in self.locks.iter_mut().filter(|(_, lock)| !lock.writing) {
            match lock.age {
                Age::New => lock.age = Age::Seen,
                Age::Seen if lock.waiting.is_empty() => lock.age = Age::Available,
                Age::Seen => ripe.push(key.clone()),
                Age::Available => {}
            }
        }
        let steps = ripe.iter().flat_map(|key| self.release(key, now)).collect();
        let ages = |lock: &Lock| lock.age != Age::Available && !lock.writing;
        self.next_tick = self.locks.values().any(ages).then(|| now + TICK);
        steps
    }
}

/// Whether an extension's text is one JSON value.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gopher_protocol::ids::CallId;

    fn of(run: u64) -> Asker {
        Asker::Run(Caller { run: RunId(run), call: CallId(run) })
    }

    /// The token of the one lock that was given to this run.
    fn token(steps: &[Step], run: u64) -> String {
        match steps {
            [Step::Give { asker, token, .. }] if *asker == of(run) && token.len() == 16 => token.clone(),
            other => panic!("no lock: {other:?}"),
        }
    }

    fn told(ret: RetVal, run: u64) -> Vec<Step> {
        vec![Step::Tell { asker: of(run), ret }]
    }

    fn write(datum: Option<&str>, run: u64) -> Vec<Step> {
        vec![Step::Write { asker: of(run), key: "p:k".into(), datum: datum.map(str::to_owned) }]
    }

    #[test]
    fn a_datum_is_stored_under_its_lock() {
        let (mut brain, now) = (Brain::default(), Instant::now());
        let first = token(&brain.checkout("p:k", of(1), now), 1);
        assert!(first.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(brain.update("p:k", "", "1".into(), of(1)), told(RetVal::Ok, 1));
        assert_eq!(brain.update("p:k", &first, "not json".into(), of(1)), told(RetVal::DataFormatError, 1));
        assert_eq!(brain.update("p:k", &first, "{\"a\":1}".into(), of(1)), write(Some("{\"a\":1}"), 1));
        assert_eq!(
            brain.update("p:k", &first, "2".into(), of(1)),
            told(RetVal::DatumLockExpired, 1),
            "it is being written"
        );
        assert_eq!(brain.written("p:k", now), []);
        assert_eq!(brain.update("p:k", &first, "2".into(), of(1)), told(RetVal::DatumNotFound, 1));
        assert_eq!(brain.put("p:k", None, of(1), now), write(None, 1));
        assert_eq!(brain.written("p:k", now), []);
        assert!(brain.locks.is_empty());
    }

    #[test]
    fn waiting_checkouts_are_served_in_order_and_not_before_the_value_is_written() {
        let (mut brain, now) = (Brain::default(), Instant::now());
        let first = token(&brain.checkout("p:k", of(1), now), 1);
        assert_eq!(brain.checkout("p:k", of(2), now), []);
        assert_eq!(brain.put("p:k", None, of(3), now), []);
        assert_eq!(brain.checkout("p:k", of(4), now), []);
        assert_eq!(brain.update("p:k", &first, "1".into(), of(1)), write(Some("1"), 1));
        let second = token(&brain.written("p:k", now), 2);
        assert_eq!(brain.update("p:k", &first, "2".into(), of(1)), told(RetVal::DatumLockExpired, 1));
        assert_eq!(brain.checkin("p:k", "wrong", now), []);
        assert_eq!(brain.checkin("p:k", &second, now), write(None, 3), "the deletion");
        token(&brain.written("p:k", now), 4);
    }

    #[test]
    fn a_lock_is_safe_for_a_second_then_passes_on_or_stays_for_a_late_update() {
        let (mut brain, now) = (Brain::default(), Instant::now());
        let first = token(&brain.checkout("p:k", of(1), now), 1);
        assert_eq!(brain.checkout("p:k", of(2), now), []);
        assert_eq!(brain.tick(now + TICK), []);
        token(&brain.tick(now + 2 * TICK), 2);
        assert_eq!(brain.update("p:k", &first, "1".into(), of(1)), told(RetVal::DatumLockExpired, 1));

        let late = token(&brain.checkout("p:late", of(1), now), 1);
        let mut at = now + 2 * TICK;
        while let Some(next) = brain.deadline() {
            at = next;
            brain.tick(at);
        }
        assert!(matches!(brain.update("p:late", &late, "1".into(), of(1)).as_slice(), [Step::Write { .. }]));
        token(&brain.checkout("p:k", of(5), at), 5);
    }

    #[test]
    fn nobody_gets_a_lock_while_its_value_is_being_written_however_long_that_takes() {
        let (mut brain, now) = (Brain::default(), Instant::now());
        let first = token(&brain.checkout("p:k", of(1), now), 1);
        assert_eq!(brain.update("p:k", &first, "1".into(), of(1)), write(Some("1"), 1));
        assert_eq!(brain.checkout("p:k", of(2), now), []);
        for seconds in 1..10 {
            assert_eq!(brain.tick(now + seconds * TICK), []);
        }
        assert_eq!(brain.run_ended(RunId(1), now), [], "what a dead run wrote last is still written");
        token(&brain.written("p:k", now), 2);
    }

    #[test]
    fn the_lock_of_a_dead_run_is_free() {
        let (mut brain, now) = (Brain::default(), Instant::now());
        token(&brain.checkout("p:k", of(1), now), 1);
        let client = Asker::Client { client: 7, from: 0 };
        assert_eq!(brain.put("p:k", Some("2".into()), client, now), []);
        assert_eq!(brain.checkout("p:k", of(2), now), []);
        assert_eq!(brain.checkout("p:k", of(3), now), []);
        brain.client_ended(7);
        assert_eq!(brain.run_ended(RunId(2), now), []);
        token(&brain.run_ended(RunId(1), now), 3);
    }

    #[test]
    fn keys_are_words_with_colons_and_dashes() {
        assert_eq!(whole_key("p", "a:b-c_1").as_deref(), Some("p:a:b-c_1"));
        for bad in ["", "a b", "a/../b", "..", "ä", "a\\b"] {
            assert_eq!(whole_key("p", bad), None, "{bad}");
        }
    }
}

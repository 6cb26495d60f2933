//! Long-term memory and its locks (spec: Robot API §1.7). The store is in memory.
//!
//! Pure: checkouts that must wait come back later, as [`Granted`], to whoever calls a method that frees a lock.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
    time::{Duration, Instant},
};

use gopher_protocol::{ids::RunId, robot_api::RetVal};

use crate::prompts::Caller;

/// How often locks age.
const TICK: Duration = Duration::from_secs(1);
/// Bytes of keys and values kept at most.
const CAPACITY: usize = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    New,
    Seen,
    /// Still good for a late update, but the next who asks gets it.
    Available,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Checkout,
    Delete,
}

struct Lock {
    token: String,
    holder: RunId,
    age: Age,
    waiting: VecDeque<(Caller, Wish)>,
}

/// The answer to a call that had to wait, or to one that did not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) caller: Caller,
    pub(crate) answer: Answer,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Datum { token: String, datum: Option<String>, ret: RetVal },
    Ret(RetVal),
}

/// The store with its locks.
#[derive(Default)]
pub(crate) struct Brain {
    data: BTreeMap<String, String>,
    bytes: usize,
    locks: HashMap<String, Lock>,
    next_tick: Option<Instant>,
    tokens: RandomState,
    issued: u64,
}

/// The whole key of an extension's datum; `None` if it is not a valid one.
pub(crate) fn whole_key(name_space: &str, key: &str) -> Option<String> {
    let valid = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-'))
    };
    (valid(key) && valid(name_space)).then(|| format!("{name_space}:{key}"))
}

impl Brain {
    /// A snapshot without a lock.
    pub(crate) fn read(&self, key: &str) -> Answer {
        Answer::Datum { token: String::new(), datum: self.data.get(key).cloned(), ret: RetVal::Ok }
    }

    /// Takes the lock; `None` if the caller has to wait for its holder.
    pub(crate) fn checkout(&mut self, key: &str, caller: Caller, now: Instant) -> Option<Answer> {
        self.wish(key, caller, Wish::Checkout, now)
    }

    /// Removes a datum, under the lock; `None` if the caller has to wait for its holder.
    pub(crate) fn delete(&mut self, key: &str, caller: Caller, now: Instant) -> Option<Answer> {
        self.wish(key, caller, Wish::Delete, now)
    }

    fn wish(&mut self, key: &str, caller: Caller, wish: Wish, now: Instant) -> Option<Answer> {
        if let Some(lock) = self.locks.get_mut(key).filter(|l| l.age != Age::Available) {
            lock.waiting.push_back((caller, wish));
            return None;
        }
        Some(self.fulfil(key, caller, wish, VecDeque::new(), now))
    }

    fn fulfil(
        &mut self,
        key: &str,
        caller: Caller,
        wish: Wish,
        waiting: VecDeque<(Caller, Wish)>,
        now: Instant,
    ) -> Answer {
        if wish == Wish::Delete {
            self.locks.remove(key);
            self.forget(key);
            return Answer::Ret(RetVal::Ok);
        }
        let token = self.token();
        let lock = Lock { token: token.clone(), holder: caller.run, age: Age::New, waiting };
        self.locks.insert(key.to_owned(), lock);
        self.next_tick.get_or_insert(now + TICK);
        Answer::Datum { token, datum: self.data.get(key).cloned(), ret: RetVal::Ok }
    }

    /// Sixteen hex digits that a run cannot guess.
    fn token(&mut self) -> String {
        self.issued += 1;
        format!("{:016x}", self.tokens.hash_one(self.issued))
    }

    /// Stores JSON text and gives the lock back. Without a token nothing is stored, as extensions expect.
    pub(crate) fn update(&mut self, key: &str, token: &str, datum: String, now: Instant) -> (RetVal, Vec<Granted>) {
        if token.is_empty() {
            return (RetVal::Ok, Vec::new());
        }
        match self.locks.get(key) {
            None => return (RetVal::DatumNotFound, Vec::new()),
            Some(lock) if lock.token != token => return (RetVal::DatumLockExpired, Vec::new()),
            Some(_) => {}
        }
        if serde_json::from_str::<serde_json::Value>(&datum).is_err() {
            return (RetVal::DataFormatError, Vec::new());
        }
        let old = self.data.get(key).map_or(0, |d| key.len() + d.len());
        if self.bytes - old + key.len() + datum.len() > CAPACITY {
            return (RetVal::BrainFailed, Vec::new());
        }
        self.forget(key);
        self.bytes += key.len() + datum.len();
        self.data.insert(key.to_owned(), datum);
        (RetVal::Ok, self.release(key, now))
    }

    /// Gives the lock back without storing; a wrong token is ignored.
    pub(crate) fn checkin(&mut self, key: &str, token: &str, now: Instant) -> Vec<Granted> {
        if self.locks.get(key).is_some_and(|lock| lock.token == token) { self.release(key, now) } else { Vec::new() }
    }

    fn forget(&mut self, key: &str) {
        if let Some(datum) = self.data.remove(key) {
            self.bytes -= key.len() + datum.len();
        }
    }

    /// Frees a lock and serves whoever waits for it.
    fn release(&mut self, key: &str, now: Instant) -> Vec<Granted> {
        let mut granted = Vec::new();
        let mut waiting = self.locks.remove(key).map(|lock| lock.waiting).unwrap_or_default();
        while let Some((caller, wish)) = waiting.pop_front() {
            let rest = if wish == Wish::Checkout { std::mem::take(&mut waiting) } else { VecDeque::new() };
            granted.push(Granted { caller, answer: self.fulfil(key, caller, wish, rest, now) });
            if wish == Wish::Checkout {
                break;
            }
        }
        granted
    }

    /// A run is over: its locks are free and it waits for nothing.
    pub(crate) fn run_ended(&mut self, run: RunId, now: Instant) -> Vec<Granted> {
        if self.locks.is_empty() {
            return Vec::new();
        }
        for lock in self.locks.values_mut() {
            lock.waiting.retain(|(caller, _)| caller.run != run);
        }
        let held: Vec<String> = self.locks.iter().filter(|(_, l)| l.holder == run).map(|(k, _)| k.clone()).collect();
        held.iter().flat_map(|key| self.release(key, now)).collect()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next_tick
    }

    /// Ages locks; one that was seen before passes to whoever waits.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<Granted> {
        if self.next_tick.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut ripe = Vec::new();
        for (key, lock) in &mut self.locks {
            match lock.age {
                Age::New => lock.age = Age::Seen,
                Age::Seen if lock.waiting.is_empty() => lock.age = Age::Available,
                Age::Seen => ripe.push(key.clone()),
                Age::Available => {}
            }
        }
        let granted = ripe.iter().flat_map(|key| self.release(key, now)).collect();
        self.next_tick = self.locks.values().any(|l| l.age != Age::Available).then(|| now + TICK);
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gopher_protocol::ids::CallId;

    fn caller(run: u64) -> Caller {
        Caller { run: RunId(run), call: CallId(run) }
    }

    fn token(answer: Option<Answer>) -> String {
        match answer {
            Some(Answer::Datum { token, ret: RetVal::Ok, .. }) => token,
            other => panic!("no lock: {other:?}"),
        }
    }

    #[test]
    fn a_datum_is_stored_under_its_lock() {
        let (mut brain, now) = (Brain::default(), Instant::now());
        let first = token(brain.checkout("p:k", caller(1), now));
        assert_eq!(first.len(), 16);
        assert!(first.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(brain.update("p:k", "", "1".into(), now).0, RetVal::Ok);
        assert_eq!(brain.read("p:k"), Answer::Datum { token: String::new(), datum: None, ret: RetVal::Ok });
        assert_eq!(brain.update("p:k", &first, "not json".into(), now).0, RetVal::DataFormatError);
        assert_eq!(brain.update("p:k", &first, "{\"a\":1}".into(), now).0, RetVal::Ok);
        assert_eq!(brain.update("p:k", &first, "2".into(), now).0, RetVal::DatumNotFound);
        let Answer::Datum { datum, .. } = brain.read("p:k") else { panic!("datum") };
        assert_eq!(datum.as_deref(), Some("{\"a\":1}"));
        assert_eq!(brain.delete("p:k", caller(1), now), Some(Answer::Ret(RetVal::Ok)));
        assert_eq!(brain.delete("p:k", caller(1), now), Some(Answer::Ret(RetVal::Ok)));
        assert_eq!(brain.bytes, 0);
    }

    #[test]
    fn waiting_checkouts_are_served_in_order() {
        let (mut brain, now) = (Brain::default(), Instant::now());
        let first = token(brain.checkout("p:k", caller(1), now));
        assert_eq!(brain.checkout("p:k", caller(2), now), None);
        assert_eq!(brain.delete("p:k", caller(3), now), None);
        assert_eq!(brain.checkout("p:k", caller(4), now), None);
        let (ret, granted) = brain.update("p:k", &first, "1".into(), now);
        assert_eq!(ret, RetVal::Ok);
        let [Granted { caller: next, answer: Answer::Datum { token: second, datum, .. } }] = granted.as_slice() else {
            panic!("{granted:?}")
        };
        assert_eq!((*next, datum.as_deref()), (caller(2), Some("1")));
        assert_eq!(brain.update("p:k", &first, "2".into(), now).0, RetVal::DatumLockExpired);
        assert_eq!(brain.checkin("p:k", "wrong", now), []);
        let granted = brain.checkin("p:k", second, now);
        assert_eq!(granted.len(), 2, "the deletion, then the next checkout");
        assert_eq!(granted[0], Granted { caller: caller(3), answer: Answer::Ret(RetVal::Ok) });
        assert!(matches!(&granted[1].answer, Answer::Datum { datum: None, .. }));
    }

    #[test]
    fn a_lock_is_safe_for_a_second_then_passes_on_or_stays_for_a_late_update() {
        let (mut brain, now) = (Brain::default(), Instant::now());
        let first = token(brain.checkout("p:k", caller(1), now));
        assert_eq!(brain.checkout("p:k", caller(2), now), None);
        assert_eq!(brain.tick(now + TICK), []);
        let granted = brain.tick(now + 2 * TICK);
        assert_eq!(granted.len(), 1);
        assert_eq!(brain.update("p:k", &first, "1".into(), now).0, RetVal::DatumLockExpired);

        let late = token(brain.checkout("p:late", caller(1), now));
        let mut at = now + 2 * TICK;
        while let Some(next) = brain.deadline() {
            at = next;
            brain.tick(at);
        }
        assert_eq!(brain.update("p:late", &late, "1".into(), at).0, RetVal::Ok);
        let stolen = token(brain.checkout("p:k", caller(5), at));
        assert!(!stolen.is_empty(), "an available lock goes to the next who asks");
    }

    #[test]
    fn the_lock_of_a_dead_run_is_free() {
        let (mut brain, now) = (Brain::default(), Instant::now());
        token(brain.checkout("p:k", caller(1), now));
        assert_eq!(brain.checkout("p:k", caller(2), now), None);
        assert_eq!(brain.checkout("p:k", caller(3), now), None);
        assert_eq!(brain.run_ended(RunId(2), now), []);
        let granted = brain.run_ended(RunId(1), now);
        assert_eq!(granted.iter().map(|g| g.caller).collect::<Vec<_>>(), [caller(3)]);
    }

    #[test]
    fn keys_are_words_with_colons_and_dashes() {
        assert_eq!(whole_key("p", "a:b-c_1").as_deref(), Some("p:a:b-c_1"));
        for bad in ["", "a b", "a/../b", "ä", "a\\b"] {
            assert_eq!(whole_key("p", bad), None, "{bad}");
        }
    }
}

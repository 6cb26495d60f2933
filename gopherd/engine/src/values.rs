//! What is known of long-term memories: which there are, and as many of their values as fit.
//!
//! Pure. Values are opened by secretd when they are first asked for and kept from then on, the least used giving way:
//! every value that an extension works with would otherwise be opened again and again. A memory that is kept in this
//! process only, because nothing outlives it, never gives way.

use std::collections::{BTreeMap, HashMap, HashSet};

/// Bytes of keys and values kept at most.
const CAPACITY: usize = 64 << 20;

/// What is known without the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) version: u64,
    pub(crate) bytes: u64,
}

/// What there is under a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Absent,
    Value(String),
    /// The store has it, sealed.
    Sealed,
}

struct Opened {
    datum: String,
    used: u64,
}

/// All memories.
#[derive(Default)]
pub(crate) struct Values {
    known: BTreeMap<String, Known>,
    opened: HashMap<String, Opened>,
    bytes: usize,
    clock: u64,
    /// Never give way.
    pinned: HashSet<String>,
}

impl Values {
    /// What the store has.
    pub(crate) fn stored(known: impl IntoIterator<Item = (String, Known)>) -> Self {
        Self { known: known.into_iter().collect(), ..Self::default() }
    }

    pub(crate) fn known(&self, key: &str) -> Option<Known> {
        self.known.get(key).copied()
    }

    /// Memories behind this key, in order.
    pub(crate) fn after<'a>(&'a self, key: &str) -> impl Iterator<Item = (&'a str, Known)> {
        use std::ops::Bound;
        let range = (Bound::Excluded(key.to_owned()), Bound::Unbounded);
        self.known.range::<String, _>(range).map(|(key, known)| (key.as_str(), *known))
    }

    /// Keeps these open, and no others that were kept so before.
    pub(crate) fn pin(&mut self, keys: Vec<String>) {
        self.pinned = keys.into_iter().collect();
    }

    pub(crate) fn is_pinned(&self, key: &str) -> bool {
        self.pinned.contains(key)
    }

    /// Which of those that are to be open are not.
    pub(crate) fn sealed_pins(&self) -> Vec<String> {
        let sealed = |key: &&String| self.known.contains_key(*key) && !self.opened.contains_key(*key);
        self.pinned.iter().filter(sealed).cloned().collect()
    }

    /// A value that is open.
    pub(crate) fn peek(&self, key: &str) -> Option<&str> {
        self.opened.get(key).map(|opened| opened.datum.as_str())
    }

    pub(crate) fn find(&mut self, key: &str) -> Found {
        self.clock += 1;
        if let Some(opened) = self.opened.get_mut(key) {
            opened.used = self.clock;
            return Found::Value(opened.datum.clone());
        }
        if self.known.contains_key(key) { Found::Sealed } else { Found::Absent }
    }

    /// A value of this process; `false` if there is no room.
    pub(crate) fn keep(&mut self, key: &str, datum: String) -> bool {
        let old = self.opened.get(key).map_or(0, |old| key.len() + old.datum.len());
        if self.bytes - old + key.len() + datum.len() > CAPACITY {
            return false;
        }
        self.clock += 1;
        let known = Known { version: self.clock, bytes: datum.len() as u64 };
        self.put(key, datum, known);
        true
    }

    /// A value that the store has now.
    pub(crate) fn wrote(&mut self, key: &str, datum: String, version: u64) {
        let known = Known { version, bytes: datum.len() as u64 };
        self.put(key, datum, known);
        self.shrink();
    }

    /// A value that was opened; `false` if the store has another one meanwhile.
    pub(crate) fn learn(&mut self, key: &str, datum: String, version: u64) -> bool {
        let current = self.known(key).filter(|known| known.version == version);
        if let Some(known) = current {
            self.put(key, datum, known);
            self.shrink();
        }
        current.is_some()
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.known.remove(key);
        self.close(key);
    }

    fn put(&mut self, key: &str, datum: String, known: Known) {
        self.close(key);
        self.bytes += key.len() + datum.len();
        self.clock += 1;
        self.opened.insert(key.to_owned(), Opened { datum, used: self.clock });
        self.known.insert(key.to_owned(), known);
    }

    fn close(&mut self, key: &str) {
        if let Some(opened) = self.opened.remove(key) {
            self.bytes -= key.len() + opened.datum.len();
        }
    }

    /// Closes what was used least, until a quarter is free.
    fn shrink(&mut self) {
        if self.bytes <= CAPACITY {
            return;
        }
        let free = self.opened.iter().filter(|(key, _)| !self.pinned.contains(*key));
        let mut by_use: Vec<(u64, String)> = free.map(|(key, o)| (o.used, key.clone())).collect();
        by_use.sort_unstable();
        for (_, key) in by_use {
            if self.bytes * 4 <= CAPACITY * 3 {
                break;
            }
            self.close(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1 << 20;

    #[test]
    fn what_the_store_has_gives_way_and_is_still_known() {
        let mut values = Values::default();
        values.pin(vec!["p:1".to_owned()]);
        for n in 0..80_u64 {
            values.wrote(&format!("p:{n}"), "x".repeat(MEGABYTE), n);
        }
        assert!(values.bytes <= CAPACITY);
        assert_eq!(values.find("p:0"), Found::Sealed);
        assert!(values.peek("p:1").is_some() && values.sealed_pins().is_empty(), "pinned");
        assert!(matches!(values.find("p:79"), Found::Value(_)));
        assert_eq!(values.after("").count(), 80);
        assert!(values.learn("p:0", "1".into(), 0) && !values.learn("p:1", "1".into(), 7), "of another version");
        assert_eq!(values.find("p:0"), Found::Value("1".into()));
        values.remove("p:0");
        assert_eq!((values.find("p:0"), values.learn("p:0", "1".into(), 0)), (Found::Absent, false));
        for n in 0..80 {
            values.remove(&format!("p:{n}"));
        }
        assert_eq!(values.bytes, 0);
    }

    #[test]
    fn what_is_nowhere_else_does_not_give_way() {
        let mut values = Values::default();
        let kept = (0..80).filter(|n| values.keep(&format!("p:{n}"), "x".repeat(MEGABYTE))).count();
        assert!((60..64).contains(&kept), "{kept}");
        assert!(matches!(values.find("p:0"), Found::Value(_)));
        assert!(values.keep("p:0", "1".into()) && values.keep("p:79", "1".into()));
    }

    #[test]
    fn keys_are_listed_in_order() {
        let known = Known { version: 1, bytes: 2 };
        let values = Values::stored(["b", "c", "a"].map(|key| (key.to_owned(), known)));
        assert_eq!(values.after("a").map(|(key, _)| key).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(values.after("").count(), 3);
    }
}

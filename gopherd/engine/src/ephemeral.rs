//! Short-term memory of extensions and of the matcher (spec: Robot API §1.8, configuration §4.6).
//!
//! Pure; the clock is passed in. Bounded: when full, the oldest memories go first. They are saved in shelves, so that
//! one new memory does not mean to write all of them down again.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use crate::context::Context;

const IN_CHANNEL: Duration = Duration::from_mins(14);
const IN_THREAD: Duration = Duration::from_hours(7 * 24);
/// Bytes of keys and values kept at most.
const CAPACITY: usize = 32 << 20;
/// How long a remark can still be turned into a command by addressing the robot afterwards.
const REMARK: Duration = Duration::from_secs(77);
const REMARKS: usize = 4096;
/// Parts in which memories are saved.
pub(crate) const SHELVES: u8 = 32;

/// Where a memory is found again: exactly there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
struct Key {
    name: String,
    user: String,
    channel: String,
    thread: String,
    protocol: String,
}

impl Key {
    fn of(context: &Context, key: &str, shared: bool, in_thread: bool) -> Self {
        let thread = if in_thread { context.thread.as_str() } else { context.thread_if_threaded() };
        Self {
            name: key.to_owned(),
            user: if shared && !context.channel.is_empty() {
                String::new()
            } else {
                context.user.as_str().to_lowercase()
            },
            channel: context.channel.clone(),
            thread: thread.to_owned(),
            protocol: if thread.is_empty() { String::new() } else { context.protocol.clone() },
        }
    }

    fn lifetime(&self) -> Duration {
        if self.thread.is_empty() && !self.channel.is_empty() { IN_CHANNEL } else { IN_THREAD }
    }

    /// The same in every process.
    fn shelf(&self) -> u8 {
        let bytes = [&self.name, &self.user, &self.channel, &self.thread].into_iter().flat_map(|text| text.bytes());
        let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        (hash.to_be_bytes()[0] ^ hash.to_be_bytes()[3]) % SHELVES
    }

    fn size(&self, value: &str) -> usize {
        // Names are short; the constant stands for them and for the table itself.
        self.name.len() + value.len() + 256
    }
}

struct Memory {
    value: String,
    written: Instant,
}

/// A memory as it is saved.
#[derive(serde::Serialize, serde::Deserialize)]
struct Saved {
    key: Key,
    value: String,
    /// Milliseconds since 1970.
    written: u64,
}

/// All short-term memories.
#[derive(Default)]
pub(crate) struct Ephemeral {
    memories: HashMap<Key, Memory>,
    bytes: usize,
    remarks: HashMap<Key, (String, Instant)>,
    /// Shelves that are not saved as they are.
    changed: BTreeSet<u8>,
}

/// What became of a context argument.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    Done,
    /// Nothing is remembered for this label.
    Unknown(String),
}

impl Ephemeral {
    /// Stores a value; an empty one forgets. `in_thread` ties it to the thread an answer would start.
    pub(crate) fn remember(
        &mut self,
        context: &Context,
        key: &str,
        value: String,
        shared: bool,
        in_thread: bool,
        now: Instant,
    ) {
        let key = Key::of(context, key, shared, in_thread);
        self.forget(&key);
        if value.is_empty() || key.size(&value) > CAPACITY {
            return;
        }
        self.put(key, Memory { value, written: now });
        if self.bytes > CAPACITY {
            self.shrink(now);
        }
    }

    pub(crate) fn recall(&mut self, context: &Context, key: &str, shared: bool, now: Instant) -> String {
        let key = Key::of(context, key, shared, false);
        match self.memories.get(&key) {
            Some(memory) if now.duration_since(memory.written) < key.lifetime() => memory.value.clone(),
            Some(_) => {
                self.forget(&key);
                String::new()
            }
            None => String::new(),
        }
    }

    pub(crate) fn delete(&mut self, context: &Context, key: &str, shared: bool) {
        self.forget(&Key::of(context, key, shared, false));
    }

    fn put(&mut self, key: Key, memory: Memory) {
        self.bytes += key.size(&memory.value);
        self.changed.insert(key.shelf());
        self.memories.insert(key, memory);
    }

    fn forget(&mut self, key: &Key) {
        if let Some(memory) = self.memories.remove(key) {
            self.bytes -= key.size(&memory.value);
            self.changed.insert(key.shelf());
        }
    }

    pub(crate) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Shelves that have to be saved; they count as saved from now on.
    pub(crate) fn changed(&mut self) -> BTreeSet<u8> {
        std::mem::take(&mut self.changed)
    }

    /// What stands on a shelf, to be saved. `wall` is the time `now` has on the clock, in milliseconds.
    pub(crate) fn on_shelf(&self, number: u8, now: Instant, wall: u64) -> String {
        let here = self.memories.iter().filter(|(key, _)| key.shelf() == number);
        let saved = here.filter_map(|(key, memory)| {
            let age = now.duration_since(memory.written);
            (age < key.lifetime()).then(|| Saved {
                key: key.clone(),
                value: memory.value.clone(),
                written: wall.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            })
        });
        serde_json::to_string(&saved.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// Puts back what was saved and is not too old; `false` if it is nothing that was saved.
    pub(crate) fn restore(&mut self, saved: &str, now: Instant, wall: u64) -> bool {
        let Ok(saved) = serde_json::from_str::<Vec<Saved>>(saved) else { return false };
        let before = self.changed.clone();
        for Saved { key, value, written } in saved {
            let age = Duration::from_millis(wall.saturating_sub(written));
            // A machine that has just started has no clock that reaches back so far: such memories live longer.
            let written = now.checked_sub(age).unwrap_or(now);
            if age < key.lifetime() && !self.memories.contains_key(&key) {
                self.put(key, Memory { value, written });
            }
        }
        self.changed = before;
        if self.bytes > CAPACITY {
            self.shrink(now);
        }
        true
    }

    fn shrink(&mut self, now: Instant) {
        let mut by_age: Vec<(Instant, Key)> = self.memories.iter().map(|(k, m)| (m.written, k.clone())).collect();
        by_age.sort_by_key(|(written, _)| *written);
        for (written, key) in by_age {
            if self.bytes * 4 <= CAPACITY * 3 && now.duration_since(written) < key.lifetime() {
                break;
            }
            self.forget(&key);
        }
    }

    /// Replaces "it" and its like among the arguments, and remembers what was named instead.
    pub(crate) fn resolve(
        &mut self,
        context: &Context,
        labels: &[String],
        args: &mut [String],
        now: Instant,
    ) -> Resolved {
        for (label, arg) in labels.iter().zip(args) {
            let mut words = label.split(':');
            let Some(name) = words.next().filter(|n| !n.is_empty()) else { continue };
            let memory = format!("context:{name}");
            if arg.is_empty() || words.any(|generic| generic == arg) {
                let remembered = self.recall(context, &memory, false, now);
                if remembered.is_empty() {
                    return Resolved::Unknown(label.clone());
                }
                *arg = remembered;
            }
            self.remember(context, &memory, arg.clone(), false, false, now);
        }
        Resolved::Done
    }

    /// Keeps an unaddressed, unmatched remark in case the user addresses the robot right after it.
    pub(crate) fn note_remark(&mut self, context: &Context, text: &str, now: Instant) {
        if self.remarks.len() >= REMARKS {
            self.remarks.retain(|_, (_, at)| now.duration_since(*at) < REMARK);
            if self.remarks.len() >= REMARKS {
                self.remarks.clear();
            }
        }
        self.remarks.insert(Key::of(context, "", false, false), (text.to_owned(), now));
    }

    pub(crate) fn forget_remark(&mut self, context: &Context) {
        if !self.remarks.is_empty() {
            self.remarks.remove(&Key::of(context, "", false, false));
        }
    }

    pub(crate) fn take_remark(&mut self, context: &Context, now: Instant) -> Option<String> {
        let (text, at) = self.remarks.remove(&Key::of(context, "", false, false))?;
        (now.duration_since(at) < REMARK).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn here() -> Context {
        testing::context("bob", "general")
    }

    #[test]
    fn memories_belong_to_user_place_and_thread() {
        let (mut memory, now) = (Ephemeral::default(), Instant::now());
        memory.remember(&here(), "colour", "red".into(), false, false, now);
        memory.remember(&here(), "lunch", "soup".into(), true, false, now);
        let carol = testing::context("carol", "general");
        let threaded = Context { threaded: true, ..here() };
        let elsewhere = testing::context("bob", "random");
        assert_eq!(memory.recall(&here(), "colour", false, now), "red");
        assert_eq!(memory.recall(&Context { protocol: "ssh".into(), ..here() }, "colour", false, now), "red");
        assert_eq!(memory.recall(&carol, "colour", false, now), "");
        assert_eq!(memory.recall(&carol, "lunch", true, now), "soup");
        assert_eq!(memory.recall(&threaded, "colour", false, now), "");
        assert_eq!(memory.recall(&elsewhere, "colour", false, now), "");
        memory.remember(&here(), "colour", String::new(), false, false, now);
        assert_eq!(memory.recall(&here(), "colour", false, now), "");
        memory.remember(&here(), "deep", "t".into(), false, true, now);
        assert_eq!(memory.recall(&here(), "deep", false, now), "", "it belongs to the thread");
        assert_eq!(memory.recall(&threaded, "deep", false, now), "t");
        assert_eq!(memory.recall(&Context { protocol: "ssh".into(), ..threaded }, "deep", false, now), "");
        memory.delete(&here(), "lunch", true);
        assert_eq!(memory.recall(&here(), "lunch", true, now), "");
    }

    #[test]
    fn shared_means_nothing_in_a_direct_message() {
        let (mut memory, now) = (Ephemeral::default(), Instant::now());
        let direct = |user: &str| Context { direct: true, channel: String::new(), ..testing::context(user, "") };
        memory.remember(&direct("bob"), "k", "v".into(), true, false, now);
        assert_eq!(memory.recall(&direct("bob"), "k", false, now), "v");
        assert_eq!(memory.recall(&direct("carol"), "k", true, now), "");
    }

    #[test]
    fn channels_forget_after_minutes_and_threads_after_days() {
        let (mut memory, now) = (Ephemeral::default(), Instant::now());
        let threaded = Context { threaded: true, ..here() };
        memory.remember(&here(), "k", "v".into(), false, false, now);
        memory.remember(&threaded, "k", "v".into(), false, false, now);
        let later = now + Duration::from_mins(15);
        assert_eq!(memory.recall(&here(), "k", false, later), "");
        assert_eq!(memory.recall(&threaded, "k", false, later), "v");
        assert_eq!(memory.recall(&threaded, "k", false, now + Duration::from_hours(8 * 24)), "");
        assert_eq!(memory.bytes, 0);
    }

    #[test]
    fn it_stands_for_what_was_named_last() {
        let (mut memory, now) = (Ephemeral::default(), Instant::now());
        let labels = ["list:it:that".to_owned(), String::new()];
        let mut resolve = |first: &str| {
            let mut args = [first.to_owned(), "x".to_owned()];
            (memory.resolve(&here(), &labels, &mut args, now), args[0].clone())
        };
        assert_eq!(resolve("it"), (Resolved::Unknown("list:it:that".into()), "it".into()));
        assert_eq!(resolve("lunch"), (Resolved::Done, "lunch".into()));
        assert_eq!(resolve("it"), (Resolved::Done, "lunch".into()));
        assert_eq!(resolve(""), (Resolved::Done, "lunch".into()));
        assert_eq!(memory.recall(&here(), "context:list", false, now), "lunch");
    }

    #[test]
    fn a_remark_can_become_a_command_for_a_while() {
        let (mut memory, now) = (Ephemeral::default(), Instant::now());
        memory.note_remark(&here(), "ping", now);
        assert_eq!(memory.take_remark(&testing::context("carol", "general"), now), None);
        assert_eq!(memory.take_remark(&here(), now + Duration::from_secs(76)), Some("ping".into()));
        assert_eq!(memory.take_remark(&here(), now), None);
        memory.note_remark(&here(), "ping", now);
        assert_eq!(memory.take_remark(&here(), now + Duration::from_secs(78)), None);
    }

    #[test]
    fn memories_are_saved_in_shelves_and_keep_their_age() {
        let (mut memory, now) = (Ephemeral::default(), Instant::now());
        for n in 0..200 {
            memory.remember(&here(), &format!("k{n}"), format!("v{n}"), false, false, now);
        }
        let threaded = Context { threaded: true, ..here() };
        memory.remember(&threaded, "deep", "t".into(), false, false, now);
        let shelves = memory.changed();
        assert!(shelves.len() > usize::from(SHELVES) / 2 && !memory.has_changed());
        memory.remember(&here(), "k7", "new".into(), false, false, now);
        assert_eq!(memory.changed().len(), 1);

        let saved: Vec<String> =
            (0..SHELVES).map(|n| memory.on_shelf(n, now + Duration::from_mins(10), 1_000_000)).collect();
        let (mut again, now) = (Ephemeral::default(), Instant::now());
        for text in &saved {
            assert!(again.restore(text, now, 1_000_000 + 60_000));
        }
        assert!(!again.has_changed() && !again.restore("{", now, 0));
        assert_eq!(again.recall(&here(), "k7", false, now), "new");
        assert_eq!(again.recall(&here(), "k8", false, now + Duration::from_mins(2)), "v8");
        assert_eq!(again.recall(&here(), "k8", false, now + Duration::from_mins(4)), "", "fifteen minutes in all");
        assert_eq!(again.recall(&threaded, "deep", false, now), "t");
        let mut late = Ephemeral::default();
        for text in &saved {
            assert!(late.restore(text, now, 1_000_000 + 15 * 60_000));
        }
        assert_eq!(late.memories.len(), 1, "the thread's");
    }

    #[test]
    fn a_flood_of_memories_stays_within_bounds() {
        let (mut memory, now) = (Ephemeral::default(), Instant::now());
        for n in 0..80_u64 {
            memory.remember(&here(), &n.to_string(), "x".repeat(1 << 20), false, false, now + Duration::from_millis(n));
        }
        assert!(memory.bytes <= CAPACITY);
        assert_eq!(memory.recall(&here(), "0", false, now), "");
        assert_eq!(memory.recall(&here(), "79", false, now + Duration::from_secs(1)).len(), 1 << 20);
    }
}

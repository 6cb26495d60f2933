//! Short-term memory of extensions and of the matcher (spec: Robot API §1.8, configuration §4.6).
//!
//! Pure; the clock is passed in. Bounded: when full, the oldest memories go first.

use std::{
    collections::HashMap,
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

/// Where a memory is found again: exactly there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

    fn size(&self, value: &str) -> usize {
        // Names are short; the constant stands for them and for the table itself.
        self.name.len() + value.len() + 256
    }
}

struct Memory {
    value: String,
    written: Instant,
}

/// All short-term memories.
#[derive(Default)]
pub(crate) struct Ephemeral {
    memories: HashMap<Key, Memory>,
    bytes: usize,
    remarks: HashMap<Key, (String, Instant)>,
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
        self.bytes += key.size(&value);
        self.memories.insert(key, Memory { value, written: now });
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

    fn forget(&mut self, key: &Key) {
        if let Some(memory) = self.memories.remove(key) {
            self.bytes -= key.size(&memory.value);
        }
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

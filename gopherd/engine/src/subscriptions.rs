//! Plugins that want to hear what is said in a thread and matches nothing (spec: configuration §4.11). Pure.
//!
//! A thread has one subscriber. A subscription that nobody used for a week is over, and its plugin is told.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use gopher_protocol::ids::{ChannelId, TaskName, ThreadId};

use crate::context::Context;

/// How long a thread may be silent.
const LIFE: Duration = Duration::from_hours(7 * 24);
/// How much longer a subscription must last before that is saved.
const WORTH_SAVING: Duration = Duration::from_hours(1);
/// Most threads that plugins listen to at once.
const MOST: usize = 10_000;

/// A thread of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Thread {
    pub(crate) protocol: String,
    pub(crate) channel: String,
    pub(crate) id: ThreadId,
}

impl Thread {
    pub(crate) fn of(context: &Context) -> Self {
        Self { protocol: context.protocol.clone(), channel: context.channel.clone(), id: context.thread.clone() }
    }
}

#[derive(Debug)]
struct Subscription {
    plugin: TaskName,
    channel_id: ChannelId,
    until: Instant,
    /// Until when it lasts by what was saved last.
    saved: Instant,
}

/// A subscription as it is saved.
#[derive(serde::Serialize, serde::Deserialize)]
struct Saved {
    protocol: String,
    channel: String,
    thread: String,
    channel_id: String,
    plugin: String,
    /// Milliseconds since 1970.
    until: u64,
}

/// A subscription that is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) thread: Thread,
    pub(crate) channel_id: ChannelId,
    pub(crate) plugin: TaskName,
}

/// Who listens where.
#[derive(Default)]
pub(crate) struct Subscriptions {
    threads: HashMap<Thread, Subscription>,
    changed: bool,
}

impl Subscriptions {
    /// `false` if another plugin listens there, or too many do anywhere.
    pub(crate) fn subscribe(&mut self, thread: Thread, channel_id: ChannelId, plugin: &TaskName, now: Instant) -> bool {
        let free = match self.threads.get(&thread) {
            Some(held) => held.plugin == *plugin,
            None => self.threads.len() < MOST,
        };
        if free {
            let until = now + LIFE;
            self.threads.insert(thread, Subscription { plugin: plugin.clone(), channel_id, until, saved: until });
            self.changed = true;
        }
        free
    }

    /// `false` if another plugin listens there.
    pub(crate) fn unsubscribe(&mut self, thread: &Thread, plugin: &TaskName) -> bool {
        let own = self.threads.get(thread).is_none_or(|held| held.plugin == *plugin);
        if own {
            self.changed |= self.threads.remove(thread).is_some();
        }
        own
    }

    /// Who hears what is said in the thread now, which keeps the subscription alive.
    pub(crate) fn hears(&mut self, thread: &Thread, now: Instant) -> Option<TaskName> {
        let held = self.threads.get_mut(thread)?;
        held.until = now + LIFE;
        self.changed |= held.until.duration_since(held.saved) > WORTH_SAVING;
        Some(held.plugin.clone())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.threads.values().map(|held| held.until).min()
    }

    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Ended> {
        let over = self.threads.extract_if(|_, held| held.until <= now);
        let ended: Vec<Ended> =
            over.map(|(thread, held)| Ended { thread, channel_id: held.channel_id, plugin: held.plugin }).collect();
        self.changed |= !ended.is_empty();
        ended
    }

    pub(crate) fn has_changed(&self) -> bool {
        self.changed
    }

    /// All of them, to be saved; they count as saved from now on. `wall` is the time `now` has on the clock, in
    /// milliseconds.
    pub(crate) fn save(&mut self, now: Instant, wall: u64) -> String {
        self.changed = false;
        let saved = self.threads.iter_mut().map(|(thread, held)| {
            held.saved = held.until;
            let left = u64::try_from(held.until.saturating_duration_since(now).as_millis()).unwrap_or(u64::MAX);
            Saved {
                protocol: thread.protocol.clone(),
                channel: thread.channel.clone(),
                thread: thread.id.as_str().to_owned(),
                channel_id: held.channel_id.as_str().to_owned(),
                plugin: held.plugin.as_str().to_owned(),
                until: wall.saturating_add(left),
            }
        });
        serde_json::to_string(&saved.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// Puts back what was saved; what is over meanwhile ends now. `false` if it is nothing that was saved.
    pub(crate) fn restore(&mut self, saved: &str, now: Instant, wall: u64) -> bool {
        let Ok(saved) = serde_json::from_str::<Vec<Saved>>(saved) else { return false };
        for Saved { protocol, channel, thread, channel_id, plugin, until } in saved.into_iter().take(MOST) {
            let thread = Thread { protocol, channel, id: thread.as_str().into() };
            let until = now + Duration::from_millis(until.saturating_sub(wall)).min(LIFE);
            let plugin = TaskName::new(plugin);
            let channel_id = channel_id.as_str().into();
            self.threads.entry(thread).or_insert(Subscription { plugin, channel_id, until, saved: until });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_thread_has_one_listener_until_it_has_been_silent_for_a_week() {
        let (one, two) = (TaskName::new("one"), TaskName::new("two"));
        let thread = Thread::of(&testing::context("bob", "general"));
        let now = Instant::now();
        let mut all = Subscriptions::default();
        assert!(all.unsubscribe(&thread, &one), "nothing was subscribed");
        assert!(all.subscribe(thread.clone(), "C1".into(), &one, now));
        assert!(all.subscribe(thread.clone(), "C1".into(), &one, now), "again by the same");
        assert!(!all.subscribe(thread.clone(), "C1".into(), &two, now));
        assert!(!all.unsubscribe(&thread, &two));
        let later = now + LIFE / 2;
        assert_eq!(all.hears(&thread, later), Some(one.clone()));
        assert_eq!(all.hears(&Thread { channel: "random".into(), ..thread.clone() }, later), None);
        assert_eq!(all.expire(now + LIFE), [], "its time began anew");
        assert_eq!(all.deadline(), Some(later + LIFE));
        let ended = Ended { thread: thread.clone(), channel_id: "C1".into(), plugin: one };
        assert_eq!(all.expire(later + LIFE), [ended]);
        assert!(all.is_empty() && all.subscribe(thread, "C1".into(), &two, now));
    }

    #[test]
    fn what_was_saved_comes_back_with_the_time_it_had_left() {
        let (one, now) = (TaskName::new("one"), Instant::now());
        let thread = Thread::of(&testing::context("bob", "general"));
        let mut all = Subscriptions::default();
        all.subscribe(thread.clone(), "C1".into(), &one, now);
        assert!(all.has_changed());
        let saved = all.save(now, 5_000);
        assert!(!all.has_changed());
        all.hears(&thread, now + WORTH_SAVING / 2);
        assert!(!all.has_changed());
        all.hears(&thread, now + WORTH_SAVING * 2);
        assert!(all.has_changed());

        let mut again = Subscriptions::default();
        assert!(again.restore(&saved, now, 5_000 + 24 * 3_600_000) && !again.has_changed());
        assert_eq!(again.deadline(), Some(now + Duration::from_hours(6 * 24)));
        assert!(!again.restore("no list", now, 0));
        let mut late = Subscriptions::default();
        assert!(late.restore(&saved, now, 5_000 + 8 * 24 * 3_600_000));
        assert_eq!(late.expire(now), [Ended { thread, channel_id: "C1".into(), plugin: one }], "its plugin is told");
    }

    #[test]
    fn there_is_a_limit() {
        let mut all = Subscriptions::default();
        let thread =
            |n: usize| Thread { protocol: "test".into(), channel: "general".into(), id: n.to_string().as_str().into() };
        let plugin = TaskName::new("one");
        for n in 0..MOST {
            assert!(all.subscribe(thread(n), "C1".into(), &plugin, Instant::now()));
        }
        assert!(!all.subscribe(thread(MOST), "C1".into(), &plugin, Instant::now()));
    }
}

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
pub(crate) struct Subscriptions(HashMap<Thread, Subscription>);

impl Subscriptions {
    /// `false` if another plugin listens there, or too many do anywhere.
    pub(crate) fn subscribe(&mut self, thread: Thread, channel_id: ChannelId, plugin: &TaskName, now: Instant) -> bool {
        let free = match self.0.get(&thread) {
            Some(held) => held.plugin == *plugin,
            None => self.0.len() < MOST,
        };
        if free {
            let subscription = Subscription { plugin: plugin.clone(), channel_id, until: now + LIFE };
            self.0.insert(thread, subscription);
        }
        free
    }

    /// `false` if another plugin listens there.
    pub(crate) fn unsubscribe(&mut self, thread: &Thread, plugin: &TaskName) -> bool {
        let own = self.0.get(thread).is_none_or(|held| held.plugin == *plugin);
        if own {
            self.0.remove(thread);
        }
        own
    }

    /// Who hears what is said in the thread now, which keeps the subscription alive.
    pub(crate) fn hears(&mut self, thread: &Thread, now: Instant) -> Option<TaskName> {
        let held = self.0.get_mut(thread)?;
        held.until = now + LIFE;
        Some(held.plugin.clone())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.values().map(|held| held.until).min()
    }

    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Ended> {
        let over = self.0.extract_if(|_, held| held.until <= now);
        over.map(|(thread, held)| Ended { thread, channel_id: held.channel_id, plugin: held.plugin }).collect()
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

//! What became of each inbound event, so that none is acted on twice. In memory, bounded. Pure.

use std::collections::{HashMap, VecDeque};

use gopher_protocol::ids::EventId;

const EVENTS: usize = 8192;

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Accepted,
    Started,
    Finished,
}

type Key = (String, EventId);

/// The latest events of all protocols.
#[derive(Default)]
pub(crate) struct Journal {
    events: HashMap<Key, Progress>,
    order: VecDeque<Key>,
}

impl Journal {
    /// Records a new event; `false` if it is already known. An event without an id is always new.
    pub(crate) fn accept(&mut self, protocol: &str, event: &EventId) -> bool {
        if event.is_empty() {
            return true;
        }
        let key = (protocol.to_owned(), event.clone());
        if self.events.contains_key(&key) {
            return false;
        }
        if self.order.len() >= EVENTS {
            self.evict();
        }
        self.events.insert(key.clone(), Progress::Accepted);
        self.order.push_back(key);
        true
    }

    /// Forgets the oldest event; one that is still under way is kept in favour of the next.
    fn evict(&mut self) {
        for _ in 0..self.order.len() {
            let Some(oldest) = self.order.pop_front() else { return };
            if self.events.get(&oldest) == Some(&Progress::Started) {
                self.order.push_back(oldest);
            } else {
                self.events.remove(&oldest);
                return;
            }
        }
    }

    pub(crate) fn advance(&mut self, protocol: &str, event: &EventId, progress: Progress) {
        if event.is_empty() {
            return;
        }
        if let Some(entry) = self.events.get_mut(&(protocol.to_owned(), event.clone())) {
            *entry = progress;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> EventId {
        EventId(n.to_string())
    }

    #[test]
    fn an_event_is_acted_on_once_per_protocol() {
        let mut journal = Journal::default();
        assert!(journal.accept("test", &id(1)));
        assert!(!journal.accept("test", &id(1)));
        assert!(journal.accept("ssh", &id(1)));
        assert!(journal.accept("test", &id(2)));
        journal.advance("test", &id(1), Progress::Finished);
        assert!(!journal.accept("test", &id(1)), "finished events are known, too");
        assert!(journal.accept("test", &EventId::default()) && journal.accept("test", &EventId::default()));
    }

    #[test]
    fn old_events_are_forgotten_but_not_those_under_way() {
        let mut journal = Journal::default();
        journal.accept("test", &id(0));
        journal.advance("test", &id(0), Progress::Started);
        for n in 1..=2 * EVENTS {
            assert!(journal.accept("test", &id(n)));
        }
        assert_eq!(journal.order.len(), EVENTS);
        assert!(!journal.accept("test", &id(0)));
        assert!(journal.accept("test", &id(1)));
    }
}

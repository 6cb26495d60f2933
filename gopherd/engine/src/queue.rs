//! Fair admission of runs: everybody in turn, so that one user's flood never delays another's single command.
//!
//! Pure. Three limits: runs that are starting (they compete for the processors), live runs, and the length of
//! each user's queue.

use std::collections::{HashMap, VecDeque};

/// How many runs may be where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) starting: usize,
    pub(crate) starting_per_user: usize,
    /// The same while people talk: a processor is left for the conversation.
    pub(crate) starting_per_user_in_talk: usize,
    pub(crate) live: usize,
    pub(crate) live_per_user: usize,
    pub(crate) waiting_per_user: usize,
}

impl Bounds {
    pub(crate) fn new(cores: usize, max_runs: usize) -> Self {
        Self {
            // More than there are processors: a run that starts waits for other processes half of the time. One user
            // alone does not fill them, so that the next one's command starts at once.
            starting: 2 * cores + 2,
            starting_per_user: cores,
            starting_per_user_in_talk: cores.saturating_sub(1).max(1),
            // What has just ended may still hold its place at the supervisor.
            live: (max_runs - max_runs / 16).max(1),
            live_per_user: 256,
            waiting_per_user: 10_000,
        }
    }
}

struct Lane<T> {
    waiting: VecDeque<T>,
    starting: usize,
    live: usize,
}

/// Runs that wait, and counts of those that do not.
pub(crate) struct Admission<T> {
    bounds: Bounds,
    lanes: HashMap<String, Lane<T>>,
    /// Users with waiting runs, the next one in front.
    turns: VecDeque<String>,
    starting: usize,
    live: usize,
    waiting: usize,
}

impl<T: PartialEq> Admission<T> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, lanes: HashMap::new(), turns: VecDeque::new(), starting: 0, live: 0, waiting: 0 }
    }

    /// Queues a run of a user; `false` if the queue is full.
    pub(crate) fn enqueue(&mut self, user: &str, run: T) -> bool {
        let lane = match self.lanes.get_mut(user) {
            Some(lane) => lane,
            None => {
                self.lanes.entry(user.to_owned()).or_insert(Lane { waiting: VecDeque::new(), starting: 0, live: 0 })
            }
        };
        if lane.waiting.len() >= self.bounds.waiting_per_user {
            return false;
        }
        if lane.waiting.is_empty() {
            self.turns.push_back(user.to_owned());
        }
        lane.waiting.push_back(run);
        self.waiting += 1;
        true
    }

    /// The next run that may start, if any; fewer may while people talk.
    pub(crate) fn take(&mut self, talk: bool) -> Option<T> {
        if self.starting >= self.bounds.starting || self.live >= self.bounds.live {
            return None;
        }
        let bounds = self.bounds;
        let per_user = if talk { bounds.starting_per_user_in_talk } else { bounds.starting_per_user };
        let admissible = |lane: &Lane<T>| lane.starting < per_user && lane.live < bounds.live_per_user;
        let turn = self.turns.iter().position(|user| self.lanes.get(user).is_some_and(admissible))?;
        let user = self.turns.remove(turn)?;
        let lane = self.lanes.get_mut(&user)?;
        let run = lane.waiting.pop_front()?;
        lane.starting += 1;
        lane.live += 1;
        self.starting += 1;
        self.live += 1;
        self.waiting -= 1;
        if !lane.waiting.is_empty() {
            self.turns.push_back(user);
        }
        Some(run)
    }

    /// A run of the user no longer competes for its start.
    pub(crate) fn started(&mut self, user: &str) {
        if let Some(lane) = self.lanes.get_mut(user) {
            lane.starting = lane.starting.saturating_sub(1);
            self.starting = self.starting.saturating_sub(1);
        }
    }

    /// A live run of the user is over.
    pub(crate) fn ended(&mut self, user: &str) {
        let Some(lane) = self.lanes.get_mut(user) else { return };
        lane.live = lane.live.saturating_sub(1);
        self.live = self.live.saturating_sub(1);
        if lane.live == 0 && lane.starting == 0 && lane.waiting.is_empty() {
            self.lanes.remove(user);
        }
    }

    /// Removes a waiting run.
    pub(crate) fn withdraw(&mut self, user: &str, run: &T) -> bool {
        let Some(lane) = self.lanes.get_mut(user) else { return false };
        let Some(place) = lane.waiting.iter().position(|r| r == run) else { return false };
        lane.waiting.remove(place);
        self.waiting -= 1;
        if lane.waiting.is_empty() {
            self.turns.retain(|u| u != user);
            if lane.live == 0 {
                self.lanes.remove(user);
            }
        }
        true
    }

    /// If the user's newest run waits because too much is live: how many are ahead of it.
    pub(crate) fn ahead_of_newest(&self, user: &str) -> Option<usize> {
        let lane = self.lanes.get(user).filter(|lane| !lane.waiting.is_empty())?;
        if lane.live >= self.bounds.live_per_user {
            Some(lane.live + lane.waiting.len() - 1)
        } else if self.live >= self.bounds.live {
            Some(self.live + self.waiting - 1)
        } else {
            None
        }
    }

    /// How many runs wait for their start.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds() -> Bounds {
        Bounds::new(2, 1000)
    }

    fn drain(admission: &mut Admission<u32>) -> Vec<u32> {
        std::iter::from_fn(|| admission.take(false)).collect()
    }

    #[test]
    fn a_flood_of_one_user_does_not_delay_anothers_single_command() {
        let mut admission = Admission::new(bounds());
        for n in 0..300 {
            assert!(admission.enqueue("a", n));
        }
        assert_eq!(drain(&mut admission), [0, 1], "as many as there are processors");
        assert!(admission.enqueue("b", 1000));
        assert_eq!(drain(&mut admission), [1000]);
        admission.started("a");
        assert_eq!(drain(&mut admission), [2]);
    }

    #[test]
    fn while_people_talk_a_flood_leaves_them_a_processor() {
        let mut admission = Admission::new(bounds());
        for n in 0..3 {
            admission.enqueue("a", n);
        }
        assert_eq!(admission.take(true), Some(0));
        assert_eq!(admission.take(true), None, "one is left of two");
        admission.enqueue("b", 10);
        assert_eq!(admission.take(true), Some(10), "each user may start one");
        assert_eq!(drain(&mut admission), [1]);
        let mut alone = Admission::new(Bounds::new(1, 1000));
        alone.enqueue("a", 0);
        assert_eq!(alone.take(true), Some(0), "one processor has to do both");
    }

    #[test]
    fn users_take_turns_whatever_the_order_of_arrival() {
        let mut admission = Admission::new(Bounds { starting: 1, ..bounds() });
        for (user, base) in [("a", 0), ("b", 100), ("c", 200)] {
            for n in 0..3 {
                admission.enqueue(user, base + n);
            }
        }
        let mut order = Vec::new();
        while let Some(run) = admission.take(false) {
            order.push(run);
            admission.started(match run {
                0..100 => "a",
                100..200 => "b",
                _ => "c",
            });
        }
        assert_eq!(order, [0, 100, 200, 1, 101, 201, 2, 102, 202]);
    }

    #[test]
    fn live_runs_are_bounded_and_waiting_for_them_is_told() {
        let mut admission = Admission::new(Bounds { live_per_user: 2, live: 3, ..bounds() });
        for n in 0..4 {
            admission.enqueue("a", n);
        }
        assert_eq!(drain(&mut admission), [0, 1]);
        admission.started("a");
        admission.started("a");
        assert_eq!(admission.take(false), None);
        assert_eq!(admission.ahead_of_newest("a"), Some(3));
        admission.enqueue("b", 10);
        assert_eq!(admission.ahead_of_newest("b"), None);
        assert_eq!(drain(&mut admission), [10]);
        admission.enqueue("c", 20);
        assert_eq!(admission.take(false), None, "all are live");
        assert_eq!(admission.ahead_of_newest("c"), Some(5));
        admission.ended("a");
        assert_eq!(drain(&mut admission), [2]);
        assert_eq!(admission.waiting(), 2);
    }

    #[test]
    fn a_full_queue_refuses_and_a_withdrawn_run_never_starts() {
        let mut admission = Admission::new(Bounds { waiting_per_user: 2, starting: 0, ..bounds() });
        assert!(admission.enqueue("a", 1) && admission.enqueue("a", 2));
        assert!(!admission.enqueue("a", 3));
        assert!(admission.withdraw("a", &1));
        assert!(!admission.withdraw("a", &1));
        assert!(admission.withdraw("a", &2));
        assert_eq!((admission.waiting(), admission.lanes.len(), admission.turns.len()), (0, 0, 0));
    }
}

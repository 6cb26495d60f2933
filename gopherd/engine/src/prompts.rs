//! Questions that wait for an answer (spec: Robot API §1.5).
//!
//! One question at a time per slot; whoever asks into a busy slot is told to retry once it is free. Waiting costs
//! an entry here and nothing else. Pure: callers send the texts and the answers.

use std::{collections::HashMap, time::Instant};

use gopher_protocol::{ids::CallId, ids::RunId, robot::Extension, robot_api::RetVal};
use regex::Regex;

use crate::{generation, matching::collapsed};

/// Where an answer is expected, and from whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub(crate) protocol: String,
    pub(crate) user: String,
    /// Empty for a direct message.
    pub(crate) channel: String,
    /// Empty for the top level.
    pub(crate) thread: String,
}

/// The call of a run that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) run: RunId,
    pub(crate) call: CallId,
}

/// The end of a question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) caller: Caller,
    pub(crate) text: String,
    pub(crate) ret: RetVal,
}

impl Answered {
    fn with(caller: Caller, ret: RetVal) -> Self {
        Self { caller, text: String::new(), ret }
    }
}

/// Whether the question may be put now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Send the text: the slot already waits for the answer.
    Ask,
    /// Another question waits there; the caller will be told to retry.
    Queued,
}

struct Waiting {
    caller: Caller,
    regex: Regex,
    deadline: Instant,
    queued: Vec<Caller>,
}

/// All questions that wait.
#[derive(Default)]
pub(crate) struct Prompts {
    slots: HashMap<Slot, Waiting>,
}

impl Prompts {
    pub(crate) fn ask(&mut self, slot: Slot, caller: Caller, regex: Regex, deadline: Instant) -> Asked {
        if let Some(waiting) = self.slots.get_mut(&slot) {
            waiting.queued.push(caller);
            return Asked::Queued;
        }
        self.slots.insert(slot, Waiting { caller, regex, deadline, queued: Vec::new() });
        Asked::Ask
    }

    /// Nobody waits for anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The run waits for a person.
    pub(crate) fn waits(&self, run: RunId) -> bool {
        self.slots.values().any(|w| w.caller.run == run || w.queued.iter().any(|c| c.run == run))
    }

    /// Takes a message as the reply if the slot waits for one; all who have ended come back.
    pub(crate) fn reply(&mut self, slot: &Slot, text: &str) -> Option<Vec<Answered>> {
        let waiting = self.slots.remove(slot)?;
        let (text, ret) = judge(&waiting.regex, text);
        let first = Answered { caller: waiting.caller, text, ret };
        Some(std::iter::once(first).chain(retries(waiting.queued)).collect())
    }

    /// The question could not be put: frees its slot.
    pub(crate) fn withdraw(&mut self, caller: Caller, ret: RetVal) -> Vec<Answered> {
        let Some(slot) = self.slots.iter().find(|(_, w)| w.caller == caller).map(|(slot, _)| slot.clone()) else {
            return Vec::new();
        };
        self.end(&slot, ret)
    }

    /// Wakes every question of a run that is interrupted or over.
    pub(crate) fn interrupt(&mut self, run: RunId) -> Vec<Answered> {
        let mut ended = Vec::new();
        for waiting in self.slots.values_mut() {
            waiting.queued.retain(|caller| {
                let mine = caller.run == run;
                if mine {
                    ended.push(Answered::with(*caller, RetVal::Interrupted));
                }
                !mine
            });
        }
        let slots: Vec<Slot> =
            self.slots.iter().filter(|(_, w)| w.caller.run == run).map(|(slot, _)| slot.clone()).collect();
        for slot in slots {
            ended.extend(self.end(&slot, RetVal::Interrupted));
        }
        ended
    }

    /// When the next question runs out of time.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.slots.values().map(|w| w.deadline).min()
    }

    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Answered> {
        let late: Vec<Slot> =
            self.slots.iter().filter(|(_, w)| w.deadline <= now).map(|(slot, _)| slot.clone()).collect();
        late.iter().flat_map(|slot| self.end(slot, RetVal::TimeoutExpired)).collect()
    }

    fn end(&mut self, slot: &Slot, ret: RetVal) -> Vec<Answered> {
        let Some(waiting) = self.slots.remove(slot) else { return Vec::new() };
        std::iter::once(Answered::with(waiting.caller, ret)).chain(retries(waiting.queued)).collect()
    }
}

fn retries(queued: Vec<Caller>) -> impl Iterator<Item = Answered> {
    queued.into_iter().map(|caller| Answered::with(caller, RetVal::RetryPrompt))
}

fn judge(regex: &Regex, text: &str) -> (String, RetVal) {
    if regex.is_match(text) {
        return (text.to_owned(), RetVal::Ok);
    }
    let single = collapsed(text);
    if regex.is_match(&single) {
        return (single.into_owned(), RetVal::Ok);
    }
    let ret = match text.trim() {
        "=" => RetVal::UseDefaultValue,
        "-" => RetVal::Interrupted,
        _ => RetVal::ReplyNotMatched,
    };
    (String::new(), ret)
}

/// The expression of a reply matcher: a stock one if it starts with a capital, else one of the extension's own.
pub(crate) fn reply_matcher(extension: &Extension, name: &str) -> Option<Regex> {
    if name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return generation::compile(&format!(r"^(?-u:\s)*{}(?-u:\s)*$", stock(name)?)).ok();
    }
    let matcher = extension.reply_matchers.iter().find(|m| !name.is_empty() && m.command == name)?;
    generation::compile(matcher.regex()?).ok()
}

fn stock(name: &str) -> Option<&'static str> {
    Some(match name {
        "Email" => r"[0-9A-Za-z_.\-]+@(?:[0-9A-Za-z_\-]+\.)+[0-9A-Za-z_\-]{2,4}",
        "Domain" => r"(?:[0-9A-Za-z_\-]+\.)+[0-9A-Za-z_\-]{2,4}",
        "OTP" => r"[0-9]{6}",
        "IPaddr" | "IPAddr" => {
            r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
        }
        "SimpleString" => r#"[\-0-9A-Za-z_ .,'"?!]+"#,
        "AnyString" => r".+",
        "YesNo" => r"(?i:yes|no|Y|N)",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing;

    fn slot(user: &str, thread: &str) -> Slot {
        Slot { protocol: "test".into(), user: user.into(), channel: "general".into(), thread: thread.into() }
    }

    fn caller(run: u64) -> Caller {
        Caller { run: RunId(run), call: CallId(1) }
    }

    fn stock_regex(name: &str) -> Regex {
        reply_matcher(&testing::extension("p"), name).expect("is a stock matcher")
    }

    fn answers(ended: Vec<Answered>) -> Vec<(u64, String, RetVal)> {
        ended.into_iter().map(|a| (a.caller.run.0, a.text, a.ret)).collect()
    }

    #[test]
    fn a_busy_slot_queues_and_everybody_behind_retries() {
        let (mut prompts, now) = (Prompts::default(), Instant::now());
        let later = now + Duration::from_secs(45);
        assert_eq!(prompts.ask(slot("bob", ""), caller(1), stock_regex("YesNo"), later), Asked::Ask);
        assert_eq!(prompts.ask(slot("bob", ""), caller(2), stock_regex("YesNo"), later), Asked::Queued);
        assert_eq!(prompts.ask(slot("bob", ""), caller(3), stock_regex("YesNo"), later), Asked::Queued);
        assert!(prompts.reply(&slot("alice", ""), "yes").is_none(), "another user");
        assert!(prompts.reply(&slot("bob", "t1"), "yes").is_none(), "another thread");
        assert!(prompts.waits(RunId(2)));
        assert_eq!(
            answers(prompts.reply(&slot("bob", ""), "yes").expect("waited")),
            [
                (1, "yes".into(), RetVal::Ok),
                (2, String::new(), RetVal::RetryPrompt),
                (3, String::new(), RetVal::RetryPrompt)
            ]
        );
        assert!(prompts.is_empty());
        assert_eq!(prompts.ask(slot("bob", ""), caller(3), stock_regex("YesNo"), later), Asked::Ask);
    }

    #[test]
    fn only_unmatched_signs_mean_default_and_cancel() {
        let reply = |matcher: &str, text: &str| {
            let mut prompts = Prompts::default();
            prompts.ask(slot("bob", ""), caller(1), stock_regex(matcher), Instant::now());
            let ended = prompts.reply(&slot("bob", ""), text).expect("waited");
            (ended[0].text.clone(), ended[0].ret)
        };
        assert_eq!(reply("YesNo", "="), (String::new(), RetVal::UseDefaultValue));
        assert_eq!(reply("YesNo", "-"), (String::new(), RetVal::Interrupted));
        assert_eq!(reply("YesNo", "perhaps"), (String::new(), RetVal::ReplyNotMatched));
        assert_eq!(reply("AnyString", "-"), ("-".into(), RetVal::Ok));
        assert_eq!(reply("AnyString", "="), ("=".into(), RetVal::Ok));
        assert_eq!(reply("SimpleString", "-"), ("-".into(), RetVal::Ok));
        assert_eq!(reply("SimpleString", "a\tb"), ("a b".into(), RetVal::Ok));
        assert_eq!(reply("SimpleString", " a  b "), (" a  b ".into(), RetVal::Ok), "what matched is not trimmed");
    }

    #[test]
    fn stock_matchers_accept_what_they_name() {
        for (name, good, bad) in [
            ("Email", "a.b-c@example.com", "a@b"),
            ("Domain", "example.com", "example"),
            ("OTP", "123456", "12345"),
            ("IPaddr", "192.168.0.255", "192.168.0.256"),
            ("IPAddr", "10.0.0.1", "10.0.0"),
            ("SimpleString", "You're 1st!", "a@b"),
            ("AnyString", "@*", ""),
            ("YesNo", "Y", "maybe"),
        ] {
            assert!(stock_regex(name).is_match(good), "{name} {good}");
            assert!(!stock_regex(name).is_match(bad), "{name} {bad}");
        }
        let mut extension = testing::extension("p");
        extension.reply_matchers = vec![testing::command("colour", "red|green")];
        assert!(reply_matcher(&extension, "colour").is_some());
        assert!(reply_matcher(&extension, "Colour").is_none());
        assert!(reply_matcher(&extension, "").is_none());
    }

    #[test]
    fn time_and_interruption_wake_the_right_ones() {
        let (mut prompts, now) = (Prompts::default(), Instant::now());
        let soon = now + Duration::from_secs(45);
        prompts.ask(slot("bob", ""), caller(1), stock_regex("YesNo"), soon);
        prompts.ask(slot("bob", ""), caller(2), stock_regex("YesNo"), soon);
        prompts.ask(slot("carol", ""), caller(3), stock_regex("YesNo"), soon + Duration::from_secs(1));
        assert_eq!(prompts.deadline(), Some(soon));
        assert!(prompts.expire(now).is_empty());
        let empty = String::new;
        assert_eq!(
            answers(prompts.expire(soon)),
            [(1, empty(), RetVal::TimeoutExpired), (2, empty(), RetVal::RetryPrompt)]
        );
        prompts.ask(slot("carol", ""), caller(4), stock_regex("YesNo"), soon);
        assert_eq!(answers(prompts.interrupt(RunId(4))), [(4, empty(), RetVal::Interrupted)]);
        assert_eq!(answers(prompts.withdraw(caller(3), RetVal::UserNotFound)), [(3, empty(), RetVal::UserNotFound)]);
        assert_eq!(prompts.deadline(), None);
    }
}

//! Mail on its way: what may be one, and in which order its connector gets them (spec: Robot API §1.11). Pure.
//!
//! The connector has one mail at a time, so that nothing waits where nobody can take it back.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use gopher_protocol::{
    connector::{LONGEST_BODY, LONGEST_SUBJECT, Mail},
    ids::DeliveryId,
};

use crate::prompts::Caller;

/// How long a mail may wait for those before it, and how long its connector may take: together less than clients wait.
const WAIT: Duration = Duration::from_secs(20);
const SEND: Duration = Duration::from_secs(20);
/// Mails, and bytes of their bodies, that may wait.
const LETTERS: usize = 64;
const BYTES: usize = 16 << 20;
/// Longest address that a mail server must take.
const LONGEST_ADDRESS: usize = 254;

/// A mail and who waits for its fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) caller: Caller,
    pub(crate) mail: Mail,
}

struct Sending {
    id: DeliveryId,
    letter: Letter,
    until: Instant,
}

/// What is to be told because time is over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Late {
    /// They never had their turn.
    pub(crate) waited: Vec<Letter>,
    /// The connector is stuck with it.
    pub(crate) stuck: Option<Letter>,
}

/// All mails that nobody has taken yet.
pub(crate) struct Post {
    next: DeliveryId,
    waiting: VecDeque<(Letter, Instant)>,
    bytes: usize,
    sending: Option<Sending>,
}

impl Post {
    /// `first` must be above every number used before.
    pub(crate) fn new(first: DeliveryId) -> Self {
        Self { next: first, waiting: VecDeque::new(), bytes: 0, sending: None }
    }

    /// Takes a mail in; `false` if too many wait already.
    pub(crate) fn put(&mut self, letter: Letter, now: Instant) -> bool {
        let size = letter.mail.body.len();
        if self.waiting.len() >= LETTERS || self.bytes + size > BYTES {
            return false;
        }
        self.bytes += size;
        self.waiting.push_back((letter, now + WAIT));
        true
    }

    /// The mail whose turn it is, if the connector has none; it counts as the connector's from now on.
    pub(crate) fn turn(&mut self, now: Instant) -> Option<(DeliveryId, &Mail)> {
        if self.sending.is_some() {
            return None;
        }
        let letter = self.first()?;
        let id = self.next;
        self.next = id.next();
        let sending = self.sending.insert(Sending { id, letter, until: now + SEND });
        Some((id, &sending.letter.mail))
    }

    fn first(&mut self) -> Option<Letter> {
        let (letter, _) = self.waiting.pop_front()?;
        self.bytes -= letter.mail.body.len();
        Some(letter)
    }

    pub(crate) fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// The connector has answered for the mail of that number.
    pub(crate) fn answered(&mut self, id: DeliveryId) -> Option<Letter> {
        self.sending.take_if(|sending| sending.id == id).map(|sending| sending.letter)
    }

    /// The connector is gone; whether the server had taken what it was sending, nobody knows.
    pub(crate) fn interrupted(&mut self) -> Option<Letter> {
        self.sending.take().map(|sending| sending.letter)
    }

    /// All that wait, because there will be no connector.
    pub(crate) fn give_up(&mut self) -> Vec<Letter> {
        std::iter::from_fn(|| self.first()).collect()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waiting = self.waiting.front().map(|(_, until)| *until);
        waiting.into_iter().chain(self.sending.as_ref().map(|sending| sending.until)).min()
    }

    pub(crate) fn expire(&mut self, now: Instant) -> Late {
        let mut late = Late::default();
        while self.waiting.front().is_some_and(|(_, until)| *until <= now) {
            late.waited.extend(self.first());
        }
        late.stuck = self.sending.take_if(|sending| sending.until <= now).map(|sending| sending.letter);
        late
    }
}

/// Why a mail is none that could be sent, as the end of a sentence.
pub(crate) fn objection(mail: &Mail) -> Option<String> {
    if mail.subject.contains(char::is_control) {
        return Some("its subject is more than a line of text".to_owned());
    }
    if mail.subject.len() > LONGEST_SUBJECT {
        return Some(format!("its subject is longer than {LONGEST_SUBJECT} bytes"));
    }
    if mail.body.len() > LONGEST_BODY {
        return Some(format!("its text is longer than {LONGEST_BODY} bytes"));
    }
    let [from, to] = [("sender", &mail.from), ("recipient", &mail.to)]
        .map(|(whose, address)| (!is_address(address)).then(|| format!("the {whose}'s address {address:?} is none")));
    from.or(to)
}

/// One address and nothing else; whether there is such a mailbox, only servers know.
fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty());
    let odd = |c: char| c.is_control() || c.is_whitespace() || "<>(),;:\"\\".contains(c);
    parts && text.len() <= LONGEST_ADDRESS && !text.contains(odd)
}

#[cfg(test)]
mod tests {
    use gopher_protocol::ids::{CallId, RunId};

    use super::*;

    fn letter(call: u64, body: &str) -> Letter {
        let mail = Mail {
            from: "floyd@example.com".into(),
            from_name: "Floyd".into(),
            to: "alice@example.com".into(),
            subject: "news".into(),
            body: body.into(),
            html: false,
        };
        Letter { caller: Caller { run: RunId(1), call: CallId(call) }, mail }
    }

    fn post() -> Post {
        Post::new(DeliveryId(1))
    }

    #[test]
    fn mails_go_one_after_the_other() {
        let (mut post, now) = (post(), Instant::now());
        assert!(post.put(letter(1, "a"), now) && post.put(letter(2, "b"), now));
        let (first, mail) = post.turn(now).expect("its turn");
        assert_eq!(mail.body, "a");
        assert!(post.turn(now).is_none(), "the connector is busy");
        assert_eq!(post.answered(DeliveryId(99)), None);
        assert_eq!(post.answered(first), Some(letter(1, "a")));
        assert_eq!(post.answered(first), None, "twice");
        let (second, mail) = post.turn(now).expect("its turn");
        assert!(second > first && mail.body == "b");
        assert_eq!(post.interrupted(), Some(letter(2, "b")));
        assert!(post.turn(now).is_none() && post.deadline().is_none());
    }

    #[test]
    fn a_mail_fails_in_less_time_than_clients_wait() {
        let (mut post, now) = (post(), Instant::now());
        assert!(post.put(letter(1, "a"), now) && post.put(letter(2, "b"), now + Duration::from_secs(1)));
        post.turn(now).expect("its turn");
        assert_eq!(post.expire(now), Late::default());
        let late = post.expire(now + SEND);
        assert_eq!((late.waited, late.stuck), (Vec::new(), Some(letter(1, "a"))));
        let at = post.deadline().expect("one waits");
        assert_eq!(post.expire(at).waited, [letter(2, "b")]);
        assert!(WAIT + SEND < Duration::from_secs(45));
    }

    #[test]
    fn what_waits_is_bounded() {
        let (mut full, now) = (post(), Instant::now());
        for call in 0..LETTERS {
            assert!(full.put(letter(call as u64, "x"), now));
        }
        assert!(!full.put(letter(99, "x"), now));
        assert_eq!(full.give_up().len(), LETTERS);
        assert!(full.put(letter(99, "x"), now) && full.bytes == 1);
        let (mut heavy, big) = (post(), "x".repeat(LONGEST_BODY));
        let taken = (0..LETTERS).filter(|n| heavy.put(letter(*n as u64, &big), now)).count();
        assert_eq!(taken, BYTES / LONGEST_BODY);
    }

    #[test]
    fn nothing_that_is_more_than_its_field_becomes_a_mail() {
        let with = |change: &dyn Fn(&mut Mail)| {
            let mut mail = letter(1, "text").mail;
            change(&mut mail);
            objection(&mail)
        };
        assert_eq!(with(&|_| {}), None);
        assert_eq!(with(&|m| m.subject = "Grüße, 🦀 & co: <b>".into()), None);
        assert_eq!(with(&|m| m.to = "o'neil+x=y@sub.example.com".into()), None);
        for subject in ["a\r\nBcc: eve@example.com", "a\nb", "a\rb", "a\0b", "a\tb", "a\u{85}b"] {
            assert!(with(&|m| m.subject = subject.into()).is_some(), "{subject:?}");
        }
        for address in [
            "",
            "alice",
            "@example.com",
            "alice@",
            "a@b\r\nRCPT TO:<eve@example.com>",
            "a@b, eve@example.com",
            "a@b>",
            "Alice <a@b>",
            "a b@c",
            "a@b\0",
        ] {
            assert!(with(&|m| m.to = address.into()).expect(address).contains("recipient"), "{address:?}");
            assert!(with(&|m| m.from = address.into()).expect(address).contains("sender"), "{address:?}");
        }
        assert!(with(&|m| m.to = format!("{}@b", "a".repeat(LONGEST_ADDRESS))).is_some());
        assert!(with(&|m| m.subject = "x".repeat(LONGEST_SUBJECT + 1)).is_some());
        assert!(with(&|m| m.body = "x".repeat(LONGEST_BODY + 1)).is_some());
    }
}

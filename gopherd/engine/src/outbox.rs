//! Messages of the robot on their way: numbered for the service to recognise, in order, until the connector answers.
//!
//! Pure: the engine sends what it is given. A message whose connector is away waits for it within its time.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use gopher_protocol::{
    connector::Outbound,
    ids::{DeliveryId, PipelineId},
    robot_api::RetVal,
};

use crate::prompts::Caller;

/// How long a connector may take with one message.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages and bytes that may wait for one connector.
const MESSAGES: usize = 4096;
const BYTES: usize = 64 << 20;

/// Who wants to know whether a message arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// The engine itself, on behalf of a pipeline if there is one.
    Engine(Option<PipelineId>),
    /// A send call, answered with the result.
    Call(Caller),
    /// A prompt, which fails if its text cannot be sent.
    Prompt(Caller),
}

struct Waiting {
    connector: String,
    sender: Sender,
    message: Outbound,
    deadline: Instant,
}

#[derive(Default, Clone, Copy)]
struct Load {
    messages: usize,
    bytes: usize,
}

/// All messages that no connector has answered for.
pub(crate) struct Outbox {
    next: DeliveryId,
    // In order of sending, hence of deadlines.
    waiting: BTreeMap<DeliveryId, Waiting>,
    loads: HashMap<String, Load>,
}

impl Outbox {
    /// `first` must be above every number used before.
    pub(crate) fn new(first: DeliveryId) -> Self {
        Self { next: first, waiting: BTreeMap::new(), loads: HashMap::new() }
    }

    /// Takes a message in; `None` if too much waits for its connector already.
    pub(crate) fn put(
        &mut self,
        connector: &str,
        sender: Sender,
        message: Outbound,
        now: Instant,
    ) -> Option<DeliveryId> {
        let load = match self.loads.get_mut(connector) {
            Some(load) => load,
            None => self.loads.entry(connector.to_owned()).or_default(),
        };
        if load.messages >= MESSAGES || load.bytes + message.text.len() > BYTES {
            return None;
        }
        load.messages += 1;
        load.bytes += message.text.len();
        let id = self.next;
        self.next = id.next();
        self.waiting.insert(id, Waiting { connector: connector.to_owned(), sender, message, deadline: now + PATIENCE });
        Some(id)
    }

    pub(crate) fn message(&self, id: DeliveryId) -> Option<&Outbound> {
        self.waiting.get(&id).map(|w| &w.message)
    }

    /// The connector answered, or the message could not be handed over: who is to be told.
    pub(crate) fn settle(&mut self, id: DeliveryId) -> Option<Sender> {
        let waiting = self.waiting.remove(&id)?;
        if let Some(load) = self.loads.get_mut(&waiting.connector) {
            load.messages -= 1;
            load.bytes -= waiting.message.text.len();
        }
        Some(waiting.sender)
    }

    /// As [`Outbox::settle`], for an answer that must come from the connector the message went to.
    pub(crate) fn delivered(&mut self, connector: &str, id: DeliveryId) -> Option<Sender> {
        self.waiting.get(&id).filter(|w| w.connector == connector)?;
        self.settle(id)
    }

    /// What a connector that is back must send again, in order, under the old numbers.
    pub(crate) fn pending(&self, connector: &str) -> Vec<DeliveryId> {
        self.waiting.iter().filter(|(_, w)| w.connector == connector).map(|(id, _)| *id).collect()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.values().next().map(|w| w.deadline)
    }

    /// Gives up on messages whose time is over.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<(Sender, RetVal)> {
        let mut late = Vec::new();
        while let Some((id, _)) = self.waiting.first_key_value().filter(|(_, w)| w.deadline <= now) {
            let id = *id;
            late.extend(self.settle(id).map(|sender| (sender, RetVal::FailedMessageSend)));
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gopher_protocol::{
        connector::Destination,
        ids::{CallId, RunId},
        robot_api::MessageFormat,
    };

    fn message(text: &str) -> Outbound {
        Outbound {
            destination: Destination::Channel { channel: "general".into() },
            thread: None,
            text: text.into(),
            format: MessageFormat::Raw,
            hidden: false,
            answers: None,
        }
    }

    #[test]
    fn messages_keep_number_and_order_until_their_connector_answers() {
        let (mut outbox, now) = (Outbox::new(DeliveryId(7)), Instant::now());
        let call = Sender::Call(Caller { run: RunId(1), call: CallId(2) });
        let first = outbox.put("test", call, message("a"), now).expect("has room");
        let second = outbox.put("test", Sender::Engine(None), message("b"), now).expect("has room");
        let other = outbox.put("ssh", Sender::Engine(None), message("c"), now).expect("has room");
        assert_eq!((first, second), (DeliveryId(7), DeliveryId(8)));
        assert_eq!(outbox.pending("test"), [first, second]);
        assert_eq!(outbox.delivered("test", other), None, "not its message");
        assert_eq!(outbox.delivered("test", first), Some(call));
        assert_eq!(outbox.delivered("test", first), None, "twice");
        assert_eq!(outbox.message(second).map(|m| m.text.as_str()), Some("b"));
    }

    #[test]
    fn a_silent_connector_fails_the_send_after_a_while() {
        let (mut outbox, now) = (Outbox::new(DeliveryId(1)), Instant::now());
        outbox.put("test", Sender::Engine(None), message("a"), now);
        outbox.put("test", Sender::Engine(None), message("b"), now + Duration::from_secs(1));
        assert_eq!(outbox.expire(now), []);
        let at = outbox.deadline().expect("one waits");
        assert_eq!(outbox.expire(at), [(Sender::Engine(None), RetVal::FailedMessageSend)]);
        assert_eq!(outbox.pending("test").len(), 1);
    }

    #[test]
    fn one_connector_cannot_fill_the_engine() {
        let (mut outbox, now) = (Outbox::new(DeliveryId(1)), Instant::now());
        for _ in 0..MESSAGES {
            assert!(outbox.put("test", Sender::Engine(None), message("x"), now).is_some());
        }
        assert!(outbox.put("test", Sender::Engine(None), message("x"), now).is_none());
        assert!(outbox.put("ssh", Sender::Engine(None), message("x"), now).is_some());
    }
}

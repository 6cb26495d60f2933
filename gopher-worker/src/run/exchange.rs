//! The link to the engine, when a script on a thread of this process calls over it too.
//!
//! Only one thread receives at a time: the one that serves the run, until a script waits for an answer. What comes for
//! the other one meanwhile is left for it.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd as _, OwnedFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use gopher_protocol::{
    WireError,
    ids::CallId,
    robot_api::{RobotAnswer, RobotCall},
    worker::{EngineToWorker, WorkerToEngine},
};
use gopher_sys::{
    LinkError,
    poll::{AT_ONCE, Awake, Registry},
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::{ENGINE, EngineLink, serve::TOO_LONG};
use crate::embedded::{NoAnswer, attention};

/// Calls of a script have numbers from here on.
const FIRST_OF_SCRIPT: CallId = CallId(1 << 63);

/// One end of the link, for whoever has its turn.
pub(super) struct Turn {
    pub(super) link: EngineLink,
    registry: Registry,
    /// A script waits for its answer, and receives.
    taken: bool,
    /// What the poller watches for: reading, writing. Nobody polls before that is known.
    watched: Option<(bool, bool)>,
    /// What came for the thread that serves while a script received.
    left: VecDeque<EngineToWorker>,
}

impl Turn {
    /// What has come for the thread that serves.
    pub(super) fn next(&mut self) -> Result<Option<EngineToWorker>, LinkError> {
        match self.left.pop_front() {
            Some(message) => Ok(Some(message)),
            None if self.taken => Ok(None),
            None => Ok(self.link.receive()?.map(|(message, _)| message)),
        }
    }

    /// From now on somebody serves the run, and polls.
    pub(super) fn begin(&mut self) -> Result<(), Errno> {
        self.registry.add(self.link.as_fd(), ENGINE)?;
        self.watched = Some((true, false));
        self.watch()
    }

    /// Has whoever serves woken by what concerns it, and by nothing else.
    pub(super) fn watch(&mut self) -> Result<(), Errno> {
        // A socket can nearly always be written to: that wakes for what is left.
        let wanted = (!self.taken, self.link.wants_write() || !self.left.is_empty());
        if self.watched.is_some_and(|watched| watched != wanted) {
            self.registry.modify(self.link.as_fd(), ENGINE, wanted.0, wanted.1)?;
            self.watched = Some(wanted);
        }
        Ok(())
    }

    /// Receives for a script: its answer, if that is there.
    fn answer(&mut self, wanted: CallId) -> Result<Option<RobotAnswer>, LinkError> {
        self.link.flush()?;
        let mut found = None;
        while let Some((message, _)) = self.link.receive()? {
            match message {
                EngineToWorker::Answer { call, answer } if call == wanted => found = Some(answer),
                other => self.left.push_back(other),
            }
        }
        Ok(found)
    }
}

pub(super) struct Exchange(Mutex<Turn>);

impl Exchange {
    /// `link` will be watched under [`ENGINE`].
    pub(super) fn new(link: EngineLink, registry: Registry) -> Self {
        Self(Mutex::new(Turn { link, registry, taken: false, watched: None, left: VecDeque::new() }))
    }

    pub(super) fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a script asks.
pub(super) struct Asker {
    exchange: Arc<Exchange>,
    socket: OwnedFd,
    next: CallId,
    awake: Awake,
}

impl Asker {
    pub(super) fn new(exchange: Arc<Exchange>, awake: Awake) -> io::Result<Self> {
        let socket = exchange.turn().link.as_fd().try_clone_to_owned()?;
        Ok(Self { exchange, socket, next: FIRST_OF_SCRIPT, awake })
    }

    /// Asks the engine and waits for its answer.
    pub(super) fn ask(&mut self, request: RobotCall) -> Result<RobotAnswer, NoAnswer> {
        let call = self.next;
        self.next = call.next();
        let answer = self.sent(call, request).and_then(|()| self.awaited(call));
        let mut turn = self.exchange.turn();
        turn.taken = false;
        turn.watch().map_err(io::Error::from)?;
        answer.map_err(|error| match error {
            LinkError::Wire(WireError::TooLong { .. }) => NoAnswer::Refused(TOO_LONG.to_owned()),
            other => io::Error::other(other.to_string()).into(),
        })
    }

    fn sent(&self, call: CallId, request: RobotCall) -> Result<(), LinkError> {
        let mut turn = self.exchange.turn();
        turn.taken = true;
        turn.watch().map_err(|errno| LinkError::System { call: "epoll_ctl", errno })?;
        turn.link.send(&WorkerToEngine::Call { call, request })
    }

    fn awaited(&mut self, call: CallId) -> Result<RobotAnswer, LinkError> {
        let begun = Instant::now();
        loop {
            let (writing, left) = {
                let mut turn = self.exchange.turn();
                if let Some(answer) = turn.answer(call)? {
                    self.awake.learn(begun, AT_ONCE);
                    return Ok(answer);
                }
                // What came for the other thread does not wait for the answer.
                turn.watch().map_err(|errno| LinkError::System { call: "epoll_ctl", errno })?;
                (turn.link.wants_write(), !turn.left.is_empty())
            };
            if left {
                attention::call();
            }
            if self.awake.goes_on(begun, AT_ONCE) {
                continue;
            }
            let events = if writing { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN };
            let patience = attention::patience().and_then(|time| PollTimeout::try_from(time).ok());
            match poll(&mut [PollFd::new(self.socket.as_fd(), events)], patience.unwrap_or(PollTimeout::NONE)) {
                Ok(0) => attention::call(),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(LinkError::System { call: "poll", errno }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use gopher_protocol::robot_api::RetVal;
    use gopher_sys::{Link, Poller};

    use super::*;

    type Engine = Link<EngineToWorker, WorkerToEngine>;

    fn exchange() -> (Arc<Exchange>, Engine, Poller) {
        let (ours, theirs) = gopher_sys::link::pair().expect("a pair");
        let link: EngineLink = Link::new(ours).expect("a link");
        let poller = Poller::new().expect("a poller");
        let exchange = Exchange::new(link, poller.registry());
        exchange.turn().begin().expect("watched");
        (Arc::new(exchange), Link::new(theirs).expect("a link"), poller)
    }

    fn answers(mut engine: Engine, before: Option<EngineToWorker>) -> thread::JoinHandle<Engine> {
        thread::spawn(move || {
            let (WorkerToEngine::Call { call, .. }, _) = engine.wait().expect("a call") else { panic!("no call") };
            if let Some(before) = before {
                engine.send(&before).expect("sent");
            }
            engine.send(&EngineToWorker::Answer { call, answer: RobotAnswer::RetVal(RetVal::Ok) }).expect("sent");
            engine
        })
    }

    #[test]
    fn a_script_has_its_answer_and_leaves_the_rest_to_who_serves() {
        let (exchange, engine, mut poller) = exchange();
        let mut asker = Asker::new(Arc::clone(&exchange), Awake::default()).expect("an asker");
        let cancel = EngineToWorker::Cancel { reason: "enough".into() };
        let engine = answers(engine, Some(cancel));
        let answer = asker.ask(RobotCall::CheckAdmin).expect("an answer");
        assert_eq!(answer, RobotAnswer::RetVal(RetVal::Ok));
        let ready = poller.wait(None).expect("woken");
        assert!(ready.iter().any(|ready| ready.token == ENGINE), "{ready:?}");
        let mut turn = exchange.turn();
        let left = turn.next().expect("open");
        assert!(matches!(left, Some(EngineToWorker::Cancel { .. })), "{left:?}");
        assert!(turn.next().expect("open").is_none());
        turn.watch().expect("watched");
        drop(turn);
        let mut engine = engine.join().expect("played");
        engine.send(&EngineToWorker::Cancel { reason: "again".into() }).expect("sent");
        assert!(!poller.wait(None).expect("woken").is_empty(), "whoever serves receives again");
        assert!(matches!(exchange.turn().next(), Ok(Some(EngineToWorker::Cancel { .. }))));
    }

    #[test]
    fn a_call_that_is_too_long_is_refused_and_the_next_one_is_not() {
        let (exchange, engine, _poller) = exchange();
        let mut asker = Asker::new(exchange, Awake::default()).expect("an asker");
        let long = RobotCall::BotAttribute { attribute: "x".repeat(17 << 20) };
        let refused = asker.ask(long).expect_err("too long");
        assert_eq!(refused.to_string(), TOO_LONG);
        let engine = answers(engine, None);
        assert_eq!(asker.ask(RobotCall::CheckAdmin).expect("an answer"), RobotAnswer::RetVal(RetVal::Ok));
        engine.join().expect("played");
    }

    #[test]
    fn an_engine_that_is_gone_is_told() {
        let (exchange, engine, _poller) = exchange();
        let mut asker = Asker::new(exchange, Awake::default()).expect("an asker");
        drop(engine);
        assert!(matches!(asker.ask(RobotCall::CheckAdmin), Err(NoAnswer::Lost(_))));
    }
}

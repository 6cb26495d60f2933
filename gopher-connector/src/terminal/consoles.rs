//! The sockets of the consoles.
//!
//! A console speaks first: until its hello is here, nothing is sent, because the engine's last answer on the
//! same socket may still be unread at the other end.

use std::{
    collections::BTreeMap,
    os::fd::{AsFd as _, OwnedFd},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use gopher_protocol::connector::{ConnectorToConsole, ConsoleIdentity, ConsoleToConnector, EngineToConnector};
use gopher_sys::{Link, LinkError, poll::Ready};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::service::{Action, ConsoleId, TerminalService};
use crate::{
    error::ConnectorError,
    host::{FIRST_TOKEN, Io, Service},
};

type ConsoleLink = Link<ConnectorToConsole, ConsoleToConnector>;

/// Most consoles at once.
const MOST: usize = 64;
/// A console that leaves this much unread is dropped.
const BACKLOG: usize = 4 << 20;
/// Messages of one console in one turn; the rest waits for the next, so that nobody starves.
const MESSAGES: usize = 64;
/// How long last words may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

struct Console {
    link: ConsoleLink,
    /// Present until the console's first bytes are here.
    waiting: Option<ConsoleIdentity>,
    writing: bool,
    /// The engine is behind; the console is not read.
    paused: bool,
}

pub(crate) struct TerminalConnector {
    service: TerminalService,
    consoles: BTreeMap<ConsoleId, Console>,
    /// Consoles with messages left over from the last turn.
    eager: Vec<ConsoleId>,
    next_token: u64,
    actions: Vec<Action>,
}

impl TerminalConnector {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            service: TerminalService::new(format!("{:x}-{:x}", now.as_micros(), std::process::id())),
            consoles: BTreeMap::new(),
            eager: Vec::new(),
            next_token: FIRST_TOKEN,
            actions: Vec::new(),
        }
    }

    fn attach(&mut self, identity: ConsoleIdentity, socket: OwnedFd, io: &Io) -> Result<(), ConnectorError> {
        // A console that is gone already is no trouble of the robot.
        let Ok(link) = ConsoleLink::new(socket) else {
            return Ok(());
        };
        if self.consoles.len() >= 2 * MOST {
            return Ok(());
        }
        let token = self.next_token;
        self.next_token += 1;
        io.watch(&link, token)?;
        let console = Console { link, waiting: Some(identity), writing: false, paused: false };
        self.consoles.insert(ConsoleId(token), console);
        Ok(())
    }

    fn perform(&mut self, io: &mut Io) -> Result<(), ConnectorError> {
        let mut lost = Vec::new();
        for action in std::mem::take(&mut self.actions) {
            match action {
                Action::Engine(message) => drop(io.tell(&message)?),
                Action::Console(id, message) => {
                    if let Some(console) = self.consoles.get_mut(&id)
                        && console.waiting.is_none()
                    {
                        match console.link.send(&message) {
                            // Longer than a frame, which no console can show either.
                            Ok(()) | Err(LinkError::Wire(_)) => {}
                            Err(_) => lost.push(id),
                        }
                        if console.link.backlog() > BACKLOG {
                            lost.push(id);
                        }
                    }
                }
            }
        }
        for id in lost {
            self.drop_console(id, Some("This console does not read what it is sent."), io)?;
        }
        Ok(())
    }

    fn drop_console(&mut self, id: ConsoleId, reason: Option<&str>, io: &Io) -> Result<(), ConnectorError> {
        self.service.gone(id);
        let Some(mut console) = self.consoles.remove(&id) else {
            return Ok(());
        };
        if let Some(reason) = reason {
            // As far as its socket takes it.
            let _ = console.link.send(&ConnectorToConsole::Bye { reason: reason.to_owned() });
        }
        if console.paused { Ok(()) } else { io.forget(&console.link) }
    }

    fn read(&mut self, id: ConsoleId, io: &mut Io) -> Result<(), ConnectorError> {
        for _ in 0..MESSAGES {
            let Some(console) = self.consoles.get_mut(&id) else {
                return Ok(());
            };
            if io.congested() {
                if !console.paused {
                    console.paused = true;
                    io.forget(&console.link)?;
                }
                return Ok(());
            }
            match console.link.receive() {
                Ok(received) => {
                    if let Some(identity) = console.waiting.take() {
                        if self.service.seats() >= MOST {
                            let reason = format!("{MOST} consoles are open already: leave one of them first.");
                            return self.drop_console(id, Some(&reason), io);
                        }
                        self.service.attach(id, identity, &mut self.actions);
                    }
                    match received {
                        Some((message, _)) => self.service.console(id, message, &mut self.actions),
                        None => return self.perform(io),
                    }
                    self.perform(io)?;
                }
                Err(LinkError::Closed | LinkError::Torn) => return self.drop_console(id, None, io),
                Err(error) => {
                    return self.drop_console(
                        id,
                        Some(&format!("The console's message was not understood: {error}.")),
                        io,
                    );
                }
            }
        }
        self.eager.push(id);
        Ok(())
    }
}

impl Service for TerminalConnector {
    fn engine(
        &mut self,
        message: EngineToConnector,
        descriptors: Vec<OwnedFd>,
        io: &mut Io,
    ) -> Result<(), ConnectorError> {
        match (message, descriptors.into_iter().next()) {
            (EngineToConnector::Attach { console }, Some(socket)) => self.attach(console, socket, io),
            (message, _) => {
                self.service.engine(message, &mut self.actions);
                self.perform(io)
            }
        }
    }

    fn ready(&mut self, ready: Ready, io: &mut Io) -> Result<(), ConnectorError> {
        let id = ConsoleId(ready.token);
        let Some(console) = self.consoles.get_mut(&id) else {
            return Ok(());
        };
        if ready.write && console.waiting.is_none() && console.link.flush().is_err() {
            return self.drop_console(id, None, io);
        }
        if ready.read { self.read(id, io) } else { Ok(()) }
    }

    fn settle(&mut self, io: &mut Io) -> Result<bool, ConnectorError> {
        let mut again = std::mem::take(&mut self.eager);
        for (id, console) in &mut self.consoles {
            if console.paused && !io.congested() {
                console.paused = false;
                console.writing = false;
                io.watch(&console.link, id.0)?;
                again.push(*id);
            }
        }
        for id in again {
            self.read(id, io)?;
        }
        for (id, console) in &mut self.consoles {
            let wants = console.waiting.is_none() && console.link.wants_write();
            if wants != console.writing && !console.paused {
                console.writing = wants;
                io.watch_writing(&console.link, id.0, wants)?;
            }
        }
        Ok(!self.eager.is_empty())
    }

    /// Suite drivers are none of the terminal's business.
    fn listen(&mut self, _: OwnedFd, _: &mut Io) -> Result<(), ConnectorError> {
        Err(ConnectorError::Order { message: "TestSocket" })
    }

    fn stop(&mut self, reason: &str) {
        self.consoles.retain(|_, console| console.waiting.is_none());
        for console in self.consoles.values_mut() {
            // One that cannot take it is seen below.
            let _ = console.link.send(&ConnectorToConsole::Bye { reason: reason.to_owned() });
        }
        let deadline = Instant::now() + LAST_WORDS;
        loop {
            self.consoles.retain(|_, console| matches!(console.link.flush(), Ok(false)));
            let left = deadline.saturating_duration_since(Instant::now());
            let mut unread: Vec<PollFd<'_>> =
                self.consoles.values().map(|console| PollFd::new(console.link.as_fd(), PollFlags::POLLOUT)).collect();
            if unread.is_empty() || left.is_zero() {
                return;
            }
            let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            if !matches!(poll(&mut unread, left), Ok(_) | Err(Errno::EINTR)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;

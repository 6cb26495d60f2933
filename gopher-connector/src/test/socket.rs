//! The suite driver's socket: one driver at a time.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use gopher_protocol::connector::{ConnectorToEngine, EngineToConnector};
use gopher_sys::poll::Ready;

use super::{
    lines::{Line, LineReader},
    outbox::Outbox,
    service::{Action, TestService},
    wire::Answer,
};
use crate::{
    error::ConnectorError,
    host::{FIRST_TOKEN, Io, Service},
};

const LISTENER: u64 = FIRST_TOKEN;
const CHUNK: usize = 64 << 10;
/// Reads of one turn; the rest waits for the next, so that nobody starves.
const READS: usize = 16;
/// How long last words may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

struct Driver {
    stream: UnixStream,
    token: u64,
    lines: LineReader,
    writing: bool,
    /// The engine is behind; the driver is not read.
    paused: bool,
}

/// What a pass over the driver's socket found.
#[derive(PartialEq, Eq)]
enum Pass {
    Here,
    Left,
}

pub(crate) struct TestConnector {
    service: TestService,
    listener: Option<UnixListener>,
    listening: bool,
    driver: Option<Driver>,
    next_token: u64,
    outbox: Outbox,
    lost: usize,
    actions: Vec<Action>,
    chunk: Vec<u8>,
}

impl TestConnector {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            service: TestService::new(format!("{:x}-{:x}", now.as_micros(), std::process::id())),
            listener: None,
            listening: false,
            driver: None,
            next_token: LISTENER + 1,
            outbox: Outbox::default(),
            lost: 0,
            actions: Vec::new(),
            chunk: vec![0; CHUNK],
        }
    }

    /// Carries out what the service decided, and writes what can be written.
    fn perform(&mut self, io: &mut Io) -> Result<(), ConnectorError> {
        for action in std::mem::take(&mut self.actions) {
            match action {
                Action::Engine(message) => {
                    if !io.tell(&message)? {
                        self.outbox.push(
                            Answer::Error { text: "The message is too long for the engine.".into() }.line(),
                            false,
                        );
                    }
                }
                // Written at once: the driver waits for it, and the engine for nothing that follows.
                Action::Message(line) => {
                    self.queue(line, true, io)?;
                    self.write(io)?;
                }
                Action::Answer(line) if self.driver.is_some() => self.queue(line, false, io)?,
                Action::First(line) if self.driver.is_some() => self.outbox.push_first(line),
                Action::Answer(_) | Action::First(_) => {}
            }
        }
        self.write(io)
    }

    fn queue(&mut self, line: Vec<u8>, message: bool, io: &mut Io) -> Result<(), ConnectorError> {
        let lost = self.outbox.push(line, message);
        if lost > 0 && self.lost == 0 {
            let trouble = "No suite driver reads the robot's messages: the oldest are being dropped.".to_owned();
            io.tell(&ConnectorToEngine::Health { trouble: Some(trouble) })?;
        }
        self.lost += lost;
        Ok(())
    }

    fn write(&mut self, io: &mut Io) -> Result<(), ConnectorError> {
        let Some(driver) = &mut self.driver else { return Ok(()) };
        let mut blocked = false;
        while let Some(bytes) = self.outbox.front() {
            match driver.stream.write(bytes) {
                Ok(count) => self.outbox.wrote(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    blocked = true;
                    break;
                }
                Err(_) => return self.driver_left(io),
            }
        }
        if blocked != driver.writing && !driver.paused {
            driver.writing = blocked;
            io.watch_writing(&driver.stream, driver.token, blocked)?;
        }
        if self.lost > 0 && self.outbox.is_empty() {
            self.lost = 0;
            io.tell(&ConnectorToEngine::Health { trouble: None })?;
        }
        Ok(())
    }

    fn read(&mut self, io: &mut Io) -> Result<Pass, ConnectorError> {
        for _ in 0..READS {
            let Some(driver) = &mut self.driver else {
                return Ok(Pass::Left);
            };
            if io.congested() {
                if !driver.paused {
                    driver.paused = true;
                    io.forget(&driver.stream)?;
                }
                return Ok(Pass::Here);
            }
            match driver.stream.read(&mut self.chunk) {
                Ok(0) => return self.driver_left(io).map(|()| Pass::Left),
                Ok(count) => {
                    driver.lines.push(&self.chunk[..count]);
                    while let Some(line) = driver.lines.next() {
                        match line {
                            Line::Text(line) => self.service.line(line, &mut self.actions),
                            Line::TooLong => TestService::line_too_long(&mut self.actions),
                        }
                    }
                    self.perform(io)?;
                    if count < CHUNK {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return self.driver_left(io).map(|()| Pass::Left),
            }
        }
        Ok(if self.driver.is_some() { Pass::Here } else { Pass::Left })
    }

    fn driver_left(&mut self, io: &mut Io) -> Result<(), ConnectorError> {
        if let Some(driver) = self.driver.take()
            && !driver.paused
        {
            io.forget(&driver.stream)?;
        }
        self.service.disconnected();
        self.outbox.driver_left();
        Ok(())
    }

    fn accept(&mut self, io: &mut Io) -> Result<(), ConnectorError> {
        let Some(listener) = &self.listener else { return Ok(()) };
        // Whoever knocked and is not there has left again, or will be there at the next turn.
        let Ok((mut stream, _)) = listener.accept() else {
            return Ok(());
        };
        stream.set_nonblocking(true).map_err(ConnectorError::Listener)?;
        // The last driver may have left a moment ago, unread.
        if self.driver.is_some() && self.read(io)? == Pass::Here {
            let refusal = Answer::Error { text: "Another driver is connected: there is room for one.".into() };
            // Nobody waits for a refusal to be read.
            let _ = stream.write(&refusal.line());
            return Ok(());
        }
        let token = self.next_token;
        self.next_token += 1;
        io.watch(&stream, token)?;
        self.driver = Some(Driver { stream, token, lines: LineReader::default(), writing: false, paused: false });
        self.service.connected(&mut self.actions);
        self.perform(io)
    }

    fn start_listening(&mut self, io: &Io) -> Result<(), ConnectorError> {
        if let Some(listener) = &self.listener
            && self.service.configured()
            && !self.listening
        {
            io.watch(listener, LISTENER)?;
            self.listening = true;
        }
        Ok(())
    }
}

impl Service for TestConnector {
    fn engine(&mut self, message: EngineToConnector, _: Vec<OwnedFd>, io: &mut Io) -> Result<(), ConnectorError> {
        self.service.engine(message, self.driver.is_some(), &mut self.actions);
        self.perform(io)?;
        self.start_listening(io)
    }

    fn ready(&mut self, ready: Ready, io: &mut Io) -> Result<(), ConnectorError> {
        if ready.token == LISTENER {
            return self.accept(io);
        }
        if self.driver.as_ref().is_none_or(|driver| driver.token != ready.token) {
            return Ok(());
        }
        if ready.write {
            self.write(io)?;
        }
        if ready.read {
            self.read(io)?;
        }
        Ok(())
    }

    fn settle(&mut self, io: &mut Io) -> Result<bool, ConnectorError> {
        if let Some(driver) = &mut self.driver
            && driver.paused
            && !io.congested()
        {
            driver.paused = false;
            driver.writing = false;
            io.watch(&driver.stream, driver.token)?;
            self.write(io)?;
        }
        Ok(false)
    }

    fn listen(&mut self, socket: OwnedFd, io: &mut Io) -> Result<(), ConnectorError> {
        let listener = UnixListener::from(socket);
        listener.set_nonblocking(true).map_err(ConnectorError::Listener)?;
        if let Some(old) = self.listener.replace(listener)
            && std::mem::take(&mut self.listening)
        {
            io.forget(&old)?;
        }
        self.start_listening(io)
    }

    fn stop(&mut self, _: &str) {
        let Some(driver) = &mut self.driver else { return };
        let deadline = Instant::now() + LAST_WORDS;
        // What does not get out now has no later.
        let prepared =
            driver.stream.set_nonblocking(false).and_then(|()| driver.stream.set_write_timeout(Some(LAST_WORDS)));
        while prepared.is_ok()
            && Instant::now() < deadline
            && let Some(bytes) = self.outbox.front()
        {
            match driver.stream.write(bytes) {
                Ok(count) => self.outbox.wrote(count),
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! The suite's end of the test connector: JSON lines on a Unix socket.

use std::{
    collections::VecDeque,
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use serde::{Deserialize, Serialize};

/// Longer lines are not of this protocol.
const LONGEST_LINE: usize = 4 << 20;
/// Bytes read at once.
const CHUNK: usize = 8 << 10;

/// A message of the robot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) user: String,
    #[serde(default)]
    pub(super) channel: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) threaded: bool,
}

/// A message for the robot.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sent {
    pub(super) user_id: String,
    pub(super) channel: String,
    pub(super) text: String,
    pub(super) threaded: bool,
    pub(super) hidden: bool,
}

#[derive(Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Request<'a> {
    Send(&'a Sent),
    Idle,
    Events,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Line {
    Ready,
    Sent,
    Idle,
    Events { events: Vec<String> },
    Msg(Message),
    Error { text: String },
}

/// Why the robot cannot be heard.
#[derive(Debug, thiserror::Error)]
pub(super) enum DriverError {
    #[error("timed out")]
    TimedOut,
    #[error("the robot closed the connection")]
    Closed,
    #[error("interrupted")]
    Interrupted,
    #[error("the connection to the robot: {0}")]
    Io(io::Error),
    #[error("the robot said something else: {0}")]
    Malformed(String),
}

pub(super) struct Driver {
    stream: UnixStream,
    /// Readable once a signal asks us to end.
    interrupt: Option<OwnedFd>,
    buffer: Vec<u8>,
    ready: bool,
    messages: VecDeque<Message>,
    complaints: Vec<String>,
}

impl Driver {
    pub(super) fn new(stream: UnixStream, interrupt: Option<OwnedFd>) -> Self {
        Self { stream, interrupt, buffer: Vec::new(), ready: false, messages: VecDeque::new(), complaints: Vec::new() }
    }

    /// Waits until the robot takes commands.
    pub(super) fn wait_ready(&mut self, deadline: Instant) -> Result<(), DriverError> {
        while !self.ready {
            let line = self.line(deadline)?;
            self.keep(line);
        }
        Ok(())
    }

    /// Sends a message; what the connector had to say against it is the answer.
    pub(super) fn send(&mut self, message: &Sent, deadline: Instant) -> Result<Vec<String>, DriverError> {
        self.request(&Request::Send(message))?;
        self.answer(deadline, |line| matches!(line, Line::Sent))?;
        Ok(std::mem::take(&mut self.complaints))
    }

    /// Waits until the robot has nothing under way.
    pub(super) fn idle(&mut self, deadline: Instant) -> Result<(), DriverError> {
        self.request(&Request::Idle)?;
        self.answer(deadline, |line| matches!(line, Line::Idle)).map(drop)
    }

    /// As [`Driver::receive`], where nothing need come.
    pub(super) fn heard(&mut self, deadline: Instant) -> Result<Option<Message>, DriverError> {
        match self.receive(deadline) {
            Ok(message) => Ok(Some(message)),
            Err(DriverError::TimedOut) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The events since the last time.
    pub(super) fn events(&mut self, deadline: Instant) -> Result<Vec<String>, DriverError> {
        self.request(&Request::Events)?;
        match self.answer(deadline, |line| matches!(line, Line::Events { .. }))? {
            Line::Events { events } => Ok(events),
            _ => Ok(Vec::new()),
        }
    }

    /// The next message of the robot.
    pub(super) fn receive(&mut self, deadline: Instant) -> Result<Message, DriverError> {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Ok(message);
            }
            let line = self.line(deadline)?;
            self.keep(line);
        }
    }

    /// Sleeps, but not through an interruption.
    pub(super) fn pause(&self, length: Duration) -> Result<(), DriverError> {
        let Some(interrupt) = &self.interrupt else {
            std::thread::sleep(length);
            return Ok(());
        };
        let timeout = PollTimeout::try_from(length).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(interrupt.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) => Ok(()),
            Ok(_) | Err(Errno::EINTR) => Err(DriverError::Interrupted),
            Err(errno) => Err(DriverError::Io(errno.into())),
        }
    }

    fn request(&mut self, request: &Request) -> Result<(), DriverError> {
        let mut line = serde_json::to_vec(request).map_err(|e| DriverError::Io(e.into()))?;
        line.push(b'\n');
        self.stream.write_all(&line).map_err(DriverError::Io)
    }

    fn answer(&mut self, deadline: Instant, wanted: impl Fn(&Line) -> bool) -> Result<Line, DriverError> {
        loop {
            let line = self.line(deadline)?;
            if wanted(&line) {
                return Ok(line);
            }
            self.keep(line);
        }
    }

    fn keep(&mut self, line: Line) {
        match line {
            Line::Msg(message) => self.messages.push_back(message),
            Line::Error { text } => self.complaints.push(text),
            Line::Ready => self.ready = true,
            // The answer to a question that timed out.
            Line::Sent | Line::Idle | Line::Events { .. } => {}
        }
    }

    fn line(&mut self, deadline: Instant) -> Result<Line, DriverError> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=searched + end).collect();
                return serde_json::from_slice(&line).map_err(|e| {
                    DriverError::Malformed(format!("{} ({e})", String::from_utf8_lossy(&line).trim_end()))
                });
            }
            searched = self.buffer.len();
            if searched > LONGEST_LINE {
                return Err(DriverError::Malformed(format!("a line of more than {LONGEST_LINE} bytes")));
            }
            self.wait(deadline)?;
            let mut chunk = [0; CHUNK];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(DriverError::Closed),
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Err(DriverError::Closed),
                Err(error) => return Err(DriverError::Io(error)),
            }
        }
    }

    fn wait(&self, deadline: Instant) -> Result<(), DriverError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // Rounded up, so that the last millisecond is slept and not spun through.
            let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
            let mut watched = vec![PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
            if let Some(interrupt) = &self.interrupt {
                watched.push(PollFd::new(interrupt.as_fd(), PollFlags::POLLIN));
            }
            match poll(&mut watched, timeout) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) if watched.get(1).is_some_and(|fd| fd.any().unwrap_or(false)) => {
                    return Err(DriverError::Interrupted);
                }
                Ok(_) => return Ok(()),
                Err(errno) => return Err(DriverError::Io(errno.into())),
            }
            if left.is_zero() {
                return Err(DriverError::TimedOut);
            }
        }
    }
}

//! The admin socket: requests to the engine and their answers.

use std::{
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
    time::{Duration, Instant},
};

use gopher_protocol::{
    Message, WireError,
    admin::{AdminAnswer, AdminRequest, Status},
    connector::{ConnectorToConsole, ConsoleToConnector},
};
use gopher_sys::{Link, LinkError};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use crate::error::CtlError;

pub(crate) type ConsoleLink = Link<ConsoleToConnector, ConnectorToConsole>;

/// How long an engine may think about a request.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An admitted connection.
pub(crate) struct Admin {
    link: Link<AdminRequest, AdminAnswer>,
}

impl Admin {
    /// Shows the cookie and waits for the welcome.
    pub(crate) fn admit(socket: OwnedFd, path: &Path, cookie: String, patience: Duration) -> Result<Self, CtlError> {
        let mut admin = Self { link: Link::new(socket)? };
        match admin.ask_within(&AdminRequest::Authenticate { cookie }, patience) {
            Ok(AdminAnswer::Welcome) => Ok(admin),
            Ok(other) => Err(Self::unexpected(&other, "Welcome")),
            Err(CtlError::Link(error @ LinkError::Wire(WireError::Stale { .. }))) => Err(CtlError::Link(error)),
            Err(CtlError::Link(error)) => Err(CtlError::NotOurs { path: path.to_owned(), error }),
            Err(error) => Err(error),
        }
    }

    /// Sends a request and waits for one answer; a refusal is an error.
    pub(crate) fn ask(&mut self, request: &AdminRequest) -> Result<AdminAnswer, CtlError> {
        self.ask_within(request, PATIENCE)
    }

    pub(crate) fn ask_within(&mut self, request: &AdminRequest, patience: Duration) -> Result<AdminAnswer, CtlError> {
        match self.link.send(request) {
            // A peer that has closed already may have said why: that is still to be read.
            Ok(()) | Err(LinkError::Closed) => {}
            Err(error) => return Err(error.into()),
        }
        self.answer(Some(patience))
    }

    /// The next answer, `None`: however long it takes.
    pub(crate) fn answer(&mut self, patience: Option<Duration>) -> Result<AdminAnswer, CtlError> {
        match wait(&mut self.link, patience)? {
            Some(AdminAnswer::Refused { reason }) => Err(CtlError::Refused(reason)),
            Some(answer) => Ok(answer),
            None => Err(CtlError::Silent { seconds: patience.unwrap_or_default().as_secs() }),
        }
    }

    /// A request that is answered with a sentence.
    pub(crate) fn done(&mut self, request: &AdminRequest) -> Result<String, CtlError> {
        match self.ask(request)? {
            AdminAnswer::Done { text } => Ok(text),
            other => Err(Self::unexpected(&other, "Done")),
        }
    }

    pub(crate) fn status(&mut self) -> Result<Status, CtlError> {
        match self.ask(&AdminRequest::Status)? {
            AdminAnswer::Status { status } => Ok(status),
            other => Err(Self::unexpected(&other, "Status")),
        }
    }

    /// Makes a console of the connection. The console speaks first.
    pub(crate) fn into_console(mut self) -> Result<ConsoleLink, CtlError> {
        match self.ask(&AdminRequest::Console)? {
            AdminAnswer::ConsoleFollows => {
                let mut console = ConsoleLink::new(self.link.into_socket()?)?;
                console.flush()?;
                Ok(console)
            }
            other => Err(Self::unexpected(&other, "ConsoleFollows")),
        }
    }

    pub(crate) fn unexpected(answer: &AdminAnswer, want: &'static str) -> CtlError {
        let got = match answer {
            AdminAnswer::Welcome => "Welcome",
            AdminAnswer::Status { .. } => "Status",
            AdminAnswer::Ps { .. } => "Ps",
            AdminAnswer::Done { .. } => "Done",
            AdminAnswer::Log { .. } => "Log",
            AdminAnswer::Refused { .. } => "Refused",
            AdminAnswer::ConsoleFollows => "ConsoleFollows",
            AdminAnswer::Loaded { .. } => "Loaded",
            AdminAnswer::Merged { .. } | AdminAnswer::MergedNames { .. } => "Merged",
            AdminAnswer::Matched { .. } => "Matched",
            AdminAnswer::BrainKeys { .. } => "BrainKeys",
            AdminAnswer::BrainValue { .. } => "BrainValue",
            AdminAnswer::BrainAbsent => "BrainAbsent",
            AdminAnswer::BrainTaken => "BrainTaken",
            AdminAnswer::BrainCopied { .. } => "BrainCopied",
        };
        CtlError::Unexpected { got, want }
    }
}

/// The next message of a link; `None` when patience has run out.
pub(crate) fn wait<S: Message, R: Message>(
    link: &mut Link<S, R>,
    patience: Option<Duration>,
) -> Result<Option<R>, CtlError> {
    let deadline = patience.map(|patience| Instant::now() + patience);
    loop {
        // An end that was reached before our bytes were out may have had something to say.
        let flushed = link.flush();
        if let Some((message, _)) = link.receive()? {
            return Ok(Some(message));
        }
        let wanted = if flushed? { PollFlags::POLLIN } else { PollFlags::POLLIN | PollFlags::POLLOUT };
        let timeout = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => PollTimeout::NONE,
            Some(Duration::ZERO) => return Ok(None),
            Some(left) => PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX),
        };
        match poll(&mut [PollFd::new(link.as_fd(), wanted)], timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(CtlError::System { call: "poll", errno }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use gopher_sys::link;

    use super::*;

    type Engine = Link<AdminAnswer, AdminRequest>;

    fn admit_against(engine: impl FnOnce(Engine) + Send + 'static) -> Result<Admin, CtlError> {
        let (near, far) = link::pair().unwrap();
        let engine = std::thread::spawn(move || engine(Engine::new(far).unwrap()));
        let admitted = Admin::admit(near, Path::new("/run/engine.sock"), "cookie".into(), PATIENCE);
        engine.join().unwrap();
        admitted
    }

    #[test]
    fn the_cookie_opens_the_door() {
        let admitted = admit_against(|mut engine| {
            assert!(matches!(engine.wait(), Ok((AdminRequest::Authenticate { cookie }, _)) if cookie == "cookie"));
            engine.send(&AdminAnswer::Welcome).unwrap();
        });
        assert!(admitted.is_ok());
    }

    #[test]
    fn a_refusal_is_said_in_the_engines_words() {
        let refused = admit_against(|mut engine| {
            engine.wait().unwrap();
            engine.send(&AdminAnswer::Refused { reason: "You are nobody.".into() }).unwrap();
        });
        assert!(matches!(refused.err(), Some(CtlError::Refused(reason)) if reason == "You are nobody."));
    }

    #[test]
    fn a_socket_of_something_else_is_recognized() {
        let (near, far) = link::pair().unwrap();
        let mut other = std::os::unix::net::UnixStream::from(far);
        other.write_all(b"220 mail.example.com ESMTP ready\r\n").unwrap();
        match Admin::admit(near, Path::new("/run/engine.sock"), String::new(), PATIENCE) {
            Err(error @ CtlError::NotOurs { .. }) => assert_eq!(error.exit_code(), 76),
            other => panic!("{:?}", other.err()),
        }
    }

    #[test]
    fn another_build_is_told_to_be_stale() {
        let (near, far) = link::pair().unwrap();
        let mut frame = Vec::new();
        let hello = gopher_protocol::Hello { protocol: 1, build: "0.0.0+other".into() };
        hello.append(&mut frame).unwrap();
        std::os::unix::net::UnixStream::from(far.try_clone().unwrap()).write_all(&frame).unwrap();
        match Admin::admit(near, Path::new("/run/engine.sock"), String::new(), PATIENCE) {
            Err(error @ CtlError::Link(_)) => {
                assert!(error.to_string().contains("stale"), "{error}");
                assert_eq!(error.exit_code(), 76);
            }
            other => panic!("{:?}", other.err()),
        }
    }

    #[test]
    fn a_console_begins_where_the_admin_link_ends() {
        let (near, far) = link::pair().unwrap();
        let engine = std::thread::spawn(move || {
            let mut engine = Engine::new(far).unwrap();
            engine.wait().unwrap();
            engine.send(&AdminAnswer::Welcome).unwrap();
            engine.wait().unwrap();
            engine.send(&AdminAnswer::ConsoleFollows).unwrap();
            let socket = engine.into_socket().unwrap();
            // As the terminal connector does: the console speaks first.
            poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE).unwrap();
            Link::<ConnectorToConsole, ConsoleToConnector>::new(socket).unwrap().wait().unwrap()
        });
        let mut console = Admin::admit(near, Path::new("x"), String::new(), PATIENCE).unwrap().into_console().unwrap();
        console.send(&ConsoleToConnector::ListUsers).unwrap();
        assert!(matches!(engine.join().unwrap(), (ConsoleToConnector::ListUsers, _)));
    }
}

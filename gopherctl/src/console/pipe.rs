//! A console for scripts: lines in, messages out, no terminal needed.

use std::{
    io::{Read, Write},
    os::fd::AsFd,
    time::{Duration, Instant},
};

use gopher_sys::LinkError;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::{
    session::{Heard, Session},
    switch::{LONGEST_LINE, Step},
};
use crate::{admin::ConsoleLink, error::CtlError};

const CHUNK: usize = 64 << 10;
/// With this much waiting for the robot, nothing more is read.
const BEHIND: usize = 1 << 20;

/// Bytes of the line that is coming in. Of a line that is too long only the length is kept.
#[derive(Default)]
struct Incoming {
    line: Vec<u8>,
    length: usize,
}

impl Incoming {
    fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        let room = (LONGEST_LINE + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The whole line; an error sentence if it is no line to send.
    fn take(&mut self) -> Result<String, String> {
        let length = std::mem::take(&mut self.length);
        let mut line = std::mem::take(&mut self.line);
        if length > LONGEST_LINE {
            return Err(format!("The line has {length} bytes, more than {LONGEST_LINE}: it was not sent."));
        }
        line.pop_if(|last| *last == b'\r');
        String::from_utf8(line).map_err(|_| "The line is not UTF-8: it was not sent.".to_owned())
    }
}

struct Pipe<W> {
    link: ConsoleLink,
    session: Session,
    output: W,
}

impl<W: Write> Pipe<W> {
    fn print(&mut self, text: &str) -> Result<(), CtlError> {
        writeln!(self.output, "{text}").and_then(|()| self.output.flush()).map_err(CtlError::Output)
    }

    fn line(&mut self, incoming: &mut Incoming) -> Result<(), CtlError> {
        let line = match incoming.take() {
            Ok(line) => line,
            Err(sentence) => return self.print(&sentence),
        };
        for step in self.session.line(&line) {
            match step {
                Step::Print(text) => self.print(&text)?,
                Step::Say(message) | Step::Ask(message) => match self.link.send(&message) {
                    // The end is found when reading, after the last words.
                    Ok(()) | Err(LinkError::Closed) => {}
                    Err(error) => return Err(error.into()),
                },
            }
        }
        Ok(())
    }

    /// Prints everything that is there; `true` if there was something.
    fn receive(&mut self) -> Result<bool, CtlError> {
        let mut any = false;
        while let Some((message, _)) = self.link.receive()? {
            any = true;
            match self.session.receive(message, super::paper(false)) {
                Heard::Text(text) | Heard::Answer(text) => self.print(&text)?,
                Heard::Nothing => {}
                Heard::Closed(reason) => return Err(CtlError::Closed(reason)),
            }
        }
        Ok(any)
    }
}

/// Sends every line of `input`; after its end, leaves once no message came for `linger`.
pub(super) fn run(
    link: ConsoleLink,
    session: Session,
    mut input: impl Read + AsFd,
    output: impl Write,
    linger: Duration,
) -> Result<(), CtlError> {
    let mut pipe = Pipe { link, session, output };
    let mut incoming = Incoming::default();
    let mut chunk = vec![0; CHUNK];
    // Since when nothing has come, once the input is at its end.
    let mut quiet: Option<Instant> = None;
    loop {
        if pipe.receive()? && quiet.is_some() {
            quiet = Some(Instant::now());
        }
        let flushed = pipe
            .link
            .flush()
            .or_else(|error| if matches!(error, LinkError::Closed) { Ok(true) } else { Err(error) })?;
        let timeout = match quiet.map(|since| linger.saturating_sub(since.elapsed())) {
            None => PollTimeout::NONE,
            Some(Duration::ZERO) => return Ok(()),
            Some(left) => PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX),
        };
        let wanted = if flushed { PollFlags::POLLIN } else { PollFlags::POLLIN | PollFlags::POLLOUT };
        let reading = quiet.is_none() && pipe.link.backlog() < BEHIND;
        let mut ready = [PollFd::new(pipe.link.as_fd(), wanted), PollFd::new(input.as_fd(), PollFlags::POLLIN)];
        let watched = if reading { &mut ready[..] } else { &mut ready[..1] };
        match poll(watched, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(CtlError::System { call: "poll", errno }),
        }
        if reading && ready[1].any() == Some(true) {
            let count = match input.read(&mut chunk) {
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(CtlError::Input(error)),
            };
            let lines = chunk[..count].split_inclusive(|byte| *byte == b'\n');
            for part in lines {
                incoming.push(part.strip_suffix(b"\n").unwrap_or(part));
                if part.ends_with(b"\n") {
                    pipe.line(&mut incoming)?;
                }
            }
            if count == 0 {
                if incoming.length > 0 {
                    pipe.line(&mut incoming)?;
                }
                quiet = Some(Instant::now());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use gopher_protocol::connector::{ConnectorToConsole, ConsoleToConnector};
    use gopher_sys::{Link, link};

    use super::{
        super::session::tests::{session, shown},
        *,
    };

    type Connector = Link<ConnectorToConsole, ConsoleToConnector>;

    /// Runs a console on `input` against a connector; what was printed, and how it ended.
    fn console(
        input: &[u8],
        linger: u64,
        connector: impl FnOnce(Connector) + Send + 'static,
    ) -> (String, Result<(), CtlError>) {
        let (near, far) = link::pair().unwrap();
        let connector = std::thread::spawn(move || connector(Connector::new(far).unwrap()));
        let (reader, mut writer) = UnixStream::pair().unwrap();
        let input = input.to_vec();
        let typist = std::thread::spawn(move || writer.write_all(&input).unwrap());
        let mut printed = Vec::new();
        let ended =
            run(ConsoleLink::new(near).unwrap(), session(), reader, &mut printed, Duration::from_millis(linger));
        connector.join().unwrap();
        typist.join().unwrap();
        (String::from_utf8(printed).unwrap(), ended)
    }

    fn heard(connector: &mut Connector) -> String {
        match connector.wait().unwrap().0 {
            ConsoleToConnector::Say { text, hidden } => format!("{text}{}", if hidden { " (hidden)" } else { "" }),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn lines_go_in_and_messages_come_out() {
        let (printed, ended) = console(b"floyd, ping\n/floyd ping\r\n\n|ubob\nlast", 2000, |mut connector| {
            assert_eq!(heard(&mut connector), "floyd, ping");
            connector
                .send(&ConnectorToConsole::Show { message: shown(Some("general"), Some("alice"), "PONG") })
                .unwrap();
            assert_eq!(heard(&mut connector), "floyd ping (hidden)");
            assert_eq!(heard(&mut connector), "SwitchUser { user: \"bob\" }");
            assert_eq!(heard(&mut connector), "last");
            connector.send(&ConnectorToConsole::Show { message: shown(None, Some("alice"), "bye") }).unwrap();
            assert!(matches!(connector.wait(), Err(LinkError::Closed)), "it leaves of itself");
        });
        ended.unwrap();
        assert!(printed.contains("general: @alice PONG\n"), "{printed}");
        assert!(printed.ends_with("(dm:alice): bye\n"), "{printed}");
        assert!(printed.contains(super::super::switch::HELP));
    }

    #[test]
    fn the_last_words_of_the_robot_are_awaited() {
        let (_, ended) = console(b"x\n", 60_000, |mut connector| {
            assert_eq!(heard(&mut connector), "x");
            connector.send(&ConnectorToConsole::Bye { reason: "The robot has stopped.".into() }).unwrap();
        });
        assert!(matches!(ended, Err(CtlError::Closed(reason)) if reason == "The robot has stopped."));
    }

    #[test]
    fn a_robot_that_is_gone_ends_the_console() {
        let (_, ended) = console(b"", 60_000, drop);
        assert_eq!(ended.unwrap_err().exit_code(), 69);
    }

    #[test]
    fn a_pasted_megabyte_is_refused_and_nothing_else_is_lost() {
        let mut input = vec![b'x'; 1 << 20];
        input.extend_from_slice(b"\nstill here\n\xff\xfe\n");
        let (printed, ended) = console(&input, 200, |mut connector| {
            assert_eq!(heard(&mut connector), "still here");
            assert!(matches!(connector.wait(), Err(LinkError::Closed)));
        });
        ended.unwrap();
        assert!(printed.starts_with("The line has 1048576 bytes, more than 16384: it was not sent.\n"), "{printed}");
        assert!(printed.ends_with("The line is not UTF-8: it was not sent.\n"), "{printed}");
    }
}

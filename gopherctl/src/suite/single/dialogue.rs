//! The conversation with a single extension: what it says, what it is answered, what its log has, how it ends.

use std::{
    io::IsTerminal as _,
    os::fd::AsFd as _,
    time::{Duration, Instant},
};

use gopher_protocol::admin::{AdminAnswer, AdminRequest, LogLine, PsRow};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::super::{
    driver::{Driver, Message, Sent},
    error::SuiteError,
    expectation::{seen, user_id},
    say,
};
use crate::{admin::Admin, error::CtlError, text::clean};

/// How long nothing must be said before it is looked how the extension is.
const BEAT: Duration = Duration::from_millis(40);
const SENDING: Duration = Duration::from_secs(30);
/// What a user says who does not want to go on (spec: Robot API §1.5).
const NO_ANSWER: &str = "-";

/// How the extension ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Status(i32),
    /// By a signal, by the robot, or before it began.
    Broken,
}

pub(super) struct Dialogue<'a> {
    pub(super) driver: &'a mut Driver,
    /// Asked how it is.
    pub(super) admin: Admin,
    /// Tells the lines of the log as they come.
    pub(super) log: Admin,
    /// Of the extension.
    pub(super) name: &'a str,
    pub(super) user: &'a str,
    pub(super) channel: &'a str,
}

impl Dialogue<'_> {
    /// Gives the command and stays to the end; nothing if the extension was not run.
    pub(super) fn hold(&mut self, command: String) -> Result<Option<Ending>, SuiteError> {
        let mut answers = Answers::default();
        let mut ending = None;
        let mut asked: Option<Message> = None;
        self.follow_log()?;
        let message = said(self.user, self.channel, false, command);
        self.send(&message)?;
        loop {
            let live = self.rows()?;
            // Whatever was said before that look is here then: the question that it waits for, too.
            self.driver.idle(Instant::now() + SENDING)?;
            asked = self.print_messages()?.or(asked);
            ending = self.print_log()?.or(ending);
            if live.is_empty() {
                break;
            }
            if let Some(question) = &asked
                && live.iter().any(|row| row.task == self.name && row.state == "waiting for a reply")
                && let Some(answer) = answers.next(question)
            {
                let user = if question.user.is_empty() { self.user } else { &question.user };
                let message = said(user, &question.channel, question.threaded, answer);
                asked = None;
                self.send(&message)?;
            }
        }
        // The log is written at the end of what the engine does at once: its last lines may just be on their way.
        self.driver.pause(BEAT)?;
        Ok(self.print_log()?.or(ending))
    }

    /// Says something, and comes back when the robot has dealt with it.
    fn send(&mut self, message: &Sent) -> Result<(), SuiteError> {
        for complaint in self.driver.send(message, Instant::now() + SENDING)? {
            say(&mut std::io::stderr(), &format!("{complaint}\n"));
        }
        Ok(self.driver.idle(Instant::now() + SENDING)?)
    }

    /// Prints what comes until nothing more does; the last of it.
    fn print_messages(&mut self) -> Result<Option<Message>, SuiteError> {
        let mut last = None;
        while let Some(message) = self.driver.heard(Instant::now() + BEAT)? {
            say(&mut std::io::stdout(), &format!("{}\n", clean(&seen(&message))));
            last = Some(message);
        }
        Ok(last)
    }

    fn follow_log(&mut self) -> Result<(), SuiteError> {
        match self.log.ask(&AdminRequest::Logs { lines: 0, follow: true })? {
            AdminAnswer::Log { .. } => Ok(()),
            other => Err(Admin::unexpected(&other, "Log").into()),
        }
    }

    /// Prints what the extension wrote, and what was written about it; how it ended, if that is among it.
    fn print_log(&mut self) -> Result<Option<Ending>, SuiteError> {
        let mut ending = None;
        loop {
            match self.log.answer(Some(Duration::ZERO)) {
                Ok(AdminAnswer::Log { lines }) => {
                    for line in lines.iter().filter(|line| is_of(line, self.name)) {
                        ending = ending_of(line).or(ending);
                        if let Some(text) = shown(line) {
                            say(&mut std::io::stderr(), &format!("{}\n", clean(&text)));
                        }
                    }
                }
                Ok(other) => return Err(Admin::unexpected(&other, "Log").into()),
                Err(CtlError::Silent { .. }) => return Ok(ending),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What is under way.
    fn rows(&mut self) -> Result<Vec<PsRow>, SuiteError> {
        match self.admin.ask(&AdminRequest::Ps)? {
            AdminAnswer::Ps { rows } => Ok(rows),
            other => Err(Admin::unexpected(&other, "Ps").into()),
        }
    }
}

fn said(user: &str, channel: &str, threaded: bool, text: String) -> Sent {
    Sent { user_id: user_id(user).to_owned(), channel: channel.to_owned(), text, threaded, hidden: false }
}

/// Lines of the extension's runs stand under its name and the number of their pipeline.
fn is_of(line: &LogLine, name: &str) -> bool {
    line.source.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
}

fn is_done(line: &LogLine) -> bool {
    line.text == "done" && line.level.eq_ignore_ascii_case("debug")
}

fn shown(line: &LogLine) -> Option<String> {
    if is_done(line) {
        None
    } else if line.text.starts_with("OUT ") || line.text.starts_with("ERR ") {
        Some(line.text.clone())
    } else {
        Some(format!("{}: {}", line.level.to_lowercase(), line.text))
    }
}

/// As the engine writes it down: `NAME/COMMAND failed: exit code 3 (ConfigurationError)`.
fn ending_of(line: &LogLine) -> Option<Ending> {
    if is_done(line) {
        return Some(Ending::Status(0));
    }
    if !line.level.eq_ignore_ascii_case("error") {
        return None;
    }
    let (_, how) = line.text.split_once(" failed: ")?;
    let status = how.strip_prefix("exit code ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    Some(status.map_or(Ending::Broken, Ending::Status))
}

/// Lines of standard input, one for each question.
#[derive(Default)]
struct Answers {
    buffer: Vec<u8>,
    over: bool,
    /// The question that a person was shown a mark for.
    prompted: bool,
}

impl Answers {
    /// The next line, if there is one already; [`NO_ANSWER`] once there are no more.
    fn next(&mut self, question: &Message) -> Option<String> {
        let input = std::io::stdin();
        if input.is_terminal() && !self.prompted {
            let user = if question.user.is_empty() { "" } else { &question.user };
            say(&mut std::io::stderr(), &format!("{user}> "));
            self.prompted = true;
        }
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(self.answer(&line));
            }
            if self.over {
                let rest = std::mem::take(&mut self.buffer);
                if !rest.is_empty() {
                    return Some(self.answer(&rest));
                }
                say(&mut std::io::stderr(), "there is no further answer on standard input, so it gets `-`\n");
                return Some(NO_ANSWER.to_owned());
            }
            let ready = poll(&mut [PollFd::new(input.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO);
            if !matches!(ready, Ok(1..)) {
                return None;
            }
            let mut chunk = [0; 4096];
            // Only what was found to be there: nothing of it may stay in a buffer that poll does not see.
            match nix::unistd::read(&input, &mut chunk) {
                Ok(count @ 1..) => self.buffer.extend_from_slice(&chunk[..count]),
                Ok(_) | Err(_) => self.over = true,
            }
        }
    }

    fn answer(&mut self, line: &[u8]) -> String {
        self.prompted = false;
        let text = String::from_utf8_lossy(line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        text.strip_suffix('\r').unwrap_or(text).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: &str, source: &str, text: &str) -> LogLine {
        LogLine { time_ms: 0, level: level.into(), source: source.into(), text: text.into() }
    }

    #[test]
    fn the_log_tells_how_it_ended() {
        for (line, ending) in [
            (line("Debug", "a/3", "done"), Some(Ending::Status(0))),
            (line("Info", "a/3", "done"), None),
            (line("Error", "a/3", "a/go failed: exit code 3 (ConfigurationError)"), Some(Ending::Status(3))),
            (line("Error", "a/3", "a failed: ended by signal 9 (SIGKILL)"), Some(Ending::Broken)),
            (line("Error", "a/3", "my own words"), None),
            (line("Info", "a/3", "OUT a failed: exit code 3 (x)"), None),
        ] {
            assert_eq!(ending_of(&line), ending, "{line:?}");
        }
    }

    #[test]
    fn only_its_own_lines_are_shown() {
        assert!(is_of(&line("Info", "a/3", ""), "a") && !is_of(&line("Info", "ab/3", ""), "a"));
        assert_eq!(shown(&line("Debug", "a/3", "done")), None);
        assert_eq!(shown(&line("Info", "a/3", "OUT hello")).as_deref(), Some("OUT hello"));
        assert_eq!(shown(&line("Warn", "a/3", "careful")).as_deref(), Some("warn: careful"));
    }
}

//! `gopherctl console`: a person, or a script, talks to the robot.
//!
//! [`session`] decides what a line means and how a message reads; [`screen`] is a terminal, [`pipe`] is not.

mod complete;
mod pipe;
mod screen;
mod session;
mod switch;

use std::{io::IsTerminal as _, process::ExitCode, time::Duration};

use crate::{
    admin::{self, ConsoleLink},
    environment::Environment,
    error::CtlError,
    robot::Robot,
};
use session::{Paper, Session};

/// How long the terminal connector may take to open a console.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(robot: &Robot, environment: &Environment, linger: u64) -> Result<ExitCode, CtlError> {
    let mut link = robot.connect()?.into_console()?;
    let session = welcome(&mut link)?;
    let (input, output) = (std::io::stdin(), std::io::stdout());
    if input.is_terminal() && output.is_terminal() {
        let colours = environment.colours(true);
        return screen::run(link, session, colours, environment.history_file());
    }
    pipe::run(link, session, input.lock(), output.lock(), Duration::from_millis(linger))?;
    Ok(ExitCode::SUCCESS)
}

fn welcome(link: &mut ConsoleLink) -> Result<Session, CtlError> {
    use gopher_protocol::connector::ConnectorToConsole;
    match admin::wait(link, Some(PATIENCE))? {
        Some(ConnectorToConsole::Welcome { robot, alias, context, vocabulary }) => {
            Ok(Session::new(robot, alias, context, vocabulary))
        }
        Some(ConnectorToConsole::Bye { reason }) => Err(CtlError::Refused(reason)),
        Some(_) => Err(CtlError::Unexpected { got: "another message", want: "Welcome" }),
        None => Err(CtlError::Silent { seconds: PATIENCE.as_secs() }),
    }
}

/// What the output is like; asked anew for each message because a terminal's width changes.
fn paper(colours: bool) -> Paper {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    Paper { width: size.map(|(terminal_size::Width(columns), _)| usize::from(columns)), colours }
}

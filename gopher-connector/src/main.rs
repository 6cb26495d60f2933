//! One chat service of a robot. Started by the supervisor, which says in its first message which one.
#![forbid(unsafe_code)]

mod error;
mod host;
mod mail;
mod render;
mod roster;
mod start;
mod terminal;
mod test;

use std::process::ExitCode;

use gopher_protocol::connector::MAIL;

use crate::error::ConnectorError;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_aftermath() {
                eprintln!("gopher-connector: {error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn run() -> Result<(), ConnectorError> {
    let Some(mut started) = start::gather(gopher_sys::role::begin()?)? else {
        return Ok(());
    };
    if started.name == MAIL {
        let connector = mail::prepare(&mut started)?;
        return host::serve(started, connector);
    }
    // Its links and sockets are there: it opens nothing more.
    gopher_sys::role::confine("connector")?;
    match started.name.as_str() {
        "test" => host::serve(started, test::TestConnector::new()),
        "terminal" => host::serve(started, terminal::TerminalConnector::new()),
        other => Err(ConnectorError::Unknown(other.to_owned())),
    }
}

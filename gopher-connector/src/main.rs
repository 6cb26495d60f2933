//! One chat service of a robot. Started by the supervisor, which says in its first message which one.
#![forbid(unsafe_code)]

mod error;
mod host;
mod render;
mod roster;
mod start;
mod terminal;
mod test;

use std::process::ExitCode;

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
    let Some(started) = start::gather(gopher_sys::role::begin()?)? else {
        return Ok(());
    };
    // Its links and sockets are there: it opens nothing more.
    gopher_sys::role::confine("connector")?;
    match started.name.as_str() {
        "test" => host::serve(started, test::TestConnector::new()),
        "terminal" => host::serve(started, terminal::TerminalConnector::new()),
        other => Err(ConnectorError::Unknown(other.to_owned())),
    }
}

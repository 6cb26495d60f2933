//! Console, administration and author tools of a robot.
#![forbid(unsafe_code)]

mod admin;
mod author;
mod brain;
mod cli;
mod console;
mod environment;
mod error;
mod go_back;
mod launch;
mod logs;
mod migrate;
mod ps;
mod reload;
mod report;
mod robot;
mod status;
mod suite;
mod text;
mod time;
mod view;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}

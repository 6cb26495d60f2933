//! Every developer chore, for `make` and for `cargo xtask`.
#![forbid(unsafe_code)]
#![expect(clippy::disallowed_methods, reason = "an author's tool: it starts cargo and reads the author's environment")]

mod bench;
mod bytecode;
mod docs;
mod layout;
mod licences;
mod robot;
mod setup;
mod spdx;
mod step;
mod test;
mod tests_run;

use std::{env, process::ExitCode};

use step::Failure;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  setup      install the interpreters that the tests use (as root), or name what is missing
  check      format and lints
  test       check, all tests, and the end-to-end tests (as root: packaged as root, then plain as nobody)
  e2e        the end-to-end tests alone
  robot      build, start the default robot in a scratch directory and open its console
  bench      what commands cost, against bare processes in the same run (bench NAME: figures of that name)
  layout     which functions short runs execute, for the linker to put them together (as root)
  licences   licence and source of every dependency
  docs       the manual (mdBook) and the API documentation";

fn main() -> ExitCode {
    let command = env::args().nth(1).unwrap_or_default();
    let done = match command.as_str() {
        "setup" => {
            setup::run_command();
            Ok(())
        }
        "check" => test::check(),
        "test" => test::run(),
        "e2e" => test::end_to_end(),
        "robot" => robot::run(),
        "bench" => bench::run(),
        "layout" => layout::run(),
        "licences" => licences::run(),
        "docs" => docs::run(),
        "" | "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(Failure::usage(format!("There is no command '{other}'.\n\n{USAGE}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

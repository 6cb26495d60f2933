//! Makes and is the processes that run extensions.
//!
//! Started as a *spawner*: it builds the view its runs share, then clones one worker per run. It holds
//! nothing: no key, no value, no configuration. Started as `gopher-worker syntax LANGUAGE` it only reads a script.
#![forbid(unsafe_code)]

mod api;
mod confinement;
mod embedded;
mod endpoint;
mod error;
mod fingerprint;
mod forking;
mod http;
mod inherited;
mod lines;
mod loader;
mod memory;
mod program;
mod rehearsal;
mod run;
mod scratch;
mod spawner;
mod syntax;
mod task_config;
mod view;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some("syntax"), Some(language)) => match syntax::main(&language) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("gopher-worker: {error}");
                ExitCode::from(error.exit_code())
            }
        },
        _ => spawner::main(),
    }
}

//! Makes and is the processes that run extensions.
//!
//! Started as a *spawner*: it builds the view its runs share, then clones one worker per run. It holds
//! nothing: no key, no value, no configuration.
#![forbid(unsafe_code)]

mod api;
mod confinement;
mod embedded;
mod endpoint;
mod error;
mod fingerprint;
mod http;
mod lines;
mod loader;
mod memory;
mod program;
mod run;
mod scratch;
mod spawner;
mod task_config;
mod view;

use std::process::ExitCode;

fn main() -> ExitCode {
    spawner::main()
}

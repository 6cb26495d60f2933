//! `gopher-engine`: identity, policy, matching, runs, memory and the admin socket of one robot.
//!
//! Started by `gopherd` with the link to it on descriptor 3; everything else arrives over that link.
#![forbid(unsafe_code)]

mod access;
mod addressing;
mod admin;
mod attributes;
mod audit;
mod authorize;
mod brain;
mod builtin;
mod cache;
mod calls;
mod commands;
mod connectors;
mod context;
mod database;
mod defaults;
mod diff;
mod dispatch;
mod elsewhere;
mod engine;
mod environment;
mod ephemeral;
mod error;
mod events;
mod execute;
mod generation;
mod glob;
mod groups;
mod help;
mod intake;
mod journal;
mod loading;
mod log;
mod mail;
mod mailing;
mod matching;
mod memory;
mod memory_admin;
mod outbox;
mod pipeline;
mod prefilter;
mod prompts;
mod queue;
mod reload;
mod runs;
mod steps;
mod store;
mod subscriptions;
mod supervised;
mod trial;
mod values;
mod vault;
mod wire;

#[cfg(test)]
mod conversation;
#[cfg(test)]
mod testing;

use std::process::ExitCode;

use engine::Engine;
use error::EngineError;

fn run() -> Result<(), EngineError> {
    let socket = gopher_sys::role::begin()?;
    Engine::new(socket)?.run()
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gopher-engine: {error}");
            ExitCode::from(70)
        }
    }
}

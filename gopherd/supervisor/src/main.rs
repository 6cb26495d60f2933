//! The supervisor: starts every process of a robot, hands them their links, and reaps them.
//!
//! It reads its flags and the fixed messages of its own children, nothing else: no configuration, no chat,
//! no key.
#![forbid(unsafe_code)]

mod accounts;
mod cgroup;
mod error;
mod files;
mod handoff;
mod leases;
mod links;
mod old_memories;
mod options;
mod orphans;
mod role;
mod runs;
mod search_path;
mod spawners;
mod status;
mod supervisor;

use std::process::ExitCode;

fn main() -> ExitCode {
    match supervisor::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gopherd: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

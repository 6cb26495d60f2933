//! `gopher-worker syntax LANGUAGE`: reads a script on standard input and writes what is wrong with it as JSON lines.
//!
//! Started by gopherctl, which links no interpreter. Before it reads anything this process gives up files, network,
//! capabilities and all system calls that no run may use; nothing of the script is run (spec: Robot API §3.6).

use std::io::{self, Read as _, Write as _};

use gopher_sys::{
    confine::{self, Limits, Rules},
    filter::Filters,
};
use serde_json::json;

use crate::{embedded, error::WorkerError};

/// Longer scripts are not looked at.
const LONGEST: u64 = 16 << 20;
const LIMITS: Limits = Limits { memory: 1 << 30, processes: 64, cpu: 20, file: 0 };

/// Something wrong with a script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
}

/// Why a script was not looked at; Display is the sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SyntaxError {
    #[error("this version does not read {0}")]
    Language(String),
    #[error("standard input: {0}")]
    Input(io::Error),
    #[error("the script is longer than {} MiB", LONGEST >> 20)]
    TooLong,
    #[error("standard output: {0}")]
    Output(io::Error),
    #[error(transparent)]
    Confinement(#[from] WorkerError),
}

impl SyntaxError {
    /// The exit code, as of sysexits.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Language(_) => 64,
            Self::TooLong => 65,
            Self::Confinement(_) => 71,
            Self::Input(_) | Self::Output(_) => 74,
        }
    }
}

/// Reads one script.
pub(crate) fn main(language: &str) -> Result<(), SyntaxError> {
    let parse = embedded::parser(language).ok_or_else(|| SyntaxError::Language(language.to_owned()))?;
    shut()?;
    let mut source = Vec::new();
    io::stdin().lock().take(LONGEST + 1).read_to_end(&mut source).map_err(SyntaxError::Input)?;
    if source.len() as u64 > LONGEST {
        return Err(SyntaxError::TooLong);
    }
    let mut out = io::stdout().lock();
    for Fault { message, line, column } in parse(&source) {
        let found = json!({ "message": message, "line": line, "column": column });
        writeln!(out, "{found}").map_err(SyntaxError::Output)?;
    }
    out.flush().map_err(SyntaxError::Output)
}

/// Leaves nothing that a fault in an interpreter could be used for.
fn shut() -> Result<(), WorkerError> {
    confine::close_others(&[], 3)?;
    let filters = Filters::of_runs()?;
    confine::limit(&LIMITS)?;
    confine::give_up_capabilities()?;
    Rules::of_files([], [], [])?.apply()?;
    Rules::no_tcp()?.apply()?;
    for filter in ["known", "forbidden", "run-no-network"] {
        filters.apply(filter)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs::File, net::TcpListener};

    use gopher_sys::{
        confine::landlock_abi,
        process::{self, Namespaces},
    };

    use super::*;

    #[test]
    fn a_reader_opens_no_file_and_no_connection() {
        if landlock_abi() < 4 {
            eprintln!("skipped: this kernel cannot fence files and connections");
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let child = process::fork_with(Namespaces::default(), false, || {
            if shut().is_err() {
                return 1;
            }
            let opened = File::open("/etc/passwd").is_ok() || File::create("/tmp/gopher-worker-syntax").is_ok();
            let connected = std::net::TcpStream::connect(address).is_ok();
            u8::from(opened) * 2 + u8::from(connected) * 4
        });
        let child = child.expect("a process");
        assert_eq!(process::wait(&child.pidfd).expect("its end"), process::Exit::Code(0));
    }
}

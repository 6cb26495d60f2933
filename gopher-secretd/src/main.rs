//! Keeper of every key and secret of a Gopher robot; started by gopherd.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use gopher_secretd::{SecretdError, serve};

fn main() -> ExitCode {
    match gopher_sys::role::begin().map_err(SecretdError::from).and_then(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gopher-secretd: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

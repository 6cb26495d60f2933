//! The manual and the API documentation.

use std::process::Command;

use crate::step::{Failure, announce, cargo, on_path, root, run as run_command};

pub(crate) fn run() -> Result<(), Failure> {
    announce("API documentation");
    run_command(cargo(&["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    if on_path("mdbook").is_none() {
        println!("The manual is skipped: mdbook is not installed (cargo install mdbook --locked).");
        return Ok(());
    }
    announce("manual");
    run_command(Command::new("mdbook").arg("build").arg(root().join("docs")))
}

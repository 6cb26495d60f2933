//! `cargo xtask bench`: what a command costs, against bare processes in the same run.

mod configuration;
mod embedded;
mod extensions;
mod figures;
mod matching;
mod memory;
mod robot;
mod sample;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub(crate) use self::robot::{Robot, write};
use crate::step::{self, Failure};

/// The programs of a robot.
const PROGRAMS: [&str; 6] =
    ["gopherctl", "gopherd", "gopher-engine", "gopher-secretd", "gopher-connector", "gopher-worker"];

/// Where what is measured is installed.
pub(crate) fn installed() -> PathBuf {
    step::target().join("installed")
}

/// Copies the programs out of `built` as a package does: what a linker has just written lies in small pieces in memory,
/// and every process pays for each.
pub(crate) fn install(built: &Path) -> Result<(), Failure> {
    fs::create_dir_all(installed()).map_err(Failure::at(&installed(), "creating"))?;
    for name in PROGRAMS {
        let to = installed().join(name);
        // A program that still runs somewhere keeps its file.
        let _ = fs::remove_file(&to);
        fs::copy(built.join(name), &to).map_err(Failure::at(&to, "copying"))?;
    }
    Ok(())
}

/// Builds for release, measures, and prints one row for each figure.
pub(crate) fn run() -> Result<(), Failure> {
    step::announce("building for release");
    step::run(&mut step::cargo(&["build", "--locked", "--release", "--bins"]))?;
    install(&step::target().join("release"))?;
    crate::bytecode::compile();
    let only = std::env::args().nth(2);
    let rows = figures::all(only.as_deref())?;
    println!("\n{:<58} {:>12} {:>10}  {:<4} goal", "figure", "measured", "ratio", "");
    for row in &rows {
        let mark = if row.met { "ok" } else { "MISS" };
        println!("{:<58} {:>12} {:>10}  {:<4} {}", row.name, row.measured, row.ratio, mark, row.goal);
    }
    Ok(())
}

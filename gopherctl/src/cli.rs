//! The command line.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use gopher_protocol::{
    admin::{AdminAnswer, AdminRequest},
    hello,
    ids::PipelineId,
};

use crate::{
    admin::Admin,
    author, brain, console,
    environment::Environment,
    error::{CtlError, USAGE},
    logs, ps, reload, report,
    robot::Robot,
    status, suite,
    view::{View, json_text},
};

#[derive(Debug, Parser)]
#[command(name = "gopherctl", version, about, infer_subcommands = true)]
struct Cli {
    /// Directory of the robot [default: the current directory]
    #[arg(short = 'C', value_name = "DIR", global = true)]
    directory: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    /// Directory of the robot's sockets, where it is not the usual one
    #[arg(long, value_name = "DIR", global = true, hide = true)]
    run_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Talk to the robot
    Console {
        /// With piped input: leave when no message came for so long after its end
        #[arg(long, value_name = "MILLISECONDS", default_value_t = 500)]
        linger: u64,
    },
    /// How the robot is: protocols, extensions, isolation
    Status,
    /// Live pipelines
    Ps,
    /// End a pipeline, by the WID that ps shows
    Kill { wid: u64 },
    /// The last lines of the robot's log
    Logs {
        /// Go on with new lines until Ctrl-C
        #[arg(short, long)]
        follow: bool,
        /// How many of the last lines
        #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
        lines: u32,
    },
    /// Long-term memories
    #[command(subcommand)]
    Brain(brain::BrainCommand),
    /// End the robot
    Stop,
    /// Versions of this program and of the running robot
    Version,
    /// Load the configuration anew; what changed is shown, and if it is refused nothing changes
    Reload {
        /// Go on and load it whenever a file of the robot is saved, until Ctrl-C
        #[arg(short, long)]
        watch: bool,
    },
    /// Load a configuration without starting its robot, and say what is wrong with it
    Validate(author::ValidateArgs),
    /// What the layers of a configuration file are merged to, each value with its origin
    Dump(author::DumpArgs),
    /// What a message would start, and why it would not start other things
    Match(author::MatchArgs),
    /// JSON Schema of a kind of configuration file, for editors
    Schema { kind: author::SchemaKind },
    /// Make an extension: a working start, its entry in the robot, and a suite that passes
    New(author::NewArgs),
    /// Read scripts without running them, and say what is wrong
    Syntax(author::SyntaxArgs),
    /// Run one extension with one command, against a robot that is thrown away
    Run(suite::RunArgs),
    /// Play suites against a robot, or serve one to another driver
    Test(suite::TestArgs),
}

pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
            // Nobody is left to tell if even this cannot be printed.
            let _ = error.print();
            return code;
        }
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gopherctl: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, CtlError> {
    let environment = Environment::read();
    let colours = environment.colours(std::io::stdout().is_terminal());
    let view = View { json: cli.json, colours };
    let directory = cli.directory;
    let robot = || Robot::find(directory.clone(), cli.run_dir.clone(), &environment);
    let shown = match cli.command {
        Command::Console { linger } => return console::run(&robot()?, &environment, linger),
        Command::Logs { follow, lines } => return logs::run(&mut robot()?.connect()?, lines, follow, view),
        Command::Run(args) => return Ok(suite::single(&args, view)),
        Command::Test(args) => return Ok(suite::run(&args)),
        Command::Schema { kind } => json_text(&kind.schema()),
        Command::Validate(args) => return author::validate(args, directory, view),
        Command::Dump(args) => author::dump(&args, directory, view)?,
        Command::New(args) => author::new(&args, directory, view)?,
        Command::Syntax(args) => return author::syntax(&args, view),
        Command::Match(args) => return author::try_match(&args, directory, view),
        Command::Reload { watch } => return reload::run(&robot()?, watch, view),
        Command::Version => version(&robot()?, view),
        Command::Status => status(&robot()?, view)?,
        Command::Ps => match robot()?.connect()?.ask(&AdminRequest::Ps)? {
            AdminAnswer::Ps { rows } => ps::show(&rows, view),
            other => return Err(Admin::unexpected(&other, "Ps")),
        },
        Command::Kill { wid } => {
            view.done(&robot()?.connect()?.done(&AdminRequest::Kill { pipeline: PipelineId(wid) })?)
        }
        Command::Brain(command) => brain::run(&robot()?, command, view)?,
        Command::Stop => view.done(&stop(&robot()?)?),
    };
    print(&shown)?;
    Ok(ExitCode::SUCCESS)
}

/// Without an engine, what the supervisor wrote is better than nothing; the command fails all the same.
fn status(robot: &Robot, view: View) -> Result<String, CtlError> {
    match robot.connect() {
        Ok(mut admin) => Ok(status::show(&admin.status()?, view)),
        Err(error) => {
            if matches!(error, CtlError::EngineDown { .. })
                && let Some(report) = robot.report()
            {
                print(&report::show(&report, view))?;
            }
            Err(error)
        }
    }
}

/// A robot that ends may do so before its answer is out.
fn stop(robot: &Robot) -> Result<String, CtlError> {
    match robot.connect()?.done(&AdminRequest::Quit) {
        Err(CtlError::Gone) => Ok("The robot has stopped.".to_owned()),
        other => other,
    }
}

fn version(robot: &Robot, view: View) -> String {
    let running = robot.connect().and_then(|mut admin| admin.status()).ok().map(|status| status.version);
    let own = env!("CARGO_PKG_VERSION");
    if view.json {
        return json_text(&serde_json::json!({ "gopherctl": own, "build": hello::BUILD, "robot": running }));
    }
    let robot = running.map(|version| format!("robot      {version}\n")).unwrap_or_default();
    format!("gopherctl  {own}\nbuild      {}\n{robot}", hello::BUILD)
}

/// Writes all of a command's answer.
pub(crate) fn print(text: &str) -> Result<(), CtlError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(CtlError::Output)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_are_understood_before_and_after_the_command() {
        let cli = Cli::try_parse_from(["gopherctl", "ps", "-C", "/robot", "--json"]).unwrap();
        assert_eq!((cli.directory, cli.json), (Some("/robot".into()), true));
        let cli = Cli::try_parse_from(["gopherctl", "--json", "test", "a.yaml"]).unwrap();
        assert!(cli.json && matches!(cli.command, Command::Test(_)));
        assert!(Cli::try_parse_from(["gopherctl", "kill", "x"]).is_err());
    }
}

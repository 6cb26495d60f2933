//! Author tools: what is in a robot's directory, looked at without a running robot and without its keys.
//!
//! Each starts a robot of its own that only loads the configuration, in the same confined loader as ever, asks it, and
//! ends it. What does not load exits with 78 (configuration error, of sysexits).

mod dump;
mod inspection;
mod language;
mod matching;
mod new;
mod schema;
mod syntax;
pub(crate) mod tree;
mod validate;

use std::{path::PathBuf, process::ExitCode};

use gopher_protocol::admin::{AdminAnswer, AdminRequest};

use crate::{
    admin::Admin,
    cli::print,
    error::{CONFIGURATION, CtlError},
    launch::Programs,
    view::View,
};
pub(crate) use inspection::{Directory, Inspection};
pub(crate) use new::{Kind, NewArgs, new};
pub(crate) use schema::SchemaKind;
pub(crate) use syntax::{SyntaxArgs, syntax};
pub(crate) use validate::Findings;

/// Where the programs and other parts of the robot are.
#[derive(Debug, clap::Args)]
struct Place {
    /// Look relative extension paths up here too
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Install tree of the robot
    #[arg(long, value_name = "DIR")]
    install_dir: Option<PathBuf>,
    /// Directory of the robot's programs [default: the directory of this program]
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
}

impl Place {
    fn inspect(&self, home: Option<PathBuf>) -> Result<Inspection, CtlError> {
        let programs = Programs::find(self.bin_dir.as_deref(), self.root.as_deref(), self.install_dir.as_deref())?;
        Inspection::open(&programs, &home.unwrap_or_else(|| PathBuf::from(".")))
    }

    /// The answer to a request about a configuration that loads.
    fn ask(&self, home: Option<PathBuf>, request: &AdminRequest) -> Result<AdminAnswer, CtlError> {
        let mut inspection = self.inspect(home)?;
        let errors = inspection.errors();
        if errors.is_empty() { inspection.ask(request) } else { Err(CtlError::NotLoaded(errors.join("\n\n"))) }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    /// Directory of the robot [default: -C, else the current directory]
    #[arg(value_name = "DIR")]
    robot: Option<PathBuf>,
    /// Do not speak of secrets that cannot be opened here
    #[arg(long, conflicts_with = "strict")]
    redact: bool,
    /// Secrets that cannot be opened here, and warnings, are errors
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    place: Place,
}

/// `gopherctl validate`.
pub(crate) fn validate(args: ValidateArgs, directory: Option<PathBuf>, view: View) -> Result<ExitCode, CtlError> {
    let inspection = args.place.inspect(args.robot.or(directory))?;
    let report = inspection.report();
    let findings = Findings { report: &report, redact: args.redact, strict: args.strict };
    print(&findings.show(view))?;
    Ok(if findings.valid() { ExitCode::SUCCESS } else { ExitCode::from(CONFIGURATION) })
}

#[derive(Debug, clap::Args)]
pub(crate) struct DumpArgs {
    /// Which file, such as robot, plugins/echo or protocols/slack
    #[arg(value_name = "FILE", default_value = "robot")]
    file: String,
    /// Only the names of the files that are loaded
    #[arg(long, conflicts_with = "file")]
    list: bool,
    #[command(flatten)]
    place: Place,
}

/// `gopherctl dump`.
pub(crate) fn dump(args: &DumpArgs, directory: Option<PathBuf>, view: View) -> Result<String, CtlError> {
    let name = if args.list { String::new() } else { dump::file_name(&args.file) };
    match args.place.ask(directory, &AdminRequest::Merged { name })? {
        AdminAnswer::Merged { file } => Ok(dump::show(&file, view)),
        AdminAnswer::MergedNames { names } if view.json => Ok(crate::view::json_text(&names)),
        AdminAnswer::MergedNames { names } => Ok(names.join("\n") + "\n"),
        other => Err(Admin::unexpected(&other, "Merged")),
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct MatchArgs {
    /// The message, as it would be typed
    text: String,
    /// Who says it [default: the first administrator]
    #[arg(short, long)]
    user: Option<String>,
    /// Where; an empty name is a direct message [default: the first of `DefaultChannels`]
    #[arg(short, long)]
    channel: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// `gopherctl match`; what starts nothing exits with 1, as a search that finds nothing.
pub(crate) fn try_match(args: &MatchArgs, directory: Option<PathBuf>, view: View) -> Result<ExitCode, CtlError> {
    let request =
        AdminRequest::Match { user: args.user.clone(), channel: args.channel.clone(), text: args.text.clone() };
    match args.place.ask(directory, &request)? {
        AdminAnswer::Matched { report } => {
            print(&matching::show(&report, view))?;
            Ok(ExitCode::from(u8::from(!report.candidates.iter().any(|c| c.runs))))
        }
        other => Err(Admin::unexpected(&other, "Matched")),
    }
}

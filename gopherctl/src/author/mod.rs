//! Author tools: what is in a robot's directory, looked at without a running robot and without its keys.
//!
//! Each starts a robot of its own that only loads the configuration, in the same confined loader as ever, asks it, and
//! ends it. What does not load exits with 78 (configuration error, of sysexits).

mod inspection;
mod schema;
mod validate;

use std::{path::PathBuf, process::ExitCode};

use crate::{
    cli::print,
    error::{CONFIGURATION, CtlError},
    launch::Programs,
    view::View,
};
use inspection::Inspection;
pub(crate) use schema::SchemaKind;
pub(crate) use validate::Findings;

/// Where the robot and the programs are.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// Directory of the robot [default: -C, else the current directory]
    #[arg(value_name = "DIR")]
    robot: Option<PathBuf>,
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
    fn inspect(&self, directory: Option<PathBuf>) -> Result<Inspection, CtlError> {
        let programs = Programs::find(self.bin_dir.as_deref(), self.root.as_deref(), self.install_dir.as_deref())?;
        let home = self.robot.clone().or(directory).unwrap_or_else(|| PathBuf::from("."));
        Inspection::open(&programs, &home)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    place: Place,
    /// Do not speak of secrets that cannot be opened here
    #[arg(long, conflicts_with = "strict")]
    redact: bool,
    /// Secrets that cannot be opened here, and warnings, are errors
    #[arg(long)]
    strict: bool,
}

/// `gopherctl validate`.
pub(crate) fn validate(args: &ValidateArgs, directory: Option<PathBuf>, view: View) -> Result<ExitCode, CtlError> {
    let inspection = args.place.inspect(directory)?;
    let findings = Findings { report: inspection.report(), redact: args.redact, strict: args.strict };
    print(&findings.show(view))?;
    Ok(if findings.valid() { ExitCode::SUCCESS } else { ExitCode::from(CONFIGURATION) })
}

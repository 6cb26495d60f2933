//! `gopherctl run`: one extension with one command, against a robot that is made for it and thrown away.
//!
//! Called by the command line. The robot is a whole one, with the walls of every robot; it is driven as by a suite.

mod dialogue;
mod robot;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use gopher_protocol::admin::{AdminAnswer, AdminRequest};
use serde_json::Value;

use self::{
    dialogue::{Dialogue, Ending},
    robot::Single,
};
use super::{
    error::SuiteError,
    say,
    stage::{Scene, Stage, copy_robot, files},
};
use crate::{
    author::{Directory, Inspection, Kind, tree},
    environment::Environment,
    launch::{Programs, absolute, interruptions},
    robot::Robot,
    view::{View, json_text},
};

const CONFIGURE: &str = "_configure";
/// Ended in another way than with a status of its own, or with one that gopherctl uses itself.
const BROKEN: u8 = 1;
/// The robot did not run it.
const REFUSED: u8 = 77;
/// Statuses of an extension that are passed on.
const PASSED_ON: i32 = 63;

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The extension
    file: PathBuf,
    /// Command of a plugin, or `_configure` for its default configuration; then its arguments
    #[arg(value_name = "COMMAND [ARGUMENT]", trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
    /// What it is [default: by its directory `jobs` or `tasks`, else a plugin]
    #[arg(long)]
    kind: Option<Kind>,
    /// Who gives the command
    #[arg(short, long, default_value = "alice")]
    user: String,
    /// Where; an empty name is a direct message
    #[arg(short, long, default_value = "general")]
    channel: String,
    /// Who gives the command is an administrator
    #[arg(long)]
    admin: bool,
    /// What stands in the plugin's file of the configuration, conf/plugins/NAME.yaml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A parameter; may be repeated
    #[arg(short, long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// Install tree to run against
    #[arg(long, value_name = "DIR")]
    install_dir: Option<PathBuf>,
    /// Directory of the robot's programs [default: the directory of this program]
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    if name.is_empty() { Err("it has no name".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

/// Runs it; the exit code is its own status as far as that is possible.
pub(crate) fn single(args: &RunArgs, view: View) -> ExitCode {
    match attempt(args, view) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&mut std::io::stderr(), &format!("gopherctl: {error}\n"));
            ExitCode::from(error.exit_code())
        }
    }
}

fn attempt(args: &RunArgs, view: View) -> Result<u8, SuiteError> {
    let programs = Programs::find(args.bin_dir.as_deref(), None, args.install_dir.as_deref())?;
    let directory = Directory::new()?;
    let single = prepare(args, directory.path())?;
    let only_configure = single.kind == Kind::Plugin && single.words.first().is_some_and(|word| word == CONFIGURE);
    let single = if only_configure { Single { words: Vec::new(), ..single } } else { single };
    for (name, text) in single.files() {
        write(&directory.path().join(name), &text)?;
    }
    if only_configure {
        return configure(&single, &programs, directory.path(), view);
    }
    let interrupt = interruptions()?;
    let scene = Scene {
        config: directory.path().to_owned(),
        before_start: &[],
        without_hidden_commands: &[],
        env: vec![("GOPHER_LOGLEVEL", "debug".to_owned())],
    };
    let mut stage = Stage::set(&scene, &programs, interrupt, false)?;
    let robot = Robot::find(Some(stage.home()), None, &Environment::read())?;
    let mut admin = robot.connect()?;
    if let Some(disabled) = admin.status()?.disabled.iter().find(|disabled| disabled.name == single.name) {
        return Err(SuiteError::Configuration(format!("{}: {}", args.file.display(), disabled.reason)));
    }
    let mut dialogue = Dialogue {
        driver: &mut stage.driver,
        admin,
        log: robot.connect()?,
        name: &single.name,
        user: &single.user,
        channel: &single.channel,
    };
    let ending = dialogue.hold(single.message())?;
    Ok(match ending {
        Some(Ending::Status(status @ 0..=PASSED_ON)) => u8::try_from(status).unwrap_or(BROKEN),
        Some(Ending::Status(status)) => {
            say(&mut std::io::stderr(), &format!("gopherctl: it ended with {status}\n"));
            BROKEN
        }
        Some(Ending::Broken) => BROKEN,
        None => {
            say(&mut std::io::stderr(), "gopherctl: the robot did not run it\n");
            REFUSED
        }
    })
}

/// Copies the extension, and the robot it belongs to as far as that is there, to `dir`.
fn prepare(args: &RunArgs, dir: &Path) -> Result<Single, SuiteError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| SuiteError::Unreadable { path, error }
    };
    let file = absolute(&args.file).canonicalize().map_err(unreadable(&args.file))?;
    let kind = args.kind.unwrap_or_else(|| kind_of(&file));
    check(args, kind)?;
    let tree = tree::around(&file);
    if let Some(tree) = &tree {
        copy_robot(tree, dir)?;
        // Its configuration is the real robot's, and none of this one's business.
        fs::remove_dir_all(dir.join("conf")).map_err(|error| files(dir, "cannot be cleared", error))?;
    }
    let within = tree.as_ref().and_then(|tree| file.strip_prefix(tree).ok());
    let path = if let Some(path) = within.filter(|path| dir.join(path).is_file()) {
        path.to_owned()
    } else {
        let path = Path::new(kind.directory()).join(file.file_name().unwrap_or_default());
        let to = dir.join(&path);
        let parent = to.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(|error| files(parent, "cannot be made", error))?;
        fs::copy(&file, &to).map_err(unreadable(&args.file))?;
        path
    };
    let Some(path) = path.to_str().map(str::to_owned) else {
        return Err(SuiteError::Usage(format!("{}: its path is not UTF-8 text", args.file.display())));
    };
    let config = match &args.config {
        Some(config) => fs::read_to_string(config).map_err(unreadable(config))?,
        None => String::new(),
    };
    Ok(Single {
        name: name_of(&file),
        kind,
        path,
        user: args.user.clone(),
        channel: args.channel.clone(),
        admin: args.admin,
        parameters: args.parameters.clone(),
        words: args.words.clone(),
        config,
    })
}

fn check(args: &RunArgs, kind: Kind) -> Result<(), SuiteError> {
    let usage = |text: &str| Err(SuiteError::Usage(text.to_owned()));
    if let Some(word) = args.words.iter().find(|word| !Single::can_say(word)) {
        return usage(&format!("{word:?} cannot be an argument here"));
    }
    if kind != Kind::Plugin {
        // It runs as a step of a pipeline, and steps have no file of their own.
        return if args.config.is_some() { usage("only a plugin can be given a configuration here") } else { Ok(()) };
    }
    match args.words.first() {
        None => usage("which command of the plugin? (_configure shows what it understands)"),
        Some(word) if word.is_empty() => usage("a command has a name"),
        Some(word) if word.starts_with('_') && word != CONFIGURE => {
            usage(&format!("{word} is a matter between robot and plugin; commands and {CONFIGURE} can be run"))
        }
        Some(_) => Ok(()),
    }
}

fn kind_of(file: &Path) -> Kind {
    match file.parent().and_then(|dir| dir.file_name()).and_then(|name| name.to_str()) {
        Some("jobs") => Kind::Job,
        Some("tasks") => Kind::Task,
        _ => Kind::Plugin,
    }
}

/// As its robot would name it, were it declared by its file's name.
fn name_of(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    let name: String = stem.chars().map(fits).collect();
    let taken = ["bot", "ping", "help"].contains(&name.as_str()) || name.starts_with("builtin-");
    if taken || !name.starts_with(|c: char| c.is_ascii_alphabetic()) { format!("my-{name}") } else { name }
}

fn write(path: &Path, text: &str) -> Result<(), SuiteError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(|error| files(parent, "cannot be made", error))?;
    fs::write(path, text).map_err(|error| files(path, "cannot be written", error))
}

/// Prints the default configuration of a plugin, as the robot reads it.
fn configure(single: &Single, programs: &Programs, dir: &Path, view: View) -> Result<u8, SuiteError> {
    let mut inspection = Inspection::open(programs, dir)?;
    let report = inspection.report();
    let told = format!("plugin '{}' has no default configuration: ", single.name);
    let silent = report.notices.iter().find(|notice| notice.contains(&told)).cloned();
    let disabled = report.disabled.into_iter().find(|disabled| disabled.name == single.name);
    if let Some(reason) = report.errors.into_iter().next().or(disabled.map(|d| d.reason)).or(silent) {
        return Err(SuiteError::Configuration(reason));
    }
    let name = format!("plugins/{}.yaml", single.name);
    let request = AdminRequest::Merged { name: name.clone() };
    let known = match inspection.ask(&AdminRequest::Merged { name: String::new() })? {
        AdminAnswer::MergedNames { names } => names.contains(&name),
        _ => true,
    };
    if !known {
        return Ok(0);
    }
    if let AdminAnswer::Merged { file } = inspection.ask(&request)? {
        let lines: Vec<&str> = file.lines.iter().map(|(text, _)| text.as_str()).collect();
        let value: Value = serde_json::from_str(&file.json).unwrap_or_default();
        say(&mut std::io::stdout(), &if view.json { json_text(&value) } else { lines.join("\n") + "\n" });
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_name_and_kind_of_its_place() {
        for (file, name, kind) in [
            ("/r/plugins/lights.sh", "lights", Kind::Plugin),
            ("/r/jobs/nightly build.py", "nightly-build", Kind::Job),
            ("/r/tasks/9.rb", "my-9", Kind::Task),
            ("/tmp/help.lua", "my-help", Kind::Plugin),
        ] {
            assert_eq!((name_of(Path::new(file)).as_str(), kind_of(Path::new(file))), (name, kind), "{file}");
        }
    }

    #[test]
    fn a_parameter_has_a_name_and_a_value() {
        assert_eq!(parameter("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert!(parameter("A").is_err() && parameter("=b").is_err());
    }
}

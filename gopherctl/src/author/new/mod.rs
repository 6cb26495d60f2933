//! `gopherctl new`: a working start for an extension, declared in the robot, with a suite that passes.

mod declare;
mod files;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, symlink},
    path::{Path, PathBuf},
};

use serde_json::json;

use self::{
    declare::{Declared, Entry},
    files::{Content, NewFile},
};
use super::{language::Language, tree};
use crate::{
    error::CtlError,
    view::{View, json_text},
};

/// Kinds of extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Answers commands
    Plugin,
    /// A pipeline of its own
    Job,
    /// A step of pipelines
    Task,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Job => "job",
            Self::Task => "task",
        }
    }

    pub(crate) fn directory(self) -> &'static str {
        match self {
            Self::Plugin => "plugins",
            Self::Job => "jobs",
            Self::Task => "tasks",
        }
    }

    pub(crate) fn map(self) -> &'static str {
        match self {
            Self::Plugin => "ExternalPlugins",
            Self::Job => "ExternalJobs",
            Self::Task => "ExternalTasks",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// What it is
    kind: Kind,
    /// Its name: letters, digits, `-` and `_`
    name: String,
    /// The language it is written in
    #[arg(short, long, value_name = "LANGUAGE")]
    lang: Language,
    /// Directory of the robot [default: -C, else the current directory]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Names that the robot's own extensions have.
const TAKEN: [&str; 4] = ["bot", "ping", "help", "start"];

/// `gopherctl new`: what was made, and what to do next.
pub(crate) fn new(args: &NewArgs, directory: Option<PathBuf>, view: View) -> Result<String, CtlError> {
    check_name(&args.name)?;
    let home = args.dir.clone().or(directory).unwrap_or_else(|| PathBuf::from("."));
    let tree = tree::of(&home)?;
    let (kind, name) = (args.kind, args.name.as_str());
    let own = files::path(kind, args.lang, name);
    let description = format!("the {} {name}", kind.word());
    let entry = Entry { map: kind.map(), name, path: &own, description: &description };

    let robot = tree.join("conf/robot.yaml");
    let text = fs::read_to_string(&robot).map_err(CtlError::file(&robot))?;
    let declared = entry.add(&text);
    if let Declared::Known(map) = declared {
        return Err(CtlError::Taken(format!("there is an extension '{name}' already: {map} of {}", robot.display())));
    }
    let files = files::all(kind, args.lang, name);
    make(&tree, &files)?;
    let by_hand = match declared {
        Declared::Added(text) => {
            fs::write(&robot, text).map_err(CtlError::file(&robot))?;
            None
        }
        Declared::ByHand(why) => Some(why),
        Declared::Known(_) => None,
    };
    Ok(Report { tree: &tree, files: &files, entry: &entry, by_hand }.show(view))
}

fn check_name(name: &str) -> Result<(), CtlError> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let problem = if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(known) {
        "a name begins with a letter and has letters, digits, `-` and `_` only"
    } else if name.len() > 64 {
        "a name has 64 characters at most"
    } else if TAKEN.contains(&name) || name.starts_with("builtin-") {
        "the robot itself uses that name"
    } else {
        return Ok(());
    };
    Err(CtlError::Taken(format!("`{name}`: {problem}")))
}

/// Makes the files, all or none, and never one that is there.
fn make(tree: &Path, files: &[NewFile]) -> Result<(), CtlError> {
    if let Some(there) = files.iter().map(|file| tree.join(&file.path)).find(|path| path.symlink_metadata().is_ok()) {
        return Err(CtlError::Taken(format!("{} is there already, and is not overwritten", there.display())));
    }
    for (index, file) in files.iter().enumerate() {
        let path = tree.join(&file.path);
        if let Err(error) = make_one(&path, &file.content) {
            // The last one may be somebody else's, who was quicker.
            let made = if error.kind() == io::ErrorKind::AlreadyExists { index } else { index + 1 };
            for file in &files[..made] {
                let _ = fs::remove_file(tree.join(&file.path));
            }
            return Err(CtlError::File { path, error });
        }
    }
    Ok(())
}

fn make_one(path: &Path, content: &Content) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let (text, mode) = match content {
        Content::Link(to) => return symlink(to, path),
        Content::Text(text) => (text, 0o644),
        Content::Program(text) => (text, 0o755),
    };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(text.as_bytes())
}

/// What was done, for people and programs.
struct Report<'a> {
    tree: &'a Path,
    files: &'a [NewFile],
    entry: &'a Entry<'a>,
    by_hand: Option<&'static str>,
}

impl Report<'_> {
    fn show(&self, view: View) -> String {
        let suite = format!("suites/{}.yaml", self.entry.name);
        let commands = if self.tree == Path::new(".") {
            ["gopherctl validate".to_owned(), format!("gopherctl test {suite}")]
        } else {
            let root = self.tree.display();
            [format!("gopherctl validate {root}"), format!("gopherctl test --root {root} {root}/{suite}")]
        };
        if view.json {
            let files: Vec<String> = self.files.iter().map(|file| self.shown(&file.path)).collect();
            let add = self.by_hand.map(|_| self.entry.by_hand());
            return json_text(&json!({ "made": files, "add_to_robot_yaml": add, "next": commands }));
        }
        let mut lines: Vec<String> = Vec::new();
        for file in self.files.iter().filter(|file| !file.path.starts_with("suites/") || file.path == suite) {
            lines.push(format!("made  {}", self.shown(&file.path)));
        }
        lines.push(format!("made  {}", self.shown(&format!("suites/{}/", self.entry.name))));
        let robot = self.shown("conf/robot.yaml");
        match self.by_hand {
            None => lines.push(format!("added to {robot}: {} under {}", self.entry.name, self.entry.map)),
            Some(why) => {
                lines.push(format!("\n{robot} was left as it is, for {why}. Add this to it:\n"));
                lines.push(self.entry.by_hand());
            }
        }
        lines.push(format!("next: {}\n      {}", commands[0], commands[1]));
        lines.join("\n") + "\n"
    }

    fn shown(&self, path: &str) -> String {
        let full = self.tree.join(path);
        full.strip_prefix(".").unwrap_or(&full).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn robot(text: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(dir.path().join("conf")).expect("made");
        fs::write(dir.path().join("conf/robot.yaml"), text).expect("written");
        dir
    }

    fn try_new(dir: &Path, kind: Kind, name: &str) -> Result<String, CtlError> {
        let args = NewArgs { kind, name: name.to_owned(), lang: Language::Bash, dir: Some(dir.to_owned()) };
        new(&args, None, View::PLAIN)
    }

    #[test]
    fn nothing_that_is_there_is_overwritten() {
        let dir = robot("Alias: '!' # mine\n");
        fs::create_dir_all(dir.path().join("suites/lights")).expect("made");
        fs::write(dir.path().join("suites/lights.yaml"), "mine").expect("written");
        let error = try_new(dir.path(), Kind::Plugin, "lights").expect_err("there is a suite");
        assert!(error.to_string().contains("suites/lights.yaml is there already"), "{error}");
        assert!(!dir.path().join("plugins").exists());
        assert_eq!(fs::read_to_string(dir.path().join("conf/robot.yaml")).expect("read"), "Alias: '!' # mine\n");

        try_new(dir.path(), Kind::Task, "lamps").expect("made");
        let error = try_new(dir.path(), Kind::Plugin, "lamps").expect_err("known");
        assert!(error.to_string().contains("there is an extension 'lamps' already: ExternalTasks"), "{error}");
    }

    #[test]
    fn what_cannot_be_added_is_told() {
        let dir = robot("ExternalPlugins: {}\n");
        let said = try_new(dir.path(), Kind::Plugin, "lights").expect("made");
        assert!(said.contains("was left as it is") && said.contains("  lights:\n"), "{said}");
        assert!(dir.path().join("plugins/lights.sh").is_file());
    }

    #[test]
    fn names_are_checked() {
        for name in ["", "9a", "a b", "../a", "ä", "bot", "ping", "builtin-x", "a.b", "_a", &"a".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        for name in ["a", "my-own_9", "Lights"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn without_a_robot_nothing_is_made() {
        let dir = tempfile::tempdir().expect("a directory");
        let error = try_new(dir.path(), Kind::Plugin, "lights").expect_err("no robot").to_string();
        assert!(error.contains("no robot"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 0);
    }
}

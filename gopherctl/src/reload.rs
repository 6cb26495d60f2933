//! `gopherctl reload`: once, or for an author whenever a file is saved.

use std::{
    io,
    path::{Component, Path},
    process::ExitCode,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use gopher_protocol::admin::{AdminAnswer, AdminRequest};
use notify::{ErrorKind, Event, EventKind, RecursiveMode};

use crate::{
    admin::Admin,
    author::Findings,
    cli::print,
    error::{CONFIGURATION, CtlError},
    robot::Robot,
    view::View,
};

/// How long a load may take: extensions are asked for their defaults.
const LOAD: Duration = Duration::from_mins(2);
/// How long a saved file must be left alone before it is loaded: editors write more than once.
const QUIET: Duration = Duration::from_millis(300);
/// The longest that a busy directory can put a load off.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// How often a directory is looked at whose content changes meanwhile.
const LOOKS: usize = 10;
/// Directories of a robot whose files are not its configuration.
const IGNORED: [&str; 6] = ["state", ".git", "workspace", "private", "history", "brain"];

pub(crate) fn run(robot: &Robot, watch: bool, view: View) -> Result<ExitCode, CtlError> {
    if !watch {
        return once(robot, view);
    }
    let (tell, saved) = channel();
    let home = robot.home().to_owned();
    let of_robot = move |event: notify::Result<Event>| {
        // Whether anybody still listens is not the watcher's business.
        match event {
            Ok(event) if is_change(event.kind) && event.paths.iter().any(|p| counts(&home, p)) => drop(tell.send(())),
            Ok(_) => {}
            Err(error) => eprintln!("gopherctl: {error}"),
        }
    };
    let mut watcher = notify::recommended_watcher(of_robot).map_err(CtlError::Watch)?;
    watch_tree(&mut watcher, robot.home()).map_err(CtlError::Watch)?;
    once(robot, view)?;
    while settled(&saved) {
        watch_tree(&mut watcher, robot.home()).map_err(CtlError::Watch)?;
        once(robot, view)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A configuration that is refused leaves the robot as it was, and the author with the reasons.
fn once(robot: &Robot, view: View) -> Result<ExitCode, CtlError> {
    let report = match robot.connect()?.ask_within(&AdminRequest::Reload, LOAD)? {
        AdminAnswer::Loaded { report } => report,
        other => return Err(Admin::unexpected(&other, "Loaded")),
    };
    let findings = Findings { report: &report, redact: false, strict: false };
    print(&findings.show(view))?;
    Ok(if report.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CONFIGURATION) })
}

/// Watches the directories that may hold what counts, again and again, as they come and go. A robot makes and removes
/// directories in the others all the time.
fn watch_tree(watcher: &mut impl notify::Watcher, home: &Path) -> notify::Result<()> {
    for layer in [home.to_owned(), home.join("custom")] {
        if !layer.is_dir() {
            continue;
        }
        watch_directory(watcher, &layer, RecursiveMode::NonRecursive)?;
        for entry in layer.read_dir().map_err(notify::Error::io)?.filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() && path != home.join("custom") && counts(home, &path) {
                watch_directory(watcher, &path, RecursiveMode::Recursive)?;
            }
        }
    }
    Ok(())
}

/// A directory beneath this one may go while it is being looked at: then another look.
fn watch_directory(watcher: &mut impl notify::Watcher, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
    let mut result = Ok(());
    for _ in 0..LOOKS {
        result = watcher.watch(path, mode);
        match &result {
            Err(error) if vanished(error) && path.exists() => {}
            Err(error) if vanished(error) => return Ok(()),
            _ => break,
        }
    }
    result
}

fn vanished(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => error.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}

fn is_change(kind: EventKind) -> bool {
    matches!(kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_))
}

/// A file whose content a robot is made of.
fn counts(home: &Path, path: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(home) else { return false };
    let mut names = inside.components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let Some(first) = names.next() else { return false };
    let first = if first == "custom" { names.next().unwrap_or(first) } else { first };
    let last = inside.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // Editors keep what they need beside the file, under a name of their own.
    let scratch = last.starts_with(['.', '#']) || last.ends_with(['~', '#']) || last == "4913";
    !IGNORED.contains(&first) && !scratch
}

/// Waits for a change and then for quiet; `false` when there will be no more.
fn settled(saved: &Receiver<()>) -> bool {
    if saved.recv().is_err() {
        return false;
    }
    let begun = Instant::now();
    loop {
        match saved.recv_timeout(QUIET) {
            Ok(()) if begun.elapsed() < LONGEST_WAIT => {}
            Ok(()) | Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_robot_is_made_of_counts() {
        let home = Path::new("/r");
        for (path, expected) in [
            ("/r/conf/robot.yaml", true),
            ("/r/custom/plugins/echo.sh", true),
            ("/r/conf/.robot.yaml.swp", false),
            ("/r/conf/robot.yaml~", false),
            ("/r/conf/4913", false),
            ("/r/state/engine/robot.log", false),
            ("/r/custom/.git/index", false),
            ("/r", false),
            ("/elsewhere/conf/robot.yaml", false),
        ] {
            assert_eq!(counts(home, Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn many_saves_are_one_load() {
        let (tell, saved) = channel();
        for _ in 0..20 {
            tell.send(()).unwrap();
        }
        assert!(settled(&saved));
        assert!(saved.try_recv().is_err(), "all of them were taken together");
        drop(tell);
        assert!(!settled(&saved));
    }
}

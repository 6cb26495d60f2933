//! Figures of configuration: loading, asking extensions, validating, and matching among many commands.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    figures::Row,
    installed,
    robot::{PROTOCOL, Robot},
    sample::{Sample, ms, ratio},
};
use crate::step::{Failure, Scratch};

/// Measures the figures whose name is wanted.
pub(crate) fn rows(wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    if wanted("load") {
        rows.push(load()?);
    }
    if wanted("asking") {
        rows.push(asking()?);
    }
    if wanted("validate") {
        rows.push(validate()?);
    }
    if wanted("match") {
        rows.push(ping_among_many()?);
    }
    Ok(rows)
}

/// A robot with that many extensions of that many commands each, whose `_configure` does something first.
fn robot(scratch: &Scratch, extensions: usize, commands: usize, first: &str) -> Result<PathBuf, Failure> {
    let dir = scratch.path().join("robot");
    let failed = |what: &'static str| move |error: std::io::Error| Failure::new(format!("{what}: {error}"));
    for name in ["conf/protocols", "plugins"] {
        fs::create_dir_all(dir.join(name)).map_err(failed("bench robot"))?;
    }
    let mut yaml = "PrimaryProtocol: test\nBotInfo: { UserName: bender }\nAlias: \";\"\nAdminUsers: [ alice ]\n\
                    DefaultChannels: [ general ]\nLogLevel: warn\nUserRoster: [ { UserName: alice }, { UserName: bob } ]\n\
                    ExternalPlugins:\n  knock: { Disabled: true }\n  lists: { Disabled: true }\n  links: { Disabled: true }\n"
        .to_owned();
    for n in 0..extensions {
        // Writing to a string cannot fail.
        let _ = writeln!(yaml, "  p{n}: {{ Path: plugins/p{n}.sh, Network: false }}");
        let mut script = format!("#!/bin/bash\n[[ $1 == _configure ]] || exit 0\n{first}\necho 'Commands:'\n");
        for c in 0..commands {
            let matcher = if c % 2 == 0 {
                format!("SimpleMatcher: 'service{n} action{c} <name:ident>'")
            } else {
                format!("Regex: 'service{n} does{c} (\\\\w+)'")
            };
            let _ = writeln!(script, "echo \"- {{ Command: c{c}, {matcher} }}\"");
        }
        let path = dir.join(format!("plugins/p{n}.sh"));
        fs::write(&path, script).map_err(failed("bench robot"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(failed("bench robot"))?;
    }
    fs::write(dir.join("conf/robot.yaml"), yaml).map_err(failed("bench robot"))?;
    fs::write(dir.join("conf/protocols/test.yaml"), PROTOCOL).map_err(failed("bench robot"))?;
    Ok(dir)
}

fn gopherctl(dir: &Path, command: &str) -> Result<(), Failure> {
    let status = Command::new(installed().join("gopherctl"))
        .arg("-C")
        .arg(dir)
        .arg(command)
        .stdout(Stdio::null())
        .status()
        .map_err(|e| Failure::new(format!("gopherctl: {e}")))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("gopherctl {command} failed ({status})"))) }
}

fn row(name: &'static str, measured: Duration, limit: Duration, goal: &'static str) -> Row {
    Row { name, measured: ms(measured), ratio: "-".into(), goal, met: measured <= limit }
}

/// A whole load in its confined loader, seen from `gopherctl reload` of a robot at rest: the runs that a load brings
/// with it, the `_init` of each extension, are over before the next.
fn load() -> Result<Row, Failure> {
    eprintln!("bench: load of 200 extensions");
    let scratch = Scratch::new("bench-load")?;
    let dir = robot(&scratch, 200, 5, "")?;
    let robot = Robot::start(&dir)?;
    let mut sample = Sample::default();
    for _ in 0..20 {
        robot.rest()?;
        sample.time(|| gopherctl(&dir, "reload"))?;
    }
    let name = "load of 200 extensions, cached defaults (gopherctl reload)";
    Ok(row(name, sample.median(), Duration::from_millis(60), "<= 60 ms"))
}

/// Twenty extensions that take their time to say what they are.
fn asking() -> Result<Row, Failure> {
    const SLOWEST: Duration = Duration::from_millis(500);
    eprintln!("bench: asking 20 extensions");
    let scratch = Scratch::new("bench-asking")?;
    let dir = robot(&scratch, 20, 5, "sleep 0.5")?;
    let mut sample = Sample::default();
    for _ in 0..5 {
        sample.push(Robot::start(&dir)?.first_answer);
    }
    let ratio = ratio(sample.median(), SLOWEST);
    Ok(Row {
        name: "start that asks 20 extensions / the slowest of them",
        measured: ms(sample.median()),
        ratio: format!("{ratio:.2}"),
        goal: "<= 2 x",
        met: ratio <= 2.0,
    })
}

fn validate() -> Result<Row, Failure> {
    eprintln!("bench: validate");
    let scratch = Scratch::new("bench-validate")?;
    let dir = robot(&scratch, 0, 0, "")?;
    let mut yaml = fs::read_to_string(dir.join("conf/robot.yaml")).unwrap_or_default();
    yaml.push_str("ParameterSets:\n");
    let mut lines = yaml.lines().count();
    while lines < 5000 {
        let set = lines;
        let _ = write!(yaml, "  set{set}:\n    Parameters:\n");
        for n in 0..24 {
            let _ = write!(
                yaml,
                "    - Name: NAME_{n}\n      Value: {{{{ env \"X\" | default \"value {n}\" | printf \"%q\" }}}}\n"
            );
        }
        lines += 50;
    }
    fs::write(dir.join("conf/robot.yaml"), yaml).map_err(|e| Failure::new(format!("bench robot: {e}")))?;
    let mut sample = Sample::default();
    for _ in 0..10 {
        sample.time(|| gopherctl(&dir, "validate"))?;
    }
    let name = "gopherctl validate, 5,000 lines with 2,400 templates";
    Ok(row(name, sample.median(), Duration::from_millis(100), "<= 100 ms"))
}

/// A command among a thousand, against one among ten, taken in turns.
fn ping_among_many() -> Result<Row, Failure> {
    eprintln!("bench: match");
    let (few, many) = (Scratch::new("bench-few")?, Scratch::new("bench-many")?);
    let (few_dir, many_dir) = (robot(&few, 2, 5, "")?, robot(&many, 200, 5, "")?);
    let (mut few, mut many) = (Robot::start(&few_dir)?, Robot::start(&many_dir)?);
    let (mut of_few, mut of_many) = (Sample::default(), Sample::default());
    let begun = Instant::now();
    for n in 0..3000 {
        if n == 500 {
            (of_few, of_many) = (Sample::default(), Sample::default());
        }
        of_few.time(|| few.ask(";ping", "PONG"))?;
        of_many.time(|| many.ask(";ping", "PONG"))?;
        if begun.elapsed() > Duration::from_mins(1) {
            break;
        }
    }
    let ratio = ratio(of_many.median(), of_few.median());
    Ok(Row {
        name: "ping among 1,000 commands / among 10 (match)",
        measured: ms(of_many.median()),
        ratio: format!("{ratio:.2}"),
        goal: "<= 1.5 x",
        met: ratio <= 1.5,
    })
}

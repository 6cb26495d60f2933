//! `make robot`: the default robot in a scratch directory, with its console in this terminal.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    bytecode, setup,
    step::{Failure, Scratch, announce, root, run as run_command},
    test::{Profile, build_robot},
};

const START: Duration = Duration::from_secs(15);
const STOP: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(50);

pub(crate) fn run() -> Result<(), Failure> {
    setup::install_missing();
    build_robot(Profile::Release)?;
    bytecode::compile();
    let programs = Profile::Release.directory();
    let home = Scratch::new("robot")?;
    let log = home.path().join("gopherd.log");
    announce(&format!("starting the default robot in {}", home.path().display()));
    let mut robot = start(&programs.join("gopherd"), home.path(), &log)?;
    println!(
        "    ask about it in another shell: {} -C {} ps",
        programs.join("gopherctl").display(),
        home.path().display()
    );
    let console = wait_until_up(&mut robot, &programs.join("gopherctl"), home.path(), &log)
        .and_then(|()| run_command(Command::new(programs.join("gopherctl")).arg("-C").arg(home.path()).arg("console")));
    stop(&mut robot)?;
    console
}

fn start(gopherd: &Path, home: &Path, log: &Path) -> Result<Child, Failure> {
    let output = File::create(log).map_err(Failure::at(log, "creating"))?;
    let errors = output.try_clone().map_err(Failure::at(log, "opening"))?;
    Command::new(gopherd)
        .arg("-C")
        .arg(home)
        .arg("--demo")
        .arg("--install-dir")
        .arg(root().join("packaging/share"))
        .stdin(std::process::Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(Failure::at(gopherd, "starting"))
}

/// Waits until it takes commands.
fn wait_until_up(robot: &mut Child, gopherctl: &Path, home: &Path, log: &Path) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let mut status = Command::new(gopherctl);
        let answer = status
            .arg("-C")
            .arg(home)
            .args(["--json", "status"])
            .output()
            .map_err(Failure::at(gopherctl, "starting"))?;
        if is_up(&answer.stdout) {
            return Ok(());
        }
        if let Some(status) = ended(robot)? {
            return Err(Failure::new(format!("The robot ended while it started ({status}):\n{}", tail(log))));
        }
        if begun.elapsed() > START {
            return Err(Failure::new(format!(
                "The robot was not up within {} seconds:\n{}\n{}",
                START.as_secs(),
                tail(log),
                String::from_utf8_lossy(&answer.stderr)
            )));
        }
        thread::sleep(TICK);
    }
}

/// Whether this is the status of a robot that takes commands.
fn is_up(status: &[u8]) -> bool {
    serde_json::from_slice::<Value>(status).is_ok_and(|s| s["state"] == "ready")
}

/// TERM first; it takes everything it started with it.
fn stop(robot: &mut Child) -> Result<(), Failure> {
    announce("stopping the robot");
    if ended(robot)?.is_some() {
        return Ok(());
    }
    run_command(Command::new("kill").arg("-TERM").arg(robot.id().to_string()))?;
    let begun = Instant::now();
    while begun.elapsed() < STOP {
        if ended(robot)?.is_some() {
            return Ok(());
        }
        thread::sleep(TICK);
    }
    let late = Failure::new(format!("The robot did not stop within {} seconds and was killed.", STOP.as_secs()));
    let _ = robot.kill().and_then(|()| robot.wait());
    Err(late)
}

fn ended(robot: &mut Child) -> Result<Option<ExitStatus>, Failure> {
    robot.try_wait().map_err(|error| Failure::new(format!("waiting for the robot: {error}.")))
}

/// The last lines of the log.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::is_up;

    #[test]
    fn a_robot_is_up_once_it_takes_commands() {
        assert!(is_up(br#"{ "state": "ready", "robot": "floyd" }"#));
        assert!(!is_up(br#"{ "state": "starting" }"#));
        assert!(!is_up(b""), "nobody answered");
    }
}

//! The figures, each measured against its goal.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    configuration, embedded, matching, memory,
    robot::{self, Robot},
    sample::{Sample, ms, ratio},
};
use crate::step::{self, Failure, Scratch};

/// One line of the report.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) measured: String,
    pub(crate) ratio: String,
    pub(crate) goal: &'static str,
    pub(crate) met: bool,
}

/// Measures all figures, or those whose name contains one of `only`, which commas separate.
pub(crate) fn all(only: Option<&str>) -> Result<Vec<Row>, Failure> {
    // A robot below `/tmp`, which runs have of their own, would cost each of them a way to it.
    let scratch = Scratch::within(&step::target(), "bench")?;
    let dir = scratch.path().to_owned();
    let program = robot::write(&dir)?;
    let mut rows = Vec::new();
    let wanted = |name: &str| only.is_none_or(|only| only.split(',').any(|part| name.contains(part)));
    if wanted("start") {
        rows.push(start(&dir)?);
    }
    let mut robot = Robot::start(&dir)?;
    if wanted("idle") {
        rows.push(memory(&robot));
    }
    if wanted("ping") {
        rows.push(ping(&mut robot)?);
    }
    let bare = [program.to_string_lossy().into_owned()];
    if wanted("compiled") {
        rows.push(against(
            &mut robot,
            "compiled, one Say / bare",
            (";c one", "said c"),
            &bare,
            300,
            (2.0, "<= 2 x bare"),
        )?);
    }
    let bash = ["bash", "-c", "true"].map(str::to_owned);
    if wanted("bash") {
        rows.push(against(
            &mut robot,
            "bash, one Say / bash -c true",
            (";bash one", "said bash"),
            &bash,
            300,
            (2.5, "<= 2.5 x"),
        )?);
        rows.push(against(
            &mut robot,
            "bash, ten calls / bash -c true",
            (";bash ten", "said 10"),
            &bash,
            200,
            (3.5, "<= 3.5 x"),
        )?);
    }
    if wanted("python") {
        let python = ["/usr/bin/python3", "-c", "pass"].map(str::to_owned);
        rows.push(against(
            &mut robot,
            "python, one Say / python3 -c pass",
            (";python one", "said python"),
            &python,
            100,
            (1.5, "<= 1.5 x"),
        )?);
    }
    if wanted("ruby") && Path::new("/usr/bin/ruby").exists() {
        let ruby = ["/usr/bin/ruby", "-e", "1"].map(str::to_owned);
        rows.push(against(
            &mut robot,
            "ruby, one Say / ruby -e 1",
            (";ruby one", "said ruby"),
            &ruby,
            60,
            (1.3, "<= 1.3 x"),
        )?);
    }
    rows.extend(embedded::rows(&mut robot, &bare, &wanted)?);
    if wanted("flood") {
        rows.extend(flood(&mut robot)?);
    }
    if wanted("sleepers") {
        rows.push(sleepers(&mut robot)?);
    }
    drop(robot);
    if wanted("match") {
        rows.extend(matching::rows()?);
    }
    rows.extend(memory::rows(&wanted)?);
    rows.extend(configuration::rows(&wanted)?);
    Ok(rows)
}

fn start(dir: &Path) -> Result<Row, Failure> {
    eprintln!("bench: start to first answer");
    let mut sample = Sample::default();
    for _ in 0..10 {
        sample.push(Robot::start(dir)?.first_answer);
    }
    let median = sample.median();
    Ok(Row {
        name: "start to first answered command",
        measured: ms(median),
        ratio: "-".into(),
        goal: "<= 200 ms",
        met: median.as_millis() <= 200,
    })
}

fn memory(robot: &Robot) -> Row {
    std::thread::sleep(Duration::from_millis(300));
    let kib = robot.memory();
    Row {
        name: "idle memory (PSS) of all processes",
        measured: format!("{:.1} MiB", f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0),
        ratio: "-".into(),
        goal: "<= 20 MiB",
        met: kib > 0 && kib <= 20 << 10,
    }
}

fn pings(robot: &mut Robot, count: usize) -> Result<Sample, Failure> {
    let mut sample = Sample::default();
    for _ in 0..count {
        sample.time(|| robot.ask(";ping", "PONG"))?;
    }
    Ok(sample)
}

fn ping(robot: &mut Robot) -> Result<Row, Failure> {
    eprintln!("bench: ping");
    pings(robot, 200)?;
    let median = pings(robot, 2000)?.median();
    Ok(Row {
        name: "ping, built in",
        measured: ms(median),
        ratio: "-".into(),
        goal: "<= 0.2 ms",
        met: median <= Duration::from_micros(200),
    })
}

pub(super) fn bare(command: &[String]) -> Result<(), Failure> {
    let status = Command::new(&command[0]).args(&command[1..]).stdin(Stdio::null()).status();
    let status = status.map_err(|e| Failure::new(format!("{}: {e}", command[0])))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("{} failed", command[0]))) }
}

/// A command of the robot and a bare process, taken in turns.
fn against(
    robot: &mut Robot,
    name: &'static str,
    (text, wanted): (&str, &str),
    command: &[String],
    count: usize,
    (limit, goal): (f64, &'static str),
) -> Result<Row, Failure> {
    eprintln!("bench: {name}");
    let (mut run, mut process) = (Sample::default(), Sample::default());
    for _ in 0..20 {
        robot.ask(text, wanted)?;
        bare(command)?;
    }
    for _ in 0..count {
        run.time(|| robot.ask(text, wanted))?;
        process.time(|| bare(command))?;
    }
    let ratio = ratio(run.median(), process.median());
    Ok(Row { name, measured: ms(run.median()), ratio: format!("{ratio:.2}"), goal, met: ratio <= limit })
}

/// 300 commands of one user at once, and one of another in their midst.
fn flood(robot: &mut Robot) -> Result<Vec<Row>, Failure> {
    const COUNT: usize = 300;
    eprintln!("bench: flood");
    let mut idle = Sample::default();
    for _ in 0..40 {
        idle.time(|| robot.ask(";bash one", "said bash"))?;
    }
    let begun = Instant::now();
    for _ in 0..COUNT {
        robot.say("u0001", ";bash one")?;
    }
    for _ in 0..COUNT {
        robot.until("said bash")?;
    }
    let rate = f64::from(u32::try_from(COUNT).unwrap_or(0)) / begun.elapsed().as_secs_f64();
    let mut other = Sample::default();
    for _ in 0..10 {
        for _ in 0..COUNT {
            robot.say("u0001", ";bash one")?;
        }
        // The flood is being served before the other user speaks.
        robot.until("said bash")?;
        let asked = Instant::now();
        robot.say("u0002", ";c one")?;
        let mut left = COUNT - 1;
        while left > 0 {
            let (_, text) = robot.heard()?;
            if text.contains("said c") {
                other.push(asked.elapsed());
            } else if text.contains("said bash") {
                left -= 1;
            }
        }
    }
    let mut alone = Sample::default();
    for _ in 0..100 {
        alone.time(|| robot.ask(";c one", "said c"))?;
    }
    let kept = ratio(other.median(), alone.median());
    Ok(vec![
        Row {
            name: "300 bash commands at once",
            measured: format!("{rate:.0} /s"),
            ratio: "-".into(),
            goal: ">= 400 /s",
            met: rate >= 400.0,
        },
        Row {
            name: "another user's command meanwhile / idle",
            measured: ms(other.median()),
            ratio: format!("{kept:.2}"),
            goal: "<= 3 x",
            met: kept <= 3.0,
        },
    ])
}

/// `ping` while 200 one-second sleepers start and run.
fn sleepers(robot: &mut Robot) -> Result<Row, Failure> {
    eprintln!("bench: sleepers");
    let idle = pings(robot, 1000)?.percentile(99);
    for _ in 0..200 {
        robot.say("u0001", ";bash nap")?;
    }
    let mut busy = Sample::default();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        busy.time(|| robot.ask(";ping", "PONG"))?;
    }
    let kept = ratio(busy.percentile(99), idle);
    Ok(Row {
        name: "ping p99 while 200 sleepers start and run / idle p99",
        measured: ms(busy.percentile(99)),
        ratio: format!("{kept:.2}"),
        goal: "<= 3 x",
        met: kept <= 3.0,
    })
}

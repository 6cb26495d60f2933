//! Extensions in the languages that are built in.

use std::time::{Duration, Instant};

use super::{
    figures::Row,
    robot::Robot,
    sample::{Sample, ms},
};
use crate::step::Failure;

/// Commands of one language, and what they are measured against.
struct Language {
    one: (&'static str, &'static str),
    one_row: (&'static str, u64, &'static str),
    ten: (&'static str, &'static str),
    ten_row: (&'static str, u64, &'static str),
    many: (&'static str, &'static str),
    many_row: &'static str,
    flood_row: &'static str,
}

const LUA: Language = Language {
    one: (";lua one", "said lua"),
    one_row: ("lua, one Say", 600, "<= 0.6 ms"),
    ten: (";lua ten", "said lua 10"),
    ten_row: ("lua, ten calls", 800, "<= 0.8 ms"),
    many: (";lua many", "lua many done"),
    many_row: "lua, one of 1,000 calls in a run",
    flood_row: "300 lua commands at once",
};

pub(crate) fn rows(robot: &mut Robot, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    if wanted("lua") {
        rows.extend(language(robot, &LUA)?);
    }
    Ok(rows)
}

fn language(robot: &mut Robot, language: &Language) -> Result<Vec<Row>, Failure> {
    Ok(vec![
        short(robot, language.one, language.one_row)?,
        short(robot, language.ten, language.ten_row)?,
        many(robot, language.many, language.many_row)?,
        flood(robot, language.one, language.flood_row)?,
    ])
}

/// A command from the message to the reply.
fn short(
    robot: &mut Robot,
    (text, reply): (&str, &str),
    (name, most, goal): (&'static str, u64, &'static str),
) -> Result<Row, Failure> {
    eprintln!("bench: {name}");
    let mut sample = Sample::default();
    for _ in 0..20 {
        robot.ask(text, reply)?;
    }
    for _ in 0..300 {
        sample.time(|| robot.ask(text, reply))?;
    }
    let median = sample.median();
    Ok(Row { name, measured: ms(median), ratio: "-".into(), goal, met: median <= Duration::from_micros(most) })
}

/// Calls that say nothing, until the reply tells that they are over.
fn many(robot: &mut Robot, (text, reply): (&str, &str), name: &'static str) -> Result<Row, Failure> {
    eprintln!("bench: {name}");
    let mut sample = Sample::default();
    for _ in 0..20 {
        sample.time(|| robot.ask(text, reply))?;
    }
    let each = sample.median() / 1000;
    Ok(Row {
        name,
        measured: format!("{:.1} us", each.as_secs_f64() * 1e6),
        ratio: "-".into(),
        goal: "<= 20 us",
        met: each <= Duration::from_micros(20),
    })
}

fn flood(robot: &mut Robot, (text, reply): (&str, &str), name: &'static str) -> Result<Row, Failure> {
    const COUNT: u16 = 300;
    eprintln!("bench: {name}");
    let begun = Instant::now();
    for _ in 0..COUNT {
        robot.say("u0001", text)?;
    }
    for _ in 0..COUNT {
        robot.until(reply)?;
    }
    let rate = f64::from(COUNT) / begun.elapsed().as_secs_f64();
    Ok(Row { name, measured: format!("{rate:.0} /s"), ratio: "-".into(), goal: ">= 1,500 /s", met: rate >= 1500.0 })
}

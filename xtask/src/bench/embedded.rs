//! Extensions in the languages that are built in, and what a call costs in the others.

use std::{
    num::NonZero,
    sync::atomic::{AtomicU16, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use super::{
    figures::{self, Row},
    robot::Robot,
    sample::{Sample, ms, ratio},
};
use crate::step::Failure;

/// A row: what it is called, its goal in microseconds, and how the report says that.
type Goal = (&'static str, u64, &'static str);

/// A message and what the reply to it holds.
type Exchange = (&'static str, &'static str);

/// Commands of one language, and what they are measured against.
struct Language {
    name: &'static str,
    one: (Exchange, Goal),
    ten: (Exchange, Goal),
    many: Option<(Exchange, Goal)>,
    flood: Option<&'static str>,
}

const LANGUAGES: [Language; 3] = [
    Language {
        name: "lua",
        one: ((";lua one", "said lua"), ("lua, one Say", 600, "<= 0.6 ms")),
        ten: ((";lua ten", "said lua 10"), ("lua, ten calls", 800, "<= 0.8 ms")),
        many: Some(((";lua many", "lua many done"), ("lua, one of 1,000 calls in a run", 20, "<= 20 us"))),
        flood: Some("300 lua commands at once"),
    },
    Language {
        name: "js",
        one: ((";js one", "said js"), ("js, one Say", 600, "<= 0.6 ms")),
        ten: ((";js ten", "said js 10"), ("js, ten calls", 800, "<= 0.8 ms")),
        many: Some(((";js many", "js many done"), ("js, one of 1,000 calls in a run", 20, "<= 20 us"))),
        flood: None,
    },
    Language {
        name: "gsh",
        one: ((";gsh one", "said gsh"), ("gsh, one Say", 800, "<= 0.8 ms")),
        ten: ((";gsh ten", "said gsh 10"), ("gsh, ten calls", 800, "<= 0.8 ms")),
        many: None,
        flood: None,
    },
];

/// A thousand calls in one run of a program.
const CALLS: [(&str, Exchange, Goal); 2] = [
    ("bash", (";bash many", "bash many done"), ("bash library, one of 1,000 calls", 60, "<= 60 us")),
    ("http", (";c http", "c http done"), ("HTTP, one of 1,000 calls", 150, "<= 150 us")),
];

pub(crate) fn rows(robot: &mut Robot, bare: &[String], wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for language in LANGUAGES.into_iter().filter(|language| wanted(language.name)) {
        rows.push(short(robot, language.one.0, language.one.1)?);
        rows.push(short(robot, language.ten.0, language.ten.1)?);
        if let Some((exchange, goal)) = language.many {
            rows.push(many(robot, exchange, goal)?);
        }
        if let Some(name) = language.flood {
            rows.push(flood(robot, bare, language.one.0, name)?);
        }
    }
    for (_, exchange, goal) in CALLS.into_iter().filter(|(name, ..)| wanted(name)) {
        rows.push(many(robot, exchange, goal)?);
    }
    Ok(rows)
}

/// What the robot does after a reply is over by then: nobody writes his next message sooner.
const PAUSE: Duration = Duration::from_millis(2);
/// Of so many rounds the quietest counts: whoever shares the machine can only disturb.
const ROUNDS: usize = 5;

/// A command from the message to the reply, on a quiet machine. Its ratio is that of a robot that is asked again with
/// each reply, while it tidies up.
fn short(robot: &mut Robot, (text, reply): Exchange, (name, most, goal): Goal) -> Result<Row, Failure> {
    eprintln!("bench: {name}");
    for _ in 0..20 {
        robot.ask(text, reply)?;
    }
    let mut quietest = |pause: Duration| {
        let mut medians = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let mut sample = Sample::default();
            for _ in 0..50 {
                thread::sleep(pause);
                sample.time(|| robot.ask(text, reply))?;
            }
            medians.push(sample.median());
        }
        Ok::<_, Failure>(medians.into_iter().min().unwrap_or_default())
    };
    let (quiet, at_once) = (quietest(PAUSE)?, quietest(Duration::ZERO)?);
    Ok(Row {
        name,
        measured: ms(quiet),
        ratio: format!("{:.2}", ratio(at_once, quiet)),
        goal,
        met: quiet <= Duration::from_micros(most),
    })
}

/// Calls that say nothing, until the reply tells that they are over.
fn many(robot: &mut Robot, (text, reply): Exchange, (name, most, goal): Goal) -> Result<Row, Failure> {
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
        goal,
        met: each <= Duration::from_micros(most),
    })
}

/// As many floods as it takes to meet a quiet moment of the machine.
const FLOODS: usize = 20;
/// What a flood leaves to be tidied up is gone by then.
const REST: Duration = Duration::from_millis(50);

/// Commands, or processes, of one round.
const AT_ONCE: u16 = 300;

/// Many at once; the quickest of some rounds. Its ratio is that to bare processes, of which each processor starts one after
/// the other: machines differ in what a process costs them.
fn flood(robot: &mut Robot, bare: &[String], (text, reply): Exchange, name: &'static str) -> Result<Row, Failure> {
    eprintln!("bench: {name}");
    let (mut commands, mut processes) = (Duration::MAX, Duration::MAX);
    for _ in 0..FLOODS {
        thread::sleep(REST);
        let begun = Instant::now();
        for _ in 0..AT_ONCE {
            robot.say("u0001", text)?;
        }
        for _ in 0..AT_ONCE {
            robot.until(reply)?;
        }
        commands = commands.min(begun.elapsed());
        thread::sleep(REST);
        processes = processes.min(bare_at_once(bare)?);
    }
    let rate = f64::from(AT_ONCE) / commands.as_secs_f64();
    let ratio = ratio(processes, commands);
    Ok(Row {
        name,
        measured: format!("{rate:.0} /s"),
        ratio: format!("{ratio:.2}"),
        goal: ">= 1,500 /s",
        met: rate >= 1500.0,
    })
}

/// How long as many bare processes take.
fn bare_at_once(command: &[String]) -> Result<Duration, Failure> {
    let left = AtomicU16::new(AT_ONCE);
    let next = || left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok();
    let lane = || {
        while next() {
            figures::bare(command)?;
        }
        Ok(())
    };
    let begun = Instant::now();
    thread::scope(|scope| {
        let lanes = thread::available_parallelism().map_or(1, NonZero::get);
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        let died = |_| Err(Failure::new("a thread of the benchmark ended".to_owned()));
        lanes.into_iter().try_for_each(|lane| lane.join().unwrap_or_else(died))
    })?;
    Ok(begun.elapsed())
}

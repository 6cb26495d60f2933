//! `cargo xtask layout`: which functions of `gopher-worker` a short run executes. The linker puts those next to each
//! other, so that a run meets a few pages of code and not a few of every part of the program.
//!
//! The first process that a spawner makes for a command is followed instruction by instruction to its end.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        ptrace::{self, Options},
        signal::Signal,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::{
    bench::{self, Robot},
    step::{self, Failure, Scratch},
};

/// Where the linker finds the result.
const LAYOUT: &str = "gopher-worker/layout.ld";
/// The command that is followed in each language, and what its answer holds.
const COMMANDS: [(&str, &str); 4] =
    [(";lua one", "said lua"), (";js one", "said js"), (";gsh one", "said gsh"), (";bash one", "said bash")];
/// Characters of a name that tell the function from most others.
const ENOUGH: usize = 100;
/// How long a process that is followed may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long it may stand still before it is given something to do.
const STILL: Duration = Duration::from_millis(500);
/// How soon the next instruction is usually done.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Builds, follows one run of each language, and writes the layout.
pub(crate) fn run() -> Result<(), Failure> {
    let target = step::target().join("layout");
    step::announce("building for release, with the names of functions");
    let mut build = step::cargo(&["build", "--locked", "--release", "--bins"]);
    step::run(build.env("CARGO_TARGET_DIR", &target).env("CARGO_PROFILE_RELEASE_STRIP", "none"))?;
    bench::install(&target.join("release"))?;
    let scratch = Scratch::new("layout")?;
    bench::write(scratch.path())?;
    let symbols = Symbols::read(&bench::installed().join("gopher-worker"))?;
    let mut users: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (language, (command, answer)) in COMMANDS.into_iter().enumerate() {
        step::announce(&format!("following '{command}'"));
        let mut robot = Robot::start(scratch.path())?;
        robot.ask(command, answer)?;
        for name in executed_for(&mut robot, command)?.iter().filter_map(|address| symbols.name_at(*address)) {
            users.entry(steady(name)).or_default().insert(language);
        }
    }
    if users.is_empty() {
        return Err(Failure::new("nm names no function that was executed; the layout is as it was."));
    }
    let path = step::root().join(LAYOUT);
    fs::write(&path, script(&users)).map_err(Failure::at(&path, "writing"))?;
    println!("{LAYOUT}: {} functions", users.len());
    Ok(())
}

/// The linker's script: functions that the same languages use stand together, those of all come first.
fn script(users: &BTreeMap<String, BTreeSet<usize>>) -> String {
    let mut groups: BTreeMap<(usize, &BTreeSet<usize>), Vec<&str>> = BTreeMap::new();
    for (name, languages) in users {
        groups.entry((COMMANDS.len() - languages.len(), languages)).or_default().push(name);
    }
    let mut text = "/* Functions that short runs execute, next to each other (made by `cargo xtask layout`). */\n\
                    SECTIONS\n{\n  .text.short_runs :\n  {\n"
        .to_owned();
    for ((_, languages), names) in groups {
        let commands: Vec<&str> = languages.iter().map(|language| COMMANDS[*language].0).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    /* {} */", commands.join(" "));
        for name in names {
            let _ = writeln!(text, "    {}", section(name));
        }
    }
    text.push_str("  }\n}\nINSERT BEFORE .text;\n");
    text
}

/// Where the compiler puts a function, among the likely ones or not, and what it has split from it. Of long names the
/// beginning says enough.
fn section(name: &str) -> String {
    if name.starts_with("_R") {
        format!("*(\".text*.{}*\")", name.get(..ENOUGH).unwrap_or(name))
    } else {
        format!("*(\".text*.{name}\" \".text*.{name}.*\")")
    }
}

/// The name of a function in any build: without what tells builds of a crate and parts of its code apart. What is left open
/// are the hashes of crates (`Cs…_`), and the references back (`B…_`) whose numbers depend on how long those are.
fn steady(name: &str) -> String {
    let name = name.split_once('.').map_or(name, |(name, _)| name);
    if !name.starts_with("_R") {
        return name.to_owned();
    }
    let mut pattern = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let number = ["Cs", "B", "s"].into_iter().find_map(|tag| {
            let digits = rest.strip_prefix(tag)?;
            let end = digits.find(|c: char| !c.is_ascii_alphanumeric())?;
            digits[end..].starts_with('_').then_some((tag, tag.len() + end))
        });
        if let Some((tag, end)) = number {
            // Which of several things of one name it is, `s…_`, is the same in every build.
            if tag == "s" {
                pattern.push_str(&rest[..end]);
            } else {
                pattern.extend([tag, "*"]);
            }
            rest = &rest[end..];
        } else if let Some((length, identifier)) = identifier(rest) {
            pattern.push_str(&rest[..length]);
            pattern.push_str(identifier);
            rest = &rest[length + identifier.len()..];
        } else {
            pattern.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    without_instantiating_crate(&pattern).to_owned()
}

/// A generic function has a copy for each crate that uses it, whose name ends with that crate's: `…Cs*_13gopher_worker`.
fn without_instantiating_crate(pattern: &str) -> &str {
    let Some((before, name)) = pattern.rsplit_once("Cs*_") else { return pattern };
    let is_last = identifier(name).is_some_and(|(number, identifier)| number + identifier.len() == name.len());
    if is_last { before } else { pattern }
}

/// An identifier at the beginning of a mangled rest: the length of its number, and the identifier.
fn identifier(rest: &str) -> Option<(usize, &str)> {
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    let count: usize = rest[..digits].parse().ok()?;
    let number = digits + usize::from(rest[digits..].starts_with('_'));
    Some((number, rest.get(number..number + count)?))
}

/// Functions of a program by their addresses.
struct Symbols(BTreeMap<u64, (u64, String)>);

impl Symbols {
    fn read(program: &Path) -> Result<Self, Failure> {
        let listed = Command::new("nm").args(["--defined-only", "--print-size"]).arg(program).output();
        let listed = listed.map_err(Failure::at(program, "listing the symbols of"))?;
        let line = |line: &str| {
            let mut words = line.split_ascii_whitespace();
            let mut number = || u64::from_str_radix(words.next()?, 16).ok();
            let (address, size) = (number()?, number()?);
            let name = words.nth(1)?;
            Some((address, (size, name.to_owned())))
        };
        Ok(Self(String::from_utf8_lossy(&listed.stdout).lines().filter_map(line).collect()))
    }

    fn name_at(&self, address: u64) -> Option<&str> {
        let (start, (size, name)) = self.0.range(..=address).next_back()?;
        (address - start < *size).then_some(name)
    }
}

/// What the first process executes that the robot's spawner makes once it is asked: places in the program's file. It is
/// followed from one instruction to the next.
fn executed_for(robot: &mut Robot, command: &str) -> Result<HashSet<u64>, Failure> {
    let spawner = robot.spawner()?;
    let failed = |errno: Errno| Failure::new(format!("process {spawner} cannot be followed: {errno}."));
    let base = loaded_at(spawner)?;
    let spawner = Pid::from_raw(i32::try_from(spawner).unwrap_or_default());
    ptrace::seize(spawner, Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACEFORK).map_err(failed)?;
    let mut executed = HashSet::new();
    let mut process = None;
    let begun = Instant::now();
    let mut moved = begun;
    while begun.elapsed() < PATIENCE {
        let status = waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)).map_err(failed)?;
        let Some(pid) = status.pid() else {
            if moved.elapsed() > STILL {
                robot.say("u0001", command)?;
                moved = Instant::now();
            }
            if moved.elapsed() < AT_ONCE {
                thread::yield_now();
            } else {
                thread::sleep(AT_ONCE);
            }
            continue;
        };
        if pid == spawner {
            ptrace::cont(pid, meant(status)).map_err(failed)?;
        } else if *process.get_or_insert(pid) != pid {
            ptrace::detach(pid, None).map_err(failed)?;
        } else if matches!(status, WaitStatus::Exited(..) | WaitStatus::Signaled(..)) {
            ptrace::interrupt(spawner).map_err(failed)?;
            waitpid(spawner, Some(WaitPidFlag::__WALL)).map_err(failed)?;
            ptrace::detach(spawner, None).map_err(failed)?;
            return Ok(executed);
        } else {
            executed.insert(instruction(pid).map_err(failed)?.wrapping_sub(base));
            ptrace::step(pid, meant(status)).map_err(failed)?;
            moved = Instant::now();
        }
    }
    Err(Failure::new(format!("the run of '{command}' did not end within {PATIENCE:?}.")))
}

/// The signal that a process was stopped by, unless that is our own doing.
fn meant(status: WaitStatus) -> Option<Signal> {
    match status {
        WaitStatus::Stopped(_, signal) if signal != Signal::SIGTRAP => Some(signal),
        _ => None,
    }
}

#[cfg(target_arch = "x86_64")]
fn instruction(pid: Pid) -> Result<u64, Errno> {
    Ok(ptrace::getregs(pid)?.rip)
}

#[cfg(not(target_arch = "x86_64"))]
fn instruction(_: Pid) -> Result<u64, Errno> {
    Err(Errno::ENOSYS)
}

/// Where the program of a process begins in its memory.
fn loaded_at(pid: u32) -> Result<u64, Failure> {
    let path = format!("/proc/{pid}/maps");
    let maps = fs::read_to_string(&path).map_err(Failure::at(path.as_ref(), "reading"))?;
    let start = maps.lines().find(|line| line.ends_with("/gopher-worker")).and_then(|line| line.split_once('-'));
    start
        .and_then(|(start, _)| u64::from_str_radix(start, 16).ok())
        .ok_or_else(|| Failure::new(format!("{path} does not show gopher-worker.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_in_every_build() {
        let one = "_RNvMs4_NtCslNYArtu3iFV_5alloc7raw_vecNtB5_11RawVecInner11finish_growB7_.llvm.1524389613005862818";
        let pattern = "_RNvMs4_NtCs*_5alloc7raw_vecNtB*_11RawVecInner11finish_growB*_";
        assert_eq!(steady(one), pattern);
        assert_eq!(
            steady("_RNvMs6_NtCsgvbs_3raw4grow"),
            "_RNvMs6_NtCs*_3raw4grow",
            "which of several is no length of a name"
        );
        assert_eq!(steady("_RINvCsa_3abc1fCsb_3def"), "_RINvCs*_3abc1f", "whoever uses it");
        // What an identifier holds is no reference.
        assert_eq!(steady("_RNvCsa_3abc6B1_Cs_"), "_RNvCs*_3abc6B1_Cs_");
        assert_eq!(steady("luaV_execute"), "luaV_execute");
        assert_eq!(steady("patchlistaux.constprop.0"), "patchlistaux");
    }

    #[test]
    fn what_all_use_stands_first_and_languages_stand_together() {
        let all: BTreeSet<usize> = (0..COMMANDS.len()).collect();
        let users = BTreeMap::from([
            ("luaA".to_owned(), BTreeSet::from([0])),
            ("luaB".to_owned(), BTreeSet::from([0])),
            ("jsA".to_owned(), BTreeSet::from([1])),
            ("z".to_owned(), all),
        ]);
        let text = script(&users);
        let place = |name: &str| text.find(&format!("*(\".text*.{name}\" \".text*.{name}.*\")")).expect(name);
        assert!(place("z") < place("luaA") && place("luaA") < place("luaB") && place("luaB") < place("jsA"), "{text}");
    }

    #[test]
    fn an_address_belongs_to_the_function_around_it() {
        let symbols = Symbols(BTreeMap::from([(0x10, (0x10, "a".to_owned())), (0x40, (0x10, "b".to_owned()))]));
        assert_eq!(
            [0x10, 0x1f, 0x20, 0x4f, 0x50].map(|address| symbols.name_at(address)),
            [Some("a"), Some("a"), None, Some("b"), None]
        );
    }
}

//! Running test programs and counting what passed and what was skipped.
//!
//! A test that cannot run here prints `skipped: REASON` and passes, so that every run can say what it left out.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    fs,
    io::{self, BufRead as _, BufReader},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    step::{Failure, Scratch, cargo, root, run as run_command, shown},
    test::{PROGRAMS, Profile},
};

/// The account of unprivileged test runs: nobody.
const NOBODY: u32 = 65534;
/// What every account can use, whatever version managers the author has.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What came of test runs.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    passed: u64,
    /// Test programs with failures.
    failed: Vec<String>,
    ignored: u64,
    /// The reason, and the tests that gave it.
    skipped: BTreeMap<String, Vec<String>>,
    /// The test whose output is being read.
    speaks: String,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        self.ignored += other.ignored;
        for (reason, tests) in other.skipped {
            self.skipped.entry(reason).or_default().extend(tests);
        }
    }

    /// The last words of a chore: everything counted, and whether anything failed.
    pub(crate) fn verdict(self) -> Result<(), Failure> {
        println!("\n{self}");
        if self.failed.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!("Tests failed, and their output stands above: {}.", self.failed.join(", "))))
    }

    /// One line of the output of a test program.
    fn read(&mut self, line: &str) {
        if let Some(test) = line.strip_prefix("---- ").and_then(|l| l.strip_suffix(" stdout ----")) {
            test.clone_into(&mut self.speaks);
        }
        if let Some(reason) = line.trim_start().strip_prefix("skipped: ") {
            self.skipped.entry(reason.trim_end().to_owned()).or_default().push(self.speaks.clone());
        }
        if let Some(result) = line.strip_prefix("test result: ") {
            for part in result.split(['.', ';']) {
                let mut words = part.split_whitespace();
                if let (Some(Ok(count)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) {
                    match what {
                        "passed" => self.passed += count,
                        "ignored" => self.ignored += count,
                        _ => {}
                    }
                }
            }
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped: usize = self.skipped.values().map(Vec::len).sum();
        write!(f, "{} tests passed, {} ignored, {skipped} skipped", self.passed, self.ignored)?;
        for (reason, tests) in &self.skipped {
            write!(f, "\n  {reason}: {}", tests.join(", "))?;
        }
        Ok(())
    }
}

/// Runs test programs and shows results as they come, and what failing tests have printed.
///
/// # Errors
/// Only if they cannot be run: failures are counted.
pub(crate) fn run(command: &mut Command) -> Result<Counts, Failure> {
    let name = shown(command);
    let failed = |error: &io::Error| Failure::new(format!("{name}: {error}."));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| failed(&error))?;
    let (mut counts, mut all) = (Counts::default(), String::new());
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(|error| failed(&error))?;
            let line = String::from_utf8_lossy(&line);
            counts.read(&line);
            if line.starts_with("test result: ") {
                println!("{line}");
            }
            let _ = writeln!(all, "{line}");
        }
    }
    let status = child.wait().map_err(|error| failed(&error))?;
    if !status.success() {
        print!("{}", without_successes(&all));
        counts.failed.push(format!("{name} ({status})"));
    }
    Ok(counts)
}

/// Leaves out what tests that passed have printed.
fn without_successes(output: &str) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for line in output.lines() {
        skipping = match line {
            "successes:" => true,
            "failures:" => false,
            line if line.starts_with("test result: ") => false,
            _ => skipping,
        };
        if !skipping {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Everything the end-to-end tests use, where any account can reach it.
pub(crate) struct Stage {
    scratch: Scratch,
    tests: Vec<PathBuf>,
}

impl Stage {
    /// Builds the tests of `package` and copies them beside the robot's programs.
    pub(crate) fn new(package: &str) -> Result<Self, Failure> {
        let built = built_tests(package)?;
        let scratch = Scratch::new("e2e")?;
        set_mode(scratch.path(), 0o755)?;
        let (bin, test_dir) = (scratch.path().join("bin"), scratch.path().join("test-programs"));
        make_dir(&bin)?;
        make_dir(&test_dir)?;
        for program in PROGRAMS {
            copy(&Profile::Debug.directory().join(program), &bin.join(program))?;
        }
        let mut tests = Vec::new();
        for executable in built {
            let copied = test_dir.join(executable.file_name().unwrap_or_default());
            copy(&executable, &copied)?;
            tests.push(copied);
        }
        for part in ["packaging", "tests"] {
            copy_tree(&root().join(part), &scratch.path().join(part))?;
        }
        Ok(Self { scratch, tests })
    }

    /// Under the account that runs the chore: as root this is packaged mode.
    pub(crate) fn run_as_ourselves(&self) -> Result<Counts, Failure> {
        let temporary = self.scratch.path().join("tmp");
        make_dir(&temporary)?;
        self.run_each(|test| {
            let mut command = Command::new(test);
            command.env("TMPDIR", &temporary);
            command
        })
    }

    /// Under an account without any privilege, which root may become.
    pub(crate) fn run_unprivileged(&self) -> Result<Counts, Failure> {
        let home = self.scratch.path().join("nobody");
        let (temporary, run_dir) = (home.join("tmp"), home.join("run"));
        for dir in [&home, &temporary, &run_dir] {
            make_dir(dir)?;
            chown(dir, Some(NOBODY), Some(NOBODY)).map_err(Failure::at(dir, "changing the owner of"))?;
            set_mode(dir, 0o700)?;
        }
        self.run_each(|test| {
            let mut command = Command::new("setpriv");
            command
                .args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()])
                .arg(test)
                .env("HOME", &home)
                .env("PATH", SYSTEM_PATH)
                .env("TMPDIR", &temporary)
                .env("USER", "nobody")
                .env("XDG_RUNTIME_DIR", &run_dir);
            command
        })
    }

    fn run_each(&self, command: impl Fn(&Path) -> Command) -> Result<Counts, Failure> {
        let mut counts = Counts::default();
        for test in &self.tests {
            println!("     Running {}", test.file_name().unwrap_or_default().to_string_lossy());
            let mut command = command(test);
            command
                .arg("--show-output")
                .current_dir(self.scratch.path())
                .env("GOPHER_TEST_BIN", self.scratch.path().join("bin"))
                .env("GOPHER_TEST_WORKSPACE", self.scratch.path());
            counts.add(run(&mut command)?);
        }
        Ok(counts)
    }
}

/// The test programs of a package, freshly built.
fn built_tests(package: &str) -> Result<Vec<PathBuf>, Failure> {
    let build = ["test", "--locked", "--no-run", "-p", package];
    run_command(&mut cargo(&build))?;
    let mut list = cargo(&build);
    list.args(["--quiet", "--message-format=json"]);
    let output =
        list.output().map_err(|error| Failure::new(format!("{} could not be started: {error}.", shown(&list))))?;
    Ok(executables(&String::from_utf8_lossy(&output.stdout)))
}

/// The test programs among the messages of cargo.
fn executables(messages: &str) -> Vec<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact" && message["profile"]["test"] == true)
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .collect()
}

fn make_dir(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(Failure::at(path, "creating"))
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Failure::at(path, "changing the mode of"))
}

/// Readable by all, executable if the original is.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::copy(from, to).map_err(Failure::at(from, "copying"))?;
    let executable = fs::metadata(from).is_ok_and(|m| m.permissions().mode() & 0o100 != 0);
    set_mode(to, if executable { 0o755 } else { 0o644 })
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Failure> {
    make_dir(to)?;
    set_mode(to, 0o755)?;
    for entry in fs::read_dir(from).map_err(Failure::at(from, "reading"))? {
        let entry = entry.map_err(Failure::at(from, "reading"))?;
        let (source, copied) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(Failure::at(&source, "looking at"))?;
        if kind.is_dir() {
            copy_tree(&source, &copied)?;
        } else if kind.is_file() {
            copy(&source, &copied)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_skips_are_counted() {
        let mut counts = Counts::default();
        for line in [
            "test a ... ok",
            "---- memory stdout ----",
            "skipped: this kernel has no memfd_secret",
            "---- one stdout ----",
            "skipped: ruby is not installed",
            "---- two stdout ----",
            "skipped: ruby is not installed",
            "test result: ok. 44 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.18s",
            "test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.18s",
        ] {
            counts.read(line);
        }
        assert_eq!((counts.passed, counts.ignored), (45, 2));
        assert_eq!(
            counts.to_string(),
            "45 tests passed, 2 ignored, 3 skipped\n  ruby is not installed: one, two\n  this kernel has no memfd_secret: memory"
        );
    }

    #[test]
    fn of_a_failure_only_the_failures_are_shown() {
        let output = "test a ... ok\n\nsuccesses:\n\n---- a stdout ----\nlong\n\nfailures:\n\n---- b stdout ----\nwhy\n\n\
                      test result: FAILED. 1 passed; 1 failed\n";
        let shown = without_successes(output);
        assert!(shown.contains("why") && !shown.contains("long"), "{shown}");
        assert!(shown.starts_with("test a ... ok") && shown.ends_with("1 failed\n"), "{shown}");
    }

    #[test]
    fn test_programs_are_found_among_the_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","profile":{"test":false},"executable":"/t/gopherd"}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","profile":{"test":true},"executable":"/t/conversation-1"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","profile":{"test":true},"executable":null}"#,
        );
        assert_eq!(executables(messages), [PathBuf::from("/t/conversation-1")]);
    }
}

//! What the tests of the utilities share: one call with its files, and what came of it.

use std::{ffi::OsString, fs, io::Write, path::Path, process::Stdio};

use crate::{Call, Io, utility};

/// A call to make.
pub(crate) struct Case {
    words: Vec<OsString>,
    input: Vec<u8>,
    environment: Vec<(String, String)>,
    pub place: tempfile::TempDir,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub status: u8,
    pub stdout: String,
    pub stderr: String,
    pub bytes: Vec<u8>,
}

impl Case {
    pub(crate) fn of(words: &[&str]) -> Self {
        let words = words.iter().map(OsString::from).collect();
        Self { words, input: Vec::new(), environment: Vec::new(), place: tempfile::tempdir().unwrap() }
    }

    /// The words are divided by blanks; no quotes.
    pub(crate) fn line(line: &str) -> Self {
        Self::of(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn input(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.input = bytes.as_ref().to_vec();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// A file of the working directory; its directories are made.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.place.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn run(&self) -> Done {
        self.again(&self.words, self.place.path())
    }

    /// Another call in the same directory.
    pub(crate) fn then(&self, line: &str) -> Done {
        self.again(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>(), self.place.path())
    }

    fn again(&self, words: &[OsString], directory: &Path) -> Done {
        let mut stdout = Vec::new();
        let mut stderr = Vec::new();
        let status = call(words, &self.input, directory, &self.environment, &mut stdout as &mut dyn Write, &mut stderr);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Done { status, stdout: text(&stdout), stderr: text(&stderr), bytes: stdout }
    }

    /// The same words through the system's program; nothing if it has none.
    #[expect(clippy::disallowed_methods, reason = "the system's own utilities are what ours are compared with")]
    pub(crate) fn on_the_system(&self) -> Option<Done> {
        let mut child = std::process::Command::new(&self.words[0])
            .args(&self.words[1..])
            .current_dir(self.place.path())
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        // A program that does not read its input closes it.
        let _ = child.stdin.take()?.write_all(&self.input);
        let output = child.wait_with_output().ok()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(Done {
            status: u8::try_from(output.status.code()?).ok()?,
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            bytes: output.stdout,
        })
    }
}

/// Calls a utility; commands that it starts are utilities too, and 127 if they are not.
fn call(
    words: &[OsString],
    mut input: &[u8],
    directory: &Path,
    environment: &[(String, String)],
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let Some(utility) = words[0].to_str().and_then(utility) else {
        writeln!(stderr, "{}: not found", words[0].display()).unwrap();
        return 127;
    };
    let mut run = |c: Call<'_>| call(c.words, &c.stdin, directory, environment, &mut *c.stdout, &mut *c.stderr);
    utility(&words[1..], &mut Io { stdin: &mut input, stdout, stderr, directory, environment, run: &mut run })
}

/// Runs `(words, input, stdout, status)` rows in a directory with the files `a` ("one\ntwo\nthree\n") and `b` ("x y\n").
pub(crate) fn table(rows: &[(&str, &str, &str, u8)]) {
    for (line, input, stdout, status) in rows {
        let done = Case::line(line).input(input).file("a", "one\ntwo\nthree\n").file("b", "x y\n").run();
        assert_eq!((done.stdout.as_str(), done.status), (*stdout, *status), "{line}: {}", done.stderr);
    }
}

/// Compares ours with the system's over a table of lines and inputs.
pub(crate) fn compare(rows: &[(&str, &str)]) {
    for (line, input) in rows {
        let case = Case::line(line).input(input).file("a", "one\ntwo\nthree\n").file("b", "x y\n");
        let Some(theirs) = case.on_the_system() else {
            println!("skipped: the system has no program for {line}");
            continue;
        };
        let ours = case.run();
        assert_eq!((ours.stdout, ours.status), (theirs.stdout, theirs.status), "{line}");
    }
}

//! One call of a utility: its streams, where its paths lie, what it says when something fails.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use crate::Call;

/// The status of a utility whose reader went away, as the shell shows a death by SIGPIPE.
const BROKEN_PIPE: u8 = 141;

/// What a utility is handed, with its name and the status it has come to so far.
pub(crate) struct Job<'a> {
    pub name: &'static str,
    pub stdin: &'a mut dyn Read,
    pub stdout: &'a mut dyn Write,
    pub stderr: &'a mut dyn Write,
    pub directory: &'a Path,
    pub environment: &'a [(String, String)],
    pub run: &'a mut dyn FnMut(Call<'_>) -> u8,
    pub status: u8,
    /// Files that cannot be read are not worth a word.
    pub silent: bool,
}

/// Why a utility ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The arguments are wrong; the usage is shown.
    Usage(String),
    /// A sentence, and the status.
    Failed(String, u8),
    /// Output cannot be written.
    Output(io::Error),
    /// The input at hand cannot be read; others may still be.
    Input(io::Error),
}

pub(crate) type Outcome = Result<(), Stop>;

/// Bare errors are those of writing the output; whoever reads says so.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

pub(crate) fn failed<T>(sentence: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(sentence.into(), 1))
}

pub(crate) fn usage<T>(sentence: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Usage(sentence.into()))
}

/// The reason without the number that only programmers read.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

impl Job<'_> {
    pub(crate) fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Says a sentence on stderr, in order with what was written to stdout; the utility will end with status 1.
    pub(crate) fn say(&mut self, sentence: &str) {
        // Who cannot be told cannot be told that either.
        let _ = self.stdout.flush();
        let _ = writeln!(self.stderr, "{}: {sentence}", self.name);
        self.status = self.status.max(1);
    }

    pub(crate) fn complain(&mut self, path: impl AsRef<Path>, error: &io::Error) {
        if self.silent {
            self.status = self.status.max(1);
            return;
        }
        self.say(&format!("{}: {}", path.as_ref().display(), reason(error)));
    }

    /// Complains unless it went well.
    pub(crate) fn check<T>(&mut self, path: impl AsRef<Path>, result: io::Result<T>) -> Option<T> {
        result.map_err(|e| self.complain(path, &e)).ok()
    }

    /// Asks a question on stderr; a line that begins with y on stdin agrees.
    pub(crate) fn agrees(&mut self, question: &str) -> bool {
        let _ = self.stdout.flush();
        let _ = write!(self.stderr, "{}: {question} ", self.name);
        let _ = self.stderr.flush();
        let mut line = Vec::new();
        let mut byte = [0];
        // Byte by byte, as the next question has the next line.
        while self.stdin.read_exact(&mut byte).is_ok() && byte != *b"\n" {
            line.push(byte[0]);
        }
        line.first().is_some_and(|first| first.eq_ignore_ascii_case(&b'y'))
    }

    /// Calls `each` with every input in turn: the named files, `-` or none for stdin. What cannot be read is said.
    pub(crate) fn inputs(
        &mut self,
        files: &[OsString],
        mut each: impl FnMut(&OsStr, &mut dyn BufRead, &mut dyn Write) -> Outcome,
    ) -> Outcome {
        let stdin = [OsString::from("-")];
        for file in if files.is_empty() { &stdin[..] } else { files } {
            let outcome = if file == "-" {
                each(file, &mut BufReader::new(&mut *self.stdin), &mut *self.stdout)
            } else {
                match File::open(self.directory.join(file)) {
                    Ok(opened) => each(file, &mut BufReader::with_capacity(64 * 1024, opened), &mut *self.stdout),
                    Err(error) => Err(Stop::Input(error)),
                }
            };
            match outcome {
                Err(Stop::Input(error)) => self.complain(file, &error),
                other => other?,
            }
        }
        Ok(())
    }

    /// Writes out what is left and says why the utility ended, if it was not done.
    pub(crate) fn finish(&mut self, outcome: Outcome, usage: &str) -> u8 {
        match outcome.and_then(|()| Ok(self.stdout.flush()?)) {
            Ok(()) => self.status,
            Err(Stop::Usage(sentence)) => {
                self.say(&sentence);
                let _ = writeln!(self.stderr, "usage: {usage}");
                2
            }
            Err(Stop::Failed(sentence, status)) => {
                self.say(&sentence);
                status
            }
            Err(Stop::Output(error)) if error.kind() == ErrorKind::BrokenPipe => BROKEN_PIPE,
            Err(Stop::Output(error)) => {
                let _ = writeln!(self.stderr, "{}: write error: {}", self.name, reason(&error));
                1
            }
            Err(Stop::Input(error)) => {
                self.say(&format!("read error: {}", reason(&error)));
                1
            }
        }
    }
}

/// The next line with its end, if it has one, into `line`; false at the end of the input.
pub(crate) fn next_line(input: &mut dyn BufRead, line: &mut Vec<u8>, end: u8) -> Result<bool, Stop> {
    line.clear();
    Ok(input.read_until(end, line).map_err(Stop::Input)? > 0)
}

/// The line without its end.
pub(crate) fn bare(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// Copies to the end.
pub(crate) fn pass(input: &mut dyn Read, output: &mut dyn Write) -> Outcome {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => output.write_all(&buffer[..count])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Stop::Input(error)),
        }
    }
}

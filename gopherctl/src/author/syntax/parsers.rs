//! Who reads which language: the robot's worker, or the interpreter of the machine; each as a program of its own.

use std::{
    io::{self, Write as _},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use super::{
    super::language::Language,
    faults::{self, Diagnostic},
};

/// What is wrong with a script. A reader that is not there is a diagnostic, too.
pub(super) fn parse(language: Language, text: &[u8], worker: &Path) -> Vec<Diagnostic> {
    let (program, args): (&Path, &[&str]) = match language {
        Language::Lua | Language::JavaScript | Language::Gsh => (worker, &["syntax", language.name()]),
        Language::Bash => (Path::new("bash"), &["-n", "/dev/stdin"]),
        Language::Python => (Path::new("python3"), &["-I", "-S", "-W", "ignore", "-c", PYTHON]),
        Language::Ruby => (Path::new("ruby"), &["--disable-gems", "-W0", "-c"]),
    };
    let output = match run(program, args, text) {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = program.display();
            return vec![Diagnostic::setup(format!("{name} is not there to read it: install it"))];
        }
        Err(error) => return vec![Diagnostic::setup(format!("{} could not be started: {error}", program.display()))],
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    let found = match language {
        Language::Bash => faults::of_bash(&errors),
        Language::Ruby => faults::of_ruby(&errors),
        Language::Python | Language::Lua | Language::JavaScript | Language::Gsh => {
            faults::of_json(&String::from_utf8_lossy(&output.stdout))
        }
    };
    // A reader that fails without a word about the script has a trouble of its own.
    if !output.status.success() && !found.iter().any(Diagnostic::is_error) {
        let words = errors.trim();
        let words = words.strip_prefix("gopher-worker: ").unwrap_or(words);
        let words = if words.is_empty() { "its reader failed" } else { words };
        return vec![Diagnostic::setup(words.to_owned())];
    }
    found
}

/// Compiles what it reads and runs nothing of it.
const PYTHON: &str = r#"
import json, sys
try:
    compile(sys.stdin.buffer.read(), "script", "exec", dont_inherit=True)
except SyntaxError as error:
    print(json.dumps({"message": error.msg, "line": error.lineno, "column": error.offset}))
except (ValueError, RecursionError, MemoryError) as error:
    print(json.dumps({"message": str(error) or type(error).__name__}))
"#;

#[expect(
    clippy::disallowed_methods,
    reason = "an author's interpreters read the author's own scripts, which they do not run"
)]
fn run(program: &Path, args: &[&str], text: &[u8]) -> io::Result<Output> {
    let mut child = Command::new(program)
        .args(args)
        // What an interpreter would run or load before it reads anything.
        .env_remove("BASH_ENV")
        .env_remove("ENV")
        .env_remove("RUBYOPT")
        .env_remove("RUBYLIB")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let stdin = child.stdin.take();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A reader that has seen enough need not read on.
            stdin.map(|mut stdin| stdin.write_all(text))
        });
        child.wait_with_output()
    })
}

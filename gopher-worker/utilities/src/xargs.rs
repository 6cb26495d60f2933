//! `xargs`.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use crate::{
    Call,
    job::{Job, Outcome, Stop, bare, failed, next_line},
    options::parse,
};

/// Bytes of arguments that one command is given.
const MOST: usize = 128 * 1024;
/// The status when a command failed.
const SOME_FAILED: u8 = 123;

const LONG: &[(&str, char)] =
    &[("null", '0'), ("max-args", 'n'), ("verbose", 't'), ("replace", 'I'), ("no-run-if-empty", 'r')];

pub(crate) fn xargs(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "+0rtn:I:", LONG)?;
    let most: usize = options.number('n')?.unwrap_or(usize::MAX).max(1);
    let command = if options.operands.is_empty() { vec!["echo".into()] } else { options.operands.clone() };
    let verbose = options.has('t');
    let replaced = options.value('I').map(OsStr::as_bytes);
    let mut items = Vec::new();
    let by_line = replaced.is_some();
    let zero = options.has('0');
    job.inputs(&[], |_, input, _| {
        let mut line = Vec::new();
        if zero || by_line {
            let end = if zero { 0 } else { b'\n' };
            while next_line(input, &mut line, end)? {
                let item = if zero { line.strip_suffix(&[0]).unwrap_or(&line) } else { bare(&line).trim_ascii_start() };
                if zero || !item.is_empty() {
                    items.push(item.to_vec());
                }
            }
            return Ok(());
        }
        let mut all = Vec::new();
        input.read_to_end(&mut all).map_err(Stop::Input)?;
        match words(&all) {
            Some(found) => items = found,
            None => return failed("a quote in the input is not closed; use -0"),
        }
        Ok(())
    })?;
    if let Some(text) = replaced {
        for item in &items {
            let words: Vec<OsString> = command.iter().map(|word| replace(word, text, item)).collect();
            if !start(job, &words, verbose)? {
                break;
            }
        }
        return Ok(());
    }
    if items.is_empty() {
        // An empty input still starts the command once, as everywhere.
        if !options.has('r') {
            start(job, &command, verbose)?;
        }
        return Ok(());
    }
    let mut rest = items.into_iter().map(OsString::from_vec).peekable();
    while rest.peek().is_some() {
        let mut words = command.clone();
        let mut size = 0;
        while let Some(next) = rest.next_if(|next| words.len() == command.len() || size + next.len() < MOST) {
            size += next.len() + 1;
            words.push(next);
            if words.len() - command.len() == most {
                break;
            }
        }
        if !start(job, &words, verbose)? {
            break;
        }
    }
    Ok(())
}

/// Starts one command. Whether others may follow.
fn start(job: &mut Job<'_>, words: &[OsString], verbose: bool) -> Result<bool, Stop> {
    job.stdout.flush()?;
    if verbose {
        let shown: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        let _ = writeln!(job.stderr, "{}", shown.join(" "));
    }
    let status = (job.run)(Call { words, stdin: Vec::new(), stdout: job.stdout, stderr: job.stderr });
    match status {
        0 => Ok(true),
        126 | 127 => {
            job.status = status;
            Ok(false)
        }
        255 => {
            job.status = 124;
            Ok(false)
        }
        _ => {
            job.status = SOME_FAILED;
            Ok(true)
        }
    }
}

fn replace(word: &OsStr, text: &[u8], item: &[u8]) -> OsString {
    let (mut rest, mut made) = (word.as_bytes(), Vec::new());
    while !text.is_empty() {
        let Some(at) = rest.windows(text.len()).position(|window| window == text) else {
            break;
        };
        made.extend(&rest[..at]);
        made.extend(item);
        rest = &rest[at + text.len()..];
    }
    made.extend(rest);
    OsString::from_vec(made)
}

/// Words between blanks; quotes and backslashes protect. Nothing if a quote is open at the end.
fn words(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => found.extend(word.take()),
            b'\'' | b'"' => {
                let word = word.get_or_insert_default();
                loop {
                    match bytes.next()? {
                        end if end == byte => break,
                        inner => word.push(inner),
                    }
                }
            }
            b'\\' => word.get_or_insert_default().extend(bytes.next()),
            other => word.get_or_insert_default().push(other),
        }
    }
    found.extend(word);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::words;
    use crate::testing::{Case, table};

    #[test]
    fn words_of_the_input_become_arguments() {
        table(&[
            ("xargs basename", "/x/y .y", "y\n", 0),
            ("xargs -n 1 basename", "a/1 'a/2 3'\na/4\\ 5", "1\n2 3\n4 5\n", 0),
            ("xargs -0 -n1 basename", "a/b c\0d/e\n\0", "b c\ne\n\n", 0),
            ("xargs -I {} basename x/{}.c .c", "1\n  2\n\n", "1\n2\n", 0),
            ("xargs -r basename", "", "", 0),
            ("xargs basename", "", "", 123),
            ("xargs cat", "none\n", "", 123),
            ("xargs nothing", "x", "", 127),
            ("xargs cat", "'open", "", 1),
            ("xargs -n x cat", "", "", 2),
        ]);
    }

    #[test]
    fn commands_are_shown_on_request() {
        assert_eq!(Case::line("xargs -t -n1 basename").input("a b").run().stderr, "basename a\nbasename b\n");
    }

    #[test]
    fn a_long_input_is_divided() {
        let input = "12345678 ".repeat(30_000);
        let done = Case::line("xargs seq").input(&input).run();
        assert!(done.stderr.matches("numbers are given").count() >= 2);
    }

    #[test]
    fn quotes_protect() {
        assert_eq!(words(b"a\"b c\"d ''").unwrap(), [&b"ab cd"[..], b""]);
        assert_eq!(words(b"'"), None);
    }
}

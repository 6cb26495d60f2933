//! `basename`, `dirname`, `realpath` and `pwd`.

use std::{ffi::OsString, os::unix::ffi::OsStrExt};

use crate::{
    job::{Job, Outcome, usage},
    options::parse,
};

pub(crate) fn basename(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "", &[])?;
    let (path, suffix): (&[u8], &[u8]) = match options.operands.as_slice() {
        [path] => (path.as_bytes(), b""),
        [path, suffix] => (path.as_bytes(), suffix.as_bytes()),
        _ => return usage("a path is needed, and at most a suffix"),
    };
    let trimmed = trim(path);
    let name = trimmed.rsplit(|b| *b == b'/').next().filter(|name| !name.is_empty()).unwrap_or(trimmed);
    let name = name.strip_suffix(suffix).filter(|rest| !rest.is_empty()).unwrap_or(name);
    line(job, name)
}

pub(crate) fn dirname(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "", &[])?;
    let [path] = options.operands.as_slice() else {
        return usage("one path is needed");
    };
    let trimmed = trim(path.as_bytes());
    let parent: &[u8] = match trimmed.iter().rposition(|b| *b == b'/') {
        None => b".",
        Some(at) => trim(&trimmed[..=at]),
    };
    line(job, parent)
}

/// Without slashes at the end, unless it is the root.
fn trim(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|b| *b != b'/').map_or(path.len().min(1), |last| last + 1);
    &path[..end]
}

pub(crate) fn realpath(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "", &[])?;
    if options.operands.is_empty() {
        return usage("a path is needed");
    }
    for path in &options.operands {
        if let Some(real) = job.check(path, job.resolve(path).canonicalize()) {
            line(job, real.as_os_str().as_bytes())?;
        }
    }
    Ok(())
}

pub(crate) fn pwd(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    parse(arguments, "LP", &[])?;
    line(job, job.directory.as_os_str().as_bytes())
}

/// Bytes as one line; names need not be text.
fn line(job: &mut Job<'_>, bytes: &[u8]) -> Outcome {
    job.stdout.write_all(bytes)?;
    Ok(job.stdout.write_all(b"\n")?)
}

#[cfg(test)]
mod tests {
    use crate::testing::{Case, compare, table};

    #[test]
    fn paths_are_taken_apart() {
        table(&[
            ("basename /a/b.txt", "", "b.txt\n", 0),
            ("basename /a/b.txt .txt", "", "b\n", 0),
            ("basename a/", "", "a\n", 0),
            ("basename /", "", "/\n", 0),
            ("basename .txt .txt", "", ".txt\n", 0),
            ("basename", "", "", 2),
            ("dirname /a/b", "", "/a\n", 0),
            ("dirname a", "", ".\n", 0),
            ("dirname /a", "", "/\n", 0),
            ("dirname a//b//", "", "a\n", 0),
            ("dirname a b", "", "", 2),
            ("realpath none/x", "", "", 1),
        ]);
    }

    #[test]
    fn the_working_directory_is_the_shells() {
        let case = Case::line("pwd").file("d/f", "");
        let place = case.place.path().display().to_string();
        assert_eq!(case.run().stdout, format!("{place}\n"));
        assert_eq!(case.then("realpath d/../d/f").stdout, format!("{place}/d/f\n"));
    }

    #[test]
    fn it_agrees_with_the_system() {
        for path in ["/", "//", "a", "a/", "/a", "a/b", "/a//b///", ".", "..", "a/.", "-"] {
            compare(&[(&format!("basename {path}"), ""), (&format!("dirname {path}"), "")]);
        }
    }
}

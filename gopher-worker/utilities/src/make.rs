//! `mkdir` and `mktemp`.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom, SystemRandom};

use crate::{
    job::{Job, Outcome, Stop, failed, reason, usage},
    mode,
    options::parse,
};

pub(crate) fn mkdir(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "pvm:", &[("parents", 'p'), ("mode", 'm'), ("verbose", 'v')])?;
    if options.operands.is_empty() {
        return usage("a directory is missing");
    }
    let mode = match options.value('m') {
        None => None,
        Some(text) => match text.to_str().and_then(|text| mode::changed(text, 0o777, true)) {
            None => return failed(format!("\"{}\" is no mode", text.display())),
            mode => mode,
        },
    };
    for directory in &options.operands {
        let path = job.resolve(directory);
        let outcome = make(&path, options.has('p')).and_then(|new| {
            mode.filter(|_| new).map_or(Ok(()), |mode| fs::set_permissions(&path, Permissions::from_mode(mode)))
        });
        if job.check(directory, outcome).is_some() && options.has('v') {
            writeln!(job.stdout, "{}", directory.display())?;
        }
    }
    Ok(())
}

/// Whether it is new.
fn make(path: &Path, parents: bool) -> io::Result<bool> {
    if !parents {
        return fs::create_dir(path).map(|()| true);
    }
    if path.is_dir() {
        return Ok(false);
    }
    fs::create_dir_all(path).map(|()| true)
}

/// As many tries as there are only if somebody makes them collide.
const TRIES: usize = 100;

pub(crate) fn mktemp(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "dqup:", &[("directory", 'd'), ("quiet", 'q'), ("dry-run", 'u'), ("tmpdir", 'p')])?;
    if options.operands.len() > 1 {
        return usage("more than one template is given");
    }
    let template = options.operands.first().map_or(OsStr::new("tmp.XXXXXXXXXX"), OsString::as_os_str);
    let outcome = temporary(job, template, options.value('p'), options.has('d'), options.has('u'));
    match outcome {
        Err(Stop::Failed(..)) if options.has('q') => {
            job.status = 1;
            Ok(())
        }
        other => other,
    }
}

fn temporary(job: &mut Job<'_>, template: &OsStr, below: Option<&OsStr>, directory: bool, dry: bool) -> Outcome {
    let said = |error: &io::Error| Stop::Failed(format!("{}: {}", template.display(), reason(error)), 1);
    let Some((begin, end)) = places(template.as_bytes()) else {
        return failed(format!("the template \"{}\" has no XXXXXX to replace", template.display()));
    };
    for _ in 0..TRIES {
        let mut name = template.as_bytes().to_vec();
        fill(&mut name[begin..end]).map_err(|()| Stop::Failed("no random numbers are to be had".into(), 1))?;
        let shown = PathBuf::from(below.unwrap_or_default()).join(OsString::from_vec(name));
        let path = job.resolve(&shown);
        let made = if dry {
            Ok(())
        } else {
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
                if directory {
                    DirBuilder::new().mode(0o700).create(&path)
                } else {
                    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map(drop)
                }
            })
        };
        match made {
            Ok(()) => {
                job.stdout.write_all(shown.as_os_str().as_bytes())?;
                return Ok(job.stdout.write_all(b"\n")?);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(said(&error)),
        }
    }
    Err(said(&ErrorKind::AlreadyExists.into()))
}

/// Where the last run of six or more X lies.
fn places(template: &[u8]) -> Option<(usize, usize)> {
    let mut end = template.len();
    loop {
        end = template[..end].iter().rposition(|b| *b == b'X')? + 1;
        let begin = template[..end].iter().rposition(|b| *b != b'X').map_or(0, |at| at + 1);
        if end - begin >= 6 {
            return Some((begin, end));
        }
        end = begin;
    }
}

/// 32 characters of which none is mistaken for another.
fn fill(part: &mut [u8]) -> Result<(), ()> {
    SystemRandom::new().fill(part).map_err(|_| ())?;
    for byte in part {
        *byte = b"abcdefghijkmnpqrstuvwxyz23456789"[usize::from(*byte & 31)];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::places;
    use crate::testing::{Case, table};

    #[test]
    fn directories_are_made() {
        let case = Case::line("mkdir a a/b").file("f", "");
        assert_eq!(case.run().status, 0);
        for (line, status, stderr) in [
            ("mkdir a", 1, "mkdir: a: File exists\n"),
            ("mkdir -p a x/y/z", 0, ""),
            ("mkdir -p f", 1, "mkdir: f: File exists\n"),
            ("mkdir q/r", 1, "mkdir: q/r: No such file or directory\n"),
            ("mkdir -m 700 s", 0, ""),
            ("mkdir -m zz t", 1, "mkdir: \"zz\" is no mode\n"),
        ] {
            let done = case.then(line);
            assert_eq!((done.status, done.stderr.as_str()), (status, stderr), "{line}");
        }
        let mode = fs::metadata(case.place.path().join("s")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(case.place.path().join("x/y/z").is_dir());
    }

    #[test]
    fn temporary_files_are_new_and_private() {
        let case = Case::line("mktemp");
        let (one, two) = (case.run().stdout, case.run().stdout);
        assert_ne!(one, two);
        assert!(one.starts_with("tmp.") && one.len() == 15, "{one}");
        let mode = fs::metadata(case.place.path().join(one.trim())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let below = case.then("mktemp -d x/y-XXXXXX.d").stdout;
        assert!(below.starts_with("x/y-") && below.ends_with(".d\n"), "{below}");
        assert!(case.place.path().join(below.trim()).is_dir());
        assert!(case.then("mktemp -p sub").stdout.starts_with("sub/tmp."));
    }

    #[test]
    fn bad_templates_are_refused() {
        table(&[("mktemp XXXXX", "", "", 1), ("mktemp -q XXX", "", "", 1), ("mktemp a b", "", "", 2)]);
        assert_eq!(Case::line("mktemp -q XXX").run().stderr, "");
        assert_eq!(places(b"XXXXXXX-aXXX"), Some((0, 7)));
        assert_eq!(places(b"aXXXXX"), None);
    }
}

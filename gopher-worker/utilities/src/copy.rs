//! `cp`, and the copying that `mv` needs between file systems.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, FileTimes, Metadata, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use crate::{
    job::{Job, Outcome, Stop, usage},
    options::parse,
};

/// How things are copied.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub(crate) struct Manner {
    pub recursive: bool,
    /// What stands in the way is removed first if it cannot be written.
    pub force: bool,
    /// Mode, times and, where allowed, owner.
    pub preserve: bool,
    /// Links are followed.
    pub follow: bool,
    pub ask: bool,
    pub keep: bool,
}

const LONG: &[(&str, char)] = &[
    ("recursive", 'r'),
    ("force", 'f'),
    ("interactive", 'i'),
    ("no-clobber", 'n'),
    ("preserve", 'p'),
    ("archive", 'a'),
    ("dereference", 'L'),
    ("no-dereference", 'P'),
];

pub(crate) fn cp(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "rRfinpaLP", LONG)?;
    let recursive = options.last_of("rRa").is_some();
    let manner = Manner {
        recursive,
        force: options.has('f'),
        preserve: options.last_of("pa").is_some(),
        follow: options.last_of("LPa").map_or(!recursive, |last| last == 'L'),
        ask: options.last_of("fin") == Some('i'),
        keep: options.last_of("fin") == Some('n'),
    };
    for (source, target) in targets(job, &options.operands)? {
        tree(job, Path::new(&source), &target, manner);
    }
    Ok(())
}

/// Which source goes where: into the last operand if that is a directory.
pub(crate) fn targets(job: &Job<'_>, operands: &[OsString]) -> Result<Vec<(OsString, PathBuf)>, Stop> {
    let Some((target, sources)) = operands.split_last().filter(|(_, sources)| !sources.is_empty()) else {
        return usage("a source and a target are needed");
    };
    if !job.resolve(target).is_dir() {
        return match sources {
            [source] => Ok(vec![(source.clone(), PathBuf::from(target))]),
            _ => Err(Stop::Failed(
                format!("{}: it is not a directory, and there are several sources", target.display()),
                1,
            )),
        };
    }
    let inside = |source: &OsString| {
        // `cp -r d/. t` copies the content, and `..` has no name of its own.
        let name = Path::new(source).file_name().unwrap_or_default();
        let dotted = matches!(Path::new(source).components().next_back(), Some(std::path::Component::ParentDir))
            || ends_in_dot(source);
        (source.clone(), if dotted { PathBuf::from(target) } else { Path::new(target).join(name) })
    };
    Ok(sources.iter().map(inside).collect())
}

fn ends_in_dot(source: &OsString) -> bool {
    let text = source.as_encoded_bytes();
    text == b"." || text.ends_with(b"/.")
}

/// Copies what is there, said errors included. Whether all of it went well.
pub(crate) fn tree(job: &mut Job<'_>, source: &Path, target: &Path, manner: Manner) -> bool {
    let (from, to) = (job.resolve(source), job.resolve(target));
    let found = if manner.follow { fs::metadata(&from) } else { fs::symlink_metadata(&from) };
    let Some(found) = job.check(source, found) else {
        return false;
    };
    if found.is_dir() {
        return directory(job, source, target, &found, manner);
    }
    if let Ok(there) = fs::metadata(&to) {
        if (there.dev(), there.ino()) == (found.dev(), found.ino()) {
            job.say(&format!("{} and {} are the same file", source.display(), target.display()));
            return false;
        }
        if there.is_dir() {
            job.say(&format!("{}: it is a directory and stays one", target.display()));
            return false;
        }
        if manner.keep || (manner.ask && !job.agrees(&format!("overwrite {}?", target.display()))) {
            return true;
        }
    }
    if found.is_file() {
        let done = file(&from, &to, &found, manner);
        return job.check(target, done).is_some();
    }
    if found.is_symlink() {
        return job.check(target, link(&from, &to)).is_some();
    }
    job.say(&format!("{}: it is neither file, directory nor link", source.display()));
    false
}

fn directory(job: &mut Job<'_>, source: &Path, target: &Path, found: &Metadata, manner: Manner) -> bool {
    if !manner.recursive {
        job.say(&format!("{}: it is a directory, which only -r copies", source.display()));
        return false;
    }
    let (from, to) = (job.resolve(source), job.resolve(target));
    let Some(entries) = job.check(source, fs::read_dir(&from).and_then(Iterator::collect::<io::Result<Vec<_>>>)) else {
        return false;
    };
    if !to.is_dir() && job.check(target, DirBuilder::new().create(&to)).is_none() {
        return false;
    }
    // A copy of a directory in itself would never end.
    if let (Ok(from), Ok(to)) = (from.canonicalize(), to.canonicalize())
        && to.starts_with(&from)
    {
        job.say(&format!("{}: it cannot be copied into itself, {}", source.display(), target.display()));
        return false;
    }
    let mut whole = true;
    for entry in entries {
        whole &= tree(job, &source.join(entry.file_name()), &target.join(entry.file_name()), manner);
    }
    let dressed = fs::set_permissions(&to, Permissions::from_mode(found.mode() & 0o777))
        .and_then(|()| if manner.preserve { File::open(&to).and_then(|opened| keep(&opened, found)) } else { Ok(()) });
    job.check(target, dressed).is_some() && whole
}

fn file(from: &Path, to: &Path, found: &Metadata, manner: Manner) -> io::Result<()> {
    let mut input = File::open(from)?;
    let mut output = match File::create(to) {
        Err(error) if manner.force && error.kind() == ErrorKind::PermissionDenied => {
            fs::remove_file(to)?;
            File::create(to)?
        }
        other => other?,
    };
    io::copy(&mut input, &mut output)?;
    output.set_permissions(Permissions::from_mode(found.mode() & if manner.preserve { 0o7777 } else { 0o777 }))?;
    if manner.preserve { keep(&output, found) } else { Ok(()) }
}

fn keep(opened: &File, found: &Metadata) -> io::Result<()> {
    // An ordinary user cannot give files away; that is no failure.
    let _ = std::os::unix::fs::fchown(opened, Some(found.uid()), Some(found.gid()));
    opened.set_times(FileTimes::new().set_accessed(found.accessed()?).set_modified(found.modified()?))
}

fn link(from: &Path, to: &Path) -> io::Result<()> {
    let aim = fs::read_link(from)?;
    if to.is_symlink() || to.exists() {
        fs::remove_file(to)?;
    }
    symlink(aim, to)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use crate::testing::Case;

    #[test]
    fn files_and_trees_are_copied() {
        let case = Case::line("cp a b").file("a", "1").file("d/e/f", "2");
        symlink("f", case.place.path().join("d/e/l")).unwrap();
        for (line, stderr, status) in [
            ("cp a b", "", 0),
            ("cp -r d t", "", 0),
            ("cp a b t", "", 0),
            ("cp d x", "cp: d: it is a directory, which only -r copies\n", 1),
            ("cp a a", "cp: a and a are the same file\n", 1),
            ("cp a b c", "cp: c: it is not a directory, and there are several sources\n", 1),
            ("cp -r d d/e", "cp: d: it cannot be copied into itself, d/e/d\n", 1),
            ("cp none x", "cp: none: No such file or directory\n", 1),
            ("cp a none/x", "cp: none/x: No such file or directory\n", 1),
            ("cp -n d/e/f b", "", 0),
        ] {
            let done = case.then(line);
            assert_eq!((done.stderr.as_str(), done.status), (stderr, status), "{line}");
        }
        assert_eq!(case.then("cat b t/a t/b t/e/f").stdout, "1112");
        assert_eq!(fs::read_link(case.place.path().join("t/e/l")).unwrap().to_str(), Some("f"));
    }

    #[test]
    fn times_are_kept_on_request_and_questions_answered() {
        let case = Case::line("touch -d @7 a").file("a", "1").file("b", "2").input("n\n");
        case.run();
        case.then("cp -p a c");
        assert_eq!(
            fs::metadata(case.place.path().join("c"))
                .unwrap()
                .modified()
                .unwrap()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap()
                .as_secs(),
            7
        );
        assert_eq!(case.then("cp -i a b").stderr, "cp: overwrite b? ");
        assert_eq!(case.then("cat b").stdout, "2");
    }
}

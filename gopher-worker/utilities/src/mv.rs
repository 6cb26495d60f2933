//! `mv`.

use std::{
    ffi::OsString,
    fs,
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt,
    path::Path,
};

use crate::{
    copy::{Manner, targets, tree},
    job::{Job, Outcome},
    options::{Options, parse},
};

const LONG: &[(&str, char)] = &[("force", 'f'), ("interactive", 'i'), ("no-clobber", 'n'), ("update", 'u')];

pub(crate) fn mv(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "finu", LONG)?;
    for (source, target) in targets(job, &options.operands)? {
        one(job, Path::new(&source), &target, &options);
    }
    Ok(())
}

fn one(job: &mut Job<'_>, source: &Path, target: &Path, options: &Options) {
    let (from, to) = (job.resolve(source), job.resolve(target));
    let Some(found) = job.check(source, fs::symlink_metadata(&from)) else {
        return;
    };
    if let Ok(there) = fs::symlink_metadata(&to) {
        if (there.dev(), there.ino()) == (found.dev(), found.ino()) {
            job.say(&format!("{} and {} are the same file", source.display(), target.display()));
            return;
        }
        let older = options.has('u') && found.modified().ok() <= there.modified().ok();
        let refused = match options.last_of("fin") {
            Some('n') => true,
            Some('i') => !older && !job.agrees(&format!("overwrite {}?", target.display())),
            _ => false,
        };
        if older || refused {
            return;
        }
    }
    match fs::rename(&from, &to) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => across(job, source, target, &found),
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            job.say(&format!("{}: it cannot be moved into itself, {}", source.display(), target.display()));
        }
        other => {
            job.check(target, other);
        }
    }
}

/// To another file system: copied, then removed if the copy is whole.
fn across(job: &mut Job<'_>, source: &Path, target: &Path, found: &fs::Metadata) {
    let manner = Manner { recursive: true, force: true, preserve: true, ..Manner::default() };
    if tree(job, source, target, manner) {
        let from = job.resolve(source);
        let gone: io::Result<()> = if found.is_dir() { fs::remove_dir_all(from) } else { fs::remove_file(from) };
        job.check(source, gone);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Case;

    #[test]
    fn files_are_renamed_and_moved_into_directories() {
        let case = Case::line("mv a b").file("a", "1").file("d/x", "2").file("c", "3");
        for (line, stderr, status) in [
            ("mv a b", "", 0),
            ("mv b d", "", 0),
            ("mv -n c d/x", "", 0),
            ("touch -d @5 c", "", 0),
            ("mv -u c d/x", "", 0),
            ("mv d d/e", "mv: d: it cannot be moved into itself, d/e\n", 1),
            ("mv none x", "mv: none: No such file or directory\n", 1),
            ("mv c c", "mv: c and c are the same file\n", 1),
            ("mv d/x d/b y", "mv: y: it is not a directory, and there are several sources\n", 1),
        ] {
            let done = case.then(line);
            assert_eq!((done.stderr.as_str(), done.status), (stderr, status), "{line}");
        }
        assert_eq!(case.then("cat d/b d/x c").stdout, "123");
        case.then("mv -f c d/x");
        assert_eq!(case.then("cat d/x").stdout, "3");
    }

    #[test]
    fn a_file_goes_to_another_file_system_too() {
        let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
            println!("skipped: there is no /dev/shm");
            return;
        };
        let case = Case::line("ls").file("d/f", "1");
        let target = elsewhere.path().join("d").display().to_string();
        assert_eq!(case.then(&format!("mv d {target}")).stderr, "");
        assert_eq!(case.run().stdout, "");
        assert_eq!(case.then(&format!("cat {target}/f")).stdout, "1");
    }
}

//! `rm`, which never removes `/`, `.` or `..`.

use std::{
    ffi::OsString,
    fs,
    io::{self, ErrorKind},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use crate::{
    job::{Job, Outcome, usage},
    options::{Options, parse},
};

const LONG: &[(&str, char)] = &[("recursive", 'r'), ("force", 'f'), ("interactive", 'i'), ("verbose", 'v')];

pub(crate) fn rm(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "rRfiv", LONG)?;
    if options.operands.is_empty() {
        // `rm -f $files` with nothing left is what -f is for.
        return if options.has('f') { Ok(()) } else { usage("a file is missing") };
    }
    for file in &options.operands {
        if forbidden(job, file) {
            job.say(&format!("{}: it refuses to remove /, . and ..", file.display()));
            continue;
        }
        let path = job.resolve(file);
        one(job, Path::new(file), &path, &options)?;
    }
    Ok(())
}

/// `/`, `.` and `..`, however they are spelled.
fn forbidden(job: &Job<'_>, file: &OsString) -> bool {
    let bytes = file.as_bytes();
    let name = bytes.rsplit(|b| *b == b'/').find(|part| !part.is_empty());
    if matches!(name, None | Some(b"." | b"..")) {
        return !bytes.is_empty();
    }
    // A slash at the end follows a link, so the link may be one to the root.
    let Ok(real) = job.resolve(file).canonicalize() else {
        return false;
    };
    let link = bytes.last() != Some(&b'/') && job.resolve(file).is_symlink();
    let above = || job.directory.canonicalize().is_ok_and(|here| here.starts_with(&real));
    !link && (real == Path::new("/") || above())
}

fn one(job: &mut Job<'_>, shown: &Path, path: &PathBuf, options: &Options) -> Outcome {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if options.has('f') && absent(&error) => return Ok(()),
        Err(error) => {
            job.complain(shown, &error);
            return Ok(());
        }
    };
    let asks = options.last_of("fi") == Some('i');
    if !found.is_dir() {
        if asks && !job.agrees(&format!("remove {}?", shown.display())) {
            return Ok(());
        }
        return told(job, shown, fs::remove_file(path), options);
    }
    if options.last_of("rR").is_none() {
        job.say(&format!("{}: it is a directory, which only -r removes", shown.display()));
        return Ok(());
    }
    if asks || options.has('v') {
        if asks && !job.agrees(&format!("descend into {}?", shown.display())) {
            return Ok(());
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in job.check(shown, entries).unwrap_or_default() {
            one(job, &shown.join(entry.file_name()), &entry.path(), options)?;
        }
        if asks && !job.agrees(&format!("remove {}?", shown.display())) {
            return Ok(());
        }
        return told(job, shown, fs::remove_dir(path), options);
    }
    // The standard library removes a tree by descriptors, so that no link that appears meanwhile leads out of it.
    told(job, shown, fs::remove_dir_all(path), options)
}

fn told(job: &mut Job<'_>, shown: &Path, done: io::Result<()>, options: &Options) -> Outcome {
    if job.check(shown, done).is_some() && options.has('v') {
        writeln!(job.stdout, "removed {}", shown.display())?;
    }
    Ok(())
}

/// What is not there, or is below something that is no directory.
fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use crate::testing::Case;

    #[test]
    fn files_and_trees_are_removed() {
        let case = Case::line("rm a").file("a", "").file("d/e/f", "").file("b", "").file("c", "");
        symlink("/", case.place.path().join("link")).unwrap();
        for (line, stderr, status) in [
            ("rm a", "", 0),
            ("rm a", "rm: a: No such file or directory\n", 1),
            ("rm -f a b/x", "", 0),
            ("rm d", "rm: d: it is a directory, which only -r removes\n", 1),
            ("rm -r d", "", 0),
            ("rm -rf link", "", 0),
            ("rm", "rm: a file is missing\nusage: rm [-rfiv] FILE...\n", 2),
            ("rm -f", "", 0),
        ] {
            let done = case.then(line);
            assert_eq!((done.stderr.as_str(), done.status), (stderr, status), "{line}");
        }
        assert_eq!(case.then("ls").stdout, "b\nc\n");
        assert_eq!(case.then("rm -v b").stdout, "removed b\n");
    }

    #[test]
    fn the_root_and_the_working_directory_stay() {
        let case = Case::line("rm -rf").file("d/f", "");
        symlink("/", case.place.path().join("link")).unwrap();
        symlink(".", case.place.path().join("here")).unwrap();
        let absolute = case.place.path().display().to_string();
        for name in ["/", "//", ".", "..", "./", "d/..", "d/.", "../", "/..", "/.", "link/", "here/", &absolute] {
            let done = case.then(&format!("rm -rf {name}"));
            assert_eq!(done.status, 1, "{name}");
            assert!(done.stderr.contains("it refuses to remove /, . and .."), "{name}: {}", done.stderr);
        }
        assert_eq!(case.then("cat d/f").status, 0);
    }

    #[test]
    fn it_asks_before_each_file() {
        let case = Case::line("rm -ri d x").file("d/a", "").file("x", "").input("y\ny\nn\ny\n");
        let done = case.run();
        assert_eq!(done.stderr, "rm: descend into d? rm: remove d/a? rm: remove d? rm: remove x? ");
        assert_eq!(case.then("ls").stdout, "d\n");
    }
}

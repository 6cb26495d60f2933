//! `touch`.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, OpenOptions},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use nix::{
    fcntl::AT_FDCWD,
    sys::stat::{UtimensatFlags, utimensat},
    sys::time::TimeSpec,
};

use crate::{
    job::{Job, Outcome, failed, usage},
    options::parse,
};

const LONG: &[(&str, char)] = &[("no-create", 'c'), ("date", 'd'), ("reference", 'r')];

pub(crate) fn touch(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "acmd:r:", LONG)?;
    if options.operands.is_empty() {
        return usage("a file is missing");
    }
    let (mut access, mut change) = (TimeSpec::UTIME_NOW, TimeSpec::UTIME_NOW);
    if let Some(reference) = options.value('r') {
        let found = fs::metadata(job.resolve(reference));
        let Some(found) = job.check(reference, found) else {
            return Ok(());
        };
        access = TimeSpec::new(found.atime(), found.atime_nsec());
        change = TimeSpec::new(found.mtime(), found.mtime_nsec());
    }
    if let Some(text) = options.value('d') {
        let Some(moment) = moment(text) else {
            return failed(format!("\"{}\" is no time such as 2026-03-07T12:00:00Z", text.display()));
        };
        change = TimeSpec::new(moment.as_second(), moment.subsec_nanosecond().into());
        access = change;
    }
    match (options.has('a'), options.has('m')) {
        (true, false) => change = TimeSpec::UTIME_OMIT,
        (false, true) => access = TimeSpec::UTIME_OMIT,
        _ => {}
    }
    for file in &options.operands {
        let path = job.resolve(file);
        if options.has('c') && !path.exists() {
            continue;
        }
        job.check(file, one(&path, &access, &change));
    }
    Ok(())
}

fn one(path: &Path, access: &TimeSpec, change: &TimeSpec) -> io::Result<()> {
    if !path.exists() {
        OpenOptions::new().create(true).append(true).open(path)?;
    }
    Ok(utimensat(AT_FDCWD, path, access, change, UtimensatFlags::FollowSymlink)?)
}

/// A time with its zone, a civil one of the system's zone, or `@` with seconds since 1970.
fn moment(text: &OsStr) -> Option<Timestamp> {
    let text = text.to_str()?;
    if let Some(seconds) = text.strip_prefix('@') {
        return Timestamp::from_second(seconds.parse().ok()?).ok();
    }
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(TimeZone::system()).ok()?.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt};

    use crate::testing::{Case, table};

    #[test]
    fn files_are_made_and_dated() {
        let case = Case::line("touch a b").file("b", "keep");
        assert_eq!(case.run().status, 0);
        let times = |name: &str| fs::metadata(case.place.path().join(name)).map(|f| (f.atime(), f.mtime()));
        assert_eq!(case.then("cat a b").stdout, "keep");
        assert_eq!(case.then("touch -c none").status, 0);
        assert!(times("none").is_err());
        case.then("touch -d 1970-01-01T00:01:00Z a");
        assert_eq!(times("a").unwrap(), (60, 60));
        case.then("touch -m -d @5 a");
        assert_eq!(times("a").unwrap(), (60, 5));
        case.then("touch -r a b");
        assert_eq!(times("b").unwrap(), (60, 5));
        case.then("touch -a b");
        assert!(times("b").unwrap().0 > 60 && times("b").unwrap().1 == 5);
    }

    #[test]
    fn wrong_calls_are_refused() {
        table(&[
            ("touch", "", "", 2),
            ("touch -d soon a", "", "", 1),
            ("touch x/y", "", "", 1),
            ("touch -r none a", "", "", 1),
        ]);
    }
}

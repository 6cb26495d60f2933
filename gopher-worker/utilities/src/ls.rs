//! `ls`: one name a line, in the order of the bytes.

use std::{
    ffi::OsString,
    fs::{self, Metadata},
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use jiff::{Timestamp, tz::TimeZone};
use nix::unistd::{Gid, Group, Uid, User};

use crate::{
    job::{Job, Outcome},
    mode,
    options::{Options, parse},
};

/// A thing to show.
struct Item {
    shown: PathBuf,
    path: PathBuf,
    found: Metadata,
}

pub(crate) fn ls(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let long = [
        ("all", 'a'),
        ("almost-all", 'A'),
        ("recursive", 'R'),
        ("human-readable", 'h'),
        ("directory", 'd'),
        ("classify", 'F'),
    ];
    let options = parse(arguments, "1aAdFhlrRSt", &long)?;
    let here = [OsString::from(".")];
    let operands = if options.operands.is_empty() { &here[..] } else { &options.operands };
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for name in operands {
        let path = job.resolve(name);
        // A link to a directory means the directory, unless the link itself is looked at.
        let found = if options.last_of("ldF").is_some() {
            fs::symlink_metadata(&path)
        } else {
            fs::metadata(&path).or_else(|_| fs::symlink_metadata(&path))
        };
        if let Some(found) = job.check(name, found) {
            let list = if found.is_dir() && !options.has('d') { &mut directories } else { &mut files };
            list.push(Item { shown: PathBuf::from(name), path, found });
        }
    }
    let titles = operands.len() > 1 || options.has('R');
    order(&mut files, &options);
    order(&mut directories, &options);
    show(job, &files, &options)?;
    let mut first = files.is_empty();
    for item in directories {
        directory(job, &item.shown, &item.path, &options, titles, &mut first)?;
    }
    Ok(())
}

fn directory(
    job: &mut Job<'_>,
    shown: &Path,
    path: &Path,
    options: &Options,
    title: bool,
    first: &mut bool,
) -> Outcome {
    let Some(entries) = job.check(shown, fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>)) else {
        return Ok(());
    };
    if title {
        let gap = if std::mem::take(first) { "" } else { "\n" };
        writeln!(job.stdout, "{gap}{}:", shown.display())?;
    }
    let mut items = Vec::new();
    let mut names: Vec<OsString> = entries.iter().map(fs::DirEntry::file_name).collect();
    if options.has('a') {
        names.extend([".".into(), "..".into()]);
    }
    for name in names {
        if name.as_bytes().starts_with(b".") && options.last_of("aA").is_none() {
            continue;
        }
        let path = path.join(&name);
        if let Some(found) = job.check(shown.join(&name), fs::symlink_metadata(&path)) {
            items.push(Item { shown: name.into(), path, found });
        }
    }
    order(&mut items, options);
    show(job, &items, options)?;
    if options.has('R') {
        for item in items.iter().filter(|item| item.found.is_dir()) {
            if !matches!(item.shown.as_os_str().as_bytes(), b"." | b"..") {
                directory(job, &shown.join(&item.shown), &item.path, options, true, first)?;
            }
        }
    }
    Ok(())
}

fn order(items: &mut [Item], options: &Options) {
    items.sort_by(|a, b| {
        let names = a.shown.as_os_str().cmp(b.shown.as_os_str());
        match options.last_of("St") {
            Some('S') => b.found.len().cmp(&a.found.len()).then(names),
            Some(_) => b.found.modified().ok().cmp(&a.found.modified().ok()).then(names),
            None => names,
        }
    });
    if options.has('r') {
        items.reverse();
    }
}

fn show(job: &mut Job<'_>, items: &[Item], options: &Options) -> Outcome {
    let rows: Vec<[String; 5]> =
        if options.has('l') { items.iter().map(|item| details(item, options.has('h'))).collect() } else { Vec::new() };
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    for (at, item) in items.iter().enumerate() {
        if let Some([links, owner, group, size, time]) = rows.get(at) {
            let [w0, w1, w2, w3] = widths;
            let (kind, mode) = (kind(&item.found), mode::shown(item.found.mode()));
            write!(job.stdout, "{kind}{mode} {links:>w0$} {owner:<w1$} {group:<w2$} {size:>w3$} {time} ")?;
        }
        job.stdout.write_all(item.shown.as_os_str().as_bytes())?;
        if options.has('F') {
            let mark = match kind(&item.found) {
                'd' => "/",
                'l' => "@",
                'p' => "|",
                's' => "=",
                '-' if item.found.mode() & 0o111 != 0 => "*",
                _ => "",
            };
            job.stdout.write_all(mark.as_bytes())?;
        }
        if options.has('l')
            && item.found.is_symlink()
            && let Ok(aim) = fs::read_link(&item.path)
        {
            write!(job.stdout, " -> {}", aim.display())?;
        }
        job.stdout.write_all(b"\n")?;
    }
    Ok(())
}

/// The letter for what it is.
pub(crate) fn kind(found: &Metadata) -> char {
    match found.mode() & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o060_000 => 'b',
        0o020_000 => 'c',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '-',
    }
}

/// Links, owner, group, size and time.
fn details(item: &Item, human: bool) -> [String; 5] {
    let found = &item.found;
    let owner =
        User::from_uid(Uid::from_raw(found.uid())).ok().flatten().map_or(found.uid().to_string(), |user| user.name);
    let group =
        Group::from_gid(Gid::from_raw(found.gid())).ok().flatten().map_or(found.gid().to_string(), |it| it.name);
    let size = if human { human_size(found.len()) } else { found.len().to_string() };
    let changed = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let recent = SystemTime::now().duration_since(changed).is_ok_and(|age| age.as_secs() < 182 * 24 * 3600);
    let format = if recent { "%b %e %H:%M" } else { "%b %e  %Y" };
    let time =
        Timestamp::try_from(changed).unwrap_or_default().to_zoned(TimeZone::system()).strftime(format).to_string();
    [found.nlink().to_string(), owner, group, size, time]
}

/// In powers of 1024, rounded up, as GNU does.
fn human_size(size: u64) -> String {
    let (mut unit, mut scale) = (0, 1_u64);
    while size.div_ceil(scale) >= 1024 && unit < 6 {
        unit += 1;
        scale *= 1024;
    }
    let letter = &["", "K", "M", "G", "T", "P", "E"][unit];
    let tenths = (u128::from(size) * 10).div_ceil(u128::from(scale));
    if unit > 0 && tenths < 100 {
        return format!("{}.{}{letter}", tenths / 10, tenths % 10);
    }
    format!("{}{letter}", size.div_ceil(scale))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::human_size;
    use crate::testing::Case;

    #[test]
    fn names_are_listed() {
        let case = Case::line("ls").file("b", "12").file("a", "1").file(".h", "").file("d/x", "").file("d/e/y", "");
        symlink("a", case.place.path().join("l")).unwrap();
        for (line, stdout, status) in [
            ("ls", "a\nb\nd\nl\n", 0),
            ("ls -A", ".h\na\nb\nd\nl\n", 0),
            ("ls -a", ".\n..\n.h\na\nb\nd\nl\n", 0),
            ("ls -r", "l\nd\nb\na\n", 0),
            ("ls -F", "a\nb\nd/\nl@\n", 0),
            ("ls d a", "a\n\nd:\ne\nx\n", 0),
            ("ls -R d", "d:\ne\nx\n\nd/e:\ny\n", 0),
            ("ls -d d", "d\n", 0),
            ("ls none a", "a\n", 1),
            ("ls -S a b", "b\na\n", 0),
        ] {
            let done = case.then(line);
            assert_eq!((done.stdout.as_str(), done.status), (stdout, status), "{line}");
        }
        case.then("touch -d 2001-02-03T04:05:06Z a");
        let long = case.then("ls -l a l").stdout;
        assert!(
            long.starts_with("-rw-") && long.contains(" 1 Feb  3  2001 a\nl") && long.ends_with("l -> a\n"),
            "{long}"
        );
        assert_eq!(case.then("ls -t").stdout.lines().last(), Some("a"));
    }

    #[test]
    fn sizes_are_for_people() {
        for (size, shown) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (1025, "1.1K"),
            (10_240, "10K"),
            (1_048_576, "1.0M"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(human_size(size), shown);
        }
    }

    #[test]
    fn it_agrees_with_the_system() {
        let case = Case::line("ls -aF").file("b", "12").file("a", "1").file("d/x", "").file("Z", "");
        if let Some(theirs) = case.on_the_system() {
            assert_eq!(case.run().stdout, theirs.stdout);
        }
    }
}

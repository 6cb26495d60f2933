//! `tar`, which writes nothing outside the directory it unpacks into.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Component, Path, PathBuf},
};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use tar::{Archive, Builder, Entry, EntryType};

use crate::{
    job::{Job, Outcome, Stop, failed, reason, usage},
    mode,
    options::parse,
};

const LONG: &[(&str, char)] = &[
    ("create", 'c'),
    ("extract", 'x'),
    ("list", 't'),
    ("file", 'f'),
    ("gzip", 'z'),
    ("verbose", 'v'),
    ("directory", 'C'),
];

pub(crate) fn tar(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let mut words = arguments.to_vec();
    // `tar xzf FILE`, as people have always written it.
    if let Some(first) = words.first_mut()
        && first.as_bytes().first().is_some_and(|byte| *byte != b'-')
    {
        let mut dashed = OsString::from("-");
        dashed.push(&*first);
        *first = dashed;
    }
    let options = parse(&words, "cxtzvf:C:", LONG)?;
    let what = ['c', 'x', 't'].into_iter().filter(|letter| options.has(*letter)).collect::<String>();
    let directory = job.resolve(options.value('C').unwrap_or_default());
    let file = options.value('f').filter(|file| *file != "-");
    let verbose = options.has('v');
    match what.as_str() {
        "c" => create(job, file, &directory, &options.operands, options.has('z'), verbose),
        "x" | "t" => {
            let wanted = Wanted { names: options.operands.iter().map(PathBuf::from).collect(), used: Vec::new() };
            read(job, file, &directory, wanted, what == "x", verbose)
        }
        _ => usage("one of -c, -x and -t is needed"),
    }
}

fn create(
    job: &mut Job<'_>,
    file: Option<&OsStr>,
    directory: &Path,
    names: &[OsString],
    zip: bool,
    verbose: bool,
) -> Outcome {
    if names.is_empty() {
        return failed("an empty archive would be made: name what goes into it");
    }
    let mut own = None;
    // Names of what is packed go to stdout, unless the archive does.
    let (mut out, mut listed): (Box<dyn Write + '_>, Vec<String>) = match file {
        None => (Box::new(&mut *job.stdout), Vec::new()),
        Some(file) => {
            let opened = File::create(job.directory.join(file)).and_then(|opened| {
                own = Some(opened.metadata().map(|it| (it.dev(), it.ino()))?);
                Ok(opened)
            });
            match opened {
                Ok(opened) => (Box::new(BufWriter::new(opened)), Vec::new()),
                Err(error) => return failed(format!("{}: {}", file.display(), reason(&error))),
            }
        }
    };
    let mut complaints = Vec::new();
    let mut pack = |out: &mut dyn Write| -> io::Result<()> {
        let mut builder = Builder::new(out);
        builder.follow_symlinks(false);
        for name in names {
            add(&mut builder, directory, Path::new(name), own, &mut listed, &mut complaints)?;
        }
        builder.finish()
    };
    if zip {
        let mut encoder = GzEncoder::new(&mut out, Compression::default());
        pack(&mut encoder)?;
        encoder.finish()?;
    } else {
        pack(&mut out)?;
    }
    out.flush()?;
    drop(out);
    for sentence in complaints {
        job.say(&sentence);
    }
    for name in listed.iter().filter(|_| verbose) {
        if file.is_some() { writeln!(job.stdout, "{name}")? } else { writeln!(job.stderr, "{name}")? }
    }
    Ok(())
}

/// Adds a file, or a directory with all in it. Only errors of writing the archive end it.
fn add(
    builder: &mut Builder<&mut dyn Write>,
    directory: &Path,
    name: &Path,
    own: Option<(u64, u64)>,
    listed: &mut Vec<String>,
    complaints: &mut Vec<String>,
) -> io::Result<()> {
    let path = directory.join(name);
    let mut complain = |why: &str| complaints.push(format!("{}: {why}", name.display()));
    let found = match fs::symlink_metadata(&path) {
        Ok(found) => found,
        Err(error) => {
            complain(&reason(&error));
            return Ok(());
        }
    };
    if own == Some((found.dev(), found.ino())) {
        return Ok(());
    }
    // What is packed must be what we would unpack.
    let stored: PathBuf =
        name.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir)).collect();
    if stored.components().any(|part| part == Component::ParentDir) {
        complain("a name with .. is not packed; use -C");
        return Ok(());
    }
    let kind = found.file_type();
    if !(kind.is_file() || kind.is_dir() || kind.is_symlink()) {
        complain("it is neither file, directory nor link");
        return Ok(());
    }
    if kind.is_file() {
        match File::open(&path) {
            Ok(mut opened) => builder.append_file(&stored, &mut opened)?,
            Err(error) => {
                complain(&reason(&error));
                return Ok(());
            }
        }
    } else if !stored.as_os_str().is_empty() {
        // A directory is told by the slash at its end.
        let stored = if kind.is_dir() { stored.join("") } else { stored };
        builder.append_path_with_name(&path, stored)?;
    }
    listed.push(name.display().to_string());
    if !kind.is_dir() {
        return Ok(());
    }
    match fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Err(error) => complain(&reason(&error)),
        Ok(mut entries) => {
            entries.sort_by_key(fs::DirEntry::file_name);
            for entry in entries {
                add(builder, directory, &name.join(entry.file_name()), own, listed, complaints)?;
            }
        }
    }
    Ok(())
}

/// The members asked for; all, if none are named.
struct Wanted {
    names: Vec<PathBuf>,
    used: Vec<PathBuf>,
}

impl Wanted {
    fn has(&mut self, path: &Path) -> bool {
        match self.names.iter().find(|name| path.starts_with(name)) {
            Some(name) => {
                self.used.push(name.clone());
                true
            }
            None => self.names.is_empty(),
        }
    }
}

fn read(
    job: &mut Job<'_>,
    file: Option<&OsStr>,
    directory: &Path,
    mut wanted: Wanted,
    extract: bool,
    verbose: bool,
) -> Outcome {
    let mut complaints = Vec::new();
    {
        let raw: Box<dyn Read + '_> = match file {
            None => Box::new(&mut *job.stdin),
            Some(file) => match File::open(job.directory.join(file)) {
                Ok(opened) => Box::new(opened),
                Err(error) => return failed(format!("{}: {}", file.display(), reason(&error))),
            },
        };
        let mut raw = BufReader::new(raw);
        // Compressed or not is seen, with or without -z.
        let zipped = raw.fill_buf().map_err(Stop::Input)?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn Read + '_> = if zipped { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };
        let mut archive = Archive::new(input);
        archive.set_preserve_permissions(false);
        archive.set_unpack_xattrs(false);
        let damaged = |_: io::Error| Stop::Failed("the archive is damaged or is no tar archive".into(), 1);
        for entry in archive.entries().map_err(damaged)? {
            let mut entry = entry.map_err(damaged)?;
            let path = entry.path().map_err(damaged)?.into_owned();
            if !wanted.has(&path) {
                continue;
            }
            if !extract {
                list(&entry, &path, verbose, job.stdout)?;
                continue;
            }
            if verbose {
                writeln!(job.stdout, "{}", path.display())?;
            }
            if let Err(why) = unpack(&mut entry, &path, directory) {
                complaints.push(format!("{}: {why}", path.display()));
            }
        }
    }
    for name in wanted.names.iter().filter(|name| !wanted.used.contains(name)) {
        complaints.push(format!("{}: it is not in the archive", name.display()));
    }
    for sentence in complaints {
        job.say(&sentence);
    }
    Ok(())
}

fn list<R: Read>(entry: &Entry<'_, R>, path: &Path, verbose: bool, output: &mut dyn Write) -> Outcome {
    if verbose {
        let header = entry.header();
        let kind = match header.entry_type() {
            EntryType::Directory => 'd',
            EntryType::Symlink => 'l',
            EntryType::Link => 'h',
            _ => '-',
        };
        let time = header.mtime().ok().and_then(|seconds| jiff::Timestamp::from_second(seconds.try_into().ok()?).ok());
        write!(
            output,
            "{kind}{} {}/{} {:>9} {} ",
            mode::shown(header.mode().unwrap_or(0)),
            header.uid().unwrap_or(0),
            header.gid().unwrap_or(0),
            header.size().unwrap_or(0),
            time.unwrap_or_default().strftime("%Y-%m-%d %H:%M"),
        )?;
    }
    output.write_all(path.as_os_str().as_bytes())?;
    Ok(output.write_all(b"\n")?)
}

/// Unpacks one member below the directory, or says why not.
fn unpack<R: Read>(entry: &mut Entry<'_, R>, path: &Path, directory: &Path) -> Result<(), String> {
    if !inside(path) {
        return Err("its name leads out of the directory, so it is not unpacked".into());
    }
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse | EntryType::Directory => {}
        kind @ (EntryType::Symlink | EntryType::Link) => {
            let aim = entry.link_name().ok().flatten().ok_or("its link has no target")?;
            let aim = if kind == EntryType::Link { aim.into_owned() } else { path.parent().unwrap_or(path).join(&aim) };
            if !inside(&aim) {
                return Err("its link leads out of the directory, so it is not unpacked".into());
            }
        }
        EntryType::XGlobalHeader => return Ok(()),
        _ => return Err("it is neither file, directory nor link, so it is not unpacked".into()),
    }
    // Links that were there before are looked through too: the place must be below the directory in truth.
    match entry.unpack_in(directory) {
        Ok(true) => Ok(()),
        Ok(false) => Err("its name leads out of the directory, so it is not unpacked".into()),
        Err(error) => Err(cause(&error)),
    }
}

/// The innermost reason, since the outer ones repeat the path.
fn cause(error: &io::Error) -> String {
    let mut inner: &(dyn std::error::Error + 'static) = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}

/// Whether a path never leaves where it begins.
fn inside(path: &Path) -> bool {
    let mut depth = 0_usize;
    for part in path.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::Path};

    use tar::{Builder, EntryType, Header};

    use super::inside;
    use crate::testing::Case;

    fn member(builder: &mut Builder<Vec<u8>>, name: &str, kind: EntryType, aim: &str) {
        let mut header = Header::new_gnu();
        // The crate would not write such names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..aim.len()].copy_from_slice(aim.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(u64::from(kind == EntryType::Regular));
        header.set_cksum();
        builder.append(&header, if kind == EntryType::Regular { &b"x"[..] } else { &b""[..] }).unwrap();
    }

    #[test]
    fn trees_are_packed_listed_and_unpacked() {
        let case = Case::line("tar -czf t.tgz d").file("d/a", "1").file("d/e/f", "2");
        symlink("a", case.place.path().join("d/l")).unwrap();
        assert_eq!(case.run().stderr, "");
        fs::create_dir(case.place.path().join("out")).unwrap();
        for (line, stdout, stderr, status) in [
            ("tar tf t.tgz", "d/\nd/a\nd/e/\nd/e/f\nd/l\n", "", 0),
            ("tar -xvf t.tgz -C out d/e", "d/e/\nd/e/f\n", "", 0),
            ("tar -x -z -f t.tgz -C out", "", "", 0),
            ("cat out/d/a out/d/e/f out/d/l", "121", "", 0),
            ("tar -cf u.tar -C d a", "", "", 0),
            ("tar -tf u.tar", "a\n", "", 0),
            ("tar -tf u.tar zz", "", "tar: zz: it is not in the archive\n", 1),
            (
                "tar -cf v.tar none a",
                "",
                "tar: none: No such file or directory\ntar: a: No such file or directory\n",
                1,
            ),
            ("tar -xf none.tar", "", "tar: none.tar: No such file or directory\n", 1),
            ("tar -xf d/a", "", "tar: the archive is damaged or is no tar archive\n", 1),
            ("tar -cf w.tar", "", "tar: an empty archive would be made: name what goes into it\n", 1),
        ] {
            let done = case.then(line);
            assert_eq!((done.stdout.as_str(), done.stderr.as_str(), done.status), (stdout, stderr, status), "{line}");
        }
        assert_eq!(case.then("tar -t").status, 0);
        assert_eq!(case.then("tar -xt").status, 2);
    }

    #[test]
    fn nothing_is_written_outside() {
        let outside = tempfile::tempdir().unwrap();
        let aim = outside.path().display().to_string();
        let mut builder = Builder::new(Vec::new());
        for (name, kind, link) in [
            ("../up", EntryType::Regular, ""),
            ("a/../../up", EntryType::Regular, ""),
            ("/tmp/gopher-tar-absolute", EntryType::Regular, ""),
            ("out", EntryType::Symlink, aim.as_str()),
            ("up", EntryType::Symlink, "../.."),
            ("hard", EntryType::Link, "/etc/passwd"),
            ("there/file", EntryType::Regular, ""),
            ("pipe", EntryType::Fifo, ""),
            ("good", EntryType::Regular, ""),
            ("sub/near", EntryType::Symlink, "../good"),
        ] {
            member(&mut builder, name, kind, link);
        }
        let case = Case::line("tar -x -C d").file("d/e", "").input(builder.into_inner().unwrap());
        // A link that was there before is not followed either.
        symlink(outside.path(), case.place.path().join("d/there")).unwrap();
        let done = case.run();
        assert_eq!(done.status, 1);
        assert_eq!(done.stderr.lines().count(), 8, "{}", done.stderr);
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        assert!(!Path::new("/tmp/gopher-tar-absolute").exists());
        assert_eq!(case.then("ls d").stdout, "e\ngood\nsub\nthere\n");
        assert_eq!(case.then("ls").stdout, "d\n");
    }

    #[test]
    fn paths_stay_inside_or_not() {
        for (path, whether) in [("a", true), ("./a/../b", true), ("a/../..", false), ("/a", false), ("..", false)] {
            assert_eq!(inside(Path::new(path)), whether, "{path}");
        }
    }

    #[test]
    fn the_systems_tar_reads_ours() {
        let case = Case::line("tar -tf t.tar").file("d/a", "1");
        assert_eq!(case.then("tar -cf t.tar d").status, 0);
        match case.on_the_system() {
            Some(theirs) => assert_eq!(theirs.stdout, "d/\nd/a\n"),
            None => println!("skipped: the system has no tar"),
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_upsets_the_reader(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2000)) {
            Case::line("tar -t").input(&bytes).run();
            Case::line("tar -x").input(&bytes).run();
        }
    }
}

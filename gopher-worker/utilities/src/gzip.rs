//! `gzip`, `gunzip` and `gzcat`.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, FileTimes, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Write},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::Path,
};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};

use crate::{
    job::{Job, Outcome, Stop, pass, reason},
    options::parse,
};

#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
struct Manner {
    decompress: bool,
    stdout: bool,
    force: bool,
    keep: bool,
    level: Compression,
}

const LONG: &[(&str, char)] = &[
    ("stdout", 'c'),
    ("to-stdout", 'c'),
    ("decompress", 'd'),
    ("force", 'f'),
    ("keep", 'k'),
    ("fast", '1'),
    ("best", '9'),
    ("no-name", 'n'),
    ("quiet", 'q'),
];

pub(crate) fn gzip(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    run(arguments, job, false, false)
}

pub(crate) fn gunzip(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    run(arguments, job, true, false)
}

pub(crate) fn gzcat(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    run(arguments, job, true, true)
}

fn run(arguments: &[OsString], job: &mut Job<'_>, decompress: bool, stdout: bool) -> Outcome {
    let options = parse(arguments, "cdfknq123456789", LONG)?;
    let level = options.last_of("123456789").and_then(|digit| digit.to_digit(10));
    let manner = Manner {
        decompress: decompress || options.has('d'),
        stdout: stdout || options.has('c'),
        force: options.has('f'),
        keep: options.has('k'),
        level: level.map_or_else(Compression::default, Compression::new),
    };
    if manner.stdout || options.operands.is_empty() {
        return job.inputs(&options.operands, |_, input, output| stream(input, output, manner).map(drop));
    }
    for file in &options.operands {
        if file == "-" {
            stream(&mut *job.stdin, &mut *job.stdout, manner)?;
            continue;
        }
        match one(job, file, manner) {
            Err(Stop::Input(error) | Stop::Output(error)) => job.complain(file, &error),
            Err(Stop::Failed(sentence, _)) => job.say(&sentence),
            other => other?,
        }
    }
    Ok(())
}

fn stream(input: &mut dyn Read, output: &mut dyn Write, manner: Manner) -> Outcome {
    if manner.decompress {
        return pass(&mut MultiGzDecoder::new(input), output).map_err(named);
    }
    let mut encoder = GzEncoder::new(output, manner.level);
    pass(input, &mut encoder)?;
    encoder.finish()?;
    Ok(())
}

/// A sentence for what the decoder says.
fn named(stop: Stop) -> Stop {
    match stop {
        Stop::Input(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
            Stop::Input(io::Error::new(error.kind(), "it is not in gzip format or is damaged"))
        }
        Stop::Input(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Stop::Input(io::Error::new(error.kind(), "it ends too early"))
        }
        other => other,
    }
}

/// A file is replaced by another with the same times and mode.
fn one(job: &Job<'_>, file: &OsStr, manner: Manner) -> Outcome {
    let shown = file.display();
    let refuse = |why: &str| Err(Stop::Failed(format!("{shown}: {why}"), 1));
    let mut name = file.as_bytes().to_vec();
    if !manner.decompress {
        if name.ends_with(b".gz") && !manner.force {
            return refuse("it ends in .gz already");
        }
        name.extend(b".gz");
    } else if name.ends_with(b".tgz") {
        name.truncate(name.len() - 3);
        name.extend(b"tar");
    } else if name.ends_with(b".gz") {
        name.truncate(name.len() - 3);
    } else {
        return refuse("it does not end in .gz");
    }
    let target = OsString::from_vec(name);
    let (from, to) = (job.resolve(file), job.resolve(&target));
    let opened = File::open(&from).map_err(Stop::Input)?;
    let found = opened.metadata().map_err(Stop::Input)?;
    if !found.is_file() {
        return refuse("it is not an ordinary file");
    }
    if manner.force {
        // A link in its place would be followed.
        let _ = fs::remove_file(&to);
    }
    let created = OpenOptions::new().write(true).create_new(true).open(&to);
    let output = created.map_err(|error| Stop::Failed(format!("{}: {}", target.display(), reason(&error)), 1))?;
    let written = fill(opened, &output, manner).and_then(|()| {
        output.set_permissions(found.permissions())?;
        Ok(output.set_times(FileTimes::new().set_accessed(found.accessed()?).set_modified(found.modified()?))?)
    });
    if written.is_err() {
        let _ = fs::remove_file(&to);
    } else if !manner.keep {
        remove(&from)?;
    }
    written
}

fn fill(input: File, output: &File, manner: Manner) -> Outcome {
    let mut writer = BufWriter::new(output);
    stream(&mut BufReader::new(input), &mut writer, manner)?;
    Ok(writer.flush()?)
}

fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use crate::testing::Case;

    #[test]
    fn files_are_replaced() {
        let case = Case::line("gzip f g")
            .file("f", "1".repeat(1000))
            .file("g", "2")
            .file("bad.gz", "this is no gzip file at all");
        assert_eq!(case.run().stderr, "");
        assert_eq!(case.then("ls").stdout, "bad.gz\nf.gz\ng.gz\n");
        for (line, stdout, stderr, status) in [
            ("gzcat g.gz", "2", "", 0),
            ("gunzip -c g.gz", "2", "", 0),
            ("gzip -d g.gz", "", "", 0),
            ("cat g", "2", "", 0),
            ("gzip -k -9 g", "", "", 0),
            ("gzip g", "", "gzip: g.gz: File exists\n", 1),
            ("gzip -f g", "", "", 0),
            ("gzip g.gz", "", "gzip: g.gz: it ends in .gz already\n", 1),
            ("gunzip none.gz", "", "gunzip: none.gz: No such file or directory\n", 1),
            ("gunzip bad.gz", "", "gunzip: bad.gz: it is not in gzip format or is damaged\n", 1),
            ("gzcat bad.gz", "", "gzcat: bad.gz: it is not in gzip format or is damaged\n", 1),
            ("gunzip x", "", "gunzip: x: it does not end in .gz\n", 1),
        ] {
            let done = case.then(line);
            assert_eq!((done.stdout.as_str(), done.stderr.as_str(), done.status), (stdout, stderr, status), "{line}");
        }
        assert_eq!(case.then("ls").stdout, "bad.gz\nf.gz\ng.gz\n");
    }

    #[test]
    fn the_systems_gzip_reads_ours() {
        let ours = Case::line("gzip -c").input("some text").run();
        match Case::line("gzip -dc").input(&ours.bytes).on_the_system() {
            Some(theirs) => assert_eq!(theirs.stdout, "some text"),
            None => println!("skipped: the system has no gzip"),
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_packed_is_unpacked(bytes: Vec<u8>) {
            let packed = Case::line("gzip -1").input(&bytes).run();
            assert_eq!(Case::line("gunzip").input(&packed.bytes).run().bytes, bytes);
        }

        #[test]
        fn nothing_upsets_the_decoder(bytes: Vec<u8>, cut in 0_usize..40) {
            Case::line("gzcat").input(&bytes).run();
            let mut packed = Case::line("gzip").input(&bytes).run().bytes;
            packed.truncate(cut);
            Case::line("gzcat").input(&packed).run();
        }
    }
}

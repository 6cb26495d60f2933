//! `shasum` and the utilities named after one algorithm.

use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    os::unix::ffi::OsStrExt,
};

use ring::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};

use crate::{
    job::{Job, Outcome, Stop, bare, next_line, reason, usage},
    options::parse,
};

pub(crate) fn shasum(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    sum(arguments, job, "a:cbt", &SHA1_FOR_LEGACY_USE_ONLY)
}

pub(crate) fn sha1sum(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    sum(arguments, job, "cbt", &SHA1_FOR_LEGACY_USE_ONLY)
}

pub(crate) fn sha256sum(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    sum(arguments, job, "cbt", &SHA256)
}

pub(crate) fn sha512sum(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    sum(arguments, job, "cbt", &SHA512)
}

fn sum(arguments: &[OsString], job: &mut Job<'_>, letters: &str, usual: &'static Algorithm) -> Outcome {
    let long: &[(&str, char)] = &[("check", 'c'), ("algorithm", 'a'), ("binary", 'b'), ("text", 't')];
    let long = if letters.contains('a') { long } else { &[("check", 'c'), ("binary", 'b'), ("text", 't')] };
    let options = parse(arguments, letters, long)?;
    let algorithm = match options.value('a').map(OsStr::as_bytes) {
        None => usual,
        Some(b"1") => &SHA1_FOR_LEGACY_USE_ONLY,
        Some(b"256") => &SHA256,
        Some(b"384") => &SHA384,
        Some(b"512") => &SHA512,
        Some(_) => return usage("the algorithm is 1, 256, 384 or 512"),
    };
    if options.has('c') {
        return check(job, &options.operands, algorithm);
    }
    job.inputs(&options.operands, |name, input, output| {
        let sum = digest(input, algorithm).map_err(Stop::Input)?;
        output.write_all(format!("{sum}  ").as_bytes())?;
        output.write_all(name.as_bytes())?;
        Ok(output.write_all(b"\n")?)
    })
}

fn digest(input: &mut dyn Read, algorithm: &'static Algorithm) -> io::Result<String> {
    let mut context = Context::new(algorithm);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => context.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut text = String::new();
    for byte in context.finish().as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// Reads lists of sums and says of every file named whether it has its sum.
fn check(job: &mut Job<'_>, lists: &[OsString], algorithm: &'static Algorithm) -> Outcome {
    let directory = job.directory;
    let (mut bad, mut told) = (0, String::new());
    job.inputs(lists, |list, input, output| {
        let mut line = Vec::new();
        while next_line(input, &mut line, b'\n')? {
            let Some((sum, name)) = entry(bare(&line), algorithm) else {
                let _ = writeln!(told, "{}: a line is not a sum and a name", list.display());
                bad += 1;
                continue;
            };
            let found = File::open(directory.join(name)).and_then(|mut opened| digest(&mut opened, algorithm));
            output.write_all(name.as_bytes())?;
            match found {
                Ok(found) if found.as_bytes().eq_ignore_ascii_case(sum) => output.write_all(b": OK\n")?,
                Ok(_) => {
                    bad += 1;
                    output.write_all(b": FAILED\n")?;
                }
                Err(error) => {
                    bad += 1;
                    writeln!(output, ": FAILED ({})", reason(&error))?;
                }
            }
        }
        Ok(())
    })?;
    for sentence in told.lines() {
        job.say(sentence);
    }
    if bad > 0 {
        job.say(&format!("{bad} of the lines did not check"));
    }
    Ok(())
}

fn entry<'l>(line: &'l [u8], algorithm: &Algorithm) -> Option<(&'l [u8], &'l OsStr)> {
    let length = algorithm.output_len() * 2;
    let (sum, rest) = line.split_at_checked(length)?;
    let name = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *"))?;
    sum.iter().all(u8::is_ascii_hexdigit).then(|| (sum, OsStr::from_bytes(name)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Case, compare, table};

    #[test]
    fn sums_are_written() {
        let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d  -\n";
        table(&[
            ("shasum", "abc", sha1, 0),
            ("sha1sum -", "abc", sha1, 0),
            ("shasum -a 256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n", 0),
            ("shasum -a 3", "abc", "", 2),
            ("sha256sum -a 1", "abc", "", 2),
            ("sha256sum none", "", "", 1),
        ]);
    }

    #[test]
    fn sums_are_checked() {
        let case = Case::line("sha256sum f g").file("f", "1").file("g", "2");
        let list = case.run().stdout;
        let case = case.file("list", format!("{list}junk\n"));
        let case = case.file("g", "3");
        let done = case.then("sha256sum -c list");
        assert_eq!(done.stdout, "f: OK\ng: FAILED\n");
        assert_eq!(
            done.stderr,
            "sha256sum: list: a line is not a sum and a name\nsha256sum: 2 of the lines did not check\n"
        );
        assert_eq!(done.status, 1);
    }

    #[test]
    fn it_agrees_with_the_system() {
        compare(&[("sha1sum a b", ""), ("sha256sum", "x"), ("sha512sum a", ""), ("shasum -a 512 a", "")]);
    }
}

//! `grep` over regular expressions in RE2 syntax, whatever the flags say about the dialect.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{BufRead, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use regex::bytes::{Regex, RegexBuilder};

use crate::{
    job::{Job, Outcome, Stop, bare, next_line},
    options::{Options, parse},
};

const LONG: &[(&str, char)] = &[
    ("quiet", 'q'),
    ("silent", 'q'),
    ("ignore-case", 'i'),
    ("invert-match", 'v'),
    ("line-number", 'n'),
    ("count", 'c'),
    ("files-with-matches", 'l'),
    ("fixed-strings", 'F'),
    ("extended-regexp", 'E'),
    ("perl-regexp", 'P'),
    ("word-regexp", 'w'),
    ("line-regexp", 'x'),
    ("only-matching", 'o'),
    ("recursive", 'r'),
    ("no-messages", 's'),
    ("no-filename", 'h'),
    ("with-filename", 'H'),
    ("regexp", 'e'),
    ("max-count", 'm'),
];

pub(crate) fn grep(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let mut options = parse(arguments, "qivnclFEPwxhHrRsoae:m:", LONG)?;
    let mut patterns: Vec<OsString> = options.values('e').map(OsStr::to_owned).collect();
    if patterns.is_empty() {
        if options.operands.is_empty() {
            return Err(Stop::Usage("a pattern is missing".into()));
        }
        patterns.push(options.operands.remove(0));
    }
    let regex = compile(&patterns, &options)?;
    let mut files = std::mem::take(&mut options.operands);
    let recursive = options.last_of("rR").is_some();
    if recursive {
        if files.is_empty() {
            files.push(".".into());
        }
        files = files.iter().flat_map(|file| below(job.directory, file)).collect();
    }
    let mut search = Search {
        regex,
        titles: options.last_of("hH").map_or(files.len() > 1 || recursive, |last| last == 'H'),
        maximum: options.number('m')?.unwrap_or(u64::MAX),
        found: false,
        options,
    };
    job.silent = search.options.has('s');
    job.inputs(&files, |name, input, output| search.one(name, input, output))?;
    // An unreadable file is worse than no match, unless quiet had its answer.
    job.status = match (search.found, job.status) {
        (true, _) if search.options.has('q') => 0,
        (_, 1..) => 2,
        (found, _) => u8::from(!found),
    };
    Ok(())
}

fn compile(patterns: &[OsString], options: &Options) -> Result<Regex, Stop> {
    let mut parts = Vec::new();
    for pattern in patterns {
        let Some(text) = pattern.to_str() else {
            return Err(Stop::Failed(format!("the pattern \"{}\" is not UTF-8", pattern.display()), 2));
        };
        for line in text.split('\n') {
            parts.push(if options.has('F') { regex::escape(line) } else { line.to_owned() });
        }
    }
    let joined = if parts.len() == 1 { parts.remove(0) } else { format!("(?:{})", parts.join(")|(?:")) };
    let whole = match options.last_of("wx") {
        Some('x') => format!("^(?:{joined})$"),
        Some(_) => format!(r"\b(?:{joined})\b"),
        None => joined,
    };
    RegexBuilder::new(&whole).case_insensitive(options.has('i')).build().map_err(|error| {
        let said = error.to_string();
        let why = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Stop::Failed(format!("the pattern is no regular expression: {why}"), 2)
    })
}

/// The files below a directory, or the file itself.
fn below(directory: &Path, file: &OsStr) -> Vec<OsString> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::from(file)];
    while let Some(path) = waiting.pop() {
        match fs::read_dir(directory.join(&path)) {
            Ok(entries) => {
                let mut names: Vec<_> = entries
                    .flatten()
                    // Links would lead out of the tree or round in it.
                    .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file() || kind.is_dir()))
                    .map(|entry| path.join(entry.file_name()))
                    .collect();
                names.sort_by(|a, b| b.cmp(a));
                waiting.append(&mut names);
            }
            Err(_) => found.push(path.into_os_string()),
        }
    }
    found
}

struct Search {
    regex: Regex,
    options: Options,
    titles: bool,
    maximum: u64,
    found: bool,
}

impl Search {
    fn one(&mut self, name: &OsStr, input: &mut dyn BufRead, output: &mut dyn Write) -> Outcome {
        let shown = if name == "-" { "(standard input)".into() } else { name.to_string_lossy() };
        let title = if self.titles { format!("{shown}:") } else { String::new() };
        let silent = self.options.last_of("qlc").is_some();
        let (mut count, mut number) = (0, 0_u64);
        let mut line = Vec::new();
        while count < self.maximum && next_line(input, &mut line, b'\n')? {
            number += 1;
            let text = bare(&line);
            if self.regex.is_match(text) == self.options.has('v') {
                continue;
            }
            self.found = true;
            count += 1;
            if self.options.last_of("ql").is_some() {
                break;
            }
            if silent {
                continue;
            }
            let at = if self.options.has('n') { format!("{number}:") } else { String::new() };
            let whole = [text];
            let parts: Vec<&[u8]> = if self.options.has('o') {
                self.regex.find_iter(text).map(|m| m.as_bytes()).filter(|part| !part.is_empty()).collect()
            } else {
                whole.to_vec()
            };
            for part in parts {
                output.write_all(title.as_bytes())?;
                output.write_all(at.as_bytes())?;
                output.write_all(part)?;
                output.write_all(b"\n")?;
            }
        }
        match self.options.last_of("qlc") {
            Some('l') if count > 0 => {
                output.write_all(if name == "-" { shown.as_bytes() } else { name.as_bytes() })?;
                output.write_all(b"\n")?;
            }
            Some('c') => writeln!(output, "{title}{count}")?,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Case, compare, table};

    #[test]
    fn lines_are_found() {
        table(&[
            ("grep t a", "", "two\nthree\n", 0),
            ("grep -in T a", "", "2:two\n3:three\n", 0),
            ("grep -v t a", "", "one\n", 0),
            ("grep -q o a", "", "", 0),
            ("grep z a", "", "", 1),
            ("grep -E ^(a|b)+$", "ab\nc\n", "ab\n", 0),
            ("grep -F a.b", "axb\na.b\n", "a.b\n", 0),
            ("grep -e one -e two a", "", "one\ntwo\n", 0),
            ("grep -c t a b", "", "a:2\nb:0\n", 0),
            ("grep -l x a b", "", "b\n", 0),
            ("grep o a b", "", "a:one\na:two\n", 0),
            ("grep -o [et] a", "", "e\nt\nt\ne\ne\n", 0),
            ("grep -w on a", "", "", 1),
            ("grep -x one a", "", "one\n", 0),
            ("grep -P \\d+", "a1\nb\n", "a1\n", 0),
            ("grep -m 1 t a", "", "two\n", 0),
            ("grep ( a", "", "", 2),
            ("grep one none a", "", "a:one\n", 2),
            ("grep -s one none", "", "", 2),
            ("grep -q one a none", "", "", 0),
        ]);
    }

    #[test]
    fn bytes_that_are_no_text_are_searched_too() {
        let done = Case::line("grep a").input(b"\xffa\nb\n").run();
        assert_eq!((done.bytes.as_slice(), done.status), (&b"\xffa\n"[..], 0));
    }

    #[test]
    fn a_tree_is_searched() {
        let done = Case::line("grep -r x d").file("d/e/f", "x\n").file("d/a", "x\n").run();
        assert_eq!(done.stdout, "d/a:x\nd/e/f:x\n");
    }

    #[test]
    fn it_agrees_with_the_system() {
        compare(&[
            ("grep -n o a b", ""),
            ("grep -E -v ^t a", ""),
            ("grep -c e a", ""),
            ("grep -i ONE a none", ""),
            ("grep -l o a b", ""),
            ("grep -H y b", ""),
            ("grep e", "e\nf"),
        ]);
    }
}

//! `find`.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, Metadata},
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use regex::bytes::{Regex, RegexBuilder};

use crate::{
    Call,
    job::{Job, Outcome, Stop, usage},
    ls::kind,
    mode,
    options::number,
};

/// What is asked of a file, or done with it.
enum Test {
    Name(Regex),
    Path(Regex),
    Type(Vec<char>),
    Mode(Bits, u32),
    Size(Compare, u64, u64),
    Age(Compare, u64, u64),
    Newer(SystemTime),
    Empty,
    Prune,
    Print(u8),
    Delete,
    Exec(Vec<OsString>),
    /// Many files a command; the number is that of its list in [`Walk::waiting`].
    ExecMany(usize),
    Not(Box<Test>),
    And(Vec<Test>),
    Or(Vec<Test>),
}

enum Bits {
    Equal,
    All,
    Any,
}

enum Compare {
    Less,
    Equal,
    More,
}

pub(crate) fn find(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let begins = |word: &OsString| word.as_bytes().starts_with(b"-") && word.len() > 1 || word == "!" || word == "(";
    let split = arguments.iter().position(begins).unwrap_or(arguments.len());
    let (paths, words) = arguments.split_at(split);
    let mut reader = Reader { words, job, least: 0, most: usize::MAX, first: false, acts: false, commands: Vec::new() };
    let mut test = reader.either()?;
    if let Some(word) = reader.words.first() {
        return usage(format!("\"{}\" is not expected there", word.display()));
    }
    let (least, most, first, acts) = (reader.least, reader.most, reader.first, reader.acts);
    let waiting = std::mem::take(&mut reader.commands).into_iter().map(|command| (command, Vec::new())).collect();
    if !acts {
        test = Test::And(vec![test, Test::Print(b'\n')]);
    }
    let mut walk = Walk { job, least, most, depth_first: first, waiting, pruned: false };
    let here = [OsString::from(".")];
    for path in if paths.is_empty() { &here[..] } else { paths } {
        walk.visit(Path::new(path), 0, &test)?;
    }
    for at in 0..walk.waiting.len() {
        walk.many(at)?;
    }
    Ok(())
}

/// Reads the expression.
struct Reader<'w, 'j, 'i> {
    words: &'w [OsString],
    job: &'j Job<'i>,
    least: usize,
    most: usize,
    first: bool,
    acts: bool,
    commands: Vec<Vec<OsString>>,
}

impl Reader<'_, '_, '_> {
    fn take(&mut self, whether: &[&str]) -> bool {
        let found = self.words.first().is_some_and(|word| whether.iter().any(|known| word == known));
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn value(&mut self, of: &OsStr) -> Result<OsString, Stop> {
        let Some((value, rest)) = self.words.split_first() else {
            return usage(format!("{} needs a value", of.display()));
        };
        self.words = rest;
        Ok(value.clone())
    }

    fn either(&mut self) -> Result<Test, Stop> {
        let mut tests = vec![self.both()?];
        while self.take(&["-o", "-or"]) {
            tests.push(self.both()?);
        }
        Ok(Test::Or(tests))
    }

    fn both(&mut self) -> Result<Test, Stop> {
        let mut tests = Vec::new();
        while let Some(word) = self.words.first() {
            if word == ")" || word == "-o" || word == "-or" {
                break;
            }
            if !self.take(&["-a", "-and"]) {
                tests.extend(self.single()?);
            }
        }
        Ok(Test::And(tests))
    }

    fn single(&mut self) -> Result<Option<Test>, Stop> {
        let word = self.value(OsStr::new("the expression"))?;
        Ok(Some(match word.to_str().unwrap_or_default() {
            "!" | "-not" => Test::Not(Box::new(match self.single()? {
                Some(test) => test,
                None => Test::And(Vec::new()),
            })),
            "(" => {
                let inner = self.either()?;
                if !self.take(&[")"]) {
                    return usage("a parenthesis is not closed");
                }
                inner
            }
            "-name" => Test::Name(pattern(&self.value(&word)?, false)?),
            "-iname" => Test::Name(pattern(&self.value(&word)?, true)?),
            "-path" | "-wholename" => Test::Path(pattern(&self.value(&word)?, false)?),
            "-type" => self.kinds(&word)?,
            "-mode" | "-perm" => self.mode(&word)?,
            "-size" => {
                let text = self.value(&word)?;
                let text = text.to_string_lossy().into_owned();
                let (digits, unit) = match text.char_indices().next_back() {
                    Some((at, 'c')) => (&text[..at], 1),
                    Some((at, 'k')) => (&text[..at], 1 << 10),
                    Some((at, 'M')) => (&text[..at], 1 << 20),
                    Some((at, 'G')) => (&text[..at], 1 << 30),
                    Some((at, 'b')) => (&text[..at], 512),
                    _ => (text.as_str(), 512),
                };
                let (compare, count) = count(digits)?;
                Test::Size(compare, count, unit)
            }
            "-mtime" | "-mmin" => {
                let (compare, count) = count(&self.value(&word)?.to_string_lossy())?;
                Test::Age(compare, count, if word == "-mtime" { 24 * 3600 } else { 60 })
            }
            "-newer" => {
                let other = self.value(&word)?;
                let found = fs::metadata(self.job.resolve(&other)).and_then(|found| found.modified());
                Test::Newer(
                    found.map_err(|e| Stop::Failed(format!("{}: {}", other.display(), crate::job::reason(&e)), 1))?,
                )
            }
            "-empty" => Test::Empty,
            "-prune" => Test::Prune,
            "-true" => Test::And(Vec::new()),
            "-false" => Test::Or(Vec::new()),
            "-print" => self.act(Test::Print(b'\n')),
            "-print0" => self.act(Test::Print(0)),
            "-delete" => {
                self.first = true;
                self.act(Test::Delete)
            }
            "-exec" => self.command(&word)?,
            "-depth" => {
                self.first = true;
                return Ok(None);
            }
            "-mindepth" => {
                self.least = number(&self.value(&word)?, "number")?;
                return Ok(None);
            }
            "-maxdepth" => {
                self.most = number(&self.value(&word)?, "number")?;
                return Ok(None);
            }
            _ => return usage(format!("unknown option {}", word.display())),
        }))
    }

    fn act(&mut self, test: Test) -> Test {
        self.acts = true;
        test
    }

    fn kinds(&mut self, word: &OsStr) -> Result<Test, Stop> {
        let mut kinds = Vec::new();
        for name in self.value(word)?.to_string_lossy().split(',') {
            kinds.push(match name {
                "f" | "file" => '-',
                "d" | "directory" => 'd',
                "l" => 'l',
                "p" => 'p',
                "s" => 's',
                "b" => 'b',
                "c" => 'c',
                _ => return usage(format!("\"{name}\" is no type of file")),
            });
        }
        Ok(Test::Type(kinds))
    }

    fn mode(&mut self, word: &OsStr) -> Result<Test, Stop> {
        let text = self.value(word)?.to_string_lossy().into_owned();
        let (bits, rest) = match text.as_bytes().first() {
            Some(b'-') => (Bits::All, &text[1..]),
            Some(b'/') => (Bits::Any, &text[1..]),
            _ => (Bits::Equal, text.as_str()),
        };
        match mode::changed(rest, 0, false) {
            Some(mode) => Ok(Test::Mode(bits, mode)),
            None => usage(format!("\"{text}\" is no mode")),
        }
    }

    fn command(&mut self, word: &OsStr) -> Result<Test, Stop> {
        let mut command = Vec::new();
        loop {
            let next = self.value(word)?;
            if next == ";" {
                break;
            }
            if next == "+" && command.last().is_some_and(|last: &OsString| last == "{}") {
                command.pop();
                self.commands.push(command);
                return Ok(self.act(Test::ExecMany(self.commands.len() - 1)));
            }
            command.push(next);
        }
        if command.is_empty() {
            return usage("-exec needs a command");
        }
        Ok(self.act(Test::Exec(command)))
    }
}

fn count(text: &str) -> Result<(Compare, u64), Stop> {
    let (compare, digits) = match text.as_bytes().first() {
        Some(b'+') => (Compare::More, &text[1..]),
        Some(b'-') => (Compare::Less, &text[1..]),
        _ => (Compare::Equal, text),
    };
    Ok((compare, number(OsStr::new(digits), "number")?))
}

/// A shell pattern as a regular expression.
fn pattern(text: &OsStr, fold: bool) -> Result<Regex, Stop> {
    let shown = text.to_string_lossy();
    let mut regex = String::from("^");
    let mut rest = shown.chars();
    while let Some(character) = rest.next() {
        match character {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '\\' => regex.push_str(&regex::escape(&rest.next().unwrap_or('\\').to_string())),
            '[' => {
                let after = rest.as_str();
                let skip = usize::from(after.starts_with(['!', '^']));
                let close = after.char_indices().skip(skip + 1).find(|(_, c)| *c == ']').map(|(at, _)| at);
                let Some(close) = close else {
                    regex.push_str(r"\[");
                    continue;
                };
                let inner =
                    after[skip..close].replace('\\', r"\\").replace('[', r"\[").replace('&', r"\&").replace('~', r"\~");
                let inner = inner.strip_prefix(']').map_or(inner.clone(), |more| format!(r"\]{more}"));
                regex.push_str(if skip == 1 { "[^" } else { "[" });
                regex.push_str(&inner);
                regex.push(']');
                rest = after[close + 1..].chars();
            }
            other => regex.push_str(&regex::escape(&other.to_string())),
        }
    }
    regex.push('$');
    RegexBuilder::new(&regex)
        .case_insensitive(fold)
        .dot_matches_new_line(true)
        .build()
        .map_err(|_| Stop::Usage(format!("\"{shown}\" is no pattern")))
}

/// A walk over the trees.
struct Walk<'j, 'i> {
    job: &'j mut Job<'i>,
    least: usize,
    most: usize,
    depth_first: bool,
    waiting: Vec<(Vec<OsString>, Vec<OsString>)>,
    pruned: bool,
}

/// Files that one command is given.
const MANY: usize = 1000;

impl Walk<'_, '_> {
    fn visit(&mut self, shown: &Path, depth: usize, test: &Test) -> Outcome {
        let path = self.job.resolve(shown);
        let Some(found) = self.job.check(shown, fs::symlink_metadata(&path)) else {
            return Ok(());
        };
        self.pruned = false;
        if !self.depth_first && depth >= self.least {
            self.holds(test, shown, &path, &found)?;
        }
        if found.is_dir() && depth < self.most && !self.pruned {
            let entries = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
            let mut entries = self.job.check(shown, entries).unwrap_or_default();
            entries.sort_by_key(fs::DirEntry::file_name);
            for entry in entries {
                self.visit(&shown.join(entry.file_name()), depth + 1, test)?;
            }
        }
        if self.depth_first && depth >= self.least {
            self.holds(test, shown, &path, &found)?;
        }
        self.pruned = false;
        Ok(())
    }

    fn holds(&mut self, test: &Test, shown: &Path, path: &PathBuf, found: &Metadata) -> Result<bool, Stop> {
        Ok(match test {
            Test::Name(regex) => {
                let name = shown.file_name().unwrap_or(shown.as_os_str());
                let trailing = shown.as_os_str().as_bytes().ends_with(b"/.") || shown.as_os_str() == ".";
                regex.is_match(if trailing { b"." } else { name.as_bytes() })
            }
            Test::Path(regex) => regex.is_match(shown.as_os_str().as_bytes()),
            Test::Type(kinds) => kinds.contains(&kind(found)),
            Test::Mode(Bits::Equal, mode) => found.mode() & 0o7777 == *mode,
            Test::Mode(Bits::All, mode) => found.mode() & mode == *mode,
            Test::Mode(Bits::Any, mode) => *mode == 0 || found.mode() & mode != 0,
            Test::Size(compare, count, unit) => compare.holds(found.len().div_ceil(*unit), *count),
            Test::Age(compare, count, unit) => {
                let age = found.modified().ok().and_then(|then| SystemTime::now().duration_since(then).ok());
                compare.holds(age.unwrap_or_default().as_secs() / unit, *count)
            }
            Test::Newer(than) => found.modified().is_ok_and(|then| then > *than),
            Test::Empty if found.is_dir() => fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none()),
            Test::Empty => found.is_file() && found.len() == 0,
            Test::Prune => {
                self.pruned = true;
                true
            }
            Test::Print(end) => {
                self.job.stdout.write_all(shown.as_os_str().as_bytes())?;
                self.job.stdout.write_all(&[*end])?;
                true
            }
            Test::Delete => {
                if shown.as_os_str() == "." {
                    return Ok(true);
                }
                let gone = if found.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
                self.job.check(shown, gone).is_some()
            }
            Test::Exec(command) => {
                let words: Vec<OsString> = command.iter().map(|word| fill(word, shown)).collect();
                self.start(&words)? == 0
            }
            Test::ExecMany(at) => {
                self.waiting[*at].1.push(shown.into());
                if self.waiting[*at].1.len() >= MANY {
                    self.many(*at)?;
                }
                true
            }
            Test::Not(inner) => !self.holds(inner, shown, path, found)?,
            Test::And(tests) => {
                for test in tests {
                    if !self.holds(test, shown, path, found)? {
                        return Ok(false);
                    }
                }
                true
            }
            Test::Or(tests) => {
                for test in tests {
                    if self.holds(test, shown, path, found)? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }

    /// Starts a command with the files that wait for it.
    fn many(&mut self, at: usize) -> Outcome {
        let (command, files) = &mut self.waiting[at];
        if files.is_empty() {
            return Ok(());
        }
        let mut words = command.clone();
        words.append(files);
        if self.start(&words)? != 0 {
            self.job.status = 1;
        }
        Ok(())
    }

    fn start(&mut self, words: &[OsString]) -> Result<u8, Stop> {
        self.job.stdout.flush()?;
        let call = Call { words, stdin: Vec::new(), stdout: &mut *self.job.stdout, stderr: &mut *self.job.stderr };
        Ok((self.job.run)(call))
    }
}

impl Compare {
    fn holds(&self, found: u64, asked: u64) -> bool {
        match self {
            Self::Less => found < asked,
            Self::Equal => found == asked,
            Self::More => found > asked,
        }
    }
}

/// `{}` is the file, also within a word.
fn fill(word: &OsStr, file: &Path) -> OsString {
    let mut made = OsString::new();
    let mut rest = word.as_bytes();
    while let Some(at) = rest.windows(2).position(|window| window == b"{}") {
        made.push(OsStr::from_bytes(&rest[..at]));
        made.push(file);
        rest = &rest[at + 2..];
    }
    made.push(OsStr::from_bytes(rest));
    made
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use crate::testing::Case;

    fn case() -> Case {
        let case =
            Case::line("find").file("a.c", "12").file("b.h", "").file("d/e/f.c", "1").file("d/g", "x".repeat(2000));
        symlink("a.c", case.place.path().join("l")).unwrap();
        case
    }

    const LINES: &[(&str, &str, u8)] = &[
        ("find", ".\n./a.c\n./b.h\n./d\n./d/e\n./d/e/f.c\n./d/g\n./l\n", 0),
        ("find . -name *.c", "./a.c\n./d/e/f.c\n", 0),
        ("find d -type f", "d/e/f.c\nd/g\n", 0),
        ("find . -type d,l", ".\n./d\n./d/e\n./l\n", 0),
        ("find . -maxdepth 1 -name [a-b]*", "./a.c\n./b.h\n", 0),
        ("find . -name [!ab]*.?", "./d/e/f.c\n", 0),
        ("find . ( -name a.c -o -name g ) -print", "./a.c\n./d/g\n", 0),
        ("find . ! -type d -empty", "./b.h\n", 0),
        ("find . -name d -prune -o -type f -print", "./a.c\n./b.h\n", 0),
        ("find . -type f -size +1k", "./d/g\n", 0),
        ("find . -size 1c", "./d/e/f.c\n", 0),
        ("find . -mindepth 3", "./d/e/f.c\n", 0),
        ("find d -depth", "d/e/f.c\nd/e\nd/g\nd\n", 0),
        ("find d -type f -exec basename {} .c ;", "f\ng\n", 0),
        ("find . -type f -name *.c -exec cat {} +", "121", 0),
        ("find . -path */e/*", "./d/e/f.c\n", 0),
        ("find . -iname A.C", "./a.c\n", 0),
        ("find . -mtime +1", "", 0),
        ("find d -type d -print0", "d\0d/e\0", 0),
    ];

    #[test]
    fn files_are_found() {
        let case = case();
        for (line, stdout, status) in LINES {
            let done = case.then(line);
            assert_eq!((done.stdout.as_str(), done.status), (*stdout, *status), "{line}: {}", done.stderr);
        }
        case.then("chmod 640 a.c");
        for mode in ["640", "-600", "/400", "u=rw,g=r"] {
            assert_eq!(case.then(&format!("find a.c -mode {mode}")).stdout, "a.c\n", "{mode}");
        }
        assert_eq!(case.then("find . -name *.c -delete").status, 0);
        assert_eq!(case.then("find . -name *.c").stdout, "");
    }

    #[test]
    fn wrong_calls_are_refused() {
        for (line, stderr) in [
            ("find . -odd", "find: unknown option -odd\n"),
            ("find . -name", "find: -name needs a value\n"),
            ("find . ( -name a", "find: a parenthesis is not closed\n"),
            ("find . -name a )", "find: \")\" is not expected there\n"),
            ("find . -type q", "find: \"q\" is no type of file\n"),
        ] {
            let done = case().then(line);
            assert_eq!(done.status, 2, "{line}");
            assert!(done.stderr.starts_with(stderr), "{line}: {}", done.stderr);
        }
        let done = case().then("find none d -name g");
        assert_eq!((done.stdout.as_str(), done.status), ("d/g\n", 1));
        assert_eq!(done.stderr, "find: none: No such file or directory\n");
    }
}

//! The utilities that the embedded shell offers without a program file (spec: runtimes §3.5).
//!
//! The shell calls them, each in a process that serves one script. A utility knows the [`Io`] it is handed and nothing
//! else: no working directory, environment or standard stream of the process.
#![forbid(unsafe_code)]

mod base64;
mod cat;
mod chmod;
mod copy;
mod date;
mod env;
mod find;
mod grep;
mod gzip;
mod head;
mod job;
mod jq;
mod ls;
mod make;
mod mode;
mod mv;
mod options;
mod paths;
mod remove;
mod seq;
mod sort;
mod sums;
mod tail;
mod tarball;
#[cfg(test)]
mod testing;
mod touch;
mod tr;
mod uniq;
mod wc;
mod xargs;

use std::{
    ffi::OsString,
    io::{BufWriter, Read, Write},
    path::Path,
};

use job::Job;

/// What a utility works with.
pub struct Io<'a> {
    pub stdin: &'a mut dyn Read,
    pub stdout: &'a mut dyn Write,
    pub stderr: &'a mut dyn Write,
    /// The shell's working directory; relative paths resolve against it, never against the process's.
    pub directory: &'a Path,
    /// Exported shell variables.
    pub environment: &'a [(String, String)],
    /// Starts another command, for `xargs` and `find -exec`.
    pub run: &'a mut dyn FnMut(Call<'_>) -> u8,
}

/// A command that a utility wants started.
pub struct Call<'a> {
    pub words: &'a [OsString],
    /// All input of it.
    pub stdin: Vec<u8>,
    pub stdout: &'a mut dyn Write,
    pub stderr: &'a mut dyn Write,
}

/// Takes the arguments without the name; answers the exit status.
pub type Utility = fn(&[OsString], &mut Io<'_>) -> u8;

/// The utility of that name.
pub fn utility(name: &str) -> Option<Utility> {
    UTILITIES.iter().find(|(known, _)| *known == name).map(|(_, utility)| *utility)
}

/// The names of all utilities, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    UTILITIES.iter().map(|(name, _)| *name)
}

/// One line per utility: its name, its function, how it is used.
macro_rules! utilities {
    ($($name:literal $function:path, $usage:literal;)*) => {
        const UTILITIES: &[(&str, Utility)] = &[$((
            $name,
            |arguments, io| {
                let mut stdout = BufWriter::with_capacity(64 * 1024, &mut *io.stdout);
                let mut job = Job {
                    name: $name,
                    stdin: &mut *io.stdin,
                    stdout: &mut stdout,
                    stderr: &mut *io.stderr,
                    directory: io.directory,
                    environment: io.environment,
                    run: &mut *io.run,
                    status: 0,
                    silent: false,
                };
                let outcome = $function(arguments, &mut job);
                let status = job.finish(outcome, $usage);
                // Flushed above; what could not be written then must not be tried again.
                drop(stdout.into_parts());
                status
            }
        )),*];
    };
}

utilities! {
    "base64" base64::base64, "base64 [-d] [-w COLUMNS] [FILE]";
    "basename" paths::basename, "basename PATH [SUFFIX]";
    "cat" cat::cat, "cat [-u] [FILE...]";
    "chmod" chmod::chmod, "chmod [-R] MODE FILE... | chmod [-R] --reference FILE FILE...";
    "cp" copy::cp, "cp [-rfinp] SOURCE... TARGET";
    "date" date::date, "date [-u] [+FORMAT]";
    "dirname" paths::dirname, "dirname PATH";
    "env" env::env, "env";
    "find" find::find, "find [PATH...] [EXPRESSION]";
    "grep" grep::grep, "grep [-qivnclEFPwxhHros] [-e PATTERN] [PATTERN] [FILE...]";
    "gunzip" gzip::gunzip, "gunzip [-cfk] [FILE...]";
    "gzcat" gzip::gzcat, "gzcat [FILE...]";
    "gzip" gzip::gzip, "gzip [-cdfk] [-1..9] [FILE...]";
    "head" head::head, "head [-n LINES | -c BYTES | -LINES] [FILE...]";
    "jq" jq::jq, "jq [OPTIONS] FILTER [FILE...]";
    "ls" ls::ls, "ls [-1aAdFhlrRSt] [FILE...]";
    "mkdir" make::mkdir, "mkdir [-pv] [-m MODE] DIRECTORY...";
    "mktemp" make::mktemp, "mktemp [-d] [-q] [-u] [-p DIRECTORY] [TEMPLATE]";
    "mv" mv::mv, "mv [-fnu] SOURCE... TARGET";
    "pwd" paths::pwd, "pwd";
    "realpath" paths::realpath, "realpath PATH...";
    "rm" remove::rm, "rm [-rfiv] FILE...";
    "seq" seq::seq, "seq [FIRST [INCREMENT]] LAST";
    "sha1sum" sums::sha1sum, "sha1sum [-c] [FILE...]";
    "sha256sum" sums::sha256sum, "sha256sum [-c] [FILE...]";
    "sha512sum" sums::sha512sum, "sha512sum [-c] [FILE...]";
    "shasum" sums::shasum, "shasum [-a 1|256|512] [-c] [FILE...]";
    "sleep" seq::sleep, "sleep SECONDS";
    "sort" sort::sort, "sort [-bfnru] [-k FIELD[,FIELD]] [-t CHARACTER] [-o FILE] [FILE...]";
    "tail" tail::tail, "tail [-n [+]LINES | -c [+]BYTES | -LINES] [FILE...]";
    "tar" tarball::tar, "tar -c|-x|-t [-zvpk] [-f FILE] [-C DIRECTORY] [FILE...]";
    "touch" touch::touch, "touch [-acm] [-d TIME] [-r FILE] FILE...";
    "tr" tr::tr, "tr SET1 SET2 | tr -d SET";
    "uniq" uniq::uniq, "uniq [-cdu] [INPUT]";
    "wc" wc::wc, "wc [-lwc] [FILE...]";
    "which" env::which, "which NAME...";
    "xargs" xargs::xargs, "xargs [-0rt] [-n COUNT] [-I TEXT] [COMMAND [ARGUMENT...]]";
    "yes" seq::yes, "yes [WORD...]";
}

#[cfg(test)]
mod tests {
    use super::names;
    use crate::testing::Case;

    #[test]
    fn the_names_are_those_of_the_manual_and_sorted() {
        let all: Vec<_> = names().collect();
        assert_eq!(all.len(), 38);
        assert!(all.is_sorted());
        let manual = include_str!("../../../docs/src/gsh-utilities.md");
        for name in all {
            assert!(manual.contains(&format!("`{name}`")), "the manual does not name {name}");
        }
    }

    #[test]
    fn an_unknown_option_is_named_with_the_usage_and_ends_with_status_2() {
        for name in names().filter(|n| !["env", "find", "jq", "seq", "sleep", "yes", "pwd"].contains(n)) {
            let done = Case::of(&[name, "-@", "a", "b"]).run();
            assert_eq!(done.status, 2, "{name}");
            assert!(done.stderr.starts_with(&format!("{name}: unknown option -@\nusage: {name}")), "{}", done.stderr);
        }
    }
}

//! The command line of `jq`.

use std::{ffi::OsString, fs, path::PathBuf};

use jaq_json::{Val, read as parse};

use super::{source, text};
use crate::job::{Job, Stop, reason, usage};

pub(super) const HELP: &str = "usage: jq [OPTIONS] FILTER [FILE...]
  -r, --raw-output     strings without quotes     --raw-output0  with NUL after each   -j, --join-output  without newlines
  -c, --compact-output one line a value           --tab, --indent N                    -C, -M             are ignored
  -n, --null-input     no input                   -R, --raw-input  lines as strings    -s, --slurp        all as one array
  -e, --exit-status    1 if the last value is false or null, 4 if there is none
  -f, --from-file FILE the filter                 -L DIRECTORY   modules
  --arg NAME TEXT, --argjson NAME JSON, --slurpfile NAME FILE, --rawfile NAME FILE, --args, --jsonargs
  --stream, --yaml-input, --yaml-output, -v, -h
";

/// What the command line says.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub(super) struct Settings {
    pub filter: String,
    pub filter_file: Option<PathBuf>,
    pub files: Vec<OsString>,
    pub modules: Vec<PathBuf>,
    pub named: Vec<(String, Val)>,
    pub positional: Vec<Val>,
    pub raw: bool,
    /// What follows each value.
    pub end: &'static str,
    pub compact: bool,
    pub tab: bool,
    pub indent: Option<usize>,
    pub null: bool,
    pub raw_input: bool,
    pub slurp: bool,
    pub exit: bool,
    pub stream: bool,
    pub yaml_input: bool,
    pub yaml_output: bool,
    pub version: bool,
    pub help: bool,
}

impl Settings {
    /// `$ARGS`.
    pub(super) fn arguments(&self) -> Val {
        let named = self.named.iter().map(|(name, value)| (text(name), value.clone())).collect();
        let positional = self.positional.iter().cloned().collect();
        Val::obj([(text("named"), Val::obj(named)), (text("positional"), positional)].into_iter().collect())
    }
}

/// What operands after the filter are.
#[derive(Clone, Copy)]
enum Rest {
    Files,
    Strings,
    Json,
}

pub(super) fn read(arguments: &[OsString], job: &Job<'_>) -> Result<Settings, Stop> {
    let mut settings = Settings { end: "\n", ..Settings::default() };
    let (mut filter, mut rest, mut plain) = (None, Rest::Files, false);
    let mut from_file = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let shown = word.to_string_lossy().into_owned();
        if plain || shown == "-" || !shown.starts_with('-') {
            if filter.is_none() && from_file.is_none() {
                filter = Some(shown);
                continue;
            }
            match rest {
                Rest::Files => settings.files.push(word.clone()),
                Rest::Strings => settings.positional.push(text(&shown)),
                Rest::Json => settings.positional.push(value(&shown)?),
            }
            continue;
        }
        let (name, mut attached) = match shown.split_once('=') {
            Some((name, value)) if shown.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (shown.clone(), None),
        };
        let mut next = |what: &str| {
            let found = attached.take().or_else(|| words.next().map(|word| word.to_string_lossy().into_owned()));
            found.ok_or_else(|| Stop::Usage(format!("option {name} needs {what}")))
        };
        match name.as_str() {
            "--" => plain = true,
            "--args" => rest = Rest::Strings,
            "--jsonargs" => rest = Rest::Json,
            "--arg" => settings.named.push((next("a name")?, Val::from(next("a text")?))),
            "--argjson" => {
                let name = next("a name")?;
                settings.named.push((name, value(&next("a JSON value")?)?));
            }
            "--slurpfile" | "--rawfile" => {
                let (variable, file) = (next("a name")?, next("a file")?);
                let content =
                    fs::read(job.resolve(&file)).map_err(|e| Stop::Failed(format!("{file}: {}", reason(&e)), 2))?;
                let value = if name == "--rawfile" {
                    Val::from(String::from_utf8_lossy(&content).into_owned())
                } else {
                    source::all(&content)
                        .map_err(|why| Stop::Failed(format!("{file}: {why}"), 2))?
                        .into_iter()
                        .collect()
                };
                settings.named.push((variable, value));
            }
            "--from-file" => from_file = Some(next("a file")?),
            "--indent" => indent(&mut settings, &next("a number")?)?,
            "--library-path" => settings.modules.push(next("a directory")?.into()),
            long if long.starts_with("--") => flag(&mut settings, long)?,
            _ => {
                for (at, letter) in shown[1..].char_indices() {
                    let after = &shown[1 + at + letter.len_utf8()..];
                    match letter {
                        'f' => from_file = Some(next("a file")?),
                        'L' => {
                            let path = if after.is_empty() { next("a directory")? } else { after.to_owned() };
                            settings.modules.push(path.into());
                            break;
                        }
                        _ => short(&mut settings, letter)?,
                    }
                }
            }
        }
    }
    if let Some(file) = from_file {
        // What was taken for the filter before -f came is a file.
        settings.files.splice(0..0, filter.take().map(OsString::from));
        let code =
            fs::read_to_string(job.resolve(&file)).map_err(|e| Stop::Failed(format!("{file}: {}", reason(&e)), 2))?;
        settings.filter_file = Some(file.into());
        filter = Some(code);
    }
    match filter {
        Some(filter) => settings.filter = filter,
        None if settings.help || settings.version => {}
        None => return usage("a filter is missing"),
    }
    Ok(settings)
}

fn short(settings: &mut Settings, letter: char) -> Result<(), Stop> {
    let long = match letter {
        'r' => "--raw-output",
        'j' => "--join-output",
        'c' => "--compact-output",
        'n' => "--null-input",
        'R' => "--raw-input",
        's' => "--slurp",
        'e' => "--exit-status",
        'C' => "--color-output",
        'M' => "--monochrome-output",
        'S' => "--sort-keys",
        'v' => "--version",
        'h' => "--help",
        _ => return usage(format!("unknown option -{letter}")),
    };
    flag(settings, long)
}

fn flag(settings: &mut Settings, name: &str) -> Result<(), Stop> {
    match name {
        "--raw-output" => settings.raw = true,
        "--raw-output0" => (settings.raw, settings.end) = (true, "\0"),
        "--join-output" => (settings.raw, settings.end) = (true, ""),
        "--compact-output" => settings.compact = true,
        "--tab" => settings.tab = true,
        "--null-input" => settings.null = true,
        "--raw-input" => settings.raw_input = true,
        "--slurp" => settings.slurp = true,
        "--exit-status" => settings.exit = true,
        "--stream" => settings.stream = true,
        "--yaml-input" => settings.yaml_input = true,
        "--yaml-output" => settings.yaml_output = true,
        "--version" => settings.version = true,
        "--help" => settings.help = true,
        // There is no colour, and keys are always sorted.
        "--color-output" | "--monochrome-output" | "--sort-keys" => {}
        _ => return usage(format!("unknown option {name}")),
    }
    Ok(())
}

fn indent(settings: &mut Settings, text: &str) -> Result<(), Stop> {
    match text.parse() {
        Ok(width @ 0..=9) => {
            settings.indent = Some(width);
            Ok(())
        }
        _ => usage(format!("\"{text}\" is no indent from 0 to 9")),
    }
}

fn value(text: &str) -> Result<Val, Stop> {
    source::check(text.as_bytes()).map_err(Stop::Usage)?;
    parse::parse_single(text.as_bytes()).map_err(|_| Stop::Usage(format!("\"{text}\" is no JSON value")))
}

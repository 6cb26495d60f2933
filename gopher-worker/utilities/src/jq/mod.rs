//! `jq` on the jaq crates, as close to gojq as they allow: keys are sorted, exit codes are its.

mod matches;
mod natives;
mod numbers;
mod options;
mod paths;
mod source;
mod value;
mod yaml;

use std::{
    cell::RefCell,
    ffi::OsString,
    path::{Path, PathBuf},
    rc::Rc,
};

use jaq_core::{
    Compiler, Ctx, Filter, Vars,
    load::{self, Arena, File, Loader},
};
use jaq_json::{Val, write};
use jaq_std::input::RcIter;

use crate::job::{Job, Outcome, Stop, reason};
use natives::{Context, Kind, json, raw};
use options::Settings;
use source::Source;
use value::Value;

const WRONG_FILTER: u8 = 3;
const NO_VALUE: u8 = 4;
const FAILED: u8 = 5;

pub(crate) fn jq(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let settings = options::read(arguments, job)?;
    if settings.version {
        return Ok(writeln!(job.stdout, "jq {} (gsh builtin)", env!("CARGO_PKG_VERSION"))?);
    }
    if settings.help {
        return Ok(job.stdout.write_all(options::HELP.as_bytes())?);
    }
    let filter = compile(&settings, job).map_err(|why| Stop::Failed(why, WRONG_FILTER))?;
    let environment = job.environment.iter().map(|(name, value)| (text(name), text(value)));
    let environment = Val::obj(environment.collect());
    let file = Rc::new(RefCell::new(None));
    let inputs =
        RcIter::new(Source::new(job.stdin, job.directory, &settings, file.clone()).map(|input| input.map(Value)));
    let context = Context {
        lut: &filter.lut,
        inputs: &inputs,
        environment: Value(environment.clone()),
        messages: RefCell::default(),
        file,
    };
    let mut variables = vec![Value(environment), Value(settings.arguments())];
    variables.extend(settings.named.iter().map(|(_, value)| Value(value.clone())));
    let mut printer = Printer { settings: &settings, last: None, first: true };
    // With -n the filter runs once and takes what it wants itself.
    let mut once = settings.null.then_some(Ok(Value(Val::Null)));
    loop {
        let next = if settings.null { once.take() } else { (&inputs).next() };
        let input = match next {
            None => break,
            Some(Ok(input)) => input,
            Some(Err(why)) => {
                complain(job.stderr, &why, &mut job.status);
                continue;
            }
        };
        let vars = Vars::new(variables.clone());
        for output in filter.id.run((Ctx::<Kind>::new(&context, vars), input)) {
            flush(&context, job.stderr);
            let exception = match output {
                Ok(value) => {
                    printer.print(&value.0, job.stdout)?;
                    continue;
                }
                Err(exception) => exception,
            };
            match exception.get_halt() {
                Ok(code) => {
                    job.status = u8::try_from(code & 0xff).unwrap_or(FAILED);
                    return Ok(());
                }
                Err(exception) => {
                    let why = exception.get_err().map(|error| shown(error.into_val().0));
                    complain(job.stderr, &why.unwrap_or_else(|_| "break".into()), &mut job.status);
                    // An error ends the filter for this input.
                    break;
                }
            }
        }
        flush(&context, job.stderr);
    }
    if settings.exit && job.status == 0 {
        job.status = match printer.last {
            None => NO_VALUE,
            Some(truth) => u8::from(!truth),
        };
    }
    Ok(())
}

fn text(text: &str) -> Val {
    Val::from(text.to_owned())
}

fn complain(stderr: &mut dyn std::io::Write, why: &str, status: &mut u8) {
    let _ = writeln!(stderr, "jq: error: {why}");
    *status = FAILED;
}

fn flush(context: &Context<'_>, stderr: &mut dyn std::io::Write) {
    let said = std::mem::take(&mut *context.messages.borrow_mut());
    // Who cannot be told is not told.
    let _ = stderr.write_all(&said);
}

/// An error as a sentence: its text, or the value that was thrown.
fn shown(value: Val) -> String {
    match value {
        Val::TStr(_) => String::from_utf8_lossy(&raw(&value)).into_owned(),
        other => format!("{} (not a string)", json(&other)),
    }
}

fn compile(settings: &Settings, job: &Job<'_>) -> Result<Filter<Kind>, String> {
    let arena = Arena::default();
    let prelude = load::parse(include_str!("prelude.jq"), |parser| parser.defs()).unwrap_or_default();
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(prelude);
    let paths = search_paths(settings, job);
    let directory = job.directory.to_path_buf();
    let main = settings.filter_file.as_ref().map_or_else(|| directory.join("filter"), |file| directory.join(file));
    let read = |import: load::Import<&str, PathBuf>| -> Result<File<String, PathBuf>, String> {
        let path = import.find(&paths, "jq")?;
        let code = std::fs::read_to_string(&path).map_err(|e| reason(&e))?;
        Ok(File { code, path })
    };
    let loader = Loader::new(defs).with_read(read);
    let modules = loader.load(&arena, File { path: main, code: &settings.filter }).map_err(|errors| said(&errors))?;
    let mut data = Vec::new();
    load::import(&modules, |import| {
        let path = import.find(&paths, "json")?;
        data.push(path);
        Ok(())
    })
    .map_err(|errors| said(&errors))?;
    if !data.is_empty() {
        return Err("the filter imports data, which is not supported; use --slurpfile".into());
    }
    let names: Vec<String> = settings.named.iter().map(|(name, _)| format!("${name}")).collect();
    let globals = ["$ENV", "$ARGS"].into_iter().chain(names.iter().map(String::as_str));
    Compiler::default().with_funs(natives::funs()).with_global_vars(globals).compile(modules).map_err(|errors| {
        let undefined: Vec<_> = errors
            .iter()
            .flat_map(|(_, errors)| {
                errors.iter().map(|(name, kind)| format!("{} {name} is not defined", kind.as_str()))
            })
            .collect();
        format!("the filter does not compile: {}", undefined.join("; "))
    })
}

fn said(errors: &load::Errors<&str, PathBuf>) -> String {
    let Some((file, error)) = errors.first() else {
        return "the filter does not compile".into();
    };
    let place = |rest: &str| {
        let at = load::span(file.code, rest).start;
        let line = file.code.get(..at).unwrap_or_default().matches('\n').count() + 1;
        let near = rest.split_whitespace().next().unwrap_or("the end");
        format!("line {line}, at {near}")
    };
    match error {
        load::Error::Io(files) => {
            let all: Vec<_> = files.iter().map(|(path, why)| format!("module {path}: {why}")).collect();
            all.join("; ")
        }
        load::Error::Lex(errors) => match errors.first() {
            Some((expected, rest)) => {
                format!("the filter does not compile: {}: {} is expected", place(rest), expected.as_str())
            }
            None => "the filter does not compile".into(),
        },
        load::Error::Parse(errors) => match errors.first() {
            Some((expected, found)) => {
                let found = if found.is_empty() { "the end".to_owned() } else { place(found) };
                format!("the filter does not compile: {} is expected at {found}", expected.as_str())
            }
            None => "the filter does not compile".into(),
        },
    }
}

/// Where modules lie: `-L`, else the places that gojq has.
fn search_paths(settings: &Settings, job: &Job<'_>) -> Vec<PathBuf> {
    let home = job.variable("HOME").map(|home| Path::new(home).join(".jq"));
    if settings.modules.is_empty() {
        return home.into_iter().collect();
    }
    settings.modules.iter().map(|path| job.resolve(path)).collect()
}

/// Writes values as the options want them.
struct Printer<'s> {
    settings: &'s Settings,
    /// Whether the last value was true.
    last: Option<bool>,
    first: bool,
}

impl Printer<'_> {
    fn print(&mut self, value: &Val, output: &mut dyn std::io::Write) -> Outcome {
        self.last = Some(!matches!(value, Val::Null | Val::Bool(false)));
        let settings = self.settings;
        if settings.yaml_output {
            if !std::mem::take(&mut self.first) {
                output.write_all(b"---\n")?;
            }
            output.write_all(yaml::written(value, settings.indent.unwrap_or(2)).as_bytes())?;
            return Ok(());
        }
        if let (true, Val::TStr(bytes)) = (settings.raw, value) {
            if settings.end == "\0" && bytes.contains(&0) {
                return Err(Stop::Failed("a string with a NUL cannot be written with --raw-output0".into(), FAILED));
            }
            output.write_all(bytes)?;
        } else {
            let indent = match (settings.tab, settings.compact, settings.indent.unwrap_or(2)) {
                (true, ..) => Some("\t".to_owned()),
                (_, true, _) | (.., 0) => None,
                (.., width) => Some(" ".repeat(width)),
            };
            let pp = write::Pp { sep_space: indent.is_some(), indent, sort_keys: true, ..write::Pp::default() };
            write::write(output, &pp, 0, &numbers::plain(value))?;
        }
        Ok(output.write_all(settings.end.as_bytes())?)
    }
}

#[cfg(test)]
mod tests;

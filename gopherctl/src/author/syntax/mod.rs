//! `gopherctl syntax`: scripts are read, in whatever language, and not run (spec: Robot API §3.6).

mod faults;
mod parsers;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::Serialize;

use self::faults::Diagnostic;
use super::language::Language;
use crate::{
    cli::print,
    error::CtlError,
    launch::Programs,
    text::one_line,
    view::{View, json_text},
};

#[derive(Debug, clap::Args)]
pub(crate) struct SyntaxArgs {
    /// Scripts
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Their language, if their names do not tell
    #[arg(short, long, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// Directory of the robot's programs [default: the directory of this program]
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    status: &'static str,
    files: Vec<Checked>,
}

#[derive(Serialize)]
struct Checked {
    path: String,
    /// Empty if it is not known.
    language: &'static str,
    ok: bool,
    diagnostics: Vec<Diagnostic>,
}

/// `gopherctl syntax`; a script that is wrong, or that nobody could read, exits with 1.
pub(crate) fn syntax(args: &SyntaxArgs, view: View) -> Result<ExitCode, CtlError> {
    let worker = Programs::find(args.bin_dir.as_deref(), None, None)?.worker();
    let files: Vec<Checked> = args.files.iter().map(|path| check(path, args.lang, &worker)).collect();
    let wrong = files.iter().filter(|file| !file.ok).count();
    let report = Report { status: if wrong == 0 { "ok" } else { "error" }, files };
    print(&if view.json { json_text(&report) } else { report.text(wrong) })?;
    Ok(ExitCode::from(u8::from(wrong > 0)))
}

fn check(path: &Path, language: Option<Language>, worker: &Path) -> Checked {
    let shown = path.display().to_string();
    let failed = |language, stage, message: String| Checked {
        path: shown.clone(),
        language,
        ok: false,
        diagnostics: vec![Diagnostic::at(stage, message)],
    };
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) => return failed(language.map_or("", Language::name), "read", error.to_string()),
    };
    let Some(language) = language.or_else(|| Language::of(path, &text)) else {
        return failed("", "language", "its language is not known: name it with --lang".to_owned());
    };
    let diagnostics = parsers::parse(language, &text, worker);
    let ok = !diagnostics.iter().any(Diagnostic::is_error);
    Checked { path: shown, language: language.name(), ok, diagnostics }
}

impl Report {
    fn text(&self, wrong: usize) -> String {
        let mut out = String::new();
        for file in &self.files {
            for found in &file.diagnostics {
                let mut place = one_line(&file.path);
                // Writing to a string cannot fail.
                for number in [found.line, found.column].into_iter().flatten() {
                    let _ = write!(place, ":{number}");
                }
                let kind = if found.is_error() { "" } else { "warning: " };
                let _ = writeln!(out, "{place}: {kind}{}", one_line(&found.message));
            }
        }
        let count = self.files.len();
        let files = if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
        if wrong == 0 {
            let _ = writeln!(out, "valid: {files}");
        } else {
            let _ = writeln!(out, "not valid: {wrong} of {files}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let diagnostic =
            |severity, line, column| Diagnostic { severity, stage: "parse", message: "oh".into(), line, column };
        let checked = |path: &str, ok, diagnostics| Checked { path: path.into(), language: "lua", ok, diagnostics };
        let report = Report {
            status: "error",
            files: vec![
                checked("a.lua", true, vec![diagnostic("warning", Some(1), None)]),
                checked("b.lua", false, vec![diagnostic("error", Some(3), Some(5)), diagnostic("error", None, None)]),
            ],
        };
        assert_eq!(report.text(1), "a.lua:1: warning: oh\nb.lua:3:5: oh\nb.lua: oh\nnot valid: 1 of 2 files\n");
        let json: serde_json::Value = serde_json::from_str(&json_text(&report)).expect("JSON");
        assert_eq!(json["files"][1]["diagnostics"][0]["column"], 5);
        assert_eq!((&json["status"], &json["files"][0]["ok"]), (&"error".into(), &true.into()));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let dir = tempfile::tempdir().expect("a directory");
        let absent = check(&dir.path().join("a.lua"), None, Path::new("/none"));
        assert_eq!((absent.ok, absent.diagnostics[0].stage), (false, "read"));
        let path = dir.path().join("deploy");
        fs::write(&path, "hello").expect("written");
        assert_eq!(check(&path, None, Path::new("/none")).diagnostics[0].stage, "language");
        let unread = check(&path, Some(Language::Lua), Path::new("/none/gopher-worker"));
        assert_eq!(unread.diagnostics[0].stage, "setup");
    }
}

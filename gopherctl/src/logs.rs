//! `gopherctl logs`: the robot's log, as it is or as it grows.

use std::{io::Write, process::ExitCode};

use gopher_protocol::admin::{AdminAnswer, AdminRequest, LogLine};

use crate::{admin::Admin, error::CtlError, text, time, view::View};

pub(crate) fn run(admin: &mut Admin, lines: u32, follow: bool, view: View) -> Result<ExitCode, CtlError> {
    let mut answer = admin.ask(&AdminRequest::Logs { lines, follow })?;
    let mut out = std::io::stdout().lock();
    loop {
        match answer {
            AdminAnswer::Log { lines } => write(&mut out, &lines, view).map_err(CtlError::Output)?,
            AdminAnswer::Done { .. } => return Ok(ExitCode::SUCCESS),
            other => return Err(Admin::unexpected(&other, "Log")),
        }
        if !follow {
            return Ok(ExitCode::SUCCESS);
        }
        answer = admin.answer(None)?;
    }
}

fn write(out: &mut impl Write, lines: &[LogLine], view: View) -> std::io::Result<()> {
    for line in lines {
        writeln!(out, "{}", one(line, view))?;
    }
    out.flush()
}

fn one(line: &LogLine, view: View) -> String {
    if view.json {
        let LogLine { time_ms, level, source, text } = line;
        return serde_json::json!({ "time_ms": time_ms, "level": level, "source": source, "text": text }).to_string();
    }
    let (stamp, level, source) = (time::stamp(line.time_ms), text::one_line(&line.level), text::one_line(&line.source));
    let text = text::clean(&line.text);
    // Later lines of a text stand out by their indent, so that none can pass for an entry of its own.
    let text = text.trim_end().replace('\n', "\n    ");
    let level = match (view.colours, level.to_ascii_lowercase().as_str()) {
        (true, "error") => format!("\u{1b}[31m{level:<5}\u{1b}[0m"),
        (true, "warn") => format!("\u{1b}[33m{level:<5}\u{1b}[0m"),
        _ => format!("{level:<5}"),
    };
    format!("{stamp} {level} {source}: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: &str, text: &str) -> LogLine {
        LogLine { time_ms: 1000, level: level.into(), source: "engine".into(), text: text.into() }
    }

    #[test]
    fn an_entry_is_one_line_that_cannot_be_forged() {
        assert_eq!(one(&line("info", "up"), View::PLAIN), "1970-01-01 00:00:01.000 info  engine: up");
        assert_eq!(
            one(&line("error", "a\n1970-01-01 b\u{1b}[2J\n"), View::PLAIN),
            "1970-01-01 00:00:01.000 error engine: a\n    1970-01-01 b^[[2J"
        );
    }

    #[test]
    fn colours_mark_what_needs_a_look() {
        let colours = View { json: false, colours: true };
        assert!(one(&line("error", "x"), colours).contains("\u{1b}[31merror\u{1b}[0m"));
        assert!(!one(&line("info", "x"), colours).contains('\u{1b}'));
    }

    #[test]
    fn json_is_one_record_a_line() {
        assert_eq!(
            one(&line("warn", "a\nb"), View::JSON),
            r#"{"level":"warn","source":"engine","text":"a\nb","time_ms":1000}"#
        );
    }
}

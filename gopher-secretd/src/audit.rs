//! The audit file: one JSON line per decision, written before its effect. Names of values, never values.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::{attachments::OpenRun, error::SecretdError, files::NamedFile};

/// What happened.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// The process has its keys.
    Started {
        mode: &'a str,
        key: &'a str,
    },
    /// A loader told what belongs to the tasks of a generation.
    Table {
        generation: u64,
        tasks: usize,
    },
    Released {
        run: &'a OpenRun,
        program: &'a str,
        released: &'a [&'a str],
        withheld: &'a [&'a str],
    },
    Refused {
        run: &'a OpenRun,
        reason: &'a str,
    },
    ConnectorRedeemed {
        connector: &'a str,
        released: &'a [&'a str],
    },
    /// The engine had a memory opened that it did not seal, or what was none.
    Foreign {
        bytes: u64,
        refused: bool,
    },
    /// A peer broke the rules of its link.
    PeerEnded {
        peer: &'a str,
        reason: &'a str,
    },
}

/// Appends to the file, or to standard error if none was given.
pub(crate) struct Audit {
    out: Out,
    /// The last line was cut short: the next one begins on a line of its own.
    torn: bool,
}

enum Out {
    File(File),
    StandardError,
}

impl Audit {
    pub(crate) fn standard_error() -> Self {
        Self { out: Out::StandardError, torn: false }
    }

    /// Takes a regular file and makes every write append to it.
    pub(crate) fn file(fd: OwnedFd) -> Result<Self, SecretdError> {
        let file = NamedFile::new("The audit file", fd)?.into_file();
        fcntl(file.as_fd(), FcntlArg::F_SETFL(OFlag::O_APPEND))
            .map_err(|errno| SecretdError::NoAudit { reason: errno.to_string() })?;
        Ok(Self { out: Out::File(file), torn: false })
    }

    /// Writes one line with one write. On an error the effect must not happen.
    pub(crate) fn record(&mut self, event: &Event<'_>) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut text = if self.torn { String::from("\n") } else { String::new() };
        line(&mut text, now, event);
        let written = match &mut self.out {
            Out::File(file) => file.write(text.as_bytes()),
            Out::StandardError => io::stderr().write(text.as_bytes()),
        }?;
        self.torn = written < text.len();
        if self.torn {
            Err(io::Error::new(io::ErrorKind::StorageFull, "only part of a line was written"))
        } else {
            Ok(())
        }
    }
}

fn line(out: &mut String, now: Duration, event: &Event<'_>) {
    let mut object = Object::new(out);
    object.text("time", &timestamp(now));
    match event {
        Event::Started { mode, key } => {
            object.text("event", "started");
            object.text("mode", mode);
            object.text("key", key);
        }
        Event::Table { generation, tasks } => {
            object.text("event", "table");
            object.number("generation", *generation);
            object.number("tasks", *tasks as u64);
        }
        Event::Released { run, program, released, withheld } => {
            object.text("event", "released");
            object.run(run);
            object.text("program", program);
            object.list("released", released);
            object.list("withheld", withheld);
        }
        Event::Refused { run, reason } => {
            object.text("event", "refused");
            object.run(run);
            object.text("reason", reason);
        }
        Event::ConnectorRedeemed { connector, released } => {
            object.text("event", "connector");
            object.text("connector", connector);
            object.list("released", released);
        }
        Event::Foreign { bytes, refused } => {
            object.text("event", if *refused { "memory refused" } else { "memory opened" });
            object.number("bytes", *bytes);
        }
        Event::PeerEnded { peer, reason } => {
            object.text("event", "peer ended");
            object.text("peer", peer);
            object.text("reason", reason);
        }
    }
    object.end();
}

/// Writes one flat JSON object.
struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    fn new(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        quote(self.out, name);
        self.out.push(':');
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        quote(self.out, value);
    }

    fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        self.out.push_str(&value.to_string());
    }

    fn list(&mut self, name: &str, values: &[&str]) {
        self.name(name);
        self.out.push('[');
        for (n, value) in values.iter().enumerate() {
            if n > 0 {
                self.out.push(',');
            }
            quote(self.out, value);
        }
        self.out.push(']');
    }

    fn run(&mut self, run: &OpenRun) {
        self.number("run", run.run.0);
        self.text("task", run.task.as_str());
        self.text("starter", run.starter.as_str());
        self.number("generation", run.generation.0);
        self.name("configure");
        self.out.push_str(if run.configure { "true" } else { "false" });
    }

    fn end(self) {
        self.out.push_str("}\n");
    }
}

/// A JSON string: names come from configuration and must not forge a line.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => escape(out, c),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A control character; they all lie below U+00A0.
fn escape(out: &mut String, control: char) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push_str("\\u00");
    for shift in [4, 0] {
        out.push(char::from(DIGITS[(control as usize >> shift) & 15]));
    }
}

/// Universal time as `2026-11-25T02:40:00.123Z`.
fn timestamp(since_1970: Duration) -> String {
    let (days, second) = (since_1970.as_secs() / 86_400, since_1970.as_secs() % 86_400);
    // Days are counted from a first of March, so that a leap day ends its year; 146,097 days are 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let (second, milli) = (second % 60, since_1970.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use gopher_protocol::ids::{Generation, RunId};

    use super::*;

    fn run() -> OpenRun {
        OpenRun {
            run: RunId(7),
            task: "weather".into(),
            starter: "night\"ly\n".into(),
            generation: Generation(2),
            configure: false,
        }
    }

    #[test]
    fn a_line_is_one_json_object_whatever_names_contain() {
        let mut text = String::new();
        let event =
            Event::Released { run: &run(), program: "/a\u{7}\u{85}b", released: &["A", "B\n{}"], withheld: &[] };
        line(&mut text, Duration::from_millis(1_795_574_400_123), &event);
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let json: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        assert_eq!(json["time"], "2026-11-25T02:40:00.123Z");
        assert_eq!(json["run"], 7);
        assert_eq!(json["starter"], "night\"ly\n");
        assert_eq!(json["program"], "/a\u{7}\u{85}b");
        assert_eq!(json["released"], serde_json::json!(["A", "B\n{}"]));
        assert_eq!(json["configure"], false);
    }

    #[test]
    fn times_are_right_around_leap_days() {
        for (second, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (1_798_761_599, "2026-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(timestamp(Duration::from_secs(second)), expected);
        }
    }

    #[test]
    fn lines_are_appended_and_a_full_disk_is_an_error() {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("audit");
        std::fs::write(&path, "earlier\n").expect("file");
        let mut audit = Audit::file(File::options().write(true).open(&path).expect("opens").into()).expect("regular");
        audit.record(&Event::Started { mode: "demo", key: "temporary" }).expect("written");
        audit.record(&Event::Refused { run: &run(), reason: "no" }).expect("written");
        let text = std::fs::read_to_string(&path).expect("there");
        assert_eq!(text.lines().count(), 3);
        assert!(text.starts_with("earlier\n{"), "{text}");

        let mut read_only = Audit::file(File::open(&path).expect("opens").into()).expect("regular");
        assert!(read_only.record(&Event::Started { mode: "demo", key: "temporary" }).is_err());
        assert!(Audit::file(File::open("/dev/full").expect("opens").into()).is_err(), "a device is no file");
    }
}

//! The robot's log: recent lines in memory, all of them in `robot.log` of the state directory, bounded.
//!
//! Lines are collected during one turn of the event loop and written together; nothing waits for the disk.

use std::{
    collections::VecDeque,
    fs::File,
    io::Write as _,
    os::fd::OwnedFd,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

use gopher_protocol::{admin::LogLine, robot_api::LogLevel};
use nix::{
    fcntl::{OFlag, openat, renameat},
    sys::stat::{Mode, fstat},
};

/// Lines kept in memory.
const RING: usize = 2000;
/// Longest line.
const LINE: usize = 2048;
/// Size at which the file is put aside.
const FILE: u64 = 8 << 20;

const NAME: &str = "robot.log";
const OLD: &str = "robot.log.1";

/// The log, before and after it has a file.
pub(crate) struct Log {
    level: LogLevel,
    ring: VecDeque<LogLine>,
    /// Lines of this turn, for the file and for followers.
    fresh: Vec<LogLine>,
    directory: Option<Rc<OwnedFd>>,
    file: Option<(File, u64)>,
    failed: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            ring: VecDeque::new(),
            fresh: Vec::new(),
            directory: None,
            file: None,
            failed: false,
        }
    }
}

impl Log {
    pub(crate) fn set_level(&mut self, level: LogLevel) {
        self.level = level;
    }

    /// A line of a level, if that is high enough.
    pub(crate) fn line(&mut self, level: LogLevel, source: &str, text: &str) {
        if level.number() >= self.level.number() {
            self.keep(level, source, text);
        }
    }

    /// What a run printed: kept at any level, for it is asked for when something went wrong.
    pub(crate) fn output(&mut self, source: &str, text: &str) {
        self.keep(LogLevel::Info, source, text);
    }

    fn keep(&mut self, level: LogLevel, source: &str, text: &str) {
        let line = LogLine {
            time_ms: now_ms(),
            level: level.name().to_owned(),
            source: source.to_owned(),
            text: printable(text),
        };
        if self.ring.len() >= RING {
            self.ring.pop_front();
        }
        self.ring.push_back(line.clone());
        self.fresh.push(line);
    }

    pub(crate) fn info(&mut self, text: &str) {
        self.line(LogLevel::Info, "engine", text);
    }

    pub(crate) fn warn(&mut self, text: &str) {
        self.line(LogLevel::Warn, "engine", text);
    }

    pub(crate) fn error(&mut self, text: &str) {
        self.line(LogLevel::Error, "engine", text);
    }

    /// The newest lines, oldest first.
    pub(crate) fn recent(&self, lines: u32) -> Vec<LogLine> {
        let wanted = usize::try_from(lines).unwrap_or(RING).min(self.ring.len());
        self.ring.iter().skip(self.ring.len() - wanted).cloned().collect()
    }

    /// From now on lines go to a file in this directory.
    pub(crate) fn open(&mut self, directory: Rc<OwnedFd>) {
        self.directory = Some(directory);
        self.file = None;
        // Whatever came before the file was there belongs into it.
        if self.fresh.is_empty() {
            self.fresh = self.ring.iter().cloned().collect();
        }
    }

    /// Where its files are; `None` before [`Log::open`].
    pub(crate) fn directory(&self) -> Option<&OwnedFd> {
        self.directory.as_deref()
    }

    /// Writes the lines of this turn; gives them to whoever follows the log.
    pub(crate) fn flush(&mut self) -> Vec<LogLine> {
        if self.fresh.is_empty() {
            return Vec::new();
        }
        if self.directory.is_none() {
            return std::mem::take(&mut self.fresh);
        }
        let mut bytes = Vec::with_capacity(self.fresh.len() * 96);
        for line in &self.fresh {
            write_line(&mut bytes, line);
        }
        if let Err(error) = self.write(&bytes) {
            self.file = None;
            if !std::mem::replace(&mut self.failed, true) {
                self.error(&format!(
                    "{NAME} in the state directory cannot be written: {error}; lines are kept in memory only"
                ));
            }
        } else {
            self.failed = false;
        }
        std::mem::take(&mut self.fresh)
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let Some(directory) = self.directory.clone() else { return Ok(()) };
        if self.file.as_ref().is_some_and(|(_, size)| *size >= FILE) {
            self.file = None;
            renameat(&*directory, NAME, &*directory, OLD)?;
        }
        let (file, size) = if let Some(open) = &mut self.file {
            open
        } else {
            let (file, size) = open_for_append(&directory, NAME)?;
            self.file.insert((file, size))
        };
        file.write_all(bytes)?;
        *size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}

/// Opens a file of the state directory, private to this account, to append to it; with its size.
pub(crate) fn open_for_append(directory: &OwnedFd, name: &str) -> std::io::Result<(File, u64)> {
    let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    let file = openat(directory, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
    let size = u64::try_from(fstat(&file)?.st_size).unwrap_or(0);
    Ok((File::from(file), size))
}

/// One line as it stands in a file.
pub(crate) fn write_line(out: &mut Vec<u8>, line: &LogLine) {
    out.extend_from_slice(stamp(line.time_ms).as_bytes());
    for part in [&line.level, &line.source, &line.text] {
        out.push(b' ');
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'\n');
}

/// One line, whatever the text holds: control characters are shown, not obeyed.
pub(crate) fn printable(text: &str) -> String {
    let text = text.trim_end_matches(['\n', '\r']);
    let mut out = String::with_capacity(text.len().min(LINE));
    for c in text.chars() {
        if out.len() >= LINE {
            out.push_str("<... truncated>");
            break;
        }
        match c {
            '\t' => out.push('\t'),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `2026-11-25T02:23:14.123Z`
pub(crate) fn stamp(time_ms: u64) -> String {
    let (seconds, ms) = (time_ms / 1000, time_ms % 1000);
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Year, month and day of a number of days since 1970 (proleptic Gregorian; eras of 400 years that begin in March).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state_directory() -> (std::path::PathBuf, Rc<OwnedFd>) {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gopher-log-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("creates");
        let directory = File::open(&path).expect("opens");
        (path, Rc::new(directory.into()))
    }

    #[test]
    fn times_are_civil() {
        assert_eq!(stamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(stamp(951_827_696_007), "2000-02-29T12:34:56.007Z");
        assert_eq!(stamp(1_795_573_394_000), "2026-11-25T02:23:14.000Z");
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(printable("a\nb\x1b[0m\tc\r\n"), "a\\nb\\u{1b}[0m\tc");
        let long = printable(&"x".repeat(5000));
        assert!(long.len() < LINE + 32 && long.ends_with("<... truncated>"));
    }

    #[test]
    fn lines_below_the_level_are_not_kept_and_early_lines_reach_the_file() {
        let (path, directory) = state_directory();
        let mut log = Log::default();
        log.line(LogLevel::Debug, "engine", "unheard");
        log.info("early");
        assert_eq!(log.flush().len(), 1);
        log.open(directory);
        log.warn("late");
        log.flush();
        let text = std::fs::read_to_string(path.join(NAME)).expect("is there");
        assert!(text.contains(" Warn engine late\n"), "{text}");
        assert!(!text.contains("unheard"));
        assert_eq!(log.recent(1)[0].text, "late");
        assert_eq!(log.recent(99).len(), 2);
        std::fs::remove_dir_all(path).expect("removes");
    }

    #[test]
    fn a_full_file_is_put_aside_once() {
        let (path, directory) = state_directory();
        let mut log = Log::default();
        log.open(directory);
        log.info("first");
        log.flush();
        if let Some((_, size)) = &mut log.file {
            *size = FILE;
        }
        log.info("second");
        log.flush();
        assert!(std::fs::read_to_string(path.join(OLD)).expect("is there").contains("first"));
        assert!(std::fs::read_to_string(path.join(NAME)).expect("is there").contains("second"));
        std::fs::remove_dir_all(path).expect("removes");
    }
}

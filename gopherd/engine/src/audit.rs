//! Decisions, written down before they take effect: without the line there is no effect.

use std::{fs::File, io::Write as _, os::fd::OwnedFd, rc::Rc};

use gopher_protocol::{admin::LogLine, robot_api::LogLevel};

use crate::log::{Log, now_ms, open_for_append, printable, write_line};

const NAME: &str = "audit.log";

/// The audit file of the state directory.
#[derive(Default)]
pub(crate) struct Audit {
    directory: Option<Rc<OwnedFd>>,
    file: Option<File>,
}

impl Audit {
    pub(crate) fn open(&mut self, directory: Rc<OwnedFd>) {
        self.directory = Some(directory);
        self.file = None;
    }

    /// Writes one decision; `false` means that it must not take effect.
    pub(crate) fn record(&mut self, log: &mut Log, text: &str) -> bool {
        let line = LogLine {
            time_ms: now_ms(),
            level: LogLevel::Audit.name().to_owned(),
            source: "audit".to_owned(),
            text: printable(text),
        };
        let mut bytes = Vec::with_capacity(128);
        write_line(&mut bytes, &line);
        match self.write(&bytes) {
            Ok(()) => {
                log.line(LogLevel::Audit, "audit", text);
                true
            }
            Err(error) => {
                self.file = None;
                log.error(&format!(
                    "{NAME} in the state directory cannot be written: {error}; nothing is done for: {text}"
                ));
                false
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let directory =
            self.directory.as_ref().ok_or_else(|| std::io::Error::other("there is no state directory yet"))?;
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(open_for_append(directory, NAME)?.0),
        };
        file.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_place_for_the_line_nothing_happens() {
        let (mut audit, mut log) = (Audit::default(), Log::default());
        assert!(!audit.record(&mut log, "alice kills pipeline 7"));
        assert!(log.recent(1)[0].text.contains("alice kills pipeline 7"));

        let path = std::env::temp_dir().join(format!("gopher-audit-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("creates");
        audit.open(Rc::new(File::open(&path).expect("opens").into()));
        assert!(audit.record(&mut log, "alice\nkills"));
        let text = std::fs::read_to_string(path.join(NAME)).expect("is there");
        assert!(text.ends_with(" Audit audit alice\\nkills\n"), "{text}");
        std::fs::remove_dir_all(path).expect("removes");
    }
}

//! What became of the suites, for people and for programs.

use std::{fmt::Write as _, path::PathBuf};

use serde::Serialize;

use super::player::{Failure, Outcome};

/// Longest text of a message that a report for people shows.
const SHOWN: usize = 2000;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) suites: Vec<SuiteReport>,
    pub(super) passed: usize,
    pub(super) failed: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct SuiteReport {
    pub(super) suite: String,
    pub(super) status: &'static str,
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) not_run: usize,
    pub(super) failures: Vec<Failure>,
    /// Where the run was left, if it was to be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_dir: Option<PathBuf>,
    pub(super) seconds: f64,
}

impl SuiteReport {
    pub(super) fn new(suite: &str, outcome: Outcome, run_dir: Option<PathBuf>, seconds: f64) -> Self {
        Self {
            suite: suite.to_owned(),
            status: if outcome.failed == 0 { "pass" } else { "fail" },
            passed: outcome.passed,
            failed: outcome.failed,
            not_run: outcome.not_run,
            failures: outcome.failures,
            run_dir,
            seconds,
        }
    }

    /// `PASS name`, or `FAIL name (n failures)` and each of them.
    pub(super) fn text(&self) -> String {
        let mut text = if self.failed == 0 {
            format!("PASS {}\n", self.suite)
        } else {
            let count = self.failures.len();
            let plural = if count == 1 { "" } else { "s" };
            format!("FAIL {} ({count} failure{plural})\n", self.suite)
        };
        for failure in &self.failures {
            let _ = writeln!(text, "  {}: {}", failure.case, indented(&failure.error));
            for (label, value) in [("sent", &failure.sent), ("expected", &failure.expected), ("seen", &failure.seen)] {
                if let Some(value) = value {
                    let _ = writeln!(text, "    {label:<9}{}", indented(value));
                }
            }
        }
        if self.not_run > 0 {
            let _ = writeln!(text, "  {} not run", self.not_run);
        }
        if let Some(dir) = &self.run_dir {
            let _ = writeln!(text, "  kept in {}", dir.display());
        }
        text
    }
}

/// More lines of a value stand under its first; what is too long is cut.
fn indented(value: &str) -> String {
    let cut = value.char_indices().nth(SHOWN).map_or(value, |(end, _)| &value[..end]);
    let more = if cut.len() < value.len() { " …" } else { "" };
    format!("{}{more}", cut.replace('\n', "\n             "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_shows_what_was_sent_expected_and_seen() {
        let failure = Failure {
            case: "case-002".into(),
            error: "another reply was expected".into(),
            sent: Some("alice in #general: ;ping".into()),
            expected: Some("#general: /PONG/".into()),
            seen: Some("#general: line one\nline two".into()),
            ..Failure::default()
        };
        let outcome = Outcome { passed: 1, failed: 3, not_run: 2, failures: vec![failure], interrupted: false };
        let report = SuiteReport::new("S", outcome, None, 0.5);
        assert_eq!(
            report.text(),
            "FAIL S (1 failure)\n  case-002: another reply was expected\n    sent     alice in #general: ;ping\n    \
             expected #general: /PONG/\n    seen     #general: line one\n             line two\n  2 not run\n"
        );
        assert_eq!(SuiteReport::new("S", Outcome { passed: 2, ..Outcome::default() }, None, 0.1).text(), "PASS S\n");
    }
}

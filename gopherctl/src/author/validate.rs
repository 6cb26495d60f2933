//! `gopherctl validate`, and what `gopherctl reload` says: the findings of one load.

use std::fmt::Write as _;

use gopher_protocol::{admin::LoadReport, robot::Cause};
use serde_json::json;

use crate::{
    text::{clean, one_line},
    view::{View, json_text},
};

/// A report and how strictly it is read.
pub(crate) struct Findings<'r> {
    pub(crate) report: &'r LoadReport,
    /// Secrets that do not open here are not spoken of.
    pub(crate) redact: bool,
    /// They, and warnings, are errors.
    pub(crate) strict: bool,
}

impl Findings<'_> {
    pub(crate) fn valid(&self) -> bool {
        let report = self.report;
        report.errors.is_empty() && self.disabled_by(Cause::Wrong) == 0 && !(self.strict && self.has_warnings())
    }

    fn has_warnings(&self) -> bool {
        !self.report.notices.is_empty() || !self.report.unopened.is_empty() || self.disabled_by(Cause::Missing) > 0
    }

    fn disabled_by(&self, cause: Cause) -> usize {
        self.report.disabled.iter().filter(|d| d.cause == cause).count()
    }

    pub(crate) fn show(&self, view: View) -> String {
        if view.json { self.as_json() } else { self.as_text(view) }
    }

    fn as_json(&self) -> String {
        let report = self.report;
        let disabled: Vec<_> = report
            .disabled
            .iter()
            .map(|d| json!({ "name": d.name, "kind": d.kind, "reason": d.reason, "cause": d.cause.word() }))
            .collect();
        let unopened: Vec<_> =
            if self.redact { Vec::new() } else { report.unopened.iter().map(|(name, _)| name).collect() };
        json_text(&json!({
            "valid": self.valid(), "errors": report.errors, "changes": report.changes, "disabled": disabled,
            "warnings": report.notices, "unopened_secrets": unopened, "plugins": report.plugins,
        }))
    }

    fn as_text(&self, view: View) -> String {
        let report = self.report;
        let mut out = String::new();
        // Writing to a string cannot fail.
        for error in &report.errors {
            let _ = writeln!(out, "{} {}\n", view.label("error", "31"), clean(error).trim_end());
        }
        for change in &report.changes {
            let _ = writeln!(out, "{}", clean(change));
        }
        for disabled in &report.disabled {
            let word = match disabled.cause {
                Cause::Wrong => view.label("disabled", "31"),
                Cause::Missing => view.label("missing", "33"),
                Cause::Off | Cause::Stock => view.label("off", "2"),
            };
            let _ = writeln!(out, "{word} {} {}: {}", disabled.kind, one_line(&disabled.name), clean(&disabled.reason));
        }
        for notice in &report.notices {
            let _ = writeln!(out, "{} {}", view.label("warning", "33"), clean(notice));
        }
        // Each reason names its secret.
        for (_, why) in report.unopened.iter().filter(|_| !self.redact) {
            let _ = writeln!(out, "{} {}", view.label("unopened", "33"), one_line(why));
        }
        let _ = writeln!(out, "{}", self.verdict());
        out
    }

    fn verdict(&self) -> String {
        let report = self.report;
        let parts = [
            (report.errors.len(), "error"),
            (self.disabled_by(Cause::Wrong), "disabled extension"),
            (self.disabled_by(Cause::Missing), "missing extension"),
            (report.notices.len(), "warning"),
            (if self.redact { 0 } else { report.unopened.len() }, "unopened secret"),
        ];
        let counted: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| counted(*n, what)).collect();
        let loaded = if report.errors.is_empty() {
            counted_plugins(report.plugins)
        } else {
            "the configuration does not load".to_owned()
        };
        match (self.valid(), counted.is_empty()) {
            (true, true) => format!("valid: {loaded}"),
            (true, false) => format!("valid: {loaded}; {}", counted.join(", ")),
            (false, _) => format!("not valid: {loaded}; {}", counted.join(", ")),
        }
    }
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn counted_plugins(n: u32) -> String {
    counted(usize::try_from(n).unwrap_or(usize::MAX), "plugin")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gopher_protocol::admin::DisabledRow;

    fn report() -> LoadReport {
        LoadReport {
            generation: 1,
            errors: Vec::new(),
            changes: Vec::new(),
            notices: vec!["conf/robot.yaml:3:1: `LocalPort` has no effect".into()],
            disabled: vec![DisabledRow {
                name: "echo".into(),
                kind: "plugin".into(),
                reason: "NameSpace".into(),
                cause: Cause::Wrong,
            }],
            unopened: vec![("TOKEN".into(), "the secret TOKEN cannot be opened".into())],
            plugins: 12,
        }
    }

    fn findings(report: &LoadReport) -> Findings<'_> {
        Findings { report, redact: false, strict: false }
    }

    #[test]
    fn everything_found_is_a_line_and_the_last_one_counts() {
        let report = report();
        assert_eq!(
            findings(&report).show(View::PLAIN),
            "disabled: plugin echo: NameSpace\n\
             warning: conf/robot.yaml:3:1: `LocalPort` has no effect\n\
             unopened: the secret TOKEN cannot be opened\n\
             not valid: 12 plugins; 1 disabled extension, 1 warning, 1 unopened secret\n"
        );
        let refused = LoadReport { errors: vec!["conf/robot.yaml:1:1: no".into()], disabled: Vec::new(), ..report };
        let text = findings(&refused).show(View::PLAIN);
        assert!(text.starts_with("error: conf/robot.yaml:1:1: no\n\n"), "{text}");
        assert!(text.ends_with("not valid: the configuration does not load; 1 error, 1 warning, 1 unopened secret\n"));
    }

    #[test]
    fn what_an_author_switched_off_is_no_fault_and_strictness_is_asked_for() {
        let mut report = report();
        report.disabled[0].cause = Cause::Missing;
        assert!(findings(&report).valid());
        assert!(findings(&report).show(View::PLAIN).starts_with("missing: plugin echo: NameSpace\n"));
        assert!(findings(&report).verdict().contains("1 missing extension"));
        report.disabled[0].cause = Cause::Off;
        assert!(findings(&report).valid());
        assert!(!Findings { strict: true, ..findings(&report) }.valid());
        report.notices.clear();
        assert!(!Findings { strict: true, ..findings(&report) }.valid(), "a secret that does not open");
        report.unopened.clear();
        assert!(Findings { strict: true, ..findings(&report) }.valid());
        assert_eq!(findings(&report).verdict(), "valid: 12 plugins");
    }

    #[test]
    fn machines_get_the_same() {
        let report = report();
        let json: serde_json::Value = serde_json::from_str(&findings(&report).show(View::JSON)).unwrap();
        assert_eq!(json["valid"], false);
        assert_eq!(json["disabled"][0]["name"], "echo");
        assert_eq!(json["unopened_secrets"][0], "TOKEN");
        let json = Findings { redact: true, ..findings(&report) }.show(View::JSON);
        assert!(!json.contains("TOKEN"));
    }
}

//! The supervisor's status file: what can be known while the engine is down.

use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use serde::{Deserialize, Serialize};

use crate::{
    text,
    view::{View, json_text},
};

/// What the supervisor knows of its processes. Fields it does not write are absent here.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Report {
    pid: u32,
    home: String,
    live_runs: u32,
    /// What is missing to separate runs, each a whole sentence.
    missing: Vec<String>,
    roles: Vec<Role>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Role {
    name: String,
    pid: Option<u32>,
    restarts: u32,
    last_exit: Option<String>,
}

impl Report {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// A process of that id is there. It could be another one since: this only chooses between two sentences.
    pub(crate) fn supervisor_lives(&self) -> bool {
        match i32::try_from(self.pid) {
            Ok(pid) if pid > 0 => !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH)),
            _ => false,
        }
    }

    /// There is no engine process at the moment.
    pub(crate) fn engine_is_down(&self) -> bool {
        self.roles.iter().any(|role| role.name == "engine" && role.pid.is_none())
    }

    /// What is known of the engine, as an addition to a sentence.
    pub(crate) fn engine(&self) -> String {
        let Some(engine) = self.roles.iter().find(|role| role.name == "engine") else { return String::new() };
        match &engine.last_exit {
            Some(exit) => format!(" (restarted {} times, last exit: {exit})", engine.restarts),
            None => String::new(),
        }
    }
}

pub(crate) fn show(report: &Report, view: View) -> String {
    if view.json {
        return json_text(report);
    }
    let rows = report.roles.iter().map(|role| {
        let pid = role.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        vec![
            role.name.clone(),
            pid,
            role.restarts.to_string(),
            role.last_exit.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    });
    let missing: String = report.missing.iter().flat_map(|sentence| [sentence.as_str(), "\n"]).collect();
    format!(
        "gopherd is up as process {}, with {} live runs\n{}\n{}",
        report.pid,
        report.live_runs,
        text::clean(&missing),
        view.table(&["PROCESS", "PID", "RESTARTS", "LAST EXIT"], rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_supervisor_is_told_from_a_dead_one() {
        let report = |pid| Report { pid, ..Report::default() };
        assert!(report(std::process::id()).supervisor_lives());
        assert!(report(1).supervisor_lives());
        assert!(!report(0).supervisor_lives());
        assert!(!report(u32::MAX).supervisor_lives());
    }

    #[test]
    fn unknown_and_missing_fields_do_no_harm() {
        let report =
            Report::parse(br#"{"pid":7,"news":1,"roles":[{"name":"engine","restarts":2,"last_exit":"exit 70"}]}"#)
                .unwrap();
        assert_eq!(report.engine(), " (restarted 2 times, last exit: exit 70)");
        assert!(
            show(&report, View::PLAIN).contains("engine   -    2         exit 70"),
            "{}",
            show(&report, View::PLAIN)
        );
        assert!(Report::parse(b"{").is_none());
    }
}

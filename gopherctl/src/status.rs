//! `gopherctl status`: how the robot is.

use std::fmt::Write as _;

use gopher_protocol::{
    admin::{Readiness, Status},
    connector::MAIL,
    supervisor::RunMode,
};
use serde_json::json;

use crate::{
    text::{clean, one_line},
    time,
    view::{View, json_text},
};

fn mode(mode: &RunMode) -> &'static str {
    match mode {
        RunMode::Packaged => "packaged",
        RunMode::Plain => "plain",
        RunMode::Unconfined => "unconfined",
    }
}

fn state(readiness: &Readiness) -> &'static str {
    match readiness {
        Readiness::Starting => "starting",
        Readiness::Ready => "ready",
        Readiness::Stopping => "stopping",
    }
}

pub(crate) fn show(status: &Status, view: View) -> String {
    if view.json { as_json(status) } else { as_text(status, view) }
}

fn as_json(status: &Status) -> String {
    let protocols: Vec<_> = status
        .protocols
        .iter()
        .map(|p| json!({ "name": p.name, "primary": p.primary, "state": p.state, "trouble": p.trouble }))
        .collect();
    let disabled: Vec<_> = status
        .disabled
        .iter()
        .map(|d| json!({ "name": d.name, "kind": d.kind, "reason": d.reason, "cause": d.cause.word() }))
        .collect();
    json_text(&json!({
        "robot": status.robot, "version": status.version, "home": status.home,
        "state": state(&status.readiness), "uptime_seconds": status.uptime_seconds, "generation": status.generation,
        "isolation": { "mode": mode(&status.isolation.mode), "missing": status.isolation.missing },
        "protocols": protocols, "plugins": status.plugins,
        "live_runs": status.live_runs, "queued_runs": status.queued_runs,
        "disabled": disabled, "notices": status.notices,
    }))
}

fn as_text(status: &Status, view: View) -> String {
    let facts = [
        ("robot", one_line(&status.robot)),
        ("version", one_line(&status.version)),
        ("home", one_line(&status.home)),
        ("state", state(&status.readiness).to_owned()),
        ("up", time::span(status.uptime_seconds)),
        ("generation", status.generation.to_string()),
        ("isolation", mode(&status.isolation.mode).to_owned()),
        ("plugins", status.plugins.to_string()),
        ("runs", format!("{} live, {} queued", status.live_runs, status.queued_runs)),
    ];
    let mut out = String::new();
    for (name, value) in facts {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name:<12}{value}");
    }
    for sentence in &status.isolation.missing {
        let _ = writeln!(out, "{:<12}{}", "missing", clean(sentence));
    }
    let protocols = status.protocols.iter().map(|p| {
        let role = match p.name.as_str() {
            MAIL => "outgoing",
            _ if p.primary => "primary",
            _ => "secondary",
        };
        vec![p.name.clone(), role.to_owned(), p.state.clone(), p.trouble.clone().unwrap_or_else(|| "-".to_owned())]
    });
    out.push('\n');
    out.push_str(&view.table(&["PROTOCOL", "ROLE", "STATE", "TROUBLE"], protocols));
    if !status.disabled.is_empty() {
        let disabled = status.disabled.iter().map(|d| vec![d.name.clone(), d.kind.clone(), d.reason.clone()]);
        out.push('\n');
        out.push_str(&view.table(&["DISABLED", "KIND", "REASON"], disabled));
    }
    if !status.notices.is_empty() {
        out.push('\n');
        for notice in &status.notices {
            let _ = writeln!(out, "{}", clean(notice));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use gopher_protocol::{admin::DisabledRow, robot::Cause};

    use gopher_protocol::{admin::ProtocolStatus, supervisor::Isolation};

    use super::*;

    fn status() -> Status {
        Status {
            robot: "floyd".into(),
            version: "0.1.0".into(),
            home: "/robot".into(),
            uptime_seconds: 3720,
            generation: 2,
            isolation: Isolation { mode: RunMode::Plain, missing: vec!["No cgroup is delegated.".into()] },
            protocols: [("terminal", true), ("ssh", false), (MAIL, false)]
                .map(|(name, primary)| ProtocolStatus {
                    name: name.into(),
                    primary,
                    state: "running".into(),
                    trouble: None,
                })
                .into(),
            plugins: 7,
            live_runs: 1,
            queued_runs: 0,
            disabled: vec![DisabledRow {
                name: "memes".into(),
                kind: "plugin".into(),
                reason: "ruby is not installed".into(),
                cause: Cause::Wrong,
            }],
            notices: vec!["Restart pending.".into()],
            readiness: Readiness::Ready,
        }
    }

    #[test]
    fn everything_that_matters_is_on_one_page() {
        let text = show(&status(), View::PLAIN);
        for part in [
            "robot       floyd\n",
            "state       ready\nup          1h02m\n",
            "isolation   plain\n",
            "missing     No cgroup is delegated.\n",
            "PROTOCOL  ROLE       STATE    TROUBLE\nterminal  primary    running  -\n",
            "\nssh       secondary  running  -\nmail      outgoing   running  -\n",
            "DISABLED  KIND    REASON\nmemes     plugin  ruby is not installed\n",
            "\nRestart pending.\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn json_has_names_for_everything() {
        let value: serde_json::Value = serde_json::from_str(&show(&status(), View::JSON)).unwrap();
        assert_eq!(value["state"], "ready");
        assert_eq!(value["isolation"]["mode"], "plain");
        assert_eq!(value["disabled"][0]["reason"], "ruby is not installed");
        assert_eq!(value["protocols"][0]["primary"], true);
    }
}

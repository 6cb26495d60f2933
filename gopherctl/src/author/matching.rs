//! `gopherctl match`: what a message would start, and why it would not start other things.

use gopher_protocol::admin::MatchReport;
use serde_json::json;

use crate::{
    text::{clean, one_line},
    view::{View, json_text},
};

pub(super) fn show(report: &MatchReport, view: View) -> String {
    if view.json {
        let candidates: Vec<_> = report
            .candidates
            .iter()
            .map(|c| {
                json!({
                    "plugin": c.plugin, "command": c.command, "arguments": c.arguments, "runs": c.runs,
                    "verdict": c.verdict,
                })
            })
            .collect();
        return json_text(&json!({
            "user": report.user, "place": report.place, "command": report.command, "outcome": report.outcome,
            "candidates": candidates,
        }));
    }
    let said = match &report.command {
        Some(command) => format!("to the robot: {}", one_line(command)),
        None => "not addressed to the robot".to_owned(),
    };
    let mut out = format!("{} in {}, {said}\n{}\n", one_line(&report.user), report.place, clean(&report.outcome));
    if !report.candidates.is_empty() {
        let rows = report.candidates.iter().map(|c| {
            let arguments: Vec<String> = c.arguments.iter().map(|a| format!("{a:?}")).collect();
            let mark = if c.runs { "*" } else { "" };
            vec![mark.to_owned(), format!("{}/{}", c.plugin, c.command), arguments.join(" "), c.verdict.clone()]
        });
        out.push('\n');
        out.push_str(&view.table(&["", "COMMAND", "ARGUMENTS", "VERDICT"], rows));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use gopher_protocol::admin::MatchRow;

    #[test]
    fn the_outcome_comes_first_and_then_every_candidate() {
        let report = MatchReport {
            user: "bob".into(),
            place: "#ops".into(),
            command: Some("deploy web".into()),
            outcome: "deploy/go runs.".into(),
            candidates: vec![
                MatchRow {
                    plugin: "deploy".into(),
                    command: "go".into(),
                    arguments: vec!["web".into()],
                    runs: true,
                    verdict: "it fits".into(),
                },
                MatchRow {
                    plugin: "other".into(),
                    command: "deploy".into(),
                    arguments: Vec::new(),
                    runs: false,
                    verdict: "it is not for bob (Users)".into(),
                },
            ],
        };
        assert_eq!(
            show(&report, View::PLAIN),
            "bob in #ops, to the robot: deploy web\ndeploy/go runs.\n\n   COMMAND       ARGUMENTS  VERDICT\n\
             *  deploy/go     \"web\"      it fits\n   other/deploy             it is not for bob (Users)\n"
        );
        let json: serde_json::Value = serde_json::from_str(&show(&report, View::JSON)).unwrap();
        assert_eq!(json["candidates"][1]["runs"], false);
    }
}

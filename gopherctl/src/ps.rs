//! `gopherctl ps`: live pipelines.

use gopher_protocol::admin::PsRow;
use serde_json::json;

use crate::{
    time,
    view::{View, json_text},
};

const HEADER: [&str; 9] = ["WID", "AGE", "USER", "CHANNEL", "KIND", "PLUGIN", "COMMAND", "TASK", "STATE"];

pub(crate) fn show(rows: &[PsRow], view: View) -> String {
    if view.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "wid": row.pipeline.0, "age_seconds": row.age_seconds, "user": row.user, "channel": row.channel,
                    "kind": row.kind, "plugin": row.plugin, "command": row.command, "task": row.task,
                    "state": row.state,
                })
            })
            .collect();
        return json_text(&rows);
    }
    if rows.is_empty() {
        return "No pipelines running\n".to_owned();
    }
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let mut rows: Vec<&PsRow> = rows.iter().collect();
    rows.sort_by_key(|row| row.pipeline);
    view.table(
        &HEADER,
        rows.into_iter().map(|row| {
            vec![
                row.pipeline.to_string(),
                time::span(row.age_seconds),
                or_dash(&row.user),
                or_dash(&row.channel),
                or_dash(&row.kind),
                or_dash(&row.plugin),
                or_dash(&row.command),
                or_dash(&row.task),
                or_dash(&row.state),
            ]
        }),
    )
}

#[cfg(test)]
mod tests {
    use gopher_protocol::ids::PipelineId;

    use super::*;

    fn row(wid: u64, task: &str) -> PsRow {
        PsRow {
            pipeline: PipelineId(wid),
            kind: "plugin".into(),
            plugin: "knock".into(),
            task: task.into(),
            command: "joke".into(),
            user: "alice".into(),
            channel: String::new(),
            age_seconds: 65,
            state: "waiting for a reply".into(),
        }
    }

    #[test]
    fn the_wid_comes_first_and_rows_are_sorted_by_it() {
        assert_eq!(
            show(&[row(12, "knock"), row(3, "notify")], View::PLAIN),
            "WID  AGE    USER   CHANNEL  KIND    PLUGIN  COMMAND  TASK    STATE\n\
             3    1m05s  alice  -        plugin  knock   joke     notify  waiting for a reply\n\
             12   1m05s  alice  -        plugin  knock   joke     knock   waiting for a reply\n"
        );
        assert_eq!(show(&[], View::PLAIN), "No pipelines running\n");
    }

    #[test]
    fn json_has_a_record_for_each() {
        let rows: serde_json::Value = serde_json::from_str(&show(&[row(3, "knock")], View::JSON)).unwrap();
        assert_eq!(rows[0]["wid"], 3);
        assert_eq!(rows[0]["channel"], "");
    }
}

//! `gopherctl dump`: what the layers of a file were merged to, each value with the place it comes from.

use std::fmt::Write as _;

use gopher_protocol::loader::MergedFile;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::{
    text::clean,
    view::{View, json_text},
};

/// Origins stand beside the lines as long as those are no longer than this.
const WIDEST: usize = 60;

/// The file a person means by a word: `robot`, `plugins/echo`, `plugins/echo.yaml`.
pub(super) fn file_name(word: &str) -> String {
    let name = word.strip_suffix(".yaml").unwrap_or(word);
    format!("{name}.yaml")
}

pub(super) fn show(file: &MergedFile, view: View) -> String {
    if view.json {
        let value: Value = serde_json::from_str(&file.json).unwrap_or_default();
        let origins: Vec<_> = file.lines.iter().map(|(text, at)| json!({ "line": text, "at": at })).collect();
        return json_text(&json!({ "file": file.name, "value": value, "origins": origins }));
    }
    let width = file.lines.iter().map(|(text, _)| text.width()).filter(|w| *w <= WIDEST).max().unwrap_or(0);
    let mut out = String::new();
    for (text, at) in &file.lines {
        let text = clean(text);
        let gap = " ".repeat(width.saturating_sub(text.width()));
        let origin = if view.colours { format!("\u{1b}[2m# {at}\u{1b}[0m") } else { format!("# {at}") };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{text}{gap}  {origin}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> MergedFile {
        let lines = [("Alias: \";\"", "conf/robot.yaml:2:1"), ("AdminUsers:", "share/robot.yaml:9:1")];
        MergedFile {
            name: "robot.yaml".into(),
            lines: lines.map(|(text, at)| (text.to_owned(), at.to_owned())).to_vec(),
            json: r#"{"Alias":";"}"#.into(),
        }
    }

    #[test]
    fn every_value_stands_beside_its_origin() {
        assert_eq!(
            show(&file(), View::PLAIN),
            "Alias: \";\"   # conf/robot.yaml:2:1\nAdminUsers:  # share/robot.yaml:9:1\n"
        );
        let json: Value = serde_json::from_str(&show(&file(), View::JSON)).unwrap();
        assert_eq!((&json["value"]["Alias"], &json["origins"][1]["at"]), (&json!(";"), &json!("share/robot.yaml:9:1")));
        assert_eq!((file_name("robot"), file_name("plugins/a.yaml")), ("robot.yaml".into(), "plugins/a.yaml".into()));
    }
}

//! How answers are laid out: aligned tables, JSON, colours where they are welcome.

use comfy_table::{Attribute, Cell, Table, presets::NOTHING};
use serde::Serialize;

use crate::text;

#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) json: bool,
    pub(crate) colours: bool,
}

/// One JSON text and a line end.
pub(crate) fn json_text(value: &impl Serialize) -> String {
    // Maps with string keys, numbers and strings always have a JSON form.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

impl View {
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { json: false, colours: false };
    #[cfg(test)]
    pub(crate) const JSON: Self = Self { json: true, colours: false };

    /// A word before a finding, in an SGR colour where colours are welcome.
    pub(crate) fn label(self, word: &str, colour: &str) -> String {
        if self.colours { format!("\u{1b}[{colour}m{word}:\u{1b}[0m") } else { format!("{word}:") }
    }

    /// The sentence of what was done.
    pub(crate) fn done(self, sentence: &str) -> String {
        if self.json {
            json_text(&serde_json::json!({ "done": sentence }))
        } else {
            format!("{}\n", text::clean(sentence))
        }
    }

    /// Columns without frames, each as wide as its widest cell.
    pub(crate) fn table(self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING);
        if self.colours {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(header.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
        table.add_rows(rows.into_iter().map(|row| row.iter().map(|cell| text::one_line(cell)).collect::<Vec<_>>()));
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let mut out = String::new();
        for line in table.lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_is_drawn() {
        let rows = vec![vec!["1".into(), "größer\nals".into()], vec!["100".into(), "x\u{1b}[2J".into()]];
        assert_eq!(View::PLAIN.table(&["WID", "TASK"], rows), "WID  TASK\n1    größer als\n100  x^[[2J\n");
    }

    #[test]
    fn colours_come_only_when_asked_for() {
        let rows = || vec![vec!["1".to_owned()]];
        assert!(View { json: false, colours: true }.table(&["WID"], rows()).contains("\u{1b}["));
        assert!(!View::PLAIN.table(&["WID"], rows()).contains('\u{1b}'));
    }
}

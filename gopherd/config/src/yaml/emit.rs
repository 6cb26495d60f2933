//! A tree as YAML text again, with the place where each value comes from: what merging made of several files.

use std::fmt::Write as _;

use super::{
    Node, Place, Value,
    scalar::{Typed, resolve},
};

/// One line and where its value stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) at: Place,
}

/// The lines of a mapping or list; one line of anything else.
pub(crate) fn emit(node: &Node) -> Vec<Line> {
    let mut lines = Vec::new();
    match flat(node) {
        Some(text) => lines.push(Line { text, at: node.at.clone() }),
        None => block(node, 0, &mut lines),
    }
    lines
}

/// A value that stands on the line of its key.
fn flat(node: &Node) -> Option<String> {
    match &node.value {
        Value::Scalar { typed: Typed::Null, .. } => Some(String::new()),
        Value::Scalar { text, typed } => Some(scalar(text, typed)),
        Value::List(items) if items.is_empty() => Some("[]".to_owned()),
        Value::Map(entries) if entries.is_empty() => Some("{}".to_owned()),
        Value::List(_) | Value::Map(_) => None,
    }
}

fn block(node: &Node, indent: usize, lines: &mut Vec<Line>) {
    let blanks = " ".repeat(indent);
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                let key = scalar(&entry.key, &Typed::Text);
                let (text, deeper) = match flat(&entry.value) {
                    Some(value) if value.is_empty() => (format!("{blanks}{key}:"), false),
                    Some(value) => (format!("{blanks}{key}: {value}"), false),
                    None => (format!("{blanks}{key}:"), true),
                };
                lines.push(Line { text, at: entry.at.clone() });
                if deeper {
                    block(&entry.value, indent + 2, lines);
                }
            }
        }
        Value::List(items) => {
            for item in items {
                if let Some(value) = flat(item) {
                    lines.push(Line { text: format!("{blanks}- {value}").trim_end().to_owned(), at: item.at.clone() });
                    continue;
                }
                // The first line of what is in it follows the dash.
                let first = lines.len();
                block(item, indent + 2, lines);
                if let Some(line) = lines.get_mut(first) {
                    line.text.replace_range(indent..indent + 2, "- ");
                }
            }
        }
        Value::Scalar { .. } => {}
    }
}

/// Plain where it means the same, else quoted.
fn scalar(text: &str, typed: &Typed) -> String {
    let plain_text = *typed == Typed::Text;
    let safe =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ' | '@' | '+' | '(' | ')' | ';' | '$');
    let begins = text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '.'));
    let unquoted = !plain_text || resolve(text) == Typed::Text;
    // Words that other readers take for booleans are quoted too.
    let word = matches!(text.to_ascii_lowercase().as_str(), "y" | "n" | "yes" | "no" | "on" | "off");
    if begins && unquoted && !(plain_text && word) && text.chars().all(safe) && !text.ends_with(' ') {
        return text.to_owned();
    }
    if !plain_text && !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic()) {
        return text.to_owned();
    }
    // JSON text in quotes is YAML, but for what may only stand there escaped.
    let quoted = serde_json::Value::from(text).to_string();
    let escaped = |c: char| (c.is_control() && !c.is_ascii()) || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    quoted.chars().fold(String::new(), |mut out, c| {
        if escaped(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::yaml::{compose, decode};

    fn tree(text: &str) -> Node {
        compose("f.yaml", text.as_bytes().to_vec()).expect("composes").root
    }

    fn text(node: &Node) -> String {
        emit(node).into_iter().map(|line| line.text + "\n").collect()
    }

    #[test]
    fn a_tree_is_written_in_blocks() {
        let written = "Alias: \";\"\nUsers:\n  - alice\n  - Name: bob\n    Tags: []\n  - - 1\n    - \"1\"\nFirst: \"no\"\nThird: true\nNone:\n\
                       Text: \"a: b\\nc\"\nEmpty: {}\n";
        assert_eq!(text(&tree(written)), written);
        assert_eq!(text(&tree("A: \"x\\uFEFF\"")), "A: \"x\\ufeff\"\n");
        let places: Vec<String> = emit(&tree(written)).iter().map(|l| l.at.to_string()).collect();
        assert_eq!(places[..4], ["f.yaml:1:1", "f.yaml:2:1", "f.yaml:3:5", "f.yaml:4:5"]);
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value as Json;
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            "[ -~äß\n\t]{0,12}".prop_map(Json::from),
            "(yes|no|on|1|1\\.5|0x1f|null|~|2001-01-01|- a|a: b|#x|'|\\{\\{ secret \"A\" \\}\\})".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map("[A-Za-z:# ]{1,6}", inner, 0..4)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_means_what_it_meant(json in value()) {
            let first = tree(&json.to_string());
            let again = tree(&text(&first));
            let json_of = |node: &Node| decode::<serde_json::Value>(node).expect("decodes");
            prop_assert_eq!(json_of(&again), json_of(&first));
        }
    }
}

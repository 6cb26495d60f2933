//! The entry of a new extension in `robot.yaml`: added to the text so that nothing else of it changes, or not at all.
//! Pure.

use serde_json::{Map, Value};

/// What is to be added.
pub(super) struct Entry<'a> {
    /// `ExternalPlugins`, say.
    pub(super) map: &'static str,
    pub(super) name: &'a str,
    pub(super) path: &'a str,
    pub(super) description: &'a str,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Declared {
    /// The whole new text.
    Added(String),
    /// The file is written in a way that is not touched, and this is why.
    ByHand(&'static str),
    /// An extension of that name is there, under this key.
    Known(String),
}

/// Maps whose names must be unique together.
const MAPS: [&str; 6] = ["ExternalPlugins", "ExternalJobs", "ExternalTasks", "GoPlugins", "GoJobs", "GoTasks"];

impl Entry<'_> {
    /// The lines of the entry, below its map.
    fn lines(&self, indent: &str) -> String {
        let Self { name, path, description, .. } = self;
        format!("{indent}{name}:\n{indent}  Description: {description}\n{indent}  Path: {path}\n")
    }

    /// What to add where that is done by hand.
    pub(super) fn by_hand(&self) -> String {
        format!("{}:\n{}", self.map, self.lines("  "))
    }

    /// Adds the entry to the text of `robot.yaml`.
    pub(super) fn add(&self, text: &str) -> Declared {
        if text.lines().any(is_control) {
            return Declared::ByHand("templates decide what belongs to it");
        }
        let Some(before) = value(text) else {
            return Declared::ByHand("it is not valid YAML before its templates are expanded");
        };
        for map in MAPS {
            let known = [map.to_owned(), format!("Append{map}")];
            if known.iter().any(|key| before.get(key).and_then(|m| m.get(self.name)).is_some()) {
                return Declared::Known(map.to_owned());
            }
        }
        let Some(added) = self.insert(text) else {
            return Declared::ByHand("its list of extensions is not written in lines of its own");
        };
        // The proof: the new text means the old one with the entry, and nothing else.
        if value(&added) == Some(self.with_entry(before)) {
            Declared::Added(added)
        } else {
            Declared::ByHand("the place for the entry is not clear")
        }
    }

    fn with_entry(&self, mut file: Map<String, Value>) -> Map<String, Value> {
        let map = file.entry(self.map).or_insert(Value::Null);
        if map.is_null() {
            *map = Value::Object(Map::new());
        }
        if let Some(entries) = map.as_object_mut() {
            let entry = serde_json::json!({ "Description": self.description, "Path": self.path });
            entries.insert(self.name.to_owned(), entry);
        }
        file
    }

    /// Below the last line of the map, or as a new map at the end.
    fn insert(&self, text: &str) -> Option<String> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let key = format!("{}:", self.map);
        let Some(at) = lines.iter().position(|line| line.starts_with(&key)) else {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            return Some(format!("{text}{end}\n{}", self.by_hand()));
        };
        let rest = lines[at][key.len()..].trim();
        if !(rest.is_empty() || rest.starts_with('#')) {
            return None;
        }
        let below = &lines[at + 1..];
        let within = below.iter().take_while(|line| line.starts_with(' ') || line.trim().is_empty());
        let length = within.count();
        let last = below[..length].iter().rposition(|line| !line.trim().is_empty()).map_or(0, |i| i + 1);
        let first = below[..last].iter().find(|line| !line.trim_start().starts_with('#'));
        let indent = first.map_or("  ", |line| &line[..line.len() - line.trim_start().len()]);
        let (head, tail) = lines.split_at(at + 1 + last);
        let mut added = head.concat();
        if !added.ends_with('\n') {
            added.push('\n');
        }
        added.push_str(&self.lines(indent));
        added.push_str(&tail.concat());
        Some(added)
    }
}

/// A line of a template that decides about other lines.
fn is_control(line: &str) -> bool {
    let Some(action) = line.split_once("{{").map(|(_, action)| action.trim_start_matches('-').trim_start()) else {
        return false;
    };
    let word = action.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    ["if", "else", "end", "range", "with", "define", "block", "template"].contains(&word)
}

/// What the text means, where lines that are nothing but a template count as absent.
fn value(text: &str) -> Option<Map<String, Value>> {
    let lines = text.split_inclusive('\n').map(|line| if line.starts_with("{{") { "\n" } else { line });
    match gopher_config::from_yaml("robot.yaml", lines.collect::<String>().into_bytes()) {
        Ok(Value::Object(map)) => Some(map),
        Ok(Value::Null) => Some(Map::new()),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: Entry<'_> =
        Entry { map: "ExternalPlugins", name: "lights", path: "plugins/lights.sh", description: "new" };

    fn added(text: &str) -> String {
        match ENTRY.add(text) {
            Declared::Added(added) => added,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn an_entry_follows_the_others_of_its_map() {
        for (before, after) in [
            (
                "Alias: '!' # mine\nExternalPlugins: # all of them\n    # the first\n    a:\n        Path: a.sh # here\n\n# jobs\nExternalJobs:\n  b: { Path: b.sh }\n",
                "Alias: '!' # mine\nExternalPlugins: # all of them\n    # the first\n    a:\n        Path: a.sh # here\n    lights:\n      Description: new\n      Path: plugins/lights.sh\n\n# jobs\nExternalJobs:\n  b: { Path: b.sh }\n",
            ),
            (
                "ExternalPlugins:\nAlias: '!'\n",
                "ExternalPlugins:\n  lights:\n    Description: new\n    Path: plugins/lights.sh\nAlias: '!'\n",
            ),
            (
                "ExternalPlugins:\n  a: { Path: a.sh }",
                "ExternalPlugins:\n  a: { Path: a.sh }\n  lights:\n    Description: new\n    Path: plugins/lights.sh\n",
            ),
            ("", "\nExternalPlugins:\n  lights:\n    Description: new\n    Path: plugins/lights.sh\n"),
            (
                "{{ $x := env \"A\" }}\nAlias: '{{ $x }}'",
                "{{ $x := env \"A\" }}\nAlias: '{{ $x }}'\n\nExternalPlugins:\n  lights:\n    Description: new\n    Path: plugins/lights.sh\n",
            ),
        ] {
            assert_eq!(added(before), after);
        }
    }

    #[test]
    fn what_is_not_clear_is_left_to_its_author() {
        for text in [
            "ExternalPlugins: {}\n",
            "ExternalPlugins: { a: { Path: a.sh } }\n",
            "ExternalPlugins: &all\n  a: { Path: a.sh }\n",
            "{{ if eq 1 1 }}\nAlias: '!'\n{{ end }}\n",
            "Alias: '!'\n{{- range . }}\n",
            "Alias: [\n",
            "- a\n",
            "Text: |\n  a\n...\n",
            "ExternalPlugins:\n- a\n",
        ] {
            assert!(matches!(ENTRY.add(text), Declared::ByHand(_)), "{text}: {:?}", ENTRY.add(text));
        }
    }

    #[test]
    fn a_name_is_given_once() {
        let known = |map: &str| Declared::Known(map.to_owned());
        assert_eq!(ENTRY.add("ExternalPlugins:\n  lights: { Path: x }\n"), known("ExternalPlugins"));
        assert_eq!(ENTRY.add("ExternalTasks: { lights: { Path: x } }\n"), known("ExternalTasks"));
    }
}

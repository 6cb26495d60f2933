//! Layers of one file into one tree: a plugin's own default ← the installed file ← the robot's file.

use std::collections::{HashMap, hash_map};

use crate::{
    Diagnostic,
    yaml::{Entry, Node, Place, Value},
};

const APPEND: &str = "Append";

/// Turns `AppendKey` into `Key` with a mark, at any depth outside lists. `Key` beside `AppendKey` is an error.
pub(crate) fn normalize(mut layer: Node) -> Result<Node, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    strip(&mut layer, &mut errors);
    if errors.is_empty() { Ok(layer) } else { Err(errors) }
}

fn strip(node: &mut Node, errors: &mut Vec<Diagnostic>) {
    let Value::Map(entries) = &mut node.value else { return };
    let mut seen = HashMap::<String, Place>::new();
    for entry in entries.iter_mut() {
        if let Some(rest) = entry.key.strip_prefix(APPEND).filter(|rest| !rest.is_empty()) {
            entry.key = rest.to_owned();
            entry.append = true;
        }
        match seen.entry(entry.key.clone()) {
            hash_map::Entry::Occupied(first) => errors.push(entry.at.says(format!(
                "`{key}` and `{APPEND}{key}` cannot both stand in one mapping; the other is on {first}",
                key = entry.key,
                first = first.get().seen_from(&entry.at)
            ))),
            hash_map::Entry::Vacant(free) => drop(free.insert(entry.at.clone())),
        }
        strip(&mut entry.value, errors);
    }
}

/// `layer` over `base`, both normalized.
pub(crate) fn merge(mut base: Node, layer: Node) -> Node {
    match (&mut base.value, layer.value) {
        (Value::Map(target), Value::Map(entries)) => {
            merge_entries(target, entries);
            base
        }
        (_, value) => {
            let layer = Node { value, at: layer.at };
            // Nothing never erases.
            if layer.is_null() { base } else { layer }
        }
    }
}

fn merge_entries(target: &mut Vec<Entry>, entries: Vec<Entry>) {
    let index: HashMap<String, usize> = target.iter().enumerate().map(|(n, e)| (e.key.clone(), n)).collect();
    for entry in entries {
        let Some(old) = index.get(&entry.key).and_then(|n| target.get_mut(*n)) else {
            target.push(entry);
            continue;
        };
        if entry.value.is_null() {
            continue;
        }
        match (&mut old.value.value, entry.value.value) {
            (Value::Map(inner), Value::Map(more)) => merge_entries(inner, more),
            (Value::List(items), Value::List(more)) if entry.append => items.extend(more),
            (_, value) => {
                old.at = entry.at;
                old.value = Node { value, at: entry.value.at };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{compose, decode};

    fn tree(text: &str) -> Node {
        normalize(compose("f", text.as_bytes().to_vec()).expect("composes").root).expect("normal")
    }

    fn json(node: &Node) -> String {
        decode::<serde_json::Value>(node).expect("decodes").to_string()
    }

    #[test]
    fn layers_merge_as_the_reference_merges_them() {
        for (base, layer, merged) in [
            ("A: 1", "B: 2", r#"{"A":1,"B":2}"#),
            ("A: 1", "A: x", r#"{"A":"x"}"#),
            ("A: 1", "A:", r#"{"A":1}"#),
            ("A:", "A: 1", r#"{"A":1}"#),
            ("A: [1]", "A: [2]", r#"{"A":[2]}"#),
            ("A: [1]", "AppendA: [2]", r#"{"A":[1,2]}"#),
            ("A: [1]", "A: []", r#"{"A":[]}"#),
            ("A: [1]", "A: {b: 1}", r#"{"A":{"b":1}}"#),
            ("B: 1", "AppendA: [2]", r#"{"A":[2],"B":1}"#),
            ("A: {x: 1, y: 2}", "A: {y: 3}", r#"{"A":{"x":1,"y":3}}"#),
            ("A: {x: 1}", "A: {}", r#"{"A":{"x":1}}"#),
            ("A: {x: [1]}", "AppendA: {AppendX: [2], Appendx: [3]}", r#"{"A":{"X":[2],"x":[1,3]}}"#),
            ("B: 1", "A: {AppendP: [1]}", r#"{"A":{"P":[1]},"B":1}"#),
            ("A: [{Appendk: 1}]", "AppendA: [{Appendk: 2}]", r#"{"A":[{"Appendk":1},{"Appendk":2}]}"#),
            ("Append: 1", "Append: 2", r#"{"Append":2}"#),
            ("A: 1", "", r#"{"A":1}"#),
        ] {
            assert_eq!(json(&merge(tree(base), tree(layer))), merged, "{base} <- {layer}");
        }
    }

    #[test]
    fn a_key_beside_its_append_form_is_an_error() {
        let root = compose("f", b"X:\n  K: [1]\n  AppendK: [2]\n".to_vec()).expect("composes").root;
        let errors = normalize(root).expect_err("both");
        assert_eq!(
            errors[0].sentence(),
            "f:3:3: `K` and `AppendK` cannot both stand in one mapping; the other is on line 2"
        );
    }
}

//! The files of the brain, the history and the queues that `robot.yaml` names (spec: configuration §1.4): each must be
//! there, and hold one section that is the provider's own.

use std::collections::HashSet;

use serde::Deserialize;

use crate::{
    Diagnostic,
    keys::provider::{BrainFile, HistoryFile, QueueFile},
    layers::Layers,
    sections,
    yaml::{Node, Value, decode},
};

/// Needs no settings, and so no file.
const MEMORY: &str = "mem";

/// One kind of provider.
struct Kind {
    /// The key of robot.yaml that names it.
    key: &'static str,
    directory: &'static str,
    section: &'static str,
    word: &'static str,
    check: fn(&Node) -> Result<(), Vec<Diagnostic>>,
}

const KINDS: [Kind; 3] = [
    Kind { key: "Brain", directory: "brains", section: "BrainConfig", word: "brain", check: is::<BrainFile> },
    Kind {
        key: "HistoryProvider",
        directory: "history",
        section: "HistoryConfig",
        word: "history provider",
        check: is::<HistoryFile>,
    },
    Kind { key: "QueueProviders", directory: "queues", section: "QueueConfig", word: "queue", check: is::<QueueFile> },
];

fn is<T: for<'de> Deserialize<'de>>(node: &Node) -> Result<(), Vec<Diagnostic>> {
    decode::<T>(node).map(|_| ())
}

/// Checks the file of every provider that `node`, which is `robot.yaml`, names.
pub(crate) fn check(layers: &mut Layers<'_>, node: &Node) -> Result<(), Vec<Diagnostic>> {
    let mut errors = Vec::new();
    for kind in &KINDS {
        let mut seen = HashSet::new();
        for name in texts(node, kind.key) {
            let name = name.trim().to_lowercase();
            if name.is_empty() || !seen.insert(name.clone()) {
                continue;
            }
            if is_segment(&name) {
                errors.extend(one(layers, kind, &name).err().unwrap_or_default());
            } else {
                let at = &node.find(&[kind.key]).unwrap_or(node).at;
                errors.push(at.says(format!("`{name}` is not the name of a {}", kind.word)));
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn one(layers: &mut Layers<'_>, kind: &Kind, name: &str) -> Result<(), Vec<Diagnostic>> {
    let Kind { directory, section, word, .. } = kind;
    let file = format!("{directory}/{name}.yaml");
    let merged = layers.merged(&file)?;
    if let Some(node) = &merged {
        layers.merged.note(&file, node, &layers.environment.markers);
        (kind.check)(node)?;
        sections::check(directory, name, node, section, &mut layers.notices);
        if node.find(&[section]).is_some_and(|section| !section.is_null()) {
            return Ok(());
        }
    }
    if name == MEMORY {
        return Ok(());
    }
    let message = format!("{word} `{name}` has no `{section}`, neither here nor in the install tree");
    Err(vec![Diagnostic::of_file(layers.own(&file), message)])
}

/// The text, or the texts of the list, at a key; what is wrong about them is told where the file is decoded.
pub(crate) fn texts(node: &Node, key: &str) -> Vec<String> {
    match node.find(&[key]) {
        Some(Node { value: Value::List(items), .. }) => items.iter().filter_map(|item| decode(item).ok()).collect(),
        Some(other) => decode(other).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Whether a name can be that of a file.
pub(crate) fn is_segment(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

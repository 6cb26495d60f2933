//! What stands in configuration text for a secret, from the template to the typed configuration.
//!
//! A marker is `GSECRET-<nonce>-<index>-`: printable ASCII that quoting, YAML and merging leave alone, and that no file
//! can hold by itself, because the nonce is new in each load. It is allowed only where a value may be secret; secretd gets
//! the reference, and the engine a readable form of it.

use std::{cell::RefCell, collections::BTreeMap};

use gopher_protocol::{
    SecretBytes,
    loader::{Attachment, Part, SecretRef},
};
use serde_json::Value as Json;

use crate::{
    Diagnostic,
    yaml::{Node, Place, Value},
};

/// A secret that a template got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handed {
    reference: SecretRef,
    /// Where it stands first in the configuration, if it does.
    at: Option<Place>,
}

impl Handed {
    pub(crate) fn environment(name: &str) -> Self {
        Self { reference: SecretRef::Environment(name.to_owned()), at: None }
    }

    pub(crate) fn variable(name: &str, ciphertext: Vec<u8>) -> Self {
        Self { reference: SecretRef::Variable { name: name.to_owned(), ciphertext }, at: None }
    }

    /// As people write it.
    fn shown(&self) -> String {
        match &self.reference {
            SecretRef::Environment(name) => format!("{{{{ env \"{name}\" }}}}"),
            SecretRef::Variable { name, .. } => format!("{{{{ secret \"{name}\" }}}}"),
        }
    }
}

/// All markers of one load.
pub(crate) struct Markers {
    prefix: String,
    handed: RefCell<Vec<Handed>>,
    indexes: RefCell<BTreeMap<SecretRef, usize>>,
}

/// A piece of a text that may hold markers.
enum Piece<'t> {
    Plain(&'t str),
    Marker(usize),
    /// What looks like one and is none.
    Broken,
}

/// Which file a tree is of, as far as secrets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// `robot.yaml`, or the file of a protocol or a provider.
    Robot,
    /// The file of a plugin or a job.
    Extension,
}

/// Maps of `robot.yaml` whose entries have `Parameters`.
const TASKS: [&str; 8] = [
    "ExternalPlugins",
    "ExternalJobs",
    "ExternalTasks",
    "GoPlugins",
    "GoJobs",
    "GoTasks",
    "NameSpaces",
    "ParameterSets",
];

/// Keys of which everything may be secret. `EncryptionKey` is here because old robots give it, and nothing reads it.
const FREE: [&str; 7] = [
    "ProtocolConfig",
    "BrainConfig",
    "HistoryConfig",
    "QueueConfig",
    "MailConfig",
    "IdentityProviders",
    "EncryptionKey",
];

impl Markers {
    pub(crate) fn new(nonce: &[u8; 16]) -> Self {
        Self {
            prefix: format!("GSECRET-{:032x}", u128::from_be_bytes(*nonce)),
            handed: RefCell::default(),
            indexes: RefCell::default(),
        }
    }

    /// The index of that secret, which is the same each time.
    pub(crate) fn hand_out(&self, secret: Handed) -> usize {
        let mut handed = self.handed.borrow_mut();
        let next = handed.len();
        let index = *self.indexes.borrow_mut().entry(secret.reference.clone()).or_insert(next);
        if index == next {
            handed.push(secret);
        }
        index
    }

    pub(crate) fn text(&self, index: usize) -> String {
        format!("{}-{index}-", self.prefix)
    }

    /// Whether a text holds a secret.
    pub(crate) fn hold(&self, text: &str) -> bool {
        text.contains(&self.prefix)
    }

    fn pieces<'t>(&self, mut text: &'t str) -> Vec<Piece<'t>> {
        let known = self.handed.borrow().len();
        let mut pieces = Vec::new();
        while let Some(at) = text.find(&self.prefix) {
            let (before, rest) = text.split_at(at);
            if !before.is_empty() {
                pieces.push(Piece::Plain(before));
            }
            text = &rest[self.prefix.len()..];
            let index = text.strip_prefix('-').and_then(|t| t.split_once('-')).and_then(|(digits, after)| {
                let index = digits.parse::<usize>().ok().filter(|n| *n < known && n.to_string() == digits)?;
                Some((index, after))
            });
            match index {
                Some((index, after)) => {
                    pieces.push(Piece::Marker(index));
                    text = after;
                }
                None => pieces.push(Piece::Broken),
            }
        }
        if !text.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Plain(text));
        }
        pieces
    }

    /// The names of the secrets in a text, and whether all of them are whole.
    fn found(&self, text: &str) -> (Vec<usize>, bool) {
        let (mut found, mut whole) = (Vec::new(), true);
        for piece in self.pieces(text) {
            match piece {
                Piece::Marker(index) => found.push(index),
                Piece::Broken => whole = false,
                Piece::Plain(_) => {}
            }
        }
        (found, whole)
    }

    /// A value with its secrets as references.
    pub(crate) fn attachment(&self, name: &str, text: &str) -> Attachment {
        let handed = self.handed.borrow();
        let part = |piece| match piece {
            Piece::Plain(text) => Some(Part::Plain(SecretBytes::new(text.as_bytes().to_vec()))),
            Piece::Marker(index) => handed.get(index).map(|h| Part::Secret(h.reference.clone())),
            Piece::Broken => None,
        };
        Attachment { name: name.to_owned(), value: self.pieces(text).into_iter().filter_map(part).collect() }
    }

    /// The texts with secrets anywhere in a tree, each once, named in the form that [`Markers::withhold`] leaves.
    pub(crate) fn texts(&self, node: &Node) -> Vec<Attachment> {
        let mut found = BTreeMap::new();
        self.texts_in(node, &mut found);
        found.into_values().collect()
    }

    fn texts_in(&self, node: &Node, found: &mut BTreeMap<String, Attachment>) {
        match &node.value {
            Value::Scalar { text, .. } if text.contains(&self.prefix) => {
                let name = self.readable(text);
                let attachment = self.attachment(&name, text);
                found.insert(name, attachment);
            }
            Value::Scalar { .. } => {}
            Value::List(items) => items.iter().for_each(|item| self.texts_in(item, found)),
            Value::Map(entries) => entries.iter().for_each(|entry| self.texts_in(&entry.value, found)),
        }
    }

    /// Puts what people write in the place of each marker; gives back where there were any.
    pub(crate) fn withhold(&self, json: &mut Json) -> Vec<Attachment> {
        let mut found = Vec::new();
        self.withhold_at(json, &mut String::new(), &mut found);
        found
    }

    fn withhold_at(&self, json: &mut Json, pointer: &mut String, found: &mut Vec<Attachment>) {
        let length = pointer.len();
        match json {
            Json::String(text) if text.contains(&self.prefix) => {
                found.push(self.attachment(pointer, text));
                *text = self.readable(text);
            }
            Json::Array(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    pointer.push('/');
                    pointer.push_str(&n.to_string());
                    self.withhold_at(item, pointer, found);
                    pointer.truncate(length);
                }
            }
            Json::Object(entries) => {
                for (key, value) in entries {
                    pointer.push('/');
                    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    self.withhold_at(value, pointer, found);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// An error that quotes no marker.
    pub(crate) fn cleared(&self, mut error: Diagnostic) -> Diagnostic {
        if error.message.contains(&self.prefix) {
            error.message = self.readable(&error.message);
        }
        error
    }

    /// A text with its secrets as people write them.
    pub(crate) fn readable(&self, text: &str) -> String {
        let handed = self.handed.borrow();
        let shown = |piece| match piece {
            Piece::Plain(text) => text.to_owned(),
            Piece::Marker(index) => handed.get(index).map(Handed::shown).unwrap_or_default(),
            Piece::Broken => String::new(),
        };
        self.pieces(text).into_iter().map(shown).collect()
    }

    /// That a secret cannot be opened, told where it stands first.
    pub(crate) fn unopened(&self, reference: &SecretRef, reason: &str) -> Diagnostic {
        let handed = self.handed.borrow();
        let secret = handed.iter().find(|h| h.reference == *reference);
        secret.and_then(|h| h.at.as_ref()).map_or_else(|| Diagnostic::of_file("", reason), |at| at.says(reason))
    }

    /// Every secret that stands in the configuration.
    pub(crate) fn references(&self) -> Vec<SecretRef> {
        self.handed.borrow().iter().filter(|h| h.at.is_some()).map(|h| h.reference.clone()).collect()
    }

    /// Checks that secrets stand only where a value may be secret, and whole.
    pub(crate) fn check(&self, holder: Holder, root: &Node) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        if !self.handed.borrow().is_empty() {
            self.check_node(holder, root, &mut Vec::new(), &mut errors);
        }
        errors
    }

    fn check_node<'n>(&self, holder: Holder, node: &'n Node, path: &mut Vec<&'n str>, errors: &mut Vec<Diagnostic>) {
        match &node.value {
            Value::Scalar { text, .. } => errors.extend(self.check_text(text, &node.at, allowed(holder, path))),
            Value::List(items) => {
                path.push("");
                for item in items {
                    self.check_node(holder, item, path, errors);
                }
                path.pop();
            }
            Value::Map(entries) => {
                for entry in entries {
                    errors.extend(self.check_text(&entry.key, &entry.at, false));
                    path.push(&entry.key);
                    self.check_node(holder, &entry.value, path, errors);
                    path.pop();
                }
            }
        }
    }

    fn check_text(&self, text: &str, at: &Place, allowed: bool) -> Option<Diagnostic> {
        if !text.contains(&self.prefix) {
            return None;
        }
        let (found, whole) = self.found(text);
        if !whole {
            let message = "a part of a secret stands here; secrets can only be used whole";
            return Some(
                at.says(message).hint(
                    "write {{ secret \"NAME\" }} or {{ env \"NAME\" }} without cutting or changing what it gives",
                ),
            );
        }
        let mut handed = self.handed.borrow_mut();
        let first = found.first().and_then(|n| handed.get(*n)).map(Handed::shown).unwrap_or_default();
        if !allowed {
            let message = format!("`{first}` is secret and cannot stand here, where the robot needs the text itself");
            return Some(at.says(message).hint(
                "secrets belong in `Value` of `Parameters`, in `ProtocolConfig` and other provider settings, or in `Config`; \
                 if this is not secret, keep it under `Variables` of a variables file and write {{ variable \"NAME\" }}",
            ));
        }
        for index in found {
            if let Some(secret) = handed.get_mut(index) {
                secret.at.get_or_insert_with(|| at.clone());
            }
        }
        None
    }
}

/// Whether a scalar at that path may be secret; an item of a list is an empty step.
fn allowed(holder: Holder, path: &[&str]) -> bool {
    match (holder, path) {
        (Holder::Robot, [map, _, "Parameters", "", "Value"]) => TASKS.contains(map),
        (Holder::Robot, [first, ..]) => FREE.contains(first),
        (Holder::Extension, ["Config", ..] | ["UUIDTrigger"]) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markers() -> Markers {
        let markers = Markers::new(&[0xab; 16]);
        markers.hand_out(Handed::environment("TOKEN"));
        markers.hand_out(Handed::variable("KEY", vec![1]));
        markers
    }

    #[test]
    fn a_secret_has_one_marker() {
        let markers = markers();
        assert_eq!(markers.hand_out(Handed::environment("TOKEN")), 0);
        assert_eq!(markers.hand_out(Handed::variable("KEY", vec![2])), 2, "another value is another secret");
        assert_eq!(markers.text(1), format!("GSECRET-{}-1-", "ab".repeat(16)));
    }

    #[test]
    fn a_text_with_markers_becomes_parts() {
        let markers = markers();
        let (token, key) = (markers.text(0), markers.text(1));
        let parts = |text: &str| format!("{:?}", markers.attachment("n", text).value);
        assert_eq!(parts(""), "[Plain(SecretBytes(0 bytes))]");
        assert_eq!(parts("abc"), "[Plain(SecretBytes(3 bytes))]");
        assert_eq!(parts(&token), "[Secret(Environment(\"TOKEN\"))]");
        assert_eq!(
            parts(&format!("a{token}{key}bc")),
            "[Plain(SecretBytes(1 bytes)), Secret(Environment(\"TOKEN\")), \
             Secret(Variable { name: \"KEY\", ciphertext: [1] }), Plain(SecretBytes(2 bytes))]"
        );
    }

    #[test]
    fn what_is_no_whole_marker_is_broken() {
        let markers = markers();
        let prefix = format!("GSECRET-{}", "ab".repeat(16));
        for rest in ["", "-", "-0", "-2-", "-00-", "-+0-", "--", "-x-", "-0 -", "-99999999999999999999999-"] {
            assert!(!markers.found(&format!("x{prefix}{rest}")).1, "{rest}");
        }
        assert!(markers.found(&format!("{prefix}-0-{prefix}-1-1-")).1);
        assert!(markers.found("GSECRET-cd-0-").1, "without the nonce it is only text");
    }

    #[test]
    fn json_keeps_references_and_tells_where_they_stood() {
        let markers = markers();
        let (token, key) = (markers.text(0), markers.text(1));
        let mut json = serde_json::json!({"a/b~c": [1, format!("x {token}")], "k": {"t": key}, "n": "plain"});
        let found = markers.withhold(&mut json);
        assert_eq!(
            json,
            serde_json::json!({"a/b~c": [1, "x {{ env \"TOKEN\" }}"], "k": {"t": "{{ secret \"KEY\" }}"}, "n": "plain"})
        );
        let names: Vec<&str> = found.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["/a~1b~0c/1", "/k/t"]);
    }
}

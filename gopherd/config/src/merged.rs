//! What the files of a configuration were merged to, with the origin of each value, for authors who look at it.
//! Secrets are shown as the references that they are.

use gopher_protocol::loader::MergedFile;
use serde_json::Value as Json;

use crate::{
    markers::Markers,
    yaml::{Node, decode, emit},
};

/// Collects files, if anybody wants them.
#[derive(Default)]
pub(crate) struct Merged(Option<Vec<MergedFile>>);

impl Merged {
    pub(crate) fn new(wanted: bool) -> Self {
        Self(wanted.then(Vec::new))
    }

    pub(crate) fn note(&mut self, name: &str, node: &Node, markers: &Markers) {
        let Some(files) = &mut self.0 else { return };
        let lines = emit(node).into_iter().map(|line| (markers.readable(&line.text), line.at.to_string())).collect();
        let mut json = decode::<Json>(node).unwrap_or_default();
        markers.withhold(&mut json);
        files.push(MergedFile { name: name.to_owned(), lines, json: json.to_string() });
    }

    pub(crate) fn files(self) -> Vec<MergedFile> {
        self.0.unwrap_or_default()
    }
}

//! Events of the YAML parser to a tree, within limits.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use base64::Engine as _;
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::{
    Entry, Node, Place, Source, Value,
    scalar::{Typed, resolve},
};
use crate::{Diagnostic, source::LARGEST_FILE, template::Rendered};

/// Deepest nesting, aliases counted as what they stand for.
const DEEPEST: usize = 100;
/// Most values in one file, aliases counted as what they stand for.
const MOST_NODES: usize = 200_000;
/// Most text that aliases may make of one file.
const MOST_TEXT: usize = 8 << 20;

/// What one file holds.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) root: Node,
    pub(crate) notices: Vec<Diagnostic>,
}

/// Reads the first document of `bytes`; `name` is the file as people see it.
pub(crate) fn compose(name: &str, bytes: Vec<u8>) -> Result<Document, Diagnostic> {
    let source = Arc::new(Source::new(name, text_of(name, bytes)?));
    compose_rendered(&Rendered::plain(&source))
}

/// Reads the first document of an expanded file.
pub(crate) fn compose_rendered(rendered: &Rendered) -> Result<Document, Diagnostic> {
    if let Some((index, c)) = rendered.text.char_indices().find(|(_, c)| forbidden(*c)) {
        return Err(rendered.origin(index).says(not_allowed(c)));
    }
    let mut composer =
        Composer { rendered, parser: Parser::new_from_str(&rendered.text), anchors: HashMap::new(), nodes: 0, text: 0 };
    let root = composer.document()?;
    let notices = composer.second_document().into_iter().collect();
    Ok(Document { root, notices })
}

/// Checks what the parser does not: size, UTF-8, and control characters (it would take a NUL for the end).
pub(crate) fn text_of(name: &str, bytes: Vec<u8>) -> Result<String, Diagnostic> {
    if u64::try_from(bytes.len()).is_ok_and(|n| n > LARGEST_FILE) {
        return Err(Diagnostic::of_file(name, "the file is larger than 1 MiB, the most a configuration file may have"));
    }
    let mut text = String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&e.as_bytes()[..valid]).into_owned();
        let (line, column) = position(&before);
        Source::new(name, before).says(line, column, "this is not UTF-8 text").hint("save the file as UTF-8")
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    if let Some((index, c)) = text.char_indices().find(|(_, c)| forbidden(*c)) {
        let (line, column) = position(&text[..index]);
        return Err(Source::new(name, text).says(line, column, not_allowed(c)));
    }
    Ok(text)
}

fn forbidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')) || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn not_allowed(c: char) -> String {
    format!("the control character U+{:04X} is not allowed in YAML", u32::from(c))
}

/// Line and column after `before`.
fn position(before: &str) -> (u32, u32) {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// A finished node and what it costs to copy.
#[derive(Clone)]
struct Made {
    node: Node,
    height: usize,
    nodes: usize,
    text: usize,
}

struct Composer<'t> {
    rendered: &'t Rendered,
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Made>,
    nodes: usize,
    text: usize,
}

impl<'t> Composer<'t> {
    fn place(&self, span: Span) -> Place {
        self.rendered.place(span.start.line(), span.start.col())
    }

    fn next(&mut self) -> Result<(Event<'t>, Place), Diagnostic> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let at = self.place(span);
                Ok((event, at))
            }
            Some(Err(error)) => {
                let at = self.place(Span::empty(*error.marker()));
                // The parser reads ahead, and may meet its own limit first.
                if error.info().contains("recursion limit") {
                    return Err(at.says(format!("values are nested deeper than {DEEPEST} levels")));
                }
                Err(at.says(format!("this is not valid YAML: {}", error.info())))
            }
            None => Ok((Event::StreamEnd, self.place(Span::default()))),
        }
    }

    fn document(&mut self) -> Result<Node, Diagnostic> {
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                Event::StreamEnd | Event::DocumentEnd => return Ok(null(at)),
                event => {
                    let root = self.node(event, at, 1)?.node;
                    self.next()?;
                    return Ok(root);
                }
            }
        }
    }

    /// Says so if a second document holds something: only the first one counts.
    fn second_document(&mut self) -> Option<Diagnostic> {
        while let Ok((event, at)) = self.next() {
            match event {
                Event::StreamEnd => return None,
                Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing | Event::StreamStart => {}
                Event::Scalar(text, ScalarStyle::Plain, ..) if resolve(&text) == Typed::Null => {}
                _ => return Some(at.says("what follows a second `---` is not read; keep one document in a file")),
            }
        }
        None
    }

    fn charge(&mut self, nodes: usize, text: usize, at: &Place) -> Result<(), Diagnostic> {
        self.nodes = self.nodes.saturating_add(nodes);
        self.text = self.text.saturating_add(text);
        if self.nodes > MOST_NODES {
            return Err(at.says(format!("the file holds more than {MOST_NODES} values")));
        }
        if self.text > MOST_TEXT {
            return Err(at.says("aliases make the text of this file longer than 8 MiB"));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'t>, at: Place, depth: usize) -> Result<Made, Diagnostic> {
        if depth > DEEPEST {
            return Err(at.says(format!("values are nested deeper than {DEEPEST} levels")));
        }
        let (anchor, made) = match event {
            Event::Alias(id) => return self.alias(id, &at, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.charge(1, text.len(), &at)?;
                let (text, typed) = scalar(text.into_owned(), style, tag.as_deref(), &at)?;
                let bytes = text.len();
                (
                    anchor,
                    Made { node: Node { value: Value::Scalar { text, typed }, at }, height: 1, nodes: 1, text: bytes },
                )
            }
            Event::SequenceStart(anchor, _) => (anchor, self.list(at, depth)?),
            Event::MappingStart(anchor, _) => (anchor, self.map(at, depth)?),
            _ => return Err(at.says("this is not valid YAML: a value is missing")),
        };
        if anchor != 0 {
            // The copy that aliases are made from is charged like an alias.
            self.charge(made.nodes, made.text, &made.node.at)?;
            self.anchors.insert(anchor, made.clone());
        }
        Ok(made)
    }

    fn alias(&mut self, id: usize, at: &Place, depth: usize) -> Result<Made, Diagnostic> {
        let Some((height, nodes, text)) = self.anchors.get(&id).map(|m| (m.height, m.nodes, m.text)) else {
            return Err(at.says("this alias stands inside the value that it names"));
        };
        if depth + height > DEEPEST + 1 {
            return Err(at.says(format!("with its aliases, values are nested deeper than {DEEPEST} levels")));
        }
        self.charge(nodes, text, at)?;
        let made = self.anchors.get(&id).cloned();
        made.ok_or_else(|| at.says("this alias names nothing"))
    }

    fn list(&mut self, at: Place, depth: usize) -> Result<Made, Diagnostic> {
        self.charge(1, 0, &at)?;
        let (mut items, mut height, mut nodes, mut text) = (Vec::new(), 0, 1, 0);
        loop {
            let (event, place) = self.next()?;
            if event == Event::SequenceEnd {
                break;
            }
            let item = self.node(event, place, depth + 1)?;
            height = height.max(item.height);
            nodes += item.nodes;
            text += item.text;
            items.push(item.node);
        }
        Ok(Made { node: Node { value: Value::List(items), at }, height: height + 1, nodes, text })
    }

    fn map(&mut self, at: Place, depth: usize) -> Result<Made, Diagnostic> {
        self.charge(1, 0, &at)?;
        let (mut entries, mut merged, mut height, mut nodes, mut text) = (Vec::<Entry>::new(), Vec::new(), 0, 1, 0);
        let mut seen = HashMap::<String, usize>::new();
        loop {
            let (event, place) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let merge = matches!(&event, Event::Scalar(t, ScalarStyle::Plain, _, None) if t == "<<");
            let key = self.node(event, place, depth + 1)?;
            let Value::Scalar { text: name, .. } = key.node.value else {
                return Err(key.node.at.says("a key must be a word or a number, not a list or a mapping"));
            };
            let (event, place) = self.next()?;
            let value = self.node(event, place, depth + 1)?;
            height = height.max(value.height);
            nodes += value.nodes + 1;
            text += value.text + name.len();
            if merge {
                merged.extend(merge_sources(value.node)?);
                continue;
            }
            if let Some(first) = seen.get(&name).and_then(|n| entries.get(*n)) {
                let first = first.at.seen_from(&key.node.at);
                let message = format!("the key `{name}` stands here a second time; it is already on {first}");
                return Err(key.node.at.says(message));
            }
            seen.insert(name.clone(), entries.len());
            entries.push(Entry { key: name, at: key.node.at, append: false, value: value.node });
        }
        let mut known: HashSet<String> = seen.into_keys().collect();
        for entry in merged {
            if known.insert(entry.key.clone()) {
                entries.push(entry);
            }
        }
        Ok(Made { node: Node { value: Value::Map(entries), at }, height: height + 1, nodes, text })
    }
}

/// The entries that `<<` brings, most important first.
fn merge_sources(node: Node) -> Result<Vec<Entry>, Diagnostic> {
    let wrong = |at: &Place| at.says("`<<` takes a mapping or a list of mappings");
    match node.value {
        Value::Map(entries) => Ok(entries),
        Value::List(items) => {
            let mut all = Vec::new();
            for item in items {
                match item.value {
                    Value::Map(entries) => all.extend(entries),
                    _ => return Err(wrong(&item.at)),
                }
            }
            Ok(all)
        }
        Value::Scalar { .. } => Err(wrong(&node.at)),
    }
}

fn null(at: Place) -> Node {
    Node { value: Value::Scalar { text: String::new(), typed: Typed::Null }, at }
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>, at: &Place) -> Result<(String, Typed), Diagnostic> {
    let Some(tag) = tag else {
        let typed = if style == ScalarStyle::Plain { resolve(&text) } else { Typed::Text };
        return Ok((text, typed));
    };
    if !tag.is_yaml_core_schema() {
        return Ok((text, Typed::Text));
    }
    let typed = match (tag.suffix.as_str(), resolve(&text)) {
        ("str", _) => Typed::Text,
        ("binary", _) => {
            let compact: String = text.split_ascii_whitespace().collect();
            let bytes = base64::engine::general_purpose::STANDARD.decode(compact).ok();
            let Some(decoded) = bytes.and_then(|b| String::from_utf8(b).ok()) else {
                return Err(at.says("this is tagged `!!binary` but is not base64 of text"));
            };
            return Ok((decoded, Typed::Text));
        }
        ("null", t @ Typed::Null)
        | ("bool", t @ Typed::Bool(_))
        | ("int", t @ Typed::Int(_))
        | ("float", t @ Typed::Float(_))
        | ("timestamp", t @ Typed::Time(_)) => t,
        #[expect(clippy::cast_precision_loss, reason = "what the tag asks for")]
        ("float", Typed::Int(n)) => Typed::Float(n as f64),
        ("null" | "bool" | "int" | "float" | "timestamp", _) => {
            return Err(at.says(format!("this is tagged `!!{}` but is none", tag.suffix)));
        }
        _ => Typed::Text,
    };
    Ok((text, typed))
}

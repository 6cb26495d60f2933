//! YAML documents to values and back.

use std::collections::HashMap;

use jaq_json::{Map, Num, Val, read};
use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};

use super::natives::json;

/// Deepest nesting.
const DEEPEST: usize = 100;
/// Most values that aliases may make of one input.
const MOST: usize = 1_000_000;

/// All documents of a text.
pub(super) fn documents(text: &str) -> Result<Vec<Val>, String> {
    let mut composer = Composer { parser: Parser::new_from_str(text), anchors: HashMap::new(), values: 0 };
    let mut documents = Vec::new();
    while let Some(event) = composer.next()? {
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => break,
            event => {
                documents.push(composer.value(event, 0)?.0);
                composer.anchors.clear();
            }
        }
    }
    Ok(documents)
}

struct Composer<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// Values with a name, and how many values each is.
    anchors: HashMap<usize, (Val, usize)>,
    values: usize,
}

impl<'t> Composer<'t> {
    fn next(&mut self) -> Result<Option<Event<'t>>, String> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, _))) => Ok(Some(event)),
            Some(Err(error)) => Err(format!("the YAML is wrong: {error}")),
        }
    }

    fn expected(&mut self) -> Result<Event<'t>, String> {
        self.next()?.ok_or_else(|| "the YAML ends too early".to_owned())
    }

    fn value(&mut self, event: Event<'t>, depth: usize) -> Result<(Val, usize), String> {
        if depth > DEEPEST {
            return Err(format!("the YAML is nested more than {DEEPEST} deep"));
        }
        self.values += 1;
        let mut size = 1;
        let (value, anchor) = match event {
            Event::Alias(anchor) => {
                let (value, count) = self.anchors.get(&anchor).cloned().ok_or("an alias of the YAML has no anchor")?;
                self.values += count;
                size = count;
                (value, 0)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let text_wanted = tag.is_some_and(|tag| tag.suffix == "str") || style != ScalarStyle::Plain;
                (if text_wanted { Val::from(text.into_owned()) } else { scalar(&text) }, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.expected()? {
                        Event::SequenceEnd => break,
                        event => {
                            let (item, count) = self.value(event, depth + 1)?;
                            size += count;
                            items.push(item);
                        }
                    }
                }
                (items.into_iter().collect(), anchor)
            }
            Event::MappingStart(anchor, _) => {
                let (mut map, mut merged) = (Map::default(), Map::default());
                loop {
                    let key = match self.expected()? {
                        Event::MappingEnd => break,
                        event => self.value(event, depth + 1)?.0,
                    };
                    let event = self.expected()?;
                    let (item, count) = self.value(event, depth + 1)?;
                    size += count + 1;
                    let name = match key {
                        Val::TStr(_) => key,
                        other => Val::from(json(&other)),
                    };
                    if name == Val::from("<<".to_owned()) {
                        merge(&mut merged, &item);
                    } else {
                        map.insert(name, item);
                    }
                }
                for (key, item) in merged {
                    map.entry(key).or_insert(item);
                }
                (Val::obj(map), anchor)
            }
            _ => return Err("the YAML is wrong".into()),
        };
        if self.values > MOST {
            return Err("the aliases of the YAML make too much of it".into());
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok((value, size))
    }
}

/// The maps of `<<`, the first named first.
fn merge(merged: &mut Map, item: &Val) {
    match item {
        Val::Obj(map) => {
            for (key, value) in map.iter() {
                merged.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        Val::Arr(maps) => maps.iter().for_each(|map| merge(merged, map)),
        _ => {}
    }
}

/// A plain scalar by the core schema.
fn scalar(text: &str) -> Val {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Val::Null,
        "true" | "True" | "TRUE" => return Val::Bool(true),
        "false" | "False" | "FALSE" => return Val::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" => return Val::Num(Num::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Val::Num(Num::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Val::Num(Num::Float(f64::NAN)),
        _ => {}
    }
    let radix = |prefix: &str, radix| {
        let digits = text.strip_prefix(prefix).filter(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Num::from_str_radix(digits, radix)
    };
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Val::Num(number);
    }
    if !text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) {
        return Val::from(text.to_owned());
    }
    if let Some(number) = read::parse_single_num(text.strip_prefix('+').unwrap_or(text).as_bytes()) {
        return Val::Num(number);
    }
    let digits = text.bytes().any(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).map_or_else(|| Val::from(text.to_owned()), |it| Val::Num(Num::Float(it)))
}

/// One document in block style, with its last newline.
pub(super) fn written(value: &Val, indent: usize) -> String {
    let mut text = String::new();
    write(&mut text, value, 0, indent.max(1), false);
    text
}

fn write(text: &mut String, value: &Val, depth: usize, indent: usize, inline: bool) {
    let margin = " ".repeat(depth * indent);
    match value {
        Val::Arr(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 || !inline {
                    text.push_str(&margin);
                }
                text.push('-');
                let pad = indent.saturating_sub(1).max(1);
                text.push_str(&" ".repeat(pad));
                if indent < 2 && nested(item) {
                    text.truncate(text.len() - pad);
                    text.push('\n');
                    write(text, item, depth + 1, indent, false);
                } else {
                    write(text, item, depth + 1, indent, true);
                }
            }
        }
        Val::Obj(map) if !map.is_empty() => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            for (at, (key, item)) in entries.into_iter().enumerate() {
                if at > 0 || !inline {
                    text.push_str(&margin);
                }
                text.push_str(&word(key));
                if nested(item) {
                    text.push_str(":\n");
                    write(text, item, depth + 1, indent, false);
                } else {
                    text.push_str(": ");
                    write(text, item, depth + 1, indent, true);
                }
            }
        }
        other => {
            text.push_str(&word(other));
            text.push('\n');
        }
    }
}

fn nested(value: &Val) -> bool {
    matches!(value, Val::Arr(items) if !items.is_empty()) || matches!(value, Val::Obj(map) if !map.is_empty())
}

/// A scalar; a string is bare only if it cannot be taken for anything else.
fn word(value: &Val) -> String {
    let Val::TStr(bytes) = value else {
        return json(value);
    };
    let text = String::from_utf8_lossy(bytes);
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"_./ +@%=-".contains(&b);
    let odd = ["y", "n", "yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str());
    let bare = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/')
        && !text.ends_with(' ')
        && text.bytes().all(safe)
        && matches!(scalar(&text), Val::TStr(_))
        && !odd;
    if bare { text.into_owned() } else { json(value) }
}

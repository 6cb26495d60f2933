//! Typed keys from a tree: a serde `Deserializer` that knows where every error stands.
//!
//! Schemas are plain `#[derive(Deserialize)]` structs. Differences to a strict decoder: a key with nothing after
//! it is as good as absent, any scalar is good enough for text, and booleans may be written as in YAML 1.1.

use serde::{
    Deserialize,
    de::{self, DeserializeSeed, IntoDeserializer as _, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

use super::{
    Node, Place, Value,
    scalar::{Typed, boolean},
};
use crate::{
    Diagnostic,
    suggest::{nearest, removed},
};

/// Most errors that are collected from one tree.
const MOST_ERRORS: usize = 20;

/// Most unknown keys that are taken out of one tree.
const MOST_UNKNOWN: usize = 200;

/// Decodes `node`. Every wrong key or value is reported, up to a limit: each is taken out and the rest is tried again.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(node: &Node) -> Result<T, Vec<Diagnostic>> {
    decode_with(node, false)
}

/// As [`decode`], for files in which others may have keys that we do not know.
pub(crate) fn decode_known<T: for<'de> Deserialize<'de>>(node: &Node) -> Result<T, Vec<Diagnostic>> {
    decode_with(node, true)
}

fn decode_with<T: for<'de> Deserialize<'de>>(node: &Node, ignore_unknown: bool) -> Result<T, Vec<Diagnostic>> {
    let mut rest;
    let mut tree = node;
    let mut found = Vec::new();
    loop {
        match T::deserialize(Decoder(tree)) {
            Ok(value) if found.is_empty() => return Ok(value),
            Ok(_) => return Err(found),
            Err(error) => {
                if !(error.unknown && ignore_unknown) {
                    found.push(error.diagnostic(node));
                }
                let mut pruned = tree.clone();
                if found.len() >= MOST_ERRORS || !prune(&mut pruned, &error.path) {
                    return Err(found);
                }
                rest = pruned;
                tree = &rest;
            }
        }
    }
}

/// Takes out keys within values that `T` does not know, and tells of each; unknown keys of the tree itself stay.
pub(crate) fn without_unknown<T: for<'de> Deserialize<'de>>(mut node: Node) -> (Node, Vec<Diagnostic>) {
    let mut found = Vec::new();
    while found.len() < MOST_UNKNOWN
        && let Err(error) = T::deserialize(Decoder(&node))
        && error.unknown
        && error.path.len() > 1
    {
        found.push(error.diagnostic(&node));
        if !prune(&mut node, &error.path) {
            break;
        }
    }
    (node, found)
}

/// Takes out what stands at `path` (innermost step first); false if that is the whole tree.
fn prune(tree: &mut Node, path: &[usize]) -> bool {
    let Some((last, outer)) = path.split_first() else {
        return false;
    };
    let mut node = tree;
    for step in outer.iter().rev() {
        let inner = match &mut node.value {
            Value::List(items) => items.get_mut(*step),
            Value::Map(entries) => entries.get_mut(*step).map(|e| &mut e.value),
            Value::Scalar { .. } => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => return false,
        }
    }
    match &mut node.value {
        Value::List(items) if *last < items.len() => drop(items.remove(*last)),
        Value::Map(entries) if *last < entries.len() => drop(entries.remove(*last)),
        _ => return false,
    }
    true
}

/// An error of one value.
#[derive(Debug)]
pub(crate) struct DecodeError {
    message: String,
    hint: Option<String>,
    at: Option<Place>,
    /// Steps from the value up to the root.
    path: Vec<usize>,
    /// The error is a key that nobody knows.
    unknown: bool,
}

impl DecodeError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, at: None, path: Vec::new(), unknown: false }
    }

    fn wanted(expected: &str, node: &Node) -> Self {
        let mut error = Self::new(format!("expected {expected}, found {}", node.kind()));
        if let (true, Value::Scalar { text, .. }) = (expected == "a list", &node.value) {
            error.hint = Some(format!("a list of one is written `[ {text} ]`"));
        }
        error.at(&node.at)
    }

    fn at(mut self, place: &Place) -> Self {
        self.at.get_or_insert_with(|| place.clone());
        self
    }

    fn within(mut self, step: usize) -> Self {
        self.path.push(step);
        self
    }

    fn diagnostic(&self, root: &Node) -> Diagnostic {
        let said = self.at.as_ref().unwrap_or(&root.at).says(self.message.clone());
        match &self.hint {
            Some(hint) => said.hint(hint.clone()),
            None => said,
        }
    }

    fn unknown(key: &str, known: &'static [&'static str]) -> Self {
        let renamed = removed(key).map(str::to_owned);
        let hint = renamed.or_else(|| nearest(key, known.iter().copied()).map(|k| format!("did you mean `{k}`?")));
        Self { hint, unknown: true, ..Self::new(format!("unknown key `{key}`")) }
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown(field, expected)
    }
}

struct Decoder<'n>(&'n Node);

impl<'n> Decoder<'n> {
    fn scalar(&self, expected: &str) -> Result<(&'n str, &'n Typed), DecodeError> {
        match &self.0.value {
            Value::Scalar { text, typed } => Ok((text, typed)),
            _ => Err(DecodeError::wanted(expected, self.0)),
        }
    }

    fn any<V: Visitor<'n>>(&self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.0.value {
            Value::List(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Map(_) => visitor.visit_map(Entries::of(self.0, None)),
            Value::Scalar { text, typed } => match typed {
                Typed::Null => visitor.visit_unit(),
                Typed::Bool(b) => visitor.visit_bool(*b),
                Typed::Int(n) => match (i64::try_from(*n), u64::try_from(*n)) {
                    (Ok(n), _) => visitor.visit_i64(n),
                    (_, Ok(n)) => visitor.visit_u64(n),
                    _ => Err(DecodeError::wanted("a number of at most 64 bits", self.0)),
                },
                Typed::Float(f) if f.is_finite() => visitor.visit_f64(*f),
                Typed::Float(_) => Err(DecodeError::wanted("a finite number", self.0)),
                Typed::Time(time) => visitor.visit_str(time),
                Typed::Text => visitor.visit_borrowed_str(text),
            },
        }
    }

    fn number<V: Visitor<'n>>(&self, visitor: V) -> Result<V::Value, DecodeError> {
        #[expect(clippy::cast_possible_truncation, reason = "integral and within 2^53, as checked")]
        let n = match self.scalar("a number")?.1 {
            Typed::Int(n) => *n,
            Typed::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => *f as i128,
            _ => return Err(DecodeError::wanted("a whole number", self.0)),
        };
        match (u64::try_from(n), i64::try_from(n)) {
            (Ok(n), _) => visitor.visit_u64(n),
            (_, Ok(n)) => visitor.visit_i64(n),
            _ => Err(DecodeError::wanted("a number of at most 64 bits", self.0)),
        }
    }
}

macro_rules! numbers {
    ($($method:ident)*) => { $(
        fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.number(visitor).map_err(|e| e.at(&self.0.at))
        }
    )* };
}

impl<'n> de::Deserializer<'n> for Decoder<'n> {
    type Error = DecodeError;

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.any(visitor).map_err(|e| e.at(&self.0.at))
    }

    fn deserialize_bool<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.scalar("true or false")? {
            (_, Typed::Bool(b)) => visitor.visit_bool(*b),
            (text, Typed::Text) => match boolean(text) {
                Some(b) => visitor.visit_bool(b),
                None => Err(DecodeError::wanted("true or false", self.0)),
            },
            _ => Err(DecodeError::wanted("true or false", self.0)),
        }
    }

    fn deserialize_str<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let (text, typed) = self.scalar("text")?;
        let text = if *typed == Typed::Null { "" } else { text };
        visitor.visit_borrowed_str(text).map_err(|e: DecodeError| e.at(&self.0.at))
    }

    fn deserialize_string<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.0.value {
            Value::List(items) => visitor.visit_seq(Items { items, next: 0 }),
            _ if self.0.is_null() => visitor.visit_seq(Items { items: &[], next: 0 }),
            _ => Err(DecodeError::wanted("a list", self.0)),
        }
    }

    fn deserialize_map<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.0.value {
            Value::Map(_) => visitor.visit_map(Entries::of(self.0, None)),
            _ if self.0.is_null() => visitor.visit_map(Entries::of(self.0, None)),
            _ => Err(DecodeError::wanted("a mapping", self.0)),
        }
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if !matches!(self.0.value, Value::Map(_)) && !self.0.is_null() {
            return Err(DecodeError::wanted("a mapping of keys", self.0));
        }
        visitor.visit_map(Entries::of(self.0, Some(fields)))
    }

    forward_to_deserialize_any! {
        <V: Visitor<'n>>
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier ignored_any
    }
}

struct Items<'n> {
    items: &'n [Node],
    next: usize,
}

impl<'n> SeqAccess<'n> for Items<'n> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'n>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        let Some(item) = self.items.get(self.next) else {
            return Ok(None);
        };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Decoder(item)).map(Some).map_err(|e| e.at(&item.at).within(index))
    }
}

struct Entries<'n> {
    node: &'n Node,
    next: usize,
    /// The keys of a struct, where an empty value counts as absent.
    fields: Option<&'static [&'static str]>,
}

impl<'n> Entries<'n> {
    fn of(node: &'n Node, fields: Option<&'static [&'static str]>) -> Self {
        Self { node, next: 0, fields }
    }
}

impl<'n> MapAccess<'n> for Entries<'n> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'n>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        loop {
            let Some(entry) = self.node.entries().get(self.next) else {
                return Ok(None);
            };
            if let Some(fields) = self.fields {
                if !fields.contains(&entry.key.as_str()) {
                    return Err(DecodeError::unknown(&entry.key, fields).at(&entry.at).within(self.next));
                }
                if entry.value.is_null() {
                    self.next += 1;
                    continue;
                }
            }
            let key = entry.key.as_str().into_deserializer();
            return seed.deserialize(key).map(Some).map_err(|e: DecodeError| e.at(&entry.at).within(self.next));
        }
    }

    fn next_value_seed<V: DeserializeSeed<'n>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let index = self.next;
        self.next += 1;
        let entry = self.node.entries().get(index).ok_or_else(|| DecodeError::new("a value without its key"))?;
        seed.deserialize(Decoder(&entry.value)).map_err(|e| e.at(&entry.value.at).within(index))
    }
}

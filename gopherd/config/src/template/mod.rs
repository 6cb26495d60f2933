//! The template step: configuration files are Go `text/template`s, expanded before they are YAML (spec: configuration §1.6).
//!
//! Called for every file of a robot by its layers, with a [`Host`] that answers what templates may ask for. Nothing here
//! knows a secret: a secret is an index that passes through as an opaque piece of text, and comes out as a marker.
//! Every byte of the result knows which place of which file it came from.

mod eval;
mod functions;
mod lexer;
mod number;
mod parse;
mod printf;
mod quote;
mod unit;
mod value;

pub(crate) use functions::readable;
pub(crate) use unit::{Rendered, Unit};
pub(crate) use value::{Text, Value};

use unit::Origin;
use value::Builder;

use crate::Diagnostic;

/// Most bytes of one text, and of one expanded file.
pub(crate) const MOST_TEXT: usize = 1 << 20;

/// What templates may ask for beyond the built-in functions.
pub(crate) trait Host {
    /// Functions with the least and the most arguments they take.
    fn functions(&self) -> &'static [(&'static str, usize, usize)];

    /// Calls one of them; the number of arguments is right.
    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String>;

    /// The file that `.Include` names.
    fn open(&self, file: &str) -> Result<Unit, String>;

    /// What stands in the text for the secret of that index.
    fn marker(&self, index: usize) -> String;
}

/// Expands one file.
///
/// # Errors
/// The first thing that is wrong, at its place; in an included file, at the place there.
pub(crate) fn render(unit: &Unit, host: &dyn Host) -> Result<Rendered, Diagnostic> {
    if !unit.text().contains("{{") {
        return Ok(Rendered::plain(unit.source()));
    }
    eval::expand(unit, host).map(|text| Rendered::of(&text, unit.source(), host))
}

#[cfg(test)]
mod tests;

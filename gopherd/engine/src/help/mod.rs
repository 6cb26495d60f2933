//! Texts about commands: `help` and its relatives, advice on what nobody understood, and what the robot says about
//! itself (spec: configuration §6).
//!
//! The compiled-in commands call this. Everything here is a function of a configuration, a context and what the
//! connector can do; nothing here knows how a text reaches its readers.

mod address;
mod advice;
mod advice_text;
mod chunks;
mod closeness;
mod entry;
mod metadata;
mod ranking;
#[cfg(test)]
mod tests;
mod text;
mod visibility;
mod welcome;
mod words;

pub(crate) use chunks::chunks;
pub(crate) use welcome::Facts;

use crate::{access::HiddenTransport, context::Context, generation::Generation};

/// Everything a help text depends on.
pub(crate) struct Helper<'a> {
    pub(crate) generation: &'a Generation,
    pub(crate) context: &'a Context,
    pub(crate) transport: HiddenTransport<'a>,
}

impl<'a> Helper<'a> {
    /// Every command the user may know of, by plugin and command.
    fn entries(&self) -> Vec<entry::Entry<'a>> {
        entry::all(self.generation, self.context)
    }
}

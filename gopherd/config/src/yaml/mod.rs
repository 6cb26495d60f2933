//! YAML with positions: bytes to a tree in which every value knows where it stands.
//!
//! Typing and merge keys are those of the Go library that robot repositories were written for; no input may
//! take more memory or depth than the limits of [`compose`].

pub(crate) mod compose;
pub(crate) mod decode;
pub(crate) mod emit;
pub(crate) mod node;
pub(crate) mod scalar;

pub(crate) use compose::{compose, compose_rendered};
pub(crate) use decode::{decode, without_unknown};
pub(crate) use emit::emit;
pub(crate) use node::{Entry, Node, Place, Source, Value};

#[cfg(test)]
mod tests;

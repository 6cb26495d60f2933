//! `BasicMarkdown`, the portable markup that extensions write, and how texts are laid out for people.
//!
//! Connectors and the console call it. Everything is pure, total and linear in the length of the text; nothing here
//! knows a chat service, a user or a terminal (spec: configuration §7).
#![forbid(unsafe_code)]

pub mod emoji;

mod ansi;
mod parse;
mod plain;
mod split;
mod wrap;

pub use ansi::{Scheme, ansi};
pub use parse::{Event, parse};
pub use plain::plain;
pub use split::{Limits, TRUNCATED, split};
pub use wrap::wrap;

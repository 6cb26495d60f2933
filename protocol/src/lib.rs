//! What processes of one robot may say to each other: one enum per direction per link.
//!
//! This crate knows bytes and types, no sockets and no policy. Every message enum is declared with
//! `messages!`, which gives each variant an explicit number that is never reused and the number of
//! descriptors that travel with it; golden files under `golden/` pin the bytes.
#![forbid(unsafe_code)]

mod message;

pub mod admin;
pub mod connector;
pub mod frame;
pub mod hello;
pub mod ids;
pub mod loader;
pub mod robot;
pub mod robot_api;
pub mod secret;
pub mod secretd;
pub mod supervisor;
pub mod worker;

pub use frame::{FrameReader, WireError};
pub use hello::Hello;
pub use message::Message;
pub use secret::SecretBytes;

#[cfg(test)]
mod tests;

//! The system calls of the daemons, behind safe functions. The only crate with `unsafe`.
//!
//! Modules that need no `unsafe` of their own forbid it; every block that does carries a SAFETY note.

pub mod confine;
#[cfg(feature = "database")]
pub mod database;
pub mod descriptors;
pub mod filter;
pub mod heap;
pub mod link;
pub mod mounts;
pub mod pages;
pub mod paths;
pub mod poll;
pub mod process;
mod raw;
pub mod role;
pub mod secret_memory;
mod shortcut;
pub mod sockets;

pub use link::{Link, LinkError};
pub use poll::Poller;

/// Overwrites bytes that must not stay behind.
pub fn wipe(bytes: &mut Vec<u8>) {
    use zeroize::Zeroize as _;
    bytes.zeroize();
}

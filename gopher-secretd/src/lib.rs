//! Keeper of every key and secret of a robot.
//!
//! One process, one thread, no network, no children, no path: everything it reads comes as a
//! descriptor from the supervisor, and everything it says goes over links the supervisor made.
//! Two parsers are public so that they can be fuzzed; the rest serves [`serve`] only.
#![forbid(unsafe_code)]

mod attachments;
mod audit;
mod cipher;
pub mod env_file;
mod environment;
mod error;
mod files;
pub mod key_file;
mod keyring;
mod peers;
mod process;
mod records;
mod references;
mod start_mode;
mod startup;

pub use error::SecretdError;
pub use process::serve;

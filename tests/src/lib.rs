//! What the end-to-end tests share: the programs they start, and the ends they play themselves.
#![forbid(unsafe_code)]
// A harness is test code: whatever it cannot set up ends the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

pub mod fake_worker;
pub mod mutation;
pub mod programs;
pub mod robot;
pub mod scan;
pub mod smtp;
pub mod tree;

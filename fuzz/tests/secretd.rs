//! The two parsers of gopher-secretd: whatever the bytes, an answer and never a panic.
#![forbid(unsafe_code)]

use bolero::check;
use gopher_secretd::{env_file, key_file};

#[test]
fn private_environment_file() {
    check!().for_each(|file: &[u8]| {
        if let Ok(assignments) = env_file::parse(file) {
            let expanded: usize = assignments.iter().map(|(name, value)| name.len() + value.len()).sum();
            assert!(expanded <= env_file::MAX_EXPANDED);
            assert!(assignments.keys().all(|name| !name.is_empty()));
        }
    });
}

#[test]
fn key_file_text() {
    check!().for_each(|file: &[u8]| {
        if let Ok(blob) = key_file::decode(file) {
            assert_eq!(key_file::encode(&blob).as_bytes(), file.trim_ascii());
        }
    });
}

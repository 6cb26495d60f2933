//! The key file: which one is for an environment, and its text (spec: pipelines and security §6.1).
//!
//! Pure: bytes in, bytes out. The bytes of a key file are ciphertext and may lie in ordinary memory.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::cipher::OVERHEAD;

/// Name of the key file of production, and of every environment without one of its own.
pub const NAME: &str = "binary-encrypted-key";
/// Longest file that is looked at.
pub const MAX_FILE: usize = 4096;
/// The 32 bytes of the data key, sealed.
pub const BLOB: usize = 32 + OVERHEAD;

/// Why a key file does not open; follows the name of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    #[error("is empty; restore it from the robot's repository.")]
    Empty,
    #[error("is not base64 text; restore it from the robot's repository.")]
    NotBase64,
    #[error("is truncated: it holds {0} bytes instead of {BLOB}; restore it from the robot's repository.")]
    Truncated(usize),
    #[error("is too long: it holds {0} bytes instead of {BLOB}; restore it from the robot's repository.")]
    TooLong(usize),
    #[error(
        "does not open with this GOPHER_ENCRYPTION_KEY: set the key the robot was created with, or restore the file."
    )]
    WrongKey,
}

/// The sealed data key in a key file.
pub fn decode(file: &[u8]) -> Result<[u8; BLOB], KeyProblem> {
    let text = file.trim_ascii();
    if text.is_empty() {
        return Err(KeyProblem::Empty);
    }
    let blob = STANDARD.decode(text).map_err(|_| KeyProblem::NotBase64)?;
    let length = blob.len();
    blob.try_into().map_err(|_| if length < BLOB { KeyProblem::Truncated(length) } else { KeyProblem::TooLong(length) })
}

/// The text of a key file.
pub fn encode(blob: &[u8; BLOB]) -> String {
    STANDARD.encode(blob)
}

/// Which of the files at hand is for `environment`; empty means production.
pub(crate) fn choose<'a>(environment: &str, at_hand: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let own = match environment {
        "" | "production" => NAME.to_owned(),
        other => format!("{NAME}.{other}"),
    };
    let mut fallback = None;
    for name in at_hand {
        if name == own {
            return Some(name);
        }
        if name == NAME {
            fallback = Some(name);
        }
    }
    fallback
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_text_is_eighty_characters_and_a_final_newline_is_accepted() {
        let text = encode(&[7; BLOB]);
        assert_eq!(text.len(), 80);
        assert_eq!(decode(text.as_bytes()), Ok([7; BLOB]));
        assert_eq!(decode(format!("{text}\r\n").as_bytes()), Ok([7; BLOB]));
    }

    #[test]
    fn malformed_files_are_told_apart() {
        assert_eq!(decode(b" \n"), Err(KeyProblem::Empty));
        assert_eq!(decode(b"not a key file!"), Err(KeyProblem::NotBase64));
        assert_eq!(decode(b"\xff\xfe"), Err(KeyProblem::NotBase64));
        assert_eq!(decode(&encode(&[7; BLOB]).as_bytes()[..40]), Err(KeyProblem::Truncated(30)));
        assert_eq!(decode(STANDARD.encode([0; 61]).as_bytes()), Err(KeyProblem::TooLong(61)));
    }

    #[test]
    fn an_environment_prefers_its_own_file_and_falls_back_to_the_plain_one() {
        let both = [NAME, "binary-encrypted-key.staging"];
        for (environment, at_hand, expected) in [
            ("", &both[..], Some(NAME)),
            ("production", &both, Some(NAME)),
            ("staging", &both, Some("binary-encrypted-key.staging")),
            ("testing", &both, Some(NAME)),
            ("production", &both[1..], None),
            ("staging", &[], None),
        ] {
            assert_eq!(choose(environment, at_hand.iter().copied()), expected, "{environment:?} of {at_hand:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(file in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&file);
        }
    }
}

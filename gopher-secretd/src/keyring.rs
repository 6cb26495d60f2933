//! The data key: opened from a key file or made, and kept in secret memory for the life of the process.

use gopher_sys::secret_memory::{MemoryKind, SecretPages};

use crate::{
    cipher::{self, CipherError, KEY, OVERHEAD},
    error::SecretdError,
    key_file::{self, BLOB, KeyProblem},
};

/// The key under which everything of this robot is sealed. It has no `Debug` and leaves this process sealed only.
pub(crate) struct DataKey(SecretPages);

impl DataKey {
    /// A new, random key.
    pub(crate) fn random() -> Result<Self, SecretdError> {
        let mut pages = secret_pages(KEY + OVERHEAD)?;
        cipher::random(&mut pages.bytes_mut()[..KEY]).map_err(|CipherError| SecretdError::NoRandom)?;
        Ok(Self(pages))
    }

    /// Opens the text of a key file within secret memory.
    pub(crate) fn open(wrapping: &WrappingKey<'_>, name: &str, file: &[u8]) -> Result<Self, SecretdError> {
        let failed = |problem| SecretdError::KeyFile { name: name.to_owned(), problem };
        let blob = key_file::decode(file).map_err(failed)?;
        let mut pages = secret_pages(KEY + OVERHEAD)?;
        match cipher::open_within(wrapping.0, &[], &blob, pages.bytes_mut()) {
            Ok(key) if key.len() == KEY => Ok(Self(pages)),
            _ => Err(failed(KeyProblem::WrongKey)),
        }
    }

    /// The text of a key file for this key.
    pub(crate) fn wrap(&self, wrapping: &WrappingKey<'_>) -> Result<String, SecretdError> {
        let blob = cipher::seal(wrapping.0, &[], self.expose()).map_err(|CipherError| SecretdError::NoRandom)?;
        let blob: [u8; BLOB] = blob.try_into().map_err(|_| SecretdError::NoRandom)?;
        Ok(key_file::encode(&blob))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0.bytes()[..KEY]
    }

    pub(crate) fn memory(&self) -> MemoryKind {
        self.0.kind()
    }
}

/// What opens a key file: the first 32 bytes of `GOPHER_ENCRYPTION_KEY`, taken literally.
pub(crate) struct WrappingKey<'a>(&'a [u8]);

impl<'a> WrappingKey<'a> {
    pub(crate) fn new(value: &'a [u8]) -> Result<Self, SecretdError> {
        value.get(..KEY).map(Self).ok_or(SecretdError::ShortEncryptionKey { bytes: value.len() })
    }
}

/// Zeroed pages of the best kind at hand.
pub(crate) fn secret_pages(len: usize) -> Result<SecretPages, SecretdError> {
    SecretPages::new(len.max(1)).map_err(|errno| SecretdError::NoMemory { errno })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRAPPING: &[u8] = b"0123456789abcdef0123456789abcdef and more";

    fn wrapping(value: &[u8]) -> WrappingKey<'_> {
        WrappingKey::new(value).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn a_key_survives_its_file() {
        let key = DataKey::random().expect("key");
        let file = key.wrap(&wrapping(WRAPPING)).expect("wraps");
        assert_eq!(file.len(), 80);
        let again = DataKey::open(&wrapping(WRAPPING), "binary-encrypted-key", format!("{file}\n").as_bytes());
        assert_eq!(again.expect("opens").expose(), key.expose());
    }

    #[test]
    fn only_the_first_32_bytes_of_the_wrapping_key_count() {
        let file = DataKey::random().expect("key").wrap(&wrapping(WRAPPING)).expect("wraps");
        assert!(DataKey::open(&wrapping(&WRAPPING[..32]), "k", file.as_bytes()).is_ok());
        let error = WrappingKey::new(&WRAPPING[..31]).err().expect("short");
        assert!(error.to_string().starts_with("GOPHER_ENCRYPTION_KEY has 31 bytes"), "{error}");
    }

    #[test]
    fn a_file_of_another_key_is_refused_with_the_remedy() {
        let file = DataKey::random().expect("key").wrap(&wrapping(WRAPPING)).expect("wraps");
        let error = DataKey::open(&wrapping(&[b'x'; 32]), "binary-encrypted-key", file.as_bytes()).err().expect("no");
        assert_eq!(
            error.to_string(),
            "binary-encrypted-key does not open with this GOPHER_ENCRYPTION_KEY: \
             set the key the robot was created with, or restore the file."
        );
        let error = DataKey::open(&wrapping(WRAPPING), "binary-encrypted-key.staging", &file.as_bytes()[..60]);
        let error = error.err().expect("truncated").to_string();
        assert!(error.starts_with("binary-encrypted-key.staging is truncated: it holds 45 bytes"), "{error}");
    }
}

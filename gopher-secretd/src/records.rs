//! Sealed records of the engine's stores: a subkey per store, and every record bound to its name and version.
//!
//! Format: one byte for the format, then a blob of [`cipher`](crate::cipher). A subkey seals fewer than 2^32 records, as
//! random nonces of 96 bits require.

use gopher_protocol::{SecretBytes, secretd::RecordName};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    cipher::{self, CipherError, KEY, OVERHEAD},
    keyring::DataKey,
};

const FORMAT: u8 = 1;
/// Separates these keys from those of any other purpose.
const PURPOSE: &[u8] = b"record of store ";

/// Why the engine gets no record; it never learns more.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    #[error(
        "Record '{key}' (version {version}) of store '{store}' does not open: it was changed, moved or sealed with another key."
    )]
    DoesNotOpen { store: String, key: String, version: u64 },
    #[error("Record '{key}' of store '{store}' could not be sealed.")]
    NotSealed { store: String, key: String },
}

/// Why a memory of Gopherbot is not opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ForeignError {
    #[error("It does not open with this robot's key.")]
    OtherKey,
    #[error("It is a secret of the configuration, not a memory.")]
    Secret,
}

/// Opens a memory as Gopherbot keeps it: under the data key itself, bound to nothing (spec: security §6.1).
pub(crate) fn open_foreign(key: &DataKey, sealed: &[u8]) -> Result<SecretBytes, ForeignError> {
    let mut space = vec![0; sealed.len()];
    if let Ok(length) = cipher::open_within(key.expose(), &[], sealed, &mut space).map(|plain| plain.len()) {
        space.truncate(length);
        return Ok(SecretBytes::new(space));
    }
    space.zeroize();
    Err(ForeignError::OtherKey)
}

/// Seals `plaintext` as the record `name`.
pub(crate) fn seal(key: &DataKey, name: &RecordName, plaintext: &SecretBytes) -> Result<Vec<u8>, RecordError> {
    let sealed = with_subkey(key, name, |subkey| cipher::seal(subkey, &bound_to(name), plaintext.expose()));
    let mut blob =
        sealed.map_err(|CipherError| RecordError::NotSealed { store: name.store.clone(), key: name.key.clone() })?;
    blob.insert(0, FORMAT);
    Ok(blob)
}

/// Opens what [`seal`] made for the same name.
pub(crate) fn open(key: &DataKey, name: &RecordName, sealed: &[u8]) -> Result<SecretBytes, RecordError> {
    let opened = match sealed.split_first() {
        Some((&FORMAT, blob)) if blob.len() >= OVERHEAD => with_subkey(key, name, |subkey| {
            let mut space = vec![0; blob.len()];
            match cipher::open_within(subkey, &bound_to(name), blob, &mut space).map(|plain| plain.len()) {
                Ok(length) => {
                    space.truncate(length);
                    Ok(SecretBytes::new(space))
                }
                Err(error) => {
                    space.zeroize();
                    Err(error)
                }
            }
        }),
        _ => Err(CipherError),
    };
    opened.map_err(|CipherError| RecordError::DoesNotOpen {
        store: name.store.clone(),
        key: name.key.clone(),
        version: name.version,
    })
}

fn with_subkey<T>(
    key: &DataKey,
    name: &RecordName,
    work: impl FnOnce(&[u8]) -> Result<T, CipherError>,
) -> Result<T, CipherError> {
    let mut subkey = Zeroizing::new([0; KEY]);
    cipher::derive(key.expose(), &[PURPOSE, name.store.as_bytes()], &mut subkey)?;
    work(subkey.as_slice())
}

/// The associated data: lengths first, so that no two names run into the same bytes.
fn bound_to(name: &RecordName) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    for part in [&name.store, &name.key] {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.extend_from_slice(&name.version.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(store: &str, key: &str, version: u64) -> RecordName {
        RecordName { store: store.into(), key: key.into(), version }
    }

    #[test]
    fn a_record_opens_under_its_own_name_only() {
        let key = DataKey::random().expect("key");
        let own = name("brain", "list:groceries", 3);
        let sealed = seal(&key, &own, &SecretBytes::new(b"milk".to_vec())).expect("seals");
        assert_eq!(open(&key, &own, &sealed).expect("opens").expose(), b"milk");
        assert_eq!(sealed.len() as u64, 4 + gopher_protocol::secretd::SEAL_OVERHEAD);
        for other in [
            name("journal", "list:groceries", 3),
            name("brain", "list:grocerie", 3),
            name("brainlist:", "groceries", 3),
            name("brain", "list:groceries", 4),
        ] {
            let error = open(&key, &other, &sealed).expect_err("another name");
            assert!(error.to_string().contains("does not open"), "{error}");
        }
        assert!(open(&DataKey::random().expect("key"), &own, &sealed).is_err(), "another robot's key");
    }

    #[test]
    fn what_was_never_sealed_is_not_taken_for_plaintext() {
        let key = DataKey::random().expect("key");
        for bytes in [&b""[..], b"\x01", b"{\"plain\":\"json\"}", b"\x01 plain text of some length, no blob at all"] {
            assert!(open(&key, &name("brain", "k", 1), bytes).is_err(), "{bytes:?}");
        }
        let mut sealed = seal(&key, &name("brain", "k", 1), &SecretBytes::default()).expect("seals nothing, too");
        assert!(open(&key, &name("brain", "k", 1), &sealed).expect("opens").is_empty());
        sealed[0] = 2;
        assert!(open(&key, &name("brain", "k", 1), &sealed).is_err(), "unknown format");
    }

    #[test]
    fn a_memory_of_gopherbot_opens_with_its_key_and_no_other() {
        let key = DataKey::random().expect("key");
        let blob = cipher::seal(key.expose(), &[], b"{\"a\":1}").expect("seals");
        assert_eq!(open_foreign(&key, &blob).expect("opens").expose(), b"{\"a\":1}");
        let other = DataKey::random().expect("key");
        assert_eq!(open_foreign(&other, &blob).err(), Some(ForeignError::OtherKey));
        assert!(open_foreign(&key, b"short").is_err());
        let ours = seal(&key, &name("brain", "k", 1), &SecretBytes::new(b"1".to_vec())).expect("seals");
        assert!(open_foreign(&key, &ours).is_err(), "records are none of Gopherbot's");
    }

    #[test]
    fn names_that_run_together_stay_apart() {
        assert_ne!(bound_to(&name("ab", "c", 1)), bound_to(&name("a", "bc", 1)));
    }
}

//! AES-256-GCM blobs: nonce (12), ciphertext, tag (16). The one place that hands a key to `ring`.
//!
//! `ring` keeps expanded keys on the stack and does not wipe them, so every operation runs in a frame of its own
//! whose stack is overwritten afterwards.

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand::{SecureRandom as _, SystemRandom},
};
use zeroize::Zeroize as _;

/// Bytes of every key.
pub(crate) const KEY: usize = 32;
/// Bytes by which a blob is longer than its plaintext.
pub(crate) const OVERHEAD: usize = NONCE_LEN + MAX_TAG_LEN;

/// The bytes did not open, or no random bytes could be had.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CipherError;

impl From<ring::error::Unspecified> for CipherError {
    fn from(_: ring::error::Unspecified) -> Self {
        Self
    }
}

/// Fills `bytes` with random ones.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), CipherError> {
    Ok(SystemRandom::new().fill(bytes)?)
}

/// Seals `plaintext` under `key` with a random nonce.
pub(crate) fn seal(key: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CipherError> {
    let mut nonce = [0; NONCE_LEN];
    random(&mut nonce)?;
    seal_with(key, nonce, aad, plaintext)
}

fn seal_with(key: &[u8], nonce: [u8; NONCE_LEN], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CipherError> {
    let mut blob = Vec::with_capacity(plaintext.len() + OVERHEAD);
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(plaintext);
    let sealed = on_a_wiped_stack(|| {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?);
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut blob[NONCE_LEN..])
    });
    match sealed {
        Ok(tag) => {
            blob.extend_from_slice(tag.as_ref());
            Ok(blob)
        }
        Err(error) => {
            blob.zeroize();
            Err(error.into())
        }
    }
}

/// Opens `blob` within `space`, which must be longer by no less than a tag than the plaintext, and returns the
/// plaintext. `space` is the caller's so that a key can be opened within secret memory.
pub(crate) fn open_within<'a>(
    key: &[u8],
    aad: &[u8],
    blob: &[u8],
    space: &'a mut [u8],
) -> Result<&'a mut [u8], CipherError> {
    let (nonce, sealed) = blob.split_at_checked(NONCE_LEN).ok_or(CipherError)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce)?;
    let space = space.get_mut(..sealed.len()).ok_or(CipherError)?;
    space.copy_from_slice(sealed);
    let plaintext = on_a_wiped_stack(|| {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?);
        key.open_in_place(nonce, Aad::from(aad), space)
    })?;
    Ok(plaintext)
}

/// Derives into `subkey` the key for one purpose.
pub(crate) fn derive(key: &[u8], purpose: &[&[u8]], subkey: &mut [u8; KEY]) -> Result<(), CipherError> {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            KEY
        }
    }
    on_a_wiped_stack(|| {
        let main = Salt::new(HKDF_SHA256, &[]).extract(key);
        main.expand(purpose, Length)?.fill(subkey)
    })?;
    Ok(())
}

/// Runs `work` in a frame below this one, then overwrites what it left on the stack.
fn on_a_wiped_stack<T>(work: impl FnOnce() -> T) -> T {
    let result = below(work);
    wipe_below();
    result
}

#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// 64 KiB: deeper than `ring` goes, in an unoptimized build too.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "the stack is what must be overwritten")]
fn wipe_below() {
    let mut frame = [0_u64; 8192];
    frame.zeroize();
    std::hint::black_box(&mut frame);
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    fn counting<const N: usize>() -> [u8; N] {
        std::array::from_fn(|i| u8::try_from(i).expect("small"))
    }

    #[test]
    fn the_blob_of_the_reference_vector_comes_out_byte_for_byte() {
        let blob = seal_with(&counting::<32>(), counting(), &[], b"gopherbot-secret").expect("seals");
        assert_eq!(STANDARD.encode(&blob), "AAECAwQFBgcICQoLIG2mc6CXoHT5bOTu0psdGb/vsozI7WOgh8QWo7kZe6U=");
        let mut space = [0; 32];
        let plain = open_within(&counting::<32>(), &[], &blob, &mut space).expect("opens");
        assert_eq!(plain, b"gopherbot-secret");
    }

    #[test]
    fn nothing_but_the_very_blob_opens() {
        let key = counting::<32>();
        let blob = seal(&key, b"name", b"value").expect("seals");
        let opens = |key: &[u8], aad: &[u8], blob: &[u8]| open_within(key, aad, blob, &mut [0; 64]).is_ok();
        assert!(opens(&key, b"name", &blob));
        assert!(!opens(&key, b"other", &blob), "other associated data");
        assert!(!opens(&[1; 32], b"name", &blob), "other key");
        assert!(!opens(&key[..16], b"name", &blob), "short key");
        for at in 0..blob.len() {
            let mut bent = blob.clone();
            bent[at] ^= 1;
            assert!(!opens(&key, b"name", &bent), "bit {at}");
            assert!(!opens(&key, b"name", &blob[..at]), "cut at {at}");
        }
    }

    #[test]
    fn purposes_have_different_keys() {
        let derived = |purpose: &[&[u8]]| {
            let mut subkey = [0; KEY];
            derive(&[7; 32], purpose, &mut subkey).expect("derives");
            subkey
        };
        assert_eq!(derived(&[b"a"]), derived(&[b"a"]));
        assert_ne!(derived(&[b"a"]), derived(&[b"b"]));
        assert_ne!(derived(&[b"a"]), [7; 32]);
    }
}

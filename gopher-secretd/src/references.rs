//! References of the configuration to what they stand for: names of the private environment, and ciphertext of
//! variables files (spec: security §6.2).

use base64::Engine as _;
use gopher_protocol::{
    SecretBytes,
    loader::{Attachment, Part, SecretRef},
    secretd::SecretValue,
};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    cipher::{self, CipherError},
    environment::Environment,
    keyring::DataKey,
};

/// Why a reference stands for nothing here; it never says what it would have been.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unopened {
    #[error("the private environment has no {0}")]
    NotSet(String),
    #[error("the secret {0} does not open with this robot's key: encrypt it again with `encrypt-secret`")]
    OtherKey(String),
    #[error("the secret {0} cannot be opened without the robot's key")]
    NoKey(String),
    #[error("the secret {0} is no ciphertext: it must be what `encrypt-secret` prints")]
    NoCiphertext(String),
}

/// What [`SecretRef::Variable`] opens, as base64: the reference's format, without associated data.
pub(crate) fn encrypt(key: &DataKey, plaintext: &SecretBytes) -> Result<String, NotEncrypted> {
    let blob = cipher::seal(key.expose(), &[], plaintext.expose()).map_err(|CipherError| NotEncrypted)?;
    Ok(base64::engine::general_purpose::STANDARD.encode(blob))
}

#[derive(Debug, thiserror::Error)]
#[error("It could not be encrypted: the system gave no random bytes.")]
pub(crate) struct NotEncrypted;

/// What references are looked up in.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) data_key: &'a DataKey,
    /// The key is this robot's own, not one made for the moment.
    pub(crate) own_key: bool,
}

impl Source<'_> {
    /// Opens one reference.
    pub(crate) fn open(&self, reference: &SecretRef) -> Result<SecretBytes, Unopened> {
        match reference {
            SecretRef::Environment(name) => {
                let value = self.environment.private(name).ok_or_else(|| Unopened::NotSet(name.clone()))?;
                Ok(SecretBytes::new(value.to_vec()))
            }
            SecretRef::Variable { name, ciphertext } if ciphertext.is_empty() => {
                Err(Unopened::NoCiphertext(name.clone()))
            }
            SecretRef::Variable { name, ciphertext } => {
                let mut space = vec![0; ciphertext.len()];
                let opened = cipher::open_within(self.data_key.expose(), &[], ciphertext, &mut space);
                let opened = opened.map(|plain| plain.len()).ok();
                if let Some(length) = opened {
                    space.truncate(length);
                    return Ok(SecretBytes::new(space));
                }
                space.zeroize();
                Err(if self.own_key { Unopened::OtherKey(name.clone()) } else { Unopened::NoKey(name.clone()) })
            }
        }
    }

    /// Fills the holes of a text.
    pub(crate) fn fill(&self, attachment: &Attachment) -> Result<SecretValue, Unopened> {
        if let [Part::Plain(whole)] = attachment.value.as_slice() {
            return Ok(SecretValue { name: attachment.name.clone(), value: whole.duplicate() });
        }
        let parts = attachment.value.iter().map(|part| match part {
            Part::Plain(text) => Ok(text.duplicate()),
            Part::Secret(reference) => self.open(reference),
        });
        let parts = parts.collect::<Result<Vec<SecretBytes>, Unopened>>()?;
        // Room for all of it at once: a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(parts.iter().map(SecretBytes::len).sum()));
        for part in &parts {
            text.extend_from_slice(part.expose());
        }
        Ok(SecretValue { name: attachment.name.clone(), value: SecretBytes::new(std::mem::take(&mut *text)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env_file;

    fn with_source<T>(own_key: bool, look: impl FnOnce(Source<'_>, &DataKey) -> T) -> T {
        let private = env_file::parse(b"TOKEN=swordfish\nGOPHER_DEPLOY_KEY=k\n").expect("parses");
        let environment = Environment::new(b"", b"", &private).unwrap_or_else(|e| panic!("{e}"));
        let data_key = DataKey::random().expect("key");
        look(Source { environment: &environment, data_key: &data_key, own_key }, &data_key)
    }

    fn variable(name: &str, ciphertext: Vec<u8>) -> SecretRef {
        SecretRef::Variable { name: name.into(), ciphertext }
    }

    #[test]
    fn a_text_with_holes_is_filled_from_both_kinds() {
        with_source(true, |source, key| {
            let sealed = cipher::seal(key.expose(), &[], b"hunter2").expect("sealed");
            let attachment = Attachment {
                name: "URL".into(),
                value: vec![
                    Part::Plain(SecretBytes::new(b"https://".to_vec())),
                    Part::Secret(variable("USER", sealed)),
                    Part::Plain(SecretBytes::new(b":".to_vec())),
                    Part::Secret(SecretRef::Environment("TOKEN".into())),
                ],
            };
            let filled = source.fill(&attachment).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!((filled.name.as_str(), filled.value.expose()), ("URL", &b"https://hunter2:swordfish"[..]));
        });
    }

    #[test]
    fn what_is_encrypted_opens_as_a_variable() {
        with_source(true, |source, key| {
            let text = encrypt(key, &SecretBytes::new(b"hunter2".to_vec())).expect("encrypted");
            let blob = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
            assert_eq!(source.open(&variable("A", blob)).unwrap_or_else(|e| panic!("{e}")).expose(), b"hunter2");
        });
    }

    #[test]
    fn what_does_not_open_says_why_and_nothing_else() {
        with_source(true, |source, key| {
            let mut spoilt = cipher::seal(key.expose(), &[], b"x").expect("sealed");
            spoilt[14] ^= 1;
            for (reference, why) in [
                (SecretRef::Environment("NONE".into()), Unopened::NotSet("NONE".into())),
                (variable("A", spoilt), Unopened::OtherKey("A".into())),
                (variable("B", vec![0; 5]), Unopened::OtherKey("B".into())),
                (variable("C", Vec::new()), Unopened::NoCiphertext("C".into())),
            ] {
                assert_eq!(source.open(&reference).err(), Some(why));
            }
        });
        with_source(false, |source, _| {
            assert_eq!(source.open(&variable("A", vec![0; 40])).err(), Some(Unopened::NoKey("A".into())));
        });
    }
}

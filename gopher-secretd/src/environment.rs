//! The `GOPHER_*` values of the robot, from the launch environment and the private file, in secret memory.

use std::{collections::BTreeMap, ops::Range};

use gopher_sys::secret_memory::{MemoryKind, SecretPages};
use zeroize::Zeroize as _;

use crate::{
    env_file::{Assignments, MAX_EXPANDED},
    error::SecretdError,
    keyring::secret_pages,
};

pub(crate) const ENCRYPTION_KEY: &str = "GOPHER_ENCRYPTION_KEY";
pub(crate) const DEPLOY_KEY: &str = "GOPHER_DEPLOY_KEY";
const HOST_KEYS: &str = "GOPHER_HOST_KEYS";
/// Settings that no other process is told.
const KEYS: [&str; 3] = [ENCRYPTION_KEY, DEPLOY_KEY, HOST_KEYS];
const PREFIX: &str = "GOPHER_";

/// Names with the places of their values. No `Debug`.
pub(crate) struct Environment {
    pages: SecretPages,
    places: BTreeMap<String, Range<usize>>,
}

impl Environment {
    /// Merges what was handed over at launch (`NAME=value`, each ended by a zero byte) with the private file, whose values never
    /// override. Names of others than this prefix are not the robot's settings.
    pub(crate) fn new(launch: &[u8], private: &Assignments) -> Result<Self, SecretdError> {
        let mut values: BTreeMap<&str, &[u8]> = private
            .iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        values.extend(launch_values(launch)?);
        let total = values.values().map(|v| v.len()).sum::<usize>();
        if total > MAX_EXPANDED {
            return Err(SecretdError::EnvironmentTooLong { bytes: total, most: MAX_EXPANDED });
        }
        if let Some(name) = values.iter().find(|(n, v)| !KEYS.contains(n) && std::str::from_utf8(v).is_err()) {
            return Err(SecretdError::NotUtf8 { name: (*name.0).to_owned() });
        }
        let mut pages = secret_pages(total)?;
        let mut places = BTreeMap::new();
        let mut at = 0;
        for (name, value) in values {
            let place = at..at + value.len();
            pages.bytes_mut()[place.clone()].copy_from_slice(value);
            at = place.end;
            places.insert(name.to_owned(), place);
        }
        Ok(Self { pages, places })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.places.get(name).map(|place| &self.pages.bytes()[place.clone()])
    }

    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// What the configuration may use: every setting that is not a key.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        self.places
            .iter()
            .filter(|(name, _)| !KEYS.contains(&name.as_str()))
            .map(|(name, place)| {
                (name.clone(), String::from_utf8_lossy(&self.pages.bytes()[place.clone()]).into_owned())
            })
            .collect()
    }

    /// Names that are set, whose values no other process is told.
    pub(crate) fn private(&self) -> Vec<String> {
        KEYS.iter().filter(|name| self.is_set(name)).map(|name| (*name).to_owned()).collect()
    }

    /// Wipes a value that has done its duty.
    pub(crate) fn forget(&mut self, name: &str) {
        if let Some(place) = self.places.remove(name) {
            self.pages.bytes_mut()[place].zeroize();
        }
    }

    pub(crate) fn memory(&self) -> MemoryKind {
        self.pages.kind()
    }
}

fn launch_values(launch: &[u8]) -> Result<Vec<(&str, &[u8])>, SecretdError> {
    let Some((0, strings)) = launch.split_last().map(|(last, before)| (*last, before)) else {
        return if launch.is_empty() { Ok(Vec::new()) } else { Err(SecretdError::MalformedLaunch) };
    };
    strings
        .split(|b| *b == 0)
        .map(|string| {
            let at = string.iter().position(|b| *b == b'=')?;
            let name = std::str::from_utf8(&string[..at]).ok().filter(|n| n.starts_with(PREFIX))?;
            Some((name, &string[at + 1..]))
        })
        .collect::<Option<Vec<_>>>()
        .ok_or(SecretdError::MalformedLaunch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(launch: &[u8], file: &str) -> Environment {
        let private = crate::env_file::parse(file.as_bytes()).expect("parses");
        Environment::new(launch, &private).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn the_launch_environment_wins_over_the_private_file() {
        let both = environment(b"GOPHER_BOTNAME=floyd\0GOPHER_ALIAS=\0", "GOPHER_BOTNAME=clu\nGOPHER_PORT=1\nPATH=x\n");
        assert_eq!(both.get("GOPHER_BOTNAME"), Some(&b"floyd"[..]));
        assert_eq!(both.get("GOPHER_PORT"), Some(&b"1"[..]));
        assert_eq!(both.get("GOPHER_ALIAS"), Some(&b""[..]), "empty is set");
        assert!(!both.is_set("PATH"));
    }

    #[test]
    fn keys_are_never_among_the_settings() {
        let all = environment(
            b"GOPHER_ENCRYPTION_KEY=k\xff\0GOPHER_DEPLOY_KEY=d\0GOPHER_HOST_KEYS=h\0GOPHER_BOTNAME=floyd\0",
            "",
        );
        assert_eq!(all.settings(), [("GOPHER_BOTNAME".to_owned(), "floyd".to_owned())]);
        assert_eq!(all.private(), ["GOPHER_ENCRYPTION_KEY", "GOPHER_DEPLOY_KEY", "GOPHER_HOST_KEYS"]);
    }

    #[test]
    fn a_forgotten_value_is_wiped() {
        let mut all = environment(b"GOPHER_ENCRYPTION_KEY=swordfish\0GOPHER_Z=z\0", "");
        all.forget(ENCRYPTION_KEY);
        assert!(!all.is_set(ENCRYPTION_KEY));
        assert!(!all.pages.bytes().windows(5).any(|w| w == b"sword"));
        assert_eq!(all.get("GOPHER_Z"), Some(&b"z"[..]));
    }

    #[test]
    fn a_malformed_hand_over_or_value_is_refused() {
        for launch in [&b"GOPHER_A=1"[..], b"GOPHER_A\0", b"HOME=/\0", b"\0", b"GOPHER_A=1\0\0"] {
            let refused = Environment::new(launch, &Assignments::new());
            assert!(matches!(refused, Err(SecretdError::MalformedLaunch)), "{launch:?}");
        }
        let refused = Environment::new(b"GOPHER_BOTNAME=\xff\0", &Assignments::new());
        assert!(matches!(refused, Err(SecretdError::NotUtf8 { name }) if name == "GOPHER_BOTNAME"));
        let long = [&b"GOPHER_A="[..], &vec![b'x'; MAX_EXPANDED + 1], b"\0"].concat();
        assert!(matches!(Environment::new(&long, &Assignments::new()), Err(SecretdError::EnvironmentTooLong { .. })));
        assert!(Environment::new(b"", &Assignments::new()).is_ok());
    }
}

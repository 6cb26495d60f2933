//! What the robot was given as environment, in secret memory: its `GOPHER_*` values from launch and private file, the
//! other names of the private file, and what else was in the launch environment.

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
/// Most bytes of all values.
const LONGEST: usize = MAX_EXPANDED + (2 << 20);

/// Who may know a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Openness {
    /// Configuration may use its text.
    Plain,
    /// Configuration may refer to it.
    Secret,
}

/// Names with the places of their values. No `Debug`.
pub(crate) struct Environment {
    pages: SecretPages,
    places: BTreeMap<String, (Openness, Range<usize>)>,
}

impl Environment {
    /// Merges what was handed over at launch with the private file, whose values never override. Both parts of the
    /// launch environment are strings `NAME=value`, each ended by a zero byte: `launch` has the `GOPHER_*` names, `host`
    /// the others.
    pub(crate) fn new(launch: &[u8], host: &[u8], private: &Assignments) -> Result<Self, SecretdError> {
        let of_robot = |name: &str| name.starts_with(PREFIX);
        let openness = |name: &str| {
            if of_robot(name) && !KEYS.contains(&name) { Openness::Plain } else { Openness::Secret }
        };
        let mut values: BTreeMap<&str, (Openness, &[u8])> =
            private.iter().map(|(name, value)| (name.as_str(), (openness(name), value.as_bytes()))).collect();
        values.extend(strings(launch, of_robot)?.into_iter().map(|(name, value)| (name, (openness(name), value))));
        // What is not text is of no use to a configuration.
        let host = strings(host, |name| !of_robot(name))?;
        let host = host.into_iter().filter(|(_, value)| std::str::from_utf8(value).is_ok());
        values.extend(host.map(|(name, value)| (name, (Openness::Plain, value))));
        let total = values.values().map(|(_, v)| v.len()).sum::<usize>();
        if total > LONGEST {
            return Err(SecretdError::EnvironmentTooLong { bytes: total, most: LONGEST });
        }
        if let Some(name) =
            values.iter().find(|(_, (open, v))| *open == Openness::Plain && std::str::from_utf8(v).is_err())
        {
            return Err(SecretdError::NotUtf8 { name: (*name.0).to_owned() });
        }
        let mut pages = secret_pages(total)?;
        let mut places = BTreeMap::new();
        let mut at = 0;
        for (name, (open, value)) in values {
            let place = at..at + value.len();
            pages.bytes_mut()[place.clone()].copy_from_slice(value);
            at = place.end;
            places.insert(name.to_owned(), (open, place));
        }
        Ok(Self { pages, places })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.places.get(name).map(|(_, place)| &self.pages.bytes()[place.clone()])
    }

    /// A value that configuration may only refer to.
    pub(crate) fn private(&self, name: &str) -> Option<&[u8]> {
        self.get(name).filter(|_| self.is_private(name))
    }

    /// The values of private names that the robot's configuration declares plain; never those of keys.
    pub(crate) fn declared_plain(&self, names: &[String]) -> Vec<(String, String)> {
        let of = |name: &String| {
            let value = self.private(name).filter(|_| !KEYS.contains(&name.as_str()))?;
            Some((name.clone(), std::str::from_utf8(value).ok()?.to_owned()))
        };
        names.iter().filter_map(of).collect()
    }

    fn is_private(&self, name: &str) -> bool {
        self.places.get(name).is_some_and(|(open, _)| *open == Openness::Secret)
    }

    /// Names that are set and whose values configuration is not told.
    pub(crate) fn private_names(&self) -> Vec<String> {
        self.places.keys().filter(|name| self.is_private(name)).cloned().collect()
    }

    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// What the configuration may use: every setting that is not a key, and the launch environment.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let plain = self.places.iter().filter(|(_, (open, _))| *open == Openness::Plain);
        plain
            .map(|(name, (_, place))| {
                (name.clone(), String::from_utf8_lossy(&self.pages.bytes()[place.clone()]).into_owned())
            })
            .collect()
    }

    /// Wipes a value that has done its duty.
    pub(crate) fn forget(&mut self, name: &str) {
        if let Some((_, place)) = self.places.remove(name) {
            self.pages.bytes_mut()[place].zeroize();
        }
    }

    pub(crate) fn memory(&self) -> MemoryKind {
        self.pages.kind()
    }
}

fn strings(given: &[u8], expected: impl Fn(&str) -> bool) -> Result<Vec<(&str, &[u8])>, SecretdError> {
    let Some((0, strings)) = given.split_last().map(|(last, before)| (*last, before)) else {
        return if given.is_empty() { Ok(Vec::new()) } else { Err(SecretdError::MalformedLaunch) };
    };
    strings
        .split(|b| *b == 0)
        .map(|string| {
            let at = string.iter().position(|b| *b == b'=')?;
            let name = std::str::from_utf8(&string[..at]).ok().filter(|n| expected(n))?;
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
        Environment::new(launch, b"", &private).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn the_launch_environment_wins_over_the_private_file() {
        let both = environment(b"GOPHER_BOTNAME=floyd\0GOPHER_ALIAS=\0", "GOPHER_BOTNAME=clu\nGOPHER_PORT=1\nPATH=x\n");
        assert_eq!(both.get("GOPHER_BOTNAME"), Some(&b"floyd"[..]));
        assert_eq!(both.get("GOPHER_PORT"), Some(&b"1"[..]));
        assert_eq!(both.get("GOPHER_ALIAS"), Some(&b""[..]), "empty is set");
        assert_eq!(both.private_names(), ["PATH"], "a name of the private file that is no setting");
        assert_eq!((both.private("PATH"), both.private("GOPHER_PORT")), (Some(&b"x"[..]), None));
    }

    #[test]
    fn what_was_there_at_launch_is_plain_whatever_the_private_file_says() {
        let private = crate::env_file::parse(b"TERM=private\nTOKEN=t\n").expect("parses");
        let all =
            Environment::new(b"", b"TERM=xterm\0HOME=/home\0BAD=\xff\0", &private).unwrap_or_else(|e| panic!("{e}"));
        let settings: Vec<_> = all.settings().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(settings, ["HOME=/home", "TERM=xterm"]);
        assert_eq!(all.private_names(), ["TOKEN"]);
        let declared = ["TOKEN", "HOME", "NONE", "GOPHER_DEPLOY_KEY"].map(str::to_owned);
        assert_eq!(all.declared_plain(&declared), [("TOKEN".to_owned(), "t".to_owned())]);
        let refused = Environment::new(b"", b"GOPHER_X=1\0", &private);
        assert!(matches!(refused, Err(SecretdError::MalformedLaunch)), "a setting among the others");
    }

    #[test]
    fn keys_are_never_among_the_settings() {
        let all = environment(
            b"GOPHER_ENCRYPTION_KEY=k\xff\0GOPHER_DEPLOY_KEY=d\0GOPHER_HOST_KEYS=h\0GOPHER_BOTNAME=floyd\0",
            "",
        );
        assert_eq!(all.settings(), [("GOPHER_BOTNAME".to_owned(), "floyd".to_owned())]);
        assert_eq!(
            all.private_names(),
            KEYS.map(str::to_owned)
                .into_iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
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
            let refused = Environment::new(launch, b"", &Assignments::new());
            assert!(matches!(refused, Err(SecretdError::MalformedLaunch)), "{launch:?}");
        }
        let refused = Environment::new(b"GOPHER_BOTNAME=\xff\0", b"", &Assignments::new());
        assert!(matches!(refused, Err(SecretdError::NotUtf8 { name }) if name == "GOPHER_BOTNAME"));
        let long = [&b"GOPHER_A="[..], &vec![b'x'; LONGEST + 1], b"\0"].concat();
        assert!(matches!(
            Environment::new(&long, b"", &Assignments::new()),
            Err(SecretdError::EnvironmentTooLong { .. })
        ));
        assert!(Environment::new(b"", b"", &Assignments::new()).is_ok());
    }
}

//! Memories in the files of Gopherbot v3, used as they are (spec: security §7.4). Called by the store's thread only.
//!
//! `control.json`; and for each memory, under its key in base64, `data/….blob` with the encrypted value and
//! `meta/….json` that says what it is. A value is on disk before the `meta` that speaks of it, and that before anybody is
//! told. Values arrive here encrypted, as the robot's key and the format of Gopherbot have it: nothing binds them to their
//! key or version, which is why this protects less than the robot's own store.

mod files;
mod records;

use std::{
    collections::{BTreeMap, BTreeSet},
    os::fd::OwnedFd,
};

use crate::{
    database::Record,
    log::{now_ms, stamp},
    values::Known,
};
use files::Directory;
use records::{Control, Meta};

/// Keys of Gopherbot's own engine, which nobody here understands or touches.
const OF_ENGINE: &str = "bot:";
/// What an encrypted value has beside its plaintext.
const OVERHEAD: u64 = 28;
/// Longest file that is read: a memory of the longest, encrypted.
const LONGEST: u64 = (16 << 20) + OVERHEAD;
const CONTROL: &str = "control.json";
/// Versions that one change of `control.json` is good for.
const VERSIONS: u64 = 1000;

/// A memory that is there.
struct Entry {
    /// The version that the engine knows; the one in its file is the cache's own.
    known: Known,
    /// Why it cannot be read.
    bad: Option<String>,
}

pub(crate) struct Cache {
    root: Directory,
    data: Directory,
    meta: Directory,
    entries: BTreeMap<String, Entry>,
    control: Control,
    /// The version of the next change.
    next: u64,
}

impl Cache {
    pub(crate) fn open(directory: &OwnedFd) -> Result<Self, String> {
        let root = Directory::beneath(directory, ".", "")?;
        let data = Directory::beneath(directory, "data", "data/")?;
        let meta = Directory::beneath(directory, "meta", "meta/")?;
        let control = match root.read(CONTROL)? {
            Some(bytes) => Control::parse(&bytes)?,
            None if meta.names()?.is_empty() && data.names()?.is_empty() => Control::new(),
            None => return Err("there is no control.json in state/brain-cache beside its files".to_owned()),
        };
        let mut cache = Self { root, data, meta, entries: BTreeMap::new(), next: control.next_version(), control };
        for name in cache.meta.names()? {
            let Some(key) = name.strip_suffix(".json").and_then(records::key) else { continue };
            if !key.starts_with(OF_ENGINE) {
                cache.learn(key, &name)?;
            }
        }
        Ok(cache)
    }

    /// One file of `meta`: what is wrong with it is said when somebody asks for the memory.
    fn learn(&mut self, key: String, name: &str) -> Result<(), String> {
        let meta = match self.meta.read(name) {
            Ok(Some(bytes)) => Meta::parse(&bytes, &key).map_err(|why| format!("meta/{name} {why}")),
            Ok(None) => return Ok(()),
            Err(why) => Err(why),
        };
        let entry = match meta {
            Ok(meta) => {
                self.next = self.next.max(meta.version.saturating_add(1));
                if meta.deleted {
                    return Ok(());
                }
                let bytes = self.data.size(&records::blob(&key))?.unwrap_or_default().saturating_sub(OVERHEAD);
                Entry { known: Known { version: meta.version, bytes }, bad: None }
            }
            Err(why) => Entry { known: Known { version: 0, bytes: 0 }, bad: Some(why) },
        };
        self.entries.insert(key, entry);
        Ok(())
    }

    /// Every memory, without its value.
    pub(crate) fn contents(&self) -> impl Iterator<Item = (String, Known)> {
        self.entries.iter().map(|(key, entry)| (key.clone(), entry.known))
    }

    /// The version that the engine knows and the encrypted value; `None` if there is none.
    pub(crate) fn read(&self, key: &str) -> Result<Option<(u64, Vec<u8>)>, String> {
        let Some(entry) = self.entries.get(key) else { return Ok(None) };
        if let Some(why) = &entry.bad {
            return Err(why.clone());
        }
        let name = records::blob(key);
        match self.data.read(&name)? {
            Some(bytes) => Ok(Some((entry.known.version, bytes))),
            None => Err(format!("data/{name} of state/brain-cache is not there")),
        }
    }

    /// One result for each record. They share what it costs to have directories on disk.
    pub(crate) fn write(&mut self, records: &[&Record]) -> Vec<Result<(), String>> {
        let mut results: Vec<Result<(), String>> = records.iter().map(|record| self.put_value(record)).collect();
        spread(&mut results, self.data.sync());
        let mut gone = BTreeSet::new();
        for (record, result) in records.iter().zip(&mut results) {
            if result.is_ok() {
                *result = self.put_meta(record);
            }
            // The value of what was deleted may go once nothing speaks of it; one that came anew meanwhile stays.
            let blob = records::blob(&record.name.key);
            if result.is_ok() && record.sealed.is_none() {
                gone.insert(blob);
            } else {
                gone.remove(&blob);
            }
        }
        let synced = self.meta.sync();
        if synced.is_ok() {
            for blob in &gone {
                self.data.remove(blob);
            }
        }
        spread(&mut results, synced);
        for (record, result) in records.iter().zip(&results) {
            if result.is_ok() {
                self.note(record);
            }
        }
        results
    }

    fn put_value(&self, record: &Record) -> Result<(), String> {
        let key = &record.name.key;
        if key.starts_with(OF_ENGINE) {
            return Err(format!("keys that begin with {OF_ENGINE} are Gopherbot's own and are left as they are"));
        }
        match &record.sealed {
            Some(sealed) => self.data.replace(&records::blob(key), sealed),
            None => Ok(()),
        }
    }

    fn put_meta(&mut self, record: &Record) -> Result<(), String> {
        let version = self.next_version()?;
        let key = &record.name.key;
        let text = records::meta(key, version, record.sealed.as_deref(), &stamp(now_ms()));
        self.meta.replace(&records::meta_name(key), text.as_bytes())
    }

    fn note(&mut self, Record { name, version, sealed }: &Record) {
        match sealed {
            Some(sealed) => {
                let bytes = (sealed.len() as u64).saturating_sub(OVERHEAD);
                let known = Known { version: *version, bytes };
                self.entries.insert(name.key.clone(), Entry { known, bad: None });
            }
            None => {
                self.entries.remove(&name.key);
            }
        }
    }

    /// `control.json` names a version that is never given out twice, whenever this process ends.
    fn next_version(&mut self) -> Result<u64, String> {
        if self.next >= self.control.next_version() {
            let ahead = self.control.ahead(self.next + VERSIONS, &stamp(now_ms()));
            self.root.replace(CONTROL, ahead.text().as_bytes())?;
            self.root.sync()?;
            self.control = ahead;
        }
        self.next += 1;
        Ok(self.next - 1)
    }
}

/// What went wrong for all of them.
fn spread(results: &mut [Result<(), String>], all: Result<(), String>) {
    if let Err(why) = all {
        results.iter_mut().filter(|result| result.is_ok()).for_each(|result| *result = Err(why.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Name;
    use std::{fs, path::Path};

    fn directory() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["data", "meta"] {
            fs::create_dir(dir.path().join(name)).expect("made");
        }
        dir
    }

    fn open(dir: &Path) -> Result<Cache, String> {
        Cache::open(&fs::File::open(dir).expect("opens").into())
    }

    fn record(key: &str, version: u64, sealed: Option<&[u8]>) -> Record {
        Record { name: Name { store: "brain", key: key.to_owned() }, version, sealed: sealed.map(<[u8]>::to_vec) }
    }

    fn keys(cache: &Cache) -> Vec<(String, u64)> {
        cache.contents().map(|(key, known)| (key, known.bytes)).collect()
    }

    #[test]
    fn what_was_written_is_found_by_the_next_who_opens_it() {
        let dir = directory();
        let mut cache = open(dir.path()).expect("new");
        let long = [7; 40];
        let results = cache.write(&[&record("p:a", 5, Some(&long)), &record("bot:x", 6, Some(b"x"))]);
        assert!(results[0].is_ok() && results[1].as_ref().is_err_and(|why| why.contains("left as they are")));
        assert!(cache.write(&[&record("p:b", 7, Some(&long))])[0].is_ok());
        assert_eq!(cache.read("p:a"), Ok(Some((5, long.to_vec()))));
        assert!(cache.write(&[&record("p:b", 8, None)])[0].is_ok());
        assert_eq!(cache.read("p:b"), Ok(None));
        let cache = open(dir.path()).expect("again");
        assert_eq!(keys(&cache), [("p:a".to_owned(), 12)]);
        assert_eq!(cache.read("p:a"), Ok(Some((1, long.to_vec()))), "the first version that the cache gave");
        assert!(cache.next >= 1000, "no version twice");
        assert_eq!(fs::read_dir(dir.path().join("data")).expect("data").count(), 1, "a value goes with its memory");
    }

    #[test]
    fn what_is_deleted_and_comes_again_at_once_is_there() {
        let dir = directory();
        let mut cache = open(dir.path()).expect("new");
        assert!(cache.write(&[&record("p:a", 1, None), &record("p:a", 2, Some(&[1; 30]))]).iter().all(Result::is_ok));
        assert_eq!(cache.read("p:a"), Ok(Some((2, vec![1; 30]))));
    }

    #[test]
    fn a_file_that_is_wrong_costs_its_own_memory_only() {
        let dir = directory();
        let mut cache = open(dir.path()).expect("new");
        for key in ["p:a", "p:b", "p:c", "p:d"] {
            assert!(cache.write(&[&record(key, 1, Some(&[1; 30]))])[0].is_ok());
        }
        fs::write(dir.path().join("meta").join(records::meta_name("p:a")), "{").expect("written");
        fs::remove_file(dir.path().join("data").join(records::blob("p:b"))).expect("removed");
        let data = dir.path().join("data").join(records::blob("p:c"));
        fs::remove_file(&data).expect("removed");
        std::os::unix::fs::symlink("/etc/hostname", &data).expect("linked");
        fs::write(dir.path().join("meta/not base64.json"), "{}").expect("written");
        let mut cache = open(dir.path()).expect("again");
        assert_eq!(keys(&cache).len(), 4);
        for (key, why) in [("p:a", "meta/"), ("p:b", "is not there"), ("p:c", "cannot be read")] {
            let refused = cache.read(key).expect_err(key);
            assert!(refused.contains(why), "{key}: {refused}");
        }
        assert!(cache.read("p:d").is_ok_and(|found| found.is_some()));
        assert!(cache.write(&[&record("p:a", 9, Some(&[1; 30]))])[0].is_ok() && cache.read("p:a").is_ok());
    }

    #[test]
    fn a_cache_that_is_not_whole_or_of_another_format_is_left_alone() {
        for (control, why) in [
            (Some(r#"{"format":"gopherbot-brain-v3","complete":false,"next_version":1}"#), "not complete"),
            (Some(r#"{"format":"gopherbot-brain-v4","complete":true,"next_version":1}"#), "gopherbot-brain-v4"),
            (Some("{"), "control.json"),
            (None, "no control.json"),
        ] {
            let dir = directory();
            fs::write(dir.path().join("meta/cDph.json"), "{}").expect("written");
            if let Some(text) = control {
                fs::write(dir.path().join(CONTROL), text).expect("written");
            }
            let refused = open(dir.path()).err().expect("refused");
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn what_else_control_json_says_stays() {
        let dir = directory();
        let text = r#"{"format":"gopherbot-brain-v3","complete":true,"next_version":41,"cache_nonce":"n"}"#;
        fs::write(dir.path().join(CONTROL), text).expect("written");
        let mut cache = open(dir.path()).expect("opened");
        assert!(cache.write(&[&record("p:a", 1, Some(&[1; 30]))])[0].is_ok());
        let control = fs::read_to_string(dir.path().join(CONTROL)).expect("read");
        assert!(control.contains(r#""cache_nonce":"n""#) && control.contains(r#""next_version":1041"#), "{control}");
        let meta = fs::read_to_string(dir.path().join("meta/cDph.json")).expect("read");
        assert!(meta.contains(r#""version":41"#), "{meta}");
    }
}

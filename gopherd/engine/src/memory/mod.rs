//! Where memories are: how the engine, secretd and the store work together (spec: security §7, DESIGN: state).
//!
//! A value that is written goes to secretd to be sealed, then to the store's thread to be committed; only then its lock
//! is free and whoever wrote it is told. A value that is read comes from the store, is opened by secretd, and is kept
//! open from then on as long as there is room. In neither case does the engine's loop wait. A robot whose brain is `mem`,
//! or whose key is made for the moment, has all this in this process only.

mod legacy;
mod opening;
mod outcome;
pub(crate) mod papers;
mod sealing;
mod steps;
mod work;

use std::collections::HashMap;

use gopher_protocol::ids::CallId;

use crate::{
    brain::{Asker, Step},
    store::{Name, Record, Store},
    values::Values,
};
use legacy::Legacy;
use papers::Papers;
use work::Work;

/// A record without a value: memories of Gopherbot were moved over.
const MOVED: Name = Name { store: "state", key: String::new() };
/// The brain that outlives the robot.
const FILE: &str = "file";

/// Where memories are.
#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nobody has said yet what brain the robot has, or what key.
    #[default]
    Unknown,
    Opening,
    /// In this process.
    Here,
    Stored,
    /// In a store that cannot be used, for this reason.
    Broken(String),
}

/// All of it.
#[derive(Default)]
pub(crate) struct Memory {
    place: Place,
    /// The brain that the configuration names.
    brain: Option<String>,
    own_key: Option<bool>,
    store: Option<Store>,
    token: u64,
    pub(crate) values: Values,
    last_version: u64,
    /// What was asked before it was known where memories are.
    early: Vec<Step>,
    at_secretd: HashMap<CallId, Work>,
    at_store: HashMap<CallId, Work>,
    /// Who waits for which value, with the token it goes with.
    fetching: HashMap<String, Vec<(Asker, String)>>,
    pub(crate) papers: Papers,
    /// Where memories of Gopherbot still are.
    old: Option<String>,
    pub(crate) legacy: Legacy,
    under_way: u64,
    /// What went wrong last and has not gone well since.
    trouble: Option<String>,
}

impl Memory {
    /// What an administrator should know.
    pub(crate) fn notice(&self) -> Option<String> {
        match (&self.place, &self.trouble) {
            (Place::Broken(reason), _) => Some(format!("Memories cannot be used: {reason}.")),
            (_, Some(trouble)) => Some(format!("Memories: {trouble}.")),
            (Place::Stored, None) if self.legacy.is_wanted() => Some(legacy::WEAK.to_owned()),
            (Place::Stored, None) => self.old.as_ref().map(|place| {
                format!(
                    "What Gopherbot has remembered is still in {place}: gopherctl brain migrate moves it over, and without \
                     the directory this is not said."
                )
            }),
            (Place::Here, None) if self.is_to_last() => Some(
                "Memories are kept while the robot runs: it has no GOPHER_ENCRYPTION_KEY to seal them with.".into(),
            ),
            _ => None,
        }
    }

    /// Why an administrator cannot see memories now.
    pub(crate) fn closed(&self) -> Option<String> {
        match &self.place {
            Place::Broken(reason) => Some(format!("memories cannot be used: {reason}")),
            Place::Unknown | Place::Opening => Some("memories are not open yet: try again in a moment".to_owned()),
            Place::Here | Place::Stored => None,
        }
    }

    /// Nothing that must not be lost is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        let saves = |works: &HashMap<CallId, Work>| works.values().any(|w| !matches!(w, Work::Fetch { .. }));
        self.papers.is_idle() && !saves(&self.at_secretd) && !saves(&self.at_store)
    }

    fn is_to_last(&self) -> bool {
        self.brain.as_deref() == Some(FILE)
    }

    fn next_version(&mut self) -> u64 {
        self.last_version += 1;
        self.last_version
    }

    fn read(&mut self, call: CallId, name: Name, work: Work) {
        if let Some(store) = &self.store {
            store.read(call, name);
            self.at_store.insert(call, work);
        }
    }

    fn write(&mut self, call: CallId, name: Name, version: u64, sealed: Option<Vec<u8>>, work: Work) {
        if let Some(store) = &self.store {
            store.write(call, Record { name, version, sealed });
            self.at_store.insert(call, work);
        }
    }
}

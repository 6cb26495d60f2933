//! The robot's store: sealed records in `brain.db` of the state directory, or memories in the files of Gopherbot (`cache`),
//! written by a thread of their own.
//!
//! The engine's loop hands over jobs and hears of them when they are done; it never waits for the disk. Writes that
//! have gathered meanwhile share one commit. What was acknowledged is on disk; what was not is there whole or not at
//! all. Values arrive here sealed: this module has no way to open them.

use std::{
    os::fd::OwnedFd,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};

use gopher_protocol::ids::CallId;
use nix::sys::eventfd::{EfdFlags, EventFd};

pub(crate) use crate::database::{Contents, Name, Record};
use crate::{
    cache::Cache,
    database::{Database, StoredName},
};

/// The store of long-term memories; a record is sealed for its store.
pub(crate) const BRAIN: &str = "brain";
/// Writes that share one commit at most.
const GROUP: usize = 256;

enum Job {
    /// With the directory of Gopherbot's own files, if memories are there.
    Open {
        old: Option<OwnedFd>,
    },
    Write {
        call: CallId,
        record: Record,
    },
    Read {
        call: CallId,
        name: Name,
    },
}

/// What has become of a job; an error is a sentence.
pub(crate) enum Done {
    Opened(Result<Contents, String>),
    Written {
        call: CallId,
        result: Result<(), String>,
    },
    /// Version and sealed value; `None` if there is none.
    Read {
        call: CallId,
        result: Result<Option<(u64, Vec<u8>)>, String>,
    },
}

/// The engine's end of it.
pub(crate) struct Store {
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    wake: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Starts the thread, and returns once it runs. Nothing is opened yet.
    pub(crate) fn start(directory: &OwnedFd) -> std::io::Result<Self> {
        let directory = directory.try_clone()?;
        let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
        let (jobs, orders) = channel();
        let (answers, done) = channel();
        let bell = Arc::clone(&wake);
        let (began, begins) = channel();
        let work = move || {
            // Whoever started it is waiting.
            let _ = began.send(());
            serve(&directory, &orders, &answers, &bell);
        };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(work)?;
        // Its own beginning takes system calls that it may not make later, so nobody goes on before it is over.
        let _ = begins.recv();
        Ok(Self { jobs: Some(jobs), done, wake, thread: Some(thread) })
    }

    /// Becomes readable when something is done.
    pub(crate) fn bell(&self) -> &EventFd {
        &self.wake
    }

    pub(crate) fn open(&self, old: Option<OwnedFd>) {
        self.order(Job::Open { old });
    }

    pub(crate) fn write(&self, call: CallId, record: Record) {
        self.order(Job::Write { call, record });
    }

    pub(crate) fn read(&self, call: CallId, name: Name) {
        self.order(Job::Read { call, name });
    }

    fn order(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The thread takes orders until this end is gone.
            let _ = jobs.send(job);
        }
    }

    /// Everything that was done since the last time.
    pub(crate) fn done(&self) -> Vec<Done> {
        // Silenced first: what is done from here on rings again.
        let _ = self.wake.read();
        self.done.try_iter().collect()
    }
}

impl Drop for Store {
    /// Waits for what was ordered.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // It ends by itself; a panic in it has already been told.
            let _ = thread.join();
        }
    }
}

/// Where records are: all in the database, or those of memories in the files of Gopherbot.
struct Places {
    database: Database,
    cache: Option<Cache>,
}

impl Places {
    fn open(directory: &OwnedFd, old: Option<&OwnedFd>) -> Result<Self, String> {
        let cache = old.map(Cache::open).transpose()?;
        Ok(Self { database: Database::open(directory)?, cache })
    }

    fn contents(&self) -> Result<Contents, String> {
        let mut contents = self.database.contents()?;
        if let Some(cache) = &self.cache {
            contents.records.retain(|(name, _)| name.store != BRAIN);
            let name = |key| StoredName { store: BRAIN.to_owned(), key };
            contents.records.extend(cache.contents().map(|(key, known)| (name(key), known)));
        }
        Ok(contents)
    }

    fn read(&self, name: &Name) -> Result<Option<(u64, Vec<u8>)>, String> {
        match &self.cache {
            Some(cache) if name.store == BRAIN => cache.read(&name.key),
            _ => self.database.read(name),
        }
    }

    /// One result for each record.
    fn write(&mut self, records: &[&Record]) -> Vec<Result<(), String>> {
        let Some(cache) = &mut self.cache else { return self.commit(records) };
        let (memories, others): (Vec<&Record>, Vec<&Record>) = records.iter().partition(|r| r.name.store == BRAIN);
        let mut of_memories = cache.write(&memories).into_iter();
        let mut of_others = self.commit(&others).into_iter();
        let mut result = |record: &&Record| {
            let of_its = if record.name.store == BRAIN { of_memories.next() } else { of_others.next() };
            of_its.unwrap_or(Ok(()))
        };
        records.iter().map(&mut result).collect()
    }

    /// One commit for all of them; if that fails, one for each, so that none suffers for another.
    fn commit(&mut self, records: &[&Record]) -> Vec<Result<(), String>> {
        let together = self.database.write(records.iter().copied());
        if together.is_err() && records.len() > 1 {
            return records.iter().map(|record| self.database.write([*record].into_iter())).collect();
        }
        vec![together; records.len()]
    }
}

fn serve(directory: &OwnedFd, orders: &Receiver<Job>, answers: &Sender<Done>, bell: &EventFd) {
    let mut places: Result<Places, String> = Err("it is not open".to_owned());
    let mut group = Vec::new();
    while let Ok(first) = orders.recv() {
        let mut next = Some(first);
        let mut told = Vec::new();
        while let Some(job) = next {
            match job {
                Job::Write { call, record } => group.push((call, record)),
                Job::Read { call, name } => {
                    write(&mut places, &mut group, &mut told);
                    let result = places.as_ref().map_err(Clone::clone).and_then(|places| places.read(&name));
                    told.push(Done::Read { call, result });
                }
                Job::Open { old } => {
                    places = Places::open(directory, old.as_ref());
                    told.push(Done::Opened(places.as_ref().map_err(Clone::clone).and_then(Places::contents)));
                }
            }
            next = if group.len() < GROUP { orders.try_recv().ok() } else { None };
        }
        write(&mut places, &mut group, &mut told);
        for done in told {
            // Whoever no longer listens needs no answer.
            let _ = answers.send(done);
        }
        let _ = bell.write(1);
    }
}

fn write(places: &mut Result<Places, String>, group: &mut Vec<(CallId, Record)>, told: &mut Vec<Done>) {
    let group = std::mem::take(group);
    if group.is_empty() {
        return;
    }
    let records: Vec<&Record> = group.iter().map(|(_, record)| record).collect();
    let results = match places {
        Ok(places) => places.write(&records),
        Err(reason) => vec![Err(reason.clone()); records.len()],
    };
    told.extend(group.iter().zip(results).map(|((call, _), result)| Done::Written { call: *call, result }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Known;
    use std::{fs::File, time::Duration};

    fn started(dir: &tempfile::TempDir) -> Store {
        Store::start(&File::open(dir.path()).expect("opens").into()).expect("starts")
    }

    /// Waits for this many answers.
    fn answers(store: &Store, count: usize) -> Vec<Done> {
        let mut all = Vec::new();
        for _ in 0..2000 {
            all.extend(store.done());
            if all.len() >= count {
                return all;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{} of {count} answers", all.len());
    }

    fn record(key: &str, version: u64, sealed: Option<&[u8]>) -> Record {
        Record { name: Name { store: "brain", key: key.to_owned() }, version, sealed: sealed.map(<[u8]>::to_vec) }
    }

    #[test]
    fn what_was_acknowledged_is_there_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = started(&dir);
        store.open(None);
        for n in 0..1000_u64 {
            store.write(CallId(n), record(&format!("p:{}", n % 10), n + 1, Some(&[n.to_le_bytes(); 5].concat())));
        }
        store.write(CallId(1000), record("p:0", 1001, None));
        let done = answers(&store, 1002);
        assert!(matches!(&done[0], Done::Opened(Ok(contents)) if contents.records.is_empty()));
        assert!(done[1..].iter().all(|d| matches!(d, Done::Written { result: Ok(()), .. })));
        drop(store);

        let store = started(&dir);
        store.open(None);
        store.read(CallId(1), Name { store: "brain", key: "p:9".into() });
        store.read(CallId(2), Name { store: "brain", key: "p:0".into() });
        let done = answers(&store, 3);
        let Done::Opened(Ok(contents)) = &done[0] else { panic!("opened") };
        assert_eq!(contents.records.len(), 9);
        assert!(
            contents
                .records
                .iter()
                .any(|(name, known)| name.key == "p:9" && *known == Known { version: 1000, bytes: 11 })
        );
        let Done::Read { result: Ok(Some((version, sealed))), .. } = &done[1] else { panic!("read") };
        assert_eq!((*version, sealed.as_slice()), (1000, [999_u64.to_le_bytes(); 5].concat().as_slice()));
        assert!(matches!(&done[2], Done::Read { result: Ok(None), .. }));
    }

    #[test]
    fn a_second_robot_is_kept_out() {
        let dir = tempfile::tempdir().expect("a directory");
        let (first, second) = (started(&dir), started(&dir));
        first.open(None);
        assert!(matches!(answers(&first, 1)[0], Done::Opened(Ok(_))));
        second.open(None);
        let Done::Opened(Err(reason)) = &answers(&second, 1)[0] else { panic!("both have it") };
        assert!(reason.contains("another process"), "{reason}");
        second.write(CallId(1), record("p:k", 1, Some(b"x")));
        assert!(matches!(&answers(&second, 1)[0], Done::Written { result: Err(_), .. }));
    }
}

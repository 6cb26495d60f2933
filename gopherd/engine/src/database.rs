//! `brain.db`: one table of sealed records, and the version of its shape. Called by the store's thread only.
//!
//! Keys are in clear, values sealed. Every error becomes one sentence for the log and for `gopherctl status`.

use std::{os::fd::OwnedFd, time::Duration};

use gopher_protocol::secretd::SEAL_OVERHEAD;
use nix::{
    fcntl::{OFlag, openat},
    sys::stat::Mode,
    unistd::fsync,
};
use rusqlite::{Connection, Error, ErrorCode, OptionalExtension as _, params};

use crate::values::Known;

const FILE: &str = "brain.db";
/// Each brings the database from the version that is its place in the list to the next. Never changed, only added to.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE record (
        store TEXT NOT NULL,
        key TEXT NOT NULL,
        version INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (store, key)
    ) WITHOUT ROWID;
"];
/// Largest file that is read through when it is opened, in bytes.
const CHECKED: i64 = 64 << 20;
/// An engine that was killed may hold the file for another moment.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a record is found under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) store: &'static str,
    pub(crate) key: String,
}

/// What is to be under a name; without a sealed value nothing.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) name: Name,
    pub(crate) version: u64,
    pub(crate) sealed: Option<Vec<u8>>,
}

/// What there is: of values only their sizes.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) records: Vec<(StoredName, Known)>,
}

/// A name as it was found.
#[derive(Debug)]
pub(crate) struct StoredName {
    pub(crate) store: String,
    pub(crate) key: String,
}

pub(crate) struct Database {
    connection: Connection,
    /// The names of its files begin with this descriptor, so it is the last to be closed.
    _directory: OwnedFd,
}

impl Database {
    /// Opens it, makes it, or brings it to the shape of this version.
    pub(crate) fn open(directory: &OwnedFd) -> Result<Self, String> {
        let synced = |error: std::io::Error| format!("the state directory cannot be synced: {error}");
        let directory = directory.try_clone().map_err(synced)?;
        // Made here, for only here it is made private; what the library makes beside it is as private as this.
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        openat(&directory, FILE, flags, Mode::S_IRUSR | Mode::S_IWUSR)
            .map_err(|errno| format!("{FILE} in the state directory cannot be opened: {errno}"))?;
        let mut connection = gopher_sys::database::open(&directory, FILE).map_err(|e| sentence(&e, "opened"))?;
        connection
            .busy_timeout(PATIENCE)
            .and_then(|()| gopher_sys::database::be_durable(&connection))
            .map_err(|e| sentence(&e, "opened"))?;
        match migrate(&mut connection) {
            Ok(None) => {}
            Ok(Some(found)) => {
                return Err(format!(
                    "{FILE} in the state directory is of a newer version of this robot (shape {found}, known up to {}); \
                     nothing in it is touched: start that version again",
                    MIGRATIONS.len()
                ));
            }
            Err(error) => return Err(sentence(&error, "opened")),
        }
        check(&connection)?;
        // The files themselves are to be found after a power cut, too.
        openat(&directory, ".", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
            .and_then(fsync)
            .map_err(|errno| synced(errno.into()))?;
        Ok(Self { connection, _directory: directory })
    }

    pub(crate) fn contents(&self) -> Result<Contents, String> {
        let read = || -> Result<Contents, Error> {
            let mut query = self.connection.prepare("SELECT store, key, version, length(sealed) FROM record")?;
            let rows = query.query_map([], |row| {
                let name = StoredName { store: row.get(0)?, key: row.get(1)? };
                let bytes = unsigned(row.get(3)?).saturating_sub(SEAL_OVERHEAD);
                Ok((name, Known { version: unsigned(row.get(2)?), bytes }))
            })?;
            Ok(Contents { records: rows.collect::<Result<_, _>>()? })
        };
        read().map_err(|error| sentence(&error, "read"))
    }

    pub(crate) fn read(&self, name: &Name) -> Result<Option<(u64, Vec<u8>)>, String> {
        let read = || -> Result<Option<(u64, Vec<u8>)>, Error> {
            let mut query =
                self.connection.prepare_cached("SELECT version, sealed FROM record WHERE store = ? AND key = ?")?;
            let row = |row: &rusqlite::Row<'_>| Ok((unsigned(row.get(0)?), row.get(1)?));
            query.query_row(params![name.store, name.key], row).optional()
        };
        read().map_err(|error| sentence(&error, "read"))
    }

    /// All of them or none.
    pub(crate) fn write<'r>(&mut self, records: impl Iterator<Item = &'r Record>) -> Result<(), String> {
        self.put(records).map_err(|error| sentence(&error, "written"))
    }

    fn put<'r>(&mut self, mut records: impl Iterator<Item = &'r Record>) -> Result<(), Error> {
        let Some(first) = records.next() else { return Ok(()) };
        let Some(second) = records.next() else {
            // One statement is a transaction of its own.
            return put_one(&self.connection, first);
        };
        let transaction = self.connection.transaction()?;
        for record in [first, second].into_iter().chain(records) {
            put_one(&transaction, record)?;
        }
        transaction.commit()
    }
}

fn put_one(connection: &Connection, Record { name, version, sealed }: &Record) -> Result<(), Error> {
    let (store, key) = (name.store, &name.key);
    let changed = if let Some(sealed) = sealed {
        let put = "INSERT OR REPLACE INTO record (store, key, version, sealed) VALUES (?, ?, ?, ?)";
        connection.prepare_cached(put)?.execute(params![store, key, signed(*version), sealed])
    } else {
        let delete = "DELETE FROM record WHERE store = ? AND key = ?";
        connection.prepare_cached(delete)?.execute(params![store, key])
    };
    changed.map(drop)
}

/// The version found, if it is newer than ours.
fn migrate(connection: &mut Connection) -> Result<Option<usize>, Error> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL)")?;
    let found: Option<i64> = transaction.query_row("SELECT max(version) FROM schema", [], |row| row.get(0))?;
    let found = usize::try_from(found.unwrap_or(0)).unwrap_or(usize::MAX);
    if found > MIGRATIONS.len() {
        return Ok(Some(found));
    }
    for (step, text) in MIGRATIONS.iter().enumerate().skip(found) {
        transaction.execute_batch(text)?;
        transaction.execute("INSERT INTO schema VALUES (?)", params![i64::try_from(step + 1).unwrap_or(i64::MAX)])?;
    }
    transaction.commit()?;
    Ok(None)
}

fn check(connection: &Connection) -> Result<(), String> {
    let number = |pragma| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let size = number("PRAGMA page_count").and_then(|pages| Ok(pages * number("PRAGMA page_size")?));
    if size.map_err(|error| sentence(&error, "opened"))? > CHECKED {
        return Ok(());
    }
    match connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)) {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(damaged(verdict.lines().last().unwrap_or_default())),
        Err(error) => Err(sentence(&error, "opened")),
    }
}

fn damaged(what: &str) -> String {
    format!(
        "{FILE} in the state directory is damaged ({what}) and is left as it is: put a copy in its place, or move it away \
         to begin with no memories"
    )
}

fn sentence(error: &Error, what: &str) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(&error.to_string()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("{FILE} in the state directory is in use by another process")
        }
        Some(ErrorCode::DiskFull) => {
            format!("{FILE} in the state directory cannot be {what}: there is no space left on the disk")
        }
        _ => format!("{FILE} in the state directory cannot be {what}: {error}"),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    fn open(dir: &tempfile::TempDir) -> Result<Database, String> {
        Database::open(&File::open(dir.path()).expect("opens").into())
    }

    fn refusal(dir: &tempfile::TempDir) -> String {
        open(dir).err().expect("a refusal")
    }

    fn record(key: &str, sealed: &[u8]) -> Record {
        Record { name: Name { store: "brain", key: key.to_owned() }, version: 1, sealed: Some(sealed.to_vec()) }
    }

    #[test]
    fn a_newer_shape_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut database = open(&dir).expect("is made");
        database.write([record("p:k", b"sealed")].iter()).expect("written");
        database.connection.execute("INSERT INTO schema VALUES (7)", []).expect("written");
        drop(database);
        let before = std::fs::read(dir.path().join(FILE)).expect("is there");
        let reason = refusal(&dir);
        assert!(reason.contains("newer version") && reason.contains("shape 7"), "{reason}");
        assert_eq!(std::fs::read(dir.path().join(FILE)).expect("is there"), before);
    }

    #[test]
    fn a_damaged_file_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut database = open(&dir).expect("is made");
        for n in 0..200 {
            database.write([record(&format!("p:{n}"), &[7; 3000])].iter()).expect("written");
        }
        drop(database);
        let path = dir.path().join(FILE);
        let good = std::fs::read(&path).expect("is there");
        for (at, length) in [(0, 16), (4096, 4096), (good.len() / 2, 8192)] {
            let mut bad = good.clone();
            bad[at..at + length].fill(0xa5);
            std::fs::write(&path, &bad).expect("written");
            let reason = refusal(&dir);
            assert!(reason.contains("is damaged") && !reason.contains('\n'), "{reason}");
            assert_eq!(std::fs::read(&path).expect("is there"), bad);
        }
        std::fs::write(&path, &good).expect("written");
        assert_eq!(open(&dir).expect("opens").contents().expect("reads").records.len(), 200);
    }

    #[test]
    fn one_transaction_is_all_or_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut database = open(&dir).expect("is made");
        database
            .connection
            .execute_batch(
                "CREATE TRIGGER no BEFORE INSERT ON record WHEN NEW.key = 'p:bad' BEGIN SELECT RAISE(ABORT, 'no'); END",
            )
            .expect("made");
        let records = [record("p:a", b"1"), record("p:bad", b"2")];
        assert!(database.write(records.iter()).is_err());
        assert!(database.contents().expect("reads").records.is_empty());
        database.write(records[..1].iter()).expect("written");
        assert_eq!(database.contents().expect("reads").records.len(), 1);
    }
}

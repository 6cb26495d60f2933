//! Opens a database by the descriptor of its directory, for the engine and for what measures its store.
//!
//! The library resolves every name it is given to an absolute path before it opens it. A role knows no paths, and may
//! not walk those that lead to its own directory; so names are taken here as they are, and name the descriptor.

use std::{
    ffi::{CStr, c_char, c_int},
    os::fd::{AsFd, AsRawFd as _},
    ptr,
    sync::OnceLock,
};

pub use rusqlite::Connection;
use rusqlite::{Error, OpenFlags, ffi};

/// The library's name for its own way of reaching files with names taken as they are.
const NAME: &CStr = c"as-named";

/// Opens, or makes, the database `name` in `directory`, which must stay open as long as the connection is.
pub fn open(directory: impl AsFd, name: &str) -> Result<Connection, Error> {
    take_names_as_they_are()?;
    let path = format!("/proc/self/fd/{}/{name}", directory.as_fd().as_raw_fd());
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    Connection::open_with_flags_and_vfs(path, flags, NAME)
}

/// One process at a time, so that no memory has to be shared; every commit is on disk before it is acknowledged.
pub fn be_durable(connection: &Connection) -> Result<(), Error> {
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 4194304;",
    )
}

fn take_names_as_they_are() -> Result<(), Error> {
    static REGISTERED: OnceLock<c_int> = OnceLock::new();
    let result = *REGISTERED.get_or_init(|| {
        // SAFETY: `sqlite3_initialize` may be called at any time. `sqlite3_vfs_find` gives a valid structure that the
        // library never frees; a copy of it is plain data, and its functions work on any structure of that shape. The
        // copy is leaked, so it lives as long as the library may use it.
        unsafe {
            let initialized = ffi::sqlite3_initialize();
            if initialized != ffi::SQLITE_OK {
                return initialized;
            }
            let usual = ffi::sqlite3_vfs_find(ptr::null());
            if usual.is_null() {
                return ffi::SQLITE_ERROR;
            }
            let own = Box::leak(Box::new(*usual));
            own.pNext = ptr::null_mut();
            own.zName = NAME.as_ptr();
            own.xFullPathname = Some(as_named);
            ffi::sqlite3_vfs_register(own, 0)
        }
    });
    if result == ffi::SQLITE_OK { Ok(()) } else { Err(Error::SqliteFailure(ffi::Error::new(result), None)) }
}

/// The full name of a file is its name.
unsafe extern "C" fn as_named(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: the library passes a valid C string.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if usize::try_from(room).map_or(true, |room| bytes.len() > room) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `out` has `room` bytes, which are enough, and is the library's own buffer: it does not overlap `name`.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len()) };
    ffi::SQLITE_OK
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_database_is_opened_in_the_directory_that_a_descriptor_names() {
        let dir = tempfile::tempdir().expect("a directory");
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        std::fs::create_dir(&here).expect("made");
        let directory = File::open(&here).expect("opens");
        let database = open(&directory, "some.db").expect("opens");
        let made = "PRAGMA journal_mode = WAL; CREATE TABLE t (n); INSERT INTO t VALUES (7);";
        database.execute_batch(made).expect("runs");
        assert!(here.join("some.db").exists() && here.join("some.db-wal").exists());
        drop(database);
        // Wherever the directory is meanwhile.
        std::fs::rename(&here, &there).expect("renamed");
        let again = open(&directory, "some.db").expect("opens again");
        assert_eq!(again.query_row("SELECT n FROM t", [], |row| row.get::<_, i64>(0)).expect("is there"), 7);
        assert!(open(&directory, &"x".repeat(600)).is_err());
    }
}

//! Where files come from: the only I/O of this crate, behind a trait so that tests and author tools bring their own.

use std::{fs, io, io::Read as _, os::unix::fs::PermissionsExt as _, path::Path};

/// Largest configuration file.
pub const LARGEST_FILE: u64 = 1 << 20;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Missing,
    /// A directory, a device, a pipe.
    NotAFile,
    File {
        owner_executable: bool,
    },
}

/// Reads what a robot repository and an install tree hold.
pub trait FileSource {
    /// The whole file, or nothing if there is none. A file over [`LARGEST_FILE`] may be cut one byte beyond it.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// What stands at `path`, symbolic links followed.
    fn kind(&self, path: &Path) -> io::Result<FileKind>;
}

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl FileSource for Disk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match self.kind(path)? {
            FileKind::Missing => return Ok(None),
            // Opening a pipe would wait for its other end.
            FileKind::NotAFile => return Err(io::Error::other("it is not a regular file")),
            FileKind::File { .. } => {}
        }
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        match fs::metadata(path) {
            Ok(found) if found.is_file() => {
                Ok(FileKind::File { owner_executable: found.permissions().mode() & 0o100 != 0 })
            }
            Ok(_) => Ok(FileKind::NotAFile),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(FileKind::Missing)
            }
            Err(e) => Err(e),
        }
    }
}

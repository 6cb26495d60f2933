//! Files that arrive as descriptors: only regular ones, only whole, only up to a length, into buffers that are wiped.

use std::{
    fs::File,
    io::ErrorKind,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::FileExt as _,
    },
};

use nix::{
    errno::Errno,
    sys::stat::{FileStat, Mode, SFlag, fchmod, fstat},
};
use zeroize::Zeroizing;

use crate::error::SecretdError;

/// A regular file and the name it has in sentences.
pub(crate) struct NamedFile {
    name: String,
    file: File,
    status: FileStat,
}

impl NamedFile {
    /// Refuses everything but regular files: a directory, a pipe, a symbolic link opened as such.
    pub(crate) fn new(name: &str, fd: OwnedFd) -> Result<Self, SecretdError> {
        let status = fstat(&fd).map_err(|errno| SecretdError::Unreadable { name: name.to_owned(), errno })?;
        if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(SecretdError::NotRegular { name: name.to_owned() });
        }
        Ok(Self { name: name.to_owned(), file: File::from(fd), status })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.status.st_size == 0
    }

    pub(crate) fn into_file(self) -> File {
        self.file
    }

    /// Gives the file mode `wanted` unless it has it. That others may read it is an error only if it cannot be changed.
    pub(crate) fn close_to_others(&self, wanted: Mode) -> Result<(), SecretdError> {
        let mode = Mode::from_bits_truncate(self.status.st_mode);
        if mode == wanted {
            return Ok(());
        }
        match fchmod(self.file.as_fd(), wanted) {
            Err(errno) if mode.intersects(Mode::S_IRWXG | Mode::S_IRWXO) => {
                Err(SecretdError::Exposed { name: self.name.clone(), mode: mode.bits(), errno })
            }
            _ => Ok(()),
        }
    }

    /// The whole content, whatever the position of the descriptor.
    pub(crate) fn read(&self, most: usize) -> Result<Zeroizing<Vec<u8>>, SecretdError> {
        let length = u64::try_from(self.status.st_size).unwrap_or(0);
        let size = usize::try_from(length).ok().filter(|n| *n <= most);
        let Some(size) = size else {
            return Err(SecretdError::TooLong { name: self.name.clone(), bytes: length, most });
        };
        // One byte more shows growth; the buffer itself never grows, which would leave a copy behind.
        let mut content = Zeroizing::new(vec![0; size + 1]);
        let mut filled = 0;
        while filled < content.len() {
            match self.file.read_at(&mut content[filled..], filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let errno = Errno::from_raw(error.raw_os_error().unwrap_or_default());
                    return Err(SecretdError::Unreadable { name: self.name.clone(), errno });
                }
            }
        }
        if filled != size {
            return Err(SecretdError::Changed { name: self.name.clone() });
        }
        content.truncate(size);
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file_with(content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join(".env");
        std::fs::write(&path, content).expect("file");
        (dir, path)
    }

    #[test]
    fn what_is_no_regular_file_is_refused_by_name() {
        let dir = File::open("/").expect("root");
        let error = NamedFile::new(".env", dir.into()).err().expect("refused");
        assert_eq!(error.to_string(), ".env is not a regular file; replace it by one.");
        let link = tempfile::tempdir().expect("directory");
        std::os::unix::fs::symlink("/etc/passwd", link.path().join("l")).expect("link");
        let flags = nix::fcntl::OFlag::O_PATH | nix::fcntl::OFlag::O_NOFOLLOW;
        let fd = nix::fcntl::open(&link.path().join("l"), flags, Mode::empty()).expect("opened as a link");
        assert!(matches!(NamedFile::new(".env", fd), Err(SecretdError::NotRegular { .. })));
    }

    #[test]
    fn a_file_is_read_whole_or_refused() {
        let (_dir, path) = file_with(b"A=1\n");
        let file = NamedFile::new(".env", File::open(&path).expect("opens").into()).expect("regular");
        assert_eq!(file.read(4).expect("read").as_slice(), b"A=1\n");
        assert!(matches!(file.read(3), Err(SecretdError::TooLong { bytes: 4, most: 3, .. })));
        std::fs::write(&path, b"longer now").expect("grows");
        assert!(matches!(file.read(100), Err(SecretdError::Changed { .. })));
    }

    #[test]
    fn a_file_open_to_others_is_closed() {
        let (_dir, path) = file_with(b"");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("mode");
        let file = NamedFile::new(".env", File::open(&path).expect("opens").into()).expect("regular");
        file.close_to_others(Mode::S_IRUSR).expect("own file");
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o400);
    }
}

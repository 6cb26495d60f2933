//! Small helpers around descriptors.
#![forbid(unsafe_code)]

use std::{
    fs::File,
    io::Write as _,
    os::fd::{AsFd, AsRawFd as _, OwnedFd},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, OFlag, SealFlag, fcntl},
    sys::memfd::{MFdFlags, memfd_create},
    unistd::pipe2,
};

use crate::raw;

/// Whether a file has extended attributes, lists of access rights among them.
pub fn has_attributes(fd: impl AsFd) -> Result<bool, Errno> {
    raw::attributes(fd).map(|bytes| bytes > 0)
}

/// Whether nothing is in a directory, which was opened for this. What the C library does takes 32 KiB of memory.
pub fn is_empty(directory: impl AsFd) -> Result<bool, Errno> {
    // Room for the longest name.
    let mut records = [0; 512];
    loop {
        let count = raw::entries(&directory, &mut records)?;
        if names(&records[..count]).any(|name| !matches!(name, b"." | b"..")) {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

/// Where a record of `getdents64(2)` says how long it is, and where its name begins.
const LENGTH: usize = 16;
const NAME: usize = 19;

fn names(mut records: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = records.get(LENGTH..)?.first_chunk()?;
        let (record, rest) = records.split_at_checked(u16::from_ne_bytes(*length).into())?;
        records = rest;
        record.get(NAME..)?.split(|byte| *byte == 0).next()
    })
}

/// Lets a descriptor survive the next exec.
pub fn keep_on_exec(fd: impl AsFd) -> Result<(), Errno> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty())).map(drop)
}

/// Makes reads and writes return at once.
pub fn make_nonblocking(fd: impl AsFd) -> Result<(), Errno> {
    let flags = OFlag::from_bits_retain(fcntl(fd.as_fd(), FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).map(drop)
}

/// A pipe whose read end holds `bytes` and then ends. At most one page.
pub fn pipe_holding(bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    if !bytes.is_empty() {
        nix::unistd::write(&write, bytes)?;
    }
    Ok(read)
}

/// One descriptor, readable and writable, of a pipe that holds one byte: whoever has taken it has the token.
pub fn token_pipe() -> Result<OwnedFd, Errno> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    nix::unistd::write(&write, b"+")?;
    let both = format!("/proc/self/fd/{}", read.as_raw_fd());
    nix::fcntl::open(both.as_str(), OFlag::O_RDWR | OFlag::O_CLOEXEC, nix::sys::stat::Mode::empty())
}

/// Memory that holds `bytes` and can no longer be changed.
pub fn sealed_memory(name: &str, bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let fd = memfd_create(name, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    let mut file = File::from(fd);
    file.write_all(bytes).map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)))?;
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}

/// Random bytes of the kernel.
pub fn random<const N: usize>() -> Result<[u8; N], Errno> {
    let mut bytes = [0; N];
    raw::random(&mut bytes)?;
    Ok(bytes)
}

/// Opens a program to be executed later, whatever stands at its path then.
pub fn open_program(path: impl AsRef<std::path::Path>) -> Result<OwnedFd, Errno> {
    nix::fcntl::open(path.as_ref(), OFlag::O_PATH | OFlag::O_CLOEXEC, nix::sys::stat::Mode::empty())
}

/// Takes over a descriptor that the program was started with.
///
/// # Errors
/// `EBADF` if nothing is open there, or if it is one that this program opened itself.
pub fn inherited(number: i32) -> Result<OwnedFd, Errno> {
    raw::take_inherited(number)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_directory_is_empty_until_something_is_in_it() {
        let dir = tempfile::tempdir().expect("directory");
        let open = || File::open(dir.path()).expect("opened");
        assert_eq!(is_empty(open()), Ok(true));
        for name in ["...".to_owned(), ".hidden".to_owned(), "x".repeat(255)] {
            let path = dir.path().join(name);
            fs::write(&path, "").expect("written");
            assert_eq!(is_empty(open()), Ok(false), "{}", path.display());
            fs::remove_file(path).expect("removed");
        }
        assert_eq!(is_empty(open()), Ok(true));
        fs::create_dir(dir.path().join("inner")).expect("made");
        assert_eq!(is_empty(open()), Ok(false));
        let file = dir.path().join("file");
        fs::write(&file, "").expect("written");
        assert_eq!(is_empty(File::open(file).expect("opened")), Err(Errno::ENOTDIR));
    }

    #[test]
    fn records_that_are_cut_have_no_more_names() {
        let record = |name: &[u8], length: u8| {
            let mut bytes = [0; NAME].to_vec();
            bytes[LENGTH] = length;
            bytes.extend(name);
            bytes.resize(24, 0);
            bytes
        };
        let two = [record(b".", 24), record(b"a", 24)].concat();
        assert_eq!(names(&two).collect::<Vec<_>>(), [&b"."[..], b"a"]);
        for bytes in [&two[..40], &two[..17], &[], &record(b"a", 0)[..], &record(b"a", 200)] {
            assert!(names(bytes).count() <= 1, "{bytes:?}");
        }
    }
}

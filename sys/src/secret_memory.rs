//! Memory for keys: `memfd_secret` pages where the kernel has them, else locked pages, else plain ones.

use std::{num::NonZeroUsize, os::fd::AsFd, ptr::NonNull, slice};

use nix::{
    errno::Errno,
    sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mlock, mmap, mmap_anonymous, munmap},
    unistd::ftruncate,
};
use zeroize::Zeroize as _;

use crate::raw;

/// What the kernel gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryKind {
    /// `memfd_secret`: not mapped by the kernel itself, unreadable through `/proc/PID/mem`.
    Secret,
    /// Never swapped, never in a core file.
    Locked,
    /// Neither could be had.
    Plain,
}

/// A region for secrets; wiped on drop. No `Debug`, no `Clone`.
pub struct SecretPages {
    start: NonNull<libc::c_void>,
    len: NonZeroUsize,
    kind: MemoryKind,
}

impl SecretPages {
    /// A zeroed region of at least `len` bytes, the best kind the kernel gives.
    pub fn new(len: usize) -> Result<Self, Errno> {
        let len = NonZeroUsize::new(len).ok_or(Errno::EINVAL)?;
        if let Ok(start) = secret(len) {
            return Ok(Self { start, len, kind: MemoryKind::Secret });
        }
        // SAFETY: a fresh private mapping; nothing else refers to it.
        let start =
            unsafe { mmap_anonymous(None, len, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_PRIVATE) }?;
        // SAFETY: the range was just mapped with this length.
        let locked = unsafe { mlock(start, len.get()) };
        // SAFETY: as above; keeps the pages out of core files, which are switched off anyway.
        let _ = unsafe { madvise(start, len.get(), MmapAdvise::MADV_DONTDUMP) };
        let kind = if locked.is_ok() { MemoryKind::Locked } else { MemoryKind::Plain };
        Ok(Self { start, len, kind })
    }

    pub fn kind(&self) -> MemoryKind {
        self.kind
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `start..start+len` is mapped readable for as long as `self` lives, and only `bytes_mut` writes.
        unsafe { slice::from_raw_parts(self.start.as_ptr().cast(), self.len.get()) }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: mapped writable for as long as `self` lives; `&mut self` makes this the only reference.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.len.get()) }
    }
}

fn secret(len: NonZeroUsize) -> Result<NonNull<libc::c_void>, Errno> {
    let fd = raw::memfd_secret()?;
    ftruncate(&fd, libc::off_t::try_from(len.get()).map_err(|_| Errno::EINVAL)?)?;
    // SAFETY: a fresh shared mapping of a file that only we hold; the mapping outlives the descriptor.
    unsafe { mmap(None, len, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, fd.as_fd(), 0) }
}

impl Drop for SecretPages {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        // SAFETY: the range is ours and no reference to it can be alive while `self` is dropped.
        let _ = unsafe { munmap(self.start, self.len.get()) };
    }
}

// SAFETY: the region is owned memory without thread affinity.
unsafe impl Send for SecretPages {}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::unix::fs::FileExt as _};

    use super::*;

    #[test]
    fn a_region_is_zeroed_and_holds_what_is_written() {
        let mut pages = SecretPages::new(100).expect("memory");
        assert!(pages.bytes().iter().all(|b| *b == 0));
        pages.bytes_mut()[..4].copy_from_slice(b"key!");
        assert_eq!(&pages.bytes()[..4], b"key!");
        assert_eq!(pages.bytes().len(), 100);
    }

    #[test]
    fn secret_pages_cannot_be_read_through_proc() {
        let pages = SecretPages::new(64).expect("memory");
        let mem = File::open("/proc/self/mem").expect("own memory");
        let mut copy = [0; 8];
        let read = mem.read_at(&mut copy, pages.start.as_ptr() as u64);
        match pages.kind() {
            MemoryKind::Secret => assert!(read.is_err(), "memfd_secret pages were readable"),
            MemoryKind::Locked | MemoryKind::Plain => eprintln!("skipped: this kernel has no memfd_secret"),
        }
    }
}

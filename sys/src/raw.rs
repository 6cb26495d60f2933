//! System calls that neither std nor nix wraps, one safe function each.

use std::{
    ffi::{CStr, CString},
    ops::Range,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd},
};

use nix::errno::Errno;

fn number(result: libc::c_long) -> Result<libc::c_long, Errno> {
    Errno::result(result)
}

fn descriptor(result: libc::c_long) -> Result<OwnedFd, Errno> {
    let fd = RawFd::try_from(number(result)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: the system call has just returned this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A descriptor of pages that the kernel itself does not map.
pub(crate) fn memfd_secret() -> Result<OwnedFd, Errno> {
    // SAFETY: takes flags only.
    descriptor(unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) })
}

/// Sends a signal through a process descriptor.
pub(crate) fn pidfd_send_signal(pidfd: impl AsFd, signal: libc::c_int) -> Result<(), Errno> {
    let fd = pidfd.as_fd().as_raw_fd();
    // SAFETY: no pointer is passed (the siginfo argument is null).
    number(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, std::ptr::null::<u8>(), 0) }).map(drop)
}

/// A detached copy of the mount at `path`, with everything mounted beneath it.
pub(crate) fn open_tree(dir: impl AsFd, path: &CStr) -> Result<OwnedFd, Errno> {
    const OPEN_TREE_CLONE: libc::c_uint = 1;
    let flags = OPEN_TREE_CLONE
        | libc::O_CLOEXEC.unsigned_abs()
        | libc::AT_RECURSIVE.unsigned_abs()
        | libc::AT_EMPTY_PATH.unsigned_abs();
    // SAFETY: `path` is a valid C string for the duration of the call.
    descriptor(unsafe { libc::syscall(libc::SYS_open_tree, dir.as_fd().as_raw_fd(), path.as_ptr(), flags) })
}

/// Attaches a detached mount at `path`.
pub(crate) fn move_mount(tree: impl AsFd, path: &CStr) -> Result<(), Errno> {
    const MOVE_MOUNT_F_EMPTY_PATH: libc::c_uint = 4;
    // SAFETY: both strings are valid C strings for the duration of the call.
    number(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            path.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH,
        )
    })
    .map(drop)
}

/// Adds attributes (`MOUNT_ATTR_*`) to a mount, and to all beneath it if `recursive`.
pub(crate) fn mount_setattr(mount: impl AsFd, attributes: u64, recursive: bool) -> Result<(), Errno> {
    let attr = libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: `attr` lives through the call and its size is given.
    number(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    })
    .map(drop)
}

/// Closes, or marks close-on-exec, every descriptor from `first` on.
pub(crate) fn close_range(first: u32, last: u32, cloexec: bool) -> Result<(), Errno> {
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
    let flags = if cloexec { CLOSE_RANGE_CLOEXEC } else { 0 };
    // SAFETY: callers (this crate only) hold no owner for the descriptors they close here.
    number(unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) }).map(drop)
}

/// Removes a capability from the bounding set of this thread; unknown numbers are `EINVAL`.
pub(crate) fn drop_bounding(capability: u32) -> Result<(), Errno> {
    // SAFETY: takes numbers only.
    Errno::result(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability), 0, 0, 0) }).map(drop)
}

/// Gives up every capability of this thread and clears the ambient set.
pub(crate) fn drop_capabilities() -> Result<(), Errno> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let header = Header { version: VERSION_3, pid: 0 };
    let none = [[0_u32; 3]; 2];
    // SAFETY: takes numbers only.
    Errno::result(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) })?;
    // SAFETY: header and data have the layout of version 3 and live through the call.
    number(unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) }).map(drop)
}

/// Asks the scheduler for slices of this length (Linux 6.12; older kernels take the nice value alone): a process that
/// wakes is served before one whose slices are longer.
pub(crate) fn slice(nanoseconds: u64, nice: i32) -> Result<(), Errno> {
    #[repr(C)]
    #[derive(Default)]
    struct SchedAttr {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    }
    let size = u32::try_from(size_of::<SchedAttr>()).map_err(|_| Errno::EINVAL)?;
    let attr = SchedAttr { size, nice, runtime: nanoseconds, ..SchedAttr::default() };
    // SAFETY: the structure carries its own size and lives through the call.
    number(unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) }).map(drop)
}

/// Switches a network interface of this namespace on.
pub(crate) fn interface_up(socket: impl AsFd, name: &CStr) -> Result<(), Errno> {
    // SAFETY: an all-zero `ifreq` is valid: it is plain data.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.to_bytes()) {
        *to = (*from).cast_signed();
    }
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `request` lives through the call and names the interface.
    Errno::result(unsafe { libc::ioctl(fd, libc::SIOCGIFFLAGS, &raw mut request) })?;
    // SAFETY: the call above has filled the flags member of the union.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = flags | libc::c_short::try_from(libc::IFF_UP).unwrap_or(1);
    // SAFETY: as above.
    Errno::result(unsafe { libc::ioctl(fd, libc::SIOCSIFFLAGS, &raw mut request) }).map(drop)
}

/// The Landlock interface number of this kernel.
pub(crate) fn landlock_abi() -> Result<u32, Errno> {
    const LANDLOCK_CREATE_RULESET_VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the call takes no attributes and only answers a number.
    let version = number(unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, LANDLOCK_CREATE_RULESET_VERSION)
    })?;
    u32::try_from(version).map_err(|_| Errno::EOVERFLOW)
}

/// Applies Landlock rules to this thread, for good.
pub(crate) fn landlock(rules: BorrowedFd<'_>) -> Result<(), Errno> {
    let no_flags: libc::c_uint = 0;
    // SAFETY: takes numbers only.
    number(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), no_flags) }).map(drop)
}

/// Fills `bytes` from the kernel's random generator.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Errno> {
    let mut filled = 0;
    while filled < bytes.len() {
        let rest = &mut bytes[filled..];
        // SAFETY: pointer and length describe `rest`.
        let count = Errno::result(unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) });
        match count {
            Ok(count) => filled += count.unsigned_abs(),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Duplicates a descriptor that survived exec, closes the original, and marks the copy close-on-exec.
pub(crate) fn take_inherited(number: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: takes numbers only.
    let flags = Errno::result(unsafe { libc::fcntl(number, libc::F_GETFD) })?;
    if flags & libc::FD_CLOEXEC != 0 {
        return Err(Errno::EBADF);
    }
    // SAFETY: takes numbers only; what is not close-on-exec was not opened by this program, which opens nothing else.
    let copy = Errno::result(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: as above: nobody in this program owns the original.
    Errno::result(unsafe { libc::close(number) })?;
    // SAFETY: the copy was just made.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Reaps any child that has ended: its number and its status; `None` if none has.
pub(crate) fn wait_any() -> Result<Option<(i32, i32)>, Errno> {
    let mut status = 0;
    // SAFETY: `status` is a valid place for the status and outlives the call.
    let pid = Errno::result(unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) })?;
    Ok((pid > 0).then_some((pid, status)))
}

/// Bytes of the names of a file's extended attributes.
pub(crate) fn attributes(fd: impl AsFd) -> Result<usize, Errno> {
    // SAFETY: with a size of 0 nothing is written.
    let bytes = Errno::result(unsafe { libc::flistxattr(fd.as_fd().as_raw_fd(), std::ptr::null_mut(), 0) })?;
    Ok(bytes.unsigned_abs())
}

/// Fills `records` with the next entries of a directory (`getdents64(2)`); how many bytes they take, 0 at the end.
pub(crate) fn entries(directory: impl AsFd, records: &mut [u8]) -> Result<usize, Errno> {
    let (fd, room) = (directory.as_fd().as_raw_fd(), records.as_mut_ptr());
    // SAFETY: the kernel writes to these bytes, and no further.
    let bytes = Errno::result(unsafe { libc::syscall(libc::SYS_getdents64, fd, room, records.len()) })?;
    usize::try_from(bytes).map_err(|_| Errno::EOVERFLOW)
}

/// Has the pages of a range in place, for reading or, each its own copy, for writing.
pub(crate) fn populate(range: &Range<usize>, write: bool) -> Result<(), Errno> {
    let advice = if write { libc::MADV_POPULATE_WRITE } else { libc::MADV_POPULATE_READ };
    let start = std::ptr::without_provenance_mut(range.start);
    // SAFETY: this changes nothing of what the pages hold; of a range that is not mapped the kernel says so.
    Errno::result(unsafe { libc::madvise(start, range.len(), advice) }).map(drop)
}

/// Unmaps the pages of a range that is code of a file; they are mapped again when they are used.
pub(crate) fn forget_code(range: &Range<usize>) -> Result<(), Errno> {
    let start = std::ptr::without_provenance_mut(range.start);
    // SAFETY: nobody has written to code, so what is read from the file again is what was there.
    Errno::result(unsafe { libc::madvise(start, range.len(), libc::MADV_DONTNEED) }).map(drop)
}

/// Reads the first bytes of a file into the kernel's memory, in pieces as large as it and the file system can.
pub(crate) fn read_in_large_pieces(file: impl AsFd, length: usize) -> Result<(), Errno> {
    let file = file.as_fd().as_raw_fd();
    // SAFETY: a new mapping, which nobody else knows and nothing here looks into.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, libc::MAP_PRIVATE, file, 0) };
    if start == libc::MAP_FAILED {
        return Err(Errno::last());
    }
    // A kernel without large pages refuses that, and reads small ones.
    // SAFETY: advice changes nothing of what the pages hold.
    let _ = unsafe { libc::madvise(start, length, libc::MADV_HUGEPAGE) };
    let address = start.addr();
    let read = populate(&(address..address + length), false);
    // SAFETY: the mapping from above, which ends here.
    Errno::result(unsafe { libc::munmap(start, length) })?;
    read
}

/// Makes these, each `NAME=value`, the environment for good.
pub(crate) fn replace_environment(variables: impl IntoIterator<Item = CString>) {
    let end = std::iter::once(std::ptr::null_mut());
    let pointers: Vec<*mut libc::c_char> = variables.into_iter().map(CString::into_raw).chain(end).collect();
    // SAFETY: list and strings are valid, ended by zeros, and never given back; the callers are single-threaded, so nobody
    // reads the environment meanwhile. Whoever changes it later copies the list (setenv(3) of GNU and musl).
    unsafe { libc::environ = pointers.leak().as_mut_ptr() };
}

/// Lets nothing come of a signal.
pub(crate) fn ignore(signal: libc::c_int) -> Result<(), Errno> {
    // SAFETY: SIG_IGN installs no handler.
    match unsafe { libc::signal(signal, libc::SIG_IGN) } {
        libc::SIG_ERR => Err(Errno::last()),
        _ => Ok(()),
    }
}

/// Restores what the kernel does at a signal.
pub(crate) fn default_action(signal: libc::c_int) -> Result<(), Errno> {
    // SAFETY: SIG_DFL installs no handler.
    match unsafe { libc::signal(signal, libc::SIG_DFL) } {
        libc::SIG_ERR => Err(Errno::last()),
        _ => Ok(()),
    }
}

//! Building the root that runs see: detached copies of host trees, attached where they belong.
#![forbid(unsafe_code)]

use std::{
    ffi::CString,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
    sys::{
        socket::{AddressFamily, SockFlag, SockType, socket},
        stat::Mode,
    },
    unistd::pivot_root,
};

use crate::raw;

/// Why a view could not be built: the step, the path and the kernel's word.
#[derive(Debug, thiserror::Error)]
#[error("{step} {path}: {errno}")]
pub struct MountError {
    pub step: &'static str,
    pub path: String,
    pub errno: Errno,
}

fn at<'a>(step: &'static str, path: &'a Path) -> impl FnOnce(Errno) -> MountError + 'a {
    move |errno| MountError { step, path: path.display().to_string(), errno }
}

fn c_path(path: &Path) -> Result<CString, MountError> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| at("name", path)(Errno::EINVAL))
}

/// What runs may do beneath a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    ReadWrite,
    /// A device node: the only kind of tree in which devices work.
    Device,
}

/// A host tree, taken out of the host's mounts and not yet part of the view.
pub struct Tree(OwnedFd);

impl Tree {
    /// Takes the file or directory at `path`, with everything mounted beneath it; symbolic links are followed.
    pub fn take(path: &Path, access: Access) -> Result<Self, MountError> {
        const RDONLY: u64 = libc::MOUNT_ATTR_RDONLY;
        const NOSUID: u64 = libc::MOUNT_ATTR_NOSUID;
        const NODEV: u64 = libc::MOUNT_ATTR_NODEV;
        let mount = raw::open_tree(nix::fcntl::AT_FDCWD, &c_path(path)?).map_err(at("open_tree", path))?;
        let attributes = match access {
            Access::Read => RDONLY | NOSUID | NODEV,
            Access::ReadWrite => NOSUID | NODEV,
            Access::Device => NOSUID,
        };
        raw::mount_setattr(&mount, attributes, true).map_err(at("mount_setattr", path))?;
        Ok(Self(mount))
    }

    /// Attaches the tree at an existing mount point of the same kind.
    pub fn attach(self, path: &Path) -> Result<(), MountError> {
        raw::move_mount(&self.0, &c_path(path)?).map_err(at("move_mount", path))
    }
}

/// Leaves the host's mounts, ipc, host name and, without `network`, its network.
pub fn leave_host(network: bool) -> Result<(), MountError> {
    let mut flags = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
    if !network {
        flags |= CloneFlags::CLONE_NEWNET;
    }
    let root = Path::new("/");
    unshare(flags).map_err(at("unshare", root))?;
    mount(None::<&str>, root, None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .map_err(at("make private", root))
}

/// Mounts an empty tmpfs of at most `size` bytes.
pub fn tmpfs(path: &Path, size: u64, mode: u32) -> Result<(), MountError> {
    let data = format!("size={size},mode={mode:o},nr_inodes=16384");
    mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some(data.as_str()))
        .map_err(at("mount tmpfs on", path))
}

/// Mounts the processes of the caller's pid namespace.
pub fn proc(path: &Path) -> Result<(), MountError> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), path, Some("proc"), flags, None::<&str>).map_err(at("mount proc on", path))
}

/// Shows `from` also at `to`.
pub fn bind(from: &Path, to: &Path) -> Result<(), MountError> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>).map_err(at("bind", to))
}

/// Makes the mount at `path` read-only, not those beneath it.
pub fn make_read_only(path: &Path) -> Result<(), MountError> {
    let dir =
        open(path, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).map_err(at("open", path))?;
    raw::mount_setattr(&dir, libc::MOUNT_ATTR_RDONLY, false).map_err(at("make read-only", path))
}

/// Makes the mount at `staging` the root; the host's mounts are gone afterwards.
pub fn enter_root(staging: &Path) -> Result<(), MountError> {
    nix::unistd::chdir(staging).map_err(at("chdir", staging))?;
    // Old and new root on one spot: the old one lies on top and is then taken away.
    pivot_root(".", ".").map_err(at("pivot_root", staging))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(at("umount", Path::new("/")))?;
    nix::unistd::chdir("/").map_err(at("chdir", Path::new("/")))
}

/// Switches the loopback interface of this network namespace on.
pub fn loopback_up() -> Result<(), MountError> {
    let lo = Path::new("lo");
    let socket =
        socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).map_err(at("socket", lo))?;
    raw::interface_up(socket.as_fd(), c"lo").map_err(at("switch on", lo))
}

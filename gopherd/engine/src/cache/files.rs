//! A directory of Gopherbot's brain: files are read whole and replaced whole, and no link is followed out of it.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::{AsFd as _, OwnedFd},
};

use nix::{
    dir::Dir,
    errno::Errno,
    fcntl::{AtFlags, OFlag, openat, renameat},
    sys::stat::{Mode, SFlag, fstat, fstatat},
    unistd::{UnlinkatFlags, fsync, unlinkat},
};

use super::LONGEST;

pub(super) struct Directory {
    descriptor: OwnedFd,
    /// Its name with a slash, for sentences.
    shown: &'static str,
}

impl Directory {
    pub(super) fn beneath(parent: &OwnedFd, name: &str, shown: &'static str) -> Result<Self, String> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let opened = openat(parent, name, flags, Mode::empty());
        let descriptor =
            opened.map_err(|errno| format!("state/brain-cache/{shown} cannot be opened: {}", plain(errno)))?;
        Ok(Self { descriptor, shown })
    }

    fn sentence(&self, name: &str, what: &str, why: &str) -> String {
        format!("{}{name} of state/brain-cache cannot be {what}: {why}", self.shown)
    }

    /// All names but those of directories that every directory has.
    pub(super) fn names(&self) -> Result<Vec<String>, String> {
        let failed = |errno: Errno| format!("state/brain-cache/{} cannot be listed: {}", self.shown, plain(errno));
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut listing = Dir::openat(&self.descriptor, ".", flags, Mode::empty()).map_err(failed)?;
        let mut names = Vec::new();
        for entry in listing.iter() {
            let entry = entry.map_err(failed)?;
            // What is no text is no file of a memory.
            if let Ok(name) = entry.file_name().to_str()
                && !matches!(name, "." | "..")
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    pub(super) fn size(&self, name: &str) -> Result<Option<u64>, String> {
        match fstatat(&self.descriptor, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(u64::try_from(stat.st_size).unwrap_or_default())),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(self.sentence(name, "read", plain(errno))),
        }
    }

    /// A whole file; `None` if there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        // Something that is no file must not keep whoever opens it waiting.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let descriptor = match openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::ENOENT) => return Ok(None),
            Err(Errno::ELOOP) => return Err(self.sentence(name, "read", "it is a link")),
            Err(errno) => return Err(self.sentence(name, "read", plain(errno))),
        };
        let stat = fstat(&descriptor).map_err(|errno| self.sentence(name, "read", plain(errno)))?;
        if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(self.sentence(name, "read", "it is no file"));
        }
        let mut bytes = Vec::new();
        let read = File::from(descriptor).take(LONGEST + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.sentence(name, "read", &error.to_string()))?;
        if bytes.len() as u64 > LONGEST {
            return Err(self.sentence(name, "read", "it is longer than a memory can be"));
        }
        Ok(Some(bytes))
    }

    /// The new bytes are there whole, or the old ones; they are on disk once the directory is synced, too.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let new = format!("{name}.tmp");
        let failed = |errno: Errno| self.sentence(name, "written", plain(errno));
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let descriptor =
            openat(&self.descriptor, new.as_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR).map_err(failed)?;
        let mut file = File::from(descriptor);
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        let written = written.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()));
        let renamed = written.and_then(|()| renameat(&self.descriptor, new.as_str(), &self.descriptor, name));
        renamed.map_err(|errno| {
            self.remove(&new);
            failed(errno)
        })
    }

    /// What cannot be removed lies there and means nothing.
    pub(super) fn remove(&self, name: &str) {
        let _ = unlinkat(&self.descriptor, name, UnlinkatFlags::NoRemoveDir);
    }

    /// What was renamed here is found after a power cut, too.
    pub(super) fn sync(&self) -> Result<(), String> {
        fsync(self.descriptor.as_fd()).map_err(|errno| self.sentence("", "synced", plain(errno)))
    }
}

fn plain(errno: Errno) -> &'static str {
    match errno {
        Errno::ENOSPC | Errno::EDQUOT => "there is no space left on the disk",
        Errno::ENOENT => "it is not there",
        Errno::EACCES | Errno::EPERM => "the robot may not",
        Errno::ENAMETOOLONG => "its key is too long for the name of a file",
        errno => errno.desc(),
    }
}

//! Pages of memory that are wanted soon.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    ops::Range,
    path::Path,
};

use nix::unistd::{SysconfVar, sysconf};

use crate::raw;

/// Pages of a process, for a fork of it to take before it needs them: of files it would meet each for the first time,
/// and of the others it would make its own copy then.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pages {
    /// By their addresses; of files one of each [`AROUND`].
    read: BTreeSet<usize>,
    written: BTreeSet<usize>,
    size: usize,
}

impl Pages {
    /// What a fork of this process uses by now of all that it was forked with. It must stand still.
    pub fn used_by(fork: u32) -> io::Result<Self> {
        let maps = fs::read_to_string("/proc/self/maps")?;
        let size = sysconf(SysconfVar::PAGE_SIZE)?.and_then(|size| usize::try_from(size).ok()).unwrap_or(4096);
        let mut pagemap = File::open(format!("/proc/{fork}/pagemap"))?;
        let mut pages = Self { size, ..Self::default() };
        for (range, permissions) in maps.lines().filter_map(mapping) {
            let (kind, used) = match permissions.as_bytes() {
                [b'r', b'w', _, b'p'] => (&mut pages.written, PRESENT | EXCLUSIVE),
                [b'r', b'-', _, b'p'] => (&mut pages.read, PRESENT),
                _ => continue,
            };
            let mut entries = vec![0; range.len() / size * ENTRY];
            pagemap.seek(SeekFrom::Start((range.start / size * ENTRY) as u64))?;
            // The kernel's own pages at the end of the address space have no entries.
            if pagemap.read_exact(&mut entries).is_ok() {
                kind.extend(with(&entries, used).map(|index| range.start + index * size));
            }
        }
        let mut last = None;
        pages.read.retain(|page| last.replace(page / AROUND) != Some(page / AROUND));
        Ok(pages)
    }

    /// What both write.
    #[must_use]
    pub fn written_by_both(&self, other: &Self) -> Self {
        Self { read: BTreeSet::new(), written: &self.written & &other.written, size: self.size }
    }

    /// What this writes, and the other does not.
    #[must_use]
    pub fn written_beyond(&self, other: &Self) -> Self {
        Self { read: BTreeSet::new(), written: &self.written - &other.written, size: self.size }
    }

    /// What one or the other writes, and of files what both read: much of that counts as memory of whoever takes it.
    #[must_use]
    pub fn likely(&self, other: &Self) -> Self {
        Self { read: &self.read & &other.read, written: &self.written | &other.written, size: self.size }
    }

    /// The same, ready to be taken.
    #[must_use]
    pub fn ranges(&self) -> Ranges {
        Ranges { read: ranges(&self.read, self.size), written: ranges(&self.written, self.size) }
    }

    /// The written ones that lie side by side: to ask for a page by itself takes longer than to meet it.
    #[must_use]
    pub fn neighbours(&self) -> Ranges {
        let mut written = ranges(&self.written, self.size);
        written.retain(|range| range.len() > self.size);
        Ranges { read: Vec::new(), written }
    }
}

/// [`Pages`] with neighbours together.
#[derive(Debug, Default)]
pub struct Ranges {
    read: Vec<Range<usize>>,
    written: Vec<Range<usize>>,
}

impl Ranges {
    /// Takes them, as far as this process has them. Kernels before 5.14 leave that to the first use.
    pub fn take(&self) {
        for (ranges, write) in [(&self.read, false), (&self.written, true)] {
            for range in ranges {
                let _ = raw::populate(range, write);
            }
        }
    }
}

/// Gives back what this process has met of the code of its program and libraries: it will need little of that again, and
/// what is forked from it meets its own.
pub fn forget_code() -> io::Result<()> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    for line in maps.lines().filter(|line| line.contains('/')) {
        if let Some((range, "r-xp")) = mapping(line) {
            raw::forget_code(&range)?;
        }
    }
    Ok(())
}

/// Has a program in memory in large pieces before it is started, if it is not there yet. Of such a piece a process meets
/// many pages at the price of one, and so do all that are forked from it.
pub fn read_program(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    Ok(raw::read_in_large_pieces(&file, length)?)
}

/// What the kernel maps around a page of a file that is met, as far as it is at hand.
const AROUND: usize = 64 << 10;
/// Bytes of an entry in `pagemap`, and bits of it: the page is there, and nobody else has it.
const ENTRY: usize = 8;
const PRESENT: u64 = 1 << 63;
const EXCLUSIVE: u64 = 1 << 56;

/// A line of `maps`: the addresses and the permissions.
fn mapping(line: &str) -> Option<(Range<usize>, &str)> {
    let (addresses, rest) = line.split_once(' ')?;
    let (start, end) = addresses.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some((address(start)?..address(end)?, rest.get(..4)?))
}

/// The places of the entries that have all these bits, in the order of bytes of this machine.
fn with(entries: &[u8], bits: u64) -> impl Iterator<Item = usize> {
    let has = move |entry: &[u8]| entry.try_into().is_ok_and(|bytes| u64::from_ne_bytes(bytes) & bits == bits);
    entries.chunks_exact(ENTRY).enumerate().filter(move |(_, entry)| has(entry)).map(|(index, _)| index)
}

/// Neighbours together.
fn ranges(pages: &BTreeSet<usize>, size: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for page in pages {
        match ranges.last_mut() {
            Some(last) if last.end == *page => last.end += size,
            _ => ranges.push(*page..page + size),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use nix::{
        sys::signal::Signal,
        unistd::{pipe, read, write},
    };

    use super::*;
    use crate::process::{self, Namespaces};

    #[test]
    fn neighbours_are_one_range() {
        let pages = BTreeSet::from([0x1000, 0x3000, 0x4000]);
        assert_eq!(ranges(&pages, 0x1000), [0x1000..0x2000, 0x3000..0x5000]);
        assert!(ranges(&BTreeSet::new(), 0x1000).is_empty());
    }

    #[test]
    fn a_page_by_itself_has_no_neighbours() {
        let pages = Pages {
            read: [0x1000, 0x2000].into(),
            written: [0x1000, 0x3000, 0x4000, 0x6000, 0x8000, 0x9000].into(),
            size: 0x1000,
        };
        assert_eq!(pages.neighbours().written, [0x3000..0x5000, 0x8000..0xa000]);
        assert!(pages.neighbours().read.is_empty());
    }

    #[test]
    fn entries_have_their_bits() {
        let entries: Vec<u8> =
            [PRESENT | EXCLUSIVE, 0, PRESENT, EXCLUSIVE].iter().flat_map(|e| e.to_ne_bytes()).collect();
        assert_eq!(with(&entries, PRESENT | EXCLUSIVE).collect::<Vec<_>>(), [0]);
        assert_eq!(with(&entries, PRESENT).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn a_line_of_maps_is_read() {
        let line = "55a4c7f5c000-55a4c8250000 r--p 00000000 fe:00 5312040                    /usr/bin/x";
        assert_eq!(mapping(line), Some((0x55a4_c7f5_c000..0x55a4_c825_0000, "r--p")));
        assert_eq!(mapping(""), None);
        assert_eq!(mapping("55a4-zz r--p"), None);
    }

    #[test]
    fn what_a_fork_has_written_is_its_own_and_taking_it_changes_nothing() {
        let mut filled = vec![7_u8; 1 << 20];
        let first = filled.as_ptr().addr() / 4096;
        let (heard, told) = pipe().expect("a pipe");
        let child = process::fork_with(Namespaces::default(), false, || {
            filled[10 * 4096] = std::hint::black_box(8);
            let _ = write(told.as_fd(), b"x");
            loop {
                std::thread::park();
            }
        })
        .expect("forked");
        assert_eq!(read(&heard, &mut [0]), Ok(1));
        let pages = Pages::used_by(child.pid);
        process::signal(&child.pidfd, Signal::SIGKILL).expect("killed");
        process::wait(&child.pidfd).expect("ended");
        let pages = pages.expect("its memory");
        let wrote = |n| pages.written.contains(&((first + n) * 4096));
        assert!(wrote(10) && !wrote(30) && !wrote(200) && !pages.read.is_empty(), "{pages:?}");
        pages.ranges().take();
        assert!(filled.iter().all(|byte| *byte == 7));
    }

    #[test]
    fn a_program_is_read_and_an_empty_or_absent_one_is_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("program");
        fs::write(&path, vec![1; 3 << 20]).expect("written");
        assert!(read_program(&path).is_ok());
        fs::write(&path, "").expect("written");
        assert_eq!(read_program(&path).expect_err("empty").kind(), io::ErrorKind::InvalidInput);
        assert_eq!(read_program(&dir.path().join("absent")).expect_err("absent").kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_two_processes_use_is_compared() {
        let pages =
            |read: [usize; 2], written: [usize; 2]| Pages { read: read.into(), written: written.into(), size: 1 };
        let (one, other) = (pages([1, 2], [5, 6]), pages([2, 3], [6, 7]));
        assert_eq!(one.written_by_both(&other), Pages { read: [].into(), written: [6].into(), size: 1 });
        assert_eq!(one.likely(&other), Pages { read: [2].into(), written: [5, 6, 7].into(), size: 1 });
        assert_eq!(one.written_beyond(&other), Pages { read: [].into(), written: [5].into(), size: 1 });
    }

    /// KiB of code that this process has met.
    fn code_met() -> u64 {
        let maps = fs::read_to_string("/proc/self/smaps").expect("smaps");
        let mut code = false;
        let mut met = 0;
        for line in maps.lines() {
            if let Some((_, permissions)) = mapping(line) {
                code = permissions == "r-xp" && line.contains('/');
            } else if let Some(size) = line.strip_prefix("Rss:").filter(|_| code) {
                met += size.trim().trim_end_matches(" kB").parse::<u64>().expect("a size");
            }
        }
        met
    }

    #[test]
    fn code_that_is_forgotten_is_met_again_when_it_runs() {
        let fork = process::fork_with(Namespaces::default(), false, || {
            let maps = fs::read_to_string("/proc/self/maps").expect("maps");
            for (range, _) in maps.lines().filter_map(mapping).filter(|(_, permissions)| *permissions == "r-xp") {
                let _ = raw::populate(&range, false);
            }
            let before = code_met();
            let forgotten = forget_code();
            u8::from(forgotten.is_err() || code_met() * 2 > before)
        });
        let exit = process::wait(&fork.expect("forked").pidfd).expect("waited");
        assert_eq!(exit, process::Exit::Code(0));
    }
}

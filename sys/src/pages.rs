//! Pages of memory that are wanted soon.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    ops::Range,
};

use nix::unistd::{SysconfVar, sysconf};

use crate::{heap, raw};

/// The pages that a process has in use, for a fork of it to take before it needs them: of files it would meet each for
/// the first time, and of the others it would make its own copy then.
#[derive(Debug, Default)]
pub struct Pages {
    /// Where the fork goes on: the stack below us and the free end of the heap.
    next: Vec<Range<usize>>,
    read: Vec<Range<usize>>,
    written: Vec<Range<usize>>,
}

impl Pages {
    /// What this process has in use now.
    pub fn in_use() -> io::Result<Self> {
        let maps = std::fs::read_to_string("/proc/self/maps")?;
        let size = sysconf(SysconfVar::PAGE_SIZE)?.and_then(|size| usize::try_from(size).ok()).unwrap_or(4096);
        let mut pagemap = File::open("/proc/self/pagemap")?;
        let mut pages = Self::default();
        let here = (&raw const size).addr();
        let end = heap::end();
        for (range, permissions) in maps.lines().filter_map(mapping) {
            if range.contains(&here) {
                pages.next.push((here.saturating_sub(STACK).max(range.start) / size * size)..range.end);
            } else if range.contains(&end) {
                pages.next.push((end / size * size)..(end + HEAP).min(range.end).next_multiple_of(size));
            }
            let kind = match permissions.as_bytes() {
                [b'r', b'w', _, b'p'] if range.len() <= SMALL => {
                    pages.written.push(range);
                    continue;
                }
                [b'r', b'w', _, b'p'] => &mut pages.written,
                [b'r', b'-', _, b'p'] => &mut pages.read,
                _ => continue,
            };
            let mut entries = vec![0; range.len() / size * ENTRY];
            pagemap.seek(SeekFrom::Start((range.start / size * ENTRY) as u64))?;
            // The kernel's own pages at the end of the address space have no entries.
            if pagemap.read_exact(&mut entries).is_ok() {
                kind.extend(present(&entries, range.start, size));
            }
        }
        Ok(pages)
    }

    /// Takes the few that every fork needs.
    pub fn take_next(&self) {
        for range in &self.next {
            let _ = raw::populate(range, true);
        }
    }

    /// Takes all, as far as this process still has them. Kernels before 5.14 leave that to the first use.
    pub fn take(&self) {
        for range in &self.read {
            let _ = raw::populate(range, false);
        }
        for range in &self.written {
            let _ = raw::populate(range, true);
        }
    }
}

/// Bytes of the stack, and of the heap, that a fork is sure to use.
const STACK: usize = 24 << 10;
const HEAP: usize = 64 << 10;
/// What is written to and no longer than this is taken whole: heaps and stacks grow.
const SMALL: usize = 1 << 20;
/// Bytes of an entry in `pagemap`.
const ENTRY: usize = 8;

/// A line of `maps`: the addresses and the permissions.
fn mapping(line: &str) -> Option<(Range<usize>, &str)> {
    let (addresses, rest) = line.split_once(' ')?;
    let (start, end) = addresses.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some((address(start)?..address(end)?, rest.get(..4)?))
}

/// The runs of pages that are present, by their entries from `start` on.
fn present(entries: &[u8], start: usize, size: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    // Bit 63, in the order of bytes of this machine.
    let present = |entry: &[u8]| entry.try_into().is_ok_and(|bytes| u64::from_ne_bytes(bytes) >> 63 == 1);
    for (index, _) in entries.chunks_exact(ENTRY).enumerate().filter(|(_, entry)| present(entry)) {
        let page = start + index * size;
        match ranges.last_mut() {
            Some(last) if last.end == page => last.end += size,
            _ => ranges.push(page..page + size),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_range() {
        let entries: Vec<u8> = [1_u64, 0, 1, 1].iter().flat_map(|p| (p << 63).to_ne_bytes()).collect();
        assert_eq!(present(&entries, 0x1000, 0x1000), [0x1000..0x2000, 0x3000..0x5000]);
        assert!(present(&[], 0x1000, 0x1000).is_empty());
    }

    #[test]
    fn a_line_of_maps_is_read() {
        let line = "55a4c7f5c000-55a4c8250000 r--p 00000000 fe:00 5312040                    /usr/bin/x";
        assert_eq!(mapping(line), Some((0x55a4_c7f5_c000..0x55a4_c825_0000, "r--p")));
        assert_eq!(mapping(""), None);
        assert_eq!(mapping("55a4-zz r--p"), None);
    }

    #[test]
    fn what_is_in_use_can_be_taken_again_and_keeps_what_it_holds() {
        let filled = vec![7_u8; 1 << 20];
        let here = filled.as_ptr() as usize;
        let pages = Pages::in_use().expect("own memory");
        assert!(pages.written.iter().any(|range| range.contains(&(here + 4096))), "{pages:?}");
        let code = present as *const () as usize;
        assert!(pages.read.iter().any(|range| range.contains(&code)), "{pages:?}");
        pages.take();
        assert!(filled.iter().all(|byte| *byte == 7));
    }
}

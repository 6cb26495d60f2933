//! Looking for a secret wherever a process or a directory could show it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::ErrorKind,
    os::unix::fs::FileExt as _,
    path::Path,
};

/// Read at once; what is at a border of two pieces is found because they overlap.
const PIECE: u64 = 1 << 20;
const PAGE: u64 = 4096;

/// Byte strings to look for, each by its name.
pub struct Scanner {
    patterns: Vec<(String, Vec<u8>)>,
    /// Whether a pattern begins with these two bytes: few places have to be looked at twice.
    begins: Vec<bool>,
    longest: u64,
}

impl Scanner {
    /// Patterns have at least two bytes.
    pub fn new(patterns: Vec<(String, Vec<u8>)>) -> Self {
        let mut begins = vec![false; 1 << 16];
        for (_, pattern) in &patterns {
            begins[usize::from(u16::from_le_bytes([pattern[0], pattern[1]]))] = true;
        }
        let longest = patterns.iter().map(|(_, pattern)| pattern.len()).max().unwrap_or_default();
        Self { patterns, begins, longest: longest as u64 }
    }

    /// Names of the patterns in these bytes.
    pub fn find(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (at, pair) in bytes.windows(2).enumerate() {
            if self.begins[usize::from(u16::from_le_bytes([pair[0], pair[1]]))] {
                let here = self.patterns.iter().filter(|(_, pattern)| bytes[at..].starts_with(pattern));
                found.extend(here.map(|(name, _)| name.clone()));
            }
        }
        found
    }

    /// What is found in everything of a process's memory that can be read; `None` if it cannot be looked into.
    pub fn memory(&self, pid: u32) -> Option<BTreeSet<String>> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
        let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
        let mut found = BTreeSet::new();
        let mut bytes = Vec::new();
        for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with('r'))) {
            let (start, rest) = line.split_once('-').expect("a range");
            let (end, _) = rest.split_once(' ').expect("a range");
            let number = |text| u64::from_str_radix(text, 16).expect("hex");
            let (mut at, end) = (number(start), number(end));
            while at < end {
                let size = (end - at).min(PIECE + self.longest);
                read(&memory, at, size, &mut bytes);
                found.extend(self.find(&bytes));
                at += PIECE;
            }
        }
        Some(found)
    }

    /// What is found in what the kernel shows of a process: its command line, its environment, its descriptors'
    /// names. Each with where it was; a part that cannot be read is named in `closed`.
    pub fn shown(&self, pid: u32, closed: &mut BTreeSet<&'static str>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for part in ["cmdline", "environ"] {
            match fs::read(format!("/proc/{pid}/{part}")) {
                Ok(bytes) => found.extend(self.find(&bytes).into_iter().map(|name| format!("{name} in {part}"))),
                Err(error) => note(&error, part, closed),
            }
        }
        match fs::read_dir(format!("/proc/{pid}/fd")) {
            Ok(listing) => {
                for link in listing.flatten().filter_map(|entry| fs::read_link(entry.path()).ok()) {
                    let name = link.to_string_lossy().into_owned();
                    found.extend(self.find(name.as_bytes()).into_iter().map(|n| format!("{n} in a descriptor's name")));
                    if name.contains("memfd:") && !name.contains("secretmem") {
                        found.insert(format!("descriptor of {name}"));
                    }
                }
            }
            Err(error) => note(&error, "descriptors", closed),
        }
        found
    }

    /// What is found in the files below a directory, each with the file's path in it.
    pub fn files(&self, dir: &Path) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut next = vec![dir.to_path_buf()];
        while let Some(dir) = next.pop() {
            for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                let kind = entry.file_type().expect("a kind");
                if kind.is_dir() {
                    next.push(entry.path());
                } else if kind.is_file()
                    && let Ok(bytes) = fs::read(entry.path())
                {
                    let here = self.find(&bytes).into_iter();
                    found.extend(here.map(|name| format!("{name} in {}", entry.path().display())));
                }
            }
        }
        found
    }
}

/// A part that this account may not see; a process that has ended shows nothing to anybody.
fn note(error: &std::io::Error, part: &'static str, closed: &mut BTreeSet<&'static str>) {
    if error.kind() == ErrorKind::PermissionDenied {
        closed.insert(part);
    }
}

/// What can be read of a range; unreadable pages in it are left out.
fn read(memory: &File, at: u64, size: u64, bytes: &mut Vec<u8>) {
    bytes.resize(usize::try_from(size).expect("fits"), 0);
    if memory.read_exact_at(bytes, at).is_ok() {
        return;
    }
    for (n, page) in (0_u64..).zip(bytes.chunks_mut(usize::try_from(PAGE).expect("fits"))) {
        if memory.read_exact_at(page, at + n * PAGE).is_err() {
            page.fill(0);
        }
    }
}

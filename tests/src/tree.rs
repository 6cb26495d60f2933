//! Directories of robots as wholes: copying one, changing one, telling whether anything in one has changed.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Copies files and directories with their modes.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("directory");
    for entry in fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())).flatten() {
        let (source, copied) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &copied);
        } else {
            fs::copy(&source, &copied).expect("file");
        }
    }
}

/// What there is to know of one file or directory.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    mode: u32,
    owner: u32,
    modified: (i64, i64),
    changed: (i64, i64),
    content: Vec<u8>,
}

/// Everything below a directory, and the directory itself.
pub fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut all = BTreeMap::new();
    let mut next = vec![dir.to_owned()];
    while let Some(path) = next.pop() {
        let found = fs::symlink_metadata(&path).expect("there");
        if found.is_dir() {
            next.extend(fs::read_dir(&path).expect("a directory").flatten().map(|e| e.path()));
        }
        let entry = Entry {
            mode: found.permissions().mode(),
            owner: found.uid(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            content: if found.is_file() { fs::read(&path).expect("readable") } else { Vec::new() },
        };
        all.insert(path, entry);
    }
    all
}

/// Replaces the first occurrence of `old` in a file, which is there.
pub fn edit(file: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    assert!(text.contains(old), "{} has no {old:?}", file.display());
    fs::write(file, text.replacen(old, new, 1)).expect("written");
}

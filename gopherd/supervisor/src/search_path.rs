//! Which directories of the launch `PATH` runs may read in plain mode: version managers keep interpreters there.

use std::path::{Path, PathBuf};

/// Directories that hold credentials beside programs: only their `bin` itself is shown.
const KEEPS_CREDENTIALS: [&str; 8] = [".ssh", ".aws", ".gnupg", ".kube", ".config", ".cargo", ".local", ".docker"];
/// What every view shows anyway.
const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/opt", "/nix"];

/// For each directory of `path` outside the system trees: the tree it belongs to, never a home itself.
pub(crate) fn trees(path: &str, home: Option<&Path>) -> Vec<PathBuf> {
    let mut trees = Vec::new();
    for dir in path.split(':').map(Path::new) {
        if !dir.is_absolute() || Some(dir) == home || SYSTEM.iter().any(|system| dir.starts_with(system)) {
            continue;
        }
        let whole = dir.parent().filter(|tree| {
            let name = tree.file_name().and_then(|n| n.to_str()).unwrap_or("/");
            tree.parent().is_some()
                && Some(*tree) != home
                && tree.parent() != Some(Path::new("/home"))
                && !KEEPS_CREDENTIALS.contains(&name)
        });
        let tree = whole.unwrap_or(dir).to_owned();
        if !trees.contains(&tree) {
            trees.push(tree);
        }
    }
    trees
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_managers_are_shown_and_homes_are_not() {
        let path = "/home/u/.pyenv/shims:/home/u/bin:/usr/bin:/home/u/.cargo/bin:relative:/home/u:/srv/tools/bin:/x";
        let shown = trees(path, Some(Path::new("/home/u")));
        let want = ["/home/u/.pyenv", "/home/u/bin", "/home/u/.cargo/bin", "/srv/tools", "/x"];
        assert_eq!(shown, want.map(PathBuf::from));
    }
}

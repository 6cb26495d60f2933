//! What runs of one spawner can see: a root of read-only copies from an allow list.
//!
//! Nothing is hidden by a deny list alone: what no rule names is not there.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::{Component, Path, PathBuf},
};

use gopher_protocol::supervisor::SpawnerPlan;
use gopher_sys::mounts::{self, Access, Tree};

use crate::error::WorkerError;

/// Private directory of a run: the only place it may write.
pub(crate) const PRIVATE: &str = "/priv";
/// The run's `/tmp` (a link leads here).
pub(crate) const TMP: &str = "/priv/tmp";
/// The pipeline's scratch workspace.
pub(crate) const WORK: &str = "/priv/work";
/// The persistent work space of privileged pipelines.
const WORK_SPACE: &str = "/priv/workspace";
/// All scratch workspaces; covered in every run.
pub(crate) const SCRATCH: &str = "/scratch";
/// An empty directory to cover things with.
pub(crate) const EMPTY: &str = "/empty";
/// Trees whose own path lies below `/tmp`, which is private to each run.
const RELOCATED: &str = "/view";

/// Room for what the view itself holds: directories, links, copies of small files.
const ROOT_SIZE: u64 = 8 << 20;

/// Read-only system trees.
const SYSTEM: [&str; 10] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix", "/gnu"];

/// What programs look up in `/etc`; no account secrets, no host keys.
const ETC: [&str; 38] = [
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "environment",
    "gai.conf",
    "gitconfig",
    "group",
    "host.conf",
    "hostname",
    "hosts",
    "inputrc",
    "java-17-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "perl",
    "pki",
    "profile",
    "protocols",
    "python3",
    "python3.11",
    "resolv.conf",
    "services",
    "shells",
    "ssl",
    "terminfo",
    "timezone",
    "xattr.conf",
];

/// Device nodes without state.
const DEVICES: [&str; 3] = ["null", "zero", "urandom"];

/// Device nodes that runs may also write.
pub(crate) const WRITABLE_DEVICES: [&str; 2] = ["/dev/null", "/dev/zero"];

/// Entries of a home or robot directory that no run sees.
const SECRET_ENTRIES: [&str; 10] =
    [".env", "private", "state", ".ssh", ".aws", ".gnupg", ".kube", ".config", ".netrc", ".bash_history"];

enum Step {
    Directory(PathBuf),
    /// A file as it is now: each mount that a run does not have makes its start cheaper.
    Copy {
        content: Vec<u8>,
        target: PathBuf,
    },
    Attach {
        tree: Tree,
        directory: bool,
        target: PathBuf,
    },
    /// An empty directory over something that an earlier step shows.
    Cover(PathBuf),
    Link {
        path: PathBuf,
        to: PathBuf,
    },
}

/// The view, taken from the host and not yet entered.
pub(crate) struct View {
    steps: Vec<Step>,
    /// Trees of the host that the view contains.
    shown: Vec<PathBuf>,
    /// Directories of the view itself whose entries are shown one by one.
    listed: Vec<PathBuf>,
    /// Links that each run makes in its own `/tmp`.
    pub(crate) tmp_links: Vec<(PathBuf, PathBuf)>,
    /// What could not be shown, each a whole sentence.
    pub(crate) missing: Vec<String>,
}

impl View {
    /// Takes everything that runs of this plan may see.
    pub(crate) fn take(plan: &SpawnerPlan) -> Result<Self, WorkerError> {
        let mut view = Self {
            steps: Vec::new(),
            shown: Vec::new(),
            listed: Vec::new(),
            tmp_links: Vec::new(),
            missing: Vec::new(),
        };
        for path in SYSTEM.map(Path::new) {
            view.system(path)?;
        }
        for path in ETC.map(|name| Path::new("/etc").join(name)) {
            if path.is_dir() {
                match copy_of(&path) {
                    Some(steps) => {
                        view.steps.extend(steps);
                        view.listed.push(path);
                    }
                    None => view.show(&path, Access::Read)?,
                }
            } else if path.is_file() {
                let content = fs::read(&path).map_err(WorkerError::file("read", &path))?;
                view.steps.push(Step::Copy { content, target: path });
            }
        }
        for name in DEVICES {
            view.show(&Path::new("/dev").join(name), Access::Device)?;
        }
        for (path, to) in [
            ("/dev/random", "urandom"),
            ("/dev/fd", "/proc/self/fd"),
            ("/dev/stdin", "/proc/self/fd/0"),
            ("/dev/stdout", "/proc/self/fd/1"),
            ("/dev/stderr", "/proc/self/fd/2"),
            ("/dev/shm", TMP),
            ("/tmp", TMP),
            ("/var/tmp", TMP),
        ] {
            view.steps.push(Step::Link { path: path.into(), to: to.into() });
        }
        view.attach(Path::new("/proc"), Path::new("/proc"), Access::ReadWrite)?;
        view.attach(Path::new(&plan.scratch_dir), Path::new(SCRATCH), Access::ReadWrite)?;
        for path in [TMP, WORK, WORK_SPACE, EMPTY] {
            view.steps.push(Step::Directory(path.into()));
        }
        view.robot(plan)?;
        view.show(Path::new(&plan.install_dir), Access::Read)?;
        for path in plan.read_paths.iter().map(Path::new) {
            view.read_path(path, plan)?;
        }
        Ok(view)
    }

    /// A top-level system tree, which may be a link to another one.
    fn system(&mut self, path: &Path) -> Result<(), WorkerError> {
        if let Ok(to) = fs::read_link(path) {
            self.steps.push(Step::Link { path: path.into(), to });
        } else if path.is_dir() {
            self.show(path, Access::Read)?;
        }
        Ok(())
    }

    /// The robot's directories, entry by entry.
    fn robot(&mut self, plan: &SpawnerPlan) -> Result<(), WorkerError> {
        let (home, config) = (Path::new(&plan.home), Path::new(&plan.config_dir));
        let work_space = plan.work_space.as_deref().map(Path::new);
        let robot = if home == config { vec![home] } else { vec![home, config] };
        for dir in robot {
            self.entries(dir, |name, path| {
                !hidden(name) && path != config && Some(path) != work_space && name != "ssh"
            })?;
            let ssh = dir.join("ssh");
            if ssh.is_dir() {
                self.entries(&ssh, |name, _| public_ssh_file(name))?;
            }
        }
        if let (Some(path), true) = (work_space, plan.privileged) {
            self.attach(path, Path::new(WORK_SPACE), Access::ReadWrite)?;
            let at = self.place(path);
            self.steps.push(Step::Link { path: at, to: WORK_SPACE.into() });
        }
        Ok(())
    }

    /// The entries of `dir` that `wanted` names, and nothing else of it.
    fn entries(&mut self, dir: &Path, wanted: impl Fn(&str, &Path) -> bool) -> Result<(), WorkerError> {
        let at = self.place(dir);
        self.steps.push(if self.in_tree(&at) { Step::Cover(at.clone()) } else { Step::Directory(at.clone()) });
        self.listed.push(at.clone());
        let Ok(listing) = fs::read_dir(dir) else { return Ok(()) };
        for entry in listing.flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let Some(text) = name.to_str() else { continue };
            if !wanted(text, &path) {
                continue;
            }
            if let Ok(to) = fs::read_link(&path) {
                self.steps.push(Step::Link { path: at.join(&name), to });
            } else if path.is_dir() || path.is_file() {
                self.attach(&path, &at.join(&name), Access::Read)?;
            }
        }
        Ok(())
    }

    fn read_path(&mut self, path: &Path, plan: &SpawnerPlan) -> Result<(), WorkerError> {
        if [&plan.home, &plan.config_dir].iter().any(|robot| Path::new(robot).starts_with(path)) {
            return self.around(path, plan);
        }
        if path.exists() {
            return self.show(path, Access::Read);
        }
        self.missing.push(format!("{} is not shown to runs: it does not exist (ReadPaths)", path.display()));
        Ok(())
    }

    /// A tree that holds the robot, without what leads to it, and without hidden files: somebody's keys may be among them.
    fn around(&mut self, path: &Path, plan: &SpawnerPlan) -> Result<(), WorkerError> {
        let robot = [Path::new(&plan.home), Path::new(&plan.config_dir)];
        if robot.contains(&path) {
            return Ok(());
        }
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            let inner = entry.path();
            let secret = entry.file_name().to_str().is_none_or(|name| name.starts_with('.') || hidden(name));
            if robot.iter().any(|dir| dir.starts_with(&inner)) {
                self.around(&inner, plan)?;
            } else if !secret && !inner.is_symlink() {
                self.show(&inner, Access::Read)?;
            }
        }
        Ok(())
    }

    /// Shows a tree at its own path, unless it is within one that is shown already.
    fn show(&mut self, path: &Path, access: Access) -> Result<(), WorkerError> {
        let at = self.place(path);
        if !self.covered(&at) {
            self.attach(path, &at, access)?;
            self.shown.push(at);
        }
        Ok(())
    }

    /// Whether something shown earlier contains this place.
    fn covered(&self, at: &Path) -> bool {
        self.shown.iter().chain(&self.listed).any(|shown| at.starts_with(shown))
    }

    /// Whether this place lies in a tree of the host, which shows all it has, and not in a directory of the view.
    fn in_tree(&self, at: &Path) -> bool {
        let longest =
            |all: &[PathBuf]| all.iter().filter(|dir| at.starts_with(dir)).map(|dir| dir.components().count()).max();
        longest(&self.shown) > longest(&self.listed)
    }

    fn attach(&mut self, source: &Path, target: &Path, access: Access) -> Result<(), WorkerError> {
        let tree = Tree::take(source, access)?;
        self.steps.push(Step::Attach { tree, directory: source.is_dir(), target: target.into() });
        Ok(())
    }

    /// Where a host path stands in the view: there, or elsewhere with a link if `/tmp` would hide it.
    fn place(&mut self, path: &Path) -> PathBuf {
        if !path.starts_with("/tmp") && !path.starts_with("/var/tmp") {
            return path.to_owned();
        }
        if let Some(place) = relocated(&self.tmp_links, path) {
            return place;
        }
        let to = Path::new(RELOCATED).join(self.tmp_links.len().to_string());
        self.tmp_links.push((path.to_owned(), to.clone()));
        to
    }

    /// Builds the view and makes it this process's root.
    pub(crate) fn enter(&mut self) -> Result<(), WorkerError> {
        let staging = Path::new("/tmp");
        mounts::tmpfs(staging, ROOT_SIZE, 0o755)?;
        for step in std::mem::take(&mut self.steps) {
            step.make(staging)?;
        }
        mounts::enter_root(staging)?;
        Ok(())
    }
}

/// A directory as it is now, if it is a small one that everybody may read.
fn copy_of(directory: &Path) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    copy(directory, &mut steps, &mut { SMALL.1 }).then_some(steps)
}

/// Most entries and bytes of a directory that is copied rather than mounted: all of `ETC` has room in the view.
const SMALL: (usize, u64) = (400, 32 << 10);

fn copy(directory: &Path, steps: &mut Vec<Step>, left: &mut u64) -> bool {
    steps.push(Step::Directory(directory.into()));
    let public = |path: &Path, bits: u32| path.metadata().is_ok_and(|at| at.mode() & bits == bits);
    let Ok(listing) = fs::read_dir(directory) else { return false };
    public(directory, 0o005)
        && listing.into_iter().all(|entry| {
            let Ok(entry) = entry else { return false };
            let target = entry.path();
            let step = match entry.file_type() {
                Ok(kind) if kind.is_dir() => return copy(&target, steps, left),
                Ok(kind) if kind.is_symlink() => fs::read_link(&target).map(|to| Step::Link { path: target, to }),
                Ok(kind) if kind.is_file() && public(&target, 0o004) => {
                    let length = entry.metadata().map_or(u64::MAX, |at| at.len());
                    let Some(rest) = left.checked_sub(length) else { return false };
                    *left = rest;
                    fs::read(&target).map(|content| Step::Copy { content, target })
                }
                _ => return false,
            };
            steps.extend(step.ok());
            steps.len() <= SMALL.0
        })
}

impl Step {
    fn make(self, staging: &Path) -> Result<(), WorkerError> {
        match self {
            Self::Directory(path) => directory(&within(staging, &path)),
            Self::Cover(path) => {
                let path = within(staging, &path);
                mounts::tmpfs(&path, 1 << 20, 0o755)?;
                Ok(())
            }
            Self::Attach { tree, directory: true, target } => {
                let target = within(staging, &target);
                directory(&target)?;
                Ok(tree.attach(&target)?)
            }
            Self::Attach { tree, directory: false, target } => {
                let target = within(staging, &target);
                directory(target.parent().unwrap_or(staging))?;
                fs::write(&target, []).map_err(WorkerError::file("create", &target))?;
                Ok(tree.attach(&target)?)
            }
            Self::Copy { content, target } => {
                let target = within(staging, &target);
                directory(target.parent().unwrap_or(staging))?;
                fs::write(&target, content).map_err(WorkerError::file("create", &target))
            }
            Self::Link { path, to } => {
                let path = within(staging, &path);
                directory(path.parent().unwrap_or(staging))?;
                symlink(to, &path).map_err(WorkerError::file("link", &path))
            }
        }
    }
}

fn directory(path: &Path) -> Result<(), WorkerError> {
    fs::create_dir_all(path).map_err(WorkerError::file("create", path))
}

fn within(staging: &Path, path: &Path) -> PathBuf {
    staging.join(path.components().filter(|c| matches!(c, Component::Normal(_))).collect::<PathBuf>())
}

/// Whether an entry of a robot directory is never shown.
pub(crate) fn hidden(name: &str) -> bool {
    SECRET_ENTRIES.contains(&name) || name.starts_with("binary-encrypted-key")
}

/// What of an `ssh` directory is not secret.
pub(crate) fn public_ssh_file(name: &str) -> bool {
    Path::new(name).extension() == Some(OsStr::new("pub")) || matches!(name, "config" | "known_hosts")
}

/// Where what runs see in their `/tmp` stands in the view, if it is there: from where it seems to be to where it is.
pub(crate) fn relocated(tmp_links: &[(PathBuf, PathBuf)], path: &Path) -> Option<PathBuf> {
    tmp_links.iter().find_map(|(from, to)| Some(to.join(path.strip_prefix(from).ok()?)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn secrets_of_a_robot_directory_are_hidden_by_name() {
        for name in [".env", "private", "state", "binary-encrypted-key", "binary-encrypted-key.staging", ".ssh"] {
            assert!(hidden(name), "{name}");
        }
        for name in ["conf", "plugins", "lib", "README.md", "environments"] {
            assert!(!hidden(name), "{name}");
        }
    }

    #[test]
    fn of_an_ssh_directory_only_public_files_are_shown() {
        assert!(public_ssh_file("robot_key.pub") && public_ssh_file("config"));
        assert!(!public_ssh_file("robot_key") && !public_ssh_file("manage_key.old"));
    }

    #[test]
    fn a_path_below_tmp_is_relocated_once_with_all_beneath_it() {
        let mut view = View { steps: vec![], shown: vec![], listed: vec![], tmp_links: vec![], missing: vec![] };
        assert_eq!(view.place(Path::new("/srv/robot")), Path::new("/srv/robot"));
        assert_eq!(view.place(Path::new("/tmp/x/robot")), Path::new("/view/0"));
        assert_eq!(view.place(Path::new("/tmp/x/robot/plugins")), Path::new("/view/0/plugins"));
        assert_eq!(view.place(Path::new("/tmp/y")), Path::new("/view/1"));
        assert_eq!(view.tmp_links.len(), 2);
    }

    #[test]
    fn a_robot_inside_a_shown_tree_is_covered_and_its_own_directories_are_not() {
        let mut view =
            View { steps: vec![], shown: vec!["/opt".into()], listed: vec![], tmp_links: vec![], missing: vec![] };
        assert!(view.in_tree(Path::new("/opt/robot")));
        assert!(!view.in_tree(Path::new("/srv/robot")));
        view.listed.push("/opt/robot".into());
        assert!(!view.in_tree(Path::new("/opt/robot/custom")));
        assert!(view.covered(Path::new("/opt/robot/custom")) && !view.covered(Path::new("/srv")));
    }

    #[test]
    fn a_small_directory_that_everybody_may_read_is_copied_and_no_other() {
        let dir = tempfile::tempdir().expect("directory");
        let (root, inner) = (dir.path().join("etc"), dir.path().join("etc/inner"));
        let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
        fs::create_dir_all(&inner).expect("made");
        for path in [&root, &inner] {
            mode(path, 0o755);
        }
        let file = inner.join("file");
        fs::write(&file, "text").expect("written");
        mode(&file, 0o644);
        symlink("inner/file", root.join("link")).expect("link");
        let steps = copy_of(&root).expect("small and public");
        let has = |wanted: &dyn Fn(&Step) -> bool| steps.iter().filter(|step| wanted(step)).count();
        assert_eq!(has(&|step| matches!(step, Step::Directory(at) if at.starts_with(&root))), 2);
        assert_eq!(
            has(&|step| matches!(step, Step::Copy { content, target } if content == b"text" && *target == file)),
            1
        );
        assert_eq!(has(&|step| matches!(step, Step::Link { to, .. } if to == Path::new("inner/file"))), 1);
        // What is not for everybody keeps its permissions, and a copy has none.
        for (path, private, public) in [(&file, 0o640, 0o644), (&inner, 0o750, 0o755), (&root, 0o711, 0o755)] {
            mode(path, private);
            assert!(copy_of(&root).is_none(), "{}", path.display());
            mode(path, public);
        }
        fs::write(&file, vec![0; 20 << 10]).expect("written");
        assert!(copy_of(&root).is_some(), "not so large");
        fs::write(root.join("another"), vec![0; 20 << 10]).expect("written");
        assert!(copy_of(&root).is_none(), "large together");
        fs::write(&file, "").expect("written");
        for n in 0..SMALL.0 {
            symlink("file", inner.join(n.to_string())).expect("link");
        }
        assert!(copy_of(&root).is_none(), "many");
    }

    #[test]
    fn no_path_leaves_the_staging_directory() {
        assert_eq!(within(Path::new("/s"), Path::new("/../../etc")), Path::new("/s/etc"));
    }
}

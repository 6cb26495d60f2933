//! The walls that each run raises around itself, in this order: private mounts, processes, limits, identity,
//! files, network, descriptors, system calls.

use std::{
    fs,
    os::{fd::AsFd, unix::fs::symlink},
    path::{Path, PathBuf},
};

use gopher_protocol::{
    robot,
    supervisor::{RunMode, SpawnerPlan},
};
use gopher_sys::{
    confine::{self, ConfineError, Limits, Rules},
    filter::Filters,
    mounts, process,
};

use crate::{
    error::WorkerError,
    scratch,
    view::{EMPTY, SCRATCH, TMP, WORK, WRITABLE_DEVICES, hidden, public_ssh_file},
};

/// Most that a run may write to its `/tmp`.
const TMP_SIZE: u64 = 256 << 20;
/// What every run may use unless its task says otherwise.
pub(crate) const DEFAULT_LIMITS: Limits = Limits { memory: 1 << 30, processes: 256, cpu: 0, file: 4 << 30 };

/// What is prepared once and used by every run of a spawner.
pub(crate) struct Walls {
    pub(crate) plan: SpawnerPlan,
    pub(crate) tmp_links: Vec<(PathBuf, PathBuf)>,
    files: Rules,
    no_tcp: Rules,
    filters: Filters,
}

impl Walls {
    /// Prepares the rules inside the view and shuts, in the spawner itself, what no run needs.
    pub(crate) fn prepare(plan: SpawnerPlan, tmp_links: Vec<(PathBuf, PathBuf)>) -> Result<Self, WorkerError> {
        let filters = Filters::of_runs()?;
        let files = match plan.isolation {
            RunMode::Packaged | RunMode::Plain => Rules::of_files(["/"], [crate::view::PRIVATE], WRITABLE_DEVICES)?,
            RunMode::Unconfined => unconfined_rules(&plan)?,
        };
        filters.apply("known")?;
        filters.apply("forbidden")?;
        Ok(Self { plan, tmp_links, files, no_tcp: Rules::no_tcp()?, filters })
    }

    /// Namespaces that each run gets of its own.
    pub(crate) fn namespaces(&self) -> process::Namespaces {
        match self.plan.isolation {
            RunMode::Packaged => process::Namespaces { user: false, mount: true, pid: true },
            RunMode::Plain => process::Namespaces { user: true, mount: true, pid: true },
            RunMode::Unconfined => process::Namespaces::default(),
        }
    }

    /// Raises, in a freshly cloned run, everything up to the loss of its privileges.
    pub(crate) fn enter(&self, slot: u32, uid: u32, limits: &robot::Limits) -> Result<(), WorkerError> {
        let limits = limits_of(limits);
        match self.plan.isolation {
            RunMode::Packaged => {
                self.mounts(slot)?;
                confine::limit(&limits)?;
                confine::become_user(uid)?;
            }
            RunMode::Plain => {
                process::map_self(self.plan.run_uid, 0)?;
                self.mounts(slot)?;
                let none = Path::new("/proc/sys/user/max_user_namespaces");
                fs::write(none, "0").map_err(WorkerError::file("write", none))?;
                confine::limit(&limits)?;
                confine::give_up_capabilities()?;
            }
            RunMode::Unconfined => {
                confine::limit(&limits)?;
                confine::give_up_capabilities()?;
                confine::adopt_orphans()?;
            }
        }
        confine::yield_to_others()?;
        Ok(())
    }

    fn mounts(&self, slot: u32) -> Result<(), WorkerError> {
        let tmp = Path::new(TMP);
        mounts::tmpfs(tmp, TMP_SIZE, 0o1777)?;
        for (path, to) in &self.tmp_links {
            let path = tmp.join(path.strip_prefix("/tmp").or_else(|_| path.strip_prefix("/var/tmp")).unwrap_or(path));
            if let Some(parent) = path.parent().filter(|parent| *parent != tmp) {
                fs::create_dir_all(parent).map_err(WorkerError::file("create", parent))?;
            }
            symlink(to, &path).map_err(WorkerError::file("link", &path))?;
        }
        let own = scratch::directory(slot);
        if own.exists() {
            mounts::bind(&own, Path::new(WORK))?;
        }
        mounts::bind(Path::new(EMPTY), Path::new(SCRATCH))?;
        mounts::proc(Path::new("/proc"))?;
        Ok(())
    }

    /// The walls of whatever it will be: files, descriptors (only `keep`), system calls. What is left of the network is for
    /// the fence.
    pub(crate) fn close(&self, keep: &[&dyn AsFd]) -> Result<Fence<'_>, WorkerError> {
        self.files.apply()?;
        let fence = Fence { no_tcp: (!self.plan.network).then_some(&self.no_tcp) };
        let mut keep = keep.to_vec();
        keep.extend(fence.no_tcp.and_then(Rules::descriptor).map(|rules| rules as &dyn AsFd));
        confine::close_others(&keep, 3)?;
        self.filters.apply(if self.plan.network { "run" } else { "run-no-network" })?;
        Ok(fence)
    }
}

/// The last wall, when it is known what it will be and nothing of that has begun: without network, TCP.
pub(crate) struct Fence<'a> {
    no_tcp: Option<&'a Rules>,
}

impl Fence<'_> {
    /// Raises it; only `port` stays reachable, if there is one.
    pub(crate) fn raise(self, port: Option<u16>) -> Result<(), ConfineError> {
        match (self.no_tcp, port) {
            (None, _) => Ok(()),
            (Some(_), Some(port)) => confine::allow_only_port(port),
            (Some(no_tcp), None) => no_tcp.apply(),
        }
    }
}

/// What a task asks for, where it asks, else the defaults.
fn limits_of(asked: &robot::Limits) -> Limits {
    let or = |asked: u64, default: u64| if asked == 0 { default } else { asked };
    Limits {
        memory: or(asked.memory_bytes, DEFAULT_LIMITS.memory),
        processes: or(asked.processes.into(), DEFAULT_LIMITS.processes),
        cpu: or(asked.cpu_seconds.into(), DEFAULT_LIMITS.cpu),
        file: DEFAULT_LIMITS.file,
    }
}

/// Without namespaces the host's tree stays visible; files are then all that can be fenced. `/tmp` is not among them:
/// other processes of this account keep sockets and cookies there.
fn unconfined_rules(plan: &SpawnerPlan) -> Result<Rules, WorkerError> {
    let system = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/nix", "/etc", "/dev", "/proc", "/sys"];
    let mut trees: Vec<&Path> = system.iter().map(Path::new).collect();
    trees.push(Path::new(&plan.install_dir));
    trees.extend(plan.read_paths.iter().map(Path::new));
    let home = Path::new(&plan.home);
    let mut read: Vec<PathBuf> = trees.into_iter().flat_map(|tree| around(tree, home)).collect();
    read.extend(shown(home)?);
    if plan.config_dir != plan.home && Path::new(&plan.config_dir).is_dir() {
        read.extend(shown(Path::new(&plan.config_dir))?);
    }
    let mut write = vec![plan.scratch_dir.as_str()];
    write.extend(plan.work_space.as_deref().filter(|_| plan.privileged));
    Ok(Rules::of_files(read.iter().filter_map(|path| path.to_str()), write, WRITABLE_DEVICES)?)
}

/// The tree, or where it holds `home`, everything in it but what leads there.
fn around(tree: &Path, home: &Path) -> Vec<PathBuf> {
    // A tree that is not there needs no rule.
    let Ok(tree) = tree.canonicalize() else { return Vec::new() };
    if tree == home {
        return Vec::new();
    }
    if !home.starts_with(&tree) {
        return vec![tree];
    }
    let listing = fs::read_dir(&tree).into_iter().flatten().flatten();
    listing.flat_map(|entry| around(&entry.path(), home)).collect()
}

/// Entries of a robot directory that are not secret; of `ssh` its public files.
fn shown(dir: &Path) -> Result<Vec<PathBuf>, WorkerError> {
    let listing = fs::read_dir(dir).map_err(WorkerError::file("read", dir))?;
    let mut all = Vec::new();
    for entry in listing.flatten() {
        match entry.file_name().to_str() {
            Some("ssh") => {
                let files = fs::read_dir(entry.path()).into_iter().flatten().flatten();
                all.extend(files.filter(|f| f.file_name().to_str().is_some_and(public_ssh_file)).map(|f| f.path()));
            }
            // Shown by itself, without its secrets.
            Some("custom") => {}
            Some(name) if !hidden(name) => all.push(entry.path()),
            _ => {}
        }
    }
    all.retain(|path| path.exists());
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_holds_the_robot_is_shown_around_it() {
        let dir = tempfile::tempdir().expect("directory");
        let root = dir.path().canonicalize().expect("there");
        for path in ["opt/other", "opt/robots/a/conf", "opt/robots/b"] {
            fs::create_dir_all(root.join(path)).expect("made");
        }
        let mut seen = around(&root.join("opt"), &root.join("opt/robots/a"));
        seen.sort();
        assert_eq!(seen, [root.join("opt/other"), root.join("opt/robots/b")]);
        assert_eq!(around(&root.join("opt/other"), &root.join("opt/robots/a")), [root.join("opt/other")]);
        assert!(around(&root.join("missing"), &root).is_empty());
        assert!(around(&root.join("opt"), &root.join("opt")).is_empty());
    }

    #[test]
    fn secrets_of_a_robot_directory_are_not_shown() {
        let dir = tempfile::tempdir().expect("directory");
        for path in ["conf", "ssh", "private", "state", "custom"] {
            fs::create_dir_all(dir.path().join(path)).expect("made");
        }
        for path in [".env", "binary-encrypted-key", "ssh/robot_key", "ssh/robot_key.pub", "README"] {
            fs::write(dir.path().join(path), "").expect("written");
        }
        let mut seen = shown(dir.path()).expect("listed");
        seen.sort();
        assert_eq!(seen, ["README", "conf", "ssh/robot_key.pub"].map(|path| dir.path().join(path)));
    }
}

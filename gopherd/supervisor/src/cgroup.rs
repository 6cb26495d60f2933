//! A control group for each run, where one is delegated to the robot: its memory, processes and share of the
//! processor are then limited as a whole. Where none is, runs limit themselves process by process.
//!
//! Nothing here may keep a robot from starting, or a run.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use gopher_protocol::robot::Limits;
use gopher_sys::confine::SERVICE;

/// Where the kernel shows groups.
pub(crate) const ROOT: &str = "/sys/fs/cgroup";
/// The group of the supervisor and its roles: the kernel wants processes in leaves only.
const ROBOT: &str = "robot";
/// What a run may use unless its task says otherwise.
const DEFAULT: Limits = Limits { memory_bytes: 1 << 30, processes: 256, cpu_seconds: 0, output_bytes: 0 };
/// Of the processor, where others want it too; everybody else has 100.
const WEIGHT: u32 = 20;

/// Why runs cannot have groups of their own; follows "No cgroup is delegated to this robot: ".
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("there is no cgroup v2 here")]
    Absent,
    #[error("{0} has no memory and pids controllers")]
    NoControllers(String),
    #[error("{path} cannot be used: {error}")]
    Refused { path: String, error: String },
}

/// The groups of a robot.
pub(crate) struct Groups {
    dir: PathBuf,
    /// Groups whose processes were still dying.
    left: Vec<PathBuf>,
}

impl Groups {
    /// Takes over the group this process is in. `membership` is the text of `/proc/self/cgroup`.
    pub(crate) fn take(root: &Path, membership: &str, own: u32) -> Result<Self, Unusable> {
        let path = membership.lines().find_map(|line| line.strip_prefix("0::/")).ok_or(Unusable::Absent)?;
        let dir = root.join(path);
        let controllers = fs::read_to_string(dir.join("cgroup.controllers")).map_err(|_| Unusable::Absent)?;
        let has = |name: &str| controllers.split_whitespace().any(|c| c == name);
        if !has("memory") || !has("pids") {
            return Err(Unusable::NoControllers(dir.display().to_string()));
        }
        let refused =
            |error: io::Error| Unusable::Refused { path: dir.display().to_string(), error: error.to_string() };
        let leaf = dir.join(ROBOT);
        make(&leaf).map_err(refused)?;
        let wanted = if has("cpu") { "+memory +pids +cpu" } else { "+memory +pids" };
        let enter = put(&leaf, "cgroup.procs", &own.to_string());
        // Refused while somebody else's processes are in the group: it is not ours then.
        if let Err(error) = enter.and_then(|()| put(&dir, "cgroup.subtree_control", wanted)) {
            // Back to where it was; what cannot be undone harms nobody.
            let _ = put(&dir, "cgroup.procs", &own.to_string());
            let _ = fs::remove_dir(&leaf);
            return Err(refused(error));
        }
        Ok(Self { dir, left: Vec::new() })
    }

    fn of(&self, pid: u32) -> PathBuf {
        self.dir.join(format!("run-{pid}"))
    }

    /// Puts the first process of a run into a group of its own, with the limits every run has.
    pub(crate) fn enter(&self, pid: u32) -> io::Result<()> {
        let group = self.of(pid);
        make(&group)?;
        self.limit(pid, &DEFAULT)?;
        // Neither is in every kernel.
        let _ = put(&group, "memory.swap.max", "0");
        let _ = put(&group, "cpu.weight", &WEIGHT.to_string());
        put(&group, "cgroup.procs", &pid.to_string())
    }

    /// Sets what the task of a run asks for; what it does not ask for stays.
    pub(crate) fn limit(&self, pid: u32, limits: &Limits) -> io::Result<()> {
        let group = self.of(pid);
        if limits.memory_bytes > 0 {
            // The worker in it tells who reaches the limit; this wall stands behind it, where serving a run has its room.
            put(&group, "memory.max", &limits.memory_bytes.saturating_add(SERVICE).to_string())?;
        }
        if limits.processes > 0 {
            put(&group, "pids.max", &limits.processes.to_string())?;
        }
        Ok(())
    }

    /// Ends whatever is left of a run, and its group.
    pub(crate) fn end(&mut self, pid: u32) {
        let group = self.of(pid);
        if !group.is_dir() {
            return;
        }
        // Where the kernel has no such file, the process namespace has done it.
        let _ = put(&group, "cgroup.kill", "1");
        self.left.push(group);
        // A group goes when its last process is gone: at once, or when the next run ends.
        self.left.retain(|group| fs::remove_dir(group).is_err_and(|error| error.kind() != io::ErrorKind::NotFound));
    }
}

fn make(group: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(group) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

fn put(group: &Path, file: &str, text: &str) -> io::Result<()> {
    fs::write(group.join(file), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERSHIP: &str = "4:memory:/elsewhere\n0::/unit.service\n";

    /// A directory that looks like a delegated group.
    fn delegated(controllers: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a directory");
        let unit = root.path().join("unit.service");
        fs::create_dir(&unit).expect("made");
        fs::write(unit.join("cgroup.controllers"), controllers).expect("written");
        root
    }

    #[test]
    fn every_run_has_a_group_with_its_limits() {
        let root = delegated("cpu io memory pids\n");
        let mut groups = Groups::take(root.path(), MEMBERSHIP, 7).expect("delegated");
        let read = |path: &str| fs::read_to_string(root.path().join("unit.service").join(path)).unwrap_or_default();
        assert_eq!(read("robot/cgroup.procs"), "7");
        assert_eq!(read("cgroup.subtree_control"), "+memory +pids +cpu");
        groups.enter(42).expect("entered");
        let files = ["memory.max", "memory.swap.max", "pids.max", "cpu.weight", "cgroup.procs"];
        let most = ((1 << 30) + SERVICE).to_string();
        assert_eq!(files.map(|f| read(&format!("run-42/{f}"))), [most.as_str(), "0", "256", "20", "42"]);
        groups.limit(42, &Limits { memory_bytes: 4096, ..Limits::default() }).expect("limited");
        assert_eq!((read("run-42/memory.max"), read("run-42/pids.max")), ((4096 + SERVICE).to_string(), "256".into()));
        groups.end(42);
        assert_eq!(read("run-42/cgroup.kill"), "1");
        assert_eq!(groups.left.len(), 1, "these files hold the directory, as dying processes do");
        fs::remove_dir_all(&groups.left[0]).expect("they are gone");
        fs::create_dir(root.path().join("unit.service/run-43")).expect("another");
        groups.end(43);
        groups.end(44);
        assert!(groups.left.iter().all(|group| group.ends_with("run-43")), "{:?}", groups.left);
    }

    #[test]
    fn a_group_that_is_not_ours_is_left_as_it_was() {
        let take = |root: &tempfile::TempDir, text| Groups::take(root.path(), text, 7).err().map(|e| e.to_string());
        let root = delegated("memory pids");
        assert_eq!(take(&root, "4:memory:/x\n"), Some("there is no cgroup v2 here".into()));
        assert_eq!(take(&root, "0::/other\n"), Some("there is no cgroup v2 here".into()));
        let root = delegated("cpu");
        assert!(take(&root, MEMBERSHIP).expect("refused").contains("unit.service has no memory and pids"));
        // Somebody else's processes are in it: the kernel refuses what cannot be written here.
        let root = delegated("memory pids");
        let unit = root.path().join("unit.service");
        fs::create_dir(unit.join("cgroup.subtree_control")).expect("in the way");
        assert!(take(&root, MEMBERSHIP).expect("refused").contains("unit.service cannot be used"));
        assert_eq!(fs::read_to_string(unit.join("cgroup.procs")).expect("moved back"), "7");
    }
}

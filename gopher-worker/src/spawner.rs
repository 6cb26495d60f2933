//! The spawner: prepared once, then one clone per run.

use std::{
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::ExitCode,
};

use gopher_protocol::{
    ids::{PipelineId, RunId},
    robot::Limits,
    supervisor::{
        RunMode, SandboxReport, SpawnKind, SpawnOrder, SpawnerPlan, SpawnerToSupervisor, SupervisorToSpawner,
    },
};
use gopher_sys::{
    Link, LinkError,
    confine::{self, landlock_abi},
    mounts, process, role,
};

use crate::{
    confinement::Walls,
    error::WorkerError,
    loader,
    run::{self, Place},
    scratch,
    view::{self, View},
};

type SupervisorLink = Link<SpawnerToSupervisor, SupervisorToSpawner>;

/// Becomes a spawner and serves until the supervisor ends it.
pub(crate) fn main() -> ExitCode {
    let link = match role::begin_traceable().map_err(WorkerError::from).and_then(|fd| Ok(Link::new(fd)?)) {
        Ok(link) => link,
        Err(error) => {
            eprintln!("gopher-worker: {error}");
            return ExitCode::from(70);
        }
    };
    match serve(link) {
        Ok(()) | Err(WorkerError::Link(LinkError::Closed)) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gopher-worker: {error}");
            ExitCode::from(70)
        }
    }
}

fn serve(mut link: SupervisorLink) -> Result<(), WorkerError> {
    let (SupervisorToSpawner::Begin { plan }, _) = link.wait()? else {
        return Err(WorkerError::Protocol("the first message to a spawner is not Begin"));
    };
    let spawner = match Spawner::prepare(plan, &mut link) {
        Ok((spawner, report)) => {
            link.send(&SpawnerToSupervisor::Ready { report })?;
            spawner
        }
        Err(error) => {
            link.send(&SpawnerToSupervisor::Refused { reason: error.to_string() })?;
            link.drain()?;
            return Err(error);
        }
    };
    loop {
        match link.wait()? {
            (SupervisorToSpawner::Spawn { order }, descriptors) => {
                let run = order.run;
                match spawner.spawn(&order, descriptors) {
                    Ok(child) => {
                        link.send_with(&SpawnerToSupervisor::Spawned { run, pid: child.pid }, vec![child.pidfd])?;
                    }
                    Err(error) => link.send(&SpawnerToSupervisor::SpawnFailed { run, reason: error.to_string() })?,
                }
            }
            (SupervisorToSpawner::Release { pipeline }, _) => {
                if let Err(error) = scratch::remove(&spawner.scratch, pipeline) {
                    eprintln!("gopher-worker: {error}");
                }
                link.send(&SpawnerToSupervisor::Released { pipeline })?;
            }
            (SupervisorToSpawner::Stop, _) => return Ok(()),
            (SupervisorToSpawner::Begin { .. } | SupervisorToSpawner::Mapped, _) => {
                return Err(WorkerError::Protocol("a spawner begins once"));
            }
        }
    }
}

struct Spawner {
    walls: Walls,
    scratch: PathBuf,
}

impl Spawner {
    /// Builds the view, prepares the walls, and proves in a child that a run can be confined.
    fn prepare(plan: SpawnerPlan, link: &mut SupervisorLink) -> Result<(Self, SandboxReport), WorkerError> {
        let mut missing = Vec::new();
        let mut tmp_links = Vec::new();
        let confined = !matches!(plan.isolation, RunMode::Unconfined);
        if confined {
            // A privileged starter reaches what only root may; a bounded or plain one takes the view from inside.
            let early = View::take(&plan);
            process::enter_user_namespace()?;
            link.send(&SpawnerToSupervisor::MapIds)?;
            let (SupervisorToSpawner::Mapped, _) = link.wait()? else {
                return Err(WorkerError::Protocol("the answer to MapIds is not Mapped"));
            };
            process::become_namespace_root(matches!(plan.isolation, RunMode::Packaged))?;
            mounts::leave_host(plan.network)?;
            if !plan.network {
                mounts::loopback_up()?;
            }
            let mut view = early.or_else(|_| View::take(&plan))?;
            view.enter()?;
            if matches!(plan.isolation, RunMode::Packaged) {
                let none = Path::new("/proc/sys/user/max_user_namespaces");
                std::fs::write(none, "0").map_err(WorkerError::file("write", none))?;
            }
            mounts::make_read_only(Path::new("/"))?;
            confine::bound_spawner()?;
            missing.append(&mut view.missing);
            tmp_links = view.tmp_links;
        }
        let scratch = if confined { view::SCRATCH.into() } else { PathBuf::from(&plan.scratch_dir) };
        let report = SandboxReport { landlock_abi: landlock_abi(), user_namespace: confined, seccomp: true, missing };
        let walls = Walls::prepare(plan, tmp_links)?;
        let spawner = Self { walls, scratch };
        spawner.probe()?;
        Ok((spawner, report))
    }

    /// A run that does nothing: what the kernel will refuse is found out now, not at the first command.
    fn probe(&self) -> Result<(), WorkerError> {
        let order = SpawnOrder {
            run: RunId(0),
            pipeline: PipelineId(0),
            uid: self.walls.plan.run_uid,
            kind: SpawnKind::Run,
            limits: Limits::default(),
        };
        let (ours, theirs) = gopher_sys::link::pair()?;
        let child = process::fork_with(self.walls.namespaces(), false, || {
            match self.walls.enter(&order).and_then(|()| self.walls.close(1, &[&theirs])) {
                Ok(()) => 0,
                Err(error) => {
                    let _ = nix::unistd::write(&theirs, error.to_string().as_bytes());
                    1
                }
            }
        })
        .map_err(WorkerError::system("clone of a run"))?;
        let exit = process::wait(&child.pidfd).map_err(WorkerError::system("waitid"))?;
        if exit == process::Exit::Code(0) {
            return Ok(());
        }
        let mut reason = [0; 512];
        let length = nix::unistd::read(&ours, &mut reason).unwrap_or(0);
        Err(WorkerError::Probe(String::from_utf8_lossy(&reason[..length]).into_owned()))
    }

    fn spawn(&self, order: &SpawnOrder, descriptors: Vec<OwnedFd>) -> Result<process::Child, WorkerError> {
        let Ok([engine, secretd]) = <[OwnedFd; 2]>::try_from(descriptors) else {
            return Err(WorkerError::Protocol("a run has two links"));
        };
        let scratch = match (&order.kind, self.walls.plan.privileged, &self.walls.plan.isolation) {
            (SpawnKind::Load, _, _) => None,
            (SpawnKind::Run, true, _) if self.walls.plan.work_space.is_some() => None,
            (SpawnKind::Run, _, RunMode::Packaged) => {
                Some(scratch::make(&self.scratch, order.pipeline, Some(order.uid))?)
            }
            (SpawnKind::Run, _, _) => Some(scratch::make(&self.scratch, order.pipeline, None)?),
        };
        let place = Place {
            work_dir: match &self.walls.plan {
                plan if plan.privileged && plan.work_space.is_some() => {
                    plan.work_space.clone().unwrap_or_default().into()
                }
                plan if matches!(plan.isolation, RunMode::Unconfined) => scratch.unwrap_or_default(),
                _ => view::WORK.into(),
            },
            home: PathBuf::from(&self.walls.plan.home),
            own_pids: !matches!(self.walls.plan.isolation, RunMode::Unconfined),
        };
        process::fork_with(self.walls.namespaces(), true, || {
            let done = self.walls.enter(order).and_then(|()| match order.kind {
                SpawnKind::Run => run::run(engine, secretd, &self.walls, &place),
                SpawnKind::Load => loader::run(engine, secretd, &self.walls),
            });
            match done {
                Ok(()) => 0,
                Err(error) => {
                    eprintln!("gopher-worker: run {}: {error}", order.run);
                    70
                }
            }
        })
        .map_err(WorkerError::system("clone of a run"))
    }
}

//! The spawner: prepared once, then one clone per run.

use std::{
    collections::VecDeque,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use gopher_protocol::{
    robot::Limits,
    supervisor::{
        RunMode, SandboxReport, SpawnKind, SpawnerPlan, SpawnerToSupervisor, SupervisorToProcess, SupervisorToSpawner,
        When,
    },
};
use gopher_sys::{
    Link,
    confine::{self, landlock_abi},
    heap, mounts, pages,
    process::{self, Child},
    role,
    sockets::Sockets,
};

use crate::{
    confinement::Walls,
    embedded,
    error::WorkerError,
    forking, loader,
    rehearsal::Needed,
    run::{self, Place, Prepared},
    scratch::Workspaces,
    view::{self, View},
};

type SupervisorLink = Link<SpawnerToSupervisor, SupervisorToSpawner>;
/// Of a process that was made: it only listens.
type OrderLink = Link<SpawnerToSupervisor, SupervisorToProcess>;

/// Becomes a spawner and serves until the supervisor ends it.
pub(crate) fn main() -> ExitCode {
    let link = role::begin_traceable().map_err(WorkerError::from).and_then(|fd| Ok(Link::new(fd)?));
    ExitCode::from(WorkerError::told(link.and_then(serve)))
}

fn serve(mut link: SupervisorLink) -> Result<(), WorkerError> {
    confine::yield_a_little()?;
    let (SupervisorToSpawner::Begin { plan }, _) = link.wait()? else {
        return Err(WorkerError::Protocol("the first message to a spawner is not Begin"));
    };
    let mut spawner = match Spawner::prepare(plan, &mut link) {
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
    spawner.serve(&mut link)
}

/// How long nothing must happen before a process is made for later: no run that starts now waits for it.
const QUIET: Duration = Duration::from_millis(2);
/// The same for one that prepares itself: if more is going on, it is soon wanted.
const CALM: Duration = Duration::from_micros(500);
/// How long a process waits for its order before it takes what it may need: sooner, others need the processor more.
const IDLE: Duration = Duration::from_micros(200);

struct Spawner {
    walls: Walls,
    workspaces: Workspaces,
    /// Slots, uids and limits of processes to be made when nothing else is to be done.
    prepare: VecDeque<(u32, u32, Limits)>,
    /// Processes that are made from now on have their interpreters ready.
    warm: bool,
    /// What a run is likely to need; found out when nobody waits for anything.
    needed: Option<Needed>,
    /// Nothing had happened for a while when this message came.
    quiet: bool,
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
        let spawner = Self {
            walls,
            workspaces: Workspaces::new(scratch),
            prepare: VecDeque::new(),
            warm: false,
            needed: None,
            quiet: true,
        };
        spawner.probe()?;
        Ok((spawner, report))
    }

    /// A run that does nothing: what the kernel will refuse is found out now, not at the first command.
    fn probe(&self) -> Result<(), WorkerError> {
        let (ours, theirs) = gopher_sys::link::pair()?;
        let child = process::fork_with(self.walls.namespaces(), false, || {
            match self
                .walls
                .enter(0, self.walls.plan.run_uid, &Limits::default())
                .and_then(|()| Ok(self.walls.close(&[&theirs])?.raise(None)?))
            {
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

    fn serve(&mut self, link: &mut SupervisorLink) -> Result<(), WorkerError> {
        loop {
            let asked = Instant::now();
            let message = if self.prepare.is_empty() && self.needed.is_some() == self.warm {
                Some(link.wait()?)
            } else {
                link.wait_for(QUIET)?
            };
            self.quiet = asked.elapsed() >= CALM;
            match message {
                None if self.prepare.is_empty() => self.rehearse(),
                None => self.make_one(link)?,
                Some((SupervisorToSpawner::Make { slot, uid, limits, when: When::Wanted }, _)) => {
                    self.make_or_say(slot, uid, &limits, link)?;
                }
                Some((SupervisorToSpawner::Make { slot, uid, limits, when: When::Spare }, _)) => {
                    self.prepare.push_front((slot, uid, limits));
                    self.make_one(link)?;
                }
                Some((SupervisorToSpawner::Make { slot, uid, limits, when: When::Idle }, _)) => {
                    self.prepare.push_back((slot, uid, limits));
                }
                Some((SupervisorToSpawner::Release { slot }, _)) => {
                    if let Err(error) = self.workspaces.release(slot) {
                        eprintln!("gopher-worker: {error}");
                    }
                    link.send(&SpawnerToSupervisor::Released { slot })?;
                    // A run has just ended: nobody waits, and the next one should not.
                    self.make_one(link)?;
                }
                Some((SupervisorToSpawner::Stop, _)) => return Ok(()),
                Some((SupervisorToSpawner::Begin { .. } | SupervisorToSpawner::Mapped, _)) => {
                    return Err(WorkerError::Protocol("a spawner begins once"));
                }
            }
        }
    }

    /// Makes ready what processes inherit that are made from now on.
    fn warm_up() {
        forking::prepare_threads();
        forking::know_processor();
        // A script that needs what could not be made ready says so itself.
        if let Err(problem) = embedded::warm_up() {
            eprintln!("gopher-worker: {problem}");
        }
        heap::leave_gaps();
    }

    /// Finds out what runs are likely to need. Whatever was to be done by this process itself is done then.
    fn rehearse(&mut self) {
        self.needed = Some(Needed::rehearse(&self.walls));
        if let Err(error) = pages::forget_code() {
            eprintln!("gopher-worker: the code it no longer needs stays in its memory: {error}");
        }
    }

    /// Makes the next of those that are for later.
    fn make_one(&mut self, link: &mut SupervisorLink) -> Result<(), WorkerError> {
        let Some((slot, uid, limits)) = self.prepare.pop_front() else { return Ok(()) };
        if !std::mem::replace(&mut self.warm, true) {
            Self::warm_up();
        }
        self.make_or_say(slot, uid, &limits, link)
    }

    fn make_or_say(
        &mut self,
        slot: u32,
        uid: u32,
        limits: &Limits,
        link: &mut SupervisorLink,
    ) -> Result<(), WorkerError> {
        match self.make(slot, uid, limits) {
            Ok((child, order)) => {
                let made = SpawnerToSupervisor::Made { pid: child.pid, slot };
                Ok(link.send_with(&made, vec![child.pidfd, order])?)
            }
            Err(error) => Ok(link.send(&SpawnerToSupervisor::NotMade { slot, reason: error.to_string() })?),
        }
    }

    /// Clones a process that confines itself and waits; the link on which it waits.
    fn make(&mut self, slot: u32, uid: u32, limits: &Limits) -> Result<(Child, OwnedFd), WorkerError> {
        let plan = &self.walls.plan;
        let persistent = plan.work_space.as_ref().filter(|_| plan.privileged);
        let scratch = match &plan.isolation {
            _ if persistent.is_some() => PathBuf::new(),
            RunMode::Packaged => self.workspaces.make(slot, Some(uid))?,
            RunMode::Plain | RunMode::Unconfined => self.workspaces.make(slot, None)?,
        };
        let own_pids = !matches!(plan.isolation, RunMode::Unconfined);
        let place = Place {
            work_dir: match persistent {
                Some(path) => path.into(),
                None if own_pids => view::WORK.into(),
                None => scratch,
            },
            home: PathBuf::from(&plan.home),
            own_pids,
            own_uid: matches!(plan.isolation, RunMode::Packaged) && !plan.privileged,
        };
        let (ours, theirs) = gopher_sys::link::pair()?;
        let child = process::fork_with(self.walls.namespaces(), true, || {
            WorkerError::told(self.become_run(slot, uid, limits, theirs, &place))
        })
        .map_err(WorkerError::system("clone of a run"))?;
        Ok((child, ours))
    }

    /// The whole life of a run's first process.
    fn become_run(
        &self,
        slot: u32,
        uid: u32,
        limits: &Limits,
        control: OwnedFd,
        place: &Place,
    ) -> Result<(), WorkerError> {
        self.needed.iter().for_each(|needed| needed.always.take());
        self.walls.enter(slot, uid, limits)?;
        // Opened before the walls that let none be opened.
        let sockets = Sockets::open().ok();
        let mut kept: Vec<&dyn AsFd> = vec![&control];
        kept.extend(sockets.iter().map(|sockets| sockets as &dyn AsFd));
        let fence = self.walls.close(&kept)?;
        let prepared = Prepared::new(fence, sockets, place)?;
        let mut control: OrderLink = Link::new(control)?;
        let early = if self.quiet { control.wait_for(IDLE)? } else { Some(control.wait()?) };
        let mut untaken = self.needed.as_ref();
        let (SupervisorToProcess::Spawn { order }, descriptors) = if let Some(order) = early {
            order
        } else {
            untaken.take().iter().for_each(|needed| needed.take_all());
            control.wait()?
        };
        drop(control);
        let Ok([engine, secretd]) = <[OwnedFd; 2]>::try_from(descriptors) else {
            return Err(WorkerError::Protocol("a run has two links"));
        };
        match order.kind {
            SpawnKind::Run => run::run(prepared, order.task, engine, secretd, place, untaken),
            SpawnKind::Load => {
                prepared.fence.raise(None)?;
                loader::run(engine, secretd)
            }
        }
    }
}

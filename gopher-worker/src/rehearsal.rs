//! What a run is likely to need of the memory of the process that it is forked from. A spawner finds out by a run of each
//! language that is built in: it plays engine and secretd for a script of its own.

use std::{
    os::fd::{AsRawFd as _, OwnedFd},
    path::Path,
    time::{Duration, Instant},
};

use gopher_protocol::{
    ids::{CallId, RunId, TaskName},
    robot::{Limits, Runtime},
    robot_api::{RetVal, RobotAnswer},
    secretd::{SecretdToWorker, WorkerToSecretd},
    worker::{EngineToWorker, RunRequest, WorkDir, WorkerToEngine},
};
use gopher_sys::{
    Link, descriptors, heap,
    pages::{Pages, Ranges},
    process::{self, Namespaces},
};
use nix::sys::signal::Signal;

use crate::{
    confinement::Walls,
    error::WorkerError,
    run::{self, Place, Prepared},
    view::relocated,
};

/// Says two things; when it says the second it has done what most scripts do.
const SCRIPTS: [(Runtime, &str); 3] = [
    (Runtime::Lua, "local bot = require('gopherbot_v1').Robot:new() bot:Say('a') bot:Say('b')"),
    (
        Runtime::JavaScript,
        "const { Robot } = require('gopherbot_v1')(); const bot = new Robot(); bot.Say('a'); bot.Say('b')",
    ),
    (Runtime::Gsh, "case $1 in a) Say a; Say b ;; esac"),
];

/// What most scripts allocate.
const ALLOCATED: usize = 64 << 10;
/// How long a script may take to say something.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pages that scripts need.
pub(crate) struct Needed {
    /// What each of them writes, where asking for it is worthwhile.
    pub(crate) always: Ranges,
    /// What one or another writes, and all of them read.
    perhaps: Ranges,
    /// The same of what each language writes beyond what all do.
    each: Vec<(Runtime, Ranges)>,
}

impl Needed {
    /// Has a script run in each language. Where that fails, its scripts meet their pages one by one.
    pub(crate) fn rehearse(walls: &Walls) -> Self {
        let mut all: Vec<(Runtime, Pages)> = Vec::new();
        for (runtime, script) in SCRIPTS {
            match rehearsed(walls, &runtime, script) {
                Ok(pages) => all.push((runtime, pages)),
                Err(error) => eprintln!("gopher-worker: a script in {runtime:?} could not be tried: {error}"),
            }
        }
        let pages = || all.iter().map(|(_, pages)| pages.clone());
        let always = pages().reduce(|a, b| a.written_by_both(&b)).unwrap_or_default();
        let perhaps = pages().reduce(|a, b| a.likely(&b)).unwrap_or_default();
        let beyond = |(runtime, pages): (Runtime, Pages)| (runtime, pages.written_beyond(&always).neighbours());
        let each = all.into_iter().map(beyond).collect();
        Self { always: always.neighbours(), perhaps: perhaps.ranges(), each }
    }

    /// Takes what a script of this language writes.
    pub(crate) fn take_for(&self, runtime: &Runtime) {
        if let Some((_, pages)) = self.each.iter().find(|(language, _)| language == runtime) {
            pages.take();
            heap::take_end(ALLOCATED);
        }
    }

    /// Takes what any script may use.
    pub(crate) fn take_all(&self) {
        self.perhaps.take();
        heap::take_end(ALLOCATED);
    }
}

type Engine = Link<EngineToWorker, WorkerToEngine>;
type Secretd = Link<SecretdToWorker, WorkerToSecretd>;

/// What a script uses until it says something for the second time.
fn rehearsed(walls: &Walls, runtime: &Runtime, script: &str) -> Result<Pages, WorkerError> {
    let file = descriptors::pipe_holding(script.as_bytes()).map_err(WorkerError::system("pipe"))?;
    let (engine, worker_engine) = gopher_sys::link::pair()?;
    let (secretd, worker_secretd) = gopher_sys::link::pair()?;
    let (mut engine, mut secretd) = (Engine::new(engine)?, Secretd::new(secretd)?);
    secretd.send(&SecretdToWorker::Redeemed {
        program: format!("/proc/self/fd/{}", file.as_raw_fd()),
        runtime: runtime.clone(),
        values: Vec::new(),
        config: Vec::new(),
    })?;
    // A rehearsal has no `/tmp` of its own with a link in it.
    let seen = Path::new(&walls.plan.install_dir);
    let install_dir = relocated(&walls.tmp_links, seen).unwrap_or_else(|| seen.to_owned());
    engine.send(&EngineToWorker::Run { request: request(&install_dir.to_string_lossy()) })?;
    let child = process::fork_with(Namespaces::default(), false, || {
        WorkerError::told(perform(walls, &file, worker_engine, worker_secretd))
    })
    .map_err(WorkerError::system("clone of a rehearsal"))?;
    let pages = said(&mut engine).and_then(|call| {
        engine.send(&EngineToWorker::Answer { call, answer: RobotAnswer::RetVal(RetVal::Ok) })?;
        said(&mut engine)?;
        Pages::used_by(child.pid).map_err(WorkerError::file("read", "pagemap".as_ref()))
    });
    process::signal(&child.pidfd, Signal::SIGKILL).map_err(WorkerError::system("pidfd_send_signal"))?;
    process::wait(&child.pidfd).map_err(WorkerError::system("waitid"))?;
    pages
}

/// The next call of a run, and nothing before it.
fn said(engine: &mut Engine) -> Result<CallId, WorkerError> {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match engine.wait_for(left)? {
            Some((WorkerToEngine::Call { call, .. }, _)) => return Ok(call),
            Some((WorkerToEngine::Output { bytes, .. }, _)) => {
                let text = String::from_utf8_lossy(&bytes);
                return Err(WorkerError::Rehearsal(text.lines().next().unwrap_or_default().to_owned()));
            }
            Some((other, _)) => return Err(WorkerError::Rehearsal(format!("{other:?}"))),
            None if left.is_zero() => return Err(WorkerError::Rehearsal(format!("nothing came for {PATIENCE:?}"))),
            None => {}
        }
    }
}

/// The life of the process that runs it, behind the walls that need no other namespaces.
fn perform(walls: &Walls, file: &OwnedFd, engine: OwnedFd, secretd: OwnedFd) -> Result<(), WorkerError> {
    let fence = walls.close(&[file, &engine, &secretd])?;
    let place = Place { work_dir: "/".into(), home: "/".into(), own_pids: true, own_uid: true };
    let prepared = Prepared::new(fence, None, &place)?;
    run::run(prepared, TaskName::default(), engine, secretd, &place, None)
}

fn request(install_dir: &str) -> RunRequest {
    let env = [("GOPHER_INSTALLDIR", install_dir), ("GOPHER_CHANNEL", "a"), ("GOPHER_USER", "a"), ("PATH", "/")];
    RunRequest {
        run: RunId(0),
        task: TaskName::default(),
        args: vec!["a".to_owned()],
        env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        work_dir: WorkDir::WorkSpace,
        secure_parameters: false,
        parameters: Vec::new(),
        configure: false,
        limits: Limits::default(),
    }
}

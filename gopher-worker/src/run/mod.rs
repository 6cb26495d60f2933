//! One run, from its first message to its end. This process is the first of its pid namespace: when it exits,
//! the kernel ends every other one.

mod attendant;
mod exchange;
mod limits;
mod output;
mod prepared;
mod released;
mod serve;
mod start;

use std::{
    mem::{self, ManuallyDrop},
    os::fd::{AsRawFd as _, OwnedFd},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use gopher_protocol::{
    ids::TaskName,
    robot_api::TaskRetVal,
    secretd::{SecretdToWorker, WorkerToSecretd},
    worker::{EngineToWorker, Outcome, RunRequest, WorkDir, WorkerToEngine},
};
use gopher_sys::{Link, Poller, descriptors, poll::Awake};
use nix::{errno::Errno, sys::signalfd::SignalFd};

pub(crate) use self::prepared::Prepared;
use self::{
    exchange::{Asker, Exchange},
    output::Output,
    released::{Released, Values, environment, redeemed},
    start::{Main, begin},
};
use crate::{
    embedded::{self, Client, Task, Within},
    endpoint::Endpoint,
    error::WorkerError,
    program::Start,
    rehearsal::Needed,
    task_config,
};

/// Most output of a run unless its task says otherwise.
const OUTPUT_LIMIT: u64 = 64 << 20;
/// The same for a default configuration, which is far smaller.
const CONFIGURATION_LIMIT: u64 = 1 << 20;

/// Where a run may write: what is not privileged has a directory of its own there.
const WORKSPACE: &str = "GOPHER_WORKSPACE";

const ENGINE: u64 = 0;
const SIGNALS: u64 = 1;
const STDOUT: u64 = 2;
const STDERR: u64 = 3;
const API: u64 = 4;
const OWN_API: u64 = 5;
const LISTENER: u64 = 6;
const ENDED: u64 = 7;

type EngineLink = Link<WorkerToEngine, EngineToWorker>;
type SecretdLink = Link<WorkerToSecretd, SecretdToWorker>;

/// Where a run works.
pub(crate) struct Place {
    pub(crate) work_dir: PathBuf,
    pub(crate) home: PathBuf,
    /// The run has a pid namespace: every process in it is the run's.
    pub(crate) own_pids: bool,
    /// No other pipeline's processes have its uid.
    pub(crate) own_uid: bool,
}

/// Runs what engine and secretd agree on; this process is confined already, and has not taken yet what it may need of
/// `untaken`.
pub(crate) fn run(
    prepared: Prepared<'_>,
    task: TaskName,
    engine: OwnedFd,
    secretd: OwnedFd,
    place: &Place,
    untaken: Option<&Needed>,
) -> Result<(), WorkerError> {
    // Asked first: the answer comes while the engine says what is to run.
    let mut secretd: SecretdLink = Link::new(secretd)?;
    secretd.send(&WorkerToSecretd::Redeem { task })?;
    let mut engine: EngineLink = Link::new(engine)?;
    let (EngineToWorker::Run { request }, _) = engine.wait()? else {
        return Err(WorkerError::Protocol("the first message to a run is not Run"));
    };
    match Running::start(prepared, request, secretd, place, untaken) {
        Ok((running, script)) => {
            let exchange = Exchange::new(engine, running.poller.registry());
            // This process ends with it, and what is open or in memory needs no tidying up.
            let mut running = ManuallyDrop::new(running);
            match script {
                None => {
                    running.watch_all(&exchange).map_err(WorkerError::system("epoll_ctl"))?;
                    running.finish(&exchange)
                }
                Some(script) => {
                    // What is wanted as soon as its process is there is one of many.
                    let awake = if untaken.is_some() { Awake::asleep() } else { Awake::default() };
                    attendant::run(running, exchange, script, awake)
                }
            }
        }
        Err(reason) => done(&mut engine, not_started(reason)),
    }
}

/// The last word.
fn done(engine: &mut EngineLink, outcome: Outcome) -> Result<(), WorkerError> {
    engine.send(&WorkerToEngine::Done { outcome })?;
    Ok(engine.drain()?)
}

/// What a program inherits to speak with its robot: a descriptor that processes share, where whoever holds the byte of the
/// lock speaks, and one for the process alone that takes the byte of the claim. Nobody else finds one there.
fn speaking(endpoint: &mut Endpoint, poller: &Poller) -> Result<Vec<(&'static str, OwnedFd)>, Errno> {
    let all = vec![
        ("GOPHER_API_FD", endpoint.open(poller, API)?),
        ("GOPHER_API_LOCK_FD", descriptors::token_pipe()?),
        ("GOPHER_API_OWN_FD", endpoint.open(poller, OWN_API)?),
        ("GOPHER_API_CLAIM_FD", descriptors::pipe_holding(b"+")?),
    ];
    all.iter().try_for_each(|(_, fd)| descriptors::keep_on_exec(fd))?;
    Ok(all)
}

fn not_started(reason: String) -> Outcome {
    Outcome::NotStarted { status: TaskRetVal::MECHANISM_FAIL, reason }
}

/// A run whose program is alive.
struct Running {
    poller: Poller,
    /// Readable when a child of this process has ended; a script waits for its own.
    signals: Option<SignalFd>,
    endpoint: Option<Endpoint>,
    outputs: [Output; 2],
    main: Main,
    main_exit: Option<(TaskRetVal, Option<i32>)>,
    own_pids: bool,
    started: Instant,
    memory_limit: u64,
    /// Seconds of CPU time; 0 for no limit.
    cpu_limit: u32,
    output_left: u64,
    output_limit: u64,
    /// It prints a default configuration.
    configure: bool,
    kill_at: Option<Instant>,
    stopped: Option<String>,
    reading: bool,
    program: String,
    config: task_config::Secrets,
}

impl Running {
    /// For a script beside this; none while it is asked for its default configuration.
    fn client(&self, exchange: &Arc<Exchange>, awake: Awake) -> Option<std::io::Result<Client>> {
        let parameters = self.endpoint.as_ref()?.parameters();
        let secrets = self.config.clone();
        Some(Asker::new(Arc::clone(exchange), awake).map(|mut asker| {
            let ask = Box::new(move |call| asker.ask(call).map(|answer| task_config::opened(answer, &secrets)));
            Client::within(Within { ask, parameters })
        }))
    }

    fn start(
        prepared: Prepared<'_>,
        mut request: RunRequest,
        secretd: SecretdLink,
        place: &Place,
        untaken: Option<&Needed>,
    ) -> Result<(Self, Option<Task>), String> {
        let system = |step: &'static str| move |errno: Errno| format!("it could not be started: {step}: {errno}");
        let Prepared { fence, endpoint, outputs, stdout, stderr } = prepared;
        let poller = Poller::new().map_err(system("epoll_create"))?;
        let Released { program, runtime, values, config } = redeemed(secretd)?;
        let language = embedded::language(&runtime);
        if let Some(needed) = untaken {
            needed.take_for(&runtime);
        }
        // The first of a name counts.
        let mut parameters = mem::take(&mut request.parameters);
        parameters.extend(values);
        // A default configuration is asked for without a robot to call.
        let mut endpoint = (!request.configure).then_some(endpoint);

        let mut own = Values::new();
        if !place.own_pids {
            // Without a view there is no `/tmp` of its own.
            own.push(("TMPDIR".into(), place.work_dir.to_string_lossy().into_owned()));
        }
        let (mut port, mut told) = (None, String::new());
        let spoken = match &mut endpoint {
            Some(endpoint) if language.is_none() => {
                let listening =
                    endpoint.listen().map_err(|error| format!("it could not be started: 127.0.0.1: {error}"))?;
                own.push(("GOPHER_CALLER_ID".into(), "stdin".into()));
                own.push(("GOPHER_HTTP_POST".into(), format!("http://127.0.0.1:{listening}")));
                port = Some(listening);
                told = format!("{}\n", endpoint.caller_id().map_err(system("getrandom"))?);
                speaking(endpoint, &poller).map_err(system("a descriptor"))?
            }
            _ => Vec::new(),
        };
        fence.raise(port).map_err(|error| format!("it could not be started: {error}"))?;
        own.extend(spoken.iter().map(|(name, fd)| ((*name).to_owned(), fd.as_raw_fd().to_string())));
        if language.is_some() && !request.env.iter().any(|(name, _)| name == WORKSPACE) {
            own.push((WORKSPACE.into(), place.work_dir.to_string_lossy().into_owned()));
        }
        // What is built in knows its robot, and asks it for parameters; a shell has them in its environment too.
        let shown = if language.is_none_or(|language| language.is_shell) { &parameters[..] } else { &[] };
        let stdin = descriptors::pipe_holding(told.as_bytes()).map_err(system("pipe"))?;
        let env = environment(&request, shown, &own);
        let directory = match request.work_dir {
            WorkDir::WorkSpace => &place.work_dir,
            WorkDir::Home => &place.home,
        };
        let start = Start { path: &program, args: &request.args, env: &env, directory, stdin, stdout, stderr };
        let or = |limit: u64, default: u64| if limit == 0 { default } else { limit };
        let memory_limit = or(request.limits.memory_bytes, crate::confinement::DEFAULT_LIMITS.memory);
        let task = language.map(|language| Task::read(language, &start, memory_limit)).transpose()?;
        let api = match (&mut endpoint, &task) {
            (Some(endpoint), Some(task)) if task.needs_process() => {
                Some(endpoint.open(&poller, API).map_err(system("a descriptor"))?)
            }
            _ => None,
        };
        let (main, signals, script) = begin(task, start, api, memory_limit, request.limits.cpu_seconds)?;
        // The program has its own by now.
        drop(spoken);
        if let Some(endpoint) = &mut endpoint {
            parameters.append(&mut request.env);
            endpoint.give_parameters(parameters);
        }
        let output_limit =
            if request.configure { CONFIGURATION_LIMIT } else { or(request.limits.output_bytes, OUTPUT_LIMIT) };
        let running = Self {
            poller,
            signals,
            endpoint,
            outputs,
            main,
            main_exit: None,
            own_pids: place.own_pids,
            started: Instant::now(),
            memory_limit,
            cpu_limit: request.limits.cpu_seconds,
            output_left: output_limit,
            output_limit,
            configure: request.configure,
            kill_at: None,
            stopped: None,
            reading: true,
            program,
            config,
        };
        Ok((running, script))
    }
}

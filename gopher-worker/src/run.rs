//! One run, from its first message to its end. This process is the first of its pid namespace: when it exits,
//! the kernel ends every other one.

use std::{
    collections::HashSet,
    net::TcpListener,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use gopher_protocol::{
    WireError,
    ids::{CallId, TaskName},
    robot::Runtime,
    robot_api::{RobotAnswer, RobotCall, TaskRetVal},
    secretd::{SecretValue, SecretdToWorker, WorkerToSecretd},
    worker::{EngineToWorker, Outcome, RunRequest, Stream, WorkDir, WorkerToEngine},
};
use gopher_sys::{
    Link, LinkError, Poller,
    confine::{self, ConfineError},
    descriptors,
    poll::Ready,
    process::{self, Exit},
};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    sys::{
        signal::{SigSet, SigmaskHow, Signal, kill},
        signalfd::{SfdFlags, SignalFd},
    },
    unistd::{Pid, pipe2},
};

use crate::{
    embedded::{self, Leave, Task},
    endpoint::{CONNECTIONS, Endpoint},
    error::WorkerError,
    lines::Lines,
    memory::{self, First},
    program::{self, Start},
    task_config,
};

/// Between TERM and KILL of a cancelled run.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked whether a run keeps its limits.
const CHECK: Duration = Duration::from_millis(200);
/// Most output of a run unless its task says otherwise.
const OUTPUT_LIMIT: u64 = 64 << 20;
/// The same for a default configuration, which is far smaller.
const CONFIGURATION_LIMIT: u64 = 1 << 20;
/// One message of output.
const OUTPUT_CHUNK: usize = 8 << 10;
/// While this much waits for the engine, output and calls are not read.
const BACKLOG: usize = 256 << 10;

/// Where a run may write: what is not privileged has a directory of its own there.
const WORKSPACE: &str = "GOPHER_WORKSPACE";

const ENGINE: u64 = 0;
const SIGNALS: u64 = 1;
const STDOUT: u64 = 2;
const STDERR: u64 = 3;
const API: u64 = 4;
const LISTENER: u64 = 5;
const ENDED: u64 = 6;

type EngineLink = Link<WorkerToEngine, EngineToWorker>;
type SecretdLink = Link<WorkerToSecretd, SecretdToWorker>;

/// Where a run works.
pub(crate) struct Place {
    pub(crate) work_dir: PathBuf,
    pub(crate) home: PathBuf,
    /// The run has a pid namespace: every process in it is the run's.
    pub(crate) own_pids: bool,
}

/// Runs what engine and secretd agree on; this process is confined already.
pub(crate) fn run(
    task: TaskName,
    engine: OwnedFd,
    secretd: OwnedFd,
    listener: TcpListener,
    place: &Place,
) -> Result<(), WorkerError> {
    // Asked first: the answer comes while everything else is made ready.
    let mut secretd: SecretdLink = Link::new(secretd)?;
    secretd.send(&WorkerToSecretd::Redeem { task })?;
    let port = listener.local_addr().map_err(WorkerError::file("bind", "127.0.0.1".as_ref()))?.port();
    let mut engine: EngineLink = Link::new(engine)?;
    let (EngineToWorker::Run { request }, _) = engine.wait()? else {
        return Err(WorkerError::Protocol("the first message to a run is not Run"));
    };
    match Running::start(&mut engine, &request, secretd, place, listener, port) {
        Ok((running, None)) => running.finish(engine),
        Ok((running, Some((task, ended)))) => beside(running, engine, task, ended),
        Err(reason) => done(engine, not_started(reason)),
    }
}

/// The last word.
fn done(mut engine: EngineLink, outcome: Outcome) -> Result<(), WorkerError> {
    engine.send(&WorkerToEngine::Done { outcome })?;
    Ok(engine.drain()?)
}

/// Runs a script on this thread and serves it on another, which ends the process.
fn beside(running: Running, engine: EngineLink, task: Task, ended: OwnedFd) -> Result<(), WorkerError> {
    thread::Builder::new()
        .spawn(move || process::end_now(WorkerError::told(running.finish(engine))))
        .map_err(WorkerError::file("start", "a thread".as_ref()))?;
    // What the script starts meets every signal that is meant for it.
    SigSet::empty().thread_set_mask().map_err(WorkerError::system("sigprocmask"))?;
    let leave: Leave = Rc::new(move |status: i32| {
        // Whoever would read it is gone, and this process with it.
        let _ = nix::unistd::write(&ended, &status.to_le_bytes());
        loop {
            thread::park();
        }
    });
    let status = task.run(Rc::clone(&leave));
    leave(status);
    Ok(())
}

fn not_started(reason: String) -> Outcome {
    Outcome::NotStarted { status: TaskRetVal::MECHANISM_FAIL, reason }
}

/// Becomes readable when a child has ended.
fn ended_children() -> Result<SignalFd, Errno> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set.thread_block()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

type Values = Vec<(String, String)>;

/// What secretd had for this run.
struct Released {
    program: String,
    runtime: Runtime,
    values: Values,
    config: task_config::Secrets,
}

/// Secretd was asked, once.
fn redeemed(mut secretd: SecretdLink) -> Result<Released, String> {
    match secretd.wait().map_err(|error| format!("its secrets could not be had: {error}"))?.0 {
        SecretdToWorker::Redeemed { program, runtime, values, config } => {
            let text = |v: SecretValue| (v.name, String::from_utf8_lossy(v.value.expose()).into_owned());
            let texts = |values: Vec<SecretValue>| values.into_iter().map(text).collect();
            Ok(Released { program, runtime, values: texts(values), config: texts(config) })
        }
        SecretdToWorker::Refused { reason } => Err(reason),
    }
}

/// Parameters first, then engine values for names not yet present (spec: Robot API §2.3).
fn environment(request: &RunRequest, values: &[(String, String)], own: &[(String, String)]) -> Values {
    let parameters = if request.secure_parameters { &[][..] } else { values };
    let mut seen = HashSet::new();
    let all = parameters.iter().chain(own).chain(&request.env);
    // A zero byte cannot be part of an environment.
    let valid =
        |(name, value): &&(String, String)| !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
    all.filter(valid).filter(|(name, _)| seen.insert(name.clone())).cloned().collect()
}

struct Output {
    stream: Stream,
    token: u64,
    pipe: Option<OwnedFd>,
    lines: Lines,
}

impl Output {
    fn new(stream: Stream, token: u64, pipe: OwnedFd) -> Self {
        Self { stream, token, pipe: Some(pipe), lines: Lines::default() }
    }
}

/// What the run is about; it is over when that has ended.
enum Main {
    /// A program, leader of its process group.
    Process(Pid),
    /// A script on the first thread of this process, whose status will be in the pipe.
    Thread(OwnedFd),
}

/// A script that has not begun, and where its status is told.
type Beside = (Task, OwnedFd);

/// Starts what the run is about, or makes everything ready for it to run beside what serves it.
fn begin(task: Option<Task>, start: Start<'_>, poller: &Poller, memory: u64) -> Result<(Main, Option<Beside>), String> {
    let system = |step: &'static str| move |errno: Errno| format!("it could not be started: {step}: {errno}");
    match task {
        Some(task) if !task.language.is_shell => {
            embedded::enter(&start).map_err(|reason| format!("it could not be started: {reason}"))?;
            confine::look_at_cpu_time().map_err(|error| format!("it could not be started: {error}"))?;
            let (ended, tell) = pipe2(OFlag::O_CLOEXEC).map_err(system("pipe"))?;
            poller.add(&ended, ENDED, false).map_err(system("epoll_ctl"))?;
            Ok((Main::Thread(ended), Some((task, tell))))
        }
        task => {
            // A program must meet every signal that is meant for it: it inherits what is blocked here.
            let blocked = SigSet::empty().thread_swap_mask(SigmaskHow::SIG_SETMASK).map_err(system("sigprocmask"))?;
            let service = |error: ConfineError| error.to_string();
            confine::limit_memory(memory).map_err(service)?;
            let started = match task {
                Some(task) => task.fork(&start),
                None => start.start(),
            };
            confine::limit_memory(u64::MAX).map_err(service)?;
            blocked.thread_set_mask().map_err(system("sigprocmask"))?;
            Ok((Main::Process(i32::try_from(started?).map(Pid::from_raw).map_err(|e| e.to_string())?), None))
        }
    }
}

/// A run whose program is alive.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about descriptors and processes")]
struct Running {
    poller: Poller,
    signals: SignalFd,
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
    writing: bool,
    api_writing: bool,
    program: String,
    config: task_config::Secrets,
}

impl Running {
    fn start(
        engine: &mut EngineLink,
        request: &RunRequest,
        secretd: SecretdLink,
        place: &Place,
        listener: TcpListener,
        port: u16,
    ) -> Result<(Self, Option<Beside>), String> {
        let system = |step: &'static str| move |errno: Errno| format!("it could not be started: {step}: {errno}");
        let lost = |error: WorkerError| format!("it could not be started: {error}");
        let poller = Poller::new().map_err(system("epoll_create"))?;
        let signals = ended_children().map_err(system("signalfd"))?;
        poller.add(signals.as_fd(), SIGNALS, false).map_err(system("epoll_ctl"))?;
        poller.add(engine.as_fd(), ENGINE, false).map_err(system("epoll_ctl"))?;

        // Held until the program has inherited them.
        let mut inherited: Vec<OwnedFd> = Vec::new();
        let mut own = Values::new();
        if !place.own_pids {
            // Without a view there is no `/tmp` of its own.
            own.push(("TMPDIR".into(), place.work_dir.to_string_lossy().into_owned()));
        }
        let mut caller_id = None;
        let mut endpoint = if request.configure {
            None
        } else {
            let (ours, theirs) = UnixStream::pair().map_err(|e| format!("it could not be started: socketpair: {e}"))?;
            let lock = descriptors::token_pipe().map_err(system("pipe"))?;
            own.extend([
                ("GOPHER_CALLER_ID".into(), "stdin".into()),
                ("GOPHER_HTTP_POST".into(), format!("http://127.0.0.1:{port}")),
            ]);
            let endpoint = Endpoint::new(ours, listener, &poller, (API, LISTENER), place.own_pids).map_err(lost)?;
            caller_id = Some(format!("{}\n", endpoint.caller_id));
            inherited.extend([theirs.into(), lock]);
            Some(endpoint)
        };
        let (out_read, out_write) = pipe2(OFlag::O_CLOEXEC).map_err(system("pipe"))?;
        let (err_read, err_write) = pipe2(OFlag::O_CLOEXEC).map_err(system("pipe"))?;
        for (pipe, token) in [(&out_read, STDOUT), (&err_read, STDERR)] {
            descriptors::make_nonblocking(pipe).map_err(system("fcntl"))?;
            poller.add(pipe, token, false).map_err(system("epoll_ctl"))?;
        }
        let Released { program, runtime, values, config } = redeemed(secretd)?;
        // The first of a name counts.
        let values: Values = request.parameters.iter().cloned().chain(values).collect();
        let language = embedded::language(&runtime);
        if let ([api, lock], None) = (&inherited[..], language) {
            use std::os::fd::AsRawFd as _;
            for fd in &inherited {
                descriptors::keep_on_exec(fd).map_err(system("fcntl"))?;
            }
            own.push(("GOPHER_API_FD".into(), api.as_raw_fd().to_string()));
            own.push(("GOPHER_API_LOCK_FD".into(), lock.as_raw_fd().to_string()));
        }
        if language.is_some() && !request.env.iter().any(|(name, _)| name == WORKSPACE) {
            own.push((WORKSPACE.into(), place.work_dir.to_string_lossy().into_owned()));
        }
        // What is built in knows its robot, and asks it for parameters.
        let (shown, stdin) = match language {
            Some(language) if language.is_shell => (&values[..], String::new()),
            Some(_) => (&[][..], String::new()),
            None => (&values[..], caller_id.unwrap_or_default()),
        };
        let stdin = descriptors::pipe_holding(stdin.as_bytes()).map_err(system("pipe"))?;
        let env = environment(request, shown, &own);
        if let Some(endpoint) = &mut endpoint {
            endpoint.give_parameters(values.into_iter().chain(request.env.iter().cloned()).collect());
        }
        let start = Start {
            path: &program,
            args: &request.args,
            env: &env,
            directory: match request.work_dir {
                WorkDir::WorkSpace => &place.work_dir,
                WorkDir::Home => &place.home,
            },
            stdin,
            stdout: out_write,
            stderr: err_write,
        };
        let or = |limit: u64, default: u64| if limit == 0 { default } else { limit };
        let memory_limit = or(request.limits.memory_bytes, crate::confinement::DEFAULT_LIMITS.memory);
        let api = if language.is_some() { inherited.drain(..).next() } else { None };
        let task = language.map(|language| Task::read(language, &start, api, memory_limit)).transpose()?;
        let (main, beside) = begin(task, start, &poller, memory_limit)?;
        drop(inherited);
        engine.send(&WorkerToEngine::Started).map_err(|e| e.to_string())?;
        let output_limit =
            if request.configure { CONFIGURATION_LIMIT } else { or(request.limits.output_bytes, OUTPUT_LIMIT) };
        let running = Self {
            poller,
            signals,
            endpoint,
            outputs: [Output::new(Stream::Stdout, STDOUT, out_read), Output::new(Stream::Stderr, STDERR, err_read)],
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
            writing: false,
            api_writing: false,
            program,
            config,
        };
        Ok((running, beside))
    }

    /// Serves until the run is over, and says how it ended.
    fn finish(mut self, mut engine: EngineLink) -> Result<(), WorkerError> {
        let outcome = self.serve(&mut engine)?;
        done(engine, outcome)
    }

    /// Serves calls and output until the program has ended.
    fn serve(&mut self, engine: &mut EngineLink) -> Result<Outcome, WorkerError> {
        let mut next_check = Instant::now() + CHECK;
        // What ended before its end could be signalled.
        self.reap();
        while self.main_exit.is_none() {
            self.watch(engine)?;
            let deadline = self.kill_at.map_or(next_check, |at| at.min(next_check));
            let ready = self
                .poller
                .wait(Some(deadline.saturating_duration_since(Instant::now())))
                .map_err(WorkerError::system("epoll_wait"))?;
            for ready in ready {
                match ready.token {
                    ENGINE => self.engine(engine)?,
                    SIGNALS => self.reap(),
                    ENDED => self.ended(),
                    STDOUT | STDERR => self.output(engine, usize::from(ready.token == STDERR), false)?,
                    API => self.api(engine, ready)?,
                    LISTENER => {
                        if let Some(endpoint) = &mut self.endpoint {
                            endpoint.accept(&self.poller);
                            self.tell(engine)?;
                        }
                    }
                    token if token >= CONNECTIONS => {
                        let call = self.endpoint.as_mut().and_then(|e| e.serve(token, &self.poller));
                        self.ask(engine, call)?;
                    }
                    _ => {}
                }
            }
            let now = Instant::now();
            if now >= next_check {
                self.check_memory();
                self.check_cpu();
                next_check = now + CHECK;
            }
            if self.kill_at.is_some_and(|at| now >= at) {
                self.kill();
                self.kill_at = Some(now + GRACE);
            }
        }
        // Whatever it left behind ends now, so that its pipes end too.
        self.signal_all(Signal::SIGKILL);
        for index in 0..self.outputs.len() {
            self.output(engine, index, true)?;
        }
        Ok(self.outcome())
    }

    fn outcome(&mut self) -> Outcome {
        if let Some(reason) = self.stopped.take() {
            return Outcome::Stopped { reason };
        }
        let (status, signal) = self.main_exit.unwrap_or((TaskRetVal::MECHANISM_FAIL, None));
        if self.cpu_limit > 0 && is_of_cpu_time(status, signal) {
            return Outcome::Stopped { reason: self.no_cpu_time_left() };
        }
        // What `env` says when it does not find the interpreter.
        let missing = (status.0 == 127 && self.started.elapsed() < Duration::from_secs(1))
            .then(|| program::through_env(&self.program))
            .flatten();
        match missing {
            Some(wanted) => not_started(format!(
                "`{}` asks for the interpreter `{wanted}`, which is not in the PATH of runs: install it, or name its directory in ReadPaths",
                self.program
            )),
            None => Outcome::Exited { status, signal },
        }
    }

    /// Watches for writing, and reads output, only as far as peers keep up.
    fn watch(&mut self, engine: &EngineLink) -> Result<(), WorkerError> {
        let system = WorkerError::system;
        if engine.wants_write() != self.writing {
            self.writing = engine.wants_write();
            self.poller.modify(engine.as_fd(), ENGINE, self.writing).map_err(system("epoll_ctl"))?;
        }
        if let Some(endpoint) = &self.endpoint
            && self.reading
            && !endpoint.stream_is_over()
            && endpoint.stream_blocked() != self.api_writing
        {
            self.api_writing = endpoint.stream_blocked();
            self.poller.modify(endpoint.stream(), API, self.api_writing).map_err(system("epoll_ctl"))?;
        }
        let reading = engine.backlog() < BACKLOG;
        if reading != self.reading {
            self.reading = reading;
            if let Some(endpoint) = self.endpoint.as_ref().filter(|e| !e.stream_is_over()) {
                let stream = endpoint.stream();
                let change =
                    if reading { self.poller.add(stream, API, self.api_writing) } else { self.poller.remove(stream) };
                change.map_err(system("epoll_ctl"))?;
            }
            for output in &self.outputs {
                if let Some(pipe) = &output.pipe {
                    let change =
                        if reading { self.poller.add(pipe, output.token, false) } else { self.poller.remove(pipe) };
                    change.map_err(system("epoll_ctl"))?;
                }
            }
        }
        Ok(())
    }

    fn ask(
        &mut self,
        engine: &mut EngineLink,
        calls: impl IntoIterator<Item = (CallId, RobotCall)>,
    ) -> Result<(), WorkerError> {
        for (call, request) in calls {
            match engine.send(&WorkerToEngine::Call { call, request }) {
                // Decoded, a call may be longer than it was on its way here.
                Err(LinkError::Wire(WireError::TooLong { .. })) => {
                    if let Some(endpoint) = &mut self.endpoint {
                        let answer = RobotAnswer::Refused("the call is longer than 16 MiB".to_owned());
                        endpoint.answer(call, &answer, &self.poller);
                    }
                }
                sent => sent?,
            }
        }
        Ok(())
    }

    /// What the author is to know of the calls stands in the run's log.
    fn tell(&mut self, engine: &mut EngineLink) -> Result<(), WorkerError> {
        for sentence in self.endpoint.iter_mut().flat_map(Endpoint::news) {
            let bytes = format!("{sentence}\n").into_bytes().into();
            engine.send(&WorkerToEngine::Output { stream: Stream::Stderr, bytes })?;
        }
        Ok(())
    }

    fn api(&mut self, engine: &mut EngineLink, ready: Ready) -> Result<(), WorkerError> {
        let Some(endpoint) = &mut self.endpoint else { return Ok(()) };
        if ready.write {
            endpoint.stream_writable();
        }
        if ready.read {
            let calls = endpoint.read_stream(&self.poller);
            self.ask(engine, calls)?;
            self.tell(engine)?;
        }
        Ok(())
    }

    fn engine(&mut self, engine: &mut EngineLink) -> Result<(), WorkerError> {
        engine.flush()?;
        while let Some((message, _)) = engine.receive()? {
            match message {
                EngineToWorker::Answer { call, answer } => {
                    let answer = task_config::opened(answer, &self.config);
                    if let Some(endpoint) = &mut self.endpoint {
                        endpoint.answer(call, &answer, &self.poller);
                    }
                }
                EngineToWorker::Cancel { reason } => {
                    self.stopped.get_or_insert(reason);
                    match self.main {
                        Main::Process(_) => {
                            self.signal_all(Signal::SIGTERM);
                            self.kill_at.get_or_insert(Instant::now() + GRACE);
                        }
                        Main::Thread(_) => self.kill(),
                    }
                }
                EngineToWorker::Run { .. } => return Err(WorkerError::Protocol("a run runs once")),
            }
        }
        Ok(())
    }

    /// The script has told its status.
    fn ended(&mut self) {
        let Main::Thread(pipe) = &self.main else { return };
        let mut status = [0; 4];
        if nix::unistd::read(pipe, &mut status) == Ok(status.len()) {
            // As the kernel does with every exit status.
            self.main_exit = Some((TaskRetVal(i32::from(status[0])), None));
        }
    }

    /// Reaps every ended child: this process adopts the run's orphans. Children of a script on a thread are its own to
    /// wait for; what they leave behind ends with this process.
    fn reap(&mut self) {
        let Main::Process(main) = self.main else { return };
        while let Ok(Some(_)) = self.signals.read_signal() {}
        loop {
            match process::reap() {
                Ok(Some((pid, exit))) if i32::try_from(pid) == Ok(main.as_raw()) => {
                    self.main_exit = Some(match exit {
                        Exit::Code(code) => (TaskRetVal(code), None),
                        Exit::Signal(signal) => (TaskRetVal(-1), Some(signal)),
                    });
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Ends the run at once.
    fn kill(&mut self) {
        self.signal_all(Signal::SIGKILL);
        if let Main::Thread(_) = self.main {
            self.main_exit.get_or_insert((TaskRetVal(-1), Some(Signal::SIGKILL as i32)));
        }
    }

    /// Signals every process of the run but this one.
    fn signal_all(&self, signal: Signal) {
        // No such process is what is wanted.
        if self.own_pids {
            let _ = kill(Pid::from_raw(-1), signal);
        } else {
            if let Main::Process(main) = self.main {
                let _ = kill(Pid::from_raw(-main.as_raw()), signal);
            }
            for child in memory::children() {
                let _ = kill(Pid::from_raw(child), signal);
            }
        }
    }

    fn check_memory(&mut self) {
        let first = match self.main {
            Main::Process(_) => First::NotCounted,
            Main::Thread(_) => First::Counted,
        };
        let used = if self.own_pids { memory::resident(first) } else { 0 };
        if used > self.memory_limit && self.stopped.is_none() {
            self.stopped = Some(format!(
                "it used {} MiB of memory and its limit is {} MiB (Limits: Memory of the extension)",
                used >> 20,
                self.memory_limit >> 20
            ));
            self.kill();
        }
    }

    fn no_cpu_time_left(&self) -> String {
        format!("it used {} s of CPU time, and has no more (Limits: CPU of the extension)", self.cpu_limit)
    }

    /// A program is told by the kernel; nobody tells a thread of this process but this one.
    fn check_cpu(&mut self) {
        if self.cpu_limit == 0 || self.stopped.is_some() || matches!(self.main, Main::Process(_)) {
            return;
        }
        if confine::cpu_time().is_ok_and(|used| used >= Duration::from_secs(self.cpu_limit.into())) {
            self.stopped = Some(self.no_cpu_time_left());
            self.kill();
        }
    }

    /// Passes output on; at the end (`last`) all that is left of it.
    fn output(&mut self, engine: &mut EngineLink, index: usize, last: bool) -> Result<(), WorkerError> {
        let output = &mut self.outputs[index];
        let mut chunk = [0; OUTPUT_CHUNK];
        let mut budget = if last { 64 } else { 8 };
        while let Some(pipe) = &output.pipe {
            let count = match nix::unistd::read(pipe, &mut chunk) {
                Ok(count) => count,
                Err(Errno::EINTR) => continue,
                Err(_) => break,
            };
            if count == 0 {
                if self.reading {
                    self.poller.remove(pipe).map_err(WorkerError::system("epoll_ctl"))?;
                }
                output.pipe = None;
                break;
            }
            output.lines.push(&chunk[..count]);
            let bytes = output.lines.take_output(OUTPUT_CHUNK, false);
            let allowed = usize::try_from(self.output_left).unwrap_or(usize::MAX).min(bytes.len());
            self.output_left -= allowed as u64;
            if allowed > 0 {
                let bytes = bytes[..allowed].to_vec().into();
                engine.send(&WorkerToEngine::Output { stream: output.stream.clone(), bytes })?;
            }
            if self.output_left == 0 && self.stopped.is_none() {
                let most = self.output_limit >> 20;
                self.stopped = Some(if self.configure {
                    format!("_configure wrote more than {most} MiB of output")
                } else {
                    format!("it wrote more than {most} MiB of output (Limits: Output of the extension)")
                });
                self.kill_at = Some(Instant::now());
            }
            budget -= 1;
            if budget == 0 || (self.stopped.is_some() && self.output_left == 0) {
                break;
            }
        }
        if last || output.pipe.is_none() {
            let bytes = output.lines.take_output(OUTPUT_CHUNK, true);
            if !bytes.is_empty() && self.output_left > 0 {
                engine.send(&WorkerToEngine::Output { stream: output.stream.clone(), bytes: bytes.into() })?;
            }
        }
        Ok(())
    }
}

/// Whether a program ended because its CPU time, or that of the last program it waited for, was used up.
fn is_of_cpu_time(status: TaskRetVal, signal: Option<i32>) -> bool {
    let told = Signal::SIGXCPU as i32;
    signal == Some(told) || (signal.is_none() && status.0 == 128 + told)
}

#[cfg(test)]
mod tests {
    use gopher_protocol::{ids::RunId, robot::Limits};

    use super::*;

    fn request(secure: bool) -> RunRequest {
        RunRequest {
            run: RunId(1),
            task: "t".into(),
            args: vec![],
            env: vec![("GOPHER_USER".into(), "alice".into()), ("SITE".into(), "engine".into())],
            work_dir: WorkDir::WorkSpace,
            secure_parameters: secure,
            parameters: vec![],
            configure: false,
            limits: Limits::default(),
        }
    }

    #[test]
    fn a_parameter_shadows_an_engine_value_unless_parameters_are_secure() {
        let values = vec![("SITE".into(), "a".into()), ("SITE".into(), "b".into()), ("bad=name".into(), "x".into())];
        let own = vec![("GOPHER_CALLER_ID".into(), "stdin".into())];
        let text = |secure| {
            let env = environment(&request(secure), &values, &own);
            env.into_iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text(false), "SITE=a GOPHER_CALLER_ID=stdin GOPHER_USER=alice");
        assert_eq!(text(true), "GOPHER_CALLER_ID=stdin GOPHER_USER=alice SITE=engine");
    }
}

//! Serving a run until it is over: its calls, its output, its limits, its end.

use std::{
    os::fd::AsFd as _,
    time::{Duration, Instant},
};

use gopher_protocol::{
    WireError,
    ids::CallId,
    robot_api::{RobotAnswer, RobotCall, TaskRetVal},
    worker::{EngineToWorker, Outcome, Stream, WorkerToEngine},
};
use gopher_sys::{
    LinkError, descriptors,
    poll::{AT_ONCE, NEXT_CALL, Ready},
    process::{self, Exit},
};
use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        signalfd::SignalFd,
    },
    unistd::Pid,
};

use super::{
    API, ENDED, ENGINE, EngineLink, LISTENER, OWN_API, Running, SIGNALS, STDERR, STDOUT, done,
    exchange::{Exchange, Turn},
    not_started,
    start::Main,
};
use crate::{
    endpoint::{CONNECTIONS, Endpoint},
    error::WorkerError,
    memory, program, task_config,
};

/// Between TERM and KILL of a cancelled run.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked whether a run keeps its limits.
const CHECK: Duration = Duration::from_millis(200);
/// While this much waits for the engine, output and calls are not read.
const BACKLOG: usize = 256 << 10;
pub(super) const TOO_LONG: &str = "the call is longer than 16 MiB";

impl Running {
    /// Watches everything that is to be served.
    pub(super) fn watch_all(&self, exchange: &Exchange) -> Result<(), Errno> {
        exchange.turn().begin()?;
        if let Some(signals) = &self.signals {
            self.poller.add(signals.as_fd(), SIGNALS, false)?;
        }
        if let Some(endpoint) = &self.endpoint {
            endpoint.watch(&self.poller, LISTENER)?;
        }
        for output in &self.outputs {
            if let Some(pipe) = &output.pipe {
                descriptors::make_nonblocking(pipe)?;
                self.poller.add(pipe, output.token, false)?;
            }
        }
        Ok(())
    }

    /// Serves until the run is over, and says how it ended.
    pub(super) fn finish(&mut self, exchange: &Exchange) -> Result<(), WorkerError> {
        let outcome = self.serve(exchange)?;
        done(&mut exchange.turn().link, outcome)
    }

    /// A script is over that nobody had to serve: it has started nothing and said nothing but to the robot.
    pub(super) fn conclude(&mut self, status: i32, exchange: &Exchange) -> Result<(), WorkerError> {
        self.ended_with(status);
        let outcome = self.outcome();
        done(&mut exchange.turn().link, outcome)
    }

    /// Serves calls and output until the program has ended.
    fn serve(&mut self, exchange: &Exchange) -> Result<Outcome, WorkerError> {
        let mut next_check = Instant::now() + CHECK;
        // What ended before its end could be signalled.
        self.reap();
        while self.main_exit.is_none() {
            self.watch(&mut exchange.turn())?;
            let deadline = self.kill_at.map_or(next_check, |at| at.min(next_check));
            let longest = Some(deadline.saturating_duration_since(Instant::now()));
            if self.endpoint.as_ref().is_some_and(Endpoint::expects) {
                self.poller.expect(AT_ONCE);
            }
            let ready = self.poller.wait(longest);
            let mut turn = exchange.turn();
            for ready in ready.map_err(WorkerError::system("epoll_wait"))? {
                match ready.token {
                    ENGINE => self.engine(&mut turn)?,
                    SIGNALS => self.reap(),
                    ENDED => self.ended(),
                    STDOUT | STDERR => self.output(&mut turn.link, usize::from(ready.token == STDERR), false)?,
                    API | OWN_API => self.api(&mut turn.link, ready)?,
                    LISTENER => {
                        if let Some(endpoint) = &mut self.endpoint {
                            endpoint.accept(&self.poller);
                            self.tell(&mut turn.link)?;
                        }
                    }
                    token if token >= CONNECTIONS => {
                        let call = self.endpoint.as_mut().and_then(|e| e.serve(token, &self.poller));
                        self.ask(&mut turn.link, call)?;
                    }
                    _ => {}
                }
            }
            let now = Instant::now();
            if now >= next_check {
                self.check_limits();
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
            self.output(&mut exchange.turn().link, index, true)?;
        }
        Ok(self.outcome())
    }

    fn outcome(&mut self) -> Outcome {
        if let Some(reason) = self.stopped.take() {
            return Outcome::Stopped { reason };
        }
        let (status, signal) = self.main_exit.unwrap_or((TaskRetVal::MECHANISM_FAIL, None));
        if let Some(reason) = self.ended_by_limit(status, signal) {
            return Outcome::Stopped { reason };
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
    fn watch(&mut self, turn: &mut Turn) -> Result<(), WorkerError> {
        let system = WorkerError::system;
        turn.watch().map_err(system("epoll_ctl"))?;
        if self.reading {
            for inherited in self.endpoint.iter_mut().flat_map(Endpoint::inherited) {
                inherited.watch(&self.poller).map_err(system("epoll_ctl"))?;
            }
        }
        let reading = turn.link.backlog() < BACKLOG;
        if reading != self.reading {
            self.reading = reading;
            for inherited in self.endpoint.iter_mut().flat_map(Endpoint::inherited) {
                inherited.listen(&self.poller, reading).map_err(system("epoll_ctl"))?;
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
                        let answer = RobotAnswer::Refused(TOO_LONG.to_owned());
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
            endpoint.writable(ready.token);
        }
        if ready.read {
            let calls = endpoint.read(ready.token, &self.poller);
            self.ask(engine, calls)?;
            self.tell(engine)?;
        }
        Ok(())
    }

    fn engine(&mut self, turn: &mut Turn) -> Result<(), WorkerError> {
        turn.link.flush()?;
        while let Some(message) = turn.next()? {
            match message {
                EngineToWorker::Answer { call, answer } => {
                    let answer = task_config::opened(answer, &self.config);
                    if let Some(endpoint) = &mut self.endpoint {
                        endpoint.answer(call, &answer, &self.poller);
                        self.poller.expect(NEXT_CALL);
                    }
                }
                EngineToWorker::Cancel { reason } => {
                    self.stopped.get_or_insert(reason);
                    match self.main {
                        Main::Process(_) => {
                            self.signal_all(Signal::SIGTERM);
                            self.kill_at.get_or_insert(Instant::now() + GRACE);
                        }
                        Main::Script { .. } => self.kill(),
                    }
                }
                EngineToWorker::Run { .. } => return Err(WorkerError::Protocol("a run runs once")),
            }
        }
        Ok(())
    }

    /// The script has told its status.
    fn ended(&mut self) {
        let Main::Script { ended: Some(pipe) } = &self.main else { return };
        let mut status = [0; 4];
        if nix::unistd::read(pipe, &mut status) == Ok(status.len()) {
            self.ended_with(i32::from_le_bytes(status));
        }
    }

    fn ended_with(&mut self, status: i32) {
        // As the kernel does with every exit status.
        self.main_exit = Some((TaskRetVal(i32::from(status.to_le_bytes()[0])), None));
    }

    /// Reaps every ended child: this process adopts the run's orphans. Children of a script on a thread are its own to
    /// wait for; what they leave behind ends with this process.
    fn reap(&mut self) {
        let Main::Process(main) = self.main else { return };
        while let Some(Ok(Some(_))) = self.signals.as_ref().map(SignalFd::read_signal) {}
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
    pub(super) fn kill(&mut self) {
        self.signal_all(Signal::SIGKILL);
        if let Main::Script { .. } = self.main {
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
}

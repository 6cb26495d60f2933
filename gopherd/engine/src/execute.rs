//! The life of a run: queued, spawned, heard, over.
//!
//! The outcome is known when the worker says so or is gone; the run leaves the table when the supervisor says that
//! its processes have.

use std::{
    os::fd::OwnedFd,
    rc::Rc,
    time::{Duration, Instant},
};

use gopher_protocol::{
    ids::{PipelineId, RunId, TaskName},
    robot::{Kind, Limits, Runtime},
    robot_api::{LogLevel, TaskRetVal},
    supervisor::{EngineToSupervisor, RunExit, SpawnRequest},
    worker::{EngineToWorker, Outcome, RunRequest, WorkDir, WorkerToEngine},
};
use gopher_sys::{LinkError, poll::AT_ONCE};

use crate::{
    connectors::Style,
    context::Context,
    engine::{BURST, Engine, Who},
    environment,
    journal::Progress,
    loading::CONFIGURE,
    log::stamp,
    runs::{Ending, Purpose, Run, State, age, at, describe, describe_exit},
    wire::Wire,
};

/// How long a new run may count as starting.
pub(crate) const START: Duration = Duration::from_millis(25);
/// The same for `_init` runs, which all come at once: one that began while the others still have the processors would
/// use up its time-out waiting.
pub(crate) const START_OF_INIT: Duration = Duration::from_millis(250);
/// How long after a message people are taken to be talking.
pub(crate) const TALK: Duration = Duration::from_millis(5);
/// How long a run may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// There is no room for a run even to wait.
pub(crate) const FULL: &str =
    "Sorry, too many of your commands are waiting already, so I won't take this one; try again later";

/// What [`Engine::kill`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Killed {
    Asked,
    /// It had not begun, and never will.
    Withdrawn,
    NotRunning,
    NotFound,
}

impl Engine {
    pub(crate) fn new_run(&mut self, purpose: Purpose, task: TaskName, context: Rc<Context>, args: Vec<String>) -> Run {
        let (id, pipeline) = (self.next_run, self.next_pipeline);
        self.next_run = id.next();
        self.next_pipeline = pipeline.next();
        Run {
            id,
            pipeline,
            generation: None,
            starter: None,
            task,
            purpose,
            command: args.first().cloned().unwrap_or_default(),
            args,
            context,
            state: State::Queued,
            wire: None,
            created: Instant::now(),
            warn_at: None,
            kill_at: None,
            ending: None,
            open_calls: 0,
            output: crate::runs::Output::default(),
        }
    }

    /// Puts a run in line. It starts at the end of this turn, if it may.
    pub(crate) fn queue_run(&mut self, run: Run) {
        let (id, lane, context) = (run.id, run.lane().to_owned(), Rc::clone(&run.context));
        if self.admission.enqueue(&lane, id) {
            self.runs.insert(id, run);
            self.admit_runs();
            let waits = self.runs.get(&id).is_some_and(|r| r.state == State::Queued);
            if let Some(ahead) = self.admission.ahead_of_newest(&lane).filter(|_| waits && !context.automatic) {
                let text = format!("I'm busy: {ahead} are ahead of you. Your command starts as soon as there is room.");
                self.tell(&context, Style::REPLY, text);
            }
        } else {
            self.tell(&context, Style::REPLY, FULL);
            self.journal.advance(&context.protocol, &context.event, Progress::Finished);
            self.never_ran(run);
        }
    }

    /// There is no room for a run even to wait.
    fn never_ran(&mut self, mut run: Run) {
        let reason = "too many runs are waiting";
        self.log.error(&format!("{} was not run: {reason}", run.tag()));
        if run.purpose == Purpose::Configure {
            self.configured(&mut run, &Err(reason.to_owned()));
        }
    }

    /// Starts whatever may start now.
    pub(crate) fn admit_runs(&mut self) {
        let talk = self.talk_until > Instant::now();
        while let Some(id) = self.admission.take(talk) {
            self.spawn(id);
        }
    }

    fn spawn(&mut self, id: RunId) {
        let loading = self.loading();
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.state = State::Spawning;
        self.admitted.insert(id);
        let configure = run.purpose == Purpose::Configure;
        let (extension, starter) = (run.extension(), run.starter());
        let request = SpawnRequest {
            run: id,
            pipeline: run.pipeline,
            task: run.task.clone(),
            starter: starter.map_or_else(|| run.task.clone(), |e| e.name.clone()),
            generation: run.generation.as_ref().map_or(loading, |(g, _)| g.robot.generation),
            privileged: extension.is_some_and(|e| e.privileged) && starter.is_some_and(|e| e.privileged),
            network: extension.is_some_and(|e| e.network),
            configure,
            limits: limits_of(run),
        };
        let external = extension.is_none_or(|e| !matches!(e.runtime, Runtime::Go));
        let (protocol, purpose, follows) = (run.context.protocol.clone(), run.purpose, run.starter.is_some());
        self.announce(&protocol, purpose, !external, follows);
        self.supervisor.send(&EngineToSupervisor::Spawn { request });
    }

    pub(crate) fn spawned(&mut self, id: RunId, socket: OwnedFd) {
        let now = Instant::now();
        let expected = self.runs.get(&id).is_some_and(|r| r.state == State::Spawning);
        let unwanted = self.runs.get(&id).is_none_or(|r| r.ending.is_some());
        if !expected || unwanted {
            self.supervisor.send(&EngineToSupervisor::Kill { run: id });
            return;
        }
        let token = self.token(Who::Worker(id));
        let wire = Wire::new(&self.poller, socket, token);
        let Some(request) = self.run_request(id) else { return };
        let Some(run) = self.runs.get_mut(&id) else { return };
        let time_outs = run.starter().map(|e| (e.time_outs.warn, e.time_outs.kill));
        // The steps of a pipeline share its time.
        let since = self.pipelines.get(&run.pipeline).map_or(now, |pipeline| pipeline.clock);
        match (time_outs, run.purpose) {
            (_, Purpose::Configure) => run.kill_at = at(now, CONFIGURE),
            (Some((warn, kill)), _) => (run.warn_at, run.kill_at) = (at(since, warn), at(since, kill)),
            (None, _) => {}
        }
        run.state = State::Starting(now + if run.purpose == Purpose::Init { START_OF_INIT } else { START });
        let sent = wire.map(|mut wire| {
            let fits = wire.send(&EngineToWorker::Run { request });
            run.wire = Some(wire);
            fits
        });
        match sent {
            Ok(true) => {}
            Ok(false) => self.fail_run(id, "its arguments are too long".to_owned()),
            Err(error) => self.fail_run(id, format!("the link to its worker could not be used: {error}")),
        }
    }

    fn run_request(&self, id: RunId) -> Option<RunRequest> {
        let run = self.runs.get(&id)?;
        let start = self.start.as_ref()?;
        let base = environment::Base { sources: &start.sources, pass_through: &start.pass_through };
        let extension = run.extension();
        let robot = run.generation.as_ref().map(|(generation, _)| &generation.robot);
        Some(RunRequest {
            run: id,
            task: run.task.clone(),
            args: run.args.clone(),
            env: match (robot, extension) {
                (Some(robot), Some(extension)) => {
                    environment::of_run(&base, robot, extension, &run.context, run.purpose.pipeline_type())
                }
                _ => environment::of_configure(&base),
            },
            work_dir: if extension.is_some_and(|e| e.homed) { WorkDir::Home } else { WorkDir::WorkSpace },
            parameters: self.told_parameters(run),
            secure_parameters: robot.is_some_and(|r| r.secure_parameters),
            configure: run.purpose == Purpose::Configure,
            limits: limits_of(run),
        })
    }

    /// What earlier steps have set, for those that may have it (spec: Robot API §2.3).
    fn told_parameters(&self, run: &Run) -> Vec<(String, String)> {
        let may = run.extension().is_some_and(|e| e.privileged || !matches!(e.kind, Kind::Plugin));
        let pipeline = self.pipelines.get(&run.pipeline).filter(|_| may);
        pipeline.map(|p| p.parameters().to_vec()).unwrap_or_default()
    }

    /// A run that cannot even be told what to do.
    fn fail_run(&mut self, id: RunId, reason: String) {
        self.supervisor.send(&EngineToSupervisor::Kill { run: id });
        self.conclude(id, &Err(reason));
    }

    pub(crate) fn spawn_failed(&mut self, id: RunId, reason: String) {
        if self.runs.get(&id).is_none_or(|r| r.state == State::Queued) {
            return;
        }
        // The link comes before the process: the run may seem to have begun.
        let outcome = Outcome::NotStarted { status: TaskRetVal::MECHANISM_FAIL, reason };
        self.conclude(id, &Ok(outcome));
        self.discard(id);
    }

    pub(crate) fn hear_worker(&mut self, id: RunId) {
        for _ in 0..BURST {
            if !self.hear_once(id) {
                return;
            }
        }
        let token = self.runs.get(&id).and_then(|r| r.wire.as_ref()).map(Wire::token);
        self.again.extend(token);
    }

    /// Deals with everything a worker has said, however much it is.
    pub(crate) fn hear_out(&mut self, id: RunId) {
        while self.hear_once(id) {}
    }

    /// Deals with one message of a worker; `false` if there was none.
    fn hear_once(&mut self, id: RunId) -> bool {
        let Some(wire) = self.runs.get_mut(&id).and_then(|r| r.wire.as_mut()) else { return false };
        match wire.receive() {
            Ok(Some((message, _))) => self.worker_says(id, message),
            Ok(None) => return false,
            Err(error) => self.end_worker(id, &error),
        }
        true
    }

    fn worker_says(&mut self, id: RunId, message: WorkerToEngine) {
        match message {
            WorkerToEngine::Call { call, request } => {
                self.no_longer_starting(id);
                self.call(id, call, request);
                // A connector does what it is told at once.
                self.poller.expect(AT_ONCE);
            }
            WorkerToEngine::Output { stream, bytes } => {
                let Some(run) = self.runs.get_mut(&id) else { return };
                let lines = run.output.push(&stream, &bytes, run.purpose == Purpose::Configure);
                if !lines.is_empty() {
                    let tag = run.tag();
                    for line in lines {
                        self.log.output(&tag, &line);
                    }
                }
            }
            WorkerToEngine::Done { outcome } => {
                // The next one that waits has its process made when it is its turn.
                if self.admission.waiting() == 0 {
                    self.supervisor.send(&EngineToSupervisor::Concluded { run: id });
                }
                self.conclude(id, &Ok(outcome));
            }
        }
    }

    fn no_longer_starting(&mut self, id: RunId) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if matches!(run.state, State::Starting(_)) {
            run.state = State::Live;
            self.admission.started(run.lane());
        }
    }

    /// The worker's link is at its end. Without a word of farewell its processes are not to be trusted.
    pub(crate) fn end_worker(&mut self, id: RunId, error: &LinkError) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let over = run.state == State::Over;
        let Some(wire) = run.wire.take() else { return };
        self.forget_token(wire.token());
        wire.close(&self.poller);
        if !over {
            if !matches!(error, LinkError::Closed) {
                self.log.warn(&format!("run {id}: {error}"));
            }
            self.supervisor.send(&EngineToSupervisor::Kill { run: id });
        }
    }

    pub(crate) fn exited(&mut self, id: RunId, exit: &RunExit) {
        // Its last words may be in the link, which nobody writes to any more.
        self.hear_out(id);
        if self.runs.get(&id).is_some_and(|r| r.state != State::Over) {
            let reason = format!("its worker ended before the task was done ({})", describe_exit(exit));
            self.conclude(id, &Err(reason));
        }
        self.discard(id);
    }

    /// The outcome of a run is known, or the reason why it will never be. Happens once per run.
    fn conclude(&mut self, id: RunId, outcome: &Result<Outcome, String>) {
        let now = Instant::now();
        self.no_longer_starting(id);
        let Some(mut run) = self.runs.remove(&id) else { return };
        if run.state == State::Over {
            self.runs.insert(id, run);
            return;
        }
        match run.state {
            State::Spawning => {
                self.admission.started(run.lane());
            }
            State::Queued => {
                self.admission.withdraw(run.lane(), &id);
            }
            State::Starting(_) | State::Live | State::Over => {}
        }
        let was_queued = run.state == State::Queued;
        run.state = State::Over;
        (run.warn_at, run.kill_at) = (None, None);
        let rest = run.output.finish();
        let tag = run.tag();
        for line in rest {
            self.log.output(&tag, &line);
        }
        if run.purpose == Purpose::Configure {
            self.configured(&mut run, outcome);
        } else if run.purpose == Purpose::Authorize {
            self.authorizer_said(&run, outcome);
        } else {
            let sentence = self.report(&run, outcome);
            let held = self.step_over(&run, outcome, sentence.clone());
            if let Some(sentence) = sentence.filter(|_| !held) {
                self.tell(&run.context, Style::REPLY, sentence);
            }
        }
        // A worker has nothing left to do after its last word.
        let force_at = Some(now + GRACE).filter(|_| !was_queued);
        run.ending = Some(Ending { reason: run.ending.take().map(|e| e.reason).unwrap_or_default(), force_at });
        let (purpose, context, pipeline) = (run.purpose, Rc::clone(&run.context), run.pipeline);
        self.runs.insert(id, run);

        for answered in self.prompts.interrupt(id) {
            self.answer_prompt(answered);
        }
        let steps = self.brain.run_ended(id, now);
        self.take_steps(steps);
        self.lookups.retain(|_, look_up| look_up.run() != id);
        if purpose != Purpose::Authorize && !self.goes_on(pipeline) {
            self.journal.advance(&context.protocol, &context.event, Progress::Finished);
        }
        if purpose == Purpose::Init {
            self.initialized(id);
        }
    }

    /// Tells the log how a run ended; the sentence for its user, if it did not end well.
    fn report(&mut self, run: &Run, outcome: &Result<Outcome, String>) -> Option<String> {
        let name = &run.task;
        let (what, sentence) = match (outcome, &run.ending) {
            (Ok(Outcome::Exited { status, signal: None }), _) if status.0 == 0 => {
                self.log.line(LogLevel::Debug, &run.tag(), "done");
                return None;
            }
            (_, Some(ending)) => {
                let what = format!("stopped {}", ending.reason);
                let sentence = format!("'{}' was stopped {} (wid {})", run.title(), ending.reason, run.pipeline);
                (what, sentence)
            }
            (Ok(Outcome::NotStarted { reason, .. }), None) => {
                (reason.clone(), format!("Sorry, I couldn't start '{name}': {reason} (wid {})", run.pipeline))
            }
            (Ok(outcome), None) => (describe(outcome), failure(run, &describe(outcome))),
            (Err(reason), None) => (reason.clone(), failure(run, reason)),
        };
        self.log.line(LogLevel::Error, &run.tag(), &format!("{} failed: {what}", run.title()));
        Some(sentence)
    }

    /// The run's processes are gone, or never were.
    fn discard(&mut self, id: RunId) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        self.admitted.remove(&id);
        if let Some(wire) = run.wire.take() {
            self.forget_token(wire.token());
            wire.close(&self.poller);
        }
        self.admission.ended(run.lane());
        self.continue_pipeline(&run);
    }

    /// Interrupts a run: its prompts wake, its calls are refused, its processes are asked to end.
    pub(crate) fn end_run(&mut self, id: RunId, ending: Ending) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if run.ending.is_some() || run.state == State::Over {
            return;
        }
        let reason = ending.reason.clone();
        let queued = run.state == State::Queued;
        run.ending = Some(Ending { force_at: Some(Instant::now() + GRACE), ..ending });
        (run.warn_at, run.kill_at) = (None, None);
        if queued {
            self.conclude(id, &Err("it had not begun".to_owned()));
            self.forget_queued(id);
            return;
        }
        for answered in self.prompts.interrupt(id) {
            self.answer_prompt(answered);
        }
        if let Some(wire) = self.runs.get_mut(&id).and_then(|r| r.wire.as_mut()) {
            wire.send(&EngineToWorker::Cancel { reason: format!("stopped {reason}") });
        }
    }

    /// A run that was never admitted: nothing of it exists outside this table.
    fn forget_queued(&mut self, id: RunId) {
        let Some(run) = self.runs.remove(&id) else { return };
        self.continue_pipeline(&run);
    }

    pub(crate) fn kill(&mut self, pipeline: PipelineId, by: &str) -> Killed {
        let Some((id, state)) = self.runs.values().find(|r| r.pipeline == pipeline).map(|r| (r.id, r.state)) else {
            return Killed::NotFound;
        };
        let ended = self.runs.get(&id).is_some_and(|r| r.ending.is_some());
        if state == State::Over || ended {
            return Killed::NotRunning;
        }
        self.end_run(id, Ending { reason: format!("by {by}"), force_at: None });
        if state == State::Queued { Killed::Withdrawn } else { Killed::Asked }
    }

    pub(crate) fn expire_runs(&mut self, now: Instant) {
        let is_due = |id: &RunId| self.runs.get(id).and_then(Run::deadline).is_some_and(|at| at <= now);
        let due: Vec<RunId> = self.admitted.iter().copied().filter(is_due).collect();
        for id in due {
            let passed = |moment: Option<Instant>| moment.is_some_and(|at| at <= now);
            let Some(run) = self.runs.get_mut(&id) else { continue };
            if matches!(run.state, State::Starting(until) if until <= now) {
                self.no_longer_starting(id);
            }
            let Some(run) = self.runs.get_mut(&id) else { continue };
            if let Some(ending) = run.ending.as_mut().filter(|e| passed(e.force_at)) {
                ending.force_at = None;
                self.supervisor.send(&EngineToSupervisor::Kill { run: id });
            } else if passed(run.kill_at) {
                self.time_out(id, now);
            } else if passed(run.warn_at) {
                run.warn_at = None;
                self.notice_time(
                    id,
                    now,
                    "Pipeline timeout warning",
                    "The configured warn threshold has been reached.",
                );
            }
        }
    }

    fn time_out(&mut self, id: RunId, now: Instant) {
        let configure = self.runs.get(&id).is_some_and(|r| r.purpose == Purpose::Configure);
        if configure {
            let reason = format!("because it took longer than {} seconds", CONFIGURE.as_secs());
            self.end_run(id, Ending { reason, force_at: None });
            return;
        }
        self.notice_time(
            id,
            now,
            "Pipeline timeout kill threshold reached",
            "The run was told to stop; what is left of it after five seconds is killed.",
        );
        self.end_run(id, Ending { reason: "because it ran longer than its TimeOuts allow".to_owned(), force_at: None });
    }

    fn notice_time(&mut self, id: RunId, now: Instant, title: &str, detail: &str) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let which = if run.kill_at.is_some_and(|at| at <= now) { "kill" } else { "warn" };
        run.output.note(format!("*** timeout - {which} threshold reached"));
        let seconds = now.saturating_duration_since(run.created).as_secs();
        let started = crate::log::now_ms().saturating_sub(seconds.saturating_mul(1000));
        // Arguments of private commands stay private.
        let args = if run.context.private() { String::new() } else { run.args.get(1..).unwrap_or_default().join(" ") };
        let text = format!(
            "{title}\nWID: `{}`\nPipeline: `{}`\nCurrent task: `{}`\nStarted: `{}`\nAge: `{}`\n{detail}\nRecent log:\n```\n{}\n```",
            run.pipeline,
            run.task,
            format!("{} {args}", run.title()).trim_end().replace('`', "'"),
            stamp(started),
            age(seconds),
            run.output.tail(3072).replace("```", "'''"),
        );
        let tag = run.tag();
        self.log.line(LogLevel::Warn, &tag, &format!("{title}: {detail}"));
        self.alert(text);
    }
}

/// What the extension may use; a `_configure` run gets the defaults.
fn limits_of(run: &Run) -> Limits {
    run.extension().map_or_else(Limits::default, |e| e.limits)
}

fn failure(run: &Run, how: &str) -> String {
    format!(
        "Pipeline failed in external task '{}', {how}; an administrator finds its output with `gopherctl logs` under \
         wid {}",
        run.task, run.pipeline
    )
}

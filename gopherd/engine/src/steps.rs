//! Steps of pipelines: how extensions add them, and how one follows the other.

use std::{rc::Rc, time::Instant};

use gopher_protocol::{
    ids::PipelineId,
    robot::{Extension, Kind},
    robot_api::{RetVal, RobotAnswer, StepList, TaskRetVal},
    supervisor::EngineToSupervisor,
    worker::Outcome,
};

use crate::{
    access,
    authorize::{Asked, Held},
    builtin::BuiltIn,
    calls::Subject,
    connectors::Style,
    engine::Engine,
    journal::Progress,
    matching,
    pipeline::{Over, Pipeline, Step},
    runs::{Ending, Purpose, Run},
};

const FULL: &str = "Sorry, too many of your commands are waiting already, so I stopped this one in its middle";
const UNWRITTEN: &str = "Sorry, I can't write my audit log, so I won't go on; please tell an administrator";

impl Engine {
    pub(crate) fn add_task(&mut self, subject: &Subject, to: &StepList, name: &str, args: Vec<String>) -> RetVal {
        if let Some(stage) = self.wrong_stage(subject) {
            return stage;
        }
        match self.addable(subject, name) {
            Ok((_, extension)) if !matches!(extension.kind, Kind::Task) => RetVal::InvalidTaskType,
            Ok((index, _)) => self.add(subject, to, Step { extension: index, args }),
            Err(ret) => ret,
        }
    }

    pub(crate) fn add_command(&mut self, subject: &Subject, to: &StepList, name: &str, text: &str) -> RobotAnswer {
        let ret = if let Some(stage) = self.wrong_stage(subject) {
            stage
        } else if BuiltIn::named(name).is_some() {
            return RobotAnswer::Refused(format!("a command of the built-in plugin {name} cannot be added yet"));
        } else {
            match self.addable(subject, name) {
                Ok((_, extension)) if !matches!(extension.kind, Kind::Plugin) => RetVal::InvalidTaskType,
                Ok(_) if text.trim().is_empty() => RetVal::MissingArguments,
                Ok((index, _)) => match matching::command_of(subject.generation.plugin_of(index), text) {
                    Some(args) => self.add(subject, to, Step { extension: index, args }),
                    None => RetVal::CommandNotMatched,
                },
                Err(ret) => ret,
            }
        };
        RobotAnswer::RetVal(ret)
    }

    pub(crate) fn set_parameter(&mut self, subject: &Subject, name: &str, value: &str) -> bool {
        self.pipeline_of(subject).is_some_and(|pipeline| pipeline.set(name, value))
    }

    /// The extension of that name, if this pipeline may run it; the checks in their order (spec: pipelines §1.6).
    fn addable<'s>(&self, subject: &'s Subject, name: &str) -> Result<(usize, &'s Extension), RetVal> {
        let robot = &subject.generation.robot;
        let Some(index) = robot.extensions.iter().position(|e| e.name.as_str() == name) else {
            let disabled = robot.disabled.iter().any(|d| d.name.as_str() == name);
            return Err(if disabled { RetVal::TaskDisabled } else { RetVal::TaskNotFound });
        };
        let extension = robot.extensions.get(index).ok_or(RetVal::TaskNotFound)?;
        let privileged = self.runs.get(&subject.caller.run).and_then(Run::starter).is_some_and(|e| e.privileged);
        if extension.privileged && !privileged {
            return Err(RetVal::PrivilegeViolation);
        }
        Ok((index, extension))
    }

    fn wrong_stage(&self, subject: &Subject) -> Option<RetVal> {
        let run = self.runs.get(&subject.caller.run)?;
        if run.purpose == Purpose::Authorize {
            // The pipeline is another's.
            return Some(RetVal::InvalidStage);
        }
        let pipeline = self.pipelines.get(&run.pipeline)?;
        (!pipeline.is_primary()).then_some(RetVal::InvalidStage)
    }

    fn add(&mut self, subject: &Subject, to: &StepList, step: Step) -> RetVal {
        self.pipeline_of(subject).map_or(RetVal::Failed, |pipeline| pipeline.add(to, step))
    }

    /// A run becomes a pipeline of several when it first has to be one.
    fn pipeline_of(&mut self, subject: &Subject) -> Option<&mut Pipeline> {
        let run = self.runs.get(&subject.caller.run)?;
        Some(self.pipelines.entry(run.pipeline).or_insert_with(|| Pipeline::new(run.created)))
    }

    /// Notes that a step is over; `false` if its run was the whole pipeline, and its user has yet to be told.
    pub(crate) fn step_over(&mut self, run: &Run, outcome: &Result<Outcome, String>, told: Option<String>) -> bool {
        let Some(pipeline) = self.pipelines.get_mut(&run.pipeline) else { return false };
        let status = match (outcome, &run.ending) {
            (Ok(Outcome::Exited { status, signal: None }), None) => *status,
            (Ok(Outcome::NotStarted { status, .. }), None) => *status,
            _ => TaskRetVal(-1),
        };
        let (kind, description) = run.extension().map_or(("task", ""), |extension| {
            (if matches!(extension.kind, Kind::Plugin) { "plugin" } else { "task" }, extension.description.as_str())
        });
        let over = Over { task: run.task.as_str(), kind, command: &run.command, args: &run.args, description, status };
        pipeline.step_over(&over, told, Instant::now());
        true
    }

    /// Starts what comes after a run that is gone, or ends its pipeline.
    pub(crate) fn continue_pipeline(&mut self, before: &Run) {
        if before.purpose == Purpose::Authorize {
            self.authorizer_gone(before);
            return;
        }
        let stopping = self.stopping();
        while let Some(pipeline) = self.pipelines.get_mut(&before.pipeline) {
            if stopping {
                pipeline.abandon();
            }
            let Some(step) = pipeline.take() else {
                self.end_pipeline(before);
                break;
            };
            if self.follow(before, step) {
                return;
            }
        }
        self.supervisor.send(&EngineToSupervisor::PipelineClosed { pipeline: before.pipeline });
    }

    fn end_pipeline(&mut self, last: &Run) {
        let sentence = self.pipelines.remove(&last.pipeline).and_then(Pipeline::into_sentence);
        if let Some(sentence) = sentence.filter(|_| !last.context.automatic) {
            self.tell(&last.context, Style::REPLY, sentence);
        }
        self.journal.advance(&last.context.protocol, &last.context.event, Progress::Finished);
    }

    /// Puts the run of a step in line; `false` if it may not run, which counts as its failure.
    fn follow(&mut self, before: &Run, step: Step) -> bool {
        let Some((generation, _)) = before.generation.clone() else { return false };
        let Some(extension) = generation.robot.extensions.get(step.extension) else { return false };
        let name = extension.name.clone();
        let mut run = self.new_run(before.purpose, name, Rc::clone(&before.context), step.args);
        run.pipeline = before.pipeline;
        run.starter = before.starter.or(before.generation.as_ref().map(|(_, index)| *index));
        if !matches!(extension.kind, Kind::Plugin) {
            run.command.clear();
        }
        run.generation = Some((Rc::clone(&generation), step.extension));
        // Commands of plugins are checked as if the user had given them.
        let Some(plugin) = generation.plugin_of(step.extension) else { return self.begin_step(run).is_none() };
        let context = Rc::clone(&run.context);
        let transport = self.hidden_transport(&context.protocol);
        if let Some((_, text)) = access::judge(&generation, plugin, &run.command, &context, transport).refusal {
            self.refuse_step(run, &text);
            return false;
        }
        let args = run.args.get(1..).unwrap_or_default().to_vec();
        match self.ask(&generation, plugin, &run.command, &args, &context, Some((run.pipeline, run.starter))) {
            Asked::Agreed => self.begin_step(run).is_none(),
            Asked::Refused(text) => {
                self.refuse_step(run, text);
                false
            }
            Asked::Later(authorizer) => {
                self.wait_for(authorizer, Held::Step(Box::new(run)));
                true
            }
        }
    }

    /// Puts the run of a step in line that nothing stands against any more; gives it back if it cannot run, which counts as
    /// its failure.
    pub(crate) fn begin_step(&mut self, run: Run) -> Option<Run> {
        let plugin = run.generation.as_ref().and_then(|(generation, index)| generation.plugin_of(*index));
        if let Some(plugin) = plugin {
            let context = &run.context;
            if let Some(text) = access::elevation_refusal(plugin, &run.command).filter(|_| !context.automatic) {
                return Some(self.refuse_step(run, text));
            }
            let place = context.place();
            let line = format!("{}/{} for {} in {place}, as a step", plugin.name, run.command, context.user);
            if !self.audit.record(&mut self.log, &line) {
                return Some(self.refuse_step(run, UNWRITTEN));
            }
        }
        let lane = run.lane().to_owned();
        if !self.admission.enqueue(&lane, run.id) {
            return Some(self.refuse_step(run, FULL));
        }
        self.runs.insert(run.id, run);
        self.admit_runs();
        None
    }

    /// A step that may not run: gives it back as one that is over.
    pub(crate) fn refuse_step(&mut self, mut run: Run, text: &str) -> Run {
        run.ending = Some(Ending { reason: "because it may not run".to_owned(), force_at: None });
        self.step_over(&run, &Err(text.to_owned()), Some(text.to_owned()));
        run
    }

    /// Whether more of a pipeline will run.
    pub(crate) fn goes_on(&self, pipeline: PipelineId) -> bool {
        self.pipelines.contains_key(&pipeline)
    }
}

//! What is left to do in a pipeline: steps that were added, in which stage, and what they are told (spec: pipelines
//! §1.4–1.7). Pure.

use std::{collections::VecDeque, mem, time::Instant};

use gopher_protocol::robot_api::{RetVal, StepList, TaskRetVal};

/// Most steps that may wait at once; more are an endless loop.
const MOST: usize = 1000;
/// Most bytes of all parameters that steps set.
const PARAMETERS: usize = 1 << 20;

/// How far a pipeline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Primary,
    /// Always, whatever came of the primary stage.
    Final,
    /// Only if the primary stage failed.
    Fail,
}

/// An extension that is to run, with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Place among the extensions of the pipeline's generation.
    pub(crate) extension: usize,
    pub(crate) args: Vec<String>,
}

/// A pipeline that is more than one run.
#[derive(Debug)]
pub(crate) struct Pipeline {
    stage: Stage,
    next: VecDeque<Step>,
    /// By the step that runs now.
    added: Vec<Step>,
    last: VecDeque<Step>,
    if_failed: VecDeque<Step>,
    /// The newest of a name is the one that counts.
    parameters: Vec<(String, String)>,
    failed: bool,
    /// What the user is told at the end.
    sentence: Option<String>,
    /// When the clock of its time-outs began; it begins anew for what is to be cleaned up.
    pub(crate) clock: Instant,
}

impl Pipeline {
    pub(crate) fn new(begun: Instant) -> Self {
        Self {
            stage: Stage::Primary,
            next: VecDeque::new(),
            added: Vec::new(),
            last: VecDeque::new(),
            if_failed: VecDeque::new(),
            parameters: Vec::new(),
            failed: false,
            sentence: None,
            clock: begun,
        }
    }

    /// Steps are added in the primary stage only.
    pub(crate) fn is_primary(&self) -> bool {
        self.stage == Stage::Primary
    }

    pub(crate) fn add(&mut self, to: &StepList, step: Step) -> RetVal {
        if !self.is_primary() {
            return RetVal::InvalidStage;
        }
        if self.next.len() + self.added.len() + self.last.len() + self.if_failed.len() >= MOST {
            return RetVal::Failed;
        }
        match to {
            StepList::Next => self.added.push(step),
            StepList::Final => self.last.push_front(step),
            StepList::Fail => self.if_failed.push_back(step),
        }
        RetVal::Ok
    }

    /// Sets what later steps are told; `false` if that is no name, or there is no room.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> bool {
        let is_name = name.contains(|c: char| c.is_ascii_alphabetic()) && !name.contains(['=', '\0']);
        self.parameters.retain(|(known, _)| known != name);
        let held: usize = self.parameters.iter().map(|(n, v)| n.len() + v.len()).sum();
        if !is_name || held + name.len() + value.len() > PARAMETERS {
            return false;
        }
        self.parameters.push((name.to_owned(), value.to_owned()));
        true
    }

    pub(crate) fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// A step is over: `told` is the sentence for the user if it failed.
    pub(crate) fn step_over(&mut self, step: &Over<'_>, told: Option<String>, now: Instant) {
        if self.stage != Stage::Primary {
            return;
        }
        let added = mem::take(&mut self.added);
        if step.status == TaskRetVal::NORMAL {
            // What a step has added comes before what was to come after it.
            added.into_iter().rev().for_each(|step| self.next.push_front(step));
        } else {
            self.failed = true;
            self.sentence = told;
            self.next.clear();
        }
        if self.next.is_empty() {
            self.end_primary(step);
            self.clock = now;
        }
    }

    fn end_primary(&mut self, last: &Over<'_>) {
        self.stage = Stage::Final;
        if !self.failed {
            self.if_failed.clear();
        }
        for (name, value) in [
            ("GOPHER_FINAL_TASK", last.task),
            ("GOPHER_FINAL_TYPE", last.kind),
            ("GOPHER_FINAL_COMMAND", last.command),
            ("GOPHER_FINAL_ARGS", &last.args.join(" ")),
            ("GOPHER_FINAL_DESC", last.description),
        ] {
            self.set(name, value);
        }
        if self.failed {
            self.set("GOPHER_FAIL_CODE", &last.status.0.to_string());
            self.set("GOPHER_FAIL_STRING", &last.status.to_string());
        }
    }

    /// The step to run now that none runs.
    pub(crate) fn take(&mut self) -> Option<Step> {
        if self.stage == Stage::Primary {
            return self.next.pop_front();
        }
        if let Some(step) = self.last.pop_front() {
            return Some(step);
        }
        self.stage = Stage::Fail;
        self.if_failed.pop_front()
    }

    /// No further step comes, whatever was added.
    pub(crate) fn abandon(&mut self) {
        self.stage = Stage::Fail;
        self.next.clear();
        self.last.clear();
        self.if_failed.clear();
    }

    pub(crate) fn into_sentence(self) -> Option<String> {
        self.sentence
    }
}

/// A step that is over.
pub(crate) struct Over<'a> {
    pub(crate) task: &'a str,
    /// `task` or `plugin`.
    pub(crate) kind: &'a str,
    /// Of a plugin.
    pub(crate) command: &'a str,
    pub(crate) args: &'a [String],
    pub(crate) description: &'a str,
    pub(crate) status: TaskRetVal,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(extension: usize) -> Step {
        Step { extension, args: Vec::new() }
    }

    fn over(status: TaskRetVal) -> Over<'static> {
        Over { task: "deploy", kind: "plugin", command: "go", args: &[], description: "deploys", status }
    }

    /// Runs a pipeline whose steps add what `adds` says; the order in which they ran.
    fn order(adds: impl Fn(usize, &mut Pipeline) -> TaskRetVal) -> Vec<usize> {
        let now = Instant::now();
        let mut pipeline = Pipeline::new(now);
        let mut ran = vec![0];
        loop {
            let current = *ran.last().expect("one at least");
            let status = adds(current, &mut pipeline);
            pipeline.step_over(&over(status), Some(format!("{current} failed")), now);
            match pipeline.take() {
                Some(step) => ran.push(step.extension),
                None => return ran,
            }
            assert!(ran.len() < 100, "{ran:?}");
        }
    }

    #[test]
    fn what_a_step_adds_runs_right_after_it_and_the_end_comes_last() {
        let ran = order(|current, pipeline| {
            match current {
                0 => {
                    pipeline.add(&StepList::Final, step(8));
                    pipeline.add(&StepList::Final, step(9));
                    pipeline.add(&StepList::Fail, step(7));
                    pipeline.add(&StepList::Next, step(1));
                    pipeline.add(&StepList::Next, step(2));
                }
                1 => {
                    pipeline.add(&StepList::Next, step(3));
                    pipeline.add(&StepList::Next, step(4));
                }
                9 => assert_eq!(pipeline.add(&StepList::Next, step(5)), RetVal::InvalidStage),
                _ => {}
            }
            TaskRetVal::NORMAL
        });
        assert_eq!(ran, [0, 1, 3, 4, 2, 9, 8]);
    }

    #[test]
    fn a_failure_ends_the_primary_stage_and_the_rest_is_for_failures() {
        let ran = order(|current, pipeline| {
            if current == 0 {
                for (list, number) in [(StepList::Next, 1), (StepList::Next, 2), (StepList::Final, 3)] {
                    pipeline.add(&list, step(number));
                }
                pipeline.add(&StepList::Fail, step(4));
                pipeline.add(&StepList::Fail, step(5));
            }
            // What fails while cleaning up changes nothing.
            if matches!(current, 1 | 3 | 4) { TaskRetVal::SUCCESS } else { TaskRetVal::NORMAL }
        });
        assert_eq!(ran, [0, 1, 3, 4, 5]);
    }

    #[test]
    fn the_last_steps_know_how_it_ended() {
        let mut pipeline = Pipeline::new(Instant::now());
        pipeline.add(&StepList::Fail, step(1));
        assert!(pipeline.set("_HANDLE", "a") && pipeline.set("_HANDLE", "b"));
        assert!(!pipeline.set("", "x") && !pipeline.set("1", "x") && !pipeline.set("A=B", "x"));
        assert!(!pipeline.set("BIG", &"x".repeat(PARAMETERS)));
        pipeline.step_over(&over(TaskRetVal(3)), Some("it failed".to_owned()), Instant::now());
        let of = |name: &str| pipeline.parameters().iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(of("_HANDLE"), Some("b"));
        assert_eq!((of("GOPHER_FINAL_TASK"), of("GOPHER_FINAL_COMMAND")), (Some("deploy"), Some("go")));
        assert_eq!((of("GOPHER_FAIL_CODE"), of("GOPHER_FAIL_STRING")), (Some("3"), Some("ConfigurationError")));
        assert!(pipeline.take().is_some() && pipeline.take().is_none());
        assert_eq!(pipeline.into_sentence().as_deref(), Some("it failed"));
    }

    #[test]
    fn a_pipeline_that_only_adds_is_bounded() {
        let mut pipeline = Pipeline::new(Instant::now());
        let added = (0..2 * MOST).filter(|n| pipeline.add(&StepList::Next, step(*n)) == RetVal::Ok).count();
        assert_eq!(added, MOST);
        pipeline.abandon();
        assert_eq!(pipeline.take(), None);
    }
}

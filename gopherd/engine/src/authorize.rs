//! Authorizers: whose word a command needs, how they are asked, and what their answer does (spec: pipelines §4.3).
//!
//! The authorizer `groups` is policy of this process and answers at once. Any other is a plugin: a run of its own in the
//! pipeline of the command, which waits for it here.

use std::rc::Rc;

use gopher_protocol::{
    ids::{PipelineId, RunId},
    robot::{Extension, Kind},
    robot_api::{LogLevel, TaskRetVal},
    supervisor::EngineToSupervisor,
    worker::Outcome,
};

use crate::{
    access,
    brain::whole_key,
    connectors::Style,
    context::Context,
    dispatch::{STOPPING, Wanted},
    engine::Engine,
    events::Event,
    execute::FULL,
    generation::{Generation, Plugin, Source},
    groups,
    journal::Progress,
    runs::{Purpose, Run, describe},
};

const UNWRITTEN: &str = "Sorry, I can't write my audit log, so I won't do that; please tell an administrator";

/// What an authorizer says, or why it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Granted,
    Denied,
    Failed,
    /// There is nobody to ask.
    Misconfigured,
}

impl Verdict {
    /// Only one result says yes.
    fn of(status: TaskRetVal) -> Self {
        match status {
            TaskRetVal::SUCCESS => Self::Granted,
            TaskRetVal::FAIL => Self::Denied,
            _ => Self::Failed,
        }
    }

    fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Granted => None,
            Self::Denied => Some("Sorry, you're not authorized for that command"),
            Self::Failed => Some("Sorry, authorization failed due to a problem with the authorization plugin"),
            Self::Misconfigured => Some("Sorry, authorization failed due to a configuration error"),
        }
    }
}

fn event_of(status: TaskRetVal) -> Event {
    match status {
        TaskRetVal::SUCCESS => Event::AuthRanSuccess,
        TaskRetVal::FAIL => Event::AuthRanFail,
        TaskRetVal::MECHANISM_FAIL => Event::AuthRanMechanismFailed,
        TaskRetVal::NORMAL => Event::AuthRanFailNormal,
        _ => Event::AuthRanFailOther,
    }
}

/// The arguments of an authorizer: the command, the plugin, the group or role, then what the command itself gets.
fn question(plugin: &Plugin, command: &str, args: &[String]) -> Vec<String> {
    let head = ["_authorize", plugin.name.as_str(), plugin.guard.auth_require.as_str(), command];
    head.into_iter().map(str::to_owned).chain(args.iter().cloned()).collect()
}

/// What was found out about a command, or will be.
pub(crate) enum Asked {
    /// It may go on.
    Agreed,
    Refused(&'static str),
    /// The run of the authorizer; what is to be done then is to be left with [`Engine::wait_for`].
    Later(RunId),
}

/// What an authorizer keeps waiting.
pub(crate) enum Held {
    Command(Wanted),
    Step(Box<Run>),
}

/// A command whose authorizer runs.
pub(crate) struct Waiting {
    held: Held,
    verdict: Verdict,
}

/// The place in a pipeline that is under way: it, and its starter.
pub(crate) type Within = Option<(PipelineId, Option<usize>)>;

impl Engine {
    /// Asks the authorizer of a command, if it needs one.
    pub(crate) fn ask(
        &mut self,
        generation: &Rc<Generation>,
        plugin: &Plugin,
        command: &str,
        args: &[String],
        context: &Rc<Context>,
        within: Within,
    ) -> Asked {
        if plugin.name.as_str() == groups::NAME
            && let Some(refusal) = groups::refusal(command, context.listed || context.automatic)
        {
            return Asked::Refused(refusal);
        }
        if context.automatic || !access::needs_authorization(plugin, command) {
            return Asked::Agreed;
        }
        let authorizer = plugin.guard.authorizer.as_ref();
        if authorizer.is_some_and(|name| name.as_str() == groups::NAME) {
            let status = self.groups_say(generation, plugin, context);
            self.event(&context.protocol, event_of(status));
            return self.decide(Verdict::of(status), plugin, command, context);
        }
        let is_it = |e: &Extension| matches!(e.kind, Kind::Plugin) && authorizer == Some(&e.name);
        let Some(extension) = generation.robot.extensions.iter().position(is_it) else {
            self.event(&context.protocol, Event::AuthNoRunMisconfigured);
            return self.decide(Verdict::Misconfigured, plugin, command, context);
        };
        let name = authorizer.cloned().unwrap_or_default();
        let mut run = self.new_run(Purpose::Authorize, name, Rc::clone(context), question(plugin, command, args));
        let own = if let Source::Extension(index) = plugin.source { Some(index) } else { None };
        run.starter = within.map_or(own, |(_, starter)| starter);
        run.pipeline = within.map_or(run.pipeline, |(pipeline, _)| pipeline);
        run.generation = Some((Rc::clone(generation), extension));
        let (id, lane) = (run.id, run.lane().to_owned());
        if !self.admission.enqueue(&lane, id) {
            return Asked::Refused(FULL);
        }
        self.runs.insert(id, run);
        Asked::Later(id)
    }

    /// Leaves what an authorizer is asked about until its run is over.
    pub(crate) fn wait_for(&mut self, authorizer: RunId, held: Held) {
        self.waiting.insert(authorizer, Waiting { held, verdict: Verdict::Failed });
        self.admit_runs();
    }

    /// A decision is in the audit log before it takes effect.
    fn decide(&mut self, verdict: Verdict, plugin: &Plugin, command: &str, context: &Context) -> Asked {
        let refusal = verdict.refusal();
        let said = if refusal.is_none() { "authorized" } else { "not authorized" };
        let guard = &plugin.guard;
        let line = format!(
            "{said} by {} ({}): {}/{command} for {} in {}: {verdict:?}",
            guard.authorizer.as_ref().map_or("nobody", |name| name.as_str()),
            guard.auth_require,
            plugin.name,
            context.user,
            context.place()
        );
        let written = self.audit.record(&mut self.log, &line);
        match refusal {
            Some(text) => Asked::Refused(text),
            None if written => Asked::Agreed,
            None => Asked::Refused(UNWRITTEN),
        }
    }

    /// The answer of the authorizer `groups`.
    fn groups_say(&mut self, generation: &Generation, plugin: &Plugin, context: &Context) -> TaskRetVal {
        self.event(&context.protocol, Event::GoPluginRan);
        let group = plugin.guard.auth_require.as_str();
        let remembered = self.remembered_group(generation, group);
        let Some(answer) = generation.groups.authorize(group, context.user.as_str(), remembered.as_deref()) else {
            self.log.error(&format!("'{}' asks for the group {group:?}, which is not configured", plugin.name));
            return TaskRetVal::CONFIGURATION_ERROR;
        };
        let admin = generation.is_admin(&context.user);
        self.event(&context.protocol, if admin { Event::AdminCheckPassed } else { Event::AdminCheckFailed });
        // A name that is not in the roster may be anybody's.
        if context.listed { answer } else { TaskRetVal::FAIL }
    }

    /// The datum in which the stock extension keeps who was added to a group.
    fn remembered_group(&self, generation: &Generation, group: &str) -> Option<String> {
        let key = whole_key(groups::name_space(&generation.robot), group)?;
        self.memory.values.peek(&key).map(str::to_owned)
    }

    /// Has at hand what decides who is in which group.
    pub(crate) fn remember_groups(&mut self, generation: &Generation) {
        let name_space = groups::name_space(&generation.robot);
        self.keep_open(generation.groups.all().filter_map(|group| whole_key(name_space, group)).collect());
    }

    /// The groups of a user, as far as they are known to the authorizer `groups`.
    pub(crate) fn groups_of(&self, generation: &Generation, context: &Context) -> Vec<String> {
        if !context.listed || generation.groups.is_empty() {
            return Vec::new();
        }
        generation.groups.of_user(context.user.as_str(), |group| self.remembered_group(generation, group))
    }

    /// An authorizer has answered, or never will.
    pub(crate) fn authorizer_said(&mut self, run: &Run, outcome: &Result<Outcome, String>) {
        let status = match (outcome, &run.ending) {
            (Ok(Outcome::Exited { status, signal: None }), None) => *status,
            _ => TaskRetVal::MECHANISM_FAIL,
        };
        let how = match (outcome, &run.ending) {
            (_, Some(ending)) => format!("stopped {}", ending.reason),
            (Ok(outcome), None) => describe(outcome),
            (Err(reason), None) => reason.clone(),
        };
        let verdict = Verdict::of(status);
        let level = if verdict == Verdict::Failed { LogLevel::Error } else { LogLevel::Debug };
        self.log.line(level, &run.tag(), &format!("{} answered: {how}", run.title()));
        self.event(&run.context.protocol, event_of(status));
        if let Some(waiting) = self.waiting.get_mut(&run.id) {
            waiting.verdict = verdict;
        }
    }

    /// The processes of an authorizer are gone: what waited for it goes on, or is refused.
    pub(crate) fn authorizer_gone(&mut self, run: &Run) {
        match self.waiting.remove(&run.id) {
            Some(Waiting { held: Held::Command(wanted), verdict }) => {
                self.command_decided(&Wanted { pipeline: Some(run.pipeline), ..wanted }, verdict);
            }
            Some(Waiting { held: Held::Step(step), verdict }) => self.step_decided(*step, verdict),
            None => self.close(run.pipeline, &run.context),
        }
    }

    fn command_decided(&mut self, wanted: &Wanted, verdict: Verdict) {
        let generation = Rc::clone(&wanted.generation);
        let Some(plugin) = generation.plugins.get(wanted.plugin) else { return };
        let asked = if self.stopping() {
            Asked::Refused(STOPPING)
        } else {
            self.decide(verdict, plugin, &wanted.command, &wanted.context)
        };
        if let Asked::Refused(text) = asked {
            self.tell(&wanted.context, Style::SAY, text);
            self.end_wanted(wanted);
        } else {
            self.begin_command(wanted);
        }
    }

    fn step_decided(&mut self, step: Run, verdict: Verdict) {
        let plugin = step.generation.as_ref().and_then(|(generation, index)| generation.plugin_of(*index));
        let asked = match plugin {
            Some(plugin) => self.decide(verdict, plugin, &step.command, &step.context),
            None => Asked::Refused(UNWRITTEN),
        };
        let ended = match asked {
            Asked::Refused(text) => Some(self.refuse_step(step, text)),
            _ => self.begin_step(step),
        };
        if let Some(step) = ended {
            self.continue_pipeline(&step);
        }
    }

    /// A command that was kept waiting will not run, or has run here.
    pub(crate) fn end_wanted(&mut self, wanted: &Wanted) {
        if let Some(pipeline) = wanted.pipeline {
            self.close(pipeline, &wanted.context);
        }
    }

    fn close(&mut self, pipeline: PipelineId, context: &Context) {
        self.pipelines.remove(&pipeline);
        self.supervisor.send(&EngineToSupervisor::PipelineClosed { pipeline });
        self.journal.advance(&context.protocol, &context.event, Progress::Finished);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_result_says_yes() {
        for number in -1..300 {
            let status = TaskRetVal(number);
            let expected = match number {
                7 => (Verdict::Granted, "AuthRanSuccess"),
                1 => (Verdict::Denied, "AuthRanFail"),
                2 => (Verdict::Failed, "AuthRanMechanismFailed"),
                0 => (Verdict::Failed, "AuthRanFailNormal"),
                _ => (Verdict::Failed, "AuthRanFailOther"),
            };
            assert_eq!((Verdict::of(status), event_of(status).name()), expected, "{number}");
            assert_eq!(Verdict::of(status).refusal().is_none(), number == 7);
        }
    }
}

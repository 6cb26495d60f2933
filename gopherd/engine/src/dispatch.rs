//! From an inbound message to the decision what it starts (spec: configuration §4.4).
//!
//! A decision never waits, and messages are decided in order of arrival; so each channel is, too.

use std::{rc::Rc, time::Instant};

use gopher_protocol::{
    connector::{EngineToConnector, Inbound},
    ids::PipelineId,
    robot::{CommandMode, Extension, Kind},
    robot_api::LogLevel,
};

use crate::{
    access::{self, Manner},
    authorize::{Asked, Held},
    connectors::Style,
    context::Context,
    elsewhere,
    engine::{Engine, Phase},
    ephemeral::Resolved,
    events::Event,
    generation::{Generation, Source},
    intake::{Verdict, admit},
    journal::Progress,
    matching::{self, Found, Hit},
    prompts::Slot,
    runs::Purpose,
    subscriptions::{Ended, Thread},
};

const CLOSED: &str = "(the robot is still starting up, please wait and try your command again later)";
pub(crate) const STOPPING: &str = "Sorry, I'm shutting down and can't start any new tasks";
const SEVERAL: &str = "Yikes! Your command matched multiple plugins, so I'm not doing ANYTHING";

/// A command whose first checks are passed.
pub(crate) struct Wanted {
    pub(crate) generation: Rc<Generation>,
    /// Place in [`Generation::plugins`].
    pub(crate) plugin: usize,
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) context: Rc<Context>,
    pub(crate) purpose: Purpose,
    /// An administrator's, or refused to others.
    pub(crate) checked: bool,
    /// The pipeline that its authorizer has begun.
    pub(crate) pipeline: Option<PipelineId>,
}

/// In the thread of the message; plain in a direct message, which has none.
const IN_THREAD: Style = Style { manner: Manner::Say, in_thread: true, format: None };

impl Engine {
    pub(crate) fn inbound(&mut self, protocol: &Rc<str>, message: &Inbound) {
        let Some(generation) = self.current.clone() else { return };
        let is_new = self.journal.accept(protocol, &message.event);
        if let Some(wire) = self.connectors.get_mut(protocol).and_then(|c| c.wire.as_mut()) {
            wire.put(&EngineToConnector::Accepted { event: message.event.clone() });
        }
        if !is_new {
            return;
        }
        match admit(&generation, protocol, message) {
            Verdict::Own => {}
            Verdict::Nameless => self.log.error(&format!("[{protocol}] sent a message of nobody")),
            Verdict::Ignored(reason) => {
                self.event(protocol, Event::IgnoredUser);
                self.log.line(LogLevel::Debug, "engine", &format!("[{protocol}] ignored: {reason}"));
            }
            Verdict::Accepted(context) => self.dispatch(&generation, *context, &message.text),
        }
        if !self.runs.values().any(|r| r.context.event == message.event && *r.context.protocol == **protocol) {
            self.journal.advance(protocol, &message.event, Progress::Finished);
        }
    }

    fn dispatch(&mut self, generation: &Rc<Generation>, mut context: Context, message: &str) {
        context.groups = self.groups_of(generation, &context);
        if context.direct {
            self.event(&context.protocol, Event::BotDirectMessage);
        }
        let text = self.address(&mut context, message);
        if context.is_command() && matches!(self.phase, Phase::Starting | Phase::Initializing { .. }) {
            self.tell(&context, Style::REPLY, CLOSED);
            return;
        }
        if self.take_reply(&context, message) {
            return;
        }
        let spoken = !context.self_message && !context.bot_user;
        let now = Instant::now();
        if context.hidden && spoken && !context.is_command() {
            self.hidden_remark(generation, &context, message);
            return;
        }
        if !context.is_command() {
            let heard = !context.self_message && spoken && self.overhear(generation, &context, message);
            if heard {
                self.ephemeral.forget_remark(&context);
            } else if !context.bot_user {
                self.ephemeral.note_remark(&context, message, now);
            }
            if !heard && spoken {
                self.subscribed(generation, &context, message);
            }
            return;
        }
        if context.self_message {
            return;
        }
        let called = text.trim().is_empty() && !context.bot_user;
        let command = if called { self.bare(generation, &context, message, now) } else { Some(text) };
        self.ephemeral.forget_remark(&context);
        let Some(command) = command else { return };
        if self.try_command(generation, &context, &command) {
            return;
        }
        if !spoken || self.overhear(generation, &context, message) {
            return;
        }
        if let Some(hint) = elsewhere::hint(generation, &context, &command) {
            self.tell(&context, IN_THREAD, hint);
            return;
        }
        // Whoever only called the robot meant what was said before.
        if !self.catch_all(generation, &context, if called { &command } else { message }) {
            self.subscribed(generation, &context, message);
        }
    }

    /// What matched nothing goes to the plugin that listens to the thread, if one does.
    fn subscribed(&mut self, generation: &Rc<Generation>, context: &Context, message: &str) {
        if self.subscriptions.is_empty() || context.direct {
            return;
        }
        let Some(name) = self.subscriptions.hears(&Thread::of(context), Instant::now()) else { return };
        // A plugin that is gone, or may not speak with this user, hears nothing.
        let plugin = generation.plugins.iter().position(|p| p.name == name);
        let plugin = plugin.filter(|index| {
            generation.plugins.get(*index).is_some_and(|p| access::available_here(generation, p, context))
        });
        let Some(plugin) = plugin else { return };
        self.start_command(generation, plugin, "_subscribed", vec![message.to_owned()], context, Purpose::Subscription);
    }

    /// Tells a plugin that nothing was said in its thread for long.
    pub(crate) fn subscription_ended(&mut self, ended: Ended) {
        let Some(generation) = self.current.clone() else { return };
        let is_it = |e: &Extension| matches!(e.kind, Kind::Plugin) && e.name == ended.plugin;
        let Some(extension) = generation.robot.extensions.iter().position(is_it) else { return };
        let context = Context {
            channel: ended.thread.channel,
            channel_id: ended.channel_id,
            thread: ended.thread.id,
            threaded: true,
            ..Context::automatic(&ended.thread.protocol)
        };
        let args = vec!["_expiresub".to_owned()];
        let mut run = self.new_run(Purpose::SubscriptionEnd, ended.plugin, Rc::new(context), args);
        run.generation = Some((generation, extension));
        self.queue_run(run);
    }

    /// Nobody but the robot can see it, but it names nobody: whoever wrote it is told how to address a command.
    fn hidden_remark(&mut self, generation: &Rc<Generation>, context: &Context, message: &str) {
        if self.try_command(generation, context, message) || self.overhear(generation, context, message) {
            return;
        }
        let transport = self.hidden_transport(&context.protocol);
        if let Some((manner, text)) = access::hidden_refusal(generation, context, transport) {
            self.tell(context, Style { manner, in_thread: false, format: None }, text);
        }
    }

    /// Finds out whether and how the robot is addressed; gives back what remains of the text.
    fn address(&self, context: &mut Context, message: &str) -> String {
        if context.bot_message {
            context.mode = Some(CommandMode::Alias);
            return message.to_owned();
        }
        let addressing = self.connectors.get(context.protocol.as_str()).and_then(|c| c.addressing.as_ref());
        if let Some(addressed) = addressing.and_then(|a| a.recognise(message)) {
            context.mode = Some(addressed.mode);
            return addressed.text;
        }
        context.mode = context.direct.then_some(CommandMode::Direct);
        message.to_owned()
    }

    /// A prompt that waits for this user here outranks everything.
    fn take_reply(&mut self, context: &Context, message: &str) -> bool {
        if self.prompts.is_empty() {
            return false;
        }
        let slot = Slot {
            protocol: context.protocol.clone(),
            user: context.user.as_str().to_owned(),
            channel: context.channel.clone(),
            thread: context.thread_if_threaded().to_owned(),
        };
        let Some(ended) = self.prompts.reply(&slot, message) else { return false };
        for answered in ended {
            self.answer_prompt(answered);
        }
        true
    }

    /// The robot was called and nothing else: the user's last remark may have been meant for it.
    fn bare(&mut self, generation: &Rc<Generation>, context: &Context, message: &str, now: Instant) -> Option<String> {
        if message.ends_with('?') && self.try_command(generation, context, "?") {
            return None;
        }
        let remark = self.ephemeral.take_remark(context, now);
        if remark.is_none() {
            self.tell(context, Style::SAY, "Yes?");
        }
        remark
    }

    fn try_command(&mut self, generation: &Rc<Generation>, context: &Context, text: &str) -> bool {
        let found = matching::command(generation, context, text);
        self.take(generation, context, found, Purpose::Command)
    }

    fn overhear(&mut self, generation: &Rc<Generation>, context: &Context, message: &str) -> bool {
        let found = matching::ambient(generation, context, message);
        self.take(generation, context, found, Purpose::Message)
    }

    /// Acts on a result of matching; `true` if there was one.
    fn take(&mut self, generation: &Rc<Generation>, context: &Context, found: Found, purpose: Purpose) -> bool {
        match found {
            Found::Nothing => return false,
            Found::Several(one, other) => {
                let name = |index: usize| generation.plugins.get(index).map_or("?", |p| p.name.as_str());
                self.event(&context.protocol, Event::MultipleMatchesNoAction);
                self.log.error(&format!("a message of {} matched '{}' and '{}'", context.user, name(one), name(other)));
                self.tell(context, Style::SAY, SEVERAL);
            }
            Found::Mistaken(sentence) => self.tell(context, IN_THREAD, sentence),
            Found::One(hit) => self.start_hit(generation, context, hit, purpose),
        }
        true
    }

    fn start_hit(&mut self, generation: &Rc<Generation>, context: &Context, hit: Hit, purpose: Purpose) {
        let Some(plugin) = generation.plugins.get(hit.plugin) else { return };
        let of_class = if purpose == Purpose::Message { &plugin.messages } else { &plugin.commands };
        let Some(pattern) = of_class.get(hit.matcher) else { return };
        let mut args = hit.args;
        let labels = &pattern.matcher.contexts;
        if labels.len() > args.len() {
            let name = format!("{}/{}", plugin.name, pattern.matcher.command);
            self.log.error(&format!("'{name}' has {} contexts and only {} captures", labels.len(), args.len()));
        }
        if !labels.is_empty()
            && let Resolved::Unknown(label) = self.ephemeral.resolve(context, labels, &mut args, Instant::now())
        {
            let text = format!(
                "Sorry, I don't remember which {label} we were talking about - please re-enter your command and be more \
                 specific"
            );
            self.tell(context, Style::SAY, text);
            return;
        }
        self.start_command(generation, hit.plugin, &pattern.matcher.command, args, context, purpose);
    }

    /// Whether there was one for it.
    fn catch_all(&mut self, generation: &Rc<Generation>, context: &Context, message: &str) -> bool {
        if self.stopping() {
            return true;
        }
        let plugin = match matching::catch_all(generation, context) {
            Ok(Some(plugin)) => plugin,
            Ok(None) => return false,
            Err(several) => {
                let plugins = several.iter().filter_map(|index| generation.plugins.get(*index));
                let names: Vec<String> = plugins.map(|p| format!("'{}'", p.name)).collect();
                let names = names.join(", ");
                let place = context.place();
                self.log.error(&format!("no catch-all ran for {} in {place}: {names} all want it", context.user));
                return false;
            }
        };
        self.event(&context.protocol, Event::CatchAllsRan);
        self.start_command(generation, plugin, "_catchall", vec![message.to_owned()], context, Purpose::CatchAll);
        true
    }

    /// The checks of a command, the audit line, and only then its start.
    fn start_command(
        &mut self,
        generation: &Rc<Generation>,
        index: usize,
        command: &str,
        args: Vec<String>,
        context: &Context,
        purpose: Purpose,
    ) {
        let Some(plugin) = generation.plugins.get(index) else { return };
        let protocol = context.protocol.as_str();
        if self.stopping() && !(plugin.name.as_str() == "builtin-admin" && matches!(command, "ps" | "kill" | "abort")) {
            self.tell(context, Style::SAY, STOPPING);
            return;
        }
        let judgement = access::judge(generation, plugin, command, context, self.hidden_transport(protocol));
        let checked = judgement.event.is_some();
        if let Some(event) = judgement.event {
            self.event(protocol, event);
        }
        if let Some((manner, text)) = judgement.refusal {
            let line =
                format!("refused: {}/{command} for {} in {}: {text}", plugin.name, context.user, context.place());
            if checked && !self.audit.record(&mut self.log, &line) {
                self.log.warn(&line);
            }
            self.tell(context, Style { manner, in_thread: false, format: None }, text);
            return;
        }
        let wanted = Wanted {
            generation: Rc::clone(generation),
            plugin: index,
            command: command.to_owned(),
            args,
            context: Rc::new(context.clone()),
            purpose,
            checked,
            pipeline: None,
        };
        match self.ask(generation, plugin, command, &wanted.args, &wanted.context, None) {
            Asked::Agreed => self.begin_command(&wanted),
            Asked::Refused(text) => self.tell(context, Style::SAY, text),
            Asked::Later(authorizer) => self.wait_for(authorizer, Held::Command(wanted)),
        }
    }

    /// Starts a command to which its authorizer has agreed, if it has one.
    pub(crate) fn begin_command(&mut self, wanted: &Wanted) {
        let generation = Rc::clone(&wanted.generation);
        let Some(plugin) = generation.plugins.get(wanted.plugin) else { return };
        let Wanted { command, args, context, purpose, .. } = wanted;
        let elevation = access::elevation_refusal(plugin, command).filter(|_| !context.automatic);
        if let Some(text) = elevation {
            self.tell(context, Style::SAY, text);
            self.end_wanted(wanted);
            return;
        }
        let is_extension = matches!(plugin.source, Source::Extension(_));
        if is_extension || wanted.checked || context.private() {
            let how = if context.private() { "private " } else { "" };
            // Only of compiled-in commands it is known which arguments are no secret.
            let shown = match plugin.source {
                Source::BuiltIn(built_in) if !built_in.keeps_secret(command) => format!(" {}", args.join(" ")),
                Source::BuiltIn(_) | Source::Extension(_) => String::new(),
            };
            let line = format!("{how}{}/{command}{shown} for {} in {}", plugin.name, context.user, context.place());
            if !self.audit.record(&mut self.log, &line) {
                let text = "Sorry, I can't write my audit log, so I won't do that; please tell an administrator";
                self.tell(context, Style::REPLY, text);
                self.end_wanted(wanted);
                return;
            }
        }
        match plugin.source {
            Source::BuiltIn(built_in) => {
                self.announce(&context.protocol, *purpose, true, false);
                self.run_builtin(built_in, &generation, context, command, args);
                self.end_wanted(wanted);
            }
            Source::Extension(extension) => {
                let whole = [std::slice::from_ref(command), args.as_slice()].concat();
                let mut run = self.new_run(*purpose, plugin.name.clone(), Rc::clone(context), whole);
                run.pipeline = wanted.pipeline.unwrap_or(run.pipeline);
                run.generation = Some((Rc::clone(&generation), extension));
                self.journal.advance(&context.protocol, &context.event, Progress::Started);
                let id = run.id;
                self.queue_run(run);
                if !self.runs.contains_key(&id) {
                    self.end_wanted(wanted);
                }
            }
        }
    }

    /// Tells suites that something starts; `follows` is a later step of what was told already.
    pub(crate) fn announce(&mut self, protocol: &str, purpose: Purpose, compiled: bool, follows: bool) {
        match purpose {
            Purpose::SubscriptionEnd | Purpose::Init | Purpose::Configure => return,
            _ if follows => {}
            Purpose::Command => self.event(protocol, Event::CommandTaskRan),
            Purpose::Message => self.event(protocol, Event::AmbientTaskRan),
            Purpose::CatchAll => self.event(protocol, Event::CatchAllTaskRan),
            Purpose::Subscription | Purpose::Authorize => {}
        }
        self.event(protocol, if compiled { Event::GoPluginRan } else { Event::ExternalTaskRan });
    }
}

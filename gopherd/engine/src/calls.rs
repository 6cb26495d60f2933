//! Robot API calls of runs: each is checked, acted on, and answered now or later.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use gopher_protocol::{
    connector::{Destination, EngineToConnector, Outbound},
    ids::{CallId, RunId, ThreadId, UserId, UserName},
    robot::Kind,
    robot_api::{LogLevel, MessageFormat, RetVal, RobotAnswer, RobotCall},
    worker::EngineToWorker,
};

use gopher_sys::poll::NEXT_CALL;

use crate::{
    attributes::{self, Attribute},
    brain::{Asker, Brain, whole_key},
    context::{Context, bracketed},
    engine::Engine,
    events::Event,
    generation::Generation,
    help::Helper,
    log::printable,
    mailing::Draft,
    outbox::Sender,
    prompts::{Answered, Asked, Caller, Slot, reply_matcher},
    subscriptions::Thread,
};

/// How long people have for an answer: the clients of external scripts wait no longer.
const PROMPT: Duration = Duration::from_secs(45);
/// The same at a terminal, for extensions that have no client with a time-out of its own (spec: Robot API §1.5).
const TERMINAL_PROMPT: Duration = Duration::from_mins(42);
/// How long a connector has for an attribute.
const LOOK_UP: Duration = Duration::from_secs(10);
/// Calls of one run that may wait at once.
const OPEN_CALLS: usize = 256;

/// Where a message of a run goes.
struct Target<'a> {
    protocol: Option<&'a str>,
    /// `None` speaks to the channel.
    user: Option<&'a str>,
    /// Empty is a direct message.
    channel: &'a str,
    thread: &'a str,
}

/// A run as its calls see it.
pub(crate) struct Subject {
    pub(crate) caller: Caller,
    pub(crate) generation: Rc<Generation>,
    extension: usize,
    pub(crate) context: Rc<Context>,
    pub(crate) tag: String,
}

/// Who wants to know an attribute from a connector.
pub(crate) enum Inquirer {
    Call(Caller),
    /// A mail that needs an address.
    Mail(Box<Draft>),
}

/// An attribute asked of a connector.
pub(crate) struct LookUp {
    asker: Inquirer,
    pub(crate) until: Instant,
}

impl LookUp {
    pub(crate) fn run(&self) -> RunId {
        match &self.asker {
            Inquirer::Call(caller) => caller.run,
            Inquirer::Mail(draft) => draft.caller.run,
        }
    }
}

impl Subject {
    fn name_space(&self) -> &str {
        self.generation
            .robot
            .extensions
            .get(self.extension)
            .map_or("", |e| e.name_space.as_deref().unwrap_or(e.name.as_str()))
    }
}

impl Engine {
    pub(crate) fn call(&mut self, id: RunId, call: CallId, request: RobotCall) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let caller = Caller { run: id, call };
        run.open_calls += 1;
        let refused = if !run.has_voice() {
            Some("this run is over and may no longer call the robot")
        } else if run.open_calls > OPEN_CALLS {
            Some("too many calls of this run wait for an answer")
        } else {
            None
        };
        let subject = run.generation.clone().map(|(generation, extension)| Subject {
            caller,
            generation,
            extension,
            context: Rc::clone(&run.context),
            tag: run.tag(),
        });
        let answer = match (refused, subject) {
            (Some(reason), _) => Some(RobotAnswer::Refused(reason.to_owned())),
            (None, None) => Some(RobotAnswer::Refused("a _configure run has no robot to call".to_owned())),
            (None, Some(subject)) => self.serve(&subject, request),
        };
        if let Some(answer) = answer {
            self.answer(caller, answer);
        }
    }

    /// Answers a call; one of a run that is gone is forgotten.
    pub(crate) fn answer(&mut self, caller: Caller, answer: RobotAnswer) {
        let Some(run) = self.runs.get_mut(&caller.run) else { return };
        run.open_calls = run.open_calls.saturating_sub(1);
        let Some(wire) = &mut run.wire else { return };
        if !wire.send(&EngineToWorker::Answer { call: caller.call, answer }) {
            let answer = RobotAnswer::Refused("the answer is too long".to_owned());
            wire.send(&EngineToWorker::Answer { call: caller.call, answer });
        }
        // A script that is built in is quicker than that, and may wait for this processor.
        if run.extension().is_some_and(|extension| !extension.runtime.is_embedded()) {
            self.poller.expect(NEXT_CALL);
        }
    }

    pub(crate) fn answer_prompt(&mut self, ended: Answered) {
        self.answer(ended.caller, RobotAnswer::Reply { text: ended.text, ret: ended.ret });
    }

    pub(crate) fn expire_lookups(&mut self, now: Instant) {
        let late: Vec<CallId> =
            self.lookups.iter().filter(|(_, look_up)| look_up.until <= now).map(|(call, _)| *call).collect();
        for call in late {
            self.looked_up(call, String::new(), RetVal::Failed);
        }
    }

    /// A connector has answered, or time has.
    pub(crate) fn looked_up(&mut self, call: CallId, value: String, ret: RetVal) {
        match self.lookups.remove(&call).map(|look_up| look_up.asker) {
            Some(Inquirer::Call(caller)) => self.answer(caller, RobotAnswer::Attribute { value, ret }),
            Some(Inquirer::Mail(draft)) => self.recipient(*draft, value, ret),
            None => {}
        }
    }

    /// Asks a connector for an attribute; the error is what is answered instead.
    pub(crate) fn look_up(
        &mut self,
        protocol: &str,
        user: &str,
        attribute: String,
        asker: Inquirer,
    ) -> Result<(), RetVal> {
        let call = self.next_call;
        self.next_call = call.next();
        let connector = self.connectors.get_mut(protocol).filter(|c| c.is_up());
        let wire = connector.and_then(|c| c.wire.as_mut()).ok_or(RetVal::Failed)?;
        if !wire.send(&EngineToConnector::LookUp { call, user: user.to_owned(), attribute }) {
            return Err(RetVal::AttributeNotFound);
        }
        self.lookups.insert(call, LookUp { asker, until: Instant::now() + LOOK_UP });
        Ok(())
    }

    /// Plugins only: a thread is part of a conversation, which tasks and jobs have none of.
    fn subscribe(&mut self, subject: &Subject, begin: bool) -> bool {
        let extension = subject.generation.robot.extensions.get(subject.extension);
        let plugin = extension.filter(|e| matches!(e.kind, Kind::Plugin));
        let context = &subject.context;
        let Some(plugin) = plugin.filter(|_| !context.direct && !context.thread.is_empty()) else { return false };
        let thread = Thread::of(context);
        if begin {
            self.subscriptions.subscribe(thread, context.channel_id.clone(), &plugin.name, Instant::now())
        } else {
            self.subscriptions.unsubscribe(&thread, &plugin.name)
        }
    }

    /// `None` if the answer comes later.
    fn serve(&mut self, subject: &Subject, request: RobotCall) -> Option<RobotAnswer> {
        let (context, generation) = (&*subject.context, &*subject.generation);
        match request {
            RobotCall::SendChannelThread { channel, thread, text, format } => {
                let target = Target { protocol: None, user: None, channel: &channel, thread: &thread };
                self.send_call(subject, &target, text, format)
            }
            RobotCall::SendUserChannelThread { user, channel, thread, text, format } => {
                let target = Target { protocol: None, user: Some(&user), channel: &channel, thread: &thread };
                self.send_call(subject, &target, text, format)
            }
            RobotCall::SendUser { user, text, format } => {
                let target = Target { protocol: None, user: Some(&user), channel: "", thread: "" };
                self.send_call(subject, &target, text, format)
            }
            RobotCall::SendProtocolUserChannel { protocol, user, channel, text, format } => {
                if protocol.is_empty() || (user.is_empty() && channel.is_empty()) {
                    return Some(RobotAnswer::RetVal(RetVal::MissingArguments));
                }
                if !self.connectors.contains_key(protocol.as_str()) {
                    return Some(RobotAnswer::RetVal(RetVal::Failed));
                }
                let user = Some(user.as_str()).filter(|u| !u.is_empty());
                let target = Target { protocol: Some(&protocol), user, channel: &channel, thread: "" };
                self.send_call(subject, &target, text, format)
            }
            RobotCall::Prompt { matcher, user, channel, thread, prompt, format } => {
                let target = Target { protocol: None, user: Some(&user), channel: &channel, thread: &thread };
                self.prompt(subject, &target, &matcher, prompt, format)
            }
            RobotCall::Subscribe => Some(RobotAnswer::Boolean(self.subscribe(subject, true))),
            RobotCall::Unsubscribe => Some(RobotAnswer::Boolean(self.subscribe(subject, false))),
            RobotCall::AddTask { to, name, args } => {
                Some(RobotAnswer::RetVal(self.add_task(subject, &to, &name, args)))
            }
            RobotCall::AddCommand { to, plugin, text } => Some(self.add_command(subject, &to, &plugin, &text)),
            RobotCall::SetParameter { name, value } => {
                Some(RobotAnswer::Boolean(self.set_parameter(subject, &name, &value)))
            }
            RobotCall::CheckAdmin => {
                let admin = context.automatic || generation.is_admin(&context.user);
                self.event(&context.protocol, if admin { Event::AdminCheckPassed } else { Event::AdminCheckFailed });
                Some(RobotAnswer::Boolean(admin))
            }
            RobotCall::BotAttribute { attribute } => {
                let capabilities = self.connectors.get(context.protocol.as_str()).and_then(|c| c.capabilities.as_ref());
                let id = capabilities.and_then(|c| c.robot_id.as_ref()).map(UserId::as_str);
                attributes::of_robot(generation, context, id, &attribute).into_answer()
            }
            RobotCall::SenderAttribute { attribute } => {
                let found = attributes::of_sender(generation, context, &attribute);
                self.attribute(subject, found, context.user.as_str(), attribute)
            }
            RobotCall::UserAttribute { user, attribute } => {
                let found = attributes::of_user(generation, &user, &attribute);
                self.attribute(subject, found, &user, attribute)
            }
            RobotCall::TaskConfig => {
                let config = generation.robot.extensions.get(subject.extension).and_then(|e| e.config.clone());
                Some(RobotAnswer::Config(config.unwrap_or_else(|| "{}".to_owned())))
            }
            RobotCall::Log { level, text } => {
                self.log_call(subject, level, &text);
                Some(RobotAnswer::RetVal(RetVal::Ok))
            }
            RobotCall::HelpMetadata { query } => {
                let transport = self.hidden_transport(&context.protocol);
                Some(RobotAnswer::Text(Helper { generation, context, transport }.metadata(&query)))
            }
            RobotCall::Email { to, subject: title, body, html } => self.email(subject, to, title, body, html),
            RobotCall::Unsupported { function } => Some(RobotAnswer::Refused(format!("{function} is not offered yet"))),
            memory => self.memory_call(subject, memory),
        }
    }

    fn memory_call(&mut self, subject: &Subject, request: RobotCall) -> Option<RobotAnswer> {
        let (context, now) = (&*subject.context, Instant::now());
        let asker = Asker::Run(subject.caller);
        let ok = Some(RobotAnswer::RetVal(RetVal::Ok));
        match request {
            RobotCall::Remember { key, value, shared, thread } => {
                self.ephemeral.remember(context, &key, value, shared, thread, now);
                ok
            }
            RobotCall::Recall { key, shared } => {
                Some(RobotAnswer::Text(self.ephemeral.recall(context, &key, shared, now)))
            }
            RobotCall::DeleteMemory { key, shared } => {
                self.ephemeral.delete(context, &key, shared);
                ok
            }
            RobotCall::CheckoutDatum { key, write } => {
                let Some(key) = whole_key(subject.name_space(), &key) else {
                    let ret = RetVal::InvalidDatumKey;
                    return Some(RobotAnswer::Datum { token: String::new(), datum: None, ret });
                };
                let steps = if write { self.brain.checkout(&key, asker, now) } else { Brain::read(&key, asker) };
                self.take_steps(steps);
                None
            }
            RobotCall::CheckinDatum { key, token } => {
                if let Some(key) = whole_key(subject.name_space(), &key) {
                    let steps = self.brain.checkin(&key, &token, now);
                    self.take_steps(steps);
                }
                ok
            }
            RobotCall::UpdateDatum { key, token, datum } => {
                let Some(key) = whole_key(subject.name_space(), &key) else {
                    return Some(RobotAnswer::RetVal(RetVal::InvalidDatumKey));
                };
                if token.is_empty() {
                    self.log.line(
                        LogLevel::Warn,
                        &subject.tag,
                        &format!("{key} was updated without a lock: nothing is stored"),
                    );
                }
                let steps = self.brain.update(&key, &token, datum, asker);
                self.take_steps(steps);
                None
            }
            RobotCall::DeleteDatum { key } => match whole_key(subject.name_space(), &key) {
                Some(key) => {
                    let steps = self.brain.put(&key, None, asker, now);
                    self.take_steps(steps);
                    None
                }
                None => Some(RobotAnswer::RetVal(RetVal::InvalidDatumKey)),
            },
            _ => Some(RobotAnswer::Refused("the robot does not know this call".to_owned())),
        }
    }

    fn log_call(&mut self, subject: &Subject, level: LogLevel, text: &str) {
        let Some(run) = self.runs.get_mut(&subject.caller.run) else { return };
        for line in text.lines() {
            let kept = printable(line);
            // A run has one share of the log for what it prints and what it logs.
            if run.output.note(format!("LOG {}: {kept}", level.name())).is_some() {
                self.log.line(level, &subject.tag, &kept);
            }
        }
    }

    fn attribute(&mut self, subject: &Subject, found: Attribute, user: &str, attribute: String) -> Option<RobotAnswer> {
        if found != Attribute::AskConnector {
            return found.into_answer();
        }
        let asked = self.look_up(&subject.context.protocol, user, attribute, Inquirer::Call(subject.caller));
        asked.err().map(|ret| RobotAnswer::Attribute { value: String::new(), ret })
    }

    fn send_call(
        &mut self,
        subject: &Subject,
        target: &Target<'_>,
        text: String,
        format: Option<MessageFormat>,
    ) -> Option<RobotAnswer> {
        let sent = self.send_to(subject, target, text, format, Sender::Call(subject.caller));
        sent.err().map(RobotAnswer::RetVal)
    }

    fn send_to(
        &mut self,
        subject: &Subject,
        target: &Target<'_>,
        text: String,
        format: Option<MessageFormat>,
        sender: Sender,
    ) -> Result<(), RetVal> {
        if text.is_empty() {
            self.log.line(LogLevel::Warn, &subject.tag, "Ignoring zero-length message");
            return Err(RetVal::Failed);
        }
        let (context, generation) = (&*subject.context, &*subject.generation);
        let protocol = target.protocol.unwrap_or(context.protocol.as_str());
        let connector = self.route(protocol).ok_or(RetVal::FailedMessageSend)?;
        let channel = || generation.channel_for_connector(protocol, target.channel);
        let (destination, text) = match (target.user, target.channel.is_empty()) {
            (None, true) => return Err(RetVal::ChannelNotFound),
            (Some(""), _) => return Err(RetVal::UserNotFound),
            (None, false) => (Destination::Channel { channel: channel() }, text),
            (Some(user), true) => (Destination::User { user: user.to_owned() }, text),
            // Robots that mention each other would go on for ever.
            (Some(user), false) if is_bot(generation, user) => {
                (Destination::Channel { channel: channel() }, format!("{user}: {text}"))
            }
            (Some(user), false) => (Destination::UserInChannel { user: user.to_owned(), channel: channel() }, text),
        };
        let message = Outbound {
            destination,
            thread: (!target.thread.is_empty()).then(|| ThreadId::new(target.thread)),
            text,
            format: format.unwrap_or(generation.robot.default_format),
            hidden: stays_hidden(context, protocol, target),
            answers: answers(context, protocol),
        };
        self.send_message(&connector, sender, message)
    }

    fn prompt(
        &mut self,
        subject: &Subject,
        target: &Target<'_>,
        matcher: &str,
        text: String,
        format: Option<MessageFormat>,
    ) -> Option<RobotAnswer> {
        let failed = |ret| Some(RobotAnswer::Reply { text: String::new(), ret });
        let extension = subject.generation.robot.extensions.get(subject.extension)?;
        let Some(regex) = reply_matcher(extension, matcher) else { return failed(RetVal::MatcherNotFound) };
        let Some(user) = target.user.filter(|u| !u.is_empty()) else { return failed(RetVal::UserNotFound) };
        let context = &subject.context;
        let slot = Slot {
            protocol: context.protocol.clone(),
            user: if context.is_sender(user) { context.user.as_str().to_owned() } else { user.to_lowercase() },
            channel: match bracketed(target.channel) {
                _ if context.is_channel(target.channel) => context.channel.clone(),
                Some(id) => subject
                    .generation
                    .channel_name(&context.protocol, id)
                    .map_or_else(|| target.channel.to_owned(), str::to_owned),
                None => target.channel.to_owned(),
            },
            thread: if target.channel.is_empty() { String::new() } else { target.thread.to_owned() },
        };
        // The slot waits before the text is out, so that no answer can be too quick.
        let at_terminal = matches!(&*context.protocol, "ssh" | "terminal");
        let patience = if at_terminal && extension.runtime.is_embedded() { TERMINAL_PROMPT } else { PROMPT };
        if self.prompts.ask(slot, subject.caller, regex, Instant::now() + patience) == Asked::Queued {
            return None;
        }
        if let Err(ret) = self.send_to(subject, target, text, format, Sender::Prompt(subject.caller)) {
            for answered in self.prompts.withdraw(subject.caller, ret) {
                self.answer_prompt(answered);
            }
        }
        None
    }
}

fn is_bot(generation: &Generation, user: &str) -> bool {
    generation.roster_entry(&UserName(user.to_lowercase())).is_some_and(|e| e.bot_user)
}

/// Whose message a run on this protocol answers.
fn answers(context: &Context, protocol: &str) -> Option<String> {
    (!context.automatic && protocol == context.protocol).then(|| context.user.as_str().to_owned())
}

/// A reply to a hidden command is hidden only while it goes to the same user, in the same place or alone.
fn stays_hidden(context: &Context, protocol: &str, target: &Target<'_>) -> bool {
    let same_place = target.channel.is_empty() || context.is_channel(target.channel);
    let same_user = target.user.is_none_or(|user| context.is_sender(user));
    context.hidden && protocol == context.protocol && same_place && same_user
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_hidden_reply_is_hidden_only_where_the_command_was() {
        let hidden = Context { hidden: true, ..testing::context("bob", "general") };
        let to = |user, channel| Target { protocol: None, user, channel, thread: "" };
        for (target, expected) in [
            (to(None, "general"), true),
            (to(None, "<#general>"), true),
            (to(Some("bob"), "general"), true),
            (to(Some("<u-bob>"), "general"), true),
            (to(Some("carol"), "general"), false),
            (to(None, "random"), false),
            (to(Some("bob"), ""), true),
            (to(Some("carol"), ""), false),
        ] {
            assert_eq!(stays_hidden(&hidden, "test", &target), expected, "{:?} {}", target.user, target.channel);
        }
        assert!(!stays_hidden(&hidden, "ssh", &to(None, "general")));
        assert!(!stays_hidden(&testing::context("bob", "general"), "test", &to(None, "general")));
        let direct = Context { direct: true, channel: String::new(), ..hidden };
        assert!(stays_hidden(&direct, "test", &to(Some("bob"), "")));
    }
}

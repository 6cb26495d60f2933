//! Connectors: what they are told, what they report, and how messages reach them.

use std::{os::fd::OwnedFd, rc::Rc, time::Instant};

use gopher_protocol::{
    connector::{Capabilities, ConnectorSettings, ConnectorToEngine, Destination, EngineToConnector, MAIL, Outbound},
    ids::{DeliveryId, ThreadId},
    robot_api::{LogLevel, MessageFormat, RetVal, RobotAnswer},
    supervisor::EngineToSupervisor,
};

use crate::{
    access::{HiddenTransport, Manner},
    addressing::Addressing,
    context::{Context, TERMINAL, TEST},
    engine::{BURST, Engine, Phase, Who},
    events::Event,
    execute::TALK,
    generation::Generation,
    outbox::Sender,
    wire::Wire,
};

/// One connector, whether it is there or only wanted.
#[derive(Default)]
pub(crate) struct Connector {
    pub(crate) wire: Option<Wire<EngineToConnector, ConnectorToEngine>>,
    /// Known once it is up.
    pub(crate) capabilities: Option<Capabilities>,
    pub(crate) addressing: Option<Addressing>,
    pub(crate) trouble: Option<String>,
}

impl Connector {
    /// The service is reachable.
    pub(crate) fn is_up(&self) -> bool {
        self.wire.is_some() && self.capabilities.is_some()
    }
}

/// How a text is put before its readers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) manner: Manner,
    /// In the thread of the message even if that was at top level.
    pub(crate) in_thread: bool,
    /// `None` is the robot's default.
    pub(crate) format: Option<MessageFormat>,
}

impl Style {
    pub(crate) const SAY: Self = Self { manner: Manner::Say, in_thread: false, format: None };
    pub(crate) const REPLY: Self = Self { manner: Manner::Reply, in_thread: false, format: None };
}

impl Engine {
    pub(crate) fn start_connector(&mut self, name: &str) {
        if !self.connectors.contains_key(name) {
            self.connectors.insert(Rc::from(name), Connector::default());
            self.supervisor.send(&EngineToSupervisor::StartConnector { name: name.to_owned() });
        } else if let Some(generation) = self.current.clone() {
            self.configure_connector(&generation, name);
        }
    }

    /// A protocol that the configuration no longer has.
    pub(crate) fn stop_connector(&mut self, name: &str) {
        if self.connectors.contains_key(name) {
            self.end_connector(name, "it is no longer configured");
            self.connectors.remove(name);
            self.supervisor.send(&EngineToSupervisor::StopConnector { name: name.to_owned() });
        }
    }

    pub(crate) fn link_connector(&mut self, name: &str, socket: OwnedFd) {
        let Some(generation) = self.current.clone() else { return };
        if name == MAIL && self.mail.wanted {
            return self.link_mail(socket);
        }
        match self.connectors.get(name) {
            None => {
                self.log.error(&format!("gopherd sent a connector '{name}' that nobody asked for"));
                return;
            }
            Some(old) if old.wire.is_some() => self.end_connector(name, "it was started again"),
            Some(_) => {}
        }
        let shared: Rc<str> = Rc::from(name);
        let token = self.token(Who::Connector(shared));
        match Wire::new(&self.poller, socket, token) {
            Ok(wire) => {
                if let Some(connector) = self.connectors.get_mut(name) {
                    connector.wire = Some(wire);
                }
                self.configure_connector(&generation, name);
            }
            Err(error) => self.log.error(&format!("the link to connector '{name}': {error}")),
        }
    }

    fn configure_connector(&mut self, generation: &Generation, name: &str) {
        let robot = &generation.robot;
        let protocol = robot.protocols.iter().find(|p| p.name.as_str() == name);
        let settings = ConnectorSettings {
            config: protocol.map_or_else(|| "{}".to_owned(), |p| p.config.clone()),
            robot_name: robot.identity.user_name.clone(),
            robot_full_name: robot.identity.full_name.clone(),
            alias: robot.alias,
            users: robot.roster.iter().map(|e| e.user_name.clone()).collect(),
            channels: known_channels(generation),
        };
        let Some(connector) = self.connectors.get_mut(name) else { return };
        if let Some(wire) = &mut connector.wire
            && !wire.send(&EngineToConnector::Configure { settings })
        {
            self.log.error(&format!("the configuration of connector '{name}' is too long to be sent"));
        }
        self.readdress(generation, name);
    }

    /// Addressing depends on the configuration and on how the service writes mentions.
    fn readdress(&mut self, generation: &Generation, name: &str) {
        let Some(connector) = self.connectors.get_mut(name) else { return };
        let mention = connector.capabilities.as_ref().and_then(|c| c.mention.as_deref());
        let robot = &generation.robot;
        match Addressing::new(&robot.identity.user_name, robot.alias, mention) {
            Ok(addressing) => connector.addressing = Some(addressing),
            Err(error) => self.log.error(&format!("the robot cannot be addressed over '{name}': {error}")),
        }
    }

    pub(crate) fn hear_connector(&mut self, name: &Rc<str>) {
        for _ in 0..BURST {
            let Some(wire) = self.connectors.get_mut(name).and_then(|c| c.wire.as_mut()) else { return };
            match wire.receive() {
                Ok(Some((message, _))) => self.connector_says(name, message),
                Ok(None) => return,
                Err(error) => self.end_connector(name, &error.to_string()),
            }
        }
        let token = self.connectors.get(name).and_then(|c| c.wire.as_ref()).map(Wire::token);
        self.again.extend(token);
    }

    fn connector_says(&mut self, name: &Rc<str>, message: ConnectorToEngine) {
        match message {
            ConnectorToEngine::Up { capabilities } => self.connector_up(name, capabilities),
            ConnectorToEngine::Inbound { message } => {
                self.talk_until = Instant::now() + TALK;
                self.inbound(name, &message);
            }
            ConnectorToEngine::Delivered { delivery, ret } => {
                if let Some(sender) = self.outbox.delivered(name, delivery) {
                    self.sent(sender, ret);
                }
            }
            ConnectorToEngine::Attribute { call, value, ret } => {
                self.looked_up(call, value, ret);
            }
            ConnectorToEngine::Health { trouble } => {
                match &trouble {
                    Some(text) => self.log.warn(&format!("[{name}] {text}")),
                    None => self.log.info(&format!("[{name}] is well again")),
                }
                if let Some(connector) = self.connectors.get_mut(name) {
                    connector.trouble = trouble;
                }
            }
            ConnectorToEngine::Mailed { .. } => self.end_connector(name, "it spoke as the mail connector does"),
            ConnectorToEngine::AskIdle { call } => {
                self.idle_asks.push((Rc::clone(name), call));
                self.answer_idle();
            }
        }
    }

    fn connector_up(&mut self, name: &Rc<str>, capabilities: Capabilities) {
        let Some(generation) = self.current.clone() else { return };
        let gate_open = self.phase == Phase::Open;
        let Some(connector) = self.connectors.get_mut(name) else { return };
        connector.capabilities = Some(capabilities);
        connector.trouble = None;
        if let Some(wire) = &mut connector.wire {
            let robot = &generation.robot;
            let mut joined = Vec::new();
            for channel in robot.join_channels.iter().chain(&robot.default_channels).chain(&robot.default_job_channel) {
                if !joined.contains(&channel) {
                    joined.push(channel);
                    wire.send(&EngineToConnector::Join { channel: channel.clone() });
                }
            }
            if gate_open {
                wire.send(&EngineToConnector::GateOpen);
            }
        }
        self.readdress(&generation, name);
        self.log.info(&format!("[{name}] is up"));
        for id in self.outbox.pending(name) {
            self.hand_over(name, id);
        }
        if **name == *generation.robot.primary_protocol.as_str() {
            self.primary_up();
        }
        if &**name == TERMINAL {
            self.attach_waiting_consoles();
        }
    }

    pub(crate) fn end_connector(&mut self, name: &str, reason: &str) {
        let Some(connector) = self.connectors.get_mut(name) else { return };
        connector.capabilities = None;
        let Some(wire) = connector.wire.take() else {
            connector.trouble = Some(reason.to_owned());
            self.refuse_waiting_consoles(name, reason);
            return;
        };
        connector.trouble = Some(reason.to_owned());
        self.forget_token(wire.token());
        wire.close(&self.poller);
        self.idle_asks.retain(|(asking, _)| **asking != *name);
        if !matches!(self.phase, Phase::Leaving { .. }) {
            self.log.warn(&format!("[{name}] ended: {reason}"));
        }
        self.refuse_waiting_consoles(name, reason);
    }

    /// Commands are taken from now on.
    pub(crate) fn open_gate(&mut self) {
        self.phase = Phase::Open;
        for connector in self.connectors.values_mut() {
            if let Some(wire) = connector.wire.as_mut().filter(|_| connector.capabilities.is_some()) {
                wire.send(&EngineToConnector::GateOpen);
            }
        }
        self.supervisor.send(&EngineToSupervisor::Up);
        self.log.info("ready");
        self.answer_idle();
    }

    /// Tells whoever asked that no plugin is being initialized, once that is so.
    fn answer_idle(&mut self) {
        if matches!(self.phase, Phase::Starting | Phase::Initializing { .. }) {
            return;
        }
        for (name, call) in std::mem::take(&mut self.idle_asks) {
            if let Some(wire) = self.connectors.get_mut(&name).and_then(|c| c.wire.as_mut()) {
                wire.send(&EngineToConnector::Idle { call });
            }
        }
    }

    /// Publishes a decision to the suite, if there is one.
    pub(crate) fn event(&mut self, protocol: &str, event: Event) {
        if protocol == TEST
            && let Some(wire) = self.connectors.get_mut(TEST).and_then(|c| c.wire.as_mut())
        {
            // What the run or the user waits for goes first.
            wire.put(&EngineToConnector::Event { name: event.name().to_owned() });
        }
    }

    pub(crate) fn hidden_transport(&self, protocol: &str) -> HiddenTransport<'_> {
        let switched_off =
            self.start.as_ref().is_some_and(|s| s.hidden_commands_off.iter().any(|name| name == protocol));
        let capabilities = self.connectors.get(protocol).and_then(|c| c.capabilities.as_ref());
        match capabilities.filter(|c| c.hidden_commands && !switched_off) {
            Some(c) => HiddenTransport { supported: true, prefix: c.hidden_prefix.as_deref() },
            None => HiddenTransport { supported: false, prefix: None },
        }
    }

    /// The connector that carries messages of a protocol: its own, else the primary one.
    pub(crate) fn route(&self, protocol: &str) -> Option<Rc<str>> {
        if let Some((name, _)) = self.connectors.get_key_value(protocol) {
            return Some(Rc::clone(name));
        }
        let primary = self.current.as_ref()?.robot.primary_protocol.as_str();
        self.connectors.get_key_value(primary).map(|(name, _)| Rc::clone(name))
    }

    /// Sends a message, or keeps it for a connector that is coming back.
    pub(crate) fn send_message(&mut self, connector: &str, sender: Sender, message: Outbound) -> Result<(), RetVal> {
        let Some(id) = self.outbox.put(connector, sender, message, Instant::now()) else {
            self.log.warn(&format!("[{connector}] is slow: too many messages wait for it, one was dropped"));
            return Err(RetVal::FailedMessageSend);
        };
        if self.hand_over(connector, id) { Ok(()) } else { Err(RetVal::FailedMessageSend) }
    }

    fn hand_over(&mut self, connector: &str, id: DeliveryId) -> bool {
        let Some(there) = self.connectors.get_mut(connector).filter(|c| c.is_up()) else { return true };
        let (Some(wire), Some(message)) = (&mut there.wire, self.outbox.message(id)) else { return true };
        let fits = wire.send(&EngineToConnector::Deliver { delivery: id, message: message.clone() });
        if !fits {
            self.log.warn(&format!("[{connector}] a message of {} bytes is too long to be sent", message.text.len()));
            self.outbox.settle(id);
        }
        fits
    }

    /// A connector has answered for a message, or time has.
    pub(crate) fn sent(&mut self, sender: Sender, ret: RetVal) {
        match sender {
            Sender::Call(caller) => self.answer(caller, RobotAnswer::RetVal(ret)),
            Sender::Prompt(_) if ret == RetVal::Ok => {}
            Sender::Prompt(caller) => {
                for answered in self.prompts.withdraw(caller, ret) {
                    self.answer_prompt(answered);
                }
            }
            Sender::Engine(_) if ret == RetVal::Ok => {}
            Sender::Engine(pipeline) => {
                let whose = pipeline.map(|p| format!(" about pipeline {p}")).unwrap_or_default();
                self.log.warn(&format!("a message of the robot itself{whose} was not delivered: {}", ret.name()));
            }
        }
    }

    /// The robot's own words to whoever sent a message.
    pub(crate) fn tell(&mut self, context: &Context, style: Style, text: impl Into<String>) {
        let text = text.into();
        if text.is_empty() || context.automatic {
            return;
        }
        let Some(generation) = self.current.clone() else { return };
        let Some(connector) = self.route(&context.protocol) else { return };
        let thread = (style.in_thread || context.threaded) && !context.direct && !context.thread.is_empty();
        let channel = || generation.channel_for_connector(&context.protocol, &context.channel);
        let user = || context.user.as_str().to_owned();
        let (destination, text) = match style.manner {
            _ if context.channel.is_empty() => (Destination::User { user: user() }, text),
            Manner::Say => (Destination::Channel { channel: channel() }, text),
            Manner::Reply if context.bot_user => {
                (Destination::Channel { channel: channel() }, format!("{}: {text}", context.user))
            }
            Manner::Reply => (Destination::UserInChannel { user: user(), channel: channel() }, text),
        };
        let message = Outbound {
            destination,
            thread: thread.then(|| context.thread.clone()),
            text,
            format: style.format.unwrap_or(generation.robot.default_format),
            hidden: context.hidden,
            answers: Some(context.user.as_str().to_owned()),
        };
        if let Err(ret) = self.send_message(&connector, Sender::Engine(None), message) {
            self.log.line(
                LogLevel::Warn,
                "engine",
                &format!("an answer to {} was not sent: {}", context.user, ret.name()),
            );
        }
    }

    /// A notice to the people who operate the robot, if they have a channel.
    pub(crate) fn alert(&mut self, text: String) {
        let Some(generation) = self.current.clone() else { return };
        let robot = &generation.robot;
        let Some(channel) = &robot.default_job_channel else {
            self.log.warn("there is no DefaultJobChannel to send the alert to");
            return;
        };
        let protocol = robot.primary_protocol.as_str();
        let message = Outbound {
            destination: Destination::Channel { channel: generation.channel_for_connector(protocol, channel.as_str()) },
            thread: None::<ThreadId>,
            text,
            format: MessageFormat::BasicMarkdown,
            hidden: false,
            answers: None,
        };
        // A refusal is already in the log.
        let _ = self.send_message(protocol, Sender::Engine(None), message);
    }
}

/// Every channel that the configuration names.
pub(crate) fn known_channels(generation: &Generation) -> Vec<gopher_protocol::ids::ChannelName> {
    let robot = &generation.robot;
    let mut channels: Vec<_> = robot
        .join_channels
        .iter()
        .chain(&robot.default_channels)
        .chain(&robot.default_job_channel)
        .chain(robot.extensions.iter().flat_map(|e| &e.channels))
        .cloned()
        .collect();
    channels.extend(robot.protocols.iter().flat_map(|p| &p.channels).map(|(name, _)| name.as_str().into()));
    channels.sort();
    channels.dedup();
    channels
}

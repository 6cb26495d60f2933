//! What the `test` connector does with lines of the driver and messages of the engine (connectors §2.5). Pure.

use std::{
    borrow::Cow,
    collections::{HashSet, VecDeque},
};

use gopher_protocol::{
    connector::{
        Capabilities, ConnectorSettings, ConnectorToEngine, Destination, EngineToConnector, Inbound, Outbound,
    },
    ids::{CallId, ChannelId, ChannelName, EventId, MessageId, ThreadId, UserId, UserName},
    robot_api::RetVal,
};

use super::{
    lines::LONGEST_LINE,
    wire::{Answer, Request},
};
use crate::{render, roster::Roster};

/// The robot's own id.
const ROBOT_ID: &str = "deadbeef";
/// The thread of every message.
const THREAD: &str = "0xDEADBEEF";
/// Most policy events that are kept for the driver.
const MOST_EVENTS: usize = 1000;
/// Longer fields do not fit a frame to the engine.
const LONGEST_MESSAGE: usize = LONGEST_LINE - (4 << 10);

#[derive(Debug)]
pub(super) enum Action {
    Engine(ConnectorToEngine),
    /// A message of the robot, to be kept until a driver takes it.
    Message(Vec<u8>),
    /// For the driver that is connected.
    Answer(Vec<u8>),
    /// For the driver that is connected, before whatever waits for it.
    First(Vec<u8>),
}

pub(super) struct TestService {
    /// Makes event ids unique over restarts of the connector.
    instance: String,
    roster: Roster,
    configured: bool,
    /// The last configuration could not be used.
    troubled: bool,
    gate_open: bool,
    events: VecDeque<String>,
    last_message: u64,
    last_event: u64,
    last_call: CallId,
    /// Questions of the driver that is connected.
    asked: HashSet<CallId>,
}

impl TestService {
    pub(super) fn new(instance: String) -> Self {
        Self {
            instance,
            roster: Roster::default(),
            configured: false,
            troubled: false,
            gate_open: false,
            events: VecDeque::new(),
            last_message: 0,
            last_event: 0,
            last_call: CallId(0),
            asked: HashSet::new(),
        }
    }

    /// Drivers may come once users and channels are known.
    pub(super) fn configured(&self) -> bool {
        self.configured
    }

    pub(super) fn engine(&mut self, message: EngineToConnector, connected: bool, out: &mut Vec<Action>) {
        match message {
            EngineToConnector::Configure { settings } => self.configure(&settings, out),
            EngineToConnector::Deliver { delivery, message } => {
                let ret = self.deliver(&message, out);
                out.push(Action::Engine(ConnectorToEngine::Delivered { delivery, ret }));
            }
            EngineToConnector::LookUp { call, user, attribute } => {
                let (value, ret) = self.roster.attribute(&user, &attribute);
                out.push(Action::Engine(ConnectorToEngine::Attribute { call, value, ret }));
            }
            EngineToConnector::GateOpen => {
                self.gate_open = true;
                if connected {
                    out.push(Action::Answer(Answer::Ready.line()));
                }
            }
            EngineToConnector::Event { name } => {
                if self.events.len() < MOST_EVENTS {
                    self.events.push_back(name);
                }
            }
            EngineToConnector::Idle { call } => {
                if self.asked.remove(&call) {
                    out.push(Action::Answer(Answer::Idle.line()));
                }
            }
            // Everybody is in every channel, nothing is acknowledged and nobody sees typing.
            EngineToConnector::Join { .. }
            | EngineToConnector::Accepted { .. }
            | EngineToConnector::Heard { .. }
            | EngineToConnector::Attach { .. }
            | EngineToConnector::Mail { .. }
            | EngineToConnector::Stop => {}
        }
    }

    fn configure(&mut self, settings: &ConnectorSettings, out: &mut Vec<Action>) {
        match Roster::parse(&settings.config) {
            Ok(roster) => {
                self.roster = roster;
                if std::mem::take(&mut self.troubled) {
                    out.push(Action::Engine(ConnectorToEngine::Health { trouble: None }));
                }
            }
            // The users and channels of before stay in force.
            Err(error) => {
                self.troubled = true;
                out.push(Action::Engine(ConnectorToEngine::Health { trouble: Some(format!("{error}.")) }));
            }
        }
        self.configured = true;
        out.push(Action::Engine(ConnectorToEngine::Up {
            capabilities: Capabilities {
                hidden_commands: self.roster.hidden_commands.unwrap_or(true),
                threads: true,
                robot_id: Some(UserId::from(ROBOT_ID)),
                mention: None,
                hidden_prefix: Some(format!("/{} ", settings.robot_name)),
            },
        }));
    }

    fn deliver(&mut self, message: &Outbound, out: &mut Vec<Action>) -> RetVal {
        let (user, channel) = match &message.destination {
            Destination::Channel { channel } => (None, Some(channel)),
            Destination::UserInChannel { user, channel } => (Some(user), Some(channel)),
            Destination::User { user } => (Some(user), None),
        };
        let channel = match channel.filter(|name| !name.is_empty() || user.is_none()) {
            None => "",
            Some(name) => match self.roster.channel(name) {
                Some(name) => name,
                None => return RetVal::ChannelNotFound,
            },
        };
        let user = match user {
            None => "",
            Some(user) => match self.roster.user(user) {
                Some(person) => person.name.as_str(),
                None => return RetVal::UserNotFound,
            },
        };
        let text = render::hidden(render::telling(&message.text, message.format), message.hidden);
        let threaded = message.thread.as_ref().is_some_and(|thread| !thread.is_empty());
        self.last_message += 1;
        out.push(Action::Message(Answer::Msg { seq: self.last_message, user, channel, text: &text, threaded }.line()));
        RetVal::Ok
    }

    /// A driver has connected.
    pub(super) fn connected(&self, out: &mut Vec<Action>) {
        if self.gate_open {
            out.push(Action::First(Answer::Ready.line()));
        }
    }

    /// The driver has left: its questions are forgotten.
    pub(super) fn disconnected(&mut self) {
        self.asked.clear();
    }

    pub(super) fn line_too_long(out: &mut Vec<Action>) {
        error(out, format!("A line of more than {LONGEST_LINE} bytes was thrown away."));
    }

    /// A line of the driver.
    pub(super) fn line(&mut self, line: &[u8], out: &mut Vec<Action>) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let request: Request<'_> = match serde_json::from_slice(line) {
            Ok(request) => request,
            Err(reason) => return error(out, format!("The line is no request: {reason}.")),
        };
        match &*request.op {
            "send" => self.send(request, out),
            "idle" => {
                self.last_call = self.last_call.next();
                self.asked.insert(self.last_call);
                out.push(Action::Engine(ConnectorToEngine::AskIdle { call: self.last_call }));
            }
            "events" => out.push(Action::Answer(Answer::Events { events: self.events.drain(..).collect() }.line())),
            op => error(out, format!("There is no operation '{op}': known are send, idle and events.")),
        }
    }

    fn send(&mut self, request: Request<'_>, out: &mut Vec<Action>) {
        let Request { user_id, channel, text, threaded, hidden, .. } = request;
        if user_id.len() + 2 * channel.len() + text.len() > LONGEST_MESSAGE {
            return error(out, format!("A message of more than {LONGEST_MESSAGE} bytes was not sent."));
        }
        let self_message = user_id == ROBOT_ID;
        let name = self.roster.by_id(&user_id).map(|person| UserName::new(person.name.clone()));
        if name.is_none() && !self_message {
            error(out, format!("The user id '{user_id}' is not in Users; the message was sent all the same."));
        }
        if !channel.is_empty() && !self.roster.channels.iter().any(|known| *known == channel) {
            error(out, format!("The channel '{channel}' is not in Channels; the message was sent all the same."));
        }
        self.last_event += 1;
        let message = Inbound {
            event: EventId::new(format!("{}.{}", self.instance, self.last_event)),
            validated_user: name.is_some(),
            user_name: name,
            user_id: UserId::new(user_id),
            channel_id: ChannelId::new(if channel.is_empty() { String::new() } else { format!("#{channel}") }),
            direct: channel.is_empty(),
            channel_name: Some(ChannelName::new(channel)).filter(|name| !name.is_empty()),
            thread: ThreadId::from(THREAD),
            message_id: MessageId::default(),
            threaded,
            self_message,
            bot_message: false,
            hidden,
            text: text.into_owned(),
        };
        out.push(Action::Engine(ConnectorToEngine::Inbound { message }));
        out.push(Action::Answer(Answer::Sent.line()));
    }
}

fn error(out: &mut Vec<Action>, text: impl Into<Cow<'static, str>>) {
    out.push(Action::Answer(Answer::Error { text: text.into() }.line()));
}

#[cfg(test)]
mod tests {
    use gopher_protocol::{ids::DeliveryId, robot_api::MessageFormat};

    use super::*;

    const CONFIG: &str = r#"{"Users":[{"Name":"alice","InternalID":"u0001","Email":"alice@example.com"},
        {"Name":"bob","InternalID":"u0002"}],"Channels":["general","random"]}"#;

    fn configure(service: &mut TestService, config: &str) -> Vec<String> {
        let settings = ConnectorSettings {
            config: config.into(),
            robot_name: "bender".into(),
            robot_full_name: "Bender".into(),
            alias: Some(';'),
            users: Vec::new(),
            channels: Vec::new(),
        };
        engine(service, EngineToConnector::Configure { settings })
    }

    fn ready() -> TestService {
        let mut service = TestService::new("i".into());
        configure(&mut service, CONFIG);
        engine(&mut service, EngineToConnector::GateOpen);
        service
    }

    /// Actions as a transcript: `>` to the engine, `<` to the driver.
    fn transcript(actions: &[Action]) -> Vec<String> {
        actions
            .iter()
            .map(|action| match action {
                Action::Engine(message) => format!("> {message:?}"),
                Action::Message(line) | Action::Answer(line) | Action::First(line) => {
                    format!("< {}", String::from_utf8_lossy(line).trim_end())
                }
            })
            .collect()
    }

    fn engine(service: &mut TestService, message: EngineToConnector) -> Vec<String> {
        let mut out = Vec::new();
        service.engine(message, true, &mut out);
        transcript(&out)
    }

    fn line(service: &mut TestService, line: &str) -> Vec<String> {
        let mut out = Vec::new();
        service.line(line.as_bytes(), &mut out);
        transcript(&out)
    }

    fn inbound(service: &mut TestService, text: &str) -> Inbound {
        let mut out = Vec::new();
        service.line(text.as_bytes(), &mut out);
        assert_eq!(transcript(&out).last().unwrap(), r#"< {"op":"sent"}"#, "acknowledged after the hand-over");
        let found = out.into_iter().find_map(|action| match action {
            Action::Engine(ConnectorToEngine::Inbound { message }) => Some(message),
            _ => None,
        });
        found.unwrap()
    }

    fn deliver(
        service: &mut TestService,
        destination: Destination,
        format: MessageFormat,
        text: &str,
        hidden: bool,
    ) -> Vec<String> {
        let message = Outbound {
            destination,
            thread: hidden.then(|| ThreadId::from(THREAD)),
            text: text.into(),
            format,
            hidden,
            answers: None,
        };
        engine(service, EngineToConnector::Deliver { delivery: DeliveryId(7), message })
    }

    #[test]
    fn a_configured_user_is_validated_by_id() {
        let message =
            inbound(&mut ready(), r#"{"op":"send","user_id":"u0001","channel":"general","text":"bender, ping"}"#);
        assert_eq!(
            message,
            Inbound {
                event: "i.1".into(),
                user_id: "u0001".into(),
                user_name: Some("alice".into()),
                validated_user: true,
                channel_name: Some("general".into()),
                channel_id: "#general".into(),
                thread: "0xDEADBEEF".into(),
                message_id: "".into(),
                threaded: false,
                direct: false,
                self_message: false,
                bot_message: false,
                hidden: false,
                text: "bender, ping".into(),
            }
        );
    }

    #[test]
    fn an_empty_channel_is_a_direct_message() {
        let message = inbound(
            &mut ready(),
            r#"{"op":"send","user_id":"u0002","channel":"","text":"\u00e9\n","hidden":true,"threaded":true}"#,
        );
        assert!(message.direct && message.hidden && message.threaded);
        assert_eq!((message.channel_name, message.channel_id.as_str(), message.text.as_str()), (None, "", "é\n"));
        assert_eq!(message.thread.as_str(), "0xDEADBEEF");
    }

    #[test]
    fn what_is_not_configured_is_reported_and_sent_all_the_same() {
        let mut service = ready();
        let lines = line(&mut service, r#"{"op":"send","user_id":"u9","channel":"lounge","text":"hi"}"#);
        assert_eq!(lines.len(), 4);
        assert!(lines[0].contains("'u9' is not in Users"), "{lines:?}");
        assert!(lines[1].contains("'lounge' is not in Channels"), "{lines:?}");
        assert!(lines[2].contains("user_name: None, validated_user: false"), "{lines:?}");
        assert_eq!(lines[3], r#"< {"op":"sent"}"#);
    }

    #[test]
    fn the_robots_own_id_makes_a_self_message() {
        let message = inbound(&mut ready(), r#"{"op":"send","user_id":"deadbeef","channel":"general","text":"x"}"#);
        assert!(message.self_message && !message.validated_user);
    }

    #[test]
    fn event_ids_are_never_repeated() {
        let mut service = ready();
        let send = r#"{"op":"send","user_id":"u0001","channel":"general","text":"x"}"#;
        assert_ne!(inbound(&mut service, send).event, inbound(&mut service, send).event);
        assert_ne!(TestService::new("a".into()).instance, TestService::new("b".into()).instance);
    }

    #[test]
    fn bad_lines_are_answered_and_forgotten() {
        let mut service = ready();
        for (bad, says) in [
            ("{", "The line is no request: EOF"),
            ("[1]", "The line is no request: "),
            (r#"{"op":"dance"}"#, "There is no operation 'dance'"),
            (r#"{"op":"send","text":5}"#, "The line is no request: "),
            (r#"{"channel":"general"}"#, "missing field `op`"),
        ] {
            let lines = line(&mut service, bad);
            assert_eq!(lines.len(), 1);
            assert!(lines[0].starts_with(r#"< {"op":"error""#) && lines[0].contains(says), "{bad}: {lines:?}");
        }
        let long =
            format!(r#"{{"op":"send","user_id":"u0001","channel":"","text":"{}"}}"#, "x".repeat(LONGEST_MESSAGE));
        assert!(line(&mut service, &long)[0].contains("was not sent"));
        assert!(line(&mut service, "  ").is_empty());
        inbound(&mut service, r#"{"op":"send","user_id":"u0001","channel":"general","text":"still here"}"#);
    }

    #[test]
    fn formats_are_told_apart_and_hidden_replies_parenthesized() {
        let mut service = ready();
        let general = || Destination::Channel { channel: "general".into() };
        let message = |lines: Vec<String>| lines[0].clone();
        assert_eq!(
            deliver(&mut service, general(), MessageFormat::Fixed, "Ab", false),
            [
                r#"< {"op":"msg","seq":1,"user":"","channel":"general","text":"AB","threaded":false}"#,
                "> Delivered { delivery: DeliveryId(7), ret: Ok }"
            ]
        );
        assert_eq!(
            message(deliver(&mut service, general(), MessageFormat::BasicMarkdown, "**Ab**", true)),
            r#"< {"op":"msg","seq":2,"user":"","channel":"general","text":"(Ab)","threaded":true}"#
        );
        let addressed = Destination::UserInChannel { user: "<u0001>".into(), channel: "<#random>".into() };
        assert_eq!(
            message(deliver(&mut service, addressed, MessageFormat::Variable, "Ab", false)),
            r#"< {"op":"msg","seq":3,"user":"alice","channel":"random","text":"ab","threaded":false}"#
        );
        assert_eq!(
            message(deliver(&mut service, Destination::User { user: "bob".into() }, MessageFormat::Raw, "*Ab*", false)),
            r#"< {"op":"msg","seq":4,"user":"bob","channel":"","text":"*Ab*","threaded":false}"#
        );
    }

    #[test]
    fn unknown_destinations_are_refused() {
        let mut service = ready();
        let mut ret = |destination| deliver(&mut service, destination, MessageFormat::Raw, "x", false);
        let not = |what: &str| vec![format!("> Delivered {{ delivery: DeliveryId(7), ret: {what} }}")];
        assert_eq!(ret(Destination::Channel { channel: "lounge".into() }), not("ChannelNotFound"));
        assert_eq!(ret(Destination::Channel { channel: String::new() }), not("ChannelNotFound"));
        assert_eq!(ret(Destination::User { user: "mallory".into() }), not("UserNotFound"));
        assert_eq!(
            ret(Destination::UserInChannel { user: "<u9>".into(), channel: "general".into() }),
            not("UserNotFound")
        );
    }

    #[test]
    fn events_are_read_once_and_bounded() {
        let mut service = ready();
        for n in 0..MOST_EVENTS + 5 {
            assert!(engine(&mut service, EngineToConnector::Event { name: n.to_string() }).is_empty());
        }
        let lines = line(&mut service, r#"{"op":"events"}"#);
        assert!(lines[0].starts_with(r#"< {"op":"events","events":["0","1","#) && lines[0].ends_with(r#","999"]}"#));
        assert_eq!(line(&mut service, r#"{"op":"events"}"#), [r#"< {"op":"events","events":[]}"#]);
    }

    #[test]
    fn idle_is_the_engines_answer_and_for_the_driver_that_asked() {
        let mut service = ready();
        assert_eq!(line(&mut service, r#"{"op":"idle"}"#), ["> AskIdle { call: CallId(1) }"]);
        assert_eq!(engine(&mut service, EngineToConnector::Idle { call: CallId(1) }), [r#"< {"op":"idle"}"#]);
        assert!(engine(&mut service, EngineToConnector::Idle { call: CallId(1) }).is_empty());
        line(&mut service, r#"{"op":"idle"}"#);
        service.disconnected();
        assert!(engine(&mut service, EngineToConnector::Idle { call: CallId(2) }).is_empty());
    }

    #[test]
    fn ready_is_said_when_the_gate_opens_and_to_who_comes_later() {
        let mut service = TestService::new("i".into());
        assert!(!service.configured());
        let up = configure(&mut service, CONFIG);
        assert!(service.configured());
        assert!(
            up[0].contains("hidden_commands: true") && up[0].contains("deadbeef") && up[0].contains("/bender "),
            "{up:?}"
        );
        let mut out = Vec::new();
        service.connected(&mut out);
        assert!(out.is_empty());
        assert_eq!(engine(&mut service, EngineToConnector::GateOpen), [r#"< {"op":"ready"}"#]);
        service.connected(&mut out);
        assert_eq!(transcript(&out), [r#"< {"op":"ready"}"#]);
    }

    #[test]
    fn a_bad_configuration_is_reported_and_the_last_good_one_stays() {
        let mut service = ready();
        let lines = configure(&mut service, r#"{"Users":3}"#);
        assert!(lines[0].contains("Health") && lines[0].contains("Users must be a list"), "{lines:?}");
        inbound(&mut service, r#"{"op":"send","user_id":"u0001","channel":"general","text":"x"}"#);
        let off = configure(&mut service, r#"{"HiddenCommands":false}"#);
        assert_eq!(off[0], "> Health { trouble: None }");
        assert!(off[1].contains("hidden_commands: false"), "{off:?}");
    }

    #[test]
    fn attributes_are_looked_up_in_users() {
        let ask = |user: &str, attribute: &str| EngineToConnector::LookUp {
            call: CallId(3),
            user: user.into(),
            attribute: attribute.into(),
        };
        let mut service = ready();
        assert_eq!(
            engine(&mut service, ask("alice", "email")),
            [r#"> Attribute { call: CallId(3), value: "alice@example.com", ret: Ok }"#]
        );
        assert_eq!(
            engine(&mut service, ask("nobody", "email")),
            [r#"> Attribute { call: CallId(3), value: "", ret: UserNotFound }"#]
        );
    }
}

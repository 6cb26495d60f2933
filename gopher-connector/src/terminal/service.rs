//! What the terminal does with consoles and the engine (connectors §2.4). Pure.
//!
//! It says what to show to whom; how that looks on a screen is the console's business.

use std::collections::BTreeMap;

use gopher_protocol::{
    connector::{
        Capabilities, ConnectorSettings, ConnectorToConsole, ConnectorToEngine, ConsoleContext, ConsoleIdentity,
        ConsoleToConnector, Destination, EngineToConnector, Inbound, Outbound, Shown, Vocabulary,
    },
    ids::{ChannelId, ChannelName, EventId, MessageId, ThreadId, UserId, UserName},
    robot_api::RetVal,
};

use super::rooms::Rooms;
use crate::{render, roster::bracketed};

/// Longest text of one message, in bytes.
pub(super) const LONGEST_TEXT: usize = 16 << 10;

/// A console, by the order of its coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ConsoleId(pub(super) u64);

#[derive(Debug)]
pub(super) enum Action {
    Engine(ConnectorToEngine),
    Console(ConsoleId, ConnectorToConsole),
}

/// A person at a console.
struct Seat {
    /// May speak as anybody.
    any_user: bool,
    user: String,
    /// `None` in a direct message to the robot.
    channel: Option<String>,
    thread: Option<String>,
}

impl Seat {
    fn context(&self) -> ConsoleContext {
        ConsoleContext { user: self.user.clone(), channel: self.channel.clone(), thread: self.thread.clone() }
    }
}

pub(super) struct TerminalService {
    /// Makes event ids unique over restarts of the connector.
    instance: String,
    rooms: Rooms,
    /// The last configuration could not be used.
    troubled: bool,
    seats: BTreeMap<ConsoleId, Seat>,
    last_event: u64,
    last_message: u64,
}

impl TerminalService {
    pub(super) fn new(instance: String) -> Self {
        Self {
            instance,
            rooms: Rooms::default(),
            troubled: false,
            seats: BTreeMap::new(),
            last_event: 0,
            last_message: 0,
        }
    }

    pub(super) fn engine(&mut self, message: EngineToConnector, out: &mut Vec<Action>) {
        match message {
            EngineToConnector::Configure { settings } => self.configure(&settings, out),
            EngineToConnector::Deliver { delivery, message } => {
                let ret = self.deliver(&message, out);
                out.push(Action::Engine(ConnectorToEngine::Delivered { delivery, ret }));
            }
            EngineToConnector::LookUp { call, user, attribute } => {
                let (value, ret) = self.rooms.roster.attribute(&user, &attribute);
                out.push(Action::Engine(ConnectorToEngine::Attribute { call, value, ret }));
            }
            // Nothing is acknowledged, everybody is in every channel, and a console shows no typing.
            EngineToConnector::Join { .. }
            | EngineToConnector::Accepted { .. }
            | EngineToConnector::GateOpen
            | EngineToConnector::Attach { .. }
            | EngineToConnector::Event { .. }
            | EngineToConnector::Idle { .. }
            | EngineToConnector::Heard { .. }
            | EngineToConnector::Mail { .. }
            | EngineToConnector::Stop => {}
        }
    }

    fn configure(&mut self, settings: &ConnectorSettings, out: &mut Vec<Action>) {
        match Rooms::parse(settings) {
            Ok(rooms) => {
                self.rooms = rooms;
                if std::mem::take(&mut self.troubled) {
                    out.push(Action::Engine(ConnectorToEngine::Health { trouble: None }));
                }
            }
            Err(error) => {
                self.troubled = true;
                out.push(Action::Engine(ConnectorToEngine::Health { trouble: Some(format!("{error}.")) }));
                // The rooms of before stay in force; at first there are those the robot knows of itself.
                if self.rooms.robot.name.is_empty() {
                    let plain = ConnectorSettings { config: String::new(), ..settings.clone() };
                    self.rooms = Rooms::parse(&plain).unwrap_or_default();
                }
            }
        }
        out.push(Action::Engine(ConnectorToEngine::Up {
            capabilities: Capabilities {
                hidden_commands: self.rooms.roster.hidden_commands.unwrap_or(true),
                threads: true,
                robot_id: Some(UserId::new(self.rooms.robot.id.clone())),
                mention: None,
                hidden_prefix: Some(format!("/{} ", settings.robot_name)),
            },
        }));
    }

    /// A console has said hello.
    pub(super) fn attach(&mut self, id: ConsoleId, identity: ConsoleIdentity, out: &mut Vec<Action>) {
        let seat = Seat {
            any_user: identity.any_user,
            user: self.rooms.start_user(&identity),
            channel: self.rooms.start_channel(),
            thread: None,
        };
        let Vocabulary { commands, mut users, mut channels } = identity.vocabulary;
        if users.is_empty() {
            users = self.rooms.people().map(str::to_owned).collect();
        }
        if channels.is_empty() {
            channels.clone_from(&self.rooms.roster.channels);
        }
        let welcome = ConnectorToConsole::Welcome {
            robot: self.rooms.robot.name.clone(),
            alias: self.rooms.alias,
            context: seat.context(),
            vocabulary: Vocabulary { commands, users, channels },
        };
        self.seats.insert(id, seat);
        out.push(Action::Console(id, welcome));
    }

    /// How many consoles are in use.
    pub(super) fn seats(&self) -> usize {
        self.seats.len()
    }

    pub(super) fn gone(&mut self, id: ConsoleId) {
        self.seats.remove(&id);
    }

    pub(super) fn console(&mut self, id: ConsoleId, message: ConsoleToConnector, out: &mut Vec<Action>) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let notice = match message {
            ConsoleToConnector::Say { text, hidden } => return self.say(id, text, hidden, out),
            ConsoleToConnector::SwitchChannel { channel: None } => {
                (seat.channel, seat.thread) = (None, None);
                Ok("Changed current channel to: direct message".to_owned())
            }
            ConsoleToConnector::SwitchChannel { channel: Some(name) } => match self.rooms.channel(&name) {
                Some(name) => {
                    let notice = format!("Changed current channel to: {name}");
                    (seat.channel, seat.thread) = (Some(name), None);
                    Ok(notice)
                }
                None => Err("Invalid channel".to_owned()),
            },
            ConsoleToConnector::SwitchUser { user } => switch_user(seat, &self.rooms, user),
            ConsoleToConnector::SwitchThread { .. } if seat.channel.is_none() => {
                Err("(threads are for channels: this is a direct message)".to_owned())
            }
            ConsoleToConnector::SwitchThread { thread: None } => {
                seat.thread = None;
                Ok("(typing in channel now)".to_owned())
            }
            ConsoleToConnector::SwitchThread { thread: Some(thread) } => {
                let thread = if thread.is_empty() { new_id(&mut self.last_message) } else { thread };
                if thread.len() > 64 || thread.chars().any(|c| c.is_control() || c.is_whitespace()) {
                    Err("Invalid thread".to_owned())
                } else {
                    let notice = format!("(now typing in thread: {thread})");
                    seat.thread = Some(thread);
                    Ok(notice)
                }
            }
            ConsoleToConnector::ListUsers => Err(list("Users", self.rooms.people())),
            ConsoleToConnector::ListChannels => {
                let channels = self.rooms.roster.channels.iter().map(String::as_str);
                Err(list("Channels", ["(direct message)"].into_iter().chain(channels)))
            }
        };
        // The notice comes last: it tells the console that its request is done.
        if notice.is_ok() {
            out.push(Action::Console(id, ConnectorToConsole::Context { context: seat.context() }));
        }
        let (Ok(text) | Err(text)) = notice;
        out.push(Action::Console(id, ConnectorToConsole::Notice { text }));
    }

    fn say(&mut self, id: ConsoleId, text: String, hidden: bool, out: &mut Vec<Action>) {
        let Some(seat) = self.seats.get(&id) else { return };
        if text.len() > LONGEST_TEXT {
            let text = format!("The message has {} bytes, more than {LONGEST_TEXT}: it was not sent.", text.len());
            return out.push(Action::Console(id, ConnectorToConsole::Notice { text }));
        }
        let message_id = new_id(&mut self.last_message);
        let thread = match (&seat.channel, &seat.thread) {
            (None, _) => String::new(),
            (Some(_), Some(thread)) => thread.clone(),
            (Some(_), None) => message_id.clone(),
        };
        self.last_event += 1;
        let message = Inbound {
            event: EventId::new(format!("{}.{}", self.instance, self.last_event)),
            user_id: UserId::from(self.rooms.user_id(&seat.user)),
            user_name: Some(UserName::new(seat.user.clone())),
            validated_user: true,
            channel_id: ChannelId::new(seat.channel.as_ref().map(|name| format!("#{name}")).unwrap_or_default()),
            direct: seat.channel.is_none(),
            channel_name: seat.channel.clone().map(ChannelName),
            thread: ThreadId::new(thread),
            message_id: MessageId::new(message_id),
            threaded: seat.thread.is_some(),
            self_message: false,
            bot_message: false,
            hidden,
            text,
        };
        out.push(Action::Engine(ConnectorToEngine::Inbound { message }));
    }

    fn deliver(&mut self, message: &Outbound, out: &mut Vec<Action>) -> RetVal {
        let (user, channel) = match &message.destination {
            Destination::Channel { channel } => (None, Some(channel)),
            Destination::UserInChannel { user, channel } => (Some(user), Some(channel)),
            Destination::User { user } => (Some(user), None),
        };
        let channel = match channel.map(|name| self.rooms.channel(name)) {
            Some(None) => return RetVal::ChannelNotFound,
            Some(known) => known,
            None => None,
        };
        let user = match user.map(|user| self.user(user)) {
            Some(None) => return RetVal::UserNotFound,
            Some(known) => known,
            None => None,
        };
        let only_for = match (message.hidden, &message.answers) {
            (false, _) => None,
            (true, Some(asker)) => self.user(asker),
            (true, None) => user.clone(),
        };
        // Without a user to show it to, a hidden text is shown to nobody.
        if message.hidden && only_for.is_none() {
            return RetVal::UserNotFound;
        }
        let text = if self.rooms.roster.mock_formatting {
            render::mock(&message.text, message.format).into_owned()
        } else {
            message.text.clone()
        };
        let shown = Shown {
            channel: channel.clone(),
            thread: message.thread.as_ref().filter(|t| !t.is_empty()).map(|t| t.as_str().to_owned()),
            user: user.clone(),
            text,
            format: message.format,
            hidden: message.hidden,
        };
        for (id, seat) in &self.seats {
            let sees = match (&only_for, &channel) {
                (Some(one), _) => seat.user == *one,
                (None, Some(_)) => seat.channel == channel,
                (None, None) => Some(&seat.user) == user.as_ref(),
            };
            if sees {
                out.push(Action::Console(*id, ConnectorToConsole::Show { message: shown.clone() }));
            }
        }
        if let Some(channel) = channel.filter(|_| !message.hidden) {
            self.hear_self(channel, shown.thread, &message.text, out);
        }
        RetVal::Ok
    }

    /// What the robot says in a channel is an event there, too: jobs may wait for it.
    fn hear_self(&mut self, channel: String, thread: Option<String>, text: &str, out: &mut Vec<Action>) {
        let message_id = new_id(&mut self.last_message);
        self.last_event += 1;
        let message = Inbound {
            event: EventId::new(format!("{}.{}", self.instance, self.last_event)),
            user_id: UserId::new(self.rooms.robot.id.clone()),
            user_name: Some(UserName::new(self.rooms.robot.name.clone())),
            validated_user: true,
            channel_id: ChannelId::new(format!("#{channel}")),
            channel_name: Some(ChannelName::new(channel)),
            threaded: thread.is_some(),
            thread: ThreadId::new(thread.unwrap_or_else(|| message_id.clone())),
            message_id: MessageId::new(message_id),
            direct: false,
            self_message: true,
            bot_message: false,
            hidden: false,
            text: text.to_owned(),
        };
        out.push(Action::Engine(ConnectorToEngine::Inbound { message }));
    }

    /// The name of a user of a destination: listed, or sitting at a console.
    fn user(&self, text: &str) -> Option<String> {
        let person = self.rooms.roster.user(text).map(|person| person.name.clone());
        let name = bracketed(text).unwrap_or(text);
        person.or_else(|| self.seats.values().find(|seat| seat.user == name).map(|seat| seat.user.clone()))
    }
}

fn switch_user(seat: &mut Seat, rooms: &Rooms, user: String) -> Result<String, String> {
    if user.is_empty() {
        return Err("Invalid 0-length user".to_owned());
    }
    if user != seat.user && !seat.any_user {
        let why = "a robot that others can reach lets nobody speak for somebody else";
        return Err(format!("You stay {}: {why}.", seat.user));
    }
    if user != seat.user && !rooms.people().any(|name| name == user) {
        return Err("Invalid user".to_owned());
    }
    let notice = format!("Changed current user to: {user}");
    seat.user = user;
    Ok(notice)
}

/// Message and thread ids share one rising series, as in the reference.
fn new_id(last: &mut u64) -> String {
    *last += 1;
    format!("{last:04x}")
}

fn list<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    format!("{what}: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") })
}

#[cfg(test)]
mod tests;

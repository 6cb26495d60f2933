//! Who and what the terminal knows: users, channels, and where a console starts.

use gopher_protocol::connector::{ConnectorSettings, ConsoleIdentity};

use crate::roster::{Person, Roster, RosterError, bracketed};

/// The robot's id where `Users` does not give it one.
const ROBOT_ID: &str = "u0000";

/// The roster of `ProtocolConfig`, filled up from what the robot knows.
#[derive(Default)]
pub(super) struct Rooms {
    pub(super) roster: Roster,
    pub(super) robot: Person,
    pub(super) alias: Option<char>,
}

impl Rooms {
    pub(super) fn parse(settings: &ConnectorSettings) -> Result<Self, RosterError> {
        let mut roster = Roster::parse(&settings.config)?;
        if roster.users.is_empty() {
            let known = settings.users.iter().map(|name| person(name.as_str(), name.as_str()));
            roster.users = known.collect();
        }
        if roster.channels.is_empty() {
            roster.channels = settings.channels.iter().map(|name| name.as_str().to_owned()).collect();
        }
        let unlisted = |key, name: &str, list| Err(RosterError::Unlisted { key, name: name.to_owned(), list });
        if let Some(channel) = &roster.start_channel
            && !roster.channels.contains(channel)
        {
            return unlisted("StartChannel", channel, "Channels");
        }
        if let Some(user) = &roster.start_user
            && roster.by_name(user).is_none()
        {
            return unlisted("StartUser", user, "Users");
        }
        let robot = match roster.by_name(&settings.robot_name) {
            Some(robot) => robot.clone(),
            None => Person { full_name: settings.robot_full_name.clone(), ..person(&settings.robot_name, ROBOT_ID) },
        };
        if roster.by_name(&robot.name).is_none() {
            roster.users.push(robot.clone());
        }
        Ok(Self { roster, robot, alias: settings.alias })
    }

    /// Everybody but the robot.
    pub(super) fn people(&self) -> impl Iterator<Item = &str> {
        self.roster.users.iter().map(|p| p.name.as_str()).filter(|name| *name != self.robot.name)
    }

    /// The channel of that name; a robot without any channel takes every name.
    pub(super) fn channel(&self, text: &str) -> Option<String> {
        let name = bracketed(text).unwrap_or(text);
        let name = name.strip_prefix('#').unwrap_or(name);
        let known = self.roster.channels.is_empty() || self.roster.channels.iter().any(|c| c == name);
        (known && !name.is_empty()).then(|| name.to_owned())
    }

    pub(super) fn start_channel(&self) -> Option<String> {
        self.roster.start_channel.clone().or_else(|| self.roster.channels.first().cloned())
    }

    /// Whom a console speaks as at first: who may be anybody is the start user.
    pub(super) fn start_user(&self, identity: &ConsoleIdentity) -> String {
        match &self.roster.start_user {
            Some(user) if identity.any_user => user.clone(),
            _ => identity.user.as_str().to_owned(),
        }
    }

    pub(super) fn user_id<'a>(&'a self, name: &'a str) -> &'a str {
        self.roster.by_name(name).map(|p| p.id.as_str()).filter(|id| !id.is_empty()).unwrap_or(name)
    }
}

fn person(name: &str, id: &str) -> Person {
    Person { name: name.to_owned(), id: id.to_owned(), ..Person::default() }
}

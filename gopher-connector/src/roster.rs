//! `Users` and `Channels` of a `ProtocolConfig`, and what can be looked up in them.
//!
//! Keys are matched without regard to case and unknown ones are left alone, as everywhere in a protocol's section.

use gopher_protocol::robot_api::RetVal;
use serde_json::{Map, Value};

/// Why a `ProtocolConfig` cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RosterError {
    #[error("ProtocolConfig is not JSON: {0}")]
    Json(String),
    #[error("ProtocolConfig: {key} must be {want}")]
    Type { key: String, want: &'static str },
    #[error("ProtocolConfig: {key} is '{name}', which is not in {list}")]
    Unlisted { key: &'static str, name: String, list: &'static str },
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) full_name: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) phone: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Roster {
    pub(crate) users: Vec<Person>,
    pub(crate) channels: Vec<String>,
    pub(crate) start_user: Option<String>,
    pub(crate) start_channel: Option<String>,
    pub(crate) hidden_commands: Option<bool>,
    /// Literal formats are made visible.
    pub(crate) mock_formatting: bool,
}

fn field<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.iter().find(|(k, v)| k.eq_ignore_ascii_case(key) && !v.is_null()).map(|(_, v)| v)
}

fn text(map: &Map<String, Value>, path: &str, key: &str) -> Result<String, RosterError> {
    match field(map, key) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(RosterError::Type { key: format!("{path}{key}"), want: "text" }),
    }
}

fn switch(map: &Map<String, Value>, key: &str) -> Result<Option<bool>, RosterError> {
    match field(map, key) {
        None => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(*on)),
        Some(_) => Err(RosterError::Type { key: key.to_owned(), want: "true or false" }),
    }
}

fn list<'a>(map: &'a Map<String, Value>, key: &str) -> Result<&'a [Value], RosterError> {
    match field(map, key) {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(RosterError::Type { key: key.to_owned(), want: "a list" }),
    }
}

fn person(index: usize, item: &Value) -> Result<Person, RosterError> {
    let path = format!("Users[{index}].");
    let Value::Object(map) = item else {
        return Err(RosterError::Type { key: format!("Users[{index}]"), want: "a map with Name and InternalID" });
    };
    let get = |key| text(map, &path, key);
    let person = Person {
        name: get("Name")?,
        id: get("InternalID")?,
        email: get("Email")?,
        full_name: get("FullName")?,
        first_name: get("FirstName")?,
        last_name: get("LastName")?,
        phone: get("Phone")?,
    };
    if person.name.is_empty() {
        return Err(RosterError::Type { key: format!("{path}Name"), want: "a user name" });
    }
    Ok(person)
}

impl Roster {
    /// Reads a `ProtocolConfig`; an absent one is empty.
    pub(crate) fn parse(config: &str) -> Result<Self, RosterError> {
        if config.trim().is_empty() {
            return Ok(Self::default());
        }
        let map = match serde_json::from_str(config).map_err(|e| RosterError::Json(e.to_string()))? {
            Value::Null => Map::new(),
            Value::Object(map) => map,
            _ => {
                return Err(RosterError::Type { key: "it".to_owned(), want: "a map" });
            }
        };
        let users =
            list(&map, "Users")?.iter().enumerate().map(|(i, item)| person(i, item)).collect::<Result<_, _>>()?;
        let channels = list(&map, "Channels")?
            .iter()
            .enumerate()
            .map(|(i, item)| match item {
                Value::String(name) => Ok(name.clone()),
                _ => Err(RosterError::Type { key: format!("Channels[{i}]"), want: "a channel name" }),
            })
            .collect::<Result<_, _>>()?;
        let optional = |key| text(&map, "", key).map(|value| Some(value).filter(|v| !v.is_empty()));
        Ok(Self {
            users,
            channels,
            start_user: optional("StartUser")?,
            start_channel: optional("StartChannel")?,
            hidden_commands: switch(&map, "HiddenCommands")?,
            mock_formatting: switch(&map, "MockFormatting")?.unwrap_or_default(),
        })
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Person> {
        self.users.iter().find(|p| p.id == id)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Person> {
        self.users.iter().find(|p| p.name == name)
    }

    /// A user of a destination: a name, or an id in angle brackets.
    pub(crate) fn user(&self, text: &str) -> Option<&Person> {
        match bracketed(text) {
            Some(id) => self.by_id(id),
            None => self.by_name(text),
        }
    }

    /// A channel of a destination: a name, or an id (`#name`) in angle brackets.
    pub(crate) fn channel(&self, text: &str) -> Option<&str> {
        let name = bracketed(text).map_or(text, |id| id.strip_prefix('#').unwrap_or(id));
        self.channels.iter().find(|c| *c == name).map(String::as_str)
    }

    /// An attribute of a user (Robot API §1.6).
    pub(crate) fn attribute(&self, user: &str, attribute: &str) -> (String, RetVal) {
        let Some(person) = self.user(user) else {
            return (String::new(), RetVal::UserNotFound);
        };
        let value = match attribute.to_ascii_lowercase().as_str() {
            "name" | "username" | "handle" | "user" => &person.name,
            "id" | "internalid" | "protocolid" => &person.id,
            "mail" | "email" => &person.email,
            "fullname" | "realname" | "full name" | "real name" => &person.full_name,
            "firstname" | "givenname" | "first name" => &person.first_name,
            "lastname" | "surname" | "last name" => &person.last_name,
            "phone" => &person.phone,
            _ => return (String::new(), RetVal::AttributeNotFound),
        };
        (value.clone(), RetVal::Ok)
    }
}

/// The inside of `<…>`.
pub(crate) fn bracketed(text: &str) -> Option<&str> {
    text.strip_prefix('<')?.strip_suffix('>')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"startchannel":"general","Users":[
        {"Name":"alice","InternalID":"u0001","Email":"alice@example.com","FullName":"Alice User","Phone":"(555)765-0001"},
        {"name":"bob","internalid":"u0002"}],"Channels":["general","random"],"Color":true}"#;

    #[test]
    fn keys_are_found_in_any_case_and_unknown_ones_ignored() {
        let roster = Roster::parse(CONFIG).unwrap();
        assert_eq!(roster.start_channel.as_deref(), Some("general"));
        assert_eq!(roster.by_id("u0002").unwrap().name, "bob");
        assert_eq!(roster.hidden_commands, None);
        assert_eq!(Roster::parse("").unwrap(), Roster::default());
        assert_eq!(Roster::parse("null").unwrap(), Roster::default());
    }

    #[test]
    fn a_wrong_value_is_named_by_its_key() {
        let error = |config| Roster::parse(config).unwrap_err().to_string();
        assert_eq!(error(r#"{"Users":[{"Name":"a"},{"Name":[]}]}"#), "ProtocolConfig: Users[1].Name must be text");
        assert_eq!(error(r#"{"Users":[{"InternalID":"u"}]}"#), "ProtocolConfig: Users[0].Name must be a user name");
        assert_eq!(error(r#"{"Channels":"general"}"#), "ProtocolConfig: Channels must be a list");
        assert_eq!(error("[]"), "ProtocolConfig: it must be a map");
        assert!(error("{").starts_with("ProtocolConfig is not JSON: "));
    }

    #[test]
    fn users_and_channels_are_found_by_name_and_by_bracketed_id() {
        let roster = Roster::parse(CONFIG).unwrap();
        assert_eq!(roster.user("<u0001>").unwrap().name, "alice");
        assert_eq!(roster.user("alice").unwrap().id, "u0001");
        assert!(roster.user("u0001").is_none());
        assert_eq!(roster.channel("<#random>"), Some("random"));
        assert_eq!(roster.channel("<random>"), Some("random"));
        assert_eq!(roster.channel("nowhere"), None);
    }

    #[test]
    fn attributes_come_from_the_user_entry() {
        let roster = Roster::parse(CONFIG).unwrap();
        assert_eq!(roster.attribute("alice", "Email"), ("alice@example.com".into(), RetVal::Ok));
        assert_eq!(roster.attribute("<u0001>", "real name"), ("Alice User".into(), RetVal::Ok));
        assert_eq!(roster.attribute("bob", "phone"), (String::new(), RetVal::Ok));
        assert_eq!(roster.attribute("bob", "shoesize"), (String::new(), RetVal::AttributeNotFound));
        assert_eq!(roster.attribute("mallory", "email"), (String::new(), RetVal::UserNotFound));
    }
}

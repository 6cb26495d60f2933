//! Attributes of robot, sender and users (spec: Robot API §1.6). Pure; what only the service knows is asked there.

use gopher_protocol::{
    ids::UserName,
    robot::RosterEntry,
    robot_api::{RetVal, RobotAnswer},
};

use crate::{
    context::{Context, bracketed},
    generation::Generation,
};

/// Where a value comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Known(String),
    NotFound,
    /// The roster has none: the connector may know.
    AskConnector,
}

impl Attribute {
    /// The answer to the call; `None` if the connector has to be asked.
    pub(crate) fn into_answer(self) -> Option<RobotAnswer> {
        match self {
            Self::Known(value) => Some(RobotAnswer::Attribute { value, ret: RetVal::Ok }),
            Self::NotFound => Some(RobotAnswer::Attribute { value: String::new(), ret: RetVal::AttributeNotFound }),
            Self::AskConnector => None,
        }
    }
}

/// `robot_id` is the robot's id at the service of the context.
pub(crate) fn of_robot(
    generation: &Generation,
    context: &Context,
    robot_id: Option<&str>,
    attribute: &str,
) -> Attribute {
    let robot = &generation.robot;
    Attribute::Known(match attribute.to_ascii_lowercase().as_str() {
        "name" => robot.identity.user_name.clone(),
        "fullname" | "realname" => robot.identity.full_name.clone(),
        "alias" => robot.alias.map(String::from).unwrap_or_default(),
        "mail" | "email" => robot.identity.email.clone(),
        "contact" | "admin" | "admincontact" => robot.admin_contact.clone(),
        "protocol" => protocol_name(&context.protocol),
        "id" | "internalid" | "protocolid" => format!("<{}>", robot_id.unwrap_or_default()),
        _ => return Attribute::NotFound,
    })
}

/// Protocols as extensions spell them.
fn protocol_name(protocol: &str) -> String {
    match protocol {
        "googlechat" => "GoogleChat".to_owned(),
        "ssh" => "SSH".to_owned(),
        other => {
            let mut characters = other.chars();
            characters.next().map(|c| c.to_uppercase().chain(characters).collect()).unwrap_or_default()
        }
    }
}

pub(crate) fn of_sender(generation: &Generation, context: &Context, attribute: &str) -> Attribute {
    match attribute.to_ascii_lowercase().as_str() {
        "name" | "username" | "handle" | "user" => Attribute::Known(context.user.as_str().to_owned()),
        "id" | "internalid" | "protocolid" => Attribute::Known(format!("<{}>", context.user_id)),
        other => from_roster(generation.roster_entry(&context.user), other),
    }
}

pub(crate) fn of_user(generation: &Generation, user: &str, attribute: &str) -> Attribute {
    let entry = generation.roster_entry(&UserName(user.to_lowercase()));
    match attribute.to_ascii_lowercase().as_str() {
        "name" | "username" | "handle" | "user" => match entry {
            Some(entry) => Attribute::Known(entry.user_name.as_str().to_owned()),
            None => Attribute::AskConnector,
        },
        "id" | "internalid" | "protocolid" => match bracketed(user) {
            Some(id) => Attribute::Known(id.to_owned()),
            None => Attribute::AskConnector,
        },
        other => from_roster(entry, other),
    }
}

fn from_roster(entry: Option<&RosterEntry>, attribute: &str) -> Attribute {
    let value = entry.and_then(|entry| {
        Some(match attribute {
            "mail" | "email" => &entry.email,
            "fullname" | "realname" => &entry.full_name,
            "firstname" | "givenname" => &entry.first_name,
            "lastname" | "surname" => &entry.last_name,
            "phone" => &entry.phone,
            _ => return None,
        })
    });
    match value.filter(|v| !v.is_empty()) {
        Some(value) => Attribute::Known(value.clone()),
        None if attribute.is_empty() => Attribute::NotFound,
        None => Attribute::AskConnector,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn names_are_case_insensitive_and_empty_values_are_values_of_the_robot() {
        let (generation, _) = Generation::new(testing::robot());
        let context = testing::context("alice", "general");
        let robot = |name: &str| of_robot(&generation, &context, Some("deadbeef"), name);
        let known = |text: &str| Attribute::Known(text.into());
        assert_eq!(robot("FullName"), known("Floyd Gopherbot"));
        assert_eq!(robot("alias"), known(";"));
        assert_eq!(robot("protocol"), known("Test"));
        assert_eq!(robot("id"), known("<deadbeef>"));
        assert_eq!(of_robot(&generation, &context, None, "id"), known("<>"));
        assert_eq!(robot("shoe"), Attribute::NotFound);
    }

    #[test]
    fn users_come_from_the_roster_then_from_the_service() {
        let (generation, _) = Generation::new(testing::robot());
        let context = testing::context("alice", "general");
        let known = |text: &str| Attribute::Known(text.into());
        assert_eq!(of_sender(&generation, &context, "ID"), known("<u-alice>"));
        assert_eq!(of_sender(&generation, &context, "email"), known("alice@example.com"));
        assert_eq!(of_sender(&generation, &context, "phone"), Attribute::AskConnector);
        assert_eq!(of_sender(&generation, &context, ""), Attribute::NotFound);
        assert_eq!(of_user(&generation, "Bob", "firstName"), known("bob"));
        assert_eq!(of_user(&generation, "<u77>", "id"), known("u77"));
        assert_eq!(of_user(&generation, "bob", "id"), Attribute::AskConnector);
        assert_eq!(of_user(&generation, "zoe", "email"), Attribute::AskConnector);
    }
}

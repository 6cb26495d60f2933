//! Who is in which group: the policy of the authorizer `groups` (spec: pipelines §4.3). Pure.
//!
//! The engine asks this instead of starting a run. Who is added and removed in chat is done by the stock extension of the
//! same name, and comes here as the text of its datum.

use std::collections::BTreeMap;

use gopher_protocol::{robot::Robot, robot_api::TaskRetVal};
use serde::Deserialize;

/// The authorizer, and the extension that has its configuration and its chat commands.
pub(crate) const NAME: &str = "groups";

const NOT_YOURS: &str = "Sorry, only a group administrator can do that";

/// Why a command of the extension is refused to a user who is not in the roster: a name that nobody vouches for may be
/// that of a group's administrator.
pub(crate) fn refusal(command: &str, listed: bool) -> Option<&'static str> {
    (!listed && matches!(command, "add" | "remove" | "empty")).then_some(NOT_YOURS)
}

/// The name space of the extension's data.
pub(crate) fn name_space(robot: &Robot) -> &str {
    robot.extension(&NAME.into()).and_then(|extension| extension.name_space.as_deref()).unwrap_or(NAME)
}

/// One group as it is configured, and as its datum is remembered.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Group {
    administrators: Option<Vec<String>>,
    users: Option<Vec<String>>,
}

impl Group {
    fn names(&self, user: &str) -> bool {
        let all = [&self.administrators, &self.users];
        all.into_iter().flatten().flatten().any(|name| name == user)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    groups: Option<BTreeMap<String, Option<Group>>>,
}

/// The configured groups; nobody can make another one in chat.
#[derive(Debug, Default)]
pub(crate) struct Groups(BTreeMap<String, Group>);

impl Groups {
    /// From the `Config` of the extension, as JSON text.
    pub(crate) fn of(config: &str) -> Result<Self, String> {
        let config: Config = serde_json::from_str(config).map_err(|error| error.to_string())?;
        let groups = config.groups.unwrap_or_default();
        Ok(Self(groups.into_iter().map(|(name, group)| (name, group.unwrap_or_default())).collect()))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the authorizer answers for a user; `None` if there is no such group to ask about. `remembered` is the datum
    /// of the group.
    pub(crate) fn authorize(&self, group: &str, user: &str, remembered: Option<&str>) -> Option<TaskRetVal> {
        let configured = self.0.get(group)?;
        let member = configured.names(user) || was_added(user, remembered);
        Some(if member { TaskRetVal::SUCCESS } else { TaskRetVal::FAIL })
    }

    /// The groups of a user; `remembered` gives the datum of a group.
    pub(crate) fn of_user(&self, user: &str, remembered: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let member = |name: &&String| {
            self.authorize(name, user, remembered(name).as_deref()).is_some_and(|answer| answer == TaskRetVal::SUCCESS)
        };
        self.0.keys().filter(member).cloned().collect()
    }
}

/// Somebody has added the user in chat. A datum that cannot be read adds nobody.
fn was_added(user: &str, datum: Option<&str>) -> bool {
    let group = datum.and_then(|text| serde_json::from_str::<Group>(text).ok()).unwrap_or_default();
    group.users.is_some_and(|users| users.iter().any(|name| name == user))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str =
        r#"{"Groups":{"Helpdesk":{"Administrators":["carol"],"Users":["bob"]},"Peons":null},"Other":1}"#;

    #[test]
    fn members_are_configured_or_were_added() {
        let groups = Groups::of(CONFIG).expect("groups");
        let added = r#"{"Administrators":null,"Users":["david"]}"#;
        for (group, user, datum, expected) in [
            ("Helpdesk", "carol", None, Some(TaskRetVal::SUCCESS)),
            ("Helpdesk", "bob", None, Some(TaskRetVal::SUCCESS)),
            ("Helpdesk", "david", None, Some(TaskRetVal::FAIL)),
            ("Helpdesk", "david", Some(added), Some(TaskRetVal::SUCCESS)),
            ("Helpdesk", "Bob", Some(added), Some(TaskRetVal::FAIL)),
            ("Peons", "carol", None, Some(TaskRetVal::FAIL)),
            ("Peons", "david", Some(added), Some(TaskRetVal::SUCCESS)),
            ("helpdesk", "bob", None, None),
            ("", "bob", Some(added), None),
        ] {
            assert_eq!(groups.authorize(group, user, datum), expected, "{user} in {group:?}");
        }
    }

    #[test]
    fn what_is_remembered_wrongly_adds_nobody() {
        let groups = Groups::of(CONFIG).expect("groups");
        for datum in [
            "",
            "[]",
            "\"david\"",
            r#"{"Users":"david"}"#,
            r#"{"Administrators":["david"]}"#,
            r#"{"Users":[["david"]]}"#,
        ] {
            assert_eq!(groups.authorize("Peons", "david", Some(datum)), Some(TaskRetVal::FAIL), "{datum}");
        }
    }

    #[test]
    fn a_user_has_the_groups_that_would_say_yes() {
        let groups = Groups::of(CONFIG).expect("groups");
        let remembered = |name: &str| (name == "Peons").then(|| r#"{"Users":["bob"]}"#.to_owned());
        assert_eq!(groups.of_user("bob", remembered), ["Helpdesk", "Peons"]);
        assert_eq!(groups.of_user("erin", remembered), [""; 0]);
    }

    #[test]
    fn a_configuration_without_groups_has_none_and_a_wrong_one_says_so() {
        for config in ["{}", r#"{"Groups":null}"#, r#"{"Groups":{}}"#] {
            assert!(Groups::of(config).expect("reads").is_empty());
        }
        assert!(Groups::of(r#"{"Groups":{"A":{"Users":"bob"}}}"#).is_err());
    }
}

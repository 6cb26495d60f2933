//! What is different between two configurations, for whoever reloads. Pure.

use std::collections::BTreeMap;

use gopher_protocol::robot::{Extension, Kind, Robot};
use serde_json::Value;

/// Longest value that is shown with its key.
const SHORT: usize = 60;
/// Not settings, or told extension by extension.
const SET_ASIDE: [&str; 4] = ["generation", "extensions", "disabled", "notices"];

/// Fields of an extension that hold the values of several keys.
const GROUPS: [&str; 2] = ["private", "guard"];
/// Fields whose key has other words.
const KEYS: [(&str, &str); 15] = [
    ("mail", "MailConfig"),
    ("identity", "BotInfo"),
    ("roster", "UserRoster"),
    ("default_format", "DefaultMessageFormat"),
    ("protocols", "ProtocolConfig"),
    ("plugin_time_outs", "TimeOuts.Plugin"),
    ("job_time_outs", "TimeOuts.Job"),
    ("allowed", "AllowedPrivateCommands"),
    ("required", "RequiredPrivateCommands"),
    ("require_all", "RequireAllCommandsPrivate"),
    ("restrict_channels", "RestrictPrivateChannels"),
    ("authorized", "AuthorizedCommands"),
    ("authorize_all", "AuthorizeAllCommands"),
    ("elevated", "ElevatedCommands"),
    ("elevate_immediate", "ElevateImmediateCommands"),
];

/// One line for each difference: `+` what is new, `-` what is gone, `~` what has changed and in which keys.
pub(crate) fn changes(before: &Robot, after: &Robot) -> Vec<String> {
    let (old, new) = (fields(before), fields(after));
    let mut lines: Vec<String> = differing(&old, &new)
        .filter(|name| !SET_ASIDE.contains(name))
        .map(|name| {
            let values = old.get(name).and_then(shown).zip(new.get(name).and_then(shown));
            let values = values.map(|(old, new)| format!(": {old} -> {new}")).unwrap_or_default();
            format!("~ {}{values}", key(name))
        })
        .collect();
    let (old, new) = (by_name(before), by_name(after));
    for (id, extension) in &new {
        match old.get(id) {
            None => lines.push(format!("+ {}", title(extension))),
            Some(former) => {
                let (former, latter) = (fields(former), fields(extension));
                let keys: Vec<String> = differing(&former, &latter).map(key).collect();
                if !keys.is_empty() {
                    lines.push(format!("~ {}: {}", title(extension), keys.join(", ")));
                }
            }
        }
    }
    lines.extend(old.iter().filter(|(id, _)| !new.contains_key(*id)).map(|(_, e)| format!("- {}", title(e))));
    lines
}

type Fields = BTreeMap<String, Value>;

fn fields(value: &impl serde::Serialize) -> Fields {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => {
            let (groups, plain): (Vec<_>, Vec<_>) = map.into_iter().partition(|(name, _)| GROUPS.contains(&&**name));
            let inner = groups.into_iter().filter_map(|(_, group)| group.as_object().cloned()).flatten();
            plain.into_iter().chain(inner).collect()
        }
        // A value without keys differs in nothing that could be named.
        _ => Fields::new(),
    }
}

fn differing<'a>(old: &'a Fields, new: &'a Fields) -> impl Iterator<Item = &'a str> {
    new.iter().filter(|(name, value)| old.get(*name) != Some(value)).map(|(name, _)| name.as_str())
}

fn by_name(robot: &Robot) -> BTreeMap<(&str, &str), &Extension> {
    robot.extensions.iter().map(|e| ((word(&e.kind), e.name.as_str()), e)).collect()
}

fn title(extension: &Extension) -> String {
    format!("{} {}", word(&extension.kind), extension.name)
}

fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Plugin => "plugin",
        Kind::Job => "job",
        Kind::Task => "task",
    }
}

/// The key of the manual for a field: `admin_users` is `AdminUsers`.
fn key(field: &str) -> String {
    if let Some((_, key)) = KEYS.iter().find(|(name, _)| *name == field) {
        return (*key).to_owned();
    }
    let words = field.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    });
    words.collect()
}

/// A value short enough to be read in one line.
fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(|i| i.as_str().map(str::to_owned)).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Object(_) => return None,
        other => other.to_string(),
    };
    (text.chars().count() <= SHORT).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn every_difference_is_a_line() {
        let before = testing::robot_with(vec![testing::extension("echo"), testing::extension("old")]);
        let mut echo = testing::extension("echo");
        echo.users = vec!["bob".into()];
        echo.require_admin = true;
        echo.private.required = vec!["say".into()];
        echo.guard.auth_require = "operators".into();
        let mut after = testing::robot_with(vec![echo, testing::extension("deploy")]);
        after.admin_contact = "ops@example.com".into();
        after.admin_users.push("bob".into());
        after.roster.clear();
        after.generation.0 += 1;
        after.notices.push("something to know".into());
        assert_eq!(
            changes(&before, &after),
            [
                "~ AdminContact: \"root <root@example.com>\" -> \"ops@example.com\"",
                "~ AdminUsers: [alice] -> [alice, bob]",
                "~ UserRoster",
                "+ plugin deploy",
                "~ plugin echo: AuthRequire, RequireAdmin, RequiredPrivateCommands, Users",
                "- plugin old",
            ]
        );
        assert_eq!(changes(&before, &before), [""; 0]);
    }
}

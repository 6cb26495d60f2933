//! Authorizer and elevator of an extension (spec: configuration §3, §3.2), and what becomes of it if they are not to
//! be had: it is disabled. Whether they say yes is asked at run time, by the engine.

use std::collections::{BTreeMap, HashMap, HashSet};

use gopher_protocol::{
    ids::TaskName,
    robot::{Cause, Disabled, Guard, Kind, Robot},
};

use crate::{
    declared::STOCK,
    keys::extension::ExtensionFile,
    layers::Notices,
    robot::RobotKeys,
    yaml::{Node, Place},
};

/// Authorizers and elevators of the install tree. They are known whether or not this version has them: one that it
/// has not refuses every command.
const INSTALLED: [&str; 4] = ["groups", "builtin-totp", "builtin-userapproval", "duo"];

/// The command of a job.
const RUN: &str = "run";

/// `DefaultAuthorizer` and `DefaultElevator`.
pub(crate) struct Defaults {
    authorizer: Option<(TaskName, Place)>,
    elevator: Option<(TaskName, Place)>,
}

impl Defaults {
    pub(crate) fn of(robot: &RobotKeys) -> Self {
        let named = |name: &str, key: &str| named(name).map(|name| (name, robot.at(&[key]).clone()));
        Self {
            authorizer: named(&robot.keys.default_authorizer, "DefaultAuthorizer"),
            elevator: named(&robot.keys.default_elevator, "DefaultElevator"),
        }
    }
}

fn named(name: &str) -> Option<TaskName> {
    Some(name.trim()).filter(|name| !name.is_empty()).map(TaskName::from)
}

/// A plugin that an extension cannot do without.
pub(crate) struct Needed {
    /// `authorizer` or `elevator`.
    word: &'static str,
    plugin: TaskName,
    at: Place,
}

/// The guard of one extension and the plugins that it names, or why there can be none.
pub(crate) fn guard(
    kind: &Kind,
    file: &ExtensionFile,
    node: &Node,
    defaults: &Defaults,
    notices: &mut Notices,
) -> Result<(Guard, Vec<Needed>), String> {
    let at = |key: &str| &node.find(&[key]).unwrap_or(node).at;
    let job = *kind == Kind::Job;
    let mut needed = Vec::new();
    let mut need = |word, plugin: &TaskName, at: &Place| {
        needed.push(Needed { word, plugin: plugin.clone(), at: at.clone() });
        plugin.clone()
    };
    let mut guard = Guard {
        auth_require: file.auth_require.clone(),
        authorized: file.authorized_commands.clone(),
        authorize_all: file.authorize_all_commands,
        elevated: file.elevated_commands.clone(),
        elevate_immediate: file.elevate_immediate_commands.clone(),
        ..Guard::default()
    };
    let own = named(&file.authorizer).map(|name| (name, at("Authorizer").clone()));
    if job {
        // A job that names one asks it; nothing else of a job is authorized.
        guard.authorize_all = own.is_some();
    }
    if guard.authorize_all || !guard.authorized.is_empty() {
        let Some((name, place)) = own.as_ref().or(defaults.authorizer.as_ref()) else {
            let key = if file.authorize_all_commands { "AuthorizeAllCommands" } else { "AuthorizedCommands" };
            let message = format!("`{key}` needs an authorizer");
            let hint = "name one in `Authorizer`, or in `DefaultAuthorizer` of robot.yaml";
            return Err(at(key).says(message).hint(hint).sentence());
        };
        guard.authorizer = Some(need("authorizer", name, place));
    } else if let Some((_, place)) = own {
        let message = "`Authorizer` is set, but no command is authorized";
        let hint = "list some in `AuthorizedCommands`, or set `AuthorizeAllCommands: true`";
        return Err(place.says(message).hint(hint).sentence());
    } else if !guard.auth_require.is_empty() {
        notices.push(at("AuthRequire").says("`AuthRequire` has no effect: nothing here is authorized"));
    }
    let own = named(&file.elevator).map(|name| (name, at("Elevator").clone()));
    if job && own.is_some() {
        guard.elevated = vec![RUN.to_owned()];
    }
    if !guard.elevated.is_empty() || !guard.elevate_immediate.is_empty() {
        let Some((name, place)) = own.as_ref().or(defaults.elevator.as_ref()) else {
            let key = if guard.elevated.is_empty() { "ElevateImmediateCommands" } else { "ElevatedCommands" };
            let message = format!("`{key}` needs an elevator");
            let hint = "name one in `Elevator`, or in `DefaultElevator` of robot.yaml";
            return Err(at(key).says(message).hint(hint).sentence());
        };
        guard.elevator = Some(need("elevator", name, place));
    } else if let Some((name, place)) = own {
        notices.push(place.says("`Elevator` has no effect: no command is elevated"));
        need("elevator", &name, &place);
    }
    Ok((guard, needed))
}

/// Disables every extension that names a plugin which is not to be had, and whatever names those in turn. `needed` goes
/// by the index of the extension.
pub(crate) fn settle(robot: &mut Robot, needed: &[(usize, Needed)]) {
    let plugins: HashMap<&TaskName, usize> = robot
        .extensions
        .iter()
        .enumerate()
        .filter(|(_, e)| e.kind == Kind::Plugin && !STOCK.contains(&e.name.as_str()))
        .map(|(index, e)| (&e.name, index))
        .collect();
    let others: HashMap<&TaskName, &Kind> = robot.extensions.iter().map(|e| (&e.name, &e.kind)).collect();
    let disabled: HashSet<&TaskName> = robot.disabled.iter().map(|d| &d.name).collect();
    let mut users = HashMap::<usize, Vec<(usize, &Needed)>>::new();
    let mut off = BTreeMap::<usize, String>::new();
    for (index, needed) in needed {
        let Needed { word, plugin, at } = needed;
        let known = INSTALLED.contains(&plugin.as_str());
        let problem = match (plugins.get(plugin), disabled.contains(plugin), others.get(plugin)) {
            (Some(found), _, _) => {
                users.entry(*found).or_default().push((*index, needed));
                continue;
            }
            (None, true, _) => disabled_plugin(word, plugin),
            (None, false, _) if known => continue,
            (None, false, Some(Kind::Job)) => format!("`{plugin}` is a job and cannot be the {word}"),
            (None, false, Some(Kind::Task)) => format!("`{plugin}` is a task and cannot be the {word}"),
            (None, false, _) if STOCK.contains(&plugin.as_str()) => {
                format!("the stock plugin `{plugin}` cannot be the {word}")
            }
            (None, false, _) => format!("there is no plugin `{plugin}`, which is to be the {word}"),
        };
        off.entry(*index).or_insert_with(|| at.says(problem).sentence());
    }
    let mut queue: Vec<usize> = off.keys().copied().collect();
    while let Some(index) = queue.pop() {
        for (user, Needed { word, plugin, at }) in users.remove(&index).unwrap_or_default() {
            off.entry(user).or_insert_with(|| {
                queue.push(user);
                at.says(disabled_plugin(word, plugin)).sentence()
            });
        }
    }
    let mut index = 0;
    let Robot { extensions, disabled, .. } = robot;
    extensions.retain(|extension| {
        let reason = off.remove(&index);
        index += 1;
        let keep = reason.is_none();
        disabled.extend(reason.map(|reason| Disabled {
            cause: Cause::Wrong,
            name: extension.name.clone(),
            kind: extension.kind.clone(),
            reason,
        }));
        keep
    });
}

fn disabled_plugin(word: &str, plugin: &TaskName) -> String {
    format!("the {word} `{plugin}` is disabled")
}

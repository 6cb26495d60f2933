//! Robot-wide settings: from the keys of `robot.yaml` and the protocol files to the types of the protocol.

use std::{collections::HashSet, time::Duration};

use gopher_protocol::{
    ids::{ChannelName, Generation, UserName},
    loader::{ConnectorEntry, Sources, StartMode},
    robot::{BrainFormat, Identity, ProtocolSettings, Robot, RosterEntry, TimeOuts},
    robot_api::{LogLevel, MessageFormat},
};

use crate::{
    Diagnostic,
    keys::{
        extension::Thresholds,
        robot::{Person, RobotFile},
    },
    layers::{Layers, Owner, both, over},
    mail::mail,
    protocols::protocols,
    providers,
    yaml::{Entry, Node, Place, Value, decode},
};

/// What may stand for the robot's name.
const ALIASES: &str = r"*+^$?\[]{}&!;:-%#@~<>";

/// Names of the private environment that only the keeper of keys ever reads.
const KEYS: [&str; 5] =
    ["BOT_SSH_PHRASE", "GOPHER_DEPLOY_KEY", "GOPHER_ENCRYPTION_KEY", "GOPHER_HOST_KEYS", "SSH_HOST_KEY"];

/// `robot.yaml`, merged and decoded.
pub(crate) struct RobotKeys {
    pub(crate) keys: RobotFile,
    pub(crate) node: Node,
}

impl RobotKeys {
    pub(crate) fn load(layers: &mut Layers<'_>, sources: &Sources) -> Result<Self, Vec<Diagnostic>> {
        let mut installed = layers.layer(Owner::Install, "robot.yaml");
        if sources.demo_extensions {
            let demo = layers.layer(Owner::Install, "demo.yaml");
            installed = both(installed, demo).map(|(installed, demo)| over(installed, demo));
        }
        let own = layers.layer(Owner::Robot, "robot.yaml").and_then(|own| present(layers, sources, own));
        let (installed, own) = both(installed, own)?;
        let Some(node) = over(installed, own) else {
            return Err(vec![missing(layers)]);
        };
        let decoded: Result<RobotFile, _> = decode(&node);
        let mut errors = Vec::new();
        if let Some(entry) = node.entry("ProtocolConfig") {
            let message = "invalid configuration key in robot.yaml: ProtocolConfig";
            errors.push(entry.at.says(message).hint("it belongs in conf/protocols/NAME.yaml"));
        }
        match decoded {
            Ok(keys) if errors.is_empty() => return Ok(Self { keys, node }),
            Ok(_) => {}
            Err(found) => errors.extend(found),
        }
        // The files that it names may be wrong as well, and are told in the same pass.
        errors.extend(protocols(sources, layers, &node).err().unwrap_or_default());
        errors.extend(providers::check(layers, &node).err().unwrap_or_default());
        Err(errors)
    }

    /// The entries of one of the maps.
    pub(crate) fn entries(&self, map: &str) -> &[Entry] {
        self.node.find(&[map]).map(Node::entries).unwrap_or_default()
    }

    /// Where a key stands, or as near to it as there is anything.
    pub(crate) fn at(&self, path: &[&str]) -> &Place {
        let mut node = &self.node;
        for key in path {
            match node.find(&[key]) {
                Some(inner) => node = inner,
                None => break,
            }
        }
        &node.at
    }

    /// Where the last word on the time-outs of plugins or jobs stands: a map begins where its lowest layer does.
    fn time_out(&self, of: &str) -> &Place {
        let map = self.at(&["TimeOuts", of]);
        let values = ["Kill", "Warn"].map(|key| self.at(&["TimeOuts", of, key]));
        values.into_iter().find(|value| value.source.name != map.source.name).unwrap_or(map)
    }

    fn error(&self, path: &[&str], message: impl Into<String>) -> Diagnostic {
        self.at(path).says(message)
    }
}

fn missing(layers: &Layers<'_>) -> Diagnostic {
    Diagnostic::of_file(layers.own("robot.yaml"), "there is no such file, and the robot cannot start without it")
        .hint("start in the directory of a robot, or write one: the quick start of the manual shows how")
}

/// A robot's own file that vanished or was emptied must not leave the robot on shipped defaults.
fn present(layers: &Layers<'_>, sources: &Sources, own: Option<Node>) -> Result<Option<Node>, Vec<Diagnostic>> {
    match &own {
        None if matches!(sources.mode, StartMode::TestDev | StartMode::Production) => Err(vec![missing(layers)]),
        Some(node) if node.entries().is_empty() => {
            Err(vec![node.at.says("the file holds no keys, so the robot would run on shipped defaults alone")])
        }
        _ => Ok(own),
    }
}

/// Everything of a robot but its extensions.
pub(crate) fn build(
    generation: Generation,
    sources: &Sources,
    environment: &str,
    layers: &mut Layers<'_>,
    robot: &RobotKeys,
) -> Result<(Robot, Vec<ConnectorEntry>), Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let keys = &robot.keys;
    let alias = keys.alias.chars().next();
    if alias.is_some_and(|a| !ALIASES.contains(a)) {
        let all: Vec<String> = ALIASES.chars().map(String::from).collect();
        errors.push(robot.error(&["Alias"], format!("invalid alias; it must be one of: {}", all.join(" "))));
    }
    for path in &keys.read_paths {
        if !path.starts_with('/') || path.contains('\0') {
            errors.push(robot.error(&["ReadPaths"], format!("`{path}` is not an absolute path")));
        }
    }
    for name in &keys.plain_environment {
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("`{name}` cannot be the name of an environment variable");
            errors.push(robot.error(&["PlainEnvironment"], message));
        } else if KEYS.contains(&name.as_str()) {
            errors.push(robot.error(&["PlainEnvironment"], format!("`{name}` is a key and is never plain")));
        }
    }
    let mut time_outs = |of: &str, given| {
        let checked = thresholds(given, &format!("TimeOuts.{of}"));
        checked.map_err(|e| errors.push(robot.time_out(of).says(e)))
    };
    let plugin_time_outs = time_outs("Plugin", keys.time_outs.plugin);
    let job_time_outs = time_outs("Job", keys.time_outs.job);
    let protocols = protocols(sources, layers, &robot.node).map_err(|e| errors.extend(e));
    errors.extend(providers::check(layers, &robot.node).err().unwrap_or_default());
    let (Ok((protocols, mut connectors)), Ok(plugin_time_outs), Ok(job_time_outs), []) =
        (protocols, plugin_time_outs, job_time_outs, errors.as_slice())
    else {
        return Err(errors);
    };
    announce(layers, robot, &protocols);
    let mail = mail(robot, &layers.environment.markers, &mut layers.notices).map(|(host, entry)| {
        connectors.push(entry);
        host
    });
    let built = Robot {
        generation,
        identity: identity(&keys.bot_info),
        alias,
        admin_contact: keys.admin_contact.clone(),
        admin_users: keys.admin_users.iter().map(UserName::new).collect(),
        roster: roster(layers, robot),
        ignore_unlisted_users: keys.ignore_unlisted_users,
        ignore_users: keys.ignore_users.clone(),
        hear_self: keys.hear_self.unwrap_or(true),
        join_channels: keys.join_channels.iter().map(ChannelName::new).collect(),
        default_channels: keys.default_channels.iter().map(ChannelName::new).collect(),
        default_job_channel: filled(&keys.default_job_channel).map(ChannelName::new),
        default_format: MessageFormat::parse(&keys.default_message_format).unwrap_or(MessageFormat::BasicMarkdown),
        log_level: LogLevel::parse(&keys.log_level),
        primary_protocol: protocols.first().map(|p| p.name.clone()).unwrap_or_default(),
        protocols,
        brain: filled(&keys.brain.trim().to_lowercase()).unwrap_or_else(|| "mem".to_owned()),
        brain_format: if keys.legacy_brain { BrainFormat::Gopherbot } else { BrainFormat::Own },
        mail,
        environment: environment.to_owned(),
        work_space: filled(&keys.work_space),
        secure_parameters: keys.secure_parameters,
        read_paths: keys.read_paths.clone(),
        plugin_time_outs,
        job_time_outs,
        extensions: Vec::new(),
        disabled: Vec::new(),
        notices: Vec::new(),
    };
    Ok((built, connectors))
}

/// The entries of a list at the top level.
pub(crate) fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    match node.find(&[key]).map(|n| &n.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Both thresholds, zero where not given; `scope` names them in the error.
pub(crate) fn thresholds(given: Thresholds, scope: &str) -> Result<TimeOuts, String> {
    let zero = |d: Option<crate::units::GoDuration>| d.map_or(Duration::ZERO, |d| d.0);
    let (warn, kill) = (zero(given.warn), zero(given.kill));
    if !warn.is_zero() && !kill.is_zero() && kill <= warn {
        return Err(format!("{scope} Kill must be greater than Warn when both are set"));
    }
    Ok(TimeOuts { warn, kill })
}

fn identity(person: &Person) -> Identity {
    Identity {
        user_name: person.user_name.clone(),
        full_name: person.full_name.clone(),
        email: person.email.clone(),
        phone: person.phone.clone(),
        first_name: person.first_name.clone(),
        last_name: person.last_name.clone(),
    }
}

fn roster(layers: &mut Layers<'_>, robot: &RobotKeys) -> Vec<RosterEntry> {
    let mut seen = HashSet::new();
    let mut roster = Vec::new();
    for (person, node) in robot.keys.user_roster.iter().zip(items(&robot.node, "UserRoster")) {
        let name = &person.user_name;
        let problem = if name.is_empty() {
            Some("this entry of `UserRoster` is ignored: it has no `UserName`".to_owned())
        } else if *name != name.to_lowercase() {
            Some(format!("this entry of `UserRoster` is ignored: `{name}` is not in lower case"))
        } else if !seen.insert(name.clone()) {
            Some(format!("this entry of `UserRoster` is ignored: `{name}` is listed before"))
        } else {
            None
        };
        if let Some(problem) = problem {
            layers.notices.push(node.at.says(problem));
            continue;
        }
        roster.push(RosterEntry {
            user_name: UserName::new(name),
            email: person.email.clone(),
            phone: person.phone.clone(),
            full_name: person.full_name.clone(),
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone(),
            bot_user: person.bot_user,
        });
    }
    roster
}

/// Warnings about settings that are valid but will not do what they seem to.
fn announce(layers: &mut Layers<'_>, robot: &RobotKeys, protocols: &[ProtocolSettings]) {
    let keys = &robot.keys;
    let mut say = |path: &[&str], message: String| layers.notices.push(robot.error(path, message));
    if keys.bot_info.user_name.is_empty() && keys.alias.is_empty() {
        say(&["BotInfo"], "Robot has no name or alias, and will only respond to direct messages".to_owned());
    }
    if keys.local_port != 0 {
        say(&["LocalPort"], "`LocalPort` has no effect: every run has a port of its own".to_owned());
    }
    if !keys.default_message_format.is_empty() && MessageFormat::parse(&keys.default_message_format).is_none() {
        let message = format!("`{}` is not a message format; BasicMarkdown is used", keys.default_message_format);
        say(&["DefaultMessageFormat"], message);
    }
    let level = keys.log_level.to_ascii_lowercase();
    if !matches!(level.as_str(), "" | "trace" | "debug" | "info" | "audit" | "warn" | "error") {
        say(&["LogLevel"], format!("`{}` is not a log level; `error` is used", keys.log_level));
    }
    let default = keys.default_protocol.trim().to_lowercase();
    if !default.is_empty() && !protocols.iter().any(|p| p.name.as_str() == default) {
        say(
            &["DefaultProtocol"],
            format!("`{default}` is not among the protocols of this robot; the primary one is used"),
        );
    }
}

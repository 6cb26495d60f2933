//! Robot-wide settings: from the keys of `robot.yaml` and the protocol files to the types of the protocol.

use std::{collections::HashSet, time::Duration};

use gopher_protocol::{
    ids::{ChannelName, Generation, ProtocolName, UserName},
    loader::{Attachment, ConnectorEntry, Sources, StartMode},
    robot::{Identity, ProtocolSettings, Robot, RosterEntry, TimeOuts},
    robot_api::{LogLevel, MessageFormat},
};

use crate::{
    Diagnostic,
    keys::{
        extension::Thresholds,
        robot::{LATER, Person, RobotFile, RosterChannel},
    },
    layers::{Layers, Owner, both, over},
    yaml::{Entry, Node, Value, decode},
};

/// What may stand for the robot's name.
const ALIASES: &str = r"*+^$?\[]{}&!;:-%#@~<>";

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
        let Some(mut node) = over(installed, own) else {
            return Err(vec![missing(layers)]);
        };
        set_aside(layers, &mut node);
        let keys: RobotFile = decode(&node)?;
        if let Some(entry) = node.entry("ProtocolConfig") {
            return Err(vec![
                entry
                    .at
                    .says("invalid configuration key in robot.yaml: ProtocolConfig")
                    .hint("it belongs in conf/protocols/NAME.yaml"),
            ]);
        }
        Ok(Self { keys, node })
    }

    /// The entries of one of the maps.
    pub(crate) fn entries(&self, map: &str) -> &[Entry] {
        self.node.find(&[map]).map(Node::entries).unwrap_or_default()
    }

    fn error(&self, path: &[&str], message: impl Into<String>) -> Diagnostic {
        self.node.find(path).unwrap_or(&self.node).at.says(message)
    }
}

fn missing(layers: &Layers<'_>) -> Diagnostic {
    Diagnostic::of_file(layers.own("robot.yaml"), "there is no such file, and the robot cannot start without it")
        .hint("start in the directory of a robot, or make one with `gopherctl new robot`")
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

/// Takes keys out that nothing reads yet, and says so.
fn set_aside(layers: &mut Layers<'_>, node: &mut Node) {
    let Value::Map(entries) = &mut node.value else { return };
    entries.retain(|entry| {
        let later = LATER.contains(&entry.key.as_str());
        if later && !entry.value.is_null() {
            layers
                .notices
                .push(entry.at.says(format!("`{}` is read by a later version and has no effect yet", entry.key)));
        }
        !later
    });
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
    let plugin_time_outs = thresholds(keys.time_outs.plugin, "TimeOuts.Plugin")
        .map_err(|e| errors.push(robot.error(&["TimeOuts", "Plugin"], e)));
    let job_time_outs =
        thresholds(keys.time_outs.job, "TimeOuts.Job").map_err(|e| errors.push(robot.error(&["TimeOuts", "Job"], e)));
    let protocols = protocols(sources, layers, robot).map_err(|e| errors.extend(e));
    let (Ok((protocols, connectors)), Ok(plugin_time_outs), Ok(job_time_outs), []) =
        (protocols, plugin_time_outs, job_time_outs, errors.as_slice())
    else {
        return Err(errors);
    };
    announce(layers, robot, &protocols);
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
fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
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
    for (map, entries) in [("GoPlugins", &keys.go_plugins), ("GoJobs", &keys.go_jobs), ("GoTasks", &keys.go_tasks)] {
        if entries.values().any(|settings| !settings.disabled) {
            say(&[map], format!("`{map}` is read by a later version; only `Disabled` has an effect yet"));
        }
    }
}

/// The primary protocol, then the others.
fn protocols(
    sources: &Sources,
    layers: &mut Layers<'_>,
    robot: &RobotKeys,
) -> Result<(Vec<ProtocolSettings>, Vec<ConnectorEntry>), Vec<Diagnostic>> {
    let keys = &robot.keys;
    let wanted = sources.protocol.as_deref().unwrap_or(&keys.primary_protocol);
    let primary = wanted.trim().to_lowercase();
    if primary.is_empty() {
        return Err(vec![robot.error(&["PrimaryProtocol"], "PrimaryProtocol not specified in robot.yaml")]);
    }
    let mut names = vec![primary.clone()];
    let mut seen = HashSet::from([primary.clone()]);
    for name in &keys.secondary_protocols {
        let name = name.trim().to_lowercase();
        if name == primary || name == "terminal" {
            let message = format!("`{name}` is not a secondary protocol: it is the primary one or the console");
            layers.notices.push(robot.error(&["SecondaryProtocols"], message));
        } else if !name.is_empty() && seen.insert(name.clone()) {
            names.push(name);
        }
    }
    let (mut protocols, mut connectors, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let main = name == primary;
        let key = if main { "PrimaryProtocol" } else { "SecondaryProtocols" };
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            errors.push(robot.error(&[key], format!("`{name}` is not the name of a protocol")));
            continue;
        }
        match protocol(layers, &name) {
            Ok(Some((mut settings, values))) => {
                connectors.push(ConnectorEntry { name, values });
                if main {
                    let more = channels(layers, &keys.channel_roster, &robot.node);
                    settings.channels.retain(|(n, id)| !more.iter().any(|(m, i)| m == n || i == id));
                    settings.channels.extend(more);
                }
                protocols.push(settings);
            }
            Ok(None) => {
                let file = layers.own(&format!("protocols/{name}.yaml"));
                let message =
                    format!("protocol `{name}` has no `ProtocolConfig`, neither here nor in the install tree");
                let missing = Diagnostic::of_file(file, message);
                if main { errors.push(missing) } else { layers.notices.push(missing) }
            }
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok((protocols, connectors)) } else { Err(errors) }
}

/// One protocol and what is secret in it, or nothing if it is not configured.
fn protocol(
    layers: &mut Layers<'_>,
    name: &str,
) -> Result<Option<(ProtocolSettings, Vec<Attachment>)>, Vec<Diagnostic>> {
    let Some(mut node) = layers.merged(&format!("protocols/{name}.yaml"))? else {
        return Ok(None);
    };
    if let Value::Map(entries) = &mut node.value {
        entries.retain(|e| !LATER.contains(&e.key.as_str()));
    }
    let keys: RobotFile = decode(&node)?;
    let Some(mut config) = keys.protocol_config else {
        return Ok(None);
    };
    let secrets = layers.environment.markers.withhold(&mut config);
    let channels = channels(layers, &keys.channel_roster, &node);
    let settings = ProtocolSettings { name: ProtocolName::new(name), config: config.to_string(), channels };
    Ok(Some((settings, secrets)))
}

fn channels(layers: &mut Layers<'_>, roster: &[RosterChannel], node: &Node) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (channel, node) in roster.iter().zip(items(node, "ChannelRoster")) {
        if channel.name.is_empty() || channel.id.is_empty() {
            let message = "this entry of `ChannelRoster` is ignored: it needs `ChannelName` and `ChannelID`";
            layers.notices.push(node.at.says(message));
        } else {
            pairs.push((channel.name.clone(), channel.id.clone()));
        }
    }
    pairs
}

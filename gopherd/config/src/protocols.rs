//! The files of the protocols that `robot.yaml` names (spec: configuration §1.4).

use std::collections::HashSet;

use gopher_protocol::{
    connector::MAIL,
    ids::ProtocolName,
    loader::{Attachment, ConnectorEntry, Sources},
    robot::ProtocolSettings,
};

use crate::{
    Diagnostic,
    keys::robot::{RobotFile, RosterChannel},
    layers::Layers,
    providers::{is_segment, texts},
    robot::items,
    sections,
    yaml::{Node, decode},
};

/// Protocols that there is a connector for.
const CONNECTORS: [&str; 2] = ["terminal", "test"];

/// The primary protocol, then the others, and what is secret in each. `node` is `robot.yaml`; what else is wrong in it is told elsewhere.
pub(crate) fn protocols(
    sources: &Sources,
    layers: &mut Layers<'_>,
    node: &Node,
) -> Result<(Vec<ProtocolSettings>, Vec<ConnectorEntry>), Vec<Diagnostic>> {
    let at = |key: &str| &node.find(&[key]).unwrap_or(node).at;
    let configured = texts(node, "PrimaryProtocol").into_iter().next().unwrap_or_default();
    let primary = sources.protocol.as_deref().unwrap_or(&configured).trim().to_lowercase();
    if primary.is_empty() {
        return Err(vec![at("PrimaryProtocol").says("PrimaryProtocol not specified in robot.yaml")]);
    }
    let no_chat = |key: &str| at(key).says("`mail` is no chat service: mail is sent as `MailConfig` says");
    if primary == MAIL {
        return Err(vec![no_chat("PrimaryProtocol")]);
    }
    let mut names = vec![primary.clone()];
    let mut seen = HashSet::from([primary.clone()]);
    for name in texts(node, "SecondaryProtocols") {
        let name = name.trim().to_lowercase();
        if name == primary || name == "terminal" {
            let message = format!("`{name}` is not a secondary protocol: it is the primary one or the console");
            layers.notices.push(at("SecondaryProtocols").says(message));
        } else if name == MAIL {
            layers.notices.push(no_chat("SecondaryProtocols"));
        } else if !name.is_empty() && seen.insert(name.clone()) {
            names.push(name);
        }
    }
    let roster: Vec<RosterChannel> = node.find(&["ChannelRoster"]).and_then(|n| decode(n).ok()).unwrap_or_default();
    let (mut protocols, mut connectors, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let main = name == primary;
        let key = if main { "PrimaryProtocol" } else { "SecondaryProtocols" };
        if !is_segment(&name) {
            errors.push(at(key).says(format!("`{name}` is not the name of a protocol")));
            continue;
        }
        match protocol(layers, &name) {
            Ok(Some((mut settings, values))) => {
                if !CONNECTORS.contains(&name.as_str()) {
                    layers.notices.push(at(key).says(format!("this version has no connector for `{name}` yet")));
                }
                connectors.push(ConnectorEntry { name, values });
                if main {
                    // The robot's own entries win.
                    let more = channels(layers, &roster, node);
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
    let Some(node) = layers.merged(&format!("protocols/{name}.yaml"))? else {
        return Ok(None);
    };
    layers.merged.note(&format!("protocols/{name}.yaml"), &node, &layers.environment.markers);
    let keys: RobotFile = decode(&node)?;
    let Some(mut config) = keys.protocol_config else {
        return Ok(None);
    };
    sections::check("protocols", name, &node, "ProtocolConfig", &mut layers.notices);
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

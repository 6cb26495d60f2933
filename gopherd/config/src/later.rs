//! Keys that are valid and that nothing acts on yet: each is told once, if the robot itself set it to something that
//! would change what it does. What the install tree sets is nobody's wish.

use std::{collections::HashSet, path::Path};

use gopher_protocol::loader::Sources;

use crate::{
    keys::{extension::ExtensionFile, robot::RobotFile},
    layers::{Layers, Notices},
    robot::RobotKeys,
    yaml::{Node, Place, Value},
};

/// What has been told, and whose files are whose.
pub(crate) struct Later {
    /// How the names of installed files begin.
    installed: String,
    told: HashSet<&'static str>,
}

impl Later {
    pub(crate) fn new(sources: &Sources, layers: &Layers<'_>) -> Self {
        let installed = layers.shown(&Path::new(&sources.install_dir).join("conf"));
        Self { installed: format!("{installed}/"), told: HashSet::new() }
    }

    /// Tells of every key in `pending` that is set to something, unless it was told before.
    fn tell(&mut self, node: &Node, pending: &[(&'static str, bool)], notices: &mut Notices) {
        for (key, _) in pending.iter().filter(|(_, set)| *set) {
            let own = node.entry(key).and_then(|entry| self.own(&entry.at, &entry.value));
            if let Some(at) = own.filter(|_| self.told.insert(key)) {
                notices.push(at.says(format!("`{key}` is read by a later version and has no effect yet")));
            }
        }
    }

    /// A place in a file of the install tree.
    pub(crate) fn is_installed(&self, at: &Place) -> bool {
        at.source.name.starts_with(&self.installed)
    }

    /// The first place of a key and its value that is the robot's.
    fn own<'n>(&self, key: &'n Place, value: &'n Node) -> Option<&'n Place> {
        if !self.is_installed(key) {
            return Some(key);
        }
        match &value.value {
            Value::Scalar { .. } => (!self.is_installed(&value.at)).then_some(&value.at),
            Value::List(items) => items.iter().find_map(|item| self.own(&item.at, item)),
            Value::Map(entries) => entries.iter().find_map(|entry| self.own(&entry.at, &entry.value)),
        }
    }

    /// Keys of robot.yaml.
    pub(crate) fn robot(&mut self, robot: &RobotKeys, notices: &mut Notices) {
        let RobotKeys { keys, node } = robot;
        self.tell(node, &pending(keys), notices);
        for (map, entries) in [
            ("ExternalPlugins", &keys.external_plugins),
            ("ExternalJobs", &keys.external_jobs),
            ("ExternalTasks", &keys.external_tasks),
        ] {
            let unbound = entries.iter().find(|(_, settings)| settings.agent_allow_unbound);
            if let Some(settings) = unbound.and_then(|(name, _)| node.find(&[map, name.as_str()])) {
                self.tell(settings, &[("AgentAllowUnbound", true)], notices);
            }
        }
    }

    /// Settings of stock extensions.
    pub(crate) fn stock(&self, robot: &RobotKeys, notices: &mut Notices) {
        let RobotKeys { keys, node } = robot;
        for (map, entries) in [("GoPlugins", &keys.go_plugins), ("GoJobs", &keys.go_jobs), ("GoTasks", &keys.go_tasks)]
        {
            let own = node.entry(map).and_then(|entry| self.own(&entry.at, &entry.value));
            if let Some(at) = own.filter(|_| entries.values().any(|settings| !settings.disabled)) {
                let message = format!("`{map}` is read by a later version; only `Disabled` has an effect yet");
                notices.push(at.says(message));
            }
        }
    }

    /// Keys of the file of a job.
    pub(crate) fn extension(&mut self, file: &ExtensionFile, node: &Node, notices: &mut Notices) {
        let pending = [
            ("Arguments", !file.arguments.is_empty()),
            ("Triggers", !file.triggers.is_empty()),
            ("UUIDTrigger", !file.uuid_trigger.is_empty()),
            ("KeepLogs", file.keep_logs > 0),
            ("Quiet", file.quiet),
        ];
        self.tell(node, &pending, notices);
    }
}

fn pending(keys: &RobotFile) -> [(&'static str, bool); 13] {
    let not = |text: &str, usual: &str| !text.trim().is_empty() && !text.trim().eq_ignore_ascii_case(usual);
    [
        ("DefaultProtocol", not(&keys.default_protocol, keys.primary_protocol.trim())),
        ("ReadyMessage", !keys.ready_message.is_empty()),
        ("Brain", not(&keys.brain, "mem") && not(&keys.brain, "file")),
        ("BrainCache", !keys.brain_cache.directory.is_empty()),
        ("EncryptionKey", !keys.encryption_key.is_empty()),
        ("HistoryProvider", not(&keys.history_provider, "mem")),
        ("QueueProviders", !keys.queue_providers.is_empty()),
        ("LegacyBrain", keys.legacy_brain && !not(&keys.brain, "mem")),
        ("HttpDebug", keys.http_debug),
        ("LogDest", not(&keys.log_dest, "stdout")),
        ("TimeZone", !keys.time_zone.is_empty()),
        ("IdentityProviders", !keys.identity_providers.is_empty()),
        ("ScheduledJobs", !keys.scheduled_jobs.is_empty()),
    ]
}

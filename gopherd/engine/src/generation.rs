//! One configuration, prepared for fast decisions: who is who, and every pattern compiled once.
//!
//! Runs hold the generation they started with, so a newer one never changes what is under way.

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
};

use gopher_protocol::{
    ids::{TaskName, UserName},
    robot::{CommandMode, Extension, Guard, Kind, Matcher, PrivatePolicy, Robot, RosterEntry},
};
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use crate::builtin::BuiltIn;

/// Memory one compiled pattern, and all of them together, may take.
const PATTERN_LIMIT: usize = 4 << 20;
const SET_LIMIT: usize = 128 << 20;

/// What runs when a plugin is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    BuiltIn(BuiltIn),
    /// By its place in [`Robot::extensions`].
    Extension(usize),
}

/// A plugin as matching and access rules see it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent keys of a plugin's configuration")]
pub(crate) struct Plugin {
    pub(crate) name: TaskName,
    pub(crate) source: Source,
    pub(crate) description: String,
    pub(crate) channels: Vec<String>,
    pub(crate) all_channels: bool,
    pub(crate) require_admin: bool,
    pub(crate) admin_commands: Vec<String>,
    pub(crate) users: Vec<String>,
    pub(crate) private: PrivatePolicy,
    pub(crate) guard: Guard,
    pub(crate) ambient_match_command: bool,
    pub(crate) match_unlisted: bool,
    pub(crate) catch_all: bool,
    pub(crate) catch_all_modes: Vec<CommandMode>,
    pub(crate) commands: Vec<Pattern>,
    pub(crate) messages: Vec<Pattern>,
}

/// A matcher whose expression is compiled when the set says that it hits.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) matcher: Matcher,
    regex: OnceCell<Option<Regex>>,
    /// Its place in the set of its class.
    pub(crate) in_set: usize,
}

impl Pattern {
    fn new(matcher: Matcher, in_set: usize) -> Self {
        Self { matcher, regex: OnceCell::new(), in_set }
    }

    /// The compiled expression; `None` only for one that the loader should have refused.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compile(self.matcher.regex()?).ok()).as_ref()
    }
}

/// Compiles one pattern of an extension within its memory limit.
pub(crate) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(PATTERN_LIMIT).build()
}

/// All patterns of one class in one automaton, so that a thousand cost little more than ten.
#[derive(Debug)]
pub(crate) struct Prefilter {
    set: Option<RegexSet>,
}

/// Which patterns of a class hit one text.
pub(crate) struct Hits(Option<regex::SetMatches>);

impl Hits {
    pub(crate) fn contains(&self, in_set: usize) -> bool {
        self.0.as_ref().is_none_or(|matches| matches.matched(in_set))
    }

    pub(crate) fn none(&self) -> bool {
        self.0.as_ref().is_some_and(|matches| !matches.matched_any())
    }
}

impl Prefilter {
    fn new<'a>(patterns: impl Iterator<Item = &'a Pattern>) -> Self {
        let set =
            RegexSetBuilder::new(patterns.map(|p| p.matcher.regex().unwrap_or_default())).size_limit(SET_LIMIT).build();
        Self { set: set.ok() }
    }

    pub(crate) fn hits(&self, text: &str) -> Hits {
        Hits(self.set.as_ref().map(|set| set.matches(text)))
    }
}

/// A configuration ready for use.
pub(crate) struct Generation {
    pub(crate) robot: Robot,
    pub(crate) plugins: Vec<Plugin>,
    pub(crate) commands: Prefilter,
    pub(crate) ambient: Prefilter,
    roster: HashMap<UserName, usize>,
    admins: HashSet<UserName>,
    /// (protocol, channel id) → name.
    channel_names: HashMap<(String, String), String>,
    /// (protocol, channel name) → id.
    channel_ids: HashMap<(String, String), String>,
}

impl Generation {
    /// Prepares a loaded configuration; the sentences name plugins that could not be taken, and why.
    pub(crate) fn new(robot: Robot) -> (Self, Vec<String>) {
        let mut trouble = Vec::new();
        let mut plugins = builtin_plugins(&robot);
        for (index, extension) in robot.extensions.iter().enumerate() {
            if matches!(extension.kind, Kind::Plugin) && BuiltIn::named(extension.name.as_str()).is_none() {
                plugins.push(extension_plugin(extension, index));
            }
        }
        let (mut commands, mut ambient) = prefilters(&mut plugins);
        if commands.set.is_none() || ambient.set.is_none() {
            // Something does not compile: find out what, and do without it.
            plugins.retain(|plugin| {
                let bad = bad_pattern(plugin);
                trouble.extend(bad.iter().map(|reason| format!("plugin '{}' is not used: {reason}", plugin.name)));
                bad.is_none()
            });
            (commands, ambient) = prefilters(&mut plugins);
        }

        let mut roster = HashMap::new();
        for (index, entry) in robot.roster.iter().enumerate() {
            roster.entry(entry.user_name.clone()).or_insert(index);
        }
        let (mut channel_names, mut channel_ids) = (HashMap::new(), HashMap::new());
        for protocol in &robot.protocols {
            for (name, id) in &protocol.channels {
                let of = || protocol.name.as_str().to_owned();
                channel_names.insert((of(), id.clone()), name.clone());
                channel_ids.insert((of(), name.clone()), id.clone());
            }
        }
        let generation = Self {
            commands,
            ambient,
            admins: robot.admin_users.iter().cloned().collect(),
            plugins,
            roster,
            channel_names,
            channel_ids,
            robot,
        };
        (generation, trouble)
    }

    pub(crate) fn roster_entry(&self, user: &UserName) -> Option<&RosterEntry> {
        self.roster.get(user).and_then(|index| self.robot.roster.get(*index))
    }

    /// Named in `AdminUsers`. A run-time admin must be in the roster, too.
    pub(crate) fn in_admin_users(&self, user: &UserName) -> bool {
        self.admins.contains(user)
    }

    pub(crate) fn is_admin(&self, user: &UserName) -> bool {
        self.in_admin_users(user) && self.roster.contains_key(user)
    }

    pub(crate) fn channel_name(&self, protocol: &str, id: &str) -> Option<&str> {
        if self.channel_names.is_empty() {
            return None;
        }
        self.channel_names.get(&(protocol.to_owned(), id.to_owned())).map(String::as_str)
    }

    /// A channel as the connector takes it: the bracketed id of a known name, else what was given.
    pub(crate) fn channel_for_connector(&self, protocol: &str, channel: &str) -> String {
        let known = if self.channel_ids.is_empty() {
            None
        } else {
            self.channel_ids.get(&(protocol.to_owned(), channel.to_owned()))
        };
        known.map_or_else(|| channel.to_owned(), |id| format!("<{id}>"))
    }
}

/// Numbers the patterns of each class and builds the class's automaton.
fn prefilters(plugins: &mut [Plugin]) -> (Prefilter, Prefilter) {
    let (mut commands, mut messages) = (0, 0);
    for plugin in &mut *plugins {
        for (next, pattern) in plugin.commands.iter_mut().enumerate() {
            pattern.in_set = commands + next;
        }
        for (next, pattern) in plugin.messages.iter_mut().enumerate() {
            pattern.in_set = messages + next;
        }
        commands += plugin.commands.len();
        messages += plugin.messages.len();
    }
    let plugins = &*plugins;
    (Prefilter::new(plugins.iter().flat_map(|p| &p.commands)), Prefilter::new(plugins.iter().flat_map(|p| &p.messages)))
}

fn bad_pattern(plugin: &Plugin) -> Option<String> {
    plugin.commands.iter().chain(&plugin.messages).find_map(|pattern| {
        let error = compile(pattern.matcher.regex()?).err()?.to_string();
        let reason = error.lines().last().unwrap_or_default().trim();
        Some(format!("the pattern of '{}' does not compile: {reason}", pattern.matcher.command))
    })
}

fn extension_plugin(extension: &Extension, index: usize) -> Plugin {
    let patterns = |matchers: &[Matcher]| matchers.iter().map(|m| Pattern::new(m.clone(), 0)).collect();
    Plugin {
        name: extension.name.clone(),
        source: Source::Extension(index),
        description: extension.description.clone(),
        channels: extension.channels.iter().map(|c| c.as_str().to_owned()).collect(),
        all_channels: extension.all_channels,
        require_admin: extension.require_admin,
        admin_commands: extension.admin_commands.clone(),
        users: extension.users.clone(),
        private: extension.private.clone(),
        guard: extension.guard.clone(),
        ambient_match_command: extension.ambient_match_command,
        match_unlisted: extension.match_unlisted,
        catch_all: extension.catch_all,
        catch_all_modes: extension.catch_all_modes.clone(),
        commands: patterns(&extension.commands),
        messages: patterns(&extension.message_matchers),
    }
}

/// The compiled-in plugins but disabled ones; one that the configuration names takes its restrictions from there.
fn builtin_plugins(robot: &Robot) -> Vec<Plugin> {
    let disabled =
        |b: &BuiltIn| robot.disabled.iter().any(|d| d.name.as_str() == b.name() && matches!(d.kind, Kind::Plugin));
    BuiltIn::ALL
        .iter()
        .filter(|built_in| !disabled(built_in))
        .map(|built_in| {
            let mut plugin = Plugin {
                name: TaskName::new(built_in.name()),
                source: Source::BuiltIn(*built_in),
                description: built_in.description().to_owned(),
                channels: Vec::new(),
                all_channels: true,
                require_admin: built_in.require_admin(),
                admin_commands: Vec::new(),
                users: Vec::new(),
                private: PrivatePolicy {
                    allowed: vec!["*".to_owned()],
                    required: built_in.required_private().iter().map(|c| (*c).to_owned()).collect(),
                    require_all: false,
                    restrict_channels: false,
                },
                guard: Guard::default(),
                ambient_match_command: false,
                match_unlisted: built_in.match_unlisted(),
                catch_all: built_in.catch_all(),
                catch_all_modes: Vec::new(),
                commands: built_in.matchers().into_iter().map(|m| Pattern::new(m, 0)).collect(),
                messages: built_in.messages().into_iter().map(|m| Pattern::new(m, 0)).collect(),
            };
            let configured = robot.extensions.iter().find(|e| e.name == plugin.name && matches!(e.kind, Kind::Plugin));
            if let Some(extension) = configured {
                plugin.channels = extension.channels.iter().map(|c| c.as_str().to_owned()).collect();
                plugin.all_channels = extension.all_channels;
                plugin.require_admin |= extension.require_admin;
                plugin.admin_commands.clone_from(&extension.admin_commands);
                plugin.users.clone_from(&extension.users);
                plugin.private = extension.private.clone();
                plugin.private.required.extend(built_in.required_private().iter().map(|c| (*c).to_owned()));
                plugin.guard = extension.guard.clone();
            }
            plugin
        })
        .collect()
}

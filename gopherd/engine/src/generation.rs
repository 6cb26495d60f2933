//! One configuration, prepared for fast decisions: who is who, and every pattern compiled once.
//!
//! Runs hold the generation they started with, so a newer one never changes what is under way.

use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::{HashMap, HashSet},
};

use gopher_config::simple::{Outcome, Spec};
use gopher_protocol::{
    ids::{TaskName, UserName},
    robot::{CommandMode, Expression, Extension, Guard, Kind, Matcher, PrivatePolicy, Robot, RosterEntry},
};
use regex::{Regex, RegexBuilder};

use crate::{
    builtin::BuiltIn,
    groups::{self, Groups},
    prefilter::Prefilter,
};

/// Memory one compiled pattern may take.
const PATTERN_LIMIT: usize = 4 << 20;

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

/// A matcher and what it compares texts with.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) matcher: Matcher,
    compiled: Compiled,
}

#[derive(Debug)]
enum Compiled {
    /// When the pattern is wanted for the first time.
    Regex(OnceCell<Option<Regex>>),
    /// `None` if the loader should have refused it.
    Simple(Option<Box<Spec>>),
}

impl Pattern {
    fn new(matcher: Matcher) -> Self {
        let compiled = match &matcher.expression {
            Expression::Regex(_) => Compiled::Regex(OnceCell::new()),
            Expression::Simple(spec) => Compiled::Simple(Spec::parse(spec).ok().map(Box::new)),
        };
        Self { matcher, compiled }
    }

    /// The parsed `SimpleMatcher`, of a pattern that is one.
    pub(crate) fn spec(&self) -> Option<&Spec> {
        match &self.compiled {
            Compiled::Simple(spec) => spec.as_deref(),
            Compiled::Regex(_) => None,
        }
    }

    /// What it says to a text; `forms` are all forms of the text to try, itself first.
    pub(crate) fn says(&self, forms: &[Cow<'_, str>]) -> Outcome {
        let Compiled::Regex(cell) = &self.compiled else {
            let text = forms.first().map_or("", |form| form);
            return self.spec().map_or(Outcome::None, |spec| spec.command(text));
        };
        let regex = cell.get_or_init(|| compile(self.matcher.regex()?).ok());
        let captures = regex.as_ref().and_then(|regex| forms.iter().find_map(|form| regex.captures(form)));
        let argument = |group: Option<regex::Match<'_>>| group.map_or(String::new(), |m| m.as_str().to_owned());
        captures.map_or(Outcome::None, |c| Outcome::Exact(c.iter().skip(1).map(argument).collect()))
    }

    fn trouble(&self) -> Option<String> {
        let reason = match &self.matcher.expression {
            Expression::Regex(pattern) => {
                let error = compile(pattern).err()?.to_string();
                error.lines().last().unwrap_or_default().trim().to_owned()
            }
            Expression::Simple(spec) => Spec::parse(spec).err()?,
        };
        Some(format!("the pattern of '{}' does not compile: {reason}", self.matcher.command))
    }
}

/// Compiles one pattern of an extension within its memory limit.
pub(crate) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(PATTERN_LIMIT).build()
}

/// A configuration ready for use.
pub(crate) struct Generation {
    pub(crate) robot: Robot,
    pub(crate) plugins: Vec<Plugin>,
    pub(crate) commands: Prefilter,
    pub(crate) ambient: Prefilter,
    /// Places of plugins that take what nobody understood.
    pub(crate) catch_alls: Vec<usize>,
    pub(crate) groups: Groups,
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
        let (mut commands, mut ambient) = prefilters(&plugins);
        if !commands.is_whole() || !ambient.is_whole() || plugins.iter().any(has_bad_spec) {
            // Something does not compile: find out what, and do without it.
            plugins.retain(|plugin| {
                let bad = plugin.commands.iter().chain(&plugin.messages).find_map(Pattern::trouble);
                trouble.extend(bad.iter().map(|reason| format!("plugin '{}' is not used: {reason}", plugin.name)));
                bad.is_none()
            });
            (commands, ambient) = prefilters(&plugins);
        }
        let groups = groups_of(&robot).unwrap_or_else(|reason| {
            trouble
                .push(format!("`Config` of '{}' is not used, so that nobody is in any group: {reason}", groups::NAME));
            Groups::default()
        });
        let catch_alls = plugins.iter().enumerate().filter(|(_, p)| p.catch_all).map(|(index, _)| index).collect();

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
            catch_alls,
            groups,
            admins: robot.admin_users.iter().cloned().collect(),
            plugins,
            roster,
            channel_names,
            channel_ids,
            robot,
        };
        (generation, trouble)
    }

    /// The plugin that an extension is.
    pub(crate) fn plugin_of(&self, extension: usize) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| matches!(plugin.source, Source::Extension(index) if index == extension))
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

fn groups_of(robot: &Robot) -> Result<Groups, String> {
    let is_it = |e: &&Extension| e.name.as_str() == groups::NAME && matches!(e.kind, Kind::Plugin);
    let config = robot.extensions.iter().find(is_it).and_then(|e| e.config.as_deref());
    config.map_or_else(|| Ok(Groups::default()), Groups::of)
}

fn prefilters(plugins: &[Plugin]) -> (Prefilter, Prefilter) {
    (Prefilter::new(plugins, |p| &p.commands), Prefilter::new(plugins, |p| &p.messages))
}

fn has_bad_spec(plugin: &Plugin) -> bool {
    plugin.commands.iter().chain(&plugin.messages).any(|p| matches!(p.compiled, Compiled::Simple(None)))
}

fn extension_plugin(extension: &Extension, index: usize) -> Plugin {
    let patterns = |matchers: &[Matcher]| matchers.iter().map(|m| Pattern::new(m.clone())).collect();
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
                commands: built_in.matchers().into_iter().map(Pattern::new).collect(),
                messages: built_in.messages().into_iter().map(Pattern::new).collect(),
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

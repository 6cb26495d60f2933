//! One extension from its declaration and its merged file; what does not fit is the reason why it is disabled.

use std::collections::{HashMap, HashSet, hash_map};

use gopher_protocol::{
    ids::{ChannelName, TaskName},
    robot::{CommandMode, Expression, Extension, Guard, Kind, Matcher, PrivatePolicy, Robot, TimeOuts},
};

use crate::{
    declared::{Declared, sentences},
    guard::{self, Defaults, Needed},
    keys::{
        extension::{ExtensionFile, JOBS_ONLY, PLUGINS_ONLY, Thresholds},
        matcher::InputMatcher,
    },
    later::Later,
    layers::Notices,
    markers::Markers,
    pattern,
    robot::thresholds,
    simple::Spec,
    units::GoDuration,
    yaml::{Node, Value, decode},
};

/// Most matchers of one extension: each costs time to compile.
const MOST_MATCHERS: usize = 1000;

/// Keys of `robot.yaml` that an extension's file must not set.
const MISPLACED: [&str; 6] = ["Path", "Description", "Parameters", "Homed", "ConfigInterface", "Privileged"];

/// What extensions are built with, one after the other.
pub(crate) struct Surroundings {
    pub(crate) defaults: Defaults,
    pub(crate) later: Later,
    pub(crate) notices: Notices,
    /// Of the jobs so far.
    pub(crate) uuids: HashMap<String, TaskName>,
    pub(crate) markers: Markers,
}

/// Builds the extension, with the plugins that guard it, or says why not. `node` is default ← installed ← custom.
pub(crate) fn build(
    declared: &Declared,
    node: Option<&Node>,
    robot: &Robot,
    around: &mut Surroundings,
) -> Result<(Extension, Vec<Needed>), String> {
    let mut extension = plain(declared, robot);
    let empty;
    let (file, node) = match node {
        Some(node) => (keys(declared, node, &mut around.notices)?, node),
        None if declared.kind == Kind::Task => return Ok((extension, Vec::new())),
        None => {
            empty = Node { value: Value::Map(Vec::new()), at: crate::yaml::Place::nowhere() };
            (ExtensionFile::default(), &empty)
        }
    };
    let check = Check { declared, node };
    extension.time_outs = check.time_outs(&file, robot)?;
    check.channels(&file, robot, &mut extension)?;
    check.reserved(&file)?;
    check.matchers(&file, &mut extension)?;
    extension.catch_all_modes = check.modes(&file)?;
    if !declared.stock {
        check.named_commands(&file, &extension)?;
    }
    let (guard, needed) = guard::guard(&declared.kind, &file, node, &around.defaults, &mut around.notices)?;
    extension.guard = guard;
    check.uuid(&file, around)?;
    around.later.extension(&file, node, &mut around.notices);
    extension.private = private(&file);
    extension.require_admin = file.require_admin;
    extension.admin_commands = file.admin_commands;
    extension.users = file.users;
    extension.ambient_match_command = file.ambient_match_command;
    extension.match_unlisted = file.match_unlisted;
    extension.catch_all = file.catch_all;
    extension.config = file.config.map(|mut config| {
        around.markers.withhold(&mut config);
        config.to_string()
    });
    Ok((extension, needed))
}

fn private(file: &ExtensionFile) -> PrivatePolicy {
    PrivatePolicy {
        allowed: file.allowed_private_commands.clone(),
        required: file.required_private_commands.clone(),
        require_all: file.require_all_commands_private,
        restrict_channels: file.restrict_private_channels,
    }
}

/// What the declaration alone says.
fn plain(declared: &Declared, robot: &Robot) -> Extension {
    let settings = &declared.settings;
    Extension {
        name: declared.name.clone(),
        kind: declared.kind.clone(),
        runtime: declared.runtime.clone(),
        path: declared.path.clone(),
        description: settings.description.clone(),
        name_space: Some(settings.name_space.clone()).filter(|n| !n.is_empty()),
        privileged: declared.privileged,
        homed: settings.homed,
        network: settings.network.unwrap_or(true),
        limits: declared.limits(),
        time_outs: defaults(&declared.kind, robot),
        commands: Vec::new(),
        message_matchers: Vec::new(),
        reply_matchers: Vec::new(),
        channels: Vec::new(),
        all_channels: false,
        require_admin: false,
        admin_commands: Vec::new(),
        users: Vec::new(),
        private: private(&ExtensionFile::default()),
        guard: Guard::default(),
        ambient_match_command: false,
        match_unlisted: false,
        catch_all: false,
        catch_all_modes: Vec::new(),
        config: None,
    }
}

fn defaults(kind: &Kind, robot: &Robot) -> TimeOuts {
    match kind {
        Kind::Plugin => robot.plugin_time_outs.clone(),
        Kind::Job => robot.job_time_outs.clone(),
        Kind::Task => TimeOuts { warn: std::time::Duration::ZERO, kill: std::time::Duration::ZERO },
    }
}

/// Decodes the file after the keys that do not belong there are sorted out.
fn keys(declared: &Declared, node: &Node, notices: &mut Notices) -> Result<ExtensionFile, String> {
    let name = &declared.name;
    let (word, foreign) = match declared.kind {
        Kind::Job => ("job", PLUGINS_ONLY.as_slice()),
        Kind::Plugin | Kind::Task => ("plugin", JOBS_ONLY.as_slice()),
    };
    for entry in node.entries().iter().filter(|e| !e.value.is_null()) {
        let key = entry.key.as_str();
        if MISPLACED.contains(&key) {
            let message = format!("Invalid configuration key for task '{name}': {key} - disabling");
            return Err(entry.at.says(message).hint("it belongs in robot.yaml").sentence());
        }
        if foreign.contains(&key) {
            let message = format!("Disabling {word} '{name}' - invalid configuration key: {key}");
            return Err(entry.at.says(message).sentence());
        }
        if matches!(key, "NameSpace" | "ParameterSets") {
            notices.push(entry.at.says(format!("`{key}` has no effect here; it belongs in robot.yaml")));
        }
    }
    let file: ExtensionFile = decode(node).map_err(|errors| sentences(&errors))?;
    if file.disabled {
        let word = if declared.kind == Kind::Job { "Job" } else { "Plugin" };
        return Err(format!("{word} '{name}' is disabled by configuration"));
    }
    Ok(file)
}

/// The checks of one extension.
struct Check<'a> {
    declared: &'a Declared,
    node: &'a Node,
}

impl Check<'_> {
    fn wrong<T>(&self, path: &[&str], message: impl Into<String>) -> Result<T, String> {
        let at = &self.node.find(path).unwrap_or(self.node).at;
        Err(at.says(message).sentence())
    }

    fn time_outs(&self, file: &ExtensionFile, robot: &Robot) -> Result<TimeOuts, String> {
        let name = &self.declared.name;
        let own = |scope: &str, t: Thresholds| thresholds(t, scope).or_else(|e| self.wrong(&["TimeOuts"], e));
        own(&format!("task '{name}' TimeOuts"), file.time_outs)?;
        let base = defaults(&self.declared.kind, robot);
        let effective = Thresholds {
            warn: Some(file.time_outs.warn.unwrap_or(GoDuration(base.warn))),
            kill: Some(file.time_outs.kill.unwrap_or(GoDuration(base.kill))),
        };
        own(&format!("task '{name}' effective TimeOuts"), effective)
    }

    fn channels(&self, file: &ExtensionFile, robot: &Robot, extension: &mut Extension) -> Result<(), String> {
        let name = &self.declared.name;
        if self.declared.kind == Kind::Job {
            let channel = Some(ChannelName::new(&file.channel)).filter(|c| !c.is_empty());
            let Some(channel) = channel.or_else(|| robot.default_job_channel.clone()) else {
                return Err(format!(
                    "no channel set: job '{name}' has no `Channel`, and the robot has no `DefaultJobChannel`"
                ));
            };
            extension.channels = vec![channel];
            extension.all_channels = file.all_channels.unwrap_or(false);
            return Ok(());
        }
        if !file.channels.is_empty() {
            extension.channels = file.channels.iter().map(ChannelName::new).collect();
        } else if file.all_channels == Some(true) {
            extension.all_channels = true;
        } else {
            extension.channels.clone_from(&robot.default_channels);
            extension.all_channels = file.all_channels.is_none() && robot.default_channels.is_empty();
        }
        let private = file.require_all_commands_private
            || !file.allowed_private_commands.is_empty()
            || !file.required_private_commands.is_empty();
        if extension.channels.is_empty() && !extension.all_channels && !private {
            return Err(format!("Plugin '{name}' not visible in any channels or private command policy, disabling"));
        }
        Ok(())
    }

    /// Names that plugins are started with by the engine.
    fn reserved(&self, file: &ExtensionFile) -> Result<(), String> {
        let name = &self.declared.name;
        for (key, what, matchers) in [
            ("Commands", "command", &file.commands),
            ("MessageMatchers", "message matcher command", &file.message_matchers),
        ] {
            if let Some((n, found)) = matchers.iter().enumerate().find(|(_, m)| m.command.trim().starts_with('_')) {
                let message = format!(
                    "plugin '{name}' {what} \"{}\" is reserved for engine use; plugin command names must not start with '_'",
                    found.command
                );
                return self.item(key, n, "Command", message);
            }
        }
        Ok(())
    }

    /// The UUID that starts a job, once among all jobs.
    fn uuid(&self, file: &ExtensionFile, around: &mut Surroundings) -> Result<(), String> {
        let given = file.uuid_trigger.trim();
        if given.is_empty() {
            return Ok(());
        }
        let name = &self.declared.name;
        // A secret one is not known here, but two of the same are.
        let uuid = if around.markers.hold(given) { Some(given.to_owned()) } else { uuid(given) };
        let Some(uuid) = uuid else {
            return self.wrong(&["UUIDTrigger"], format!("Disabling '{name}', invalid UUIDTrigger"));
        };
        match around.uuids.entry(uuid) {
            hash_map::Entry::Occupied(other) => {
                let message = format!("Disabling '{name}', its UUIDTrigger is also that of the job '{}'", other.get());
                self.wrong(&["UUIDTrigger"], message)
            }
            hash_map::Entry::Vacant(free) => {
                free.insert(name.clone());
                Ok(())
            }
        }
    }

    fn matchers(&self, file: &ExtensionFile, extension: &mut Extension) -> Result<(), String> {
        let all = [&file.commands, &file.message_matchers, &file.reply_matchers, &file.arguments];
        if all.iter().map(|m| m.len()).sum::<usize>() + file.triggers.len() > MOST_MATCHERS {
            return self.wrong(&[], format!("there are more than {MOST_MATCHERS} matchers"));
        }
        extension.commands = self.list("Commands", &file.commands)?;
        extension.message_matchers = self.list("MessageMatchers", &file.message_matchers)?;
        extension.reply_matchers = self.list("ReplyMatchers", &file.reply_matchers)?;
        self.list("Arguments", &file.arguments)?;
        for (n, trigger) in file.triggers.iter().enumerate() {
            if trigger.user.is_empty() || trigger.channel.is_empty() {
                return self.item("Triggers", n, "", "a trigger needs `User` and `Channel`");
            }
            if let Err(e) = pattern::unanchored(&trigger.regex) {
                return self.item("Triggers", n, "Regex", cannot_compile(&trigger.regex, &e));
            }
        }
        Ok(())
    }

    /// An error in one entry of a list.
    fn item<T>(&self, key: &str, n: usize, inner: &str, message: impl Into<String>) -> Result<T, String> {
        let list = self.node.find(&[key]);
        let entry = match list.map(|l| &l.value) {
            Some(Value::List(items)) => items.get(n),
            _ => None,
        };
        let at = entry.map(|e| e.find(&[inner]).unwrap_or(e)).or(list).unwrap_or(self.node);
        Err(at.at.says(message).sentence())
    }

    fn list(&self, key: &str, matchers: &[InputMatcher]) -> Result<Vec<Matcher>, String> {
        matchers.iter().enumerate().map(|(n, m)| self.matcher(key, n, m)).collect()
    }

    fn matcher(&self, key: &str, n: usize, matcher: &InputMatcher) -> Result<Matcher, String> {
        let name = &self.declared.name;
        let directed = matches!(key, "Commands" | "MessageMatchers");
        let mut command = &matcher.command;
        if directed {
            if command.trim().starts_with('_') {
                let what = if key == "Commands" { "command" } else { "message matcher command" };
                let message = format!(
                    "plugin '{name}' {what} \"{command}\" is reserved for engine use; plugin command names must not start with '_'"
                );
                return self.item(key, n, "Command", message);
            }
        } else {
            if !matcher.label.is_empty() {
                command = &matcher.label;
            }
            if command.starts_with(|c: char| c.is_ascii_uppercase()) {
                let message = format!("the label `{command}` begins with A-Z, which is reserved for stock patterns");
                return self.item(key, n, "Label", message);
            }
        }
        let expression = match (matcher.regex.is_empty(), matcher.simple_matcher.is_empty()) {
            (false, false) => return self.item(key, n, "Regex", "matcher specifies both Regex and SimpleMatcher"),
            (true, false) if key == "Commands" => self.simple(n, command, &matcher.simple_matcher)?,
            (true, false) => {
                return self.item(key, n, "SimpleMatcher", "SimpleMatcher is only supported for directed Commands");
            }
            (true, true) if key == "Commands" => {
                return self.item(key, n, "", "matcher must specify either Regex or SimpleMatcher");
            }
            (true, true) => return self.item(key, n, "", "matcher must specify Regex"),
            (false, true) => {
                let rewrite = if key == "MessageMatchers" { pattern::unanchored } else { pattern::anchored };
                let regex = rewrite(&matcher.regex);
                let told = regex.or_else(|e| self.item(key, n, "Regex", cannot_compile(&matcher.regex, &e)));
                Expression::Regex(told?)
            }
        };
        Ok(Matcher {
            command: command.clone(),
            expression,
            usage: matcher.usage.clone(),
            summary: matcher.summary.clone(),
            details: matcher.details.clone(),
            keywords: matcher.keywords.clone(),
            examples: matcher.examples.clone(),
            channel_only: matcher.channel_only,
            contexts: matcher.contexts.clone(),
        })
    }

    /// A spec is parsed here to be refused here; the engine gets it as written.
    fn simple(&self, n: usize, command: &str, spec: &str) -> Result<Expression, String> {
        match Spec::parse(spec) {
            Ok(_) => Ok(Expression::Simple(spec.to_owned())),
            Err(e) => {
                let message = format!("invalid command matcher for command '{command}': {e}");
                self.item("Commands", n, "SimpleMatcher", message)
            }
        }
    }

    fn modes(&self, file: &ExtensionFile) -> Result<Vec<CommandMode>, String> {
        let mode = |text: &String| match text.trim().to_lowercase().as_str() {
            "alias" => Ok(CommandMode::Alias),
            "name" => Ok(CommandMode::Name),
            "direct" => Ok(CommandMode::Direct),
            "hidden" => Ok(CommandMode::Hidden),
            _ => self.wrong(&["CatchAllModes"], format!("`{text}` is none of alias, name, direct, hidden")),
        };
        file.catch_all_modes.iter().map(mode).collect()
    }

    fn named_commands(&self, file: &ExtensionFile, extension: &Extension) -> Result<(), String> {
        let known: HashSet<&str> =
            extension.commands.iter().chain(&extension.message_matchers).map(|m| m.command.as_str()).collect();
        for (key, kind, commands) in [
            ("ElevatedCommands", "elevated", &file.elevated_commands),
            ("ElevateImmediateCommands", "elevate immediate", &file.elevate_immediate_commands),
            ("AuthorizedCommands", "authorized", &file.authorized_commands),
            ("AdminCommands", "admin", &file.admin_commands),
            ("RequiredPrivateCommands", "required private", &file.required_private_commands),
        ] {
            for command in commands {
                if !known.contains(command.as_str()) {
                    let message = format!(
                        "Disabling {}, {kind} command {command} didn't match a command from Commands or MessageMatchers",
                        self.declared.name
                    );
                    return self.wrong(&[key], message);
                }
            }
        }
        Ok(())
    }
}

fn cannot_compile(regex: &str, reason: &str) -> String {
    format!("couldn't compile matcher regular expression '{regex}': {reason}")
}

/// A UUID in its usual form: lower case, with hyphens. Braces, `urn:uuid:` and digits alone are understood.
fn uuid(text: &str) -> Option<String> {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let bare = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text).to_ascii_lowercase();
    let bare = bare.strip_prefix("urn:uuid:").unwrap_or(&bare);
    let hexadecimal = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
    if bare.len() == 32 && hexadecimal(bare) {
        let mut rest = bare;
        let mut groups = Vec::new();
        for length in GROUPS {
            let (group, after) = rest.split_at(length);
            groups.push(group);
            rest = after;
        }
        return Some(groups.join("-"));
    }
    let groups: Vec<&str> = bare.split('-').collect();
    let fine = groups.iter().map(|g| g.len()).eq(GROUPS) && groups.iter().all(|g| hexadecimal(g));
    fine.then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_one_form() {
        let usual = Some("5a7e9c1b-0000-4abc-8def-0123456789ab".to_owned());
        for text in [
            "5a7e9c1b-0000-4abc-8def-0123456789ab",
            "5A7E9C1B-0000-4ABC-8DEF-0123456789AB",
            "{5a7e9c1b-0000-4abc-8def-0123456789ab}",
            "urn:uuid:5a7e9c1b-0000-4abc-8def-0123456789ab",
            "5a7e9c1b00004abc8def0123456789ab",
        ] {
            assert_eq!(uuid(text), usual, "{text}");
        }
        for text in ["", "x", "5a7e9c1b-0000-4abc-8def-0123456789a", "5a7e9c1b-0000-4abc-8def0-123456789ab", "{é}"] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }
}

//! What is known about one command, all its matchers taken together (spec: configuration §6.1). Pure.

use gopher_config::simple::Spec;

use super::{visibility, words};
use crate::{
    access,
    context::Context,
    generation::{Generation, Plugin},
};

/// Most channels that a scope names one by one.
const MOST_CHANNELS: usize = 4;

/// One command of a plugin.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) plugin: &'a Plugin,
    /// In lower case.
    pub(super) command: String,
    /// As written in the configuration, with its address.
    pub(super) usage: String,
    pub(super) summary: String,
    pub(super) details: String,
    pub(super) examples: Vec<&'a str>,
    pub(super) keywords: Vec<&'a str>,
    specs: Vec<&'a Spec>,
}

/// Every command of which the user of the context may know, by plugin and command.
pub(super) fn all<'a>(generation: &'a Generation, context: &Context) -> Vec<Entry<'a>> {
    let mut found: Vec<Entry<'a>> = Vec::new();
    for plugin in &generation.plugins {
        let mut of_plugin: Vec<Entry<'a>> = Vec::new();
        for pattern in &plugin.commands {
            let matcher = &pattern.matcher;
            let command = matcher.command.trim();
            if command.is_empty() || !visibility::accessible(generation, plugin, command, context) {
                continue;
            }
            let command = command.to_lowercase();
            let place = of_plugin.iter().position(|e| e.command == command).unwrap_or_else(|| {
                of_plugin.push(Entry::new(plugin, command));
                of_plugin.len() - 1
            });
            let Some(entry) = of_plugin.get_mut(place) else { continue };
            first(&mut entry.usage, &matcher.usage);
            first(&mut entry.summary, &matcher.summary);
            first(&mut entry.details, &matcher.details);
            unite(&mut entry.examples, matcher.examples.iter().map(String::as_str));
            unite(&mut entry.keywords, matcher.keywords.iter().map(String::as_str));
            entry.specs.extend(pattern.spec());
        }
        found.append(&mut of_plugin);
    }
    for entry in &mut found {
        if entry.usage.is_empty() {
            entry.usage = format!("(alias) {}", entry.command);
        }
    }
    found.sort_by(|a, b| (a.plugin.name.as_str(), &a.command).cmp(&(b.plugin.name.as_str(), &b.command)));
    found
}

fn first(kept: &mut String, text: &str) {
    if kept.is_empty() {
        text.trim().clone_into(kept);
    }
}

fn unite<'a>(kept: &mut Vec<&'a str>, more: impl Iterator<Item = &'a str>) {
    for text in more.map(str::trim).filter(|t| !t.is_empty()) {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
}

impl<'a> Entry<'a> {
    fn new(plugin: &'a Plugin, command: String) -> Self {
        Self {
            plugin,
            command,
            usage: String::new(),
            summary: String::new(),
            details: String::new(),
            examples: Vec::new(),
            keywords: Vec::new(),
            specs: Vec::new(),
        }
    }

    /// `plugin/command`, as it is written in help.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.plugin.name, self.command)
    }

    pub(super) fn private_ok(&self) -> bool {
        access::private_allowed(self.plugin, &self.command)
    }

    pub(super) fn private_required(&self) -> bool {
        access::private_required(self.plugin, &self.command)
    }

    /// The forms of each distinct options block.
    pub(super) fn options(&self) -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> = Vec::new();
        for forms in self.specs.iter().flat_map(|spec| spec.options()) {
            if !forms.is_empty() && !all.contains(&forms) {
                all.push(forms);
            }
        }
        all
    }

    /// Each way of saying the command as its literal words: from matchers, usage and examples, else its name.
    pub(super) fn literal_sequences(&self) -> Vec<Vec<String>> {
        let specs = self.specs.iter().flat_map(|spec| spec.literals());
        let written = std::iter::once(self.usage.as_str()).chain(self.examples.iter().copied());
        let mut all: Vec<Vec<String>> = specs.chain(written.flat_map(literals_of_usage)).collect();
        if all.is_empty() {
            all.push(literals(&self.command));
        }
        all
    }

    /// Where the command is available, in words.
    pub(super) fn availability(&self) -> String {
        let mut channels: Vec<String> = self.plugin.channels.iter().map(|c| format!("`#{c}`")).collect();
        channels.sort();
        if self.private_required() {
            "private context only".to_owned()
        } else if !channels.is_empty() {
            channels.join(", ")
        } else if self.plugin.all_channels {
            "all robot channels".to_owned()
        } else {
            self.scope()
        }
    }

    /// Which channels the plugin listens in, in short.
    pub(super) fn scope(&self) -> String {
        match self.plugin.channels.as_slice() {
            [] if self.plugin.all_channels => "all channels".to_owned(),
            [] => "channel scoped".to_owned(),
            channels if channels.len() > MOST_CHANNELS => "channels: (many)".to_owned(),
            channels => format!("channels: {}", channels.join(", ")),
        }
    }
}

fn literals_of_usage(usage: &str) -> Vec<Vec<String>> {
    let ways = super::address::bare(usage).split('|').map(literals);
    ways.filter(|words| !words.is_empty()).collect()
}

/// The words of a usage line that are typed as they stand: not `<placeholders>`.
fn literals(usage: &str) -> Vec<String> {
    let mut kept = String::new();
    let mut rest = usage;
    while let Some((before, after)) = rest.split_once('<') {
        kept.push_str(before);
        kept.push(' ');
        rest = after.split_once('>').map_or("", |(_, behind)| behind);
    }
    kept.push_str(rest);
    words::tokens(&words::phrase(&kept)).into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use gopher_protocol::robot::{Expression, Extension, Matcher};

    fn simple(command: &str, spec: &str) -> Matcher {
        Matcher { expression: Expression::Simple(spec.to_owned()), ..testing::overheard(command, "") }
    }

    fn entries(extension: Extension, check: impl Fn(&[Entry<'_>])) {
        let name = extension.name.clone();
        let (generation, _) = Generation::new(testing::robot_with(vec![extension]));
        let mut all = all(&generation, &testing::context("alice", "garden"));
        all.retain(|e| e.plugin.name == name);
        check(&all);
    }

    #[test]
    fn the_matchers_of_one_command_become_one_entry() {
        let mut plants = testing::extension("plants");
        let mut one = simple("Water", "water [-opts:-deep|-cups:<number>] <plant:ident>");
        one.examples = vec![" (alias) water fern ".into(), "(alias) water ivy".into()];
        one.keywords = vec!["garden".into()];
        let mut two = simple("water", "sprinkle [-opts:-deep|-cups:<number>] <plant:ident>");
        two.usage = " (alias) water <plant> ".into();
        two.summary = "gives a plant water".into();
        two.details = "Not too much.".into();
        two.examples = vec!["(alias) water ivy".into(), String::new()];
        two.keywords = vec!["garden".into(), "rain".into()];
        plants.commands = vec![testing::command("look", "look"), one, two];
        entries(plants, |all| {
            let [look, water] = all else { panic!("{all:?}") };
            assert_eq!((look.path().as_str(), look.usage.as_str()), ("plants/look", "(alias) look"));
            assert_eq!(water.path(), "plants/water");
            assert_eq!(water.usage, "(alias) water <plant>");
            assert_eq!(water.summary, "gives a plant water");
            assert_eq!(water.details, "Not too much.");
            assert_eq!(water.examples, ["(alias) water fern", "(alias) water ivy"]);
            assert_eq!(water.keywords, ["garden", "rain"]);
            assert_eq!(water.options(), [["-deep", "-cups:<number>"]]);
            let said: Vec<String> = water.literal_sequences().iter().map(|w| w.join(" ")).collect();
            assert_eq!(said, ["water", "sprinkle", "water", "water fern", "water ivy"]);
        });
    }

    #[test]
    fn where_a_command_is_available_is_told_in_words() {
        let plain = Extension { commands: vec![testing::command("go", "go")], ..testing::extension("plants") };
        let in_channels =
            |channels: &[&str]| Extension { channels: channels.iter().map(|c| (*c).into()).collect(), ..plain.clone() };
        let nowhere = Extension { all_channels: false, ..plain.clone() };
        let mut private = plain.clone();
        private.private.required = vec!["go".into()];
        let rows = [
            (plain.clone(), "all robot channels", "all channels"),
            (in_channels(&["roof", "garden"]), "`#garden`, `#roof`", "channels: roof, garden"),
            (in_channels(&["e", "d", "c", "b", "a"]), "`#a`, `#b`, `#c`, `#d`, `#e`", "channels: (many)"),
            (nowhere, "channel scoped", "channel scoped"),
            (private, "private context only", "all channels"),
        ];
        for (extension, availability, scope) in rows {
            entries(extension, |all| {
                let told: Vec<(String, String)> = all.iter().map(|e| (e.availability(), e.scope())).collect();
                assert_eq!(told, [(availability.to_owned(), scope.to_owned())]);
            });
        }
    }
}

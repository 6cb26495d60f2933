//! Texts about commands (spec: configuration §6). Pure.

use std::fmt::Write as _;

use gopher_protocol::{
    ids::UserName,
    robot::{CommandMode, Matcher},
};

use crate::{
    access::{self, HiddenTransport},
    context::Context,
    generation::{Generation, Plugin},
};

/// Most bytes of one message.
const CHUNK: usize = 12_288;

/// Everything a help text depends on.
pub(crate) struct Helper<'a> {
    pub(crate) generation: &'a Generation,
    pub(crate) context: &'a Context,
    pub(crate) transport: HiddenTransport<'a>,
}

/// One command of a plugin, its matchers taken together.
struct Entry<'a> {
    plugin: &'a Plugin,
    command: &'a str,
    usage: String,
    summary: &'a str,
    examples: Vec<&'a str>,
    keywords: Vec<&'a str>,
}

impl Entry<'_> {
    fn name(&self) -> String {
        format!("{}/{}", self.plugin.name, self.command)
    }
}

impl<'a> Helper<'a> {
    /// Names the robot in front of a usage line.
    fn addressed(&self, usage: &str) -> String {
        let robot = &self.generation.robot;
        let name = &robot.identity.user_name;
        if let Some(rest) = usage.strip_prefix("(alias)") {
            let rest = rest.trim_start();
            return robot.alias.map_or_else(|| format!("{name}, {rest}"), |alias| format!("{alias}{rest}"));
        }
        match usage.strip_prefix("(bot)") {
            Some(rest) => format!("{name}{rest}"),
            None => usage.to_owned(),
        }
    }

    /// A command as it is best typed, in inline code.
    fn code(&self, command: &str) -> String {
        match self.transport.prefix.filter(|_| self.transport.supported) {
            Some(prefix) => format!("`{prefix}{command}`"),
            None => format!("`{}`", self.addressed(&format!("(alias) {command}"))),
        }
    }

    fn invocation(&self, entry: &Entry<'_>) -> String {
        let private = access::private_allowed(entry.plugin, entry.command);
        match self.transport.prefix.filter(|_| self.transport.supported && private) {
            Some(prefix) => format!("{prefix}{}", bare(&entry.usage)),
            None => self.addressed(&entry.usage),
        }
    }

    /// Commands the user may run, here or anywhere.
    fn entries(&self, everywhere: bool) -> Vec<Entry<'a>> {
        let (generation, context) = (self.generation, self.context);
        let admin = generation.is_admin(&context.user);
        let mut all = Vec::new();
        for plugin in &generation.plugins {
            let visible = if everywhere {
                access::has_access(generation, plugin, &context.user)
            } else {
                access::considered_for_commands(generation, plugin, context)
            };
            if !visible {
                continue;
            }
            let mut names: Vec<&str> = Vec::new();
            for pattern in &plugin.commands {
                let command = pattern.matcher.command.as_str();
                if !names.contains(&command) && (admin || !access::admin_only(plugin, command)) {
                    names.push(command);
                    all.push(entry(plugin, command));
                }
            }
        }
        all
    }

    fn summary_lines(&self, entries: &[&Entry<'_>]) -> String {
        let line = |e: &&Entry<'_>| {
            let summary = if e.summary.is_empty() { String::new() } else { format!(" - {}", e.summary) };
            format!("{}: `{}`{summary}", e.name(), self.invocation(e))
        };
        entries.iter().map(line).collect::<Vec<_>>().join("\n\n")
    }

    fn footer(&self) -> String {
        format!("For full command help, use {}.", self.code("help <plugin>/<command>"))
    }

    pub(crate) fn overview(&self) -> String {
        let line = |command: &str, text: &str| format!("- {} - {text}\n", self.code(command));
        format!(
            "**Quick help**\n{}{}{}\n**Plugin help:** {}\n**Exact command help:** {}\n**Browse this channel:** {}",
            line("help <keyword>", "get help for the provided <keyword>"),
            line("commands", "browse commands available in this channel"),
            line("help-all", "summarize all commands available in this channel, including global commands"),
            self.code("help <plugin>"),
            self.code("help <plugin>/<command>"),
            self.code("commands"),
        )
    }

    /// `commands`, or `help-all` if `everywhere`.
    pub(crate) fn listing(&self, everywhere: bool) -> String {
        let entries = self.entries(everywhere);
        match entries.as_slice() {
            [] => "Sorry, I couldn't find any commands available in this channel".to_owned(),
            [only] => self.full(only),
            _ => {
                let also = if everywhere { " (including global)" } else { "" };
                let lines = self.summary_lines(&entries.iter().collect::<Vec<_>>());
                format!("**Commands available in this channel{also}**\n\n{lines}\n\n{}", self.footer())
            }
        }
    }

    /// `help` with a plugin, a command or words.
    pub(crate) fn about(&self, query: &str) -> String {
        let entries = self.entries(true);
        let term = query.trim().to_lowercase();
        if let Some((plugin, _)) = term.split_once('/') {
            return match entries.iter().find(|e| e.name().to_lowercase() == term) {
                Some(entry) => self.full(entry),
                None => format!(
                    "Sorry, I couldn't find that command. Try {} or {}.",
                    self.code(&format!("help {plugin}")),
                    self.code("commands")
                ),
            };
        }
        let mut ranked: Vec<(u32, String, &Entry<'_>)> =
            entries.iter().map(|e| (score(e, &term), e.name(), e)).filter(|(score, ..)| *score > 0).collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let found: Vec<&Entry<'_>> = ranked.into_iter().map(|(_, _, e)| e).collect();
        match found.as_slice() {
            [] => format!(
                "Sorry, I didn't find any commands matching your keyword. Try {} or {}.",
                self.code("commands"),
                self.code("help <plugin>/<command>")
            ),
            [only] => self.full(only),
            several => self.matches(&term, several),
        }
    }

    fn matches(&self, term: &str, found: &[&Entry<'_>]) -> String {
        let lines = self.summary_lines(found);
        let plugin = self.generation.plugins.iter().find(|p| p.name.as_str() == term && !p.description.is_empty());
        let about = plugin.map(|p| format!("{}\n\n", p.description)).unwrap_or_default();
        format!("**Command matches for keyword:** `{term}`\n\n{about}{lines}\n\n{}", self.footer())
    }

    fn full(&self, entry: &Entry<'_>) -> String {
        let mut text = format!("**Command help:** `{}`\n\n", entry.name());
        if !entry.summary.is_empty() {
            let _ = writeln!(text, "**Summary:** {}", entry.summary);
        }
        let _ = writeln!(text, "**Usage:** `{}`", bare(&entry.usage));
        if !entry.examples.is_empty() {
            text.push_str("\n**Examples:**\n");
            for example in entry.examples.iter().take(3) {
                let _ = writeln!(text, "- `{}`", self.addressed(example));
            }
        }
        let channels: Vec<String> = entry.plugin.channels.iter().map(|c| format!("`#{c}`")).collect();
        let availability = if access::private_required(entry.plugin, entry.command) {
            "private context only".to_owned()
        } else if channels.is_empty() {
            "all robot channels".to_owned()
        } else {
            channels.join(", ")
        };
        let _ = write!(text, "\n**Availability:** {availability}");
        let more = entry.plugin.commands.iter().any(|p| p.matcher.command != entry.command);
        if more {
            let code = self.code(&format!("help {}", entry.plugin.name));
            let _ = write!(text, "\n\n**More from this plugin:** {code}");
        }
        text
    }

    /// Advice on a command nobody understood; `text` is what was typed, without the address.
    pub(crate) fn unmatched(&self, text: &str) -> String {
        let robot = &self.generation.robot;
        let shown = text.replace('`', "'");
        let attempt = match (&self.context.mode, robot.alias) {
            (Some(CommandMode::Name), _) => format!("{}, {shown}", robot.identity.user_name),
            (Some(CommandMode::Alias), Some(alias)) => format!("{alias}{shown}"),
            _ => shown,
        };
        let place = if self.context.channel.is_empty() {
            String::new()
        } else {
            format!(" in channel `#{}`", self.context.channel)
        };
        format!(
            "I couldn't match `{attempt}`{place}.\n\nTry {} or {}.",
            self.code("commands"),
            self.code("help <keyword>")
        )
    }

    /// `info`, and the welcome of somebody who asks who the robot is.
    pub(crate) fn information(&self, version: &str, robot_id: Option<&str>, home: &str) -> String {
        let robot = &self.generation.robot;
        let identity = &robot.identity;
        let alias = robot.alias.map_or_else(|| "no alias".to_owned(), |a| format!("alias '{a}'"));
        let id = robot_id.map(|id| format!(", internal id '{id}'")).unwrap_or_default();
        let mut lines = vec![
            format!("Hello, I'm {} - my name is '{}', {alias}{id}.", identity.full_name, identity.user_name),
            format!("You are talking to me in {} over {}.", self.context.place(), self.context.protocol),
        ];
        if self.generation.is_admin(&self.context.user) {
            lines.push(format!("My home is {home}."));
        }
        lines.push(format!("My software version is: Gopher {version}"));
        if !robot.admin_users.is_empty() {
            let admins: Vec<&str> = robot.admin_users.iter().map(UserName::as_str).collect();
            lines.push(format!("My administrators are: {}", admins.join(", ")));
        }
        if !robot.admin_contact.is_empty() {
            lines.push(format!("The administrative contact is: {}", robot.admin_contact));
        }
        lines.push(format!("To see what I can do, try: {}", self.addressed("(alias) help")));
        lines.join("\n")
    }

    /// Words a console completes.
    pub(crate) fn vocabulary(&self) -> Vec<String> {
        let mut words: Vec<String> = self.entries(true).iter().map(|e| bare(&e.usage).to_owned()).collect();
        words.sort();
        words.dedup();
        words
    }
}

fn entry<'a>(plugin: &'a Plugin, command: &'a str) -> Entry<'a> {
    let of_command: Vec<&Matcher> =
        plugin.commands.iter().map(|p| &p.matcher).filter(|m| m.command == command).collect();
    let first = |text: fn(&Matcher) -> &String| {
        of_command.iter().map(|m| text(m).as_str()).find(|t| !t.is_empty()).unwrap_or_default()
    };
    let usage = first(|m| &m.usage);
    let mut examples: Vec<&str> = Vec::new();
    let mut keywords: Vec<&str> = Vec::new();
    for matcher in &of_command {
        for (texts, into) in [(&matcher.examples, &mut examples), (&matcher.keywords, &mut keywords)] {
            for text in texts.iter().map(|t| t.trim()) {
                if !text.is_empty() && !into.contains(&text) {
                    into.push(text);
                }
            }
        }
    }
    Entry {
        plugin,
        command,
        usage: if usage.is_empty() { format!("(alias) {command}") } else { usage.to_owned() },
        summary: first(|m| &m.summary),
        examples,
        keywords,
    }
}

/// A usage line without whom it addresses.
fn bare(usage: &str) -> &str {
    let rest =
        usage.strip_prefix("(alias)").or_else(|| usage.strip_prefix("(bot),")).or_else(|| usage.strip_prefix("(bot)"));
    rest.map_or(usage, str::trim_start)
}

fn score(entry: &Entry<'_>, term: &str) -> u32 {
    let lower = |text: &str| text.to_lowercase();
    let (command, plugin) = (lower(entry.command), lower(entry.plugin.name.as_str()));
    let keywords: Vec<String> = entry.keywords.iter().map(|k| lower(k)).collect();
    let rules = [
        (100, command == term),
        (95, plugin == term),
        (92, keywords.iter().any(|k| k == term)),
        (84, command.contains(term)),
        (80, plugin.contains(term)),
        (74, entry.examples.iter().any(|e| lower(e).contains(term))),
        (72, keywords.iter().any(|k| k.contains(term))),
        (65, lower(&entry.usage).contains(term)),
        (62, lower(entry.summary).contains(term)),
    ];
    rules.into_iter().find(|(_, hit)| *hit).map_or(0, |(score, _)| score)
}

/// A long text as messages, cut at line ends.
pub(crate) fn chunks(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match all.last_mut() {
            Some(last) if last.len() + line.len() <= CHUNK => last.push_str(line),
            _ => all.push(line.to_owned()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn generation() -> Generation {
        let mut ruby = testing::extension("rubydemo");
        ruby.commands = vec![testing::command("ruby", "ruby me"), testing::command("rubynow", "ruby now")];
        ruby.channels = vec!["random".into()];
        Generation::new(testing::robot_with(vec![ruby])).0
    }

    fn helper<'a>(generation: &'a Generation, context: &'a Context) -> Helper<'a> {
        Helper { generation, context, transport: HiddenTransport { supported: true, prefix: Some("/floyd ") } }
    }

    #[test]
    fn a_keyword_finds_commands_wherever_they_run() {
        let (generation, context) = (generation(), testing::context("alice", "general"));
        let text = helper(&generation, &context).about("ruby");
        assert!(text.starts_with("**Command matches for keyword:** `ruby`\n\nrubydemo/ruby: `;ruby`"), "{text}");
        assert!(text.ends_with("For full command help, use `/floyd help <plugin>/<command>`."), "{text}");
        assert!(!helper(&generation, &context).listing(false).contains("rubydemo"));
        assert!(helper(&generation, &context).listing(true).contains("rubydemo/ruby"));
        assert!(helper(&generation, &context).about("rubydemo/ruby").contains("**Availability:** `#random`"));
        assert!(helper(&generation, &context).about("zebra").starts_with("Sorry, I didn't find"));
    }

    #[test]
    fn admin_commands_are_shown_to_admins_only() {
        let generation = generation();
        let (alice, bob) = (testing::context("alice", "general"), testing::context("bob", "general"));
        assert!(helper(&generation, &alice).listing(false).contains("builtin-admin/kill: `/floyd kill <wid>`"));
        assert!(!helper(&generation, &bob).listing(true).contains("builtin-admin"));
        assert!(helper(&generation, &bob).vocabulary().contains(&"ping".to_owned()));
    }

    #[test]
    fn advice_repeats_what_was_typed() {
        let generation = generation();
        let named = Context { mode: Some(CommandMode::Name), ..testing::context("bob", "general") };
        assert_eq!(
            helper(&generation, &named).unmatched("echo hello"),
            "I couldn't match `floyd, echo hello` in channel `#general`.\n\nTry `/floyd commands` or `/floyd help <keyword>`."
        );
        let by_alias = testing::context("bob", "general");
        assert!(helper(&generation, &by_alias).unmatched("echo").starts_with("I couldn't match `;echo` in channel"));
    }

    #[test]
    fn long_texts_are_cut_at_line_ends() {
        let line = format!("{}\n", "x".repeat(99));
        let parts = chunks(&line.repeat(300));
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|p| p.len() <= CHUNK && p.ends_with('\n')));
        assert_eq!(chunks("short"), ["short"]);
    }
}

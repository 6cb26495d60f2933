//! The answers of the help commands (spec: configuration §6.3). Pure.

use super::{
    Helper,
    address::{bare, inline},
    entry::Entry,
    ranking,
    visibility::{self, Reach},
    words,
};

/// Most examples of one kind in a full entry.
const MOST_EXAMPLES: usize = 3;

const NOTHING_HERE: &str = "Sorry, I couldn't find any commands available in this channel";

impl Helper<'_> {
    /// `help` without words.
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

    /// `commands`: what can be invoked from here.
    pub(crate) fn commands(&self) -> String {
        let entries = self.entries();
        let from_here = |e: &Entry<'_>| {
            let hidden_form = self.transport.supported;
            visibility::reach(self.generation, e.plugin, &e.command, self.context, hidden_form)
        };
        let here: Vec<(&Entry<'_>, Reach)> = entries.iter().filter_map(|e| Some((e, from_here(e)?))).collect();
        match here.as_slice() {
            [] => NOTHING_HERE.to_owned(),
            [(only, _)] => self.full(only),
            several => {
                let lines = several
                    .iter()
                    .map(|(entry, reach)| self.line(entry, *reach == Reach::Privately && !self.context.direct));
                self.list("**Commands available in this channel**", lines)
            }
        }
    }

    /// `help-all`: everything the user may run somewhere.
    pub(crate) fn all_commands(&self) -> String {
        match self.entries().as_slice() {
            [] => NOTHING_HERE.to_owned(),
            [only] => self.full(only),
            several => {
                let heading = "**Commands available in this channel (including global)**";
                self.list(heading, several.iter().map(|e| self.line(e, false)))
            }
        }
    }

    /// `help` with a plugin, a command or words.
    pub(crate) fn about(&self, query: &str) -> String {
        let query = query.trim().trim_end_matches(['.', '?', '!']).trim_end();
        let entries = self.entries();
        if let Some((plugin, command)) = query.split_once('/').filter(|_| !query.contains(char::is_whitespace)) {
            let exact = |e: &&Entry<'_>| {
                e.plugin.name.as_str().eq_ignore_ascii_case(plugin) && e.command.eq_ignore_ascii_case(command)
            };
            return match entries.iter().find(exact) {
                Some(entry) => self.full(entry),
                None => format!(
                    "Sorry, I couldn't find that command. Try {} or {}.",
                    self.code(&format!("help {plugin}")),
                    self.code("commands")
                ),
            };
        }
        let is_named = |e: &Entry<'_>| e.plugin.name.as_str().eq_ignore_ascii_case(query);
        let of_plugin: Vec<&Entry<'_>> = entries.iter().filter(|e| is_named(e)).collect();
        let mut found = ranking::ranked(&entries, &words::phrase(query));
        found.retain(|e| !is_named(e));
        match (of_plugin.as_slice(), found.as_slice()) {
            ([], []) => format!(
                "Sorry, I didn't find any commands matching your keyword. Try {} or {}.",
                self.code("commands"),
                self.code("help <plugin>/<command>")
            ),
            ([only], []) | ([], [only]) => self.full(only),
            (of_plugin, others) => self.matches(query, of_plugin, others),
        }
    }

    fn matches(&self, query: &str, of_plugin: &[&Entry<'_>], others: &[&Entry<'_>]) -> String {
        let mut text = format!("**Command matches for keyword:** {}", inline(query));
        let mut address = "<plugin>/<command>".to_owned();
        if let Some(first) = of_plugin.first() {
            let about = plugin_summary(first, of_plugin);
            if !about.is_empty() {
                text.push('\n');
                text.push_str(about);
            }
            if others.is_empty() {
                address = format!("{}/<command>", first.plugin.name);
            }
        }
        let lines = apart(of_plugin.iter().chain(others).map(|e| self.line(e, false)));
        format!("{text}\n\n{lines}\n\n{}", self.footer(&address))
    }

    fn list(&self, heading: &str, lines: impl Iterator<Item = String>) -> String {
        format!("{heading}\n\n{}\n\n{}", apart(lines), self.footer("<plugin>/<command>"))
    }

    fn footer(&self, address: &str) -> String {
        format!("For full command help, use {}.", self.code(&format!("help {address}")))
    }

    /// One command in one line; `privately` if only private messages can carry it from here.
    pub(super) fn line(&self, entry: &Entry<'_>, privately: bool) -> String {
        let command = bare(&entry.usage);
        let hidden = self.hidden(command).filter(|_| entry.private_ok());
        let direct_only = !self.transport.supported && (privately || entry.private_required());
        let note = if direct_only { "(direct message only) " } else { "" };
        let invocation = inline(&hidden.unwrap_or_else(|| self.by_alias(command)));
        let said = format!("{note}{}", entry.summary);
        match said.trim_end() {
            "" => format!("{}: {invocation}", entry.path()),
            said => format!("{}: {invocation} - {said}", entry.path()),
        }
    }

    /// Everything about one command.
    pub(super) fn full(&self, entry: &Entry<'_>) -> String {
        let mut body = Vec::new();
        if !entry.summary.is_empty() {
            body.push(format!("**Summary:** {}", entry.summary));
        }
        body.push(format!("**Usage:** {}", inline(bare(&entry.usage))));
        let options = entry.options();
        for (number, forms) in options.iter().enumerate() {
            let forms: Vec<String> = forms.iter().map(|form| inline(form)).collect();
            let number = if options.len() > 1 { format!(" {}", number + 1) } else { String::new() };
            body.push(format!("**Options{number}:** {}", forms.join(", ")));
        }
        if !entry.details.is_empty() {
            body.push(format!("\n{}", entry.details));
        }
        body.extend(self.examples(entry));
        body.push(format!("**Availability:** {}", entry.availability()));
        let mut text = format!("**Command help:** {}\n\n{}", inline(&entry.path()), body.join("\n"));
        if self.has_more(entry) {
            let more = self.code(&format!("help {}", entry.plugin.name));
            text.push_str("\n\n**More from this plugin:** ");
            text.push_str(&more);
        }
        text
    }

    /// The examples as they are typed in the open, then as they are typed in private, or how that is done.
    fn examples(&self, entry: &Entry<'_>) -> Vec<String> {
        let listed = |example: String| format!("- {}", inline(&example));
        let mut lines = Vec::new();
        if !entry.examples.is_empty() || !entry.details.is_empty() {
            lines.push(String::new());
        }
        if !entry.examples.is_empty() {
            lines.push("**Examples:**".to_owned());
            lines.extend(entry.examples.iter().take(MOST_EXAMPLES).map(|e| listed(self.expanded(e))));
        }
        if !entry.private_ok() || !self.transport.supported {
            return lines;
        }
        let hidden: Vec<String> = entry.examples.iter().filter_map(|e| self.hidden(self.unaddressed(e))).collect();
        if hidden.is_empty() {
            lines.push(format!("**Private:** {}", self.private_hint()));
        } else {
            lines.push("**Private examples:**".to_owned());
            lines.extend(hidden.into_iter().take(MOST_EXAMPLES).map(listed));
        }
        lines
    }

    pub(super) fn private_hint(&self) -> String {
        match self.hidden("<command>") {
            Some(form) => format!("Use {} to address a private command.", inline(&form)),
            None => format!("Private commands must be addressed to {}.", self.generation.robot.identity.user_name),
        }
    }

    fn has_more(&self, entry: &Entry<'_>) -> bool {
        self.entries().iter().any(|e| e.plugin.name == entry.plugin.name && e.command != entry.command)
    }

    /// Words a console completes.
    pub(crate) fn vocabulary(&self) -> Vec<String> {
        let mut words: Vec<String> = self.entries().iter().map(|e| bare(&e.usage).to_owned()).collect();
        words.sort();
        words.dedup();
        words
    }
}

/// Summary lines with a blank line between them.
pub(super) fn apart(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n\n")
}

/// What a plugin says about itself, else what its first command says.
fn plugin_summary<'e>(entry: &'e Entry<'_>, of_plugin: &'e [&Entry<'_>]) -> &'e str {
    if !entry.plugin.description.is_empty() {
        return &entry.plugin.description;
    }
    let first = entry.plugin.commands.iter().map(|p| p.matcher.command.trim().to_lowercase());
    let summaries = first.filter_map(|command| of_plugin.iter().find(|e| e.command == command));
    summaries.map(|e| e.summary.as_str()).find(|summary| !summary.is_empty()).unwrap_or_default()
}

//! Advice on a command nobody understood, in words (spec: configuration §6.5). Pure.

use gopher_protocol::robot::CommandMode;

use super::{Helper, address::inline, advice::Advice, entry::Entry, text::apart, words};

/// Most channels that are named one by one.
const MOST_CHANNELS: usize = 3;

/// The channels of a plugin as a choice.
fn choice_of(channels: &[String]) -> String {
    let mut names: Vec<String> = channels.iter().map(|c| format!("#{c}")).collect();
    names.sort();
    match names.as_slice() {
        [.., last] if names.len() <= MOST_CHANNELS => match names.get(..names.len() - 1).unwrap_or_default() {
            [] => last.clone(),
            others => format!("{} or {last}", others.join(", ")),
        },
        many => format!(
            "{}, or other configured channels",
            many.iter().take(MOST_CHANNELS).cloned().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Where a command is at home that does not belong here.
fn home_of(entry: &Entry<'_>) -> String {
    match entry.plugin.channels.as_slice() {
        [] if entry.plugin.all_channels && !entry.private_required() => "a channel".to_owned(),
        [] => "a private message".to_owned(),
        channels => choice_of(channels),
    }
}

impl Helper<'_> {
    /// Advice on `text`: what was typed, without the address.
    pub(crate) fn unmatched(&self, text: &str) -> String {
        let text = text.trim();
        // Plugins may have a `help with …` of their own, so help itself leaves that form alone.
        let asked = text.get(..10).filter(|head| head.eq_ignore_ascii_case("help with ")).and_then(|_| text.get(10..));
        if let Some(query) = asked {
            return self.about(query);
        }
        let entries = self.entries();
        let advice = self.advice(&entries, text);
        self.told(text, &advice)
    }

    fn told(&self, text: &str, advice: &Advice<'_, '_>) -> String {
        let attempt = self.attempt(text);
        let failed = format!("I couldn't match {attempt}{}.", self.in_channel());
        let guidance = format!("Try {} or {}.", self.code("commands"), self.code("help <keyword>"));
        let more = |entry: &Entry<'_>| format!("More help: {}", self.code(&format!("help {}", entry.path())));
        let lines = match advice {
            Advice::Close { entry, elsewhere } => {
                let mut lines = vec![
                    format!("{attempt} looks close to {}.", inline(&entry.path())),
                    format!("Try: {}", inline(&self.trial(entry))),
                ];
                if *elsewhere {
                    let here = self.in_channel();
                    let here = if here.is_empty() { " in direct messages".to_owned() } else { here };
                    lines.push(format!("That command isn't available{here}; try {}.", home_of(entry)));
                }
                lines.push(more(entry));
                lines
            }
            Advice::Elsewhere(entry) => {
                vec![failed, format!("This looks more likely to belong in {}.", home_of(entry)), more(entry)]
            }
            Advice::Perhaps(entry) => vec![failed, more(entry), guidance],
            Advice::Several(entries) => {
                let phrase = words::phrase(text);
                let first = words::tokens(&phrase).first().copied().unwrap_or_default().to_owned();
                vec![
                    format!("{} matches several commands.", inline(&first)),
                    format!("You may be looking for:\n\n{}\n", apart(entries.iter().map(|e| self.line(e, false)))),
                    format!("More help: {}", self.code(&format!("help {first}"))),
                    format!("Exact help: {}", self.code("help <plugin>/<command>")),
                ]
            }
            Advice::Nothing => vec![failed, guidance],
        };
        lines.join("\n")
    }

    /// What was typed, addressed as it was.
    fn attempt(&self, text: &str) -> String {
        if text.is_empty() {
            return "that command".to_owned();
        }
        inline(&match self.context.mode {
            Some(CommandMode::Name) => self.by_name(text),
            Some(CommandMode::Alias) => self.by_alias(text),
            Some(CommandMode::Direct | CommandMode::Hidden) | None => text.to_owned(),
        })
    }

    /// What to try instead, addressed as the attempt was.
    fn trial(&self, entry: &Entry<'_>) -> String {
        let example = entry.examples.first().copied().unwrap_or(&entry.usage);
        match example.strip_prefix("(alias)") {
            Some(rest) if self.context.mode == Some(CommandMode::Name) => self.by_name(rest.trim_start()),
            Some(_) => self.expanded(example),
            None if entry.examples.is_empty() => self.by_alias(super::address::bare(example)),
            None => self.expanded(example),
        }
    }

    fn in_channel(&self) -> String {
        let channel = &self.context.channel;
        if channel.is_empty() { String::new() } else { format!(" in channel `#{channel}`") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_named_as_a_choice() {
        for (channels, expected) in [
            (&["roof"][..], "#roof"),
            (&["roof", "garden"], "#garden or #roof"),
            (&["roof", "garden", "cellar"], "#cellar, #garden or #roof"),
            (&["d", "c", "b", "a"], "#a, #b, #c, or other configured channels"),
        ] {
            let channels: Vec<String> = channels.iter().map(|c| (*c).to_owned()).collect();
            assert_eq!(choice_of(&channels), expected);
        }
    }
}

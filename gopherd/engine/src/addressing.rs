//! Is a message for the robot, and what remains of it without the address (spec: configuration §4.2).
//!
//! Called by dispatch for every message that passed the gates. Knows names only: neither users nor channels.

use gopher_protocol::robot::CommandMode;
use regex::Regex;

/// The ways one robot is addressed over one connector.
pub(crate) struct Addressing {
    alias: Option<char>,
    prefix: Option<Regex>,
    postfix: Option<Regex>,
    bare: Option<Regex>,
}

/// A message without its address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Addressed {
    pub(crate) text: String,
    pub(crate) mode: CommandMode,
}

impl Addressing {
    /// `mention` is what the connector says users write instead of the name, such as a user id.
    pub(crate) fn new(name: &str, alias: Option<char>, mention: Option<&str>) -> Result<Self, regex::Error> {
        let name = regex::escape(name);
        let escaped_alias = alias.map(|a| regex::escape(&a.to_string()));
        let mention = mention.map(regex::escape).filter(|m| !m.is_empty());

        let mut prefixes: Vec<String> = escaped_alias.iter().cloned().collect();
        let mut bares: Vec<String> = prefixes.clone();
        match (&mention, name.is_empty()) {
            (None, false) => prefixes.push(format!("(?i:@?{name}[:, ])")),
            (Some(mention), named_not) => {
                if !named_not {
                    prefixes.push(format!("(?i:{name})[:, ]"));
                }
                prefixes.push(format!("(?:@{mention}[:, ])"));
            }
            (None, true) => {}
        }
        bares.push(format!(r"@?{name}\??"));
        bares.extend(mention.map(|m| format!(r"@{m}\??")));

        let compiled = |wanted: bool, pattern: String| wanted.then(|| Regex::new(&pattern)).transpose();
        Ok(Self {
            alias,
            prefix: compiled(!prefixes.is_empty(), format!(r"^(?s)(?i:({})(?-u:\s)*)(.*)$", prefixes.join("|")))?,
            postfix: compiled(!name.is_empty(), format!(r"^([^,@]+),(?-u:\s)+(?i:@?{name})([.?!])?$"))?,
            bare: compiled(!name.is_empty(), format!(r"^@?(?i:{})$", bares.join("|")))?,
        })
    }

    fn is_alias(&self, text: &str) -> bool {
        let mut characters = text.chars();
        self.alias.is_some() && characters.next() == self.alias && characters.next().is_none()
    }

    fn mode_of(&self, address: &str) -> CommandMode {
        if self.is_alias(address) { CommandMode::Alias } else { CommandMode::Name }
    }

    /// `None` if the message is not addressed to the robot.
    pub(crate) fn recognise(&self, message: &str) -> Option<Addressed> {
        if let Some(found) = self.prefix.as_ref().and_then(|p| p.captures(message)) {
            return Some(Addressed { text: found[2].to_owned(), mode: self.mode_of(&found[1]) });
        }
        if let Some(found) = self.postfix.as_ref().and_then(|p| p.captures(message)) {
            let punctuation = found.get(2).map_or("", |m| m.as_str());
            return Some(Addressed { text: format!("{}{punctuation}", &found[1]), mode: CommandMode::Name });
        }
        if self.bare.as_ref().is_some_and(|b| b.is_match(message)) {
            return Some(Addressed { text: String::new(), mode: self.mode_of(message) });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floyd() -> Addressing {
        Addressing::new("floyd", Some(';'), None).expect("compiles")
    }

    #[track_caller]
    fn text(addressing: &Addressing, message: &str, expected: Option<&str>) {
        assert_eq!(addressing.recognise(message).map(|a| a.text).as_deref(), expected, "{message:?}");
    }

    #[test]
    fn every_row_of_the_specification_holds() {
        let rows: &[(&str, Option<&str>)] = &[
            (";ping", Some("ping")),
            ("; ping", Some("ping")),
            ("floyd ping", Some("ping")),
            ("Floyd: ping", Some("ping")),
            ("floyd,ping", Some("ping")),
            ("@floyd, ping", Some("ping")),
            ("floydping", None),
            ("ping floyd", None),
            ("floyd\nping", None),
            ("ping, floyd", Some("ping")),
            ("ping, floyd?", Some("ping?")),
            ("ping, @Floyd.", Some("ping.")),
            ("what is x, y, floyd", None),
            ("floyd", Some("")),
            ("floyd?", Some("")),
            ("@floyd", Some("")),
            ("@floyd?", Some("")),
            (";", Some("")),
            (";\nping\nmore", Some("ping\nmore")),
            ("ping;", None),
            ("ping", None),
            ("", None),
        ];
        for (message, expected) in rows {
            text(&floyd(), message, *expected);
        }
    }

    #[test]
    fn the_mode_says_how_it_was_addressed() {
        let mode = |message: &str| floyd().recognise(message).map(|a| a.mode);
        assert_eq!(mode(";ping"), Some(CommandMode::Alias));
        assert_eq!(mode(";"), Some(CommandMode::Alias));
        assert_eq!(mode("floyd ping"), Some(CommandMode::Name));
        assert_eq!(mode("ping, floyd"), Some(CommandMode::Name));
        assert_eq!(mode("floyd?"), Some(CommandMode::Name));
    }

    #[test]
    fn a_mention_replaces_the_at_name_form() {
        let slack = Addressing::new("floyd", Some(';'), Some("U0BOT")).expect("compiles");
        text(&slack, "@U0BOT ping", Some("ping"));
        text(&slack, "@U0BOT", Some(""));
        text(&slack, "floyd ping", Some("ping"));
        text(&slack, "@floyd ping", None);
    }

    #[test]
    fn every_allowed_alias_and_odd_names_are_taken_literally() {
        for alias in r"*+^$?\[]{}&!;:-%#@~<>".chars() {
            let addressing = Addressing::new("floyd", Some(alias), None).expect("compiles");
            assert_eq!(
                addressing.recognise(&format!("{alias}ping")),
                Some(Addressed { text: "ping".into(), mode: CommandMode::Alias })
            );
        }
        let dotted = Addressing::new("r2.d2", None, None).expect("compiles");
        text(&dotted, "r2.d2 ping", Some("ping"));
        text(&dotted, "r2xd2 ping", None);
    }

    #[test]
    fn without_a_name_only_the_alias_addresses() {
        let nameless = Addressing::new("", Some('!'), None).expect("compiles");
        text(&nameless, "!ping", Some("ping"));
        text(&nameless, "ping, floyd", None);
        text(&nameless, "?", None);
        let mute = Addressing::new("", None, None).expect("compiles");
        text(&mute, "ping", None);
    }
}

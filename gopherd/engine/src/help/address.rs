//! How commands are written so that they can be typed: placeholders, the hidden form, inline code
//! (spec: configuration §6.1, "placeholders" and "hidden form"). Pure.

use super::Helper;

/// A text as inline code; a backtick cannot stand in it.
pub(super) fn inline(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

/// A usage line or example without its address.
pub(super) fn bare(text: &str) -> &str {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("(alias)") {
        return rest.trim_start();
    }
    match text.strip_prefix('/').unwrap_or(text).strip_prefix("(bot)") {
        Some(rest) => rest.strip_prefix(',').unwrap_or(rest).trim_start(),
        None => text,
    }
}

impl Helper<'_> {
    fn name(&self) -> &str {
        &self.generation.robot.identity.user_name
    }

    /// A command addressed by alias, or by name where there is none.
    pub(super) fn by_alias(&self, command: &str) -> String {
        match self.generation.robot.alias {
            Some(alias) => format!("{alias}{command}"),
            None if self.name().is_empty() => command.to_owned(),
            None => self.by_name(command),
        }
    }

    /// A command addressed by name, or by alias where there is none.
    pub(super) fn by_name(&self, command: &str) -> String {
        match (self.name(), self.generation.robot.alias) {
            ("", Some(alias)) => format!("{alias}{command}"),
            ("", None) => command.to_owned(),
            (name, _) => format!("{name}, {command}"),
        }
    }

    /// A usage line or example with the robot's alias or name in the place of `(alias)` or `(bot)`.
    pub(super) fn expanded(&self, text: &str) -> String {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("(alias)") {
            return self.by_alias(rest.trim_start());
        }
        let Some((before, after)) = text.split_once('(') else { return text.to_owned() };
        let Some(rest) = after.strip_prefix("bot)") else { return text.to_owned() };
        let (comma, rest) = rest.strip_prefix(',').map_or(("", rest), |rest| (",", rest));
        match self.name() {
            "" => format!("{before}{}", self.by_alias(rest.trim_start())),
            name => format!("{before}{name}{comma} {}", rest.trim_start()),
        }
    }

    /// A command as it is typed so that nobody else sees it, if the connector has a form for that.
    pub(super) fn hidden(&self, command: &str) -> Option<String> {
        let prefix = self.transport.prefix.filter(|_| self.transport.supported)?;
        Some(format!("{prefix}{command}"))
    }

    /// An engine command as it is best typed, in inline code.
    pub(super) fn code(&self, command: &str) -> String {
        inline(&self.hidden(command).unwrap_or_else(|| self.by_alias(command)))
    }

    /// What is typed after the address; an example may spell the robot's alias or name out.
    pub(super) fn unaddressed<'t>(&self, text: &'t str) -> &'t str {
        let text = bare(text);
        if let Some(rest) = self.generation.robot.alias.and_then(|alias| text.strip_prefix(alias)) {
            return rest.trim_start();
        }
        let name = self.name();
        let after_name = text.get(..name.len()).filter(|head| !name.is_empty() && head.eq_ignore_ascii_case(name));
        match after_name.and_then(|_| text.get(name.len()..)) {
            Some(rest) if rest.starts_with([',', ':', ' ']) => rest.trim_start_matches([',', ':', ' ']),
            _ => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::HiddenTransport, context::Context, generation::Generation, testing};

    fn with(name: &str, alias: Option<char>, check: impl Fn(&Helper<'_>)) {
        let mut robot = testing::robot();
        robot.identity.user_name = name.to_owned();
        robot.alias = alias;
        let (generation, context) = (Generation::new(robot).0, Context::default());
        let transport = HiddenTransport { supported: false, prefix: Some("/floyd ") };
        check(&Helper { generation: &generation, context: &context, transport });
    }

    #[test]
    fn placeholders_become_the_robots_alias_or_name() {
        let rows = [
            ("(alias) water fern", ";water fern", "floyd, water fern", ";water fern"),
            ("(alias)water fern", ";water fern", "floyd, water fern", ";water fern"),
            ("(bot), water fern", "floyd, water fern", "floyd, water fern", ";water fern"),
            ("(bot) water fern", "floyd water fern", "floyd water fern", ";water fern"),
            ("/(bot) water fern", "/floyd water fern", "/floyd water fern", "/;water fern"),
            ("say (bot), water", "say floyd, water", "say floyd, water", "say ;water"),
            ("water (all) of (bot)", "water (all) of (bot)", "water (all) of (bot)", "water (all) of (bot)"),
            ("water fern (alias)", "water fern (alias)", "water fern (alias)", "water fern (alias)"),
            ("water fern", "water fern", "water fern", "water fern"),
        ];
        for (text, both, nameless_alias, only_alias) in rows {
            with("floyd", Some(';'), |h| assert_eq!(h.expanded(text), both));
            with("floyd", None, |h| assert_eq!(h.expanded(text), nameless_alias));
            with("", Some(';'), |h| assert_eq!(h.expanded(text), only_alias));
        }
        with("", None, |h| assert_eq!(h.expanded("(alias) water"), "water"));
    }

    #[test]
    fn addresses_are_taken_off() {
        for (text, stripped, unaddressed) in [
            ("(alias) water", "water", "water"),
            ("(bot), water", "water", "water"),
            ("/(bot) water", "water", "water"),
            (" water ", "water", "water"),
            (";water", ";water", "water"),
            ("Floyd, water", "Floyd, water", "water"),
            ("floyd water", "floyd water", "water"),
            ("floydwater", "floydwater", "floydwater"),
            ("floyd", "floyd", "floyd"),
        ] {
            assert_eq!(bare(text), stripped);
            with("floyd", Some(';'), |h| assert_eq!(h.unaddressed(text), unaddressed));
        }
    }

    #[test]
    fn backticks_do_not_end_inline_code() {
        assert_eq!(inline("a `b` c"), "`a 'b' c`");
        with("floyd", Some('*'), |h| assert_eq!(h.code("help <keyword>"), "`*help <keyword>`"));
    }
}

//! What extensions are told about commands: `GetHelpMetadata`, as JSON (spec: Robot API §1.11). Pure.
//!
//! The same commands that `help` would show the user, for extensions that look for what somebody meant.

use gopher_protocol::robot::CommandMode;
use serde::Serialize;

use super::{Helper, entry::Entry, ranking, words::phrase};
use crate::access;

#[derive(Serialize)]
struct Metadata<'a> {
    context: Place<'a>,
    visible_here: Vec<&'a Known<'a>>,
    browseable: Vec<&'a Known<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranked_here: Vec<Match<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranked_browseable: Vec<Match<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    bot_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_alias: Option<char>,
    #[serde(skip_serializing_if = "str::is_empty")]
    user: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    channel: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    command_mode: &'static str,
    direct: bool,
    threaded: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    protocol: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    private_commands_supported: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    private_command_hint: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    raw_query: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    normalized_query: &'a str,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the fields that extensions know")]
struct Known<'a> {
    plugin: &'a str,
    command: &'a str,
    usage: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    summary: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    examples: &'a [&'a str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    private_examples: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    keywords: &'a [&'a str],
    scope: String,
    #[serde(skip_serializing_if = "is_false")]
    private_ok: bool,
    #[serde(skip_serializing_if = "is_false")]
    private_required: bool,
    #[serde(skip_serializing_if = "is_false")]
    private_supported: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    private_hint: &'a str,
    visible_here: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    channels: &'a [String],
    #[serde(skip_serializing_if = "is_false")]
    all_channels: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    plugin_summary: &'a str,
}

#[derive(Clone, Copy, Serialize)]
struct Match<'a> {
    plugin: &'a str,
    command: &'a str,
    score: usize,
    visible_here: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like that")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Helper<'_> {
    /// Everything that a user may know of, and how well it fits a query.
    pub(crate) fn metadata(&self, query: &str) -> String {
        let (context, robot) = (self.context, &self.generation.robot);
        let entries = self.entries();
        let hint = if self.transport.supported { self.private_hint() } else { String::new() };
        let commands: Vec<Known<'_>> = entries.iter().map(|entry| self.command_of(entry, &hint)).collect();
        let query = query.trim();
        let wanted = self.unaddressed(query);
        let matches = self.matches_of(&entries, wanted);
        let metadata = Metadata {
            context: Place {
                bot_name: &robot.identity.user_name,
                bot_alias: robot.alias,
                user: context.user.as_str(),
                channel: &context.channel,
                command_mode: match context.mode {
                    Some(CommandMode::Alias) => "alias",
                    Some(CommandMode::Name) => "name",
                    Some(CommandMode::Direct) => "direct",
                    Some(CommandMode::Hidden) | None => "",
                },
                direct: context.direct,
                threaded: context.threaded,
                protocol: &context.protocol,
                private_commands_supported: self.transport.supported,
                private_command_hint: &hint,
                raw_query: query,
                normalized_query: wanted,
            },
            visible_here: commands.iter().filter(|c| c.visible_here).collect(),
            browseable: commands.iter().collect(),
            ranked_here: matches.iter().copied().filter(|m| m.visible_here).collect(),
            ranked_browseable: matches,
        };
        serde_json::to_string(&metadata).unwrap_or_else(|_| "{}".to_owned())
    }

    fn command_of<'e>(&self, entry: &'e Entry<'_>, hint: &'e str) -> Known<'e> {
        let private_ok = entry.private_ok();
        let private_supported = private_ok && self.transport.supported;
        let examples = entry.examples.iter().filter(|_| private_supported);
        let about = &entry.plugin.description;
        Known {
            plugin: entry.plugin.name.as_str(),
            command: &entry.command,
            usage: &entry.usage,
            summary: &entry.summary,
            examples: &entry.examples,
            private_examples: examples.filter_map(|e| self.hidden(self.unaddressed(e))).collect(),
            keywords: &entry.keywords,
            scope: entry.scope(),
            private_ok,
            private_required: entry.private_required(),
            private_supported,
            private_hint: if private_ok { hint } else { "" },
            visible_here: self.is_visible_here(entry),
            channels: &entry.plugin.channels,
            all_channels: entry.plugin.all_channels,
            plugin_summary: if about.is_empty() { &entry.summary } else { about },
        }
    }

    /// The command can be given as the message was that started the extension.
    fn is_visible_here(&self, entry: &Entry<'_>) -> bool {
        let fits = if self.context.private() { entry.private_ok() } else { !entry.private_required() };
        fits && access::available_here(self.generation, entry.plugin, self.context)
    }

    fn matches_of<'e>(&self, entries: &'e [Entry<'_>], query: &str) -> Vec<Match<'e>> {
        let scored = ranking::scored(entries, &phrase(query)).into_iter().map(|(score, entry)| Match {
            plugin: entry.plugin.name.as_str(),
            command: &entry.command,
            score,
            visible_here: self.is_visible_here(entry),
        });
        scored.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{access::HiddenTransport, context::Context, generation::Generation, testing};
    use gopher_protocol::robot::{Extension, Matcher};

    fn water() -> Matcher {
        Matcher {
            usage: "(alias) water <plant>".into(),
            summary: "gives a plant its water".into(),
            keywords: vec!["moist".into()],
            examples: vec!["(alias) water fern".into()],
            ..testing::command("water", "water (.+)")
        }
    }

    fn told(context: &Context, supported: bool, query: &str) -> Value {
        let plants = Extension {
            description: "house plants".into(),
            channels: vec!["kitchen".into()],
            commands: vec![water(), testing::command("look", "look"), testing::command("uproot", "uproot")],
            admin_commands: vec!["uproot".into()],
            private: gopher_protocol::robot::PrivatePolicy {
                allowed: vec!["water".into()],
                ..testing::extension("plants").private
            },
            ..testing::extension("plants")
        };
        let (generation, _) = Generation::new(testing::robot_with(vec![plants]));
        let transport = HiddenTransport { supported, prefix: Some("/floyd ").filter(|_| supported) };
        let text = Helper { generation: &generation, context, transport }.metadata(query);
        serde_json::from_str(&text).expect("JSON")
    }

    fn paths(list: &Value) -> Vec<String> {
        let path =
            |e: &Value| format!("{}/{}", e["plugin"].as_str().unwrap_or("?"), e["command"].as_str().unwrap_or("?"));
        list.as_array().map(|all| all.iter().map(path).collect()).unwrap_or_default()
    }

    #[test]
    fn commands_are_told_with_everything_that_is_known_of_them() {
        let all = told(&testing::context("bob", "kitchen"), true, "");
        let found = all["browseable"].as_array().expect("a list").iter().find(|e| e["command"] == "water");
        assert_eq!(
            *found.expect("is there"),
            json!({
                "plugin": "plants", "command": "water", "usage": "(alias) water <plant>",
                "summary": "gives a plant its water", "examples": ["(alias) water fern"],
                "private_examples": ["/floyd water fern"], "keywords": ["moist"], "scope": "channels: kitchen",
                "private_ok": true, "private_supported": true,
                "private_hint": "Use `/floyd <command>` to address a private command.", "visible_here": true,
                "channels": ["kitchen"], "all_channels": true, "plugin_summary": "house plants",
            })
        );
        assert!(!paths(&all["browseable"]).contains(&"plants/uproot".to_owned()), "it is for administrators");
        assert!(all.get("ranked_here").is_none() && all["context"].get("raw_query").is_none());
    }

    #[test]
    fn what_is_visible_depends_on_the_place() {
        let kitchen = testing::context("bob", "kitchen");
        let direct = Context { direct: true, channel: String::new(), ..kitchen.clone() };
        for (context, expected) in [
            (&kitchen, ["plants/look", "plants/water"].as_slice()),
            (&testing::context("bob", "garden"), &[]),
            (&direct, &["plants/water"]),
        ] {
            let mut seen = paths(&told(context, true, "")["visible_here"]);
            seen.retain(|path| path.starts_with("plants/"));
            assert_eq!(seen, expected, "{context:?}");
        }
    }

    #[test]
    fn a_query_ranks_them_and_its_address_does_not_count() {
        let all = told(&testing::context("bob", "garden"), false, " floyd, water ");
        assert_eq!(all["context"]["raw_query"], "floyd, water");
        assert_eq!(all["context"]["normalized_query"], "water");
        assert_eq!(
            all["ranked_browseable"][0],
            json!({ "plugin": "plants", "command": "water", "score": 100, "visible_here": false })
        );
        assert!(all.get("ranked_here").is_none(), "{all}");
        let here = told(&testing::context("bob", "kitchen"), false, "water");
        assert_eq!(here["ranked_here"][0]["score"], 100);
    }
}

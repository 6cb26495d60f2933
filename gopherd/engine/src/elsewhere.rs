//! A command that nothing here answers, but something elsewhere would (spec: configuration §4.9). Pure.

use crate::{
    access,
    context::Context,
    generation::{Generation, Plugin},
    matching::{self, Hit},
};

/// Where the user should try it, if exactly one plugin knows the command and the user may know of it.
pub(crate) fn hint(generation: &Generation, context: &Context, text: &str) -> Option<String> {
    let hit = matching::anywhere(generation, context, text)?;
    let plugin = generation.plugins.get(hit.plugin)?;
    let command = plugin.commands.get(hit.matcher)?.matcher.command.as_str();
    if allowed_here(generation, plugin, &hit, context) {
        return None;
    }
    let here = here(plugin, context);
    Some(format!("{}/{command} not available in {here}, {}", plugin.name, advice(plugin, command, context)))
}

fn allowed_here(generation: &Generation, plugin: &Plugin, hit: &Hit, context: &Context) -> bool {
    let Some(pattern) = plugin.commands.get(hit.matcher) else { return false };
    access::considered_for_commands(generation, plugin, context) && matching::suits_place(&pattern.matcher, context)
}

fn here(plugin: &Plugin, context: &Context) -> String {
    if context.direct {
        "direct messages".to_owned()
    } else if context.channel.is_empty() || plugin.channels.contains(&context.channel) {
        // The channel would be right, but not a thread in it.
        "this location".to_owned()
    } else {
        format!("#{}", context.channel)
    }
}

fn advice(plugin: &Plugin, command: &str, context: &Context) -> String {
    let private = access::private_required(plugin, command) && !context.private();
    match plugin.channels.as_slice() {
        _ if private => "try a private context".to_owned(),
        [] if plugin.all_channels => "try it in any regular channel".to_owned(),
        [] => "try a private context".to_owned(),
        [only] => format!("try #{only}"),
        several => {
            let names: Vec<String> = several.iter().map(|c| format!("#{c}")).collect();
            format!("try one of: {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use gopher_protocol::robot::{CommandMode, Extension, Guard};

    fn told(extensions: &[Extension], context: &Context) -> String {
        let (generation, _) = Generation::new(testing::robot_with(extensions.to_vec()));
        hint(&generation, context, "go").unwrap_or_default()
    }

    fn plugin(name: &str, channels: &[&str]) -> Extension {
        let mut extension = testing::extension(name);
        extension.commands = vec![testing::simple("run", "go")];
        extension.channels = channels.iter().map(|c| (*c).into()).collect();
        extension.all_channels = false;
        extension
    }

    #[test]
    fn the_hint_names_where_the_command_works() {
        let here = testing::context("bob", "general");
        let direct = Context { direct: true, channel: String::new(), mode: Some(CommandMode::Direct), ..here.clone() };
        let threaded = Context { threaded: true, ..here.clone() };
        let mut private = plugin("p", &[]);
        private.private.allowed = vec!["*".into()];
        let mut secret = plugin("p", &["ops"]);
        secret.private.required = vec!["run".into()];
        let channel_only = |mut extension: Extension| {
            extension.commands[0].channel_only = true;
            extension
        };
        let everywhere = Extension { all_channels: true, ..plugin("p", &[]) };
        for (extension, context, expected) in [
            (plugin("p", &["ops"]), &here, "p/run not available in #general, try #ops"),
            (plugin("p", &["ops", "dev"]), &here, "p/run not available in #general, try one of: #ops, #dev"),
            (private, &here, "p/run not available in #general, try a private context"),
            (secret, &here, "p/run not available in #general, try a private context"),
            (
                channel_only(everywhere.clone()),
                &direct,
                "p/run not available in direct messages, try it in any regular channel",
            ),
            (channel_only(plugin("p", &["ops"])), &direct, "p/run not available in direct messages, try #ops"),
            (channel_only(plugin("p", &["general"])), &threaded, "p/run not available in this location, try #general"),
            (everywhere, &here, ""),
            (plugin("p", &["general"]), &here, ""),
        ] {
            assert_eq!(told(&[extension], context), expected);
        }
    }

    #[test]
    fn nothing_is_told_of_commands_the_user_may_not_know_or_that_are_not_unique() {
        let (bob, alice) = (testing::context("bob", "general"), testing::context("alice", "general"));
        let plain = plugin("p", &["ops"]);
        assert_eq!(told(&[plain.clone(), plugin("q", &["ops"])], &bob), "");
        let admins = Extension { require_admin: true, ..plain.clone() };
        assert_eq!(told(std::slice::from_ref(&admins), &bob), "");
        assert_ne!(told(std::slice::from_ref(&admins), &alice), "");
        assert_eq!(told(&[admins, plugin("q", &["dev"])], &bob), "q/run not available in #general, try #dev");
        let few = Extension { users: vec!["carol".into()], ..plain.clone() };
        assert_eq!(told(&[few], &bob), "");
        let listed = Extension { admin_commands: vec!["run".into()], ..plain.clone() };
        assert_eq!(told(&[listed], &bob), "");
        let guarded = Extension { guard: Guard { authorize_all: true, ..Guard::default() }, ..plain };
        assert_eq!(told(&[guarded], &alice), "");
    }
}

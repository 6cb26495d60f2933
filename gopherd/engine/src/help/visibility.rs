//! Which commands a user is told about, and how they can be invoked from where the user is (spec: configuration §6.2).
//!
//! More cautious than the reference in two ways: commands of administrators are hidden from others, and `commands` is
//! about the place it is asked in. Pure.

use crate::{
    access,
    context::Context,
    generation::{Generation, Plugin},
};

/// How a command can be invoked from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// By saying it there.
    There,
    /// Only so that nobody else sees it.
    Privately,
}

/// The user may know of the command, wherever it runs.
pub(super) fn accessible(generation: &Generation, plugin: &Plugin, command: &str, context: &Context) -> bool {
    access::has_access(generation, plugin, &context.user)
        && (generation.is_admin(&context.user) || !access::admin_only(plugin, command))
        && access::in_group(plugin, command, context) != Some(false)
}

/// How an accessible command can be invoked from the place of the context; `hidden_form` says whether the connector
/// takes messages that nobody else sees.
pub(super) fn reach(
    generation: &Generation,
    plugin: &Plugin,
    command: &str,
    context: &Context,
    hidden_form: bool,
) -> Option<Reach> {
    let privately = access::private_allowed(plugin, command) && private_place(plugin, context, hidden_form);
    let there = access::available_here(generation, plugin, context);
    let must = access::private_required(plugin, command);
    match (there && !context.direct && !must, privately) {
        (true, _) => Some(Reach::There),
        (false, true) => Some(Reach::Privately),
        (false, false) => None,
    }
}

/// The command belongs to the place of the context, as advice sees it: a private command counts where the message
/// was private itself, or where its plugin is at home.
pub(super) fn belongs_here(generation: &Generation, plugin: &Plugin, command: &str, context: &Context) -> bool {
    let privately = access::private_allowed(plugin, command) && !restricted(plugin, context);
    let there = access::available_here(generation, plugin, context);
    if context.direct { privately } else { there || (context.hidden && privately) }
}

/// `RestrictPrivateChannels` leaves direct messages out, and hidden ones said elsewhere.
fn restricted(plugin: &Plugin, context: &Context) -> bool {
    let only_channels = plugin.private.restrict_channels && !plugin.channels.is_empty();
    only_channels && (context.direct || !plugin.channels.contains(&context.channel))
}

/// A hidden message said here, or a direct message, can carry a private command of the plugin.
fn private_place(plugin: &Plugin, context: &Context, hidden_form: bool) -> bool {
    let direct_messages = !plugin.private.restrict_channels || plugin.channels.is_empty();
    direct_messages || (hidden_form && !restricted(plugin, context))
}

#[cfg(test)]
mod tests {
    use super::{
        Reach::{Privately, There},
        *,
    };
    use crate::testing;
    use gopher_protocol::robot::Extension;

    fn judged(extension: Extension, context: &Context, hidden_form: bool) -> (Option<Reach>, bool) {
        let name = extension.name.clone();
        let (generation, _) = Generation::new(testing::robot_with(vec![extension]));
        let plugin = generation.plugins.iter().find(|p| p.name == name).expect("is a plugin");
        let here = belongs_here(&generation, plugin, "water", context);
        (reach(&generation, plugin, "water", context, hidden_form), here)
    }

    #[test]
    fn commands_are_offered_where_they_can_be_invoked() {
        let here = testing::context("bob", "garden");
        let direct = Context { direct: true, channel: String::new(), ..here.clone() };
        let hidden = Context { hidden: true, ..here.clone() };

        let everywhere = testing::extension("plants");
        let mut elsewhere = everywhere.clone();
        elsewhere.channels = vec!["kitchen".into()];
        let mut both = elsewhere.clone();
        both.private.allowed = vec!["water".into()];
        let mut secret = everywhere.clone();
        secret.private.require_all = true;
        let mut kept = both.clone();
        kept.private.restrict_channels = true;
        let mut kept_here = kept.clone();
        kept_here.channels = vec!["garden".into()];
        kept_here.private.require_all = true;

        let rows = [
            ("everywhere", &everywhere, &here, true, Some(There), true),
            ("everywhere, direct", &everywhere, &direct, true, None, false),
            ("elsewhere", &elsewhere, &here, true, None, false),
            ("elsewhere and private", &both, &here, true, Some(Privately), false),
            ("elsewhere and private, no hidden form", &both, &here, false, Some(Privately), false),
            ("elsewhere and private, direct", &both, &direct, false, Some(Privately), true),
            ("elsewhere and private, hidden", &both, &hidden, true, Some(Privately), true),
            ("private only", &secret, &here, true, Some(Privately), true),
            ("private only, direct", &secret, &direct, false, Some(Privately), true),
            ("private in its channels only", &kept, &here, true, None, false),
            ("private in its channels only, direct", &kept, &direct, true, None, false),
            ("private in this channel only", &kept_here, &here, true, Some(Privately), true),
            ("private in this channel only, no hidden form", &kept_here, &here, false, None, true),
        ];
        for (what, extension, context, hidden_form, expected, belongs) in rows {
            assert_eq!(judged(extension.clone(), context, hidden_form), (expected, belongs), "{what}");
        }
    }

    #[test]
    fn commands_of_administrators_and_of_few_users_are_not_mentioned_to_others() {
        let mut plants = testing::extension("plants");
        plants.admin_commands = vec!["uproot".into()];
        let mut few = testing::extension("few");
        few.users = vec!["c*".into()];
        let (generation, _) = Generation::new(testing::robot_with(vec![plants, few]));
        let told = |user: &str, name: &str, command: &str| {
            let plugin = generation.plugins.iter().find(|p| p.name.as_str() == name).expect("is a plugin");
            accessible(&generation, plugin, command, &testing::context(user, "garden"))
        };
        for (user, plugin, command, expected) in [
            ("alice", "plants", "uproot", true),
            ("bob", "plants", "uproot", false),
            ("bob", "plants", "water", true),
            ("bob", "few", "water", false),
            ("carol", "few", "water", true),
            ("bob", "builtin-admin", "ps", false),
        ] {
            assert_eq!(told(user, plugin, command), expected, "{user} {plugin}/{command}");
        }
    }
}

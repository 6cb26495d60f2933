//! Who may see and run what, and where (spec: configuration §3.4). Pure.

use gopher_protocol::{ids::UserName, robot::PrivatePolicy};

use crate::{
    context::Context,
    events::Event,
    generation::{Generation, Plugin},
    glob, groups,
};

/// The user may know of the plugin at all.
pub(crate) fn has_access(generation: &Generation, plugin: &Plugin, user: &UserName) -> bool {
    (!plugin.require_admin || generation.in_admin_users(user))
        && (plugin.users.is_empty() || plugin.users.iter().any(|pattern| glob::matches(pattern, user.as_str())))
}

/// The plugin answers at the place of the context, leaving private policy aside.
pub(crate) fn available_here(generation: &Generation, plugin: &Plugin, context: &Context) -> bool {
    has_access(generation, plugin, &context.user) && in_place(plugin, context)
}

/// As [`available_here`], or the place is private and the plugin says something about private places.
pub(crate) fn considered_for_commands(generation: &Generation, plugin: &Plugin, context: &Context) -> bool {
    has_access(generation, plugin, &context.user)
        && (in_place(plugin, context) || (context.private() && has_private_policy(&plugin.private)))
}

fn in_place(plugin: &Plugin, context: &Context) -> bool {
    if context.direct {
        true
    } else if plugin.channels.is_empty() {
        plugin.all_channels
    } else {
        plugin.channels.contains(&context.channel)
    }
}

fn has_private_policy(policy: &PrivatePolicy) -> bool {
    policy.require_all || !policy.allowed.is_empty() || !policy.required.is_empty()
}

fn lists(commands: &[String], command: &str) -> bool {
    commands.iter().any(|c| c.trim().eq_ignore_ascii_case(command))
}

/// The command may run in private.
pub(crate) fn private_allowed(plugin: &Plugin, command: &str) -> bool {
    let policy = &plugin.private;
    policy.allowed.iter().any(|c| c.trim() == "*")
        || lists(&policy.allowed, command)
        || private_required(plugin, command)
}

pub(crate) fn private_required(plugin: &Plugin, command: &str) -> bool {
    // Engine commands such as `_catchall` follow the message, not the author's list.
    (plugin.private.require_all && !command.starts_with('_')) || lists(&plugin.private.required, command)
}

pub(crate) fn admin_only(plugin: &Plugin, command: &str) -> bool {
    plugin.require_admin || plugin.admin_commands.iter().any(|c| c == command)
}

/// An authorizer has to be asked before the command runs.
pub(crate) fn needs_authorization(plugin: &Plugin, command: &str) -> bool {
    plugin.guard.authorize_all || lists(&plugin.guard.authorized, command)
}

/// Whether the user is in the group that a command asks for; `None` if it asks for none, or nobody knows before the
/// authorizer was asked.
pub(crate) fn in_group(plugin: &Plugin, command: &str, context: &Context) -> Option<bool> {
    let guard = &plugin.guard;
    let group = guard.auth_require.trim();
    let known = guard.authorizer.as_ref().is_some_and(|name| name.as_str() == groups::NAME);
    let asks = known && !group.is_empty() && needs_authorization(plugin, command);
    asks.then(|| context.groups.iter().any(|g| g == group || g.to_lowercase() == group.to_lowercase()))
}

/// The user may be told of a command without having run it: what needs an authorizer's word is told of only if it is
/// known that he would give it.
pub(crate) fn visible(generation: &Generation, plugin: &Plugin, command: &str, context: &Context) -> bool {
    has_access(generation, plugin, &context.user)
        && (!admin_only(plugin, command) || generation.is_admin(&context.user))
        && (!needs_authorization(plugin, command) || in_group(plugin, command, context) == Some(true))
}

/// How a refusal is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Say,
    Reply,
}

/// Whether a matched command may run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// The admin check, if there was one.
    pub(crate) event: Option<Event>,
    pub(crate) refusal: Option<(Manner, String)>,
}

/// What the connector can do about hidden commands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HiddenTransport<'a> {
    pub(crate) supported: bool,
    pub(crate) prefix: Option<&'a str>,
}

/// The first checks of a human's command, in their order; the first failure decides. Whether an authorizer and an elevator
/// agree is asked after them.
pub(crate) fn judge(
    generation: &Generation,
    plugin: &Plugin,
    command: &str,
    context: &Context,
    transport: HiddenTransport<'_>,
) -> Judgement {
    if context.automatic {
        return Judgement { event: None, refusal: None };
    }
    let mut event = None;
    if admin_only(plugin, command) {
        if !generation.is_admin(&context.user) {
            let text = format!("Sorry, '{}/{command}' is only available to bot administrators", plugin.name);
            return Judgement { event: Some(Event::AdminCheckFailed), refusal: Some((Manner::Say, text)) };
        }
        event = Some(Event::AdminCheckPassed);
    }
    Judgement { event, refusal: private_refusal(generation, plugin, command, context, transport) }
}

/// What needs an elevator's word is refused: none can be asked yet.
pub(crate) fn elevation_refusal(plugin: &Plugin, command: &str) -> Option<&'static str> {
    let needed = lists(&plugin.guard.elevated, command) || lists(&plugin.guard.elevate_immediate, command);
    needed.then_some("Sorry, elevation failed due to a problem with the elevation service")
}

fn private_refusal(
    generation: &Generation,
    plugin: &Plugin,
    command: &str,
    context: &Context,
    transport: HiddenTransport<'_>,
) -> Option<(Manner, String)> {
    if !context.private() {
        let refused = private_required(plugin, command);
        return refused.then(|| (Manner::Say, "This command is only available in a private context.".to_owned()));
    }
    let refused = hidden_refusal(generation, context, transport);
    if refused.is_some() {
        return refused;
    }
    if !private_allowed(plugin, command) {
        let text = format!("Sorry, '{}/{command}' cannot be run as a private command", plugin.name);
        return Some((Manner::Reply, text));
    }
    if plugin.private.restrict_channels
        && !plugin.channels.is_empty()
        && (context.direct || !plugin.channels.contains(&context.channel))
    {
        let text = format!("Private commands for '{}' are restricted to configured channels.", plugin.name);
        return Some((Manner::Reply, text));
    }
    None
}

/// Why a hidden message cannot be a command, whichever command it names.
pub(crate) fn hidden_refusal(
    generation: &Generation,
    context: &Context,
    transport: HiddenTransport<'_>,
) -> Option<(Manner, String)> {
    if !context.hidden {
        return None;
    }
    if !transport.supported {
        let text = format!(
            "This command isn't supported with {} because private command transport is unavailable for this connector. \
             Check with the robot administrator.",
            context.protocol
        );
        return Some((Manner::Reply, text));
    }
    let by_name = context.mode == Some(gopher_protocol::robot::CommandMode::Name);
    if !by_name && !context.bot_message {
        let text = match transport.prefix {
            Some(prefix) => format!("Use `{prefix}<command>` to address a private command."),
            None => format!("Private commands must be addressed to {}.", generation.robot.identity.user_name),
        };
        return Some((Manner::Reply, text));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use gopher_protocol::robot::{CommandMode, Extension, Guard};

    const TRANSPORT: HiddenTransport<'_> = HiddenTransport { supported: true, prefix: Some("/floyd ") };

    fn judged(extension: Extension, context: &Context, transport: HiddenTransport<'_>) -> (Option<Event>, String) {
        let name = extension.name.clone();
        let (generation, _) = Generation::new(testing::robot_with(vec![extension]));
        let plugin = generation.plugins.iter().find(|p| p.name == name).expect("is a plugin");
        let judgement = judge(&generation, plugin, "go", context, transport);
        (judgement.event, judgement.refusal.map(|(_, text)| text).unwrap_or_default())
    }

    fn in_channel(user: &str) -> Context {
        testing::context(user, "general")
    }

    fn direct(user: &str) -> Context {
        Context { direct: true, channel: String::new(), mode: Some(CommandMode::Direct), ..in_channel(user) }
    }

    fn hidden(user: &str, mode: CommandMode) -> Context {
        Context { hidden: true, mode: Some(mode), ..in_channel(user) }
    }

    #[test]
    fn admin_commands_need_an_admin_of_the_roster() {
        let mut extension = testing::extension("deploy");
        extension.admin_commands = vec!["go".into()];
        let refused = "Sorry, 'deploy/go' is only available to bot administrators";
        assert_eq!(
            judged(extension.clone(), &in_channel("bob"), TRANSPORT),
            (Some(Event::AdminCheckFailed), refused.to_owned())
        );
        assert_eq!(
            judged(extension.clone(), &in_channel("alice"), TRANSPORT),
            (Some(Event::AdminCheckPassed), String::new())
        );
        let automatic = Context { automatic: true, ..in_channel("") };
        assert_eq!(judged(extension, &automatic, TRANSPORT), (None, String::new()));
    }

    #[test]
    fn what_needs_an_authorizer_or_elevator_is_known_by_its_name() {
        let go = || vec!["go".to_owned()];
        for (guard, authorized, elevated) in [
            (Guard { authorized: vec![" GO".into()], elevated: go(), ..Guard::default() }, true, true),
            (Guard { authorize_all: true, ..Guard::default() }, true, false),
            (Guard { elevate_immediate: go(), ..Guard::default() }, false, true),
            (Guard { authorized: vec!["stop".into()], ..Guard::default() }, false, false),
        ] {
            let extension = Extension { guard, ..testing::extension("deploy") };
            let (generation, _) = Generation::new(testing::robot_with(vec![extension]));
            let plugin = generation.plugins.iter().find(|p| p.name.as_str() == "deploy").expect("is a plugin");
            assert_eq!(needs_authorization(plugin, "go"), authorized, "{:?}", plugin.guard);
            assert_eq!(elevation_refusal(plugin, "go").is_some(), elevated, "{:?}", plugin.guard);
        }
    }

    #[test]
    fn a_command_of_a_group_is_shown_to_its_members_only() {
        let guard = |authorizer: &str, group: &str| Guard {
            authorizer: Some(authorizer.into()),
            auth_require: group.to_owned(),
            authorized: vec!["go".into()],
            ..Guard::default()
        };
        let member = Context { groups: vec!["Helpdesk".into()], ..in_channel("bob") };
        for (guard, context, known, shown) in [
            (guard("groups", "Helpdesk"), &member, Some(true), true),
            (guard("groups", "helpdesk"), &member, Some(true), true),
            (guard("groups", "Helpdesk"), &in_channel("bob"), Some(false), false),
            (guard("groups", ""), &member, None, false),
            (guard("gate", "Helpdesk"), &member, None, false),
            (Guard::default(), &in_channel("bob"), None, true),
        ] {
            let extension = Extension { guard, ..testing::extension("deploy") };
            let (generation, _) = Generation::new(testing::robot_with(vec![extension]));
            let plugin = generation.plugins.iter().find(|p| p.name.as_str() == "deploy").expect("is a plugin");
            assert_eq!(in_group(plugin, "go", context), known, "{:?}", plugin.guard);
            assert_eq!(visible(&generation, plugin, "go", context), shown, "{:?}", plugin.guard);
        }
    }

    #[test]
    fn private_rules_speak_in_exact_sentences() {
        let plain = testing::extension("deploy");
        let mut allowed = plain.clone();
        allowed.private.allowed = vec![" GO ".into()];
        let mut required = plain.clone();
        required.private.required = vec!["go".into()];
        let mut restricted = allowed.clone();
        restricted.private.restrict_channels = true;
        restricted.channels = vec!["ops".into()];
        let by_name = || hidden("bob", CommandMode::Name);
        let without = HiddenTransport { supported: false, prefix: None };
        let unnamed = HiddenTransport { supported: true, prefix: None };

        let rows = [
            (&required, in_channel("bob"), TRANSPORT, "This command is only available in a private context."),
            (&required, direct("bob"), TRANSPORT, ""),
            (&plain, direct("bob"), TRANSPORT, "Sorry, 'deploy/go' cannot be run as a private command"),
            (&allowed, direct("bob"), TRANSPORT, ""),
            (&allowed, by_name(), TRANSPORT, ""),
            (
                &allowed,
                by_name(),
                without,
                "This command isn't supported with test because private command transport is unavailable for this \
                 connector. Check with the robot administrator.",
            ),
            (
                &allowed,
                hidden("bob", CommandMode::Alias),
                TRANSPORT,
                "Use `/floyd <command>` to address a private command.",
            ),
            (&allowed, hidden("bob", CommandMode::Direct), unnamed, "Private commands must be addressed to floyd."),
            (&allowed, Context { bot_message: true, ..hidden("bob", CommandMode::Alias) }, TRANSPORT, ""),
            (
                &restricted,
                direct("bob"),
                TRANSPORT,
                "Private commands for 'deploy' are restricted to configured channels.",
            ),
            (&restricted, by_name(), TRANSPORT, "Private commands for 'deploy' are restricted to configured channels."),
            (&restricted, Context { channel: "ops".into(), ..by_name() }, TRANSPORT, ""),
        ];
        for (extension, context, transport, expected) in rows {
            assert_eq!(judged(extension.clone(), &context, transport), (None, expected.to_owned()), "{context:?}");
        }
    }

    #[test]
    fn availability_follows_channels_users_and_privacy() {
        let mut ops = testing::extension("ops");
        ops.channels = vec!["ops".into()];
        ops.all_channels = false;
        let mut admins = testing::extension("admins");
        admins.require_admin = true;
        let mut few = testing::extension("few");
        few.users = vec!["c*".into()];
        let mut nowhere = testing::extension("nowhere");
        nowhere.all_channels = false;
        nowhere.private.allowed = vec!["go".into()];
        let (generation, _) = Generation::new(testing::robot_with(vec![ops, admins, few, nowhere]));
        let seen = |context: &Context| -> Vec<&str> {
            let all = generation.plugins.iter().filter(|p| !matches!(p.source, crate::generation::Source::BuiltIn(_)));
            all.filter(|p| considered_for_commands(&generation, p, context)).map(|p| p.name.as_str()).collect()
        };
        assert_eq!(seen(&in_channel("bob")), [""; 0]);
        assert_eq!(seen(&testing::context("carol", "ops")), ["ops", "few"]);
        assert_eq!(seen(&in_channel("alice")), ["admins"]);
        assert_eq!(seen(&direct("bob")), ["ops", "nowhere"]);
        assert_eq!(seen(&hidden("bob", CommandMode::Name)), ["nowhere"]);
    }
}

//! Which plugin a text is for (spec: configuration §4.3–4.5, 4.10). Pure.

use std::borrow::Cow;

use gopher_protocol::robot::CommandMode;

use crate::{
    access,
    context::Context,
    generation::{Generation, Hits, Pattern, Plugin},
};

/// A plugin's command with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Place in [`Generation::plugins`].
    pub(crate) plugin: usize,
    /// Place of the matcher in its plugin.
    pub(crate) matcher: usize,
    /// Captures in order; empty where a group took no part.
    pub(crate) args: Vec<String>,
}

/// Result of a search.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    One(Hit),
    /// Places of two plugins that both want it.
    Several(usize, usize),
}

/// Every run of white space as one blank; borrowed if there is nothing to do.
pub(crate) fn collapsed(text: &str) -> Cow<'_, str> {
    let mut previous = false;
    let plain = text.chars().all(|c| {
        let space = is_space(c);
        let fine = !space || (c == ' ' && !previous);
        previous = space;
        fine
    });
    if plain {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut in_run = false;
    for c in text.chars() {
        if !is_space(c) {
            out.push(c);
        } else if !in_run {
            out.push(' ');
        }
        in_run = is_space(c);
    }
    Cow::Owned(out)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn without_dot(text: &str) -> Option<&str> {
    text.trim_end_matches(is_space).strip_suffix('.')
}

/// The forms of a text that a matcher is tried on, without repetition.
fn candidates(text: &str, dots: bool) -> Vec<Cow<'_, str>> {
    let mut all = vec![Cow::Borrowed(text)];
    if let Cow::Owned(one) = collapsed(text) {
        all.push(Cow::Owned(one));
    }
    if dots {
        let dotless: Vec<String> = all.iter().filter_map(|c| without_dot(c)).map(str::to_owned).collect();
        all.extend(dotless.into_iter().map(Cow::Owned));
    }
    all
}

/// The command an addressed text stands for.
pub(crate) fn command(generation: &Generation, context: &Context, text: &str) -> Found {
    let tried = prepared(candidates(text, true), |c| generation.commands.hits(c));
    search(generation, context, &tried, |p| &p.commands, |p| access::considered_for_commands(generation, p, context))
}

/// The matcher that overheard a whole message.
pub(crate) fn ambient(generation: &Generation, context: &Context, message: &str) -> Found {
    let tried = prepared(candidates(message, false), |c| generation.ambient.hits(c));
    search(
        generation,
        context,
        &tried,
        |p| &p.messages,
        |p| {
            (!context.is_command() || p.ambient_match_command)
                && (context.listed || p.match_unlisted || context.is_command())
                && access::available_here(generation, p, context)
        },
    )
}

fn prepared(texts: Vec<Cow<'_, str>>, hits: impl Fn(&str) -> Hits) -> Vec<(Cow<'_, str>, Hits)> {
    let with_hits = texts.into_iter().map(|t| {
        let hits = hits(&t);
        (t, hits)
    });
    with_hits.filter(|(_, hits)| !hits.none()).collect()
}

fn search<'g>(
    generation: &'g Generation,
    context: &Context,
    tried: &[(Cow<'_, str>, Hits)],
    patterns: impl Fn(&'g Plugin) -> &'g Vec<Pattern>,
    eligible: impl Fn(&Plugin) -> bool,
) -> Found {
    if tried.is_empty() {
        return Found::Nothing;
    }
    let mut found: Option<Hit> = None;
    for (index, plugin) in generation.plugins.iter().enumerate() {
        let of_plugin = patterns(plugin);
        let wanted = of_plugin.iter().any(|p| tried.iter().any(|(_, hits)| hits.contains(p.in_set)));
        if !wanted || !eligible(plugin) {
            continue;
        }
        let Some((matcher, args)) = first_match(of_plugin, context, tried) else { continue };
        if let Some(first) = found {
            return Found::Several(first.plugin, index);
        }
        found = Some(Hit { plugin: index, matcher, args });
    }
    found.map_or(Found::Nothing, Found::One)
}

fn first_match(
    patterns: &[Pattern],
    context: &Context,
    tried: &[(Cow<'_, str>, Hits)],
) -> Option<(usize, Vec<String>)> {
    patterns.iter().enumerate().find_map(|(place, pattern)| {
        if pattern.matcher.channel_only && (context.direct || context.threaded) {
            return None;
        }
        tried.iter().filter(|(_, hits)| hits.contains(pattern.in_set)).find_map(|(text, _)| {
            let captures = pattern.regex()?.captures(text)?;
            let args = captures.iter().skip(1).map(|g| g.map_or(String::new(), |m| m.as_str().to_owned())).collect();
            Some((place, args))
        })
    })
}

/// The plugin that takes a command nobody understood; two that want it equally cancel out.
pub(crate) fn catch_all(generation: &Generation, context: &Context) -> Option<usize> {
    if context.hidden {
        let for_hidden = select_catch_all(generation, context, &CommandMode::Hidden, true);
        if for_hidden.is_some() {
            return for_hidden;
        }
    }
    select_catch_all(generation, context, context.mode.as_ref()?, false)
}

fn select_catch_all(generation: &Generation, context: &Context, mode: &CommandMode, exact: bool) -> Option<usize> {
    let (mut specific, mut general) = (Vec::new(), Vec::new());
    for (index, plugin) in generation.plugins.iter().enumerate() {
        let takes_mode = plugin.catch_all_modes.contains(mode) || (plugin.catch_all_modes.is_empty() && !exact);
        if !plugin.catch_all || !takes_mode || !access::considered_for_commands(generation, plugin, context) {
            continue;
        }
        let named_channel = !context.direct && plugin.channels.contains(&context.channel);
        if !plugin.catch_all_modes.is_empty() || named_channel { specific.push(index) } else { general.push(index) }
    }
    match (specific.as_slice(), general.as_slice()) {
        ([one], _) | ([], [one]) => Some(*one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use gopher_protocol::{
        ids::TaskName,
        robot::{Disabled, Extension, Kind},
    };

    fn plugin(name: &str, pattern: &str) -> Extension {
        let mut extension = testing::extension(name);
        extension.commands = vec![testing::command("go", pattern)];
        extension
    }

    fn found(extensions: Vec<Extension>, context: &Context, text: &str) -> String {
        let (generation, trouble) = Generation::new(testing::robot_with(extensions));
        assert_eq!(trouble, [""; 0]);
        match command(&generation, context, text) {
            Found::Nothing => "nothing".into(),
            Found::Several(a, b) => format!("{}+{}", generation.plugins[a].name, generation.plugins[b].name),
            Found::One(hit) => format!("{} {:?}", generation.plugins[hit.plugin].name, hit.args),
        }
    }

    #[test]
    fn texts_are_tried_raw_then_collapsed_then_without_the_dot() {
        let context = testing::context("bob", "general");
        let of = |pattern: &str, text: &str| found(vec![plugin("p", pattern)], &context, text);
        assert_eq!(of("(?i:hello world)", "hello world"), "p []");
        assert_eq!(of("(?i:hello world)", "HELLO   WORLD"), "p []");
        assert_eq!(of("(?i:hello world)", "hello world."), "p []");
        assert_eq!(of("(?i:hello world)", "hello\tworld . "), "p []");
        assert_eq!(of("(?i:hello world)", "hello world.."), "nothing");
        assert_eq!(of("say (.*)", "say a  b."), "p [\"a  b.\"]", "the raw text is kept where it matches");
        assert_eq!(of("say (a b)", "say a  b."), "p [\"a b\"]");
        assert_eq!(of("(x)?(y)?z", "yz"), "p [\"\", \"y\"]");
    }

    #[test]
    fn two_plugins_that_match_cancel_out_and_order_rules_within_one() {
        let context = testing::context("bob", "general");
        assert_eq!(found(vec![plugin("p", "a.*"), plugin("q", ".*b")], &context, "ab"), "p+q");
        let mut both = plugin("p", "a.*");
        both.commands.push(testing::command("second", "(a)b"));
        assert_eq!(found(vec![both], &context, "ab"), "p []");
        assert_eq!(
            found(vec![plugin("p", "(?i:ping)")], &context, "ping"),
            "ping+p",
            "built-ins are treated like others"
        );
    }

    #[test]
    fn channel_only_matchers_need_a_channel_and_no_thread() {
        let mut extension = plugin("p", "go");
        extension.commands[0].channel_only = true;
        extension.private.allowed = vec!["*".into()];
        let here = testing::context("bob", "general");
        assert_eq!(found(vec![extension.clone()], &here, "go"), "p []");
        let threaded = Context { threaded: true, ..here.clone() };
        assert_eq!(found(vec![extension.clone()], &threaded, "go"), "nothing");
        let direct = Context { direct: true, channel: String::new(), ..here };
        assert_eq!(found(vec![extension], &direct, "go"), "nothing");
    }

    #[test]
    fn ambient_matchers_hear_addressed_and_unlisted_speech_only_on_request() {
        let mut plain = testing::extension("plain");
        plain.message_matchers = vec![testing::overheard("hear", "robot")];
        let hears = |extension: &Extension, context: &Context| {
            let (generation, _) = Generation::new(testing::robot_with(vec![extension.clone()]));
            ambient(&generation, context, "hello  robot, hi") != Found::Nothing
        };
        let overheard = Context { mode: None, ..testing::context("bob", "general") };
        let addressed = testing::context("bob", "general");
        let stranger = Context { listed: false, ..overheard.clone() };
        let ask = |e: &Extension| (hears(e, &overheard), hears(e, &addressed), hears(e, &stranger));
        assert_eq!(ask(&plain), (true, false, false));
        let both = Extension { ambient_match_command: true, match_unlisted: true, ..plain };
        assert_eq!(ask(&both), (true, true, true));
    }

    #[test]
    fn the_most_specific_catch_all_takes_what_nobody_understood() {
        let catcher = |name: &str, modes: &[CommandMode], channels: &[&str]| {
            let mut extension = testing::extension(name);
            extension.catch_all = true;
            extension.catch_all_modes = modes.to_vec();
            extension.channels = channels.iter().map(|c| (*c).into()).collect();
            extension
        };
        let chosen = |extensions: Vec<Extension>, context: &Context| {
            let (generation, _) = Generation::new(testing::robot_with(extensions));
            catch_all(&generation, context).map_or("none".to_owned(), |i| generation.plugins[i].name.to_string())
        };
        let here = testing::context("bob", "general");
        assert_eq!(chosen(vec![], &here), "builtin-fallback");
        assert_eq!(chosen(vec![catcher("a", &[], &[])], &here), "none");
        assert_eq!(chosen(vec![catcher("a", &[CommandMode::Alias], &[])], &here), "a");
        assert_eq!(chosen(vec![catcher("a", &[], &["general"])], &here), "a");
        assert_eq!(chosen(vec![catcher("a", &[], &["ops"])], &here), "builtin-fallback");
        let two = vec![catcher("a", &[CommandMode::Alias], &[]), catcher("b", &[], &["general"])];
        assert_eq!(chosen(two, &here), "none");
        let hidden = Context { hidden: true, mode: Some(CommandMode::Name), ..here };
        assert_eq!(chosen(vec![catcher("a", &[CommandMode::Hidden], &[])], &hidden), "a");
    }

    #[test]
    fn a_plugin_whose_pattern_does_not_compile_is_left_out_alone() {
        let (generation, trouble) =
            Generation::new(testing::robot_with(vec![plugin("bad", "("), plugin("good", "go")]));
        assert_eq!(trouble.len(), 1);
        assert!(trouble[0].contains("'bad'"), "{trouble:?}");
        assert!(matches!(command(&generation, &testing::context("bob", "general"), "go"), Found::One(_)));
    }

    #[test]
    fn a_disabled_built_in_plugin_hears_nothing() {
        let mut robot = testing::robot();
        let reason = "disabled in conf/plugins/ping.yaml".to_owned();
        robot.disabled = vec![Disabled { name: TaskName::new("ping"), kind: Kind::Plugin, reason, fault: false }];
        let (generation, _) = Generation::new(robot);
        let context = testing::context("bob", "general");
        assert_eq!(command(&generation, &context, "ping"), Found::Nothing);
        assert!(matches!(command(&generation, &context, "help"), Found::One(_)));
    }
}

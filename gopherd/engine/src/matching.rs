//! Which plugin a text is for (spec: configuration §4.3–4.5, 4.10). Pure.
//!
//! Looks only at patterns that the prefilter of their class wants, so the cost of a message does not grow with the
//! number of extensions.

use std::borrow::Cow;

use gopher_config::simple::Outcome;
use gopher_protocol::robot::{CommandMode, Matcher};

use crate::{
    access,
    context::Context,
    generation::{Generation, Pattern, Plugin},
    prefilter::{Place, Prefilter},
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
    /// A command with one wrong value; the sentence says which.
    Mistaken(String),
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

/// The forms of a text that a matcher is tried on, without repetition, the text itself first.
fn forms(text: &str, dots: bool) -> Vec<Cow<'_, str>> {
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
    let forms = forms(text, true);
    let mut search = Search { generation, context, forms: &forms, found: None, mistakes: Vec::new() };
    let wanted = generation.commands.wanted(&forms);
    for of_plugin in wanted.chunk_by(|a, b| a.plugin == b.plugin) {
        let eligible = |p: &Plugin| access::considered_for_commands(generation, p, context);
        if let Some(several) = search.plugin(of_plugin, |p| &p.commands, eligible) {
            return several;
        }
    }
    search.result()
}

/// Command and captures of the first of a plugin's `Commands` that takes a text, whoever says it wherever.
pub(crate) fn command_of(plugin: Option<&Plugin>, text: &str) -> Option<Vec<String>> {
    let forms = forms(text, true);
    plugin?.commands.iter().find_map(|pattern| match pattern.says(&forms) {
        Outcome::Exact(args) => Some([vec![pattern.matcher.command.clone()], args].concat()),
        Outcome::Syntax(_) | Outcome::None => None,
    })
}

/// The matcher that overheard a whole message.
pub(crate) fn ambient(generation: &Generation, context: &Context, message: &str) -> Found {
    let forms = forms(message, false);
    let mut search = Search { generation, context, forms: &forms, found: None, mistakes: Vec::new() };
    let wanted = generation.ambient.wanted(&forms);
    for of_plugin in wanted.chunk_by(|a, b| a.plugin == b.plugin) {
        let eligible = |p: &Plugin| {
            (!context.is_command() || p.ambient_match_command)
                && (context.listed || p.match_unlisted || context.is_command())
                && access::available_here(generation, p, context)
        };
        if let Some(several) = search.plugin(of_plugin, |p| &p.messages, eligible) {
            return several;
        }
    }
    search.result()
}

/// The only command that a text stands for, wherever that is available, of those the user may know.
pub(crate) fn anywhere(generation: &Generation, context: &Context, text: &str) -> Option<Hit> {
    let forms = forms(text, true);
    let wanted = generation.commands.wanted(&forms);
    let mut hits = wanted.chunk_by(|a, b| a.plugin == b.plugin).filter_map(|of_plugin| {
        of_plugin.iter().find_map(|place| {
            let plugin = generation.plugins.get(place.plugin)?;
            let pattern = plugin.commands.get(place.matcher)?;
            if !access::visible(generation, plugin, &pattern.matcher.command, context) {
                return None;
            }
            match pattern.says(&forms) {
                Outcome::Exact(args) => Some(Hit { plugin: place.plugin, matcher: place.matcher, args }),
                _ => None,
            }
        })
    });
    let only = hits.next()?;
    hits.next().is_none().then_some(only)
}

/// Every command matcher that a text fits or nearly fits, whoever says it wherever.
pub(crate) fn fitting(generation: &Generation, text: &str) -> Vec<(Place, Outcome)> {
    fitting_of(generation, &generation.commands, |p| &p.commands, &forms(text, true))
}

/// Every matcher that would hear a text in passing.
pub(crate) fn overhearing(generation: &Generation, text: &str) -> Vec<(Place, Outcome)> {
    fitting_of(generation, &generation.ambient, |p| &p.messages, &forms(text, false))
}

fn fitting_of(
    generation: &Generation,
    prefilter: &Prefilter,
    class: fn(&Plugin) -> &Vec<Pattern>,
    forms: &[Cow<'_, str>],
) -> Vec<(Place, Outcome)> {
    let says = |place: Place| {
        let pattern = class(generation.plugins.get(place.plugin)?).get(place.matcher)?;
        Some((place, pattern.says(forms)))
    };
    let all = prefilter.wanted(forms).into_iter().filter_map(says);
    all.filter(|(_, outcome)| *outcome != Outcome::None).collect()
}

/// The place suits a matcher that may be for channels only.
pub(crate) fn suits_place(matcher: &Matcher, context: &Context) -> bool {
    !matcher.channel_only || !(context.direct || context.threaded)
}

/// What the plugins said so far.
struct Search<'s> {
    generation: &'s Generation,
    context: &'s Context,
    forms: &'s [Cow<'s, str>],
    found: Option<Hit>,
    /// Distinct diagnostics that the user may see.
    mistakes: Vec<String>,
}

impl Search<'_> {
    /// Asks one plugin; the answer is that there are several.
    fn plugin(
        &mut self,
        wanted: &[Place],
        class: fn(&Plugin) -> &Vec<Pattern>,
        eligible: impl Fn(&Plugin) -> bool,
    ) -> Option<Found> {
        let index = wanted.first()?.plugin;
        let plugin = self.generation.plugins.get(index).filter(|p| eligible(p))?;
        for place in wanted {
            let Some(pattern) = class(plugin).get(place.matcher) else { continue };
            if !suits_place(&pattern.matcher, self.context) {
                continue;
            }
            match pattern.says(self.forms) {
                Outcome::Exact(args) => {
                    if let Some(first) = &self.found {
                        return Some(Found::Several(first.plugin, index));
                    }
                    self.found = Some(Hit { plugin: index, matcher: place.matcher, args });
                    return None;
                }
                Outcome::Syntax(mistake) => {
                    let command = pattern.matcher.command.as_str();
                    let visible = access::visible(self.generation, plugin, command, self.context);
                    if visible && !self.mistakes.contains(&mistake) {
                        self.mistakes.push(mistake);
                    }
                }
                Outcome::None => {}
            }
        }
        None
    }

    fn result(mut self) -> Found {
        match (self.found, self.mistakes.len()) {
            (Some(hit), _) => Found::One(hit),
            (None, 1) => self.mistakes.pop().map_or(Found::Nothing, Found::Mistaken),
            (None, _) => Found::Nothing,
        }
    }
}

/// The plugin that takes a command nobody understood; places of those that want it equally are the error.
pub(crate) fn catch_all(generation: &Generation, context: &Context) -> Result<Option<usize>, Vec<usize>> {
    if context.hidden {
        let for_hidden = select_catch_all(generation, context, &CommandMode::Hidden, true)?;
        if for_hidden.is_some() {
            return Ok(for_hidden);
        }
    }
    context.mode.as_ref().map_or(Ok(None), |mode| select_catch_all(generation, context, mode, false))
}

fn select_catch_all(
    generation: &Generation,
    context: &Context,
    mode: &CommandMode,
    exact: bool,
) -> Result<Option<usize>, Vec<usize>> {
    let (mut specific, mut general) = (Vec::new(), Vec::new());
    for index in &generation.catch_alls {
        let Some(plugin) = generation.plugins.get(*index) else { continue };
        let takes_mode = plugin.catch_all_modes.contains(mode) || (plugin.catch_all_modes.is_empty() && !exact);
        if !takes_mode || !access::available_here(generation, plugin, context) {
            continue;
        }
        let named_channel = !context.direct && plugin.channels.contains(&context.channel);
        let of_class = if !plugin.catch_all_modes.is_empty() || named_channel { &mut specific } else { &mut general };
        of_class.push(*index);
    }
    match (specific.as_slice(), general.as_slice()) {
        ([], []) => Ok(None),
        ([one], _) | ([], [one]) => Ok(Some(*one)),
        ([], _) => Err(general),
        _ => Err(specific),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use gopher_protocol::{
        ids::TaskName,
        robot::{Cause, Disabled, Extension, Guard, Kind},
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
            Found::Mistaken(sentence) => sentence,
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
            match catch_all(&generation, context) {
                Ok(one) => one.map_or("none".to_owned(), |i| generation.plugins[i].name.to_string()),
                Err(several) => {
                    several.iter().map(|i| generation.plugins[*i].name.as_str()).collect::<Vec<_>>().join("+")
                }
            }
        };
        let here = testing::context("bob", "general");
        assert_eq!(chosen(vec![], &here), "builtin-fallback");
        assert_eq!(chosen(vec![catcher("a", &[], &[])], &here), "builtin-fallback+a");
        assert_eq!(chosen(vec![catcher("a", &[CommandMode::Alias], &[])], &here), "a");
        assert_eq!(chosen(vec![catcher("a", &[], &["general"])], &here), "a");
        assert_eq!(chosen(vec![catcher("a", &[], &["ops"])], &here), "builtin-fallback");
        let two = vec![catcher("a", &[CommandMode::Alias], &[]), catcher("b", &[], &["general"])];
        assert_eq!(chosen(two, &here), "a+b");
        let hidden = Context { hidden: true, mode: Some(CommandMode::Name), ..here.clone() };
        assert_eq!(chosen(vec![catcher("a", &[CommandMode::Hidden], &[])], &hidden), "a");
        let hidden_elsewhere = Context { channel: "random".into(), ..hidden };
        let mut named = catcher("a", &[CommandMode::Hidden], &["general"]);
        named.private.allowed = vec!["*".into()];
        assert_eq!(chosen(vec![named], &hidden_elsewhere), "builtin-fallback", "it must be available there");
        let direct = Context { direct: true, channel: String::new(), mode: Some(CommandMode::Direct), ..here };
        assert_eq!(chosen(vec![catcher("a", &[], &["general"])], &direct), "builtin-fallback+a");
    }

    #[test]
    fn a_plugin_whose_pattern_does_not_compile_is_left_out_alone() {
        let (generation, trouble) =
            Generation::new(testing::robot_with(vec![plugin("bad", "("), plugin("good", "go")]));
        assert_eq!(trouble.len(), 1);
        assert!(trouble[0].contains("'bad'"), "{trouble:?}");
        assert!(matches!(command(&generation, &testing::context("bob", "general"), "go"), Found::One(_)));
    }

    fn knowing(name: &str, specs: &[&str]) -> Extension {
        let mut extension = testing::extension(name);
        extension.commands = specs.iter().map(|spec| testing::simple("go", spec)).collect();
        extension
    }

    const LOUD: &str = "Invalid value: \"loud\" for: \"lvl\"; valid values: debug, info.";

    #[test]
    fn simple_matchers_match_like_others() {
        let context = testing::context("bob", "general");
        let of = |specs: &[&str], text: &str| found(vec![knowing("p", specs)], &context, text);
        assert_eq!(of(&["set level (lvl:debug|info)"], "SET  LEVEL-debug."), "p [\"debug\"]");
        assert_eq!(of(&["set level (lvl:debug|info)"], "set level"), "nothing");
        assert_eq!(of(&["say hello", "say <m:rest>"], "say hello"), "p []", "the first of a plugin decides");
        assert_eq!(of(&["set level (lvl:debug|info)", "set level <x:token>"], "set level loud"), "p [\"loud\"]");
        let mixed = || vec![knowing("p", &["say <m:rest>"]), plugin("q", "say (.*)")];
        assert_eq!(found(mixed(), &context, "say x"), "p+q");
    }

    #[test]
    fn one_diagnostic_is_the_answer_and_several_are_none() {
        let context = testing::context("bob", "general");
        let of = |extensions: &[Extension]| found(extensions.to_vec(), &context, "set level loud");
        let level = || knowing("p", &["set level (lvl:debug|info)"]);
        assert_eq!(of(&[level()]), LOUD);
        assert_eq!(of(&[level(), knowing("q", &["set level (lvl:debug|info)"])]), LOUD, "the same from two");
        assert_eq!(of(&[level(), knowing("q", &["set level <n:number>"])]), "nothing");
        assert_eq!(of(&[level(), knowing("q", &["set level <n:ident>"])]), "q [\"loud\"]");
        assert_eq!(of(&[level(), plugin("q", "set level.*")]), "q []");
    }

    #[test]
    fn diagnostics_come_from_commands_that_the_user_may_know() {
        let level = || knowing("p", &["set level (lvl:debug|info)"]);
        let of = |extension: Extension, user: &str, channel: &str| {
            found(vec![extension], &testing::context(user, channel), "set level loud")
        };
        assert_eq!(of(Extension { channels: vec!["ops".into()], ..level() }, "bob", "general"), "nothing");
        assert_eq!(of(Extension { channels: vec!["ops".into()], ..level() }, "bob", "ops"), LOUD);
        assert_eq!(of(Extension { users: vec!["carol".into()], ..level() }, "bob", "general"), "nothing");
        let admins = || Extension { admin_commands: vec!["go".into()], ..level() };
        assert_eq!(of(admins(), "bob", "general"), "nothing");
        assert_eq!(of(admins(), "alice", "general"), LOUD);
        let guard = Guard { authorized: vec!["go".into()], auth_require: "ops".into(), ..Guard::default() };
        assert_eq!(of(Extension { guard, ..level() }, "alice", "general"), "nothing", "nobody knows the groups yet");
        let mut channel_only = level();
        channel_only.commands[0].channel_only = true;
        channel_only.private.allowed = vec!["*".into()];
        assert_eq!(of(channel_only.clone(), "bob", "general"), LOUD);
        let direct = Context { direct: true, channel: String::new(), ..testing::context("bob", "general") };
        assert_eq!(found(vec![channel_only], &direct, "set level loud"), "nothing");
    }

    #[test]
    fn a_plugin_whose_spec_does_not_parse_is_left_out_alone() {
        let extensions = vec![knowing("bad", &["go <x:thing>"]), knowing("good", &["go"])];
        let (generation, trouble) = Generation::new(testing::robot_with(extensions));
        let reason = "the pattern of 'go' does not compile: unknown SimpleMatcher capture type \"thing\"";
        assert_eq!(trouble, [format!("plugin 'bad' is not used: {reason}")]);
        assert!(matches!(command(&generation, &testing::context("bob", "general"), "go"), Found::One(_)));
    }

    #[test]
    fn a_disabled_built_in_plugin_hears_nothing() {
        let mut robot = testing::robot();
        let reason = "disabled in conf/plugins/ping.yaml".to_owned();
        robot.disabled = vec![Disabled { name: TaskName::new("ping"), kind: Kind::Plugin, reason, cause: Cause::Off }];
        let (generation, _) = Generation::new(robot);
        let context = testing::context("bob", "general");
        assert_eq!(command(&generation, &context, "ping"), Found::Nothing);
        assert!(matches!(command(&generation, &context, "help"), Found::One(_)));
    }
}

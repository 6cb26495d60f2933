//! Whole answers, word for word.

use gopher_protocol::robot::{Cause, CommandMode, Expression, Extension, Matcher, Robot};

use super::{Facts, Helper};
use crate::{access::HiddenTransport, context::Context, generation::Generation, testing};

const HIDDEN: HiddenTransport<'_> = HiddenTransport { supported: true, prefix: Some("/floyd ") };
const OPEN: HiddenTransport<'_> = HiddenTransport { supported: false, prefix: None };

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|t| (*t).to_owned()).collect()
}

/// A command with nothing but a name.
fn bare(command: &str) -> Matcher {
    testing::command(command, command)
}

fn water() -> Matcher {
    Matcher {
        expression: Expression::Simple("water [-how:-deep|-cups:<number>] <plant:ident>".into()),
        usage: "(alias) water <plant>".into(),
        summary: "gives a plant its water".into(),
        details: "Succulents want little.\n\nAsk first.".into(),
        keywords: owned(&["moist"]),
        examples: owned(&["(alias) water fern", "(bot), water ivy", "water moss", "(alias) water rose"]),
        ..bare("water")
    }
}

fn plants() -> Extension {
    let mut plants = testing::extension("plants");
    plants.description = "Looks after the house plants.".into();
    plants.channels = vec!["kitchen".into(), "balcony".into()];
    plants.commands = vec![bare("look"), water(), bare("uproot")];
    plants.admin_commands = owned(&["uproot"]);
    plants.private.allowed = owned(&["water"]);
    plants
}

fn diary() -> Extension {
    let mut diary = testing::extension("diary");
    diary.commands =
        vec![Matcher { usage: "read <day>".into(), summary: "reads out what you wrote".into(), ..bare("read") }];
    diary.private.required = owned(&["read"]);
    diary
}

fn radio() -> Extension {
    let song = |command: &str, usage: &str, example: &str| Matcher {
        usage: usage.into(),
        examples: owned(&[example]),
        ..bare(command)
    };
    let mut radio = testing::extension("radio");
    radio.commands = vec![
        song("play", "(alias) play the song <title>", "(alias) play the song of the sea"),
        song("skip", "(alias) skip the song", "(alias) skip the song"),
    ];
    radio
}

fn robot() -> Robot {
    testing::robot_with(vec![plants(), diary(), radio()])
}

// Functions and not methods, because they are asked of helpers of every lifetime.

fn overview(helper: &Helper<'_>) -> String {
    helper.overview()
}

fn commands(helper: &Helper<'_>) -> String {
    helper.commands()
}

fn all_commands(helper: &Helper<'_>) -> String {
    helper.all_commands()
}

fn welcome(helper: &Helper<'_>) -> String {
    helper.welcome()
}

/// What a helper says; configurations of these tests are sound.
fn told(
    robot: Robot,
    context: &Context,
    transport: HiddenTransport<'_>,
    ask: impl Fn(&Helper<'_>) -> String,
) -> String {
    let (generation, trouble) = Generation::new(robot);
    assert_eq!(trouble, [""; 0]);
    ask(&Helper { generation: &generation, context, transport })
}

/// A user in a channel, or in a direct message if that is empty.
fn at(user: &str, channel: &str) -> Context {
    let direct = channel.is_empty();
    let mode = if direct { CommandMode::Direct } else { CommandMode::Alias };
    Context { direct, mode: Some(mode), ..testing::context(user, channel) }
}

#[test]
fn the_overview_names_the_ways_to_ask() {
    let expected = "\
**Quick help**
- `/floyd help <keyword>` - get help for the provided <keyword>
- `/floyd commands` - browse commands available in this channel
- `/floyd help-all` - summarize all commands available in this channel, including global commands

**Plugin help:** `/floyd help <plugin>`
**Exact command help:** `/floyd help <plugin>/<command>`
**Browse this channel:** `/floyd commands`";
    assert_eq!(told(robot(), &at("bob", "kitchen"), HIDDEN, overview), expected);
    let open = told(robot(), &at("bob", "kitchen"), OPEN, overview);
    assert_eq!(open, expected.replace("/floyd ", ";"));
    let nameless = Robot { alias: None, ..robot() };
    let open = told(nameless, &at("bob", "kitchen"), OPEN, overview);
    assert_eq!(open, expected.replace("/floyd ", "floyd, "));
}

#[test]
fn commands_lists_what_can_be_invoked_from_here() {
    let expected = "\
**Commands available in this channel**

builtin-help/commands: `/floyd commands` - browse commands available in this channel

builtin-help/help: `/floyd help <keyword>` - find help for commands matching <keyword>

builtin-help/help-all: `/floyd help-all` - summarize all commands available in this channel, including global commands

builtin-help/info: `/floyd info | tell me about yourself` - provide useful information for admins

diary/read: `/floyd read <day>` - reads out what you wrote

help/help: `/floyd help with robot` - give general help on the help system and on talking to the robot

ping/ping: `/floyd ping` - see whether the robot is alive

plants/look: `;look`

plants/water: `/floyd water <plant>` - gives a plant its water

radio/play: `;play the song <title>`

radio/skip: `;skip the song`

For full command help, use `/floyd help <plugin>/<command>`.";
    assert_eq!(told(robot(), &at("bob", "kitchen"), HIDDEN, commands), expected);

    let attic = told(robot(), &at("bob", "attic"), HIDDEN, commands);
    assert_eq!(
        attic,
        expected.replace("plants/look: `;look`\n\n", ""),
        "a private command reaches its plugin from anywhere"
    );

    let open = told(robot(), &at("bob", "attic"), OPEN, commands);
    for line in [
        "diary/read: `;read <day>` - (direct message only) reads out what you wrote",
        "plants/water: `;water <plant>` - (direct message only) gives a plant its water",
        "ping/ping: `;ping` - see",
    ] {
        assert!(open.contains(line), "{line}: {open}");
    }
    let kitchen = told(robot(), &at("bob", "kitchen"), OPEN, commands);
    assert!(kitchen.contains("plants/water: `;water <plant>` - gives"), "{kitchen}");

    let direct = told(robot(), &at("bob", ""), OPEN, commands);
    assert!(!direct.contains("radio/") && !direct.contains("plants/look"), "{direct}");
    assert!(direct.contains("plants/water: `;water <plant>` - gives"), "{direct}");
}

#[test]
fn help_all_lists_everything_the_user_may_run_somewhere() {
    let of = |user: &str| told(robot(), &at(user, "attic"), HIDDEN, all_commands);
    let bob = of("bob");
    assert!(
        bob.starts_with("**Commands available in this channel (including global)**\n\nbuiltin-help/commands: "),
        "{bob}"
    );
    assert!(bob.contains("\n\nplants/look: `;look`\n\n"), "{bob}");
    assert!(!bob.contains("uproot") && !bob.contains("builtin-admin"), "{bob}");
    let alice = of("alice");
    assert!(alice.contains("plants/uproot: `;uproot`"), "{alice}");
    let admin = [
        "builtin-admin/kill: `/floyd kill-pipeline <wid>` - stop a running pipeline",
        "builtin-admin/listplugins: `/floyd list (disabled) plugins` - list all plugins, or the disabled ones \
         and why they are",
        "builtin-admin/ps: `/floyd ps` - list running pipelines, with information on each",
        "builtin-admin/quit: `/floyd quit` - shut the robot down",
        "builtin-admin/reload: `/floyd reload` - read the configuration again and use it from then on",
    ];
    assert!(alice.contains(&admin.join("\n\n")), "{alice}");
}

#[test]
fn a_stock_plugin_without_channels_is_still_reached_in_private() {
    let mut admin = testing::extension("builtin-admin");
    admin.path = String::new();
    admin.all_channels = false;
    admin.private.required = owned(&["quit"]);
    let told = |transport| told(testing::robot_with(vec![admin.clone()]), &at("alice", "attic"), transport, commands);
    assert!(told(HIDDEN).contains("builtin-admin/quit: `/floyd quit` - shut"));
    assert!(told(OPEN).contains("builtin-admin/quit: `;quit` - (direct message only) shut"));
    assert!(!told(HIDDEN).contains("builtin-admin/ps"));
}

#[test]
fn a_full_entry_says_everything_about_one_command() {
    let expected = "\
**Command help:** `plants/water`

**Summary:** gives a plant its water
**Usage:** `water <plant>`
**Options:** `-deep`, `-cups:<number>`

Succulents want little.

Ask first.

**Examples:**
- `;water fern`
- `floyd, water ivy`
- `water moss`
**Private examples:**
- `/floyd water fern`
- `/floyd water ivy`
- `/floyd water moss`
**Availability:** `#balcony`, `#kitchen`

**More from this plugin:** `/floyd help plants`";
    for query in ["plants/water", "Plants/WATER", "plants/water?", "moist"] {
        assert_eq!(told(robot(), &at("bob", "attic"), HIDDEN, |h| h.about(query)), expected, "{query}");
    }

    let expected = "\
**Command help:** `diary/read`

**Summary:** reads out what you wrote
**Usage:** `read <day>`
**Private:** Use `/floyd <command>` to address a private command.
**Availability:** private context only";
    assert_eq!(told(robot(), &at("bob", "attic"), HIDDEN, |h| h.about("diary")), expected);
    let open = told(robot(), &at("bob", "attic"), OPEN, |h| h.about("diary"));
    assert!(!open.contains("**Private"), "{open}");

    let mut two = water();
    two.details = String::new();
    two.examples = Vec::new();
    two.expression = Expression::Simple("water [-one:-a] x [-two:-b]".into());
    let two = Extension { commands: vec![two], ..testing::extension("plants") };
    let expected = "\
**Command help:** `plants/water`

**Summary:** gives a plant its water
**Usage:** `water <plant>`
**Options 1:** `-a`
**Options 2:** `-b`
**Availability:** all robot channels";
    assert_eq!(told(testing::robot_with(vec![two]), &at("bob", "attic"), OPEN, |h| h.about("plants")), expected);
}

#[test]
fn a_plugins_name_brings_its_commands_before_all_others() {
    let expected = "\
**Command matches for keyword:** `plants`
Looks after the house plants.

plants/look: `;look`

plants/water: `/floyd water <plant>` - gives a plant its water

For full command help, use `/floyd help plants/<command>`.";
    assert_eq!(told(robot(), &at("bob", "attic"), HIDDEN, |h| h.about("plants")), expected);

    let text = told(robot(), &at("bob", "attic"), HIDDEN, |h| h.about("help"));
    let start = "\
**Command matches for keyword:** `help`
an introduction to the robot and its help

help/help: `/floyd help with robot` - give general help on the help system and on talking to the robot

builtin-help/help: `/floyd help <keyword>` - find help for commands matching <keyword>

";
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with("For full command help, use `/floyd help <plugin>/<command>`."), "{text}");
}

#[test]
fn words_bring_the_commands_that_fit_best_first() {
    let about = |query: &str| told(robot(), &at("bob", "attic"), OPEN, |h| h.about(query));
    let expected = "\
**Command matches for keyword:** `song`

radio/play: `;play the song <title>`

radio/skip: `;skip the song`

For full command help, use `;help <plugin>/<command>`.";
    assert_eq!(about("song"), expected);
    assert!(about("skip the song").starts_with("**Command matches for keyword:** `skip the song`\n\nradio/skip: "));
    assert_eq!(
        about("zebra"),
        "Sorry, I didn't find any commands matching your keyword. Try `;commands` or `;help <plugin>/<command>`."
    );
    assert_eq!(
        about("plants/uproot"),
        "Sorry, I couldn't find that command. Try `;help plants` or `;commands`.",
        "it is for administrators"
    );
    let info = told(robot(), &at("alice", "attic"), HIDDEN, |h| h.about("info"));
    let start = "\
**Command matches for keyword:** `info`

builtin-help/info: `/floyd info | tell me about yourself` - provide useful information for admins

builtin-admin/ps: ";
    assert!(info.starts_with(start), "{info}");
}

#[test]
fn somebody_who_may_run_nothing_here_is_told_so() {
    let disabled = ["ping", "help", "builtin-help", "builtin-admin"].map(|name| gopher_protocol::robot::Disabled {
        name: name.into(),
        kind: gopher_protocol::robot::Kind::Plugin,
        reason: String::new(),
        cause: Cause::Off,
    });
    let sparse = |extensions| Robot { disabled: disabled.to_vec(), ..testing::robot_with(extensions) };
    let nothing = "Sorry, I couldn't find any commands available in this channel";
    assert_eq!(told(sparse(Vec::new()), &at("bob", "attic"), OPEN, commands), nothing);
    assert_eq!(told(sparse(Vec::new()), &at("bob", "attic"), OPEN, all_commands), nothing);
    let one = told(sparse(vec![diary()]), &at("bob", "attic"), OPEN, commands);
    assert!(one.starts_with("**Command help:** `diary/read`"), "{one}");
}

fn advice(user: &str, channel: &str, transport: HiddenTransport<'_>, text: &str) -> String {
    told(robot(), &at(user, channel), transport, |h| h.unmatched(text))
}

#[test]
fn a_command_that_was_almost_right_is_named() {
    assert_eq!(
        advice("bob", "kitchen", HIDDEN, "water fern soon"),
        "`;water fern soon` looks close to `plants/water`.\nTry: `;water fern`\nMore help: `/floyd help plants/water`"
    );
    assert_eq!(
        advice("bob", "attic", OPEN, "water the fern soon"),
        "`;water the fern soon` looks close to `plants/water`.\nTry: `;water fern`\nThat command isn't available in channel \
         `#attic`; try #balcony or #kitchen.\nMore help: `;help plants/water`"
    );
    let named = Context { mode: Some(CommandMode::Name), ..at("bob", "attic") };
    assert_eq!(
        told(robot(), &named, OPEN, |h| h.unmatched("play the song now")),
        "`floyd, play the song now` looks close to `radio/play`.\nTry: `floyd, play the song of the sea`\nMore help: `;help \
         radio/play`"
    );
    assert_eq!(
        advice("bob", "", OPEN, "skip the song now"),
        "`skip the song now` looks close to `radio/skip`.\nTry: `;skip the song`\nThat command isn't available in direct \
         messages; try a channel.\nMore help: `;help radio/skip`"
    );
    assert_eq!(
        advice("bob", "attic", OPEN, "raed monday"),
        "I couldn't match `;raed monday` in channel `#attic`.\nTry `;commands` or `;help <keyword>`."
    );
}

#[test]
fn a_command_of_another_channel_is_said_to_belong_there() {
    assert_eq!(
        advice("bob", "attic", HIDDEN, "moist"),
        "I couldn't match `;moist` in channel `#attic`.\nThis looks more likely to belong in #balcony or \
         #kitchen.\nMore help: `/floyd help plants/water`"
    );
    assert_eq!(advice("bob", "", OPEN, "radoi"), "I couldn't match `radoi`.\nTry `;commands` or `;help <keyword>`.");
    assert_eq!(
        advice("bob", "", OPEN, "the radio"),
        "I couldn't match `the radio`.\nThis looks more likely to belong in a channel.\nMore help: `;help radio/play`"
    );
}

#[test]
fn one_possibility_is_pointed_at_and_several_are_listed() {
    assert_eq!(
        advice("bob", "attic", HIDDEN, "moisture of the sea"),
        "I couldn't match `;moisture of the sea` in channel `#attic`.\nTry `/floyd commands` or `/floyd help <keyword>`."
    );
    assert_eq!(
        advice("bob", "attic", HIDDEN, "sea"),
        "I couldn't match `;sea` in channel `#attic`.\nMore help: `/floyd help radio/play`\nTry `/floyd commands` or \
         `/floyd help <keyword>`."
    );
    assert_eq!(
        advice("bob", "attic", HIDDEN, "song please"),
        "`song` matches several commands.\nYou may be looking for:\n\nradio/play: `;play the song \
         <title>`\n\nradio/skip: `;skip the song`\n\nMore help: `/floyd help song`\nExact help: `/floyd help \
         <plugin>/<command>`"
    );
}

#[test]
fn what_resembles_nothing_gets_directions() {
    assert_eq!(
        advice("bob", "attic", HIDDEN, "sing `loudly`"),
        "I couldn't match `;sing 'loudly'` in channel `#attic`.\nTry `/floyd commands` or `/floyd help <keyword>`."
    );
    assert_eq!(advice("bob", "", OPEN, " "), "I couldn't match that command.\nTry `;commands` or `;help <keyword>`.");
    let hidden = Context { hidden: true, mode: Some(CommandMode::Name), ..at("bob", "attic") };
    assert_eq!(
        told(robot(), &hidden, HIDDEN, |h| h.unmatched("sing loudly")),
        "I couldn't match `floyd, sing loudly` in channel `#attic`.\nTry `/floyd commands` or `/floyd help <keyword>`."
    );
    assert_eq!(
        advice("bob", "attic", OPEN, "reload"),
        "I couldn't match `;reload` in channel `#attic`.\nTry `;commands` or `;help <keyword>`.",
        "commands of administrators are not hinted at"
    );
}

#[test]
fn help_with_something_that_no_plugin_knows_is_a_search() {
    let text = advice("bob", "attic", OPEN, "Help with plants");
    assert!(text.starts_with("**Command matches for keyword:** `plants`"), "{text}");
}

#[test]
fn the_ping_of_help_is_no_certainty() {
    let mut ping = testing::extension("ping");
    ping.path = String::new();
    ping.users = owned(&["alice"]);
    let robot = testing::robot_with(vec![ping, radio()]);
    assert_eq!(
        told(robot, &at("bob", "attic"), HIDDEN, |h| h.unmatched("ping")),
        "I couldn't match `;ping` in channel `#attic`.\nMore help: `/floyd help builtin-help/help`\nTry `/floyd commands` \
         or `/floyd help <keyword>`."
    );
}

#[test]
fn whoever_says_help_to_nobody_is_welcomed() {
    let expected = "\
**Help**
Hi, I'm Floyd, a staff robot. I see you've asked for help.

I've been programmed to perform a variety of tasks for your team. I answer to my name, or `;` for short, so that I can \
tell a command from your talk with others; for example, say `floyd, ping` to see whether I'm there.

**Getting command help**
Ask about a word, a plugin or a command, as in `floyd, help ping`. What I can do depends on who you are and on the \
channel you ask in.

**Useful discovery commands**
- `;help` - the ways to ask for help
- `;commands` - what I can do for you here
- `;help <keyword>` - commands that have to do with a word
- `;help-all` - everything I can do for you anywhere

**When I ask a follow-up question**
- `=` uses the default value
- `-` cancels

To learn more about me, try `;info`.
To reach a person instead: root <root@example.com>";
    assert_eq!(told(robot(), &at("bob", "attic"), HIDDEN, welcome), expected);
    let nameless = Robot { alias: None, admin_contact: String::new(), ..robot() };
    let text = told(nameless, &at("bob", "attic"), HIDDEN, welcome);
    assert!(text.contains("I answer to my name, so that") && text.ends_with("try `floyd, info`."), "{text}");
}

#[test]
fn info_tells_administrators_more() {
    let facts = Facts {
        host: Some("attic.example"),
        robot_id: Some("u9"),
        version: "0.1.0",
        install: "/opt/g",
        home: "/home/f",
    };
    let of = |user: &str| told(robot(), &at(user, "attic"), HIDDEN, |h| h.information(&facts));
    assert_eq!(
        of("alice"),
        "Hello, I'm Floyd Gopherbot - my name is 'floyd', alias ';', internal id 'u9'.\n\
         The host I'm running on is: attic.example\n\
         You are talking to me in #attic, internal id '#attic', over test.\n\
         My install directory is: /opt/g\n\
         My home is: /home/f\n\
         My software version is: Gopher 0.1.0\n\
         My administrators are: alice\n\
         The administrative contact is: root <root@example.com>"
    );
    assert!(!of("bob").contains("/home/f"));
}

#[test]
fn a_console_completes_what_its_user_may_run() {
    let (generation, _) = Generation::new(robot());
    let context = at("bob", "");
    let words = Helper { generation: &generation, context: &context, transport: OPEN }.vocabulary();
    assert!(words.contains(&"water <plant>".to_owned()) && words.contains(&"ping".to_owned()), "{words:?}");
    assert!(!words.contains(&"uproot".to_owned()), "{words:?}");
}

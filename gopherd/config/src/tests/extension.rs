//! Files and default configurations of single extensions: what arrives, and the reason of every one that is disabled.

use std::time::Duration;

use gopher_protocol::{
    ids::ChannelName,
    robot::{Cause, CommandMode, Expression, Robot, TimeOuts},
};

use super::{ROBOT, draft, plugin, reason, robot, told};

#[test]
fn a_bad_plugin_file_disables_that_plugin_alone() {
    for (file, expected) in [
        ("Comands: []", "1:1: unknown key `Comands` (did you mean `Commands`?)"),
        ("CommandMatchers: []", "1:1: unknown key `CommandMatchers` (this key is now `Commands`)"),
        (
            "Users: alice\nCatchAll: perhaps",
            "1:8: expected a list, found text (a list of one is written `[ alice ]`); custom/conf/plugins/p.yaml:2:11: expected true or false, found text",
        ),
        ("A: {{ x }}", "1:7: there is no function `x`"),
        ("[", "2:1: this is not valid YAML: while parsing a node, did not find expected node content"),
        ("Path: x", "1:1: Invalid configuration key for task 'p': Path - disabling (it belongs in robot.yaml)"),
        ("Homed: true", "1:1: Invalid configuration key for task 'p': Homed - disabling (it belongs in robot.yaml)"),
        ("Quiet: true", "1:1: Disabling plugin 'p' - invalid configuration key: Quiet"),
        ("TimeOuts: {Warn: 2s, Kill: 1s}", "1:11: task 'p' TimeOuts Kill must be greater than Warn when both are set"),
        ("CatchAllModes: [alias, shout]", "1:16: `shout` is none of alias, name, direct, hidden"),
        (
            "AdminCommands: [x]",
            "1:16: Disabling p, admin command x didn't match a command from Commands or MessageMatchers",
        ),
        (
            "AdminCommands: [x]\nElevateImmediateCommands: [x]\nAuthorizedCommands: [x]",
            "2:27: Disabling p, elevate immediate command x didn't match a command from Commands or MessageMatchers",
        ),
        (
            "RequiredPrivateCommands: [x]",
            "1:26: Disabling p, required private command x didn't match a command from Commands or MessageMatchers",
        ),
        ("Commands: [{Command: x}]", "1:12: matcher must specify either Regex or SimpleMatcher"),
        (
            "Commands: [{Command: x, Regex: a, SimpleMatcher: b}]",
            "1:32: matcher specifies both Regex and SimpleMatcher",
        ),
        (
            "Commands:\n- Command: x\n  SimpleMatcher: b <c:thing>",
            "3:18: invalid command matcher for command 'x': unknown SimpleMatcher capture type \"thing\"",
        ),
        (
            "Commands: [{Command: x, SimpleMatcher: ' '}]",
            "1:40: invalid command matcher for command 'x': SimpleMatcher cannot be empty",
        ),
        (
            "Commands: [{Command: ' _x', Regex: a}]",
            "1:22: plugin 'p' command \" _x\" is reserved for engine use; plugin command names must not start with '_'",
        ),
        (
            "MessageMatchers: [{Command: _x, Regex: a}]",
            "1:29: plugin 'p' message matcher command \"_x\" is reserved for engine use; plugin command names must not start with '_'",
        ),
        (
            "Commands: [{Command: x, Regex: '('}, {Command: _x, Regex: a}]",
            "1:48: plugin 'p' command \"_x\" is reserved for engine use; plugin command names must not start with '_'",
        ),
        (
            "MessageMatchers: [{Command: x, SimpleMatcher: b}]",
            "1:47: SimpleMatcher is only supported for directed Commands",
        ),
        ("MessageMatchers: [{Command: x}]", "1:19: matcher must specify Regex"),
        (
            "ReplyMatchers: [{Label: Big, Regex: b}]",
            "1:25: the label `Big` begins with A-Z, which is reserved for stock patterns",
        ),
        (
            "Commands:\n- Command: x\n  Regex: 'a(b'",
            "3:10: couldn't compile matcher regular expression 'a(b': unclosed group",
        ),
        (
            "Commands:\n- Command: x\n  Regex: 'a(?=b)'",
            "3:10: couldn't compile matcher regular expression 'a(?=b)': look-around is not available",
        ),
        ("Commands: [{Command: x, Regex: a, Usge: b}]", "1:35: unknown key `Usge` (did you mean `Usage`?)"),
    ] {
        let robot = plugin("", file);
        assert_eq!(reason(&robot), format!("custom/conf/plugins/p.yaml:{expected}"), "{file}");
    }
    assert_eq!(reason(&plugin("", "Disabled: true")), "Plugin 'p' is disabled by configuration");
    let stock = robot(&[
        (ROBOT, "PrimaryProtocol: test\nDefaultChannels: [a]\nExternalPlugins: {p: {Path: p.sh}, q: {Path: p.sh}}\n"),
        ("/bot/custom/p.sh", ""),
        ("/opt/gopher/conf/plugins/p.yaml", "Disabled: true\n"),
        ("/opt/gopher/conf/plugins/q.yaml", "Disabled: true\n"),
        ("/bot/custom/conf/plugins/q.yaml", "Disabled: false\n"),
    ]);
    let causes: Vec<_> = stock.disabled.iter().map(|d| (d.name.as_str(), d.cause)).collect();
    assert_eq!(causes, [("p", Cause::Stock)], "it waits for a robot to switch it on");
    let invisible = robot(&[
        (ROBOT, "PrimaryProtocol: test\nExternalPlugins: {p: {Path: p.sh}}\n"),
        ("/bot/custom/p.sh", ""),
        ("/bot/custom/conf/plugins/p.yaml", "AllChannels: false\n"),
    ]);
    assert_eq!(reason(&invisible), "Plugin 'p' not visible in any channels or private command policy, disabling");
}

#[test]
fn simple_matchers_arrive_as_written() {
    let robot = plugin("Commands:\n- Command: x\n  SimpleMatcher: Restart-the {slow} <name:ident>\n", "");
    let [extension] = robot.extensions.as_slice() else { panic!("{:?}", robot.disabled) };
    let spec = Expression::Simple("Restart-the {slow} <name:ident>".to_owned());
    assert_eq!(extension.commands[0].expression, spec);
}

#[test]
fn a_bad_default_configuration_is_told_as_such() {
    for (default, expected) in [
        ("Comands: []", "`_configure` output of p:1:1: unknown key `Comands` (did you mean `Commands`?)"),
        ("hello world", "`_configure` output of p:1:1: expected keys and values, found text"),
        ("Usage: p [-x", "`_configure` output of p:1:1: unknown key `Usage`"),
        (
            "A: [",
            "`_configure` output of p:2:1: this is not valid YAML: while parsing a node, did not find expected node content",
        ),
        (
            "Privileged: true",
            "`_configure` output of p:1:1: Invalid configuration key for task 'p': Privileged - disabling (it belongs in robot.yaml)",
        ),
        (
            "Commands: [{Regex: '['}]",
            "`_configure` output of p:1:20: couldn't compile matcher regular expression '[': a class `[…` does not end",
        ),
    ] {
        assert_eq!(reason(&plugin(default, "")), expected, "{default}");
    }
    let draft = || {
        draft(&[(ROBOT, "PrimaryProtocol: test\nExternalPlugins: {p: {Path: p.sh}}\n"), ("/bot/custom/p.sh", "")])
            .expect("valid")
    };
    let failed = draft().finish(vec![("p".into(), Err("exit status 1".into()))]).expect("finishes");
    assert_eq!(reason(&failed), "Getting default configuration for plugin, disabling: exit status 1");
    let loud = draft().finish(vec![("p".into(), Err("a\nb\u{1b}[2J\n".into()))]).expect("finishes");
    assert_eq!(reason(&loud), "Getting default configuration for plugin, disabling: a b\u{fffd}[2J");
    let silent = draft().finish(Vec::new()).expect("finishes");
    assert_eq!(reason(&silent), "plugin 'p' was not asked for its default configuration");
    let errors = draft().finish(vec![("q".into(), Ok(String::new()))]).expect_err("not asked");
    assert_eq!(told(&errors), ["a default configuration came for `q`, which was not asked for one"]);
}

#[test]
fn privileged_in_a_plugin_file_refuses_the_robot() {
    let errors = draft(&[
        (ROBOT, "PrimaryProtocol: test\nExternalPlugins: {p: {Path: p.sh}}\n"),
        ("/bot/custom/p.sh", ""),
        ("/bot/custom/conf/plugins/p.yaml", "Privileged: false\n"),
    ])
    .err()
    .expect("refused");
    assert_eq!(
        errors,
        ["custom/conf/plugins/p.yaml:1:1: task 'p' illegally specifies 'Privileged' outside of robot.yaml"]
    );
}

#[test]
fn jobs_have_keys_of_their_own() {
    let job = |file: &str, job_channel: &str| {
        robot(&[
            (
                ROBOT,
                &format!(
                    "PrimaryProtocol: test\nDefaultJobChannel: {job_channel}\nExternalJobs: {{j: {{Path: j.sh}}}}\n"
                ),
            ),
            ("/bot/custom/j.sh", ""),
            ("/bot/custom/conf/jobs/j.yaml", file),
        ])
    };
    let good = "Channel: ops\nQuiet: true\nKeepLogs: 3\nArguments: [{Label: name, Regex: '\\w+'}]\nTriggers: [{User: bot, Channel: ops, Regex: done}]\nUUIDTrigger: 5A7E9C1B00004ABC8DEF0123456789AB\n";
    assert_eq!(job(good, "jobs").extensions[0].channels, [ChannelName::from("ops")]);
    assert!(
        draft(&[(ROBOT, "PrimaryProtocol: test\nExternalJobs: {j: {Path: j.sh}}\n"), ("/bot/custom/j.sh", "")])
            .expect("valid")
            .wants_defaults()
            .is_empty()
    );
    for (file, expected) in [
        ("Commands: []", "custom/conf/jobs/j.yaml:1:1: Disabling job 'j' - invalid configuration key: Commands"),
        ("Channels: [a]", "custom/conf/jobs/j.yaml:1:1: Disabling job 'j' - invalid configuration key: Channels"),
        ("Triggers: [{User: a}]", "custom/conf/jobs/j.yaml:1:12: a trigger needs `User` and `Channel`"),
        (
            "Triggers: [{User: a, Channel: b, Regex: '('}]",
            "custom/conf/jobs/j.yaml:1:41: couldn't compile matcher regular expression '(': unclosed group",
        ),
        (
            "Arguments: [{Label: Name, Regex: a}]",
            "custom/conf/jobs/j.yaml:1:21: the label `Name` begins with A-Z, which is reserved for stock patterns",
        ),
        ("UUIDTrigger: x", "custom/conf/jobs/j.yaml:1:14: Disabling 'j', invalid UUIDTrigger"),
        ("KeepLogs: -1", "custom/conf/jobs/j.yaml:1:11: invalid value: integer `-1`, expected u32"),
        ("Disabled: true", "Job 'j' is disabled by configuration"),
    ] {
        assert_eq!(reason(&job(file, "jobs")), expected, "{file}");
    }
    assert_eq!(
        reason(&job("", "")),
        "no channel set: job 'j' has no `Channel`, and the robot has no `DefaultJobChannel`"
    );
}

#[test]
fn plugins_see_the_channels_of_the_spec() {
    let general = || vec![ChannelName::from("general")];
    for (file, channels, all) in [
        ("", general(), false),
        ("AllChannels: false", general(), false),
        ("AllChannels: true", vec![], true),
        ("Channels: [ops]", vec!["ops".into()], false),
        ("Channels: [ops]\nAllChannels: true", vec!["ops".into()], false),
    ] {
        let robot = plugin("", file);
        assert_eq!((&robot.extensions[0].channels, robot.extensions[0].all_channels), (&channels, all), "{file}");
    }
    let everywhere =
        robot(&[(ROBOT, "PrimaryProtocol: test\nExternalPlugins: {p: {Path: p.sh}}\n"), ("/bot/custom/p.sh", "")]);
    assert!(everywhere.extensions[0].all_channels);
}

#[test]
fn every_plugin_key_arrives() {
    let robot = plugin(
        "Commands:\n- {Command: a, Regex: 'x|y', ChannelOnly: true, Contexts: ['list:it', ''], Examples: [e], Summary: s, Details: d}\n",
        "MessageMatchers: [{Command: m, Regex: 'hi\\b'}]\nReplyMatchers: [{Label: r, Regex: '\\d'}, {Command: q, Regex: z}]\n\
         RequireAdmin: true\nAdminCommands: [a]\nAllowedPrivateCommands: ['*']\nRequiredPrivateCommands: [m]\nRequireAllCommandsPrivate: true\n\
         RestrictPrivateChannels: true\nAmbientMatchCommand: true\nMatchUnlisted: true\nCatchAll: true\nCatchAllModes: [' Alias', hidden]\n\
         TimeOuts: {Warn: 0, Kill: 90s}\nNameSpace: x\nAuthorizer: ''\nAuthorizedCommands: []\nElevatedCommands: []\n",
    );
    let p = &robot.extensions[0];
    assert_eq!(p.commands[0].regex().expect("one"), r"^(?s:[\t\n\f\r ]*x|y[\t\n\f\r ]*)$");
    assert_eq!((p.commands[0].channel_only, p.commands[0].contexts.len(), p.commands[0].examples.len()), (true, 2, 1));
    assert_eq!(p.message_matchers[0].regex().expect("one"), r"hi(?-u:\b)");
    assert_eq!(p.reply_matchers.iter().map(|m| m.command.as_str()).collect::<Vec<_>>(), ["r", "q"]);
    assert!(p.require_admin && p.ambient_match_command && p.match_unlisted && p.catch_all);
    assert_eq!(p.catch_all_modes, [CommandMode::Alias, CommandMode::Hidden]);
    assert!(p.private.require_all && p.private.restrict_channels);
    assert_eq!((p.private.allowed[0].as_str(), p.private.required[0].as_str()), ("*", "m"));
    assert_eq!(p.time_outs, TimeOuts { warn: Duration::ZERO, kill: Duration::from_secs(90) });
    assert_eq!(
        robot.notices,
        ["custom/conf/plugins/p.yaml:14:1: `NameSpace` has no effect here; it belongs in robot.yaml"]
    );
}

#[test]
fn a_threshold_of_zero_switches_the_robots_off() {
    let robot = |file: &str| {
        robot(&[
            (
                ROBOT,
                "PrimaryProtocol: test\nTimeOuts: {Plugin: {Warn: 1m, Kill: 2m}}\nExternalPlugins: {p: {Path: p.sh}}\n",
            ),
            ("/bot/custom/p.sh", ""),
            ("/bot/custom/conf/plugins/p.yaml", file),
        ])
    };
    let t =
        |robot: &Robot| (robot.extensions[0].time_outs.warn.as_secs(), robot.extensions[0].time_outs.kill.as_secs());
    assert_eq!(t(&robot("TimeOuts: {Kill: 0}")), (60, 0));
    assert_eq!(t(&robot("TimeOuts: {Kill: 5m, Warn:}")), (60, 300));
    assert_eq!(
        reason(&robot("TimeOuts: {Kill: 30s}")),
        "custom/conf/plugins/p.yaml:1:11: task 'p' effective TimeOuts Kill must be greater than Warn when both are set"
    );
}

#[test]
fn a_default_of_version_2_is_understood_where_the_robot_says_so() {
    let old = "Help:\n- Keywords: [x]\n  Helptext: [x]\nAllowDirect: true\nCommandMatchers:\n\
        - Command: go\n  Regex: '(?i:go)'\n  Helptext: ['go - goes']\n";
    let of = |legacy: &str| {
        let yaml = format!("PrimaryProtocol: test\nAlias: ';'\n{legacy}ExternalPlugins: {{x: {{Path: x.sh}}}}\n");
        let draft = draft(&[(ROBOT, &yaml), ("/bot/custom/x.sh", "")]).expect("valid");
        draft.finish(vec![("x".into(), Ok(old.to_owned()))]).map_err(|e| told(&e)).expect("finishes")
    };
    let robot = of("LegacyConfigure: true\n");
    assert!(robot.disabled.is_empty() && robot.notices.is_empty(), "{:?} {:?}", robot.disabled, robot.notices);
    let extension = &robot.extensions[0];
    assert_eq!((extension.commands.len(), extension.commands[0].command.as_str()), (1, "go"));
    assert_eq!(extension.private.allowed, ["*"]);
    let refused = of("");
    assert!(refused.disabled[0].reason.contains("unknown key `Help`"), "{}", refused.disabled[0].reason);
}

#[test]
fn what_a_plugin_prints_may_have_keys_within_that_nobody_knows() {
    let printed = "Commands:\n- Command: go\n  Regex: go\n  Helptext: [x]\n- {Command: on, Regex: 'on', Helptxt: x}\n";
    let draft = draft(&[
        (ROBOT, "PrimaryProtocol: test\nAlias: ';'\nExternalPlugins: {x: {Path: x.sh}}\n"),
        ("/bot/custom/x.sh", ""),
    ]);
    let robot = draft
        .expect("valid")
        .finish(vec![("x".into(), Ok(printed.to_owned()))])
        .map_err(|e| told(&e))
        .expect("finishes");
    assert!(robot.disabled.is_empty(), "{:?}", robot.disabled);
    assert_eq!(robot.extensions[0].commands.len(), 2);
    assert_eq!(robot.notices.len(), 2, "{:?}", robot.notices);
    assert!(
        robot.notices[0].starts_with("`_configure` output of x:4:3: unknown key `Helptext`"),
        "{:?}",
        robot.notices
    );
}

#[test]
fn a_script_of_the_old_install_tree_is_found_under_its_new_name() {
    let yaml = "PrimaryProtocol: test\nDefaultChannels: [a]\nExternalPlugins:\n  \
                lists: {Path: ./plugins/go-lists/lists.go}\n  links: {Path: plugins/go-links/links.go}\n";
    let robot = robot(&[
        (ROBOT, yaml),
        ("/opt/gopher/plugins/lists.js", ""),
        ("/opt/gopher/plugins/links.js", ""),
        ("/bot/custom/plugins/go-links/links.go", ""),
    ]);
    let paths: Vec<_> = robot.extensions.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(paths, ["/opt/gopher/plugins/lists.js"]);
    assert!(robot.disabled[0].reason.contains("does not run Go yet"), "one that is there is what is meant");
}

//! Whole robots, in memory: what they come to, and every sentence that a wrong one gets.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Diagnostic, Draft, FileKind, FileSource, Launch, read};
use gopher_protocol::{
    ids::{ChannelName, Generation, TaskName, UserName},
    loader::{Attachment, Part, Sources, StartMode},
    robot::{Kind, Robot, Runtime, TimeOuts},
    robot_api::{LogLevel, MessageFormat},
};

mod extension;
mod guard;
mod hostile;
mod mail;
mod robot;
mod schema;
mod templates;

/// Files in memory. A path that ends in `!` is not executable.
#[derive(Default)]
struct Tree(BTreeMap<PathBuf, (Vec<u8>, bool)>);

impl Tree {
    fn with(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            let (path, executable) = path.strip_suffix('!').map_or((*path, true), |p| (p, false));
            tree.0.insert(PathBuf::from(path), (text.as_bytes().to_vec(), executable));
        }
        tree
    }
}

impl FileSource for Tree {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).map(|(bytes, _)| bytes.clone()))
    }

    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        if path.ends_with("locked") {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        Ok(match self.0.get(path) {
            Some((_, owner_executable)) => FileKind::File { owner_executable: *owner_executable },
            None if self.0.keys().any(|p| p.starts_with(path)) => FileKind::NotAFile,
            None => FileKind::Missing,
        })
    }
}

fn sources() -> Sources {
    Sources {
        home: "/bot".into(),
        config_dir: "/bot/custom".into(),
        install_dir: "/opt/gopher".into(),
        mode: StartMode::Production,
        protocol: None,
        demo_extensions: false,
        extra_root: None,
    }
}

const ROBOT: &str = "/bot/custom/conf/robot.yaml";
const TEST: (&str, &str) = ("/bot/custom/conf/protocols/test.yaml", "ProtocolConfig: {StartUser: alice}\n");

fn draft(files: &[(&str, &str)]) -> Result<Draft, Vec<String>> {
    let mut tree = Tree::with(&[TEST]);
    tree.0.extend(Tree::with(files).0);
    read(Generation(7), &sources(), &Launch::default(), &tree).map_err(|e| told(&e))
}

/// An environment of these plain values.
fn launch(values: &[(&str, &str)]) -> Launch {
    let values = values.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Launch { values, ..Launch::default() }
}

/// A value without secrets.
fn plain(attachment: &Attachment) -> &[u8] {
    match attachment.value.as_slice() {
        [Part::Plain(text)] => text.expose(),
        other => panic!("{other:?}"),
    }
}

fn told(errors: &[Diagnostic]) -> Vec<String> {
    errors.iter().map(Diagnostic::sentence).collect()
}

/// The robot whose plugins all print nothing.
fn robot(files: &[(&str, &str)]) -> Robot {
    let draft = draft(files).expect("valid");
    let answers = draft.wants_defaults().into_iter().map(|name| (name, Ok(String::new()))).collect();
    draft.finish(answers).expect("finishes")
}

/// The robot of one `robot.yaml`, or its errors.
fn of(yaml: &str) -> Result<Robot, Vec<String>> {
    let yaml = format!("{yaml}\nPrimaryProtocol: test\n");
    draft(&[(ROBOT, &yaml)]).map(|d| d.finish(Vec::new()).expect("finishes"))
}

/// A robot of one plugin `p` whose default configuration is `default` and whose file is `file`.
fn plugin(default: &str, file: &str) -> Robot {
    let draft = draft(&[
        (ROBOT, "PrimaryProtocol: test\nAlias: ';'\nDefaultChannels: [general]\nExternalPlugins:\n  p: {Path: plugins/p.sh}\n"),
        ("/bot/custom/plugins/p.sh", ""),
        ("/bot/custom/conf/plugins/p.yaml", file),
    ])
    .expect("valid");
    let answers = draft.wants_defaults().into_iter().map(|name| (name, Ok(default.to_owned()))).collect();
    draft.finish(answers).expect("finishes")
}

fn reason(robot: &Robot) -> &str {
    assert!(robot.extensions.is_empty(), "{:?}", robot.extensions);
    &robot.disabled.first().expect("one is disabled").reason
}

#[test]
#[expect(clippy::too_many_lines, reason = "one robot with everything")]
fn a_whole_robot_becomes_typed() {
    let installed = "LogLevel: info\nAdminUsers: [alice]\nDefaultChannels: [general]\nHearSelf: true\nAlias: ';'\n\
        TimeOuts: {Plugin: {Warn: 7m, Kill: 14m}, Job: {Warn: 1h, Kill: 2h}}\n\
        ExternalPlugins:\n  welcome: {Path: plugins/welcome.sh, Description: says hello}\n";
    let own = "PrimaryProtocol: ' Test '\nSecondaryProtocols: [other, TEST, terminal]\nBotInfo: {UserName: floyd, FullName: F. B.}\n\
        AppendAdminUsers: [bob]\nAdminContact: 5551234\nIgnoreUnlistedUsers: yes\nIgnoreUsers: [spam]\nLogLevel:\n\
        UserRoster:\n- {UserName: alice, UserID: U1, Email: a@x}\n- UserName: alice\n- UserName: Bob\n- {}\n- {UserName: helper, BotUser: true}\n\
        ChannelRoster:\n- {ChannelName: general, ChannelID: C9}\n- {channelname: dev, channelid: C2}\n- {ChannelName: x}\n\
        DefaultJobChannel: jobs\nJoinChannels: [lobby]\nDefaultMessageFormat: FIXED\nBrain: MEM\nWorkSpace: workspace\n\
        SecureParameters: on\nReadPaths: [/srv/tools]\nLocalPort: 4221\nTimeZone: UTC\n\
        NameSpaces:\n  shared: {Parameters: [{Name: A, Value: ns}]}\n\
        ParameterSets:\n  s1: {Parameters: [{Name: A, Value: s1}, {Name: B, Value: s1}]}\n  s2: {Parameters: [{Name: B, Value: s2}, {Name: C, Value: 017}]}\n\
        ExternalPlugins:\n  tool:\n    Path: plugins/./tool.py\n    NameSpace: shared\n    ParameterSets: [s1, s2]\n    Parameters: [{Name: D, Value: own}, {Name: A, Value: own}]\n\
        \x20   Homed: true\n    Privileged: true\n    Network: false\n    Limits: {Memory: 512MiB, Processes: 20, CPU: 1m, Output: 1K}\n\
        \x20 off: {Disabled: true}\n\
        ExternalJobs:\n  nightly: {Path: /usr/local/bin/nightly}\n\
        ExternalTasks:\n  step: {Path: tasks/step}\n";
    let mut tree = Tree::with(&[
        ("/opt/gopher/conf/robot.yaml", installed),
        (ROBOT, own),
        (
            "/opt/gopher/conf/protocols/test.yaml",
            "ProtocolConfig: {Users: [a], StartChannel: general}\nChannelRoster: [{ChannelName: general, ChannelID: C1}, {ChannelName: old, ChannelID: C8}]\n",
        ),
        ("/bot/custom/conf/protocols/test.yaml", "ProtocolConfig: {AppendUsers: [b]}\n"),
        ("/bot/custom/conf/protocols/other.yaml", "AdminUsers: [x]\n"),
        ("/opt/gopher/plugins/welcome.sh", ""),
        ("/bot/custom/plugins/tool.py", ""),
        ("/opt/gopher/plugins/tool.py", ""),
        ("/usr/local/bin/nightly", ""),
        ("/elsewhere/tasks/step", ""),
    ]);
    tree.0.insert(
        "/bot/custom/conf/plugins/tool.yaml".into(),
        (b"Users: [alice]\nAppendChannels: [ops]\n".to_vec(), false),
    );
    let sources = Sources { extra_root: Some("/elsewhere".into()), ..sources() };
    let launch = launch(&[("GOPHER_ENVIRONMENT", "staging")]);
    let mut draft = read(Generation(7), &sources, &launch, &tree).map_err(|e| told(&e)).expect("valid");

    assert_eq!(draft.wants_defaults(), [TaskName::from("welcome"), "tool".into()]);
    let table = draft.table().tasks;
    let names: Vec<_> = table.iter().map(|t| (t.name.as_str(), t.program.as_str(), t.privileged)).collect();
    assert_eq!(
        names,
        [
            ("welcome", "/opt/gopher/plugins/welcome.sh", false),
            ("tool", "/bot/custom/plugins/tool.py", true),
            ("nightly", "/usr/local/bin/nightly", true),
            ("step", "/elsewhere/tasks/step", false),
        ]
    );
    let parameters: Vec<_> = table[1].parameters.iter().map(|p| (p.name.as_str(), plain(p))).collect();
    assert_eq!(parameters, [("A", &b"ns"[..]), ("B", b"s1"), ("C", b"017"), ("D", b"own")]);

    let tool = "Channels: [general]\nCommands:\n- {Command: go, Regex: 'go (\\w+)', Usage: go NAME, Keywords: [go]}\nConfig: {On: 1}\n";
    let robot =
        draft.finish(vec![("tool".into(), Ok(tool.into())), ("welcome".into(), Ok(String::new()))]).expect("finishes");
    assert_eq!((robot.generation, robot.environment.as_str(), robot.alias), (Generation(7), "staging", Some(';')));
    assert_eq!(robot.identity.user_name, "floyd");
    assert_eq!(robot.admin_users.iter().map(UserName::as_str).collect::<Vec<_>>(), ["alice", "bob"]);
    assert_eq!(robot.admin_contact, "5551234");
    assert!(robot.ignore_unlisted_users && robot.hear_self && robot.secure_parameters);
    assert_eq!(
        robot.roster.iter().map(|r| (r.user_name.as_str(), r.bot_user)).collect::<Vec<_>>(),
        [("alice", false), ("helper", true)]
    );
    assert_eq!((robot.log_level, robot.default_format), (LogLevel::Info, MessageFormat::Fixed));
    assert_eq!((robot.brain.as_str(), robot.work_space.as_deref()), ("mem", Some("workspace")));
    assert_eq!(robot.read_paths, ["/srv/tools"]);
    assert_eq!(robot.default_job_channel, Some(ChannelName::from("jobs")));
    assert_eq!(robot.protocols.len(), 1);
    assert_eq!(robot.primary_protocol.as_str(), "test");
    assert_eq!(robot.protocols[0].config, r#"{"StartChannel":"general","Users":["a","b"]}"#);
    let pair = |n: &str, i: &str| (n.to_owned(), i.to_owned());
    assert_eq!(robot.protocols[0].channels, [pair("old", "C8"), pair("general", "C9"), pair("dev", "C2")]);
    let minutes =
        |warn: u64, kill: u64| TimeOuts { warn: Duration::from_secs(60 * warn), kill: Duration::from_secs(60 * kill) };
    assert_eq!((&robot.plugin_time_outs, &robot.job_time_outs), (&minutes(7, 14), &minutes(60, 120)));
    assert!(robot.disabled.is_empty(), "{:?}", robot.disabled);

    let welcome = robot.extension(&"welcome".into()).expect("enabled");
    assert_eq!((welcome.description.as_str(), welcome.network, welcome.homed), ("says hello", true, false));
    assert_eq!(welcome.channels, [ChannelName::from("general")]);
    let tool = robot.extension(&"tool".into()).expect("enabled");
    assert_eq!(
        (tool.runtime.clone(), tool.network, tool.homed, tool.privileged),
        (Runtime::External, false, true, true)
    );
    assert_eq!(tool.name_space.as_deref(), Some("shared"));
    assert_eq!(tool.channels, [ChannelName::from("general"), "ops".into()]);
    assert_eq!(
        (tool.limits.memory_bytes, tool.limits.processes, tool.limits.cpu_seconds, tool.limits.output_bytes),
        (512 << 20, 20, 60, 1024)
    );
    assert_eq!(tool.time_outs, minutes(7, 14));
    assert_eq!(tool.commands[0].regex().expect("one"), r"^(?s:[\t\n\f\r ]*go ([0-9A-Za-z_]+)[\t\n\f\r ]*)$");
    assert_eq!((tool.commands[0].command.as_str(), tool.commands[0].usage.as_str()), ("go", "go NAME"));
    assert_eq!((tool.users.as_slice(), tool.config.as_deref()), (&["alice".to_owned()][..], Some(r#"{"On":1}"#)));
    let nightly = robot.extension(&"nightly".into()).expect("enabled");
    assert_eq!((nightly.kind.clone(), &nightly.time_outs), (Kind::Job, &minutes(60, 120)));
    assert_eq!(nightly.channels, [ChannelName::from("jobs")]);
    assert_eq!(robot.extension(&"step".into()).expect("enabled").kind, Kind::Task);
    assert_eq!(
        robot.notices,
        [
            "custom/conf/robot.yaml:27:1: `TimeZone` is read by a later version and has no effect yet",
            "custom/conf/robot.yaml:2:21: `test` is not a secondary protocol: it is the primary one or the console",
            "custom/conf/robot.yaml:2:21: `terminal` is not a secondary protocol: it is the primary one or the console",
            "custom/conf/robot.yaml:18:3: this entry of `ChannelRoster` is ignored: it needs `ChannelName` and `ChannelID`",
            "custom/conf/protocols/other.yaml: protocol `other` has no `ProtocolConfig`, neither here nor in the install tree",
            "custom/conf/robot.yaml:26:12: `LocalPort` has no effect: every run has a port of its own",
            "custom/conf/robot.yaml:11:3: this entry of `UserRoster` is ignored: `alice` is listed before",
            "custom/conf/robot.yaml:12:3: this entry of `UserRoster` is ignored: `Bob` is not in lower case",
            "custom/conf/robot.yaml:13:3: this entry of `UserRoster` is ignored: it has no `UserName`",
        ]
    );
}

#[test]
fn a_small_robot_has_the_defaults_of_the_spec() {
    let robot = of("BotInfo: {UserName: b}").expect("valid");
    assert!(robot.hear_self && !robot.ignore_unlisted_users && !robot.secure_parameters);
    assert_eq!((robot.log_level, robot.default_format), (LogLevel::Error, MessageFormat::BasicMarkdown));
    assert_eq!((robot.brain.as_str(), robot.environment.as_str(), robot.alias), ("mem", "production", None));
    assert!(robot.work_space.is_none() && robot.default_job_channel.is_none() && robot.notices.is_empty());
    assert_eq!(robot.plugin_time_outs.kill, Duration::ZERO);
}

#[test]
fn time_outs_that_do_not_fit_are_told_where_the_robot_sets_them() {
    let installed = ("/opt/gopher/conf/robot.yaml", "TimeOuts:\n  Plugin: {Warn: 7m, Kill: 14m}\n");
    for (own, expected) in [
        ("TimeOuts: {Plugin: {Kill: 1m}}", "2:27"),
        ("TimeOuts: {Plugin: {Warn: 20m}}", "2:27"),
        ("TimeOuts: {Plugin: {Warn: 5m, Kill: 1m}}", "2:37"),
    ] {
        let own = format!("PrimaryProtocol: test\n{own}\n");
        let errors = draft(&[installed, (ROBOT, &own)]).map(|_| ()).expect_err("refused");
        let expected = format!(
            "custom/conf/robot.yaml:{expected}: TimeOuts.Plugin Kill must be greater than Warn when both are set"
        );
        assert_eq!(errors, [expected]);
    }
}

#[test]
fn every_refused_robot_is_told_why() {
    for (yaml, expected) in [
        ("AdminUser: [a]", "1:1: unknown key `AdminUser` (did you mean `AdminUsers`?)"),
        ("Alias: a", "1:8: invalid alias; it must be one of: * + ^ $ ? \\ [ ] { } & ! ; : - % # @ ~ < >"),
        ("ReadPaths: [lib]", "1:12: `lib` is not an absolute path"),
        (
            "TimeOuts: {Plugin: {Warn: 2m, Kill: 1m}}",
            "1:20: TimeOuts.Plugin Kill must be greater than Warn when both are set",
        ),
        (
            "TimeOuts: {Job: {Warn: 1m, Kill: 1m}}",
            "1:17: TimeOuts.Job Kill must be greater than Warn when both are set",
        ),
        (
            "TimeOuts: {Job: {Warn: 1 minute}}",
            "1:24: expected a duration such as `90s` or `1h30m` that is not negative, found `1 minute`",
        ),
        (
            "TimeOuts: {Job: {Warn: -1}}",
            "1:24: expected a duration such as `90s` or `1h30m` that is not negative, found `-1`",
        ),
        (
            "ProtocolConfig: {a: 1}",
            "1:1: invalid configuration key in robot.yaml: ProtocolConfig (it belongs in conf/protocols/NAME.yaml)",
        ),
        ("BrainConfig: {a: 1}", "1:1: unknown key `BrainConfig` (this belongs in conf/brains/NAME.yaml)"),
        ("HttpPort: 1", "1:1: unknown key `HttpPort` (this key is now `LocalPort`)"),
        ("SecondaryProtocols: [../x]", "1:21: `../x` is not the name of a protocol"),
        ("IgnoreUnlistedUsers: maybe", "1:22: expected true or false, found text"),
        (
            "AdminUsers: [a]\nAppendAdminUsers: [b]",
            "2:1: `AdminUsers` and `AppendAdminUsers` cannot both stand in one mapping; the other is on line 1",
        ),
        ("Brain: {{ evn \"X\" }}", "1:11: there is no function `evn`; did you mean `env`?"),
        ("# {{ secret \"X\" }}", "1:6: template secret \"X\" requested but encryption is not initialized"),
        ("ExternalPlugins: {p: {Path: x, Paht: y}}", "1:32: unknown key `Paht` (did you mean `Path`?)"),
        ("ExternalPlugins: {p: {Limits: {Memory: much}}}", "1:40: expected a size such as `512MiB`, found `much`"),
        ("NameSpaces: {n: {Parameters: [{Name: '', Value: x}]}}", "1:30: `` cannot be the name of a parameter"),
        ("ParameterSets: {n: {Parameters: [{Name: A=B, Value: x}]}}", "1:33: `A=B` cannot be the name of a parameter"),
        (
            "ExternalTasks: {n: {Parameters: [{Name: A, Value: \"x\\0y\"}]}}",
            "1:33: the value of the parameter `A` holds a NUL character",
        ),
        ("A: [", "2:1: this is not valid YAML: invalid indentation"),
    ] {
        let errors = of(yaml).expect_err(yaml);
        assert_eq!(errors, [format!("custom/conf/robot.yaml:{expected}")], "{yaml}");
    }
}

#[test]
fn an_error_shows_its_line() {
    let tree = Tree::with(&[TEST, (ROBOT, "PrimaryProtocol: test\r\n# more\r\nBotInfo:\r\n  Usrname: b\r\n")]);
    let errors = read(Generation(1), &sources(), &Launch::default(), &tree).err().expect("unknown key");
    assert_eq!(
        errors[0].to_string(),
        "custom/conf/robot.yaml:4:3: unknown key `Usrname`\n  |   Usrname: b\n  |   ^\nhint: did you mean `UserName`?"
    );
}

#[test]
fn files_that_are_not_there_or_empty_are_told() {
    let none = "custom/conf/robot.yaml: there is no such file, and the robot cannot start without it (start in the directory of a robot, or write one: the quick start of the manual shows how)";
    assert_eq!(draft(&[]).err().expect("absent"), [none]);
    assert_eq!(draft(&[("/opt/gopher/conf/robot.yaml", "PrimaryProtocol: test\n")]).err().expect("absent"), [none]);
    assert_eq!(
        draft(&[(ROBOT, "# nothing\n")]).err().expect("empty"),
        ["custom/conf/robot.yaml:2:1: the file holds no keys, so the robot would run on shipped defaults alone"]
    );
    assert_eq!(
        draft(&[(ROBOT, "Alias: x\nLogLevel: info\n")]).err().expect("no protocol"),
        [
            "custom/conf/robot.yaml:1:8: invalid alias; it must be one of: * + ^ $ ? \\ [ ] { } & ! ; : - % # @ ~ < >",
            "custom/conf/robot.yaml:1:1: PrimaryProtocol not specified in robot.yaml",
        ],
        "several errors in one pass"
    );
    assert_eq!(
        draft(&[(ROBOT, "PrimaryProtocol: slack\n")]).err().expect("no file"),
        [
            "custom/conf/protocols/slack.yaml: protocol `slack` has no `ProtocolConfig`, neither here nor in the install tree"
        ]
    );
    let bad = [("/bot/custom/conf/protocols/slack.yaml", "ProtocolConfig: {}\nNope: 1\n")];
    let errors = draft(&[(ROBOT, "PrimaryProtocol: slack\n"), bad[0]]).err().expect("unknown key");
    assert_eq!(errors, ["custom/conf/protocols/slack.yaml:2:1: unknown key `Nope`"]);
    let launch = launch(&[("GOPHER_ENVIRONMENT", "../x")]);
    let tree = Tree::with(&[TEST, (ROBOT, "PrimaryProtocol: test\n")]);
    let errors = read(Generation(1), &sources(), &launch, &tree).err().expect("bad environment");
    assert_eq!(
        told(&errors),
        ["loading custom variables: invalid GOPHER_ENVIRONMENT \"../x\": environment must be a single path segment"]
    );
}

#[test]
fn demo_and_console_robots_come_from_the_install_tree() {
    let tree = Tree::with(&[
        ("/opt/gopher/conf/robot.yaml", "PrimaryProtocol: ssh\nAlias: ';'\n"),
        ("/opt/gopher/conf/demo.yaml", "ExternalPlugins: {knock: {Path: plugins/knock}}\n"),
        ("/opt/gopher/plugins/knock", ""),
        ("/opt/gopher/conf/protocols/terminal.yaml", "ProtocolConfig: {}\n"),
    ]);
    let demo = Sources { mode: StartMode::Demo, protocol: Some("terminal".into()), demo_extensions: true, ..sources() };
    let draft = read(Generation(1), &demo, &Launch::default(), &tree).map_err(|e| told(&e)).expect("valid");
    assert_eq!(draft.wants_defaults(), [TaskName::from("knock")]);
    let plain = Sources { demo_extensions: false, ..demo };
    let draft = read(Generation(1), &plain, &Launch::default(), &tree).map_err(|e| told(&e)).expect("valid");
    assert!(draft.wants_defaults().is_empty());
    assert_eq!(draft.finish(Vec::new()).expect("finishes").primary_protocol.as_str(), "terminal");
}

#[test]
fn a_declaration_that_does_not_fit_disables_that_extension_alone() {
    for (yaml, expected) in [
        (
            "p: {Path: gone.sh}",
            "12: there is no file `gone.sh` (looked for custom/gone.sh, /opt/gopher/gone.sh); create it or correct `Path`",
        ),
        (
            "p: {Path: /gone}",
            "12: there is no file `/gone` (looked for /gone); create it, correct `Path`, or name its directory in `ReadPaths` if runs cannot see it",
        ),
        ("p: {Path: plain.sh}", "12: custom/plain.sh is not executable; run `chmod +x custom/plain.sh`"),
        ("p: {Path: dir}", "12: custom/dir is not a regular file; correct `Path`"),
        ("p: {Path: locked}", "12: the file custom/locked cannot be examined: permission denied"),
        ("p: {Description: x}", "2: the plugin `p` has no `Path`; say which file it is"),
        ("p: {Path: x.go}", "12: this version does not run Go yet, which custom/x.go needs"),
        ("bot: {Path: ok.sh}", "2: `bot` cannot be the name of a plugin: it is reserved"),
        (
            "9p: {Path: ok.sh}",
            "2: `9p` cannot be the name of a plugin: a letter comes first, then letters, digits, `-` and `_`",
        ),
        (
            "../p: {Path: ok.sh}",
            "2: `../p` cannot be the name of a plugin: a letter comes first, then letters, digits, `-` and `_`",
        ),
        ("p: {Path: ok.sh, NameSpace: n}", "30: `n` is not defined; `NameSpace` refers to it"),
        ("p: {Path: ok.sh, ParameterSets: [s]}", "34: `s` is not defined; `ParameterSets` refers to it"),
    ] {
        let yaml = format!("ExternalPlugins:\n  {yaml}\nPrimaryProtocol: test\n");
        let robot = robot(&[
            (ROBOT, &yaml),
            ("/bot/custom/ok.sh", ""),
            ("/bot/custom/plain.sh!", ""),
            ("/bot/custom/dir/x", ""),
            ("/bot/custom/x.go", ""),
        ]);
        let (column, text) = expected.split_once(": ").expect("column");
        let column = if column == "2" { 3 } else { column.parse::<u32>().expect("number") + 1 };
        assert_eq!(reason(&robot), format!("custom/conf/robot.yaml:2:{column}: {text}"), "{yaml}");
    }
}

#[test]
fn a_language_that_is_built_in_needs_no_execute_bit_and_may_have_no_default() {
    let files = [
        (ROBOT, "PrimaryProtocol: test\nAlias: ';'\nExternalPlugins: {p: {Path: x.lua}, q: {Path: y.js}}\n"),
        ("/bot/custom/x.lua!", ""),
        ("/bot/custom/y.js", ""),
    ];
    let draft = draft(&files).expect("valid");
    let answers = vec![("p".into(), Err("no string".to_owned())), ("q".into(), Ok("Users: [bob]".to_owned()))];
    let robot = draft.finish(answers).map_err(|e| told(&e)).expect("finishes");
    assert!(robot.disabled.is_empty(), "{:?}", robot.disabled);
    let runtimes: Vec<&Runtime> = robot.extensions.iter().map(|e| &e.runtime).collect();
    assert_eq!(runtimes, [&Runtime::Lua, &Runtime::JavaScript]);
    assert_eq!((robot.extensions[0].users.len(), robot.extensions[1].users.len()), (0, 1));
    assert_eq!(robot.notices, ["plugin 'p' has no default configuration: no string"]);
}

#[test]
fn two_of_one_name_are_both_disabled_and_name_each_other() {
    let robot = robot(&[
        (
            ROBOT,
            "PrimaryProtocol: test\nExternalPlugins: {x: {Path: a}, n: {Path: a}, y: {Path: a}}\nExternalTasks: {x: {Path: a}, y: {Disabled: true}}\nNameSpaces: {n: {}}\n",
        ),
        ("/bot/custom/a", ""),
    ]);
    let told: Vec<_> = robot.disabled.iter().map(|d| (d.name.as_str(), d.kind.clone(), d.reason.as_str())).collect();
    assert_eq!(
        told,
        [
            (
                "x",
                Kind::Plugin,
                "custom/conf/robot.yaml:2:19: the name `x` is also used at custom/conf/robot.yaml:3:17; give one of them another name"
            ),
            (
                "n",
                Kind::Plugin,
                "custom/conf/robot.yaml:2:33: the name `n` is also used at custom/conf/robot.yaml:4:14; give one of them another name"
            ),
            (
                "x",
                Kind::Task,
                "custom/conf/robot.yaml:3:17: the name `x` is also used at custom/conf/robot.yaml:2:19; give one of them another name"
            ),
        ]
    );
    assert_eq!(robot.extensions.len(), 1);
}

#[test]
fn switched_off_stock_extensions_are_told() {
    let robot = of("GoPlugins: {ping: {Disabled: true}, other: {}}").expect("valid");
    assert_eq!(
        (robot.disabled[0].name.as_str(), robot.disabled[0].reason.as_str()),
        ("ping", "disabled in robot.yaml")
    );
    assert!(robot.notices[1].contains("only `Disabled` has an effect yet"), "{:?}", robot.notices);
}

#[test]
fn files_of_stock_plugins_restrict_them() {
    let of = |file: &str| {
        robot(&[
            (ROBOT, "PrimaryProtocol: test\nAlias: ';'\nDefaultChannels: [general]\n"),
            ("/bot/custom/conf/plugins/ping.yaml", file),
        ])
    };
    let ping = &of("Users: [alice]\nAdminCommands: [ping]\n").extensions[0];
    assert_eq!(
        (ping.name.as_str(), ping.all_channels, ping.users.as_slice()),
        ("ping", true, &["alice".to_owned()][..])
    );
    assert_eq!((ping.private.allowed.as_slice(), ping.path.as_str()), (&["*".to_owned()][..], ""));
    let ping = &of("AllChannels: false\n").extensions[0];
    assert_eq!((ping.all_channels, ping.channels.as_slice()), (false, &["general".into()][..]));
    assert_eq!(reason(&of("Disabled: true")), "Plugin 'ping' is disabled by configuration");
    assert!(reason(&of("AuthorizeAllCommands: true")).contains("needs an authorizer"));
    assert!(reason(&of("Nope: 1")).starts_with("custom/conf/plugins/ping.yaml:1:1: unknown key `Nope`"));
    assert!(of("").extensions[0].all_channels);
    let files = [(ROBOT, "PrimaryProtocol: test\n"), ("/bot/custom/conf/plugins/ping.yaml", "RequireAdmin: yes\n")];
    let mut draft = draft(&files).expect("valid");
    assert!(draft.wants_defaults().is_empty() && draft.table().tasks.is_empty(), "there is no program to run");
    let clash = robot(&[(ROBOT, "PrimaryProtocol: test\nExternalPlugins: {ping: {Path: p}}\n"), ("/bot/custom/p", "")]);
    assert!(reason(&clash).contains("the name `ping` is that of a stock plugin"), "{}", reason(&clash));
}

#[test]
fn the_disk_is_read_as_it_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("directory");
    let script = dir.path().join("s");
    std::fs::write(&script, "x").expect("writes");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o644)).expect("mode");
    let disk = crate::Disk;
    assert_eq!(disk.kind(&script).expect("kind"), FileKind::File { owner_executable: false });
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o711)).expect("mode");
    assert_eq!(disk.kind(&script).expect("kind"), FileKind::File { owner_executable: true });
    assert_eq!(disk.kind(dir.path()).expect("kind"), FileKind::NotAFile);
    assert_eq!(disk.kind(&script.join("y")).expect("kind"), FileKind::Missing);
    assert_eq!(disk.read(&script).expect("reads"), Some(b"x".to_vec()));
    assert_eq!(disk.read(&dir.path().join("gone")).expect("reads"), None);
    assert!(disk.read(dir.path()).is_err());
}

//! Keys of robot.yaml that are checked but not acted on, the files it names, and what is told together.

use super::{ROBOT, TEST, draft, of, robot};

/// The notices of a robot with an alias.
fn notices(yaml: &str) -> Vec<String> {
    let robot = of(&format!("Alias: ';'\n{yaml}")).expect(yaml);
    let place = "custom/conf/robot.yaml:";
    robot.notices.iter().map(|n| n.strip_prefix(place).unwrap_or(n).to_owned()).collect()
}

#[test]
fn a_key_that_nothing_acts_on_is_told_once() {
    for key in [
        "ReadyMessage: hello\nReadyChannel: a",
        "BrainCache: {Directory: cache}",
        "EncryptionKey: 0123456789abcdef0123456789abcdef",
        "LegacyBrain: true",
        "HttpDebug: true",
        "LogDest: robot.log",
        "TimeZone: Europe/Berlin",
    ] {
        let name = key.split(':').next().expect("a key");
        assert_eq!(notices(key), [format!("2:1: `{name}` is read by a later version and has no effect yet")], "{key}");
    }
    for usual in [
        "ReadyMessage: ''",
        "ReadyChannel: general",
        "DefaultProtocol: Test",
        "Brain: MEM",
        "BrainCache: {}",
        "HistoryProvider: mem",
        "QueueProviders: []",
        "PlainEnvironment: [SITE]",
        "LegacyConfigure: yes",
        "HttpDebug: no",
        "LogDest: stdout",
        "TimeZone:",
        "MailConfig: {}",
        "IdentityProviders: {}",
        "ScheduledJobs: []",
        "GoPlugins: {ping: {Disabled: true}}",
        "DefaultAuthorizer: groups\nDefaultElevator: duo",
    ] {
        assert_eq!(notices(usual), Vec::<String>::new(), "{usual}");
    }
    assert_eq!(
        notices("GoTasks: {x: {Parameters: [{Name: A, Value: b}]}}"),
        ["2:1: `GoTasks` is read by a later version; only `Disabled` has an effect yet"]
    );
}

#[test]
fn memories_stay_with_gopherbot_where_that_is_wanted() {
    use gopher_protocol::robot::BrainFormat;
    for (yaml, format) in [("", BrainFormat::Own), ("LegacyBrain: true\n", BrainFormat::Gopherbot)] {
        let yaml = format!("PrimaryProtocol: test\nAlias: ';'\nBrain: file\n{yaml}");
        let files = [(ROBOT, yaml.as_str()), TEST, ("/bot/custom/conf/brains/file.yaml", "BrainConfig: {}\n")];
        let robot = robot(&files);
        assert_eq!((robot.brain_format, robot.notices), (format, Vec::new()), "{yaml}");
    }
}

#[test]
fn what_the_install_tree_sets_is_not_told() {
    let installed = "TimeZone: UTC\nReadyMessage: hi\nScheduledJobs: [{Name: j, Schedule: '@init'}]\nGoJobs: {x: {}}\n\
        ExternalTasks: {t: {Path: t, AgentAllowUnbound: true}}\n";
    let of = |own: &str| {
        let own =
            format!("PrimaryProtocol: test\nAlias: ';'\nExternalJobs: {{j: {{Path: t}}}}\nDefaultJobChannel: a\n{own}");
        let files = [("/opt/gopher/conf/robot.yaml", installed), (ROBOT, own.as_str()), ("/bot/custom/t", "")];
        robot(&files).notices
    };
    assert_eq!(of(""), Vec::<String>::new());
    assert_eq!(
        of(
            "TimeZone: Local\nAppendScheduledJobs: [{Name: j, Schedule: '@daily'}]\nExternalTasks: {t: {AgentAllowUnbound: yes}}\n"
        ),
        [
            "custom/conf/robot.yaml:5:1: `TimeZone` is read by a later version and has no effect yet",
            "custom/conf/robot.yaml:6:23: `ScheduledJobs` is read by a later version and has no effect yet",
            "custom/conf/robot.yaml:7:21: `AgentAllowUnbound` is read by a later version and has no effect yet",
        ]
    );
}

#[test]
fn schedules_are_looked_at() {
    let yaml = "PrimaryProtocol: test\nAlias: ';'\nDefaultJobChannel: a\nExternalJobs: {j: {Path: x}, off: {Path: gone}}\nExternalPlugins: {p: {Path: x}}\nScheduledJobs:\n\
        - {Name: j, Schedule: '@daily', Arguments: [1, two], Command: run}\n\
        - {Schedule: '@daily'}\n\
        - {Name: j, Schedule: ' '}\n\
        - {Name: j, Schedule: 0 25 * * *}\n\
        - {Name: off, Schedule: '@init'}\n\
        - {Name: p, Schedule: '@init'}\n\
        - {Name: what, Schedule: '@every 1h'}\n\
        - {Name: go-update, Schedule: '@every 1h'}\n";
    let robot = robot(&[(ROBOT, yaml), ("/bot/custom/x", "")]);
    let told: Vec<&str> =
        robot.notices.iter().map(|n| n.strip_prefix("custom/conf/robot.yaml:").expect("here")).collect();
    assert_eq!(
        told,
        [
            "6:1: `ScheduledJobs` is read by a later version and has no effect yet",
            "8:3: this entry of `ScheduledJobs` is ignored: it has no `Name`",
            "9:3: this entry of `ScheduledJobs` is ignored: it has no `Schedule`",
            "10:3: this entry of `ScheduledJobs` is ignored: `25` does not fit the hour, which is 0 to 23",
            "11:3: the scheduled job `off` is disabled",
            "12:3: `p` is a plugin and cannot be scheduled",
            "13:3: there is no job `what` to be scheduled",
            "14:3: the stock job `go-update` comes with a later version",
        ]
    );
}

#[test]
fn odd_settings_are_told_and_keep_nothing_from_starting() {
    for (yaml, expected) in [
        (
            "TimeZone: Berlin?",
            "2:11: `Berlin?` is not the name of a time zone, such as `Europe/Berlin`; that of this machine is used",
        ),
        ("ReadyMessage: hi", "2:15: `ReadyMessage` has no channel: set `ReadyChannel` or `DefaultJobChannel`"),
        ("EncryptionKey: short", "2:16: `EncryptionKey` is shorter than 32 characters and cannot be used"),
        ("MailConfig: {Mailhost: 'a:b'}", "2:24: `a:b` is neither a host nor host:port: no mail is sent"),
        (
            "IdentityProviders: {hub: {Type: oauth2, CredentialParameterSet: gone}}",
            "2:65: the identity provider `hub` cannot be used: there is no `gone` in `ParameterSets`",
        ),
    ] {
        let all = notices(yaml);
        assert!(all.contains(&expected.to_owned()), "{all:#?}");
    }
    let good = "ParameterSets: {s: {}}\nIdentityProviders: {Hub: {Type: oauth2, CredentialParameterSet: s, OAuth2: {Token: \
        {URL: 'https://hub/token', Headers: {Accept: application/json}, Parameters: {a: 1}, RefreshParameters: {}}}}}";
    assert_eq!(notices(good), ["3:1: `IdentityProviders` is read by a later version and has no effect yet"]);
    let twice = notices(&good.replace("{Hub:", "{hub: {}, Hub:"));
    assert!(twice.iter().any(|n| n.contains("`Hub` is the same identity provider as `hub`")), "{twice:?}");
}

#[test]
fn robot_wide_maps_must_fit_together() {
    for (yaml, expected) in [
        (
            "NameSpaces: {a: {}}\nParameterSets: {a: {}}",
            "2:17: the name `a` is also used at custom/conf/robot.yaml:1:14; give one of them another name",
        ),
        (
            "NameSpaces: {ping: {}}",
            "1:14: the name `ping` is that of a stock plugin; give this name space another name",
        ),
        ("NameSpaces: {a: {ParameterSets: [s]}}", "1:33: `s` is not defined; `ParameterSets` refers to it"),
        ("ParameterSets: {a: {NameSpace: s}}", "1:32: `s` is not defined; `NameSpace` refers to it"),
        ("GoTasks: {a: {Parameters: [{Name: ''}]}}", "1:27: `` cannot be the name of a parameter"),
        ("ScheduledJobs: [{Job: a}]", "1:18: unknown key `Job`"),
        ("PlainEnvironment: [A=B]", "1:19: `A=B` cannot be the name of an environment variable"),
        ("PlainEnvironment: [SSH_HOST_KEY]", "1:19: `SSH_HOST_KEY` is a key and is never plain"),
        ("QueueProviders: [a/b]", "1:17: `a/b` is not the name of a queue"),
        ("Brain: ../x", "1:8: `../x` is not the name of a brain"),
        (
            "TimeOuts: {Job: {Kill: 1d}}",
            "1:24: expected a duration such as `90s` or `1h30m` that is not negative, found `1d`",
        ),
        ("MailConfig: {Host: a}", "1:14: unknown key `Host`"),
        ("LegacyBrain: perhaps", "1:14: expected true or false, found text"),
    ] {
        let errors = of(yaml).expect_err(yaml);
        assert_eq!(errors, [format!("custom/conf/robot.yaml:{expected}")], "{yaml}");
    }
    let robot = of("Alias: ';'\nGoPlugins: {p: {NameSpace: s}}").expect("valid");
    assert_eq!(robot.disabled[0].reason, "custom/conf/robot.yaml:2:28: `s` is not defined; `NameSpace` refers to it");
}

#[test]
fn removed_keys_say_where_to_go() {
    for (key, hint) in [
        ("UserMap", "user ids belong in `ProtocolConfig` of conf/protocols/NAME.yaml"),
        ("Protocol", "this key is now `PrimaryProtocol`"),
        ("BrainConfig", "this belongs in conf/brains/NAME.yaml"),
        ("HistoryConfig", "this belongs in conf/history/NAME.yaml"),
        ("QueueConfig", "this belongs in conf/queues/NAME.yaml"),
        ("HttpPort", "this key is now `LocalPort`"),
        ("Providers", "this key is now `IdentityProviders`, or `QueueProviders` for queues"),
    ] {
        let errors = of(&format!("{key}: x")).expect_err(key);
        assert_eq!(errors, [format!("custom/conf/robot.yaml:1:1: unknown key `{key}` ({hint})")]);
    }
    for (key, hint) in [
        ("CommandMatchers", "`Commands`"),
        ("Helptext", "`Usage`"),
        ("Help", "`Usage`"),
        ("AllowDirect", "`AllowedPrivateCommands`"),
        ("DirectOnly", "`RequireAllCommandsPrivate`"),
        ("AllowedHiddenCommands", "`AllowedPrivateCommands`"),
        ("Protocols", "`Channels`"),
        ("Timeout", "`TimeOuts`"),
    ] {
        let robot = super::plugin("", &format!("{key}: x"));
        let reason = super::reason(&robot);
        assert!(reason.contains(&format!("unknown key `{key}`")) && reason.contains(hint), "{reason}");
    }
}

#[test]
fn provider_files_must_be_there_and_hold_their_section() {
    let file = |name: &str, text: &str| -> Result<Vec<String>, Vec<String>> {
        let yaml =
            "PrimaryProtocol: test\nAlias: ';'\nBrain: File\nHistoryProvider: file\nQueueProviders: [GCloud, gcloud]\n";
        let mut files = vec![
            ("/bot/custom/conf/brains/file.yaml", "BrainConfig: {Encode: true}\n"),
            ("/opt/gopher/conf/history/file.yaml", "HistoryConfig: {Directory: h}\n"),
            ("/bot/custom/conf/queues/gcloud.yaml", "QueueConfig: {projectid: x}\n"),
            (ROBOT, yaml),
        ];
        files.retain(|(path, _)| !path.ends_with(name));
        let path = format!("/bot/custom/conf/{name}");
        if !text.is_empty() {
            files.push((&path, text));
        }
        draft(&files).map(|d| d.finish(Vec::new()).expect("finishes").notices)
    };
    let told = |key: &str, line: u32| {
        format!("custom/conf/robot.yaml:{line}:1: `{key}` is read by a later version and has no effect yet")
    };
    let later = vec![told("HistoryProvider", 4), told("QueueProviders", 5)];
    assert_eq!(file("nothing", ""), Ok(later.clone()));
    for (name, text, expected) in [
        (
            "brains/file.yaml",
            "",
            "brains/file.yaml: brain `file` has no `BrainConfig`, neither here nor in the install tree",
        ),
        (
            "brains/file.yaml",
            "# none\n",
            "brains/file.yaml: brain `file` has no `BrainConfig`, neither here nor in the install tree",
        ),
        ("brains/file.yaml", "BrainConfig: {}\nMore: 1\n", "brains/file.yaml:2:1: unknown key `More`"),
        (
            "brains/file.yaml",
            "Brainconfig: {}\n",
            "brains/file.yaml:1:1: unknown key `Brainconfig` (did you mean `BrainConfig`?)",
        ),
        (
            "history/file.yaml",
            "",
            "history/file.yaml: history provider `file` has no `HistoryConfig`, neither here nor in the install tree",
        ),
        (
            "queues/gcloud.yaml",
            "",
            "queues/gcloud.yaml: queue `gcloud` has no `QueueConfig`, neither here nor in the install tree",
        ),
    ] {
        assert_eq!(file(name, text), Err(vec![format!("custom/conf/{expected}")]), "{name} {text}");
    }
    let slip = file("brains/file.yaml", "BrainConfig: {BrainDirectori: x, encode: true, zz: 1}\n").expect("valid");
    assert_eq!(
        slip[2..],
        [
            "custom/conf/brains/file.yaml:1:15: `file` does not know the key `BrainDirectori`, which has no effect (did you mean `BrainDirectory`?)",
            "custom/conf/brains/file.yaml:1:48: `file` does not know the key `zz`, which has no effect",
        ]
    );
}

#[test]
fn slips_in_the_section_of_a_protocol_are_told() {
    let protocol = |name: &str, text: &str| {
        let path = format!("/bot/custom/conf/protocols/{name}.yaml");
        let yaml = format!("PrimaryProtocol: {name}\nAlias: ';'\n");
        robot(&[(ROBOT, &yaml), (&path, text)]).notices
    };
    assert_eq!(
        protocol("slack", "ProtocolConfig: {BotTokn: x, apptoken: y}\n"),
        [
            "custom/conf/protocols/slack.yaml:1:18: `slack` does not know the key `BotTokn`, which has no effect (did you mean `BotToken`?)",
            "custom/conf/robot.yaml:1:18: this version has no connector for `slack` yet"
        ]
    );
    let unknown = ["custom/conf/robot.yaml:1:18: this version has no connector for `mine` yet"];
    assert_eq!(protocol("mine", "ProtocolConfig: {Anything: x}\n"), unknown);
}

#[test]
fn errors_of_all_files_are_told_together() {
    let errors = draft(&[
        (ROBOT, "PrimaryProtocol: slack\nSecondaryProtocols: [ssh]\nBrain: file\nAdminUser: [a]\nHearSelf: maybe\n"),
        ("/bot/custom/conf/protocols/slack.yaml", "Nope: 1\n"),
        ("/bot/custom/conf/protocols/ssh.yaml", "ProtocolConfig: [\n"),
        ("/bot/custom/conf/brains/file.yaml", "BrainConfig: {}\nMore: 1\n"),
        TEST,
    ])
    .err()
    .expect("refused");
    let files: Vec<&str> = errors.iter().map(|e| e.split(": ").next().expect("a place")).collect();
    assert_eq!(
        files,
        [
            "custom/conf/robot.yaml:4:1",
            "custom/conf/robot.yaml:5:11",
            "custom/conf/protocols/slack.yaml:1:1",
            "custom/conf/protocols/ssh.yaml:2:1",
            "custom/conf/brains/file.yaml:2:1",
        ],
        "{errors:#?}"
    );
}

#[test]
fn the_shipped_tree_has_what_robots_without_files_of_their_own_need() {
    use gopher_protocol::{ids::Generation, loader::Sources, robot::Cause};
    let install = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/share");
    let home = tempfile::tempdir().expect("directory");
    std::fs::create_dir(home.path().join("conf")).expect("directory");
    let file = home.path().join("conf/robot.yaml");
    let place = home.path().display().to_string();
    let sources = Sources { home: place.clone(), config_dir: place, install_dir: install.into(), ..super::sources() };
    for (provider, later) in [("file", 1), ("mem", 0)] {
        let yaml = format!("PrimaryProtocol: test\nBrain: {provider}\nHistoryProvider: {provider}\n");
        std::fs::write(&file, yaml).expect("writes");
        let draft = crate::read(Generation(1), &sources, &crate::Launch::default(), &crate::Disk)
            .unwrap_or_else(|e| panic!("{e:?}"));
        let answers = draft.wants_defaults().into_iter().map(|name| (name, Ok(String::new()))).collect();
        let robot = draft.finish(answers).expect("finishes");
        assert_eq!(robot.notices.len(), later, "{:?}", robot.notices);
        let off: Vec<_> = robot.disabled.iter().map(|d| (d.name.as_str(), d.cause)).collect();
        assert_eq!(off, [("groups", Cause::Stock), ("memes", Cause::Stock)]);
    }
}

//! Authorizers and elevators: who is asked, and what becomes of an extension whose guard is not to be had.

use gopher_protocol::robot::{Guard, Robot};

use super::{ROBOT, robot};

/// A robot of the plugins `p`, `q` and `auth`, the job `j` and the task `t`; `extra` is added to robot.yaml.
fn guarded(extra: &str, files: &[(&str, &str)]) -> Robot {
    let yaml = format!(
        "PrimaryProtocol: test\nDefaultChannels: [a]\nDefaultJobChannel: a\n{extra}\n\
         ExternalPlugins: {{p: {{Path: x}}, q: {{Path: x}}, auth: {{Path: x}}}}\n\
         ExternalJobs: {{j: {{Path: x}}}}\nExternalTasks: {{t: {{Path: x}}}}\n"
    );
    let paths: Vec<String> = files.iter().map(|(name, _)| format!("/bot/custom/conf/{name}.yaml")).collect();
    let mut all = vec![(ROBOT, yaml.as_str()), ("/bot/custom/x", "")];
    all.extend(paths.iter().zip(files).map(|(path, (_, text))| (path.as_str(), *text)));
    robot(&all)
}

const GO: &str = "Commands: [{Command: go, Regex: go}]\n";

fn guard(robot: &Robot, name: &str) -> Guard {
    robot.extension(&name.into()).unwrap_or_else(|| panic!("{name}: {:?}", robot.disabled)).guard.clone()
}

fn reason<'r>(robot: &'r Robot, name: &str) -> &'r str {
    assert!(robot.extension(&name.into()).is_none(), "{name} is enabled");
    &robot.disabled.iter().find(|d| d.name.as_str() == name).expect("disabled").reason
}

#[test]
fn what_is_restricted_names_who_decides() {
    let defaults = "DefaultAuthorizer: auth\nDefaultElevator: builtin-totp";
    let go = |keys: &str| format!("{GO}{keys}");
    let robot = guarded(
        defaults,
        &[
            ("plugins/p", &go("AuthorizedCommands: [go]\nAuthRequire: ops\nElevateImmediateCommands: [go]\n")),
            (
                "plugins/q",
                &go("AuthorizeAllCommands: true\nAuthorizer: ' groups '\nElevatedCommands: [go]\nElevator: duo\n"),
            ),
            ("jobs/j", "Authorizer: auth\nElevator: builtin-userapproval\n"),
        ],
    );
    assert!(robot.disabled.is_empty(), "{:?}", robot.disabled);
    let list = || vec!["go".to_owned()];
    assert_eq!(
        guard(&robot, "p"),
        Guard {
            authorizer: Some("auth".into()),
            auth_require: "ops".into(),
            authorized: list(),
            elevator: Some("builtin-totp".into()),
            elevate_immediate: list(),
            ..Guard::default()
        }
    );
    assert_eq!(
        guard(&robot, "q"),
        Guard {
            authorizer: Some("groups".into()),
            authorize_all: true,
            elevator: Some("duo".into()),
            elevated: list(),
            ..Guard::default()
        }
    );
    assert_eq!(
        guard(&robot, "j"),
        Guard {
            authorizer: Some("auth".into()),
            authorize_all: true,
            elevator: Some("builtin-userapproval".into()),
            elevated: vec!["run".into()],
            ..Guard::default()
        }
    );
    assert_eq!(guard(&robot, "auth"), Guard::default(), "defaults are for what needs one");
    let robot = guarded(defaults, &[]);
    assert_eq!((guard(&robot, "p"), guard(&robot, "j")), (Guard::default(), Guard::default()));
}

#[test]
fn a_guard_that_is_not_to_be_had_disables_what_names_it() {
    let all = "AuthorizeAllCommands: true\n";
    for (extra, file, expected) in [
        (
            "",
            all,
            "plugins/p.yaml:1:23: `AuthorizeAllCommands` needs an authorizer (name one in `Authorizer`, or in `DefaultAuthorizer` of robot.yaml)",
        ),
        (
            "",
            "Commands: [{Command: go, Regex: go}]\nAuthorizedCommands: [go]\n",
            "plugins/p.yaml:2:21: `AuthorizedCommands` needs an authorizer (name one in `Authorizer`, or in `DefaultAuthorizer` of robot.yaml)",
        ),
        (
            "",
            "Commands: [{Command: go, Regex: go}]\nElevateImmediateCommands: [go]\n",
            "plugins/p.yaml:2:27: `ElevateImmediateCommands` needs an elevator (name one in `Elevator`, or in `DefaultElevator` of robot.yaml)",
        ),
        (
            "",
            "Authorizer: auth\n",
            "plugins/p.yaml:1:13: `Authorizer` is set, but no command is authorized (list some in `AuthorizedCommands`, or set `AuthorizeAllCommands: true`)",
        ),
        ("DefaultAuthorizer: gone", all, "robot.yaml:4:20: there is no plugin `gone`, which is to be the authorizer"),
        ("DefaultAuthorizer: j", all, "robot.yaml:4:20: `j` is a job and cannot be the authorizer"),
        ("DefaultAuthorizer: t", all, "robot.yaml:4:20: `t` is a task and cannot be the authorizer"),
        ("DefaultAuthorizer: ping", all, "robot.yaml:4:20: the stock plugin `ping` cannot be the authorizer"),
        ("", "Elevator: gone\n", "plugins/p.yaml:1:11: there is no plugin `gone`, which is to be the elevator"),
        (
            "DefaultAuthorizer: groups\nGoPlugins: {groups: {Disabled: true}}",
            all,
            "robot.yaml:4:20: the authorizer `groups` is disabled",
        ),
    ] {
        let robot = guarded(extra, &[("plugins/p", file)]);
        assert_eq!(reason(&robot, "p"), format!("custom/conf/{expected}"), "{extra} {file}");
        assert!(robot.extension(&"auth".into()).is_some() && robot.extension(&"j".into()).is_some());
    }
}

#[test]
fn a_disabled_authorizer_takes_along_whatever_names_it() {
    let robot = guarded(
        "",
        &[
            ("plugins/auth", "Nope: 1\n"),
            ("plugins/q", "AuthorizeAllCommands: true\nAuthorizer: auth\n"),
            ("plugins/p", "AuthorizeAllCommands: true\nAuthorizer: q\n"),
            ("jobs/j", "Elevator: p\n"),
        ],
    );
    assert_eq!(reason(&robot, "q"), "custom/conf/plugins/q.yaml:2:13: the authorizer `auth` is disabled");
    assert_eq!(reason(&robot, "p"), "custom/conf/plugins/p.yaml:2:13: the authorizer `q` is disabled");
    assert_eq!(reason(&robot, "j"), "custom/conf/jobs/j.yaml:1:11: the elevator `p` is disabled");
    assert_eq!(robot.extensions.len(), 1, "the task is left");

    let gone = guarded("", &[("plugins/p", "AuthorizeAllCommands: true\nAuthorizer: p\n")]);
    assert_eq!(guard(&gone, "p").authorizer, Some("p".into()), "a plugin may decide for itself");
}

#[test]
fn guards_without_effect_are_told() {
    let robot = guarded("", &[("plugins/p", "AuthRequire: ops\nElevator: auth\n"), ("jobs/j", "AuthRequire: ops\n")]);
    assert!(robot.disabled.is_empty(), "{:?}", robot.disabled);
    assert_eq!(
        robot.notices[1..],
        [
            "custom/conf/plugins/p.yaml:1:14: `AuthRequire` has no effect: nothing here is authorized",
            "custom/conf/plugins/p.yaml:2:11: `Elevator` has no effect: no command is elevated",
            "custom/conf/jobs/j.yaml:1:14: `AuthRequire` has no effect: nothing here is authorized",
        ]
    );
}

#[test]
fn two_jobs_cannot_have_one_uuid() {
    let one = "5a7e9c1b-0000-4abc-8def-0123456789ab";
    let robot = robot(&[
        (
            ROBOT,
            "PrimaryProtocol: test\nAlias: ';'\nDefaultJobChannel: a\nExternalJobs: {first: {Path: x}, second: {Path: x}, third: {Path: x}}\n",
        ),
        ("/bot/custom/x", ""),
        ("/bot/custom/conf/jobs/first.yaml", &format!("UUIDTrigger: {one}\nElevator: gone\n")),
        ("/bot/custom/conf/jobs/second.yaml", &format!("UUIDTrigger: '{{{one}}}'\nKeepLogs: 3\n")),
        ("/bot/custom/conf/jobs/third.yaml", "UUIDTrigger:\nKeepLogs: 2\n"),
    ]);
    assert_eq!(
        reason(&robot, "second"),
        "custom/conf/jobs/second.yaml:1:14: Disabling 'second', its UUIDTrigger is also that of the job 'first'"
    );
    assert_eq!(
        robot.notices,
        [
            "custom/conf/jobs/first.yaml:1:1: `UUIDTrigger` is read by a later version and has no effect yet",
            "custom/conf/jobs/third.yaml:2:1: `KeepLogs` is read by a later version and has no effect yet",
        ]
    );
}

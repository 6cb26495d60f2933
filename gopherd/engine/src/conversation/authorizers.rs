use gopher_protocol::robot::Guard;

use super::*;

/// The plugin `deploy`, about which `authorizer` decides, and `gate`, which can.
fn stage(authorizer: &str, config: &str) -> Stage {
    let mut plugin = deploy();
    plugin.guard = Guard {
        authorizer: Some(authorizer.into()),
        auth_require: "ops".into(),
        authorized: vec!["go".into()],
        ..Guard::default()
    };
    let groups = Extension { config: Some(config.to_owned()), ..testing::extension("groups") };
    Stage::open(testing::robot_with(vec![plugin, testing::extension("gate"), groups]))
}

fn asked(stage: &mut Stage, text: &str) -> (SpawnRequest, Worker, RunRequest) {
    stage.say(testing::inbound("bob", "general", text));
    let spawn = stage.spawn_request();
    assert_eq!(spawn.task.as_str(), "gate");
    let (worker, request) = stage.spawned(&spawn);
    (spawn, worker, request)
}

fn closed(stage: &mut Stage) -> PipelineId {
    match stage.asked() {
        EngineToSupervisor::PipelineClosed { pipeline } => pipeline,
        other => panic!("not the end of a pipeline: {other:?}"),
    }
}

fn audit(stage: &Stage) -> String {
    fs::read_to_string(stage.directory.join("audit.log")).expect("an audit log")
}

#[test]
fn a_command_begins_in_the_pipeline_of_its_authorizer_once_that_agreed() {
    let mut stage = stage("gate", "{}");
    let (first, mut worker, request) = asked(&mut stage, ";deploy web");
    assert_eq!(first.starter.as_str(), "deploy");
    assert_eq!(request.args, ["_authorize", "deploy", "ops", "go", "web"]);
    stage.finish(&mut worker, &request, 7);
    let EngineToSupervisor::Spawn { request: second } = stage.asked() else { panic!("the command, at once") };
    assert_eq!((second.task.as_str(), second.pipeline), ("deploy", first.pipeline));
    let (mut worker, request) = stage.spawned(&second);
    assert_eq!(request.args, ["go", "web"]);
    stage.finish(&mut worker, &request, 0);
    assert_eq!(closed(&mut stage), first.pipeline);
    let text = audit(&stage);
    assert!(text.contains("authorized by gate (ops): deploy/go for bob in #general: Granted"), "{text}");
    assert!(stage.engine.runs.is_empty() && stage.engine.waiting.is_empty() && stage.engine.pipelines.is_empty());
    stage.say(testing::inbound("bob", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG");
    assert_eq!(
        stage.events,
        ["ExternalTaskRan", "AuthRanSuccess", "CommandTaskRan", "ExternalTaskRan", "CommandTaskRan", "GoPluginRan"]
    );
}

#[test]
fn whatever_else_an_authorizer_does_refuses() {
    let mut stage = stage("gate", "{}");
    for (status, expected) in [
        (1, "Sorry, you're not authorized for that command"),
        (0, "Sorry, authorization failed due to a problem with the authorization plugin"),
        (2, "Sorry, authorization failed due to a problem with the authorization plugin"),
    ] {
        let (spawn, mut worker, request) = asked(&mut stage, ";deploy web");
        let set = RobotCall::SetParameter { name: "SEEN".into(), value: "x".into() };
        worker.send(&WorkerToEngine::Call { call: CallId(1), request: set }).expect("sends");
        assert!(matches!(stage.reply_to(&mut worker, 1), RobotAnswer::Boolean(true)));
        stage.finish(&mut worker, &request, status);
        assert_eq!(closed(&mut stage), spawn.pipeline);
        assert_eq!(stage.answer().text, expected, "{status}");
        assert!(stage.engine.runs.is_empty() && stage.engine.pipelines.is_empty(), "{status}");
    }
    // One that is killed, and one that does not even begin.
    let (spawn, mut worker, request) = asked(&mut stage, ";deploy web");
    stage.say(testing::inbound("alice", "general", &format!(";kill {}", spawn.pipeline)));
    assert_eq!(stage.answer().text, format!("Killed pipeline {}", spawn.pipeline));
    stage.finish(&mut worker, &request, 7);
    assert_eq!(closed(&mut stage), spawn.pipeline);
    assert!(stage.answer().text.starts_with("Sorry, authorization failed"));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let spawn = stage.spawn_request();
    stage.tell(&SupervisorToEngine::SpawnFailed { run: spawn.run, reason: "no room".into() });
    assert!(stage.answer().text.starts_with("Sorry, authorization failed"));
    let text = audit(&stage);
    assert!(text.contains("not authorized by gate (ops): deploy/go for bob in #general: Denied"), "{text}");
    assert!(!text.contains(": Granted"), "{text}");
}

#[test]
fn no_command_begins_once_the_robot_is_stopping() {
    let mut stage = stage("gate", "{}");
    let (_, mut worker, request) = asked(&mut stage, ";deploy web");
    stage.tell(&SupervisorToEngine::Stop);
    stage.settle();
    stage.finish(&mut worker, &request, 7);
    assert_eq!(stage.answer().text, "Sorry, I'm shutting down and can't start any new tasks");
    assert!(stage.engine.runs.is_empty() && stage.engine.waiting.is_empty());
}

#[test]
fn an_authorizer_that_is_not_there_agrees_to_nothing() {
    let mut stage = stage("gone", "{}");
    stage.say(testing::inbound("alice", "general", ";deploy web"));
    assert_eq!(stage.answer().text, "Sorry, authorization failed due to a configuration error");
    assert_eq!(stage.events, ["AuthNoRunMisconfigured"]);
}

#[test]
fn groups_decide_without_a_run_and_know_nobody_outside_the_roster() {
    let mut stage = stage("groups", r#"{"Groups":{"ops":{"Users":["bob","zoe"]}}}"#);
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, request) = stage.worker();
    assert_eq!(request.args, ["go", "web"]);
    stage.finish(&mut worker, &request, 0);
    for user in ["carol", "zoe"] {
        let validated_user = user != "zoe";
        stage.say(Inbound { validated_user, ..testing::inbound(user, "general", ";deploy web") });
        assert_eq!(stage.answer().text, "Sorry, you're not authorized for that command", "{user}");
    }
    let text = audit(&stage);
    assert!(text.contains("authorized by groups (ops): deploy/go for bob in #general: Granted"), "{text}");
    assert!(text.contains("not authorized by groups (ops): deploy/go for zoe"), "{text}");
}

#[test]
fn nobody_outside_the_roster_changes_a_group() {
    let mut stage = Stage::open(testing::robot_with(vec![Extension {
        commands: vec![testing::command("add", "add (.*)"), testing::command("show", "show (.*)")],
        config: Some(r#"{"Groups":{"ops":{"Administrators":["zoe"]}}}"#.to_owned()),
        ..testing::extension("groups")
    }]));
    stage.say(Inbound { validated_user: false, ..testing::inbound("zoe", "general", ";add mallory") });
    assert_eq!(stage.answer().text, "Sorry, only a group administrator can do that");
    stage.say(Inbound { validated_user: false, ..testing::inbound("zoe", "general", ";show ops") });
    assert_eq!(stage.worker().1.args, ["show", "ops"]);
}

#[test]
fn an_authorizer_of_a_private_command_answers_after_the_check_for_privacy() {
    let mut stage = stage("gate", "{}");
    stage.say(Inbound { hidden: true, ..testing::inbound("bob", "general", "floyd, deploy web") });
    assert_eq!(stage.answer().text, "Sorry, 'deploy/go' cannot be run as a private command");
    assert!(stage.engine.runs.is_empty());
}

use gopher_protocol::{
    robot::{Cause, Disabled},
    robot_api::StepList,
};

use super::*;

fn task(name: &str) -> Extension {
    Extension { kind: Kind::Task, ..testing::extension(name) }
}

/// A plugin with two commands, one of them for administrators, and three tasks.
fn stage() -> Stage {
    let mut plugin = deploy();
    plugin.commands.push(testing::command("wipe", "wipe (.*)"));
    plugin.admin_commands = vec!["wipe".into()];
    let mut secret = task("secret");
    secret.privileged = true;
    let mut robot = testing::robot_with(vec![plugin, task("note"), task("clean"), secret]);
    robot.disabled.push(Disabled { name: "off".into(), kind: Kind::Task, reason: "off".into(), cause: Cause::Off });
    Stage::open(robot)
}

fn add(to: StepList, name: &str, args: &[&str]) -> RobotCall {
    RobotCall::AddTask { to, name: name.into(), args: args.iter().map(|a| (*a).to_owned()).collect() }
}

fn command(to: StepList, plugin: &str, text: &str) -> RobotCall {
    RobotCall::AddCommand { to, plugin: plugin.into(), text: text.into() }
}

/// Calls of a worker, and what was answered to each.
fn calls(stage: &mut Stage, worker: &mut Worker, calls: Vec<RobotCall>) -> Vec<RobotAnswer> {
    (1..)
        .zip(calls)
        .map(|(number, request)| {
            worker.send(&WorkerToEngine::Call { call: CallId(number), request }).expect("sends");
            stage.reply_to(worker, number)
        })
        .collect()
}

fn all_ok(answers: &[RobotAnswer]) -> bool {
    answers.iter().all(|a| matches!(a, RobotAnswer::RetVal(RetVal::Ok) | RobotAnswer::Boolean(true)))
}

#[test]
fn steps_follow_one_another_in_one_pipeline_and_are_told_what_was_set() {
    let mut stage = stage();
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let first = stage.spawn_request();
    let (mut worker, request) = stage.spawned(&first);
    assert_eq!(request.parameters, []);
    let set = |name: &str| RobotCall::SetParameter { name: name.into(), value: "x".into() };
    let answers = calls(
        &mut stage,
        &mut worker,
        vec![
            add(StepList::Final, "clean", &[]),
            add(StepList::Fail, "note", &["never"]),
            add(StepList::Next, "note", &["a", "b"]),
            command(StepList::Next, "deploy", "deploy db"),
            set("PHASE"),
        ],
    );
    assert!(all_ok(&answers), "{answers:?}");
    stage.finish(&mut worker, &request, 0);

    let mut seen = Vec::new();
    for _ in 0..3 {
        let spawn = stage.spawn_request();
        assert_eq!((spawn.pipeline, spawn.starter.as_str()), (first.pipeline, "deploy"));
        let rows: Vec<_> = stage.engine.ps_rows().into_iter().map(|row| (row.plugin, row.task)).collect();
        assert_eq!(rows, [("deploy".to_owned(), spawn.task.to_string())]);
        let (mut worker, request) = stage.spawned(&spawn);
        let told: Vec<&str> = request.parameters.iter().map(|(name, _)| name.as_str()).collect();
        seen.push(format!("{} [{}] {}", spawn.task, request.args.join(" "), told.join(" ")));
        stage.finish(&mut worker, &request, 0);
    }
    assert_eq!(
        seen,
        [
            "note [a b] PHASE",
            "deploy [go db] ",
            "clean [] PHASE GOPHER_FINAL_TASK GOPHER_FINAL_TYPE GOPHER_FINAL_COMMAND GOPHER_FINAL_ARGS GOPHER_FINAL_DESC",
        ],
        "an unprivileged plugin is told nothing"
    );
    assert!(stage.engine.runs.is_empty() && stage.engine.pipelines.is_empty());
}

#[test]
fn a_failed_step_ends_the_rest_and_its_user_is_told_once_at_the_end() {
    let mut stage = stage();
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, request) = stage.worker();
    let steps = vec![
        add(StepList::Next, "note", &["one"]),
        add(StepList::Next, "note", &["two"]),
        add(StepList::Final, "clean", &[]),
        add(StepList::Fail, "note", &["failed"]),
    ];
    assert!(all_ok(&calls(&mut stage, &mut worker, steps)));
    stage.finish(&mut worker, &request, 0);
    let mut ran = Vec::new();
    for status in [3, 1, 0] {
        let (mut worker, request) = stage.worker();
        ran.push(format!("{} {}", request.task, request.args.join(" ")));
        if request.task.as_str() == "clean" {
            let code = request.parameters.iter().find(|(name, _)| name == "GOPHER_FAIL_CODE");
            assert_eq!(code.map(|(_, value)| value.as_str()), Some("3"));
            assert_eq!(
                format!("{:?}", calls(&mut stage, &mut worker, vec![add(StepList::Next, "note", &[])])),
                "[RetVal(InvalidStage)]"
            );
        }
        stage.finish(&mut worker, &request, status);
    }
    assert_eq!(ran, ["note one", "clean ", "note failed"]);
    let told = stage.answer().text;
    assert!(told.starts_with("Pipeline failed in external task 'note', exit code 3"), "{told}");
    assert!(stage.engine.pipelines.is_empty());
}

#[test]
fn what_cannot_be_a_step_is_refused_with_its_number() {
    let mut stage = stage();
    stage.say(testing::inbound("alice", "general", ";deploy web"));
    let (mut worker, _) = stage.worker();
    for (request, expected) in [
        (add(StepList::Next, "nothing", &[]), RetVal::TaskNotFound),
        (add(StepList::Next, "off", &[]), RetVal::TaskDisabled),
        (add(StepList::Fail, "deploy", &[]), RetVal::InvalidTaskType),
        (add(StepList::Next, "secret", &[]), RetVal::PrivilegeViolation),
        (command(StepList::Next, "note", "x"), RetVal::InvalidTaskType),
        (command(StepList::Next, "deploy", " "), RetVal::MissingArguments),
        (command(StepList::Final, "deploy", "destroy"), RetVal::CommandNotMatched),
    ] {
        let shown = format!("{request:?}");
        let answers = calls(&mut stage, &mut worker, vec![request]);
        assert_eq!(format!("{answers:?}"), format!("[RetVal({expected:?})]"), "{shown}");
    }
    let built_in = calls(&mut stage, &mut worker, vec![command(StepList::Next, "builtin-admin", "reload")]);
    assert!(matches!(&built_in[0], RobotAnswer::Refused(why) if why.contains("built-in")), "{built_in:?}");
}

#[test]
fn a_command_as_a_step_needs_what_it_needs_from_a_person() {
    let mut stage = stage();
    for (user, may) in [("bob", false), ("alice", true)] {
        stage.say(testing::inbound(user, "general", ";deploy web"));
        let (mut worker, request) = stage.worker();
        let steps = vec![command(StepList::Next, "deploy", "wipe disk"), add(StepList::Final, "clean", &[])];
        assert!(all_ok(&calls(&mut stage, &mut worker, steps)));
        stage.finish(&mut worker, &request, 0);
        let mut ran = Vec::new();
        for _ in 0..=u8::from(may) {
            let (mut worker, request) = stage.worker();
            ran.push(request.task.to_string());
            stage.finish(&mut worker, &request, 0);
        }
        if may {
            assert_eq!(ran, ["deploy", "clean"]);
        } else {
            assert_eq!(ran, ["clean"]);
            assert_eq!(stage.answer().text, "Sorry, 'deploy/wipe' is only available to bot administrators");
        }
    }
    let audit = fs::read_to_string(stage.directory.join("audit.log")).expect("an audit log");
    assert!(audit.contains("deploy/wipe for alice in #general, as a step"), "{audit}");
    assert!(!audit.contains("deploy/wipe for bob"), "{audit}");
}

#[test]
fn no_step_begins_once_the_robot_is_stopping() {
    let mut stage = stage();
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, request) = stage.worker();
    let steps = vec![add(StepList::Next, "note", &[]), add(StepList::Final, "clean", &[])];
    assert!(all_ok(&calls(&mut stage, &mut worker, steps)));
    stage.tell(&SupervisorToEngine::Stop);
    stage.settle();
    stage.finish(&mut worker, &request, 0);
    assert!(stage.engine.runs.is_empty() && stage.engine.pipelines.is_empty());
}

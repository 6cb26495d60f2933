use super::*;
use crate::{
    execute::{START, START_OF_INIT},
    runs::State,
};

#[test]
fn a_refused_configuration_ends_the_start_with_all_reasons() {
    let mut stage = Stage::begin();
    let mut loader = stage.loader();
    let errors = vec!["conf/robot.yaml:3: first".to_owned(), "conf/robot.yaml:9: second".to_owned()];
    loader.send(&LoaderToEngine::Refused { errors }).expect("sends");
    let EngineToSupervisor::Quit { failed } = stage.asked() else { panic!("the end") };
    assert_eq!(failed.as_deref(), Some("conf/robot.yaml:3: first\nconf/robot.yaml:9: second"));
}

#[test]
fn a_loader_that_vanishes_is_explained_by_the_supervisor() {
    let mut stage = Stage::begin();
    drop(stage.loader());
    stage.settle();
    stage.tell(&SupervisorToEngine::LoaderGone { generation: Number(1), reason: "ended by signal 24".into() });
    let EngineToSupervisor::Quit { failed } = stage.asked() else { panic!("the end") };
    assert_eq!(failed.as_deref(), Some("the configuration could not be loaded: ended by signal 24"));
}

#[test]
fn the_last_words_of_a_loader_are_heard_although_it_no_longer_listens() {
    let mut stage = Stage::begin();
    let mut loader = stage.loader();
    loader.send(&LoaderToEngine::WantDefaults { tasks: wanted(&["one"]) }).expect("sends");
    let (mut worker, request) = stage.worker();
    let outcome = Outcome::Exited { status: TaskRetVal(0), signal: None };
    worker.send(&WorkerToEngine::Done { outcome }).expect("sends");
    // Both are ready in the same turn: the default cannot be sent, the refusal is already there.
    loader.send(&LoaderToEngine::Refused { errors: vec!["conf/robot.yaml:1: no".into()] }).expect("sends");
    drop(loader);
    let EngineToSupervisor::Quit { failed } = stage.asked() else { panic!("the end") };
    assert_eq!(failed.as_deref(), Some("conf/robot.yaml:1: no"));
    stage.tell(&SupervisorToEngine::Exited { run: request.run, exit: RunExit::Code(0) });
}

fn wanted(tasks: &[&str]) -> Vec<WantedDefault> {
    tasks.iter().map(|task| WantedDefault { task: (*task).into(), fingerprint: Some(1), legacy: false }).collect()
}

#[test]
fn a_plugin_of_which_nothing_changed_is_not_asked_again() {
    let mut stage = Stage::begin();
    let mut loader = stage.loader();
    loader.send(&LoaderToEngine::WantDefaults { tasks: wanted(&["one"]) }).expect("sends");
    let (mut worker, request) = stage.worker();
    let printed = WorkerToEngine::Output { stream: Stream::Stdout, bytes: b"Users: []\n".to_vec().into() };
    worker.send(&printed).expect("sends");
    stage.finish(&mut worker, &request, 0);
    stage.until("the default", |_| loader.receive().expect("alive"));
    loader.send(&LoaderToEngine::WantDefaults { tasks: wanted(&["one"]) }).expect("sends");
    // No run is started: the supervisor would have been asked.
    let (known, _) = stage.until("the same default", |_| loader.receive().expect("alive"));
    assert!(matches!(known, EngineToLoader::DefaultConfig { result: Ok(yaml), .. } if yaml == "Users: []\n"));
}

#[test]
fn default_configurations_are_asked_of_the_plugins() {
    let mut stage = Stage::begin();
    let mut loader = stage.loader();
    loader.send(&LoaderToEngine::WantDefaults { tasks: wanted(&["one", "two"]) }).expect("sends");
    for status in [0, 7] {
        let (mut worker, request) = stage.worker();
        assert!(request.configure && request.args == ["_configure"]);
        assert!(!request.env.iter().any(|(name, _)| name == "GOPHER_USER"));
        worker
            .send(&WorkerToEngine::Output { stream: Stream::Stdout, bytes: b"AllChannels: true\n".to_vec().into() })
            .expect("sends");
        worker
            .send(&WorkerToEngine::Output { stream: Stream::Stderr, bytes: b"no such thing\n".to_vec().into() })
            .expect("sends");
        stage.finish(&mut worker, &request, status);
    }
    let mut result = || match stage.until("a default", |_| loader.receive().expect("alive")).0 {
        EngineToLoader::DefaultConfig { task, result } => (task.0, result),
        EngineToLoader::Load { .. } => panic!("a default"),
    };
    assert_eq!(result(), ("one".to_owned(), Ok("AllChannels: true\n".to_owned())));
    assert_eq!(result(), ("two".to_owned(), Err("_configure: exit code 7 (Success): no such thing".to_owned())));
}

#[test]
fn a_plugin_of_v2_is_asked_as_v2_did_where_the_robot_says_so() {
    let mut stage = Stage::begin();
    let mut loader = stage.loader();
    let tasks = wanted(&["old", "new"]).into_iter().map(|w| WantedDefault { legacy: true, fingerprint: None, ..w });
    loader.send(&LoaderToEngine::WantDefaults { tasks: tasks.collect() }).expect("sends");
    let mut asked = Vec::new();
    for answers in [false, true, true] {
        let (mut worker, request) = stage.worker();
        asked.push(request.args.join(" "));
        if answers {
            let bytes = format!("Users: [{}]\n", request.task).into_bytes().into();
            worker.send(&WorkerToEngine::Output { stream: Stream::Stdout, bytes }).expect("sends");
        }
        stage.finish(&mut worker, &request, 0);
    }
    assert_eq!(asked, ["_configure", "_configure", "configure"]);
    let mut result = || match stage.until("a default", |_| loader.receive().expect("alive")).0 {
        EngineToLoader::DefaultConfig { task, result } => (task.0, result.expect("printed")),
        EngineToLoader::Load { .. } => panic!("a default"),
    };
    assert_eq!(result(), ("new".to_owned(), "Users: [new]\n".to_owned()));
    assert_eq!(result(), ("old".to_owned(), "Users: [old]\n".to_owned()));
}

#[test]
fn a_reload_shows_what_changed_and_serves_whoever_asked_meanwhile() {
    let mut stage = Stage::open(testing::robot());
    let (mut one, mut two) = (stage.admitted(), stage.admitted());
    one.send(&AdminRequest::Reload).expect("sends");
    let mut loader = stage.reloads(Number(2));
    two.send(&AdminRequest::Reload).expect("sends");
    stage.settle();
    let mut robot = Robot { generation: Number(2), ..testing::robot() };
    robot.admin_contact = "ops".into();
    loader.send(&loaded(robot.clone())).expect("sends");
    assert!(matches!(stage.asked(), EngineToSupervisor::GenerationActive { generation: Number(2), .. }));
    assert_eq!(stage.report(&mut one).changes, ["~ AdminContact: \"root <root@example.com>\" -> \"ops\""]);
    // Whoever asked during that load gets one of its own.
    let mut loader = stage.reloads(Number(3));
    robot.generation = Number(3);
    loader.send(&loaded(robot)).expect("sends");
    assert!(matches!(stage.asked(), EngineToSupervisor::GenerationActive { generation: Number(3), .. }));
    let report = stage.report(&mut two);
    assert_eq!((report.generation, report.changes.len(), report.errors.len()), (3, 0, 0));
}

#[test]
fn a_failed_reload_changes_nothing_and_the_next_one_starts_afresh() {
    let mut stage = Stage::open(testing::robot());
    let before = stage.engine.current.clone().expect("in force");
    let mut admin = stage.admitted();
    for (number, how) in [(2, "refused"), (3, "vanished")] {
        admin.send(&AdminRequest::Reload).expect("sends");
        let mut loader = stage.reloads(Number(number));
        if how == "refused" {
            loader.send(&LoaderToEngine::Refused { errors: vec!["conf/robot.yaml:1: no".into()] }).expect("sends");
        } else {
            drop(loader);
            stage.settle();
            stage.tell(&SupervisorToEngine::LoaderGone { generation: Number(number), reason: "killed".into() });
        }
        let EngineToSupervisor::GenerationDropped { generation } = stage.asked() else { panic!("dropped") };
        assert_eq!(generation, Number(number));
        let errors = stage.report(&mut admin).errors;
        assert!(errors[0] == "conf/robot.yaml:1: no" || errors[0].ends_with("killed"), "{errors:?}");
        assert!(std::rc::Rc::ptr_eq(&before, stage.engine.current.as_ref().expect("in force")));
    }
    admin.send(&AdminRequest::Report).expect("sends");
    assert_eq!(stage.report(&mut admin).generation, 3);
    stage.say(testing::inbound("alice", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG");
}

#[test]
fn protocols_come_and_go_with_a_reload_but_not_the_primary_one() {
    let mut stage = Stage::open(testing::robot());
    let mut admin = stage.admitted();
    let named = |name: &str| ProtocolSettings { name: name.into(), config: "{}".into(), channels: Vec::new() };
    let mut other = Robot { generation: Number(2), ..testing::robot() };
    other.primary_protocol = "slack".into();
    other.protocols = vec![named("slack"), named("ssh")];
    admin.send(&AdminRequest::Reload).expect("sends");
    stage.reloads(Number(2)).send(&loaded(other)).expect("sends");
    assert!(matches!(stage.asked(), EngineToSupervisor::GenerationActive { .. }));
    for wanted in ["slack", "ssh"] {
        assert!(matches!(stage.asked(), EngineToSupervisor::StartConnector { name } if name == wanted));
    }
    assert_eq!(stage.report(&mut admin).notices.len(), 1);
    admin.send(&AdminRequest::Reload).expect("sends");
    let back = Robot { generation: Number(3), ..testing::robot() };
    stage.reloads(Number(3)).send(&loaded(back)).expect("sends");
    assert!(matches!(stage.asked(), EngineToSupervisor::GenerationActive { .. }));
    let mut stopped: Vec<String> = (0..2)
        .map(|_| match stage.asked() {
            EngineToSupervisor::StopConnector { name } => name,
            other => panic!("{other:?}"),
        })
        .collect();
    stopped.sort();
    assert_eq!(stopped, ["slack", "ssh"]);
}

#[test]
fn an_init_run_leaves_the_next_its_turn_later_than_a_command_does() {
    let mut stage = Stage::load(testing::robot_with(vec![deploy()]));
    let starts_after = |stage: &mut Stage, wait: Duration| {
        let run = stage.spawn_request().run;
        let (worker, socket) = pair::<WorkerToEngine, EngineToWorker>();
        let before = Instant::now();
        stage.engine.spawned(run, socket);
        let after = Instant::now();
        stage.engine.expire_runs(before + wait / 2);
        assert!(matches!(stage.engine.runs[&run].state, State::Starting(_)));
        stage.engine.expire_runs(after + wait);
        assert_eq!(stage.engine.runs[&run].state, State::Live);
        (worker, run)
    };
    let (mut worker, run) = starts_after(&mut stage, START_OF_INIT);
    worker
        .send(&WorkerToEngine::Done { outcome: Outcome::Exited { status: TaskRetVal(0), signal: None } })
        .expect("sends");
    stage.tell(&SupervisorToEngine::Exited { run, exit: RunExit::Code(0) });
    stage.initialize(0);
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    starts_after(&mut stage, START);
}

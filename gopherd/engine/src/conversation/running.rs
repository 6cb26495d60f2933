use super::*;

#[test]
fn an_external_command_speaks_and_ends() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, request) = stage.worker();
    assert_eq!(request.args, ["go", "web"]);
    assert!(request.env.contains(&("GOPHER_USER".to_owned(), "bob".to_owned())));
    worker.send(&WorkerToEngine::Call { call: CallId(1), request: say_call("on it") }).expect("sends");
    let words = stage.answer();
    assert_eq!((words.text.as_str(), words.answers.as_deref()), ("on it", Some("bob")));
    assert!(matches!(stage.reply_to(&mut worker, 1), RobotAnswer::RetVal(RetVal::Ok)));
    assert_eq!(stage.events, ["CommandTaskRan", "ExternalTaskRan"]);

    worker.send(&WorkerToEngine::Call { call: CallId(2), request: say_call("") }).expect("sends");
    assert!(matches!(stage.reply_to(&mut worker, 2), RobotAnswer::RetVal(RetVal::Failed)));
    worker.send(&WorkerToEngine::Call { call: CallId(3), request: RobotCall::CheckAdmin }).expect("sends");
    assert!(matches!(stage.reply_to(&mut worker, 3), RobotAnswer::Boolean(false)));
    let unsupported = RobotCall::Unsupported { function: "AddTask".into() };
    worker.send(&WorkerToEngine::Call { call: CallId(4), request: unsupported }).expect("sends");
    assert!(matches!(stage.reply_to(&mut worker, 4), RobotAnswer::Refused(why) if why == "AddTask is not offered yet"));

    worker.send(&WorkerToEngine::Output { stream: Stream::Stderr, bytes: b"oops\n".to_vec().into() }).expect("sends");
    stage.finish(&mut worker, &request, 3);
    let failed = stage.answer();
    assert!(
        failed.text.starts_with("Pipeline failed in external task 'deploy', exit code 3 (ConfigurationError);"),
        "{}",
        failed.text
    );
    let log = fs::read_to_string(stage.directory.join("robot.log")).expect("a log");
    assert!(log.contains(&format!("deploy/{} ERR oops", request.run.0)), "{log}");
    let audit = fs::read_to_string(stage.directory.join("audit.log")).expect("an audit log");
    assert!(audit.contains("deploy/go for bob in #general"), "{audit}");
    assert!(stage.engine.runs.is_empty());
}

#[test]
fn a_thread_is_heard_by_the_plugin_that_subscribed_to_it() {
    let mut other = testing::extension("other");
    other.commands = vec![testing::command("listen", "listen too")];
    let mut stage = Stage::open(testing::robot_with(vec![deploy(), other]));
    let in_thread = |text: &str| Inbound { threaded: true, ..testing::inbound("bob", "general", text) };
    let asks = |stage: &mut Stage, text: &str, request: RobotCall| {
        stage.say(in_thread(text));
        let (mut worker, run) = stage.worker();
        worker.send(&WorkerToEngine::Call { call: CallId(1), request }).expect("sends");
        let answer = stage.reply_to(&mut worker, 1);
        stage.finish(&mut worker, &run, 0);
        matches!(answer, RobotAnswer::Boolean(true))
    };
    assert!(asks(&mut stage, ";deploy web", RobotCall::Subscribe));
    assert!(!asks(&mut stage, ";listen too", RobotCall::Subscribe), "one listener for each thread");

    stage.say(in_thread("and then?"));
    let (mut worker, heard) = stage.worker();
    assert_eq!(heard.args, ["_subscribed", "and then?"]);
    assert!(heard.env.contains(&("GOPHER_PIPELINE_TYPE".to_owned(), "plugThreadSubscription".to_owned())));
    stage.finish(&mut worker, &heard, 0);
    // Commands are still commands, and other threads are none of its business.
    stage.say(in_thread(";ping"));
    assert_eq!(stage.answer().text, "PONG");
    stage.say(Inbound { thread: "another".into(), ..in_thread("who listens?") });
    stage.say(in_thread(";ping"));
    assert_eq!(stage.answer().text, "PONG");

    assert!(asks(&mut stage, ";deploy web", RobotCall::Unsubscribe));
    stage.say(in_thread("is anybody there?"));
    stage.say(in_thread(";ping"));
    assert_eq!(stage.answer().text, "PONG");
    assert!(stage.engine.runs.is_empty());
}

#[test]
fn calls_after_the_end_are_refused() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, _) = stage.worker();
    let outcome = Outcome::Exited { status: TaskRetVal(0), signal: None };
    worker.send(&WorkerToEngine::Done { outcome }).expect("sends");
    worker.send(&WorkerToEngine::Call { call: CallId(9), request: say_call("still here") }).expect("sends");
    assert!(matches!(stage.reply_to(&mut worker, 9), RobotAnswer::Refused(_)));
}

#[test]
fn a_prompt_is_answered_by_the_next_message_even_if_it_is_a_command() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, request) = stage.worker();
    let ask = |matcher: &str| RobotCall::Prompt {
        matcher: matcher.into(),
        user: "bob".into(),
        channel: "general".into(),
        thread: String::new(),
        prompt: "sure?".into(),
        format: None,
    };
    worker.send(&WorkerToEngine::Call { call: CallId(1), request: ask("Nonsense") }).expect("sends");
    assert!(matches!(stage.reply_to(&mut worker, 1), RobotAnswer::Reply { ret: RetVal::MatcherNotFound, .. }));
    worker.send(&WorkerToEngine::Call { call: CallId(2), request: ask("SimpleString") }).expect("sends");
    let EngineToConnector::Deliver { message, .. } = stage.heard() else { panic!("the question") };
    assert_eq!(message.destination, Destination::UserInChannel { user: "bob".into(), channel: "general".into() });
    stage.say(testing::inbound("alice", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG", "others are not stopped");
    // The answer may be there before the connector has confirmed the question.
    stage.say(testing::inbound("bob", "general", "Yes, do it"));
    assert!(matches!(
        stage.reply_to(&mut worker, 2),
        RobotAnswer::Reply { text, ret: RetVal::Ok } if text == "Yes, do it"
    ));
    worker.send(&WorkerToEngine::Call { call: CallId(3), request: ask("YesNo") }).expect("sends");
    stage.answer();
    let mut admin = stage.admitted();
    admin.send(&AdminRequest::Ps).expect("sends");
    let AdminAnswer::Ps { rows } = stage.told(&mut admin) else { panic!("rows") };
    assert_eq!((rows[0].task.as_str(), rows[0].state.as_str()), ("deploy", "waiting for a reply"));
    stage.say(testing::inbound("alice", "general", &format!(";kill {}", rows[0].pipeline)));
    assert!(matches!(stage.reply_to(&mut worker, 3), RobotAnswer::Reply { ret: RetVal::Interrupted, .. }));
    let cancelled = stage.until("the cancellation", |_| worker.receive().expect("alive")).0;
    assert!(matches!(cancelled, EngineToWorker::Cancel { .. }));
    assert_eq!(stage.answer().text, format!("Killed pipeline {}", rows[0].pipeline));
    let outcome = Outcome::Exited { status: TaskRetVal(-1), signal: Some(15) };
    worker.send(&WorkerToEngine::Done { outcome }).expect("sends");
    let told = stage.answer().text;
    assert!(told.starts_with("'deploy/go' was stopped by alice"), "{told}");
    stage.tell(&SupervisorToEngine::Exited { run: request.run, exit: RunExit::Signal(15) });
    stage.settle();
    stage.say(testing::inbound("alice", "general", &format!(";kill {}", rows[0].pipeline)));
    assert_eq!(stage.answer().text, format!("Pipeline {} not found", rows[0].pipeline));
}

#[test]
fn while_runs_wait_the_supervisor_prepares_for_none_ahead() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    // More than start at once, however many processors there are.
    for _ in 0..600 {
        stage.say(testing::inbound("bob", "general", ";deploy web"));
        stage.settle();
    }
    let (mut worker, _) = stage.worker();
    let outcome = Outcome::Exited { status: TaskRetVal(0), signal: None };
    worker.send(&WorkerToEngine::Done { outcome }).expect("sends");
    stage.settle();
    assert!(stage.engine.admission.waiting() > 0);
    let mut spawned = 0;
    while let Some((message, _)) = stage.supervisor.receive().expect("alive") {
        assert!(!matches!(message, EngineToSupervisor::Concluded { .. }), "{message:?}");
        spawned += usize::from(matches!(message, EngineToSupervisor::Spawn { .. }));
    }
    assert!(spawned > 0, "the next one begins");
}

#[test]
fn the_supervisor_hears_that_a_run_is_concluded_before_its_process_ends() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, request) = stage.worker();
    let outcome = Outcome::Exited { status: TaskRetVal(0), signal: None };
    worker.send(&WorkerToEngine::Done { outcome }).expect("sends");
    stage.until("the conclusion", |s| match s.supervisor.receive().expect("alive")?.0 {
        EngineToSupervisor::Concluded { run } => (run == request.run).then_some(()),
        EngineToSupervisor::PipelineClosed { .. } => None,
        other => panic!("{other:?}"),
    });
}

#[test]
fn a_worker_that_vanishes_or_never_starts_gets_one_sentence() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (worker, request) = stage.worker();
    drop(worker);
    stage.until("the kill", |s| match s.supervisor.receive().expect("alive")?.0 {
        EngineToSupervisor::Kill { run } if run == request.run => Some(()),
        _ => None,
    });
    stage.tell(&SupervisorToEngine::Exited { run: request.run, exit: RunExit::Signal(9) });
    let told = stage.answer().text;
    assert!(told.contains("its worker ended before the task was done (signal 9 (SIGKILL))"), "{told}");

    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let request = stage.spawn_request();
    stage.tell(&SupervisorToEngine::SpawnFailed { run: request.run, reason: "no uid is free, try later".into() });
    let told = stage.answer().text;
    assert!(told.starts_with("Sorry, I couldn't start 'deploy': no uid is free, try later"), "{told}");
    stage.settle();
    assert!(stage.engine.runs.is_empty());
}

#[test]
fn a_malformed_frame_of_a_worker_ends_its_run_only() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let request = stage.spawn_request();
    let (ours, theirs) = link::pair().expect("a pair");
    stage.supervisor.send_with(&SupervisorToEngine::Spawned { run: request.run }, vec![theirs]).expect("sends");
    nix::unistd::write(&ours, &[0xff; 64]).expect("writes");
    stage.until("the kill", |s| match s.supervisor.receive().expect("alive")?.0 {
        EngineToSupervisor::Kill { run } if run == request.run => Some(()),
        _ => None,
    });
    stage.say(testing::inbound("alice", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG");
}

#[test]
fn one_users_flood_does_not_delay_anothers_command() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    for n in 0..20 {
        stage.say(testing::inbound("bob", "general", &format!(";deploy {n}")));
    }
    stage.settle();
    stage.say(testing::inbound("carol", "general", ";deploy hers"));
    let mut requests: Vec<RunId> = Vec::new();
    let carols = RunId(stage.engine.next_run.0 + 20);
    stage.until("carol's run", |s| {
        while let Some((message, _)) = s.supervisor.receive().expect("alive") {
            if let EngineToSupervisor::Spawn { request } = message {
                requests.push(request.run);
            }
        }
        requests.contains(&RunId(s.engine.next_run.0 - 1)).then_some(())
    });
    assert!(requests.len() <= crate::engine::cores() + 2, "before {carols}: {requests:?}");
}

#[test]
fn the_end_cancels_what_runs_and_refuses_what_comes() {
    let mut stage = Stage::open(testing::robot_with(vec![deploy()]));
    stage.say(testing::inbound("bob", "general", ";deploy web"));
    let (mut worker, request) = stage.worker();
    stage.tell(&SupervisorToEngine::Ping { nonce: 7 });
    assert!(matches!(
        stage.until("the pong", |s| match s.supervisor.receive().expect("alive")?.0 {
            EngineToSupervisor::PipelineClosed { .. } | EngineToSupervisor::Concluded { .. } => None,
            other => Some(other),
        }),
        EngineToSupervisor::Pong { nonce: 7 }
    ));
    stage.tell(&SupervisorToEngine::Stop);
    let cancelled = stage.until("the cancellation", |_| worker.receive().expect("alive")).0;
    assert!(matches!(cancelled, EngineToWorker::Cancel { .. }));
    stage.say(testing::inbound("alice", "general", ";deploy db"));
    assert_eq!(stage.answer().text, "Sorry, I'm shutting down and can't start any new tasks");
    assert!(!stage.engine.over);
    stage.finish(&mut worker, &request, -1);
    assert!(stage.answer().text.contains("because the robot is shutting down"));
    assert!(matches!(stage.heard(), EngineToConnector::Stop), "last words come first");
    assert!(!stage.engine.over, "the connector may still deliver them");
    stage.connector = None;
    stage.until("the end", |s| s.engine.over.then_some(()));
}

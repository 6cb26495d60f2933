use super::*;

#[test]
fn hostile_admin_clients_are_dropped_and_nobody_notices() {
    let mut stage = Stage::open(testing::robot());
    let mut silent = stage.admin();
    silent.send(&AdminRequest::Status).expect("sends");
    stage.hung_up_on(&mut silent);
    let mut liar = stage.admin();
    liar.send(&AdminRequest::Authenticate { cookie: "guess".into() }).expect("sends");
    assert!(matches!(stage.told(&mut liar), AdminAnswer::Refused { .. }));
    stage.hung_up_on(&mut liar);
    stage.admin();
    let raw = UnixStream::connect(stage.directory.join("admin")).expect("connects");
    nix::unistd::write(&raw, &[0xee; 4096]).expect("writes");
    stage.settle();

    // Asks and asks and reads nothing.
    let mut deaf = stage.admitted();
    for _ in 0..400 {
        stage.engine.log.info(&"x".repeat(2000));
    }
    for _ in 0..20 {
        deaf.send(&AdminRequest::Logs { lines: 400, follow: true }).expect("sends");
    }
    stage.until("the deaf client's end", |s| s.engine.clients.values().all(|c| c.deadline().is_some()).then_some(()));
    stage.say(testing::inbound("alice", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG");
    let mut good = stage.admitted();
    good.send(&AdminRequest::Logs { lines: 5, follow: false }).expect("sends");
    assert!(matches!(stage.told(&mut good), AdminAnswer::Log { lines } if lines.len() == 5));
    good.send(&AdminRequest::Kill { pipeline: PipelineId(99) }).expect("sends");
    assert!(matches!(stage.told(&mut good), AdminAnswer::Refused { reason } if reason == "Pipeline 99 not found"));
}

#[test]
fn a_console_is_handed_to_its_connector_as_the_first_admin() {
    let mut stage = Stage::open(testing::robot());
    let mut admin = stage.admitted();
    admin.send(&AdminRequest::Console).expect("sends");
    let EngineToSupervisor::StartConnector { name } = stage.asked() else { panic!("the terminal") };
    let (mut terminal, socket) = pair::<ConnectorToEngine, EngineToConnector>();
    stage.supervisor.send_with(&SupervisorToEngine::Connector { name }, vec![socket]).expect("sends");
    let capabilities =
        Capabilities { hidden_commands: true, threads: true, robot_id: None, mention: None, hidden_prefix: None };
    terminal.send(&ConnectorToEngine::Up { capabilities }).expect("sends");
    let (console, descriptors) = stage.until("the console", |_| match terminal.receive().expect("alive")? {
        (EngineToConnector::Attach { console }, descriptors) => Some((console, descriptors)),
        _ => None,
    });
    assert_eq!((console.user.as_str(), console.any_user, descriptors.len()), ("alice", true, 1));
    assert!(console.vocabulary.commands.contains(&"ping".to_owned()));
    assert!(matches!(stage.told(&mut admin), AdminAnswer::ConsoleFollows));
}

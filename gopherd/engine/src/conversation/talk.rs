use super::*;

#[test]
fn start_gate_ping() {
    let mut stage = Stage::load(testing::robot_with(vec![deploy()]));
    assert!(matches!(stage.heard(), EngineToConnector::Join { .. }));
    let (mut worker, request) = stage.worker();
    stage.say(testing::inbound("alice", "general", ";ping"));
    assert_eq!(stage.answer().text, "(the robot is still starting up, please wait and try your command again later)");
    stage
        .connector
        .as_mut()
        .expect("is connected")
        .send(&ConnectorToEngine::AskIdle { call: CallId(4) })
        .expect("sends");
    stage.finish(&mut worker, &request, 0);
    assert!(matches!(stage.heard(), EngineToConnector::GateOpen));
    assert!(matches!(stage.heard(), EngineToConnector::Idle { call: CallId(4) }));

    stage.say(testing::inbound("alice", "general", ";ping"));
    let answer = stage.answer();
    assert_eq!((answer.text.as_str(), answer.format, answer.hidden), ("PONG", MessageFormat::Fixed, false));
    assert_eq!(answer.destination, Destination::UserInChannel { user: "alice".into(), channel: "general".into() });
    assert_eq!(stage.events, ["CommandTaskRan", "GoPluginRan"]);

    stage.say(testing::inbound("alice", "", "ping"));
    assert_eq!(stage.answer().destination, Destination::User { user: "alice".into() });
    assert_eq!(stage.events[2..], ["BotDirectMessage", "CommandTaskRan", "GoPluginRan"]);
}

#[test]
fn the_same_event_is_acknowledged_again_but_acted_on_once() {
    let mut stage = Stage::open(testing::robot());
    let message = Inbound { event: "twice".into(), ..testing::inbound("alice", "general", ";ping") };
    stage.say_again(message.clone());
    assert_eq!(stage.answer().text, "PONG");
    stage.say_again(message);
    stage.say(testing::inbound("alice", "general", "floyd"));
    assert_eq!(stage.answer().text, "Yes?", "no second PONG before it");
}

#[test]
fn a_remark_is_turned_into_a_command_by_calling_the_robot() {
    let mut stage = Stage::open(testing::robot());
    stage.say(testing::inbound("alice", "general", "ping"));
    stage.say(testing::inbound("alice", "general", "floyd"));
    assert_eq!(stage.answer().text, "PONG");
    stage.say(testing::inbound("bob", "general", "floyd: echo hello"));
    let advice = stage.answer();
    assert!(advice.text.starts_with("I couldn't match `floyd, echo hello` in channel `#general`."), "{}", advice.text);
    assert!(advice.thread.is_some());
    let hidden = Inbound { hidden: true, ..testing::inbound("alice", "general", "ping") };
    stage.say(Inbound { text: ";ping".into(), ..hidden.clone() });
    let refusal = stage.answer();
    assert_eq!(refusal.text, "Use `/floyd <command>` to address a private command.");
    assert!(refusal.hidden);
    for text in ["ping", "nothing anybody knows"] {
        stage.say(Inbound { text: text.into(), ..hidden.clone() });
        let advice = stage.answer();
        assert_eq!(advice.text, "Use `/floyd <command>` to address a private command.", "{text}");
        assert!(advice.hidden);
    }
    stage.say(Inbound { text: "floyd ping".into(), ..hidden });
    assert!(stage.answer().hidden);
}

/// A plugin with `SimpleMatcher`s that answers in one channel.
fn levels() -> Extension {
    let mut extension = testing::extension("levels");
    extension.commands = vec![testing::simple("set", "set level (lvl:debug|info)"), testing::simple("what", "?")];
    extension.commands[0].contexts = vec!["level:it".into(), "more".into()];
    extension.channels = vec!["ops".into()];
    extension.private.allowed = vec!["*".into()];
    extension
}

#[test]
fn a_wrong_value_is_answered_in_the_thread_and_a_wrong_place_with_the_right_one() {
    let mut stage = Stage::open(testing::robot_with(vec![levels()]));
    stage.say(testing::inbound("bob", "ops", ";set level loud."));
    let answer = stage.answer();
    assert_eq!(answer.text, "Invalid value: \"loud\" for: \"lvl\"; valid values: debug, info.");
    assert_eq!(answer.destination, Destination::Channel { channel: "ops".into() });
    assert!(answer.thread.is_some());
    stage.say(testing::inbound("bob", "", "set level loud"));
    let plain = stage.answer();
    assert_eq!((plain.thread, plain.destination), (None, Destination::User { user: "bob".into() }));

    stage.say(testing::inbound("bob", "general", ";set level debug"));
    let hint = stage.answer();
    assert_eq!(hint.text, "levels/set not available in #general, try #ops");
    assert!(hint.thread.is_some());
    stage.say(testing::inbound("bob", "general", ";set level loud"));
    let advice = stage.answer().text;
    assert!(!advice.contains("Invalid value"), "what is wrong elsewhere is not told here: {advice}");
    stage.say(testing::inbound("bob", "general", ";zebra crossing"));
    assert!(stage.answer().text.starts_with("I couldn't match"));

    stage.say(testing::inbound("bob", "ops", ";set-level DEBUG."));
    let (mut worker, request) = stage.worker();
    assert_eq!(request.args, ["set", "DEBUG"]);
    stage.finish(&mut worker, &request, 0);
    let log = fs::read_to_string(stage.directory.join("robot.log")).expect("a log");
    assert!(log.contains("'levels/set' has 2 contexts and only 1 captures"), "{log}");
}

#[test]
fn a_question_mark_is_a_command_if_a_plugin_says_so_and_a_remark_is_second() {
    let mut stage = Stage::open(testing::robot_with(vec![levels()]));
    stage.say(testing::inbound("bob", "ops", "set level info"));
    stage.say(testing::inbound("bob", "ops", "floyd?"));
    let (mut worker, request) = stage.worker();
    assert_eq!(request.args, ["what"]);
    stage.finish(&mut worker, &request, 0);
    stage.say(testing::inbound("bob", "ops", "floyd"));
    assert_eq!(stage.answer().text, "Yes?", "a command forgets the remark");
    stage.say(testing::inbound("carol", "ops", "set level loud"));
    stage.say(testing::inbound("carol", "ops", ";"));
    assert!(stage.answer().text.starts_with("Invalid value: \"loud\""), "a remark gets the answer of a command");
    stage.say(testing::inbound("carol", "ops", "nothing anybody knows"));
    stage.say(testing::inbound("carol", "ops", "floyd"));
    let advice = stage.answer().text;
    assert!(advice.starts_with("I couldn't match `floyd, nothing anybody knows` in channel"), "{advice}");
}

#[test]
fn nothing_is_remembered_when_two_plugins_match() {
    let twin = Extension { name: "twin".into(), ..levels() };
    let mut stage = Stage::open(testing::robot_with(vec![levels(), twin]));
    stage.say(testing::inbound("bob", "ops", ";set level debug"));
    assert!(stage.answer().text.starts_with("Yikes!"));
    let remembered = |s: &mut Stage| {
        s.engine.ephemeral.recall(&testing::context("bob", "ops"), "context:level", false, Instant::now())
    };
    assert_eq!(remembered(&mut stage), "");
}

#[test]
fn two_catch_alls_that_want_it_equally_are_an_error() {
    let mut other = testing::extension("other");
    other.catch_all = true;
    let mut stage = Stage::open(testing::robot_with(vec![other]));
    stage.say(testing::inbound("bob", "general", ";what"));
    stage.say(testing::inbound("bob", "general", ";ping"));
    assert_eq!(stage.answer().text, "PONG", "and nobody answered before");
    let log = fs::read_to_string(stage.directory.join("robot.log")).expect("a log");
    assert!(log.contains("no catch-all ran for bob in #general: 'builtin-fallback', 'other' all want it"), "{log}");
}

#[test]
fn help_that_nobody_was_asked_for_is_given_in_the_thread() {
    let mut stage = Stage::open(testing::robot());
    stage.say(testing::inbound("zoe", "general", "help"));
    let welcome = stage.answer();
    assert!(welcome.text.starts_with("**Help**\nHi, I'm Floyd"), "{}", welcome.text);
    assert_eq!((welcome.format, welcome.thread.is_some()), (MessageFormat::BasicMarkdown, true));
    assert_eq!(welcome.destination, Destination::Channel { channel: "general".into() });
    assert_eq!(stage.events, ["AmbientTaskRan", "GoPluginRan"]);
    stage.say(testing::inbound("bob", "general", ";help with robot"));
    assert_eq!(stage.answer().text, welcome.text);
    stage.say(Inbound { threaded: true, ..testing::inbound("bob", "general", ";help") });
    let overview = stage.answer();
    assert!(overview.text.starts_with("**Quick help**"), "{}", overview.text);
    assert_eq!(overview.destination, Destination::UserInChannel { user: "bob".into(), channel: "general".into() });
    stage.say(testing::inbound("bob", "general", ";info"));
    let info = stage.answer();
    assert!(info.text.starts_with("Hello, I'm Floyd Gopherbot"), "{}", info.text);
    assert_eq!((info.format, info.thread.is_some()), (MessageFormat::Variable, true));
}

#[test]
fn what_administrators_may_do_is_neither_done_for_nor_shown_to_others() {
    let mut stage = Stage::open(testing::robot());
    stage.say(testing::inbound("bob", "general", ";reload"));
    assert!(stage.answer().text.starts_with("I couldn't match `;reload`"));
    for (errors, answer) in [
        (Vec::new(), "Configuration reloaded successfully"),
        (vec!["conf/robot.yaml:1:1: no".to_owned()], "Error encountered during reload:"),
    ] {
        stage.say(testing::inbound("alice", "general", ";reload"));
        let number = Number(stage.engine.newest.0 + 1);
        let mut loader = stage.reloads(number);
        let robot = Box::new(Robot { generation: number, ..testing::robot() });
        let refused = !errors.is_empty();
        let said = if refused { LoaderToEngine::Refused { errors } } else { loaded(*robot) };
        loader.send(&said).expect("sends");
        if !refused {
            assert!(matches!(stage.heard(), EngineToConnector::Configure { .. }));
        }
        assert_eq!(stage.answer().text, answer);
        if refused {
            assert_eq!(stage.answer().text, "conf/robot.yaml:1:1: no");
        }
        stage.asked();
    }
}

#[test]
fn a_secret_is_encrypted_where_only_its_owner_sees_it() {
    let mut stage = Stage::open(testing::robot());
    let (mut secretd, socket) = pair::<SecretdToEngine, EngineToSecretd>();
    stage.supervisor.send_with(&SupervisorToEngine::Secretd, vec![socket]).expect("sends");
    stage.settle();
    stage.say(testing::inbound("alice", "general", ";encrypt-secret hunter2"));
    assert_eq!(stage.answer().text, "This command is only available in a private context.");
    stage.say(testing::inbound("alice", "", "encrypt-secret hunter2"));
    let (asked, _) = stage.until("the request", |_| secretd.receive().expect("alive"));
    let EngineToSecretd::Encrypt { call, plaintext } = asked else { panic!("{asked:?}") };
    assert_eq!(plaintext.expose(), b"hunter2");
    secretd.send(&SecretdToEngine::Encrypted { call, text: "c2VjcmV0".into() }).expect("sends");
    let answer = stage.answer();
    assert_eq!((answer.text.as_str(), answer.format), ("c2VjcmV0", MessageFormat::Raw));
    let log = fs::read_to_string(stage.directory.join("audit.log")).expect("a log");
    assert!(log.contains("builtin-admin/encryptsecret") && !log.contains("hunter2"), "{log}");
}

use gopher_protocol::{
    ids::{CallId, DeliveryId},
    robot_api::MessageFormat,
};

use super::*;

const CONFIG: &str = r#"{"Users":[{"Name":"alice","InternalID":"u0001","Email":"a@example.com"},{"Name":"bob","InternalID":"u0002"}],
    "Channels":["general","random"],"StartChannel":"random"}"#;
const ONE: ConsoleId = ConsoleId(1);
const TWO: ConsoleId = ConsoleId(2);

fn settings(config: &str) -> ConnectorSettings {
    ConnectorSettings {
        config: config.into(),
        robot_name: "floyd".into(),
        robot_full_name: "Floyd Gopher".into(),
        alias: Some(';'),
        users: vec!["carol".into()],
        channels: vec!["lobby".into()],
    }
}

fn configured(config: &str) -> TerminalService {
    let mut service = TerminalService::new("i".into());
    run(&mut service, |s, out| {
        s.engine(EngineToConnector::Configure { settings: settings(config) }, out);
    });
    service
}

fn run(service: &mut TerminalService, act: impl FnOnce(&mut TerminalService, &mut Vec<Action>)) -> Vec<Action> {
    let mut out = Vec::new();
    act(service, &mut out);
    out
}

fn attach(service: &mut TerminalService, id: ConsoleId, user: &str, any_user: bool) -> Vec<Action> {
    let vocabulary = Vocabulary { commands: vec!["ping".into()], users: Vec::new(), channels: Vec::new() };
    run(service, |s, out| {
        s.attach(id, ConsoleIdentity { user: user.into(), any_user, vocabulary }, out);
    })
}

/// What the console is told: notices, and contexts as `user/channel/thread`.
fn told(service: &mut TerminalService, id: ConsoleId, message: ConsoleToConnector) -> Vec<String> {
    let actions = run(service, |s, out| s.console(id, message, out));
    let text = |action| match action {
        Action::Console(to, ConnectorToConsole::Notice { text }) if to == id => text,
        Action::Console(to, ConnectorToConsole::Context { context: c }) if to == id => {
            format!("{}/{}/{}", c.user, c.channel.as_deref().unwrap_or("-"), c.thread.as_deref().unwrap_or("-"))
        }
        other => panic!("{other:?}"),
    };
    actions.into_iter().map(text).collect()
}

fn say(service: &mut TerminalService, id: ConsoleId, text: &str, hidden: bool) -> Inbound {
    match run(service, |s, out| {
        s.console(id, ConsoleToConnector::Say { text: text.into(), hidden }, out);
    })
    .pop()
    {
        Some(Action::Engine(ConnectorToEngine::Inbound { message })) => message,
        other => panic!("{other:?}"),
    }
}

fn outbound(destination: Destination, text: &str) -> Outbound {
    Outbound {
        destination,
        thread: None,
        text: text.into(),
        format: MessageFormat::BasicMarkdown,
        hidden: false,
        answers: None,
    }
}

/// Who is shown what, and what the delivery returned.
fn deliver(service: &mut TerminalService, message: Outbound) -> (Vec<(u64, Shown)>, RetVal) {
    let deliver = EngineToConnector::Deliver { delivery: DeliveryId(1), message };
    let (mut shown, mut returned) = (Vec::new(), None);
    for action in run(service, |s, out| s.engine(deliver, out)) {
        match action {
            Action::Console(id, ConnectorToConsole::Show { message }) => shown.push((id.0, message)),
            Action::Engine(ConnectorToEngine::Delivered { ret, .. }) => returned = Some(ret),
            Action::Engine(ConnectorToEngine::Inbound { message }) => assert!(message.self_message),
            other => panic!("{other:?}"),
        }
    }
    (shown, returned.unwrap())
}

fn channel(name: &str) -> Destination {
    Destination::Channel { channel: name.into() }
}

fn addressed(user: &str, channel: &str) -> Destination {
    Destination::UserInChannel { user: user.into(), channel: channel.into() }
}

fn switch_channel(name: &str) -> ConsoleToConnector {
    ConsoleToConnector::SwitchChannel { channel: Some(name.into()) }
}

fn switch_user(name: &str) -> ConsoleToConnector {
    ConsoleToConnector::SwitchUser { user: name.into() }
}

fn switch_thread(name: &str) -> ConsoleToConnector {
    ConsoleToConnector::SwitchThread { thread: Some(name.into()) }
}

#[test]
fn a_console_is_welcomed_where_the_configuration_says() {
    let mut service = configured(CONFIG);
    match attach(&mut service, ONE, "alice", false).pop() {
        Some(Action::Console(ONE, ConnectorToConsole::Welcome { robot, alias, context, vocabulary })) => {
            assert_eq!((robot.as_str(), alias), ("floyd", Some(';')));
            assert_eq!(context, ConsoleContext { user: "alice".into(), channel: Some("random".into()), thread: None });
            assert_eq!(vocabulary.users, ["alice", "bob"]);
            assert_eq!(vocabulary.channels, ["general", "random"]);
            assert_eq!(vocabulary.commands, ["ping"]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_a_protocol_configuration_the_robots_own_lists_serve() {
    let mut service = configured("");
    attach(&mut service, ONE, "root", true);
    let message = say(&mut service, ONE, "hi", false);
    assert_eq!((message.channel_name, message.user_id.as_str()), (Some("lobby".into()), "root"));
    assert_eq!(told(&mut service, ONE, switch_user("carol")), ["carol/lobby/-", "Changed current user to: carol"]);
    let (_, ret) = deliver(&mut service, outbound(channel("general"), "x"));
    assert_eq!(ret, RetVal::ChannelNotFound);
}

#[test]
fn only_who_may_be_anybody_starts_as_the_start_user() {
    let config = r#"{"Users":[{"Name":"alice","InternalID":"u0001"}],"Channels":["general"],"StartUser":"alice"}"#;
    let mut service = configured(config);
    attach(&mut service, ONE, "dora", true);
    attach(&mut service, TWO, "dora", false);
    assert_eq!(say(&mut service, ONE, "x", false).user_name, Some("alice".into()));
    assert_eq!(say(&mut service, TWO, "x", false).user_name, Some("dora".into()));
}

#[test]
fn a_start_value_outside_its_list_is_named_and_the_robots_lists_serve() {
    let mut service = TerminalService::new("i".into());
    let configure = EngineToConnector::Configure { settings: settings(r#"{"Channels":["a"],"StartChannel":"b"}"#) };
    match &run(&mut service, |s, out| s.engine(configure, out))[0] {
        Action::Engine(ConnectorToEngine::Health { trouble: Some(trouble) }) => {
            assert_eq!(trouble, "ProtocolConfig: StartChannel is 'b', which is not in Channels.");
        }
        other => panic!("{other:?}"),
    }
    attach(&mut service, ONE, "carol", false);
    assert_eq!(say(&mut service, ONE, "x", false).channel_name, Some("lobby".into()));
    let configure = EngineToConnector::Configure { settings: settings(CONFIG) };
    let mended = run(&mut service, |s, out| s.engine(configure, out));
    assert!(matches!(&mended[0], Action::Engine(ConnectorToEngine::Health { trouble: None })));
}

#[test]
fn a_line_becomes_a_validated_event_with_a_thread_to_reply_in() {
    let mut service = configured(CONFIG);
    attach(&mut service, ONE, "alice", true);
    let first = say(&mut service, ONE, "floyd, ping", false);
    assert_eq!((first.event.as_str(), first.user_id.as_str(), first.channel_id.as_str()), ("i.1", "u0001", "#random"));
    assert!(first.validated_user && !first.direct && !first.threaded && !first.hidden && !first.self_message);
    assert_eq!(first.thread.as_str(), first.message_id.as_str());
    let second = say(&mut service, ONE, "floyd ping", true);
    assert!(second.hidden && second.thread > first.thread && second.event != first.event);
}

#[test]
fn threads_are_started_joined_and_left() {
    let mut service = configured(CONFIG);
    attach(&mut service, ONE, "alice", true);
    assert_eq!(told(&mut service, ONE, switch_thread("")), ["alice/random/0001", "(now typing in thread: 0001)"]);
    let message = say(&mut service, ONE, "x", false);
    assert!(message.threaded && message.thread.as_str() == "0001" && message.message_id.as_str() == "0002");
    assert_eq!(told(&mut service, ONE, switch_thread("00ff")), ["alice/random/00ff", "(now typing in thread: 00ff)"]);
    assert_eq!(told(&mut service, ONE, switch_thread("a\u{1b}b")), ["Invalid thread"]);
    let leave = ConsoleToConnector::SwitchThread { thread: None };
    assert_eq!(told(&mut service, ONE, leave), ["alice/random/-", "(typing in channel now)"]);
    told(&mut service, ONE, switch_thread("00ff"));
    assert_eq!(
        told(&mut service, ONE, switch_channel("general"))[0],
        "alice/general/-",
        "changing the channel leaves the thread"
    );
    let direct = ConsoleToConnector::SwitchChannel { channel: None };
    assert_eq!(told(&mut service, ONE, direct), ["alice/-/-", "Changed current channel to: direct message"]);
    assert_eq!(told(&mut service, ONE, switch_thread("")), ["(threads are for channels: this is a direct message)"]);
    let message = say(&mut service, ONE, "x", false);
    assert!(
        message.direct && message.channel_name.is_none() && message.channel_id.is_empty() && message.thread.is_empty()
    );
}

#[test]
fn channels_and_users_are_switched_by_name() {
    let mut service = configured(CONFIG);
    attach(&mut service, ONE, "alice", true);
    assert_eq!(
        told(&mut service, ONE, switch_channel("general")),
        ["alice/general/-", "Changed current channel to: general"]
    );
    assert_eq!(told(&mut service, ONE, switch_channel("#random"))[0], "alice/random/-");
    assert_eq!(told(&mut service, ONE, switch_channel("nowhere")), ["Invalid channel"]);
    assert_eq!(told(&mut service, ONE, switch_user("bob")), ["bob/random/-", "Changed current user to: bob"]);
    assert_eq!(told(&mut service, ONE, switch_user("mallory")), ["Invalid user"]);
    assert_eq!(told(&mut service, ONE, switch_user("floyd")), ["Invalid user"]);
    assert_eq!(told(&mut service, ONE, switch_user("")), ["Invalid 0-length user"]);
    assert_eq!(told(&mut service, ONE, ConsoleToConnector::ListUsers), ["Users: alice, bob"]);
    assert_eq!(
        told(&mut service, ONE, ConsoleToConnector::ListChannels),
        ["Channels: (direct message), general, random"]
    );
}

#[test]
fn nobody_speaks_for_others_where_that_is_not_allowed() {
    let mut service = configured(CONFIG);
    attach(&mut service, ONE, "alice", false);
    let notices = told(&mut service, ONE, switch_user("bob"));
    assert!(notices.len() == 1 && notices[0].starts_with("You stay alice: "), "{notices:?}");
    assert_eq!(say(&mut service, ONE, "x", false).user_name, Some("alice".into()));
}

#[test]
fn a_channel_message_is_shown_to_the_consoles_in_it() {
    let mut service = configured(CONFIG);
    attach(&mut service, ONE, "alice", true);
    attach(&mut service, TWO, "bob", true);
    told(&mut service, TWO, switch_channel("general"));
    let (shown, ret) = deliver(&mut service, outbound(addressed("bob", "random"), "**hi** [x](http://y)"));
    assert_eq!(ret, RetVal::Ok);
    assert_eq!(shown.len(), 1);
    let (to, message) = &shown[0];
    assert_eq!((*to, message.text.as_str(), message.user.as_deref()), (1, "**hi** [x](http://y)", Some("bob")));
    assert_eq!(message.format, MessageFormat::BasicMarkdown, "the console renders it");
    assert_eq!(message.channel.as_deref(), Some("random"));
}

#[test]
fn a_direct_message_finds_its_user_wherever_they_are() {
    let mut service = configured(CONFIG);
    attach(&mut service, ONE, "alice", true);
    attach(&mut service, TWO, "bob", true);
    let (shown, ret) = deliver(&mut service, outbound(Destination::User { user: "<u0002>".into() }, "psst"));
    assert_eq!((shown.len(), shown[0].0, ret), (1, 2, RetVal::Ok));
    assert_eq!((shown[0].1.channel.as_deref(), shown[0].1.user.as_deref()), (None, Some("bob")));
}

#[test]
fn a_hidden_reply_is_shown_to_its_user_only() {
    let mut service = configured(CONFIG);
    attach(&mut service, ONE, "alice", true);
    attach(&mut service, TWO, "bob", true);
    let hidden = |destination, answers: Option<&str>| Outbound {
        hidden: true,
        answers: answers.map(Into::into),
        ..outbound(destination, "secret")
    };
    let (shown, _) = deliver(&mut service, hidden(channel("random"), Some("alice")));
    assert!(shown.len() == 1 && shown[0].0 == 1 && shown[0].1.hidden, "{shown:?}");
    let (shown, _) = deliver(&mut service, hidden(addressed("bob", "random"), None));
    assert!(shown.len() == 1 && shown[0].0 == 2, "{shown:?}");
    let (shown, ret) = deliver(&mut service, hidden(channel("random"), None));
    assert!(shown.is_empty() && ret == RetVal::UserNotFound, "a hidden text without a user goes to nobody");
}

#[test]
fn a_delivery_is_done_also_when_nobody_is_there() {
    let mut service = configured(CONFIG);
    assert_eq!(deliver(&mut service, outbound(channel("general"), "x")), (Vec::new(), RetVal::Ok));
    assert_eq!(
        deliver(&mut service, outbound(Destination::User { user: "mallory".into() }, "x")).1,
        RetVal::UserNotFound
    );
    attach(&mut service, ONE, "mallory", false);
    assert_eq!(deliver(&mut service, outbound(Destination::User { user: "mallory".into() }, "x")).1, RetVal::Ok);
    service.gone(ONE);
    assert_eq!(
        deliver(&mut service, outbound(Destination::User { user: "mallory".into() }, "x")).1,
        RetVal::UserNotFound
    );
}

#[test]
fn formats_and_threads_are_passed_on() {
    let mut service = configured(CONFIG);
    attach(&mut service, ONE, "alice", true);
    let message =
        Outbound { format: MessageFormat::Fixed, thread: Some("0007".into()), ..outbound(channel("random"), "*a*") };
    let (shown, _) = deliver(&mut service, message);
    let (_, message) = &shown[0];
    assert_eq!((message.format, message.text.as_str()), (MessageFormat::Fixed, "*a*"));
    assert_eq!(message.thread.as_deref(), Some("0007"));
}

#[test]
fn mock_formatting_makes_literal_formats_visible() {
    let shown = |config: &str, format| {
        let mut service = configured(config);
        attach(&mut service, ONE, "alice", true);
        deliver(&mut service, Outbound { format, ..outbound(channel("general"), "**Ab**") }).0[0].1.text.clone()
    };
    let mock = r#"{"Channels":["general"],"MockFormatting":true}"#;
    assert_eq!(shown(mock, MessageFormat::Fixed), "**AB**");
    assert_eq!(shown(mock, MessageFormat::Variable), "**ab**");
    assert_eq!(shown(mock, MessageFormat::Raw), "**Ab**");
    assert_eq!(shown(mock, MessageFormat::BasicMarkdown), "**Ab**");
    assert_eq!(shown(r#"{"Channels":["general"]}"#, MessageFormat::Fixed), "**Ab**");
}

#[test]
fn the_robot_hears_itself_in_channels_but_not_what_is_private() {
    let mut service = configured(CONFIG);
    let heard = |service: &mut TerminalService, message| {
        let deliver = EngineToConnector::Deliver { delivery: DeliveryId(1), message };
        let actions = run(service, |s, out| s.engine(deliver, out));
        actions.into_iter().find_map(|action| match action {
            Action::Engine(ConnectorToEngine::Inbound { message }) => Some(message),
            _ => None,
        })
    };
    let message = heard(&mut service, outbound(channel("random"), "**Done**")).unwrap();
    assert!(message.self_message && message.user_name == Some("floyd".into()) && message.user_id.as_str() == "u0000");
    assert_eq!(message.text, "**Done**", "the text as it was written");
    assert!(heard(&mut service, outbound(Destination::User { user: "bob".into() }, "x")).is_none());
    let hidden = Outbound { hidden: true, ..outbound(addressed("bob", "random"), "x") };
    assert!(heard(&mut service, hidden).is_none());
}

#[test]
fn a_text_over_the_limit_is_refused_with_a_sentence() {
    let mut service = configured(CONFIG);
    attach(&mut service, ONE, "alice", true);
    let text = "x".repeat(LONGEST_TEXT + 1);
    let notices = told(&mut service, ONE, ConsoleToConnector::Say { text, hidden: false });
    assert_eq!(notices, ["The message has 16385 bytes, more than 16384: it was not sent."]);
    assert_eq!(say(&mut service, ONE, &"x".repeat(LONGEST_TEXT), false).text.len(), LONGEST_TEXT);
}

#[test]
fn attributes_are_looked_up_in_users() {
    let mut service = configured(CONFIG);
    let ask = EngineToConnector::LookUp { call: CallId(1), user: "alice".into(), attribute: "email".into() };
    match run(&mut service, |s, out| s.engine(ask, out)).pop() {
        Some(Action::Engine(ConnectorToEngine::Attribute { value, ret, .. })) => {
            assert_eq!((value.as_str(), ret), ("a@example.com", RetVal::Ok));
        }
        other => panic!("{other:?}"),
    }
}

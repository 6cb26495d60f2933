use gopher_protocol::connector::{ConnectorSettings, ConnectorToEngine, Vocabulary};
use gopher_sys::link;

use super::*;
use crate::start::EngineLink;

type FarEngine = Link<EngineToConnector, ConnectorToEngine>;
type FarConsole = Link<ConsoleToConnector, ConnectorToConsole>;

/// A connector whose loop the test turns by hand.
struct Bench {
    connector: TerminalConnector,
    io: Io,
    engine: FarEngine,
}

impl Bench {
    fn new() -> Self {
        let (near, far) = link::pair().unwrap();
        let mut bench = Self {
            connector: TerminalConnector::new(),
            io: Io::new(EngineLink::new(near).unwrap()).unwrap(),
            engine: FarEngine::new(far).unwrap(),
        };
        let settings = ConnectorSettings {
            config: r#"{"Users":[{"Name":"alice","InternalID":"u0001"}],"Channels":["general"]}"#.into(),
            robot_name: "floyd".into(),
            robot_full_name: String::new(),
            alias: None,
            users: Vec::new(),
            channels: Vec::new(),
        };
        bench.connector.engine(EngineToConnector::Configure { settings }, Vec::new(), &mut bench.io).unwrap();
        bench.engine.flush().unwrap();
        assert!(matches!(bench.engine.receive(), Ok(Some((ConnectorToEngine::Up { .. }, _)))));
        bench
    }

    fn attach(&mut self) -> FarConsole {
        let (near, far) = link::pair().unwrap();
        let vocabulary = Vocabulary { commands: Vec::new(), users: Vec::new(), channels: Vec::new() };
        let console = ConsoleIdentity { user: "alice".into(), any_user: true, vocabulary };
        self.connector.engine(EngineToConnector::Attach { console }, vec![near], &mut self.io).unwrap();
        FarConsole::new(far).unwrap()
    }

    fn turn(&mut self) {
        for ready in self.io.poller.wait(Some(Duration::ZERO)).unwrap() {
            self.connector.ready(ready, &mut self.io).unwrap();
        }
        for _ in 0..1000 {
            if !self.connector.settle(&mut self.io).unwrap() {
                return;
            }
        }
        panic!("the connector never comes to rest");
    }

    /// Texts that reached the engine.
    fn inbound(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some((message, _)) = self.engine.receive().unwrap() {
            if let ConnectorToEngine::Inbound { message } = message {
                texts.push(message.text);
            }
        }
        texts
    }
}

fn say(text: &str) -> ConsoleToConnector {
    ConsoleToConnector::Say { text: text.into(), hidden: false }
}

#[test]
fn nothing_is_sent_before_the_console_has_spoken() {
    let mut bench = Bench::new();
    let mut console = bench.attach();
    bench.turn();
    let mut byte = [0];
    assert!(nix::unistd::read(&console, &mut byte).is_err_and(|errno| errno == Errno::EAGAIN));
    console.flush().unwrap();
    bench.turn();
    assert!(matches!(console.receive(), Ok(Some((ConnectorToConsole::Welcome { .. }, _)))));
}

#[test]
fn every_line_of_a_burst_arrives_in_order() {
    let mut bench = Bench::new();
    let mut console = bench.attach();
    let lines: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    for line in &lines {
        console.send(&say(line)).unwrap();
    }
    let mut arrived = Vec::new();
    // Socket buffers hold fewer small messages than this: each turn moves what fits.
    for _ in 0..100 {
        console.flush().unwrap();
        bench.turn();
        bench.io.flush().unwrap();
        arrived.extend(bench.inbound());
    }
    assert_eq!(arrived, lines);
}

#[test]
fn a_malformed_frame_ends_that_console_only() {
    let mut bench = Bench::new();
    let (mut good, bad) = (bench.attach(), bench.attach());
    nix::unistd::write(&bad, b"GET / HTTP/1.1\r\n\r\n").unwrap();
    good.send(&say("still here")).unwrap();
    bench.turn();
    assert_eq!(bench.connector.consoles.len(), 1);
    assert_eq!(bench.inbound(), ["still here"]);
}

#[test]
fn a_console_that_does_not_read_is_dropped() {
    let mut bench = Bench::new();
    let (mut reader, mut sleeper) = (bench.attach(), bench.attach());
    reader.flush().unwrap();
    sleeper.flush().unwrap();
    bench.turn();
    for n in 0..100 {
        let message = gopher_protocol::connector::Outbound {
            destination: gopher_protocol::connector::Destination::Channel { channel: "general".into() },
            thread: None,
            text: "x".repeat(100_000),
            format: gopher_protocol::robot_api::MessageFormat::Raw,
            hidden: false,
            answers: None,
        };
        let delivery = gopher_protocol::ids::DeliveryId(n);
        bench.connector.engine(EngineToConnector::Deliver { delivery, message }, Vec::new(), &mut bench.io).unwrap();
        while reader.receive().unwrap().is_some() {}
        bench.turn();
        bench.inbound();
    }
    assert_eq!(bench.connector.consoles.len(), 1, "the one that reads stays");
    assert_eq!(bench.connector.service.seats(), 1);
}

#[test]
fn everybody_is_told_why_the_robot_leaves() {
    let mut bench = Bench::new();
    let mut console = bench.attach();
    console.flush().unwrap();
    bench.turn();
    bench.connector.stop("The robot has stopped.");
    assert!(matches!(console.receive(), Ok(Some((ConnectorToConsole::Welcome { .. }, _)))));
    match console.receive() {
        Ok(Some((ConnectorToConsole::Bye { reason }, _))) => assert_eq!(reason, "The robot has stopped."),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_console_that_left_is_forgotten() {
    let mut bench = Bench::new();
    let mut console = bench.attach();
    console.flush().unwrap();
    bench.turn();
    drop(console);
    bench.turn();
    assert!(bench.connector.consoles.is_empty());
    assert_eq!(bench.connector.service.seats(), 0);
}

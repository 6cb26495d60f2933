use std::io::{BufRead as _, BufReader};

use gopher_protocol::{
    connector::{ConnectorSettings, Destination, Outbound},
    ids::DeliveryId,
    robot_api::MessageFormat,
};
use gopher_sys::{Link, link};

use super::*;
use crate::start::EngineLink;

type FarEngine = Link<EngineToConnector, ConnectorToEngine>;

/// A connector whose loop the test turns by hand.
struct Bench {
    connector: TestConnector,
    io: Io,
    engine: FarEngine,
    path: std::path::PathBuf,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let (near, far) = link::pair().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("driver.sock");
        let mut bench = Self {
            connector: TestConnector::new(),
            io: Io::new(EngineLink::new(near).unwrap()).unwrap(),
            engine: FarEngine::new(far).unwrap(),
            path: path.clone(),
            _dir: dir,
        };
        bench.connector.listen(UnixListener::bind(path).unwrap().into(), &mut bench.io).unwrap();
        bench
    }

    fn configured() -> Self {
        let mut bench = Self::new();
        bench.configure();
        bench
    }

    fn configure(&mut self) {
        let settings = ConnectorSettings {
            config: r#"{"Users":[{"Name":"alice","InternalID":"u0001"}],"Channels":["general"]}"#.into(),
            robot_name: "bender".into(),
            robot_full_name: String::new(),
            alias: None,
            users: Vec::new(),
            channels: Vec::new(),
        };
        self.engine_says(EngineToConnector::Configure { settings });
        self.engine_says(EngineToConnector::GateOpen);
    }

    fn engine_says(&mut self, message: EngineToConnector) {
        self.connector.engine(message, Vec::new(), &mut self.io).unwrap();
    }

    fn deliver(&mut self, text: &str) {
        let message = Outbound {
            destination: Destination::Channel { channel: "general".into() },
            thread: None,
            text: text.into(),
            format: MessageFormat::Raw,
            hidden: false,
            answers: None,
        };
        self.engine_says(EngineToConnector::Deliver { delivery: DeliveryId(1), message });
    }

    fn driver(&mut self) -> BufReader<UnixStream> {
        let stream = UnixStream::connect(&self.path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        self.turn();
        BufReader::new(stream)
    }

    fn turn(&mut self) {
        for ready in self.io.poller.wait(Some(Duration::ZERO)).unwrap() {
            self.connector.ready(ready, &mut self.io).unwrap();
        }
        self.connector.settle(&mut self.io).unwrap();
        self.io.flush().unwrap();
    }

    fn for_engine(&mut self) -> Vec<ConnectorToEngine> {
        let mut messages = Vec::new();
        while let Some((message, _)) = self.engine.receive().unwrap() {
            messages.push(message);
        }
        messages
    }
}

fn line(driver: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    driver.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn write(driver: &mut BufReader<UnixStream>, text: &str) {
    driver.get_mut().write_all(text.as_bytes()).unwrap();
}

#[test]
fn one_turn_takes_a_message_in_and_one_delivery_brings_the_reply() {
    let mut bench = Bench::configured();
    let mut driver = bench.driver();
    assert_eq!(line(&mut driver), r#"{"op":"ready"}"#);
    write(&mut driver, "{\"op\":\"send\",\"user_id\":\"u0001\",\"channel\":\"general\",\"text\":\";ping\"}\n");
    bench.turn();
    assert_eq!(line(&mut driver), r#"{"op":"sent"}"#);
    assert!(matches!(bench.for_engine().last(), Some(ConnectorToEngine::Inbound { .. })));
    bench.deliver("PONG");
    assert_eq!(
        line(&mut driver),
        r#"{"op":"msg","seq":1,"user":"","channel":"general","text":"PONG","threaded":false}"#
    );
    assert!(matches!(bench.for_engine().last(), Some(ConnectorToEngine::Delivered { .. })));
}

#[test]
fn nobody_is_let_in_before_users_and_channels_are_known() {
    let mut bench = Bench::new();
    let mut driver = bench.driver();
    write(&mut driver, "{\"op\":\"events\"}\n");
    bench.turn();
    assert!(bench.connector.driver.is_none());
    bench.configure();
    bench.turn();
    bench.turn();
    assert_eq!(line(&mut driver), r#"{"op":"ready"}"#);
    assert_eq!(line(&mut driver), r#"{"op":"events","events":[]}"#);
}

#[test]
fn messages_wait_for_a_driver_and_come_after_ready() {
    let mut bench = Bench::configured();
    bench.deliver("one");
    bench.deliver("two");
    let mut driver = bench.driver();
    assert_eq!(line(&mut driver), r#"{"op":"ready"}"#);
    assert!(line(&mut driver).contains(r#""text":"one""#));
    assert!(line(&mut driver).contains(r#""text":"two""#));
}

#[test]
fn a_second_driver_is_told_so_and_a_successor_is_let_in() {
    let mut bench = Bench::configured();
    let mut first = bench.driver();
    let mut second = bench.driver();
    assert!(line(&mut second).contains("Another driver is connected"));
    assert_eq!(line(&mut first), r#"{"op":"ready"}"#);
    drop(first);
    // The end of the first and the knock of the third arrive in one turn.
    let mut third = bench.driver();
    assert_eq!(line(&mut third), r#"{"op":"ready"}"#);
}

#[test]
fn a_line_over_the_limit_costs_that_line_only() {
    let mut bench = Bench::configured();
    let mut driver = bench.driver();
    line(&mut driver);
    let mut sender = driver.get_ref().try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        sender.write_all(&vec![b'x'; 2 << 20]).unwrap();
        sender.write_all(b"\n{\"op\":\"events\"}\n").unwrap();
    });
    for _ in 0..100_000 {
        bench.turn();
        if writer.is_finished() {
            break;
        }
    }
    writer.join().unwrap();
    bench.turn();
    bench.turn();
    assert!(line(&mut driver).contains("was thrown away"));
    assert_eq!(line(&mut driver), r#"{"op":"events","events":[]}"#);
}

#[test]
fn an_unread_robot_drops_the_oldest_and_says_so_once() {
    let mut bench = Bench::configured();
    bench.for_engine();
    let mut troubles = Vec::new();
    for n in 0..10_003 {
        bench.deliver(&n.to_string());
        bench.turn();
        troubles.extend(bench.for_engine().into_iter().filter_map(|message| match message {
            ConnectorToEngine::Health { trouble } => Some(trouble),
            _ => None,
        }));
    }
    assert!(matches!(&troubles[..], [Some(sentence)] if sentence.contains("dropped")), "{troubles:?}");
    let mut driver = bench.driver();
    assert_eq!(line(&mut driver), r#"{"op":"ready"}"#);
    let mut last = String::new();
    for _ in 0..10_000 {
        bench.turn();
        last = line(&mut driver);
    }
    assert!(last.contains(r#""seq":10003"#), "{last}");
    bench.turn();
    assert!(bench.for_engine().iter().any(|m| matches!(m, ConnectorToEngine::Health { trouble: None })));
}

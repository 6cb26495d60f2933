use std::{
    io::{BufRead as _, BufReader},
    os::unix::net::{UnixListener, UnixStream},
    thread::JoinHandle,
};

use gopher_protocol::connector::ConnectorSettings;
use gopher_sys::{Link, link};

use super::*;
use crate::{start, test::TestConnector};

type FarSupervisor = Link<SupervisorToConnector, ConnectorToSupervisor>;
type FarEngine = Link<EngineToConnector, ConnectorToEngine>;

/// A whole test connector in a thread, with its supervisor, its engine and its driver played by the test.
struct Stage {
    supervisor: FarSupervisor,
    engine: FarEngine,
    driver: BufReader<UnixStream>,
    connector: JoinHandle<Result<(), ConnectorError>>,
    _dir: tempfile::TempDir,
}

impl Stage {
    fn set() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("driver.sock");
        let (near, far) = link::pair().unwrap();
        let mut supervisor = FarSupervisor::new(far).unwrap();
        let (engine_near, engine_far) = link::pair().unwrap();
        // Everything at once, as the supervisor does it.
        supervisor.send(&SupervisorToConnector::Begin { name: "test".into() }).unwrap();
        supervisor.send_with(&SupervisorToConnector::Engine, vec![engine_near]).unwrap();
        let (secretd_near, _) = link::pair().unwrap();
        supervisor.send_with(&SupervisorToConnector::Secretd, vec![secretd_near]).unwrap();
        let listener = UnixListener::bind(&path).unwrap();
        supervisor.send_with(&SupervisorToConnector::TestSocket, vec![listener.into()]).unwrap();
        let connector = std::thread::spawn(move || serve(start::gather(near)?.unwrap(), TestConnector::new()));
        let mut engine = FarEngine::new(engine_far).unwrap();
        let settings = ConnectorSettings {
            config: r#"{"Users":[{"Name":"alice","InternalID":"u0001"}],"Channels":["general"]}"#.into(),
            robot_name: "bender".into(),
            robot_full_name: String::new(),
            alias: None,
            users: Vec::new(),
            channels: Vec::new(),
        };
        engine.send(&EngineToConnector::Configure { settings }).unwrap();
        engine.send(&EngineToConnector::GateOpen).unwrap();
        assert!(matches!(engine.wait().unwrap().0, ConnectorToEngine::Up { .. }));
        let driver = UnixStream::connect(path).unwrap();
        driver.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { supervisor, engine, driver: BufReader::new(driver), connector, _dir: dir }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.driver.read_line(&mut line).unwrap();
        line
    }
}

#[test]
fn links_that_came_with_the_first_messages_are_used() {
    let mut stage = Stage::set();
    assert_eq!(stage.line(), "{\"op\":\"ready\"}\n");
    assert!(matches!(stage.supervisor.wait().unwrap().0, ConnectorToSupervisor::Ready));
    stage.supervisor.send(&SupervisorToConnector::Ping { nonce: 7 }).unwrap();
    assert!(matches!(stage.supervisor.wait().unwrap().0, ConnectorToSupervisor::Pong { nonce: 7 }));
    stage.supervisor.send(&SupervisorToConnector::Stop).unwrap();
    stage.connector.join().unwrap().unwrap();
}

#[test]
fn the_end_of_the_engine_is_temporary_and_not_told_twice() {
    let stage = Stage::set();
    drop(stage.engine);
    let error = stage.connector.join().unwrap().unwrap_err();
    assert_eq!(error.exit_code(), 75);
    assert!(error.is_aftermath());
}

#[test]
fn the_end_of_the_supervisor_is_no_failure() {
    let stage = Stage::set();
    drop(stage.supervisor);
    stage.connector.join().unwrap().unwrap();
}

#[test]
fn an_unknown_service_is_named() {
    let error = ConnectorError::Unknown("telex".into());
    assert!(error.to_string().contains("'telex'"));
    assert_eq!(error.exit_code(), 78);
}

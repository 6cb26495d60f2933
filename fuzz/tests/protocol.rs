//! Every decoder of every link: a random message type and payload, and streams of frames.
#![forbid(unsafe_code)]

use std::time::Duration;

use bolero::check;
use gopher_protocol::{
    FrameReader, Hello, Message, WireError, admin, connector,
    frame::{self, CEILING},
    loader, secretd, supervisor, worker,
};

/// Time of one target under plain `cargo test`; a fuzzer takes its own.
const SHORT: Duration = Duration::from_millis(150);

/// What decodes, encodes to bytes that decode to the same; what does not is an error.
#[expect(clippy::expect_used, reason = "of the tests below")]
fn decode<M: Message>(bytes: &[u8]) {
    let Some((kind, payload)) = bytes.split_first() else { return };
    match M::decode(u16::from(*kind), payload) {
        Ok(message) => {
            assert_eq!(message.kind(), u16::from(*kind));
            let mut once = Vec::new();
            message.encode(&mut once).expect("what was decoded encodes");
            let again = M::decode(message.kind(), &once).expect("what we encode decodes");
            let mut twice = Vec::new();
            again.encode(&mut twice).expect("what was decoded encodes");
            assert_eq!(once, twice);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Random bytes rarely begin with a known type, so the first byte is kept small.
fn target<M: Message>(bytes: &[u8]) {
    decode::<M>(bytes);
    let mut likely = bytes.to_vec();
    if let Some(kind) = likely.first_mut() {
        *kind %= 24;
    }
    decode::<M>(&likely);
}

macro_rules! targets {
    ($($name:ident $message:ty),* $(,)?) => { $(
        #[test]
        fn $name() {
            check!().with_test_time(SHORT).for_each(target::<$message>);
        }
    )* };
}

targets! {
    admin_request admin::AdminRequest,
    admin_answer admin::AdminAnswer,
    engine_to_connector connector::EngineToConnector,
    connector_to_engine connector::ConnectorToEngine,
    console_to_connector connector::ConsoleToConnector,
    connector_to_console connector::ConnectorToConsole,
    engine_to_loader loader::EngineToLoader,
    loader_to_engine loader::LoaderToEngine,
    loader_to_secretd loader::LoaderToSecretd,
    secretd_to_loader loader::SecretdToLoader,
    worker_to_secretd secretd::WorkerToSecretd,
    secretd_to_worker secretd::SecretdToWorker,
    engine_to_secretd secretd::EngineToSecretd,
    secretd_to_engine secretd::SecretdToEngine,
    connector_to_secretd secretd::ConnectorToSecretd,
    secretd_to_connector secretd::SecretdToConnector,
    supervisor_to_engine supervisor::SupervisorToEngine,
    engine_to_supervisor supervisor::EngineToSupervisor,
    supervisor_to_secretd supervisor::SupervisorToSecretd,
    secretd_to_supervisor supervisor::SecretdToSupervisor,
    supervisor_to_connector supervisor::SupervisorToConnector,
    connector_to_supervisor supervisor::ConnectorToSupervisor,
    supervisor_to_spawner supervisor::SupervisorToSpawner,
    supervisor_to_process supervisor::SupervisorToProcess,
    spawner_to_supervisor supervisor::SpawnerToSupervisor,
    engine_to_worker worker::EngineToWorker,
    worker_to_engine worker::WorkerToEngine,
}

#[test]
fn hello() {
    check!().with_test_time(SHORT).for_each(|bytes: &[u8]| {
        for kind in [0, 1] {
            if let Err(error) = Hello::check(kind, bytes) {
                assert!(!error.to_string().is_empty());
            }
        }
    });
}

/// Any bytes in any cuts: whole frames or one error, and nothing held beyond what was pushed.
#[test]
fn frames() {
    check!().with_test_time(SHORT).for_each(|bytes: &[u8]| {
        let mut reader = FrameReader::default();
        let mut taken = 0;
        for part in bytes.chunks(7) {
            reader.push(part);
            loop {
                match reader.next(64, |_, payload| Ok(payload.len())) {
                    Ok(Some(length)) => taken += frame::HEADER + length,
                    Ok(None) => break,
                    Err(error) => return assert!(matches!(error, WireError::TooLong { ceiling: 64, .. })),
                }
            }
        }
        assert_eq!(taken + reader.pending(), bytes.len());
    });
}

/// What is written as frames is read as the same frames.
#[test]
fn written_frames() {
    check!().with_test_time(SHORT).for_each(|bytes: &[u8]| {
        let mut stream = Vec::new();
        for (kind, payload) in (0_u16..).zip(bytes.chunks(5)) {
            let written = frame::append(&mut stream, kind, CEILING, |out| {
                out.extend_from_slice(payload);
                Ok(())
            });
            assert_eq!(written, Ok(()));
        }
        let mut reader = FrameReader::default();
        reader.push(&stream);
        let mut back = Vec::new();
        while let Some(payload) = reader.next(CEILING, |_, payload| Ok(payload.to_vec())).expect("our own frames") {
            back.extend(payload);
        }
        assert_eq!((back.as_slice(), reader.pending()), (bytes, 0));
    });
}

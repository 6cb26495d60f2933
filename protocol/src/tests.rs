//! Every message of every link: bytes pinned by golden files, round trips by property.

use std::{fmt::Write as _, fs, path::Path};

use proptest::prelude::*;

use crate::{
    FrameReader, Message, WireError, admin, connector, frame, hello::Hello, loader, secretd, supervisor, worker,
};

macro_rules! with_every_link {
    ($run:ident) => {
        $run!(
            admin::AdminRequest,
            admin::AdminAnswer,
            connector::EngineToConnector,
            connector::ConnectorToEngine,
            connector::ConsoleToConnector,
            connector::ConnectorToConsole,
            loader::EngineToLoader,
            loader::LoaderToEngine,
            loader::LoaderToSecretd,
            loader::SecretdToLoader,
            secretd::WorkerToSecretd,
            secretd::SecretdToWorker,
            secretd::EngineToSecretd,
            secretd::SecretdToEngine,
            secretd::ConnectorToSecretd,
            secretd::SecretdToConnector,
            supervisor::SupervisorToEngine,
            supervisor::EngineToSupervisor,
            supervisor::SupervisorToSecretd,
            supervisor::SecretdToSupervisor,
            supervisor::SupervisorToConnector,
            supervisor::ConnectorToSupervisor,
            supervisor::SupervisorToSpawner,
            supervisor::SupervisorToProcess,
            supervisor::SpawnerToSupervisor,
            worker::EngineToWorker,
            worker::WorkerToEngine
        )
    };
}

fn encoded<M: Message>(message: &M) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out).expect("encodes");
    out
}

/// A fixed source of arbitrary values: printable, so that golden files can be read.
fn seed() -> Vec<u8> {
    (0..4096_u32).map(|i| b'a' + u8::try_from(i * 7 % 26).expect("below 26")).collect()
}

fn golden<M: Message>() {
    let mut text = String::new();
    for (name, message) in M::examples(&seed()) {
        let hex: String = encoded(&message).iter().fold(String::new(), |mut hex, b| {
            let _ = write!(hex, "{b:02x}");
            hex
        });
        let _ = writeln!(text, "{} {} fds={} {}", message.kind(), name, message.descriptors(), hex);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{}.txt", M::NAME));
    if option_env!("GOPHER_WRITE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().expect("has a parent")).expect("golden directory");
        fs::write(&path, &text).expect("golden file");
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(text, expected, "{}: bytes changed; numbers and fields are never reused", M::NAME);
}

#[test]
fn bytes_of_every_message_are_pinned() {
    macro_rules! run { ($($m:ty),*) => { $( golden::<$m>(); )* } }
    with_every_link!(run);
}

fn numbers_unique<M: Message>() {
    let mut kinds: Vec<u16> = M::examples(&[]).iter().map(|(_, m)| m.kind()).collect();
    let all = kinds.len();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), all, "{}: a number stands for two messages", M::NAME);
    assert!(!kinds.contains(&0), "{}: zero is the hello", M::NAME);
}

#[test]
fn numbers_are_unique_and_not_the_hello() {
    macro_rules! run { ($($m:ty),*) => { $( numbers_unique::<$m>(); )* } }
    with_every_link!(run);
}

fn round_trip<M: Message>(bytes: &[u8]) {
    for (name, message) in M::examples(bytes) {
        let once = encoded(&message);
        let back = M::decode(message.kind(), &once).unwrap_or_else(|e| panic!("{}::{name}: {e}", M::NAME));
        assert_eq!(encoded(&back), once, "{}::{name}", M::NAME);
        let mut longer = once.clone();
        longer.push(0);
        assert!(M::decode(message.kind(), &longer).is_err(), "{}::{name} takes trailing bytes", M::NAME);
    }
}

fn hostile<M: Message>(bytes: &[u8]) {
    for (_, message) in M::examples(&[]) {
        if let Ok(decoded) = M::decode(message.kind(), bytes) {
            let once = encoded(&decoded);
            let back = M::decode(message.kind(), &once).expect("what we encode we decode");
            assert_eq!(encoded(&back), once);
        }
    }
    assert!(matches!(M::decode(u16::MAX, bytes), Err(WireError::UnknownKind { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_message_survives_a_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        macro_rules! run { ($($m:ty),*) => { $( round_trip::<$m>(&bytes); )* } }
        with_every_link!(run);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        macro_rules! run { ($($m:ty),*) => { $( hostile::<$m>(&bytes); )* } }
        with_every_link!(run);
    }

    #[test]
    fn frames_survive_any_cut_of_the_stream(cuts in proptest::collection::vec(1_usize..9, 1..64)) {
        let mut stream = Vec::new();
        for n in 0..8_u16 {
            frame::append(&mut stream, n, 64, |out| { out.extend(std::iter::repeat_n(0xAB, usize::from(n) * 7)); Ok(()) }).expect("fits");
        }
        let (mut reader, mut seen, mut rest) = (FrameReader::default(), Vec::new(), stream.as_slice());
        for cut in cuts.into_iter().cycle() {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            reader.push(now);
            while let Some((kind, length)) = reader.next(64, |kind, payload| Ok((kind, payload.len()))).expect("valid") {
                seen.push((kind, length));
            }
            rest = later;
            if rest.is_empty() { break }
        }
        prop_assert_eq!(seen, (0..8_u16).map(|n| (n, usize::from(n) * 7)).collect::<Vec<_>>());
        prop_assert_eq!(reader.pending(), 0);
    }
}

#[test]
fn a_frame_over_the_ceiling_is_refused_at_its_header() {
    let mut reader = FrameReader::default();
    reader.push(&[0xff, 0xff, 0xff, 0xff, 1, 0]);
    let refused = reader.next(1024, |_, _| Ok(()));
    assert_eq!(refused, Err(WireError::TooLong { length: 0xffff_ffff, ceiling: 1024 }));
    let mut out = vec![7];
    let long = frame::append(&mut out, 1, 4, |out| {
        out.extend([0; 5]);
        Ok(())
    });
    assert_eq!(long, Err(WireError::TooLong { length: 5, ceiling: 4 }));
    assert_eq!(out, [7], "nothing of it is left");
}

#[test]
fn a_stale_peer_is_named() {
    let mut out = Vec::new();
    Hello { protocol: 9, build: "0.0.1+old".into() }.append(&mut out).expect("fits");
    let error = Hello::check(0, &out[frame::HEADER..]).expect_err("differs");
    assert!(error.to_string().contains("0.0.1+old (protocol 9)"), "{error}");
    assert_eq!(Hello::check(3, &[]), Err(WireError::NotHello));
}

#[test]
fn a_secret_prints_its_length_only() {
    let secret = crate::SecretBytes::new(b"swordfish".to_vec());
    assert_eq!(format!("{secret:?}"), "SecretBytes(9 bytes)");
}

//! What a reader of the process's memory finds: no key, and no value once it was used.
#![forbid(unsafe_code)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so")]

mod common;

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    process::{Child, Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{PRODUCTION, Supervisor, Worker, begin, entry, file, load, open, redeem, run_opened};
use gopher_protocol::{
    SecretBytes,
    ids::CallId,
    secretd::{EngineToSecretd, RecordName, SecretdToEngine, SecretdToWorker},
    supervisor::SupervisorToSecretd,
};
use gopher_sys::{Link, link::pair};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

const WRAPPING: &[u8; 32] = b"wrapping-Q7rT2xWb9LkPz0MvHs4NdYc";
const DATA_KEY: &[u8; 32] = b"datakey-Vu3JgE8oXa5RfZi1BtKyCm6S";
const DEPLOY_KEY: &str = "deploykey-hW2nQe7UpLs9TzAx4Gv";
const RECORD: &[u8] = b"plaintext-of-a-record-Jd8KcR5w";

#[expect(
    clippy::disallowed_methods,
    reason = "the program under test is started as gopherd would, with its link on descriptor 3"
)]
fn start() -> (Child, Supervisor) {
    let (ours, theirs) = pair().expect("socket pair");
    let child = Command::new("/bin/sh")
        .args(["-c", "exec \"$0\" 3<&0 </dev/null", env!("CARGO_BIN_EXE_gopher-secretd")])
        .stdin(Stdio::from(theirs))
        .spawn()
        .expect("started");
    (child, Link::new(ours).expect("link"))
}

fn key_file() -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, WRAPPING).expect("key"));
    let mut blob = DATA_KEY.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key([9; 12]), Aad::empty(), &mut blob).expect("sealed");
    STANDARD.encode([&[9; 12][..], &blob].concat()).into_bytes()
}

/// How often each pattern lies in memory that can be read; `None` if the process cannot be looked into.
fn hits(pid: u32, patterns: &[&[u8]]) -> Option<Vec<usize>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let mem = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut found = vec![0; patterns.len()];
    for line in maps.lines() {
        let (start, rest) = line.split_once('-').expect("a range");
        let (end, _) = rest.split_once(' ').expect("a range");
        let start = u64::from_str_radix(start, 16).expect("hex");
        let length = u64::from_str_radix(end, 16).expect("hex") - start;
        let mut content = vec![0; usize::try_from(length).expect("fits")];
        if mem.read_exact_at(&mut content, start).is_ok() {
            for (count, pattern) in found.iter_mut().zip(patterns) {
                *count += content.windows(pattern.len()).filter(|w| w == pattern).count();
            }
        }
    }
    Some(found)
}

#[test]
fn a_reader_of_the_memory_finds_no_key_and_no_used_value() {
    let (mut child, mut supervisor) = start();
    let launch = [b"GOPHER_CUSTOM_REPOSITORY=x\0GOPHER_ENCRYPTION_KEY=", &WRAPPING[..], b"\0"].concat();
    supervisor.send_with(&SupervisorToSecretd::LaunchEnvironment, vec![file(&launch)]).expect("sent");
    let private = format!("GOPHER_DEPLOY_KEY='{DEPLOY_KEY}'\nGOPHER_MARKER=visible-to-every-process\n");
    let env = SupervisorToSecretd::PrivateEnvironment { name: ".env".into() };
    supervisor.send_with(&env, vec![file(private.as_bytes())]).expect("sent");
    let key = SupervisorToSecretd::KeyFile { name: "binary-encrypted-key".into() };
    supervisor.send_with(&key, vec![file(&key_file())]).expect("sent");
    supervisor.send_with(&SupervisorToSecretd::AuditFile, vec![file(b"")]).expect("sent");
    begin(&mut supervisor, PRODUCTION);

    let mut engine: Link<EngineToSecretd, SecretdToEngine> = open(&mut supervisor, &SupervisorToSecretd::Engine);
    assert!(matches!(engine.wait(), Ok((SecretdToEngine::Keys { own: true }, _))));
    let record = || RecordName { store: "brain".into(), key: "k".into(), version: 1 };
    for call in 0..20 {
        let plaintext = SecretBytes::new(RECORD.to_vec());
        engine.send(&EngineToSecretd::Seal { call: CallId(call), record: record(), plaintext }).expect("sent");
        let Ok((SecretdToEngine::Sealed { sealed, .. }, _)) = engine.wait() else { panic!("not sealed") };
        engine.send(&EngineToSecretd::Open { call: CallId(call), record: record(), sealed }).expect("sent");
        assert!(matches!(engine.wait(), Ok((SecretdToEngine::Opened { .. }, _))));
    }
    load(&mut supervisor, 1, vec![entry("control", false, &[("MARKER", "configured-text-is-held-plainly")])]);
    let mut worker: Worker = open(&mut supervisor, &run_opened(1, "control", "control"));
    assert!(matches!(redeem(&mut worker, "control"), SecretdToWorker::Redeemed { .. }));

    let patterns: [&[u8]; 5] = [WRAPPING, DATA_KEY, DEPLOY_KEY.as_bytes(), RECORD, b"configured-text-is-held-plainly"];
    match hits(child.id(), &patterns) {
        Some(found) => {
            assert!(found[4] > 0, "the scanner finds what is there");
            // Without memfd_secret the pages of the keys are locked but can be read by root.
            let kept = usize::from(found[1] > 0);
            assert_eq!(found[..4], [0, kept, kept, 0], "wrapping key, data key, deploy key, record");
        }
        None => eprintln!("skipped: only root can look into the process"),
    }
    supervisor.send(&SupervisorToSecretd::Stop).expect("sent");
    assert!(child.wait().expect("ends").success());
}

#[test]
fn started_by_hand_it_says_who_starts_it() {
    #[expect(clippy::disallowed_methods, reason = "the program under test")]
    let output = Command::new(env!("CARGO_BIN_EXE_gopher-secretd")).stdin(Stdio::null()).output().expect("started");
    assert_eq!(output.status.code(), Some(70));
    assert!(String::from_utf8_lossy(&output.stderr).contains("started by gopherd"));
}

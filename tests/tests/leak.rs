//! Keys stay in secretd: after a session of runs every process, its environment, command line and descriptors, and
//! every file of the robot is searched for them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{collections::BTreeSet, fs, io::Write as _, process::Stdio};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gopher_tests::{
    programs::command,
    robot::{Home, Robot, Start, descendants, eventually, is_root, name},
    scan::Scanner,
};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

const RUNS: usize = 20;

/// A word that is nowhere else in the world.
fn canary() -> String {
    let bytes: [u8; 32] = gopher_sys::descriptors::random().expect("random bytes");
    bytes.iter().map(|byte| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte % 32)])).collect()
}

/// A secret in the forms in which it could lie about.
fn forms(name: &str, secret: &[u8]) -> Vec<(String, Vec<u8>)> {
    let hex = secret.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    // The last characters depend on what follows.
    let base64 = STANDARD.encode(secret)[..secret.len() / 3 * 4].to_owned();
    vec![
        (name.to_owned(), secret.to_vec()),
        (format!("{name} as hex"), hex.into_bytes()),
        (format!("{name} as base64"), base64.into_bytes()),
    ]
}

/// The key inside the key file, as only its wrapping key can tell.
fn unwrap(file: &[u8], wrapping: &str) -> Vec<u8> {
    let mut blob = STANDARD.decode(file.trim_ascii()).expect("base64");
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, wrapping.as_bytes()).expect("32 bytes"));
    let nonce = Nonce::try_assume_unique_for_key(&blob[..12]).expect("a nonce");
    key.open_in_place(nonce, Aad::empty(), &mut blob[12..]).expect("it opens").to_vec()
}

struct Canaries {
    wrapping: String,
    launched: String,
    private: String,
    host_keys: String,
    parameter: String,
}

/// A robot with a secret in every place, after a session, with a run still alive.
fn session(canaries: &Canaries, start: Start) -> Robot {
    let mut home = Home::new();
    home.file(".env", &format!("GOPHER_DEPLOY_KEY='{}'\nGOPHER_HOST_KEYS={}\n", canaries.private, canaries.host_keys));
    let parameters = format!(", Parameters: [ {{ Name: CANARY, Value: {} }} ]", canaries.parameter);
    let uses = r#"use) Say -r "used ${#CANARY} and $(GetTaskConfig >/dev/null; echo "$CANARY" | wc -c) in $2" ;;"#;
    home.bash("user", &parameters, &[("use", "use (\\S+)")], uses);
    let others = "echo) Say -r \"heard $2\" ;;\nhold) Say -r holding; sleep 1000 ;;";
    home.bash("other", "", &[("echo", "echo (\\S+)"), ("hold", "hold")], others);
    let start = start.with("GOPHER_ENCRYPTION_KEY", &canaries.wrapping).with("GOPHER_DEPLOY_KEY", &canaries.launched);
    let mut robot = Robot::start(home, &start);
    robot.say("bob", ";hold");
    robot.hear_about("holding");
    for n in 0..RUNS / 2 {
        assert_eq!(robot.ask(&format!(";use {n}"), "used"), format!("used 32 and 33 in {n}"));
        robot.ask(&format!(";echo {n}"), "heard");
    }
    robot
}

/// The process that was started, and everything below it.
fn tree(robot: &Robot) -> Vec<u32> {
    let mut all = vec![robot.starter()];
    all.extend(descendants(robot.starter()));
    all
}

fn is_secretd(pid: u32) -> bool {
    name(pid).starts_with("gopher-secretd")
}

/// Everything that is found in the memory of these processes, with whose it is; those that are closed to this
/// account are named in `closed`.
fn in_memory(scanner: &Scanner, pids: &[u32], closed: &mut BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for pid in pids {
        let title = name(*pid);
        match scanner.memory(*pid) {
            Some(hits) => found.extend(hits.into_iter().map(|hit| format!("{hit} in {title}"))),
            // It may have ended meanwhile.
            None if title.is_empty() => {}
            None => drop(closed.insert(title)),
        }
    }
    found
}

fn keys_are_nowhere(start: Start) {
    let canaries = Canaries {
        wrapping: canary(),
        launched: canary(),
        private: canary(),
        host_keys: canary(),
        parameter: canary(),
    };
    let robot = session(&canaries, start);
    let data_key = unwrap(&fs::read(robot.home.path().join("binary-encrypted-key")).unwrap(), &canaries.wrapping);
    assert_eq!(data_key.len(), 32);
    let in_env_file = [
        forms("the deploy key of .env", canaries.private.as_bytes()),
        forms("host keys", canaries.host_keys.as_bytes()),
    ]
    .concat();
    let keys = [
        forms("the wrapping key", canaries.wrapping.as_bytes()),
        forms("the deploy key of the environment", canaries.launched.as_bytes()),
        forms("the data key", &data_key),
    ]
    .concat();
    let scanner = Scanner::new([keys, in_env_file].concat());
    let parameter = Scanner::new(forms("the parameter", canaries.parameter.as_bytes()));

    let all = tree(&robot);
    assert!(all.len() > 6 && all.iter().any(|pid| is_secretd(*pid)), "{:?}", all.iter().map(|p| name(*p)));
    let mut closed = BTreeSet::new();
    let mut parts = BTreeSet::new();
    let secret_memory = all
        .iter()
        .filter(|pid| is_secretd(**pid))
        .all(|pid| fs::read_to_string(format!("/proc/{pid}/maps")).is_ok_and(|maps| maps.contains("secretmem")));
    // Without memfd_secret root can read the pages that secretd keeps its keys in.
    let searched: Vec<u32> = all.iter().copied().filter(|pid| secret_memory || !is_secretd(*pid)).collect();
    assert_eq!(in_memory(&scanner, &searched, &mut closed), [""; 0], "keys in memory");
    for pid in &all {
        assert_eq!(scanner.shown(*pid, &mut parts), BTreeSet::new(), "{}", name(*pid));
        assert_eq!(parameter.shown(*pid, &mut parts), BTreeSet::new(), "{}", name(*pid));
    }

    // What a run was given is gone with it; its last process ends a moment after its last words.
    let others: Vec<u32> = all.iter().copied().filter(|pid| !is_secretd(*pid)).collect();
    let secretd: Vec<u32> = all.iter().copied().filter(|pid| is_secretd(*pid)).collect();
    if is_root() {
        assert_ne!(in_memory(&parameter, &secretd, &mut closed), [""; 0], "configured text is there, and is found");
    } else {
        closed.insert("gopher-secretd".to_owned());
    }
    let mut found = Vec::new();
    eventually("the end of every copy of the parameter", || {
        found = in_memory(&parameter, &others, &mut closed);
        found.is_empty()
    });

    let env_file = robot.home.path().join(".env");
    let mut on_disk = scanner.files(robot.home.path());
    on_disk.extend(scanner.files(&robot.home.run_dir()));
    on_disk.retain(|hit| !hit.ends_with(&format!(" in {}", env_file.display())));
    assert_eq!(on_disk, BTreeSet::new(), "keys in files");
    let mut on_disk = parameter.files(robot.home.path());
    on_disk.extend(parameter.files(&robot.home.run_dir()));
    let robot_yaml = robot.home.path().join("conf/robot.yaml");
    assert_eq!(on_disk, BTreeSet::from([format!("the parameter in {}", robot_yaml.display())]));

    if !closed.is_empty() || !parts.is_empty() {
        println!(
            "skipped: only root can look into the memory of {} and the {} of its processes",
            Vec::from_iter(closed).join(", "),
            Vec::from_iter(parts).join(", ")
        );
    } else if !secret_memory {
        println!("skipped: the memory of gopher-secretd, as this kernel has no memfd_secret");
    }
}

#[test]
fn keys_given_to_gopherd_are_found_in_no_process_and_no_file() {
    keys_are_nowhere(Start::gopherd(&[]));
}

#[test]
fn keys_given_to_gopherctl_are_found_in_no_process_and_no_file() {
    keys_are_nowhere(Start::default());
}

#[test]
fn the_scanner_finds_what_is_there() {
    let (in_memory, in_env, as_argument) = (canary(), canary(), canary());
    let scanner = Scanner::new(
        [("memory", &in_memory), ("environment", &in_env), ("argument", &as_argument)]
            .into_iter()
            .flat_map(|(name, value)| forms(name, value.as_bytes()))
            .collect(),
    );
    let mut child = command("/bin/bash")
        .args(["-c", "read -r word; echo read; read -r never", &as_argument])
        .env("PLANTED", &in_env)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Hex, so that the word itself is nowhere in it.
    let hex = String::from_utf8(forms("", in_memory.as_bytes())[1].1.clone()).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{hex}\n").as_bytes()).unwrap();
    let mut line = [0; 5];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
    let found = scanner.memory(child.id()).expect("a child of this account can be looked into");
    let wanted = ["argument", "environment", "memory as hex"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(wanted));
    let mut closed = BTreeSet::new();
    let shown = scanner.shown(child.id(), &mut closed);
    assert_eq!(shown, BTreeSet::from(["argument in cmdline".to_owned(), "environment in environ".to_owned()]));
    assert!(closed.is_empty(), "{closed:?}");
    drop(stdin);
    child.wait().unwrap();

    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("deep")).unwrap();
    let base64 = &forms("", in_env.as_bytes())[2].1;
    fs::write(dir.path().join("deep/file"), [b"...", &base64[..], b"="].concat()).unwrap();
    let path = dir.path().join("deep/file");
    assert_eq!(scanner.files(dir.path()), BTreeSet::from([format!("environment as base64 in {}", path.display())]));
}

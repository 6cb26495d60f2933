//! Where keys are not: after a session of twenty runs no process but secretd holds one, in memory, environment or
//! command line, and no file but those that were given it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fmt::Write as _,
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gopher_tests::robot::{Home, Robot, Start, is_root, name};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// A secret and what it is called in a failure.
struct Needle {
    what: &'static str,
    bytes: Vec<u8>,
}

/// A value as it was given, as base64 and as hex.
fn forms(what: &'static str, value: &str) -> Vec<Needle> {
    [value.to_owned(), STANDARD.encode(value), hex(value.as_bytes())]
        .map(|text| Needle { what, bytes: text.into_bytes() })
        .into()
}

/// A value that nothing else contains.
fn canary() -> String {
    let mut bytes = [0; 16];
    std::io::Read::read_exact(&mut File::open("/dev/urandom").expect("random"), &mut bytes).expect("random");
    hex(&bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes it");
        text
    })
}

/// The data key of a key file: nonce, ciphertext and tag in base64, under the first 32 bytes of the wrapping key.
fn data_key(file: &Path, wrapping: &str) -> Vec<u8> {
    let mut blob = STANDARD.decode(fs::read_to_string(file).expect("key file").trim()).expect("base64");
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &wrapping.as_bytes()[..32]).expect("key"));
    let nonce = Nonce::try_assume_unique_for_key(&blob[..12]).expect("nonce");
    key.open_in_place(nonce, Aad::empty(), &mut blob[12..]).expect("opens").to_vec()
}

fn found(haystack: &[u8], needles: &[Needle]) -> Vec<&'static str> {
    let holds = |needle: &[u8]| haystack.windows(needle.len()).any(|window| window == needle);
    needles.iter().filter(|n| holds(&n.bytes)).map(|n| n.what).collect()
}

/// Every readable page of a process, region by region.
fn memory(pid: u32, needles: &[Needle]) -> Vec<&'static str> {
    let Ok(mem) = File::open(format!("/proc/{pid}/mem")) else { return Vec::new() };
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with('r'))) {
        let Some((from, to)) = line.split(' ').next().and_then(|range| range.split_once('-')) else { continue };
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut region = vec![0; usize::try_from(to - from).unwrap()];
        // Pages of the kernel's own and secret pages cannot be read by anybody.
        if mem.read_exact_at(&mut region, from).is_ok() {
            all.extend(found(&region, needles));
        }
    }
    all
}

fn files(dir: &Path, check: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path(), check),
            Ok(kind) if kind.is_file() => check(&entry.path()),
            _ => {}
        }
    }
}

#[test]
fn no_key_is_found_outside_secretd() {
    let (wrapping, deploy, private, parameter) = (canary(), canary(), canary(), canary());
    let mut home = Home::new();
    home.file(".env", &format!("GOPHER_HOST_KEYS={private}\n"));
    home.bash(
        "with",
        &format!(", Parameters: [ {{ Name: TOKEN, Value: {parameter} }} ]"),
        &[("use", "use it")],
        r#"use) Say "length ${#TOKEN}" ;;"#,
    );
    home.bash("hello", "", &[("hello", "hello")], "hello) Say hello ;;");
    let env = [("GOPHER_ENCRYPTION_KEY", &wrapping), ("GOPHER_DEPLOY_KEY", &deploy)];
    let env = env.map(|(name, value)| (name.to_owned(), value.clone())).into();
    let mut robot = Robot::start(home, &Start { env, ..Start::default() });
    for _ in 0..10 {
        robot.ask(";use it", "length 32");
        robot.ask(";hello", "hello");
    }
    let mut needles = forms("GOPHER_ENCRYPTION_KEY", &wrapping);
    needles.extend(forms("GOPHER_DEPLOY_KEY", &deploy));
    needles.extend(forms("GOPHER_HOST_KEYS of .env", &private));
    let key_file = robot.home.path().join("binary-encrypted-key");
    needles.push(Needle { what: "the data key", bytes: data_key(&key_file, &wrapping) });
    // A released value may be in secretd, and nowhere when its run is over.
    needles.extend(forms("a parameter", &parameter));

    let ours = memory(std::process::id(), &needles);
    assert!(
        ours.contains(&"GOPHER_ENCRYPTION_KEY") && ours.contains(&"the data key"),
        "the scanner sees nothing: {ours:?}"
    );

    let mut seen = 0;
    for pid in robot.processes().into_iter().chain([robot.starter()]) {
        let title = name(pid);
        for part in ["environ", "cmdline"] {
            let bytes = fs::read(format!("/proc/{pid}/{part}")).unwrap_or_default();
            assert_eq!(found(&bytes, &needles), Vec::<&str>::new(), "{part} of {title}");
        }
        if !title.contains("secretd") {
            assert_eq!(memory(pid, &needles), Vec::<&str>::new(), "memory of {title}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "supervisor, engine, connector and spawners were looked at");
    if !is_root() {
        eprintln!("skipped: the memory of the robot's roles: only root can read it");
    }
    // The configuration is where the parameter stands, and `.env` where the private value does.
    let given = [robot.home.path().join("conf/robot.yaml"), robot.home.path().join(".env")];
    files(robot.home.path(), &mut |path| {
        if !given.iter().any(|g| g == path) {
            let bytes = fs::read(path).unwrap_or_default();
            assert_eq!(found(&bytes, &needles), Vec::<&str>::new(), "{}", path.display());
        }
    });
}

//! Memories that stay in the files of Gopherbot (`LegacyBrain`): what it wrote is read, and it can read what the robot wrote.

use super::*;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

const DATA_KEY: &[u8; 32] = b"thirty-two bytes of Gopherbot's!";
const FORMAT: &str = "gopherbot-brain-v3";

/// AES-256-GCM without associated data, the nonce before it.
fn encrypt(key: &[u8], nonce: u8, plain: &[u8]) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let mut sealed = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key([nonce; 12]), Aad::empty(), &mut sealed).unwrap();
    [&[nonce; 12][..], &sealed].concat()
}

fn decrypt(bytes: &mut [u8]) -> Vec<u8> {
    let nonce = Nonce::try_assume_unique_for_key(&bytes[..12]).unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, DATA_KEY).unwrap());
    key.open_in_place(nonce, Aad::empty(), &mut bytes[12..]).unwrap().to_vec()
}

/// A robot that Gopherbot ran before, with its key file and an empty brain.
fn old_home() -> Home {
    let mut home = home("file");
    home.more("LegacyBrain: true\n");
    home.file("binary-encrypted-key", &STANDARD.encode(encrypt(&KEY.1.as_bytes()[..32], 1, DATA_KEY)));
    for part in ["data", "meta", "outbox"] {
        fs::create_dir_all(cache(&home).join(part)).unwrap();
    }
    control(&home, &json!({ "format": FORMAT, "complete": true, "next_version": 7, "cache_nonce": "of the other" }));
    home
}

fn cache(home: &Home) -> PathBuf {
    home.path().join("state/brain-cache")
}

fn control(home: &Home, value: &Value) {
    fs::write(cache(home).join("control.json"), value.to_string()).unwrap();
}

fn blob(home: &Home, key: &str) -> PathBuf {
    cache(home).join(format!("data/{}.blob", URL_SAFE_NO_PAD.encode(key)))
}

fn meta(home: &Home, key: &str) -> PathBuf {
    cache(home).join(format!("meta/{}.json", URL_SAFE_NO_PAD.encode(key)))
}

fn checksum(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// As Gopherbot would have written it.
fn put(home: &Home, key: &str, version: u64, bytes: &[u8]) {
    fs::write(blob(home, key), bytes).unwrap();
    let text = json!({
        "format": FORMAT, "key": key, "version": version, "checksum": checksum(bytes), "deleted": false,
        "updated_at": "2026-01-01T00:00:00Z", "synced_at": "",
    });
    fs::write(meta(home, key), text.to_string()).unwrap();
}

fn put_text(home: &Home, key: &str, version: u64, text: &str) {
    put(home, key, version, &encrypt(DATA_KEY, 2, json!({ "text": text }).to_string().as_bytes()));
}

/// What Gopherbot would read: the text of a memory, and its version.
fn read(home: &Home, key: &str) -> Option<(String, u64)> {
    let meta: Value = serde_json::from_slice(&fs::read(meta(home, key)).unwrap()).unwrap();
    assert_eq!((&meta["format"], &meta["key"]), (&json!(FORMAT), &json!(key)));
    let version = meta["version"].as_u64().unwrap();
    if meta["deleted"] == true {
        return None;
    }
    let mut bytes = fs::read(blob(home, key)).unwrap();
    assert_eq!(meta["checksum"], checksum(&bytes));
    let value: Value = serde_json::from_slice(&decrypt(&mut bytes)).unwrap();
    Some((value["text"].as_str().unwrap().to_owned(), version))
}

#[test]
fn a_brain_of_gopherbot_is_used_where_it_is() {
    let home = old_home();
    put_text(&home, "mind:colour", 3, "red");
    put_text(&home, "mind:lunch", 4, "soup");
    put(&home, "bot:histories-lookup", 5, b"whatever it is");
    let mut robot = start_in(home);
    assert_eq!(robot.ask(";get colour", "got "), "got red (0)");
    let status = text(&robot.gopherctl(&["status"]));
    assert!(status.contains("LegacyBrain") && status.contains("protects them less"), "{status}");
    assert!(!status.contains("brain migrate"), "{status}");
    assert_eq!(robot.ask(";put colour blue", "put "), "put colour (00)");
    assert_eq!(robot.ask(";put new a", "put "), "put new (00)");
    assert_eq!(robot.ask(";drop lunch", "dropped "), "dropped lunch (0)");
    assert_eq!(brain(&robot, &["set", "other:key", r#"{"text":"by hand"}"#]), "Stored other:key.\n");
    let keys = brain(&robot, &["list"]);
    assert!(keys.contains("mind:new") && !keys.contains("bot:") && !keys.contains("lunch"), "{keys}");
    let output = robot.gopherctl(&["brain", "set", "bot:histories-lookup", "1"]);
    assert!(!output.status.success() && text(&output).contains("Gopherbot's own"), "{}", text(&output));
    robot.ask(";note short salad", "noted");

    let mut robot = start_in(robot.stop());
    assert_eq!(robot.ask(";get colour", "got "), "got blue (0)");
    assert_eq!(robot.ask(";get lunch", "got "), "got false (0)");
    assert_eq!(robot.ask(";noted short", "recalled"), "recalled 'salad'");
    let home = robot.stop();

    let found = |key| read(&home, key).unwrap();
    assert_eq!(
        (found("mind:colour").0, found("mind:new").0, found("other:key").0),
        ("blue".into(), "a".into(), "by hand".into())
    );
    let versions = ["mind:colour", "mind:new", "other:key"].map(|key| found(key).1);
    assert!(versions[0] >= 7 && versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    assert_eq!(read(&home, "mind:lunch"), None);
    assert!(!blob(&home, "mind:lunch").exists());
    assert_eq!(fs::read(blob(&home, "bot:histories-lookup")).unwrap(), b"whatever it is");
    let control: Value = serde_json::from_slice(&fs::read(cache(&home).join("control.json")).unwrap()).unwrap();
    assert_eq!((&control["complete"], &control["cache_nonce"]), (&json!(true), &json!("of the other")));
    assert!(control["next_version"].as_u64().unwrap() > versions[2]);
    assert_eq!(fs::metadata(blob(&home, "mind:new")).unwrap().permissions().mode() & 0o777, 0o600);
    let clear = Scanner::new(vec![("a value".into(), b"by hand".to_vec()), ("a key".into(), b"mind:new".to_vec())]);
    assert_eq!(clear.files(&state(&home)), [].into(), "our own store has none of it");
    assert!(!clear.files(&cache(&home)).contains("a value"));
}

#[test]
fn each_acknowledged_update_of_a_brain_of_gopherbot_is_there_after_a_kill() {
    let mut home = old_home();
    put_text(&home, "mind:n", 1, "0");
    let mut counted = 0;
    for round in 0..8 {
        let mut robot = start_in(home);
        robot.say("alice", ";count n 1000");
        let end = Instant::now() + Duration::from_millis(100 + 57 * round);
        while Instant::now() < end {
            counted += 1;
            assert_eq!(robot.hear_about("counted ").text, format!("counted {counted} (0)"));
        }
        signal(robot.starter(), Signal::SIGKILL);
        counted += robot.rest().iter().filter(|text| text.starts_with("counted ")).count();
        home = robot.stop();
        // What was under way may be there, with or without what is said about it in `meta`; never less.
        let mut bytes = fs::read(blob(&home, "mind:n")).unwrap();
        let plain: Value = serde_json::from_slice(&decrypt(&mut bytes)).unwrap();
        let kept: usize = plain["text"].as_str().unwrap().parse().unwrap();
        assert!(kept == counted || kept == counted + 1, "round {round}: {kept} instead of {counted}");
        counted = kept;
    }
    assert!(counted > 30, "{counted} updates are not worth the name");
}

#[test]
fn a_file_that_is_wrong_costs_its_own_memory_and_no_secret_is_read_as_one() {
    let mut home = old_home();
    let secret = encrypt(DATA_KEY, 3, br#"{"text":"hunter2"}"#);
    home.file("conf/variables/common.yaml", &format!("Secrets:\n  DOOR: {}\n", STANDARD.encode(&secret)));
    home.more("ExternalTasks:\n  lock: { Path: plugins/mind.lua, Parameters: [ { Name: DOOR, Value: '{{ secret \"DOOR\" }}' } ] }\n");
    put_text(&home, "mind:good", 1, "fine");
    put(&home, "mind:secret", 2, &secret);
    put(&home, "mind:noise", 3, &[9; 60]);
    put(&home, "mind:short", 4, b"");
    put_text(&home, "mind:meta", 5, "x");
    fs::write(meta(&home, "mind:meta"), "{\"format\"").unwrap();
    put_text(&home, "mind:gone", 6, "x");
    fs::remove_file(blob(&home, "mind:gone")).unwrap();
    put_text(&home, "mind:link", 6, "x");
    fs::remove_file(blob(&home, "mind:link")).unwrap();
    std::os::unix::fs::symlink(blob(&home, "mind:good"), blob(&home, "mind:link")).unwrap();
    // A name that leads out of the directory is no key.
    put_text(&home, "../outside", 8, "x");
    let mut robot = start_in(home);
    for (key, why) in [
        ("secret", "a secret of the configuration"),
        ("noise", "does not open with this robot's key"),
        ("short", "does not open with this robot's key"),
        ("meta", "is not what Gopherbot writes"),
        ("gone", "is not there"),
        ("link", "it is a link"),
    ] {
        assert_eq!(robot.ask(&format!(";get {key}"), "got "), "got false (9)", "{key}");
        let status = text(&robot.gopherctl(&["status"]));
        assert!(status.contains(&format!("'mind:{key}'")) && status.contains(why), "{key}: {status}");
        assert_eq!(robot.ask(";get good", "got "), "got fine (0)");
        assert_eq!(robot.ask(";put other 1", "put other"), "put other (00)");
    }
    assert_eq!(robot.ask(";put noise x", "put "), "put noise (90)", "what does not open is not written over");
    assert_eq!(brain(&robot, &["delete", "mind:noise"]), "Deleted mind:noise.\n");
    assert_eq!(robot.ask(";put noise x", "put "), "put noise (00)");
    let keys = brain(&robot, &["list"]);
    assert!(!keys.contains("outside"), "{keys}");
    let output = robot.gopherctl(&["brain", "set", "../x:y", "1"]);
    assert!(!output.status.success() && text(&output).contains("is no key of a memory"), "{}", text(&output));
    assert_eq!(robot.ask(";put ../x 1", "put ../x"), "put ../x (1010)");
    let home = robot.stop();
    let mut beside: Vec<_> =
        fs::read_dir(home.path().join("state")).unwrap().flatten().map(|e| e.file_name()).collect();
    beside.sort();
    assert!(
        beside.iter().all(|name| ["brain-cache", "engine", "lock", "scratch", "secretd"].iter().any(|n| name == n)),
        "{beside:?}"
    );
}

#[test]
fn a_brain_of_gopherbot_that_cannot_be_used_is_told_of_and_left_alone() {
    type Change = fn(&Home);
    let cases: [(Change, &str); 3] = [
        (|home| fs::remove_dir_all(cache(home)).unwrap(), "there is no directory state/brain-cache"),
        (|home| control(home, &json!({ "format": FORMAT, "complete": false })), "is not complete"),
        (
            |home| {
                fs::remove_dir(cache(home).join("meta")).unwrap();
                std::os::unix::fs::symlink(home.path().join("plugins"), cache(home).join("meta")).unwrap();
            },
            "meta/ cannot be opened",
        ),
    ];
    for (change, wanted) in cases {
        let home = old_home();
        change(&home);
        let mut robot = start_in(home);
        assert_eq!(robot.ask(";get colour", "got "), "got false (9)");
        assert_eq!(robot.ask(";put colour blue", "put colour"), "put colour (90)");
        let status = text(&robot.gopherctl(&["status"]));
        assert!(status.contains("Memories cannot be used") && status.contains(wanted), "{wanted}: {status}");
    }
}

#[test]
fn without_the_key_the_brain_of_gopherbot_stays_whose_it_is() {
    let mut home = home("file");
    fs::create_dir_all(cache(&home).join("data")).unwrap();
    fs::create_dir_all(cache(&home).join("meta")).unwrap();
    home.more("LegacyBrain: false\n");
    let file = home.file("state/brain-cache/control.json", "{}");
    let before = fs::metadata(&file).unwrap();
    let mut robot = start_in(home);
    assert_eq!(robot.ask(";put colour red", "put "), "put colour (00)");
    let home = robot.stop();
    let after = fs::metadata(&file).unwrap();
    assert_eq!((before.uid(), before.mtime_nsec()), (after.uid(), after.mtime_nsec()));
    assert_eq!(fs::read_dir(cache(&home).join("meta")).unwrap().count(), 0);
}

//! Secrets of a deployed robot: made by the robot itself, referred to by its configuration, and seen by nobody but the
//! runs that they are attached to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Output},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gopher_tests::{
    programs::workspace,
    robot::{Home, Robot, Start, descendants, gopherd, is_root, name},
    scan::Scanner,
    tree,
};
use ring::digest::{SHA256, digest};

/// A word that is nowhere else in the world.
fn canary() -> String {
    let bytes: [u8; 24] = gopher_sys::descriptors::random().expect("random bytes");
    bytes.iter().map(|byte| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte % 32)])).collect()
}

/// As the plugin `gate` shows a text.
fn short(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref()[..8]
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The workshop's secrets, and how it is started with them.
struct Secrets {
    wrapping: String,
    code: String,
    phrase: String,
    token: String,
    deploy: String,
}

impl Secrets {
    fn new() -> Self {
        let wrapping = canary() + &canary();
        Self { wrapping, code: canary(), phrase: canary(), token: canary(), deploy: canary() }
    }

    fn environment(&self, environment: &str) -> Vec<(String, String)> {
        let deploy = format!("-----BEGIN KEY-----:{}:", self.deploy);
        [
            ("GOPHER_ENCRYPTION_KEY", self.wrapping.as_str()),
            ("GOPHER_CUSTOM_REPOSITORY", "git@git.example.com:workshop.git"),
            ("GOPHER_DEPLOY_KEY", &deploy),
            ("GOPHER_ENVIRONMENT", environment),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    fn start(&self, environment: &str) -> Start {
        Start { env: self.environment(environment), ..Start::gopherd(&[]) }
    }
}

const SPY: &str = r#"#!/bin/bash
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
case "$1" in
_configure) echo 'Commands: [ { Command: spy, Regex: spy } ]' ;;
spy)
    names="$(env | cut -d= -f1 | grep -E '^(GATE_|PHRASE|BOT_SSH|GOPHER_DEPLOY|GOPHER_ENC)' | tr '\n' ' ')"
    Say "names [$names] values [$(GetParameter GATE_CODE)$(GetParameter GATE_URL)$(GetParameter GOPHER_DEPLOY_KEY)]"
    ;;
esac
"#;

/// A workshop in production, whose secrets were encrypted by itself in an environment that needs none of them.
fn workshop(secrets: &Secrets) -> Home {
    let home = Home::copy_of("workshop");
    home.file(".env", &format!("GATE_TOKEN={}\nWORKSHOP_CHANNEL=random\n", secrets.token));
    let spy = home.file("custom/plugins/spy.sh", SPY);
    fs::set_permissions(spy, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("mode");
    let robot = home.path().join("custom/conf/robot.yaml");
    tree::edit(&robot, "  tools:\n", "  spy:\n    Path: plugins/spy.sh\n  tools:\n");

    let key = home.path().join("custom/binary-encrypted-key");
    assert!(!key.exists());
    let mut robot = Robot::start(home, &secrets.start("staging"));
    assert!(key.is_file(), "the first start makes the key");
    robot.say("alice", &format!(";encrypt-secret {}", secrets.code));
    let answer = robot.hear().text;
    assert!(STANDARD.decode(&answer).is_err(), "a secret is not told in a channel: {answer}");
    robot.say_in("", "alice", &format!("encrypt-secret {}", secrets.code));
    let code = robot.hear().text;
    robot.say_hidden("alice", &format!("wrench encrypt-secret {}", secrets.phrase));
    let phrase = robot.hear().text;
    for text in [&code, &phrase] {
        assert!(STANDARD.decode(text.trim_matches(['(', ')'])).is_ok(), "{text}");
    }
    robot.say_in("", "carol", "encrypt-secret mine");
    let refused = robot.hear().text;
    assert!(STANDARD.decode(&refused).is_err(), "only for administrators: {refused}");
    let home = robot.stop();
    write_secrets(&home, &code, phrase.trim_matches(['(', ')']));
    home
}

fn write_secrets(home: &Home, code: &str, phrase: &str) {
    home.file("custom/conf/variables/production.yaml", &format!("Secrets:\n  GATE_CODE: {code}\n  PHRASE: {phrase}\n"));
}

#[test]
fn a_secret_reaches_the_run_it_is_attached_to_and_nobody_else() {
    let secrets = Secrets::new();
    let mut robot = Robot::start(workshop(&secrets), &secrets.start("production"));
    let url = format!("https://gate.example.com/open?token={}&code={}", secrets.token, secrets.code);
    let expected = format!("code {0} {0} url {1} {1}", short(&secrets.code), short(&url));
    for _ in 0..3 {
        robot.say_in("", "alice", "open the gate");
        assert_eq!(robot.hear().text, expected, "from the environment and by GetParameter");
        robot.say_in("", "alice", "what is withheld");
        assert_eq!(robot.hear().text, "phrase [] key []");
        assert_eq!(robot.ask(";spy", "names"), "names [] values []");
    }
    let mut seen = String::new();
    for args in [&["status"][..], &["--json", "status"], &["ps"], &["logs", "-n", "2000"], &["reload"]] {
        seen.push_str(&said(&robot.gopherctl(args)));
    }
    for file in ["robot", "plugins/gate"] {
        let mut dump = gopherctl_dump(&robot.home, file);
        seen.push_str(&said(&dump.envs(secrets.environment("production")).output().expect("gopherctl runs")));
    }
    assert!(seen.contains("Value: {{ secret \"GATE_CODE\" }}"), "{seen}");
    assert!(!seen.contains("GSECRET"), "{seen}");
    let scanner = scanner(&secrets);
    assert_eq!(scanner.find(seen.as_bytes()), BTreeSet::new(), "{seen}");

    let ours = scanner.memory(std::process::id()).expect("our own");
    assert!(ours.contains("code") && ours.contains("token"), "the scanner sees nothing: {ours:?}");
    let mut closed = 0;
    for pid in [robot.starter()].into_iter().chain(descendants(robot.starter())) {
        let title = name(pid);
        assert_eq!(scanner.shown(pid, &mut BTreeSet::new()), BTreeSet::new(), "{title}");
        if !title.starts_with("gopher-secretd") {
            match scanner.memory(pid) {
                Some(found) => assert_eq!(found, BTreeSet::new(), "memory of {title}"),
                None => closed += 1,
            }
        }
    }
    if closed > 0 {
        assert!(!is_root());
        println!("skipped: the memory of the robot's roles: only root can read it");
    }
    let audit = fs::read_to_string(robot.home.path().join("state/secretd/audit.log")).expect("the audit file");
    let released =
        audit.lines().filter(|line| line.contains("\"task\":\"gate\"") && line.contains("\"configure\":false"));
    let names = "\"released\":[\"GATE_CODE\",\"GATE_URL\"],\"withheld\":[\"BOT_SSH_PHRASE\",\"GOPHER_DEPLOY_KEY\"]";
    assert!(released.clone().count() >= 6 && released.clone().all(|line| line.contains(names)), "{audit}");

    let home = robot.stop();
    let mut files = scanner.files(home.path());
    files.retain(|found| !found.ends_with("/.env"));
    assert_eq!(files, BTreeSet::new());
}

const VAULT: &str = r#"
if arg[1] == "_configure" then
  return "Commands: [ { Command: vault, Regex: vault } ]"
elseif arg[1] == "vault" then
  local bot = require("gopherbot_v1").Robot:new()
  local config = bot:GetTaskConfig()
  bot:Say(tostring(config.Doors[1] == "a " .. bot:GetParameter("CODE") .. " z") .. " key=" .. config.Key)
end
"#;

#[test]
fn a_secret_in_the_config_of_an_extension_is_what_it_reads_there() {
    let secrets = Secrets::new();
    let home = workshop(&secrets);
    home.file("custom/plugins/vault.lua", VAULT);
    home.file(
        "custom/conf/plugins/vault.yaml",
        "Config: { Doors: [ 'a {{ secret \"GATE_CODE\" }} z' ], Key: '{{ env \"GOPHER_DEPLOY_KEY\" }}' }\n",
    );
    let vault = "  vault:\n    Path: plugins/vault.lua\n    \
        Parameters: [ { Name: CODE, Value: '{{ secret \"GATE_CODE\" }}' } ]\n  tools:\n";
    tree::edit(&home.path().join("custom/conf/robot.yaml"), "  tools:\n", vault);
    let mut robot = Robot::start(home, &secrets.start("production"));
    assert_eq!(robot.ask(";vault", "key="), "true key={{ env \"GOPHER_DEPLOY_KEY\" }}", "and a key stays a reference");
    let audit = fs::read_to_string(robot.home.path().join("state/secretd/audit.log")).expect("the audit file");
    let names = "\"released\":[\"CODE\",\"GATE_CODE\"],\"withheld\":[\"GOPHER_DEPLOY_KEY\"]";
    assert!(audit.lines().any(|line| line.contains("\"task\":\"vault\"") && line.contains(names)), "{audit}");
    robot.stop();
}

fn gopherctl_dump(home: &Home, file: &str) -> Command {
    let mut dump = home.gopherctl(&["dump", file, "--install-dir"]);
    dump.arg(workspace().join("packaging/share"));
    dump
}

fn scanner(secrets: &Secrets) -> Scanner {
    let Secrets { code, phrase, token, deploy, .. } = secrets;
    let all = [("code", code), ("phrase", phrase), ("token", token), ("deploy key", deploy)];
    let forms = all.map(|(name, value)| {
        let base64 = STANDARD.encode(value);
        [(name.to_owned(), value.clone().into_bytes()), (format!("{name} as base64"), base64.into_bytes())]
    });
    Scanner::new(forms.into_iter().flatten().collect())
}

#[test]
fn a_secret_that_does_not_open_refuses_the_load_with_its_place() {
    let secrets = Secrets::new();
    let mut robot = Robot::start(workshop(&secrets), &secrets.start("production"));
    let file = robot.home.path().join("custom/conf/variables/production.yaml");
    let whole = fs::read_to_string(&file).expect("the file");
    let spoilt = whole.replacen("GATE_CODE: ", "GATE_CODE: AAAA", 1);
    fs::write(&file, spoilt).expect("written");
    let refused = robot.gopherctl(&["reload"]);
    let why = "the secret GATE_CODE does not open with this robot's key: encrypt it again";
    assert_eq!(refused.status.code(), Some(78));
    assert!(said(&refused).contains(&format!("error: custom/conf/robot.yaml:64:14: {why}")), "{}", said(&refused));
    robot.say_in("", "alice", "open the gate");
    assert!(robot.hear().text.contains(&short(&secrets.code)), "the old configuration has it");

    let home = robot.stop();
    let start = |home: &Home, secrets: &Secrets| -> Output {
        let env = secrets.environment("production");
        gopherd(home, &["--protocol", "test"], &env).output().expect("gopherd runs")
    };
    let refused = start(&home, &secrets);
    assert_eq!(refused.status.code(), Some(78));
    assert!(said(&refused).contains(&format!("custom/conf/robot.yaml:64:14: {why}")), "{}", said(&refused));

    fs::write(&file, whole).expect("written");
    let other = Secrets { wrapping: canary() + &canary(), ..secrets };
    let refused = start(&home, &other);
    assert_eq!(refused.status.code(), Some(78));
    assert!(said(&refused).contains("binary-encrypted-key does not open"), "{}", said(&refused));
}

#[test]
fn a_name_that_is_declared_plain_can_be_used_where_its_text_is_needed() {
    let secrets = Secrets::new();
    let mut robot = Robot::start(workshop(&secrets), &secrets.start("staging"));
    robot.say_in("random", "alice", ";heat the forge");
    let answer = robot.hear();
    assert_eq!((answer.text.as_str(), answer.channel.as_str()), ("the forge is hot", "random"));
    // Without that it is secret, and the plugin that would need its text is disabled.
    let file = robot.home.path().join("custom/conf/robot.yaml");
    tree::edit(&file, "PlainEnvironment: [ WORKSHOP_CHANNEL ]\n", "PlainEnvironment: []\n");
    let reloaded = said(&robot.gopherctl(&["reload"]));
    let why = "disabled: plugin forge: custom/conf/plugins/forge.yaml:1:13: `{{ env \"WORKSHOP_CHANNEL\" }}` is secret and cannot stand here";
    assert!(reloaded.contains(why) && reloaded.contains("- plugin forge\n"), "{reloaded}");
    tree::edit(&file, "PlainEnvironment: []\n", "PlainEnvironment: [ WORKSHOP_CHANNEL ]\n");
    let reloaded = said(&robot.gopherctl(&["reload"]));
    assert!(reloaded.contains("+ plugin forge\n"), "{reloaded}");
    robot.say_in("random", "alice", ";heat the forge");
    assert_eq!(robot.hear().text, "the forge is hot");
}

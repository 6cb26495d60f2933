//! Mail, from the plugin that writes it to the server that takes it, or does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gopher_tests::{
    programs::{command, interpreter, workspace},
    robot::{Home, Robot, SIGN_OF_LIFE, Start, descendants, eventually, is_root, name, signal},
    scan::Scanner,
    smtp::{Manner, Smtp},
};
use nix::sys::signal::Signal;
use serde_json::Value;

const COMMANDS: &[(&str, &str)] = &[
    ("me", "mail me"),
    ("html", "mail html"),
    ("user", "mail user (\\S+)"),
    ("address", "mail address (\\S+)"),
    ("inject", "mail inject"),
];

const CASES: &str = r#"
me) Email "Grüße aus Köln 🦀" $'Schöne Grüße\n.\n..und noch etwas'; Say "result $?" ;;
html) EmailUser bob "In colour" "<p>Grüße</p>" html; Say "result $?" ;;
user) EmailUser "$2" news text; Say "result $?" ;;
address) EmailAddress "$2" news text; Say "result $?" ;;
inject) EmailAddress team@example.com $'news\r\nBcc: eve@example.com' text; Say "result $?" ;;
"#;

/// The numbers of results that are not `Ok`.
const NO_USER_EMAIL: &str = "result 20";
const NO_BOT_EMAIL: &str = "result 21";
const MAIL_ERROR: &str = "result 22";

fn home(mail_config: &str) -> Home {
    let mut home = Home::new();
    home.edit("FullName: Bender Rodriguez", "FullName: Bender Rodriguez, Email: bender@example.com");
    home.edit("{ UserName: alice }", "{ UserName: alice, Email: alice@example.com }");
    home.edit("{ UserName: bob }", "{ UserName: bob, Email: bob@example.com }");
    home.bash("post", "", COMMANDS, CASES);
    home.more(mail_config);
    home
}

fn server_at(port: u16) -> String {
    format!("MailConfig: {{ Mailhost: '127.0.0.1:{port}' }}\n")
}

fn with_login(port: u16) -> String {
    format!(
        "MailConfig: {{ Mailhost: '127.0.0.1:{port}', Authtype: plain, User: bender, Password: '{{{{ env \"MAIL_PASSWORD\" }}}}' }}\n"
    )
}

fn start(home: Home) -> Robot {
    Robot::start(home, &Start::default())
}

/// The row of the mail connector in `gopherctl status`.
fn mail_status(robot: &Robot) -> Value {
    let output = robot.gopherctl(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = status["protocols"].as_array().expect("protocols");
    rows.iter().find(|row| row["name"] == "mail").cloned().unwrap_or_default()
}

fn log(robot: &Robot) -> String {
    fs::read_to_string(robot.home.path().join("state/engine/robot.log")).expect("a log")
}

/// A real mail server, in a process of its own.
struct Server {
    process: Child,
    lines: BufReader<ChildStdout>,
    port: u16,
}

impl Server {
    /// `None` if there is none on this machine.
    fn start(password: &str) -> Option<Self> {
        let python = interpreter("python3")?;
        let mut process = command(python)
            .arg(workspace().join("tests/programs/smtp.py"))
            .arg(password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("a line");
        let Ok(port) = line.trim().parse() else {
            let _ = process.wait();
            return None;
        };
        Some(Self { process, lines, port })
    }

    fn mail(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a mail");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal(self.process.id(), Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

#[test]
fn a_list_comes_by_mail() {
    let server = Smtp::start(Manner::Kind, false);
    let mut robot = start(home(&server_at(server.port)));
    robot.ask(";add milk to the grocery list", "do you want to create it?");
    robot.ask("yes", "Ok, I created a new grocery list");
    assert_eq!(robot.ask(";email the grocery list", "list"), "Ok, I sent you the grocery list by mail");
    let taken = server.taken();
    let [mail] = taken.as_slice() else { panic!("{taken:?}") };
    assert!(mail.to.contains("<alice@example.com>"), "{mail:?}");
    assert!(mail.data.contains("Subject: The grocery list") && mail.data.contains("milk"), "{mail:?}");
}

#[test]
fn mail_arrives_at_a_real_server_as_it_was_written() {
    let Some(mut server) = Server::start("swordfish") else {
        println!("skipped: aiosmtpd is not installed (package python3-aiosmtpd)");
        return;
    };
    let home = home(&with_login(server.port));
    home.file(".env", "MAIL_PASSWORD=swordfish\n");
    let mut robot = start(home);
    let said = robot.ask(";mail me", "result");
    assert_eq!(said, "result 0", "{}", log(&robot));
    let mail = server.mail();
    assert_eq!((&mail["sender"], &mail["recipients"][0]), (&"bender@example.com".into(), &"alice@example.com".into()));
    assert_eq!(mail["headers"]["from"], "Bender Rodriguez <bender@example.com>");
    assert_eq!(mail["headers"]["to"], "alice@example.com");
    assert_eq!(mail["headers"]["subject"], "Grüße aus Köln 🦀");
    assert_eq!(mail["headers"]["auto-submitted"], "auto-generated");
    assert!(mail["headers"]["date"].is_string() && mail["headers"]["message-id"].is_string(), "{mail}");
    assert_eq!((&mail["type"], &mail["login"]), (&"text/plain".into(), &"bender".into()));
    let text = mail["text"].as_str().expect("text").replace("\r\n", "\n");
    assert_eq!(text.trim_end(), "Schöne Grüße\n.\n..und noch etwas");
    assert_eq!(mail["defects"].as_array().map(Vec::len), Some(0), "{mail}");

    robot.ask(";mail html", "result 0");
    let mail = server.mail();
    assert_eq!((&mail["type"], &mail["recipients"][0]), (&"text/html".into(), &"bob@example.com".into()));
    assert_eq!(mail["text"].as_str().expect("text").trim_end(), "<p>Grüße</p>");

    robot.ask(";mail address team@example.org", "result 0");
    assert_eq!(server.mail()["recipients"][0], "team@example.org");
    let audit = fs::read_to_string(robot.home.path().join("state/engine/audit.log")).expect("an audit log");
    assert!(audit.contains("mails team@example.org for alice"), "{audit}");
    assert!(!audit.contains("Grüße"), "{audit}");
    assert_eq!(mail_status(&robot)["state"], "running");
}

#[test]
fn who_cannot_send_mail_is_told_at_once() {
    let mut nobody = home("");
    nobody.edit(", Email: bender@example.com", "");
    for (home, command, result) in [
        (home(""), ";mail me", MAIL_ERROR),
        (nobody, ";mail me", NO_BOT_EMAIL),
        (home(&server_at(9)), ";mail user carol", NO_USER_EMAIL),
        (home(&server_at(9)), ";mail user zoe", NO_USER_EMAIL),
        (home(&server_at(9)), ";mail inject", MAIL_ERROR),
        (home(&server_at(9)), ";mail me", MAIL_ERROR),
    ] {
        let mut robot = start(home);
        robot.ask(";ping", "PONG");
        let asked = Instant::now();
        robot.ask(command, result);
        assert!(asked.elapsed() < Duration::from_secs(5), "{command}: {:?}", asked.elapsed());
    }
}

#[test]
fn a_server_that_refuses_is_told_in_the_log_and_in_the_status() {
    for (manner, starttls, why, state) in [
        (Manner::Picky, false, "refused it: permanent error (550): 5.1.1 no such mailbox", "running"),
        (Manner::Rude, false, "could not be spoken with", "failed"),
        (Manner::Kind, true, "cannot be trusted", "failed"),
    ] {
        let server = Smtp::start(manner, starttls);
        let mut robot = start(home(&server_at(server.port)));
        robot.ask(";mail me", MAIL_ERROR);
        assert_eq!(server.taken(), []);
        assert!(log(&robot).contains(why), "{manner:?}: {}", log(&robot));
        let row = mail_status(&robot);
        assert_eq!(row["state"], state, "{row}");
        assert_eq!(row["trouble"].as_str().is_some_and(|trouble| trouble.contains(why)), state == "failed", "{row}");
    }
}

#[test]
fn a_server_that_hangs_or_dawdles_keeps_nobody_else_waiting() {
    let servers = [Manner::Silent, Manner::Slow].map(|manner| (manner, Smtp::start(manner, false)));
    for (manner, server) in servers {
        let mut robot = start(home(&server_at(server.port)));
        let connector = robot.role("connector mail");
        robot.say("alice", ";mail me");
        robot.say("bob", ";mail html");
        let asked = Instant::now();
        let slowest = (0..50).map(|_| robot.ping()).max().expect("fifty");
        assert!(slowest < SIGN_OF_LIFE, "{slowest:?}");
        robot.hear_about(MAIL_ERROR);
        robot.hear_about(MAIL_ERROR);
        assert!(asked.elapsed() < Duration::from_secs(45), "{:?}", asked.elapsed());
        if manner == Manner::Slow {
            // Whoever is stuck is replaced.
            assert!(log(&robot).contains("the server took too long"), "{}", log(&robot));
            assert_ne!(robot.role("connector mail"), connector);
        } else {
            assert!(log(&robot).contains("did not answer in time"), "{}", log(&robot));
            assert_eq!(robot.role("connector mail"), connector);
        }
    }
}

#[test]
fn the_connector_of_mail_comes_back_and_follows_the_configuration() {
    let (first, second) = (Smtp::start(Manner::Kind, false), Smtp::start(Manner::Kind, false));
    let mut robot = start(home(&server_at(first.port)));
    let others: Vec<u32> = ["engine", "secretd", "connector test"].map(|role| robot.role(role)).into();
    signal(robot.role("connector mail"), Signal::SIGKILL);
    robot.ping();
    robot.ask(";mail me", "result 0");
    assert_eq!(first.taken().len(), 1);

    robot.home.edit(&server_at(first.port), &server_at(second.port));
    robot.home.write();
    let output = robot.gopherctl(&["reload"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("~ MailConfig"), "{output:?}");
    robot.ask(";mail me", "result 0");
    assert_eq!((first.taken().len(), second.taken().len()), (1, 1));

    robot.home.edit(&server_at(second.port), "");
    robot.home.write();
    assert!(robot.gopherctl(&["reload"]).status.success());
    robot.ask(";mail me", MAIL_ERROR);
    eventually("the end of the connector", || {
        !robot.processes().iter().any(|pid| name(*pid).contains("connector mail"))
    });
    assert!(mail_status(&robot).is_null());
    assert_eq!(["engine", "secretd", "connector test"].map(|role| robot.role(role)).to_vec(), others);
}

#[test]
fn a_mail_password_is_with_its_connector_and_its_keeper_only() {
    let random: [u8; 24] = gopher_sys::descriptors::random().expect("random bytes");
    let password: String = random.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let login = STANDARD.encode(format!("\0bender\0{password}")).into_bytes();
    let in_clear = ("the password".to_owned(), password.clone().into_bytes());
    // The last characters depend on what follows, the first ones are those of the user.
    let scanner = Scanner::new(vec![in_clear, ("the password as it is sent".to_owned(), login[12..].to_vec())]);
    // It repeats what it was told, and that must go no further than to the connector.
    let server = Smtp::start(Manner::Suspicious, false);
    let home = home(&with_login(server.port));
    let env_file = home.file(".env", &format!("MAIL_PASSWORD={password}\n"));
    let mut robot = start(home);
    robot.ask(";mail me", MAIL_ERROR);
    let mut closed = BTreeSet::new();
    let mut holders = BTreeSet::new();
    for pid in [robot.starter()].into_iter().chain(descendants(robot.starter())) {
        let title = name(pid);
        let shown = scanner.shown(pid, &mut closed);
        assert!(!shown.iter().any(|hit| hit.contains("the password")), "{title}: {shown:?}");
        match scanner.memory(pid) {
            Some(found) if !found.is_empty() => drop(holders.insert(title)),
            Some(_) => {}
            None => drop(closed.insert("memory")),
        }
    }
    holders.retain(|title| !title.contains("secretd"));
    if is_root() {
        assert_eq!(holders, BTreeSet::from(["gopher-connector mail".to_owned()]));
    } else {
        assert_eq!(holders, BTreeSet::new());
        println!("skipped: only root can look into the {} of a robot's roles", Vec::from_iter(closed).join(", "));
    }
    let mut on_disk = scanner.files(robot.home.path());
    on_disk.extend(scanner.files(&robot.home.run_dir()));
    assert_eq!(on_disk, BTreeSet::from([format!("the password in {}", env_file.display())]));
}

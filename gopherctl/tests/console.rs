//! The console on a real pseudo-terminal, against a robot played by the test.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test whose stage cannot be set up fails")]

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::{fd::OwnedFd, unix::net::UnixListener},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use gopher_protocol::{
    admin::{AdminAnswer, AdminRequest, PsRow},
    connector::{ConnectorToConsole, ConsoleContext, ConsoleToConnector, Shown, Vocabulary},
    ids::PipelineId,
    robot_api::MessageFormat,
};
use gopher_sys::{Link, paths};
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::{Winsize, openpty},
};

type Engine = Link<AdminAnswer, AdminRequest>;
type Connector = Link<ConnectorToConsole, ConsoleToConnector>;

const PATIENCE: Duration = Duration::from_secs(20);
const PROMPT: &str = "c:general/u:alice -> ";

fn gopherctl(dir: &Path) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the test starts the program it tests")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_gopherctl"));
    command
        .arg("-C")
        .arg(dir)
        .arg("--run-dir")
        .arg(dir)
        .env("XDG_STATE_HOME", dir.join("state"))
        .env("TERM", "xterm")
        .env_remove("NO_COLOR");
    command
}

fn output(dir: &Path, arguments: &[&str]) -> Output {
    gopherctl(dir).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn admit(listener: &UnixListener) -> Engine {
    let mut engine = Engine::new(listener.accept().unwrap().0.into()).unwrap();
    assert!(matches!(engine.wait().unwrap().0, AdminRequest::Authenticate { cookie } if cookie == "cookie"));
    engine.send(&AdminAnswer::Welcome).unwrap();
    engine
}

fn listen(dir: &Path) -> UnixListener {
    std::fs::write(dir.join(paths::COOKIE), "cookie\n").unwrap();
    UnixListener::bind(dir.join(paths::ADMIN_SOCKET)).unwrap()
}

fn context(channel: &str) -> ConsoleContext {
    ConsoleContext { user: "alice".into(), channel: Some(channel.into()), thread: None }
}

fn open_console(listener: &UnixListener) -> Connector {
    let mut engine = admit(listener);
    assert!(matches!(engine.wait().unwrap().0, AdminRequest::Console));
    engine.send(&AdminAnswer::ConsoleFollows).unwrap();
    let socket = engine.into_socket().unwrap();
    poll(&mut [PollFd::new(std::os::fd::AsFd::as_fd(&socket), PollFlags::POLLIN)], PollTimeout::NONE).unwrap();
    let mut connector = Connector::new(socket).unwrap();
    let vocabulary = Vocabulary {
        commands: vec!["ping".into()],
        users: vec!["alice".into()],
        channels: vec!["general".into(), "random".into()],
    };
    let welcome = ConnectorToConsole::Welcome {
        robot: "floyd".into(),
        alias: Some(';'),
        context: context("general"),
        vocabulary,
    };
    connector.send(&welcome).unwrap();
    connector
}

fn show(connector: &mut Connector, text: &str) {
    let message = Shown {
        channel: Some("general".into()),
        thread: None,
        user: None,
        text: text.into(),
        format: MessageFormat::BasicMarkdown,
        hidden: false,
    };
    connector.send(&ConnectorToConsole::Show { message }).unwrap();
}

/// A person at a terminal: types, and reads the screen.
struct Person {
    terminal: File,
    screen: String,
    read: usize,
    program: Child,
    /// The terminal's other side, as its programs see it.
    slave: OwnedFd,
}

impl Person {
    fn sits_down(dir: &Path) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 60, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None).unwrap();
        let slave = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
        let program = gopherctl(dir)
            .arg("console")
            .stdin(slave(&pty.slave))
            .stdout(slave(&pty.slave))
            .stderr(slave(&pty.slave))
            .spawn()
            .unwrap();
        fcntl(&pty.master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK | OFlag::O_RDWR)).unwrap();
        Self { terminal: File::from(pty.master), screen: String::new(), read: 0, program, slave: pty.slave }
    }

    fn types(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match self.terminal.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
            self.look();
        }
    }

    fn look(&mut self) -> bool {
        let mut bytes = [0; 4096];
        match self.terminal.read(&mut bytes) {
            Ok(count) if count > 0 => {
                self.screen.push_str(&String::from_utf8_lossy(&bytes[..count]));
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Waits until the text is on the screen after what was read before.
    fn sees(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.screen[self.read..].find(text) {
                self.read += at + text.len();
                return;
            }
            assert!(Instant::now() < deadline, "{text:?} is not in {:?}", &self.screen[self.read..]);
            if !self.look() {
                poll(
                    &mut [PollFd::new(std::os::fd::AsFd::as_fd(&self.terminal), PollFlags::POLLIN)],
                    PollTimeout::from(50u8),
                )
                .unwrap();
            }
        }
    }

    fn leaves(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while self.look() {}
            if let Some(status) = self.program.try_wait().unwrap() {
                while self.look() {}
                return status;
            }
            assert!(Instant::now() < deadline, "the console does not end: {:?}", &self.screen[self.read..]);
            poll(
                &mut [PollFd::new(std::os::fd::AsFd::as_fd(&self.terminal), PollFlags::POLLIN)],
                PollTimeout::from(50u8),
            )
            .unwrap();
        }
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // Only a failed test leaves a console behind.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn said(connector: &mut Connector) -> String {
    match connector.wait().unwrap().0 {
        ConsoleToConnector::Say { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_printed_above_the_half_typed_line() {
    let dir = tempfile::tempdir().unwrap();
    let listener = listen(dir.path());
    let mut person = Person::sits_down(dir.path());
    let mut connector = open_console(&listener);
    person.sees("Connected to floyd.");
    person.sees(PROMPT);
    person.types(";Encrypt-Secret hunter2\r");
    assert_eq!(said(&mut connector), ";Encrypt-Secret hunter2");
    show(&mut connector, "sealed");
    person.sees("general: sealed");
    person.sees(PROMPT);
    person.types("flo");
    person.sees("flo");
    show(&mut connector, "**PONG** with\u{1b}]0;a title\u{7}");
    person.sees("general: \u{1b}[1mPONG\u{1b}[22m with^[]0;a title^G");
    person.sees(&format!("{PROMPT}flo"));
    person.types("yd, ping\r");
    assert_eq!(said(&mut connector), "floyd, ping");
    // Width 60: the text is wrapped when it is printed.
    show(&mut connector, &"word ".repeat(20));
    person.sees("general: word word word word word word word word word word\r\nword");
    person.sees(PROMPT);
    person.types("\u{4}");
    assert!(person.leaves().success());
    let history = dir.path().join("state/gopherctl/history");
    let kept = std::fs::read_to_string(&history).unwrap();
    assert!(kept.contains("floyd, ping") && !kept.contains("hunter2"), "{kept}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(history).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_resized_terminal_wraps_to_its_new_width() {
    let dir = tempfile::tempdir().unwrap();
    let listener = listen(dir.path());
    let mut person = Person::sits_down(dir.path());
    let mut connector = open_console(&listener);
    person.sees(PROMPT);
    let terminal = Stdio::from(person.slave.try_clone().unwrap());
    #[expect(clippy::disallowed_methods, reason = "resizing by a system call needs unsafe code")]
    let resized = Command::new("stty").args(["cols", "30"]).stdin(terminal).status().unwrap();
    assert!(resized.success());
    show(&mut connector, &"word ".repeat(8));
    person.sees("general: word word word word\r\nword word word word");
    person.sees(PROMPT);
    person.types("floyd, ping\r");
    assert_eq!(said(&mut connector), "floyd, ping");
}

#[test]
fn switches_change_the_prompt_and_tab_completes() {
    let dir = tempfile::tempdir().unwrap();
    let listener = listen(dir.path());
    let mut person = Person::sits_down(dir.path());
    let mut connector = open_console(&listener);
    person.sees(PROMPT);
    person.types("|cra\t\r");
    assert!(
        matches!(connector.wait().unwrap().0, ConsoleToConnector::SwitchChannel { channel: Some(name) } if name == "random")
    );
    connector.send(&ConnectorToConsole::Context { context: context("random") }).unwrap();
    connector.send(&ConnectorToConsole::Notice { text: "Changed current channel to: random".into() }).unwrap();
    person.sees("Changed current channel to: random");
    person.sees("c:random/u:alice -> ");
    person.types("|x\r");
    person.sees("Invalid terminal connector command");
    person.sees("c:random/u:alice -> ");
    person.types("half\u{3}");
    person.sees("Ctrl-C again");
    person.sees("c:random/u:alice -> ");
    person.types("\u{3}");
    assert!(person.leaves().success());
}

#[test]
fn a_robot_that_ends_is_told_and_the_terminal_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let listener = listen(dir.path());
    let mut person = Person::sits_down(dir.path());
    let before = nix::sys::termios::tcgetattr(&person.terminal).unwrap();
    let mut connector = open_console(&listener);
    person.sees(PROMPT);
    person.types("half a li");
    person.sees("half a li");
    show(&mut connector, "Later gator!");
    connector.send(&ConnectorToConsole::Bye { reason: "The robot has stopped.".into() }).unwrap();
    drop(connector);
    person.sees("general: Later gator!");
    person.sees("The robot has stopped.");
    assert_eq!(person.leaves().code(), Some(69));
    let after = nix::sys::termios::tcgetattr(&person.terminal).unwrap();
    assert_eq!(after.local_flags, before.local_flags);
    assert_eq!(person.screen.matches("The robot has stopped.").count(), 1);
}

#[test]
fn a_robot_that_vanishes_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let listener = listen(dir.path());
    let mut person = Person::sits_down(dir.path());
    let connector = open_console(&listener);
    person.sees(PROMPT);
    drop(connector);
    person.sees("the robot has closed the connection");
    assert_eq!(person.leaves().code(), Some(69));
}

#[test]
fn a_pasted_megabyte_is_refused_and_the_next_line_goes_through() {
    let dir = tempfile::tempdir().unwrap();
    let listener = listen(dir.path());
    let mut person = Person::sits_down(dir.path());
    let mut connector = open_console(&listener);
    person.sees(PROMPT);
    // A terminal pastes between these marks.
    person.types(&format!("\u{1b}[200~{}\u{1b}[201~\r", "x".repeat(1 << 20)));
    person.sees("The line has 1048576 bytes, more than 16384: it was not sent.");
    person.types("floyd, ping\r");
    assert_eq!(said(&mut connector), "floyd, ping");
}

#[test]
fn a_burst_of_messages_arrives_whole_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let listener = listen(dir.path());
    let mut person = Person::sits_down(dir.path());
    let mut connector = open_console(&listener);
    person.sees(PROMPT);
    person.types("typing");
    person.sees("typing");
    let sender = std::thread::spawn(move || {
        for n in 0..300 {
            show(&mut connector, &format!("message {n}."));
        }
        connector.drain().unwrap();
        connector
    });
    for n in 0..300 {
        person.sees(&format!("general: message {n}.\r\n"));
    }
    person.sees("typing");
    drop(sender.join().unwrap());
    assert_eq!(person.leaves().code(), Some(69));
}

#[test]
fn exit_statuses_are_those_of_sysexits() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(output(dir.path(), &["dance"]).status.code(), Some(64));
    assert_eq!(output(dir.path(), &["--help"]).status.code(), Some(0));
    let nobody = output(dir.path(), &["ps"]);
    assert_eq!(nobody.status.code(), Some(69));
    assert!(String::from_utf8_lossy(&nobody.stderr).starts_with("gopherctl: no robot is running in "));
    assert_eq!(output(dir.path(), &["version"]).status.code(), Some(0));
    let listener = listen(dir.path());
    let engine = std::thread::spawn(move || {
        let mut engine = admit(&listener);
        assert!(matches!(engine.wait().unwrap().0, AdminRequest::Kill { pipeline: PipelineId(9) }));
        engine.send(&AdminAnswer::Refused { reason: "There is no pipeline 9.".into() }).unwrap();
        listener
    });
    let refused = output(dir.path(), &["kill", "9"]);
    assert_eq!(refused.status.code(), Some(77));
    assert_eq!(String::from_utf8_lossy(&refused.stderr), "gopherctl: There is no pipeline 9.\n");
    let listener = engine.join().unwrap();
    let other = std::thread::spawn(move || {
        listener.accept().unwrap().0.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    assert_eq!(output(dir.path(), &["status"]).status.code(), Some(76));
    other.join().unwrap();
}

#[test]
fn ps_lists_pipelines_and_a_reader_may_leave() {
    let dir = tempfile::tempdir().unwrap();
    let listener = listen(dir.path());
    let engine = std::thread::spawn(move || {
        for _ in 0..2 {
            let mut engine = admit(&listener);
            assert!(matches!(engine.wait().unwrap().0, AdminRequest::Ps));
            let row = |n| PsRow {
                pipeline: PipelineId(n),
                kind: "plugin".into(),
                plugin: "knock".into(),
                task: "knock".into(),
                command: "joke".into(),
                user: "alice".into(),
                channel: "general".into(),
                age_seconds: 3,
                state: "running".into(),
            };
            engine.send(&AdminAnswer::Ps { rows: (1..5000).map(row).collect() }).unwrap();
            engine.drain().unwrap();
        }
    });
    let listed = output(dir.path(), &["ps"]);
    assert!(listed.status.success());
    let text = String::from_utf8(listed.stdout).unwrap();
    assert!(
        text.starts_with("WID   AGE  USER   CHANNEL  KIND    PLUGIN  COMMAND  TASK   STATE\n1     3s "),
        "{}",
        &text[..200]
    );
    let mut gone = gopherctl(dir.path()).arg("ps").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(gone.stdout.take());
    let ended = gone.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
    engine.join().unwrap();
}

//! Configuration and consoles that are not as they should be: each is answered with one clear sentence, and nobody
//! else notices.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixListener,
    process::{Child, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use gopher_sys::paths::ADMIN_SOCKET;
use gopher_tests::robot::{Home, Robot, SIGN_OF_LIFE, Start, eventually, gopherd, signal};
use nix::sys::signal::Signal;

/// A robot directory with these bytes as its `conf/robot.yaml`.
fn home(robot: &[u8]) -> Home {
    let home = Home::new();
    fs::write(home.path().join("conf/robot.yaml"), robot).expect("robot.yaml");
    home
}

/// The output of a program that ends by itself.
fn output(mut process: Child) -> Output {
    let begun = Instant::now();
    while process.try_wait().expect("its state").is_none() {
        if begun.elapsed() > Duration::from_secs(30) {
            process.kill().expect("killed");
            panic!("it did not end: {:?}", process.wait_with_output());
        }
        sleep(Duration::from_millis(5));
    }
    process.wait_with_output().expect("its output")
}

/// Exit status and standard error of a robot that cannot start.
fn start(home: &Home) -> (Option<i32>, String) {
    let process = gopherd(home, &[], &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("gopherd");
    let output = output(process);
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

#[test]
fn a_configuration_that_is_none_ends_the_start_with_its_place_and_reason() {
    let large = ["PrimaryProtocol: terminal\n".as_bytes(), &vec![b'#'; 2 << 20]].concat();
    let cases: &[(&[u8], &[&str])] = &[
        (b"", &["conf/robot.yaml:1:1: the file holds no keys"]),
        (b"# nothing but a comment\n", &["conf/robot.yaml:2:1: the file holds no keys"]),
        (b"hello\n", &["conf/robot.yaml:1:1: expected keys and values, found text"]),
        (b"a: [ 1, 2\nb: }\n", &["conf/robot.yaml:2:2: this is not valid YAML"]),
        (b"\x00\x01\x02", &["conf/robot.yaml:1:1: "]),
        (b"Alias: \"\xff\xfe\"\n", &["conf/robot.yaml:1:9: this is not UTF-8 text", "hint: save the file as UTF-8"]),
        (&large, &["conf/robot.yaml: the file is larger than 1 MiB"]),
        (
            b"PrimaryProtocol: terminal\nAdminUser: [ alice ]\n",
            &["conf/robot.yaml:2:1: unknown key `AdminUser`", "hint: did you mean `AdminUsers`?"],
        ),
        (
            b"PrimaryProtocol: terminal\nAlias: {{ evn \"ALIAS\" }}\n",
            &["conf/robot.yaml:2:11: there is no function `evn`", "did you mean `env`?"],
        ),
        (
            b"PrimaryProtocol: terminal\nExternalPlugins:\n  twin: { Path: one.sh }\n  twin: { Path: two.sh }\n",
            &["conf/robot.yaml:4:3: the key `twin` stands here a second time; it is already on line 3"],
        ),
        (b"PrimaryProtocol: terminal\nAlias: ab\n", &["conf/robot.yaml:2:8: invalid alias; it must be one of: * +"]),
        (b"BotInfo: { UserName: bender }\nPrimaryProtocol: smoke-signals\n", &["smoke-signals"]),
    ];
    for (text, sentences) in cases {
        let (code, said) = start(&home(text));
        let shown = String::from_utf8_lossy(&text[..text.len().min(80)]);
        assert_eq!(code, Some(78), "{shown:?}: {said}");
        assert!(sentences.iter().all(|sentence| said.contains(sentence)), "{shown:?}: {said}");
        assert!(said.starts_with("gopherd: ") && said.matches("gopher").count() == 1, "one voice: {said}");
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let (code, said) = start(&home(b"PrimaryProtocol: terminal\nAdminUser: [ a ]\nTimeOut: 3\nAlais: ';'\n"));
    assert_eq!(code, Some(78));
    for place in ["robot.yaml:2:1", "robot.yaml:3:1", "robot.yaml:4:1"] {
        assert!(said.contains(place), "{place}: {said}");
    }
}

#[test]
fn something_else_in_the_place_of_the_configuration_is_refused() {
    let home = Home::new();
    fs::create_dir(home.path().join("conf/robot.yaml")).expect("a directory");
    let (code, said) = start(&home);
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("conf/robot.yaml is not a regular file: replace it by one"), "{said}");
}

#[test]
fn a_directory_without_a_robot_gets_the_default_one_which_says_so() {
    let home = Home::new();
    let log = home.path().join("said");
    let errors = fs::File::create(&log).expect("a file");
    let mut process = gopherd(&home, &[], &[]).stderr(errors).spawn().expect("gopherd");
    let said = || fs::read_to_string(&log).expect("what it said");
    eventually("the sentence", || said().contains('\n'));
    assert!(said().contains("there is no conf/robot.yaml in ") && said().contains("default robot in demo mode"));
    eventually("a status", || home.gopherctl(&["status"]).output().is_ok_and(|o| o.status.success()));
    signal(process.id(), Signal::SIGTERM);
    eventually("the end", || process.try_wait().expect("its state").is_some());
    assert_eq!(process.wait().expect("its status").code(), Some(0));
}

#[test]
fn two_extensions_of_one_name_are_both_disabled_with_the_place_of_the_other() {
    let mut home = Home::new();
    home.bash("good", "", &[("quick", "quick")], "quick) Say still here ;;");
    home.bash("twin", "", &[("one", "one")], "one) Say one ;;");
    home.more("ExternalJobs:\n  twin: { Path: jobs/twin.sh }\n");
    let mut robot = Robot::start(home, &Start { caged: true, ..Start::default() });
    assert_eq!(robot.ask(";quick", "still"), "still here");
    let status = String::from_utf8(robot.gopherctl(&["status"]).stdout).expect("text");
    assert!(status.matches("the name `twin` is also used at conf/robot.yaml:1").count() == 2, "{status}");
}

/// Whoever connects to the admin socket of a robot that is not there hears `bytes`.
fn impostor(bytes: &'static [u8]) -> (Home, Output) {
    let home = Home::new();
    let run_dir = home.run_dir();
    fs::create_dir_all(&run_dir).expect("a directory");
    let listener = UnixListener::bind(run_dir.join(ADMIN_SOCKET)).expect("a socket");
    let answer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.write_all(bytes).expect("said");
        // Until it has had enough.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let process =
        home.gopherctl(&["console"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("gopherctl");
    let output = output(process);
    answer.join().expect("answered");
    fs::remove_dir_all(&run_dir).expect("removed");
    (home, output)
}

#[test]
fn a_socket_that_is_not_ours_is_told_from_a_stale_build() {
    let (_, foreign) = impostor(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let said = String::from_utf8_lossy(&foreign.stderr);
    assert_eq!(foreign.status.code(), Some(76), "{said}");
    assert!(said.contains("is not the socket of a robot of this build") && said.lines().count() == 1, "{said}");
    // A hello of protocol 1 and build 0.0.0+0.
    let (_, stale) = impostor(b"\x09\x00\x00\x00\x00\x00\x01\x070.0.0+0");
    let said = String::from_utf8_lossy(&stale.stderr);
    assert_eq!(stale.status.code(), Some(76), "{said}");
    assert!(said.contains("0.0.0+0") && said.contains("one of the two programs is stale"), "{said}");
}

#[test]
fn who_speaks_garbage_to_the_admin_socket_is_hung_up_on_and_nobody_notices() {
    let mut robot = Robot::start(Home::new(), &Start { caged: true, ..Start::default() });
    for bytes in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &vec![0xff; 100_000][..], &[0; 6], b"\x09\x00\x00\x00\x00\x00\x01\x070.0.0+0"]
    {
        let mut stream =
            std::os::unix::net::UnixStream::connect(robot.home.run_dir().join(ADMIN_SOCKET)).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        // It may hang up before it has heard everything.
        let _ = stream.write_all(bytes);
        let mut rest = Vec::new();
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
        }
        assert!(robot.ping() < SIGN_OF_LIFE);
    }
    assert!(robot.gopherctl(&["status"]).status.success());
}

#[test]
fn a_console_whose_engine_is_killed_says_so_and_the_next_one_is_served() {
    let mut robot = Robot::start(Home::new(), &Start { caged: true, ..Start::default() });
    let shown = robot.home.path().join("shown");
    let errors = robot.home.path().join("errors");
    let mut console = robot.home.gopherctl(&["console"]);
    let console = console.stdin(Stdio::piped()).stdout(fs::File::create(&shown).expect("a file"));
    let mut console = console.stderr(fs::File::create(&errors).expect("a file")).spawn().expect("gopherctl");
    let mut keyboard = console.stdin.take().expect("a pipe");
    keyboard.write_all(b";ping\n").expect("typed");
    eventually("an answer", || fs::read_to_string(&shown).is_ok_and(|text| text.contains("PONG")));
    let connector = || robot.home.role_status("connector test").map(|role| role["pid"].clone());
    let before = connector();
    signal(robot.role("gopher-engine"), Signal::SIGKILL);
    let ended = output(console);
    let said =
        fs::read_to_string(&errors).expect("what it said") + &fs::read_to_string(&shown).expect("what it showed");
    assert_eq!(ended.status.code(), Some(69), "{said}");
    assert!(said.contains("the robot has closed the connection") || said.contains("engine"), "{said}");
    drop(keyboard);
    eventually("a new connector", || connector().is_some_and(|pid| pid.is_u64() && Some(pid) != before));
    robot.reconnect();
    assert!(robot.ping() < SIGN_OF_LIFE);
    eventually("another console", || {
        let mut console = robot.home.gopherctl(&["console"]);
        let console = console.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut console = console.spawn().expect("gopherctl");
        let _ = console.stdin.take().expect("a pipe").write_all(b";ping\n");
        String::from_utf8_lossy(&output(console).stdout).contains("PONG")
    });
}

#[test]
fn a_megabyte_pasted_into_a_console_is_refused_and_the_next_line_is_answered() {
    let mut robot = Robot::start(Home::new(), &Start { caged: true, ..Start::default() });
    let mut console = robot.home.gopherctl(&["console"]);
    let console = console.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut console = console.spawn().expect("gopherctl");
    let mut keyboard = console.stdin.take().expect("a pipe");
    let typing = std::thread::spawn(move || {
        let line = [&b"x".repeat(1 << 20)[..], b"\n;ping\n"].concat();
        keyboard.write_all(&line).expect("typed");
    });
    assert!(robot.ping() < SIGN_OF_LIFE);
    let ended = output(console);
    typing.join().expect("typed");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    assert!(
        said.contains("PONG") && said.contains("The line has 1048576 bytes, more than 16384: it was not sent."),
        "{}",
        said.chars().take(2000).collect::<String>()
    );
    assert!(robot.ping() < SIGN_OF_LIFE);
}

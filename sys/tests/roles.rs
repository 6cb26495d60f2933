//! What each role cannot do once its filter is applied. The filter is for good, so a child process tries.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs::File,
    io::Write as _,
    os::fd::{AsFd as _, OwnedFd},
};

use gopher_sys::role;
use nix::{
    errno::Errno,
    sched::{CloneFlags, unshare},
    sys::{
        prctl,
        signal::{Signal, kill},
        socket::{AddressFamily, SockFlag, SockType, socket, socketpair},
    },
    unistd::{Pid, execve, getpid, pipe},
};

/// Tells the child which role it is.
const ROLE: &str = "GOPHER_TEST_ROLE";

#[expect(clippy::disallowed_methods, reason = "the child of a test is told by its environment what it is")]
fn role_of_child() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Every attempt of a process with a role's filter, and whether the kernel refused it.
fn attempts() -> Vec<(&'static str, Option<Errno>)> {
    let open = |path| File::open(path).err().and_then(|e| e.raw_os_error()).map(Errno::from_raw);
    let of_socket = |family, kind| socket(family, kind, SockFlag::empty(), None).err();
    #[expect(clippy::disallowed_methods, reason = "that it cannot be started is what is tried")]
    let started = std::process::Command::new("/bin/true").status();
    vec![
        ("socket inet", of_socket(AddressFamily::Inet, SockType::Stream)),
        ("socket inet6", of_socket(AddressFamily::Inet6, SockType::Datagram)),
        ("socket unix", of_socket(AddressFamily::Unix, SockType::Stream)),
        ("socketpair", socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::empty()).err()),
        ("execve", execve(c"/bin/true", &[c"true"], &[] as &[&std::ffi::CStr]).err()),
        ("start", started.err().and_then(|e| e.raw_os_error()).map(Errno::from_raw)),
        ("kill", kill(getpid(), None).err()),
        ("kill of all", kill(Pid::from_raw(-1), Signal::SIGWINCH).err()),
        ("unshare", unshare(CloneFlags::CLONE_NEWNS).err()),
        ("prctl", prctl::set_dumpable(true).err()),
        ("open", open("/etc/hostname")),
    ]
}

/// Not a test of its own: what the child of the next one does.
#[test]
fn as_a_role() {
    let Some(role) = role_of_child() else { return };
    let (read, write): (OwnedFd, OwnedFd) = pipe().expect("a pipe");
    File::open("/etc/hostname").expect("before the filter files can be opened");
    role::confine(&role).expect("the filter");
    File::from(write).write_all(b"x").expect("what a role needs still works");
    drop(read);
    for (what, refusal) in attempts() {
        println!("attempt {what}: {}", refusal.map_or("ALLOWED".to_owned(), |errno| format!("{errno:?}")));
    }
}

#[test]
fn a_role_opens_no_sockets_but_for_mail_starts_no_programs_and_signals_nobody() {
    for role in ["secretd", "engine", "connector", "mail"] {
        #[expect(clippy::disallowed_methods, reason = "the test's own child")]
        let mut child = std::process::Command::new(std::env::current_exe().expect("this program"));
        let output = child.args(["--exact", "as_a_role", "--nocapture"]).env(ROLE, role).output().expect("starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{role}: {text}{}", String::from_utf8_lossy(&output.stderr));
        let tried: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("attempt ")).collect();
        assert_eq!(tried.len(), 11, "{role}: {text}");
        for line in tried {
            // The engine opens its log anew when it is rotated, mail asks for names of hosts; Landlock says where.
            let wanted = match role {
                "engine" if line.starts_with("open") => "ALLOWED",
                "mail" if line.starts_with("open") || line.starts_with("socket inet") => "ALLOWED",
                _ => "EPERM",
            };
            assert!(line.ends_with(&format!(": {wanted}")), "{role}: {line}");
        }
    }
}

#[test]
fn a_client_connects_to_its_ports_only_and_reads_where_it_may() {
    let listener = |_| std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let [allowed, other] = [0, 1].map(listener).map(|l| (l.local_addr().expect("an address"), l));
    let reached = |address: std::net::SocketAddr| std::net::TcpStream::connect(address).is_ok();
    let confined = std::thread::spawn(move || {
        gopher_sys::confine::only_client(["/etc", "/not/there"], &[allowed.0.port()]).expect("landlock");
        let files = (File::open("/etc/hostname").is_ok(), File::open("/proc/self/stat").is_err());
        let written = File::create(std::env::temp_dir().join("gopher-client-writes")).is_err();
        let bound = std::net::TcpListener::bind("127.0.0.1:0").is_err();
        (files, written, reached(allowed.0), !reached(other.0), bound)
    });
    let (files, written, there, elsewhere, bound) = confined.join().expect("it lives");
    assert!(there, "its own port is open to it");
    if gopher_sys::confine::landlock_abi() < 4 {
        println!("skipped: this kernel's Landlock does not fence TCP");
        return;
    }
    assert!(files.0 && files.1 && written && elsewhere && bound);
}

#[test]
fn a_process_that_is_kept_beneath_a_directory_reaches_nothing_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_owned();
    // Of its own thread only: the others go on as they were.
    let confined = std::thread::spawn(move || {
        let directory = File::open(&path).expect("opens");
        gopher_sys::confine::only_beneath([directory.as_fd()]).expect("landlock");
        let inside =
            std::fs::write(path.join("log"), "x").and_then(|()| std::fs::rename(path.join("log"), path.join("old")));
        (inside.is_ok(), File::open("/etc/hostname").is_err(), std::net::TcpListener::bind("127.0.0.1:0").is_err())
    });
    let (inside, outside, network) = confined.join().expect("it lives");
    assert!(inside, "its own directory is open to it");
    if gopher_sys::confine::landlock_abi() < 4 {
        println!("skipped: this kernel's Landlock does not fence TCP");
        return;
    }
    assert!(outside && network);
}

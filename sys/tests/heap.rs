//! Where a process allocates once it has left the gaps of its heap. All its threads must share the one heap from the
//! start, so a child process tries.
#![forbid(unsafe_code)]
#![cfg(target_env = "gnu")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use gopher_sys::heap;

/// Tells the child that it is one.
const CHILD: &str = "GOPHER_TEST_HEAP";

/// How many of many small pieces lie below `highest`.
fn below(highest: usize) -> usize {
    let pieces: Vec<Vec<u8>> = (0..1000).map(|n| vec![1; 40 + n % 1500]).collect();
    pieces.iter().filter(|piece| piece.as_ptr().addr() < highest).count()
}

/// Not a test of its own: what the child of the next one does.
#[test]
fn as_a_child() {
    #[expect(clippy::disallowed_methods, reason = "the child of a test is told by its environment what it is")]
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    heap::share();
    let mut pieces: Vec<Option<Vec<u8>>> = (0..4000).map(|n| Some(vec![1; 24 + n % 3000])).collect();
    pieces.iter_mut().step_by(2).for_each(|piece| *piece = None);
    let highest = pieces.iter().flatten().map(|piece| piece.as_ptr().addr()).max().expect("pieces");
    println!("before {}", below(highest));
    heap::leave_gaps();
    println!("after {}", below(highest));
}

#[test]
fn what_is_allocated_once_gaps_are_left_lies_at_the_end() {
    #[expect(clippy::disallowed_methods, reason = "the test's own child")]
    let mut child = std::process::Command::new(std::env::current_exe().expect("this program"));
    child
        .args(["--exact", "as_a_child", "--nocapture"])
        .env(CHILD, "")
        .env("GLIBC_TUNABLES", "glibc.malloc.arena_max=1");
    let output = child.output().expect("starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let count = |what: &str| {
        let found = text.lines().find_map(|line| line.split_once(what)?.1.trim().parse::<usize>().ok());
        found.unwrap_or_else(|| panic!("{what}: {text}{}", String::from_utf8_lossy(&output.stderr)))
    };
    assert!(count("before ") > 900, "{text}");
    assert!(count("after ") < 20, "{text}");
}

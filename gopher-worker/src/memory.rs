//! What `/proc` tells of a run's own processes: how much memory they use, where no cgroup counts it, and which
//! sockets they hold.

use std::fs;

use gopher_sys::confine::SERVICE;

/// The process that serves a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// It is no part of the extension.
    NotCounted,
    /// The extension is a thread of it.
    Counted,
}

/// Resident bytes of every process that `/proc` shows; of the first only what its service does not need, and only if it
/// is `counted`. In a run's own pid namespace these are its processes and nobody else's; pages they share are counted
/// once for each.
pub(crate) fn resident(counted: First) -> u64 {
    let Ok(listing) = fs::read_dir("/proc") else { return 0 };
    let numbers = listing.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let bytes = numbers.filter_map(|pid| {
        let used = resident_pages(&fs::read_to_string(format!("/proc/{pid}/statm")).ok()?)? * 4096;
        Some(match (pid, counted) {
            (1, First::NotCounted) => 0,
            (1, First::Counted) => used.saturating_sub(SERVICE),
            _ => used,
        })
    });
    bytes.sum()
}

/// The children of this process, where no pid namespace tells the run's processes from others.
pub(crate) fn children() -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id()));
    text.unwrap_or_default().split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Whether one of the processes that `/proc` shows has this socket open.
pub(crate) fn somebody_holds(socket: u64) -> bool {
    let wanted = format!("socket:[{socket}]");
    let Ok(listing) = fs::read_dir("/proc") else { return false };
    let processes = listing.flatten().filter(|e| e.file_name().to_str().is_some_and(|n| n.parse::<u32>().is_ok()));
    // A process that ends meanwhile holds nothing.
    let mut descriptors = processes.filter_map(|entry| fs::read_dir(entry.path().join("fd")).ok()).flatten().flatten();
    descriptors.any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target.as_os_str() == wanted.as_str()))
}

fn resident_pages(statm: &str) -> Option<u64> {
    statm.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_field_is_the_resident_one() {
        assert_eq!(resident_pages("5000 321 200 10 0 100 0"), Some(321));
        assert_eq!(resident_pages(""), None);
    }

    #[test]
    fn a_socket_is_found_with_whoever_holds_it() {
        use std::os::{fd::AsRawFd as _, unix::net::UnixStream};
        let (socket, _peer) = UnixStream::pair().expect("a pair");
        let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).expect("a link");
        let inode = link.to_string_lossy().trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number");
        assert!(somebody_holds(inode) && !somebody_holds(u64::MAX));
    }

    #[test]
    fn this_process_is_counted() {
        assert!(resident(First::NotCounted) > 0);
    }
}

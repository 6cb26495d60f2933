//! What `/proc` tells of a run's own processes: how much memory they use, where no cgroup counts it, and which
//! sockets they hold.

use std::fs;

/// Resident bytes of every process that `/proc` shows but the first. In a run's own pid namespace these are
/// its processes and nobody else's; pages they share are counted once for each.
pub(crate) fn resident() -> u64 {
    let Ok(listing) = fs::read_dir("/proc") else { return 0 };
    let pages: u64 = listing
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != 1)
        .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/statm")).ok())
        .filter_map(|statm| resident_pages(&statm))
        .sum();
    pages * 4096
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
        assert!(resident() > 0);
    }
}

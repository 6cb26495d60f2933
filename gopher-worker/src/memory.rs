//! How much memory all processes of a run use, where no cgroup counts it.

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
    fn this_process_is_counted() {
        assert!(resident() > 0);
    }
}

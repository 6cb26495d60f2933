//! Scripts of the install tree that Gopherbot has under other names (spec: Robot API §5.3, §5.4). A robot that names one as
//! it was there gets ours, if there is no such file. Pure; the lookup of scripts asks.

const NAMES: [(&str, &str); 11] = [
    ("plugins/go-knock/knock.go", "plugins/knock.lua"),
    ("plugins/go-lists/lists.go", "plugins/lists.js"),
    ("plugins/go-links/links.go", "plugins/links.js"),
    ("plugins/go-meme/memes.go", "plugins/memes.js"),
    ("tasks/status.gsh", "tasks/say.lua"),
    ("tasks/status.sh", "tasks/say.lua"),
    ("tasks/reply.gsh", "tasks/reply.lua"),
    ("tasks/reply.sh", "tasks/reply.lua"),
    ("tasks/notify.gsh", "tasks/notify.lua"),
    ("tasks/dmnotify.gsh", "tasks/dmnotify.lua"),
    ("tasks/exec.gsh", "tasks/exec.sh"),
];

/// What a script of Gopherbot's installation is called in ours.
pub(crate) fn instead_of(path: &str) -> Option<&'static str> {
    NAMES.iter().find(|(theirs, _)| *theirs == path).map(|(_, ours)| *ours)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_name_leads_to_a_file_of_the_install_tree() {
        let share = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/share");
        for (theirs, ours) in NAMES {
            assert!(share.join(ours).is_file(), "{theirs} leads to {ours}");
            assert!(!share.join(theirs).exists(), "{theirs} is there itself");
        }
        assert_eq!(instead_of("plugins/go-lists/lists.go"), Some("plugins/lists.js"));
        assert_eq!(instead_of("lists.go"), None);
    }
}

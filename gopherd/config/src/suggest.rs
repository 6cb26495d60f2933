//! Hints for keys that nobody knows: the nearest known word, or what became of a key of former versions.

/// Keys of former versions, and keys that stand in the wrong file (spec: configuration §2, §3).
const REMOVED: [(&str, &str); 16] = [
    ("CommandMatchers", "this key is now `Commands`"),
    ("Help", "help is now part of each command: `Usage`, `Summary`, `Keywords`"),
    ("Helptext", "help is now part of each command: `Usage`, `Summary`, `Keywords`"),
    ("AllowDirect", "direct messages are now governed by `AllowedPrivateCommands`"),
    ("DirectOnly", "direct messages are now governed by `RequireAllCommandsPrivate`"),
    ("AllowedHiddenCommands", "hidden commands are now governed by `AllowedPrivateCommands`"),
    ("Protocols", "an extension serves every protocol; where it answers is said by `Channels`"),
    ("Timeout", "this key is now `TimeOuts`, with `Warn` and `Kill`"),
    ("Protocol", "this key is now `PrimaryProtocol`"),
    ("Providers", "this key is now `IdentityProviders`, or `QueueProviders` for queues"),
    ("HttpPort", "this key is now `LocalPort`"),
    ("BrainConfig", "this belongs in conf/brains/NAME.yaml"),
    ("HistoryConfig", "this belongs in conf/history/NAME.yaml"),
    ("QueueConfig", "this belongs in conf/queues/NAME.yaml"),
    ("ProtocolConfig", "this belongs in conf/protocols/NAME.yaml"),
    ("UserMap", "user ids belong in `ProtocolConfig` of conf/protocols/NAME.yaml"),
];

/// What became of a key that there is no more.
pub(crate) fn removed(key: &str) -> Option<&'static str> {
    REMOVED.iter().find(|(old, _)| *old == key).map(|(_, now)| *now)
}

/// The known word nearest to `word`, if one is near enough to be meant.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = word.to_lowercase();
    if lower.chars().count() > 64 {
        return None;
    }
    let most = (lower.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|k| (distance(&lower, &k.to_lowercase()), k))
        .filter(|(d, _)| *d <= most)
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// Insertions, deletions, replacements and swaps of neighbours from one to the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (i, a) in from.iter().enumerate() {
        let above = &rows[i];
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut best = (above[j] + usize::from(a != b)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|r| r.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let known = ["AdminUsers", "AdminContact", "Alias", "LogLevel", "Brain"];
        for (word, meant) in [
            ("AdminUser", Some("AdminUsers")),
            ("adminusers", Some("AdminUsers")),
            ("Alais", Some("Alias")),
            ("LogLvl", Some("LogLevel")),
            ("Brian", Some("Brain")),
            ("Zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest(&"A".repeat(100_000), known), None);
    }
}

//! How close a text is to what a command would have understood (spec: configuration §6.5, "close-match"). Pure.

use super::{
    entry::Entry,
    ranking::Surface,
    words::{near, same, tokens},
};

const MOST: usize = 96;

/// 0 to 96, or the score of help for a single word; `attempt` is a phrase.
pub(super) fn close_match(entry: &Entry<'_>, surface: &Surface, attempt: &str) -> usize {
    let typed = tokens(attempt);
    let sequences = entry.literal_sequences();
    let best = sequences.iter().map(|sequence| in_order(&typed, sequence)).max().unwrap_or(0);
    let one_word_command = sequences.iter().all(|sequence| sequence.len() <= 1);
    if typed.len() <= 1 && one_word_command { best.max(surface.score(attempt)) } else { best }
}

/// Words of the sequence are looked for from its beginning, each behind the one before; the first that is missing
/// ends it, because a command is not recognised by its tail.
fn in_order(typed: &[&str], sequence: &[String]) -> usize {
    let (mut next, mut hits, mut first) = (0, 0, None);
    for literal in sequence {
        let rest = typed.get(next..).unwrap_or_default();
        let Some(at) = rest.iter().position(|word| same(word, literal) || near(word, literal)) else { break };
        first = first.or(Some(next + at));
        next += at + 1;
        hits += 1;
    }
    let Some(first) = first else { return 0 };
    let complete = if hits == sequence.len() { 22 } else { 0 };
    let begins = match first {
        0 if typed.len() == 1 => 18 + 18,
        0 => 18,
        1 => 8,
        _ => 0,
    };
    (35 + 12 * hits + complete + begins).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_the_commands_order_make_it_close() {
        for (typed, sequence, expected) in [
            ("water the fern", "water the fern", 96),
            ("water the ivy", "water the fern", 35 + 24 + 18),
            ("watr the fen", "water the fern", 35 + 24 + 18),
            ("please water the fern", "water the fern", 96),
            ("please please water it", "water", 35 + 12 + 22),
            ("please water it", "water", 35 + 12 + 22 + 8),
            ("water", "water the fern", 35 + 12 + 18 + 18),
            ("fern", "water the fern", 0),
            ("the water", "water the fern", 35 + 12 + 8),
            ("", "water", 0),
        ] {
            let sequence: Vec<String> = sequence.split(' ').map(str::to_owned).collect();
            assert_eq!(in_order(&tokens(typed), &sequence), expected, "{typed:?} {sequence:?}");
        }
    }
}

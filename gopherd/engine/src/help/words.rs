//! Words as people type them: the comparisons behind ranking and advice (spec: configuration §6.4).
//!
//! Knows neither plugins nor users.

/// Words that say nothing about which command is meant.
const STOP_WORDS: [&str; 27] = [
    "a", "an", "and", "are", "be", "do", "for", "get", "help", "i", "in", "is", "it", "me", "my", "of", "on", "please",
    "say", "tell", "the", "to", "what", "whats", "with", "you", "your",
];

/// Shorter words are too easily mistyped into each other.
const SHORTEST_NEAR: usize = 4;
const SHORTEST_MEANINGFUL: usize = 3;

/// A text in the form in which texts are compared: lower case, blanks for dashes, one blank between words.
pub(super) fn phrase(text: &str) -> String {
    let text = text.to_lowercase().replace('-', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of a phrase.
pub(super) fn tokens(phrase: &str) -> Vec<&str> {
    phrase.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect()
}

/// The words of a phrase that narrow down what is meant, each once.
pub(super) fn meaningful(phrase: &str) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for word in tokens(phrase) {
        let counts = word.chars().count() >= SHORTEST_MEANINGFUL && !STOP_WORDS.contains(&word);
        if counts && !all.contains(&word) {
            all.push(word);
        }
    }
    all
}

/// Equal, or one is the plural of the other.
pub(super) fn same(one: &str, other: &str) -> bool {
    one == other || is_plural(one, other) || is_plural(other, one)
}

fn is_plural(plural: &str, singular: &str) -> bool {
    if singular.is_empty() {
        return false;
    }
    let ending = plural.strip_prefix(singular).is_some_and(|rest| matches!(rest, "s" | "es"));
    let stem = |word: &str, suffix: &str| word.strip_suffix(suffix).map(str::to_owned);
    ending || stem(plural, "ies").is_some_and(|s| Some(s) == stem(singular, "y"))
}

/// One of `all` is this word.
pub(super) fn among(word: &str, all: &[&str]) -> bool {
    all.iter().any(|other| same(word, other))
}

/// Both are single words of some length, and one edit makes one of them the other.
pub(super) fn near(one: &str, other: &str) -> bool {
    let fits = |word: &str| word.chars().count() >= SHORTEST_NEAR && !word.contains(' ');
    fits(one) && fits(other) && !same(one, other) && one_edit(one, other)
}

/// At most one character is added, missing or different.
fn one_edit(one: &str, other: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let room = a.len().min(b.len()) - head;
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count().min(room);
    a.len().max(b.len()) - head - tail <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_and_words_leave_out_what_does_not_count() {
        assert_eq!(phrase("  Show-Log \n page\t7 "), "show log page 7");
        assert_eq!(tokens("water the <plant:ident>, now!"), ["water", "the", "plant", "ident", "now"]);
        assert_eq!(meaningful("please tell me what is up with my up boiler boiler"), ["boiler"]);
        assert_eq!(tokens(""), [""; 0]);
    }

    #[test]
    fn plurals_are_the_same_word() {
        for (one, other, expected) in [
            ("kettle", "kettles", true),
            ("boxes", "box", true),
            ("berries", "berry", true),
            ("pages", "page", true),
            ("kettle", "kettle", true),
            ("berries", "berr", false),
            ("gas", "ga", true),
            ("s", "", false),
            ("tea", "teapot", false),
        ] {
            assert_eq!(same(one, other), expected, "{one} {other}");
            assert_eq!(same(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn one_edit_is_near_for_words_of_some_length() {
        for (one, other, expected) in [
            ("ketle", "kettle", true),
            ("kettle", "kettel", false),
            ("kettle", "mettle", true),
            ("kettle", "kettle", false),
            ("kettle", "kettles", false),
            ("tea", "tee", false),
            ("tea pot", "tea pod", false),
            ("abcd", "abcde", true),
            ("aaaa", "aaaaa", true),
        ] {
            assert_eq!(near(one, other), expected, "{one} {other}");
        }
    }

    fn distance(a: &[char], b: &[char]) -> usize {
        match (a, b) {
            ([], rest) | (rest, []) => rest.len(),
            ([x, a2 @ ..], [y, b2 @ ..]) if x == y => distance(a2, b2),
            ([_, a2 @ ..], [_, b2 @ ..]) => 1 + distance(a2, b).min(distance(a, b2)).min(distance(a2, b2)),
        }
    }

    #[test]
    fn one_edit_agrees_with_the_definition() {
        let mut all = vec![String::new()];
        for length in 0..5 {
            let longer: Vec<String> = all.iter().filter(|w| w.len() == length).cloned().collect();
            all.extend(longer.iter().flat_map(|w| [format!("{w}a"), format!("{w}b")]));
        }
        for a in &all {
            for b in &all {
                let (x, y): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
                assert_eq!(one_edit(a, b), distance(&x, &y) <= 1, "{a} {b}");
            }
        }
    }
}

//! How well a command fits words that somebody asks for (spec: configuration §6.4). Pure.

use super::{
    address,
    entry::Entry,
    words::{among, meaningful, near, phrase, same, tokens},
};

/// An entry in the form in which it is compared.
pub(super) struct Surface {
    plugin: String,
    command: String,
    keywords: Vec<String>,
    usage: String,
    summary: String,
    examples: Vec<String>,
}

impl Surface {
    pub(super) fn of(entry: &Entry<'_>) -> Self {
        Self {
            plugin: phrase(entry.plugin.name.as_str()),
            command: phrase(&entry.command),
            keywords: entry.keywords.iter().map(|k| phrase(k)).collect(),
            usage: phrase(address::bare(&entry.usage)),
            summary: phrase(&entry.summary),
            examples: entry.examples.iter().map(|e| phrase(address::bare(e))).collect(),
        }
    }

    /// Every word of the entry.
    fn words(&self) -> Vec<&str> {
        let texts = [&self.plugin, &self.command, &self.usage, &self.summary];
        texts.into_iter().chain(&self.keywords).chain(&self.examples).flat_map(|text| tokens(text)).collect()
    }

    /// How many of the words that count are the entry's, and how many there are.
    pub(super) fn signals(&self, term: &str) -> (usize, usize) {
        let (all, wanted) = (self.words(), meaningful(term));
        (wanted.iter().filter(|word| among(word, &all)).count(), wanted.len())
    }

    /// 0 to 100; `term` is a phrase.
    pub(super) fn score(&self, term: &str) -> usize {
        if term.is_empty() {
            return 0;
        }
        let all = self.words();
        let found = tokens(term).iter().filter(|word| among(word, &all)).count();
        let any = |texts: &[String]| texts.iter().any(|text| text.contains(term));
        let close = |text: &str| tokens(text).iter().any(|word| near(term, word));
        let rules = [
            (100, same(term, &self.command)),
            (95, same(term, &self.plugin)),
            (92, self.keywords.iter().any(|k| same(term, k))),
            (88, close(&self.command)),
            (84, close(&self.plugin) || self.command.contains(term)),
            (82, self.keywords.iter().any(|k| near(term, k))),
            (80, self.plugin.contains(term)),
            (78, all.iter().any(|word| near(term, word))),
            (74, any(&self.examples)),
            (72, any(&self.keywords)),
            (70, among(term, &all)),
            (65, self.usage.contains(term)),
            (62, self.summary.contains(term)),
            (40 + found, found > 0),
        ];
        let by_rule = rules.into_iter().filter(|(_, holds)| *holds).map(|(score, _)| score).max();
        by_rule.unwrap_or(0).max(self.by_meaning(term, &all))
    }

    /// The score of several words that together say what is meant.
    fn by_meaning(&self, term: &str, all: &[&str]) -> usize {
        let wanted = meaningful(term);
        let Some(first) = wanted.first() else { return 0 };
        let hits = wanted.iter().filter(|word| among(word, all)).count();
        let first_hits = among(first, all);
        let begins_command =
            tokens(&self.command).first().is_some_and(|word| same(first, word) || word.starts_with(first));
        let all_hit = hits == wanted.len();
        if hits == 0 || !(first_hits || begins_command || all_hit) {
            return 0;
        }
        let bonus = |holds: bool, points: usize| if holds { points } else { 0 };
        (60 + 4 * hits + bonus(first_hits, 8) + bonus(begins_command, 8) + bonus(all_hit, 4)).min(89)
    }
}

/// The entries that fit at all, the best first; entries come in the order of plugin and command.
pub(super) fn ranked<'e, 'a>(entries: &'e [Entry<'a>], term: &str) -> Vec<&'e Entry<'a>> {
    scored(entries, term).into_iter().map(|(_, entry)| entry).collect()
}

/// The same with their scores.
pub(super) fn scored<'e, 'a>(entries: &'e [Entry<'a>], term: &str) -> Vec<(usize, &'e Entry<'a>)> {
    let scored = entries.iter().map(|e| (Surface::of(e).score(term), e));
    let mut all: Vec<(usize, &Entry<'_>)> = scored.filter(|(score, _)| *score > 0).collect();
    // A stable sort: equal scores keep their order.
    all.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watering() -> Surface {
        let owned = |texts: &[&str]| texts.iter().map(|t| phrase(t)).collect();
        Surface {
            plugin: phrase("house-plants"),
            command: phrase("water-fern"),
            keywords: owned(&["gardening", "moisture", "wet"]),
            usage: phrase("water-fern <cups>"),
            summary: phrase("Gives the fern a drink of rainwater."),
            examples: owned(&["water-fern 3", "water-fern generously"]),
        }
    }

    #[test]
    fn every_rule_has_its_score() {
        let surface = watering();
        for (term, expected) in [
            ("water-fern", 100),
            ("Water Ferns", 100),
            ("house plants", 95),
            ("house-plant", 95),
            ("moisture", 92),
            ("wet", 92),
            ("watr", 88),
            ("hous", 84),
            ("ter fe", 84),
            ("moistur", 82),
            ("use pl", 80),
            ("drnk", 78),
            ("fern gen", 74),
            ("genero", 74),
            ("garden", 72),
            ("a", 84),
            ("cups", 76),
            ("drink", 76),
            ("<cu", 65),
            ("rainw", 62),
            ("drink the sea", 72),
            ("the a sea", 42),
            ("sea drink", 41),
            ("zebra", 0),
            ("", 0),
        ] {
            assert_eq!(surface.score(&phrase(term)), expected, "{term:?}");
        }
    }

    #[test]
    fn several_words_that_mean_something_add_up() {
        let surface = watering();
        for (term, expected) in [
            ("water my cactus", 80),
            ("wate the drink", 72),
            ("please give the drink of fern to rainwater", 88),
            ("water fern drink cups rainwater", 89),
            ("cactus drink fern", 42),
        ] {
            assert_eq!(surface.score(&phrase(term)), expected, "{term:?}");
        }
        assert_eq!(surface.signals(&phrase("please water the cactus")), (1, 2));
    }
}

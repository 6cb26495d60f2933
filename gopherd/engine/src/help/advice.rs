//! What somebody probably meant whose command nobody understood (spec: configuration §6.5). Pure.

use super::{Helper, closeness::close_match, entry::Entry, ranking::Surface, visibility, words::phrase};

/// Most candidates of one kind.
const MOST: usize = 4;
const STRONG: usize = 80;
const LIKELY: usize = 72;
const POSSIBLE: usize = 60;
/// How far ahead of the next one a candidate must be.
const MARGIN: usize = 8;

/// A command that may have been meant.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'e, 'a> {
    pub(super) entry: &'e Entry<'a>,
    /// The score that help would give it.
    score: usize,
    close: usize,
    /// Words that count and are the command's, of how many.
    hits: usize,
    terms: usize,
}

/// What to say about an attempt.
pub(super) enum Advice<'e, 'a> {
    /// It is this one, most probably.
    Close {
        entry: &'e Entry<'a>,
        elsewhere: bool,
    },
    /// It looks like something that belongs elsewhere.
    Elsewhere(&'e Entry<'a>),
    /// It may be this one.
    Perhaps(&'e Entry<'a>),
    /// It may be one of these.
    Several(Vec<&'e Entry<'a>>),
    Nothing,
}

impl<'e, 'a> Candidate<'e, 'a> {
    fn of(entry: &'e Entry<'a>, attempt: &str) -> Self {
        let surface = Surface::of(entry);
        let (hits, terms) = surface.signals(attempt);
        Self { entry, score: surface.score(attempt), close: close_match(entry, &surface, attempt), hits, terms }
    }

    fn all_hit(&self) -> bool {
        self.terms > 0 && self.hits == self.terms
    }

    fn is_relevant(&self) -> bool {
        let only_term_hits = self.terms == 1 && self.all_hit() && self.score >= POSSIBLE - MARGIN;
        let several_hit = self.terms >= 2 && self.all_hit();
        self.close >= LIKELY || self.score >= POSSIBLE || only_term_hits || several_hit
    }

    /// Whether this one belongs to another place and fits better than the best of `here`.
    fn wins_over(&self, here: Option<&Self>) -> bool {
        let fits_all = self.terms >= 2 && self.all_hit() && here.is_none_or(|h| h.hits < self.hits);
        let alone =
            here.is_none() && ((self.score >= LIKELY && self.hits > 0) || (self.score >= POSSIBLE && self.all_hit()));
        let strong = self.score >= STRONG && here.is_none_or(|h| self.score >= h.score + MARGIN);
        fits_all || alone || strong
    }
}

/// The first of the candidates is meant, and not merely a possibility.
fn is_confident(candidates: &[Candidate<'_, '_>]) -> bool {
    let Some(first) = candidates.first() else { return false };
    let vague = first.terms > 1 && first.hits < 2 && !first.all_hit();
    let ahead = |next: &Candidate<'_, '_>| first.close >= STRONG && first.close >= next.close + MARGIN;
    first.close >= LIKELY && !vague && candidates.get(1).is_none_or(ahead)
}

/// Weighs the candidates of the place against those of other places; both come best first.
fn weigh<'e, 'a>(here: &[Candidate<'e, 'a>], elsewhere: &[Candidate<'e, 'a>]) -> Advice<'e, 'a> {
    let best_elsewhere = elsewhere.first();
    let meant = |candidate: &Candidate<'_, '_>| is_confident(std::slice::from_ref(candidate));
    if let Some(other) = best_elsewhere.filter(|e| e.wins_over(here.first())) {
        return if meant(other) {
            Advice::Close { entry: other.entry, elsewhere: true }
        } else {
            Advice::Elsewhere(other.entry)
        };
    }
    match (here, best_elsewhere) {
        ([first, ..], _) if is_confident(here) => Advice::Close { entry: first.entry, elsewhere: false },
        ([only], _) => Advice::Perhaps(only.entry),
        ([_, ..], _) => Advice::Several(here.iter().map(|c| c.entry).collect()),
        ([], Some(other)) if meant(other) => Advice::Close { entry: other.entry, elsewhere: true },
        ([], Some(other)) => Advice::Perhaps(other.entry),
        ([], None) => Advice::Nothing,
    }
}

impl<'a> Helper<'a> {
    /// What an attempt, given without its address, may have meant.
    pub(super) fn advice<'e>(&self, entries: &'e [Entry<'a>], attempt: &str) -> Advice<'e, 'a> {
        let attempt = phrase(attempt);
        let mut all: Vec<Candidate<'e, 'a>> = entries.iter().map(|e| Candidate::of(e, &attempt)).collect();
        all.retain(|c| c.score > 0 && c.is_relevant());
        // A stable sort: what is equally good stays in the order of plugin and command.
        all.sort_by_key(|c| std::cmp::Reverse((c.score, c.close)));
        let (mut here, mut elsewhere): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|c| visibility::belongs_here(self.generation, c.entry.plugin, &c.entry.command, self.context));
        here.truncate(MOST);
        elsewhere.truncate(MOST);
        weigh(&here, &elsewhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generation::Generation, help::entry, testing};

    #[test]
    fn candidates_are_weighed_against_each_other() {
        let mut plants = testing::extension("plants");
        plants.commands = ["a", "b", "c", "d"].map(|name| testing::command(name, name)).to_vec();
        let (generation, _) = Generation::new(testing::robot_with(vec![plants]));
        let mut entries = entry::all(&generation, &testing::context("alice", "garden"));
        entries.retain(|e| e.plugin.name.as_str() == "plants");

        let candidate = |place: usize, score, close, hits, terms| {
            entries.get(place).map(|entry| Candidate { entry, score, close, hits, terms }).expect("is one of four")
        };
        let says = |here: &[Candidate<'_, '_>], elsewhere: &[Candidate<'_, '_>]| match weigh(here, elsewhere) {
            Advice::Close { entry, elsewhere: false } => format!("close {}", entry.command),
            Advice::Close { entry, elsewhere: true } => format!("close elsewhere {}", entry.command),
            Advice::Elsewhere(entry) => format!("elsewhere {}", entry.command),
            Advice::Perhaps(entry) => format!("perhaps {}", entry.command),
            Advice::Several(entries) => {
                format!("several {}", entries.iter().map(|e| e.command.as_str()).collect::<Vec<_>>().join(" "))
            }
            Advice::Nothing => "nothing".to_owned(),
        };

        assert_eq!(says(&[], &[]), "nothing");
        assert_eq!(says(&[candidate(0, 43, 72, 0, 1)], &[]), "close a");
        assert_eq!(says(&[candidate(0, 76, 71, 1, 1)], &[]), "perhaps a");
        assert_eq!(says(&[candidate(0, 76, 90, 1, 3)], &[]), "perhaps a", "most of the words are something else");
        assert_eq!(says(&[candidate(0, 76, 90, 2, 3)], &[]), "close a");
        let pair = |close| [candidate(0, 76, 88, 1, 1), candidate(1, 70, close, 1, 1)];
        assert_eq!(says(&pair(80), &[]), "close a");
        assert_eq!(says(&pair(81), &[]), "several a b");
        assert_eq!(says(&[candidate(0, 76, 79, 1, 1), candidate(1, 70, 0, 1, 1)], &[]), "several a b");

        assert_eq!(says(&[], &[candidate(2, 41, 77, 1, 3)]), "perhaps c");
        assert_eq!(says(&[], &[candidate(2, 43, 77, 0, 1)]), "close elsewhere c");
        assert_eq!(says(&[], &[candidate(2, 72, 0, 1, 3)]), "elsewhere c");
        assert_eq!(says(&[], &[candidate(2, 60, 0, 1, 1)]), "elsewhere c");
        assert_eq!(says(&[], &[candidate(2, 79, 0, 0, 1)]), "perhaps c");
        assert_eq!(says(&[], &[candidate(2, 80, 0, 0, 1)]), "elsewhere c");
        let here = [candidate(0, 76, 0, 1, 2)];
        assert_eq!(says(&here, &[candidate(2, 62, 0, 2, 2)]), "elsewhere c");
        assert_eq!(says(&here, &[candidate(2, 83, 90, 1, 2)]), "perhaps a");
        assert_eq!(says(&here, &[candidate(2, 84, 0, 1, 2)]), "elsewhere c");
        assert_eq!(says(&here, &[candidate(2, 84, 90, 2, 2)]), "close elsewhere c");
    }
}

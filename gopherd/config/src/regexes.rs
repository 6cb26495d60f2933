//! All regular expressions of a class in one automaton: which of them match a text costs the same however many there
//! are.
//!
//! What a state of the automaton matches is read from the state. A set of flags, one for each expression, would have to
//! be looked through for every text.

use std::cell::RefCell;

use regex_automata::{
    MatchKind,
    hybrid::{
        BuildError, LazyStateID,
        dfa::{Cache, DFA},
    },
    nfa::thompson,
    util::start,
};

/// Memory all expressions together may take.
const LIMIT: usize = 128 << 20;
/// Memory that the states seen so far may take. With less than the states of one text need, each text would be searched
/// a hundred times slower.
const CACHE: usize = 16 << 20;

/// Expressions that are searched together.
#[derive(Debug)]
pub struct Regexes {
    dfa: DFA,
    cache: RefCell<Cache>,
    count: usize,
}

impl Regexes {
    /// Compiles expressions together.
    ///
    /// # Errors
    /// One of them is none, or they are too large together.
    pub fn new<S: AsRef<str>>(expressions: &[S]) -> Result<Self, Box<BuildError>> {
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .unicode_word_boundary(true)
            .cache_capacity(CACHE)
            .skip_cache_capacity_check(true);
        let dfa = DFA::builder()
            .configure(config)
            .thompson(thompson::Config::new().nfa_size_limit(Some(LIMIT)))
            .build_many(expressions)?;
        let cache = RefCell::new(dfa.create_cache());
        Ok(Self { dfa, cache, count: expressions.len() })
    }

    /// Appends the places of all expressions that match somewhere in a text; a place may come more than once.
    pub fn matching(&self, text: &str, into: &mut Vec<usize>) {
        let before = into.len();
        if self.search(text, into).is_none() {
            // The automaton gives up on words with letters beyond ASCII: then each is to be tried.
            into.truncate(before);
            into.extend(0..self.count);
        }
    }

    fn search(&self, text: &str, into: &mut Vec<usize>) -> Option<()> {
        let (dfa, mut cache) = (&self.dfa, self.cache.borrow_mut());
        let mut state = dfa.start_state(&mut cache, &start::Config::new()).ok()?;
        let mut told: Option<LazyStateID> = None;
        for byte in text.bytes() {
            state = dfa.next_state(&mut cache, state, byte).ok()?;
            if !state.is_tagged() {
                continue;
            }
            if state.is_quit() {
                return None;
            }
            if state.is_dead() {
                return Some(());
            }
            if state.is_match() && told != Some(state) {
                tell(dfa, &cache, state, into);
                told = Some(state);
            }
        }
        state = dfa.next_eoi_state(&mut cache, state).ok()?;
        if state.is_match() && told != Some(state) {
            tell(dfa, &cache, state, into);
        }
        Some(())
    }
}

fn tell(dfa: &DFA, cache: &Cache, state: LazyStateID, into: &mut Vec<usize>) {
    into.extend((0..dfa.match_len(cache, state)).map(|index| dfa.match_pattern(cache, state, index).as_usize()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::RegexSet;

    use super::*;

    fn matching(expressions: &[&str], text: &str) -> Vec<usize> {
        let mut found = Vec::new();
        Regexes::new(expressions).unwrap().matching(text, &mut found);
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn every_expression_that_matches_anywhere_is_found() {
        let all = ["^a$", "a", "b+", "^(?i:AB)", "", "c$", "ä"];
        assert_eq!(matching(&all, "a"), [0, 1, 4]);
        assert_eq!(matching(&all, "xbbx"), [2, 4]);
        assert_eq!(matching(&all, "abc"), [1, 2, 3, 4, 5]);
        assert_eq!(matching(&all, "ä"), [4, 6]);
        assert_eq!(matching(&all, ""), [4]);
        assert_eq!(matching(&[], "a"), [0; 0]);
    }

    #[test]
    fn what_the_automaton_gives_up_on_is_left_to_each() {
        assert_eq!(matching(&[r"\bx\b", "y", "^z"], "ä x"), [0, 1, 2]);
        assert_eq!(matching(&[r"\bx\b", "y", "^z"], "a x"), [0]);
    }

    #[test]
    fn one_that_is_none_is_refused() {
        assert!(Regexes::new(&["a", "("]).is_err());
    }

    proptest! {
        #[test]
        fn they_say_what_a_set_says(text in "[abc .ä]{0,12}") {
            let all = ["a+b", "^a", "c$", "^$", "(?:ab|bc)c?", "^[^a]*$", "a.c", r"(?-u:\b)b", "ä|c", r"\.\.$"];
            let set: Vec<usize> = RegexSet::new(all).unwrap().matches(&text).iter().collect();
            prop_assert_eq!(matching(&all, &text), set);
        }
    }
}

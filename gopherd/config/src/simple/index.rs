//! Which of many specs can say anything about a text: looked up by its first two words.
//!
//! A literal never gives a diagnostic, so a spec whose first words are literals says nothing about texts that begin
//! otherwise. What is looked up is a superset of what matches or nearly matches, and it costs the same however many
//! specs there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Spec,
    program::{Program, Step},
    tokens::{fold_into, words},
    without_dot,
};

/// Specs by the first two words of texts that they can be about.
#[derive(Debug, Default)]
pub struct Index {
    by_start: HashMap<String, Vec<usize>>,
}

/// A word of a beginning: a certain one, none because the text is over, or any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Start {
    Word(String),
    End,
    Any,
}

/// A spec with more beginnings is looked at for every text.
const MOST_STARTS: usize = 100;

const ANY: &str = "*";
/// Between the two words of a key; no word has it.
const BETWEEN: char = ' ';

impl Index {
    /// Adds a spec under a number of the caller's; numbers must grow.
    pub fn add(&mut self, number: usize, spec: &Spec) {
        for (first, second) in starts(&spec.program) {
            let mut key = String::new();
            first.spell(&mut key);
            key.push(BETWEEN);
            second.spell(&mut key);
            let numbers = self.by_start.entry(key).or_default();
            if numbers.last() != Some(&number) {
                numbers.push(number);
            }
        }
    }

    /// Appends the numbers of all specs that can match the text of a command or be wrong about one value of it.
    pub fn look_up(&self, text: &str, into: &mut Vec<usize>) {
        if self.by_start.is_empty() {
            return;
        }
        self.look_up_form(text, into);
        // The dot at the end matters to the first words only if there are no more.
        if let Some(dotless) = without_dot(text)
            && text.split_whitespace().nth(2).is_none()
        {
            self.look_up_form(dotless, into);
        }
    }

    fn look_up_form(&self, text: &str, into: &mut Vec<usize>) {
        let mut both = text.split_whitespace().flat_map(words);
        let (first, second) = (both.next(), both.next());
        let mut key = String::new();
        for first in [first, None] {
            key.clear();
            match first {
                Some(word) => fold_into(&mut key, word),
                None => key.push_str(ANY),
            }
            key.push(BETWEEN);
            let length = key.len();
            fold_into(&mut key, second.unwrap_or_default());
            into.extend(self.by_start.get(&key).into_iter().flatten());
            if second.is_some() {
                key.truncate(length);
                key.push_str(ANY);
                into.extend(self.by_start.get(&key).into_iter().flatten());
            }
        }
    }
}

impl Start {
    fn spell(&self, key: &mut String) {
        match self {
            Self::Word(word) => key.push_str(word),
            Self::End => {}
            Self::Any => key.push_str(ANY),
        }
    }
}

/// What follows a word.
#[derive(Debug, Default)]
struct Then {
    /// What the instructions from here say.
    at: Vec<usize>,
    /// These words: the second ones of values.
    words: Vec<String>,
    /// Any word or none.
    whatever: bool,
}

/// The first two words of texts that a spec matches or is wrong about.
fn starts(program: &Program) -> BTreeSet<(Start, Start)> {
    few_starts(program).unwrap_or_else(|| [(Start::Any, Start::Any), (Start::Any, Start::End)].into())
}

/// `None` if there are too many to be told apart.
fn few_starts(program: &Program) -> Option<BTreeSet<(Start, Start)>> {
    let mut all = BTreeSet::new();
    for (first, then) in next_words(program, vec![0])? {
        if first == Start::End {
            continue;
        }
        let mut seconds: BTreeSet<Start> = next_words(program, then.at)?.into_keys().collect();
        seconds.extend(then.words.into_iter().map(Start::Word));
        if then.whatever {
            seconds.extend([Start::Any, Start::End]);
        }
        all.extend(seconds.into_iter().map(|second| (first.clone(), second)));
        if all.len() > MOST_STARTS {
            return None;
        }
    }
    Some(all)
}

/// The words that can be next at one of these instructions.
fn next_words(program: &Program, mut waiting: Vec<usize>) -> Option<BTreeMap<Start, Then>> {
    let mut found: BTreeMap<Start, Then> = BTreeMap::new();
    let mut seen = vec![false; program.steps.len()];
    while let Some(at) = waiting.pop() {
        let (Some(step), Some(seen)) = (program.steps.get(at), seen.get_mut(at)) else { continue };
        if std::mem::replace(seen, true) {
            continue;
        }
        match step {
            Step::Before(_) | Step::Blanks(_) => waiting.push(at + 1),
            Step::Jump(to) => waiting.push(*to),
            Step::Split(targets) => waiting.extend(targets),
            Step::Word(word) => found.entry(Start::Word(word.clone())).or_default().at.push(at + 1),
            // A field can be several words.
            Step::Slot(..) | Step::Rest(_) => found.entry(Start::Any).or_default().whatever = true,
            Step::Options(..) => {
                found.entry(Start::Any).or_default().whatever = true;
                waiting.push(at + 1);
            }
            Step::Choice(values, _) => {
                // A word that is no value is skipped with a diagnostic.
                found.entry(Start::Any).or_default().at.push(at + 1);
                for value in values {
                    let Some(word) = value.first() else { continue };
                    let then = found.entry(Start::Word(word.clone())).or_default();
                    match value.get(1) {
                        Some(second) => then.words.push(second.clone()),
                        None => then.at.push(at + 1),
                    }
                }
            }
            Step::End => {
                found.entry(Start::End).or_default();
            }
        }
        if found.len() > MOST_STARTS {
            return None;
        }
    }
    Some(found)
}

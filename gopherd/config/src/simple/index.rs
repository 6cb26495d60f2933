//! Which of many specs can say anything about a text: looked up by its first two words.
//!
//! A literal never gives a diagnostic, so a spec whose first words are literals says nothing about texts that begin
//! otherwise. What is looked up is a superset of what matches or nearly matches, and it costs the same however many
//! specs there are.

use std::collections::HashMap;

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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// What follows a first word.
#[derive(Debug, Clone)]
enum Then {
    /// What the instructions from here say.
    At(usize),
    Word(String),
    /// Any word or none.
    Whatever,
}

/// The first two words of texts that a spec matches or is wrong about.
fn starts(program: &Program) -> Vec<(Start, Start)> {
    let mut all: Vec<(Start, Start)> = Vec::new();
    for (first, then) in next_words(program, 0) {
        let seconds = match then {
            _ if first == Start::End => continue,
            Then::Whatever => vec![Start::Any, Start::End],
            Then::Word(word) => vec![Start::Word(word)],
            Then::At(step) => next_words(program, step).into_iter().map(|(second, _)| second).collect(),
        };
        for second in seconds {
            let pair = (first.clone(), second);
            if !all.contains(&pair) {
                all.push(pair);
            }
        }
        if all.len() > MOST_STARTS {
            return vec![(Start::Any, Start::Any), (Start::Any, Start::End)];
        }
    }
    all
}

/// The words that can be next at an instruction.
fn next_words(program: &Program, from: usize) -> Vec<(Start, Then)> {
    let mut found = Vec::new();
    let mut seen = vec![false; program.steps.len()];
    let mut waiting = vec![from];
    while let Some(at) = waiting.pop() {
        let (Some(step), Some(seen)) = (program.steps.get(at), seen.get_mut(at)) else { continue };
        if std::mem::replace(seen, true) {
            continue;
        }
        match step {
            Step::Before(_) | Step::Blanks(_) => waiting.push(at + 1),
            Step::Jump(to) => waiting.push(*to),
            Step::Split(targets) => waiting.extend(targets),
            Step::Word(word) => found.push((Start::Word(word.clone()), Then::At(at + 1))),
            // A field can be several words.
            Step::Slot(..) | Step::Rest(_) => found.push((Start::Any, Then::Whatever)),
            Step::Options(..) => {
                found.push((Start::Any, Then::Whatever));
                waiting.push(at + 1);
            }
            Step::Choice(values, _) => {
                // A word that is no value is skipped with a diagnostic.
                found.push((Start::Any, Then::At(at + 1)));
                for value in values {
                    let then = value.get(1).map_or(Then::At(at + 1), |w| Then::Word(w.clone()));
                    found.extend(value.first().map(|word| (Start::Word(word.clone()), then)));
                }
            }
            Step::End => found.push((Start::End, Then::Whatever)),
        }
    }
    found
}

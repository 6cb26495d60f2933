//! `SimpleMatcher`: command patterns without regular expressions (spec: configuration §5).
//!
//! The loader parses every spec once to refuse bad ones; the engine parses them again when a configuration becomes
//! active and then only matches. Pure: knows neither plugins nor users.
//!
//! A spec becomes a small program over the words of a text. It is searched depth first, and no state (instruction,
//! word, separator of the phrase) is entered twice: whether the rest fits depends on nothing else. So the work is at
//! most the product of the sizes of spec and text, however many groups a spec has; where that product exceeds
//! `MOST_STATES` of `matcher`, nothing matches.

mod diagnostic;
mod index;
mod matcher;
mod program;
mod render;
mod spec;
mod tokens;
mod types;

pub use index::Index;

use program::Program;
use spec::{Sequence, Term};

/// Most literal sequences that are told of one spec.
const MOST_LITERALS: usize = 64;

/// A parsed `SimpleMatcher`.
#[derive(Debug, Clone)]
pub struct Spec {
    sequence: Sequence,
    program: Program,
}

/// What a spec says to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It fits; the captures in order.
    Exact(Vec<String>),
    /// It would fit but for one value; the sentence says which.
    Syntax(String),
    None,
}

impl Spec {
    /// Parses a spec; the error is a sentence of the manual.
    pub fn parse(text: &str) -> Result<Self, String> {
        let sequence = spec::parse(text)?;
        let program = Program::new(&sequence);
        Ok(Self { sequence, program })
    }

    /// Compares one text as it is.
    pub fn matches(&self, text: &str) -> Outcome {
        matcher::search(&self.program, &tokens::Tokens::of(text))
    }

    /// Compares the text of a command: as it is, then without a final dot; what is wrong is told of the text without
    /// the dot first. Runs of white space need no form of their own, because only words are compared.
    pub fn command(&self, text: &str) -> Outcome {
        let plain = self.matches(text);
        if matches!(plain, Outcome::Exact(_)) {
            return plain;
        }
        match without_dot(text).map(|t| self.matches(t)) {
            None | Some(Outcome::None) => plain,
            Some(other) => other,
        }
    }

    /// The forms of each distinct options block, for help.
    pub fn options(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        collect_options(&self.sequence, &mut all);
        all
    }

    /// The sequences of fixed words that texts of this spec can have, lower-cased; not all if there are very many.
    pub fn literals(&self) -> Vec<Vec<String>> {
        literals(&self.sequence)
    }

    /// The spec as a line of help: slots by name, words that may be left out without consequence left out.
    pub fn usage(&self) -> String {
        render::usage(&self.sequence)
    }
}

/// The spec in its canonical spelling.
impl std::fmt::Display for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&render::canonical(&self.sequence))
    }
}

/// The text without the dot at its end, if there is one.
pub(crate) fn without_dot(text: &str) -> Option<&str> {
    text.trim_end().strip_suffix('.')
}

fn collect_options(sequence: &[Term], into: &mut Vec<Vec<String>>) {
    for term in sequence {
        match term {
            Term::Options(block) => {
                let forms: Vec<String> = block.options.iter().map(spec::OptionForm::shown).collect();
                if !into.contains(&forms) {
                    into.push(forms);
                }
            }
            Term::Optional(alternatives) => alternatives.iter().for_each(|a| collect_options(a, into)),
            _ => {}
        }
    }
}

fn literals(sequence: &[Term]) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for term in sequence {
        let lowered = |parts: &[String]| parts.iter().map(|p| p.to_lowercase()).collect::<Vec<_>>();
        let mut forms: Vec<Vec<String>> = match term {
            Term::Literal(parts) => vec![lowered(parts)],
            Term::Slot(_) | Term::Options(_) => continue,
            Term::Choice(choice) => choice.values.iter().map(|v| lowered(v)).collect(),
            Term::Noise(alternatives) | Term::Synonym(alternatives) | Term::Optional(alternatives) => {
                alternatives.iter().flat_map(|a| literals(a)).take(MOST_LITERALS).collect()
            }
        };
        if term.may_be_absent() {
            forms.retain(|form| !form.is_empty());
            forms.insert(0, Vec::new());
        }
        let longer = all.iter().flat_map(|start| forms.iter().map(move |end| [start.as_slice(), end].concat()));
        all = longer.take(MOST_LITERALS).collect();
    }
    all
}

#[cfg(test)]
mod tests;

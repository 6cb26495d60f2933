//! A parsed `SimpleMatcher` as instructions for the matcher.

use super::{
    diagnostic::{Compared, Template, Templates},
    spec::{self, Sequence, Term},
    tokens::folded,
    types::Kind,
};

/// One instruction; where nothing else is said, the next one follows.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The rule about the separator before a term.
    Before(Rule),
    /// Exactly this word, folded.
    Word(String),
    /// A whole field of a type; the sentence if it is not.
    Slot(Kind, usize),
    /// Whole fields, as many as possible. The number counts the slots of this kind.
    Rest(usize),
    /// One of these values, each in folded parts; the sentence if it is none.
    Choice(Vec<Vec<String>>, usize),
    /// All options that follow; the sentence if one is unknown.
    Options(Vec<Compared>, usize),
    /// Empty arguments for what was left out.
    Blanks(usize),
    /// Continue at each place in turn.
    Split(Vec<usize>),
    Jump(usize),
    End,
}

/// Which separators may stand before a term (spec: configuration §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// It begins a field.
    Space,
    /// The same throughout a phrase.
    Phrase,
    /// Any, and a new phrase begins.
    Tail,
}

/// The instructions of one spec.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    pub(crate) templates: Templates,
    /// How many [`Step::Rest`] there are.
    pub(crate) rests: usize,
    /// Comparisons that one pass over all instructions takes.
    pub(crate) weight: usize,
}

impl Program {
    pub(crate) fn new(sequence: &Sequence) -> Self {
        let mut program = Self::default();
        program.sequence(sequence);
        program.steps.push(Step::End);
        let weight = |step: &Step| match step {
            Step::Choice(values, _) => values.iter().map(Vec::len).sum(),
            Step::Options(options, _) => options.len(),
            Step::Split(targets) => targets.len(),
            _ => 1,
        };
        program.weight = program.steps.iter().map(weight).sum();
        program
    }

    fn sequence(&mut self, sequence: &[Term]) {
        for (n, term) in sequence.iter().enumerate() {
            let rule = match term {
                term if term.needs_space() => Rule::Space,
                _ if spec::is_value_tail(&sequence[n..]) => Rule::Tail,
                _ => Rule::Phrase,
            };
            self.steps.push(Step::Before(rule));
            self.term(term);
        }
    }

    fn term(&mut self, term: &Term) {
        match term {
            Term::Literal(parts) => {
                for (n, part) in parts.iter().enumerate() {
                    if n > 0 {
                        self.steps.push(Step::Before(Rule::Phrase));
                    }
                    self.steps.push(Step::Word(folded(part)));
                }
            }
            Term::Slot(slot) if slot.kind.is_rest() => {
                self.steps.push(Step::Rest(self.rests));
                self.rests += 1;
            }
            Term::Slot(slot) => {
                let template = self.templates.place_of(Template::slot(slot));
                self.steps.push(Step::Slot(slot.kind, template));
            }
            Term::Choice(choice) => {
                let split = self.steps.len();
                if choice.optional {
                    self.steps.push(Step::Split(vec![split + 1, split + 3]));
                }
                let template = self.templates.place_of(Template::choice(choice));
                let values = choice.values.iter().map(|v| v.iter().map(|part| folded(part)).collect()).collect();
                self.steps.push(Step::Choice(values, template));
                if choice.optional {
                    self.steps.push(Step::Jump(split + 4));
                    self.steps.push(Step::Blanks(1));
                }
            }
            Term::Options(block) => {
                let options = block.options.iter().map(|o| Compared::new(o, &mut self.templates)).collect();
                let template = self.templates.place_of(Template::unknown_option(block));
                self.steps.push(Step::Options(options, template));
            }
            Term::Synonym(alternatives) => self.alternatives(alternatives, None),
            Term::Noise(alternatives) => self.alternatives(alternatives, Some(0)),
            Term::Optional(alternatives) => self.alternatives(alternatives, Some(spec::most_captures(alternatives))),
        }
    }

    /// Each alternative in turn, and at last none of them, which gives so many empty arguments.
    fn alternatives(&mut self, alternatives: &[Sequence], absent: Option<usize>) {
        let split = self.steps.len();
        self.steps.push(Step::Split(Vec::new()));
        let (mut targets, mut jumps) = (Vec::new(), Vec::new());
        for alternative in alternatives {
            targets.push(self.steps.len());
            self.sequence(alternative);
            jumps.push(self.steps.len());
            self.steps.push(Step::Jump(0));
        }
        if let Some(blanks) = absent {
            targets.push(self.steps.len());
            self.steps.push(Step::Blanks(blanks));
        }
        let end = self.steps.len();
        for jump in jumps {
            self.steps[jump] = Step::Jump(end);
        }
        self.steps[split] = Step::Split(targets);
    }
}

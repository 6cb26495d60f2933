//! The search for a way through a `SimpleMatcher` that takes every word (spec: configuration §5.3, 5.4).

use super::{
    Outcome,
    diagnostic::Compared,
    program::{Program, Rule, Step},
    tokens::{Separator, Tokens, after_folded, is_folded},
};

/// Most states of one search: (comparisons of the spec) × (words of the text). No message of a person comes near.
pub(crate) const MOST_STATES: usize = 1 << 20;

/// The separator that the words of the current phrase share, once it is known.
type Phrase = Option<Separator>;

/// Where the search is; nothing else decides whether the rest of a text fits.
#[derive(Debug, Clone, Copy)]
struct State {
    step: usize,
    word: usize,
    phrase: Phrase,
}

/// What one capture took.
#[derive(Debug, Clone, Copy)]
enum Arg {
    Blank,
    /// Words from, to.
    Words(usize, usize),
    /// Fields from, to.
    Fields(usize, usize),
}

/// A state to return to, with as many arguments as there were, and one more.
struct Thread {
    state: State,
    args: usize,
    last: Option<Arg>,
}

/// A value that does not fit, and where the search goes on behind it.
struct Mistake<'t> {
    template: usize,
    value: &'t str,
    behind: State,
}

/// States that were entered without success.
#[derive(Clone)]
struct Visited {
    bits: Vec<u64>,
    /// Of each `rest` slot the first word it was entered at: all its later ends are behind states of `bits`.
    rests: Vec<usize>,
}

struct Search<'p, 't> {
    program: &'p Program,
    text: &'p Tokens<'t>,
    visited: Visited,
    threads: Vec<Thread>,
    args: Vec<Arg>,
    /// Collected while the search for an exact match fails.
    mistakes: Option<Vec<Mistake<'t>>>,
}

/// Compares a spec with a text. Each of the three searches enters a state at most once.
pub(crate) fn search(program: &Program, text: &Tokens<'_>) -> Outcome {
    let words = text.tokens.len();
    if words == 0 || program.weight.saturating_mul(words + 1) > MOST_STATES {
        return Outcome::None;
    }
    let bits = program.steps.len() * (words + 1) * 3;
    let visited = Visited { bits: vec![0; bits.div_ceil(64)], rests: vec![usize::MAX; program.rests] };
    let mut search = Search { program, text, visited, threads: Vec::new(), args: Vec::new(), mistakes: None };
    search.mistakes = Some(Vec::new());
    if search.reaches_end(State { step: 0, word: 0, phrase: None }) {
        return Outcome::Exact(search.args.iter().map(|arg| search.captured(*arg)).collect());
    }
    search.mistakes.take().map_or(Outcome::None, |mistakes| search.diagnose(&mistakes))
}

impl<'t> Search<'_, 't> {
    /// A mistake counts if the rest of the text fits; there must be but one. What the exact search visited fits
    /// nowhere, whatever came before it, so those states stay closed.
    fn diagnose(&mut self, mistakes: &[Mistake<'t>]) -> Outcome {
        if mistakes.is_empty() {
            return Outcome::None;
        }
        let closed = self.visited.clone();
        let Some(first) = mistakes.iter().find(|m| self.reaches_end(m.behind)) else { return Outcome::None };
        self.visited = closed;
        let mut others = mistakes.iter().filter(|m| (m.template, m.value) != (first.template, first.value));
        if others.any(|m| self.reaches_end(m.behind)) {
            return Outcome::None;
        }
        Outcome::Syntax(self.program.templates.about(first.template, first.value))
    }

    /// Depth first in the order of the spec; arguments of the way that was found stay in `args`.
    fn reaches_end(&mut self, from: State) -> bool {
        self.threads.clear();
        self.threads.push(Thread { state: from, args: 0, last: None });
        while let Some(thread) = self.threads.pop() {
            self.args.truncate(thread.args);
            self.args.extend(thread.last);
            let mut state = Some(thread.state);
            while let Some(at) = state {
                if !self.enter(at) {
                    break;
                }
                if matches!(self.program.steps.get(at.step), Some(Step::End)) && at.word == self.text.tokens.len() {
                    return true;
                }
                state = self.advance(at);
            }
        }
        false
    }

    /// `false` if it was entered before.
    fn enter(&mut self, at: State) -> bool {
        let phrase = match at.phrase {
            None => 0,
            Some(Separator::Space) => 1,
            Some(Separator::Dash) => 2,
        };
        let bit = (at.step * (self.text.tokens.len() + 1) + at.word) * 3 + phrase;
        let Some(bits) = self.visited.bits.get_mut(bit / 64) else { return false };
        let fresh = *bits & (1 << (bit % 64)) == 0;
        *bits |= 1 << (bit % 64);
        fresh
    }

    /// One instruction; further ways wait in `threads`.
    fn advance(&mut self, at: State) -> Option<State> {
        let program = self.program;
        let next = State { step: at.step + 1, ..at };
        match program.steps.get(at.step)? {
            Step::Before(rule) => Some(State { phrase: self.separated(*rule, at)?, ..next }),
            Step::Word(word) => {
                let fits = is_folded(self.text.tokens.get(at.word)?.text, word);
                fits.then_some(State { word: at.word + 1, ..next })
            }
            Step::Slot(kind, template) => {
                let number = self.text.tokens.get(at.word)?.field;
                let field = self.text.fields.get(number)?;
                let behind = State { word: field.tokens.end, phrase: None, ..next };
                if !kind.accepts(field.text) {
                    self.mistake(*template, field.text, behind);
                    return None;
                }
                self.args.push(Arg::Fields(number, number + 1));
                Some(behind)
            }
            Step::Rest(number) => {
                self.rest(*number, at, next);
                None
            }
            Step::Choice(values, template) => {
                self.choose(values, *template, at, next);
                None
            }
            Step::Options(options, template) => self.options(options, *template, next),
            Step::Blanks(count) => {
                self.args.extend(std::iter::repeat_n(Arg::Blank, *count));
                Some(next)
            }
            Step::Split(targets) => {
                for step in targets.iter().rev() {
                    self.later(State { step: *step, ..at }, None);
                }
                None
            }
            Step::Jump(step) => Some(State { step: *step, ..at }),
            Step::End => None,
        }
    }

    fn later(&mut self, state: State, last: Option<Arg>) {
        self.threads.push(Thread { state, args: self.args.len(), last });
    }

    fn mistake(&mut self, template: usize, value: &'t str, behind: State) {
        if let Some(mistakes) = &mut self.mistakes {
            mistakes.push(Mistake { template, value, behind });
        }
    }

    /// The phrase behind the separator before the next word, if that separator may be there.
    fn separated(&self, rule: Rule, at: State) -> Option<Phrase> {
        let Some(token) = self.text.tokens.get(at.word).filter(|_| at.word > 0) else { return Some(at.phrase) };
        match (rule, at.phrase) {
            (Rule::Space, phrase) => (token.before == Separator::Space).then_some(phrase),
            (Rule::Tail, _) => Some(None),
            (Rule::Phrase, Some(shared)) => (token.before == shared).then_some(at.phrase),
            (Rule::Phrase, None) => Some(Some(token.before)),
        }
    }

    /// One way for each number of fields, the longest first; ends that an earlier entry tried are not tried again.
    fn rest(&mut self, number: usize, at: State, next: State) {
        let Some(first) = self.text.tokens.get(at.word).map(|t| t.field) else { return };
        let Some(tried) = self.visited.rests.get_mut(number) else { return };
        let last = self.text.fields.len().min(*tried);
        *tried = first.min(*tried);
        for end in first + 1..=last {
            let word = self.text.fields.get(end - 1).map_or(0, |f| f.tokens.end);
            self.later(State { word, phrase: None, ..next }, Some(Arg::Fields(first, end)));
        }
    }

    fn choose(&mut self, values: &[Vec<String>], template: usize, at: State, next: State) {
        let Some(token) = self.text.tokens.get(at.word) else { return };
        let mut fits = false;
        for value in values.iter().rev() {
            if let Some(behind) = self.valued(value, at, next) {
                fits = true;
                self.later(behind, Some(Arg::Words(at.word, behind.word)));
            }
        }
        if !fits {
            self.mistake(template, token.text, State { word: at.word + 1, ..next });
        }
    }

    /// The state behind one value of a choice.
    fn valued(&self, value: &[String], at: State, next: State) -> Option<State> {
        let mut behind = next;
        for part in value {
            if behind.word > at.word {
                behind.phrase = self.separated(Rule::Phrase, behind)?;
            }
            if !is_folded(self.text.tokens.get(behind.word)?.text, part) {
                return None;
            }
            behind.word += 1;
        }
        Some(behind)
    }

    fn options(&mut self, options: &[Compared], unknown: usize, next: State) -> Option<State> {
        let mut behind = next;
        while let Some(token) = self.text.tokens.get(behind.word).filter(|t| t.text.starts_with('-')) {
            behind = State { word: behind.word + 1, phrase: None, ..behind };
            if let Err((template, value)) = fitting(options, token.text) {
                self.mistake(template.unwrap_or(unknown), value, behind);
                return None;
            }
            self.args.push(Arg::Fields(token.field, token.field + 1));
        }
        Some(behind)
    }

    fn captured(&self, arg: Arg) -> String {
        let joined = |texts: &mut dyn Iterator<Item = &'t str>| {
            texts.fold(String::new(), |mut all, text| {
                if !all.is_empty() {
                    all.push(' ');
                }
                all.push_str(text);
                all
            })
        };
        match arg {
            Arg::Blank => String::new(),
            Arg::Words(from, to) => joined(&mut self.text.tokens[from..to].iter().map(|t| t.text)),
            Arg::Fields(from, to) => joined(&mut self.text.fields[from..to].iter().map(|f| f.text)),
        }
    }
}

/// Whether a word is one of the options; if not, which sentence to say about what. An option with a bad value is a
/// better guess than an unknown one, if it is the only one.
fn fitting<'w>(options: &[Compared], word: &'w str) -> Result<(), (Option<usize>, &'w str)> {
    let mut bad: Option<(usize, &str)> = None;
    let mut several = false;
    for option in options {
        match option.value {
            None if is_folded(word, &option.text) => return Ok(()),
            None => {}
            Some((kind, template)) => {
                let Some(value) = after_folded(word, &option.text) else { continue };
                if kind.accepts(value) {
                    return Ok(());
                }
                several |= bad.is_some_and(|known| known != (template, value));
                bad = Some((template, value));
            }
        }
    }
    match bad.filter(|_| !several) {
        Some((template, value)) => Err((Some(template), value)),
        None => Err((None, word)),
    }
}

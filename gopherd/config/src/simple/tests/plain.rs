//! The rules of the specification written down as they are read, every state followed to its end: what the matcher
//! must agree with on texts and specs that are small enough for that.

use super::super::{
    Outcome,
    diagnostic::Template,
    spec::{Choice, Options, Sequence, Term, is_value_tail, most_captures},
    tokens::{Separator, Tokens, after_folded, folded, is_folded},
};

#[derive(Clone, Default)]
struct State {
    word: usize,
    args: Vec<String>,
    mistake: Option<String>,
    phrase: Option<Separator>,
}

impl State {
    fn took(&self, words: usize, args: &[&str]) -> Self {
        let mut next = self.clone();
        next.word += words;
        next.args.extend(args.iter().map(|a| (*a).to_owned()));
        next
    }

    fn mistaken(&self, words: usize, sentence: String) -> Vec<Self> {
        match self.mistake {
            Some(_) => Vec::new(),
            None => vec![Self { mistake: Some(sentence), ..self.took(words, &[]) }],
        }
    }

    fn ended(mut self) -> Self {
        self.phrase = None;
        self
    }
}

pub(super) fn matches(sequence: &Sequence, text: &str) -> Outcome {
    let text = Tokens::of(text);
    if text.tokens.is_empty() {
        return Outcome::None;
    }
    let mut ends = follow(sequence, &text, State::default());
    ends.retain(|state| state.word == text.tokens.len());
    if let Some(exact) = ends.iter().find(|state| state.mistake.is_none()) {
        return Outcome::Exact(exact.args.clone());
    }
    let mut mistakes: Vec<String> = ends.into_iter().filter_map(|state| state.mistake).collect();
    mistakes.sort();
    mistakes.dedup();
    match mistakes.as_slice() {
        [only] => Outcome::Syntax(only.clone()),
        _ => Outcome::None,
    }
}

fn follow(terms: &[Term], text: &Tokens<'_>, from: State) -> Vec<State> {
    let Some((term, rest)) = terms.split_first() else { return vec![from] };
    let Some(from) = separated(terms, term, text, from) else { return Vec::new() };
    let states = one(term, text, &from);
    states.into_iter().flat_map(|state| follow(rest, text, state)).collect()
}

fn separated(terms: &[Term], term: &Term, text: &Tokens<'_>, from: State) -> Option<State> {
    let before = match text.tokens.get(from.word) {
        Some(token) if from.word > 0 => token.before,
        _ => return Some(from),
    };
    if term.needs_space() {
        return (before == Separator::Space).then_some(from);
    }
    if is_value_tail(terms) {
        return Some(from.ended());
    }
    in_phrase(before, from)
}

fn in_phrase(before: Separator, mut state: State) -> Option<State> {
    let shared = *state.phrase.get_or_insert(before);
    (shared == before).then_some(state)
}

fn one(term: &Term, text: &Tokens<'_>, from: &State) -> Vec<State> {
    let each = |of: &[Sequence]| of.iter().flat_map(|a| follow(a, text, from.clone())).collect::<Vec<_>>();
    let absent = |blanks: usize| from.took(0, &vec![""; blanks]);
    match term {
        Term::Literal(parts) => parts_at(parts, text, from).into_iter().collect(),
        Term::Synonym(of) => each(of),
        Term::Noise(of) => [each(of), vec![absent(0)]].concat(),
        Term::Optional(of) => [each(of), vec![absent(most_captures(of))]].concat(),
        Term::Choice(choice) if choice.optional => [chosen(choice, text, from), vec![absent(1)]].concat(),
        Term::Choice(choice) => chosen(choice, text, from),
        Term::Options(block) => options(block, text, from),
        Term::Slot(slot) => {
            let Some(token) = text.tokens.get(from.word) else { return Vec::new() };
            let field = &text.fields[token.field];
            if slot.kind.is_rest() {
                let ends = (token.field + 1..=text.fields.len()).rev();
                return ends
                    .map(|end| {
                        let values: Vec<&str> = text.fields[token.field..end].iter().map(|f| f.text).collect();
                        from.took(text.fields[end - 1].tokens.end - from.word, &[&values.join(" ")]).ended()
                    })
                    .collect();
            }
            let words = field.tokens.end - from.word;
            if slot.kind.accepts(field.text) {
                return vec![from.took(words, &[field.text]).ended()];
            }
            from.clone().ended().mistaken(words, Template::slot(slot).about(field.text))
        }
    }
}

fn parts_at(parts: &[String], text: &Tokens<'_>, from: &State) -> Option<State> {
    let mut state = from.clone();
    for (n, part) in parts.iter().enumerate() {
        let token = text.tokens.get(state.word)?;
        if n > 0 {
            state = in_phrase(token.before, state)?;
        }
        if !is_folded(token.text, &folded(part)) {
            return None;
        }
        state.word += 1;
    }
    Some(state)
}

fn chosen(choice: &Choice, text: &Tokens<'_>, from: &State) -> Vec<State> {
    let fits = choice.values.iter().filter_map(|value| {
        let mut state = parts_at(value, text, from)?;
        let typed: Vec<&str> = text.tokens[from.word..state.word].iter().map(|t| t.text).collect();
        state.args.push(typed.join(" "));
        Some(state)
    });
    let fits: Vec<State> = fits.collect();
    match text.tokens.get(from.word) {
        Some(token) if fits.is_empty() => from.mistaken(1, Template::choice(choice).about(token.text)),
        _ => fits,
    }
}

fn options(block: &Options, text: &Tokens<'_>, from: &State) -> Vec<State> {
    let mut state = from.clone();
    while let Some(token) = text.tokens.get(state.word).filter(|t| t.text.starts_with('-')) {
        state.phrase = None;
        let mut wrong = Vec::new();
        let fits = block.options.iter().any(|option| match &option.slot {
            None => is_folded(token.text, &folded(&option.text)),
            Some(slot) => after_folded(token.text, &folded(&option.text)).is_some_and(|value| {
                wrong.push(Template::option_value(option, slot).about(value));
                slot.kind.accepts(value)
            }),
        });
        wrong.dedup();
        if !fits {
            let unknown = || Template::unknown_option(block).about(token.text);
            let sentence = if let [only] = wrong.as_slice() { only.clone() } else { unknown() };
            return state.mistaken(1, sentence);
        }
        state = state.took(1, &[token.text]);
    }
    vec![state]
}

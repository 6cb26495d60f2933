//! A parsed `SimpleMatcher` as text: in its canonical spelling, and as a line of help.

use super::spec::{Sequence, Term};

/// A spec that parses to the same terms.
pub(crate) fn canonical(sequence: &[Term]) -> String {
    joined(sequence, canonical_term, " ")
}

fn canonical_term(term: &Term) -> String {
    let group = |alternatives: &[Sequence]| alternatives.iter().map(|a| canonical(a)).collect::<Vec<_>>().join("|");
    match term {
        Term::Literal(parts) => parts.join("-"),
        Term::Slot(slot) => slot.shown(),
        Term::Noise(alternatives) => format!("{{{}}}", group(alternatives)),
        Term::Synonym(alternatives) => format!("/{}/", group(alternatives)),
        Term::Optional(alternatives) => format!("[{}]", group(alternatives)),
        Term::Choice(choice) => {
            let values: Vec<String> = choice.values.iter().map(|v| v.join(" ")).collect();
            let (open, close) = if choice.optional { ('[', ']') } else { ('(', ')') };
            format!("{open}{}:{}{close}", choice.label, values.join("|"))
        }
        Term::Options(block) => {
            let forms: Vec<String> = block.options.iter().map(super::spec::OptionForm::shown).collect();
            format!("[-{}:{}]", block.label, forms.join("|"))
        }
    }
}

/// What a person types.
pub(crate) fn usage(sequence: &[Term]) -> String {
    joined(sequence, usage_term, " ")
}

fn usage_term(term: &Term) -> String {
    let alternatives = |of: &[Sequence]| of.iter().map(|a| usage(a)).collect::<Vec<_>>().join("|");
    match term {
        Term::Literal(parts) => parts.join("-"),
        Term::Slot(slot) => format!("<{}>", slot.name.as_deref().unwrap_or(slot.kind.name())),
        Term::Noise(_) => String::new(),
        Term::Synonym(of) => of.first().map(|a| usage(a)).unwrap_or_default(),
        Term::Optional(of) => format!("[{}]", alternatives(of)),
        Term::Choice(choice) => {
            let values: Vec<String> = choice.values.iter().map(|v| v.join("-")).collect();
            let (open, close) = match (choice.optional, values.len()) {
                (true, _) => ("[", "]"),
                (false, 1) => ("", ""),
                (false, _) => ("(", ")"),
            };
            format!("{open}{}{close}", values.join("|"))
        }
        Term::Options(block) => {
            let forms: Vec<String> = block.options.iter().map(|o| format!("[{}]", o.shown())).collect();
            forms.join(" ")
        }
    }
}

fn joined(sequence: &[Term], term: impl Fn(&Term) -> String, with: &str) -> String {
    let pieces: Vec<String> = sequence.iter().map(term).filter(|piece| !piece.is_empty()).collect();
    pieces.join(with)
}

//! The grammar of a `SimpleMatcher` and its errors (spec: configuration §5.1).

use super::{tokens::words, types::Kind};

/// Longest spec in bytes.
const LONGEST: usize = 4096;
/// Groups within groups.
const DEEPEST: usize = 16;

/// Characters that no literal has.
const SPECIAL: [char; 10] = ['[', ']', '{', '}', '(', ')', '/', '|', '<', '>'];

pub(crate) type Sequence = Vec<Term>;

/// One piece of a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    /// Its parts: a literal is split at dashes as texts are.
    Literal(Vec<String>),
    Slot(Slot),
    /// May be there and is not captured.
    Noise(Vec<Sequence>),
    /// One of several, not captured.
    Synonym(Vec<Sequence>),
    Choice(Choice),
    /// May be there; its slots are captured.
    Optional(Vec<Sequence>),
    Options(Options),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) name: Option<String>,
    pub(crate) kind: Kind,
}

/// Fixed values, captured as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// May be empty.
    pub(crate) label: String,
    /// Each as its parts.
    pub(crate) values: Vec<Vec<String>>,
    pub(crate) optional: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) label: String,
    pub(crate) options: Vec<OptionForm>,
}

/// A flag, or what stands before the value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OptionForm {
    pub(crate) text: String,
    pub(crate) slot: Option<Slot>,
}

impl OptionForm {
    /// As written.
    pub(crate) fn shown(&self) -> String {
        self.slot.as_ref().map_or_else(|| self.text.clone(), |slot| format!("{}{}", self.text, slot.shown()))
    }
}

impl Slot {
    pub(crate) fn shown(&self) -> String {
        let kind = self.kind.name();
        self.name.as_ref().map_or_else(|| format!("<{kind}>"), |name| format!("<{name}:{kind}>"))
    }
}

impl Term {
    /// How many arguments it gives; options give as many as are typed and count as none.
    pub(crate) fn captures(&self) -> usize {
        match self {
            Self::Literal(_) | Self::Noise(_) | Self::Synonym(_) | Self::Options(_) => 0,
            Self::Slot(_) | Self::Choice(_) => 1,
            Self::Optional(alternatives) => most_captures(alternatives),
        }
    }

    fn may_capture(&self) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Slot(_) | Self::Choice(_) | Self::Options(_) => true,
            Self::Noise(of) | Self::Synonym(of) | Self::Optional(of) => of.iter().flatten().any(Self::may_capture),
        }
    }

    /// A text may lack it.
    pub(crate) fn may_be_absent(&self) -> bool {
        match self {
            Self::Noise(_) | Self::Optional(_) | Self::Options(_) => true,
            Self::Choice(choice) => choice.optional,
            Self::Literal(_) | Self::Slot(_) | Self::Synonym(_) => false,
        }
    }

    fn takes_words(&self) -> bool {
        match self {
            Self::Noise(of) | Self::Synonym(of) | Self::Optional(of) => of.iter().flatten().any(Self::takes_words),
            _ => true,
        }
    }

    /// It begins with what must begin a field.
    pub(crate) fn needs_space(&self) -> bool {
        match self {
            Self::Slot(_) | Self::Options(_) => true,
            Self::Literal(_) | Self::Choice(_) => false,
            Self::Noise(of) | Self::Synonym(of) | Self::Optional(of) => {
                of.iter().any(|sequence| sequence.first().is_some_and(Self::needs_space))
            }
        }
    }
}

/// Values only from here on, and at least one that is captured: the phrase before is over.
pub(crate) fn is_value_tail(terms: &[Term]) -> bool {
    terms.iter().all(|term| !matches!(term, Term::Literal(_) | Term::Synonym(_))) && terms.iter().any(Term::may_capture)
}

/// Arguments that the longest alternative gives.
pub(crate) fn most_captures(alternatives: &[Sequence]) -> usize {
    alternatives.iter().map(|sequence| sequence.iter().map(Term::captures).sum()).max().unwrap_or(0)
}

/// Parses a spec; the error is a sentence of the manual.
pub(crate) fn parse(text: &str) -> Result<Sequence, String> {
    if text.len() > LONGEST {
        return Err(format!("SimpleMatcher is longer than {LONGEST} bytes"));
    }
    let mut parser = Parser { rest: text, depth: 0 };
    let sequence = parser.sequence(None)?;
    if let Some(c) = parser.peek() {
        return Err(format!("unexpected character '{c}' in SimpleMatcher"));
    }
    if !sequence.iter().any(Term::takes_words) {
        return Err("SimpleMatcher cannot be empty".to_owned());
    }
    Ok(sequence)
}

struct Parser<'s> {
    rest: &'s str,
    depth: usize,
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The name of a slot, label or type.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

impl<'s> Parser<'s> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Terms up to `|`, the closing character or the end.
    fn sequence(&mut self, closing: Option<char>) -> Result<Sequence, String> {
        let mut terms = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(is_space);
            match self.peek() {
                None | Some('|') => return Ok(terms),
                c if c == closing => return Ok(terms),
                Some(_) => terms.push(self.term()?),
            }
        }
    }

    fn term(&mut self) -> Result<Term, String> {
        match self.peek() {
            Some('<') => {
                let body = self.body('<', '>').ok_or("unterminated capture in SimpleMatcher")?;
                Ok(Term::Slot(slot(body)?))
            }
            Some('{') => {
                let alternatives = self.group('}')?;
                let captures = "non-capturing SimpleMatcher group cannot contain typed captures";
                without_captures(alternatives, captures).map(Term::Noise)
            }
            Some('/') => {
                let alternatives = self.group('/')?;
                let captures = "non-capturing SimpleMatcher synonym group cannot contain typed captures";
                without_captures(alternatives, captures).map(Term::Synonym)
            }
            Some('(') => choice(self.body('(', ')').ok_or_else(|| unterminated(')'))?, false),
            Some('[') => self.bracket(),
            _ => self.literal(),
        }
    }

    /// What stands up to the first closing character.
    fn body(&mut self, opening: char, closing: char) -> Option<&'s str> {
        let (body, rest) = self.rest.strip_prefix(opening)?.split_once(closing)?;
        self.rest = rest;
        Some(body)
    }

    /// Alternatives up to the closing character, the opening one unread.
    fn group(&mut self, closing: char) -> Result<Vec<Sequence>, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("groups of a SimpleMatcher cannot be nested deeper than {DEEPEST}"));
        }
        let mut alternatives = Vec::new();
        loop {
            let mut characters = self.rest.chars();
            characters.next();
            self.rest = characters.as_str();
            alternatives.push(self.sequence(Some(closing))?);
            match self.peek() {
                Some('|') => {}
                Some(_) => break,
                None => return Err(unterminated(closing)),
            }
        }
        self.rest = &self.rest[closing.len_utf8()..];
        self.depth -= 1;
        Ok(alternatives)
    }

    fn bracket(&mut self) -> Result<Term, String> {
        let body = self.body('[', ']').ok_or_else(|| unterminated(']'))?.trim_matches(is_space);
        if body.starts_with('-') {
            return options(body).map(Term::Options);
        }
        if !body.contains('<') {
            return choice(body, true);
        }
        let mut inner = Parser { rest: body, depth: self.depth };
        let mut alternatives = vec![inner.sequence(None)?];
        while inner.peek() == Some('|') {
            inner.rest = &inner.rest[1..];
            alternatives.push(inner.sequence(None)?);
        }
        Ok(Term::Optional(alternatives))
    }

    fn literal(&mut self) -> Result<Term, String> {
        let end = self.rest.find(|c| is_space(c) || SPECIAL.contains(&c)).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        if text.is_empty() {
            return Err("expected literal token in SimpleMatcher".to_owned());
        }
        parts(text).map(Term::Literal)
    }
}

fn unterminated(closing: char) -> String {
    format!("unterminated SimpleMatcher group, missing \"{closing}\"")
}

/// The words of a literal. Words of a text that begin with a dash are options and nothing else.
fn parts(text: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for field in text.split(is_space).filter(|f| !f.is_empty()) {
        if field.starts_with('-') {
            return Err(format!(
                "literal \"{field}\" in SimpleMatcher begins with '-' and would never match; use an options block: \
                 [-options:{field}]"
            ));
        }
        all.extend(words(field).map(str::to_owned));
    }
    Ok(all)
}

fn without_captures(alternatives: Vec<Sequence>, otherwise: &str) -> Result<Vec<Sequence>, String> {
    if alternatives.iter().flatten().any(Term::may_capture) { Err(otherwise.to_owned()) } else { Ok(alternatives) }
}

fn slot(body: &str) -> Result<Slot, String> {
    let (name, kind) = match body.split(':').map(|part| part.trim_matches(is_space)).collect::<Vec<_>>()[..] {
        [kind] if !kind.is_empty() => (None, kind),
        [name, kind] if !name.is_empty() && !kind.is_empty() => (Some(name), kind),
        _ => return Err(format!("invalid capture \"{body}\" in SimpleMatcher")),
    };
    if let Some(name) = name.filter(|name| !is_name(name)) {
        return Err(format!("invalid SimpleMatcher capture name \"{name}\""));
    }
    if !is_name(kind) {
        return Err(format!("invalid SimpleMatcher capture type \"{kind}\""));
    }
    let kind = Kind::named(kind).ok_or_else(|| format!("unknown SimpleMatcher capture type \"{kind}\""))?;
    Ok(Slot { name: name.map(str::to_owned), kind })
}

fn choice(body: &str, optional: bool) -> Result<Term, String> {
    let wrong = |what: &str| Err(format!("capturing SimpleMatcher choice {what}"));
    if body.trim_matches(is_space).is_empty() {
        return wrong("cannot be empty");
    }
    if body.contains('<') {
        return wrong("cannot contain typed captures");
    }
    let Some((label, values)) = body.split_once(':') else {
        return wrong("must include a label prefix");
    };
    let label = label.trim_matches(is_space);
    if !label.is_empty() && !is_name(label) {
        return Err(format!("invalid SimpleMatcher choice label \"{label}\""));
    }
    if values.contains(|c| c != '|' && SPECIAL.contains(&c)) {
        return Err("expected literal token in SimpleMatcher".to_owned());
    }
    let values: Vec<Vec<String>> = values.split('|').map(parts).collect::<Result<_, _>>()?;
    let values: Vec<Vec<String>> = values.into_iter().filter(|parts| !parts.is_empty()).collect();
    if values.is_empty() {
        return wrong("must include at least one value");
    }
    Ok(Term::Choice(Choice { label: label.to_owned(), values, optional }))
}

fn options(body: &str) -> Result<Options, String> {
    let Some((label, forms)) = body.strip_prefix('-').and_then(|b| b.split_once(':')) else {
        return Err("SimpleMatcher options block must use [-label:...] syntax".to_owned());
    };
    let label = label.trim_matches(is_space);
    if !is_name(label) {
        return Err(format!("invalid SimpleMatcher options label \"{label}\""));
    }
    if forms.trim_matches(is_space).is_empty() {
        return Err("SimpleMatcher options block must include at least one option".to_owned());
    }
    let options = forms.split('|').map(|form| option(form.trim_matches(is_space))).collect::<Result<_, _>>()?;
    Ok(Options { label: label.to_owned(), options })
}

fn option(form: &str) -> Result<OptionForm, String> {
    if form.is_empty() {
        return Err("SimpleMatcher option cannot be empty".to_owned());
    }
    let wrong = |what: &str| Err(format!("SimpleMatcher option \"{form}\" {what}"));
    if !form.starts_with('-') {
        return wrong("must start with '-'");
    }
    if form.contains(is_space) {
        return wrong("cannot contain whitespace");
    }
    let Some((text, capture)) = form.split_once('<') else {
        return Ok(OptionForm { text: form.to_owned(), slot: None });
    };
    match capture.strip_suffix('>') {
        Some(body) if !body.contains(['<', '>']) => Ok(OptionForm { text: text.to_owned(), slot: Some(slot(body)?) }),
        _ => wrong("must contain a single typed capture at the end"),
    }
}

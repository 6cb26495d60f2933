//! A text as words: fields between white space, split at their dashes (spec: configuration §5.2).

use std::ops::Range;

/// What stands before a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    /// It begins a field.
    Space,
    /// It is a later part of a field.
    Dash,
}

/// One word of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'t> {
    pub(crate) text: &'t str,
    pub(crate) before: Separator,
    /// Place of its field.
    pub(crate) field: usize,
}

/// One field of a text, and which words it has.
#[derive(Debug, Clone)]
pub(crate) struct Field<'t> {
    pub(crate) text: &'t str,
    pub(crate) tokens: Range<usize>,
}

/// The words of one text.
#[derive(Debug, Default)]
pub(crate) struct Tokens<'t> {
    pub(crate) tokens: Vec<Token<'t>>,
    pub(crate) fields: Vec<Field<'t>>,
}

impl<'t> Tokens<'t> {
    /// A field that begins with a dash is one word; dashes at the end of a field or in a row say nothing.
    pub(crate) fn of(text: &'t str) -> Self {
        let mut all = Self::default();
        for text in text.split_whitespace() {
            let (first, field) = (all.tokens.len(), all.fields.len());
            for text in words(text) {
                let before = if all.tokens.len() == first { Separator::Space } else { Separator::Dash };
                all.tokens.push(Token { text, before, field });
            }
            all.fields.push(Field { text, tokens: first..all.tokens.len() });
        }
        all
    }
}

/// The words of one field.
pub(crate) fn words(field: &str) -> impl Iterator<Item = &str> {
    let whole = field.starts_with('-');
    field.split(move |c| c == '-' && !whole).filter(|word| !word.is_empty())
}

/// One character for all that differ in case only.
fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let upper = only(c.to_uppercase()).unwrap_or(c);
    only(upper.to_lowercase()).unwrap_or(upper)
}

fn only(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    mapped.next().filter(|_| mapped.next().is_none())
}

/// A word in the spelling that all its cases share.
pub(crate) fn folded(word: &str) -> String {
    let mut all = String::with_capacity(word.len());
    fold_into(&mut all, word);
    all
}

/// Appends [`folded`].
pub(crate) fn fold_into(all: &mut String, word: &str) {
    all.extend(word.chars().map(fold));
}

/// Whether a word is the one that was folded before.
pub(crate) fn is_folded(word: &str, folded: &str) -> bool {
    word.chars().map(fold).eq(folded.chars())
}

/// What follows a prefix that was folded before.
pub(crate) fn after_folded<'w>(word: &'w str, folded: &str) -> Option<&'w str> {
    let mut rest = word.chars();
    folded.chars().all(|wanted| rest.next().map(fold) == Some(wanted)).then_some(())?;
    Some(rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_remember_field_and_separator() {
        let shown = |text: &str| {
            let all = Tokens::of(text);
            let words = all.tokens.iter().map(|t| {
                let before = if t.before == Separator::Space { ' ' } else { '-' };
                format!("{before}{}@{}", t.text, t.field)
            });
            words.collect::<Vec<_>>().concat()
        };
        assert_eq!(shown("restart- service"), " restart@0 service@1");
        assert_eq!(shown("a--b  -c-d\te"), " a@0-b@0 -c-d@1 e@2");
        assert_eq!(shown(" \n"), "");
        assert_eq!(shown("-- x"), " --@0 x@1");
        assert_eq!(Tokens::of("a-b c").fields[0].tokens, 0..2);
    }

    #[test]
    fn case_is_folded_in_any_script() {
        for (word, other) in [("HÉLLO", "héllo"), ("ΣΟΦΟΣ", "σοφος"), ("ß", "ẞ"), ("K", "k"), ("ſ", "S")]
        {
            assert!(is_folded(word, &folded(other)), "{word} {other}");
            assert_eq!(folded(word), folded(other));
        }
        assert!(!is_folded("ab", "a") && !is_folded("a", "ab"));
        assert_eq!(after_folded("-BRANCH:É", &folded("-branch:")), Some("É"));
        assert_eq!(after_folded("-b", &folded("-branch:")), None);
    }
}

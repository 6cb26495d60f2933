//! What help reads out of the text of a `SimpleMatcher` (spec: configuration §5.1): its options and its literal words.
//!
//! Tolerant on purpose: the loader has refused what is wrong, and a text about a command never fails. Matches nothing.

/// Most ways of saying one command that are looked at, and how deep braces are followed.
const MOST: usize = 64;
const DEEPEST: usize = 8;

/// The forms of each options block, such as `-dry` and `-count:<number>`.
pub(super) fn options_forms(spec: &str) -> Vec<Vec<String>> {
    let blocks = spec.split("[-").skip(1);
    blocks
        .filter_map(|block| block.split(']').next()?.split_once(':'))
        .map(|(_, forms)| forms.split('|').map(|f| f.trim().to_owned()).filter(|f| !f.is_empty()).collect())
        .collect()
}

/// Each way of saying the command, as its literal words in lower case; captures and options are left out.
pub(super) fn literal_sequences(spec: &str) -> Vec<Vec<String>> {
    let mut all = expand(spec, 0);
    all.retain(|words| !words.is_empty());
    all
}

fn expand(spec: &str, depth: usize) -> Vec<Vec<String>> {
    if depth > DEEPEST {
        return vec![Vec::new()];
    }
    let mut all = vec![Vec::new()];
    let mut rest = spec;
    while let Some(first) = rest.chars().next() {
        let (choices, after) = match first {
            '<' => (vec![Vec::new()], beyond(rest, '>').1),
            '{' => {
                let (body, after) = nested(rest);
                (with_nothing(alternatives(body, depth)), after)
            }
            '/' => {
                let (body, after) = beyond(rest, '/');
                (alternatives(body, depth), after)
            }
            '(' => {
                let (body, after) = beyond(rest, ')');
                (values(body), after)
            }
            '[' => {
                let (body, after) = beyond(rest, ']');
                let captures = body.starts_with('-') || body.contains('<');
                (if captures { vec![Vec::new()] } else { with_nothing(values(body)) }, after)
            }
            _ => {
                let end = rest.find(is_special).unwrap_or(rest.len()).max(first.len_utf8());
                let (word, after) = rest.split_at(end);
                (vec![words(word)], after)
            }
        };
        all = combined(&all, &choices);
        rest = after;
    }
    all
}

fn is_special(c: char) -> bool {
    matches!(c, '<' | '{' | '/' | '(' | '[')
}

/// The words of a text without special characters.
fn words(text: &str) -> Vec<String> {
    let pieces = text.split(|c: char| c.is_whitespace() || "-|)]}>".contains(c));
    pieces.filter(|p| !p.is_empty()).map(str::to_lowercase).collect()
}

/// What stands between the first character and `close`, and what follows it.
fn beyond(text: &str, close: char) -> (&str, &str) {
    let inside = text.get(1..).unwrap_or_default();
    inside.split_once(close).unwrap_or((inside, ""))
}

/// As [`beyond`] for braces, which may hold braces.
fn nested(text: &str) -> (&str, &str) {
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open == 0 {
            return (text.get(1..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        }
    }
    (text.get(1..).unwrap_or_default(), "")
}

/// Every reading of `a|b`, where bars within braces belong to the braces.
fn alternatives(body: &str, depth: usize) -> Vec<Vec<String>> {
    let (mut open, mut from) = (0_usize, 0);
    let mut all = Vec::new();
    for (at, c) in body.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open = open.saturating_sub(1),
            '|' if open == 0 => {
                all.extend(expand(body.get(from..at).unwrap_or_default(), depth + 1));
                from = at + 1;
            }
            _ => {}
        }
    }
    all.extend(expand(body.get(from..).unwrap_or_default(), depth + 1));
    all.truncate(MOST);
    all
}

/// The values of a choice, which stand behind its label.
fn values(body: &str) -> Vec<Vec<String>> {
    let values = body.split_once(':').map_or(body, |(_, values)| values);
    values.split('|').map(words).collect()
}

fn with_nothing(mut choices: Vec<Vec<String>>) -> Vec<Vec<String>> {
    choices.push(Vec::new());
    choices
}

fn combined(all: &[Vec<String>], choices: &[Vec<String>]) -> Vec<Vec<String>> {
    let pairs = all.iter().flat_map(|head| choices.iter().map(move |tail| [head.as_slice(), tail].concat()));
    pairs.take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(spec: &str) -> Vec<String> {
        literal_sequences(spec).iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn every_way_of_saying_a_command_is_found() {
        for (spec, expected) in [
            ("water plant", &["water plant"][..]),
            ("Water-Plant <name:ident>", &["water plant"]),
            ("water {the|my} plant", &["water the plant", "water my plant", "water plant"]),
            ("/water|feed/ <name:rest>", &["water", "feed"]),
            ("turn lamp (state:on|half-way)", &["turn lamp on", "turn lamp half way"]),
            ("brew [:strong] tea", &["brew strong tea", "brew tea"]),
            ("brew tea [for <who:ident>]", &["brew tea"]),
            ("brew [-opts:-hot|-cups:<number>] tea", &["brew tea"]),
            ("{please {do|}} brew", &["please do brew", "please brew", "please brew", "brew"]),
            ("<all:rest>", &[]),
            ("", &[]),
        ] {
            assert_eq!(said(spec), expected, "{spec}");
        }
    }

    #[test]
    fn options_are_listed_block_by_block() {
        let spec = "brew [-first:-hot| -cups:<number>] tea [-second:-now]";
        assert_eq!(options_forms(spec), [vec!["-hot", "-cups:<number>"], vec!["-now"]]);
        assert_eq!(options_forms("brew [:strong] tea [for <who:ident>]"), Vec::<Vec<String>>::new());
    }

    #[test]
    fn any_text_is_read_in_bounds() {
        let pieces = ["a", "{", "}", "|", "[", "]", "[-x:", "<", ">", "(", ")", "/", ":", " ", "-y", "\u{e4}"];
        let mut seed = 7_usize;
        for _ in 0..2000 {
            let mut spec = String::new();
            for _ in 0..40 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                spec.push_str(pieces[(seed >> 33) % pieces.len()]);
            }
            assert!(literal_sequences(&spec).len() <= MOST, "{spec}");
            options_forms(&spec);
        }
        assert!(literal_sequences(&"{".repeat(100_000)).is_empty());
        assert_eq!(literal_sequences(&"{a|b}".repeat(100)).len(), MOST);
    }
}

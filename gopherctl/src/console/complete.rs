//! What the Tab key offers. Pure.

use gopher_protocol::connector::Vocabulary;

/// The place from which to replace, and what could stand there.
pub(super) fn candidates(line: &str, vocabulary: &Vocabulary) -> (usize, Vec<String>) {
    let switch = line.get(..2).map(str::to_ascii_lowercase);
    let (start, words) = match switch.as_deref() {
        Some("|c") => (2, &vocabulary.channels),
        Some("|u") => (2, &vocabulary.users),
        _ => match line.rfind('@').filter(|at| !line[*at..].contains(char::is_whitespace)) {
            Some(at) => (at + 1, &vocabulary.users),
            None => (command_start(line), &vocabulary.commands),
        },
    };
    let typed = &line[start..];
    let mut found: Vec<String> = words.iter().filter(|word| starts_with(word, typed)).cloned().collect();
    found.sort();
    found.dedup();
    (start, found)
}

/// Commands follow an alias, a slash, or `name, `: at the first word that could begin one.
fn command_start(line: &str) -> usize {
    let addressed = line.find([',', ':']).map(|at| at + 1);
    let prefix = addressed.unwrap_or_else(|| usize::from(line.starts_with(|c: char| c.is_ascii_punctuation())));
    let blanks = line[prefix..].len() - line[prefix..].trim_start().len();
    prefix + blanks
}

fn starts_with(word: &str, typed: &str) -> bool {
    word.get(..typed.len()).is_some_and(|head| head.eq_ignore_ascii_case(typed))
}

#[cfg(test)]
mod tests {
    use super::{super::session::tests::session, *};

    fn offered(line: &str) -> (usize, Vec<String>) {
        candidates(line, &session().vocabulary)
    }

    #[test]
    fn switches_complete_names() {
        assert_eq!(offered("|cra"), (2, vec!["random".to_owned()]));
        assert_eq!(offered("|c"), (2, vec!["general".to_owned(), "random".to_owned()]));
        assert_eq!(offered("|UB"), (2, vec!["bob".to_owned()]));
        assert_eq!(offered("ask @b"), (5, vec!["bob".to_owned()]));
    }

    #[test]
    fn commands_complete_after_any_form_of_address() {
        assert_eq!(offered("hel"), (0, vec!["help".to_owned(), "help commands".to_owned()]));
        assert_eq!(offered(";pi"), (1, vec!["ping".to_owned()]));
        assert_eq!(offered("floyd, pi"), (7, vec!["ping".to_owned()]));
        assert_eq!(offered("help c"), (0, vec!["help commands".to_owned()]));
        assert_eq!(offered("nothing"), (0, Vec::new()));
    }

    #[test]
    fn odd_lines_do_no_harm() {
        for line in ["", "|", "ü", "|ü", "@", "a@é", ",", "🚀|c", ";", "é,é"] {
            let (start, _) = offered(line);
            assert!(line.is_char_boundary(start), "{line}");
        }
    }
}

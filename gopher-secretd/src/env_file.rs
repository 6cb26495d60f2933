//! The syntax of the private environment file (`.env`, `private/environment`): text in, names and values out.
//!
//! Comments, `export `, `NAME=value` or `NAME: value`, single and double quotes over several lines,
//! `$NAME` and `${NAME}` of names set earlier in the same file. Values are wiped on drop, and no error repeats text of
//! the file: a badly quoted key must not end in a log.

use std::{collections::BTreeMap, fmt};

use zeroize::Zeroizing;

/// Longest file.
pub const MAX_FILE: usize = 256 << 10;
/// Most bytes of names and values together, references expanded.
pub const MAX_EXPANDED: usize = 256 << 10;

/// Names with their values, the last assignment of a name.
pub type Assignments = BTreeMap<String, Zeroizing<String>>;

/// What is wrong, and in which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvProblem {
    line: usize,
    kind: ProblemKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProblemKind {
    NotUtf8,
    NoAssignment,
    Unterminated,
    AfterQuote,
    Nul,
    TooLong,
}

impl EnvProblem {
    /// Counted from one.
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for EnvProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ProblemKind::NotUtf8 => "the text is not valid UTF-8",
            ProblemKind::NoAssignment => {
                "expected NAME=value (letters, digits, '_' and '.' in the name); a value of several lines must be quoted"
            }
            ProblemKind::Unterminated => "the quoted value that begins here does not end",
            ProblemKind::AfterQuote => "only a comment may follow the closing quote",
            ProblemKind::Nul => "a value contains a zero byte",
            ProblemKind::TooLong => "with its references expanded the file becomes too long",
        })
    }
}

impl std::error::Error for EnvProblem {}

/// Reads a whole file.
pub fn parse(file: &[u8]) -> Result<Assignments, EnvProblem> {
    let text = std::str::from_utf8(file)
        .map_err(|e| EnvProblem { line: line_at(file, e.valid_up_to()), kind: ProblemKind::NotUtf8 })?;
    let mut all = Assignments::new();
    let mut expanded = 0;
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(all);
        }
        if rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        let problem = |kind| EnvProblem { line: line_at(file, text.len() - rest.len()), kind };
        let (name, after) = name(rest).ok_or_else(|| problem(ProblemKind::NoAssignment))?;
        let (raw, after) = value(after).map_err(problem)?;
        let pieces = raw.pieces();
        let length: usize = pieces.iter().map(|p| p.resolve(&all).len()).sum();
        expanded += name.len() + length;
        if expanded > MAX_EXPANDED {
            return Err(problem(ProblemKind::TooLong));
        }
        // Filled within its capacity: growing would leave a copy behind.
        let mut value = Zeroizing::new(String::with_capacity(length));
        for piece in &pieces {
            value.push_str(piece.resolve(&all));
        }
        if value.contains('\0') {
            return Err(problem(ProblemKind::Nul));
        }
        all.insert(name.to_owned(), value);
        rest = after;
    }
}

fn line_at(file: &[u8], offset: usize) -> usize {
    1 + file.iter().take(offset).filter(|b| **b == b'\n').count()
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != '\n'
}

/// The name at the start of `text`, and what follows its `=` or `:` and blanks.
fn name(text: &str) -> Option<(&str, &str)> {
    let text = match text.strip_prefix("export") {
        Some(after) if after.starts_with(is_blank) => after.trim_start_matches(is_blank),
        _ => text,
    };
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))?;
    let (name, after) = text.split_at(end);
    let after = after.trim_start_matches(is_blank).strip_prefix(['=', ':'])?;
    (!name.is_empty()).then(|| (name, after.trim_start_matches(is_blank)))
}

/// A value as it stands in the file.
enum Raw<'a> {
    Bare(&'a str),
    Single(&'a str),
    Double(&'a str),
}

/// The value at the start of `text`, and what follows it.
fn value(text: &str) -> Result<(Raw<'_>, &str), ProblemKind> {
    let Some(quote @ ('"' | '\'')) = text.chars().next() else {
        let (line, after) = text.split_at(text.find(['\n', '\r']).unwrap_or(text.len()));
        return Ok((Raw::Bare(without_comment(line)), after));
    };
    let body = &text[1..];
    let end = closing(body, quote).ok_or(ProblemKind::Unterminated)?;
    let (body, after) = (&body[..end], &body[end + 1..]);
    let tail = after.trim_start_matches(is_blank);
    if !(tail.is_empty() || tail.starts_with(['\n', '#'])) {
        return Err(ProblemKind::AfterQuote);
    }
    Ok((if quote == '"' { Raw::Double(body) } else { Raw::Single(body) }, tail))
}

/// Where the quote closes. A backslash keeps it open, within single quotes too.
fn closing(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            '\\' if quote == '"' => escaped = !escaped,
            '\\' => escaped = true,
            c if c == quote && !escaped => return Some(at),
            _ => escaped = false,
        }
    }
    None
}

/// A comment begins with `#` at the start of a value or after a blank.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == '#' && is_blank(before) {
            return line[..at].trim_matches(is_blank);
        }
        before = c;
    }
    line.trim_matches(is_blank)
}

/// Part of a value.
enum Piece<'a> {
    Text(&'a str),
    /// A name set earlier in the file; nothing if it was not.
    Name(&'a str),
}

impl<'a> Piece<'a> {
    fn resolve<'b>(&self, earlier: &'b Assignments) -> &'b str
    where
        'a: 'b,
    {
        match self {
            Self::Text(text) => text,
            Self::Name(name) => earlier.get(*name).map_or("", |v| v.as_str()),
        }
    }
}

impl<'a> Raw<'a> {
    fn pieces(&self) -> Vec<Piece<'a>> {
        let (text, escapes, references) = match self {
            Self::Bare(text) => (*text, false, true),
            Self::Single(text) => (*text, false, false),
            Self::Double(text) => (*text, true, true),
        };
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(at) = rest.find(['\\', '$', '\r']) {
            pieces.push(Piece::Text(&rest[..at]));
            let (special, after) = (&rest[at..=at], &rest[at + 1..]);
            let next = after.chars().next();
            rest = after;
            match (special, next) {
                // Lines may end as in Windows.
                ("\r", Some('\n')) => {}
                ("\\", Some('$')) if references => {
                    pieces.push(Piece::Text("$"));
                    rest = &after[1..];
                }
                ("\\", Some(c)) if escapes => {
                    let (itself, after) = after.split_at(c.len_utf8());
                    pieces.push(Piece::Text(match c {
                        'n' => "\n",
                        'r' => "\r",
                        _ => itself,
                    }));
                    rest = after;
                }
                ("$", _) if references => match reference(after) {
                    Some((name, after)) => {
                        pieces.push(Piece::Name(name));
                        rest = after;
                    }
                    None => pieces.push(Piece::Text(special)),
                },
                _ => pieces.push(Piece::Text(special)),
            }
        }
        pieces.push(Piece::Text(rest));
        pieces
    }
}

/// The name after a `$`, with or without braces, and what follows.
fn reference(after: &str) -> Option<(&str, &str)> {
    let (braced, text) = after.strip_prefix('{').map_or((false, after), |t| (true, t));
    let end = text.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    Some((name, if braced { rest.strip_prefix('}').unwrap_or(rest) } else { rest }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(file: &str) -> Vec<(String, String)> {
        parse(file.as_bytes())
            .unwrap_or_else(|e| panic!("{file:?}: line {}: {e}", e.line()))
            .into_iter()
            .map(|(name, value)| (name, value.to_string()))
            .collect()
    }

    #[test]
    fn every_form_of_the_syntax_is_read() {
        let table: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("# only a comment", &[]),
            ("A=1\nB=2\n", &[("A", "1"), ("B", "2")]),
            ("A=1\r\nB=2\r\n", &[("A", "1"), ("B", "2")]),
            ("A=1\rB=2", &[("A", "1"), ("B", "2")]),
            ("  A = 1  \n", &[("A", "1")]),
            ("A: 1", &[("A", "1")]),
            ("export A=1", &[("A", "1")]),
            ("export\tA=1", &[("A", "1")]),
            ("export=1", &[("export", "1")]),
            ("A=", &[("A", "")]),
            ("A=\nB=2", &[("A", ""), ("B", "2")]),
            ("A=a b  # rest", &[("A", "a b")]),
            ("A=a#b # c # d", &[("A", "a#b")]),
            ("A=# nothing", &[("A", "")]),
            ("A='a b'", &[("A", "a b")]),
            ("A='a # b' # c", &[("A", "a # b")]),
            ("A=\"x\"#c\nB=1", &[("A", "x"), ("B", "1")]),
            ("A=\"two\nlines\"\nB=1", &[("A", "two\nlines"), ("B", "1")]),
            ("A=\"two\r\nlines\"", &[("A", "two\nlines")]),
            (r#"A="a\nb\rc\"d\\e\x""#, &[("A", "a\nb\rc\"d\\ex")]),
            (r"A='a\nb'", &[("A", r"a\nb")]),
            (r"A='it\'s'", &[("A", r"it\'s")]),
            ("A=1\nB=$A-${A}x", &[("A", "1"), ("B", "1-1x")]),
            ("A=1\nB=\"$A ${A}\"\nC='$A'", &[("A", "1"), ("B", "1 1"), ("C", "$A")]),
            (
                r#"A=1
B=\$A
C="\${A}""#,
                &[("A", "1"), ("B", "$A"), ("C", "${A}")],
            ),
            ("B=$LATER\nLATER=1", &[("B", ""), ("LATER", "1")]),
            ("B=100$ $lower $(cmd)", &[("B", "100$ $lower $(cmd)")]),
            ("A=1\nA=2", &[("A", "2")]),
            ("A=1\nA=${A}2", &[("A", "12")]),
            ("a.b=1", &[("a.b", "1")]),
            ("A=grüß # x", &[("A", "grüß")]),
            ("KEY=----:a_b:c==:", &[("KEY", "----:a_b:c==:")]),
        ];
        for (file, expected) in table {
            let expected: Vec<_> = expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            assert_eq!(one(file), expected, "{file:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_its_text() {
        let table = [
            ("A=1\nswordfish\n", 2, ProblemKind::NoAssignment),
            ("A B=1", 1, ProblemKind::NoAssignment),
            ("=swordfish", 1, ProblemKind::NoAssignment),
            ("\n\nA-B=1", 3, ProblemKind::NoAssignment),
            ("A=1\nB=\"swordfish\nC=2", 2, ProblemKind::Unterminated),
            ("A='x' swordfish", 1, ProblemKind::AfterQuote),
            ("A=a\0b", 1, ProblemKind::Nul),
        ];
        for (file, line, kind) in table {
            let problem = parse(file.as_bytes()).expect_err(file);
            assert_eq!(problem, EnvProblem { line, kind }, "{file:?}");
            assert!(!problem.to_string().contains("swordfish"));
        }
        assert_eq!(parse(b"A=1\nB=\xff\n"), Err(EnvProblem { line: 2, kind: ProblemKind::NotUtf8 }));
    }

    #[test]
    fn references_cannot_blow_a_file_up() {
        let mut file = format!("A={}\n", "x".repeat(1000));
        for _ in 0..40 {
            file.push_str("A=$A$A\n");
        }
        assert_eq!(parse(file.as_bytes()).map_err(|e| e.kind), Err(ProblemKind::TooLong));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(file in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&file);
        }

        #[test]
        fn no_text_of_its_alphabet_makes_the_parser_panic(file in r#"([A-Z ={}:#"'\\$\n\r]|export|é){0,60}"#) {
            let _ = parse(file.as_bytes());
        }

        #[test]
        fn any_value_survives_single_quotes(value in r"[^'\\\x00\r]{0,80}") {
            prop_assert_eq!(one(&format!("A='{value}' # x")), vec![("A".to_owned(), value)]);
        }

        #[test]
        fn any_value_survives_escaped_double_quotes(value in r"[^\x00\r]{0,80}") {
            let escaped: String = value.chars().flat_map(|c| {
                let escape = matches!(c, '"' | '\\' | '$').then_some('\\');
                escape.into_iter().chain([c])
            }).collect();
            prop_assert_eq!(one(&format!("A=\"{escaped}\"\n")), vec![("A".to_owned(), value)]);
        }
    }
}

//! Licence expressions: which of them we may use.

/// Licences whose terms a binary distribution meets with its notices alone.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "WTFPL",
    "Zlib",
];

/// Whether the expression can be met with allowed licences alone; `None` if it is not an expression.
pub(crate) fn allowed(expression: &str) -> Option<bool> {
    // The old form `MIT/Apache-2.0` means OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let result = either(&mut words)?;
    words.next().is_none().then_some(result)
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>) -> Option<bool> {
    let mut result = both(words)?;
    while words.next_if_eq(&"OR").is_some() {
        result |= both(words)?;
    }
    Some(result)
}

fn both(words: &mut Words<'_>) -> Option<bool> {
    let mut result = single(words)?;
    while words.next_if_eq(&"AND").is_some() {
        result &= single(words)?;
    }
    Some(result)
}

fn single(words: &mut Words<'_>) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let result = either(words)?;
        return words.next_if_eq(&")").map(|_| result);
    }
    if matches!(word, ")" | "AND" | "OR" | "WITH") {
        return None;
    }
    let name = match words.next_if_eq(&"WITH") {
        Some(_) => format!("{word} WITH {}", words.next()?),
        None => word.to_owned(),
    };
    Some(ALLOWED.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn expressions_are_judged_as_they_bind() {
        for (expression, expected) in [
            ("MIT", Some(true)),
            ("MIT OR Apache-2.0", Some(true)),
            ("MIT/Apache-2.0", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("GPL-3.0-only OR MIT", Some(true)),
            ("GPL-3.0-only AND MIT", Some(false)),
            ("Apache-2.0 AND ISC", Some(true)),
            ("MIT OR GPL-3.0-only AND MIT", Some(true)),
            ("(MIT OR GPL-3.0-only) AND LGPL-2.1-or-later", Some(false)),
            ("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT", Some(true)),
            ("GPL-2.0 WITH LLVM-exception", Some(false)),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true)),
            ("", None),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT Apache-2.0", None),
            ("AND MIT", None),
        ] {
            assert_eq!(allowed(expression), expected, "{expression:?}");
        }
    }
}

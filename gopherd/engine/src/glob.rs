//! Shell-style patterns of `Users` lists: `*`, `?`, `[a-z]`, `[^a]` and `\`.
//!
//! `*` and `?` do not cross `/`; a malformed pattern matches nothing.

/// Whether `text` as a whole matches `pattern`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // The place to go back to: just behind the last `*`, and the text it has swallowed so far.
    let (mut p, mut t, mut retry) = (0, 0, None);
    loop {
        if pattern.get(p) == Some(&'*') {
            p += 1;
            retry = Some((p, t));
            continue;
        }
        if p == pattern.len() && t == text.len() {
            return true;
        }
        match text.get(t).and_then(|c| one(&pattern[p..], *c)) {
            Some(used) => (p, t) = (p + used, t + 1),
            None => match retry {
                Some((behind, from)) if text.get(from).is_some_and(|c| *c != '/') => {
                    retry = Some((behind, from + 1));
                    (p, t) = (behind, from + 1);
                }
                _ => return false,
            },
        }
    }
}

/// Characters of the pattern that stand for `c`, if they do.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => (c != '/').then_some(1),
        '[' => class(pattern, c),
        '\\' => (*pattern.get(1)? == c).then_some(2),
        literal => (*literal == c).then_some(1),
    }
}

fn class(pattern: &[char], c: char) -> Option<usize> {
    let negated = pattern.get(1) == Some(&'^');
    let mut at = if negated { 2 } else { 1 };
    let first = at;
    let mut found = false;
    loop {
        let bound = |at: &mut usize| {
            let mut next = *pattern.get(*at)?;
            if next == '\\' {
                *at += 1;
                next = *pattern.get(*at)?;
            }
            *at += 1;
            Some(next)
        };
        if *pattern.get(at)? == ']' && at > first {
            return (found != negated).then_some(at + 1);
        }
        let low = bound(&mut at)?;
        let high = if pattern.get(at) == Some(&'-') && pattern.get(at + 1).is_some_and(|c| *c != ']') {
            at += 1;
            bound(&mut at)?
        } else {
            low
        };
        found |= (low..=high).contains(&c);
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_mean_what_a_shell_means() {
        for (pattern, text) in [
            ("alice", "alice"),
            ("*", "bob"),
            ("*", ""),
            ("al*", "alice"),
            ("*ce", "alice"),
            ("a?ice", "alice"),
            ("[a-c]ob", "bob"),
            ("[^a]ob", "bob"),
            (r"\*", "*"),
            ("*-*-x", "a-b-c-x"),
            ("a*b*c", "aXbYbZc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("alice", "Alice"),
            ("al*", "bob"),
            ("a?", "a"),
            ("[a", "a"),
            ("[]a]", "b"),
            ("*", "a/b"),
            ("", "a"),
            ("a\\", "a"),
            ("[^b]ob", "bob"),
            ("a*b*c", "aXbY"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}

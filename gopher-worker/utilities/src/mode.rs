//! Modes of files as people write them: `755`, `u=rw,go-w`, `+x`. Pure.

/// The mode that `text` makes of `old`; nothing if it is no mode. As with the mode bits of `chmod -R`, `X` gives
/// execution to directories and to what somebody may execute already.
pub(crate) fn changed(text: &str, old: u32, directory: bool) -> Option<u32> {
    if !text.is_empty() && text.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
        return u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    }
    text.split(',').try_fold(old & 0o7777, |mode, clause| clause_of(clause, mode, directory))
}

fn clause_of(clause: &str, mut mode: u32, directory: bool) -> Option<u32> {
    let end = clause.find(['+', '-', '='])?;
    let mut who = 0;
    for letter in clause[..end].chars() {
        who |= match letter {
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o0007,
            'a' => 0o6777,
            _ => return None,
        };
    }
    if end == 0 {
        who = 0o6777;
    }
    let mut rest = &clause[end..];
    while let Some(operator) = rest.chars().next() {
        let actions = &rest[1..];
        let next = actions.find(['+', '-', '=']).unwrap_or(actions.len());
        let mut bits = 0;
        for letter in actions[..next].chars() {
            bits |= match letter {
                'r' => 0o444 & who,
                'w' => 0o222 & who,
                'x' => 0o111 & who,
                'X' if directory || mode & 0o111 != 0 => 0o111 & who,
                'X' => 0,
                's' => 0o6000 & who,
                't' => 0o1000,
                'u' => spread(mode >> 6) & who,
                'g' => spread(mode >> 3) & who,
                'o' => spread(mode) & who,
                _ => return None,
            };
        }
        match operator {
            '+' => mode |= bits,
            '-' => mode &= !bits,
            _ => mode = (mode & !(who & 0o777)) | bits,
        }
        rest = &actions[next..];
    }
    Some(mode)
}

/// The three bits for everybody.
fn spread(bits: u32) -> u32 {
    let bits = bits & 7;
    bits << 6 | bits << 3 | bits
}

/// As `ls -l` shows it, without the kind.
pub(crate) fn shown(mode: u32) -> String {
    let mut text = String::with_capacity(9);
    for (shift, special, set) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (false, false) => '-',
            (false, true) => 'x',
            (true, true) => set,
            (true, false) => set.to_ascii_uppercase(),
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{changed, shown};

    #[test]
    fn modes_are_read_in_both_ways() {
        for (text, old, directory, new) in [
            ("755", 0o644, false, Some(0o755)),
            ("1777", 0, true, Some(0o1777)),
            ("+x", 0o644, false, Some(0o755)),
            ("u=rwx,go=r", 0o600, false, Some(0o744)),
            ("go-rwx", 0o777, false, Some(0o700)),
            ("a+X", 0o644, false, Some(0o644)),
            ("a+X", 0o644, true, Some(0o755)),
            ("g=u", 0o640, false, Some(0o660)),
            ("u+s", 0o755, false, Some(0o4755)),
            ("+t", 0o755, true, Some(0o1755)),
            ("u=", 0o755, false, Some(0o055)),
            ("u+r-w", 0o200, false, Some(0o400)),
            ("99", 0, false, None),
            ("77777", 0, false, None),
            ("u", 0, false, None),
            ("", 0, false, None),
            ("z+x", 0, false, None),
            ("u+é", 0, false, None),
        ] {
            assert_eq!(changed(text, old, directory), new, "{text}");
        }
    }

    #[test]
    fn modes_are_shown() {
        assert_eq!(shown(0o754), "rwxr-xr--");
        assert_eq!(shown(0o7000), "--S--S--T");
        assert_eq!(shown(0o4755), "rwsr-xr-x");
    }

    proptest::proptest! {
        #[test]
        fn no_mode_is_too_odd(text in ".*", old in 0_u32..0o10000) {
            let _ = changed(&text, old, false);
        }
    }
}

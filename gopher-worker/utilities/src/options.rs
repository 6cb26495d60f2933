//! Options of a utility, as POSIX and GNU write them: `-ab`, `-w 5`, `-w5`, `--wrap=5`, `--`.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    str::FromStr,
};

use crate::job::{Stop, usage};

/// What was given, in its order.
#[derive(Debug, Default)]
pub(crate) struct Options {
    given: Vec<(char, OsString)>,
    pub operands: Vec<OsString>,
}

/// `short` lists the letters, a colon after each that takes a value, and begins with `+` if options end at the first
/// operand. `long` maps long names to letters.
pub(crate) fn parse(arguments: &[OsString], short: &str, long: &[(&str, char)]) -> Result<Options, Stop> {
    let (ends, short) = short.strip_prefix('+').map_or((false, short), |rest| (true, rest));
    let takes = |letter: char| {
        let mut rest = short.chars().skip_while(move |c| *c != letter).skip(1);
        short.contains(letter).then(|| rest.next() == Some(':'))
    };
    let mut options = Options::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let bytes = word.as_bytes();
        if bytes == b"--" {
            options.operands.extend(words.cloned());
            break;
        }
        if let Some(rest) = bytes.strip_prefix(b"--") {
            let (name, mut value) = match rest.iter().position(|b| *b == b'=') {
                Some(at) => (&rest[..at], Some(OsStr::from_bytes(&rest[at + 1..]).to_owned())),
                None => (rest, None),
            };
            let shown = String::from_utf8_lossy(name);
            let Some((_, letter)) = long.iter().find(|(known, _)| *known == shown) else {
                return usage(format!("unknown option --{shown}"));
            };
            match (takes(*letter) == Some(true), &value) {
                (true, None) => value = words.next().cloned(),
                (false, Some(_)) => return usage(format!("option --{shown} takes no value")),
                _ => {}
            }
            if takes(*letter) == Some(true) && value.is_none() {
                return usage(format!("option --{shown} needs a value"));
            }
            options.given.push((*letter, value.unwrap_or_default()));
        } else if bytes.len() > 1 && bytes[0] == b'-' {
            let mut at = 1;
            while at < bytes.len() {
                let letter = char::from(bytes[at]);
                at += 1;
                let value = match takes(letter).filter(|_| letter != ':') {
                    None => return usage(format!("unknown option -{letter}")),
                    Some(false) => OsString::new(),
                    Some(true) => {
                        let rest = bytes[at..].to_vec();
                        at = bytes.len();
                        let attached = (!rest.is_empty()).then(|| OsString::from_vec(rest));
                        match attached.or_else(|| words.next().cloned()) {
                            Some(value) => value,
                            None => return usage(format!("option -{letter} needs a value")),
                        }
                    }
                };
                options.given.push((letter, value));
            }
        } else {
            options.operands.push(word.clone());
            if ends {
                options.operands.extend(words.cloned());
                break;
            }
        }
    }
    Ok(options)
}

impl Options {
    pub(crate) fn has(&self, letter: char) -> bool {
        self.given.iter().any(|(given, _)| *given == letter)
    }

    /// The value given last.
    pub(crate) fn value(&self, letter: char) -> Option<&OsStr> {
        self.values(letter).last()
    }

    pub(crate) fn values(&self, letter: char) -> impl Iterator<Item = &OsStr> {
        self.given.iter().filter(move |(given, _)| *given == letter).map(|(_, value)| value.as_os_str())
    }

    /// Which of these letters was given last.
    pub(crate) fn last_of(&self, letters: &str) -> Option<char> {
        self.given.iter().rev().map(|(given, _)| *given).find(|given| letters.contains(*given))
    }

    /// The value as a number.
    pub(crate) fn number<N: FromStr>(&self, letter: char) -> Result<Option<N>, Stop> {
        self.value(letter).map(|text| number(text, "number")).transpose()
    }
}

/// A number that somebody typed; `what` is what it should be.
pub(crate) fn number<N: FromStr>(text: &OsStr, what: &str) -> Result<N, Stop> {
    let parsed = text.to_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| Stop::Usage(format!("\"{}\" is no {what}", text.display())))
}

/// `-5` is `-n 5` to head and tail.
pub(crate) fn expand_count(arguments: &[OsString]) -> Vec<OsString> {
    let mut expanded = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match argument.as_bytes() {
            [b'-', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
                expanded.extend(["-n".into(), OsStr::from_bytes(digits).to_owned()]);
            }
            _ => expanded.push(argument.clone()),
        }
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn options_are_read_in_every_spelling() {
        for line in ["-d -w 5 f", "-dw5 f", "f -dw 5", "--decode --wrap=5 f", "--decode --wrap 5 -- f"] {
            let options = parse(&words(line), "dw:", &[("decode", 'd'), ("wrap", 'w')]).unwrap();
            assert!(options.has('d'), "{line}");
            assert_eq!(options.value('w').unwrap(), "5", "{line}");
            assert_eq!(options.operands, words("f"), "{line}");
        }
    }

    #[test]
    fn wrong_options_are_named() {
        for (line, sentence) in [
            ("-x", "unknown option -x"),
            ("--bad=1", "unknown option --bad"),
            ("-w", "option -w needs a value"),
            ("--decode=1", "option --decode takes no value"),
            ("-:", "unknown option -:"),
        ] {
            match parse(&words(line), "dw:", &[("decode", 'd'), ("wrap", 'w')]) {
                Err(Stop::Usage(said)) => assert_eq!(said, sentence),
                other => panic!("{line}: {other:?}"),
            }
        }
    }
}

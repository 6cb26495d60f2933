//! `%(format)T` of `printf`, which the shell's own has not: the times are put into the words before it sees them.

use std::fmt::Write as _;

use chrono::{DateTime, Local};

/// The words with their times as texts; none if the format has no time.
pub(super) fn expand(words: &[String]) -> Option<Vec<String>> {
    let at = match words.get(1).map(String::as_str) {
        Some("-v") => 3,
        Some("--") => 2,
        Some(word) if word.starts_with("-v") => 2,
        _ => 1,
    };
    let (format, times) = without_times(words.get(at)?)?;
    let mut expanded = words[..at].to_vec();
    expanded.push(format);
    let given = &words[at + 1..];
    // The format is used again until no word is left.
    let turns = given.len().div_ceil(times.len().max(1)).max(1);
    for index in 0..turns * times.len() {
        match (&times[index % times.len()], given.get(index)) {
            (Some(format), word) => expanded.push(told(format, word.map_or("-1", String::as_str))),
            (None, Some(word)) => expanded.push(word.clone()),
            (None, None) => expanded.push(String::new()),
        }
    }
    Some(expanded)
}

/// The format with `%s` for each time, and for every word that it takes the time's format, if it is a time.
fn without_times(format: &str) -> Option<(String, Vec<Option<String>>)> {
    let (mut plain, mut taken) = (String::new(), Vec::new());
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let (before, conversion) = rest.split_at(at);
        plain.push_str(before);
        let flags =
            conversion[1..].find(|c: char| !matches!(c, '-' | '+' | ' ' | '#' | '.' | '*') && !c.is_ascii_digit());
        let Some(length) = flags.map(|flags| flags + 1) else { break };
        plain.push_str(&conversion[..length]);
        rest = &conversion[length..];
        taken.extend(conversion[..length].matches('*').map(|_| None));
        if let Some((time, after)) = rest.strip_prefix('(').and_then(|text| text.split_once(")T")) {
            taken.push(Some(time.to_owned()));
            plain.push('s');
            rest = after;
        } else {
            let kind = rest.chars().next()?;
            plain.push(kind);
            rest = &rest[kind.len_utf8()..];
            if kind != '%' {
                taken.push(None);
            }
        }
    }
    plain.push_str(rest);
    taken.iter().any(Option::is_some).then_some((plain, taken))
}

/// A time in seconds of the epoch; negative ones, as in bash, are now.
fn told(format: &str, seconds: &str) -> String {
    let seconds = seconds.parse::<i64>().unwrap_or(0);
    let time = if seconds < 0 { Some(Local::now()) } else { DateTime::from_timestamp(seconds, 0).map(Into::into) };
    let format = if format.is_empty() { "%T" } else { format };
    let mut text = String::new();
    // What is no time, or no format, is left as it is.
    match time.map(|time| write!(text, "{}", time.format(format))) {
        Some(Ok(())) => text,
        _ => format.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(words: &[&str]) -> Option<Vec<String>> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        expand(&words)
    }

    #[test]
    fn times_become_texts_and_the_rest_stays() {
        let year = Local::now().format("%Y").to_string();
        assert_eq!(expanded(&["printf", "%s %d%%\\n", "a", "1"]), None);
        assert_eq!(expanded(&["printf"]), None);
        assert_eq!(expanded(&["printf", "%(%Y)T\\n", "-1"]).expect("a time"), ["printf", "%s\\n", &year]);
        assert_eq!(expanded(&["printf", "%(%Y)T"]).expect("a time"), ["printf", "%s", &year]);
        let twice = expanded(&["printf", "-v", "x", "%s=%-6(%Y)T;", "a", "-1", "b", "-1"]).expect("a time");
        assert_eq!(twice, ["printf", "-v", "x", "%s=%-6s;", "a", &year, "b", &year]);
        assert_eq!(expanded(&["printf", "%(%Q)T", "0"]).expect("a time"), ["printf", "%s", "%Q"]);
    }
}

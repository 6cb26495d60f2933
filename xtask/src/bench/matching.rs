//! Which command a message is, as `gopherd/config/benches/matching.rs` measures it.

use std::time::Duration;

use super::{figures::Row, sample::ratio};
use crate::step::{self, Failure};

/// What it prints as the name of a line, and what it is.
const LINES: [(&str, &str); 4] = [
    ("regex", "match of a regex among 1,000 commands / among 10"),
    ("regex-miss", "no match among 1,000 regexes / among 10"),
    ("simple", "match of a SimpleMatcher among 1,000 commands / 10"),
    ("simple-miss", "no match among 1,000 SimpleMatchers / among 10"),
];

pub(crate) fn rows() -> Result<Vec<Row>, Failure> {
    eprintln!("bench: match");
    let mut bench = step::cargo(&["bench", "--locked", "--quiet", "--package", "gopher-config", "--bench", "matching"]);
    let output = bench.output().map_err(|e| Failure::new(format!("{}: {e}", step::shown(&bench))))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("{} failed: {told}", step::shown(&bench))));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    LINES.into_iter().map(|(line, name)| row(&text, line, name)).collect()
}

fn row(text: &str, line: &str, name: &'static str) -> Result<Row, Failure> {
    let figures = text.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(' ')?.split_once(' '));
    let nanoseconds = |figure: &str| figure.parse().ok().map(Duration::from_nanos);
    let figures = figures.and_then(|(few, many)| Some((nanoseconds(few)?, nanoseconds(many)?)));
    let (few, many) =
        figures.ok_or_else(|| Failure::new(format!("the bench of matching printed no '{line}': {text}")))?;
    let ratio = ratio(many, few);
    Ok(Row {
        name,
        measured: format!("{:.2} us", many.as_secs_f64() * 1e6),
        ratio: format!("{ratio:.2}"),
        goal: "<= 1.5 x, 10 us",
        met: ratio <= 1.5 && many <= Duration::from_micros(10),
    })
}

#[cfg(test)]
mod tests {

    #[test]
    fn a_line_is_read_by_its_whole_name() {
        let text = "regex-miss 4 5\nregex 200 400\n";
        let row = |line| super::row(text, line, "").map(|row| (row.ratio, row.met));
        assert_eq!(row("regex").ok(), Some(("2.00".to_owned(), false)));
        assert_eq!(row("regex-miss").ok(), Some(("1.25".to_owned(), true)));
        assert!(row("simple").is_err());
    }
}

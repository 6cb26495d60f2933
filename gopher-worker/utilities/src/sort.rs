//! `sort`, the one utility that holds its input.

use std::{
    cmp::Ordering,
    ffi::{OsStr, OsString},
    fs::File,
    io::{BufWriter, Write},
    os::unix::ffi::OsStrExt,
};

use crate::{
    job::{Job, Outcome, Stop, bare, next_line},
    options::{Options, number, parse},
};

/// How lines compare.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
struct Order {
    numeric: bool,
    reverse: bool,
    fold: bool,
    blanks: bool,
    /// First and last field, from 1.
    key: Option<(usize, Option<usize>)>,
    separator: Option<u8>,
}

const LONG: &[(&str, char)] = &[
    ("reverse", 'r'),
    ("numeric-sort", 'n'),
    ("unique", 'u'),
    ("key", 'k'),
    ("field-separator", 't'),
    ("output", 'o'),
    ("ignore-case", 'f'),
    ("ignore-leading-blanks", 'b'),
];

pub(crate) fn sort(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "bfnruk:t:o:", LONG)?;
    let order = Order::new(&options)?;
    let mut lines: Vec<Vec<u8>> = Vec::new();
    job.inputs(&options.operands, |_, input, _| {
        let mut line = Vec::new();
        while next_line(input, &mut line, b'\n')? {
            lines.push(bare(&line).to_vec());
        }
        Ok(())
    })?;
    if job.status > 0 {
        job.status = 2;
        return Ok(());
    }
    let unique = options.has('u');
    // Equal keys fall back to the bytes, unless only one of them is kept.
    lines.sort_by(|a, b| {
        order.compare(a, b).then_with(|| match (unique, order.reverse) {
            (true, _) => Ordering::Equal,
            (false, true) => b.cmp(a),
            (false, false) => a.cmp(b),
        })
    });
    if unique {
        lines.dedup_by(|a, b| order.compare(a, b) == Ordering::Equal);
    }
    let Some(file) = options.value('o') else {
        return write(&lines, job.stdout);
    };
    match File::create(job.resolve(file)) {
        Ok(opened) => write(&lines, &mut BufWriter::new(opened)),
        Err(error) => {
            job.complain(file, &error);
            job.status = 2;
            Ok(())
        }
    }
}

fn write(lines: &[Vec<u8>], output: &mut dyn Write) -> Outcome {
    for line in lines {
        output.write_all(line)?;
        output.write_all(b"\n")?;
    }
    Ok(output.flush()?)
}

impl Order {
    fn new(options: &Options) -> Result<Self, Stop> {
        let mut order = Self {
            numeric: options.has('n'),
            reverse: options.has('r'),
            fold: options.has('f'),
            blanks: options.has('b'),
            key: None,
            separator: None,
        };
        if let Some(key) = options.value('k') {
            let text = key.to_string_lossy();
            // Letters after the fields are the same flags again.
            for letter in text.chars().filter(char::is_ascii_alphabetic) {
                match letter {
                    'n' => order.numeric = true,
                    'r' => order.reverse = true,
                    'f' => order.fold = true,
                    'b' => order.blanks = true,
                    _ => return Err(Stop::Usage(format!("\"{text}\" is no sort key"))),
                }
            }
            let mut fields = text.split(',').map(|field| field.trim_end_matches(|c: char| c.is_ascii_alphabetic()));
            let first = number(OsStr::new(fields.next().unwrap_or_default()), "field number")?;
            let last = fields.next().map(|last| number(OsStr::new(last), "field number")).transpose()?;
            order.key = Some((first, last));
        }
        order.separator = match options.value('t').map(OsStr::as_bytes) {
            None => None,
            Some([one]) => Some(*one),
            Some(_) => return Err(Stop::Usage("the separator of fields is one character".into())),
        };
        Ok(order)
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let (a, b) = (self.part(a), self.part(b));
        let order = if self.numeric {
            value(a).total_cmp(&value(b))
        } else if self.fold {
            a.to_ascii_uppercase().cmp(&b.to_ascii_uppercase())
        } else {
            a.cmp(b)
        };
        if self.reverse { order.reverse() } else { order }
    }

    /// The part of a line that is compared.
    fn part<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        let part = match self.key {
            None => line,
            Some((first, last)) => {
                let starts = self.starts(line);
                let begin = starts.get(first.max(1) - 1).copied().unwrap_or(line.len());
                let end = last
                    .and_then(|last| starts.get(last).copied())
                    .map_or(line.len(), |next| if self.separator.is_some() { next - 1 } else { next });
                &line[begin..end.max(begin)]
            }
        };
        if self.blanks { part.trim_ascii_start() } else { part }
    }

    /// Where the fields begin; without a separator the blanks before a field are its own.
    fn starts(&self, line: &[u8]) -> Vec<usize> {
        let mut starts = vec![0];
        for (at, byte) in line.iter().enumerate() {
            match self.separator {
                Some(separator) if *byte == separator => starts.push(at + 1),
                None if at > 0 && byte.is_ascii_whitespace() && !line[at - 1].is_ascii_whitespace() => starts.push(at),
                _ => {}
            }
        }
        starts
    }
}

/// The number a text begins with, or 0.
fn value(text: &[u8]) -> f64 {
    let text = text.trim_ascii_start();
    let (mut end, mut dot) = (0, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'-' if at == 0 => {}
            b'.' if !dot => dot = true,
            b'0'..=b'9' => end = at + 1,
            _ => break,
        }
    }
    std::str::from_utf8(&text[..end]).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use crate::testing::{Case, compare, table};

    #[test]
    fn lines_are_sorted() {
        table(&[
            ("sort a b", "", "one\nthree\ntwo\nx y\n", 0),
            ("sort -r a", "", "two\nthree\none\n", 0),
            ("sort -n", "10\n9\n-1.5\nx\n", "-1.5\nx\n9\n10\n", 0),
            ("sort -u", "b\na\nb", "a\nb\n", 0),
            ("sort -k2", "a 2\nb 1\n", "b 1\na 2\n", 0),
            ("sort -t: -k2,2n", "a:10\nb:9\n", "b:9\na:10\n", 0),
            ("sort -f", "b\nA\nB\na\n", "A\na\nB\nb\n", 0),
            ("sort none", "", "", 2),
            ("sort -k x", "", "", 2),
        ]);
    }

    #[test]
    fn the_output_may_be_an_input() {
        let case = Case::line("sort -o f f").file("f", "b\na\n");
        assert_eq!(case.run().status, 0);
        assert_eq!(case.then("cat f").stdout, "a\nb\n");
    }

    #[test]
    fn it_agrees_with_the_system() {
        compare(&[
            ("sort a", ""),
            ("sort -rn", "3\n20\n1\n"),
            ("sort -k2,2 -t,", "a,z,1\nb,a,2\nc\n"),
            ("sort -k 2", "a  z\nb y\n"),
            ("sort -u -n", "1\n01\n2\n"),
            ("sort -f", "b\nA\nB\na\n"),
        ]);
    }
}

//! `head`.

use std::{
    ffi::OsString,
    io::{BufRead, Read, Write},
};

use crate::{
    job::{Job, Outcome, next_line, pass},
    options::{expand_count, parse},
};

pub(crate) fn head(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(&expand_count(arguments), "n:c:q", &[("lines", 'n'), ("bytes", 'c')])?;
    let lines = options.number('n')?.unwrap_or(10);
    let bytes: Option<u64> = options.number('c')?;
    let titles = options.operands.len() > 1 && !options.has('q');
    let mut first = true;
    job.inputs(&options.operands, |name, input, output| {
        if titles {
            title(name, &mut first, output)?;
        }
        match bytes {
            Some(count) => pass(&mut input.take(count), output),
            None => first_lines(input, lines, output),
        }
    })
}

/// Which of several files is shown.
pub(crate) fn title(name: &std::ffi::OsStr, first: &mut bool, output: &mut dyn Write) -> std::io::Result<()> {
    let gap = if std::mem::take(first) { "" } else { "\n" };
    let shown = if name == "-" { "standard input".into() } else { name.to_string_lossy() };
    writeln!(output, "{gap}==> {shown} <==")
}

fn first_lines(input: &mut dyn BufRead, count: u64, output: &mut dyn Write) -> Outcome {
    let mut line = Vec::new();
    for _ in 0..count {
        if !next_line(input, &mut line, b'\n')? {
            break;
        }
        output.write_all(&line)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{compare, table};

    #[test]
    fn the_first_lines_or_bytes_are_shown() {
        table(&[
            ("head -n 2 a", "", "one\ntwo\n", 0),
            ("head -2", "1\n2\n3\n", "1\n2\n", 0),
            ("head -c 3 a", "", "one", 0),
            ("head -n 0 a", "", "", 0),
            ("head -n x a", "", "", 2),
            ("head -1 a b", "", "==> a <==\none\n\n==> b <==\nx y\n", 0),
            ("head none", "", "", 1),
        ]);
    }

    #[test]
    fn it_agrees_with_the_system() {
        compare(&[("head a", ""), ("head -1 a b", ""), ("head -n1 -", "x\ny"), ("head -c4 a b", "")]);
    }
}

//! `tail`, without following.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    io::{BufRead, Read, Write},
    os::unix::ffi::OsStrExt,
};

use crate::{
    head::title,
    job::{Job, Outcome, Stop, next_line, pass},
    options::{expand_count, number, parse},
};

/// Where the tail begins.
#[derive(Clone, Copy)]
enum Start {
    /// So many before the end.
    Last(usize),
    /// At that one, counted from 1.
    From(u64),
}

pub(crate) fn tail(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(&expand_count(arguments), "n:c:q", &[("lines", 'n'), ("bytes", 'c')])?;
    let lines = options.value('n').map(start).transpose()?.unwrap_or(Start::Last(10));
    let bytes = options.value('c').map(start).transpose()?;
    let titles = options.operands.len() > 1 && !options.has('q');
    let mut first = true;
    job.inputs(&options.operands, |name, input, output| {
        if titles {
            title(name, &mut first, output)?;
        }
        match (bytes, lines) {
            (Some(Start::Last(count)), _) => last_bytes(input, count, output),
            (Some(Start::From(place)), _) => {
                pass(&mut input.take(place.saturating_sub(1)), &mut std::io::sink())?;
                pass(input, output)
            }
            (None, Start::Last(count)) => last_lines(input, count, output),
            (None, Start::From(place)) => {
                let mut line = Vec::new();
                for _ in 1..place {
                    if !next_line(input, &mut line, b'\n')? {
                        break;
                    }
                }
                pass(input, output)
            }
        }
    })
}

fn start(text: &OsStr) -> Result<Start, Stop> {
    match text.as_bytes() {
        [b'+', rest @ ..] => Ok(Start::From(number(OsStr::from_bytes(rest), "number")?)),
        [b'-', rest @ ..] => Ok(Start::Last(number(OsStr::from_bytes(rest), "number")?)),
        _ => Ok(Start::Last(number(text, "number")?)),
    }
}

fn last_lines(input: &mut dyn BufRead, count: usize, output: &mut dyn Write) -> Outcome {
    let mut kept: VecDeque<Vec<u8>> = VecDeque::new();
    let mut line = Vec::new();
    while next_line(input, &mut line, b'\n')? {
        kept.push_back(std::mem::take(&mut line));
        if kept.len() > count {
            line = kept.pop_front().unwrap_or_default();
        }
    }
    kept.iter().try_for_each(|line| output.write_all(line))?;
    Ok(())
}

fn last_bytes(input: &mut dyn BufRead, count: usize, output: &mut dyn Write) -> Outcome {
    let mut kept: VecDeque<u8> = VecDeque::new();
    loop {
        let chunk = input.fill_buf().map_err(Stop::Input)?;
        if chunk.is_empty() {
            break;
        }
        kept.extend(&chunk[chunk.len().saturating_sub(count)..]);
        kept.drain(..kept.len().saturating_sub(count));
        let used = chunk.len();
        input.consume(used);
    }
    output.write_all(kept.make_contiguous())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{compare, table};

    #[test]
    fn the_last_lines_or_bytes_are_shown() {
        table(&[
            ("tail -n 2 a", "", "two\nthree\n", 0),
            ("tail -1", "1\n2", "2", 0),
            ("tail -n +2 a", "", "two\nthree\n", 0),
            ("tail -c 4 a", "", "ree\n", 0),
            ("tail -c +13 a", "", "e\n", 0),
            ("tail -n 0 a", "", "", 0),
            ("tail -n z a", "", "", 2),
        ]);
    }

    #[test]
    fn it_agrees_with_the_system() {
        compare(&[("tail a", ""), ("tail -n1 a b", ""), ("tail -n +1", "x\ny"), ("tail -c2 a", "")]);
    }
}

//! `uniq`.

use std::ffi::OsString;

use crate::{
    job::{Job, Outcome, bare, next_line, usage},
    options::parse,
};

pub(crate) fn uniq(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "cdu", &[("count", 'c'), ("repeated", 'd'), ("unique", 'u')])?;
    if options.operands.len() > 1 {
        return usage("more than one file is named");
    }
    let (count, repeated, unique) = (options.has('c'), options.has('d'), options.has('u'));
    job.inputs(&options.operands, |_, input, output| {
        let mut show = |line: &[u8], times: u64| {
            if (repeated && times < 2) || (unique && times > 1) || times == 0 {
                return Ok(());
            }
            if count {
                write!(output, "{times:7} ")?;
            }
            output.write_all(line)?;
            output.write_all(b"\n")
        };
        let (mut last, mut times, mut line) = (Vec::new(), 0, Vec::new());
        while next_line(input, &mut line, b'\n')? {
            if times > 0 && bare(&line) == last {
                times += 1;
            } else {
                show(&last, times)?;
                last = bare(&line).to_vec();
                times = 1;
            }
        }
        Ok(show(&last, times)?)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{compare, table};

    #[test]
    fn equal_neighbours_become_one() {
        table(&[
            ("uniq", "a\na\nb\na\n", "a\nb\na\n", 0),
            ("uniq -c", "a\na\nb", "      2 a\n      1 b\n", 0),
            ("uniq -d", "a\na\nb\n", "a\n", 0),
            ("uniq -u", "a\na\nb\n", "b\n", 0),
            ("uniq", "", "", 0),
            ("uniq", "\n\na\n", "\na\n", 0),
            ("uniq none", "", "", 1),
            ("uniq a b", "", "", 2),
        ]);
    }

    #[test]
    fn it_agrees_with_the_system() {
        compare(&[("uniq -c", "a\na\nb\n"), ("uniq -d -c", "a\na\nb\n"), ("uniq", "x\nx")]);
    }
}

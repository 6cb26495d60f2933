//! `wc`: counts only, one line an input. An unterminated last line counts.

use std::ffi::OsString;

use crate::{
    job::{Job, Outcome, next_line},
    options::parse,
};

pub(crate) fn wc(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "lwc", &[("lines", 'l'), ("words", 'w'), ("bytes", 'c')])?;
    // Without options it counts lines, as the reference does.
    let shown = ["l", "w", "c"].map(|letter| options.last_of(letter).is_some());
    let shown = if shown.contains(&true) { shown } else { [true, false, false] };
    job.inputs(&options.operands, |name, input, output| {
        let mut counts = [0_usize; 3];
        let mut line = Vec::new();
        while next_line(input, &mut line, b'\n')? {
            counts[0] += 1;
            counts[1] += line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
            counts[2] += line.len();
        }
        let mut words: Vec<_> = (0..3).filter(|i| shown[*i]).map(|i| counts[i].to_string()).collect();
        if name != "-" {
            words.push(name.to_string_lossy().into_owned());
        }
        Ok(writeln!(output, "{}", words.join(" "))?)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{compare, table};

    #[test]
    fn each_input_has_its_line_of_counts() {
        table(&[
            ("wc -l a b", "", "3 a\n1 b\n", 0),
            ("wc", "x\ny", "2\n", 0),
            ("wc -w b", "", "2 b\n", 0),
            ("wc -lwc a", "", "3 3 14 a\n", 0),
            ("wc -l", "", "0\n", 0),
            ("wc -l none", "", "", 1),
        ]);
    }

    #[test]
    fn it_agrees_with_the_system() {
        compare(&[("wc -l a", ""), ("wc -c", "abc"), ("wc -w", "a b\n\n c"), ("wc -l", "1\n2\n")]);
    }
}

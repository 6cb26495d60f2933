//! `seq`, `sleep` and `yes`.

use std::{ffi::OsString, os::unix::ffi::OsStrExt, time::Duration};

use crate::{
    job::{Job, Outcome, Stop, usage},
    options::number,
};

pub(crate) fn seq(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let places = |text: &OsString| text.to_str().and_then(|t| t.split_once('.')).map_or(0, |(_, digits)| digits.len());
    let real = |text: &OsString| -> Result<f64, Stop> {
        number::<f64>(text, "number")
            .and_then(|value| if value.is_finite() { Ok(value) } else { usage(format!("{value} is no end")) })
    };
    let (first, increment, last) = match arguments {
        [last] => (1.0, 1.0, real(last)?),
        [first, last] => (real(first)?, 1.0, real(last)?),
        [first, increment, last] => (real(first)?, real(increment)?, real(last)?),
        _ => return usage(format!("{} numbers are given, not 1 to 3", arguments.len())),
    };
    if increment == 0.0 {
        return usage("the increment is 0");
    }
    let precision = arguments.iter().take(2.min(arguments.len().saturating_sub(1))).map(places).max().unwrap_or(0);
    let mut step = 0.0;
    loop {
        // Multiplied, not added up, so that errors do not.
        let value = first + step * increment;
        let beyond = if increment > 0.0 { value - last } else { last - value };
        if beyond > increment.abs() * 1e-9 {
            return Ok(());
        }
        writeln!(job.stdout, "{value:.precision$}")?;
        step += 1.0;
    }
}

pub(crate) fn sleep(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let [text] = arguments else {
        return usage("one number of seconds is needed");
    };
    let seconds: f64 = number(text, "number of seconds")?;
    let Ok(time) = Duration::try_from_secs_f64(seconds) else {
        return usage(format!("{seconds} is no number of seconds"));
    };
    job.stdout.flush()?;
    std::thread::sleep(time);
    Ok(())
}

pub(crate) fn yes(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let words: Vec<&[u8]> = arguments.iter().map(|word| word.as_bytes()).collect();
    let mut line = if words.is_empty() { b"y".to_vec() } else { words.join(&b' ') };
    line.push(b'\n');
    loop {
        job.stdout.write_all(&line)?;
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{compare, table};

    #[test]
    fn numbers_are_counted_up_and_down() {
        table(&[
            ("seq 3", "", "1\n2\n3\n", 0),
            ("seq 2 3", "", "2\n3\n", 0),
            ("seq 3 -1 1", "", "3\n2\n1\n", 0),
            ("seq 0 .5 1", "", "0.0\n0.5\n1.0\n", 0),
            ("seq 0 0.1 0.3", "", "0.0\n0.1\n0.2\n0.3\n", 0),
            ("seq 2 1", "", "", 0),
            ("seq 1 0 2", "", "", 2),
            ("seq x", "", "", 2),
            ("seq", "", "", 2),
            ("sleep 0.01", "", "", 0),
            ("sleep -1", "", "", 2),
            ("sleep", "", "", 2),
        ]);
    }

    #[test]
    fn it_agrees_with_the_system() {
        compare(&[("seq 5", ""), ("seq 10 -3 1", ""), ("seq 1 0.5 3", ""), ("seq -2 2", ""), ("seq 9 11", "")]);
    }
}

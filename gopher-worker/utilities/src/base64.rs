//! `base64`.

use std::{
    ffi::OsString,
    io::{BufRead, Read, Write},
};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

use crate::{
    job::{Job, Outcome, Stop, usage},
    options::parse,
};

/// Bytes coded at a time, which is whole groups of three.
const CHUNK: usize = 48 * 1024;

pub(crate) fn base64(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let long = [("decode", 'd'), ("wrap", 'w'), ("ignore-garbage", 'i')];
    let options = parse(arguments, "dDiw:", &long)?;
    if options.operands.len() > 1 {
        return usage("more than one file is named");
    }
    let columns = options.number('w')?.unwrap_or(76);
    let (decode, garbage) = (options.last_of("dD").is_some(), options.has('i'));
    job.inputs(
        &options.operands,
        |_, input, output| {
            if decode { read(input, output, garbage) } else { write(input, output, columns) }
        },
    )
}

fn write(input: &mut dyn BufRead, output: &mut dyn Write, columns: usize) -> Outcome {
    let mut column = 0;
    loop {
        let mut chunk = Vec::new();
        (&mut *input).take(CHUNK as u64).read_to_end(&mut chunk).map_err(Stop::Input)?;
        if chunk.is_empty() {
            break;
        }
        let text = STANDARD.encode(&chunk);
        let mut rest = text.as_bytes();
        if columns == 0 {
            output.write_all(rest)?;
            continue;
        }
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(columns - column));
            output.write_all(line)?;
            column += line.len();
            rest = more;
            if column == columns {
                output.write_all(b"\n")?;
                column = 0;
            }
        }
    }
    if column > 0 {
        output.write_all(b"\n")?;
    }
    Ok(())
}

fn read(input: &mut dyn BufRead, output: &mut dyn Write, garbage: bool) -> Outcome {
    let lax = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, lax);
    let mut waiting: Vec<u8> = Vec::new();
    loop {
        let chunk = input.fill_buf().map_err(Stop::Input)?;
        let (count, last) = (chunk.len(), chunk.is_empty());
        waiting.extend(chunk.iter().filter(|byte| {
            !byte.is_ascii_whitespace() && (!garbage || byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
        }));
        input.consume(count);
        // Padding ends the text, so a group that may be the last waits.
        let whole = if last { waiting.len() } else { waiting.len().saturating_sub(4) / 4 * 4 };
        let decoded =
            engine.decode(&waiting[..whole]).map_err(|_| Stop::Failed("the input is not base64".into(), 1))?;
        output.write_all(&decoded)?;
        waiting.drain(..whole);
        if last {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Case, compare, table};

    #[test]
    fn bytes_are_coded_and_decoded() {
        table(&[
            ("base64 b", "", "eCB5Cg==\n", 0),
            ("base64 -w 4", "abcdef", "YWJj\nZGVm\n", 0),
            ("base64 -w0", "abc", "YWJj", 0),
            ("base64 -d", "YWJj\nZGVm\n", "abcdef", 0),
            ("base64 -d", "YQ", "a", 0),
            ("base64 -d", "Y!Q==", "", 1),
            ("base64 -di", "Y!Q==", "a", 0),
            ("base64 -d", "", "", 0),
            ("base64", "", "", 0),
            ("base64 none", "", "", 1),
            ("base64 a b", "", "", 2),
        ]);
    }

    #[test]
    fn it_agrees_with_the_system() {
        compare(&[("base64 a", ""), ("base64", &"long ".repeat(100)), ("base64 -w 10 a", ""), ("base64 -d", "YWJj\n")]);
    }

    proptest::proptest! {
        #[test]
        fn what_is_coded_is_decoded(bytes: Vec<u8>, columns in 0_usize..90) {
            let coded = Case::line(&format!("base64 -w {columns}")).input(&bytes).run();
            assert_eq!(Case::line("base64 -d").input(&coded.bytes).run().bytes, bytes);
        }

        #[test]
        fn nothing_upsets_the_decoder(bytes: Vec<u8>) {
            assert!(Case::line("base64 -d").input(&bytes).run().status < 2);
        }
    }
}

//! `tr` over characters: no ranges and no classes.

use std::{collections::HashMap, ffi::OsString};

use crate::{
    job::{Job, Outcome, Stop, next_line, usage},
    options::parse,
};

pub(crate) fn tr(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "d", &[("delete", 'd')])?;
    let map: HashMap<char, Option<char>> = match (options.has('d'), options.operands.as_slice()) {
        (true, [set]) => characters(set)?.into_iter().map(|from| (from, None)).collect(),
        (false, [from, to]) => {
            let to = characters(to)?;
            let Some(last) = to.last().copied() else {
                return usage("the second set is empty");
            };
            // The first mention of a character counts.
            let from = characters(from)?.into_iter().enumerate();
            from.rev().map(|(at, from)| (from, Some(to.get(at).copied().unwrap_or(last)))).collect()
        }
        (delete, sets) => {
            return usage(format!("{} sets are given, not {}", sets.len(), if delete { 1 } else { 2 }));
        }
    };
    job.inputs(&[], |_, input, output| {
        let (mut line, mut encoded) = (Vec::new(), [0; 4]);
        while next_line(input, &mut line, b'\n')? {
            for chunk in line.utf8_chunks() {
                for character in chunk.valid().chars() {
                    if let Some(character) = map.get(&character).copied().unwrap_or(Some(character)) {
                        output.write_all(character.encode_utf8(&mut encoded).as_bytes())?;
                    }
                }
                output.write_all(chunk.invalid())?;
            }
        }
        Ok(())
    })
}

fn characters(set: &OsString) -> Result<Vec<char>, Stop> {
    let text = set.to_str().ok_or_else(|| Stop::Usage(format!("\"{}\" is not UTF-8", set.display())))?;
    let mut found = Vec::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        found.push(match character {
            '\\' => match rest.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::testing::{Case, compare, table};

    #[test]
    fn characters_are_replaced_and_deleted() {
        table(&[
            ("tr abc xyz", "aabbcc\n", "xxyyzz\n", 0),
            ("tr abc x", "abcd", "xxxd", 0),
            ("tr -d \\n", "a\nb\n", "ab", 0),
            ("tr , \\n", "a,b", "a\nb", 0),
            ("tr a-c xyz", "a-bc", "xybz", 0),
            ("tr ä ö", "äa", "öa", 0),
            ("tr a", "", "", 2),
            ("tr -d a b", "", "", 2),
        ]);
        assert_eq!(Case::line("tr a b").input(b"a\xffa").run().bytes, b"b\xffb");
    }

    #[test]
    fn it_agrees_with_the_system() {
        compare(&[("tr ab xy", "abc\n"), ("tr -d b", "abc\n"), ("tr abc x", "abcd\n")]);
    }
}

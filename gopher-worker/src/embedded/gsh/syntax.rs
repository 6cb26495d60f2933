//! Reading a script without running it.

use brush_core::parser::ParseError;
use brush_parser::{Parser, ParserOptions};

use super::problem;
use crate::syntax::Fault;

pub(in crate::embedded) fn parse(source: &[u8]) -> Vec<Fault> {
    let text = String::from_utf8_lossy(source);
    let parsed = Parser::new(text.as_bytes(), &ParserOptions::default()).parse_program();
    parsed.err().map(|error| fault(&error, source)).into_iter().collect()
}

fn fault(error: &ParseError, source: &[u8]) -> Fault {
    let (place, message) = problem::place_and_message(error, source);
    let number = |n: usize| u32::try_from(n).ok();
    Fault {
        message,
        line: place.and_then(|(line, _)| number(line)),
        column: place.and_then(|(_, column)| number(column?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_has_its_place_and_nothing_is_run() {
        assert_eq!(parse(b"touch /tmp/never; exit 3\nif true; then echo; fi\n"), []);
        let placed = |source: &[u8]| parse(source).into_iter().map(|f| (f.line, f.column)).collect::<Vec<_>>();
        assert_eq!(placed(b"echo a\nif true; done\n"), [(Some(2), Some(14))]);
        assert_eq!(placed(b"echo a\nif true; then\n"), [(Some(3), None)]);
    }
}

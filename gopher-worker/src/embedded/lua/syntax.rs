//! Reading a script without running it.

use mlua::{Error, Lua, LuaOptions, StdLib, chunk::ChunkMode};

use crate::syntax::Fault;

/// What the interpreter calls the script in its messages.
const NAME: &str = "script";

pub(in crate::embedded) fn parse(source: &[u8]) -> Vec<Fault> {
    let read = Lua::new_with(StdLib::NONE, LuaOptions::default()).and_then(|lua| {
        lua.load(source).set_name(format!("={NAME}")).set_mode(ChunkMode::Text).into_function().map(drop)
    });
    match read {
        Ok(()) => Vec::new(),
        Err(Error::SyntaxError { message, .. }) => vec![fault(&message)],
        Err(other) => vec![Fault { message: other.to_string(), line: None, column: None }],
    }
}

/// `script:3: unexpected symbol near '='`
fn fault(message: &str) -> Fault {
    let placed =
        message.strip_prefix(NAME).and_then(|rest| rest.strip_prefix(':')).and_then(|rest| rest.split_once(": "));
    match placed.and_then(|(line, text)| Some((line.parse().ok()?, text))) {
        Some((line, text)) => Fault { message: text.to_owned(), line: Some(line), column: None },
        None => Fault { message: message.to_owned(), line: None, column: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_told_with_its_line() {
        assert_eq!(parse(b"os.exit(1)\nerror('never run')\n"), []);
        assert_eq!(parse(b""), []);
        let found = parse(b"local a = 1\nif a then\n  b = = 2\nend\n");
        assert_eq!((found.len(), found[0].line), (1, Some(3)));
        assert!(found[0].message.starts_with("unexpected symbol near '='"), "{found:?}");
        let found = parse(b"function f()\n");
        assert!(found[0].message.contains("'end' expected"), "{found:?}");
        assert!(!parse(b"\x1bLua").is_empty(), "bytecode is no script");
    }
}

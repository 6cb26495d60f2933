//! Reading a script without running it.

use rquickjs::{CaughtError, Context, Error, Runtime, Value, context::EvalOptions};

use super::STACK;
use crate::syntax::Fault;

/// What the interpreter calls the script in its messages.
const NAME: &str = "script";
/// A program is read as a whole before its first statement runs; this one ends it there.
const FIRST: &str = "throw 0;\n";

pub(in crate::embedded) fn parse(source: &[u8]) -> Vec<Fault> {
    match read(source) {
        Ok(found) => found.into_iter().collect(),
        Err(error) => vec![Fault { message: error.to_string(), line: None, column: None }],
    }
}

fn read(source: &[u8]) -> Result<Option<Fault>, Error> {
    let runtime = Runtime::new()?;
    runtime.set_max_stack_size(STACK);
    Context::full(&runtime)?.with(|ctx| {
        let mut text = FIRST.as_bytes().to_vec();
        // A first line for the system is none of the program's.
        text.extend_from_slice(if source.starts_with(b"#!") { b"//" } else { b"" });
        text.extend_from_slice(source);
        let mut options = EvalOptions::default();
        options.filename = Some(NAME.to_owned());
        let caught = match ctx.eval_with_options::<Value<'_>, _>(text, options) {
            Ok(_) => return Ok(None),
            Err(error) => CaughtError::from_error(&ctx, error),
        };
        Ok(match caught {
            CaughtError::Value(_) => None,
            CaughtError::Exception(exception) => {
                let (line, column) = exception.stack().as_deref().and_then(place).unzip();
                Some(Fault { message: exception.message().unwrap_or_default(), line, column })
            }
            CaughtError::Error(Error::InvalidString(_)) => {
                Some(Fault { message: "it holds a NUL character".to_owned(), line: None, column: None })
            }
            CaughtError::Error(error) => return Err(error),
        })
    })
}

/// `at script:4:7`, in the lines of its author.
fn place(stack: &str) -> Option<(u32, u32)> {
    let (_, place) = stack.lines().next()?.rsplit_once(&format!("{NAME}:"))?;
    let (line, column) = place.trim_end_matches(')').split_once(':')?;
    let line: u32 = line.parse().ok()?;
    Some((line.saturating_sub(1).max(1), column.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_told_with_its_place() {
        for good in [
            "#!/usr/bin/env node\nprocess.exit(1); undefined.x",
            "",
            "let x = 1; function f() { while (true) {} } f();",
            "const throw0 = 1;",
        ] {
            assert_eq!(parse(good.as_bytes()), [], "{good}");
        }
        let found = parse(b"const a = 1;\nfunction f() {\n  return a +;\n}\n");
        assert_eq!((found[0].line, found[0].column), (Some(3), Some(13)), "{found:?}");
        assert!(!found[0].message.is_empty());
        assert_eq!(parse(b"with (a) {}")[0].line, Some(1), "strict mode");
        assert_eq!(parse(b"let a; let a;").len(), 1);
        assert_eq!(parse(b"import x from 'y';").len(), 1);
        assert_eq!(parse(b"a = '\0").len(), 1);
    }
}

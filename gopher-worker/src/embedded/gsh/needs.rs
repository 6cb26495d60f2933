//! What a script needs beside the thread that it runs on: most only decide what the robot is to say.

use brush_core::parser::ast::{CommandPrefixOrSuffixItem, SimpleCommand};
use gopher_utilities::utility;

use super::commands;

/// From little to much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Needs {
    #[default]
    Nothing,
    /// Parts of it run side by side, or wait in a way that lets others go on.
    Threads,
    /// It starts programs, or works on its own process.
    Process,
}

/// The shell's own commands that work on the shell alone.
const PLAIN: [&str; 35] = [
    ".",
    ":",
    "MessageFormat",
    "[",
    "break",
    "caller",
    "cd",
    "continue",
    "declare",
    "dirs",
    "echo",
    "exit",
    "export",
    "false",
    "getopts",
    "let",
    "local",
    "message-format",
    "message_format",
    "messageformat",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "test",
    "true",
    "type",
    "typeset",
    "unset",
];

/// What a command needs that is no function. Its name is as it is written: one that is put together may be any program.
pub(super) fn of_command(command: &SimpleCommand, name: &str) -> Needs {
    match name {
        "." | "source" if !is_library(command) => Needs::Process,
        "read" | "mapfile" | "readarray" => Needs::Threads,
        "find" | "xargs" => Needs::Process,
        _ if PLAIN.binary_search(&name).is_ok() || utility(name).is_some() || commands::find(name).is_some() => {
            Needs::Nothing
        }
        _ => Needs::Process,
    }
}

/// Whether a file that is sourced is the library whose commands this shell has anyway, wherever it is.
fn is_library(command: &SimpleCommand) -> bool {
    let first = command.suffix.as_ref().and_then(|suffix| suffix.0.first());
    let Some(CommandPrefixOrSuffixItem::Word(path)) = first else { return false };
    let path = path.value.trim_matches('"');
    ["/gopherbot_v1.sh", "/gopherbot_v1.gsh"].iter().any(|library| path.ends_with(library))
}

/// What a script's text needs of which `known` command substitutions are known already: there may be others where
/// only the shell finds them, in an arithmetic expression say.
pub(super) fn of_text(text: &str, known: usize) -> Needs {
    let arithmetic = text.matches("$((").count();
    let others = text.matches("$(").count() - arithmetic;
    if others == known && !text.contains('`') { Needs::Nothing } else { Needs::Process }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_commands_are_sorted() {
        assert!(PLAIN.is_sorted());
    }
}

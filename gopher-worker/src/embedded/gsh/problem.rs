//! What the shell says of an error: which file, which line.

use std::io::ErrorKind;

use brush_core::{
    Error, Shell, ShellExtensions,
    callstack::FrameType,
    extensions::{ErrorFormatter, ShellExtensionsImpl},
    parser::ParseError,
};
use tokio::runtime::is_rt_shutdown_err;

use super::context::Context;

/// The kind of shell that runs here.
pub(super) type Extensions = ShellExtensionsImpl<Located>;

/// The words of this shell are text, other bytes only pass through pipes and files.
const NO_TEXT: &str = "what a command has printed here is not UTF-8: make it text first, with `base64` say";

/// A script whose text starts nothing does not either by what it evaluates.
const NOT_WRITTEN: &str = "what is evaluated here asks for a command that the script does not, so it is not run";

/// Tells errors with their place.
#[derive(Debug, Clone, Default)]
pub(super) struct Located;

impl ErrorFormatter for Located {
    fn format_error(&self, error: &Error, shell: &Shell<impl ShellExtensions>) -> String {
        if error.as_io_error().is_some_and(|error| error.kind() == ErrorKind::InvalidData) {
            return format!("{}: {NO_TEXT}\n", place(shell));
        }
        if error.as_io_error().is_some_and(is_rt_shutdown_err) {
            return format!("{}: {NOT_WRITTEN}\n", place(shell));
        }
        format!("{}: {error}\n", place(shell))
    }
}

/// The file and line of the command that runs.
pub(super) fn place(shell: &Shell<impl ShellExtensions>) -> String {
    let stack = shell.call_stack();
    let line = stack.current_frame().and_then(brush_core::callstack::Frame::current_line);
    let sourced = stack.iter().find_map(|frame| match &frame.frame_type {
        FrameType::Script(script) => Some(script.source_info.source.clone()),
        FrameType::Function(call) => Some(call.function.source().source.clone()),
        _ => None,
    });
    let own = || Context::current().map(|context| context.path.clone()).unwrap_or_default();
    let file = sourced.filter(|source| source != COMMAND_STRING).unwrap_or_else(own);
    line.map_or(file.clone(), |line| format!("{file}: line {line}"))
}

/// What is wrong with a script's text, and where.
pub(super) fn of_syntax(error: &ParseError, source: &[u8]) -> String {
    let (place, message) = place_and_message(error, source);
    match place {
        Some((line, Some(column))) => format!(":{line}:{column}: {message}"),
        Some((line, None)) => format!(":{line}: {message}"),
        None => format!(": {message}"),
    }
}

/// A line, and a column where that is known.
type Place = (usize, Option<usize>);

pub(super) fn place_and_message(error: &ParseError, source: &[u8]) -> (Option<Place>, String) {
    match error {
        ParseError::ParsingNear(at) => (Some((at.line, Some(at.column))), "this is not understood here".to_owned()),
        ParseError::ParsingAtEndOfInput => {
            let line = source.split(|byte| *byte == b'\n').count();
            (Some((line, None)), "the script ends where more must follow".to_owned())
        }
        ParseError::Tokenizing { inner, position } => {
            (position.as_ref().map(|at| (at.line, Some(at.column))), inner.to_string())
        }
    }
}

/// What the shell calls the source of a program that it was given as text.
pub(super) const COMMAND_STRING: &str = "environment";

//! What was wrong with a script, in the words of its run's log.

use std::{
    cell::RefCell,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    rc::Rc,
};

use rquickjs::{Coerced, Ctx, Error, Exception, FromJs as _, Runtime, Value};

#[derive(Debug, Clone)]
pub(super) struct Problem {
    text: String,
    /// Nothing of the script ran.
    compiling: bool,
}

impl Problem {
    pub(super) fn of(ctx: &Ctx<'_>, path: &str, error: Error) -> Self {
        let text = match error {
            Error::Exception => {
                let thrown = ctx.catch();
                return Self { compiling: is_in_the_text(&thrown, path), text: shown(ctx, thrown) };
            }
            Error::WouldBlock => "the promise it ended with is never settled".to_owned(),
            Error::InvalidString(_) => {
                return Self { compiling: true, text: "it holds a NUL character".to_owned() };
            }
            other => other.to_string(),
        };
        Self { text, compiling: false }
    }

    pub(super) fn told(&self, name: &str) -> String {
        let when = if self.compiling { "compile" } else { "runtime" };
        format!("JavaScript {when} error in '{name}': {}", self.text)
    }
}

/// Whether an error comes from reading the script: its trace is a place in the file, and no function.
fn is_in_the_text(thrown: &Value<'_>, path: &str) -> bool {
    let stack = thrown.clone().into_object().and_then(Exception::from_object).and_then(|e| e.stack());
    stack.is_some_and(|stack| stack.trim_start().strip_prefix("at ").is_some_and(|place| place.starts_with(path)))
}

/// A thrown value with its trace, if it has one.
fn shown<'js>(ctx: &Ctx<'js>, thrown: Value<'js>) -> String {
    if thrown.is_null() {
        // There was not even memory for an error.
        return "out of memory".to_owned();
    }
    let stack = thrown.clone().into_object().and_then(Exception::from_object).and_then(|e| e.stack());
    let text = if thrown.is_object() && stack.is_none() {
        ctx.json_stringify(&thrown).ok().flatten().and_then(|json| json.to_string().ok())
    } else {
        None
    };
    let text = text.or_else(|| Coerced::<String>::from_js(ctx, thrown).ok().map(|text| text.0));
    let text = text.unwrap_or_else(|| "a value that cannot be shown was thrown".to_owned());
    match stack.as_deref().map(str::trim_end) {
        Some(stack) if !stack.is_empty() => format!("{text}\n{stack}"),
        _ => text,
    }
}

/// Promises that were rejected and that nobody waits for, with why.
#[derive(Clone, Default)]
pub(super) struct Unhandled(Rc<RefCell<Vec<(u64, Problem)>>>);

impl Unhandled {
    pub(super) fn watch(runtime: &Runtime) -> Self {
        let unhandled = Self::default();
        let list = Rc::clone(&unhandled.0);
        runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, handled| {
            let mut hasher = DefaultHasher::new();
            promise.hash(&mut hasher);
            let promise = hasher.finish();
            if handled {
                list.borrow_mut().retain(|(known, _)| *known != promise);
            } else {
                let problem = Problem { text: shown(&ctx, reason), compiling: false };
                list.borrow_mut().push((promise, problem));
            }
        })));
        unhandled
    }

    pub(super) fn first(&self) -> Option<Problem> {
        self.0.borrow().first().map(|(_, problem)| problem.clone())
    }
}

//! The built-in functions, and `default`. None of them looks into a secret.

use std::{cmp::Ordering, fmt::Write as _};

use super::{Builder, Text, Value, printf, quote};

const ANY: usize = usize::MAX;

/// Every built-in function with the least and the most arguments it takes.
pub(super) const BUILT_IN: [(&str, usize, usize); 20] = [
    ("and", 1, ANY),
    ("or", 1, ANY),
    ("not", 1, 1),
    ("eq", 2, ANY),
    ("ne", 2, 2),
    ("lt", 2, 2),
    ("le", 2, 2),
    ("gt", 2, 2),
    ("ge", 2, 2),
    ("print", 0, ANY),
    ("printf", 1, ANY),
    ("println", 0, ANY),
    ("len", 1, 1),
    ("index", 1, ANY),
    ("slice", 1, 4),
    ("html", 1, ANY),
    ("js", 1, ANY),
    ("urlquery", 1, ANY),
    ("call", 1, ANY),
    ("default", 2, 2),
];

type Made<T> = Result<T, String>;

/// Calls one of them; nothing if it is none of them.
pub(super) fn call(name: &str, arguments: &[Value]) -> Option<Made<Value>> {
    Some(match (name, arguments) {
        ("not", [value]) => Ok(Value::Bool(!value.truth())),
        ("eq", [first, rest @ ..]) => equal(first, rest).map(Value::Bool),
        ("ne", [a, b]) => same("ne", a, b).map(|same| Value::Bool(!same)),
        ("lt", [a, b]) => order("lt", a, b).map(|o| Value::Bool(o == Some(Ordering::Less))),
        ("le", [a, b]) => order("le", a, b).map(|o| Value::Bool(o.is_some_and(Ordering::is_le))),
        ("gt", [a, b]) => order("gt", a, b).map(|o| Value::Bool(o == Some(Ordering::Greater))),
        ("ge", [a, b]) => order("ge", a, b).map(|o| Value::Bool(o.is_some_and(Ordering::is_ge))),
        ("print", _) => print(arguments, false).map(Value::Text),
        ("println", _) => print(arguments, true).map(Value::Text),
        ("printf", [format, rest @ ..]) => printf::format(format, rest).map(Value::Text),
        ("len", [value]) => readable("len", value).and_then(|text| length(text.len()).map(Value::Int)),
        ("index", [value, rest @ ..]) => index(value, rest),
        ("slice", [value, rest @ ..]) => slice(value, rest).map(Value::text),
        ("html" | "js" | "urlquery", _) => escape(name, arguments).map(Value::text),
        ("call", [value, ..]) => Err(format!("`call` needs a function, and this is {}", value.kind())),
        ("default", [default, value]) => fallback(default, value),
        _ => return None,
    })
}

/// The sentence about a function that would have to look into a secret.
pub(super) fn opaque(function: &str, secret: &str) -> String {
    format!(
        "`{function}` would have to look at the value of `{secret}`, which is secret and not known here; \
         use it whole, or keep it under `Variables` of a variables file if it need not be secret"
    )
}

/// Text that a function may look at.
pub(crate) fn readable(function: &str, value: &Value) -> Made<String> {
    match value {
        Value::Text(text) => text.read().map(std::borrow::Cow::into_owned).map_err(|secret| opaque(function, secret)),
        other => Err(format!("`{function}` needs text, and this is {}", described(other))),
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Bool(b) => format!("the boolean {b}"),
        Value::Int(n) => format!("the number {n}"),
        Value::Float(_) => "a number".to_owned(),
        Value::Text(_) => "text".to_owned(),
        other => other.kind().to_owned(),
    }
}

fn fallback(default: &Value, value: &Value) -> Made<Value> {
    match (default, value) {
        (Value::Text(default), Value::Text(value)) => {
            Ok(Value::Text(if value.is_empty() { default.clone() } else { value.clone() }))
        }
        (Value::Text(_), other) | (other, _) => {
            Err(format!("both arguments of `default` must be text, and this is {}; put it in quotes", described(other)))
        }
    }
}

fn no_secret(function: &str, value: &Value) -> Made<()> {
    if let Value::Text(text) = value
        && let Some(secret) = text.holds_secret()
    {
        return Err(opaque(function, secret));
    }
    Ok(())
}

fn equal(first: &Value, rest: &[Value]) -> Made<bool> {
    no_secret("eq", first)?;
    for other in rest {
        if same("eq", first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[expect(clippy::float_cmp, reason = "as Go compares")]
fn same(function: &str, a: &Value, b: &Value) -> Made<bool> {
    no_secret(function, a)?;
    no_secret(function, b)?;
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Int(a), Value::Int(b)) => Ok(a == b),
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::Text(_), Value::Text(_)) => Ok(readable(function, a)? == readable(function, b)?),
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        _ => Err(format!("`{function}` cannot compare {} with {}", described(a), described(b))),
    }
}

fn order(function: &str, a: &Value, b: &Value) -> Made<Option<Ordering>> {
    no_secret(function, a)?;
    no_secret(function, b)?;
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Text(_), Value::Text(_)) => Ok(Some(readable(function, a)?.cmp(&readable(function, b)?))),
        _ => Err(format!("`{function}` cannot compare {} with {}", described(a), described(b))),
    }
}

/// As Go prints: a space between two that are no text, or between all and a line end.
fn print(arguments: &[Value], line: bool) -> Made<Text> {
    let mut out = Builder::default();
    for (n, value) in arguments.iter().enumerate() {
        let text = |v: &Value| matches!(v, Value::Text(_));
        let before = n.checked_sub(1).and_then(|n| arguments.get(n));
        if before.is_some_and(|b| line || !(text(b) || text(value))) {
            out.push_str(" ");
        }
        out.push_text(&value.shown());
        printf::fits(&out)?;
    }
    if line {
        out.push_str("\n");
    }
    Ok(out.finish())
}

fn length(bytes: usize) -> Made<i64> {
    i64::try_from(bytes).map_err(|e| e.to_string())
}

fn position(function: &str, value: &Value, most: usize) -> Made<usize> {
    let Value::Int(n) = value else {
        return Err(format!("`{function}` takes numbers as positions, and this is {}", described(value)));
    };
    let position = usize::try_from(*n).ok().filter(|n| *n <= most);
    position.ok_or_else(|| format!("`{function}`: the position {n} is out of range, the text has {most} bytes"))
}

fn index(value: &Value, positions: &[Value]) -> Made<Value> {
    let [at] = positions else {
        return if positions.is_empty() { Ok(value.clone()) } else { Err("`index` of text takes one position".into()) };
    };
    let text = readable("index", value)?;
    let at = position("index", at, text.len().saturating_sub(1))?;
    let byte = text.as_bytes().get(at).ok_or("`index`: the text is empty")?;
    Ok(Value::Int(i64::from(*byte)))
}

fn slice(value: &Value, positions: &[Value]) -> Made<String> {
    let text = readable("slice", value)?;
    if positions.len() > 2 {
        return Err("`slice` of text takes at most two positions".to_owned());
    }
    let at = |n: usize, default| positions.get(n).map_or(Ok(default), |v| position("slice", v, text.len()));
    let (from, to) = (at(0, 0)?, at(1, text.len())?);
    if from > to {
        return Err(format!("`slice`: the position {from} is behind the position {to}"));
    }
    text.get(from..to).map(str::to_owned).ok_or_else(|| "`slice` would cut a character in two".to_owned())
}

fn escape(function: &str, arguments: &[Value]) -> Made<String> {
    let present = |v: &Value| if matches!(v, Value::Nil) { Value::text("<no value>") } else { v.clone() };
    let text = print(&arguments.iter().map(present).collect::<Vec<_>>(), false)?;
    let text = readable(function, &Value::Text(text))?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match function {
            "html" => html(&mut out, c),
            "js" => js(&mut out, c),
            _ => query(&mut out, c),
        }
    }
    Ok(out)
}

fn html(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&#34;"),
        '\'' => out.push_str("&#39;"),
        '\0' => out.push('\u{fffd}'),
        c => out.push(c),
    }
}

fn js(out: &mut String, c: char) {
    match c {
        '\\' | '\'' | '"' => out.extend(['\\', c]),
        c if matches!(c, '<' | '>' | '&' | '=') || !quote::printable(c) => {
            let _ = write!(out, "\\u{:04X}", u32::from(c));
        }
        c => out.push(c),
    }
}

fn query(out: &mut String, c: char) {
    match c {
        ' ' => out.push('+'),
        c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~') => out.push(c),
        c => {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

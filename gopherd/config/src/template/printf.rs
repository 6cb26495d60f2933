//! `printf` as Go has it, for the values a template knows. A secret goes through `%s`, `%v` and `%q` as it is.

use std::fmt::Write as _;

use super::{Builder, Text, Value, functions::opaque, quote, value::Piece};

/// The widest field.
const WIDEST: usize = 100_000;

type Made<T> = Result<T, String>;

#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of Go")]
struct Spec {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

pub(super) fn fits(out: &Builder) -> Made<()> {
    if out.too_long() { Err(format!("the text becomes longer than {} MiB", super::MOST_TEXT >> 20)) } else { Ok(()) }
}

pub(super) fn format(format: &Value, arguments: &[Value]) -> Made<Text> {
    let format = super::functions::readable("printf", format)?;
    let mut machine = Machine { out: Builder::default(), arguments, next: 0, reordered: false };
    let mut rest = format.as_str();
    while let Some(at) = rest.find('%') {
        machine.out.push_str(&rest[..at]);
        rest = machine.verb(&rest[at + 1..])?;
        fits(&machine.out)?;
    }
    machine.out.push_str(rest);
    machine.extra()?;
    fits(&machine.out)?;
    Ok(machine.out.finish())
}

struct Machine<'v> {
    out: Builder,
    arguments: &'v [Value],
    next: usize,
    reordered: bool,
}

impl Machine<'_> {
    /// Reads one verb and writes what it stands for; gives back what follows.
    fn verb<'f>(&mut self, format: &'f str) -> Made<&'f str> {
        let mut spec = Spec::default();
        let mut rest = format;
        while let Some(c) = rest.chars().next() {
            match c {
                '+' => spec.plus = true,
                '-' => spec.minus = true,
                '#' => spec.sharp = true,
                ' ' => spec.space = true,
                '0' => spec.zero = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        let mut good = self.argument_number(&mut rest);
        let (width, bad) = self.number(&mut rest);
        if bad {
            self.out.push_str("%!(BADWIDTH)");
        }
        spec.width = width.map(isize::unsigned_abs);
        spec.minus |= width.is_some_and(|w| w < 0);
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            good &= self.argument_number(&mut rest);
            let (precision, bad) = self.number(&mut rest);
            let negative = precision.is_some_and(|p| p < 0);
            if bad || negative {
                self.out.push_str("%!(BADPREC)");
            }
            spec.precision = if bad || negative { None } else { Some(precision.unwrap_or(0).unsigned_abs()) };
        }
        good &= self.argument_number(&mut rest);
        let Some(verb) = rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return Ok(rest);
        };
        rest = &rest[verb.len_utf8()..];
        if verb == '%' {
            self.out.push_str("%");
            return Ok(rest);
        }
        if !good {
            self.out.push_str(&format!("%!{verb}(BADINDEX)"));
            return Ok(rest);
        }
        match self.arguments.get(self.next) {
            Some(value) => {
                self.next += 1;
                self.write(&spec, verb, value)?;
            }
            None => self.out.push_str(&format!("%!{verb}(MISSING)")),
        }
        Ok(rest)
    }

    /// `[n]`; false if there is no such argument.
    fn argument_number(&mut self, rest: &mut &str) -> bool {
        let Some(after) = rest.strip_prefix('[') else {
            return true;
        };
        self.reordered = true;
        let Some(end) = after.find(']') else {
            return false;
        };
        let wanted = after[..end].parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        *rest = &after[end + 1..];
        match wanted.filter(|n| *n < self.arguments.len()) {
            Some(n) => {
                self.next = n;
                true
            }
            None => false,
        }
    }

    /// A width or precision: digits, or `*` for an argument. `true` if it is none that fits.
    fn number(&mut self, rest: &mut &str) -> (Option<isize>, bool) {
        let sane = |n: Option<isize>| n.filter(|n| n.unsigned_abs() <= WIDEST);
        if let Some(after) = rest.strip_prefix('*') {
            *rest = after;
            let given = self.arguments.get(self.next);
            self.next += 1;
            let n = sane(if let Some(Value::Int(n)) = given { isize::try_from(*n).ok() } else { None });
            return (n, n.is_none());
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if digits == 0 {
            return (None, false);
        }
        let n = sane(rest[..digits].parse().ok());
        *rest = &rest[digits..];
        (n, n.is_none())
    }

    fn extra(&mut self) -> Made<()> {
        let Some(extra @ [_, ..]) = self.arguments.get(self.next..).filter(|_| !self.reordered) else {
            return Ok(());
        };
        self.out.push_str("%!(EXTRA ");
        for (n, value) in extra.iter().enumerate() {
            if n > 0 {
                self.out.push_str(", ");
            }
            if matches!(value, Value::Nil) {
                self.out.push_str("<nil>");
                continue;
            }
            self.out.push_str(&format!("{}=", value.kind()));
            self.out.push_text(&value.shown());
            fits(&self.out)?;
        }
        self.out.push_str(")");
        Ok(())
    }

    fn write(&mut self, spec: &Spec, verb: char, value: &Value) -> Made<()> {
        if verb == 'T' {
            let kind = if matches!(value, Value::Nil) { "<nil>" } else { value.kind() };
            self.out.push_str(&padded(spec, kind));
            return Ok(());
        }
        if let Value::Text(text) = value
            && let Some(secret) = text.holds_secret()
        {
            return self.secret(spec, verb, text, secret);
        }
        let shown = shown(spec, verb, value)?;
        let shown = match shown {
            Some(shown) => shown,
            None if matches!(value, Value::Nil) => format!("%!{verb}(<nil>)"),
            None => {
                let plain = Spec { sharp: false, ..spec.clone() };
                let plain = self::shown(&plain, 'v', value)?.unwrap_or_default();
                format!("%!{verb}({}={plain})", value.kind())
            }
        };
        self.out.push_str(&shown);
        Ok(())
    }

    /// A secret goes through whole, or not at all.
    fn secret(&mut self, spec: &Spec, verb: char, text: &Text, secret: &str) -> Made<()> {
        let measured = spec.width.is_some() || spec.precision.is_some() || spec.sharp || spec.space;
        if measured || !matches!(verb, 's' | 'v' | 'q') {
            return Err(opaque(&format!("printf with %{verb}"), secret));
        }
        if verb != 'q' {
            self.out.push_text(text);
            return Ok(());
        }
        self.out.push_str("\"");
        for piece in text.pieces() {
            match piece {
                Piece::Plain { text, .. } => {
                    let mut quoted = String::new();
                    text.chars().for_each(|c| quote::put(&mut quoted, c, '"', spec.plus));
                    self.out.push_str(&quoted);
                }
                secret @ Piece::Secret { .. } => self.out.push(secret.clone()),
            }
        }
        self.out.push_str("\"");
        Ok(())
    }
}

/// What a verb makes of a value; nothing if it is not for such values.
fn shown(spec: &Spec, verb: char, value: &Value) -> Made<Option<String>> {
    let spec = &Spec { plus: spec.plus && verb != 'v', ..spec.clone() };
    Ok(match value {
        Value::Nil => (verb == 'v').then(|| padded(spec, "<nil>")),
        Value::Bool(b) => matches!(verb, 't' | 'v').then(|| padded(spec, if *b { "true" } else { "false" })),
        Value::Int(n) => integer(spec, verb, *n),
        Value::Float(f) => float(spec, verb, *f),
        Value::Text(text) => {
            let text = text.read().map_err(|secret| opaque("printf", secret))?;
            string(spec, verb, &text)
        }
        Value::Dot => None,
    })
}

fn padded(spec: &Spec, text: &str) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    match (missing, spec.minus) {
        (0, _) => text.to_owned(),
        (n, true) => format!("{text}{}", " ".repeat(n)),
        (n, false) => format!("{}{text}", if spec.zero { "0" } else { " " }.repeat(n)),
    }
}

fn string(spec: &Spec, verb: char, text: &str) -> Option<String> {
    let cut = spec.precision.and_then(|p| text.char_indices().nth(p)).map_or(text, |(n, _)| &text[..n]);
    Some(match verb {
        'v' if spec.sharp => padded(spec, &quoted(cut, false)),
        's' | 'v' => padded(spec, cut),
        'q' if spec.sharp && !cut.contains('`') && cut.chars().all(|c| c == '\t' || !c.is_control()) => {
            padded(spec, &format!("`{cut}`"))
        }
        'q' => padded(spec, &quoted(cut, spec.plus)),
        'x' | 'X' => {
            let bytes = text.as_bytes();
            let bytes = &bytes[..spec.precision.unwrap_or(bytes.len()).min(bytes.len())];
            let prefix = match (spec.sharp && !bytes.is_empty(), verb) {
                (false, _) => "",
                (true, 'x') => "0x",
                (true, _) => "0X",
            };
            let digits = |b: &u8| if verb == 'x' { format!("{b:02x}") } else { format!("{b:02X}") };
            let all: Vec<String> = bytes.iter().map(digits).collect();
            let between = if spec.space { format!(" {prefix}") } else { String::new() };
            padded(spec, &format!("{prefix}{}", all.join(&between)))
        }
        _ => return None,
    })
}

fn quoted(text: &str, ascii: bool) -> String {
    let mut out = String::from("\"");
    text.chars().for_each(|c| quote::put(&mut out, c, '"', ascii));
    out.push('"');
    out
}

fn integer(spec: &Spec, verb: char, n: i64) -> Option<String> {
    let size = n.unsigned_abs();
    let character = u32::try_from(n).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
    let (digits, prefix) = match verb {
        'v' | 'd' => (size.to_string(), ""),
        'b' => (format!("{size:b}"), if spec.sharp { "0b" } else { "" }),
        'o' => (format!("{size:o}"), if spec.sharp { "0" } else { "" }),
        'O' => (format!("{size:o}"), "0o"),
        'x' => (format!("{size:x}"), if spec.sharp { "0x" } else { "" }),
        'X' => (format!("{size:X}"), if spec.sharp { "0X" } else { "" }),
        'c' => return Some(padded(spec, &character.to_string())),
        'q' => {
            let mut out = String::from("'");
            quote::put(&mut out, character, '\'', spec.plus);
            return Some(padded(spec, &format!("{out}'")));
        }
        'U' => {
            let mut out = format!("U+{n:04X}");
            if spec.sharp && quote::printable(character) {
                let _ = write!(out, " '{character}'");
            }
            return Some(padded(&Spec { zero: false, ..spec.clone() }, &out));
        }
        _ => return None,
    };
    if spec.precision == Some(0) && n == 0 {
        return Some(padded(&Spec { zero: false, ..spec.clone() }, ""));
    }
    let sign = match (n < 0, spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    };
    let zeroes = match (spec.precision, spec.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if spec.zero && !spec.minus => width.saturating_sub(sign.len()),
        _ => 0,
    };
    let missing = "0".repeat(zeroes.saturating_sub(digits.len()));
    let prefix = if prefix == "0" && missing.is_empty() && digits == "0" { "" } else { prefix };
    Some(padded(&Spec { zero: false, ..spec.clone() }, &format!("{sign}{prefix}{missing}{digits}")))
}

fn float(spec: &Spec, verb: char, f: f64) -> Option<String> {
    let size = f.abs();
    let digits = match verb {
        'v' => general(size, spec.precision),
        'g' | 'G' => general(size, spec.precision),
        'e' | 'E' => exponent(&format!("{size:.*e}", spec.precision.unwrap_or(6))),
        'f' | 'F' => format!("{size:.*}", spec.precision.unwrap_or(6)),
        _ => return None,
    };
    let digits = if verb.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
    let sign = match (f.is_sign_negative(), spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    };
    let zeroes = if spec.zero && !spec.minus { spec.width.unwrap_or(0) } else { 0 };
    let missing = "0".repeat(zeroes.saturating_sub(sign.len() + digits.len()));
    Some(padded(&Spec { zero: false, ..spec.clone() }, &format!("{sign}{missing}{digits}")))
}

/// A float as `%v` writes it.
pub(super) fn shortest(f: f64) -> String {
    float(&Spec::default(), 'v', f).unwrap_or_default()
}

fn general(size: f64, precision: Option<usize>) -> String {
    let scientific = match precision {
        Some(p) => format!("{size:.*e}", p.max(1) - 1),
        None => format!("{size:e}"),
    };
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let power: i32 = power.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let most = match precision.map(|p| i32::try_from(p.max(1)).unwrap_or(i32::MAX)) {
        Some(p) => {
            let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
            if p > count && count > power { count } else { p }
        }
        None => 6,
    };
    if power < -4 || power >= most {
        return exponent(&format!("{mantissa}e{power}"));
    }
    if power < 0 {
        return format!("0.{}{digits}", "0".repeat(usize::try_from(-power - 1).unwrap_or(0)));
    }
    let whole = usize::try_from(power).unwrap_or(0) + 1;
    if digits.len() <= whole {
        return format!("{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

/// Rust's `1e6` as Go's `1e+06`.
fn exponent(scientific: &str) -> String {
    let (mantissa, power) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |p| ('-', p));
    format!("{mantissa}e{sign}{power:0>2}")
}

//! What a plain scalar means, as `yaml.v3` resolves it.

use std::fmt::Write as _;

/// A scalar's meaning beside its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Typed {
    Null,
    Bool(bool),
    /// Wide enough for both signs of 64 bits.
    Int(i128),
    Float(f64),
    /// An ISO date, normalized to RFC 3339.
    Time(String),
    Text,
}

/// The meaning of an unquoted scalar without a tag.
pub(crate) fn resolve(text: &str) -> Typed {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Typed::Null,
        "true" | "True" | "TRUE" => return Typed::Bool(true),
        "false" | "False" | "FALSE" => return Typed::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Typed::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Typed::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Typed::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'.') => float(text).map_or(Typed::Text, Typed::Float),
        Some(b'0'..=b'9' | b'+' | b'-') => {
            if let Some(time) = timestamp(text) {
                return Typed::Time(time);
            }
            let plain = text.replace('_', "");
            match integer(&plain) {
                Some(n) => Typed::Int(n),
                None => float(&plain).map_or(Typed::Text, Typed::Float),
            }
        }
        _ => Typed::Text,
    }
}

/// A boolean in the spellings of YAML 1.1, for keys that want one.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// 64 bits with or without sign; `0x`, `0o`, `0b` and a leading zero choose the base.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // The library function would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let n = i128::from(u64::from_str_radix(digits, base).ok()?);
    let n = if negative { -n } else { n };
    (n >= i128::from(i64::MIN)).then_some(n)
}

/// Digits with an optional fraction and exponent; nothing else that the library function takes (`inf`, `nan`).
fn float(text: &str) -> Option<f64> {
    let ok = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let digit = text.trim_start_matches(['+', '-', '.']).starts_with(|c: char| c.is_ascii_digit());
    if ok && digit { text.parse().ok().filter(|f: &f64| f.is_finite()) } else { None }
}

/// `2001-1-2`, `2001-01-02 3:04:05.6`, `2001-01-02T03:04:05Z`, `…+01:00` as RFC 3339; `None` if it is none of these.
fn timestamp(text: &str) -> Option<String> {
    let (year, rest) = text.split_once('-')?;
    if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (month, rest) = rest.split_once('-')?;
    let day_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day, rest) = rest.split_at(day_end);
    let (year, month, day) = (short(year)?, short(month)?, short(day)?);
    if !(1..=12).contains(&month) || day == 0 || day > days(year, month) {
        return None;
    }
    let mut out = format!("{year:04}-{month:02}-{day:02}T");
    if rest.is_empty() {
        out.push_str("00:00:00Z");
        return Some(out);
    }
    let (clock, zoned) = match rest.split_at_checked(1)? {
        (" ", clock) => (clock, false),
        ("T" | "t", clock) => (clock, true),
        _ => return None,
    };
    let zone_at = if zoned { clock.find(['Z', '+', '-'])? } else { clock.len() };
    let (clock, zone) = clock.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').map_or((clock, ""), |(c, f)| (c, f));
    let mut parts = clock.split(':').map(short);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let _ = write!(out, "{hour:02}:{minute:02}:{second:02}");
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        let _ = write!(out, ".{fraction}");
    }
    match zone {
        "" | "Z" => out.push('Z'),
        zone => {
            let (h, m) = zone.get(1..)?.split_once(':')?;
            if h.len() != 2 || m.len() != 2 || short(h)? > 24 || short(m)? > 59 {
                return None;
            }
            out.push_str(zone);
        }
    }
    Some(out)
}

fn short(digits: &str) -> Option<u32> {
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_they_mean_to_the_reference() {
        let int = Typed::Int;
        for (text, typed) in [
            ("", Typed::Null),
            ("~", Typed::Null),
            ("null", Typed::Null),
            ("yes", Typed::Text),
            ("on", Typed::Text),
            ("n", Typed::Text),
            ("True", Typed::Bool(true)),
            ("tRUE", Typed::Text),
            ("017", int(15)),
            ("0o17", int(15)),
            ("0777", int(511)),
            ("0b101", int(5)),
            ("-0x1f", int(-31)),
            ("08", Typed::Float(8.0)),
            ("1_000", int(1000)),
            ("+12", int(12)),
            ("18446744073709551615", int(i128::from(u64::MAX))),
            ("-9223372036854775808", int(i128::from(i64::MIN))),
            ("-9223372036854775809", Typed::Float(-9_223_372_036_854_775_808.0)),
            ("1.5", Typed::Float(1.5)),
            (".5", Typed::Float(0.5)),
            ("1e3", Typed::Float(1000.0)),
            ("1.2.3", Typed::Text),
            ("7m", Typed::Text),
            ("-", Typed::Text),
            ("--1", Typed::Text),
            ("0x", Typed::Text),
            ("1:30", Typed::Text),
            ("<<x", Typed::Text),
            ("2001-01-01", Typed::Time("2001-01-01T00:00:00Z".into())),
            ("2001-1-2 3:4:5.60", Typed::Time("2001-01-02T03:04:05.6Z".into())),
            ("2001-12-14t21:59:43.10-05:00", Typed::Time("2001-12-14T21:59:43.1-05:00".into())),
            ("2001-02-30", Typed::Text),
            ("2001-02-03T", Typed::Text),
            ("192.168.1.1", Typed::Text),
        ] {
            assert_eq!(resolve(text), typed, "{text:?}");
        }
        assert_eq!(boolean("off"), Some(false));
        assert_eq!(boolean("1"), None);
    }
}

//! Times and sizes as people write them.

use std::{borrow::Cow, fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A duration in the notation of Go (`1h30m`, `300ms`); a number is nanoseconds, empty text is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct GoDuration(pub(crate) Duration);

/// A number of bytes: `512MiB`, `2GB`, `4096`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Size(pub(crate) u64);

/// CPU time: a number of seconds, or a duration, rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seconds(pub(crate) u32);

/// The longest duration of Go, about 292 years.
const LONGEST: u128 = i64::MAX.unsigned_abs() as u128;

pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() || rest == "0" {
        return (rest == "0" || text.is_empty()).then_some(Duration::ZERO);
    }
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|n| (1..=40).contains(n))?;
        let (digits, after) = rest.split_at(number);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let unit: u128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok().filter(|n| *n <= LONGEST)? };
        let fraction = &fraction[..fraction.len().min(15)];
        let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
        nanos = nanos.checked_add(whole * unit + part * unit / scale).filter(|n| *n <= LONGEST)?;
        rest = next;
    }
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

fn parse_size(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" | "K" | "Ki" => 1 << 10,
        "MiB" | "M" | "Mi" => 1 << 20,
        "GiB" | "G" | "Gi" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

struct Quantity<T> {
    expected: &'static str,
    number: fn(u64) -> Option<T>,
    text: fn(&str) -> Option<T>,
}

impl<T> Quantity<T> {
    fn wrong<E: Error>(&self, found: impl fmt::Display) -> E {
        E::custom(format!("expected {}, found `{found}`", self.expected))
    }
}

impl<T> Visitor<'_> for Quantity<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<T, E> {
        (self.number)(n).ok_or_else(|| self.wrong(n))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<T, E> {
        u64::try_from(n).ok().and_then(self.number).ok_or_else(|| self.wrong(n))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.text)(text.trim()).ok_or_else(|| self.wrong(text))
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Quantity {
            expected: "a duration such as `90s` or `1h30m` that is not negative",
            number: |n| i64::try_from(n).ok().map(|_| Self(Duration::from_nanos(n))),
            text: |t| parse_duration(t).map(Self),
        })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Quantity {
            expected: "a size such as `512MiB`",
            number: |n| Some(Self(n)),
            text: |t| parse_size(t).map(Self),
        })
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Quantity {
            expected: "seconds of CPU time, or a duration such as `90s`",
            number: |n| u32::try_from(n).ok().map(Self),
            text: |t| {
                let time = parse_duration(t)?;
                u32::try_from(time.as_secs() + u64::from(time.subsec_nanos() > 0)).ok().map(Self)
            },
        })
    }
}

/// Text, or a number that is not negative.
macro_rules! quantity_schema {
    ($($type:ident)*) => { $(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": ["string", "integer"], "minimum": 0 })
            }
        }
    )* };
}

quantity_schema! { GoDuration Size Seconds }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, nanos) in [
            ("", Some(0)),
            ("0", Some(0)),
            ("300ms", Some(300_000_000)),
            ("1.5h", Some(5_400_000_000_000)),
            ("2h45m", Some(9_900_000_000_000)),
            ("1h1m1s1ms1us1ns", Some(3_661_001_001_001)),
            (".5s", Some(500_000_000)),
            ("1.s", Some(1_000_000_000)),
            ("+7m", Some(420_000_000_000)),
            ("7µs", Some(7_000)),
            ("2540400h", Some(9_145_440_000_000_000_000)),
            ("2562048h", None),
            ("99999999999999999999999999999999999999h", None),
            ("-1s", None),
            ("7", None),
            ("+", None),
            (".s", None),
            ("1..5s", None),
            ("1d", None),
            ("1 s", None),
            ("s", None),
        ] {
            assert_eq!(parse_duration(text), nanos.map(Duration::from_nanos), "{text:?}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("512MiB", Some(536_870_912)),
            ("512 MiB", Some(536_870_912)),
            ("2GB", Some(2_000_000_000)),
            ("4096", Some(4096)),
            ("1K", Some(1024)),
            ("MiB", None),
            ("1XB", None),
            ("-1", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text:?}");
        }
    }
}

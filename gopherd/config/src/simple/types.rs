//! What a slot of a `SimpleMatcher` takes (spec: configuration §5.1, table of types).

use std::sync::OnceLock;

use regex::Regex;

use crate::pattern;

/// The type of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(usize);

struct Row {
    name: &'static str,
    /// Of the whole value, whatever its case; Go's syntax.
    pattern: &'static str,
    /// What a diagnostic says is expected.
    expected: &'static str,
}

const fn row(name: &'static str, pattern: &'static str, expected: &'static str) -> Row {
    Row { name, pattern, expected }
}

const LABEL: &str = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

const ROWS: [Row; 16] = [
    row("token", r"[^\s]+", "a non-whitespace token."),
    row("ident", r"[A-Za-z][\w-]*", "an identifier starting with a letter, followed by letters, numbers, '_' or '-'."),
    row("slug", r"[\w.*-]+", "a slug-like identifier."),
    row("number", r"[+-]?\d+", "an integer."),
    row("decimal", r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)", "a decimal number."),
    row("bool", "true|false|yes|no|on|off|1|0", "a boolean value: true, false, yes, no, on, off, 1, or 0."),
    row("duration", r"(?:\d+(?:ns|us|ms|s|m|h))+", "a Go-style duration like 5m30s."),
    row("email", r"[^\s@]+@[^\s@]+\.[^\s@]+", "an email address."),
    row("url", r"[A-Za-z][A-Za-z0-9+.-]*://[^\s]+", "a full URL."),
    row("ipv4", r"(?:\d{1,3}\.){3}\d{1,3}", "an IPv4 address."),
    row("ipv6", r"(?:[0-9A-Fa-f:]+:+)+[0-9A-Fa-f]+", "an IPv6 address."),
    row("ip", r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9A-Fa-f:]+:+)+[0-9A-Fa-f]+", "an IP address."),
    row("cidr", r"(?:\d{1,3}\.){3}\d{1,3}/\d{1,2}", "a CIDR block like 10.0.0.0/24."),
    row("dnsname", r"LABEL(?:\.LABEL)*", "a DNS hostname."),
    row("base64", "[A-Za-z0-9+/=]+", "base64 text."),
    // Takes whole fields; no field is ever refused.
    row("rest", ".*", "text."),
];

static COMPILED: [OnceLock<Option<Regex>>; ROWS.len()] = [const { OnceLock::new() }; ROWS.len()];

impl Kind {
    /// The type of that name, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ROWS.iter().position(|row| row.name.eq_ignore_ascii_case(name)).map(Self)
    }

    fn row(self) -> &'static Row {
        &ROWS[self.0]
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().name
    }

    pub(crate) fn expected(self) -> &'static str {
        self.row().expected
    }

    /// Takes as many whole fields as it can.
    pub(crate) fn is_rest(self) -> bool {
        self.name() == "rest"
    }

    pub(crate) fn accepts(self, value: &str) -> bool {
        let compiled = COMPILED[self.0].get_or_init(|| {
            let whole = format!("(?i:^(?:{})$)", self.row().pattern.replace("LABEL", LABEL));
            pattern::unanchored(&whole).ok().and_then(|ours| pattern::compile(&ours).ok())
        });
        compiled.as_ref().is_some_and(|regex| regex.is_match(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_takes_what_it_says_and_no_more() {
        let rows: &[(&str, &[&str], &[&str])] = &[
            ("token", &["a", "-x", "ü"], &[""]),
            ("ident", &["a", "Api-2_x"], &["9x", "_a", "ü", ""]),
            ("slug", &["a.b-*", "9"], &["a/b", ""]),
            ("number", &["4", "-4", "+04"], &["four", "4.0", "٣"]),
            ("decimal", &["1", "1.5", ".5", "-2.25"], &["1.", ".", "1e3"]),
            ("bool", &["true", "OFF", "1"], &["maybe", "11"]),
            ("duration", &["5m30s", "1H", "10us"], &["5", "soon", "5 m"]),
            ("email", &["a@b.c"], &["a@b", "@b.c", "a@b@c.d"]),
            ("url", &["https://x", "git+ssh://a/b"], &["x.org", "://x"]),
            ("ipv4", &["1.2.3.4", "999.1.1.1"], &["1.2.3", "1.2.3.4.5"]),
            ("ipv6", &["::1", "fe80::1"], &["fe80::", "1"]),
            ("ip", &["::1", "1.2.3.4"], &["fe80::", "x"]),
            ("cidr", &["10.0.0.0/24", "999.1.1.1/99"], &["10.0.0.0", "10.0.0.0/240"]),
            ("dnsname", &["a", "a-b.example.org"], &["-a", "a-.b", "a..b", "a."]),
            ("base64", &["YWJj==", "a/+"], &["a-b"]),
            ("rest", &["anything"], &[]),
        ];
        assert_eq!(rows.len(), ROWS.len());
        for (name, good, bad) in rows {
            let kind = Kind::named(&name.to_uppercase()).expect("is a type");
            assert_eq!(kind.name(), *name);
            assert!(good.iter().all(|value| kind.accepts(value)), "{name} {good:?}");
            assert!(!bad.iter().any(|value| kind.accepts(value)), "{name} {bad:?}");
        }
        assert_eq!(Kind::named("bogus"), None);
        assert!(!Kind::named("dnsname").expect("one").accepts(&"a".repeat(64)));
    }
}

//! Quoted literals and their escapes, read and written as Go does.

use std::fmt::Write as _;

use super::lexer::Kind;

/// The string, raw string or character that begins `text`, and its length.
pub(super) fn literal(text: &str) -> Result<(Kind, usize), String> {
    if let Some(rest) = text.strip_prefix('`') {
        let end = rest.find('`').ok_or("this raw string has no end")?;
        return Ok((Kind::Quoted(rest[..end].replace('\r', "")), end + 2));
    }
    let quote = if text.starts_with('\'') { '\'' } else { '"' };
    let what = if quote == '"' { "string" } else { "character" };
    let mut bytes = Vec::new();
    let mut last = '\0';
    let mut count = 0;
    let mut rest = &text[1..];
    loop {
        let Some(c) = rest.chars().next().filter(|c| *c != '\n') else {
            return Err(format!("this {what} has no end on its line"));
        };
        if c == quote {
            break;
        }
        count += 1;
        if c == '\\' {
            let (decoded, length) =
                escape(rest, quote).ok_or_else(|| format!("this {what} holds an unknown escape"))?;
            rest = &rest[length..];
            match decoded {
                Escaped::Byte(b) => {
                    bytes.push(b);
                    last = char::from(b);
                }
                Escaped::Char(c) => {
                    last = c;
                    bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
                }
            }
        } else {
            last = c;
            rest = &rest[c.len_utf8()..];
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
        }
    }
    let length = text.len() - rest.len() + 1;
    if quote == '"' {
        let string = String::from_utf8(bytes).map_err(|_| "the escapes of this string are not UTF-8 text")?;
        return Ok((Kind::Quoted(string), length));
    }
    if count == 1 {
        Ok((Kind::Int(i64::from(u32::from(last))), length))
    } else {
        Err("between `'` stands one character".into())
    }
}

enum Escaped {
    Byte(u8),
    Char(char),
}

/// The escape that begins `text`, and its length.
fn escape(text: &str, quote: char) -> Option<(Escaped, usize)> {
    let kind = text.chars().nth(1)?;
    let digits = |from: usize, count: usize, radix| {
        let written = text.get(from..from + count)?;
        let clean = written.bytes().all(|b| b.is_ascii_hexdigit());
        clean.then(|| u32::from_str_radix(written, radix).ok()).flatten()
    };
    let plain = match kind {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' => '\\',
        c if c == quote => c,
        'x' => return u8::try_from(digits(2, 2, 16)?).ok().map(|b| (Escaped::Byte(b), 4)),
        '0'..='7' => return u8::try_from(digits(1, 3, 8)?).ok().map(|b| (Escaped::Byte(b), 4)),
        'u' => return char::from_u32(digits(2, 4, 16)?).map(|c| (Escaped::Char(c), 6)),
        'U' => return char::from_u32(digits(2, 8, 16)?).map(|c| (Escaped::Char(c), 10)),
        _ => return None,
    };
    Some((Escaped::Char(plain), 2))
}

/// Whether a character is printed as it is.
pub(super) fn printable(c: char) -> bool {
    // A combining character is escaped only where nothing stands before it.
    !['a', c].iter().collect::<String>().escape_debug().to_string().starts_with("a\\") || matches!(c, '\\' | '"' | '\'')
}

/// One character inside quotes.
pub(super) fn put(out: &mut String, c: char, quote: char, ascii: bool) {
    match c {
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0b' => out.push_str("\\v"),
        '\\' => out.push_str("\\\\"),
        c if c == quote => out.extend(['\\', c]),
        c if c.is_ascii_control() => {
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        }
        c if (c.is_ascii() || !ascii) && printable(c) => out.push(c),
        c if u32::from(c) < 0x1_0000 => {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
        c => {
            let _ = write!(out, "\\U{:08x}", u32::from(c));
        }
    }
}

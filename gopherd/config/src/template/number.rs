//! Number literals as Go writes them.

use super::lexer::Kind;

/// The number that begins `text`, and its length.
pub(super) fn literal(text: &str) -> Result<(Kind, usize), String> {
    let hex = text.strip_prefix(['+', '-']).unwrap_or(text).starts_with('0')
        && text.chars().take(3).any(|c| matches!(c, 'x' | 'X'));
    let mut length = 0;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let sign = matches!(c, '+' | '-') && (at == 0 || (!hex && matches!(before, 'e' | 'E')));
        if !(c.is_alphanumeric() || matches!(c, '.' | '_') || sign) {
            break;
        }
        before = c;
        length = at + c.len_utf8();
    }
    let written = &text[..length];
    number(written).map(|kind| (kind, length)).ok_or_else(|| format!("`{written}` is not a number that fits"))
}

fn number(written: &str) -> Option<Kind> {
    let (negative, digits) = match written.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, written.strip_prefix('+').unwrap_or(written)),
    };
    if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    let digits = digits.to_ascii_lowercase();
    let (radix, bare) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ if digits.contains(['.', 'e']) => (0, digits.as_str()),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits.as_str()),
    };
    let bare = bare.replace('_', "");
    if bare.starts_with(['+', '-']) || bare.is_empty() {
        return None;
    }
    if radix == 0 {
        let plain = bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
        let float = bare.parse::<f64>().ok().filter(|f| plain && f.is_finite())?;
        return Some(Kind::Float(if negative { -float } else { float }));
    }
    let whole = i128::from(u64::from_str_radix(&bare, radix).ok()?);
    i64::try_from(if negative { -whole } else { whole }).ok().map(Kind::Int)
}

//! Rewrites `"\(x)"` to `"\((x)|tostring)"`, since jaq shows a number there in its own way (`"\(4/2)"` as 2.0). Pure.

use std::{iter::Peekable, str::Chars};

/// The filter with such parts rewritten; lines stay where they are.
pub(super) fn plain(code: &str) -> String {
    let mut made = String::with_capacity(code.len());
    expression(&mut code.chars().peekable(), &mut made, false);
    made
}

/// Copies an expression: to the end, or up to the parenthesis that closes it.
fn expression(rest: &mut Peekable<Chars<'_>>, made: &mut String, inner: bool) {
    let mut open = 0_usize;
    while let Some(character) = rest.next() {
        match character {
            '#' => {
                made.push('#');
                while let Some(next) = rest.next_if(|next| *next != '\n') {
                    made.push(next);
                }
                continue;
            }
            '"' => {
                // A format such as @sh must see the value itself.
                let word = made.trim_end().trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
                let formatted = word.ends_with('@');
                made.push('"');
                string(rest, made, formatted);
                continue;
            }
            '(' => open += 1,
            ')' if inner && open == 0 => return,
            ')' => open = open.saturating_sub(1),
            _ => {}
        }
        made.push(character);
    }
}

/// Copies a string with its closing quote.
fn string(rest: &mut Peekable<Chars<'_>>, made: &mut String, formatted: bool) {
    while let Some(character) = rest.next() {
        made.push(character);
        match character {
            '"' => return,
            '\\' => match rest.next() {
                Some('(') if formatted => {
                    made.push('(');
                    expression(rest, made, true);
                    made.push(')');
                }
                Some('(') => {
                    made.push_str("((");
                    expression(rest, made, true);
                    made.push_str(")|tostring)");
                }
                other => made.extend(other),
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn only_interpolations_without_a_format_are_rewritten() {
        for (code, made) in [
            (r#""a\(.b)c""#, r#""a\((.b)|tostring)c""#),
            (r#""\(f("x\(1)"))\n""#, r#""\((f("x\((1)|tostring)"))|tostring)\n""#),
            (r#"@sh "\(.a)""#, r#"@sh "\(.a)""#),
            (r#"{"a": (1)} # "\(x)""#, r#"{"a": (1)} # "\(x)""#),
            (r#""\\(x)""#, r#""\\(x)""#),
        ] {
            assert_eq!(plain(code), made);
        }
    }
}

//! Regular expressions of robots, written for Go, in the words of the `regex` crate.
//!
//! Both are of the RE2 family, but several spellings silently mean something else: `\d`, `\w`, `\s`, `\b` are ASCII
//! in Go; `\<` is a plain `<`; `&&`, `--`, `~~` and `[` inside a class are plain characters; `{` that begins no
//! repetition is itself. The engine compiles what comes out with [`compile`].

use std::{fmt::Write as _, iter::Peekable, str::Chars};

use regex::{Regex, RegexBuilder};
use regex_automata::meta;

/// Largest compiled pattern in bytes.
const SIZE_LIMIT: usize = 1 << 20;
/// Longest pattern as written.
const LONGEST: usize = 16 << 10;
/// Largest repetition that Go takes.
const MOST_REPEATS: u32 = 1000;

const DIGIT: &str = "0-9";
const SPACE: &str = r"\t\n\f\r ";
const WORD: &str = "0-9A-Za-z_";

/// The pattern of a command, an argument or a reply: the whole text, blanks around it ignored.
///
/// The inner pattern is not parenthesised, so a `|` at its top level splits the wrapper too, as robots know it.
pub fn anchored(go: &str) -> Result<String, String> {
    let pattern = format!("^(?s:[{SPACE}]*{inner}[{SPACE}]*)$", inner = rewrite(go)?);
    check(&pattern)?;
    Ok(pattern)
}

/// The pattern of an ambient matcher or a trigger: found anywhere in the text.
pub fn unanchored(go: &str) -> Result<String, String> {
    let pattern = rewrite(go)?;
    check(&pattern)?;
    Ok(pattern)
}

/// Compiles a pattern of [`anchored`] or [`unanchored`], which have found it good.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build().map_err(|error| error.to_string())
}

/// Whether a rewritten pattern compiles. The ways to search, which cost most of a compilation, are left out.
fn check(pattern: &str) -> Result<(), String> {
    let config = meta::Config::new().nfa_size_limit(Some(SIZE_LIMIT));
    let config = config.hybrid(false).dfa(false).onepass(false).backtrack(false);
    let Err(error) = meta::Builder::new().configure(config).build(pattern) else { return Ok(()) };
    if error.size_limit().is_some() {
        return Err("the pattern is too large; use fewer or smaller repetitions".to_owned());
    }
    let text = error.syntax_error().map_or_else(|| error.to_string(), ToString::to_string);
    let last = text.lines().last().unwrap_or("it does not compile");
    Err(last.strip_prefix("error: ").unwrap_or(last).to_owned())
}

/// The pattern in the syntax of the `regex` crate, not yet compiled.
pub fn rewrite(go: &str) -> Result<String, String> {
    if go.len() > LONGEST {
        return Err(format!("the pattern is longer than {LONGEST} bytes"));
    }
    let mut rewriter = Rewriter { rest: go.chars().peekable(), out: String::with_capacity(go.len() + 16) };
    rewriter.run()?;
    Ok(rewriter.out)
}

struct Rewriter<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
}

/// One member of a class.
enum Member {
    Char(char),
    /// Already in our syntax.
    Set(String),
}

impl Rewriter<'_> {
    fn run(&mut self) -> Result<(), String> {
        let mut after_repeat = false;
        while let Some(c) = self.rest.next() {
            let mut repeat = false;
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '*' | '+' | '?' => repeat = true,
                '{' => match self.repetition()? {
                    Some(counted) => {
                        self.guard(after_repeat, &counted)?;
                        self.out.push_str(&counted);
                        self.lazy();
                        after_repeat = true;
                        continue;
                    }
                    None => self.out.push_str(r"\{"),
                },
                '}' => self.out.push_str(r"\}"),
                ']' => self.out.push_str(r"\]"),
                other => self.out.push(other),
            }
            if repeat {
                self.guard(after_repeat, &c.to_string())?;
                self.out.push(c);
                self.lazy();
            }
            after_repeat = repeat;
        }
        Ok(())
    }

    fn guard(&self, after_repeat: bool, operator: &str) -> Result<(), String> {
        if self.out.is_empty() {
            return Err(format!("`{operator}` repeats nothing"));
        }
        if after_repeat { Err(format!("`{operator}` follows another repetition")) } else { Ok(()) }
    }

    /// A `?` after a repetition belongs to it.
    fn lazy(&mut self) {
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
    }

    /// `{n}`, `{n,}` or `{n,m}` after its brace; anything else is literal and is left unread.
    fn repetition(&mut self) -> Result<Option<String>, String> {
        let mut ahead = self.rest.clone();
        let Some(least) = number(&mut ahead) else {
            return Ok(None);
        };
        let mut text = format!("{{{least}");
        let mut most = least;
        if ahead.next_if_eq(&',').is_some() {
            text.push(',');
            if let Some(n) = number(&mut ahead) {
                most = n;
                let _ = write!(text, "{n}");
            }
        }
        if ahead.next() != Some('}') {
            return Ok(None);
        }
        text.push('}');
        if least > MOST_REPEATS || most > MOST_REPEATS || most < least {
            return Err(format!("`{text}` is not a valid repetition; at most {MOST_REPEATS} are possible"));
        }
        self.rest = ahead;
        Ok(Some(text))
    }

    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('?') {
            return Ok(());
        }
        let mut named = ahead.clone();
        let _ = named.next_if_eq(&'P');
        if named.next() == Some('<') && !matches!(named.peek(), Some('=' | '!')) {
            self.out.push_str("?P<");
            for c in named.by_ref() {
                self.out.push(c);
                if c == '>' {
                    self.rest = named;
                    return Ok(());
                }
            }
            return Err("the name of a group does not end".to_owned());
        }
        self.out.push('?');
        loop {
            match ahead.next() {
                Some(c @ ('i' | 'm' | 's' | 'U' | '-')) => self.out.push(c),
                Some(c @ (':' | ')')) => {
                    self.out.push(c);
                    self.rest = ahead;
                    return Ok(());
                }
                Some('=' | '!' | '<') => return Err("look-around is not available".to_owned()),
                Some(c) => return Err(format!("`(?{c}` is not known; flags are i, m, s and U")),
                None => return Err("a group does not end".to_owned()),
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(c) = self.rest.next() else {
            return Err("the pattern ends with a single `\\`".to_owned());
        };
        match c {
            'b' => self.out.push_str(r"(?-u:\b)"),
            'B' => self.out.push_str(r"(?-u:\B)"),
            'A' | 'z' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'Q' => self.quoted(),
            c => match self.escaped(c)? {
                Member::Char(c) => push_literal(&mut self.out, c),
                Member::Set(set) => self.out.push_str(&set),
            },
        }
        Ok(())
    }

    /// `\Q…\E`: up to its end, or the end of the pattern.
    fn quoted(&mut self) {
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return;
            }
            push_literal(&mut self.out, c);
        }
    }

    /// What an escape means both inside and outside a class.
    fn escaped(&mut self, c: char) -> Result<Member, String> {
        let set = |text: String| Ok(Member::Set(text));
        match c {
            'd' => set(format!("[{DIGIT}]")),
            'D' => set(format!("[^{DIGIT}]")),
            's' => set(format!("[{SPACE}]")),
            'S' => set(format!("[^{SPACE}]")),
            'w' => set(format!("[{WORD}]")),
            'W' => set(format!("[^{WORD}]")),
            'p' | 'P' => self.property(c == 'P').map(Member::Set),
            'a' => Ok(Member::Char('\u{7}')),
            'f' => Ok(Member::Char('\u{c}')),
            'n' => Ok(Member::Char('\n')),
            'r' => Ok(Member::Char('\r')),
            't' => Ok(Member::Char('\t')),
            'v' => Ok(Member::Char('\u{b}')),
            'x' => self.hexadecimal().map(Member::Char),
            '0' => Ok(Member::Char(self.octal(0))),
            '1'..='7' if matches!(self.rest.peek(), Some('0'..='7')) => {
                let first = c.to_digit(8).unwrap_or_default();
                Ok(Member::Char(self.octal(first)))
            }
            '1'..='9' => Err(format!("`\\{c}`: back-references are not available")),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(Member::Char(c)),
            c => Err(format!("`\\{c}` is not a known escape")),
        }
    }

    /// Up to two more octal digits.
    fn octal(&mut self, mut value: u32) -> char {
        for _ in 0..2 {
            let Some(digit) = self.rest.next_if(|c| c.is_digit(8)).and_then(|c| c.to_digit(8)) else {
                break;
            };
            value = value * 8 + digit;
        }
        char::from_u32(value).unwrap_or_default()
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        let mut digits = String::new();
        if self.rest.next_if_eq(&'{').is_some() {
            while let Some(c) = self.rest.next_if(char::is_ascii_hexdigit) {
                digits.push(c);
            }
            if self.rest.next() != Some('}') {
                digits.clear();
            }
        } else {
            digits.extend(self.rest.next_if(char::is_ascii_hexdigit));
            digits.extend(self.rest.next_if(char::is_ascii_hexdigit));
            if digits.len() != 2 {
                digits.clear();
            }
        }
        let value = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
        value.ok_or_else(|| "`\\x` takes two hexadecimal digits, or a character's number in braces".to_owned())
    }

    /// `\pL`, `\p{Greek}`, `\p{^Greek}` and their negations.
    fn property(&mut self, negated: bool) -> Result<String, String> {
        let mut name = String::new();
        match self.rest.next() {
            Some('{') => loop {
                match self.rest.next() {
                    Some('}') => break,
                    Some(c) => name.push(c),
                    None => return Err("`\\p{` does not end".to_owned()),
                }
            },
            Some(c) => name.push(c),
            None => return Err("`\\p` names no class of characters".to_owned()),
        }
        let (name, negated) = match name.strip_prefix('^') {
            Some(rest) => (rest, !negated),
            None => (name.as_str(), negated),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("`{name}` is not a class of characters"));
        }
        Ok(format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' }))
    }

    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(&c) = self.rest.peek() else {
                return Err("a class `[…` does not end".to_owned());
            };
            if c == ']' && !first {
                self.rest.next();
                self.out.push(']');
                return Ok(());
            }
            first = false;
            if let Some(named) = self.named() {
                self.out.push_str(&named);
                continue;
            }
            let low = match self.member()? {
                Member::Set(set) => {
                    self.out.push_str(&set);
                    continue;
                }
                Member::Char(low) => low,
            };
            push_member(&mut self.out, low);
            let mut ahead = self.rest.clone();
            if ahead.next() == Some('-') && ahead.peek().is_some_and(|c| *c != ']') {
                self.rest = ahead;
                match self.member()? {
                    Member::Char(high) if high >= low => {
                        self.out.push('-');
                        push_member(&mut self.out, high);
                    }
                    Member::Char(high) => return Err(format!("the range `{low}-{high}` runs backwards")),
                    Member::Set(_) => return Err(format!("the range that begins with `{low}-` has no end")),
                }
            }
        }
    }

    /// `[:alpha:]` inside a class; anything else is left unread.
    fn named(&mut self) -> Option<String> {
        let mut ahead = self.rest.clone();
        let mut name = String::new();
        if ahead.next() != Some('[') || ahead.next() != Some(':') {
            return None;
        }
        loop {
            match ahead.next()? {
                ':' if ahead.peek() == Some(&']') => {
                    ahead.next();
                    self.rest = ahead;
                    return Some(format!("[:{name}:]"));
                }
                c @ ('a'..='z' | '^') if name.len() < 16 => name.push(c),
                _ => return None,
            }
        }
    }

    fn member(&mut self) -> Result<Member, String> {
        match self.rest.next() {
            Some('\\') => match self.rest.next() {
                Some(c) => self.escaped(c),
                None => Err("the pattern ends with a single `\\`".to_owned()),
            },
            Some(c) => Ok(Member::Char(c)),
            None => Err("a class `[…` does not end".to_owned()),
        }
    }
}

/// Digits without a leading zero, of a number that can be a repetition.
fn number(text: &mut Peekable<Chars<'_>>) -> Option<u32> {
    let mut digits = String::new();
    while let Some(c) = text.next_if(char::is_ascii_digit) {
        digits.push(c);
    }
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX))
}

fn push_literal(out: &mut String, c: char) {
    if c.is_control() {
        let _ = write!(out, r"\x{{{:X}}}", u32::from(c));
    } else {
        out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
    }
}

fn push_member(out: &mut String, c: char) {
    match c {
        '[' | ']' | '\\' | '^' | '-' | '&' | '~' => {
            out.push('\\');
            out.push(c);
        }
        c if c.is_control() => {
            let _ = write!(out, r"\x{{{:X}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_keep_their_meaning() {
        for (go, yes, no) in [
            (r"^\d$", "7", "٧"),
            (r"^\w+$", "ab_9", "é"),
            (r"^\s$", "\t", "\u{a0}"),
            (r"^\s$", " ", "\u{b}"),
            (r"\bx", "éx", "ax"),
            (r"\Bx", "ax", " x"),
            (r"^\<a\>$", "<a>", "a"),
            (r"^[a&&b]+$", "a&b", "c"),
            (r"^[a~~b]+$", "a~b", "c"),
            (r"^[+--]+$", "+,-", "."),
            (r"^[[a]+$", "[a", "b"),
            (r"^[\w-\.]+$", "a-.b", "é"),
            (r"^[\w-]+$", "a-b", "."),
            (r"^[-\w :\/]+$", "a-b :/", ";"),
            (r"^[]a]+$", "]a", "b"),
            (r"^[^]a]+$", "b", "]"),
            (r"^[^\d]$", "x", "5"),
            (r"^[\D5]$", "5", "6"),
            (r"^a{,3}$", "a{,3}", "aaa"),
            (r"^{foo}$", "{foo}", "foo"),
            (r"^a{01}$", "a{01}", "a"),
            (r"^a{2}$", "aa", "aaa"),
            (r"^a{2,}?$", "aaa", "a"),
            (r"^\Qa.b\E.$", "a.bc", "axbc"),
            (r"^\Q*", "*", "a"),
            (r"^\007\x41\x{42}$", "\u{7}AB", "7AB"),
            (r"^[\x41-\x43]$", "B", "D"),
            (r"^(?i)yes$", "YES", "no"),
            (r"^(?i:k)$", "\u{212a}", "j"),
            (r"^(?P<n>a)(?<m>b)$", "ab", "a"),
            (r"^\p{Greek}\pL\P{^Lu}$", "αxX", "αxx"),
            (r"^[[:alpha:]]$", "x", "7"),
            (r"^[[:^alpha:]]$", "7", "x"),
            (r"^[[:]$", ":", "a"),
            (r"^a\/b\-c\_d$", "a/b-c_d", "ab"),
            (r"^\t\n\f\r\v\a$", "\t\n\u{c}\r\u{b}\u{7}", "t"),
            (r"^a]}$", "a]}", "a"),
            (r"^[a-]$", "-", "b"),
            (r"^# $", "# ", "#"),
            ("", "", ""),
        ] {
            let compiled = compile(&unanchored(go).unwrap_or_else(|e| panic!("{go}: {e}"))).expect("compiles");
            assert!(compiled.is_match(yes), "{go} on {yes:?}: {compiled}");
            assert!(no.is_empty() || !compiled.is_match(no), "{go} not on {no:?}: {compiled}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused_with_a_reason() {
        for (go, reason) in [
            ("a++", "`+` follows another repetition"),
            ("a**", "`*` follows another repetition"),
            ("a{2}{3}", "`{3}` follows another repetition"),
            ("a+?+", "`+` follows another repetition"),
            ("*a", "`*` repeats nothing"),
            ("a{1001}", "`{1001}` is not a valid repetition; at most 1000 are possible"),
            ("a{3,2}", "`{3,2}` is not a valid repetition; at most 1000 are possible"),
            ("(?=a)", "look-around is not available"),
            ("(?<!a)", "look-around is not available"),
            ("(?x)a", "`(?x` is not known; flags are i, m, s and U"),
            (r"(a)\1", "`\\1`: back-references are not available"),
            (r"\C", "`\\C` is not a known escape"),
            (r"\Z", "`\\Z` is not a known escape"),
            (r"[\b]", "`\\b` is not a known escape"),
            (r"\é", "`\\é` is not a known escape"),
            (r"[z-a]", "the range `z-a` runs backwards"),
            (r"[a-\d]", "the range that begins with `a-` has no end"),
            ("[a", "a class `[…` does not end"),
            ("a\\", "the pattern ends with a single `\\`"),
            ("(a", "unclosed group"),
            ("a)", "unopened group"),
            (r"\x4", "`\\x` takes two hexadecimal digits, or a character's number in braces"),
            (r"\p{Klingon}", "Unicode property not found"),
            ("((a{1000}){1000}){1000}", "the pattern is too large; use fewer or smaller repetitions"),
        ] {
            assert_eq!(unanchored(go), Err(reason.to_owned()), "{go}");
        }
        assert!(rewrite(&"a".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn anchored_patterns_take_blanks_around_and_split_at_a_bare_bar() {
        let command = compile(&anchored(r"(?i:hear me out)").expect("ok")).expect("compiles");
        assert!(command.is_match("  Hear me OUT\n") && !command.is_match("do hear me out"));
        let captures = compile(&anchored(r"say (.*)").expect("ok")).expect("compiles");
        assert_eq!(&captures.captures("say a\nb").expect("matches")[1], "a\nb");
        let split = compile(&anchored("a|b").expect("ok")).expect("compiles");
        assert!(split.is_match(" a") && split.is_match("b ") && !split.is_match("a b"));
    }
}

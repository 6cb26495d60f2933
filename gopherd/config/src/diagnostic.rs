//! One error or notice about a configuration file: where, what, and what to do.

use std::fmt;

/// Longest part of an offending line that is shown.
const SHOWN: usize = 160;
/// Longest message; keys and values of the file are quoted in it.
const SPOKEN: usize = 600;

/// A sentence about one place of one file. Line and column count from 1; line 0 means the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub file: String,
    pub line: u32,
    pub column: u32,
    /// The offending line without what could be a secret.
    pub line_text: String,
    pub message: String,
    pub hint: Option<String>,
}

impl Diagnostic {
    /// About a file as a whole.
    pub fn of_file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            line_text: String::new(),
            message: clean(&message.into(), SPOKEN),
            hint: None,
        }
    }

    /// About one place of a file; `line_text` is the text of that line.
    pub fn at(file: impl Into<String>, line_text: &str, line: u32, column: u32, message: impl Into<String>) -> Self {
        let beginning: String = line_text.chars().take(SHOWN + 1).collect();
        Self { line, column, line_text: clean(&withhold(&beginning), SHOWN), ..Self::of_file(file, message) }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(clean(&hint.into(), SPOKEN));
        self
    }

    /// Place and message on one line, for logs and reasons.
    pub fn sentence(&self) -> String {
        let hint = self.hint.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
        format!("{}{}{hint}", self.place(), self.message)
    }

    fn place(&self) -> String {
        match (self.file.is_empty(), self.line) {
            (true, _) => String::new(),
            (false, 0) => format!("{}: ", self.file),
            (false, line) => format!("{}:{line}:{}: ", self.file, self.column),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.place(), self.message)?;
        if !self.line_text.trim().is_empty() {
            let before = usize::try_from(self.column.saturating_sub(1)).unwrap_or(0);
            write!(f, "\n  | {}", self.line_text)?;
            if before <= self.line_text.chars().count() {
                write!(f, "\n  | {}^", " ".repeat(before))?;
            }
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// Text of a file as it may be printed: no control characters, not endless.
fn clean(text: &str, longest: usize) -> String {
    let mut out: String = text
        .chars()
        .take(longest)
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect();
    if text.chars().nth(longest).is_some() {
        out.push('…');
    }
    out
}

/// Cuts a line after the first key of the kind that holds secrets.
fn withhold(line: &str) -> String {
    const SECRET: [&str; 5] = ["value", "token", "password", "secret", "key"];
    for (colon, _) in line.match_indices(':') {
        let (before, after) = line.split_at(colon);
        let name = before.trim_end_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
        let value = after[1..].trim();
        if SECRET.iter().any(|s| name.ends_with(s)) && !value.is_empty() && !only_asks(value) {
            return format!("{before}: …");
        }
    }
    line.to_owned()
}

/// Whether a value is one template action without a text of its own, which could be a secret.
fn only_asks(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    let inside = value.strip_prefix("{{").and_then(|v| v.strip_suffix("}}"));
    inside.is_some_and(|inside| !inside.contains("}}") && !inside.contains("default") && !inside.contains("print"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_line_caret_and_hint() {
        let shown = Diagnostic::at("custom/conf/robot.yaml", "  AdminUser: y", 2, 3, "unknown key `AdminUser`")
            .hint("did you mean `AdminUsers`?");
        assert_eq!(
            shown.to_string(),
            "custom/conf/robot.yaml:2:3: unknown key `AdminUser`\n  |   AdminUser: y\n  |   ^\nhint: did you mean `AdminUsers`?"
        );
        assert_eq!(
            shown.sentence(),
            "custom/conf/robot.yaml:2:3: unknown key `AdminUser` (did you mean `AdminUsers`?)"
        );
        assert_eq!(Diagnostic::of_file("a.yaml", "gone").to_string(), "a.yaml: gone");
    }

    #[test]
    fn what_could_be_a_secret_is_not_shown() {
        for line in [
            "  Value: hunter2",
            "- Value: hunter2",
            "BotToken: hunter2",
            "{\"AppToken\": hunter2}",
            "P: [{Name: A, Value: hunter2}]",
            "Value: hunter2{{ env \"X\" }}",
            "Value: '{{ env \"X\" }}hunter2{{ env \"X\" }}'",
            "Value: {{ env \"X\" | default \"hunter2\" }}",
            "{{ $token := \"hunter2\" }}",
        ] {
            let shown = Diagnostic::at("f", line, 1, 1, "m").to_string();
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        for line in ["Alias: x", "  Value: {{ secret \"NAME\" }}", "Token: \"{{ env \"NAME\" }}\""] {
            assert!(Diagnostic::at("f", line, 1, 1, "m").to_string().contains(line), "{line}");
        }
    }

    #[test]
    fn escapes_of_a_terminal_are_not_printed() {
        let shown = Diagnostic::at("f", "a\u{1b}[2J: 1", 1, 1, "key a\u{1b}[2J").to_string();
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        assert!(Diagnostic::of_file("f", "x".repeat(5000)).message.chars().count() <= SPOKEN + 1);
    }
}

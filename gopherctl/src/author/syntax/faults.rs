//! What readers say about a script, as diagnostics. Pure.

use serde::{Deserialize, Serialize};

/// One thing to tell about a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Diagnostic {
    pub(super) severity: &'static str,
    /// `parse`: of the script; `read`, `language` and `setup`: why it was not parsed.
    pub(super) stage: &'static str,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<u32>,
}

impl Diagnostic {
    fn parse(message: &str, line: Option<u32>, column: Option<u32>) -> Self {
        let (severity, message) = match message.strip_prefix("warning: ") {
            Some(message) => ("warning", message),
            None => ("error", message),
        };
        Self { severity, stage: "parse", message: message.trim().to_owned(), line, column }
    }

    /// Why a script was not parsed.
    pub(super) fn at(stage: &'static str, message: String) -> Self {
        Self { severity: "error", stage, message, line: None, column: None }
    }

    pub(super) fn setup(message: String) -> Self {
        Self::at("setup", message)
    }

    pub(super) fn is_error(&self) -> bool {
        self.severity == "error"
    }
}

#[derive(Deserialize)]
struct Fault {
    message: String,
    line: Option<u32>,
    column: Option<u32>,
}

/// A JSON object on each line.
pub(super) fn of_json(out: &str) -> Vec<Diagnostic> {
    let faults = out.lines().filter_map(|line| serde_json::from_str::<Fault>(line).ok());
    faults.map(|fault| Diagnostic::parse(&fault.message, fault.line, fault.column)).collect()
}

/// `/dev/stdin: line 3: syntax error near …`; a line that quotes the script follows.
pub(super) fn of_bash(errors: &str) -> Vec<Diagnostic> {
    let told = errors.lines().filter_map(|line| line.split_once(": line ")?.1.split_once(": "));
    let told = told.filter(|(_, message)| !message.starts_with('`'));
    told.map(|(line, message)| Diagnostic::parse(message, line.parse().ok(), None)).collect()
}

/// `-:3: syntax error, …`, with the place drawn below; newer ones draw everything (`> 3 | foo(`, `    |     ^ message`).
pub(super) fn of_ruby(errors: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut drawn = None;
    for line in errors.lines() {
        if let Some(number) = line.strip_prefix('>').and_then(|rest| rest.split_once('|')) {
            drawn = number.0.trim().parse::<u32>().ok();
        } else if let (Some(number), Some((_, marks))) = (drawn, line.split_once('|'))
            && let Some((before, message)) = marks.split_once('^')
            && before.trim().is_empty()
        {
            let column = u32::try_from(before.len()).ok();
            found.push(Diagnostic::parse(message.trim_start_matches(['^', '~', ' ']), Some(number), column));
        } else if let Some((number, message)) = line.strip_prefix("-:").and_then(|rest| rest.split_once(": "))
            && let Ok(number) = number.parse::<u32>()
            && !message.contains("found (SyntaxError)")
        {
            found.push(Diagnostic::parse(message, Some(number), None));
        }
    }
    if found.is_empty()
        && let Some(line) = errors.lines().find(|line| line.contains("rror"))
    {
        found.push(Diagnostic::parse(line, None, None));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(found: &[Diagnostic]) -> Vec<(&str, &str, Option<u32>, Option<u32>)> {
        found.iter().map(|d| (d.severity, d.message.as_str(), d.line, d.column)).collect()
    }

    #[test]
    fn bash_tells_lines() {
        let said = "/dev/stdin: line 2: syntax error near unexpected token `fi'\n/dev/stdin: line 2: `fi fi'\n\
                    /dev/stdin: line 7: warning: here-document at line 1 delimited by end-of-file (wanted `EOF')\n";
        assert_eq!(
            places(&of_bash(said)),
            [
                ("error", "syntax error near unexpected token `fi'", Some(2), None),
                ("warning", "here-document at line 1 delimited by end-of-file (wanted `EOF')", Some(7), None),
            ]
        );
    }

    #[test]
    fn ruby_tells_lines_in_both_of_its_ways() {
        let said = "-:3: syntax error, unexpected integer literal, expecting `end'\n  p 1 1\n      ^\n";
        let message = "syntax error, unexpected integer literal, expecting `end'";
        assert_eq!(places(&of_ruby(said)), [("error", message, Some(3), None)]);
        let said = "-:2: -:2: syntax errors found (SyntaxError)\n  1 | puts 1\n> 2 | foo(\n    |     ^ unexpected end-of-input\n";
        assert_eq!(places(&of_ruby(said)), [("error", "unexpected end-of-input", Some(2), Some(5))]);
        assert_eq!(places(&of_ruby("ruby: some Error\n")), [("error", "ruby: some Error", None, None)]);
        assert_eq!(of_ruby(""), []);
    }

    #[test]
    fn others_tell_json() {
        let said = "{\"message\":\"no\",\"line\":3,\"column\":null}\nnonsense\n{\"message\":\"too long\"}\n";
        assert_eq!(places(&of_json(said)), [("error", "no", Some(3), None), ("error", "too long", None, None)]);
    }
}

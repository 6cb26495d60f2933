//! Languages of extensions: their names, and how a file tells its own.

use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    Bash,
    Python,
    Ruby,
    Lua,
    #[value(name = "javascript", alias = "js")]
    JavaScript,
    Gsh,
}

impl Language {
    /// What file names in it end with.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Bash => "sh",
            Self::Python => "py",
            Self::Ruby => "rb",
            Self::Lua => "lua",
            Self::JavaScript => "js",
            Self::Gsh => "gsh",
        }
    }

    /// As people and reports call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Python => "python",
            Self::Ruby => "ruby",
            Self::Lua => "lua",
            Self::JavaScript => "javascript",
            Self::Gsh => "gsh",
        }
    }

    /// Its files are read by the robot and need no execute bit.
    pub(super) fn is_embedded(self) -> bool {
        matches!(self, Self::Lua | Self::JavaScript | Self::Gsh)
    }

    /// The language of a file: by its name, else by the interpreter that its first line asks for.
    pub(super) fn of(path: &Path, text: &[u8]) -> Option<Self> {
        let suffix = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        match suffix {
            "sh" | "bash" => Some(Self::Bash),
            "py" => Some(Self::Python),
            "rb" => Some(Self::Ruby),
            "lua" => Some(Self::Lua),
            "js" => Some(Self::JavaScript),
            "gsh" => Some(Self::Gsh),
            _ => by_first_line(text),
        }
    }
}

fn by_first_line(text: &[u8]) -> Option<Language> {
    let line = String::from_utf8_lossy(text.split(|b| *b == b'\n').next()?).into_owned();
    let mut words = line.strip_prefix("#!")?.split_whitespace();
    let mut program = words.next()?;
    if program.ends_with("/env") {
        program = words.find(|w| !w.starts_with('-') && !w.contains('='))?;
    }
    let program = program.rsplit('/').next().unwrap_or(program);
    match program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "bash" | "sh" => Some(Language::Bash),
        "python" => Some(Language::Python),
        "ruby" => Some(Language::Ruby),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_its_language_by_its_name_or_its_first_line() {
        for (path, text, expected) in [
            ("plugins/a.sh", "", Some(Language::Bash)),
            ("a.py", "#!/bin/bash\n", Some(Language::Python)),
            ("a.js", "", Some(Language::JavaScript)),
            ("a.gsh", "", Some(Language::Gsh)),
            ("deploy", "#!/usr/bin/env python3.12\n", Some(Language::Python)),
            ("deploy", "#!/usr/bin/env -S A=1 ruby -w\n", Some(Language::Ruby)),
            ("deploy", "#!/bin/sh -e\n", Some(Language::Bash)),
            ("deploy", "#!/usr/bin/perl\n", None),
            ("deploy", "", None),
        ] {
            assert_eq!(Language::of(Path::new(path), text.as_bytes()), expected, "{path} {text}");
        }
    }
}

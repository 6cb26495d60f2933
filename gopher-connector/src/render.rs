//! Texts of the robot as services without markup show them.

use std::borrow::Cow;

use gopher_protocol::robot_api::MessageFormat;

/// A text whose literal format can be seen: Fixed in capitals, Variable in small letters.
pub(crate) fn mock(text: &str, format: MessageFormat) -> Cow<'_, str> {
    match format {
        MessageFormat::Fixed => Cow::Owned(text.to_uppercase()),
        MessageFormat::Variable => Cow::Owned(text.to_lowercase()),
        MessageFormat::Raw | MessageFormat::BasicMarkdown => Cow::Borrowed(text),
    }
}

/// Plain text whose format a suite can recognize.
pub(crate) fn telling(text: &str, format: MessageFormat) -> Cow<'_, str> {
    match format {
        MessageFormat::BasicMarkdown => gopher_markdown::plain(text),
        MessageFormat::Raw | MessageFormat::Fixed | MessageFormat::Variable => mock(text, format),
    }
}

/// How a reply that only one user sees is marked.
pub(crate) fn hidden(text: Cow<'_, str>, hidden: bool) -> Cow<'_, str> {
    if hidden { Cow::Owned(format!("({text})")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_told_apart() {
        let text = "**Ab** c";
        let shown = |format| telling(text, format).into_owned();
        assert_eq!(shown(MessageFormat::Raw), "**Ab** c");
        assert_eq!(shown(MessageFormat::Fixed), "**AB** C");
        assert_eq!(shown(MessageFormat::Variable), "**ab** c");
        assert_eq!(shown(MessageFormat::BasicMarkdown), "Ab c");
        assert_eq!(hidden(telling(text, MessageFormat::BasicMarkdown), true), "(Ab c)");
        assert_eq!(mock(text, MessageFormat::BasicMarkdown), text);
    }
}

//! Long answers as several messages (spec: configuration §6.3, §7.3).

/// Most bytes of one message, unless a single line is longer.
const MOST: usize = 12_288;

/// A text as messages, cut at line ends.
pub(crate) fn chunks(text: &str) -> Vec<String> {
    split(text, MOST)
}

fn split(text: &str, most: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match all.last_mut() {
            // The line end at a cut is not sent.
            Some(last) if last.len() + line.trim_end_matches('\n').len() <= most => last.push_str(line),
            _ => all.push(line.to_owned()),
        }
    }
    let trimmed = all.iter().map(|part| part.trim_matches('\n').to_owned());
    trimmed.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_line_ends() {
        let line = "x".repeat(99);
        let text = vec![line.as_str(); 300].join("\n");
        let parts = chunks(&text);
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|p| p.len() <= MOST && !p.ends_with('\n')));
        assert_eq!(parts.join("\n"), text);
        assert_eq!(chunks("short"), ["short"]);
        assert_eq!(chunks(""), [""; 0]);
    }

    #[test]
    fn cuts_take_their_blank_lines_with_them_and_long_lines_stay_whole() {
        assert_eq!(split("fern\nivy\nmoss", 8), ["fern\nivy", "moss"]);
        assert_eq!(split("fern\nivy\n\nmoss", 8), ["fern\nivy", "moss"]);
        assert_eq!(split("fern\n\n\n\n\n\nivy", 5), ["fern", "ivy"]);
        assert_eq!(split("a\nlong enough\nb", 4), ["a", "long enough", "b"]);
    }
}

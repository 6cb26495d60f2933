use proptest::prelude::*;

use super::*;

fn at_20(text: &str) -> String {
    wrap(text, Some(20)).into_owned()
}

#[test]
fn lines_break_at_blanks_and_after_hyphens() {
    for (text, expected) in [
        ("exactly twenty chars", "exactly twenty chars"),
        ("exactly twenty chars more", "exactly twenty chars\nmore"),
        ("one two three four five six seven", "one two three four\nfive six seven"),
        ("a well-known double-barrelled name", "a well-known double-\nbarrelled name"),
        ("a hyphen that fits--in", "a hyphen that fits--\nin"),
        ("a hyphen outside-this-line", "a hyphen outside-\nthis-line"),
        ("nineteen characters-", "nineteen characters-"),
        ("twenty-one characters-", "twenty-one\ncharacters-"),
        ("aVeryLongWordThatDoesNotFitAnywhere but this does", "aVeryLongWordThatDoesNotFitAnywhere\nbut this does"),
        ("aVeryLongWordThatDoesNot-FitAnywhere", "aVeryLongWordThatDoesNot-\nFitAnywhere"),
        ("aVeryLongWordThatDoesNotFitAnywhere", "aVeryLongWordThatDoesNotFitAnywhere"),
        ("short aVeryLongWordThatDoesNotFit short", "short\naVeryLongWordThatDoesNotFit\nshort"),
        ("first line\nsecond line which is longer", "first line\nsecond line which is\nlonger"),
        ("\n\nlines without a word\n\nbefore and after it\n", "\n\nlines without a word\n\nbefore and after it\n"),
        ("    indentedWordThatIsLong stays", "    indentedWordThatIsLong\nstays"),
        ("exactly twenty chars ", "exactly twenty chars "),
    ] {
        assert_eq!(at_20(text), expected, "{text:?}");
    }
}

#[test]
fn width_counts_columns_not_bytes() {
    for (text, expected) in [
        ("漢字漢字 漢字漢字 漢字漢字", "漢字漢字 漢字漢字\n漢字漢字"),
        ("üüüüüüüüü üüüüüüüüüü", "üüüüüüüüü üüüüüüüüüü"),
        // Combining marks have no width.
        (
            "u\u{308}u\u{308}u\u{308}u\u{308}u\u{308}u\u{308}u\u{308}u\u{308}u\u{308} uuuuuuuuuu u",
            "u\u{308}u\u{308}u\u{308}u\u{308}u\u{308}u\u{308}u\u{308}u\u{308}u\u{308} uuuuuuuuuu\nu",
        ),
        // A family is one character of two columns.
        ("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧 b c", "👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧 b\nc"),
        ("🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀 🚀", "🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀\n🚀"),
        // A blank or hyphen with a mark is another character.
        ("ten chars eleven-\u{301}chars", "ten chars\neleven-\u{301}chars"),
    ] {
        assert_eq!(at_20(text), expected, "{text:?}");
    }
}

#[test]
fn styles_have_no_width_and_stay_whole() {
    for (text, expected) in [
        (
            "\u{1b}[1mexactly\u{1b}[22m \u{1b}[3mtwenty\u{1b}[23m chars",
            "\u{1b}[1mexactly\u{1b}[22m \u{1b}[3mtwenty\u{1b}[23m chars",
        ),
        ("\u{1b}[1mexactly twenty chars more\u{1b}[22m", "\u{1b}[1mexactly twenty chars\nmore\u{1b}[22m"),
        ("\u{1b}[38;5;12mexactly twenty chars\u{1b}[39m more", "\u{1b}[38;5;12mexactly twenty chars\u{1b}[39m\nmore"),
        ("exactly twenty chars\u{1b}[0m", "exactly twenty chars\u{1b}[0m"),
        ("exactly \u{1b}[;-;mtwenty chars", "exactly \u{1b}[;-;mtwenty chars"),
    ] {
        assert_eq!(at_20(text), expected, "{text:?}");
    }
    assert_eq!(sequence("\u{1b}[1"), None);
    assert_eq!(sequence("\u{1b}[é"), None);
}

#[test]
fn an_unknown_or_absurd_width_wraps_nothing() {
    let text = "x ".repeat(50);
    for width in [None, Some(0), Some(3), Some(NARROWEST - 1)] {
        assert_eq!(wrap(&text, width), text);
    }
}

#[test]
fn long_lines_take_linear_time() {
    let started = std::time::Instant::now();
    for piece in ["x", "x ", "- ", " ", "\u{1b}[", "\u{1b}[1m", "a\u{301}", "🇩🇪", "👨‍"] {
        wrap(&piece.repeat((256 << 10) / piece.len()), Some(20));
    }
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

proptest! {
    #[test]
    fn only_blanks_at_breaks_are_exchanged(text in "([ab \n-]|漢|👨‍👩‍👧|e\u{301}|\u{1b}\\[1m){0,80}", width in 20..40_usize) {
        let wrapped = wrap(&text, Some(width));
        let bare = |text: &str| text.replace([' ', '\n'], "");
        prop_assert_eq!(bare(&wrapped), bare(&text));
        for line in wrapped.split('\n') {
            let shown: Vec<&str> = Shown(line, 0).map(|(_, shown)| shown).collect();
            let columns: usize = shown.iter().map(|shown| shown.width()).sum();
            let place = shown.iter().position(|shown| *shown != " ").and_then(|first| {
                shown[first..shown.len() - 1].iter().position(|shown| matches!(*shown, " " | "-"))
            });
            prop_assert!(line.trim_end().is_empty() || columns <= width + 1 || place.is_none() || line.ends_with(' '), "{:?}", line);
        }
    }
}

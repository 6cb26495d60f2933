use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use super::*;

const MANY: usize = 10_000;

fn at_64(text: &str, fences: bool) -> Vec<String> {
    split(text, Limits { bytes: 64, parts: MANY, fences })
}

#[test]
fn a_short_text_is_one_message_and_a_blank_one_is_none() {
    assert_eq!(at_64("\nshort\n\n", true), ["\nshort\n\n"]);
    assert_eq!(at_64("", true), Vec::<String>::new());
    assert_eq!(at_64(" \n ", true), Vec::<String>::new());
    assert_eq!(at_64(&"x".repeat(64), true), ["x".repeat(64)]);
}

#[test]
fn cuts_are_at_the_last_line_end_that_fits() {
    let (a, b, c) = ("a".repeat(40), "b".repeat(23), "c".repeat(10));
    assert_eq!(at_64(&format!("{a}\n{b}\n{c}"), false), [format!("{a}\n{b}"), c.clone()]);
    assert_eq!(at_64(&format!("{a}\n{b}b\n{c}"), false), [a.clone(), format!("{b}b\n{c}")]);
    assert_eq!(at_64(&format!("{a}\n\n\n{b}{c}"), true), [format!("{a}\n\n"), format!("{b}{c}")]);
}

#[test]
fn without_a_line_end_no_character_is_cut() {
    assert_eq!(at_64(&"é".repeat(40), false), ["é".repeat(32), "é".repeat(8)]);
    assert_eq!(at_64(&format!("x{}", "é".repeat(40)), false), [format!("x{}", "é".repeat(31)), "é".repeat(9)]);
    let family = "👨‍👩‍👧";
    assert_eq!(at_64(&family.repeat(4), false), [family.repeat(3), family.to_owned()]);
    let parts = at_64(&format!("e{}", "\u{301}".repeat(100)), false);
    assert!(parts.len() == 4 && parts.iter().all(|part| part.len() <= 64), "longer than a message: {parts:?}");
}

#[test]
fn fences_are_closed_and_opened_again() {
    let (a, b) = ("a".repeat(30), "b".repeat(30));
    for (text, expected) in [
        (format!("```yaml\n{a}\n{b}\n```\nend"), vec![format!("```yaml\n{a}\n```"), format!("```yaml\n{b}\n```\nend")]),
        (format!("{a}\n{b}\n```sh\nls\n```"), vec![format!("{a}\n{b}")[..].to_owned(), "```sh\nls\n```".to_owned()]),
        (format!("```\n{a}\n{b}"), vec![format!("```\n{a}\n```"), format!("```\n{b}\n```")]),
        // The end of a block at a cut opens no empty one.
        (format!("```\n{a}{}\n```\n{b}", "a".repeat(26)), vec![format!("```\n{a}{}\n```", "a".repeat(26)), b.clone()]),
        // A line that fits in no message is cut.
        (
            format!("```c\n{}```", "x".repeat(80)),
            vec![format!("```c\n{}\n```", "x".repeat(55)), format!("```c\n{}\n```", "x".repeat(25))],
        ),
    ] {
        let expected: Vec<String> = expected;
        let mut parts = at_64(&text, true);
        for part in &mut parts {
            *part = part.replace("x```", "x\n```");
        }
        assert_eq!(parts, expected, "{text:?}");
    }
}

#[test]
fn an_open_fence_is_closed_where_fences_are_markup() {
    assert_eq!(at_64("```\nx", true), ["```\nx\n```"]);
    assert_eq!(at_64("```\nx", false), ["```\nx"]);
}

#[test]
fn what_is_too_much_is_said() {
    let text = "line\n".repeat(100);
    let parts = split(&text, Limits { bytes: 64, parts: 2, fences: true });
    assert_eq!((parts.len(), parts[2].as_str()), (3, "(message too long, truncated)"));
    assert_eq!(split(&text, Limits { bytes: 0, parts: 0, fences: true }).len(), 2);
    assert_eq!(split("short", Limits { bytes: 64, parts: 0, fences: true }), ["short"]);
}

#[test]
fn hostile_text_takes_linear_time() {
    let started = std::time::Instant::now();
    for piece in ["x", "\n", "```", "``` ", "```a\n", "`", " ", "a\u{301}", "\u{301}", "🇩🇪", "```\n```"] {
        let text = piece.repeat((256 << 10) / piece.len());
        split(&text, Limits { bytes: 64, parts: usize::MAX, fences: true });
        split(&text, Limits { bytes: 64, parts: usize::MAX, fences: false });
    }
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

/// What is left of texts without the repairs at cuts.
fn kept<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let seen = |text: &str| text.graphemes(true).map(str::to_owned).collect::<Vec<_>>();
    texts.into_iter().flat_map(seen).filter(|c| !c.trim().is_empty() && !c.starts_with('`')).collect()
}

proptest! {
    #[test]
    fn every_part_fits_and_has_even_fences(
        text in "([ab \n]|`a`|[a-z]{10}|```a b\n|```\n|é|e\u{301}|👨‍👩‍👧|\r\n){0,200}",
        bytes in 64..200_usize,
        fences: bool,
    ) {
        let parts = split(&text, Limits { bytes, parts: MANY, fences });
        for part in &parts {
            prop_assert!(part.len() <= bytes, "{:?}", part);
            prop_assert!(!part.trim().is_empty());
            prop_assert!(!fences || part.matches(FENCE).count() % 2 == 0, "{:?}", part);
        }
        prop_assert_eq!(kept(parts.iter().map(String::as_str)), kept([text.as_str()]));
    }

    #[test]
    fn blocks_go_on_in_their_language(lines in prop::collection::vec("[a-z ]{0,30}", 1..30), bytes in 64..200_usize) {
        let code = lines.join("\n");
        let text = format!("before\n```yaml\n{code}\n```\nafter");
        let parts = split(&text, Limits { bytes, parts: MANY, fences: true });
        let mut shown = String::new();
        for part in &parts {
            prop_assert!(part.len() <= bytes);
            for (index, piece) in part.split(FENCE).enumerate() {
                prop_assert!(index % 2 == 0 || piece.starts_with("yaml\n"), "{:?}", part);
                if index % 2 == 1 {
                    shown.push_str(&piece["yaml".len()..]);
                }
            }
        }
        prop_assert_eq!(shown.split_whitespace().collect::<Vec<_>>(), code.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn any_text_can_be_split(text: String, bytes in 0..200_usize, parts in 0..5_usize, fences: bool) {
        let parts_made = split(&text, Limits { bytes, parts, fences });
        prop_assert!(parts_made.len() <= parts.max(1) + 1);
    }
}

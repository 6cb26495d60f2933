//! Emoji by their short names, for services that know none (spec: configuration §7.2).

/// Names of chat services for what the table of the library calls otherwise.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("large_green_circle", "green_circle"),
    ("large_orange_circle", "orange_circle"),
    ("large_yellow_circle", "yellow_circle"),
    ("robot_face", "robot"),
];

/// The characters of the emoji called `name`; dashes stand for underscores.
pub fn unicode(name: &str) -> Option<&'static str> {
    // As it is first: `-1` is a name of its own.
    look_up(name).or_else(|| name.contains('-').then(|| look_up(&name.replace('-', "_"))).flatten())
}

fn look_up(name: &str) -> Option<&'static str> {
    let name = OTHER_NAMES.iter().find(|(other, _)| *other == name).map_or(name, |(_, known)| known);
    emojis::get_by_shortcode(name).map(emojis::Emoji::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyday_names_are_known() {
        for (name, expected) in [
            ("white_check_mark", "✅"),
            ("white-check-mark", "✅"),
            ("x", "❌"),
            ("warning", "⚠️"),
            ("rotating_light", "🚨"),
            ("rocket", "🚀"),
            ("tada", "🎉"),
            ("fire", "🔥"),
            ("bug", "🐛"),
            ("lock", "🔒"),
            ("hourglass_flowing_sand", "⏳"),
            ("thumbsup", "👍"),
            ("+1", "👍"),
            ("-1", "👎"),
            ("robot_face", "🤖"),
        ] {
            assert_eq!(unicode(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn every_other_name_leads_to_an_emoji() {
        for (other, known) in OTHER_NAMES {
            assert!(unicode(other).is_some() && unicode(other) == unicode(known), "{other}");
        }
    }

    #[test]
    fn what_is_no_name_is_unknown() {
        for name in ["", "nonsense", "_", "-", "Rocket", "12"] {
            assert_eq!(unicode(name), None, "{name}");
        }
    }
}

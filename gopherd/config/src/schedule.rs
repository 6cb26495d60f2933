//! The shape of a `Schedule` (spec: configuration §2.2): when it comes due is the engine's affair.

use crate::{services::time_zone_problem, units::parse_duration};

const DESCRIPTORS: [&str; 8] =
    ["@init", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// One field: its word, its range, and names for its first values.
type Field = (&'static str, u32, u32, &'static [&'static str]);

const FIELDS: [Field; 6] = [
    ("second", 0, 59, &[]),
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of month", 1, 31, &[]),
    ("month", 1, 12, &MONTHS),
    ("day of week", 0, 6, &DAYS),
];

/// What is wrong with a schedule, as the end of a sentence.
pub(crate) fn problem(schedule: &str) -> Option<String> {
    let mut text = schedule.trim();
    if let Some(rest) = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) {
        let (zone, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if let Some(problem) = time_zone_problem(zone) {
            return Some(problem);
        }
        text = after.trim();
    }
    if let Some(every) = text.strip_prefix("@every") {
        let fine = every.starts_with(char::is_whitespace)
            && parse_duration(every.trim()).is_some_and(|duration| !duration.is_zero());
        return (!fine).then(|| format!("`{text}` needs a duration, such as `@every 90m`"));
    }
    if text.starts_with('@') {
        return (!DESCRIPTORS.contains(&text))
            .then(|| format!("`{text}` is none of @init, @hourly, @daily, @weekly, @monthly, @yearly and @every"));
    }
    let given: Vec<&str> = text.split_whitespace().collect();
    let fields = match given.len() {
        6 => &FIELDS[..],
        5 => &FIELDS[1..],
        n => return Some(format!("`{schedule}` has {n} fields in place of 5 (minute first) or 6 (second first)")),
    };
    let wrong = given.iter().zip(fields).find(|(text, field)| !text.split(',').all(|part| fits(part, field)));
    wrong.map(|(text, (word, low, high, _))| format!("`{text}` does not fit the {word}, which is {low} to {high}"))
}

/// One part of a field: `*`, `n`, `n-m`, each also with `/step`.
fn fits(part: &str, field: &Field) -> bool {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    if step.is_some_and(|step| digits(step).is_none_or(|n| n == 0)) {
        return false;
    }
    if matches!(range, "*" | "?") {
        return true;
    }
    match range.split_once('-') {
        Some((from, to)) => matches!((value(from, field), value(to, field)), (Some(from), Some(to)) if from <= to),
        None => value(range, field).is_some(),
    }
}

fn value(text: &str, (_, low, high, names): &Field) -> Option<u32> {
    let by_name = names.iter().zip(*low..).find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, n)| n);
    by_name.or_else(|| digits(text)).filter(|n| (*low..=*high).contains(n))
}

fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_have_one_of_the_shapes() {
        for good in [
            "@init",
            " @daily ",
            "@every 1h30m",
            "0 0 * * *",
            "*/15 9-17 * jan-mar MON-fri",
            "30 0 0 1,15 * ?",
            "5/10 * * * *",
            "TZ=Europe/Berlin 0 6 * * *",
            "CRON_TZ=UTC @hourly",
        ] {
            assert_eq!(problem(good), None, "{good}");
        }
        for (bad, expected) in [
            ("@often", "`@often` is none of @init, @hourly, @daily, @weekly, @monthly, @yearly and @every"),
            ("@every", "`@every` needs a duration, such as `@every 90m`"),
            ("@every 0s", "`@every 0s` needs a duration, such as `@every 90m`"),
            ("@everyday 1h", "`@everyday 1h` needs a duration, such as `@every 90m`"),
            ("0 0 * *", "`0 0 * *` has 4 fields in place of 5 (minute first) or 6 (second first)"),
            ("60 0 * * *", "`60` does not fit the minute, which is 0 to 59"),
            ("0 0 0 * *", "`0` does not fit the day of month, which is 1 to 31"),
            ("0 0 * * 7", "`7` does not fit the day of week, which is 0 to 6"),
            ("0 17-9 * * *", "`17-9` does not fit the hour, which is 0 to 23"),
            ("*/0 * * * *", "`*/0` does not fit the minute, which is 0 to 59"),
            ("+1 * * * *", "`+1` does not fit the minute, which is 0 to 59"),
            (",1 * * * *", "`,1` does not fit the minute, which is 0 to 59"),
            ("TZ=a;b 0 0 * * *", "`a;b` is not the name of a time zone, such as `Europe/Berlin`"),
        ] {
            assert_eq!(problem(bad).as_deref(), Some(expected), "{bad}");
        }
    }
}

//! Moments and durations as people read them.

/// `2026-11-25 02:20:11.123`, UTC.
pub(crate) fn stamp(milliseconds: u64) -> String {
    let (seconds, ms) = (milliseconds / 1000, milliseconds % 1000);
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{ms:03}")
}

/// Year, month and day of a day counted from 1970. Years start in March, so that leap days come last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// `7s`, `2m05s`, `3h07m`, `12d03h`.
pub(crate) fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_calendar_dates() {
        assert_eq!(stamp(0), "1970-01-01 00:00:00.000");
        assert_eq!(stamp(951_782_400_000), "2000-02-29 00:00:00.000");
        assert_eq!(stamp(1_709_251_199_999), "2024-02-29 23:59:59.999");
        assert_eq!(stamp(1_795_573_211_123), "2026-11-25 02:20:11.123");
        assert_eq!(stamp(4_107_542_400_000), "2100-03-01 00:00:00.000");
    }

    #[test]
    fn spans_show_two_units() {
        let shown: Vec<String> = [7, 125, 11_220, 1_047_600].map(span).into();
        assert_eq!(shown, ["7s", "2m05s", "3h07m", "12d03h"]);
    }
}

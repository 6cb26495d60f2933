//! `date`, which only shows the time.

use std::{ffi::OsString, os::unix::ffi::OsStrExt};

use jiff::{Zoned, tz::TimeZone};

use crate::{
    job::{Job, Outcome, Stop, usage},
    options::parse,
};

pub(crate) fn date(arguments: &[OsString], job: &mut Job<'_>) -> Outcome {
    let options = parse(arguments, "u", &[("utc", 'u')])?;
    let zone = if options.has('u') { TimeZone::UTC } else { zone(job) };
    let now = Zoned::now().with_time_zone(zone);
    let text = match options.operands.as_slice() {
        [] => now.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().replace("+00:00", "Z"),
        [one] => match one.as_bytes().strip_prefix(b"+") {
            Some(format) => render(&now, &String::from_utf8_lossy(format))?,
            None => return usage(format!("the format \"{}\" does not begin with +", one.display())),
        },
        _ => return usage("more than one format is given"),
    };
    Ok(writeln!(job.stdout, "{text}")?)
}

/// The shell's variable TZ, else the system's zone.
fn zone(job: &Job<'_>) -> TimeZone {
    match job.variable("TZ") {
        Some("") => TimeZone::UTC,
        Some(name) => TimeZone::posix(name).or_else(|_| TimeZone::get(name)).unwrap_or(TimeZone::UTC),
        None => TimeZone::system(),
    }
}

fn render(now: &Zoned, format: &str) -> Result<String, Stop> {
    jiff::fmt::strtime::format(format, now)
        .map_err(|_| Stop::Failed(format!("the format \"{format}\" has a directive that is not known"), 1))
}

#[cfg(test)]
mod tests {
    use jiff::civil;

    use super::render;
    use crate::testing::Case;

    #[test]
    fn the_directives_of_the_manual_are_known() {
        let moment = civil::date(2026, 3, 7).at(4, 5, 6, 0).in_tz("UTC").unwrap();
        for (format, text) in [
            ("%Y-%m-%d %H:%M:%S", "2026-03-07 04:05:06"),
            ("%a %b %T %F", "Sat Mar 04:05:06 2026-03-07"),
            ("%s %j %%", "1772856306 066 %"),
            ("plain", "plain"),
        ] {
            assert_eq!(render(&moment, format).unwrap(), text);
        }
        assert!(render(&moment, "%!").is_err());
    }

    #[test]
    fn the_time_is_shown_as_rfc_3339_and_in_the_zone_of_the_shell() {
        let done = Case::line("date").variable("TZ", "UTC").run();
        assert!(done.stdout.ends_with("Z\n") && done.stdout.len() == 21, "{}", done.stdout);
        assert_eq!(Case::line("date +%z").variable("TZ", "Asia/Tokyo").run().stdout, "+0900\n");
        assert_eq!(Case::line("date -u +%z").variable("TZ", "Asia/Tokyo").run().stdout, "+0000\n");
        assert_eq!(Case::line("date tomorrow").run().status, 2);
    }
}

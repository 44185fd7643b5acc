//! Times and durations as people, models and other tools write them.
//!
//! What is ambiguous is refused: `1M` is a minute or a month, `5` has no unit, `2026` is a year or a number of seconds.

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::words::short;
use crate::definition::Period;

/// What a `time_range` looks like, for errors.
pub(super) const RANGE: &str = "a duration such as `15m`, `1h`, `24h` or `7d`";
/// What a `timestamp` looks like, for errors.
pub(super) const MOMENT: &str = "a time in RFC 3339 such as `2026-11-20T10:00:00Z`";

/// What may stand before a duration and says nothing more than that it lies in the past.
const BEFORE: [&str; 6] = ["the last ", "last ", "past ", "now -", "now-", "-"];

/// Units and how many seconds they have. Months and years have no one length.
const UNITS: [(&[&str], f64); 5] = [
    (&["s", "sec", "secs", "second", "seconds"], 1.0),
    (&["m", "min", "mins", "minute", "minutes"], 60.0),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600.0),
    (&["d", "day", "days"], 86_400.0),
    (&["w", "wk", "wks", "week", "weeks"], 604_800.0),
];

/// Longest duration that is read: what is longer is a mistake, and the arithmetic of times stays in bounds.
const LONGEST: f64 = 100.0 * 366.0 * 86_400.0;

/// Reads a `time_range`.
pub fn range(text: &str) -> Result<Period, String> {
    let refused = || format!("must be {RANGE}, not `{}`", short(text));
    if let Ok(period) = Period::parse(text)
        && text.ends_with(['m', 'h', 'd', 'w'])
    {
        return Ok(period);
    }
    let words = text.trim();
    if let Some(number) = words.strip_suffix('M').filter(|number| number.bytes().all(|b| b.is_ascii_digit())) {
        return Err(format!("must be {RANGE}: `{0}M` may be {0} minutes (`{0}m`) or months", short(number)));
    }
    let lowered = words.to_ascii_lowercase();
    let words = BEFORE.iter().find_map(|before| lowered.strip_prefix(before)).unwrap_or(&lowered);
    let words = words.strip_suffix(" ago").unwrap_or(words).trim();
    // The last hour.
    let one = unit(words).filter(|_| words.len() > 2);
    let seconds = one.or_else(|| length(words)).ok_or_else(refused)?;
    if seconds % 60.0 != 0.0 {
        return Err(format!("must be whole minutes, hours, days or weeks, not `{}`", short(text)));
    }
    Ok(Period::from_secs(seconds as u64))
}

/// A duration in seconds: `1h`, `1 hour`, `1h30m`, `1.5 h`, `PT1H30M`.
fn length(words: &str) -> Option<f64> {
    let (mut rest, iso) = match words.strip_prefix('p') {
        Some(rest) => (rest, true),
        None => (words, false),
    };
    let (mut total, mut behind_t) = (0.0, false);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('t').filter(|_| iso && !behind_t) {
            (rest, behind_t) = (after, true);
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(digits)?;
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (name, after) = match iso {
            true => after.split_at_checked(1)?,
            false => after.split_at_checked(letters)?,
        };
        // In ISO 8601 the letter `M` before the `T` is a month.
        if iso && name == "m" && !behind_t {
            return None;
        }
        total += number.parse::<f64>().ok()? * unit(name)?;
        rest = after.trim_start_matches([' ', ',']);
    }
    (total > 0.0 && total < LONGEST).then_some(total)
}

fn unit(word: &str) -> Option<f64> {
    UNITS.iter().find(|(names, _)| names.contains(&word)).map(|(_, seconds)| *seconds)
}

/// A time, and what was made of it where it was not plain.
pub struct Moment {
    pub at: OffsetDateTime,
    pub taken: Option<Taken>,
}

/// How a time that is not plain RFC 3339 was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It has no zone.
    AsUtc,
    /// Seconds, milliseconds, … since 1970.
    SinceEpoch(&'static str),
    /// From the current time.
    Relative,
}

/// Reads a `timestamp`.
pub fn moment(text: &str, now: OffsetDateTime) -> Result<Moment, String> {
    let plain = |at: OffsetDateTime, taken| Moment { at: at.to_offset(UtcOffset::UTC), taken };
    if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(plain(at, None));
    }
    let words = text.trim().to_ascii_lowercase();
    let found = relative(&words, now).map(|at| plain(at, Some(Taken::Relative)));
    let found = found.or_else(|| since_epoch(&words).map(|(at, unit)| plain(at, Some(Taken::SinceEpoch(unit)))));
    let found = found.or_else(|| calendar(&words).map(|(at, zone)| plain(at, (!zone).then_some(Taken::AsUtc))));
    found.ok_or_else(|| format!("must be {MOMENT}, not `{}`", short(text)))
}

/// `now`, `now-1h`, `now + 5m`, `-1h`, `1 hour ago`.
fn relative(words: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
    if words == "now" {
        return Some(now);
    }
    let (length, past) = if let Some(rest) = words.strip_prefix("now") {
        let rest = rest.trim_start();
        match rest.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (rest.strip_prefix('+')?, false),
        }
    } else if let Some(rest) = words.strip_suffix(" ago") {
        (rest, true)
    } else {
        (words.strip_prefix('-')?, true)
    };
    let length = time::Duration::seconds_f64(self::length(length.trim())?);
    if past { now.checked_sub(length) } else { now.checked_add(length) }
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by how many digits they have: 10, 13, 16
/// and 19 from 2001 to 2286.
fn since_epoch(words: &str) -> Option<(OffsetDateTime, &'static str)> {
    let (whole, fraction) = words.split_once('.').unwrap_or((words, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (unit, nanoseconds) = match whole.len() {
        10 => ("seconds", 1_000_000_000),
        13 => ("milliseconds", 1_000_000),
        16 => ("microseconds", 1_000),
        19 => ("nanoseconds", 1),
        _ => return None,
    };
    let count: i128 = whole.parse().ok()?;
    let part: f64 = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse().ok()? };
    let at = count * nanoseconds + (part * nanoseconds as f64) as i128;
    Some((OffsetDateTime::from_unix_timestamp_nanos(at).ok()?, unit))
}

/// A date, with a time of day and a zone or without; and whether there is a zone.
fn calendar(words: &str) -> Option<(OffsetDateTime, bool)> {
    let (date, rest) = words.split_at_checked(10)?;
    let rest = rest.strip_prefix(['t', ' ']).or(rest.is_empty().then_some(""))?;
    let (time, zone) = match rest.find(['z', '+', '-', 'u', 'g', ' ']) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, ""),
    };
    let time = match time.len() {
        0 => "00:00:00".to_owned(),
        5 => format!("{time}:00"),
        _ => time.to_owned(),
    };
    let zone = zone.trim_start();
    let offset = match zone {
        "" | "z" | "utc" | "gmt" => "Z".to_owned(),
        // `+02`, `+0200`, `+02:00`
        _ => {
            let (sign, digits) = zone.split_at_checked(1)?;
            let digits = digits.replacen(':', "", 1);
            let digits = if digits.len() == 2 { format!("{digits}00") } else { digits };
            let (hours, minutes) = digits.split_at_checked(2)?;
            format!("{sign}{hours}:{minutes}")
        }
    };
    let at = OffsetDateTime::parse(&format!("{date}T{time}{offset}"), &Rfc3339).ok()?;
    Some((at, !zone.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> OffsetDateTime {
        OffsetDateTime::parse("2026-11-20T11:02:00Z", &Rfc3339).unwrap()
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, minutes) in [
            ("1h", 60),
            ("1 hour", 60),
            ("60min", 60),
            ("60 minutes", 60),
            ("1hr", 60),
            ("now-1h", 60),
            ("-1h", 60),
            ("last 2 hours", 120),
            ("last hour", 60),
            ("past day", 1440),
            ("the last 30 minutes", 30),
            ("1H", 60),
            ("1h30m", 90),
            ("1 hour 30 minutes", 90),
            ("1.5h", 90),
            ("PT1H", 60),
            ("P1D", 1440),
            ("PT90M", 90),
            ("3600s", 60),
            ("300 seconds", 5),
            ("1 week", 10080),
            ("2 days ago", 2880),
            (" 24h ", 1440),
            ("now - 6h", 360),
        ] {
            assert_eq!(range(text), Ok(Period::from_secs(minutes * 60)), "{text}");
        }
        for text in [
            "",
            "5",
            "h",
            "1M",
            "1 month",
            "1y",
            "90s",
            "5s",
            "0h",
            "-0h",
            "h1",
            "1h-2h",
            "today",
            "P1M",
            "1hh",
            "1 h x",
            "1e3h",
            "..5h",
            "9999999999w",
            "NaN h",
            "now",
            "now-",
            "1:30",
        ] {
            assert!(range(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_as_people_and_machines_write_them() {
        use Taken::{AsUtc, Relative, SinceEpoch};
        for (text, at, taken) in [
            ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z", None),
            ("2026-11-20t10:00:00z", "2026-11-20T10:00:00Z", None),
            ("2026-11-20T12:00:00+02:00", "2026-11-20T10:00:00Z", None),
            ("2026-11-20T12:00:00+0200", "2026-11-20T10:00:00Z", None),
            ("2026-11-20 12:00 +02", "2026-11-20T10:00:00Z", None),
            ("2026-11-20 10:00:00 UTC", "2026-11-20T10:00:00Z", None),
            ("2026-11-20T10:00Z", "2026-11-20T10:00:00Z", None),
            ("2026-11-20T10:00:00", "2026-11-20T10:00:00Z", Some(AsUtc)),
            ("2026-11-20 10:00:00.250", "2026-11-20T10:00:00.25Z", Some(AsUtc)),
            ("2026-11-20T10:00", "2026-11-20T10:00:00Z", Some(AsUtc)),
            ("2026-11-20", "2026-11-20T00:00:00Z", Some(AsUtc)),
            ("now", "2026-11-20T11:02:00Z", Some(Relative)),
            ("now-1h", "2026-11-20T10:02:00Z", Some(Relative)),
            ("now - 30s", "2026-11-20T11:01:30Z", Some(Relative)),
            ("Now+1h", "2026-11-20T12:02:00Z", Some(Relative)),
            ("-1h30m", "2026-11-20T09:32:00Z", Some(Relative)),
            ("1 hour ago", "2026-11-20T10:02:00Z", Some(Relative)),
            ("1795168800", "2026-11-20T10:00:00Z", Some(SinceEpoch("seconds"))),
            ("1795168800.5", "2026-11-20T10:00:00.5Z", Some(SinceEpoch("seconds"))),
            ("1795168800000", "2026-11-20T10:00:00Z", Some(SinceEpoch("milliseconds"))),
            ("1795168800000000", "2026-11-20T10:00:00Z", Some(SinceEpoch("microseconds"))),
            ("1795168800000000000", "2026-11-20T10:00:00Z", Some(SinceEpoch("nanoseconds"))),
        ] {
            let read = moment(text, now()).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((read.at, read.taken), (OffsetDateTime::parse(at, &Rfc3339).unwrap(), taken), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "today",
            "10:00",
            "2026",
            "1795168",
            "1h",
            "2026-13-01T00:00:00Z",
            "2026-02-30",
            "now-1h/h",
            "now-",
            "now1h",
            "2026-11-20T10",
            "2026-11-20T10:00:00 CET",
            "2026-11-20T10:00:00 02:00",
            "20-11-2026",
            "11/20/2026",
            "2026-11-20T25:00",
            "now-1month",
            "-",
            "20261120",
            "2026-11-20T10:00:00+2",
        ] {
            assert!(moment(text, now()).is_err(), "{text}");
        }
    }
}

//! Time windows: what was asked, what it means, and what was really read.

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{arguments, error::CallError};
use crate::definition::{Alternative, Period, Window};

/// What callers' clocks may be ahead of ours.
const SKEW: Duration = Duration::minutes(1);

/// A half-open window of time, UTC: `from` belongs to it, `to` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeWindow {
    pub from: OffsetDateTime,
    pub to: OffsetDateTime,
}

impl TimeWindow {
    /// The window that a call asks for: `start` and `end`, or a `time_range` that ends now, or the default. Without
    /// `end` it ends now; without `start` it has the default length. Notes say what was made of times that were not
    /// plain.
    ///
    /// # Errors
    /// `InvalidArguments` for mixed or reversed bounds and for windows longer than the definition allows.
    pub fn resolve(
        now: OffsetDateTime,
        limits: &Window,
        time_range: Option<&str>,
        from: Option<&str>,
        to: Option<&str>,
        notes: &mut Vec<String>,
    ) -> Result<Self, CallError> {
        let mut read = |name: &str, text: &str| match arguments::moment(text, now) {
            Ok(moment) => {
                notes.extend(moment.note(text).map(|note| format!("`{name}` {note}")));
                Ok(moment.at)
            }
            Err(mistake) => Err(CallError::invalid(format!("`{name}` {mistake}"))),
        };
        let window = match (time_range, from, to) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return Err(CallError::invalid("`time_range` cannot be combined with `start` and `end`")
                    .hint("pass either `time_range`, or `start` and `end`"));
            }
            (None, None, Some(to)) => {
                // An hour before an end that lies ahead would hold nothing yet.
                let to = read("end", to)?;
                Self { from: before(to.min(now), limits.default), to }
            }
            (None, Some(from), to) => {
                Self { from: read("start", from)?, to: to.map_or(Ok(now), |to| read("end", to))? }
            }
            (range, None, None) => {
                let length = match range {
                    Some(text) => arguments::range(text)
                        .map_err(|mistake| CallError::invalid(format!("`time_range` {mistake}")))?,
                    None => limits.default,
                };
                Self { from: before(now, length), to: now }
            }
        };
        // What is still to come is no part of it: lengths and rates would be counted up to then.
        let window = match window.from < now && window.to > now {
            true => {
                if window.to - now > SKEW {
                    notes.push(format!("`end` lies after the present: the window ends now, at {} UTC", stamp(now)));
                }
                Self { to: now, ..window }
            }
            false => window,
        };
        if window.from >= now && window.to == now && time_range.is_none() {
            let (start, present) = (stamp(window.from), stamp(now));
            let set = if is_set(now) { " here, because `server.clock` is set" } else { "" };
            return Err(CallError::invalid(format!(
                "`start` ({start}) does not lie before the present, which is {present}{set}"
            ))
            .hint(format!("ask for a time before {present}, or leave out `start`: then the window ends there")));
        }
        if window.from >= window.to {
            return Err(CallError::invalid("`start` must be earlier than `end`")
                .hint("`end` is exclusive; without it, it is now"));
        }
        // Beyond it databases cannot compute with times of nanoseconds.
        let known = 1901..2262;
        if !known.contains(&window.from.year()) || !known.contains(&window.to.year()) {
            let what = match time_range {
                Some(_) => "`time_range` reaches back before the year 1901",
                None => "`start` and `end` lie between the years 1901 and 2261",
            };
            return Err(CallError::invalid(what));
        }
        if window.length() > limits.max.0 {
            return Err(CallError::invalid(format!(
                "the window of {} is longer than the {} that is allowed here",
                label(window.length()),
                limits.max
            ))
            .hint(format!("ask for at most {}, or for several windows one after the other", limits.max)));
        }
        Ok(window)
    }

    pub fn length(&self) -> Duration {
        self.to - self.from
    }

    /// The window of the same length just before.
    pub fn previous(&self) -> Self {
        Self { from: self.from - self.length(), to: self.from }
    }

    /// How much of it counts: data that are silent for less than that before its end are not, and a window that ended
    /// less than that ago ends now.
    pub fn much(&self) -> Duration {
        (self.length() / 8_i32).clamp(Duration::minutes(2), Duration::minutes(30))
    }

    /// Whether what is so now is so at its end.
    pub fn ends_now(&self, now: OffsetDateTime) -> bool {
        self.from < now && now - self.to < self.much()
    }

    /// The window with `from` moved down to the start of its bucket.
    pub fn aligned(&self, bucket: Period) -> Self {
        let width = i128::try_from(bucket.0.as_nanos()).unwrap_or(i128::MAX);
        let at = self.from.unix_timestamp_nanos();
        let from = OffsetDateTime::from_unix_timestamp_nanos(at - at.rem_euclid(width)).unwrap_or(self.from);
        Self { from, to: self.to }
    }

    /// The window that a way of a query reads: from the start of a bucket where it reads these. One that reads kept sums ends
    /// with a whole bucket too. The rows of the rest of a minute would cost as much as all rows of its day.
    pub fn read_by(&self, way: &Alternative) -> Self {
        let Some(bucket) = way.align else { return *self };
        let aligned = self.aligned(bucket);
        if way.kept.is_none() {
            return aligned;
        }
        let to = Self { from: self.to, to: self.to }.aligned(bucket).from;
        if to > aligned.from { Self { to, ..aligned } } else { aligned }
    }

    /// Length for people: `1h`, `90m`, `1d`.
    pub fn label(&self) -> String {
        label(self.length())
    }

    pub fn hours(&self) -> f64 {
        self.length().as_seconds_f64() / 3600.0
    }
}

/// What a window is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Baseline {
    /// The window of the same length just before.
    #[default]
    Previous,
    /// The same window so much earlier.
    Earlier(Duration),
    /// A window of its own.
    Of(TimeWindow),
}

impl Baseline {
    /// The same hours so many days before, or twice, three times as many where the window is longer than that.
    pub fn days(days: i64, window: TimeWindow) -> Self {
        let step = Duration::days(days);
        let times = window.length().whole_seconds().max(1).saturating_sub(1) / step.whole_seconds().max(1) + 1;
        Self::Earlier(step.saturating_mul(i32::try_from(times).unwrap_or(i32::MAX)))
    }

    /// What sentences call it, to follow "the".
    pub fn called(self) -> String {
        let Self::Earlier(by) = self else {
            return if self == Self::Previous { "window before" } else { "other window" }.to_owned();
        };
        match by.whole_days() {
            1 => "same hours of the day before".to_owned(),
            7 => "same hours of the week before".to_owned(),
            days => format!("same hours {days} days before"),
        }
    }

    /// Of a window that may have been moved to whole buckets.
    pub fn of(self, window: TimeWindow) -> TimeWindow {
        match self {
            Self::Previous => window.previous(),
            Self::Earlier(by) => match (window.from.checked_sub(by), window.to.checked_sub(by)) {
                // A window that was moved to whole buckets may be longer than what lies between.
                (Some(from), Some(to)) => TimeWindow { from, to: to.min(window.from) },
                _ => window.previous(),
            },
            Self::Of(other) => other,
        }
    }
}

/// The time so much earlier, or the earliest that there is.
fn before(at: OffsetDateTime, length: Period) -> OffsetDateTime {
    let earlier = Duration::try_from(length.0).ok().and_then(|length| at.checked_sub(length));
    earlier.unwrap_or(time::PrimitiveDateTime::MIN.assume_utc())
}

fn label(length: Duration) -> String {
    let millis = u64::try_from(length.whole_milliseconds()).unwrap_or(u64::MAX).max(1);
    Period(std::time::Duration::from_millis(millis)).to_string()
}

/// Whether a clock that says `now` was set to say so (`server.clock`).
pub fn is_set(now: OffsetDateTime) -> bool {
    (OffsetDateTime::now_utc() - now).abs() > Duration::seconds(5)
}

/// A time as a source or a checked argument writes it, in UTC.
pub fn parsed(text: &str) -> Option<OffsetDateTime> {
    Some(OffsetDateTime::parse(text, &Rfc3339).ok()?.to_offset(time::UtcOffset::UTC))
}

/// RFC 3339 with no fraction where there is none, else three digits: what people and models read.
pub fn stamp(at: OffsetDateTime) -> String {
    let at = at.replace_nanosecond(at.millisecond() as u32 * 1_000_000).unwrap_or(at);
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> OffsetDateTime {
        OffsetDateTime::parse(text, &Rfc3339).unwrap()
    }

    fn resolve(range: Option<&str>, from: Option<&str>, to: Option<&str>) -> Result<TimeWindow, CallError> {
        TimeWindow::resolve(at("2026-11-20T11:02:00Z"), &Window::default(), range, from, to, &mut Vec::new())
    }

    #[test]
    fn windows_resolve_and_refuse() {
        assert_eq!(resolve(None, None, None).unwrap().label(), "1h");
        assert_eq!(resolve(Some("24h"), None, None).unwrap().from, at("2026-11-19T11:02:00Z"));
        let open = resolve(None, Some("2026-11-20T12:00:00+02:00"), None).unwrap();
        assert_eq!((open.from, open.to), (at("2026-11-20T10:00:00Z"), at("2026-11-20T11:02:00Z")));
        let closed = resolve(None, Some("2026-11-20T10:00:00Z"), Some("2026-11-20T10:30:00Z")).unwrap();
        assert_eq!(closed.previous(), TimeWindow { from: at("2026-11-20T09:30:00Z"), to: at("2026-11-20T10:00:00Z") });
        let ahead = resolve(None, Some("2026-11-20T10:00:00Z"), Some("2026-11-20T13:00:00Z")).unwrap();
        assert_eq!(ahead.to, at("2026-11-20T11:02:00Z"), "the future is no part of it");
        let future = resolve(None, Some("2026-11-20T12:00:00Z"), Some("2026-11-20T13:00:00Z")).unwrap();
        assert_eq!(future.label(), "1h");
        let ahead = resolve(None, None, Some("2026-11-25T00:00:00Z")).unwrap();
        assert_eq!((ahead.from, ahead.to), (at("2026-11-20T10:02:00Z"), at("2026-11-20T11:02:00Z")));
        let ended = resolve(None, None, Some("2026-11-20T10:00:00Z")).unwrap();
        assert_eq!((ended.from, ended.to), (at("2026-11-20T09:00:00Z"), at("2026-11-20T10:00:00Z")));
        for (range, from, to) in [
            (Some("1h"), Some("2026-11-20T10:00:00Z"), None),
            (None, Some("2026-11-20T10:00:00Z"), Some("2026-11-20T10:00:00Z")),
            (Some("8d"), None, None),
            (Some("5y"), None, None),
            (Some("999999999w"), None, None),
            (None, Some("today"), None),
            (Some("1h"), None, Some("2026-11-20T10:00:00Z")),
            (None, Some("now+1h"), None),
            (None, Some("9999-12-31T00:00:00Z"), Some("9999-12-31T01:00:00Z")),
            (None, Some("1900-01-01T00:00:00Z"), Some("1900-01-01T01:00:00Z")),
        ] {
            assert!(resolve(range, from, to).is_err());
        }
    }

    #[test]
    fn a_day_before_is_as_many_days_as_the_window_needs() {
        let of = |from: &str, to: &str, days| {
            let window = TimeWindow { from: at(from), to: at(to) };
            let before = Baseline::days(days, window).of(window);
            (stamp(before.from), stamp(before.to))
        };
        let stamps = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let (from, to) = ("2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z");
        assert_eq!(of(from, to, 1), stamps("2026-11-19T10:00:00Z", "2026-11-19T11:00:00Z"));
        assert_eq!(of(from, to, 7), stamps("2026-11-13T10:00:00Z", "2026-11-13T11:00:00Z"));
        assert_eq!(of("2026-11-19T11:00:00Z", to, 1), stamps("2026-11-18T11:00:00Z", "2026-11-19T11:00:00Z"));
        assert_eq!(of("2026-11-18T23:00:00Z", to, 1), stamps("2026-11-16T23:00:00Z", "2026-11-18T11:00:00Z"));
    }

    #[test]
    fn the_one_hour_window_over_hourly_buckets_reaches_back_to_the_bucket() {
        let window = resolve(Some("1h"), None, None).unwrap().aligned(Period::from_secs(3600));
        assert_eq!((window.from, window.to), (at("2026-11-20T10:00:00Z"), at("2026-11-20T11:02:00Z")));
        assert_eq!(stamp(window.from), "2026-11-20T10:00:00Z");
    }

    #[test]
    fn kept_sums_are_read_of_whole_buckets_alone() {
        let way = |yaml: &str| -> Alternative { serde_json::from_str(yaml).unwrap() };
        let window = resolve(None, Some("2026-11-20T10:17:21.25Z"), Some("2026-11-20T10:41:07.5Z")).unwrap();
        let read = |yaml: &str| {
            let TimeWindow { from, to } = window.read_by(&way(yaml));
            [stamp(from), stamp(to)].map(|at| at.replace("2026-11-20T", ""))
        };
        assert_eq!(read(r#"{ "sql": "SELECT 1" }"#), ["10:17:21.25Z", "10:41:07.5Z"]);
        assert_eq!(read(r#"{ "align": "1m", "sql": "SELECT 1" }"#), ["10:17:00Z", "10:41:07.5Z"]);
        let kept = r#"{ "align": "1m", "kept": { "proof": "whole" }, "sql": "SELECT 1" }"#;
        assert_eq!(read(kept), ["10:17:00Z", "10:41:00Z"]);
        let hours = r#"{ "align": "1h", "kept": { "proof": "whole" }, "sql": "SELECT 1" }"#;
        assert_eq!(read(hours), ["10:00:00Z", "10:41:07.5Z"], "there is no whole one");
    }
}

//! ClickHouse: functions with brackets, and some without.

use super::{Date, Writer, clock};

/// Functions whose brackets ClickHouse lets be left out.
const BARE: [&str; 7] = ["now", "today", "curdate", "current_date", "current_timestamp", "localtimestamp", "localtime"];

impl Writer<'_> {
    pub(super) fn clickhouse(&mut self, word: &str, at: usize, end: usize) -> usize {
        let called = end > at;
        if !called && !BARE.contains(&word) {
            return 1;
        }
        let arguments = self.arguments(at, end);
        let Some(now) = self.set else {
            self.reads_clock |= matches!(word, "now" | "now64" | "today" | "yesterday");
            return 1;
        };
        let zoned = |time: String, zone: Option<&String>| match zone {
            Some(zone) => format!("toTimeZone({time}, {zone})"),
            None => time,
        };
        let seconds = |zone| zoned(format!("toDateTime('{} {}', 'UTC')", now.date(), clock(now)), zone);
        let day = |date: Option<Date>| date.map(|date| format!("toDate('{date}')"));
        // With other arguments than these it is refused, as it is without a clock.
        let text = match (word, arguments.as_slice()) {
            ("now" | "current_timestamp" | "localtimestamp", [] | [_]) => Some(seconds(arguments.first())),
            ("utc_timestamp" | "utctimestamp", []) => Some(seconds(None)),
            ("localtime", []) => Some(format!("CAST('{}', 'Time')", clock(now))),
            ("now64", [] | [_] | [_, _]) => {
                let scale = arguments.first().map_or("3", String::as_str);
                let time =
                    format!("toDateTime64('{} {}.{:09}', {scale}, 'UTC')", now.date(), clock(now), now.nanosecond());
                Some(zoned(time, arguments.get(1)))
            }
            ("today" | "curdate" | "current_date", []) => day(Some(now.date())),
            ("yesterday", []) => day(now.date().previous_day()),
            _ => return 1,
        };
        // The column is called what it would be without a clock.
        let written = self.get(at).map_or(word, |token| token.text.trim_matches(['"', '`']));
        let name = if called { format!("{written}({})", arguments.join(", ")) } else { written.to_owned() };
        let plain = !name.contains(['`', '"', '\\']);
        let text = text.map(|text| if plain { format!("({text} AS `{name}`)") } else { text });
        self.replace(at, end, text)
    }
}

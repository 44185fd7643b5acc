//! PostgreSQL: functions, words that stand for them, and texts that become a time.

use super::{Dialect, Writer, clock};

/// Texts that become a time relative to the present.
pub(super) const RELATIVE: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

/// Types of times, by the word that is next to the text.
const TYPES: [&str; 6] = ["date", "time", "timetz", "timestamp", "timestamptz", "zone"];

impl Writer<'_> {
    pub(super) fn postgres(&mut self, word: &str, at: usize, end: usize) -> usize {
        let called = end > at;
        match word {
            "now" | "transaction_timestamp" | "statement_timestamp" | "clock_timestamp" if called => {}
            "current_timestamp" | "localtimestamp" | "current_date" | "current_time" | "localtime" => {}
            "age" if called => return self.age(at, end),
            _ => return 1,
        }
        let text = self.set.map(|now| match word {
            "current_date" => format!("CAST('{}' AS date)", now.date()),
            "current_time" => format!("CAST('{}.{:06}+00' AS timetz)", clock(now), now.microsecond()),
            "localtime" => format!("CAST('{}.{:06}' AS time)", clock(now), now.microsecond()),
            "localtimestamp" => format!("CAST('{} {}.{:06}' AS timestamp)", now.date(), clock(now), now.microsecond()),
            _ => format!("CAST('{} {}.{:06}+00' AS timestamptz)", now.date(), clock(now), now.microsecond()),
        });
        // A column is called after the one of a subquery, also behind casts: what it would be without a clock.
        let text = text.map(|text| format!("(SELECT {text} AS \"{word}\")"));
        self.replace(at, end, text)
    }

    /// `age(t)` is the time since the last midnight.
    fn age(&mut self, at: usize, end: usize) -> usize {
        if self.arguments(at, end).len() == 1 {
            self.reads_clock = true;
            if let Some(now) = self.set {
                self.edits.push((at + 2, at + 2, format!("CAST('{}' AS timestamp), ", now.date())));
            }
        }
        1
    }

    /// A text such as `'today'`: where the statement says that it is a time, it is the one of the clock. Elsewhere it may
    /// be a text.
    pub(super) fn postgres_text(&mut self, at: usize) {
        let Some(written) = self.get(at).map(|token| token.text) else { return };
        let text = written.trim_matches('\'');
        let Some(word) = super::relative(Dialect::Postgres, text.trim_matches('$')) else { return };
        let is_type = |at: Option<usize>| {
            let token = at.and_then(|at| self.get(at));
            TYPES.iter().any(|name| token.is_some_and(|token| token.is_word(name)))
        };
        let cast = self.is_word(at + 1, "as") && is_type(Some(at + 2));
        let timed = is_type(at.checked_sub(1)) || (self.is(at + 1, "::") && is_type(Some(at + 2))) || cast;
        self.reads_clock |= timed;
        let Some(now) = self.set else { return };
        if !timed || !written.starts_with('\'') {
            self.real.insert(word);
            return;
        }
        let present = |word: &str| {
            let day = match word {
                "now" => return Some(format!("{} {}.{:06}+00", now.date(), clock(now), now.microsecond())),
                "today" => Some(now.date()),
                "tomorrow" => now.date().next_day(),
                "yesterday" => now.date().previous_day(),
                _ => None,
            };
            day.map(|day| day.to_string())
        };
        let end = |c: char| !c.is_ascii_alphabetic();
        let words = text.split_inclusive(end).map(|piece| {
            let (word, behind) = piece.split_at(piece.find(end).unwrap_or(piece.len()));
            let word = present(&word.to_ascii_lowercase()).unwrap_or_else(|| word.to_owned());
            word + behind
        });
        self.edits.push((at, at + 1, format!("'{}'", words.collect::<String>())));
    }
}

//! SQLite: functions that take `'now'`, and intervals, which it does not know.

use std::ops::Range;

use super::{Kind, Token, Writer, instant, is_time};
use crate::sql::items::items;

/// How the platform's tables write a time.
pub(super) const STORED: &str = "'%Y-%m-%dT%H:%M:%fZ'";

/// Functions of SQLite that take `'now'`.
const SQLITE_TIMES: [&str; 6] = ["date", "time", "datetime", "julianday", "unixepoch", "strftime"];

impl Writer<'_> {
    pub(super) fn sqlite(&mut self, word: &str, at: usize, end: usize) -> usize {
        let called = end > at;
        let now = self.set.map_or_else(|| "'now'".to_owned(), |now| format!("'{}'", instant(now)));
        if word == "now" && called && end == at + 2 {
            let (modifiers, end) = self.interval(end);
            return self.replace(at, end, Some(format!("strftime({STORED}, {now}{modifiers})")));
        }
        if word == "current_timestamp" && !called {
            let (modifiers, end) = self.interval(end);
            let changed = self.set.is_some() || !modifiers.is_empty();
            return self.replace(at, end, changed.then(|| format!("datetime({now}{modifiers})")));
        }
        if !called && let "current_date" | "current_time" = word {
            let function = word.trim_start_matches("current_");
            return self.replace(at, end, self.set.map(|_| format!("{function}({now})")));
        }
        if called && word == "cast" {
            self.cast_to_time(at, end);
            return 1;
        }
        let is_now = |token: &Token<'_>| token.kind == Kind::Text && token.text.eq_ignore_ascii_case("'now'");
        if called && word == "timediff" {
            let arguments = (at + 2..end).filter(|at| self.get(*at).is_some_and(is_now)).collect::<Vec<_>>();
            self.reads_clock |= !arguments.is_empty();
            if self.set.is_some() {
                self.edits.extend(arguments.into_iter().map(|at| (at, at + 1, now.clone())));
            }
            return 1;
        }
        if !called || !SQLITE_TIMES.contains(&word) {
            return 1;
        }
        let first = at + if word == "strftime" { 4 } else { 2 };
        let empty = end == at + 2;
        let is_modifier =
            |token: &Token<'_>| ["'subsec'", "'subsecond'"].iter().any(|m| token.text.eq_ignore_ascii_case(m));
        if self.get(first).is_some_and(is_modifier) {
            // Where the time stands, it means the present with a fraction.
            self.reads_clock = true;
            if self.set.is_some() {
                self.edits.push((first, first, format!("{now}, ")));
            }
            return 1;
        }
        if word == "strftime" && self.arguments(at, end).len() < 2 {
            // Without a time it tells the present.
            self.reads_clock |= !empty;
            if self.set.is_some() && !empty {
                self.edits.push((end, end, format!(", {now}")));
            }
            return 1;
        }
        if !empty && !self.get(first).is_some_and(is_now) {
            return 1;
        }
        self.reads_clock = true;
        if self.set.is_some() || empty {
            let until = if empty { first } else { first + 1 };
            self.edits.push((first, until, now));
        }
        1
    }

    /// `CAST(x AS timestamp)`, which to SQLite is a cast to a number. What cannot be read as a time stays as it is, and is
    /// refused by the guard.
    fn cast_to_time(&mut self, at: usize, end: usize) {
        let mut depth = 0_usize;
        let kind = (at + 1..end).find(|at| {
            depth += usize::from(self.is(*at, "("));
            depth = depth.saturating_sub(usize::from(self.is(*at, ")")));
            depth == 1 && self.is_word(*at, "as")
        });
        let Some(kind) = kind else { return };
        let further = ["with", "without", "time", "zone", "(", ")"];
        let plain = (kind + 2..end).all(|at| {
            further.iter().any(|word| self.is(at, word) || self.is_word(at, word))
                || self.get(at).is_some_and(|token| token.kind == Kind::Number)
        });
        let function = self.get(kind + 1).filter(|_| plain).and_then(|word| {
            let word = word.text.to_ascii_lowercase();
            Some(match word.as_str() {
                "timestamp" | "timestamptz" | "datetime" => format!("strftime({STORED}, "),
                "date" | "time" => format!("{word}("),
                _ => return None,
            })
        });
        let Some(function) = function else { return };
        let alone = self.get(at + 2).filter(|token| kind == at + 3 && token.kind == Kind::Text);
        if alone.is_some_and(|text| !can_be_read(text.text.trim_matches('\''))) {
            return;
        }
        let compared = function.starts_with("strftime");
        self.edits.push((at, at + 2, function));
        self.edits.push((kind, end, String::new()));
        if compared {
            self.instant(at, end + 1);
        }
    }

    /// Columns that would be called something else than without a clock are named: SQLite calls them by their text.
    pub(super) fn titles(&mut self) {
        let selects = self.tokens.iter().enumerate().filter(|(_, token)| token.is_word("select")).map(|(at, _)| at);
        let lists = selects.flat_map(|select| items(self.tokens, select));
        // What stands behind the last token is a part of it, too.
        let within =
            |item: &Range<usize>, at: usize, until: usize| item.contains(&at) || (at == until && at == item.end);
        let changed = lists
            .filter(|item| self.edits.iter().any(|(at, until, _)| within(item, *at, *until)) && !self.has_name(item));
        let named = changed.filter_map(|item| {
            let mut title = String::new();
            for token in self.tokens.get(item.clone())? {
                if token.spaced && !title.is_empty() {
                    title.push(' ');
                }
                title.push_str(token.text);
            }
            let plain = !title.contains(['"', '?', '$']) && !title.chars().any(char::is_control);
            plain.then(|| (item.end, item.end, format!(" AS \"{title}\"")))
        });
        let named: Vec<_> = named.collect();
        self.edits.extend(named);
    }

    /// Whether an item of a select list says what it is called.
    fn has_name(&self, item: &Range<usize>) -> bool {
        let last = item.end.saturating_sub(1);
        let before = last.checked_sub(1).filter(|before| item.contains(before));
        let name = self.get(last).is_some_and(|last| {
            matches!(last.kind, Kind::Word | Kind::Quoted)
                && !["end", "null", "isnull", "notnull"].iter().any(|word| last.is_word(word))
        });
        before.is_some_and(|before| self.is_word(before, "as")) || (name && before.is_some() && self.is_name(last))
    }

    /// `- INTERVAL '1 hour'` behind a token, as modifiers of SQLite, and the last token of it.
    fn interval(&self, end: usize) -> (String, usize) {
        let (mut modifiers, mut last) = (String::new(), end);
        loop {
            let sign = self.get(last + 1).filter(|token| ["-", "+"].contains(&token.text)).map(|token| token.text);
            let (Some(sign), true) = (sign, self.get(last + 2).is_some_and(|token| token.is_word("interval"))) else {
                return (modifiers, last);
            };
            let Some(length) = self.get(last + 3) else { return (modifiers, last) };
            let unit = self.get(last + 4).filter(|token| token.kind == Kind::Word).map(|token| token.text);
            let (read, tokens) = match (length.kind, unit) {
                (Kind::Text, Some(unit)) if is_number(length.text.trim_matches('\'')) && unit_of(unit).is_some() => {
                    (periods(&format!("{} {unit}", length.text.trim_matches('\''))), 4)
                }
                (Kind::Text, _) => (periods(length.text.trim_matches('\'')), 3),
                (Kind::Number, Some(unit)) => (periods(&format!("{} {unit}", length.text)), 4),
                _ => (None, 0),
            };
            let Some(read) = read else { return (modifiers, last) };
            for (count, unit) in read {
                modifiers.push_str(&format!(", '{sign}{count} {unit}'"));
            }
            last += tokens;
        }
    }
}

/// Whether SQLite's functions read a text as a time: a time, a date, or a time of day.
fn can_be_read(text: &str) -> bool {
    let as_time = format!("2026-11-20T{text}");
    let date = text.len() == 10 && is_time(&format!("{text}T00"));
    text.eq_ignore_ascii_case("now") || is_time(text) || date || (text.len() >= 5 && is_time(&as_time))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The unit of SQLite and how many of it a unit of PostgreSQL is.
fn unit_of(word: &str) -> Option<(&'static str, u64)> {
    Some(match word.to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => ("seconds", 1),
        "m" | "min" | "mins" | "minute" | "minutes" => ("minutes", 1),
        "h" | "hr" | "hrs" | "hour" | "hours" => ("hours", 1),
        "d" | "day" | "days" => ("days", 1),
        "w" | "week" | "weeks" => ("days", 7),
        "mon" | "mons" | "month" | "months" => ("months", 1),
        "y" | "yr" | "yrs" | "year" | "years" => ("years", 1),
        _ => return None,
    })
}

/// `1 day 2 hours` and `90m`.
fn periods(text: &str) -> Option<Vec<(u64, &'static str)>> {
    let mut rest = text.trim();
    let mut periods = Vec::new();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let letters = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (word, after) = behind.split_at(letters);
        let (unit, times) = unit_of(word)?;
        periods.push((number.parse::<u64>().ok()?.checked_mul(times)?, unit));
        rest = after.trim_start();
    }
    Some(periods).filter(|periods| !periods.is_empty())
}

//! Times in a caller's statement: what `now()` means where the server's clock is set, and times as answers print them.
//!
//! Pure text to text, before any guard looks at the statement. Where `server.clock` is set, contexts end at that time,
//! and so must what a caller asks: `now()` and its like are replaced by it. SQLite keeps times as text, so that what is
//! compared with them is written as they are: `now() - INTERVAL '1 hour'`, which it does not know, and times with and
//! without a fraction.

use time::{Date, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::{
    Bind, Dialect, Statement,
    lex::{self, Kind, Token},
};

/// A statement with its times written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timed {
    pub sql: String,
    /// Whether it asked for the present time.
    pub reads_clock: bool,
}

/// How SQLite's tables write a time.
const STORED: &str = "'%Y-%m-%dT%H:%M:%fZ'";

/// Functions of SQLite that take `'now'`.
const SQLITE_TIMES: [&str; 6] = ["date", "time", "datetime", "julianday", "unixepoch", "strftime"];

/// Writes the times of a statement anew. `set` is the time at which the server's clock was set to stand.
pub fn timed(dialect: Dialect, sql: &str, set: Option<OffsetDateTime>) -> Timed {
    // What cannot be cut into tokens is refused by the guard, with the reason.
    let tokens = lex::tokens(dialect, sql).unwrap_or_default();
    let mut writer = Writer { dialect, tokens: &tokens, set, edits: Vec::new(), reads_clock: false };
    let mut at = 0;
    while at < tokens.len() {
        at += writer.token(at).max(1);
    }
    Timed { reads_clock: writer.reads_clock, sql: written(sql, &tokens, writer.edits) }
}

/// A time as the tables of SQLite keep it, if the text is an RFC 3339 time.
pub fn stored(text: &str) -> Option<String> {
    moment(text).map(|at| instant(at.to_offset(UtcOffset::UTC)))
}

/// A statement in which times that were copied from an answer are times and not text, for databases that do not see that
/// by themselves; none if there are none. For statements that a database refused: compared with text they are text.
pub fn explicit(dialect: Dialect, statement: &Statement) -> Option<Statement> {
    let mut changed = statement.clone();
    let mut moments = Vec::new();
    for (at, bind) in changed.binds.iter_mut().enumerate() {
        if let Bind::Text(text) = bind
            && let Some(moment) = moment(text)
        {
            *bind = Bind::Timestamp(moment);
            moments.push(format!("p{}", at + 1));
        }
    }
    if dialect == Dialect::ClickHouse {
        let tokens = lex::tokens(dialect, &statement.sql).ok()?;
        let mut edits = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let inner = token.text.trim_matches(['\'', '{', '}']);
            let name = inner.split(':').next().unwrap_or_default().trim();
            match token.kind {
                Kind::Text if moment(inner).is_some() => {
                    edits.push((at, at + 1, format!("parseDateTime64BestEffort({}, 9, 'UTC')", token.text)));
                }
                Kind::Placeholder if moments.iter().any(|moment| moment == name) => {
                    edits.push((at, at + 1, format!("{{{name}:DateTime64(9, 'UTC')}}")));
                }
                _ => {}
            }
        }
        changed.sql = written(&statement.sql, &tokens, edits);
    }
    Some(changed).filter(|changed| changed != statement && dialect != Dialect::Sqlite)
}

/// The time that a text is, as answers print times.
fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok().filter(|_| text.as_bytes().get(10) == Some(&b'T'))
}

struct Writer<'a> {
    dialect: Dialect,
    tokens: &'a [Token<'a>],
    set: Option<OffsetDateTime>,
    /// From this token up to that one, and what stands there instead.
    edits: Vec<(usize, usize, String)>,
    reads_clock: bool,
}

impl Writer<'_> {
    fn get(&self, at: usize) -> Option<&Token<'_>> {
        self.tokens.get(at)
    }

    fn is(&self, at: usize, symbol: &str) -> bool {
        self.get(at).is_some_and(|token| token.is(symbol))
    }

    /// Looks at a token; how many were dealt with.
    fn token(&mut self, at: usize) -> usize {
        let Some(token) = self.get(at).copied() else { return 1 };
        if token.kind == Kind::Text && self.dialect == Dialect::Sqlite {
            let inner = token.text.trim_matches('\'');
            if let Some(time) = stored(inner).filter(|time| time != inner) {
                self.edits.push((at, at + 1, format!("'{time}'")));
            }
            return 1;
        }
        let named = |at: Option<usize>, what: &str| at.and_then(|at| self.get(at)).is_some_and(|t| t.is(what));
        let alias = at.checked_sub(1).and_then(|at| self.get(at)).is_some_and(|before| before.is_word("as"));
        if token.kind != Kind::Word || alias || named(at.checked_sub(1), ".") || named(Some(at + 1), ".") {
            return 1;
        }
        let word = token.text.to_ascii_lowercase();
        let end = if self.is(at + 1, "(") { self.closing(at + 1) } else { Some(at) };
        let Some(end) = end else { return 1 };
        match self.dialect {
            Dialect::ClickHouse => self.clickhouse(&word, at, end),
            Dialect::Postgres => self.postgres(&word, at, end),
            Dialect::Sqlite => self.sqlite(&word, at, end),
        }
    }

    /// The parenthesis that closes the one at `at`.
    fn closing(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        let inner = self.tokens.iter().enumerate().skip(at);
        for (index, token) in inner {
            depth += usize::from(token.is("("));
            if token.is(")") {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
        }
        None
    }

    /// Replaces a call, or a word that stands for one.
    fn replace(&mut self, at: usize, end: usize, text: Option<String>) -> usize {
        self.reads_clock = true;
        let Some(text) = text else { return 1 };
        self.edits.push((at, end + 1, text));
        end + 1 - at
    }

    /// The arguments of a call, each as it is written, if they are constants.
    fn constants(&self, at: usize, end: usize) -> Vec<String> {
        let inner = self.tokens.get(at + 2..end).unwrap_or_default();
        let parts = inner.split(|token| token.is(","));
        parts.filter_map(|part| part.first()).map(|token| token.text.to_owned()).collect()
    }

    fn clickhouse(&mut self, word: &str, at: usize, end: usize) -> usize {
        let called = end > at;
        let arguments = self.constants(at, end);
        let Some(now) = self.set else {
            self.reads_clock |= called && matches!(word, "now" | "now64" | "today" | "yesterday");
            return 1;
        };
        let seconds = || format!("toDateTime('{} {}', 'UTC')", now.date(), clock(now));
        let zoned = |time: String, zone: Option<&String>| match zone {
            Some(zone) => format!("toTimeZone({time}, {zone})"),
            None => time,
        };
        let day = |date: Option<Date>| date.map(|date| format!("toDate('{date}')"));
        let text = match word {
            "now" | "localtime" | "localtimestamp" if called => Some(zoned(seconds(), arguments.first())),
            "current_timestamp" | "utc_timestamp" | "utctimestamp" => Some(seconds()),
            "now64" if called => {
                let scale = arguments.first().map_or("3", String::as_str);
                let time =
                    format!("toDateTime64('{} {}.{:09}', {scale}, 'UTC')", now.date(), clock(now), now.nanosecond());
                Some(zoned(time, arguments.get(1)))
            }
            "today" | "curdate" if called => day(Some(now.date())),
            "current_date" => day(Some(now.date())),
            "yesterday" if called => day(now.date().previous_day()),
            _ => return 1,
        };
        self.replace(at, end, text)
    }

    fn postgres(&mut self, word: &str, at: usize, end: usize) -> usize {
        let called = end > at;
        let known = match word {
            "now" | "transaction_timestamp" | "statement_timestamp" | "clock_timestamp" => called,
            "current_timestamp" | "localtimestamp" | "current_date" => true,
            _ => return 1,
        };
        if !known {
            return 1;
        }
        let text = self.set.map(|now| match word {
            "current_date" => format!("CAST('{}' AS date)", now.date()),
            "localtimestamp" => format!("CAST('{} {}.{:06}' AS timestamp)", now.date(), clock(now), now.microsecond()),
            _ => format!("CAST('{} {}.{:06}+00' AS timestamptz)", now.date(), clock(now), now.microsecond()),
        });
        self.replace(at, end, text)
    }

    fn sqlite(&mut self, word: &str, at: usize, end: usize) -> usize {
        let called = end > at;
        let now = self.set.map_or_else(|| "'now'".to_owned(), |now| format!("'{}'", instant(now)));
        if (word == "now" && called && end == at + 2) || (word == "current_timestamp" && !called) {
            let (modifiers, end) = self.interval(end);
            return self.replace(at, end, Some(format!("strftime({STORED}, {now}{modifiers})")));
        }
        if word == "current_date" && !called {
            return self.replace(at, end, self.set.map(|_| format!("date({now})")));
        }
        if !called || !SQLITE_TIMES.contains(&word) {
            return 1;
        }
        let first = at + if word == "strftime" { 4 } else { 2 };
        let is_now = |token: &Token<'_>| token.kind == Kind::Text && token.text.eq_ignore_ascii_case("'now'");
        let empty = end == at + 2;
        if empty && word == "strftime" {
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
        if word == "datetime" && !self.converts_times() {
            // `datetime` writes a space where the tables have a `T`, which compares as less.
            self.edits.push((at, at + 2, format!("strftime({STORED}, ")));
        }
        1
    }

    /// Whether recorded times are brought into the form of `datetime`, too.
    fn converts_times(&self) -> bool {
        self.tokens.iter().enumerate().any(|(at, token)| {
            token.is_word("datetime")
                && self.is(at + 1, "(")
                && self.get(at + 2).is_some_and(|first| !first.is(")") && !first.text.eq_ignore_ascii_case("'now'"))
        })
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

/// The statement with the edits: from this token up to that one, and what stands there instead.
fn written(sql: &str, tokens: &[Token<'_>], mut edits: Vec<(usize, usize, String)>) -> String {
    edits.sort_by_key(|(at, ..)| *at);
    let (mut out, mut done) = (String::with_capacity(sql.len() + 64), 0);
    for (at, until, text) in &edits {
        let start = tokens.get(*at).map_or(sql.len(), |token| token.start);
        let end = if until > at { tokens.get(until - 1).map_or(start, Token::end) } else { start };
        out.push_str(sql.get(done..start).unwrap_or_default());
        out.push_str(text);
        done = end;
    }
    out.push_str(sql.get(done..).unwrap_or_default());
    out
}

/// `10:00:00`, UTC.
fn clock(at: OffsetDateTime) -> String {
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

/// `2026-11-20T10:00:00.000Z`.
fn instant(at: OffsetDateTime) -> String {
    format!("{}T{}.{:03}Z", at.date(), clock(at), at.millisecond())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> OffsetDateTime {
        OffsetDateTime::parse("2026-11-27T01:35:25Z", &Rfc3339).unwrap()
    }

    fn check(dialect: Dialect, set: bool, cases: &[(&str, &str)]) {
        for (given, expected) in cases {
            assert_eq!(timed(dialect, given, set.then(at)).sql, *expected, "{given}");
        }
    }

    #[test]
    fn the_present_is_where_the_clock_was_set() {
        let clickhouse = "toDateTime('2026-11-27 01:35:25', 'UTC')";
        check(
            Dialect::ClickHouse,
            true,
            &[
                ("t >= now() - INTERVAL 1 HOUR", &format!("t >= {clickhouse} - INTERVAL 1 HOUR")),
                ("SELECT NOW('Europe/Berlin')", &format!("SELECT toTimeZone({clickhouse}, 'Europe/Berlin')")),
                ("now64(6)", "toDateTime64('2026-11-27 01:35:25.000000000', 6, 'UTC')"),
                (
                    "today() = toDate(t) AND yesterday() < d",
                    "toDate('2026-11-27') = toDate(t) AND toDate('2026-11-26') < d",
                ),
                (
                    "SELECT 'now()' AS now, t.now, `now`, now -- now()",
                    "SELECT 'now()' AS now, t.now, `now`, now -- now()",
                ),
                ("SELECT now( /* here */ )", &format!("SELECT {clickhouse}")),
            ],
        );
        let postgres = "CAST('2026-11-27 01:35:25.000000+00' AS timestamptz)";
        check(
            Dialect::Postgres,
            true,
            &[
                ("t > now() - interval '1 hour'", &format!("t > {postgres} - interval '1 hour'")),
                ("CURRENT_TIMESTAMP(3), current_date", &format!("{postgres}, CAST('2026-11-27' AS date)")),
                ("SELECT now FROM a AS now", "SELECT now FROM a AS now"),
            ],
        );
        let sqlite = "'2026-11-27T01:35:25.000Z'";
        check(
            Dialect::Sqlite,
            true,
            &[
                ("t > datetime('now', '-1 hour')", &format!("t > strftime({STORED}, {sqlite}, '-1 hour')")),
                ("datetime(t) > datetime('now', '-1 hour')", &format!("datetime(t) > datetime({sqlite}, '-1 hour')")),
                (
                    "strftime('%s', 'now'), date(), julianday('NOW')",
                    &format!("strftime('%s', {sqlite}), date({sqlite}), julianday({sqlite})"),
                ),
                ("date(t), 'now', strftime('%s', t)", "date(t), 'now', strftime('%s', t)"),
            ],
        );
    }

    #[test]
    fn a_clock_that_runs_is_the_databases_own() {
        for (dialect, sql) in [
            (Dialect::ClickHouse, "SELECT now(), today()"),
            (Dialect::Postgres, "SELECT now(), current_timestamp"),
            (Dialect::Sqlite, "SELECT date('now')"),
        ] {
            let timed = timed(dialect, sql, None);
            assert_eq!((timed.sql.as_str(), timed.reads_clock), (sql, true));
        }
        assert!(!timed(Dialect::ClickHouse, "SELECT t, now FROM x", None).reads_clock);
    }

    #[test]
    fn sqlite_compares_times_in_the_form_of_its_tables() {
        check(
            Dialect::Sqlite,
            false,
            &[
                ("t > now() - INTERVAL '1 hour'", &format!("t > strftime({STORED}, 'now', '-1 hours')")),
                (
                    "now() - interval '1 day 2 hours' + interval '1 week'",
                    &format!("strftime({STORED}, 'now', '-1 days', '-2 hours', '+7 days')"),
                ),
                (
                    "now() - INTERVAL 90 MINUTE, now()",
                    &format!("strftime({STORED}, 'now', '-90 minutes'), strftime({STORED}, 'now')"),
                ),
                ("now() - INTERVAL '15' minute", &format!("strftime({STORED}, 'now', '-15 minutes')")),
                ("now() - interval 'soon'", &format!("strftime({STORED}, 'now') - interval 'soon'")),
                ("t = '2026-11-27T00:35:25Z'", "t = '2026-11-27T00:35:25.000Z'"),
                ("t < '2026-11-27T02:35:25.5+02:00'", "t < '2026-11-27T00:35:25.500Z'"),
                (
                    "t = '2026-11-27T00:35:25.000Z' OR s = '2026-11-27'",
                    "t = '2026-11-27T00:35:25.000Z' OR s = '2026-11-27'",
                ),
            ],
        );
    }

    #[test]
    fn copied_times_become_times_where_the_database_takes_no_text() {
        let time = "2026-11-27T01:35:25Z";
        let binds = vec![Bind::Text(time.into()), Bind::Text("checkout".into())];
        let statement = |sql: &str| Statement { sql: sql.to_owned(), binds: binds.clone() };
        let moved = vec![Bind::Timestamp(at()), Bind::Text("checkout".into())];
        let sql = "t >= '2026-11-27T01:00:00Z' AND t < {p1:String} AND u < { p1 :DateTime64(3)} AND s = {p2:String} AND d = '2026-11-27'";
        assert_eq!(
            explicit(Dialect::ClickHouse, &statement(sql)),
            Some(Statement {
                sql: "t >= parseDateTime64BestEffort('2026-11-27T01:00:00Z', 9, 'UTC') AND t < {p1:DateTime64(9, 'UTC')} AND u < {p1:DateTime64(9, 'UTC')} AND s = {p2:String} AND d = '2026-11-27'".into(),
                binds: moved.clone(),
            })
        );
        let sql = "t > $1 AND s = $2";
        assert_eq!(explicit(Dialect::Postgres, &statement(sql)), Some(Statement { sql: sql.into(), binds: moved }));
        assert_eq!(explicit(Dialect::Sqlite, &statement(sql)), None);
        let plain = Statement { sql: "SELECT 'a', '2026-11-27', '12:00:00Z'".into(), binds: Vec::new() };
        assert_eq!(explicit(Dialect::ClickHouse, &plain), None);
    }

    #[test]
    fn what_cannot_be_read_is_left_to_the_guard() {
        for sql in ["SELECT 'open", "SELECT now(", "SELECT now", ""] {
            assert_eq!(timed(Dialect::Sqlite, sql, Some(at())).sql, sql);
        }
    }
}

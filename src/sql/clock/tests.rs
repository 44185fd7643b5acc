//! The three dialects, case by case: what is written, and what is made of it.

use super::{sqlite::STORED, *};

/// How times are compared in SQLite.
const BY: &str = " COLLATE instant";
use crate::sql::Statement;

fn at() -> OffsetDateTime {
    OffsetDateTime::parse("2026-11-27T01:35:25Z", &Rfc3339).unwrap()
}

fn check(dialect: Dialect, set: bool, cases: &[(&str, &str)]) {
    for (given, expected) in cases {
        assert_eq!(timed(dialect, given, &[], set.then(at)).sql, *expected, "{given}");
    }
}

#[test]
fn the_present_is_where_the_clock_was_set() {
    let named = |name: &str| format!("(toDateTime('2026-11-27 01:35:25', 'UTC') AS `{name}`)");
    check(
        Dialect::ClickHouse,
        true,
        &[
            ("t >= now() - INTERVAL 1 HOUR", &format!("t >= {} - INTERVAL 1 HOUR", named("now()"))),
            (
                "SELECT NOW('Europe/Berlin')",
                "SELECT (toTimeZone(toDateTime('2026-11-27 01:35:25', 'UTC'), 'Europe/Berlin') AS `NOW('Europe/Berlin')`)",
            ),
            ("now64(6)", "(toDateTime64('2026-11-27 01:35:25.000000000', 6, 'UTC') AS `now64(6)`)"),
            (
                "today() = toDate(t) AND yesterday() < d",
                "(toDate('2026-11-27') AS `today()`) = toDate(t) AND (toDate('2026-11-26') AS `yesterday()`) < d",
            ),
            ("SELECT 'now()' AS now, t.now, `now`, now -- now()", "SELECT 'now()' AS now, t.now, `now`, now -- now()"),
            ("SELECT now( /* here */ )", &format!("SELECT {}", named("now()"))),
            ("t >= LOCALTIMESTAMP - INTERVAL 1 HOUR", &format!("t >= {} - INTERVAL 1 HOUR", named("LOCALTIMESTAMP"))),
            (
                "SELECT localtime, curdate, now",
                &format!(
                    "SELECT (CAST('01:35:25', 'Time') AS `localtime`), (toDate('2026-11-27') AS `curdate`), {}",
                    named("now")
                ),
            ),
            ("SELECT \"now\"(), `today`()", &format!("SELECT {}, (toDate('2026-11-27') AS `today()`)", named("now()"))),
            (
                "now(concat('Asia/','Tokyo'))",
                "(toTimeZone(toDateTime('2026-11-27 01:35:25', 'UTC'), concat('Asia/', 'Tokyo')) AS `now(concat('Asia/', 'Tokyo'))`)",
            ),
            ("SELECT current_date AS current_date", "SELECT (toDate('2026-11-27') AS `current_date`) AS current_date"),
        ],
    );
    let moment = |name: &str| format!("(SELECT CAST('2026-11-27 01:35:25.000000+00' AS timestamptz) AS \"{name}\")");
    check(
        Dialect::Postgres,
        true,
        &[
            ("t > now() - interval '1 hour'", &format!("t > {} - interval '1 hour'", moment("now"))),
            (
                "CURRENT_TIMESTAMP(3), current_date",
                &format!("{}, (SELECT CAST('2026-11-27' AS date) AS \"current_date\")", moment("current_timestamp")),
            ),
            ("SELECT now FROM a AS now", "SELECT now FROM a AS now"),
            (
                "current_time, localtime",
                "(SELECT CAST('01:35:25.000000+00' AS timetz) AS \"current_time\"), (SELECT CAST('01:35:25.000000' AS time) AS \"localtime\")",
            ),
            ("\"now\"()", &moment("now")),
            ("'now'::timestamptz", "'2026-11-27 01:35:25.000000+00'::timestamptz"),
            (
                "timestamp 'Today 10:00', date 'yesterday', CAST('tomorrow' AS date)",
                "timestamp '2026-11-27 10:00', date '2026-11-26', CAST('2026-11-28' AS date)",
            ),
            (
                "timestamptz '10:00 today UTC', time 'now'",
                "timestamptz '10:00 2026-11-27 UTC', time '2026-11-27 01:35:25.000000+00'",
            ),
            ("age(t), age(a, b)", "age(CAST('2026-11-27' AS timestamp), t), age(a, b)"),
        ],
    );
    let sqlite = "'2026-11-27T01:35:25.000Z'";
    check(
        Dialect::Sqlite,
        true,
        &[
            ("t > datetime('now', '-1 hour')", &format!("t > datetime({sqlite}, '-1 hour'){BY}")),
            (
                "datetime(t) > datetime('now', '-1 hour')",
                &format!("datetime(t){BY} > datetime({sqlite}, '-1 hour'){BY}"),
            ),
            ("current_timestamp, t < current_timestamp", &format!("datetime({sqlite}), t < datetime({sqlite}){BY}")),
            (
                "strftime('%s', 'now'), date(), julianday('NOW')",
                &format!("strftime('%s', {sqlite}), date({sqlite}), julianday({sqlite})"),
            ),
            ("date(t), 'now', strftime('%s', t)", "date(t), 'now', strftime('%s', t)"),
            ("current_time", &format!("time({sqlite})")),
            ("strftime('%Y-%m-%d')", &format!("strftime('%Y-%m-%d', {sqlite})")),
            (
                "timediff('now', at), unixepoch('subsec')",
                &format!("timediff({sqlite}, at), unixepoch({sqlite}, 'subsec')"),
            ),
            (
                "SELECT date('now'), date('now') AS d FROM (SELECT  count(*),time( 'now') FROM t)",
                &format!(
                    "SELECT date({sqlite}) AS \"date('now')\", date({sqlite}) AS d FROM (SELECT  count(*),time( {sqlite}) AS \"time( 'now')\" FROM t)"
                ),
            ),
        ],
    );
}

#[test]
fn names_of_the_statements_own_are_no_present() {
    for (dialect, sql) in [
        (Dialect::ClickHouse, "WITH toDate('2020-01-01') AS current_date SELECT current_date"),
        (Dialect::ClickHouse, "SELECT current_date FROM (SELECT toDate('2020-01-01') AS current_date)"),
        (Dialect::ClickHouse, "SELECT max(t) current_timestamp FROM logs"),
        (Dialect::ClickHouse, "WITH current_date AS (SELECT 1 AS a) SELECT a FROM current_date"),
        (Dialect::ClickHouse, "SELECT arrayMap(now -> now + 1, [1])"),
        // Refused without a clock, and so with one.
        (Dialect::ClickHouse, "SELECT today('Pacific/Auckland'), utc_timestamp, localtime('UTC')"),
        (Dialect::Postgres, "SELECT max(t) current_date, \"now\" FROM logs"),
        (Dialect::Sqlite, "SELECT max(t) AS now, now, \"current_date\" FROM logs"),
    ] {
        assert_eq!(timed(dialect, sql, &[], Some(at())).sql, sql);
    }
}

#[test]
fn what_may_still_be_the_real_present_is_told() {
    for (dialect, sql, real) in [
        (Dialect::Postgres, "SELECT count(*) FROM ev WHERE at >= 'today'", vec!["today"]),
        (Dialect::Postgres, "SELECT 'now and then', date 'today'", vec![]),
        (Dialect::Postgres, "SELECT CAST('{now,2026-11-01}' AS text), $$tomorrow 10:00$$", vec!["now", "tomorrow"]),
        (Dialect::Postgres, "SELECT * FROM json_to_recordset('[{\"t\":\"today\"}]')", vec!["today"]),
        (Dialect::ClickHouse, "SELECT 'now'", vec![]),
    ] {
        assert_eq!(timed(dialect, sql, &[], Some(at())).real.into_iter().collect::<Vec<_>>(), real, "{sql}");
        assert!(timed(dialect, sql, &[], None).real.is_empty());
    }
    for (dialect, bind, real) in [
        (Dialect::Postgres, " Today", vec!["today"]),
        (Dialect::Postgres, "nowhere", vec![]),
        (Dialect::Sqlite, "now", vec![]),
        (Dialect::ClickHouse, "now", vec![]),
    ] {
        let told = timed(dialect, "SELECT $1", &[Bind::Text(bind.into())], Some(at())).real;
        assert_eq!(told.into_iter().collect::<Vec<_>>(), real, "{bind}");
    }
}

#[test]
fn a_clock_that_runs_is_the_databases_own() {
    for (dialect, sql) in [
        (Dialect::ClickHouse, "SELECT now(), today()"),
        (Dialect::Postgres, "SELECT now(), current_timestamp"),
        (Dialect::Sqlite, "SELECT date('now')"),
    ] {
        let timed = timed(dialect, sql, &[], None);
        assert_eq!((timed.sql.as_str(), timed.reads_clock), (sql, true));
    }
    assert!(!timed(Dialect::ClickHouse, "SELECT t, nowhere FROM x", &[], None).reads_clock);
}

#[test]
fn sqlite_compares_times_in_the_form_of_its_tables() {
    check(
        Dialect::Sqlite,
        false,
        &[
            ("t > now() - INTERVAL '1 hour'", &format!("t > strftime({STORED}, 'now', '-1 hours'){BY}")),
            ("t > current_timestamp", &format!("t > current_timestamp{BY}")),
            ("t > current_timestamp - interval '1 hour'", &format!("t > datetime('now', '-1 hours'){BY}")),
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
        ],
    );
}

/// Which rows a condition finds is asked of SQLite itself, in `tests/it`.
#[test]
fn sqlite_compares_times_by_what_they_are() {
    let given = "'2026-11-27T00:35:25Z'";
    for (sql, expected) in [
        ("t = L OR t <> L", "t = L@ OR t <> L@"),
        ("a.t >= L AND t < '2026-11-27 02:35:25.5+02:00'", "a.t >= L@ AND t < '2026-11-27 02:35:25.5+02:00'@"),
        ("L >= t AND (L) >= t", "L@ >= t AND (L@) >= t"),
        ("t NOT between L AND L", "t NOT between L@ AND L@"),
        ("t IN (L, 'x') AND t NOT IN ('x', L)", "t@ IN (L, 'x') AND t@ NOT IN ('x', L)"),
        ("(a, t) IN ((1, L))", "(a, t) IN ((1, L))"),
        ("f(a, t) IN (L)", "f(a, t)@ IN (L)"),
        ("CASE t WHEN L THEN L END", "CASE t WHEN L@ THEN L END"),
        ("t IS NOT L", "t IS NOT L@"),
        ("select t > L, L FROM x", "select t > L@ AS \"t > L\", L FROM x"),
        // Not compared with a time.
        ("length(L), L || x", "length(L), L || x"),
        ("datetime(L, '-1 hour'), s = '2026-11-27'", "datetime(L, '-1 hour'), s = '2026-11-27'"),
    ] {
        let text = |template: &str| template.replace('L', given).replace('@', BY);
        assert_eq!(timed(Dialect::Sqlite, &text(sql), &[], None).sql, text(expected));
    }
    let binds = [Bind::Text("2026-11-27T00:35:25Z".into())];
    for (sql, expected) in [
        ("t = ?", "t = ? COLLATE instant"),
        ("t >= ?1 AND s = ?2", "t >= ?1 COLLATE instant AND s = ?2"),
        ("t IN (?)", "t COLLATE instant IN (?)"),
        ("length(?1)", "length(?1)"),
    ] {
        assert_eq!(timed(Dialect::Sqlite, sql, &binds, None).sql, expected);
    }
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
    let day = "toDate(t) = {p1:Nullable(Date32)} AND t > {p1:DateTime}";
    assert_eq!(explicit(Dialect::ClickHouse, &statement(day)), None, "a day is no time");
    let sql = "t > $1 AND s = $2";
    assert_eq!(explicit(Dialect::Postgres, &statement(sql)), Some(Statement { sql: sql.into(), binds: moved }));
    assert_eq!(explicit(Dialect::Sqlite, &statement(sql)), None);
    let plain = Statement { sql: "SELECT 'a', '2026-11-27', '12:00:00Z'".into(), binds: Vec::new() };
    assert_eq!(explicit(Dialect::ClickHouse, &plain), None);
}

#[test]
fn what_cannot_be_read_is_left_to_the_guard() {
    for sql in ["SELECT 'open", "SELECT now(", "SELECT now", ""] {
        assert_eq!(timed(Dialect::Sqlite, sql, &[], Some(at())).sql, sql);
    }
}

#[test]
fn a_time_without_a_zone_that_was_copied_is_a_time_too() {
    let given = |text: &str| Statement { sql: "t = $1".into(), binds: vec![Bind::Text(text.into())] };
    for (text, time) in [
        ("2026-11-01T01:30:00.123456", Some("2026-11-01T01:30:00.123456Z")),
        ("2026-11-01", Some("2026-11-01T00:00:00Z")),
        ("2026-11", None),
        ("checkout-1-2026", None),
    ] {
        let time = time.map(|time| Bind::Timestamp(OffsetDateTime::parse(time, &Rfc3339).unwrap()));
        let expected = time.map(|time| Statement { sql: "t = $1".into(), binds: vec![time] });
        assert_eq!(explicit(Dialect::Postgres, &given(text)), expected, "{text}");
    }
}

#[test]
fn times_before_and_after_four_digits_are_written_as_postgresql_does() {
    let sql = "t IN ('-0043-03-15T00:00:00Z', '+10000-01-01T00:00:00Z', '0000-01-01', '-1', '2026-11-20', 'a-b')";
    let statement = Statement { sql: sql.into(), binds: vec![Bind::Text("-0043-03-15".into())] };
    let changed = explicit(Dialect::Postgres, &statement).unwrap();
    assert_eq!(
        changed.sql,
        "t IN ('0044-03-15 00:00:00+00 BC', '10000-01-01 00:00:00+00', '0001-01-01 BC', '-1', '2026-11-20', 'a-b')"
    );
    assert_eq!(changed.binds, vec![Bind::Text("0044-03-15 BC".into())]);
}

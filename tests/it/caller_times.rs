//! Times in callers' statements: the clock is the one of the contexts, and a time copied from an answer is taken.

use std::sync::Arc;

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Call, Engine, Outcome},
    source::{Source, clickhouse::ClickHouse, sqlite::Sqlite},
};

use crate::{
    answers::{Filled, engine_of, filled, postgres_source},
    support::pack::catalog,
};

fn engine(filled: &Filled, platform: Arc<dyn Source>) -> Engine {
    let organization = &filled.generator.world.organizations[0].id_text;
    let telemetry = ClickHouse::remote(filled.remote.clone());
    engine_of(catalog(&[], &CatalogOptions::default()), telemetry, platform, organization)
}

/// The lines of an answer in its fence, and the line before it.
async fn ask(engine: &Engine, tool: &str, sql: &str, params: Value) -> (String, String) {
    let given = json!({ "sql": sql, "params": params }).as_object().cloned().unwrap();
    let answer = engine.call_tool(tool, given, &Call::default()).await.and_then(Outcome::done);
    let text = answer.unwrap_or_else(|error| panic!("{sql}: {}", error.to_text())).text();
    let (counted, rest) = text.split_once('\n').unwrap();
    let rows = rest.lines().filter(|line| !line.starts_with("```")).skip(1).collect::<Vec<_>>().join("\n");
    (counted.to_owned(), rows)
}

/// Answers of statements that mean the same.
async fn agree(engine: &Engine, tool: &str, cases: &[(&str, Value)]) -> String {
    let mut first: Option<String> = None;
    for (sql, params) in cases {
        let (_, rows) = ask(engine, tool, sql, params.clone()).await;
        let known = first.get_or_insert_with(|| rows.clone());
        assert_eq!(&rows, known, "{sql} {params}");
    }
    let answer = first.unwrap();
    assert!(answer.parse::<u64>().is_ok_and(|n| n > 0), "{answer}");
    answer
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn telemetry_is_asked_at_the_time_of_the_server() {
    let filled = filled().await;
    let engine = engine(filled, postgres_source(&filled.postgres));
    let count = |condition: &str| {
        format!("SELECT count() AS n FROM traces WHERE timestamp < '2026-11-20 12:00:00' AND {condition}")
    };
    agree(
        &engine,
        "ch_query",
        &[
            (&count("timestamp >= now() - INTERVAL 1 HOUR"), json!([])),
            (&count("timestamp >= now64(9) - toIntervalHour(1)"), json!([])),
            (&count("timestamp >= '2026-11-20T11:00:00Z'"), json!([])),
            (&count("timestamp >= '2026-11-20T11:00:00.000Z'"), json!([])),
            (&count("timestamp >= '2026-11-20T12:00:00+01:00'"), json!([])),
            (&count("timestamp BETWEEN '2026-11-20T11:00:00Z' AND '2026-11-20T12:00:00Z'"), json!([])),
            (&count("timestamp >= toDateTime64('2026-11-20T11:00:00Z', 3)"), json!([])),
            (&count("timestamp >= {p1:DateTime64(3)}"), json!(["2026-11-20T11:00:00Z"])),
            (&count("timestamp >= {p1:DateTime64(9)}"), json!(["2026-11-20T11:00:00.000Z"])),
            (&count("timestamp >= {p1:DateTime}"), json!(["2026-11-20T11:00:00Z"])),
            (&count("timestamp >= {p1:DateTime64(3)}"), json!(["2026-11-20 11:00:00"])),
            (&count("timestamp >= {p1:String}"), json!(["2026-11-20T11:00:00Z"])),
            (&count("timestamp >= arrayMin({p1:Array(DateTime64(3))})"), json!(["['2026-11-20T11:00:00Z']"])),
            (
                &count("timestamp >= tupleElement({p1:Tuple(a UInt8, t DateTime)}, 2)"),
                json!(["(1, '2026-11-20T12:00:00+01:00')"]),
            ),
        ],
    )
    .await;
    // The example of the tool itself, which once found nothing an hour after the data had ended.
    let example = "SELECT service_name, count() AS errors FROM logs WHERE timestamp >= now() - INTERVAL 1 HOUR AND timestamp < now() AND severity_number >= 17 GROUP BY service_name ORDER BY errors DESC, service_name";
    let (counted, rows) = ask(&engine, "ch_query", example, json!([])).await;
    assert!(
        !rows.is_empty() && counted.ends_with("`now()` is 2026-11-20T12:00:00Z here: `server.clock` is set."),
        "{counted}"
    );
    let (counted, _) = ask(&engine, "ch_query", "SELECT 1 AS one", json!([])).await;
    assert_eq!(counted, "1 row.");
    let (counted, _) = ask(&engine, "ch_query", "SELECT timestamp FROM logs WHERE 1 = 0", json!([])).await;
    assert!(counted.contains("no rows. `now()` is"), "{counted}");
}

#[tokio::test]
async fn the_platform_is_asked_at_the_time_of_the_server_whichever_database_it_is() {
    let filled = filled().await;
    let sqlite = Arc::new(Sqlite::new(filled.data_dir.join("platform.sqlite")));
    let (postgres, sqlite) = (engine(filled, postgres_source(&filled.postgres)), engine(filled, sqlite));
    let count = |condition: &str| format!("SELECT count(*) AS n FROM alert_instances WHERE starts_at >= {condition}");
    let first = "SELECT min(starts_at) AS first FROM alert_instances WHERE starts_at >= now() - interval '24 hours'";
    let (_, at) = ask(&postgres, "pg_query", first, json!([])).await;
    assert!(at.ends_with('Z') && at.len() < 25, "{at}");
    let (cast, both) = (count("CAST($1 AS timestamptz)"), json!(["2026-11-19T12:00:00Z"]));
    let shared = [
        (count("now() - interval '24 hours'"), json!([])),
        (count("now() - INTERVAL '1 day'"), json!([])),
        (count("current_timestamp - interval '1 day'"), json!([])),
        (count("'2026-11-19T12:00:00Z'"), json!([])),
        (count("'2026-11-19T13:00:00+01:00'"), json!([])),
        (count(&format!("'{at}'")), json!([])),
    ];
    let shared: Vec<(&str, Value)> = shared.iter().map(|(sql, params)| (sql.as_str(), params.clone())).collect();
    let bound = count("$1");
    let of_postgres = [shared.clone(), vec![(cast.as_str(), both.clone()), (bound.as_str(), both.clone())]].concat();
    let of_sqlite = [
        count("?1"),
        count("datetime('now', '-1 day')"),
        count("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')"),
        "SELECT count(*) AS n FROM alert_instances WHERE datetime(starts_at) >= datetime('now', '-1 day')".to_owned(),
        "SELECT count(*) AS n FROM alert_instances WHERE unixepoch(starts_at) >= unixepoch('now') - 86400".to_owned(),
    ];
    let given = |sql: &str| if sql.contains("?1") { both.clone() } else { json!([]) };
    let of_sqlite: Vec<(&str, Value)> =
        shared.into_iter().chain(of_sqlite.iter().map(|sql| (sql.as_str(), given(sql)))).collect();
    let (a, b) = (agree(&postgres, "pg_query", &of_postgres).await, agree(&sqlite, "pg_query", &of_sqlite).await);
    assert_eq!(a, b);
    let equal = format!("SELECT count(*) AS n FROM alert_instances WHERE starts_at = '{at}'");
    assert_eq!(
        agree(&postgres, "pg_query", &[(&equal, json!([]))]).await,
        agree(&sqlite, "pg_query", &[(&equal, json!([]))]).await
    );
}

/// The whole answer of a statement.
async fn told(engine: &Engine, sql: &str, params: Value) -> String {
    let given = json!({ "sql": sql, "params": params }).as_object().cloned().unwrap();
    let tool = if sql.contains("logs") || sql.contains("now64") { "ch_query" } else { "pg_query" };
    let answer = engine.call_tool(tool, given, &Call::default()).await.and_then(Outcome::done);
    answer.unwrap_or_else(|error| panic!("{sql}: {}", error.to_text())).text()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn no_form_of_the_present_is_the_real_one_without_a_word() {
    let filled = filled().await;
    let sqlite = Arc::new(Sqlite::new(filled.data_dir.join("platform.sqlite")));
    let (postgres, sqlite) = (engine(filled, postgres_source(&filled.postgres)), engine(filled, sqlite));
    // Columns are called what they are called without a clock, and say the time of the server.
    for (engine, sql, heading, row) in [
        (
            &postgres,
            "SELECT now64(3), now(), \"today\"() AS d, CURRENT_TIMESTAMP, now('UTC') - INTERVAL 1 HOUR, localtime, LOCALTIMESTAMP",
            "now64(3) (UTC),now() (UTC),d,CURRENT_TIMESTAMP (UTC),\"minus(now('UTC'), toIntervalHour(1)) (UTC)\",localtime,LOCALTIMESTAMP (UTC)",
            "2026-11-20T12:00:00Z,2026-11-20T12:00:00Z,2026-11-20,2026-11-20T12:00:00Z,2026-11-20T11:00:00Z,12:00:00,2026-11-20T12:00:00Z",
        ),
        (
            &postgres,
            "SELECT now(), current_date, now()::date, 'today'::date, date 'tomorrow', age(timestamp '2026-11-01'), \"now\"() AS n",
            "now (UTC),current_date,now,date,date,age,n (UTC)",
            "2026-11-20T12:00:00Z,2026-11-20,2026-11-20,2026-11-20,2026-11-21,P19D,2026-11-20T12:00:00Z",
        ),
        (
            &sqlite,
            "SELECT date('now'), strftime('%Y-%m-%d') || '!', current_time AS t, timediff('now', '2026-11-20')",
            "date('now'),strftime('%Y-%m-%d') || '!',t,\"timediff('now', '2026-11-20')\"",
            "2026-11-20,2026-11-20!,12:00:00,+0000-00-00 12:00:00.000",
        ),
    ] {
        let text = told(engine, sql, json!([])).await;
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("```")).collect();
        assert_eq!(lines.get(1..3), Some(&[heading, row][..]), "{text}");
        assert!(text.contains("`now()` is 2026-11-20T12:00:00Z here"), "{text}");
    }
    let endless = "SELECT t FROM (VALUES ('2026-11-01 01:30Z'::timestamptz), ('infinity'), ('0044-03-15 BC'), ('10000-01-01')) AS v(t)";
    assert!(told(&postgres, endless, json!([])).await.contains("\nt (UTC)\n"));
    // Equal expressions stay equal.
    let grouped = "SELECT starts_at - now() AS ago FROM alert_instances GROUP BY starts_at - now() ORDER BY 1";
    told(&postgres, grouped, json!([])).await;
    // Documented forms of intervals, and digits that a type keeps.
    for (sql, rows) in [
        (
            "SELECT dateSub(HOUR, 1, now64(0)) AS t, DATE_SUB(now64(0), INTERVAL 1 DAY) = now64(0) - 86400 AS u",
            "2026-11-20T11:00:00Z,1",
        ),
        ("SELECT 1.10::Decimal(9,2) AS a, (1.10::Decimal(9,2))::Dynamic AS b, toTypeName(now64()) AS c", "1.10,1.10,"),
    ] {
        let text = told(&postgres, sql, json!([])).await;
        assert!(text.lines().any(|line| line.starts_with(rows)), "{text}");
    }
    // An error is about the statement as it was written.
    let given = json!({ "sql": "SELECT now() AS n, body FRM logs WHERE x" }).as_object().cloned().unwrap();
    let wrong = postgres.call_tool("ch_query", given, &Call::default()).await.unwrap_err().to_text();
    assert!(wrong.contains("failed at position 29 (logs) (line 1, col 29)"), "{wrong}");
    // What cannot be replaced is told.
    for (engine, sql, params) in [
        (&postgres, "SELECT max(current_date) AS current_date FROM logs", json!([])),
        (&postgres, "SELECT count(*) FROM alert_instances WHERE starts_at >= 'today'", json!([])),
        (&postgres, "SELECT count(*) FROM alert_instances WHERE starts_at > CAST($1 AS timestamptz)", json!(["now"])),
        (&postgres, "SELECT snowflakeIDToDateTime(generateSnowflakeID()), now64(0) AS t", json!([])),
    ] {
        let text = told(engine, sql, params).await;
        assert!(text.contains("the database's own present, not 2026-11-20T12:00:00Z"), "{text}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn sqlite_has_the_time_of_the_server_however_its_present_is_asked_for() {
    let filled = filled().await;
    let engine = engine(filled, at_the_servers_time(filled));
    for (sql, params) in [
        ("SELECT datetime(?1)", json!(["now"])),
        ("SELECT datetime(lower('NOW'))", json!([])),
        ("SELECT datetime('n' || 'ow')", json!([])),
        ("SELECT datetime(substr('xnow', 2)), CURRENT_TIMESTAMP", json!([])),
        ("WITH words AS (SELECT replace('naw', 'a', 'o') AS word) SELECT datetime(word) FROM words", json!([])),
        ("SELECT datetime(unixepoch(lower('NOW')), 'unixepoch')", json!([])),
        ("SELECT datetime(julianday(lower('NOW')))", json!([])),
    ] {
        let text = told(&engine, sql, params).await;
        assert!(text.contains("\n2026-11-20 12:00:00"), "{sql}: {text}");
    }
}

/// The platform in SQLite, with the clock of the server.
fn at_the_servers_time(filled: &Filled) -> Arc<Sqlite> {
    Arc::new(
        Sqlite::new(filled.data_dir.join("platform.sqlite")).at(Some(time::macros::datetime!(2026-11-20 12:00 UTC))),
    )
}

/// A condition with a time where the word `L` stands.
fn words(condition: &str, time: &str) -> String {
    let parts = condition.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    parts
        .map(
            |part| {
                if part.trim_end_matches([' ', ',', ')']) == "L" {
                    part.replacen('L', time, 1)
                } else {
                    part.to_owned()
                }
            },
        )
        .collect()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_copied_time_is_taken_whatever_it_is_compared_with() {
    let filled = filled().await;
    let sqlite = Arc::new(Sqlite::new(filled.data_dir.join("platform.sqlite")));
    let (postgres, sqlite) = (engine(filled, postgres_source(&filled.postgres)), engine(filled, sqlite));
    let time = "2026-11-20T11:30:00Z";
    let at = |form: &str| format!("(SELECT '{form}' || '' AS at) AS x");
    for form in [
        time,
        "2026-11-20T11:30:00.000Z",
        "2026-11-20 11:30:00",
        "2026-11-20 11:30:00.000000+00:00",
        "2026-11-20T12:30:00+01:00",
        "2026-11-20T11:30:00",
    ] {
        for (condition, found) in [
            ("x.at = L", 1),
            ("x.at IN ('x', L)", 1),
            ("x.at >= L AND x.at <= L", 1),
            ("x.at BETWEEN L AND L", 1),
            ("L <= x.at", 1),
            ("x.at <> L", 0),
            ("x.at > L OR x.at < L", 0),
            ("x.at NOT BETWEEN L AND L", 0),
            ("length(L) = 20", 1),
            ("x.at IS NOT DISTINCT FROM L", 1),
            ("(x.at) >= (L) AND max(x.at, '') <= L", 1),
            ("CASE x.at WHEN L THEN 1 else 0 END", 1),
            ("x.at NOT IN (L)", 0),
            ("(x.at, 1) IN ((L, 1), ('', 2))", i32::from(form == time)),
            ("x.at > now() - interval '1 hour' AND now() >= x.at", 1),
            ("x.at >= datetime('now', '-1 hour') AND x.at <= CURRENT_TIMESTAMP", 1),
            ("x.at > CURRENT_TIMESTAMP - interval '29 minutes'", 0),
            ("x.at < strftime('%Y-%m-%d %H:%M:%S', 'now', '-31 minutes')", 0),
            ("datetime(x.at) >= datetime('now', '-1 hour') AND x.at >= date('now')", 1),
            ("x.at >= CAST(L AS timestamp) AND CAST(L AS timestamptz) >= x.at", 1),
            ("x.at > CAST('2026-11-20T12:00:00Z' AS timestamp(3) with time zone)", 0),
            ("CAST(x.at AS date) = '2026-11-20' AND CAST(x.at AS time) = '11:30:00'", 1),
            ("x.at > (SELECT now() - interval '1 hour') AND x.at <= (SELECT CURRENT_TIMESTAMP)", 1),
            ("x.at = (SELECT L) AND x.at IN (SELECT L)", 1),
            ("(x.at, 2) > (L, 1)", 1),
            ("(x.at, 0) >= (L, 1)", 0),
            ("x.at >= coalesce(L, 'x') AND x.at <= CASE WHEN 1 = 1 THEN L END", 1),
            ("x.at BETWEEN (SELECT L) AND (SELECT L)", 1),
            ("x.at >= '2026-11-20T11' AND x.at < '2026-11-20T12'", 1),
            ("EXISTS (WITH p(since) AS (SELECT L) SELECT 1 FROM p WHERE x.at >= p.since AND p.since >= x.at)", 1),
        ] {
            for (written, params) in [(format!("'{time}'"), json!([])), ("?1".to_owned(), json!([time]))] {
                let params = if words(condition, "") != condition { params } else { json!([]) };
                let sql = format!("SELECT count(*) AS n FROM {} WHERE {}", at(form), words(condition, &written));
                let (_, rows) = ask(&sqlite, "pg_query", &sql, params).await;
                assert_eq!(rows, found.to_string(), "{sql}");
            }
        }
    }
    let text = told(&sqlite, "SELECT CAST('2026-11-20 11:00' AS timestamptz)", json!([])).await;
    assert!(text.contains("CAST('2026-11-20 11:00' AS timestamptz) (UTC)\n2026-11-20T11:00:00.000Z\n"), "{text}");
    let given = json!({ "sql": "SELECT CAST('yesterday' AS timestamp)" }).as_object().cloned().unwrap();
    let refused = sqlite.call_tool("pg_query", given, &Call::default()).await.unwrap_err().to_text();
    assert!(refused.contains("a cast of this text to a time") && refused.contains("interval '1 hour'"), "{refused}");
    // Times without a zone, and times beyond four digits, of PostgreSQL.
    for (sql, params) in [
        (
            "SELECT count(*) AS n FROM (SELECT timestamp '2026-11-01 01:30:00.5' AS t) AS x WHERE t = $1",
            json!(["2026-11-01T01:30:00.500"]),
        ),
        ("SELECT count(*) AS n FROM (SELECT date '2026-11-20' AS d) AS x WHERE d = $1", json!(["2026-11-20"])),
        (
            "SELECT count(*) AS n FROM (SELECT timestamptz '0044-03-15 00:00+00 BC' AS t) AS x WHERE t = '-0043-03-15T00:00:00.000Z' AND t < '+10000-01-01T00:00:00Z'",
            json!([]),
        ),
    ] {
        let (_, rows) = ask(&postgres, "pg_query", sql, params).await;
        assert_eq!(rows, "1", "{sql}");
    }
}

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

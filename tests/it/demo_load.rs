//! The demo in real databases: what is loaded is what was generated, and answers as the oracle does.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use serde_json::Value;
use tfo_mcp::{
    demo::{
        Generator, Plan, Scenario, canary, load,
        offset::{HOUR, MINUTE},
        oracle::{self, Answers, Requests, Window},
        platform,
        rowbinary::TARGETS,
        schema,
    },
    source::{Author, Limits, Query, Source, clickhouse::ClickHouse, postgres, sqlite::Sqlite},
    sql::Statement,
};
use time::macros::datetime;
use tokio_util::sync::CancellationToken;

use crate::support;

fn generator() -> Arc<Generator> {
    let scenario = Some(Scenario::embedded("db-pool-exhaustion").unwrap());
    let plan = Plan { seed: 7, end: datetime!(2026-11-20 12:00:00 UTC), scale: 0.05, scenario };
    Arc::new(Generator::new(plan).unwrap())
}

async fn rows(source: &dyn Source, sql: &str) -> Vec<Vec<Value>> {
    let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
    let limits = Limits { timeout: Duration::from_secs(60), max_rows: 100_000, max_bytes: 64 << 20 };
    let cancel = CancellationToken::new();
    let query = Query { statement: &statement, limits, author: Author::UNBOUND, cancel: &cancel, id: None };
    source.query(query).await.unwrap_or_else(|error| panic!("{error}\n{sql}")).rows
}

async fn number(source: &dyn Source, sql: &str) -> i64 {
    integer(&rows(source, sql).await[0][0])
}

fn integer(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap_or_else(|| panic!("{value}"))
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

/// `column >= from AND column < to AND organisation`, as ClickHouse reads it.
fn within(column: &str, window: Window, organization: &str) -> String {
    let time = |nanos: i64| format!("fromUnixTimestamp64Nano({nanos}, 'UTC')");
    format!(
        "{column} >= {} AND {column} < {} AND organization_id = '{organization}'",
        time(window.from),
        time(window.to)
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn loaded_telemetry_answers_as_the_oracle_does() {
    let generator = generator();
    let database = support::clickhouse::clickhouse().await;
    let clickhouse = &database.source;
    let mut seen = load::Progress::default();
    let loaded = load::telemetry(&generator, clickhouse, |progress| seen = progress).await.unwrap();
    assert_eq!(seen, loaded);
    assert_eq!((loaded.done, loaded.units), (864, 864));
    assert!(load::marker(clickhouse).await.unwrap().unwrap().holds(generator.plan()));

    let mut generated: BTreeMap<&str, usize> = BTreeMap::new();
    for batch in generator.batches() {
        for (table, count) in [
            ("traces", batch.spans.len()),
            ("logs", batch.logs.len()),
            ("metrics", batch.metrics.len()),
            ("exemplars", batch.exemplars.len()),
            ("audit_logs", batch.audits.len()),
            ("uptime_checks", batch.checks.len()),
            ("vm_metrics", batch.vm_metrics.len()),
            ("kubernetes_metrics", batch.kubernetes_metrics.len()),
            ("kubernetes_events", batch.kubernetes_events.len()),
            ("anomaly_events", batch.anomalies.len()),
            ("service_map_metrics", batch.map_metrics.len()),
            ("network_map_traffic", batch.node_traffic.len()),
            ("network_map_connection_metrics", batch.link_traffic.len()),
            ("prometheus_metrics", batch.scraped.len()),
            ("cost_data", batch.costs.len()),
            ("llm_usage_raw", batch.model_calls.len()),
            ("predictions", batch.predictions.len()),
        ] {
            *generated.entry(table).or_default() += count;
        }
        for event in &batch.database_metrics {
            let Some(target) = TARGETS.iter().find(|target| target.table.contains(&format!("db_{}_", event.kind)))
            else {
                panic!("no table for {}", event.kind)
            };
            *generated.entry(target.table).or_default() += 1;
        }
    }
    assert_eq!(generated.values().sum::<usize>() as u64, loaded.rows);
    for (table, count) in &generated {
        let stored = number(clickhouse, &format!("SELECT count() AS n FROM {table}")).await;
        assert_eq!(stored, *count as i64, "{table}");
    }

    let hour = Window::last(&generator, HOUR);
    let windows = [hour, hour.previous()];
    let all = oracle::answers(&generator, &windows);
    for (window, answers) in windows.into_iter().zip(&all) {
        for (organization, answers) in generator.world.organizations.iter().zip(answers) {
            compare(clickhouse, answers, window, &organization.id_text).await;
        }
    }
    rollups_of_several_tenants(clickhouse, &generator).await;
    canaries_stay_outside(clickhouse, &generator, hour, &all[0][0]).await;

    // A repeated load begins from nothing and gives the same data.
    let again = load::telemetry(&generator, clickhouse, |_| {}).await.unwrap();
    assert_eq!(again.rows, loaded.rows);
    assert_eq!(number(clickhouse, "SELECT count() AS n FROM traces").await, generated["traces"] as i64);
}

async fn compare(clickhouse: &ClickHouse, answers: &Answers, window: Window, organization: &str) {
    let here = |column: &str| within(column, window, organization);
    let measured = "count() AS n, countIf(status_code = 'ERROR') AS bad, quantileExact(0.5)(duration_ns) AS p50, \
                    quantileExact(0.95)(duration_ns) AS p95, quantileExact(0.99)(duration_ns) AS p99";
    let sql = format!(
        "SELECT service_name, {measured} FROM traces WHERE {} AND span_kind IN ('SERVER', 'CONSUMER') \
         GROUP BY service_name ORDER BY service_name",
        here("timestamp")
    );
    let got: BTreeMap<String, Vec<i64>> = rows(clickhouse, &sql)
        .await
        .iter()
        .map(|row| (word(&row[0]), row[1..].iter().map(integer).collect()))
        .collect();
    let expected: BTreeMap<String, Vec<i64>> = answers.services.iter().map(|(key, r)| (key.clone(), five(r))).collect();
    assert_eq!(got, expected);
    assert!(got.len() >= 12, "{got:?}");

    let sql = format!(
        "SELECT p.service_name AS caller, c.service_name AS callee, {} FROM traces AS c \
         INNER JOIN traces AS p ON p.organization_id = c.organization_id AND p.trace_id = c.trace_id \
         AND p.span_id = c.parent_span_id \
         WHERE {} AND c.span_kind IN ('SERVER', 'CONSUMER') AND p.service_name != c.service_name \
         GROUP BY caller, callee ORDER BY caller, callee",
        measured.replace("status_code", "c.status_code").replace("duration_ns", "c.duration_ns"),
        here("c.timestamp").replace("organization_id", "c.organization_id"),
    );
    let got: BTreeMap<(String, String), Vec<i64>> = rows(clickhouse, &sql)
        .await
        .iter()
        .map(|row| ((word(&row[0]), word(&row[1])), row[2..].iter().map(integer).collect()))
        .collect();
    let expected: BTreeMap<_, _> = answers.edges.iter().map(|(key, r)| (key.clone(), five(r))).collect();
    assert_eq!(got, expected);

    let synthetic = oracle::SYNTHETIC_SERVICES.map(|name| format!("'{name}'")).join(", ");
    let app = format!("{} AND service_name NOT IN ({synthetic})", here("timestamp"));
    for (sql, expected) in [
        (
            format!("SELECT service_name, severity_text, count() AS n FROM logs WHERE {app} GROUP BY ALL"),
            pairs(&answers.logs),
        ),
        (
            format!("SELECT service_name, body, count() AS n FROM logs_errors WHERE {app} GROUP BY ALL"),
            pairs(&answers.error_logs),
        ),
        (
            format!(
                "SELECT toString(event_type) AS kind, toString(result) AS outcome, count() AS n FROM audit_logs WHERE {} GROUP BY ALL",
                here("timestamp")
            ),
            pairs(&answers.audits),
        ),
        (
            format!(
                "SELECT service_name, metric_name, count() AS n FROM exemplars WHERE {} GROUP BY ALL",
                here("timestamp")
            ),
            pairs(&answers.exemplars),
        ),
        (
            format!(
                "SELECT service_name, span_name || '\t' || status_message AS what, count() AS n FROM traces WHERE {} AND status_code = 'ERROR' GROUP BY ALL",
                here("timestamp")
            ),
            answers.errors.iter().map(|((s, n, m), count)| ((s.clone(), format!("{n}\t{m}")), *count as i64)).collect(),
        ),
    ] {
        assert_eq!(counted(clickhouse, &sql).await, expected, "{sql}");
    }

    let sql = format!(
        "SELECT service_name, metric_name, count() AS n, sum(value) AS total, min(value) AS low, max(value) AS high \
         FROM metrics WHERE {} GROUP BY ALL",
        here("timestamp")
    );
    let got = rows(clickhouse, &sql).await;
    assert_eq!(got.len(), answers.metrics.len());
    for row in got {
        let series = answers.metrics[&(word(&row[0]), word(&row[1]))];
        assert_eq!(integer(&row[2]), series.count as i64);
        let close = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() <= expected.abs() * 1e-9;
        assert!(close(&row[3], series.sum) && close(&row[4], series.min) && close(&row[5], series.max), "{row:?}");
    }

    let sql = format!(
        "SELECT monitor_id, count() AS n, countIf(status = 'success') AS good FROM uptime_checks WHERE {} GROUP BY ALL",
        here("checked_at")
    );
    let got: BTreeMap<String, (i64, i64)> =
        rows(clickhouse, &sql).await.iter().map(|row| (word(&row[0]), (integer(&row[1]), integer(&row[2])))).collect();
    let expected = answers.uptime.iter().map(|(id, u)| (id.clone(), (u.checks as i64, u.successes as i64)));
    assert_eq!(got, expected.collect());

    let sql = format!(
        "SELECT service_name, resource_attributes['service.version'] AS version, \
         min(toUnixTimestamp64Nano(timestamp)) AS first, max(toUnixTimestamp64Nano(timestamp)) AS last FROM traces \
         WHERE {} GROUP BY ALL",
        here("timestamp")
    );
    let got: BTreeMap<(String, String), (i64, i64)> = rows(clickhouse, &sql)
        .await
        .iter()
        .map(|row| ((word(&row[0]), word(&row[1])), (integer(&row[2]), integer(&row[3]))))
        .collect();
    assert_eq!(got, answers.versions.iter().map(|(key, seen)| (key.clone(), (seen.first, seen.last))).collect());
}

/// A merge of logs_1h adds up rows of different organisations under one of them; a merge of metrics_1m does not.
async fn rollups_of_several_tenants(clickhouse: &ClickHouse, generator: &Generator) {
    let day = Window { from: generator.start(), to: generator.end() };
    let answers = &oracle::answers(generator, &[day])[0][0];
    let own = &generator.world.organizations[0].id_text;
    let truth: u64 =
        answers.logs.iter().filter(|((service, _), _)| service == "checkout").map(|(_, count)| count).sum();
    let points: u64 = answers.metrics.values().map(|series| series.count).sum();
    let logs =
        format!("SELECT sum(count) AS n FROM logs_1h WHERE organization_id = '{own}' AND service_name = 'checkout'");
    let metrics = format!("SELECT countMerge(count) AS n FROM metrics_1m WHERE organization_id = '{own}'");
    clickhouse.execute("OPTIMIZE TABLE logs_1h FINAL").await.unwrap();
    clickhouse.execute("OPTIMIZE TABLE metrics_1m FINAL").await.unwrap();
    assert_ne!(number(clickhouse, &logs).await, truth as i64, "the trap is there: logs_1h mixes organisations");
    let mixed = number(clickhouse, "SELECT uniq(organization_id) AS n FROM logs_1h WHERE service_name = 'checkout' AND hour = (SELECT max(hour) FROM logs_1h) AND severity_text = 'INFO'").await;
    assert_eq!(mixed, 1, "only one organisation is left of three");
    assert_eq!(number(clickhouse, &metrics).await, points as i64, "metrics_1m keeps them apart");
}

/// Planted rows reach no statement that binds organisation and window, and every statement that forgets to.
async fn canaries_stay_outside(clickhouse: &ClickHouse, generator: &Generator, window: Window, answers: &Answers) {
    let own = &generator.world.organizations[0];
    let canaries = canary::canaries(generator, own, window);
    canaries.plant_in_clickhouse(clickhouse).await.unwrap();
    compare(clickhouse, answers, window, &own.id_text).await;
    for (table, planted) in &canaries.telemetry {
        let text = planted[0].iter().find(|(name, value)| {
            let own = ["organization_id", "workspace_id", "tenant_id"].contains(&name.as_str());
            !own && value.as_str().is_some_and(|v| v.starts_with(canary::FOREIGN))
        });
        let Some((column, _)) = text else { panic!("{table} has no text column") };
        let sql = format!(
            "SELECT countIf(startsWith({column}, 'LEAK')) AS leaks, countIf(startsWith({column}, 'EARLY') OR startsWith({column}, 'LATE')) AS edges FROM {table}"
        );
        let found = rows(clickhouse, &sql).await;
        assert!(integer(&found[0][0]) >= 2 && integer(&found[0][1]) >= 2, "{table}.{column}: {found:?}");
    }
    let careless = format!(
        "SELECT count() AS n FROM traces AS c INNER JOIN traces AS p ON p.trace_id = c.trace_id AND p.span_id = c.parent_span_id \
         WHERE {} AND startsWith(p.service_name, 'LEAK')",
        within("c.timestamp", window, &own.id_text).replace("organization_id", "c.organization_id")
    );
    assert!(number(clickhouse, &careless).await > 0, "a join that forgets the organisation meets an impostor");
}

async fn counted(source: &dyn Source, sql: &str) -> BTreeMap<(String, String), i64> {
    rows(source, sql).await.iter().map(|row| ((word(&row[0]), word(&row[1])), integer(&row[2]))).collect()
}

fn pairs(counts: &BTreeMap<(String, String), u64>) -> BTreeMap<(String, String), i64> {
    counts.iter().map(|(key, count)| (key.clone(), *count as i64)).collect()
}

fn five(requests: &Requests) -> Vec<i64> {
    let p = |level| requests.percentile(level) as i64;
    vec![requests.count as i64, requests.errors as i64, p(0.5), p(0.95), p(0.99)]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn both_relational_backends_hold_the_same_rows_and_the_canaries() {
    let generator = generator();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("platform.sqlite");
    let database = support::postgres::database().await;
    let own = &generator.world.organizations[0];
    let window = Window::last(&generator, HOUR);
    // The second load finds the first one.
    for _ in 0..2 {
        let stored = load::sqlite(&generator, &file).await.unwrap();
        assert_eq!(stored, load::postgres(&generator, &database.url.clone().into()).await.unwrap());
    }
    let canaries = canary::canaries(&generator, own, window);
    let mut writer = tfo_mcp::source::sqlite::Writer::open(&file).await.unwrap();
    canaries.plant_in_sqlite(&mut writer).await.unwrap();
    writer.close().await.unwrap();
    let mut writer = database.writer().await;
    canaries.plant_in_postgres(&mut writer).await.unwrap();
    writer.close().await;

    let lite = Sqlite::new(&file);
    let postgres = postgres::Postgres::new(postgres::PostgresOptions::new(database.url.clone().into())).unwrap();
    assert!(load::marker(&lite).await.unwrap().unwrap().holds(generator.plan()));
    assert!(load::marker(&postgres).await.unwrap().unwrap().holds(generator.plan()));
    for (table, columns) in schema::columns(schema::POSTGRES) {
        let names: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        // Only columns that both sides fill: defaults such as now() differ by design.
        let filled = platform::tables(&generator).into_iter().find(|filled| filled.name == table);
        let Some(filled) = filled else { continue };
        let names: Vec<&String> =
            names.iter().filter(|name| filled.columns.contains(&name.trim_matches('"'))).collect();
        let list = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT {list} FROM {table} ORDER BY {}", names[0]);
        let (a, b) = (rows(&lite, &sql).await, rows(&postgres, &sql).await);
        assert!(a.len() >= filled.rows.len(), "{table}");
        // What PostgreSQL keeps without a zone SQLite keeps as text in UTC.
        assert_eq!(without_zones(a), without_zones(b), "{table}");
    }
    for (table, column) in
        [("users", "password"), ("api_keys", "api_key_secret"), ("llm_providers", "encrypted_api_key")]
    {
        let sql = format!("SELECT count(*) AS n FROM {table} WHERE {column} LIKE '{}%'", platform::SECRET_CANARY);
        assert!(number(&postgres, &sql).await > 0);
    }
    firing_alerts(&lite, &generator).await;
    lite.close().await;
    postgres.close().await;
}

fn without_zones(rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let plain = |value: Value| match value.as_str().and_then(|text| text.strip_suffix('Z')) {
        Some(text) => text.into(),
        None => value,
    };
    rows.into_iter().map(|row| row.into_iter().map(plain).collect()).collect()
}

async fn firing_alerts(source: &dyn Source, generator: &Generator) {
    for (fleet, _) in generator.fleets() {
        let organization = &fleet.organization.id_text;
        let sql = format!(
            "SELECT title, status FROM alert_instances WHERE organization_id = '{organization}' AND status <> 'resolved' \
             AND title NOT LIKE 'LEAK%' ORDER BY starts_at, id"
        );
        let got: Vec<(String, String)> =
            rows(source, &sql).await.iter().map(|row| (word(&row[0]), word(&row[1]))).collect();
        let open = oracle::open_alerts(generator, fleet.organization.index);
        assert_eq!(got, open.iter().map(|alert| (alert.title.clone(), alert.status().to_owned())).collect::<Vec<_>>());
        assert!(!open.is_empty());
        assert!(open.iter().all(|alert| alert.starts_at <= generator.end() - MINUTE));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_of_somebody_else_are_refused_and_left_alone() {
    let generator = generator();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("theirs.sqlite");
    let table = "CREATE TABLE ledger (id INTEGER PRIMARY KEY)";
    let mut writer = tfo_mcp::source::sqlite::Writer::open(&file).await.unwrap();
    writer.execute_script(table).await.unwrap();
    writer.close().await.unwrap();
    let database = support::postgres::database().await;
    database.execute(table).await;
    let clickhouse = support::clickhouse::clickhouse().await;
    clickhouse.source.execute("CREATE TABLE ledger (id UInt8) ENGINE = Memory").await.unwrap();
    for error in [
        load::sqlite(&generator, &file).await.unwrap_err(),
        load::postgres(&generator, &database.url.clone().into()).await.unwrap_err(),
        load::telemetry(&generator, &clickhouse.source, |_| {}).await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("did not make (ledger") && text.contains("hint:"), "{text}");
    }
    assert_eq!(Sqlite::new(&file).tables().await.unwrap().0.len(), 1);
    assert_eq!(clickhouse.source.tables().await.unwrap().0.len(), 1);
    assert!(!Path::new(&format!("{}.loading", file.display())).exists());
}

#[test]
fn postgres_and_sqlite_have_the_same_columns() {
    let names = |script: &'static str| -> BTreeMap<&str, Vec<&str>> {
        let tables = schema::columns(script).into_iter();
        tables.map(|(table, columns)| (table, columns.iter().map(|column| column.name).collect())).collect()
    };
    let (postgres, sqlite) = (names(schema::POSTGRES), names(schema::SQLITE));
    assert_eq!(postgres, sqlite);
    assert_eq!(postgres.len(), schema::tables(schema::POSTGRES).len());
    assert!(postgres["users"].contains(&"lastLoginAt") && postgres["kubernetes_nodes"].contains(&"roles"));
}

//! What holds rows of several organisations at once: rollups that add them up, and where rows lie in storage. And
//! the second lock of definitions, which keeps a wrong statement to its organisation.

use serde_json::json;
use tfo_mcp::{
    demo::schema,
    source::{Author, Query, Rows, Source, SourceError, SourceErrorKind},
    sql::Statement,
};
use tokio_util::sync::CancellationToken;

use crate::support::clickhouse::{TestClickHouse, WIDE, clickhouse};

const ME: &str = "me";

/// Asks as a definition does, for an organisation or exempt.
async fn define(db: &TestClickHouse, organization_id: Option<&str>, sql: &str) -> Result<Rows, SourceError> {
    let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
    let cancel = CancellationToken::new();
    let author = Author::Definition { organization_id };
    db.source.query(Query { statement: &statement, limits: WIDE, author, cancel: &cancel, id: None }).await
}

async fn platform() -> TestClickHouse {
    let db = clickhouse().await;
    for statement in schema::statements(schema::CLICKHOUSE) {
        db.execute(&[&statement]).await;
    }
    // The server's condition is looked at only where there are rows.
    db.execute(&[
        "INSERT INTO logs (timestamp, severity_text, service_name, organization_id) VALUES (now64(9), 'INFO', 's', 'other')",
        "INSERT INTO metrics (timestamp, metric_name, metric_type, value, service_name, organization_id) \
         VALUES (now64(9), 'm', 'gauge', 1, 's', 'other')",
        "INSERT INTO traces (timestamp, trace_id, span_kind, service_name, status_code, duration_ns, organization_id) \
         VALUES (now64(9), 't', 'SERVER', 's', 'OK', 1, 'other')",
    ])
    .await;
    db
}

fn assert_folded(answer: Result<Rows, SourceError>, sql: &str) {
    let error = answer.expect_err(sql);
    assert_eq!(error.kind, SourceErrorKind::Forbidden, "{sql}: {error:?}");
    assert!(error.message.contains("sums over organisations") && error.hint.is_some(), "{sql}: {error:?}");
}

/// Merges add up rows of several organisations under one of them, and `FINAL` merges while it reads.
#[tokio::test]
async fn rollups_showed_sums_over_organisations() {
    let db = platform().await;
    for table in ["metrics_5m", "logs_1h", "service_error_rates_1h", "service_latency_percentiles_1h"] {
        for sql in [
            format!("SELECT * FROM {table}"),
            format!("SELECT count() FROM {table} FINAL"),
            format!("SELECT count() FROM `{}`.{table} AS t WHERE organization_id = 'me'", db.database),
            format!("SELECT (SELECT count() FROM {table}) AS n"),
            format!("SELECT 1 WHERE 'x' IN (SELECT service_name FROM {table})"),
            format!("SELECT 1 FROM logs AS l LEFT JOIN {table} AS t ON t.service_name = l.service_name"),
            format!("WITH x AS (SELECT * FROM {table}) SELECT * FROM x"),
        ] {
            assert_folded(db.ask(ME, &sql).await, &sql);
            assert_folded(define(&db, Some(ME), &sql).await, &sql);
            let statement = Statement { sql: sql.clone(), binds: Vec::new() };
            assert_eq!(db.source.prepare(&statement).await, Ok(()), "{sql}");
            assert_eq!(db.source.confined(&statement).await.unwrap_err().kind, SourceErrorKind::Forbidden, "{sql}");
            // What is exempt by `tenant: none` may read it.
            define(&db, None, &sql).await.unwrap();
        }
    }
    for table in ["metrics_1m", "metrics_1h", "audit_logs_1h", "logs_errors", "vm_metrics_1h", "kubernetes_metrics"] {
        let sql = format!("SELECT count() AS n FROM {table}");
        assert_eq!(db.ask(ME, &sql).await.unwrap().rows, [[json!(0)]], "{sql}");
        assert_eq!(define(&db, Some(ME), &sql).await.unwrap().rows, [[json!(0)]], "{sql}");
        let statement = Statement { sql, binds: Vec::new() };
        assert_eq!(db.source.confined(&statement).await, Ok(()), "{table}");
    }
}

/// A database in which `body` of each row of another organisation holds `CANARY`.
async fn database() -> TestClickHouse {
    let db = clickhouse().await;
    let name = &db.database;
    db.execute(&[
        "CREATE TABLE traces (organization_id String, service String, body String, v UInt32, tags Map(String, String), \
         n Nullable(UInt8), pair Tuple(a UInt8, b String), doc JSON, next UInt32 ALIAS v + 1, \
         twice UInt32 MATERIALIZED v * 2, nested Nested(x UInt8)) ENGINE = MergeTree ORDER BY (organization_id, v)",
        "CREATE TABLE hashed (organization_id String, n UInt64) ENGINE = SummingMergeTree ORDER BY cityHash64(organization_id) % 8",
        "CREATE TABLE latest (organization_id String, n UInt64) ENGINE = ReplacingMergeTree ORDER BY tuple()",
        "CREATE TABLE kept (organization_id String, n UInt64) ENGINE = SummingMergeTree ORDER BY (n, organization_id)",
        "CREATE MATERIALIZED VIEW to_hashed TO hashed AS SELECT organization_id, count() AS n FROM traces GROUP BY organization_id",
        "CREATE MATERIALIZED VIEW to_kept TO kept AS SELECT organization_id, count() AS n FROM traces GROUP BY organization_id",
        "CREATE VIEW sees_hashed AS SELECT * FROM hashed",
        "CREATE VIEW sees_that AS SELECT organization_id, n FROM sees_hashed WHERE n > 0",
        "CREATE VIEW sees_inside AS SELECT organization_id, (SELECT max(n) FROM hashed) AS n FROM traces",
        &format!("CREATE VIEW sees_all AS SELECT * FROM merge('{name}', '^hashed$')"),
        "CREATE VIEW sees_kept AS SELECT * FROM kept",
        "CREATE VIEW sees_traces AS SELECT * FROM traces",
        &format!("CREATE TABLE buffered AS hashed ENGINE = Buffer('{name}', 'hashed', 1, 10, 100, 10, 100, 1000, 10000)"),
        &format!("CREATE TABLE merged AS hashed ENGINE = Merge('{name}', '^(kept|hashed)$')"),
        &format!("CREATE TABLE merged_kept AS kept ENGINE = Merge('{name}', '^kept$')"),
        "INSERT INTO latest VALUES ('other', 1)",
        "INSERT INTO traces (organization_id, service, body, v, doc) SELECT if(number % 2 = 0, 'me', 'other'), 's', \
         if(number % 2 = 0, 'mine', 'CANARY'), number, '{\"a\": {\"b\": 1}}' FROM numbers(1000)",
    ])
    .await;
    db
}

#[tokio::test]
async fn what_reads_through_to_a_folding_table_folds_too() {
    let db = database().await;
    for table in
        ["hashed", "latest", "to_hashed", "sees_hashed", "sees_that", "sees_inside", "sees_all", "buffered", "merged"]
    {
        let sql = format!("SELECT max(n) AS n FROM {table}");
        assert_folded(db.ask(ME, &sql).await, &sql);
        assert_folded(define(&db, Some(ME), &sql).await, &sql);
    }
    for table in ["kept", "to_kept", "sees_kept", "merged_kept"] {
        let sql = format!("SELECT sum(n) AS n FROM {table}");
        assert_eq!(db.ask(ME, &sql).await.unwrap().rows, [[json!(500)]], "{sql}");
        assert_eq!(define(&db, Some(ME), &sql).await.unwrap().rows, [[json!(500)]], "{sql}");
    }
    // A name that is not read is only a name.
    let rows = db.ask(ME, "SELECT v AS hashed FROM traces ORDER BY hashed LIMIT 1").await.unwrap();
    assert_eq!(rows.rows, [[json!(0)]]);
}

/// Statements of definitions that forget a condition, or put it where it confines nothing.
#[tokio::test]
async fn a_wrong_definition_answers_too_little_instead_of_too_much() {
    let db = database().await;
    let wrong = [
        "SELECT service, countIf(organization_id = 'me') AS mine, count() AS everybody FROM traces GROUP BY service",
        "SELECT groupUniqArray(body) AS b FROM traces WHERE organization_id = 'me' OR 1",
        "SELECT body FROM traces WHERE NOT (organization_id = 'me')",
        "SELECT body FROM traces GROUP BY body HAVING any(organization_id) != 'x'",
        "SELECT b.body FROM traces AS a LEFT JOIN traces AS b ON a.v + 1 = b.v WHERE a.organization_id = 'me'",
        "SELECT (SELECT groupUniqArray(body) FROM traces) AS b",
        "SELECT v FROM traces WHERE v IN (SELECT v FROM traces WHERE body = 'CANARY')",
        "WITH t AS (SELECT * FROM traces) SELECT body FROM t UNION ALL SELECT body FROM traces",
        "SELECT body FROM `traces` ORDER BY body LIMIT 1",
        "SELECT body FROM sees_traces",
        "SELECT '\\\\' AS x, body FROM traces",
    ];
    for sql in wrong {
        let rows = define(&db, Some(ME), sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert!(!format!("{rows:?}").contains("CANARY"), "{sql}: {rows:?}");
    }
    let everybody = define(&db, Some(ME), wrong[0]).await.unwrap();
    assert_eq!(everybody.rows, [[json!("s"), json!(500), json!(500)]]);
    // The lock is what withholds them: without it they show.
    let exempt = define(&db, None, wrong[0]).await.unwrap();
    assert_eq!(exempt.rows, [[json!("s"), json!(500), json!(1000)]]);
}

#[tokio::test]
async fn the_condition_of_the_server_uses_the_primary_key() {
    let db = clickhouse().await;
    db.execute(&[
        "CREATE TABLE t (organization_id String, v UInt32) ENGINE = MergeTree ORDER BY (organization_id, v) \
         SETTINGS index_granularity = 100",
        "INSERT INTO t SELECT 'o' || toString(number % 10), number FROM numbers(10000)",
    ])
    .await;
    let granules = async |sql: &str| {
        let plan = define(&db, Some("o3"), &format!("EXPLAIN indexes = 1 {sql}")).await.unwrap();
        let lines = plan.rows.iter().map(|row| row[0].as_str().unwrap().trim().to_owned());
        lines.filter(|line| line.starts_with("Granules: ")).collect::<Vec<_>>()
    };
    let bound = granules("SELECT v FROM t WHERE organization_id = 'o3'").await;
    assert_eq!(bound, granules("SELECT v FROM t").await);
    assert!(bound.iter().any(|line| line.starts_with("Granules: 1") && line.ends_with("/100")), "{bound:?}");
}

#[tokio::test]
async fn only_declared_columns_and_their_parts_are_read() {
    let db = database().await;
    for (sql, answer) in [
        ("SELECT count(tags.keys) AS n FROM traces", 500),
        ("SELECT countIf(n.null) AS n FROM traces", 500),
        ("SELECT toUInt32(sum(pair.a)) AS n FROM traces", 0),
        ("SELECT count(doc.a.b) AS n FROM traces", 500),
        ("SELECT min(next) AS n FROM traces", 1),
        ("SELECT max(twice) AS n FROM traces", 1996),
        ("SELECT countIf(nested.x.size0 = 0) AS n FROM traces", 500),
        ("SELECT countIf(tags['a'] = '') AS n FROM traces", 500),
        ("SELECT count() AS n FROM (SELECT v AS _x FROM traces) WHERE _x >= 0", 500),
    ] {
        let rows = db.ask(ME, sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(rows.rows, [[json!(answer)]], "{sql}");
    }
}

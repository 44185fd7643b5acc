//! Tables without a column `organization_id`, such as those of the OpenTelemetry exporter: what the operator says of the
//! source keeps organisations apart there, in the text of definitions and by the server itself.
//!
//! Every text that must not be seen contains `CANARY`; so does every row of another organisation.

use serde_json::json;
use tfo_mcp::{
    source::{
        Author, Query, Rows, Source, SourceError, SourceErrorKind,
        clickhouse::{ClickHouse, ClickHouseConfig, Organisation},
    },
    sql::Statement,
};
use tokio_util::sync::CancellationToken;

use crate::support::clickhouse::{TestClickHouse, WIDE, clickhouse};

const ME: &str = "o'me\\";

async fn database(organisation: Organisation) -> TestClickHouse {
    let db = clickhouse().await;
    db.execute(&[
        "CREATE TABLE otel_traces (Timestamp DateTime64(9), TraceId String, ServiceName LowCardinality(String), SpanName String, \
         ResourceAttributes Map(LowCardinality(String), String), `Events.Name` Array(String), \
         Items Array(String) ALIAS mapKeys(ResourceAttributes)) ENGINE = MergeTree ORDER BY (ServiceName, Timestamp)",
        "CREATE TABLE otel_traces_trace_id_ts (TraceId String, Start DateTime) ENGINE = MergeTree ORDER BY TraceId",
        "CREATE TABLE by_service (ServiceName String, ResourceAttributes Map(LowCardinality(String), String), n UInt64) \
         ENGINE = SummingMergeTree ORDER BY ServiceName",
        "CREATE TABLE by_tenant (ServiceName String, ResourceAttributes Map(LowCardinality(String), String), n UInt64) \
         ENGINE = SummingMergeTree ORDER BY (ResourceAttributes['tenant.id'], ServiceName)",
        "CREATE TABLE traces (organization_id String, service String) ENGINE = MergeTree ORDER BY organization_id",
        "CREATE VIEW spans_view AS SELECT SpanName FROM otel_traces",
        "INSERT INTO otel_traces (Timestamp, TraceId, ServiceName, SpanName, ResourceAttributes, `Events.Name`) \
         SELECT now64(9), toString(number), 'svc', if(number % 2 = 0, 'mine', 'CANARY') || toString(number), \
         map('tenant.id', if(number % 2 = 0, 'o\\'me\\\\', 'other')), ['exception'] FROM numbers(1000)",
        "INSERT INTO otel_traces (SpanName) VALUES ('CANARY of nobody')",
        "INSERT INTO otel_traces_trace_id_ts SELECT 'CANARY' || TraceId, now() FROM otel_traces",
        "INSERT INTO by_service SELECT ServiceName, ResourceAttributes, 1 FROM otel_traces",
        "INSERT INTO by_tenant SELECT ServiceName, ResourceAttributes, 1 FROM otel_traces",
        "INSERT INTO traces SELECT if(number % 2 = 0, 'o\\'me\\\\', 'other'), if(number % 2 = 0, 'a', 'CANARY') FROM numbers(10)",
    ])
    .await;
    let config = ClickHouseConfig { organisation, ..db.config.clone() };
    TestClickHouse { source: ClickHouse::remote(config), ..db }
}

fn by_attribute() -> Organisation {
    Organisation::of(Some("ResourceAttributes['tenant.id']"), None).unwrap()
}

/// Runs a statement of a definition for an organisation.
async fn defined(db: &TestClickHouse, organization_id: &str, sql: &str) -> Result<Rows, SourceError> {
    let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
    let author = Author::Definition { organization_id: Some(organization_id) };
    let cancel = CancellationToken::new();
    db.source.query(Query { statement: &statement, limits: WIDE, author, cancel: &cancel, id: None }).await
}

/// Statements of definitions, `ME` bound. Each counts 500 rows, or 5 of `traces`.
const DEFINED: &[(&str, i64)] = &[
    ("SELECT count() AS n FROM otel_traces WHERE organization_id = ME", 500),
    (
        "SELECT count() AS n FROM `otel_traces` AS t WHERE t.organization_id = ME AND has(`Events.Name`, 'exception')",
        500,
    ),
    ("SELECT count() AS n FROM otel_traces WHERE organization_id = ME AND has(Items, 'tenant.id')", 500),
    ("WITH x AS (SELECT * FROM otel_traces WHERE organization_id = ME) SELECT count() AS n FROM x", 500),
    ("SELECT count() AS n FROM (SELECT TraceId FROM otel_traces WHERE organization_id = ME) AS t", 500),
    (
        "SELECT count() AS n FROM otel_traces AS a JOIN otel_traces AS b ON a.TraceId = b.TraceId \
         AND a.organization_id = b.organization_id WHERE a.organization_id = ME",
        500,
    ),
    (
        "SELECT count() AS n FROM otel_traces WHERE organization_id = ME \
         AND TraceId IN (SELECT TraceId FROM otel_traces WHERE organization_id = ME)",
        500,
    ),
    (
        "SELECT sum(n) AS n FROM (SELECT count() AS n FROM traces WHERE organization_id = ME UNION ALL \
         SELECT count() AS n FROM otel_traces WHERE organization_id = ME)",
        505,
    ),
    ("SELECT count() AS n FROM traces WHERE organization_id = ME", 5),
    ("SELECT sum(n) AS n FROM by_tenant WHERE organization_id = ME", 500),
    // What the proof of `validate` does not let pass: the server's own filter.
    ("SELECT count() AS n FROM otel_traces", 500),
    ("SELECT count() AS n FROM otel_traces WHERE organization_id = 'other'", 0),
    ("SELECT count() AS n FROM otel_traces WHERE organization_id = ME OR 1", 500),
    ("SELECT count() AS n FROM spans_view", 500),
];

#[tokio::test]
async fn statements_call_the_organisation_the_same_whatever_the_source_calls_it() {
    let db = database(by_attribute()).await;
    for (sql, expected) in DEFINED {
        let sql = sql.replace("ME", "'o\\'me\\\\'");
        let rows = defined(&db, ME, &sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(rows.rows, [[json!(expected)]], "{sql}");
        let statement = Statement { sql: sql.clone(), binds: Vec::new() };
        db.source.prepare(&statement).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        db.source.confined(&statement).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    // A table that nothing confines has no such column, and one that folds organisations is not read.
    let none = defined(&db, ME, "SELECT count() AS n FROM otel_traces_trace_id_ts WHERE organization_id = 'x'").await;
    assert_eq!(none.unwrap_err().kind, SourceErrorKind::Missing);
    let folded = defined(&db, ME, "SELECT sum(n) AS n FROM by_service").await.unwrap_err();
    assert_eq!(folded.kind, SourceErrorKind::Forbidden, "{folded:?}");
    // A mistake is told where it stands in the text that was written.
    for (sql, place) in [
        ("SELECT count() AS n\nFROM otel_traces\nWHERE AND organization_id = 'x'", "line 3"),
        ("WITH x AS (SELECT 1)\nSELECT count() AS n\nFROM otel_traces\nWHERE AND 1", "line 4"),
    ] {
        let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
        let wrong = db.source.prepare(&statement).await.unwrap_err();
        assert!(wrong.message.contains(place), "{sql}: {}", wrong.message);
    }
}

#[tokio::test]
async fn callers_see_the_rows_that_the_expression_says_are_theirs() {
    let db = database(by_attribute()).await;
    for (sql, expected) in [
        ("SELECT count() AS n FROM otel_traces", 500),
        ("SELECT count() AS n FROM otel_traces WHERE ResourceAttributes['tenant.id'] = 'other' OR 1", 500),
        ("SELECT uniqExact(ResourceAttributes['tenant.id']) AS n FROM otel_traces", 1),
        (
            "SELECT count() AS n FROM (SELECT map('tenant.id', 'other') AS ResourceAttributes, SpanName FROM otel_traces)",
            500,
        ),
        ("SELECT count() AS n FROM otel_traces AS a JOIN otel_traces AS b ON a.TraceId = b.TraceId", 500),
        ("SELECT sum(n) AS n FROM by_tenant", 500),
        ("SELECT count() AS n FROM traces", 5),
    ] {
        let rows = db.ask(ME, sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(rows.rows, [[json!(expected)]], "{sql}");
    }
    let names = db.ask(ME, "SELECT groupUniqArray(SpanName LIKE '%CANARY%') AS n FROM otel_traces").await.unwrap();
    assert_eq!(names.rows, [[json!([0])]]);
    for sql in [
        "SELECT * FROM otel_traces_trace_id_ts",
        "SELECT sum(n) FROM by_service",
        "SELECT * FROM spans_view",
        "SELECT * FROM merge('otel_traces')",
        "SELECT organization_id FROM otel_traces",
    ] {
        let refused = db.ask(ME, sql).await.expect_err(sql);
        assert!(!refused.message.contains("CANARY"), "{sql}: {refused:?}");
    }
    let tables = db.source.describe_tables().await.unwrap();
    let tables: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(tables, ["by_tenant", "otel_traces", "traces"]);
}

#[tokio::test]
async fn a_source_of_one_organisation_answers_no_other() {
    let db = database(Organisation::of(None, Some(ME)).unwrap()).await;
    for (sql, expected) in [
        ("SELECT count() AS n FROM otel_traces", 1001),
        ("SELECT count() AS n FROM otel_traces_trace_id_ts", 1001),
        ("SELECT sum(n) AS n FROM by_service", 1001),
        // A column that says whose a row is counts more than what is said of the source.
        ("SELECT count() AS n FROM traces", 5),
    ] {
        assert_eq!(db.ask(ME, sql).await.unwrap().rows, [[json!(expected)]], "{sql}");
        assert_eq!(defined(&db, ME, sql).await.unwrap().rows, [[json!(expected)]], "{sql}");
        for refused in [db.ask("other", sql).await, defined(&db, "other", sql).await] {
            assert_eq!(refused.unwrap_err().kind, SourceErrorKind::Forbidden, "{sql}");
        }
    }
    let bound = "SELECT count() AS n FROM otel_traces WHERE organization_id = 'o\\'me\\\\'";
    assert_eq!(defined(&db, ME, bound).await.unwrap().rows, [[json!(1001)]]);
}

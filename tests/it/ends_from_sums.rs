//! Where data lie is told from sums as from rows: before and after merges, at edges that are no whole minutes, with rows that
//! came late or are gone; and rows are not read for it.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::Engine,
    source::clickhouse::{ClickHouse, rollups::Rollups},
};
use time::{OffsetDateTime, macros::datetime};

use crate::{
    answers::{collect, engine_of},
    sampling::platform,
    support::{
        clickhouse::{TestClickHouse, clickhouse},
        pack::catalog,
    },
};

const ORGANISATION: &str = "0d9a1f5e-6c1b-4e8f-9b3a-5f2e7c4d1001";
const CUTOFF: OffsetDateTime = datetime!(2026-11-20 09:30:00 UTC);

/// What has times, which type tells of them, and how its rows are told apart: a column and its values.
struct Kind {
    table: &'static str,
    sums: &'static str,
    version: u32,
    context: &'static str,
    columns: &'static str,
    values: &'static str,
}

const KINDS: [Kind; 2] = [
    Kind {
        table: "traces",
        sums: "tfo_spans_1m",
        version: 2,
        context: "traces",
        columns: "span_id, span_name, span_kind",
        values: "'1', 'GET /', 1 + number % 3",
    },
    Kind {
        table: "logs",
        sums: "tfo_texts_1m",
        version: 1,
        context: "logs",
        columns: "body, severity_number",
        values: "concat('it took ', toString(number)), 9 + number % 3 * 4",
    },
];

/// Rows of an organisation from a time on, one each six seconds and some milliseconds.
async fn insert(db: &TestClickHouse, kind: &Kind, organisation: &str, from: &str, number: u64) {
    let Kind { table, columns, values, .. } = kind;
    db.execute(&[&format!(
        "INSERT INTO {table} (timestamp, trace_id, service_name, organization_id, {columns}) \
         SELECT toDateTime64('{from}', 9, 'UTC') + toIntervalNanosecond(6000 * 1000000 * number + number % 7 * 12345678), \
         lower(hex(sipHash128(number))), if(number % 5 = 0, 'cart', 'web'), '{organisation}', {values} FROM numbers({number})"
    )])
    .await;
}

/// Rows of three days with a gap, and of another organisation where these are not.
async fn three_days() -> TestClickHouse {
    let db = clickhouse().await;
    let schema = tfo_mcp::demo::schema::statements(tfo_mcp::demo::schema::CLICKHOUSE);
    for kind in &KINDS {
        let begin = format!("CREATE TABLE {} ", kind.table);
        db.execute(&[schema.iter().find(|text| text.starts_with(&begin)).unwrap().as_str()]).await;
        insert(&db, kind, ORGANISATION, "2026-11-17 12:10:13.5", 600 * 22 - 103).await;
        insert(&db, kind, ORGANISATION, "2026-11-18 10:50:00.25", 600 * 22).await;
        insert(&db, kind, "0d9a1f5e-6c1b-4e8f-9b3a-5f2e7c4d1002", "2026-11-16 00:00:00", 600 * 96).await;
    }
    db
}

/// Types that tell of nothing else.
fn engine(db: &TestClickHouse) -> Engine {
    let files = KINDS.map(|Kind { table, context, .. }| {
        let text = format!(
            "kind: context\nname: ends-{context}\ncategory: observability\ntitle: Ends\ndescription: Where data lie.\n\
             persona: trace-analyst\nsource: telemetry\nsections:\n  found:\n    title: Found\n    requires: [{table}]\n    \
             sql: |\n      SELECT count() AS number, countIf(timestamp < {{{{ from }}}}) AS prev_number\n      FROM {table}\n      \
             WHERE {{% include \"compared_rows\" %}}\n  bounds: {{ use: {context}.bounds }}\nsummary: Seen.\n"
        );
        (format!("definitions/contexts/observability/ends-{context}.yaml"), text)
    });
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let catalog = catalog(&files, &CatalogOptions::default());
    engine_of(catalog, ClickHouse::remote(db.config.clone()), Arc::new(platform(ORGANISATION)), ORGANISATION)
}

/// Windows in which data begin and end, in which and before which they are missing, and whole ones.
fn windows() -> Vec<Value> {
    let of = |start: &str, end: &str| json!({ "start": format!("2026-11-{start}Z"), "end": format!("2026-11-{end}Z") });
    vec![
        of("17T08:00:00", "17T09:00:00"),
        of("17T11:00:00", "17T13:00:00"),
        of("17T12:10:40", "17T13:10:40"),
        of("17T12:30:00", "17T13:00:00"),
        of("17T13:00:00", "17T14:00:00"),
        of("18T09:30:00", "18T10:45:00"),
        of("18T10:05:00.125", "18T10:40:00.875"),
        of("18T10:00:00", "18T10:30:00"),
        of("18T10:03:40", "18T10:49:59.5"),
        of("18T10:20:00", "18T10:50:00.5"),
        of("18T10:20:00", "18T10:20:30"),
        of("19T08:00:00", "19T10:00:00"),
        of("19T08:49:30", "19T09:49:30"),
        of("20T10:00:00", "20T11:00:00"),
        json!({ "time_range": "1h" }),
        json!({ "time_range": "24h" }),
        json!({ "time_range": "3d", "baseline": "week" }),
    ]
}

/// What is said of where the data lie in a window.
async fn said_of(engine: &Engine, kind: &Kind, window: &Value) -> Vec<String> {
    let document = collect(engine, &format!("ends-{}", kind.context), window.clone()).await;
    let bounds = document.sections.iter().find(|section| section.name == "bounds");
    assert!(bounds.is_none_or(|bounds| !bounds.status.is_problem()), "{window}: {}", document.summary);
    document.beyond
}

async fn said(engine: &Engine, kind: &Kind) -> Vec<Vec<String>> {
    let mut said = Vec::new();
    for window in windows() {
        said.push(said_of(engine, kind, &window).await);
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn where_data_lie_is_told_from_sums_as_from_rows() {
    let db = three_days().await;
    let source = ClickHouse::remote(db.config.clone());
    let sums = Rollups::of(&source);
    sums.make(CUTOFF, true).await.unwrap();
    let engine = engine(&db);
    let mut rows = Vec::new();
    for kind in &KINDS {
        // Sums that are not whole are not read.
        let said = said(&engine, kind).await;
        let told: BTreeSet<&String> = said.iter().flatten().collect();
        assert!(told.len() >= 8, "{told:#?}");
        rows.push(said);
    }
    sums.fill(|_| {}).await.unwrap();
    for (kind, rows) in KINDS.iter().zip(&rows) {
        assert_eq!(said(&engine, kind).await, *rows, "whole");
        insert(&db, kind, ORGANISATION, "2026-11-20 09:30:00.5", 1499).await;
        db.execute(&[&format!("OPTIMIZE TABLE {} FINAL", kind.sums)]).await;
        let from_sums = said(&engine, kind).await;
        assert_ne!(from_sums, *rows, "the present goes on");
        // Without them the same.
        let version = |from: u32, to: u32| {
            format!(
                "INSERT INTO tfo_rollups SELECT * REPLACE ({to} AS version) FROM tfo_rollups WHERE rollup = '{0}'; \
                 ALTER TABLE tfo_rollups DELETE WHERE rollup = '{0}' AND version = {from} SETTINGS mutations_sync = 1",
                kind.sums
            )
        };
        let another = async |from, to| {
            for statement in version(from, to).split("; ") {
                db.execute(&[statement]).await;
            }
        };
        another(kind.version, 99).await;
        assert_eq!(said(&engine, kind).await, from_sums, "from rows");
        another(99, kind.version).await;

        // That they are read is seen where they lack what rows have.
        let begins = async |hour: &str| {
            let said = said_of(&engine, kind, &windows()[1]).await;
            let begin = format!("begin at 2026-11-17T{hour}");
            assert!(said.iter().any(|said| said.contains(&begin)), "{hour}: {said:?}");
        };
        let delete = async |table: &str, column: &str, before: &str| {
            db.execute(&[&format!(
                "ALTER TABLE {table} DELETE WHERE organization_id = '{ORGANISATION}' AND {column} < '2026-11-17 {before}' \
                 SETTINGS mutations_sync = 1"
            )])
            .await;
        };
        begins("12:10:13.5").await;
        delete(kind.sums, "minute", "12:20:00").await;
        begins("12:20:0").await;
        // Rows may be kept for a shorter time than sums.
        delete(kind.table, "timestamp", "12:45:00").await;
        begins("12:45:0").await;
        // One row that came late could be the first.
        insert(&db, kind, ORGANISATION, "2026-11-17 12:05:00", 1).await;
        begins("12:05:00").await;
    }
    assert!(sums.fill(|_| {}).await.unwrap() >= 1);
    for kind in &KINDS {
        let said = said_of(&engine, kind, &windows()[1]).await;
        assert!(said.iter().any(|said| said.contains("begin at 2026-11-17T12:05:00")), "{said:?}");
    }
}

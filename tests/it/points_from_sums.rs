//! What a workspace measured is the same from kept states of each minute as from its points: by minutes and by hours, before
//! and after merges, with points that came late.

use std::sync::Arc;

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Document, Engine, EngineOptions, Sources, Tenancy},
    source::clickhouse::{ClickHouse, rollups::Rollups},
};
use time::{OffsetDateTime, macros::datetime};

use crate::{
    answers::{END, collect},
    sampling::platform,
    support::{
        clickhouse::{TestClickHouse, clickhouse},
        pack::catalog,
    },
};

const ORGANISATION: &str = "0d9a1f5e-6c1b-4e8f-9b3a-5f2e7c4d1001";
const WORKSPACE: &str = "0d9a1f5e-6c1b-4e8f-9b3a-5f2e7c4d2001";
const CUTOFF: OffsetDateTime = datetime!(2026-11-20 09:30:00 UTC);

/// Points of two workspaces from a time on, one each ten seconds of a gauge and of a counter.
async fn insert(db: &TestClickHouse, from: &str, number: u64) {
    db.execute(&[&format!(
        "INSERT INTO metrics (timestamp, metric_name, metric_type, value, service_name, organization_id, workspace_id) \
         SELECT toDateTime64('{from}', 9, 'UTC') + toIntervalMillisecond(5000 * number), if(number % 2 = 0, 'queue.length', 'calls'), \
         if(number % 2 = 0, 'gauge', 'counter'), 100 + cityHash64(number) % 1000 / 8, if(number % 3 = 0, 'cart', 'web'), \
         '{ORGANISATION}', if(number % 5 < 3, '{WORKSPACE}', 'another') FROM numbers({number})"
    )])
    .await;
}

async fn two_days() -> TestClickHouse {
    let db = clickhouse().await;
    let schema = tfo_mcp::demo::schema::statements(tfo_mcp::demo::schema::CLICKHOUSE);
    let metrics = ["CREATE TABLE metrics ", "CREATE MATERIALIZED VIEW metrics_1"];
    for statement in schema.iter().filter(|text| metrics.iter().any(|begin| text.starts_with(begin))) {
        db.execute(&[statement.as_str()]).await;
    }
    insert(&db, "2026-11-18 12:00:00", 720 * 45 + 360).await;
    db
}

fn engine(db: &TestClickHouse) -> Engine {
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(ClickHouse::remote(db.config.clone())));
    sources.bind("platform", Arc::new(platform(ORGANISATION)));
    let tenancy = Tenancy {
        organization_id: Some(ORGANISATION.to_owned()),
        workspace_id: Some(WORKSPACE.to_owned()),
        ..Tenancy::default()
    };
    let options = EngineOptions {
        tenancy,
        clock: Arc::new(|| END),
        context_deadline: std::time::Duration::from_secs(120),
        ..EngineOptions::default()
    };
    Engine::new(catalog(&[], &CatalogOptions::default()), sources, options)
}

fn rows(document: &Document) -> Vec<(String, Vec<Vec<Value>>)> {
    let told = ["movers", "spikes", "silent"];
    let sections = document.sections.iter().filter(|section| told.contains(&section.name.as_str()));
    sections
        .map(|section| {
            assert!(!section.status.is_problem(), "{}: {:?}", section.name, section.message);
            (section.name.clone(), section.rows.clone())
        })
        .collect()
}

/// What is told of windows by minutes and by hours, also of some that are no whole ones.
async fn told(engine: &Engine) -> Vec<Vec<(String, Vec<Vec<Value>>)>> {
    let mut told = Vec::new();
    for window in [
        json!({ "time_range": "1h" }),
        json!({ "start": "2026-11-20T09:00:20Z", "end": "2026-11-20T10:00:50Z" }),
        json!({ "time_range": "12h" }),
        json!({ "start": "2026-11-19T22:30:00Z", "end": "2026-11-20T11:45:30Z" }),
    ] {
        let found = rows(&collect(engine, "metrics", window.clone()).await);
        assert!(found.iter().any(|(name, rows)| name == "movers" && !rows.is_empty()), "{window}: {found:?}");
        told.push(found);
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_a_workspace_measured_is_the_same_from_kept_states_as_from_points() {
    let db = two_days().await;
    let source = ClickHouse::remote(db.config.clone());
    let sums = Rollups::of(&source);
    sums.make(CUTOFF, true).await.unwrap();
    insert(&db, "2026-11-20 09:30:00", 720 * 2 + 360).await;
    let engine = engine(&db);
    // Sums that are not whole are not read.
    let points = told(&engine).await;
    sums.fill(|_| {}).await.unwrap();
    assert_eq!(told(&engine).await, points);
    db.execute(&["OPTIMIZE TABLE tfo_metrics_1m FINAL"]).await;
    assert_eq!(told(&engine).await, points, "merged");
    // What came late is taken in by the next backfill.
    insert(&db, "2026-11-20 08:00:00.5", 8).await;
    sums.fill(|_| {}).await.unwrap();
    let states = told(&engine).await;
    assert_ne!(states, points);
    db.execute(&[
        "INSERT INTO tfo_rollups SELECT * REPLACE (99 AS version) FROM tfo_rollups WHERE rollup = 'tfo_metrics_1m'",
    ])
    .await;
    db.execute(&[
        "ALTER TABLE tfo_rollups DELETE WHERE rollup = 'tfo_metrics_1m' AND version = 1 SETTINGS mutations_sync = 1",
    ])
    .await;
    assert_eq!(told(&engine).await, states, "from points");
    // That states are read is seen where they lack what was measured. What came in the minute of a backfill is late until the next.
    db.execute(&["TRUNCATE TABLE tfo_late_points"]).await;
    db.execute(&[
        "INSERT INTO tfo_rollups SELECT * REPLACE (1 AS version) FROM tfo_rollups WHERE rollup = 'tfo_metrics_1m'",
    ])
    .await;
    db.execute(&[
        "ALTER TABLE tfo_metrics_1m DELETE WHERE minute >= '2026-11-20 11:10:00' AND minute < '2026-11-20 11:30:00' \
         SETTINGS mutations_sync = 1",
    ])
    .await;
    assert_ne!(told(&engine).await[0], states[0]);
}

//! Sections over two sources on real databases: lists bound in each dialect, objectives judged over their own days, and
//! the shipped types against answers computed from the generator's events.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    demo::{
        inventory,
        offset::HOUR,
        oracle::{self, Window},
        schema,
    },
    engine::{Document, Status},
    sql::{Bind, rows::MOST_BYTES},
};

use crate::{
    answers::{collect, engine_of, filled, on_this_machine, over_http},
    support::{
        clickhouse::{WIDE, clickhouse, query},
        pack::catalog,
        scripted::{Reply, Scripted},
    },
};

/// Rows of a section as objects.
fn records(document: &Document, name: &str) -> Vec<Value> {
    let section = document.sections.iter().find(|section| section.name == name).unwrap();
    assert!(!section.status.is_problem(), "{name}: {:?} {:?}", section.status, section.message);
    section.records().as_array().unwrap().clone()
}

#[tokio::test]
async fn a_list_as_long_as_any_reaches_clickhouse() {
    let db = clickhouse().await;
    // Escaped and in quotes it is as long as a list may be.
    let items: Vec<Bind> = (0..MOST_BYTES / 103).map(|n| Bind::Text(format!("'{n:099}"))).collect();
    let sql = "SELECT length({p1:Array(String)}) AS items, {p1:Array(String)}[7] AS seventh";
    let rows = query(&db.source, sql, &[Bind::List(items.clone())], WIDE).await.unwrap();
    assert_eq!(rows.rows, [[json!(items.len()), json!(format!("'{:099}", 6))]]);
}

/// The other way round: rows of ClickHouse in PostgreSQL and SQLite, as a list and as a relation.
const BACKWARDS: &str = r#"
kind: context
name: probe
category: test
title: Probe
description: Objectives of services that answer, with what they did.
persona: observability-generalist
sections:
  services:
    title: Services
    source: telemetry
    query:
      - requires: [traces]
        sql: |
          SELECT service_name, count() AS spans, max(timestamp) AS newest FROM traces
          WHERE organization_id = {{ organization_id }} AND timestamp >= {{ from }} AND timestamp < {{ to }}
          GROUP BY service_name ORDER BY service_name LIMIT {{ limit }}
  objectives:
    title: Their objectives
    source: platform
    after: [services]
    query:
      - requires: [slo_definitions]
        sql:
          postgres: |
            SELECT o.name, m.spans, m.newest FROM slo_definitions AS o
            JOIN unnest(
                {{ rows.services | column('service_name') }}::text[],
                {{ rows.services | column('spans', 'integer') }}::bigint[],
                {{ rows.services | column('newest', 'timestamp') }}::timestamptz[]
            ) AS m(service_name, spans, newest) ON m.service_name = o.service_name
            WHERE o.organization_id = {{ organization_id }}
              AND o.service_name = ANY({{ rows.services | column('service_name') }})
            ORDER BY o.name COLLATE "C"
          sqlite: |
            SELECT o.name, s.value AS spans, n.value AS newest FROM slo_definitions AS o
            JOIN json_each({{ rows.services | column('service_name') }}) AS m ON m.value = o.service_name
            JOIN json_each({{ rows.services | column('spans', 'integer') }}) AS s ON s.key = m.key
            JOIN json_each({{ rows.services | column('newest', 'timestamp') }}) AS n ON n.key = m.key
            WHERE o.organization_id = {{ organization_id }}
              AND o.service_name IN (SELECT value FROM json_each({{ rows.services | column('service_name') }}))
            ORDER BY o.name
"#;

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn rows_of_clickhouse_are_a_list_and_a_relation_in_postgresql_and_sqlite() {
    let filled = filled().await;
    let organization = &filled.generator.world.organizations[0].id_text;
    let pack = || catalog(&[("definitions/probe.yaml", BACKWARDS)], &CatalogOptions::default());
    let (local, remote) = (on_this_machine(filled, organization), over_http(filled, organization));
    local.replace(pack(), Vec::new());
    remote.replace(pack(), Vec::new());
    let window = json!({ "time_range": "1h" });
    let (a, b) = tokio::join!(collect(&local, "probe", window.clone()), collect(&remote, "probe", window));
    let services: BTreeMap<String, Value> = records(&a, "services")
        .into_iter()
        .map(|row| (row["service_name"].as_str().unwrap().to_owned(), row["spans"].clone()))
        .collect();
    for document in [&a, &b] {
        let rows = records(document, "objectives");
        assert_eq!(rows.len(), 6, "{rows:?}");
        for row in rows {
            let service = row["name"].as_str().unwrap().split(' ').next().unwrap();
            assert_eq!(row["spans"], services[service], "{row}");
            assert!(row["newest"].as_str().unwrap().starts_with("2026-11-20T11:59"), "{row}");
        }
    }
    let report = remote.prepare_all().await;
    let own = |name: &str| name == "probe";
    assert!(!report.findings.iter().any(|finding| own(&finding.name)), "lists without items too: {report:?}");
}

#[tokio::test]
async fn each_objective_is_judged_over_its_own_days_as_far_as_traces_are_kept() {
    let db = clickhouse().await;
    for statement in schema::statements(schema::CLICKHOUSE) {
        db.execute(&[&statement]).await;
    }
    let organization = "00000000-0000-4000-8000-000000000001";
    // Requests, of them with an error, and of them slow; so many hours before the end; whose.
    for (hours, requests, errors, slow, whose) in [
        (6, 200, 2, 10, organization),
        (3 * 24, 300, 30, 0, organization),
        (20 * 24, 500, 0, 50, organization),
        (40 * 24, 700, 700, 0, organization),
        (29 * 24, 900, 900, 0, "00000000-0000-4000-8000-000000000002"),
    ] {
        db.execute(&[&format!(
            "INSERT INTO traces (timestamp, trace_id, span_kind, service_name, status_code, duration_ns, organization_id) \
             SELECT toDateTime64('2026-11-20 12:00:00', 9) - toIntervalHour({hours}), toString(number), 'SERVER', 'cart', \
             if(number < {errors}, 'ERROR', 'OK'), \
             if(number >= {requests} - {slow}, 2000000000, 1000000), '{whose}' FROM numbers({requests})"
        )])
        .await;
    }
    let row = |nr: i64, name: &str, kind: &str, target: f64, slowest: Value, days: i64| {
        let bad = if kind == "latency" { "failed or slow" } else { "failed" };
        vec![json!(nr), json!("cart"), json!(name), json!(kind), json!(bad), json!(target), slowest, json!(days)]
    };
    let columns = vec![
        "nr",
        "service_name",
        "objective",
        "sli_type",
        "counted_as_bad",
        "target_pct",
        "latency_threshold_ms",
        "window_days",
    ];
    let objectives = vec![
        row(1, "a day", "availability", 99.0, json!(null), 1),
        row(2, "a week", "availability", 99.0, json!(null), 7),
        row(3, "a month", "latency", 90.0, json!(1000.0), 30),
        vec![
            json!(4),
            json!("gone"),
            json!("silent"),
            json!("availability"),
            json!("failed"),
            json!(99.0),
            json!(null),
            json!(30),
        ],
    ];
    let listed = Reply::Rows(vec!["organization_id", "name"], vec![vec![json!(organization), json!("Acme")]]);
    let platform = Scripted::default()
        .table("slo_definitions", &columns)
        .on("FROM organizations", listed)
        .on("FROM slo_definitions", Reply::Rows(columns.clone(), objectives));
    let engine = engine_of(
        catalog(&[], &CatalogOptions::default()),
        tfo_mcp::source::clickhouse::ClickHouse::remote(db.config.clone()),
        Arc::new(platform),
        organization,
    );
    let document = collect(&engine, "slo", json!({ "time_range": "1h" })).await;
    let rows = records(&document, "objectives");
    let told: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!([
                row["objective"],
                row["verdict"],
                row["requests"],
                row["bad_requests"],
                row["covered_days"],
                row["found_in"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["a day", "met", 200, 2, 1.0, "both"]),
            json!(["a week", "missed", 500, 32, 7.0, "both"]),
            json!(["a month", "met", 1000, 92, 30.0, "both"]),
            json!(["silent", null, null, null, null, "only objectives"]),
        ]
    );
    let budgets = collect(&engine, "error-budget", json!({ "time_range": "1h" })).await;
    let told: Vec<Value> = records(&budgets, "objectives")
        .iter()
        .map(|row| json!([row["objective"], row["spent_pct"], row["bad_left"], row["covered_days"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["a day", 100.0, 0.0, 1.0]),
            json!(["a week", 640.0, -27.0, 7.0]),
            json!(["a month", 92.0, 8.0, 30.0]),
            json!(["silent", null, null, null]),
        ]
    );
    db.execute(&["TRUNCATE TABLE traces"]).await;
    let document = collect(&engine, "slo", json!({ "time_range": "1h" })).await;
    let rows = records(&document, "objectives");
    assert!(rows.iter().all(|row| row["found_in"] == "not known"), "{rows:?}");
    assert_eq!(document.status, Status::Ok, "objectives are on record");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn own_objectives_equal_what_is_computed_from_the_events() {
    let filled = filled().await;
    let generator = &filled.generator;
    let answers = oracle::answers(generator, &[Window::last(generator, 24 * HOUR)]).remove(0);
    for organization in &generator.world.organizations {
        let engine = over_http(filled, &organization.id_text);
        let answers = &answers[organization.index];
        let document = collect(&engine, "slo", json!({ "time_range": "1h" })).await;
        let rows = records(&document, "objectives");
        let days: Vec<&Value> = rows.iter().map(|row| &row["window_days"]).collect();
        assert_eq!(days, [30, 7, 30, 7, 1], "{rows:?}");
        for row in rows {
            let requests = &answers.services[row["service_name"].as_str().unwrap()];
            let slowest = row["latency_threshold_ms"].as_f64().map_or(u64::MAX, |millis| (millis * 1e6) as u64);
            let bad = requests.bad(slowest);
            assert_eq!((&row["requests"], &row["bad_requests"]), (&json!(requests.count), &json!(bad)), "{row}");
            let attained = 100.0 * (requests.count - bad) as f64 / requests.count as f64;
            assert!((row["attained_pct"].as_f64().unwrap() - attained).abs() < 0.00051, "{row} {attained}");
            let verdict = if attained < row["target_pct"].as_f64().unwrap() { "missed" } else { "met" };
            assert_eq!((&row["verdict"], &row["found_in"]), (&json!(verdict), &json!("both")), "{row}");
            assert!((0.99..=1.0).contains(&row["covered_days"].as_f64().unwrap()), "a day of traces is kept: {row}");
        }
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn hosts_on_record_stand_beside_what_is_computed_from_their_metrics() {
    let filled = filled().await;
    let generator = &filled.generator;
    let answers = oracle::answers(generator, &[Window::last(generator, HOUR)]).remove(0);
    let mut silent = 0;
    for organization in &generator.world.organizations {
        let document = collect(&over_http(filled, &organization.id_text), "infra-hosts", json!({})).await;
        let rows = records(&document, "hosts");
        let hosts = inventory::hosts(organization);
        assert_eq!(rows.len(), hosts.len(), "{rows:?}");
        for host in hosts {
            let id = host.id.to_string();
            let row = rows.iter().find(|row| row["host_id"] == json!(id)).unwrap();
            assert_eq!((&row["host_name"], &row["cores"]), (&json!(host.name), &json!(host.cores)), "{row}");
            let series = |name: &'static str| answers[organization.index].hosts.get(&(id.clone(), name));
            let Some(cpu) = series("system.cpu.utilization") else {
                silent += 1;
                let heard = (&row["found_in"], &row["cpu_pct"], &row["silent_min"], &row["agent_status"]);
                assert_eq!(heard, (&json!("only hosts"), &json!(null), &json!(95.0), &json!("offline")), "{row}");
                let said = |text: &str| document.highlights.iter().any(|remark| remark.text.contains(text));
                assert!(said("is on record and reported nothing"), "{:?}", document.highlights);
                assert!(said("was last heard 95 min ago"), "{:?}", document.highlights);
                continue;
            };
            assert_eq!(row["found_in"], "both", "{row}");
            let disk = series("system.filesystem.utilization").unwrap();
            for (column, expected) in [("cpu_pct", cpu.mean()), ("cpu_max_pct", cpu.max), ("disk_max_pct", disk.max)] {
                let found = row[column].as_f64().unwrap();
                assert!((found - 100.0 * expected).abs() <= 0.051, "{column}: {found}, but {expected} was computed");
            }
        }
    }
    assert_eq!(silent, 1, "one host is on record and silent");
}

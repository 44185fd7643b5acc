//! The proof that the mould fits another schema: four context types answer from the tables of OpenTelemetry's exporter as
//! from the platform's, with `packs/opentelemetry` and no definition of their own.
//!
//! The events are those of `answers`, written into tables as the exporter makes them: log lines of both generations, kind and
//! status in the old spelling and in both, the organisation in an attribute. No column is exempt: `workspace_id` and the like are in no
//! answer of these types.

use std::{path::PathBuf, sync::Arc};

use serde_json::json;
use tfo_mcp::{
    catalog::Catalog,
    engine::{Document, Engine, Status},
    source::clickhouse::{ClickHouse, ClickHouseConfig, Organisation},
};
use tokio::sync::OnceCell;

use crate::{
    answers::{Filled, collect, engine_of, filled, over_http, postgres_source},
    support::{clickhouse::clickhouse, pack::with_packs},
};

/// As the exporter makes it since 2024-07, without codecs and skip indexes.
const TRACES: &str = "
    CREATE TABLE otel_traces (
        Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
        SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
        ResourceAttributes Map(LowCardinality(String), String), ScopeName String, ScopeVersion String,
        SpanAttributes Map(LowCardinality(String), String), Duration UInt64, StatusCode LowCardinality(String),
        StatusMessage String,
        Events Nested(Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)),
        Links Nested(TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String))
    ) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))";

const LOG_COLUMNS: &str = "
    TraceId String, SpanId String, TraceFlags UInt8, SeverityText LowCardinality(String), SeverityNumber UInt8,
    ServiceName LowCardinality(String), Body String, ResourceSchemaUrl LowCardinality(String),
    ResourceAttributes Map(LowCardinality(String), String), ScopeName String, ScopeVersion LowCardinality(String),
    LogAttributes Map(LowCardinality(String), String), EventName String";

/// Collectors until 0.150, and those since.
#[derive(Clone, Copy)]
enum Generation {
    Second,
    Third,
}

impl Generation {
    fn logs(self) -> String {
        let (columns, key) = match self {
            Generation::Second => (
                "Timestamp DateTime64(9), TimestampTime DateTime DEFAULT toDateTime(Timestamp)",
                "PARTITION BY toDate(TimestampTime) PRIMARY KEY (ServiceName, TimestampTime) \
                 ORDER BY (ServiceName, TimestampTime, Timestamp)",
            ),
            Generation::Third => (
                "Timestamp DateTime64(9)",
                "PARTITION BY toDate(Timestamp) ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)",
            ),
        };
        format!("CREATE TABLE otel_logs ({columns}, {LOG_COLUMNS}) ENGINE = MergeTree {key}")
    }

    /// Which of the two spellings a row has: collectors of 2024 changed it, and a table may hold both.
    fn old(self) -> &'static str {
        match self {
            Generation::Second => "true",
            Generation::Third => "cityHash64(trace_id) % 2 = 0",
        }
    }
}

/// The events of `answers` in the exporter's tables.
async fn exported(filled: &Filled, generation: Generation) -> ClickHouseConfig {
    let db = clickhouse().await;
    let (from, old) = (&filled.remote.database, generation.old());
    let attributes = "mapConcat(resource_attributes, map('tenant.id', organization_id, 'workspace.id', workspace_id))";
    let spelt = |column: &str, prefix: &str| {
        format!("if({old}, '{prefix}' || toString({column}), initcap(lower(toString({column}))))")
    };
    db.execute(&[
        TRACES,
        &generation.logs(),
        &format!(
            "INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, \
             ResourceAttributes, SpanAttributes, Duration, StatusCode, StatusMessage) \
             SELECT timestamp, trace_id, span_id, parent_span_id, span_name, {}, service_name, {attributes}, span_attributes, \
             duration_ns, {}, status_message FROM {from}.traces",
            spelt("span_kind", "SPAN_KIND_"),
            spelt("status_code", "STATUS_CODE_"),
        ),
        &format!(
            "INSERT INTO otel_logs (Timestamp, TraceId, SpanId, SeverityText, SeverityNumber, ServiceName, Body, \
             ResourceAttributes, LogAttributes) SELECT timestamp, trace_id, span_id, severity_text, severity_number, \
             service_name, body, {attributes}, log_attributes FROM {from}.logs"
        ),
    ])
    .await;
    db.config
}

async fn exports(filled: &Filled) -> &'static [ClickHouseConfig; 2] {
    static EXPORTS: OnceCell<[ClickHouseConfig; 2]> = OnceCell::const_new();
    let export = async || {
        let (second, third) = tokio::join!(exported(filled, Generation::Second), exported(filled, Generation::Third));
        [second, third]
    };
    EXPORTS.get_or_init(export).await
}

fn pack() -> Catalog {
    with_packs(vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("packs/opentelemetry")])
}

fn engine(filled: &Filled, config: &ClickHouseConfig, organisation: Organisation, organization_id: &str) -> Engine {
    let config = ClickHouseConfig { organisation, ..config.clone() };
    engine_of(pack(), ClickHouse::remote(config), postgres_source(&filled.postgres), organization_id)
}

fn tenant() -> Organisation {
    Organisation::of(Some("ResourceAttributes['tenant.id']"), None).unwrap()
}

const TYPES: [&str; 4] = ["latency", "errors", "logs", "traces"];

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn four_context_types_answer_from_the_exporters_tables_as_from_the_platforms() {
    let filled = filled().await;
    let organizations = &filled.generator.world.organizations;
    let mut rows = 0;
    for (organization, extras) in [
        (&organizations[0], vec![json!({}), json!({"time_range": "6h"}), json!({"service": "checkout"})]),
        (&organizations[1], vec![json!({})]),
    ] {
        let platform = over_http(filled, &organization.id_text);
        for config in exports(filled).await {
            let exporter = engine(filled, config, tenant(), &organization.id_text);
            for name in TYPES {
                let mut extras = extras.clone();
                if name == "traces" || name == "logs" {
                    let found = collect(&platform, "traces", json!({})).await;
                    extras.push(json!({ "trace_id": trace(&found) }));
                }
                for extra in extras {
                    let (a, b) =
                        tokio::join!(collect(&platform, name, extra.clone()), collect(&exporter, name, extra.clone()));
                    rows += same(&a, &b, &format!("{name} {extra} in {}", config.database));
                }
            }
        }
    }
    assert!(rows > 1000, "{rows}");
}

/// A trace to ask for.
fn trace(traces: &Document) -> String {
    let slow = traces.sections.iter().find(|section| section.name == "slow").unwrap();
    slow.rows[0].last().unwrap().as_str().unwrap().to_owned()
}

/// Compares all that a document says, and counts its rows.
fn same(a: &Document, b: &Document, place: &str) -> usize {
    assert_eq!((&a.summary, &a.highlights, &a.absent), (&b.summary, &b.highlights, &b.absent), "{place}");
    let names = |document: &Document| document.sections.iter().map(|s| s.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(a), names(b), "{place}");
    for (a, b) in a.sections.iter().zip(&b.sections) {
        let place = format!("{}, {place}", a.name);
        assert!(!a.status.is_problem(), "{place}: {:?}", a.message);
        assert_eq!(a.status, b.status, "{place}: {:?}", b.message);
        let headings =
            |columns: &[tfo_mcp::engine::Heading]| columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        assert_eq!((headings(&a.columns), &a.note, a.total), (headings(&b.columns), &b.note, b.total), "{place}");
        for (a, b) in a.rows.iter().zip(&b.rows) {
            assert_eq!(a, b, "{place}");
        }
    }
    a.sections.iter().map(|section| section.rows.len()).sum()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_source_of_one_organisation_refuses_the_documents_of_another() {
    let filled = filled().await;
    let [own, other, ..] = &filled.generator.world.organizations[..] else { panic!() };
    let [config, _] = exports(filled).await;
    let one = Organisation::of(None, Some(&own.id_text)).unwrap();
    let mine = collect(&engine(filled, config, one.clone(), &own.id_text), "latency", json!({})).await;
    assert_eq!(mine.status, Status::Ok, "{}", mine.summary);
    let foreign = collect(&engine(filled, config, one, &other.id_text), "latency", json!({})).await;
    assert!(
        foreign.sections.iter().all(|section| section.status.is_problem() && section.rows.is_empty()),
        "{foreign:?}"
    );
    let message = foreign.sections[0].message.as_ref().unwrap();
    assert!(message.contains("holds the rows of one organisation"), "{message}");
    // Without the pack there is nothing to read.
    let sources = engine_of(
        crate::support::pack::catalog(&[], &tfo_mcp::catalog::CatalogOptions::default()),
        ClickHouse::remote(config.clone()),
        postgres_source(&filled.postgres),
        &own.id_text,
    );
    let bare = collect(&Arc::new(sources), "latency", json!({})).await;
    assert!(bare.sections.iter().all(|section| section.status == Status::Unavailable), "{bare:?}");
}

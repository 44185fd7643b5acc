//! Rows that must never be seen: of other organisations, and just outside a window.
//!
//! For each table there is, per foreign organisation, a *loud* row whose every text column holds a canary, and a
//! *lookalike* whose filter columns (status, severity, service, metric name) hold ordinary values, so that no
//! filter hides a leak by chance. Tables with a time of events also get rows of the own organisation one tick
//! before `from` and exactly at `to`. Columns come from the schema, so a new table is covered without a change here.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    fleet::stable_id,
    generate::Generator,
    oracle::Window,
    platform::{Table, permission_id, plan_id},
    random::{Random, number},
    schema::{self, Column},
    world::Organization,
};
use crate::{
    source::{
        SourceError,
        clickhouse::{ClickHouse, InsertFormat},
        postgres, sqlite,
    },
    sql::Bind,
};

/// Begins every text of a foreign row; the organisation's number follows.
pub const FOREIGN: &str = "LEAK";
/// Begins every text of an own row just before the window. A comparison with the previous window may show it.
pub const BEFORE: &str = "EARLY";
/// Begins every text of an own row exactly at the window's end.
pub const AFTER: &str = "LATE";

/// Tables that hold no organisation's events, or whose foreign rows exist already under their real names.
const SKIPPED: [&str; 7] =
    [schema::MARKER, "regions", "organizations", "roles", "permissions", "role_permissions", "plans"];

/// Columns that say when a row ended or was taken back: left empty, so that the row is alive.
const ENDINGS: [&str; 14] = [
    "deleted_at",
    "deletedAt",
    "revoked_at",
    "resolved_at",
    "ends_at",
    "lockedUntil",
    "mfa_locked_until",
    "silenced_until",
    "terminated_at",
    "fixed_at",
    "accepted_at",
    "accepted_until",
    "contained_at",
    "completed_at",
];

/// Rows to plant.
#[derive(Debug)]
pub struct Canaries {
    /// Table, and its rows as JSON objects of all columns.
    pub telemetry: Vec<(&'static str, Vec<Map<String, Value>>)>,
    pub platform: Vec<Table>,
}

/// Whose row it is, what its texts begin with, and when it happened.
#[derive(Clone, Copy)]
struct Kind<'g> {
    organization: &'g Organization,
    word: &'static str,
    lookalike: bool,
    /// Nanoseconds.
    time: i64,
}

/// The canaries for questions of `own` about `window`.
pub fn canaries(generator: &Generator, own: &Organization, window: Window) -> Canaries {
    let foreign = generator.world.organizations.iter().filter(|other| other.index != own.index);
    let middle = window.from + (window.to - window.from) / 2;
    let kinds: Vec<Kind<'_>> = foreign
        .flat_map(|organization| [(organization, false), (organization, true)])
        .map(|(organization, lookalike)| Kind { organization, word: FOREIGN, lookalike, time: middle })
        .collect();
    let edges = |tick: i64| {
        let ends = [(BEFORE, window.from - tick), (AFTER, window.to)];
        ends.into_iter().flat_map(move |(word, time)| {
            [false, true].map(|lookalike| Kind { organization: own, word, lookalike, time })
        })
    };
    let mut telemetry = Vec::new();
    for (table, columns) in schema::columns(schema::CLICKHOUSE) {
        if SKIPPED.contains(&table) {
            continue;
        }
        // One tick is what the table's time column can tell apart.
        let fine = columns.iter().any(|column| column.ty == "DateTime64(9)");
        let edges = edges(if fine { 1 } else { 1_000_000 });
        let mut rows: Vec<_> =
            kinds.iter().copied().chain(edges).map(|kind| telemetry_row(table, &columns, kind)).collect();
        if table == "traces" {
            rows.extend(impostors(generator, own, window, &columns, &kinds));
        }
        telemetry.push((table, rows));
    }
    let mut platform = Vec::new();
    for (name, columns) in schema::columns(schema::POSTGRES) {
        if SKIPPED.contains(&name) {
            continue;
        }
        let edges = edges(1_000_000).filter(|_| name == "change_events");
        let rows = kinds.iter().copied().chain(edges).map(|kind| platform_row(name, &columns, kind)).collect();
        platform.push(Table { name, columns: columns.iter().map(|column| column.name).collect(), rows });
    }
    Canaries { telemetry, platform }
}

/// Real names of the other organisations: these must not be seen either.
pub fn foreign_names(generator: &Generator, own: &Organization) -> Vec<String> {
    let foreign = generator.world.organizations.iter().filter(|other| other.index != own.index);
    foreign.flat_map(|other| [other.spec.name.clone(), other.spec.code.clone(), other.id_text.clone()]).collect()
}

impl Canaries {
    pub async fn plant_in_clickhouse(&self, clickhouse: &ClickHouse) -> anyhow::Result<()> {
        for (table, rows) in &self.telemetry {
            let Some(first) = rows.first() else { continue };
            let columns: Vec<&str> = first.keys().map(String::as_str).collect();
            let lines: String = rows.iter().map(|row| Value::Object(row.clone()).to_string() + "\n").collect();
            let insert = clickhouse.insert(table, &columns, InsertFormat::JsonEachRow);
            let mut insert = insert.await.map_err(told)?;
            insert.write(lines).await.map_err(told).with_context(|| format!("planting in `{table}`"))?;
            insert.finish().await.map_err(told).with_context(|| format!("planting in `{table}`"))?;
        }
        Ok(())
    }

    pub async fn plant_in_postgres(&self, writer: &mut postgres::Writer) -> anyhow::Result<()> {
        for Table { name, columns, rows } in self.platform.clone() {
            writer
                .copy_in(name, &columns, rows)
                .await
                .map_err(told)
                .with_context(|| format!("planting in `{name}`"))?;
        }
        Ok(())
    }

    pub async fn plant_in_sqlite(&self, writer: &mut sqlite::Writer) -> anyhow::Result<()> {
        for Table { name, columns, rows } in self.platform.clone() {
            writer
                .copy_in(name, &columns, rows)
                .await
                .map_err(told)
                .with_context(|| format!("planting in `{name}`"))?;
        }
        Ok(())
    }
}

impl Kind<'_> {
    fn text(&self, table: &str, column: &str) -> String {
        let variant = if self.lookalike { 'b' } else { 'a' };
        format!("{}{}{variant}-{table}.{column}", self.word, self.organization.index)
    }

    fn id(&self, table: &str) -> Uuid {
        stable_id(self.organization, "canary", &self.text(table, "id"))
    }
}

fn telemetry_row(table: &str, columns: &[Column], kind: Kind<'_>) -> Map<String, Value> {
    let mut row = Map::new();
    for column in columns {
        let text = || match domain(table, column.name).filter(|_| kind.lookalike) {
            Some(usual) => usual.to_owned(),
            None => kind.text(table, column.name),
        };
        let value = match (column.name, column.ty) {
            ("organization_id", _) => json!(kind.organization.id_text),
            ("workspace_id", _) => json!(kind.organization.workspace_text),
            ("tenant_id", _) => json!(kind.organization.tenant_text),
            (_, "DateTime64(9)") => json!(fixed(kind.time, 9)),
            (_, "DateTime64(3)") => json!(fixed(kind.time, 3)),
            (_, "UUID") => json!(kind.id(table)),
            (_, "Map(String, String)") => json!({ kind.text(table, column.name): text() }),
            (_, "Array(String)") => json!([text()]),
            ("span_kind", _) => json!("SERVER"),
            ("status_code", ty) if ty.starts_with("Enum8") => json!("ERROR"),
            ("event_type", _) => json!("AUTH"),
            ("result", _) => json!("DENIED"),
            ("metric_type", _) => json!("gauge"),
            ("severity_number", _) => json!(17),
            ("duration_ns", _) => json!(77_000_000_000_u64),
            (_, "Float64") => json!(777_777.0),
            (_, ty) if ty.contains("Int") => json!(77),
            _ => json!(text()),
        };
        row.insert(column.name.to_owned(), value);
    }
    row
}

/// Foreign spans that claim the identity of an own parent: a join that forgets the organisation shows them.
fn impostors(
    generator: &Generator,
    own: &Organization,
    window: Window,
    columns: &[Column],
    kinds: &[Kind<'_>],
) -> Vec<Map<String, Value>> {
    let own_units = generator.units().filter(|unit| unit.organization == own.index);
    let batches = own_units.filter_map(|unit| {
        let from = generator.start() + unit.slot as i64 * super::generate::SLOT;
        (from >= window.from && from < window.to).then(|| generator.batch(unit)).flatten()
    });
    let children =
        batches.flat_map(|batch| batch.spans.into_iter().filter(|span| span.parent != 0 && span.kind.is_entry()));
    let mut rows = Vec::new();
    for (child, kind) in children.step_by(3).zip(kinds.iter().filter(|kind| kind.lookalike).cycle().take(12)) {
        let mut row = telemetry_row("traces", columns, Kind { lookalike: false, ..*kind });
        row.insert("trace_id".to_owned(), json!(format!("{:032x}", child.trace)));
        row.insert("span_id".to_owned(), json!(format!("{:016x}", child.parent)));
        rows.push(row);
    }
    rows
}

fn platform_row(table: &str, columns: &[Column], kind: Kind<'_>) -> Vec<Bind> {
    let spec = &kind.organization.spec;
    columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let canary = kind.text(table, column.name);
            match (column.name, column.references, column.ty) {
                (_, Some("roles"), _) => Bind::Uuid(Random::new(number("role"), &[number("viewer")]).uuid()),
                (_, Some("permissions"), _) => Bind::Uuid(permission_id("user:delete")),
                (_, Some("plans"), _) => Bind::Uuid(plan_id("STARTER")),
                (_, Some("regions"), _) => Bind::Uuid(spec.region.id),
                (_, Some("organizations"), _) => Bind::Uuid(kind.organization.id),
                (_, Some(other), _) => Bind::Uuid(kind.id(other)),
                (_, _, "uuid") if index == 0 => Bind::Uuid(kind.id(table)),
                ("organization_id", ..) => Bind::Uuid(kind.organization.id),
                ("workspace_id", ..) => Bind::Uuid(spec.workspace),
                ("tenant_id", ..) => Bind::Uuid(spec.tenant),
                (name, _, "timestamptz" | "timestamp") if ENDINGS.contains(&name) => Bind::Null,
                (_, _, "timestamptz" | "timestamp") => moment(kind.time),
                (_, _, "uuid") => {
                    if column.nullable {
                        Bind::Null
                    } else {
                        Bind::Uuid(kind.id(table))
                    }
                }
                (_, _, "boolean") => Bind::Bool(true),
                (_, _, "integer" | "bigint") => Bind::Integer(77),
                (_, _, "double precision") => Bind::Float(777.0),
                (_, _, "jsonb") => {
                    Bind::Text(json!({ "service": canary, "query": canary, "name": canary }).to_string())
                }
                (_, _, "text[]") => Bind::List(vec![Bind::Text(canary)]),
                (_, _, "inet") => Bind::Text("203.0.113.66".to_owned()),
                (_, _, "api_key_type") => Bind::Text("standard".to_owned()),
                (name, _, ty) => Bind::Text(match domain(table, name).filter(|_| kind.lookalike) {
                    Some(usual) => usual.to_owned(),
                    None => canary.chars().take(limit(ty)).collect(),
                }),
            }
        })
        .collect()
}

/// Length of a `varchar(n)`.
fn limit(ty: &str) -> usize {
    let digits = ty.strip_prefix("varchar(").and_then(|rest| rest.strip_suffix(')'));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(usize::MAX)
}

/// An ordinary value of a column that queries filter by.
fn domain(table: &str, column: &str) -> Option<&'static str> {
    let by_table: BTreeMap<(&str, &str), &'static str> = BTreeMap::from([
        (("exemplars", "metric_name"), "http.server.request.duration"),
        (("metrics", "metric_name"), "db.client.connections.usage"),
        (("vm_metrics", "metric_name"), "system.cpu.utilization"),
        (("kubernetes_metrics", "metric_name"), "k8s.node.cpu.utilization"),
        (("prometheus_metrics", "metric_name"), "coredns_dns_responses_total"),
        (("anomaly_events", "metric_name"), "system.cpu.utilization"),
        (("uptime_checks", "status"), "failure"),
        (("kubernetes_events", "type"), "Warning"),
        (("alert_instances", "status"), "firing"),
        (("alert_rules", "state"), "alerting"),
        (("kubernetes_clusters", "status"), "degraded"),
        (("kubernetes_namespaces", "status"), "Terminating"),
        (("kubernetes_nodes", "status"), "NotReady"),
        (("kubernetes_pods", "phase"), "Failed"),
        (("kubernetes_persistent_volumes", "phase"), "Released"),
        (("kubernetes_persistent_volume_claims", "phase"), "Pending"),
        (("kubernetes_services", "type"), "NodePort"),
        (("kubernetes_secrets", "type"), "kubernetes.io/tls"),
        (("kubernetes_hpas", "target_kind"), "Deployment"),
        (("database_instances", "type"), "mysql"),
        (("database_instances", "status"), "offline"),
        (("db_mysql_metrics", "metric_name"), "db.mysql.innodb.lock_waits"),
        (("db_postgresql_metrics", "metric_name"), "db.postgresql.locks.waiting"),
        (("db_mongodb_metrics", "metric_name"), "db.mongodb.replication.lag"),
        (("db_clickhouse_metrics", "metric_name"), "db.clickhouse.parts.per_partition_max"),
        (("db_mssql_metrics", "metric_name"), "db.mssql.blocked_processes"),
        (("db_dynamodb_metrics", "metric_name"), "db.dynamodb.throttled_requests"),
        (("db_sqlite3_metrics", "metric_name"), "db.sqlite3.wal_bytes"),
        (("db_timescaledb_metrics", "metric_name"), "db.timescaledb.jobs.failures"),
        (("db_cockroachdb_metrics", "metric_name"), "db.ranges.underreplicated"),
        (("db_aurora_metrics_1m", "metric_name"), "db.aurora.replica_lag_ms"),
        (("agents", "status"), "offline"),
        (("agents", "type"), "host"),
        (("virtual_machines", "status"), "running"),
        (("service_map_services", "type"), "api"),
        (("service_map_services", "status"), "unhealthy"),
        (("service_map_dependencies", "type"), "sync"),
        (("service_map_dependencies", "status"), "degraded"),
        (("network_map_nodes", "type"), "firewall"),
        (("network_map_nodes", "status"), "down"),
        (("network_map_connections", "status"), "down"),
        (("network_map_connections", "protocol"), "dns"),
        (("uptime_monitors", "status"), "down"),
        (("uptime_monitors", "type"), "http"),
        (("status_pages", "overall_status"), "major_outage"),
        (("status_page_incidents", "status"), "investigating"),
        (("status_page_incidents", "impact"), "critical"),
        (("change_events", "kind"), "deploy"),
        (("notification_channels", "type"), "slack"),
        (("ntf_channels", "type"), "email"),
        (("notification_logs", "channel"), "email"),
        (("notification_logs", "status"), "failed"),
        (("security_logs", "event_type"), "login_failure"),
        (("retention_policies", "data_type"), "logs"),
        (("slo_definitions", "sli_type"), "availability"),
        (("cost_recommendations", "status"), "open"),
        (("remediation_plans", "risk_level"), "high"),
        (("report_definitions", "schedule"), "daily"),
        (("report_executions", "status"), "failed"),
        (("subscriptions", "status"), "PAST_DUE"),
        (("cloud_accounts", "status"), "error"),
        (("llm_usage_raw", "status"), "error"),
        (("predictions", "resource_type"), "disk"),
        (("predictions", "horizon"), "7d"),
        (("predictions", "health_status"), "failing"),
        (("remediation_plans", "status"), "failed"),
        (("remediation_plans", "trigger_type"), "alert"),
        (("remediation_actions", "status"), "failed"),
        (("vulnerability_findings", "asset_type"), "image"),
        (("vulnerability_findings", "status"), "open"),
        (("security_incidents", "status"), "open"),
        (("ai_insights", "insight_type"), "pattern"),
    ]);
    let anywhere = match column {
        "service_name" => Some("checkout"),
        "severity_text" => Some("ERROR"),
        "severity" => Some("critical"),
        "resource_type" => Some("node"),
        "signal_type" => Some("metric"),
        "environment" => Some("production"),
        "query_target" => Some("metrics"),
        _ => None,
    };
    by_table.get(&(table, column)).copied().or(anywhere)
}

/// Seconds since 1970 with a fraction, as ClickHouse reads a time without a zone.
fn fixed(nanos: i64, digits: u32) -> String {
    let fraction = nanos.rem_euclid(1_000_000_000) / 10_i64.pow(9 - digits);
    format!("{}.{fraction:0width$}", nanos.div_euclid(1_000_000_000), width = digits as usize)
}

fn moment(nanos: i64) -> Bind {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos / 1_000_000 * 1_000_000));
    moment.map_or(Bind::Null, Bind::Timestamp)
}

fn told(error: SourceError) -> anyhow::Error {
    anyhow!("{}", error.message)
}

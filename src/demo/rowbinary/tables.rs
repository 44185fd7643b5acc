//! Which tables are filled, with which columns, from which part of a batch.

use super::Rows;
use crate::demo::{event::Batch, fleet::Fleet};

/// The columns that the tables of all engines have, Aurora's left out.
const OF_DATABASES: &str = "timestamp, organization_id, workspace_id, instance_id, metric_name, value, labels";

/// A table that is filled: its name, its columns, and how a batch becomes rows of it.
#[derive(Clone, Copy)]
pub struct Target {
    pub table: &'static str,
    pub columns: &'static str,
    encode: fn(&Batch, &Fleet, &mut Rows),
}

impl Target {
    /// The rows of a batch for this table.
    pub fn encode(&self, batch: &Batch, fleet: &Fleet) -> Rows {
        let mut rows = Rows::default();
        (self.encode)(batch, fleet, &mut rows);
        rows
    }
}

/// All tables that are filled directly; the rest are views over them.
pub const TARGETS: [Target; 27] = [
    Target {
        table: "traces",
        columns: "timestamp, trace_id, span_id, parent_span_id, span_name, span_kind, service_name, status_code, \
                  status_message, duration_ns, organization_id, workspace_id, tenant_id, resource_attributes, \
                  span_attributes, events",
        encode: |batch, _, rows| batch.spans.iter().for_each(|event| rows.span(event, batch.organization)),
    },
    Target {
        table: "logs",
        columns: "timestamp, observed_timestamp, trace_id, span_id, trace_flags, severity_text, severity_number, \
                  service_name, organization_id, workspace_id, tenant_id, body, resource_attributes, log_attributes, \
                  scope_name, scope_version",
        encode: |batch, _, rows| batch.logs.iter().for_each(|event| rows.log(event, batch.organization)),
    },
    Target {
        table: "metrics",
        columns: "timestamp, metric_name, metric_type, value, service_name, organization_id, workspace_id, tenant_id, \
                  resource_attributes, metric_attributes, unit",
        encode: |batch, _, rows| batch.metrics.iter().for_each(|event| rows.metric(event, batch.organization)),
    },
    Target {
        table: "exemplars",
        columns: "timestamp, metric_name, value, trace_id, span_id, labels, filtered_labels, service_name, \
                  organization_id, workspace_id, tenant_id",
        encode: |batch, _, rows| batch.exemplars.iter().for_each(|event| rows.exemplar(event, batch.organization)),
    },
    Target {
        table: "audit_logs",
        columns: "id, timestamp, user_id, user_email, user_first_name, user_last_name, event_type, action, resource, \
                  resource_id, result, error_message, error_code, ip_address, user_agent, request_method, \
                  request_path, metadata, tenant_id, workspace_id, organization_id, region_id, session_id, \
                  correlation_id, duration_ms, created_at",
        encode: |batch, _, rows| batch.audits.iter().for_each(|event| rows.audit(event, batch.organization)),
    },
    Target {
        table: "uptime_checks",
        columns: "monitor_id, monitor_name, target_url, region, status, status_code, response_time, message, error, \
                  ssl_days_remaining, checked_at, organization_id, workspace_id, tenant_id",
        encode: |batch, _, rows| batch.checks.iter().for_each(|event| rows.check(event, batch.organization)),
    },
    Target {
        table: "vm_metrics",
        columns: "timestamp, vm_id, metric_name, value, unit, labels, organization_id, workspace_id, tenant_id",
        encode: |batch, _, rows| batch.vm_metrics.iter().for_each(|event| rows.vm_metric(event, batch.organization)),
    },
    Target {
        table: "kubernetes_metrics",
        columns: "timestamp, cluster_id, resource_type, resource_name, namespace, metric_name, value, labels, \
                  organization_id, workspace_id, tenant_id, ingestion_source, ingestion_time",
        encode: |batch, fleet, rows| {
            batch.kubernetes_metrics.iter().for_each(|event| rows.kubernetes_metric(event, fleet))
        },
    },
    Target {
        table: "kubernetes_events",
        columns: "timestamp, cluster_id, organization_id, workspace_id, namespace, type, reason, message, source, \
                  involved_kind, involved_name, count, first_timestamp, last_timestamp",
        encode: |batch, fleet, rows| {
            batch.kubernetes_events.iter().for_each(|event| rows.kubernetes_event(event, fleet))
        },
    },
    Target {
        table: "anomaly_events",
        columns: "timestamp, id, detection_rule_id, metric_name, signal_type, severity, anomaly_score, z_score, \
                  sigma_level, observed_value, expected_value, detection_method, labels, resource_attributes, \
                  correlated_signals, llm_analysis, organization_id, workspace_id",
        encode: |batch, _, rows| batch.anomalies.iter().for_each(|event| rows.anomaly(event, batch.organization)),
    },
    Target {
        table: "service_map_metrics",
        columns: "timestamp, service_id, service_name, health_score, uptime, avg_latency, error_rate, request_rate, \
                  organization_id",
        encode: |batch, _, rows| batch.map_metrics.iter().for_each(|event| rows.map_metric(event, batch.organization)),
    },
    Target {
        table: "network_map_traffic",
        columns: "timestamp, node_id, node_name, cpu_usage, memory_usage, disk_usage, network_in, network_out, \
                  active_connections, request_rate, error_rate, organization_id",
        encode: |batch, _, rows| {
            batch.node_traffic.iter().for_each(|event| rows.node_traffic(event, batch.organization))
        },
    },
    Target {
        table: "network_map_connection_metrics",
        columns: "timestamp, connection_id, bandwidth, latency, packet_loss, bytes_sent, bytes_received, \
                  packets_sent, packets_received, organization_id",
        encode: |batch, _, rows| {
            batch.link_traffic.iter().for_each(|event| rows.link_traffic(event, batch.organization))
        },
    },
    Target {
        table: "prometheus_metrics",
        columns: "timestamp, metric_name, labels, value, organization_id, workspace_id, tenant_id, ingestion_source, \
                  ingestion_time",
        encode: |batch, _, rows| batch.scraped.iter().for_each(|event| rows.scraped(event, batch.organization)),
    },
    Target {
        table: "db_mysql_metrics",
        columns: OF_DATABASES,
        encode: |batch, _, rows| rows.database_metrics(batch, "mysql"),
    },
    Target {
        table: "db_postgresql_metrics",
        columns: OF_DATABASES,
        encode: |batch, _, rows| rows.database_metrics(batch, "postgresql"),
    },
    Target {
        table: "db_mongodb_metrics",
        columns: OF_DATABASES,
        encode: |batch, _, rows| rows.database_metrics(batch, "mongodb"),
    },
    Target {
        table: "db_clickhouse_metrics",
        columns: OF_DATABASES,
        encode: |batch, _, rows| rows.database_metrics(batch, "clickhouse"),
    },
    Target {
        table: "db_mssql_metrics",
        columns: OF_DATABASES,
        encode: |batch, _, rows| rows.database_metrics(batch, "mssql"),
    },
    Target {
        table: "db_dynamodb_metrics",
        columns: OF_DATABASES,
        encode: |batch, _, rows| rows.database_metrics(batch, "dynamodb"),
    },
    Target {
        table: "db_sqlite3_metrics",
        columns: OF_DATABASES,
        encode: |batch, _, rows| rows.database_metrics(batch, "sqlite3"),
    },
    Target {
        table: "db_timescaledb_metrics",
        columns: OF_DATABASES,
        encode: |batch, _, rows| rows.database_metrics(batch, "timescaledb"),
    },
    Target {
        table: "db_cockroachdb_metrics",
        columns: OF_DATABASES,
        encode: |batch, _, rows| rows.database_metrics(batch, "cockroachdb"),
    },
    Target {
        table: "db_aurora_metrics_1m",
        columns: "timestamp_1m, organization_id, workspace_id, instance_id, cluster_identifier, metric_name, avg_value, \
                  max_value, min_value, labels",
        encode: |batch, _, rows| rows.aurora_metrics(batch),
    },
    Target {
        table: "cost_data",
        columns: "timestamp, provider, service_name, service_category, region, pricing_model, total_cost_usd, \
                  total_usage, organization_id",
        encode: |batch, _, rows| batch.costs.iter().for_each(|event| rows.cost(event, batch.organization)),
    },
    Target {
        table: "llm_usage_raw",
        columns: "timestamp, id, message_id, provider_id, provider_type, model_id, prompt_tokens, completion_tokens, \
                  total_tokens, latency_ms, prompt_cost_micros, completion_cost_micros, total_cost_micros, role, \
                  context_type, is_streaming, status, error_type, error_message, user_id, organization_id, \
                  workspace_id, tenant_id, created_at",
        encode: |batch, _, rows| batch.model_calls.iter().for_each(|event| rows.model_call(event, batch.organization)),
    },
    Target {
        table: "predictions",
        columns: "timestamp, prediction_model_id, resource_type, resource_identifier, algorithm, horizon, \
                  predicted_value, failure_probability, time_to_failure_seconds, confidence_upper, confidence_lower, \
                  r_squared, health_score, health_status, labels, organization_id, workspace_id",
        encode: |batch, _, rows| batch.predictions.iter().for_each(|event| rows.prediction(event, batch.organization)),
    },
];

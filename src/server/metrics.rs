//! The counts of a server, in one registry, which `/metrics` shows in the OpenMetrics text format. Names follow
//! OpenTelemetry's conventions for MCP and HTTP; no label has values that a client can invent.

use futures::future::BoxFuture;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::calls::{CallEnded, Sink};
use crate::engine::CallErrorKind;

/// Methods that are counted by name; every other one is `other`.
const METHODS: [&str; 22] = [
    "initialize",
    "notifications/initialized",
    "notifications/cancelled",
    "ping",
    "shutdown",
    "server/discover",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
    "notifications/progress",
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByMethod {
    mcp_method_name: &'static str,
    http_response_status_code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    mcp_method_name: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BySource {
    /// A logical name, of which there are few.
    source: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByUse {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByName {
    mcp_method_name: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

/// Counts of one server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    durations: Family<ByMethod, Histogram, fn() -> Histogram>,
    calls: Family<ByOutcome, Histogram, fn() -> Histogram>,
    bytes: Family<ByOutcome, Counter>,
    statements: Family<BySource, Histogram, fn() -> Histogram>,
    kept: Family<ByUse, Counter>,
    limited: Family<ByName, Counter>,
    pub in_flight: Gauge,
    pub connections: Gauge,
    pub sessions: Gauge,
    pub refused: Counter,
    pub turned_away: Counter,
    definitions: Family<ByKind, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(Counter::default())
    }
}

impl Metrics {
    /// `audit_failures` counts elsewhere.
    pub fn new(audit_failures: Counter) -> Self {
        let buckets: fn() -> Histogram =
            || Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]);
        let mut metrics = Self {
            registry: Registry::default(),
            durations: Family::new_with_constructor(buckets),
            calls: Family::new_with_constructor(buckets),
            bytes: Family::default(),
            statements: Family::new_with_constructor(buckets),
            kept: Family::default(),
            limited: Family::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            sessions: Gauge::default(),
            refused: Counter::default(),
            turned_away: Counter::default(),
            definitions: Family::default(),
        };
        let registry = &mut metrics.registry;
        registry.register_with_unit(
            "mcp_server_operation_duration",
            "Time from the first byte of a message to the last byte of its answer",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register_with_unit(
            "mcp_server_call_duration",
            "Time of a call, by how it ended as the audit log says it",
            Unit::Seconds,
            metrics.calls.clone(),
        );
        registry.register_with_unit(
            "mcp_server_answer_size",
            "What calls showed: texts, images, contents of resources",
            Unit::Bytes,
            metrics.bytes.clone(),
        );
        registry.register_with_unit(
            "mcp_server_statement_duration",
            "Time of a statement that a call asked of a source",
            Unit::Seconds,
            metrics.statements.clone(),
        );
        registry.register(
            "mcp_server_kept_answers",
            "Answers that may be kept: from memory (hit), of a run (miss), of another call's run (wait)",
            metrics.kept.clone(),
        );
        registry.register(
            "mcp_server_rate_limited_calls",
            "Calls refused because their caller called too often",
            metrics.limited.clone(),
        );
        registry.register(
            "mcp_server_requests_in_flight",
            "Messages that are being answered",
            metrics.in_flight.clone(),
        );
        registry.register(
            "mcp_server_sessions",
            "Sessions of the revisions before 2026-07-28",
            metrics.sessions.clone(),
        );
        registry.register("http_server_connections", "Open connections", metrics.connections.clone());
        registry.register(
            "http_server_turned_away_connections",
            "Connections for which there was no place",
            metrics.turned_away.clone(),
        );
        registry.register(
            "mcp_server_refused_requests",
            "Requests refused because a client had too many",
            metrics.refused.clone(),
        );
        registry.register(
            "mcp_server_audit_failures",
            "Lines of the audit log that could not be written, and attempts to open it again that failed",
            audit_failures,
        );
        registry.register("mcp_server_definitions", "Definitions that are served", metrics.definitions.clone());
        metrics
    }

    /// A message has been answered.
    pub fn answered(&self, method: &str, status: u16, seconds: f64) {
        let mcp_method_name = known(method);
        let labels = ByMethod { mcp_method_name, http_response_status_code: status };
        self.durations.get_or_create(&labels).observe(seconds);
    }

    /// The text of `/metrics`.
    pub fn text(&self, definitions: &[(&'static str, usize)]) -> String {
        for (kind, count) in definitions {
            self.definitions.get_or_create(&ByKind { kind }).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Sink for Metrics {
    fn take(&self, ended: &CallEnded) -> Option<BoxFuture<'static, ()>> {
        let labels =
            ByOutcome { mcp_method_name: known(ended.method.unwrap_or_default()), outcome: ended.outcome.word };
        self.calls.get_or_create(&labels).observe(ended.took.as_secs_f64());
        if let Some(bytes) = ended.bytes {
            self.bytes.get_or_create(&labels).inc_by(bytes as u64);
        }
        for how in &ended.uses {
            self.kept.get_or_create(&ByUse { result: how.as_str() }).inc();
        }
        if ended.outcome.error_kind == Some(CallErrorKind::Limited.as_str()) {
            self.limited.get_or_create(&ByName { mcp_method_name: labels.mcp_method_name }).inc();
        }
        for entry in &ended.statements {
            let outcome = entry.error.map_or("ok", |kind| kind.as_str());
            let labels = BySource { source: entry.source.clone(), outcome };
            self.statements.get_or_create(&labels).observe(entry.elapsed.as_secs_f64());
        }
        None
    }
}

/// The name by which a method is counted.
pub fn known(method: &str) -> &'static str {
    METHODS.into_iter().find(|known| *known == method).unwrap_or("other")
}

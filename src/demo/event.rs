//! The raw events: what the generator yields, the loader stores and the oracle counts.
//!
//! Events borrow their names from the world and the fleet; times are nanoseconds since 1970 (UTC).

use std::{borrow::Cow, sync::Arc};

use uuid::Uuid;

use super::{
    fleet::Pod,
    spending::{Cost, ModelCall},
    world::{Organization, Service},
};

/// A text that is usually a constant of the world.
pub type Text = Cow<'static, str>;

/// Name and value.
pub type Attribute = (&'static str, Text);

/// Everything that one organisation emits in one slot of time. Traces are whole: no trace spans two batches. With its last
/// slot also goes what it spent in all the time on record.
#[derive(Debug)]
pub struct Batch {
    pub organization: &'static Organization,
    pub spans: Vec<Span>,
    pub logs: Vec<Log>,
    pub metrics: Vec<Metric>,
    pub exemplars: Vec<Exemplar>,
    pub audits: Vec<Audit>,
    pub checks: Vec<Check>,
    pub vm_metrics: Vec<VmMetric>,
    pub kubernetes_metrics: Vec<KubernetesMetric>,
    pub kubernetes_events: Vec<KubernetesEvent>,
    pub anomalies: Vec<Anomaly>,
    pub map_metrics: Vec<MapMetric>,
    pub node_traffic: Vec<NodeTraffic>,
    pub link_traffic: Vec<LinkTraffic>,
    pub scraped: Vec<Scraped>,
    pub database_metrics: Vec<DatabaseMetric>,
    pub costs: Vec<Cost>,
    pub model_calls: Vec<ModelCall>,
    pub predictions: Vec<Prediction>,
}

impl Batch {
    pub fn new(organization: &'static Organization) -> Self {
        Self {
            organization,
            spans: Vec::new(),
            logs: Vec::new(),
            metrics: Vec::new(),
            exemplars: Vec::new(),
            audits: Vec::new(),
            checks: Vec::new(),
            vm_metrics: Vec::new(),
            kubernetes_metrics: Vec::new(),
            kubernetes_events: Vec::new(),
            anomalies: Vec::new(),
            map_metrics: Vec::new(),
            node_traffic: Vec::new(),
            link_traffic: Vec::new(),
            scraped: Vec::new(),
            database_metrics: Vec::new(),
            costs: Vec::new(),
            model_calls: Vec::new(),
            predictions: Vec::new(),
        }
    }

    /// Rows of all kinds.
    pub fn rows(&self) -> usize {
        self.spans.len()
            + self.logs.len()
            + self.metrics.len()
            + self.exemplars.len()
            + self.audits.len()
            + self.checks.len()
            + self.vm_metrics.len()
            + self.kubernetes_metrics.len()
            + self.kubernetes_events.len()
            + self.anomalies.len()
            + self.map_metrics.len()
            + self.node_traffic.len()
            + self.link_traffic.len()
            + self.scraped.len()
            + self.database_metrics.len()
            + self.costs.len()
            + self.model_calls.len()
            + self.predictions.len()
    }
}

/// The numbers are those of the column's enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpanKind {
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

impl SpanKind {
    /// Whether spans of this kind are requests.
    pub fn is_entry(self) -> bool {
        matches!(self, SpanKind::Server | SpanKind::Consumer)
    }
}

/// The numbers are those of the column's enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Unset = 0,
    Ok = 1,
    Error = 2,
}

#[derive(Debug, Clone)]
pub struct Span {
    pub timestamp: i64,
    pub trace: u128,
    pub id: u64,
    /// 0 for a root.
    pub parent: u64,
    pub name: Text,
    pub kind: SpanKind,
    pub service: &'static Service,
    pub status: Status,
    pub message: Text,
    pub duration: u64,
    pub pod: Arc<Pod>,
    /// Attributes that never vary.
    pub fixed: &'static [(String, String)],
    pub attributes: Vec<Attribute>,
}

impl Span {
    pub fn end(&self) -> i64 {
        self.timestamp + self.duration as i64
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Info = 9,
    Warn = 13,
    Error = 17,
    Fatal = 21,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "INFO",
            Severity::Warn => "WARN",
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
        }
    }
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Info, Self::Warn, Self::Error, Self::Fatal].into_iter().find(|severity| severity.as_str() == word)
    }
}

#[derive(Debug, Clone)]
pub struct Log {
    pub timestamp: i64,
    /// 0 without a trace.
    pub trace: u128,
    pub span: u64,
    pub severity: Severity,
    /// A service of the world, or one of the platform's synthetic services.
    pub service: &'static str,
    pub body: Text,
    /// Where it was written; none for synthetic services.
    pub pod: Option<Arc<Pod>>,
    pub attributes: Vec<Attribute>,
}

/// The numbers are those of the column's enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    Gauge = 1,
    Counter = 2,
    Histogram = 3,
}

#[derive(Debug, Clone)]
pub struct Metric {
    pub timestamp: i64,
    pub name: Text,
    pub kind: MetricKind,
    pub value: f64,
    pub service: &'static str,
    pub unit: Text,
    pub pod: Arc<Pod>,
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Clone)]
pub struct Exemplar {
    pub timestamp: i64,
    pub metric: &'static str,
    pub value: f64,
    pub trace: u128,
    pub span: u64,
    pub service: &'static str,
    pub operation: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuditType {
    Auth = 1,
    Authz = 2,
    Data = 3,
    System = 4,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuditResult {
    Success = 1,
    Failure = 2,
    Denied = 3,
}

/// Milliseconds matter, not nanoseconds: the column keeps three digits.
#[derive(Debug, Clone)]
pub struct Audit {
    pub id: Uuid,
    pub timestamp: i64,
    pub user: Option<Arc<super::people::Person>>,
    pub kind: AuditType,
    pub result: AuditResult,
    pub action: &'static str,
    pub resource: &'static str,
    pub resource_id: String,
    pub error: &'static str,
    pub address: String,
    pub duration_ms: u32,
}

#[derive(Debug, Clone)]
pub struct Check {
    pub timestamp: i64,
    pub monitor: Arc<super::inventory::Monitor>,
    pub status: &'static str,
    pub code: u16,
    /// Milliseconds.
    pub response_time: f64,
    pub error: &'static str,
    pub ssl_days: i32,
}

#[derive(Debug, Clone)]
pub struct VmMetric {
    pub timestamp: i64,
    pub vm: Arc<super::inventory::Host>,
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
}

#[derive(Debug, Clone)]
pub struct KubernetesMetric {
    pub timestamp: i64,
    pub resource_type: &'static str,
    pub resource_name: String,
    pub namespace: String,
    pub name: &'static str,
    pub value: f64,
}

#[derive(Debug, Clone)]
pub struct KubernetesEvent {
    pub timestamp: i64,
    pub namespace: String,
    pub kind: String,
    pub reason: String,
    pub message: String,
    pub source: &'static str,
    pub involved_kind: String,
    pub involved_name: String,
    pub count: u32,
}

#[derive(Debug, Clone)]
pub struct Anomaly {
    pub timestamp: i64,
    pub id: Uuid,
    pub service: String,
    pub metric: String,
    pub signal: String,
    pub severity: String,
    pub score: f64,
    pub z_score: f64,
    pub observed: f64,
    pub expected: f64,
}

#[derive(Debug, Clone)]
pub struct MapMetric {
    pub timestamp: i64,
    pub service_id: Uuid,
    pub service: &'static str,
    pub health: f64,
    pub uptime: f64,
    /// Milliseconds.
    pub latency: f64,
    /// Percent.
    pub error_rate: f64,
    /// Requests a second.
    pub request_rate: f64,
}

/// What a node of the network map is measured at.
#[derive(Debug, Clone)]
pub struct NodeTraffic {
    pub timestamp: i64,
    pub node_id: Uuid,
    pub node: String,
    /// Percent.
    pub cpu: f64,
    pub memory: f64,
    pub disk: f64,
    /// Bytes a second.
    pub received: f64,
    pub sent: f64,
    pub connections: f64,
    /// Requests a second.
    pub request_rate: f64,
    /// Percent.
    pub error_rate: f64,
}

/// What went over a link of the network map since the measurement before.
#[derive(Debug, Clone)]
pub struct LinkTraffic {
    pub timestamp: i64,
    pub link_id: Uuid,
    /// Mbit/s in use.
    pub bandwidth: f64,
    /// Milliseconds.
    pub latency: f64,
    /// Percent.
    pub loss: f64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

/// A value as an exporter for Prometheus shows it; counters only grow.
#[derive(Debug, Clone)]
pub struct Scraped {
    pub timestamp: i64,
    pub name: &'static str,
    pub labels: Vec<Attribute>,
    pub value: f64,
}

/// What an agent measured at a database.
#[derive(Debug, Clone)]
pub struct DatabaseMetric {
    pub timestamp: i64,
    /// Whose vocabulary the name is of, such as `mysql`: it decides about the table.
    pub kind: &'static str,
    pub instance_id: String,
    /// Of Aurora; empty for others.
    pub cluster: &'static str,
    pub name: &'static str,
    pub value: f64,
    pub instance: &'static str,
    pub engine: &'static str,
    pub labels: Option<&'static std::collections::BTreeMap<String, String>>,
}

/// What a model foretells of a resource.
#[derive(Debug, Clone)]
pub struct Prediction {
    pub timestamp: i64,
    pub kind: &'static str,
    pub resource: String,
    pub algorithm: &'static str,
    pub horizon: &'static str,
    /// Use as a share of what the resource has, with the bounds between which it is expected.
    pub value: f64,
    pub upper: f64,
    pub lower: f64,
    /// That it fails within the horizon, 0 to 1.
    pub probability: f64,
    /// Seconds until it fails, where that can be told.
    pub seconds: Option<i64>,
    /// Share of the variance that the model explains.
    pub fit: f64,
    /// 0 to 100.
    pub health: f64,
    pub status: &'static str,
}

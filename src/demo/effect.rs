//! What a scenario does to signals: spans, requests, gauges, log lines, hosts, pods, the audit trail.
//!
//! The vocabulary alone; `incident` says how strongly each acts at a moment.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::offset::Offset;

/// What happens to the spans of a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The service.
    pub service: String,
    /// Only this operation. Default: all.
    pub operation: Option<String>,
    /// Begins so long after the start of the incident. Default: at once.
    #[serde(default)]
    pub after: Offset,
    /// Grows linearly from nothing to full strength in this time. Default: at once.
    #[serde(default)]
    pub ramp: Offset,
    /// Comes and goes. Default: it stays.
    pub pulse: Option<Pulse>,
    /// Own processing time is multiplied by this at full strength.
    pub latency_factor: Option<f64>,
    /// Share of requests that fail by themselves at full strength.
    pub errors: Option<Errors>,
    /// Waiting for something scarce before a store is used.
    pub wait: Option<Wait>,
    /// What happens to calls of a store or third party.
    pub store: Option<StoreEffect>,
    /// What is no longer done, without an error.
    pub stops: Option<Stops>,
    /// Messages wait so long at full strength before the operation takes them.
    pub lag: Option<Offset>,
    /// A log line of requests, with their trace.
    pub log: Option<RequestLog>,
}

/// Acts during the first part of every period only.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pulse {
    /// Length of a period.
    pub every: Offset,
    /// How long of it the effect acts.
    pub lasts: Offset,
}

/// What happens to calls of a store or third party.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreEffect {
    /// The store.
    pub name: String,
    /// Only statements that begin so. Default: all.
    pub statement: Option<String>,
    /// The time of a call is multiplied by this at full strength.
    pub latency_factor: Option<f64>,
    /// Calls that fail.
    pub errors: Option<StoreErrors>,
    /// So many calls at full strength where there was one.
    pub calls: Option<u32>,
    /// Share of requests that make the call while the effect acts. Default: as always.
    pub share: Option<f64>,
}

/// Calls of a store that fail.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreErrors {
    /// 0 to 1.
    pub share: f64,
    /// Status message of the span.
    pub message: String,
    /// They take so long to fail. Default: as long as others take.
    pub after: Option<Offset>,
}

/// What an operation leaves out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stops {
    /// The topic that is no longer published to.
    pub publish: String,
}

/// A log line of requests. Lines of `ERROR` and `FATAL` are written by requests that failed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestLog {
    /// `INFO`, `WARN`, `ERROR` or `FATAL`.
    pub severity: String,
    /// Share of such requests that write it at full strength.
    pub share: f64,
    /// The line, or several; `{n}` is replaced by a number between `low` and `high`, `{id}` by eight hexadecimal digits.
    pub body: String,
    /// Least value of `{n}`.
    #[serde(default)]
    pub low: u32,
    /// Greatest value of `{n}`.
    #[serde(default)]
    pub high: u32,
}

/// Additional requests.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Service and operation by which they enter.
    pub entry: String,
    /// Begins so long after the start of the incident.
    #[serde(default)]
    pub after: Offset,
    /// Grows linearly to full strength in this time.
    #[serde(default)]
    pub ramp: Offset,
    /// How long it lasts. Default: as long as the incident.
    pub lasts: Option<Offset>,
    /// Requests a minute at full strength and scale 1.
    pub per_minute: f64,
    /// Address of the client, an attribute of the first span.
    pub client: Option<String>,
}

/// Requests that fail.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// 0 to 1.
    pub share: f64,
    /// Status message of the span.
    pub message: String,
}

/// Waiting for something scarce, such as a pooled connection. Shown as an internal span before the call.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// The store that is waited for.
    pub store: String,
    /// Name of the internal span.
    pub span: String,
    /// Share of calls that wait at full strength.
    pub share: f64,
    /// Mean wait at full strength; waits are distributed exponentially.
    pub mean: Offset,
    /// A wait that would be longer fails after this time.
    pub timeout: Offset,
    /// Status message of a wait that failed.
    pub message: String,
}

/// What happens to a gauge of a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricEffect {
    /// The service.
    pub service: String,
    /// Name of the metric.
    pub metric: String,
    /// Begins so long after the start of the incident.
    #[serde(default)]
    pub after: Offset,
    /// Reaches `to` linearly in this time.
    pub ramp: Offset,
    /// Begins anew after each such time. Default: it stays at `to`.
    pub every: Option<Offset>,
    /// Unit of a metric that the service has in this story only.
    pub unit: Option<String>,
    /// Its value on an ordinary day.
    pub usual: Option<f64>,
    /// The value at full strength, around which it then varies by a tenth unless `limit` holds it.
    pub to: f64,
    /// The value never exceeds this.
    pub limit: Option<f64>,
}

/// Additional log lines at a fixed pace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogEffect {
    /// The service.
    pub service: String,
    /// `INFO`, `WARN`, `ERROR` or `FATAL`.
    pub severity: String,
    /// Begins so long after the start of the incident.
    #[serde(default)]
    pub after: Offset,
    /// Time between two lines, varied by a third.
    pub every: Offset,
    /// The line, or several; `{n}` is replaced by a number between `low` and `high`, `{id}` by eight hexadecimal digits.
    pub body: String,
    /// Least value of `{n}`.
    #[serde(default)]
    pub low: u32,
    /// Greatest value of `{n}`.
    #[serde(default)]
    pub high: u32,
}

/// What happens to a host of the cluster, and to whatever runs on it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeEffect {
    /// Number of the host, from 1.
    pub node: usize,
    /// Begins so long after the start of the incident.
    #[serde(default)]
    pub after: Offset,
    /// Grows linearly to full strength in this time.
    #[serde(default)]
    pub ramp: Offset,
    /// Own processing time of every service there is multiplied by this.
    pub latency_factor: f64,
    /// Values of the host's gauges at full strength.
    #[serde(default)]
    pub gauges: BTreeMap<String, f64>,
}

/// What happens to what the cluster measures of the pods of a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PodEffect {
    /// The service.
    pub service: String,
    /// Name of the metric.
    pub metric: String,
    /// Begins so long after the start of the incident.
    #[serde(default)]
    pub after: Offset,
    /// Reaches `to` linearly in this time.
    pub ramp: Offset,
    /// Begins anew after each such time.
    pub every: Option<Offset>,
    /// The value at full strength.
    pub to: f64,
    /// Whether it counts things.
    #[serde(default)]
    pub whole: bool,
}

/// Deeds in the audit trail that fail, at a fixed pace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEffect {
    /// What was tried, such as `login`.
    pub action: String,
    /// Begins so long after the start of the incident.
    #[serde(default)]
    pub after: Offset,
    /// Time between two.
    pub every: Offset,
    /// Where they come from.
    pub address: String,
}

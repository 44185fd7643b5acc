//! Incidents as data: what may stand in a scenario file, what happens to signals (`effect`) apart.
//!
//! A scenario says why something breaks, when, who is hurt, how each signal changes, which facts a search for the cause
//! must bring, and what evidence a reader should be able to find afterwards. A new incident is a new file.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    effect::{AuditEffect, Effect, LogEffect, MetricEffect, NodeEffect, PodEffect, Traffic},
    offset::Offset,
};

/// An incident.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Unique name, the stem of the file.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What really happened, for whoever judges an explanation of it.
    pub cause: String,
    /// Code of the organisation in which it happens; the others see nothing of it.
    pub organization: String,
    /// When it begins, relative to the end of the data: `-40m`.
    pub start: Offset,
    /// How long it lasts. It may outlast the data.
    pub duration: Offset,
    /// Services that are hurt, the origin first; none on a day on which nothing happens.
    pub blast_radius: Vec<String>,
    /// Deployments and other changes.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// What happens to spans.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// Additional requests.
    #[serde(default)]
    pub traffic: Vec<Traffic>,
    /// What happens to gauges.
    #[serde(default)]
    pub metrics: Vec<MetricEffect>,
    /// What happens to hosts of the cluster, and to whatever runs on them.
    #[serde(default)]
    pub nodes: Vec<NodeEffect>,
    /// What happens to what the cluster measures of pods.
    #[serde(default)]
    pub pods: Vec<PodEffect>,
    /// Entries of the audit trail.
    #[serde(default)]
    pub audits: Vec<AuditEffect>,
    /// Additional log lines.
    #[serde(default)]
    pub logs: Vec<LogEffect>,
    /// Alerts, in the order in which they fire.
    #[serde(default)]
    pub alerts: Vec<Alert>,
    /// Kubernetes events.
    #[serde(default)]
    pub kubernetes_events: Vec<KubernetesEvent>,
    /// Anomalies that a detector reports.
    #[serde(default)]
    pub anomalies: Vec<Anomaly>,
    /// What one document about the cause must say. Matched on cells of its rows, never on wording.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// What a reader should be able to find.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// A change, shown in `change_events`; one with a version also changes the spans of its service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// `deploy`, `config`, `feature_flag`, `infra` or `schema`.
    pub kind: String,
    /// The service that changes.
    pub service: String,
    /// The version that is deployed.
    pub version: Option<String>,
    /// One line for people.
    pub title: String,
    /// Who did it.
    pub actor: String,
    /// Where it is recorded, such as a pull request.
    pub source_ref: String,
    /// When, relative to the start of the incident.
    #[serde(default)]
    pub at: Offset,
    /// How long it took.
    pub took: Offset,
}

/// An alert that fires and keeps firing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Name of the rule.
    pub rule: String,
    /// The service it watches.
    pub service: String,
    /// `critical`, `warning` or `info`.
    pub severity: String,
    /// What the rule asks, as text.
    pub query: String,
    /// What the rule looks at: `metrics`, `logs` or `traces`.
    pub target: String,
    /// Title of the alert.
    pub title: String,
    /// Fires so long after the start of the incident.
    pub at: Offset,
    /// The value when it fired.
    pub value: f64,
    /// The value that it must not pass.
    pub threshold: f64,
    /// Acknowledged so long after the start of the incident.
    pub acknowledged: Option<Offset>,
}

/// An event of the cluster.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubernetesEvent {
    /// So long after the start of the incident.
    pub at: Offset,
    /// The service whose pods or deployment it is about.
    pub service: String,
    /// `Deployment` or `Pod`.
    pub object: String,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Reason in one word.
    pub reason: String,
    /// The message.
    pub message: String,
    /// How often.
    #[serde(default = "once")]
    pub count: u32,
}

/// An anomaly that a detector reports.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Anomaly {
    /// So long after the start of the incident.
    pub at: Offset,
    /// The service.
    pub service: String,
    /// Name of the metric.
    pub metric: String,
    /// `metric`, `log` or `trace`.
    pub signal: String,
    /// `warning` or `critical`.
    pub severity: String,
    /// Value seen.
    pub observed: f64,
    /// Value expected.
    pub expected: f64,
    /// Distance in standard deviations.
    pub z_score: f64,
}

/// Something that a reader of a context document should be able to find.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The finding in a sentence.
    pub statement: String,
    /// The context type that shows it over the last hour.
    pub context: String,
    /// Texts that must all stand in the document.
    pub shows: Vec<String>,
}

/// A fact of the incident.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What it is a fact about.
    pub kind: FactKind,
    /// The service that it is about.
    pub service: Option<String>,
    /// The name, or a piece of the text that never varies.
    pub is: Option<String>,
    /// When, relative to the start of the incident.
    pub at: Option<Offset>,
    /// How far a time may be from `at`.
    pub within: Option<Offset>,
}

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// The service where it began: it is named first.
    Origin,
    /// An operation of the service.
    Operation,
    /// A span inside an operation of the service.
    Step,
    /// A store or third party that the service waits for.
    Target,
    /// A message of a span or a log line.
    Text,
    /// A change of the service: its version or its title.
    Change,
    /// A metric.
    Metric,
    /// An operation that is no longer done.
    Stopped,
    /// A host.
    Host,
    /// An event of the cluster, by its reason.
    Event,
    /// When the service turned bad.
    Time,
    /// Nothing happened: nothing critical, no warning.
    Quiet,
}

fn once() -> u32 {
    1
}

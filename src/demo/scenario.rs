//! Incidents as data: what may stand in `scenarios/*.yaml`, and the scenarios that are embedded.
//!
//! A scenario says why something breaks, when, who is hurt, how each signal changes, and what evidence a reader
//! should be able to find afterwards. A new incident is a new file.

use anyhow::{Context as _, bail};
use include_dir::{Dir, include_dir};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{offset::Offset, world::World};

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/demo/scenarios");

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
    /// Services that are hurt, the origin first.
    pub blast_radius: Vec<String>,
    /// Deployments and other changes.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// What happens to spans.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// What happens to gauges.
    #[serde(default)]
    pub metrics: Vec<MetricEffect>,
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
    /// What a reader should be able to find.
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
    #[serde(default)]
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

/// What happens to the spans of a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The service.
    pub service: String,
    /// Only this operation. Default: all.
    #[serde(default)]
    pub operation: Option<String>,
    /// Begins so long after the start of the incident. Default: at once.
    #[serde(default)]
    pub after: Offset,
    /// Grows linearly from nothing to full strength in this time. Default: at once.
    #[serde(default)]
    pub ramp: Offset,
    /// Own processing time is multiplied by this at full strength.
    #[serde(default)]
    pub latency_factor: Option<f64>,
    /// Share of requests that fail by themselves at full strength.
    #[serde(default)]
    pub errors: Option<Errors>,
    /// Waiting for something scarce before a store is used.
    #[serde(default)]
    pub wait: Option<Wait>,
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
    /// The value at full strength, around which it then varies by a tenth unless `limit` holds it.
    pub to: f64,
    /// The value never exceeds this.
    #[serde(default)]
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
    /// The line; `{n}` is replaced by a number between `low` and `high`.
    pub body: String,
    /// Least value of `{n}`.
    #[serde(default)]
    pub low: u32,
    /// Greatest value of `{n}`.
    #[serde(default)]
    pub high: u32,
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
    #[serde(default)]
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

fn once() -> u32 {
    1
}

impl Scenario {
    /// Names of the embedded scenarios, sorted.
    pub fn names() -> Vec<String> {
        let stems = SCENARIOS.files().filter_map(|file| file.path().file_stem());
        let mut names: Vec<String> = stems.map(|stem| stem.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// An embedded scenario.
    pub fn embedded(name: &str) -> anyhow::Result<Self> {
        let file = SCENARIOS
            .get_file(format!("{name}.yaml"))
            .with_context(|| format!("there is no scenario `{name}`; there are {}", Self::names().join(", ")))?;
        let scenario = Self::parse(file.contents_utf8().context("the scenario is not UTF-8")?)?;
        if scenario.name != name {
            bail!("the scenario in `{name}.yaml` calls itself `{}`", scenario.name);
        }
        Ok(scenario)
    }

    /// Reads a scenario and proves that everything it names exists in the world.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let scenario: Self = serde_saphyr::from_str(text)?;
        let world = World::embedded()?;
        world
            .organization(&scenario.organization)
            .with_context(|| format!("there is no organisation `{}`", scenario.organization))?;
        for name in scenario.services() {
            world.service(name).with_context(|| format!("there is no service `{name}`"))?;
        }
        for effect in &scenario.effects {
            let known =
                |name: &String| world.operations.iter().any(|o| o.service.name == effect.service && o.name == *name);
            if let Some(name) = effect.operation.as_ref().filter(|name| !known(name)) {
                bail!("there is no operation `{} {name}`", effect.service);
            }
            let store = effect.wait.as_ref().map(|wait| &wait.store);
            if let Some(name) = store.filter(|name| !world.stores.iter().any(|store| store.name == **name)) {
                bail!("there is no store `{name}`");
            }
        }
        Ok(scenario)
    }

    fn services(&self) -> impl Iterator<Item = &String> {
        let named = self.changes.iter().map(|c| &c.service).chain(self.effects.iter().map(|e| &e.service));
        let named = named.chain(self.metrics.iter().map(|m| &m.service)).chain(self.logs.iter().map(|l| &l.service));
        let named =
            named.chain(self.alerts.iter().map(|a| &a.service)).chain(self.anomalies.iter().map(|a| &a.service));
        named.chain(self.kubernetes_events.iter().map(|e| &e.service)).chain(&self.blast_radius)
    }
}

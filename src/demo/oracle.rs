//! Exact answers, computed from raw events in Rust and never through SQL.
//!
//! Tests compare what definitions answer with these numbers. Definitions of the words: a request is an entry span
//! (SERVER or CONSUMER); a percentile is element `floor(level * n)` of the sorted durations, counted from 0 and
//! capped at the last, as `quantileExact` takes it; an event belongs to `[from, to)` by its own timestamp; log
//! statistics leave the platform's synthetic services out; an edge is an entry span whose parent span belongs to
//! another service, in the window of the entry span.
//!
//! Events are read batch by batch and only numbers are kept, so that memory follows the answers, not the data.

use std::collections::{BTreeMap, HashMap};

use super::{
    event::{AuditResult, AuditType, Batch, Severity, Status},
    generate::Generator,
    platform::AlertFacts,
};

/// The platform's own names in `logs`, which are not application services.
pub const SYNTHETIC_SERVICES: [&str; 8] =
    ["audit", "tfo.agent", "tfo.infrastructure", "tfo.uptime", "tfo.status-page", "k8s.pod", "k8s.events", "k8s.node"];

/// Nanoseconds since 1970, `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: i64,
    pub to: i64,
}

impl Window {
    /// The last `length` nanoseconds of the data.
    pub fn last(generator: &Generator, length: i64) -> Self {
        Self { from: generator.end() - length, to: generator.end() }
    }

    /// The window of the same length just before.
    pub fn previous(self) -> Self {
        Self { from: self.from - (self.to - self.from), to: self.from }
    }

    pub fn holds(self, time: i64) -> bool {
        time >= self.from && time < self.to
    }
}

/// Answers for one organisation and window.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// By service.
    pub services: BTreeMap<String, Requests>,
    /// By service and name of the entry span.
    pub operations: BTreeMap<(String, String), Requests>,
    /// By calling service and called service.
    pub edges: BTreeMap<(String, String), Requests>,
    /// CLIENT spans to databases, caches and third parties, by calling service and `peer.service`.
    pub stores: BTreeMap<(String, String), Requests>,
    /// Spans of every kind with status ERROR, by service, span name and status message.
    pub errors: BTreeMap<(String, String, String), u64>,
    /// Application logs by service and severity.
    pub logs: BTreeMap<(String, String), u64>,
    /// Bodies of application logs of severity ERROR and worse, by service and body.
    pub error_logs: BTreeMap<(String, String), u64>,
    /// By service and metric name.
    pub metrics: BTreeMap<(String, String), Series>,
    /// Metrics of hosts, by id of the host and metric name.
    pub hosts: BTreeMap<(String, &'static str), Series>,
    /// By event type and result, in the words of the columns.
    pub audits: BTreeMap<(String, String), u64>,
    /// By monitor id.
    pub uptime: BTreeMap<String, Uptime>,
    /// When each version emitted spans, by service and version.
    pub versions: BTreeMap<(String, String), Seen>,
    /// Kubernetes events by type and reason: rows, and the sum of their `count`.
    pub kubernetes_events: BTreeMap<(String, String), (u64, u64)>,
    /// Anomalies by severity.
    pub anomalies: BTreeMap<String, u64>,
    /// Exemplars by service and metric.
    pub exemplars: BTreeMap<(String, String), u64>,
}

/// Requests and their durations.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    pub count: u64,
    pub errors: u64,
    durations: Vec<u64>,
    /// Those of requests that failed.
    failures: Vec<u64>,
}

impl Requests {
    fn add(&mut self, duration: u64, failed: bool) {
        self.count += 1;
        self.errors += u64::from(failed);
        self.durations.push(duration);
        self.failures.extend(failed.then_some(duration));
    }

    /// Requests that failed or took longer than so many nanoseconds.
    pub fn bad(&self, slowest: u64) -> u64 {
        let slower = |durations: &[u64]| durations.iter().filter(|duration| **duration > slowest).count() as u64;
        self.errors + slower(&self.durations) - slower(&self.failures)
    }

    /// 0 to 100.
    pub fn error_percent(&self) -> f64 {
        if self.count == 0 { 0.0 } else { 100.0 * self.errors as f64 / self.count as f64 }
    }

    /// Nanoseconds; 0 when there are no requests.
    pub fn percentile(&self, level: f64) -> u64 {
        let index = ((level * self.durations.len() as f64) as usize).min(self.durations.len().saturating_sub(1));
        self.durations.get(index).copied().unwrap_or(0)
    }

    /// Mean nanoseconds.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.durations.iter().sum::<u64>() as f64 / self.count as f64 }
    }
}

/// The values of a series in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Series {
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
}

impl Series {
    const EMPTY: Self = Self { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }
}

/// Checks of a monitor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Uptime {
    pub name: String,
    pub checks: u64,
    pub successes: u64,
    /// Milliseconds, sum over all checks.
    pub response_time: f64,
}

impl Uptime {
    /// 0 to 100.
    pub fn availability(&self) -> f64 {
        100.0 * self.successes as f64 / self.checks as f64
    }
}

/// First and last timestamp, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub first: i64,
    pub last: i64,
    pub spans: u64,
}

/// Answers for each window, by organisation in the order of the world. One pass over the events.
pub fn answers(generator: &Generator, windows: &[Window]) -> Vec<Vec<Answers>> {
    let organizations = generator.world.organizations.len();
    let mut all = vec![vec![Answers::default(); organizations]; windows.len()];
    let earliest = windows.iter().map(|window| window.from).min().unwrap_or(i64::MAX);
    for unit in generator.units() {
        // A trace may reach past its slot, but never as far as an hour; earlier batches cannot matter.
        let slot_end = generator.start() + (unit.slot as i64 + 1) * super::generate::SLOT;
        if slot_end + super::offset::HOUR < earliest {
            continue;
        }
        let Some(batch) = generator.batch(unit) else { continue };
        for (window, answers) in windows.iter().zip(&mut all) {
            if let Some(answers) = answers.get_mut(unit.organization) {
                answers.add(&batch, *window);
            }
        }
    }
    for answers in all.iter_mut().flatten() {
        answers.finish();
    }
    all
}

/// The most frequent first; equal counts in order of the key.
pub fn top<K: Clone + Ord>(counts: &BTreeMap<K, u64>, limit: usize) -> Vec<(K, u64)> {
    let mut rows: Vec<(K, u64)> = counts.iter().map(|(key, count)| (key.clone(), *count)).collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    rows.truncate(limit);
    rows
}

impl Answers {
    /// All requests of the organisation.
    pub fn requests(&self) -> u64 {
        self.services.values().map(|requests| requests.count).sum()
    }

    fn add(&mut self, batch: &Batch, window: Window) {
        self.spans(batch, window);
        for log in batch.logs.iter().filter(|log| window.holds(log.timestamp)) {
            if SYNTHETIC_SERVICES.contains(&log.service) {
                continue;
            }
            let key = (log.service.to_owned(), log.severity.as_str().to_owned());
            *self.logs.entry(key).or_default() += 1;
            if log.severity >= Severity::Error {
                *self.error_logs.entry((log.service.to_owned(), log.body.to_string())).or_default() += 1;
            }
        }
        for point in batch.metrics.iter().filter(|point| window.holds(point.timestamp)) {
            let key = (point.service.to_owned(), point.name.to_string());
            self.metrics.entry(key).or_insert(Series::EMPTY).add(point.value);
        }
        for audit in batch.audits.iter().filter(|audit| window.holds(audit.timestamp)) {
            *self
                .audits
                .entry((audit_type(audit.kind).to_owned(), audit_result(audit.result).to_owned()))
                .or_default() += 1;
        }
        for metric in batch.vm_metrics.iter().filter(|metric| window.holds(metric.timestamp)) {
            let key = (metric.vm.id.to_string(), metric.name);
            self.hosts.entry(key).or_insert(Series::EMPTY).add(metric.value);
        }
        for check in batch.checks.iter().filter(|check| window.holds(check.timestamp)) {
            let uptime = self.uptime.entry(check.monitor.id_text.clone()).or_default();
            uptime.name.clone_from(&check.monitor.name);
            uptime.checks += 1;
            uptime.successes += u64::from(check.status == "success");
            uptime.response_time += check.response_time;
        }
        for event in batch.kubernetes_events.iter().filter(|event| window.holds(event.timestamp)) {
            let counts = self.kubernetes_events.entry((event.kind.clone(), event.reason.clone())).or_default();
            counts.0 += 1;
            counts.1 += u64::from(event.count);
        }
        for anomaly in batch.anomalies.iter().filter(|anomaly| window.holds(anomaly.timestamp)) {
            *self.anomalies.entry(anomaly.severity.clone()).or_default() += 1;
        }
        for exemplar in batch.exemplars.iter().filter(|exemplar| window.holds(exemplar.timestamp)) {
            *self.exemplars.entry((exemplar.service.to_owned(), exemplar.metric.to_owned())).or_default() += 1;
        }
    }

    fn spans(&mut self, batch: &Batch, window: Window) {
        // Parents may lie before the window, but never in another batch.
        let owners: HashMap<(u128, u64), &str> =
            batch.spans.iter().map(|span| ((span.trace, span.id), span.service.name.as_str())).collect();
        for span in batch.spans.iter().filter(|span| window.holds(span.timestamp)) {
            let service = span.service.name.as_str();
            let failed = span.status == Status::Error;
            if failed {
                let key = (service.to_owned(), span.name.to_string(), span.message.to_string());
                *self.errors.entry(key).or_default() += 1;
            }
            let seen = self.versions.entry((service.to_owned(), span.pod.version.clone()));
            let seen = seen.or_insert(Seen { first: i64::MAX, last: i64::MIN, spans: 0 });
            seen.first = seen.first.min(span.timestamp);
            seen.last = seen.last.max(span.timestamp);
            seen.spans += 1;
            if span.kind.is_entry() {
                self.services.entry(service.to_owned()).or_default().add(span.duration, failed);
                let operation = (service.to_owned(), span.name.to_string());
                self.operations.entry(operation).or_default().add(span.duration, failed);
                let caller = owners.get(&(span.trace, span.parent)).filter(|caller| **caller != service);
                if let Some(caller) = caller {
                    let edge = ((*caller).to_owned(), service.to_owned());
                    self.edges.entry(edge).or_default().add(span.duration, failed);
                }
            }
            let attribute =
                |key: &str| span.fixed.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
            if span.kind == super::event::SpanKind::Client
                && (attribute("db.system").is_some() || attribute("url.path").is_some())
                && let Some(peer) = attribute("peer.service")
            {
                self.stores.entry((service.to_owned(), peer.to_owned())).or_default().add(span.duration, failed);
            }
        }
    }

    fn finish(&mut self) {
        let requests = self.services.values_mut().chain(self.operations.values_mut());
        for requests in requests.chain(self.edges.values_mut()).chain(self.stores.values_mut()) {
            requests.durations.sort_unstable();
        }
    }
}

fn audit_type(kind: AuditType) -> &'static str {
    match kind {
        AuditType::Auth => "AUTH",
        AuditType::Authz => "AUTHZ",
        AuditType::Data => "DATA",
        AuditType::System => "SYSTEM",
    }
}

fn audit_result(result: AuditResult) -> &'static str {
    match result {
        AuditResult::Success => "SUCCESS",
        AuditResult::Failure => "FAILURE",
        AuditResult::Denied => "DENIED",
    }
}

/// Alerts of an organisation that are firing or acknowledged at the end of the data, oldest first.
pub fn open_alerts(generator: &Generator, organization: usize) -> Vec<AlertFacts> {
    let fleet = generator.fleets().get(organization);
    let all = fleet.map_or_else(Vec::new, |(fleet, _)| super::platform::alerts(generator, fleet));
    all.into_iter().filter(|alert| alert.resolved_at.is_none()).collect()
}

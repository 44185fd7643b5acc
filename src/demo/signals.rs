//! Application metrics and background logs: what services emit whether or not a request is being answered.
//!
//! Durations and rates follow the traces of the same slot; gauges follow the load of the hour and the incident.

use std::sync::Arc;

use super::{
    event::{Batch, Log, Metric, MetricKind, Severity, Text},
    fleet::{Fleet, Pod},
    generate::{Generator, Slot},
    offset::{MINUTE, SECOND},
    random::Random,
    trace::Tally,
    world::Service,
};

/// Lines that services write now and then: language, severity, body, lines an hour and service.
const CHATTER: &[(&str, Severity, &str, f64)] = &[
    ("java", Severity::Info, "HikariPool-1 - Pool stats (total=20, active=6, idle=14, waiting=0)", 6.0),
    ("java", Severity::Info, "GC (G1 Young Generation) paused 11 ms", 9.0),
    ("go", Severity::Info, "config reloaded, 0 changes", 4.0),
    ("go", Severity::Info, "connection to session-cache re-established", 1.0),
    ("nodejs", Severity::Info, "cache of feature flags refreshed", 10.0),
    ("nodejs", Severity::Warn, "Warning: response headers exceed 8 KiB", 0.7),
    ("python", Severity::Info, "loaded model weights from object storage", 1.0),
    ("python", Severity::Warn, "DeprecationWarning: datetime.utcnow() is deprecated", 1.5),
    ("java", Severity::Warn, "Clock skew of 41 ms against upstream", 0.5),
    ("go", Severity::Error, "failed to export spans: context deadline exceeded", 0.25),
];

/// Writes the metrics of every service at every tick of the slot.
pub fn metrics(
    generator: &Generator,
    fleet: &Fleet,
    slot: &Slot,
    tally: &Tally,
    random: &mut Random,
    batch: &mut Batch,
) {
    let interval = generator.metric_interval();
    for service in &generator.world.services {
        let mut at = slot.from;
        while at < slot.to {
            // Values of an interval are stamped a second before its end, so that the last one is not in the future.
            let stamp = at + interval - SECOND + (service.index as i64) * 10_000_000;
            let minutes = ((at - slot.from) / MINUTE) as usize;
            let mean = tally.mean(service.index, minutes, minutes + (interval / MINUTE) as usize);
            if let Some(pod) = fleet.pod(service, stamp, 0) {
                let pod = Arc::clone(pod);
                Ticker { generator, fleet, service, random, batch, pod, stamp }.tick(mean);
            }
            at += interval;
        }
    }
}

struct Ticker<'a> {
    generator: &'a Generator,
    fleet: &'a Fleet,
    service: &'static Service,
    random: &'a mut Random,
    batch: &'a mut Batch,
    pod: Arc<Pod>,
    stamp: i64,
}

impl Ticker<'_> {
    fn tick(&mut self, mean: Option<f64>) {
        let organization = self.fleet.organization;
        let load = self.generator.load(organization, self.stamp);
        let visits = self.generator.visits(self.service);
        let per_second = organization.spec.traffic * visits / 86_400.0;
        let consumer = self.service.spec.kind == "worker";
        let (duration, total) = if consumer {
            ("messaging.process.duration", "messaging.message.count")
        } else {
            ("http.server.request.duration", "http.server.request.total")
        };
        // Without a request in the interval nothing is observed; a histogram then has no point.
        if let Some(mean) = mean {
            self.push(duration, MetricKind::Histogram, mean, "s", Vec::new());
        }
        let count = per_second * self.generator.scale() * self.generator.load_since_start(organization, self.stamp);
        self.push(
            total,
            MetricKind::Counter,
            count.floor(),
            if consumer { "{message}" } else { "{request}" },
            Vec::new(),
        );
        let busy = 1.0 + 0.5 * per_second * load * organization.spec.latency;
        if !consumer {
            self.gauge("http.server.active_requests", busy, 0.25, "{request}", Vec::new());
        }
        let seed = self.service.index as f64;
        self.gauge("process.runtime.thread.count", 24.0 + 3.0 * seed + 4.0 * load, 0.03, "{thread}", Vec::new());
        self.gauge(
            "process.runtime.memory.usage",
            (180.0 + 40.0 * seed + 60.0 * load) * 1_048_576.0,
            0.04,
            "By",
            Vec::new(),
        );
        self.gauge("system.cpu.utilization", (0.08 + 0.012 * seed + 0.16 * load).min(0.95), 0.12, "1", Vec::new());
        if let Some(pool) = &self.service.pool {
            let size = f64::from(pool.spec.pool.unwrap_or(20));
            let labels =
                |state| vec![("pool.name", Text::Borrowed(pool.name.as_str())), ("state", Text::Borrowed(state))];
            let used = (size * (0.12 + 0.16 * load)).min(size);
            self.gauge("db.client.connections.usage", used, 0.2, "{connection}", labels("used"));
            self.push("db.client.connections.max", MetricKind::Gauge, size, "{connection}", labels("max"));
            self.gauge("db.client.connections.pending_requests", 0.0, 0.0, "{request}", labels("pending"));
        }
        if let Some(incident) = self.generator.incident(self.fleet.organization) {
            // From a stream of its own: the other values are the same with and without them.
            let path = [super::random::number("metrics of the incident"), self.service.index as u64, self.stamp as u64];
            let mut random = Random::new(self.generator.seed(), &path);
            for (effect, value) in incident.metrics(&self.service.name, &mut random, self.stamp) {
                let unit = effect.unit.clone().unwrap_or_else(|| "1".to_owned());
                let value = if unit.starts_with('{') { value.round() } else { value };
                self.push(effect.metric.clone(), MetricKind::Gauge, value, unit, Vec::new());
            }
        }
    }

    /// A gauge around `value`; whole numbers where the unit counts things.
    fn gauge(
        &mut self,
        name: &'static str,
        value: f64,
        spread: f64,
        unit: &'static str,
        attributes: Vec<(&'static str, Text)>,
    ) {
        let noise = self.random.between(-1.0, 1.0);
        let mut value = value * (1.0 + spread * noise);
        if let Some(incident) = self.generator.incident(self.fleet.organization) {
            value = incident.gauge(&self.service.name, name, value, noise, self.stamp);
        }
        let value = if unit.starts_with('{') || unit == "By" { value.round() } else { (value * 1e4).round() / 1e4 };
        self.push(name, MetricKind::Gauge, value, unit, attributes);
    }

    fn push(
        &mut self,
        name: impl Into<Text>,
        kind: MetricKind,
        value: f64,
        unit: impl Into<Text>,
        attributes: Vec<(&'static str, Text)>,
    ) {
        let (name, unit) = (name.into(), unit.into());
        let pod = Arc::clone(&self.pod);
        let service = &self.service.name;
        self.batch.metrics.push(Metric { timestamp: self.stamp, name, kind, value, service, unit, pod, attributes });
    }
}

/// Writes lines that belong to no request, and those of the incident.
pub fn logs(generator: &Generator, fleet: &Fleet, slot: &Slot, random: &mut Random, batch: &mut Batch) {
    let hours = (slot.to - slot.from) as f64 / super::offset::HOUR as f64;
    let share = generator.scale().clamp(0.1, 2.0);
    for service in &generator.world.services {
        for (language, severity, body, hourly) in CHATTER.iter().filter(|line| line.0 == service.spec.language) {
            let _ = language;
            for _ in 0..random.poisson(hourly * hours * share * 3.0) {
                let at = slot.from + random.below((slot.to - slot.from) as usize) as i64;
                line(fleet, service, *severity, Text::Borrowed(body), at, random, batch);
            }
        }
    }
    let Some(incident) = generator.incident(fleet.organization) else { return };
    for (effect, number, due) in incident.lines(slot.from, slot.to) {
        let Some(service) = generator.world.service(&effect.service) else { continue };
        // Drawn from a stream of its own, so that the line is the same however slots are cut.
        let mut random = Random::new(generator.seed(), &[super::random::number(&effect.body), number]);
        let at = due + (random.unit() * effect.every.0.min(30 * SECOND) as f64 / 3.0) as i64;
        let body = filled(&effect.body, (effect.low, effect.high), &mut random);
        let severity = Severity::parse(&effect.severity).unwrap_or(Severity::Info);
        if at < generator.end() {
            line(fleet, service, severity, Text::Owned(body), at, &mut random, batch);
        }
    }
}

/// A line with its variables: `{n}`, a number, and `{id}`, eight hexadecimal digits.
pub fn filled(body: &str, (low, high): (u32, u32), random: &mut Random) -> String {
    let n = random.between(f64::from(low), f64::from(high) + 1.0) as u32;
    let body = body.replace("{n}", &n.to_string());
    if body.contains("{id}") { body.replace("{id}", &format!("{:08x}", random.bits() as u32)) } else { body }
}

fn line(
    fleet: &Fleet,
    service: &'static Service,
    severity: Severity,
    body: Text,
    at: i64,
    random: &mut Random,
    batch: &mut Batch,
) {
    let pod = fleet.pod(service, at, random.below(1 << 16)).cloned();
    let attributes = vec![("thread", Text::Borrowed("main"))];
    let service = &service.name;
    batch.logs.push(Log { timestamp: at, trace: 0, span: 0, severity, service, body, pod, attributes });
}

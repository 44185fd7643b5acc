//! What the platform's models foretell of machines, volumes and pods: every half hour, for four horizons.
//!
//! Nothing here draws a random number: a forecast follows from what the resource is and from the moment.

use super::{
    event::{Batch, Prediction},
    generate::{Generator, Slot},
    infrastructure::Estate,
    inventory,
    offset::{HOUR, MINUTE},
    world::Organization,
};

/// How often the models run.
const EVERY: i64 = 30 * MINUTE;
/// Name and hours of what is foretold.
const HORIZONS: [(&str, f64); 4] = [("1h", 1.0), ("6h", 6.0), ("24h", 24.0), ("7d", 168.0)];
/// How often the leaking pod is killed for want of memory.
const LEAK: i64 = 9 * HOUR + 24 * MINUTE;
/// Since when nobody runs the model of one volume in the first organisation.
const STOPPED: i64 = 5 * HOUR;

/// What a model knows of a resource at a moment.
struct Subject {
    kind: &'static str,
    name: String,
    algorithm: &'static str,
    /// Use as a share of what it has, and how much of it is added in an hour.
    used: f64,
    growth: f64,
    /// How far uses stray, and how much of that the model explains.
    spread: f64,
    fit: f64,
}

/// Writes the forecasts of one slot.
pub fn emit(
    generator: &Generator,
    organization: &'static Organization,
    estate: &Estate,
    slot: &Slot,
    batch: &mut Batch,
) {
    if (slot.from - generator.start()) % EVERY != 0 {
        return;
    }
    let at = slot.from + MINUTE;
    let before_end = generator.end() - at;
    for subject in subjects(generator, organization, estate, before_end) {
        batch.predictions.extend(HORIZONS.map(|horizon| subject.foretell(at, horizon)));
    }
}

fn subjects(generator: &Generator, organization: &Organization, estate: &Estate, before_end: i64) -> Vec<Subject> {
    let subject = |kind, name: &str, algorithm, (used, growth), (spread, fit)| Subject {
        kind,
        name: name.to_owned(),
        algorithm,
        used,
        growth,
        spread,
        fit,
    };
    let mut subjects = Vec::new();
    for volume in inventory::volumes(organization) {
        let stopped = organization.index == 0 && volume.claim == "order-db-data" && before_end < STOPPED;
        let (size, free) = volume.bytes(before_end);
        if !stopped {
            let growth = volume.growth / 24.0;
            let name = format!("pvc-{}", volume.claim);
            subjects.push(subject("disk", &name, "linear-regression", (1.0 - free / size, growth), (0.012, 0.97)));
        }
    }
    let load = generator.load(organization, generator.end() - before_end);
    for host in &estate.hosts {
        if host.silent_for.is_some_and(|minutes| before_end < minutes * MINUTE) {
            continue;
        }
        let cpu = (host.idle + 0.22 * load).min(0.97);
        subjects.push(subject("cpu", &host.name, "holt-winters", (cpu, 0.0), (0.05, 0.88)));
        subjects.push(subject("disk", &host.name, "linear-regression", (host.disk, 0.0001), (0.02, 0.91)));
    }
    let gateway = format!("{}/edge-gateway", organization.spec.cluster);
    subjects.push(subject("network", &gateway, "holt-winters", (0.41 + 0.1 * load, 0.0), (0.12, 0.34)));
    match organization.index {
        0 => {
            let phase = (LEAK - HOUR - before_end % LEAK).rem_euclid(LEAK) as f64 / LEAK as f64;
            let growth = 0.6 / (LEAK as f64 / HOUR as f64);
            let used = 0.38 + 0.6 * phase;
            subjects.push(subject(
                "pod",
                "fulfilment/report-cache-0",
                "linear-regression",
                (used, growth),
                (0.05, 0.93),
            ));
        }
        2 => subjects.push(subject("pod", "shop/price-import-1", "holt-winters", (1.04, 0.0), (0.03, 0.82))),
        _ => {}
    }
    subjects
}

impl Subject {
    fn foretell(&self, timestamp: i64, (horizon, hours): (&'static str, f64)) -> Prediction {
        let value = |hours: f64| self.used + self.growth * hours;
        let spread = |hours: f64| self.spread * (1.0 + hours / 48.0).sqrt();
        // No model is certain.
        let likely =
            |hours: f64| (1.0 / (1.0 + ((1.0 - value(hours)) / spread(hours) * 1.7).exp())).clamp(0.002, 0.995);
        let health = 100.0 * (1.0 - 0.5 * likely(168.0) - 0.3 * likely(24.0) - 0.2 * likely(1.0));
        let left = (1.0 - self.used) / self.growth;
        Prediction {
            timestamp,
            kind: self.kind,
            resource: self.name.clone(),
            algorithm: self.algorithm,
            horizon,
            value: value(hours),
            probability: likely(hours),
            seconds: (self.growth > 0.0 && (0.0..720.0).contains(&left)).then_some((left * 3600.0) as i64),
            upper: value(hours) + 2.0 * spread(hours),
            lower: value(hours) - 2.0 * spread(hours),
            fit: self.fit,
            health,
            status: match health {
                90.0.. => "healthy",
                70.0.. => "warning",
                45.0.. => "degrading",
                15.0.. => "critical",
                _ => "failing",
            },
        }
    }
}

//! The generator: a pure function from a plan to batches of events.
//!
//! A day is cut into slots. A unit is one slot of one organisation; it draws from a random stream of its own, so
//! that units can be generated in any order, on any thread, and always hold the same events.

use time::OffsetDateTime;

use super::{
    databases,
    event::{Batch, Text},
    fleet::Fleet,
    forecast,
    incident::Incident,
    infrastructure::{self, Estate},
    inventory,
    offset::{HOUR, MINUTE},
    people,
    random::Random,
    scenario::Scenario,
    signals, spending,
    trace::{Tally, Tracer},
    world::{Operation, Organization, Service, Step, World},
};

/// Length of a slot.
pub const SLOT: i64 = 5 * MINUTE;
/// Length of the data.
pub const DAY: i64 = 24 * HOUR;

/// What is generated.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    /// The data covers the 24 hours before this moment.
    pub end: OffsetDateTime,
    /// 1 gives about two million rows; traffic grows in proportion, gauges get coarser below.
    pub scale: f64,
    pub scenario: Option<Scenario>,
}

/// A slot of time, `[from, to)`.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    pub from: i64,
    pub to: i64,
}

impl Slot {
    pub fn holds(&self, time: i64) -> bool {
        time >= self.from && time < self.to
    }
}

/// One organisation in one slot.
#[derive(Debug, Clone, Copy)]
pub struct Unit {
    pub organization: usize,
    pub slot: usize,
}

/// A plan with everything compiled that does not change while events are generated.
#[derive(Debug)]
pub struct Generator {
    pub world: &'static World,
    plan: Plan,
    end: i64,
    fleets: Vec<(Fleet, Estate)>,
    incident: Option<(usize, Incident)>,
    visits: Vec<f64>,
}

impl Generator {
    pub fn new(plan: Plan) -> anyhow::Result<Self> {
        let world = World::embedded()?;
        databases::Databases::embedded()?;
        // Milliseconds, the precision of SQLite and of audit events: windows cut the same rows everywhere.
        let end = (plan.end.unix_timestamp_nanos() / 1_000_000) as i64 * 1_000_000;
        let incident = plan.scenario.clone().and_then(|scenario| {
            let index = world.organization(&scenario.organization)?.index;
            Some((index, Incident::new(scenario, end)))
        });
        let mut fleets = Vec::new();
        for organization in &world.organizations {
            let own = incident.as_ref().filter(|(index, _)| *index == organization.index).map(|(_, incident)| incident);
            let estate = Estate {
                people: people::people(organization),
                hosts: inventory::hosts(organization),
                monitors: inventory::monitors(organization),
            };
            fleets.push((Fleet::new(world, organization, own, end), estate));
        }
        let mut visits = vec![0.0; world.services.len()];
        for (operation, weight) in &world.entries {
            count_visits(operation, *weight, &mut visits);
        }
        Ok(Self { world, plan, end, fleets, incident, visits })
    }

    /// All units, in time order.
    pub fn units(&self) -> impl Iterator<Item = Unit> + use<> {
        let organizations = self.world.organizations.len();
        (0..(DAY / SLOT) as usize)
            .flat_map(move |slot| (0..organizations).map(move |organization| Unit { organization, slot }))
    }

    /// The events of one unit.
    pub fn batch(&self, unit: Unit) -> Option<Batch> {
        let (fleet, estate) = self.fleets.get(unit.organization)?;
        let from = self.start() + unit.slot as i64 * SLOT;
        let slot = Slot { from, to: from + SLOT };
        let path = |stream: u64| Random::new(self.plan.seed, &[stream, unit.organization as u64, unit.slot as u64]);
        let mut batch = Batch::new(fleet.organization);
        let mut tally = Tally::new(self.world.services.len(), (SLOT / MINUTE) as usize);
        self.traffic(fleet, slot, path(1), &mut batch, &mut tally);
        signals::metrics(self, fleet, &slot, &tally, &mut path(2), &mut batch);
        signals::logs(self, fleet, &slot, &mut path(3), &mut batch);
        infrastructure::emit(self, fleet, estate, &slot, &mut path(4), &mut batch);
        databases::emit(self, fleet.organization, &slot, &mut batch);
        if slot.to == self.end {
            batch.costs = spending::costs(self, fleet.organization);
            batch.model_calls = spending::model_calls(self, fleet.organization, &estate.people);
        }
        forecast::emit(self, fleet.organization, estate, &slot, &mut batch);
        Some(batch)
    }

    /// All batches, in time order, one at a time.
    pub fn batches(&self) -> impl Iterator<Item = Batch> + '_ {
        self.units().filter_map(|unit| self.batch(unit))
    }

    fn traffic(&self, fleet: &Fleet, slot: Slot, mut random: Random, batch: &mut Batch, tally: &mut Tally) {
        let organization = fleet.organization;
        let load = self.load(organization, slot.from + SLOT / 2);
        let mean = organization.spec.traffic * self.plan.scale * load * SLOT as f64 / DAY as f64;
        let count = random.poisson(mean);
        let mut starts: Vec<i64> = (0..count).map(|_| slot.from + (random.unit() * SLOT as f64) as i64).collect();
        starts.sort_unstable();
        let incident = self.incident(organization);
        let pressure = 0.85 + 0.15 * load;
        let mut roots = Vec::with_capacity(count);
        for start in starts {
            roots.push((self.entry(random.unit()), start));
        }
        let mut tracer = Tracer::new(fleet, incident, random, batch, tally, slot.from, pressure);
        for (operation, start) in roots {
            if let Some(operation) = operation {
                tracer.run(operation, start, self.end);
            }
        }
        if let Some(incident) = incident {
            self.additional(fleet, incident, slot, batch, tally);
        }
    }

    /// Requests of the incident, each kind from a stream of its own.
    fn additional(&self, fleet: &Fleet, incident: &Incident, slot: Slot, batch: &mut Batch, tally: &mut Tally) {
        for (index, traffic) in incident.scenario.traffic.iter().enumerate() {
            let entry = self.world.entries.iter().map(|(operation, _)| operation).find(|operation| {
                traffic.entry.strip_prefix(operation.service.name.as_str()).map(str::trim_start)
                    == Some(operation.name.as_str())
            });
            let Some(entry) = entry else { continue };
            let mut random = Random::new(self.plan.seed, &[5, index as u64, slot.from as u64]);
            let begin = incident.start + traffic.after.0;
            let end = traffic.lasts.map_or(incident.finish, |lasts| begin + lasts.0).min(slot.to);
            let from = begin.max(slot.from);
            let strength = incident.strength(traffic.after.0, traffic.ramp.0, from + (end - from) / 2);
            let minutes = (end - from).max(0) as f64 / MINUTE as f64;
            let count = random.poisson(traffic.per_minute * self.plan.scale * minutes * strength);
            let mut starts: Vec<i64> =
                (0..count).map(|_| from + (random.unit() * (end - from) as f64) as i64).collect();
            starts.sort_unstable();
            let mut tracer = Tracer::new(fleet, Some(incident), random, batch, tally, slot.from, 1.0);
            tracer.client = traffic.client.clone().map(Text::Owned);
            for start in starts {
                tracer.run(entry, start, self.end);
            }
        }
    }

    fn entry(&self, mut roll: f64) -> Option<&'static Operation> {
        let chosen = self.world.entries.iter().find(|(_, weight)| {
            roll -= weight;
            roll < 0.0
        });
        chosen.or(self.world.entries.first()).map(|(operation, _)| operation.as_ref())
    }

    /// Load at a moment relative to the day's mean.
    pub fn load(&self, organization: &Organization, time: i64) -> f64 {
        let angle = Self::angle(organization, time);
        1.0 + organization.spec.swing * angle.cos()
    }

    /// Integral of the load since the start of the data, in seconds: what a counter has counted.
    pub fn load_since_start(&self, organization: &Organization, time: i64) -> f64 {
        let seconds = (time - self.start()) as f64 / 1e9;
        let wave = Self::angle(organization, time).sin() - Self::angle(organization, self.start()).sin();
        seconds + organization.spec.swing * wave * 86_400.0 / std::f64::consts::TAU
    }

    fn angle(organization: &Organization, time: i64) -> f64 {
        let hour = time as f64 / HOUR as f64;
        (hour - organization.spec.peak_hour) / 24.0 * std::f64::consts::TAU
    }

    /// How often a service is asked for each root request.
    pub fn visits(&self, service: &Service) -> f64 {
        self.visits.get(service.index).copied().unwrap_or(0.0)
    }

    /// The incident, if it happens in this organisation.
    pub fn incident(&self, organization: &Organization) -> Option<&Incident> {
        self.incident.as_ref().filter(|(index, _)| *index == organization.index).map(|(_, incident)| incident)
    }

    /// What each organisation runs and owns.
    pub fn fleets(&self) -> &[(Fleet, Estate)] {
        &self.fleets
    }

    /// Time between two points of a service's metric.
    pub fn metric_interval(&self) -> i64 {
        if self.plan.scale >= 0.5 { MINUTE } else { SLOT }
    }

    /// Time between two measurements of machines and clusters.
    pub fn gauge_interval(&self) -> i64 {
        if self.plan.scale >= 0.5 { SLOT } else { 3 * SLOT }
    }

    /// Moments of the slot at which machines and clusters are measured.
    pub fn gauge_ticks(&self, slot: &Slot) -> Vec<i64> {
        let begun = (slot.from - self.start()) % self.gauge_interval() == 0;
        if begun { vec![slot.from + 30_000_000_000] } else { Vec::new() }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }
    pub fn seed(&self) -> u64 {
        self.plan.seed
    }
    pub fn scale(&self) -> f64 {
        self.plan.scale
    }
    pub fn start(&self) -> i64 {
        self.end - DAY
    }
    pub fn end(&self) -> i64 {
        self.end
    }
}

fn count_visits(operation: &Operation, weight: f64, visits: &mut [f64]) {
    if let Some(count) = visits.get_mut(operation.service.index) {
        *count += weight;
    }
    for step in &operation.steps {
        match step {
            Step::Call { operation, share, .. } => count_visits(operation, weight * share, visits),
            Step::Publish { consumers, .. } => consumers.iter().for_each(|c| count_visits(c, weight, visits)),
            Step::Store { .. } | Step::Work { .. } => {}
        }
    }
}

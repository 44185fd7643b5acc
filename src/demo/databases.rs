//! The databases of the inventory and what their agents measure, from `databases.yaml`.
//!
//! It draws from a random stream of its own for each moment, and knows nothing of the traffic of the services.

use std::{collections::BTreeMap, sync::OnceLock};

use anyhow::anyhow;
use indexmap::IndexMap;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    event::{Batch, DatabaseMetric},
    fleet::stable_id,
    generate::{Generator, Slot},
    offset::{HOUR, MINUTE},
    random::{Random, number},
    world::Organization,
};

static DATABASES: OnceLock<Result<Databases, String>> = OnceLock::new();

/// What may stand in `databases.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Databases {
    measures: IndexMap<String, IndexMap<String, Course>>,
    instances: Vec<Instance>,
}

/// A database server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    pub name: String,
    /// Numbers of the organisations that have one.
    #[serde(rename = "in")]
    organizations: Vec<usize>,
    /// As the inventory names its type.
    pub engine: String,
    /// Whose measures it takes, and whose table they go to.
    measures: String,
    pub version: String,
    pub database: String,
    /// Of Aurora.
    #[serde(default)]
    cluster: Option<String>,
    /// Since how many minutes before the end nothing is heard of it.
    #[serde(default)]
    pub silent: Option<i64>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub error: Option<String>,
    /// In place of the measures of its kind.
    #[serde(default)]
    own: IndexMap<String, Course>,
    #[serde(default)]
    more: Vec<More>,
}

/// A measure with labels.
#[derive(Debug, Deserialize)]
struct More {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(flatten)]
    course: Course,
}

/// How a measure goes; the file says what the fields mean.
#[derive(Debug, Deserialize)]
struct Course {
    value: f64,
    #[serde(default)]
    load: f64,
    #[serde(default)]
    noise: f64,
    #[serde(default)]
    per_hour: f64,
    #[serde(default)]
    counts: bool,
    #[serde(default)]
    ago: Option<i64>,
    #[serde(default)]
    then: f64,
    #[serde(default)]
    ramp: bool,
}

impl Databases {
    /// The embedded file.
    pub fn embedded() -> anyhow::Result<&'static Databases> {
        let read = || {
            serde_saphyr::from_str(include_str!("databases.yaml"))
                .map_err(|error: serde_saphyr::Error| error.to_string())
        };
        let databases = DATABASES.get_or_init(read);
        databases.as_ref().map_err(|error| anyhow!("the embedded `databases.yaml` is wrong: {error}"))
    }

    /// The servers of an organisation.
    pub fn of(&self, organization: &Organization) -> impl Iterator<Item = &Instance> {
        let index = organization.index;
        self.instances.iter().filter(move |instance| instance.organizations.contains(&index))
    }
}

impl Instance {
    pub fn id(&self, organization: &Organization) -> Uuid {
        stable_id(organization, "database", &self.name)
    }
}

/// Writes what the databases of one organisation measure in one slot.
pub fn emit(generator: &Generator, organization: &'static Organization, slot: &Slot, batch: &mut Batch) {
    let Ok(databases) = Databases::embedded() else { return };
    for at in generator.gauge_ticks(slot) {
        let mut random = Random::new(generator.seed(), &[number("databases"), organization.index as u64, at as u64]);
        let before_end = generator.end() - at;
        let load = generator.load(organization, at);
        for instance in databases.of(organization) {
            if instance.silent.is_some_and(|minutes| before_end < minutes * MINUTE) {
                continue;
            }
            let id = instance.id(organization).to_string();
            let common = databases.measures.get(&instance.measures).into_iter().flatten();
            let common = common.map(|(name, course)| (name, None, instance.own.get(name).unwrap_or(course)));
            let more = instance.more.iter().map(|more| (&more.name, Some(&more.labels), &more.course));
            for (name, labels, course) in common.chain(more) {
                batch.database_metrics.push(DatabaseMetric {
                    timestamp: at,
                    kind: &instance.measures,
                    instance_id: id.clone(),
                    cluster: instance.cluster.as_deref().unwrap_or_default(),
                    name,
                    value: course.at(before_end, load, &mut random),
                    instance: &instance.name,
                    engine: &instance.engine,
                    labels,
                });
            }
        }
    }
}

impl Course {
    /// The value so many nanoseconds before the end.
    fn at(&self, before_end: i64, load: f64, random: &mut Random) -> f64 {
        let hours = before_end as f64 / HOUR as f64;
        let changed = self.ago.map(|minutes| minutes as f64 / 60.0).filter(|ago| hours <= *ago);
        if self.counts {
            // What it has counted since two days before the end; the load is left out, so that it never falls.
            let new = changed.map_or(0.0, |ago| ago - hours);
            let old = 48.0 - hours - new;
            return (self.value * old + self.then * new).floor();
        }
        let level = match changed {
            Some(ago) if self.ramp => self.value + (self.then - self.value) * (1.0 - hours / ago),
            Some(_) => self.then,
            None => self.value - self.per_hour * hours,
        };
        let value = level * (1.0 + self.load * (load - 1.0)) * (1.0 + self.noise * (random.unit() - 0.5));
        // What is written as a whole number is one all the time.
        let whole = self.value.fract() == 0.0 && self.then.fract() == 0.0;
        if whole { value.round() } else { (value * 1e4).round() / 1e4 }
    }
}

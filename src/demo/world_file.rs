//! What may stand in `world.yaml`.

use indexmap::IndexMap;
use serde::Deserialize;
use uuid::Uuid;

use super::offset::Offset;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    pub organizations: Vec<Organization>,
    pub stores: IndexMap<String, Store>,
    pub services: IndexMap<String, Service>,
}

/// A tenant and its habits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    pub id: Uuid,
    pub name: String,
    pub code: String,
    pub domain: String,
    pub workspace: Uuid,
    pub tenant: Uuid,
    pub region: Region,
    /// Name of its Kubernetes cluster.
    pub cluster: String,
    pub provider: String,
    /// Root requests in 24 hours at scale 1.
    pub traffic: f64,
    /// Factor on every latency.
    pub latency: f64,
    /// Factor on every baseline error share.
    pub errors: f64,
    /// Hour of the day (UTC) of the highest load.
    pub peak_hour: f64,
    /// Amplitude of the daily load curve, 0 to 1.
    pub swing: f64,
    pub users: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    pub id: Uuid,
    pub code: String,
    pub name: String,
}

/// A database, cache, broker or third party.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    pub system: String,
    pub port: u16,
    pub time: Offset,
    pub errors: f64,
    pub message: String,
    /// Size of the connection pool of each service that uses it.
    pub pool: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub struct Service {
    #[serde(flatten)]
    pub facts: ServiceFacts,
    pub operations: IndexMap<String, Operation>,
}

/// What is known of a service apart from its operations.
#[derive(Debug, Clone, Deserialize)]
pub struct ServiceFacts {
    #[serde(rename = "type")]
    pub kind: String,
    pub namespace: String,
    pub language: String,
    /// The version that runs at the beginning of the data.
    pub version: String,
    pub replicas: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Share of the traffic that enters here, relative to the other entries.
    #[serde(default)]
    pub weight: f64,
    #[serde(default)]
    pub kind: EntryKind,
    /// The topic whose messages start it.
    #[serde(default)]
    pub consumes: Option<String>,
    #[serde(rename = "self")]
    pub own: Offset,
    #[serde(default)]
    pub errors: f64,
    #[serde(default)]
    pub message: String,
    pub steps: Vec<Step>,
}

/// How an operation is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    #[default]
    Server,
    Consumer,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub call: Option<String>,
    pub store: Option<String>,
    pub statement: Option<String>,
    pub publish: Option<String>,
    pub work: Option<String>,
    pub time: Option<Offset>,
    #[serde(default = "always")]
    pub share: f64,
    /// A failed optional call does not fail the caller.
    #[serde(default)]
    pub optional: bool,
    /// How often a failed call is tried again.
    #[serde(default)]
    pub retries: u32,
}

fn always() -> f64 {
    1.0
}

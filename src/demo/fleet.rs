//! What runs where in one organisation: releases of every service over the day, and their pods.
//!
//! Ids of things that exist (clusters, pods, people) do not depend on the seed: reloading with other traffic keeps
//! the same inventory.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    incident::Incident,
    offset::{HOUR, MINUTE, SECOND},
    random::{Random, number},
    world::{Attributes, Organization, Service, World},
};

/// Time between the restarts of two pods of a rolling deployment.
const ROLL: i64 = 40 * SECOND;

/// Worker nodes of each cluster.
pub const NODES: usize = 4;

/// The node that takes no new pods: organisation and number.
pub const CORDONED: (usize, usize) = (0, 2);

/// Everything an organisation runs.
#[derive(Debug)]
pub struct Fleet {
    pub organization: &'static Organization,
    pub cluster_id: Uuid,
    /// In the order of the world's services.
    pub services: Vec<Deployed>,
}

/// A service and its releases, oldest first.
#[derive(Debug)]
pub struct Deployed {
    pub service: &'static Service,
    pub releases: Vec<Release>,
}

/// A version from the moment it is rolled out.
#[derive(Debug)]
pub struct Release {
    pub version: String,
    /// When the roll-out began; the first release has always been there.
    pub from: i64,
    pub finished: i64,
    pub pods: Vec<Arc<Pod>>,
    pub change: Option<ChangeFacts>,
}

/// How a release is recorded.
#[derive(Debug, Clone)]
pub struct ChangeFacts {
    pub title: String,
    pub actor: String,
    pub source_ref: String,
}

/// A running instance.
#[derive(Debug)]
pub struct Pod {
    pub name: String,
    pub node: String,
    pub version: String,
    /// Resource attributes of everything it emits.
    pub resource: Attributes,
}

impl Fleet {
    pub fn new(
        world: &'static World,
        organization: &'static Organization,
        incident: Option<&Incident>,
        end: i64,
    ) -> Self {
        let cluster_id = stable_id(organization, "cluster", &organization.spec.cluster);
        let mut services: Vec<Deployed> = Vec::new();
        for service in &world.services {
            let first = Release {
                version: service.spec.version.clone(),
                from: i64::MIN / 2,
                finished: i64::MIN / 2,
                pods: pods(organization, cluster_id, service, &service.spec.version, false),
                change: None,
            };
            services.push(Deployed { service, releases: vec![first] });
        }
        let mut fleet = Self { organization, cluster_id, services };
        fleet.routine(end, incident);
        for change in incident.map_or(&[][..], |incident| &incident.scenario.changes) {
            let (Some(version), Some(incident)) = (&change.version, incident) else { continue };
            let facts = ChangeFacts {
                title: change.title.clone(),
                actor: change.actor.clone(),
                source_ref: change.source_ref.clone(),
            };
            let from = incident.start + change.at.0;
            fleet.release(&change.service, version.clone(), from, from + change.took.0, facts);
        }
        fleet
    }

    /// Ordinary deployments: a handful a day, none in the last hour and a half, none of a service with an incident.
    fn routine(&mut self, end: i64, incident: Option<&Incident>) {
        let mut random = Random::new(number("routine deployments"), &[self.organization.index as u64]);
        let hurt: Vec<&str> =
            incident.map_or(Vec::new(), |i| i.scenario.blast_radius.iter().map(String::as_str).collect());
        let candidates: Vec<(String, String)> =
            self.services.iter().map(|s| (s.service.name.clone(), s.service.spec.version.clone())).collect();
        let mut chosen: Vec<&(String, String)> = Vec::new();
        while chosen.len() < 4 {
            let Some(pick) = random.pick(&candidates) else { return };
            if !hurt.contains(&pick.0.as_str()) && !chosen.iter().any(|c| c.0 == pick.0) {
                chosen.push(pick);
            }
        }
        for (service, version) in chosen {
            let next = next_patch(version);
            let from = end - (random.between(1.6, 22.0) * HOUR as f64) as i64 / SECOND * SECOND;
            let facts = ChangeFacts {
                title: format!("Deploy {service} {next}"),
                actor: "ci-deployer".to_owned(),
                source_ref: format!("https://git.{}/{service}/releases/{next}", self.organization.spec.domain),
            };
            self.release(service, next, from, from + 3 * MINUTE, facts);
        }
    }

    fn release(&mut self, service: &str, version: String, from: i64, finished: i64, change: ChangeFacts) {
        let (organization, cluster) = (self.organization, self.cluster_id);
        if let Some(deployed) = self.services.iter_mut().find(|deployed| deployed.service.name == service) {
            let pods = pods(organization, cluster, deployed.service, &version, true);
            deployed.releases.push(Release { version, from, finished, pods, change: Some(change) });
            deployed.releases.sort_by_key(|release| release.from);
        }
    }

    /// The pod that answers at `time`; `pick` chooses among the replicas. None for a service that is not there.
    pub fn pod(&self, service: &Service, time: i64, pick: usize) -> Option<&Arc<Pod>> {
        let deployed = self.services.get(service.index)?;
        let slot = pick % (service.spec.replicas.max(1) as usize);
        let release = deployed.releases.iter().rev().find(|r| time >= r.from + slot as i64 * ROLL)?;
        release.pods.get(slot)
    }

    /// The release that a service has finished or begun at `time`.
    pub fn current(&self, service: &Service, time: i64) -> Option<&Release> {
        self.services.get(service.index)?.releases.iter().rev().find(|release| time >= release.from)
    }
}

/// An id that is the same whenever the same thing is meant.
pub fn stable_id(organization: &Organization, kind: &str, name: &str) -> Uuid {
    Random::new(number(kind), &[number(&organization.spec.code), number(name)]).uuid()
}

/// Name of a worker node.
pub fn node_name(organization: &Organization, index: usize) -> String {
    format!("{}-node-{}", organization.spec.cluster, index + 1)
}

/// New ones keep away from the node that takes none.
fn pods(organization: &Organization, cluster: Uuid, service: &Service, version: &str, new: bool) -> Vec<Arc<Pod>> {
    let path = [number(&organization.spec.code), number(&service.name), number(version)];
    let mut random = Random::new(number("pods"), &path);
    let set = letters(&mut random, 9);
    let mut pods = Vec::new();
    for index in 0..service.spec.replicas as usize {
        let name = format!("{}-{set}-{}", service.name, letters(&mut random, 5));
        let mut place = (index + service.index) % NODES;
        if new && (organization.index, place) == CORDONED {
            place = (place + 1) % NODES;
        }
        let node = node_name(organization, place);
        let resource = [
            ("service.version", version),
            ("deployment.environment", "production"),
            ("k8s.cluster.id", &cluster.to_string()),
            ("k8s.namespace.name", &service.spec.namespace),
            ("k8s.deployment.name", &service.name),
            ("k8s.pod.name", &name),
            ("host.name", &node),
        ];
        let resource = resource.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        pods.push(Arc::new(Pod { name, node, version: version.to_owned(), resource }));
    }
    pods
}

/// Letters as Kubernetes draws them: no vowels, nothing that reads like another.
fn letters(random: &mut Random, count: usize) -> String {
    const ALPHABET: &[char] = &[
        'b', 'c', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'q', 'r', 's', 't', 'v', 'w', 'x', 'z', '2', '4',
        '5', '6', '7', '8', '9',
    ];
    (0..count).filter_map(|_| random.pick(ALPHABET)).collect()
}

fn next_patch(version: &str) -> String {
    match version.rsplit_once('.') {
        Some((head, patch)) => format!("{head}.{}", patch.parse::<u32>().unwrap_or(0) + 1),
        None => format!("{version}.1"),
    }
}

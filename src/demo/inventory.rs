//! Machines, monitors, volumes and autoscalers of an organisation: what emits infrastructure metrics and uptime checks.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    fleet::{NODES, node_name, stable_id},
    offset::MINUTE,
    world::Organization,
};

/// A virtual machine with an agent; the agent has the machine's id.
#[derive(Debug)]
pub struct Host {
    pub id: Uuid,
    pub name: String,
    pub address: String,
    pub instance_type: &'static str,
    pub cores: u32,
    pub memory: u64,
    /// Load at rest, 0 to 1.
    pub idle: f64,
    /// Disk used at the end, 0 to 1.
    pub disk: f64,
    /// The agent stopped so long before the end, in minutes.
    pub silent_for: Option<i64>,
}

/// An uptime monitor.
#[derive(Debug)]
pub struct Monitor {
    pub id: Uuid,
    pub id_text: String,
    pub name: String,
    pub url: String,
    pub region: &'static str,
    /// Milliseconds.
    pub response: f64,
    /// Share of checks that fail.
    pub failures: f64,
    pub ssl_days: i32,
    /// The service behind it: an incident there makes checks fail.
    pub service: &'static str,
}

/// The worker nodes and a bastion host.
pub fn hosts(organization: &Organization) -> Vec<Arc<Host>> {
    let mut hosts = Vec::new();
    for index in 0..=NODES {
        let bastion = index == NODES;
        let name = if bastion { format!("{}-bastion", organization.spec.code) } else { node_name(organization, index) };
        hosts.push(Arc::new(Host {
            id: stable_id(organization, "host", &name),
            address: format!("10.{}.0.{}", 20 + organization.index, 11 + index),
            name,
            instance_type: if bastion { "t4g.small" } else { "m7g.2xlarge" },
            cores: if bastion { 2 } else { 8 },
            memory: if bastion { 2 << 30 } else { 32 << 30 },
            idle: if bastion { 0.03 } else { 0.18 + 0.05 * index as f64 + 0.06 * organization.index as f64 },
            disk: 0.38 + 0.11 * ((index + organization.index) % 5) as f64,
            silent_for: (bastion && organization.index == 1).then_some(95),
        }));
    }
    hosts
}

/// What is watched from outside.
pub fn monitors(organization: &Organization) -> Vec<Arc<Monitor>> {
    let plan: [(&str, &str, &str, f64, f64, i32); 4] = [
        ("Storefront", "/", "edge-gateway", 180.0, 0.0008, 61),
        ("Checkout", "/checkout/health", "checkout", 140.0, 0.0012, 61),
        ("Search", "/search?q=health", "search", 260.0, 0.0020, 61),
        ("Developer API", "/api/status", "edge-gateway", 90.0, 0.0006, 19),
    ];
    let mut monitors = Vec::new();
    for (index, (name, path, service, response, failures, ssl_days)) in plan.into_iter().enumerate() {
        for region in ["eu-west", "us-east"] {
            if index > 1 && region == "us-east" {
                continue;
            }
            let id = stable_id(organization, "monitor", &format!("{name}/{region}"));
            monitors.push(Arc::new(Monitor {
                id,
                id_text: id.to_string(),
                name: format!("{name} ({region})"),
                url: format!("https://www.{}{path}", organization.spec.domain),
                region,
                response: response * organization.spec.latency,
                failures: failures * organization.spec.errors,
                ssl_days: ssl_days + 7 * organization.index as i32,
                service,
            }));
        }
    }
    monitors
}

/// A claim of storage in the cluster, and the volume behind it.
#[derive(Debug)]
pub struct Volume {
    pub claim: &'static str,
    pub namespace: &'static str,
    pub class: &'static str,
    /// GiB.
    pub size: u32,
    /// Used at the end, 0 to 1.
    pub used: f64,
    /// Growth a day, 0 to 1.
    pub growth: f64,
}

/// What keeps data in the cluster. In the first organisation the catalogue fills its volume.
pub fn volumes(organization: &Organization) -> Vec<Volume> {
    let (used, growth) = if organization.index == 0 { (0.912, 0.031) } else { (0.55, 0.004) };
    let volume = |claim, namespace, class, size, used, growth| Volume { claim, namespace, class, size, used, growth };
    vec![
        volume("catalog-db-data", "shop", "gp3", 120, used, growth),
        volume("events-data-0", "fulfilment", "io2", 500, 0.48 + 0.03 * organization.index as f64, 0.006),
        volume("order-db-data", "shop", "gp3", 200, 0.62, 0.004),
        volume("search-index-data", "shop", "gp3", 300, 0.37, 0.001),
    ]
}

/// What decides how many pods a deployment has.
#[derive(Debug)]
pub struct Autoscaler {
    pub service: &'static str,
    pub min: i64,
    pub max: i64,
    /// Replicas at the end; those of the deployment.
    pub replicas: i64,
    /// Processor use in percent of what the pods request: what it aims at, and what it sees.
    pub target: i64,
    pub seen: Option<i64>,
    /// Goes between `replicas` and one more.
    pub flaps: bool,
}

/// Autoscalers; in the first organisation one is at its maximum, one flaps and one sees nothing.
pub fn autoscalers(organization: &Organization) -> Vec<Autoscaler> {
    let first = organization.index == 0;
    let scaler = |service, (min, max), replicas, seen| Autoscaler {
        service,
        min,
        max,
        replicas,
        target: 70,
        seen,
        flaps: false,
    };
    vec![
        scaler("cart", (2, 6), 2, (!first).then_some(41)),
        scaler("checkout", (2, 8), 3, Some(63)),
        Autoscaler { flaps: first, ..scaler("search", (2, 6), 2, Some(66)) },
        scaler("web", (2, if first { 3 } else { 8 }), 3, Some(if first { 94 } else { 58 })),
    ]
}

impl Volume {
    /// Bytes, and of them those still free so many nanoseconds before the end.
    pub fn bytes(&self, before_end: i64) -> (f64, f64) {
        let size = f64::from(self.size) * f64::from(1 << 30);
        let days = before_end as f64 / (24.0 * 60.0 * MINUTE as f64);
        (size, (size * (1.0 - self.used + self.growth * days)).round())
    }
}

impl Autoscaler {
    /// Replicas that there are and that it wants so many nanoseconds before the end.
    pub fn replicas(&self, before_end: i64) -> (i64, i64) {
        let step = |before: i64| if self.flaps { before / (10 * MINUTE) % 2 } else { 0 };
        (self.replicas + step(before_end + 5 * MINUTE), self.replicas + step(before_end))
    }
}

//! Machines and monitors of an organisation: what emits infrastructure metrics and uptime checks.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    fleet::{NODES, node_name, stable_id},
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

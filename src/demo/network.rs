//! The network of an organisation: its nodes and links, and what is measured at them.
//!
//! The map and the measurements come from one list. What is measured draws from a stream of its own, so that all else
//! is what it was without it.

use super::{
    event::{Batch, LinkTraffic, NodeTraffic, Status},
    fleet::{Fleet, NODES, node_name, stable_id},
    generate::{Generator, Slot},
    offset::{HOUR, MINUTE},
    random::{Random, number},
    world::{Organization, World},
};

/// How many of the backend's requests each worker node gets.
const SHARES: [f64; NODES] = [0.26, 0.25, 0.25, 0.24];
/// Bytes of a request and of its answer on the way through the edge.
const ASKED: f64 = 1_400.0;
const ANSWERED: f64 = 38_000.0;

/// A node of the network map.
#[derive(Debug)]
pub struct Node {
    pub name: String,
    pub kind: &'static str,
    pub status: &'static str,
    pub address: String,
    pub port: i64,
}

/// A link of the network map.
#[derive(Debug)]
pub struct Link {
    pub source: String,
    pub target: String,
    pub port: i64,
    pub protocol: &'static str,
    pub is_lossy: bool,
    /// Milliseconds.
    pub latency: f64,
    pub encrypted: bool,
    /// It is known so long before the end; always, if none.
    pub made: Option<i64>,
}

/// What a store is to the network map; none for what lies outside.
fn kind(system: &str) -> Option<&'static str> {
    match system {
        "http" => None,
        "redis" => Some("cache"),
        "kafka" => Some("server"),
        _ => Some("database"),
    }
}

/// Nodes of an organisation.
pub fn nodes(world: &World, organization: &Organization) -> Vec<Node> {
    let base = 20 + organization.index;
    let node = |name: &str, kind, address, port| Node { name: name.to_owned(), kind, status: "healthy", address, port };
    let mut list = vec![
        node("internet gateway", "gateway", format!("192.0.2.{base}"), 443),
        node("edge firewall", "firewall", format!("10.{base}.9.1"), 443),
        node("load balancer", "load_balancer", format!("10.{base}.9.2"), 443),
        node("cluster dns", "dns", format!("10.{base}.0.10"), 53),
    ];
    for index in 0..NODES {
        let status = if index == 3 && organization.index == 2 { "degraded" } else { "healthy" };
        let worker = node(&node_name(organization, index), "server", format!("10.{base}.0.{}", 11 + index), 10250);
        list.push(Node { status, ..worker });
    }
    let stores = world.stores.iter().filter_map(|store| Some((store, kind(&store.spec.system)?)));
    for (index, (store, kind)) in stores.enumerate() {
        list.push(node(&store.name, kind, format!("10.{base}.2.{}", 10 + index), i64::from(store.spec.port)));
    }
    list
}

/// Links of an organisation between its `nodes`. In the second one a way past the firewall was opened six hours ago.
pub fn links(organization: &Organization, nodes: &[Node]) -> Vec<Link> {
    let mut ends: Vec<(String, String, i64, &'static str)> = vec![
        ("internet gateway".to_owned(), "edge firewall".to_owned(), 443, "https"),
        ("edge firewall".to_owned(), "load balancer".to_owned(), 443, "https"),
    ];
    for index in 0..NODES {
        let worker = node_name(organization, index);
        ends.push(("load balancer".to_owned(), worker.clone(), 8080, "http"));
        ends.push((worker.clone(), "cluster dns".to_owned(), 53, "dns"));
        for node in nodes.iter().filter(|node| matches!(node.kind, "database" | "cache")) {
            if (node.name.len() + index) % 2 == 0 {
                let protocol = if node.kind == "cache" { "redis" } else { "tcp" };
                ends.push((worker.clone(), node.name.clone(), node.port, protocol));
            }
        }
    }
    let mut links: Vec<Link> = ends
        .into_iter()
        .enumerate()
        .map(|(index, (source, target, port, protocol))| Link {
            source,
            target,
            port,
            protocol,
            is_lossy: organization.index == 2 && index % 11 == 5,
            latency: 0.3 + 0.05 * (index % 7) as f64,
            encrypted: port == 443,
            made: None,
        })
        .collect();
    if organization.index == 1 {
        links.push(Link {
            source: "internet gateway".to_owned(),
            target: node_name(organization, 1),
            port: 30090,
            protocol: "http",
            is_lossy: false,
            latency: 0.4,
            encrypted: false,
            made: Some(6 * HOUR),
        });
    }
    links
}

/// Writes what is measured in one slot.
pub fn emit(generator: &Generator, fleet: &Fleet, slot: &Slot, batch: &mut Batch) {
    let organization = fleet.organization;
    let nodes = nodes(generator.world, organization);
    let links = links(organization, &nodes);
    for at in generator.gauge_ticks(slot) {
        let mut random = Random::new(generator.seed(), &[number("network"), organization.index as u64, at as u64]);
        let rate = organization.spec.traffic * generator.load(organization, at) * generator.scale() / 86_400.0;
        let edge = edge(batch, slot, rate);
        for node in &nodes {
            let noise = random.between(0.95, 1.05);
            batch.node_traffic.push(measured_node(organization, node, at, (rate * noise, edge)));
        }
        let interval = generator.gauge_interval() as f64 / 1e9;
        for link in links.iter().filter(|link| link.made.is_none_or(|made| at >= generator.end() - made)) {
            let (latency, loss) = (random.between(0.9, 1.1), random.between(0.6, 1.4));
            // What one of the lossy links loses began half an hour before the end.
            let begun = !link.target.ends_with("dns") || at >= generator.end() - 32 * MINUTE;
            let lost = if link.is_lossy && begun { 2.4 } else { 0.01 };
            let (sent, received) = carried(organization, link, rate);
            let bytes = |per_second: f64| (per_second * interval).round() as u64;
            batch.link_traffic.push(LinkTraffic {
                timestamp: at,
                link_id: stable_id(organization, "network link", &format!("{} {}", link.source, link.target)),
                bandwidth: (sent + received) * 8.0 / 1e6,
                latency: link.latency * latency,
                loss: lost * loss,
                bytes_sent: bytes(sent),
                bytes_received: bytes(received),
            });
        }
    }
}

/// Requests a second that entered from outside, and what percent of them failed: what traces of the slot say.
fn edge(batch: &Batch, slot: &Slot, usual: f64) -> (f64, f64) {
    let entered = batch.spans.iter().filter(|span| span.parent == 0 && span.service.spec.kind == "gateway");
    let (mut all, mut failed) = (0.0, 0.0);
    for span in entered {
        all += 1.0;
        failed += f64::from(u8::from(span.status == Status::Error));
    }
    if all > 0.0 { (all * 1e9 / (slot.to - slot.from) as f64, 100.0 * failed / all) } else { (usual, 0.0) }
}

fn measured_node(
    organization: &Organization,
    node: &Node,
    at: i64,
    (rate, (entered, refused)): (f64, (f64, f64)),
) -> NodeTraffic {
    // Requests a second, bytes in and out of a request, percent that fail.
    let (requests, received, sent, failed) = match node.kind {
        "gateway" | "firewall" => (entered, ASKED + ANSWERED, ASKED + ANSWERED, 0.0),
        "load_balancer" => (entered, ASKED + ANSWERED, ASKED + ANSWERED, refused),
        "dns" => (7.0 * rate, 90.0, 210.0, 0.02),
        "server" => (rate / NODES as f64 * 6.0, 9_000.0, 11_000.0, 0.05 * organization.spec.errors),
        _ => (1.5 * rate, 700.0, 5_200.0, 0.02),
    };
    NodeTraffic {
        timestamp: at,
        node_id: stable_id(organization, "network node", &node.name),
        node: node.name.clone(),
        cpu: (12.0 + 60.0 * requests / (requests + 40.0)).min(96.0),
        memory: 41.0,
        disk: 37.0,
        received: received * requests,
        sent: sent * requests,
        connections: (8.0 * requests).round().max(1.0),
        request_rate: requests,
        error_rate: failed,
    }
}

/// Bytes a second in both directions.
fn carried(organization: &Organization, link: &Link, rate: f64) -> (f64, f64) {
    let worker = |name: &str| (0..NODES).find(|index| node_name(organization, *index) == name);
    if link.made.is_some() {
        return (90.0 * rate.min(4.0), 2_600.0 * rate.min(4.0));
    }
    match (link.protocol, worker(&link.target), worker(&link.source)) {
        ("https", ..) => (ASKED * rate, ANSWERED * rate),
        ("http", Some(index), _) => {
            let share = SHARES.get(index).copied().unwrap_or_default();
            (ASKED * rate * share, ANSWERED * rate * share)
        }
        ("dns", _, Some(_)) => (90.0 * 7.0 * rate / NODES as f64, 210.0 * 7.0 * rate / NODES as f64),
        _ => (350.0 * rate, 2_600.0 * rate),
    }
}

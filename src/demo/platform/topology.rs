//! Service map and network map.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Place, Table, at, integer, json, text, uuid};
use crate::{
    demo::{generate::Generator, network, offset::SECOND, world::Step},
    sql::Bind,
};

pub fn tables(generator: &Generator) -> Vec<Table> {
    let mut tables = service_map(generator).to_vec();
    tables.extend(network_map(generator));
    tables
}

/// Who uses what, with the share of root requests that do: caller, callee, kind of dependency, protocol.
fn edges(generator: &Generator) -> BTreeMap<(String, String), (&'static str, String)> {
    let mut edges = BTreeMap::new();
    for operation in &generator.world.operations {
        let caller = &operation.service.name;
        for step in &operation.steps {
            match step {
                Step::Call { operation: callee, .. } => {
                    let protocol = if callee.http { "http" } else { "grpc" };
                    edges.insert((caller.clone(), callee.service.name.clone()), ("sync", protocol.to_owned()));
                }
                Step::Store { store, .. } => {
                    edges.insert(
                        (caller.clone(), store.name.clone()),
                        (kind(&store.spec.system), store.spec.system.clone()),
                    );
                }
                Step::Publish { consumers, .. } => {
                    for consumer in consumers {
                        edges.insert((caller.clone(), consumer.service.name.clone()), ("async", "kafka".to_owned()));
                    }
                }
                Step::Work { .. } => {}
            }
        }
    }
    edges
}

/// Kind of a store, which is also the kind of the dependency on it.
fn kind(system: &str) -> &'static str {
    match system {
        "redis" => "cache",
        "kafka" => "queue",
        "http" => "external",
        _ => "database",
    }
}

fn service_map(generator: &Generator) -> [Table; 2] {
    let mut services = Table::new(
        "service_map_services",
        "id organization_id workspace_id name type status version endpoint namespace environment tags \
             created_at updated_at",
    );
    let mut dependencies = Table::new(
        "service_map_dependencies",
        "id organization_id workspace_id source_service_id target_service_id type status protocol latency_ms \
             error_rate request_rate last_seen_at created_at updated_at",
    );
    let edges = edges(generator);
    for place in Place::all(generator) {
        let organization = place.fleet.organization;
        let factor = |service: &str| {
            generator.incident(organization).map_or(1.0, |i| i.impact(service, "", generator.end() - SECOND).factor)
        };
        for deployed in &place.fleet.services {
            let service = deployed.service;
            let version = place.fleet.current(service, generator.end()).map_or("", |release| release.version.as_str());
            services.push([
                uuid(place.id("service", &service.name)),
                place.organization(),
                place.workspace(),
                text(&service.name),
                text(&service.spec.kind),
                text(if factor(&service.name) > 1.5 { "degraded" } else { "healthy" }),
                text(version),
                text(&format!("http://{}.{}.svc:8080", service.name, service.spec.namespace)),
                text(&service.spec.namespace),
                text("production"),
                json(json!({ "language": service.spec.language })),
                place.founded(),
                place.end(),
            ]);
        }
        for store in &generator.world.stores {
            services.push([
                uuid(place.id("service", &store.name)),
                place.organization(),
                place.workspace(),
                text(&store.name),
                text(kind(&store.spec.system)),
                text("healthy"),
                Bind::Null,
                text(&format!("{}:{}", store.name, store.spec.port)),
                Bind::Null,
                text("production"),
                json(json!({ "system": store.spec.system })),
                place.founded(),
                place.end(),
            ]);
        }
        for ((caller, callee), (kind, protocol)) in &edges {
            let slow = factor(callee);
            let rate = generator.world.service(caller).map_or(0.0, |service| generator.visits(service));
            dependencies.push([
                uuid(place.id("dependency", &format!("{caller} {callee}"))),
                place.organization(),
                place.workspace(),
                uuid(place.id("service", caller)),
                uuid(place.id("service", callee)),
                text(kind),
                text(if slow > 1.5 { "degraded" } else { "active" }),
                text(protocol),
                Bind::Float((80.0 * organization.spec.latency * slow).round() / 10.0),
                Bind::Float((10.0 * organization.spec.errors * slow).round() / 100.0),
                Bind::Float((organization.spec.traffic * rate / 864.0).round() / 100.0),
                at(generator.end() - SECOND),
                place.founded(),
                place.end(),
            ]);
        }
    }
    [services, dependencies]
}

fn network_map(generator: &Generator) -> [Table; 2] {
    let mut nodes = Table::new(
        "network_map_nodes",
        "id organization_id workspace_id name type status ip_address hostname port namespace cluster region \
             created_at updated_at",
    );
    let mut connections = Table::new(
        "network_map_connections",
        "id organization_id workspace_id source_node_id target_node_id type status target_port protocol \
             latency bandwidth packet_loss encrypted created_at updated_at",
    );
    for place in Place::all(generator) {
        let organization = place.fleet.organization;
        let list = network::nodes(generator.world, organization);
        for node in &list {
            nodes.push([
                uuid(place.id("network node", &node.name)),
                place.organization(),
                place.workspace(),
                text(&node.name),
                text(node.kind),
                text(node.status),
                text(&node.address),
                text(&node.name.replace(' ', "-")),
                integer(node.port),
                Bind::Null,
                text(&organization.spec.cluster),
                text(&organization.spec.region.code),
                place.founded(),
                place.end(),
            ]);
        }
        for link in network::links(organization, &list) {
            connections.push([
                uuid(place.id("network link", &format!("{} {}", link.source, link.target))),
                place.organization(),
                place.workspace(),
                uuid(place.id("network node", &link.source)),
                uuid(place.id("network node", &link.target)),
                text("ethernet"),
                text(if link.is_lossy { "degraded" } else { "active" }),
                integer(link.port),
                text(link.protocol),
                Bind::Float(link.latency),
                Bind::Float(10_000.0),
                Bind::Float(if link.is_lossy { 2.4 } else { 0.01 }),
                Bind::Bool(link.encrypted),
                link.made.map_or_else(|| place.founded(), |made| at(generator.end() - made)),
                place.end(),
            ]);
        }
    }
    [nodes, connections]
}

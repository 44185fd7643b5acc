//! Clusters and what runs in them, machines and agents, monitors, objectives, changes.

use serde_json::json;

use super::{Place, Table, at, integer, json, text, troubled, uuid};
use crate::{
    demo::{
        fleet::{NODES, node_name},
        generate::Generator,
        offset::{HOUR, MINUTE, SECOND},
        scenario::Change,
    },
    sql::Bind,
};

/// The metric of which the record of a pod keeps the last value.
const RESTARTS: &str = "k8s.container.restarts";

pub fn tables(generator: &Generator) -> Vec<Table> {
    let mut tables = cluster(generator);
    tables.extend([deployments(generator)]);
    tables.extend(machines(generator));
    tables.extend([monitors(generator), objectives(generator), changes(generator)]);
    tables
}

fn namespaces(place: &Place<'_>) -> Vec<String> {
    let mut names: Vec<String> = place.fleet.services.iter().map(|s| s.service.spec.namespace.clone()).collect();
    names.extend(troubled::NAMESPACES.iter().filter(|name| name.is_in(place)).map(|name| name.name.to_owned()));
    names.sort();
    names.dedup();
    names
}

fn cluster(generator: &Generator) -> Vec<Table> {
    let mut clusters = Table::new(
        "kubernetes_clusters",
        "id organization_id workspace_id name display_name provider region status version node_count \
             pod_count namespace_count created_at updated_at",
    );
    let mut spaces = Table::new(
        "kubernetes_namespaces",
        "id organization_id workspace_id cluster_id name status labels created_at updated_at",
    );
    let mut nodes = Table::new(
        "kubernetes_nodes",
        "id organization_id workspace_id cluster_id name status roles cpu_capacity memory_capacity conditions \
             kubelet_version os_image container_runtime capacity allocatable labels taints created_at updated_at",
    );
    let mut pods = Table::new(
        "kubernetes_pods",
        "id organization_id workspace_id cluster_id namespace_id node_id name phase status restart_count \
             containers conditions labels created_at updated_at",
    );
    for place in Place::all(generator) {
        let spec = &place.fleet.organization.spec;
        let (cluster, end) = (uuid(place.fleet.cluster_id), generator.end());
        let version = format!("v1.3{}.4", 2 + place.fleet.organization.index);
        let names = namespaces(&place);
        let replicas: i64 = place.fleet.services.iter().map(|s| i64::from(s.service.spec.replicas)).sum();
        clusters.push([
            cluster.clone(),
            place.organization(),
            place.workspace(),
            text(&spec.cluster),
            text(&format!("{} production", spec.name)),
            text(&spec.provider),
            text(&spec.region.code),
            text("healthy"),
            text(&version),
            integer(NODES as i64),
            integer(replicas + troubled::PODS.iter().filter(|pod| pod.is_in(&place)).count() as i64),
            integer(names.len() as i64),
            place.founded(),
            place.end(),
        ]);
        for name in &names {
            let labels = json(json!({ "team": name }));
            let id = uuid(place.id("namespace", name));
            let (founded, end) = (place.founded(), place.end());
            let owner = [place.organization(), place.workspace(), cluster.clone()];
            let [organization, workspace, cluster] = owner;
            let (status, since) = troubled::namespace(name);
            let end = since.map_or(end, |ago| at(generator.end() - ago));
            spaces.push([id, organization, workspace, cluster, text(name), text(status), labels, founded, end]);
        }
        for index in 0..NODES {
            let name = node_name(place.fleet.organization, index);
            nodes.push([
                uuid(place.id("node", &name)),
                place.organization(),
                place.workspace(),
                cluster.clone(),
                text(&name),
                text("Ready"),
                Bind::List(vec![text("worker")]),
                text("8"),
                text("32Gi"),
                troubled::node_conditions(&place, index),
                text(&troubled::kubelet(&place, index).unwrap_or_else(|| version.clone())),
                text("Linux"),
                text("containerd://2.1.4"),
                json(json!({ "cpu": "8", "memory": "32Gi", "pods": "110" })),
                json(json!({ "cpu": "7800m", "memory": "30Gi", "pods": "110" })),
                json(json!({ "topology.kubernetes.io/region": spec.region.code })),
                troubled::taints(&place, index),
                place.founded(),
                place.end(),
            ]);
        }
        let incident = generator.incident(place.fleet.organization);
        for deployed in &place.fleet.services {
            let service = deployed.service;
            for slot in 0..service.spec.replicas as usize {
                let Some(pod) = place.fleet.pod(service, end, slot) else { continue };
                let begun = place.fleet.current(service, end).map_or(end, |release| release.from);
                let begun = begun.max(end - 9 * 24 * HOUR) + slot as i64 * 40 * SECOND;
                let ready = slot >= unready(&place, &service.name).min(1);
                pods.push([
                    uuid(place.id("pod", &pod.name)),
                    place.organization(),
                    place.workspace(),
                    cluster.clone(),
                    uuid(place.id("namespace", &service.spec.namespace)),
                    uuid(place.id("node", &pod.node)),
                    text(&pod.name),
                    text("Running"),
                    text("Running"),
                    integer(incident.map_or(0.0, |i| i.pod_gauge(&service.name, RESTARTS, 0.0, end)) as i64),
                    json(json!([{ "name": service.name, "image": format!("{}:{}", service.name, pod.version) }])),
                    json(json!([{ "type": "Ready", "status": if ready { "True" } else { "False" } }])),
                    json(json!({ "app": service.name, "version": pod.version })),
                    at(begun),
                    place.end(),
                ]);
            }
        }
    }
    troubled::pods(generator, &mut pods);
    vec![clusters, spaces, nodes, pods]
}

/// How many pods of a service fail their readiness probe at the end; they are not available.
pub fn unready(place: &Place<'_>, service: &str) -> usize {
    let end = place.generator.end();
    let failing = place.generator.incident(place.fleet.organization).is_some_and(|incident| {
        let mut events = incident.scenario.kubernetes_events.iter();
        end < incident.finish
            && events.any(|e| e.service == service && e.reason == "Unhealthy" && incident.start + e.at.0 < end)
    });
    usize::from(failing)
}

fn deployments(generator: &Generator) -> Table {
    let mut table = Table::new(
        "kubernetes_deployments",
        "id organization_id workspace_id cluster_id namespace_id name replicas ready_replicas \
             available_replicas unavailable_replicas strategy selector conditions created_at updated_at",
    );
    for place in Place::all(generator) {
        for deployed in &place.fleet.services {
            let service = deployed.service;
            let replicas = i64::from(service.spec.replicas);
            let missing = (unready(&place, &service.name) as i64).min(replicas);
            let changed =
                place.fleet.current(service, generator.end()).map_or(generator.end(), |release| release.finished);
            table.push([
                uuid(place.id("deployment", &service.name)),
                place.organization(),
                place.workspace(),
                uuid(place.fleet.cluster_id),
                uuid(place.id("namespace", &service.spec.namespace)),
                text(&service.name),
                integer(replicas),
                integer(replicas - missing),
                integer(replicas - missing),
                integer(missing),
                text("RollingUpdate"),
                json(json!({ "app": service.name })),
                json(json!([{ "type": "Available", "status": if missing > 0 { "False" } else { "True" } }])),
                place.founded(),
                at(changed.max(generator.end() - 90 * 24 * HOUR)),
            ]);
        }
    }
    table
}

fn machines(generator: &Generator) -> [Table; 2] {
    let mut agents = Table::new(
        "agents",
        "id organization_id workspace_id name type hostname ip_address status version last_heartbeat_at \
             capabilities cpu_cores total_memory created_at updated_at",
    );
    let mut vms = Table::new(
        "virtual_machines",
        "id organization_id workspace_id name hostname status provider instance_type region tags created_at \
             updated_at",
    );
    for place in Place::all(generator) {
        let spec = &place.fleet.organization.spec;
        for host in &place.estate.hosts {
            let silence = host.silent_for.map_or(20 * SECOND, |minutes| minutes * MINUTE);
            let heartbeat = at(generator.end() - silence);
            agents.push([
                uuid(host.id),
                place.organization(),
                place.workspace(),
                text(&format!("agent on {}", host.name)),
                text("host"),
                text(&host.name),
                text(&host.address),
                text(if host.silent_for.is_some() { "offline" } else { "healthy" }),
                text(if host.cores > 2 { "1.2.0" } else { "1.1.4" }),
                heartbeat.clone(),
                json(json!(["metrics", "logs"])),
                integer(host.cores),
                integer(host.memory as i64),
                place.founded(),
                heartbeat,
            ]);
            vms.push([
                uuid(host.id),
                place.organization(),
                place.workspace(),
                text(&host.name),
                text(&host.name),
                text(if host.silent_for.is_some() { "unreachable" } else { "running" }),
                text(&spec.provider),
                text(host.instance_type),
                text(&spec.region.code),
                json(json!({ "cluster": spec.cluster })),
                place.founded(),
                place.end(),
            ]);
        }
    }
    [agents, vms]
}

fn monitors(generator: &Generator) -> Table {
    let mut table = Table::new(
        "uptime_monitors",
        "id organization_id workspace_id name url type status interval timeout last_check_at created_at \
             updated_at",
    );
    for place in Place::all(generator) {
        for monitor in &place.estate.monitors {
            table.push([
                uuid(monitor.id),
                place.organization(),
                place.workspace(),
                text(&monitor.name),
                text(&monitor.url),
                text("http"),
                text("up"),
                integer(generator.metric_interval() / SECOND),
                integer(10),
                at(generator.end() - 20 * SECOND),
                place.founded(),
                place.end(),
            ]);
        }
    }
    table
}

/// Service, kind, target, threshold in milliseconds, days, and whether it is in force.
type Objective = (&'static str, &'static str, f64, Option<f64>, i64, bool);

fn objectives(generator: &Generator) -> Table {
    let mut table = Table::new(
        "slo_definitions",
        "id organization_id workspace_id service_name name sli_type target_pct latency_threshold_ms \
             window_days enabled created_at updated_at",
    );
    let plan: [Objective; 6] = [
        ("edge-gateway", "availability", 99.5, None, 30, true),
        ("edge-gateway", "latency", 95.0, Some(400.0), 7, true),
        ("checkout", "availability", 99.0, None, 30, true),
        ("checkout", "latency", 95.0, Some(600.0), 7, true),
        ("search", "latency", 95.0, Some(150.0), 1, true),
        ("recommendation", "availability", 98.0, None, 30, false),
    ];
    for place in Place::all(generator) {
        for (service, kind, target, threshold, days, enabled) in plan {
            let name = format!("{service} {kind}");
            table.push([
                uuid(place.id("slo", &name)),
                place.organization(),
                place.workspace(),
                text(service),
                text(&name),
                text(kind),
                Bind::Float(target),
                threshold.map_or(Bind::Null, Bind::Float),
                integer(days),
                Bind::Bool(enabled),
                place.founded(),
                place.founded(),
            ]);
        }
    }
    table
}

fn changes(generator: &Generator) -> Table {
    let mut table = Table::new(
        "change_events",
        "id organization_id workspace_id kind service_name environment version title actor status source_ref \
             started_at finished_at created_at updated_at",
    );
    for place in Place::all(generator) {
        let mut push = |kind: &str,
                        service: &str,
                        version: Option<&str>,
                        (title, actor, source): (&str, &str, &str),
                        (from, to): (i64, i64)| {
            table.push([
                uuid(place.id("change", &format!("{service} {title}"))),
                place.organization(),
                place.workspace(),
                text(kind),
                text(service),
                text("production"),
                version.map_or(Bind::Null, text),
                text(title),
                text(actor),
                text("succeeded"),
                text(source),
                at(from),
                at(to),
                at(from),
                at(to),
            ]);
        };
        for deployed in &place.fleet.services {
            for release in &deployed.releases {
                let Some(change) = &release.change else { continue };
                let words = (change.title.as_str(), change.actor.as_str(), change.source_ref.as_str());
                push("deploy", &deployed.service.name, Some(&release.version), words, (release.from, release.finished));
            }
        }
        let incident = generator.incident(place.fleet.organization);
        for change in
            incident.iter().flat_map(|incident| &incident.scenario.changes).filter(|c: &&Change| c.version.is_none())
        {
            let from = incident.map_or(0, |incident| incident.start) + change.at.0;
            let words = (change.title.as_str(), change.actor.as_str(), change.source_ref.as_str());
            push(&change.kind, &change.service, None, words, (from, from + change.took.0));
        }
        let flag = generator.end() - 7 * HOUR - 11 * MINUTE * (1 + place.fleet.organization.index as i64);
        let words = ("Turn on new product badges for 10 % of visitors", "product-team", "flag:product-badges");
        push("feature_flag", "web", None, words, (flag, flag + SECOND));
    }
    table
}

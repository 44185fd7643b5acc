//! What clusters hold beside workloads: storage, services, configuration, autoscalers. Of secrets only what is
//! around them: names, sizes, ages, and when their certificates end.

use serde_json::json;

use super::{Place, Table, at, integer, json, kubernetes::unready, text, uuid};
use crate::{
    demo::{generate::Generator, inventory, offset::HOUR, offset::MINUTE},
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;

pub fn tables(generator: &Generator) -> Vec<Table> {
    let mut tables = storage(generator).to_vec();
    tables.extend([services(generator), config_maps(generator), secrets(generator), autoscalers(generator)]);
    tables
}

fn storage(generator: &Generator) -> [Table; 2] {
    let mut volumes = Table::new(
        "kubernetes_persistent_volumes",
        "id organization_id workspace_id cluster_id name capacity access_modes reclaim_policy storage_class_name \
             phase claim_ref created_at updated_at",
    );
    let mut claims = Table::new(
        "kubernetes_persistent_volume_claims",
        "id organization_id workspace_id namespace_id name volume_name storage_class phase requested_storage \
             created_at updated_at",
    );
    for place in Place::all(generator) {
        let end = generator.end();
        let mut volume = |claim: &str, class: &str, size: String, (phase, policy): (&str, &str), (space, since)| {
            let name = format!("pvc-{claim}");
            volumes.push([
                uuid(place.id("volume", &name)),
                place.organization(),
                place.workspace(),
                uuid(place.fleet.cluster_id),
                text(&name),
                json(json!({ "storage": size })),
                Bind::List(vec![text("ReadWriteOnce")]),
                text(policy),
                text(class),
                text(phase),
                json(json!({ "namespace": space, "name": claim })),
                place.founded(),
                since,
            ]);
            name
        };
        let mut claim =
            |name: &str, class: &str, space: &str, size: String, (volume, phase, made): (Bind, &str, Bind)| {
                claims.push([
                    uuid(place.id("claim", name)),
                    place.organization(),
                    place.workspace(),
                    uuid(place.id("namespace", space)),
                    text(name),
                    volume,
                    text(class),
                    text(phase),
                    text(&size),
                    made,
                    place.end(),
                ]);
            };
        for spec in inventory::volumes(place.fleet.organization) {
            let size = format!("{}Gi", spec.size);
            let state = ("Bound", "Delete");
            let name = volume(spec.claim, spec.class, size.clone(), state, (spec.namespace, place.end()));
            claim(spec.claim, spec.class, spec.namespace, size, (text(&name), "Bound", place.founded()));
        }
        match place.fleet.organization.index {
            0 => {
                let since = at(end - 64 * DAY);
                volume("orders-archive-2025", "gp3", "500Gi".to_owned(), ("Released", "Retain"), ("shop", since));
                let made = at(end - 5 * HOUR - 12 * MINUTE);
                claim("reranker-features", "fast-nvme", "shop", "1Ti".to_owned(), (Bind::Null, "Pending", made));
            }
            1 => {
                let since = at(end - 3 * DAY);
                volume("exports", "pd-standard", "80Gi".to_owned(), ("Failed", "Recycle"), ("fulfilment", since));
            }
            _ => {}
        }
    }
    [volumes, claims]
}

fn services(generator: &Generator) -> Table {
    let mut table = Table::new(
        "kubernetes_services",
        "id organization_id workspace_id cluster_id namespace_id name type cluster_ip ports selector \
             endpoint_count created_at updated_at",
    );
    for place in Place::all(generator) {
        let (end, organization) = (generator.end(), place.fleet.organization.index);
        let mut next = 20;
        let mut push = |name: &str, space: &str, kind: &str, ports: serde_json::Value, endpoints: i64, made: Bind| {
            next += 1;
            table.push([
                uuid(place.id("kubernetes service", name)),
                place.organization(),
                place.workspace(),
                uuid(place.fleet.cluster_id),
                uuid(place.id("namespace", space)),
                text(name),
                text(kind),
                text(&format!("10.{}.4.{next}", 20 + organization)),
                json(ports),
                json(json!({ "app": name })),
                integer(endpoints),
                made,
                place.end(),
            ]);
        };
        for deployed in place.fleet.services.iter().filter(|deployed| deployed.service.spec.kind != "worker") {
            let service = deployed.service;
            let endpoints = i64::from(service.spec.replicas) - unready(&place, &service.name) as i64;
            let (kind, ports) = match service.spec.kind.as_str() {
                "gateway" => ("LoadBalancer", json!([{ "name": "https", "port": 443, "nodePort": 30443 }])),
                _ => ("ClusterIP", json!([{ "name": "http", "port": 8080 }])),
            };
            push(&service.name, &service.spec.namespace, kind, ports, endpoints, place.founded());
        }
        let http = json!([{ "name": "http", "port": 80 }]);
        match organization {
            0 => {
                push("legacy-soap", "shop", "ClusterIP", http, 0, at(end - 380 * DAY));
                let shell = json!([{ "name": "ssh", "port": 22, "nodePort": 31222 }]);
                push("debug-shell", "edge", "NodePort", shell, 1, at(end - 2 * DAY - 3 * HOUR));
            }
            1 => push("payments-metrics", "payments", "LoadBalancer", http, 2, at(end - 6 * HOUR)),
            _ => push("price-import", "shop", "ClusterIP", http, 0, at(end - 6 * DAY)),
        }
    }
    table
}

/// Namespace, name, keys, bytes, pods that use it, and how many days ago it was changed.
type Held = (&'static str, &'static str, &'static [&'static str], i64, i64, i64);

fn config_maps(generator: &Generator) -> Table {
    let mut table = Table::new(
        "kubernetes_configmaps",
        "id organization_id workspace_id cluster_id namespace_id name key_names data_size_bytes immutable \
             used_by_count last_changed_at created_at updated_at",
    );
    let plan: [Held; 4] = [
        ("kube-system", "coredns", &["Corefile"], 412, 2, 190),
        ("shop", "feature-flags-2024", &["flags.json"], 18_214, 0, 390),
        ("shop", "search-synonyms", &["synonyms.txt"], 987_310, 2, 33),
        ("fulfilment", "carrier-zones", &["zones.csv", "rates.csv"], 211_480, 2, 71),
    ];
    for place in Place::all(generator) {
        let end = generator.end();
        let mut push = |space: &str, name: &str, keys: &[&str], (size, used): (i64, i64), changed: i64| {
            table.push([
                uuid(place.id("config map", name)),
                place.organization(),
                place.workspace(),
                uuid(place.fleet.cluster_id),
                uuid(place.id("namespace", space)),
                text(name),
                Bind::List(keys.iter().map(|key| text(key)).collect()),
                integer(size),
                Bind::Bool(false),
                integer(used),
                at(changed),
                place.founded(),
                at(changed),
            ]);
        };
        for (space, name, keys, size, used, days) in plan {
            push(space, name, keys, (size, used), end - days * DAY);
        }
        // The settings of a service change with its deployments.
        for deployed in &place.fleet.services {
            let service = deployed.service;
            let name = format!("{}-settings", service.name);
            let changed = place.fleet.current(service, end).map_or(end, |release| release.from);
            let changed = changed.max(end - 41 * DAY);
            let size = 1_200 + 37 * service.name.len() as i64;
            let keys = ["application.yaml", "logging.yaml"];
            push(&service.spec.namespace, &name, &keys, (size, i64::from(service.spec.replicas)), changed);
        }
    }
    table
}

fn secrets(generator: &Generator) -> Table {
    let mut table = Table::new(
        "kubernetes_secrets",
        "id organization_id workspace_id cluster_id namespace_id name type key_names data_size_bytes immutable \
             used_by_count last_changed_at tls_not_after created_at updated_at",
    );
    let (opaque, tls, docker) = ("Opaque", "kubernetes.io/tls", "kubernetes.io/dockerconfigjson");
    // With the days until a certificate ends; each organisation's ends a little later than those of the one before.
    let plan: [(Held, &str, Option<i64>); 7] = [
        (("edge", "storefront-tls", &["tls.crt", "tls.key"], 5_412, 3, 81), tls, Some(9)),
        (("edge", "api-tls", &["tls.crt", "tls.key"], 5_390, 3, 20), tls, Some(70)),
        (("identity", "legacy-idp-tls", &["tls.crt", "tls.key"], 3_988, 0, 402), tls, Some(-37)),
        (("payments", "card-network-credentials", &["key", "id"], 214, 2, 611), opaque, None),
        (("shop", "catalog-db-credentials", &["username", "password"], 96, 2, 44), opaque, None),
        (("shop", "order-db-credentials", &["username", "password"], 96, 2, 44), opaque, None),
        (("shop", "old-registry-pull", &[".dockerconfigjson"], 380, 0, 512), docker, None),
    ];
    for place in Place::all(generator) {
        let end = generator.end();
        for ((space, name, keys, size, used, days), kind, certificate) in plan {
            let later = 30 * place.fleet.organization.index as i64;
            table.push([
                uuid(place.id("kubernetes secret", name)),
                place.organization(),
                place.workspace(),
                uuid(place.fleet.cluster_id),
                uuid(place.id("namespace", space)),
                text(name),
                text(kind),
                Bind::List(keys.iter().map(|key| text(key)).collect()),
                integer(size),
                Bind::Bool(false),
                integer(used),
                at(end - days * DAY),
                certificate.map_or(Bind::Null, |left| at(end + (left + later) * DAY + 7 * HOUR)),
                place.founded(),
                at(end - days * DAY),
            ]);
        }
    }
    table
}

fn autoscalers(generator: &Generator) -> Table {
    let mut table = Table::new(
        "kubernetes_hpas",
        "id organization_id workspace_id cluster_id namespace_id name target_kind target_name min_replicas \
             max_replicas current_replicas desired_replicas metrics last_scale_at conditions created_at updated_at",
    );
    for place in Place::all(generator) {
        for scaler in inventory::autoscalers(place.fleet.organization) {
            let Some(service) = generator.world.service(scaler.service) else { continue };
            let full = scaler.replicas == scaler.max;
            let condition = |kind: &str, holds: bool, reason: &str, message: &str| json!({ "type": kind, "status": if holds { "True" } else { "False" }, "reason": reason, "message": message });
            let active = match scaler.seen {
                Some(_) => condition("ScalingActive", true, "ValidMetricFound", ""),
                None => {
                    let message =
                        "unable to get metrics for resource cpu: no metrics returned from resource metrics API";
                    condition("ScalingActive", false, "FailedGetResourceMetric", message)
                }
            };
            let limited =
                condition("ScalingLimited", full, if full { "TooManyReplicas" } else { "DesiredWithinRange" }, "");
            let scaled = if scaler.flaps { 10 * MINUTE } else { 26 * HOUR };
            table.push([
                uuid(place.id("autoscaler", scaler.service)),
                place.organization(),
                place.workspace(),
                uuid(place.fleet.cluster_id),
                uuid(place.id("namespace", &service.spec.namespace)),
                text(scaler.service),
                text("Deployment"),
                text(scaler.service),
                integer(scaler.min),
                integer(scaler.max),
                integer(scaler.replicas),
                integer(scaler.replicas),
                json(json!([{ "name": "cpu", "target": scaler.target, "current": scaler.seen }])),
                at(generator.end() - scaled),
                json(json!([active, limited])),
                place.founded(),
                place.end(),
            ]);
        }
    }
    table
}

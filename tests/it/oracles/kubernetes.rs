//! Clusters: what is on record of their objects, what was measured of pods and nodes, and what was said of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tfo_mcp::demo::offset::{HOUR, MINUTE};

use super::{
    Cells, Oracle, Rows, View, cells,
    records::{Line, Records},
    series::{Sides, highest, mean, sides},
};

const GIB: f64 = 1_073_741_824.0;

/// Kind, namespace and name of what was measured.
type Thing = (&'static str, String, String);

/// A gauge of clusters by the thing that it is about, of those that were measured in the window.
fn gauge(records: &Records, view: &View, name: &str, by: f64) -> BTreeMap<Thing, Sides> {
    let all = records.batches.iter().flat_map(|batch| &batch.kubernetes_metrics).filter(|one| one.name == name);
    let values = all.map(|one| {
        ((one.resource_type, one.namespace.clone(), one.resource_name.clone()), one.timestamp, by * one.value)
    });
    let mut measured = sides(view, values);
    measured.retain(|_, sides| sides.now.count() > 0);
    measured
}

/// Processor and memory of one thing, in percent of its limits.
#[derive(Default)]
struct Load {
    namespace: String,
    name: String,
    cpu: Sides,
    memory: Sides,
}

fn loads(records: &Records, view: &View, kind: &str) -> Vec<Load> {
    let (cpu, memory) = if kind == "pod" {
        ("k8s.pod.cpu.utilization", "k8s.pod.memory.limit_utilization")
    } else {
        ("k8s.node.cpu.utilization", "k8s.node.memory.utilization")
    };
    let memory = gauge(records, view, memory, 100.0);
    let cpu = gauge(records, view, cpu, 100.0).into_iter().filter(|((of, ..), _)| *of == kind);
    cpu.map(|(thing, cpu)| {
        let memory = memory.get(&thing).cloned().unwrap_or_default();
        Load { namespace: thing.1, name: thing.2, cpu, memory }
    })
    .collect()
}

fn load_cells(load: &Load) -> Cells {
    cells![
        "cpu_pct" => load.cpu.now.mean(),
        "cpu_max_pct" => load.cpu.now.highest(),
        "prev_cpu_pct" => load.cpu.before.mean(),
        "memory_pct" => load.memory.now.mean(),
        "memory_max_pct" => load.memory.now.highest(),
        "prev_memory_pct" => load.memory.before.mean(),
    ]
}

/// The averages of several, and the highest of all.
fn together(loads: &[&Load]) -> Cells {
    cells![
        "cpu_pct" => mean(loads.iter().map(|load| load.cpu.now.mean())),
        "cpu_max_pct" => highest(loads.iter().map(|load| load.cpu.now.highest())),
        "prev_cpu_pct" => mean(loads.iter().map(|load| load.cpu.before.mean())),
        "memory_pct" => mean(loads.iter().map(|load| load.memory.now.mean())),
        "memory_max_pct" => highest(loads.iter().map(|load| load.memory.now.highest())),
        "prev_memory_pct" => mean(loads.iter().map(|load| load.memory.before.mean())),
    ]
}

/// The service of the world that a pod serves: the longest name that its own begins with.
fn service_of(records: &Records, pod: &str) -> String {
    let names = records.generator().world.services.iter().map(|service| service.name.as_str());
    let fits = names.filter(|name| pod.strip_prefix(name).is_some_and(|rest| rest.starts_with('-')));
    fits.max_by_key(|name| name.len()).unwrap_or(pod).to_owned()
}

fn by_workload(records: &Records, loads: Vec<Load>) -> BTreeMap<(String, String), Vec<Load>> {
    let mut all = BTreeMap::<_, Vec<Load>>::new();
    for load in loads {
        all.entry((load.namespace.clone(), service_of(records, &load.name))).or_default().push(load);
    }
    all
}

fn last(load: &Load) -> i64 {
    [&load.cpu, &load.memory].iter().filter_map(|sides| sides.now.last()).map(|(time, _)| time).max().unwrap_or(0)
}

/// Workloads, and by how much the memory of their pods differs.
pub fn workloads(records: &Records, view: &View) -> Rows {
    let mut rows = deployed_load(records, view);
    for ((namespace, workload), loads) in by_workload(records, loads(records, view, "pod")) {
        let memory = || loads.iter().filter_map(|load| load.memory.now.mean());
        let (most, least) = (memory().reduce(f64::max), memory().reduce(f64::min));
        let cells = rows.0.get_mut(&vec![namespace, workload]).unwrap();
        cells.push(("spread_points", most.zip(least).map(|(most, least)| most - least).into()));
    }
    rows
}

/// Workloads, with those of their pods that were still measured when the last one was.
fn deployed_load(records: &Records, view: &View) -> Rows {
    let pods = loads(records, view, "pod");
    let newest = pods.iter().chain(&loads(records, view, "node")).map(last).max().unwrap_or(0);
    let mut rows = Rows::default();
    for ((namespace, workload), loads) in by_workload(records, pods) {
        let mut cells = together(&loads.iter().collect::<Vec<_>>());
        let there = loads.iter().filter(|load| last(load) >= newest - 5 * MINUTE).count();
        cells.push(("pods_seen", there.into()));
        rows.add([&namespace, &workload], cells);
    }
    rows
}

fn nodes(records: &Records, view: &View) -> Rows {
    let measured: BTreeMap<String, Load> =
        loads(records, view, "node").into_iter().map(|load| (load.name.clone(), load)).collect();
    let mut rows = Rows::default();
    for node in records.kept("kubernetes_nodes") {
        let held: Vec<&Line> = records
            .kept("kubernetes_pods")
            .filter(|pod| pod.text("node_id") == node.text("id"))
            .filter(|pod| !["Succeeded", "Failed"].contains(&pod.text("phase").as_str()))
            .collect();
        let mut cells = load_cells(measured.get(&node.text("name")).unwrap_or(&Load::default()));
        cells.extend(cells![
            "pods" => held.len(),
            "restarts_ever" => held.iter().filter_map(|pod| pod.number("restart_count")).sum::<f64>(),
        ]);
        rows.add([&node.text("name")], cells);
    }
    rows
}

fn spread(records: &Records, view: &View) -> Rows {
    let loads = loads(records, view, "node");
    let of = |value: fn(&Load) -> Option<f64>, pick: fn(f64, f64) -> f64| loads.iter().filter_map(value).reduce(pick);
    let mut rows = Rows::default();
    let cells = cells![
        "measured_nodes" => loads.len(),
        "least_cpu_pct" => of(|load| load.cpu.now.mean(), f64::min),
        "most_cpu_pct" => of(|load| load.cpu.now.mean(), f64::max),
        "least_memory_pct" => of(|load| load.memory.now.mean(), f64::min),
        "most_memory_pct" => of(|load| load.memory.now.mean(), f64::max),
    ];
    rows.add([&cluster(records)], cells);
    rows
}

fn cluster(records: &Records) -> String {
    let names: Vec<String> = records.kept("kubernetes_clusters").map(|line| line.text("name")).collect();
    let [name] = names.as_slice() else { panic!("one cluster, not {names:?}") };
    name.clone()
}

fn cluster_load(records: &Records, view: &View) -> Rows {
    let loads = loads(records, view, "node");
    let mut cells = together(&loads.iter().collect::<Vec<_>>());
    cells.push(("measured_nodes", loads.len().into()));
    let mut rows = Rows::default();
    rows.add([&cluster(records)], cells);
    rows
}

fn clusters(records: &Records, _: &View) -> Rows {
    let count = |table: &str, fits: fn(&Line) -> bool| records.kept(table).filter(|line| fits(line)).count();
    let cells = cells![
        "nodes" => count("kubernetes_nodes", |_| true),
        "nodes_not_ready" => count("kubernetes_nodes", |line| line.text("status") != "Ready"),
        "pods" => count("kubernetes_pods", |_| true),
        "pods_not_running" => count("kubernetes_pods", |line| {
            !["Running", "Succeeded"].contains(&line.text("phase").as_str())
        }),
        "deployments" => count("kubernetes_deployments", |_| true),
        "deployments_short" => count("kubernetes_deployments", is_short),
    ];
    let mut rows = Rows::default();
    rows.add([&cluster(records)], cells);
    rows
}

fn is_short(deployment: &Line) -> bool {
    deployment.number("available_replicas") < deployment.number("replicas")
}

fn fullest(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for load in loads(records, view, "pod") {
        let most = load.cpu.now.highest().unwrap_or(0.0).max(load.memory.now.highest().unwrap_or(0.0));
        if most >= 50.0 {
            rows.add([&load.namespace, &load.name], load_cells(&load));
        }
    }
    rows
}

/// Every measure of pods and nodes that is a share of a limit.
fn saturation(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    let metrics = [
        "k8s.pod.cpu.utilization",
        "k8s.pod.memory.limit_utilization",
        "k8s.node.cpu.utilization",
        "k8s.node.memory.utilization",
    ];
    for metric in metrics {
        for ((kind, namespace, name), it) in gauge(records, view, metric, 100.0) {
            let cells = cells![
                "used_pct" => it.now.mean(),
                "used_max_pct" => it.now.highest(),
                "prev_used_pct" => it.before.mean(),
            ];
            rows.add([kind, &namespace, &name, metric], cells);
        }
    }
    rows
}

fn namespace_load(records: &Records, view: &View) -> Rows {
    let mut spaces = BTreeMap::<String, Vec<Load>>::new();
    for load in loads(records, view, "pod") {
        spaces.entry(load.namespace.clone()).or_default().push(load);
    }
    let mut rows = Rows::default();
    for (namespace, loads) in spaces {
        let mut cells = together(&loads.iter().collect::<Vec<_>>());
        cells.push(("measured_pods", loads.len().into()));
        rows.add([&namespace], cells);
    }
    rows
}

fn namespace(records: &Records, line: &Line) -> String {
    records
        .named("kubernetes_namespaces", &line.text("namespace_id"))
        .map(|space| space.text("name"))
        .unwrap_or_default()
}

/// Lines of a table by the name of their namespace.
fn by_namespace<'r>(records: &'r Records, table: &str) -> BTreeMap<String, Vec<&'r Line>> {
    let mut spaces = BTreeMap::<String, Vec<&Line>>::new();
    for line in records.kept(table) {
        spaces.entry(namespace(records, line)).or_default().push(line);
    }
    spaces
}

fn count(lines: &[&Line], fits: impl Fn(&Line) -> bool) -> usize {
    lines.iter().filter(|line| fits(line)).count()
}

/// What the condition `Ready` of a pod says; empty where it has none.
fn ready(pod: &Line) -> String {
    let conditions = pod.json("conditions");
    let found = conditions.as_array().into_iter().flatten().find(|one| one["type"] == "Ready");
    found.and_then(|one| one["status"].as_str()).unwrap_or_default().to_owned()
}

fn phases(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for (space, pods) in by_namespace(records, "kubernetes_pods") {
        let runs = |pod: &Line| pod.text("phase") == "Running";
        let nodes: BTreeSet<String> =
            pods.iter().map(|pod| pod.text("node_id")).filter(|node| !node.is_empty()).collect();
        let cells = cells![
            "pods" => pods.len(),
            "ready_pods" => count(&pods, |pod| runs(pod) && ready(pod) != "False"),
            "unready" => count(&pods, |pod| runs(pod) && ready(pod) == "False"),
            "pending" => count(&pods, |pod| pod.text("phase") == "Pending"),
            "failed" => count(&pods, |pod| pod.text("phase") == "Failed"),
            "nodes" => nodes.len(),
        ];
        rows.add([&space], cells);
    }
    rows
}

fn deployments(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for it in records.kept("kubernetes_deployments") {
        let number = |column: &str| it.number(column).unwrap_or(0.0);
        let own: Vec<&Line> = records
            .kept("kubernetes_pods")
            .filter(|pod| pod.text("namespace_id") == it.text("namespace_id"))
            .filter(|pod| pod.json("labels")["app"] == it.text("name").as_str())
            .collect();
        let restarts: f64 = own.iter().filter_map(|pod| pod.number("restart_count")).sum();
        let cells = cells![
            "desired" => number("replicas"),
            "available" => number("available_replicas"),
            "missing" => number("replicas") - number("available_replicas"),
            "changed_h" => it.moment("updated_at").map(|at| ((records.end() - at) / HOUR) as f64),
            "pods_on_record" => Some(own.len() as f64).filter(|count| *count > 0.0),
            "restarts_ever" => Some(restarts).filter(|_| !own.is_empty()),
        ];
        rows.add([&namespace(records, it), &it.text("name")], cells);
    }
    rows
}

fn namespaces(records: &Records, _: &View) -> Rows {
    let pods = by_namespace(records, "kubernetes_pods");
    let deployments = by_namespace(records, "kubernetes_deployments");
    let mut rows = Rows::default();
    for space in records.kept("kubernetes_namespaces") {
        let name = space.text("name");
        let (pods, deployments) = (pods.get(&name).cloned(), deployments.get(&name).cloned());
        let (pods, deployments) = (pods.unwrap_or_default(), deployments.unwrap_or_default());
        let changed = space.moment("updated_at").filter(|_| space.text("status") != "Active");
        let cells = cells![
            "pods" => pods.len(),
            "pods_not_well" => count(&pods, |pod| {
                !["Running", "Succeeded"].contains(&pod.text("phase").as_str()) || pod.text("status").contains("BackOff")
            }),
            "deployments" => deployments.len(),
            "deployments_short" => count(&deployments, is_short),
            "since_h" => changed.map(|at| ((records.end() - at) / HOUR) as f64),
        ];
        rows.add([&name], cells);
    }
    rows
}

/// How often something was said of an object, now and before.
#[derive(Default)]
struct Said {
    now: f64,
    before: f64,
    objects: BTreeSet<(String, String)>,
    texts: BTreeSet<String>,
    ordinary: f64,
}

fn events(
    records: &Records,
    view: &View,
    key: fn(&tfo_mcp::demo::event::KubernetesEvent) -> Option<String>,
) -> BTreeMap<String, Said> {
    let mut all = BTreeMap::<String, Said>::new();
    for event in records.batches.iter().flat_map(|batch| &batch.kubernetes_events) {
        let (Some(key), Some(now)) = (key(event), view.side(event.timestamp / 1_000_000 * 1_000_000)) else { continue };
        let said = all.entry(key).or_default();
        let times = f64::from(event.count);
        if event.kind != "Warning" {
            said.ordinary += if now { times } else { 0.0 };
            continue;
        }
        if now {
            said.now += times;
            said.objects.insert((event.namespace.clone(), event.involved_name.clone()));
            said.texts.insert(event.message.clone());
        } else {
            said.before += times;
        }
    }
    all
}

fn reasons(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (reason, said) in events(records, view, |event| (event.kind == "Warning").then(|| event.reason.clone())) {
        let cells = cells![
            "times" => said.now,
            "prev_times" => said.before,
            "objects" => said.objects.len(),
        ];
        rows.add([&reason], cells);
    }
    rows
}

fn spaces(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (space, said) in events(records, view, |event| Some(event.namespace.clone())) {
        let cells = cells!["warnings" => said.now, "prev_warnings" => said.before, "ordinary" => said.ordinary];
        rows.add([&space], cells);
    }
    rows
}

fn warnings(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (space, said) in events(records, view, |event| (event.kind == "Warning").then(|| event.namespace.clone())) {
        let cells = cells!["warnings" => said.now, "prev_warnings" => said.before, "objects" => said.objects.len()];
        rows.add([&space], cells);
    }
    rows
}

/// Volumes, and when the line from their first sample to their last reaches nothing.
fn filling(records: &Records, view: &View) -> Rows {
    let free = gauge(records, view, "k8s.volume.available", 1.0);
    let mut rows = Rows::default();
    for (thing, size) in gauge(records, view, "k8s.volume.capacity", 1.0) {
        let (size, free) = (size.now.latest().unwrap(), &free[&thing]);
        let (first, last) = (free.whole().first().unwrap(), free.now.last().unwrap());
        let days = (last.0 - first.0) as f64 / (24 * HOUR) as f64;
        let lost = (first.1 - last.1) / days;
        let cells = cells![
            "size_gib" => size / GIB,
            "used_pct" => 100.0 * (size - last.1) / size,
            "prev_used_pct" => free.before.latest().map(|left| 100.0 * (size - left) / size),
            "growth_gib_per_day" => lost / GIB,
            "full_in_days" => Some(last.1 / lost).filter(|_| lost > 0.0),
        ];
        rows.add([&thing.1, &thing.2], cells);
    }
    rows
}

fn gib(quantity: &Value) -> f64 {
    let text = quantity.as_str().unwrap_or_default();
    let units = [("Ti", 1024.0), ("Gi", 1.0), ("Mi", 1.0 / 1024.0)];
    let read = units.iter().find_map(|(unit, by)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * by));
    read.unwrap_or_else(|| panic!("{quantity}"))
}

fn classes(records: &Records, _: &View) -> Rows {
    let mut classes = BTreeMap::<String, Vec<&Line>>::new();
    for volume in records.kept("kubernetes_persistent_volumes") {
        classes.entry(volume.text("storage_class_name")).or_default().push(volume);
    }
    let mut rows = Rows::default();
    for (class, volumes) in classes {
        let cells = cells![
            "volumes" => volumes.len(),
            "capacity_gib" => volumes.iter().map(|volume| gib(&volume.json("capacity")["storage"])).sum::<f64>(),
            "not_bound" => count(&volumes, |volume| volume.text("phase") != "Bound"),
        ];
        rows.add([&class], cells);
    }
    rows
}

fn config_maps(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (space, maps) in by_namespace(records, "kubernetes_configmaps") {
        let cells = cells![
            "config_maps" => maps.len(),
            "size_bytes" => maps.iter().filter_map(|map| map.number("data_size_bytes")).sum::<f64>(),
            "unused" => count(&maps, |map| map.number("used_by_count") == Some(0.0)),
            "changed" => count(&maps, |map| map.moment("last_changed_at").is_some_and(|at| view.now.holds(at))),
        ];
        rows.add([&space], cells);
    }
    rows
}

fn secrets(records: &Records, _: &View) -> Rows {
    let mut kinds = BTreeMap::<String, Vec<&Line>>::new();
    for secret in records.kept("kubernetes_secrets") {
        kinds.entry(secret.text("type")).or_default().push(secret);
    }
    let mut rows = Rows::default();
    for (kind, held) in kinds {
        let spaces: BTreeSet<String> = held.iter().map(|secret| secret.text("namespace_id")).collect();
        let cells = cells![
            "held" => held.len(),
            "namespaces" => spaces.len(),
            "unused" => count(&held, |secret| secret.number("used_by_count") == Some(0.0)),
        ];
        rows.add([&kind], cells);
    }
    rows
}

fn services(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for (space, all) in by_namespace(records, "kubernetes_services") {
        let kinds: BTreeSet<String> = all.iter().map(|service| service.text("type")).collect();
        for kind in kinds {
            let of_kind = |service: &Line| service.text("type") == kind;
            let cells = cells![
                "services" => count(&all, of_kind),
                "without_endpoints" => count(&all, |it| of_kind(it) && it.number("endpoint_count") == Some(0.0)),
            ];
            rows.add([&space, &kind], cells);
        }
    }
    rows
}

fn autoscalers(records: &Records, view: &View) -> Rows {
    let wanted = gauge(records, view, "k8s.hpa.desired_replicas", 1.0);
    let there = gauge(records, view, "k8s.hpa.current_replicas", 1.0);
    let mut rows = Rows::default();
    for (thing, most) in gauge(records, view, "k8s.hpa.max_replicas", 1.0) {
        let (wanted, there, limit) = (&wanted[&thing], &there[&thing], most.now.highest().unwrap());
        let at_most = |side: &super::series::Series| {
            let full = side.values().filter(|count| *count >= limit).count();
            (side.count() > 0).then(|| 100.0 * full as f64 / side.count() as f64)
        };
        let moves = |values: Vec<f64>| values.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let all = moves(wanted.whole().values().collect());
        let before = moves(wanted.before.values().collect());
        let cells = cells![
            "least_wanted" => wanted.now.lowest(),
            "most_wanted" => wanted.now.highest(),
            "limit_replicas" => limit,
            "at_max_pct" => at_most(&there.now),
            "prev_at_max_pct" => at_most(&there.before),
            "changes" => all - before,
            "prev_changes" => before,
        ];
        rows.add([&thing.1, &thing.2], cells);
    }
    rows
}

const SPACE: &[&str] = &["namespace"];
const POD_SPACE: &[&str] = &["pod_namespace"];
const CLUSTER: &[&str] = &["cluster"];
const WORKLOAD: &[&str] = &["pod_namespace", "workload"];
const DEPLOYMENT: &[&str] = &["namespace", "deployment"];

pub const ORACLES: &[Oracle] = &[
    Oracle { of: "kubernetes-nodes", section: "nodes", keys: &["node"], expect: nodes },
    Oracle { of: "kubernetes-nodes", section: "spread", keys: CLUSTER, expect: spread },
    Oracle {
        of: "saturation",
        section: "kubernetes",
        keys: &["kind", "pod_namespace", "resource_name", "metric_name"],
        expect: saturation,
    },
    Oracle { of: "kubernetes-pods", section: "phases", keys: SPACE, expect: phases },
    Oracle { of: "kubernetes-pods", section: "fullest", keys: &["pod_namespace", "pod"], expect: fullest },
    Oracle { of: "kubernetes-deployments", section: "deployments", keys: DEPLOYMENT, expect: deployments },
    Oracle { of: "kubernetes-deployments", section: "load", keys: WORKLOAD, expect: deployed_load },
    Oracle { of: "kubernetes-events", section: "reasons", keys: &["reason"], expect: reasons },
    Oracle { of: "kubernetes-events", section: "spaces", keys: POD_SPACE, expect: spaces },
    Oracle { of: "kubernetes-pv", section: "filling", keys: &["pod_namespace", "claim"], expect: filling },
    Oracle { of: "kubernetes-pv", section: "classes", keys: &["storage_class"], expect: classes },
    Oracle { of: "kubernetes-namespaces", section: "namespaces", keys: SPACE, expect: namespaces },
    Oracle { of: "kubernetes-namespaces", section: "load", keys: POD_SPACE, expect: namespace_load },
    Oracle { of: "kubernetes-namespaces", section: "warnings", keys: POD_SPACE, expect: warnings },
    Oracle { of: "kubernetes-clusters", section: "clusters", keys: CLUSTER, expect: clusters },
    Oracle { of: "kubernetes-clusters", section: "load", keys: CLUSTER, expect: cluster_load },
    Oracle { of: "kubernetes-configmaps", section: "counts", keys: SPACE, expect: config_maps },
    Oracle { of: "kubernetes-secrets", section: "counts", keys: &["type"], expect: secrets },
    Oracle { of: "kubernetes-services", section: "counts", keys: &["namespace", "type"], expect: services },
    Oracle { of: "kubernetes-hpa", section: "course", keys: &["pod_namespace", "autoscaler"], expect: autoscalers },
    Oracle { of: "kubernetes-overview", section: "deployments", keys: DEPLOYMENT, expect: deployments },
    Oracle { of: "kubernetes-overview", section: "nodes", keys: &["node"], expect: nodes },
    Oracle { of: "kubernetes-overview", section: "clusters", keys: CLUSTER, expect: clusters },
    Oracle { of: "kubernetes-overview", section: "reasons", keys: &["reason"], expect: reasons },
];

//! Machines as their agents measure them, and the agents themselves.

use std::collections::{BTreeMap, BTreeSet};

use tfo_mcp::demo::offset::MINUTE;

use super::{
    Oracle, Rows, View, cells,
    kubernetes::workloads,
    records::Records,
    series::{Sides, highest, mean, sides},
};

const MIB: f64 = 1_048_576.0;

/// A measure by the id and the name of the host, of those that it was measured of in the window.
fn measure(records: &Records, view: &View, name: &str, by: f64) -> BTreeMap<(String, String), Sides> {
    let all = records.batches.iter().flat_map(|batch| &batch.vm_metrics).filter(|metric| metric.name == name);
    let values = all.map(|one| ((one.vm.id.to_string(), one.vm.name.clone()), one.timestamp, by * one.value));
    let mut measured = sides(view, values);
    measured.retain(|_, sides| sides.now.count() > 0);
    measured
}

/// What is told of a host, each in percent.
struct Host {
    id: String,
    name: String,
    cpu: Sides,
    memory: Sides,
    disk: Sides,
}

fn hosts(records: &Records, view: &View) -> Vec<Host> {
    let memory = measure(records, view, "system.memory.utilization", 100.0);
    let disk = measure(records, view, "system.filesystem.utilization", 100.0);
    let cpu = measure(records, view, "system.cpu.utilization", 100.0);
    let mut hosts = Vec::new();
    for (key, cpu) in cpu {
        let memory = memory.get(&key).cloned().unwrap_or_default();
        let disk = disk.get(&key).cloned().unwrap_or_default();
        hosts.push(Host { id: key.0, name: key.1, cpu, memory, disk });
    }
    hosts
}

/// Cores and bytes of memory on record.
fn machine(records: &Records, id: &str) -> (f64, f64) {
    let agent = records.kept("agents").find(|line| line.text("id") == id);
    let number = |column: &str| agent.and_then(|line| line.number(column)).unwrap_or(0.0);
    (number("cpu_cores"), number("total_memory"))
}

fn processors(records: &Records, view: &View) -> Rows {
    let load = measure(records, view, "system.cpu.load_average.1m", 1.0);
    let mut rows = Rows::default();
    for host in hosts(records, view) {
        let (cores, _) = machine(records, &host.id);
        let load = load.get(&(host.id, host.name.clone())).cloned().unwrap_or_default();
        let cells = cells![
            "cpu_pct" => host.cpu.now.mean(),
            "cpu_max_pct" => host.cpu.now.highest(),
            "prev_cpu_pct" => host.cpu.before.mean(),
            "cores" => cores,
            "load_avg" => load.now.mean(),
            "load_max" => load.now.highest(),
            "prev_load_avg" => load.before.mean(),
            "load_per_core" => load.now.mean().filter(|_| cores > 0.0).map(|load| load / cores),
        ];
        rows.add([&host.name], cells);
    }
    rows
}

fn memory(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for host in hosts(records, view) {
        let (slope, last) = (host.memory.slope(), host.memory.now.latest());
        let cells = cells![
            "memory_pct" => host.memory.now.mean(),
            "memory_max_pct" => host.memory.now.highest(),
            "prev_memory_pct" => host.memory.before.mean(),
            "last_pct" => last,
            "points_per_h" => slope,
            "full_in_h" => slope.filter(|slope| *slope >= 0.5).zip(last).map(|(slope, last)| (100.0 - last) / slope),
        ];
        rows.add([&host.name], cells);
    }
    rows
}

fn disks(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for host in hosts(records, view) {
        let (growth, last) = (host.disk.slope().map(|slope| 24.0 * slope), host.disk.now.latest());
        let cells = cells![
            "last_pct" => last,
            "used_max_pct" => host.disk.now.highest(),
            "prev_used_pct" => host.disk.before.mean(),
            "points_per_day" => growth,
            "full_in_days" => growth.filter(|growth| *growth >= 0.1).zip(last).map(|(growth, last)| (100.0 - last) / growth),
        ];
        rows.add([&host.name], cells);
    }
    rows
}

fn network(records: &Records, view: &View) -> Rows {
    let errors = measure(records, view, "system.network.errors", 1.0);
    let mut rows = Rows::default();
    for (key, traffic) in measure(records, view, "system.network.io", 1.0 / MIB) {
        // Of errors it is told what they rose by, from sample to sample over both windows.
        let errors = errors.get(&key).cloned().unwrap_or_default();
        let (all, before) = (errors.whole().rise().unwrap_or(0.0), errors.before.rise().unwrap_or(0.0));
        let (now, then) = (traffic.now.mean(), traffic.before.mean());
        let cells = cells![
            "mib_per_s" => now,
            "prev_mib_per_s" => then,
            "max_mib_per_s" => traffic.now.highest(),
            "growth" => now.zip(then).map(|(now, then)| now / then),
            "errors" => all - before,
            "prev_errors" => before,
        ];
        rows.add([&key.1], cells);
    }
    rows
}

/// Hosts of the inventory with what was measured.
fn inventory(records: &Records, view: &View) -> Rows {
    let measured: BTreeMap<String, Host> = hosts(records, view).into_iter().map(|it| (it.id.clone(), it)).collect();
    let ids = |table| records.kept(table).map(|line| line.text("id"));
    let on_record: BTreeSet<String> = ids("agents").chain(ids("virtual_machines")).collect();
    let mut rows = Rows::default();
    for id in &on_record {
        let agent = records.kept("agents").find(|line| line.text("id") == *id);
        let host = measured.get(id);
        let heartbeat = agent.and_then(|line| line.moment("last_heartbeat_at"));
        let cells = cells![
            "cores" => agent.and_then(|line| line.number("cpu_cores")),
            "silent_min" => heartbeat.map(|at| (records.end() - at) as f64 / MINUTE as f64),
            "cpu_pct" => host.and_then(|host| host.cpu.now.mean()),
            "cpu_max_pct" => host.and_then(|host| host.cpu.now.highest()),
            "memory_pct" => host.and_then(|host| host.memory.now.mean()),
            "memory_max_pct" => host.and_then(|host| host.memory.now.highest()),
            "disk_max_pct" => host.and_then(|host| host.disk.now.highest()),
            "found_in" => if host.is_some() { "both" } else { "only hosts" },
        ];
        rows.add([id], cells);
    }
    rows
}

fn sizes(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for host in hosts(records, view) {
        let cells = cells![
            "cpu_pct" => host.cpu.now.mean(),
            "cpu_max_pct" => host.cpu.now.highest(),
            "prev_cpu_pct" => host.cpu.before.mean(),
            "memory_pct" => host.memory.now.mean(),
            "memory_max_pct" => host.memory.now.highest(),
            "disk_max_pct" => host.disk.now.highest(),
        ];
        rows.add([&host.name], cells);
    }
    rows
}

fn saturation(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for host in hosts(records, view) {
        for (resource, it) in [("cpu", &host.cpu), ("memory", &host.memory), ("disk", &host.disk)] {
            let (now, before) = (it.now.mean(), it.before.mean());
            let cells = cells![
                "used_pct" => now,
                "used_max_pct" => it.now.highest(),
                "prev_used_pct" => before,
                "change_points" => now.zip(before).map(|(now, before)| now - before),
            ];
            rows.add([&host.name, resource], cells);
        }
    }
    rows
}

fn kinds(records: &Records, view: &View) -> Rows {
    let mut kinds = BTreeMap::<String, Vec<Host>>::new();
    for host in hosts(records, view) {
        let machine = records.kept("virtual_machines").find(|line| line.text("id") == host.id);
        let kind = machine.map(|line| line.text("instance_type")).filter(|kind| !kind.is_empty());
        kinds.entry(kind.unwrap_or("not on record".to_owned())).or_default().push(host);
    }
    let mut rows = Rows::default();
    for (kind, hosts) in kinds {
        let cells = cells![
            "hosts" => hosts.len(),
            "cores" => hosts.iter().map(|host| machine(records, &host.id).0).sum::<f64>(),
            "cpu_pct" => mean(hosts.iter().map(|host| host.cpu.now.mean())),
            "cpu_max_pct" => highest(hosts.iter().map(|host| host.cpu.now.highest())),
            "memory_pct" => mean(hosts.iter().map(|host| host.memory.now.mean())),
            "memory_max_pct" => highest(hosts.iter().map(|host| host.memory.now.highest())),
        ];
        rows.add([&kind], cells);
    }
    rows
}

/// Use of all hosts together, each by its size.
fn room(records: &Records, view: &View) -> Rows {
    let hosts = hosts(records, view);
    let sizes: Vec<(f64, f64)> = hosts.iter().map(|host| machine(records, &host.id)).collect();
    assert!(sizes.iter().all(|(cores, memory)| *cores > 0.0 && *memory > 0.0), "all hosts are on record");
    let cores: Vec<f64> = sizes.iter().map(|size| size.0).collect();
    let memory: Vec<f64> = sizes.iter().map(|size| size.1).collect();
    let used = |of: fn(&Host) -> Option<f64>, sizes: &[f64]| {
        hosts.iter().zip(sizes).filter_map(|(host, size)| Some(of(host)? * size)).sum::<f64>()
    };
    let share = |of: fn(&Host) -> Option<f64>, sizes: &[f64]| used(of, sizes) / sizes.iter().sum::<f64>();
    let without_largest = |of: fn(&Host) -> Option<f64>, sizes: &[f64]| {
        used(of, sizes) / (sizes.iter().sum::<f64>() - sizes.iter().copied().fold(0.0, f64::max))
    };
    let cells = cells![
        "cores" => cores.iter().sum::<f64>(),
        "cpu_pct" => share(|host| host.cpu.now.mean(), &cores),
        "prev_cpu_pct" => share(|host| host.cpu.before.mean(), &cores),
        "memory_pct" => share(|host| host.memory.now.mean(), &memory),
        "prev_memory_pct" => share(|host| host.memory.before.mean(), &memory),
        "cpu_without_one_pct" => without_largest(|host| host.cpu.now.mean(), &cores),
        "memory_without_one_pct" => without_largest(|host| host.memory.now.mean(), &memory),
    ];
    let mut rows = Rows::default();
    rows.add([&hosts.len().to_string()], cells);
    rows
}

const HOST: &[&str] = &["host_name"];

pub const ORACLES: &[Oracle] = &[
    Oracle { of: "infra-cpu", section: "hosts", keys: HOST, expect: processors },
    Oracle { of: "infra-memory", section: "hosts", keys: HOST, expect: memory },
    Oracle { of: "infra-storage", section: "disks", keys: HOST, expect: disks },
    Oracle { of: "infra-network", section: "hosts", keys: HOST, expect: network },
    Oracle { of: "infra-hosts", section: "hosts", keys: &["host_id"], expect: inventory },
    Oracle { of: "infra-compute", section: "hosts", keys: HOST, expect: sizes },
    Oracle { of: "infra-compute", section: "kinds", keys: &["instance_type"], expect: kinds },
    Oracle { of: "infra-compute", section: "room", keys: &["hosts"], expect: room },
    Oracle { of: "infra-overview", section: "processors", keys: HOST, expect: processors },
    Oracle { of: "infra-overview", section: "network", keys: HOST, expect: network },
    Oracle { of: "infra-overview", section: "room", keys: &["hosts"], expect: room },
    Oracle { of: "saturation", section: "hosts", keys: &["host_name", "resource"], expect: saturation },
    Oracle { of: "infra-containers", section: "workloads", keys: &["pod_namespace", "workload"], expect: workloads },
];

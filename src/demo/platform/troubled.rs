//! What is not well in the clusters whatever the scenario: pods that wait or were killed, nodes half upgraded, a
//! namespace that does not go away. Nothing here draws a random number, and no event or gauge tells of it.

use serde_json::json;

use super::{Place, Table, at, integer, json, text, uuid};
use crate::{
    demo::{
        fleet::{CORDONED, node_name},
        generate::Generator,
        offset::{HOUR, MINUTE},
    },
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;

/// A namespace beside those of the shop.
pub struct Namespace {
    pub name: &'static str,
    /// Numbers of the organisations that have it.
    organizations: &'static [usize],
    /// For how long it has been terminating.
    terminating: Option<i64>,
}

pub const NAMESPACES: [Namespace; 2] = [
    Namespace { name: "kube-system", organizations: &[0, 1, 2], terminating: None },
    Namespace { name: "preview-1482", organizations: &[0], terminating: Some(3 * DAY) },
];

/// A pod beside those of the shop.
pub struct Pod {
    name: &'static str,
    namespace: &'static str,
    app: &'static str,
    organizations: &'static [usize],
    phase: &'static str,
    status: &'static str,
    restarts: i64,
    /// How long ago it was made.
    age: i64,
    /// Number of its node; none while it waits for one.
    node: Option<usize>,
    /// Whether it is ready, and if not, or not always, the reason and what is said of it.
    ready: bool,
    reason: &'static str,
    message: &'static str,
}

const DNS: Pod = Pod {
    name: "coredns-6d8f7b9c54-h2kzd",
    namespace: "kube-system",
    app: "coredns",
    organizations: &[0, 1, 2],
    phase: "Running",
    status: "Running",
    restarts: 0,
    age: 40 * DAY,
    node: Some(0),
    ready: true,
    reason: "",
    message: "",
};

pub const PODS: [Pod; 7] = [
    DNS,
    Pod { name: "coredns-6d8f7b9c54-wq7tv", node: Some(2), ..DNS },
    Pod {
        name: "report-cache-0",
        namespace: "fulfilment",
        app: "report-cache",
        organizations: &[0],
        restarts: 23,
        age: 9 * DAY,
        node: Some(1),
        reason: "OOMKilled",
        message: "exit code 137",
        ..DNS
    },
    Pod {
        name: "invoice-export-29384640-kx7p2",
        namespace: "fulfilment",
        app: "invoice-export",
        organizations: &[0, 1],
        phase: "Failed",
        status: "Error",
        age: 14 * HOUR,
        node: Some(1),
        ready: false,
        reason: "Error",
        message: "exit code 1",
        ..DNS
    },
    Pod {
        name: "reranker-training-0",
        namespace: "shop",
        app: "reranker-training",
        organizations: &[0],
        phase: "Pending",
        status: "Pending",
        age: 5 * HOUR + 12 * MINUTE,
        node: None,
        ready: false,
        reason: "Unschedulable",
        message: "0/4 nodes are available: 1 node(s) were unschedulable, 3 node(s) didn't find available persistent \
                  volumes to bind.",
        ..DNS
    },
    Pod {
        name: "thumbnails-7c94d5b8f6-9xw2n",
        namespace: "shop",
        app: "thumbnails",
        organizations: &[1],
        phase: "Pending",
        status: "ImagePullBackOff",
        age: 2 * DAY,
        node: Some(3),
        ready: false,
        reason: "ImagePullBackOff",
        message: "manifest for thumbnails:v0.9.1 not found",
        ..DNS
    },
    Pod {
        name: "price-import-1",
        namespace: "shop",
        app: "price-import",
        organizations: &[2],
        status: "CrashLoopBackOff",
        restarts: 311,
        age: 6 * DAY,
        node: Some(3),
        ready: false,
        reason: "CrashLoopBackOff",
        message: "back-off 5m0s restarting failed container",
        ..DNS
    },
];

impl Namespace {
    pub fn is_in(&self, place: &Place<'_>) -> bool {
        self.organizations.contains(&place.fleet.organization.index)
    }
}

impl Pod {
    pub fn is_in(&self, place: &Place<'_>) -> bool {
        self.organizations.contains(&place.fleet.organization.index)
    }
}

/// Status of a namespace, and for how long it has had it where that is known.
pub fn namespace(name: &str) -> (&'static str, Option<i64>) {
    let terminating = NAMESPACES.iter().find(|space| space.name == name).and_then(|space| space.terminating);
    (if terminating.is_some() { "Terminating" } else { "Active" }, terminating)
}

/// The tired node of the third organisation; that of the first is half upgraded and takes no new pods.
const TIRED: (usize, usize) = (2, 3);

/// The version of the kubelet where it is not that of the cluster.
pub fn kubelet(place: &Place<'_>, node: usize) -> Option<String> {
    ((place.fleet.organization.index, node) == CORDONED).then(|| "v1.31.9".to_owned())
}

pub fn taints(place: &Place<'_>, node: usize) -> Bind {
    let cordoned = (place.fleet.organization.index, node) == CORDONED;
    json(if cordoned {
        json!([{ "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule" }])
    } else {
        json!([])
    })
}

pub fn node_conditions(place: &Place<'_>, node: usize) -> Bind {
    let pressed = (place.fleet.organization.index, node) == TIRED;
    json(json!([
        { "type": "Ready", "status": "True" },
        { "type": "MemoryPressure", "status": if pressed { "True" } else { "False" } },
    ]))
}

/// The pods of all organisations, in the columns of the table of pods.
pub fn pods(generator: &Generator, table: &mut Table) {
    for place in Place::all(generator) {
        for pod in PODS.iter().filter(|pod| pod.is_in(&place)) {
            let node = pod.node.map(|index| node_name(place.fleet.organization, index));
            let (ready, scheduled) =
                (if pod.ready { "True" } else { "False" }, if node.is_some() { "True" } else { "False" });
            let blocked =
                json!({ "type": "PodScheduled", "status": scheduled, "reason": pod.reason, "message": pod.message });
            let conditions = if node.is_some() {
                json!([{ "type": "Ready", "status": ready }])
            } else {
                json!([blocked, { "type": "Ready", "status": ready }])
            };
            let container = json!([{
                "name": pod.app, "image": format!("{}:stable", pod.app), "reason": pod.reason, "message": pod.message,
            }]);
            table.push([
                uuid(place.id("pod", pod.name)),
                place.organization(),
                place.workspace(),
                uuid(place.fleet.cluster_id),
                uuid(place.id("namespace", pod.namespace)),
                node.map_or(Bind::Null, |node| uuid(place.id("node", &node))),
                text(pod.name),
                text(pod.phase),
                text(pod.status),
                integer(pod.restarts),
                json(container),
                json(conditions),
                json(json!({ "app": pod.app })),
                at(generator.end() - pod.age),
                place.end(),
            ]);
        }
    }
}

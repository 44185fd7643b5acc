//! Clusters of a few rows that a test writes itself: what their types say of them, and that they say nothing of a
//! cluster that is well.

use serde_json::json;

use crate::{
    answers::collect,
    own_rows::{NOON, OWN, insert, over, rows},
};

/// A sample so many minutes before noon.
fn gauge(kind: &str, name: &str, metric: &str, minutes: i64, value: f64) -> String {
    let at = NOON - minutes * 60;
    format!(
        "(fromUnixTimestamp64Milli({at}000), 'c1', '{kind}', '{name}', 'shop', '{metric}', {value}, '{OWN}', \
         fromUnixTimestamp64Milli({at}000))"
    )
}

fn gauges(values: &[String]) -> String {
    let into = "kubernetes_metrics (timestamp, cluster_id, resource_type, resource_name, namespace, metric_name, value, \
         organization_id, ingestion_time)";
    insert(into, values)
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_restart_counts_in_the_window_in_which_its_counter_rose() {
    let mut values = Vec::new();
    // Killed three times before the window and twice in it, the first time between its last sample before and its first.
    for (minutes, count) in [(115, 4.0), (90, 6.0), (61, 7.0), (59, 8.0), (20, 9.0), (5, 9.0)] {
        values.push(gauge("pod", "cart-6d8f7b9c54-h2kzd", "k8s.container.restarts", minutes, count));
    }
    // Restarted long ago, and not since.
    for minutes in [110, 70, 50, 10] {
        values.push(gauge("pod", "old-6d8f7b9c54-h2kzd", "k8s.container.restarts", minutes, 41.0));
    }
    // A pod that was made within the window begins with what it has.
    for (minutes, count) in [(30, 0.0), (10, 1.0)] {
        values.push(gauge("pod", "new-6d8f7b9c54-h2kzd", "k8s.container.restarts", minutes, count));
    }
    let (engine, _kept) = over(&[gauges(&values)], &[]).await;
    let document = collect(&engine, "kubernetes-pods", json!({ "time_range": "1h" })).await;
    let told: Vec<_> = rows(&document, "restarts")
        .iter()
        .map(|row| (row["pod"].clone(), row["restarts"].clone(), row["prev_restarts"].clone()))
        .collect();
    let pod = |name: &str| json!(format!("{name}-6d8f7b9c54-h2kzd"));
    assert_eq!(told, [(pod("cart"), json!(2), json!(3)), (pod("new"), json!(1), json!(0))]);
    let said: Vec<_> = document.highlights.iter().map(|highlight| highlight.text.as_str()).collect();
    assert_eq!(said.len(), 1, "fewer restarts than before are no news: {said:?}");
    assert!(said[0].contains("new-6d8f7b9c54-h2kzd was restarted 1 time in the window"), "{said:?}");
    let document = collect(&engine, "kubernetes-deployments", json!({ "time_range": "1h" })).await;
    assert_eq!(rows(&document, "restarts")[0]["workload"], json!("cart"));
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_volume_is_full_when_its_line_says_so() {
    let gib = f64::from(1 << 30);
    let mut values = Vec::new();
    // Two hours, one GiB each: 22 of 100 GiB are left, which last for 22 hours.
    for minutes in (0..=120).rev().step_by(10) {
        let left = 22.0 + minutes as f64 / 60.0;
        values.push(gauge("volume", "db", "k8s.volume.available", minutes.max(1), left * gib));
        values.push(gauge("volume", "db", "k8s.volume.capacity", minutes.max(1), 100.0 * gib));
        values.push(gauge("volume", "still", "k8s.volume.available", minutes.max(1), 50.0 * gib));
        values.push(gauge("volume", "still", "k8s.volume.capacity", minutes.max(1), 100.0 * gib));
    }
    let (engine, _kept) = over(&[gauges(&values)], &[]).await;
    let document = collect(&engine, "kubernetes-pv", json!({ "time_range": "1h" })).await;
    let filling = rows(&document, "filling");
    assert_eq!(filling[0]["claim"], json!("db"), "{filling:?}");
    // 22 GiB at 24.2 GiB a day.
    assert_eq!(filling[0]["full_in_days"], json!(0.909), "{filling:?}");
    assert_eq!((filling[0]["used_pct"].clone(), filling[0]["prev_used_pct"].clone()), (json!(78.0), json!(76.83)));
    assert_eq!((&filling[1]["claim"], &filling[1]["full_in_days"]), (&json!("still"), &json!(null)), "{filling:?}");
    assert_eq!(document.highlights.len(), 1, "{:?}", document.highlights);
}

const WELL: &str = "\
    INSERT INTO kubernetes_clusters (id, organization_id, name, status, version) VALUES
        ('c1', 'OWN', 'prod', 'healthy', 'v1.33.1');
    INSERT INTO kubernetes_namespaces (id, organization_id, cluster_id, name, status) VALUES
        ('n1', 'OWN', 'c1', 'shop', 'Active');
    INSERT INTO kubernetes_nodes (id, organization_id, cluster_id, name, status, kubelet_version, conditions) VALUES
        ('m1', 'OWN', 'c1', 'node-1', 'Ready', 'v1.33.1', '[{\"type\":\"Ready\",\"status\":\"True\"}]');
    INSERT INTO kubernetes_deployments
        (id, organization_id, cluster_id, namespace_id, name, replicas, ready_replicas, available_replicas) VALUES
        ('d1', 'OWN', 'c1', 'n1', 'cart', 1, 1, 1), ('d2', 'OWN', 'c1', 'n1', 'nightly', 0, 0, 0);
    INSERT INTO kubernetes_pods
        (id, organization_id, cluster_id, namespace_id, node_id, name, phase, status, conditions, containers) VALUES
        ('p1', 'OWN', 'c1', 'n1', 'm1', 'cart-6d8f7b9c54-h2kzd', 'Running', 'Running',
            '[{\"type\":\"Ready\",\"status\":\"True\"}]', '[]'),
        ('p2', 'OWN', 'c1', 'n1', 'm1', 'nightly-1-xx', 'Succeeded', 'Completed', '{\"not\":\"a list\"}', '\"nor this\"');
    INSERT INTO kubernetes_services (id, organization_id, cluster_id, namespace_id, name, type, endpoint_count) VALUES
        ('s1', 'OWN', 'c1', 'n1', 'cart', 'ClusterIP', 1);
    INSERT INTO kubernetes_hpas (id, organization_id, cluster_id, namespace_id, name, target_kind, target_name,
        min_replicas, max_replicas, current_replicas, desired_replicas) VALUES
        ('h1', 'OWN', 'c1', 'n1', 'cart', 'Deployment', 'cart', 1, 5, 1, 1);";

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn of_a_cluster_that_is_well_nothing_is_said() {
    let mut values = Vec::new();
    for minutes in (1..120).step_by(5) {
        values.push(gauge("node", "node-1", "k8s.node.cpu.utilization", minutes, 0.4));
        values.push(gauge("node", "node-1", "k8s.node.memory.utilization", minutes, 0.5));
        values.push(gauge("pod", "cart-6d8f7b9c54-h2kzd", "k8s.pod.memory.limit_utilization", minutes, 0.6));
        values.push(gauge("pod", "cart-6d8f7b9c54-h2kzd", "k8s.container.restarts", minutes, 2.0));
    }
    let well = WELL.replace("OWN", OWN);
    let (engine, _kept) = over(&[gauges(&values)], &[&well]).await;
    let types: Vec<String> =
        engine.catalog().contexts.keys().filter(|name| name.starts_with("kubernetes-")).cloned().collect();
    assert!(types.len() >= 12, "{types:?}");
    for name in types {
        let document = collect(&engine, &name, json!({ "time_range": "1h" })).await;
        for section in &document.sections {
            assert!(!section.status.is_problem(), "{name}/{}: {:?}", section.name, section.message);
        }
        assert!(document.highlights.is_empty(), "{name}: {:?}", document.highlights);
    }
    // By its name a cluster is found in both databases.
    for cluster in ["prod", "c1"] {
        let document = collect(&engine, "kubernetes-nodes", json!({ "filters": { "cluster": cluster } })).await;
        assert_eq!(rows(&document, "nodes")[0]["cpu_pct"], json!(40.0), "{}", document.summary);
    }
    let document = collect(&engine, "kubernetes-nodes", json!({ "filters": { "cluster": "staging" } })).await;
    assert!(rows(&document, "nodes").is_empty() && rows(&document, "spread").is_empty(), "{}", document.summary);
}

//! What is wrong with a network, a control plane or a status page in the demo is told by name and number, what is
//! well raises nothing, and sums equal those of the generator's events.

use serde_json::{Value, json};
use tfo_mcp::{
    demo::{
        event::Scraped,
        offset::{HOUR, MINUTE},
        oracle::Window,
    },
    engine::Document,
};

use crate::answers::{collect, filled, over_http};

fn told(document: &Document) -> String {
    document.highlights.iter().map(|highlight| format!("{highlight:?}\n")).collect()
}

/// The numbers of a column of a section.
fn numbers(document: &Document, section: &str, column: &str) -> Vec<f64> {
    let section = document.sections.iter().find(|one| one.name == section).unwrap();
    let index = section.columns.iter().position(|one| one.name == column).unwrap();
    section.rows.iter().filter_map(|row| row[index].as_f64()).collect()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_is_wrong_is_told_by_name_and_number() {
    let filled = filled().await;
    // The organisation, the type, and what its highlights say.
    let expected: [(usize, &str, &[&str]); 9] = [
        (0, "kubernetes-api-server", &["admissionregistration.k8s.io/v1beta1", "1.34"]),
        (0, "status-page", &["Exports are late", "for 26 h"]),
        (1, "kubernetes-api-server", &["The store of kestrel-prod-iad takes", "for update", "PUT takes"]),
        (1, "network-map-firewall", &["leads past every firewall to kestrel-prod-iad-node-2", "30090"]),
        (1, "status-page", &["Some card payments fail", "major"]),
        (2, "kubernetes-api-server", &["LIST secrets were turned away with 429", "workload-low were rejected"]),
        (2, "kubernetes-coredns", &["10.22.1.3:9153 answers", "SERVFAIL", "10.22.0.2:53"]),
        (2, "infra-load-balancer", &["saffron-prod-bom-node-4 is degraded and still has 24"]),
        (2, "status-page", &["Saffron Street Foods status says major_outage and has no open incident"]),
    ];
    for (index, name, shows) in expected {
        let engine = over_http(filled, &filled.generator.world.organizations[index].id_text);
        let document = collect(&engine, name, json!({ "time_range": "1h" })).await;
        let told = told(&document);
        for text in shows {
            assert!(told.contains(text), "{name} of {index} does not say `{text}`:\n{told}");
        }
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_network_and_a_control_plane_that_are_well_raise_nothing() {
    let filled = filled().await;
    let engine = over_http(filled, &filled.generator.world.organizations[0].id_text);
    for name in ["network-map-dns", "network-map-firewall", "kubernetes-coredns", "infra-dns", "platform-performance"] {
        for range in ["1h", "6h", "24h"] {
            let document = collect(&engine, name, json!({ "time_range": range })).await;
            assert!(document.highlights.is_empty(), "{name} {range}: {}", told(&document));
        }
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn answers_of_name_servers_and_carried_bytes_equal_the_events() {
    let filled = filled().await;
    let generator = &filled.generator;
    let window = Window::last(generator, 2 * HOUR);
    for organization in &generator.world.organizations {
        let engine = over_http(filled, &organization.id_text);
        let own = generator.units().filter(|unit| unit.organization == organization.index);
        let batches: Vec<_> = own.filter_map(|unit| generator.batch(unit)).collect();
        let in_window = |time: i64| time >= window.from && time < window.to;

        let dns = collect(&engine, "kubernetes-coredns", json!({ "time_range": "2h" })).await;
        let scraped = batches.iter().flat_map(|batch| &batch.scraped);
        let counts: Vec<_> = scraped.filter(|one| one.name == "coredns_dns_responses_total").collect();
        let counted = rises(&counts, &in_window);
        assert!(counted > 1000.0);
        assert_eq!(numbers(&dns, "answers", "answers").iter().sum::<f64>(), counted, "{}", organization.spec.name);

        let traffic = collect(&engine, "network-map-traffic", json!({ "time_range": "2h" })).await;
        let links = batches.iter().flat_map(|batch| &batch.link_traffic).filter(|link| in_window(link.timestamp));
        let bytes: u64 = links.map(|link| link.bytes_sent + link.bytes_received).sum();
        let shown: f64 = numbers(&traffic, "links", "carried_mib").iter().sum();
        let carried = bytes as f64 / f64::from(1 << 20);
        assert!((shown / carried - 1.0).abs() < 1e-3, "{shown} of {carried} MiB");
    }
}

/// What counters rose by in the window, from sample to sample of each series.
fn rises(samples: &[&Scraped], in_window: &dyn Fn(i64) -> bool) -> f64 {
    let mut last: std::collections::HashMap<String, f64> = std::collections::HashMap::new();
    let mut total = 0.0;
    for sample in samples {
        let series = format!("{:?}", sample.labels);
        if let Some(before) = last.insert(series, sample.value).filter(|_| in_window(sample.timestamp)) {
            total += sample.value - before;
        }
    }
    total
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_counter_that_begins_anew_is_counted_from_nought_and_its_first_sample_not_at_all() {
    let database = crate::support::clickhouse::clickhouse().await;
    let generator = &filled().await.generator;
    let schema = tfo_mcp::demo::schema::statements(tfo_mcp::demo::schema::CLICKHOUSE);
    for statement in schema.iter().filter(|text| text.starts_with("CREATE TABLE prometheus_metrics")) {
        database.source.execute(statement).await.unwrap();
    }
    let organization = &generator.world.organizations[0].id_text;
    let end = generator.end();
    // 50, then 20 more, then a restart and 7, and 4 more.
    let rows: Vec<String> = [(20, 50), (15, 70), (10, 7), (5, 11)]
        .iter()
        .map(|(before, value)| {
            let at = (end - before * MINUTE) / 1_000_000_000;
            format!(
                "(toDateTime64({at}, 3), 'coredns_dns_responses_total', map('instance', 'a', 'rcode', 'NOERROR'), \
                 {value}, '{organization}', '', '', '', now64(3))"
            )
        })
        .collect();
    let insert = format!(
        "INSERT INTO prometheus_metrics (timestamp, metric_name, labels, value, organization_id, workspace_id, \
         tenant_id, ingestion_source, ingestion_time) VALUES {}",
        rows.join(", ")
    );
    database.source.execute(&insert).await.unwrap();
    let engine = crate::answers::engine_of(
        crate::support::pack::catalog(&[], &tfo_mcp::catalog::CatalogOptions::default()),
        tfo_mcp::source::clickhouse::ClickHouse::remote(database.config),
        crate::answers::postgres_source(&filled().await.postgres),
        organization,
    );
    let document = collect(&engine, "kubernetes-coredns", json!({ "time_range": "1h" })).await;
    assert_eq!(numbers(&document, "answers", "answers"), [31.0]);
    let section = document.sections.iter().find(|one| one.name == "answers").unwrap();
    assert!(section.rows[0].contains(&Value::from("NOERROR")));
}

//! What documents say of windows in which nothing happened, or so little that chance explains it.

use serde_json::{Value, json};
use tfo_mcp::engine::Document;

use crate::{
    answers::collect,
    own_rows::{NOON, OWN, insert, over, rows},
};

/// What is written in sentences of a document.
fn sentences(document: &Document) -> String {
    let highlights = document.highlights.iter().map(|highlight| highlight.text.as_str());
    [document.summary.as_str()].into_iter().chain(highlights).collect::<Vec<_>>().join("\n")
}

fn between(start: &str, end: &str) -> Value {
    json!({ "start": format!("2026-11-20T{start}Z"), "end": format!("2026-11-20T{end}Z") })
}

/// A request to `web` at each of these seconds before noon, and a call from it to `auth` where that says so.
fn traffic(requests: &[(i64, bool)]) -> String {
    let into = "traces (timestamp, trace_id, span_id, parent_span_id, span_name, span_kind, service_name, status_code, \
                duration_ns, organization_id)";
    let mut values = Vec::new();
    for (before, calls) in requests {
        let at = format!("fromUnixTimestamp64Milli({}500)", NOON - before);
        let mut span = |id: &str, parent: &str, kind: &str, service: &str| {
            values.push(format!(
                "({at}, 't{before}', '{id}{before}', '{parent}', 'GET /', '{kind}', '{service}', 'OK', 5000000, '{OWN}')"
            ));
        };
        span("w", "", "SERVER", "web");
        if *calls {
            span("c", &format!("w{before}"), "CLIENT", "web");
            span("a", &format!("c{before}"), "SERVER", "auth");
        }
    }
    insert(into, &values)
}

#[tokio::test]
async fn an_edge_that_is_missing_by_chance_has_not_vanished() {
    // In the second before half past one call; in the minute before the last one four, and none in that.
    let mut requests: Vec<(i64, bool)> = (1..=60).map(|second| (second, false)).collect();
    requests.extend((61..=120).map(|second| (second, second % 15 == 1)));
    let (engine, _kept) = over(&[traffic(&requests)], &[]).await;
    let edge = async |start: &str, end: &str| {
        let document = collect(&engine, "dependencies", between(start, end)).await;
        (rows(&document, "edges")[0]["edge"].clone(), sentences(&document))
    };
    let (found, said) = edge("11:58:59", "11:59:00").await;
    assert_eq!(found, "known", "{said}");
    let (found, said) = edge("11:59:00", "11:59:01").await;
    assert_eq!(found, "known", "{said}");
    assert!(!said.contains("no longer calls") && !said.contains("New dependency"), "{said}");
    let (found, said) = edge("11:59:00", "12:00:00").await;
    assert_eq!(found, "vanished", "{said}");
    assert!(said.contains("web no longer calls auth; calls before: 4"), "{said}");
}

#[tokio::test]
async fn a_metric_between_two_of_its_samples_has_not_stopped() {
    let into = "metrics (timestamp, metric_name, metric_type, value, service_name, organization_id, metric_attributes)";
    let gauge = |name: &str, every: usize, pods: usize| {
        let times = (NOON - 3600 + 55..NOON).step_by(every);
        let values: Vec<String> = times
            .flat_map(|at| {
                (0..pods).map(move |pod| {
                    format!(
                        "(fromUnixTimestamp64Milli({at}000), '{name}', 'gauge', 5, 'shop', '{OWN}', {{'pod': '{pod}'}})"
                    )
                })
            })
            .collect();
        insert(into, &values)
    };
    // One pod is sampled every five seconds, so that there are data at all.
    let (engine, _kept) = over(&[gauge("heap", 60, 5), gauge("threads", 5, 1)], &[]).await;
    let document = collect(&engine, "metrics", between("11:59:00", "11:59:10")).await;
    assert_eq!(rows(&document, "silent"), [Value::Null; 0], "{}", document.summary);
    assert!(!sentences(&document).contains("stopped reporting"), "{}", sentences(&document));
}

#[tokio::test]
async fn of_a_time_without_data_nothing_is_certain() {
    let host = format!(
        "INSERT INTO vm_metrics (timestamp, vm_id, metric_name, value, unit, labels, organization_id) VALUES \
         (fromUnixTimestamp64Milli({}000), '00000000-0000-4000-8000-000000000009', 'system.memory.utilization', 0.5, '1', \
         {{'host.name': 'h'}}, '{OWN}')",
        NOON - 60
    );
    let event = format!(
        "INSERT INTO audit_logs (id, timestamp, user_id, user_email, event_type, action, result, ip_address, \
         organization_id) VALUES (generateUUIDv4(), fromUnixTimestamp64Milli({}000), 'u', 'a@shop.example', 'DATA', \
         'dashboard.update', 'SUCCESS', '10.0.0.1', '{OWN}')",
        NOON - 60
    );
    let (engine, _kept) = over(&[host, event], &[]).await;
    let past = json!({ "start": "2026-11-10T03:00:00Z", "end": "2026-11-10T04:00:00Z" });
    for (context_type, begin) in [
        ("infra-memory", "Metrics of hosts begin at 2026-11-20T11:59:00Z UTC, after this window."),
        ("security-access", "Audited events begin at 2026-11-20T11:59:00Z UTC, after this window."),
    ] {
        let said = sentences(&collect(&engine, context_type, past.clone()).await);
        assert!(said.contains(begin), "{context_type}: {said}");
        for wrong in ["Nothing was killed", "No account acted", "begin again"] {
            assert!(!said.contains(wrong), "{context_type}: {said}");
        }
    }
    // One that did something and of whom nobody knows what came before.
    let said = sentences(&collect(&engine, "security-access", json!({ "time_range": "1h" })).await);
    assert!(said.contains("Accounts that acted: 1, of which with events about data or rights 1;"), "{said}");
    assert!(said.contains("with 1. Addresses") && !said.contains("0 in the window before"), "{said}");
}

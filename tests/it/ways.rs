//! The ways on which a reader on call goes, over the demo's incident and over rows that a test wrote: they reach the cause,
//! two documents about one thing say the same, and nothing is told to look at where nothing is wrong.

use serde_json::{Value, json};
use tfo_mcp::engine::{Document, Engine, NextCall};

use crate::{
    answers::{collect, filled, on_this_machine},
    own_rows::{NOON, OWN, insert, over, requests, rows},
};

async fn demo() -> Engine {
    let filled = filled().await;
    on_this_machine(filled, &filled.generator.world.organizations[0].id_text)
}

fn last_hour() -> Value {
    json!({ "time_range": "1h", "max_items": 20 })
}

/// The context type and the service of each step.
fn steps(document: &Document) -> Vec<(String, String)> {
    let of = |step: &NextCall| {
        let text = |name: &str| step.arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = match text("context_type") {
            name if name.is_empty() => step.tool.clone(),
            name => name,
        };
        (name, text("service_name"))
    };
    document.next.iter().map(of).collect()
}

fn highlights(document: &Document) -> Vec<String> {
    document.highlights.iter().map(|remark| remark.text.clone()).collect()
}

fn leads(document: &Document, context_type: &str, service: &str) {
    let steps = steps(document);
    assert!(steps.contains(&(context_type.to_owned(), service.to_owned())), "{steps:?}");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn ways_from_databases_pods_and_traces_reach_the_full_pool_and_its_service() {
    let engine = demo().await;
    leads(&collect(&engine, "db-overview", last_hour()).await, "db-connections", "checkout");
    // An empty document is no end of the way: its database is quick because its callers wait before they ask.
    let slow = json!({ "time_range": "1h", "filters": { "database": "checkout-db" } });
    let slow = collect(&engine, "db-slow-queries", slow).await;
    assert!(rows(&slow, "statements").is_empty(), "{}", slow.summary);
    assert_eq!(steps(&slow), [("db-connections".to_owned(), "checkout".to_owned())]);
    // From the pod that is not ready to the service of its label.
    let pods = collect(&engine, "kubernetes-pods", last_hour()).await;
    leads(&pods, "service-health", "checkout");
    leads(&pods, "change-events", "checkout");
    let deployments = collect(&engine, "kubernetes-deployments", last_hour()).await;
    leads(&deployments, "service-health", "checkout");
    leads(&deployments, "deployment", "checkout");
    leads(&collect(&engine, "kubernetes-events", last_hour()).await, "service-health", "checkout");
    // From a request that got no connection to the pool.
    let errors = collect(&engine, "errors", last_hour()).await;
    let asked = errors.next[0].arguments.clone();
    let failed = collect(&engine, "trace", Value::Object(asked)).await;
    assert_eq!(steps(&failed)[0], ("db-connections".to_owned(), "checkout".to_owned()), "{}", failed.summary);
    let pool = collect(&engine, "db-connections", json!({ "time_range": "1h", "service_name": "checkout" })).await;
    assert!(highlights(&pool).iter().any(|text| text.contains("ran full")), "{:?}", highlights(&pool));
}

/// Three hours before the incident. What is told to look at there, nobody has a reason for.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn nothing_is_told_to_look_at_where_nothing_is_wrong() {
    let engine = demo().await;
    let end = filled().await.generator.end();
    let hour = 3_600_000_000_000_i64;
    let quiet = json!({ "start": crate::answers::stamp(end - 4 * hour), "end": crate::answers::stamp(end - 3 * hour) });
    for name in ["db-overview", "db-queries", "db-slow-queries", "db-connections", "correlations", "saturation"] {
        let document = collect(&engine, name, quiet.clone()).await;
        assert_eq!(steps(&document), [], "{name}: {:?}", highlights(&document));
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn uptime_names_the_monitors_that_the_status_page_names() {
    let engine = demo().await;
    // What fails at the end of the window is the same on both.
    let names = |document: &Document, said: &str| {
        let of = |text: &String| text.split_once(said).map(|(name, _)| name.replace('`', ""));
        let mut names: Vec<String> = highlights(document).iter().filter_map(of).collect();
        names.sort();
        names.dedup();
        names
    };
    let page = collect(&engine, "status-page", json!({ "time_range": "1h" })).await;
    let failing: Vec<String> =
        rows(&page, "failing").iter().map(|row| row["monitor_label"].as_str().unwrap().to_owned()).collect();
    let uptime = collect(&engine, "uptime", json!({ "time_range": "1h" })).await;
    let mut expected = failing.clone();
    expected.sort();
    assert!(!expected.is_empty(), "{}", page.summary);
    assert_eq!(names(&uptime, " fails at the end of the window"), expected);
    assert!(
        uptime.summary.contains(&format!("Fail at the end of the window: {}.", expected.len())),
        "{}",
        uptime.summary
    );
    for outage in rows(&uptime, "outages") {
        assert_eq!(outage["is_over"] == "no", outage["lasted_to"].is_null(), "{outage}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn the_value_of_an_alert_is_as_old_as_it_is() {
    let engine = demo().await;
    // A value is as old as it is.
    let alerts = collect(&engine, "alert", last_hour()).await;
    for row in rows(&alerts, "active").iter().filter(|row| row["severity"] == "critical" && row["status"] == "firing") {
        let said = format!("as of {}", row["updated_at"].as_str().unwrap().trim_end_matches(".000Z"));
        assert!(highlights(&alerts).iter().any(|text| text.contains(&said)), "{row}: {:?}", highlights(&alerts));
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn failures_lead_to_the_first_of_them_and_its_steps_are_said_once() {
    let engine = demo().await;
    // How it began is the first of them, not the newest.
    let errors = collect(&engine, "errors", last_hour()).await;
    let origin = &rows(&errors, "origins")[0];
    assert_ne!(origin["first_trace_id"], origin["sample_trace_id"]);
    assert_eq!(errors.next[0].arguments["trace_id"], origin["first_trace_id"]);
    let of_first = json!({ "trace_id": origin["first_trace_id"], "time_range": "1h" });
    let trace = collect(&engine, "trace", of_first).await;
    // A span of a step is said once, with the sum of all of them.
    let own: Vec<String> = highlights(&trace).into_iter().filter(|text| text.contains("of all own time")).collect();
    let mut said: Vec<&str> = own.iter().filter_map(|text| Some(text.split_once("is spent in ")?.1)).collect();
    let all = said.len();
    said.dedup();
    assert_eq!(said.len(), all, "{own:?}");
    let spans = rows(&trace, "spans");
    let pool =
        spans.iter().filter(|row| row["span_name"] == "HikariPool.getConnection" && row["service_name"] == "checkout");
    let share: f64 = pool.map(|row| row["own_pct"].as_f64().unwrap()).sum();
    let told: f64 = own[0].split_once(' ').unwrap().0.parse().unwrap();
    assert!((told - share).abs() < 0.1, "{told} {share}: {own:?}");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn the_strongest_anomaly_leads_and_not_what_another_section_has_first() {
    let engine = demo().await;
    let anomalies = collect(&engine, "anomalies", last_hour()).await;
    assert_eq!(rows(&anomalies, "events")[0]["affected_service"], "checkout");
    assert_eq!(steps(&anomalies)[0], ("service-health".to_owned(), "checkout".to_owned()));
}

/// A step of 40 ms each minute, 60 of them in the hour before and 60 in this one; and one that is new in this hour: in its first
/// ten minutes 200 ms, then 2 s, ten of each minute.
fn steps_of_a_shop() -> String {
    let into = "traces (timestamp, trace_id, span_id, parent_span_id, span_name, span_kind, service_name, status_code, \
         duration_ns, organization_id)";
    let mut values = Vec::new();
    let mut span = |at: i64, id: String, parent: String, name: &str, kind: &str, ms: i64| {
        values.push(format!(
            "(fromUnixTimestamp64Milli({at}000), 't{}', '{id}', '{parent}', '{name}', '{kind}', 'shop', 'OK', {}, '{OWN}')",
            id.trim_start_matches(char::is_alphabetic),
            ms * 1_000_000
        ));
    };
    for nth in 0..120 {
        let at = NOON - 7200 + nth * 60;
        for part in 0..10 {
            let id = nth * 10 + part;
            span(at + part, format!("r{id}"), String::new(), "GET /cart", "SERVER", 2500);
            if part == 0 {
                span(at + part, format!("a{id}"), format!("r{id}"), "render", "INTERNAL", 40);
            }
            if nth >= 60 {
                let ms = if nth < 70 { 200 } else { 2000 };
                span(at + part, format!("w{id}"), format!("r{id}"), "Pool.acquire", "INTERNAL", ms);
            }
        }
    }
    insert(into, &values)
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn own_time_is_counted_in_one_way_and_what_was_absent_is_not_usual() {
    let (engine, _kept) = over(&[steps_of_a_shop()], &[]).await;
    let latency = collect(&engine, "latency", json!({ "time_range": "1h" })).await;
    let step = |name: &str| rows(&latency, "own_time").into_iter().find(|row| row["step_name"] == name).unwrap();
    // 100 calls of 0.2 s and 500 of 2 s; the median alone would make 1200 s of them.
    let added: f64 = 100.0 * 0.2 + 500.0 * 2.0;
    assert!((step("Pool.acquire")["extra_s"].as_f64().unwrap() - added).abs() < 1e-6, "{}", step("Pool.acquire"));
    // As many as before, each as long.
    assert!(step("render")["extra_s"].as_f64().unwrap().abs() < 1e-6, "{}", step("render"));
    let dependencies = collect(&engine, "dependencies", json!({ "time_range": "1h" })).await;
    let inner = rows(&dependencies, "inner");
    let whole = inner.iter().find(|row| row["step"] == "Pool.acquire").unwrap();
    assert!((whole["total_s"].as_f64().unwrap() - added).abs() < 1e-6, "{whole}");
    assert!(latency.summary.contains("1020 s, absent before"), "{}", latency.summary);
    // Its first ten minutes are no usual time.
    let stretch = rows(&latency, "stretches").into_iter().find(|row| row["step_name"] == "Pool.acquire").unwrap();
    assert_eq!(stretch["usual_own_ms"], Value::Null, "{stretch}");
    let said = highlights(&latency);
    let said: Vec<&String> = said.iter().filter(|text| text.contains("Pool.acquire")).collect();
    assert!(said.iter().all(|text| !text.contains("usually")), "{said:?}");
    assert!(said.iter().any(|text| text.contains("absent before the window")), "{said:?}");
    leads(&latency, "db-connections", "shop");
}

/// Where nothing was recorded before, nobody knows that a step was absent then.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_step_of_a_service_without_a_before_is_not_called_absent() {
    let (engine, _kept) = over(&[requests("other", "v1", 7200, 0, 60, false), steps_of_a_shop()], &[]).await;
    let latency = collect(&engine, "latency", json!({ "time_range": "2h" })).await;
    for row in rows(&latency, "stretches") {
        assert!(!row["usual_own_ms"].is_null() || !row["over_ms"].is_null(), "{row}");
    }
}

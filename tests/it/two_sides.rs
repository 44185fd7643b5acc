//! The tool `compare`: shares of rows that a test wrote, their intervals computed here again, and what must not win.

use serde_json::{Value, json};
use tfo_mcp::engine::{Call, Document, Engine, Outcome};

use crate::{
    answers::collect,
    own_rows::{NOON, OWN, insert, over, rows},
};

/// The document behind the tool's answer, which says the same.
async fn compared(engine: &Engine, arguments: Value) -> Document {
    let sides = arguments.as_object().cloned().unwrap();
    let answer = engine.call_tool("compare", sides, &Call::default()).await.and_then(Outcome::done).unwrap();
    let document = collect(engine, "compare", json!({ "filters": arguments })).await;
    let text = answer.text();
    assert!(text.contains(&document.summary), "{text}");
    document
}

/// A request `n`: when, in seconds before noon, whether it failed, its milliseconds, version and coupon, and what it called.
struct Request {
    at: i64,
    failed: bool,
    ms: i64,
    version: &'static str,
    coupon: bool,
    calls: &'static str,
}

fn written(requests: &[Request]) -> Vec<String> {
    let into = "traces (timestamp, trace_id, span_id, parent_span_id, span_name, span_kind, service_name, status_code, \
         duration_ns, organization_id, span_attributes, resource_attributes)";
    let mut values = Vec::new();
    for (n, request) in requests.iter().enumerate() {
        let Request { at, failed, ms, version, coupon, calls } = request;
        let at = NOON - at;
        let status = if *failed { "ERROR" } else { "OK" };
        let coupon = if *coupon { ", 'coupon': 'SUMMER'" } else { "" };
        values.push(format!(
            "(fromUnixTimestamp64Milli({at}000), 'trace-{n}', 's{n}', '', 'GET /', 'SERVER', 'shop', '{status}', {}, \
             '{OWN}', {{'request.id': 'id-{n}'{coupon}}}, {{'service.version': '{version}'}})",
            ms * 1_000_000
        ));
        values.push(format!(
            "(fromUnixTimestamp64Milli({at}001), 'trace-{n}', 'c{n}', 's{n}', 'call', 'CLIENT', 'shop', 'UNSET', 1000, \
             '{OWN}', {{'peer.service': '{calls}'}}, {{}})"
        ));
    }
    vec![insert(into, &values)]
}

/// 200 failed requests, 180 of them of v2 and 150 with a coupon; 800 good ones, 80 of them of v2. Those of v2 are slow.
/// Failed ones call another thing. All within the last hour; in the hour before 300 of v1.
fn requests() -> Vec<Request> {
    let mut all = Vec::new();
    for n in 0..200 {
        let version = if n < 180 { "v2" } else { "v1" };
        let ms = if version == "v2" { 1500 } else { 20 };
        all.push(Request { at: 10 + n, failed: true, ms, version, coupon: n % 4 != 0, calls: "fallback" });
    }
    for n in 0..800 {
        let version = if n < 80 { "v2" } else { "v1" };
        let ms = if version == "v2" { 1500 } else { 20 };
        all.push(Request { at: 1000 + n, failed: false, ms, version, coupon: false, calls: "stock" });
    }
    for n in 0..300 {
        all.push(Request { at: 4000 + n, failed: false, ms: 20, version: "v1", coupon: false, calls: "stock" });
    }
    all
}

/// The difference of two shares in points with its 99 % interval after Agresti and Caffo.
fn interval(a: f64, of_a: f64, b: f64, of_b: f64) -> (f64, f64, f64) {
    let (p, q) = ((a + 1.0) / (of_a + 2.0), (b + 1.0) / (of_b + 2.0));
    let error = (p * (1.0 - p) / (of_a + 2.0) + q * (1.0 - q) / (of_b + 2.0)).sqrt();
    (100.0 * (a / of_a - b / of_b), 100.0 * (p - q - 2.576 * error), (100.0 * (p - q + 2.576 * error)).min(100.0))
}

fn of_key<'r>(found: &'r [Value], key: &str, value: &str) -> &'r Value {
    let row = found.iter().find(|row| row["key"] == key && row["value"] == value);
    row.unwrap_or_else(|| panic!("{key} {value} in {found:#?}"))
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_separates_two_sides_is_named_with_its_share_and_its_interval() {
    let (engine, _kept) = over(&written(&requests()), &[]).await;
    let document =
        compared(&engine, json!({ "a": { "service_name": "shop", "status": "error" }, "b": { "status": "ok" } })).await;
    let sides = rows(&document, "sides");
    assert_eq!((&sides[0]["requests"], &sides[1]["requests"]), (&json!(200), &json!(800)), "{}", document.summary);
    let found = rows(&document, "differences");
    for (key, value, a, b, key_in) in [
        ("service.version", "v2", 180.0, 80.0, "both"),
        ("coupon", "SUMMER", 150.0, 0.0, "a only"),
        ("calls", "fallback", 200.0, 0.0, "both"),
    ] {
        let row = of_key(&found, key, value);
        let (difference, low, high) = interval(a, 200.0, b, 800.0);
        for (column, expected) in [
            ("a_requests", a),
            ("b_requests", b),
            ("a_pct", a / 2.0),
            ("b_pct", b / 8.0),
            ("difference", difference),
            ("low", low),
            ("high", high),
        ] {
            let seen = row[column].as_f64().unwrap();
            assert!((seen - expected).abs() <= 0.051, "{key} {column}: {seen}, computed {expected}");
        }
        assert_eq!(row["key_in"], key_in, "{row}");
    }
    // Each request has an id of its own: as many values as requests separate nothing.
    assert!(found.iter().all(|row| row["key"] != "request.id"), "{found:#?}");
    // What was asked of the sides is no finding, and what is so of both separates nothing.
    assert!(found.iter().all(|row| row["key"] != "status"), "{found:#?}");
    assert!(found.iter().all(|row| row["key"] != "operation"), "{found:#?}");
    assert!(document.highlights.iter().any(|said| said.text.contains("a only")), "{:?}", document.highlights);
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn slow_ones_versions_and_windows_are_sides_too() {
    let (engine, _kept) = over(&written(&requests()), &[]).await;
    let counted = |document: &Document| -> Vec<u64> {
        rows(document, "sides").iter().map(|row| row["requests"].as_u64().unwrap()).collect()
    };
    // Slow against fast.
    let slow = json!({ "a": { "min_duration_ms": 1000 }, "b": { "max_duration_ms": 100 } });
    let document = compared(&engine, slow).await;
    assert_eq!(counted(&document), [260, 740]);
    assert_eq!(of_key(&rows(&document, "differences"), "service.version", "v2")["a_pct"], json!(100.0));
    // Version against version.
    let version = |of: &str| json!([{ "key": "service.version", "value": of }]);
    let document =
        compared(&engine, json!({ "a": { "attributes": version("v2") }, "b": { "attributes": version("v1") } })).await;
    assert_eq!(counted(&document), [260, 740]);
    let found = rows(&document, "differences");
    assert_eq!(of_key(&found, "status", "ERROR")["a_requests"], json!(180));
    assert!(found.iter().all(|row| row["key"] != "service.version"), "{found:#?}");
    // A window against the one before it, and against one that is named.
    let document = compared(&engine, json!({ "a": { "service": "shop" } })).await;
    assert_eq!(counted(&document), [1000, 300], "{}", document.summary);
    let windows = json!({
        "a": { "start": "2026-11-20T10:45:00Z", "end": "2026-11-20T11:00:00Z" },
        "b": { "start": "2026-11-20T11:45:00Z" },
    });
    let document = compared(&engine, windows).await;
    // 4,000 to 4,299 seconds before noon, and the 200 failed ones of the last quarter of an hour.
    assert_eq!(counted(&document), [300, 200], "{}", document.summary);
    assert_eq!(of_key(&rows(&document, "differences"), "coupon", "SUMMER")["key_in"], "b only");
    // The same on both sides, and nothing on one.
    let document = compared(&engine, json!({ "a": { "status": "error" }, "b": { "status": "error" } })).await;
    assert!(
        document.summary.contains("200 requests are of both sides. No attribute separates them"),
        "{}",
        document.summary
    );
    let document = compared(&engine, json!({ "a": { "service_name": "shopp" } })).await;
    assert!(document.summary.contains("No request matches"), "{}", document.summary);
    let meant = "`a.service_name`: No service `shopp` in this window; did you mean `shop`?";
    assert!(document.summary.starts_with(meant), "{}", document.summary);
}

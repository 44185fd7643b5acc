//! The tool `trace`: waterfalls of traces that a test wrote span by span, with times counted by hand.

use serde_json::{Map, Value, json};
use tfo_mcp::engine::{Call, Document, Engine, Outcome};

use crate::{
    answers::collect,
    own_rows::{NOON, OWN, insert, over, rows},
};

/// What the tool says, and its document as `collect_telemetry_context` would hold it.
async fn shown(engine: &Engine, arguments: Value) -> (Document, String) {
    let mut arguments = arguments.as_object().cloned().unwrap();
    let answer = engine.call_tool("trace", arguments.clone(), &Call::default()).await.and_then(Outcome::done).unwrap();
    let mut filters = Map::new();
    for filter in ["trace_id", "operation"] {
        filters.extend(arguments.remove(filter).map(|value| (filter.to_owned(), value)));
    }
    arguments.insert("filters".into(), Value::Object(filters));
    let document = collect(engine, "trace", Value::Object(arguments)).await;
    (document, answer.text())
}

/// One span: its trace, name, parent, service, kind, begin and length in milliseconds, and what went wrong.
struct Span<'a>(&'a str, &'a str, &'a str, &'a str, &'a str, f64, f64, &'a str);

/// Spans whose times are counted from `at` seconds before noon.
fn spans(at: i64, spans: &[Span<'_>]) -> String {
    let into = "traces (timestamp, trace_id, span_id, parent_span_id, span_name, span_kind, service_name, status_code, \
         status_message, duration_ns, organization_id, span_attributes)";
    let values: Vec<String> = spans
        .iter()
        .map(|Span(trace, id, parent, service, kind, begin, length, error)| {
            let nanos = (NOON - at) * 1_000_000_000 + (begin * 1e6) as i64;
            let status = if error.is_empty() { "UNSET" } else { "ERROR" };
            let name = id.split('-').next().unwrap();
            let target = if *kind == "CLIENT" && name == "select" { "{'peer.service': 'orders-db'}" } else { "{}" };
            format!(
                "(fromUnixTimestamp64Nano({nanos}), '{trace}', '{id}', '{parent}', '{name}', '{kind}', '{service}', \
                 '{status}', '{error}', {}, '{OWN}', {target})",
                (length * 1e6) as i64
            )
        })
        .collect();
    insert(into, &values)
}

const FAILED: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SLOW: &str = "00000000000000000000000000005107";
const OLD: &str = "0af7651916cd43dd8448eb211c80319c";
const WIDE: &str = "aaaabbbbccccddddeeeeffff00001111";

fn failed() -> Vec<Span<'static>> {
    vec![
        Span(FAILED, "edge", "", "edge", "SERVER", 0.0, 100.0, "bad gateway"),
        Span(FAILED, "call", "edge", "edge", "CLIENT", 10.0, 80.0, "bad gateway"),
        Span(FAILED, "shop", "call", "shop", "SERVER", 20.0, 60.0, "boom"),
        Span(FAILED, "select-1", "shop", "shop", "CLIENT", 25.0, 5.0, ""),
        Span(FAILED, "select-2", "shop", "shop", "CLIENT", 31.0, 5.0, ""),
        Span(FAILED, "select-3", "shop", "shop", "CLIENT", 37.0, 5.0, ""),
        Span(FAILED, "select-4", "shop", "shop", "CLIENT", 43.0, 9.0, ""),
        Span(FAILED, "work", "shop", "shop", "INTERNAL", 60.0, 10.0, "boom"),
        Span(FAILED, "job", "gone", "worker", "CONSUMER", 95.0, 7.0, ""),
    ]
}

async fn engine() -> (Engine, tempfile::TempDir) {
    let mut wide = vec![Span(WIDE, "root", "", "shop", "SERVER", 0.0, 6000.0, "")];
    let names: Vec<String> = (0..5000).map(|n| format!("select-{n}")).collect();
    wide.extend((0..5000).map(|n| Span(WIDE, &names[n], "root", "shop", "CLIENT", n as f64 + 1.0, 0.5, "")));
    let log = |trace: &str, at: i64, severity: (&str, u8), body: &str| {
        format!(
            "(fromUnixTimestamp64Milli({at}000), '{trace}', 'shop', '{}', {}, '{body}', '{OWN}')",
            severity.0, severity.1
        )
    };
    let logs = [
        log(FAILED, NOON - 600, ("INFO", 9), "request begins"),
        log(FAILED, NOON - 599, ("ERROR", 17), "boom: no stock row"),
        log("", NOON - 600, ("ERROR", 17), "of no trace"),
    ];
    let into_logs = "logs (timestamp, trace_id, service_name, severity_text, severity_number, body, organization_id)";
    over(
        &[
            spans(600, &failed()),
            spans(300, &[Span(SLOW, "edge", "", "edge", "SERVER", 0.0, 9000.0, "")]),
            spans(
                3 * 86_400,
                &[
                    Span(OLD, "call", "", "edge", "CLIENT", 0.0, 50.0, ""),
                    Span(OLD, "shop", "call", "shop", "SERVER", -5.0, 40.0, ""),
                ],
            ),
            spans(30_000, &wide),
            insert(into_logs, &logs),
        ],
        &[],
    )
    .await
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_trace_is_shown_whole_whatever_its_data_lack() {
    let (engine, _kept) = engine().await;

    // Without an id: the first that failed, though another was slower.
    let (document, text) = shown(&engine, json!({})).await;
    let found = rows(&document, "spans");
    let told: Vec<(&str, u64, u64, f64, f64, f64)> = found
        .iter()
        .map(|row| {
            let number = |name: &str| row[name].as_f64().unwrap();
            let whole = |name: &str| row[name].as_u64().unwrap();
            let name = row["span_name"].as_str().unwrap();
            (name, whole("depth"), whole("alike"), number("offset_ms"), number("duration_ms"), number("own_ms"))
        })
        .collect();
    // Own times by hand: 100 - 80, 80 - 60 of the callee, 60 - 24 - 10, and four statements of 5, 5, 5 and 9.
    assert_eq!(
        told,
        [
            ("edge", 0, 1, 0.0, 100.0, 20.0),
            ("call", 1, 1, 10.0, 80.0, 20.0),
            ("shop", 2, 1, 20.0, 60.0, 26.0),
            ("select", 3, 4, 25.0, 9.0, 24.0),
            ("work", 3, 1, 60.0, 10.0, 10.0),
            ("job", 0, 1, 95.0, 7.0, 7.0),
        ],
        "{text}"
    );
    let share: f64 = found.iter().map(|row| row["own_pct"].as_f64().unwrap()).sum();
    assert!((share - 100.0).abs() < 0.5, "{share}");
    assert_eq!(found[5]["lacks_parent"], json!(true));
    assert_eq!(found[3]["target"], json!("orders-db"));
    assert!(text.contains("fails first in shop at `work`: boom (4 failed spans)"), "{text}");
    assert!(text.contains("· · · select"), "moved in by depth: {text}");
    assert!(text.contains("names a parent that was not recorded"), "{text}");
    let logs: Vec<Value> = rows(&document, "logs").iter().map(|row| row["text"].clone()).collect();
    assert_eq!(logs, ["request begins", "boom: no stock row"]);

    // However the id is written.
    for id in [FAILED.to_uppercase(), format!("0x{FAILED}"), "4bf92f35-77b3-4da6-a3ce-929d0e0e4736".into()] {
        let (again, text) = shown(&engine, json!({ "trace_id": id })).await;
        assert_eq!(rows(&again, "spans"), found, "{text}");
    }

    // Where nothing failed, the slowest.
    let (document, _) = shown(&engine, json!({ "start": "2026-11-20T11:52:00Z" })).await;
    assert!(document.summary.contains(SLOW), "{}", document.summary);
    let (document, _) = shown(&engine, json!({ "service_name": "shop", "operation": "none" })).await;
    assert!(document.summary.contains("No operation `none` in this window."), "{}", document.summary);

    // Outside of the window, with a callee whose clock is behind.
    let (document, text) = shown(&engine, json!({ "trace_id": OLD })).await;
    assert!(document.summary.contains("It lies outside of the window."), "{text}");
    let found = rows(&document, "spans");
    assert_eq!(found[0]["span_name"], json!("call"), "the parent first, though its child began before: {text}");
    assert_eq!((&found[1]["early_ms"], &found[1]["depth"]), (&json!(5.0), &json!(1)));
    assert!(text.contains("begins 5 ms before its parent"), "{text}");

    let (document, _) = shown(&engine, json!({ "trace_id": "ffffffffffffffffffffffffffffffff" })).await;
    let summary = &document.summary;
    assert!(summary.contains("No trace `ffffffffffffffffffffffffffffffff` in this window, nor"), "{summary}");
    // One look back, not two, and a status that says that there is nothing.
    assert!(!summary.contains("seven days"), "{summary}");
    assert_eq!(document.status, tfo_mcp::engine::Status::Empty);
}

#[tokio::test]
async fn five_thousand_spans_are_two_lines() {
    let (engine, _kept) = engine().await;
    let (document, text) = shown(&engine, json!({ "trace_id": WIDE })).await;
    let found = rows(&document, "spans");
    assert_eq!(found.len(), 2, "{text}");
    assert_eq!((&found[1]["alike"], &found[1]["own_ms"]), (&json!(5000), &json!(2500)), "{text}");
    assert_eq!(found[0]["own_ms"], json!(3500.0), "{text}");
    assert!(text.contains("5001 rows; siblings that are alike are shown as one, which leaves 2."), "{text}");
    assert!(text.contains("`select` to orders-db 5000 times below one span"), "{text}");
}

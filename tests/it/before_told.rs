//! What documents of the observability types say about the time that a window is compared with, and about what began then.

use serde_json::{Value, json};
use tfo_mcp::{definition::Severity, engine::Document};

use crate::{
    answers::collect,
    own_rows::{NOON, OWN, insert, over, requests, rows},
};

const HOUR: i64 = 3600;

fn checks(checks: &[(i64, &str)]) -> String {
    let into = "uptime_checks (monitor_id, monitor_name, region, status, response_time, ssl_days_remaining, checked_at, \
                organization_id)";
    let values: Vec<String> = checks
        .iter()
        .map(|(before, status)| {
            format!("('m', 'front', 'eu', '{status}', 20, -1, fromUnixTimestamp64Milli({}000), '{OWN}')", NOON - before)
        })
        .collect();
    insert(into, &values)
}

#[tokio::test]
async fn a_service_that_fails_since_before_stands_above_one_that_turned_a_little_worse() {
    let quarter = 900;
    let (engine, _kept) = over(
        &[
            // 15 of 105 failed before, 20 of 110 in the window.
            requests("shop", "v1", 2 * quarter, 0, 10, false),
            requests("shop", "bad", 2 * quarter, quarter, 60, true),
            requests("shop", "bad", quarter, 0, 45, true),
            // None failed before, 6 of 306 in the window.
            requests("web", "v1", 2 * quarter, 0, 3, false),
            requests("web", "bad", quarter, 0, 150, true),
        ],
        &[],
    )
    .await;
    let document = collect(&engine, "service-health", json!({ "time_range": "15m" })).await;
    let grades: Vec<Value> =
        rows(&document, "services").iter().map(|row| json!([row["service_name"], row["grade"]])).collect();
    assert_eq!(grades, [json!(["shop", "still failing"]), json!(["web", "degraded"])]);
    assert!(document.summary.contains("still failing 1, degraded 1. Worst: shop, 18.18 %"), "{}", document.summary);
    for context_type in ["service-health", "errors"] {
        let document = collect(&engine, context_type, json!({ "time_range": "15m" })).await;
        let said = document.to_value().to_string();
        assert!(!said.contains("Unchanged"), "{context_type}: {said}");
    }
}

#[tokio::test]
async fn nothing_is_counted_against_a_time_of_which_nothing_is_known() {
    let (engine, _kept) = over(&[requests("shop", "v1", 3 * HOUR, 0, 20, true)], &[]).await;
    for (range, compared) in [("1h", true), ("2h", false)] {
        let document = collect(&engine, "service-health", json!({ "time_range": range })).await;
        let value = document.to_value();
        assert_eq!(value["sections"]["services"]["compared"], json!(compared), "{range}: {}", document.summary);
    }
}

#[tokio::test]
async fn where_nothing_reaches_back_nothing_is_said_of_before() {
    let (engine, _kept) = over(&[requests("shop", "v1", 3 * HOUR, 0, 20, true)], &[]).await;
    for context_type in ["service-health", "errors", "throughput", "traces", "latency"] {
        let document = collect(&engine, context_type, json!({ "time_range": "1h", "baseline": "week" })).await;
        let said = [document.summary.clone()]
            .into_iter()
            .chain(document.highlights.iter().map(|highlight| highlight.text.clone()))
            .collect::<Vec<_>>()
            .join("\n");
        for wrong in ["None", "Unchanged", "no traffic", "(before: 0"] {
            assert!(!said.contains(wrong), "{context_type}: {said}");
        }
        let told = "Traces begin at 2026-11-20T09:00:00Z UTC, after the time that this window is compared with: there is \
                    nothing before to compare with.";
        assert!(said.contains(told), "{context_type}: {said}");
    }
}

/// What is written in sentences of a document.
fn sentences(document: &Document) -> String {
    let highlights = document.highlights.iter().map(|highlight| highlight.text.as_str());
    [document.summary.as_str()].into_iter().chain(highlights).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn what_is_before_the_data_begin_is_unknown_and_not_nought() {
    let lines = format!(
        "INSERT INTO logs (timestamp, service_name, severity_text, severity_number, body, organization_id) \
         SELECT fromUnixTimestamp64Milli(({NOON} - 10800 + number * 20) * 1000), 'shop', 'ERROR', 17, 'it is broken', \
         '{OWN}' FROM numbers(540)"
    );
    let calls = requests("shop", "v1", 3 * HOUR, 0, 20, true).replace("'SERVER'", "'CLIENT'").replace(
        "{'service.version': 'v1'})",
        "{}, {'db.system': 'postgresql', 'db.namespace': 'stock', 'db.statement': 'SELECT 1'})",
    );
    let calls = calls.replace("resource_attributes)", "resource_attributes, span_attributes)").replace("'v1", "'c");
    let (engine, _kept) = over(&[requests("shop", "v1", 3 * HOUR, 0, 20, true), lines, calls], &[]).await;
    let types = ["service-health", "errors", "throughput", "traces", "latency", "logs", "dependencies", "sli", "slo"];
    let types = types.into_iter().chain(["db-queries", "db-overview", "db-connections", "service-map-traffic"]);
    let mut told = 0;
    for context_type in types {
        let document = collect(&engine, context_type, json!({ "time_range": "1h", "baseline": "week" })).await;
        let said = sentences(&document);
        for wrong in ["None", "could not be", " 0.0 expected", " 0 expected", "(0 before)", " 0 before"] {
            assert!(!said.contains(wrong), "{context_type}: {said}");
        }
        let value = document.to_value();
        for (name, section) in value["sections"].as_object().unwrap() {
            for row in section["rows"].as_array().into_iter().flatten() {
                let before = row.as_object().unwrap().iter().filter(|(column, _)| column.starts_with("prev_"));
                for (column, cell) in before {
                    assert_ne!(cell.as_f64(), Some(0.0), "{context_type}.{name}.{column}: {row}");
                    told += 1;
                }
            }
        }
    }
    assert!(told > 50, "{told}");
    // Rules judge by what was counted: what fails is told all the same.
    let document = collect(&engine, "errors", json!({ "time_range": "1h", "baseline": "week" })).await;
    assert!(sentences(&document).contains("180 failures begin at shop"), "{}", sentences(&document));
    // Against a time in which nothing happened, nought is nought.
    let document = collect(&engine, "errors", json!({ "time_range": "1h" })).await;
    assert_eq!(rows(&document, "services")[0]["prev_errors"], json!(180));
}

#[tokio::test]
async fn what_fails_since_before_the_window_is_told_with_its_begin() {
    let (engine, _kept) =
        over(&[requests("shop", "v1", 4 * HOUR, 0, 10, false), requests("shop", "bad", 1200, 0, 20, true)], &[]).await;
    let document = collect(&engine, "service-health", json!({ "time_range": "10m" })).await;
    assert_eq!(rows(&document, "services")[0]["grade"], "still failing");
    let said = sentences(&document);
    assert!(said.contains("bad before the window already, since 2026-11-20T11:40:00Z at least"), "{said}");
}

/// A counter of `per_minute` each minute, sampled once a minute at half past, for two hours.
fn counter(service: &str, name: &str, per_minute: i64) -> String {
    let into = "metrics (timestamp, metric_name, metric_type, value, service_name, organization_id)";
    let values: Vec<String> = (0..120_i64)
        .map(|minute| {
            let (at, value) = (NOON - minute * 60 - 30, per_minute * (200 - minute));
            format!("(fromUnixTimestamp64Milli({at}000), '{name}', 'counter', {value}, '{service}', '{OWN}')")
        })
        .collect();
    insert(into, &values)
}

#[tokio::test]
async fn a_window_shorter_than_the_time_between_two_samples_has_no_rate() {
    let (engine, _kept) = over(&[counter("shop", "jobs.total", 3)], &[]).await;
    let asked = async |start: &str, end: &str| {
        let window = json!({ "start": format!("2026-11-20T{start}Z"), "end": format!("2026-11-20T{end}Z") });
        let document = collect(&engine, "metrics", window).await;
        (rows(&document, "counters")[0].clone(), sentences(&document))
    };
    for (start, end) in [("11:59:30", "11:59:31"), ("11:59:25", "11:59:35"), ("11:59:00", "11:59:40")] {
        let (row, said) = asked(start, end).await;
        assert_eq!((&row["rate_per_s"], &row["prev_rate_per_s"]), (&Value::Null, &Value::Null), "{start}: {row}");
        assert!(said.contains("shorter than the 60 s between two samples"), "{start}: {said}");
        for wrong in ["no longer counts", "is new", "before nothing"] {
            assert!(!said.contains(wrong), "{start}: {said}");
        }
    }
    // Three a minute are 0.05 a second, however many samples the window happens to hold.
    for (start, end) in [("11:59:00", "12:00:00"), ("11:58:00", "11:59:35"), ("11:57:45", "11:59:15")] {
        let (row, said) = asked(start, end).await;
        assert_eq!((&row["rate_per_s"], &row["prev_rate_per_s"]), (&json!(0.05), &json!(0.05)), "{start}: {row}");
        assert!(!said.contains("shorter than"), "{said}");
    }
}

#[tokio::test]
async fn requests_that_only_a_counter_counts_have_no_rate_in_a_window_without_two_samples() {
    let (engine, _kept) =
        over(&["DROP TABLE traces".to_owned(), counter("shop", "http.server.request.total", 60)], &[]).await;
    let asked = async |start: &str| {
        let window = json!({ "start": format!("2026-11-20T{start}Z"), "end": "2026-11-20T11:59:35Z" });
        rows(&collect(&engine, "throughput", window).await, "services")[0]["requests_per_s"].clone()
    };
    assert_eq!(asked("11:59:25").await, Value::Null);
    assert_eq!(asked("11:57:55").await, json!(1.0));
}

#[tokio::test]
async fn no_time_of_the_day_before_is_the_last_of_agents_topics_and_metrics() {
    let day = 24 * HOUR;
    let host = |from: i64, to: i64| {
        let into = "vm_metrics (timestamp, vm_id, metric_name, value, unit, labels, organization_id)";
        let values: Vec<String> = (NOON - from..NOON - to)
            .step_by(60)
            .map(|at| {
                format!(
                    "(fromUnixTimestamp64Milli({at}000), '00000000-0000-4000-8000-000000000009', \
                     'system.cpu.utilization', 0.5, '1', {{'host.name': 'h'}}, '{OWN}')"
                )
            })
            .collect();
        insert(into, &values)
    };
    let published = |from: i64, to: i64| {
        let spans = requests("shop", "v1", from, to, 20, false).replace("'SERVER'", "'PRODUCER'");
        let spans = spans.replace("resource_attributes)", "resource_attributes, span_attributes)");
        spans.replace("{'service.version': 'v1'})", "{}, {'messaging.destination.name': 'orders'})")
    };
    let gauge = |from: i64, to: i64| {
        let into = "metrics (timestamp, metric_name, metric_type, value, service_name, organization_id)";
        let values: Vec<String> = (NOON - from..NOON - to)
            .step_by(60)
            .map(|at| format!("(fromUnixTimestamp64Milli({at}000), 'heap', 'gauge', 5, 'shop', '{OWN}')"))
            .collect();
        insert(into, &values)
    };
    let mut given = Vec::new();
    for (from, to) in [(day + HOUR, day), (5 * HOUR, 2 * HOUR)] {
        given.extend([host(from, to), published(from, to), gauge(from, to)]);
    }
    // Others go on, so that the data are not missing.
    given.extend([host(HOUR, 0).replace("0009", "0008").replace("'h'", "'other'")]);
    given.extend([published(HOUR, 0).replace("'orders'", "'mails'"), gauge(HOUR, 0).replace("'heap'", "'other'")]);
    let (engine, _kept) = over(&given, &[]).await;
    for (context_type, section, last, thing) in [
        ("agents", "unheard", "last_sample_at", "h"),
        ("infra-queue", "topics", "last_published_at", "orders"),
        ("metrics", "silent", "last_at", "heap"),
    ] {
        let asked = async |baseline: &str, end: &str, start: &str| {
            let window = json!({ "start": start, "end": end, "baseline": baseline });
            let document = collect(&engine, context_type, window).await;
            let found = rows(&document, section)
                .into_iter()
                .find(|row| row.as_object().unwrap().values().any(|cell| cell.as_str() == Some(thing)));
            (found.unwrap_or_else(|| panic!("{context_type}")), sentences(&document))
        };
        let (row, said) = asked("day", "2026-11-20T12:00:00Z", "2026-11-20T11:00:00Z").await;
        assert!(row[last].is_null(), "{context_type}: {row}");
        assert!(!said.contains("2026-11-19T") && !said.contains("None"), "{context_type}: {said}");
        let (row, said) = asked("previous", "2026-11-20T11:00:00Z", "2026-11-20T10:00:00Z").await;
        assert!(row[last].as_str().unwrap().starts_with("2026-11-20T09:59"), "{context_type}: {row}");
        assert!(said.contains("2026-11-20T09:59"), "{context_type}: {said}");
    }
}

#[tokio::test]
async fn the_last_row_of_the_day_before_is_not_told_as_the_last_of_all() {
    let day = 24 * HOUR;
    let (engine, _kept) = over(
        &[
            requests("shop", "v1", day + HOUR, day, 20, false),
            requests("shop", "v1", 5 * HOUR, 2 * HOUR, 20, false),
            requests("web", "v1", HOUR, 0, 20, false),
            checks(&[(day + 600, "success"), (5 * HOUR, "success")]),
        ],
        &[],
    )
    .await;
    let of_day = json!({ "time_range": "1h", "baseline": "day" });
    for (context_type, section, last) in
        [("throughput", "services", "last_request_at"), ("uptime", "monitors", "last_check_at")]
    {
        let document = collect(&engine, context_type, of_day.clone()).await;
        for row in rows(&document, section).iter().filter(|row| row["service_name"] != "web") {
            assert!(row[last].is_null(), "{context_type}: {row}");
        }
        let said = document.to_value()["highlights"].to_string();
        assert!(!said.contains("2026-11-19T"), "{context_type}: {said}");
    }
    let document = collect(
        &engine,
        "throughput",
        json!({ "start": "2026-11-20T10:00:00Z", "end": "2026-11-20T11:00:00Z",
        "baseline": "previous" }),
    )
    .await;
    assert_eq!(rows(&document, "services")[0]["last_request_at"], "2026-11-20T09:59:40.000Z");
}

#[tokio::test]
async fn an_outage_that_was_under_way_when_the_window_began_is_told_from_its_begin() {
    let failing = [(150, "success"), (130, "failure"), (100, "failure"), (40, "failure")];
    let (engine, _kept) = over(&[checks(&failing)], &[]).await;
    let outage = async |range: &str| {
        let document = collect(&engine, "uptime", json!({ "time_range": range })).await;
        (rows(&document, "outages")[0].clone(), document.summary)
    };
    let (row, summary) = outage("2m").await;
    assert_eq!(row["began_at"], "2026-11-20T11:57:50.000Z", "{row}");
    assert!(!summary.contains("at the latest"), "{summary}");
    let (row, summary) = outage("1m").await;
    assert_eq!(row["began_at"], "2026-11-20T11:58:20.000Z", "{row}");
    assert!(summary.contains("since 2026-11-20T11:58:20Z at the latest"), "{summary}");
}

#[tokio::test]
async fn part_of_an_hour_is_dated_where_it_begins() {
    let (engine, _kept) = over(&[requests("shop", "v1", 2 * HOUR, 0, 20, false)], &[]).await;
    let begins = async |range: &str| {
        let document = collect(&engine, "sli", json!({ "time_range": range })).await;
        rows(&document, "course").iter().map(|row| row["interval_start"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(begins("30m").await, ["2026-11-20T11:30:00.000Z"]);
    assert_eq!(begins("90m").await, ["2026-11-20T10:30:00.000Z", "2026-11-20T11:00:00.000Z"]);
}

#[tokio::test]
async fn only_requests_with_the_attributes_of_both_sides_are_of_both() {
    let (engine, _kept) =
        over(&[requests("shop", "v1", HOUR, 0, 20, false), requests("shop", "v2", HOUR, 0, 30, true)], &[]).await;
    let of_both = async |b: Value| {
        let asked = json!({ "service_name": "shop", "attributes": [{ "key": "service.version", "value": "v2" }] });
        let sides = json!({ "a": asked, "b": b });
        let document = collect(&engine, "compare", json!({ "filters": sides })).await;
        rows(&document, "sides").iter().map(|row| row["of_both"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of_both(json!({ "attributes": [{ "key": "service.version", "value": "v1" }] })).await, [0, 0]);
    assert_eq!(of_both(json!({ "status": "error" })).await, [120, 120]);
}

#[tokio::test]
async fn a_time_of_which_a_part_is_before_the_data_is_not_compared_with() {
    // The same traffic all the time, for three hours.
    let (engine, _kept) = over(&[requests("shop", "v1", 3 * HOUR, 0, 20, false)], &[]).await;
    let asked = async |context_type: &str, range: &str| {
        let document = collect(&engine, context_type, json!({ "time_range": range })).await;
        (rows(&document, "services").first().cloned().unwrap_or_default(), document)
    };
    let (row, document) = asked("throughput", "2h").await;
    assert_eq!((&row["prev_requests"], &row["change_pct"]), (&Value::Null, &Value::Null), "{row}");
    let said = "Traces begin at 2026-11-20T09:00:00Z UTC, in the time that this window would be compared with: it is \
                compared with nothing.";
    assert!(document.summary.contains(said), "{}", document.summary);
    for context_type in ["throughput", "platform-capacity", "service-health", "traces", "service-map-traffic"] {
        let (_, document) = asked(context_type, "2h").await;
        let alarms = document.highlights.iter().filter(|said| said.severity != Severity::Info);
        assert_eq!(alarms.count(), 0, "{context_type}: {:?}", document.highlights);
    }
    // A time that is there as a whole, and one of which an eighth is not: 85 of 95 minutes.
    for (range, before) in [("1h", 180), ("95m", 255)] {
        let (row, document) = asked("throughput", range).await;
        assert_eq!(row["prev_requests"], json!(before), "{range}: {row}");
        assert!(!document.summary.contains("begin at"), "{range}: {}", document.summary);
    }
}

#[tokio::test]
async fn what_lies_between_a_window_and_the_day_before_is_not_before() {
    let user = "bbbbbbbb-0000-4000-8000-00000000000a";
    let mut platform = format!(
        "INSERT INTO users (id, email, password, organization_id, \"createdAt\") VALUES ('{user}', 'a@shop.example', 'x', \
         '{OWN}', '2026-01-01T00:00:00.000Z');"
    );
    // One in the window, three between, two at these hours of the day before.
    let times = ["20T11:50", "20T07:00", "20T06:00", "19T20:00", "19T11:10", "19T11:20"];
    for (nth, at) in times.iter().enumerate() {
        platform.push_str(&format!(
            "INSERT INTO security_logs (id, user_id, event_type, ip_address, success, created_at) VALUES ('{nth}', \
             '{user}', 'login_failure', '10.0.0.1', 0, '2026-11-{at}:00.000Z');\
             INSERT INTO notification_logs (id, organization_id, channel, type, recipient, status, error_message, \
             created_at) VALUES ('{nth}', '{OWN}', 'email', 'report', 'a@shop.example', 'failed', 'no route', '2026-11-{at}:00.000Z');"
        ));
    }
    let (engine, _kept) = over(&[], &[&platform]).await;
    let of_day = json!({ "time_range": "1h", "baseline": "day" });
    let event = rows(&collect(&engine, "iam", of_day.clone()).await, "sign_ins")[0].clone();
    assert_eq!((&event["events"], &event["prev_events"]), (&json!(1), &json!(2)), "{event}");
    let failure = rows(&collect(&engine, "notifications", of_day).await, "errors")[0].clone();
    assert_eq!((&failure["failures"], &failure["prev_failures"]), (&json!(1), &json!(2)), "{failure}");
}

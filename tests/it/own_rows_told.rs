//! As `own_rows`, of what documents say about names, traces, versions and small numbers.

use serde_json::{Value, json};
use tfo_mcp::engine::{Call, Document, Engine, Outcome, Principal};

use crate::{
    answers::collect,
    own_rows::{NOON, OWN, insert, over, requests, rows},
};

const HOUR: i64 = 3600;

fn lines(lines: &[(i64, &str, &str, u8, &str)]) -> String {
    let into = "logs (timestamp, service_name, severity_text, severity_number, body, trace_id, organization_id)";
    let values: Vec<String> = lines
        .iter()
        .map(|(before, service, severity, number, trace)| {
            let at = NOON - before;
            format!(
                "(fromUnixTimestamp64Milli({at}000), '{service}', '{severity}', {number}, '{severity} of {service}', \
                 '{trace}', '{OWN}')"
            )
        })
        .collect();
    insert(into, &values)
}

fn highlights(document: &Document) -> String {
    document.highlights.iter().map(|highlight| highlight.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// The whole summary of a type of one service.
async fn of_service(engine: &Engine, context_type: &str, service: &str) -> String {
    collect(engine, context_type, json!({ "time_range": "1h", "filters": { "service": service } })).await.summary
}

#[tokio::test]
async fn a_trace_of_another_time_is_told_with_what_shows_it() {
    let trace = "abcdef0123456789abcdef0123456789";
    let old = requests("shop", "v1", 5 * HOUR, 5 * HOUR - 100, 50, true)
        .replace("'v1179", &format!("'{trace}', 'v1179"))
        .replace("trace_id, span_id", "trace_id, events, span_id");
    let (engine, _kept) = over(&[requests("shop", "v1", HOUR, 0, 60, false), old], &[]).await;
    let ask = async |context_type: &str, window: Value| {
        let mut asked = json!({ "filters": { "trace_id": trace } });
        asked.as_object_mut().unwrap().extend(window.as_object().unwrap().clone());
        collect(&engine, context_type, asked).await
    };
    for context_type in ["traces", "logs"] {
        let summary = ask(context_type, json!({ "time_range": "1h" })).await.summary;
        let said = "was recorded from 2026-11-20T07:00:00Z to 2026-11-20T07:00:50Z, before this window: ask for that time with \
                    `start: 2026-11-20T07:00:00Z`, `end: 2026-11-20T07:01:00Z`";
        assert!(summary.contains(&format!("Trace `{trace}` {said}")), "{context_type}: {summary}");
    }
    let shown = ask("traces", json!({ "start": "2026-11-20T07:00:00Z", "end": "2026-11-20T07:01:00Z" })).await;
    assert_eq!(rows(&shown, "spans").len(), 2, "{}", shown.summary);
    assert!(!shown.summary.contains("before this window"), "{}", shown.summary);
}

#[tokio::test]
async fn a_piece_of_a_trace_id_leads_to_the_trace() {
    let ids =
        ["1234abcd5678ef901111abcd5678ef90", "1234abcd5678ef902222abcd5678ef91", "99990000aaaabbbbccccddddeeeeffff"];
    let logged: Vec<(i64, &str, &str, u8, &str)> =
        ids.iter().enumerate().map(|(n, id)| (600 + n as i64, "shop", "INFO", 9, *id)).collect();
    let (engine, _kept) = over(&[lines(&logged)], &[]).await;
    let ask = async |id: &str| {
        collect(&engine, "logs", json!({ "time_range": "1h", "filters": { "trace_id": id } })).await.summary
    };
    for piece in ["99990000", "9999", "ccccddddeeeeffff", "CCCCDDDDEEEEFFFF"] {
        let summary = ask(piece).await;
        assert!(summary.contains(&format!("did you mean `{}`?", ids[2])), "{piece}: {summary}");
    }
    let summary = ask("1234abcd").await;
    assert!(summary.contains("those with that in their name: ") && summary.contains(ids[0]), "{summary}");
    assert!(summary.contains(ids[1]), "{summary}");
    let summary = ask("00ffee").await;
    assert!(summary.contains("nor a trace that begins or ends so"), "{summary}");
    let list = async |query: Value| {
        let given = json!({ "of": "traces", "query": query }).as_object().cloned().unwrap();
        match engine.call_tool("list_known_values", given, &Call::default()).await {
            Ok(Outcome::Done(answer)) => answer.text(),
            Ok(Outcome::Asks(_)) => panic!("nobody is asked"),
            Err(error) => error.to_text(),
        }
    };
    let said = list(json!("12")).await;
    assert!(said.contains("traces (2): ") && said.contains(ids[0]) && said.contains(ids[1]), "{said}");
    assert!(list(json!("5678")).await.contains("No trace of that time is `5678`, or begins or ends so."));
    assert!(list(Value::Null).await.contains("there are too many traces to list"));
    for same in [ids[2].to_uppercase(), format!("0x{}", ids[2])] {
        let summary = ask(&same).await;
        assert!(summary.contains("Services with log lines") && !summary.contains("No trace "), "{summary}");
    }
}

#[tokio::test]
async fn lines_of_a_trace_are_shown_whatever_their_severity_unless_one_is_asked_for() {
    let logged = [
        (600, "shop", "INFO", 9, "t1"),
        (599, "shop", "TRACE", 1, "t1"),
        (598, "shop", "ERROR", 17, "t1"),
        (597, "shop", "WARN", 13, ""),
    ];
    let (engine, _kept) = over(&[lines(&logged)], &[]).await;
    let levels = async |filters: Value| {
        let document = collect(&engine, "logs", json!({ "time_range": "1h", "filters": filters })).await;
        let levels: Vec<String> =
            rows(&document, "newest").iter().map(|row| row["level"].as_str().unwrap().to_owned()).collect();
        levels
    };
    assert_eq!(levels(json!({ "trace_id": "t1" })).await, ["ERROR", "TRACE", "INFO"]);
    assert_eq!(levels(json!({ "trace_id": "t1", "severity": "error" })).await, ["ERROR"]);
    assert_eq!(levels(json!({})).await, ["ERROR"]);
    assert_eq!(levels(json!({ "severity": "warn" })).await, ["WARN", "ERROR"]);
}

#[tokio::test]
async fn names_with_blanks_marks_and_quotes_can_be_asked_for() {
    let names = ["web shop", " padded ", "a|b*c", "say \"hi\"", "shop", "tiny"];
    let statements: Vec<String> = names.iter().map(|name| requests(name, "v1", HOUR, 0, 300, false)).collect();
    let (engine, _kept) = over(&statements, &[]).await;
    for name in ["web shop", "\" padded \"", "a|b*c", "say \"hi\""] {
        let document =
            collect(&engine, "throughput", json!({ "time_range": "1h", "filters": { "service": name } })).await;
        assert_eq!(rows(&document, "services").len(), 1, "{name}: {}", document.summary);
        assert!(!document.summary.contains("No service"), "{name}: {}", document.summary);
    }
    for (asked, said) in [
        ("padded", "did you mean `padded` (with white space around it)? Ask for it in quotes, as `\" padded \"`."),
        ("Web-Shop", "did you mean `web shop`?"),
        ("say hi", "did you mean `say \"hi\"`?"),
        ("shop tiny", "it takes one value: ask for `shop`, `tiny` one by one."),
        ("shop, tiny", "it takes one value: ask for `shop`, `tiny` one by one."),
        ("shop;tiny", "it takes one value: ask for `shop`, `tiny` one by one."),
    ] {
        let summary = of_service(&engine, "throughput", asked).await;
        assert!(summary.contains(said), "{asked}: {summary}");
    }
}

#[tokio::test]
async fn what_has_no_name_is_told_as_such() {
    let nameless = requests("", "v1", HOUR, 0, 60, true);
    let (engine, _kept) = over(&[nameless, requests("shop", "v1", HOUR, 0, 60, false).replace("GET /", "")], &[]).await;
    let document = collect(&engine, "traces", json!({ "time_range": "1h" })).await;
    assert_eq!(rows(&document, "services")[0]["service_name"], json!("(no service)"));
    assert!(document.summary.contains("Most failures: `(no service)` with 60 of 60"), "{}", document.summary);
    let operations: Vec<Value> =
        rows(&document, "operations").iter().map(|row| row["operation_name"].clone()).collect();
    assert!(operations.contains(&json!("(no name)")), "{operations:?}");
    let summary = of_service(&engine, "traces", "(no service)").await;
    assert!(summary.contains("stands for rows that name no service, which no filter finds"), "{summary}");
}

#[tokio::test]
async fn what_came_a_moment_ago_is_not_called_absent() {
    let (engine, kept) = over(&[requests("shop", "v1", HOUR, 0, 60, false)], &[]).await;
    let said = "No service `late` in this window";
    assert!(of_service(&engine, "latency", "late").await.contains(said));
    // On record in the platform, so that no row of the document shows it.
    let mut writer = tfo_mcp::source::sqlite::Writer::open(&kept.path().join("platform.sqlite")).await.unwrap();
    let declared = format!(
        "INSERT INTO service_map_services (id, organization_id, name, type, status, created_at) VALUES \
         ('00000000-0000-4000-8000-0000000000c1', '{OWN}', 'late', 'service', 'healthy', '2026-11-20T00:00:00.000Z')"
    );
    writer.execute_script(&declared).await.unwrap();
    writer.close().await.unwrap();
    let summary = of_service(&engine, "latency", "late").await;
    assert!(!summary.contains("No service"), "{summary}");
}

#[tokio::test]
async fn an_organisation_that_is_not_in_use_is_told_as_such_and_a_new_one_is_known_at_once() {
    let other = "aaaaaaaa-0000-4000-8000-000000000002";
    let listed = format!(
        "INSERT INTO organizations (organization_id, name, code) VALUES ('{other}', 'Other', 'other');\
         INSERT INTO organizations (organization_id, name, code, is_active) VALUES \
         ('aaaaaaaa-0000-4000-8000-000000000003', 'Asleep', 'asleep', 0);\
         INSERT INTO organizations (organization_id, name, code, deleted_at) VALUES \
         ('aaaaaaaa-0000-4000-8000-000000000004', 'Gone', 'gone', '2026-11-01T00:00:00.000Z')"
    );
    let (engine, kept) = over(&[requests("shop", "v1", HOUR, 0, 60, false)], &[&listed]).await;
    let ask = async |organisation: &str| {
        let organizations = Some(vec![organisation.to_owned()]);
        let call = Call { principal: Principal { organizations, ..Principal::default() }, ..Call::default() };
        let asked = json!({ "context_type": "latency", "time_range": "1h" });
        engine.collect_context(asked.as_object().cloned().unwrap(), &call).await.unwrap().summary
    };
    let summary = ask("aaaaaaaa-0000-4000-8000-000000000003").await;
    assert!(
        summary.contains("The organisation Asleep (aaaaaaaa-0000-4000-8000-000000000003) is inactive"),
        "{summary}"
    );
    let summary = ask("aaaaaaaa-0000-4000-8000-000000000004").await;
    assert!(summary.contains("The organisation Gone (aaaaaaaa-0000-4000-8000-000000000004) is deleted"), "{summary}");
    assert!(!ask(other).await.contains("The organisation"));
    assert!(ask(OWN).await.contains("The platform lists no organisation"));
    let mut writer = tfo_mcp::source::sqlite::Writer::open(&kept.path().join("platform.sqlite")).await.unwrap();
    let made = format!("INSERT INTO organizations (organization_id, name, code) VALUES ('{OWN}', 'Acme', 'acme')");
    writer.execute_script(&made).await.unwrap();
    writer.close().await.unwrap();
    let summary = ask(OWN).await;
    assert!(!summary.contains("lists no organisation"), "it was made a moment ago: {summary}");
}

#[tokio::test]
async fn an_event_of_kubernetes_counts_as_often_as_it_happened_in_the_window() {
    let into = "kubernetes_events (timestamp, cluster_id, organization_id, namespace, type, reason, message, source, \
         involved_kind, involved_name, count, first_timestamp, last_timestamp)";
    let event = |before: i64, reason: &str, name: &str, count: u32, first: i64| {
        let (at, first) = (NOON - before, NOON - first);
        format!(
            "(fromUnixTimestamp64Milli({at}000), 'c', '{OWN}', 'ns', 'Warning', '{reason}', 'm', 'kubelet', 'Pod', '{name}', \
             {count}, fromUnixTimestamp64Milli({first}000), fromUnixTimestamp64Milli({at}000))"
        )
    };
    let events = [
        // Began in the window: 57 times so far.
        event(600, "BackOff", "new", 1, 600),
        event(300, "BackOff", "new", 40, 600),
        event(100, "BackOff", "new", 57, 600),
        // 90 of its 100 times were before.
        event(HOUR + 600, "BackOff", "old", 90, 9000),
        event(200, "BackOff", "old", 100, 9000),
        // Of one that began before anything that is read at least what was recorded.
        event(500, "BackOff", "older", 20, 90_000),
        event(400, "BackOff", "older", 22, 90_000),
        // Several that happened once each, one of them without a count.
        event(50, "Unhealthy", "once", 1, 50),
        event(40, "Unhealthy", "once", 1, 40),
        event(30, "Unhealthy", "once", 0, 30),
    ];
    let (engine, _kept) = over(&[insert(into, &events)], &[]).await;
    let document = collect(&engine, "change-events", json!({ "time_range": "1h" })).await;
    let mut told: Vec<(String, i64)> = rows(&document, "kubernetes")
        .iter()
        .map(|row| (row["object"].as_str().unwrap().to_owned(), row["times"].as_i64().unwrap()))
        .collect();
    told.sort();
    let wanted = [("new", 57), ("old", 10), ("older", 3), ("once", 3)];
    assert_eq!(told, wanted.map(|(name, times)| (name.to_owned(), times)), "{}", document.summary);
}

#[tokio::test]
async fn who_was_bad_before_the_window_did_not_turn_bad_in_it() {
    let (engine, _kept) = over(
        &[requests("shop", "v1", 2 * HOUR, HOUR + 600, 20, false), requests("shop", "v1", HOUR + 600, 0, 20, true)],
        &[],
    )
    .await;
    for context_type in ["change-events", "service-health"] {
        let document = collect(&engine, context_type, json!({ "time_range": "1h" })).await;
        let onset = &rows(&document, "onsets")[0];
        assert_eq!(
            (&onset["already_bad"], &onset["first_bad_at"]),
            (&json!("yes"), &json!("2026-11-20T10:50:00.000Z")),
            "{context_type}: {onset}"
        );
        assert!(document.summary.contains("at the latest, before the window."), "{}", document.summary);
        assert!(highlights(&document).contains("was bad already when the window began"), "{}", highlights(&document));
    }
}

#[tokio::test]
async fn who_failed_all_the_time_before_did_not_turn_bad_where_more_fails() {
    let fine = |until| requests("shop", "v1", 2 * HOUR, until, 5, false);
    // Six of a hundred, too few to stand out, then four times as many.
    let more = requests("shop", "v1", 1200, 0, 20, true);
    let (engine, _kept) = over(&[fine(0), requests("shop", "v1", 2 * HOUR, 1200, 75, true), more.clone()], &[]).await;
    let document = collect(&engine, "service-health", json!({ "time_range": "1h" })).await;
    let said = highlights(&document);
    assert!(
        said.contains("shop was bad already when the window began, since 2026-11-20T10:00:00Z at least: 12 of 12"),
        "{said}"
    );
    assert!(!said.contains("turned bad"), "{said}");
    // Who failed before, and then no more, turned bad in the window.
    let (engine, _kept) = over(&[fine(0), requests("shop", "v1", 2 * HOUR, HOUR + 600, 75, true), more], &[]).await;
    let document = collect(&engine, "service-health", json!({ "time_range": "1h" })).await;
    let said = highlights(&document);
    assert!(said.contains("shop turned bad in the five minutes from 2026-11-20T11:40:00Z on"), "{said}");
}

#[tokio::test]
async fn changes_before_the_window_are_none_of_it() {
    let change = |id: u8, at: &str| {
        format!(
            "INSERT INTO change_events (id, organization_id, kind, service_name, title, status, started_at) VALUES \
             ('00000000-0000-4000-8000-0000000000d{id}', '{OWN}', 'deploy', 'shop', 'change {id}', 'done', '{at}')"
        )
    };
    let changes = [change(1, "2026-11-20T11:30:00.000Z"), change(2, "2026-11-20T10:30:00.000Z")];
    let (engine, _kept) = over(&[requests("shop", "v1", HOUR, 0, 60, false)], &[&changes[0], &changes[1]]).await;
    let document = collect(&engine, "change-events", json!({ "time_range": "1h" })).await;
    assert_eq!(rows(&document, "changes").len(), 2);
    assert!(document.summary.contains("Recorded changes in the window: 1, the newest: deploy"), "{}", document.summary);
    let (engine, _kept) = over(&[requests("shop", "v1", HOUR, 0, 60, false)], &[&changes[1]]).await;
    let summary = collect(&engine, "change-events", json!({ "time_range": "1h" })).await.summary;
    assert!(summary.contains("in the window: 0, the newest of before the window: deploy of shop"), "{summary}");
}

#[tokio::test]
async fn a_rollback_is_told_as_one() {
    let (engine, _kept) = over(
        &[
            requests("shop", "1.4.2", 12 * HOUR, 2 * HOUR, 30, false),
            requests("shop", "1.5.0", 2 * HOUR, HOUR, 30, true),
            requests("shop", "1.4.2", HOUR, 0, 30, false),
            // Really new.
            requests("cart", "1.0", 12 * HOUR, HOUR, 30, false),
            requests("cart", "2.0", HOUR, 0, 30, false),
        ],
        &[],
    )
    .await;
    // The version before is in the day before, beyond both windows.
    let document = collect(&engine, "change-events", json!({ "time_range": "1h" })).await;
    let said = highlights(&document);
    assert!(
        said.contains("shop: back to version 1.4.2 at 2026-11-20T11:00:00Z, which was seen until 2026-11-20T09:59:30Z"),
        "{said}"
    );
    assert!(said.contains("cart: version 2.0 first seen at 2026-11-20T11:00:00Z"), "{said}");
    assert!(
        document.summary.contains("Versions that came in traces: 2, of which seen earlier: 1."),
        "{}",
        document.summary
    );
    let document = collect(&engine, "deployment", json!({ "time_range": "1h" })).await;
    assert!(highlights(&document).contains("shop went back to 1.4.2"), "{}", highlights(&document));
    assert!(document.summary.contains("back to an earlier one: 1."), "{}", document.summary);
    // Both are in the window: the new one came and went.
    let document = collect(&engine, "change-events", json!({ "time_range": "3h" })).await;
    let said = highlights(&document);
    assert!(said.contains("shop: version 1.5.0 first seen at 2026-11-20T10:00:00Z (before: 1.4.2), last seen at 2026-11-20T10:59:30Z; since then 1.4.2"), "{said}");
    let document = collect(&engine, "deployment", json!({ "time_range": "3h" })).await;
    let said = highlights(&document);
    assert!(
        said.contains(
            "shop 1.5.0 (since 2026-11-20T10:00:00Z until 2026-11-20T10:59:30Z, then 1.4.2 again) is worse than 1.4.2"
        ),
        "{said}"
    );
}

#[tokio::test]
async fn counters_that_grew_from_nothing_are_named_and_units_are_not_added_up() {
    let into = "metrics (timestamp, metric_name, metric_type, value, unit, service_name, organization_id)";
    let mut values = Vec::new();
    for minute in 1..120_i64 {
        let at = NOON - 60 * minute;
        let mut sample = |name: &str, value: f64, unit: &str| {
            values.push(format!(
                "(fromUnixTimestamp64Milli({at}000), '{name}', 'counter', {value}, '{unit}', 'shop', '{OWN}')"
            ));
        };
        let up = (120 - minute) as f64;
        // Stood still until an hour ago.
        sample("failures.total", if minute < 60 { 6.0 * (60 - minute) as f64 } else { 0.0 }, "1");
        // In kilobytes since an hour ago.
        if minute < 60 {
            sample("sent.total", up, "kBy")
        } else {
            sample("sent.total", 1000.0 * up, "By")
        }
        sample("slow.total", up * 0.0006, "");
    }
    let (engine, _kept) = over(&[insert(into, &values)], &[]).await;
    let document = collect(&engine, "metrics", json!({ "time_range": "1h" })).await;
    let counters = rows(&document, "counters");
    assert_eq!(counters[0]["metric_name"], json!("failures.total"), "{counters:?}");
    let said = highlights(&document);
    assert!(said.contains("failures.total of shop counts 0.0983 per second, before nothing"), "354 of an hour: {said}");
    let sent: Vec<(&Value, &Value)> = counters
        .iter()
        .filter(|row| row["metric_name"] == json!("sent.total"))
        .map(|row| (&row["counted_unit"], &row["change_pct"]))
        .collect();
    assert_eq!(sent.len(), 2, "{counters:?}");
    assert!(sent.contains(&(&json!("kBy"), &Value::Null)), "{sent:?}");
    let slow = counters.iter().find(|row| row["metric_name"] == json!("slow.total")).unwrap();
    assert_eq!(slow["rate_per_s"], json!(0.00001), "0.0006 a minute: {slow}");
}

#[tokio::test]
async fn small_numbers_are_told_and_shares_that_are_not_whole() {
    let fast = requests("cache", "v1", 2 * HOUR, 0, 30, false).replace("20000000,", "400,");
    let into = "exemplars (timestamp, metric_name, value, trace_id, span_id, service_name, organization_id)";
    let exemplars: Vec<String> = (0..60)
        .flat_map(|minute| [(3630 + 60 * minute, 0.00004), (30 + 60 * minute, 0.00006)])
        .map(|(before, value)| {
            let at = NOON - before;
            format!("(fromUnixTimestamp64Milli({at}000), 'lat', {value}, 't{before}', 's', 'cache', '{OWN}')")
        })
        .collect();
    let (engine, _kept) = over(&[fast, insert(into, &exemplars)], &[]).await;
    let document = collect(&engine, "latency", json!({ "time_range": "1h" })).await;
    assert_eq!(rows(&document, "services")[0]["p95_ms"], json!(0.0004), "{}", document.summary);
    let document = collect(&engine, "exemplars", json!({ "time_range": "1h" })).await;
    let metric = &rows(&document, "metrics")[0];
    assert_eq!((&metric["median_value"], &metric["median_ratio"]), (&json!(0.00006), &json!(1.5)), "{metric}");
}

#[tokio::test]
async fn sqlite_compares_seconds_with_seconds_and_truth_with_truth() {
    let rule = |id: u8, enabled: u8| {
        format!(
            "INSERT INTO alert_rules (id, organization_id, name, severity, enabled) VALUES \
             ('00000000-0000-4000-8000-0000000000e{id}', '{OWN}', 'rule {id}', 'critical', {enabled})"
        )
    };
    let own = format!(
        "CREATE TABLE jobs (id TEXT, organization_id TEXT, started_s INTEGER); \
         INSERT INTO jobs VALUES ('j', '{OWN}', {})",
        NOON - 60
    );
    let (engine, _kept) = over(&[], &[&rule(1, 1), &rule(2, 0), &rule(3, 1), &own]).await;
    let ask = async |sql: &str| {
        let given = json!({ "sql": sql }).as_object().cloned().unwrap();
        match engine.call_tool("pg_query", given, &Call::default()).await {
            Ok(Outcome::Done(answer)) => answer.text(),
            Ok(Outcome::Asks(_)) => panic!("nobody is asked"),
            Err(error) => error.to_text(),
        }
    };
    for (condition, rules) in [
        ("enabled = 'true'", 2),
        ("enabled = 'false'", 1),
        ("enabled <> 'true'", 1),
        ("enabled IN ('t')", 2),
        ("enabled", 2),
        ("CASE enabled WHEN 'true' THEN 1 ELSE 0 END = 1", 2),
        ("CASE enabled WHEN 'no' THEN 1 END = 1", 1),
    ] {
        let said = ask(&format!("SELECT count(*) AS n FROM alert_rules WHERE {condition}")).await;
        assert!(said.contains(&format!("\n{rules}\n")), "{condition}: {said}");
    }
    let said = ask("SELECT count(*) AS n FROM jobs WHERE started_s >= now() - interval '1 hour'").await;
    assert!(said.contains("`started_s`, which keeps numbers") && said.contains("unixepoch("), "{said}");
    let said = ask("SELECT count(*) AS n FROM jobs WHERE started_s >= unixepoch('2026-11-20T11:00:00Z')").await;
    assert!(said.contains("\n1\n"), "{said}");
}

/// Each is short of what counts by itself, and together they are the fault.
#[tokio::test]
async fn a_fault_in_pulses_begins_with_the_first() {
    let usual = requests("shop", "v1", 2 * HOUR, 0, 10, false);
    // Five of 35 requests fail in five minutes, from 11:15, 11:30 and 11:45 on.
    let pulses = [2700, 1800, 900].map(|from| requests("shop", "v2", from, from - 300, 60, true));
    for (pulses, begin) in [(&pulses[..], Some("2026-11-20T11:15:00.000Z")), (&pulses[..1], None)] {
        let rows_of = std::iter::once(usual.clone()).chain(pulses.iter().cloned()).collect::<Vec<_>>();
        let (engine, _kept) = over(&rows_of, &[]).await;
        let document = collect(&engine, "service-health", json!({ "time_range": "1h" })).await;
        let onsets = rows(&document, "onsets");
        let at = onsets.first().map(|row| row["first_bad_at"].as_str().unwrap());
        assert_eq!(at, begin, "{onsets:#?}");
    }
}

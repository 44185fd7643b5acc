//! What documents say where the data that a section reads end before the window does, or are not there beside others that
//! are.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::Section,
    engine::{Engine, Format},
};

use crate::{
    answers::collect,
    own_rows::{NOON, OWN, insert, over, requests, rows},
    support::pack::catalog,
};

const HOUR: i64 = 3600;

/// The newest record is forty minutes before the end of the window.
const LAST: i64 = 40 * 60;

pub fn said(document: &tfo_mcp::engine::Document) -> String {
    document.highlights.iter().map(|remark| remark.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn traffic_does_not_fall_where_traces_end() {
    for (last, falls) in [(LAST, false), (0, true)] {
        // One every ten seconds before, and as many or a third of them afterwards.
        let every = if falls { 30 } else { 10 };
        let spans = [
            requests("shop", "v1", 2 * HOUR, HOUR, 10, false),
            requests("shop", "v1", HOUR, last, every, false),
            requests("web", "v1", 2 * HOUR, last, 10, false),
        ];
        let (engine, _kept) = over(&spans, &[]).await;
        for (context_type, section) in [("throughput", "services"), ("service-map-traffic", "inflow")] {
            let document = collect(&engine, context_type, json!({ "time_range": "1h" })).await;
            let ends_early = &document.to_value()["sections"][section]["ends_early"];
            assert_eq!(ends_early, &json!(!falls), "{context_type}: {}", document.summary);
            let fell = said(&document)
                .lines()
                .any(|line| line.starts_with("shop") && line.contains("-66") || line.contains("fell by 66"));
            assert_eq!(fell, falls, "{context_type}: {}", said(&document));
            let told = document.summary.contains("40m before its end; rates are of the whole window.");
            assert_eq!(told, !falls, "{context_type}: {}", document.summary);
            assert!(falls || !document.summary.contains("% against"), "{context_type}: {}", document.summary);
            let change = falls || !document.summary.contains("Largest change");
            assert!(change, "{context_type}: {}", document.summary);
        }
    }
}

#[tokio::test]
async fn who_failed_at_the_newest_checks_fails_though_no_check_came_later() {
    let into = "uptime_checks (monitor_id, monitor_name, region, status, response_time, ssl_days_remaining, checked_at, \
                organization_id)";
    let check = |before: i64, status: &str| {
        format!("('m', 'front', 'eu', '{status}', 20, -1, fromUnixTimestamp64Milli({}000), '{OWN}')", NOON - before)
    };
    let checks: Vec<String> = (LAST..2 * HOUR)
        .step_by(60)
        .map(|before| check(before, if before < LAST + 300 { "failure" } else { "success" }))
        .collect();
    let (engine, _kept) = over(&[insert(into, &checks)], &[]).await;
    for (context_type, text) in [
        ("uptime", "Failed when the checks ended, at 2026-11-20T11:20:00Z: 1."),
        ("status-page", "Monitors that failed when the checks ended, at 2026-11-20T11:20:00Z: 1."),
    ] {
        let document = collect(&engine, context_type, json!({ "time_range": "1h" })).await;
        assert!(document.summary.contains(text), "{context_type}: {}", document.summary);
    }
    let uptime = collect(&engine, "uptime", json!({ "time_range": "1h" })).await;
    assert!(said(&uptime).contains("front failed when the checks ended: 5 of its last 16 checks"), "{}", said(&uptime));
}

#[tokio::test]
async fn a_budget_that_burns_when_traces_end_is_told_at_paging_speed() {
    let spans =
        [requests("shop", "v1", 7 * HOUR, LAST, 10, false), requests("shop", "bad", LAST + 1800, LAST, 20, true)];
    let (engine, _kept) = over(&spans, &[]).await;
    let document = collect(&engine, "error-budget", json!({ "time_range": "1h" })).await;
    assert_eq!(rows(&document, "burn")[0]["verdict"], json!("page"), "{:?}", rows(&document, "burn"));
    assert!(document.summary.contains("at paging speed: 1"), "{}", document.summary);
}

#[tokio::test]
async fn sides_are_compared_as_they_were_asked_for_and_told_where_traces_lie() {
    let (engine, _kept) = over(&[requests("shop", "v1", 2 * HOUR, 0, 10, false)], &[]).await;
    let compare = async |arguments: Value| collect(&engine, "compare", json!({ "filters": arguments })).await;
    // Half of `b` is before the first trace.
    let document =
        compare(json!({ "a": {}, "b": { "start": "2026-11-20T09:30:00Z", "end": "2026-11-20T10:30:00Z" } })).await;
    let requests: Vec<Value> = rows(&document, "sides").iter().map(|side| side["requests"].clone()).collect();
    assert_eq!(requests, [json!(360), json!(180)], "{}", document.summary);
    let begin = "Traces begin at 2026-11-20T10:00:00Z UTC: before that there is nothing to compare.";
    assert!(document.summary.contains(begin), "{}", document.summary);
    for (b, told) in [
        (
            ("2026-11-18T11:00:00Z", "2026-11-18T12:00:00Z"),
            "Traces begin at 2026-11-20T10:00:00Z UTC, after the window of `b`.",
        ),
        (("2026-11-20T12:30:00Z", "2026-11-20T13:30:00Z"), "before the window of `b`"),
    ] {
        let document = compare(json!({ "a": {}, "b": { "start": b.0, "end": b.1 } })).await;
        assert!(document.summary.contains(told), "{}", document.summary);
    }
    for (key, value, told) in [
        ("operation", "GET/", "No such request has `GET/` as `operation`; did you mean `GET /`?"),
        ("service.versoin", "v1", "No such request has `service.versoin`; did you mean `service.version`?"),
    ] {
        let document = compare(json!({ "a": { "attributes": [{ "key": key, "value": value }] } })).await;
        assert!(document.summary.contains(told), "{}", document.summary);
    }
}

/// Log lines of a service, one each `every` seconds from `from` to `to` before noon.
pub fn lines(service: &str, body: &str, from: i64, to: i64, every: usize) -> String {
    let into = "logs (timestamp, severity_text, severity_number, service_name, body, organization_id)";
    let line = |at: i64| format!("(fromUnixTimestamp64Milli({at}000), 'INFO', 9, '{service}', '{body}', '{OWN}')");
    let values: Vec<String> = (NOON - from..NOON - to).step_by(every).map(line).collect();
    insert(into, &values)
}

/// What `logs` and `ai-root-cause` say of log texts that are set against requests.
pub async fn judged(engine: &Engine) -> String {
    let logs = collect(engine, "logs", json!({ "time_range": "1h" })).await;
    let cause = collect(engine, "ai-root-cause", json!({ "time_range": "1h" })).await;
    format!("{}\n{:?}\n{}", said(&logs), rows(&logs, "shifts"), said(&cause))
}

#[tokio::test]
async fn no_line_is_expected_where_no_log_was_recorded_and_none_is_new_where_they_begin() {
    let spans = ["shop", "web"].map(|service| requests(service, "v1", 2 * HOUR, 0, 5, false));
    let begin = HOUR - 1200;
    // They end, they begin, and there is a gap in them.
    for times in [vec![(2 * HOUR, LAST)], vec![(begin, 0)], vec![(2 * HOUR, LAST), (900, 0)]] {
        let told: Vec<String> = times
            .iter()
            .flat_map(|(from, to)| ["shop", "web"].map(|service| lines(service, "answered", *from, *to, 5)))
            .collect();
        let (engine, _kept) = over(&[&spans[..], &told].concat(), &[]).await;
        let judged = judged(&engine).await;
        assert!(!judged.contains("expected"), "{times:?}: {judged}");
    }
    // One that says nothing while others go on has stopped, and one that begins is new.
    let told = [
        lines("shop", "answered", 2 * HOUR, LAST, 5),
        lines("web", "answered", 2 * HOUR, 0, 5),
        lines("web", "refused", begin, 0, 5),
    ];
    let (engine, _kept) = over(&[&spans[..], &told].concat(), &[]).await;
    let judged = judged(&engine).await;
    assert!(judged.contains("stopped") && judged.contains("refused"), "{judged}");
}

#[tokio::test]
async fn no_request_makes_lines_expected_or_new_where_no_trace_was_recorded() {
    let told = ["shop", "web"].map(|service| lines(service, "answered", 2 * HOUR, 0, 5));
    // Traces end, they begin, there is a gap in them.
    for times in [vec![(2 * HOUR, LAST)], vec![(HOUR - 1200, 0)], vec![(2 * HOUR, LAST), (900, 0)]] {
        let spans: Vec<String> = times
            .iter()
            .flat_map(|(from, to)| ["shop", "web"].map(|service| requests(service, "v1", *from, *to, 5, false)))
            .collect();
        let (engine, _kept) = over(&[&spans[..], &told].concat(), &[]).await;
        let judged = judged(&engine).await;
        assert!(!judged.contains("expected"), "{times:?}: {judged}");
    }
    // Without any trace what grew is told against the time, and not against requests.
    let more = lines("web", "refused", HOUR - 1200, 0, 5);
    let (engine, _kept) = over(&[&told[..], &[more]].concat(), &[]).await;
    let judged = judged(&engine).await;
    assert!(judged.contains("refused") && !judged.contains("for its requests"), "{judged}");
}

#[tokio::test]
async fn no_service_is_silent_where_traces_are_missing_and_logs_are_not() {
    let lines = ["shop", "web"].map(|service| lines(service, "answered", 2 * HOUR, 0, 5));
    let (gone, never) = ("No traces ", "No traces were ever recorded here.");
    for (last, text) in [(Some(LAST), gone), (None, never)] {
        let spans = last.map(|last| ["shop", "web"].map(|service| requests(service, "v1", 2 * HOUR, last, 5, false)));
        let statements: Vec<String> = spans.into_iter().flatten().chain(lines.clone()).collect();
        let (engine, _kept) = over(&statements, &[]).await;
        for context_type in ["service-health", "correlations"] {
            let document = collect(&engine, context_type, json!({ "time_range": "30m" })).await;
            assert!(document.summary.contains(text), "{context_type}: {}", document.summary);
            assert!(!document.summary.contains("Services: "), "{context_type}: {}", document.summary);
            assert!(!said(&document).contains("fell silent"), "{context_type}: {}", said(&document));
        }
    }
}

#[tokio::test]
async fn a_budget_of_minutes_is_not_known_to_be_kept() {
    for (from, verdict) in [(300, "not known"), (7 * HOUR, "ok")] {
        let (engine, _kept) = over(&[requests("shop", "v1", from, 0, 5, false)], &[]).await;
        let document = collect(&engine, "error-budget", json!({ "time_range": "1h" })).await;
        assert_eq!(rows(&document, "burn")[0]["verdict"], json!(verdict), "{:?}", rows(&document, "burn"));
        assert_eq!(document.summary.contains("not known, for want of traces: 1"), from == 300, "{}", document.summary);
    }
}

#[tokio::test]
async fn what_is_left_is_counted_from_the_end_of_the_window_and_not_from_the_forecast() {
    let into = "predictions (timestamp, resource_type, resource_identifier, horizon, failure_probability, \
                time_to_failure_seconds, organization_id)";
    let forecast =
        format!("(fromUnixTimestamp64Milli({}000), 'pod', 'shop/cache', '6h', 0.9, 10800, '{OWN}')", NOON - LAST);
    let (engine, _kept) = over(&[insert(into, &[forecast])], &[]).await;
    let document = collect(&engine, "predictive-maintenance", json!({ "time_range": "6h" })).await;
    let left = rows(&document, "resources")[0]["left_h"].as_f64().unwrap();
    assert!((left - 7.0 / 3.0).abs() < 0.01, "{left}");
    assert!(said(&document).contains("within 6h of 2026-11-20T11:20:00Z"), "{}", said(&document));
}

#[tokio::test]
async fn events_that_were_never_recorded_are_no_all_clear() {
    let event = |before: i64| {
        let into = "kubernetes_events (timestamp, cluster_id, organization_id, type, reason, count, first_timestamp, \
                    last_timestamp)";
        let at = format!("fromUnixTimestamp64Milli({}000)", NOON - before);
        insert(into, &[format!("({at}, 'c', '{OWN}', 'Normal', 'Pulled', 1, {at}, {at})")])
    };
    for (events, word, text) in [
        (vec![], "unrecorded", "no events of Kubernetes were ever recorded here"),
        (vec![event(72 * HOUR)], "empty", "nothing was found; the last events of Kubernetes before this window are of"),
    ] {
        let mut records = events.clone();
        records.push(requests("shop", "v1", HOUR, 0, 10, false));
        let (engine, _kept) = over(&records, &[]).await;
        for (context_type, section) in
            [("infra-memory", "kills"), ("infra-containers", "kills"), ("ai-root-cause", "cluster")]
        {
            let document = collect(&engine, context_type, json!({ "time_range": "1h" })).await;
            let status = &document.to_value()["sections"][section]["status"];
            assert_eq!(status, &json!(word), "{context_type}: {}", document.summary);
            let markdown = engine.render(&document, Format::Markdown, None);
            // Beside other data of its source that are there, or as one of all that are not.
            let is_alone = !events.is_empty() && context_type != "ai-root-cause";
            let text = if is_alone { "nothing was recorded in this window" } else { text };
            assert!(markdown.contains(text), "{context_type}: {markdown}");
            let never = document.summary.contains("No events of Kubernetes were ever recorded here.");
            assert_eq!(never, events.is_empty(), "{context_type}: {}", document.summary);
            assert!(!events.is_empty() || !document.summary.contains("killed"), "{}", document.summary);
        }
    }
}

#[tokio::test]
async fn every_form_of_a_document_tells_what_was_not_recorded() {
    let into = "db_postgresql_metrics (timestamp, organization_id, instance_id, metric_name, value)";
    let sample = format!("(fromUnixTimestamp64Milli({}000), '{OWN}', 'i', 'postgresql.backends', 3)", NOON - 2 * HOUR);
    let (engine, _kept) = over(&[requests("shop", "v1", HOUR, 0, 10, false), insert(into, &[sample])], &[]).await;
    let document = collect(&engine, "db-locks", json!({ "time_range": "4m" })).await;
    assert!(!document.summary.contains("Nothing was found for"), "{}", document.summary);
    assert!(document.summary.contains("PostgreSQL, who waits for locks: nothing recorded"), "{}", document.summary);
    let json: Value = serde_json::from_str(&engine.render(&document, Format::Json, None)).unwrap();
    for (section, status, message) in [
        ("postgresql", "unrecorded", json!("nothing was recorded in this window")),
        ("mssql", "unrecorded", json!("no metrics of SQL Server were ever recorded here")),
        ("failures", "empty", Value::Null),
    ] {
        let told = &json["sections"][section];
        assert_eq!((&told["status"], &told["message"]), (&json!(status), &message), "{json}");
    }
    let csv = engine.render(&document, Format::Csv, None);
    let told = "# section=postgresql status=unrecorded message=nothing was recorded in this window";
    assert!(csv.contains(told), "{csv}");
}

#[tokio::test]
async fn alerts_are_not_counted_against_a_time_before_the_first_on_record() {
    let rule = format!(
        "INSERT INTO alert_rules (id, organization_id, name, severity) VALUES \
         ('00000000-0000-4000-8000-0000000000c1', '{OWN}', 'down', 'critical')"
    );
    let alert = |id: u8, at: &str| {
        format!(
            "INSERT INTO alert_instances (id, alert_rule_id, organization_id, status, severity, title, starts_at, \
             acknowledged_at, fingerprint) VALUES ('00000000-0000-4000-8000-0000000000d{id}', \
             '00000000-0000-4000-8000-0000000000c1', '{OWN}', 'firing', 'critical', 'down', '{at}', '{at}', 'f')"
        )
    };
    let mut alerts = vec![
        rule,
        alert(1, "2026-11-20T11:10:00.000Z"),
        alert(2, "2026-11-20T11:20:00.000Z"),
        alert(3, "2026-11-20T11:30:00.000Z"),
    ];
    for known in [false, true] {
        if known {
            alerts.push(alert(4, "2026-11-18T11:30:00.000Z"));
        }
        let platform: Vec<&str> = alerts.iter().map(String::as_str).collect();
        let (engine, _kept) = over(&[], &platform).await;
        for context_type in ["alert-rules", "ai-patterns"] {
            let document = collect(&engine, context_type, json!({ "time_range": "1h" })).await;
            let told = format!("{}\n{}", document.summary, said(&document));
            let first =
                "The first alerts on record are of 2026-11-20T11:10:00Z UTC: nothing is known of the time before";
            assert_eq!(told.contains(first), !known, "{context_type}: {told}");
            let counted = told.contains("alerts, 0 in the") || told.contains("window, before 0");
            assert_eq!(counted, known, "{context_type}: {told}");
        }
    }
}

/// What is recorded all the time, so that nothing found in it may be nothing recorded.
fn streams(section: &Section) -> BTreeSet<&str> {
    let ways = section.query.iter().flat_map(|way| &way.requires);
    ways.map(|name| name.split('.').next().unwrap_or(name)).collect()
}

#[test]
fn every_type_knows_of_each_stream_that_it_shows_whether_it_was_recorded() {
    let catalog = catalog(&[], &CatalogOptions::default());
    let told: Vec<(&String, &Section)> = catalog
        .contexts
        .iter()
        .flat_map(|(name, entry)| entry.sections.iter().map(move |section| (name, &section.definition)))
        .filter(|(_, section)| section.when_empty && section.every.is_some())
        .collect();
    let all: BTreeSet<&str> = told.iter().flat_map(|(_, section)| streams(section)).collect();
    assert!(all.contains("traces") && all.contains("vm_metrics") && all.contains("db_mysql_metrics"), "{all:?}");
    let mut unknown = Vec::new();
    for (name, entry) in catalog.contexts.iter() {
        let own: BTreeSet<&str> =
            told.iter().filter(|(of, _)| *of == name).flat_map(|(_, section)| streams(section)).collect();
        for section in entry.sections.iter().filter(|one| one.definition.show && !one.definition.when_empty) {
            // What is read only where a better table is not there is told of by that.
            let first = Section { query: section.definition.query[..1].to_vec(), ..section.definition.clone() };
            let read: BTreeSet<&str> = streams(&first).intersection(&all).copied().collect();
            if !read.is_empty() && read.is_disjoint(&own) {
                unknown.push(format!("{name}/{} reads {read:?}", section.name));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn sections_of_several_streams_say_whether_they_set_one_against_another() {
    let catalog = catalog(&[], &CatalogOptions::default());
    let every = ["traces", "logs", "metrics", "logs_errors", "exemplars"];
    let mut unsaid = Vec::new();
    for (name, entry) in catalog.contexts.iter() {
        for section in entry.sections.iter().map(|section| &section.definition).filter(|section| !section.when_empty) {
            for way in &section.query {
                let one = Section { query: vec![way.clone()], ..section.clone() };
                let read = streams(&one);
                let read: BTreeSet<&str> = every.into_iter().filter(|stream| read.contains(stream)).collect();
                let kinds = read.iter().map(|stream| stream.trim_end_matches("_errors")).collect::<BTreeSet<_>>().len();
                // What stands below each other is no comparison.
                let sql = format!("{way:?}");
                if kinds > 1 && section.paired.is_empty() && !sql.contains("UNION ALL") {
                    unsaid.push(format!("{name}/{} reads {read:?}", section.title));
                }
            }
        }
    }
    assert!(unsaid.is_empty(), "{unsaid:#?}");
}

/// Checks of a monitor, one each `every` seconds from `from` to `to` before noon.
fn checks(monitor: &str, from: i64, to: i64, every: usize, status: &str) -> String {
    let into = "uptime_checks (monitor_id, monitor_name, region, status, response_time, ssl_days_remaining, checked_at, \
                organization_id)";
    let check = |at: i64| {
        format!("('{monitor}', '{monitor}', 'eu', '{status}', 20, -1, fromUnixTimestamp64Milli({at}000), '{OWN}')")
    };
    insert(into, &(NOON - from..NOON - to).step_by(every).map(check).collect::<Vec<_>>())
}

#[tokio::test]
async fn an_outage_does_not_last_over_a_time_in_which_nobody_checked() {
    let minute = 60;
    // Checked each minute, but not between 11:20 and 11:50; and one that is checked each hour.
    let told = [
        // Well when checks come again.
        checks("recovered", 3 * HOUR, 42 * minute, 60, "success"),
        checks("recovered", 42 * minute, 39 * minute, 60, "failure"),
        checks("recovered", 10 * minute, 0, 60, "success"),
        // Still fails then.
        checks("failed", 3 * HOUR, 42 * minute, 60, "success"),
        checks("failed", 42 * minute, 39 * minute, 60, "failure"),
        checks("failed", 10 * minute, 9 * minute, 60, "failure"),
        checks("failed", 9 * minute, 0, 60, "success"),
        // Fails for the first time then.
        checks("begun", 3 * HOUR, 39 * minute, 60, "success"),
        checks("begun", 10 * minute, 8 * minute, 60, "failure"),
        checks("begun", 8 * minute, 0, 60, "success"),
        checks("hourly", 11 * HOUR - 300, 2 * HOUR - 300, 3600, "success"),
        checks("hourly", 2 * HOUR - 300, HOUR - 300, 3600, "failure"),
        checks("hourly", HOUR - 300, 0, 3600, "success"),
    ];
    let (engine, _kept) = over(&told, &[]).await;
    let document = collect(&engine, "uptime", json!({ "time_range": "12h" })).await;
    let at = |time: &Value| time.as_str().map_or_else(String::new, |time| time[11..16].to_owned());
    let mut outages: Vec<String> = rows(&document, "outages")
        .iter()
        .map(|row| {
            format!(
                "{} {} seen {} over {} end {} until {} by {} min {}",
                row["monitor_label"].as_str().unwrap(),
                at(&row["began_at"]),
                row["begin_seen"].as_str().unwrap(),
                row["is_over"].as_str().unwrap(),
                row["end_seen"].as_str().unwrap(),
                at(&row["lasted_to"]),
                at(&row["over_by"]),
                row["length_min"]
            )
        })
        .collect();
    outages.sort();
    assert_eq!(
        outages,
        [
            "begun 11:50 seen no over yes end yes until 11:52 by  min 2.0",
            "failed 11:18 seen yes over not known end no until  by  min 2.0",
            "failed 11:50 seen no over yes end yes until 11:51 by  min 1.0",
            "hourly 10:05 seen yes over yes end yes until 11:05 by  min 60.0",
            "recovered 11:18 seen yes over yes end no until  by 11:50 min 2.0",
        ]
    );
    assert!(document.summary.contains("Longest outage: hourly from eu, 60 minutes since"), "{}", document.summary);
    let longer = "Outages that may be longer, since nobody checked when they ended: 2.";
    assert!(document.summary.contains(longer), "{}", document.summary);
    let own = json!({ "time_range": "1h", "filters": { "monitor": "recovered" } });
    let document = collect(&engine, "uptime", own).await;
    let text = "Longest outage: recovered from eu, at least 2 minutes since 2026-11-20T11:18:00Z, over by \
                2026-11-20T11:50:00Z (no check between 2026-11-20T11:20:00Z and that).";
    assert!(document.summary.contains(text), "{}", document.summary);
    // One that goes on is told with a begin that is not known.
    let told = [checks("shop", 3 * HOUR, 39 * minute, 60, "success"), checks("shop", 10 * minute, 0, 60, "failure")];
    let (engine, _kept) = over(&told, &[]).await;
    let document = collect(&engine, "uptime", json!({ "time_range": "1h" })).await;
    let text = "shop fails from eu since 2026-11-20T11:50:00Z at the latest";
    assert!(said(&document).contains(text), "{}", said(&document));
}

#[tokio::test]
async fn a_budget_is_not_known_over_a_hole_in_its_hour() {
    let objective = format!(
        "INSERT INTO slo_definitions (id, organization_id, service_name, name, sli_type, target_pct, window_days, enabled) \
         VALUES ('00000000-0000-4000-8000-0000000000b1', '{OWN}', 'shop', 'o', 'availability', 95, 1, 1)"
    );
    let all = |every| vec![requests("shop", "v1", 25 * HOUR, 0, every, false)];
    let holed = |every: usize, hole: (i64, i64), from: i64, failed: bool| {
        vec![requests("shop", "v1", from, hole.0, every, false), requests("shop", "v1", hole.1, 0, every, failed)]
    };
    let (long, short) = ((54 * 60, 240), (54 * 60, 48 * 60));
    let bursts: Vec<String> =
        (0..50).map(|half| requests("shop", "v1", half * 1800 + 180, half * 1800, 10, false)).collect();
    for (spans, verdict) in [
        (holed(10, long, 25 * HOUR, false), "not known"),
        // Also what began shortly before, and what burns where it is covered.
        (holed(10, long, HOUR + 300, false), "not known"),
        (holed(10, long, 25 * HOUR, true), "not known"),
        // Too short, none, and what comes now and then or in bursts.
        (holed(10, short, 25 * HOUR, false), "ok"),
        (all(10), "ok"),
        (all(600), "ok"),
        (bursts, "ok"),
    ] {
        let (engine, _kept) = over(&spans, &[&objective]).await;
        let document = collect(&engine, "error-budget", json!({ "time_range": "1h" })).await;
        let burn = &rows(&document, "burn")[0];
        assert_eq!(burn["verdict"], json!(verdict), "{burn}");
        let is_known = verdict == "ok";
        assert_eq!(burn["burn_1h"].is_null(), !is_known, "{burn}");
        let own = &rows(&document, "objectives")[0];
        assert_eq!(own["burn_1h"].is_null(), !is_known, "{own}");
        let text = "not known, for want of traces: 1 (none were recorded between 2026-11-20T11:05:50Z and \
                    2026-11-20T11:56:00Z). First on the list: shop, over 1 h not known";
        assert_eq!(document.summary.contains(text), !is_known, "{}", document.summary);
        if burn["errors_1h"] != json!(0) {
            let text = "is not known: no traces were recorded between 2026-11-20T11:05:50Z and 2026-11-20T11:56:00Z";
            assert!(said(&document).contains(text), "{}", said(&document));
        }
        assert!(!said(&document).contains("reach back"), "{}", said(&document));
    }
}

#[tokio::test]
async fn a_budget_pages_over_six_hours_where_a_hole_is_in_the_last() {
    let spans = [
        requests("shop", "v1", 25 * HOUR, 2 * HOUR, 10, false),
        requests("shop", "bad", 2 * HOUR, 3000, 10, true),
        requests("shop", "bad", 600, 0, 10, true),
    ];
    let (engine, _kept) = over(&spans, &[]).await;
    let document = collect(&engine, "error-budget", json!({ "time_range": "1h" })).await;
    let burn = &rows(&document, "burn")[0];
    assert_eq!((&burn["verdict"], &burn["burn_1h"]), (&json!("page"), &Value::Null), "{burn}");
    let text = "over 6 h (over 1 h not known): 120 errors in 120 requests of the last hour that traces cover";
    assert!(said(&document).contains(text), "{}", said(&document));
}

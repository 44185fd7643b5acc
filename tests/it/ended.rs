//! What documents say where the data that a section reads end before the window does, or are not there beside others that
//! are.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tfo_mcp::{catalog::CatalogOptions, definition::Section};

use crate::{
    answers::collect,
    own_rows::{NOON, OWN, insert, over, requests, rows},
    support::pack::catalog,
};

const HOUR: i64 = 3600;

/// The newest record is forty minutes before the end of the window.
const LAST: i64 = 40 * 60;

fn said(document: &tfo_mcp::engine::Document) -> String {
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
        ("uptime", "Fail at the end of the window: 1."),
        ("status-page", "Monitors that fail at the end of the window: 1."),
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

//! What documents say where data that come all the time are missing for a while: a collector was down.

use serde_json::json;

use crate::{
    answers::collect,
    ended::{judged, lines, said},
    own_rows::{over, requests, rows},
};

const HOUR: i64 = 3600;

/// A hole in the window begins forty minutes before its end.
const LAST: i64 = 40 * 60;

/// Times as seconds before noon, between which there are rows.
type Times = [(i64, i64)];

/// Statements of two services, one row each `every` seconds in these times.
fn both(times: &Times, one: impl Fn(&str, i64, i64) -> String) -> Vec<String> {
    times.iter().flat_map(|(from, to)| ["shop", "web"].map(|service| one(service, *from, *to))).collect()
}

fn spans(times: &Times) -> Vec<String> {
    both(times, |service, from, to| requests(service, "v1", from, to, 5, false))
}

/// Lines as they come with each request, and a warning each twenty seconds.
fn usual_lines(times: &Times) -> Vec<String> {
    let warn = |service: &str, from, to| lines(service, "slow card", from, to, 20).replace("'INFO', 9", "'WARN', 13");
    let info = both(times, |service, from, to| lines(service, "answered", from, to, 5));
    info.into_iter().chain(both(times, warn)).collect()
}

fn errors(times: &Times) -> Vec<String> {
    both(times, |service, from, to| lines(service, "card refused", from, to, 30).replace("'INFO', 9", "'ERROR', 17"))
}

#[tokio::test]
async fn a_hole_in_what_comes_all_the_time_is_told_where_it_is() {
    let within =
        "No traces were recorded between 2026-11-20T11:20:00Z and 2026-11-20T11:40:00Z UTC: what seems to begin";
    let before = "No traces were recorded between 2026-11-20T10:20:00Z and 2026-11-20T10:40:00Z UTC, in the time that this window \
                  would be compared with: it is compared with nothing.";
    for (hole, every, told) in [
        (Some((LAST, LAST - 1200)), 10, Some(within)),
        (Some((HOUR + LAST, HOUR + LAST - 1200)), 10, Some(before)),
        // At the begin of the window, and at the end of the time before.
        (
            Some((HOUR, HOUR - 1200)),
            10,
            Some("No traces were recorded between 2026-11-20T11:00:00Z and 2026-11-20T11:20:00Z UTC:"),
        ),
        (
            Some((HOUR + 1200, HOUR)),
            10,
            Some("between 2026-11-20T10:40:00Z and 2026-11-20T11:00:00Z UTC, in the time that"),
        ),
        // What comes each ten seconds is missing after three minutes.
        (
            Some((LAST, LAST - 180)),
            10,
            Some("No traces were recorded between 2026-11-20T11:20:00Z and 2026-11-20T11:23:00Z UTC:"),
        ),
        // Too short, none, and what comes now and then.
        (Some((LAST, LAST - 120)), 10, None),
        (None, 10, None),
        (None, 1000, None),
    ] {
        let times = match hole {
            Some((from, to)) => vec![(3 * HOUR, from), (to, 0)],
            None => vec![(3 * HOUR, 0)],
        };
        let spans: Vec<String> =
            times.iter().map(|(from, to)| requests("shop", "v1", *from, *to, every, false)).collect();
        let (engine, _kept) = over(&spans, &[]).await;
        for context_type in ["throughput", "latency", "errors"] {
            let document = collect(&engine, context_type, json!({ "time_range": "1h" })).await;
            let missing = document.summary.contains("No traces were recorded between");
            assert_eq!(missing, told.is_some(), "{hole:?}: {context_type}: {}", document.summary);
            let is_told = told.is_none_or(|told| document.summary.contains(told));
            assert!(is_told, "{hole:?}: {context_type}: {}", document.summary);
        }
    }
}

#[tokio::test]
async fn what_is_lost_of_a_window_or_of_the_time_before_makes_no_change() {
    let minutes = |from: i64, to: i64| (from * 60, to * 60);
    for (times, holes) in [
        // Four minutes are left on each side, or none at all; two holes; one across the begin of the window.
        (vec![minutes(240, 56), minutes(4, 0)], "11:04:00Z and 2026-11-20T11:56:00Z UTC:"),
        (vec![minutes(240, 120), minutes(60, 0)], "10:00:00Z and 2026-11-20T11:00:00Z UTC, in the time that"),
        (
            vec![minutes(240, 50), minutes(30, 20), minutes(2, 0)],
            "11:10:00Z and 2026-11-20T11:30:00Z, 2026-11-20T11:40:00Z and 2026-11-20T11:58:00Z UTC:",
        ),
        (vec![minutes(240, 70), minutes(48, 0)], "10:50:00Z and 2026-11-20T11:12:00Z UTC:"),
        (vec![minutes(240, 115), minutes(65, 0)], "10:05:00Z and 2026-11-20T10:55:00Z UTC, in the time that"),
    ] {
        let statements = [spans(&times), usual_lines(&times), errors(&times)].concat();
        let (engine, _kept) = over(&statements, &[]).await;
        for context_type in ["throughput", "service-map-traffic", "errors", "logs", "platform-capacity"] {
            let document = collect(&engine, context_type, json!({ "time_range": "1h" })).await;
            let told = document.summary.contains(&format!(" were recorded between 2026-11-20T{holes}"));
            assert!(told, "{context_type}: {}", document.summary);
            let all = format!("{}\n{}", document.summary, said(&document));
            // A sixth of each time is lost: that is told, and they are compared.
            let wrongs = ["against the window before", "before: ", " before)", "before 2", "growth"];
            let wrongs: &[&str] = if holes.starts_with("10:50") { &[] } else { &wrongs };
            for wrong in ["fell", "rose", "New "].iter().chain(wrongs) {
                assert!(!all.contains(wrong), "{times:?}: {context_type}: {wrong}: {all}");
            }
        }
        let said = judged(&engine).await;
        assert!(!said.contains("expected") && !said.contains("turned bad"), "{times:?}: {said}");
    }
}

#[tokio::test]
async fn a_night_without_anything_is_a_habit_and_no_hole() {
    let day = 24 * HOUR;
    let times = [(3 * day, 3 * day - 14 * HOUR), (2 * day, 2 * day - 14 * HOUR), (day, day - 14 * HOUR), (600, 0)];
    let spans = both(&times, |service, from, to| requests(service, "v1", from, to, 60, false));
    let (engine, _kept) = over(&spans, &[]).await;
    let document = collect(&engine, "throughput", json!({ "time_range": "1d" })).await;
    assert!(!document.summary.contains("No traces"), "{}", document.summary);
    assert_eq!(rows(&document, "services")[0]["prev_requests"], json!(840), "{:?}", rows(&document, "services")[0]);
}

#[tokio::test]
async fn no_text_stops_or_begins_where_six_minutes_of_lines_or_of_requests_are_missing() {
    let (all, hole): (&Times, &Times) = (&[(4 * HOUR, 0)], &[(4 * HOUR, LAST), (LAST - 380, 0)]);
    for statements in [
        [spans(all), usual_lines(hole)].concat(),
        usual_lines(hole),
        errors(&[(4 * HOUR, LAST), (600, 0)]),
        [spans(hole), usual_lines(all)].concat(),
        // Where only errors are logged, that they end is no trouble, nor that they were not recorded.
        [spans(all), errors(&[(4 * HOUR, LAST), (600, 0)])].concat(),
        [spans(all), errors(&[(4 * HOUR, LAST)])].concat(),
        [spans(all), errors(&[(4 * HOUR, 115 * 60), (65 * 60, 0)])].concat(),
    ] {
        let (engine, _kept) = over(&statements, &[]).await;
        let said = judged(&engine).await;
        assert!(!said.contains("expected") && !said.contains("turned bad"), "{said}");
    }
    // In a day a slot is an hour.
    let times: &Times = &[(50 * HOUR, 10 * HOUR), (8 * HOUR, 0)];
    let statements = both(times, |service, from, to| lines(service, "answered", from, to, 20));
    let (engine, _kept) = over(&statements, &[]).await;
    let cause = collect(&engine, "ai-root-cause", json!({ "time_range": "1d" })).await;
    assert!(!said(&cause).contains("turned bad"), "{}", said(&cause));
}

#[tokio::test]
async fn a_hole_in_one_of_two_sides_that_are_compared_is_told() {
    let (engine, _kept) = over(&spans(&[(4 * HOUR, 115 * 60), (65 * 60, 0)]), &[]).await;
    let before = json!({ "start": "2026-11-20T10:00:00Z", "end": "2026-11-20T11:00:00Z" });
    for (arguments, side) in [(json!({ "a": {}, "b": before }), "b"), (json!({ "a": before, "b": {} }), "a")] {
        let document = collect(&engine, "compare", json!({ "filters": arguments })).await;
        let told = format!(
            "No traces were recorded between 2026-11-20T10:05:00Z and 2026-11-20T10:55:00Z UTC, in the window of `{side}`"
        );
        assert!(document.summary.contains(&told), "{}", document.summary);
    }
}

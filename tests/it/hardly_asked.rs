//! Operations that hardly anybody asks any more are told with what was due, and what is so at times is none of them.

use serde_json::json;

use crate::{
    answers::collect,
    own_rows::{over, requests, rows},
};

const HOUR: i64 = 3600;
const MINUTE: i64 = 60;

#[tokio::test]
async fn operations_that_end_or_become_rare_are_told_and_jobs_are_not() {
    // From, to and every so many seconds, before noon; since when, how many came and were due.
    type Asked = &'static [(i64, i64, usize)];
    type Told = (&'static str, f64, f64);
    let cases: [(&str, Asked, Option<Told>); 8] = [
        ("ends", &[(3 * HOUR, HOUR / 2, 10)], Some(("2026-11-20T11:29:50", 0.0, 180.0))),
        ("becomes rare", &[(3 * HOUR, HOUR / 2, 10), (HOUR / 2, 0, 150)], Some(("2026-11-20T11:30:00", 12.0, 180.0))),
        ("was first asked in the window", &[(40 * MINUTE, 20 * MINUTE, 10)], None),
        ("a third is left", &[(3 * HOUR, HOUR / 2, 10), (HOUR / 2, 0, 30)], None),
        ("goes on", &[(3 * HOUR, 0, 10)], None),
        ("too few to tell", &[(3 * HOUR, HOUR / 2, 200)], None),
        (
            "a job of each hour",
            &[(3 * HOUR, 170 * MINUTE, 2), (2 * HOUR, 110 * MINUTE, 2), (HOUR, 50 * MINUTE, 2)],
            None,
        ),
        ("a job of the night", &[(HOUR, 50 * MINUTE, 2)], None),
    ];
    for (case, asked, expected) in cases {
        let mut spans: Vec<_> =
            asked.iter().map(|(from, to, every)| requests("shop", "v1", *from, *to, *every, false)).collect();
        spans.push(requests("web", "v2", 3 * HOUR, 0, 10, false));
        let (engine, _kept) = over(&spans, &[]).await;
        let document = collect(&engine, "ai-root-cause", json!({ "time_range": "1h" })).await;
        let stopped = rows(&document, "stopped");
        let told: Vec<_> = stopped
            .iter()
            .map(|row| {
                let at = row["since"].as_str().unwrap();
                (&at[..19], row["requests_since"].as_f64().unwrap(), row["requests_due"].as_f64().unwrap())
            })
            .collect();
        assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{case}: {}", document.summary);
        assert_eq!(document.summary.contains("Hardly asked any more: GET / of shop"), expected.is_some(), "{case}");
    }
}

/// Without anything before its first request there is nothing to tell a job from what is always asked.
#[tokio::test]
async fn what_was_recorded_from_the_window_on_may_end() {
    let spans = [requests("shop", "v1", HOUR, HOUR / 2, 10, false)];
    let (engine, _kept) = over(&spans, &[]).await;
    let document = collect(&engine, "ai-root-cause", json!({ "time_range": "1h" })).await;
    let stopped = rows(&document, "stopped");
    assert_eq!((stopped.len(), &stopped[0]["requests_due"]), (1, &json!(180.0)), "{}", document.summary);
}

/// What was asked yesterday at this hour may have been asked until a minute before the window.
#[tokio::test]
async fn what_is_missed_against_another_day_is_missed_since_the_window_began() {
    let spans =
        [requests("shop", "v1", 26 * HOUR, 20 * HOUR, 20, false), requests("web", "v2", 26 * HOUR, 0, 20, false)];
    let (engine, _kept) = over(&spans, &[]).await;
    let document = collect(&engine, "ai-root-cause", json!({ "time_range": "1h", "baseline": "day" })).await;
    let stopped = rows(&document, "stopped");
    assert_eq!(stopped.len(), 1, "{}", document.summary);
    assert_eq!(
        (&stopped[0]["since"], &stopped[0]["requests_due"]),
        (&json!("2026-11-20T11:00:00.000Z"), &json!(180.0))
    );
}

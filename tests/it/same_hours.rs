//! What is news: a change that stands against the window before and, where data reach back, against the same hours of the
//! day before. What is so every day is none, and what began before the window is told as old, with its age.

use serde_json::{Value, json};
use tfo_mcp::{
    definition::Severity,
    engine::{Document, Engine},
};

use crate::{
    answers::collect,
    own_rows::{NOON, OWN, over},
};

const HOUR: i64 = 3600;

/// Types over spans and log lines that may call something bad by comparing.
const TYPES: [&str; 9] =
    ["ai-root-cause", "latency", "errors", "logs", "traces", "throughput", "service-health", "dependencies", "sli"];

/// Requests of a service from `from` to `to` seconds before noon, one each `every` seconds, of about `ms` milliseconds,
/// the same at every hour of every day.
fn requests(service: &str, from: i64, to: i64, every: i64, ms: i64) -> String {
    let number = (from - to) / every;
    format!(
        "INSERT INTO traces (timestamp, trace_id, span_id, span_name, span_kind, service_name, status_code, duration_ns, \
         organization_id) SELECT fromUnixTimestamp64Milli(({NOON} - {from} + number * {every}) * 1000) AS timestamp, \
         lower(hex(MD5(concat('{service}', toString(timestamp))))) AS trace_id, left(trace_id, 16) AS span_id, 'GET /', \
         'SERVER', '{service}', 'OK', {ms} * (800000 + cityHash64(number) % 400000), '{OWN}' FROM numbers({number})"
    )
}

/// The same, of which one in three fails.
fn failing(service: &str, from: i64, to: i64, every: i64, ms: i64) -> String {
    let text = requests(service, from, to, every, ms);
    text.replace("'OK'", "if(number % 3 = 0, 'ERROR', 'OK')")
}

/// Log lines of a service.
fn lines(service: &str, from: i64, to: i64, every: i64, severity: (&str, u8), text: &str) -> String {
    let number = (from - to) / every;
    let (name, level) = severity;
    format!(
        "INSERT INTO logs (timestamp, service_name, severity_text, severity_number, body, organization_id) \
         SELECT fromUnixTimestamp64Milli(({NOON} - {from} + number * {every}) * 1000), '{service}', '{name}', {level}, \
         '{text}', '{OWN}' FROM numbers({number})"
    )
}

async fn asked(engine: &Engine, context: &str, baseline: &str, hours_ago: i64) -> Document {
    let end = time::OffsetDateTime::from_unix_timestamp(NOON - hours_ago * HOUR).unwrap();
    let stamp = |at: time::OffsetDateTime| at.format(&time::format_description::well_known::Rfc3339).unwrap();
    let start = stamp(end - time::Duration::HOUR);
    collect(engine, context, json!({ "start": start, "end": stamp(end), "baseline": baseline })).await
}

/// What is called bad, by type.
async fn bad(engine: &Engine, baseline: &str, hours_ago: i64) -> Vec<String> {
    let mut bad = Vec::new();
    for context in TYPES {
        let document = asked(engine, context, baseline, hours_ago).await;
        let said = document.highlights.iter().filter(|said| said.severity != Severity::Info);
        bad.extend(said.map(|said| format!("{context}: {}", said.text)));
    }
    bad
}

fn told<'a>(document: &'a Document, word: &str) -> Vec<&'a str> {
    let texts = document.highlights.iter().map(|said| said.text.as_str());
    texts.filter(|text| text.contains(word)).collect()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_is_slow_every_day_at_this_hour_is_no_news() {
    let rows = [
        requests("report", 30 * HOUR, 25 * HOUR, 10, 100),
        requests("report", 25 * HOUR, 24 * HOUR, 10, 600),
        requests("report", 24 * HOUR, HOUR, 10, 100),
        requests("report", HOUR, 0, 10, 600),
    ];
    let (engine, _kept) = over(&rows, &[]).await;
    let before = bad(&engine, "previous", 0).await;
    for context in ["ai-root-cause: report turned bad", "latency: report since", "latency: report: p95"] {
        assert!(before.iter().any(|said| said.starts_with(context)), "{context}: {before:#?}");
    }
    assert_eq!(bad(&engine, "auto", 0).await, [""; 0]);
    let document = asked(&engine, "latency", "auto", 0).await;
    assert_eq!(
        told(&document, "no news: so too at these hours of the day before").len(),
        2,
        "{:?}",
        document.highlights
    );
    assert!(
        document.summary.contains(
            "Left out as no news, because it does not differ from the same hours of the day before \
             (2026-11-19T11:00:00Z to 2026-11-19T12:00:00Z UTC): report."
        ),
        "{}",
        document.summary
    );
    let notes = document.notes.join("\n");
    assert!(
        notes.contains("\"before\" is the window before; what is called bad stands against the same hours"),
        "{notes}"
    );
    // The figures are those against the window before, in either case.
    let row = &document.to_value()["sections"]["services"]["rows"][0];
    assert!(row["prev_p95_ms"].as_f64().unwrap() < 130.0, "{row}");
    let document = asked(&engine, "latency", "day", 0).await;
    let row = &document.to_value()["sections"]["services"]["rows"][0];
    assert!(row["prev_p95_ms"].as_f64().unwrap() > 600.0, "{row}");
    let notes = document.notes.join("\n");
    let same = "\"before\" is the same hours of the day before, 2026-11-19T11:00:00Z to 2026-11-19T12:00:00Z UTC";
    assert!(notes.contains(same), "{notes}");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_is_bad_since_yesterday_is_told_as_old_with_its_age() {
    let begin = 14 * HOUR;
    let rows = [
        requests("cart", 30 * HOUR, begin, 10, 100),
        failing("cart", begin, 0, 10, 600),
        lines("cart", begin, 0, 20, ("ERROR", 17), "connection pool is exhausted"),
        requests("catalog", 30 * HOUR, 0, 10, 50),
        lines("catalog", 30 * HOUR, 0, 60, ("INFO", 9), "served a page"),
    ];
    let (engine, _kept) = over(&rows, &[]).await;
    let said = bad(&engine, "auto", 0).await;
    // What is measured by itself and against no other time stays as it is; what is bad is told as bad, and as no news.
    let share = "sli: From 2026-11-20T11:00:00Z: availability";
    let old = [
        "before as well: cart",
        "since 2026-11-20T10:00:00Z at least",
        "cart was bad by 2026-11-20T10:00:00Z, perhaps earlier",
    ];
    assert!(said.iter().all(|said| said.starts_with(share) || old.iter().any(|old| said.contains(old))), "{said:#?}");
    for old in &old[1..] {
        assert!(said.iter().any(|said| said.contains(old)), "{old}: {said:#?}");
    }
    let day = bad(&engine, "day", 0).await;
    for context in ["ai-root-cause: cart turned bad", "latency: cart: p95", "errors: cart fails", "logs: New in cart"] {
        assert!(day.iter().any(|said| said.starts_with(context)), "{context}: {day:#?}");
    }
    for (context, word) in [("latency", "cart: p95"), ("errors", "cart fails"), ("logs", "in cart")] {
        let document = asked(&engine, context, "auto", 0).await;
        let said = told(&document, word);
        assert!(
            said.iter().any(|said| said.contains("(old: so since about 2026-11-19T22:00:00Z UTC, 14 h ago)")),
            "{context}: {:?}",
            document.highlights
        );
        assert_eq!(told(&document, "catalog"), [""; 0], "{context}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn what_is_new_today_is_called_bad_as_before() {
    let rows = [
        requests("cart", 30 * HOUR, HOUR / 2, 10, 100),
        failing("cart", HOUR / 2, 0, 10, 900),
        lines("cart", HOUR / 2, 0, 20, ("ERROR", 17), "connection pool is exhausted"),
        // Runs since this morning only.
        requests("search", 10 * HOUR, HOUR, 10, 100),
        failing("search", HOUR, 0, 10, 900),
    ];
    let (engine, _kept) = over(&rows, &[]).await;
    let before = bad(&engine, "previous", 0).await;
    assert!(before.iter().any(|said| said.starts_with("errors: cart fails")), "{before:#?}");
    assert!(before.iter().any(|said| said.starts_with("errors: search fails")), "{before:#?}");
    assert_eq!(bad(&engine, "auto", 0).await, before);
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn without_data_of_the_day_before_documents_are_as_they_were() {
    let rows = [
        requests("cart", 20 * HOUR, HOUR, 10, 100),
        failing("cart", HOUR, 0, 10, 900),
        lines("cart", HOUR, 0, 20, ("ERROR", 17), "connection pool is exhausted"),
    ];
    let (engine, _kept) = over(&rows, &[]).await;
    for context in TYPES {
        let (auto, previous) = (asked(&engine, context, "auto", 0).await, asked(&engine, context, "previous", 0).await);
        let seen = |document: &Document| -> (Value, Vec<String>) {
            let mut value = document.to_value();
            value.as_object_mut().unwrap().remove("elapsed_ms");
            (value, document.notes.clone())
        };
        assert_eq!(seen(&auto), seen(&previous), "{context}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_nightly_job_and_a_morning_ramp_raise_nothing() {
    let mut rows = vec![requests("shop", 52 * HOUR, 0, 20, 100)];
    // Two nights before as well, so that the day before the day before is known.
    for day in 0..3 {
        let begin = (day * 24 + 2) * HOUR;
        rows.push(requests("job", begin, begin - HOUR, 5, 400));
        rows.push(lines("job", begin, begin - HOUR, 30, ("INFO", 9), "exported a chunk"));
        rows.push(lines("job", begin, begin - HOUR, 120, ("ERROR", 17), "a row was skipped"));
        // Four times as many from that hour on, for six hours.
        rows.push(requests("shop", begin, (begin - 6 * HOUR).max(0), 5, 100));
    }
    rows.push(lines("shop", 52 * HOUR, 0, 30, ("INFO", 9), "served a page"));
    let (engine, _kept) = over(&rows, &[]).await;
    let before = bad(&engine, "previous", 1).await;
    assert!(before.iter().any(|said| said.starts_with("throughput: shop: traffic rose")), "{before:#?}");
    assert!(before.iter().any(|said| said.starts_with("logs: ")), "{before:#?}");
    let after = bad(&engine, "previous", 0).await;
    assert!(after.iter().any(|said| said.starts_with("throughput: job receives no requests")), "{after:#?}");
    for hours_ago in [1, 0] {
        assert_eq!(bad(&engine, "auto", hours_ago).await, [""; 0], "{hours_ago} hours ago");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_harmless_deployment_raises_nothing() {
    let mut rows = Vec::new();
    let versioned = |from, to, version: &str| {
        requests("cart", from, to, 10, 100)
            .replace("organization_id)", "organization_id, resource_attributes)")
            .replace(&format!("'{OWN}' FROM"), &format!("'{OWN}', map('service.version', '{version}') FROM"))
    };
    rows.push(versioned(30 * HOUR, HOUR / 2, "v1"));
    rows.push(versioned(HOUR / 2, 0, "v2"));
    rows.push(lines("cart", HOUR / 2, HOUR / 2 - 30, 5, ("INFO", 9), "started version two"));
    let (engine, _kept) = over(&rows, &[]).await;
    assert_eq!(bad(&engine, "auto", 0).await, [""; 0]);
    assert_eq!(bad(&engine, "previous", 0).await, [""; 0]);
}

#[tokio::test]
async fn a_baseline_that_is_none_is_refused_and_one_of_no_use_is_told() {
    let (engine, _kept) = over(&[requests("shop", 2 * HOUR, 0, 20, 100)], &[]).await;
    let arguments = json!({ "context_type": "latency", "baseline": "yesterday" });
    let error = engine
        .collect_context(arguments.as_object().unwrap().clone(), &tfo_mcp::engine::Call::default())
        .await
        .unwrap_err();
    assert_eq!(error.message, "`baseline` takes `auto`, `previous`, `day` or `week`, not `yesterday`");
    let document = asked(&engine, "infra-hosts", "day", 0).await;
    assert!(
        document.notes.iter().any(|note| note.contains("compares its window with no other")),
        "{:?}",
        document.notes
    );
}

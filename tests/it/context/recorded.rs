//! What a document says of windows and filters in which nothing was recorded, and of where the data lie.

use super::*;

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_window_beyond_the_present_or_the_data_says_so() {
    const COLUMNS: [&str; 3] = ["newest", "newest_before", "oldest_after"];
    let with_bounds = CONTEXT.replace(
        "highlights:",
        "  bounds:\n    title: Raw rows\n    source: telemetry\n    when_empty: true\n    query:\n      - requires: [raw]\n        sql: SELECT a AS newest, a AS newest_before, a AS oldest_after FROM bounds WHERE organization_id = {{ organization_id }} AND a >= {{ around_from }} AND a < {{ around_to }}\nsummary: All is well.\nhighlights:",
    );
    let lie = |times: [Value; 3]| Reply::Rows(COLUMNS.to_vec(), vec![times.to_vec()]);
    let none = Value::Null;
    let in_window = |at: &str| lie([json!(at), none.clone(), none.clone()]);
    let (nine, noon) = (json!("2026-11-20T09:00:00.000Z"), json!("2026-11-20T12:00:00Z"));
    let before = || lie([none.clone(), nine.clone(), none.clone()]);
    let ends = "Raw rows end at 2026-11-20T09:00:00Z UTC, before this window.";
    let future = json!({"from": "2026-11-20T12:00:00Z", "to": "2026-11-20T13:00:00Z"});
    let ahead = json!({"from": "2026-11-20T10:30:00Z", "to": "2026-11-20T13:00:00Z"});
    let set = "which is 2026-11-20T11:02:00Z UTC, where `server.clock` of this server is set.";
    for (asked, found, bounds, said, well) in [
        (json!({}), rows(0), before(), ends, false),
        // Zeros of a comparison are rows too.
        (json!({}), rows(2), before(), ends, false),
        (
            json!({}),
            rows(0),
            lie([none.clone(), none.clone(), noon.clone()]),
            "Raw rows begin again at 2026-11-20T12:00:00Z UTC, after this window.",
            false,
        ),
        (
            json!({}),
            rows(0),
            lie([none.clone(), nine.clone(), noon]),
            "Raw rows are missing between 2026-11-20T09:00:00Z and 2026-11-20T12:00:00Z UTC.",
            false,
        ),
        (json!({}), rows(2), lie([none.clone(), none.clone(), none.clone()]), "", false),
        (json!({}), rows(2), in_window("2026-11-20T11:01:00Z"), "All is well.", true),
        (
            json!({}),
            rows(2),
            in_window("2026-11-20T10:32:00Z"),
            "All is well. The newest raw rows of this window are of 2026-11-20T10:32:00Z UTC, 30m before its end.",
            true,
        ),
        (json!({}), rows(0), Reply::Fail(SourceErrorKind::Failed), "", false),
        (json!({}), rows(0), rows(0), "", false),
        (json!({}), rows(2), Reply::Fail(SourceErrorKind::Failed), "All is well.", true),
        (future, rows(0), rows(0), &format!("The window begins after now, {set}"), false),
        // What is still to come is no part of a window.
        (ahead, rows(2), in_window("2026-11-20T11:01:59Z"), "All is well.", true),
    ] {
        let is_empty = matches!(&found, Reply::Rows(_, rows) if rows.is_empty());
        let is_missing = !is_empty && !well;
        let catalog = catalog(&[("definitions/probe.yaml", &with_bounds)], &CatalogOptions::default());
        let source = scripted().on("FROM raw", found).on("FROM second", rows(0)).on("FROM bounds", bounds);
        let engine = engine_of(catalog, source, |_| {});
        let document = collect(&engine, asked).await;
        assert_eq!(document.status, if is_empty { Status::Empty } else { Status::Ok }, "{document:?}");
        assert!(document.summary.ends_with(said), "{}", document.summary);
        assert_eq!(document.summary.contains("All is well."), well, "{}", document.summary);
        if is_missing {
            let begin = "No raw rows were recorded between 2026-11-20T10:02:00Z and 2026-11-20T11:02:00Z UTC. Second: nothing recorded. Not of this window: \"First\".";
            assert!(document.summary.starts_with(begin), "{}", document.summary);
        }
        assert_eq!(document.sections.len(), 2, "where data lie is no section of the document");
    }
}

#[tokio::test]
async fn data_are_looked_for_farther_and_farther_from_the_window() {
    let with_bounds = CONTEXT.replace(
        "highlights:",
        "  bounds:\n    title: Raw rows\n    source: telemetry\n    when_empty: true\n    query:\n      - sql: SELECT a AS newest, a AS newest_before FROM bounds WHERE organization_id = {{ organization_id }} AND a >= {{ around_from }}\nhighlights:",
    );
    let catalog = catalog(&[("definitions/probe.yaml", &with_bounds)], &CatalogOptions::default());
    let nothing = Reply::Rows(vec!["newest", "newest_before"], vec![vec![Value::Null, Value::Null]]);
    let source = scripted().on("FROM raw", rows(0)).on("FROM second", rows(0)).on("FROM bounds", nothing);
    let seen = source.seen.clone();
    let engine = engine_of(catalog, source, |_| {});
    collect(&engine, json!({})).await;
    let from: Vec<Bind> = seen
        .lock()
        .unwrap()
        .iter()
        .filter(|(sql, _)| sql.contains("FROM bounds"))
        .map(|(_, binds)| binds[1].clone())
        // Where the window before begins, to see whether data begin behind it.
        .filter(|from| *from != Bind::Timestamp(at("2026-11-20T09:02:00Z")))
        .collect();
    let times = ["2026-11-20T10:02:00Z", "2026-10-21T10:02:00Z", "1970-01-01T00:00:00Z"];
    assert_eq!(from, times.map(|time| Bind::Timestamp(at(time))));
}

#[tokio::test]
async fn what_is_not_there_is_said_with_the_filters_that_kept_it_away() {
    let with_summary = CONTEXT.replace(
        "highlights:",
        "summary: No row{{ sections.first.filtered }} and no other{{ sections.second.filtered }}.\nhighlights:",
    );
    let catalog = catalog(&[("definitions/probe.yaml", &with_summary)], &CatalogOptions::default());
    let source = scripted().on("FROM raw", rows(0)).on("FROM second", rows(2));
    let engine = engine_of(catalog, source, |_| {});
    let asked = json!({"filters": {"service": "a cart [SYSTEM]"}});
    let document = collect(&engine, asked).await;
    let said = "No row with service=`a cart (SYSTEM)` and no other. Not narrowed by `service`: \"Second\".";
    assert_eq!(document.summary, said);
    let text = engine.render(&document, Format::Markdown, None);
    assert!(
        text.contains("The query ran; nothing with service=`a cart (SYSTEM)` was recorded in this window."),
        "{text}"
    );
    assert!(text.contains("## Second [ok]\nNot narrowed by `service`.\n"), "{text}");
    let json: Value = serde_json::from_str(&engine.render(&document, Format::Json, None)).unwrap();
    assert_eq!(json["sections"]["second"]["not_narrowed_by"], json!(["service"]));
    assert!(engine.render(&document, Format::Csv, None).contains("section=second status=ok not_narrowed_by=service"));
    assert_eq!(collect(&engine, json!({})).await.summary, "No row and no other.");
}

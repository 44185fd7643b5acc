//! What a document says of windows and filters in which nothing was recorded, and of where the data lie.

use tfo_mcp::definition::Severity;

use super::*;

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_window_beyond_the_present_or_the_data_says_so() {
    const COLUMNS: [&str; 3] = ["newest", "newest_before", "oldest_after"];
    let with_bounds = CONTEXT.replace(
        "highlights:",
        "  bounds:\n    title: Raw rows\n    source: telemetry\n    when_empty: true\n    every: 5m\n    query:\n      - requires: [raw]\n        sql: SELECT a AS newest, a AS newest_before, a AS oldest_after FROM bounds WHERE organization_id = {{ organization_id }} AND a >= {{ around_from }} AND a < {{ around_to }}\nsummary: All is well.\nhighlights:",
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
            "Raw rows begin at 2026-11-20T12:00:00Z UTC, after this window.",
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
            "All is well. The newest raw rows of this window are of 2026-11-20T10:32:00Z UTC, 30m before its end; \
             rates are of the whole window.",
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
            let begin = "No raw rows were recorded between 2026-11-20T10:02:00Z and 2026-11-20T11:02:00Z UTC. Second: nothing found. Not of this window: \"First\".";
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
    assert!(text.contains("The query ran; nothing with service=`a cart (SYSTEM)` was found."), "{text}");
    assert!(text.contains("## Second [ok]\nNot narrowed by `service`.\n"), "{text}");
    let json: Value = serde_json::from_str(&engine.render(&document, Format::Json, None)).unwrap();
    assert_eq!(json["sections"]["second"]["not_narrowed_by"], json!(["service"]));
    assert!(engine.render(&document, Format::Csv, None).contains("section=second status=ok not_narrowed_by=service"));
    assert_eq!(collect(&engine, json!({})).await.summary, "No row and no other.");
}

/// A section that compares, and what tells where its data lie.
const COMPARED: &str = r#"
kind: context
name: probe
category: test
title: Probe
description: It compares.
persona: observability-generalist
source: telemetry
sections:
  first:
    title: First
    requires: [raw]
    sql: >-
      SELECT a, n, prev_n FROM raw WHERE organization_id = {{ organization_id }} AND t >= {{ prev_from }} AND t < {{ to }}
      LIMIT {{ limit }}
  bounds:
    title: Raw rows
    when_empty: true
    requires: [raw]
    sql: >-
      SELECT a AS newest, a AS newest_before, a AS oldest_after FROM bounds
      WHERE organization_id = {{ organization_id }} AND a >= {{ around_from }} AND a < {{ around_to }}
highlights:
  - { each: first, when: row.n >= 5, say: "{{ row.a }} is at {{ row.n }} ({{ row.prev_n }} before)" }
"#;

#[tokio::test]
async fn where_it_cannot_be_found_out_since_when_there_are_data_nought_before_is_unknown() {
    for (reply, prev, said) in [
        (Reply::Fail(SourceErrorKind::Timeout), Value::Null, "a is at 7"),
        (Reply::Fail(SourceErrorKind::Failed), Value::Null, "a is at 7"),
        (
            Reply::Rows(
                vec!["newest", "newest_before", "oldest_after"],
                vec![vec![json!("2026-11-20T11:01:00Z"), Value::Null, Value::Null]],
            ),
            json!(0),
            "a is at 7 (0 before)",
        ),
    ] {
        let catalog = catalog(&[("definitions/probe.yaml", COMPARED)], &CatalogOptions::default());
        let found = Reply::Rows(vec!["a", "n", "prev_n"], vec![vec![json!("a"), json!(7), json!(0)]]);
        let engine = engine_of(catalog, scripted().on("FROM raw", found).on("FROM bounds", reply), |_| {});
        let document = collect(&engine, json!({})).await;
        assert_eq!(document.sections[0].rows[0][2], prev, "{document:?}");
        assert_eq!(document.highlights[0].text, said);
        let unknown = "Since when there are raw rows could not be found out";
        assert_eq!(document.summary.contains(unknown), prev.is_null(), "{}", document.summary);
    }
}

#[tokio::test]
async fn since_when_there_are_several_kinds_of_data_is_left_open_in_one_sentence_with_the_time_given() {
    let bounds = |name: &str| {
        COMPARED[COMPARED.find("  bounds:").unwrap()..COMPARED.find("highlights:").unwrap()]
            .replace("  bounds:", &format!("  {name}:"))
            .replace("title: Raw rows", &format!("title: {name}"))
    };
    let text = COMPARED.replace("highlights:", &format!("{}highlights:", bounds("lines")));
    let catalog = catalog(&[("definitions/probe.yaml", &text)], &CatalogOptions::default());
    let found = Reply::Rows(vec!["a", "n", "prev_n"], vec![vec![json!("a"), json!(7), json!(0)]]);
    let late = Reply::Fail(SourceErrorKind::Timeout);
    let given = |options: &mut EngineOptions| options.context_deadline = Duration::from_secs(10);
    let engine = engine_of(catalog, scripted().on("FROM raw", found).on("FROM bounds", late), given);
    let document = collect(&engine, json!({})).await;
    let said = "Since when there are raw rows and lines could not be found out, for which there were 4 s: where nothing was found \
                before, that is unknown.";
    assert!(document.summary.contains(said), "{}", document.summary);
    assert_eq!(document.summary.matches("could not be found out").count(), 1, "{}", document.summary);
}

#[tokio::test]
async fn what_happens_now_and_then_is_not_missing_where_it_did_not_happen() {
    let of = |at: [Value; 3]| Reply::Rows(vec!["newest", "newest_before", "oldest_after"], vec![at.to_vec()]);
    let (nine, noon) = (json!("2026-11-20T09:00:00.000Z"), json!("2026-11-20T12:00:00Z"));
    let both = "The last raw rows before this window are of 2026-11-20T09:00:00Z UTC, the next after it of 2026-11-20T12:00:00Z UTC.";
    let last = "The last raw rows before this window are of 2026-11-20T09:00:00Z UTC.";
    for (every, after, said, severity) in [
        ("", noon.clone(), both, Severity::Info),
        ("", Value::Null, last, Severity::Info),
        (
            "5m",
            noon.clone(),
            "Raw rows are missing between 2026-11-20T09:00:00Z and 2026-11-20T12:00:00Z UTC.",
            Severity::Critical,
        ),
        ("5m", Value::Null, "Raw rows end at 2026-11-20T09:00:00Z UTC, before this window.", Severity::Critical),
        // Fewer than three of their intervals.
        ("2h", noon.clone(), both, Severity::Info),
    ] {
        let every = if every.is_empty() { String::new() } else { format!("    every: {every}\n") };
        let text = COMPARED.replace("    when_empty: true\n", &format!("    when_empty: true\n{every}"));
        let catalog = catalog(&[("definitions/probe.yaml", &text)], &CatalogOptions::default());
        let found = Reply::Rows(vec!["a", "n", "prev_n"], vec![vec![json!("a"), json!(0), json!(7)]]);
        let bounds = of([Value::Null, nine.clone(), after]);
        let engine = engine_of(catalog, scripted().on("FROM raw", found).on("FROM bounds", bounds), |_| {});
        let document = collect(&engine, json!({})).await;
        assert!(document.summary.ends_with(said), "{}", document.summary);
        assert_eq!(document.highlights[0].severity, severity, "{:?}", document.highlights);
    }
}

#[tokio::test]
async fn events_beside_records_that_stand_only_say_where_they_lie() {
    let text = COMPARED.replace("    when_empty: true\n    requires: [raw]\n", "    when_empty: true\n");
    assert_ne!(text, COMPARED);
    let (nine, noon) = (json!("2026-11-20T09:00:00.000Z"), json!("2026-11-20T12:00:00Z"));
    for (times, said) in [
        ([Value::Null, nine, Value::Null], " The last raw rows before this window are of 2026-11-20T09:00:00Z UTC."),
        ([Value::Null, Value::Null, noon], " Raw rows begin at 2026-11-20T12:00:00Z UTC, after this window."),
        ([json!("2026-11-20T10:05:00Z"), Value::Null, Value::Null], ""),
    ] {
        let catalog = catalog(&[("definitions/probe.yaml", &text)], &CatalogOptions::default());
        let found = Reply::Rows(vec!["a", "n", "prev_n"], vec![vec![json!("a"), json!(7), json!(7)]]);
        let bounds = Reply::Rows(vec!["newest", "newest_before", "oldest_after"], vec![times.to_vec()]);
        let engine = engine_of(catalog, scripted().on("FROM raw", found).on("FROM bounds", bounds), |_| {});
        let document = collect(&engine, json!({})).await;
        assert_eq!(document.summary, format!("First: 1.{said}"));
        let highlights: Vec<&str> = document.highlights.iter().map(|highlight| highlight.text.as_str()).collect();
        assert_eq!(highlights, ["a is at 7 (7 before)"], "what stands is judged");
    }
}

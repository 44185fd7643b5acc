//! Documents that are made of those of other types: each part keeps its status, the budget is shared by rank, and what
//! is left out is said.

use std::sync::Arc;

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Call, Document, Engine, EngineOptions, Format, Sources, Status, Tenancy},
    source::SourceErrorKind,
};

use crate::{
    answers::collect,
    support::{
        pack::catalog,
        scripted::{Reply, Scripted},
    },
};

fn part(name: &str, source: &str, priority: u8, severity: &str) -> String {
    format!(
        r#"
kind: context
name: {name}
category: test
title: Part {name}
description: A part.
persona: observability-generalist
parameters: {{ {} }}
window: {{ default: 1h, max: {} }}
sections:
  rows:
    title: Rows
    source: {source}
    priority: {priority}
    limit: 200
    query:
      - sql: SELECT '{name}' AS part, {} AS n FROM things WHERE organization_id = {{{{ organization_id }}}} {}
highlights:
  - each: rows
    when: row.n < 9
    severity: {severity}
    say: "{name} has {{{{ row.n }}}}"
    max: 20
summary: "{{{{ sections.rows.total }}}} rows."
"#,
        if name == "one" { "service: { type: string, description: Of it. }" } else { "" },
        if name == "short" { "2h" } else { "7d" },
        name.len(),
        if name == "one" { "{% if service %}AND service_name = {{ service }}{% endif %}" } else { "" },
    )
}

const ORGANISATION: &str = "00000000-0000-4000-8000-000000000001";

const WHOLE: &str = "
kind: context
name: whole
category: test
title: Whole
description: Several at once.
persona: observability-generalist
parameters:
  types: { type: array, items: string, max_length: 4, default: [one], description: Names. }
  service: { type: string, description: Only this service. }
composes: types
";

fn engine(telemetry: Scripted, platform: Scripted) -> Engine {
    let parts = [
        part("one", "telemetry", 1, "warning"),
        part("two", "platform", 1, "critical"),
        part("three", "telemetry", 2, "info"),
        part("short", "telemetry", 3, "info"),
        part("hidden", "telemetry", 3, "info").replace("category: test", "category: test\nlisted: false"),
    ];
    let names = ["one", "two", "three", "short", "hidden"];
    let paths = names.map(|name| format!("definitions/{name}.yaml"));
    let mut files: Vec<(&str, &str)> = paths.iter().map(String::as_str).zip(parts.iter().map(String::as_str)).collect();
    files.push(("definitions/whole.yaml", WHOLE));
    let catalog = catalog(&files, &CatalogOptions::default());
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(telemetry));
    sources.bind("platform", Arc::new(platform));
    let tenancy = Tenancy { organization_id: Some(ORGANISATION.to_owned()), ..Tenancy::default() };
    Engine::new(catalog, sources, EngineOptions { tenancy, ..EngineOptions::default() })
}

/// The platform, which knows the organisation that asks.
fn platform() -> Scripted {
    let known = vec![vec![json!(ORGANISATION), json!("Acme")]];
    Scripted::default().on("FROM organizations", Reply::Rows(vec!["organization_id", "name"], known))
}

fn rows(count: usize) -> Reply {
    Reply::Rows(vec!["part", "n"], (0..count).map(|n| vec![json!("x"), json!(n)]).collect())
}

fn filled() -> Engine {
    engine(Scripted::default().on("things", rows(30)), platform().on("things", rows(12)))
}

fn names(document: &Document) -> Vec<&str> {
    document.sections.iter().map(|section| section.name.as_str()).collect()
}

#[tokio::test]
async fn a_whole_has_the_sections_of_its_parts_by_priority_and_rank() {
    let engine = filled();
    let whole = collect(&engine, "whole", json!({ "filters": { "types": ["three", "two", "one", "two"] } })).await;
    assert_eq!(names(&whole), ["two.rows", "one.rows", "three.rows"]);
    assert_eq!(whole.status, Status::Ok);
    assert_eq!(
        whole.summary,
        "Part three (`three`, ok): 30 rows. Part two (`two`, ok): 12 rows. Part one (`one`, ok): 30 rows."
    );
    let alone = collect(&engine, "two", json!({})).await;
    assert_eq!(whole.sections[0].rows, alone.sections[0].rows, "as it is alone");
    // Six of a part, and how many more there are.
    let said: Vec<&str> = whole.highlights.iter().map(|remark| remark.text.as_str()).collect();
    assert_eq!(said[0], "`two`: two has 0");
    assert!(said.contains(&"`two`: and 3 more; collect it alone to see them"), "{said:?}");
    assert_eq!(said.iter().filter(|text| text.starts_with("`one`")).count(), 7, "{said:?}");
}

#[tokio::test]
async fn the_budget_goes_to_all_parts_before_the_rest_of_one_and_the_rest_is_said() {
    let engine = filled();
    let whole = collect(&engine, "whole", json!({ "filters": { "types": ["one", "two", "three"] } })).await;
    let text = engine.render(&whole, Format::Markdown, Some(1_300));
    assert!(text.chars().count() <= 1_300);
    for title in ["Part one: Rows", "Part two: Rows", "Part three: Rows"] {
        assert!(text.contains(title), "{title}: {text}");
    }
    assert!(text.contains("do not fit"), "{text}");
}

#[tokio::test]
async fn where_the_data_end_is_said_once_of_all_parts() {
    let ends = r#"  ends:
    title: Things
    source: telemetry
    when_empty: true
    query:
      - requires: [things]
        sql: >-
          SELECT newest, newest_before, oldest_after FROM ends WHERE organization_id = {{ organization_id }}
          AND t >= {{ around_from }} AND t < {{ around_to }} AND t >= {{ from }} AND t < {{ to }}
highlights:"#;
    let with_ends = |name: &str| part(name, "telemetry", 1, "info").replace("highlights:", ends);
    let files = [("definitions/one.yaml", with_ends("one")), ("definitions/two.yaml", with_ends("two"))];
    let mut files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    files.push(("definitions/whole.yaml", WHOLE));
    let lie = vec![vec![json!(null), json!("2026-11-20T09:00:00.000Z"), json!(null)]];
    let lie = Reply::Rows(vec!["newest", "newest_before", "oldest_after"], lie);
    let mut sources = Sources::default();
    let telemetry = Scripted::default().table("things", &["n"]).on("FROM ends", lie).on("things", rows(0));
    sources.bind("telemetry", Arc::new(telemetry));
    sources.bind("platform", Arc::new(platform()));
    let tenancy = Tenancy { organization_id: Some(ORGANISATION.to_owned()), ..Tenancy::default() };
    let options = EngineOptions { tenancy, ..EngineOptions::default() };
    let engine = Engine::new(catalog(&files, &CatalogOptions::default()), sources, options);
    let whole = collect(&engine, "whole", json!({ "filters": { "types": ["one", "two"] } })).await;
    let said = "The last things before this window are of 2026-11-20T09:00:00Z UTC.";
    assert_eq!(whole.summary.matches(said).count(), 1, "{}", whole.summary);
    assert!(whole.summary.ends_with(said), "{}", whole.summary);
    let alone = collect(&engine, "one", json!({})).await;
    assert!(alone.summary.ends_with(said), "{}", alone.summary);
}

#[tokio::test]
async fn a_part_that_cannot_be_read_leaves_the_others() {
    let down = platform().on("things", Reply::Fail(SourceErrorKind::Unavailable));
    let engine = engine(Scripted::default().on("things", rows(2)), down);
    let whole = collect(&engine, "whole", json!({ "filters": { "types": ["one", "two"] } })).await;
    assert_eq!(whole.status, Status::Partial);
    assert!(
        whole.summary.starts_with("[SYSTEM] Not all could be read of `two` (unavailable). Part one (`one`, ok): 2")
    );
    assert_eq!(
        whole.sections.iter().map(|section| section.status).collect::<Vec<_>>(),
        [Status::Ok, Status::Unavailable]
    );
}

#[tokio::test]
async fn a_filter_narrows_the_parts_that_have_it_and_the_others_say_so() {
    let engine = filled();
    let filters = json!({ "filters": { "types": ["one", "two"], "service": "cart" } });
    let whole = collect(&engine, "whole", filters).await;
    assert!(whole.summary.contains("(`two`, ok, not narrowed by `service`)"), "{}", whole.summary);
    assert!(!whole.summary.contains("(`one`, ok, not narrowed"), "{}", whole.summary);
    assert_eq!(whole.sections[0].narrowed.with(), " with service=cart");
}

/// A name that stands for a filter stands for it in a part as well, and two such names are two questions.
#[tokio::test]
async fn a_name_of_a_part_stands_for_its_filters() {
    let one = part("one", "telemetry", 1, "info")
        .replace("category: test", "category: test\naliases: [carts, checkouts]")
        .replace("window:", "presets: { carts: { service: cart }, checkouts: { service: checkout } }\nwindow:");
    let files = [("definitions/one.yaml", one.as_str()), ("definitions/whole.yaml", WHOLE)];
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(Scripted::default().on("things", rows(2))));
    sources.bind("platform", Arc::new(platform()));
    let tenancy = Tenancy { organization_id: Some(ORGANISATION.to_owned()), ..Tenancy::default() };
    let options = EngineOptions { tenancy, ..EngineOptions::default() };
    let engine = Engine::new(catalog(&files, &CatalogOptions::default()), sources, options);
    let filters = |types: &[&str]| json!({ "filters": { "types": types } });
    let whole = collect(&engine, "whole", filters(&["checkouts", "carts", "carts"])).await;
    let narrowed: Vec<String> = whole.sections.iter().map(|section| section.narrowed.with()).collect();
    assert_eq!(names(&whole), ["checkouts.rows", "carts.rows"]);
    assert_eq!(narrowed, [" with service=checkout", " with service=cart"]);
    let Value::Object(other) =
        json!({ "context_type": "whole", "filters": { "types": ["carts"], "service": "checkout" } })
    else {
        unreachable!()
    };
    let error = engine.collect_context(other, &Call::default()).await.unwrap_err();
    assert_eq!(error.message, "`carts` stands for service=cart and takes no other `service`");
    assert_eq!(error.hint.as_deref(), Some("leave `service` out, or ask for `checkouts`"));
}

#[tokio::test]
async fn what_cannot_be_a_part_is_refused_with_what_to_do() {
    let engine = filled();
    for (types, range, said) in [
        (json!(["on"]), "1h", "one"),
        (json!(["hidden"]), "1h", "a tool of its own"),
        (json!(["whole"]), "1h", "made of others itself"),
        (json!(["short"]), "3h", "looks back 2h at most"),
        (json!(["one", "two", "three", "short", "one"]), "1h", "at most 4 items"),
    ] {
        let Value::Object(arguments) =
            json!({ "context_type": "whole", "time_range": range, "filters": { "types": types } })
        else {
            unreachable!()
        };
        let error = engine.collect_context(arguments, &Call::default()).await.unwrap_err();
        let text = format!("{} {}", error.message, error.hint.unwrap_or_default());
        assert!(text.contains(said), "{types}: {text}");
    }
}

//! Where a document leads: steps are calls that answer as they are written, with values of its rows, and a chain of them leads from
//! a symptom to its cause.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Call, Document, Engine, EngineOptions, Format, Outcome, Sources, Tenancy},
    settings::Link,
};

use crate::{
    answers::{collect, filled, on_this_machine},
    support::{
        pack::catalog,
        scripted::{Reply, Scripted},
    },
};

const ORGANISATION: &str = "00000000-0000-4000-8000-000000000001";

fn context(name: &str, more: &str) -> String {
    format!(
        "kind: context\nname: {name}\ncategory: test\ntitle: Things\ndescription: Things.\npersona: observability-generalist\n\
         source: telemetry\nparameters: {{ service: {{ type: string, description: Of it. }}, kind: {{ type: string, description: Of it. }} }}\n\
         window: {{ default: 1h, max: 2h }}\nsections:\n  rows:\n    title: Rows\n    sql: >-\n      SELECT name, kind, n, at FROM things WHERE \
         organization_id = {{{{ organization_id }}}} AND t >= {{{{ from }}}} AND t < {{{{ to }}}}\n      {{% if service %}}AND name = {{{{ service }}}}{{% endif \
         %}} {{% if kind %}}AND kind = {{{{ kind }}}}{{% endif %}}\n{more}"
    )
}

fn engine(rows: Vec<Vec<Value>>, next: &str) -> Engine {
    engine_with(rows, next, BTreeMap::new())
}

fn engine_with(rows: Vec<Vec<Value>>, next: &str, links: BTreeMap<String, Link>) -> Engine {
    let files =
        [("definitions/first.yaml", context("first", next)), ("definitions/second.yaml", context("second", ""))];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let mut sources = Sources::default();
    let rows = Reply::Rows(vec!["name", "kind", "n", "at"], rows);
    sources.bind("telemetry", Arc::new(Scripted::default().on("things", rows)));
    let tenancy = Tenancy { organization_id: Some(ORGANISATION.to_owned()), ..Tenancy::default() };
    let options = EngineOptions { tenancy, links: Arc::new(links), ..EngineOptions::default() };
    Engine::new(catalog(&files, &CatalogOptions::default()), sources, options)
}

fn lines(document: &Document) -> Vec<String> {
    document.next.iter().map(tfo_mcp::engine::NextCall::line).collect()
}

const WINDOW: [&str; 2] = ["2026-11-20T06:00:00Z", "2026-11-20T08:00:00Z"];

async fn first(engine: &Engine) -> Document {
    collect(engine, "first", json!({ "start": WINDOW[0], "end": WINDOW[1] })).await
}

#[tokio::test]
async fn a_step_is_the_call_of_the_first_row_that_passes() {
    let rows = vec![
        vec![json!("web"), json!("a"), json!(1), json!("2026-11-20T07:50:00.000Z")],
        vec![json!("cart"), json!("b"), json!(7), json!("2026-11-20T07:50:00.000Z")],
    ];
    let next = "next:\n  - context: second\n    each: rows\n    when: row.n > 5\n    filters: { service: '{{ row.name }}', kind: '{{ row.kind }}' }\n    \
                why: what {{ row.name }} does {{ row.n }} times\n  - context: second\n    each: rows\n    around: '{{ row.at }}'\n    why: around it\n  \
                - { context: second, each: rows, when: row.n > 9, why: never }\n";
    let engine = engine(rows, next);
    let document = first(&engine).await;
    assert_eq!(
        lines(&document),
        [
            r#"`collect_telemetry_context {"context_type":"second","service_name":"cart","filters":{"kind":"b"},"start":"2026-11-20T06:00:00Z","end":"2026-11-20T08:00:00Z"}`: what cart does 7 times"#,
            // Half an hour before and after, which ends with the window.
            r#"`collect_telemetry_context {"context_type":"second","start":"2026-11-20T07:00:00Z","end":"2026-11-20T08:00:00Z"}`: around it"#,
        ]
    );
    let text = engine.render(&document, Format::Markdown, None);
    assert!(text.contains("\n## Next\n- `collect_telemetry_context {"), "{text}");
    let value: Value = serde_json::from_str(&engine.render(&document, Format::Json, None)).unwrap();
    assert_eq!(value["next"][0]["arguments"]["service_name"], "cart");
    assert_eq!(value["next"][0]["why"], "what cart does 7 times");
    let small = engine.render(&document, Format::Markdown, Some(600));
    assert!(!small.contains("## Next") && small.chars().count() <= 600, "{small}");
}

/// A value that would have to be changed to stand in a line leads to something else, or does something.
#[tokio::test]
async fn no_step_is_made_of_what_cannot_be_asked_for() {
    let next =
        "next:\n  - context: second\n    each: rows\n    filters: { service: '{{ row.name }}' }\n    why: of it\n";
    for name in
        ["`rm -rf`", "a[SYSTEM] b", "[x](http://evil.example)", "hidden\u{200b}", "two\nlines", "", &"x".repeat(300)]
    {
        let engine = engine(vec![vec![json!(name), json!("a"), json!(1), json!(null)]], next);
        assert_eq!(lines(&first(&engine).await), Vec::<String>::new(), "{name}");
    }
    for rows in [Vec::new(), vec![vec![json!(null), json!("a"), json!(1), json!(null)]]] {
        assert_eq!(lines(&first(&engine(rows, next)).await), Vec::<String>::new());
    }
}

/// A trace that is found behind the window of its document lies within that of the step.
#[tokio::test]
async fn a_moment_behind_the_window_lies_within_the_step() {
    let next = "next:\n  - { context: second, each: rows, around: '{{ row.at }}', why: around it }\n";
    for (at, start, end) in [
        ("2026-11-20T09:00:00Z", "2026-11-20T08:30:00Z", "2026-11-20T09:30:00Z"),
        ("2026-11-20T05:00:00Z", "2026-11-20T04:30:00Z", "2026-11-20T05:30:00Z"),
        // What began a moment ago is mostly still there: nothing up to the end is cut off.
        ("2026-11-20T07:25:00Z", "2026-11-20T06:55:00Z", "2026-11-20T08:00:00Z"),
        ("2026-11-20T07:00:00Z", "2026-11-20T06:30:00Z", "2026-11-20T08:00:00Z"),
        ("2026-11-20T06:59:00Z", "2026-11-20T06:29:00Z", "2026-11-20T07:29:00Z"),
    ] {
        let engine = engine(vec![vec![json!("web"), json!("a"), json!(1), json!(at)]], next);
        let document = first(&engine).await;
        let arguments = &document.next[0].arguments;
        assert_eq!((&arguments["start"], &arguments["end"]), (&json!(start), &json!(end)), "{at}");
    }
}

/// The document that is being read is no next one; the same type with another filter or at another time is.
#[tokio::test]
async fn no_step_is_the_call_that_told_it() {
    let next = "next:\n  - { context: first, each: rows, filters: { service: '{{ row.name }}' }, why: of it }\n  \
                - { context: first, each: rows, around: '{{ row.at }}', filters: { service: '{{ row.name }}' }, why: then }\n";
    let engine = engine(vec![vec![json!("web"), json!("a"), json!(1), json!("2026-11-20T07:00:00Z")]], next);
    let of = |filters: Value| {
        let engine = &engine;
        async move {
            let asked = json!({ "start": WINDOW[0], "end": WINDOW[1], "filters": filters });
            let document = collect(engine, "first", asked).await;
            document.next.iter().map(|step| step.why.clone()).collect::<Vec<_>>()
        }
    };
    assert_eq!(of(json!({})).await, ["of it", "then"]);
    assert_eq!(of(json!({ "kind": "a" })).await, ["of it", "then"]);
    assert_eq!(of(json!({ "service": "web" })).await, ["then"]);
}

/// Sections and rows that have no value lead nowhere; a value that would be another one in an address is none.
#[tokio::test]
async fn an_operators_links_are_filled_from_the_first_row_that_has_all() {
    let rows = vec![
        vec![json!("a`b"), json!("x"), json!(1), json!(null)],
        vec![json!("web/../1?&#é"), json!("b"), json!(7), json!(null)],
    ];
    let links = [
        ("dash", "https://g.example/d?v={name}&from={from_ms}&to={to}"),
        ("logs", "https://l.example/{trace_id}"),
        ("org", "https://o.example/{organization_id}/{n}"),
    ];
    let links = links.map(|(name, link)| (name.to_owned(), Link::parse(link).unwrap()));
    let engine = engine_with(rows, "", links.into_iter().collect());
    let document = first(&engine).await;
    let lines: Vec<String> = document.links.iter().map(|link| link.line()).collect();
    assert_eq!(
        lines,
        [
            r#"dash of "Rows": https://g.example/d?v=web%2F..%2F1%3F%26%23%C3%A9&from=1795154400000&to=2026-11-20T08%3A00%3A00Z"#,
            r#"org of "Rows": https://o.example/00000000-0000-4000-8000-000000000001/1"#,
        ]
    );
    let text = engine.render(&document, Format::Markdown, None);
    assert!(text.contains("\n## Links\n- dash of \"Rows\": https://g.example/"), "{text}");
    let value: Value = serde_json::from_str(&engine.render(&document, Format::Json, None)).unwrap();
    assert_eq!(value["links"][1]["name"], "org");
}

/// Follows a step as a model would: the tool, with the arguments as they are written.
async fn follow(engine: &Engine, text: &str, nth: usize) -> String {
    let steps = text.lines().skip_while(|line| *line != "## Next").skip(1);
    let line =
        steps.take_while(|line| line.starts_with("- ")).nth(nth).unwrap_or_else(|| panic!("no step {nth}: {text}"));
    let (tool, arguments) = line.trim_start_matches("- `").split_once(' ').unwrap();
    let arguments: Map<String, Value> = serde_json::from_str(arguments.split_once("`: ").unwrap().0).unwrap();
    match engine.call_tool(tool, arguments, &Call::default()).await.unwrap() {
        Outcome::Done(answer) => answer.text().to_owned(),
        _ => panic!("{tool} asks nobody"),
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn three_steps_lead_from_an_alert_to_the_request_that_got_no_connection() {
    let filled = filled().await;
    let engine = on_this_machine(filled, &filled.generator.world.organizations[0].id_text);
    let alerts = collect(&engine, "alert", json!({ "time_range": "1h", "max_items": 20 })).await;
    let alerts = engine.render(&alerts, Format::Markdown, None);
    let cause = follow(&engine, &alerts, 0).await;
    assert!(cause.starts_with("# Root cause") && cause.contains("v2.14.0"), "{cause}");
    let errors = follow(&engine, &cause, 0).await;
    assert!(errors.contains("service=checkout") && errors.contains("timed out waiting for connection"), "{errors}");
    let trace = follow(&engine, &errors, 0).await;
    assert!(trace.contains("HikariPool.getConnection"), "{trace}");
}

//! Actions that show, tell and ask: the same YAML over a session, whose answers are awaited, and over a revision in
//! which the client answers by calling again.

mod questions;
mod schemas;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::LogLevel,
    engine::{
        Abilities, Answer, Body, Call, CallError, CallErrorKind, Client, Engine, EngineOptions, Event, LiveFinding,
        Outcome, Pending, Resume, Sources,
    },
    sql::Bind,
};

use crate::support::{
    pack::catalog,
    scripted::{Reply, Scripted},
    scripted_client::{ScriptedClient, Told},
};

/// An engine whose tools are these: name, and everything of the definition from `run:` (or before) on.
fn tools(tools: &[(&str, &str)]) -> Engine {
    let texts: Vec<(String, String)> = tools
        .iter()
        .map(|(name, rest)| {
            let head = format!("kind: tool\nname: {name}\ntitle: A tool\ndescription: Does it.\ncategory: utility\n");
            (format!("definitions/tools/{name}.yaml"), head + rest)
        })
        .collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    engine(&files, Sources::default())
}

fn engine(files: &[(&str, &str)], sources: Sources) -> Engine {
    for lazy in [false, true] {
        // Both ways to compile have to know every text.
        let _ = catalog(files, &CatalogOptions { lazy, ..CatalogOptions::default() });
    }
    let catalog = catalog(files, &CatalogOptions { lazy: true, ..CatalogOptions::default() });
    Engine::new(catalog, sources, EngineOptions::default())
}

fn with(client: impl Client + 'static) -> Call {
    Call { client: Arc::new(client), ..Call::default() }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

async fn run(engine: &Engine, tool: &str, arguments: Value, call: &Call) -> Result<Outcome<Answer>, CallError> {
    engine.call_tool(tool, object(arguments), call).await
}

async fn text(engine: &Engine, tool: &str, arguments: Value, call: &Call) -> String {
    run(engine, tool, arguments, call).await.unwrap().done().unwrap().text()
}

fn pending<T: std::fmt::Debug>(outcome: Result<Outcome<T>, CallError>) -> Pending {
    match outcome.unwrap() {
        Outcome::Asks(pending) => pending,
        Outcome::Done(answer) => panic!("it did not ask: {answer:?}"),
    }
}

/// The same call again, with answers.
fn resumed(call: &Call, state: Value, replies: Value) -> Call {
    Call { resume: Some(Resume { state, replies: object(replies) }), ..call.clone() }
}

#[tokio::test]
async fn content_of_every_kind_is_shown_in_order() {
    let engine = tools(&[(
        "show",
        r#"
parameters:
  id: { type: string, description: Which., default: a b }
run:
  action: pipeline
  steps:
    - run: { action: template, text: "first {{ id }}" }
    - run: { action: image, data: "aGVs bG8=", mime_type: image/png }
    - run: { action: audio, data: aGVsbG8=, mime_type: audio/wav }
    - run: { action: embed, uri: "test://{{ id | urlencode }}", mime_type: text/plain, text: "in {{ id }}" }
    - run: { action: embed, uri: "test://blob", mime_type: image/png, blob: aGVsbG8= }
    - run: { action: link, uri: "test://{{ id | urlencode }}", name: it, title: "The {{ id }}", mime_type: text/plain }
    - when: id == 'nothing'
      run: { action: template, text: not shown }
    - as: kept
      run: { action: template, text: kept }
    - run: { action: template, text: "last {{ kept }}" }
"#,
    )]);
    let answer = run(&engine, "show", json!({}), &Call::default()).await.unwrap().done().unwrap();
    let shown = serde_json::to_value(&answer.content).unwrap();
    assert_eq!(
        shown,
        json!([
            { "type": "text", "text": "first a b" },
            { "type": "image", "data": "aGVsbG8=", "mime_type": "image/png" },
            { "type": "audio", "data": "aGVsbG8=", "mime_type": "audio/wav" },
            { "type": "embedded", "uri": "test://a%20b", "mime_type": "text/plain", "body": { "text": "in a b" } },
            { "type": "embedded", "uri": "test://blob", "mime_type": "image/png", "body": { "blob": "aGVsbG8=" } },
            { "type": "link", "uri": "test://a%20b", "name": "it", "title": "The a b", "description": null,
              "mime_type": "text/plain" },
            { "type": "text", "text": "last kept" },
        ])
    );
}

#[tokio::test]
async fn a_resource_holds_text_and_binaries_under_its_own_uri() {
    let head = |name: &str, uri: &str, mime: &str| {
        format!("kind: resource\nname: {name}\ntitle: R\ndescription: It.\nuri: \"{uri}\"\nmime_type: {mime}\n")
    };
    let binary = head("binary", "test://binary", "image/png") + "run: { action: embed, blob: aGVsbG8= }\n";
    let picture = head("picture", "test://picture", "text/plain")
        + "run: { action: image, data: aGVsbG8=, mime_type: image/gif }\n";
    let mixed = head("mixed", "test://mixed/{id}", "text/markdown")
        + r#"
parameters:
  id: { type: string, description: Which., required: true }
run:
  action: pipeline
  steps:
    - run: { action: template, text: "one {{ id }}" }
    - run: { action: embed, text: "own {{ id }}" }
    - run: { action: template, text: two }
"#;
    let silent = head("silent", "test://silent", "text/plain")
        + "run: { action: pipeline, steps: [{ run: { action: log, level: info, message: read } }] }\n";
    let engine = engine(
        &[
            ("definitions/resources/binary.yaml", &binary),
            ("definitions/resources/picture.yaml", &picture),
            ("definitions/resources/mixed.yaml", &mixed),
            ("definitions/resources/silent.yaml", &silent),
        ],
        Sources::default(),
    );
    let read = async |uri: &str| {
        let answer = engine.read_resource(uri, &Call::default()).await.unwrap().done().unwrap();
        let of = |content: tfo_mcp::engine::ResourceContent| (content.uri, content.mime_type.unwrap(), content.body);
        answer.contents.into_iter().map(of).collect::<Vec<_>>()
    };
    let own = |uri: &str, mime: &str, body: Body| (uri.to_owned(), mime.to_owned(), body);
    let blob = || Body::Blob("aGVsbG8=".into());
    assert_eq!(read("test://binary").await, [own("test://binary", "image/png", blob())]);
    assert_eq!(read("test://picture").await, [own("test://picture", "image/gif", blob())]);
    assert_eq!(
        read("test://mixed/7").await,
        [
            own("test://mixed/7", "text/markdown", Body::Text("one 7\n\ntwo".into())),
            own("test://mixed/7", "text/markdown", Body::Text("own 7".into())),
        ]
    );
    assert_eq!(read("test://silent").await, [own("test://silent", "text/plain", Body::Text(String::new()))]);
}

#[tokio::test]
async fn messages_and_progress_reach_the_client_in_order() {
    let engine = tools(&[(
        "work",
        r#"
parameters:
  what: { type: string, description: What., required: true }
run:
  action: pipeline
  steps:
    - run: { action: progress, progress: 0, total: 2 }
    - run: { action: log, level: warning, message: "{{ what }} begins" }
    - run: { action: delay, for: "{{ 0 }}s" }
    - run: { action: progress, progress: 2, total: 2, message: "{{ what }} is done" }
    - run: { action: log, level: debug, logger: other, message: end }
    - run: { action: template, text: done }
"#,
    )]);
    let client = ScriptedClient::later(Abilities::default());
    let told = client.told.clone();
    assert_eq!(text(&engine, "work", json!({ "what": "it" }), &with(client)).await, "done");
    assert_eq!(
        *told.lock().unwrap(),
        [
            Told::Progress(0.0, Some(2.0), None),
            Told::Log(LogLevel::Warning, "work".into(), json!("it begins")),
            Told::Progress(2.0, Some(2.0), Some("it is done".into())),
            Told::Log(LogLevel::Debug, "other".into(), json!("end")),
        ]
    );
}

#[tokio::test]
async fn later_steps_see_rows_and_bind_what_was_kept() {
    let scripted = Scripted::default()
        .on("FROM first", Reply::Rows(vec!["name", "n"], vec![vec![json!("a"), json!(3)], vec![json!("b"), json!(4)]]))
        .on("FROM second", Reply::Rows(vec!["n"], vec![vec![json!(1)]]));
    let seen = scripted.seen.clone();
    let mut sources = Sources::default();
    sources.bind("state", Arc::new(scripted));
    let file = r#"
kind: tool
name: rows
title: A tool
description: Does it.
category: utility
annotations: { read_only: true }
parameters:
  least: { type: integer, description: Least., default: 2 }
run:
  action: pipeline
  steps:
    - as: found
      run: { action: sql, source: state, sql: "SELECT name, n FROM first WHERE n > {{ least }}" }
    - as: word
      run: { action: template, text: "{{ found.rows[0].name }}!" }
    - when: not found.truncated and found.columns == ['name', 'n']
      run: { action: sql, source: state, sql: "SELECT count(*) AS n FROM second WHERE name = {{ word }}" }
    - run: { action: template, text: "{% for row in found.rows %}{{ row.name }}={{ row.n }} {% endfor %}" }
"#;
    let engine = engine(&[("definitions/tools/rows.yaml", file)], sources);
    let report = engine.prepare_all().await;
    let of_rows = |skipped: &LiveFinding| {
        (&*skipped.name, &*skipped.pointer) == ("rows", "/run/steps/2/run/sql")
            && skipped.message == "it reads what only a call knows"
    };
    assert!(report.skipped.iter().any(of_rows), "{:?}", report.skipped);
    assert!(!report.findings.iter().any(|finding| finding.name == "rows"), "{:?}", report.findings);
    let shown = text(&engine, "rows", json!({}), &Call::default()).await;
    assert!(shown.ends_with("\n\na=3 b=4 "), "{shown}");
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].1, [Bind::Integer(2)]);
    assert_eq!(seen[1].1, [Bind::Text("a!".into())], "what a step keeps is bound, never text");
}

#[tokio::test]
async fn failures_and_announcements() {
    let engine = tools(&[
        (
            "fails",
            "parameters:\n  what: { type: string, description: What., default: it }\nrun: { action: pipeline, steps: [{ run: { action: template, text: not shown } }, { run: { action: fail, message: \"{{ what }} broke\" } }] }\n",
        ),
        ("refuses", "run: { action: fail, message: no, code: -32603 }\n"),
        (
            "announces",
            "run: { action: announce, lists: [tools, prompts], resources: [\"test://{{ client.roots }}\"] }\n",
        ),
    ]);
    let error = run(&engine, "fails", json!({}), &Call::default()).await.unwrap_err();
    assert_eq!((error.kind, error.to_text().as_str()), (CallErrorKind::Failed, "it broke"));
    let error = run(&engine, "refuses", json!({}), &Call::default()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Refused(-32603));
    let mut events = engine.events().listen();
    run(&engine, "announces", json!({}), &Call::default()).await.unwrap();
    let told: Vec<Event> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    assert_eq!(told, [Event::ToolsChanged, Event::PromptsChanged, Event::ResourceUpdated("test://False".into())]);
}

#[tokio::test]
async fn a_call_becomes_a_task_where_the_client_knows_tasks() {
    let engine = tools(&[(
        "job",
        "task: optional\nrun: { action: pipeline, steps: [{ run: { action: log, level: info, message: once } }, { run: { action: task } }, { run: { action: template, text: done } }] }\n",
    )]);
    let client = ScriptedClient::later(Abilities::ALL);
    let told = client.told.clone();
    let call = with(client);
    let waits = pending(run(&engine, "job", json!({}), &call).await);
    assert!(waits.questions.is_empty());
    assert_eq!(text(&engine, "job", json!({}), &resumed(&call, waits.state, json!({}))).await, "done");
    assert_eq!(told.lock().unwrap().len(), 1);
    assert_eq!(text(&engine, "job", json!({}), &Call::default()).await, "done");
}

/// What became of the steps before a question or a task is not forgotten: an invisible failure is an empty answer.
#[tokio::test]
async fn a_run_that_waits_keeps_what_became_of_the_steps_before() {
    let lost = "{ as: lost, optional: true, run: { action: json, text: 'no json' } }";
    let (asks, waits) = ("{ optional: true, run: { action: system.info } }", "{ run: { action: task } }");
    let question = "{ as: sure, run: { action: elicit, message: Sure?, schema: { type: object, properties: { a: { type: boolean } } } } }";
    let tool =
        |steps: [&str; 3]| format!("task: optional\nrun: {{ action: pipeline, steps: [ {} ] }}\n", steps.join(", "));
    for (name, steps, replies) in [
        ("fails_before", [asks, lost, waits], json!({})),
        ("fails_after", [asks, waits, lost], json!({})),
        ("asks_after", [lost, waits, asks], json!({})),
        ("asked", [asks, lost, question], json!({ "sure": { "action": "accept", "content": {} } })),
    ] {
        let engine = tools(&[(name, &tool(steps))]);
        let call = with(ScriptedClient::later(Abilities::ALL));
        let waiting = pending(run(&engine, name, json!({}), &call).await);
        let again = resumed(&call, waiting.state, replies);
        let answer = run(&engine, name, json!({}), &again).await.unwrap().done().unwrap();
        assert!(!answer.is_error, "{name}: {answer:?}");
        assert!(answer.notes.iter().any(|note| note.starts_with("`lost` could not be done: ")), "{name}: {answer:?}");
    }
    // A failure alone stays one.
    let engine = tools(&[("alone", &tool([lost, waits, "{ run: { action: template, text: here } }"]))]);
    let call = with(ScriptedClient::later(Abilities::ALL));
    let waiting = pending(run(&engine, "alone", json!({}), &call).await);
    let answer =
        run(&engine, "alone", json!({}), &resumed(&call, waiting.state, json!({}))).await.unwrap().done().unwrap();
    assert!(answer.is_error, "{answer:?}");
}

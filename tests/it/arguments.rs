//! Arguments as clients, frameworks and people write them, for every tool, prompt, resource template and the command
//! line: old and new names, and values in any spelling that has one meaning.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Answer, Call, CallError, Engine, EngineOptions, Sources, Tenancy, texts},
    sql::Bind,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    cli::{Cli, Run},
    client_schemas::unsaid,
    support::{
        pack::catalog,
        scripted::{Reply, Scripted, Seen},
    },
};

const ORGANISATION: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

const CONTEXT: &str = "
kind: context
name: probe-one
category: test
title: Probe
description: A probe.
persona: observability-generalist
parameters:
  service: { type: string, description: Only this service. }
  severity: { type: string, description: Only this severity., enum: [warn, error] }
  top: { type: integer, description: How many., minimum: 1, maximum: 50 }
  note: { type: string, description: Only with this text. }
sections:
  rows:
    title: Rows
    source: telemetry
    query:
      - sql: >-
          SELECT a FROM raw WHERE organization_id = {{ organization_id }} AND t >= {{ from }} AND t < {{ to }}
          {% if service %} AND s = {{ service }}{% endif %}{% if severity %} AND v = {{ severity }}{% endif %}
          {% if top %} AND n < {{ top }}{% endif %}{% if note %} AND note = {{ note }}{% endif %} LIMIT {{ limit }}
";

/// A context type with a filter that has a default.
const DEFAULT: &str = "
kind: context
name: probe-two
category: test
title: Probe
description: A probe.
persona: observability-generalist
parameters:
  severity: { type: string, description: Least severity., enum: [debug, error], default: error }
sections:
  rows:
    title: Rows
    source: telemetry
    query:
      - sql: >-
          SELECT a FROM raw WHERE organization_id = {{ organization_id }} AND t >= {{ from }} AND t < {{ to }}
          AND v = {{ severity }} LIMIT {{ limit }}
";

/// What a pack of an earlier version may hold: a tool with the names that were there before.
const EARLIER: &str = "
kind: tool
name: earlier
title: Earlier
description: Collects.
category: test
toolsets: [telemetry]
annotations: { read_only: true }
parameters:
  from: { type: timestamp, description: Start. }
  to: { type: timestamp, description: End. }
  service: { type: string, description: Only this service. }
run: { action: context.collect, with: { context_type: probe-one } }
";

/// A tool with a statement of its own, which sees the window.
const STATEMENT: &str = "
kind: tool
name: statement
title: Statement
description: Reads.
category: test
toolsets: [telemetry]
annotations: { read_only: true }
parameters:
  start: { type: timestamp, description: Start., aliases: [from] }
  end: { type: timestamp, description: End., aliases: [to] }
  time_range: { type: time_range, description: Look-back. }
run:
  action: sql
  source: telemetry
  sql: SELECT a FROM raw WHERE organization_id = {{ organization_id }} AND t >= {{ from }} AND t < {{ to }}
";

fn at(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

fn engine() -> (Engine, Seen) {
    let files = [
        ("definitions/probe-one.yaml", CONTEXT),
        ("definitions/probe-two.yaml", DEFAULT),
        ("definitions/earlier.yaml", EARLIER),
        ("definitions/statement.yaml", STATEMENT),
    ];
    let none = Reply::Rows(vec!["organization_id", "name"], vec![vec![json!(ORGANISATION), json!("Acme")]]);
    let rows = Reply::Rows(vec!["a"], vec![vec![json!("found")]]);
    let source = Arc::new(Scripted::default().on("FROM organizations", none).on("FROM raw", rows));
    let mut sources = Sources::default();
    sources.bind("telemetry", source.clone());
    sources.bind("platform", source.clone());
    let options = EngineOptions {
        tenancy: Tenancy { organization_id: Some(ORGANISATION.into()), ..Tenancy::default() },
        clock: Arc::new(|| at("2026-11-20T11:02:00Z")),
        ..EngineOptions::default()
    };
    (Engine::new(catalog(&files, &CatalogOptions::default()), sources, options), source.seen.clone())
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

async fn call(engine: &Engine, tool: &str, given: Value) -> Result<Answer, CallError> {
    engine.call_tool(tool, object(given), &Call::default()).await.and_then(tfo_mcp::engine::Outcome::done)
}

/// The binds behind the organisation of the last statement on `raw`.
fn binds(seen: &Seen) -> Vec<Bind> {
    let seen = seen.lock().unwrap();
    let (_, binds) = seen.iter().rev().find(|(sql, _)| sql.contains("FROM raw")).unwrap();
    binds[1..].to_vec()
}

/// The default window, and one of half an hour.
fn hour() -> Vec<Bind> {
    vec![Bind::Timestamp(at("2026-11-20T10:02:00Z")), Bind::Timestamp(at("2026-11-20T11:02:00Z"))]
}

fn half() -> Vec<Bind> {
    vec![Bind::Timestamp(at("2026-11-20T09:00:00Z")), Bind::Timestamp(at("2026-11-20T09:30:00Z"))]
}

/// Given, beside the context type; the binds that follow; and what the answer says of it.
fn spellings() -> Vec<(Value, Vec<Bind>, &'static str)> {
    let with = |mut window: Vec<Bind>, more: Vec<Bind>| {
        window.extend(more);
        window
    };
    let text = |text: &str| Bind::Text(text.into());
    let of = |service: &str| with(hour(), vec![text(service)]);
    vec![
        (json!({}), hour(), "2026-11-20T10:02:00Z to 2026-11-20T11:02:00Z"),
        (json!({"service_name": "web"}), of("web"), "service=web"),
        (json!({"service": "web"}), of("web"), "service=web"),
        (json!({"filters": {"service": "web"}}), of("web"), "service=web"),
        (json!({"filters": {"service_name": "web"}}), of("web"), "service=web"),
        (json!({"filters": "{\"service\": \"web\"}"}), of("web"), "service=web"),
        (json!({"service_name": "web", "filters": {"service": "web"}}), of("web"), "service=web"),
        (json!({"service_name": 500}), of("500"), "service=500"),
        (
            json!({"service_name": " web "}),
            of("web"),
            "`service_name` came with white space around it, and is read as `web`",
        ),
        (
            json!({"service": "web\u{200b}"}),
            of("web"),
            "came with U+200B in it, which nobody sees, and is read as `web`",
        ),
        (json!({"filters": {"service": "\u{feff}web"}, "service_name": "web\n"}), of("web"), "service=web"),
        (json!({"filters": {"severity": "error\u{a0}"}}), with(hour(), vec![text("error")]), "severity=error"),
        (
            json!({"filters": {"note": " x"}}),
            with(hour(), vec![text(" x")]),
            "`note` came with white space around it, and is looked for as it came",
        ),
        (
            json!({"filters": {"note": "Timed\nout"}}),
            with(hour(), vec![text("Timed\nout")]),
            "`note` came with a line break in it, and is looked for as it came",
        ),
        (
            json!({"filters": {"note": "timed  out"}}),
            with(hour(), vec![text("timed  out")]),
            "note=timed out (with several blanks in a row in it)",
        ),
        (
            json!({"filters": {"severity": "error"}, "severity": "ERROR "}),
            with(hour(), vec![text("error")]),
            "severity=error",
        ),
        (json!({"filters": {"top": 20}, "top": "20.0"}), with(hour(), vec![Bind::Integer(20)]), "top=20"),
        (json!({"service_name": "web", "service": " web"}), of("web"), "service=web"),
        (json!({"start": "now-1h", "from": "2026-11-20T10:02:00Z"}), hour(), "2026-11-20T10:02:00Z to"),
        (
            json!({"filters": {"note": "4202c472f0e61e516346a137212a66ce\n"}}),
            with(hour(), vec![text("4202c472f0e61e516346a137212a66ce")]),
            "`note` came with white space around it, and is read as `4202c472f0e61e516346a137212a66ce`",
        ),
        (
            json!({"filters": {"note": "a\u{200b}b"}}),
            with(hour(), vec![text("a\u{200b}b")]),
            "note=ab (with U+200B in it, which nobody sees)",
        ),
        (json!({"time_range": "1h\u{200b}", "severity": "\u{200b}"}), hour(), "(1h)"),
        (
            json!({"service_name": "", "filters": "", "time_range": "", "start": "", "end": "", "format": ""}),
            hour(),
            "(1h)",
        ),
        (json!({"service_name": null, "filters": null, "max_items": null, "format": null}), hour(), "(1h)"),
        (json!({"filters": {"service": "", "severity": null, "operation": null, "host": ""}}), hour(), "(1h)"),
        (json!({"filters": []}), hour(), "(1h)"),
        (json!({"filters": {"severity": "any", "result": "any"}}), hour(), "(1h)"),
        (json!({"severity": "ERROR"}), with(hour(), vec![text("error")]), "`severity` was taken as one of `filters`"),
        (json!({"filters": {"severity": "Error"}}), with(hour(), vec![text("error")]), "severity=error"),
        (json!({"filters": {"top": 20.0}}), with(hour(), vec![Bind::Integer(20)]), "top=20"),
        (json!({"filters": {"top": "20"}}), with(hour(), vec![Bind::Integer(20)]), "top=20"),
        (json!({"top": "20"}), with(hour(), vec![Bind::Integer(20)]), "`top` was taken as one of `filters`"),
        (json!({"time_range": "1 hour"}), hour(), "`1 hour` was read as 1h"),
        (json!({"time_range": "60min"}), hour(), "`60min` was read as 1h"),
        (json!({"time_range": "now-1h"}), hour(), "`now-1h` was read as 1h"),
        (json!({"start": "now-1h"}), hour(), "`now-1h` was read as 2026-11-20T10:02:00Z"),
        (json!({"start": "now-1h", "end": "now"}), hour(), "`now` was read as 2026-11-20T11:02:00Z"),
        (json!({"start": "2026-11-20T09:00:00Z", "end": "2026-11-20T09:30:00Z"}), half(), "(30m)"),
        (json!({"from": "2026-11-20T09:00:00Z", "to": "2026-11-20T09:30:00Z"}), half(), "(30m)"),
        (json!({"start": "2026-11-20T09:00:00Z", "to": "2026-11-20T09:30:00Z"}), half(), "(30m)"),
        (
            json!({"start": "2026-11-20 09:00", "end": "2026-11-20T09:30:00"}),
            half(),
            "`2026-11-20 09:00` was read as 2026-11-20T09:00:00Z (it names no zone)",
        ),
        (json!({"start": 1_795_165_200, "end": 1_795_167_000_000_i64}), half(), "(milliseconds since 1970)"),
        (
            json!({"start": "1795165200", "end": "1795167000.0"}),
            half(),
            "`1795165200` was read as 2026-11-20T09:00:00Z (seconds since 1970)",
        ),
        (json!({"end": "2026-11-20T11:02:00Z"}), hour(), "(1h)"),
        (json!({"to": "2026-11-20T11:02:00+00:00"}), hour(), "(1h)"),
    ]
}

const WRONG: [(&str, &str); 21] = [
    (r#"{"service_name": 12345678901234567890123}"#, "more digits than a JSON number keeps"),
    (r#"{"service_name": 0.12345678901234567}"#, "write it in quotes"),
    (r#"{"service_name ": "a"}"#, "`service_name` (with white space around it) is not a parameter"),
    (r#"{"filters": {"severity": "er\u00adror"}}"#, "`error` (with U+00AD in it, which nobody sees) is not known"),
    (r#"{"service_name": "a", "service": "b"}"#, "are one parameter and have two values"),
    (r#"{"service_name": "a", "filters": {"service": "b"}}"#, "two values"),
    (r#"{"severity": "error", "filters": {"severity": "warn"}}"#, "with two values"),
    (r#"{"note": "error", "filters": {"note": "ERROR"}}"#, "with two values"),
    (r#"{"time_range": "9999999h"}"#, "`time_range` reaches back before the year 1901"),
    (r#"{"start": "1900-01-01"}"#, "`start` and `end` lie between the years"),
    (r#"{"filters": {"severity": "fatal"}}"#, "it takes one of `warn`, `error`"),
    (r#"{"filters": {"operation": "GET /"}}"#, "`operation` is a filter of"),
    (r#"{"filters": {"servise": "a"}}"#, "did you mean `service`?"),
    (r#"{"sevrity": "error"}"#, "`sevrity` is not a parameter"),
    (r#"{"start": "yesterday"}"#, "must be a time in RFC 3339"),
    (r#"{"start": 2026}"#, "must be a time in RFC 3339"),
    (r#"{"time_range": "1M"}"#, "may be 1 minutes"),
    (r#"{"time_range": 60}"#, "must be a duration"),
    (r#"{"time_range": "1h", "start": "now-2h"}"#, "cannot be combined"),
    (r#"{"start": "now", "end": "now-1h"}"#, "`start` must be earlier than `end`"),
    (r#"{"top": 20.5}"#, "must be a whole number"),
];

#[tokio::test]
async fn a_tool_takes_every_spelling_that_has_one_meaning_and_says_what_it_read() {
    let (engine, seen) = engine();
    for tool in ["collect_telemetry_context", "build_insight_prompt"] {
        for (given, expected, said) in spellings() {
            let mut all = object(given.clone());
            all.insert("context_type".into(), json!("Probe_One"));
            if tool == "build_insight_prompt" {
                all.insert("insight_type".into(), json!("ROOT_CAUSE"));
                all.shift_remove("format");
            }
            let answer = call(&engine, tool, all.into()).await.unwrap_or_else(|error| panic!("{given}: {error:?}"));
            let mut read = binds(&seen);
            read.truncate(expected.len());
            assert_eq!(read, expected, "{tool} {given}");
            let text = answer.text();
            assert!(text.contains("`Probe_One` was read as `probe-one`"), "{tool} {given}: {text}");
            // A prompt states its window in a list, and its filters nowhere.
            let shown = tool == "collect_telemetry_context" || said.contains(" was ");
            assert!(!shown || text.contains(said), "{tool} {given} lacks {said}: {text}");
            assert!(answer.notes.is_empty(), "the document says it: {:?}", answer.notes);
        }
        for (given, piece) in WRONG {
            let mut all: Map<String, Value> = serde_json::from_str(given).unwrap();
            all.extend(object(json!({"context_type": "probe-one"})));
            if tool == "build_insight_prompt" {
                all.insert("insight_type".into(), json!("root-cause"));
            }
            let error = call(&engine, tool, all.into()).await.expect_err(given);
            assert!(error.to_text().contains(piece), "{tool} {given} lacks {piece}: {}", error.to_text());
        }
    }
}

#[tokio::test]
async fn any_of_a_list_with_a_default_is_answered_with_what_it_stays() {
    let (engine, seen) = engine();
    for given in [
        json!({"filters": {"severity": "any"}}),
        json!({"severity": "Any"}),
        json!({"filters": "{\"severity\": \"any\"}"}),
    ] {
        let mut all = object(given.clone());
        all.insert("context_type".into(), json!("probe-two"));
        let text = call(&engine, "collect_telemetry_context", all.into()).await.unwrap().text();
        let said = "`severity` has no `any` here and stays `error`; it takes `debug`, `error`";
        assert!(text.contains(said) && text.contains("severity=error"), "{given}: {text}");
        assert_eq!(binds(&seen)[2], Bind::Text("error".into()));
    }
    let plain = call(&engine, "collect_telemetry_context", json!({"context_type": "probe-two"})).await.unwrap().text();
    assert!(!plain.contains("stays"), "{plain}");
}

/// Strict modes make every property required: what a client says then of those that it does not mean.
#[tokio::test]
async fn a_client_that_must_name_every_property_can_mean_none_of_them() {
    let (engine, seen) = engine();
    let catalog = engine.catalog();
    for tool in ["collect_telemetry_context", "build_insight_prompt"] {
        let Value::Object(mut given) = unsaid(&Value::Object(catalog.tools[tool].input_schema.clone())) else {
            unreachable!()
        };
        assert!(given["filters"].as_object().unwrap().len() > 15, "{given:?}");
        given.insert("context_type".into(), json!("probe-one"));
        given["filters"]["operation"] = json!("GET /");
        given.insert("service_name".into(), json!("web"));
        let text = call(&engine, tool, given.clone().into())
            .await
            .unwrap_or_else(|error| panic!("{error:?}: {given:?}"))
            .text();
        // The number of `top` has no way to be left out, nor has the one of `max_items`.
        let expected = [hour(), vec![Bind::Text("web".into()), Bind::Integer(1)]].concat();
        assert_eq!(binds(&seen)[..4], expected, "{tool}: {text}");
        assert!(
            text.contains("those that `probe-one` does not have were left out") && text.contains("operation"),
            "{text}"
        );
    }
    for tool in ["list_context_types", "build_system_prompt"] {
        let Value::Object(mut given) = unsaid(&Value::Object(catalog.tools[tool].input_schema.clone())) else {
            unreachable!()
        };
        let mut bare = Map::new();
        if tool == "build_system_prompt" {
            given.insert("context_type".into(), json!("probe-one"));
            bare.insert("context_type".into(), json!("probe-one"));
        }
        let answer = call(&engine, tool, given.into()).await.unwrap();
        assert_eq!(answer, call(&engine, tool, bare.into()).await.unwrap(), "{tool}");
    }
}

#[tokio::test]
async fn prompts_and_the_resource_template_take_them_as_text() {
    let (engine, seen) = engine();
    let web = || [hour(), vec![Bind::Text("web".into())]].concat();
    let catalog = engine.catalog();
    let prompts = catalog.prompts.iter().filter(|(_, entry)| entry.definition.arguments.contains_key("context_type"));
    let prompts: Vec<String> = prompts.map(|(name, _)| name.clone()).collect();
    assert!(prompts.len() >= 6, "{prompts:?}");
    for (query, expected) in [
        ("service=web", web()),
        ("service_name=web", web()),
        ("service_name=web&service=web", web()),
        ("service_name=&time_range=1%20hour", hour()),
        ("from=2026-11-20T09:00:00Z&to=2026-11-20T09:30:00Z", half()),
        ("start=2026-11-20T09:00&end=2026-11-20%2009:30", half()),
        ("start=now-1h", hour()),
        ("start=1795165200&end=1795167000000", half()),
        ("end=2026-11-20T11:02:00Z", hour()),
    ] {
        let uri = format!("telemetry://context/PROBE_ONE?{query}");
        let answer = engine.read_resource(&uri, &Call::default()).await.unwrap().done().unwrap();
        assert_eq!(answer.contents.len(), 1);
        let mut read = binds(&seen);
        read.truncate(expected.len());
        assert_eq!(read, expected, "{uri}");
        for name in &prompts {
            let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
            let mut given: Map<String, Value> =
                pairs.map(|(name, value)| (name.to_owned(), json!(value.replace("%20", " ")))).collect();
            given.insert("context_type".into(), json!("Probe One"));
            let answer = engine.get_prompt(name, given, &Call::default()).await.unwrap().done().unwrap();
            let text = texts(answer.messages.iter().map(|(_, content)| content));
            assert!(text.contains("`Probe One` was read as `probe-one`"), "{name}: {text}");
            let mut read = binds(&seen);
            read.truncate(expected.len());
            assert_eq!(read, expected, "{name} {query}");
        }
    }
    for query in [
        "start=yesterday",
        "service_name=a&service=b",
        "time_range=5",
        "time_range=1h&time_range=2h",
        "service_name=a&service_name=b",
    ] {
        let uri = format!("telemetry://context/probe-one?{query}");
        assert!(engine.read_resource(&uri, &Call::default()).await.is_err(), "{query}");
    }
}

#[tokio::test]
async fn a_pack_with_the_earlier_names_goes_on_working() {
    let (engine, seen) = engine();
    let given = json!({"from": "2026-11-20T09:00:00Z", "to": "2026-11-20 09:30", "service": "web"});
    let answer = call(&engine, "earlier", given).await.unwrap();
    assert_eq!(binds(&seen)[..3], [half(), vec![Bind::Text("web".into())]].concat());
    assert!(answer.text().contains("`to` `2026-11-20 09:30` was read as"), "{}", answer.text());
}

#[tokio::test]
async fn a_statement_of_a_tool_sees_the_window_under_either_name() {
    let (engine, seen) = engine();
    for (given, expected, notes) in [
        (json!({"start": "2026-11-20T09:00:00Z", "end": "2026-11-20T09:30:00Z"}), half(), 0),
        (json!({"from": "2026-11-20 09:00", "to": "2026-11-20T09:30:00Z"}), half(), 1),
        (json!({"time_range": "1 hour"}), hour(), 1),
        (json!({}), hour(), 0),
    ] {
        let answer = call(&engine, "statement", given.clone()).await.unwrap();
        assert_eq!(binds(&seen), expected, "{given}");
        assert_eq!(answer.notes.len(), notes, "{given}: {:?}", answer.notes);
        assert_eq!(answer.structured, Some(json!({"columns": ["a"], "rows": [["found"]], "truncated": false})));
    }
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_command_line_takes_old_and_new_names_and_stays_clean() {
    let cli = Cli::new();
    let run = |arguments: &[&str]| Run::of(cli.command(arguments).output().unwrap(), cli.folder.path());
    for window in [
        ["--start", "2026-11-20 09:00", "--end", "2026-11-20T09:30:00Z", "--service-name", "checkout"],
        ["--from", "1795165200", "--to", "2026-11-20T09:30:00Z", "--service", "checkout"],
    ] {
        let shown = run(&[&["context", "Latency"], &window[..]].concat());
        for piece in
            ["2026-11-20T09:00:00Z to 2026-11-20T09:30:00Z", "service=checkout", "was read as 2026-11-20T09:00:00Z"]
        {
            assert!(shown.stdout.contains(piece), "{piece}: {shown:?}");
        }
        let json = run(&[&["context", "latency", "--format", "json"], &window[..]].concat());
        let document: Value = serde_json::from_str(&json.stdout).unwrap_or_else(|error| panic!("{error}: {json:?}"));
        assert_eq!(document["notes"].as_array().map(Vec::len), Some(1), "{document}");
        let call = run(&[
            "call",
            "collect_telemetry_context",
            "context_type=latency",
            "start=2026-11-20 09:00",
            "end=2026-11-20T09:30Z",
            "service=checkout",
            "max_items=5.0",
            "severity=",
            "--format",
            "json",
        ]);
        let answer: Value = serde_json::from_str(&call.stdout).unwrap_or_else(|error| panic!("{error}: {call:?}"));
        assert!(answer["text"].as_str().unwrap().contains("service=checkout"), "{answer}");
    }
    let echo = run(&["call", "echo", "message=5", "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&echo.stdout).unwrap()["text"], "5");
}

//! Answers that are kept for a while (`cache:`): which calls are equal, whose answer is whose, and what is never kept.

mod over_http;

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    definition::Action,
    engine::{
        Abilities, Answer, Call, CallError, CallErrorKind, Elicitation, Engine, EngineOptions, Outcome, Principal,
        Sources, Tenancy, Use,
    },
    source::SourceErrorKind,
};

use crate::support::{
    eventually::eventually,
    pack::catalog,
    scripted::{Reply, Scripted, Seen},
    scripted_client::ScriptedClient,
};

const ONE: &str = "11111111-1111-4111-8111-111111111111";
const TWO: &str = "22222222-2222-4222-8222-222222222222";

const PEEK: &str = "
kind: tool
name: peek
title: Peek
description: Reads rows.
category: test
toolsets: [telemetry]
timeout: 2s
parameters:
  service: { type: string, aliases: [service_name], description: Which. }
  most: { type: integer, description: How many., default: 5 }
  time_range: { type: time_range, description: How long. }
  start: { type: timestamp, description: Since when. }
cache: 10m
run:
  action: sql
  source: telemetry
  sql: >-
    SELECT a FROM t WHERE organization_id = {{ organization_id }} AND service = {{ service }} AND n = {{ most }}
    AND at > {{ start }} AND r = {{ time_range }}
";

const PARTS: &str = "
kind: tool
name: parts
title: Parts
description: Reads two things.
category: test
cache: 10m
run:
  action: pipeline
  steps:
    - optional: true
      run: { action: sql, source: telemetry, sql: 'SELECT a FROM t WHERE organization_id = {{ organization_id }}' }
    - optional: true
      run: { action: sql, source: telemetry, sql: 'SELECT a FROM u WHERE organization_id = {{ organization_id }}' }
";

const CONTEXT: &str = "
kind: context
name: stock
category: test
title: Stock
description: What there is.
persona: observability-generalist
source: platform
parameters:
  kind: { type: string, description: Only this kind., known_values: none }
cache: 10m
sections:
  things:
    title: Things
    sql: >-
      SELECT a FROM t WHERE organization_id = {{ organization_id }} AND at >= {{ from }} AND at < {{ to }}
      AND k = {{ kind }} ORDER BY a
";

fn files() -> Catalog {
    let files = [
        ("definitions/peek.yaml", PEEK),
        ("definitions/parts.yaml", PARTS),
        ("definitions/contexts/stock.yaml", CONTEXT),
    ];
    catalog(&files, &CatalogOptions::default())
}

fn rows() -> Reply {
    Reply::Rows(vec!["a"], vec![vec![json!("row")]])
}

fn options() -> EngineOptions {
    let tenancy = Tenancy { organization_id: Some(ONE.into()), ..Tenancy::default() };
    EngineOptions { tenancy, ..EngineOptions::default() }
}

fn engine_of(source: Scripted, options: EngineOptions) -> (Arc<Engine>, Seen) {
    let source = source.on("organizations", Reply::Rows(vec!["organization_id", "name"], vec![]));
    let (seen, source) = (source.seen.clone(), Arc::new(source));
    let mut sources = Sources::default();
    sources.bind("telemetry", source.clone());
    sources.bind("platform", source);
    (Arc::new(Engine::new(files(), sources, options)), seen)
}

fn engine(reply: Reply) -> (Arc<Engine>, Seen) {
    engine_of(Scripted::default().on("FROM t", reply).table("t", &["a"]), options())
}

/// How often the rows were read.
fn asked(seen: &Seen) -> usize {
    seen.lock().unwrap().iter().filter(|(sql, _)| sql.contains("FROM t")).count()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

async fn call(engine: &Engine, tool: &str, arguments: Value, call: &Call) -> Result<Answer, CallError> {
    engine.call_tool(tool, object(arguments), call).await.and_then(Outcome::done)
}

async fn peek(engine: &Engine, arguments: Value) -> Answer {
    call(engine, "peek", arguments, &Call::default()).await.unwrap()
}

fn how(call: &Call) -> Vec<&'static str> {
    call.ledger.uses().into_iter().map(Use::as_str).collect()
}

#[tokio::test]
async fn equal_calls_at_one_time_ask_once_and_later_ones_say_how_old_the_answer_is() {
    let source = Scripted::default().on("FROM t", rows()).table("t", &["a"]).after(Duration::from_millis(50));
    let (engine, seen) = engine_of(source, options());
    let calls: Vec<Call> = (0..8).map(|_| Call::default()).collect();
    let all = calls.iter().map(|one| call(&engine, "peek", json!({}), one));
    let answers: Vec<_> = futures::future::join_all(all).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(asked(&seen), 1);
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.text().contains("row")));
    assert_eq!(answers[0].meta, None, "an answer of now");
    let counts = |word| calls.iter().filter(|call| how(call) == [word]).count();
    assert_eq!((counts("miss"), counts("wait")), (1, 7));
    let later = Call::default();
    let kept = call(&engine, "peek", json!({}), &later).await.unwrap();
    assert_eq!((asked(&seen), how(&later)), (1, vec!["hit"]));
    assert_eq!((&kept.content, &kept.structured), (&answers[0].content, &answers[0].structured));
    let about = &kept.meta.unwrap()["tfo-mcp/kept"];
    assert!(about["ageMs"].is_u64() && about["asOf"].as_str().unwrap().ends_with('Z'), "{about}");
    assert!(kept.notes.last().unwrap().starts_with("from memory: this was answered 0."), "{:?}", kept.notes);
    // The audit log knows whose rows it shows.
    assert_eq!(later.ledger.organizations(), [ONE]);
}

#[tokio::test]
async fn calls_are_equal_where_they_mean_the_same() {
    let (engine, seen) = engine(rows());
    let mut before = 0;
    for (what, same) in [
        (json!({ "service": "web" }), false),
        (json!({ "service_name": "web" }), true),
        (json!({ "most": 5, "service": "web" }), true),
        (json!({ "most": "5", "service": "web", "start": null }), true),
        (json!({ "service": "web", "most": 6 }), false),
        (json!({ "service": "Web" }), false),
        (json!({ "time_range": "1h" }), false),
        (json!({ "time_range": "1h", "start": "" }), true),
        (json!({ "time_range": "2h" }), false),
        // So far from now; the answer is of then, and says so.
        (json!({ "start": "now-1h" }), false),
        (json!({ "start": "1 hour ago" }), false),
        (json!({ "start": "now-1h" }), true),
        (json!({ "start": "2026-11-20T10:00:00Z" }), false),
        (json!({ "start": "2026-11-20T12:00:00+02:00" }), true),
        (json!({ "start": "2026-11-20T10:00:01Z" }), false),
    ] {
        peek(&engine, what.clone()).await;
        let now = asked(&seen);
        // A note says how a time was read, so that another spelling is another answer.
        assert_eq!(now - before, usize::from(!same), "{what}");
        before = now;
    }
}

fn principal(organization: &str, scopes: &[&str]) -> Principal {
    Principal {
        organizations: Some(vec![organization.into()]),
        subject: Some("key:one".into()),
        scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        ..Principal::default()
    }
}

#[tokio::test]
async fn nobody_is_told_what_was_answered_to_somebody_who_may_read_something_else() {
    let (engine, seen) = engine(rows());
    let mine = || principal(ONE, &["a", "b"]);
    let claims = |region: &str| object(json!({ "region": region }));
    let mut before = 0;
    for (what, principal, shares) in [
        ("first", mine(), false),
        ("the same", mine(), true),
        ("in another order", principal(ONE, &["b", "a"]), true),
        ("another who may read the same", Principal { subject: Some("key:two".into()), ..mine() }, true),
        ("another tenant", principal(TWO, &["a", "b"]), false),
        ("less", principal(ONE, &["a"]), false),
        ("more", principal(ONE, &["a", "b", "c"]), false),
        ("toolsets", Principal { toolsets: Some(vec!["telemetry".into()]), ..mine() }, false),
        ("workspace", Principal { workspace_id: Some(TWO.into()), ..mine() }, false),
        ("user", Principal { user_id: Some(TWO.into()), ..mine() }, false),
        ("claims", Principal { claims: claims("eu"), ..mine() }, false),
        ("other claims", Principal { claims: claims("us"), ..mine() }, false),
        ("nobody", Principal::default(), false),
        ("first again", mine(), true),
    ] {
        let one = Call { principal, ..Call::default() };
        call(&engine, "peek", json!({}), &one).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let now = asked(&seen);
        assert_eq!(now - before, usize::from(!shares), "{what}");
        before = now;
    }
    // What templates see of the client decides too.
    let able = Abilities { elicitation: Elicitation { form: true, url: false }, ..Abilities::default() };
    let one = Call { client: Arc::new(ScriptedClient::later(able)), principal: mine(), ..Call::default() };
    call(&engine, "peek", json!({}), &one).await.unwrap();
    assert_eq!(asked(&seen), before + 1);
}

#[tokio::test]
async fn failures_are_not_kept_also_where_they_are_a_part() {
    let (engine, seen) = engine(Reply::Turns(vec![Reply::Fail(SourceErrorKind::Unavailable), rows()]));
    let failed = call(&engine, "peek", json!({}), &Call::default()).await.unwrap_err();
    assert_eq!(failed.kind, CallErrorKind::Unavailable);
    assert!(peek(&engine, json!({})).await.text().contains("row"));
    peek(&engine, json!({})).await;
    assert_eq!(asked(&seen), 2);

    let part = Reply::Turns(vec![Reply::Fail(SourceErrorKind::Failed), rows()]);
    let source = Scripted::default().on("FROM t", rows()).on("FROM u", part).table("t", &["a"]).table("u", &["a"]);
    let (engine, seen) = engine_of(source, options());
    let parts = async || call(&engine, "parts", json!({}), &Call::default()).await.unwrap();
    assert!(!parts().await.is_error);
    let whole = parts().await;
    assert_eq!((asked(&seen), whole.content.len()), (2, 2));
    assert_eq!(parts().await.content, whole.content);
    assert_eq!(asked(&seen), 2, "what is whole is kept");
}

#[tokio::test]
async fn a_call_that_is_cancelled_leaves_the_others_their_answer() {
    let (engine, seen) = engine(Reply::Turns(vec![Reply::Hang, rows()]));
    let leader = Call::default();
    let (running, own) = (engine.clone(), leader.clone());
    let led = tokio::spawn(async move { call(&running, "peek", json!({}), &own).await });
    eventually("it asks", async || asked(&seen) == 1).await;
    let (waiting, impatient) = (engine.clone(), Call::default());
    let (follower, gone) = (Call::default(), impatient.cancel.clone());
    let own = follower.clone();
    let follows = tokio::spawn(async move { call(&waiting, "peek", json!({}), &own).await });
    let waiting = engine.clone();
    let leaves = tokio::spawn(async move { call(&waiting, "peek", json!({}), &impatient).await });
    // Whoever waits goes when it likes; whoever runs is not touched by it.
    gone.cancel();
    assert_eq!(leaves.await.unwrap().unwrap_err().kind, CallErrorKind::Cancelled);
    assert_eq!(asked(&seen), 1);
    leader.cancel.cancel();
    assert_eq!(led.await.unwrap().unwrap_err().kind, CallErrorKind::Cancelled);
    assert!(follows.await.unwrap().unwrap().text().contains("row"));
    assert_eq!((asked(&seen), how(&follower)), (2, vec!["miss"]));
}

/// The one that runs is late after two seconds, and its follower began after it: it gets what is left of its own time.
#[tokio::test]
async fn whoever_waits_is_held_to_its_own_time() {
    let (engine, seen) = engine(Reply::Hang);
    let running = engine.clone();
    let led = tokio::spawn(async move { call(&running, "peek", json!({}), &Call::default()).await });
    eventually("it asks", async || asked(&seen) == 1).await;
    // Asked before the clock is, so that a busy machine is no fault of it.
    let follower = Call::default();
    let late = tokio::time::timeout(Duration::from_millis(3900), call(&engine, "peek", json!({}), &follower));
    let late = late.await.expect("not two times two seconds").unwrap_err();
    assert_eq!(late.kind, CallErrorKind::Timeout, "{late:?}");
    assert_eq!(led.await.unwrap().unwrap_err().kind, CallErrorKind::Timeout);
}

#[tokio::test]
async fn other_definitions_and_the_operator_end_it() {
    let (engine, seen) = engine(rows());
    peek(&engine, json!({})).await;
    peek(&engine, json!({})).await;
    assert_eq!(asked(&seen), 1);
    engine.replace(files(), Vec::new());
    peek(&engine, json!({})).await;
    peek(&engine, json!({})).await;
    assert_eq!(asked(&seen), 2, "the same texts, read anew");

    let off = EngineOptions { kept_bytes: None, ..options() };
    let (engine, seen) = engine_of(Scripted::default().on("FROM t", rows()).table("t", &["a"]), off);
    let one = Call::default();
    for _ in 0..2 {
        assert_eq!(call(&engine, "peek", json!({}), &one).await.unwrap().meta, None);
    }
    assert_eq!((asked(&seen), how(&one)), (2, vec![]));
}

#[tokio::test]
async fn what_is_kept_is_masked_as_what_is_new() {
    let secret = "AKIAIOSFODNN7EXAMPLE";
    let (engine, _) = engine(Reply::Rows(vec!["a"], vec![vec![json!(format!("key {secret}"))]]));
    let shown = |answer: &Answer| format!("{answer:?}");
    let (new, kept) = (peek(&engine, json!({})).await, peek(&engine, json!({})).await);
    assert!(kept.meta.is_some());
    for answer in [new, kept] {
        let text = shown(&answer);
        assert!(!text.contains(secret) && text.contains("***") && text.contains("Masked as"), "{text}");
    }
    for _ in 0..2 {
        let with = json!({ "context_type": "stock" });
        let text = shown(&call(&engine, "collect_telemetry_context", with, &Call::default()).await.unwrap());
        assert!(!text.contains(secret) && text.contains("***"), "{text}");
    }
}

async fn stock(engine: &Engine, arguments: Value) -> Answer {
    let mut arguments = arguments;
    arguments["context_type"] = json!("stock");
    call(engine, "collect_telemetry_context", arguments, &Call::default()).await.unwrap()
}

#[tokio::test]
async fn a_document_is_kept_whatever_shows_it() {
    let (engine, seen) = engine(rows());
    let first = stock(&engine, json!({ "time_range": "1h" })).await;
    assert!(first.text().contains("row") && !first.text().contains("from memory"));
    let kept = stock(&engine, json!({ "time_range": "60m", "format": "json" })).await;
    assert!(kept.text().contains("from memory: this was answered"), "{}", kept.text());
    let part = engine.read_resource("telemetry://context/stock?time_range=1h", &Call::default()).await.unwrap();
    assert!(format!("{:?}", part.done().unwrap()).contains("from memory"));
    let arguments = object(json!({ "context_type": "stock", "time_range": "1h" }));
    let prompt = engine.get_prompt("analyze", arguments, &Call::default()).await.unwrap().done().unwrap();
    assert!(format!("{prompt:?}").contains("row"));
    assert_eq!(asked(&seen), 1);
    // Another window, another filter, another number of rows, a named window beside the last hour.
    let day = json!({ "start": "2026-11-19T00:00:00Z", "end": "2026-11-20T00:00:00Z" });
    let second = json!({ "start": "2026-11-19T00:00:01Z", "end": "2026-11-20T00:00:01Z" });
    for (n, other) in
        [json!({ "time_range": "2h" }), json!({ "time_range": "1h", "filters": { "kind": "x" } }), day.clone(), second]
            .into_iter()
            .enumerate()
    {
        stock(&engine, other.clone()).await;
        assert_eq!(asked(&seen), n + 2, "{other}");
    }
    stock(&engine, day).await;
    assert_eq!(asked(&seen), 5);
    // Another tenant.
    let one = Call { principal: principal(TWO, &[]), ..Call::default() };
    call(&engine, "collect_telemetry_context", json!({ "context_type": "stock", "time_range": "1h" }), &one)
        .await
        .unwrap();
    assert_eq!((asked(&seen), how(&one)), (6, vec!["miss"]));
}

#[tokio::test]
async fn a_document_of_which_a_part_failed_is_not_kept() {
    let (engine, seen) = engine(Reply::Turns(vec![Reply::Fail(SourceErrorKind::Unavailable), rows()]));
    assert!(stock(&engine, json!({})).await.is_error);
    assert!(stock(&engine, json!({})).await.text().contains("row"));
    assert!(stock(&engine, json!({})).await.text().contains("from memory"));
    assert_eq!(asked(&seen), 2);
}

/// Those who wait for another's collection take a turn each, and whoever runs has its own before: nobody waits in a circle.
#[tokio::test]
async fn more_callers_than_turns_are_answered() {
    let source = Scripted::default().on("FROM t", rows()).table("t", &["a"]).after(Duration::from_millis(20));
    let (engine, seen) = engine_of(source, EngineOptions { concurrent_calls: 2, ..options() });
    let prompts = (0..6).map(|_| async {
        let arguments = object(json!({ "context_type": "stock" }));
        let prompt = engine.get_prompt("analyze", arguments, &Call::default()).await.unwrap().done().unwrap();
        assert!(format!("{prompt:?}").contains("row"));
    });
    let tools = (0..6).map(|_| async { assert!(stock(&engine, json!({})).await.text().contains("row")) });
    tokio::time::timeout(Duration::from_secs(20), async {
        tokio::join!(futures::future::join_all(prompts), futures::future::join_all(tools))
    })
    .await
    .expect("they do not wait for each other");
    assert_eq!(asked(&seen), 1);
}

#[test]
fn what_is_kept_of_the_shipped_definitions_is_no_evidence() {
    let catalog = files();
    let kept = catalog.tools.values().filter(|entry| entry.definition.cache.is_some());
    let mut seen = 0;
    for entry in kept.filter(|entry| entry.definition.category.0 != "test") {
        let run = &entry.definition.run;
        assert!(matches!(run, Action::ValuesList { .. } | Action::TablesSearch { .. }), "{}", entry.definition.name);
        seen += 1;
    }
    assert!(seen > 0);
    // Contexts of the platform's own records, none of telemetry.
    let contexts = catalog.contexts.values().filter(|entry| entry.definition.cache.is_some());
    let mut seen = 0;
    for entry in contexts.filter(|entry| entry.definition.category.0 != "test") {
        let definition = &entry.definition;
        assert!(definition.sections.values().all(|section| section.source.0 == "platform"), "{}", definition.name);
        assert!(definition.cache.unwrap().0 <= Duration::from_secs(60), "{}", definition.name);
        seen += 1;
    }
    assert!(seen > 0);
}

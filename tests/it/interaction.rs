//! Actions that show, tell and ask: the same YAML over a session, whose answers are awaited, and over a revision in
//! which the client answers by calling again.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::{LogLevel, Role},
    engine::{
        Abilities, Ability, Answer, Asked, Body, Call, CallError, CallErrorKind, Client, Content, Elicitation, Engine,
        EngineOptions, Event, Outcome, Pending, Principal, Question, Resume, Sources,
    },
    sql::Bind,
};

use crate::support::{
    pack::catalog,
    scripted::{Reply, Scripted},
    scripted_client::{ScriptedClient, Told},
};

const FORMS: Abilities =
    Abilities { sampling: false, elicitation: Elicitation { form: true, url: false }, roots: false, tasks: false };

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

/// Answers rounds by calling again until the call is done.
async fn by_calling_again(engine: &Engine, tool: &str, arguments: Value, call: &Call, rounds: &[Value]) -> String {
    let mut pending = pending(run(engine, tool, arguments.clone(), call).await);
    for round in rounds {
        let again = resumed(call, pending.state.clone(), round.clone());
        match run(engine, tool, arguments.clone(), &again).await.unwrap() {
            Outcome::Done(answer) => return answer.text(),
            Outcome::Asks(next) => pending = next,
        }
    }
    panic!("it still asks: {pending:?}")
}

fn accepted(content: Value) -> Value {
    json!({ "action": "accept", "content": content })
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
    let of_rows = |text: &String| text.contains("`rows` /run/steps/2/run/sql: it reads what only a call knows");
    assert!(report.skipped.iter().any(of_rows), "{:?}", report.skipped);
    assert!(!report.findings.iter().any(|finding| finding.name == "rows"), "{:?}", report.findings);
    let shown = text(&engine, "rows", json!({}), &Call::default()).await;
    assert!(shown.ends_with("\n\na=3 b=4 "), "{shown}");
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].1, [Bind::Integer(2)]);
    assert_eq!(seen[1].1, [Bind::Text("a!".into())], "what a step keeps is bound, never text");
}

/// Asks three things at once, then one more that depends on them.
const INTERVIEW: &str = r#"
parameters:
  greeting: { type: string, description: How., default: Hello }
run:
  action: pipeline
  steps:
    - run: { action: log, level: info, message: begins }
    - run: { action: template, text: "{{ greeting }}," }
    - as: first
      run:
        action: ask
        questions:
          name:
            run:
              action: elicit
              message: Your name?
              schema:
                type: object
                properties: { name: { type: string, minLength: 2 }, age: { type: integer } }
                required: [name]
          poem: { run: { action: sample, messages: [{ text: "A word for {{ greeting }}" }], max_tokens: 10 } }
          folders: { when: client.roots, run: { action: roots } }
    - as: again
      when: first.name.action == 'accept'
      run:
        action: elicit
        message: "Sure, {{ first.name.content.name }}?"
        schema: { type: object, properties: { sure: { type: boolean } }, required: [sure] }
    - when: again is defined and again.content.sure | default(false)
      run: { action: template, text: "{{ first.name.content.name }} in {{ first.folders.roots[0].uri }}: {{ first.poem.text }} ({{ first.poem.model }})" }
    - when: again is undefined or not (again.content.sure | default(false))
      run: { action: template, text: nobody }
"#;

fn first_round() -> Value {
    json!({
        "name": accepted(json!({ "name": "Ada" })),
        "poem": { "role": "assistant", "model": "m", "content": { "type": "text", "text": "rose" }, "stopReason": "endTurn" },
        "folders": { "roots": [{ "uri": "file:///home", "name": "home" }] },
    })
}

#[tokio::test]
async fn a_suspended_call_answers_as_an_awaited_one() {
    let engine = tools(&[("interview", INTERVIEW)]);
    for (second, expected) in [
        (accepted(json!({ "sure": true })), "Hello,\n\nAda in file:///home: rose (m)"),
        (accepted(json!({ "sure": false })), "Hello,\n\nnobody"),
        (json!({ "action": "decline" }), "Hello,\n\nnobody"),
        (json!({ "action": "cancel", "content": null }), "Hello,\n\nnobody"),
    ] {
        let rounds = [first_round(), json!({ "again": second })];
        let awaited = ScriptedClient::at_once(Abilities::ALL, rounds.clone());
        let suspended = ScriptedClient::later(Abilities::ALL);
        let told = [awaited.told.clone(), suspended.told.clone()];
        // The step is left out, so that the text is not an undefined variable.
        let awaited = text(&engine, "interview", json!({}), &with(awaited)).await;
        let suspended = by_calling_again(&engine, "interview", json!({}), &with(suspended), &rounds).await;
        assert_eq!(awaited, expected);
        assert_eq!(suspended, expected);
        let [awaited, suspended] = told.map(|told| told.lock().unwrap().clone());
        assert_eq!(awaited, suspended, "they are told and asked the same, and nothing is run twice");
    }
}

#[tokio::test]
async fn only_what_the_client_can_is_asked() {
    let engine = tools(&[("interview", INTERVIEW)]);
    let client = ScriptedClient::later(Abilities { roots: false, ..Abilities::ALL });
    let asked = pending(run(&engine, "interview", json!({}), &with(client)).await);
    assert_eq!(asked.questions.keys().collect::<Vec<_>>(), ["name", "poem"]);
    assert_eq!(
        asked.questions["poem"],
        Question::Sample {
            messages: vec![(Role::User, "A word for Hello".into())],
            system_prompt: None,
            max_tokens: 10,
            temperature: None
        }
    );
    let client = ScriptedClient::later(FORMS);
    let error = run(&engine, "interview", json!({}), &with(client)).await.unwrap_err();
    assert_eq!((error.kind, error.lacking), (CallErrorKind::Unable, vec![Ability::Sampling]));
    let error = run(&engine, "interview", json!({}), &Call::default()).await.unwrap_err();
    assert_eq!(error.lacking, [Ability::Sampling, Ability::ElicitationForm]);
}

#[tokio::test]
async fn what_is_missing_or_does_not_fit_is_asked_again() {
    let engine = tools(&[("interview", INTERVIEW)]);
    let call = with(ScriptedClient::later(Abilities::ALL));
    let first = pending(run(&engine, "interview", json!({}), &call).await);
    // Nothing, and something that nobody asked.
    let again = resumed(&call, first.state.clone(), json!({ "other": accepted(json!({})) }));
    let second = pending(run(&engine, "interview", json!({}), &again).await);
    assert_eq!(second.questions, first.questions);
    // One that fits, one that does not, one that is missing.
    let mut replies = first_round();
    replies["name"] = accepted(json!({ "name": "A", "age": "old" }));
    replies.as_object_mut().unwrap().remove("folders");
    let again = resumed(&call, second.state, replies);
    let third = pending(run(&engine, "interview", json!({}), &again).await);
    assert_eq!(third.questions.keys().collect::<Vec<_>>(), ["name", "folders"]);
    let Question::Form { message, .. } = &third.questions["name"] else { panic!("{third:?}") };
    assert!(message.starts_with("Your name?\n\n"), "{message}");
    for complaint in ["`name` must have at least 2 characters", "`age` must be a whole number, not `old`"] {
        assert!(message.contains(complaint), "{message}");
    }
    let mut replies = first_round();
    replies.as_object_mut().unwrap().remove("poem");
    let again = resumed(&call, third.state, replies);
    let fourth = pending(run(&engine, "interview", json!({}), &again).await);
    assert_eq!(fourth.questions.keys().collect::<Vec<_>>(), ["again"]);
    let again = resumed(&call, fourth.state, json!({ "again": accepted(json!({ "sure": true })) }));
    assert_eq!(text(&engine, "interview", json!({}), &again).await, "Hello,\n\nAda in file:///home: rose (m)");
}

#[tokio::test]
async fn answers_to_what_was_not_asked_yet_are_taken_for_the_first_questions() {
    let engine = tools(&[("interview", INTERVIEW)]);
    let call = with(ScriptedClient::later(Abilities::ALL));
    let mut replies = first_round();
    replies["again"] = accepted(json!({ "sure": true }));
    let ahead = resumed(&call, Value::Null, replies);
    let asked = pending(run(&engine, "interview", json!({}), &ahead).await);
    assert_eq!(asked.questions.keys().collect::<Vec<_>>(), ["again"], "the second question is not answered in advance");
}

#[tokio::test]
async fn a_session_is_asked_once_more_and_then_the_call_fails() {
    let engine = tools(&[("interview", INTERVIEW)]);
    let mut bad = first_round();
    bad["name"] = accepted(json!({}));
    let mended = json!({ "name": accepted(json!({ "name": "Ada" })) });
    let sure = json!({ "again": accepted(json!({ "sure": true })) });
    let client = ScriptedClient::at_once(Abilities::ALL, [bad.clone(), mended, sure]);
    assert!(text(&engine, "interview", json!({}), &with(client)).await.contains("Ada in"));
    let client = ScriptedClient::at_once(Abilities::ALL, [bad, json!({ "name": accepted(json!({ "name": 5 })) })]);
    let error = run(&engine, "interview", json!({}), &with(client)).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert!(error.message.contains("`name` must be text, not `5`"), "{}", error.message);
}

#[tokio::test]
async fn a_state_belongs_to_its_definition_its_arguments_and_its_caller() {
    let engine = tools(&[("interview", INTERVIEW)]);
    let call = with(ScriptedClient::later(Abilities::ALL));
    let state = pending(run(&engine, "interview", json!({ "greeting": "Hi" }), &call).await).state;
    let again = resumed(&call, state.clone(), first_round());
    let refused = |error: CallError| {
        assert_eq!(error.kind, CallErrorKind::InvalidArguments);
        assert!(error.to_text().contains("start from the beginning"), "{}", error.to_text());
    };
    assert_eq!(pending(run(&engine, "interview", json!({ "greeting": "Hi" }), &again).await).questions.len(), 1);
    refused(run(&engine, "interview", json!({ "greeting": "Bye" }), &again).await.unwrap_err());
    let other = Principal { subject: Some("somebody else".into()), ..Principal::default() };
    refused(
        run(&engine, "interview", json!({ "greeting": "Hi" }), &Call { principal: other, ..again.clone() })
            .await
            .unwrap_err(),
    );
    refused(
        run(&engine, "interview", json!({ "greeting": "Hi" }), &resumed(&call, json!({ "step": "x" }), json!({})))
            .await
            .unwrap_err(),
    );
    let edited = tools(&[("interview", &INTERVIEW.replace("Sure,", "Really,"))]);
    refused(run(&edited, "interview", json!({ "greeting": "Hi" }), &again).await.unwrap_err());
}

#[tokio::test]
async fn prompts_ask_and_keep_the_messages_before() {
    let prompt = r#"
kind: prompt
name: ask_first
title: A prompt
description: Does it.
messages:
  - run: { action: pipeline, steps: [{ run: { action: log, level: info, message: once } }, { run: { action: template, text: before } }] }
  - role: assistant
    run:
      action: pipeline
      steps:
        - as: place
          run: { action: elicit.url, message: Go there, url: "https://example.org/{{ client.roots }}" }
        - run: { action: template, text: "you {{ place.action }}" }
        - run: { action: image, data: aGVsbG8=, mime_type: image/png }
  - run: { action: template, text: after }
"#;
    let engine = engine(&[("definitions/prompts/ask_first.yaml", prompt)], Sources::default());
    let client = ScriptedClient::later(Abilities::ALL);
    let told = client.told.clone();
    let call = with(client);
    let asked = pending(engine.get_prompt("ask_first", Map::new(), &call).await);
    assert_eq!(
        asked.questions["place"],
        Question::Url { message: "Go there".into(), url: "https://example.org/True".into() }
    );
    let again = resumed(&call, asked.state, json!({ "place": { "action": "accept" } }));
    let answer = engine.get_prompt("ask_first", Map::new(), &again).await.unwrap().done().unwrap();
    let image = Content::Image { data: "aGVsbG8=".into(), mime_type: "image/png".into() };
    assert_eq!(
        answer.messages,
        [
            (Role::User, Content::text("before")),
            (Role::Assistant, Content::text("you accept")),
            (Role::Assistant, image),
            (Role::User, Content::text("after")),
        ]
    );
    let logs = told.lock().unwrap().iter().filter(|told| matches!(told, Told::Log(..))).count();
    assert_eq!(logs, 1, "the first message was not built twice");
}

#[tokio::test]
async fn a_question_by_itself_answers_with_its_output() {
    let engine = tools(&[("where_am_i", "run: { action: roots }\n")]);
    let roots = json!({ "answer": { "roots": [{ "uri": "file:///x" }] } });
    let client = ScriptedClient::at_once(Abilities::ALL, [roots.clone()]);
    let awaited = text(&engine, "where_am_i", json!({}), &with(client)).await;
    assert_eq!(
        serde_json::from_str::<Value>(&awaited).unwrap(),
        json!({ "roots": [{ "uri": "file:///x", "name": null }] })
    );
    let client = with(ScriptedClient::later(Abilities::ALL));
    assert_eq!(by_calling_again(&engine, "where_am_i", json!({}), &client, &[roots]).await, awaited);
}

#[tokio::test]
async fn cancelling_ends_a_call_that_waits() {
    let engine =
        tools(&[("ask_only", "run: { action: roots }\n"), ("wait", "timeout: 1h\nrun: { action: delay, for: 1h }\n")]);
    for tool in ["ask_only", "wait"] {
        // It never answers.
        let client = ScriptedClient::at_once(Abilities::ALL, []);
        let call = with(client);
        let (result, ()) = tokio::join!(run(&engine, tool, json!({}), &call), async { call.cancel.cancel() });
        assert_eq!(result.unwrap_err().kind, CallErrorKind::Cancelled);
    }
}

/// Takes longer to answer than the tool may run.
struct Slow(ScriptedClient);

#[async_trait::async_trait]
impl Client for Slow {
    fn abilities(&self) -> Abilities {
        self.0.abilities()
    }
    async fn log(&self, level: LogLevel, logger: &str, data: Value) {
        self.0.log(level, logger, data).await;
    }
    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        self.0.progress(progress, total, message).await;
    }
    async fn ask(&self, questions: &indexmap::IndexMap<String, Question>) -> Result<Asked, CallError> {
        tokio::time::sleep(Duration::from_millis(600)).await;
        self.0.ask(questions).await
    }
}

#[tokio::test]
async fn a_slow_person_does_not_use_up_the_time_of_the_tool() {
    let engine = tools(&[
        ("patient", "timeout: 100ms\nrun: { action: roots }\n"),
        (
            "impatient",
            "timeout: 100ms\nrun: { action: pipeline, steps: [{ run: { action: delay, for: 60ms } }, { run: { action: delay, for: 1h } }] }\n",
        ),
    ]);
    let client = Slow(ScriptedClient::at_once(Abilities::ALL, [json!({ "answer": { "roots": [] } })]));
    assert!(text(&engine, "patient", json!({}), &with(client)).await.contains("roots"));
    let began = std::time::Instant::now();
    let error = run(&engine, "impatient", json!({}), &Call::default()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Timeout);
    assert!(began.elapsed() < Duration::from_secs(30));
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

#[tokio::test]
async fn a_schema_of_ones_own_is_shown_as_written_and_decides_what_fits() {
    let schema = r##"
input_schema:
  $schema: https://json-schema.org/draft/2020-12/schema
  type: object
  $defs: { short: { $anchor: brief, type: string, maxLength: 3 } }
  properties:
    word: { $ref: "#/$defs/short", x-mcp-header: Word }
    level: { type: integer, minimum: 1, default: 5 }
    mode: { enum: [fast, slow] }
  required: [word]
  if: { properties: { mode: { const: slow } }, required: [mode] }
  then: { properties: { patience: { type: number } }, required: [patience] }
  additionalProperties: true
run: { action: template, text: "{{ word }} {{ level }} {{ mode }} {{ patience }}" }
"##;
    let engine = tools(&[("own", schema)]);
    let shown = engine.catalog().tools["own"].input_schema.clone();
    let keys: Vec<&str> = shown.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["$schema", "type", "$defs", "properties", "required", "if", "then", "additionalProperties"],
        "in the order of the file"
    );
    assert_eq!(shown["properties"]["word"], json!({ "$ref": "#/$defs/short", "x-mcp-header": "Word" }));
    assert_eq!(text(&engine, "own", json!({ "word": "hi" }), &Call::default()).await, "hi 5 None None");
    let slow = json!({ "word": "hi", "mode": "slow", "patience": 1.5, "more": 1 });
    assert_eq!(text(&engine, "own", slow, &Call::default()).await, "hi 5 slow 1.5");
    for (arguments, complaint) in [
        (json!({}), "`word` is required"),
        (json!({ "word": "long" }), "`word` must have at most 3 characters"),
        (json!({ "word": 1 }), "`word` must be text, not `1`"),
        (json!({ "word": "a", "level": 0 }), "`level` must be at least 1"),
        (json!({ "word": "a", "mode": "slo" }), "did you mean `slow`?"),
        (json!({ "word": "a", "mode": "slow" }), "`patience` is required"),
    ] {
        let error = run(&engine, "own", arguments, &Call::default()).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::InvalidArguments);
        assert!(error.message.contains(complaint), "{}", error.message);
    }
    let typed =
        engine.call_tool_with_text("own", object(json!({ "word": "12", "level": "7" })), &Call::default()).await;
    assert_eq!(typed.unwrap().text(), "12 7 None None", "on a command line everything is text");
}

#[tokio::test]
async fn examples_answer_questions() {
    let examples = r#"
examples:
  - title: Everybody answers
    replies:
      name: { action: accept, content: { name: Ada } }
      poem: { role: assistant, model: m, content: { type: text, text: rose } }
      folders: { roots: [{ uri: "file:///home" }] }
      again: { action: accept, content: { sure: true } }
    expect: { contains: ["Ada in file:///home: rose"] }
  - title: Somebody is silent
    replies:
      name: { action: accept, content: { name: Ada } }
    expect: { error: true, contains: ["the example has no reply to the question `poem`"] }
  - title: Nobody is there
    expect: { error: true, contains: [sampling] }
"#;
    let engine = tools(&[("interview", &format!("{INTERVIEW}{examples}"))]);
    let outcomes = engine.run_examples(Some("interview"), &Call::default()).await;
    assert_eq!(outcomes.len(), 3);
    for outcome in outcomes {
        assert!(outcome.failures.is_empty(), "{}: {:?}", outcome.title, outcome.failures);
    }
}

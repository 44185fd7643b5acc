//! Questions to the client: awaited in a session, answered by calling again in 2026-07-28.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tfo_mcp::{
    definition::{LogLevel, Role},
    engine::{
        Abilities, Ability, Asked, Call, CallError, CallErrorKind, Client, Content, Elicitation, Engine, Outcome,
        Principal, Question, Sources,
    },
};

use super::{engine, pending, resumed, run, text, tools, with};
use crate::support::{
    client::DEADLINE,
    scripted_client::{ScriptedClient, Told},
};

const FORMS: Abilities =
    Abilities { sampling: false, elicitation: Elicitation { form: true, url: false }, roots: false, tasks: false };

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
#[ignore = "slow: scripts/test.sh runs it"]
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
    let call = Call::default();
    let impatient = tokio::time::timeout(DEADLINE, run(&engine, "impatient", json!({}), &call));
    let error = impatient.await.expect("the hour is not waited for").unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Timeout);
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
    let outcomes = engine.run_examples(|_, name| name.contains("interview"), &Call::default()).await;
    assert_eq!(outcomes.len(), 3);
    for outcome in outcomes {
        assert!(outcome.failures.is_empty(), "{}: {:?}", outcome.title, outcome.failures);
    }
}

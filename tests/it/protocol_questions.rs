//! Questions to clients: awaited in a session, answered by a repeated call in 2026-07-28.

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    server::{Offers, ServerOptions, StateKeys},
};

use crate::support::{
    client::{Client, modern, modern_able, serve_command},
    double::serve_engine,
    pack::{catalog, conformance},
};

/// A client that can do everything.
fn able() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}})
}

fn served() -> Client {
    serve_engine(conformance(), ServerOptions::default()).0
}

async fn session(capabilities: Value) -> Client {
    let mut client = served();
    client.initialize_able("2025-11-25", capabilities).await;
    client
}

fn call(id: i64, tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}"))
}

fn sampled(text: &str) -> Value {
    json!({"role": "assistant", "content": {"type": "text", "text": text}, "model": "m", "stopReason": "endTurn"})
}

#[tokio::test]
async fn a_session_is_asked_and_the_call_waits() {
    let mut client = session(able()).await;
    client.send_json(call(1, "test_elicitation", json!({"message": "Who are you?"}))).await;
    let asked = client.told().await;
    assert_eq!(asked["method"], "elicitation/create");
    assert_eq!(asked["params"]["message"], "Who are you?");
    assert_eq!(asked["params"]["requestedSchema"]["required"], json!(["username", "email"]));
    client.reply(&asked, json!({"action": "accept", "content": {"username": "ada", "email": "a@b.example"}})).await;
    let answer = client.answer_to(1).await;
    assert!(answer["result"]["isError"] == false && text(&answer["result"]).contains("accept"), "{answer}");

    client.send_json(call(2, "test_sampling", json!({"prompt": "Hi"}))).await;
    let asked = client.told().await;
    assert_eq!(asked["method"], "sampling/createMessage");
    assert_eq!(asked["params"]["messages"][0], json!({"role": "user", "content": {"type": "text", "text": "Hi"}}));
    client.reply(&asked, sampled("Ho")).await;
    assert_eq!(text(&client.answer_to(2).await["result"]), "LLM response: Ho");

    client.send_json(call(3, "test_elicitation_url", json!({}))).await;
    let asked = client.told().await;
    assert_eq!(asked["params"]["mode"], "url");
    assert!(!asked["params"]["elicitationId"].as_str().unwrap().is_empty(), "{asked}");
    client.reply(&asked, json!({"action": "decline"})).await;
    assert_eq!(client.answer_to(3).await["result"]["isError"], false);
}

#[tokio::test]
async fn several_questions_are_asked_at_once() {
    let mut client = session(able()).await;
    client.send_json(call(1, "test_input_required_result_multiple_inputs", json!({}))).await;
    // All of them are there before the first one is answered.
    let asked = [client.told().await, client.told().await, client.told().await];
    for question in asked.iter().rev() {
        let answer = match question["method"].as_str().unwrap() {
            "elicitation/create" => json!({"action": "accept", "content": {"name": "Ada"}}),
            "sampling/createMessage" => sampled("Good day"),
            "roots/list" => json!({"roots": [{"uri": "file:///work", "name": "work"}]}),
            other => panic!("{other}"),
        };
        client.reply(question, answer).await;
    }
    let answer = client.answer_to(1).await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    let said = text(&answer["result"]).to_owned();
    assert!(said.contains("Ada") && said.contains("Good day"), "{said}");
}

#[tokio::test]
async fn a_session_that_cannot_be_asked_gets_a_result_that_says_so() {
    let mut client = session(json!({})).await;
    for (tool, arguments, ability) in [
        ("test_elicitation", json!({"message": "x"}), "elicitation.form"),
        ("test_sampling", json!({"prompt": "x"}), "sampling"),
        ("test_elicitation_url", json!({}), "elicitation.url"),
    ] {
        let result = client.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert!(text(&result).contains(&format!("a client that can do {ability}")), "{result}");
    }
    // Elicitation without modes means forms, and forms only.
    let mut client = session(json!({"elicitation": {}})).await;
    assert_eq!(client.call("test_elicitation_url", json!({})).await["isError"], true);
    client.send_json(call(1, "test_elicitation", json!({"message": "?"}))).await;
    let asked = client.told().await;
    client.reply(&asked, json!({"action": "cancel"})).await;
    assert_eq!(client.answer_to(1).await["result"]["isError"], false);
}

#[tokio::test]
async fn errors_and_nonsense_from_a_client_are_told_to_the_model() {
    let mut client = session(able()).await;
    client.send_json(call(1, "test_elicitation", json!({"message": "?"}))).await;
    let asked = client.told().await;
    let error = json!({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -1, "message": "nobody is here"}});
    client.send_json(error).await;
    let answer = client.answer_to(1).await;
    assert_eq!(answer["result"]["isError"], true);
    assert!(text(&answer["result"]).contains("nobody is here"), "{answer}");

    for (id, nonsense) in [(2, json!({})), (3, json!({"action": "perhaps"})), (4, json!({"roots": []}))] {
        client.send_json(call(id, "test_elicitation", json!({"message": "?"}))).await;
        let asked = client.told().await;
        client.reply(&asked, nonsense).await;
        let answer = client.answer_to(id).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert!(text(&answer["result"]).contains("`action`"), "{answer}");
    }
}

#[tokio::test]
async fn a_question_ends_with_its_call() {
    let mut client = session(able()).await;
    client.send_json(call(1, "test_elicitation", json!({"message": "?"}))).await;
    let asked = client.told().await;
    client.send_json(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})).await;
    let taken_back = client.told().await;
    assert_eq!(taken_back["method"], "notifications/cancelled");
    assert_eq!(taken_back["params"]["requestId"], asked["id"]);
    // The late answer disturbs nobody.
    client.reply(&asked, json!({"action": "decline"})).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn sampling_is_the_operators_choice() {
    let options = || {
        let offers = Offers { sampling: false, ..Offers::default() };
        ServerOptions { offers, ..ServerOptions::default() }
    };
    let (mut client, _) = serve_engine(conformance(), options());
    client.initialize_able("2025-11-25", able()).await;
    let result = client.call("test_sampling", json!({"prompt": "x"})).await;
    assert!(result["isError"] == true && text(&result).contains("mcp.enable_sampling"), "{result}");
    // The client lacks nothing, so its program is not told that it does.
    let params = modern_able(json!({"name": "test_sampling", "arguments": {"prompt": "x"}}), able());
    let result = client.result("tools/call", params).await;
    assert!(result["isError"] == true && text(&result).contains("mcp.enable_sampling"), "{result}");
}

/// One round of 2026-07-28.
async fn round(client: &mut Client, method: &str, params: Value, state: Option<&Value>, answers: Value) -> Value {
    let mut params = modern_able(params, able());
    if let Some(state) = state {
        params["requestState"] = state.clone();
    }
    if !answers.is_null() {
        params["inputResponses"] = answers;
    }
    client.request(method, params).await
}

const ROUNDS: &str = "test_input_required_result_multi_round";

fn accept(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

#[tokio::test]
async fn a_call_of_2026_07_28_asks_ends_and_goes_on() {
    let mut client = served();
    let call = || json!({"name": ROUNDS, "arguments": {}});
    let first = round(&mut client, "tools/call", call(), None, Value::Null).await["result"].take();
    assert_eq!(first["resultType"], "input_required");
    assert_eq!(first["inputRequests"]["step1"]["method"], "elicitation/create");
    let answers = json!({"step1": accept(json!({"name": "Ada"}))});
    let second = round(&mut client, "tools/call", call(), Some(&first["requestState"]), answers).await["result"].take();
    assert_eq!(second["inputRequests"].as_object().unwrap().keys().collect::<Vec<_>>(), ["step2"]);
    assert_ne!(second["requestState"], first["requestState"]);
    let answers = json!({"step2": accept(json!({"color": "blue"}))});
    let last = round(&mut client, "tools/call", call(), Some(&second["requestState"]), answers).await["result"].take();
    assert_eq!(last["resultType"], "complete");
    assert_eq!(text(&last), "Ada likes blue");
}

#[tokio::test]
async fn prompts_and_resources_ask_as_well() {
    let asking = "kind: resource
name: asking
title: Asks
description: A resource that asks for a name.
uri: test://asking
mime_type: text/plain
run:
  action: pipeline
  steps:
    - as: who
      run:
        action: elicit
        message: Who?
        schema: { type: object, properties: { name: { type: string } }, required: [name] }
    - run: { action: template, text: \"{{ who.content.name }}\" }
";
    let resources = catalog(&[("definitions/resources/asking.yaml", asking)], &CatalogOptions::default());
    for (catalog, method, params) in [
        (conformance(), "prompts/get", json!({"name": "test_input_required_result_prompt"})),
        (resources, "resources/read", json!({"uri": "test://asking"})),
    ] {
        let (mut client, _) = serve_engine(catalog, ServerOptions::default());
        let first = round(&mut client, method, params.clone(), None, Value::Null).await["result"].take();
        assert_eq!(first["resultType"], "input_required", "{first}");
        let keys = first["inputRequests"].as_object().unwrap().keys();
        let content = json!({"name": "Ada", "context": "Ada", "user_context": "Ada"});
        let answers: serde_json::Map<_, _> = keys.map(|key| (key.clone(), accept(content.clone()))).collect();
        let last = round(&mut client, method, params, Some(&first["requestState"]), answers.into()).await;
        assert_eq!(last["result"]["resultType"], "complete", "{last}");
        assert!(last.to_string().contains("Ada"), "{last}");
    }
}

#[tokio::test]
async fn a_state_belongs_to_its_call() {
    let mut client = served();
    let call = |tool: &str, arguments: Value| json!({"name": tool, "arguments": arguments});
    let first = round(&mut client, "tools/call", call(ROUNDS, json!({})), None, Value::Null).await["result"].take();
    let state = first["requestState"].as_str().unwrap();
    let mut tampered = state.to_owned();
    let last = if tampered.pop() == Some('A') { 'B' } else { 'A' };
    tampered.insert(tampered.len() / 2, last);
    let answers = || json!({"step1": accept(json!({"name": "Ada"}))});
    for (params, state) in [
        (call(ROUNDS, json!({})), tampered.as_str()),
        (call(ROUNDS, json!({})), "nonsense"),
        (call(ROUNDS, json!({})), ""),
        (call("test_input_required_result_request_state", json!({})), state),
        (call(ROUNDS, json!({"more": 1})), state),
    ] {
        let refused = round(&mut client, "tools/call", params, Some(&json!(state)), answers()).await;
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains("call again without requestState"), "{message}");
    }
    // Another process has another key.
    let refused = round(&mut served(), "tools/call", call(ROUNDS, json!({})), Some(&json!(state)), answers()).await;
    assert_eq!(refused["error"]["code"], -32602);
    // It was this state that they refused, and it is good.
    let second = round(&mut client, "tools/call", call(ROUNDS, json!({})), Some(&json!(state)), answers()).await;
    assert_eq!(second["result"]["resultType"], "input_required", "{second}");
}

#[tokio::test]
async fn replicas_with_one_key_take_each_others_states() {
    let (old, new) = ("an-old-key-of-at-least-32-bytes!", "a-new-key-of-at-least-32-bytes!!");
    let replica = |keys: &[&str]| {
        let state_keys = StateKeys::new(keys.iter().copied()).unwrap();
        serve_engine(conformance(), ServerOptions { state_keys, ..ServerOptions::default() }).0
    };
    let call = || json!({"name": ROUNDS, "arguments": {}});
    let first = round(&mut replica(&[old]), "tools/call", call(), None, Value::Null).await["result"].take();
    for (keys, taken) in [(&[old][..], true), (&[new, old], true), (&[new], false)] {
        let answers = json!({"step1": accept(json!({"name": "Ada"}))});
        let second = round(&mut replica(keys), "tools/call", call(), Some(&first["requestState"]), answers).await;
        assert_eq!(second.get("result").is_some(), taken, "{second}");
    }
}

#[tokio::test]
async fn what_a_client_of_2026_07_28_lacks_is_named() {
    let mut client = served();
    for (tool, capabilities, needed) in [
        ("test_missing_capability", json!({}), json!({"sampling": {}})),
        ("test_elicitation", json!({"sampling": {}}), json!({"elicitation": {"form": {}}})),
        ("test_elicitation_url", json!({"elicitation": {"form": {}}}), json!({"elicitation": {"url": {}}})),
        ("test_input_required_result_list_roots", json!({}), json!({"roots": {}})),
    ] {
        let arguments = if tool == "test_elicitation" { json!({"message": "x"}) } else { json!({}) };
        let params = modern_able(json!({"name": tool, "arguments": arguments}), capabilities);
        let refused = client.request("tools/call", params).await;
        assert_eq!(refused["error"]["code"], -32021, "{refused}");
        assert_eq!(refused["error"]["data"]["requiredCapabilities"], needed, "{tool}");
    }
    // What the session declared does not count for a request that speaks for itself.
    client.initialize_able("2025-11-25", able()).await;
    let params = modern(json!({"name": "test_elicitation", "arguments": {"message": "x"}}));
    assert_eq!(client.request("tools/call", params).await["error"]["code"], -32021);
}

#[tokio::test]
async fn a_definition_ends_a_call_with_a_code_of_its_own() {
    let mut client = session(json!({})).await;
    let params = || json!({"name": "protocol_error_job"});
    for params in [params(), modern(params())] {
        let refused = client.request("tools/call", params).await;
        assert_eq!(refused["error"]["code"], -32603, "{refused}");
        assert_eq!(refused["error"]["message"], "The job broke");
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_variables_of_a_resource_says_of_which() {
    let definition = "kind: resource
name: numbered
title: Numbered
description: A resource with a number.
uri: test://numbered/{number}
mime_type: text/plain
parameters:
  number: { type: integer, description: The number. }
run: { action: template, text: \"{{ number }}\" }
";
    let files = [("definitions/resources/numbered.yaml", definition)];
    let (mut client, _) = serve_engine(catalog(&files, &CatalogOptions::default()), ServerOptions::default());
    client.initialize("2025-11-25").await;
    let refused = client.request("resources/read", json!({"uri": "test://numbered/many"})).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert_eq!(refused["error"]["data"]["uri"], "test://numbered/many");
}

#[tokio::test]
async fn a_key_that_is_too_short_is_refused_without_being_shown() {
    let data = tempfile::tempdir().unwrap();
    let mut command = serve_command(data.path());
    command.env("TELEMETRYFLOW_MCP_MCP__STATE_KEY", "hunter2");
    let output = command.stdin(std::process::Stdio::null()).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("32 bytes") && said.contains("mcp.state_key"), "{said}");
    assert!(!said.contains("hunter2"));
}

//! Schemas that a tool brings along: of its arguments, and of what it answers.

use serde_json::json;
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::Action,
    engine::{Call, CallErrorKind, Outcome},
    server::ServerOptions,
};

use super::{object, run, text, tools};
use crate::support::{
    double::serve_engine,
    pack::{catalog, conformance},
};

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
async fn what_a_tool_promises_to_answer_it_answers_or_fails() {
    let engine = tools(&[(
        "sum",
        r#"
parameters: { value: { type: string, description: What is answered as sum., required: true } }
output_schema:
  type: object
  properties: { sum: { type: integer, maximum: 9 } }
  required: [sum]
run:
  action: pipeline
  steps:
    - when: value == 'fails'
      run: { action: fail, message: There is nothing to add. }
    - when: value != 'nothing'
      run: { action: json, text: '{"sum": {{ value }}}' }
"#,
    )]);
    let answer = run(&engine, "sum", json!({"value": "7"}), &Call::default()).await.unwrap();
    let Outcome::Done(answer) = answer else { panic!("it asks") };
    assert_eq!(answer.structured, Some(json!({"sum": 7})));
    for (value, says) in [
        ("10", "`sum` must be at most 9"),
        ("\"7\"", "`sum` must be"),
        ("nothing", "no structured content"),
        ("fails", "There is nothing to add."),
    ] {
        let error = run(&engine, "sum", json!({"value": value}), &Call::default()).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Failed, "{error:?}");
        assert!(error.message.contains(says), "{}", error.message);
        assert_eq!(error.message.contains("output_schema"), value != "fails", "{}", error.message);
    }
}

/// What is shipped promises the shape of every value that it answers with, and clients are shown that promise.
#[tokio::test]
async fn shipped_tools_promise_what_they_answer() {
    for catalog in [catalog(&[], &CatalogOptions::default()), conformance()] {
        for (name, tool) in &catalog.tools {
            if let Action::Json { .. } = &tool.definition.run {
                assert!(tool.output_schema.is_some(), "`{name}` answers with a value and does not say of which shape");
            }
        }
    }
    let (mut client, _) = serve_engine(conformance(), ServerOptions::default());
    client.initialize("2025-11-25").await;
    let listed = client.result("tools/list", json!({})).await;
    let promising: Vec<_> =
        listed["tools"].as_array().unwrap().iter().filter(|t| t.get("outputSchema").is_some()).collect();
    assert_eq!(promising.len(), 1, "call the new one here too");
    let schema = &promising[0]["outputSchema"];
    for celsius in [json!(20), json!(-40.5)] {
        let answer = client.call("test_structured_content", json!({"celsius": celsius})).await;
        assert_eq!(answer["isError"], false, "{answer}");
        let value = &answer["structuredContent"];
        assert!(jsonschema::draft202012::is_valid(schema, value), "{value} against {schema}");
        let text = answer["content"][0]["text"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(text).unwrap(), *value, "the text says the same");
    }
    let wrong = client.call("test_structured_content", json!({})).await;
    assert!(wrong["isError"] == true && wrong.get("structuredContent").is_none(), "{wrong}");
}

//! What follows from the facts of actions, and `expression` as a definition and a caller use it.

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::Annotations,
    engine::{Call, Engine, EngineOptions, Sources},
};

use crate::support::pack::catalog;

const SHARE: &str = "
kind: tool
name: share
title: Share
description: Computes.
category: test
parameters:
  errors: { type: integer, description: A number., required: true }
  requests: { type: integer, description: A number., required: true }
run:
  action: pipeline
  steps:
    - as: share
      run: { action: expression, expression: errors / requests }
    - run: { action: template, text: '{{ share.text }} is {{ share.value }}, exact: {{ share.exact }}' }
    - run: { action: expression, expression: share.value > 5% }
";

const ODD: &str = "
kind: tool
name: odd
title: Odd
description: Passes rows where a text is read.
category: test
annotations: { destructive: true }
run:
  action: pipeline
  steps:
    - as: query
      run: { action: json, text: '{\"rows\": []}' }
    - run: { action: catalog.list, of: personas }
";

fn engine(toolsets: Option<&[&str]>) -> Engine {
    let toolsets = toolsets.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    let options = CatalogOptions { toolsets, ..CatalogOptions::default() };
    let files = [("definitions/share.yaml", SHARE), ("definitions/odd.yaml", ODD)];
    Engine::new(catalog(&files, &options), Sources::default(), EngineOptions::default())
}

async fn called(engine: &Engine, tool: &str, arguments: Value) -> Result<String, String> {
    let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
    let answer = engine.call_tool(tool, arguments, &Call::default()).await.map_err(|error| error.to_text())?;
    match answer {
        tfo_mcp::engine::Outcome::Done(answer) => Ok(tfo_mcp::engine::texts(&answer.content)),
        tfo_mcp::engine::Outcome::Asks(_) => Err("it asks".to_owned()),
    }
}

#[tokio::test]
async fn an_expression_reads_parameters_and_what_is_kept() {
    let engine = engine(None);
    let text = called(&engine, "share", json!({"errors": 3, "requests": 40})).await.unwrap();
    assert_eq!(text, "0.075 is 0.075, exact: True\n\ntrue");
    let error = called(&engine, "share", json!({"errors": 3, "requests": 0})).await.unwrap_err();
    assert!(error.starts_with("division by zero\nWhat to do: "), "{error}");
}

#[tokio::test]
async fn the_calculator_is_there_for_whoever_asks_for_its_toolset() {
    assert!(!engine(None).catalog().tools.contains_key("calculate"));
    let engine = engine(Some(&["arithmetic"]));
    let tried = engine.run_examples(|_, name| name == "calculate", &Call::default()).await;
    assert_eq!(tried.len(), 5);
    for example in tried {
        assert_eq!((example.failures, example.left_out), (Vec::new(), None), "{}: {}", example.title, example.text);
    }
    for hostile in ["x", "().__class__", "{{ 7 * 7 }}", "9^9^9^9", "sqrt"] {
        let error = called(&engine, "calculate", json!({ "expression": hostile })).await.unwrap_err();
        assert!(error.contains("What to do: "), "{hostile}: {error}");
    }
}

#[tokio::test]
async fn an_argument_of_another_type_than_an_action_reads_is_named() {
    let error = called(&engine(None), "odd", json!({})).await.unwrap_err();
    assert!(error.contains("`query` is not what the action reads under this name"), "{error}");
}

#[test]
fn annotations_that_are_left_out_follow_from_the_actions() {
    let engine = engine(None);
    let of = |name: &str| engine.catalog().tools[name].definition.annotations.clone();
    let reads = Annotations {
        read_only: Some(true),
        destructive: Some(false),
        idempotent: Some(true),
        open_world: Some(false),
    };
    assert_eq!(of("share"), reads);
    let believed = Annotations { read_only: Some(false), destructive: Some(true), idempotent: None, ..reads };
    assert_eq!(of("odd"), believed);
}

/// Steps in one tool, within a second.
async fn steps(steps: &str, arguments: Value) -> Result<(String, bool), String> {
    let tool = format!(
        "kind: tool\nname: steps\ntitle: Steps\ndescription: Runs steps.\ncategory: test\ntimeout: 1s\n\
         parameters: {{ text: {{ type: string, description: It., default: '-' }} }}\nrun:\n  action: pipeline\n  steps:\n{steps}"
    );
    let catalog = catalog(&[("definitions/steps.yaml", &tool)], &CatalogOptions::default());
    let engine = Engine::new(catalog, Sources::default(), EngineOptions::default());
    let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
    let answer = engine.call_tool("steps", arguments, &Call::default()).await.map_err(|error| error.to_text())?;
    match answer {
        tfo_mcp::engine::Outcome::Done(answer) => Ok((answer.text(), answer.is_error)),
        tfo_mcp::engine::Outcome::Asks(_) => Err("it asks".to_owned()),
    }
}

#[tokio::test]
async fn steps_beside_each_other_take_the_time_of_the_longest() {
    let each = "    - run: { action: delay, for: 400ms }\n";
    let beside = "    - { beside: true, run: { action: delay, for: 400ms } }\n";
    let end = "    - run: { action: template, text: 'done {{ text }}' }\n";
    let late = steps(&format!("{}{end}", each.repeat(4)), json!({})).await.unwrap_err();
    assert!(late.contains("not finished within 1s"), "{late}");
    let (text, is_error) = steps(&format!("{each}{}{end}", beside.repeat(3)), json!({})).await.unwrap();
    assert_eq!((text.as_str(), is_error), ("done -", false));
}

#[tokio::test]
async fn what_steps_beside_each_other_show_stands_in_their_order_and_is_there_later() {
    let (text, _) = steps(
        "    - run: { action: template, text: 'one {{ text }}' }\n\
         \x20   - { beside: true, as: two, run: { action: template, text: 'two {{ text }}' } }\n\
         \x20   - { beside: true, when: \"text == 'b'\", run: { action: template, text: three } }\n\
         \x20   - run: { action: template, text: 'then {{ two }}' }\n",
        json!({"text": "a"}),
    )
    .await
    .unwrap();
    assert_eq!(text, "one a\n\nthen two a");
}

#[tokio::test]
async fn a_step_that_may_fail_is_told_and_the_others_go_on() {
    let fails = |beside: bool| {
        format!(
            "    - {{ as: lost, optional: true, beside: {beside}, run: {{ action: json, text: '{{{{ text }}}}' }} }}\n"
        )
    };
    let shows = "    - { optional: true, run: { action: template, text: here } }\n";
    let later = "    - run: { action: template, text: 'because: {{ lost.error }}' }\n";
    for steps_of in [format!("{shows}{}{later}", fails(true)), format!("{shows}{}{later}", fails(false))] {
        let (text, is_error) = steps(&steps_of, json!({})).await.unwrap();
        assert!(text.starts_with("here\n") && text.contains("because: ") && text.contains("is not JSON"), "{text}");
        assert!(!is_error, "{text}");
    }
    // Nothing is left of the answer, and that is no success.
    let (_, is_error) = steps(&format!("{}{later}", fails(false)), json!({})).await.unwrap();
    assert!(is_error);
    // What may not fail ends all, beside others too.
    let ends = "    - run: { action: template, text: here }\n    - { beside: true, run: { action: fail, message: 'no {{ text }}' } }\n";
    assert!(steps(ends, json!({})).await.unwrap_err().contains("no -"));
}

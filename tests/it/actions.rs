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
    // What had to succeed and did is an answer by itself.
    let lists = "    - run: { action: catalog.list, of: personas }\n";
    let asked = "    - run: { action: system.info }\n";
    assert!(
        steps(&format!("{}{lists}", fails(false)), json!({})).await.unwrap().1,
        "a list of what is known answers nothing"
    );
    for all in
        [format!("{asked}{}", fails(false)), format!("{}{asked}", fails(false)), format!("{asked}{}", fails(true))]
    {
        let (text, is_error) = steps(&all, json!({})).await.unwrap();
        assert!(!is_error && !text.is_empty(), "{text}");
    }
    // What may not fail ends all, beside others too.
    let ends = "    - run: { action: template, text: here }\n    - { beside: true, run: { action: fail, message: 'no {{ text }}' } }\n";
    assert!(steps(ends, json!({})).await.unwrap_err().contains("no -"));
}

/// Whoever reads the output of a step that failed learns that it failed, and why.
#[tokio::test]
async fn what_fails_for_want_of_a_step_says_what_became_of_that() {
    for beside in [false, true] {
        let steps_of = format!(
            "    - run: {{ action: template, text: here }}\n    - {{ as: lost, optional: true, beside: {beside}, \
             run: {{ action: expression, expression: 1 / 0 }} }}\n    - run: {{ action: fail, message: 'no {{{{ text }}}}' }}\n"
        );
        let error = steps(&steps_of, json!({})).await.unwrap_err();
        assert!(error.contains("`lost` could not be done: ") && error.contains("zero"), "{error}");
    }
}

/// A prompt and a resource have no notes of their own: what could not be done stands in their texts.
#[tokio::test]
async fn prompts_and_resources_say_what_could_not_be_done() {
    let run = "action: pipeline, steps: [ { run: { action: template, text: here } }, \
               { as: lost, optional: true, run: { action: json, text: 'no json' } } ]";
    let prompt =
        format!("kind: prompt\nname: lossy\ntitle: Lossy\ndescription: Loses.\nmessages: [ {{ run: {{ {run} }} }} ]\n");
    let resource = |name: &str, mime: &str| {
        format!(
            "kind: resource\nname: {name}\ntitle: Lossy\ndescription: Loses.\nuri: test://{name}\nmime_type: {mime}\nrun: {{ {run} }}\n"
        )
    };
    let files = [
        ("definitions/prompts/lossy.yaml", prompt),
        ("definitions/resources/words.yaml", resource("words", "text/plain")),
        ("definitions/resources/data.yaml", resource("data", "application/json")),
    ];
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let engine = Engine::new(catalog(&files, &CatalogOptions::default()), Sources::default(), EngineOptions::default());
    let answer = engine.get_prompt("lossy", Map::new(), &Call::default()).await.unwrap().done().unwrap();
    let texts: Vec<&str> = answer.messages.iter().filter_map(|(_, content)| content.as_text()).collect();
    assert!(
        texts.len() == 2 && texts[0] == "here" && texts[1].starts_with("Note: `lost` could not be done: "),
        "{texts:?}"
    );
    for (uri, parts) in [("test://words", 1), ("test://data", 2)] {
        let answer = engine.read_resource(uri, &Call::default()).await.unwrap().done().unwrap();
        let texts: Vec<&str> = answer
            .contents
            .iter()
            .map(|content| match &content.body {
                tfo_mcp::engine::Body::Text(text) => text.as_str(),
                tfo_mcp::engine::Body::Blob(_) => panic!("a blob"),
            })
            .collect();
        assert_eq!(texts.len(), parts, "{texts:?}");
        assert!(
            texts[0].starts_with("here") && texts.concat().contains("Note: `lost` could not be done: "),
            "{texts:?}"
        );
    }
}

/// A statement that gets no time blames its own limits, which are not what ended it.
#[tokio::test]
async fn a_step_behind_the_deadline_is_told_by_the_deadline() {
    let late = "    - run: { action: template, text: '{{ text }}' }\n    - run: { action: delay, for: 1s }\n    \
                - run: { action: system.info }\n";
    let error = steps(late, json!({})).await.unwrap_err();
    assert!(error.starts_with("not finished within 1s"), "{error}");
}

/// Of five steps nobody would know which, and what to do about it.
#[tokio::test]
async fn a_note_of_a_failed_step_names_it_and_says_what_to_do() {
    let files = [(
        "definitions/steps.yaml",
        "kind: tool\nname: steps\ntitle: Steps\ndescription: Runs.\ncategory: test\nrun:\n  action: pipeline\n  steps:\n\
         \x20   - run: { action: system.info }\n    - { optional: true, run: { action: http.request, service: nowhere, path: / } }\n\
         \x20   - { optional: true, beside: true, run: { action: http.request, service: nowhere, path: / } }\n",
    )];
    let engine = Engine::new(catalog(&files, &CatalogOptions::default()), Sources::default(), EngineOptions::default());
    let answer = engine.call_tool("steps", Map::new(), &Call::default()).await.unwrap().done().unwrap();
    for (n, step) in [(0, "Step 2"), (1, "Step 3")] {
        let note = &answer.notes[n];
        assert!(note.starts_with(&format!("{step} could not be done: `nowhere` is not set up")), "{note}");
        assert!(note.contains(" (what to do: the operator says where it is"), "{note}");
    }
}

/// A step that gets the rest of the time is not blamed for what went before.
#[tokio::test]
async fn the_time_of_the_whole_call_is_blamed_where_it_ended() {
    let late = "    - run: { action: template, text: '{{ text }}' }\n    - run: { action: delay, for: 700ms }\n    - run: { action: delay, for: 5s }\n";
    let error = steps(late, json!({})).await.unwrap_err();
    assert!(
        error.starts_with("not finished within 1s, the time of the whole call, of which the steps before took 7"),
        "{error}"
    );
}

#[tokio::test]
async fn what_a_definition_composes_is_held_to_the_longest_answer_and_says_so() {
    let long = "    - { as: k, run: { action: template, text: '{% for i in range(900) %}0123456789{% endfor %}' } }\n    \
                - run: { action: template, text: '{% for i in range(50) %}{{ k }}{% endfor %}' }\n";
    let tool = |steps: &str| {
        format!(
            "kind: tool\nname: long\ntitle: Long\ndescription: Runs.\ncategory: test\nrun:\n  action: pipeline\n  steps:\n{steps}"
        )
    };
    for (text, whole) in [(tool(long), 450_000), (tool(&long.replace("range(50)", "range(10)")), 90_000)] {
        let catalog = catalog(&[("definitions/long.yaml", text.as_str())], &CatalogOptions::default());
        let engine = Engine::new(catalog, Sources::default(), EngineOptions::default());
        let answer = engine.call_tool("long", Map::new(), &Call::default()).await.unwrap().done().unwrap();
        let told = format!(
            "100000 of {whole} characters are shown: this server answers at most 100000 characters \
             (`limits.answer_tokens`, of four characters each); narrow what it is asked"
        );
        assert_eq!(answer.text().len(), whole.min(100_000));
        assert_eq!(answer.notes.iter().any(|note| note.starts_with(&told)), whole > 100_000, "{:?}", answer.notes);
    }
}

/// Texts of every action are held to what the operator allows.
#[tokio::test]
async fn no_text_has_more_tokens_than_the_operator_allows() {
    let text = "kind: tool\nname: long\ntitle: Long\ndescription: Runs.\ncategory: test\nrun:\n  action: template\n  \
                text: '{% for i in range(900) %}0123456789{% endfor %}'\n";
    let mut settings = tfo_mcp::settings::Settings::default();
    settings.limits.answer_tokens = 100.try_into().unwrap();
    let catalog = catalog(&[("definitions/long.yaml", text)], &CatalogOptions::default());
    let engine = Engine::new(catalog, Sources::default(), EngineOptions::from(&settings));
    let answer = engine.call_tool("long", Map::new(), &Call::default()).await.unwrap().done().unwrap();
    assert_eq!(answer.text().len(), 400);
    let told = "400 of 9000 characters are shown: this server answers at most 400 characters (`limits.answer_tokens`";
    assert!(answer.notes.iter().any(|note| note.starts_with(told)), "{:?}", answer.notes);
}

/// A tool that is not offered is told from one that does not exist.
#[tokio::test]
async fn a_tool_of_another_toolset_is_named_with_it() {
    let error = called(&engine(None), "calculate", json!({ "expression": "1" })).await.unwrap_err();
    assert!(error.contains("is in the toolset `arithmetic`, which this server does not offer"), "{error}");
}

//! Prompts: persona, instructions, live data and task in one text within its budget.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::Role,
    engine::{Call, CallErrorKind, Engine, EngineOptions, Sources, Tenancy},
};

use crate::support::{
    pack::catalog,
    scripted::{Reply, Scripted},
};

const PERSONA: &str = "
kind: persona
name: test-analyst
title: Test analyst
description: For tests.
prompt: You are a test analyst of {{ title }} ({{ context_type }}).
";

const CONTEXT: &str = "
kind: context
name: probe
category: test
title: Probe
description: One section.
persona: test-analyst
parameters: { service: { type: string } }
sections:
  rows:
    title: Rows
    source: telemetry
    query:
      - sql: SELECT a FROM raw WHERE organization_id = {{ organization_id }}{% if service %} AND s = {{ service }}{% endif %}
";

fn engine(reply: Reply) -> Engine {
    let files = [("definitions/probe.yaml", CONTEXT), ("personas/test-analyst.yaml", PERSONA)];
    let catalog = catalog(&files, &CatalogOptions::default());
    let mut sources = Sources::default();
    let source = Scripted::default().on("FROM raw", reply).on("FROM organizations", Reply::Rows(vec![], vec![]));
    sources.bind("telemetry", Arc::new(source));
    let tenancy = Tenancy { organization_id: Some("org".into()), ..Tenancy::default() };
    Engine::new(catalog, sources, EngineOptions { tenancy, ..EngineOptions::default() })
}

fn rows(n: usize) -> Reply {
    Reply::Rows(
        vec!["a"],
        (0..n).map(|i| vec![json!(format!("value {i} of some rows that fill the budget"))]).collect(),
    )
}

fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

async fn tool(engine: &Engine, name: &str, given: Value) -> String {
    engine.call_tool(name, arguments(given), &Call::default()).await.unwrap().done().unwrap().text()
}

#[tokio::test]
async fn the_system_prompt_opens_with_the_persona_and_ends_with_custom_instructions() {
    let engine = engine(rows(0));
    let text =
        tool(&engine, "build_system_prompt", json!({"context_type": "probe", "custom_prompt": "Answer in Welsh."}))
            .await;
    assert!(text.starts_with("You are a test analyst of Probe (probe)."), "{text}");
    assert!(text.contains("IMPORTANT INSTRUCTIONS") && text.contains("[SYSTEM]"));
    assert!(text.trim_end().ends_with("Answer in Welsh."));
    let plain = tool(&engine, "build_system_prompt", json!({"context_type": "probe"})).await;
    assert!(!plain.contains("ADDITIONAL"));
}

#[tokio::test]
async fn the_insight_prompt_holds_live_data_the_task_and_its_outline() {
    let engine = engine(rows(3));
    let given = json!({"context_type": "probe", "insight_type": "root-cause", "question": "Why so slow?"});
    let text = tool(&engine, "build_insight_prompt", given).await;
    for piece in ["Current Context", "value 2", "Why so slow?"] {
        assert!(text.contains(piece), "{piece}: {text}");
    }
    for heading in &engine.catalog().insights["root-cause"].outline {
        assert!(text.contains(heading.as_str()), "{heading}");
    }
}

/// Evidence about one service reads as an all-clear for all of them where nothing says which one.
#[tokio::test]
async fn what_narrows_the_evidence_is_said_before_it() {
    let engine = engine(rows(3));
    let all = json!({"context_type": "probe"});
    let one = json!({"context_type": "probe", "service_name": "cart"});
    let prompts = ["root_cause", "analyze"];
    let mut texts = Vec::new();
    for given in [&all, &one] {
        let mut of = Vec::new();
        let mut asked = given.clone();
        asked["insight_type"] = json!("pattern");
        of.push(tool(&engine, "build_insight_prompt", asked).await);
        for prompt in prompts {
            let answer = engine.get_prompt(prompt, arguments(given.clone()), &Call::default()).await;
            of.push(answer.unwrap().done().unwrap().messages[0].1.as_text().unwrap().to_owned());
        }
        texts.push(of);
    }
    for (all, one) in texts[0].iter().zip(&texts[1]) {
        assert!(!all.contains("Filters"), "{all}");
        let line =
            one.lines().find(|line| line.starts_with("- **Filters:** service=cart")).unwrap_or_else(|| panic!("{one}"));
        assert!(one.find(line) < one.find("- **Summary:**"), "{one}");
    }
}

#[tokio::test]
async fn the_prompt_around_the_data_counts_against_the_budget() {
    let engine = engine(rows(900));
    let given = json!({"context_type": "probe", "insight_type": "pattern", "max_items": 500});
    let text = tool(&engine, "build_insight_prompt", given).await;
    assert!(text.chars().count() <= 10_000, "{}", text.chars().count());
    assert!(text.chars().count() > 9_000, "the budget is used");
    assert!(text.contains(" of 900 rows: the others do not fit)"), "{text}");
}

#[tokio::test]
async fn a_prompt_from_the_menu_is_one_message_with_everything() {
    let engine = engine(rows(3));
    for name in ["root_cause", "chronology", "prediction", "recommendation", "pattern", "analyze"] {
        let given = arguments(json!({"context_type": "probe"}));
        let answer = engine.get_prompt(name, given, &Call::default()).await.unwrap().done().unwrap();
        assert_eq!(answer.messages.len(), 1);
        let (role, content) = &answer.messages[0];
        let text = content.as_text().unwrap();
        assert_eq!(*role, Role::User);
        assert!(text.contains("test analyst") && text.contains("value 2"), "{text}");
    }
    let error = engine.get_prompt("root_cuse", Map::new(), &Call::default()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::UnknownPrompt);
    assert!(error.hint.unwrap().contains("root_cause"));
}

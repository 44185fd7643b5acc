//! The schemas of the shipped tools after the conversions that clients make of them, by the clients' own code: nothing
//! that a tool needs is lost, and whoever must name every property can still mean none of them.

use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};
use tfo_mcp::catalog::{Catalog, CatalogOptions};

use crate::support::{node, pack::catalog, python};

const PACKAGES: [&str; 3] = ["zod@4.6.7", "@ai-sdk/google@3.0.141", "@openai/agents-core@0.20.0"];
const LANGCHAIN: &str = "langchain-core==1.8.3";

fn shipped() -> Catalog {
    catalog(&[], &CatalogOptions { allow_tenancy_argument: true, ..CatalogOptions::default() })
}

/// Arguments of the shipped examples that are calls under the names that clients are shown.
fn calls(catalog: &Catalog) -> Vec<Value> {
    let mut calls = Vec::new();
    for (name, entry) in &catalog.tools {
        for example in entry.definition.examples.iter().filter(|example| !example.expect.error) {
            let shown = |argument: &String| entry.definition.parameters.contains_key(argument);
            // One shows on purpose what clients write against the schema.
            if example.arguments.keys().all(shown) && !example.title.contains("however a client writes") {
                calls.push(json!({"tool": name, "arguments": example.arguments}));
            }
        }
        calls.push(json!({"tool": name, "arguments": unsaid(&Value::Object(entry.input_schema.clone()))}));
    }
    calls
}

/// What a schema lets a client say that means as little as possible.
pub fn unsaid(schema: &Value) -> Value {
    match schema["type"].as_str().unwrap() {
        "object" => {
            let properties = schema["properties"].as_object().unwrap().iter();
            properties.map(|(name, property)| (name.clone(), unsaid(property))).collect::<Map<_, _>>().into()
        }
        "string" => match (schema.get("default"), schema.get("enum").and_then(Value::as_array)) {
            (Some(default), _) => default.clone(),
            (None, Some(choices)) => {
                choices.iter().find(|choice| *choice == "any").or(choices.first()).unwrap().clone()
            }
            (None, None) if schema.get("minLength").is_some() => json!("x"),
            (None, None) => json!(""),
        },
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "array" => json!([]),
        _ => json!(false),
    }
}

/// A property without the wrapping that says that it may be null.
fn inner(property: &Value) -> &Value {
    let wrapped = property["anyOf"].as_array().and_then(|any| any.iter().find(|one| one["type"] != "null"));
    wrapped.unwrap_or(property)
}

/// What is in a schema and no longer in the converted one.
fn lost(at: &str, schema: &Value, converted: &Value, out: &mut Vec<String>) {
    let converted = inner(converted);
    if converted["type"] != schema["type"] {
        return out.push(format!("{at}: the type, {converted}"));
    }
    if schema["description"].is_string() && converted["description"] != schema["description"] {
        out.push(format!("{at}: the description"));
    }
    if schema["enum"].is_array() && converted["enum"] != schema["enum"] {
        out.push(format!("{at}: the choices, {converted}"));
    }
    if schema["items"].is_object() {
        lost(&format!("{at}[]"), &schema["items"], &converted["items"], out);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        match converted["properties"].get(name) {
            Some(after) => lost(&format!("{at}.{name}"), property, after, out),
            None => out.push(format!("{at}.{name}")),
        }
    }
}

/// Every object of a schema with its place.
fn objects<'s>(at: &str, schema: &'s Value, out: &mut Vec<(String, &'s Value)>) {
    let schema = inner(schema);
    if schema["type"] == "object" {
        out.push((at.to_owned(), schema));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        objects(&format!("{at}.{name}"), property, out);
    }
}

/// What the interfaces refuse, as their pages on schemas say.
fn refused(library: &str, at: &str, schema: &Value, out: &mut Vec<String>) {
    let mut found = Vec::new();
    objects(at, schema, &mut found);
    for (at, object) in found {
        let properties = object["properties"].as_object().filter(|properties| !properties.is_empty());
        let Some(properties) = properties else {
            out.push(format!("{library} {at}: an object without properties"));
            continue;
        };
        let strict = matches!(library, "openai" | "langchain");
        let required = object["required"].as_array();
        if strict && object["additionalProperties"] != false {
            out.push(format!("{library} {at}: `additionalProperties` is not false"));
        }
        if strict && properties.keys().any(|name| required.is_none_or(|all| !all.contains(&json!(name)))) {
            out.push(format!("{library} {at}: a property is not required"));
        }
        for (name, property) in properties {
            let property = inner(property);
            let choices = property["enum"].as_array().into_iter().flatten();
            if library == "gemini" && choices.into_iter().any(|choice| choice.as_str().is_none_or(str::is_empty)) {
                out.push(format!("gemini {at}.{name}: a choice that is no text, or an empty one"));
            }
            if library == "gemini"
                && property.get("format").is_some_and(|f| property["type"] == "string" && f != "date-time")
            {
                out.push(format!("gemini {at}.{name}: {}", property["format"]));
            }
            if property["type"] == "array" && !property["items"].is_object() {
                out.push(format!("{library} {at}.{name}: an array without items"));
            }
        }
    }
}

fn converted(catalog: &Catalog) -> (Map<String, Value>, Vec<bool>) {
    let modules = node::install("schemas-node", &PACKAGES);
    let tools: Vec<Value> = (catalog.tools.iter())
        .map(|(name, entry)| {
            json!({"name": name, "description": entry.definition.description, "inputSchema": entry.input_schema})
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("tools.json");
    std::fs::write(&input, json!({"tools": tools, "calls": calls(catalog)}).to_string()).unwrap();
    let run = |command: &mut Command| -> Value {
        let run = node::run(command.stdin(Stdio::null()));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        serde_json::from_str(&run.stdout).unwrap()
    };
    let scripts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let mut all = run(node::node(&scripts.join("schemas.mjs")).arg(&modules).arg(&input));
    let python = python::install("schemas-python", &[LANGCHAIN]);
    let langchain = run(Command::new(python).arg(scripts.join("schemas.py")).arg(&input));
    let mut libraries = all["converted"].as_object().cloned().unwrap();
    libraries.insert("langchain".into(), langchain);
    (libraries, serde_json::from_value(all["accepted"].take()).unwrap())
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn conversions_of_clients_lose_nothing_that_a_tool_needs() {
    let catalog = shipped();
    let (libraries, accepted) = converted(&catalog);
    assert_eq!(libraries.keys().collect::<Vec<_>>(), ["openai", "gemini", "zod", "langchain"]);
    let mut complaints = Vec::new();
    for (library, tools) in &libraries {
        for (name, entry) in &catalog.tools {
            let schema = Value::Object(entry.input_schema.clone());
            let after = &tools[name];
            lost(&format!("{library} {name}"), &schema, after, &mut complaints);
            refused(library, name, after, &mut complaints);
            // What means nothing is still there to be said.
            let validator = jsonschema::validator_for(after).unwrap();
            if !validator.is_valid(&unsaid(&schema)) {
                complaints.push(format!("{library} {name}: {}", unsaid(&schema)));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let calls = calls(&catalog);
    let refused: Vec<&Value> =
        calls.iter().zip(&accepted).filter(|(_, accepted)| !**accepted).map(|(call, _)| call).collect();
    assert!(refused.is_empty() && calls.len() == accepted.len() && calls.len() > 15, "zod refuses {refused:?}");
}

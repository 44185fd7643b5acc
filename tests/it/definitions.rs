//! The shipped catalog: what clients are shown is what the engine does.

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::{ParameterType, Parameters},
    engine::{Call, Engine, EngineOptions, Sources},
};

/// docs/adr/0003: calls are checked against the parameters, clients against the generated schema. Whatever the schema
/// takes is taken; beyond that only what has one meaning.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn the_engine_accepts_what_the_input_schemas_accept_and_what_means_the_same() {
    let catalog =
        crate::support::pack::catalog(&[], &CatalogOptions { allow_tenancy_argument: true, ..Default::default() });
    let schemas: Vec<_> = catalog
        .tools
        .values()
        .map(|entry| (entry.definition.name.0.clone(), Value::Object(entry.input_schema.clone())))
        .collect();
    let types: std::collections::HashMap<String, Parameters> =
        catalog.tools.iter().map(|(name, entry)| (name.clone(), entry.definition.parameters.clone())).collect();
    // No source is bound: a call that passes the check fails later, and in another way.
    let engine = Engine::new(catalog, Sources::default(), EngineOptions::default());
    let mut compared = 0;
    for (tool, schema) in schemas {
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        // Names of which there are too many for a schema to list.
        let names = |name: &String| {
            let from = types[&tool].get(name)?.values_from?;
            properties.get(name)?.get("enum").is_none().then(|| engine.catalog().values(from))
        };
        let valid: Map<String, Value> = properties
            .iter()
            .filter(|(name, _)| schema["required"].as_array().is_some_and(|required| required.contains(&json!(name))))
            .map(|(name, property)| match names(name).and_then(|names| names.first().cloned()) {
                Some(known) => (name.clone(), json!(known)),
                None => (name.clone(), sample(property)),
            })
            .collect();
        let mut candidates = vec![valid.clone(), Map::new()];
        for name in properties.keys().map(String::as_str).chain(["no_such_parameter"]) {
            for value in [
                json!(null),
                json!(true),
                json!(0),
                json!(1),
                json!(-1),
                json!(100_000_000),
                json!(1.5),
                json!(""),
                json!("x"),
                json!("1h"),
                json!("90s"),
                json!("0h"),
                json!("markdown"),
                json!("2026-11-20T10:00:00Z"),
                json!("2026-11-20"),
                json!("6f9619ff-8b86-4d01-b42d-00cf4fc964ff"),
                json!([]),
                json!(["x"]),
                json!([1]),
                json!({}),
                json!("x".repeat(30_000)),
            ] {
                let mut candidate = valid.clone();
                candidate.insert(name.to_owned(), value);
                candidates.push(candidate);
            }
        }
        for candidate in candidates {
            // A null stands for an argument that was left out; schemas of clients do not say so.
            if candidate.values().any(Value::is_null) {
                continue;
            }
            let is_known = |candidate: &Map<String, Value>| {
                let known = |(name, value): (&String, &Value)| {
                    let needed = schema["required"].as_array().is_some_and(|needed| needed.contains(&json!(name)));
                    let is_absent = value == "" && !needed;
                    is_absent || names(name).is_none_or(|names| names.iter().any(|known| json!(known) == *value))
                };
                candidate.iter().all(known)
            };
            let of_type = |name: &String| types[&tool].get(name).map(|parameter| parameter.ty);
            let longest = |name: &String| types[&tool].get(name).and_then(|parameter| parameter.max_length);
            let is_blank = |name: &String, value: &Value| {
                let wanted = types[&tool].get(name).is_some_and(|of| of.required && of.min_length != Some(0));
                wanted && value.as_str().is_some_and(|text| text.trim().is_empty())
            };
            let is_short = |name: &String, value: &Value| {
                if is_blank(name, value) {
                    return false;
                }
                let length = match (of_type(name), value) {
                    (Some(ParameterType::Array), Value::Array(items)) => Some(items.len()),
                    (Some(ParameterType::String), Value::String(text)) => Some(text.chars().count()),
                    _ => None,
                };
                length.zip(longest(name)).is_none_or(|(length, most)| length as u64 <= most)
            };
            // A schema says nothing of how a time is written: clients would refuse what the server understands. Nor of how
            // much is too much, which every model would read, or that a blank is nothing.
            let by_schema = validator.is_valid(&Value::Object(candidate.clone()))
                && candidate
                    .iter()
                    .all(|(name, value)| of_type(name).is_none_or(|ty| plain(ty, value)) && is_short(name, value))
                && is_known(&candidate);
            let result = engine.call_tool(&tool, candidate.clone(), &Call::default()).await;
            let by_engine = !matches!(&result, Err(error) if error.message.starts_with("invalid arguments"));
            let required = schema["required"]
                .as_array()
                .is_none_or(|names| names.iter().all(|name| candidate.contains_key(name.as_str().unwrap())));
            let each = |(name, value): (&String, &Value)| {
                of_type(name).is_some_and(|ty| means_the_same(ty, &schema, name, value))
            };
            let is_all_short = || candidate.iter().all(|(name, value)| is_short(name, value));
            let means_the_same = || required && candidate.iter().all(each);
            let understood = means_the_same() && is_all_short() && is_known(&candidate);
            assert_eq!(by_engine, by_schema || understood, "{tool} {candidate:?} {result:?}");
            compared += 1;
        }
    }
    assert!(compared > 500, "{compared}");
}

/// Whether a value of the list above is plainly written, where the schema does not say how.
fn plain(ty: ParameterType, value: &Value) -> bool {
    match ty {
        ParameterType::TimeRange => value == "1h",
        ParameterType::Timestamp => value == "2026-11-20T10:00:00Z",
        ParameterType::Uuid => value == "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        _ => true,
    }
}

/// Whether a value of the list above is what the property takes, or another spelling of it.
fn means_the_same(ty: ParameterType, schema: &Value, name: &str, value: &Value) -> bool {
    let property = &schema["properties"][name];
    if jsonschema::validator_for(property).unwrap().is_valid(value) && plain(ty, value) {
        return true;
    }
    let required = schema["required"].as_array().is_some_and(|required| required.contains(&json!(name)));
    match ty {
        _ if value == "" => !required,
        ParameterType::Timestamp => value == "2026-11-20",
        ParameterType::String => property.get("enum").is_none() && (value.is_number() || value.is_boolean()),
        ParameterType::Array => !(value.is_object() || value.is_array() && value != &json!([1])),
        ParameterType::Object => value == &json!([]),
        _ => false,
    }
}

fn sample(property: &Value) -> Value {
    if let Some(choice) = property["enum"].as_array().and_then(|choices| choices.first()) {
        return choice.clone();
    }
    match property["type"].as_str().unwrap() {
        "integer" => property.get("minimum").cloned().unwrap_or(json!(1)),
        "object" => json!({}),
        "array" => json!([]),
        _ => json!("x"),
    }
}

/// A type that only lists rows leaves it to its reader what they mean.
#[test]
fn every_type_says_something_of_three_of_its_sections() {
    let catalog = crate::support::pack::catalog(&[], &CatalogOptions::default());
    let mut silent = Vec::new();
    // One that is made of others says what they say.
    for entry in catalog.contexts.values().filter(|entry| entry.definition.composes.is_none()) {
        let context = serde_json::to_value(&entry.definition).unwrap();
        let said = format!("{} {}", context["summary"], context["highlights"]);
        let each: Vec<&Value> = context["highlights"].as_array().into_iter().flatten().map(|of| &of["each"]).collect();
        let tells = |name: &&String| {
            each.contains(&&json!(name))
                || regex::Regex::new(&format!(r"\bsections\.{name}\b")).unwrap().is_match(&said)
        };
        let told = entry.definition.sections.keys().filter(tells).count();
        if told < 3 {
            silent.push((entry.definition.name.0.clone(), told));
        }
    }
    assert_eq!(silent, []);
}

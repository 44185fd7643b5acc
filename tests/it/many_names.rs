//! A catalogue as large as the one to come: what a client is shown of it stays small, and nothing becomes unreachable.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    engine::{Call, Completion, Engine, EngineOptions, Sources},
};

use crate::support::{
    client::{Client, serve_command},
    pack::catalog,
};

/// Types that are there with the shipped ones and their aliases.
const NAMES: usize = 140;

const CATEGORIES: [&str; 8] =
    ["kubernetes", "infrastructure", "database", "security", "cost", "delivery", "experience", "platform"];

/// Filters as types have them that are still to come.
const FILTERS: [&str; 17] = [
    "role",
    "policy",
    "country",
    "browser",
    "page",
    "release",
    "branch",
    "team",
    "owner",
    "image",
    "volume",
    "protocol",
    "status_code",
    "method",
    "route",
    "feature",
    "tenant_plan",
];

fn pack() -> Vec<(String, String)> {
    let there = shipped().values(tfo_mcp::definition::ValuesFrom::Contexts).len();
    let persona =
        "kind: persona\nname: NAME\ntitle: Analyst\ndescription: One of many.\nprompt: You analyse {{ title }}.\n";
    let mut files = Vec::new();
    for n in 0..NAMES.saturating_sub(there) {
        let category = CATEGORIES[n % CATEGORIES.len()];
        let name = format!("{category}-type-{n}");
        let mut parameters = String::from("  service: { type: string, description: Only this service. }\n");
        for filter in [FILTERS[n % FILTERS.len()], FILTERS[(n * 7 + 3) % FILTERS.len()]] {
            let _ = match n % 5 {
                0 => writeln!(
                    parameters,
                    "  {filter}: {{ type: string, description: Only this {filter}., enum: [a, b, c] }}"
                ),
                _ => writeln!(
                    parameters,
                    "  {filter}: {{ type: string, description: Only this {filter} of many., max_length: 255 }}"
                ),
            };
        }
        // The same filter twice.
        let mut lines: Vec<&str> = parameters.lines().collect();
        lines.dedup_by_key(|line| line.split(':').next());
        let used: String =
            lines.iter().map(|line| line.trim().split(':').next().unwrap()).fold(String::new(), |mut out, name| {
                let _ = write!(out, "{{% if {name} %}} AND x = {{{{ {name} }}}}{{% endif %}}");
                out
            });
        files.push((
            format!("definitions/{name}.yaml"),
            format!(
                "kind: context\nname: {name}\ncategory: {category}\ntitle: Type {n}\ndescription: Type {n} of the catalogue.\n\
                 persona: analyst-{n}\nparameters:\n{}\nsections:\n  rows:\n    title: Rows\n    source: telemetry\n    query:\n      \
                 - sql: \"SELECT x FROM traces WHERE organization_id = {{{{ organization_id }}}}{used}\"\n",
                lines.join("\n"),
            ),
        ));
        files.push((format!("personas/analyst-{n}.yaml"), persona.replace("NAME", &format!("analyst-{n}"))));
    }
    files
}

fn shipped() -> Catalog {
    catalog(&[], &CatalogOptions::default())
}

fn large() -> Catalog {
    let files = pack();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    catalog(&files, &CatalogOptions::default())
}

/// The list as the binary sends it, in the bytes of its line.
async fn listed(files: &[(String, String)]) -> (usize, Value) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join("pack").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut command = serve_command(folder.path());
    if !files.is_empty() {
        command.arg("--pack").arg(folder.path().join("pack"));
    }
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    let list = client.request("tools/list", json!({})).await;
    (list.to_string().len(), list["result"].clone())
}

/// Tokens are bytes of the compact reply divided by four.
const MOST_TOKENS: usize = 4000;

#[tokio::test]
async fn the_list_of_tools_stays_small_with_the_whole_catalogue() {
    for files in [Vec::new(), pack()] {
        let (bytes, list) = listed(&files).await;
        let sizes: Vec<_> =
            list["tools"].as_array().unwrap().iter().map(|t| (t["name"].clone(), t.to_string().len())).collect();
        assert!(bytes.div_ceil(4) < MOST_TOKENS, "{} tokens: {sizes:?}", bytes.div_ceil(4));
    }
}

#[tokio::test]
async fn above_forty_names_a_list_becomes_a_sentence_that_says_where_it_stands() {
    let catalog = large();
    let names = catalog.values(tfo_mcp::definition::ValuesFrom::Contexts);
    assert!(names.len() >= NAMES, "{}", names.len());
    for tool in ["collect_telemetry_context", "build_insight_prompt", "build_system_prompt"] {
        let property = &catalog.tools[tool].input_schema["properties"]["context_type"];
        assert!(property.get("enum").is_none(), "{property}");
        let description = property["description"].as_str().unwrap();
        let all = format!("{} names", catalog.listed().count());
        for piece in [all.as_str(), "`list_context_types`", "kubernetes", "observability", "such as `"] {
            assert!(description.contains(piece), "{tool} lacks {piece}: {description}");
        }
    }
    let persona = &catalog.tools["build_system_prompt"].input_schema["properties"]["persona"];
    assert!(persona.get("enum").is_none(), "{persona}");
    assert!(persona["description"].as_str().unwrap().contains("`catalog://personas`"), "{persona}");
    // Few are listed whole.
    let property = &shipped().tools["build_insight_prompt"].input_schema["properties"]["insight_type"].clone();
    assert!(property["enum"].as_array().unwrap().len() >= 5, "{property}");
}

/// Completion of nothing typed counted the aliases too.
#[tokio::test]
async fn what_stands_for_another_name_is_offered_to_whoever_begins_to_write_it() {
    let engine = Engine::new(shipped(), Sources::default(), EngineOptions::default());
    let catalog = engine.catalog();
    let offered = async |prefix| {
        let prompt = Completion::Prompt("analyze");
        engine.complete(prompt, "context_type", prefix, &Map::new(), &Call::default()).await
    };
    let names: Vec<String> = catalog.listed().map(|context| context.name.0.clone()).collect();
    assert_eq!(offered("").await, names);
    let alias = catalog.listed().find_map(|context| context.aliases.first()).unwrap();
    assert!(offered(alias).await.contains(&alias.0), "{alias:?}");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn an_unknown_name_is_answered_by_the_nearest_and_where_to_find_the_rest() {
    let refused = async |catalog: Catalog, name: &str| {
        let engine = Engine::new(catalog, Sources::default(), EngineOptions::default());
        let given: Map<String, Value> = json!({"context_type": name}).as_object().cloned().unwrap();
        engine.call_tool("build_system_prompt", given, &Call::default()).await.unwrap_err().to_text()
    };
    let refused_insight = async |catalog: Catalog, name: &str| {
        let engine = Engine::new(catalog, Sources::default(), EngineOptions::default());
        let given = json!({"context_type": "latency", "insight_type": name}).as_object().cloned().unwrap();
        engine.call_tool("build_insight_prompt", given, &Call::default()).await.unwrap_err().to_text()
    };
    // As many as it lists: aliases stand for others.
    let all = large().listed().count();
    assert!(all < large().values(tfo_mcp::definition::ValuesFrom::Contexts).len());
    let all = format!("`list_context_types` lists all {all}");
    let text = refused(large(), "latncy").await;
    assert!(text.contains("did you mean `latency`?") && text.contains(&all), "{text}");
    let text = refused(large(), "no idea at all").await;
    assert!(text.contains(&all) && text.len() < 400, "{text}");
    let unlisted = large().contexts.values().find(|entry| !entry.definition.listed).unwrap().definition.name.0.clone();
    let text = refused(large(), &unlisted).await;
    assert!(text.contains(&format!("`{unlisted}` is not asked for here: it is collected by the tool `")), "{text}");
    assert!(text.contains("` of the toolset `"), "{text}");
    let text = refused_insight(shipped(), "cronology").await;
    for name in shipped().values(tfo_mcp::definition::ValuesFrom::Insights) {
        assert!(text.contains(&format!("`{name}`")), "few names are listed whole: {text}");
    }
}

/// Every filter of every type can be said in the closed object that clients are shown.
#[tokio::test]
async fn the_filters_are_the_union_over_all_types_and_closed() {
    for catalog in [large(), shipped()] {
        for tool in ["collect_telemetry_context", "build_insight_prompt"] {
            let filters = &catalog.tools[tool].input_schema["properties"]["filters"];
            assert_eq!(filters["additionalProperties"], false);
            let validator = jsonschema::options().should_validate_formats(true).build(filters).unwrap();
            // One that is not listed has a tool of its own.
            for entry in catalog.contexts.values().filter(|entry| entry.definition.listed) {
                for (name, parameter) in &entry.definition.parameters {
                    // Under the name of its own at the top.
                    if name == "service" {
                        continue;
                    }
                    let choices =
                        parameter.choices.clone().unwrap_or_else(|| {
                            match filters["properties"][name]["type"].as_str() {
                                Some("string") => vec![json!("some text")],
                                Some("array") => vec![json!(["some", "texts"])],
                                _ => vec![
                                    json!(parameter.minimum.unwrap_or(1.0)),
                                    json!(parameter.maximum.unwrap_or(9.0)),
                                ],
                            }
                        });
                    for value in choices {
                        let given = json!({ name: value });
                        assert!(validator.is_valid(&given), "{} {given}: {filters}", entry.definition.name);
                    }
                }
            }
            assert!(!validator.is_valid(&json!({"no_such_filter": "x"})));
        }
    }
}

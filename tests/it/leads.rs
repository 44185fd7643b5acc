//! Where the shipped types lead on the demo's data: every type that can find something says where to look next, no two documents
//! send a reader to and fro, steps about what is bad now reach to the end, and advice names only what the tool of the call takes.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    definition::{Action, PromptPart},
    engine::{Call, Engine, EngineOptions, Outcome, Sources, Tenancy},
};

use crate::{
    answers::{filled, on_this_machine, wants_service},
    support::{
        pack::catalog,
        scripted::{Reply, Scripted},
    },
};

/// Arguments of collections that texts may name.
const ARGUMENTS: [&str; 10] = [
    "time_range",
    "start",
    "end",
    "baseline",
    "filters",
    "max_items",
    "format",
    "max_chars",
    "service_name",
    "organization_id",
];

#[test]
fn whatever_can_find_something_says_where_to_look_next() {
    let catalog = catalog(&[], &CatalogOptions::default());
    let silent: Vec<&str> = catalog
        .contexts
        .iter()
        .filter(|(_, entry)| !entry.definition.highlights.is_empty() && entry.definition.next.is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(silent, Vec::<&str>::new());
}

async fn answer(engine: &Engine, tool: &str, arguments: Map<String, Value>) -> (String, bool) {
    match engine.call_tool(tool, arguments.clone(), &Call::default()).await {
        Ok(Outcome::Done(answer)) => (answer.text(), answer.is_error),
        Ok(_) => panic!("{tool} asks nobody"),
        Err(error) => panic!("{tool} {arguments:?}: {error}"),
    }
}

/// What a document tells: its window, and the calls that it proposes.
struct Told {
    window: (String, String),
    next: Vec<(String, Map<String, Value>)>,
}

fn told(text: &str) -> Option<Told> {
    let window = text.lines().find_map(|line| line.strip_prefix("Window: "))?;
    let (from, rest) = window.split_once(" to ")?;
    let to = rest.split(' ').next()?;
    let steps = text.lines().skip_while(|line| *line != "## Next").skip(1).take_while(|line| line.starts_with("- "));
    let next = steps.map(|line| {
        let (tool, arguments) = line.trim_start_matches("- `").split_once(' ').unwrap();
        (tool.to_owned(), serde_json::from_str(arguments.split_once("`: ").unwrap().0).unwrap())
    });
    Some(Told { window: (from.to_owned(), to.to_owned()), next: next.collect() })
}

/// A document: its type, its filters and its window.
type Place = (String, String, Option<(String, String)>);

/// The document that a call asks for, by whichever tool.
fn place(engine: &Engine, tool: &str, arguments: &Map<String, Value>) -> Place {
    let mut filters = arguments.clone();
    let fixed = match &engine.catalog().tools[tool].definition.run {
        Action::ContextCollect { with } => with.get("context_type").cloned(),
        _ => None,
    };
    let context = filters.shift_remove("context_type").or(fixed).unwrap();
    if let Some(Value::Object(more)) = filters.shift_remove("filters") {
        filters.extend(more);
    }
    if let Some(service) = filters.shift_remove("service_name") {
        filters.insert("service".into(), service);
    }
    let mut end = |name: &str| filters.shift_remove(name).map(|end| end.as_str().unwrap().to_owned());
    let window = end("start").zip(end("end"));
    filters.sort_keys();
    (context.as_str().unwrap().to_owned(), Value::Object(filters).to_string(), window)
}

const END: &str = "2026-11-20T12:00:00Z";
/// When the change of the incident was made.
const DEPLOYED: &str = "2026-11-20T11:20:00Z";

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn no_two_documents_lead_to_each_other() {
    let filled = filled().await;
    let engine = on_this_machine(filled, &filled.generator.world.organizations[0].id_text);
    let mut queue: VecDeque<(String, Map<String, Value>, bool)> = VecDeque::new();
    for (name, entry) in engine.catalog().contexts.iter() {
        let mut arguments = json!({ "context_type": name }).as_object().cloned().unwrap();
        if wants_service(&engine, name) {
            arguments.insert("service".into(), json!("checkout"));
        }
        match name.as_str() {
            _ if entry.definition.listed => queue.push_back(("collect_telemetry_context".into(), arguments, true)),
            "trace" => queue.push_back(("trace".into(), Map::new(), true)),
            "service-investigation" => {
                let arguments = json!({ "service_name": "checkout" }).as_object().cloned().unwrap();
                queue.push_back(("investigate_service".into(), arguments, true));
            }
            // What is compared is the caller's choice.
            other => assert_eq!(other, "compare"),
        }
    }
    let mut edges: BTreeMap<Place, BTreeSet<Place>> = BTreeMap::new();
    let mut asked: BTreeSet<Place> = BTreeSet::new();
    while let Some((tool, arguments, root)) = queue.pop_front() {
        let asks = place(&engine, &tool, &arguments);
        if !asked.insert(asks.clone()) || edges.contains_key(&asks) {
            continue;
        }
        let (text, is_error) = answer(&engine, &tool, arguments.clone()).await;
        assert!(!is_error, "{tool} {arguments:?}: {text}");
        let told = told(&text).unwrap_or_else(|| panic!("{tool} {arguments:?}: {text}"));
        let (context, filters, _) = asks;
        for (tool, next) in &told.next {
            let to = place(&engine, tool, next);
            let (from, end) = to.2.clone().unwrap();
            if root && to.0 == "ai-root-cause" && told.window.0.as_str() <= DEPLOYED {
                assert!(from.as_str() <= DEPLOYED && end == END, "{context} leads past what is bad now: {next:?}");
            }
            edges.entry((context.clone(), filters.clone(), Some(told.window.clone()))).or_default().insert(to);
            queue.push_back((tool.clone(), next.clone(), false));
        }
        edges.entry((context, filters, Some(told.window))).or_default();
    }
    let leads = |from: &Place, to: &Place| edges.get(from).is_some_and(|next| next.contains(to));
    let circles: Vec<_> = edges
        .iter()
        .flat_map(|(from, next)| next.iter().map(move |to| (from, to)))
        .filter(|(from, to)| from <= to && leads(to, from))
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
    assert!(edges.len() > 200, "{} documents", edges.len());
}

/// The names of arguments in a text, outside of its tables.
fn named(text: &str) -> BTreeSet<&'static str> {
    let mut fenced = false;
    let own = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        !fence && !fenced && !line.starts_with("- `")
    });
    let own: Vec<&str> = own.collect();
    ARGUMENTS.into_iter().filter(|name| own.iter().any(|line| line.contains(&format!("`{name}`")))).collect()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn advice_names_only_what_the_tool_takes() {
    let filled = filled().await;
    let engine = on_this_machine(filled, &filled.generator.world.organizations[0].id_text);
    let (catalog, mut wrong, mut cut) = (engine.catalog(), Vec::new(), 0);
    let listed: Vec<&str> = catalog
        .contexts
        .values()
        .filter(|entry| entry.definition.listed)
        .map(|entry| &*entry.definition.name.0)
        .collect();
    for (name, tool) in &catalog.tools {
        let own = &tool.definition.parameters;
        let types = match &tool.definition.run {
            Action::ContextCollect { .. } if !own.contains_key("context_type") => vec![None],
            Action::ContextCollect { .. }
            | Action::PromptBuild { part: PromptPart::Insight | PromptPart::Full, .. } => {
                listed.iter().copied().map(Some).collect()
            }
            _ => continue,
        };
        for context in types {
            let mut arguments = Map::new();
            arguments.extend(context.map(|context| ("context_type".to_owned(), json!(context))));
            if context.is_some_and(|context| wants_service(&engine, context)) {
                arguments.insert("service".into(), json!("checkout"));
            }
            for (parameter, value) in [
                ("insight_type", json!("pattern")),
                ("service_name", json!("checkout")),
                ("a", json!({ "service_name": "checkout", "status": "error" })),
                ("b", json!({ "status": "ok" })),
            ] {
                if own.get(parameter).is_some_and(|parameter| parameter.required) {
                    arguments.insert(parameter.into(), value);
                }
            }
            let (text, _) = answer(&engine, name, arguments).await;
            cut += usize::from(text.contains(" of a section"));
            let names = named(&text).into_iter().filter(|argument| !own.contains_key(*argument));
            wrong.extend(names.map(|argument| format!("{name} {context:?}: `{argument}`")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(cut > 0, "no tool showed less than there is");
}

const CONTEXT: &str = "kind: context\nname: things\ncategory: test\ntitle: Things\ndescription: Things.\n\
    persona: observability-generalist\nsource: telemetry\nsections:\n  rows:\n    title: Rows\n    limit: 3\n    sql: >-\n      \
    SELECT name FROM things WHERE organization_id = {{ organization_id }} AND t >= {{ from }} AND t < {{ to }}\n      \
    ORDER BY name LIMIT {{ limit }}\n";

/// What a tool cannot ask for is not proposed, neither more rows nor a longer answer.
#[tokio::test]
async fn a_tool_without_max_items_does_not_advise_it() {
    let tool = |name: &str, more: &str| {
        format!(
            "kind: tool\nname: {name}\ntitle: Things\ndescription: Shows things.\ncategory: test\ntoolsets: [telemetry]\n{more}\
             annotations: {{ read_only: true, destructive: false, idempotent: true, open_world: false }}\n\
             run: {{ action: context.collect, with: {{ context_type: things }} }}\n"
        )
    };
    let parameters = "parameters:\n  max_items: { type: integer, description: Most rows. }\n  \
                      max_chars: { type: integer, description: Longest answer., minimum: 1000, maximum: 2000 }\n";
    let files = [
        ("definitions/things.yaml", CONTEXT.to_owned()),
        ("definitions/fixed.yaml", tool("fixed", "")),
        ("definitions/free.yaml", tool("free", parameters)),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let rows = |length: usize| {
        let rows = (0..9).map(|n| vec![json!(format!("{n}{}", "x".repeat(length)))]).collect();
        Reply::Rows(vec!["name"], rows)
    };
    let engine = |length: usize, max_chars: usize, most_chars: usize| {
        let mut sources = Sources::default();
        sources.bind("telemetry", Arc::new(Scripted::default().on("things", rows(length))));
        let organization_id = Some("00000000-0000-4000-8000-000000000001".to_owned());
        let tenancy = Tenancy { organization_id, ..Tenancy::default() };
        let options = EngineOptions { tenancy, max_chars, most_chars, ..EngineOptions::default() };
        Engine::new(catalog(&files, &CatalogOptions::default()), sources, options)
    };
    let short = engine(1, 40_000, 40_000);
    let (fixed, _) = answer(&short, "fixed", Map::new()).await;
    assert!(fixed.contains("(3 of 9 rows: this tool shows 3 of a section; what matters most stands first)"), "{fixed}");
    let (free, _) = answer(&short, "free", Map::new()).await;
    assert!(free.contains("(3 of 9 rows: raise `max_items` to see more)"), "{free}");
    let long = engine(200, 700, 40_000);
    let (fixed, _) = answer(&long, "fixed", Map::new()).await;
    assert!(fixed.contains("`limits.context_chars` is 700 characters") && named(&fixed).is_empty(), "{fixed}");
    let (free, _) = answer(&long, "free", Map::new()).await;
    assert!(free.contains("`max_chars` is 700 characters: raise it"), "{free}");
    // What the server lets through of tokens is no advice to raise anything.
    let few = engine(200, 40_000, 1_200);
    for arguments in [json!({ "max_items": 9 }), json!({ "max_items": 9, "max_chars": 2000 })] {
        let (free, _) = answer(&few, "free", arguments.as_object().cloned().unwrap()).await;
        let told = "this server answers at most 1200 characters (`limits.answer_tokens`, of four characters each): narrow what it is asked";
        assert!(free.contains(told) && free.len() < 1_400, "{free}");
    }
}

//! `tfo-mcp list`: what a client would be offered.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{
    Outcome,
    arguments::{Form, SettingsArguments},
    bootstrap,
    output::{self, BOLD, DIM},
};
use crate::catalog::Catalog;

/// List what is offered to clients
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to list; without it the number of each
    #[arg(value_enum)]
    what: Option<What>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Tools,
    Prompts,
    Resources,
    Contexts,
    Insights,
    Personas,
    Providers,
    Toolsets,
}

/// One line of a list.
struct Entry {
    name: String,
    title: String,
    /// Heading under which it is shown.
    group: String,
    /// Members of the JSON form besides these.
    more: Value,
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let loaded = bootstrap::settings(common)?;
    let catalog = bootstrap::catalog(&loaded)?;
    let lists: Vec<(What, Vec<Entry>)> =
        What::value_variants().iter().map(|what| (*what, entries(&catalog, *what))).collect();
    let name = |what: What| what.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let asked = arguments.what.and_then(|asked| lists.iter().find(|(what, _)| *what == asked));
    match (asked, arguments.format) {
        (Some((_, entries)), Form::Text) => output::write(&text(entries))?,
        (Some((_, entries)), Form::Json) => output::json(&entries.iter().map(object).collect::<Vec<_>>())?,
        (None, Form::Text) => {
            let rows: Vec<Vec<String>> =
                lists.iter().map(|(what, entries)| vec![name(*what), entries.len().to_string()]).collect();
            output::write(&output::columns(&rows))?;
        }
        (None, Form::Json) => {
            let all = lists.iter().map(|(what, entries)| (name(*what), entries.iter().map(object).collect()));
            output::json(&Value::Object(all.collect()))?;
        }
    }
    Ok(Outcome::Done)
}

fn text(entries: &[Entry]) -> String {
    let mut out = String::new();
    let width = entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0);
    let mut group = None;
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    for entry in sorted {
        if group != Some(&entry.group) && !entry.group.is_empty() {
            let gap = if out.is_empty() { "" } else { "\n" };
            out += &format!("{gap}{BOLD}{}{BOLD:#}\n", entry.group);
        }
        group = Some(&entry.group);
        out += &format!("  {:width$}  {DIM}{}{DIM:#}\n", entry.name, entry.title);
    }
    if entries.is_empty() { "none".into() } else { out }
}

fn object(entry: &Entry) -> Value {
    let mut object = json!({ "name": entry.name, "title": entry.title });
    if let (Some(object), Some(more)) = (object.as_object_mut(), entry.more.as_object()) {
        object.extend(more.clone());
    }
    object
}

fn entries(catalog: &Catalog, what: What) -> Vec<Entry> {
    let entry = |name: &str, title: &str, group: &str, more: Value| Entry {
        name: name.to_owned(),
        title: title.to_owned(),
        group: group.to_owned(),
        more,
    };
    match what {
        What::Tools => (catalog.tools.values())
            .map(|tool| {
                let d = &tool.definition;
                let more = json!({
                    "category": d.category, "description": d.description, "toolsets": d.toolsets,
                    "input_schema": tool.input_schema, "output_schema": d.output_schema,
                });
                entry(&d.name, &d.title, &d.category, more)
            })
            .collect(),
        What::Prompts => (catalog.prompts.values())
            .map(|prompt| {
                let d = &prompt.definition;
                let arguments: Vec<Value> = d
                    .arguments
                    .iter()
                    .map(|(name, p)| json!({ "name": name, "description": p.description, "required": p.required }))
                    .collect();
                entry(
                    &d.name,
                    &d.title,
                    "",
                    json!({ "description": d.description, "toolsets": d.toolsets, "arguments": arguments }),
                )
            })
            .collect(),
        What::Resources => (catalog.resources.values())
            .map(|resource| {
                let d = &resource.definition;
                entry(
                    &d.name,
                    &format!("{}  {}", d.uri, d.title),
                    "",
                    json!({ "title": d.title, "uri": d.uri, "description": d.description, "toolsets": d.toolsets }),
                )
            })
            .collect(),
        What::Contexts => (catalog.contexts.values())
            .map(|context| {
                let d = &context.definition;
                let more = json!({
                    "category": d.category, "description": d.description, "aliases": d.aliases, "persona": d.persona,
                    "default_window": d.window.default, "max_window": d.window.max,
                });
                entry(&d.name, &d.title, &d.category, more)
            })
            .collect(),
        What::Insights => (catalog.insights.values())
            .map(|d| entry(&d.name, &d.title, "", json!({ "description": d.description })))
            .collect(),
        What::Personas => (catalog.personas.values()).map(|d| entry(&d.name, &d.title, "", json!({}))).collect(),
        What::Providers => (catalog.providers.values())
            .map(|d| entry(&d.name, &d.title, "", json!({ "base_url": d.base_url, "default_model": d.default_model })))
            .collect(),
        What::Toolsets => (catalog.toolsets.values())
            .map(|d| {
                let on = if d.default { "" } else { " (off by default)" };
                let more = json!({ "title": d.title, "description": d.description, "default": d.default });
                entry(&d.name, &format!("{}{on}", d.title), "", more)
            })
            .collect(),
    }
}

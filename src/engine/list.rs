//! `catalog.list`: what there is to ask for.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{CallError, collect::text};
use crate::{
    catalog::Catalog,
    definition::{Context, Subject},
};

/// The list as Markdown, or as JSON where `format` says so.
pub fn render(catalog: &Catalog, of: Subject, arguments: &Map<String, Value>) -> Result<String, CallError> {
    let as_json = text(arguments, "format") == Some("json");
    let query = text(arguments, "query").map(str::to_lowercase);
    let category = text(arguments, "category");
    let matches = |texts: &[&str]| {
        query.as_ref().is_none_or(|query| texts.iter().any(|text| text.to_lowercase().contains(query.as_str())))
    };
    match of {
        Subject::Contexts => {
            let wanted: Vec<&Context> = catalog
                .contexts
                .values()
                .map(|entry| &entry.definition)
                .filter(|context| category.is_none_or(|category| *context.category == *category))
                .filter(|context| {
                    let aliases: Vec<&str> = context.aliases.iter().map(|alias| &**alias).collect();
                    matches(&[&context.name, &context.title, &context.description, &aliases.join(" ")])
                })
                .collect();
            Ok(if as_json { contexts_json(&wanted) } else { contexts_markdown(&wanted) })
        }
        Subject::Personas => {
            let rows = catalog.personas.values().map(|p| (&*p.name, p.title.as_str(), p.description.as_str()));
            Ok(simple("personas", rows.filter(|(name, title, about)| matches(&[name, title, about])), as_json))
        }
        Subject::Insights => {
            let rows = catalog.insights.values().map(|i| (&*i.name, i.title.as_str(), i.description.as_str()));
            Ok(simple("insights", rows.filter(|(name, title, about)| matches(&[name, title, about])), as_json))
        }
    }
}

fn contexts_markdown(contexts: &[&Context]) -> String {
    if contexts.is_empty() {
        return "No context type matches. Leave out `query` and `category` to see all of them.".into();
    }
    let mut categories: Vec<&str> = contexts.iter().map(|context| &*context.category).collect();
    categories.sort_unstable();
    categories.dedup();
    let mut out = format!("{} context types\n", contexts.len());
    for category in categories {
        let _ = write!(out, "\n## {category}\n");
        for context in contexts.iter().filter(|context| &*context.category == category) {
            let _ = write!(
                out,
                "- `{}`: {}. {}",
                context.name,
                context.title,
                context.description.trim().replace('\n', " ")
            );
            let names = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            if !context.aliases.is_empty() {
                let _ = write!(out, " Also: {}.", names(context.aliases.iter().map(|alias| &**alias).collect()));
            }
            if !context.parameters.is_empty() {
                let _ = write!(out, " Filters: {}.", names(context.parameters.keys().map(String::as_str).collect()));
            }
            let _ = writeln!(out, " Window: {}, at most {}.", context.window.default, context.window.max);
        }
    }
    out
}

fn contexts_json(contexts: &[&Context]) -> String {
    let list: Vec<Value> = contexts
        .iter()
        .map(|context| {
            let filters: Map<String, Value> = context
                .parameters
                .iter()
                .map(|(name, parameter)| {
                    (name.clone(), json!({ "type": parameter.ty, "description": parameter.description }))
                })
                .collect();
            json!({
                "name": context.name,
                "category": context.category,
                "title": context.title,
                "description": context.description.trim(),
                "aliases": context.aliases,
                "persona": context.persona,
                "filters": filters,
                "window": context.window,
                "sections": context
                    .sections
                    .values()
                    .filter(|section| !section.when_empty)
                    .map(|section| &section.title)
                    .collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "contexts": list, "total": list.len() }).to_string()
}

fn simple<'a>(what: &str, rows: impl Iterator<Item = (&'a str, &'a str, &'a str)>, as_json: bool) -> String {
    if as_json {
        let list: Vec<Value> = rows
            .map(|(name, title, about)| json!({ "name": name, "title": title, "description": about.trim() }))
            .collect();
        return json!({ what: list, "total": list.len() }).to_string();
    }
    let mut out = String::new();
    for (name, title, about) in rows {
        let _ = writeln!(out, "- `{name}`: {title}. {}", about.trim().replace('\n', " "));
    }
    if out.is_empty() { format!("No {what} match.") } else { out }
}

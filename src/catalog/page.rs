//! A context type as a page for people: what it answers, what it reads, what it can be narrowed by. Knows the definition
//! alone, and no source.

use std::{collections::BTreeMap, fmt::Write as _};

use indexmap::{IndexMap, IndexSet};
use serde_json::Value;

use super::Catalog;
use crate::definition::{Context, Parameter, Section};

/// The page of a context type, in Markdown.
pub fn page(context: &Context) -> String {
    let mut out = format!("# {} (`{}`)\n\n{}\n\n", context.title, context.name, context.description.trim());
    let window = &context.window;
    let _ = writeln!(out, "- Category: {}. Persona: {}.", code(&context.category), code(&context.persona));
    let _ = writeln!(out, "- Window: {} unless the call says another, {} at most.", window.default, window.max);
    for name in &context.aliases {
        let _ = writeln!(out, "- Also asked for as {}{}.", code(name), stands_for(context.presets.get(&**name)));
    }
    if let Some(filters) = context.presets.get(&*context.name) {
        let _ = writeln!(out, "- Asked for by its own name it has {}.", pairs(filters));
    }
    let leads: IndexSet<String> = context.next.iter().map(|step| code(&step.context)).collect();
    if !leads.is_empty() {
        let leads: Vec<String> = leads.into_iter().collect();
        let _ = writeln!(out, "- Next, where its rows give a reason: {}.", leads.join(", "));
    }
    if !context.listed {
        out += "- Not listed: a tool of its own collects it.\n";
    }
    out += &parameters(context);
    if let Some(parameter) = &context.composes {
        let _ = writeln!(out, "\n## Made of\n\nThe context types that {} names, in that order.", code(parameter));
    }
    let shown: Vec<&Section> = context.sections.values().filter(|section| section.show).collect();
    if !shown.is_empty() {
        out += "\n## Sections\n\n| what it shows | source | reads |\n| --- | --- | --- |\n";
        for section in shown {
            let reads = cell(&reads(section));
            let _ = writeln!(out, "| {} | {} | {reads} |", cell(&section.title), section.source);
        }
    }
    out
}

/// All pages in one list, by category.
pub fn index(catalog: &Catalog) -> String {
    let mut by: BTreeMap<&str, BTreeMap<&str, &Context>> = BTreeMap::new();
    for entry in catalog.contexts.values() {
        let context = &entry.definition;
        by.entry(&context.category).or_default().insert(&context.name, context);
    }
    let mut out = String::from("# Context types\n\nWritten by `tfo-mcp docs` from the definitions.\n");
    for (category, contexts) in by {
        let _ = writeln!(out, "\n## {category}\n");
        for (name, context) in contexts {
            let aliases: Vec<String> = context.aliases.iter().map(|name| code(name)).collect();
            let also = if aliases.is_empty() { String::new() } else { format!(" (also {})", aliases.join(", ")) };
            let _ = writeln!(out, "- [`{name}`]({name}.md){also}: {}", context.title);
        }
    }
    out
}

fn parameters(context: &Context) -> String {
    let mut out = String::from("\n## Filters\n\n");
    if context.parameters.is_empty() {
        return out + "None.\n";
    }
    out += "| name | type | meaning |\n| --- | --- | --- |\n";
    for (name, parameter) in &context.parameters {
        let meaning = [parameter.description.clone(), choices(parameter), default(parameter)];
        let meaning = meaning.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let ty = parameter.ty.as_str();
        let must = if parameter.required { ", required" } else { "" };
        let _ = writeln!(out, "| {} | {ty}{must} | {} |", code(name), cell(&meaning));
    }
    out
}

fn choices(parameter: &Parameter) -> Option<String> {
    let choices = parameter.choices.as_ref()?;
    Some(format!("One of {}.", choices.iter().map(value).collect::<Vec<_>>().join(", ")))
}

fn default(parameter: &Parameter) -> Option<String> {
    Some(format!("Default: {}.", value(parameter.default.as_ref()?)))
}

/// The tables of each alternative.
fn reads(section: &Section) -> String {
    let ways = section.query.iter().map(|way| {
        let tables: Vec<String> = way.requires.iter().map(|table| code(table)).collect();
        tables.join(", ")
    });
    let ways: Vec<String> = ways.filter(|way| !way.is_empty()).collect();
    ways.join("; or ")
}

fn stands_for(filters: Option<&IndexMap<String, Value>>) -> String {
    filters.map(|filters| format!(", with {}", pairs(filters))).unwrap_or_default()
}

fn pairs(filters: &IndexMap<String, Value>) -> String {
    let each = filters.iter().map(|(name, value)| match value {
        Value::String(text) => code(&format!("{name}={text}")),
        other => code(&format!("{name}={other}")),
    });
    each.collect::<Vec<_>>().join(", ")
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => code(text),
        other => code(&other.to_string()),
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

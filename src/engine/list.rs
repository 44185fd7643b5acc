//! `catalog.list`: what there is to ask for.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{
    error::span,
    search::{Weight, Words},
};
use crate::{
    catalog::Catalog,
    definition::{Context, ListArguments, Subject},
};

/// From how many context types on a line each has to do: what a model reads of all of them.
const MANY: usize = 40;
/// Most context types that a search shows with all that there is to say.
const BEST: usize = 12;

/// The list as Markdown, or as JSON where `format` says so.
pub fn render(catalog: &Catalog, of: Subject, arguments: &ListArguments) -> String {
    let as_json = arguments.format.as_deref() == Some("json");
    let query = arguments.query.as_deref().unwrap_or_default();
    let words = Words::of(query);
    let category = arguments.category.as_deref();
    match of {
        Subject::Contexts => {
            let all = catalog.listed();
            let all = all.filter(|context| category.is_none_or(|category| *context.category == *category)).collect();
            let all: Vec<&Context> = all;
            let mut wanted = words.search(all.clone(), |context| texts(context));
            let mut read = None;
            if wanted.is_empty() && !all.is_empty() {
                let names = all.iter().flat_map(names).map(|(_, text)| text);
                read = words.nearest(names);
                if let Some(read) = &read {
                    wanted = Words::of(read).search(all, |context| texts(context));
                }
            }
            let read =
                read.map(|read| format!("No context type has any word of {}; read as `{read}`. ", span(query, 80)));
            match (as_json, wanted.as_slice()) {
                (true, wanted) => contexts_json(wanted),
                (false, []) => nothing(catalog, query, category),
                (false, wanted) if query.trim().is_empty() => by_category(wanted),
                (false, wanted) => read.unwrap_or_default() + &best_first(wanted),
            }
        }
        Subject::Personas => {
            let rows = catalog.personas.values().map(|p| (&*p.name, p.title.as_str(), p.description.as_str()));
            simple("personas", words.search(rows.collect(), parts), as_json)
        }
        Subject::Insights => {
            let rows = catalog.insights.values().map(|i| (&*i.name, i.title.as_str(), i.description.as_str()));
            simple("insights", words.search(rows.collect(), parts), as_json)
        }
    }
}

/// What a context type is called.
fn names<'c>(context: &&'c Context) -> impl Iterator<Item = (Weight, &'c str)> + use<'c> {
    let names = std::iter::once(&context.name).chain(&context.aliases).map(|name| &**name);
    let names = names.map(|text| (Weight::Name, text));
    names.chain(context.tags.iter().enumerate().map(|(at, tag)| (Weight::Tag(at), tag.as_str())))
}

/// Everything that a context type may be found by.
fn texts<'c>(context: &&'c Context) -> Vec<(Weight, &'c str)> {
    let sections = context.sections.values().flat_map(|section| {
        let columns = section.columns.iter().flat_map(|(name, column)| {
            std::iter::once(name.as_str())
                .chain([&column.title, &column.description].into_iter().flatten().map(|t| &**t))
        });
        std::iter::once(section.title.as_str()).chain(columns)
    });
    let parts = sections.chain(context.parameters.keys().map(String::as_str)).map(|text| (Weight::Part, text));
    let own = [
        (Weight::Part, &*context.category),
        (Weight::Title, context.title.as_str()),
        (Weight::Prose, context.description.as_str()),
    ];
    names(context).chain(own).chain(parts).collect()
}

fn parts<'p>(row: &(&'p str, &'p str, &'p str)) -> Vec<(Weight, &'p str)> {
    vec![(Weight::Name, row.0), (Weight::Title, row.1), (Weight::Prose, row.2)]
}

fn nothing(catalog: &Catalog, query: &str, category: Option<&str>) -> String {
    let mut categories: Vec<&str> = catalog.listed().map(|context| &*context.category).collect();
    categories.sort_unstable();
    categories.dedup();
    let what = span(query, 80);
    let within = category.map(|category| format!(" of the category `{category}`")).unwrap_or_default();
    format!(
        "No context type{within} has any word of {what}. Try other words, such as what is slow, full or failing; leave \
         out `query` to see all of them, or pass a category: {}.",
        categories.iter().map(|category| format!("`{category}`")).collect::<Vec<_>>().join(", ")
    )
}

fn by_category(contexts: &[&Context]) -> String {
    let mut categories: Vec<&str> = contexts.iter().map(|context| &*context.category).collect();
    categories.sort_unstable();
    categories.dedup();
    let short = contexts.len() > MANY;
    let mut out = format!("{} context types", contexts.len());
    if short {
        out.push_str(". A search (`query`) or a `category` shows filters and windows");
    }
    out.push('\n');
    for category in categories {
        let _ = write!(out, "\n## {category}\n");
        for context in contexts.iter().filter(|context| &*context.category == category) {
            if short {
                let _ = writeln!(out, "- `{}`: {}", context.name, context.title);
            } else {
                whole(&mut out, context);
            }
        }
    }
    out
}

fn best_first(contexts: &[&Context]) -> String {
    let mut out = match contexts.len() {
        1 => "1 context type matches\n\n".to_owned(),
        n => format!("{n} context types match, the best first\n\n"),
    };
    contexts.iter().take(BEST).for_each(|context| whole(&mut out, context));
    let rest: Vec<String> = contexts.iter().skip(BEST).map(|context| format!("`{}`", context.name)).collect();
    if !rest.is_empty() {
        let _ = writeln!(out, "\nAlso: {}", rest.join(", "));
    }
    out
}

fn whole(out: &mut String, context: &Context) {
    let about = context.description.trim().replace('\n', " ");
    let _ = write!(out, "- `{}`: {}. {about}", context.name, context.title);
    let names = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if !context.aliases.is_empty() {
        let aliases: Vec<String> = context.aliases.iter().map(|alias| presented(context, alias)).collect();
        let _ = write!(out, " Also: {}.", aliases.join(", "));
    }
    if !context.parameters.is_empty() {
        let _ = write!(out, " Filters: {}.", names(context.parameters.keys().map(String::as_str).collect()));
    }
    let _ = writeln!(out, " Window: {}, at most {}.", context.window.default, context.window.max);
}

/// A name in code marks, and what it stands for.
fn presented(context: &Context, name: &str) -> String {
    let presets = context.presets.get(name).into_iter().flatten();
    let presets: Vec<String> = presets
        .map(|(filter, value)| format!("{filter}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    if presets.is_empty() { format!("`{name}`") } else { format!("`{name}` ({})", presets.join(", ")) }
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
                "tags": context.tags,
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

fn simple(what: &str, rows: Vec<(&str, &str, &str)>, as_json: bool) -> String {
    if as_json {
        let list: Vec<Value> = rows
            .into_iter()
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

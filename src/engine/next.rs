//! Where a reader of a document looks next: calls that a model can make as they are written, with values of its rows.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{
    current,
    document::{Document, NextCall, Status},
    forgotten,
    scene::{Scene, values},
    wanted::Wanted,
    window::{TimeWindow, parsed, stamp},
};
use crate::{
    catalog::{Catalog, NextKeys},
    definition::{Next, Window},
    template::{Flavour, bare, sentence},
};

/// Steps that a document tells.
pub(super) const MOST: usize = 3;
/// Longest value of a filter: a longer one is no name.
const VALUE: usize = 200;
/// How a template writes what there is none of.
const NONE: &str = "None";
/// Longest reason.
const WHY: usize = 200;

/// The first steps of a context type that its rows give a reason for. What is said of nothing, or of what could not be read, leads
/// nowhere.
pub(super) fn steps(catalog: &Catalog, wanted: &Wanted<'_>, scene: &Scene, document: &Document) -> Vec<NextCall> {
    let all = wanted.entry.definition.next.iter().zip(&wanted.entry.next);
    if wanted.entry.definition.next.is_empty() || document.sections.iter().all(|section| section.unrecorded) {
        return Vec::new();
    }
    let mut found: Vec<NextCall> = Vec::new();
    for (step, keys) in all {
        let Some(call) = call(catalog, wanted, document, scene, step, keys) else { continue };
        if found.len() < MOST
            && !found.iter().any(|other| (&other.tool, &other.arguments) == (&call.tool, &call.arguments))
        {
            found.push(call);
        }
    }
    found
}

fn call(
    catalog: &Catalog,
    wanted: &Wanted<'_>,
    document: &Document,
    scene: &Scene,
    step: &Next,
    keys: &NextKeys,
) -> Option<NextCall> {
    let (tool, by_name) = catalog.tool_for(&step.context)?;
    let rows: Vec<minijinja::Value> = match &step.each {
        None => vec![().into()],
        Some(each) => {
            let section = document.sections.iter().find(|section| section.name == *each)?;
            let names = keys.when.as_ref().map(|when| catalog.templates.variables(Flavour::Plain, when));
            let lender = current::lender(wanted, document, section, &names.unwrap_or_default());
            if section.unrecorded || section.status != Status::Ok || lender.is_some_and(|lender| lender.is_missing) {
                return None;
            }
            values(forgotten::judged(section).unwrap_or_else(|| section.records()))
        }
    };
    let holds = |row: &minijinja::Value| {
        keys.when.as_ref().is_none_or(|when| catalog.templates.holds(when, scene.around(row)).unwrap_or(false))
    };
    let row = rows.into_iter().find(holds)?;
    let mut filters = Map::new();
    for (name, key) in &keys.filters {
        let value = catalog.templates.render(Flavour::Plain, key, scene.around(&row)).ok()?;
        let value = value.trim();
        // What does not stand in a line as it is would be another value.
        if value.is_empty() || value == NONE || bare(value, VALUE) != value {
            return None;
        }
        filters.insert(name.clone(), json!(value));
    }
    let why = catalog.templates.render(Flavour::Evidence, &keys.why, scene.around(&row)).ok()?;
    let around = match &keys.around {
        Some(key) => {
            let text = catalog.templates.render(Flavour::Plain, key, scene.around(&row)).ok()?;
            let text = text.trim();
            let at = parsed(text);
            if at.is_none() && !text.is_empty() && text != NONE {
                tracing::warn!(context = wanted.name, step = %step.context, text, "`around` of a step is no time: it is not told.");
            }
            Some(at?)
        }
        None => None,
    };
    let target = &catalog.context(&step.context)?.definition;
    let next = window(&target.window, document.window, around);
    // The document that is being read is no next one.
    if target.name == wanted.entry.definition.name && next == document.window && asks_for(&filters, document) {
        return None;
    }
    let TimeWindow { from, to } = next;
    let mut arguments = Map::new();
    if by_name {
        arguments.insert("context_type".to_owned(), json!(step.context));
        if let Some(service) = filters.remove("service") {
            arguments.insert("service_name".to_owned(), service);
        }
        if !filters.is_empty() {
            arguments.insert("filters".to_owned(), Value::Object(filters));
        }
    } else {
        arguments.extend(filters);
    }
    arguments.insert("start".to_owned(), json!(stamp(from)));
    arguments.insert("end".to_owned(), json!(stamp(to)));
    if let Some(organisation) = wanted.organization_id {
        arguments.insert("organization_id".to_owned(), json!(organisation));
    }
    Some(NextCall { tool: tool.to_owned(), arguments, why: sentence(&why, WHY) })
}

/// Whether filters are those of the document.
fn asks_for(filters: &Map<String, Value>, document: &Document) -> bool {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    filters.len() == document.filters.len()
        && document.filters.iter().all(|(name, own)| filters.get(name).is_some_and(|value| text(value) == text(own)))
}

/// The window of a step: that of the document or a time in it, as that type's `limits` have it.
fn window(limits: &Window, own: TimeWindow, around: Option<OffsetDateTime>) -> TimeWindow {
    match around {
        Some(at) => {
            let (length, half) = (limits.default.0, limits.default.0 / 2);
            // What lies behind the document's window is not within one that ends with it.
            let after = if at < own.to { own.to.min(at + half) } else { at + half };
            // What began a moment ago is mostly still there: the window goes on to the end of the document's.
            let to = if at < own.to && own.to - at <= length && length + half <= limits.max.0 { own.to } else { after };
            TimeWindow { from: (to - length).min(at - half), to }
        }
        None => TimeWindow { from: own.from.max(own.to - limits.max.0), to: own.to },
    }
}

//! Where a person opens what a document shows: the operator's addresses, filled from its rows.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    document::{Document, Opens, SectionAnswer},
    window::stamp,
};
use crate::{
    settings::Link,
    template::{bare, url_encoded},
};

/// Addresses that a document tells.
pub(super) const MOST: usize = 5;
/// Longest value in an address.
const VALUE: usize = 200;

/// Each link once: from the first row, of the first section that shows one, with a value in all its columns.
pub(super) fn of(links: &BTreeMap<String, Link>, document: &Document) -> Vec<Opens> {
    let filled = |(name, link): (&String, &Link)| {
        document.sections.iter().filter(|section| section.is_shown() && !section.unrecorded).find_map(|section| {
            let address = address(link, document, section)?;
            Some(Opens { name: name.clone(), of: section.title.clone(), address })
        })
    };
    links.iter().filter_map(filled).take(MOST).collect()
}

fn address(link: &Link, document: &Document, section: &SectionAnswer) -> Option<String> {
    let at = |name: &str| section.columns.iter().position(|column| is_it(&column.name, name));
    let places: Vec<(&str, usize)> = link.columns().map(|name| Some((name, at(name)?))).collect::<Option<_>>()?;
    section.rows.iter().find_map(|row| {
        link.address(|name| {
            let value = match places.iter().find(|(place, _)| *place == name) {
                Some((_, column)) => text(row.get(*column)?)?,
                None => of_document(document, name)?,
            };
            Some(url_encoded(&value))
        })
    })
}

/// Whether a column holds what a place names: `sample_trace_id` holds a `trace_id`.
fn is_it(column: &str, place: &str) -> bool {
    column == place || column.strip_suffix(place).is_some_and(|rest| rest.ends_with('_'))
}

/// A value that is a name or a number; anything else would be another one in an address.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && bare(text, VALUE) == *text => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn of_document(document: &Document, name: &str) -> Option<String> {
    let millis = |at: time::OffsetDateTime| (at.unix_timestamp_nanos() / 1_000_000).to_string();
    match name {
        "from" => Some(stamp(document.window.from)),
        "to" => Some(stamp(document.window.to)),
        "from_ms" => Some(millis(document.window.from)),
        "to_ms" => Some(millis(document.window.to)),
        "organization_id" => document.organisation.as_ref().map(|organisation| organisation.id.clone()),
        _ => None,
    }
}

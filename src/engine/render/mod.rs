//! Documents and rows as text within a budget: whole rows are left out, never parts of them, and counted.
//!
//! Data is untrusted: tables stand in a fence longer than any run of back-quotes inside them, values lose control
//! and invisible characters, and everything outside the fence is ours or defused (`template/evidence`).

mod budget;
mod json;
mod markdown;
mod table;

use indexmap::IndexMap;
use serde_json::Value;

use super::document::Document;
use crate::template::{one_line, unseen};

pub use markdown::body;
pub use table::{Answered, Limited, fenced, rows};

/// The form of a rendered document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Markdown,
    Csv,
    Json,
}

impl Format {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "markdown" => Some(Self::Markdown),
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A document in at most `max_chars` characters.
pub fn document(document: &Document, format: Format, max_chars: usize) -> String {
    match format {
        Format::Markdown => markdown::document(document, max_chars),
        Format::Csv => markdown::csv(document, max_chars),
        Format::Json => json::document(document, max_chars),
    }
}

/// A document as the answer of a tool, in at most `max_chars` characters, and what it is of JSON. Comma-separated values
/// and JSON stand in a fence as tables do: who reads an answer is a model first.
pub fn answer(shown: &Document, format: Format, max_chars: usize) -> (String, Option<String>) {
    let language = match format {
        Format::Markdown => return (document(shown, format, max_chars), None),
        Format::Csv => "csv",
        Format::Json => "json",
    };
    let mut room = max_chars.saturating_sub(table::fenced(language, "").len());
    loop {
        let inner = document(shown, format, room);
        let text = table::fenced(language, &inner);
        let over = text.chars().count().saturating_sub(max_chars);
        // Only a run of back-quotes in the data makes the fence longer.
        if over == 0 || over > room {
            return (text, (format == Format::Json).then_some(inner));
        }
        room -= over;
    }
}

/// `service=checkout, severity=critical`.
pub fn filters(filters: &IndexMap<String, Value>) -> String {
    let pairs: Vec<String> = filters
        .iter()
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| said(value).to_string(), str::to_owned);
            // Two values that look the same are told apart.
            let unseen = unseen(&value).map(|unseen| format!(" ({unseen})")).unwrap_or_default();
            format!("{name}={}{unseen}", one_line(&value, 80))
        })
        .collect();
    pairs.join(", ")
}

/// An object without the properties that say nothing.
fn said(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), said(value)))
            .collect(),
        other => other.clone(),
    }
}

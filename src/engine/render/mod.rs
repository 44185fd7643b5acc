//! Documents and rows as text within a budget: whole rows are left out, never parts of them, and counted.
//!
//! Data is untrusted: tables stand in a fence longer than any run of back-quotes inside them, values lose control
//! and invisible characters, and everything outside the fence is ours or defused.

mod budget;
mod json;
mod markdown;
mod table;

use indexmap::IndexMap;
use serde_json::Value;

use super::document::Document;
use crate::template::one_line;

pub use markdown::body;
pub use table::{csv_text, json_text, rows_as_text};

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

/// `service=checkout, severity=critical`.
pub fn filters(filters: &IndexMap<String, Value>) -> String {
    let pairs: Vec<String> = filters
        .iter()
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}={}", one_line(&value, 80))
        })
        .collect();
    pairs.join(", ")
}

//! Answers as values, for programs: the structured content beside the text (docs/adr/0018).
//!
//! The text holds the whole answer, since many clients show a model nothing else. Others show it the structured content
//! instead, so this one says what it leaves out: of a long answer it holds the beginning, and nothing is sent twice that
//! is large.

use serde_json::{Map, Value, json};

use super::{document::Document, render};
use crate::{
    source::Rows,
    template::{clean, clean_value},
};

/// Longest structured content, in characters.
const MOST: usize = 16_000;

/// The text may have been cut too, and rows that were never read are counted nowhere.
const OMITTED: &str = "So many rows were read and are not here. The text of this answer may show more of them; to see all, aggregate, \
                       filter or read in parts.";

/// Rows of a statement: columns once, rows as lists.
pub fn rows(rows: &Rows) -> Value {
    let columns: Vec<String> = rows.columns.iter().map(|column| clean(&column.name)).collect();
    let mut left = MOST.saturating_sub(json!(columns).to_string().chars().count());
    let mut shown: Vec<Value> = Vec::new();
    for row in &rows.rows {
        let row = Value::Array(row.iter().map(clean_value).collect());
        let Some(rest) = left.checked_sub(row.to_string().chars().count() + 1) else { break };
        left = rest;
        shown.push(row);
    }
    let omitted = rows.rows.len() - shown.len();
    let mut value = Map::new();
    value.insert("columns".into(), json!(columns));
    value.insert("rows".into(), shown.into());
    value.insert("truncated".into(), (rows.truncated.is_some() || omitted > 0).into());
    if omitted > 0 {
        value.insert("omitted_rows".into(), omitted.into());
        value.insert("note".into(), OMITTED.into());
    }
    value.into()
}

/// A document as its JSON form says it.
pub fn document(document: &Document, max_chars: usize) -> Option<Value> {
    serde_json::from_str(&render::document(document, render::Format::Json, max_chars.min(MOST))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Column, ColumnType, Truncation};

    fn asked(count: usize, width: usize, truncated: Option<Truncation>) -> Value {
        let columns = vec![Column { name: "t".into(), ty: ColumnType::Text }];
        rows(&Rows { columns, rows: vec![vec![json!("x".repeat(width))]; count], truncated, ..Rows::default() })
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let long = asked(100, 1_000, None);
        let shown = long["rows"].as_array().unwrap().len();
        assert_eq!((shown, &long["omitted_rows"], &long["truncated"]), (15, &json!(85), &json!(true)));
        assert!(
            long.to_string().len() < MOST + 500 && long["note"].as_str().unwrap().contains("may show more"),
            "{long}"
        );
        let none = asked(1, 60_000, None);
        assert_eq!((&none["rows"], &none["omitted_rows"]), (&json!([]), &json!(1)));
    }

    #[test]
    fn a_short_answer_is_whole_unless_its_reading_was_cut() {
        for (truncated, cut) in [(None, false), (Some(Truncation::Rows), true)] {
            let short = asked(2, 3, truncated);
            assert_eq!(short, json!({"columns": ["t"], "rows": [["xxx"], ["xxx"]], "truncated": cut}));
        }
    }
}

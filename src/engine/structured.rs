//! Answers as values, for programs: the structured content beside the text (docs/adr/0018).
//!
//! The text holds the whole answer, since many clients show a model nothing else. Others show it the structured content
//! instead, so this one says what it leaves out: of a long answer it holds the beginning, and nothing is sent twice that
//! is large.

use serde_json::{Map, Value, json};

use super::{
    cut::{Cap, Cut, Limit},
    document::{Document, Total},
    render::{self, Answered},
};
use crate::{
    source::Rows,
    template::{clean, clean_value},
};

/// Longest structured content, in characters; less where an answer may have less.
const MOST: usize = 16_000;

/// Rows of a statement: columns once, rows as lists. `answer` is the text beside them.
pub fn rows(rows: &Rows, answer: &Answered, most: usize) -> Value {
    let most = most.min(MOST);
    let columns: Vec<String> = rows.columns.iter().map(|column| clean(&column.name)).collect();
    let mut left = most.saturating_sub(json!(columns).to_string().chars().count());
    let mut shown: Vec<Value> = Vec::new();
    for row in &rows.rows {
        let row = Value::Array(row.iter().map(clean_value).collect());
        let Some(rest) = left.checked_sub(row.to_string().chars().count() + 1) else { break };
        left = rest;
        shown.push(row);
    }
    let read = rows.rows.len();
    let omitted = read - shown.len();
    let mut value = Map::new();
    value.insert("columns".into(), json!(columns));
    value.insert("rows".into(), shown.into());
    value.insert("truncated".into(), (answer.unread.is_some() || omitted > 0).into());
    match (&answer.unread, omitted) {
        (None, 0) => {}
        (None, _) => drop(value.insert("omitted_rows".into(), omitted.into())),
        // One row more is all that is known of those that were not read.
        (Some(_), _) => drop(value.insert("omitted_rows_at_least".into(), (omitted + 1).into())),
    }
    let mut note = Vec::new();
    if omitted > 0 {
        let in_the_text = match answer.shown {
            0 => "no row".to_owned(),
            all if all == read => format!("all {read} rows that were read"),
            some => format!("the first {some} of {read} rows that were read"),
        };
        note.push(format!("What is here has at most {most} characters; the text of this answer shows {in_the_text}."));
    }
    if let Some(cut) = answer.unread {
        note.push(format!("Not all rows were read: {}.", cut.why()));
    }
    let seen = Total { count: read, more: answer.unread.is_some() };
    let here = if answer.shown == read { Cut::new(Cap::Structured, Limit::Chars(most)) } else { answer.chars };
    let cut = answer.unread.unwrap_or(here.seeing(seen));
    let what_to_do = cut.cap.what_to_do();
    if !note.is_empty() {
        value.insert("cut".into(), cut.to_value());
        note.push(format!("What to do: {what_to_do}."));
        value.insert("note".into(), note.join(" ").into());
    }
    value.into()
}

/// A document as the JSON of its text says it; of a long one the beginning.
pub fn document(document: &Document, text: &str, most: usize) -> Option<Value> {
    let most = most.min(MOST);
    if text.chars().count() <= most {
        return serde_json::from_str(text).ok();
    }
    let mut value: Value = serde_json::from_str(&render::document(document, render::Format::Json, most)).ok()?;
    if let Some(cut) = value.get_mut("cut") {
        *cut = Cut::new(Cap::Structured, Limit::Chars(most)).to_value();
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        definition::OutputFormat,
        engine::render::Limited,
        source::{Column, ColumnType, Truncation},
    };

    fn asked(count: usize, width: usize, truncated: Option<Truncation>, chars: usize) -> Value {
        let columns = vec![Column { name: "t".into(), ty: ColumnType::Text }];
        let answer = Rows { columns, rows: vec![vec![json!("x".repeat(width))]; count], truncated, ..Rows::default() };
        let limited = Limited {
            rows: Cut::new(Cap::Caller, Limit::Rows(count)),
            bytes: Cut::new(Cap::Bytes, Limit::Bytes(4 << 20)),
            chars: Cut::new(Cap::Chars, Limit::Chars(chars)),
            max_chars: chars,
            nothing: "",
        };
        rows(&answer, &render::rows(&answer, OutputFormat::Table, &limited), MOST)
    }

    #[test]
    fn what_is_left_out_is_counted_as_far_as_it_is_known() {
        for (count, width, truncated, (here, key, omitted), said) in [
            (100, 1_000, None, (15, "omitted_rows", 85), "shows the first 49 of 100 rows that were read."),
            (40, 1_000, None, (15, "omitted_rows", 25), "shows all 40 rows that were read."),
            (1, 60_000, None, (0, "omitted_rows", 1), "shows no row."),
            (
                50,
                1_000,
                Some(Truncation::Rows),
                (15, "omitted_rows_at_least", 36),
                "more than `max_rows`, which is 50.",
            ),
            (
                3,
                3,
                Some(Truncation::Rows),
                (3, "omitted_rows_at_least", 1),
                "What to do: aggregate, filter or raise it.",
            ),
            (
                41,
                100_000,
                Some(Truncation::Bytes),
                (0, "omitted_rows_at_least", 42),
                "shows no row. Not all rows were read: this server reads at most 4MiB",
            ),
        ] {
            let value = asked(count, width, truncated, 50_000);
            let shown = value["rows"].as_array().unwrap().len();
            assert_eq!((shown, &value[key], &value["truncated"]), (here, &json!(omitted), &json!(true)), "{value}");
            assert!(value["note"].as_str().unwrap().contains(said), "{value}");
            assert!(value.to_string().len() < MOST + 600);
        }
    }

    #[test]
    fn what_breaks_a_line_is_kept_and_what_hides_text_is_not() {
        let columns = vec![Column { name: "a\nb".into(), ty: ColumnType::Text }];
        let text = "at f()\r\n\tat g()\u{2028}\u{202e}end\u{1b}[0m";
        let answer = Rows { columns, rows: vec![vec![json!({ "stack": [text] })]], ..Rows::default() };
        let limited = Limited {
            rows: Cut::new(Cap::Caller, Limit::Rows(10)),
            bytes: Cut::new(Cap::Bytes, Limit::Bytes(4 << 20)),
            chars: Cut::new(Cap::Chars, Limit::Chars(1_000)),
            max_chars: 1_000,
            nothing: "",
        };
        let value = rows(&answer, &render::rows(&answer, OutputFormat::Table, &limited), MOST);
        assert_eq!(value["columns"], json!(["a b"]));
        assert_eq!(value["rows"], json!([[{ "stack": ["at f()\n\tat g()\nend[0m"] }]]));
    }

    #[test]
    fn a_whole_answer_says_nothing_of_that_whatever_its_text_shows() {
        for chars in [50_000, 5] {
            let short = asked(2, 3, None, chars);
            assert_eq!(short, json!({"columns": ["t"], "rows": [["xxx"], ["xxx"]], "truncated": false}));
        }
    }
}

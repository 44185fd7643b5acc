//! Documents as JSON: columns once, rows as arrays.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::budget::{Cost, share};
use crate::{
    engine::{
        cut::{Cut, Limit, head},
        document::{Document, NextCall, Opens, SectionAnswer, Zone, remark},
        window::stamp,
    },
    source::ColumnType,
    template::{clean, clean_value, sentence},
};

/// Longest text of a filter, in characters: the caller knows what was asked.
const FILTER_CHARS: usize = 300;

/// The document in at most `max_chars` characters of valid JSON, if its frame fits.
pub fn document(document: &Document, max_chars: usize) -> String {
    let blank: Vec<Value> = document.sections.iter().map(|section| self::section(section, &[], false)).collect();
    let costs: Vec<Cost> = document
        .sections
        .iter()
        .zip(&blank)
        .map(|(section, blank)| Cost {
            // The name, its quotes, colon and comma, and room for the count of what is left out.
            frame: chars(&blank.to_string()) + section.name.len() + if section.total.more { 25 } else { 16 },
            rows: section.rows.iter().map(|row| chars(&self::row(section, row).to_string()) + 1).collect(),
        })
        .collect();
    let mut highlights = document.highlights.len();
    loop {
        let frame = chars(&assemble(document, max_chars, highlights, &[]).to_string()) + 150;
        if frame * 2 > max_chars && highlights > 0 {
            highlights -= 1;
            continue;
        }
        let kept = share(max_chars.saturating_sub(frame), &costs);
        return assemble(document, max_chars, highlights, &kept).to_string();
    }
}

fn assemble(document: &Document, max_chars: usize, highlights: usize, kept: &[Option<usize>]) -> Value {
    let mut sections = serde_json::Map::new();
    let (mut omitted, mut dropped) = (0, false);
    for (section, kept) in document.sections.iter().zip(kept) {
        match kept {
            Some(n) => {
                let rows: Vec<Value> = section.rows.iter().take(*n).map(|row| self::row(section, row)).collect();
                let for_room = section.rows.len() > rows.len();
                dropped |= for_room;
                sections.insert(section.name.clone(), self::section(section, &rows, for_room));
            }
            None => omitted += 1,
        }
    }
    let remarks: Vec<Value> = document.highlights.iter().take(highlights).map(remark).collect();
    let remarked = remarks.len();
    let mut value = json!({
        "context_type": document.context_type,
        "status": document.status.as_str(),
        "window": { "from": stamp(document.window.from), "to": stamp(document.window.to) },
        "organization_id": document.organisation.as_ref().map(|organisation| &organisation.id),
        "filters": filters(&document.filters),
        "summary": sentence(&document.summary, max_chars / 3),
        "highlights": remarks,
        "sections": sections,
    });
    if let (Some(workspace), Some(object)) = (&document.workspace, value.as_object_mut()) {
        object.insert("workspace_id".into(), json!(workspace.id));
    }
    if let (false, Some(object)) = (document.next.is_empty(), value.as_object_mut()) {
        object.insert("next".into(), document.next.iter().map(NextCall::to_value).collect());
    }
    if let (false, Some(object)) = (document.links.is_empty(), value.as_object_mut()) {
        object.insert("links".into(), document.links.iter().map(Opens::to_value).collect());
    }
    if let (false, Some(object)) = (document.notes.is_empty(), value.as_object_mut()) {
        object.insert("notes".into(), json!(document.notes));
    }
    if let (true, Some(object)) = (omitted > 0, value.as_object_mut()) {
        object.insert("omitted_sections".into(), json!(omitted));
    }
    let unsaid = document.highlights.len() - remarked;
    if let (1.., Some(object)) = (unsaid, value.as_object_mut()) {
        object.insert("omitted_highlights".into(), json!(unsaid));
    }
    if let (true, Some(object)) = (omitted > 0 || dropped || unsaid > 0, value.as_object_mut()) {
        object.insert("cut".into(), Cut::new(document.movable.length(), Limit::Chars(max_chars)).to_value());
    }
    value
}

/// A section with the first of its rows; `for_room`: fewer than are shown, as the document says.
fn section(section: &SectionAnswer, rows: &[Value], for_room: bool) -> Value {
    let mut value = json!({ "title": section.title, "status": section.word() });
    let Some(object) = value.as_object_mut() else { return value };
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(key.to_owned(), value);
        }
    };
    set("cut", section.ended.map(Cut::to_value));
    set("message", section.message.clone().or_else(|| section.unsaid()).map(|message| json!(message)));
    set("hint", section.hint.as_ref().map(|hint| json!(hint)));
    set("note", section.note.as_ref().map(|note| json!(note)));
    let covered = section.covered();
    set("partial", (!covered.is_empty()).then(|| json!(covered)));
    set("remarks", (!section.remarks.is_empty()).then(|| json!(section.remarks)));
    let ignored = &section.narrowed.not_by;
    set("not_narrowed_by", (!ignored.is_empty()).then(|| json!(ignored)));
    set("window", section.window.map(|window| json!({ "from": stamp(window.from), "to": stamp(window.to) })));
    if !section.columns.is_empty() {
        let columns: Vec<Value> = section
            .columns
            .iter()
            .map(|column| {
                let shown = [
                    ("name", Some(clean(&column.name))),
                    ("type", Some(type_word(column.ty).to_owned())),
                    ("unit", column.unit.clone()),
                    ("zone", column.zone.map(|zone| if zone == Zone::Utc { "UTC" } else { "unknown" }.to_owned())),
                ];
                shown.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value?)))).collect()
            })
            .map(Value::Object)
            .collect();
        set("columns", Some(json!(columns)));
        set("rows", Some(json!(rows)));
        let total = if section.total.more { "total_at_least" } else { "total" };
        set(total, Some(json!(section.total.count)));
        set("truncated", section.cut.map(|_| json!(true)));
        // What leaves out more than this cut is said of the whole document.
        set("cut", section.cut.filter(|_| !for_room).map(Cut::to_value));
        set("unread", section.unread.map(Cut::to_value));
        // Of more rows than were counted, more are left out than that.
        let left_out = section.total.count.max(section.rows.len()).saturating_sub(rows.len());
        let omits = if section.total.more { "omitted_rows_at_least" } else { "omitted_rows" };
        set(omits, (left_out > 0 || section.total.more).then(|| json!(left_out)));
    }
    value
}

fn row(section: &SectionAnswer, row: &[Value]) -> Value {
    let cells = section.columns.iter().zip(row).map(|(column, value)| match value {
        Value::String(text) => shortened(text, column.max_chars),
        other => clean_value(other),
    });
    Value::Array(cells.collect())
}

/// The filters in force, as the arguments of a call name them.
fn filters(filters: &IndexMap<String, Value>) -> Value {
    let shown = filters.iter().map(|(name, value)| {
        let value = match value {
            Value::String(text) => shortened(text, FILTER_CHARS),
            other => clean_value(other),
        };
        (name.clone(), value)
    });
    Value::Object(shown.collect())
}

fn shortened(text: &str, max_chars: usize) -> Value {
    Value::String(head(clean(text), max_chars))
}

/// The type of a column, as JSON answers name it.
fn type_word(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::Boolean => "boolean",
        ColumnType::Integer => "integer",
        ColumnType::Float => "float",
        ColumnType::Decimal => "decimal",
        ColumnType::Text => "text",
        ColumnType::Timestamp => "timestamp",
        ColumnType::LocalTimestamp => "timestamp without zone",
        ColumnType::Date => "date",
        ColumnType::Uuid => "uuid",
        ColumnType::Array => "array",
        ColumnType::Object => "object",
        ColumnType::Binary => "binary",
        ColumnType::Other => "other",
    }
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

//! The text of a file with the entry in it, and with what the client asks a person for because of it.

use serde_json::{Map, Value, json};

use super::{
    edit::{self, Change, Format},
    entry::Entry,
    table::{Known, Place},
};

/// The text with the entry in it. What only the entry of before asked for is asked no more.
pub(super) fn with(
    format: Format,
    old: &str,
    place: &Place,
    name: &str,
    entry: &Entry,
    known: &Known,
) -> anyhow::Result<String> {
    let value = Value::Object(entry.value.clone());
    let document = format.read(old)?;
    let before = edit::find(&document, &place.at, name);
    let mut text = old.to_owned();
    if before != Some(&value) {
        text = format.apply(&text, &Change { at: &place.at, name, value: Some(&value) })?;
    }
    let Some(path) = &known.inputs else { return Ok(text) };
    let Some((list, at)) = path.split_last() else { return Ok(text) };
    if let Some(before) = before.and_then(Value::as_object) {
        text = without(format, &text, path, name, before)?;
    }
    let document = format.read(&text)?;
    let mut asked = match edit::find(&document, at, list) {
        Some(Value::Array(asked)) => asked.clone(),
        _ => Vec::new(),
    };
    let before = asked.len();
    for wanted in entry.inputs.iter().map(asked_for) {
        if !asked.iter().any(|found| found.get("id") == wanted.get("id")) {
            asked.push(wanted);
        }
    }
    if asked.len() == before {
        return Ok(text);
    }
    format.apply(&text, &Change { at, name: list, value: Some(&Value::Array(asked)) })
}

/// Without what only an entry that is gone asked for.
pub(super) fn without(
    format: Format,
    text: &str,
    at: &[String],
    name: &str,
    gone: &Map<String, Value>,
) -> anyhow::Result<String> {
    let document = format.read(text)?;
    let Some((list, at)) = at.split_last() else { return Ok(text.to_owned()) };
    let Some(Value::Array(asked)) = edit::find(&document, at, list) else { return Ok(text.to_owned()) };
    let (gone, rest) = (Value::Object(gone.clone()).to_string(), document.to_string());
    let kept: Vec<Value> = asked
        .iter()
        .filter(|input| {
            let id = input.get("id").and_then(Value::as_str).unwrap_or_default();
            let used = format!("${{input:{id}}}");
            !(id.starts_with(&format!("{name}-")) && gone.contains(&used) && !rest.contains(&used))
        })
        .cloned()
        .collect();
    if kept.len() == asked.len() {
        return Ok(text.to_owned());
    }
    let kept = Value::Array(kept);
    let value = kept.as_array().is_some_and(|kept| !kept.is_empty()).then_some(&kept);
    format.apply(text, &Change { at, name: list, value })
}

/// What a client asks a person for.
pub(super) fn asked_for((id, asked): &(String, String)) -> Value {
    json!({ "type": "promptString", "id": id, "description": asked, "password": true })
}

//! TOML.

use anyhow::Context;
use serde_json::{Map, Value, json};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike};

use super::Change;

pub(super) fn read(text: &str) -> anyhow::Result<Value> {
    let document: DocumentMut = text.parse()?;
    Ok(of_table(document.as_table()))
}

fn of_table(table: &dyn TableLike) -> Value {
    Value::Object(table.iter().map(|(key, item)| (key.to_owned(), of_item(item))).collect())
}

fn of_item(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => of_value(value),
        Item::Table(table) => of_table(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| of_table(table)).collect(),
    }
}

fn of_value(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => json!(text.value()),
        toml_edit::Value::Integer(number) => json!(number.value()),
        toml_edit::Value::Float(number) => json!(number.value()),
        toml_edit::Value::Boolean(flag) => json!(flag.value()),
        toml_edit::Value::Datetime(time) => json!(time.value().to_string()),
        toml_edit::Value::Array(items) => items.iter().map(of_value).collect(),
        toml_edit::Value::InlineTable(table) => of_table(table),
    }
}

pub(super) fn apply(text: &str, change: &Change<'_>) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse()?;
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for key in change.at {
        if !table.contains_key(key) {
            if change.value.is_none() {
                return Ok(text.to_owned());
            }
            // Without a heading of its own: the servers have theirs.
            let mut servers = Table::new();
            servers.set_implicit(true);
            table.insert(key, Item::Table(servers));
        }
        let item = table.get_mut(key).context("a table vanished")?;
        table = item.as_table_like_mut().with_context(|| format!("`{key}` is no table"))?;
    }
    let Some(Value::Object(wanted)) = change.value else {
        table.remove(change.name);
        return Ok(document.to_string());
    };
    match table.get_mut(change.name).and_then(Item::as_table_like_mut) {
        Some(entry) => merge(entry, wanted)?,
        None => {
            let mut entry = Table::new();
            merge(&mut entry, wanted)?;
            table.insert(change.name, Item::Table(entry));
        }
    }
    Ok(document.to_string())
}

/// Makes a table say what is wanted, and touches only what differs.
fn merge(entry: &mut dyn TableLike, wanted: &Map<String, Value>) -> anyhow::Result<()> {
    let found = of_table(entry);
    for (key, value) in wanted.iter().filter(|(key, value)| found.get(*key) != Some(*value)) {
        match (entry.get_mut(key).and_then(Item::as_table_like_mut), value) {
            (Some(inner), Value::Object(wanted)) => merge(inner, wanted)?,
            _ => drop(entry.insert(key, Item::Value(to_value(value)?))),
        }
    }
    for key in found.as_object().into_iter().flat_map(Map::keys).filter(|key| !wanted.contains_key(*key)) {
        entry.remove(key);
    }
    Ok(())
}

fn to_value(value: &Value) -> anyhow::Result<toml_edit::Value> {
    Ok(match value {
        Value::Null => anyhow::bail!("TOML has no null"),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().unwrap_or_default().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => {
            let mut array = Array::new();
            for item in items {
                array.push(to_value(item)?);
            }
            array.into()
        }
        Value::Object(members) => {
            let mut table = InlineTable::new();
            for (key, value) in members {
                table.insert(key, to_value(value)?);
            }
            table.into()
        }
    })
}

//! TOML.

use anyhow::Context;
use serde_json::{Map, Value, json};
use toml_edit::{Array, DocumentMut, InlineTable, Item, RawString, Table, TableLike};

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
    let end = document.trailing().as_str().unwrap_or_default().to_owned();
    let last = positions(document.as_table()).max();
    let mut inline = false;
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
        inline |= item.is_value();
        table = item.as_table_like_mut().with_context(|| format!("`{key}` is no table"))?;
    }
    let Some(Value::Object(wanted)) = change.value else {
        let gone = table.remove(change.name);
        if let Some(Item::Table(gone)) = gone {
            keep_what_led_to(&gone, &mut document);
        }
        return Ok(document.to_string());
    };
    match table.get_mut(change.name).and_then(Item::as_table_like_mut) {
        Some(entry) => merge(entry, wanted)?,
        None => {
            let mut entry = Table::new();
            // What stands at the end of the file stays before what is added.
            let moved = !inline && !end.trim().is_empty();
            if moved {
                let gap = if end.ends_with('\n') { "\n" } else { "\n\n" };
                entry.decor_mut().set_prefix(format!("{end}{gap}"));
            }
            merge(&mut entry, wanted)?;
            // Behind every other table: comments at the end of one belong to it, and nobody can tell them from those
            // that lead to the next.
            entry.set_position(last.map(|last| last + 1));
            table.insert(change.name, Item::Table(entry));
            if moved {
                document.set_trailing("");
            }
        }
    }
    Ok(document.to_string())
}

/// Puts comments above an entry that is gone, a blank line apart from it, before what comes next: they are about what
/// stands there, or about the file.
fn keep_what_led_to(gone: &Table, document: &mut DocumentMut) {
    let above = gone.decor().prefix().and_then(RawString::as_str).unwrap_or_default().replace("\r\n", "\n");
    let Some((apart, _)) = above.rsplit_once("\n\n").filter(|(apart, _)| apart.contains('#')) else { return };
    let last = positions(gone).max();
    let next = positions(document.as_table()).filter(|position| Some(*position) > last).min();
    match next.and_then(|next| at_position(document.as_table_mut(), next)) {
        Some(table) => {
            let own = table.decor().prefix().and_then(RawString::as_str).unwrap_or_default();
            let both = format!("{apart}\n{own}");
            table.decor_mut().set_prefix(both);
        }
        None => {
            let end = format!("{apart}\n{}", document.trailing().as_str().unwrap_or_default());
            document.set_trailing(end);
        }
    }
}

/// Where tables stand in the document: a table itself, and those below it.
fn positions(table: &Table) -> Box<dyn Iterator<Item = isize> + '_> {
    let below = table.iter().flat_map(|(_, item)| match item {
        Item::Table(table) => positions(table),
        Item::ArrayOfTables(tables) => Box::new(tables.iter().flat_map(positions)),
        Item::None | Item::Value(_) => Box::new(std::iter::empty()) as Box<dyn Iterator<Item = isize>>,
    });
    Box::new(table.position().into_iter().chain(below))
}

fn at_position(table: &mut Table, position: isize) -> Option<&mut Table> {
    if table.position() == Some(position) {
        return Some(table);
    }
    table.iter_mut().find_map(|(_, item)| match item {
        Item::Table(table) => at_position(table, position),
        Item::ArrayOfTables(tables) => tables.iter_mut().find_map(|table| at_position(table, position)),
        Item::None | Item::Value(_) => None,
    })
}

/// Makes a table say what is wanted, and touches only what differs.
fn merge(entry: &mut dyn TableLike, wanted: &Map<String, Value>) -> anyhow::Result<()> {
    let found = of_table(entry);
    for (key, value) in wanted.iter().filter(|(key, value)| found.get(*key) != Some(*value)) {
        match (entry.get_mut(key), value) {
            (Some(Item::Value(toml_edit::Value::Array(list))), Value::Array(wanted)) => lay(list, wanted)?,
            (Some(item), Value::Object(wanted)) if item.is_table_like() => {
                merge(item.as_table_like_mut().context("a table vanished")?, wanted)?;
            }
            // In its place, so that comments around it stay.
            (Some(Item::Value(old)), value) => {
                let mut new = to_value(value)?;
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
            (_, value) => drop(entry.insert(key, Item::Value(to_value(value)?))),
        }
    }
    for key in found.as_object().into_iter().flat_map(Map::keys).filter(|key| !wanted.contains_key(*key)) {
        entry.remove(key);
    }
    Ok(())
}

/// Makes a list say what is wanted. Elements from its beginning that stay are not touched.
fn lay(list: &mut Array, wanted: &[Value]) -> anyhow::Result<()> {
    let mut missing = wanted.iter().peekable();
    list.retain(|element| missing.next_if(|wanted| of_value(element) == **wanted).is_some());
    for value in missing {
        list.push(to_value(value)?);
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

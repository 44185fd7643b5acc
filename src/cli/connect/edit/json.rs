//! JSON, with comments where a client allows them.

use anyhow::anyhow;
use jsonc_parser::{
    ParseOptions,
    cst::{CstArray, CstInputValue, CstObject, CstRootNode},
};
use serde_json::{Map, Value};

use super::Change;

pub(super) fn read(text: &str) -> anyhow::Result<Value> {
    Ok(root(text)?.to_serde_value().unwrap_or_default())
}

/// As leniently as editors read it: what is there is kept as it is written.
fn root(text: &str) -> anyhow::Result<CstRootNode> {
    CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| anyhow!("{error}"))
}

pub(super) fn apply(text: &str, change: &Change<'_>) -> anyhow::Result<String> {
    if text.trim().is_empty() {
        return fresh(change);
    }
    let root = root(text)?;
    let mut object = root.object_value_or_set();
    for key in change.at {
        object = match (object.object_value(key), change.value) {
            (Some(found), _) => found,
            (None, None) => return Ok(text.to_owned()),
            (None, Some(_)) => object.object_value_or_set(key),
        };
    }
    match change.value {
        Some(value) => set(&object, change.name, value),
        None => {
            if let Some(member) = object.get(change.name) {
                member.remove();
            }
        }
    }
    Ok(root.to_string())
}

/// A document of its own for the change.
fn fresh(change: &Change<'_>) -> anyhow::Result<String> {
    let Some(value) = change.value else { return Ok(String::new()) };
    let named = Map::from_iter([(change.name.to_owned(), value.clone())]);
    let document = change
        .at
        .iter()
        .rev()
        .fold(Value::Object(named), |inner, key| Value::Object(Map::from_iter([(key.clone(), inner)])));
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Sets a member. Of an object that is there only the members that differ are touched, so that comments in it stay.
fn set(object: &CstObject, name: &str, value: &Value) {
    let Some(member) = object.get(name) else {
        object.append(name, input(value));
        return;
    };
    if let (Some(list), Value::Array(wanted)) = (member.array_value(), value) {
        return lay(&list, wanted);
    }
    let (Some(inner), Value::Object(wanted)) = (member.object_value(), value) else {
        member.set_value(input(value));
        return;
    };
    let found = inner.to_serde_value().unwrap_or_default();
    for (key, value) in wanted {
        if found.get(key) != Some(value) {
            set(&inner, key, value);
        }
    }
    for key in found.as_object().into_iter().flat_map(Map::keys).filter(|key| !wanted.contains_key(*key)) {
        if let Some(member) = inner.get(key) {
            member.remove();
        }
    }
}

/// Makes a list say what is wanted. Elements from its beginning that stay are not touched, so that comments at them stay.
fn lay(list: &CstArray, wanted: &[Value]) {
    let mut missing = wanted.iter().peekable();
    for element in list.elements() {
        if missing.peek().is_some_and(|wanted| element.to_serde_value().as_ref() == Some(wanted)) {
            missing.next();
        } else {
            element.remove();
        }
    }
    for value in missing {
        list.append(input(value));
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(flag) => CstInputValue::Bool(*flag),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(members) => {
            CstInputValue::Object(members.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}

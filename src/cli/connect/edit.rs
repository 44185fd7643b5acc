//! One entry in a configuration file, changed in place: comments, order and everything else stay as they are.
//!
//! Whatever the format, the new text is read again and must say what the old one said, with the entry changed and
//! nothing else; otherwise nothing is written.

mod json;
mod line_ends;
mod toml;
mod yaml;

use std::path::Path;

use serde_json::{Map, Value};

use crate::cli::outcome::hinted;

/// The formats of clients' files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// With comments and commas at the end, where somebody wrote them.
    Json,
    Toml,
    Yaml,
}

/// A change of one member: `at` leads to the object or list that it is in.
#[derive(Debug)]
pub(super) struct Change<'c> {
    pub at: &'c [String],
    pub name: &'c str,
    /// None: it is taken away.
    pub value: Option<&'c Value>,
}

impl Format {
    pub(super) fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Self::Toml,
            Some("yaml" | "yml") => Self::Yaml,
            _ => Self::Json,
        }
    }

    /// What a text says.
    pub(super) fn read(self, text: &str) -> anyhow::Result<Value> {
        let value = match self {
            Self::Json => json::read(text),
            Self::Toml => toml::read(text),
            Self::Yaml => yaml::read(text),
        }?;
        match value {
            Value::Null => Ok(Value::Object(Map::new())),
            Value::Object(_) => Ok(value),
            _ => anyhow::bail!("it does not hold settings by name"),
        }
    }

    /// The text with a change made.
    pub(super) fn apply(self, text: &str, change: &Change<'_>) -> anyhow::Result<String> {
        let mut expected = self.read(text)?;
        put(&mut expected, change)?;
        let new = match self {
            Self::Json => json::apply(text, change),
            Self::Toml => toml::apply(text, change),
            Self::Yaml => yaml::apply(text, change),
        }?;
        let new = line_ends::as_before(text, new);
        let mut said = self.read(&new).ok();
        if change.value.is_none() {
            // TOML has no section without entries, and in the others an empty one says as much as none.
            [Some(&mut expected), said.as_mut()].into_iter().flatten().for_each(|said| without_empty(said, change.at));
        }
        if said.as_ref() != Some(&expected) {
            return Err(hinted(
                "the file is written in a way in which it cannot be changed without losing something",
                "add the entry by hand: `--print` shows it",
            ));
        }
        Ok(new)
    }
}

/// The member of a document that a change is about.
pub(super) fn find<'v>(document: &'v Value, at: &[String], name: &str) -> Option<&'v Value> {
    at.iter().try_fold(document, |value, key| value.get(key))?.get(name)
}

/// Takes away what holds nothing on the way that `at` leads.
fn without_empty(document: &mut Value, at: &[String]) {
    let (Some((key, rest)), Value::Object(members)) = (at.split_first(), document) else { return };
    let Some(inner) = members.get_mut(key) else { return };
    without_empty(inner, rest);
    if inner.as_object().is_some_and(Map::is_empty) || inner.is_null() {
        members.shift_remove(key);
    }
}

/// The same change to what a text says.
fn put(document: &mut Value, change: &Change<'_>) -> anyhow::Result<()> {
    let mut object = document;
    for key in change.at {
        nothing_yet(object);
        let Value::Object(members) = object else {
            let hint = "put it right, or add the entry by hand: `--print` shows it";
            return Err(hinted(format!("`{key}` stands in what is no object"), hint));
        };
        if !members.contains_key(key) && change.value.is_none() {
            return Ok(());
        }
        object = members.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
    }
    nothing_yet(object);
    let Value::Object(members) = object else {
        let message = format!("`{}` does not hold servers by name", change.at.join("."));
        return Err(hinted(message, "put it right, or add the entry by hand: `--print` shows it"));
    };
    match change.value {
        Some(value) => drop(members.insert(change.name.to_owned(), value.clone())),
        None => drop(members.shift_remove(change.name)),
    }
    Ok(())
}

/// `extensions:` with nothing behind it is a section without entries.
fn nothing_yet(value: &mut Value) {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
}

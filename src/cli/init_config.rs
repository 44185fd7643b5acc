//! `tfo-mcp init-config`: a commented settings file, generated from the schema so that it is never out of date.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::{Outcome, outcome::hinted, output};
use crate::{
    load,
    settings::{self, FILE_NAME, Settings},
};

/// Write a commented settings file
#[derive(Debug, Args)]
pub struct Arguments {
    /// File to write, `-` for standard output
    #[arg(default_value = FILE_NAME)]
    file: PathBuf,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let text = template()?;
    let path = &arguments.file;
    if path.as_os_str() == "-" {
        output::write(&text)?;
        return Ok(Outcome::Done);
    }
    if path.exists() && !arguments.force {
        return Err(hinted(format!("`{}` exists", path.display()), "write `--force` to replace it"));
    }
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    output::say(&format!("{}: written; every line in it is a default", path.display()));
    output::hint_line("edit it, then run `tfo-mcp trust`: in a working folder only a trusted file counts");
    Ok(Outcome::Done)
}

/// Width at which descriptions are wrapped.
const WIDTH: usize = 100;

const HEAD: &str = "\
# Settings of tfo-mcp. Every setting is shown with its default, or with an example if it has
# none; take its `#` away to change it.
# Flags win over TELEMETRYFLOW_MCP_SECTION__KEY variables, and these over this file. In a working folder it counts
# once `tfo-mcp trust` was run on it, anew after each edit; in tfo-mcp/ of your configuration folder it always does.
# Texts may use ${NAME} and ${NAME:-default} for environment variables: use them for passwords and keys.
";

/// Shown where the schema has only a description.
const EXAMPLES: &str = include_str!("init_config.yaml");

fn template() -> anyhow::Result<String> {
    let schema = settings::schema().to_value();
    let defaults = serde_json::to_value(Settings::default())?;
    let examples: Value = load::plain(EXAMPLES)?;
    let mut out = HEAD.to_owned();
    section(&mut out, &schema, "", Some(&defaults), Some(&examples));
    Ok(out)
}

/// The settings of a section, and of the sections in it.
fn section(out: &mut String, schema: &Value, path: &str, defaults: Option<&Value>, examples: Option<&Value>) {
    let indent = "  ".repeat(path.split('.').filter(|part| !part.is_empty()).count());
    for (name, property) in properties(schema) {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        // What changes nothing would only be a promise.
        if (path.is_empty() && is_alias(name)) || settings::without_effect(&key) {
            continue;
        }
        if path.is_empty() {
            out.push('\n');
        }
        comment(out, property, &indent);
        let (default, example) = (defaults.and_then(|all| all.get(name)), examples.and_then(|all| all.get(name)));
        if property.get("properties").is_some() {
            *out += &format!("{indent}{name}:\n");
            section(out, property, &key, default, example);
        } else {
            line(out, &format!("{indent}# "), name, value(default, example));
        }
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// Sections under another name would be shown twice.
fn is_alias(name: &str) -> bool {
    !settings::keys().iter().any(|key| key == name || key.starts_with(&format!("{name}.")))
}

/// The default, or the example of a setting that has none.
fn value<'v>(default: Option<&'v Value>, example: Option<&'v Value>) -> Option<&'v Value> {
    default
        .filter(|default| !default.is_null())
        .filter(|default| *default != &Value::Object(Default::default()))
        .or(example)
}

fn comment(out: &mut String, property: &Value, indent: &str) {
    let text = property.get("description").and_then(Value::as_str).unwrap_or_default();
    let mut at = String::new();
    for word in text.split_whitespace() {
        if !at.is_empty() && indent.len() + 3 + at.len() + word.len() > WIDTH {
            *out += &format!("{indent}# {at}\n");
            at.clear();
        }
        if !at.is_empty() {
            at.push(' ');
        }
        at += word;
    }
    *out += &format!("{indent}# {at}\n");
}

/// A setting that is commented out. JSON is YAML, and its one-line form never breaks the indentation.
fn line(out: &mut String, prefix: &str, key: &str, value: Option<&Value>) {
    *out += prefix;
    *out += key;
    *out += ":";
    if let Some(value) = value {
        *out += " ";
        *out += &flow(value);
    }
    out.push('\n');
}

/// One-line YAML: plain words without quotes, everything else as JSON.
fn flow(value: &Value) -> String {
    let plain = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
            && load::plain::<Value>(text).is_ok_and(|read| read.is_string())
    };
    match value {
        Value::String(text) if plain(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key}: {}", flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

//! What is wrong with a value of the settings, in words, and what to do.

use figment::error::{Actual, Kind};
use serde_json::Value as Json;

use super::{
    convert::schema_at,
    layers::{ENV_PREFIX, Origin},
    load::keys_of,
    names::NAMES,
    secret::is_secret,
    variables,
};
use crate::written::did_you_mean;

/// The mistake and its help.
pub(super) fn explain(path: &[String], kind: &Kind, schema: &Json, origin: &Origin) -> (String, Option<String>) {
    let keys: Vec<&str> = path.iter().map(String::as_str).collect();
    match kind {
        Kind::UnknownField(name, siblings) => {
            let parents = keys.split_last().map_or(&[][..], |(_, parents)| parents);
            let near = did_you_mean(name, siblings.iter().copied()).map(|near| [parents, &[near]].concat().join("."));
            let near = near.or_else(|| elsewhere(path, schema));
            let help = match (near, origin) {
                (Some(_), Origin::Env(variable)) => Some(variables::meant(variable)),
                (Some(near), _) => Some(format!("did you mean `{near}`?")),
                (None, _) if siblings.is_empty() => None,
                (None, _) => Some(format!("here belong {}", list(siblings))),
            };
            ("is no setting".into(), help)
        }
        Kind::UnknownVariant(value, choices) => {
            let help = did_you_mean(value, choices.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            (format!("is `{value}`, which is none of {}", list(choices)), help)
        }
        Kind::MissingField(name) => (format!("needs `{name}`"), None),
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            let shown = schema_at(schema, &keys).is_some_and(|schema| schema.get("type").is_some_and(Json::is_string))
                && !is_secret(schema, &keys);
            let found = if shown { describe(actual) } else { kind_of(actual).to_owned() };
            // In an environment variable quotes are a shell's.
            let in_file = !matches!(origin, Origin::Env(_));
            let is_text = matches!(actual, Actual::Str(_) | Actual::Char(_));
            if let Actual::Str(text) = actual
                && shown
                && in_file
                && is_quoted(text, expected)
            {
                let help = format!("write it without quotes: `{text}`");
                return (format!("must be {}, and in quotes it is a text", wanted(expected)), Some(help));
            }
            let help = (expected.contains("string") && !is_text && !matches!(actual, Actual::Map | Actual::Seq))
                .then(|| "put the value in quotes".to_owned());
            (format!("must be {}, not {found}", wanted(expected)), help.filter(|_| in_file))
        }
        Kind::Message(_) if is_secret(schema, &keys) => ("does not have the right form".into(), None),
        Kind::Message(_)
            if schema_at(schema, &keys).is_some_and(|schema| schema.get("format") == Some(&"uuid".into())) =>
        {
            ("must be a UUID such as `0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a`".into(), None)
        }
        Kind::Message(_)
            if schema_at(schema, &keys).is_some_and(|schema| schema.get("format") == Some(&"date-time".into())) =>
        {
            ("must be a time such as `2026-11-20T10:00:00Z`".into(), None)
        }
        Kind::Message(text) => (format!("is wrong: {text}"), None),
        other => (format!("is wrong: {other}"), None),
    }
}

/// Whether a text would be what is expected if it stood without quotes.
fn is_quoted(text: &str, expected: &str) -> bool {
    match expected {
        "a boolean" => text.parse::<bool>().is_ok(),
        "u16" => text.parse::<u16>().is_ok(),
        "u32" | "u64" | "usize" => text.parse::<u64>().is_ok(),
        "a nonzero usize" => text.parse::<u64>().is_ok_and(|number| number > 0),
        "f64" => text.parse::<f64>().is_ok(),
        _ => false,
    }
}

/// Rust's name of a type in words.
fn wanted(expected: &str) -> String {
    match expected {
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" | "u64" | "usize" => "a whole number that is not negative".into(),
        "f64" => "a number".into(),
        "a boolean" => "`true` or `false`".into(),
        "a string" | "string" | "path string" => "a text".into(),
        "a nonzero usize" => "a whole number above 0".into(),
        "a sequence" => "a list".into(),
        other if other.contains("tagged enum ") => {
            "a section with keys of its own, of which `type` says what it is".into()
        }
        other if other.starts_with("struct ") || other.contains("a map") => "a section with keys of its own".into(),
        other => other.into(),
    }
}

fn describe(actual: &Actual) -> String {
    match actual {
        Actual::Bool(value) => format!("`{value}`"),
        Actual::Unsigned(value) => format!("`{value}`"),
        Actual::Signed(value) => format!("`{value}`"),
        Actual::Float(value) => format!("`{value}`"),
        Actual::Str(value) => format!("`{value}`"),
        other => kind_of(other).to_owned(),
    }
}

fn kind_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "a boolean",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Str(_) | Actual::Char(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a section",
        _ => "something else",
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A setting of the same name in another section, such as `logging.level` for `level` or `log_level`.
fn elsewhere(path: &[String], schema: &Json) -> Option<String> {
    let last = path.last()?;
    let flat = format!("{ENV_PREFIX}{}", last.to_ascii_uppercase());
    let flat = NAMES.environment.iter().find(|(_, names)| names.contains(&flat)).map(|(key, _)| key.clone());
    flat.or_else(|| keys_of(schema).into_iter().find(|key| key.rsplit('.').next() == Some(last)))
}

/// The nested environment variable of a key.
pub(super) fn env_name(key: &str) -> String {
    format!("{ENV_PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

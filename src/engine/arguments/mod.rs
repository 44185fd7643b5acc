//! Arguments of a call against the declared parameters: understood, checked, completed with defaults, named in errors.
//!
//! A value is taken as leniently as its meaning is certain (`read`, `time`), whoever calls: models and frameworks write
//! numbers as text, empty text for nothing, or a filter beside `filters`. What is ambiguous stays an error. Where
//! something was made of a value, a note says what.

mod read;
mod time;
mod typed;
mod words;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::error::{CallError, nearest, span};
use crate::{
    catalog::{Schema, property_names},
    definition::{Parameter, ParameterType, Parameters},
};

pub use read::{Reading, absent, is_any, lost_digits, same};
pub use time::{moment, range};
pub use typed::{current, typed};
pub use words::violations;

/// How a caller writes values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// JSON values, as tool calls have them.
    Json,
    /// Text only, as prompt arguments, URIs and the command line have it.
    Text,
}

/// Arguments that passed.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Checked {
    /// All declared parameters: given values, defaults, else null.
    pub values: Map<String, Value>,
    /// What was made of values whose meaning was not plain, a sentence each.
    pub notes: Vec<String>,
}

/// With what every complaint begins.
const INVALID: &str = "invalid arguments: ";

/// The name that a text is, without what nobody sees at its ends; that is said.
pub fn named<'t>(parameter: &str, text: &'t str, notes: &mut Vec<String>) -> &'t str {
    let name = crate::template::trimmed(text);
    if name != text
        && let Some(unseen) = crate::template::unseen(text)
    {
        notes.push(format!("`{parameter}` came {unseen}, and is read as `{}`", crate::template::bare(name, 60)));
    }
    name
}

/// A name out of the double quotes that keep something at its ends, which nobody sees.
pub fn unquoted(name: &str) -> &str {
    let quoted = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    quoted.filter(|inner| crate::template::trimmed(inner) != *inner && !inner.contains('"')).unwrap_or(name)
}

/// A name of what is recorded, or a list of such, as [`named`].
pub fn seen(parameter: &str, value: &Value, notes: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) => named(parameter, text, notes).into(),
        Value::Array(items) => items.iter().map(|item| seen(parameter, item, notes)).collect(),
        other => other.clone(),
    }
}

fn out_of_quotes(value: Value) -> Value {
    match value {
        Value::String(text) => unquoted(&text).into(),
        Value::Array(items) => items.into_iter().map(out_of_quotes).collect(),
        other => other,
    }
}

/// The declared parameter of a name or alias.
pub fn declared<'p>(parameters: &'p Parameters, name: &str) -> Option<(&'p str, &'p Parameter)> {
    let by_alias = || parameters.iter().find(|(_, parameter)| parameter.aliases.iter().any(|alias| alias == name));
    parameters.get_key_value(name).or_else(by_alias).map(|(name, parameter)| (name.as_str(), parameter))
}

/// Checks arguments against declared parameters.
///
/// # Errors
/// `InvalidArguments` naming every mistake, with the nearest known name for an unknown one.
pub fn check(parameters: &Parameters, given: &Map<String, Value>, reading: &Reading<'_>) -> Result<Checked, CallError> {
    let (mut mistakes, mut notes) = (Vec::new(), Vec::new());
    // By parameter: the name that the caller wrote, and the value.
    let mut said: IndexMap<&str, (&str, &Value)> = IndexMap::new();
    let mut beside = Vec::new();
    for (written, value) in given {
        if let Some((name, parameter)) = declared(parameters, written) {
            match said.get(name) {
                _ if read::absent(parameter, value) => {}
                Some((other, before)) if !same(name, parameter, before, value, reading) => {
                    mistakes.push(format!("`{other}` and `{written}` are one parameter and have two values"));
                }
                _ => drop(said.insert(name, (written, value))),
            }
        } else if let Some((object, property)) = property(parameters, written) {
            // Who says that anything is wanted has said something: a context type may have a default.
            if !read::absent(property, value) || read::is_any(property, value) {
                beside.push((object, written, value));
            }
        } else {
            let inside = parameters.values().filter(|parameter| parameter.properties_from.is_some());
            let inside = inside.flat_map(|parameter| parameter.properties.keys());
            let near = nearest(written, parameters.keys().chain(inside).map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            mistakes.push(format!("{} is not a parameter{near}", span(written, 80)));
        }
    }
    let mut values = Map::with_capacity(parameters.len());
    let mut unseen = Vec::new();
    for (name, parameter) in parameters {
        // Names of what is recorded have nothing at their ends that nobody sees.
        let listed = reading.catalog.values_of(name, parameter).is_some();
        let mut recorded = |written: &str, value: &Value| match listed {
            true => out_of_quotes(seen(written, value, &mut unseen)),
            false => value.clone(),
        };
        let value = match said.get(name.as_str()) {
            None => {
                if parameter.required {
                    mistakes.push(format!("`{name}` is required"));
                }
                parameter.default.clone().unwrap_or(Value::Null)
            }
            Some((written, value)) => match read::read(parameter, &recorded(written, value), reading) {
                Ok(read) => {
                    notes.extend(read.note.map(|note| format!("`{written}` {note}")));
                    read.value
                }
                Err(mistake) => {
                    mistakes.push(format!("`{written}` {mistake}"));
                    continue;
                }
            },
        };
        values.insert(name.clone(), value);
    }
    notes.extend(unseen);
    for (object, written, value) in beside {
        let property = property(parameters, written).map(|(_, property)| property);
        let anything = property.is_some_and(|property| read::is_any(property, value));
        let held = values.entry(object).or_insert(Value::Null);
        if held.is_null() {
            *held = Value::Object(Map::new());
        }
        let Value::Object(held) = held else { continue };
        match held.get(written) {
            Some(_) if anything => {}
            Some(before)
                if !(before.is_null() || property.is_some_and(|p| same(written, p, before, value, reading))) =>
            {
                mistakes.push(format!("`{written}` stands in `{object}` and beside it, with two values"));
            }
            _ => {
                held.insert(written.to_owned(), value.clone());
                if !anything {
                    notes.push(format!("`{written}` was taken as one of `{object}`"));
                }
            }
        }
    }
    if mistakes.is_empty() {
        return Ok(Checked { values, notes });
    }
    Err(invalid(&mistakes, parameters.keys().map(String::as_str), "pass no arguments").after(&notes))
}

/// The object to which a name belongs that was written beside it.
fn property<'p>(parameters: &'p Parameters, name: &str) -> Option<(&'p str, &'p Parameter)> {
    let mut from_catalog = parameters.iter().filter(|(_, parameter)| parameter.properties_from.is_some());
    from_catalog.find_map(|(object, parameter)| {
        let (_, property) = declared(&parameter.properties, name)?;
        Some((object.as_str(), property))
    })
}

fn invalid<'k>(mistakes: &[String], known: impl Iterator<Item = &'k str>, none: &str) -> CallError {
    let known: Vec<&str> = known.collect();
    let hint = if known.is_empty() { none.to_owned() } else { format!("parameters are: {}", known.join(", ")) };
    CallError::invalid(format!("{INVALID}{}", mistakes.join("; "))).hint(hint)
}

/// Checks arguments against the JSON Schema that a definition brings along, and returns every argument that it names:
/// given values, defaults, else null.
///
/// # Errors
/// `InvalidArguments` naming every mistake.
pub fn check_schema(schema: &Schema, given: &Map<String, Value>, reading: &Reading<'_>) -> Result<Checked, CallError> {
    let validator = schema.validator().map_err(CallError::definition)?;
    let known = property_names(&schema.source);
    let with_defaults = |mut values: Map<String, Value>| {
        for name in &known {
            let default = property_schema(schema, name).and_then(|property| property.get("default"));
            if let (None, Some(default)) = (values.get(name), default) {
                values.insert(name.clone(), default.clone());
            }
        }
        values
    };
    let accepts = |values: &Map<String, Value>| validator.is_valid(&Value::Object(values.clone()));
    // What the schema takes as it is written means what it says; only what it refuses is read again.
    let as_written = with_defaults(given.clone());
    let plain = reading.spelling == Spelling::Json && accepts(&as_written);
    let (lenient, notes) = understood(schema, given, reading, plain);
    let lenient = with_defaults(lenient);
    let (mut values, notes) = if accepts(&lenient) {
        (lenient, notes)
    } else {
        let shown = if reading.spelling == Spelling::Text { lenient } else { as_written };
        let mistakes = words::violations(validator, &schema.source, &Value::Object(shown));
        let none = "the tool's input schema says what it takes";
        return Err(invalid(&mistakes, known.iter().map(String::as_str), none));
    };
    for name in known {
        values.entry(name).or_insert(Value::Null);
    }
    Ok(Checked { values, notes })
}

fn property_schema<'s>(schema: &'s Schema, name: &str) -> Option<&'s Value> {
    schema.source.get("properties").and_then(|properties| properties.get(name))
}

/// The arguments as the types of a schema's properties read them. Where they are `plain`, only the spelling of whole
/// numbers changes: `20.0` is 20.
fn understood(
    schema: &Schema,
    given: &Map<String, Value>,
    reading: &Reading<'_>,
    plain: bool,
) -> (Map<String, Value>, Vec<String>) {
    let required = schema.source.get("required").and_then(Value::as_array);
    let (mut values, mut notes) = (Map::with_capacity(given.len()), Vec::new());
    for (name, value) in given {
        let parameter = property_schema(schema, name).and_then(|property| {
            let ty = match property.get("type")?.as_str()? {
                "string" => ParameterType::String,
                "integer" => ParameterType::Integer,
                "number" => ParameterType::Number,
                "boolean" => ParameterType::Boolean,
                "array" => ParameterType::Array,
                "object" => ParameterType::Object,
                _ => return None,
            };
            let required = required.is_some_and(|names| names.iter().any(|other| other == name));
            let choices = property.get("enum").and_then(Value::as_array).cloned();
            // Whether a blank text is a value is the schema's to say.
            Some(Parameter { required, choices, min_length: required.then_some(0), ..Parameter::of(ty) })
        });
        let value = match parameter {
            Some(parameter) if plain && parameter.ty != ParameterType::Integer => value.clone(),
            Some(parameter) if read::absent(&parameter, value) => continue,
            // Whatever lies in lists and objects is the schema's to say.
            Some(Parameter { ty: ParameterType::Array | ParameterType::Object, .. }) => {
                let written = value.as_str().and_then(|text| serde_json::from_str(text).ok());
                written.filter(|value: &Value| value.is_array() || value.is_object()).unwrap_or_else(|| value.clone())
            }
            Some(parameter) => match read::read(&parameter, value, reading) {
                Ok(read) => {
                    notes.extend(read.note.map(|note| format!("`{name}` {note}")));
                    read.value
                }
                Err(_) => value.clone(),
            },
            None => value.clone(),
        };
        values.insert(name.clone(), value);
    }
    (values, notes)
}

#[cfg(test)]
mod tests;

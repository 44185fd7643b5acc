//! Arguments of a call against the declared parameters: checked, completed with defaults, named in errors.

use jsonschema::{
    JsonType, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::error::{CallError, nearest};
use crate::{
    catalog::{Schema, property_names},
    definition::{Parameter, ParameterType, Parameters, Period},
};

/// How a caller writes values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// JSON values, as tool calls have them.
    Json,
    /// Text only, as prompt arguments, URIs and the command line have it.
    Text,
}

/// Checks arguments and returns all declared parameters: given values, defaults, else null.
///
/// # Errors
/// `InvalidArguments` naming every mistake, with the nearest known name for an unknown one.
pub fn check(
    parameters: &Parameters,
    given: &Map<String, Value>,
    spelling: Spelling,
) -> Result<Map<String, Value>, CallError> {
    let mut mistakes = Vec::new();
    for name in given.keys().filter(|name| !parameters.contains_key(*name)) {
        let near = nearest(name, parameters.keys().map(String::as_str));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        mistakes.push(format!("`{}` is not a parameter{near}", crate::template::bare(name, 80)));
    }
    let mut values = Map::with_capacity(parameters.len());
    for (name, parameter) in parameters {
        let value = match given.get(name) {
            None | Some(Value::Null) => {
                if parameter.required {
                    mistakes.push(format!("`{name}` is required"));
                }
                parameter.default.clone().unwrap_or(Value::Null)
            }
            Some(value) => {
                let read = match (spelling, value) {
                    (Spelling::Text, Value::String(text)) => from_text(parameter.ty, text),
                    _ => Ok(value.clone()),
                };
                match read.and_then(|value| conforms(parameter, &value).map(|()| value)) {
                    Ok(value) => value,
                    Err(mistake) => {
                        mistakes.push(format!("`{name}` {mistake}"));
                        continue;
                    }
                }
            }
        };
        values.insert(name.clone(), value);
    }
    if mistakes.is_empty() {
        return Ok(values);
    }
    let known: Vec<&str> = parameters.keys().map(String::as_str).collect();
    let hint =
        if known.is_empty() { "pass no arguments".into() } else { format!("parameters are: {}", known.join(", ")) };
    Err(CallError::invalid(format!("invalid arguments: {}", mistakes.join("; "))).hint(hint))
}

/// Checks arguments against the JSON Schema that a definition brings along, and returns every argument that it names:
/// given values, defaults, else null.
///
/// # Errors
/// `InvalidArguments` naming every mistake.
pub fn check_schema(
    schema: &Schema,
    given: &Map<String, Value>,
    spelling: Spelling,
) -> Result<Map<String, Value>, CallError> {
    let validator = schema.validator().map_err(CallError::definition)?;
    let property = |name: &str| schema.source.get("properties").and_then(|properties| properties.get(name));
    let mut values = given.clone();
    if spelling == Spelling::Text {
        for (name, value) in &mut values {
            let ty = property(name).and_then(|property| property.get("type")).and_then(Value::as_str);
            if let (Some(text), true) = (value.as_str(), ty.is_some_and(|ty| ty != "string")) {
                *value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
            }
        }
    }
    let known = property_names(&schema.source);
    for name in &known {
        if let (None, Some(default)) = (values.get(name), property(name).and_then(|property| property.get("default"))) {
            values.insert(name.clone(), default.clone());
        }
    }
    let mistakes = violations(validator, &schema.source, &Value::Object(values.clone()));
    if !mistakes.is_empty() {
        let hint = match known.is_empty() {
            true => "the tool's input schema says what it takes".to_owned(),
            false => format!("parameters are: {}", known.join(", ")),
        };
        return Err(CallError::invalid(format!("invalid arguments: {}", mistakes.join("; "))).hint(hint));
    }
    for name in known {
        values.entry(name).or_insert(Value::Null);
    }
    Ok(values)
}

/// What a value violates of a schema, in words.
pub fn violations(validator: &Validator, schema: &Map<String, Value>, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| violation(&error, schema)).collect()
}

fn violation(error: &ValidationError<'_>, schema: &Map<String, Value>) -> String {
    let pointer = error.instance_path().as_str();
    let place = pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"));
    let place = place.collect::<Vec<_>>().join(".");
    let named = |name: &str| match place.is_empty() {
        true => format!("`{}`", short(name)),
        false => format!("`{}.{}`", short(&place), short(name)),
    };
    let here = if place.is_empty() { "the whole".to_owned() } else { format!("`{}`", short(&place)) };
    let given = short(&text_of(error.instance()));
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = property_names(schema);
            let each = unexpected.iter().map(|name| {
                let near = nearest(name, known.iter().map(String::as_str)).filter(|_| place.is_empty());
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                format!("{} is not a parameter{near}", named(name))
            });
            each.collect::<Vec<_>>().join("; ")
        }
        ValidationErrorKind::Required { property } => format!("{} is required", named(&text_of(property))),
        ValidationErrorKind::Enum { options } => match options.as_array() {
            Some(options) => format!("{here}: {}", not_a_choice(error.instance(), options)),
            None => format!("{here}: {}", short_of(error)),
        },
        ValidationErrorKind::Type { kind } => {
            let words: Vec<&str> = match kind {
                TypeKind::Single(ty) => vec![type_words(*ty)],
                TypeKind::Multiple(types) => types.iter().map(type_words).collect(),
            };
            format!("{here} must be {}, not `{given}`", words.join(" or "))
        }
        ValidationErrorKind::Minimum { limit } => format!("{here} must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("{here} must be at most {limit}"),
        ValidationErrorKind::MinLength { limit } => format!("{here} must have at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("{here} must have at most {limit} characters"),
        ValidationErrorKind::Pattern { pattern } => format!("{here} must match the pattern `{pattern}`"),
        ValidationErrorKind::Format { format } => format!("{here} must be of the format `{format}`, not `{given}`"),
        _ => format!("{here}: {}", short_of(error)),
    }
}

fn short_of(error: &ValidationError<'_>) -> String {
    crate::template::message(&error.to_string(), 200)
}

fn type_words(ty: JsonType) -> &'static str {
    match ty {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "text",
    }
}

/// Reads a text as a value of the type.
fn from_text(ty: ParameterType, text: &str) -> Result<Value, String> {
    let json = || serde_json::from_str::<Value>(text).ok();
    Ok(match ty {
        ParameterType::Integer | ParameterType::Number => {
            json().filter(Value::is_number).ok_or_else(|| format!("must be a number, not `{}`", short(text)))?
        }
        ParameterType::Boolean => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err(format!("must be `true` or `false`, not `{}`", short(text))),
        },
        ParameterType::Array => match json() {
            Some(list @ Value::Array(_)) => list,
            _ => Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect()),
        },
        ParameterType::Object => json()
            .filter(Value::is_object)
            .ok_or_else(|| "must be a JSON object, such as `{\"key\": \"value\"}`".to_owned())?,
        _ => Value::String(text.to_owned()),
    })
}

fn conforms(parameter: &Parameter, value: &Value) -> Result<(), String> {
    of_type(parameter.ty, value)?;
    if let Some(choices) = &parameter.choices
        && !choices.contains(value)
    {
        return Err(not_a_choice(value, choices));
    }
    if let Some(number) = value.as_f64() {
        if let Some(minimum) = parameter.minimum.filter(|minimum| number < *minimum) {
            return Err(format!("must be at least {minimum}"));
        }
        if let Some(maximum) = parameter.maximum.filter(|maximum| number > *maximum) {
            return Err(format!("must be at most {maximum}"));
        }
    }
    let length = match value {
        Value::String(text) => Some((text.chars().count() as u64, "characters")),
        Value::Array(items) => Some((items.len() as u64, "items")),
        _ => None,
    };
    if let Some((length, unit)) = length {
        if let Some(least) = parameter.min_length.filter(|least| length < *least) {
            return Err(format!("must have at least {least} {unit}"));
        }
        if let Some(most) = parameter.max_length.filter(|most| length > *most) {
            return Err(format!("must have at most {most} {unit}"));
        }
    }
    if let (Some(pattern), Value::String(text)) = (&parameter.pattern, value) {
        let matches = regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(text));
        if !matches {
            return Err(format!("must match the pattern `{pattern}`"));
        }
    }
    if let Value::Array(items) = value {
        let ty = parameter.items.unwrap_or(ParameterType::String);
        for (i, item) in items.iter().enumerate() {
            of_type(ty, item).map_err(|mistake| format!("item {} {mistake}", i + 1))?;
        }
    }
    Ok(())
}

fn not_a_choice(value: &Value, choices: &[Value]) -> String {
    let word = value.as_str().unwrap_or_default();
    let known = || choices.iter().filter_map(Value::as_str);
    let given = short(&text_of(value));
    match nearest(word, known()) {
        Some(near) => format!("`{given}` is not known; did you mean `{near}`?"),
        None => {
            let listed: Vec<String> = choices.iter().take(12).map(|choice| format!("`{}`", text_of(choice))).collect();
            let more = if choices.len() > 12 { ", …" } else { "" };
            format!("`{given}` is not known; it takes one of {}{more}", listed.join(", "))
        }
    }
}

fn of_type(ty: ParameterType, value: &Value) -> Result<(), String> {
    let expected = match (ty, value) {
        (ParameterType::String, Value::String(_))
        | (ParameterType::Boolean, Value::Bool(_))
        | (ParameterType::Array, Value::Array(_))
        | (ParameterType::Object, Value::Object(_))
        | (ParameterType::Number, Value::Number(_)) => return Ok(()),
        (ParameterType::Integer, Value::Number(number)) if number.is_i64() => return Ok(()),
        (ParameterType::TimeRange, Value::String(text)) => return time_range(text).map(drop),
        (ParameterType::Timestamp, Value::String(text)) => return timestamp(text).map(drop),
        (ParameterType::Uuid, Value::String(text)) if uuid::Uuid::parse_str(text).is_ok() => return Ok(()),
        (ParameterType::String, _) => "text",
        (ParameterType::Boolean, _) => "true or false",
        (ParameterType::Array, _) => "a list",
        (ParameterType::Object, _) => "an object",
        (ParameterType::Number, _) => "a number",
        (ParameterType::Integer, _) => "a whole number of 64 bits",
        (ParameterType::TimeRange, _) => "a duration such as `15m`, `1h` or `24h`",
        (ParameterType::Timestamp, _) => "a time in RFC 3339 such as `2026-11-20T10:00:00Z`",
        (ParameterType::Uuid, _) => "a UUID",
    };
    Err(format!("must be {expected}, not `{}`", short(&text_of(value))))
}

/// Reads a `time_range` argument.
pub fn time_range(text: &str) -> Result<Period, String> {
    let coarse = text.ends_with(['m', 'h', 'd', 'w']);
    Period::parse(text)
        .ok()
        .filter(|_| coarse)
        .ok_or_else(|| format!("must be a duration such as `15m`, `1h`, `24h` or `7d`, not `{}`", short(text)))
}

/// Reads a `timestamp` argument.
pub fn timestamp(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(|at| at.to_offset(time::UtcOffset::UTC))
        .map_err(|_| format!("must be a time in RFC 3339 such as `2026-11-20T10:00:00Z`, not `{}`", short(text)))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn short(text: &str) -> String {
    crate::template::bare(text, 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameters(value: Value) -> Parameters {
        serde_json::from_value(value).unwrap()
    }

    fn run(declared: Value, given: Value, spelling: Spelling) -> Result<Value, String> {
        let given = given.as_object().cloned().unwrap();
        check(&parameters(declared), &given, spelling).map(Value::Object).map_err(|error| error.to_text())
    }

    #[test]
    fn defaults_fill_in_and_every_mistake_is_named() {
        let declared = json!({
            "service": { "type": "string", "max_length": 5 },
            "top": { "type": "integer", "default": 10, "minimum": 1, "maximum": 50 },
            "kind": { "type": "string", "enum": ["errors", "latency"], "required": true },
        });
        let ok = run(declared.clone(), json!({"kind": "latency"}), Spelling::Json).unwrap();
        assert_eq!(ok, json!({"service": null, "top": 10, "kind": "latency"}));
        let error = run(declared, json!({"servise": "x", "top": 99, "kind": "latncy"}), Spelling::Json).unwrap_err();
        for piece in [
            "`servise` is not a parameter; did you mean `service`?",
            "`top` must be at most 50",
            "did you mean `latency`?",
        ] {
            assert!(error.contains(piece), "{error}");
        }
    }

    #[test]
    fn types_are_checked_in_json_and_read_from_text() {
        for (ty, text, value) in [
            ("integer", "5", json!(5)),
            ("number", "2.5", json!(2.5)),
            ("boolean", "true", json!(true)),
            ("array", "a, b", json!(["a", "b"])),
            ("object", "{\"a\":1}", json!({"a": 1})),
            ("time_range", "24h", json!("24h")),
            ("timestamp", "2026-11-20T10:00:00Z", json!("2026-11-20T10:00:00Z")),
            ("uuid", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", json!("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")),
        ] {
            let declared = json!({ "x": { "type": ty } });
            assert_eq!(run(declared.clone(), json!({ "x": text }), Spelling::Text).unwrap()["x"], value);
            assert_eq!(run(declared.clone(), json!({ "x": value }), Spelling::Json).unwrap()["x"], value);
            assert!(run(declared.clone(), json!({ "x": [[1]] }), Spelling::Json).is_err(), "{ty}");
        }
        for (ty, bad) in [
            ("integer", "1.5"),
            ("time_range", "5"),
            ("time_range", "5s"),
            ("timestamp", "yesterday"),
            ("uuid", "x"),
            ("boolean", "yes"),
        ] {
            assert!(run(json!({ "x": { "type": ty } }), json!({ "x": bad }), Spelling::Text).is_err(), "{ty} {bad}");
        }
    }
}

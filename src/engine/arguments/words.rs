//! Mistakes in arguments, in words.

use jsonschema::{
    JsonType, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::{Map, Value};

use crate::{
    catalog::{MOST_CHOICES, property_names},
    engine::error::{nearest, span},
    template::counted,
};

/// What a value violates of a schema, in words.
pub fn violations(validator: &Validator, schema: &Map<String, Value>, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| violation(&error, schema)).collect()
}

fn violation(error: &ValidationError<'_>, schema: &Map<String, Value>) -> String {
    let pointer = error.instance_path().as_str();
    let place = pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"));
    let place = place.collect::<Vec<_>>().join(".");
    let named = |name: &str| match place.is_empty() {
        true => span(name, SHOWN),
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
            Some(options) => format!("{here}: {}", not_a_choice(error.instance(), options, None)),
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
        ValidationErrorKind::MinLength { limit } => {
            format!("{here} must have at least {}", counted(*limit, "character"))
        }
        ValidationErrorKind::MaxLength { limit } => {
            format!("{here} must have at most {}", counted(*limit, "character"))
        }
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

/// A value that is none of those allowed: all of them where they are few, else the nearest and `place`, which says where
/// to find the rest, and how many it lists.
pub(super) fn not_a_choice(value: &Value, choices: &[Value], place: Option<(&str, usize)>) -> String {
    let given = span(&text_of(value), SHOWN);
    let near = nearest(value.as_str().unwrap_or_default(), choices.iter().filter_map(Value::as_str));
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    if choices.len() <= MOST_CHOICES {
        let listed: Vec<String> = choices.iter().map(|choice| format!("`{}`", text_of(choice))).collect();
        let begin = if near.is_empty() { "; it" } else { " It" };
        return format!("{given} is not known{near}{begin} takes one of {}", listed.join(", "));
    }
    let begin = if near.is_empty() { ";" } else { "" };
    let place = place.map(|(place, all)| format!("{begin} {place} lists all {all}")).unwrap_or_default();
    format!("{given} is not known{near}{place}")
}

pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Most characters of a value in a sentence.
const SHOWN: usize = 60;

pub(super) fn short(text: &str) -> String {
    crate::template::bare(text, SHOWN)
}

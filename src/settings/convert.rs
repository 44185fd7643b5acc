//! Values as people write them: bare numbers of the earlier servers, and texts of the environment.

use std::{fmt, path::PathBuf};

use figment::value::{Empty, Tag, Value};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use serde_json::Value as Json;

use crate::definition::{ByteSize, Period};

/// Reads `30s`, or a bare number of seconds as the earlier servers wrote it.
pub(super) fn period<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Period, D::Error> {
    struct Seconds;
    impl Visitor<'_> for Seconds {
        type Value = Period;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration such as `30s`")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Period, E> {
            match text.parse::<f64>() {
                Ok(number) => self.visit_f64(number),
                Err(_) => Period::parse(text).map_err(E::custom),
            }
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<Period, E> {
            Period::parse(&format!("{number}s")).map_err(E::custom)
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<Period, E> {
            Period::parse(&format!("{number}s")).map_err(E::custom)
        }
        fn visit_f64<E: Error>(self, number: f64) -> Result<Period, E> {
            if number == 0.0 {
                return self.visit_u64(0);
            }
            Period::parse(&format!("{:.0}ms", number * 1000.0))
                .map_err(|_| E::custom(format!("`{number}` is not a duration: write `30s` or a number of seconds")))
        }
    }
    deserializer.deserialize_any(Seconds)
}

/// Reads `4MiB`, or a bare number of bytes as the earlier servers wrote it.
pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ByteSize, D::Error> {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = ByteSize;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a size such as `4MiB`")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<ByteSize, E> {
            match text.parse() {
                Ok(number) => self.visit_u64(number),
                Err(_) => ByteSize::parse(text).map_err(E::custom),
            }
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<ByteSize, E> {
            if number == 0 { Err(E::custom("a size must be above 0")) } else { Ok(ByteSize(number)) }
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<ByteSize, E> {
            self.visit_u64(u64::try_from(number).unwrap_or(0))
        }
    }
    deserializer.deserialize_any(Bytes)
}

/// Reads texts: one, several with commas between them, or a list.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text, or a list of texts")]
    enum Texts {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Texts::deserialize(deserializer)? {
        Texts::One(text) => {
            text.split(',').map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
        }
        Texts::Several(texts) => texts,
    })
}

/// Reads where the log goes. Standard output is refused: it carries the protocol.
pub(super) fn log_output<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None | Some("" | "stderr") => Ok(None),
        Some("stdout") => Err(D::Error::custom("standard output carries the protocol: write `stderr` or a file")),
        Some(path) => Ok(Some(path.into())),
    }
}

pub(super) fn period_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "number"],
        "pattern": Period::PATTERN,
        "exclusiveMinimum": 0,
        "examples": ["5s", "15m", "24h"],
    })
}

pub(super) fn texts_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "array"], "items": { "type": "string" } })
}

pub(super) fn size_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "integer"],
        "pattern": ByteSize::PATTERN,
        "minimum": 1,
        "examples": ["64KiB", "4MiB"],
    })
}

/// The word of an enumeration that a text is in any case. None: it is none, or the schema is no enumeration.
pub(super) fn word(text: &str, schema: Option<&Json>) -> Option<String> {
    fn words<'s>(schema: &'s Json, into: &mut Vec<&'s str>) {
        into.extend(schema.get("const").and_then(Json::as_str));
        into.extend(schema.get("enum").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str));
        branches(schema).for_each(|branch| words(branch, into));
    }
    /// Whether any text may stand there too.
    fn free(schema: &Json) -> bool {
        let text = schema.get("type").is_some_and(|ty| ty == "string");
        text && schema.get("const").or(schema.get("enum")).is_none() || branches(schema).any(free)
    }
    let mut known = Vec::new();
    words(schema.filter(|schema| !free(schema))?, &mut known);
    let lower = text.to_ascii_lowercase();
    let word = known.iter().find(|word| word.eq_ignore_ascii_case(text)).map(|word| (*word).to_owned());
    // Some words have further names, which the schema does not say.
    word.or((!known.is_empty() && lower != text).then_some(lower))
}

/// Reads a text of the environment as the schema wants it. A text that does not fit stays a text, so that the
/// reader of the settings says what it expected.
pub(super) fn from_text(text: &str, schema: Option<&Json>) -> Value {
    let as_text = || Value::from(text);
    let Some(schema) = schema else { return as_text() };
    if takes(schema, "string") {
        return word(text, Some(schema)).map_or_else(as_text, Value::from);
    }
    if takes(schema, "boolean") {
        return match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Value::from(true),
            "false" | "0" | "no" | "off" => Value::from(false),
            _ => as_text(),
        };
    }
    if takes(schema, "integer") {
        return text.parse::<i64>().map_or_else(|_| as_text(), Value::from);
    }
    if takes(schema, "number") {
        return text.parse::<f64>().map_or_else(|_| as_text(), Value::from);
    }
    if takes(schema, "array") {
        let items = schema.get("items");
        let values = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        return Value::Array(Tag::Default, values.map(|item| from_text(item, items)).collect());
    }
    // Any other text would be as if nothing was said, where a section belongs.
    if takes(schema, "null") && text.eq_ignore_ascii_case("null") {
        return Value::Empty(Tag::Default, Empty::Unit);
    }
    as_text()
}

/// Whether a schema allows values of a JSON type.
pub(super) fn takes(schema: &Json, ty: &str) -> bool {
    match schema.get("type") {
        Some(Json::String(one)) => one == ty,
        Some(Json::Array(many)) => many.iter().any(|one| one == ty),
        _ => {
            // Enumerations of texts come as `oneOf` of `const`, optional values as `anyOf`.
            schema.get("const").is_some_and(|value| value.is_string() && ty == "string")
                || branches(schema).any(|branch| takes(branch, ty))
        }
    }
}

fn branches(schema: &Json) -> impl Iterator<Item = &Json> {
    ["oneOf", "anyOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten()
}

/// The schema of a key such as `sources.telemetry.url`.
pub(super) fn schema_at<'s>(schema: &'s Json, path: &[&str]) -> Option<&'s Json> {
    let Some((first, rest)) = path.split_first() else { return Some(schema) };
    if let Some(property) = schema.get("properties").and_then(|properties| properties.get(*first)) {
        return schema_at(property, rest);
    }
    if let Some(property) = schema.get("additionalProperties").filter(|property| property.is_object()) {
        return schema_at(property, rest);
    }
    branches(schema).find_map(|branch| schema_at(branch, path))
}

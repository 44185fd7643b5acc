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

/// A name of what is recorded, or a list of such, as [`named`].
pub fn seen(parameter: &str, value: &Value, notes: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) => named(parameter, text, notes).into(),
        Value::Array(items) => items.iter().map(|item| seen(parameter, item, notes)).collect(),
        other => other.clone(),
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
            true => seen(written, value, &mut unseen),
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
    Err(invalid(&mistakes, parameters.keys().map(String::as_str), "pass no arguments"))
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
            Some(Parameter { required, choices, ..Parameter::of(ty) })
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
mod tests {
    use ::time::{OffsetDateTime, macros::datetime};
    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;

    fn parameters(value: Value) -> Parameters {
        serde_json::from_value(value).unwrap()
    }

    const NOW: OffsetDateTime = datetime!(2026-11-20 11:02 UTC);

    fn checked(declared: Value, given: Value, spelling: Spelling) -> Result<Checked, String> {
        let given = given.as_object().cloned().unwrap();
        let catalog = Catalog::default();
        let reading = Reading { spelling, now: NOW, catalog: &catalog };
        check(&parameters(declared), &given, &reading).map_err(|error| error.to_text())
    }

    fn run(declared: Value, given: Value, spelling: Spelling) -> Result<Value, String> {
        checked(declared, given, spelling).map(|checked| Value::Object(checked.values))
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
    }

    #[test]
    fn what_means_one_thing_only_is_taken_however_it_is_written() {
        for (ty, given, read) in [
            (json!({"type": "integer"}), json!(20.0), json!(20)),
            (json!({"type": "integer"}), json!("20"), json!(20)),
            (json!({"type": "integer"}), json!(" 20.0 "), json!(20)),
            (json!({"type": "integer", "default": 7}), json!(""), json!(7)),
            (json!({"type": "integer", "default": 7}), json!(null), json!(7)),
            (json!({"type": "number"}), json!("99.9"), json!(99.9)),
            (json!({"type": "number"}), json!("5"), json!(5)),
            (json!({"type": "boolean"}), json!("True"), json!(true)),
            (json!({"type": "boolean"}), json!(0), json!(false)),
            (json!({"type": "string"}), json!(500), json!("500")),
            (json!({"type": "string"}), json!(u64::MAX), json!("18446744073709551615")),
            (json!({"type": "string"}), json!(1.5), json!("1.5")),
            (json!({"type": "string"}), json!(" a\u{200b}"), json!(" a\u{200b}")),
            (json!({"type": "integer"}), json!("\u{feff}20\u{200b}"), json!(20)),
            (json!({"type": "boolean"}), json!("true\u{a0}"), json!(true)),
            (json!({"type": "timestamp"}), json!("\u{200b}now-1h"), json!("2026-11-20T10:02:00Z")),
            (json!({"type": "string", "enum": ["warn", "error"]}), json!("Error\u{200b}"), json!("error")),
            (json!({"type": "string", "enum": ["a"]}), json!("Any"), json!(null)),
            (json!({"type": "string"}), json!(true), json!("true")),
            (json!({"type": "string"}), json!(""), json!(null)),
            (json!({"type": "string", "required": true}), json!(""), json!("")),
            (json!({"type": "string", "min_length": 0}), json!(""), json!("")),
            (json!({"type": "string", "min_length": 2}), json!(""), json!(null)),
            (json!({"type": "string", "enum": ["warn", "error"]}), json!("ERROR"), json!("error")),
            (json!({"type": "string", "enum": ["root-cause"]}), json!("root_cause"), json!("root-cause")),
            (json!({"type": "string", "enum": ["feature_flag"]}), json!("Feature Flag"), json!("feature_flag")),
            (json!({"type": "string", "enum": ["a", "none"], "default": "a"}), json!("None"), json!("none")),
            (json!({"type": "string", "enum": ["a"], "default": "a"}), json!("null"), json!("a")),
            (json!({"type": "string", "enum": ["a"]}), json!("any"), json!(null)),
            (json!({"type": "string", "enum": ["any"]}), json!("any"), json!("any")),
            (json!({"type": "time_range"}), json!("1 hour"), json!("1h")),
            (json!({"type": "time_range"}), json!("now-90m"), json!("90m")),
            (json!({"type": "timestamp"}), json!(1_795_168_800), json!("2026-11-20T10:00:00Z")),
            (json!({"type": "timestamp"}), json!(1_795_168_800_000_i64), json!("2026-11-20T10:00:00Z")),
            (json!({"type": "timestamp"}), json!("1795168800"), json!("2026-11-20T10:00:00Z")),
            (json!({"type": "timestamp"}), json!("now-1h"), json!("2026-11-20T10:02:00Z")),
            (json!({"type": "timestamp"}), json!("2026-11-20 10:00"), json!("2026-11-20T10:00:00Z")),
            (json!({"type": "array", "items": "string"}), json!("checkout"), json!(["checkout"])),
            (json!({"type": "array", "items": "string"}), json!("[\"a\",\"b\"]"), json!(["a", "b"])),
            (json!({"type": "array", "items": "string"}), json!([1, true]), json!(["1", "true"])),
            (json!({"type": "array", "items": "integer"}), json!(["1", 2.0]), json!([1, 2])),
            (json!({"type": "object"}), json!([]), json!({})),
            (json!({"type": "object"}), json!("{\"a\": 1}"), json!({"a": 1})),
            (
                json!({"type": "object", "properties": {"n": {"type": "integer"}, "o": {"type": "string"}}}),
                json!({"n": "1", "o": ""}),
                json!({"n": 1, "o": null}),
            ),
            (
                json!({"type": "uuid"}),
                json!("6F9619FF-8B86-4D01-B42D-00CF4FC964FF"),
                json!("6f9619ff-8b86-4d01-b42d-00cf4fc964ff"),
            ),
        ] {
            assert_eq!(
                run(json!({ "x": ty }), json!({ "x": given }), Spelling::Json),
                Ok(json!({ "x": read })),
                "{given}"
            );
        }
        for (ty, wrong) in [
            (json!({"type": "integer"}), json!(1.5)),
            (json!({"type": "integer"}), json!("1,000")),
            (json!({"type": "integer"}), json!("twenty")),
            (json!({"type": "integer"}), json!(true)),
            (json!({"type": "integer"}), json!(1e300)),
            (json!({"type": "string"}), json!(12_345_678_901_234_567_890_123.0)),
            (json!({"type": "string"}), json!(1e22)),
            (json!({"type": "string"}), json!(0.123_456_789_012_345_68)),
            (json!({"type": "array", "items": "string"}), json!([1e22])),
            (json!({"type": "number"}), json!("inf")),
            (json!({"type": "boolean"}), json!("yes")),
            (json!({"type": "boolean"}), json!(2)),
            (json!({"type": "string", "enum": ["a", "A"]}), json!("á")),
            (json!({"type": "string", "enum": ["ab", "aB"]}), json!("AB")),
            (json!({"type": "string", "enum": ["a"], "required": true}), json!("")),
            (json!({"type": "string", "enum": ["a"], "required": true}), json!("any")),
            (json!({"type": "string", "enum": ["a"], "default": "a"}), json!("any")),
            (json!({"type": "string"}), json!({})),
            (json!({"type": "array", "items": "string"}), json!("a,b")),
            (json!({"type": "array", "items": "string"}), json!([null])),
            (json!({"type": "object"}), json!("a=b")),
            (json!({"type": "object"}), json!([1])),
            (json!({"type": "object", "properties": {"n": {"type": "integer"}}}), json!({"m": 1})),
            (json!({"type": "time_range"}), json!(60)),
            (json!({"type": "time_range"}), json!("1M")),
            (json!({"type": "time_range"}), json!("5s")),
            (json!({"type": "timestamp"}), json!(20)),
            (json!({"type": "timestamp"}), json!("yesterday")),
            (json!({"type": "timestamp"}), json!(true)),
            (json!({"type": "uuid"}), json!("x")),
        ] {
            for spelling in [Spelling::Json, Spelling::Text] {
                if spelling == Spelling::Text && wrong == json!("a,b") {
                    continue;
                }
                assert!(run(json!({ "x": ty }), json!({ "x": wrong }), spelling).is_err(), "{ty} {wrong}");
            }
        }
    }

    #[test]
    fn what_was_made_of_a_value_is_said() {
        let declared = json!({
            "start": { "type": "timestamp", "aliases": ["from"] },
            "time_range": { "type": "time_range" },
            "kind": { "type": "string", "enum": ["root-cause"] },
            "names": { "type": "array", "items": "string" },
            "filters": { "type": "object", "properties_from": "contexts", "properties": { "severity": { "type": "string" } } },
        });
        for (given, note) in [
            (
                json!({"from": "2026-11-20T10:00:00"}),
                "`from` `2026-11-20T10:00:00` was read as 2026-11-20T10:00:00Z (it names no zone)",
            ),
            (
                json!({"start": 1_795_168_800}),
                "`start` `1795168800` was read as 2026-11-20T10:00:00Z (seconds since 1970)",
            ),
            (json!({"start": "now-1h"}), "`start` `now-1h` was read as 2026-11-20T10:02:00Z"),
            (json!({"time_range": "60 min"}), "`time_range` `60 min` was read as 1h"),
            (
                json!({"names": ["a", 1.1]}),
                "`names` was not taken as it stands: item 2 was a number and is read as the text `1.1`; write it in quotes if it \
                 ended in zeros",
            ),
            (json!({"kind": "root_cause"}), "`kind` `root_cause` was read as `root-cause`"),
            (json!({"severity": "error"}), "`severity` was taken as one of `filters`"),
        ] {
            assert_eq!(checked(declared.clone(), given, Spelling::Json).unwrap().notes, [note]);
        }
        for given in [json!({"start": "2026-11-20T12:00:00+02:00"}), json!({"time_range": "60m"}), json!({"kind": ""})]
        {
            assert_eq!(checked(declared.clone(), given, Spelling::Json).unwrap().notes, [""; 0]);
        }
    }

    #[test]
    fn one_parameter_under_two_names_has_one_value() {
        let declared = json!({ "service_name": { "type": "string", "aliases": ["service"] } });
        for given in [
            json!({"service": "a"}),
            json!({"service_name": "a"}),
            json!({"service_name": "a", "service": "a"}),
            json!({"service_name": "", "service": "a"}),
            json!({"service_name": "a", "service": null}),
        ] {
            assert_eq!(run(declared.clone(), given, Spelling::Json), Ok(json!({"service_name": "a"})));
        }
        let error = run(declared.clone(), json!({"service_name": "a", "service": "b"}), Spelling::Json).unwrap_err();
        assert!(error.contains("`service_name` and `service` are one parameter and have two values"), "{error}");
        let error = run(declared, json!({"service": []}), Spelling::Json).unwrap_err();
        assert!(error.contains("`service` must be text"), "{error}");
    }

    #[test]
    fn filters_beside_their_object_join_it_and_a_null_says_nothing() {
        let declared = json!({ "filters": {
            "type": "object", "properties_from": "contexts",
            "properties": { "severity": { "type": "string" }, "host": { "type": "string" } },
        } });
        for (given, filters) in [
            (json!({"severity": "error"}), json!({"severity": "error"})),
            (json!({"severity": "error", "filters": null}), json!({"severity": "error"})),
            (json!({"severity": "error", "filters": ""}), json!({"severity": "error"})),
            (json!({"severity": "error", "filters": {"host": "a"}}), json!({"host": "a", "severity": "error"})),
            (json!({"severity": "error", "filters": {"severity": null}}), json!({"severity": "error"})),
            (json!({"severity": null, "host": ""}), json!(null)),
        ] {
            assert_eq!(run(declared.clone(), given, Spelling::Json), Ok(json!({ "filters": filters })));
        }
        let twice = json!({"severity": "error", "filters": {"severity": "warn"}});
        assert!(run(declared.clone(), twice, Spelling::Json).unwrap_err().contains("with two values"));
        assert!(run(declared, json!({"severty": "error"}), Spelling::Json).is_err());
    }

    #[test]
    fn a_schema_of_a_definition_is_read_as_leniently() {
        let source = json!({
            "type": "object",
            "properties": {
                "n": { "type": "integer", "maximum": 50 }, "on": { "type": "boolean" }, "text": { "type": "string" },
                "kind": { "type": "string", "enum": ["warn", "error"] }, "any": {}, "list": { "type": "array" },
            },
            "required": ["text"],
            "additionalProperties": false,
        });
        let schema = Schema::new(source.as_object().cloned().unwrap());
        let catalog = Catalog::default();
        let read = |given: Value| {
            let reading = Reading { spelling: Spelling::Json, now: NOW, catalog: &catalog };
            check_schema(&schema, given.as_object().unwrap(), &reading).map(|checked| checked.values)
        };
        for (given, name, value) in [
            (json!({"text": "", "n": 20.0}), "n", json!(20)),
            (json!({"text": "", "n": "20"}), "n", json!(20)),
            (json!({"text": "", "n": null}), "n", json!(null)),
            (json!({"text": "", "kind": "ERROR"}), "kind", json!("error")),
            (json!({"text": "", "kind": ""}), "kind", json!(null)),
            (json!({"text": "", "on": "true"}), "on", json!(true)),
            (json!({"text": 5}), "text", json!("5")),
            (json!({"text": "", "any": "5"}), "any", json!("5")),
            (json!({"text": "", "list": "[1]"}), "list", json!([1])),
        ] {
            assert_eq!(read(given.clone()).unwrap_or_else(|error| panic!("{given}: {error}"))[name], value, "{given}");
        }
        for given in
            [json!({"text": "", "n": "99"}), json!({"n": 1}), json!({"text": "", "m": 1}), json!({"text": [1]})]
        {
            assert!(read(given).is_err());
        }
    }
}

//! The JSON Schemas of the kinds: generated from the types of `definition`, written to `schemas/`, compiled once
//! when first needed, and looked into when a violation is explained.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, OnceLock},
};

use jsonschema::Validator;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::definition::{
    Columns, Context, Fragment, Insight, Kind, ParameterSet, Persona, Prompt, Provider, Resource, Tables, Tool,
    Toolset, Values,
};

/// Where the schemas are published, for `$id`.
const BASE: &str = "https://telemetryflow.id/schemas/tfo-mcp";

/// Every schema file by name (`tool.schema.json`, …, `definition.schema.json`) with its text.
pub fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for kind in Kind::ALL {
        files.insert(format!("{kind}.schema.json"), pretty(of(kind)));
    }
    files.insert("definition.schema.json".to_owned(), pretty(&definition()));
    files
}

/// The schema of a kind.
pub fn of(kind: Kind) -> &'static Value {
    static SCHEMAS: LazyLock<BTreeMap<Kind, Value>> =
        LazyLock::new(|| Kind::ALL.into_iter().map(|kind| (kind, generate(kind))).collect());
    static NOTHING: Value = Value::Bool(true);
    SCHEMAS.get(&kind).unwrap_or(&NOTHING)
}

/// The compiled schema of a kind. Compiling takes longer than checking a definition, so it happens once.
pub(super) fn validator(kind: Kind) -> Option<&'static Validator> {
    static VALIDATORS: [OnceLock<Option<Validator>>; Kind::ALL.len()] = [const { OnceLock::new() }; Kind::ALL.len()];
    // A schema of ours that does not compile is a defect that `schemas_are_valid` finds.
    VALIDATORS.get(kind as usize)?.get_or_init(|| jsonschema::validator_for(of(kind)).ok()).as_ref()
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

fn generate(kind: Kind) -> Value {
    let mut generator = generator();
    let mut schema = body(kind, &mut generator);
    let definitions = definitions(&mut generator, std::iter::once(&mut schema));
    if let Value::Object(schema) = &mut schema {
        let mut root = Map::new();
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("$id".to_owned(), json!(format!("{BASE}/{kind}.schema.json")));
        root.append(schema);
        if !definitions.is_empty() {
            root.insert("$defs".to_owned(), Value::Object(definitions));
        }
        *schema = root;
    }
    schema
}

/// The types that the bodies of kinds refer to, with what stands in several places copied into both.
fn definitions<'b>(generator: &mut SchemaGenerator, bodies: impl Iterator<Item = &'b mut Value>) -> Map<String, Value> {
    let mut definitions = generator.take_definitions(true);
    definitions.values_mut().for_each(refine);
    let fields = definitions.get("Alternative").and_then(|way| way.get("properties")?.as_object()).cloned();
    let fields = fields.unwrap_or_default();
    definitions.values_mut().for_each(|schema| copy_fields(schema, &fields));
    bodies.for_each(|schema| copy_fields(schema, &fields));
    definitions
}

/// Puts the fields of ways in the place of references to them, so that each has its description where it may stand.
fn copy_fields(schema: &mut Value, fields: &Map<String, Value>) {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let field = reference.and_then(|text| text.strip_prefix("#/$defs/Alternative/properties/"));
    match (field.and_then(|field| fields.get(field)), schema) {
        (Some(field), schema) => *schema = field.clone(),
        (None, Value::Object(object)) => object.values_mut().for_each(|value| copy_fields(value, fields)),
        (None, Value::Array(items)) => items.iter_mut().for_each(|item| copy_fields(item, fields)),
        _ => {}
    }
}

/// The schema that picks by `kind`, so that one editor setting serves every file.
fn definition() -> Value {
    let mut generator = generator();
    let mut bodies: Vec<(Kind, Value)> = Kind::ALL.into_iter().map(|kind| (kind, body(kind, &mut generator))).collect();
    let mut definitions = definitions(&mut generator, bodies.iter_mut().map(|(_, body)| body));
    let pick: Vec<Value> = Kind::ALL
        .into_iter()
        .map(|kind| {
            json!({
                "if": { "properties": { "kind": { "const": kind.as_str() } }, "required": ["kind"] },
                "then": { "$ref": format!("#/$defs/{kind}") },
            })
        })
        .collect();
    definitions.extend(bodies.into_iter().map(|(kind, body)| (kind.as_str().to_owned(), body)));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("{BASE}/definition.schema.json"),
        "title": "Definition",
        "description": "A definition of any kind; the key `kind` says which.",
        "type": "object",
        "properties": { "kind": {
            "description": "What the file defines.",
            "enum": Kind::ALL.map(Kind::as_str),
        } },
        "required": ["kind"],
        "allOf": pick,
        "$defs": definitions,
    })
}

/// The schema of a kind's fields with `kind` before them.
fn body(kind: Kind, generator: &mut SchemaGenerator) -> Value {
    let schema = match kind {
        Kind::Tool => Tool::json_schema(generator),
        Kind::Resource => Resource::json_schema(generator),
        Kind::Prompt => Prompt::json_schema(generator),
        Kind::Context => Context::json_schema(generator),
        Kind::Insight => Insight::json_schema(generator),
        Kind::Persona => Persona::json_schema(generator),
        Kind::Provider => Provider::json_schema(generator),
        Kind::Toolset => Toolset::json_schema(generator),
        Kind::Values => Values::json_schema(generator),
        Kind::Fragment => Fragment::json_schema(generator),
        Kind::Columns => Columns::json_schema(generator),
        Kind::Tables => Tables::json_schema(generator),
        Kind::Parameters => ParameterSet::json_schema(generator),
    };
    let mut schema = schema.to_value();
    refine(&mut schema);
    if let Value::Object(schema) = &mut schema {
        let name = kind.as_str();
        let title: String = name.chars().take(1).flat_map(char::to_uppercase).chain(name.chars().skip(1)).collect();
        let mut whole = Map::new();
        whole.insert("title".to_owned(), json!(title));
        let mut properties = Map::new();
        properties.insert("kind".to_owned(), json!({ "description": "What the file defines.", "const": name }));
        if let Some(Value::Object(fields)) = schema.get_mut("properties") {
            properties.append(fields);
        }
        let mut required = vec![json!("kind")];
        if let Some(Value::Array(fields)) = schema.get_mut("required") {
            required.append(fields);
        }
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("required".to_owned(), Value::Array(required));
        whole.append(schema);
        *schema = whole;
    }
    schema
}

/// Adds what schemars leaves out: the upper bound of Rust's integer types, which it states as a `format` that
/// validators ignore, and a description of the tag of a union, which is that of its branch.
fn refine(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let maximum = match object.get("format").and_then(Value::as_str) {
                Some("uint8") => Some(u64::from(u8::MAX)),
                Some("uint16") => Some(u64::from(u16::MAX)),
                Some("uint32") => Some(u64::from(u32::MAX)),
                _ => None,
            };
            if let Some(maximum) = maximum {
                object.entry("maximum").or_insert(json!(maximum));
            }
            if let (Some(description), Some(Value::Object(properties))) =
                (object.get("description").cloned(), object.get_mut("properties"))
            {
                for property in properties.values_mut().filter_map(Value::as_object_mut) {
                    if property.contains_key("const") {
                        property.entry("description").or_insert(description.clone());
                    }
                }
            }
            object.values_mut().for_each(refine);
        }
        Value::Array(items) => items.iter_mut().for_each(refine),
        _ => {}
    }
}

fn pretty(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// The schema that applies at a JSON pointer into a document, with references and the branch of a tagged union
/// resolved.
pub(super) fn at<'s>(root: &'s Value, value: &Value, pointer: &str) -> Option<&'s Value> {
    let mut schema = resolve(root, root, value)?;
    let mut value = value;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let (next, child) = match value {
            Value::Array(items) => (schema.get("items")?, items.get(token.parse::<usize>().ok()?)?),
            _ => {
                let named = schema.get("properties").and_then(|properties| properties.get(&token));
                (named.or_else(|| schema.get("additionalProperties"))?, value.get(&token).unwrap_or(&Value::Null))
            }
        };
        value = child;
        schema = resolve(root, next, value)?;
    }
    Some(schema)
}

/// Follows references, leaves out `null` branches and picks the branch of a tagged union.
pub(super) fn resolve<'s>(root: &'s Value, schema: &'s Value, value: &Value) -> Option<&'s Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return resolve(root, root.pointer(reference.strip_prefix('#')?)?, value);
    }
    if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
        return resolve(root, one_of_type(root, branches, value)?, value);
    }
    if let Some(branch) = branch(schema, value) {
        return resolve(root, branch, value);
    }
    if let Some((tag, choices)) = tagged(schema) {
        let chosen = value.get(tag)?.as_str()?;
        let index = choices.iter().position(|choice| *choice == chosen)?;
        return resolve(root, schema.get("oneOf")?.get(index)?, value);
    }
    Some(schema)
}

/// The branch of a union without a tag that a value of this type is meant for, else the first one that is not `null`.
pub(super) fn one_of_type<'s>(root: &'s Value, branches: &'s [Value], value: &Value) -> Option<&'s Value> {
    let kind = match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        _ => "string",
    };
    let types = |branch: &'s Value| {
        let reference = branch.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        reference.map_or(Some(branch), |reference| root.pointer(reference))?.get("type")?.as_str()
    };
    let meant = branches.iter().find(|branch| types(branch) == Some(kind));
    meant.or_else(|| branches.iter().find(|branch| types(branch) != Some("null")))
}

/// What applies to a value of a schema that asks whether a key is there.
pub(super) fn branch<'s>(schema: &'s Value, value: &Value) -> Option<&'s Value> {
    let key = schema.pointer("/if/required/0")?.as_str()?;
    schema.get(if value.get(key).is_some() { "then" } else { "else" })
}

/// The tag of a tagged union and the words that choose its branches, in order.
pub(super) fn tagged(schema: &Value) -> Option<(&str, Vec<&str>)> {
    let branches = schema.get("oneOf")?.as_array()?;
    let constant = |property: &'_ Value| property.get("const").is_some();
    let properties = branches.first()?.get("properties")?.as_object()?;
    let tag = properties.iter().find(|(_, property)| constant(property))?.0;
    let words = branches.iter().map(|branch| branch.get("properties")?.get(tag)?.get("const")?.as_str());
    Some((tag, words.collect::<Option<_>>()?))
}

/// The words of an enumeration, whether schemars wrote it as `enum` or as documented constants.
pub(super) fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(Value::as_str).collect();
    }
    let branches = schema.get("oneOf")?.as_array()?;
    let words = branches.iter().map(|branch| match branch.get("const") {
        Some(word) => word.as_str().map(|word| vec![word]),
        None => branch.get("enum")?.as_array()?.iter().map(Value::as_str).collect(),
    });
    Some(words.collect::<Option<Vec<_>>>()?.concat())
}

//! JSON Schemas of arguments, in the plain subset that every MCP client understands: no references, no combinators.
//!
//! Some clients demand a value for every property, others check arguments before they send them. So what is optional can
//! be said not to be there: as an empty text, or as `any` of a closed list; and times have no pattern, since a client
//! would refuse `1 hour` where the server knows what is meant.

use serde_json::{Map, Value, json};

use crate::definition::{Parameter, ParameterType, Parameters};

/// Pattern of a `time_range` in a definition: a whole number and a unit of minutes, hours, days or weeks.
const TIME_RANGE_PATTERN: &str = "^[1-9][0-9]{0,4}(m|h|d|w)$";

/// Most names of the catalog that a schema lists, and most values that an error does.
pub const MOST_CHOICES: usize = 40;

/// What says of an optional closed list that nothing was chosen.
pub const ANY: &str = "any";

/// What a schema is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// Clients.
    Callers,
    /// Values that a definition holds: written plainly.
    Authors,
}

/// The input schema of a tool.
pub fn input_schema(parameters: &Parameters) -> Map<String, Value> {
    object(parameters, For::Callers)
}

/// What a default, a choice or an example in a definition satisfies.
pub fn exact_schema(parameters: &Parameters) -> Map<String, Value> {
    object(parameters, For::Authors)
}

/// Whether clients are shown, and may say, that nothing was chosen.
pub fn offers_any(parameter: &Parameter) -> bool {
    let open = || parameter.choices.iter().flatten().all(|choice| choice.is_string() && choice != ANY);
    parameter.choices.is_some() && !parameter.required && parameter.default.is_none() && open()
}

fn object(parameters: &Parameters, whom: For) -> Map<String, Value> {
    let properties: Map<String, Value> = parameters.iter().map(|(name, p)| (name.clone(), property(p, whom))).collect();
    let required: Vec<&str> = parameters.iter().filter(|(_, p)| p.required).map(|(name, _)| name.as_str()).collect();
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema.insert("additionalProperties".into(), json!(false));
    schema
}

/// The arguments that a JSON Schema names, whether at its top or in a branch that applies to the same object.
pub fn property_names(schema: &Map<String, Value>) -> Vec<String> {
    let mut names = Vec::new();
    collect_names(schema, schema, 0, &mut names);
    names
}

fn collect_names(root: &Map<String, Value>, schema: &Map<String, Value>, depth: usize, names: &mut Vec<String>) {
    if depth > 8 {
        return;
    }
    for name in schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let mut inner = Vec::new();
    for word in ["allOf", "anyOf", "oneOf"] {
        inner.extend(schema.get(word).and_then(Value::as_array).into_iter().flatten());
    }
    inner.extend(["if", "then", "else"].into_iter().filter_map(|word| schema.get(word)));
    inner.extend(schema.get("dependentSchemas").and_then(Value::as_object).into_iter().flat_map(Map::values));
    let referred = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix("#/"));
    inner.extend(referred.and_then(|path| {
        let mut tokens = path.split('/');
        let first = root.get(tokens.next()?)?;
        tokens.try_fold(first, |value, token| value.get(token.replace("~1", "/").replace("~0", "~")))
    }));
    for schema in inner.into_iter().filter_map(Value::as_object) {
        collect_names(root, schema, depth + 1, names);
    }
}

fn property(parameter: &Parameter, whom: For) -> Value {
    let mut schema = of_type(parameter.ty, whom);
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            schema.insert(key.to_owned(), value);
        }
    };
    set("description", parameter.description.as_ref().map(|text| json!(text.trim())));
    // Names of the catalog may grow to more than a model should read with every request; the description says where
    // they are listed.
    let named = parameter.choices.as_ref().filter(|all| parameter.values_from.is_none() || all.len() <= MOST_CHOICES);
    let any = (whom == For::Callers && offers_any(parameter)).then(|| json!(ANY));
    set("enum", named.map(|choices| choices.iter().cloned().chain(any).collect()));
    set("default", parameter.default.clone());
    set("minimum", parameter.minimum.map(|n| number(n, parameter.ty)));
    set("maximum", parameter.maximum.map(|n| number(n, parameter.ty)));
    let list = parameter.ty == ParameterType::Array;
    let (shortest, longest) = if list { ("minItems", "maxItems") } else { ("minLength", "maxLength") };
    let least = parameter.min_length.filter(|_| whom == For::Authors || parameter.required);
    set(shortest, least.map(|n| json!(n)));
    // No client needs to know how much is too much, and every model would read it.
    set(longest, parameter.max_length.filter(|_| whom == For::Authors).map(|n| json!(n)));
    set("pattern", parameter.pattern.as_ref().map(|pattern| json!(pattern)));
    set("examples", (!parameter.examples.is_empty()).then(|| json!(parameter.examples)));
    let holds = (!parameter.properties.is_empty()).then(|| object(&parameter.properties, whom));
    if list {
        let mut items = of_type(parameter.items.unwrap_or(ParameterType::String), whom);
        items.extend(holds.into_iter().flatten());
        set("items", Some(Value::Object(items)));
    } else {
        schema.extend(holds.into_iter().flatten());
    }
    Value::Object(schema)
}

fn number(value: f64, ty: ParameterType) -> Value {
    if ty == ParameterType::Integer && value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

fn of_type(ty: ParameterType, whom: For) -> Map<String, Value> {
    let schema = match ty {
        ParameterType::TimeRange | ParameterType::Timestamp | ParameterType::Uuid if whom == For::Callers => {
            json!({ "type": "string" })
        }
        ParameterType::String => json!({ "type": "string" }),
        ParameterType::Integer => json!({ "type": "integer" }),
        ParameterType::Number => json!({ "type": "number" }),
        ParameterType::Boolean => json!({ "type": "boolean" }),
        ParameterType::Array => json!({ "type": "array" }),
        ParameterType::Object => json!({ "type": "object" }),
        ParameterType::TimeRange => json!({ "type": "string", "pattern": TIME_RANGE_PATTERN }),
        ParameterType::Timestamp => json!({ "type": "string", "format": "date-time" }),
        ParameterType::Uuid => json!({ "type": "string", "format": "uuid" }),
    };
    match schema {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

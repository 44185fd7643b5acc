//! The arguments that actions read by name, each set as the type that the engine reads it into.
//!
//! `check` knows their names and types by the schemas of these types, so that nobody writes them down again.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// What a call of a context says beside its filters.
pub const BESIDE_FILTERS: [&str; 5] = ["time_range", "start", "end", "baseline", "max_items"];

/// The argument names of an action, in the order of the fields.
pub fn argument_names<T: JsonSchema>() -> Vec<String> {
    argument_schemas::<T>().keys().cloned().collect()
}

/// The JSON Schema of each argument.
fn argument_schemas<T: JsonSchema>() -> Map<String, Value> {
    let mut schema = schemars::SchemaGenerator::default().into_root_schema_for::<T>();
    match schema.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    }
}

/// Arguments of `context.collect`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CollectArguments {
    pub context_type: Option<String>,
    pub time_range: Option<String>,
    pub start: Option<String>,
    pub end: Option<String>,
    /// What the window is compared with: `previous`, `day`, `week` or `auto`.
    pub baseline: Option<String>,
    /// A filter that has a place of its own; read as the context type declares it.
    pub service_name: Value,
    /// Read as the context type declares them.
    pub filters: Value,
    pub max_items: Option<usize>,
    pub format: Option<String>,
    pub max_chars: Option<usize>,
    pub organization_id: Option<String>,
    pub workspace_id: Option<String>,
    pub user_id: Option<String>,
}

/// Arguments of `prompt.build`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PromptArguments {
    #[serde(flatten)]
    pub collect: CollectArguments,
    pub insight_type: Option<String>,
    pub question: Option<String>,
    #[serde(flatten)]
    pub system: SystemArguments,
}

/// Arguments of `prompt.build` with `part: system`, which collects nothing.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SystemPromptArguments {
    pub context_type: Option<String>,
    #[serde(flatten)]
    pub system: SystemArguments,
}

/// What every system prompt is made with.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SystemArguments {
    pub custom_prompt: Option<String>,
    pub persona: Option<String>,
}

/// Arguments of `catalog.list`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListArguments {
    pub category: Option<String>,
    pub query: Option<String>,
    pub format: Option<String>,
}

/// Arguments of `values.list`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ValuesArguments {
    pub of: Option<String>,
    pub query: Option<String>,
    /// Narrows lists that take it.
    pub service_name: Option<String>,
    pub time_range: Option<String>,
    pub start: Option<String>,
    pub end: Option<String>,
    pub max_items: Option<usize>,
    pub organization_id: Option<String>,
}

/// Arguments of `tables.search`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TablesArguments {
    pub source: Option<String>,
    pub query: Option<String>,
    /// Only tables of this schema.
    pub schema: Option<String>,
    /// The one table that is shown, whole.
    pub table: Option<String>,
    pub page: Option<usize>,
    pub organization_id: Option<String>,
}

/// Arguments of `sql.query`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct QueryArguments {
    pub sql: Option<String>,
    pub params: Option<Vec<Value>>,
    pub max_rows: Option<usize>,
    pub max_chars: Option<usize>,
    pub organization_id: Option<String>,
}

/// Arguments of `sql.explain`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExplainArguments {
    pub source: Option<String>,
    pub sql: Option<String>,
    pub params: Option<Vec<Value>>,
    pub organization_id: Option<String>,
}

/// What `sql` reads beside the text of its statement: the window, the tenant and the length of the answer. A parameter of
/// one of these names and of another type is the statement's own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StatementArguments {
    #[serde(deserialize_with = "text")]
    pub time_range: Option<String>,
    #[serde(deserialize_with = "text")]
    pub start: Option<String>,
    #[serde(deserialize_with = "text")]
    pub end: Option<String>,
    #[serde(deserialize_with = "text")]
    pub organization_id: Option<String>,
    #[serde(deserialize_with = "length")]
    pub max_chars: Option<usize>,
}

/// Arguments of `expression` where the definition has none.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExpressionArguments {
    pub expression: Option<String>,
}

/// A text, if it is one.
fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(value)?;
    Ok(value.as_str().map(str::to_owned))
}

/// A whole number, if it is one.
fn length<'de, D: Deserializer<'de>>(value: D) -> Result<Option<usize>, D::Error> {
    Ok(Value::deserialize(value)?.as_u64().and_then(|number| usize::try_from(number).ok()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_have_the_names_of_their_fields_in_order() {
        assert_eq!(argument_names::<QueryArguments>(), ["sql", "params", "max_rows", "max_chars", "organization_id"]);
        let prompt = argument_names::<PromptArguments>();
        for name in ["context_type", "filters", "insight_type", "question", "custom_prompt", "persona"] {
            assert!(prompt.iter().any(|known| known == name), "{name} of {prompt:?}");
        }
        assert_eq!(argument_names::<SystemPromptArguments>().len(), 3);
    }

    #[test]
    fn other_arguments_are_let_be_and_another_type_is_refused() {
        let read = |value: Value| PromptArguments::deserialize(value);
        let arguments = read(json!({"persona": "sre", "max_items": 5, "anything": {"else": 1}})).unwrap();
        assert_eq!((arguments.collect.max_items, arguments.system.persona.as_deref()), (Some(5), Some("sre")));
        for wrong in [json!({"max_items": "5"}), json!({"max_items": -1}), json!({"question": ["why"]})] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}

//! Completion of prompt arguments and URI variables from the catalog.

use serde_json::Value;

use super::{Engine, arguments};
use crate::definition::{ParameterType, Parameters};

/// What is being completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion<'a> {
    /// An argument of the prompt of this name.
    Prompt(&'a str),
    /// A variable of the resource whose URI template this is.
    Resource(&'a str),
}

/// Look-backs offered for a time range.
const TIME_RANGES: [&str; 7] = ["15m", "30m", "1h", "3h", "6h", "24h", "7d"];

impl Engine {
    /// Values that begin with what was typed, then those that contain it. Unknown names complete to nothing.
    pub fn complete(&self, of: Completion<'_>, argument: &str, prefix: &str) -> Vec<String> {
        let catalog = self.catalog();
        let parameters: Option<&Parameters> = match of {
            Completion::Prompt(name) => catalog.prompts.get(name).map(|entry| &entry.definition.arguments),
            Completion::Resource(uri) => catalog
                .resources
                .values()
                .find(|entry| entry.definition.uri == uri)
                .map(|entry| &entry.definition.parameters),
        };
        let named = parameters.and_then(|parameters| arguments::declared(parameters, argument));
        let Some((_, parameter)) = named else { return Vec::new() };
        let values: Vec<String> = match (&parameter.choices, parameter.ty) {
            (Some(choices), _) => choices.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            (None, ParameterType::TimeRange) => TIME_RANGES.map(str::to_owned).to_vec(),
            (None, ParameterType::Boolean) => vec!["true".into(), "false".into()],
            (None, _) => Vec::new(),
        };
        let typed = prefix.to_lowercase();
        let (mut begins, contains): (Vec<String>, Vec<String>) = values
            .into_iter()
            .filter(|value| value.to_lowercase().contains(&typed))
            .partition(|value| value.to_lowercase().starts_with(&typed));
        begins.extend(contains);
        begins
    }
}
